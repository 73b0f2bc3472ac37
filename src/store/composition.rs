//! Publications that the admin composed: indexed anew when their definition changes.
//!
//! # Why a definition is struck out first
//! A change takes many batches. Were the store stopped in between and opened with the old
//! definition, that would look indexed and be half so. Struck out, it is no definition's digest,
//! and the work begins again.

use crate::model::article::Article;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::id::PublicationId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::publication::Publication;
use crate::model::publication::Selection;
use crate::store::archive::Archive;
use crate::store::engine::Batch;
use crate::store::engine::Order;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::members::Turnovers;
use crate::store::members::fresh_place;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tracing::error;

/// How many keys or articles one batch takes in.
const BATCH_MAX: usize = 500;

const STRUCK_OUT: [u8; 16] = [0; 16];

impl Archive {
    /// Makes the indexes those of `composed`, and of nothing else that was composed. Gives the
    /// selections that are not what they were.
    pub(crate) fn compose(
        &mut self,
        composed: Vec<Publication>,
        at: DateTime<Utc>,
    ) -> Result<BTreeSet<Selection>, StoreError> {
        self.upgrade()?;
        let stored = self.definitions()?;
        let wanted: BTreeMap<&PublicationId, [u8; 16]> =
            composed.iter().map(|publication| (&publication.id, definition(publication))).collect();
        let differs = |id: &PublicationId| stored.get(id) != wanted.get(id);
        let all: BTreeSet<&PublicationId> = stored.keys().chain(wanted.keys().copied()).collect();
        let changed: BTreeSet<PublicationId> =
            all.into_iter().filter(|id| differs(id)).cloned().collect();
        if !changed.is_empty() {
            self.strike_out(&changed)?;
            self.clear(&changed)?;
            let fresh: Vec<&Publication> =
                composed.iter().filter(|publication| changed.contains(&publication.id)).collect();
            let turnovers = self.index(&fresh, at)?;
            let mut last = Batch::new();
            self.write_shelves(&mut last, &turnovers)?;
            for id in changed.iter().filter(|id| !wanted.contains_key(id)) {
                last.insert(keys::definition(id), None);
            }
            for publication in fresh {
                let key = keys::definition(&publication.id);
                self.put(&mut last, Space::Definition, key, &definition(publication))?;
            }
            self.engine.commit(last)?;
            self.engine.sync()?;
        }
        self.composed = composed;
        Ok(changed.into_iter().map(Selection::Composed).collect())
    }

    fn definitions(&self) -> Result<BTreeMap<PublicationId, [u8; 16]>, StoreError> {
        let pairs = self.scan(Space::Definition, &Space::Definition.prefix(), usize::MAX)?;
        let mut definitions = BTreeMap::new();
        for (key, value) in pairs {
            let digest = self.record(Space::Definition, &key, &value)?;
            if let Some(id) = keys::text_of(&key).and_then(|text| text.parse().ok()) {
                definitions.insert(id, digest);
            }
        }
        Ok(definitions)
    }

    fn strike_out(&mut self, publications: &BTreeSet<PublicationId>) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for id in publications {
            self.put(&mut batch, Space::Definition, keys::definition(id), &STRUCK_OUT)?;
            let selection = Selection::Composed(id.clone());
            batch.insert(keys::shelf(&selection), None);
            self.cut(&mut batch, &selection)?;
        }
        self.engine.commit(batch)?;
        self.engine.sync()
    }

    fn clear(&self, publications: &BTreeSet<PublicationId>) -> Result<(), StoreError> {
        for id in publications {
            let selection = Selection::Composed(id.clone());
            let indexes = [
                keys::members_of,
                keys::fresh_of,
                keys::open_of,
                keys::left_of,
                keys::all_copies_of,
            ];
            for prefix in indexes.map(|index| index(&selection)) {
                loop {
                    let pairs = self.engine.scan(&prefix, None, Order::Forward, BATCH_MAX)?;
                    if pairs.is_empty() {
                        break;
                    }
                    self.engine.commit(pairs.into_iter().map(|(key, _)| (key, None)).collect())?;
                }
            }
        }
        Ok(())
    }

    fn index(
        &self,
        publications: &[&Publication],
        at: DateTime<Utc>,
    ) -> Result<Turnovers, StoreError> {
        let mut turnovers = Turnovers::new();
        if publications.is_empty() {
            return Ok(turnovers);
        }
        self.for_each_page(|articles, unread| {
            for error in unread {
                error!(%error, "an article is not indexed: {error}");
            }
            let mut batch = Batch::new();
            for publication in publications {
                let selection = Selection::Composed(publication.id.clone());
                let holds = |article: &&Article| {
                    article.labels.excluded_by.is_none() && publication.holds(article)
                };
                for article in articles.iter().filter(holds) {
                    let turnover = self.turnover(&mut turnovers, &selection, at)?;
                    turnover.growth += 1;
                    let place = fresh_place(article, at, turnover.changed);
                    self.enter(&mut batch, &selection, article, place)?;
                }
            }
            self.engine.commit(batch)
        })?;
        Ok(turnovers)
    }

    /// Every article, page by page, in the order in which they were first seen; and beside them
    /// why others do not read.
    pub(crate) fn for_each_page(
        &self,
        mut visit: impl FnMut(&[Article], &[StoreError]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.for_pages(|articles, unread| {
            visit(articles, unread)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// The same, until `visit` has seen enough.
    pub(crate) fn for_pages(
        &self,
        mut visit: impl FnMut(&[Article], &[StoreError]) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.for_pairs(Space::Article, |pairs| {
            let (mut articles, mut unread) = (Vec::new(), Vec::new());
            for (key, value) in pairs {
                match self.read_article(key, value) {
                    Ok(article) => articles.push(article),
                    Err(error) => unread.push(error),
                }
            }
            visit(&articles, &unread)
        })
    }
}

// Of what decides which articles a publication holds; not of its title.
fn definition(publication: &Publication) -> [u8; 16] {
    let mut parts: Vec<&str> = Vec::new();
    parts.extend(publication.regions.iter().map(RegionId::as_str));
    parts.push("");
    parts.extend(publication.communities.iter().map(CommunityId::as_str));
    parts.push("");
    parts.extend(publication.tags.iter().map(TagId::as_str));
    parts.push("");
    parts.extend(publication.feeds.iter().map(FeedId::as_str));
    parts.push("");
    parts.extend(publication.without_tags.iter().map(TagId::as_str));
    Digest::of(parts).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Engine;

    #[test]
    fn an_indexing_that_was_interrupted_begins_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = Archive::new(Engine::open(folder.path()).unwrap()).unwrap();
        let id = PublicationId::new("some").unwrap();
        let publication = Publication {
            id: id.clone(),
            title: "Побратими".to_owned(),
            subtitle: None,
            regions: BTreeSet::new(),
            communities: BTreeSet::new(),
            tags: BTreeSet::new(),
            feeds: BTreeSet::new(),
            without_tags: BTreeSet::new(),
        };
        let compose = |archive: &mut Archive| {
            archive.compose(vec![publication.clone()], DateTime::UNIX_EPOCH).unwrap().len()
        };
        assert_eq!([compose(&mut archive), compose(&mut archive)], [1, 0]);
        archive.strike_out(&BTreeSet::from([id])).unwrap();
        assert_eq!([compose(&mut archive), compose(&mut archive)], [1, 0]);
    }
}
