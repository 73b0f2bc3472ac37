//! HTML that is safe to publish again, and nothing but an article's text.
//!
//! # How
//! A pass of our own lets through only the tags of a news text, and only so deep: what comes to
//! the parser cannot exhaust stack or time. Then ammonia, which alone decides what is safe. Then
//! pictures without an address, counting pixels and empty paragraphs go.
//!
//! A body over [`BODY_BYTES_MAX`] is cut before a tag and ends with "…".

use crate::model::xml;
use crate::normalize::text;
use ammonia::Builder;
use ammonia::UrlRelative;
use scraper::Html;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::HashSet;
use url::Url;

/// How much of a body is kept, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// How deep tags may be nested.
const DEPTH_MAX: usize = 64;
/// How often a body is cleaned until it stays the same.
const PASSES_MAX: usize = 4;

const INLINE: [&str; 15] = [
    "a", "em", "strong", "b", "i", "u", "s", "sub", "sup", "code", "q", "cite", "small", "abbr",
    "mark",
];
const BLOCK: [&str; 23] = [
    "p",
    "br",
    "hr",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "pre",
    "img",
    "figure",
    "figcaption",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
];
/// Elements whose content is not text for a reader.
const SILENT: [&str; 14] = [
    "script", "style", "iframe", "noscript", "noembed", "noframes", "textarea", "title", "xmp",
    "template", "select", "object", "svg", "math",
];

/// Sanitised HTML out of a publisher's, its addresses absolute where there is a base.
#[must_use]
pub fn clean(source: &str, base: Option<&Url>) -> String {
    let mut body = once(&cut(source), base);
    for _ in 0..PASSES_MAX {
        let again = once(&body, base);
        if again == body {
            return body;
        }
        body = again;
    }
    // Markup so broken that every parse mends it otherwise: only its words are kept.
    paragraphs(&decoded(&scan(&body, Keep::Words)))
}

/// Plain text as paragraphs.
#[must_use]
pub fn paragraphs(plain: &str) -> String {
    let cut = cut(plain);
    let lines = cut.lines().map(text::fold).filter(|line| !line.is_empty());
    let mut body = String::with_capacity(plain.len());
    for line in lines {
        body.push_str("<p>");
        body.push_str(&escaped(&line));
        body.push_str("</p>");
    }
    once(&body, None)
}

/// The text of HTML, blocks kept apart by spaces, entities decoded once.
#[must_use]
pub fn words(source: &str) -> String {
    decoded(&scan(source, Keep::Words))
}

/// Whether a text of which nothing is said is HTML.
#[must_use]
pub fn looks_like_html(source: &str) -> bool {
    let known = |name: &str| {
        INLINE.contains(&name)
            || BLOCK.contains(&name)
            || SILENT.contains(&name)
            || matches!(name, "div" | "span" | "h1" | "section" | "article" | "center" | "font")
    };
    let source = text::head(source, BODY_BYTES_MAX);
    let tagged = source.match_indices('<').any(|(i, _)| {
        let inside = source[i + 1..].trim_start_matches('/');
        let name = inside.find(|c: char| !c.is_ascii_alphanumeric()).map(|end| &inside[..end]);
        name.is_some_and(|name| known(&name.to_ascii_lowercase()))
    });
    tagged || (!source.contains('<') && source.contains('&') && words(source) != source)
}

fn cut(source: &str) -> Cow<'_, str> {
    if source.len() <= BODY_BYTES_MAX {
        return Cow::Borrowed(source);
    }
    let head = text::head(source, BODY_BYTES_MAX);
    let end = head.rfind("</p>").or_else(|| head.rfind('<')).unwrap_or(head.len());
    Cow::Owned(format!("{}<p>…</p>", &head[..end]))
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn decoded(words: &str) -> String {
    if !words.contains('&') {
        return words.to_owned();
    }
    Html::parse_fragment(words).root_element().text().collect()
}

