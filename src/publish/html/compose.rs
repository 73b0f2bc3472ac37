//! «Compose»: a reader picks regions and tags, and gets the addresses of the feeds that hold them.
//!
//! Whoever picks several gets one feed that holds them all: what the admin composed of just these, or
//! a mixed one. Each region with each tag is a publication of its own too, with an archive, which a
//! mixed one has not; there is a file to import them all.

use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::publication::PARTS_MAX;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::html::Frame;
use crate::publish::html::Named;
use crate::publish::html::Row;
use crate::publish::html::language::Language;
use crate::publish::html::named;
use crate::publish::html::rows;
use crate::publish::html::written;
use crate::publish::sort_key;
use askama::Template;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How many publications are composed at once.
pub const COMPOSED_MAX: usize = 200;

/// What can be picked.
pub(crate) struct Choices {
    pub(super) regions: Vec<Choice>,
    pub(super) tags: Vec<Choice>,
}

/// A region or a tag.
pub(crate) struct Choice {
    pub(super) id: String,
    pub(super) name: Named,
    pub(super) is_chosen: bool,
}

#[derive(Template)]
#[template(path = "compose.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
    /// What it is made of.
    parts: Vec<Row>,
    opml: Option<String>,
    choices: Choices,
}

/// The publications that hold what was picked, the one that holds it all first; what is not known
/// is left out.
#[must_use]
pub fn composed(
    masthead: Masthead<'_>,
    regions: &BTreeSet<RegionId>,
    tags: &BTreeSet<TagId>,
) -> Vec<Selection> {
    let knows = |selection: Selection| masthead.knows(&selection);
    let regions = regions.iter().filter(|id| knows(Selection::Region((*id).clone())));
    let tags = tags.iter().filter(|id| knows(Selection::Tag((*id).clone())));
    let (regions, tags): (BTreeSet<_>, BTreeSet<_>) =
        (regions.cloned().collect(), tags.cloned().collect());
    let own = masthead.publications.iter().find(|publication| {
        let has_more = !publication.communities.is_empty()
            || !publication.feeds.is_empty()
            || !publication.without_tags.is_empty();
        !has_more && publication.regions == regions && publication.tags == tags
    });
    let Some(whole) = Selection::of(regions, tags) else { return Vec::new() };
    let parts = whole.parts();
    let own = own.map(|publication| Selection::Composed(publication.id.clone()));
    let mut composed = Vec::new();
    if parts.len() == 1 {
        composed.push(whole);
    } else if let Some(own) = own {
        composed.push(own);
        composed.extend(parts);
    } else {
        composed.extend((parts.len() <= PARTS_MAX).then_some(whole));
        composed.extend(parts);
    }
    composed.truncate(COMPOSED_MAX);
    composed
}

/// The page that gives their addresses. `query` is what the reader picked, as his browser sent it.
#[must_use]
pub fn compose(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    (regions, tags): (&BTreeSet<RegionId>, &BTreeSet<TagId>),
) -> Vec<u8> {
    let composed = composed(masthead, regions, tags);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(regions.iter().map(|region| ("region", region.as_str())));
    query.extend_pairs(tags.iter().map(|tag| ("tag", tag.as_str())));
    let base = masthead.site.address.path();
    let page = Page {
        frame: Frame::new(masthead, language, language.words().composed),
        opml: (composed.len() > 1).then(|| format!("{base}feeds.opml?{}", query.finish())),
        rows: rows(masthead, language, shelves, composed.iter().take(1)),
        parts: rows(masthead, language, shelves, composed.iter().skip(1)),
        choices: choices(masthead, language, shelves, regions, tags),
    };
    written(&page)
}

/// What can be picked: regions and tags that have articles, and what was picked already.
pub(super) fn choices(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    regions: &BTreeSet<RegionId>,
    tags: &BTreeSet<TagId>,
) -> Choices {
    let is_full = |selection: &Selection| shelves.get(selection).is_some_and(|s| s.count > 0);
    let choice = |id: &str, selection: Selection, is_chosen| {
        let name = named(masthead, language, &selection);
        (is_chosen || is_full(&selection)).then(|| Choice { id: id.to_owned(), name, is_chosen })
    };
    let region =
        |id: &RegionId| choice(id.as_str(), Selection::Region(id.clone()), regions.contains(id));
    let tag = |id: &TagId| choice(id.as_str(), Selection::Tag(id.clone()), tags.contains(id));
    let sorted = |mut choices: Vec<Choice>| {
        choices.sort_by_cached_key(|choice| sort_key(&choice.name.text));
        choices
    };
    Choices {
        regions: sorted(masthead.catalogue.regions.keys().filter_map(region).collect()),
        tags: sorted(masthead.tags.keys().filter_map(tag).collect()),
    }
}
