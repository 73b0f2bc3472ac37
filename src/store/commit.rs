//! What a poll found, as one batch: articles, indexes, counters, and the poll's own history.
//!
//! # Why one batch
//! The validators of a poll vouch for its articles: a store that had the one without the other
//! after a crash would be told "not modified" for ever. And an index that disagrees with the
//! articles would need a repair that nobody starts.

use crate::model::article::Article;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::feed::Feed;
use crate::model::front::Remover;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::known::Change;
use crate::model::known::Harvest;
use crate::model::known::Known;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::revision::Words;
use crate::store::archive::Archive;
use crate::store::engine::Batch;
use crate::store::engine::Order;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::members::Turnovers;
use crate::store::records::KnownRecord;
use crate::store::records::ShelfRecord;
use crate::store::trail::Content;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// An article before and after a commit.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) before: Option<Article>,
    pub(crate) after: Article,
}

/// What a commit is about to write, before any of it is written.
#[derive(Debug, Default)]
struct Drafts {
    articles: BTreeMap<ArticleId, Draft>,
    claims: BTreeMap<Vec<u8>, ArticleId>,
    /// What is known from now on of what was taken away or dropped, and still comes.
    gone: Vec<Known>,
    /// What comes, and is older than it would be kept.
    past: BTreeMap<ArticleId, Article>,
    /// How often articles were read that are as they were.
    views: BTreeMap<ArticleId, u64>,
    /// What they say of the document that they are from.
    content: Content,
}

/// How a batch changes a selection.
#[derive(Debug)]
pub(crate) struct Turnover {
    /// The counters before.
    pub(crate) before: Option<Shelf>,
    /// What [`Shelf::changed`] becomes.
    pub(crate) changed: DateTime<Utc>,
    /// Articles that come, less those that go.
    pub(crate) growth: i64,
    /// Keys of [`keys::fresh`] that go.
    pub(crate) gone: BTreeSet<Vec<u8>>,
    /// Keys of [`keys::fresh`] that come.
    pub(crate) come: BTreeSet<Vec<u8>>,
}

impl Archive {
    /// Writes what a poll found. Gives the publications whose documents are stale. Durable after
    /// the engine's next sync.
    pub(crate) fn commit(
        &self,
        feed: &Feed,
        history: &History,
        harvest: Harvest,
        at: DateTime<Utc>,
    ) -> Result<BTreeSet<Selection>, StoreError> {
        let Harvest { changes, provenances, document } = harvest;
        let drafts = self.drafts(feed, changes, at)?;
        let mut batch = Batch::new();
        let mut turnovers = Turnovers::new();
        let mut words = Words::of_commit();
        for draft in drafts.articles.values() {
            self.write_draft(&mut batch, draft, &mut turnovers, at)?;
            let provenance = provenances.get(&draft.after.id);
            self.put_trail(&mut batch, draft, provenance, &mut words, at)?;
            if draft.before.is_some() {
                // The article itself now says how often it was read.
                batch.insert(keys::views(draft.after.id), None);
            }
        }
        for article in drafts.past.values() {
            self.drop_at_once(&mut batch, article, at)?;
        }
        for known in drafts.gone {
            let key = keys::known(&feed.id, known.first_seen, known.id);
            self.put(&mut batch, Space::Known, key, &KnownRecord::from(&known))?;
        }
        for (id, views) in drafts.views {
            self.put_views(&mut batch, id, views)?;
        }
        for (claim, id) in drafts.claims {
            self.put(&mut batch, Space::Claim, claim, &id.0.0)?;
        }
        self.write_shelves(&mut batch, &turnovers)?;
        if let Some(document) = document {
            let content = match drafts.content {
                Content::Same if is_other_tally(history) => Content::Fresh,
                content => content,
            };
            self.put_document(&mut batch, &feed.id, &document, content, at)?;
        }
        self.put_history(&mut batch, &feed.id, history)?;
        self.engine.commit(batch)?;
        Ok(turnovers.into_keys().collect())
    }

    /// Writes the counters of the selections that changed.
    pub(crate) fn write_shelves(
        &self,
        batch: &mut Batch,
        turnovers: &Turnovers,
    ) -> Result<(), StoreError> {
        for (selection, turnover) in turnovers {
            let Turnover { before, changed, growth, .. } = turnover;
            let newest = self.newest_update(selection, turnover)?;
            // What was emptied keeps the date of its last article: never now.
            let updated = newest.or(before.map(|shelf| shelf.updated)).unwrap_or(*changed);
            let count = before.map_or(0, |shelf| shelf.count).saturating_add_signed(*growth);
            let after = ShelfRecord::from(&Shelf { count, updated, changed: *changed });
            self.put(batch, Space::Shelf, keys::shelf(selection), &after)?;
        }
        Ok(())
    }

