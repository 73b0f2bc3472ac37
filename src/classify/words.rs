//! Names and texts brought to one form, so that they can be compared.
//!
//! # Why
//! The same name comes with four apostrophes, three hyphens, soft hyphens from a text processor,
//! Latin letters that look Cyrillic, and composed or not. What is compared is always folded.

use crate::model::letters::is_apostrophe;
use std::borrow::Cow;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// A word of more bytes is no name, and says nothing of the capitals of a text.
const WORD_BYTES_MAX: usize = 128;

/// Words after which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 24] = [
    "обл",
    "вул",
    "просп",
    "пров",
    "бул",
    "бульв",
    "пл",
    "смт",
    "с-ще",
    "р-н",
    "грн",
    "тис",
    "млн",
    "млрд",
    "рр",
    "ім",
    "див",
    "напр",
    "ред",
    "проф",
    "стор",
    "узв",
    "наб",
    "ул",
];

/// A name as it is compared: the words of a text, with single spaces between.
#[must_use]
pub fn fold(name: &str) -> String {
    // Words and spaces, as most names are.
    if name.chars().all(|c| c == ' ' || (is_of_word(c) && !is_combining(c))) {
        let mut folded = String::with_capacity(name.len());
        for word in name.split(' ') {
            let from = folded.len();
            fold_word(word, &mut folded);
            let inner = folded[from..].trim_matches(['-', '\'']).len();
            if inner == 0 {
                folded.truncate(from);
                continue;
            }
            if inner < folded.len() - from {
                let inner = folded[from..].trim_matches(['-', '\'']).to_owned();
                folded.truncate(from);
                folded.push_str(&inner);
            }
            folded.push(' ');
        }
        folded.truncate(folded.trim_end().len());
        return folded;
    }
    let text = Text::new(name);
    let words: Vec<&str> = text.words.iter().map(|word| text.folded(word)).collect();
    words.join(" ")
}

/// A text as words.
#[derive(Debug)]
pub struct Text<'t> {
    /// What the words stand in: the text as it was given, unless it had to be composed (NFC).
    source: Cow<'t, str>,
    /// The folded words, one after the other.
    folded: String,
    /// The words, in the order of the text. Apostrophes and hyphens are inside words, so that
    /// «Івано-Франківськ» is one.
    pub words: Vec<Word>,
    /// Whether all of it is in capitals, so that a capital says nothing.
    pub is_in_capitals: bool,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    place: Range<usize>,
    folded: Range<usize>,
    /// What stands between it and the word before.
    pub before: Gap,
    /// How it begins.
    pub case: Case,
}

/// What stands between two words. The later one outweighs the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// White space, or a mark that does not part anything.
    Space,
    /// A quotation mark, or a bracket.
    Quote,
    /// A comma or a slash: a list goes on.
    Comma,
    /// A dash.
    Dash,
    /// A colon.
    Colon,
    /// The end of a sentence or of a paragraph, or the beginning of the text.
    Stop,
}

/// How a word is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// It begins with a small letter or a digit.
    Small,
    /// It begins with a capital.
    Capital,
    /// It is all capitals, and more than one.
    Capitals,
}

impl<'t> Text<'t> {
    /// The words of a text.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        // The marks begin with one of two bytes, which are quicker looked for.
        let may_combine = text.bytes().any(|byte| matches!(byte, 0xCC | 0xCD));
        let source = if may_combine && text.chars().any(is_combining) {
            Cow::Owned(text.nfc().collect())
        } else {
            Cow::Borrowed(text)
        };
        let mut words = Self {
            folded: String::with_capacity(source.len()),
            words: Vec::with_capacity(source.len() / 10),
            source: Cow::Borrowed(""),
            is_in_capitals: false,
        };
        words.read(&source);
        words.source = source;
        let letters = |word: &&Word| word.folded.len() > 6 && word.place.len() < WORD_BYTES_MAX;
        let (mut long, mut capitals) = (0, 0);
        for word in words.words.iter().filter(letters) {
            long += 1;
            capitals += usize::from(word.case == Case::Capitals);
        }
        words.is_in_capitals = long > 1 && capitals * 4 >= long * 3;
        words
    }

    /// A word as it is compared.
    #[must_use]
    pub fn folded(&self, word: &Word) -> &str {
        &self.folded[word.folded.clone()]
    }

    /// Some words of the text, as they stand there.
    #[must_use]
    pub fn shown(&self, words: Range<usize>) -> &str {
        match (self.words.get(words.start), self.words.get(words.end.saturating_sub(1))) {
            (Some(first), Some(last)) => &self.source[first.place.start..last.place.end],
            _ => "",
        }
    }

    /// Whether some words stand in quotation marks, and no other word with them.
    #[must_use]
    pub fn is_quoted(&self, words: Range<usize>) -> bool {
        let (Some(first), Some(last)) =
            (self.words.get(words.start), self.words.get(words.end.saturating_sub(1)))
        else {
            return false;
        };
        let is_mark = |c: char| matches!(c, '«' | '»' | '"' | '“' | '”' | '„' | '‟');
        self.source[..first.place.start].chars().next_back().is_some_and(is_mark)
            && self.source[last.place.end..].chars().next().is_some_and(is_mark)
    }

    fn read(&mut self, source: &str) {
        let mut gap = Gap::Stop;
        let mut start = None;
        let mut chars = source.char_indices().chain([(source.len(), ' ')]).peekable();
        while let Some((at, c)) = chars.next() {
            if is_of_word(c) {
                start.get_or_insert(at);
                continue;
            }
            if let Some(start) = start.take()
                && self.push(source, start..at, gap)
            {
                gap = Gap::Space;
            }
            // «Дія.Центр» is no end of a sentence.
            let is_inside = chars.peek().is_some_and(|(_, next)| is_of_word(*next));
            if c == '.' && gap == Gap::Space && (is_inside || self.is_after_abbreviation()) {
                continue;
            }
            gap = gap.max(gap_of(c));
        }
    }

    fn push(&mut self, source: &str, place: Range<usize>, before: Gap) -> bool {
        let raw = &source[place.clone()];
        let from = self.folded.len();
        let case = fold_word(raw, &mut self.folded);
        let word = &self.folded[from..];
        let trimmed = word.trim_matches(['-', '\'']);
        if trimmed.is_empty() {
            self.folded.truncate(from);
            return false;
        }
        let lead = word.len() - word.trim_start_matches(['-', '\'']).len();
        let folded = from + lead..from + lead + trimmed.len();
        self.words.push(Word { place, folded, before, case });
        true
    }

    fn is_after_abbreviation(&self) -> bool {
        self.words.last().is_some_and(|word| {
            let word = self.folded(word);
            word.chars().nth(1).is_none() && word.chars().all(char::is_alphabetic)
                || ABBREVIATIONS.contains(&word)
        })
    }
}

