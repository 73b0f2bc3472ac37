//! Indexes made to agree with the articles, where some of either were lost.
//!
//! An article whose place in a selection is not known comes to the front there, as if it were new;
//! what says something of an article that is not there is dropped, so that the article can come
//! again.

use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::publication::Publication;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::publication::selections_of;
use crate::store::archive::Archive;
use crate::store::codec;
use crate::store::engine::Batch;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::members::fresh_place;
use crate::store::records::ShelfRecord;
use crate::store::records::front::MemberRecord;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

impl Archive {
    /// Makes all indexes agree with the articles.
    pub(crate) fn mend(
        &mut self,
        composed: Vec<Publication>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.composed = composed;
        let mut members = BTreeSet::new();
        let mut shelves: BTreeMap<Selection, (u64, DateTime<Utc>)> = BTreeMap::new();
        self.for_each_page(|articles, _| {
            let mut batch = Batch::new();
            for article in articles {
                for selection in selections_of(article, &self.composed) {
                    let member = keys::member(&selection, article);
                    let place = match self.place_of(&member)? {
                        Some(place @ MemberRecord::Closed { page, .. })
                            if page == 0 || self.has_page(&selection, page)? =>
                        {
                            place
                        }
                        Some(place @ MemberRecord::Open { .. }) => place,
                        _ => fresh_place(article, at, at),
                    };
                    self.enter(&mut batch, &selection, article, place)?;
                    members.insert(member);
                    let counted = shelves.entry(selection).or_insert((0, article.updated));
                    *counted = (counted.0 + 1, counted.1.max(article.updated));
                }
            }
            self.engine.commit(batch)
        })?;
        self.drop_strays(&members)?;
        self.mend_shelves(shelves, at)?;
        self.engine.sync()
    }

    /// Drops what is said of articles that are not there.
    fn drop_strays(&self, members: &BTreeSet<Vec<u8>>) -> Result<(), StoreError> {
        let is_there = |id: ArticleId| Ok(self.engine.get(&keys::place(id))?.is_some());
        let of_article = |key: &[u8], _: &[u8]| keys::id_of(key).map_or(Ok(false), is_there);
        let is_known = |id: ArticleId| {
            let gone = [keys::tomb(id), keys::dropped(id)];
            let [removed, dropped] = gone.map(|key| self.engine.get(&key));
            Ok(removed?.is_some() || dropped?.is_some() || is_there(id)?)
        };
        let of_known = |key: &[u8], _: &[u8]| keys::id_of(key).map_or(Ok(false), is_known);
        let of_claim = |key: &[u8], value: &[u8]| {
            let holder = codec::read(key, value).ok().map(|id| ArticleId(Digest(id)));
            holder.map_or(Ok(false), is_known)
        };
        self.keep_if(Space::Member, |key, _| Ok(members.contains(key)))?;
        self.keep_if(Space::Known, of_known)?;
        self.keep_if(Space::Claim, of_claim)?;
        self.keep_if(Space::Reads, of_article)?;
        self.keep_if(Space::Views, of_article)?;
        self.keep_if(Space::Trail, of_article)?;
        self.keep_if(Space::Left, of_article)?;
        self.keep_if(Space::Behind, of_article)?;
        self.keep_if(Space::Pin, of_article)?;
        // Fronts and what was updated last follow from members alone.
        self.follow_members()
    }

    /// Fronts, and what was updated last, of the members that are left.
    fn follow_members(&self) -> Result<(), StoreError> {
        let mut right = BTreeSet::new();
        self.for_each_pairs(Space::Member, |pairs| {
            for (key, value) in pairs {
                let Some(id) = keys::id_of(key) else { continue };
                if let Some(article) = self.article(id)? {
                    let updated = keys::newest_first(article.updated);
                    right.insert(keys::key(Space::Fresh, &[&key[1..17], &updated, &id.0.0]));
                }
                let place: MemberRecord = self.record(Space::Member, key, value)?;
                if let MemberRecord::Open { standing, .. } = place {
                    right.extend(keys::open_at(key, self.instant(standing)?));
                }
            }
            Ok(())
        })?;
        self.keep_if(Space::Fresh, |key, _| Ok(right.contains(key)))?;
        self.keep_if(Space::Open, |key, _| Ok(right.contains(key)))
    }

    fn keep_if(
        &self,
        space: Space,
        is_right: impl Fn(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.for_each_pairs(space, |pairs| {
            let mut batch = Batch::new();
            for (key, value) in pairs {
                if !is_right(key, value)? {
                    batch.insert(key.clone(), None);
                }
            }
            self.engine.commit(batch)
        })
    }

    fn mend_shelves(
        &self,
        mut counted: BTreeMap<Selection, (u64, DateTime<Utc>)>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let stored = self.shelves()?;
        for (selection, shelf) in &stored {
            counted.entry(selection.clone()).or_insert((0, shelf.updated));
        }
        let mut batch = Batch::new();
        for (selection, (count, updated)) in counted {
            let before = stored.get(&selection);
            if before.is_some_and(|shelf| (shelf.count, shelf.updated) == (count, updated)) {
                continue;
            }
            let next = before.map_or(at, |shelf| at.max(shelf.changed + TimeDelta::seconds(1)));
            let record = ShelfRecord::from(&Shelf { count, updated, changed: next });
            self.put(&mut batch, Space::Shelf, keys::shelf(&selection), &record)?;
        }
        self.engine.commit(batch)
    }
}
