//! Articles that are kept no longer: a slice at a time, so that polls are not kept waiting.
//!
//! # What stays of one
//! Nobody is told of a removal: it is only absent, as what is older than a window is. Its IRI stays
//! claimed for ever. By what it is known again stays among the newest of its feed, so that it does
//! not come back while its feed still lists it. What comes and is older than it would be kept is
//! remembered in the same way, and never shown.
//!
//! # Pages of archives
//! A page loses the article, and goes once nothing is left on it; the page after it then leads to
//! the one before it, and the oldest that is there to none (RFC 5005, section 4). Its number is
//! never given again. A copy that was hidden behind the article stays hidden: it is no news.
//!
//! # Crashes
//! Each slice is one batch, and what it does needs no other: after a crash a pass begins again, and
//! finds what is left.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::known::KNOWN_MAX;
use crate::model::known::Known;
use crate::model::publication::Selection;
use crate::model::publication::selections_of;
use crate::model::retention::Retention;
use crate::store::archive::Archive;
use crate::store::engine::Batch;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::members::Turnovers;
use crate::store::records::InstantRecord;
use crate::store::records::KnownRecord;
use crate::store::records::front::MemberRecord;
use crate::store::records::front::PageRecord;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use tracing::error;

/// How many articles one slice looks at, and how many of them go.
const SLICE_MAX: usize = 200;
const DROPS_MAX: usize = 20;
/// How many keys of a selection one slice counts.
const COUNTED_MAX: usize = 2_000;
/// How many pages of archives one slice looks at.
const PAGES_MAX: usize = 100;
/// How many articles of a feed one slice forgets.
const FORGOTTEN_MAX: usize = 500;

/// Whether articles go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// They are only counted.
    Show,
    /// They go.
    Drop,
}

/// What a pass found so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many articles were looked at.
    pub seen: u64,
    /// How many go, or would go.
    pub dropped: u64,
    /// How many of these each feed has.
    pub feeds: BTreeMap<FeedId, u64>,
    /// The same of regions; one of several regions counts in each.
    pub regions: BTreeMap<RegionId, u64>,
    /// How many would go if they were not pinned.
    pub pinned: u64,
    /// How many pages of archives went.
    pub pages: u64,
}

/// One look at all articles.
#[derive(Debug)]
pub struct Pass {
    retention: Arc<Retention>,
    at: DateTime<Utc>,
    act: Act,
    stage: Stage,
    /// What comes from here on in the order of a selection is beyond its number.
    beyond: BTreeMap<Selection, Vec<u8>>,
    /// What was found.
    pub tally: Tally,
    /// The publications whose documents are stale; who tells of them empties it.
    pub touched: BTreeSet<Selection>,
}

#[derive(Debug)]
enum Stage {
    /// Looks for the bounds in numbers.
    Counting {
        left: Vec<(Selection, u64)>,
        count: Option<Count>,
    },
    /// Looks at the articles after this key.
    Articles(Option<Vec<u8>>),
    /// Looks at the pages of archives after this key.
    Pages(Option<Vec<u8>>),
    /// Looks at what is known of articles of feeds after this key.
    Feeds(Option<Vec<u8>>),
    Done,
}

/// How far a selection is counted.
#[derive(Debug)]
struct Count {
    order: Order,
    after: Option<Vec<u8>>,
    /// How many more are counted; the last of them is the first beyond the bound.
    left: u64,
}

/// An article that was not kept any longer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DroppedRecord {
    /// The key of what is known of it.
    pub(crate) known: Vec<u8>,
    /// When it went.
    pub(crate) at: InstantRecord,
}

impl Pass {
    /// A pass that begins.
    #[must_use]
    pub fn new(retention: Arc<Retention>, act: Act, at: DateTime<Utc>) -> Self {
        let left = retention.numbers().into_iter().collect();
        Self {
            retention,
            at,
            act,
            stage: Stage::Counting { left, count: None },
            beyond: BTreeMap::new(),
            tally: Tally::default(),
            touched: BTreeSet::new(),
        }
    }

    /// Whether all was looked at.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    fn goes(&self, article: &Article) -> bool {
        if self.retention.is_past(article, self.at) {
            return true;
        }
        let counted = self.retention.counted(article);
        // One that a rule keeps out stands in no order.
        let is_beyond = |selection: &Selection| {
            let bound = self.beyond.get(selection);
            bound.is_some_and(|bound| {
                keys::rank_of(&keys::member(selection, article)) >= bound.as_slice()
            })
        };
        article.labels.excluded_by.is_none() && !counted.is_empty() && counted.iter().all(is_beyond)
    }

    fn count(&mut self, article: &Article) {
        self.tally.dropped += 1;
        *self.tally.feeds.entry(article.feed.clone()).or_default() += 1;
        for region in article.labels.regions.keys() {
            *self.tally.regions.entry(region.clone()).or_default() += 1;
        }
    }
}

