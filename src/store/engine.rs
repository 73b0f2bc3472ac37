//! The engine: ordered keys and values, changed one batch at a time.
//!
//! `disk` keeps them in a directory. What else keeps them is a [`Medium`]: the simulation has one
//! that loses, fails and fills up as it is planned.

mod backwards;
mod disk;
#[cfg(test)]
pub(crate) mod doubtful;
mod undo;

use crate::store::copying::Copy;
use crate::store::copying::clear;
use crate::store::copying::settle;
use crate::store::engine::disk::Disk;
use crate::store::engine::undo::Undo;
use crate::store::error::StoreError;
use crate::store::snapshot::Snapshot;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Puts (a value) and deletes (none), which happen together or not at all.
pub type Batch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key with its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// In which order keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least first.
    Forward,
    /// The greatest first.
    Reverse,
}

/// Of what a fault tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Of what is there: it is not what was written.
    Content,
    /// Of the system, which refused: that is no word on what is there.
    System,
}

/// Why keys and values could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was about to be done.
    pub act: &'static str,
    /// Of what it tells.
    pub cause: Cause,
    /// What was seen.
    pub reason: String,
}

/// What keeps keys and values.
pub trait Medium: Debug + Send {
    /// The value at a key.
    ///
    /// # Errors
    /// It cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault>;

    /// At most `limit` pairs whose keys begin with `prefix`, beyond the key `after` if there is
    /// one.
    ///
    /// # Errors
    /// They cannot be read.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault>;

    /// Makes a batch visible, as a whole. It is durable after the next [`Medium::sync`]: after a
    /// crash before that the batches up to some one are there, and none after it.
    ///
    /// # Errors
    /// It cannot be written.
    fn commit(&self, batch: Batch) -> Result<(), Fault>;

    /// Makes every batch so far durable.
    ///
    /// # Errors
    /// They are not known to be.
    fn sync(&mut self) -> Result<(), Fault>;

    /// Begins anew with what is durable, after a write failed. What does not take writes yet is
    /// left as it is, so that it can be read on.
    ///
    /// # Errors
    /// It takes no writes, or cannot be begun anew.
    fn renew(&mut self) -> Result<(), Fault> {
        let reason = "visnyk has to be restarted".to_owned();
        Err(Fault { act: "be opened again", cause: Cause::System, reason })
    }

    /// Whether it was in use once, whatever it holds now.
    fn is_marked(&self) -> bool;

    /// Notes that it is in use, once it has something to lose.
    ///
    /// # Errors
    /// It cannot be noted.
    fn mark(&self) -> Result<(), Fault>;
}

/// The medium that a directory is, which is made if there is none, and locked.
///
/// # Errors
/// The directory cannot be used, or what is in it is damaged.
pub fn on_disk(directory: &Path) -> Result<Box<dyn Medium>, StoreError> {
    Ok(Box::new(Disk::open(directory)?))
}

/// Whether there is a store in a directory.
pub(crate) fn is_there(directory: &Path) -> bool {
    disk::is_there(directory)
}

/// An open engine.
#[derive(Debug)]
pub(crate) struct Engine {
    directory: PathBuf,
    medium: Box<dyn Medium>,
    steps: Steps,
    undo: RefCell<Undo>,
    /// By which link it finds its files, if it was a copy.
    pub(crate) link: Option<PathBuf>,
    /// What is to take its place, and gets every batch too.
    pub(crate) copy: Option<Box<Copy>>,
    /// A reading under way of the store as it was.
    pub(crate) snapshot: RefCell<Option<Snapshot>>,
}

/// How many times an engine was read or written: as long as it grows, the engine goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Steps(Arc<AtomicU64>);

