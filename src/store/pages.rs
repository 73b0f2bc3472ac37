//! The front of a selection, and the pages of its archive: read, and closed.
//!
//! A page keeps which articles it shows, with their labels, and what readers saw of each by its
//! digest. As long as the article is the same it is read from its own place; else from the version
//! that was kept when it changed.

use crate::model::article::Article;
use crate::model::article::Labels;
use crate::model::front::ArchivePage;
use crate::model::front::Closing;
use crate::model::front::Front;
use crate::model::front::REMOVALS_MAX;
use crate::model::front::Rear;
use crate::model::front::Removed;
use crate::model::front::Standing;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::publication::Selection;
use crate::store::archive::Archive;
use crate::store::archive::bad;
use crate::store::engine::Batch;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::InstantRecord;
use crate::store::records::front::CopyRecord;
use crate::store::records::front::MemberRecord;
use crate::store::records::front::OpenRecord;
use crate::store::records::front::PageRecord;
use crate::store::records::front::bare;
use crate::store::records::front::content_of;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;
use tracing::error;

/// The stories of how many pages copies are looked for in.
const PAGES_BEFORE: usize = 6;

/// The number of a page, and its stories.
type NumberedPage = (u64, Vec<Vec<CopyRecord>>);

impl Archive {
    /// The front of a selection: at most so many articles, the last come first.
    pub(crate) fn front(&self, selection: &Selection, most: usize) -> Result<Front, StoreError> {
        let open = self.scan(Space::Open, &keys::open_of(selection), most)?;
        let standing = self.standing(selection, &open)?;
        let pages = self.newest_pages(selection)?;
        Ok(Front {
            shelf: self.shelf(selection)?,
            newest_page: pages.first().map(|(number, _)| *number),
            before: self.before(pages, &standing)?,
            removed: self.removed(selection)?,
            departed: self.departed(selection)?,
            standing,
        })
    }

    fn departed(&self, selection: &Selection) -> Result<Option<DateTime<Utc>>, StoreError> {
        let key = keys::departed(selection);
        let Some(value) = self.engine.get(&key)? else { return Ok(None) };
        let record: InstantRecord = self.record(Space::Departed, &key, &value)?;
        self.instant(record).map(Some)
    }

    /// The articles that stand at some keys of a front.
    fn standing(&self, selection: &Selection, open: &[Pair]) -> Result<Vec<Standing>, StoreError> {
        let mut standing = Vec::new();
        for (key, value) in open {
            let OpenRecord { changed, edited } = match self.record(Space::Open, key, value) {
                Err(error @ StoreError::Value { .. }) => {
                    error!(%error, "an article is left out: {error}");
                    continue;
                }
                record => record?,
            };
            let changed = self.instant(changed)?;
            let Some(article) = self.named_by(selection, key)? else { continue };
            let companions = match edited {
                Some(page) => self.companions(selection, page, article.id)?,
                None => Vec::new(),
            };
            standing.push(Standing { article, changed, companions });
        }
        Ok(standing)
    }

    /// What else the story on a page is made of that an article was part of.
    fn companions(
        &self,
        selection: &Selection,
        page: u64,
        id: ArticleId,
    ) -> Result<Vec<Article>, StoreError> {
        let stories = self.stories_at(&keys::page(selection, page))?;
        let story = stories.into_iter().find(|story| story.iter().any(|copy| copy.id == id.0.0));
        let mut companions = Vec::new();
        for copy in story.into_iter().flatten().filter(|copy| copy.id != id.0.0) {
            companions.extend(self.copy(copy)?);
        }
        Ok(companions)
    }

    /// The end of a front: at most so many articles, the oldest first, and how many there are, as
    /// far as `count`. No article if there are fewer than `least`.
    pub(crate) fn rear(
        &self,
        selection: &Selection,
        least: usize,
        most: usize,
        count: usize,
    ) -> Result<Rear, StoreError> {
        let prefix = keys::open_of(selection);
        let open = self.engine.scan(&prefix, None, Order::Reverse, count)?;
        if open.len() < least {
            return Ok(Rear { count: open.len(), ..Rear::default() });
        }
        let standing = self.standing(selection, &open[..most.min(open.len())])?;
        Ok(Rear {
            count: open.len(),
            last_number: self.last_number(selection)?,
            before: self.before(self.newest_pages(selection)?, &standing)?,
            standing,
        })
    }

