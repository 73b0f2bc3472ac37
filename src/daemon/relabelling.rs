//! Labels of stored articles made anew after feeds.toml or the code has changed, without a poll.
//!
//! A slice at a time, with pauses: polls and readers go first.

use crate::classify::Classifier;
use crate::config::Config;
use crate::model::article::Article;
use crate::model::clock::Clock;
use crate::model::feed::Feed;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::poll::Poller;
use crate::serve::documents::Documents;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::relabel::Progress;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::error;
use tracing::info;

/// Between two slices of articles.
const PAUSE: Duration = Duration::from_millis(200);
/// Before a slice is tried again that failed.
const REST: Duration = Duration::from_mins(1);

/// The labels that stored articles should have, and the work of giving them.
pub struct Relabelling {
    store: Store,
    classifier: Arc<Classifier>,
    feeds: Arc<BTreeMap<FeedId, Feed>>,
    digest: Digest,
    clock: Clock,
}

/// Labels all articles as the newest rules say, for ever: when the rules change it begins anew.
pub(crate) async fn follow(
    mut newest: watch::Receiver<Arc<Relabelling>>,
    documents: &Documents,
) -> Infallible {
    loop {
        let relabelling = Arc::clone(&newest.borrow_and_update());
        relabelling.go(documents, &mut newest).await;
        if newest.changed().await.is_err() {
            return std::future::pending().await;
        }
        newest.mark_changed();
    }
}

impl Relabelling {
    /// The labels of a configuration.
    #[must_use]
    pub fn new(config: &Config, poller: &Poller, classifier: Arc<Classifier>) -> Self {
        let said = config.feeds.values().map(|feed| {
            format!("{} {:?} {:?} {:?}", feed.id, feed.region, feed.community, feed.tags)
        });
        let parts: Vec<String> =
            [classifier.digest().to_string()].into_iter().chain(said).collect();
        Self {
            store: poller.store.clone(),
            classifier,
            feeds: Arc::new(config.feeds.clone()),
            digest: Digest::of(parts.iter().map(String::as_str)),
            clock: poller.clock.clone(),
        }
    }

    /// Labels the next slice of articles. Those of a feed that is no more in feeds.toml keep the
    /// labels that they have.
    ///
    /// # Errors
    /// The store does not take them.
    pub async fn step(&self) -> Result<Progress, StoreError> {
        let (classifier, feeds) = (Arc::clone(&self.classifier), Arc::clone(&self.feeds));
        let labeller = move |article: &Article| {
            feeds.get(&article.feed).map(|feed| classifier.label(article, feed))
        };
        self.store.relabel(self.digest, Box::new(labeller), self.clock.now()).await
    }

    /// Labels all articles, a slice at a time with a pause between, unless others are to be labelled
    /// by meanwhile. A slice that was begun is waited for: what it touches is to be told.
    async fn go(&self, documents: &Documents, newest: &mut watch::Receiver<Arc<Self>>) {
        let (mut seen, mut changed) = (0, 0);
        let mut touched = BTreeSet::new();
        loop {
            let pause = match self.step().await {
                Ok(progress) => {
                    documents.touch(&progress.touched);
                    touched.extend(progress.touched);
                    seen += progress.seen;
                    changed += progress.changed;
                    if progress.is_done {
                        break;
                    }
                    PAUSE
                }
                Err(error) => {
                    // What was written of it, if anything, is not known.
                    documents.touch_all();
                    error!("articles are not labelled anew yet: {error}");
                    REST
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Ok(()) = newest.changed() => {
                    newest.mark_changed();
                    break;
                }
            }
        }
        // A rule may keep articles out that pages of archives show.
        documents.take_away(&touched);
        if seen > 0 {
            info!(seen, changed, "labelled anew: {changed} of {seen} articles have other labels");
        }
    }
}
