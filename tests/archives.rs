//! Archives (RFC 5005, section 4), walked by a client of our own under constant change.
//!
//! What a walk finds is what the publication held at the instant at which its front was fetched:
//! every article once, in the version of that instant, whatever came, changed or was taken away
//! meanwhile. And a page that was read once is the same for ever, but for what was taken away.
//! `WALK_SECONDS` says for how long there is change (10), `WALK_SEED` which.

use atom_syndication::Entry;
use atom_syndication::Feed;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sample::plain;
use sample::sister_cities;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;
use tokio::sync::Mutex;
use visnyk::config::Config;
use visnyk::model::article::Article;
use visnyk::model::article::Reason;
use visnyk::model::article::Why;
use visnyk::model::exchange::History;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::id::Digest;
use visnyk::model::known::Change;
use visnyk::model::publication::Selection;
use visnyk::model::publication::selections_of;
use visnyk::serve::documents::Documents;
use visnyk::store::Store;

mod sample;

const ENTRIES: usize = 10;
const TAGS: [&str; 2] = ["partnerstvo", "mizhnarodna-pidtrymka"];
/// The publications that are walked.
const WALKED: [&str; 4] = ["all", "tags/partnerstvo", "sources/kharkiv", "publications/pobratymy"];

/// Chance that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What the store should hold: the articles, and which are copies of which.
#[derive(Default)]
struct Truth {
    articles: BTreeMap<String, Article>,
    /// By the name of a copy, that of the article that it is a copy of.
    copies: BTreeMap<String, String>,
    removed: BTreeSet<String>,
    count: usize,
    now: DateTime<Utc>,
}