    /// Closes pages of what stands on a front, unless others were closed after `last_number`.
    /// What does not stand there any more is left out. Gives how much has left the front.
    pub(crate) fn close_pages(
        &mut self,
        selection: &Selection,
        last_number: u64,
        closing: &Closing,
        at: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        if self.last_number(selection)? != last_number {
            return Ok(0);
        }
        let mut left = 0;
        let mut batch = Batch::new();
        let mut number = last_number;
        let mut previous = self.newest_pages(selection)?.first().map(|(number, _)| *number);
        for page in &closing.pages {
            let mut stories = Vec::new();
            for story in page {
                let mut copies = Vec::new();
                let mut is_new = false;
                for id in story {
                    let is_closed = self.close(&mut batch, selection, *id, number + 1)?;
                    is_new |= is_closed;
                    left += usize::from(is_closed);
                    let copy = self.copy_of(selection, *id)?;
                    copies.extend(copy.map(|copy| CopyRecord { is_companion: !is_closed, ..copy }));
                }
                if is_new {
                    stories.push(copies);
                }
            }
            if stories.is_empty() {
                continue;
            }
            number += 1;
            let record = PageRecord::Page { previous, closed: at.into(), stories };
            self.put(&mut batch, Space::Page, keys::page(selection, number), &record)?;
            previous = Some(number);
        }
        for (id, shown) in &closing.hidden {
            if self.close(&mut batch, selection, *id, number)? {
                left += 1;
                batch.insert(keys::behind(selection, *shown, *id), Some(Vec::new()));
            }
        }
        self.engine.commit(batch)?;
        self.engine.sync()?;
        Ok(left)
    }

    /// Takes an article from the front to a page. Whether it stood there.
    fn close(
        &self,
        batch: &mut Batch,
        selection: &Selection,
        id: ArticleId,
        page: u64,
    ) -> Result<bool, StoreError> {
        let Some(article) = self.article(id)? else { return Ok(false) };
        let member = keys::member(selection, &article);
        let Some(MemberRecord::Open { standing, .. }) = self.place_of(&member)? else {
            return Ok(false);
        };
        let content = self.content(&article)?;
        batch.insert(keys::open(selection, self.instant(standing)?, id), None);
        let version = keys::version(id, content);
        if self.engine.get(&version)?.is_none() {
            batch.insert(version, Some(Vec::new()));
        }
        let place = MemberRecord::Closed { page, content: content.0 };
        self.put(batch, Space::Member, member, &place)?;
        Ok(true)
    }

    /// A member of a selection as it is now, as pages keep it.
    fn copy_of(
        &self,
        selection: &Selection,
        id: ArticleId,
    ) -> Result<Option<CopyRecord>, StoreError> {
        let Some(article) = self.article(id)? else { return Ok(None) };
        if self.place_of(&keys::member(selection, &article))?.is_none() {
            return Ok(None);
        }
        let content = self.content(&article)?.0;
        let labels = bare(&article.labels);
        Ok(Some(CopyRecord { id: id.0.0, content, labels, is_companion: false }))
    }

    /// A page of the archive of a selection.
    pub(crate) fn page(
        &self,
        selection: &Selection,
        number: u64,
    ) -> Result<Option<ArchivePage>, StoreError> {
        let key = keys::page(selection, number);
        let Some(value) = self.engine.get(&key)? else { return Ok(None) };
        let PageRecord::Page { previous, closed, stories } =
            self.record(Space::Page, &key, &value)?
        else {
            return Ok(None);
        };
        let mut page = ArchivePage {
            number,
            previous: self.page_before(selection, previous)?,
            closed: self.instant(closed)?,
            stories: Vec::new(),
            removed: Vec::new(),
        };
        for story in stories {
            let mut copies = Vec::new();
            let mut is_own = false;
            for copy in story {
                let (id, is_companion) = (ArticleId(Digest(copy.id)), copy.is_companion);
                match self.copy(copy)? {
                    Some(article) => {
                        is_own |= !is_companion;
                        copies.push(article);
                    }
                    None => page.removed.extend(self.removed_article(id)?),
                }
            }
            // What is left of a story may be on its own page alone.
            if is_own {
                page.stories.push(copies);
            }
        }
        Ok(Some(page))
    }

