//! Instants out of what publishers write for a date.
//!
//! A date without a zone is read in the feed's zone, summer time included: an hour that does not
//! exist is moved forward, of an hour that comes twice the earlier is meant.

use chrono::DateTime;
use chrono::Datelike;
use chrono::Duration;
use chrono::LocalResult;
use chrono::NaiveDate;
use chrono::NaiveDateTime;
use chrono::NaiveTime;
use chrono::TimeZone;
use chrono::Utc;
use chrono_tz::Tz;

/// How much of a date is read, in characters.
const DATE_CHARS_MAX: usize = 120;
/// No feed is older.
const YEAR_MIN: i32 = 1990;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(i64, usize),
    Word(String),
    Sign(char),
    Space,
}

#[derive(Debug, Default)]
struct Found {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    time: Option<(u32, u32, u32)>,
    offset_minutes: Option<i64>,
}

/// The instant that a text means, if it means one between 1990 and a day from now.
#[must_use]
pub fn date(text: &str, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text: String = text.trim().chars().take(DATE_CHARS_MAX).collect::<String>().to_lowercase();
    let instant = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.len() > 8
    {
        epoch(&text)?
    } else {
        let tokens = tokens(&text);
        match relative(&tokens, zone, now) {
            Some(instant) => instant,
            None => instant(&found(&tokens)?, zone, now)?,
        }
    };
    let believed = instant.year() >= YEAR_MIN && instant <= now + Duration::days(1);
    believed.then_some(instant)
}

fn epoch(digits: &str) -> Option<DateTime<Utc>> {
    let number: i64 = digits.parse().ok()?;
    match digits.len() {
        9 | 10 => DateTime::from_timestamp(number, 0),
        13 => DateTime::from_timestamp_millis(number),
        _ => None,
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = |keep: fn(char) -> bool| rest.find(|c| !keep(c)).unwrap_or(rest.len());
        let (token, bytes) = if c.is_ascii_digit() {
            let bytes = length(|c| c.is_ascii_digit());
            (Token::Number(rest[..bytes].parse().unwrap_or(-1), bytes), bytes)
        } else if c.is_alphabetic() {
            let bytes = length(char::is_alphabetic);
            (Token::Word(rest[..bytes].to_owned()), bytes)
        } else if c.is_whitespace() {
            (Token::Space, length(char::is_whitespace))
        } else {
            let sign = if matches!(c, '−' | '–' | '—') { '-' } else { c };
            (Token::Sign(sign), c.len_utf8())
        };
        tokens.push(token);
        rest = &rest[bytes..];
    }
    tokens
}

/// «сьогодні, 14:16», «вчора о 18:40», «2 години тому», «щойно».
fn relative(tokens: &[Token], zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let words = || {
        tokens.iter().filter_map(|token| match token {
            Token::Word(word) => Some(word.as_str()),
            _ => None,
        })
    };
    let days = words().find_map(|word| match word {
        "сьогодні" | "сегодня" | "today" => Some(0),
        "вчора" | "учора" | "вчера" | "yesterday" => Some(1),
        "позавчора" | "позавчера" => Some(2),
        _ => None,
    });
    if let Some(days) = days {
        let day = now.with_timezone(&zone).date_naive() - Duration::days(days);
        let (h, m, s) =
            (0..tokens.len()).find_map(|i| time(&tokens[i..])).map_or((0, 0, 0), |t| t.0);
        return local(day.and_hms_opt(h, m, s)?, zone);
    }
    if words().any(|word| matches!(word, "щойно")) {
        return Some(now);
    }
    if !words().any(|word| matches!(word, "тому" | "назад" | "ago")) {
        return None;
    }
    let count = tokens.iter().find_map(|token| match token {
        Token::Number(number, _) => Some(*number),
        _ => None,
    });
    let count = count.unwrap_or(1);
    let seconds = words().find_map(|word| {
        let starts = |stems: &[&str]| stems.iter().any(|stem| word.starts_with(stem));
        if starts(&["хв", "мин", "min"]) {
            Some(60)
        } else if starts(&["год", "час", "hour"]) {
            Some(3600)
        } else if starts(&["сек", "sec"]) {
            Some(1)
        } else if starts(&["день", "дні", "дня", "дней", "day"]) {
            Some(86_400)
        } else if starts(&["тиж", "недел", "week"]) {
            Some(7 * 86_400)
        } else {
            None
        }
    })?;
    now.checked_sub_signed(Duration::try_seconds(count.checked_mul(seconds)?)?)
}

