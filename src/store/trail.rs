//! What is kept for whoever asks why: where each article came from and what changed in it, and the
//! last document of each feed.
//!
//! Written in the batch of the commit that it belongs to, so that it never says more or less than
//! what is there. An article that does not change, and a document that came before, are not
//! written again.

use crate::model::exchange::Document;
use crate::model::exchange::Kept;
use crate::model::exchange::Unkept;
use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::provenance::Provenance;
use crate::model::publication::Selection;
use crate::model::publication::selections_of;
use crate::model::revision::Trail;
use crate::model::revision::Words;
use crate::model::revision::between;
use crate::store::archive::Archive;
use crate::store::archive::bad;
use crate::store::codec;
use crate::store::commit::Draft;
use crate::store::engine::Batch;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::front::MemberRecord;
use crate::store::records::trail::KeepingRecord;
use crate::store::records::trail::ReceiptRecord;
use crate::store::records::trail::TrailRecord;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;
use url::Url;

/// The largest document that is kept, in bytes after compression.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a document has in it. Where several are true, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Content {
    /// Only what was there already: a clock or a counter made another document of it.
    #[default]
    Same,
    /// Something else than the document before it.
    Fresh,
    /// What the admin took down.
    TakenDown,
}

impl Archive {
    /// Adds to a batch where a new article came from, or what changed in one.
    pub(crate) fn put_trail(
        &self,
        batch: &mut Batch,
        draft: &Draft,
        provenance: Option<&Provenance>,
        words: &mut Words,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Draft { before, after } = draft;
        let key = keys::trail(after.first_seen, after.id);
        let trail = match before {
            None => {
                let provenance = provenance.cloned();
                provenance
                    .map(|provenance| Trail { provenance: Some(provenance), ..Trail::default() })
            }
            Some(before) => match between(before, after, words, at) {
                Some(revision) => {
                    let mut trail = self.trail_at(&key)?;
                    trail.add(revision);
                    Some(trail)
                }
                None => None,
            },
        };
        match trail {
            Some(trail) => {
                self.put_compressed(batch, Space::Trail, key, &TrailRecord::from(&trail))
            }
            None => Ok(()),
        }
    }

    /// Where an article came from, and what changed in it; nothing of one that is older than these
    /// records, or that is not there.
    pub(crate) fn trail(&self, id: ArticleId) -> Result<Trail, StoreError> {
        match self.article(id)? {
            Some(article) => self.trail_at(&keys::trail(article.first_seen, id)),
            None => Ok(Trail::default()),
        }
    }

    fn trail_at(&self, key: &[u8]) -> Result<Trail, StoreError> {
        match self.get::<TrailRecord, Trail>(Space::Trail, key) {
            // What does not read is lost, and no reason to lose what comes.
            Err(error @ StoreError::Value { .. }) => {
                tracing::error!(%error, "what changed in an article begins anew: {error}");
                Ok(Trail::default())
            }
            trail => Ok(trail?.unwrap_or_default()),
        }
    }

    /// Adds to a batch the document that a feed's poll read, unless one is kept that says the same.
    /// Of one that is too large, or holds what the admin took down, only that it came is kept.
    pub(crate) fn put_document(
        &self,
        batch: &mut Batch,
        feed: &FeedId,
        document: &Document,
        content: Content,
        read: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let digest = digest(&document.bytes);
        if let Some(before) = self.receipt(feed)? {
            let is_same = (content == Content::Same || before.digest == digest)
                && before.url == document.url.as_str()
                && before.content_type == document.content_type;
            let is_so_kept = match before.keeping {
                KeepingRecord::Kept => content != Content::TakenDown && self.is_legible(feed)?,
                KeepingRecord::TooLarge => content != Content::TakenDown,
                KeepingRecord::TakenDown => content == Content::TakenDown,
            };
            if is_same && is_so_kept {
                return Ok(());
            }
        }
        let key = keys::document(feed);
        let (value, otherwise) = match content {
            Content::TakenDown => (None, KeepingRecord::TakenDown),
            Content::Same | Content::Fresh => {
                let value = codec::compressed_bytes(&key, &document.bytes).ok();
                let value = value.filter(|value| value.len() <= DOCUMENT_BYTES_MAX);
                (value, KeepingRecord::TooLarge)
            }
        };
        let receipt = ReceiptRecord {
            url: document.url.to_string(),
            content_type: document.content_type.clone(),
            read: read.into(),
            digest,
            length: document.bytes.len() as u64,
            keeping: value.as_ref().map_or(otherwise, |_| KeepingRecord::Kept),
        };
        batch.insert(key, value);
        self.put(batch, Space::Receipt, keys::receipt(feed), &receipt)
    }

