//! What must be true: what the model remembers of each feed, and what it says of requests.
//!
//! It learns what the daemon acknowledged from the histories in the store, and compares it with
//! what the servers know that they sent.

use crate::publishers::Listed;
use crate::publishers::Source;
use chrono::DateTime;
use chrono::Utc;
use http::HeaderMap;
use http::header::IF_MODIFIED_SINCE;
use http::header::IF_NONE_MATCH;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::time::Duration;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Outcome;

/// No feed is polled again sooner, whatever its schedule; polls that waited for their turn are
/// allowed for.
const GAP_MIN: Duration = Duration::from_mins(1);
/// A document may be asked for without a condition when it has not come whole for so long.
const WHOLE_EVERY: Duration = Duration::from_hours(7 * 24 - 2);
/// Polls that were under way when a host asked to be left alone.
pub(crate) const UNDER_WAY: Duration = Duration::from_mins(15);

/// When something was: how much time had passed, and how often the clock had been set.
pub(crate) type When = (Duration, u64);

/// When a request came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) when: When,
    /// By the daemon's clock.
    pub(crate) now: DateTime<Utc>,
    /// How often the clock had been set when its poll began, at the earliest: it waited for its
    /// turn.
    pub(crate) jumps_before: u64,
}

/// What a server sent for a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    Whole {
        items: Vec<Listed>,
        etag: Option<Vec<u8>>,
        last_modified: Option<Vec<u8>>,
    },
    NotModified,
    Later {
        until: DateTime<Utc>,
        is_for_host: bool,
    },
    Gone,
    /// A document that may be taken for a whole one, or not.
    Doubtful,
    /// What brings nothing.
    Other,
}

/// A poll of which it is not known yet what became of it.
#[derive(Debug)]
struct Pending {
    before: History,
    when: When,
    sent: Sent,
}

#[derive(Debug, Clone)]
struct Validators {
    asked: String,
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
}

/// What is known of a feed.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pending: Option<Pending>,
    /// Where the poll under way began, and to where it was redirected.
    asked: String,
    hop: Option<String>,
    validators: Option<Validators>,
    whole: When,
    last_poll: Option<When>,
    not_before: Option<(DateTime<Utc>, When, bool)>,
    pub(crate) is_gone: bool,
    pub(crate) last_request: Duration,
    /// The newest acknowledged version of each entry.
    pub(crate) acknowledged: BTreeMap<String, u32>,
}

/// An article as it was when it was looked at last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "they are named as those of an article")]
pub(crate) struct Seen {
    pub(crate) feed: String,
    pub(crate) uid: String,
    pub(crate) iri: String,
    pub(crate) published: DateTime<Utc>,
    pub(crate) first_seen: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) revision: u32,
    pub(crate) words: [String; 3],
}

/// All that is known.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) feeds: Vec<Ledger>,
    pub(crate) articles: BTreeMap<String, Seen>,
    /// What the admin took down, and what perhaps, as the store could not say: feed and entry.
    pub(crate) taken_down: BTreeSet<(String, String)>,
    pub(crate) perhaps_down: BTreeSet<(String, String)>,
}

impl Model {
    pub(crate) fn new(feeds: usize) -> Self {
        Self {
            feeds: (0..feeds).map(|_| Ledger::default()).collect(),
            articles: BTreeMap::new(),
            taken_down: BTreeSet::new(),
            perhaps_down: BTreeSet::new(),
        }
    }

    /// Forgets what was acknowledged.
    pub(crate) fn forget(&mut self) {
        for ledger in &mut self.feeds {
            ledger.acknowledged.clear();
        }
    }

    /// Until when the other feeds of a host want it to be left alone, as is known for a while.
    pub(crate) fn host_rests(
        &self,
        sources: &[Source],
        place: usize,
        (elapsed, jumps): When,
    ) -> Option<DateTime<Utc>> {
        let others = self.feeds.iter().zip(sources);
        let same = others.filter(|(_, source)| {
            source.host == sources[place].host && source.is_listed && source.moved.is_none()
        });
        let asked = same.filter_map(|(ledger, _)| ledger.not_before);
        let known = asked.filter(|(_, when, is_for_host)| {
            *is_for_host && when.1 == jumps && elapsed > when.0 + UNDER_WAY
        });
        known.map(|(until, ..)| until).max()
    }
}

