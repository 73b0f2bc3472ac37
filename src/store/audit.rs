//! Whether the indexes agree with the articles: everything recounted.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::known::Known;
use crate::model::publication::Selection;
use crate::model::publication::selections_of;
use crate::store::archive::Archive;
use crate::store::engine::Order;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::KnownRecord;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How many keys are looked at in one go.
const PAGE_MAX: usize = 1000;

/// What the articles say that there should be.
#[derive(Debug, Default)]
struct Recount {
    keys: BTreeSet<Vec<u8>>,
    shelves: BTreeMap<Selection, (u64, DateTime<Utc>)>,
    faults: Vec<String>,
}

impl Archive {
    /// What does not agree, in words; nothing if all is well.
    pub(crate) fn audit(&self) -> Result<Vec<String>, StoreError> {
        let mut recount = Recount::default();
        self.for_each_page(|articles, unread| {
            recount.faults.extend(unread.iter().map(ToString::to_string));
            articles.iter().try_for_each(|article| self.recount(article, &mut recount))
        })?;
        let Recount { mut keys, shelves, mut faults } = recount;
        for space in [Space::Place, Space::Claim, Space::Known, Space::Member, Space::Fresh] {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let prefix = space.prefix();
                let pairs =
                    self.engine.scan(&prefix, after.as_deref(), Order::Forward, PAGE_MAX)?;
                let Some((last, _)) = pairs.last() else { break };
                after = Some(last.clone());
                for (key, _) in &pairs {
                    if !keys.remove(key) {
                        faults.push(format!("{} {} is too much", space.name(), space.id_at(key)));
                    }
                }
            }
        }
        faults.extend(keys.iter().map(|key| format!("index key {key:02x?} is missing")));
        let stored = self.shelves()?;
        for selection in stored.keys().chain(shelves.keys()).collect::<BTreeSet<_>>() {
            let stored = stored.get(selection);
            let right = match (stored, shelves.get(selection)) {
                (Some(shelf), Some(counted)) => (shelf.count, shelf.updated) == *counted,
                (Some(shelf), None) => shelf.count == 0,
                (None, _) => false,
            };
            if !right {
                let (path, counted) = (selection.path(), shelves.get(selection));
                faults.push(format!("shelf {path} is {stored:?}, counted {counted:?}"));
            }
        }
        Ok(faults)
    }

    fn recount(&self, article: &Article, recount: &mut Recount) -> Result<(), StoreError> {
        let id = article.id;
        let selections = selections_of(article, &self.composed);
        recount.keys.extend(keys::memberships(article, &selections).into_keys());
        for selection in selections {
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
