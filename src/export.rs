//! The site as files: every page as the server would give it out, and its compressed forms, for
//! any web server, CDN or object storage.
//!
//! # Which pages
//! All that [`Documents::pages`] knows: as Atom, as JSON Feed and as a page every publication that
//! holds or once held an article, with all pages of its archive, and, though empty, everything but
//! communities and crossings of a region with a tag: there are thousands of those, and a subscriber
//! finds no address of an empty one on any list; every article; the index, the sources and the page
//! about the site; and what browsers, robots and feed readers ask for beside them.
//!
//! # What holds
//! - A file is whole at every moment: it is written beside its place as `.NAME.visnyk-new`, made
//!   durable and renamed. Archives come first, then publications, then lists, and the index page
//!   is the last, so that nothing refers to what is not there yet; but for a page of an archive
//!   that a running daemon closes meanwhile, which the next export brings. Within one of these
//!   steps every page is tried; if one fails, the next step does not begin.
//! - A compressed form is of the bytes of its plain file, or it is not there: see `files`.
//! - Files that are as they should be are not touched, and keep their time. They are read, not
//!   believed: what somebody changed or deleted comes back.
//! - What is no longer published is removed, after everything is written. Nothing else ever is: no
//!   file is removed or replaced that no export wrote, unless the admin says so ([`Others`]).
//! - A page is reported before the manifest says that it is written, so that one which an export
//!   changed just before it was killed is reported by the next.
//! - Links within the directory are not followed; one at the place of a file is replaced.
//! - One export is in a directory at once: the file `.visnyk-export.lock` is locked.
//!
//! One document for each lane is in memory, and of all others their addresses and digests.

pub mod error;
pub mod files;
mod folder;
pub mod manifest;
mod root;

use crate::export::error::ExportError;
use crate::export::files::Done;
use crate::export::files::is_taken;
use crate::export::files::put;
use crate::export::files::remove;
use crate::export::manifest::Entry;
use crate::export::manifest::Manifest;
use crate::export::root::Absent;
use crate::export::root::Root;
use crate::model::publication::Selection;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::stale::Lack;
use crate::serve::view::View;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::task::JoinSet;
use tokio::task::spawn_blocking;

/// After so many pages that cannot be written the rest is not tried: the disk is full, or gone.
const FAILURES_MAX: usize = 20;
/// After so many pages the manifest is saved, so that an export that is killed has not to do
/// everything again.
const SAVED_EVERY: usize = 1000;

/// What the key of an article begins with.
const ARTICLES: &str = "articles/";

/// What is done with files in the directory that no export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// A directory with such files is refused, and so is a page in whose place one lies.
    Stay,
    /// They stay, but in the place of a page they are replaced.
    Yield,
}

/// What is exported, and where.
#[derive(Debug, Clone)]
pub struct Order {
    /// The directory. It is made if there is none and everything is exported.
    pub directory: PathBuf,
    /// What it lacks: publications, and the lists with them, or anything.
    pub lack: Lack,
    /// What is done with files of others.
    pub others: Others,
    /// How many pages are made at once.
    pub lanes: usize,
}

/// A page whose files are others than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its address below the site, with a `/` at the beginning.
    pub path: String,
    /// Its plain bytes and their digest; none if it was removed.
    pub written: Option<(u64, String)>,
    /// What a cache has it under: the publication, the article, or `lists` for what names them all.
    pub keys: Vec<String>,
    /// Its files that were written or removed, below the directory.
    pub files: Vec<String>,
}

impl Change {
    /// The change as an object.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "path": self.path,
            "action": if self.written.is_some() { "written" } else { "removed" },
            "bytes": self.written.as_ref().map(|(bytes, _)| bytes),
            "digest": self.written.as_ref().map(|(_, digest)| digest),
            "keys": self.keys,
            "files": self.files,
        })
    }
}

/// What an export did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The pages that it looked at.
    pub pages: usize,
    /// Those of them that changed.
    pub written: usize,
    /// Those that are no more.
    pub removed: usize,
    /// How long it took.
    pub took: Duration,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pages, written, removed, took } = self;
        let seconds = took.as_secs_f64();
        write!(f, "{written} of {pages} pages written, {removed} removed, in {seconds:.1} s")
    }
}

/// What has to be there before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Archives,
    Articles,
    Publications,
    Lists,
    Index,
}

fn step(page: &Page) -> Step {
    if page.is_archived() {
        return Step::Archives;
    }
    match page {
        Page::Atom(..) | Page::Json(..) | Page::Html(View::Publication(..), _) => {
            Step::Publications
        }
        Page::Html(View::Article(_), _) => Step::Articles,
        Page::Html(View::Index, _) => Step::Index,
        Page::Html(View::Sources | View::About, _)
        | Page::Style
        | Page::Icon
        | Page::Manifest
        | Page::Robots
        | Page::Sitemap
        | Page::Opml => Step::Lists,
    }
}

