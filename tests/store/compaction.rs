//! The store written anew: it is smaller, has all that it had, and is one whole store after a crash
//! at any instant.

use crate::add;
use crate::commit;
use crate::material::article;
use crate::material::at;
use crate::material::document;
use crate::material::feed;
use crate::open;
use crate::titles;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::tempdir;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::exchange::History;
use visnyk::model::known::Change;
use visnyk::model::known::Harvest;
use visnyk::store::Store;
use visnyk::store::copying::Step;
use visnyk::store::error::StoreError;

const PAUSE: Duration = Duration::from_millis(1);

/// Articles that are written several times.
async fn fill(store: &Store, count: u32, times: u32) -> Vec<Article> {
    let mut articles: Vec<Article> =
        (0..count).map(|n| article("kyiv", &n.to_string(), i64::from(n))).collect();
    for chunk in articles.chunks(500) {
        add(store, chunk).await;
    }
    for time in 1..=times {
        for chunk in articles.chunks_mut(500) {
            for article in &mut *chunk {
                article.revision += 1;
                article.title = format!("{} ({time})", article.keys.entry);
                article.updated = at(100_000 + i64::from(time));
            }
            let changes = chunk.iter().cloned().map(Change::Updated).collect();
            commit(store, changes, "kyiv", 100_000 + i64::from(time)).await;
        }
    }
    articles
}

async fn check(store: &Store, articles: &[Article]) {
    assert_eq!(store.audit().await, Ok(Vec::new()));
    for article in articles {
        assert_eq!(store.article(article.id).await.unwrap().as_ref(), Some(article));
    }
}

fn leftovers(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    // The link by which an open engine finds its files is none.
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let names = folders.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.contains("compact")).collect()
}

#[tokio::test]
async fn a_compacted_store_has_all_that_it_had_and_what_came_meanwhile() {
    let (folder, store) = open();
    let mut articles = fill(&store, 300, 6).await;
    // A value that the engine keeps in a file of its own.
    let mut state = 7_u64;
    let noise = (0..1_500_000).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    });
    let large = Document { bytes: noise.collect(), ..document("kyiv", 1) };
    let harvest = Harvest { document: Some(Arc::new(large.clone())), ..Harvest::default() };
    store.commit(feed("kyiv"), History::default(), harvest, at(100)).await.unwrap();
    let weight = store.weigh(PAUSE).await.unwrap();
    assert!(weight.pairs > 300 * 6 && weight.bytes > 1_500_000, "{weight:?}");

    store.begin_copy(weight.bytes).await.unwrap();
    let mut steps = 0;
    let compacted = loop {
        match store.copy_on().await.unwrap() {
            Step::Going => {
                // A commit between any two slices: what comes, what changes.
                steps += 1;
                let fresh = article("kyiv", &format!("new-{steps}"), 200_000 + steps);
                let first = &mut articles[0];
                first.title = format!("Зміна {steps}");
                first.revision += 1;
                let changes = vec![Change::Updated(first.clone()), Change::Added(fresh.clone())];
                commit(&store, changes, "kyiv", 200_000 + steps).await;
                articles.push(fresh);
            }
            Step::Done(compacted) => break compacted,
        }
        tokio::time::sleep(PAUSE).await;
    };
    assert!(steps > 3, "{steps}");
    assert_eq!(leftovers(folder.path()), [""; 0]);
    let after = store.weigh(PAUSE).await.unwrap();
    // What came where it had been compared already is not counted.
    assert!((1_000..=after.pairs).contains(&compacted.pairs), "{compacted:?} {after:?}");
    check(&store, &articles).await;
    // It goes on: what is written now is there after it is opened again, and errors name the
    // directory of the store.
    let last = article("kyiv", "last", 300_000);
    add(&store, std::slice::from_ref(&last)).await;
    assert!(matches!(Store::open(folder.path(), Vec::new()), Err(StoreError::Locked { directory })
        if directory == folder.path()));
    store.close().await.unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    articles.push(last);
    check(&store, &articles).await;
    let links = || {
        fs::read_dir(folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_symlink())
    };
    assert_eq!(links().count(), 0, "an engine that was opened here needs none");
    let kept = store.kept(&crate::material::feed_id("kyiv")).await.unwrap().unwrap();
    assert_eq!(kept.document(), Some(large));
    // And once more.
    let live = store.weigh(PAUSE).await.unwrap().bytes;
    store.compact(live, PAUSE).await.unwrap();
    check(&store, &articles).await;
}

