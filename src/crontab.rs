//! When something is due: crontab lines as admins know them.
//!
//! # Why
//! The `cron` crate finds the next time, but reads a line as no crontab does: seconds first,
//! Sunday as 1, day of month *and* day of week. So a line is read here, as crontab(5) says, and
//! the crate is given the lists that it means.
//!
//! # Summer time
//! The crate runs on the clock on the wall, dressed as UTC, and what it finds is brought to the
//! time line here. A time that the clock leaps over comes at the first instant after the leap,
//! unless every hour is asked for anyway. A time that the clock shows twice comes once if it is
//! a fixed one, and both times if the minute or the hour is `*` or a step. No instant comes
//! twice, and none before the one before it.

pub(crate) mod field;
pub mod surprise;
pub mod words;

use crate::crontab::field::DAY;
use crate::crontab::field::Field;
use crate::crontab::field::HOUR;
use crate::crontab::field::MINUTE;
use crate::crontab::field::MONTH;
use crate::crontab::field::Values;
use crate::crontab::field::WEEKDAY;
use chrono::DateTime;
use chrono::Datelike;
use chrono::LocalResult;
use chrono::NaiveDateTime;
use chrono::TimeDelta;
use chrono::TimeZone;
use chrono::Timelike;
use chrono::Utc;
use chrono_tz::Tz;
use cron::Schedule;

/// The shortest period of `every`, in seconds.
pub(crate) const EVERY_SECONDS_MIN: i64 = 60;
/// The longest period of `every`, in seconds.
pub(crate) const EVERY_SECONDS_MAX: i64 = 31 * 24 * 3600;
/// The longest leap of a clock that is looked over, in minutes: Samoa left out a whole day.
const GAP_MINUTES_MAX: i64 = 25 * 60;
/// The years that the `cron` crate knows.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2100;

