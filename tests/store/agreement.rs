//! After any sequence of commits the store is what a plain map would be.

use crate::material::any_instant;
use crate::material::article;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::material::publication;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use proptest::collection::vec;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::id::ArticleId;
use visnyk::model::known::Change;
use visnyk::model::known::Known;
use visnyk::model::publication::Publication;
use visnyk::model::publication::Selection;
use visnyk::model::publication::selections_of;
use visnyk::store::Store;

const FEEDS: [&str; 3] = ["kyiv", "kyiv-2", "lviv"];
const LABELS: [&str; 6] =
    ["", "r:kyivska", "r:kyivska t:a", "r:lvivska t:a t:b", "c:lviv r:lvivska", "t:b"];
const COMPOSED: [&str; 4] = ["", "a", "b", "a b"];

#[derive(Debug, Clone)]
enum Step {
    Commit { feed: usize, changes: Vec<(Kind, Article)>, at: DateTime<Utc> },
    Reopen { composed: [usize; 2] },
    Compose { composed: [usize; 2], at: DateTime<Utc> },
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Added,
    Updated,
    Relabelled,
    Unchanged,
}

fn any_change(feed: usize) -> impl Strategy<Value = (Kind, Article)> {
    let kind = prop_oneof![
        3 => Just(Kind::Added),
        2 => Just(Kind::Updated),
        2 => Just(Kind::Relabelled),
        1 => Just(Kind::Unchanged),
    ];
    let instants = (any_instant(), any_instant(), any_instant());
    (kind, 0..6_u32, 0..LABELS.len(), 0..4_u32, instants).prop_map(
        move |(kind, key, words, iri, instants)| {
            let mut article = article(FEEDS[feed], &key.to_string(), 0);
            article.iri = format!("urn:shared:{iri}");
            article.title = format!("{words} {iri}");
            article.labels = labels(LABELS[words]);
            (article.published, article.updated, article.first_seen) = instants;
            (kind, article)
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    let commit =
        (0..FEEDS.len()).prop_flat_map(|feed| {
            (vec(any_change(feed), 0..8), any_instant())
                .prop_map(move |(changes, at)| Step::Commit { feed, changes, at })
        });
    let reopen =
        prop::array::uniform2(0..COMPOSED.len()).prop_map(|composed| Step::Reopen { composed });
    let compose = (prop::array::uniform2(0..COMPOSED.len()), any_instant())
        .prop_map(|(composed, at)| Step::Compose { composed, at });
    prop_oneof![6 => commit, 1 => reopen, 1 => compose]
}

fn composed_of(choice: [usize; 2]) -> Vec<Publication> {
    let some = ["first", "second"].into_iter().zip(choice);
    some.filter(|(_, choice)| *choice > 0)
        .map(|(id, choice)| publication(id, COMPOSED[choice]))
        .collect()
}

/// What the store promises, in a map.
#[derive(Debug, Default)]
struct Promise {
    articles: BTreeMap<ArticleId, Article>,
    composed: Vec<Publication>,
}

impl Promise {
    /// The selections that a commit makes stale.
    fn commit(&mut self, changes: &[(Kind, Article)]) -> BTreeSet<Selection> {
        let before = self.articles.clone();
        for (kind, fresh) in changes {
            match (kind, self.articles.get_mut(&fresh.id)) {
                (Kind::Unchanged, _) | (Kind::Added, Some(_)) => {}
                (Kind::Updated | Kind::Relabelled, Some(stored)) => {
                    *stored = Article {
                        iri: stored.iri.clone(),
                        published: stored.published,
                        first_seen: stored.first_seen,
                        ..fresh.clone()
                    };
                }
                (_, None) => {
                    let mut fresh = fresh.clone();
                    if self.articles.values().any(|other| other.iri == fresh.iri) {
                        let (feed, id) = (&fresh.feed, fresh.id);
                        fresh.iri = format!("tag:visnyk.example,2023-07-03:{feed}/{id}");
                    }
                    self.articles.insert(fresh.id, fresh);
                }
            }
        }
        let written = self.articles.values().filter(|after| before.get(&after.id) != Some(after));
        let both = written.flat_map(|after| before.get(&after.id).into_iter().chain([after]));
        both.flat_map(|article| selections_of(article, &self.composed)).collect()
    }

    fn shelves(&self) -> BTreeMap<Selection, Vec<Article>> {
        let mut shelves: BTreeMap<Selection, Vec<Article>> = BTreeMap::new();
        for article in self.articles.values() {
            for selection in selections_of(article, &self.composed) {
                shelves.entry(selection).or_default().push(article.clone());
            }
        }
        for articles in shelves.values_mut() {
            articles.sort_by_key(|article| (Reverse(article.published), article.id));
        }
        shelves
    }

    async fn check(&self, store: &Store) {
        let promised = self.shelves();
        let stored = store.shelves().await.unwrap();
        for (selection, shelf) in &stored {
            let articles = promised.get(selection).map_or(&[][..], Vec::as_slice);
            assert_eq!(store.newest(selection, 1_000).await.unwrap(), articles, "{selection:?}");
            assert_eq!(shelf.count, articles.len() as u64, "{selection:?}");
            if let Some(newest) = articles.iter().map(|article| article.updated).max() {
                assert_eq!(shelf.updated, newest, "{selection:?}");
            }
        }
        for selection in promised.keys() {
            assert!(stored.contains_key(selection), "{selection:?}");
        }
        for name in FEEDS {
            let memory = store.memory(&feed_id(name)).await.unwrap();
            let of_feed = self.articles.values().filter(|article| article.feed == feed_id(name));
            assert_eq!(memory.len(), of_feed.clone().count());
            for article in of_feed {
                assert_eq!(memory.by_entry(article.keys.entry), Some(&Known::of(article)));
            }
        }
        assert_eq!(store.audit().await, Ok(Vec::new()));
    }
}

async fn follow(steps: Vec<Step>) {
    let folder = tempdir().unwrap();
    let mut store = Store::open(folder.path(), Vec::new()).unwrap();
    let mut promise = Promise::default();
    for (i, step) in steps.into_iter().enumerate() {
        match step {
            Step::Commit { feed: name, changes, at } => {
                let history = History { failures: u32::try_from(i).unwrap(), ..History::default() };
                let promised = promise.commit(&changes);
                let changes = changes.into_iter().map(|(kind, article)| match kind {
                    Kind::Added => Change::Added(article),
                    Kind::Updated => Change::Updated(article),
                    Kind::Relabelled => Change::Relabelled(article),
                    Kind::Unchanged => Change::Unchanged(article.id),
                });
                let feed = feed(FEEDS[name]);
                let before = store.shelves().await.unwrap();
                let stale =
                    store.commit(feed, history.clone(), changes.collect(), at).await.unwrap();
                assert_eq!(stale, promised);
                assert_eq!(store.history(&feed_id(FEEDS[name])).await.unwrap(), history);
                for selection in stale {
                    let shelf = store.shelf(&selection).await.unwrap().unwrap();
                    let later = before.get(&selection).map(|b| b.changed + TimeDelta::seconds(1));
                    assert_eq!(
                        shelf.changed,
                        later.map_or(at, |later| later.max(at)),
                        "{selection:?}"
                    );
                }
            }
            Step::Reopen { composed } => {
                store.close().await.unwrap();
                promise.composed = composed_of(composed);
                store = Store::open(folder.path(), promise.composed.clone()).unwrap();
            }
            Step::Compose { composed, at } => {
                let composed = composed_of(composed);
                let kept = |publication: &&Publication| {
                    composed.contains(publication) && promise.composed.contains(publication)
                };
                let all = composed.iter().chain(&promise.composed);
                let promised: BTreeSet<Selection> = all
                    .filter(|publication| !kept(publication))
                    .map(|publication| Selection::Composed(publication.id.clone()))
                    .collect();
                assert_eq!(store.compose(composed.clone(), at).await.unwrap(), promised);
                promise.composed = composed;
            }
        }
        promise.check(&store).await;
    }
    store.close().await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_store_is_what_a_map_would_be(steps in vec(any_step(), 1..16)) {
        Runtime::new().unwrap().block_on(follow(steps));
    }
}
