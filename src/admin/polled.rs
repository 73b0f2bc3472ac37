//! How a poll ended, as an admin is told who asked for it: what it brought, what the publisher asks
//! for, and when the feed is polled next and why.

use crate::model::exchange::History;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::rhythm::Rhythm;
use crate::schedule::PollTime;
use crate::schedule::limit::length;
use serde_json::Value;
use serde_json::json;

/// The beginning of what is told of a feed that is not there.
pub const UNKNOWN: &str = "no feed";

/// A poll that was recorded: the last one of the history.
#[must_use]
pub fn ended_poll(feed: &Feed, history: &History, planned: &PollTime) -> Value {
    let Some(poll) = history.polls.last() else {
        return lost_poll(&feed.id, "nothing is known of it");
    };
    json!({
        "feed": feed.id.as_str(),
        "outcome": poll.outcome.word(),
        "has_failed": poll.outcome.has_failed(),
        "told": poll.outcome.reason(),
        "entries": poll.tally.entries,
        "new": poll.tally.added,
        "changed": poll.tally.updated,
        "rejected": poll.tally.rejected,
        "bytes": poll.bytes,
        "duration_ms": u64::try_from(poll.duration.as_millis()).unwrap_or(u64::MAX),
        "moved_to": history.relocation.stored.as_ref().map(url::Url::as_str),
        "asks_for": asks_for(history),
        "repairs": poll.repairs,
        "not_obeyed": planned.ignored,
        "next_poll": planned.at.map(|at| {
            at.with_timezone(&feed.timezone).format("%Y-%m-%d %H:%M:%S %Z").to_string()
        }),
        "reason": planned.reason,
    })
}

/// A poll of which nothing was recorded.
#[must_use]
pub fn lost_poll(feed: &FeedId, why: &str) -> Value {
    json!({ "feed": feed.as_str(), "outcome": "lost", "has_failed": true, "told": why })
}

/// What the publisher asks for, in words.
fn asks_for(history: &History) -> Vec<String> {
    let Rhythm { ttl, update_every, skip_hours, skip_days } = &history.rhythm;
    let wishes = [("fresh for", &history.freshness), ("ttl", ttl), ("changes every", update_every)];
    let mut asked: Vec<String> = wishes
        .iter()
        .filter_map(|(name, wish)| Some(format!("{name} {}", length((**wish)?))))
        .collect();
    if !skip_hours.is_empty() {
        asked.push(format!("no polls in the hours {skip_hours:?} (UTC)"));
    }
    if !skip_days.is_empty() {
        asked.push(format!("no polls on {skip_days} (UTC)"));
    }
    asked
}
