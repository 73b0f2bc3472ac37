//! What is known of a feed's articles when its document comes again.
//!
//! Read from the store before, and handed to the pure rooms, which never look anything up.

use crate::model::article::Article;
use crate::model::article::Keys;
use crate::model::exchange::Document;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::provenance::Provenance;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;

/// How many articles of one feed are remembered for comparison: the newest.
pub const KNOWN_MAX: usize = 10_000;

/// What is known of one article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: ArticleId,
    /// Its id in Atom.
    pub iri: String,
    /// By what it is known again.
    pub keys: Keys,
    /// Of its labels, so that a changed label is noticed.
    pub labels: Digest,
    /// Frozen at first sight.
    pub published: DateTime<Utc>,
    /// When a reader last would have seen a change.
    pub updated: DateTime<Utc>,
    /// When it was first polled.
    pub first_seen: DateTime<Utc>,
    /// How often a reader would have seen a change since.
    pub revision: u32,
}

impl Known {
    /// What is to be known of an article from now on.
    #[must_use]
    pub fn of(article: &Article) -> Self {
        Self {
            id: article.id,
            iri: article.iri.clone(),
            keys: article.keys,
            labels: article.labels.digest(),
            published: article.published,
            updated: article.updated,
            first_seen: article.first_seen,
            revision: article.revision,
        }
    }
}

/// By what a known article is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The key of its entry.
    Entry,
    /// Its canonical link.
    Link,
    /// Its title.
    Title,
    /// What a reader sees of it.
    Content,
}

/// Whether a part of an entry tells it from every other of its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The entry has no such part.
    Missing,
    /// Another story may have the same.
    Weak,
    /// No other story has it.
    Strong,
}

/// How much the parts of a fresh entry prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Its own id.
    pub id: Proof,
    /// Its page.
    pub link: Proof,
    /// Its title.
    pub title: Proof,
    /// When it was published.
    pub date: Proof,
    /// Its text.
    pub text: Proof,
}

/// The known articles of one feed, to be found by any of their keys.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    known: Vec<Known>,
    ids: HashSet<ArticleId>,
    by_entry: Index,
    by_link: Index,
    by_title: Index,
    by_content: Index,
}

/// Digests and the places of what has them, in order.
#[derive(Debug, Clone, Default)]
struct Index(Vec<(Digest, usize)>);

impl Index {
    fn of(known: &[Known], digest: impl Fn(&Known) -> Option<Digest>) -> Self {
        let pairs = known.iter().enumerate();
        let mut pairs: Vec<_> =
            pairs.filter_map(|(place, known)| Some((digest(known)?, place))).collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    fn places(&self, digest: Digest) -> impl Iterator<Item = usize> {
        let start = self.0.partition_point(|(other, _)| *other < digest);
        self.0[start..].iter().take_while(move |(other, _)| *other == digest).map(|(_, at)| *at)
    }
}

impl Memory {
    /// A memory of these articles, the newest first.
    #[must_use]
    pub fn new(newest_first: impl IntoIterator<Item = Known>) -> Self {
        let known: Vec<Known> = newest_first.into_iter().take(KNOWN_MAX).collect();
        Self {
            ids: known.iter().map(|known| known.id).collect(),
            by_entry: Index::of(&known, |known| Some(known.keys.entry)),
            by_link: Index::of(&known, |known| known.keys.link),
            by_title: Index::of(&known, |known| Some(known.keys.title)),
            by_content: Index::of(&known, |known| Some(known.keys.content)),
            known,
        }
    }

    /// How many articles are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known: the feed was never read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// All of them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.iter()
    }

    /// Whether an article has this id.
    #[must_use]
    pub fn has(&self, id: ArticleId) -> bool {
        self.ids.contains(&id)
    }

    /// The newest article whose entry had this key.
    #[must_use]
    pub fn by_entry(&self, entry: Digest) -> Option<&Known> {
        self.by(Key::Entry, entry).next()
    }

    /// The articles that have a key, the newest first.
    pub fn by(&self, key: Key, digest: Digest) -> impl Iterator<Item = &Known> {
        let index = match key {
            Key::Entry => &self.by_entry,
            Key::Link => &self.by_link,
            Key::Title => &self.by_title,
            Key::Content => &self.by_content,
        };
        index.places(digest).map(|place| &self.known[place])
    }
}

/// What a poll leaves in the store.
#[derive(Debug, Clone, Default)]
pub struct Harvest {
    /// What its entries change.
    pub changes: Vec<Change>,
    /// Where the new articles came from.
    pub provenances: BTreeMap<ArticleId, Provenance>,
    /// The document, if one was read that is whole.
    pub document: Option<Arc<Document>>,
}

impl From<Vec<Change>> for Harvest {
    fn from(changes: Vec<Change>) -> Self {
        Self { changes, ..Self::default() }
    }
}

/// What a fresh article changes.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It was not known.
    Added(Article),
    /// A reader sees a change: a new revision, and a new `updated`.
    Updated(Article),
    /// A reader sees the same, but a label was added or taken away, or the article came under
    /// another id or link: the publications that it stands in change, `updated` does not.
    Relabelled(Article),
    /// Nothing that a reader sees: no more than how often it was read, as its source reports.
    Unchanged(ArticleId, Option<u64>),
}
