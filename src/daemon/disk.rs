//! How much room there is on a disk.

use std::io;
use std::path::Path;

/// How many bytes the daemon may still write to the disk of a directory.
pub(crate) fn free_bytes(directory: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
