//! Letters that look alike and are not: a Latin `i` in a Ukrainian word, a Cyrillic «і» in a key.
//!
//! # Why
//! A keyboard in the wrong layout writes them, nobody sees them, and nothing ever fits them.

/// Cyrillic letters, and the Latin ones that look the same.
const ALIKE: [(char, char); 28] = [
    ('а', 'a'),
    ('е', 'e'),
    ('і', 'i'),
    ('ї', 'ï'),
    ('ј', 'j'),
    ('о', 'o'),
    ('р', 'p'),
    ('с', 'c'),
    ('ѕ', 's'),
    ('у', 'y'),
    ('х', 'x'),
    ('А', 'A'),
    ('В', 'B'),
    ('Е', 'E'),
    ('І', 'I'),
    ('Ї', 'Ï'),
    ('Ј', 'J'),
    ('К', 'K'),
    ('М', 'M'),
    ('Н', 'H'),
    ('О', 'O'),
    ('Р', 'P'),
    ('С', 'C'),
    ('Ѕ', 'S'),
    ('Т', 'T'),
    ('У', 'Y'),
    ('Х', 'X'),
    ('к', 'k'),
];

/// A text of key or id with Latin letters for the Cyrillic ones that look like them; nothing if
/// there is none, or another letter that is not ASCII is left.
pub(crate) fn in_latin(text: &str) -> Option<String> {
    let latin: String = text.chars().map(latin).collect();
    (latin != text && latin.is_ascii()).then_some(latin)
}

/// What a word with letters of both alphabets was meant to be, where that is sure: all letters of
/// one of them have a look-alike in the other.
pub(crate) fn in_one_alphabet(word: &str) -> Option<String> {
    let has = |is: fn(char) -> bool| word.chars().any(is);
    if !has(is_cyrillic) || !has(|c| c.is_ascii_alphabetic()) {
        return None;
    }
    let right: String = word.chars().map(cyrillic).collect();
    if !right.chars().any(|c| c.is_ascii_alphabetic()) {
        return Some(right);
    }
    in_latin(word)
}

fn is_cyrillic(c: char) -> bool {
    ('\u{400}'..='\u{52F}').contains(&c)
}

fn latin(c: char) -> char {
    ALIKE.iter().find(|(cyrillic, _)| *cyrillic == c).map_or(c, |(_, latin)| *latin)
}

fn cyrillic(c: char) -> char {
    ALIKE.iter().find(|(_, latin)| *latin == c).map_or(c, |(cyrillic, _)| *cyrillic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_of_another_alphabet_is_seen() {
        for (word, expected) in [
            ("шкoла", Some("школа")),
            ("Xарків", Some("Харків")),
            ("nоvа", Some("nova")),
            ("школа", None),
            ("school", None),
            ("24", None),
        ] {
            assert_eq!(in_one_alphabet(word).as_deref(), expected, "{word}");
        }
        assert_eq!(in_latin("іd").as_deref(), Some("id"));
        assert_eq!(in_latin("назва"), None);
        assert_eq!(in_latin("id"), None);
    }
}
