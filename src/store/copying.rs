//! The store written anew, because the engine gives no disk back: a slice at a time, between other
//! commands.
//!
//! # How
//! A second engine in a directory inside that of the store gets every pair, and from the beginning
//! every batch that is committed meanwhile. When all is copied it is made durable, closed, opened
//! again, and compared with the store pair by pair. Then its directory is renamed: from that instant
//! it is the store. Its files are moved to where those of the store are, and the old ones go.
//!
//! The directory lies inside, not beside: a service may write in its state directory and nowhere
//! else.
//!
//! # Crashes
//! Before the rename the old store is whole, and what was copied is removed at the next start. After
//! it the copy is whole, and what is left to be moved is moved at the next start. Each file is moved
//! by one rename, the data file last; what is no more in the directory of the copy has been.

use crate::store::archive::Archive;
use crate::store::engine::Batch;
use crate::store::engine::Engine;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use rustix::fs::FlockOperation;
use rustix::fs::flock;
use rustix::fs::statvfs;
use std::cell::RefCell;
use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// What is copied so far, and nobody's store.
const COPYING: &str = "compacting";
/// What is a store: the old files are to go.
const COPIED: &str = "compacted";
const DATA: &str = "db";
const LARGE_VALUES: &str = "blobs";
const SETTINGS: &str = "conf";
const SNAPSHOT: &str = "snap.";

/// How many pairs are read at once, and how many pairs or bytes a slice has.
const CHUNK: usize = 64;
const SLICE_PAIRS_MAX: usize = 1_000;
const SLICE_BYTES_MAX: usize = 1024 * 1024;
/// After so many bytes the copy is made durable: seldom, because the engine pads what it writes then,
/// and often enough that the last time is no long wait.
const UNSYNCED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A new store is larger than what is in it by this at most.
const GROWTH: u64 = 3;
/// So much of the disk is left alone.
const DISK_LEFT_MIN: u64 = 64 * 1024 * 1024;

const LOCK_TRIES_MAX: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// How many pairs a store has, and how many bytes they have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weight {
    /// The pairs.
    pub pairs: u64,
    /// The bytes of keys and values: what the store has to keep.
    pub bytes: u64,
    /// The key after which the rest is; none if there is no more.
    pub(crate) after: Option<Vec<u8>>,
    pub(crate) is_whole: bool,
}

/// How far a compaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is more to do.
    Going,
    /// The store is the new one.
    Done(Compacted),
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// The pairs of the store.
    pub pairs: u64,
    /// How many bytes its files had.
    pub before: u64,
    /// How many they have.
    pub after: u64,
    /// How long other commands had to wait at most.
    pub longest: Duration,
}

/// A store that is being written anew.
#[derive(Debug)]
pub(crate) struct Copy {
    to: Engine,
    after: Option<Vec<u8>>,
    stage: Stage,
    before: u64,
    pairs: u64,
    /// How many bytes were written since it was last made durable.
    unsynced: usize,
    digests: [blake3::Hasher; 2],
    longest: Duration,
    /// Why it cannot become a store any more.
    failed: RefCell<Option<StoreError>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Copying,
    Comparing,
    Whole,
}

impl Copy {
    /// Takes over what was committed.
    pub(crate) fn commit(&self, batch: Batch) {
        let mut failed = self.failed.borrow_mut();
        if failed.is_none() {
            *failed = self.to.commit(batch).err();
        }
    }
}

impl Archive {
    /// Counts the next slice of all that is stored.
    pub(crate) fn weigh(&self, mut weight: Weight) -> Result<Weight, StoreError> {
        let pairs = slice(&self.engine, weight.after.as_deref())?;
        weight.pairs += pairs.len() as u64;
        weight.bytes += pairs.iter().map(bytes_of).sum::<usize>() as u64;
        weight.is_whole = pairs.is_empty();
        weight.after = pairs.into_iter().next_back().map(|(key, _)| key).or(weight.after);
        Ok(weight)
    }

    /// Begins to write the store anew, which has so many bytes to keep, if there is room for it.
    pub(crate) fn begin_copy(&mut self, live: u64) -> Result<(), StoreError> {
        let directory = self.engine.directory().to_owned();
        let needed = live.saturating_mul(GROWTH).saturating_add(DISK_LEFT_MIN);
        let free = free_bytes(&directory).map_err(|error| failed(&directory, &error))?;
        if free < needed {
            return Err(StoreError::NoRoom { directory, needed: mib(needed), free: mib(free) });
        }
        self.drop_copy();
        let to = Engine::open(&directory.join(COPYING)).map_err(|e| failed(&directory, &e))?;
        self.engine.copy = Some(Box::new(Copy {
            to,
            after: None,
            stage: Stage::Copying,
            before: size_bytes(&directory),
            pairs: 0,
            unsynced: 0,
            digests: [blake3::Hasher::new(), blake3::Hasher::new()],
            longest: Duration::ZERO,
            failed: RefCell::new(None),
        }));
        Ok(())
    }

