//! Changes to the text of a feeds.toml: a feed more, a feed less, a feed switched off or on. Every
//! byte that the change is not about stays as it is.
//!
//! # How
//! `toml_edit` tells where each table and value stands, and writes what is new; the text itself is
//! cut and joined there. So comments, order, alignment and line ends cannot be lost on the way.
//!
//! # Whose a comment is
//! Comments directly above a table, without an empty line between, belong to it, and so do those
//! directly below its last key. Above all, a line of dashes makes them a heading of a section,
//! which stays whatever goes.
//!
//! Never here: whether the result means anything. That is for `config` to say, before it is
//! written.

pub mod layout;

use crate::edit::layout::Block;
use crate::edit::layout::Layout;
use crate::edit::layout::line_of;
use crate::edit::layout::without_item;
use crate::model::address::likely;
use std::ops::Range;
use toml_edit::Array;
use toml_edit::ArrayOfTables;
use toml_edit::DocumentMut;
use toml_edit::Item;
use toml_edit::Table;
use toml_edit::value;
use url::Url;

/// The tables that name feeds, in their lists `feeds`.
const NAMING: [&str; 2] = ["publication", "rule"];

/// A feed that is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewFeed {
    /// Its id.
    pub id: String,
    /// The name that readers see.
    pub title: String,
    /// Where its document is.
    pub url: String,
    /// Who speaks in it, if it is not a municipality.
    pub kind: Option<String>,
    /// The region that all its articles belong to.
    pub region: Option<String>,
    /// The community that all its articles belong to.
    pub community: Option<String>,
    /// The tags that all its articles bear.
    pub tags: Vec<String>,
    /// When to poll it, if not as all others.
    pub schedule: Option<String>,
    /// Its language, if its documents do not say.
    pub language: Option<String>,
    /// Its time zone, if it is not the site's.
    pub timezone: Option<String>,
    /// Whether it may lie at a private address.
    pub reach: Reach,
    /// Whether it is polled.
    pub switch: Switch,
}

/// From where a new feed may be fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// From public addresses.
    #[default]
    Public,
    /// From private ones too.
    Private,
}

/// Whether a feed is polled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

/// A feed as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its id.
    pub id: String,
    /// Its address, as it stands there.
    pub url: String,
    /// The line of its `[[feed]]`, from 1.
    pub line: usize,
}

/// A place that named a feed which was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Such as ``publication `sister-cities` ``.
    pub by: String,
    /// The line of the list, from 1.
    pub line: usize,
}

/// Why a text cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is not TOML.
    #[error("it is not TOML: {0}")]
    NotToml(String),
    /// It has no such feed.
    #[error("no feed `{0}` is in it")]
    Unknown(String),
    /// The feeds stand in a list.
    #[error("line {0} has the feeds in a list: write each as a table `[[feed]]`")]
    NotTables(usize),
    /// A list would be empty without the feed, which would mean something else.
    #[error(
        "line {line}: {by} is about the feed `{feed}` only: take that table out first, or name other feeds in it"
    )]
    NamedAlone {
        /// The feed.
        feed: String,
        /// The table that names it.
        by: String,
        /// The line of the list.
        line: usize,
    },
}

/// The feeds of a text, in their order.
///
/// # Errors
/// The text is not TOML, or has its feeds in a list.
pub fn feeds(text: &str) -> Result<Vec<Written>, EditError> {
    let layout = Layout::of(text)?;
    let blocks = layout.blocks("feed")?;
    let written = |block: &Block| Written {
        id: block.text("id").unwrap_or_default().to_owned(),
        url: block.text("url").unwrap_or_default().to_owned(),
        line: line_of(text, block.header),
    };
    Ok(blocks.iter().map(written).collect())
}

/// By what two addresses are seen to be likely one.
#[must_use]
pub fn address_key(address: &str) -> String {
    Url::parse(address).map_or_else(|_| address.to_owned(), |url| likely(&url))
}

/// The text with some feeds more, after its last one; and the line at which the first begins.
///
/// # Errors
/// As [`feeds`].
pub fn with_feeds(text: &str, new: &[NewFeed]) -> Result<(String, usize), EditError> {
    let layout = Layout::of(text)?;
    let last = layout.blocks("feed")?.into_iter().max_by_key(|block| block.header);
    let place = last.map_or_else(|| text.trim_end().len(), |last| last.end);
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (before, after) = text.split_at(place);
    // Where no feed is, the place is before the end of a line.
    let (before, after) = match after.find('\n') {
        Some(end) if !before.is_empty() && !before.ends_with('\n') => {
            text.split_at(place + end + 1)
        }
        _ => (before, after),
    };
    let tables: Vec<String> = new.iter().map(|new| table(new).replace('\n', line_end)).collect();
    let mut tables = tables.join(line_end);
    let mut lead = String::new();
    if !before.is_empty() {
        lead.push_str(line_end);
        if !before.ends_with('\n') {
            lead.push_str(line_end);
            // The file ends without a line end, and goes on doing so.
            tables.truncate(tables.trim_end().len());
        }
    }
    let line = line_of(before, before.len()) + lead.matches('\n').count();
    Ok((format!("{before}{lead}{tables}{after}"), line))
}

