//! The whole store as it was at one instant, in slices, for whoever writes it down elsewhere.

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::lines::Names;
use crate::store::lines::Unread;
use crate::store::lines::line_of;
use crate::store::snapshot::Extent;
use crate::store::snapshot::Slice;
use crate::store::snapshot::Snapshot;
use crate::store::writer::Keeper;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// A reading of the whole store that has begun.
#[derive(Debug)]
pub struct Dump {
    store: Store,
    number: u64,
}

impl Store {
    /// Begins to read what the store holds now. Commits go on meanwhile, and do not change what is
    /// read.
    ///
    /// # Errors
    /// Another reading is under way, or the store has stopped.
    pub async fn dump(&self) -> Result<Dump, StoreError> {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        self.read(move |archive| Snapshot::begin(&archive.engine, number, Extent::Told)).await?;
        Ok(Dump { store: self.clone(), number })
    }
}

impl Dump {
    /// The next slice.
    ///
    /// # Errors
    /// The engine cannot read, too much was changed meanwhile, or the store has stopped.
    pub async fn slice(&self) -> Result<Slice, StoreError> {
        let number = self.number;
        self.store.read(move |archive| Snapshot::slice(&archive.engine, number)).await
    }

    /// Ends the reading, whole or not.
    pub async fn end(self) {
        let number = self.number;
        let end = move |keeper: &mut Keeper| {
            keeper.read(|archive| {
                Snapshot::end(&archive.engine, number);
                Ok(())
            })
        };
        // A store that has stopped keeps nothing.
        let _ = self.store.work(end).await;
    }
}

/// Writes the records of slices down, a line each.
#[derive(Debug, Default)]
pub struct Scribe {
    names: Names,
    /// How many lines of each kind there are.
    pub counts: BTreeMap<String, u64>,
    /// What does not read.
    pub unread: Vec<Unread>,
}

impl Scribe {
    /// Adds the lines of a slice to a text.
    ///
    /// # Errors
    /// A record is no JSON.
    pub fn write(&mut self, slice: &Slice, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        for (key, value) in &slice.pairs {
            let (line, unread) = line_of(&mut self.names, key, value);
            self.unread.extend(unread);
            let begin = to.len();
            serde_json::to_writer(&mut *to, &line)?;
            let kind = kind_of(&to[begin..]).unwrap_or_default().to_owned();
            *self.counts.entry(kind).or_default() += 1;
            to.push(b'\n');
        }
        Ok(())
    }
}

/// The kind of a line, which it begins with.
#[must_use]
pub fn kind_of(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(br#"{"kind":""#)?;
    std::str::from_utf8(rest.split(|byte| *byte == b'"').next()?).ok()
}

impl Slice {
    /// Whether it is the last.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}
