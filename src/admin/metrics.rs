//! The metrics, as they are at a moment.
//!
//! Their labels come from feeds.toml and from lists of ours: nothing that a publisher or a reader
//! sends can make them many. Numbers that only grow begin at nought with the daemon, and those of a
//! feed with the feed.

use crate::admin::board::Line;
use crate::admin::board::State;
use crate::admin::desk::Desk;
use crate::admin::desk::FATES;
use crate::admin::desk::WAYS;
use crate::admin::exposition::Exposition;
use crate::admin::exposition::Type;
use crate::admin::tally::BOUNDS;
use crate::admin::tally::OUTCOMES;
use crate::attention::Call;
use crate::attention::call;
use crate::model::event::KINDS;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::sync::atomic::Ordering;

/// All metrics.
#[must_use]
pub fn metrics(desk: &Desk, now: DateTime<Utc>) -> String {
    let mut to = Exposition::default();
    desk.board.read(|state| {
        of_daemon(&mut to, state);
        of_rounds(&mut to, state, now);
        of_feeds(&mut to, state, now);
        of_polls(&mut to, state);
    });
    of_store(&mut to, desk);
    of_readers(&mut to, desk, now);
    of_events(&mut to, desk);
    to.text()
}

fn of_daemon(to: &mut Exposition, state: &State) {
    to.family("visnyk_build_info", Type::Gauge, "The version that runs; always 1.");
    to.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    to.family("process_start_time_seconds", Type::Gauge, "When the daemon started.");
    sample_at(to, &[], state.since);
    to.family(
        "visnyk_config_last_reload_successful",
        Type::Gauge,
        "Whether feeds.toml was good when it was last read: 1, or 0 if the one before runs on.",
    );
    to.sample(&[], if state.config.refused.is_none() { 1.0 } else { 0.0 });
    to.family(
        "visnyk_config_last_reload_success_timestamp_seconds",
        Type::Gauge,
        "When the feeds.toml that runs was taken.",
    );
    sample_at(to, &[], state.config.since);
}

/// The queue: which polls should have begun, those under way included.
fn of_rounds(to: &mut Exposition, state: &State, now: DateTime<Utc>) {
    let late =
        |line: &Line| line.planned.at.map(|at| now - at).filter(|late| *late >= TimeDelta::zero());
    let due: Vec<TimeDelta> = state.lines.values().filter_map(late).collect();
    to.family("visnyk_feeds", Type::Gauge, "Feeds that are enabled.");
    to.sample(&[], count(state.lines.len()));
    to.family(
        "visnyk_feeds_needing_admin",
        Type::Gauge,
        "Feeds that have something for their admin to do.",
    );
    let needy = state.lines.values().filter(|line| call(&line.needs(now)) == Some(Call::Act));
    to.sample(&[], count(needy.count()));
    to.family("visnyk_polls_waiting", Type::Gauge, "Polls that are due or under way.");
    to.sample(&[], count(due.len()));
    to.family(
        "visnyk_poll_lag_seconds",
        Type::Gauge,
        "How long ago the oldest poll that is due or under way should have begun.",
    );
    to.sample(&[], seconds(due.into_iter().max().unwrap_or_default()));
}

