//! The events of a site as a feed, for its admins' own readers.
//!
//! # An end is an entry of its own
//! Most readers show an entry once: one that is changed after it was read stays read, and whoever
//! was told that a source is down would never hear that it is back. So the end of an event is told by
//! an entry of its own. What begins again soon is the same event, and a new entry for the same
//! reason: the number of the beginning is in the ids. The entries of its last beginning leave the
//! document, so that a source that comes and goes has two entries at most; and from the third
//! beginning on an end is told only after hours, so that a reader gets no more than one more entry
//! each six hours.

use crate::model::event::Event;
use crate::model::publication::Site;
use crate::publish::atom::ATOM;
use crate::publish::atom::HTML;
use crate::publish::atom::generator;
use crate::publish::atom::language;
use crate::publish::atom::link;
use crate::publish::atom::local;
use crate::publish::atom::named;
use crate::publish::atom::text;
use crate::publish::atom::written;
use crate::publish::xml_text;
use atom_syndication::Category;
use atom_syndication::Content;
use atom_syndication::Entry;
use atom_syndication::Feed;
use atom_syndication::Person;
use chrono::DateTime;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;

/// How many entries the document has at most.
pub const ENTRIES_MAX: usize = 100;
/// In which language admins are told.
const LANGUAGE: &str = "en";

/// What is told at a time: that an event began, or that it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    id: String,
    title: String,
    text: String,
    published: DateTime<Utc>,
    updated: DateTime<Utc>,
    kind: &'static str,
    feed: Option<String>,
}

/// The events as Atom. `address` is where the document is.
#[must_use]
pub fn events(site: &Site, address: &str, events: &[&Event]) -> Vec<u8> {
    let lines = lines(site, events);
    let updated = lines.first().map_or_else(|| site.tagging.start(), |line| line.updated);
    let feed = Feed {
        title: text(&title(site), None),
        id: site.tagging.mint("/admin/events"),
        updated: local(updated, site.timezone),
        authors: vec![Person { name: named(&site.title, "Visnyk"), ..Person::default() }],
        generator: Some(generator()),
        links: vec![
            link("self", address, Some(ATOM)),
            link("alternate", site.address.as_str(), Some(HTML)),
        ],
        entries: lines.into_iter().map(|line| entry(site, line)).collect(),
        lang: language(LANGUAGE),
        ..Feed::default()
    };
    written(&feed)
}

/// The events as JSON Feed 1.1.
#[must_use]
pub fn events_json(site: &Site, address: &str, events: &[&Event]) -> Vec<u8> {
    let item = |line: Line| {
        json!({
            "id": line.id,
            "title": line.title,
            "content_text": line.text,
            "date_published": line.published.to_rfc3339(),
            "date_modified": line.updated.to_rfc3339(),
            "tags": [line.kind],
        })
    };
    let items: Vec<Value> = lines(site, events).into_iter().map(item).collect();
    let feed = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": title(site),
        "feed_url": address,
        "home_page_url": site.address.as_str(),
        "language": LANGUAGE,
        "items": items,
    });
    feed.to_string().into_bytes()
}

fn title(site: &Site) -> String {
    format!("{}: events for its admins", site.title)
}

/// What is told, the newest first.
fn lines(site: &Site, events: &[&Event]) -> Vec<Line> {
    let mut lines: Vec<Line> = events.iter().flat_map(|event| of_event(site, event)).collect();
    lines.sort_by(|a, b| (b.updated, &b.id).cmp(&(a.updated, &a.id)));
    lines.truncate(ENTRIES_MAX);
    lines
}

fn of_event(site: &Site, event: &Event) -> impl Iterator<Item = Line> {
    let beginning = event.openings.max(1);
    let id = site.tagging.mint(&format!("/admin/events/{}/{beginning}", event.key()));
    let feed = event.feed.as_ref().map(ToString::to_string);
    let about = feed.as_ref().map(|feed| format!(" ({feed})")).unwrap_or_default();
    let name = format!("{}{about}", event.name);
    let began = Line {
        title: event.title(),
        text: format!("{name} {}.\n\nWhat to do: {}.", event.what, event.cure),
        published: if beginning == 1 { event.opened } else { event.updated },
        updated: event.updated,
        kind: event.kind.word(),
        feed: feed.clone(),
        id: id.clone(),
    };
    let ended = event.closed.map(|closed| Line {
        title: event.end_title(),
        text: format!("{name}. {}.", event.end),
        published: closed,
        updated: closed,
        kind: event.kind.word(),
        feed,
        id: format!("{id}/end"),
    });
    std::iter::once(began).chain(ended)
}

fn entry(site: &Site, line: Line) -> Entry {
    let category =
        |term: &str| Category { term: xml_text(term).into_owned(), scheme: None, label: None };
    Entry {
        title: text(&line.title, None),
        id: line.id,
        updated: local(line.updated, site.timezone),
        published: Some(local(line.published, site.timezone)),
        categories: [line.kind].into_iter().chain(line.feed.as_deref()).map(category).collect(),
        // RFC 4287, 4.1.1: what has content needs no page.
        content: Some(Content {
            value: Some(xml_text(&line.text).into_owned()),
            content_type: Some("text".to_owned()),
            ..Content::default()
        }),
        ..Entry::default()
    }
}
