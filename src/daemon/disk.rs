//! How much room there is on a disk.

use std::io;
use std::path::Path;

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
