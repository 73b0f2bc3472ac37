//! When a feed is due, and why.
//!
//! # The spread
//! A thousand feeds on `*/15` do not start at once: each has a fraction of its own, from a
//! digest of its id, and is due that fraction of the way from a slot of its schedule to the
//! next, but within an hour. So each slot has one instant at which the feed is due, these
//! instants keep the order of the slots, and what is due next follows from the last poll alone:
//! a restart neither brings a poll forward nor loses one.
//!
//! # Whose word counts
//! The schedule is the admin's wish; what the publisher says, and failures, can only make polls
//! rarer: an instant before which they want no poll moves it to the next time that the schedule
//! names, or to that instant itself if it comes soon after such a time. `ignore_hints` makes an
//! exception for such hints, and for nothing else: who was asked to come later comes later.
//!
//! Never here: a clock. `now` is an argument.

pub mod agenda;
pub(crate) mod hints;
pub mod hosts;
pub(crate) mod limit;
pub mod remember;

use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::feed::Feed;
use crate::model::id::Digest;
use crate::schedule::hints::of_publisher;
use crate::schedule::hints::skipped;
use crate::schedule::limit::Limit;
use crate::schedule::limit::failures;
use crate::schedule::limit::later;
use crate::schedule::limit::rest;
use crate::schedule::limit::shown;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

/// A feed is due at most so long after its slot.
const SPREAD_MAX: TimeDelta = TimeDelta::hours(1);
/// A feed whose slots are closer is due at the slot itself.
const SPREAD_PERIOD_MIN: TimeDelta = TimeDelta::minutes(1);
/// A feed is left alone for so long after any poll, or a quarter of its period if that is less;
/// and if who wants it to wait wants so little more than its next time, it waits just that.
const PAUSE_MAX: TimeDelta = TimeDelta::minutes(5);
/// What a server asks for is kept for so long at most. Beyond that, our clock was wrong when we
/// took it down.
const NOT_BEFORE_MAX: TimeDelta = TimeDelta::days(7);
/// How far ahead a time is looked for that a document does not skip.
const SKIPPED_MAX: TimeDelta = TimeDelta::days(8);

/// When a feed is to be polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollTime {
    /// Not before this; `now` if it is due. None if it is not to be polled any more.
    pub at: Option<DateTime<Utc>>,
    /// Why then, in words.
    pub reason: String,
    /// What the publisher asks for and is not obeyed in, in words.
    pub ignored: Option<String>,
}

/// When a feed is to be polled next.
#[must_use]
pub fn next_poll(feed: &Feed, history: &History, now: DateTime<Utc>) -> PollTime {
    if !feed.enabled {
        return never("it is not enabled");
    }
    let asked = asked(history, now);
    let Some(last) = history.polls.last() else {
        return match asked {
            Some(Limit { until, reason }) => polled_at(until, reason),
            None => polled_at(now, "never polled".to_owned()),
        };
    };
    if history.address != feed.asked_at() {
        return polled_at(now, "never polled there".to_owned());
    }
    if last.outcome == Outcome::Gone {
        return never("the server says that the feed is gone (410)");
    }
    // A clock that went backwards must not silence a feed.
    let polled = last.at.min(now);
    let hinted = of_publisher(history).filter(|hint| hint.until > polled);
    let chance = number_of(&["rest", feed.id.as_str(), &history.failures.to_string()]);
    let rest = rest(history.failures, chance).map(|rest| Limit {
        until: polled + rest,
        reason: format!("waiting after {}", failures(history.failures)),
    });
    let (obeyed, ignored) = if feed.ignore_hints { (None, hinted) } else { (hinted, None) };
    let limit = later(later(asked, rest), obeyed);
    let (at, reason) = due(feed, polled, limit);
    let (at, reason) =
        if at <= now { (now, format!("overdue since {}", shown(at))) } else { (at, reason) };
    let mut planned = unskipped(feed, history, at, reason);
    if let Some(hint) = ignored.filter(|hint| hint.until > at) {
        planned.ignored = Some(format!("{} (ignore_hints)", hint.reason));
    }
    planned
}

pub(crate) fn polled_at(at: DateTime<Utc>, reason: String) -> PollTime {
    PollTime { at: Some(at), reason, ignored: None }
}

pub(crate) fn never(reason: &str) -> PollTime {
    PollTime { at: None, reason: reason.to_owned(), ignored: None }
}