    /// The last document of a feed; none if none was read since documents are kept.
    pub(crate) fn kept(&self, feed: &FeedId) -> Result<Option<Kept>, StoreError> {
        let Some(receipt) = self.receipt(feed)? else { return Ok(None) };
        let receipt_key = keys::receipt(feed);
        let wrong = |reason: &dyn std::fmt::Display| {
            bad(&self.engine, Space::Receipt, &receipt_key, reason)
        };
        let url = Url::parse(&receipt.url).map_err(|error| wrong(&error))?;
        let key = keys::document(feed);
        let bytes = match (receipt.keeping, self.engine.get(&key)?) {
            (KeepingRecord::TakenDown, _) => Err(Unkept::TakenDown),
            (_, Some(value)) => {
                let bytes = codec::read_bytes(&key, &value);
                Ok(bytes.map_err(|reason| bad(&self.engine, Space::Document, &key, &reason))?)
            }
            (KeepingRecord::Kept, None) => return Err(wrong(&"its document is missing")),
            (KeepingRecord::TooLarge, None) => Err(Unkept::TooLarge),
        };
        let read = self.instant(receipt.read)?;
        let (content_type, length) = (receipt.content_type, receipt.length);
        Ok(Some(Kept { url, content_type, read, length, bytes }))
    }

    /// Adds to a batch that the document of a feed is kept no more, because the admin took down
    /// what may be in it. That one came is still known, if one did.
    pub(crate) fn withhold_document(
        &self,
        batch: &mut Batch,
        feed: &FeedId,
    ) -> Result<(), StoreError> {
        batch.insert(keys::document(feed), None);
        let key = keys::receipt(feed);
        let Some(before) = self.receipt(feed)? else {
            batch.insert(key, None);
            return Ok(());
        };
        let receipt = ReceiptRecord { keeping: KeepingRecord::TakenDown, ..before };
        self.put(batch, Space::Receipt, key, &receipt)
    }

    /// Forgets the documents of all other feeds than these. Gives how many they were.
    pub(crate) fn keep_documents_of(
        &mut self,
        feeds: &BTreeSet<FeedId>,
    ) -> Result<usize, StoreError> {
        let mut batch = Batch::new();
        let mut count = 0;
        for (key, _) in self.scan(Space::Receipt, &Space::Receipt.prefix(), usize::MAX)? {
            let feed = keys::text_of(&key).and_then(|text| FeedId::new(text).ok());
            if let Some(feed) = feed.filter(|feed| !feeds.contains(feed)) {
                batch.insert(key, None);
                batch.insert(keys::document(&feed), None);
                count += 1;
            }
        }
        if count > 0 {
            self.engine.commit(batch)?;
            self.engine.sync()?;
        }
        Ok(count)
    }

    /// Whether the kept document of a feed can be read.
    fn is_legible(&self, feed: &FeedId) -> Result<bool, StoreError> {
        let key = keys::document(feed);
        let value = self.engine.get(&key)?;
        Ok(value.is_some_and(|value| codec::read_bytes(&key, &value).is_ok()))
    }

