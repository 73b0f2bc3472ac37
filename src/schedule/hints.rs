//! What a publisher says of a slower rhythm than the admin's.
//!
//! How long an answer stays fresh (RFC 9111, 4.2.1), RSS `ttl`, `skipHours` and `skipDays`, and
//! the syndication module's `sy:updatePeriod` can only make polls rarer. None of them silences a
//! feed: what asks for more than a day means a day, and a document that skips every hour of every
//! day is not obeyed.

use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::Poll;
use crate::model::rhythm::Rhythm;
use crate::schedule::limit::Limit;
use crate::schedule::limit::later;
use crate::schedule::limit::length;
use crate::schedule::limit::shown;
use chrono::DateTime;
use chrono::Datelike;
use chrono::TimeDelta;
use chrono::Timelike;
use chrono::Utc;
use std::time::Duration;

/// The longest wait that one of these rules is granted: a mistaken year must not silence a feed.
pub(crate) const HINT_MAX: Duration = Duration::from_hours(24);

/// The latest instant before which one of these rules wants no poll.
pub(crate) fn of_publisher(history: &History) -> Option<Limit> {
    let answered = answered(history)?;
    let limit = |wish: Option<Duration>, words: &dyn Fn(Duration) -> String| {
        let wish = wish.filter(|wish| !wish.is_zero())?;
        let until = answered.checked_add_signed(TimeDelta::from_std(wish.min(HINT_MAX)).ok()?)?;
        let ceiling = if wish > HINT_MAX { ", of which a day is granted" } else { "" };
        Some(Limit { until, reason: format!("{}{ceiling}", words(wish)) })
    };
    let fresh = limit(history.freshness, &|wish| {
        format!("the answer of {} stays fresh for {}", shown(answered), length(wish))
    });
    let ttl = limit(history.rhythm.ttl, &|wish| {
        format!("the document may be kept for {} (ttl)", length(wish))
    });
    let period = limit(history.rhythm.update_every, &|wish| {
        format!("the document changes every {} (sy:updatePeriod)", length(wish))
    });
    later(later(fresh, ttl), period)
}

/// Why the document wants no poll at this instant, if it does.
pub(crate) fn skipped(rhythm: &Rhythm, at: DateTime<Utc>) -> Option<&'static str> {
    if rhythm.skip_days.contains(at.weekday()) {
        Some("the document's skipDays")
    } else if rhythm.skip_hours.contains(&at.hour()) {
        Some("the document's skipHours")
    } else {
        None
    }
}

/// When the feed last answered as it should.
fn answered(history: &History) -> Option<DateTime<Utc>> {
    let success = history.last_success?;
    let last = history.polls.last().filter(|last| {
        last.at == success && matches!(last.outcome, Outcome::Read | Outcome::NotModified)
    });
    // A poll that failed since does not make the answer before it longer fresh.
    Some(last.map_or(success, Poll::ended))
}
