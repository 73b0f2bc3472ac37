//! Articles that are taken away: they leave every selection at once, readers are told, and they do
//! not come back.

use crate::model::article::Article;
use crate::model::front::Removal;
use crate::model::front::Removed;
use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::model::publication::selections_of;
use crate::store::archive::Archive;
use crate::store::archive::bad;
use crate::store::engine::Batch;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::members::Turnovers;
use crate::store::records::front::TombRecord;
use std::collections::BTreeSet;

impl Archive {
    /// Takes an article away, and all its versions. What it is known by stays, so that it is known
    /// again, and its IRI, so that no other bears it. Gives the publications whose documents are
    /// stale; none if there is no such article.
    pub(crate) fn remove(
        &mut self,
        id: ArticleId,
        removal: &Removal,
    ) -> Result<Option<BTreeSet<Selection>>, StoreError> {
        let Some(article) = self.article(id)? else { return Ok(None) };
        let mut batch = Batch::new();
        let mut turnovers = Turnovers::new();
        self.turn(&mut batch, Some(&article), None, &mut turnovers, removal.at)?;
        self.write_shelves(&mut batch, &turnovers)?;
        for selection in turnovers.keys() {
            batch.insert(keys::gone(selection, removal.at, id), Some(Vec::new()));
        }
        for (key, _) in self.scan(Space::Version, &keys::versions_of(id), usize::MAX)? {
            batch.insert(key, None);
        }
        batch.insert(keys::article(article.first_seen, id), None);
        batch.insert(keys::place(id), None);
        self.put_tomb(&mut batch, &article, removal)?;
        self.engine.commit(batch)?;
        self.engine.sync()?;
        Ok(Some(turnovers.into_keys().collect()))
    }

    fn put_tomb(
        &self,
        batch: &mut Batch,
        article: &Article,
        removal: &Removal,
    ) -> Result<(), StoreError> {
        let selections = selections_of(article, &self.composed);
        let paths = selections.iter().map(Selection::path).collect();
        let tomb = TombRecord::new(article, paths, removal);
        self.put(batch, Space::Tomb, keys::tomb(article.id), &tomb)
    }

    /// Why an article was taken away; none if it was not.
    pub(crate) fn removal(&self, id: ArticleId) -> Result<Option<Removal>, StoreError> {
        let Some(tomb) = self.tomb(id)? else { return Ok(None) };
        let key = keys::tomb(id);
        let removal = tomb.removal();
        removal.map(Some).map_err(|reason| bad(&self.engine, Space::Tomb, &key, &reason))
    }

    /// What readers are told of an article that was taken away; none if it was not.
    pub(crate) fn removed_article(&self, id: ArticleId) -> Result<Option<Removed>, StoreError> {
        let Some(tomb) = self.tomb(id)? else { return Ok(None) };
        let removal = self.removal(id)?;
        Ok(removal.map(|removal| Removed { iri: tomb.iri, at: removal.at }))
    }

    fn tomb(&self, id: ArticleId) -> Result<Option<TombRecord>, StoreError> {
        let key = keys::tomb(id);
        let value = self.engine.get(&key)?;
        value.map(|value| self.record(Space::Tomb, &key, &value)).transpose()
    }
}