/// The text without a feed, and the places that named it, which do so no more.
///
/// # Errors
/// As [`feeds`]; there is no such feed; or a list would be empty without it.
pub fn without_feed(text: &str, id: &str) -> Result<(String, Vec<Named>), EditError> {
    let mut text = text.to_owned();
    let mut named = Vec::new();
    find(&Layout::of(&text)?, id)?;
    while let Some((list, item, by)) = mention(&Layout::of(&text)?, id)? {
        let line = line_of(&text, list[item].start);
        if list.len() == 1 {
            return Err(EditError::NamedAlone { feed: id.to_owned(), by, line });
        }
        text = without_item(&text, &list, item);
        named.push(Named { by, line });
    }
    let layout = Layout::of(&text)?;
    let block = find(&layout, id)?;
    let mut cut = block.start..block.end;
    let is_blank = |line: &str| !line.is_empty() && line.trim().is_empty();
    let line_before = text[..cut.start].split_inclusive('\n').next_back().unwrap_or_default();
    let line_after = text[cut.end..].split_inclusive('\n').next().unwrap_or_default();
    if is_blank(line_before) {
        cut.start -= line_before.len();
    } else if cut.start == 0 && is_blank(line_after) && !text[cut.end..].trim().is_empty() {
        cut.end += line_after.len();
    }
    if cut.end == text.len() && !text.ends_with('\n') {
        // The file ends without a line end, and goes on doing so.
        let before = &text[..cut.start];
        let before = before.strip_suffix('\n').unwrap_or(before);
        cut.start = before.strip_suffix('\r').unwrap_or(before).len();
    }
    text.replace_range(cut, "");
    Ok((text, named))
}

/// The text with a feed switched on or off; none if it is so already.
///
/// # Errors
/// As [`feeds`], or there is no such feed.
pub fn switched(text: &str, id: &str, switch: Switch) -> Result<Option<String>, EditError> {
    let layout = Layout::of(text)?;
    let block = find(&layout, id)?;
    let given = block.value("enabled").and_then(|item| Some((item.as_bool()?, item.span()?)));
    let mut text = text.to_owned();
    match (given, switch) {
        (None | Some((true, _)), Switch::On) | (Some((false, _)), Switch::Off) => return Ok(None),
        (Some((true, span)), Switch::Off) => text.replace_range(span, "false"),
        (None, Switch::Off) => {
            let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let line = if text[..block.last].ends_with('\n') {
                format!("enabled = false{line_end}")
            } else {
                format!("{line_end}enabled = false")
            };
            text.insert_str(block.last, &line);
        }
        (Some((false, span)), Switch::On) => {
            let line = whole_line(&text, &span);
            // What was written by `Off` goes; what somebody has said more of stays.
            let is_bare = text[line.clone()].trim() == "enabled = false";
            if is_bare && text[line.clone()].ends_with('\n') {
                text.replace_range(line, "");
            } else {
                text.replace_range(span, "true");
            }
        }
    }
    Ok(Some(text))
}

/// A feed as a table of feeds.toml.
#[must_use]
pub fn table(new: &NewFeed) -> String {
    let text = |given: &Option<String>| given.as_ref().map(value);
    let flag = |said: bool, is_to_be_said: bool| is_to_be_said.then(|| value(said));
    let tags: Array = new.tags.iter().collect();
    let keys = [
        ("id", Some(value(&new.id))),
        ("title", Some(value(&new.title))),
        ("url", Some(value(&new.url))),
        ("kind", text(&new.kind)),
        ("region", text(&new.region)),
        ("community", text(&new.community)),
        ("tags", (!tags.is_empty()).then(|| value(tags))),
        ("schedule", text(&new.schedule)),
        ("language", text(&new.language)),
        ("timezone", text(&new.timezone)),
        ("enabled", flag(false, new.switch == Switch::Off)),
        ("allow_private", flag(true, new.reach == Reach::Private)),
    ];
    let mut table = Table::new();
    for (key, given) in keys {
        if let Some(given) = given {
            table.insert(key, given);
        }
    }
    let mut document = DocumentMut::new();
    let mut tables = ArrayOfTables::new();
    tables.push(table);
    document.insert("feed", Item::ArrayOfTables(tables));
    document.to_string()
}

fn find<'a>(layout: &'a Layout<'_>, id: &str) -> Result<Block<'a>, EditError> {
    let block = layout.blocks("feed")?.into_iter().find(|block| block.text("id") == Some(id));
    block.ok_or_else(|| EditError::Unknown(id.to_owned()))
}

/// A list that names a feed: the places of its items, which of them it is, and whose list.
type Mention = (Vec<Range<usize>>, usize, String);

fn mention(layout: &Layout<'_>, id: &str) -> Result<Option<Mention>, EditError> {
    for table in NAMING {
        for block in layout.blocks(table)? {
            let Some(list) = block.value("feeds").and_then(Item::as_array) else { continue };
            let Some(item) = list.iter().position(|one| one.as_str() == Some(id)) else { continue };
            let places = list.iter().filter_map(toml_edit::Value::span).collect();
            let by = format!("{table} `{}`", block.text("id").unwrap_or_default());
            return Ok(Some((places, item, by)));
        }
    }
    Ok(None)
}

/// The line that a place lies in, with its end.
fn whole_line(text: &str, place: &Range<usize>) -> Range<usize> {
    let start = text[..place.start].rfind('\n').map_or(0, |end| end + 1);
    let end = text[place.end..].find('\n').map_or(text.len(), |end| place.end + end + 1);
    start..end
}