/// What the server asked for (RFC 9110, 10.2.3).
fn asked(history: &History, now: DateTime<Utc>) -> Option<Limit> {
    let until = history.not_before.filter(|asked| *asked - now <= NOT_BEFORE_MAX)?;
    (until > now).then(|| Limit {
        until,
        reason: format!("the server asks not to come before {}", shown(until)),
    })
}

/// The first instant at which a feed that was polled at `polled` is due and that is past its
/// limit, and why then.
fn due(feed: &Feed, polled: DateTime<Utc>, limit: Option<Limit>) -> (DateTime<Utc>, String) {
    let pause = pause(feed, polled);
    let unlimited = next_due(feed, polled + pause);
    match limit.filter(|limit| limit.until > unlimited) {
        Some(Limit { until, reason }) => {
            (next_due(feed, until - pause - TimeDelta::seconds(1)).max(until), reason)
        }
        None => (unlimited, format!("the next time of `{}`", feed.schedule.as_str())),
    }
}

/// The first time from `at` on that the feed's document does not skip.
fn unskipped(feed: &Feed, history: &History, at: DateTime<Utc>, reason: String) -> PollTime {
    let Some(rule) = skipped(&history.rhythm, at) else { return polled_at(at, reason) };
    if feed.ignore_hints {
        let ignored = Some(format!("{rule} (ignore_hints)"));
        return PollTime { at: Some(at), reason, ignored };
    }
    let mut later = at;
    loop {
        // At the end of a skipped hour nothing is lost by looking anew.
        later = next_due(feed, later);
        if later - at > SKIPPED_MAX {
            let ignored = Some(format!("{rule}, which leave no time of the schedule"));
            return PollTime { at: Some(at), reason, ignored };
        }
        if skipped(&history.rhythm, later).is_none() {
            return polled_at(later, format!("{rule} leave out {}", shown(at)));
        }
    }
}

/// The first instant after `after` at which the feed is due.
fn next_due(feed: &Feed, after: DateTime<Utc>) -> DateTime<Utc> {
    let next = |at| feed.schedule.next_after(at, feed.timezone);
    // What is due after `after` has its slot less than its greatest offset before it.
    let offset_max = offset(feed, SPREAD_MAX) + TimeDelta::seconds(1);
    let mut slot = next(after.checked_sub_signed(offset_max).unwrap_or(after));
    loop {
        let following = next(slot);
        let due = slot.checked_add_signed(offset(feed, following - slot)).unwrap_or(slot);
        if due > after || following <= slot {
            return due;
        }
        slot = following;
    }
}

/// How long a feed is left alone after any poll: one that came late, at a start or by hand, is
/// not followed within moments by the one that is due.
fn pause(feed: &Feed, polled: DateTime<Utc>) -> TimeDelta {
    (feed.schedule.period(polled, feed.timezone) / 4).min(PAUSE_MAX)
}

/// How long after a slot the feed is due, if the next slot comes after `period`: always the same
/// fraction of it, in whole seconds.
fn offset(feed: &Feed, period: TimeDelta) -> TimeDelta {
    if period < SPREAD_PERIOD_MIN {
        return TimeDelta::zero();
    }
    let fraction = i64::from(number_of(&["spread", feed.id.as_str()]));
    let spread = period.min(SPREAD_MAX).num_seconds();
    TimeDelta::seconds((spread * fraction) >> 32)
}

