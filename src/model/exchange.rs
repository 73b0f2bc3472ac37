//! What passes between us and a publisher, and what is remembered of it.

use crate::model::rhythm::Rhythm;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::time::Duration;
use url::Url;

/// How many polls of a feed are remembered.
pub const POLLS_KEPT_MAX: usize = 20;
/// How many repairs of a poll are remembered.
pub const REPAIRS_KEPT_MAX: usize = 8;

/// A document as it came, its transfer and content codings undone, its bytes untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it was in the end, after redirects. `file:` for a file.
    pub url: Url,
    /// The Content-Type header, as received.
    pub content_type: Option<String>,
    /// The body.
    pub bytes: Vec<u8>,
}

/// The last document of a feed, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it was in the end, after redirects.
    pub url: Url,
    /// The Content-Type header, as received.
    pub content_type: Option<String>,
    /// When it was first read.
    pub read: DateTime<Utc>,
    /// How many bytes it has.
    pub length: u64,
    /// The bytes, or why they are not kept.
    pub bytes: Result<Vec<u8>, Unkept>,
}

/// Why the bytes of a document are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unkept {
    /// They are too many.
    TooLarge,
    /// Words are in them that the admin took down.
    TakenDown,
}

impl Kept {
    /// The document as it came; none if its bytes are not kept.
    #[must_use]
    pub fn document(self) -> Option<Document> {
        let Self { url, content_type, bytes, .. } = self;
        bytes.ok().map(|bytes| Document { url, content_type, bytes })
    }
}

/// What a server gave us to ask it with the next time, byte for byte (RFC 9110, 8.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validators {
    /// The address that was asked when they were received; for another they mean nothing.
    pub address: String,
    /// The `ETag` header, quotes and `W/` included.
    pub etag: Option<Vec<u8>>,
    /// The Last-Modified header.
    pub last_modified: Option<Vec<u8>>,
}

/// How a feed is to be asked once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Where, if not at the configured address: where the feed has moved for good.
    pub relocated: Option<Url>,
    /// For a conditional request: those that came with the last document that was stored.
    pub validators: Option<Validators>,
    /// Whether the time is over that a redirect asked to wait: it may be followed now.
    pub has_waited: bool,
}

/// What is remembered of a feed between polls. All of it is written with the articles that the
/// last poll brought, in one step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Where and how the last poll asked, as configured ([`Feed::asked_at`]). A feed that is asked
    /// elsewhere begins anew.
    ///
    /// [`Feed::asked_at`]: crate::model::feed::Feed::asked_at
    pub address: String,
    /// For the next conditional request.
    pub validators: Option<Validators>,
    /// When the document last came whole, asked for without a condition.
    pub last_full: Option<DateTime<Utc>>,
    /// How long the last answer said that it stays fresh (RFC 9111, 4.2.1).
    pub freshness: Option<Duration>,
    /// The rhythm that the last document asked for.
    pub rhythm: Rhythm,
    /// Where the feed has moved, or is about to.
    pub relocation: Relocation,
    /// When the feed last answered as it should: with a document that could be read, or with the
    /// word that nothing changed.
    pub last_success: Option<DateTime<Utc>>,
    /// How many polls have failed in a row.
    pub failures: u32,
    /// Before this the server does not want to be asked.
    pub not_before: Option<DateTime<Utc>>,
    /// The newest polls, the newest last; at most [`POLLS_KEPT_MAX`].
    pub polls: Vec<Poll>,
}

impl History {
    /// What is remembered of a feed at this address: nothing, if it was polled at another.
    #[must_use]
    pub fn of(self, address: &str) -> Self {
        if self.address == address {
            return self;
        }
        Self { address: address.to_owned(), ..Self::default() }
    }

    /// How many of the last polls failed, one after the other.
    #[must_use]
    pub fn failing(&self) -> usize {
        self.polls.iter().rev().take_while(|poll| poll.outcome.has_failed()).count()
    }
}

/// Where a feed has moved for good, as its redirects say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relocation {
    /// Where it is asked now, instead of at the configured address.
    pub stored: Option<Url>,
    /// Where its redirects point, while it is not sure that they are meant.
    pub moving: Option<Moving>,
}

/// An address to which redirects point that say they are for good (301 and 308).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// Where to.
    pub to: Url,
    /// Since which poll.
    pub since: DateTime<Utc>,
    /// How many polls in a row were redirected there.
    pub polls: u32,
}

/// One try to fetch one feed, with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// How many bytes the body had, after decompression.
    pub bytes: u64,
    /// What the document brought.
    pub tally: Tally,
    /// What had to be mended before the document could be read, in words; at most
    /// [`REPAIRS_KEPT_MAX`].
    pub repairs: Vec<String>,
}

impl Poll {
    /// When it ended.
    #[must_use]
    pub fn ended(&self) -> DateTime<Utc> {
        let duration = TimeDelta::from_std(self.duration).unwrap_or_default();
        self.at.checked_add_signed(duration).unwrap_or(self.at)
    }
}

/// How a poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A document came and was read.
    Read,
    /// The server says that nothing changed (RFC 9110, 15.4.5).
    NotModified,
    /// The server asks to come later (429, or 503 with Retry-After): it means all its feeds.
    Later,
    /// A redirect, or the server to which it leads, asks to come later: it means this feed only.
    Postponed,
    /// The server says that the feed is no more (410).
    Gone,
    /// The feed's host is what failed: its name is not known, it takes no connection, or it cannot
    /// prove who it is. In words.
    Unreachable(String),
    /// Anything else, in words.
    Failed(String),
}

impl Outcome {
    /// The outcome in a word or two.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::NotModified => "not modified",
            Self::Later | Self::Postponed => "later",
            Self::Gone => "gone",
            Self::Unreachable(_) => "unreachable",
            Self::Failed(_) => "failed",
        }
    }

    /// What went wrong, if it was told.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unreachable(reason) | Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether an admin may have to act: it failed, or the feed is no more.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.reason().is_some() || *self == Self::Gone
    }
}

/// Counts of what a document brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Entries in the document.
    pub entries: u32,
    /// Articles that were not known.
    pub added: u32,
    /// Articles in which a reader sees a change.
    pub updated: u32,
    /// Entries that could not become an article.
    pub rejected: u32,
}
