//! feeds.toml to checked values, or every problem with its line.
//!
//! # How
//! `keys` declares which tables and keys there are; `table` and `shape` read a document by it
//! and note what does not fit; `site`, `labels`, `feeds`, `rules` and `publications` make values of
//! the rows and note what does not fit together; `problem` shows what was noted. Nothing stops at
//! the first mistake, except where the text is not TOML at all.
//!
//! Never here: whether a feed can be reached, or a file be read. That is for the poll to find.

pub mod difference;
pub mod keys;
pub mod problem;

mod access;
mod admin;
mod feeds;
mod labels;
mod nearest;
mod publications;
mod reference;
mod rules;
pub(crate) mod shape;
mod site;
mod table;

use crate::config::feeds::Defaults;
use crate::config::feeds::Places;
use crate::config::problem::Found;
use crate::config::problem::Problems;
use crate::config::reference::Known;
use crate::config::table::Row;

use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::id::TagId;
use crate::model::publication::Publication;
use crate::model::publication::Site;
use crate::model::publication::Tag;
use crate::model::rule::Rule;
use crate::place::Catalogue;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeTable;
use url::Url;

/// The longest feeds.toml that is read.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A feeds.toml without a mistake.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The site that publishes.
    pub site: Site,
    /// Where the public listener is.
    pub listen: SocketAddr,
    /// How feeds are polled.
    pub polling: Polling,
    /// How publications are made.
    pub publishing: Publishing,
    /// Where admins are answered, and how they are told.
    pub admin: Admin,
    /// Regions and communities: the built-in ones and those of feeds.toml.
    pub catalogue: Catalogue,
    /// Topics.
    pub tags: BTreeMap<TagId, Tag>,
    /// What is done with articles that fit, in the order of the file.
    pub rules: Vec<Rule>,
    /// Articles that are never one with another, whatever they have in common.
    pub apart: BTreeSet<ArticleId>,
    /// Sources, those that are not enabled too.
    pub feeds: BTreeMap<FeedId, Feed>,
    /// In which line of the file the address of each feed is.
    pub addresses: Lines,
    /// What the admin composed, in the order of the file.
    pub publications: Vec<Publication>,
    /// The files beside feeds.toml that it was read from.
    pub files: Vec<PathBuf>,
}

/// In which line of the file something of each feed is. A line that moves changes nothing of what
/// the file means: all are equal.
#[derive(Debug, Clone, Default)]
pub struct Lines(pub BTreeMap<FeedId, usize>);

impl PartialEq for Lines {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Lines {}

/// How feeds are polled.
#[derive(Debug, Clone, PartialEq)]
pub struct Polling {
    /// How many polls run at once.
    pub concurrency: usize,
    /// How many requests to one host, and to one address, run at once.
    pub per_host: usize,
    /// How long a host and an address are left alone between two requests.
    pub host_pause: Duration,
    /// Through which proxy feeds are fetched that name none.
    pub proxy: Option<Url>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a poll may take in all.
    pub timeout: Duration,
    /// How large a body may be after decompression, in bytes.
    pub body_bytes_max: u64,
}

/// How publications are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Publishing {
    /// How many articles a document holds: the newest.
    pub entries: usize,
}

/// Where admins are answered, and how they are told without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Where the events and the metrics are; nowhere without it.
    pub listen: Option<SocketAddr>,
    /// Where each event is sent to.
    pub webhook: Option<Url>,
    /// The program, and its arguments, that gets each event; empty if there is none.
    pub command: Vec<String>,
    /// With less room on the store's disk, in bytes, there is an event.
    pub disk_free_bytes_min: u64,
}

