//! What was touched, for whoever keeps copies of documents and is told later.

use crate::model::publication::Selection;
use std::collections::BTreeSet;
use std::mem::take;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tokio::sync::Notify;

/// What copies of documents lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// These publications were touched, and the lists with them; nothing, if there are none.
    Of(BTreeSet<Selection>),
    /// Anything: what was written is not known.
    Unknown,
}

impl Default for Lack {
    fn default() -> Self {
        Self::Of(BTreeSet::new())
    }
}

impl Lack {
    /// Whether there is none.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Of(selections) if selections.is_empty())
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Of(mut selections), Self::Of(others)) => {
                selections.extend(others);
                Self::Of(selections)
            }
            _ => Self::Unknown,
        }
    }
}

/// A heap of it: as many publications as the site has, at most.
#[derive(Debug, Default)]
pub struct Stale {
    heap: Mutex<Lack>,
    grew: Notify,
}

impl Stale {
    /// Puts something upon the heap.
    pub(crate) fn add(&self, lack: Lack) {
        let mut heap = self.heap();
        *heap = take(&mut *heap).and(lack);
        drop(heap);
        self.grew.notify_one();
    }

    /// Takes the heap.
    #[must_use]
    pub fn take(&self) -> Lack {
        take(&mut *self.heap())
    }

    /// Ends when something was put there since this last ended. For one who waits.
    pub async fn grown(&self) {
        self.grew.notified().await;
    }

    fn heap(&self) -> MutexGuard<'_, Lack> {
        // A lack is put there whole or not at all.
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