/// A schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Crontab {
    text: String,
    when: When,
}

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadCrontab {
    /// What is wrong and what would be right.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq)]
enum When {
    /// Every so many seconds, counted from 1970, so that a restart changes nothing.
    Every(i64),
    /// By the clock on the wall.
    Wall(Wall),
}

#[derive(Debug, Clone, PartialEq)]
struct Wall {
    /// The earliest of these comes next. Two if both day fields are restricted.
    schedules: Vec<Schedule>,
    /// Minute or hour is `*` or a step: an hour that the clock shows twice counts twice.
    repeats: bool,
    /// Every hour is asked for: what an hour that is left out would have brought is no loss.
    hourly: bool,
}

impl Crontab {
    /// Reads a schedule: a crontab line, a word such as `@hourly`, or `every 5m`.
    ///
    /// # Errors
    /// Names the field and what it may be.
    pub fn parse(text: &str) -> Result<Self, BadCrontab> {
        let text = text.trim();
        let words: Vec<&str> = text.split_whitespace().collect();
        let when = match words.as_slice() {
            [] => return Err(bad("a schedule is empty: write such as `*/15 * * * *`")),
            ["every", period] => When::Every(every(period)?),
            ["every", ..] => return Err(bad(format!("`{text}`: write such as `every 15m`"))),
            [word] if word.starts_with('@') => {
                let line: Vec<&str> = nickname(word)?.split(' ').collect();
                When::Wall(Wall::parse(&line)?)
            }
            line => When::Wall(Wall::parse(line)?),
        };
        Ok(Self { text: text.to_owned(), when })
    }

    /// The schedule as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The five fields of the line, or of the line that a word such as `@hourly` stands for.
    fn fields(&self) -> Option<[&str; 5]> {
        if matches!(self.when, When::Every(_)) {
            return None;
        }
        let line = nickname(&self.text).unwrap_or(&self.text);
        line.split_whitespace().collect::<Vec<_>>().try_into().ok()
    }

    /// The seconds between two times, if there are as many between all.
    fn every(&self) -> Option<i64> {
        match self.when {
            When::Every(seconds) => Some(seconds),
            When::Wall(_) => None,
        }
    }

    /// The first instant after `after`, on the clocks of `zone`; the end of time if there is
    /// none, which is after the year 2100.
    #[must_use]
    pub fn next_after(&self, after: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let next = match &self.when {
            When::Every(seconds) => (after.timestamp().div_euclid(*seconds) + 1)
                .checked_mul(*seconds)
                .and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            When::Wall(wall) => wall.next_after(after, zone),
        };
        next.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// How long it is from the first instant after `after` to the second.
    #[must_use]
    pub fn period(&self, after: DateTime<Utc>, zone: Tz) -> TimeDelta {
        let first = self.next_after(after, zone);
        self.next_after(first, zone) - first
    }
}

impl Wall {
    fn parse(fields: &[&str]) -> Result<Self, BadCrontab> {
        let &[minute, hour, day, month, weekday] = fields else {
            let more = if fields.len() == 6 { " (there are no seconds)" } else { "" };
            let noun = if fields.len() == 1 { "field" } else { "fields" };
            return Err(bad(format!(
                "`{}` has {} {noun}, not five{more}: write minute, hour, day of month, month and \
                 day of week, such as `*/15 * * * *`",
                fields.join(" "),
                fields.len()
            )));
        };
        let minutes = MINUTE.parse(minute)?;
        let hours = HOUR.parse(hour)?;
        let days = DAY.parse(day)?;
        let months = MONTH.parse(month)?;
        let weekdays = WEEKDAY.parse(weekday)?;
        let schedule = |day: &str, weekday: &str| {
            let [minute, hour, month] =
                [(MINUTE, minutes), (HOUR, hours), (MONTH, months)].map(list);
            let line = format!("0 {minute} {hour} {day} {month} {weekday}");
            line.parse::<Schedule>().map_err(|error| bad(format!("`{line}`: {error}")))
        };
        let (day_list, weekday_list) = (DAY.list(days), WEEKDAY.list(weekdays));
        // crontab(5): if both are restricted (do not start with `*`), either is enough.
        let mut schedules = if days.starred || weekdays.starred {
            vec![schedule(&day_list, &weekday_list)?]
        } else {
            vec![schedule(&day_list, "*")?, schedule("*", &weekday_list)?]
        };
        schedules.retain(|schedule| schedule.after(&DateTime::UNIX_EPOCH).next().is_some());
        if schedules.is_empty() {
            return Err(bad(format!(
                "`{}` never comes: no month `{month}` has such a day `{day}`",
                fields.join(" ")
            )));
        }
        let repeats = [minutes, hours].iter().any(|values| values.starred || values.stepped);
        Ok(Self { schedules, repeats, hourly: HOUR.is_full(hours) })
    }

    fn next_after(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        if after.year() > *YEARS.end() {
            return None;
        }
        // Two days before the first year, so that no zone's own time is before it.
        let after = after.max(DateTime::UNIX_EPOCH - TimeDelta::days(2));
        let wall = after.with_timezone(&zone).naive_local();
        let mut slot = wall.with_nanosecond(0)?;
        if let LocalResult::Ambiguous(first, second) = zone.from_local_datetime(&wall) {
            // The clock goes back ahead of us, or has just done so: look at the whole hour.
            slot -= second.signed_duration_since(first);
        }
        // The earliest instant at which the clock shows a time for the second time.
        let mut again: Option<DateTime<Utc>> = None;
        loop {
            let Some(next) = self.next_on_the_wall(slot) else { return again };
            slot = next;
            match zone.from_local_datetime(&slot) {
                LocalResult::Ambiguous(first, second) => {
                    if first > after {
                        return Some(first.to_utc());
                    }
                    if self.repeats && second > after && again.is_none() {
                        again = Some(second.to_utc());
                    }
                }
                LocalResult::Single(instant) if again.is_none() && instant > after => {
                    return Some(instant.to_utc());
                }
                LocalResult::None if again.is_none() && !self.hourly => {
                    if let Some(instant) = end_of_gap(slot, zone).filter(|end| *end > after) {
                        return Some(instant);
                    }
                }
                LocalResult::Single(_) | LocalResult::None => {
                    if again.is_some() {
                        return again;
                    }
                }
            }
        }
    }

    fn next_on_the_wall(&self, slot: NaiveDateTime) -> Option<NaiveDateTime> {
        let slot = slot.and_utc();
        let nexts = self.schedules.iter().filter_map(|schedule| schedule.after(&slot).next());
        nexts.min().map(|next| next.naive_utc())
    }
}

fn list((field, values): (Field, Values)) -> String {
    field.list(values)
}

/// The first instant after the gap that `slot` lies in.
fn end_of_gap(slot: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    (1..=GAP_MINUTES_MAX)
        .map(|minutes| zone.from_local_datetime(&(slot + TimeDelta::minutes(minutes))))
        .find_map(LocalResult::earliest)
        .map(|end| end.to_utc())
}

fn nickname(word: &str) -> Result<&'static str, BadCrontab> {
    Ok(match word {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@reboot" => {
            return Err(bad(
                "`@reboot` does not say how often: what is overdue is polled at the start anyway, \
                 write such as `@hourly`",
            ));
        }
        _ => {
            return Err(bad(format!(
                "`{word}`: write @hourly, @daily, @midnight, @weekly, @monthly, @yearly or \
                 @annually"
            )));
        }
    })
}

