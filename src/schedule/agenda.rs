//! Which feeds are polled now, and when there is something to do next.
//!
//! A machine without a clock: it is told the time, what began and what ended, and gives what is
//! due. The daemon drives it with the real time; a test drives it through weeks in a moment.

use crate::model::exchange::History;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::schedule::PollTime;
use crate::schedule::hosts::Hosts;
use crate::schedule::hosts::host_of;
use crate::schedule::never;
use crate::schedule::next_poll;
use crate::schedule::polled_at;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

/// How soon a feed is tried again whose poll could not be recorded.
const RETRY: TimeDelta = TimeDelta::minutes(15);

/// When each feed is due, and which are being polled.
#[derive(Debug)]
pub struct Agenda {
    feeds: BTreeMap<FeedId, Item>,
    due: BTreeSet<(DateTime<Utc>, FeedId)>,
    hosts: Hosts,
    /// Hosts that failed and are being asked again by one feed, and the feeds that wait for it.
    probed: HashMap<String, Probe>,
}

#[derive(Debug)]
struct Item {
    feed: Arc<Feed>,
    host: Option<String>,
    planned: PollTime,
}

#[derive(Debug)]
struct Probe {
    by: FeedId,
    waiting: BTreeSet<FeedId>,
}

impl Agenda {
    /// The agenda of these feeds, as their histories tell it.
    pub fn new(
        feeds: impl Iterator<Item = Arc<Feed>>,
        histories: &BTreeMap<FeedId, History>,
        now: DateTime<Utc>,
    ) -> Self {
        let feeds: Vec<Arc<Feed>> = feeds.collect();
        let hosts = Hosts::of(feeds.iter(), histories, now);
        let mut agenda =
            Self { feeds: BTreeMap::new(), due: BTreeSet::new(), hosts, probed: HashMap::new() };
        let unpolled = History::default();
        for feed in feeds {
            let history = histories.get(&feed.id).unwrap_or(&unpolled);
            agenda.plan(feed, history, now);
        }
        agenda
    }

