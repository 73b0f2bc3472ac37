//! What makes a poll wait: an instant before which it is not to be, and why.

use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::TimeDelta;
use chrono::Utc;
use std::time::Duration;

/// How long a feed or a host rests after its first failure; twice as long after each further one.
const REST_MIN: TimeDelta = TimeDelta::minutes(5);
/// How long it rests after a failure at most, before jitter.
const REST_MAX: TimeDelta = TimeDelta::hours(24);

/// An instant before which a feed is not to be polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The instant.
    pub(crate) until: DateTime<Utc>,
    /// Who wants it, in words.
    pub(crate) reason: String,
}

/// The later of two limits.
pub(crate) fn later(a: Option<Limit>, b: Option<Limit>) -> Option<Limit> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.until > a.until { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// How long to rest after so many failures in a row; `chance`, from 0 up, decides whether it is
/// three quarters of that, or five, or something between.
pub(crate) fn rest(failures: u32, chance: u32) -> Option<TimeDelta> {
    let doublings = failures.checked_sub(1)?;
    // 2^9 times five minutes is more than a day.
    let whole = (REST_MIN * (1 << doublings.min(9))).min(REST_MAX).num_seconds();
    let jitter = (whole / 2 * i64::from(chance)) >> 32;
    Some(TimeDelta::seconds(whole * 3 / 4 + jitter))
}

/// So many failures, in words.
pub(crate) fn failures(failures: u32) -> String {
    match failures {
        1 => "a failure".to_owned(),
        failures => format!("{failures} failures in a row"),
    }
}

/// An instant, in words.
pub(crate) fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A length of time, in the largest units that say it whole: `1 d 12 h`, `90 min` as `1 h 30 min`.
pub(crate) fn length(length: Duration) -> String {
    let mut seconds = length.as_secs();
    let mut parts = Vec::new();
    for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")] {
        if seconds >= size {
            parts.push(format!("{} {unit}", seconds / size));
            seconds %= size;
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_doubles_up_to_a_day_and_no_two_are_alike() {
        assert_eq!(rest(0, 0), None);
        for (failures, minutes) in [(1, 5), (2, 10), (3, 20), (8, 640), (9, 1_280), (10, 1_440)] {
            let whole = TimeDelta::minutes(minutes);
            assert_eq!(rest(failures, 0), Some(whole * 3 / 4), "{failures}");
            assert_eq!(rest(failures, 1 << 31), Some(whole), "{failures}");
            assert!(rest(failures, u32::MAX).unwrap() <= whole * 5 / 4, "{failures}");
        }
        assert_eq!(rest(u32::MAX, 0), Some(TimeDelta::hours(18)));
    }

    #[test]
    fn a_length_is_told_in_the_largest_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (1_800, "30 min"),
            (5_400, "1 h 30 min"),
            (604_800, "7 d"),
            (90_061, "1 d 1 h 1 min 1 s"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), expected);
        }
    }
}
