//! What the store and what is published of it must be, held against what the model knows.

use crate::model::Seen;
use crate::publishers::named;
use crate::world::World;
use atom_syndication::Feed;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use visnyk::model::article::Article;
use visnyk::serve::documents::Documents;
use visnyk::store::Store;

/// Longer archives are not walked to their end.
const PAGES_MAX: usize = 2000;

/// Holds what is in the store, which is durable, against what is known. Gives what is wrong.
pub(crate) async fn check_store(world: &World, store: &Store) -> Vec<String> {
    let mut wrong = Vec::new();
    match store.histories().await {
        Ok(histories) => world.settle(&histories),
        Err(error) => wrong.push(format!("histories: {error}")),
    }
    match store.audit().await {
        Ok(found) => wrong.extend(found.into_iter().take(5).map(|found| format!("audit: {found}"))),
        Err(error) => wrong.push(format!("audit: {error}")),
    }
    let articles = match all(store).await {
        Ok(articles) => articles,
        Err(error) => return vec![format!("articles: {error}")],
    };
    wrong.extend(world.compare(&articles));
    wrong
}

async fn all(store: &Store) -> Result<Vec<Article>, visnyk::store::error::StoreError> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let taking = Arc::clone(&found);
    let take = move |articles: &[Article]| {
        taking.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(articles);
    };
    store.for_each(take).await?;
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *found))
}

impl World {
    /// Learns from the histories what became of polls.
    pub(crate) fn settle(
        &self,
        histories: &BTreeMap<visnyk::model::id::FeedId, visnyk::model::exchange::History>,
    ) {
        let mut guard = self.state();
        let state = &mut *guard;
        for (ledger, source) in state.model.feeds.iter_mut().zip(&mut state.publishers.sources) {
            let known = histories.iter().find(|(id, _)| id.as_str() == source.id);
            if let Some((_, history)) = known {
                source.see(ledger.settle(history));
            }
        }
    }

    /// Holds all articles against what is known, and keeps what they are now.
    fn compare(&self, articles: &[Article]) -> Vec<String> {
        let mut guard = self.state();
        let state = &mut *guard;
        let latest = state.time.latest();
        let mut wrong = Vec::new();
        let mut now = BTreeMap::new();
        let mut by_entry: BTreeMap<(String, String), u32> = BTreeMap::new();
        let mut iris = BTreeSet::new();
        for article in articles {
            let id = article.id.to_string();
            let Some((uid, version)) = named(&article.title) else {
                wrong.push(format!("{id} is no entry: {:?}", article.title));
                continue;
            };
            let feed = article.feed.to_string();
            let entry = (feed.clone(), uid.clone());
            if by_entry.insert(entry.clone(), version).is_some() {
                wrong.push(format!("{uid} is twice in {feed}"));
            }
            if state.model.taken_down.contains(&entry) {
                wrong.push(format!("{uid} of {feed} was taken down, and is there"));
            }
            if !iris.insert(article.iri.clone()) {
                wrong.push(format!("two articles bear {}", article.iri));
            }
            if article.updated > latest || article.published > article.first_seen {
                wrong.push(format!(
                    "{uid}: updated {}, published {}, first seen {}, now {latest}",
                    article.updated, article.published, article.first_seen
                ));
            }
            let seen = Seen {
                feed,
                uid,
                iri: article.iri.clone(),
                published: article.published,
                first_seen: article.first_seen,
                updated: article.updated,
                revision: article.revision,
                words: [article.title.clone(), article.lead.clone(), article.body.clone()],
            };
            if let Some(before) = state.model.articles.get(&id) {
                wrong.extend(changed(before, &seen));
            }
            now.insert(id, seen);
        }
        for (ledger, source) in state.model.feeds.iter().zip(&state.publishers.sources) {
            let removed = source.items.iter().filter(|item| item.is_removed);
            let removed: BTreeSet<&String> = removed.map(|item| &item.uid).collect();
            for (uid, version) in &ledger.acknowledged {
                let entry = (source.id.clone(), uid.clone());
                match by_entry.get(&entry) {
                    Some(there) if there < version => wrong
                        .push(format!("{uid} of {} is v{there}, and was v{version}", source.id)),
                    Some(_) => {}
                    None if removed.contains(uid) => {}
                    None if state.model.taken_down.contains(&entry) => {}
                    None if state.model.perhaps_down.contains(&entry) => {}
                    None => {
                        wrong.push(format!("{uid} of {} was acknowledged, and is lost", source.id));
                    }
                }
            }
        }
        state.model.articles = now;
        wrong
    }
}

