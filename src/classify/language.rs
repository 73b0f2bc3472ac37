//! The language of a text.
//!
//! Ukrainian and Russian have letters of their own, which say more of a short text than its
//! statistics; for the rest whatlang is asked, whose answer counts if it is sure.

use whatlang::Detector;
use whatlang::Lang;

/// How much of a text is looked at, in characters. More does not change the answer.
const CHARS_MAX: usize = 600;
/// From how many letters on statistics are believed.
const LETTERS_MIN: usize = 24;
/// Up to how many letters statistics say less than the alphabet.
const SHORT_MAX: usize = 80;
/// How sure whatlang has to be.
const SURE: f64 = 0.5;

/// The languages that are told apart, and their codes in BCP 47.
const LANGUAGES: [(Lang, &str); 14] = [
    (Lang::Eng, "en"),
    (Lang::Deu, "de"),
    (Lang::Fra, "fr"),
    (Lang::Pol, "pl"),
    (Lang::Ces, "cs"),
    (Lang::Slk, "sk"),
    (Lang::Ron, "ro"),
    (Lang::Hun, "hu"),
    (Lang::Lit, "lt"),
    (Lang::Spa, "es"),
    (Lang::Ita, "it"),
    (Lang::Nld, "nl"),
    (Lang::Swe, "sv"),
    (Lang::Por, "pt"),
];

/// The language of a text (BCP 47), if it can be told.
#[must_use]
pub fn language(parts: [&str; 3]) -> Option<&'static str> {
    let mut sample = String::with_capacity(2 * CHARS_MAX);
    for part in parts {
        let room = CHARS_MAX.saturating_sub(sample.chars().count());
        sample.extend(part.chars().take(room));
        sample.push(' ');
    }
    let (mut cyrillic, mut latin, mut ukrainian, mut russian) = (0, 0, 0, 0);
    for c in sample.chars() {
        match c {
            'і' | 'ї' | 'є' | 'ґ' | 'І' | 'Ї' | 'Є' | 'Ґ' => {
                (cyrillic, ukrainian) = (cyrillic + 1, ukrainian + 1);
            }
            'ы' | 'э' | 'ъ' | 'ё' | 'Ы' | 'Э' | 'Ъ' | 'Ё' => {
                (cyrillic, russian) = (cyrillic + 1, russian + 1);
            }
            '\u{400}'..='\u{52F}' => cyrillic += 1,
            _ if c.is_alphabetic() => latin += 1,
            _ => {}
        }
    }
    if cyrillic > latin {
        return match (ukrainian, russian) {
            // Hardly a sentence of Ukrainian is without these letters.
            (0, 0) if cyrillic < LETTERS_MIN => of_words(&sample, &WORDS[..2]),
            _ if ukrainian > russian => Some("uk"),
            _ => Some("ru"),
        };
    }
    if let Some(code) = of_words(&sample, &WORDS[2..]) {
        return Some(code);
    }
    if latin < LETTERS_MIN {
        return None;
    }
    // Short headlines without a letter of another language, nor its small words.
    if sample.is_ascii() && latin < SHORT_MAX {
        return Some("en");
    }
    let detector = Detector::with_allowlist(LANGUAGES.iter().map(|(lang, _)| *lang).collect());
    let found = detector.detect(&sample)?;
    let code = LANGUAGES.iter().find(|(lang, _)| *lang == found.lang()).map(|(_, code)| *code);
    code.filter(|_| found.confidence() >= SURE)
}

/// Small words that one language of these has and the others have not.
const WORDS: [(&str, &str); 6] = [
    ("uk", "та що у про рада громада міста до й від"),
    ("ru", "и что как из от город новая новый для с"),
    (
        "en",
        "the of and to in for with on from its new opens city sign welcomes receives their is are \
         at by as reports this last was has have",
    ),
    (
        "de",
        "der die das und nach mit für von im den dem des ein eine zum zur ist auf am stadt wird \
         unterstützt beschließt",
    ),
    ("fr", "le la les des du et de un une pour aux avec dans sur est ville au par soutient ont"),
    (
        "pl",
        "w z do na i od dla się jest rada miasta nowy nową nowa oraz przyjęła otrzymał przekazuje \
         przez po miasto",
    ),
];

/// The language of whose small words a text has the most, if no other has as many.
fn of_words(sample: &str, languages: &[(&'static str, &str)]) -> Option<&'static str> {
    let words: Vec<String> = sample
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut counts: Vec<(usize, &str)> = languages
        .iter()
        .map(|(code, of)| {
            let of: Vec<&str> = of.split_whitespace().collect();
            (words.iter().filter(|word| of.contains(&word.as_str())).count(), *code)
        })
        .collect();
    counts.sort_unstable();
    let [.., second, first] = counts.as_slice() else { return None };
    (first.0 > second.0 && first.0 * 12 >= words.len()).then_some(first.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_by_their_letters_and_words() {
        for (text, expected) in [
            ("У Харкові відкрили школу", Some("uk")),
            ("В Харькове открыли новый парк для детей", Some("ru")),
            ("Новая школа и парк", Some("ru")),
            ("The city council has approved the budget for the next year", Some("en")),
            ("Der Stadtrat hat den Haushalt für das kommende Jahr beschlossen", Some("de")),
            ("Le conseil municipal a adopté le budget de l’année prochaine", Some("fr")),
            ("Rada miasta przyjęła budżet na przyszły rok i nowe inwestycje", Some("pl")),
            ("Kharkiv", None),
            ("", None),
        ] {
            assert_eq!(language([text, "", ""]), expected, "{text}");
        }
    }
}
