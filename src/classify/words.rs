//! Names and words brought to one form, so that they can be compared.
//!
//! # Why
//! The same name comes with four apostrophes, three hyphens, soft hyphens from a text processor,
//! Latin letters that look Cyrillic, and composed or not. What is compared is always folded.

use crate::model::slug::is_apostrophe;
use unicode_normalization::UnicodeNormalization;

/// A name as it is compared: NFC, lower case, one apostrophe, one hyphen, single spaces, without
/// invisible characters, and without the marks that people put around a category.
#[must_use]
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for word in name.split(char::is_whitespace) {
        let word = fold_word(word);
        if word.is_empty() {
            continue;
        }
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(&word);
    }
    let marks =
        |c: char| matches!(c, '#' | '«' | '»' | '"' | '“' | '”' | '„' | '.' | ',' | ';' | ':');
    folded.trim_matches(marks).trim().to_owned()
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is compared.
    pub folded: String,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where it ends in the text, in bytes.
    pub end: usize,
    /// What stands between it and the word before.
    pub before: Gap,
}

/// What stands between two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// White space, or a mark that does not part anything.
    Space,
    /// A comma, a slash or a dash: a list goes on.
    Comma,
    /// The end of a sentence, or the beginning of the text.
    Stop,
}

/// The words of a text, in its order. Apostrophes and hyphens are inside words, so that
/// «Івано-Франківськ» is one.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut gap = Gap::Stop;
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if is_of_word(c) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            let folded = fold_word(&text[start..at]);
            let folded = folded.trim_matches(['-', '\'']);
            if !folded.is_empty() {
                words.push(Word { folded: folded.to_owned(), start, end: at, before: gap });
                gap = Gap::Space;
            }
        }
        gap = gap.max(gap_of(c));
    }
    words
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_apostrophe(c) || is_hyphen(c) || is_invisible(c) || is_combining(c)
}

fn gap_of(c: char) -> Gap {
    match c {
        '.' | '!' | '?' | '…' | ';' | '|' => Gap::Stop,
        ',' | '/' | '–' | '—' | ':' | '(' | ')' => Gap::Comma,
        _ => Gap::Space,
    }
}

fn fold_word(word: &str) -> String {
    let visible = word.chars().filter(|c| !is_invisible(*c));
    let plain: String = visible.map(one_mark).nfc().flat_map(char::to_lowercase).collect();
    if plain.chars().any(is_cyrillic) { plain.chars().map(cyrillic_alike).collect() } else { plain }
}

fn one_mark(c: char) -> char {
    if is_apostrophe(c) {
        '\''
    } else if is_hyphen(c) {
        '-'
    } else {
        c
    }
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52F}')
}

/// The Cyrillic letter that a Latin one is taken for, in a word that has Cyrillic letters.
fn cyrillic_alike(c: char) -> char {
    match c {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'i' => 'і',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'y' => 'у',
        'ï' => 'ї',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_form_however_it_is_written() {
        for (name, expected) in [
            ("  Міжнародна\u{a0}підтримка ", "міжнародна підтримка"),
            ("#партнерство", "партнерство"),
            ("«Кам’янська громада»", "кам'янська громада"),
            ("Камʼянська ГРОМАДА.", "кам'янська громада"),
            ("Івано\u{2011}Франківська", "івано-франківська"),
            ("Хар\u{ad}ків\u{200b}ська", "харківська"),
            ("Харкі\u{432}ська и\u{306}", "харківська й"),
            ("Вiйтовецька", "війтовецька"),
            ("Kharkiv Oblast", "kharkiv oblast"),
            ("…", "…"),
            ("", ""),
        ] {
            assert_eq!(fold(name), expected, "{name:?}");
        }
    }

    #[test]
    fn words_know_where_they_stand_and_what_parts_them() {
        let text = "У Харківській, Сумській та Івано-Франківській обл. — дощ";
        let found: Vec<_> = words(text).into_iter().map(|w| (w.folded, w.before)).collect();
        let expected = [
            ("у", Gap::Stop),
            ("харківській", Gap::Space),
            ("сумській", Gap::Comma),
            ("та", Gap::Space),
            ("івано-франківській", Gap::Space),
            ("обл", Gap::Space),
            ("дощ", Gap::Stop),
        ];
        assert_eq!(found, expected.map(|(word, gap)| (word.to_owned(), gap)));
        let word = &words(text)[4];
        assert_eq!(&text[word.start..word.end], "Івано-Франківській");
    }
}
