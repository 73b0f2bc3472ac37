//! The store written anew, because the engine gives no disk back: a slice at a time, between other
//! commands.
//!
//! # How
//! A second engine in a directory inside that of the store gets every pair, and from the beginning
//! every batch that is committed meanwhile. When all is copied it is made durable, closed, opened
//! again, and compared with the store pair by pair. Then its directory is renamed: from that instant
//! it is the store. Its files are moved to where those of the store are, and the old ones go. The
//! engine stays open all the while: it finds its files by a link, which then leads elsewhere.
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
use crate::store::engine::Cause;
use crate::store::engine::Engine;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::files::DATA;
use crate::store::files::LARGE_VALUES;
use crate::store::files::SETTINGS;
use crate::store::files::SNAPSHOT;
use crate::store::files::free_bytes;
use crate::store::files::size_bytes;
use crate::store::files::sync_folder;
use rustix::fs::FlockOperation;
use rustix::fs::flock;
use std::cell::RefCell;
use std::fs;
use std::fs::File;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

/// What is copied so far, and nobody's store.
const COPYING: &str = "compacting";
/// What is a store: the old files are to go.
const COPIED: &str = "compacted";
/// The beginning of the links by which an engine finds its files that was a copy.
const LINK: &str = "compacting.";

/// How many pairs are read at once, and how many pairs or bytes a slice has.
const CHUNK: usize = 64;
const SLICE_PAIRS_MAX: usize = 1_000;
const SLICE_BYTES_MAX: usize = 1024 * 1024;
/// After so many bytes the copy is made durable: seldom, because the engine pads what it writes then,
/// and often enough that the last time is no long wait.
const UNSYNCED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A new store has about three times the bytes of what is in it.
const GROWTH: u64 = 4;
/// So much of the disk is left alone.
const DISK_LEFT_MIN: u64 = 64 * 1024 * 1024;

/// How many bytes may be committed while the copy is opened again.
const PENDING_BYTES_MAX: usize = 64 * 1024 * 1024;

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
    /// None while it is opened again, on a thread of its own.
    to: Option<Engine>,
    opening: Option<JoinHandle<Result<Engine, StoreError>>>,
    /// What was committed meanwhile.
    pending: RefCell<Vec<Batch>>,
    link: PathBuf,
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
    Opening,
    Comparing,
    Whole,
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Its files may go now.
        if let Some(opening) = self.opening.take() {
            let _ = opening.join();
        }
    }
}

impl Copy {
    /// Takes over what was committed.
    pub(crate) fn commit(&self, batch: Batch) {
        let mut failed = self.failed.borrow_mut();
        if failed.is_some() {
            return;
        }
        if let Some(to) = &self.to {
            *failed = to.commit(batch).err();
            return;
        }
        let mut pending = self.pending.borrow_mut();
        pending.push(batch);
        if pending.iter().map(bytes_of_batch).sum::<usize>() > PENDING_BYTES_MAX {
            *failed = Some(self::failed(&self.link, &"more came than can wait for it"));
        }
    }

    fn engine(&self) -> Result<&Engine, StoreError> {
        self.to.as_ref().ok_or_else(|| failed(&self.link, &"it is not open"))
    }

    /// Begins to close it and to open it again: what was written is to be read from the disk.
    fn reopen(&mut self) {
        let (to, link) = (self.to.take(), self.link.clone());
        self.opening = Some(thread::spawn(move || {
            to.map_or(Ok(()), Engine::close)?;
            Engine::open(&link)
        }));
        self.stage = Stage::Opening;
    }

    /// Goes on with it once it is open again.
    fn is_reopened(&mut self) -> Result<bool, StoreError> {
        let Some(opening) = self.opening.take_if(|opening| opening.is_finished()) else {
            return Ok(false);
        };
        let panicked = |_| Err(failed(&self.link, &"its engine panicked"));
        let to = opening.join().unwrap_or_else(panicked)?;
        for batch in self.pending.take() {
            to.commit(batch)?;
        }
        (self.to, self.after, self.stage) = (Some(to), None, Stage::Comparing);
        Ok(true)
    }

    /// Writes a slice.
    fn write(&mut self, pairs: Vec<Pair>) -> Result<(), StoreError> {
        self.after = pairs.last().map(|(key, _)| key.clone());
        self.unsynced += pairs.iter().map(bytes_of).sum::<usize>();
        let batch = pairs.into_iter().map(|(key, value)| (key, Some(value))).collect();
        self.engine()?.commit(batch)?;
        if self.unsynced >= UNSYNCED_BYTES_MAX
            && let Some(to) = &mut self.to
        {
            self.unsynced = 0;
            to.sync()?;
        }
        Ok(())
    }

    /// Compares a slice. Whether it is the same.
    fn compare(&mut self, pairs: Vec<Pair>) -> Result<bool, StoreError> {
        let limit = pairs.len().max(1);
        let copied = self.engine()?.scan(&[], self.after.as_deref(), Order::Forward, limit)?;
        for (digest, pairs) in self.digests.iter_mut().zip([&pairs, &copied]) {
            for pair in pairs {
                feed(digest, pair);
            }
        }
        let [ours, theirs] = self.digests.each_ref().map(blake3::Hasher::finalize);
        let is_same = pairs.len() == copied.len() && ours == theirs;
        self.pairs += pairs.len() as u64;
        match pairs.into_iter().next_back() {
            Some((key, _)) => self.after = Some(key),
            None => self.stage = Stage::Whole,
        }
        Ok(is_same)
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
        let link = made(&directory).map_err(|error| failed(&directory, &error))?;
        let to = Some(Engine::open(&link).map_err(|error| failed(&directory, &error))?);
        self.engine.copy = Some(Box::new(Copy {
            to,
            opening: None,
            pending: RefCell::default(),
            link,
            after: None,
            stage: Stage::Copying,
            before: size_bytes(&directory),
            pairs: 0,
            unsynced: 0,
            digests: [blake3::Hasher::new(), blake3::Hasher::new()],
            longest: Duration::ZERO,
            failed: RefCell::default(),
        }));
        Ok(())
    }

