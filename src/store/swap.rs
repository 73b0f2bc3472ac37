//! Another store put in the place of the one in a directory, which is kept beside it.
//!
//! # Why it is so done
//! The directory itself may be one that only the service manager can rename, so that the files in it
//! change places. That takes many steps, and a crash may come between any two. So the new store is
//! made ready in a folder of the directory, and one rename decides: from then on whoever opens the
//! store finishes the steps first, each of which can be done twice. First the old files go, then
//! the new ones come, the data file last.

use crate::store::error::StoreError;
use crate::store::files::DATA;
use crate::store::files::LARGE_VALUES;
use crate::store::files::MARK;
use crate::store::files::SETTINGS;
use crate::store::files::SNAPSHOT;
use crate::store::files::make_folder;
use crate::store::files::sync_folder;
use std::fs;
use std::fs::File;
use std::io;
use std::io::ErrorKind;
use std::path::Path;
use std::path::PathBuf;

/// The folder of a store that is being made.
const MAKING: &str = "store.new";
/// The folder of one that is ready, while the old files go.
const READY: &str = "store.ready";
/// The same, while its files come.
const COMING: &str = "store.coming";
/// In these: the name of the folder for the old files.
const ASIDE: &str = "aside";
/// How folders of old files begin.
pub const DAMAGED: &str = "store.damaged-";

/// Where a new store is to be made, empty.
///
/// # Errors
/// The directory cannot be used.
pub fn place_for_new(directory: &Path) -> io::Result<PathBuf> {
    let fresh = directory.join(MAKING);
    match fs::remove_dir_all(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    make_folder(&fresh)?;
    Ok(fresh)
}

/// Puts the store that was made in [`place_for_new`] in the place of the one that is there, whose
/// files are kept in the folder `aside`.
///
/// # Errors
/// Files cannot be moved. What was begun is finished when the store is opened.
pub fn put_in_place(directory: &Path, aside: &str) -> io::Result<()> {
    let fresh = directory.join(MAKING);
    let mut name = File::create(fresh.join(ASIDE))?;
    io::Write::write_all(&mut name, aside.as_bytes())?;
    name.sync_all()?;
    sync_folder(&fresh)?;
    fs::rename(&fresh, directory.join(READY))?;
    sync_folder(directory)?;
    finish(directory)
}

/// Finishes what a crash interrupted. Does nothing as a rule.
///
/// # Errors
/// Files cannot be moved.
pub(crate) fn finish(directory: &Path) -> io::Result<()> {
    let (ready, coming) = (directory.join(READY), directory.join(COMING));
    if ready.is_dir() {
        let aside = fs::read_to_string(ready.join(ASIDE))?;
        let aside = directory.join(Path::new(&aside).file_name().unwrap_or_default());
        let old = files(directory)?;
        if !old.is_empty() {
            make_folder(&aside)?;
            for file in old {
                moved(&directory.join(&file), &aside.join(&file))?;
            }
            sync_folder(&aside)?;
            sync_folder(directory)?;
        }
        moved(&ready, &coming)?;
        sync_folder(directory)?;
    }
    if coming.is_dir() {
        for file in files(&coming)? {
            moved(&coming.join(&file), &directory.join(&file))?;
            if file != DATA {
                sync_folder(directory)?;
            }
        }
        sync_folder(directory)?;
        match fs::remove_dir_all(&coming) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        sync_folder(directory)?;
    }
    Ok(())
}

/// The same, told as the store tells it.
pub(crate) fn finished(directory: &Path) -> Result<(), StoreError> {
    finish(directory).map_err(|error| StoreError::Directory {
        directory: directory.to_owned(),
        reason: format!("a store that was to take its place cannot: {error}"),
    })
}

/// Copies the files of a store that are to be kept.
pub(crate) fn copy(from: &Path, to: &Path, keep: fn(&str) -> bool) -> io::Result<()> {
    make_folder(to)?;
    for file in files(from)?.into_iter().filter(|file| keep(file)) {
        let (from, to) = (from.join(&file), to.join(&file));
        if from.is_dir() {
            make_folder(&to)?;
            for entry in fs::read_dir(&from)? {
                let entry = entry?;
                fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// The lock that an open store holds; none if another process holds it, or there is no store.
///
/// # Errors
/// The data file cannot be opened.
pub fn lock(directory: &Path) -> io::Result<Option<File>> {
    let data = File::options().read(true).write(true).open(directory.join(DATA));
    match data {
        Ok(data) => Ok(data.try_lock().is_ok().then_some(data)),
        Err(error) => Err(error),
    }
}

/// Whether a directory has files of a store, or of one that is about to come.
#[must_use]
pub fn has_store(directory: &Path) -> bool {
    is_coming(directory) || files(directory).is_ok_and(|files| !files.is_empty())
}

/// Whether a store is about to take its place in a directory.
pub(crate) fn is_coming(directory: &Path) -> bool {
    directory.join(READY).is_dir() || directory.join(COMING).is_dir()
}

/// Another process may be at it too: what is gone has been moved.
fn moved(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// The names of the engine's files and folders in a directory, the data file last.
fn files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_own =
            [SETTINGS, LARGE_VALUES, MARK, DATA].contains(&name) || name.starts_with(SNAPSHOT);
        if is_own {
            names.push(name.to_owned());
        }
    }
    names.sort_by_key(|name| (name == DATA, name.clone()));
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(directory: &Path, text: &str) {
        fs::create_dir_all(directory.join("blobs")).unwrap();
        for file in ["db", "conf", "snap.0001", "blobs/1"] {
            fs::write(directory.join(file), text).unwrap();
        }
    }

    #[test]
    fn a_swap_that_breaks_off_anywhere_is_finished() {
        for steps in 0..8 {
            let folder = tempfile::tempdir().unwrap();
            let directory = folder.path();
            store(directory, "old");
            let fresh = place_for_new(directory).unwrap();
            store(&fresh, "new");
            fs::write(fresh.join(ASIDE), "store.damaged-1").unwrap();
            fs::rename(&fresh, directory.join(READY)).unwrap();
            let aside = directory.join("store.damaged-1");
            fs::create_dir_all(&aside).unwrap();
            let old = ["blobs", "conf", "snap.0001", "db"];
            for file in old.iter().take(steps) {
                fs::rename(directory.join(file), aside.join(file)).unwrap();
            }
            if steps >= old.len() {
                fs::rename(directory.join(READY), directory.join(COMING)).unwrap();
                for file in old.iter().take(steps - old.len()) {
                    fs::rename(directory.join(COMING).join(file), directory.join(file)).unwrap();
                }
            }
            finish(directory).unwrap();
            finish(directory).unwrap();
            for file in ["db", "conf", "snap.0001", "blobs/1"] {
                assert_eq!(fs::read_to_string(directory.join(file)).unwrap(), "new", "{steps}");
                assert_eq!(fs::read_to_string(aside.join(file)).unwrap(), "old", "{steps}");
            }
            assert!(!directory.join(COMING).exists() && !directory.join(READY).exists());
        }
    }
}
