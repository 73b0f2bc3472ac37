//! A backup file: JSON lines, compressed with Zstandard, with digests.
//!
//! # Form
//! The first line is the header, the last one says how many lines of each kind there are, and the
//! BLAKE3 digest of all text before it. After the compressed data comes a skippable frame of
//! Zstandard with the digest of all bytes before that: no bit of the file can change unseen, and
//! `zstdcat` passes it over.
//!
//! A file appears under its name when it is whole, was read back, and lies on the disk.

use crate::backup::error::BackupError;
use crate::store::Store;
use crate::store::dump::Dump;
use crate::store::dump::Scribe;
use crate::store::dump::kind_of;
use crate::store::files::sync_folder;
use crate::store::lines::Unread;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::Instant;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

/// The version of what is written. What was written by an earlier one is read for ever.
pub const VERSION: u32 = 1;

/// How names of files begin that are not whole.
pub const PARTIAL: &str = ".visnyk-backup-";

const ZSTD_LEVEL: i32 = 3;
/// The longest line that is read, in bytes: a record has a bound, and JSON makes more of it.
const LINE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// The longest first line.
const HEADER_BYTES_MAX: u64 = 4096;
/// How many kinds of lines a backup can have: some thirty are known.
const KINDS_MAX: usize = 100;
const KIND_BYTES_MAX: usize = 64;
/// How much of what was unpacked a backup can go back to, as a power of two: 8 MiB, where the level
/// above needs two. Whoever made another file could else have 128 MiB set aside.
const WINDOW_LOG_MAX: u32 = 23;
const BUFFER_BYTES: usize = 256 * 1024;
/// A skippable frame: its magic number, and how many bytes it has (RFC 8878, 3.1.2).
const SEAL_HEAD: [u8; 8] = [0x5b, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
const SEAL_BYTES: u64 = 40;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    kind: String,
    version: u32,
    at: String,
    visnyk: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct End {
    kind: String,
    counts: BTreeMap<String, u64>,
    blake3: String,
}

/// A backup that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// When it was begun: it tells the store as it was then.
    pub at: DateTime<Utc>,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many lines of each kind.
    pub counts: BTreeMap<String, u64>,
    /// The digest of its text.
    pub digest: String,
}

/// A backup that was just written.
#[derive(Debug)]
pub struct Written {
    /// What it is.
    pub backup: Backup,
    /// What in the store does not read; it is told in the backup, and not restored.
    pub unread: Vec<Unread>,
    /// How long it took.
    pub took: Duration,
}

impl Backup {
    /// How many articles it has.
    #[must_use]
    pub fn articles(&self) -> u64 {
        self.counts.get("article").copied().unwrap_or_default()
    }
}

/// Writes what a store holds now. Commits go on meanwhile.
///
/// # Errors
/// The store does not read, or the file cannot be written; then there is none.
pub async fn write(store: &Store, path: &Path, at: DateTime<Utc>) -> Result<Written, BackupError> {
    let begun = Instant::now();
    let dump = store.dump().await?;
    let written = write_down(&dump, path, at).await;
    dump.end().await;
    let (backup, unread) = written?;
    Ok(Written { backup, unread, took: begun.elapsed() })
}

