//! The store keeps what it acknowledged, and its indexes agree with its articles.

mod agreement;
mod compaction;
mod crash;
mod damage;
mod documents;
mod material;
mod pages;
mod relabel;
mod retention;
mod upkeep_crash;

use crate::material::any_article;
use crate::material::any_history;
use crate::material::article;
use crate::material::at;
use crate::material::by_id;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::material::publication;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::known::Change;
use visnyk::model::known::KNOWN_MAX;
use visnyk::model::known::Known;
use visnyk::model::publication::Selection;
use visnyk::store::Store;
use visnyk::store::error::StoreError;

fn open() -> (TempDir, Store) {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    (folder, store)
}

async fn add(store: &Store, articles: &[Article]) -> BTreeSet<Selection> {
    let changes: Vec<Change> = articles.iter().cloned().map(Change::Added).collect();
    commit(store, changes, articles[0].feed.as_str(), 100).await
}

async fn commit(store: &Store, changes: Vec<Change>, id: &str, now: i64) -> BTreeSet<Selection> {
    store.commit(feed(id), History::default(), changes, at(now)).await.unwrap()
}

fn selections(paths: &str) -> BTreeSet<Selection> {
    paths.split_whitespace().map(|path| Selection::at(path).unwrap()).collect()
}

fn selection(path: &str) -> Selection {
    Selection::at(path).unwrap()
}

async fn titles(store: &Store, path: &str) -> Vec<String> {
    let articles = store.newest(&selection(path), 100).await.unwrap();
    articles.into_iter().map(|article| article.title).collect()
}

#[tokio::test]
async fn what_is_unknown_is_nothing() {
    let (_folder, store) = open();
    assert_eq!(store.history(&feed_id("kyiv")).await, Ok(History::default()));
    assert_eq!(store.histories().await, Ok(BTreeMap::new()));
    assert!(store.memory(&feed_id("kyiv")).await.unwrap().is_empty());
    assert_eq!(store.newest(&Selection::All, 10).await, Ok(Vec::new()));
    assert_eq!(store.shelf(&Selection::All).await, Ok(None));
    assert_eq!(store.shelves().await, Ok(BTreeMap::new()));
    assert_eq!(store.article(article("kyiv", "1", 0).id).await, Ok(None));
    assert_eq!(store.audit().await, Ok(Vec::new()));
    store.close().await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_field_is_there_after_reopening(
        articles in vec(any_article(), 1..6),
        history in any_history(),
    ) {
        let folder = tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let store = Store::open(folder.path(), Vec::new()).unwrap();
            let changes: Vec<Change> = articles.iter().cloned().map(Change::Added).collect();
            store.commit(feed("kharkiv"), history.clone(), changes, at(0)).await.unwrap();
            store.close().await.unwrap();
            let store = Store::open(folder.path(), Vec::new()).unwrap();
            for article in &articles {
                let stored = store.article(article.id).await.unwrap();
                assert_eq!(stored.as_ref(), Some(article));
            }
            let id = feed_id("kharkiv");
            assert_eq!(store.history(&id).await.unwrap(), history);
            assert_eq!(store.histories().await.unwrap(), BTreeMap::from([(id.clone(), history)]));
            let memory = store.memory(&id).await.unwrap();
            assert_eq!(memory.len(), articles.len());
            for article in &articles {
                assert_eq!(memory.by_entry(article.keys.entry), Some(&Known::of(article)));
            }
            let newest = store.newest(&Selection::All, usize::MAX).await.unwrap();
            assert_eq!(by_id(&newest), by_id(&articles));
            assert_eq!(store.audit().await, Ok(Vec::new()));
        });
    }
}

#[tokio::test]
async fn the_newest_come_first_before_1970_too_and_ties_by_id() {
    let (_folder, store) = open();
    let mut articles: Vec<Article> = [-5_000_000_000, -1, 0, 1, 1_688_382_960, 7, 7, 7, 7]
        .into_iter()
        .enumerate()
        .map(|(i, published)| article("kyiv", &i.to_string(), published))
        .collect();
    add(&store, &articles).await;
    articles.sort_by_key(|article| (std::cmp::Reverse(article.published), article.id));
    assert_eq!(store.newest(&Selection::All, 100).await.unwrap(), articles);
    assert_eq!(store.newest(&selection("sources/kyiv"), 3).await.unwrap(), articles[..3]);
    assert_eq!(store.newest(&Selection::All, 0).await.unwrap(), []);
}

