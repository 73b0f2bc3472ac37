//! How much room there is on a disk, and how much a store takes of it.

use std::fs;
use std::io;
use std::path::Path;

/// How deep the files of a store lie.
const DEPTH_MAX: u32 = 3;

/// How many bytes the daemon may still write to the disk of a directory.
pub(crate) fn free_bytes(directory: &Path) -> io::Result<u64> {
    room(directory).map(|(free, _)| free)
}

/// How many bytes the daemon may still write to the disk of a directory, and how many the disk has.
pub(crate) fn room(directory: &Path) -> io::Result<(u64, u64)> {
    let disk = rustix::fs::statvfs(directory)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Ok((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

/// How many bytes the files below a directory have. What goes while it is looked at has none.
pub(crate) fn size_bytes(directory: &Path) -> u64 {
    sized(directory, DEPTH_MAX)
}

fn sized(directory: &Path, depth: u32) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() && depth > 0 => sized(&entry.path(), depth - 1),
        Ok(found) if found.is_file() => found.len(),
        _ => 0,
    };
    entries.map(size).sum()
}
