//! The journal of events: what begins and what ends, from what each feed needs.
//!
//! # Told once
//! An event begins when a need is there that was not, and ends when it is there no longer; in
//! between nothing is told. What cannot be judged while a feed does not answer, whether it is silent
//! or malformed, neither begins nor ends then.
//!
//! # Flapping
//! What comes back within some hours is the same event, told again; from the third time on its end
//! is told only after it has been well for that long. So a feed that comes and goes tells a handful
//! of lines, and not one for each turn.
//!
//! Pure: what is to be kept and told is given back.

use crate::attention::Call;
use crate::attention::Kind;
use crate::attention::Need;
use crate::model::event::EVENTS_KEPT_MAX;
use crate::model::event::Event;
use crate::model::event::EventKind;
use crate::model::event::MENDED;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;

/// What comes back within this is the same event.
const FLAPS_WITHIN: TimeDelta = TimeDelta::hours(6);
/// From so many beginnings on, an end is told only after it has lasted for that long.
const FLAPS_FROM: u32 = 3;

/// What is known of events.
#[derive(Debug, Default)]
pub struct Journal {
    /// By their keys: the oldest first.
    events: BTreeMap<String, Event>,
    /// When an open event that flaps was last seen to last.
    seen: BTreeMap<String, DateTime<Utc>>,
}

/// What happened to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It began.
    Opened,
    /// It began again, soon after its end.
    Reopened,
    /// What it says changed.
    Changed,
    /// It ended.
    Closed,
}

/// A change to be kept and told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub turn: Turn,
    /// The event as it is now.
    pub event: Event,
}

/// What is wrong, if it is, with something that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is wrong: what, and what cures it.
    Wrong(String, String),
    /// It is right.
    Right,
    /// It cannot be known now.
    Unknown,
    /// It does not matter any more, for this reason.
    Moot(String),
}

impl Turn {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Changed => "changed",
            Self::Closed => "closed",
        }
    }
}

impl Journal {
    /// A journal of these events.
    #[must_use]
    pub fn of(events: Vec<Event>) -> Self {
        let events = events.into_iter().map(|event| (event.key(), event)).collect();
        Self { events, seen: BTreeMap::new() }
    }

