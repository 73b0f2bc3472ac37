//! The backups that are kept in a directory, named by when they were begun.

use crate::backup::file::PARTIAL;
use crate::store::files::make_folder;
use chrono::DateTime;
use chrono::NaiveDateTime;
use chrono::Utc;
use std::cmp::Reverse;
use std::fs;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::SystemTime;

/// Where they are kept if feeds.toml does not say.
pub const FOLDER: &str = "backups";

const PREFIX: &str = "visnyk-";
const ENDING: &str = ".jsonl.zst";
const TIME: &str = "%Y%m%dT%H%M%SZ";
/// A file that is not whole after so long never will be.
const PARTIAL_KEPT: Duration = Duration::from_hours(6);

/// A file of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

/// The time in a name, as files and folders bear it.
#[must_use]
pub fn stamp(at: DateTime<Utc>) -> String {
    at.format(TIME).to_string()
}

/// Where a backup of that time is kept. The directory is made if there is none.
///
/// # Errors
/// It cannot be.
pub fn place_for(directory: &Path, at: DateTime<Utc>) -> io::Result<PathBuf> {
    make_folder(directory)?;
    Ok(directory.join(format!("{PREFIX}{}{ENDING}", stamp(at))))
}

/// The backups in a directory, the newest first; none if there is no directory.
///
/// # Errors
/// It cannot be read.
pub fn all(directory: &Path) -> io::Result<Vec<Entry>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(at) = name.to_str().and_then(time_of) else { continue };
        let bytes = entry.metadata()?.len();
        all.push(Entry { at, path: entry.path(), bytes });
    }
    all.sort_by_key(|entry| Reverse(entry.at));
    Ok(all)
}

/// Forgets all but the newest ones, and what was begun and never ended.
///
/// # Errors
/// A file cannot be removed.
pub fn rotate(directory: &Path, keep: usize) -> io::Result<()> {
    for old in all(directory)?.into_iter().skip(keep) {
        fs::remove_file(old.path)?;
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_partial = entry.file_name().to_str().is_some_and(|name| name.starts_with(PARTIAL));
        let age = SystemTime::now().duration_since(entry.metadata()?.modified()?);
        if is_partial && age.is_ok_and(|age| age > PARTIAL_KEPT) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn time_of(name: &str) -> Option<DateTime<Utc>> {
    let time = name.strip_prefix(PREFIX)?.strip_suffix(ENDING)?;
    NaiveDateTime::parse_from_str(time, TIME).ok().map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("backups");
        assert_eq!(all(&kept).unwrap(), []);
        for day in 0..5 {
            let at = DateTime::from_timestamp(day * 86_400, 0).unwrap();
            fs::write(place_for(&kept, at).unwrap(), "x").unwrap();
        }
        fs::write(kept.join("notes.txt"), "x").unwrap();
        fs::write(kept.join(".visnyk-backup-now"), "x").unwrap();
        rotate(&kept, 2).unwrap();
        let days: Vec<i64> =
            all(&kept).unwrap().iter().map(|kept| kept.at.timestamp() / 86_400).collect();
        assert_eq!(days, [4, 3]);
        assert_eq!(fs::read_dir(&kept).unwrap().count(), 4);
    }
}
