//! How a document is made: what it shows is read from the store, and written by `publish`.
//!
//! Before a front is shown, pages of its archive are closed for what it has too much: not when
//! articles come, so that a publication that nobody reads costs nothing.

use crate::config::Config;
use crate::model::front::Closing;
use crate::model::front::Front;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::atom::atom;
use crate::publish::front::Sizes;
use crate::publish::front::Story;
use crate::publish::front::closing;
use crate::publish::front::page as stories_of_page;
use crate::publish::front::stories;
use crate::publish::front::uniting;
use crate::publish::index::STYLE;
use crate::publish::index::index;
use crate::publish::json::json;
use crate::publish::opml::opml;
use crate::publish::sheet::Sheet;
use crate::serve::delta::Versions;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use crate::serve::documents::apart;
use crate::serve::documents::masthead;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use tokio::task::spawn_blocking;
use tracing::warn;

const ROBOTS: &str = "User-agent: *\nAllow: /\n";
/// How many articles at the end of a front are looked at in one go.
const REAR_MAX: usize = 1_000;
/// After so many rounds in which nothing could be closed the front is shown as it is.
const IDLE_ROUNDS_MAX: u32 = 3;
/// How far what stands on a front is counted.
const COUNTED_MAX: usize = 4_000;

type Shelves = BTreeMap<Selection, Shelf>;
type Write = fn(Masthead<'_>, &Sheet<'_>) -> Vec<u8>;

impl Documents {
    /// Makes a document.
    pub(super) async fn render(&self, page: &Page) -> Result<Rendered, DocumentError> {
        match page {
            Page::Style => Ok(Rendered::new(STYLE.into(), None)),
            Page::Robots => Ok(Rendered::new(ROBOTS.into(), None)),
            Page::Index => self.list(index).await,
            Page::Opml => self.list(opml).await,
            Page::Atom(selection, None) => self.front(selection, atom).await,
            Page::Json(selection, None) => self.front(selection, json).await,
            Page::Atom(selection, Some(number)) => self.archived(selection, *number, atom).await,
            Page::Json(selection, Some(number)) => self.archived(selection, *number, json).await,
        }
    }

    async fn list(
        &self,
        write: fn(Masthead<'_>, &Shelves) -> Vec<u8>,
    ) -> Result<Rendered, DocumentError> {
        let config = self.config();
        let shelves = self.store().shelves().await?;
        // They change with feeds.toml too, which is read at the start.
        let changed = shelves.values().map(|shelf| shelf.changed).max();
        let modified = changed.unwrap_or(DateTime::UNIX_EPOCH).max(self.started());
        let made = spawn_blocking(move || write(masthead(&config), &shelves)).await?;
        Ok(Rendered::new(made, Some(modified)))
    }

    async fn front(&self, selection: &Selection, write: Write) -> Result<Rendered, DocumentError> {
        self.trim(selection).await?;
        let sizes = self.sizes();
        let front = self.store().front(selection, sizes.crowded() + sizes.page).await?;
        let (config, selection) = (self.config(), selection.clone());
        let edition = self.edition();
        let making = spawn_blocking(move || {
            let (previous, removed) = (front.newest_page, front.removed.clone());
            let departed = front.departed;
            let never = config.site.tagging.start();
            let modified = front.shelf.map_or(never, |shelf| shelf.changed);
            let stories = shown(&config, &selection, front);
            let changed: Vec<DateTime<Utc>> = stories.iter().map(|story| story.changed).collect();
            let articles: Vec<_> = stories.into_iter().map(|story| story.article).collect();
            let sheet = Sheet {
                selection: &selection,
                number: None,
                previous,
                articles: &articles,
                removed: &removed,
            };
            let bytes = write(masthead(&config), &sheet);
            let versions = Versions::of(&bytes, &changed, (modified, departed), edition);
            Rendered::of_versions(bytes, modified, versions)
        });
        Ok(making.await?)
    }

    async fn archived(
        &self,
        selection: &Selection,
        number: u64,
        write: Write,
    ) -> Result<Rendered, DocumentError> {
        let page = self.store().page(selection, number).await?;
        let page = page.ok_or(DocumentError::Missing)?;
        let (config, selection) = (self.config(), selection.clone());
        let removed = page.removed.iter().map(|removed| removed.at).max();
        let modified = removed.unwrap_or(page.closed).max(page.closed);
        let making = spawn_blocking(move || {
            let sheet = Sheet {
                selection: &selection,
                number: Some(number),
                previous: page.previous,
                articles: &stories_of_page(page.stories),
                removed: &page.removed,
            };
            write(masthead(&config), &sheet)
        });
        Ok(Rendered::new(making.await?, Some(modified)))
    }

    fn sizes(&self) -> Sizes {
        Sizes::of(self.config().publishing.entries)
    }

    /// Puts what the front of a publication has too much on pages.
    pub(super) async fn trim(&self, selection: &Selection) -> Result<(), DocumentError> {
        let sizes = self.sizes();
        let mut failures = 0;
        while failures < IDLE_ROUNDS_MAX {
            // Where there is nothing to close, nothing but keys is read.
            let rear = self.store().rear(selection, sizes.closing(), REAR_MAX, COUNTED_MAX).await?;
            if rear.standing.is_empty() {
                break;
            }
            let (config, of, last) = (self.config(), selection.clone(), rear.last_number);
            let plan = move || closing(&rear, sizes, uniting(&of, &apart(&config)));
            let closing = spawn_blocking(plan).await?;
            if closing == Closing::default() {
                break;
            }
            match self.store().close_pages(selection, last, closing, Utc::now()).await {
                // Another rendering closed them, or there was nothing to close.
                Ok(0) => failures += 1,
                Ok(_) => {}
                Err(error) => {
                    // What does not fit is missing until the store can be written again.
                    let selection = selection.path();
                    warn!(selection, %error, "no archive page is closed: {error}");
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The stories of a front, none with an id in Atom that another has.
fn shown(config: &Config, selection: &Selection, front: Front) -> Vec<Story> {
    let mut stories = stories(front, uniting(selection, &apart(config)));
    let mut seen = BTreeSet::new();
    stories.retain(|story| seen.insert(story.article.iri.clone()));
    stories
}
