//! What is shown around an article on its page, and how often that was read.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::model::surroundings::Surroundings;
use crate::store::archive::Archive;
use crate::store::engine::Batch;
use crate::store::engine::Order;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Copies of a story come within this of each other.
const WITHIN: TimeDelta = TimeDelta::hours(36);
/// How many articles before an article, and how many after it, are looked at for copies.
const NEAR_MAX: usize = 60;
/// How many keys are looked at in one go.
const SLICE: usize = 100;
/// How many selections are looked at for what is related, and how many articles of each.
const SELECTIONS_MAX: usize = 12;
const KIN_MAX: usize = 10;

impl Archive {
    /// Adds to a batch how often an article was read as its source now reports, if that is another
    /// number than before. The article itself is not written again.
    pub(crate) fn put_views(
        &self,
        batch: &mut Batch,
        id: ArticleId,
        views: u64,
    ) -> Result<(), StoreError> {
        let is_there = self.engine.get(&keys::place(id))?.is_some();
        if is_there && self.views(id)? != Some(views) {
            self.put(batch, Space::Views, keys::views(id), &views)?;
        }
        Ok(())
    }

    /// An article and what is around it; none if there is none, or a rule keeps it out.
    pub(crate) fn surroundings(&self, id: ArticleId) -> Result<Option<Surroundings>, StoreError> {
        let Some(mut article) = self.article(id)? else { return Ok(None) };
        article.views = self.views(id)?.or(article.views);
        if article.labels.excluded_by.is_some() {
            return Ok(None);
        }
        let reads = self.reads(id)?;
        let near = self.near(&article)?;
        let kin = self.kin(&article)?;
        Ok(Some(Surroundings { article, reads, near, kin }))
    }

    /// Counts that the pages of articles were read. An article that is no more is not counted.
    pub(crate) fn add_reads(&mut self, reads: &BTreeMap<ArticleId, u64>) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for (id, more) in reads {
            if self.engine.get(&keys::place(*id))?.is_some() {
                let sum = self.reads(*id)?.saturating_add(*more);
                self.put(&mut batch, Space::Reads, keys::reads(*id), &sum)?;
            }
        }
        self.engine.commit(batch)?;
        self.engine.sync()
    }

    /// How many articles of a selection were published since an instant; counted no further than
    /// `most`.
    pub(crate) fn count_since(
        &self,
        selection: &Selection,
        since: DateTime<Utc>,
        most: usize,
    ) -> Result<usize, StoreError> {
        let prefix = keys::members_of(selection);
        let (mut count, mut after) = (0, None);
        while count < most {
            let slice = self.engine.scan(&prefix, after.as_deref(), Order::Forward, SLICE)?;
            let is_late = |key: &[u8]| keys::instant_of(key).is_some_and(|at| at >= since);
            let late = slice.iter().take_while(|(key, _)| is_late(key)).count();
            count += late;
            if late < SLICE {
                break;
            }
            after = slice.into_iter().next_back().map(|(key, _)| key);
        }
        Ok(count.min(most))
    }

    /// The ids of all articles that are not kept out.
    pub(crate) fn ids(&self) -> Result<Vec<ArticleId>, StoreError> {
        let members = self.scan(Space::Member, &keys::members_of(&Selection::All), usize::MAX)?;
        Ok(members.iter().filter_map(|(key, _)| keys::id_of(key)).collect())
    }

    fn views(&self, id: ArticleId) -> Result<Option<u64>, StoreError> {
        let key = keys::views(id);
        let value = self.engine.get(&key)?;
        value.map(|value| self.record(Space::Views, &key, &value)).transpose()
    }

    fn reads(&self, id: ArticleId) -> Result<u64, StoreError> {
        let key = keys::reads(id);
        let value = self.engine.get(&key)?;
        value.map_or(Ok(0), |value| self.record(Space::Reads, &key, &value))
    }

    /// What was published at about the same time, but for the article itself.
    fn near(&self, article: &Article) -> Result<Vec<Article>, StoreError> {
        let all = Selection::All;
        let prefix = keys::members_of(&all);
        let here = keys::members_from(&all, article.published);
        let mut near = Vec::new();
        for order in [Order::Forward, Order::Reverse] {
            for (key, _) in self.engine.scan(&prefix, Some(&here), order, NEAR_MAX)? {
                let is_near = keys::instant_of(&key)
                    .is_some_and(|published| (published - article.published).abs() <= WITHIN);
                if !is_near {
                    break;
                }
                near.extend(self.named_by(&all, &key)?);
            }
        }
        near.retain(|other| other.id != article.id);
        Ok(near)
    }

    /// The newest articles of the selections that it is in, the narrow ones first.
    fn kin(&self, article: &Article) -> Result<Vec<Article>, StoreError> {
        let labels = &article.labels;
        let mut selections: Vec<Selection> = Vec::new();
        for region in labels.regions.keys() {
            let both = |tag: &_| Selection::RegionTag(region.clone(), Clone::clone(tag));
            selections.extend(labels.tags.keys().map(both));
        }
        selections.extend(labels.communities.keys().cloned().map(Selection::Community));
        selections.extend(labels.tags.keys().cloned().map(Selection::Tag));
        selections.extend(labels.regions.keys().cloned().map(Selection::Region));
        let mut seen = BTreeSet::from([article.id]);
        let mut kin = Vec::new();
        for selection in selections.iter().take(SELECTIONS_MAX) {
            let prefix = keys::members_of(selection);
            for (key, _) in self.scan(Space::Member, &prefix, KIN_MAX)? {
                if keys::id_of(&key).is_some_and(|id| seen.insert(id)) {
                    kin.extend(self.named_by(selection, &key)?);
                }
            }
        }
        Ok(kin)
    }
}
