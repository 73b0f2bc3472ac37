//! What XML 1.0 can carry.

/// Whether a document may hold a character, as itself or by a reference (XML 1.0, 2.2, `Char`).
#[must_use]
pub fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether nobody sees a character: soft hyphens, zero widths, controls, marks that turn the
/// direction of the text, what stands for a character that was lost, and what XML 1.0, 2.2 forbids.
/// The joiner stays: emoji are made with it.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || c == char::REPLACEMENT_CHARACTER
        || !is_char(c)
        || matches!(c, '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_what_is_no_character_are_not_carried() {
        for allowed in ['\t', '\n', '\r', ' ', '\u{7F}', '\u{85}', 'ї', '\u{FFFD}', '😀'] {
            assert!(is_char(allowed), "{allowed:?}");
        }
        for forbidden in ['\0', '\u{8}', '\u{B}', '\u{C}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            assert!(!is_char(forbidden), "{forbidden:?}");
        }
    }
}
