//! The files of one page: as it is, and in each coding, named as web servers look for them.

use crate::export::error::ExportError;
use crate::export::folder::Folder;
use crate::export::folder::Found;
use crate::export::manifest::Entry;
use crate::export::manifest::Written;
use crate::export::root::Root;
use crate::serve::coding::CODINGS;
use crate::serve::coding::Coding;
use crate::serve::coding::Effort;
use crate::serve::documents::Rendered;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// What was done to the files of a page.
#[derive(Debug)]
pub(super) struct Done {
    /// What is there now.
    pub(super) written: Written,
    /// The files that were written, below the directory.
    pub(super) files: Vec<String>,
}

/// Where a page lies: folders, and a name in the last of them.
struct Place<'a> {
    folders: Vec<&'a str>,
    name: Cow<'a, str>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let below = path.strip_prefix('/').unwrap_or(path);
        let mut folders: Vec<&str> = below.split('/').collect();
        // What has no ending is a page for people: no other name has a dot in it.
        let name = match folders.pop().unwrap_or_default() {
            "" => Cow::Borrowed("index.html"),
            name if name.contains('.') => Cow::Borrowed(name),
            name => Cow::Owned(format!("{name}.html")),
        };
        Self { folders, name }
    }

    /// The path of a file below the directory.
    fn file(&self, name: &str) -> String {
        self.folders.iter().copied().chain([name]).collect::<Vec<_>>().join("/")
    }

    /// All names of the page in its folder, the plain one last.
    fn names(&self) -> Vec<String> {
        CODINGS
            .map(|coding| form(&self.name, coding))
            .into_iter()
            .chain([self.name.clone().into_owned()])
            .collect()
    }
}

/// What is appended to a file's name for its form in a coding.
#[must_use]
pub fn ending(coding: Coding) -> &'static str {
    match coding {
        Coding::Brotli => "br",
        Coding::Zstd => "zst",
        Coding::Gzip => "gz",
    }
}

fn form(name: &str, coding: Coding) -> String {
    format!("{name}.{}", ending(coding))
}

/// Whether anything lies where a page belongs.
pub(super) fn is_taken(root: &Root, path: &str) -> Result<Option<String>, ExportError> {
    let place = Place::of(path);
    let Some(way) = root.way(&place.folders)? else { return Ok(None) };
    let folder = way.last().unwrap_or(root.folder());
    for name in place.names() {
        if folder.has(&name)? {
            return Ok(Some(place.file(&name)));
        }
    }
    Ok(None)
}

/// Brings the files of a page up to date. What is there already stays as it is.
///
/// Everything is written beside its place first: a disk that is full leaves the old files. Then
/// the old compressed forms go, the plain file is put there, and the new forms follow: between
/// these steps there is no form rather than one of other bytes.
pub(super) fn put(
    root: &Root,
    path: &str,
    rendered: &Rendered,
    known: Option<&Written>,
) -> Result<Done, ExportError> {
    let place = Place::of(path);
    let made = root.made(&place.folders)?;
    let folder = made.as_ref().unwrap_or(root.folder());
    for name in place.names() {
        folder.clear(&name)?;
    }
    let plain = folder.compare(&place.name, &rendered.identity);
    let is_known = plain == Found::Same && known.is_some_and(|k| k.digest == rendered.digest);
    let mut forms = BTreeMap::new();
    let mut stale = Vec::new();
    for coding in CODINGS {
        let name = form(&place.name, coding);
        let before = known.and_then(|known| known.forms.get(ending(coding)));
        if let Some(digest) = before.filter(|_| is_known)
            && folder.digest(&name).as_ref() == Some(digest)
        {
            forms.insert(ending(coding).to_owned(), digest.clone());
            continue;
        }
        let bytes = coding
            .encode(&rendered.identity, Effort::Kept)
            .map_err(|error| ExportError::file("compress", &folder.path().join(&name), error))?;
        let digest = blake3::hash(&bytes).to_hex()[..32].to_owned();
        forms.insert(ending(coding).to_owned(), digest);
        if folder.compare(&name, &bytes) != Found::Same {
            stale.push((name, bytes));
        }
    }
    let written =
        Written { bytes: rendered.identity.len() as u64, digest: rendered.digest.clone(), forms };
    replace(folder, &place.name, plain, rendered, &stale)?;
    let plain = (plain != Found::Same).then_some(&*place.name);
    let names = plain.into_iter().chain(stale.iter().map(|(name, _)| name.as_str()));
    Ok(Done { written, files: names.map(|name| place.file(name)).collect() })
}

fn replace(
    folder: &Folder,
    name: &str,
    plain: Found,
    rendered: &Rendered,
    stale: &[(String, Vec<u8>)],
) -> Result<(), ExportError> {
    if plain == Found::Same && stale.is_empty() {
        return Ok(());
    }
    // Some servers take a form only if it is as old as the plain file.
    let kept = if plain == Found::Same { folder.written(name) } else { None };
    let written = kept.unwrap_or_else(SystemTime::now);
    let mut staged = Vec::new();
    for (name, bytes) in stale {
        staged.push(folder.stage(name, bytes, written)?);
    }
    if plain != Found::Same {
        let whole = folder.stage(name, &rendered.identity, written)?;
        let mut removed = false;
        for (name, _) in stale {
            removed |= folder.remove(name)?;
        }
        if removed {
            folder.sync()?;
        }
        whole.place()?;
    }
    for form in staged {
        form.place()?;
    }
    folder.sync()
}

/// Removes the files of a page, and the folders that are empty then; gives what was there.
pub(super) fn remove(root: &Root, path: &str) -> Result<Vec<String>, ExportError> {
    let place = Place::of(path);
    let Some(way) = root.way(&place.folders)? else { return Ok(Vec::new()) };
    let folder = way.last().unwrap_or(root.folder());
    let mut files = Vec::new();
    for name in place.names() {
        folder.clear(&name)?;
        if folder.remove(&name)? {
            files.push(place.file(&name));
        }
    }
    folder.sync()?;
    for depth in (0..place.folders.len()).rev() {
        let above = if depth == 0 { root.folder() } else { &way[depth - 1] };
        above.remove_empty(place.folders[depth]);
    }
    Ok(files)
}

impl Entry {
    /// Whether the page is known to be as it was just written.
    pub(super) fn is(&self, written: &Written) -> bool {
        self.written.as_ref().is_some_and(|known| known.digest == written.digest)
    }
}
