//! feeds.toml as a file that commands change: read once, checked before it is written, replaced
//! whole or not at all.

use crate::cli::CONFIG_ERROR;
use crate::cli::IO_ERROR;
use crate::cli::asking::has_daemon;
use crate::cli::fail;
use crate::cli::log;
use crate::cli::warn;
use crate::config::Config;
use crate::config::parse;
use similar::TextDiff;
use std::fs;
use std::io;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::fchown;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use tempfile::Builder;
use tempfile::NamedTempFile;

/// Who may read and write a new feeds.toml.
const MODE: u32 = 0o644;
/// The same until it stands there: what it holds may be for few.
const MODE_BEFORE: u32 = 0o600;
/// What a feeds.toml begins with that is made where none was.
const FIRST: &str = include_str!("first.toml");

/// How many lines around a change a difference shows.
const CONTEXT_LINES: usize = 3;

/// Whether a change is made or only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// It is made.
    Real,
    /// It is shown.
    Shown,
}

/// A feeds.toml, as it was read.
#[derive(Debug)]
pub struct FeedsFile {
    /// As its user names it.
    pub(crate) path: PathBuf,
    /// What stands in it.
    pub(crate) text: String,
    /// Whether it is there yet.
    is_new: bool,
}

impl FeedsFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, ExitCode> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text, is_new: false }),
            Err(error) => Err(fail(IO_ERROR, &format!("{}: {error}", path.display()))),
        }
    }

    /// A file that is not there yet, with what it begins with.
    pub(crate) fn first(path: &Path) -> Result<(Self, Config), ExitCode> {
        let file = Self { path: path.to_owned(), text: FIRST.to_owned(), is_new: true };
        let config = file.check(FIRST)?;
        Ok((file, config))
    }

    /// What a text would mean in this place; its mistakes are shown.
    pub(crate) fn check(&self, text: &str) -> Result<Config, ExitCode> {
        let name = self.path.display().to_string();
        parse(&name, text, self.path.parent().unwrap_or(Path::new(""))).map_err(|problems| {
            warn(&format!("visnyk: {name} stays as it is: with the change it would have mistakes"));
            let coloured = log::colours();
            warn(&if coloured { problems.coloured() } else { problems.to_string() });
            ExitCode::from(CONFIG_ERROR)
        })
    }

    /// Writes a text that is not what was read, if it is without a mistake; or tells what would
    /// be written.
    pub(crate) fn change(&self, text: &str, writing: Writing) -> Result<Option<String>, ExitCode> {
        self.check(text)?;
        if writing == Writing::Shown {
            return Ok(Some(self.difference(text)));
        }
        let replaced = self.replace(text);
        replaced
            .map_err(|error| fail(IO_ERROR, &format!("{}: {error}", self.path.display())))
            .map(|()| None)
    }

    fn difference(&self, text: &str) -> String {
        let name = self.path.display().to_string();
        let difference = TextDiff::from_lines(self.text.as_str(), text);
        let mut shown = difference.unified_diff();
        shown.context_radius(CONTEXT_LINES).header(&name, &name).to_string().trim_end().to_owned()
    }

    /// Puts a text in the place of the file: a reader sees the one or the other, whatever happens
    /// in between. Where a link points elsewhere, the file there is replaced.
    fn replace(&self, text: &str) -> io::Result<()> {
        if self.is_new {
            return make(&self.path, text);
        }
        let place = fs::canonicalize(&self.path)?;
        // One command after the other: whoever comes second sees what the first has written.
        let folder = fs::File::open(folder_of(&place))?;
        folder.try_lock().map_err(|_| io::Error::other("another command is changing it"))?;
        let known = fs::metadata(&place)?;
        let file = temporary(&place, text)?;
        // It stays whose it was, as far as that is ours to say.
        if fchown(file.as_file(), Some(known.uid()), Some(known.gid())).is_err() {
            let _ = fchown(file.as_file(), None, Some(known.gid()));
        }
        file.as_file().set_permissions(known.permissions())?;
        file.as_file().sync_all()?;
        if fs::read_to_string(&place)? != self.text {
            let error = "somebody else has changed it in the meantime: try again";
            return Err(io::Error::other(error));
        }
        file.persist(&place)?;
        sync_folder(&place)
    }
}

/// Makes a feeds.toml where none is, and its folder as well.
fn make(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    let file = temporary(path, text)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(MODE))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    sync_folder(path)
}

/// What comes of a change for whoever runs the daemon, or is about to.
pub(crate) fn what_next(path: &Path, state: &Path) -> String {
    if has_daemon(state) {
        return "the daemon that runs takes it up by itself".to_owned();
    }
    let named = match path.to_str() {
        Some("feeds.toml") => String::new(),
        _ => format!(" --config {}", path.display()),
    };
    format!("no daemon runs here: `visnyk run{named}` starts one")
}

/// A file beside `place` that holds a text, and goes away again unless it takes that place.
fn temporary(place: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut file = Builder::new()
        .prefix(".feeds.toml.")
        .permissions(fs::Permissions::from_mode(MODE_BEFORE))
        .tempfile_in(folder_of(place))?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// Only then does a name outlive a loss of power.
fn sync_folder(place: &Path) -> io::Result<()> {
    fs::File::open(folder_of(place))?.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
