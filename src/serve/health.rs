//! How the sources do, as their pages tell it.

use crate::model::article::Article;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::publish::html::sources::Because;
use crate::publish::html::sources::Headline;
use crate::publish::html::sources::Health;
use crate::publish::html::sources::State;
use crate::schedule::next_poll;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;

/// How many articles of a week are counted.
const WEEK_MAX: usize = 10_000;
/// How many articles of each source are named.
const LATEST_MAX: usize = 3;

impl Documents {
    /// How these sources do.
    pub(super) async fn healths(
        &self,
        feeds: &[&Feed],
    ) -> Result<BTreeMap<FeedId, Health>, DocumentError> {
        let now = Utc::now();
        let selections: Vec<Selection> =
            feeds.iter().map(|feed| Selection::Source(feed.id.clone())).collect();
        let since = now - TimeDelta::days(7);
        let weeks = self.store().counts_since(selections.clone(), since, WEEK_MAX).await?;
        let mut healths = BTreeMap::new();
        for ((feed, selection), week) in feeds.iter().zip(&selections).zip(weeks) {
            let history = self.store().history(&feed.id).await?.of(&feed.asked_at());
            let newest = self.store().newest(selection, LATEST_MAX).await?;
            let site = newest.first().and_then(|article| article.origin.site_url.clone());
            let headline = |article: &Article| Headline {
                id: article.id,
                title: article.headline().to_owned(),
                language: article.language().map(str::to_owned),
            };
            let latest = newest.iter().map(headline).collect();
            let of_history = health(feed, &history, now);
            let health = Health { site, latest, week: week as u64, ..of_history };
            healths.insert(feed.id.clone(), health);
        }
        Ok(healths)
    }
}

fn health(feed: &Feed, history: &History, now: DateTime<Utc>) -> Health {
    let state = match history.polls.last().map(|poll| &poll.outcome) {
        _ if !feed.enabled => State::Disabled,
        None => State::Unpolled,
        Some(Outcome::Gone) => State::Gone,
        Some(Outcome::Later | Outcome::Postponed) => State::Waiting,
        Some(Outcome::Failed(_) | Outcome::Unreachable(_)) => State::Failing,
        Some(Outcome::Read | Outcome::NotModified) => State::Fine,
    };
    let because = match history.not_before {
        Some(until) if until > now => Because::Asked,
        _ if history.failures > 0 => Because::Failures,
        _ => Because::Schedule,
    };
    Health {
        state,
        failures: u32::try_from(history.failing()).unwrap_or(u32::MAX),
        last_good: history.last_success,
        next: next_poll(feed, history, now).at.map(|at| (Some(at).filter(|at| *at > now), because)),
        week: 0,
        site: None,
        latest: Vec::new(),
    }
}