#[tokio::test]
async fn what_a_compaction_left_unfinished_is_removed_at_the_next_start() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let articles = fill(&store, 200, 1).await;
    for steps in [1, 2, 3] {
        let live = store.weigh(PAUSE).await.unwrap().bytes;
        store.begin_copy(live).await.unwrap();
        for _ in 0..steps {
            assert_eq!(store.copy_on().await.unwrap(), Step::Going);
        }
        assert_eq!(leftovers(folder.path()), ["compacting"]);
        store.drop_copy().await.unwrap();
        assert_eq!(leftovers(folder.path()), [""; 0]);
    }
    let live = store.weigh(PAUSE).await.unwrap().bytes;
    store.begin_copy(live).await.unwrap();
    store.copy_on().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(leftovers(folder.path()), ["compacting"]);
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    assert_eq!(leftovers(folder.path()), [""; 0]);
    check(&store, &articles).await;
}

#[tokio::test]
async fn a_copy_that_became_the_store_is_moved_to_its_place_wherever_that_was_broken_off() {
    // The files of the copy, in the order in which they are moved.
    for moved in 0..=3 {
        let folder = tempdir().unwrap();
        let (old, new) = (folder.path().join("store"), folder.path().join("new"));
        let store = Store::open(&old, Vec::new()).unwrap();
        fill(&store, 20, 2).await;
        store.close().await.unwrap();
        let store = Store::open(&new, Vec::new()).unwrap();
        let articles = fill(&store, 30, 0).await;
        store.close().await.unwrap();
        let copied = old.join("compacted");
        fs::rename(&new, &copied).unwrap();
        let files = ["blobs", "conf", "db"];
        for file in &files[..moved] {
            if *file == "blobs" {
                fs::remove_dir_all(old.join(file)).unwrap();
            }
            if *file == "db" {
                for entry in fs::read_dir(&old).unwrap().map(Result::unwrap) {
                    if entry.file_name().to_string_lossy().starts_with("snap.") {
                        fs::remove_file(entry.path()).unwrap();
                    }
                }
            }
            fs::rename(copied.join(file), old.join(file)).unwrap();
        }
        let store = Store::open(&old, Vec::new()).unwrap();
        assert_eq!(leftovers(&old), [""; 0], "{moved}");
        check(&store, &articles).await;
        assert_eq!(titles(&store, "all").await.len(), 30, "{moved}");
    }
}

#[tokio::test]
async fn with_too_little_room_nothing_is_begun() {
    let (folder, store) = open();
    add(&store, &[article("kyiv", "1", 1)]).await;
    let refused = store.begin_copy(u64::MAX / 8).await.unwrap_err();
    assert!(matches!(refused, StoreError::NoRoom { .. }), "{refused}");
    assert!(refused.to_string().contains("MiB are free"), "{refused}");
    assert_eq!(leftovers(folder.path()), [""; 0]);
    add(&store, &[article("kyiv", "2", 2)]).await;
    assert!(store.copy_on().await.is_err());
    add(&store, &[article("kyiv", "3", 3)]).await;
    assert_eq!(titles(&store, "all").await.len(), 3, "the store goes on");
}

/// Figures: `VISNYK_COMPACTION_ARTICLES=20000 cargo test --test store figures -- --nocapture`.
#[tokio::test]
async fn figures_of_a_compaction() {
    let wanted = std::env::var("VISNYK_COMPACTION_ARTICLES").ok();
    let count = wanted.and_then(|count| count.parse().ok()).unwrap_or(500);
    let (_folder, store) = open();
    fill(&store, count, 5).await;
    let live = store.weigh(PAUSE).await.unwrap().bytes;
    let is_over = Arc::new(AtomicBool::new(false));
    let (reading, compacted_now) = (store.clone(), Arc::clone(&is_over));
    let reads = tokio::spawn(async move {
        let mut longest = Duration::ZERO;
        while !compacted_now.load(Ordering::Relaxed) {
            let begun = std::time::Instant::now();
            reading.shelves().await.unwrap();
            longest = longest.max(begun.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        longest
    });
    let begun = std::time::Instant::now();
    let compacted = store.compact(live, PAUSE).await.unwrap();
    let took = begun.elapsed();
    is_over.store(true, Ordering::Relaxed);
    let longest_read = reads.await.unwrap();
    assert!(compacted.after < compacted.before, "{compacted:?}");
    assert_eq!(store.audit().await, Ok(Vec::new()));
    store.close().await.unwrap();
    println!(
        "{count} articles, {live} bytes live: {compacted:?}, {took:.2?}; longest read {longest_read:.2?}"
    );
}
