//! What whoever watches over the feeds reads and keeps: when their newest articles were published,
//! and the events that admins are told of.

use crate::model::event::Event;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::store::Store;
use crate::store::archive::Archive;
use crate::store::engine::Batch;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::event::EventRecord;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use tracing::error;

impl Store {
    /// When the newest articles of each of some feeds were published, the newest first; at most
    /// `most` of each.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn published(
        &self,
        feeds: Vec<FeedId>,
        most: usize,
    ) -> Result<BTreeMap<FeedId, Vec<DateTime<Utc>>>, StoreError> {
        let all = move |archive: &Archive| {
            let one = |feed: FeedId| {
                let published = archive.published(&Selection::Source(feed.clone()), most)?;
                Ok((feed, published))
            };
            feeds.into_iter().map(one).collect()
        };
        self.read(all).await
    }

    /// The events that are kept, the oldest first. One that does not read is left out, with an error
    /// in the log.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn events(&self) -> Result<Vec<Event>, StoreError> {
        self.read(Archive::events).await
    }

    /// Keeps events as they are now, and forgets others by their keys; all in one step, which is
    /// durable when this returns.
    ///
    /// # Errors
    /// Writing fails, or the store has stopped.
    pub async fn keep_events(
        &self,
        kept: Vec<Event>,
        forgotten: Vec<String>,
    ) -> Result<(), StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.keep_events(&kept, &forgotten)))
            .await
    }
}

impl Archive {
    fn events(&self) -> Result<Vec<Event>, StoreError> {
        let pairs = self.scan(Space::Event, &Space::Event.prefix(), usize::MAX)?;
        let event = |(key, value): Pair| match self.read::<EventRecord, Event>(
            Space::Event,
            &key,
            &value,
        ) {
            Err(error @ StoreError::Value { .. }) => {
                error!(%error, "an event is left out: {error}");
                None
            }
            event => Some(event),
        };
        pairs.into_iter().filter_map(event).collect()
    }

    fn keep_events(&mut self, kept: &[Event], forgotten: &[String]) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for event in kept {
            let record = EventRecord::from(event);
            self.put(&mut batch, Space::Event, keys::event(&event.key()), &record)?;
        }
        for known_by in forgotten {
            batch.insert(keys::event(known_by), None);
        }
        self.engine.commit(batch)?;
        self.engine.sync()
    }

    /// When the newest articles of a selection were published, the newest first.
    pub(crate) fn published(
        &self,
        selection: &Selection,
        limit: usize,
    ) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let members = self.scan(Space::Member, &keys::members_of(selection), limit)?;
        Ok(members.iter().filter_map(|(key, _)| keys::instant_of(key)).collect())
    }
}
