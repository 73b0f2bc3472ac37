//! The board as JSON: what the admin's socket says, and `visnyk status --json`.
//!
//! The shape is stable: keys may be added, and none changes its meaning.

use crate::admin::board::Line;
use crate::admin::board::State;
use crate::attention::Need;
use crate::attention::call;
use crate::model::feed::Address;
use crate::schedule::limit::shown;
use chrono::DateTime;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;

/// All of it: who says so, since when, which configuration runs, and the feeds, those that need
/// their admin first.
#[must_use]
pub fn told(state: &State, now: DateTime<Utc>) -> Value {
    let mut feeds: Vec<(&Line, Vec<Need>)> =
        state.lines.values().map(|line| (line, line.needs(now))).collect();
    feeds.sort_by_key(|(line, needs)| {
        let kind = needs.iter().min_by_key(|need| (need.call, need.kind)).map(|need| need.kind);
        // Without a need, last.
        (call(needs).is_none(), call(needs), kind, line.planned.at, line.feed.id.clone())
    });
    let daemon = state
        .since
        .map(|since| json!({ "version": env!("CARGO_PKG_VERSION"), "since": shown(since) }));
    let config = state.config.since.map(|at| {
        let refused = state.config.refused.as_ref();
        json!({
            "taken": shown(at),
            "refused": refused.map(|(at, why)| json!({ "at": shown(*at), "why": why })),
        })
    });
    let stopped = state.stopped.as_ref();
    let kept = &state.kept;
    let store = kept.store_bytes.map(|bytes| {
        json!({
            "bytes": bytes,
            "dropped": kept.dropped_ever,
            "last_dropped": kept.dropped.map(|(at, count)| json!({ "at": shown(at), "articles": count })),
            "compacted": kept.compacted.map(shown),
        })
    });
    let backups = &state.backups;
    let backup = backups
        .last
        .as_ref()
        .map(|last| json!({ "at": shown(last.at), "bytes": last.bytes, "path": last.path }));
    let failed = backups.failed.as_ref();
    let recovery = backups.recovery.as_ref();
    json!({
        "at": shown(now),
        "daemon": daemon,
        "config": config,
        "backup": backup,
        "backup_failed": failed.map(|(at, why)| json!({ "at": shown(*at), "why": why })),
        "recovery": recovery.map(|done| json!({ "at": shown(done.at), "told": done.told() })),
        "stopped": stopped.map(|(at, why)| json!({ "at": shown(*at), "why": why })),
        "store": store,
        "feeds": feeds.iter().map(|(line, needs)| of_feed(line, needs)).collect::<Vec<_>>(),
    })
}

/// A feed: where it is asked, how it went, what it needs, and when it is polled next and why.
fn of_feed(line: &Line, needs: &[Need]) -> Value {
    let Line { feed, planned, published, .. } = line;
    let history = line.history.clone().of(&feed.asked_at());
    let last = history.polls.last();
    let address = match &feed.address {
        Address::Http(url) => {
            let mut url = url.clone();
            url.set_query(None);
            url.to_string()
        }
        Address::File(_) => feed.address.to_string(),
    };
    json!({
        "feed": feed.id.as_str(),
        "title": feed.title,
        "enabled": feed.enabled,
        "address": address,
        "timezone": feed.timezone.name(),
        "state": last.map_or("never polled", |last| last.outcome.word()),
        "told": last.and_then(|last| last.outcome.reason()),
        "failures": history.failing(),
        "last_poll": last.map(|last| shown(last.at)),
        "last_success": history.last_success.map(shown),
        "newest": published.first().copied().map(shown),
        "next_poll": planned.at.map(shown),
        "reason": planned.reason,
        "not_obeyed": planned.ignored,
        "moved_to": history.relocation.stored.as_ref().map(url::Url::as_str),
        "repairs": last.map(|last| last.repairs.clone()).unwrap_or_default(),
        "needs": needs.iter().map(of_need).collect::<Vec<_>>(),
    })
}

fn of_need(need: &Need) -> Value {
    json!({
        "kind": need.kind.word(),
        "call": need.call.word(),
        "since": need.since.map(shown),
        "what": need.what,
        "cure": need.cure,
    })
}