/// A time at the start of tokens, and how many tokens it takes.
fn time(tokens: &[Token]) -> Option<((u32, u32, u32), usize)> {
    use Token::{Number, Sign, Space, Word};
    let [Number(hour, 1 | 2), Sign(':'), Number(minute, 2), rest @ ..] = tokens else {
        return None;
    };
    let mut taken = 3;
    let mut second = 0;
    if let [Sign(':'), Number(number, 1 | 2), rest @ ..] = rest {
        second = *number;
        taken += 2;
        if let [Sign('.' | ','), Number(..), ..] = rest {
            taken += 2;
        }
    }
    let mut hour = *hour;
    let after = tokens[taken..].iter().find(|token| **token != Space);
    match after {
        Some(Word(word)) if word == "pm" && hour < 12 => hour += 12,
        Some(Word(word)) if word == "am" && hour == 12 => hour = 0,
        _ => {}
    }
    // A leap second is the last second of its minute (RFC 3339, 5.6).
    let second = if second == 60 { 59 } else { second };
    if hour > 24 || *minute > 59 || second > 59 {
        return None;
    }
    let clock = [hour % 24, *minute, second].map(|n| u32::try_from(n).unwrap_or(0));
    Some(((clock[0], clock[1], clock[2]), taken))
}

fn found(tokens: &[Token]) -> Option<Found> {
    use Token::{Number, Sign, Word};
    let mut found = Found::default();
    let mut i = 0;
    let mut zone_may_follow = false;
    while i < tokens.len() {
        let rest = &tokens[i..];
        i += 1;
        if found.time.is_none()
            && let Some((clock, taken)) = time(rest)
        {
            found.time = Some(clock);
            zone_may_follow = true;
            i += taken - 1;
            continue;
        }
        match rest {
            [Sign(sign @ ('+' | '-')), Number(number, digits), after @ ..] if zone_may_follow => {
                let (minutes, taken) = offset(*number, *digits, after)?;
                found.offset_minutes = Some(if *sign == '-' { -minutes } else { minutes });
                zone_may_follow = false;
                i += taken;
            }
            [
                Number(first, width),
                Sign(mark @ ('.' | '-' | '/')),
                Number(second, 1 | 2),
                Sign(other),
                Number(third, year_width),
                ..,
            ] if mark == other && found.month.is_none() && (*width <= 2 || *width == 4) => {
                numeric(&mut found, (*first, *width), *second, (*third, *year_width));
                i += 4;
            }
            [Number(number, 8), ..] if found.year.is_none() => {
                numeric(&mut found, (number / 10_000, 4), number / 100 % 100, (number % 100, 2));
            }
            [Number(number, 4), ..] if found.year.is_none() => {
                found.year = i32::try_from(*number).ok();
            }
            [Number(number, 1 | 2), ..] if found.day.is_none() => {
                found.day = u32::try_from(*number).ok();
            }
            [Number(number, 2), ..] if found.year.is_none() => found.year = full_year(*number, 2),
            [Word(word), ..] => {
                if found.time.is_some()
                    && let Some(minutes) = zone_minutes(word)
                {
                    found.offset_minutes = Some(minutes);
                    zone_may_follow = matches!(word.as_str(), "gmt" | "utc");
                } else if found.month.is_none() {
                    found.month = month(word);
                }
            }
            _ => {}
        }
    }
    (found.month.is_some() && found.day.is_some()).then_some(found)
}