    fn drafts(
        &self,
        feed: &Feed,
        changes: Vec<Change>,
        at: DateTime<Utc>,
    ) -> Result<Drafts, StoreError> {
        let mut drafts = Drafts::default();
        for change in changes {
            let (fresh, replaces) = match change {
                Change::Added(article) => (article, false),
                Change::Updated(article) | Change::Relabelled(article) => (article, true),
                Change::Unchanged(id, views) => {
                    drafts.views.extend(views.map(|views| (id, views)));
                    self.look_for_tomb(id, &mut drafts.content);
                    continue;
                }
            };
            owned(feed, &fresh)?;
            let id = fresh.id;
            if self.engine.get(&keys::tomb(id))?.is_some() {
                self.look_for_tomb(id, &mut drafts.content);
                drafts.gone.extend(self.known_anew(&fresh)?);
                continue;
            }
            drafts.content = drafts.content.max(Content::Fresh);
            if drafts.past.contains_key(&id) {
                continue;
            }
            if self.engine.get(&keys::dropped(id))?.is_some() {
                drafts.gone.extend(self.known_anew(&fresh)?);
                continue;
            }
            if let Some(draft) = drafts.articles.get_mut(&id) {
                if replaces {
                    draft.after = kept(&draft.after, fresh);
                }
                continue;
            }
            if let Some(before) = self.article(id)? {
                owned(feed, &before)?;
                let after = kept(&before, fresh);
                if replaces && after != before {
                    drafts.articles.insert(id, Draft { before: Some(before), after });
                }
            } else {
                let after = self.claimed(feed, fresh, &mut drafts.claims)?;
                if self.retention.is_past(&after, at) {
                    drafts.past.insert(id, after);
                } else {
                    drafts.articles.insert(id, Draft { before: None, after });
                }
            }
        }
        Ok(drafts)
    }

    /// What is to be known of an article that is kept out: its source gives it another id today and
    /// another page tomorrow, and it has to be known again by what was the same. None if it is not
    /// known as this one.
    fn known_anew(&self, fresh: &Article) -> Result<Option<Known>, StoreError> {
        let key = keys::known(&fresh.feed, fresh.first_seen, fresh.id);
        let known = self.get::<KnownRecord, Known>(Space::Known, &key)?;
        Ok(known.map(|Known { iri, published, .. }| Known { iri, published, ..Known::of(fresh) }))
    }

    /// Notes that the admin took an article down that still comes.
    fn look_for_tomb(&self, id: ArticleId, content: &mut Content) {
        let is_by_admin = match self.removal(id) {
            Ok(removal) => removal.is_some_and(|removal| removal.by == Remover::Admin),
            // Whatever it says, it was taken down: the words are better lost than kept.
            Err(error) => {
                tracing::error!(%error, "why an article was taken down is not known: {error}");
                true
            }
        };
        if is_by_admin {
            *content = Content::TakenDown;
        }
    }

    /// A new article with an IRI that no other bears: its own, else a minted one. Another feed
    /// may have claimed that too, to be taken for this one; so there are more, without end.
    fn claimed(
        &self,
        feed: &Feed,
        mut article: Article,
        claims: &mut BTreeMap<Vec<u8>, ArticleId>,
    ) -> Result<Article, StoreError> {
        let id = article.id;
        let mut round: u32 = 1;
        loop {
            let claim = keys::claim(&article.iri);
            let holder = match (claims.get(&claim), self.engine.get(&claim)?) {
                (Some(holder), _) => Some(*holder),
                (None, Some(value)) => {
                    let id: [u8; 16] = self.record(Space::Claim, &claim, &value)?;
                    Some(ArticleId(Digest(id)))
                }
                (None, None) => None,
            };
            if holder.is_none_or(|holder| holder == id) {
                claims.insert(claim, id);
                return Ok(article);
            }
            article.iri = match round {
                1 => feed.tagging.mint_article(&feed.id, id),
                _ => feed.tagging.mint(&format!("{}/{id}/{round}", feed.id)),
            };
            round += 1;
        }
    }

    /// Adds an article and its indexes to a batch.
    pub(crate) fn write_draft(
        &self,
        batch: &mut Batch,
        draft: &Draft,
        turnovers: &mut Turnovers,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Draft { before, after } = draft;
        self.turn(batch, before.as_ref(), Some(after), turnovers, at)?;
        self.put_article(batch, after)?;
        let known = keys::known(&after.feed, after.first_seen, after.id);
        self.put(batch, Space::Known, known, &KnownRecord::from(&Known::of(after)))?;
        if before.is_none() {
            let place = keys::article(after.first_seen, after.id);
            self.put(batch, Space::Place, keys::place(after.id), &place)?;
        }
        Ok(())
    }

    /// The newest `updated` in a selection once the turnover is written.
    fn newest_update(
        &self,
        selection: &Selection,
        turnover: &Turnover,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let limit = turnover.gone.len() + 1;
        let stored = self.engine.scan(&keys::fresh_of(selection), None, Order::Forward, limit)?;
        let staying = stored.iter().map(|(key, _)| key).find(|key| !turnover.gone.contains(*key));
        let newest = staying.into_iter().chain(turnover.come.first()).min();
        Ok(newest.and_then(|key| keys::instant_of(key)))
    }
}

/// Whether the last document had other numbers of entries than the one before it.
fn is_other_tally(history: &History) -> bool {
    let read = history.polls.iter().rev().filter(|poll| poll.outcome == Outcome::Read);
    let mut tallies = read.map(|poll| (poll.tally.entries, poll.tally.rejected));
    let (last, before) = (tallies.next(), tallies.next());
    last != before
}

// No feed can change another feed's article, whatever ids it claims.
fn owned(feed: &Feed, article: &Article) -> Result<(), StoreError> {
    if article.feed == feed.id {
        return Ok(());
    }
    let (feed, owner) = (feed.id.to_string(), article.feed.to_string());
    Err(StoreError::Foreign { feed, article: article.id.to_string(), owner })
}

/// A fresh article with what was settled at first sight.
fn kept(stored: &Article, fresh: Article) -> Article {
    Article {
        iri: stored.iri.clone(),
        published: stored.published,
        first_seen: stored.first_seen,
        ..fresh
    }
}
