//! A damaged store comes back by itself, and nothing but damage is taken for damage.

use crate::composed;
use crate::fill;
use crate::fresh;
use crate::history;
use crate::material::at;
use crate::material::feed_id;
use crate::poll;
use crate::seen;
use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::backup::error::BackupError;
use visnyk::backup::file::write;
use visnyk::backup::kept;
use visnyk::backup::mending::Present;
use visnyk::backup::mending::is_damage;
use visnyk::backup::mending::repair;
use visnyk::backup::mending::restore;
use visnyk::backup::recovery::Origin;
use visnyk::backup::recovery::Recovery;
use visnyk::backup::recovery::open;
use visnyk::model::known::Change;
use visnyk::store::Store;
use visnyk::store::engine::Cause;
use visnyk::store::error::StoreError;
use visnyk::store::refill::Validators;

const ARTICLES: u64 = 94;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A store, closed, and a backup of it; made once.
fn whole() -> &'static (TempDir, String) {
    static WHOLE: OnceLock<(TempDir, String)> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = tempdir().unwrap();
        let seen = std::thread::scope(|scope| {
            let filling = scope.spawn(|| {
                Runtime::new().unwrap().block_on(async {
                    let store = fill(&folder.path().join("store"), 32).await;
                    let backup = folder.path().join("backup");
                    write(&store, &backup, at(1_700_000_000)).await.unwrap();
                    let seen = seen(&store).await;
                    store.close().await.unwrap();
                    seen
                })
            });
            filling.join().unwrap()
        });
        (folder, seen)
    })
}

/// A copy of that store, with or without its backup.
fn state(backups: i64) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("state");
    copy(&whole().0.path().join("store"), &directory);
    for n in 0..backups {
        let place = kept::place_for(&directory.join("backups"), at(1_700_000_000 + n * 86_400));
        fs::copy(whole().0.path().join("backup"), place.unwrap()).unwrap();
    }
    (folder, directory)
}

fn recovered(directory: &Path) -> (Store, Option<Recovery>, Runtime) {
    let runtime = Runtime::new().unwrap();
    let opened = open(directory, &directory.join("backups"), &composed(), &runtime);
    let (store, recovery) = opened.unwrap_or_else(|error| panic!("{error}"));
    (store, recovery, runtime)
}

fn remove_snapshots(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
}

fn ruin(directory: &Path) {
    remove_snapshots(directory);
    fs::write(directory.join("db"), vec![7; 600_000]).unwrap();
}

fn asides(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("store.")).collect();
    names.sort();
    names
}

#[test]
fn a_ruined_store_is_restored_of_the_newest_backup_that_is_whole() {
    let (_folder, directory) = state(3);
    let newest = &kept::all(&directory.join("backups")).unwrap()[0];
    let bytes = fs::read(&newest.path).unwrap();
    fs::write(&newest.path, &bytes[..bytes.len() / 2]).unwrap();
    ruin(&directory);
    let ruined = fs::metadata(directory.join("db")).unwrap().ino();
    let (store, recovery, runtime) = recovered(&directory);
    let recovery = recovery.unwrap();
    let Origin::Backup(path, _) = &recovery.of else { panic!("{recovery:?}") };
    assert_eq!(*path, kept::all(&directory.join("backups")).unwrap()[1].path);
    // The very file: what is in it the engine may have tidied when it was opened.
    assert_eq!(fs::metadata(recovery.aside.join("db")).unwrap().ino(), ruined);
    runtime.block_on(async {
        assert_eq!(store.audit().await, Ok(Vec::new()));
        // All is there, and publishers are asked for whole documents.
        let history_now = store.history(&feed_id("kyiv")).await.unwrap();
        assert_eq!((history_now.validators.clone(), history_now.polls), (None, history(50).polls));
        let validators = format!("validators: {:?}", history(0).validators);
        let before = whole().1.replace(&validators, "validators: None");
        assert!(seen(&store).await == before);
        store.close().await.unwrap();
    });
    let (store, recovery, runtime) = recovered(&directory);
    assert_eq!(recovery, None, "once is enough");
    runtime.block_on(store.close()).unwrap();
}

#[test]
fn two_damaged_stores_are_kept_and_not_a_third() {
    let (_folder, directory) = state(1);
    for n in 0..4 {
        ruin(&directory);
        let (store, recovery, runtime) = recovered(&directory);
        assert!(recovery.is_some(), "{n}");
        runtime.block_on(store.close()).unwrap();
        assert!(asides(&directory).len() <= 2, "{:?}", asides(&directory));
    }
    assert_eq!(asides(&directory).len(), 2);
}