/// Brings a directory up to date; `tell` is given every page that changed, as soon as it has.
///
/// # Errors
/// The directory is refused or in use, the store does not answer, or something could not be
/// rendered or written. What could be is there, whole, and the next export does the rest.
pub async fn export<Told: Future<Output = ()>>(
    documents: &Documents,
    order: &Order,
    mut tell: impl FnMut(Change) -> Told,
) -> Result<Summary, ExportError> {
    let start = Instant::now();
    let mut run = Run::start(documents, order).await?;
    let mut pages = match &run.lack {
        Lack::Unknown => documents.pages().await?,
        Lack::Of(touched) => documents.pages_touched(touched).await?,
    };
    let wanted: BTreeSet<String> = pages.iter().map(Page::path).collect();
    if run.lack != Lack::Unknown {
        // What comes and changes does not change them; of articles it does those that stand on a
        // front. What is to be read after an older one is as it was at the last whole export.
        let newest = documents.newest().await?;
        pages.retain(|page| {
            let stays = match page {
                Page::Html(View::Article(id), _) => !newest.contains(id),
                page => page.is_archived(),
            };
            !stays || !run.has_written(&page.path())
        });
    }
    run.summary.pages = pages.len();
    run.claim(&pages, order.others).await?;
    let mut steps: Vec<(Step, Page)> = pages.into_iter().map(|page| (step(&page), page)).collect();
    steps.sort_by_key(|(step, _)| *step);
    let mut failures = Vec::new();
    for step in steps.chunk_by(|(one, _), (other, _)| one == other) {
        if failures.is_empty() {
            let pages = step.iter().map(|(_, page)| page.clone());
            run.write(documents, pages, order.lanes, &mut failures, &mut tell).await?;
        }
    }
    if failures.is_empty() {
        run.remove(&wanted, &mut failures, &mut tell).await?;
    }
    // What was written is known from now on, whatever failed beside it.
    let saved = run.save().await;
    if !failures.is_empty() {
        return Err(ExportError::Incomplete { failures });
    }
    saved?;
    run.summary.took = start.elapsed();
    Ok(run.summary)
}

/// An export under way.
struct Run {
    root: Arc<Root>,
    site: String,
    lack: Lack,
    manifest: Manifest,
    /// The manifest as it is on the disk.
    saved: Option<Manifest>,
    /// Pages in whose place lie files of others.
    taken: BTreeSet<String>,
    summary: Summary,
}

impl Run {
    async fn start(documents: &Documents, order: &Order) -> Result<Self, ExportError> {
        let (order, state, site) = (order.clone(), documents.state().to_owned(), documents.site());
        let opening = spawn_blocking(move || {
            let absent = if order.lack == Lack::Unknown { Absent::Make } else { Absent::Refuse };
            let (root, saved) = Root::open(&order.directory, absent, order.others, &state, &site)?;
            // Where nothing is known to be, everything lacks.
            let lack = if saved.is_some() { order.lack } else { Lack::Unknown };
            let manifest = saved.clone().unwrap_or_default();
            let (root, taken, summary) = (Arc::new(root), BTreeSet::new(), Summary::default());
            Ok(Self { root, site, lack, manifest, saved, taken, summary })
        });
        opening.await?
    }

    /// Whether an export wrote the page at a path.
    fn has_written(&self, path: &str) -> bool {
        self.manifest.pages.get(path).is_some_and(|entry| entry.written.is_some())
    }

    /// Writes down what is about to be written for the first time, before it is.
    async fn claim(&mut self, pages: &[Page], others: Others) -> Result<(), ExportError> {
        let is_new = |path: &String| !self.manifest.pages.contains_key(path);
        let new: Vec<String> = pages.iter().map(Page::path).filter(is_new).collect();
        if others == Others::Stay {
            let (root, new) = (Arc::clone(&self.root), new.clone());
            let looking = spawn_blocking(move || {
                let mut taken = BTreeSet::new();
                for path in new {
                    if is_taken(&root, &path)?.is_some() {
                        taken.insert(path);
                    }
                }
                Ok::<_, ExportError>(taken)
            });
            self.taken = looking.await??;
        }
        for path in new {
            if !self.taken.contains(&path) {
                self.manifest.pages.insert(path, Entry::default());
            }
        }
        self.save().await
    }

    /// Brings some pages up to date, several at once.
    async fn write<Told: Future<Output = ()>>(
        &mut self,
        documents: &Documents,
        pages: impl Iterator<Item = Page>,
        lanes: usize,
        failures: &mut Vec<ExportError>,
        tell: &mut impl FnMut(Change) -> Told,
    ) -> Result<(), ExportError> {
        let mut pages = pages.fuse();
        let mut under_way = JoinSet::new();
        let mut unsaved = 0;
        loop {
            while under_way.len() < lanes.max(1) && failures.len() < FAILURES_MAX {
                let Some(page) = pages.next() else { break };
                let path = page.path();
                if self.taken.contains(&path) {
                    failures.push(self.foreign(path).await);
                    continue;
                }
                let known = self.manifest.pages.get(&path).cloned().unwrap_or_default();
                under_way.spawn(one(documents.clone(), Arc::clone(&self.root), page, known));
            }
            let Some(ended) = under_way.join_next().await else { return Ok(()) };
            match ended.map_err(ExportError::from).flatten() {
                Ok((page, done)) => unsaved += self.note(&page, done, tell).await,
                Err(error) => failures.push(error),
            }
            if unsaved >= SAVED_EVERY {
                self.save().await?;
                unsaved = 0;
            }
        }
    }