fn offset(number: i64, digits: usize, after: &[Token]) -> Option<(i64, usize)> {
    let (minutes, taken) = match (digits, after) {
        (1 | 2, [Token::Sign(':'), Token::Number(minutes, 2), ..]) => (number * 60 + minutes, 3),
        (1 | 2, _) => (number * 60, 1),
        (3 | 4, _) => (number / 100 * 60 + number % 100, 1),
        _ => return None,
    };
    (minutes <= 14 * 60).then_some((minutes, taken))
}

/// `2023-07-03`, `03.07.2023`, and `07/13/2023`, which can only be meant with the month first.
fn numeric(found: &mut Found, first: (i64, usize), second: i64, third: (i64, usize)) {
    let narrow = |number: i64| u32::try_from(number).ok();
    let (year, month, day) = if first.1 == 4 {
        (full_year(first.0, 4), second, third.0)
    } else if second > 12 && first.0 <= 12 {
        (full_year(third.0, third.1), first.0, second)
    } else {
        (full_year(third.0, third.1), second, first.0)
    };
    found.year = year;
    found.month = narrow(month);
    found.day = narrow(day);
}

fn full_year(number: i64, digits: usize) -> Option<i32> {
    let year = if digits > 2 {
        number
    } else if number < 70 {
        2000 + number
    } else {
        1900 + number
    };
    i32::try_from(year).ok()
}

/// The zones of RFC 822, 5.1, and those that servers in Ukraine and around write.
fn zone_minutes(word: &str) -> Option<i64> {
    Some(match word {
        "z" | "ut" | "utc" | "gmt" => 0,
        "cet" | "bst" => 60,
        "eet" | "cest" => 120,
        "eest" | "msk" => 180,
        "msd" => 240,
        "edt" => -240,
        "est" | "cdt" => -300,
        "cst" | "mdt" => -360,
        "mst" | "pdt" => -420,
        "pst" => -480,
        _ => return None,
    })
}

fn month(word: &str) -> Option<u32> {
    const STEMS: [&[&str]; 12] = [
        &["січ", "янв", "jan"],
        &["лют", "фев", "feb"],
        &["бер", "мар", "mar"],
        &["кві", "апр", "apr"],
        &["трав", "май", "мая", "мае", "may"],
        &["черв", "июн", "jun"],
        &["лип", "июл", "jul"],
        &["серп", "авг", "aug"],
        &["вер", "сен", "sep"],
        &["жов", "окт", "oct"],
        &["лис", "ноя", "nov"],
        &["гру", "дек", "dec"],
    ];
    let starts = |stems: &&[&str]| stems.iter().any(|stem| word.starts_with(stem));
    STEMS.iter().position(starts).and_then(|i| u32::try_from(i + 1).ok())
}

fn instant(found: &Found, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (hour, minute, second) = found.time.unwrap_or((0, 0, 0));
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    let in_year = |year: i32| {
        let day = NaiveDate::from_ymd_opt(year, found.month?, found.day?)?;
        let clock = day.and_time(time);
        match found.offset_minutes {
            Some(minutes) => Some(clock.checked_sub_signed(Duration::minutes(minutes))?.and_utc()),
            None => local(clock, zone),
        }
    };
    if let Some(year) = found.year {
        return in_year(year);
    }
    let this_year = now.with_timezone(&zone).year();
    in_year(this_year).filter(|instant| *instant <= now).or_else(|| in_year(this_year - 1))
}