fn of_feeds(to: &mut Exposition, state: &State, now: DateTime<Utc>) {
    type Look = fn(&Line) -> Option<DateTime<Utc>>;
    let instants: [(&'static str, &str, Look); 3] = [
        (
            "visnyk_feed_last_success_timestamp_seconds",
            "When the feed last answered as it should.",
            |line| line.history.last_success,
        ),
        (
            "visnyk_feed_newest_article_timestamp_seconds",
            "When the newest article of the feed was published.",
            |line| line.published.first().copied(),
        ),
        (
            "visnyk_feed_next_poll_timestamp_seconds",
            "When the feed is polled next; without a sample it is not.",
            |line| line.planned.at,
        ),
    ];
    for (name, help, look) in instants {
        to.family(name, Type::Gauge, help);
        for (id, line) in &state.lines {
            sample_at(to, &[("feed", id.as_str())], look(line));
        }
    }
    to.family(
        "visnyk_feed_consecutive_failures",
        Type::Gauge,
        "Polls that failed in a row, 20 at most.",
    );
    for (id, line) in &state.lines {
        to.sample(&[("feed", id.as_str())], count(line.history.failing()));
    }
    to.family(
        "visnyk_feed_need",
        Type::Gauge,
        "What the feed needs, as `visnyk status` tells it; always 1.",
    );
    for (id, line) in &state.lines {
        for need in line.needs(now) {
            let labels =
                [("feed", id.as_str()), ("kind", need.kind.word()), ("call", need.call.word())];
            to.sample(&labels, 1.0);
        }
    }
}

fn of_polls(to: &mut Exposition, state: &State) {
    to.family("visnyk_feed_polls_total", Type::Counter, "Polls of the feed, by how they ended.");
    for (id, line) in &state.lines {
        for (outcome, number) in OUTCOMES.into_iter().zip(line.polls.outcomes) {
            to.sample(&[("feed", id.as_str()), ("outcome", outcome)], number_of(number));
        }
    }
    to.family(
        "visnyk_feed_document_bytes_total",
        Type::Counter,
        "Bytes of the feed's documents, decompressed.",
    );
    for (id, line) in &state.lines {
        to.sample(&[("feed", id.as_str())], number_of(line.polls.bytes));
    }
    to.family(
        "visnyk_feed_poll_duration_seconds",
        Type::Summary,
        "How long polls of the feed took.",
    );
    for (id, line) in &state.lines {
        let polls: u64 = line.polls.outcomes.iter().sum();
        to.part("_sum", &[("feed", id.as_str())], line.polls.duration.as_secs_f64());
        to.part("_count", &[("feed", id.as_str())], number_of(polls));
    }
    to.family(
        "visnyk_poll_duration_seconds",
        Type::Histogram,
        "How long polls took, of all feeds.",
    );
    let durations = &state.durations;
    let mut within = 0;
    for (bound, number) in BOUNDS.into_iter().zip(durations.counts) {
        within += number;
        to.part("_bucket", &[("le", &bound.to_string())], number_of(within));
    }
    to.part("_bucket", &[("le", "+Inf")], number_of(durations.count));
    to.part("_sum", &[], durations.sum.as_secs_f64());
    to.part("_count", &[], number_of(durations.count));
}

fn of_store(to: &mut Exposition, desk: &Desk) {
    let measured = desk.measured();
    to.family("visnyk_store_readable", Type::Gauge, "Whether the store answered the last measure.");
    to.sample(&[], if measured.is_readable { 1.0 } else { 0.0 });
    to.family(
        "visnyk_store_writable",
        Type::Gauge,
        "Whether the store takes articles: 1, or 0 if no feed is polled any more.",
    );
    to.sample(&[], if desk.board.read(|state| state.stopped.is_none()) { 1.0 } else { 0.0 });
    to.family("visnyk_store_size_bytes", Type::Gauge, "Size of the store's files.");
    to.sample(&[], number_of(measured.store_bytes));
    let kept = desk.board.read(|state| state.kept);
    to.family(
        "visnyk_articles_dropped_total",
        Type::Counter,
        "Articles that were kept no longer, since the store began.",
    );
    to.sample(&[], number_of(kept.dropped_ever));
    to.family(
        "visnyk_store_compactions_total",
        Type::Counter,
        "How often the store was written anew to give disk back.",
    );
    to.sample(&[], number_of(kept.compactions));
    to.family("visnyk_disk_free_bytes", Type::Gauge, "Room on the store's disk.");
    if let Some(free) = measured.disk_free_bytes {
        to.sample(&[], number_of(free));
    }
    of_backups(to, desk);
    to.family("visnyk_articles", Type::Gauge, "Articles that are published.");
    to.sample(&[], number_of(measured.articles));
    to.family("visnyk_publications", Type::Gauge, "Publications that hold an article.");
    to.sample(&[], number_of(measured.publications));
}

fn of_backups(to: &mut Exposition, desk: &Desk) {
    let backups = desk.board.read(|state| state.backups.clone());
    let last = backups.last.as_ref();
    to.family(
        "visnyk_store_recoveries_total",
        Type::Counter,
        "Damaged stores that another took the place of since the daemon started.",
    );
    to.sample(&[], count(usize::from(backups.recovery.is_some())));
    to.family(
        "visnyk_backup_last_success_timestamp_seconds",
        Type::Gauge,
        "When the last backup was begun that was written; without a sample there is none.",
    );
    sample_at(to, &[], last.map(|last| last.at));
    to.family("visnyk_backup_last_size_bytes", Type::Gauge, "Size of the last backup.");
    if let Some(last) = last {
        to.sample(&[], number_of(last.bytes));
    }
    to.family(
        "visnyk_backup_last_successful",
        Type::Gauge,
        "Whether the last backup that was due was written: 1, or 0 if it is tried again.",
    );
    to.sample(&[], if backups.failed.is_none() { 1.0 } else { 0.0 });
}

fn of_readers(to: &mut Exposition, desk: &Desk, now: DateTime<Utc>) {
    let audience = desk.documents.audience();
    to.family(
        "visnyk_http_requests_total",
        Type::Counter,
        "Answered requests of readers, by what was asked for and by status.",
    );
    for (asked, code, number) in audience.traffic().counts() {
        to.sample(&[("asked", asked), ("code", code)], number_of(number));
    }
    let (subscribers, aggregators) = audience.totals(now);
    to.family(
        "visnyk_subscribers",
        Type::Gauge,
        "Readers that aggregators report, of all publications.",
    );
    to.sample(&[], number_of(subscribers));
    to.family(
        "visnyk_aggregators",
        Type::Gauge,
        "Aggregators that reported readers in the last week.",
    );
    to.sample(&[], count(aggregators));
}

fn of_events(to: &mut Exposition, desk: &Desk) {
    let open: Vec<_> = desk.journal().open().map(|event| event.kind).collect();
    to.family("visnyk_events_open", Type::Gauge, "Events that last, by kind.");
    for kind in KINDS {
        let number = open.iter().filter(|open| **open == kind).count();
        to.sample(&[("kind", kind.word())], count(number));
    }
    to.family(
        "visnyk_event_deliveries_total",
        Type::Counter,
        "Events that were delivered by webhook or command, given up, or no longer wanted there.",
    );
    for (way, fates) in WAYS.into_iter().zip(desk.deliveries.iter()) {
        for (fate, number) in FATES.into_iter().zip(fates) {
            to.sample(&[("way", way), ("fate", fate)], number_of(number.load(Ordering::Relaxed)));
        }
    }
}

fn sample_at(to: &mut Exposition, labels: &[(&str, &str)], at: Option<DateTime<Utc>>) {
    if let Some(at) = at {
        to.sample(labels, seconds(at - DateTime::UNIX_EPOCH));
    }
}

fn seconds(length: TimeDelta) -> f64 {
    length.as_seconds_f64()
}

#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
fn number_of(number: u64) -> f64 {
    number as f64
}

fn count(number: usize) -> f64 {
    number_of(number as u64)
}
