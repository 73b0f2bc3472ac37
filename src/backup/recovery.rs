//! A store that does not open, or does not read, when the daemon starts: put aside, and another one
//! in its place, so that the site comes back by itself.
//!
//! Of the newest backup that is whole; without one, of what can be read of the damaged store; else
//! an empty one. In each case the publishers are asked for whole documents once, each when it is due,
//! and bring what is missing.

use crate::backup::error::BackupError;
use crate::backup::kept;
use crate::backup::mending::begin_anew;
use crate::backup::mending::is_damage;
use crate::backup::mending::replace_damaged;
use crate::backup::mending::replace_repaired;
use crate::model::publication::Publication;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use std::path::Path;
use std::path::PathBuf;
use tokio::runtime::Runtime;
use tracing::error;
use tracing::warn;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// When.
    pub at: DateTime<Utc>,
    /// What was wrong with the store.
    pub why: String,
    /// Where it is now.
    pub aside: PathBuf,
    /// Of what there is one again.
    pub of: Origin,
}

/// Of what a store was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A backup: where it is, and of when.
    Backup(PathBuf, DateTime<Utc>),
    /// What could be read: how many articles, and how many records could not.
    Salvage(u64, usize),
    /// Nothing.
    Nothing,
}

impl Recovery {
    /// What was done, in words.
    #[must_use]
    pub fn told(&self) -> String {
        let of = match &self.of {
            Origin::Backup(path, at) => format!(
                "it was restored from the backup {} of {}",
                path.display(),
                at.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            Origin::Salvage(articles, lost) => {
                format!("{articles} articles were saved, {lost} records or parts could not be read")
            }
            Origin::Nothing => "nothing of it could be read, and it begins empty".to_owned(),
        };
        let (why, aside) = (&self.why, self.aside.display());
        format!("the store was damaged ({why}): {of}; the damaged one is in {aside}")
    }
}

/// Opens a store; a damaged one is put aside, and another takes its place.
///
/// # Errors
/// It cannot be opened for another reason than damage, or no other can be made.
pub fn open(
    directory: &Path,
    backups: &Path,
    composed: &[Publication],
    runtime: &Runtime,
) -> Result<(Store, Option<Recovery>), BackupError> {
    let why = match opened(directory, composed, runtime) {
        Ok(store) => return Ok((store, None)),
        Err(error) if is_damage(&error) => error.to_string(),
        Err(error) => return Err(error.into()),
    };
    error!("{why}; it is put aside, and another store takes its place");
    let at = Utc::now();
    let (of, aside) = replaced(directory, backups, composed, at)?;
    let recovery = Recovery { at, why, aside, of };
    error!("{}", recovery.told());
    Ok((opened(directory, composed, runtime)?, Some(recovery)))
}

/// Opens a store, and reads what the daemon reads first.
fn opened(
    directory: &Path,
    composed: &[Publication],
    runtime: &Runtime,
) -> Result<Store, StoreError> {
    let store = Store::open(directory, composed.to_vec())?;
    let probed = runtime.block_on(async {
        let probed = store.probe().await;
        if probed.is_err() {
            // It is given up: how it closes does not matter, that its lock goes does.
            let _ = store.clone().close().await;
        }
        probed
    });
    probed.map(|()| store)
}

fn replaced(
    directory: &Path,
    backups: &Path,
    composed: &[Publication],
    at: DateTime<Utc>,
) -> Result<(Origin, PathBuf), BackupError> {
    let kept = kept::all(backups).unwrap_or_else(|error| {
        warn!("{}: the backups cannot be read: {error}", backups.display());
        Vec::new()
    });
    for entry in kept {
        match replace_damaged(&entry.path, directory, at) {
            Ok((backup, aside)) => return Ok((Origin::Backup(backup.path, backup.at), aside)),
            Err(error @ (BackupError::Damaged { .. } | BackupError::Newer { .. })) => {
                warn!("{error}");
            }
            Err(error) => return Err(error),
        }
    }
    match replace_repaired(directory, composed.to_vec(), at) {
        Ok(repaired) => {
            let articles = repaired.salvaged.counts.get("article").copied().unwrap_or_default();
            for lost in &repaired.salvaged.lost {
                warn!("{} is lost: {}", lost.what, lost.reason);
            }
            Ok((Origin::Salvage(articles, repaired.salvaged.lost.len()), repaired.aside))
        }
        Err(error) if is_past_saving(&error) => Ok((Origin::Nothing, begin_anew(directory, at)?)),
        Err(error) => Err(error),
    }
}

/// Whether nothing of a damaged store can be read, and not only nothing be written.
fn is_past_saving(error: &BackupError) -> bool {
    match error {
        BackupError::NothingReads(_) => true,
        BackupError::Store(error) => is_damage(error) || matches!(error, StoreError::Slow { .. }),
        _ => false,
    }
}
