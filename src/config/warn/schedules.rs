//! Schedules that come at other times than they look like, or too often.

use crate::config::Given;
use crate::config::problem::Found;
use crate::config::table::Row;
use crate::crontab::Crontab;
use crate::crontab::surprise::surprises;
use crate::model::feed::Address;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;

/// A publisher whose feed is polled more often will ask who does that.
const PERIOD_MIN: TimeDelta = TimeDelta::minutes(5);
/// How many times of a schedule are looked at for the shortest period.
const TIMES_LOOKED_AT: usize = 60;

/// Notes what is odd about the schedules.
pub(crate) fn often_or_odd(given: &Given, found: &mut Found) {
    for row in given.feeds.iter().chain([&given.polling]) {
        let Some(schedule) = row.schedule("schedule") else { continue };
        for surprise in surprises(&schedule) {
            found.warn("schedule", surprise.what, row.span("schedule"), surprise.instead);
        }
        often(row, &schedule, found);
    }
}

/// `ignore_hints` says that the publisher has been asked; a file has none.
fn often(row: &Row, schedule: &Crontab, found: &mut Found) {
    let is_file = matches!(row.address("url"), Some(Address::File(_)));
    if is_file || row.flag("ignore_hints") == Some(true) || row.flag("enabled") == Some(false) {
        return;
    }
    // A schedule has the same rhythm at any time; only the night of summer time has another.
    let mut at = DateTime::UNIX_EPOCH;
    let mut shortest = TimeDelta::MAX;
    for _ in 0..TIMES_LOOKED_AT {
        let next = schedule.next_after(at, Tz::UTC);
        if next == DateTime::<Utc>::MAX_UTC {
            break;
        }
        if at > DateTime::UNIX_EPOCH {
            shortest = shortest.min(next - at);
        }
        at = next;
    }
    if shortest < PERIOD_MIN {
        let seconds = shortest.num_seconds();
        let period = match seconds {
            60 => "a minute".to_owned(),
            seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
            seconds => format!("{seconds} seconds"),
        };
        let what = format!("two polls within {period}");
        let label = "write such as `every 15m`: publishers shut out who asks more often";
        found.warn("schedule-often", what, row.span("schedule"), label);
    }
}
