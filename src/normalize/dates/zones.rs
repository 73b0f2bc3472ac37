//! The zones that dates name, and clocks in them.

use crate::normalize::dates::words::Token;
use chrono::DateTime;
use chrono::Duration;
use chrono::LocalResult;
use chrono::NaiveDateTime;
use chrono::TimeZone;
use chrono::Utc;
use chrono_tz::TZ_VARIANTS;
use chrono_tz::Tz;

/// No zone is further from Greenwich, in minutes.
const OFFSET_MINUTES_MAX: i64 = 14 * 60;

/// What a date says of its zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Zone {
    /// So many minutes east of Greenwich.
    Offset(i64),
    /// By its name, summer time included.
    Named(Tz),
}

/// The instant at which clocks of a zone show this.
pub(crate) fn instant(clock: NaiveDateTime, zone: Zone) -> Option<DateTime<Utc>> {
    match zone {
        Zone::Offset(minutes) => {
            Some(clock.checked_sub_signed(Duration::minutes(minutes))?.and_utc())
        }
        Zone::Named(zone) => match zone.from_local_datetime(&clock) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
                Some(instant.to_utc())
            }
            // The clock was put forward over this time: read it by the offset of before.
            LocalResult::None => {
                let before = zone.from_local_datetime(&(clock - Duration::hours(3))).earliest()?;
                Some(before.to_utc() + Duration::hours(3))
            }
        },
    }
}

/// `+0300`, `+03:00`, `+03` and `+3` at the start of tokens, and how many of them it takes.
/// Without a zone if it is further from Greenwich than any.
pub(crate) fn offset(tokens: &[Token]) -> Option<(Option<Zone>, usize)> {
    let [Token::Sign(sign @ ('+' | '-')), Token::Number(number, digits), after @ ..] = tokens
    else {
        return None;
    };
    let (minutes, taken) = match (digits, after) {
        (1 | 2, [Token::Sign(':'), Token::Number(minutes, 2), ..]) => (number * 60 + minutes, 4),
        (1 | 2, _) => (number * 60, 2),
        (3 | 4, _) => (number / 100 * 60 + number % 100, 2),
        _ => return None,
    };
    let minutes = if *sign == '-' { -minutes } else { minutes };
    let zone = Some(Zone::Offset(minutes)).filter(|_| minutes.abs() <= OFFSET_MINUTES_MAX);
    Some((zone, taken))
}

/// A zone by its name at the start of tokens, and how many of them it takes.
pub(crate) fn named(tokens: &[Token]) -> Option<(Zone, usize)> {
    let Some(Token::Word(word)) = tokens.first() else { return None };
    if let Some(minutes) = minutes(word) {
        return Some((Zone::Offset(minutes), 1));
    }
    if matches!(word.as_str(), "kyiv" | "kiev" | "київ" | "киев") {
        return Some((Zone::Named(Tz::Europe__Kyiv), 1));
    }
    if !matches!(tokens.get(1), Some(Token::Sign('/'))) {
        return None;
    }
    let is_of_name =
        |token: &&Token| matches!(token, Token::Word(_) | Token::Sign('/' | '_' | '-'));
    let part = |token: &Token| match token {
        Token::Word(word) => word.clone(),
        Token::Sign(sign) => sign.to_string(),
        _ => String::new(),
    };
    let parts: Vec<String> = tokens.iter().take_while(is_of_name).map(part).collect();
    let name = parts.concat();
    let zone = TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name))?;
    Some((Zone::Named(*zone), parts.len()))
}

/// The zones of RFC 822, 5.1, and those that servers in Ukraine and around write.
fn minutes(word: &str) -> Option<i64> {
    Some(match word {
        "z" | "ut" | "utc" | "gmt" | "wet" => 0,
        "cet" | "bst" | "west" => 60,
        "eet" | "cest" => 120,
        "eest" | "msk" | "мск" => 180,
        "msd" => 240,
        "edt" => -240,
        "est" | "cdt" => -300,
        "cst" | "mdt" => -360,
        "mst" | "pdt" => -420,
        "pst" => -480,
        _ => return None,
    })
}
