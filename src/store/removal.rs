//! Articles that are taken away: they leave every selection at once, readers are told, and they do
//! not come back.

use crate::model::front::Removal;
use crate::model::front::Removed;
use crate::model::front::Remover;
use crate::model::id::ArticleId;
use crate::model::publication::Selection;
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
        batch.insert(keys::trail(article.first_seen, id), None);
        if removal.by == Remover::Admin {
            // It holds the words that are to be gone. What the source took down is not in it.
            self.withhold_document(&mut batch, &article.feed)?;
        }
        batch.insert(keys::place(id), None);
        batch.insert(keys::reads(id), None);
        batch.insert(keys::views(id), None);
        batch.insert(keys::pin(id), None);
        let paths = turnovers.keys().map(Selection::path).collect();
        let tomb = TombRecord::new(&article, paths, removal);
        self.put(&mut batch, Space::Tomb, keys::tomb(id), &tomb)?;
        self.engine.commit(batch)?;
        self.engine.sync()?;
        Ok(Some(turnovers.into_keys().collect()))
    }

    /// Why an article was taken away; none if it was not.
    pub(crate) fn removal(&self, id: ArticleId) -> Result<Option<Removal>, StoreError> {
        Ok(self.tomb(id)?.map(|(_, removal)| removal))
    }

    /// What readers are told of an article that was taken away; none if it was not.
    pub(crate) fn removed_article(&self, id: ArticleId) -> Result<Option<Removed>, StoreError> {
        Ok(self.tomb(id)?.map(|(iri, removal)| Removed { iri, at: removal.at }))
    }

    /// The id in Atom of an article that was taken away, and why it was.
    fn tomb(&self, id: ArticleId) -> Result<Option<(String, Removal)>, StoreError> {
        let key = keys::tomb(id);
        let Some(value) = self.engine.get(&key)? else { return Ok(None) };
        let tomb: TombRecord = self.record(Space::Tomb, &key, &value)?;
        let removal = tomb.removal();
        let removal = removal.map_err(|reason| bad(&self.engine, Space::Tomb, &key, &reason))?;
        Ok(Some((tomb.iri, removal)))
    }
}
