//! The store as the writer thread sees it: the model's values over the engine's keys.

use crate::model::article::Article;
use crate::model::exchange::History;
use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::known::KNOWN_MAX;
use crate::model::known::Known;
use crate::model::known::Memory;
use crate::model::publication::Publication;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::retention::Retention;
use crate::store::codec;
use crate::store::codec::BadRecord;
use crate::store::engine::Batch;
use crate::store::engine::Engine;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::ArticleRecord;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::KnownRecord;
use crate::store::records::ShelfRecord;
use crate::store::records::article::SecondArticleRecord;
use crate::store::records::article::ThirdArticleRecord;
use crate::store::records::first_history::FirstHistoryRecord;
use crate::store::records::history::HistoryRecord;
use chrono::DateTime;
use chrono::Utc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use tracing::error;

/// The version of the whole store: which key spaces there are and how their keys are made.
pub(crate) const FORMAT: u32 = 2;

/// How many pairs of a space are read in one go.
const PAIRS_MAX: usize = 500;

/// An open store.
#[derive(Debug)]
pub(crate) struct Archive {
    /// The keys and values.
    pub(crate) engine: Engine,
    /// What the admin composed, as it is indexed.
    pub(crate) composed: Vec<Publication>,
    /// How long articles are kept: what comes and is older is not taken in.
    pub(crate) retention: Arc<Retention>,
    /// Whether it is of an earlier format still.
    is_old: bool,
}

impl Archive {
    /// The archive in an engine, which must be new or of a format that we know. Nothing is
    /// composed yet, and an earlier format is not yet brought to this one.
    pub(crate) fn new(engine: Engine) -> Result<Self, StoreError> {
        let mut archive = Self::looked_at(engine)?;
        let key = keys::format();
        if archive.engine.get(&key)?.is_none() {
            let mut batch = Batch::new();
            archive.put(&mut batch, Space::Meta, key, &FORMAT)?;
            archive.engine.commit(batch)?;
            archive.engine.sync()?;
        }
        archive.engine.mark()?;
        Ok(archive)
    }

    /// The same, with nothing written: to be read only.
    pub(crate) fn looked_at(engine: Engine) -> Result<Self, StoreError> {
        let directory = engine.directory().to_owned();
        let damaged = |reason: String| StoreError::Damaged { directory: directory.clone(), reason };
        let key = keys::format();
        let mut archive =
            Self { engine, composed: Vec::new(), retention: Arc::default(), is_old: false };
        if let Some(value) = archive.engine.get(&key)? {
            let found: u32 = codec::read(&key, &value)
                .map_err(|reason| damaged(format!("its format does not read: {reason}")))?;
            if found > FORMAT {
                return Err(StoreError::Newer { directory, found, known: FORMAT });
            }
            archive.is_old = found < FORMAT;
        } else if !archive.engine.scan(&[], None, Order::Forward, 1)?.is_empty() {
            return Err(damaged("it has keys, but no format".to_owned()));
        } else if archive.engine.is_marked() {
            return Err(damaged("everything in it is gone".to_owned()));
        }
        Ok(archive)
    }

    /// Brings a store of the first format, which has neither fronts nor pages, to this one. What
    /// is done twice after a crash is the same.
    pub(crate) fn upgrade(&mut self) -> Result<(), StoreError> {
        if !self.is_old {
            return Ok(());
        }
        let format = keys::format();
        self.open_all()?;
        self.engine.sync()?;
        let mut batch = Batch::new();
        self.put(&mut batch, Space::Meta, format, &FORMAT)?;
        self.engine.commit(batch)?;
        self.is_old = false;
        self.engine.sync()
    }

    /// What is remembered of a feed.
    pub(crate) fn history(&self, feed: &FeedId) -> Result<History, StoreError> {
        let key = keys::history(feed);
        let value = self.engine.get(&key)?;
        value.map_or_else(|| Ok(History::default()), |value| self.read_history(&key, &value))
    }

    /// What is remembered of every feed.
    pub(crate) fn histories(&self) -> Result<BTreeMap<FeedId, History>, StoreError> {
        let pairs = self.scan(Space::History, &Space::History.prefix(), usize::MAX)?;
        let history = |(key, value): Pair| {
            let history = self.read_history(&key, &value)?;
            Ok((self.named(Space::History, &key, |text| text.parse().ok())?, history))
        };
        legible(pairs.into_iter().map(history))
    }

