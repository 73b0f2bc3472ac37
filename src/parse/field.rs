//! One element of a feed or an entry, as the document has it, and what can be read from it.

use crate::model::entry::Media;
use crate::model::entry::Person;
use crate::parse::name::Space;
use url::Url;

/// An element directly below the feed or an entry, with what is in it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) space: Space,
    /// The local name in lower case.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// Its characters and, unless it is structured, its markup.
    pub(super) text: String,
    /// Whether markup stood in it unescaped.
    pub(super) has_markup: bool,
    /// Whether its text was longer than is read.
    pub(super) is_cut: bool,
    /// Whether it holds elements of a feed, rather than text.
    pub(super) is_structured: bool,
    /// The elements in it, in the order of the document, if it is structured.
    pub(super) nodes: Vec<Node>,
    /// What relative addresses in it are relative to.
    pub(super) base: Option<Url>,
}

/// An element within a structured field.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) space: Space,
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    /// How deep below the field, whose own children have 1.
    pub(super) depth: usize,
}

impl Field {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        attribute(&self.attributes, name)
    }

    /// Its text, if it says anything.
    pub(super) fn said(&self) -> Option<String> {
        let text = self.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The text of its first child with a name.
    pub(super) fn child(&self, name: &str) -> Option<String> {
        let node = self.nodes.iter().find(|node| node.depth == 1 && node.name == name)?;
        let text = node.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// An address in it made absolute.
    pub(super) fn absolute(&self, address: &str) -> String {
        absolute(address, self.base.as_ref())
    }
}

/// An attribute's value.
pub(super) fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    value.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

/// An address made absolute, or as it was given where there is no base or no sense in it.
pub(super) fn absolute(address: &str, base: Option<&Url>) -> String {
    let address = address.trim();
    match (Url::parse(address), base) {
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(base)) => {
            base.join(address).map_or_else(|_| address.to_owned(), String::from)
        }
        _ => address.to_owned(),
    }
}

/// What an Atom text says of itself (RFC 4287, 3.1.1 and 4.1.3.1; Atom 0.3 has `mode`).
pub(super) enum TextType {
    Plain,
    Html,
    Binary,
    Odd,
}

/// Whether the markup of a field is XML, so that its text has to stay escaped.
pub(super) fn is_xhtml(field: &Field) -> bool {
    let kind = field.attribute("type").unwrap_or_default();
    match field.space {
        Space::Xhtml => true,
        Space::Atom => {
            kind == "xhtml"
                || kind.ends_with("+xml")
                || kind.ends_with("/xml")
                || field.attribute("mode") == Some("xml")
        }
        _ => false,
    }
}

pub(super) fn text_type(field: &Field) -> TextType {
    if field.space != Space::Atom || is_xhtml(field) || field.has_markup {
        return TextType::Html;
    }
    if field.attribute("mode") == Some("base64") {
        return TextType::Binary;
    }
    let kind = field.attribute("type").unwrap_or("text").to_ascii_lowercase();
    match kind.split(';').next().unwrap_or_default().trim() {
        "text" | "text/plain" | "plain" => TextType::Plain,
        "html" | "text/html" => TextType::Html,
        kind if kind.contains('/') && !kind.starts_with("text/") => TextType::Binary,
        _ => TextType::Odd,
    }
}

pub(super) fn media_of(field: &Field) -> Media {
    let url = field.attribute("url").map(|url| field.absolute(url)).unwrap_or_default();
    let mut media = media_from(&field.attributes, url);
    media.title = field.attribute("title").map(str::to_owned);
    media
}

pub(super) fn media_from(attributes: &[(String, String)], url: String) -> Media {
    let number = |name| attribute(attributes, name).and_then(|value| value.parse().ok());
    let length = |name| attribute(attributes, name).and_then(|value| value.parse().ok());
    Media {
        url,
        mime: attribute(attributes, "type").map(str::to_owned),
        length: length("length").or_else(|| length("fileSize")),
        width: number("width"),
        height: number("height"),
        ..Media::default()
    }
}

/// What the media element at a place, or the nearest one around it, says in a child.
pub(super) fn said_of(nodes: &[&Node], place: usize, name: &str) -> Option<String> {
    let mut around = place;
    loop {
        let depth = nodes[around].depth;
        let inside = nodes[around + 1..].iter().take_while(|node| node.depth > depth);
        let mut children = inside.filter(|node| node.depth == depth + 1 && node.name == name);
        if let Some(text) =
            children.find_map(|node| Some(node.text.trim()).filter(|text| !text.is_empty()))
        {
            return Some(text.to_owned());
        }
        around = nodes[..around].iter().rposition(|node| node.depth < depth)?;
    }
}

/// A person as RSS writes one: `name@example.org (Name)`, `Name <name@example.org>`, or a name.
pub(super) fn person(text: &str) -> Person {
    let is_address = |word: &&str| {
        word.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
    };
    let is_edge =
        |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | ',' | ';' | '"');
    let is_outside = |c: char| is_edge(c) || !(c.is_ascii_graphic());
    let Some(found) = text.split(is_outside).find(is_address) else {
        return Person { name: Some(text.to_owned()), ..Person::default() };
    };
    let (before, after) = text.split_once(found).unwrap_or((text, ""));
    let before = before.trim_end_matches("mailto:").trim_matches(is_edge);
    let name = if before.is_empty() { after.trim_matches(is_edge) } else { before };
    let name =
        name.trim_matches(|c: char| is_edge(c) || matches!(c, '—' | '–' | '-' | ':' | '«' | '»'));
    let email = found.strip_prefix("mailto:").unwrap_or(found).trim_end_matches('.');
    Person {
        name: (!name.is_empty()).then(|| name.to_owned()),
        email: Some(email.to_owned()),
        url: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_read_as_rss_writes_one() {
        for (text, name, email) in [
            ("press@x.ua (Прес-служба)", Some("Прес-служба"), Some("press@x.ua")),
            ("Прес-служба <press@x.ua>", Some("Прес-служба"), Some("press@x.ua")),
            ("press@x.ua—Прес", Some("Прес"), Some("press@x.ua")),
            ("«press@x.ua»", None, Some("press@x.ua")),
            ("mailto:press@x.ua", None, Some("press@x.ua")),
            ("Олена Ткач, м. Київ", Some("Олена Ткач, м. Київ"), None),
            ("@misto", Some("@misto"), None),
        ] {
            let person = person(text);
            assert_eq!((person.name.as_deref(), person.email.as_deref()), (name, email), "{text}");
        }
    }
}
