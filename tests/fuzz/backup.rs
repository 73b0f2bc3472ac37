//! A file that is given as a backup: it is read or refused, whatever is in it, and a store comes
//! about of what reads, or none does. Since a digest stands before each layer, the first byte says
//! with which of them made right the rest is looked at.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;
use visnyk::backup::error::BackupError;
use visnyk::backup::file::Backup;
use visnyk::backup::file::check;
use visnyk::backup::file::read;
use visnyk::backup::mending::Present;
use visnyk::backup::mending::restore;
use visnyk::store::dump::kind_of;
use visnyk::store::refill::Validators;

/// What stands before the digest of the compressed bytes.
const SEAL_HEAD: [u8; 8] = [0x5b, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
const HEADER: &str =
    "{\"kind\":\"header\",\"version\":1,\"at\":\"2026-06-01T00:00:00Z\",\"visnyk\":\"0.1.0\"}\n";

fn sealed(mut compressed: Vec<u8>) -> Vec<u8> {
    let digest = blake3::hash(&compressed);
    compressed.extend_from_slice(&SEAL_HEAD);
    compressed.extend_from_slice(digest.as_bytes());
    compressed
}

fn of_text(text: &[u8]) -> Vec<u8> {
    sealed(zstd::encode_all(text, 1).unwrap())
}

/// A backup that is right but for what its lines say. None of lines that are none.
fn of_lines(lines: &[u8]) -> Option<Vec<u8>> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let kind = kind_of(line).filter(|kind| *kind != "end" && line.ends_with(b"\n"))?;
        *counts.entry(kind).or_default() += 1;
    }
    let mut text = [HEADER.as_bytes(), lines].concat();
    let digest = blake3::hash(&text).to_hex().to_string();
    // By hand, for the kind has to come first.
    let counts = serde_json::json!(counts);
    let end = format!("{{\"kind\":\"end\",\"counts\":{counts},\"blake3\":\"{digest}\"}}\n");
    text.extend_from_slice(end.as_bytes());
    Some(of_text(&text))
}

/// In memory, where there is such a folder: each run writes some files.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

thread_local! {
    static FOLDER: TempDir = folder();
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

/// A file of these bytes, and a folder that is not there yet.
fn places(bytes: &[u8]) -> (PathBuf, PathBuf) {
    let run = RUNS.with(|runs| runs.replace(runs.get() + 1));
    FOLDER.with(|folder| {
        let file = folder.path().join("backup");
        fs::write(&file, bytes).unwrap();
        (file, folder.path().join(run.to_string()))
    })
}

/// The file is given as one that is whole, or the error tells how it is not.
fn looked_at(file: &Path) -> Option<Backup> {
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let backup = read(file, |line| {
        assert!(line.ends_with(b"\n"));
        let kind = kind_of(line).expect("a line that is given has a kind");
        *counted.entry(kind.to_owned()).or_default() += 1;
        Ok(())
    });
    match (backup, check(file)) {
        (Ok(backup), Ok(again)) => {
            assert_eq!(backup, again);
            assert_eq!(backup.counts, counted);
            Some(backup)
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            let is_said = matches!(error, BackupError::Damaged { .. } | BackupError::Newer { .. });
            assert!(is_said, "{error}");
            None
        }
        (one, other) => panic!("{one:?} and then {other:?}"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let made = match first % 4 {
        0 => Some(bytes.to_vec()),
        1 => Some(sealed(bytes.to_vec())),
        2 => Some(of_text(bytes)),
        _ => of_lines(bytes),
    };
    let Some(made) = made else { return };
    let (file, directory) = places(&made);
    let backup = looked_at(&file);
    if first % 4 < 3 {
        return;
    }
    // The bounds on kinds are the only ones that an input of this length can reach: one kind that
    // is too long, or too many.
    let Some(backup) = backup else {
        assert!(bytes.len() > 64);
        return;
    };
    let at = backup.at;
    match restore(&file, &directory, Present::Refused, Validators::Kept, at) {
        Ok(restored) => assert_eq!(restored.backup, backup),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            // What could not be made whole is not there at all.
            let left = fs::read_dir(&directory).unwrap().count();
            assert_eq!(left, 0, "{error}");
        }
    }
    fs::remove_dir_all(&directory).unwrap();
});
