//! What a feed says of how often to ask for it.

use crate::model::rhythm::Rhythm;
use crate::parse::field::Field;
use crate::parse::name::Space;
use chrono::Weekday;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What is said of the rhythm, as it is met.
#[derive(Debug, Default)]
pub(super) struct Hints {
    rhythm: Rhythm,
    period: Option<Duration>,
    frequency: Option<u32>,
}

impl Hints {
    /// Takes in a field of the feed itself, if it is one of these.
    pub(super) fn take(&mut self, field: &Field) {
        match (field.space, field.name.as_str()) {
            (Space::Rss, "ttl") => self.rhythm.ttl = minutes(&field.text),
            (Space::Rss, "skiphours") => {
                let hours = children(field, "hour").filter_map(|text| text.parse::<u32>().ok());
                // RSS 0.91 counted from 1 to 24.
                self.rhythm
                    .skip_hours
                    .extend(hours.filter(|hour| *hour <= 24).map(|hour| hour % 24));
            }
            (Space::Rss, "skipdays") => {
                let days = children(field, "day").filter_map(|text| text.parse::<Weekday>().ok());
                days.for_each(|day| {
                    self.rhythm.skip_days.insert(day);
                });
            }
            (Space::Syndication, "updateperiod") => self.period = period(&field.text),
            (Space::Syndication, "updatefrequency") => {
                self.frequency = field.text.trim().parse().ok().filter(|frequency| *frequency > 0);
            }
            _ => {}
        }
    }

    /// The rhythm that all of it makes.
    pub(super) fn rhythm(self) -> Rhythm {
        let update_every = self.period.map(|period| period / self.frequency.unwrap_or(1));
        Rhythm { update_every, ..self.rhythm }
    }
}

fn children<'a>(field: &'a Field, name: &str) -> impl Iterator<Item = &'a str> {
    let name = name.to_owned();
    let nodes = field.nodes.iter().filter(move |node| node.name == name);
    nodes.map(|node| node.text.trim())
}

/// A whole number of minutes; none if it is none, or 0, which says nothing.
fn minutes(text: &str) -> Option<Duration> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let minutes = is_number.then(|| text.parse().unwrap_or(u64::MAX))?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(MINUTE)))
}

/// The words of the syndication module.
fn period(text: &str) -> Option<Duration> {
    Some(Duration::from_secs(match text.trim().to_ascii_lowercase().as_str() {
        "hourly" => HOUR,
        "daily" => DAY,
        "weekly" => 7 * DAY,
        "monthly" => 30 * DAY,
        "yearly" => 365 * DAY,
        _ => return None,
    }))
}
