//! feed-rs, and what it gives joined with what the guard kept beside it.
//!
//! feed-rs is named nowhere else. Its ids, dates and sanitiser are not used: an id that is missing
//! stays missing, dates stay text until the feed's time zone is known, and all HTML is cleaned in
//! one place later.

use crate::model::entry::Category;
use crate::model::entry::Charset;
use crate::model::entry::Entry;
use crate::model::entry::Format;
use crate::model::entry::ParsedFeed;
use crate::model::entry::Text;
use crate::model::entry::TextKind;
use crate::parse::ParseError;
use crate::parse::draft::Side;
use crate::parse::guard::Guarded;
use crate::parse::shown;
use feed_rs::model;
use feed_rs::parser::Builder;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use url::Url;

/// The entries of a document that the guard has rewritten.
pub(super) fn read(guarded: Guarded, base: Option<&Url>) -> Result<ParsedFeed, ParseError> {
    let Guarded { format, text, feed: side, entries: mut sides } = guarded;
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        // One for each document: a parser that has failed once panics when it is used again.
        let parser = Builder::new()
            .base_uri(base.map(Url::as_str))
            .sanitize_content(false)
            .timestamp_parser(|_| None)
            .id_generator(|_, _, _| String::new())
            .build();
        parser.parse(text.as_bytes())
    }));
    let parsed = match parsed {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(error)) => return Err(ParseError::Panicked { problem: shown(&error.to_string()) }),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            return Err(ParseError::Panicked { problem: shown(said.unwrap_or("a panic")) });
        }
    };
    let mut entries = Vec::with_capacity(sides.len());
    for entry in parsed.entries {
        let place: Option<usize> = entry.id.parse().ok();
        if let Some(side) = place.and_then(|place| sides.get_mut(place)) {
            entries.push(join(entry, std::mem::take(side), format));
        }
    }
    let (link, _) = links(parsed.links);
    Ok(ParsedFeed {
        format,
        charset: Charset::default(),
        hub: side.hub,
        id: side.id,
        title: parsed.title.and_then(|title| text_of(&title, format)),
        link,
        language: side.language,
        rights: side.rights,
        icon: side.icon,
        updated: side.updated.or(side.published),
        authors: side.authors,
        rhythm: side.hints.rhythm(),
        entries,
        repairs: Vec::new(),
        is_broken_off: false,
    })
}

fn join(entry: model::Entry, side: Side, format: Format) -> Entry {
    let point = side.point();
    let (link, mut related_links) = links(entry.links);
    related_links.extend(side.related_links);
    let content = entry.content.and_then(|content| {
        let is_plain = content.content_type.essence().to_string() == "text/plain";
        let kind = if is_plain { TextKind::Plain } else { TextKind::Html };
        content.body.map(|value| Text { value, kind })
    });
    let summary = entry.summary.map(|summary| {
        let is_plain = format == Format::Atom && is_plain(&summary);
        let kind = if is_plain { TextKind::Plain } else { TextKind::Html };
        Text { value: summary.content, kind }
    });
    let categories = entry.categories.into_iter().map(|category| Category {
        term: category.term.trim().to_owned(),
        scheme: category.scheme,
        label: category.label,
    });
    let link = link.or_else(|| {
        // The address of an RDF item is its name (RSS 1.0, 5.5).
        let about = side.id.clone().filter(|_| format == Format::Rdf);
        about.filter(|about| about.starts_with("http://") || about.starts_with("https://"))
    });
    Entry {
        id: side.id,
        id_is_permalink: side.id_is_permalink,
        title: entry.title.and_then(|title| text_of(&title, format)),
        summary,
        content,
        link,
        related_links,
        published: side.published,
        updated: side.updated,
        authors: side.authors,
        categories: categories.chain(side.subjects).collect(),
        media: side.media,
        source: side.source,
        language: side.language,
        rights: side.rights,
        views: side.views,
        point,
        base: side.base,
    }
}

/// The page, and the other pages on the same.
fn links(links: Vec<model::Link>) -> (Option<String>, Vec<String>) {
    let mut page = None;
    let mut related = Vec::new();
    for link in links {
        match link.rel.as_deref() {
            None | Some("alternate") if page.is_none() => page = Some(link.href),
            Some("via" | "related") => related.push(link.href),
            _ => {}
        }
    }
    (page, related)
}

fn is_plain(text: &model::Text) -> bool {
    text.content_type.essence().to_string() == "text/plain"
}

fn text_of(text: &model::Text, format: Format) -> Option<Text> {
    let kind = match format {
        Format::Atom if is_plain(text) => TextKind::Plain,
        Format::Atom => TextKind::Html,
        _ => TextKind::Unsaid,
    };
    let value = text.content.trim().to_owned();
    (!value.is_empty()).then_some(Text { value, kind })
}
