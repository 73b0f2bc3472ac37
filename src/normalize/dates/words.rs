//! A date cut into numbers, words and signs, and the names of months in three languages.

use crate::normalize::text;
use unicode_normalization::UnicodeNormalization;

/// How much of a date is read, in bytes before its entities are decoded.
const DATE_BYTES_MAX: usize = 1024;
/// How much of a date is read, in characters.
const DATE_CHARS_MAX: usize = 120;

/// A piece of a date.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A number, and how many digits it is written with.
    Number(i64, usize),
    /// Letters, in lower case.
    Word(String),
    /// Any other character.
    Sign(char),
    /// White space.
    Space,
}

/// The pieces of a date: its entities decoded, in lower case, its dashes alike.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let plain = text::unsaid(text::head(text, DATE_BYTES_MAX));
    let plain: String = plain.nfc().take(DATE_CHARS_MAX).collect::<String>().to_lowercase();
    let mut tokens = Vec::new();
    let mut rest = plain.as_str();
    while let Some(c) = rest.chars().next() {
        let length = |keep: fn(char) -> bool| rest.find(|c| !keep(c)).unwrap_or(rest.len());
        let (token, bytes) = if c.is_ascii_digit() {
            let bytes = length(|c| c.is_ascii_digit());
            (Token::Number(rest[..bytes].parse().unwrap_or(-1), bytes), bytes)
        } else if c.is_alphabetic() {
            let bytes = length(char::is_alphabetic);
            (Token::Word(cyrillic(&rest[..bytes])), bytes)
        } else if c.is_whitespace() {
            (Token::Space, length(char::is_whitespace))
        } else {
            let sign =
                if matches!(c, '‐' | '‑' | '‒' | '−' | '–' | '—') { '-' } else { c };
            (Token::Sign(sign), c.len_utf8())
        };
        tokens.push(token);
        rest = &rest[bytes..];
    }
    tokens
}

/// A word with a Cyrillic letter in Cyrillic letters only: «лiпня» is typed with a Latin `i`.
fn cyrillic(word: &str) -> String {
    if word.is_ascii() || !word.chars().any(|c| matches!(c, 'а'..='я' | 'і' | 'ї' | 'є' | 'ґ'))
    {
        return word.to_owned();
    }
    let letter = |c| match c {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'i' => 'і',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        other => other,
    };
    word.chars().map(letter).collect()
}

/// The words of a date.
pub(crate) fn words(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.as_str()),
        _ => None,
    })
}

/// The month that a word names beyond doubt.
pub(crate) fn month(word: &str) -> Option<u32> {
    // «сер» is a Wednesday as well.
    month_after_number(word).filter(|_| word != "сер")
}

/// The month that a word behind a number names: in any case, or cut to three letters or more.
pub(crate) fn month_after_number(word: &str) -> Option<u32> {
    let names = |(stem, endings): &(&str, &[&str])| match word.strip_prefix(stem) {
        Some(ending) => endings.contains(&ending),
        None => word.chars().count() >= 3 && stem.starts_with(word),
    };
    let month = MONTHS.iter().position(|month| month.iter().any(names))?;
    u32::try_from(month + 1).ok()
}

type Name = (&'static str, &'static [&'static str]);

/// Of січень and most others in Ukrainian, in every case, and cut before the last vowel.
const EN: &[&str] = &["", "н", "ень", "ня", "ні", "ню", "нем"];
/// Of январь and most others in Russian.
const SOFT: &[&str] = &["", "ь", "я", "е", "ю", "ем", "ём"];
/// Of листопад, март and август.
const HARD: &[&str] = &["", "а", "і", "е", "у", "ові", "ом"];
/// Of лютий.
const ADJECTIVE: &[&str] = &["", "ий", "ого", "ому", "им", "ім"];
/// Of май.
const MAY: &[&str] = &["й", "я", "е", "ю", "ем"];
/// Of the English names.
const NONE: &[&str] = &[""];

const MONTHS: [[Name; 3]; 12] = [
    [("січ", EN), ("январ", SOFT), ("january", NONE)],
    [("лют", ADJECTIVE), ("феврал", SOFT), ("february", NONE)],
    [("берез", EN), ("март", HARD), ("march", NONE)],
    [("квіт", EN), ("апрел", SOFT), ("april", NONE)],
    [("трав", EN), ("ма", MAY), ("may", NONE)],
    [("черв", EN), ("июн", SOFT), ("june", NONE)],
    [("лип", EN), ("июл", SOFT), ("july", NONE)],
    [("серп", EN), ("август", HARD), ("august", NONE)],
    [("верес", EN), ("сентябр", SOFT), ("september", NONE)],
    [("жовт", EN), ("октябр", SOFT), ("october", NONE)],
    [("листопад", HARD), ("ноябр", SOFT), ("november", NONE)],
    [("груд", EN), ("декабр", SOFT), ("december", NONE)],
];
