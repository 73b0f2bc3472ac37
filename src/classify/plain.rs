//! The plain text of an article's body, which is HTML that was made clean before.

/// The text of clean HTML: blocks end sentences, other marks are nothing.
#[must_use]
pub(crate) fn plain(html: &str) -> String {
    const BLOCKS: [&str; 16] = [
        "p",
        "li",
        "br",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "td",
        "th",
        "blockquote",
        "figure",
        "figcaption",
    ];
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('<') {
            let end = rest.find('>').map_or(rest.len(), |end| end + 1);
            let name = rest[1..end].trim_start_matches('/');
            let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            if BLOCKS.contains(&name) {
                text.push('\n');
            }
            rest = &rest[end..];
        } else {
            let end = rest.bytes().take(12).position(|b| b == b';').map_or(1, |end| end + 1);
            text.push_str(match &rest[..end] {
                "&amp;" => "&",
                "&lt;" => "<",
                "&gt;" => ">",
                "&quot;" => "\"",
                "&#39;" => "'",
                "&nbsp;" => " ",
                other => other,
            });
            rest = &rest[end..];
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_end_sentences_and_entities_are_letters() {
        for (html, expected) in [
            ("<p>Мер<b>еф</b>а</p><p>Ізюм &amp; Чугуїв</p>", "\nМерефа\n\nІзюм & Чугуїв\n"),
            ("а&nbsp;б &unknown; & <", "а б &unknown; & "),
            ("", ""),
        ] {
            assert_eq!(plain(html), expected);
        }
    }
}