    /// Leaves the store as it is. What was copied goes.
    pub(crate) fn drop_copy(&mut self) {
        let was_begun = self.engine.copy.take().is_some();
        let directory = self.engine.directory().join(COPYING);
        remove_links(self.engine.directory(), self.engine.link.as_deref());
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
        let pairs = match copy.stage {
            Stage::Opening => Vec::new(),
            _ => slice(&self.engine, copy.after.as_deref())?,
        };
        let is_right = match copy.stage {
            Stage::Copying if pairs.is_empty() => {
                copy.reopen();
                Ok(true)
            }
            Stage::Copying => copy.write(pairs).map(|()| true),
            Stage::Opening => copy.is_reopened().map(|_| true),
            Stage::Comparing | Stage::Whole => copy.compare(pairs),
        };
        if !is_right.map_err(|error| wrong(&error))? {
            return Err(wrong(&"what was copied differs from what is stored"));
        }
        let stage = copy.stage;
        self.engine.copy = Some(copy);
        Ok(stage)
    }

    /// Makes the copy the store. Before its directory is renamed an error leaves the store as it was,
    /// without a copy; after that nothing more is to be written until the next start.
    pub(crate) fn settle_copy(&mut self) -> Result<Compacted, StoreError> {
        let begun = Instant::now();
        let directory = self.engine.directory().to_owned();
        let wrong = |error: &dyn std::fmt::Display| failed(&directory, error);
        let Some(mut copy) = self.engine.copy.take().filter(|copy| copy.stage == Stage::Whole)
        else {
            return Err(wrong(&"it is not whole"));
        };
        let renamed = renamed(&mut copy, &directory);
        let Some(to) = copy.to.take().filter(|_| renamed.is_ok()) else {
            drop(copy);
            self.drop_copy();
            return Err(renamed.err().unwrap_or_else(|| wrong(&"it is not open")));
        };
        // The old one gives its lock back.
        self.engine = to.moved_to(&directory, &self.engine);
        let settled = settle(&directory)
            .map_err(|error| error.to_string())
            .and_then(|()| lead(&copy.link, ".").map_err(|error| error.to_string()));
        settled.map_err(|reason| StoreError::Engine {
            directory: directory.clone(),
            act: "move its files",
            cause: Cause::System,
            reason,
        })?;
        remove_links(&directory, Some(&copy.link));
        let longest = copy.longest.max(begun.elapsed());
        let (before, after) = (copy.before, size_bytes(&directory));
        Ok(Compacted { pairs: copy.pairs, before, after, longest })
    }
}

/// Makes the directory of a copy, and a link to it that no engine has.
fn made(directory: &Path) -> io::Result<PathBuf> {
    fs::create_dir(directory.join(COPYING))?;
    let mut numbers = 0_u32..;
    loop {
        let link = directory.join(format!("{LINK}{}", numbers.next().unwrap_or_default()));
        match symlink(COPYING, &link) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| link),
        }
    }
}

/// Has a link lead elsewhere, in one step.
fn lead(link: &Path, target: &str) -> io::Result<()> {
    let next = link.with_extension("next");
    symlink(target, &next)?;
    fs::rename(next, link)
}

/// Removes the links of engines that are no more.
fn remove_links(directory: &Path, but: Option<&Path>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_link = entry.file_name().to_string_lossy().starts_with(LINK);
        if is_link && but != Some(&entry.path()) {
            // It leads nowhere, and is looked for again at the next start.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes a copy durable, and its directory the store for whoever opens it next.
fn renamed(copy: &mut Copy, directory: &Path) -> Result<(), StoreError> {
    let wrong = |error: &dyn std::fmt::Display| failed(directory, error);
    if let Some(error) = copy.failed.borrow().as_ref() {
        return Err(wrong(error));
    }
    if let Some(to) = &mut copy.to {
        to.sync().map_err(|error| wrong(&error))?;
    }
    let [from, into] = [COPYING, COPIED].map(|name| directory.join(name));
    fs::rename(&from, &into).map_err(|error| wrong(&error))?;
    if let Err(error) = sync_folder(directory) {
        // Else the next start could find neither.
        fs::rename(&into, &from).map_err(|error| wrong(&error))?;
        return Err(wrong(&error));
    }
    Ok(())
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

fn bytes_of_batch(batch: &Batch) -> usize {
    batch.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum()
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
    let old = match File::open(directory.join(DATA)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        old => Some(old.map_err(wrong)?),
    };
    let lock = || {
        let locked = old.as_ref().map(|old| flock(old, FlockOperation::NonBlockingLockExclusive));
        locked.unwrap_or(Ok(()))
    };
    let mut tries = 1;
    while let Err(error) = lock() {
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
    remove_links(directory, None);
    let path = directory.join(COPYING);
    match fs::remove_dir_all(&path) {
        Ok(()) => tracing::info!("{}: an unfinished compaction is removed", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!("{} cannot be removed: {error}", path.display()),
    }
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1024 * 1024)
}

fn failed(directory: &Path, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Compaction { directory: directory.to_owned(), reason: reason.to_string() }
}