impl Archive {
    /// Does the next slice of a pass.
    pub(crate) fn retain(&mut self, mut pass: Pass) -> Result<Pass, StoreError> {
        pass.stage = match std::mem::replace(&mut pass.stage, Stage::Done) {
            Stage::Counting { left, count } => self.count_on(&mut pass, left, count)?,
            Stage::Articles(after) => self.drop_on(&mut pass, after.as_deref())?,
            Stage::Pages(after) => self.drop_pages(&mut pass, after.as_deref())?,
            Stage::Feeds(after) => self.forget_on(after.as_deref())?,
            Stage::Done => Stage::Done,
        };
        Ok(pass)
    }

    /// Looks for the first article that is beyond the number of its selection: from the end that is
    /// nearer.
    fn count_on(
        &self,
        pass: &mut Pass,
        mut left: Vec<(Selection, u64)>,
        count: Option<Count>,
    ) -> Result<Stage, StoreError> {
        let Some((selection, most)) = left.last().cloned() else {
            return Ok(Stage::Articles(None));
        };
        let held = self.shelf(&selection)?.map_or(0, |shelf| shelf.count);
        if held <= most {
            left.pop();
            return Ok(Stage::Counting { left, count: None });
        }
        let count = count.unwrap_or_else(|| {
            let (order, left) = if held - most <= most {
                (Order::Reverse, held - most)
            } else {
                (Order::Forward, most + 1)
            };
            Count { order, after: None, left }
        });
        let limit = usize::try_from(count.left).unwrap_or(usize::MAX).min(COUNTED_MAX);
        let members = keys::members_of(&selection);
        let pairs = self.engine.scan(&members, count.after.as_deref(), count.order, limit)?;
        let left_over = count.left.saturating_sub(pairs.len() as u64);
        let Some((last, _)) = pairs.last() else {
            left.pop();
            return Ok(Stage::Counting { left, count: None });
        };
        let count = if left_over == 0 {
            pass.beyond.insert(selection, keys::rank_of(last).to_vec());
            left.pop();
            None
        } else {
            Some(Count { after: Some(last.clone()), left: left_over, ..count })
        };
        Ok(Stage::Counting { left, count })
    }

