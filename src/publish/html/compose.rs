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
    is_too_much: bool,
    opml: Option<String>,
    choices: Choices,
}

/// What was picked, as publications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Composed {
    /// The one that holds it all; none if nothing was picked, or more than one can hold.
    pub whole: Option<Selection>,
    /// Each region with each tag, where there is more than one.
    pub parts: Vec<Selection>,
}

/// The publications that hold what was picked; what is not known is left out.
#[must_use]
pub fn composed(
    masthead: Masthead<'_>,
    regions: &BTreeSet<RegionId>,
    tags: &BTreeSet<TagId>,
) -> Composed {
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
    let own = own.map(|publication| Selection::Composed(publication.id.clone()));
    let Some(picked) = Selection::of(regions, tags) else { return Composed::default() };
    let mut parts = picked.parts();
    if parts.len() == 1 {
        return Composed { whole: Some(picked), parts: Vec::new() };
    }
    let whole = own.or((parts.len() <= PARTS_MAX).then_some(picked));
    parts.truncate(COMPOSED_MAX);
    Composed { whole, parts }
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
        is_too_much: composed.whole.is_none() && !composed.parts.is_empty(),
        opml: (!composed.parts.is_empty()).then(|| format!("{base}feeds.opml?{}", query.finish())),
        rows: rows(masthead, language, shelves, composed.whole.iter()),
        parts: rows(masthead, language, shelves, composed.parts.iter()),
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
