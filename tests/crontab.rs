//! Crontab lines against another reader of them, over many lines and instants.

use chrono::DateTime;
use chrono::NaiveDate;
use chrono::TimeZone;
use chrono::Utc;
use chrono_tz::Tz;
use croner::parser::CronParser;
use proptest::prelude::*;
use visnyk::crontab::Crontab;

/// A line, and whether both readers agree on what it means when the clocks change: the other
/// one calls a time fixed only if it is a single one, and leaves out what a clock leaps over
/// otherwise.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    agreed: bool,
}

fn field(min: u32, max: u32) -> impl Strategy<Value = String> {
    let value = move || min..=max;
    // The other reader refuses a step that is longer than its range.
    let range = (value(), value(), 2_u32..=9).prop_map(|(a, b, step)| {
        let step = if step <= a.abs_diff(b) { format!("/{step}") } else { String::new() };
        format!("{}-{}{step}", a.min(b), a.max(b))
    });
    prop_oneof![
        Just("*".to_owned()),
        value().prop_map(|value| value.to_string()),
        range,
        prop::collection::vec(min..=max, 2..5).prop_map(|list| list
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")),
    ]
}

fn steps(min: u32, max: u32) -> impl Strategy<Value = String> {
    prop_oneof![3 => field(min, max), 1 => (2_u32..=20).prop_map(|step| format!("*/{step}"))]
}

fn weekday() -> impl Strategy<Value = String> {
    let named = prop::sample::select(vec!["MON", "sun", "TUE-FRI", "SAT,SUN", "Fri-Sun", "0-7"]);
    prop_oneof![2 => Just("*".to_owned()), 2 => field(0, 7), 1 => named.prop_map(str::to_owned)]
}

fn line() -> impl Strategy<Value = Line> {
    let month = prop_oneof![3 => Just("*".to_owned()), 1 => field(1, 12)];
    (steps(0, 59), steps(0, 23), field(1, 31), month, weekday()).prop_map(
        |(minute, hour, day, month, weekday)| {
            let single = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit());
            let agreed = hour == "*" || single(&minute) && single(&hour);
            Line { text: format!("{minute} {hour} {day} {month} {weekday}"), agreed }
        },
    )
}

/// Instants of a few years, many of them near a change of the clocks.
fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    let changes = [1_774_746_000_i64, 1_792_890_000, 1_772_960_400, 1_793_520_000];
    let near = (prop::sample::select(changes.to_vec()), -8_000_i64..8_000)
        .prop_map(|(change, by)| change + by);
    prop_oneof![1_735_689_600_i64..1_830_297_600, near]
        .prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(vec![Tz::Europe__Kyiv, Tz::America__Denver, Tz::UTC])
}

/// Whether the clocks change on the day of this instant.
fn is_day_of_change(at: DateTime<Utc>, zone: Tz) -> bool {
    let day = at.with_timezone(&zone).date_naive();
    let midnight = |day: NaiveDate| zone.from_local_datetime(&day.and_hms_opt(0, 0, 0).unwrap());
    let hours = midnight(day.succ_opt().unwrap()).unwrap() - midnight(day).unwrap();
    hours != chrono::TimeDelta::hours(24)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_readers_find_the_same_instants(line in line(), from in instant(), zone in zone()) {
        let theirs = CronParser::new().parse(&line.text).unwrap();
        let Ok(ours) = Crontab::parse(&line.text) else {
            // What never comes is refused; the other one searches in vain.
            prop_assert!(theirs.find_next_occurrence(&from, false).is_err(), "{line:?}");
            return Ok(());
        };
        let (mut a, mut b) = (from, from.with_timezone(&zone));
        for _ in 0..6 {
            a = ours.next_after(a, zone);
            b = theirs.find_next_occurrence(&b, false).unwrap();
            let disputed = is_day_of_change(a, zone) || is_day_of_change(b.to_utc(), zone);
            if disputed && !line.agreed {
                return Ok(());
            }
            prop_assert_eq!(a, b.to_utc(), "{:?} after {} in {}", line, from, zone);
        }
    }

    #[test]
    fn instants_only_go_forward_and_are_whole_minutes(
        line in line(),
        from in instant(),
        nanoseconds in 0_i64..2_000_000_000,
        zone in zone(),
    ) {
        let Ok(crontab) = Crontab::parse(&line.text) else { return Ok(()) };
        let mut at = from + chrono::TimeDelta::nanoseconds(nanoseconds);
        for _ in 0..12 {
            let next = crontab.next_after(at, zone);
            prop_assert!(next > at, "{line:?} after {at}");
            prop_assert_eq!(next.timestamp_subsec_nanos(), 0);
            prop_assert_eq!(next.timestamp() % 60, 0);
            // Nothing lies between: from any instant in between the same one comes next.
            let between = at + (next - at) / 2;
            prop_assert_eq!(crontab.next_after(between, zone), next);
            at = next;
        }
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in "\\PC{0,40}|[-0-9*/,@ a-zA-Z]{0,30}") {
        if let Ok(crontab) = Crontab::parse(&text) {
            let at = DateTime::UNIX_EPOCH;
            prop_assert!(crontab.next_after(at, Tz::Europe__Kyiv) > at);
        }
    }
}
