//! Files that root makes in a directory of somebody else: given to whom the directory belongs.
//!
//! The service has a user of its own, and the store is its. Where root runs a command while the
//! daemon stands still, what that makes there would be root's, and the daemon could not open it.
//! systemd gives files back only if the directory itself has changed hands.

use rustix::fs::AtFlags;
use rustix::fs::Dir;
use rustix::fs::FileType;
use rustix::fs::Gid;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::Uid;
use rustix::fs::chownat;
use rustix::fs::fstat;
use rustix::fs::open;
use rustix::fs::openat;
use rustix::fs::statat;
use rustix::io::Errno;
use rustix::process::geteuid;
use std::os::fd::AsFd;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::path::PathBuf;
use tracing::warn;

/// How deep directories are looked through: what a store is made of is not so deep.
const DEPTH_MAX: u32 = 8;

/// Gives back what is root's below a directory, now and when this is dropped: now what a command
/// left that was killed.
#[derive(Debug)]
pub(crate) struct GivingBack(PathBuf);

impl GivingBack {
    /// For what is done in this directory.
    pub(crate) fn in_directory(directory: &Path) -> Self {
        let giving = Self(directory.to_owned());
        giving.give();
        giving
    }

    fn give(&self) {
        if !geteuid().is_root() {
            return;
        }
        match give_back(&self.0) {
            // Nothing was made.
            Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => warn!(
                "what root made in {} is not given to its owner: {error}; `chown -R` it before the \
                 service starts",
                self.0.display()
            ),
        }
    }
}

impl Drop for GivingBack {
    fn drop(&mut self) {
        self.give();
    }
}

/// Gives what is root's below a directory to the directory's owner.
fn give_back(directory: &Path) -> Result<(), Errno> {
    // The service's is a link.
    let directory = open(directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let about = fstat(&directory)?;
    let owner = (Uid::from_raw(about.st_uid), Gid::from_raw(about.st_gid));
    if owner.0.is_root() {
        return Ok(());
    }
    give_all(&directory, owner, DEPTH_MAX)
}

// By descriptors and without following a link: the owner may be up to no good, and root is not to
// give away what lies elsewhere.
fn give_all(directory: &OwnedFd, owner: (Uid, Gid), depth: u32) -> Result<(), Errno> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let (folder, kept) = (directory.as_fd(), AtFlags::SYMLINK_NOFOLLOW);
        let about = match statat(folder, name, kept) {
            Err(Errno::NOENT) => continue,
            about => about?,
        };
        let kind = FileType::from_raw_mode(about.st_mode);
        let is_elsewhere_too = kind != FileType::Directory && about.st_nlink > 1;
        if Uid::from_raw(about.st_uid).is_root() && !is_elsewhere_too {
            match chownat(folder, name, Some(owner.0), Some(owner.1), kept) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        if kind == FileType::Directory && depth > 0 {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match openat(folder, name, flags, Mode::empty()) {
                Ok(inner) => give_all(&inner, owner, depth - 1)?,
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::fs::chown;
    use std::os::unix::fs::symlink;

    /// Nobody in particular.
    const OWNER: u32 = 64_123;

    #[test]
    fn what_root_makes_is_its_directorys_owners() {
        let folder = tempfile::tempdir().unwrap();
        let (state, elsewhere) = (folder.path().join("state"), folder.path().join("elsewhere"));
        fs::create_dir(&state).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        let put = |path: PathBuf| fs::write(path, "x").unwrap();
        put(elsewhere.join("inside"));
        put(elsewhere.join("twice"));
        symlink(&elsewhere, state.join("link")).unwrap();
        fs::hard_link(elsewhere.join("twice"), state.join("twice")).unwrap();
        if !geteuid().is_root() {
            // Whoever is not root gives nothing away, and fails at nothing.
            drop(GivingBack::in_directory(&state));
            return;
        }
        put(state.join("left"));
        chown(&state, Some(OWNER), Some(OWNER)).unwrap();
        let owner = |path: &str| {
            let about = folder.path().join(path).symlink_metadata().unwrap();
            assert_eq!(about.uid(), about.gid(), "{path}");
            about.uid()
        };
        {
            let _giving = GivingBack::in_directory(&state);
            assert_eq!(owner("state/left"), OWNER, "what was left by a command that was killed");
            fs::create_dir(state.join("blobs")).unwrap();
            put(state.join("blobs/1"));
            put(state.join("others"));
            chown(state.join("others"), Some(1), Some(1)).unwrap();
        }
        let found = ["state/blobs", "state/blobs/1", "state/link", "state/others", "state/twice"]
            .map(owner);
        assert_eq!(found, [OWNER, OWNER, OWNER, 1, 0]);
        assert_eq!(["elsewhere", "elsewhere/inside", "elsewhere/twice"].map(owner), [0, 0, 0]);
    }

    #[test]
    fn a_directory_of_root_stays_as_it_is_and_none_is_no_mistake() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("db"), "x").unwrap();
        drop(GivingBack::in_directory(folder.path()));
        let own = folder.path().metadata().unwrap().uid();
        assert_eq!(folder.path().join("db").metadata().unwrap().uid(), own);
        assert_eq!(give_back(&folder.path().join("none")), Err(Errno::NOENT));
    }
}
