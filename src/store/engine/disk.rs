//! The engine on a disk: sled.
//!
//! The only file that knows it.
//!
//! # Why sled is used so
//! One tree and one batch for each commit: a batch is there as a whole after a crash or not at
//! all, which is not so of batches in several trees. Its `flush` is no fsync, so the data file is
//! synchronised on a second handle, and with it the files of large values, which the engine
//! leaves to the operating system. No background flusher: nobody else decides when to write.

use crate::store::engine::Batch;
use crate::store::engine::Cause;
use crate::store::engine::Fault;
use crate::store::engine::Medium;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::engine::backwards::backwards;
use crate::store::error::StoreError;
use crate::store::files::DATA;
use crate::store::files::LARGE_VALUES;
use crate::store::files::MARK;
use crate::store::files::SETTINGS;
use crate::store::files::SNAPSHOT;
use crate::store::files::make_folder;
use crate::store::files::sync_folder;
use crate::store::keys::is_newest_first;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::io::Write;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// A process that ends gives its lock back a little after its last word.
const LOCK_TRIES_MAX: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// A data file that is not marked as in use and has less holds nothing yet.
const NEW_BYTES_MAX: u64 = 4096;

/// How the name ends of a snapshot that the engine has not finished.
const UNFINISHED: &str = ".generating";

/// How long a flush may take before it is looked whether it waits in vain.
const FLUSH_NUDGED_AFTER: Duration = Duration::from_secs(2);

/// A file on which it is tried whether the disk takes writes, and how much is written.
const TRIAL: &str = "trial";
const TRIAL_BYTES: usize = 1024 * 1024;

/// Whether there is a store in a directory.
pub(crate) fn is_there(directory: &Path) -> bool {
    directory.join(DATA).exists()
}

/// An open store directory.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    /// None if it could not be opened again.
    db: Option<sled::Db>,
    data: File,
    large_synced: BTreeSet<OsString>,
}

impl Disk {
    /// Opens a directory, which is made if there is none, and locks it.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let cannot = |error: io::Error| StoreError::Directory {
            directory: directory.to_owned(),
            reason: error.to_string(),
        };
        make_folder(directory).map_err(cannot)?;
        drop_unfinished(directory).map_err(cannot)?;
        let db = open_unlocked(directory)?;
        let data = File::open(directory.join(DATA)).map_err(cannot)?;
        // The engine opens nothing without its settings, and leaves them to the operating system.
        File::open(directory.join(SETTINGS)).and_then(|file| file.sync_all()).map_err(cannot)?;
        // The names of new files are part of what must be durable.
        sync_folder(directory).map_err(cannot)?;
        if let Some(parent) = directory.parent() {
            // So is that of the directory; but a parent that a service manager made may not be
            // ours to open, and then neither was the directory ours to make.
            let _ = sync_folder(parent);
        }
        let (directory, large_synced) = (directory.to_owned(), BTreeSet::new());
        Ok(Self { directory, db: Some(db), data, large_synced })
    }

    fn db(&self) -> Result<&sled::Db, Fault> {
        let reason = || "it could not be opened again".to_owned();
        let closed = || Fault { act: "go on", cause: Cause::System, reason: reason() };
        self.db.as_ref().ok_or_else(closed)
    }

    /// Whether the disk takes as much as a commit may need, where the store is.
    fn try_to_write(&self) -> io::Result<()> {
        let (there, open) = (self.directory.join(DATA).metadata()?, self.data.metadata()?);
        if (there.dev(), there.ino()) != (open.dev(), open.ino()) {
            return Err(io::Error::other("another file lies in the place of the open one"));
        }
        let trial = self.directory.join(TRIAL);
        let written = File::create(&trial).and_then(|mut file| {
            file.write_all(&vec![0; TRIAL_BYTES])?;
            file.sync_all()
        });
        // Where nothing was made there is nothing to remove.
        let removed = std::fs::remove_file(&trial);
        written.and(removed)
    }

    // The engine puts a page that outgrows a segment in a file of its own under `blobs`.
    fn sync_large_values(&mut self) -> io::Result<()> {
        let folder = self.directory.join(LARGE_VALUES);
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
            sync_folder(&folder)?;
        }
        self.large_synced = names;
        Ok(())
    }
}

