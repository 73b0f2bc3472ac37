//! What feeds, servers and files say, before it goes to a terminal: a control character in it must
//! not move the cursor, set a title or turn lines around.

use crate::model::xml::is_unseen;
use std::borrow::Cow;

/// The text with U+FFFD for each control character, but for the ends of lines and tabs, and for
/// colours (ECMA-48, 8.3.117), which are ours and do no harm if they are not.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_wild) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_wild) {
        let (before, wild) = rest.split_at(at);
        plain.push_str(before);
        if let Some(length) = colour(wild) {
            plain.push_str(&wild[..length]);
            rest = &wild[length..];
        } else {
            plain.push('\u{fffd}');
            rest = &wild[wild.chars().next().map_or(0, char::len_utf8)..];
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn is_wild(c: char) -> bool {
    is_unseen(c) && !matches!(c, '\n' | '\t')
}

/// How long the sequence at the beginning is that sets colours; none if it is no such sequence.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    numbers[end..].starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colours_and_line_ends_are_left() {
        for (text, expected) in [
            ("Новина\nдня\t1", "Новина\nдня\t1"),
            ("\u{1b}[31;1mчервоне\u{1b}[0m", "\u{1b}[31;1mчервоне\u{1b}[0m"),
            ("a\u{1b}]52;c;AA\u{7}b", "a\u{fffd}]52;c;AA\u{fffd}b"),
            ("\u{1b}[2J\u{9b}2J", "\u{fffd}[2J\u{fffd}2J"),
            ("x\u{202e}txt.exe\r", "x\u{fffd}txt.exe\u{fffd}"),
            ("\u{1b}[", "\u{fffd}["),
            ("\u{1b}", "\u{fffd}"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }
}
