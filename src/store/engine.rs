//! The engine: ordered keys and values on a disk, changed one batch at a time.
//!
//! The only file that knows which engine it is. Another one would have to give what is public
//! here: get, scan, commit, sync, close.
//!
//! # Why sled is used so
//! One tree and one batch for each commit: a batch is there as a whole after a crash or not at
//! all, which is not so of batches in several trees. Its `flush` is no fsync, so the data file is
//! synchronised on a second handle, and with it the files of large values, which the engine
//! leaves to the operating system. No background flusher: nobody else decides when to write.

use crate::store::error::StoreError;
use crate::store::snapshot::Snapshot;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// A process that ends gives its lock back a little after its last word.
const LOCK_TRIES_MAX: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Says that the store was in use once: the engine takes a ruined data file for a new one.
const MARK: &str = "in-use";

/// Puts (a value) and deletes (none), which happen together or not at all.
pub(crate) type Batch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key with its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// In which order keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The least first.
    Forward,
    /// The greatest first.
    Reverse,
}

/// Whether there is a store in a directory.
pub(crate) fn is_there(directory: &Path) -> bool {
    directory.join("db").exists()
}

/// An open store directory.
#[derive(Debug)]
pub(crate) struct Engine {
    directory: PathBuf,
    db: sled::Db,
    data: File,
    large_synced: BTreeSet<OsString>,
    /// A reading under way of the store as it was.
    pub(crate) snapshot: RefCell<Option<Snapshot>>,
}

impl Engine {
    /// Opens a directory, which is made if there is none, and locks it.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let cannot = |error: io::Error| StoreError::Directory {
            directory: directory.to_owned(),
            reason: error.to_string(),
        };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(cannot)?;
        let db = open_unlocked(directory)?;
        let data = File::open(directory.join("db")).map_err(cannot)?;
        // The names of new files are part of what must be durable.
        File::open(directory).and_then(|folder| folder.sync_all()).map_err(cannot)?;
        let (directory, large_synced) = (directory.to_owned(), BTreeSet::new());
        Ok(Self { directory, db, data, large_synced, snapshot: RefCell::default() })
    }

    /// Where the store is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the store was in use once, whatever the engine makes of it now.
    pub(crate) fn is_marked(&self) -> bool {
        self.directory.join(MARK).exists()
    }

    /// Notes that the store is in use, once it has something to lose.
    pub(crate) fn mark(&self) -> Result<(), StoreError> {
        if self.is_marked() {
            return Ok(());
        }
        let created = File::create(self.directory.join(MARK)).and_then(|file| file.sync_all());
        let durable = created.and_then(|()| File::open(&self.directory)?.sync_all());
        durable.map_err(|error| self.cannot("mark its directory", &error))
    }

    /// The value at a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.db.get(key).map_err(|error| self.cannot("read", &error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    /// At most `limit` pairs whose keys begin with `prefix`, beyond the key `after` if there is
    /// one.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        let own = |(key, value): (sled::IVec, sled::IVec)| (key.to_vec(), value.to_vec());
        let pairs: Result<Vec<Pair>, sled::Error> = match (order, after) {
            (Order::Forward, Some(after)) => {
                let range = self.db.range::<&[u8], _>((Bound::Excluded(after), Bound::Unbounded));
                let inside = |pair: &Result<_, _>| begins(pair, prefix);
                range.take_while(inside).take(limit).map(|pair| pair.map(own)).collect()
            }
            (Order::Reverse, Some(after)) => {
                let range = self.db.range(..after).rev();
                let inside = |pair: &Result<_, _>| begins(pair, prefix);
                range.take_while(inside).take(limit).map(|pair| pair.map(own)).collect()
            }
            (Order::Forward, None) => {
                self.db.scan_prefix(prefix).take(limit).map(|pair| pair.map(own)).collect()
            }
            (Order::Reverse, None) => {
                self.db.scan_prefix(prefix).rev().take(limit).map(|pair| pair.map(own)).collect()
            }
        };
        pairs.map_err(|error| self.cannot("read", &error))
    }

    /// Makes a batch visible, as a whole. It is durable after the next [`Engine::sync`].
    pub(crate) fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if let Some(snapshot) = self.snapshot.borrow_mut().as_mut() {
            snapshot.keep(&batch, |key| self.get(key));
        }
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        self.db.apply_batch(writes).map_err(|error| self.cannot("write", &error))
    }

    /// Makes every batch so far durable.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        self.db.flush().map_err(|error| self.cannot("flush", &error))?;
        let synced = self.sync_large_values().and_then(|()| self.data.sync_data());
        synced.map_err(|error| self.cannot("synchronise its files", &error))
    }

    /// Makes everything durable and gives the lock back.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.sync()
    }

    // The engine puts a page that outgrows a segment in a file of its own under `blobs`.
    fn sync_large_values(&mut self) -> io::Result<()> {
        let folder = self.directory.join("blobs");
        let mut names = BTreeSet::new();
        for file in folder.read_dir()? {
            names.insert(file?.file_name());
        }
        let fresh: Vec<&OsString> = names.difference(&self.large_synced).collect();
        for name in &fresh {
            match File::open(folder.join(name)) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !fresh.is_empty() {
            File::open(&folder)?.sync_all()?;
        }
        self.large_synced = names;
        Ok(())
    }

    fn cannot(&self, act: &'static str, error: &dyn std::error::Error) -> StoreError {
        let (directory, reason) = (self.directory.clone(), error.to_string());
        StoreError::Engine { directory, act, reason }
    }
}

