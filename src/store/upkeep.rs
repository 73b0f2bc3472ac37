//! What keeps a store from growing for ever: articles that are kept no longer, and files that are
//! written anew. All of it in slices, between which other commands are served.

use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::model::retention::Retention;
use crate::store::Store;
use crate::store::archive::Archive;
use crate::store::copying::Compacted;
use crate::store::copying::Step;
use crate::store::copying::Weight;
use crate::store::error::StoreError;
use crate::store::files::size_bytes;
use crate::store::retain::Pass;
use crate::store::writer::Keeper;
use chrono::DateTime;
use chrono::Utc;
use std::sync::Arc;
use std::time::Duration;

/// Between two slices of a compaction at least.
const PAUSE_MIN: Duration = Duration::from_millis(1);

impl Store {
    /// From now on, what comes and is older than it would be kept is not taken in.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn keep_by(&self, retention: Arc<Retention>) -> Result<(), StoreError> {
        let keep = move |archive: &mut Archive| {
            archive.retention = retention;
            Ok(())
        };
        self.work(move |keeper| keeper.write(keep)).await
    }

    /// Does the next slice of a look at all articles. What it drops is durable when this returns.
    ///
    /// # Errors
    /// A stored value does not read, writing fails, or the store has stopped. The pass is lost, and
    /// another may begin.
    pub async fn retain(&self, pass: Pass) -> Result<Pass, StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.retain(pass))).await
    }

    /// Since when an article is not kept any more; none if it is, or never was there.
    ///
    /// # Errors
    /// What is remembered of it does not read, or the store has stopped.
    pub async fn dropped(&self, id: ArticleId) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(move |archive| archive.dropped(id)).await
    }

    /// How many articles were not kept any longer, in all.
    ///
    /// # Errors
    /// As [`Store::dropped`].
    pub async fn dropped_ever(&self) -> Result<u64, StoreError> {
        self.read(Archive::dropped_ever).await
    }

    /// Whether the archive of a selection had a page that is no more.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn had_page(&self, selection: &Selection, number: u64) -> Result<bool, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.had_page(&selection, number)).await
    }

    /// Keeps an article whatever its age. Whether there is such an article.
    ///
    /// # Errors
    /// The article does not read, writing fails, or the store has stopped.
    pub async fn pin(&self, id: ArticleId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.pin(id, at))).await
    }

    /// Keeps an article no longer than others. Whether it was pinned.
    ///
    /// # Errors
    /// As [`Store::pin`].
    pub async fn unpin(&self, id: ArticleId) -> Result<bool, StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.unpin(id))).await
    }

    /// Since when an article is kept whatever its age; none if it is not.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn pin_of(&self, id: ArticleId) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(move |archive| archive.pin_of(id)).await
    }

    /// How many bytes the files of the store have; not those of anything beside it.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        size_bytes(self.directory())
    }

    /// How much is stored, counted in slices with a pause between.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn weigh(&self, pause: Duration) -> Result<Weight, StoreError> {
        let mut weight = Weight::default();
        loop {
            weight = self.read(move |archive| archive.weigh(weight)).await?;
            if weight.is_whole {
                return Ok(weight);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Begins to write the store anew, which has so many bytes to keep, as [`Store::weigh`] counts.
    ///
    /// # Errors
    /// There is too little room on the disk, or a file cannot be made.
    pub async fn begin_copy(&self, live: u64) -> Result<(), StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.begin_copy(live))).await
    }

    /// Writes the next slice, and after the last one makes the copy the store.
    ///
    /// # Errors
    /// It cannot be written, or differs: the store then is as it was, and must be begun with anew.
    pub async fn copy_on(&self) -> Result<Step, StoreError> {
        let step = |keeper: &mut Keeper| {
            if !keeper.write(Archive::copy_on)? {
                return Ok(Step::Going);
            }
            Ok(Step::Done(keeper.write(Archive::settle_copy)?))
        };
        self.work(step).await
    }

    /// Leaves off writing the store anew. What was written goes.
    ///
    /// # Errors
    /// The store has stopped.
    pub async fn drop_copy(&self) -> Result<(), StoreError> {
        let dropping = |archive: &mut Archive| {
            archive.drop_copy();
            Ok(())
        };
        self.work(move |keeper| keeper.write(dropping)).await
    }

    /// Writes the store anew, which has so many bytes to keep, as [`Store::weigh`] counts, with a
    /// pause between slices.
    ///
    /// # Errors
    /// As [`Store::begin_copy`] and [`Store::copy_on`].
    pub async fn compact(&self, live: u64, pause: Duration) -> Result<Compacted, StoreError> {
        let compacted = self.copy_all(live, pause).await;
        if compacted.is_err() {
            // What took too long to answer may be at work still.
            let _ = self.drop_copy().await;
        }
        compacted
    }

    async fn copy_all(&self, live: u64, pause: Duration) -> Result<Compacted, StoreError> {
        self.begin_copy(live).await?;
        loop {
            if let Step::Done(compacted) = self.copy_on().await? {
                return Ok(compacted);
            }
            // It may be that another thread is waited for.
            tokio::time::sleep(pause.max(PAUSE_MIN)).await;
        }
    }
}