impl Ledger {
    /// What is in the store says what became of the last poll. Gives the entries that are
    /// acknowledged by it.
    pub(crate) fn settle(&mut self, history: &History) -> Vec<Listed> {
        let Some(pending) = self.pending.take_if(|pending| pending.before != *history) else {
            return Vec::new();
        };
        let Pending { before, when, sent } = pending;
        let poll = if before.address == history.address {
            match before.polls.last() {
                None => history.polls.first(),
                // Where the clock was set back, a poll may be as one of long before: at the same
                // time of the clock, and with the same failure.
                Some(last) => {
                    let at = history.polls.iter().rposition(|poll| poll == last);
                    at.and_then(|at| history.polls.get(at + 1))
                }
            }
        } else {
            history.polls.first()
        };
        let Some(poll) = poll else {
            // What became of it is not known.
            self.validators = None;
            self.not_before = None;
            return Vec::new();
        };
        self.last_poll = Some(when);
        self.not_before = None;
        match (&poll.outcome, sent) {
            (Outcome::Read, Sent::Whole { items, etag, last_modified }) => {
                let asked = self.asked.clone();
                self.validators = Some(Validators { asked, etag, last_modified });
                self.whole = when;
                for Listed { uid, version, .. } in &items {
                    let known = self.acknowledged.entry(uid.clone()).or_default();
                    *known = (*known).max(*version);
                }
                return items;
            }
            (Outcome::Later | Outcome::Postponed, Sent::Later { until, is_for_host }) => {
                self.not_before = Some((until, when, is_for_host));
            }
            (Outcome::Read, Sent::Doubtful) => self.validators = None,
            (Outcome::Gone, Sent::Gone) => self.is_gone = true,
            _ => {}
        }
        Vec::new()
    }

    /// A poll was given up, and nothing of it is known: a crash came before.
    pub(crate) fn crash(&mut self) {
        self.hop = None;
    }

    /// feeds.toml names another address: all begins anew.
    pub(crate) fn readdress(&mut self) {
        let acknowledged = std::mem::take(&mut self.acknowledged);
        *self = Self { acknowledged, last_request: self.last_request, ..Self::default() };
    }

    /// A request comes, with what is remembered of the feed now, if that can be read. Gives what is
    /// wrong with it.
    pub(crate) fn request(
        &mut self,
        url: &str,
        headers: &HeaderMap,
        history: Option<History>,
        arrival: Arrival,
        host_rests: Option<DateTime<Utc>>,
    ) -> Vec<String> {
        let Arrival { when: (elapsed, jumps), now, jumps_before } = arrival;
        self.last_request = elapsed;
        let mut wrong = Vec::new();
        let is_hop = self.hop.take().is_some_and(|hop| hop == url);
        if !is_hop {
            let before = self.pending.take().map(|pending| pending.before);
            if before.is_some() && before != history {
                // What became of the poll before was not seen, as the disk had failed.
                self.validators = None;
                self.not_before = None;
            }
            if self.is_gone {
                wrong.push("it is polled although it is gone".to_owned());
            }
            if let Some((until, (_, then), _)) = self.not_before
                && then == jumps
                && now < until
            {
                wrong.push(format!("it is polled before {until}, as its server asked"));
            }
            if let Some(until) = host_rests
                && now < until
            {
                wrong.push(format!("it is polled before {until}, as its host asked"));
            }
            if let Some((last, then)) = self.last_poll
                && then == jumps
                && elapsed.saturating_sub(last) < GAP_MIN
            {
                let after = elapsed.saturating_sub(last);
                wrong.push(format!("it is polled {after:?} after its last poll"));
            }
            url.clone_into(&mut self.asked);
            // A clock that was set while it waited says nothing of when it was.
            let when = (elapsed, jumps_before);
            self.pending = history.map(|before| Pending { before, when, sent: Sent::Other });
        }
        let sent = |name| headers.get(name).map(|value| value.as_bytes().to_vec());
        let (etag, last_modified) = (sent(IF_NONE_MATCH), sent(IF_MODIFIED_SINCE));
        let known = self.validators.clone().filter(|known| known.asked == self.asked);
        let is_whole_due =
            self.whole.1 != jumps || elapsed.saturating_sub(self.whole.0) > WHOLE_EVERY;
        let is_bare = etag.is_none() && last_modified.is_none();
        match known {
            Some(known) if known.etag == etag && known.last_modified == last_modified => {}
            Some(_) if is_bare && is_whole_due => {}
            Some(known) => wrong.push(format!(
                "it is asked with {:?} and {:?}, and not with {:?} and {:?}",
                etag.as_ref().map(text),
                last_modified.as_ref().map(text),
                known.etag.as_ref().map(text),
                known.last_modified.as_ref().map(text),
            )),
            // What was recorded and not seen by the model.
            None => {}
        }
        wrong
    }

    /// What the server sent.
    pub(crate) fn sent(&mut self, sent: Sent) {
        if let Some(pending) = &mut self.pending {
            pending.sent = sent;
        }
    }

    /// The server redirected.
    pub(crate) fn redirected(&mut self, to: String) {
        self.hop = Some(to);
    }
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}
