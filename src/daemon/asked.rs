//! What an admin asks of a running daemon, beside the state of its feeds.

use crate::classify::Classifier;
use crate::config::Config;
use crate::explain::explain;
use crate::explain::free_tags;
use crate::serve::documents::Documents;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::takedown::Takedown;
use crate::takedown::take_down;
use chrono::Utc;
use std::sync::Arc;
use tracing::info;

/// What answers an admin's questions beside the state of the feeds.
pub(crate) struct Asked {
    pub(crate) config: Config,
    pub(crate) classifier: Arc<Classifier>,
    pub(crate) store: Store,
    pub(crate) documents: Documents,
}

impl Asked {
    /// The answer; nothing if it is no question.
    pub(crate) async fn answer(&self, command: &str) -> Option<Result<String, String>> {
        let told = match command.split_once(' ') {
            Some(("explain", what)) => {
                let explained = explain(&self.config, &self.classifier, &self.store, what).await;
                explained.map(Option::unwrap_or_default)
            }
            Some(("remove", words)) => {
                let (what, why) = words.split_once(' ')?;
                self.take_down(what, why).await
            }
            None if command == "tags" => free_tags(&self.store).await,
            None if command == "digest" => Ok(self.classifier.digest().to_string()),
            _ => return None,
        };
        Some(told.map_err(|error| error.to_string()))
    }

    async fn take_down(&self, what: &str, why: &str) -> Result<String, StoreError> {
        let (store, documents) = (self.store.clone(), self.documents.clone());
        let (what, why) = (what.to_owned(), why.to_owned());
        // A task of its own: who asked may be gone before it is done, and done it must be wholly.
        let taking = tokio::spawn(async move {
            let taken = take_down(&store, &what, &why, Utc::now()).await?;
            if let Takedown::Done { id, from, .. } = &taken {
                info!(article = %id, why, "the admin took article {id} down: {why}");
                documents.take_away(from);
            }
            Ok(taken.told().unwrap_or_default())
        });
        taking.await.unwrap_or_else(|panic| Ok(format!("it is not known what was done: {panic}")))
    }
}