struct World {
    config: Arc<Config>,
    documents: Documents,
    store: Store,
    truth: Mutex<Truth>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = sample::config();
        config.publishing.entries = ENTRIES;
        let config = Arc::new(config);
        let store = Store::open(&folder.path().join("store"), config.publications.clone()).unwrap();
        let documents = Documents::new(config.clone(), store.clone());
        let now = sample::at("2023-07-03T12:00:00Z");
        let truth = Mutex::new(Truth { now, ..Truth::default() });
        Self { config, documents, store, truth, _folder: folder }
    }

    async fn commit(&self, change: Change, at: DateTime<Utc>) {
        let (Change::Added(article) | Change::Updated(article) | Change::Relabelled(article)) =
            &change
        else {
            return;
        };
        let feed = Arc::new(self.config.feeds[&article.feed].clone());
        let committed = self.store.commit(feed, History::default(), vec![change], at);
        self.documents.touch(&committed.await.unwrap());
    }

    /// One change of any kind.
    async fn change(&self, dice: &mut Dice) {
        let mut truth = self.truth.lock().await;
        truth.now += TimeDelta::minutes(7);
        let now = truth.now;
        let names: Vec<String> = truth.articles.keys().cloned().collect();
        let any = |dice: &mut Dice| names[dice.below(names.len())].clone();
        let change = match dice.below(20) {
            _ if names.len() < 3 => Change::Added(truth.fresh(dice)),
            0..=9 => Change::Added(truth.fresh(dice)),
            10..=11 => match truth.copy() {
                Some(copy) => Change::Added(copy),
                None => return,
            },
            12..=15 => {
                let name = any(dice);
                let mut article = truth.articles[&name].clone();
                if truth.copies.contains_key(&name) {
                    return;
                }
                article.revision += 1;
                article.updated = now;
                article.title = format!("{name}, редакція {}", article.revision);
                Change::Updated(article)
            }
            16..=18 => {
                let name = any(dice);
                // The copies of a story come into a publication together.
                if truth.copies.iter().any(|(copy, of)| *copy == name || *of == name) {
                    return;
                }
                let mut article = truth.articles[&name].clone();
                article.labels.tags = tags(dice);
                Change::Relabelled(article)
            }
            _ => {
                let name = any(dice);
                let id = truth.articles[&name].id;
                truth.articles.remove(&name);
                truth.removed.insert(name);
                let removal = Removal { by: Remover::Admin, why: "test".to_owned(), at: now };
                let stale = self.store.remove(id, removal).await.unwrap();
                self.documents.touch(&stale.unwrap());
                return;
            }
        };
        if let Change::Added(article) | Change::Updated(article) | Change::Relabelled(article) =
            &change
        {
            truth.articles.insert(name_of(article), article.clone());
        }
        self.commit(change, now).await;
    }

    async fn get(&self, path: &str) -> Option<Vec<u8>> {
        let page = self.documents.at(path)?;
        Some(self.documents.get(&page).await.ok()?.identity.to_vec())
    }

    async fn document(&self, path: &str) -> Feed {
        let bytes = self.get(path).await.unwrap_or_else(|| panic!("{path} is not there"));
        let feed = Feed::read_from(bytes.as_slice()).unwrap();
        let own = feed.links.iter().find(|link| link.rel == "self").unwrap();
        assert_eq!(path_of(&own.href), path);
        feed
    }

    /// All entries of the pages behind a front, the newest page first, as a client finds them.
    async fn walk(
        &self,
        front: &Feed,
        pages: &mut BTreeMap<String, Vec<(String, String)>>,
    ) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut next = previous(front);
        while let Some(path) = next {
            let page = self.document(&path).await;
            assert!(page.extensions.contains_key("fh"), "{path} is not marked as an archive");
            let current = page.links.iter().find(|link| link.rel == "current").unwrap();
            assert!(path.starts_with(path_of(&current.href).trim_end_matches(".atom")));
            let shown: Vec<_> =
                page.entries.iter().map(|e| (e.id.clone(), e.title.value.clone())).collect();
            let gone = deleted(&page);
            let before = pages.entry(path.clone()).or_insert_with(|| shown.clone());
            before.retain(|(id, _)| !gone.contains(id));
            // Of a story, a copy may be taken away that bore its id: then it bears another.
            let titles = |all: &[(String, String)]| {
                all.iter().map(|(_, t)| t.clone()).collect::<BTreeSet<_>>()
            };
            assert!(titles(before).is_subset(&titles(&shown)), "{path} has changed");
            next = previous(&page);
            entries.extend(page.entries);
        }
        entries
    }

    /// Walks a publication once and holds what it finds against the truth.
    async fn check(
        &self,
        selection: &str,
        pages: &mut BTreeMap<String, Vec<(String, String)>>,
    ) -> usize {
        let path = format!("/{selection}.atom");
        let (front, articles, copies) = {
            let truth = self.truth.lock().await;
            let front = self.document(&path).await;
            (front, truth.articles.clone(), truth.copies.clone())
        };
        assert!(front.entries.len() < 2 * ENTRIES + ENTRIES, "{path}: {}", front.entries.len());
        let archived = self.walk(&front, pages).await;
        let removed = self.truth.lock().await.removed.clone();
        let wanted = Selection::at(selection).unwrap();
        let is_source = matches!(wanted, Selection::Source(_));
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in front.entries.iter().chain(&archived) {
            found.entry(entry.id.clone()).or_default().push(entry.title.value.clone());
        }
        for (iri, versions) in &found {
            let different: BTreeSet<&String> = versions.iter().collect();
            assert_eq!(different.len(), versions.len(), "{path}: {iri} twice: {versions:?}");
        }
        let of_publication = |article: &&Article| {
            selections_of(article, &self.config.publications).contains(&wanted)
        };
        for article in articles.values().filter(of_publication) {
            let name = name_of(article);
            let others = copies.iter().filter(|(copy, of)| name == **of || name == **copy);
            let story: Vec<String> =
                others.flat_map(|(copy, of)| [copy.clone(), of.clone()]).collect();
            let is_story = !story.is_empty() && !is_source;
            if removed.contains(&name)
                || (is_story && story.iter().any(|name| removed.contains(name)))
            {
                continue;
            }
            if !is_story {
                let versions = found.get(&article.iri);
                let versions = versions.unwrap_or_else(|| panic!("{path}: {name} is missing"));
                assert_eq!(versions[0], article.title, "{path}: not the newest version");
                continue;
            }
            let iris = story.iter().filter_map(|name| articles.get(name)).map(|a| a.iri.clone());
            let iris: BTreeSet<String> = iris.collect();
            let shown = iris.iter().filter(|iri| found.contains_key(*iri)).count();
            assert_eq!(shown, 1, "{path}: the story {story:?} is there {shown} times");
        }
        found.len()
    }
}