    /// Leaves the store as it is. What was copied goes.
    pub(crate) fn drop_copy(&mut self) {
        let was_begun = self.engine.copy.take().is_some();
        let directory = self.engine.directory().join(COPYING);
        if (was_begun || directory.exists())
            && let Err(error) = fs::remove_dir_all(&directory)
        {
            tracing::warn!("{} is not removed until the next start: {error}", directory.display());
        }
    }

    /// Copies or compares the next slice. Whether the copy is whole, and may become the store. After
    /// an error there is no copy.
    pub(crate) fn copy_on(&mut self) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let directory = self.engine.directory().to_owned();
        let result = self.next_slice(&directory);
        match result {
            Ok(stage) => {
                if let Some(copy) = &mut self.engine.copy {
                    copy.longest = copy.longest.max(begun.elapsed());
                }
                Ok(stage == Stage::Whole)
            }
            Err(error) => {
                self.drop_copy();
                Err(error)
            }
        }
    }

    fn next_slice(&mut self, directory: &Path) -> Result<Stage, StoreError> {
        let wrong = |error: &dyn std::fmt::Display| failed(directory, error);
        let Some(mut copy) = self.engine.copy.take() else {
            return Err(wrong(&"it was not begun"));
        };
        if let Some(error) = copy.failed.borrow().as_ref() {
            return Err(wrong(error));
        }
        let free = free_bytes(directory).map_err(|error| wrong(&error))?;
        if free < DISK_LEFT_MIN {
            let (needed, free) = (mib(DISK_LEFT_MIN), mib(free));
            return Err(StoreError::NoRoom { directory: directory.to_owned(), needed, free });
        }
        let pairs = slice(&self.engine, copy.after.as_deref())?;
        match copy.stage {
            Stage::Copying if pairs.is_empty() => {
                // What was written is read again from the disk.
                let path = copy.to.directory().to_owned();
                copy.to.sync().map_err(|error| wrong(&error))?;
                *copy = reopened(*copy, &path).map_err(|error| wrong(&error))?;
            }
            Stage::Copying => {
                copy.after = pairs.last().map(|(key, _)| key.clone());
                copy.unsynced += pairs.iter().map(bytes_of).sum::<usize>();
                let batch = pairs.into_iter().map(|(key, value)| (key, Some(value))).collect();
                copy.to.commit(batch).map_err(|error| wrong(&error))?;
                if copy.unsynced >= UNSYNCED_BYTES_MAX {
                    copy.unsynced = 0;
                    copy.to.sync().map_err(|error| wrong(&error))?;
                }
            }
            Stage::Comparing | Stage::Whole => {
                let after = copy.after.as_deref();
                let limit = pairs.len().max(1);
                let copied = copy.to.scan(&[], after, Order::Forward, limit);
                let copied = copied.map_err(|error| wrong(&error))?;
                for (digest, pairs) in copy.digests.iter_mut().zip([&pairs, &copied]) {
                    pairs.iter().for_each(|pair| feed(digest, pair));
                }
                let [ours, theirs] = [&copy.digests[0], &copy.digests[1]].map(|d| d.finalize());
                if pairs.len() != copied.len() || ours != theirs {
                    return Err(wrong(&"what was copied differs from what is stored"));
                }
                copy.pairs += pairs.len() as u64;
                match pairs.into_iter().next_back() {
                    Some((key, _)) => copy.after = Some(key),
                    None => copy.stage = Stage::Whole,
                }
            }
        }
        let stage = copy.stage;
        self.engine.copy = Some(copy);
        Ok(stage)
    }

    /// Makes the copy the store, for whoever opens it from now on. It has to be opened anew: what is
    /// written here after this is lost. After an error nothing has changed, and there is no copy.
    pub(crate) fn settle_copy(&mut self) -> Result<Compacted, StoreError> {
        let directory = self.engine.directory().to_owned();
        let renamed = self.rename_copy(&directory);
        if renamed.is_err() {
            self.drop_copy();
        }
        renamed
    }

    fn rename_copy(&mut self, directory: &Path) -> Result<Compacted, StoreError> {
        let wrong = |error: &dyn std::fmt::Display| failed(directory, error);
        let copy = self.engine.copy.take().filter(|copy| copy.stage == Stage::Whole);
        let Some(copy) = copy else { return Err(wrong(&"it is not whole")) };
        let Copy { to, before, pairs, longest, failed, .. } = *copy;
        if let Some(error) = failed.into_inner() {
            return Err(wrong(&error));
        }
        to.close().map_err(|error| wrong(&error))?;
        let [from, into] = [COPYING, COPIED].map(|name| directory.join(name));
        fs::rename(&from, &into).map_err(|error| wrong(&error))?;
        if let Err(error) = sync_folder(directory) {
            // Else the next start could find neither.
            fs::rename(&into, &from).map_err(|error| wrong(&error))?;
            return Err(wrong(&error));
        }
        Ok(Compacted { pairs, before, after: size_bytes(&into), longest })
    }
}

