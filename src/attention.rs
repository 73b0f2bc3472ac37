//! Which feeds need their admin, why, and what cures it: one judgement, which `visnyk status`, the
//! events and the metrics all tell.
//!
//! # Silence
//! A feed is silent when nothing has come for several times its usual gap. The usual gap is the
//! median of those between its newest articles, so that a burst or a holiday does not move it; the
//! factor and the floor let a night, a weekend and a holiday pass. A feed with few articles has no
//! usual gap, and is never silent.
//!
//! Never here: a clock, or what is done with the judgement.

pub mod cure;
pub mod words;

use crate::attention::cure::of_failure;
use crate::attention::words::moment;
use crate::attention::words::rough;
use crate::attention::words::times;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::POLLS_KEPT_MAX;
use crate::model::exchange::Poll;
use crate::model::feed::Feed;
use crate::schedule::PollTime;
use crate::schedule::next_poll;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

/// After so many failures in a row a feed needs its admin.
pub const FAILURES_MANY: usize = 3;
/// How many of a feed's newest articles tell its usual gap.
pub const ARTICLES_SEEN_MAX: usize = 20;
/// A feed with fewer articles has no usual gap.
const ARTICLES_SEEN_MIN: usize = 5;
/// A feed is silent after so many times its usual gap.
const SILENT_GAPS: i32 = 5;
/// But never sooner than after this: a weekend with a holiday beside it.
const SILENT_MIN: TimeDelta = TimeDelta::days(4);
/// What is wrong with so many documents, one after the other, is wrong each time.
const DOCUMENTS_MANY: usize = 3;
/// A poll that begins so long after its time is overdue; polls of many feeds wait for each other.
const OVERDUE_AFTER: TimeDelta = TimeDelta::minutes(15);

/// What is known of a feed.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The feed.
    pub feed: &'a Feed,
    /// How its polls went.
    pub history: &'a History,
    /// When it is polled next.
    pub planned: &'a PollTime,
    /// When its newest articles were published, the newest first; at most [`ARTICLES_SEEN_MAX`].
    pub published: &'a [DateTime<Utc>],
    /// In which line of feeds.toml its address is, if that is known.
    pub line: Option<usize>,
}

/// What a feed needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Which kind of need it is.
    pub kind: Kind,
    /// Who has to know of it.
    pub call: Call,
    /// Since when, if that is known.
    pub since: Option<DateTime<Utc>>,
    /// What is wrong, in words that go on from the feed's name.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

/// A kind of need; the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The server says that the feed is no more.
    Gone,
    /// Polls fail.
    Failing,
    /// It is asked elsewhere than feeds.toml says.
    Moved,
    /// No news for several times its usual gap.
    Silent,
    /// Its documents are read only after they were mended, or bring few of their entries.
    Malformed,
    /// Its documents do not say in which charset they are, or say it wrongly.
    Charset,
    /// It is polled more rarely than its schedule says, since its server wants it so.
    Slowed,
    /// Its poll should have begun.
    Overdue,
    /// It was never polled.
    Unpolled,
}

/// Who has to know of a need; the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// The admin has something to do.
    Act,
    /// The admin is told once, and has nothing to do here.
    Tell,
    /// Whoever looks.
    Know,
}

impl Kind {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Moved => "moved",
            Self::Silent => "silent",
            Self::Malformed => "malformed",
            Self::Charset => "charset",
            Self::Slowed => "slowed",
            Self::Overdue => "overdue",
            Self::Unpolled => "never polled",
        }
    }
}

impl Call {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Tell => "tell",
            Self::Know => "know",
        }
    }
}

/// What a feed needs, the weightiest first. A feed that is not enabled needs nothing.
#[must_use]
pub fn needs(case: &Case<'_>, now: DateTime<Utc>) -> Vec<Need> {
    if !case.feed.enabled {
        return Vec::new();
    }
    let history = case.history.clone().of(&case.feed.asked_at());
    let Some(last) = history.polls.last() else {
        let overdue = overdue(case, now);
        return overdue.into_iter().chain([unpolled(case)]).collect();
    };
    let case = &Case { history: &history, ..*case };
    let all = match &last.outcome {
        Outcome::Gone => vec![Some(gone(case, last))],
        _ => vec![
            failing(case),
            moved(case),
            silent(case, now),
            malformed(case),
            charset(case),
            slowed(case, now),
            overdue(case, now),
        ],
    };
    all.into_iter().flatten().collect()
}