/// Appends a word as it is compared, and tells how it is written.
fn fold_word(word: &str, folded: &mut String) -> Case {
    let from = folded.len();
    let (mut letters, mut capitals) = (0, 0);
    let mut first_is_capital = false;
    let (mut has_cyrillic, mut has_latin) = (false, false);
    for c in word.chars() {
        let c = match c {
            '0'..='9' => c,
            'a'..='z' => {
                has_latin = true;
                letters += 1;
                c
            }
            'а'..='я' | 'є' | 'і' | 'ї' | 'ґ' => {
                has_cyrillic = true;
                letters += 1;
                c
            }
            _ if is_apostrophe(c) => '\'',
            _ if is_hyphen(c) => '-',
            _ if is_invisible(c) => continue,
            _ => {
                let is_capital = c.is_uppercase();
                let lower = c.to_lowercase().next().unwrap_or(c);
                first_is_capital |= is_capital && letters == 0;
                letters += 1;
                capitals += usize::from(is_capital);
                has_cyrillic |= is_cyrillic(lower);
                has_latin |= lower.is_ascii_alphabetic() || lower == 'ï';
                if lower == 'ё' { 'е' } else { lower }
            }
        };
        folded.push(c);
    }
    if has_cyrillic && has_latin {
        let alike: String = folded[from..].chars().map(cyrillic_alike).collect();
        folded.truncate(from);
        folded.push_str(&alike);
    }
    match (first_is_capital, capitals == letters && letters > 1) {
        (_, true) => Case::Capitals,
        (true, false) => Case::Capital,
        (false, false) => Case::Small,
    }
}

fn is_of_word(c: char) -> bool {
    match c {
        ' ' | ',' | '.' => false,
        'a'..='z' | 'A'..='Z' | '0'..='9' | 'А'..='я' | 'є' | 'і' | 'ї' | 'Є' | 'І' | 'Ї' => {
            true
        }
        _ => c.is_alphanumeric() || is_apostrophe(c) || is_hyphen(c) || is_invisible(c),
    }
}

fn gap_of(c: char) -> Gap {
    match c {
        '.' | '!' | '?' | '…' | ';' | '|' | '\n' => Gap::Stop,
        ':' => Gap::Colon,
        '–' | '—' => Gap::Dash,
        ',' | '/' | '•' => Gap::Comma,
        '«' | '»' | '"' | '“' | '”' | '„' | '(' | ')' => Gap::Quote,
        _ => Gap::Space,
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
        'k' => 'к',
        'm' => 'м',
        'h' => 'н',
        'b' => 'в',
        't' => 'т',
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
            ("Партнёрство", "партнерство"),
            ("Kharkiv Oblast", "kharkiv oblast"),
            ("…", ""),
            ("", ""),
        ] {
            assert_eq!(fold(name), expected, "{name:?}");
        }
    }

    #[test]
    fn words_know_where_they_stand_and_what_parts_them() {
        let text = "У Харківській, Сумській та Івано-Франківській обл. — ДОЩ у м. Лозова. Так";
        let words = Text::new(text);
        let found: Vec<_> =
            words.words.iter().map(|w| (words.folded(w), w.before, w.case)).collect();
        let expected = [
            ("у", Gap::Stop, Case::Capital),
            ("харківській", Gap::Space, Case::Capital),
            ("сумській", Gap::Comma, Case::Capital),
            ("та", Gap::Space, Case::Small),
            ("івано-франківській", Gap::Space, Case::Capital),
            ("обл", Gap::Space, Case::Small),
            ("дощ", Gap::Dash, Case::Capitals),
            ("у", Gap::Space, Case::Small),
            ("м", Gap::Space, Case::Small),
            ("лозова", Gap::Space, Case::Capital),
            ("так", Gap::Stop, Case::Capital),
        ];
        assert_eq!(found, expected);
        assert_eq!(words.shown(4..6), "Івано-Франківській обл");
        assert!(!words.is_in_capitals);
        assert!(Text::new("ХАРКІВСЬКА МІСЬКА РАДА").is_in_capitals);
    }
}
