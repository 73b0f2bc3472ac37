//! Pinned, dropped and removed articles in a backup and back.

use crate::composed;
use crate::fill;
use crate::fresh;
use crate::lines;
use crate::material::at;
use crate::poll;
use crate::seen;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use tempfile::tempdir;
use visnyk::backup::file::write;
use visnyk::backup::mending::Present;
use visnyk::backup::mending::repair;
use visnyk::backup::mending::restore;
use visnyk::model::article::Article;
use visnyk::model::known::Change;
use visnyk::model::retention::Bound;
use visnyk::model::retention::Retention;
use visnyk::store::Store;
use visnyk::store::refill::Validators;
use visnyk::store::retain::Act;
use visnyk::store::retain::Pass;

const KEPT: u64 = 40;

fn pinned() -> Article {
    fresh("kyiv", "0", 0)
}

fn dropped() -> Article {
    fresh("lviv", "2", 2)
}

fn removed() -> Article {
    fresh("odesa", "3", 3)
}

/// A store of which all but the newest articles, and one that is pinned, were dropped.
async fn thinned(directory: &Path) -> Store {
    let store = fill(directory, 32).await;
    assert_eq!(store.pin(pinned().id, at(1_690_000_500)).await, Ok(true));
    let all = Bound { age: None, articles: Some(KEPT) };
    let retention = Arc::new(Retention { all, ..Retention::default() });
    let mut pass = Pass::new(retention, Act::Drop, at(1_690_000_600));
    while !pass.is_done() {
        pass = store.retain(pass).await.unwrap();
    }
    assert_eq!((pass.tally.dropped, pass.tally.pinned), (94 - KEPT - 1, 1));
    store
}

/// The same with what a reader is told of those that are not there.
async fn all_seen(store: &Store) -> String {
    let mut all = seen(store).await;
    for id in [pinned(), dropped(), removed()].map(|article| article.id) {
        let gone = (store.removal(id).await.unwrap(), store.dropped(id).await.unwrap());
        writeln!(all, "{id} {gone:?} {:?}", store.pin_of(id).await.unwrap()).unwrap();
    }
    writeln!(all, "{}", store.dropped_ever().await.unwrap()).unwrap();
    all
}

/// What the feeds list still, and an edition of it, do not bring back what is gone.
async fn check_that_nothing_comes_back(store: &Store) {
    let before = store.ids().await.unwrap();
    assert_eq!(before.len() as u64, KEPT + 1);
    for gone in [dropped(), removed()] {
        let edited =
            Article { title: "Виправлено".to_owned(), revision: 1, ..gone.clone() };
        let changes = vec![Change::Added(gone.clone()), Change::Updated(edited)];
        poll(store, gone.feed.as_str(), 70, changes).await;
        assert_eq!(store.article(gone.id).await, Ok(None));
    }
    assert_eq!(store.ids().await.unwrap(), before);
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_pinned_dropped_and_removed_is_so_in_a_restored_store() {
    let folder = tempdir().unwrap();
    let store = thinned(&folder.path().join("one")).await;
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let written = write(&store, &first, at(1_700_000_000)).await.unwrap();
    assert_eq!(written.unread, []);
    let count = |kind: &str| written.backup.counts.get(kind).copied();
    assert_eq!(count("pin"), Some(1));
    assert_eq!(count("retained"), Some(1));
    assert_eq!(count("dropped"), Some(94 - KEPT - 1));
    let before = all_seen(&store).await;
    store.close().await.unwrap();

    let two = folder.path().join("two");
    let restored = restore(&first, &two, Present::Refused, Validators::Kept, at(0)).unwrap();
    assert_eq!(restored.left_out, []);
    let store = Store::open(&two, composed()).unwrap();
    assert_eq!(store.audit().await, Ok(Vec::new()));
    assert!(all_seen(&store).await == before);
    write(&store, &second, at(1_800_000_000)).await.unwrap();
    assert!(lines(&first) == lines(&second), "a restored store is written down otherwise");
    check_that_nothing_comes_back(&store).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_is_pinned_dropped_and_removed_is_so_in_a_repaired_store() {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("one");
    let store = thinned(&directory).await;
    let told = |store: Store| async move {
        let ids = [pinned(), dropped(), removed()].map(|article| article.id);
        let mut told = Vec::new();
        for id in ids {
            told.push(format!(
                "{:?} {:?} {:?}",
                store.removal(id).await,
                store.dropped(id).await,
                store.pin_of(id).await
            ));
        }
        told.push(format!("{:?}", store.dropped_ever().await));
        told
    };
    let before = told(store.clone()).await;
    store.close().await.unwrap();
    let repaired = repair(&directory, composed(), at(1_700_000_000)).unwrap();
    assert_eq!(repaired.salvaged.lost, []);
    assert_eq!(repaired.salvaged.counts["article"], KEPT + 1);
    let store = Store::look(&directory).unwrap().unwrap();
    assert_eq!(store.verify(composed()).await, Ok((KEPT + 1, Vec::new())));
    store.close().await.unwrap();
    let store = Store::open(&directory, composed()).unwrap();
    assert_eq!(told(store.clone()).await, before);
    check_that_nothing_comes_back(&store).await;
    store.close().await.unwrap();
}