fn once(source: &str, base: Option<&Url>) -> String {
    let shallow = scan(source, Keep::Tags);
    let relative =
        base.map_or(UrlRelative::Deny, |base| UrlRelative::RewriteWithBase(base.clone()));
    let attributes = HashMap::from([
        ("a", HashSet::from(["href"])),
        ("img", HashSet::from(["src", "alt", "width", "height"])),
        ("td", HashSet::from(["colspan", "rowspan"])),
        ("th", HashSet::from(["colspan", "rowspan"])),
    ]);
    let cleaned = Builder::empty()
        .tags(INLINE.into_iter().chain(BLOCK).collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(attributes)
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(relative)
        .link_rel(Some("noopener nofollow ugc"))
        .attribute_filter(|_, name, value| match name {
            "width" | "height" | "colspan" | "rowspan" => {
                let small = value.len() <= 4 && value.bytes().all(|b| b.is_ascii_digit());
                small.then_some(Cow::Borrowed(value))
            }
            _ => Some(Cow::Borrowed(value)),
        })
        .clean(&shallow)
        .to_string();
    tidy(&cleaned.replace(says_nothing, ""))
}

/// Without pictures that show nothing, and without empty paragraphs.
fn tidy(cleaned: &str) -> String {
    let mut tidied = scan(cleaned, Keep::Pictures);
    loop {
        let mut kept = String::with_capacity(tidied.len());
        let mut rest = tidied.as_str();
        while let Some(start) = rest.find("<p>") {
            let inside = &rest[start + 3..];
            let blank = inside.trim_start_matches(|c: char| c.is_whitespace());
            let mut blank = blank;
            while let Some(after) =
                blank.strip_prefix("&nbsp;").or_else(|| blank.strip_prefix("<br>"))
            {
                blank = after.trim_start();
            }
            if let Some(after) = blank.strip_prefix("</p>") {
                kept.push_str(&rest[..start]);
                rest = after;
            } else {
                kept.push_str(&rest[..start + 3]);
                rest = inside;
            }
        }
        kept.push_str(rest);
        if kept.len() == tidied.len() {
            return kept.trim().to_owned();
        }
        tidied = kept;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    /// The tags of a news text.
    Tags,
    /// No tag: a space for a block.
    Words,
    /// Everything but pictures that show nothing.
    Pictures,
}

struct Tag {
    name: String,
    closes: bool,
    bytes: usize,
}

impl Tag {
    /// A tag at the start of a text. A quoted `>` does not end it.
    fn read(source: &str) -> Option<Self> {
        let inside = source.strip_prefix('<')?;
        let (closes, inside) = inside.strip_prefix('/').map_or((false, inside), |i| (true, i));
        if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
        let length = inside.find(ends).unwrap_or(inside.len());
        let name = inside[..length].to_ascii_lowercase();
        let mut quote = None;
        let mut before = ' ';
        for (i, c) in inside.char_indices().skip_while(|(i, _)| *i < length) {
            match quote {
                Some(q) if c == q => quote = None,
                None if c == '>' => {
                    let bytes = source.len() - inside.len() + i + 1;
                    return Some(Self { name, closes, bytes });
                }
                None if matches!(c, '"' | '\'') && before == '=' => quote = Some(c),
                Some(_) | None => {}
            }
            if !c.is_ascii_whitespace() {
                before = c;
            }
        }
        // Never closed: the rest is a tag, as for every browser.
        Some(Self { name, closes, bytes: source.len() })
    }
}

/// One pass over the tags of a text.
fn scan(source: &str, keep: Keep) -> String {
    let mut out = String::with_capacity(source.len());
    let mut open: Vec<String> = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find('<') {
        push_text(&mut out, &rest[..start]);
        rest = &rest[start..];
        let Some(tag) = Tag::read(rest) else {
            rest = after_no_tag(&mut out, rest);
            continue;
        };
        let whole = &rest[..tag.bytes];
        rest = &rest[tag.bytes..];
        match keep {
            Keep::Pictures if tag.name == "img" && shows_nothing(whole) => {}
            Keep::Pictures => out.push_str(whole),
            _ if SILENT.contains(&tag.name.as_str()) => {
                if !tag.closes {
                    rest = after_end(rest, &tag.name);
                }
            }
            // Never closed: no tag, but words such as "a<b".
            Keep::Words if !whole.ends_with('>') => push_text(&mut out, &escaped(whole)),
            Keep::Words if INLINE.contains(&tag.name.as_str()) || is_span(&tag.name) => {}
            Keep::Words => out.push(' '),
            Keep::Tags => push_tag(&mut out, &mut open, &tag, whole),
        }
    }
    push_text(&mut out, rest);
    out
}

fn is_span(name: &str) -> bool {
    matches!(name, "span" | "font" | "big" | "tt" | "strike" | "del" | "ins" | "wbr")
}

/// Controls that are no white space, and what stands for a character that was lost.
fn says_nothing(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

fn push_text(out: &mut String, words: &str) {
    out.extend(words.chars().filter(|c| xml::is_char(*c)));
}

/// A comment, a declaration or a lone `<`.
fn after_no_tag<'a>(out: &mut String, rest: &'a str) -> &'a str {
    let end = if rest.starts_with("<!--") {
        rest.find("-->").map(|i| i + 3)
    } else if rest.starts_with("<!") || rest.starts_with("<?") || rest.starts_with("</") {
        rest.find('>').map(|i| i + 1)
    } else {
        out.push_str("&lt;");
        Some(1)
    };
    &rest[end.unwrap_or(rest.len())..]
}

fn after_end<'a>(rest: &'a str, name: &str) -> &'a str {
    for (at, _) in rest.match_indices("</") {
        let inside = &rest.as_bytes()[at + 2..];
        let same =
            inside.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
        if same && inside.get(name.len()).is_some_and(ends) {
            return Tag::read(&rest[at..]).map_or("", |tag| &rest[at + tag.bytes..]);
        }
    }
    ""
}

