//! `[[feed]]`: the sources that are polled.

use crate::config::access::access;
use crate::config::problem::Found;
use crate::config::problem::Span;
use crate::config::reference::Known;
use crate::config::reference::once;
use crate::config::table::Row;
use crate::crontab::Crontab;
use crate::model::address::surely;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::feed::FeedKind;
use crate::model::feed::Republish;
use crate::model::feed::TaggingEntity;
use crate::model::id::CommunityId;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::place::Catalogue;
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::path::Path;

/// What holds for a feed that says nothing else.
#[derive(Debug)]
pub(crate) struct Defaults<'a> {
    pub(crate) schedule: Crontab,
    pub(crate) timezone: Tz,
    pub(crate) republish: Republish,
    pub(crate) tagging: &'a TaggingEntity,
    /// The folder of feeds.toml.
    pub(crate) folder: &'a Path,
}

/// What a feed may name.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) regions: &'a Known,
    pub(crate) communities: &'a Known,
    pub(crate) tags: &'a Known,
}

/// The feeds, by id.
pub(crate) fn feeds(
    rows: &[Row],
    places: &Places<'_>,
    defaults: &Defaults<'_>,
    found: &mut Found,
) -> BTreeMap<FeedId, Feed> {
    let mut ids = BTreeMap::new();
    let mut addresses = BTreeMap::new();
    let mut feeds = BTreeMap::new();
    for row in rows {
        if let Some(id) = row.spanned_text("id") {
            once(&mut ids, "feeds", &id, found);
        }
        if let Some(address) = row.address("url") {
            once_polled(&mut addresses, &address, row.span("url"), found);
        }
        if let Some(feed) = feed(row, places, defaults, found) {
            feeds.insert(feed.id.clone(), feed);
        }
    }
    feeds
}

/// In which line the address of each feed is.
pub(crate) fn addresses(rows: &[Row], text: &str) -> BTreeMap<FeedId, usize> {
    let line = |row: &Row| {
        let before = text.get(..row.span("url").start)?;
        Some((FeedId::new(&row.text("id")?).ok()?, before.matches('\n').count() + 1))
    };
    rows.iter().filter_map(line).collect()
}

/// The word of `republish` and what it means.
pub(crate) fn republish(row: &Row) -> Option<Republish> {
    row.text("republish").map(|word| match word.as_str() {
        "link" => Republish::Link,
        "summary" => Republish::Summary,
        _ => Republish::Full,
    })
}

/// Every problem of a feed is noted, whether or not enough of it is right to make one.
fn feed(
    row: &Row,
    places: &Places<'_>,
    defaults: &Defaults<'_>,
    found: &mut Found,
) -> Option<Feed> {
    let (region, community) = place(row, places, found);
    let access = access(row, defaults.folder, found);
    let tags = places.tags.find_all(&row.texts("tags"), found);
    let address = match row.address("url")? {
        Address::File(path) => Address::File(defaults.folder.join(path)),
        Address::Http(url) => Address::Http(url),
    };
    Some(Feed {
        id: FeedId::new(&row.text("id")?).ok()?,
        title: row.text("title")?,
        address,
        kind: match row.text("kind").as_deref() {
            Some("partner") => FeedKind::Partner,
            _ => FeedKind::Municipal,
        },
        region,
        community,
        tags,
        schedule: row.schedule("schedule").unwrap_or_else(|| defaults.schedule.clone()),
        timezone: row.zone("timezone").unwrap_or(defaults.timezone),
        language: row.text("language"),
        enabled: row.flag("enabled").unwrap_or(true),
        unites: row.flag("unite").unwrap_or(true),
        republish: republish(row).unwrap_or(defaults.republish),
        ignore_hints: row.flag("ignore_hints").unwrap_or(false),
        access,
        tagging: defaults.tagging.clone(),
    })
}

/// The region and the community, which must lie in it.
fn place(
    row: &Row,
    places: &Places<'_>,
    found: &mut Found,
) -> (Option<RegionId>, Option<CommunityId>) {
    let region: Option<RegionId> =
        row.spanned_text("region").and_then(|given| places.regions.find(&given, found));
    let community: Option<CommunityId> =
        row.spanned_text("community").and_then(|given| places.communities.find(&given, found));
    let around = community.as_ref().and_then(|id| places.catalogue.communities.get(id));
    let around = around.map(|community| community.region.clone());
    match (&region, &around, &community) {
        (Some(region), Some(around), Some(community)) if region != around => found.add_pair(
            format!("`{community}` does not lie in `{region}`"),
            (row.span("region"), format!("write `{around}`, or leave it out")),
            (row.span("community"), format!("lies in `{around}`")),
        ),
        _ => {}
    }
    (region.or(around), community)
}

fn once_polled(
    seen: &mut BTreeMap<String, Span>,
    address: &Address,
    span: Span,
    found: &mut Found,
) {
    let key = match address {
        Address::Http(url) => surely(url),
        Address::File(_) => address.to_string(),
    };
    match seen.get(&key) {
        Some(first) => found.add_pair(
            "two feeds have the same address",
            (span, "leave out one of the feeds"),
            (first.clone(), "the first"),
        ),
        None => {
            seen.insert(key, span);
        }
    }
}
