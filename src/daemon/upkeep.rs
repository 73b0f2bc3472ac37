//! The store kept within its bounds while the daemon runs: articles that are kept no longer go, and
//! the store is written anew when most of its files is waste.
//!
//! In slices with pauses: polls and readers go first. One at a time: who asks while it is at work is
//! told so, or waits.

use crate::admin::board::Board;
use crate::model::clock::Clock;
use crate::model::publication::Selection;
use crate::serve::documents::Documents;
use crate::store::Store;
use crate::store::copying::Compacted;
use crate::store::error::StoreError;
use crate::store::retain::Act;
use crate::store::retain::Pass;
use crate::store::retain::Tally;
use crate::upkeep::compacted as told_of;
use crate::upkeep::tally_in_json;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::info;
use tracing::warn;

/// After the start, so that the first polls and readers go first.
const BEGUN_AFTER: Duration = Duration::from_secs(20);
/// How often all articles are looked at.
const EVERY: Duration = Duration::from_hours(1);
/// Between two slices.
const PAUSE: Duration = Duration::from_millis(50);
/// A store that is smaller is not worth it: the engine keeps so much for itself.
const WASTE_BYTES_MIN: u64 = 256 * 1024 * 1024;
/// How many times its content a store may have on the disk. A new one has about three times, so that
/// half of it is given back at least, and it is not done over and over.
const WASTE_TIMES: u64 = 6;

/// What keeps the store within its bounds. Clones are one.
#[derive(Clone)]
pub(crate) struct Upkeep {
    store: Store,
    documents: Documents,
    board: Board,
    clock: Clock,
    /// Held by who is at work.
    work: Arc<Mutex<()>>,
    changed: Arc<Notify>,
}

impl Upkeep {
    pub(crate) fn new(store: Store, documents: Documents, board: Board, clock: Clock) -> Self {
        Self { store, documents, board, clock, work: Arc::default(), changed: Arc::default() }
    }

    /// Goes by the configuration that holds now.
    pub(crate) async fn change(&self) {
        let retention = Arc::new(self.documents.config().retention.clone());
        if let Err(error) = self.store.keep_by(retention).await {
            warn!("the store does not know how long articles are kept: {error}");
        }
        self.changed.notify_one();
    }

    /// Keeps the store within its bounds, for ever.
    pub(crate) async fn follow(&self) -> Infallible {
        self.tell().await;
        // How large the store was when it was not worth it.
        let mut weighed = 0;
        sleep(BEGUN_AFTER).await;
        loop {
            if !self.documents.config().retention.keeps_everything() {
                match self.look_over(Act::Drop).await {
                    Ok(Tally { dropped: 0, .. }) => {}
                    Ok(Tally { seen, dropped, pages, .. }) => info!(
                        seen,
                        dropped, pages, "{dropped} of {seen} articles were kept no longer"
                    ),
                    Err(error) => warn!("which articles are kept is looked at later: {error}"),
                }
            }
            let size = self.store.size_bytes();
            if size >= WASTE_BYTES_MIN && size / 5 * 4 >= weighed {
                weighed = size;
                if let Err(error) = self.compact_if_wasteful(size).await {
                    warn!("{error}");
                }
            }
            self.tell().await;
            tokio::select! {
                () = sleep(EVERY) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    async fn compact_if_wasteful(&self, size: u64) -> Result<(), StoreError> {
        let _work = self.work.lock().await;
        let live = self.store.weigh(PAUSE).await?.bytes;
        if size / WASTE_TIMES > live {
            self.compact(live).await?;
        }
        Ok(())
    }

    /// Looks at all articles. Documents that lose one are stale.
    async fn look_over(&self, act: Act) -> Result<Tally, StoreError> {
        let _work = self.work.lock().await;
        let retention = Arc::new(self.documents.config().retention.clone());
        let now = self.clock.now();
        let mut pass = Pass::new(retention, act, now);
        let mut touched = BTreeSet::<Selection>::new();
        while !pass.is_done() {
            pass = match self.store.retain(pass).await {
                Ok(pass) => pass,
                Err(error) => {
                    // What was written of it, if anything, is not known.
                    self.documents.touch_all();
                    return Err(error);
                }
            };
            self.documents.touch(&pass.touched);
            touched.append(&mut pass.touched);
            sleep(PAUSE).await;
        }
        // Pages of archives have lost articles too, or are gone.
        self.documents.take_away(&touched);
        let tally = pass.tally;
        if act == Act::Drop {
            self.board.articles_dropped(now, tally.dropped);
        }
        Ok(tally)
    }

    /// Writes the store anew, which has so many bytes to keep. Whoever calls this is at work.
    async fn compact(&self, live: u64) -> Result<Compacted, StoreError> {
        info!("the store is being written anew");
        let compacted = self.store.compact(live, PAUSE).await?;
        info!("{}", told_of(&compacted));
        self.board.store_compacted(self.clock.now());
        Ok(compacted)
    }

    /// Tells how large the store is, and how much was dropped.
    async fn tell(&self) {
        match self.store.dropped_ever().await {
            Ok(dropped) => self.board.store_measured(self.store.size_bytes(), dropped),
            Err(error) => warn!("how many articles were dropped is not known: {error}"),
        }
    }

    /// Looks at all articles because an admin asks, and gives what goes as an object.
    pub(crate) async fn retention_asked(&self, act: Act) -> Result<String, String> {
        let upkeep = self.clone();
        // A task of its own: who asked may be gone before it is done, and documents are to be told.
        let looking = tokio::spawn(async move {
            let tally = upkeep.look_over(act).await?;
            upkeep.tell().await;
            Ok::<_, StoreError>(tally)
        });
        let tally = looking.await.map_err(|panic| format!("it broke off: {panic}"))?;
        let tally = tally.map_err(|error| error.to_string())?;
        Ok(tally_in_json(&tally, act).to_string())
    }

    /// Writes the store anew because an admin asks, and tells how that went.
    pub(crate) async fn compaction_asked(&self) -> Result<String, String> {
        if self.work.try_lock().is_err() {
            return Err("the daemon is at work on the store already: ask again later".to_owned());
        }
        let upkeep = self.clone();
        // As above: a store that is half written would get every commit for ever.
        let compacting = tokio::spawn(async move {
            let work = upkeep.work.lock().await;
            let live = upkeep.store.weigh(PAUSE).await?.bytes;
            let compacted = upkeep.compact(live).await?;
            drop(work);
            upkeep.tell().await;
            Ok::<_, StoreError>(compacted)
        });
        let compacted = compacting.await.map_err(|panic| format!("it broke off: {panic}"))?;
        compacted.map(|compacted| told_of(&compacted)).map_err(|error| error.to_string())
    }
}