fn begins(pair: &Result<(sled::IVec, sled::IVec), sled::Error>, prefix: &[u8]) -> bool {
    pair.as_ref().is_ok_and(|(key, _)| key.starts_with(prefix)) || pair.is_err()
}

fn open_unlocked(directory: &Path) -> Result<sled::Db, StoreError> {
    let config =
        sled::Config::new().path(directory).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let mut tries = 1;
    loop {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(error) if is_lock(&error) && tries < LOCK_TRIES_MAX => {
                tries += 1;
                thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(refused(directory, &error)),
        }
    }
}

// The engine has no error of its own for a lock, only these words.
fn is_lock(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

fn refused(directory: &Path, error: &sled::Error) -> StoreError {
    let directory = directory.to_owned();
    let reason = error.to_string();
    let of_system = |error: &io::Error| {
        use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
        let kinds = [NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull];
        kinds.contains(&error.kind()) || error.raw_os_error().is_some()
    };
    match error {
        error if is_lock(error) => StoreError::Locked { directory },
        sled::Error::Io(error) if of_system(error) => StoreError::Directory { directory, reason },
        _ => StoreError::Damaged { directory, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(keys: &[&[u8]]) -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        engine.commit(keys.iter().map(|key| (key.to_vec(), Some(vec![1]))).collect()).unwrap();
        (folder, engine)
    }

    #[test]
    fn a_scan_stays_within_its_prefix_in_both_orders() {
        let (_folder, engine) = engine(&[b"a", b"b", b"b1", b"b2", b"b3", b"c"]);
        for (after, order, limit, expected) in [
            (None, Order::Forward, 9, "b b1 b2 b3"),
            (None, Order::Reverse, 9, "b3 b2 b1 b"),
            (None, Order::Forward, 2, "b b1"),
            (None, Order::Reverse, 1, "b3"),
            (Some("b1"), Order::Forward, 9, "b2 b3"),
            (Some("b2"), Order::Reverse, 9, "b1 b"),
            (Some("b2"), Order::Reverse, 1, "b1"),
            (None, Order::Forward, 0, ""),
        ] {
            let pairs = engine.scan(b"b", after.map(str::as_bytes), order, limit).unwrap();
            let keys: Vec<String> =
                pairs.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect();
            assert_eq!(keys.join(" "), expected, "{after:?} {order:?} {limit}");
        }
    }

    #[test]
    fn a_value_larger_than_a_segment_is_kept_in_a_file_that_is_synchronised() {
        let (folder, mut engine) = engine(&[]);
        let large: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 251) as u8).collect();
        engine.commit(Batch::from([(b"large".to_vec(), Some(large.clone()))])).unwrap();
        engine.sync().unwrap();
        assert!(!engine.large_synced.is_empty());
        engine.close().unwrap();
        assert_eq!(Engine::open(folder.path()).unwrap().get(b"large").unwrap(), Some(large));
    }
}