async fn write_down(
    dump: &Dump,
    path: &Path,
    at: DateTime<Utc>,
) -> Result<(Backup, Vec<Unread>), BackupError> {
    let to = path.to_owned();
    let mut writing = blocking(path, move || Writing::begin(&to, at)).await?;
    loop {
        let slice = dump.slice().await?;
        let is_last = slice.is_last();
        writing = blocking(path, move || {
            writing.text.clear();
            writing.scribe.write(&slice, &mut writing.text)?;
            writing.put()?;
            Ok(writing)
        })
        .await?;
        if is_last {
            break;
        }
    }
    let path = path.to_owned();
    let ended = spawn_blocking(move || writing.end(&path)).await;
    ended.unwrap_or_else(|error| panic!("a backup broke off: {error}"))
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BackupError> {
    let done = spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(BackupError::file(path, "the backup cannot be written"))
}

/// Passes bytes on, and digests them.
struct Sealing {
    to: BufWriter<NamedTempFile>,
    hasher: blake3::Hasher,
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

struct Writing {
    to: zstd::Encoder<'static, Sealing>,
    hasher: blake3::Hasher,
    scribe: Scribe,
    text: Vec<u8>,
}

impl Writing {
    fn begin(path: &Path, at: DateTime<Utc>) -> io::Result<Self> {
        // Readable by its owner alone, as the store is.
        let file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(folder_of(path))?;
        let to = Sealing { to: BufWriter::new(file), hasher: blake3::Hasher::new() };
        let mut to = zstd::Encoder::new(to, ZSTD_LEVEL)?;
        to.include_checksum(true)?;
        let header = Header {
            kind: "header".to_owned(),
            version: VERSION,
            at: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            visnyk: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut text = serde_json::to_vec(&header)?;
        text.push(b'\n');
        let mut writing =
            Self { to, hasher: blake3::Hasher::new(), scribe: Scribe::default(), text };
        writing.put()?;
        Ok(writing)
    }

    fn put(&mut self) -> io::Result<()> {
        self.hasher.update(&self.text);
        self.to.write_all(&self.text)
    }

    fn end(mut self, path: &Path) -> Result<(Backup, Vec<Unread>), BackupError> {
        let unread = std::mem::take(&mut self.scribe.unread);
        let cannot = || BackupError::file(path, "the backup cannot be written");
        let file = self.sealed().map_err(cannot())?;
        let backup = check(file.path())?;
        file.persist(path).map_err(|error| cannot()(error.error))?;
        sync_folder(folder_of(path)).map_err(cannot())?;
        Ok((Backup { path: path.to_owned(), ..backup }, unread))
    }

    fn sealed(mut self) -> io::Result<NamedTempFile> {
        let end = End {
            kind: "end".to_owned(),
            counts: std::mem::take(&mut self.scribe.counts),
            blake3: self.hasher.finalize().to_hex().to_string(),
        };
        self.text = serde_json::to_vec(&end)?;
        self.text.push(b'\n');
        self.put()?;
        let Sealing { mut to, hasher } = self.to.finish()?;
        to.write_all(&SEAL_HEAD)?;
        to.write_all(hasher.finalize().as_bytes())?;
        let file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Copies a backup to another place, where it appears when it is whole and checked.
///
/// # Errors
/// It cannot be read or written, or is not whole.
pub fn bring(from: &Path, to: &Path) -> Result<Backup, BackupError> {
    let cannot = || BackupError::file(to, "the backup cannot be written");
    let mut source =
        File::open(from).map_err(BackupError::file(from, "the backup cannot be read"))?;
    let file = tempfile::Builder::new().prefix(PARTIAL).tempfile_in(folder_of(to));
    let mut file = file.map_err(cannot())?;
    let copied = io::copy(&mut source, &mut file).and_then(|_| file.as_file().sync_all());
    copied.map_err(cannot())?;
    let backup = check(file.path())?;
    file.persist(to).map_err(|error| cannot()(error.error))?;
    sync_folder(folder_of(to)).map_err(cannot())?;
    Ok(Backup { path: to.to_owned(), ..backup })
}

/// Whether a backup is whole and as it was written, and what it has.
///
/// # Errors
/// It is not, or it is of a later version.
pub fn check(path: &Path) -> Result<Backup, BackupError> {
    read(path, |_| Ok(()))
}

/// The same, with each line between the first and the last. The whole file is looked at before the
/// first line is given.
///
/// # Errors
/// As [`check`], or what `take` says.
pub fn read(
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<Backup, BackupError> {
    let cannot = || BackupError::file(path, "the backup cannot be read");
    let damaged = |reason: String| BackupError::Damaged { path: path.to_owned(), reason };
    let mut file = File::open(path).map_err(cannot())?;
    let bytes = file.metadata().map_err(cannot())?.len();
    let Some(length) = bytes.checked_sub(SEAL_BYTES) else {
        return Err(damaged(format!("it has {bytes} bytes, which is too few")));
    };
    let digest = digest_of(&mut file, length).map_err(cannot())?;
    let mut seal = Vec::new();
    file.take(SEAL_BYTES).read_to_end(&mut seal).map_err(cannot())?;
    if seal.get(..8) != Some(&SEAL_HEAD) {
        return Err(damaged("its end is missing, or it is no backup of visnyk".to_owned()));
    }
    if seal[8..] != *digest.as_bytes() {
        return Err(damaged("its digest differs".to_owned()));
    }
    let file = File::open(path).map_err(cannot())?.take(length);
    let unread = |error: io::Error| damaged(error.to_string());
    let mut decoder = zstd::Decoder::new(file).map_err(unread)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(unread)?;
    let mut lines =
        Lines { from: BufReader::with_capacity(BUFFER_BYTES, decoder), line: Vec::new() };
    let header = lines.next(HEADER_BYTES_MAX).map_err(unread)?.to_vec();
    let at = header_of(path, &header)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&header);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let end = loop {
        let line = lines.next(LINE_BYTES_MAX).map_err(unread)?;
        let Some(kind) = kind_of(line) else {
            return Err(damaged("it ends before its last line".to_owned()));
        };
        if kind == "end" {
            break serde_json::from_slice::<End>(line)
                .map_err(|error| damaged(error.to_string()))?;
        }
        if let Some(count) = counts.get_mut(kind) {
            *count += 1;
        } else if counts.len() < KINDS_MAX && kind.len() <= KIND_BYTES_MAX {
            counts.insert(kind.to_owned(), 1);
        } else {
            return Err(damaged("it has kinds of lines that no visnyk writes".to_owned()));
        }
        hasher.update(line);
        take(line)?;
    };
    if !lines.next(HEADER_BYTES_MAX).map_err(unread)?.is_empty() {
        return Err(damaged("it goes on after its last line".to_owned()));
    }
    if end.counts != counts {
        return Err(damaged(format!("it has {counts:?} lines, and says {:?}", end.counts)));
    }
    if end.blake3 != hasher.finalize().to_hex().as_str() {
        return Err(damaged("the digest of its text differs".to_owned()));
    }
    Ok(Backup { path: path.to_owned(), at, bytes, counts, digest: end.blake3 })
}

fn header_of(path: &Path, line: &[u8]) -> Result<DateTime<Utc>, BackupError> {
    let damaged = |reason: String| BackupError::Damaged { path: path.to_owned(), reason };
    let header: Header =
        serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
    if header.kind != "header" {
        return Err(damaged("it does not begin with a header".to_owned()));
    }
    if header.version > VERSION {
        let (path, found) = (path.to_owned(), header.version);
        return Err(BackupError::Newer { path, found, known: VERSION });
    }
    header.at.parse().map_err(|_| damaged(format!("`{}` is no time", header.at)))
}

/// The digest of the first bytes of a file, which is read so far.
fn digest_of(file: &mut File, length: u64) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(Read::by_ref(file).take(length))?;
    file.seek(SeekFrom::Start(length))?;
    Ok(hasher.finalize())
}

/// Lines with a bound.
struct Lines<R> {
    from: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// The next line with its end; nothing after the last.
    fn next(&mut self, bytes_max: u64) -> io::Result<&[u8]> {
        self.line.clear();
        Read::by_ref(&mut self.from).take(bytes_max).read_until(b'\n', &mut self.line)?;
        if !self.line.is_empty() && self.line.last() != Some(&b'\n') {
            return Err(io::Error::other("a line has no end, or is too long"));
        }
        Ok(&self.line)
    }
}
