//! Rendered documents: made when they are asked for, once for each change.
//!
//! A document is stale from the moment that [`Documents::touch`] names it; who asks next renders
//! it anew, and everybody who asks meanwhile waits for that one rendering. Where the store cannot
//! answer, the last rendering is given out: old news are better than none.

use crate::config::Config;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::atom::atom;
use crate::publish::index::STYLE;
use crate::publish::index::index;
use crate::publish::json::json;
use crate::publish::opml::opml;
use crate::publish::story::Apart;
use crate::publish::story::one_each;
use crate::serve::audience::Audience;
use crate::serve::coding::Coding;
use crate::store::Store;
use crate::store::error::StoreError;
use bytes::Bytes;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::time::Duration;
use std::time::Instant;
use tokio::spawn;
use tokio::sync::OnceCell;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::task::spawn_blocking;
use tracing::error;
use tracing::warn;

/// How much rendered documents take by default, in bytes.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// After a failure the old rendering is given out for so long before it is tried again.
const FAILURE_REST: Duration = Duration::from_secs(5);
const ROBOTS: &str = "User-agent: *\nAllow: /\n";

/// What has an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Page {
    /// `/`.
    Index,
    /// `/style.css`.
    Style,
    /// `/robots.txt`.
    Robots,
    /// `/feeds.opml`.
    Opml,
    /// A publication as Atom.
    Atom(Selection),
    /// The same as JSON Feed.
    Json(Selection),
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The store did not say what is in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It broke off.
    #[error("rendering broke off: {0}")]
    Render(#[from] JoinError),
}

/// A document as it was rendered.
#[derive(Debug)]
pub struct Rendered {
    /// The bytes in no coding.
    pub identity: Bytes,
    /// The digest of these bytes, in hexadecimal digits.
    pub digest: String,
    /// When they last changed; none for what is part of the program.
    pub modified: Option<DateTime<Utc>>,
    coded: [OnceCell<Bytes>; 3],
}

/// All documents of a site. Clones are one.
#[derive(Clone)]
pub struct Documents {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    store: Store,
    kept_bytes_max: usize,
    slots: Mutex<HashMap<Page, Arc<Slot>>>,
    started: DateTime<Utc>,
    requests: AtomicU64,
    renderings: AtomicU64,
    audience: Audience,
    /// How many more documents may be rendered or encoded at once.
    turns: Semaphore,
}

/// A document's place, empty until it is asked for.
#[derive(Default)]
struct Slot {
    /// How often it was touched.
    touched: AtomicU64,
    /// How many bytes it takes.
    bytes: AtomicUsize,
    /// Which request was the last for it.
    used: AtomicU64,
    /// The rendering, and how often the document had been touched before.
    rendered: RwLock<Option<(u64, Arc<Rendered>)>>,
    /// Locked while it is made, so that it is made once; when it last could not be.
    making: tokio::sync::Mutex<Option<Instant>>,
}

impl Slot {
    fn last(&self) -> Option<(u64, Arc<Rendered>)> {
        // What is under the lock is whole at any time.
        self.rendered.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, touched: u64, rendered: &Arc<Rendered>) {
        let rendered = Some((touched, rendered.clone()));
        *self.rendered.write().unwrap_or_else(PoisonError::into_inner) = rendered;
    }

    /// The rendering, if nothing has changed since.
    fn fresh(&self) -> Option<Arc<Rendered>> {
        let touched = self.touched.load(Ordering::SeqCst);
        self.last().filter(|(at, _)| *at == touched).map(|(_, rendered)| rendered)
    }
}

impl Documents {
    /// The documents of a site; none is rendered yet.
    #[must_use]
    pub fn new(config: Arc<Config>, store: Store) -> Self {
        Self::within(KEPT_BYTES_MAX, config, store)
    }