/// Reads a feeds.toml. Files that it names are looked for below its folder.
///
/// # Errors
/// Everything that is wrong in it, or why it cannot be read.
pub fn read(path: &Path) -> Result<Config, Problems> {
    let file_name = path.display().to_string();
    let unreadable = |why: &str| {
        let mut found = Found::default();
        found.add_unplaced(format!("cannot read `{file_name}`: {why}"));
        found.of_file(&file_name, "")
    };
    let bytes = bytes_of(path).map_err(|error| unreadable(&error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable(&format!("it is over {} MiB", FILE_BYTES_MAX >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        unreadable(&format!("it is not UTF-8 in line {line}; save it as UTF-8"))
    })?;
    parse(&file_name, &text, path.parent().unwrap_or(Path::new("")))
}

/// Reads the text of a feeds.toml that lies in `folder`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn parse(file_name: &str, text: &str, folder: &Path) -> Result<Config, Problems> {
    let mut found = Found::default();
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        found.add(error.message(), span, "");
    }
    // What a document with such a mistake means can only be guessed.
    let config = if found.is_empty() { config(&document, text, folder, &mut found) } else { None };
    match config {
        Some(config) if found.is_empty() => Ok(config),
        _ => Err(found.of_file(file_name, text)),
    }
}

/// At most one byte more than may be.
fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::Error::other("it is a directory"));
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn config(
    document: &toml::Spanned<DeTable<'_>>,
    text: &str,
    folder: &Path,
    found: &mut Found,
) -> Option<Config> {
    let mut rows = table::rows(document.get_ref(), found);
    let site_row = rows.one(&keys::SITE);
    let site = site::site(&site_row, folder, found);
    let (polling, schedule) = site::polling(&rows.one(&keys::POLLING), found);
    let publishing_row = rows.one(&keys::PUBLISHING);
    let admin_row = rows.one(&keys::ADMIN);

    let mut catalogue = Catalogue::builtin();
    let (region_rows, community_rows) = (rows.many(&keys::REGION), rows.many(&keys::COMMUNITY));
    let [regions_off, mut communities_off] =
        labels::add_regions(&region_rows, &mut catalogue, found);
    let regions = Known::regions(catalogue.regions.values()).without(regions_off);
    communities_off.extend(labels::add_communities(
        &community_rows,
        &regions,
        &mut catalogue,
        found,
    ));
    let communities = Known::communities(catalogue.communities.values()).without(communities_off);
    let regions_named = catalogue
        .regions
        .values()
        .map(|region| (region.id.as_str(), region.name.and(&region.aliases).collect()));
    labels::clashes("regions", &region_rows, regions_named, found);
    let communities_named = catalogue
        .communities
        .values()
        .map(|community| (community.id.as_str(), community.name.and(&community.aliases).collect()));
    labels::clashes("communities", &community_rows, communities_named, found);
    let tags = labels::tags(&rows.many(&keys::TAG), found);
    let known_tags = Known::tags(tags.values());
    let places = Places {
        catalogue: &catalogue,
        regions: &regions,
        communities: &communities,
        tags: &known_tags,
    };

    let site = site?;
    let defaults = Defaults {
        schedule: schedule?,
        timezone: site.timezone,
        republish: feeds::republish(&publishing_row).unwrap_or_default(),
        tagging: &site.tagging,
        folder,
    };
    let feed_rows = rows.many(&keys::FEED);
    let feeds = feeds::feeds(&feed_rows, &places, &defaults, found);
    let known_feeds = Known::feeds(feed_rows.iter().filter_map(id_and_title).collect());
    let rules = rules::rules(&rows.many(&keys::RULE), &places, &known_feeds, text, found);
    let apart = site::apart(&publishing_row, found);
    let publication_rows = rows.many(&keys::PUBLICATION);
    let publications = publications::publications(&publication_rows, &places, &known_feeds, found);
    Some(Config {
        listen: site::listen(&site_row),
        files: site::files(&site_row, folder),
        polling,
        publishing: site::publishing(&publishing_row),
        admin: admin::admin(&admin_row, found),
        site,
        catalogue,
        tags,
        rules,
        apart,
        feeds,
        addresses: Lines(feeds::addresses(&feed_rows, text)),
        publications,
    })
}

fn id_and_title(row: &Row) -> Option<(String, Vec<String>)> {
    Some((row.text("id")?, row.text("title").into_iter().collect()))
}
