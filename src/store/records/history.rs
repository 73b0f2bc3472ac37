//! What is remembered of a feed between polls, as it stands on the disk.

use crate::model::exchange::History;
use crate::model::exchange::Moving;
use crate::model::exchange::Outcome;
use crate::model::exchange::Poll;
use crate::model::exchange::Relocation;
use crate::model::exchange::Tally;
use crate::model::exchange::Validators;
use crate::model::rhythm::Rhythm;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::all;
use crate::store::records::plain::header;
use chrono::DateTime;
use chrono::Weekday;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;
use url::Url;

/// What is remembered of a feed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HistoryRecord {
    address: String,
    /// No longer used: stored articles are labelled anew by themselves.
    labelling: Option<[u8; 16]>,
    validators: Option<ValidatorsRecord>,
    last_full: Option<InstantRecord>,
    freshness: Option<DurationRecord>,
    rhythm: RhythmRecord,
    stored: Option<String>,
    moving: Option<MovingRecord>,
    last_success: Option<InstantRecord>,
    failures: u32,
    not_before: Option<InstantRecord>,
    polls: Vec<PollRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ValidatorsRecord {
    pub(crate) address: String,
    #[serde(with = "header")]
    pub(crate) etag: Option<Vec<u8>>,
    #[serde(with = "header")]
    pub(crate) last_modified: Option<Vec<u8>>,
}

/// Seconds and nanoseconds.
type DurationRecord = (u64, u32);