    /// The numbers of the pages of a selection's archive.
    pub(crate) fn page_numbers(&self, selection: &Selection) -> Result<Vec<u64>, StoreError> {
        let pages = self.scan(Space::Page, &keys::pages_of(selection), usize::MAX)?;
        let mut numbers = Vec::new();
        for (key, value) in pages {
            if let PageRecord::Page { .. } = self.record(Space::Page, &key, &value)? {
                numbers.extend(keys::number_of(&key));
            }
        }
        Ok(numbers)
    }

    /// Whether the archive of a selection has a page, or begins anew at this number.
    pub(crate) fn has_page(&self, selection: &Selection, number: u64) -> Result<bool, StoreError> {
        Ok(self.engine.get(&keys::page(selection, number))?.is_some())
    }

    /// Adds to a batch that the archive of a selection begins anew, if there is one.
    pub(crate) fn cut(&self, batch: &mut Batch, selection: &Selection) -> Result<(), StoreError> {
        match self.last_number(selection)? {
            0 => Ok(()),
            last => {
                let key = keys::page(selection, last + 1);
                self.put(batch, Space::Page, key, &PageRecord::Cut)
            }
        }
    }

    /// The article as a page shows it; none if it was taken away, is kept out of publications, or
    /// does not read, which is told.
    fn copy(&self, copy: CopyRecord) -> Result<Option<Article>, StoreError> {
        let id = ArticleId(Digest(copy.id));
        match self.shown(id, copy) {
            Err(error @ StoreError::Value { .. }) => {
                error!(article = %id, %error, "article {id} is left out: {error}");
                Ok(None)
            }
            shown => shown,
        }
    }

    fn shown(&self, id: ArticleId, copy: CopyRecord) -> Result<Option<Article>, StoreError> {
        let Some(now) = self.article(id)? else { return Ok(None) };
        if now.labels.excluded_by.is_some() {
            return Ok(None);
        }
        let labels = Labels::try_from(copy.labels)
            .map_err(|reason| bad(&self.engine, Space::Page, &keys::place(id), &reason))?;
        let content = Digest(copy.content);
        let shown = if self.content(&now)? == content { None } else { self.version(id, content)? };
        Ok(Some(Article { labels, ..shown.unwrap_or(now) }))
    }

    /// The digest of what readers see of an article.
    pub(crate) fn content(&self, article: &Article) -> Result<Digest, StoreError> {
        let key = keys::article(article.first_seen, article.id);
        content_of(article).map_err(|reason| bad(&self.engine, Space::Article, &key, &reason))
    }

    fn version(&self, id: ArticleId, content: Digest) -> Result<Option<Article>, StoreError> {
        let key = keys::version(id, content);
        let value = self.engine.get(&key)?.filter(|value| !value.is_empty());
        value.map(|value| self.read_article(&key, &value)).transpose()
    }

    /// Keeps what readers saw of an article that changes, if a page shows it.
    pub(crate) fn keep_version(
        &self,
        batch: &mut Batch,
        article: &Article,
        content: Digest,
    ) -> Result<(), StoreError> {
        let key = keys::version(article.id, content);
        if self.engine.get(&key)?.is_none_or(|value| !value.is_empty()) {
            return Ok(());
        }
        let bare = Article { labels: Labels::default(), ..article.clone() };
        self.put_article_at(batch, Space::Version, key, &bare)
    }

    /// The stories of the newest pages since the archive last began anew, the newest first.
    fn newest_pages(&self, selection: &Selection) -> Result<Vec<NumberedPage>, StoreError> {
        let prefix = keys::pages_of(selection);
        let pages = self.engine.scan(&prefix, None, Order::Reverse, PAGES_BEFORE)?;
        let mut newest = Vec::new();
        for (key, value) in pages {
            let PageRecord::Page { stories, .. } = self.record(Space::Page, &key, &value)? else {
                break;
            };
            newest.extend(keys::number_of(&key).map(|number| (number, stories)));
        }
        Ok(newest)
    }

