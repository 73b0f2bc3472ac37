//! Plain text out of whatever a publisher took for text.

use crate::model::entry::Text;
use crate::model::entry::TextKind;
use crate::model::xml::is_unseen;
use crate::normalize::html;
use unicode_segmentation::UnicodeSegmentation;

/// How long a headline may be, in graphemes.
pub const TITLE_GRAPHEMES_MAX: usize = 512;
/// How long a lead may be, in graphemes.
pub const LEAD_GRAPHEMES_MAX: usize = 500;
/// How much of a text is read, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// The text on one line: tags stripped, entities decoded, white space folded.
#[must_use]
pub fn plain(text: &Text) -> String {
    match text.kind {
        TextKind::Plain => fold(head(&text.value, TEXT_BYTES_MAX)),
        TextKind::Html | TextKind::Unsaid => of_html(&text.value),
    }
}

/// The same of a text of which nothing is said.
#[must_use]
pub fn unsaid(text: &str) -> String {
    plain(&Text { value: text.to_owned(), kind: TextKind::Unsaid })
}

/// The text of HTML, its entities decoded once more where they were escaped twice.
#[must_use]
pub fn of_html(source: &str) -> String {
    let source = head(source, TEXT_BYTES_MAX);
    if !source.contains(['<', '&']) {
        return fold(source);
    }
    let once = html::words(source);
    let twice = if escaped_twice(&once) { html::words(&once.replace('<', "&lt;")) } else { once };
    fold(&twice)
}

/// Whether entities are left after they were decoded.
fn escaped_twice(text: &str) -> bool {
    text.match_indices('&').any(|(i, _)| {
        let rest = &text.as_bytes()[i + 1..];
        let name = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
        name > 1 && rest.get(name) == Some(&b';')
    })
}

/// White space as single spaces; what cannot be seen, and what XML 1.0, 2.2 forbids, dropped.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() {
            space = true;
        } else if !is_unseen(c) {
            if space && !folded.is_empty() {
                folded.push(' ');
            }
            space = false;
            folded.push(c);
        }
    }
    folded
}

/// The text cut at a word, with "…", to at most so many graphemes.
#[must_use]
pub fn bounded(text: &str, graphemes_max: usize) -> String {
    let Some((end, _)) = text.grapheme_indices(true).nth(graphemes_max) else {
        return text.to_owned();
    };
    let room = text.grapheme_indices(true).nth(graphemes_max.saturating_sub(1));
    let cut = &text[..room.map_or(end, |(i, _)| i)];
    let border = cut.rfind(' ').filter(|&i| i > cut.len() / 2).unwrap_or(cut.len());
    let end = cut[..border].trim_end_matches([' ', ',', ';', ':', '-', '–', '—', '.', '…']);
    format!("{end}…")
}

/// The beginning of a text, at most so many bytes, at a character.
#[must_use]
pub fn head(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A lead without what a content system wrote behind it.
#[must_use]
pub fn without_tail(text: &str) -> &str {
    let mut text = text;
    if let Some(i) = text.rfind("The post ").filter(|i| text[*i..].contains("appeared first on")) {
        text = text[..i].trim_end();
    }
    loop {
        let before = text;
        for tail in [
            "[…]",
            "[...]",
            "[&hellip;]",
            "Читати далі",
            "Читати далі…",
            "Read more",
            "Детальніше",
            "»»",
            "→",
        ] {
            text = text.strip_suffix(tail).unwrap_or(text).trim_end();
        }
        if text == before {
            return text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_decoded_stripped_and_folded() {
        for (given, expected) in [
            ("Харків&nbsp;і\u{a0} Альбукерке", "Харків і Альбукерке"),
            ("&amp;quot;Рада&amp;quot;", "\"Рада\""),
            ("&#039;a&#x27;", "'a'"),
            ("<b>Важ\u{ad}ливо</b>: так", "Важливо: так"),
            ("<p>один</p><p>два</p>", "один два"),
            ("a < b & c", "a < b & c"),
            ("a <b і c", "a <b і c"),
            ("x<script>alert(1)</script>y", "xy"),
            ("\u{202e}a\0\u{1}b\u{fffe}", "ab"),
            ("втрат\u{fffd}а\u{92}", "втрата"),
        ] {
            assert_eq!(unsaid(given), expected, "{given:?}");
        }
        let kept = Text { value: "a &amp; <b>".to_owned(), kind: TextKind::Plain };
        assert_eq!(plain(&kept), "a &amp; <b>");
    }

    #[test]
    fn a_long_text_is_cut_at_a_word() {
        assert_eq!(bounded("один два три", 12), "один два три");
        assert_eq!(bounded("один два три", 10), "один два…");
        assert_eq!(bounded(&"я".repeat(20), 5), "яяяя…");
    }

    #[test]
    fn what_a_content_system_adds_is_not_part_of_the_lead() {
        for (given, expected) in [
            ("Рада ухвалила […]", "Рада ухвалила"),
            ("Рада ухвалила Читати далі", "Рада ухвалила"),
            ("Рада. The post Рада appeared first on Місто.", "Рада."),
        ] {
            assert_eq!(without_tail(given), expected);
        }
    }

    proptest! {
        #[test]
        fn folded_text_is_legal_in_xml_and_stays_itself(text in any::<String>()) {
            let once = unsaid(&text);
            prop_assert!(once.chars().all(crate::model::xml::is_char));
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(bounded(&once, 10).graphemes(true).count() <= 10);
        }
    }
}
