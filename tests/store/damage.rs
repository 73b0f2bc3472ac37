//! A damaged store opens or says that it cannot; it neither panics nor hangs.

use crate::material::Dice;
use crate::material::article;
use crate::material::at;
use crate::material::document;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::material::publication;
use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::model::exchange::History;
use visnyk::model::known::Change;
use visnyk::model::known::Harvest;
use visnyk::model::publication::Selection;
use visnyk::store::Store;
use visnyk::store::error::StoreError;

const STORES: u64 = 60;

fn fill(directory: &Path) {
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(directory, vec![publication("some", "a")]).unwrap();
        for n in 0..40 {
            let changes = (0..10).map(|key| {
                let mut article = article("kyiv", &format!("{n}-{key}"), n);
                article.labels = labels("r:kyivska t:a");
                Change::Added(article)
            });
            let changes: Vec<Change> = changes.collect();
            let document = Some(Arc::new(document("kyiv", usize::try_from(n).unwrap())));
            let harvest = Harvest { changes, document, ..Harvest::default() };
            store.commit(feed("kyiv"), History::default(), harvest, at(n)).await.unwrap();
        }
        store.close().await.unwrap();
    });
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("blobs")).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

fn harm(directory: &Path, dice: &mut Dice) -> String {
    let mut files = files(directory);
    files.retain(|file| file.metadata().unwrap().len() > 0);
    let file = &files[dice.below(files.len())];
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let opened = File::options().read(true).write(true).open(file).unwrap();
    let harm = match dice.below(3) {
        0 => {
            let kept = dice.below(length);
            opened.set_len(kept as u64).unwrap();
            format!("cut to {kept} bytes")
        }
        1 => {
            let start = dice.below(length);
            let block = vec![u8::try_from(dice.below(256)).unwrap(); 4096.min(length - start)];
            opened.write_all_at(&block, start as u64).unwrap();
            format!("a block at {start} overwritten")
        }
        _ => {
            for _ in 0..=dice.below(32) {
                let place = dice.below(length) as u64;
                let mut byte = [0];
                opened.read_exact_at(&mut byte, place).unwrap();
                byte[0] ^= 1 << dice.below(8);
                opened.write_all_at(&byte, place).unwrap();
            }
            "bits flipped".to_owned()
        }
    };
    format!("{}: {harm}", file.file_name().unwrap().display())
}

/// Whether it opened.
async fn use_all_of(directory: &Path) -> bool {
    let store = match Store::open(directory, vec![publication("other", "a")]) {
        Ok(store) => store,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with(&directory.display().to_string()), "{text}");
            assert!(
                !matches!(error, StoreError::Slow { .. } | StoreError::Locked { .. }),
                "{text}"
            );
            return false;
        }
    };
    // Each answers, be it with an error.
    let _ = store.histories().await;
    let _ = store.shelves().await;
    let _ = store.memory(&feed_id("kyiv")).await;
    let _ = store.audit().await;
    if let Ok(Some(kept)) = store.kept(&feed_id("kyiv")).await {
        let stored = kept.document();
        let is_one = (0..40).any(|n| stored == Some(document("kyiv", n)));
        assert!(is_one, "{stored:?}");
    }
    if let Ok(articles) = store.newest(&Selection::All, 1_000).await {
        for stored in articles {
            assert_eq!(stored.body, article("kyiv", "0", 0).body);
            let _ = store.trail(stored.id).await;
        }
    }
    let fresh = vec![Change::Added(article("kyiv", "fresh", 1))];
    let _ = store.commit(feed("kyiv"), History::default(), fresh, at(1)).await;
    let _ = store.close().await;
    true
}

#[test]
fn a_damaged_store_neither_panics_nor_hangs_and_gives_no_wrong_article() {
    let folder = tempdir().unwrap();
    let whole = folder.path().join("whole");
    fill(&whole);
    let mut opened = 0;
    for seed in 0..STORES {
        let damaged = folder.path().join(format!("damaged-{seed}"));
        copy(&whole, &damaged);
        let harm = harm(&damaged, &mut Dice(seed));
        let used = {
            let damaged = damaged.clone();
            thread::spawn(move || Runtime::new().unwrap().block_on(use_all_of(&damaged))).join()
        };
        let Ok(used) = used else { panic!("store {seed}, {harm}") };
        opened += u64::from(used);
        fs::remove_dir_all(&damaged).unwrap();
    }
    assert!(opened > 0 && opened < STORES, "{opened} of {STORES} opened: no harm, or too much");
}

#[test]
fn a_ruined_store_is_not_taken_for_a_new_one() {
    for ruin in [vec![7; 600_000], vec![0; 600_000], Vec::new()] {
        let folder = tempdir().unwrap();
        fill(folder.path());
        for file in files(folder.path()) {
            if file.file_name().unwrap().to_str().unwrap().starts_with("snap") {
                fs::remove_file(file).unwrap();
            }
        }
        fs::write(folder.path().join("db"), &ruin).unwrap();
        let text = Store::open(folder.path(), Vec::new()).unwrap_err().to_string();
        assert!(text.contains("the store is damaged"), "{text}");
        assert!(text.contains("move the directory aside"), "{text}");
    }
}
