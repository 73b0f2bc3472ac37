//! Whether the indexes agree with the articles: everything recounted.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::known::Known;
use crate::model::publication::Selection;
use crate::model::publication::selections_of;
use crate::store::archive::Archive;
use crate::store::archive::bad;
use crate::store::engine::Order;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::lines::Names;
use crate::store::lines::Unread;
use crate::store::lines::line_of;
use crate::store::records::BadField;
use crate::store::records::KnownRecord;
use crate::store::records::front::MemberRecord;
use crate::store::records::front::TombRecord;
use crate::store::records::parsed;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How many keys at each end of a key space are read to see whether it reads.
const PROBED_MAX: usize = 100;

/// What the articles say that there should be.
#[derive(Debug, Default)]
struct Recount {
    keys: BTreeSet<Vec<u8>>,
    shelves: BTreeMap<Selection, (u64, DateTime<Utc>)>,
    faults: Vec<String>,
}

impl Archive {
    /// Reads what a daemon reads first, and the ends of all key spaces: whether the store is one.
    pub(crate) fn probe(&self) -> Result<(), StoreError> {
        self.histories()?;
        self.shelves()?;
        for first in 0..=u8::MAX {
            for order in [Order::Forward, Order::Reverse] {
                self.engine.scan(&[first], None, order, PROBED_MAX)?;
            }
        }
        Ok(())
    }

    /// What does not agree, in words; nothing if all is well.
    pub(crate) fn audit(&self) -> Result<Vec<String>, StoreError> {
        let mut recount = Recount::default();
        self.for_each_page(|articles, unread| {
            recount.faults.extend(unread.iter().map(ToString::to_string));
            for article in articles {
                match self.recount(article, &mut recount) {
                    Err(error @ StoreError::Value { .. }) => recount.faults.push(error.to_string()),
                    counted => counted?,
                }
            }
            Ok(())
        })?;
        let Recount { mut keys, shelves, mut faults } = recount;
        for (key, value) in self.scan(Space::Tomb, &Space::Tomb.prefix(), usize::MAX)? {
            match self.keys_of_tomb(&key, &value) {
                Ok(of_tomb) => keys.extend(of_tomb),
                Err(error) => faults.push(error.to_string()),
            }
        }
        keys.extend(self.audit_retained(&mut faults)?);
        let spaces = [
            Space::Place,
            Space::Claim,
            Space::Known,
            Space::Member,
            Space::Fresh,
            Space::Open,
            Space::Gone,
        ];
        for space in spaces {
            self.for_each_pairs(space, |pairs| {
                for (key, value) in pairs {
                    if !keys.remove(key) && !self.is_outlived(space, key, value)? {
                        faults.push(format!("{} {} is too much", space.name(), space.id_at(key)));
                    }
                }
                Ok(())
            })?;
        }
        self.audit_trails(&mut faults)?;
        self.audit_records(&mut faults)?;
        faults.extend(keys.iter().map(|key| format!("index key {key:02x?} is missing")));
        let stored = self.shelves()?;
        for selection in stored.keys().chain(shelves.keys()).collect::<BTreeSet<_>>() {
            let stored = stored.get(selection);
            let right = match (stored, shelves.get(selection)) {
                (Some(stored), Some(counted)) => (stored.count, stored.updated) == *counted,
                (Some(stored), None) => stored.count == 0,
                (None, _) => false,
            };
            if !right {
                let (path, counted) = (selection.path(), shelves.get(selection));
                faults.push(format!("shelf {path} is {stored:?}, counted {counted:?}"));
            }
        }
        Ok(faults)
    }

    /// Whether a page is there, or may have gone with its last article.
    fn had_or_has_page(&self, selection: &Selection, page: u64) -> Result<bool, StoreError> {
        let has_gone = self.dropped_ever()? > 0 && page <= self.last_number(selection)?;
        Ok(has_gone || self.has_page(selection, page)?)
    }

