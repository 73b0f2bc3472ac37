//! What earlier versions wrote is read for ever: stores as pairs of hexadecimal keys and values, a
//! line each, and backups.
//!
//! `format-1` has the first forms of articles and histories, members without a place, and no
//! fronts. `VISNYK_FIXTURES=1` writes those of the newest versions, which nobody does again once
//! they are there.

use crate::composed;
use crate::fill;
use crate::lines;
use crate::material::at;
use crate::material::feed_id;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::tempdir;
use visnyk::backup::error::BackupError;
use visnyk::backup::file::VERSION;
use visnyk::backup::file::check;
use visnyk::backup::file::write;
use visnyk::backup::mending::Present;
use visnyk::backup::mending::restore;
use visnyk::model::publication::Selection;
use visnyk::store::Store;
use visnyk::store::refill::Validators;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store").join(name)
}

/// A store of the pairs of a fixture.
fn planted(name: &str, directory: &Path) {
    let db = sled::Config::new().path(directory).open().unwrap();
    let text = String::from_utf8(zstd::decode_all(&*fs::read(fixture(name)).unwrap()).unwrap());
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    for line in text.unwrap().lines() {
        let (key, value) = line.split_once(' ').unwrap();
        db.insert(bytes(key), bytes(value)).unwrap();
    }
    db.flush().unwrap();
}

/// How many lines of each kind there are.
fn kinds(path: &Path) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for line in lines(path) {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        *kinds.entry(line["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    kinds
}

#[tokio::test]
async fn the_newest_fixtures_are_written_if_that_is_asked_for() {
    if std::env::var_os("VISNYK_FIXTURES").is_none() {
        return;
    }
    let folder = tempdir().unwrap();
    let store = fill(&folder.path().join("store"), 32).await;
    write(&store, &fixture("backup-1.jsonl.zst"), at(1_700_000_000)).await.unwrap();
    store.close().await.unwrap();
    let db = sled::Config::new().path(folder.path().join("store")).open().unwrap();
    let mut text = String::new();
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    for (key, value) in db.iter().map(Result::unwrap) {
        writeln!(text, "{} {}", hex(&key), hex(&value)).unwrap();
    }
    fs::write(fixture("format-2.txt.zst"), zstd::encode_all(text.as_bytes(), 19).unwrap()).unwrap();
}

#[tokio::test]
async fn a_store_of_the_first_format_is_brought_to_this_one() {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("store");
    planted("format-1.txt.zst", &directory);
    // Written down before it is brought to this format, it is the same as after.
    let (early, late) = (folder.path().join("early"), folder.path().join("late"));
    let store = Store::look(&directory).unwrap().unwrap();
    write(&store, &early, at(0)).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(&directory, Vec::new()).unwrap();
    assert_eq!(store.audit().await, Ok(Vec::new()));
    write(&store, &late, at(0)).await.unwrap();
    assert!(lines(&early) == lines(&late));

    let region = Selection::at("regions/kyivska").unwrap();
    for selection in [Selection::All, region] {
        let front = store.front(&selection, 100).await.unwrap();
        let mut titles: Vec<&str> =
            front.standing.iter().map(|standing| standing.article.title.as_str()).collect();
        titles.reverse();
        let expected: Vec<String> = (0..7).map(|n| format!("Новина {n}")).collect();
        assert_eq!(titles, expected);
    }
    let histories = store.histories().await.unwrap();
    let history = histories.values().next().unwrap();
    assert_eq!((history.failures, history.address.as_str()), (2, "https://city.example/rss"));
    assert!(history.last_success.is_some());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_the_second_format_and_the_first_backup_are_read_and_are_one() {
    let folder = tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    planted("format-2.txt.zst", &old);
    let backup = fixture("backup-1.jsonl.zst");
    let restored = restore(&backup, &new, Present::Refused, Validators::Kept, at(0)).unwrap();
    assert_eq!((restored.left_out, restored.backup.at), (Vec::new(), at(1_700_000_000)));
    for (n, directory) in [old, new].iter().enumerate() {
        let store = Store::open(directory, composed()).unwrap();
        assert_eq!(store.audit().await, Ok(Vec::new()));
        assert_eq!(store.ids().await.unwrap().len(), 94);
        assert_eq!(store.page_numbers(&Selection::All).await, Ok(vec![1]));
        assert_eq!(store.page(&Selection::All, 1).await.unwrap().unwrap().stories.len(), 10);
        let kept = store.kept(&feed_id("kyiv")).await.unwrap().unwrap();
        assert_eq!(kept.bytes.unwrap(), crate::material::document("kyiv", 50).bytes);
        let again = folder.path().join(format!("again-{n}"));
        write(&store, &again, at(0)).await.unwrap();
        assert_eq!(kinds(&again), kinds(&backup));
        store.close().await.unwrap();
    }
}

#[test]
fn a_backup_of_a_later_version_is_told_from_a_damaged_one() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("later");
    let head = r#"{"kind":"header","version":9,"at":"2026-01-01T00:00:00Z","visnyk":"9.0.0"}"#;
    let mut bytes = zstd::encode_all(format!("{head}\n").as_bytes(), 3).unwrap();
    let digest = blake3::hash(&bytes);
    bytes.extend([0x5b, 0x2a, 0x4d, 0x18, 32, 0, 0, 0]);
    bytes.extend(digest.as_bytes());
    fs::write(&path, bytes).unwrap();
    let error = check(&path).unwrap_err();
    assert!(matches!(error, BackupError::Newer { found: 9, known: VERSION, .. }), "{error}");
}
