//! What whoever watches over the feeds reads and keeps: when their newest articles were published.

use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::store::Store;
use crate::store::archive::Archive;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;

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
}

impl Archive {
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
