//! What exports wrote into a directory: `.visnyk-export.json` in it.
//!
//! It is written twice: before the first file, with the addresses that are new, so that an export
//! that is killed leaves nothing that nobody knows of; and afterwards, with the digests. A digest
//! is never trusted alone, each file is read and held against it. The manifest has a digest of
//! itself: one that somebody changed is refused, for what it lists is removed in the end.

use crate::export::error::ExportError;
use crate::export::folder::Folder;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Its name in the directory that is exported to.
pub const MANIFEST: &str = ".visnyk-export.json";
/// What it may hold at most: some 300 bytes for a page.
const BYTES_MAX: u64 = 256 * 1024 * 1024;
const FORMAT: u32 = 1;

/// What exports wrote, by the address below the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) pages: BTreeMap<String, Entry>,
}

/// A page, as it was last written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The publication that it is of, or what else it is purged with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) key: Option<String>,
    /// The bytes that were written; none if that was not finished.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) written: Option<Written>,
}

/// What was written of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) bytes: u64,
    pub(super) digest: String,
    /// The digests of the compressed forms, by the ending of their names.
    pub(super) forms: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    format: u32,
    /// Whose pages they are.
    site: String,
    /// Of `pages`, as they are written here.
    digest: String,
    pages: BTreeMap<String, Entry>,
}

impl Manifest {
    /// The manifest in a folder; none if there is none.
    pub(super) fn read(folder: &Folder, site: &str) -> Result<Option<Self>, ExportError> {
        let Some(bytes) = folder.whole(MANIFEST, BYTES_MAX)? else { return Ok(None) };
        let damaged = |reason: String| {
            let advice = "move it away, and take the files over by `visnyk export --into-nonempty`";
            ExportError::refused(&folder.path().join(MANIFEST), format!("{reason}: {advice}"))
        };
        let raw: RawManifest = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("this is no manifest of an export ({error})")))?;
        if raw.format != FORMAT {
            return Err(damaged(format!("this has format {}, not {FORMAT}", raw.format)));
        }
        let is_whole = raw.digest == digest(&raw.pages) && raw.pages.keys().all(|p| is_address(p));
        if !is_whole {
            return Err(damaged("this is not as an export wrote it".to_owned()));
        }
        if raw.site != site {
            let reason = format!("this is an export of another site, {}, not of {site}", raw.site);
            return Err(ExportError::refused(folder.path(), reason));
        }
        Ok(Some(Self { pages: raw.pages }))
    }

    /// Writes it into a folder.
    pub(super) fn write(&self, folder: &Folder, site: &str) -> Result<(), ExportError> {
        let raw = RawManifest {
            format: FORMAT,
            site: site.to_owned(),
            digest: digest(&self.pages),
            pages: self.pages.clone(),
        };
        let text = serde_json::to_vec(&raw)
            .map_err(|error| ExportError::file("write", &folder.path().join(MANIFEST), error))?;
        if text.len() as u64 > BYTES_MAX {
            let reason = format!("its manifest would be over {} MiB", BYTES_MAX >> 20);
            return Err(ExportError::refused(folder.path(), reason));
        }
        folder.stage(MANIFEST, &text, SystemTime::now())?.place()?;
        folder.sync()
    }
}

fn digest(pages: &BTreeMap<String, Entry>) -> String {
    // Texts, numbers and maps of them: nothing that JSON could not hold.
    let text = serde_json::to_vec(pages).unwrap_or_default();
    blake3::hash(&text).to_hex()[..32].to_owned()
}

/// Whether an address is one that a page can have, and leads to no other place: no `..`, no name
/// that begins with a dot.
fn is_address(path: &str) -> bool {
    let is_name = |name: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(allowed)
    };
    let below = path.strip_prefix('/');
    // What ends in a slash is the first page of a folder.
    let below = below.map(|below| below.strip_suffix('/').unwrap_or(below));
    path == "/" || below.is_some_and(|below| below.split('/').all(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_a_file_below_the_directory() {
        for path in
            ["/", "/all.atom", "/regions/kharkivska/tags/partnerstvo.json", "/a_b/12.atom", "/uk/"]
        {
            assert!(is_address(path), "{path}");
        }
        for path in [
            "", "all.atom", "//a", "/../a", "/a/..", "/a//", "//", "/.git", "/a/.b", "/a\\b",
            "/a\0", "/ї",
        ] {
            assert!(!is_address(path), "{path:?}");
        }
    }

    #[test]
    fn a_manifest_that_was_changed_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let folder = Folder::at(directory.path()).unwrap();
        let mut manifest = Manifest::default();
        manifest.pages.insert("/all.atom".to_owned(), Entry::default());
        manifest.write(&folder, "one").unwrap();
        let path = directory.path().join(MANIFEST);
        let text = std::fs::read_to_string(&path).unwrap();
        let back = Manifest::read(&folder, "one").unwrap();
        let of_another = Manifest::read(&folder, "two").unwrap_err().to_string();
        let mut refused = Vec::new();
        for (old, new) in [
            ("all.atom", "all.json"),
            ("all.atom", "../a"),
            ("\"format\":1", "\"format\":2"),
            ("}", ""),
        ] {
            std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
            refused.push(Manifest::read(&folder, "one").is_err());
        }
        assert_eq!(back, Some(manifest));
        assert!(of_another.contains("another site"), "{of_another}");
        assert_eq!(refused, [true; 4]);
    }
}