impl Medium for Disk {
    fn renew(&mut self) -> Result<(), Fault> {
        let refused = |error: &dyn std::error::Error| cannot("be opened again", error);
        self.try_to_write().map_err(|error| refused(&error))?;
        // It has seen an error, and writes nothing any more when it goes.
        drop(self.db.take());
        *self = Self::open(&self.directory).map_err(|error| refused(&error))?;
        Ok(())
    }

    fn is_marked(&self) -> bool {
        self.directory.join(MARK).exists()
    }

    fn mark(&self) -> Result<(), Fault> {
        if self.is_marked() {
            return Ok(());
        }
        let created = File::create(self.directory.join(MARK)).and_then(|file| file.sync_all());
        let durable = created.and_then(|()| sync_folder(&self.directory));
        durable.map_err(|error| cannot("mark its directory", &error))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let value = self.db()?.get(key).map_err(|error| unread(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let db = self.db()?;
        let own = |(key, value): (sled::IVec, sled::IVec)| (key.to_vec(), value.to_vec());
        let pairs: Result<Vec<Pair>, sled::Error> = match (order, after) {
            (Order::Forward, Some(after)) => {
                let range = db.range::<&[u8], _>((Bound::Excluded(after), Bound::Unbounded));
                let inside = |pair: &Result<_, _>| begins(pair, prefix);
                range.take_while(inside).take(limit).map(|pair| pair.map(own)).collect()
            }
            (Order::Forward, None) => {
                db.scan_prefix(prefix).take(limit).map(|pair| pair.map(own)).collect()
            }
            (Order::Reverse, after) if is_newest_first(prefix) => {
                backwards(prefix, after, limit, |low, high, limit| {
                    db.range(low..high).take(limit).map(|pair| pair.map(own)).collect()
                })
            }
            (Order::Reverse, Some(after)) => {
                // Nothing below the prefix is looked at: it may be such keys.
                let range = db.range(prefix..after).rev();
                let inside = |pair: &Result<_, _>| begins(pair, prefix);
                range.take_while(inside).take(limit).map(|pair| pair.map(own)).collect()
            }
            (Order::Reverse, None) => {
                db.scan_prefix(prefix).rev().take(limit).map(|pair| pair.map(own)).collect()
            }
        };
        pairs.map_err(|error| unread(&error))
    }

    fn commit(&self, batch: Batch) -> Result<(), Fault> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        self.db()?.apply_batch(writes).map_err(|error| cannot("write", &error))
    }

    fn sync(&mut self) -> Result<(), Fault> {
        flush(self.db()?).map_err(|error| cannot("flush", &error))?;
        let synced = self.sync_large_values().and_then(|()| self.data.sync_data());
        synced.map_err(|error| cannot("synchronise its files", &error))
    }
}

fn cannot(act: &'static str, error: &dyn std::error::Error) -> Fault {
    Fault { act, cause: Cause::System, reason: error.to_string() }
}

/// Why nothing could be read. That a file is not there says what is there; all else that the system
/// says of a file does not.
fn unread(error: &sled::Error) -> Fault {
    let cause = match error {
        sled::Error::Io(error) if error.kind() != io::ErrorKind::NotFound => Cause::System,
        _ => Cause::Content,
    };
    Fault { cause, ..cannot("read", error) }
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

/// Flushes, and does not wait for ever: when a thread of the engine's own fails to write, it notes
/// that and wakes nobody up. Who flushes beside it sees the note, and wakes who waits.
fn flush(db: &sled::Db) -> sled::Result<usize> {
    let (flushed, flushing) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while flushing.recv_timeout(FLUSH_NUDGED_AFTER) == Err(RecvTimeoutError::Timeout) {
                // What it says, who waits is told, too.
                let _ = db.flush();
            }
        });
        let size = db.flush();
        drop(flushed);
        size
    })
}

