//! What is known of the hosts that feeds lie on: which one failed, and until when it rests.
//!
//! When the host is what fails, and not one feed of it, all its feeds wait: three hundred feeds
//! of one dead server are one question every now and then, and not three hundred. All of it
//! follows from the feeds' histories, so that a restart forgets nothing.
//!
//! A failure counts only if its poll began after the host's rest: polls that were under way
//! together found one failure between them.

use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::Poll;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::schedule::NOT_BEFORE_MAX;
use crate::schedule::PollTime;
use crate::schedule::limit::Limit;
use crate::schedule::limit::failures;
use crate::schedule::limit::later;
use crate::schedule::limit::rest;
use crate::schedule::limit::shown;
use crate::schedule::number_of;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

/// The longest that a host rests after a failure. Beyond that, our clock was wrong when we took it
/// down.
const REST_LONGEST: TimeDelta = TimeDelta::hours(30);

/// The hosts of which there is something to remember.
#[derive(Debug, Default)]
pub struct Hosts {
    by_name: HashMap<String, Host>,
}

/// What is remembered of a host.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Host {
    /// How often it failed in a row.
    failures: u32,
    /// It rests until then after its last failure.
    rests: Option<DateTime<Utc>>,
    /// It asked not to be asked before.
    asked: Option<DateTime<Utc>>,
}

/// The host that a feed is asked at, with its port; none for a file.
#[must_use]
pub fn host_of(feed: &Feed, history: &History) -> Option<String> {
    let Address::Http(configured) = &feed.address else { return None };
    let known = history.address == feed.asked_at();
    let url = history.relocation.stored.as_ref().filter(|_| known).unwrap_or(configured);
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

impl Hosts {
    /// What the histories of these feeds say of their hosts.
    pub fn of<'a>(
        feeds: impl Iterator<Item = &'a Arc<Feed>>,
        histories: &BTreeMap<FeedId, History>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut polls: Vec<(String, &Poll, Option<DateTime<Utc>>)> = Vec::new();
        for feed in feeds {
            let Some(history) = histories.get(&feed.id) else { continue };
            let Some(host) = host_of(feed, history) else { continue };
            if history.address != feed.asked_at() {
                continue;
            }
            let last = history.polls.len().saturating_sub(1);
            polls.extend(history.polls.iter().enumerate().map(|(i, poll)| {
                // What a server asked for before is over, or was asked for again.
                let asked = history.not_before.filter(|_| i == last);
                (host.clone(), poll, asked)
            }));
        }
        // What is of the time to come is of a clock that went backwards since: it was not later
        // than now.
        polls.sort_by_key(|(_, poll, _)| poll.ended().min(now));
        let mut hosts = Self::default();
        for (host, poll, asked) in polls {
            hosts.take_in(&host, poll, asked, now);
        }
        hosts
    }

    /// Learns from the last poll of a feed.
    pub fn observe(&mut self, feed: &Feed, history: &History, now: DateTime<Utc>) {
        if let (Some(host), Some(poll)) = (host_of(feed, history), history.polls.last()) {
            self.take_in(&host, poll, history.not_before, now);
        }
    }

    /// Whether a host has failed and not answered since: it is asked by one feed at a time.
    #[must_use]
    pub fn is_failing(&self, host: &str) -> bool {
        self.by_name.get(host).is_some_and(|host| host.failures > 0)
    }

    /// When the feed is to be polled, if its host has a say.
    #[must_use]
    pub fn delay(&self, host: Option<&str>, planned: PollTime, now: DateTime<Utc>) -> PollTime {
        let limit = host.and_then(|host| self.limit(host, now));
        match (limit, planned.at) {
            (Some(Limit { until, reason }), Some(at)) if until > at => {
                PollTime { at: Some(until), reason, ..planned }
            }
            _ => planned,
        }
    }

    /// Until when a host is not to be asked, if so.
    pub(crate) fn limit(&self, name: &str, now: DateTime<Utc>) -> Option<Limit> {
        let host = self.by_name.get(name)?;
        let rest = host.rests.filter(|rests| *rests > now && *rests - now <= REST_LONGEST);
        let rest = rest.map(|until| Limit {
            until,
            reason: format!(
                "`{name}` cannot be reached: waiting after {}",
                failures(host.failures)
            ),
        });
        let asked = host.asked.filter(|asked| *asked > now && *asked - now <= NOT_BEFORE_MAX);
        let asked = asked.map(|until| Limit {
            until,
            reason: format!("`{name}` asks not to come before {}", shown(until)),
        });
        later(rest, asked)
    }

    fn take_in(
        &mut self,
        name: &str,
        poll: &Poll,
        asked: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) {
        let mut host = self.by_name.remove(name).unwrap_or_default();
        let (at, ended) = (poll.at.min(now), poll.ended().min(now));
        // What was remembered by a clock that went backwards since stands in the way of nothing.
        host.rests = host.rests.filter(|rests| *rests - ended <= REST_LONGEST);
        host.asked = host.asked.filter(|asked| *asked - ended <= NOT_BEFORE_MAX);
        let asked = asked.filter(|asked| *asked - ended <= NOT_BEFORE_MAX);
        match &poll.outcome {
            Outcome::Unreachable(_) => {
                if host.rests.is_none_or(|rests| at >= rests) {
                    host.failures = host.failures.saturating_add(1);
                    let chance = number_of(&["host", name, &host.failures.to_string()]);
                    host.rests = rest(host.failures, chance).map(|rest| ended + rest);
                }
            }
            outcome => {
                (host.failures, host.rests) = (0, None);
                if *outcome == Outcome::Later {
                    host.asked = host.asked.max(asked);
                }
            }
        }
        host.asked = host.asked.filter(|asked| *asked > ended);
        if host != Host::default() {
            self.by_name.insert(name.to_owned(), host);
        }
    }
}