/// What may not change of an article, and did.
fn changed(before: &Seen, now: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    let uid = &now.uid;
    if (&before.feed, &before.uid) != (&now.feed, &now.uid) {
        wrong.push(format!("{} of {} became {uid} of {}", before.uid, before.feed, now.feed));
    }
    if before.iri != now.iri {
        wrong.push(format!("the IRI of {uid} was {} and is {}", before.iri, now.iri));
    }
    if (before.published, before.first_seen) != (now.published, now.first_seen) {
        wrong.push(format!("the dates of {uid} moved"));
    }
    let is_same = before.words == now.words;
    let revisions = now.revision.wrapping_sub(before.revision);
    if (before.updated != now.updated && revisions == 0) || (is_same && revisions == 1) {
        wrong.push(format!(
            "{uid} is updated {} after {}, {revisions} revisions on, and says {}",
            now.updated,
            before.updated,
            if is_same { "the same" } else { "something else" }
        ));
    }
    wrong
}

/// Walks what is published: every article of a feed is there once, in its newest version.
pub(crate) async fn check_documents(
    world: &World,
    store: &Store,
    documents: &Documents,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let (sources, mut all): (Vec<String>, BTreeSet<String>) = {
        let state = world.state();
        let listed = state.publishers.sources.iter().filter(|source| source.is_listed);
        let ids: Vec<String> = listed.map(|source| source.id.clone()).collect();
        let articles = state.model.articles.values();
        let known = articles.filter(|seen| ids.contains(&seen.feed)).map(|seen| seen.uid.clone());
        let known = known.collect();
        (ids, known)
    };
    for source in sources {
        let expected: BTreeMap<String, String> = {
            let state = world.state();
            let own = state.model.articles.values().filter(|seen| seen.feed == source);
            own.map(|seen| (seen.iri.clone(), seen.words[0].clone())).collect()
        };
        match walk(documents, &format!("/sources/{source}.atom")).await {
            Ok(found) => {
                for (iri, title) in &expected {
                    let first = found.iter().find(|(there, _)| there == iri);
                    if first.map(|(_, title)| title) != Some(title) {
                        wrong.push(format!("/sources/{source}.atom: {title} is {first:?}"));
                    }
                }
            }
            Err(error) => wrong.push(error),
        }
    }
    match walk(documents, "/all.atom").await {
        Ok(found) => {
            for (_, title) in found {
                all.retain(|uid| named(&title).is_none_or(|(there, _)| there != *uid));
            }
            wrong.extend(all.into_iter().map(|uid| format!("/all.atom has no {uid}")));
        }
        Err(error) => wrong.push(error),
    }
    // What does not fit on a front is missing until the store can be written again.
    let is_written = store.add_reads(BTreeMap::new()).await.is_ok();
    if is_written { wrong } else { Vec::new() }
}

/// The ids and titles of a front and of all pages behind it, the newest first.
async fn walk(documents: &Documents, path: &str) -> Result<Vec<(String, String)>, String> {
    let mut path = path.to_owned();
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = documents.at(&path) else { return Err(format!("{path} is nothing")) };
        let rendered = match documents.get(&page).await {
            Ok(rendered) => rendered,
            Err(error) => return Err(format!("{path}: {error}")),
        };
        let feed = Feed::read_from(&rendered.identity[..])
            .map_err(|error| format!("{path} is no Atom: {error}"))?;
        let ids: BTreeSet<&String> = feed.entries.iter().map(|entry| &entry.id).collect();
        if ids.len() != feed.entries.len() {
            return Err(format!("{path} has an id twice"));
        }
        let entries = feed.entries.iter();
        found.extend(entries.map(|entry| (entry.id.clone(), entry.title.value.clone())));
        let previous = feed.links.iter().find(|link| link.rel == "prev-archive");
        let Some(previous) = previous else { return Ok(found) };
        let address: url::Url =
            previous.href.parse().map_err(|error| format!("{path}: {error}"))?;
        address.path().clone_into(&mut path);
    }
    Err(format!("{path}: its archive has no end"))
}