/// Removes a snapshot that the engine was about to write when it was stopped: it would take it for
/// one that it has finished, find it torn, and refuse to open. The log has all that is in it.
///
/// So it is with settings that were about to be written when the very first start was stopped.
fn drop_unfinished(directory: &Path) -> io::Result<()> {
    let settings = directory.join(SETTINGS);
    let data_bytes = directory.join(DATA).metadata().map_or(0, |data| data.len());
    let is_new = !directory.join(MARK).exists() && data_bytes < NEW_BYTES_MAX;
    if is_new && settings.exists() {
        std::fs::remove_file(&settings)?;
    }
    let Ok(data) = File::open(directory.join(DATA)) else { return Ok(()) };
    // As the engine locks it. Another process that has it open may be writing one.
    if data.try_lock().is_err() {
        return Ok(());
    }
    // What the engine is about to vouch for by a snapshot may never have reached the disk.
    data.sync_all()?;
    for file in directory.read_dir()? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(SNAPSHOT) && name.ends_with(UNFINISHED) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
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
    use crate::store::keys::Space;

    fn engine(keys: &[&[u8]]) -> (tempfile::TempDir, Disk) {
        let folder = tempfile::tempdir().unwrap();
        let engine = Disk::open(folder.path()).unwrap();
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
    fn keys_of_the_same_whole_second_are_read_backwards() {
        // So many of a second that they fill several nodes, and seconds that differ by one.
        let space = Space::Member.prefix();
        let prefix = [&space[..], b"digest"].concat();
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for second in 60..100_u8 {
            for id in 0..24_u8 {
                let id = [id.wrapping_mul(89), second, id];
                keys.push([&prefix[..], &[127, 255, 148, second], &[255; 4], &id].concat());
            }
        }
        keys.sort_unstable();
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        for some in keys.chunks(8) {
            disk.commit(some.iter().map(|key| (key.clone(), Some(vec![1; 400]))).collect())
                .unwrap();
        }
        let pairs = disk.scan(&prefix, None, Order::Reverse, 9999).unwrap();
        keys.reverse();
        assert!(pairs.iter().map(|(key, _)| key).eq(&keys));
        for pair in keys.windows(2) {
            let before = disk.scan(&space, Some(&pair[0]), Order::Reverse, 1).unwrap();
            assert_eq!(before[0].0, pair[1]);
        }
    }

    #[test]
    fn a_snapshot_that_was_not_finished_is_no_damage() {
        let (folder, mut disk) = engine(&[b"a"]);
        disk.sync().unwrap();
        drop(disk);
        let torn = folder.path().join("snap.0000000000FFFFFF.generating");
        std::fs::write(&torn, b"torn").unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        assert_eq!(disk.get(b"a").unwrap(), Some(vec![1]));
        assert!(!torn.exists());
    }

    #[test]
    fn settings_that_the_very_first_start_did_not_finish_are_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS), b"segment_size: 5").unwrap();
        Disk::open(folder.path()).unwrap();
    }

    #[test]
    fn an_engine_begun_anew_has_what_was_durable_and_writes_on() {
        let (folder, mut disk) = engine(&[b"a"]);
        disk.sync().unwrap();
        disk.renew().unwrap();
        assert_eq!(disk.get(b"a").unwrap(), Some(vec![1]));
        disk.commit(Batch::from([(b"b".to_vec(), Some(vec![2]))])).unwrap();
        disk.sync().unwrap();
        // Another file lies there: it is left alone, and what is open is read on.
        let data = folder.path().join("db");
        std::fs::rename(&data, folder.path().join("elsewhere")).unwrap();
        std::fs::write(&data, b"").unwrap();
        assert!(disk.renew().unwrap_err().reason.contains("another file"));
        assert_eq!(disk.get(b"b").unwrap(), Some(vec![2]));
    }

    #[test]
    fn a_value_larger_than_a_segment_is_kept_in_a_file_that_is_synchronised() {
        let (folder, mut engine) = engine(&[]);
        let large: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 251) as u8).collect();
        engine.commit(Batch::from([(b"large".to_vec(), Some(large.clone()))])).unwrap();
        engine.sync().unwrap();
        assert!(!engine.large_synced.is_empty());
        drop(engine);
        assert_eq!(Disk::open(folder.path()).unwrap().get(b"large").unwrap(), Some(large));
    }

    #[test]
    fn what_is_not_there_tells_of_the_store_and_other_errors_of_the_system() {
        let of = |kind: io::ErrorKind| unread(&sled::Error::Io(kind.into())).cause;
        assert_eq!(of(io::ErrorKind::NotFound), Cause::Content);
        assert_eq!(of(io::ErrorKind::PermissionDenied), Cause::System);
        assert_eq!(of(io::ErrorKind::StorageFull), Cause::System);
        let bug = sled::Error::ReportableBug("a page is none".to_owned());
        assert_eq!(unread(&bug).cause, Cause::Content);
    }
}
