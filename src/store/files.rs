//! The files of a store: what they are called, how they are made and made durable, and how much room
//! they take and have.

use rustix::fs::statvfs;
use std::fs;
use std::fs::DirBuilder;
use std::fs::File;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The engine's data file: without it there is no store.
pub(crate) const DATA: &str = "db";
/// The folder of the values that are too large for it.
pub(crate) const LARGE_VALUES: &str = "blobs";
/// The file with the engine's settings.
pub(crate) const SETTINGS: &str = "conf";
/// How the engine's snapshots are named at first.
pub(crate) const SNAPSHOT: &str = "snap.";
/// Says that the store was in use once: the engine takes a ruined data file for a new one.
pub(crate) const MARK: &str = "in-use";

/// Makes a folder that is its owner's alone, and those above it; one that is there is left as it is.
///
/// # Errors
/// It cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the names in a folder durable.
///
/// # Errors
/// They are not known to be.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
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

/// How many bytes may still be written to the disk of a directory.
///
/// # Errors
/// The system does not tell.
pub fn free_bytes(directory: &Path) -> io::Result<u64> {
    room(directory).map(|(free, _)| free)
}

/// How many bytes may still be written to the disk of a directory, and how many the disk has.
///
/// # Errors
/// The system does not tell.
pub fn room(directory: &Path) -> io::Result<(u64, u64)> {
    let disk = statvfs(directory)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Ok((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}