    /// Looks at a slice of the articles, and drops those that are kept no longer.
    fn drop_on(&mut self, pass: &mut Pass, after: Option<&[u8]>) -> Result<Stage, StoreError> {
        let prefix = Space::Article.prefix();
        let pairs = self.engine.scan(&prefix, after, Order::Forward, SLICE_MAX)?;
        let mut batch = Batch::new();
        let mut turnovers = Turnovers::new();
        let mut drops = 0;
        let mut last = None;
        for (key, value) in &pairs {
            if drops == DROPS_MAX {
                break;
            }
            pass.tally.seen += 1;
            last = Some(key.clone());
            let article = match self.read_article(key, value) {
                Ok(article) => article,
                Err(error @ StoreError::Value { .. }) => {
                    error!(%error, "an article is kept: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !pass.goes(&article) {
                continue;
            }
            if self.pin_of(article.id)?.is_some() {
                pass.tally.pinned += 1;
                continue;
            }
            pass.count(&article);
            if pass.act == Act::Drop {
                drops += 1;
                self.drop_article(&mut batch, &article, &mut turnovers, pass.at)?;
            }
        }
        if drops > 0 {
            self.write_shelves(&mut batch, &turnovers)?;
            let dropped = self.dropped_ever()? + drops as u64;
            self.put(&mut batch, Space::Meta, keys::retained(), &dropped)?;
            self.engine.commit(batch)?;
            self.engine.sync()?;
            pass.touched.extend(turnovers.into_keys());
        }
        Ok(match (last, pass.act) {
            (Some(last), _) => Stage::Articles(Some(last)),
            (None, Act::Drop) => Stage::Pages(None),
            (None, Act::Show) => Stage::Done,
        })
    }

    fn drop_article(
        &self,
        batch: &mut Batch,
        article: &Article,
        turnovers: &mut Turnovers,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let id = article.id;
        for selection in selections_of(article, &self.composed) {
            let turnover = self.turnover(turnovers, &selection, at)?;
            let changed = turnover.changed;
            turnover.growth -= 1;
            turnover.gone.insert(keys::fresh(&selection, article));
            if let Some(MemberRecord::Open { .. }) = self.leave(batch, &selection, article)? {
                let key = keys::departed(&selection);
                self.put(batch, Space::Departed, key, &InstantRecord::from(changed))?;
            }
            for (key, _) in
                self.scan(Space::Behind, &keys::copies_of(&selection, id), usize::MAX)?
            {
                batch.insert(key, None);
            }
        }
        for (key, _) in self.scan(Space::Version, &keys::versions_of(id), usize::MAX)? {
            batch.insert(key, None);
        }
        let of_article = [
            keys::article(article.first_seen, id),
            keys::trail(article.first_seen, id),
            keys::place(id),
            keys::reads(id),
            keys::views(id),
        ];
        batch.extend(of_article.map(|key| (key, None)));
        self.put_dropped(batch, article, at)
    }

    fn put_dropped(
        &self,
        batch: &mut Batch,
        article: &Article,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let known = keys::known(&article.feed, article.first_seen, article.id);
        let record = DroppedRecord { known, at: at.into() };
        self.put(batch, Space::Dropped, keys::dropped(article.id), &record)
    }

    /// Adds to a batch that an article which just came is older than it would be kept: it is known
    /// from now on, and never shown.
    pub(crate) fn drop_at_once(
        &self,
        batch: &mut Batch,
        article: &Article,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let known = keys::known(&article.feed, article.first_seen, article.id);
        self.put(batch, Space::Known, known, &KnownRecord::from(&Known::of(article)))?;
        self.put_dropped(batch, article, at)
    }

    /// Since when an article is not kept any more; none if it is, or never was.
    pub(crate) fn dropped(&self, id: ArticleId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let key = keys::dropped(id);
        let Some(value) = self.engine.get(&key)? else { return Ok(None) };
        let record: DroppedRecord = self.record(Space::Dropped, &key, &value)?;
        self.instant(record.at).map(Some)
    }

    /// How many articles were not kept any longer, in all.
    pub(crate) fn dropped_ever(&self) -> Result<u64, StoreError> {
        let key = keys::retained();
        let value = self.engine.get(&key)?;
        value.map_or(Ok(0), |value| self.record(Space::Meta, &key, &value))
    }

    /// Whether the archive of a selection had a page that is no more.
    pub(crate) fn had_page(&self, selection: &Selection, number: u64) -> Result<bool, StoreError> {
        let is_past = number > 0 && number <= self.last_number(selection)?;
        Ok(is_past && self.page(selection, number)?.is_none())
    }

    /// Drops the pages of a slice that show nothing any more.
    fn drop_pages(&mut self, pass: &mut Pass, after: Option<&[u8]>) -> Result<Stage, StoreError> {
        let prefix = Space::Page.prefix();
        let pairs = self.engine.scan(&prefix, after, Order::Forward, PAGES_MAX)?;
        let Some((last, _)) = pairs.last() else { return Ok(Stage::Feeds(None)) };
        let next = Stage::Pages(Some(last.clone()));
        let mut batch = Batch::new();
        let mut count = 0;
        for page in pairs {
            count += u64::from(self.drop_page(&mut batch, page)?);
        }
        if count > 0 {
            self.engine.commit(batch)?;
            self.engine.sync()?;
            pass.tally.pages += count;
        }
        Ok(next)
    }

    /// Adds to a batch that a page goes, if nothing is left on it. Whether it does.
    fn drop_page(&self, batch: &mut Batch, (key, value): Pair) -> Result<bool, StoreError> {
        let stories = match self.record(Space::Page, &key, &value) {
            Ok(PageRecord::Page { stories, .. }) => stories,
            Ok(PageRecord::Cut) => return Ok(false),
            Err(error @ StoreError::Value { .. }) => {
                error!(%error, "an archive page is kept: {error}");
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let mut is_dropped = false;
        for copy in stories.iter().flatten() {
            let id = ArticleId(Digest(copy.id));
            if self.engine.get(&keys::place(id))?.is_some() {
                return Ok(false);
            }
            is_dropped |= self.engine.get(&keys::dropped(id))?.is_some()
                || self.engine.get(&keys::tomb(id))?.is_none();
        }
        // What was all taken down goes on telling so.
        if !is_dropped {
            return Ok(false);
        }
        let beside = keys::pages_beside(&key);
        let newest = self.engine.scan(&beside, None, Order::Reverse, 1)?;
        if newest.first().is_some_and(|(newest, _)| *newest == key) {
            // More than may have gone in this batch.
            let before = self.engine.scan(&beside, Some(&key), Order::Reverse, PAGES_MAX + 1)?;
            for (before, value) in before {
                match self.record(Space::Page, &before, &value)? {
                    PageRecord::Cut => break,
                    // What comes next leads to this one, and this one on.
                    PageRecord::Page { .. } if !batch.contains_key(&before) => return Ok(false),
                    PageRecord::Page { .. } => {}
                }
            }
            // The next page has the next number.
            self.put(batch, Space::Page, key.clone(), &PageRecord::Cut)?;
        } else {
            batch.insert(key.clone(), None);
        }
        for copy in stories.iter().flatten() {
            let [left, behind] = keys::remnants_on(&key, ArticleId(Digest(copy.id)));
            let behind = self.scan(Space::Behind, &behind, usize::MAX)?;
            batch.extend(behind.into_iter().map(|(key, _)| (key, None)));
            batch.insert(left, None);
        }
        Ok(true)
    }

    /// Forgets of the next feed what is dropped and beyond what is compared with its documents.
    fn forget_on(&mut self, after: Option<&[u8]>) -> Result<Stage, StoreError> {
        let prefix = Space::History.prefix();
        let next = self.engine.scan(&prefix, after, Order::Forward, 1)?;
        let Some((key, _)) = next.into_iter().next() else { return Ok(Stage::Done) };
        let feed = keys::text_of(&key).and_then(|text| FeedId::new(text).ok());
        if let Some(feed) = feed {
            let most = KNOWN_MAX + FORGOTTEN_MAX;
            let known = self.engine.scan(&keys::known_of(&feed), None, Order::Reverse, most)?;
            let mut batch = Batch::new();
            for (known, _) in known.into_iter().skip(KNOWN_MAX) {
                let Some(id) = keys::id_of(&known) else { continue };
                if self.engine.get(&keys::dropped(id))?.is_some() {
                    batch.insert(known, None);
                    batch.insert(keys::dropped(id), None);
                }
            }
            if !batch.is_empty() {
                self.engine.commit(batch)?;
                self.engine.sync()?;
            }
        }
        Ok(Stage::Feeds(Some(key)))
    }

    /// Keeps an article whatever its age. Whether there is such an article.
    pub(crate) fn pin(&mut self, id: ArticleId, at: DateTime<Utc>) -> Result<bool, StoreError> {
        if self.article(id)?.is_none() {
            return Ok(false);
        }
        if self.pin_of(id)?.is_none() {
            let mut batch = Batch::new();
            self.put(&mut batch, Space::Pin, keys::pin(id), &InstantRecord::from(at))?;
            self.engine.commit(batch)?;
            self.engine.sync()?;
        }
        Ok(true)
    }

    /// Keeps an article no longer than others. Whether it was pinned.
    pub(crate) fn unpin(&mut self, id: ArticleId) -> Result<bool, StoreError> {
        if self.engine.get(&keys::pin(id))?.is_none() {
            return Ok(false);
        }
        self.engine.commit(Batch::from([(keys::pin(id), None)]))?;
        self.engine.sync()?;
        Ok(true)
    }

    /// Since when an article is kept whatever its age; none if it is not.
    pub(crate) fn pin_of(&self, id: ArticleId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let key = keys::pin(id);
        let Some(value) = self.engine.get(&key)? else { return Ok(None) };
        let at: InstantRecord = self.record(Space::Pin, &key, &value)?;
        self.instant(at).map(Some)
    }

    /// Adds what dropped and pinned articles leave that should not be there to what does not agree,
    /// and gives the keys that are to be there of them.
    pub(crate) fn audit_retained(
        &self,
        faults: &mut Vec<String>,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut expected = Vec::new();
        for (key, value) in self.scan(Space::Dropped, &Space::Dropped.prefix(), usize::MAX)? {
            let id = Space::Dropped.id_at(&key);
            match self.record::<DroppedRecord>(Space::Dropped, &key, &value) {
                Ok(record) => expected.push(record.known),
                Err(error) => faults.push(error.to_string()),
            }
            let place = keys::id_of(&key).map(keys::place).unwrap_or_default();
            if self.engine.get(&place)?.is_some() {
                faults.push(format!("article {id} was dropped, and is there"));
            }
        }
        for (key, _) in self.scan(Space::Pin, &Space::Pin.prefix(), usize::MAX)? {
            let place = keys::id_of(&key).map(keys::place).unwrap_or_default();
            if self.engine.get(&place)?.is_none() {
                faults.push(format!(
                    "{} {} is too much",
                    Space::Pin.name(),
                    Space::Pin.id_at(&key)
                ));
            }
        }
        Ok(expected)
    }
}