/// The next pairs of a slice.
fn slice(engine: &Engine, after: Option<&[u8]>) -> Result<Vec<Pair>, StoreError> {
    let mut pairs: Vec<Pair> = Vec::new();
    let mut bytes = 0;
    while pairs.len() < SLICE_PAIRS_MAX && bytes < SLICE_BYTES_MAX {
        let after = pairs.last().map(|(key, _)| key.as_slice()).or(after);
        let chunk = engine.scan(&[], after, Order::Forward, CHUNK)?;
        bytes += chunk.iter().map(bytes_of).sum::<usize>();
        let is_last = chunk.len() < CHUNK;
        pairs.extend(chunk);
        if is_last {
            break;
        }
    }
    Ok(pairs)
}

fn reopened(copy: Copy, path: &Path) -> Result<Copy, StoreError> {
    let Copy { to, before, digests, longest, failed, .. } = copy;
    to.close()?;
    let to = Engine::open(path)?;
    let stage = Stage::Comparing;
    Ok(Copy { to, after: None, stage, before, pairs: 0, unsynced: 0, digests, longest, failed })
}

fn bytes_of((key, value): &Pair) -> usize {
    key.len() + value.len()
}

fn feed(digest: &mut blake3::Hasher, (key, value): &Pair) {
    for part in [key, value] {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
}

/// Brings to an end what a compaction left after its rename. The store is not open.
pub(crate) fn settle(directory: &Path) -> Result<(), StoreError> {
    let copied = directory.join(COPIED);
    let wrong = |error: io::Error| failed(directory, &error);
    if !copied.exists() {
        return Ok(());
    }
    // Who holds it does the same.
    let old = File::open(directory.join(DATA)).map_err(wrong)?;
    let mut tries = 1;
    while let Err(error) = flock(&old, FlockOperation::NonBlockingLockExclusive) {
        if error != rustix::io::Errno::WOULDBLOCK {
            return Err(wrong(error.into()));
        }
        if tries == LOCK_TRIES_MAX {
            return Err(StoreError::Locked { directory: directory.to_owned() });
        }
        tries += 1;
        thread::sleep(LOCK_PAUSE);
    }
    if copied.join(DATA).exists() {
        move_files(&copied, directory).map_err(wrong)?;
    }
    match fs::remove_dir_all(&copied) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(wrong(error)),
        _ => Ok(()),
    }
}

fn move_files(copied: &Path, directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // They tell of the old data file.
        if entry.file_name().to_string_lossy().starts_with(SNAPSHOT) {
            fs::remove_file(entry.path())?;
        }
    }
    let large = copied.join(LARGE_VALUES);
    if large.exists() {
        match fs::remove_dir_all(directory.join(LARGE_VALUES)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(large, directory.join(LARGE_VALUES))?;
    }
    let settings = copied.join(SETTINGS);
    if settings.exists() {
        fs::rename(settings, directory.join(SETTINGS))?;
    }
    sync_folder(directory)?;
    fs::rename(copied.join(DATA), directory.join(DATA))?;
    sync_folder(directory)
}

/// Removes what an unfinished compaction left. The store is locked by who calls this.
pub(crate) fn clear(directory: &Path) {
    let path = directory.join(COPYING);
    match fs::remove_dir_all(&path) {
        Ok(()) => tracing::info!("{}: an unfinished compaction is removed", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
    }
}

/// How many bytes the files of a store have; not those of anything beside it.
pub(crate) fn size_bytes(directory: &Path) -> u64 {
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let inside = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
    let large = inside(&directory.join(LARGE_VALUES)).map(|entry| size(&entry.path())).sum::<u64>();
    let snapshots = inside(directory)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(SNAPSHOT))
        .map(|entry| size(&entry.path()))
        .sum::<u64>();
    size(&directory.join(DATA)) + large + snapshots
}

fn free_bytes(directory: &Path) -> io::Result<u64> {
    let disk = statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn sync_folder(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1024 * 1024)
}

fn failed(directory: &Path, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Compaction { directory: directory.to_owned(), reason: reason.to_string() }
}
