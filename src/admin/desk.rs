//! What whoever answers admins has before them: the board, the events, the measures, the readers.

use crate::admin::board::Board;
use crate::events::Journal;
use crate::serve::documents::Documents;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;

/// The ways in which events are delivered, as metrics name them.
pub const WAYS: [&str; 2] = ["webhook", "command"];
/// What came of a delivery, as metrics name it.
pub const FATES: [&str; 3] = ["delivered", "given_up", "dropped"];

/// All of it. Clones are one.
#[derive(Clone)]
pub struct Desk {
    /// The state of every feed.
    pub board: Board,
    /// What is served to readers, and the configuration that runs.
    pub documents: Documents,
    /// How many events were delivered in which way, in the order of [`WAYS`] and [`FATES`].
    pub deliveries: Arc<[[AtomicU64; FATES.len()]; WAYS.len()]>,
    journal: Arc<Mutex<Journal>>,
    measured: Arc<Mutex<Measured>>,
}

/// What is measured now and then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Whether the store could be read.
    pub is_readable: bool,
    /// How many bytes the store's files have.
    pub store_bytes: u64,
    /// How many bytes are free on its disk; none if the system does not tell.
    pub disk_free_bytes: Option<u64>,
    /// How many articles are published.
    pub articles: u64,
    /// How many publications hold an article.
    pub publications: u64,
}

impl Desk {
    /// A desk with nothing measured and no events yet.
    #[must_use]
    pub fn new(board: Board, documents: Documents) -> Self {
        Self {
            board,
            documents,
            deliveries: Arc::default(),
            journal: Arc::default(),
            measured: Arc::default(),
        }
    }

    /// The events.
    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was measured last.
    #[must_use]
    pub fn measured(&self) -> Measured {
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a measure down.
    pub fn measure(&self, measured: Measured) {
        *self.measured.lock().unwrap_or_else(PoisonError::into_inner) = measured;
    }
}