/// The most urgent call of some needs.
#[must_use]
pub fn call(needs: &[Need]) -> Option<Call> {
    needs.iter().map(|need| need.call).min()
}

fn gone(case: &Case<'_>, last: &Poll) -> Need {
    Need {
        kind: Kind::Gone,
        call: Call::Act,
        since: Some(last.at),
        what: "is gone: its server answered 410, and it is not polled any more".to_owned(),
        cure: format!(
            "look for its new address on the publisher's site, and write it as `url`{}; or take \
             the feed out, or write `enabled = false`",
            in_line(case.line)
        ),
    }
}

fn failing(case: &Case<'_>) -> Option<Need> {
    let polls = &case.history.polls;
    let failed = case.history.failing();
    let first = polls.get(polls.len().checked_sub(failed)?)?;
    let reason = polls.last()?.outcome.reason()?;
    let many = if failed == POLLS_KEPT_MAX { "at least " } else { "" };
    let since = moment(first.at, case.feed.timezone);
    let how_often = match failed {
        1 => format!("failed at {since}"),
        _ => format!("failed {many}{} in a row since {since}", times(failed)),
    };
    Some(Need {
        kind: Kind::Failing,
        call: if failed >= FAILURES_MANY { Call::Act } else { Call::Know },
        since: Some(first.at),
        what: format!("{how_often}: {reason}"),
        cure: of_failure(reason, &case.feed.id, case.line),
    })
}

fn moved(case: &Case<'_>) -> Option<Need> {
    let to = case.history.relocation.stored.as_ref()?;
    Some(Need {
        kind: Kind::Moved,
        call: Call::Act,
        since: None,
        what: format!("has moved for good, as its server says, and is asked at {to}"),
        cure: format!("write `url = \"{to}\"`{}", in_line(case.line)),
    })
}

fn silent(case: &Case<'_>, now: DateTime<Utc>) -> Option<Need> {
    let newest = case.published.first()?;
    let usual = usual_gap(case.published)?;
    let silence = now - *newest;
    (silence > SILENT_MIN.max(usual * SILENT_GAPS)).then(|| Need {
        kind: Kind::Silent,
        call: Call::Act,
        since: Some(*newest),
        what: format!(
            "has had no news for {}, where a new article usually comes within {}; the newest is of {}",
            rough(silence),
            rough(usual),
            moment(*newest, case.feed.timezone)
        ),
        cure: format!(
            "look at the publisher's site: if it has news, its feed is broken or has moved, so \
             write to them, or the new address as `url`{}; if it has none, nothing is wrong",
            in_line(case.line)
        ),
    })
}

/// The median gap between articles, at least an hour; none if there are too few of them.
fn usual_gap(published: &[DateTime<Utc>]) -> Option<TimeDelta> {
    if published.len() < ARTICLES_SEEN_MIN {
        return None;
    }
    let mut gaps: Vec<TimeDelta> = published.windows(2).map(|pair| pair[0] - pair[1]).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).map(|median| (*median).max(TimeDelta::hours(1)))
}

fn malformed(case: &Case<'_>) -> Option<Need> {
    let documents = documents(case.history);
    let is_lossy = |poll: &Poll| poll.tally.rejected > 0 && lost(poll);
    let is_mended = |poll: &Poll| poll.repairs.iter().any(|repair| !is_of_charset(repair));
    let newest = documents.first()?;
    let id = &case.feed.id;
    let (call, what) = if each_time(&documents, is_lossy) {
        let (rejected, entries) = (newest.tally.rejected, newest.tally.entries);
        let what = format!("brings few of its entries: {rejected} of {entries} became no article");
        (Call::Act, what)
    } else if is_mended(newest) {
        let repairs: Vec<&str> =
            newest.repairs.iter().map(String::as_str).filter(|r| !is_of_charset(r)).collect();
        let is_each = each_time(&documents, is_mended);
        let call = if is_each { Call::Tell } else { Call::Know };
        let when = if is_each { "each time" } else { "the last time" };
        (call, format!("is malformed, and was mended {when}: {}", repairs.join("; ")))
    } else {
        return None;
    };
    Some(Need {
        kind: Kind::Malformed,
        call,
        since: None,
        what,
        cure: format!("write to the publisher what `visnyk preview {id}` shows"),
    })
}

