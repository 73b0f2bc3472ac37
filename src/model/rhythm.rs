//! What a feed's document says of how often to ask for it.
//!
//! RSS says it by `ttl`, `skipHours` and `skipDays` (RSS 2.0), the syndication module of RSS 1.0,
//! which others use too, by `sy:updatePeriod` and `sy:updateFrequency`.

use chrono::WeekdaySet;
use std::collections::BTreeSet;
use std::time::Duration;

/// The rhythm that a document asks for. Empty if it asks for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rhythm {
    /// How long a copy of the document may be kept: `ttl`, which is in minutes there.
    pub ttl: Option<Duration>,
    /// How often the document changes: `sy:updatePeriod` divided by `sy:updateFrequency`.
    pub update_every: Option<Duration>,
    /// The hours of the day, 0 to 23, in UTC, in which nobody need ask.
    pub skip_hours: BTreeSet<u32>,
    /// The days of the week, in UTC, on which nobody need ask.
    pub skip_days: WeekdaySet,
}
