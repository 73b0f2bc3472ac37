//! A store in the place of another: restored of a backup, or made of what a damaged one still has.

use crate::backup::error::BackupError;
use crate::backup::file::Backup;
use crate::backup::file::read;
use crate::backup::kept::stamp;
use crate::model::publication::Publication;
use crate::store::copying::settle;
use crate::store::engine::Cause;
use crate::store::error::StoreError;
use crate::store::files::make_folder;
use crate::store::lines::Unread;
use crate::store::refill::BadLine;
use crate::store::refill::Refill;
use crate::store::refill::Validators;
use crate::store::salvage::Salvaged;
use crate::store::salvage::salvage;
use crate::store::swap;
use chrono::DateTime;
use chrono::Utc;
use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// How many folders of stores that were put aside are kept.
const ASIDE_MAX: usize = 2;
/// Where damaged files are copied to while they are read.
const SCRATCH: &str = "store.salvage";
/// How the folder begins of a store that a restored one replaced.
const REPLACED: &str = "store.replaced-";

/// What becomes of a store that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// Nothing is done then.
    Refused,
    /// It is put aside.
    Replaced,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The backup.
    pub backup: Backup,
    /// What of it was left out.
    pub left_out: Vec<Unread>,
    /// Where the store is that was there.
    pub aside: Option<PathBuf>,
}

/// Restores a backup into a directory.
///
/// # Errors
/// The backup is damaged, there is a store, or it is in use; then all is as before.
pub fn restore(
    file: &Path,
    directory: &Path,
    present: Present,
    validators: Validators,
    at: DateTime<Utc>,
) -> Result<Restored, BackupError> {
    make(directory)?;
    if present == Present::Replaced {
        finished(directory)?;
    }
    let _lock = match (swap::has_store(directory), present) {
        (true, Present::Refused) => return Err(BackupError::Occupied(directory.to_owned())),
        (true, Present::Replaced) => locked(directory)?,
        (false, _) => None,
    };
    let was_there = swap::has_store(directory);
    let (backup, left_out) = refill(file, directory, validators)?;
    let aside = format!("{REPLACED}{}", stamp(at));
    put_in_place(directory, &aside)?;
    let aside = was_there.then(|| directory.join(aside));
    Ok(Restored { backup, left_out, aside })
}

/// What became of a damaged store.
#[derive(Debug)]
pub struct Repaired {
    /// What was saved, and what was not.
    pub salvaged: Salvaged,
    /// Where the damaged one is.
    pub aside: PathBuf,
}

/// Makes a store of what can be read of the one in a directory, with all indexes anew, and puts the
/// old one aside.
///
/// # Errors
/// There is none, it is in use, or nothing of it can be read; then all is as before.
pub fn repair(
    directory: &Path,
    composed: Vec<Publication>,
    at: DateTime<Utc>,
) -> Result<Repaired, BackupError> {
    if !swap::has_store(directory) {
        return Err(BackupError::NoStore(directory.to_owned()));
    }
    finished(directory)?;
    let _lock = locked(directory)?;
    replace_repaired(directory, composed, at)
}

/// The same in the place of a damaged store that this process had open: its lock may still be held
/// by what the engine left behind.
pub(crate) fn replace_repaired(
    directory: &Path,
    composed: Vec<Publication>,
    at: DateTime<Utc>,
) -> Result<Repaired, BackupError> {
    let scratch = directory.join(SCRATCH);
    forget(&scratch)?;
    let fresh = fresh(directory)?;
    let salvaged = salvage(directory, &scratch, &fresh, composed, at);
    forget(&scratch)?;
    let salvaged = salvaged?;
    if salvaged.counts.is_empty() {
        forget(&fresh)?;
        return Err(BackupError::NothingReads(directory.to_owned()));
    }
    let aside = aside_of(directory, at);
    put_in_place(directory, &aside)?;
    forget_old(directory)?;
    Ok(Repaired { salvaged, aside: directory.join(aside) })
}