fn push_tag(out: &mut String, open: &mut Vec<String>, tag: &Tag, whole: &str) {
    let name = match tag.name.as_str() {
        "h1" => "h2",
        "h5" | "h6" => "h4",
        "div" | "section" | "article" | "main" | "header" | "footer" | "center" | "address" => "p",
        name => name,
    };
    if !INLINE.contains(&name) && !BLOCK.contains(&name) {
        return;
    }
    if matches!(name, "br" | "hr" | "img") {
        if !tag.closes {
            out.push_str(whole);
        }
    } else if tag.closes {
        if let Some(i) = open.iter().rposition(|other| other == name) {
            open.truncate(i);
            out.push_str("</");
            out.push_str(name);
            out.push('>');
        } else if name == "p" {
            out.push_str("<p>");
        }
    } else {
        // A paragraph or a row ends where the next begins.
        if matches!(name, "p" | "li" | "td" | "th" | "tr" | "dt" | "dd")
            && open.last().is_some_and(|last| last == name)
        {
            open.pop();
        }
        if open.len() >= DEPTH_MAX {
            return;
        }
        open.push(name.to_owned());
        // Formatting that is left open comes again in every paragraph, unless it is the same.
        if matches!(name, "a" | "td" | "th") {
            out.push_str(whole);
        } else {
            out.push('<');
            out.push_str(name);
            out.push('>');
        }
    }
}

/// A picture without an address on the web, or of one pixel.
fn shows_nothing(img: &str) -> bool {
    let pixel = |side: &str| ["0", "1"].iter().any(|n| img.contains(&format!(" {side}=\"{n}\"")));
    !(img.contains(" src=\"http://") || img.contains(" src=\"https://"))
        || pixel("width")
        || pixel("height")
}

#[cfg(test)]
mod tests;
