//! `[[publication]]`: selections that the admin composed.

use crate::config::feeds::Places;
use crate::config::problem::Found;
use crate::config::reference::Known;
use crate::config::reference::once;
use crate::config::table::Row;
use crate::model::id::PublicationId;
use crate::model::publication::Publication;
use std::collections::BTreeMap;

const LISTS: [&str; 5] = ["regions", "communities", "tags", "feeds", "without_tags"];

/// The publications, in the order of the file.
pub(crate) fn publications(
    rows: &[Row],
    places: &Places<'_>,
    feeds: &Known,
    found: &mut Found,
) -> Vec<Publication> {
    let mut ids = BTreeMap::new();
    let mut publications = Vec::new();
    for row in rows {
        if let Some(id) = row.spanned_text("id") {
            once(&mut ids, "publications", &id, found);
        }
        let selects = |key: &&str| row.was_given(key) && !row.has_no_texts(key);
        if !LISTS.iter().any(selects) {
            let label = "add `regions`, `communities`, `tags`, `feeds` or `without_tags`";
            found.add("a publication that selects nothing", row.header(), label);
        }
        publications.extend(publication(row, places, feeds, found));
    }
    publications
}

fn publication(
    row: &Row,
    places: &Places<'_>,
    feeds: &Known,
    found: &mut Found,
) -> Option<Publication> {
    let regions = places.regions.find_all(&row.texts("regions"), found);
    let communities = places.communities.find_all(&row.texts("communities"), found);
    let tags = places.tags.find_all(&row.texts("tags"), found);
    let feeds = feeds.find_all(&row.texts("feeds"), found);
    let without_tags = places.tags.find_all(&row.texts("without_tags"), found);
    Some(Publication {
        id: PublicationId::new(&row.text("id")?).ok()?,
        title: row.text("title")?,
        subtitle: row.text("subtitle"),
        regions,
        communities,
        tags,
        feeds,
        without_tags,
    })
}
