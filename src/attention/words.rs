//! Times and numbers as people say them.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;

/// A length of time in its largest unit: `3 d`, `26 h`, `40 min`.
#[must_use]
pub fn rough(length: TimeDelta) -> String {
    match (length.num_days(), length.num_hours(), length.num_minutes()) {
        (2.., ..) => format!("{} d", length.num_days()),
        (_, 2.., _) => format!("{} h", length.num_hours()),
        (_, _, 1..) => format!("{} min", length.num_minutes()),
        _ => format!("{} s", length.num_seconds().max(0)),
    }
}

/// An instant on the clocks of a place, to the minute.
#[must_use]
pub fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// `once`, `twice`, `3 times`.
#[must_use]
pub fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}