    fn receipt(&self, feed: &FeedId) -> Result<Option<ReceiptRecord>, StoreError> {
        let key = keys::receipt(feed);
        let value = self.engine.get(&key)?;
        let receipt = value.map(|value| self.record(Space::Receipt, &key, &value)).transpose();
        match receipt {
            // It is written anew by the next poll.
            Err(error @ StoreError::Value { .. }) => {
                tracing::error!(%error, "a kept document is not known: {error}");
                Ok(None)
            }
            receipt => receipt,
        }
    }

    /// The publications that an article stands in, and on which page of their archives; none of
    /// these while it is on the front.
    pub(crate) fn standings(
        &self,
        id: ArticleId,
    ) -> Result<Vec<(Selection, Option<u64>)>, StoreError> {
        let Some(article) = self.article(id)? else { return Ok(Vec::new()) };
        let selections = selections_of(&article, &self.composed).into_iter();
        let standing = |selection: Selection| {
            let page = match self.place_of(&keys::member(&selection, &article))? {
                Some(MemberRecord::Closed { page, .. }) => Some(page),
                Some(MemberRecord::Open { .. }) | None => None,
            };
            Ok((selection, page))
        };
        selections.map(standing).collect()
    }

    /// Adds what is kept of articles and feeds that are not there, or does not read, to what does
    /// not agree.
    pub(crate) fn audit_trails(&self, faults: &mut Vec<String>) -> Result<(), StoreError> {
        self.for_each_pairs(Space::Trail, |pairs| {
            for (key, value) in pairs {
                if let Err(error) = self.read::<TrailRecord, Trail>(Space::Trail, key, value) {
                    faults.push(error.to_string());
                }
                if self.engine.get(&keys::article_of_trail(key))?.is_none() {
                    let id = Space::Trail.id_at(key);
                    faults.push(format!("{} {id} is too much", Space::Trail.name()));
                }
            }
            Ok(())
        })?;
        for (key, value) in self.scan(Space::Receipt, &Space::Receipt.prefix(), usize::MAX)? {
            let feed = Space::Receipt.id_at(&key);
            let document = keys::text_of(&key).and_then(|text| FeedId::new(text).ok());
            let receipt = self.record::<ReceiptRecord>(Space::Receipt, &key, &value);
            let (Some(id), Ok(receipt)) = (document, receipt) else {
                faults.push(format!("{} {feed} does not read", Space::Receipt.name()));
                continue;
            };
            let bytes = self.kept(&id).map(|kept| kept.map(|kept| kept.bytes));
            let is_right = match bytes {
                Ok(Some(Ok(bytes))) => digest(&bytes) == receipt.digest,
                Ok(Some(Err(_))) => self.engine.get(&keys::document(&id))?.is_none(),
                Ok(None) | Err(_) => false,
            };
            if !is_right {
                faults.push(format!("{} {feed} is not what came", Space::Document.name()));
            }
        }
        Ok(())
    }
}

/// What tells documents apart.
fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Engine;

    #[test]
    fn a_kept_document_that_does_not_read_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::new(Engine::open(folder.path()).unwrap()).unwrap();
        let feed: FeedId = "city".parse().unwrap();
        let url = Url::parse("https://city.example/rss").unwrap();
        let document = Document { url, content_type: None, bytes: b"<rss/>".to_vec() };
        let poll = || {
            let mut batch = Batch::new();
            let read = DateTime::UNIX_EPOCH;
            archive.put_document(&mut batch, &feed, &document, Content::Same, read).unwrap();
            let writes = batch.len();
            archive.engine.commit(batch).unwrap();
            writes
        };
        assert_eq!([poll(), poll()], [2, 0]);
        for damage in [Some(b"damage".to_vec()), None] {
            archive.engine.commit(Batch::from([(keys::document(&feed), damage)])).unwrap();
            assert!(archive.kept(&feed).is_err());
            assert_eq!([poll(), poll()], [2, 0]);
            let kept = archive.kept(&feed).unwrap();
            assert_eq!(kept.and_then(Kept::document), Some(document.clone()));
        }
    }
}
