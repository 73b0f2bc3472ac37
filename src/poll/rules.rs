//! What articles are labelled by: the classifier, and what feeds.toml says of their feeds.
//!
//! # Why it is locked
//! The rules change while polls run. A poll keeps them from the moment at which it reads its
//! document until what it found is recorded, so that after a change nothing is recorded under the
//! old ones: who labels stored articles anew then has them all.

use crate::classify::Classifier;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedRwLockReadGuard;
use tokio::sync::RwLock;

/// The rules as they are now. Clones are one.
#[derive(Clone)]
pub struct Rules(Arc<RwLock<Ruling>>);

/// The rules of one configuration.
pub struct Ruling {
    /// Finds labels.
    pub classifier: Arc<Classifier>,
    /// The feeds.
    pub feeds: BTreeMap<FeedId, Arc<Feed>>,
}

impl Rules {
    /// These rules, until they change.
    #[must_use]
    pub fn new(ruling: Ruling) -> Self {
        Self(Arc::new(RwLock::new(ruling)))
    }

    /// The rules, which do not change as long as this is kept.
    pub async fn keep(&self) -> OwnedRwLockReadGuard<Ruling> {
        Arc::clone(&self.0).read_owned().await
    }

    /// Changes the rules, as soon as nobody keeps the old ones.
    pub async fn change(&self, ruling: Ruling) {
        *self.0.write().await = ruling;
    }

    /// What finds labels now.
    pub async fn classifier(&self) -> Arc<Classifier> {
        Arc::clone(&self.0.read().await.classifier)
    }
}

impl Ruling {
    /// What is said now of a feed whose poll began under other rules. If it is asked elsewhere now,
    /// or not at all, the poll is of the feed that it was.
    #[must_use]
    pub fn of(&self, feed: &Arc<Feed>) -> Arc<Feed> {
        let now = self.feeds.get(&feed.id).filter(|now| now.asked_at() == feed.asked_at());
        Arc::clone(now.unwrap_or(feed))
    }
}
