//! Commands that are offered for copying into a shell.

/// A word as a shell takes it for one, whatever is in it (POSIX, Shell Command Language, 2.2.2).
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one() {
        for (word, expected) in [
            ("https://a.example/rss", "https://a.example/rss"),
            ("https://a.example/?a=1&b=2", "'https://a.example/?a=1&b=2'"),
            ("https://a.example/a';id;'", r"'https://a.example/a'\'';id;'\'''"),
            ("$(id)", "'$(id)'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