/// Most of its entries became no article.
fn lost(poll: &Poll) -> bool {
    poll.tally.rejected.saturating_mul(2) > poll.tally.entries
}

fn charset(case: &Case<'_>) -> Option<Need> {
    let newest = *documents(case.history).first()?;
    let repair = newest.repairs.iter().find(|repair| is_of_charset(repair))?;
    Some(Need {
        kind: Kind::Charset,
        call: Call::Know,
        since: None,
        what: format!("is in a charset that it does not name rightly: {repair}"),
        cure: "nothing, if its articles read well; else write to the publisher, whose server or \
               document has to name the charset"
            .to_owned(),
    })
}

/// Whether a repair is one of the charset, by its words.
#[must_use]
pub fn is_of_charset(repair: &str) -> bool {
    [
        "declared as ",
        "not UTF-8, read as ",
        "the Content-Type says ",
        "byte-order mark",
        "bytes that are not ",
    ]
    .iter()
    .any(|words| repair.contains(words))
}

/// Rarer polls than the schedule names. What a feed's own failures cost is no slowing.
fn slowed(case: &Case<'_>, now: DateTime<Utc>) -> Option<Need> {
    let Case { feed, history, planned, .. } = *case;
    let last = history.polls.last()?;
    let at = planned.at.filter(|_| history.failures == 0 && !last.outcome.has_failed())?;
    let asked = history.not_before.is_some_and(|not_before| not_before > now);
    let unhurried = Feed { ignore_hints: true, ..feed.clone() };
    let unasked = History { not_before: None, ..history.clone() };
    let own = next_poll(&unhurried, &unasked, now).at?;
    let later = at - own;
    (later >= feed.schedule.period(last.at, feed.timezone)).then(|| Need {
        kind: Kind::Slowed,
        call: Call::Know,
        since: None,
        what: format!(
            "is polled {} later than its schedule says: {}",
            rough(later),
            planned.reason
        ),
        cure: if asked {
            format!(
                "nothing, if it is rare; else a rarer `schedule` than `{}`",
                feed.schedule.as_str()
            )
        } else {
            "nothing, if its news are new enough; else `ignore_hints = true`".to_owned()
        },
    })
}

fn overdue(case: &Case<'_>, now: DateTime<Utc>) -> Option<Need> {
    let at = case.planned.at.filter(|at| now - *at > OVERDUE_AFTER)?;
    Some(Need {
        kind: Kind::Overdue,
        call: Call::Know,
        since: Some(at),
        what: format!("should have been polled {} ago", rough(now - at)),
        cure: "a higher `concurrency` below [polling], or rarer schedules, if many are overdue"
            .to_owned(),
    })
}

fn unpolled(case: &Case<'_>) -> Need {
    Need {
        kind: Kind::Unpolled,
        call: Call::Know,
        since: None,
        what: "was never polled at this address".to_owned(),
        cure: format!("wait for its first poll, or `visnyk poll {}`", case.feed.id),
    }
}

/// The polls that brought a document, the newest first.
fn documents(history: &History) -> Vec<&Poll> {
    history.polls.iter().rev().filter(|poll| poll.outcome == Outcome::Read).collect()
}

fn each_time(documents: &[&Poll], is_so: impl Fn(&Poll) -> bool) -> bool {
    documents.len() >= DOCUMENTS_MANY && documents.iter().take(DOCUMENTS_MANY).all(|p| is_so(p))
}

/// ` in line 12 of feeds.toml`.
pub(crate) fn in_line(line: Option<usize>) -> String {
    line.map_or_else(
        || " in feeds.toml".to_owned(),
        |line| format!(" in line {line} of feeds.toml"),
    )
}