fn local(clock: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&clock) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => Some(instant.to_utc()),
        // The clock was put forward over this time: read it by the offset of before.
        LocalResult::None => {
            let before = zone.from_local_datetime(&(clock - Duration::hours(3))).earliest()?;
            Some(before.to_utc() + Duration::hours(3))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Kyiv;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn every_shape_that_was_seen_is_read() {
        for (text, expected) in [
            ("Mon, 03 Jul 2023 14:16:00 +0300", "2023-07-03T11:16:00Z"),
            ("Fri, 03 Jul 2023 14:16:00 EEST", "2023-07-03T11:16:00Z"),
            ("Mon, 3 Jul 23 11:16 GMT", "2023-07-03T11:16:00Z"),
            ("Mon, 03 Jul 2023 14:16:00 GMT+3", "2023-07-03T11:16:00Z"),
            ("03 Jul 2023 14:16:00 MSK", "2023-07-03T11:16:00Z"),
            ("03 Jul 2023 07:16:00 EDT", "2023-07-03T11:16:00Z"),
            ("2023-07-03T14:16:00+03:00", "2023-07-03T11:16:00Z"),
            ("2023-07-03T11:16:00.123Z", "2023-07-03T11:16:00Z"),
            ("2023-07-03T14:16", "2023-07-03T11:16:00Z"),
            ("2023-07-03 14:16:00", "2023-07-03T11:16:00Z"),
            ("2023-07-03", "2023-07-02T21:00:00Z"),
            ("20230703", "2023-07-02T21:00:00Z"),
            ("03.07.2023 - 14:16", "2023-07-03T11:16:00Z"),
            ("03.07.2023 14:16", "2023-07-03T11:16:00Z"),
            ("14:16 - 03.07.2023", "2023-07-03T11:16:00Z"),
            ("03.07.23 14:16", "2023-07-03T11:16:00Z"),
            ("03/07/2023", "2023-07-02T21:00:00Z"),
            ("07/13/2023 2:16 PM", "2023-07-13T11:16:00Z"),
            ("3 липня 2023", "2023-07-02T21:00:00Z"),
            ("понеділок, 3 Липня 2023 р. о 14:16", "2023-07-03T11:16:00Z"),
            ("середа, 13 серпня 2025", "2025-08-12T21:00:00Z"),
            ("13 грудня 2025\u{a0}р., 10:05", "2025-12-13T08:05:00Z"),
            ("3 июля 2023, 14:16", "2023-07-03T11:16:00Z"),
            ("Jul 3, 2023 14:16", "2023-07-03T11:16:00Z"),
            ("03-Jul-2023 14:16", "2023-07-03T11:16:00Z"),
            ("Mon Jul  3 14:16:00 2023", "2023-07-03T11:16:00Z"),
            ("1688382960", "2023-07-03T11:16:00Z"),
            ("7 Липня, 12:24", "2026-07-07T09:24:00Z"),
            ("7 грудня, 12:24", "2025-12-07T10:24:00Z"),
            ("сьогодні, 13:16", "2026-11-24T11:16:00Z"),
            ("сьогодні о 9:05", "2026-11-24T07:05:00Z"),
            ("вчора 18:40", "2026-11-23T16:40:00Z"),
            ("2 години тому", "2026-11-24T10:00:00Z"),
            ("5 хв. тому", "2026-11-24T11:55:00Z"),
            ("щойно", "2026-11-24T12:00:00Z"),
            ("2026-03-29 03:30", "2026-03-29T01:30:00Z"),
            ("2026-10-25 03:30", "2026-10-25T00:30:00Z"),
        ] {
            let expected: DateTime<Utc> = expected.parse().unwrap();
            assert_eq!(date(text, Kyiv, now()), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "незабаром", "31.02.2023", "9999-01-01", "1970-01-01", "14:16", "2023", "0", "-1"]
        {
            assert_eq!(date(text, Kyiv, now()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = date(&text, Kyiv, now());
        }
        #[test]
        fn nothing_that_looks_like_a_date_panics(
            text in "[0-9 :.,/+-]{0,30}( (jul|тому|години|вчора|z|gmt|pm))?[0-9 :+-]{0,20}"
        ) {
            let _ = date(&text, Kyiv, now());
        }
    }
}