#[derive(Debug, Serialize, Deserialize)]
struct RhythmRecord {
    ttl: Option<DurationRecord>,
    update_every: Option<DurationRecord>,
    skip_hours: Vec<u32>,
    /// Monday is 0.
    skip_days: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MovingRecord {
    to: String,
    since: InstantRecord,
    polls: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PollRecord {
    pub(crate) at: InstantRecord,
    pub(crate) duration: DurationRecord,
    pub(crate) outcome: OutcomeRecord,
    pub(crate) bytes: u64,
    /// Entries, added, updated, rejected.
    pub(crate) tally: [u32; 4],
    pub(crate) repairs: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeRecord {
    Read,
    NotModified,
    Later,
    Gone,
    Failed(String),
    Postponed,
    Unreachable(String),
}

impl HistoryRecord {
    /// Forgets by what the publisher tells whether the document is the same.
    pub(crate) fn clear_validators(&mut self) {
        self.validators = None;
    }
}

impl From<&History> for HistoryRecord {
    fn from(history: &History) -> Self {
        let Relocation { stored, moving } = &history.relocation;
        Self {
            address: history.address.clone(),
            labelling: None,
            validators: history.validators.as_ref().map(ValidatorsRecord::from),
            last_full: history.last_full.map(InstantRecord::from),
            freshness: history.freshness.map(parts),
            rhythm: RhythmRecord::from(&history.rhythm),
            stored: stored.as_ref().map(Url::to_string),
            moving: moving.as_ref().map(MovingRecord::from),
            last_success: history.last_success.map(InstantRecord::from),
            failures: history.failures,
            not_before: history.not_before.map(InstantRecord::from),
            polls: history.polls.iter().map(PollRecord::from).collect(),
        }
    }
}

impl TryFrom<HistoryRecord> for History {
    type Error = BadField;

    fn try_from(record: HistoryRecord) -> Result<Self, BadField> {
        let relocation = Relocation {
            stored: record.stored.as_deref().map(url).transpose()?,
            moving: record.moving.map(Moving::try_from).transpose()?,
        };
        Ok(Self {
            address: record.address,
            validators: record.validators.map(Validators::from),
            last_full: record.last_full.map(DateTime::try_from).transpose()?,
            freshness: record.freshness.map(duration).transpose()?,
            rhythm: Rhythm::try_from(record.rhythm)?,
            relocation,
            last_success: record.last_success.map(DateTime::try_from).transpose()?,
            failures: record.failures,
            not_before: record.not_before.map(DateTime::try_from).transpose()?,
            polls: all(record.polls)?,
        })
    }
}

impl From<&Validators> for ValidatorsRecord {
    fn from(validators: &Validators) -> Self {
        Self {
            address: validators.address.clone(),
            etag: validators.etag.clone(),
            last_modified: validators.last_modified.clone(),
        }
    }
}

impl From<ValidatorsRecord> for Validators {
    fn from(record: ValidatorsRecord) -> Self {
        Self { address: record.address, etag: record.etag, last_modified: record.last_modified }
    }
}

impl From<&Rhythm> for RhythmRecord {
    fn from(rhythm: &Rhythm) -> Self {
        let days = rhythm.skip_days.iter(Weekday::Mon);
        Self {
            ttl: rhythm.ttl.map(parts),
            update_every: rhythm.update_every.map(parts),
            skip_hours: rhythm.skip_hours.iter().copied().collect(),
            skip_days: days.map(|day| day as u8).collect(),
        }
    }
}

impl TryFrom<RhythmRecord> for Rhythm {
    type Error = BadField;

    fn try_from(record: RhythmRecord) -> Result<Self, BadField> {
        let day = |number: u8| {
            Weekday::try_from(number)
                .map_err(|_| BadField { kind: "weekday", text: number.to_string() })
        };
        Ok(Self {
            ttl: record.ttl.map(duration).transpose()?,
            update_every: record.update_every.map(duration).transpose()?,
            skip_hours: record.skip_hours.into_iter().collect(),
            skip_days: record.skip_days.into_iter().map(day).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&Moving> for MovingRecord {
    fn from(moving: &Moving) -> Self {
        Self { to: moving.to.to_string(), since: moving.since.into(), polls: moving.polls }
    }
}

impl TryFrom<MovingRecord> for Moving {
    type Error = BadField;

    fn try_from(record: MovingRecord) -> Result<Self, BadField> {
        Ok(Self { to: url(&record.to)?, since: record.since.try_into()?, polls: record.polls })
    }
}

impl From<&Poll> for PollRecord {
    fn from(poll: &Poll) -> Self {
        let outcome = match &poll.outcome {
            Outcome::Read => OutcomeRecord::Read,
            Outcome::NotModified => OutcomeRecord::NotModified,
            Outcome::Later => OutcomeRecord::Later,
            Outcome::Postponed => OutcomeRecord::Postponed,
            Outcome::Gone => OutcomeRecord::Gone,
            Outcome::Unreachable(why) => OutcomeRecord::Unreachable(why.clone()),
            Outcome::Failed(why) => OutcomeRecord::Failed(why.clone()),
        };
        let Tally { entries, added, updated, rejected } = poll.tally;
        Self {
            at: poll.at.into(),
            duration: parts(poll.duration),
            outcome,
            bytes: poll.bytes,
            tally: [entries, added, updated, rejected],
            repairs: poll.repairs.clone(),
        }
    }
}

impl TryFrom<PollRecord> for Poll {
    type Error = BadField;

    fn try_from(record: PollRecord) -> Result<Self, BadField> {
        let outcome = match record.outcome {
            OutcomeRecord::Read => Outcome::Read,
            OutcomeRecord::NotModified => Outcome::NotModified,
            OutcomeRecord::Later => Outcome::Later,
            OutcomeRecord::Postponed => Outcome::Postponed,
            OutcomeRecord::Gone => Outcome::Gone,
            OutcomeRecord::Unreachable(why) => Outcome::Unreachable(why),
            OutcomeRecord::Failed(why) => Outcome::Failed(why),
        };
        let [entries, added, updated, rejected] = record.tally;
        Ok(Self {
            at: record.at.try_into()?,
            duration: duration(record.duration)?,
            outcome,
            bytes: record.bytes,
            tally: Tally { entries, added, updated, rejected },
            repairs: record.repairs,
        })
    }
}

fn parts(duration: Duration) -> DurationRecord {
    (duration.as_secs(), duration.subsec_nanos())
}

fn duration((seconds, nanos): DurationRecord) -> Result<Duration, BadField> {
    let long = || BadField { kind: "duration", text: format!("{seconds} s, {nanos} ns") };
    let nanos = Duration::from_nanos(nanos.into());
    Duration::from_secs(seconds).checked_add(nanos).ok_or_else(long)
}

fn url(text: &str) -> Result<Url, BadField> {
    Url::parse(text).map_err(|_| BadField { kind: "address", text: text.to_owned() })
}
