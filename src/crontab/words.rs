//! A schedule in words: "every 30 minutes", "at 06:00 and 18:00, Monday to Friday".

use crate::crontab::Crontab;
use crate::crontab::field::DAY;
use crate::crontab::field::Field;
use crate::crontab::field::HOUR;
use crate::crontab::field::MINUTE;
use crate::crontab::field::MONTH;
use crate::crontab::field::WEEKDAY;

/// Of so many times a day, each is told.
const TIMES_TOLD_MAX: usize = 6;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What a schedule means.
#[must_use]
pub fn in_words(crontab: &Crontab) -> String {
    match (crontab.every(), crontab.fields()) {
        (Some(seconds), _) => every(seconds),
        (None, Some([minute, hour, day, month, weekday])) => {
            let values = |field: &Field, text: &str| {
                field.parse(text).map(|values| field.values(values)).unwrap_or_default()
            };
            let times = times(&values(&MINUTE, minute), &values(&HOUR, hour));
            let days = days([day, weekday], &values(&DAY, day), &values(&WEEKDAY, weekday));
            let months = values(&MONTH, month);
            let months = (months.len() < MONTHS.len())
                .then(|| format!("in {}", listed(&months, 1, |at| MONTHS[at].to_owned())));
            let parts = [Some(times), days, months].into_iter().flatten();
            parts.collect::<Vec<_>>().join(", ")
        }
        (None, None) => crontab.as_str().to_owned(),
    }
}

fn every(seconds: i64) -> String {
    let (count, unit) = match seconds {
        s if s % 86_400 == 0 => (s / 86_400, "day"),
        s if s % 3600 == 0 => (s / 3600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if count == 1 { format!("every {unit}") } else { format!("every {count} {unit}s") }
}

fn times(minutes: &[u32], hours: &[u32]) -> String {
    let all_day = hours.len() == 24;
    let step = even_step(minutes, 60);
    let span = |minutes: &[u32]| match (minutes, hours) {
        ([first, ..], [from, ..]) => {
            let (last, to) = (minutes.last().unwrap_or(first), hours.last().unwrap_or(from));
            format!("from {from:02}:{first:02} to {to:02}:{last:02}")
        }
        _ => String::new(),
    };
    let is_range = hours.windows(2).all(|pair| pair[1] == pair[0] + 1);
    match (minutes, step) {
        (_, Some(1)) if all_day => every(60),
        ([0, ..], Some(step)) if all_day => every(i64::from(step) * 60),
        ([minute], _) if all_day => format!("every hour at :{minute:02}"),
        (_, _) if all_day => {
            format!("every hour at {}", listed_all(minutes, |minute| format!(":{minute:02}")))
        }
        ([minute], _) if even_step(hours, 24).is_some_and(|step| step > 1 && hours.len() > 2) => {
            format!("every {} hours from {:02}:{minute:02}", 24 / hours.len(), hours[0])
        }
        _ if minutes.len() * hours.len() <= TIMES_TOLD_MAX => {
            let times = hours.iter().flat_map(|hour| {
                minutes.iter().map(move |minute| format!("{hour:02}:{minute:02}"))
            });
            format!("at {}", joined(&times.collect::<Vec<_>>()))
        }
        ([_], _) if is_range => format!("every hour {}", span(minutes)),
        (_, Some(step)) if is_range => {
            format!("{} {}", every(i64::from(step) * 60), span(minutes))
        }
        _ => {
            let minutes = listed_all(minutes, |minute| format!(":{minute:02}"));
            format!("at {minutes} of hours {}", listed(hours, 0, |at| at.to_string()))
        }
    }
}

/// The days; nothing if it is every day.
fn days(fields: [&str; 2], days: &[u32], weekdays: &[u32]) -> Option<String> {
    let of_month = (days.len() < 31).then(|| {
        let noun = if days.len() == 1 { "day" } else { "days" };
        format!("on {noun} {} of the month", listed(days, 0, |at| at.to_string()))
    });
    // Monday first, as a week goes.
    let mut ordered: Vec<u32> =
        weekdays.iter().map(|day| if *day == 0 { 7 } else { *day }).collect();
    ordered.sort_unstable();
    let of_week = (ordered.len() < 7).then(|| listed(&ordered, 1, |at| WEEKDAYS[at].to_owned()));
    match (of_month, of_week) {
        (Some(month), Some(week)) if fields.iter().any(|field| field.starts_with('*')) => {
            Some(format!("{month} if it is a {week}"))
        }
        (Some(month), Some(week)) => Some(format!("{month} and on {week}")),
        (month, week) => month.or(week),
    }
}

/// The step of values that are as far from each other as the last is from the first of the next
/// turn.
fn even_step(values: &[u32], turn: u32) -> Option<u32> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let step = turn / count;
    let is_even = turn.is_multiple_of(count)
        && count > 1
        && values.windows(2).all(|pair| pair[1] - pair[0] == step)
        && values[0] < step;
    is_even.then_some(step)
}

/// "Monday to Friday", "1, 3 and 5": `first` is the number of the first name.
fn listed(values: &[u32], first: u32, name: impl Fn(usize) -> String) -> String {
    let name = |value: u32| name(usize::try_from(value - first).unwrap_or_default());
    match values {
        [from, .., to]
            if values.len() > 2 && usize::try_from(to - from + 1) == Ok(values.len()) =>
        {
            format!("{} to {}", name(*from), name(*to))
        }
        _ => listed_all(values, name),
    }
}

fn listed_all(values: &[u32], name: impl Fn(u32) -> String) -> String {
    joined(&values.iter().map(|value| name(*value)).collect::<Vec<_>>())
}

fn joined(names: &[String]) -> String {
    match names {
        [first @ .., one, last] => {
            let first: Vec<&str> = first.iter().chain([one]).map(String::as_str).collect();
            format!("{} and {last}", first.join(", "))
        }
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_told_in_words() {
        for (line, expected) in [
            ("every 30m", "every 30 minutes"),
            ("every 1h", "every hour"),
            ("every 90s", "every 90 seconds"),
            ("every 7d", "every 7 days"),
            ("* * * * *", "every minute"),
            ("*/30 * * * *", "every 30 minutes"),
            ("*/45 * * * *", "every hour at :00 and :45"),
            ("5,35 * * * *", "every hour at :05 and :35"),
            ("@hourly", "every hour at :00"),
            ("15 */2 * * *", "every 2 hours from 00:15"),
            ("0 6,12,18 * * *", "at 06:00, 12:00 and 18:00"),
            ("0 7-19 * * 1-5", "every hour from 07:00 to 19:00, Monday to Friday"),
            ("*/15 8-17 * * *", "every 15 minutes from 08:00 to 17:45"),
            ("5 1,3,4,6,7,11,20 * * *", "at :05 of hours 1, 3, 4, 6, 7, 11 and 20"),
            ("30 3 * * 0", "at 03:30, Sunday"),
            ("@weekly", "at 00:00, Sunday"),
            ("@monthly", "at 00:00, on day 1 of the month"),
            ("@yearly", "at 00:00, on day 1 of the month, in January"),
            ("0 6 13 * 5", "at 06:00, on day 13 of the month and on Friday"),
            ("0 6 1-7 * *", "at 06:00, on days 1 to 7 of the month"),
            ("0 6 * JUN-AUG SAT,SUN", "at 06:00, Saturday and Sunday, in June to August"),
            ("* 6 * * *", "every minute from 06:00 to 06:59"),
        ] {
            assert_eq!(in_words(&Crontab::parse(line).unwrap()), expected, "{line}");
        }
    }
}
