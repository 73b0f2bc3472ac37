//! The text of an article, fitted into a page: pictures load late and tell their source nothing of
//! the reader, and headings follow those of the page.
//!
//! The text is what `normalize` wrote: sanitised, well-formed, every attribute in double quotes with
//! quotes in it escaped, every `<` in text escaped. So a tag is found without a parser; whatever is
//! not found so stays as it is.

use std::fmt::Write;

/// What a page does with a picture of a text.
pub(super) enum Place {
    /// It shows it, from this address.
    At(String),
    /// It shows no pictures: what it says of itself is shown.
    Words,
    /// It shows it elsewhere.
    Elsewhere,
}

/// The text. `place` says of a picture by its address what the page does with it.
pub(super) fn fitted(body: &str, place: impl Fn(&str) -> Place) -> String {
    let mut fitted = String::with_capacity(body.len() + body.len() / 8);
    let mut levels = Levels { last: 1, open: Vec::new() };
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        let Some(length) = tag_length(&rest[start..]) else { break };
        fitted.push_str(&rest[..start]);
        let tag = &rest[start..start + length];
        match tag.as_bytes() {
            [b'<', b'h', level @ b'1'..=b'6', b'>'] => {
                let level = levels.open(level - b'0');
                _ = write!(fitted, "<h{level}>");
            }
            [b'<', b'/', b'h', b'1'..=b'6', b'>'] => {
                let level = levels.open.pop().unwrap_or(2);
                _ = write!(fitted, "</h{level}>");
            }
            // Its address led nowhere, and nothing is left to be said of it.
            _ if tag.starts_with("<a ") && !tag.contains(" href=\"") => fitted.push_str("<a>"),
            _ if tag.starts_with("<img ") => img(&mut fitted, tag, &place),
            _ => fitted.push_str(tag),
        }
        rest = &rest[start + length..];
    }
    fitted.push_str(rest);
    fitted
}

/// The addresses of the pictures of a text, in its order, as they are escaped there.
pub(super) fn pictures(body: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(start) = rest.find("<img ") {
        let Some(length) = tag_length(&rest[start..]) else { break };
        found.extend(attribute(&rest[start..start + length], "src"));
        rest = &rest[start + length..];
    }
    found
}

/// A text of an attribute with its character references resolved: those that a serialiser writes.
pub(super) fn unescaped(value: &str) -> String {
    let text = value.replace("&quot;", "\"").replace("&nbsp;", "\u{a0}");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// The levels of the headings: none is more than one below the one before it.
struct Levels {
    last: u8,
    open: Vec<u8>,
}

impl Levels {
    fn open(&mut self, wanted: u8) -> u8 {
        let level = wanted.clamp(2, self.last + 1).min(6);
        self.last = level;
        self.open.push(level);
        level
    }
}

/// How long a tag is that begins here: quoted values may hold a `>`.
fn tag_length(from: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in from.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A picture. Without an address nothing of it stays but what it says.
fn img(fitted: &mut String, tag: &str, place: &impl Fn(&str) -> Place) {
    let alt = attribute(tag, "alt").unwrap_or_default();
    let place = attribute(tag, "src").map_or(Place::Words, |source| place(&unescaped(source)));
    let source = match place {
        Place::At(source) => source,
        Place::Words => {
            fitted.push_str(&alt.replace('<', "&lt;").replace('>', "&gt;"));
            return;
        }
        Place::Elsewhere => return,
    };
    _ = write!(fitted, "<img src=\"{}\" alt=\"{alt}\"", escaped(&source));
    for side in ["width", "height"] {
        let pixels = attribute(tag, side).filter(|side| side.bytes().all(|b| b.is_ascii_digit()));
        if let Some(pixels) = pixels.filter(|pixels| !pixels.is_empty()) {
            _ = write!(fitted, " {side}=\"{pixels}\"");
        }
    }
    fitted.push_str(" loading=\"lazy\" referrerpolicy=\"no-referrer\">");
}

/// The value of an attribute, as it is escaped.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag.strip_prefix("<img")?;
    loop {
        rest = rest.trim_start();
        let (given, after) = rest.split_once("=\"")?;
        let (value, next) = after.split_once('"')?;
        if given == name {
            return Some(value);
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let place = |source: &str| match source {
            source if source.contains("hidden") => Place::Words,
            source if source.contains("above") => Place::Elsewhere,
            source => Place::At(source.to_owned()),
        };
        assert_eq!(fitted(body, place), expected);
    }

    #[test]
    fn pictures_load_late_and_have_a_text() {
        let lazy = "loading=\"lazy\" referrerpolicy=\"no-referrer\"";
        check(
            "<p>a<img src=\"https://a.example/?a=1&amp;b=2\" width=\"30\"></p>",
            &format!(
                "<p>a<img src=\"https://a.example/?a=1&amp;b=2\" alt=\"\" width=\"30\" {lazy}></p>"
            ),
        );
        check(
            "<img alt=\"a > b <img src=&quot;x&quot;\" src=\"https://a.example/\">",
            &format!(
                "<img src=\"https://a.example/\" alt=\"a > b <img src=&quot;x&quot;\" {lazy}>"
            ),
        );
        check("<p><img src=\"https://hidden.example/\" alt=\"Міст\"></p>", "<p>Міст</p>");
        check("<img src=\"https://hidden.example/\" alt=\"<b>\">", "&lt;b&gt;");
        check("<p>a<img src=\"https://above.example/\" alt=\"b\">c</p>", "<p>ac</p>");
    }

    #[test]
    fn headings_follow_those_of_the_page() {
        check("<h4>a</h4><h3>b</h3><h4>c</h4>", "<h2>a</h2><h3>b</h3><h4>c</h4>");
        check("<h2>a</h2><h4>b</h4><h2>c</h2>", "<h2>a</h2><h3>b</h3><h2>c</h2>");
    }

    #[test]
    fn what_leads_nowhere_has_no_relation() {
        check("<a rel=\"noopener\">a</a>", "<a>a</a>");
        let link = "<a href=\"https://a.example/\" rel=\"noopener\">a</a>";
        check(link, link);
    }

    #[test]
    fn what_is_no_tag_stays() {
        for text in ["", "a &lt;b&gt; c", "<p>a</p>", "a < b", "<img src=\"never closed"] {
            check(text, text);
        }
    }
}
