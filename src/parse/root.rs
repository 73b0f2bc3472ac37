//! Where the root of a feed is: what stands before it, and what stands in its place.

use crate::model::entry::Format;
use crate::parse::ParseError;
use crate::parse::page::instead_of_a_feed;
use crate::parse::shown;
use url::Url;

/// How many tags and declarations may stand before the root.
const TAGS_BEFORE_MAX: usize = 10_000;

/// Where the root of a feed begins, and of what format it is. `address` is where it was found.
pub(super) fn find(text: &str, address: Option<&Url>) -> Result<(usize, Format), ParseError> {
    let mut first_name = None;
    let mut position = 0;
    let mut tags = 0;
    while let Some(found) = text[position..].find('<') {
        let start = position + found;
        let rest = &text[start + 1..];
        if tags == TAGS_BEFORE_MAX {
            break;
        }
        tags += 1;
        if let Some(comment) = rest.strip_prefix("!--") {
            let Some(length) = comment.find("-->") else { break };
            position = start + 1 + 3 + length;
            continue;
        }
        position = start + 1;
        let is_end = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '>' | '/' | '<') && c != '!'
        };
        let name: String = rest.chars().take(64).take_while(|c| !is_end(*c)).collect();
        let local = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
        match local.as_str() {
            "rss" | "channel" => return Ok((start, Format::Rss)),
            "rdf" => return Ok((start, Format::Rdf)),
            "feed" | "entry" => return Ok((start, Format::Atom)),
            "html" => return Err(instead_of_a_feed(text, address)),
            "!doctype" => {
                let kind = rest[name.len()..].trim_start();
                if kind.get(..4).is_some_and(|kind| kind.eq_ignore_ascii_case("html")) {
                    return Err(instead_of_a_feed(text, address));
                }
            }
            _ if first_name.is_none() && local.starts_with(|c: char| c.is_alphabetic()) => {
                first_name = Some(name);
            }
            _ => {}
        }
    }
    Err(match first_name {
        Some(root) if is_html(&root) => instead_of_a_feed(text, address),
        Some(root) if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') => {
            ParseError::UnknownRoot { root: format!("<{root}>") }
        }
        _ => ParseError::NotAFeed { start: shown(text) },
    })
}

fn is_html(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "head"
            | "body"
            | "title"
            | "meta"
            | "div"
            | "p"
            | "br"
            | "b"
            | "center"
            | "h1"
            | "script"
            | "table"
            | "font"
    )
}