    /// The same, with as many bytes kept at most; the document unused for longest goes first.
    #[must_use]
    pub fn within(kept_bytes_max: usize, config: Arc<Config>, store: Store) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                store,
                kept_bytes_max,
                slots: Mutex::default(),
                started: Utc::now(),
                requests: AtomicU64::new(0),
                renderings: AtomicU64::new(0),
                audience: Audience::default(),
                turns: Semaphore::new(available_parallelism().map_or(1, usize::from)),
            }),
        }
    }

    /// From now on these publications are stale, and with them what lists them.
    pub fn touch(&self, selections: &BTreeSet<Selection>) {
        if selections.is_empty() {
            return;
        }
        let slots = self.slots();
        let pages = selections
            .iter()
            .flat_map(|selection| [Page::Atom(selection.clone()), Page::Json(selection.clone())]);
        let pages = pages.chain([Page::Index, Page::Opml]);
        for slot in pages.filter_map(|page| slots.get(&page)) {
            slot.touched.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// From now on everything is stale: what was written is not known.
    pub fn touch_all(&self) {
        for slot in self.slots().values() {
            slot.touched.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Who reads them.
    #[must_use]
    pub fn audience(&self) -> &Audience {
        &self.inner.audience
    }

    /// How often a document was rendered.
    #[must_use]
    pub fn renderings(&self) -> u64 {
        self.inner.renderings.load(Ordering::Relaxed)
    }

    /// What is at a path; nothing if the site does not publish it.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<Page> {
        match path {
            "/" => Some(Page::Index),
            "/style.css" => Some(Page::Style),
            "/robots.txt" => Some(Page::Robots),
            "/feeds.opml" => Some(Page::Opml),
            _ => {
                let path = path.strip_prefix('/')?;
                let (path, page): (_, fn(Selection) -> Page) = match path.strip_suffix(".atom") {
                    Some(path) => (path, Page::Atom),
                    None => (path.strip_suffix(".json")?, Page::Json),
                };
                let selection = Selection::at(path)?;
                let known = masthead(&self.inner.config).knows(&selection);
                known.then(|| page(selection))
            }
        }
    }

    /// A document as it is now, or as it last was if it cannot be rendered.
    ///
    /// # Errors
    /// It cannot be rendered, and never was.
    pub async fn get(&self, page: &Page) -> Result<Arc<Rendered>, DocumentError> {
        let slot = self.slot(page);
        let request = self.inner.requests.fetch_add(1, Ordering::Relaxed);
        slot.used.store(request, Ordering::Relaxed);
        if let Some(rendered) = slot.fresh() {
            return Ok(rendered);
        }
        // A task of its own: who asked first may go away, or run out of time, and what is half
        // made would be begun again for the next.
        let (documents, page) = (self.clone(), page.clone());
        spawn(async move { documents.make(&page, &slot).await }).await?
    }

    async fn make(&self, page: &Page, slot: &Arc<Slot>) -> Result<Arc<Rendered>, DocumentError> {
        let mut failed = slot.making.lock().await;
        let touched = slot.touched.load(Ordering::SeqCst);
        let last = slot.last();
        // Everybody who waited for a rendering that failed would else wait for one of their own.
        let rests = failed.is_some_and(|failed| failed.elapsed() < FAILURE_REST);
        if let Some((at, rendered)) = last.as_ref()
            && (*at == touched || rests)
        {
            return Ok(rendered.clone());
        }
        let result = {
            let _turn = self.inner.turns.acquire().await;
            self.render(page).await
        };
        *failed = result.is_err().then(Instant::now);
        match (result, last) {
            (Ok(rendered), _) => {
                let rendered = Arc::new(rendered);
                slot.put(touched, &rendered);
                drop(failed);
                slot.bytes.store(rendered.identity.len(), Ordering::Relaxed);
                self.make_room(slot);
                Ok(rendered)
            }
            (Err(error), Some((_, last))) => {
                warn!(?page, %error, "gave out an old document: {error}");
                Ok(last)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The bytes of a document in a coding; none if they cannot be made.
    pub async fn coded(
        &self,
        page: &Page,
        rendered: &Arc<Rendered>,
        coding: Coding,
    ) -> Option<Bytes> {
        let coded = &rendered.coded[coding as usize];
        if let Some(bytes) = coded.get() {
            return Some(bytes.clone());
        }
        let (documents, page, rendered) = (self.clone(), page.clone(), rendered.clone());
        // As for renderings: who asked first may go away.
        let making = spawn(async move {
            let coded = &rendered.coded[coding as usize];
            let make = || documents.encode(&page, &rendered, coding);
            coded.get_or_try_init(make).await.ok().cloned()
        });
        making.await.ok().flatten()
    }

    async fn encode(&self, page: &Page, rendered: &Rendered, coding: Coding) -> Result<Bytes, ()> {
        let identity = rendered.identity.clone();
        let made = {
            let _turn = self.inner.turns.acquire().await;
            spawn_blocking(move || coding.encode(&identity)).await
        };
        let bytes = match made {
            Ok(Ok(bytes)) => Bytes::from(bytes),
            Ok(Err(error)) => {
                error!(?page, %error, "cannot encode as {}: {error}", coding.name());
                return Err(());
            }
            Err(error) => {
                error!(?page, %error, "encoding as {} broke off: {error}", coding.name());
                return Err(());
            }
        };
        let slot = self.slots().get(page).cloned();
        if let Some(slot) = slot {
            slot.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
            self.make_room(&slot);
        }
        Ok(bytes)
    }

    async fn render(&self, page: &Page) -> Result<Rendered, DocumentError> {
        let config = self.inner.config.clone();
        let store = &self.inner.store;
        self.inner.renderings.fetch_add(1, Ordering::Relaxed);
        let never = config.site.tagging.start();
        match page {
            Page::Style => Ok(Rendered::new(STYLE.into(), None)),
            Page::Robots => Ok(Rendered::new(ROBOTS.into(), None)),
            Page::Index | Page::Opml => {
                let shelves = store.shelves().await?;
                // They change with feeds.toml too, which is read at the start.
                let changed = shelves.values().map(|shelf| shelf.changed).max().unwrap_or(never);
                let modified = changed.max(self.inner.started);
                let write = if *page == Page::Index { index } else { opml };
                let made = spawn_blocking(move || list(&config, &shelves, write)).await?;
                Ok(Rendered::new(made, Some(modified)))
            }
            Page::Atom(selection) | Page::Json(selection) => {
                let write = if matches!(page, Page::Atom(_)) { atom } else { json };
                let on_shelf = store.shelf(selection).await?;
                let entries = config.publishing.entries;
                let is_source = matches!(selection, Selection::Source(_));
                // Copies of one story leave gaps: some more are asked for to fill them.
                let limit = if is_source { entries } else { entries + entries / 2 + 10 };
                let mut articles = store.newest(selection, limit).await?;
                let selection = selection.clone();
                let made = spawn_blocking(move || {
                    if !is_source {
                        articles = one_each(articles, &apart(&config));
                    }
                    articles.truncate(entries);
                    write(masthead(&config), &selection, &articles)
                });
                let modified = on_shelf.map_or(never, |shelf| shelf.changed);
                Ok(Rendered::new(made.await?, Some(modified)))
            }
        }
    }

    /// Lets go of the documents unused for longest until the rest fits. `newest` stays.
    fn make_room(&self, newest: &Arc<Slot>) {
        let bytes = |slot: &Arc<Slot>| slot.bytes.load(Ordering::Relaxed);
        let mut slots = self.slots();
        let mut total: usize = slots.values().map(bytes).sum();
        while total > self.inner.kept_bytes_max {
            let others = slots.iter().filter(|(_, slot)| !Arc::ptr_eq(slot, newest));
            let oldest = others.min_by_key(|(_, slot)| slot.used.load(Ordering::Relaxed));
            let Some(page) = oldest.map(|(page, _)| page.clone()) else { return };
            total -= slots.remove(&page).as_ref().map_or(0, bytes);
        }
    }

    fn slot(&self, page: &Page) -> Arc<Slot> {
        let mut slots = self.slots();
        match slots.get(page) {
            Some(slot) => slot.clone(),
            None => slots.entry(page.clone()).or_default().clone(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Page, Arc<Slot>>> {
        // Nothing that is done under the lock leaves the map half changed.
        self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rendered {
    fn new(bytes: Vec<u8>, modified: Option<DateTime<Utc>>) -> Self {
        let digest = blake3::hash(&bytes).to_hex()[..32].to_owned();
        Self { identity: bytes.into(), digest, modified, coded: Default::default() }
    }
}

type Shelves = BTreeMap<Selection, Shelf>;

fn list(
    config: &Config,
    shelves: &Shelves,
    write: fn(Masthead<'_>, &Shelves) -> Vec<u8>,
) -> Vec<u8> {
    write(masthead(config), shelves)
}

/// What feeds.toml keeps from being one story with others.
#[must_use]
pub fn apart(config: &Config) -> Apart {
    let alone = config.feeds.values().filter(|feed| !feed.unites);
    Apart { articles: config.apart.clone(), feeds: alone.map(|feed| feed.id.clone()).collect() }
}

/// What publications need of a configuration.
#[must_use]
pub fn masthead(config: &Config) -> Masthead<'_> {
    Masthead {
        site: &config.site,
        catalogue: &config.catalogue,
        tags: &config.tags,
        feeds: &config.feeds,
        publications: &config.publications,
    }
}
