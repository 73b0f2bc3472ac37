//! Instants out of what publishers write for a date.
//!
//! A date without a zone is read in the feed's zone, summer time included: an hour that does not
//! exist is moved forward, of an hour that comes twice the earlier is meant.
//!
//! # How
//! `words` cuts a date into pieces and knows the names of months, `shapes` finds day, time and
//! zone in whatever order they stand, `zones` knows zones, `relative` reads «2 години тому».

pub(crate) mod relative;
pub(crate) mod shapes;
pub(crate) mod words;
pub(crate) mod zones;

use crate::normalize::dates::relative::relative;
use crate::normalize::dates::shapes::Found;
use crate::normalize::dates::shapes::found;
use crate::normalize::dates::words::Token;
use crate::normalize::dates::words::tokens;
use crate::normalize::dates::zones::Zone;
use chrono::DateTime;
use chrono::Datelike;
use chrono::Duration;
use chrono::NaiveDate;
use chrono::Utc;
use chrono_tz::Tz;

/// No feed is older.
const YEAR_MIN: i32 = 1990;
/// How far back the year of a date without one is looked for: 29 February may be 8 years ago.
const YEARS_BACK_MAX: i32 = 8;

/// The instant that a text means, if it means one between 1990 and a day from now.
#[must_use]
pub fn date(text: &str, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let tokens = tokens(text);
    let latest = now.checked_add_signed(Duration::days(1)).unwrap_or(now);
    let read = match (packed(&tokens, zone), found(&tokens)) {
        (Some(instant), _) => Some(instant),
        (None, Some(found)) if found.year.is_some() => instant(&found, zone, latest),
        (None, found) => relative(&tokens, zone, now)
            .or_else(|| found.and_then(|found| instant(&found, zone, latest))),
    };
    read.filter(|instant| instant.year() >= YEAR_MIN && *instant <= latest)
}

/// Whether a date says the same at every poll: «2 години тому» does not, and «7 липня» gets its
/// year when that is over.
#[must_use]
pub fn is_lasting(text: &str) -> bool {
    let tokens = tokens(text);
    packed(&tokens, Tz::UTC).is_some() || found(&tokens).is_some_and(|found| found.year.is_some())
}

/// A number alone: seconds or milliseconds since 1970, or `20230703141600`.
fn packed(tokens: &[Token], zone: Tz) -> Option<DateTime<Utc>> {
    let [Token::Number(number, digits)] = tokens else { return None };
    match digits {
        9 | 10 => DateTime::from_timestamp(*number, 0),
        12 | 13 => DateTime::from_timestamp_millis(*number),
        14 => {
            let part = |unit: i64, modulus: i64| u32::try_from(number / unit % modulus).ok();
            let year = i32::try_from(number / 10_000_000_000).ok()?;
            let day =
                NaiveDate::from_ymd_opt(year, part(100_000_000, 100)?, part(1_000_000, 100)?)?;
            let clock = day.and_hms_opt(part(10_000, 100)?, part(100, 100)?, part(1, 100)?)?;
            zones::instant(clock, Zone::Named(zone))
        }
        _ => None,
    }
}

/// The instant that was found; without a year, the latest that is not after `latest`.
fn instant(found: &Found, zone: Tz, latest: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (hour, minute, second) = found.clock.unwrap_or_default();
    let in_year = |year: i32| {
        let day = NaiveDate::from_ymd_opt(year, found.month?, found.day?)?;
        let day = if hour == 24 { day.succ_opt()? } else { day };
        let clock = day.and_hms_opt(hour % 24, minute, second)?;
        zones::instant(clock, found.zone.unwrap_or(Zone::Named(zone)))
    };
    if let Some(year) = found.year {
        return in_year(year);
    }
    let this_year = latest.with_timezone(&zone).year();
    (0..=YEARS_BACK_MAX).find_map(|back| in_year(this_year - back).filter(|at| *at <= latest))
}

#[cfg(test)]
mod tests;
