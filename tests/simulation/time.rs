//! The time: how much of it has passed, and what the daemon's clock says, which may jump.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;
use visnyk::model::clock::Clock;

/// The time of a world. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Time(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    epoch: DateTime<Utc>,
    /// What had passed when the runtime of now began, and when that was.
    before: Duration,
    began: Option<Instant>,
    offset: TimeDelta,
    /// What had passed whenever the clock was set.
    jumps: Vec<Duration>,
    latest: DateTime<Utc>,
}

impl Time {
    pub(crate) fn new(epoch: DateTime<Utc>) -> Self {
        let (before, began, offset) = (Duration::ZERO, None, TimeDelta::zero());
        Self(Arc::new(Mutex::new(State {
            epoch,
            before,
            began,
            offset,
            jumps: Vec::new(),
            latest: epoch,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the time is that of the runtime that this is called in.
    pub(crate) fn begin(&self) {
        self.state().began = Some(Instant::now());
    }

    /// The runtime ends: what has passed, has passed.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.before = state.elapsed();
        state.began = None;
    }

    /// How much has passed since the world began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.state().elapsed()
    }

    /// The true time, by which publishers live.
    pub(crate) fn true_now(&self) -> DateTime<Utc> {
        let state = self.state();
        state.epoch + state.elapsed()
    }

    /// What the daemon's clock says.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let mut state = self.state();
        let now = state.epoch + state.elapsed() + state.offset;
        state.latest = state.latest.max(now);
        now
    }

    /// The latest that the daemon's clock ever said.
    pub(crate) fn latest(&self) -> DateTime<Utc> {
        self.now();
        self.state().latest
    }

    /// The daemon's clock is set to be so far from the true time.
    pub(crate) fn set_offset(&self, offset: TimeDelta) {
        self.now();
        let mut state = self.state();
        state.offset = offset;
        let elapsed = state.elapsed();
        state.jumps.push(elapsed);
    }

    /// How often the daemon's clock had been set when so much had passed.
    pub(crate) fn jumps_until(&self, elapsed: Duration) -> u64 {
        let state = self.state();
        state.jumps.partition_point(|at| *at <= elapsed) as u64
    }

    /// The daemon's clock.
    pub(crate) fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.now())
    }
}

impl State {
    fn elapsed(&self) -> Duration {
        self.before + self.began.map_or(Duration::ZERO, |began| began.elapsed())
    }
}
