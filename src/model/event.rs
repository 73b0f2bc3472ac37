//! What an admin is told of without asking: it is told once, and its end once.

use crate::model::id::FeedId;
use chrono::DateTime;
use chrono::Utc;

/// How many events are kept that are over. Those that last are kept whatever their number.
pub const EVENTS_KEPT_MAX: usize = 500;

/// Something that an admin has to know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub kind: EventKind,
    /// The feed that it is about; none if it is about all of them.
    pub feed: Option<FeedId>,
    /// The name of what it is about, as people read it.
    pub name: String,
    /// When it was first told.
    pub opened: DateTime<Utc>,
    /// When it was last told that it is so: at first, when it began again, when it changed.
    pub updated: DateTime<Utc>,
    /// When it ended; none as long as it lasts.
    pub closed: Option<DateTime<Utc>>,
    /// How often it began: what comes back soon is the same event.
    pub openings: u32,
    /// What is wrong, in words that go on from the name.
    pub what: String,
    /// What to do about it.
    pub cure: String,
    /// How it ended; empty as long as it lasts.
    pub end: String,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A feed fails again and again.
    Down,
    /// A feed is no more.
    Gone,
    /// A feed is asked elsewhere than feeds.toml says.
    Moved,
    /// A feed has had no news for long.
    Silent,
    /// A feed's documents are read only after they were mended, or bring few of their entries.
    Malformed,
    /// A changed feeds.toml was refused.
    Config,
    /// The disk of the store is nearly full.
    Disk,
    /// The store takes nothing any more, and no feed is polled.
    Store,
}

/// Every kind.
pub const KINDS: [EventKind; 8] = [
    EventKind::Down,
    EventKind::Gone,
    EventKind::Moved,
    EventKind::Silent,
    EventKind::Malformed,
    EventKind::Config,
    EventKind::Disk,
    EventKind::Store,
];

impl EventKind {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Gone => "gone",
            Self::Moved => "moved",
            Self::Silent => "silent",
            Self::Malformed => "malformed",
            Self::Config => "config",
            Self::Disk => "disk",
            Self::Store => "store",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.word() == word)
    }
}

impl Event {
    /// By what it is known for ever: when it began, what it is, and of which feed.
    #[must_use]
    pub fn key(&self) -> String {
        let of = self.feed.as_ref().map(|feed| format!("-{feed}")).unwrap_or_default();
        format!("{}-{}{of}", self.opened.format("%Y%m%dT%H%M%SZ"), self.kind.word())
    }

    /// What is told of it when it begins, in a line.
    #[must_use]
    pub fn title(&self) -> String {
        let state = match self.kind {
            EventKind::Down => "down",
            EventKind::Gone => "gone",
            EventKind::Moved => "moved",
            EventKind::Silent => "silent",
            EventKind::Malformed => "malformed",
            EventKind::Config => "refused",
            EventKind::Disk => "nearly full",
            EventKind::Store => "takes nothing any more",
        };
        match self.openings {
            0 | 1 => format!("{}: {state}", self.name),
            openings => format!("{}: {state} again, for the {} time", self.name, nth(openings)),
        }
    }

    /// What is told of it when it ends, in a line.
    #[must_use]
    pub fn end_title(&self) -> String {
        let state = match self.kind {
            EventKind::Down => "back",
            EventKind::Gone | EventKind::Moved => "settled",
            EventKind::Silent => "has news again",
            EventKind::Malformed => "well again",
            EventKind::Config => "taken",
            EventKind::Disk => "has room again",
            EventKind::Store => "takes articles again",
        };
        if self.end.is_empty() || self.is_mended() {
            format!("{}: {state}", self.name)
        } else {
            format!("{}: no longer {}", self.name, self.kind.word())
        }
    }

    /// Whether it ended because what was wrong is right again.
    #[must_use]
    pub fn is_mended(&self) -> bool {
        self.end.starts_with(MENDED)
    }
}

/// With this the end of an event begins that is over because what was wrong is right.
pub const MENDED: &str = "Over: ";

fn nth(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
