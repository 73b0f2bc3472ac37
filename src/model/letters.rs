//! Ukrainian letters: what they are in Latin ones, by the official transliteration (resolution of
//! the Cabinet of Ministers No. 55 of 27 January 2010), and the apostrophes between them.

use unicode_normalization::UnicodeNormalization;

/// The name in Latin letters: «Знам’янка» is `Znamianka`, «Нью-Йорк» is `Niu-York`.
///
/// Letters that are not Ukrainian, digits and punctuation stay as they are, except the Russian
/// ы, э, ё and ъ, which names of partners bring along.
#[must_use]
pub fn transliterate(name: &str) -> String {
    let letters: Vec<char> = name.nfc().filter(|c| !is_apostrophe(*c)).collect();
    let mut latin = String::with_capacity(name.len());
    for (i, &letter) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| letters[i]);
        let starts_word = before.is_none_or(|c| !c.is_alphabetic());
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        let after_z = lower == 'г' && before.is_some_and(|c| matches!(c, 'з' | 'З'));
        let known = if after_z { Some("gh") } else { latin_of(lower, starts_word) };
        let Some(text) = known else {
            latin.push(letter);
            continue;
        };
        push(&mut latin, text, letter != lower);
    }
    latin
}

/// The name as German texts write it: «Яремче» is `Jaremtsche`.
#[must_use]
pub fn in_german(name: &str) -> String {
    let mut german = String::with_capacity(name.len());
    for letter in name.chars().filter(|c| !is_apostrophe(*c)) {
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        let text = match lower {
            'в' => "w",
            'є' => "je",
            'з' => "s",
            'ї' => "ji",
            'й' => "j",
            'х' => "ch",
            'ц' => "z",
            'ч' => "tsch",
            'ж' | 'ш' => "sch",
            'щ' => "schtsch",
            'ю' => "ju",
            'я' => "ja",
            other => latin_of(other, false).unwrap_or_default(),
        };
        push(&mut german, text, letter != lower);
    }
    german
}

/// The apostrophes that Ukrainian texts are written with; within a word they sound like nothing
/// in Latin letters.
#[must_use]
pub fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | '′')
}

/// Appends what stands for a letter, which may be a capital.
fn push(latin: &mut String, text: &str, is_capital: bool) {
    let mut rest = text.chars();
    let first = rest.next();
    latin.extend(first.map(|c| if is_capital { c.to_ascii_uppercase() } else { c }));
    latin.push_str(rest.as_str());
}

fn latin_of(lower: char, starts_word: bool) -> Option<&'static str> {
    Some(match (lower, starts_word) {
        ('а', _) => "a",
        ('б', _) => "b",
        ('в', _) => "v",
        ('г', _) => "h",
        ('ґ', _) => "g",
        ('д', _) => "d",
        ('е' | 'э', _) => "e",
        ('є', true) => "ye",
        ('є', false) => "ie",
        ('ж', _) => "zh",
        ('з', _) => "z",
        ('и' | 'ы', _) | ('й', true) => "y",
        ('і', _) | ('ї' | 'й', false) => "i",
        ('ї', true) => "yi",
        ('к', _) => "k",
        ('л', _) => "l",
        ('м', _) => "m",
        ('н', _) => "n",
        ('о', _) => "o",
        ('п', _) => "p",
        ('р', _) => "r",
        ('с', _) => "s",
        ('т', _) => "t",
        ('у', _) => "u",
        ('ф', _) => "f",
        ('х', _) => "kh",
        ('ц', _) => "ts",
        ('ч', _) => "ch",
        ('ш', _) => "sh",
        ('щ', _) => "shch",
        ('ю', true) => "yu",
        ('ю', false) => "iu",
        ('я', true) => "ya",
        ('я', false) => "ia",
        ('ё', _) => "io",
        ('ь' | 'ъ', _) => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_transliterated_as_the_resolution_shows() {
        for (ukrainian, latin) in [
            ("Алушта", "Alushta"),
            ("Згорани", "Zghorany"),
            ("Розгон", "Rozghon"),
            ("Єнакієве", "Yenakiieve"),
            ("Їжакевич", "Yizhakevych"),
            ("Кадиївка", "Kadyivka"),
            ("Йосипівка", "Yosypivka"),
            ("Нью-Йорк", "Niu-York"),
            ("Знам'янка", "Znamianka"),
            ("Короп’є", "Koropie"),
            ("Гоща", "Hoshcha"),
            ("Юрій Крюківка", "Yurii Kriukivka"),
            ("Яготин", "Yahotyn"),
            ("Ґалаґан", "Galagan"),
        ] {
            assert_eq!(transliterate(ukrainian), latin);
        }
    }

    #[test]
    fn german_texts_write_sounds() {
        for (ukrainian, german) in
            [("Яремче", "Jaremtsche"), ("Вижниця", "Wyschnyzja"), ("Козятин", "Kosjatyn")]
        {
            assert_eq!(in_german(ukrainian), german);
        }
    }
}