/// Restores a backup in the place of a damaged store. Gives where that is.
pub(crate) fn replace_damaged(
    file: &Path,
    directory: &Path,
    at: DateTime<Utc>,
) -> Result<(Backup, PathBuf), BackupError> {
    let (backup, _) = refill(file, directory, Validators::Cleared)?;
    let aside = aside_of(directory, at);
    put_in_place(directory, &aside)?;
    forget_old(directory)?;
    Ok((backup, directory.join(aside)))
}

/// Puts an empty store in the place of a damaged one. Gives where that is.
pub(crate) fn begin_anew(directory: &Path, at: DateTime<Utc>) -> Result<PathBuf, BackupError> {
    let fresh = fresh(directory)?;
    Refill::begin(&fresh, Validators::Cleared)?.finish()?;
    let aside = aside_of(directory, at);
    put_in_place(directory, &aside)?;
    forget_old(directory)?;
    Ok(directory.join(aside))
}

fn refill(
    file: &Path,
    directory: &Path,
    validators: Validators,
) -> Result<(Backup, Vec<Unread>), BackupError> {
    let fresh = fresh(directory)?;
    let mut refill = Refill::begin(&fresh, validators)?;
    let backup = read(file, |line| {
        refill.take(line).map_err(|bad| match bad {
            BadLine::Store(error) => BackupError::Store(error),
            BadLine::Form(reason) => BackupError::Damaged { path: file.to_owned(), reason },
        })
    });
    match backup {
        Ok(backup) => Ok((backup, refill.finish()?)),
        Err(error) => {
            drop(refill);
            forget(&fresh)?;
            Err(error)
        }
    }
}

/// Finishes what a crash interrupted: another store that was to come, or this one written anew. Else
/// that would take the place of the one that is about to be made.
fn finished(directory: &Path) -> Result<(), BackupError> {
    let cannot = "another store was about to take its place, and cannot";
    swap::finish(directory).map_err(BackupError::file(directory, cannot))?;
    match settle(directory) {
        Err(StoreError::Locked { directory }) => Err(BackupError::Locked(directory)),
        settled => Ok(settled?),
    }
}

/// The lock of a store, which nobody else has then. Of one whose data file is gone there is none.
fn locked(directory: &Path) -> Result<Option<File>, BackupError> {
    match swap::lock(directory) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(BackupError::Locked(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::file(directory, "the store cannot be opened")(error)),
    }
}

fn make(directory: &Path) -> Result<(), BackupError> {
    let made = make_folder(directory);
    made.map_err(BackupError::file(directory, "the directory cannot be made"))
}

fn fresh(directory: &Path) -> Result<PathBuf, BackupError> {
    let fresh = swap::place_for_new(directory);
    fresh.map_err(BackupError::file(directory, "a store cannot be made there"))
}

fn put_in_place(directory: &Path, aside: &str) -> Result<(), BackupError> {
    let done = swap::put_in_place(directory, aside);
    done.map_err(BackupError::file(directory, "the new store cannot take its place"))
}

fn forget(folder: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(BackupError::file(folder, "it cannot be removed")(error))
        }
        _ => Ok(()),
    }
}

/// The name of a folder that is not there yet.
fn aside_of(directory: &Path, at: DateTime<Utc>) -> String {
    let name = format!("{}{}", swap::DAMAGED, stamp(at));
    let mut names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}-{n}")));
    names.find(|name| !directory.join(name).exists()).unwrap_or(name)
}

/// Leaves the newest of the folders of damaged stores.
fn forget_old(directory: &Path) -> Result<(), BackupError> {
    let cannot = || BackupError::file(directory, "the directory cannot be read");
    let mut folders = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot())? {
        let name = entry.map_err(cannot())?.file_name();
        folders.extend(
            name.to_str().filter(|name| name.starts_with(swap::DAMAGED)).map(str::to_owned),
        );
    }
    folders.sort();
    folders.iter().rev().skip(ASIDE_MAX).try_for_each(|old| forget(&directory.join(old)))
}

/// Whether an error tells of damage, and not of a lock, of rights, of a full disk, or of a store
/// that a later visnyk wrote.
#[must_use]
pub fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged { .. } | StoreError::Value { .. } | StoreError::Broken { .. } => true,
        StoreError::Engine { cause, .. } => *cause == Cause::Content,
        _ => false,
    }
}
