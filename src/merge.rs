//! What a fresh article changes: added, updated, labelled anew, or nothing.
//!
//! # Why
//! Some sites print a view counter or the time into every entry, others change all their ids at
//! once. Only what a reader would see counts as a change, or every poll would republish every
//! article.
//!
//! Never here: the store. The memory is all that is known.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::known::Change;
use crate::model::known::Known;
use crate::model::known::Memory;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;

/// The known article that a fresh one is again, unless an earlier entry of the same document has
/// `taken` it.
#[must_use]
pub fn find<'m>(
    memory: &'m Memory,
    fresh: &Article,
    taken: &BTreeSet<ArticleId>,
) -> Option<&'m Known> {
    let free = |known: &&Known| !taken.contains(&known.id);
    let keys = fresh.keys;
    let by_entry = memory.by_entry(keys.entry).filter(free);
    let by_link = || {
        memory
            .by_link(keys.link?)
            .filter(free)
            .filter(|known| known.keys.title == keys.title || known.published == fresh.published)
    };
    let by_content = || {
        memory
            .by_content(keys.content)
            .filter(free)
            .filter(|known| known.published == fresh.published)
    };
    by_entry.or_else(by_link).or_else(by_content)
}

/// What a fresh article changes. Its id, its IRI, when it was published and first seen are what
/// they were at first sight; its key is the new one, so that a changed id is found next time.
#[must_use]
pub fn merge(known: Option<&Known>, fresh: Article, now: DateTime<Utc>) -> Change {
    let Some(known) = known else {
        return Change::Added(fresh);
    };
    let mut article = fresh;
    let said = article.updated;
    article.id = known.id;
    article.iri.clone_from(&known.iri);
    article.published = known.published;
    article.first_seen = known.first_seen;
    article.updated = known.updated;
    article.revision = known.revision;
    if article.keys.content != known.keys.content {
        let believed = said > known.updated && said <= now;
        article.updated = if believed { said } else { now }.max(known.published);
        article.revision = known.revision.saturating_add(1);
        return Change::Updated(article);
    }
    let found_as_before =
        article.keys.entry == known.keys.entry && article.keys.link == known.keys.link;
    if found_as_before && article.labels.digest() == known.labels {
        Change::Unchanged(known.id)
    } else {
        Change::Relabelled(article)
    }
}
