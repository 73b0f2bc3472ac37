//! What the documents of a publication are made of: its front, which changes, and the archive
//! pages behind it, which do not (RFC 5005, section 4).
//!
//! Every article of a publication is on its front or on one page, so that who reads the front and
//! walks the pages has each once. An article that is edited after its page was closed comes to the
//! front again; its page shows it as it was.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::publication::Shelf;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// An article that comes late stands among those published so much later than it: who reads seldom
/// sees it on the front too. What is older than that by far is no news, and goes to the archive.
const LATENESS_FORGIVEN: TimeDelta = TimeDelta::hours(12);

/// When an article counts as published where it is decided how long it stays on a front.
#[must_use]
pub fn standing(published: DateTime<Utc>, came: DateTime<Utc>) -> DateTime<Utc> {
    let lateness = (came - published).clamp(TimeDelta::zero(), LATENESS_FORGIVEN);
    published.checked_add_signed(lateness).unwrap_or(published)
}

/// An article on a front.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The article.
    pub article: Article,
    /// When it came there or last changed there: a [`Shelf::changed`] of the publication.
    pub changed: DateTime<Utc>,
    /// Where it is an edit of what a page shows: the other articles of that story.
    pub companions: Vec<Article>,
}

/// The front of a publication.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Front {
    /// The counters; none if it never held an article.
    pub shelf: Option<Shelf>,
    /// The articles, the last come first.
    pub standing: Vec<Standing>,
    /// The newest page of the archive.
    pub newest_page: Option<u64>,
    /// What the stories of the newest pages are made of, but for those that are edited since: a
    /// copy of one is no news.
    pub before: Vec<Article>,
    /// What was taken away last, the last first.
    pub removed: Vec<Removed>,
    /// When an article last left the publication: a [`Shelf::changed`] of it.
    pub departed: Option<DateTime<Utc>>,
}

/// How many removals a front tells of.
pub const REMOVALS_MAX: usize = 25;

impl Front {
    /// The fronts of several publications as one, with as many articles as that at most. It has no
    /// counters: their clocks do not go alike.
    #[must_use]
    pub fn mixed(fronts: Vec<Self>, most: usize) -> Self {
        let mut mixed = Self::default();
        for front in fronts {
            mixed.before.extend(front.before);
            mixed.standing.extend(front.standing);
            mixed.removed.extend(front.removed);
        }
        let came = |one: &Standing| standing(one.article.published, one.article.first_seen);
        mixed
            .standing
            .sort_by_key(|one| (Reverse(came(one)), one.article.id, Reverse(one.changed)));
        mixed.standing.dedup_by_key(|one| one.article.id);
        mixed.standing.truncate(most);
        mixed.before.sort_by_key(|article| article.id);
        mixed.before.dedup_by_key(|article| article.id);
        let standing: BTreeSet<ArticleId> =
            mixed.standing.iter().map(|one| one.article.id).collect();
        mixed.before.retain(|article| !standing.contains(&article.id));
        mixed.removed.sort_by(|one, other| other.at.cmp(&one.at).then(one.iri.cmp(&other.iri)));
        mixed.removed.dedup_by(|one, other| one.iri == other.iri);
        mixed.removed.truncate(REMOVALS_MAX);
        mixed
    }
}

/// The end of a front, from which pages are closed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rear {
    /// The articles that have stood longest, the oldest first.
    pub standing: Vec<Standing>,
    /// How many stand on the front; counted no further than was asked.
    pub count: usize,
    /// The number after which the next page is numbered.
    pub last_number: u64,
    /// As on the front.
    pub before: Vec<Article>,
}

/// Pages to be closed, as they follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closing {
    /// The stories of each page, each by the articles that it is made of, companions among them.
    pub pages: Vec<Vec<Vec<ArticleId>>>,
    /// Copies of stories that are shown, each with an article of its story: they leave the front and
    /// are on no page, as long as that article is on one.
    pub hidden: Vec<(ArticleId, ArticleId)>,
}

/// A page of an archive, as it was when it was closed.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivePage {
    /// Its number.
    pub number: u64,
    /// The page before it.
    pub previous: Option<u64>,
    /// When it was closed.
    pub closed: DateTime<Utc>,
    /// Its stories, each by the articles that it is made of.
    pub stories: Vec<Vec<Article>>,
    /// What was taken away since. Nothing else of a page changes.
    pub removed: Vec<Removed>,
}

/// An article that was taken away, as readers are told (RFC 6721).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its id in Atom.
    pub iri: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Who takes an article away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remover {
    /// Its source: it is neither in the feed nor on its page any more.
    Source,
    /// The admin.
    Admin,
}

/// Why an article was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Who.
    pub by: Remover,
    /// The reason, in words.
    pub why: String,
    /// When.
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_late_is_forgiven_hours_and_not_weeks() {
        let at = |hours: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        for (published, came, expected) in
            [(0, 0, 0), (0, 5, 5), (0, 12, 12), (0, 13, 12), (0, 24 * 30, 12), (9, 0, 9)]
        {
            assert_eq!(standing(at(published), at(came)), at(expected), "{published} {came}");
        }
        let last = DateTime::<Utc>::MAX_UTC;
        assert_eq!(standing(last, last), last);
    }
}
