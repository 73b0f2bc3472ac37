//! What is known of a feed's articles when its document comes again.
//!
//! Read from the store before, and handed to the pure rooms, which never look anything up.

use crate::model::article::Article;
use crate::model::article::Keys;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use chrono::DateTime;
use chrono::Utc;
use std::collections::HashMap;
use std::collections::HashSet;

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

/// The known articles of one feed, to be found by any of their keys.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    known: Vec<Known>,
    ids: HashSet<ArticleId>,
    by_entry: HashMap<Digest, usize>,
    by_link: HashMap<Digest, usize>,
    by_content: HashMap<Digest, usize>,
}

impl Memory {
    /// A memory of these articles, the newest first. Of two with one key the newer is found.
    #[must_use]
    pub fn new(newest_first: impl IntoIterator<Item = Known>) -> Self {
        let mut memory = Self::default();
        for known in newest_first.into_iter().take(KNOWN_MAX) {
            let index = memory.known.len();
            memory.ids.insert(known.id);
            memory.by_entry.entry(known.keys.entry).or_insert(index);
            memory.by_content.entry(known.keys.content).or_insert(index);
            if let Some(link) = known.keys.link {
                memory.by_link.entry(link).or_insert(index);
            }
            memory.known.push(known);
        }
        memory
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

    /// Whether an article has this id.
    #[must_use]
    pub fn has(&self, id: ArticleId) -> bool {
        self.ids.contains(&id)
    }

    /// The article whose entry had this key.
    #[must_use]
    pub fn by_entry(&self, entry: Digest) -> Option<&Known> {
        self.by_entry.get(&entry).map(|&i| &self.known[i])
    }

    /// The article with this canonical link.
    #[must_use]
    pub fn by_link(&self, link: Digest) -> Option<&Known> {
        self.by_link.get(&link).map(|&i| &self.known[i])
    }

    /// The article that a reader would see the same of.
    #[must_use]
    pub fn by_content(&self, content: Digest) -> Option<&Known> {
        self.by_content.get(&content).map(|&i| &self.known[i])
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
    /// Nothing to write.
    Unchanged(ArticleId),
}
