//! What can go wrong with an export, in words that an operator can act on.

use crate::serve::documents::DocumentError;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use tokio::task::JoinError;

/// Why a directory is not as the site is.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// This directory is not exported to.
    #[error("{}: {reason}", directory.display())]
    Refused {
        /// What was named.
        directory: PathBuf,
        /// Why not.
        reason: String,
    },
    /// Somebody else exports to it.
    #[error("{}: another export is writing to this directory; wait for its end", directory.display())]
    Busy {
        /// What was named.
        directory: PathBuf,
    },
    /// A file or folder.
    #[error("{}: cannot {act} it: {error}", path.display())]
    File {
        /// What was about to be done.
        act: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file that no export wrote lies where a document belongs.
    #[error(
        "{}: no export wrote what is there: move it away, or let `visnyk export --into-nonempty` \
         replace it",
        path.display()
    )]
    Foreign {
        /// Where it is.
        path: PathBuf,
    },
    /// A document cannot be rendered.
    #[error("{path}: {error}")]
    Document {
        /// Its address below the site.
        path: String,
        /// Why not.
        error: DocumentError,
    },
    /// It is not known which pages there are.
    #[error(transparent)]
    Pages(#[from] DocumentError),
    /// The work was broken off.
    #[error("the export broke off: {0}")]
    Broken(#[from] JoinError),
    /// Some pages could not be written; the rest could, as far as they do not refer to them.
    #[error("{} ({} page{} not written)", failures[0], failures.len(), if failures.len() == 1 { " was" } else { "s were" })]
    Incomplete {
        /// Why, at least one.
        failures: Vec<ExportError>,
    },
}

impl ExportError {
    /// Whether the directory is not to be exported to, rather than that it could not be.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Foreign { .. } => true,
            Self::Incomplete { failures } => failures.iter().all(Self::is_refusal),
            _ => false,
        }
    }

    /// All that went wrong, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Incomplete { failures } => failures.iter().map(ToString::to_string).collect(),
            one => vec![one.to_string()],
        }
    }

    pub(super) fn file(act: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        Self::File { act, path: path.to_owned(), error: error.into() }
    }

    pub(super) fn refused(directory: &Path, reason: impl Into<String>) -> Self {
        Self::Refused { directory: directory.to_owned(), reason: reason.into() }
    }
}
