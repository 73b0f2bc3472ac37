//! Old and likely bugs, put back at the seams: what the simulation has to find.

use crate::disk::Disk;
use visnyk::store::engine::Batch;
use visnyk::store::engine::Fault;
use visnyk::store::engine::Medium;
use visnyk::store::engine::Order;
use visnyk::store::engine::Pair;

/// The first byte of the keys of histories, and of claims of IRIs (`src/store/keys.rs`).
const HISTORY: u8 = b'h';
const CLAIM: u8 = b'c';

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A poll is acknowledged before it is durable: the engine's `flush` is no fsync.
    SyncsNothing,
    /// Validators are kept without the articles that they vouch for: two batches for one poll.
    HalvesBatches,
    /// After a restart nothing is remembered of the servers: neither validators nor Retry-After.
    ForgetsHistories,
    /// Two articles bear one IRI: a claim of another feed is not seen.
    SeesNoClaims,
    /// A host is not left alone between two requests.
    MakesNoPause,
}

/// A disk under a store that has a bug, if one.
#[derive(Debug)]
pub(crate) struct Buggy {
    disk: Disk,
    bug: Option<Bug>,
}

impl Buggy {
    pub(crate) fn new(disk: Disk, bug: Option<Bug>) -> Self {
        if bug == Some(Bug::ForgetsHistories) {
            let histories = disk.scan(&[HISTORY], None, Order::Forward, usize::MAX);
            let gone = histories.unwrap_or_default().into_iter().map(|(key, _)| (key, None));
            // Whatever goes wrong with it is found by who uses the disk next.
            let _ = disk.commit(gone.collect());
        }
        Self { disk, bug }
    }
}

impl Medium for Buggy {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if self.bug == Some(Bug::SeesNoClaims) && key.first() == Some(&CLAIM) {
            return Ok(None);
        }
        self.disk.get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        self.disk.scan(prefix, after, order, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), Fault> {
        if self.bug == Some(Bug::HalvesBatches) {
            let is_history = |key: &[u8]| key.first() == Some(&HISTORY);
            let (first, rest): (Batch, Batch) =
                batch.into_iter().partition(|(key, _)| is_history(key));
            self.disk.commit(first)?;
            return self.disk.commit(rest);
        }
        self.disk.commit(batch)
    }

    fn sync(&mut self) -> Result<(), Fault> {
        if self.bug == Some(Bug::SyncsNothing) {
            return Ok(());
        }
        self.disk.sync()
    }

    fn is_marked(&self) -> bool {
        self.disk.is_marked()
    }

    fn mark(&self) -> Result<(), Fault> {
        self.disk.mark()
    }
}
