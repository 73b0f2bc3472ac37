//! After any sequence of commits the store is what a plain map would be.

use crate::material::any_instant;
use crate::material::article;
use crate::material::document;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::material::provenance;
use crate::material::publication;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use proptest::collection::vec;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::model::article::Article;
use visnyk::model::article::Labels;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Unkept;
use visnyk::model::front::ArchivePage;
use visnyk::model::front::Closing;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::id::ArticleId;
use visnyk::model::known::Change;
use visnyk::model::known::Harvest;
use visnyk::model::known::Known;
use visnyk::model::provenance::Provenance;
use visnyk::model::publication::Publication;
use visnyk::model::publication::Selection;
use visnyk::model::publication::Shelf;
use visnyk::model::publication::selections_of;
use visnyk::model::revision::Trail;
use visnyk::model::revision::Words;
use visnyk::model::revision::between;
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
    Close { selection: usize, stories: usize, at: DateTime<Utc> },
    Remove { article: usize, at: DateTime<Utc> },
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
    (kind, 0..6_u32, 0..LABELS.len(), 0..4_u32, any::<u32>(), instants).prop_map(
        move |(kind, key, words, iri, revision, instants)| {
            let mut article = article(FEEDS[feed], &key.to_string(), 0);
            article.iri = format!("urn:shared:{iri}");
            article.title = format!("{words} {iri}");
            article.labels = labels(LABELS[words]);
            article.revision = revision;
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
    let close = (0..100_usize, 1..4_usize, any_instant())
        .prop_map(|(selection, stories, at)| Step::Close { selection, stories, at });
    let remove =
        (0..100_usize, any_instant()).prop_map(|(article, at)| Step::Remove { article, at });
    prop_oneof![6 => commit, 1 => reopen, 1 => compose, 5 => close, 1 => remove]
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
    removed: BTreeMap<ArticleId, Article>,
    trails: BTreeMap<ArticleId, Trail>,
    pages: BTreeMap<(Selection, u64), ArchivePage>,
    /// Hidden copies, and what each is a copy of.
    hidden: BTreeMap<(Selection, ArticleId), ArticleId>,
    composed: Vec<Publication>,
}

impl Promise {
    /// The selections that a commit makes stale.
    fn commit(&mut self, changes: &[(Kind, Article)]) -> BTreeSet<Selection> {
        let before = self.articles.clone();
        for (kind, fresh) in changes {
            if self.removed.contains_key(&fresh.id) {
                continue;
            }
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
                    if self.all().any(|other| other.iri == fresh.iri) {
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

    /// What a commit leaves beside the articles: where each came from, and what changed in it.
    fn trail(&mut self, before: &BTreeMap<ArticleId, Article>, at: DateTime<Utc>) {
        for (id, article) in &self.articles {
            match before.get(id) {
                None => {
                    let provenance = Some(provenance(article));
                    self.trails.insert(*id, Trail { provenance, ..Trail::default() });
                }
                Some(before) => {
                    if let Some(revision) = between(before, article, &mut Words::of_commit(), at) {
                        self.trails.entry(*id).or_default().add(revision);
                    }
                }
            }
        }
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

    /// The articles, and those that were taken away.
    fn all(&self) -> impl Iterator<Item = &Article> {
        self.articles.values().chain(self.removed.values())
    }

    /// A closed page shows what it showed, less what was taken away; and front and pages together
    /// have every article once, and no version of one twice.
    async fn check_pages(&mut self, store: &Store) {
        for (selection, articles) in self.shelves() {
            let front = store.front(&selection, 1_000).await.unwrap();
            let mut walked: Vec<Article> =
                front.standing.into_iter().map(|standing| standing.article).collect();
            let mut next = front.newest_page;
            while let Some(number) = next {
                let page = store.page(&selection, number).await.unwrap().unwrap();
                walked.extend(page.stories.into_iter().flatten());
                next = page.previous;
            }
            let mut seen = BTreeSet::new();
            for article in &walked {
                assert!(seen.insert((article.id, article.revision)), "{selection:?}: twice");
            }
            // A copy is hidden as long as what it is a copy of is not taken away.
            let is_hidden = |article: &Article| {
                let shown = self.hidden.get(&(selection.clone(), article.id));
                shown.is_some_and(|shown| self.articles.contains_key(shown))
            };
            for article in articles.into_iter().filter(|article| !is_hidden(article)) {
                let walked = walked.iter().find(|walked| walked.id == article.id);
                let bare =
                    |article: &Article| Article { labels: Labels::default(), ..article.clone() };
                assert_eq!(walked.map(bare), Some(bare(&article)), "{selection:?}");
            }
        }
        for ((selection, number), page) in &mut self.pages {
            for story in &mut page.stories {
                story.retain(|article| !self.removed.contains_key(&article.id));
            }
            page.stories.retain(|story| !story.is_empty());
            let mut stored = store.page(selection, *number).await.unwrap().unwrap();
            page.removed = std::mem::take(&mut stored.removed);
            stored.removed.clone_from(&page.removed);
            assert_eq!(stored, *page, "{selection:?}");
            for removed in &page.removed {
                assert!(self.removed.values().any(|article| article.iri == removed.iri));
            }
        }
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
            let of_feed: Vec<&Article> =
                self.all().filter(|article| article.feed == feed_id(name)).collect();
            assert_eq!(memory.len(), of_feed.len());
            for article in of_feed {
                assert_eq!(memory.by_entry(article.keys.entry), Some(&Known::of(article)));
            }
        }
        for id in self.articles.keys() {
            assert_eq!(store.trail(*id).await.unwrap(), self.trails[id]);
        }
        for id in self.removed.keys() {
            assert_eq!(store.trail(*id).await.unwrap(), Trail::default());
        }
        assert_eq!(store.audit().await, Ok(Vec::new()));
    }
}

/// What a commit made stale changed when it was made, and later than before.
async fn check_moved(
    store: &Store,
    stale: BTreeSet<Selection>,
    before: &BTreeMap<Selection, Shelf>,
    at: DateTime<Utc>,
) {
    for selection in stale {
        let shelf = store.shelf(&selection).await.unwrap().unwrap();
        let later = before.get(&selection).map(|before| before.changed + TimeDelta::seconds(1));
        assert_eq!(shelf.changed, later.map_or(at, |later| later.max(at)), "{selection:?}");
    }
}

/// The admin takes an article down.
async fn take_away(store: &Store, promise: &mut Promise, article: usize, at: DateTime<Utc>) {
    let Some(id) = promise.articles.keys().nth(article % 6).copied() else { return };
    let removal = Removal { by: Remover::Admin, why: "test".to_owned(), at };
    let article = promise.articles.remove(&id).unwrap();
    promise.trails.remove(&id);
    let feed = article.feed.clone();
    let selections = selections_of(&article, &promise.composed);
    promise.removed.insert(id, article);
    let stale = store.remove(id, removal.clone()).await.unwrap();
    assert_eq!(stale, Some(selections.clone()));
    // It held the words that are to be gone.
    let kept = store.kept(&feed).await.unwrap();
    assert!(kept.is_none_or(|kept| kept.bytes == Err(Unkept::TakenDown)));
    assert_eq!(store.removal(id).await.unwrap(), Some(removal.clone()));
    assert_eq!(store.remove(id, removal).await.unwrap(), None);
    for selection in selections {
        let front = store.front(&selection, 1).await.unwrap();
        let iri = &promise.removed[&id].iri;
        assert!(front.removed.iter().any(|removed| removed.iri == *iri));
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
                let before_commit = promise.articles.clone();
                let promised = promise.commit(&changes);
                let provenances: BTreeMap<ArticleId, Provenance> =
                    changes.iter().map(|(_, article)| (article.id, provenance(article))).collect();
                let named: Vec<ArticleId> = changes.iter().map(|(_, article)| article.id).collect();
                let is_quiet = changes.iter().all(|(kind, _)| matches!(kind, Kind::Unchanged));
                let changes = changes.into_iter().map(|(kind, article)| match kind {
                    Kind::Added => Change::Added(article),
                    Kind::Updated => Change::Updated(article),
                    Kind::Relabelled => Change::Relabelled(article),
                    Kind::Unchanged => Change::Unchanged(article.id, article.views),
                });
                let feed = feed(FEEDS[name]);
                let before = store.shelves().await.unwrap();
                let document = document(feed.id.as_str(), i);
                let is_of = |id: &ArticleId| promise.removed.contains_key(id);
                let is_withheld = named.iter().any(is_of);
                let before_it = store.kept(&feed_id(FEEDS[name])).await.unwrap();
                let harvest = Harvest {
                    changes: changes.collect(),
                    provenances,
                    document: Some(Arc::new(document.clone())),
                };
                let stale = store.commit(feed, history.clone(), harvest, at).await.unwrap();
                assert_eq!(stale, promised);
                let kept = store.kept(&feed_id(FEEDS[name])).await.unwrap().unwrap();
                match (is_withheld, is_quiet && before_it.is_some()) {
                    (true, _) => assert_eq!(kept.bytes, Err(Unkept::TakenDown)),
                    (false, true) if kept.bytes != Ok(document.bytes.clone()) => {
                        assert_eq!(Some(kept), before_it);
                    }
                    (false, _) => assert_eq!(kept.document(), Some(document)),
                }
                promise.trail(&before_commit, at);
                assert_eq!(store.history(&feed_id(FEEDS[name])).await.unwrap(), history);
                check_moved(&store, stale, &before, at).await;
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
            Step::Close { selection, stories, at } => {
                let selections: Vec<Selection> = promise.shelves().into_keys().collect();
                let Some(selection) = selections.get(selection % selections.len().max(1)) else {
                    continue;
                };
                let rear = store.rear(selection, 0, 6, 100).await.unwrap();
                let ids: Vec<ArticleId> =
                    rear.standing.iter().map(|standing| standing.article.id).collect();
                let page: Vec<_> = ids.chunks(2).take(stories).map(<[ArticleId]>::to_vec).collect();
                let hidden = ids.get(2 * stories).map(|copy| (*copy, ids[0]));
                let of = hidden.map(|(copy, shown)| ((selection.clone(), copy), shown));
                promise.hidden.extend(of);
                let closing = Closing { pages: vec![page], hidden: hidden.into_iter().collect() };
                let closed = store.close_pages(selection, rear.last_number, closing.clone(), at);
                closed.await.unwrap();
                // Who was too late closes nothing.
                let again = store.close_pages(selection, rear.last_number, closing, at);
                again.await.unwrap();
                let number = rear.last_number + 1;
                let page = store.page(selection, number).await.unwrap();
                assert_eq!(page.is_some(), !ids.is_empty());
                promise.pages.extend(page.map(|page| ((selection.clone(), number), page)));
            }
            Step::Remove { article, at } => take_away(&store, &mut promise, article, at).await,
        }
        promise.check_pages(&store).await;
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