impl Truth {
    /// A new article; one in five comes days late.
    fn fresh(&mut self, dice: &mut Dice) -> Article {
        self.count += 1;
        let name = format!("n{}", self.count);
        let feed = ["kharkiv", "mirror"][dice.below(2)];
        let mut article = plain(feed, &name, 0);
        let late = if dice.below(5) == 0 { TimeDelta::hours(90) } else { TimeDelta::minutes(5) };
        article.published = self.now - late;
        article.updated = article.published;
        article.first_seen = self.now;
        article.keys.link = Some(Digest::of(["page", name.as_str()]));
        article.labels.tags = tags(dice);
        article
    }

    /// A copy of the newest article in another feed, with its labels.
    fn copy(&mut self) -> Option<Article> {
        let newest = self.articles.get(&format!("n{}", self.count))?.clone();
        let name = format!("copy-of-n{}", self.count);
        let feed = if newest.feed.as_str() == "brief" { return None } else { "brief" };
        if self.articles.contains_key(&name) || newest.revision > 0 {
            return None;
        }
        let mut copy = plain(feed, &name, 0);
        copy.keys = newest.keys;
        copy.keys.entry = Digest::of([name.as_str()]);
        copy.labels = newest.labels.clone();
        copy.published = newest.published;
        copy.updated = newest.published;
        copy.first_seen = self.now;
        self.copies.insert(name, name_of(&newest));
        Some(copy)
    }
}

/// The name of an article: the last part of its page's address.
fn name_of(article: &Article) -> String {
    article.url.as_ref().unwrap().path().trim_start_matches('/').to_owned()
}

fn tags(dice: &mut Dice) -> BTreeMap<visnyk::model::id::TagId, Vec<Reason>> {
    let chosen = TAGS.iter().filter(|_| dice.below(2) == 0);
    let why = || vec![Reason { why: Why::Feed, points: 100 }];
    chosen.map(|tag| (tag.parse().unwrap(), why())).collect()
}

fn path_of(address: &str) -> String {
    address.strip_prefix("https://visnyk.example").unwrap().to_owned()
}

fn previous(feed: &Feed) -> Option<String> {
    let link = feed.links.iter().find(|link| link.rel == "prev-archive")?;
    Some(path_of(&link.href))
}

fn deleted(feed: &Feed) -> BTreeSet<String> {
    let tombs = feed.extensions.get("at").and_then(|at| at.get("deleted-entry"));
    tombs.into_iter().flatten().map(|tomb| tomb.attrs["ref"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_article_is_found_once_however_much_changes() {
    let seconds = std::env::var("WALK_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    let world = Arc::new(World::new());
    let seed = std::env::var("WALK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(5005);
    let mut dice = Dice(seed);
    let first = sister_cities();
    world.truth.lock().await.articles.insert(name_of(&first), first.clone());
    world.commit(Change::Added(first.clone()), first.first_seen).await;
    for _ in 0..200 {
        world.change(&mut dice).await;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let (writing, over) = (Arc::clone(&world), Arc::clone(&is_over));
    let writer = tokio::spawn(async move {
        let mut changes = 200_u32;
        while !over.load(Ordering::Relaxed) {
            writing.change(&mut dice).await;
            changes += 1;
            // Subscribers ask for all fronts, so that pages are closed one by one: a copy is known
            // as one while its story is on the newest pages.
            let selection = WALKED[usize::try_from(changes).unwrap() % WALKED.len()];
            writing.document(&format!("/{selection}.atom")).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        changes
    });
    let until = Instant::now() + Duration::from_secs(seconds);
    let walkers: Vec<_> = WALKED
        .into_iter()
        .map(|selection| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let (mut pages, mut walks, mut entries) = (BTreeMap::new(), 0_usize, 0_usize);
                while Instant::now() < until || walks == 0 {
                    entries += world.check(selection, &mut pages).await;
                    walks += 1;
                }
                (selection, walks, pages.len(), entries)
            })
        })
        .collect();
    for walker in walkers {
        let (selection, walks, pages, entries) = walker.await.unwrap();
        println!("{selection}: {walks} walks over {pages} pages, {entries} entries");
        assert!(pages > 5, "{selection} has only {pages} pages");
    }
    is_over.store(true, Ordering::Relaxed);
    println!("{} changes", writer.await.unwrap());
    assert_eq!(world.store.audit().await, Ok(Vec::new()));
}
