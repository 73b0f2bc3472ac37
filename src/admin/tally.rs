//! What is counted of polls since the daemon started.

use crate::model::exchange::Outcome;
use crate::model::exchange::Poll;
use std::time::Duration;

/// The outcomes of polls, as metrics name them.
pub const OUTCOMES: [&str; 6] = ["read", "not_modified", "later", "gone", "unreachable", "failed"];
/// The bounds of the histogram of durations, in seconds.
pub const BOUNDS: [f64; 8] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// The polls of a feed.
#[derive(Debug, Clone, Default)]
pub struct Polls {
    /// How many ended in which way, in the order of [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// How many bytes their documents had, after decompression.
    pub bytes: u64,
    /// How long they took in all.
    pub duration: Duration,
}

/// How long polls took.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    /// How many took no longer than each of [`BOUNDS`], and than the one before not.
    pub counts: [u64; BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long they took in all.
    pub sum: Duration,
}

impl Polls {
    /// One more.
    pub(crate) fn count(&mut self, poll: &Poll) {
        let index = match poll.outcome {
            Outcome::Read => 0,
            Outcome::NotModified => 1,
            Outcome::Later | Outcome::Postponed => 2,
            Outcome::Gone => 3,
            Outcome::Unreachable(_) => 4,
            Outcome::Failed(_) => 5,
        };
        self.outcomes[index] += 1;
        self.bytes = self.bytes.saturating_add(poll.bytes);
        self.duration = self.duration.saturating_add(poll.duration);
    }
}

impl Durations {
    /// One more.
    pub(crate) fn count(&mut self, duration: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
        if let Some(at) = BOUNDS.iter().position(|bound| duration.as_secs_f64() <= *bound) {
            self.counts[at] += 1;
        }
    }
}