    /// Whether a key is the claim of an article that is no more: no other ever bears its IRI.
    fn is_outlived(&self, space: Space, key: &[u8], value: &[u8]) -> Result<bool, StoreError> {
        if space != Space::Claim {
            return Ok(false);
        }
        let holder: [u8; 16] = self.record(space, key, value)?;
        Ok(self.engine.get(&keys::place(ArticleId(Digest(holder))))?.is_none())
    }

    /// Whether what no index is made of reads.
    fn audit_records(&self, faults: &mut Vec<String>) -> Result<(), StoreError> {
        let spaces = [
            Space::Meta,
            Space::Definition,
            Space::Shelf,
            Space::History,
            Space::Left,
            Space::Departed,
            Space::Page,
            Space::Version,
            Space::Reads,
            Space::Views,
            Space::Event,
        ];
        let mut names = Names::default();
        for space in spaces {
            self.for_each_pairs(space, |pairs| {
                let unread =
                    pairs.iter().filter_map(|(key, value)| line_of(&mut names, key, value).1);
                faults.extend(
                    unread.map(|Unread { what, reason }| format!("{what} does not read: {reason}")),
                );
                Ok(())
            })?;
        }
        Ok(())
    }

    /// What is to be there of an article that was taken away.
    pub(crate) fn keys_of_tomb(
        &self,
        key: &[u8],
        value: &[u8],
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let tomb: TombRecord = self.record(Space::Tomb, key, value)?;
        let unread = |reason: BadField| bad(&self.engine, Space::Tomb, key, &reason);
        let at = tomb.removal().map_err(unread)?.at;
        let feed: FeedId = parsed("feed", &tomb.feed).map_err(unread)?;
        let Some(id) = keys::id_of(key) else { return Ok(Vec::new()) };
        let known = keys::known(&feed, self.instant(tomb.first_seen)?, id);
        let selections = tomb.selections.iter().filter_map(|path| Selection::at(path));
        let gone = selections.map(|selection| keys::gone(&selection, at, id));
        Ok(gone.chain([known, keys::claim(&tomb.iri)]).collect())
    }

    fn recount(&self, article: &Article, recount: &mut Recount) -> Result<(), StoreError> {
        let id = article.id;
        let selections = selections_of(article, &self.composed);
        for selection in selections {
            let member = keys::member(&selection, article);
            match self.place_of(&member)? {
                Some(MemberRecord::Open { standing, .. }) => {
                    let standing = self.instant(standing)?;
                    recount.keys.insert(keys::open(&selection, standing, id));
                }
                Some(MemberRecord::Closed { page, .. })
                    if page > 0 && !self.had_or_has_page(&selection, page)? =>
                {
                    let path = selection.path();
                    recount.faults.push(format!("article {id} is on page {page} of {path}"));
                }
                _ => {}
            }
            recount.keys.extend([member, keys::fresh(&selection, article)]);
            let (count, updated) = recount.shelves.entry(selection).or_insert((0, article.updated));
            *count += 1;
            *updated = article.updated.max(*updated);
        }
        let known = keys::known(&article.feed, article.first_seen, id);
        let stored = self.get::<KnownRecord, Known>(Space::Known, &known)?;
        if stored.is_some_and(|known| known != Known::of(article)) {
            recount.faults.push(format!("memory of article {id} differs from it"));
        }
        let claim = keys::claim(&article.iri);
        if let Some(value) = self.engine.get(&claim)? {
            let holder: [u8; 16] = self.record(Space::Claim, &claim, &value)?;
            if ArticleId(Digest(holder)) != id {
                recount.faults.push(format!("article {id} bears the iri of another"));
            }
        }
        if self.article(id)?.as_ref() != Some(article) {
            recount.faults.push(format!("article {id} is not found by its id"));
        }
        recount.keys.extend([known, claim, keys::place(id)]);
        Ok(())
    }
}
