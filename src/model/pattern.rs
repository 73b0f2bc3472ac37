//! The words of `match` and `unless` in feeds.toml.
//!
//! # How they are written
//! A list says "any of these". One text of it says "all of these, in the same part of the
//! article": `бюджет* громад*`. A `*` stands for any ending, quotes make words stand side by side:
//! `"місцев* бюджет*"`. `title:`, `lead:`, `body:` and `category:` before them say where; without
//! that they may stand in any of the first three. `link:` is for addresses, of which it is a part.
//!
//! `unless` voids the matches that its words overlap («школа танців» is no school); if they
//! overlap none, it voids all of the same part of the article.

use crate::model::article::Field;
use crate::model::letters::is_apostrophe;
use std::str::FromStr;

/// How many words one text of `match` may have.
const WORDS_MAX: usize = 16;
/// How many of them may stand side by side.
pub const PHRASE_WORDS_MAX: usize = 8;

/// Where the words of a pattern are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Title, lead and body.
    Text,
    /// One part of the article.
    Field(Field),
    /// The address of its page.
    Link,
}

/// One text of `match` or `unless`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Where it is looked for.
    pub scope: Scope,
    /// Phrases, all of which have to be there; a word that ends in `*` stands for all that begin
    /// so. Of an address: its part.
    pub phrases: Vec<String>,
}

/// Words of a text that speak for a label, and words that void them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// Any of these speaks for it.
    pub matching: Vec<Pattern>,
    /// Not where one of these stands.
    pub unless: Vec<Pattern>,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It has no word.
    #[error("it has no word")]
    Empty,
    /// A quotation mark stands alone.
    #[error("a quotation mark is not closed")]
    Quote,
    /// A `*` is not at the end of a word.
    #[error("`*` stands for endings: write it at the end of a word, after two letters at least")]
    Star,
    /// There are too many words.
    #[error("it has more than {WORDS_MAX} words")]
    Long,
    /// There are too many words side by side.
    #[error("it has more than {PHRASE_WORDS_MAX} words side by side")]
    Phrase,
    /// A word has a mark in it that parts it.
    #[error("write words of letters, digits, hyphens and apostrophes")]
    Mark,
    /// Before a colon stands no part of an article.
    #[error("before the colon may stand `title`, `lead`, `body`, `category`, or `link` in rules")]
    Scope,
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        const SCOPES: [(&str, Scope); 5] = [
            ("title:", Scope::Field(Field::Title)),
            ("lead:", Scope::Field(Field::Lead)),
            ("body:", Scope::Field(Field::Body)),
            ("category:", Scope::Field(Field::Category)),
            ("link:", Scope::Link),
        ];
        let text = text.trim();
        let found =
            SCOPES.iter().find_map(|(name, scope)| Some((text.strip_prefix(name)?, *scope)));
        let (rest, scope) = found.unwrap_or((text, Scope::Text));
        let says = |text: &str| text.chars().any(char::is_alphanumeric);
        if scope == Scope::Link {
            let part = rest.trim().to_owned();
            return if says(&part) {
                Ok(Self { scope, phrases: vec![part] })
            } else {
                Err(BadPattern::Empty)
            };
        }
        let mut phrases = Vec::new();
        for (at, part) in rest.split('"').enumerate() {
            if at % 2 == 1 {
                phrases.push(part.trim().to_owned());
            } else {
                phrases.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        if rest.matches('"').count() % 2 == 1 {
            return Err(BadPattern::Quote);
        }
        let words = || phrases.iter().flat_map(|phrase| phrase.split_whitespace());
        if words().any(|word| word.trim_matches('*').len() < word.len() && !says(word)) {
            return Err(BadPattern::Star);
        }
        if phrases.is_empty() || !words().all(says) || phrases.iter().any(String::is_empty) {
            return Err(BadPattern::Empty);
        }
        let is_bad = |word: &str| {
            let stem = word.strip_suffix('*').unwrap_or(word);
            stem.contains('*') || (stem.len() < word.len() && stem.chars().count() < 2)
        };
        if words().any(is_bad) {
            return Err(BadPattern::Star);
        }
        if words().next().is_some_and(|word| word.contains(':')) {
            return Err(BadPattern::Scope);
        }
        if words().any(has_mark) {
            return Err(BadPattern::Mark);
        }
        if phrases.iter().any(|phrase| phrase.split_whitespace().count() > PHRASE_WORDS_MAX) {
            return Err(BadPattern::Phrase);
        }
        if words().count() > WORDS_MAX {
            return Err(BadPattern::Long);
        }
        Ok(Self { scope, phrases })
    }
}

/// Whether a mark inside parts a word, so that no text has it as one.
fn has_mark(word: &str) -> bool {
    let is_of_word = |c: char| {
        c.is_alphanumeric()
            || is_apostrophe(c)
            || matches!(c, '*' | '-' | '\u{2010}' | '\u{2011}' | '\u{AD}' | '\u{300}'..='\u{36F}')
    };
    word.trim_matches(|c: char| !is_of_word(c)).contains(|c: char| !is_of_word(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told() {
        for (text, expected) in [
            ("", Some(BadPattern::Empty)),
            ("title:", Some(BadPattern::Empty)),
            ("…", Some(BadPattern::Empty)),
            ("\"міська рада", Some(BadPattern::Quote)),
            ("*", Some(BadPattern::Star)),
            ("titel:школ*", Some(BadPattern::Scope)),
            ("24/7", Some(BadPattern::Mark)),
            ("з о’пів-на десяту", None),
            ("\"один два три чотири п’ять шість сім вісім дев’ять\"", Some(BadPattern::Phrase)),
            ("\"рух * вулиц*\"", Some(BadPattern::Star)),
            ("б*", Some(BadPattern::Star)),
            ("бю*т", Some(BadPattern::Star)),
            ("бюджет*", None),
            ("link:/afisha/", None),
        ] {
            assert_eq!(text.parse::<Pattern>().err(), expected, "{text}");
        }
    }
}