    /// The feeds whose polls are to begin now. Each is polled until [`Agenda::ended`] or
    /// [`Agenda::lost`] is told of it.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Arc<Feed>> {
        let mut begun = Vec::new();
        while let Some((at, _)) = self.due.first()
            && *at <= now
            && let Some((_, id)) = self.due.pop_first()
        {
            begun.extend(self.begin(id, now));
        }
        begun
    }

    /// From now on the agenda is of these feeds. One that is as it was keeps its time; a new one, or
    /// one of which something is said anew, is planned by its history, and given out here with when
    /// it is polled. One that is being polled is planned when that poll has ended, as ever.
    pub fn change(
        &mut self,
        feeds: impl Iterator<Item = Arc<Feed>>,
        histories: &BTreeMap<FeedId, History>,
        under_way: &BTreeSet<FeedId>,
        now: DateTime<Utc>,
    ) -> Vec<(Arc<Feed>, PollTime)> {
        let fresh: BTreeMap<FeedId, Arc<Feed>> =
            feeds.map(|feed| (feed.id.clone(), feed)).collect();
        self.hosts = Hosts::of(fresh.values(), histories, now);
        self.feeds.retain(|id, item| fresh.get(id).is_some_and(|feed| *feed == item.feed));
        let known = &self.feeds;
        self.due.retain(|(_, id)| known.contains_key(id));
        for probe in self.probed.values_mut() {
            probe.waiting.retain(|id| known.contains_key(id));
        }
        let unpolled = History::default();
        let mut planned = Vec::new();
        for (id, feed) in fresh {
            if self.feeds.contains_key(&id) {
                continue;
            }
            let history = histories.get(&id).unwrap_or(&unpolled);
            if under_way.contains(&id) {
                let host = host_of(&feed, history);
                let planned = polled_at(now, "it is being polled".to_owned());
                self.feeds.insert(id, Item { feed, host, planned });
            } else {
                planned.push((Arc::clone(&feed), self.plan(feed, history, now)));
            }
        }
        planned
    }

    /// The clock went backwards: what was planned by it is planned anew, or a feed would be silent
    /// until the old time comes again. One that is being polled is planned when that poll has ended.
    pub fn replan(
        &mut self,
        histories: &BTreeMap<FeedId, History>,
        under_way: &BTreeSet<FeedId>,
        now: DateTime<Utc>,
    ) {
        let feeds: Vec<Arc<Feed>> =
            self.feeds.values().map(|item| Arc::clone(&item.feed)).collect();
        self.hosts = Hosts::of(feeds.iter(), histories, now);
        self.due.clear();
        for probe in self.probed.values_mut() {
            probe.waiting.clear();
        }
        let unpolled = History::default();
        for feed in feeds.into_iter().filter(|feed| !under_way.contains(&feed.id)) {
            let history = histories.get(&feed.id).unwrap_or(&unpolled);
            self.plan(feed, history, now);
        }
    }

    /// Begins the poll of a feed now, whatever its time; none of a feed that is not there.
    pub fn begin_now(&mut self, id: &FeedId) -> Option<Arc<Feed>> {
        let feed = self.feed(id).cloned()?;
        self.due.retain(|(_, due)| due != id);
        for probe in self.probed.values_mut() {
            probe.waiting.remove(id);
        }
        Some(feed)
    }

    /// A poll has ended: when is the feed's next?
    pub fn ended(&mut self, id: &FeedId, history: &History, now: DateTime<Utc>) -> PollTime {
        self.release(id, now);
        let Some(feed) = self.feeds.get(id).map(|item| Arc::clone(&item.feed)) else {
            return never("no such feed");
        };
        self.hosts.observe(&feed, history, now);
        self.plan(feed, history, now)
    }

    /// A poll has ended and could not be recorded: it is tried again later.
    pub fn lost(&mut self, id: &FeedId, now: DateTime<Utc>) {
        self.release(id, now);
        self.set(id, now + RETRY, "the last poll was not recorded".to_owned());
    }

    /// A feed of the agenda.
    #[must_use]
    pub fn feed(&self, id: &FeedId) -> Option<&Arc<Feed>> {
        self.feeds.get(id).map(|item| &item.feed)
    }

    /// When there is something to do next.
    #[must_use]
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.due.first().map(|(at, _)| *at)
    }

    /// When each feed is polled next, and why then; of a feed that is being polled, when this
    /// poll was to begin.
    pub fn planned(&self) -> impl Iterator<Item = (&Arc<Feed>, &PollTime)> {
        self.feeds.values().map(|item| (&item.feed, &item.planned))
    }

    fn plan(&mut self, feed: Arc<Feed>, history: &History, now: DateTime<Utc>) -> PollTime {
        let host = host_of(&feed, history);
        let planned = self.hosts.delay(host.as_deref(), next_poll(&feed, history, now), now);
        let id = feed.id.clone();
        self.due.extend(planned.at.map(|at| (at, id.clone())));
        self.feeds.insert(id, Item { feed, host, planned: planned.clone() });
        planned
    }

    /// Begins the poll of a feed that is due, unless its host has a say against it.
    fn begin(&mut self, id: FeedId, now: DateTime<Utc>) -> Option<Arc<Feed>> {
        let item = self.feeds.get(&id)?;
        if let Some(limit) = item.host.as_ref().and_then(|host| self.hosts.limit(host, now)) {
            self.set(&id, limit.until, limit.reason);
            return None;
        }
        let feed = Arc::clone(&item.feed);
        let failing = item.host.clone().filter(|host| self.hosts.is_failing(host));
        if let Some(host) = failing {
            if let Some(probe) = self.probed.get_mut(&host) {
                probe.waiting.insert(id);
                return None;
            }
            self.probed.insert(host, Probe { by: id, waiting: BTreeSet::new() });
        }
        Some(feed)
    }

    /// If the poll that ended was the one that asks a failed host again, those that waited for it
    /// are due: they learn what it found.
    fn release(&mut self, id: &FeedId, now: DateTime<Utc>) {
        let host =
            self.probed.iter().find(|(_, probe)| probe.by == *id).map(|(host, _)| host.clone());
        let Some(probe) = host.and_then(|host| self.probed.remove(&host)) else { return };
        self.due.extend(probe.waiting.into_iter().map(|waiting| (now, waiting)));
    }

    fn set(&mut self, id: &FeedId, at: DateTime<Utc>, reason: String) {
        self.due.insert((at, id.clone()));
        if let Some(item) = self.feeds.get_mut(id) {
            item.planned = polled_at(at, reason);
        }
    }
}
