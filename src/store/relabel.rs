//! Labels made anew: a slice of the articles at a time, so that polls are not kept waiting.
//!
//! What is done is recorded with it: how far the work has come, and for which digest of all that
//! decides about labels. After a crash it goes on where it was; under other rules it begins again.

use crate::model::article::Article;
use crate::model::article::Labels;
use crate::model::id::Digest;
use crate::model::publication::Selection;
use crate::model::revision::Words;
use crate::store::archive::Archive;
use crate::store::commit::Draft;
use crate::store::engine::Batch;
use crate::store::engine::Order;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::members::Turnovers;
use crate::store::records::plain::digest;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeSet;
use tracing::error;

/// How many articles one slice has.
pub(crate) const SLICE_MAX: usize = 100;

/// The labels that an article should have; none if they are to stay as they are.
pub type Labeller = dyn Fn(&Article) -> Option<Labels> + Send;

/// How far the work has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The publications whose documents are stale.
    pub touched: BTreeSet<Selection>,
    /// How many articles were looked at.
    pub seen: usize,
    /// How many of them changed.
    pub changed: usize,
    /// Whether all articles have been.
    pub is_done: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LabellingRecord {
    #[serde(with = "digest")]
    digest: [u8; 16],
    /// The key of the last article that was looked at.
    after: Vec<u8>,
    is_done: bool,
}

impl Archive {
    /// Labels the next slice of articles as `digest` stands for.
    pub(crate) fn relabel(
        &mut self,
        digest: Digest,
        labeller: &Labeller,
        at: DateTime<Utc>,
    ) -> Result<Progress, StoreError> {
        let mut progress =
            Progress { touched: BTreeSet::new(), seen: 0, changed: 0, is_done: true };
        let before = self.labelling()?.filter(|record| record.digest == digest.0);
        if before.as_ref().is_some_and(|record| record.is_done) {
            return Ok(progress);
        }
        let after = before.map(|record| record.after).filter(|after| !after.is_empty());
        let prefix = Space::Article.prefix();
        let pairs = self.engine.scan(&prefix, after.as_deref(), Order::Forward, SLICE_MAX)?;
        progress.seen = pairs.len();
        progress.is_done = pairs.len() < SLICE_MAX;
        let mut batch = Batch::new();
        let mut turnovers = Turnovers::new();
        for (key, value) in &pairs {
            let article = match self.read_article(key, value) {
                Ok(article) => article,
                Err(error @ StoreError::Value { .. }) => {
                    error!(%error, "an article keeps its labels: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(labels) = labeller(&article).filter(|labels| *labels != article.labels) else {
                continue;
            };
            let is_seen = labels.digest() != article.labels.digest();
            let after = Article { labels, ..article.clone() };
            if !is_seen {
                self.put_article(&mut batch, &after)?;
                continue;
            }
            progress.changed += 1;
            let draft = Draft { before: Some(article), after };
            self.write_draft(&mut batch, &draft, &mut turnovers, at)?;
            // Only labels change: no word is compared.
            self.put_trail(&mut batch, &draft, None, &mut Words::of_commit(), at)?;
        }
        self.write_shelves(&mut batch, &turnovers)?;
        let after = pairs.last().map(|(key, _)| key.clone()).unwrap_or_default();
        let record = LabellingRecord { digest: digest.0, after, is_done: progress.is_done };
        self.put(&mut batch, Space::Meta, keys::labelling(), &record)?;
        self.engine.commit(batch)?;
        self.engine.sync()?;
        progress.touched = turnovers.into_keys().collect();
        Ok(progress)
    }

    fn labelling(&self) -> Result<Option<LabellingRecord>, StoreError> {
        let key = keys::labelling();
        let value = self.engine.get(&key)?;
        value.map(|value| self.record(Space::Meta, &key, &value)).transpose()
    }
}
