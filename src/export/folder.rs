//! Files below one directory, and never outside it.
//!
//! Every folder is opened from the one above it, and no link is followed on the way: a link that
//! somebody put into the tree leads nowhere. A file is written beside its place, made durable, and
//! put there by its name alone, so that it is whole at every moment, also to who has it open.

use crate::export::error::ExportError;
use rustix::fs::AtFlags;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustix::fs::mkdirat;
use rustix::fs::openat;
use rustix::fs::renameat;
use rustix::fs::statat;
use rustix::fs::unlinkat;
use rustix::io::Errno;
use std::fs::File;
use std::fs::Permissions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

/// What a web server needs, which runs as somebody else, whatever umask the daemon has.
const FILE_MODE: u32 = 0o644;
pub(super) const FOLDER_MODE: u32 = 0o755;
const COMPARED_BYTES: usize = 64 * 1024;

/// An open directory.
#[derive(Debug)]
pub(super) struct Folder {
    open: File,
    path: PathBuf,
}

/// What lies at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// The bytes that were asked about, for everybody to read.
    Same,
    /// Anything else.
    Other,
}

/// A file that is written and not at its place yet. Unless it gets there, it is removed.
#[derive(Debug)]
pub(super) struct Staged<'a> {
    folder: &'a Folder,
    name: &'a str,
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // It may be at its place by now; and the next export removes what is left over.
        let _ = unlinkat(&self.folder.open, beside(self.name), AtFlags::empty());
    }
}

impl Staged<'_> {
    /// Puts the file at its place, instead of what is there.
    pub(super) fn place(self) -> Result<(), ExportError> {
        let open = &self.folder.open;
        let placed = renameat(open, beside(self.name), open, self.name);
        placed.map_err(|error| self.folder.failed("replace", self.name, error))
    }
}

impl Folder {
    /// The directory at a path, which the admin named: links on the way to it are his.
    pub(super) fn at(path: &Path) -> Result<Self, ExportError> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
        match openat(rustix::fs::CWD, path, flags, Mode::empty()) {
            Ok(open) => Ok(Self { open: open.into(), path: path.to_owned() }),
            Err(error) => Err(ExportError::file("open", path, error)),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it; none if there is none.
    pub(super) fn inner(&self, name: &str) -> Result<Option<Self>, ExportError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        match openat(&self.open, name, flags, Mode::empty()) {
            Ok(open) => Ok(Some(Self { open: open.into(), path: self.path.join(name) })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("open", name, error)),
        }
    }

    /// A folder in it, made if there is none.
    pub(super) fn made(&self, name: &str) -> Result<Self, ExportError> {
        if let Some(inner) = self.inner(name)? {
            return Ok(inner);
        }
        match mkdirat(&self.open, name, Mode::from_raw_mode(FOLDER_MODE)) {
            Err(error) if error != Errno::EXIST => return Err(self.failed("make", name, error)),
            _ => {}
        }
        let inner = self.inner(name)?.ok_or_else(|| self.failed("make", name, Errno::NOENT))?;
        let opened = inner.open.set_permissions(Permissions::from_mode(FOLDER_MODE));
        opened.map_err(|error| ExportError::file("open to readers", &inner.path, error))?;
        self.sync()?;
        Ok(inner)
    }

