//! One field of a crontab line, as crontab(5) reads it.
//!
//! # Why not the `cron` crate
//! It counts Sunday as 1 where crontab has 0 and 7, takes `0/15` where crontab does not, and
//! its messages do not say what would be right. It is handed plain lists only.

use crate::crontab::BadCrontab;

/// What a field may hold.
#[derive(Debug)]
pub(crate) struct Field {
    /// How it is called in messages.
    pub(crate) name: &'static str,
    min: u32,
    max: u32,
    /// The last value that `*` means: 6 for days of the week, where 7 is Sunday again.
    star_max: u32,
    /// The words that may stand for values, the first for `min`.
    words: &'static [&'static str],
}

/// The values of a field, and how they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Values {
    /// A bit for each value.
    bits: u64,
    /// Whether it begins with `*`.
    pub(crate) starred: bool,
    /// Whether it has a step.
    pub(crate) stepped: bool,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Minutes.
pub(crate) const MINUTE: Field =
    Field { name: "minute", min: 0, max: 59, star_max: 59, words: &[] };
/// Hours.
pub(crate) const HOUR: Field = Field { name: "hour", min: 0, max: 23, star_max: 23, words: &[] };
/// Days of the month.
pub(crate) const DAY: Field =
    Field { name: "day of month", min: 1, max: 31, star_max: 31, words: &[] };
/// Months.
pub(crate) const MONTH: Field =
    Field { name: "month", min: 1, max: 12, star_max: 12, words: &MONTHS };
/// Days of the week: 0 and 7 are Sunday.
pub(crate) const WEEKDAY: Field =
    Field { name: "day of week", min: 0, max: 7, star_max: 6, words: &WEEKDAYS };

impl Field {
    /// Reads a list of values, ranges and steps.
    pub(crate) fn parse(&self, text: &str) -> Result<Values, BadCrontab> {
        let mut values = Values { bits: 0, starred: text.starts_with('*'), stepped: false };
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                None => (part, None),
                Some((range, step)) => (range, Some(self.step(part, step)?)),
            };
            let (first, last) = self.range(part, range, step)?;
            values.stepped |= step.is_some();
            for value in (first..=last).step_by(step.unwrap_or(1)) {
                values.bits |= 1 << self.folded(value);
            }
        }
        Ok(values)
    }

    /// The values as the `cron` crate takes them.
    pub(crate) fn list(&self, values: Values) -> String {
        if self.is_full(values) {
            return "*".to_owned();
        }
        let given = (self.min..=self.star_max).filter(|value| values.bits & (1 << value) != 0);
        let texts = given.map(|value| match WEEKDAYS.get(value as usize) {
            Some(word) if self.max == 7 => (*word).to_owned(),
            _ => value.to_string(),
        });
        texts.collect::<Vec<_>>().join(",")
    }

    /// The values by themselves: days of the week from Sunday, which is 0.
    pub(crate) fn values(&self, values: Values) -> Vec<u32> {
        (self.min..=self.star_max).filter(|value| values.bits & (1 << value) != 0).collect()
    }

    /// The least and the greatest number that may be written.
    pub(crate) fn bounds(&self) -> [u32; 2] {
        [self.min, self.max]
    }

    /// The words that may be written.
    pub(crate) fn words(&self) -> &'static [&'static str] {
        self.words
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> u32 {
        self.star_max - self.min + 1
    }

    /// Whether a turn is always as long: months are not.
    pub(crate) fn is_of_one_length(&self) -> bool {
        self.name != DAY.name
    }

    /// Whether every value is in it.
    pub(crate) fn is_full(&self, values: Values) -> bool {
        (self.min..=self.star_max).all(|value| values.bits & (1 << value) != 0)
    }

    fn step(&self, part: &str, text: &str) -> Result<usize, BadCrontab> {
        let steps = 1..=self.star_max - self.min + 1;
        let step = number(text).filter(|step| steps.contains(step));
        let step = step.and_then(|step| usize::try_from(step).ok());
        step.ok_or_else(|| self.wrong(part, &format!("a step is 1 to {}", steps.end())))
    }

    /// The first and the last value of `*`, `a` or `a-b`.
    fn range(
        &self,
        part: &str,
        range: &str,
        step: Option<usize>,
    ) -> Result<(u32, u32), BadCrontab> {
        if range == "*" {
            return Ok((self.min, self.star_max));
        }
        let Some((first, last)) = range.split_once('-') else {
            let value = self.value(part, range)?;
            return match step {
                None => Ok((value, value)),
                Some(step) if value == self.min => {
                    Err(self.wrong(part, &format!("write `*/{step}`")))
                }
                Some(step) => {
                    Err(self.wrong(part, &format!("write `{value}-{}/{step}`", self.star_max)))
                }
            };
        };
        let (first, word) = (self.value(part, first)?, last);
        let mut last = self.value(part, word)?;
        let sunday_at_the_end = self.max == 7 && last == 0 && first > 0;
        if sunday_at_the_end && number(word).is_none() {
            last = 7;
        }
        if first <= last {
            return Ok((first, last));
        }
        let span = |a: u32, b: u32| if a == b { a.to_string() } else { format!("{a}-{b}") };
        let right = if sunday_at_the_end {
            format!("{first}-7")
        } else {
            format!("{},{}", span(first, self.star_max.max(first)), span(self.min, last))
        };
        Err(self.wrong(part, &format!("the range goes backwards: write `{right}`")))
    }

    fn value(&self, part: &str, text: &str) -> Result<u32, BadCrontab> {
        let word = self.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let value = match word.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Some(self.min + at),
            None => number(text).filter(|value| (self.min..=self.max).contains(value)),
        };
        value.ok_or_else(|| {
            let words = match self.words {
                [] => String::new(),
                [first, .., last] if self.max == 7 => {
                    format!(" (0 and 7 are Sunday), or {first} to {last}")
                }
                [first, ..] => format!(", or {first} to {}", self.words[self.words.len() - 1]),
            };
            self.wrong(part, &format!("write {} to {}{words}", self.min, self.max))
        })
    }

    /// Sunday as 0.
    fn folded(&self, value: u32) -> u32 {
        if value > self.star_max { self.min } else { value }
    }

    fn wrong(&self, part: &str, right: &str) -> BadCrontab {
        BadCrontab { message: format!("{} `{part}`: {right}", self.name) }
    }
}

/// A number of at most three digits and nothing else: `parse` would take a sign.
fn number(text: &str) -> Option<u32> {
    let plain = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}
