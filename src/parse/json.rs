//! JSON Feed 1.0 and 1.1, read leniently: ids may be numbers, anything may be missing, and a
//! value of another kind than it should be is passed over rather than the feed lost.

use crate::model::entry::Category;
use crate::model::entry::Charset;
use crate::model::entry::Entry;
use crate::model::entry::Format;
use crate::model::entry::Media;
use crate::model::entry::MediaRole;
use crate::model::entry::ParsedFeed;
use crate::model::entry::Person;
use crate::model::entry::Text;
use crate::model::entry::TextKind;
use crate::model::rhythm::Rhythm;
use crate::model::xml;
use crate::parse::ENTRIES_MAX;
use crate::parse::ParseError;
use crate::parse::Repairs;
use crate::parse::field;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::IgnoredAny;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Value;
use std::fmt;
use url::Url;

/// How many attachments, authors or tags of an entry are read.
const LIST_MAX: usize = 64;

/// The document itself; what is not named is not kept.
#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    version: Value,
    #[serde(default)]
    title: Value,
    #[serde(default)]
    home_page_url: Value,
    #[serde(default)]
    feed_url: Value,
    #[serde(default)]
    favicon: Value,
    #[serde(default)]
    language: Value,
    #[serde(default)]
    author: Value,
    #[serde(default)]
    authors: Value,
    #[serde(default)]
    hubs: Value,
    items: Option<Items>,
}

/// The first items, and how many there are.
struct Items {
    kept: Vec<Value>,
    seen: usize,
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items, A::Error> {
        let mut items = Items { kept: Vec::new(), seen: 0 };
        while items.kept.len() < ENTRIES_MAX {
            let Some(item) = list.next_element()? else {
                items.seen = items.kept.len();
                return Ok(items);
            };
            items.kept.push(item);
        }
        items.seen = items.kept.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            items.seen += 1;
        }
        Ok(items)
    }
}

/// What can be read of a document that breaks off or has a mistake: what it says of itself before
/// its items, and the items before the mistake. None if there is no such item.
fn salvaged(text: &str) -> Option<Raw> {
    let (head, rest) = text.split_once("\"items\"")?;
    let mut rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('[')?;
    let mut kept = Vec::new();
    while kept.len() < ENTRIES_MAX {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let Some(Ok(item)) = stream.next() else { break };
        kept.push(item);
        rest = &rest[stream.byte_offset()..];
    }
    if kept.is_empty() {
        return None;
    }
    let head = format!("{}}}", head.trim_end().trim_end_matches(','));
    let head = serde_json::from_str(&head).or_else(|_| serde_json::from_str("{}"));
    let seen = kept.len();
    head.ok().map(|head| Raw { items: Some(Items { kept, seen }), ..head })
}

/// The entries of a JSON Feed.
pub(super) fn read(
    text: &str,
    base: Option<&Url>,
    repairs: &mut Repairs,
) -> Result<ParsedFeed, ParseError> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Raw>();
    let raw = match stream.next() {
        Some(Ok(raw)) => {
            if !text[stream.byte_offset()..].trim().is_empty() {
                repairs.note_rest();
            }
            raw
        }
        Some(Err(error)) => {
            let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
            let position = lines.map(str::len).sum::<usize>() + error.column();
            let problem = error.to_string();
            let Some(raw) = salvaged(text) else {
                return Err(ParseError::Broken { position, problem });
            };
            let kept = raw.items.as_ref().map_or(0, |items| items.kept.len());
            repairs.note_cut(position, &problem, kept);
            raw
        }
        None => return Err(ParseError::Empty),
    };
    if raw.items.is_none()
        && said(&raw.version).is_none_or(|version| !version.contains("jsonfeed.org"))
    {
        return Err(ParseError::UnknownRoot { root: "a JSON object without `items`".to_owned() });
    }
    if raw.version.is_null() {
        repairs.note("a JSON Feed without `version` was read as 1.1");
    }
    let items = raw.items.unwrap_or(Items { kept: Vec::new(), seen: 0 });
    repairs.note_entries(items.seen);
    let mut entries = Vec::with_capacity(items.kept.len());
    for item in &items.kept {
        if item.is_object() {
            entries.push(entry(item, base));
        } else {
            repairs.note("an item that is not an object was left out");
        }
    }
    if entries.is_empty() && !items.kept.is_empty() {
        let problem = "no item is an object".to_owned();
        return Err(ParseError::Broken { position: 0, problem });
    }
    let address = |value: &Value| said(value).map(|url| field::absolute(&url, base));
    Ok(ParsedFeed {
        format: Format::Json,
        charset: Charset::default(),
        hub: raw.hubs.get(0).and_then(|hub| address(&hub["url"])),
        id: address(&raw.feed_url),
        title: said(&raw.title).map(|value| Text { value, kind: TextKind::Plain }),
        link: address(&raw.home_page_url),
        language: said(&raw.language),
        rights: None,
        icon: address(&raw.favicon),
        updated: None,
        rhythm: Rhythm::default(),
        authors: persons(&raw.authors, &raw.author),
        entries,
        is_broken_off: false,
        repairs: Vec::new(),
    })
}

fn entry(item: &Value, base: Option<&Url>) -> Entry {
    let text = |name: &str, kind| said(&item[name]).map(|value| Text { value, kind });
    let address = |name: &str| said(&item[name]).map(|url| field::absolute(&url, base));
    let tags = item["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let terms = tags.iter().take(LIST_MAX).filter_map(said);
    let image = |name: &str| {
        let url = address(name)?;
        Some(Media { role: MediaRole::Content, url, ..Media::default() })
    };
    let attachments = item["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let attached = attachments.iter().take(LIST_MAX).filter_map(|attachment| {
        Some(Media {
            url: field::absolute(&said(&attachment["url"])?, base),
            mime: said(&attachment["mime_type"]),
            length: said(&attachment["size_in_bytes"]).and_then(|size| size.parse().ok()),
            title: said(&attachment["title"]),
            ..Media::default()
        })
    });
    let images = [image("image"), image("banner_image")].into_iter().flatten();
    Entry {
        id: said(&item["id"]),
        title: text("title", TextKind::Plain),
        summary: text("summary", TextKind::Plain),
        content: text("content_html", TextKind::Html).or(text("content_text", TextKind::Plain)),
        link: address("url"),
        related_links: address("external_url").into_iter().collect(),
        published: said(&item["date_published"]),
        updated: said(&item["date_modified"]),
        authors: persons(&item["authors"], &item["author"]),
        categories: terms.map(|term| Category { term, scheme: None, label: None }).collect(),
        media: images.chain(attached).collect(),
        language: said(&item["language"]),
        base: base.cloned(),
        ..Entry::default()
    }
}

/// The text of a string or number that says something.
fn said(value: &Value) -> Option<String> {
    let mut text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    text.retain(xml::is_char);
    (!text.is_empty()).then_some(text)
}

/// `authors` of JSON Feed 1.1, or the one `author` of 1.0.
fn persons(authors: &Value, author: &Value) -> Vec<Person> {
    let list = authors.as_array().map_or(std::slice::from_ref(author), Vec::as_slice);
    let persons = list.iter().take(LIST_MAX).filter_map(|author| {
        let name = said(&author["name"]).or(said(author));
        let url = said(&author["url"]);
        (name.is_some() || url.is_some()).then_some(Person { name, email: None, url })
    });
    persons.collect()
}
