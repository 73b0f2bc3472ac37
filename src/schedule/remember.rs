//! How a feed is asked, from what is remembered of it; and what is remembered after it was asked.
//!
//! # Whole once a week
//! Some servers say "not modified" for ever. So a document that has not come whole for a week is
//! asked for without a condition.
//!
//! # Moves
//! A redirect that says it is for good (301 and 308, RFC 9110, 15.4) is believed once it was seen
//! at three polls in a row over at least a day: then the feed is asked there. feeds.toml is the
//! admin's, and is not rewritten. If the new address fails, the configured one is asked again.

use crate::model::exchange::History;
use crate::model::exchange::Moving;
use crate::model::exchange::Outcome;
use crate::model::exchange::POLLS_KEPT_MAX;
use crate::model::exchange::Poll;
use crate::model::exchange::Relocation;
use crate::model::exchange::Request;
use crate::model::exchange::Tally;
use crate::model::exchange::Validators;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::rhythm::Rhythm;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::time::Duration;
use url::Url;

/// A document that has not come whole for so long is asked for without a condition.
const FULL_EVERY: TimeDelta = TimeDelta::days(7);
/// A redirect is believed after so many polls in a row.
const MOVED_POLLS: u32 = 3;
/// And after so long.
const MOVED_AFTER: TimeDelta = TimeDelta::days(1);
/// After so many failures in a row at a new address, the configured one is asked again.
const STRAYED_FAILURES: u32 = 3;

/// What came of a poll, as far as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The poll.
    pub poll: Poll,
    /// The validators that the answer brought, if they may be used.
    pub validators: Option<Validators>,
    /// Whether the document came whole, and not only what was new.
    pub is_whole: bool,
    /// How long the answer stays fresh.
    pub freshness: Option<Duration>,
    /// Where redirects that are for good pointed.
    pub moved: Option<Url>,
    /// When the server wants to be asked again.
    pub not_before: Option<DateTime<Utc>>,
    /// The rhythm that the document asks for, if it was read.
    pub rhythm: Option<Rhythm>,
}

impl Report {
    /// A poll that began at `at`, and of which nothing is to be told but how it ended.
    #[must_use]
    pub fn of(at: DateTime<Utc>, outcome: Outcome) -> Self {
        Self {
            poll: Poll {
                at,
                duration: Duration::ZERO,
                outcome,
                bytes: 0,
                tally: Tally::default(),
                repairs: Vec::new(),
            },
            validators: None,
            is_whole: false,
            freshness: None,
            moved: None,
            not_before: None,
            rhythm: None,
        }
    }
}

/// What the admin is to be told of a feed's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Redirects point there; it is not sure yet that they are meant.
    Moving(Url),
    /// The feed is asked there from now on.
    Moved(Url),
    /// It failed there, and is asked at the configured address again.
    Strayed(Url),
}

/// How a feed is to be asked now.
#[must_use]
pub fn request(feed: &Feed, history: &History, now: DateTime<Utc>) -> Request {
    let history = history.clone().of(&feed.asked_at());
    let relocated = history.relocation.stored;
    let asked = relocated.as_ref().map_or_else(|| feed.address.to_string(), Url::to_string);
    let is_whole_due = match (&feed.address, history.last_full) {
        (Address::File(_), _) => false,
        (Address::Http(_), None) => true,
        // A clock that went backwards makes no document older.
        (Address::Http(_), Some(full)) => now - full >= FULL_EVERY || full > now,
    };
    let validators =
        history.validators.filter(|validators| validators.address == asked && !is_whole_due);
    let last = history.polls.last().map(|poll| &poll.outcome);
    let has_waited = last == Some(&Outcome::Postponed)
        && history.not_before.is_none_or(|not_before| not_before <= now);
    Request { relocated, validators, has_waited }
}

/// What is remembered of a feed after one poll more, and what its admin is to be told.
#[must_use]
pub fn remember(feed: &Feed, before: History, report: Report) -> (History, Option<Notice>) {
    let before = before.of(&feed.asked_at());
    let succeeded = matches!(report.poll.outcome, Outcome::Read | Outcome::NotModified);
    let (at, failures) = (report.poll.at, failures(&before, &report));
    let (relocation, notice) = relocation(&before, &report, succeeded);
    let mut polls = before.polls;
    polls.push(report.poll);
    let surplus = polls.len().saturating_sub(POLLS_KEPT_MAX);
    polls.drain(..surplus);
    let history = History {
        address: before.address,
        // Those of a poll that brought none are those of before.
        validators: report.validators.or(before.validators),
        last_full: if report.is_whole { Some(at) } else { before.last_full },
        freshness: if succeeded { report.freshness } else { before.freshness },
        rhythm: report.rhythm.unwrap_or(before.rhythm),
        relocation,
        last_success: if succeeded { Some(at) } else { before.last_success },
        failures,
        not_before: report.not_before,
        polls,
    };
    (history, notice)
}

/// How many polls of the feed have failed in a row; those that failed for its host are the
/// host's.
fn failures(before: &History, report: &Report) -> u32 {
    match &report.poll.outcome {
        Outcome::Read | Outcome::NotModified | Outcome::Gone => 0,
        // A server that says when to come has not failed; one that only says "later" has.
        Outcome::Later | Outcome::Postponed if report.not_before.is_some() => before.failures,
        Outcome::Unreachable(_) => before.failures,
        Outcome::Later | Outcome::Postponed | Outcome::Failed(_) => {
            before.failures.saturating_add(1)
        }
    }
}

fn relocation(before: &History, report: &Report, succeeded: bool) -> (Relocation, Option<Notice>) {
    let Relocation { stored, moving } = before.relocation.clone();
    if !succeeded {
        let has_strayed = stored.is_some() && unanswered(before, report) >= STRAYED_FAILURES;
        let strayed = stored.clone().filter(|_| has_strayed).map(Notice::Strayed);
        let kept = if has_strayed { Relocation::default() } else { Relocation { stored, moving } };
        return (kept, strayed);
    }
    let Some(to) = report.moved.clone() else {
        return (Relocation { stored, moving: None }, None);
    };
    let at = report.poll.at;
    let moving = match moving.filter(|moving| moving.to == to) {
        Some(seen) => Moving { polls: seen.polls.saturating_add(1), ..seen },
        None => Moving { to: to.clone(), since: at, polls: 1 },
    };
    if moving.polls >= MOVED_POLLS && at - moving.since >= MOVED_AFTER {
        return (Relocation { stored: Some(to.clone()), moving: None }, Some(Notice::Moved(to)));
    }
    let is_news = moving.polls == 1;
    let notice = is_news.then_some(Notice::Moving(to));
    (Relocation { stored, moving: Some(moving) }, notice)
}

/// How many polls in a row, this one included, brought no answer as it should be.
fn unanswered(before: &History, report: &Report) -> u32 {
    let is_failure =
        |poll: &Poll| matches!(poll.outcome, Outcome::Failed(_) | Outcome::Unreachable(_));
    let polls = std::iter::once(&report.poll).chain(before.polls.iter().rev());
    u32::try_from(polls.take_while(|poll| is_failure(poll)).count()).unwrap_or(u32::MAX)
}
