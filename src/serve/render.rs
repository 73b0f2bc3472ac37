//! How a document is made: what it shows is read from the store, and written by `publish`.
//!
//! Before a front is shown, pages of its archive are closed for what it has too much: not when
//! articles come, so that a publication that nobody reads costs nothing.

use crate::config::Config;
use crate::model::article::Article;
use crate::model::front::Closing;
use crate::model::front::Front;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::publication::Site;
use crate::publish::Masthead;
use crate::publish::atom::atom;
use crate::publish::front::Sizes;
use crate::publish::front::Story;
use crate::publish::front::closing;
use crate::publish::front::page as stories_of_page;
use crate::publish::front::stories;
use crate::publish::front::uniting;
use crate::publish::html::about::about;
use crate::publish::html::article::article;
use crate::publish::html::files::icon;
use crate::publish::html::files::manifest;
use crate::publish::html::files::robots;
use crate::publish::html::files::sitemap;
use crate::publish::html::files::style;
use crate::publish::html::index::index;
use crate::publish::html::language::Language;
use crate::publish::html::publication::publication;
use crate::publish::html::sources::sources;
use crate::publish::json::json;
use crate::publish::opml::opml;
use crate::publish::sheet::Sheet;
use crate::serve::delta::Versions;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use crate::serve::documents::imprint::apart;
use crate::serve::documents::imprint::masthead;
use crate::serve::view::View;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use tokio::task::spawn_blocking;
use tracing::warn;

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
            Page::Style => Ok(self.of_site(style)),
            Page::Icon => Ok(self.of_site(icon)),
            Page::Manifest => Ok(self.of_site(manifest)),
            Page::Robots => Ok(self.of_site(robots)),
            Page::Sitemap => self.list(sitemap).await,
            Page::Opml => self.list(opml).await,
            Page::Html(view, language) => {
                self.html(view, language.unwrap_or_else(|| self.language())).await
            }
            Page::Atom(selection, None) => self.front(selection, atom).await,
            Page::Json(selection, None) => self.front(selection, json).await,
            Page::Atom(selection, Some(number)) => self.archived(selection, *number, atom).await,
            Page::Json(selection, Some(number)) => self.archived(selection, *number, json).await,
        }
    }

    fn of_site(&self, write: fn(&Site) -> Vec<u8>) -> Rendered {
        Rendered::new(write(&self.config().site), None)
    }

    /// A page for people. It is told from another by its digest only: what it shows beside articles
    /// has no time of its own.
    async fn html(&self, view: &View, language: Language) -> Result<Rendered, DocumentError> {
        let config = self.config();
        let making = match view {
            View::Index => {
                let shelves = self.store().shelves().await?;
                spawn_blocking(move || index(masthead(&config), language, &shelves))
            }
            View::About => spawn_blocking(move || about(masthead(&config), language)),
            View::Sources => {
                let shelves = self.store().shelves().await?;
                let healths = self.healths(&config.feeds.values().collect::<Vec<_>>()).await?;
                spawn_blocking(move || sources(masthead(&config), language, &shelves, &healths))
            }
            View::Article(id) => {
                let shown = self.store().surroundings(*id).await?;
                let shown = shown.ok_or(DocumentError::Missing)?;
                spawn_blocking(move || {
                    article(masthead(&config), language, &apart(&config), &shown)
                })
            }
            View::Publication(selection, number) => {
                let shown = self.shown(selection, *number).await?;
                let shelves = self.store().shelves().await?;
                let feed = match (selection, number) {
                    (Selection::Source(id), None) => config.feeds.get(id),
                    _ => None,
                };
                let health = match feed {
                    Some(feed) => self.healths(&[feed]).await?.into_values().next(),
                    None => None,
                };
                spawn_blocking(move || {
                    let masthead = masthead(&config);
                    publication(masthead, language, &shelves, &shown.sheet(), health.as_ref())
                })
            }
        };
        Ok(Rendered::new(making.await?, None))
    }

    /// What a page for people shows of a publication.
    async fn shown(
        &self,
        selection: &Selection,
        number: Option<u64>,
    ) -> Result<Shown, DocumentError> {
        let selection = selection.clone();
        let Some(number) = number else {
            let front = self.front_of(&selection).await?;
            let config = self.config();
            let making = spawn_blocking(move || {
                let previous = front.newest_page;
                let stories = shown(&config, &selection, front).into_iter();
                let articles = stories.map(|story| story.article).collect();
                Shown { selection, number: None, previous, articles }
            });
            return Ok(making.await?);
        };
        let page = self.store().page(&selection, number).await?;
        let page = page.ok_or(DocumentError::Missing)?;
        let articles = stories_of_page(page.stories);
        Ok(Shown { selection, number: Some(number), previous: page.previous, articles })
    }

    async fn list(
        &self,
        write: fn(Masthead<'_>, &Shelves) -> Vec<u8>,
    ) -> Result<Rendered, DocumentError> {
        let imprint = self.imprint();
        let shelves = self.store().shelves().await?;
        // They change with feeds.toml too.
        let changed = shelves.values().map(|shelf| shelf.changed).max();
        let modified = changed.unwrap_or(DateTime::UNIX_EPOCH).max(imprint.since);
        let made = spawn_blocking(move || write(imprint.masthead(), &shelves)).await?;
        Ok(Rendered::new(made, Some(modified)))
    }

    async fn front(&self, selection: &Selection, write: Write) -> Result<Rendered, DocumentError> {
        let front = self.front_of(selection).await?;
        let (imprint, selection) = (self.imprint(), selection.clone());
        let making = spawn_blocking(move || {
            let (previous, removed) = (front.newest_page, front.removed.clone());
            let departed = front.departed;
            let never = imprint.config.site.tagging.start();
            let modified = front.shelf.map_or(never, |shelf| shelf.changed);
            let stories = shown(&imprint.config, &selection, front);
            let changed: Vec<DateTime<Utc>> = stories.iter().map(|story| story.changed).collect();
            let articles: Vec<_> = stories.into_iter().map(|story| story.article).collect();
            let sheet = Sheet {
                selection: &selection,
                number: None,
                previous,
                articles: &articles,
                removed: &removed,
            };
            let bytes = write(imprint.masthead(), &sheet);
            if matches!(selection, Selection::Mixed(..)) {
                // The clocks of its parts do not go alike: only the bytes tell what is new.
                return Rendered::new(bytes, None);
            }
            let versions = Versions::of(&bytes, &changed, (modified, departed), imprint.edition);
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

    /// The front of a publication, its archive closed before. One that is mixed is made of the fronts
    /// of its parts, and has no archive.
    async fn front_of(&self, selection: &Selection) -> Result<Front, DocumentError> {
        let sizes = self.sizes();
        let most = sizes.crowded() + sizes.page;
        if !matches!(selection, Selection::Mixed(..)) {
            self.trim(selection).await?;
            return Ok(self.store().front(selection, most).await?);
        }
        let mut fronts = Vec::new();
        for part in selection.parts() {
            fronts.push(self.store().front(&part, most).await?);
        }
        Ok(Front::mixed(fronts, most))
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

/// What a page for people shows of a publication.
struct Shown {
    selection: Selection,
    number: Option<u64>,
    previous: Option<u64>,
    articles: Vec<Article>,
}

impl Shown {
    fn sheet(&self) -> Sheet<'_> {
        Sheet {
            selection: &self.selection,
            number: self.number,
            previous: self.previous,
            articles: &self.articles,
            removed: &[],
        }
    }
}

/// The stories of a front, none with an id in Atom that another has.
fn shown(config: &Config, selection: &Selection, front: Front) -> Vec<Story> {
    let mut stories = stories(front, uniting(selection, &apart(config)));
    let mut seen = BTreeSet::new();
    stories.retain(|story| seen.insert(story.article.iri.clone()));
    if matches!(selection, Selection::Mixed(..)) {
        // Each of its parts gave as many as that.
        stories.truncate(Sizes::of(config.publishing.entries).closing());
    }
    stories
}