    /// What the stories of pages are made of, but for those of which an article stands on the
    /// front again.
    fn before(
        &self,
        pages: Vec<NumberedPage>,
        standing: &[Standing],
    ) -> Result<Vec<Article>, StoreError> {
        let stands: BTreeSet<[u8; 16]> =
            standing.iter().map(|standing| standing.article.id.0.0).collect();
        let mut before = Vec::new();
        for story in pages.into_iter().flat_map(|(_, stories)| stories) {
            if !story.iter().any(|copy| stands.contains(&copy.id)) {
                for copy in story {
                    before.extend(self.copy(copy)?);
                }
            }
        }
        Ok(before)
    }

    fn stories_at(&self, page: &[u8]) -> Result<Vec<Vec<CopyRecord>>, StoreError> {
        let Some(value) = self.engine.get(page)? else { return Ok(Vec::new()) };
        Ok(match self.record(Space::Page, page, &value)? {
            PageRecord::Page { stories, .. } => stories,
            PageRecord::Cut => Vec::new(),
        })
    }

    /// The page that one leads to: that which was before it, or the next one that is still there.
    fn page_before(
        &self,
        selection: &Selection,
        previous: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        let Some(previous) = previous else { return Ok(None) };
        let after = keys::page(selection, previous.saturating_add(1));
        let pages = keys::pages_of(selection);
        let before = self.engine.scan(&pages, Some(&after), Order::Reverse, 1)?;
        let Some((key, value)) = before.first() else { return Ok(None) };
        Ok(match self.record(Space::Page, key, value)? {
            PageRecord::Page { .. } => keys::number_of(key),
            PageRecord::Cut => None,
        })
    }

    /// The number that the last page of a selection's archive has or had.
    pub(crate) fn last_number(&self, selection: &Selection) -> Result<u64, StoreError> {
        let last = self.engine.scan(&keys::pages_of(selection), None, Order::Reverse, 1)?;
        Ok(last.first().and_then(|(key, _)| keys::number_of(key)).unwrap_or(0))
    }

    /// What was taken away from a selection last, the last first.
    fn removed(&self, selection: &Selection) -> Result<Vec<Removed>, StoreError> {
        let gone = self.scan(Space::Gone, &keys::gone_of(selection), REMOVALS_MAX)?;
        let mut removed = Vec::new();
        for id in gone.iter().filter_map(|(key, _)| keys::id_of(key)) {
            match self.removed_article(id) {
                Err(error @ StoreError::Value { .. }) => {
                    error!(article = %id, %error, "the removal of {id} is not told: {error}");
                }
                article => removed.extend(article?),
            }
        }
        Ok(removed)
    }

    /// The article that a key ends with. One that does not read is left out and told, so that a
    /// document loses an article and not a publication its document.
    pub(crate) fn named_by(
        &self,
        selection: &Selection,
        key: &[u8],
    ) -> Result<Option<Article>, StoreError> {
        let Some(id) = keys::id_of(key) else { return Ok(None) };
        match self.article(id) {
            Ok(None) => {
                let selection = selection.path();
                error!(article = %id, selection, "article {id} is in {selection}, but not stored");
                Ok(None)
            }
            Err(error @ StoreError::Value { .. }) => {
                error!(article = %id, %error, "article {id} is left out: {error}");
                Ok(None)
            }
            article => article,
        }
    }

    /// Puts every member of a store of the first format on its front.
    pub(crate) fn open_all(&self) -> Result<(), StoreError> {
        let (prefix, mut after) = (Space::Member.prefix(), None::<Vec<u8>>);
        loop {
            let pairs = self.engine.scan(&prefix, after.as_deref(), Order::Forward, 500)?;
            let Some((last, _)) = pairs.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut batch = Batch::new();
            for (member, _) in pairs {
                self.open_member(&mut batch, member)?;
            }
            self.engine.commit(batch)?;
        }
    }

    fn open_member(&self, batch: &mut Batch, member: Vec<u8>) -> Result<(), StoreError> {
        let Some(standing) = keys::instant_of(&member) else { return Ok(()) };
        let Some(open) = keys::open_at(&member, standing) else { return Ok(()) };
        // Who has an older document has none of the tags that tell what changed since.
        let changed = DateTime::UNIX_EPOCH.into();
        let record = OpenRecord { changed, edited: None };
        self.put(batch, Space::Open, open, &record)?;
        let place = MemberRecord::Open { standing: standing.into(), open: record };
        self.put(batch, Space::Member, member, &place)
    }
}
