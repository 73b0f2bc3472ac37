//! Rendered documents: made when they are asked for, once for each change.
//!
//! A document is stale from the moment that [`Documents::touch`] names it; who asks next renders
//! it anew, and everybody who asks meanwhile waits for that one rendering. Where the store cannot
//! answer, the last rendering is given out: old news are better than none.

use crate::config::Config;
use crate::fetch::Fetcher;
use crate::model::id::ArticleId;
use crate::model::publication::Pictures;
use crate::model::publication::Selection;
use crate::publish::html::language::Language;
use crate::publish::sheet::at;
use crate::serve::audience::Audience;
use crate::serve::coding::Coding;
use crate::serve::coding::Effort;
use crate::serve::delta::Versions;
use crate::serve::documents::imprint::Imprint;
use crate::serve::pictures::Passed;
use crate::serve::pictures::Picture;
use crate::serve::reads::Reads;
use crate::serve::stale::Stale;
use crate::serve::view::View;
use crate::serve::view::spoken;
use crate::store::Store;
use crate::store::error::StoreError;
use bytes::Bytes;
use chrono::DateTime;
use chrono::Utc;
use http::HeaderValue;
use std::collections::BTreeMap;
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
use tokio::sync::SemaphorePermit;
use tokio::task::JoinError;
use tokio::task::spawn_blocking;
use tracing::error;
use tracing::warn;

pub mod imprint;
mod pages;
mod touch;

/// How much rendered documents take by default, in bytes.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many deltas of one document are kept.
const DELTAS_KEPT_MAX: usize = 8;
/// After a failure the old rendering is given out for so long before it is tried again.
const FAILURE_REST: Duration = Duration::from_secs(5);

/// What has an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Page {
    /// A page for people; without a language at the address that speaks everybody's own.
    Html(View, Option<Language>),
    /// `/style.css`.
    Style,
    /// `/favicon.svg`.
    Icon,
    /// `/manifest.webmanifest`.
    Manifest,
    /// `/robots.txt`.
    Robots,
    /// `/sitemap.xml`.
    Sitemap,
    /// `/feeds.opml`.
    Opml,
    /// The front of a publication as Atom, or the page of its archive with this number.
    Atom(Selection, Option<u64>),
    /// The same as JSON Feed.
    Json(Selection, Option<u64>),
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The store did not say what is in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive has no such page.
    #[error("there is no such page")]
    Missing,
    /// It takes long.
    #[error("it takes too long to render")]
    Slow,
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
    /// The entity tag without its quotes: the digest, and of which version the document is.
    pub tag: String,
    /// When they last changed; none for what is part of the program.
    pub modified: Option<DateTime<Utc>>,
    coded: [OnceCell<Bytes>; 3],
    versions: Option<Versions>,
    /// What is new to who lacks which entries; at most [`DELTAS_KEPT_MAX`].
    deltas: Mutex<BTreeMap<Vec<usize>, Arc<Rendered>>>,
}

/// All documents of a site. Clones are one.
#[derive(Clone)]
pub struct Documents {
    inner: Arc<Inner>,
}