/// A number from a digest: as good as chance, and the same after a restart.
pub(crate) fn number_of(parts: &[&str]) -> u32 {
    let [a, b, c, d, ..] = Digest::of(parts.iter().copied()).0;
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crontab::Crontab;
    use crate::model::exchange::Poll;
    use crate::model::exchange::Tally;
    use crate::model::feed::Address;
    use crate::model::feed::TaggingEntity;
    use crate::model::id::FeedId;
    use std::time::Duration;

    fn feed(id: &str, schedule: &str) -> Feed {
        let address = Address::Http("https://city.example/feed".parse().unwrap());
        let tagging = TaggingEntity {
            authority: "site.example".to_owned(),
            since: "2026-01-01".parse().unwrap(),
        };
        let (id, schedule) = (FeedId::new(id).unwrap(), Crontab::parse(schedule).unwrap());
        Feed::new(id, address, schedule, tagging)
    }

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-06-{text}Z").parse().unwrap()
    }

    fn polled(when: DateTime<Utc>, outcome: Outcome) -> History {
        let poll = Poll {
            at: when,
            duration: Duration::ZERO,
            outcome,
            bytes: 0,
            tally: Tally::default(),
            repairs: Vec::new(),
        };
        let address = "https://city.example/feed".to_owned();
        History { address, polls: vec![poll], ..History::default() }
    }

    /// The feed `kharkiv` is due 13:43 after a slot of `*/15`, and 54:55 after one of `0 * * * *`.
    fn check(schedule: &str, history: &History, now: &str, expected: Option<&str>, reason: &str) {
        let poll_time = next_poll(&feed("kharkiv", schedule), history, at(now));
        assert_eq!(poll_time.at, expected.map(at), "{schedule} at {now}: {poll_time:?}");
        assert_eq!(poll_time.reason, reason, "{schedule} at {now}");
    }

    #[test]
    fn a_feed_is_due_at_its_own_offset_after_each_slot() {
        let next = "the next time of `*/15 * * * *`";
        for (last, now, expected, reason) in [
            ("01T12:00:00", "01T12:00:01", "01T12:13:43", next),
            // A poll at its own instant is followed by the next, and none is left out.
            ("01T12:13:43", "01T12:13:44", "01T12:28:43", next),
            // One that came late is not followed within moments by the one that is due.
            ("01T12:13:42", "01T12:13:43", "01T12:28:43", next),
            ("01T12:09:57", "01T12:13:43", "01T12:13:43", "overdue since 2026-06-01T12:13:43Z"),
            // A poll that waited until after the next slot does not stand for that slot.
            ("01T12:15:30", "01T12:16:00", "01T12:28:43", next),
            ("01T12:13:43", "01T13:00:00", "01T13:00:00", "overdue since 2026-06-01T12:28:43Z"),
            // The clock went backwards.
            ("09T12:00:00", "01T12:14:00", "01T12:28:43", next),
        ] {
            let history = polled(at(last), Outcome::Read);
            check("*/15 * * * *", &history, now, Some(expected), reason);
        }
        let history = polled(at("01T12:54:55"), Outcome::NotModified);
        let next = "the next time of `0 8,20 * * *`";
        check("0 8,20 * * *", &history, "01T13:00:00", Some("01T17:54:55"), next);
    }

    #[test]
    fn a_feed_that_was_never_polled_is_due() {
        check("@yearly", &History::default(), "01T12:00:00", Some("01T12:00:00"), "never polled");
    }

    #[test]
    fn a_feed_that_is_asked_elsewhere_begins_anew() {
        let mut history = polled(at("01T12:00:00"), Outcome::Gone);
        history.failures = 9;
        history.address = "https://city.example/old".to_owned();
        history.not_before = Some(at("05T12:00:00"));
        let reason = "never polled there";
        check("*/15 * * * *", &history, "01T12:00:01", Some("01T12:00:01"), reason);
    }

    #[test]
    fn a_feed_that_fails_rests_twice_as_long_each_time() {
        let start = at("01T00:00:05");
        for (failures, minutes, reason) in [
            (1, 5, "waiting after a failure"),
            (2, 10, "waiting after 2 failures in a row"),
            (3, 20, "waiting after 3 failures in a row"),
            (9, 1_280, "waiting after 9 failures in a row"),
            (10, 1_440, "waiting after 10 failures in a row"),
            (u32::MAX, 1_440, "waiting after 4294967295 failures in a row"),
        ] {
            let mut history = polled(start, Outcome::Failed("timeout".to_owned()));
            history.failures = failures;
            let poll_time = next_poll(&feed("kharkiv", "* * * * *"), &history, at("01T00:00:06"));
            let delay = poll_time.at.unwrap() - start;
            let whole = TimeDelta::minutes(minutes);
            // And then at the next time of the schedule, a minute later at most.
            let most = whole * 5 / 4 + TimeDelta::minutes(1);
            assert!(whole * 3 / 4 <= delay && delay <= most, "{failures}: {delay}");
            assert_eq!(poll_time.reason, reason);
        }
        // Never before the schedule.
        let mut history = polled(at("01T12:00:00"), Outcome::Failed("timeout".to_owned()));
        history.failures = 1;
        let next = "the next time of `0 8,20 * * *`";
        check("0 8,20 * * *", &history, "01T12:00:01", Some("01T17:54:55"), next);
    }

    #[test]
    fn a_server_can_only_ask_to_come_later() {
        let next = "the next time of `*/15 * * * *`";
        let asked = "the server asks not to come before 2026-06-01T15:00:00Z";
        for (last, not_before, expected, reason) in [
            (Some("01T12:00:00"), "01T12:05:00", "01T12:13:43", next),
            (Some("01T12:00:00"), "01T15:00:00", "01T15:00:00", asked),
            (Some("01T02:00:00"), "01T15:00:00", "01T15:00:00", asked),
            (None, "01T15:00:00", "01T15:00:00", asked),
            // More than a server is ever granted: the clock was wrong when it was taken down.
            (Some("01T12:00:00"), "09T12:01:00", "01T12:13:43", next),
        ] {
            let mut history = last.map(|last| polled(at(last), Outcome::Later)).unwrap_or_default();
            history.not_before = Some(at(not_before));
            check("*/15 * * * *", &history, "01T12:00:01", Some(expected), reason);
        }
    }

    #[test]
    fn a_feed_that_is_gone_or_not_enabled_is_not_polled() {
        let gone = polled(at("01T12:00:00"), Outcome::Gone);
        let reason = "the server says that the feed is gone (410)";
        check("*/15 * * * *", &gone, "09T12:00:00", None, reason);
        let off = Feed { enabled: false, ..feed("kharkiv", "*/15 * * * *") };
        let poll_time = next_poll(&off, &History::default(), at("01T12:00:00"));
        assert_eq!(poll_time.at, None);
    }

    #[test]
    fn a_thousand_feeds_are_spread_and_each_is_polled_at_every_slot() {
        let start = at("01T00:00:00");
        let mut each_minute = vec![0_u32; 15];
        for number in 0..1_000 {
            let feed = feed(&format!("feed-{number}"), "*/15 * * * *");
            let mut history = polled(start - TimeDelta::seconds(226), Outcome::Read);
            // It has been left alone for a quarter of its period, and is due from `start` on.
            // A week for every tenth, to keep the test short, and a day for the others.
            let days = if number % 10 == 0 { 7 } else { 1 };
            let mut polls = 0;
            loop {
                let last = history.polls[0].at;
                let due = next_poll(&feed, &history, last).at.unwrap();
                if due >= start + TimeDelta::days(days) {
                    break;
                }
                polls += 1;
                if due < start + TimeDelta::days(1) {
                    each_minute[usize::try_from((due - start).num_minutes() % 15).unwrap()] += 1;
                }
                history.polls[0].at = due;
            }
            assert_eq!(polls, days * 96, "{}", feed.id);
        }
        let mean = each_minute.iter().sum::<u32>() / 15;
        assert_eq!(each_minute.iter().sum::<u32>(), 96_000);
        assert!(each_minute.iter().all(|&polls| polls < mean * 3 / 2), "{each_minute:?}");
        assert!(each_minute.iter().all(|&polls| polls > mean / 2), "{each_minute:?}");
    }

    #[test]
    fn no_slot_is_lost_when_the_clocks_change() {
        for (schedule, day, polls) in [
            ("*/30 * * * *", "2026-03-28T22:00:00Z", 46),
            ("*/30 * * * *", "2026-10-24T21:00:00Z", 50),
            ("30 3 * * *", "2026-03-28T22:00:00Z", 1),
            ("30 3 * * *", "2026-10-24T21:00:00Z", 1),
        ] {
            for id in ["kharkiv", "lviv", "odesa"] {
                let feed = feed(id, schedule);
                let offset = next_due(&feed, "2026-06-01T00:00:00Z".parse().unwrap())
                    - feed
                        .schedule
                        .next_after("2026-06-01T00:00:00Z".parse().unwrap(), feed.timezone);
                // The day, as this feed sees it.
                let from = day.parse::<DateTime<Utc>>().unwrap() - TimeDelta::seconds(1) + offset;
                let to = from + TimeDelta::minutes(if polls == 1 { 24 * 60 } else { polls * 30 });
                let mut count = 0;
                let mut last = next_due(&feed, from);
                while last <= to {
                    count += 1;
                    last = next_due(&feed, last);
                }
                assert_eq!(count, polls, "{id}: {schedule} on {day}");
            }
        }
    }
}