    /// All events, the oldest first.
    #[must_use]
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.values()
    }

    /// Those that last.
    pub fn open(&self) -> impl Iterator<Item = &Event> {
        self.events.values().filter(|event| event.closed.is_none())
    }

    /// What a feed needs now, against what was known.
    pub fn feed(&mut self, feed: &Feed, needs: &[Need], now: DateTime<Utc>) -> Vec<Told> {
        let about = (Some(&feed.id), feed.title.as_str());
        let kinds = [
            EventKind::Down,
            EventKind::Gone,
            EventKind::Moved,
            EventKind::Silent,
            EventKind::Malformed,
        ];
        let told = kinds.map(|kind| self.settle(kind, about, finding(kind, needs), now));
        told.into_iter().flatten().collect()
    }

    /// Ends all events of feeds that are polled no more.
    pub fn retain(&mut self, stays: impl Fn(&FeedId) -> bool, now: DateTime<Utc>) -> Vec<Told> {
        let is_over = |event: &&Event| event.feed.as_ref().is_some_and(|feed| !stays(feed));
        let over: Vec<Event> = self.open().filter(is_over).cloned().collect();
        let why = || Finding::Moot("it is polled no more, as feeds.toml says".to_owned());
        over.iter()
            .filter_map(|event| {
                self.settle(event.kind, (event.feed.as_ref(), &event.name), why(), now)
            })
            .collect()
    }

    /// What was found about something, against what was known: nothing, or what changed.
    pub fn settle(
        &mut self,
        kind: EventKind,
        (feed, name): (Option<&FeedId>, &str),
        finding: Finding,
        now: DateTime<Utc>,
    ) -> Option<Told> {
        let is_it = |event: &&mut Event| event.kind == kind && event.feed.as_ref() == feed;
        let last = self.events.values_mut().rev().find(is_it);
        match (finding, last) {
            (Finding::Wrong(what, cure), Some(event)) if event.closed.is_none() => {
                self.seen.insert(event.key(), now);
                // Where it has moved is what it says; when it last failed is not.
                let is_other = event.cure != cure && kind == EventKind::Moved;
                is_other.then(|| {
                    (event.what, event.cure, event.updated) = (what, cure, now);
                    Told { turn: Turn::Changed, event: event.clone() }
                })
            }
            (Finding::Wrong(what, cure), Some(event))
                if event.closed.is_some_and(|closed| now - closed < FLAPS_WITHIN) =>
            {
                self.seen.insert(event.key(), now);
                (event.what, event.cure, event.updated) = (what, cure, now);
                (event.closed, event.end) = (None, String::new());
                event.openings = event.openings.saturating_add(1);
                Some(Told { turn: Turn::Reopened, event: event.clone() })
            }
            (Finding::Wrong(what, cure), _) => {
                let event = Event {
                    kind,
                    feed: feed.cloned(),
                    name: name.to_owned(),
                    opened: now,
                    updated: now,
                    closed: None,
                    openings: 1,
                    what,
                    cure,
                    end: String::new(),
                };
                self.events.insert(event.key(), event.clone());
                Some(Told { turn: Turn::Opened, event })
            }
            (Finding::Right, Some(event)) if event.closed.is_none() => {
                let key = event.key();
                let seen = self.seen.get(&key).copied().unwrap_or(event.updated);
                if event.openings >= FLAPS_FROM && now - seen < FLAPS_WITHIN {
                    return None;
                }
                self.close(&key, format!("{MENDED}{}", mended(kind)), now)
            }
            (Finding::Moot(why), Some(event)) if event.closed.is_none() => {
                let key = event.key();
                self.close(&key, why, now)
            }
            _ => None,
        }
    }

    /// The keys of the events that are too many: of those that are over, the oldest. They are
    /// forgotten. One that lasts never is, or it would begin again at the next look; there is one for
    /// each feed and kind at most.
    pub fn drop_surplus(&mut self) -> Vec<String> {
        let over = self.events.iter().filter(|(_, event)| event.closed.is_some());
        let over: Vec<&String> = over.map(|(key, _)| key).collect();
        let surplus = over.len().saturating_sub(EVENTS_KEPT_MAX);
        let dropped: Vec<String> = over.into_iter().take(surplus).cloned().collect();
        for key in &dropped {
            self.events.remove(key);
            self.seen.remove(key);
        }
        dropped
    }

    fn close(&mut self, key: &str, end: String, now: DateTime<Utc>) -> Option<Told> {
        self.seen.remove(key);
        let event = self.events.get_mut(key)?;
        (event.closed, event.end) = (Some(now), end);
        Some(Told { turn: Turn::Closed, event: event.clone() })
    }
}

/// What the needs of a feed say of a kind of event.
fn finding(kind: EventKind, needs: &[Need]) -> Finding {
    let meant = match kind {
        EventKind::Down => Kind::Failing,
        EventKind::Gone => Kind::Gone,
        EventKind::Moved => Kind::Moved,
        EventKind::Silent => Kind::Silent,
        _ => Kind::Malformed,
    };
    let has = |kind: Kind| needs.iter().any(|need| need.kind == kind);
    match needs.iter().find(|need| need.kind == meant) {
        Some(need) if need.call <= Call::Tell => {
            // While nothing comes, nothing new is known of what would come.
            if meant > Kind::Moved && has(Kind::Failing) {
                return Finding::Unknown;
            }
            Finding::Wrong(need.what.clone(), need.cure.clone())
        }
        // A first failure does not begin an event, and is no end of one either.
        Some(_) => Finding::Unknown,
        None if meant != Kind::Gone && has(Kind::Gone) => {
            Finding::Moot("it is gone, and no longer polled".to_owned())
        }
        None if has(Kind::Unpolled) => {
            Finding::Moot("it is asked at another address, as feeds.toml says".to_owned())
        }
        None if meant > Kind::Gone && meant != Kind::Failing && has(Kind::Failing) => {
            Finding::Unknown
        }
        None => Finding::Right,
    }
}

/// How an event of a kind ends well.
fn mended(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Down => "it answers again",
        EventKind::Gone => "it is there again",
        EventKind::Moved => "feeds.toml and its server agree on where it is",
        EventKind::Silent => "it has news again",
        EventKind::Malformed => "its documents are read as they come",
        EventKind::Config => "feeds.toml has no mistake any more, and was taken",
        EventKind::Disk => "there is room on the disk again",
        EventKind::Store => "articles are kept, and feeds are polled again",
    }
}

#[cfg(test)]
mod tests;
