//! The state of every feed, as whoever asks is told it: the admin's socket, the metrics, the events.
//!
//! The loop that polls puts the state of a feed here after each poll. What is counted is counted by
//! what was put: a poll that was not seen before. All that is known of a feed goes with its line, so
//! that a feed that is taken out of feeds.toml leaves nothing.

use crate::admin::tally::Durations;
use crate::admin::tally::Polls;
use crate::attention::Case;
use crate::attention::Need;
use crate::attention::needs;
use crate::backup::recovery::Recovery;
use crate::model::exchange::History;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::schedule::PollTime;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::Notify;

/// The state of every feed, as it is told. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

/// All that is known.
#[derive(Debug, Default)]
pub struct State {
    /// The feeds that are polled.
    pub lines: BTreeMap<FeedId, Line>,
    /// How long all polls took, those of feeds that are no more included.
    pub durations: Durations,
    /// Since when the daemon runs; none if none does.
    pub since: Option<DateTime<Utc>>,
    /// How it stands with feeds.toml.
    pub config: Standing,
    /// Since when the store takes nothing, so that no feed is polled, and why.
    pub stopped: Option<(DateTime<Utc>, String)>,
    /// How the store is kept within its bounds.
    pub kept: Kept,
    /// How it stands with backups.
    pub backups: Backups,
    /// In which line of feeds.toml the address of each feed is.
    addresses: BTreeMap<FeedId, usize>,
    /// The feeds that were put since they were last asked for.
    touched: BTreeSet<FeedId>,
    /// When each loop last showed that it goes on.
    beats: BTreeMap<Pulse, Instant>,
}

/// What is known of a feed.
#[derive(Debug)]
pub struct Line {
    /// The feed.
    pub feed: Arc<Feed>,
    /// How its polls went.
    pub history: History,
    /// When it is polled next.
    pub planned: PollTime,
    /// When its newest articles were published, the newest first.
    pub published: Vec<DateTime<Utc>>,
    /// Its polls since the daemon started.
    pub polls: Polls,
    address: Option<usize>,
}

/// How it stands with feeds.toml.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since when the daemon runs with what it runs with.
    pub since: Option<DateTime<Utc>>,
    /// When the file was last refused, and what is wrong in it, if it still is.
    pub refused: Option<(DateTime<Utc>, String)>,
}

/// How the store is kept within its bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many bytes its files have; none if it was not measured yet.
    pub store_bytes: Option<u64>,
    /// How many articles were kept no longer, in all.
    pub dropped_ever: u64,
    /// When all articles were last looked at, and how many of them went.
    pub dropped: Option<(DateTime<Utc>, u64)>,
    /// When the store was last written anew, since the daemon started.
    pub compacted: Option<DateTime<Utc>>,
    /// How often it was, since the daemon started.
    pub compactions: u64,
}

/// How it stands with backups.
#[derive(Debug, Clone, Default)]
pub struct Backups {
    /// The last one.
    pub last: Option<LastBackup>,
    /// When the next one failed, and why, if it did.
    pub failed: Option<(DateTime<Utc>, String)>,
    /// What was done at the start with a store that was damaged.
    pub recovery: Option<Recovery>,
}

/// A backup that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastBackup {
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// How many bytes it has.
    pub bytes: u64,
    /// How long it took; nought if an earlier daemon wrote it.
    pub took: Duration,
    /// Where it is.
    pub path: PathBuf,
}

/// Why no feed is polled next.
const STOPPED: &str = "no feed is polled: the store takes nothing";

/// A loop that has to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pulse {
    /// The one that polls.
    Polls,
    /// The one that tells.
    Tells,
}

impl Pulse {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Polls => "polls",
            Self::Tells => "events",
        }
    }
}