#[test]
fn without_a_backup_what_can_be_read_is_saved_else_the_store_begins_empty() {
    let (_folder, directory) = state(0);
    // The engine's snapshot is what it opens by: without a right one it refuses.
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("snap.") {
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    let (store, recovery, runtime) = recovered(&directory);
    runtime.block_on(async {
        assert_eq!(store.audit().await, Ok(Vec::new()));
        let ids = store.ids().await.unwrap().len() as u64;
        match recovery.map(|recovery| recovery.of) {
            // The engine came up without it.
            None => assert_eq!(ids, ARTICLES),
            Some(Origin::Salvage(articles, _)) => assert_eq!((ids, articles), (ARTICLES, ARTICLES)),
            other => panic!("{other:?}"),
        }
        store.close().await.unwrap();
    });
    ruin(&directory);
    let (store, recovery, runtime) = recovered(&directory);
    assert_eq!(recovery.unwrap().of, Origin::Nothing);
    runtime.block_on(async {
        assert_eq!(store.ids().await, Ok(Vec::new()));
        assert_eq!(store.audit().await, Ok(Vec::new()));
        store.close().await.unwrap();
    });
}

/// What becomes of a store with some harm: it comes back, its indexes are right, and no article is
/// another than it was.
fn harmed(harm: impl FnOnce(&Path)) -> Option<Recovery> {
    let (_folder, directory) = state(0);
    harm(&directory);
    let (store, recovery, runtime) = recovered(&directory);
    runtime.block_on(async {
        if recovery.is_some() {
            assert_eq!(store.audit().await, Ok(Vec::new()));
        }
        for id in store.ids().await.unwrap() {
            let article = store.article(id).await;
            assert!(matches!(&article, Ok(Some(_)) | Err(StoreError::Value { .. })), "{article:?}");
        }
        store.close().await.unwrap();
    });
    recovery
}

#[test]
fn a_store_comes_back_from_any_harm_to_its_files() {
    let overwrite = |directory: &Path, from: u64| {
        let db = File::options().write(true).open(directory.join("db")).unwrap();
        db.write_all_at(&vec![0xa5; 32 * 1024], from).unwrap();
    };
    let length = fs::metadata(whole().0.path().join("store/db")).unwrap().len();
    let mut recoveries = 0;
    for part in 0..4 {
        recoveries += usize::from(harmed(|at| overwrite(at, length * part / 4)).is_some());
    }
    for part in 0..3 {
        let cut = |directory: &Path| {
            let db = File::options().write(true).open(directory.join("db")).unwrap();
            db.set_len(length * part / 4).unwrap();
        };
        recoveries += usize::from(harmed(cut).is_some());
    }
    harmed(remove_snapshots);
    harmed(|directory| fs::write(directory.join("blobs/999999"), "garbage").unwrap());
    assert!(recoveries > 0);
}

#[test]
fn what_is_no_damage_is_left_as_it_is() {
    let (_folder, directory) = state(1);
    let (store, recovery, runtime) = recovered(&directory);
    assert_eq!(recovery, None);
    let error = open(&directory, &directory.join("backups"), &[], &runtime).unwrap_err();
    assert!(matches!(error, BackupError::Store(StoreError::Locked { .. })), "{error}");
    let error = repair(&directory, Vec::new(), at(0)).unwrap_err();
    assert!(matches!(error, BackupError::Locked(_)), "{error}");
    runtime.block_on(store.close()).unwrap();
    assert_eq!(asides(&directory), Vec::<String>::new());
    let directory = directory.clone();
    let unread = |cause| StoreError::Engine {
        directory: directory.clone(),
        act: "read",
        cause,
        reason: "a reason".to_owned(),
    };
    for (error, expected) in [
        (unread(Cause::Content), true),
        (unread(Cause::System), false),
        (StoreError::Newer { directory: directory.clone(), found: 9, known: 2 }, false),
        (StoreError::Slow { directory: directory.clone(), seconds: 60 }, false),
    ] {
        assert_eq!(is_damage(&error), expected, "{error}");
    }
}

#[test]
fn a_repaired_store_has_all_articles_with_new_indexes() {
    let (_folder, directory) = state(0);
    let repaired = repair(&directory, composed(), at(1_700_000_000)).unwrap();
    assert_eq!(repaired.salvaged.counts["article"], ARTICLES);
    assert_eq!(repaired.salvaged.lost, []);
    let ruined = tempdir().unwrap();
    ruin(ruined.path());
    let error = repair(ruined.path(), composed(), at(0)).unwrap_err();
    assert!(error.to_string().contains("`visnyk restore FILE --replace`"), "{error}");
    assert_eq!(asides(ruined.path()), Vec::<String>::new());
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::look(&directory).unwrap().unwrap();
        assert_eq!(store.verify(composed()).await, Ok((ARTICLES, Vec::new())));
        let id = fresh("odesa", "3", 3).id;
        assert!(store.removal(id).await.unwrap().is_some());
        store.close().await.unwrap();
        // Nothing was wrong, and so nothing but validators is other than it was.
        let store = Store::open(&directory, composed()).unwrap();
        let validators = format!("validators: {:?}", history(0).validators);
        let before = whole().1.replace(&validators, "validators: None");
        assert!(seen(&store).await == before);
        store.close().await.unwrap();
        let store = Store::open(&repaired.aside, composed()).unwrap();
        assert!(seen(&store).await == whole().1);
        store.close().await.unwrap();
    });
}

