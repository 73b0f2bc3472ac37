//! Dates that are told from the reader's now: «сьогодні, 14:16», «2 години тому», «щойно».

use crate::normalize::dates::shapes;
use crate::normalize::dates::words::Token;
use crate::normalize::dates::words::words;
use crate::normalize::dates::zones;
use crate::normalize::dates::zones::Zone;
use chrono::DateTime;
use chrono::Duration;
use chrono::Months;
use chrono::Utc;
use chrono_tz::Tz;

/// How long a unit of time is.
#[derive(Clone, Copy)]
enum Unit {
    Seconds(i64),
    Months(i64),
}

/// The instant, if the date is told from `now`.
pub(crate) fn relative(tokens: &[Token], zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Some(days) = words(tokens).find_map(days_ago) {
        let day = now.with_timezone(&zone).date_naive() - Duration::days(days);
        let (hour, minute, second) = shapes::clock(tokens).unwrap_or_default();
        let clock = day.and_hms_opt(hour % 24, minute, second)?;
        return zones::instant(clock, Zone::Named(zone));
    }
    let said: Vec<&str> = words(tokens).collect();
    let now_words = [&["щойно"][..], &["тільки", "що"], &["только", "что"], &["just", "now"]];
    if now_words.iter().any(|words| said.windows(words.len()).any(|window| window == *words)) {
        return Some(now);
    }
    let back = said.iter().find(|word| matches!(**word, "тому" | "назад" | "ago"))?;
    ago(tokens, back, now)
}

fn days_ago(word: &str) -> Option<i64> {
    match word {
        "сьогодні" | "сегодня" | "today" => Some(0),
        "вчора" | "учора" | "вчера" | "yesterday" => Some(1),
        "позавчора" | "позавчера" => Some(2),
        _ => None,
    }
}

/// «1 год. 20 хв. тому», «годину тому», «півгодини тому».
fn ago(tokens: &[Token], back: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut at = None;
    let mut count = None;
    for token in tokens {
        match token {
            Token::Number(number, _) => count = Some(*number),
            Token::Word(word) => {
                let half = word.strip_prefix("пів").or_else(|| word.strip_prefix("пол"));
                let whole = half.filter(|rest| unit(rest, back).is_some()).unwrap_or(word);
                let Some(unit) = unit(whole, back) else { continue };
                let parts = if whole.len() < word.len() { 2 } else { 1 };
                at = Some(before(at.unwrap_or(now), count.take().unwrap_or(1), unit, parts)?);
            }
            _ => {}
        }
    }
    at
}

fn before(at: DateTime<Utc>, count: i64, unit: Unit, parts: i64) -> Option<DateTime<Utc>> {
    let count = u32::try_from(count).ok()?;
    match unit {
        Unit::Seconds(seconds) => {
            at.checked_sub_signed(Duration::try_seconds(i64::from(count) * seconds / parts)?)
        }
        Unit::Months(months) => {
            let months = u32::try_from(i64::from(count) * months / parts).ok()?;
            at.checked_sub_months(Months::new(months))
        }
    }
}

/// What a word counts. «Год тому» is an hour in Ukrainian, «год назад» a year in Russian.
fn unit(word: &str, back: &str) -> Option<Unit> {
    let starts = |stems: &[&str]| stems.iter().any(|stem| word.starts_with(stem));
    if matches!(word, "года" | "лет") || (word == "год" && back == "назад") {
        Some(Unit::Months(12))
    } else if starts(&["хв", "мин", "min"]) {
        Some(Unit::Seconds(60))
    } else if starts(&["год", "час", "hour"]) || matches!(word, "ч" | "h" | "hr" | "hrs") {
        Some(Unit::Seconds(3600))
    } else if starts(&["сек", "sec"]) {
        Some(Unit::Seconds(1))
    } else if starts(&["ден", "дн", "доб", "сут", "day"]) {
        Some(Unit::Seconds(86_400))
    } else if starts(&["тиж", "нед", "week"]) {
        Some(Unit::Seconds(7 * 86_400))
    } else if starts(&["міс", "мес", "month"]) {
        Some(Unit::Months(1))
    } else if starts(&["рік", "рок", "year"]) {
        Some(Unit::Months(12))
    } else {
        None
    }
}
