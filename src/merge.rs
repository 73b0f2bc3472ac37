//! What a fresh article changes: it is added, updated, relabelled, or nothing.
//!
//! # Why
//! A poll brings the same articles again and again. Only what a reader would see counts as a
//! change, or every poll would republish every article; and an article that comes under another
//! id or address must be known again, or a site that changes its software would make all its news
//! new.
//!
//! Never here: the store. What is handed in is all that is known.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::known::Change;
use crate::model::known::Known;
use crate::model::known::Memory;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;

/// The article that a fresh one is, if it is known: by the entry's own key; else by the link,
/// with the title or the date the same; else by the content, with the date the same.
///
/// `taken` are the articles that other entries of the same document are already.
#[must_use]
pub fn find<'m>(
    memory: &'m Memory,
    fresh: &Article,
    taken: &BTreeSet<ArticleId>,
) -> Option<&'m Known> {
    let is_free = |known: &&Known| !taken.contains(&known.id);
    let same_date = |known: &&Known| known.published == fresh.published;
    let same_title = |known: &&Known| known.keys.title == fresh.keys.title;
    let by_link = || {
        let known = memory.by_link(fresh.keys.link?)?;
        (same_title(&known) || same_date(&known)).then_some(known)
    };
    let by_content = || memory.by_content(fresh.keys.content).filter(same_date);
    memory
        .by_entry(fresh.keys.entry)
        .filter(is_free)
        .or_else(|| by_link().filter(is_free))
        .or_else(|| by_content().filter(is_free))
}

/// What a fresh article changes of what is known of it.
///
/// What was settled at first sight stays: id, IRI, date, and when it was first seen.
#[must_use]
pub fn merge(known: Option<&Known>, fresh: Article, now: DateTime<Utc>) -> Change {
    let Some(known) = known else { return Change::Added(fresh) };
    let same_content = known.keys.content == fresh.keys.content;
    // A key that changed is worth writing: by the new one the article is found from now on.
    let same_keys = known.keys == fresh.keys;
    if same_content && same_keys && known.labels == fresh.labels.digest() {
        return Change::Unchanged(known.id);
    }
    let article = Article {
        id: known.id,
        iri: known.iri.clone(),
        published: known.published,
        first_seen: known.first_seen,
        updated: known.updated,
        revision: known.revision,
        ..fresh
    };
    if same_content {
        return Change::Relabelled(article);
    }
    let told = fresh.updated;
    let updated = if told > known.updated && told <= now { told } else { now };
    Change::Updated(Article {
        updated: updated.max(known.published).max(known.updated),
        revision: known.revision.saturating_add(1),
        ..article
    })
}