/// What is in a directory, and of what no store consists.
fn others(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let of_engine = ["db", "conf", "blobs", "in-use"];
    let is_other =
        |name: &String| !of_engine.contains(&name.as_str()) && !name.starts_with("snap.");
    let mut names: Vec<String> = names.filter(is_other).collect();
    names.sort();
    names
}

#[test]
fn what_lies_beside_a_damaged_store_is_no_part_of_it() {
    let (_folder, directory) = state(2);
    let backups = || kept::all(&directory.join("backups")).unwrap();
    let before = backups();
    copy(&whole().0.path().join("store"), &directory.join("compacting"));
    std::os::unix::fs::symlink("compacting", directory.join("compacting.0")).unwrap();
    ruin(&directory);
    let (store, recovery, runtime) = recovered(&directory);
    let aside = recovery.unwrap().aside;
    runtime.block_on(async {
        assert_eq!(store.audit().await, Ok(Vec::new()));
        assert_eq!(store.ids().await.unwrap().len() as u64, ARTICLES);
        store.close().await.unwrap();
    });
    assert_eq!(others(&aside), [""; 0]);
    let name = aside.file_name().unwrap().to_str().unwrap();
    assert_eq!(others(&directory), ["backups", name], "a compaction is begun with anew");
    assert_eq!(backups(), before);
    assert_eq!(repair(&directory, composed(), at(1_700_000_000)).unwrap().salvaged.lost, []);
    assert_eq!(backups(), before);
}

/// A compaction that a crash interrupted when the new store was whole and the old one still there.
fn compacted(directory: &Path, store: &Path) {
    copy(store, &directory.join("compacted"));
    fs::remove_dir_all(directory.join("blobs")).unwrap();
    fs::rename(directory.join("compacted/blobs"), directory.join("blobs")).unwrap();
    ruin(directory);
}

#[test]
fn a_store_that_was_written_anew_is_repaired_and_not_the_one_before() {
    let (_folder, directory) = state(0);
    compacted(&directory, &whole().0.path().join("store"));
    let repaired = repair(&directory, composed(), at(1_700_000_000)).unwrap();
    assert_eq!(repaired.salvaged.counts["article"], ARTICLES);
    assert_eq!(repaired.salvaged.lost, []);
    let (store, recovery, runtime) = recovered(&directory);
    assert_eq!(recovery, None);
    assert_eq!(runtime.block_on(store.ids()).unwrap().len() as u64, ARTICLES);
    runtime.block_on(store.close()).unwrap();
}

#[test]
fn a_restored_store_stays_whatever_a_crash_left_of_another() {
    let other = tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(other.path(), composed()).unwrap();
        poll(&store, "kyiv", 1, vec![Change::Added(fresh("kyiv", "other", 1))]).await;
        store.close().await.unwrap();
    });
    for left in ["compacted", "store.ready", "store.coming"] {
        let (_folder, directory) = state(1);
        if left == "compacted" {
            compacted(&directory, other.path());
        } else {
            if left == "store.coming" {
                remove_snapshots(&directory);
                for file in ["db", "conf"] {
                    fs::remove_file(directory.join(file)).unwrap();
                }
                fs::remove_dir_all(directory.join("blobs")).unwrap();
            }
            copy(other.path(), &directory.join(left));
            fs::write(directory.join(left).join("aside"), "store.damaged-1").unwrap();
        }
        let backup = &kept::all(&directory.join("backups")).unwrap()[0].path;
        let restored =
            restore(backup, &directory, Present::Replaced, Validators::Kept, at(1_700_000_000));
        let aside = restored.unwrap_or_else(|error| panic!("{left}: {error}")).aside.unwrap();
        runtime.block_on(async {
            let store = Store::open(&directory, composed()).unwrap();
            assert_eq!(store.audit().await, Ok(Vec::new()), "{left}");
            assert!(seen(&store).await == whole().1, "{left}");
            store.close().await.unwrap();
            let store = Store::open(&aside, composed()).unwrap();
            assert_eq!(store.ids().await.unwrap(), [fresh("kyiv", "other", 1).id], "{left}");
            store.close().await.unwrap();
        });
    }
}
