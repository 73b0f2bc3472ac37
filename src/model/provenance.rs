//! Where an article came from, as it was when it was first seen.
//!
//! Kept beside the article, for admins: nothing of it is published.

use chrono::DateTime;
use chrono::Utc;

/// How much of what a document said is kept of each field, in characters.
pub const SAID_CHARS_MAX: usize = 200;

/// Where an article came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Where its document was in the end, after redirects.
    pub document: String,
    /// When that was read.
    pub read: DateTime<Utc>,
    /// The entry's own id, as given.
    pub entry_id: Option<String>,
    /// The date of publication, as given.
    pub published: Option<String>,
    /// The date of the last change, as given.
    pub updated: Option<String>,
    /// What was made of the two.
    pub belief: Belief,
}

/// What was made of the dates of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It was published when it says.
    Said,
    /// It says no more than when it changed: then it was published.
    Changed,
    /// It has no date: it is as old as the poll that brought it.
    Undated,
    /// No instant can be read in its date: it is as old as the poll that brought it.
    Unread,
    /// It dates from the future: it is as old as the poll that brought it.
    Future,
}

impl Belief {
    /// What was made of the dates, in words.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Self::Said => "believed as it is written",
            Self::Changed => "the entry says only when it changed",
            Self::Undated => "the entry has no date: the time of the poll counts",
            Self::Unread => "the date cannot be read: the time of the poll counts",
            Self::Future => "a date in the future is not believed: the time of the poll counts",
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Changed => "changed",
            Self::Undated => "undated",
            Self::Unread => "unread",
            Self::Future => "future",
        }
    }
}
