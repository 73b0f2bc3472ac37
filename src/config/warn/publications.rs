//! Publications that can hold nothing, or hold what another holds.

use crate::config::Config;
use crate::config::problem::Found;
use crate::config::table::Row;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::publication::Publication;
use std::collections::BTreeSet;

/// Notes what is odd about the publications, each of which is that of its row.
pub(crate) fn publications(rows: &[Row], config: &Config, found: &mut Found) {
    for (at, (row, publication)) in rows.iter().zip(&config.publications).enumerate() {
        tags(row, publication, found);
        feeds(row, publication, config, found);
        places(row, publication, config, found);
        let same = config.publications[..at].iter().position(|other| same(other, publication));
        if let Some(first) = same {
            found.warn_pair(
                "same-publication",
                format!("the publication `{}` holds what another holds", publication.id),
                (row.header(), "leave out one of them, or change what it selects"),
                (rows[first].header(), "the other"),
            );
        }
    }
}

/// An article without a tag has it not.
fn tags(row: &Row, publication: &Publication, found: &mut Found) {
    let both: BTreeSet<_> = publication.tags.intersection(&publication.without_tags).collect();
    if both.is_empty() {
        return;
    }
    let label = "leave it out here, or in `without_tags`";
    if both.len() == publication.tags.len() {
        let what = format!("the publication `{}` never holds anything", publication.id);
        let label = "these tags are all in `without_tags`: leave them out there";
        found.warn("empty-publication", what, row.span("tags"), label);
        return;
    }
    for tag in both {
        let what = format!("`{tag}` is in `tags` and in `without_tags`");
        found.warn("no-effect", what, row.span("tags"), label);
    }
}

fn feeds(row: &Row, publication: &Publication, config: &Config, found: &mut Found) {
    let is_polled = |id: &FeedId| config.feeds.get(id).is_some_and(|feed| feed.enabled);
    if !publication.feeds.is_empty() && !publication.feeds.iter().any(is_polled) {
        let what = format!("nothing new comes to `{}`: its feeds are switched off", publication.id);
        let label = "name one that is polled, or leave the publication out";
        found.warn("empty-publication", what, row.span("feeds"), label);
    }
}

/// An article has to be of one of the regions and of one of the communities.
fn places(row: &Row, publication: &Publication, config: &Config, found: &mut Found) {
    let region_of = |id| config.catalogue.communities.get(id).map(|community| &community.region);
    let around: BTreeSet<&RegionId> =
        publication.communities.iter().filter_map(region_of).collect();
    let is_apart = !publication.regions.is_empty()
        && !around.is_empty()
        && !publication.regions.iter().any(|region| around.contains(region));
    if is_apart {
        let what = format!("no community of `{}` lies in its regions", publication.id);
        let label = "an article has to be of both: leave out `regions`, or name others";
        found.warn("empty-publication", what, row.span("regions"), label);
    }
}

fn same(one: &Publication, other: &Publication) -> bool {
    one.regions == other.regions
        && one.communities == other.communities
        && one.tags == other.tags
        && one.feeds == other.feeds
        && one.without_tags == other.without_tags
}