    fn read_history(&self, key: &[u8], value: &[u8]) -> Result<History, StoreError> {
        if codec::is_second(value) {
            self.read::<HistoryRecord, _>(Space::History, key, value)
        } else {
            self.read::<FirstHistoryRecord, _>(Space::History, key, value)
        }
    }

    /// What is known of the newest articles of a feed.
    pub(crate) fn memory(&self, feed: &FeedId) -> Result<Memory, StoreError> {
        let prefix = keys::known_of(feed);
        let pairs = self.engine.scan(&prefix, None, Order::Reverse, KNOWN_MAX)?;
        let known =
            |(key, value): Pair| self.read::<KnownRecord, Known>(Space::Known, &key, &value);
        Ok(Memory::new(pairs.into_iter().map(known).collect::<Result<Vec<_>, _>>()?))
    }

    /// The newest articles of a selection. One that does not read is left out and told, so that
    /// a document loses an article and not a publication its document.
    pub(crate) fn newest(
        &self,
        selection: &Selection,
        limit: usize,
    ) -> Result<Vec<Article>, StoreError> {
        let members = self.scan(Space::Member, &keys::members_of(selection), limit)?;
        let mut articles = Vec::new();
        for (key, _) in &members {
            articles.extend(self.named_by(selection, key)?);
        }
        Ok(articles)
    }

    /// The counters of a selection.
    pub(crate) fn shelf(&self, selection: &Selection) -> Result<Option<Shelf>, StoreError> {
        self.get::<ShelfRecord, _>(Space::Shelf, &keys::shelf(selection))
    }

    /// The counters of every selection that has or had an article.
    pub(crate) fn shelves(&self) -> Result<BTreeMap<Selection, Shelf>, StoreError> {
        let pairs = self.scan(Space::Shelf, &Space::Shelf.prefix(), usize::MAX)?;
        let read = |(key, value): Pair| {
            let counters = self.read::<ShelfRecord, _>(Space::Shelf, &key, &value)?;
            Ok((self.named(Space::Shelf, &key, Selection::at)?, counters))
        };
        legible(pairs.into_iter().map(read))
    }

    /// An article.
    pub(crate) fn article(&self, id: ArticleId) -> Result<Option<Article>, StoreError> {
        let place = keys::place(id);
        let Some(value) = self.engine.get(&place)? else { return Ok(None) };
        let place: Vec<u8> = self.record(Space::Place, &place, &value)?;
        let value = self.engine.get(&place)?;
        value.map(|value| self.read_article(&place, &value)).transpose()
    }

    /// The article in a value.
    pub(crate) fn read_article(&self, key: &[u8], value: &[u8]) -> Result<Article, StoreError> {
        if codec::is_third(value) {
            self.read::<ThirdArticleRecord, _>(Space::Article, key, value)
        } else if codec::is_second(value) {
            self.read::<SecondArticleRecord, _>(Space::Article, key, value)
        } else {
            self.read::<ArticleRecord, _>(Space::Article, key, value)
        }
    }