impl Line {
    /// What the feed needs.
    #[must_use]
    pub fn needs(&self, now: DateTime<Utc>) -> Vec<Need> {
        let case = Case {
            feed: &self.feed,
            history: &self.history,
            planned: &self.planned,
            published: &self.published,
            line: self.address,
        };
        needs(&case, now)
    }
}

impl Board {
    /// Puts the state of a feed there.
    pub fn put(&self, feed: &Arc<Feed>, history: &History, planned: &PollTime) {
        let mut state = self.state();
        let State { lines, durations, addresses, touched, stopped, .. } = &mut *state;
        let former = lines.remove(&feed.id);
        let (polls, published) = former.map_or_else(Default::default, |former| {
            let mut polls = former.polls;
            let seen = former.history.polls.last().map(|poll| poll.at);
            if let Some(last) = history.polls.last().filter(|last| Some(last.at) != seen) {
                polls.count(last);
                durations.count(last.duration);
            }
            (polls, former.published)
        });
        let line = Line {
            feed: Arc::clone(feed),
            history: history.clone(),
            planned: if stopped.is_some() { never() } else { planned.clone() },
            published,
            polls,
            address: addresses.get(&feed.id).copied(),
        };
        lines.insert(feed.id.clone(), line);
        touched.insert(feed.id.clone());
        drop(state);
        self.0.changed.notify_one();
    }

    /// Puts there when the newest articles of a feed were published, the newest first.
    pub fn put_published(&self, feed: &FeedId, published: Vec<DateTime<Utc>>) {
        if let Some(line) = self.state().lines.get_mut(feed) {
            line.published = published;
        }
    }

    /// Takes the states of other feeds away.
    pub fn keep(&self, is_kept: impl Fn(&FeedId) -> bool) {
        let mut state = self.state();
        state.lines.retain(|id, _| is_kept(id));
        state.touched.retain(&is_kept);
        drop(state);
        self.0.changed.notify_one();
    }

    /// In which line of feeds.toml the address of each feed is.
    pub fn put_addresses(&self, addresses: BTreeMap<FeedId, usize>) {
        let mut state = self.state();
        for (id, line) in &mut state.lines {
            line.address = addresses.get(id).copied();
        }
        state.addresses = addresses;
    }

    /// Notes that feeds.toml is good; at which time it was taken, if it means something new.
    pub fn config_taken(&self, at: Option<DateTime<Utc>>) {
        let mut state = self.state();
        // The first is that with which the daemon starts.
        state.since = state.since.or(at);
        state.config.since = at.or(state.config.since);
        state.config.refused = None;
        drop(state);
        self.0.changed.notify_one();
    }

