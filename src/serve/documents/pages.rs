//! Which pages there are, and where: for whoever takes them all, as an export does.
//!
//! A request names one page, and any publication that the site knows is answered, be it empty.
//! A list of all pages has to end somewhere: of the 1,772 communities and of the crossings of a
//! region with a tag it holds those that hold or once held an article, and of everything else all
//! that there is, so that whoever subscribes to a region before its first news finds a document.

use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::html::language::LANGUAGES;
use crate::publish::html::language::Language;
use crate::publish::sheet::path;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use crate::serve::stale::Stale;
use crate::serve::view::View;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// What is there whatever is published.
const LISTS: [Page; 6] =
    [Page::Style, Page::Icon, Page::Manifest, Page::Robots, Page::Sitemap, Page::Opml];
/// How many articles of a front are looked at: more than a front has.
const NEWEST_MAX: usize = 2_000;
/// The pages of the whole site, the one that leads to all others last.
const VIEWS: [View; 3] = [View::About, View::Sources, View::Index];
/// The languages of addresses: each has its own, and one is everybody's.
const SPOKEN: [Option<Language>; 3] = [Some(Language::Ukrainian), Some(Language::English), None];

impl Page {
    /// Its address below the site, with a `/` at the beginning; [`Documents::at`] finds it there.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Html(view, None) => format!("/{}", view.path()),
            Self::Html(view, Some(language)) => format!("/{}/{}", language.code(), view.path()),
            Self::Style => "/style.css".to_owned(),
            Self::Icon => "/favicon.svg".to_owned(),
            Self::Manifest => "/manifest.webmanifest".to_owned(),
            Self::Sitemap => "/sitemap.xml".to_owned(),
            Self::Robots => "/robots.txt".to_owned(),
            Self::Opml => "/feeds.opml".to_owned(),
            Self::Atom(selection, number) => format!("/{}.atom", path(selection, *number)),
            Self::Json(selection, number) => format!("/{}.json", path(selection, *number)),
        }
    }

    /// The publication that it is of; none if it is of the whole site.
    #[must_use]
    pub fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Atom(selection, _)
            | Self::Json(selection, _)
            | Self::Html(View::Publication(selection, _), _) => Some(selection),
            _ => None,
        }
    }

    /// Whether it is a page of an archive: it changes only when an article is taken down.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        matches!(
            self,
            Self::Atom(_, Some(_))
                | Self::Json(_, Some(_))
                | Self::Html(View::Publication(_, Some(_)), _)
        )
    }
}

impl Documents {
    /// Every page that there is, the lists last.
    ///
    /// # Errors
    /// The store does not say what it holds.
    pub async fn pages(&self) -> Result<Vec<Page>, DocumentError> {
        let shelves = self.inner.store.shelves().await?;
        self.pages_of(self.published(&shelves)).await
    }

    /// Those of them that may be others once these publications were touched: their own, those of
    /// articles, and the lists.
    ///
    /// # Errors
    /// As [`Documents::pages`].
    pub async fn pages_touched(
        &self,
        touched: &BTreeSet<Selection>,
    ) -> Result<Vec<Page>, DocumentError> {
        let shelves = self.inner.store.shelves().await?;
        let published = self.published(&shelves);
        self.pages_of(published.intersection(touched).cloned().collect()).await
    }

    /// The pages of some publications, and the lists. Pages that can be closed are closed before,
    /// so that no front leads to one that is not among them.
    async fn pages_of(&self, published: BTreeSet<Selection>) -> Result<Vec<Page>, DocumentError> {
        let mut pages = Vec::new();
        for selection in published {
            self.trim(&selection).await?;
            let numbers = self.store().page_numbers(&selection).await?;
            for number in numbers.into_iter().map(Some).chain([None]) {
                pages.push(Page::Atom(selection.clone(), number));
                pages.push(Page::Json(selection.clone(), number));
                // What is at everybody's own address is at another too: once is enough of pages of
                // which there are many.
                let spoken = SPOKEN.into_iter().filter(|s| number.is_none() || s.is_some());
                let view = View::Publication(selection.clone(), number);
                pages.extend(spoken.map(|language| Page::Html(view.clone(), language)));
            }
        }
        for id in self.store().ids().await? {
            let article = |language| Page::Html(View::Article(id), Some(language));
            pages.extend(LANGUAGES.map(article));
        }
        pages.extend(LISTS);
        for view in VIEWS {
            pages.extend(SPOKEN.map(|language| Page::Html(view.clone(), language)));
        }
        Ok(pages)
    }

    /// The articles that are on the front of everything: those that came or were edited last.
    ///
    /// # Errors
    /// As [`Documents::pages`].
    pub async fn newest(&self) -> Result<BTreeSet<ArticleId>, DocumentError> {
        let front = self.store().front(&Selection::All, NEWEST_MAX).await?;
        Ok(front.standing.iter().map(|standing| standing.article.id).collect())
    }

    /// A document as it is now, past what is kept: who takes every document once would else push
    /// out what readers ask for, and would not learn that he was given an old one.
    ///
    /// # Errors
    /// It cannot be rendered.
    pub async fn fresh(&self, page: &Page) -> Result<Rendered, DocumentError> {
        self.render(page).await
    }

    /// What was touched and nobody has taken yet.
    #[must_use]
    pub fn stale(&self) -> &Stale {
        &self.inner.stale
    }

    /// Whether there was such a page, and what it showed is kept no longer. If the store does not
    /// say, there was none.
    pub async fn had(&self, page: &Page) -> bool {
        let had = match page {
            Page::Html(View::Article(id), _) => {
                self.inner.store.dropped(*id).await.map(|dropped| dropped.is_some())
            }
            Page::Html(View::Publication(selection, Some(number)), _)
            | Page::Atom(selection, Some(number))
            | Page::Json(selection, Some(number)) => {
                self.inner.store.had_page(selection, *number).await
            }
            _ => Ok(false),
        };
        had.unwrap_or(false)
    }

    /// Where the store is that they are made from.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.inner.store.directory()
    }

    /// Whose documents they are: what never changes about the site.
    #[must_use]
    pub fn site(&self) -> String {
        let imprint = self.imprint();
        let tagging = &imprint.config.site.tagging;
        format!("{},{}", tagging.authority, tagging.since)
    }

    fn published(&self, shelves: &BTreeMap<Selection, Shelf>) -> BTreeSet<Selection> {
        let mut all = self.imprint().masthead().selections();
        all.retain(|selection| {
            let many = matches!(selection, Selection::Community(_) | Selection::RegionTag(..));
            !many || shelves.contains_key(selection)
        });
        all
    }
}
