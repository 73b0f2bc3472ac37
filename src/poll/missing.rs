//! Articles that their source took down: gone from a feed that goes back further, and their page
//! gone too.
//!
//! That an article is missing from a document proves little: sites leave entries out and bring
//! them back. So its page is asked for, as seldom as can be: a few pages a poll, each page again
//! only after days. An article goes when its page has been gone (404 or 410) twice, an hour apart
//! at least, while the page of one that the document still has is there: a site that hides all its
//! pages from us takes nothing down.
//!
//! What is suspected is kept in memory: a restart only puts the end off.

use crate::fetch::Fetched;
use crate::fetch::Fetcher;
use crate::fetch::error::FetchError;
use crate::model::article::Article;
use crate::model::exchange::Request;
use crate::model::feed::Feed;
use crate::model::front::Removal;
use crate::model::front::Remover;
use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use http::StatusCode;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tracing::info;
use url::Url;

/// How many pages of missing articles are asked for in one poll.
const ASKED_MAX: usize = 2;
/// How many pages of one feed's articles are asked for in a day.
const ASKED_A_DAY_MAX: u32 = 10;
/// After this a page that was gone is asked for again.
const AGAIN: TimeDelta = TimeDelta::hours(1);
/// After this a page that was there is.
const MUCH_LATER: TimeDelta = TimeDelta::days(7);
/// How many articles are kept in mind.
const KEPT_MAX: usize = 10_000;

/// The articles of a feed that may have been taken down.
#[derive(Debug, Clone)]
pub struct Suspects {
    /// The feed.
    pub feed: Arc<Feed>,
    /// The known articles that a whole document of it should have and has not.
    pub missing: Vec<ArticleId>,
    /// Some of those that it has.
    pub witnesses: Vec<ArticleId>,
}

/// What is known of pages that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Suspicions(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    articles: HashMap<ArticleId, Suspicion>,
    /// For each feed, a day and how often its pages were asked for on it.
    asked: HashMap<FeedId, (i64, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Suspicion {
    /// Not to be asked for before.
    next: DateTime<Utc>,
    /// Whether the page was gone when it was last asked for.
    was_gone: bool,
}

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    /// With this status.
    Gone(StatusCode),
    Unknown,
}

impl Suspicions {
    /// Takes away the missing articles of a feed whose pages are gone. Gives the publications
    /// whose documents are stale.
    pub(super) async fn follow(
        &self,
        (fetcher, store): (&Fetcher, &Store),
        suspects: &Suspects,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<Selection>, StoreError> {
        let Suspects { feed, missing, witnesses } = suspects;
        let mut touched = BTreeSet::new();
        let mut gone = Vec::new();
        let due = missing.iter().filter(|id| self.is_due(**id, now));
        for id in due.take(ASKED_MAX).copied().collect::<Vec<_>>() {
            let Some(article) = legible(store.article(id).await)? else {
                self.remember(id, now + MUCH_LATER, false);
                continue;
            };
            if !self.may_ask(&feed.id, now) {
                break;
            }
            match presence(fetcher, feed, &article).await {
                Presence::Gone(status) if self.was_gone(id) => gone.push((article, status)),
                Presence::Gone(_) => self.remember(id, now + AGAIN, true),
                Presence::There => self.remember(id, now + MUCH_LATER, false),
                Presence::Unknown => self.remember(id, now + AGAIN, self.was_gone(id)),
            }
        }
        for (article, status) in gone {
            let id = article.id;
            if !self.is_open((fetcher, store), feed, &article, witnesses, now).await? {
                self.remember(id, now + AGAIN, true);
                continue;
            }
            let why = format!("no longer in the feed, and its page answers {status}");
            let removal = Removal { by: Remover::Source, why: why.clone(), at: now };
            if let Some(selections) = store.remove(id, removal).await? {
                info!(feed = %feed.id, article = %id, "{} took article {id} down: {why}", feed.id);
                touched.extend(selections);
            }
            self.kept().articles.remove(&id);
        }
        Ok(touched)
    }

    /// Whether the site of an article shows us a page that must be there.
    async fn is_open(
        &self,
        (fetcher, store): (&Fetcher, &Store),
        feed: &Feed,
        gone: &Article,
        witnesses: &[ArticleId],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        for id in witnesses {
            let Some(witness) = legible(store.article(*id).await)? else { continue };
            if host(&witness) == host(gone) {
                let may_ask = self.may_ask(&feed.id, now);
                return Ok(may_ask && presence(fetcher, feed, &witness).await == Presence::There);
            }
        }
        Ok(false)
    }

    fn is_due(&self, id: ArticleId, now: DateTime<Utc>) -> bool {
        self.kept().articles.get(&id).is_none_or(|suspicion| suspicion.next <= now)
    }

    fn was_gone(&self, id: ArticleId) -> bool {
        self.kept().articles.get(&id).is_some_and(|suspicion| suspicion.was_gone)
    }

    fn remember(&self, id: ArticleId, next: DateTime<Utc>, was_gone: bool) {
        let mut kept = self.kept();
        if kept.articles.len() >= KEPT_MAX && !kept.articles.contains_key(&id) {
            let latest = kept.articles.iter().max_by_key(|(_, suspicion)| suspicion.next);
            if let Some(latest) = latest.map(|(id, _)| *id) {
                kept.articles.remove(&latest);
            }
        }
        kept.articles.insert(id, Suspicion { next, was_gone });
    }

    /// Whether one more page of the feed may be asked for today, and counts it.
    fn may_ask(&self, feed: &FeedId, now: DateTime<Utc>) -> bool {
        let today = now.timestamp().div_euclid(24 * 60 * 60);
        let mut kept = self.kept();
        let (day, count) = kept.asked.entry(feed.clone()).or_insert((today, 0));
        if *day != today {
            (*day, *count) = (today, 0);
        }
        *count += 1;
        *count <= ASKED_A_DAY_MAX
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing that is done under the lock leaves it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An article; none if it does not read, which is told elsewhere.
fn legible(article: Result<Option<Article>, StoreError>) -> Result<Option<Article>, StoreError> {
    match article {
        Err(StoreError::Value { .. }) => Ok(None),
        article => article,
    }
}

fn host(article: &Article) -> Option<&str> {
    article.url.as_ref().and_then(Url::host_str)
}

/// Asks for the page of an article as politely as for its feed.
async fn presence(fetcher: &Fetcher, feed: &Feed, article: &Article) -> Presence {
    let Some(url) = article.url.clone() else { return Presence::Unknown };
    let page = feed.leading_to(url);
    match fetcher.fetch(&page, &Request::default()).await {
        Fetched::Document { .. } | Fetched::Failed(FetchError::TooLarge { .. }) => Presence::There,
        Fetched::Gone => Presence::Gone(StatusCode::GONE),
        Fetched::Failed(FetchError::Status { status, .. }) if status == StatusCode::NOT_FOUND => {
            Presence::Gone(status)
        }
        _ => Presence::Unknown,
    }
}