    /// How it stands with feeds.toml.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.state().config.clone()
    }

    /// Notes that feeds.toml was refused.
    pub fn config_refused(&self, at: DateTime<Utc>, why: &str) {
        self.state().config.refused = Some((at, why.to_owned()));
        self.0.changed.notify_one();
    }

    /// Notes that the store takes nothing, and that no feed is polled until it does. Of several
    /// times the first counts.
    pub fn polls_stopped(&self, at: DateTime<Utc>, why: &str) {
        let mut state = self.state();
        let State { lines, stopped, .. } = &mut *state;
        stopped.get_or_insert_with(|| (at, why.to_owned()));
        for line in lines.values_mut() {
            line.planned = never();
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// Notes that feeds are polled again, and when each is.
    pub fn polls_go_on<'a>(&self, planned: impl Iterator<Item = (&'a Arc<Feed>, &'a PollTime)>) {
        let mut state = self.state();
        state.stopped = None;
        for (feed, planned) in planned {
            if let Some(line) = state.lines.get_mut(&feed.id) {
                line.planned = planned.clone();
            }
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// Notes how many bytes the store's files have, and how many articles it kept no longer.
    pub fn store_measured(&self, bytes: u64, dropped_ever: u64) {
        let kept = &mut self.state().kept;
        (kept.store_bytes, kept.dropped_ever) = (Some(bytes), dropped_ever);
    }

    /// Notes that all articles were looked at, and how many of them went.
    pub fn articles_dropped(&self, at: DateTime<Utc>, count: u64) {
        self.state().kept.dropped = Some((at, count));
    }

    /// Notes that the store was written anew.
    pub fn store_compacted(&self, at: DateTime<Utc>) {
        let kept = &mut self.state().kept;
        kept.compacted = Some(at);
        kept.compactions += 1;
    }

    /// Notes that a backup was written.
    pub fn backed_up(&self, last: LastBackup) {
        self.state().backups.last = Some(last);
        self.0.changed.notify_one();
    }

    /// Notes that one could not be written, or was.
    pub fn backup_failed(&self, failed: Option<(DateTime<Utc>, String)>) {
        self.state().backups.failed = failed;
        self.0.changed.notify_one();
    }

    /// Notes what was done with a store that was damaged, if it was.
    pub fn recovered(&self, recovery: Option<Recovery>) {
        self.state().backups.recovery = recovery;
    }

    /// A loop goes on.
    pub fn beat(&self, pulse: Pulse) {
        self.state().beats.insert(pulse, Instant::now());
    }

    /// How long ago a loop last went on; none if it never did.
    #[must_use]
    pub fn since_beat(&self, pulse: Pulse) -> Option<Duration> {
        self.state().beats.get(&pulse).map(Instant::elapsed)
    }

    /// Ends when something was put here, or taken, since this was last waited for.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// The feeds that were put here since this was last asked.
    #[must_use]
    pub fn take_touched(&self) -> BTreeSet<FeedId> {
        std::mem::take(&mut self.state().touched)
    }

    /// Looks at all of it. Polls that end meanwhile wait, so that what looks is quick.
    pub fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The plan of every feed while none is polled.
fn never() -> PollTime {
    PollTime { at: None, reason: STOPPED.to_owned(), ignored: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::told::told;
    use crate::crontab::Crontab;
    use crate::model::feed::Address;
    use crate::model::feed::TaggingEntity;

    #[test]
    fn while_the_store_takes_nothing_no_feed_has_a_next_poll() {
        let tagging = TaggingEntity {
            authority: "site.example".to_owned(),
            since: "2026-01-01".parse().unwrap(),
        };
        let address = Address::Http("https://city.example/feed".parse().unwrap());
        let schedule = Crontab::parse("@hourly").unwrap();
        let feed = |id| {
            let id = FeedId::new(id).unwrap();
            Arc::new(Feed::new(id, address.clone(), schedule.clone(), tagging.clone()))
        };
        let now: DateTime<Utc> = "2026-11-26T12:00:00Z".parse().unwrap();
        let soon = PollTime { at: Some(now), reason: "soon".to_owned(), ignored: None };
        let board = Board::default();
        board.put(&feed("a"), &History::default(), &soon);
        assert_eq!(board.read(|state| told(state, now))["stopped"], serde_json::Value::Null);
        board.polls_stopped(now, "no space left");
        board.polls_stopped(now + chrono::TimeDelta::hours(1), "again");
        // A reload puts feeds there.
        board.put(&feed("b"), &History::default(), &soon);
        let stopped = board.read(|state| told(state, now));
        assert_eq!(stopped["stopped"]["why"], "no space left");
        assert_eq!(stopped["stopped"]["at"], "2026-11-26T12:00:00Z");
        for feed in stopped["feeds"].as_array().unwrap() {
            assert_eq!(feed["next_poll"], serde_json::Value::Null, "{feed}");
            assert_eq!(feed["reason"], STOPPED);
        }
        board.polls_go_on([(&feed("a"), &soon), (&feed("b"), &soon)].into_iter());
        let told = board.read(|state| told(state, now));
        assert_eq!(told["stopped"], serde_json::Value::Null);
        assert_eq!(told["feeds"][1]["next_poll"], "2026-11-26T12:00:00Z");
    }
}
