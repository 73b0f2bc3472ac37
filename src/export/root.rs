//! The directory that is exported to: which ones are refused, and that one export is in it at once.

use crate::export::Others;
use crate::export::error::ExportError;
use crate::export::folder::FOLDER_MODE;
use crate::export::folder::Folder;
use crate::export::manifest::Manifest;
use std::fs;
use std::fs::File;
use std::fs::Permissions;
use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

/// What all names of our own begin with.
const OWN: &str = ".visnyk-export";
const LOCK: &str = ".visnyk-export.lock";

/// What is done where there is no directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// It is made.
    Make,
    /// That is an error: it was there, so that a disk may have gone which will come back.
    Refuse,
}

/// The directory, open and locked.
#[derive(Debug)]
pub(super) struct Root {
    folder: Folder,
    _lock: File,
}

impl Root {
    /// Opens and locks a directory, and gives what exports wrote there; none if none did.
    pub(super) fn open(
        directory: &Path,
        absent: Absent,
        others: Others,
        state: &Path,
        site: &str,
    ) -> Result<(Self, Option<Manifest>), ExportError> {
        let directory = &real(directory, absent, &real_state(state))?;
        let opened = |error| ExportError::file("open", directory, error);
        let folder = Folder::at(directory)?;
        if others == Others::Stay && Manifest::read(&folder, site)?.is_none() {
            for entry in fs::read_dir(directory).map_err(opened)? {
                let name = entry.map_err(opened)?.file_name();
                if !name.to_string_lossy().starts_with(OWN) {
                    let reason = "it is not empty, and no export wrote what is in it: name another \
                                  directory, or put the site among the other files by \
                                  `visnyk export --into-nonempty`";
                    return Err(ExportError::refused(directory, reason));
                }
            }
        }
        let lock = folder.lock(LOCK)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ExportError::Busy { directory: directory.clone() });
            }
            Err(TryLockError::Error(error)) => {
                return Err(ExportError::file("lock", &directory.join(LOCK), error));
            }
        }
        let manifest = match Manifest::read(&folder, site) {
            // To take files over is what the admin asked for.
            Err(ExportError::Refused { directory: what, .. })
                if others == Others::Yield && what != *directory =>
            {
                None
            }
            read => read?,
        };
        Ok((Self { folder, _lock: lock }, manifest))
    }

    /// The directory itself.
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The folder that a file is in, made where there is none, if it is not the directory itself.
    pub(super) fn made(&self, folders: &[&str]) -> Result<Option<Folder>, ExportError> {
        let mut deepest: Option<Folder> = None;
        for name in folders {
            deepest = Some(deepest.as_ref().unwrap_or(&self.folder).made(name)?);
        }
        Ok(deepest)
    }

    /// The folders on the way to a file, from the outermost; none if one of them is not there.
    pub(super) fn way(&self, folders: &[&str]) -> Result<Option<Vec<Folder>>, ExportError> {
        let mut way: Vec<Folder> = Vec::new();
        for name in folders {
            match way.last().unwrap_or(&self.folder).inner(name)? {
                Some(inner) => way.push(inner),
                None => return Ok(None),
            }
        }
        Ok(Some(way))
    }
}

/// The directory by its real path.
fn real(directory: &Path, absent: Absent, state: &Path) -> Result<PathBuf, ExportError> {
    match fs::canonicalize(directory) {
        Ok(path) => return refuse_dangerous(&path, state).map(|()| path),
        Err(error) if error.kind() == io::ErrorKind::NotFound && absent == Absent::Make => {}
        Err(error) => return Err(ExportError::file("open", directory, error)),
    }
    let failed = |error| ExportError::file("make", directory, error);
    let (Some(above), Some(name)) = (directory.parent(), directory.file_name()) else {
        return Err(ExportError::refused(directory, "this is no name of a directory"));
    };
    let path = fs::canonicalize(above).map_err(failed)?.join(name);
    refuse_dangerous(&path, state)?;
    fs::create_dir(&path).map_err(failed)?;
    fs::set_permissions(&path, Permissions::from_mode(FOLDER_MODE)).map_err(failed)?;
    Ok(path)
}

fn real_state(state: &Path) -> PathBuf {
    fs::canonicalize(state).unwrap_or_else(|_| state.to_owned())
}

/// What is exported is public, and what is in its way is replaced: neither may meet the system or
/// the store.
fn refuse_dangerous(directory: &Path, state: &Path) -> Result<(), ExportError> {
    if directory.parent().is_none() {
        return Err(ExportError::refused(directory, "this is the whole system: name a directory"));
    }
    if state.starts_with(directory) || directory.starts_with(state) {
        let reason = format!("the store is in {}: name a directory elsewhere", state.display());
        return Err(ExportError::refused(directory, reason));
    }
    Ok(())
}