    /// Reports a page if it changed, and remembers it; gives how many did.
    async fn note<Told: Future<Output = ()>>(
        &mut self,
        page: &Page,
        done: Done,
        tell: &mut impl FnMut(Change) -> Told,
    ) -> usize {
        let path = page.path();
        let key = key(page);
        let entry = self.manifest.pages.entry(path.clone()).or_default();
        let has_changed = !done.files.is_empty() || !entry.is(&done.written);
        if has_changed {
            let written = Some((done.written.bytes, done.written.digest.clone()));
            let keys = key.clone().into_iter().collect();
            tell(Change { path, written, keys, files: done.files }).await;
            self.summary.written += 1;
        }
        *entry = Entry { key, written: Some(done.written) };
        usize::from(has_changed)
    }

    /// Removes what exports wrote and nothing publishes any more.
    async fn remove<Told: Future<Output = ()>>(
        &mut self,
        wanted: &BTreeSet<String>,
        failures: &mut Vec<ExportError>,
        tell: &mut impl FnMut(Change) -> Told,
    ) -> Result<(), ExportError> {
        let touched: Option<BTreeSet<String>> = match &self.lack {
            Lack::Unknown => None,
            Lack::Of(selections) => Some(selections.iter().map(Selection::path).collect()),
        };
        let is_over = |path: &str, entry: &Entry| {
            let is_touched = |touched: &BTreeSet<String>| {
                // Of articles every one that there is, is wanted.
                entry
                    .key
                    .as_ref()
                    .is_some_and(|key| touched.contains(key) || key.starts_with(ARTICLES))
            };
            let looked_at = touched.as_ref().is_none_or(is_touched);
            looked_at && !wanted.contains(path)
        };
        let pages = self.manifest.pages.iter();
        let over: Vec<String> =
            pages.filter(|(path, e)| is_over(path, e)).map(|(path, _)| path.clone()).collect();
        for path in over {
            let (root, at) = (Arc::clone(&self.root), path.clone());
            match spawn_blocking(move || remove(&root, &at)).await? {
                Ok(files) => {
                    let entry = self.manifest.pages.get(&path).cloned().unwrap_or_default();
                    if entry.written.is_some() || !files.is_empty() {
                        let keys = entry.key.into_iter().collect();
                        tell(Change { path: path.clone(), written: None, keys, files }).await;
                        self.summary.removed += 1;
                    }
                    self.manifest.pages.remove(&path);
                }
                Err(error) => failures.push(error),
            }
            if failures.len() >= FAILURES_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Writes the manifest if it is another than the one on the disk.
    async fn save(&mut self) -> Result<(), ExportError> {
        if self.saved.as_ref() == Some(&self.manifest) {
            return Ok(());
        }
        let (root, manifest, site) =
            (Arc::clone(&self.root), self.manifest.clone(), self.site.clone());
        let saving = spawn_blocking(move || {
            manifest.write(root.folder(), &site)?;
            Ok::<_, ExportError>(manifest)
        });
        self.saved = Some(saving.await??);
        Ok(())
    }

    async fn foreign(&self, path: String) -> ExportError {
        let root = Arc::clone(&self.root);
        let looked = spawn_blocking(move || {
            let taken = is_taken(&root, &path)?;
            let below = taken.unwrap_or_else(|| path.trim_start_matches('/').to_owned());
            Ok(ExportError::Foreign { path: root.folder().path().join(below) })
        });
        looked.await.map_err(ExportError::from).flatten().unwrap_or_else(|error| error)
    }
}

/// Renders a page and brings its files up to date.
async fn one(
    documents: Documents,
    root: Arc<Root>,
    page: Page,
    known: Entry,
) -> Result<(Page, Done), ExportError> {
    let path = page.path();
    let rendered = match documents.fresh(&page).await {
        Ok(rendered) => rendered,
        Err(error) => return Err(ExportError::Document { path, error }),
    };
    let putting = spawn_blocking(move || put(&root, &path, &rendered, known.written.as_ref()));
    Ok((page, putting.await??))
}

/// What a cache has a page under.
fn key(page: &Page) -> Option<String> {
    match page {
        Page::Html(View::Index | View::Sources, _) | Page::Opml | Page::Sitemap => {
            Some("lists".to_owned())
        }
        Page::Html(view @ View::Article(_), _) => Some(view.path()),
        page => page.selection().map(Selection::path),
    }
}
