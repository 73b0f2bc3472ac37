//! What a backup costs, and who waits for it.

use crate::fresh;
use crate::material::at;
use crate::poll;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use tempfile::tempdir;
use visnyk::backup::file::write;
use visnyk::model::known::Change;
use visnyk::store::Store;

/// Commits one article after another. Gives how many, and how long one took at most.
async fn commit_until(store: Store, feed: &str, is_over: Arc<AtomicBool>) -> (i64, Duration) {
    let (mut count, mut longest) = (0, Duration::ZERO);
    while count == 0 || !is_over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let key = format!("meanwhile {count}");
        poll(&store, feed, 1_000 + count, vec![Change::Added(fresh(feed, &key, count))]).await;
        longest = longest.max(begun.elapsed());
        count += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (count, longest)
}

/// Figures: `VISNYK_BACKUP_ARTICLES=10000 cargo test --test backup figures -- --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_a_backup() {
    let wanted = std::env::var("VISNYK_BACKUP_ARTICLES").ok();
    let count: i64 = wanted.and_then(|count| count.parse().ok()).unwrap_or(500);
    let folder = tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Vec::new()).unwrap();
    let articles: Vec<i64> = (0..count).collect();
    for (n, some) in articles.chunks(100).enumerate() {
        let added = some.iter().map(|n| Change::Added(fresh("kyiv", &n.to_string(), *n)));
        poll(&store, "kyiv", i64::try_from(n).unwrap(), added.collect()).await;
    }
    let running = || Arc::new(AtomicBool::new(false));
    // As many commits with nothing else going on, to compare with.
    let alone = running();
    let committing = tokio::spawn(commit_until(store.clone(), "lviv", Arc::clone(&alone)));
    tokio::time::sleep(Duration::from_millis(500)).await;
    alone.store(true, Ordering::Relaxed);
    let (commits_alone, longest_alone) = committing.await.unwrap();

    let ended = running();
    let committing = tokio::spawn(commit_until(store.clone(), "odesa", Arc::clone(&ended)));
    let begun = Instant::now();
    let written = write(&store, &folder.path().join("backup"), at(1_700_000_000)).await.unwrap();
    let took = begun.elapsed();
    ended.store(true, Ordering::Relaxed);
    let (commits, longest) = committing.await.unwrap();
    let backup = written.backup;
    assert!(
        (count..=count + commits_alone + 1).contains(&i64::try_from(backup.articles()).unwrap())
    );
    assert_eq!(store.audit().await, Ok(Vec::new()));
    let store_bytes = store.size_bytes();
    store.close().await.unwrap();
    println!(
        "{} articles: {} bytes of a store of {store_bytes} in {took:.2?}; {commits} commits \
         meanwhile, the longest {longest:.2?}; {commits_alone} before, the longest \
         {longest_alone:.2?}",
        backup.articles(),
        backup.bytes,
    );
}