    /// Whether anything is at a name, be it a link.
    pub(super) fn has(&self, name: &str) -> Result<bool, ExportError> {
        match statat(&self.open, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.failed("look at", name, error)),
        }
    }

    /// Whether these bytes are at a name.
    pub(super) fn compare(&self, name: &str, bytes: &[u8]) -> Found {
        let (mut rest, mut same) = (bytes, true);
        let found = self.read(name, bytes.len() as u64, |chunk| {
            same = same && rest.starts_with(chunk);
            rest = rest.get(chunk.len()..).unwrap_or_default();
        });
        if found == Found::Same && !(same && rest.is_empty()) { Found::Other } else { found }
    }

    /// The digest of the file at a name; none if there is none, or not for everybody to read.
    pub(super) fn digest(&self, name: &str) -> Option<String> {
        let bytes = self.regular(name).ok()??.metadata().ok()?.len();
        let mut hasher = blake3::Hasher::new();
        let found = self.read(name, bytes, |chunk| {
            hasher.update(chunk);
        });
        (found == Found::Same).then(|| hasher.finalize().to_hex()[..32].to_owned())
    }

    /// All bytes at a name; none if nothing is there.
    pub(super) fn whole(&self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, ExportError> {
        let failed = |error| ExportError::file("read", &self.path.join(name), error);
        let Some(file) = self.regular(name).map_err(failed)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    /// When the file at a name was last written.
    pub(super) fn written(&self, name: &str) -> Option<SystemTime> {
        self.regular(name).ok()??.metadata().ok()?.modified().ok()
    }

    /// Writes a file beside its place and makes it durable.
    pub(super) fn stage<'a>(
        &'a self,
        name: &'a str,
        bytes: &[u8],
        written: SystemTime,
    ) -> Result<Staged<'a>, ExportError> {
        // What an export left there that was killed, or a link that somebody put there.
        self.remove(&beside(name))?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made =
            openat(&self.open, beside(name), flags | OFlags::WRONLY, Mode::from_raw_mode(0o600));
        let mut file = File::from(made.map_err(|error| self.failed("write", name, error))?);
        let staged = Staged { folder: self, name };
        let write = |file: &mut File| {
            file.write_all(bytes)?;
            file.set_permissions(Permissions::from_mode(FILE_MODE))?;
            file.set_modified(written)?;
            file.sync_all()
        };
        write(&mut file).map_err(|error| self.failed("write", name, error))?;
        Ok(staged)
    }

    /// Removes a file; gives whether there was one.
    pub(super) fn remove(&self, name: &str) -> Result<bool, ExportError> {
        match unlinkat(&self.open, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.failed("remove", name, error)),
        }
    }

    /// Removes what an export left beside a name that was killed.
    pub(super) fn clear(&self, name: &str) -> Result<(), ExportError> {
        self.remove(&beside(name)).map(|_| ())
    }

    /// Removes a folder in it if that is empty.
    pub(super) fn remove_empty(&self, name: &str) {
        // Whatever else keeps it is no harm to what is published.
        let _ = unlinkat(&self.open, name, AtFlags::REMOVEDIR);
    }

    /// Opens a file to hold it locked, and makes it if there is none.
    pub(super) fn lock(&self, name: &str) -> Result<File, ExportError> {
        let flags = OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDWR;
        let opened = openat(&self.open, name, flags, Mode::from_raw_mode(0o600));
        opened.map(File::from).map_err(|error| self.failed("lock", name, error))
    }

    /// Makes durable which names are in it.
    pub(super) fn sync(&self) -> Result<(), ExportError> {
        let synced = self.open.sync_all();
        synced.map_err(|error| ExportError::file("make durable", &self.path, error))
    }

    /// Hands on what is at a name if it is a file of as many bytes, for everybody to read.
    fn read(&self, name: &str, bytes: u64, mut each: impl FnMut(&[u8])) -> Found {
        let mut file = match self.regular(name) {
            Ok(Some(file)) => file,
            Ok(None) => return Found::Nothing,
            Err(_) => return Found::Other,
        };
        let fits = file
            .metadata()
            .is_ok_and(|about| about.len() == bytes && about.permissions().mode() & 0o444 == 0o444);
        if !fits {
            return Found::Other;
        }
        let mut chunk = vec![0; COMPARED_BYTES];
        loop {
            match file.read(&mut chunk) {
                Ok(0) => return Found::Same,
                Ok(read) => each(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Found::Other,
            }
        }
    }

    /// The file at a name; none if nothing is there. A link, a pipe or a folder is an error.
    fn regular(&self, name: &str) -> io::Result<Option<File>> {
        // A pipe would be waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::RDONLY;
        let about = match statat(&self.open, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(None),
            about => about?,
        };
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no file"));
        }
        let file = File::from(openat(&self.open, name, flags, Mode::empty())?);
        if file.metadata()?.is_file() {
            return Ok(Some(file));
        }
        Err(io::Error::other("it is no file"))
    }

    fn failed(&self, act: &'static str, name: &str, error: impl Into<io::Error>) -> ExportError {
        ExportError::file(act, &self.path.join(name), error)
    }
}

/// Where a file is written before it is put at its place.
fn beside(name: &str) -> String {
    format!(".{name}.visnyk-new")
}