#[tokio::test]
async fn an_iri_belongs_to_who_used_it_first_and_for_ever() {
    let (folder, store) = open();
    let claimed = "https://city.example/news/1";
    let [mut first, mut second] = ["kyiv", "lviv"].map(|feed| article(feed, "1", 10));
    first.iri = claimed.to_owned();
    second.iri = claimed.to_owned();
    add(&store, std::slice::from_ref(&first)).await;
    add(&store, std::slice::from_ref(&second)).await;
    store.close().await.unwrap();

    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let minted = format!("tag:visnyk.example,2023-07-03:lviv/{}", second.id);
    assert_eq!(store.article(first.id).await.unwrap().unwrap().iri, claimed);
    assert_eq!(store.article(second.id).await.unwrap().unwrap().iri, minted);
    for change in [Change::Updated(second.clone()), Change::Relabelled(second.clone())] {
        commit(&store, vec![change], "lviv", 200).await;
        assert_eq!(store.article(second.id).await.unwrap().unwrap().iri, minted);
    }
    let memory = store.memory(&feed_id("lviv")).await.unwrap();
    assert_eq!(memory.by_entry(second.keys.entry).unwrap().iri, minted);
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn nobody_takes_an_iri_by_claiming_the_one_that_would_be_minted() {
    let (_folder, store) = open();
    let mut victim = article("lviv", "1", 10);
    let mint = format!("tag:visnyk.example,2023-07-03:lviv/{}", victim.id);
    let [mut first, mut second] = ["1", "2"].map(|key| article("kyiv", key, 10));
    first.iri = victim.iri.clone();
    second.iri.clone_from(&mint);
    add(&store, &[first, second]).await;
    victim.title = "Справжня".to_owned();
    add(&store, std::slice::from_ref(&victim)).await;
    assert_eq!(store.article(victim.id).await.unwrap().unwrap().iri, format!("{mint}/2"));
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn two_articles_of_one_commit_do_not_share_an_iri() {
    let (_folder, store) = open();
    let [first, mut second] = ["1", "2"].map(|key| article("kyiv", key, 10));
    second.iri.clone_from(&first.iri);
    add(&store, &[first.clone(), second.clone()]).await;
    assert_eq!(store.article(first.id).await.unwrap().unwrap().iri, first.iri);
    assert_ne!(store.article(second.id).await.unwrap().unwrap().iri, first.iri);
}

#[tokio::test]
async fn what_was_settled_at_first_sight_stays() {
    let (_folder, store) = open();
    let first = article("kyiv", "1", 10);
    add(&store, std::slice::from_ref(&first)).await;
    let mut update = article("kyiv", "1", 5_000);
    update.iri = "https://other.example/".to_owned();
    update.title = "Виправлено".to_owned();
    update.revision = 1;
    commit(&store, vec![Change::Updated(update.clone())], "kyiv", 5_001).await;
    let expected = Article {
        iri: first.iri.clone(),
        published: first.published,
        first_seen: first.first_seen,
        ..update
    };
    assert_eq!(store.newest(&Selection::All, 10).await.unwrap(), [expected]);
    let shelf = store.shelf(&Selection::All).await.unwrap().unwrap();
    assert_eq!((shelf.count, shelf.updated, shelf.changed), (1, at(5_000), at(5_001)));
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn added_twice_is_added_once_and_an_unknown_update_is_added() {
    let (_folder, store) = open();
    let first = article("kyiv", "1", 10);
    add(&store, std::slice::from_ref(&first)).await;
    let again = Article { title: "Інша".to_owned(), ..first.clone() };
    let unknown = article("kyiv", "2", 20);
    assert_eq!(commit(&store, vec![Change::Added(again)], "kyiv", 200).await, selections(""));
    let stale = commit(&store, vec![Change::Updated(unknown.clone())], "kyiv", 300).await;
    assert_eq!(stale, selections("all sources/kyiv"));
    assert_eq!(store.newest(&Selection::All, 10).await.unwrap(), [unknown, first]);
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_unchanged_makes_nothing_stale_but_the_history_is_kept() {
    let (_folder, store) = open();
    let first = article("kyiv", "1", 10);
    add(&store, std::slice::from_ref(&first)).await;
    let before = store.shelves().await.unwrap();
    let history = History { failures: 3, ..History::default() };
    let changes = vec![Change::Unchanged(first.id, None), Change::Updated(first.clone())];
    let stale = store.commit(feed("kyiv"), history.clone(), changes, at(900)).await.unwrap();
    assert_eq!(stale, selections(""));
    assert_eq!(store.shelves().await.unwrap(), before);
    assert_eq!(store.history(&feed_id("kyiv")).await.unwrap(), history);
}

#[tokio::test]
async fn the_memory_of_a_feed_is_bounded_to_what_was_seen_last() {
    let (_folder, store) = open();
    let seen = i64::try_from(KNOWN_MAX).unwrap() + 2;
    let articles: Vec<Article> = (0..seen).map(|i| article("kyiv", &i.to_string(), i)).collect();
    add(&store, &articles).await;
    let memory = store.memory(&feed_id("kyiv")).await.unwrap();
    assert_eq!(memory.len(), KNOWN_MAX);
    let is_known: Vec<bool> =
        articles[..4].iter().map(|article| memory.by_entry(article.keys.entry).is_some()).collect();
    assert_eq!(is_known, [false, false, true, true]);
    let again = commit(&store, vec![Change::Added(articles[0].clone())], "kyiv", 0).await;
    assert_eq!(again, selections(""), "what is forgotten does not come back as news");
}

#[tokio::test]
async fn a_relabelled_article_moves_between_publications() {
    let folder = tempdir().unwrap();
    let composed = vec![publication("sister-cities", "partnerstvo")];
    let store = Store::open(folder.path(), composed).unwrap();
    let mut moving = article("kyiv", "1", 10);
    moving.labels = labels("r:kyivska t:partnerstvo");
    let stale = add(&store, std::slice::from_ref(&moving)).await;
    let before = "all sources/kyiv regions/kyivska tags/partnerstvo \
                  regions/kyivska/tags/partnerstvo publications/sister-cities";
    assert_eq!(stale, selections(before));
    moving.labels = labels("r:kharkivska");
    let stale = commit(&store, vec![Change::Relabelled(moving.clone())], "kyiv", 500).await;
    let after = "all sources/kyiv regions/kharkivska";
    assert_eq!(stale, selections(before).union(&selections(after)).cloned().collect());
    for path in ["regions/kyivska", "tags/partnerstvo", "publications/sister-cities"] {
        assert_eq!(titles(&store, path).await, Vec::<String>::new(), "{path}");
        let shelf = store.shelf(&selection(path)).await.unwrap().unwrap();
        assert_eq!((shelf.count, shelf.updated, shelf.changed), (0, at(10), at(500)), "{path}");
    }
    assert_eq!(titles(&store, "regions/kharkivska").await, [moving.title]);
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_feed_cannot_write_an_article_of_another() {
    let (_folder, store) = open();
    let owned = article("lviv", "1", 10);
    add(&store, std::slice::from_ref(&owned)).await;
    let forged = Article { feed: feed_id("kyiv"), title: "Чуже".to_owned(), ..owned.clone() };
    for change in [Change::Updated(forged), Change::Updated(owned.clone())] {
        let refused = store.commit(feed("kyiv"), History::default(), vec![change], at(1)).await;
        assert!(matches!(refused, Err(StoreError::Foreign { .. })), "{refused:?}");
    }
    assert_eq!(store.article(owned.id).await.unwrap(), Some(owned));
    assert_eq!(store.histories().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_composed_publication_is_indexed_when_its_definition_changes() {
    let folder = tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let articles: Vec<Article> = (0..1_200)
        .map(|i| {
            let mut article = article("kyiv", &i.to_string(), i);
            article.labels = labels(if i % 2 == 0 { "t:even" } else { "t:odd" });
            article
        })
        .collect();
    add(&store, &articles).await;
    store.close().await.unwrap();
    for (tags, count) in [("even", 600), ("odd", 600), ("even odd", 1_200), ("none", 0)] {
        let store = Store::open(folder.path(), vec![publication("some", tags)]).unwrap();
        let path = selection("publications/some");
        assert_eq!(store.newest(&path, 5_000).await.unwrap().len(), count, "{tags}");
        let shelf = store.shelf(&path).await.unwrap();
        assert_eq!(shelf.map_or(0, |shelf| shelf.count), u64::try_from(count).unwrap());
        assert_eq!(store.audit().await, Ok(Vec::new()));
        store.close().await.unwrap();
        // The same definition again is not touched.
        let store = Store::open(folder.path(), vec![publication("some", tags)]).unwrap();
        assert_eq!(store.shelf(&path).await.unwrap(), shelf);
        store.close().await.unwrap();
    }
    let store = Store::open(folder.path(), vec![publication("some", "even")]).unwrap();
    store.close().await.unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    assert_eq!(store.shelf(&selection("publications/some")).await, Ok(None));
    assert_eq!(titles(&store, "publications/some").await, Vec::<String>::new());
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_wait_together_are_all_there() {
    let (folder, store) = open();
    let polls = (0..200).map(|i| {
        let store = store.clone();
        let name = format!("feed-{}", i % 10);
        tokio::spawn(async move {
            add(&store, &[article(&name, &i.to_string(), i)]).await;
        })
    });
    for poll in polls.collect::<Vec<_>>() {
        poll.await.unwrap();
    }
    store.close().await.unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    assert_eq!(store.shelf(&Selection::All).await.unwrap().unwrap().count, 200);
    assert_eq!(store.histories().await.unwrap().len(), 10);
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_second_visnyk_is_told_that_another_holds_the_store() {
    let (folder, store) = open();
    let refused = Store::open(folder.path(), Vec::new()).unwrap_err();
    let expected =
        format!("{}: another visnyk holds this store; stop it first", folder.path().display());
    assert_eq!(refused.to_string(), expected);
    add(&store, &[article("kyiv", "1", 10)]).await;
    store.close().await.unwrap();
    Store::open(folder.path(), Vec::new()).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_answers_every_question_with_an_error() {
    let (_folder, store) = open();
    let left = store.clone();
    store.close().await.unwrap();
    let id = feed_id("kyiv");
    assert!(matches!(left.history(&id).await, Err(StoreError::Closed { .. })));
    assert!(matches!(left.newest(&Selection::All, 1).await, Err(StoreError::Closed { .. })));
    let late = left.commit(feed("kyiv"), History::default(), Vec::new(), at(0)).await;
    assert!(matches!(late, Err(StoreError::Closed { .. })));
    assert!(matches!(left.close().await, Err(StoreError::Closed { .. })));
}

#[tokio::test]
async fn a_directory_is_made_for_its_owner_alone() {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("state/store");
    Store::open(&directory, Vec::new()).unwrap().close().await.unwrap();
    assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn who_only_looks_writes_nothing_and_makes_no_store() {
    let folder = tempdir().unwrap();
    let directory = folder.path().join("store");
    assert!(Store::look(&directory).unwrap().is_none());
    assert!(!directory.exists());
    let store = Store::open(&directory, Vec::new()).unwrap();
    add(&store, &[article("kyiv", "1", 10)]).await;
    store.close().await.unwrap();
    let mark = directory.join("in-use");
    std::fs::remove_file(&mark).unwrap();
    let store = Store::look(&directory).unwrap().unwrap();
    assert_eq!(titles(&store, "sources/kyiv").await.len(), 1);
    store.close().await.unwrap();
    assert!(!mark.exists(), "nothing of ours is written");
}

#[test]
fn what_cannot_be_a_directory_is_told() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("store");
    std::fs::write(&file, "a file").unwrap();
    for directory in [file.as_path(), Path::new("/proc/visnyk")] {
        let refused = Store::open(directory, Vec::new()).unwrap_err();
        assert!(matches!(refused, StoreError::Directory { .. }), "{refused:?}");
        assert!(refused.to_string().starts_with(&directory.display().to_string()));
    }
}
