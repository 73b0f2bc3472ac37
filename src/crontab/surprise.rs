//! Where a crontab line means something else than it looks like.
//!
//! # Why
//! `*/45` reads like "every 45 minutes" and is minutes 0 and 45; two day fields read like "and" and
//! are "or". Both are what crontab(5) says, so a line is never refused for them.

use crate::crontab::Crontab;
use crate::crontab::field::DAY;
use crate::crontab::field::Field;
use crate::crontab::field::HOUR;
use crate::crontab::field::MINUTE;
use crate::crontab::field::MONTH;
use crate::crontab::field::WEEKDAY;

/// What a schedule means, and what to write for what was likely meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surprise {
    /// What it means.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

/// Where a schedule means something else than it looks like.
#[must_use]
pub fn surprises(crontab: &Crontab) -> Vec<Surprise> {
    let Some([minute, hour, day, month, weekday]) = crontab.fields() else { return Vec::new() };
    let mut surprises = Vec::new();
    surprises.extend(uneven(&MINUTE, minute, "minute", (hour == "*").then_some('m')));
    surprises.extend(uneven(&HOUR, hour, "hour", is_single(minute).then_some('h')));
    surprises.extend(uneven(&DAY, day, "day", is_single(hour).then_some('d')));
    surprises.extend(uneven(&MONTH, month, "month", None));
    surprises.extend(uneven(&WEEKDAY, weekday, "weekday", None));
    surprises.extend(each_minute(minute, hour));
    surprises.extend(either_day(day, weekday));
    surprises.extend(short_months(day, month, weekday));
    surprises
}

/// A step that does not divide its range begins anew at the end, and so too early.
fn uneven(field: &Field, text: &str, unit: &str, every: Option<char>) -> Option<Surprise> {
    let step: u32 = text.strip_prefix("*/")?.parse().ok()?;
    let values: Vec<u32> = field.values(field.parse(text).ok()?);
    let count = field.count();
    if step <= 1 || (count.is_multiple_of(step) && field.is_of_one_length()) {
        return None;
    }
    let told = match values.as_slice() {
        [one] => format!("{unit} {one} only"),
        [one, other] => format!("{unit}s {one} and {other}"),
        [first, second, .., last] => {
            format!("{unit}s {first}, {second}, … {last}, and {first} again")
        }
        [] => return None,
    };
    let even = (2..step.min(count / 2 + 1)).rev().find(|even| count.is_multiple_of(*even));
    let list = values.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let instead = match (every, even) {
        (Some(letter), _) if values.len() > 1 => {
            format!("write `every {step}{letter}`, or `{list}` if that is meant")
        }
        (_, Some(even)) if field.is_of_one_length() => {
            format!("write `*/{even}`, or `{list}` if that is meant")
        }
        _ => format!("write `{list}` if that is meant"),
    };
    Some(Surprise { what: format!("`{text}` is {told}, not every {step} {unit}s"), instead })
}

/// `* 6 * * *` is sixty times.
fn each_minute(minute: &str, hour: &str) -> Option<Surprise> {
    let is_each = minute == "*" && hour != "*";
    is_each.then(|| Surprise {
        what: format!("`* {hour}` is each minute of hour {hour}"),
        instead: format!("write `0 {hour} …` for once an hour"),
    })
}

/// crontab(5): if both day fields are restricted, either is enough.
fn either_day(day: &str, weekday: &str) -> Option<Surprise> {
    let is_either = !day.starts_with('*') && !weekday.starts_with('*');
    is_either.then(|| Surprise {
        what: format!(
            "comes on day {day} of the month and on weekday {weekday} too, not on both at once"
        ),
        instead: "write `*` for one of them".to_owned(),
    })
}

/// A day that some months have not.
fn short_months(day: &str, month: &str, weekday: &str) -> Option<Surprise> {
    let given = DAY.values(DAY.parse(day).ok()?);
    let months = MONTH.values(MONTH.parse(month).ok()?);
    let &[day] = given.as_slice() else { return None };
    let longest = |month: &u32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let without = months.iter().filter(|month| longest(month) < day).count();
    let is_alone = weekday.starts_with('*');
    let instead = "write `1` for the first day of a month, or `28`".to_owned();
    if without == months.len() {
        let what = format!("no such month has a day {day}: comes on the days of the week only");
        return Some(Surprise { what, instead });
    }
    if without > 0 && is_alone {
        let what = format!("leaves out the months that have no day {day}");
        return Some(Surprise { what, instead });
    }
    if months == [2] && day == 29 && is_alone {
        let what = "comes every four years".to_owned();
        return Some(Surprise { what, instead });
    }
    None
}

fn is_single(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_looks_like_something_else_is_told() {
        for (line, what, instead) in [
            (
                "*/45 * * * *",
                "`*/45` is minutes 0 and 45, not every 45 minutes",
                "write `every 45m`, or `0,45` if that is meant",
            ),
            (
                "*/7 8-18 * * *",
                "`*/7` is minutes 0, 7, … 56, and 0 again, not every 7 minutes",
                "write `*/6`, or `0,7,14,21,28,35,42,49,56` if that is meant",
            ),
            (
                "*/40 * * * *",
                "`*/40` is minutes 0 and 40, not every 40 minutes",
                "write `every 40m`, or `0,40` if that is meant",
            ),
            (
                "0 */5 * * *",
                "`*/5` is hours 0, 5, … 20, and 0 again, not every 5 hours",
                "write `every 5h`, or `0,5,10,15,20` if that is meant",
            ),
            (
                "0 6 */2 * *",
                "`*/2` is days 1, 3, … 31, and 1 again, not every 2 days",
                "write `every 2d`, or `1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31` if that is meant",
            ),
            ("* 6 * * *", "`* 6` is each minute of hour 6", "write `0 6 …` for once an hour"),
            (
                "0 6 13 * 5",
                "comes on day 13 of the month and on weekday 5 too, not on both at once",
                "write `*` for one of them",
            ),
            (
                "0 6 31 * *",
                "leaves out the months that have no day 31",
                "write `1` for the first day of a month, or `28`",
            ),
            (
                "0 6 29 2 *",
                "comes every four years",
                "write `1` for the first day of a month, or `28`",
            ),
        ] {
            let found = surprises(&Crontab::parse(line).unwrap());
            let [first] = found.as_slice() else { panic!("{line}: {found:?}") };
            assert_eq!((first.what.as_str(), first.instead.as_str()), (what, instead), "{line}");
        }
        let both = surprises(&Crontab::parse("0 0 30 2 1").unwrap());
        assert_eq!(both.len(), 2, "{both:?}");
    }

    #[test]
    fn a_line_that_is_as_it_looks_is_not_told() {
        for line in [
            "*/30 * * * *",
            "*/5 * * * *",
            "0,45 * * * *",
            "15 */2 * * *",
            "0 7-19 * * 1-5",
            "@hourly",
            "@monthly",
            "every 45m",
            "0 6 1 */3 *",
            "0 6,18 * * *",
            "* * * * *",
            "5-59/7 * * * *",
        ] {
            assert_eq!(surprises(&Crontab::parse(line).unwrap()), [], "{line}");
        }
    }
}
