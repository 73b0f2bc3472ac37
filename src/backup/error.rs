//! What can go wrong with a backup, in words that an operator can act on.

use crate::store::error::StoreError;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Why a backup was not written, or is not used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or a directory.
    #[error("{}: {act}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What could not be done.
        act: &'static str,
        /// What the system says.
        error: io::Error,
    },
    /// The file is not as it was written.
    #[error("{}: this backup is damaged, and nothing of it is used: {reason}; take another one", path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// A later visnyk wrote it.
    #[error("{}: the backup has version {found}, this visnyk knows versions up to {known}; use the visnyk that wrote it", path.display())]
    Newer {
        /// Where it is.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version that can be read.
        known: u32,
    },
    /// There is a store where one is to be made.
    #[error("{}: a store is there already; `--replace` moves it aside", .0.display())]
    Occupied(PathBuf),
    /// Another process has the store open.
    #[error("{}: a visnyk holds this store; stop it first", .0.display())]
    Locked(PathBuf),
    /// Nothing of a damaged store reads.
    #[error("{}: nothing of the store can be read, and it is left as it is: `visnyk restore FILE --replace` puts a backup in its place", .0.display())]
    NothingReads(PathBuf),
    /// There is no store.
    #[error("{}: there is no store", .0.display())]
    NoStore(PathBuf),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    /// What could not be done with a file.
    pub(crate) fn file(path: &Path, act: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File { path, act, error }
    }
}
