//! How the sources do, as their pages tell it.

use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::publish::html::sources::Because;
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

/// A source, and its newest articles: their ids and headlines.
pub(super) type Healths = BTreeMap<FeedId, (Health, Vec<(String, String)>)>;

impl Documents {
    /// How these sources do.
    pub(super) async fn healths(&self, feeds: &[&Feed]) -> Result<Healths, DocumentError> {
        let now = Utc::now();
        let selections: Vec<Selection> =
            feeds.iter().map(|feed| Selection::Source(feed.id.clone())).collect();
        let since = now - TimeDelta::days(7);
        let weeks = self.store().counts_since(selections.clone(), since, WEEK_MAX).await?;
        let mut healths = Healths::new();
        for ((feed, selection), week) in feeds.iter().zip(&selections).zip(weeks) {
            let history = self.store().history(&feed.id).await?.of(&feed.asked_at());
            let newest = self.store().newest(selection, LATEST_MAX).await?;
            let site = newest.first().and_then(|article| article.origin.site_url.clone());
            let latest = newest.iter().map(|a| (a.id.to_string(), a.headline().to_owned()));
            let health = Health { site, week: week as u64, ..health(feed, &history, now) };
            healths.insert(feed.id.clone(), (health, latest.collect()));
        }
        Ok(healths)
    }
}

fn health(feed: &Feed, history: &History, now: DateTime<Utc>) -> Health {
    let failing = history.polls.iter().rev().take_while(|poll| poll.outcome.has_failed()).count();
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
        failures: u32::try_from(failing).unwrap_or(u32::MAX),
        last_good: history.last_success,
        next: next_poll(feed, history, now).at.map(|at| (Some(at).filter(|at| *at > now), because)),
        week: 0,
        site: None,
    }
}