/// The seconds of `5m`, `2h`, `1d` or `90s`.
fn every(period: &str) -> Result<i64, BadCrontab> {
    let wrong = || bad(format!("`every {period}`: write 1m to 31d, such as 90s, 15m, 2h or 1d"));
    let unit = match period.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 24 * 3600,
        _ => return Err(wrong()),
    };
    let digits = &period[..period.len() - 1];
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = digits.parse::<i64>().map_err(|_| wrong())? * unit;
    if !(EVERY_SECONDS_MIN..=EVERY_SECONDS_MAX).contains(&seconds) {
        return Err(wrong());
    }
    Ok(seconds)
}

fn bad(message: impl Into<String>) -> BadCrontab {
    BadCrontab { message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::Denver;
    use chrono_tz::Europe::Kyiv;

    fn check(zone: Tz, line: &str, from: &str, expected: &[&str]) {
        let crontab = Crontab::parse(line).unwrap();
        let mut at: DateTime<Utc> = from.parse().unwrap();
        for expected in expected {
            at = crontab.next_after(at, zone);
            let shown = at.with_timezone(&zone).format("%m-%dT%H:%M%:z").to_string();
            assert_eq!(&shown, expected, "{line} from {from}");
        }
    }

    #[test]
    fn a_line_means_what_it_means_in_a_crontab() {
        // 2026-06-01 is a Monday.
        for (line, expected) in [
            ("0 6 * * 1", ["06-01T06:00+03:00", "06-08T06:00+03:00"]),
            ("0 6 * * 0", ["06-07T06:00+03:00", "06-14T06:00+03:00"]),
            ("0 6 * * 7", ["06-07T06:00+03:00", "06-14T06:00+03:00"]),
            ("0 6 * * fri-sun", ["06-05T06:00+03:00", "06-06T06:00+03:00"]),
            ("0 6 * * 5-7", ["06-05T06:00+03:00", "06-06T06:00+03:00"]),
            ("0 6 13 * 5", ["06-05T06:00+03:00", "06-12T06:00+03:00"]),
            ("0 6 */2 * 5", ["06-05T06:00+03:00", "06-19T06:00+03:00"]),
            ("0 6 2-9/3 * *", ["06-02T06:00+03:00", "06-05T06:00+03:00"]),
            ("30,*/20 6 * JUN-aug *", ["06-01T06:00+03:00", "06-01T06:20+03:00"]),
            ("0 0 29 2 *", ["02-29T00:00+02:00", "02-29T00:00+02:00"]),
            ("0 0 30 2 1", ["02-01T00:00+02:00", "02-08T00:00+02:00"]),
            ("@hourly", ["06-01T01:00+03:00", "06-01T02:00+03:00"]),
            ("@midnight", ["06-02T00:00+03:00", "06-03T00:00+03:00"]),
            ("@weekly", ["06-07T00:00+03:00", "06-14T00:00+03:00"]),
            ("@annually", ["01-01T00:00+02:00", "01-01T00:00+02:00"]),
            ("every 90s", ["06-01T00:01+03:00", "06-01T00:03+03:00"]),
            ("every 2h", ["06-01T01:00+03:00", "06-01T03:00+03:00"]),
        ] {
            check(Kyiv, line, "2026-05-31T21:00:00Z", &expected);
        }
    }

    #[test]
    fn what_the_clock_leaps_over_comes_after_the_leap() {
        for (line, expected) in [
            ("30 3 * * *", ["03-29T04:00+03:00", "03-30T03:30+03:00"]),
            ("0,30 3 * * *", ["03-29T04:00+03:00", "03-30T03:00+03:00"]),
            ("*/30 3 * * *", ["03-29T04:00+03:00", "03-30T03:00+03:00"]),
            ("0 3,4 * * *", ["03-29T04:00+03:00", "03-30T03:00+03:00"]),
            ("0 2,4 * * *", ["03-29T04:00+03:00", "03-30T02:00+03:00"]),
            ("30 * * * *", ["03-29T04:30+03:00", "03-29T05:30+03:00"]),
            ("*/15 * * * *", ["03-29T04:00+03:00", "03-29T04:15+03:00"]),
            ("every 30m", ["03-29T04:00+03:00", "03-29T04:30+03:00"]),
        ] {
            check(Kyiv, line, "2026-03-29T00:45:00Z", &expected);
        }
        check(Denver, "30 2 * * *", "2026-03-08T08:59:59Z", &["03-08T03:00-06:00"]);
    }

    #[test]
    fn what_the_clock_shows_twice_comes_once_if_it_is_fixed() {
        for (line, expected) in [
            ("30 3 * * *", ["10-25T03:30+03:00", "10-26T03:30+02:00"]),
            ("0,30 3 * * *", ["10-25T03:00+03:00", "10-25T03:30+03:00"]),
            ("15 3,4 * * *", ["10-25T03:15+03:00", "10-25T04:15+02:00"]),
        ] {
            check(Kyiv, line, "2026-10-24T23:45:00Z", &expected);
        }
        for (line, expected) in [
            ("*/30 3 * * *", ["10-25T03:00+03:00", "10-25T03:30+03:00", "10-25T03:00+02:00"]),
            ("10 * * * *", ["10-25T03:10+03:00", "10-25T03:10+02:00", "10-25T04:10+02:00"]),
            ("0 */3 * * *", ["10-25T03:00+03:00", "10-25T03:00+02:00", "10-25T06:00+02:00"]),
            ("every 30m", ["10-25T03:00+03:00", "10-25T03:30+03:00", "10-25T03:00+02:00"]),
        ] {
            check(Kyiv, line, "2026-10-24T23:45:00Z", &expected);
        }
        // From the middle of either showing.
        check(Kyiv, "30 3 * * *", "2026-10-25T00:30:00Z", &["10-26T03:30+02:00"]);
        check(Kyiv, "*/30 * * * *", "2026-10-25T00:50:00Z", &["10-25T03:00+02:00"]);
        check(Kyiv, "*/30 * * * *", "2026-10-25T01:10:00Z", &["10-25T03:30+02:00"]);
        check(Kyiv, "30 3 * * *", "2026-10-25T01:10:00Z", &["10-26T03:30+02:00"]);
    }

    #[test]
    fn a_mistake_is_named_with_what_would_be_right() {
        for (line, expected) in [
            ("", "a schedule is empty: write such as `*/15 * * * *`"),
            ("75 * * * *", "minute `75`: write 0 to 59"),
            ("* 24 * * *", "hour `24`: write 0 to 23"),
            ("* * 0 * *", "day of month `0`: write 1 to 31"),
            ("* * * FOO *", "month `FOO`: write 1 to 12, or JAN to DEC"),
            ("* * * * 8", "day of week `8`: write 0 to 7 (0 and 7 are Sunday), or SUN to SAT"),
            ("* 22-2 * * *", "hour `22-2`: the range goes backwards: write `22-23,0-2`"),
            ("* * * * FRI-MON", "day of week `FRI-MON`: the range goes backwards: write `5-6,0-1`"),
            ("* * * * 5-0", "day of week `5-0`: the range goes backwards: write `5-7`"),
            ("0/15 * * * *", "minute `0/15`: write `*/15`"),
            ("5/15 * * * *", "minute `5/15`: write `5-59/15`"),
            ("*/0 * * * *", "minute `*/0`: a step is 1 to 60"),
            ("*/90 * * * *", "minute `*/90`: a step is 1 to 60"),
            ("+5 * * * *", "minute `+5`: write 0 to 59"),
            ("1, * * * *", "minute ``: write 0 to 59"),
            ("* * L * *", "day of month `L`: write 1 to 31"),
            ("0 0 30 2 *", "`0 0 30 2 *` never comes: no month `2` has such a day `30`"),
            (
                "* * * *",
                "`* * * *` has 4 fields, not five: write minute, hour, day of month, month and day \
                 of week, such as `*/15 * * * *`",
            ),
            (
                "0 * * * * *",
                "`0 * * * * *` has 6 fields, not five (there are no seconds): write minute, hour, \
                 day of month, month and day of week, such as `*/15 * * * *`",
            ),
            (
                "@reboot",
                "`@reboot` does not say how often: what is overdue is polled at the start anyway, \
                 write such as `@hourly`",
            ),
            (
                "@often",
                "`@often`: write @hourly, @daily, @midnight, @weekly, @monthly, @yearly or \
                 @annually",
            ),
            ("every", "`every`: write such as `every 15m`"),
            ("every 30s", "`every 30s`: write 1m to 31d, such as 90s, 15m, 2h or 1d"),
            ("every 32d", "`every 32d`: write 1m to 31d, such as 90s, 15m, 2h or 1d"),
            ("every 5хв", "`every 5хв`: write 1m to 31d, such as 90s, 15m, 2h or 1d"),
            ("every -5m", "`every -5m`: write 1m to 31d, such as 90s, 15m, 2h or 1d"),
        ] {
            assert_eq!(Crontab::parse(line).unwrap_err().to_string(), expected, "{line:?}");
        }
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        for line in ["*/15 * * * *", "0 0 29 2 *", "every 31d"] {
            let crontab = Crontab::parse(line).unwrap();
            let last = DateTime::<Utc>::MAX_UTC;
            assert_eq!(crontab.next_after(last, Kyiv), last);
            let first = DateTime::<Utc>::MIN_UTC;
            assert!(crontab.next_after(first, Denver) > first);
        }
    }

    #[test]
    fn a_period_is_from_one_instant_to_the_next() {
        let at = "2026-06-01T00:00:00Z".parse().unwrap();
        for (line, minutes) in [("*/15 * * * *", 15), ("0 8,20 * * *", 720), ("every 2h", 120)] {
            let period = Crontab::parse(line).unwrap().period(at, Kyiv);
            assert_eq!(period, TimeDelta::minutes(minutes), "{line}");
        }
    }
}
