//! Lines for a terminal: a name, and beside it what is said of it, wrapped.

/// How many columns a line has.
pub const COLUMNS: usize = 80;

/// Adds what is said under a name: `  name       words`, wrapped below the words.
pub fn put(told: &mut String, name: &str, words: &str) {
    put_at(told, 2, 11, name, words);
}

/// The same, so far from the left, with so many columns for the name.
pub fn put_at(told: &mut String, indent: usize, width: usize, name: &str, words: &str) {
    let left = indent + width.max(name.chars().count() + 1);
    let mut start = format!("{:indent$}{name:<width$}", "");
    if !start.ends_with(' ') {
        start.push(' ');
    }
    for line in wrapped(words, COLUMNS.saturating_sub(left)) {
        told.push_str(format!("{start}{line}").trim_end());
        told.push('\n');
        start = " ".repeat(left);
    }
}

/// A text in lines of so many characters; a word that is longer has a line of its own.
#[must_use]
pub fn wrapped(words: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in words.split_whitespace() {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > columns {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += word_length;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// As much of a text as fits, with "…" where it is cut.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A number and what it counts: `1 article`, `2 articles`.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_below_words() {
        let mut told = String::new();
        put(&mut told, "name", &"слово ".repeat(14));
        let words = ["слово"; 11].join(" ");
        assert_eq!(told, format!("  name       {words}\n{:13}слово слово слово\n", ""));
        assert!(told.lines().all(|line| line.chars().count() <= COLUMNS));
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("довгеслово а б", 4), ["довгеслово", "а б"]);
        assert_eq!(cut("слово за слово", 9), "слово за…");
        assert_eq!(cut("слово", 5), "слово");
    }
}
