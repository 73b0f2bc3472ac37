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
use crate::model::known::Evidence;
use crate::model::known::Key;
use crate::model::known::Known;
use crate::model::known::Memory;
use crate::model::known::Proof;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// From how many articles on a site has moved.
const MOVED_MIN: usize = 3;

/// How many entries have to be older than a missing one: some sites pin a few old ones.
const OLDER_MIN: usize = 4;

/// A way to know an article again: the key that it shares with a known one, and what else has to
/// agree.
type Rule = (Key, fn(&Known, &Article, &Evidence) -> bool);

/// The strongest first. All entries of a document go through one before any goes through the
/// next, so that a weak likeness takes no article from the entry whose it surely is.
const RULES: [Rule; 7] = [
    (Key::Entry, |known, fresh, _| known.keys.content == fresh.keys.content),
    (Key::Entry, |known, fresh, evidence| {
        let is_told = evidence.id == Proof::Strong || dates_tell(known, fresh, *evidence);
        // Without an id it is the page that the key was made of, and without one the title.
        let has_id = evidence.id > Proof::Missing;
        let title_is_told = is_told || (!has_id && evidence.title == Proof::Strong);
        let page_is_told = is_told || evidence.link == Proof::Strong;
        let same_title = has_title(known, fresh);
        (same_title && title_is_told)
            || (has_link(known, fresh) && (page_is_told || (same_title && !has_id)))
    }),
    (Key::Link, |known, fresh, evidence| {
        let is_told = evidence.link == Proof::Strong || dates_tell(known, fresh, *evidence);
        has_title(known, fresh) && is_told
    }),
    (Key::Entry, |known, fresh, evidence| {
        evidence.id == Proof::Strong || dates_tell(known, fresh, *evidence)
    }),
    (Key::Link, |known, fresh, evidence| {
        let is_told = evidence.link == Proof::Strong && evidence.date > Proof::Missing;
        dates_tell(known, fresh, *evidence) || (is_told && has_date(known, fresh))
    }),
    (Key::Content, |known, fresh, evidence| {
        // The same text on another page and another day may be this month's announcement.
        let is_on_another_page =
            known.keys.link.is_some() && fresh.keys.link.is_some() && !has_link(known, fresh);
        if has_date(known, fresh) {
            evidence.date == Proof::Strong || evidence.text == Proof::Strong
        } else {
            evidence.text == Proof::Strong && !is_on_another_page
        }
    }),
    (Key::Title, |known, fresh, evidence| {
        evidence.title == Proof::Strong && dates_tell(known, fresh, *evidence)
    }),
];

fn has_title(known: &Known, fresh: &Article) -> bool {
    known.keys.title == fresh.keys.title
}

fn has_link(known: &Known, fresh: &Article) -> bool {
    known.keys.link.is_some() && known.keys.link == fresh.keys.link
}

fn dates_tell(known: &Known, fresh: &Article, evidence: Evidence) -> bool {
    evidence.date == Proof::Strong && has_date(known, fresh)
}

fn has_date(known: &Known, fresh: &Article) -> bool {
    known.published == fresh.published
}

/// The known articles that the fresh ones of one document are again, each of them once.
///
/// An article is known again by its id; by its page, if the title or the date is the old one; by
/// its text; or by title and date. What many may have in common counts only beside something else.
#[must_use]
pub fn recognized<'m>(memory: &'m Memory, fresh: &[(Article, Evidence)]) -> Vec<Option<&'m Known>> {
    let mut recognized = vec![None; fresh.len()];
    let mut taken = BTreeSet::new();
    for (key, agrees) in RULES {
        for ((article, evidence), found) in fresh.iter().zip(&mut recognized) {
            let keys = article.keys;
            let digest = match key {
                Key::Entry => Some(keys.entry),
                Key::Link => keys.link,
                Key::Title => Some(keys.title),
                Key::Content => Some(keys.content),
            };
            let (None, Some(digest)) = (&found, digest) else { continue };
            let is_it =
                |known: &&Known| agrees(known, article, evidence) && !taken.contains(&known.id);
            *found = memory.by(key, digest).find(is_it);
            taken.extend(found.map(|known| known.id));
        }
    }
    follow_move(memory, fresh, &mut recognized, &mut taken);
    recognized
}

/// A site that moved has all its articles on other pages, under other ids and, it may be, dates.
/// One such article may be this month's announcement; half a document of them is a move.
fn follow_move<'m>(
    memory: &'m Memory,
    fresh: &[(Article, Evidence)],
    recognized: &mut [Option<&'m Known>],
    taken: &mut BTreeSet<ArticleId>,
) {
    let mut moved = Vec::new();
    for (place, (article, evidence)) in fresh.iter().enumerate() {
        if recognized[place].is_none() && evidence.text == Proof::Strong {
            let mut same = memory.by(Key::Content, article.keys.content);
            let found = same.find(|known| !taken.contains(&known.id));
            taken.extend(found.map(|known| known.id));
            moved.extend(found.map(|known| (place, known)));
        }
    }
    if moved.len() >= MOVED_MIN && moved.len() * 2 >= fresh.len() {
        for (place, known) in moved {
            recognized[place] = Some(known);
        }
    }
}

/// The known articles that a whole document should have and has not, the newest first: so many of
/// its entries are older that it has not just grown too long for them.
///
/// `there` is what it has, each with its date of publication.
#[must_use]
pub fn missing(memory: &Memory, there: &BTreeMap<ArticleId, DateTime<Utc>>) -> Vec<ArticleId> {
    let mut dates: Vec<DateTime<Utc>> = there.values().copied().collect();
    dates.sort_unstable();
    let Some(span) = dates.get(OLDER_MIN - 1) else { return Vec::new() };
    let is_inside = |known: &&Known| known.published > *span && !there.contains_key(&known.id);
    memory.iter().filter(is_inside).map(|known| known.id).collect()
}

/// What a fresh article changes. Its id, its IRI, when it was published and first seen are what
/// they were at first sight; its key is the new one, so that a changed id is found next time.
#[must_use]
pub fn merge(known: Option<&Known>, fresh: Article, now: DateTime<Utc>) -> Change {
    let Some(known) = known else {
        return Change::Added(fresh);
    };
    let mut article = fresh;
    // A date of publication says nothing of an edit: «2 години тому» moves with every poll.
    let said = Some(article.updated).filter(|said| *said != article.published);
    article.id = known.id;
    article.iri.clone_from(&known.iri);
    article.published = known.published;
    article.first_seen = known.first_seen;
    article.updated = known.updated;
    article.revision = known.revision;
    if article.keys.content != known.keys.content {
        let believed = said.filter(|said| *said > known.updated && *said <= now);
        article.updated = believed.unwrap_or(now).max(known.published);
        article.revision = known.revision.saturating_add(1);
        return Change::Updated(article);
    }
    let found_as_before =
        article.keys.entry == known.keys.entry && article.keys.link == known.keys.link;
    if found_as_before && article.labels.digest() == known.labels {
        Change::Unchanged(known.id, article.views)
    } else {
        Change::Relabelled(article)
    }
}