impl Steps {
    /// So many.
    pub(crate) fn taken(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Engine {
    /// Opens a directory, which is made if there is none, and locks it.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        settle(directory)?;
        let engine = Self::over(directory, on_disk(directory)?);
        clear(directory);
        Ok(engine)
    }

    /// The engine over a medium, which is called by the name of a directory.
    pub(crate) fn over(directory: &Path, medium: Box<dyn Medium>) -> Self {
        let (steps, undo) = (Steps::default(), RefCell::default());
        let directory = directory.to_owned();
        Self {
            directory,
            medium,
            steps,
            undo,
            link: None,
            copy: None,
            snapshot: RefCell::default(),
        }
    }

    /// The same engine, whose files have moved there by now, in the place of another.
    pub(crate) fn moved_to(self, directory: &Path, in_place_of: &Self) -> Self {
        let (steps, snapshot) = (in_place_of.steps.clone(), in_place_of.snapshot.take().into());
        Self {
            link: Some(self.directory),
            directory: directory.to_owned(),
            steps,
            snapshot,
            ..self
        }
    }

    /// Where the store is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Counts on, whoever looks.
    pub(crate) fn steps(&self) -> Steps {
        self.steps.clone()
    }

    /// As [`Medium::is_marked`].
    pub(crate) fn is_marked(&self) -> bool {
        self.medium.is_marked()
    }

    /// As [`Medium::mark`].
    pub(crate) fn mark(&self) -> Result<(), StoreError> {
        self.medium.mark().map_err(|fault| self.refused(fault))
    }

    /// As [`Medium::get`].
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.steps.take();
        let undo = self.undo.borrow();
        if undo.covers(key) {
            return Ok(undo.durable(key));
        }
        self.medium.get(key).map_err(|fault| self.refused(fault))
    }

    /// As [`Medium::scan`].
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.steps.take();
        let undo = self.undo.borrow();
        let more = limit.saturating_add(undo.shown());
        let found = self.medium.scan(prefix, after, order, more);
        let found = found.map_err(|fault| self.refused(fault))?;
        Ok(undo.over(found, prefix, after, order, limit))
    }

    /// As [`Medium::commit`].
    pub(crate) fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.steps.take();
        if let Some(snapshot) = self.snapshot.borrow_mut().as_mut() {
            snapshot.keep(&batch, |key| self.get(key));
        }
        let mut undo = self.undo.borrow_mut();
        undo.note(&batch, |key| self.medium.get(key)).map_err(|fault| self.refused(fault))?;
        let copied = self.copy.as_ref().map(|copy| (copy, batch.clone()));
        self.medium.commit(batch).map_err(|fault| {
            undo.fail();
            self.refused(fault)
        })?;
        if let Some((copy, batch)) = copied {
            copy.commit(batch);
        }
        Ok(())
    }

    /// As [`Medium::sync`].
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.steps.take();
        let synced = self.medium.sync();
        if synced.is_ok() {
            self.undo.take();
        } else {
            self.undo.borrow_mut().fail();
        }
        synced.map_err(|fault| self.refused(fault))
    }

    /// From now on, until it is opened again, what was durable is read: something failed while more
    /// was being written.
    pub(crate) fn fall_back(&self) {
        self.undo.borrow_mut().fail();
    }

    /// As [`Medium::renew`].
    pub(crate) fn renew(&mut self) -> Result<(), StoreError> {
        // What is being copied got more than is there now.
        self.copy = None;
        // What is durable may be more than that: the write that failed may have come so far.
        if let Some(snapshot) = self.snapshot.borrow_mut().as_mut() {
            self.undo.borrow().keep_in(snapshot);
        }
        let renewed = self.medium.renew();
        if renewed.is_ok() {
            self.undo.take();
        }
        renewed.map_err(|fault| self.refused(fault))
    }

    /// Makes everything durable and gives the lock back.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.sync()
    }

    fn refused(&self, fault: Fault) -> StoreError {
        let Fault { act, cause, reason } = fault;
        StoreError::Engine { directory: self.directory.clone(), act, cause, reason }
    }
}