struct Inner {
    imprint: RwLock<Arc<Imprint>>,
    store: Store,
    kept_bytes_max: usize,
    slots: Mutex<HashMap<Page, Arc<Slot>>>,
    stale: Stale,
    requests: AtomicU64,
    renderings: AtomicU64,
    audience: Audience,
    reads: Reads,
    /// What passes pictures on, where pages show them so.
    passed: RwLock<Option<Arc<Passed>>>,
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
                imprint: RwLock::new(Arc::new(Imprint::new(config))),
                store,
                kept_bytes_max,
                slots: Mutex::default(),
                stale: Stale::default(),
                requests: AtomicU64::new(0),
                renderings: AtomicU64::new(0),
                audience: Audience::default(),
                reads: Reads::default(),
                passed: RwLock::default(),
                turns: Semaphore::new(available_parallelism().map_or(1, usize::from)),
            }),
        }
    }

    /// How often the pages of articles are read.
    #[must_use]
    pub fn reads(&self) -> &Reads {
        &self.inner.reads
    }

    /// From now on pictures are passed on, fetched with this.
    pub fn pass_pictures(&self, fetcher: Fetcher) {
        self.put_passed(Some(Arc::new(Passed::new(fetcher))));
    }

    /// From now on no picture is passed on.
    pub fn pass_no_pictures(&self) {
        self.put_passed(None);
    }

    fn put_passed(&self, passed: Option<Arc<Passed>>) {
        *self.inner.passed.write().unwrap_or_else(PoisonError::into_inner) = passed;
    }

    /// The picture of an article that has an address with this digest; none if there is none, or
    /// none is passed on.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn picture(
        &self,
        id: ArticleId,
        digest: &str,
    ) -> Result<Option<Arc<Picture>>, StoreError> {
        let passed = self.inner.passed.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(passed) = passed else { return Ok(None) };
        passed.get((&self.config(), &self.inner.store), id, digest).await
    }

    /// How pages show pictures.
    #[must_use]
    pub fn pictures(&self) -> Pictures {
        self.imprint().config.site.pictures
    }

    /// What its pages may load.
    pub(super) fn policy(&self) -> HeaderValue {
        self.imprint().policy.clone()
    }

    /// The language that the site speaks by itself.
    #[must_use]
    pub fn language(&self) -> Language {
        Language::of(&self.imprint().config.site.language)
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
            "/style.css" => Some(Page::Style),
            "/favicon.svg" => Some(Page::Icon),
            "/manifest.webmanifest" => Some(Page::Manifest),
            "/sitemap.xml" => Some(Page::Sitemap),
            "/robots.txt" => Some(Page::Robots),
            "/feeds.opml" => Some(Page::Opml),
            _ => {
                let path = path.strip_prefix('/')?;
                let page = if let Some(path) = path.strip_suffix(".atom") {
                    at(path).map(|(selection, number)| Page::Atom(selection, number))
                } else if let Some(path) = path.strip_suffix(".json") {
                    at(path).map(|(selection, number)| Page::Json(selection, number))
                } else {
                    let (language, below) = spoken(path);
                    View::at(below).map(|view| Page::Html(view, language))
                };
                let imprint = self.imprint();
                let masthead = imprint.masthead();
                page.filter(|page| page.selection().is_none_or(|of| masthead.knows(of)))
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
        self.inner.renderings.fetch_add(1, Ordering::Relaxed);
        let result = {
            let _turn = self.inner.turns.acquire().await;
            self.render(page).await
        };
        if let (Err(DocumentError::Missing), _) | (Err(_), None) = (&result, &last) {
            // Nothing is kept of what is not there.
            self.slots().remove(page);
        }
        *failed = result.is_err().then(Instant::now);
        match (result, last) {
            // What is no more is not given out as it was.
            (Err(DocumentError::Missing), _) => {
                *failed = None;
                Err(DocumentError::Missing)
            }
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

    /// The bytes of a document in a coding; none if they cannot be made. The page is one that is
    /// kept.
    pub async fn coded(
        &self,
        page: Option<&Page>,
        rendered: &Arc<Rendered>,
        coding: Coding,
    ) -> Option<Bytes> {
        let coded = &rendered.coded[coding as usize];
        if let Some(bytes) = coded.get() {
            return Some(bytes.clone());
        }
        let (documents, page, rendered) = (self.clone(), page.cloned(), rendered.clone());
        // As for renderings: who asked first may go away.
        let making = spawn(async move {
            let coded = &rendered.coded[coding as usize];
            let make = || documents.encode(page.as_ref(), &rendered, coding);
            coded.get_or_try_init(make).await.ok().cloned()
        });
        making.await.ok().flatten()
    }

    async fn encode(
        &self,
        page: Option<&Page>,
        rendered: &Rendered,
        coding: Coding,
    ) -> Result<Bytes, ()> {
        let identity = rendered.identity.clone();
        let effort = if page.is_some() { Effort::Kept } else { Effort::Once };
        let made = {
            let _turn = self.inner.turns.acquire().await;
            spawn_blocking(move || coding.encode(&identity, effort)).await
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
        let slot = page.and_then(|page| self.slots().get(page).cloned());
        if let Some(slot) = slot {
            slot.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
            self.make_room(&slot);
        }
        Ok(bytes)
    }

    pub(super) fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Waits until one more may be made.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.inner.turns.acquire().await.ok()
    }

    /// What is new in a document to a client that has the one with one of these tags; none if all
    /// is.
    #[must_use]
    pub fn delta(&self, page: &Page, rendered: &Rendered, tags: &str) -> Option<Arc<Rendered>> {
        let versions = rendered.versions.as_ref()?;
        let lacked = versions.lacked(tags.split(',').map(str::trim))?;
        let mut deltas = rendered.deltas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(delta) = deltas.get(&lacked) {
            return Some(delta.clone());
        }
        let bytes = versions.cut(&rendered.identity, &lacked);
        let delta = Arc::new(Rendered::new(bytes, rendered.modified));
        // Most who ask have one of the last versions, and lack little.
        if deltas.len() >= DELTAS_KEPT_MAX {
            deltas.pop_last();
        }
        deltas.insert(lacked, delta.clone());
        drop(deltas);
        let slot = self.slots().get(page).cloned();
        if let Some(slot) = slot {
            slot.bytes.fetch_add(delta.identity.len(), Ordering::Relaxed);
            self.make_room(&slot);
        }
        Some(delta)
    }

    /// A document as it last was, if it was ever rendered.
    #[must_use]
    pub fn last(&self, page: &Page) -> Option<Arc<Rendered>> {
        let slot = self.slots().get(page).cloned()?;
        slot.last().map(|(_, rendered)| rendered)
    }

    /// Lets go of the documents unused for longest until the rest fits. `newest` stays.
    fn make_room(&self, newest: &Arc<Slot>) {
        let bytes = |slot: &Arc<Slot>| slot.bytes.load(Ordering::Relaxed);
        let mut slots = self.slots();
        let mut total: usize = slots.values().map(bytes).sum();
        while total > self.inner.kept_bytes_max {
            let others = slots.iter().filter(|(_, slot)| !Arc::ptr_eq(slot, newest));
            // Of what readers compose there is no end: it goes before what others read.
            let oldest = others.min_by_key(|(page, slot)| {
                let is_mixed = matches!(page.selection(), Some(Selection::Mixed(..)));
                (!is_mixed, slot.used.load(Ordering::Relaxed))
            });
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
    pub(super) fn new(bytes: Vec<u8>, modified: Option<DateTime<Utc>>) -> Self {
        let digest = blake3::hash(&bytes).to_hex()[..32].to_owned();
        Self {
            identity: bytes.into(),
            tag: digest.clone(),
            digest,
            modified,
            coded: Default::default(),
            versions: None,
            deltas: Mutex::default(),
        }
    }

    /// A document whose entries are told apart by when they came.
    pub(super) fn of_versions(bytes: Vec<u8>, modified: DateTime<Utc>, versions: Versions) -> Self {
        let mut rendered = Self::new(bytes, Some(modified));
        rendered.tag = format!("{}.{}", rendered.digest, versions.told());
        rendered.versions = Some(versions);
        rendered
    }
}
