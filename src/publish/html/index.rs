//! The page on which people find the feed that they want.

use crate::model::id::RegionId;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Group;
use crate::publish::Masthead;
use crate::publish::html::FeedLink;
use crate::publish::html::Frame;
use crate::publish::html::Named;
use crate::publish::html::Row;
use crate::publish::html::compose::Choices;
use crate::publish::html::compose::choices;
use crate::publish::html::feeds_of;
use crate::publish::html::language::Language;
use crate::publish::html::map::Tile;
use crate::publish::html::map::tiles;
use crate::publish::html::named;
use crate::publish::html::rows;
use crate::publish::html::search::Names;
use crate::publish::html::written;
use crate::publish::sort_key;
use askama::Template;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How many publications a search gives.
const FOUND_MAX: usize = 40;
/// Of more communities than that the page names only how much news they have, and their feed: it has
/// to be small. Their own pages say the rest.
const WHOLE_MAX: usize = 400;
/// How many names are offered as one types.
const SUGGESTED_MAX: usize = 400;

#[derive(Template)]
#[template(path = "index.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    tiles: Vec<Tile>,
    everything: Vec<Row>,
    collections: Vec<Row>,
    regions: Vec<Row>,
    tags: Vec<Row>,
    communities: Vec<Area>,
    has_many: bool,
    choices: Choices,
    suggestions: Vec<String>,
}

/// The communities of a region.
struct Area {
    region: Named,
    news: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "found.html", config = "src/publish/askama.toml")]
struct Found<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
}

/// The page: every publication with articles, how many, when it last changed, and its address.
#[must_use]
pub fn index(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
) -> Vec<u8> {
    let groups: BTreeMap<Group, Vec<Selection>> = masthead.groups(shelves).into_iter().collect();
    let group = |group| groups.get(&group).map(Vec::as_slice).unwrap_or_default();
    let listed = |of| rows(masthead, language, shelves, group(of).iter());
    let mut tags = by_name(listed(Group::Tags));
    tags.sort_by_key(|row| Reverse(row.count));
    let mut frame = Frame::new(masthead, language, "").at("");
    frame.feeds = group(Group::All)
        .iter()
        .chain(group(Group::Composed))
        .flat_map(|selection| feeds_of(masthead, selection))
        .collect::<Vec<FeedLink>>();
    let offered = [Group::Regions, Group::Tags, Group::Communities, Group::Composed];
    let offered = offered.into_iter().chain([Group::Sources]).flat_map(group);
    let suggestions = offered.map(|selection| named(masthead, language, selection).text);
    let page = Page {
        tiles: tiles(masthead, language, shelves),
        everything: listed(Group::All),
        collections: listed(Group::Composed),
        regions: by_name(listed(Group::Regions)),
        tags,
        has_many: group(Group::Communities).len() > WHOLE_MAX,
        communities: areas(masthead, language, shelves, group(Group::Communities)),
        choices: choices(masthead, language, shelves, &BTreeSet::new(), &BTreeSet::new()),
        suggestions: suggestions.take(SUGGESTED_MAX).collect(),
        frame,
    };
    written(&page)
}

/// What a reader finds who looks for a publication.
#[must_use]
pub fn found(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    names: &Names,
    query: &str,
) -> Vec<u8> {
    let found = names.find(query, shelves, FOUND_MAX);
    let mut frame = Frame::new(masthead, language, language.words().found);
    query.clone_into(&mut frame.query);
    let page = Found { frame, rows: rows(masthead, language, shelves, found.iter()) };
    written(&page)
}

fn by_name(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_cached_key(|row| sort_key(&row.name.text));
    rows
}

/// The communities by their regions, those in the order in which they are given.
fn areas(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    communities: &[Selection],
) -> Vec<Area> {
    let mut by_region: BTreeMap<&RegionId, Vec<&Selection>> = BTreeMap::new();
    for selection in communities {
        if let Selection::Community(id) = selection
            && let Some(community) = masthead.catalogue.communities.get(id)
        {
            by_region.entry(&community.region).or_default().push(selection);
        }
    }
    let mut areas: Vec<Area> = by_region
        .into_iter()
        .map(|(region, communities)| {
            let news = communities.iter().filter_map(|community| shelves.get(community));
            Area {
                region: named(masthead, language, &Selection::Region(region.clone())),
                news: language.news(news.map(|shelf| shelf.count).sum()),
                rows: by_name(rows(masthead, language, shelves, communities.into_iter())),
            }
        })
        .collect();
    areas.sort_by_cached_key(|area| sort_key(&area.region.text));
    areas
}