    /// The id of the first article that is meant.
    pub(crate) fn find(
        &self,
        is_meant: &dyn Fn(&Article) -> bool,
    ) -> Result<Option<ArticleId>, StoreError> {
        let mut found = None;
        self.for_pages(|articles, _| {
            found = articles.iter().find(|article| is_meant(article)).map(|article| article.id);
            Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(found)
    }

    /// The articles that were published between two instants, the newest first; at most `limit`.
    pub(crate) fn around(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Article>, StoreError> {
        let mut articles = Vec::new();
        self.for_each_page(|page, _| {
            let inside = |article: &&Article| from <= article.published && article.published <= to;
            articles.extend(page.iter().filter(inside).cloned());
            if articles.len() > 2 * limit {
                cut(&mut articles, limit);
            }
            Ok(())
        })?;
        cut(&mut articles, limit);
        Ok(articles)
    }

    /// The first pairs of a key space.
    pub(crate) fn scan(
        &self,
        space: Space,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        debug_assert_eq!(prefix.first(), Some(&(space as u8)));
        self.engine.scan(prefix, None, Order::Forward, limit)
    }

    /// Calls `visit` with all pairs of a space, some at a time, in the order of their keys. What is
    /// taken away meanwhile is not missed.
    pub(crate) fn for_each_pairs(
        &self,
        space: Space,
        mut visit: impl FnMut(&[Pair]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.for_pairs(space, |pairs| {
            visit(pairs)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The same, until `visit` has seen enough.
    pub(crate) fn for_pairs(
        &self,
        space: Space,
        mut visit: impl FnMut(&[Pair]) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let prefix = space.prefix();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let pairs = self.engine.scan(&prefix, after.as_deref(), Order::Forward, PAIRS_MAX)?;
            let Some((last, _)) = pairs.last() else { return Ok(()) };
            after = Some(last.clone());
            if visit(&pairs)?.is_break() {
                return Ok(());
            }
        }
    }

    /// The record at a key, as a value of the model.
    pub(crate) fn get<R, T>(&self, space: Space, key: &[u8]) -> Result<Option<T>, StoreError>
    where
        R: DeserializeOwned,
        T: TryFrom<R, Error = BadField>,
    {
        let value = self.engine.get(key)?;
        value.map(|value| self.read::<R, T>(space, key, &value)).transpose()
    }

    /// The record in a value, as a value of the model.
    pub(crate) fn read<R, T>(&self, space: Space, key: &[u8], value: &[u8]) -> Result<T, StoreError>
    where
        R: DeserializeOwned,
        T: TryFrom<R, Error = BadField>,
    {
        let record: R = self.record(space, key, value)?;
        T::try_from(record).map_err(|reason| bad(&self.engine, space, key, &reason))
    }

    /// The record in a value.
    pub(crate) fn record<R: DeserializeOwned>(
        &self,
        space: Space,
        key: &[u8],
        value: &[u8],
    ) -> Result<R, StoreError> {
        codec::read(key, value).map_err(|reason| bad(&self.engine, space, key, &reason))
    }

    /// Adds a small record to a batch.
    pub(crate) fn put<R: Serialize>(
        &self,
        batch: &mut Batch,
        space: Space,
        key: Vec<u8>,
        record: &R,
    ) -> Result<(), StoreError> {
        let value = codec::plain(&key, record);
        self.add(batch, space, key, value)
    }

    /// Adds what is remembered of a feed to a batch.
    pub(crate) fn put_history(
        &self,
        batch: &mut Batch,
        feed: &FeedId,
        history: &History,
    ) -> Result<(), StoreError> {
        let key = keys::history(feed);
        let value = codec::plain_2(&key, &HistoryRecord::from(history));
        self.add(batch, Space::History, key, value)
    }

    /// Adds an article to a batch.
    pub(crate) fn put_article(
        &self,
        batch: &mut Batch,
        article: &Article,
    ) -> Result<(), StoreError> {
        let key = keys::article(article.first_seen, article.id);
        self.put_article_at(batch, Space::Article, key, article)
    }

    /// Adds an article to a batch, at a key.
    pub(crate) fn put_article_at(
        &self,
        batch: &mut Batch,
        space: Space,
        key: Vec<u8>,
        article: &Article,
    ) -> Result<(), StoreError> {
        let value = codec::compressed_3(&key, &ThirdArticleRecord::from(article));
        self.add(batch, space, key, value)
    }

    /// Adds a record that is worth compressing to a batch.
    pub(crate) fn put_compressed<R: Serialize>(
        &self,
        batch: &mut Batch,
        space: Space,
        key: Vec<u8>,
        record: &R,
    ) -> Result<(), StoreError> {
        let value = codec::compressed(&key, record);
        self.add(batch, space, key, value)
    }

    /// The instant in a record.
    pub(crate) fn instant(&self, instant: InstantRecord) -> Result<DateTime<Utc>, StoreError> {
        let bad = |reason: BadField| StoreError::Damaged {
            directory: self.engine.directory().to_owned(),
            reason: reason.to_string(),
        };
        instant.try_into().map_err(bad)
    }

    /// Adds the bytes of a record to a batch, if it became some.
    fn add(
        &self,
        batch: &mut Batch,
        space: Space,
        key: Vec<u8>,
        value: Result<Vec<u8>, BadRecord>,
    ) -> Result<(), StoreError> {
        let value = value.map_err(|reason| bad(&self.engine, space, &key, &reason))?;
        batch.insert(key, Some(value));
        Ok(())
    }

    fn named<T>(
        &self,
        space: Space,
        key: &[u8],
        name: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let reason = || bad(&self.engine, space, key, &"its key is none");
        keys::text_of(key).and_then(name).ok_or_else(reason)
    }
}

/// What a value is told as that does not read.
pub(crate) fn bad(
    engine: &Engine,
    space: Space,
    key: &[u8],
    reason: &dyn std::fmt::Display,
) -> StoreError {
    StoreError::Value {
        directory: engine.directory().to_owned(),
        space: space.name(),
        id: space.id_at(key),
        reason: reason.to_string(),
    }
}

/// The records that read. One that does not is left out and told: it costs its feed or its
/// selection what was remembered, and nobody else anything.
fn legible<Key: Ord, Value>(
    records: impl Iterator<Item = Result<(Key, Value), StoreError>>,
) -> Result<BTreeMap<Key, Value>, StoreError> {
    let told = |record| match record {
        Err(error @ StoreError::Value { .. }) => {
            error!(%error, "a record is left out: {error}");
            None
        }
        record => Some(record),
    };
    records.filter_map(told).collect()
}

/// Leaves the newest of some articles, in their order.
fn cut(articles: &mut Vec<Article>, limit: usize) {
    articles.sort_by_key(|article| (Reverse(article.published), article.id));
    articles.truncate(limit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::article::Labels;
    use crate::model::article::Origin;
    use crate::model::id::Digest;
    use crate::store::records::front::MemberRecord;
    use chrono::DateTime;

    #[test]
    fn an_article_reads_in_every_form_that_it_was_ever_written_in() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(Engine::open(folder.path()).unwrap()).unwrap();
        let newest = crate::model::article::tests::article();
        let second =
            Article { origin: Origin { updated: None, ..newest.origin.clone() }, ..newest.clone() };
        let first = Article { labels: Labels::default(), ..second.clone() };
        let key = keys::article(newest.first_seen, newest.id);
        for (expected, value) in [
            (first, codec::compressed(&key, &ArticleRecord::from(&newest))),
            (second, codec::compressed_2(&key, &SecondArticleRecord::from(&newest))),
            (newest.clone(), codec::compressed_3(&key, &ThirdArticleRecord::from(&newest))),
        ] {
            assert_eq!(archive.read_article(&key, &value.unwrap()), Ok(expected));
        }
    }

    #[test]
    fn a_store_of_the_first_format_has_all_its_members_on_fronts() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(Engine::open(folder.path()).unwrap()).unwrap();
        let format = keys::format();
        let mut batch = Batch::new();
        let instants = [-7_i64, 0, 1_688_382_960];
        for (at, seconds) in instants.into_iter().enumerate() {
            let id = ArticleId(Digest([u8::try_from(at).unwrap(); 16]));
            let published = DateTime::from_timestamp(seconds, 0).unwrap();
            let open = keys::open(&Selection::All, published, id);
            let member = [keys::members_of(&Selection::All), open[17..].to_vec()].concat();
            batch.insert(member, Some(Vec::new()));
        }
        archive.put(&mut batch, Space::Meta, format.clone(), &1_u32).unwrap();
        archive.engine.commit(batch).unwrap();
        archive.engine.close().unwrap();
        for _ in 0..2 {
            let mut archive = Archive::new(Engine::open(folder.path()).unwrap()).unwrap();
            archive.upgrade().unwrap();
            let value = archive.engine.get(&format).unwrap().unwrap();
            assert_eq!(codec::read::<u32>(&format, &value), Ok(FORMAT));
            let open = keys::open_of(&Selection::All);
            let open = archive.scan(Space::Open, &open, 100).unwrap();
            assert_eq!(open.len(), instants.len());
            for (member, _) in
                archive.scan(Space::Member, &keys::members_of(&Selection::All), 100).unwrap()
            {
                let place = archive.place_of(&member).unwrap().unwrap();
                let MemberRecord::Open { standing, .. } = place else { panic!("{place:?}") };
                let standing = archive.instant(standing).unwrap();
                assert!(instants.contains(&standing.timestamp()));
                let key = keys::open_at(&member, standing).unwrap();
                assert!(open.iter().any(|(open, _)| *open == key));
            }
            archive.engine.close().unwrap();
        }
    }

    #[test]
    fn an_article_that_does_not_read_is_named_and_left_out_of_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(Engine::open(folder.path()).unwrap()).unwrap();
        let id = ArticleId(Digest([7; 16]));
        let place = keys::article(DateTime::UNIX_EPOCH, id);
        let member = [keys::members_of(&Selection::All), vec![0; 12], id.0.0.to_vec()].concat();
        let mut batch = Batch::new();
        archive.put(&mut batch, Space::Place, keys::place(id), &place).unwrap();
        batch.insert(member, Some(Vec::new()));
        batch.insert(place, Some(vec![2; 40]));
        archive.engine.commit(batch).unwrap();

        let expected = format!(
            "{}: article {id} does not read: its checksum differs",
            folder.path().display()
        );
        assert_eq!(archive.article(id).unwrap_err().to_string(), expected);
        assert_eq!(archive.newest(&Selection::All, 10), Ok(Vec::new()));
        assert!(archive.audit().unwrap().contains(&expected));
    }
}
