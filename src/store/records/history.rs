//! What is remembered of a feed between polls, as it stands on the disk.

use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::Poll;
use crate::model::exchange::Tally;
use crate::model::exchange::Validators;
use crate::model::id::Digest;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::all;
use chrono::DateTime;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// What is remembered of a feed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HistoryRecord {
    address: String,
    labelling: Option<[u8; 16]>,
    validators: Option<ValidatorsRecord>,
    last_success: Option<InstantRecord>,
    failures: u32,
    not_before: Option<InstantRecord>,
    polls: Vec<PollRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ValidatorsRecord {
    address: String,
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PollRecord {
    at: InstantRecord,
    duration: (u64, u32),
    outcome: OutcomeRecord,
    bytes: u64,
    entries: u32,
    added: u32,
    updated: u32,
    rejected: u32,
}

#[derive(Debug, Serialize, Deserialize)]
enum OutcomeRecord {
    Read,
    NotModified,
    Later,
    Gone,
    Failed(String),
}

impl From<&History> for HistoryRecord {
    fn from(history: &History) -> Self {
        let validators = history.validators.as_ref().map(|validators| ValidatorsRecord {
            address: validators.address.clone(),
            etag: validators.etag.clone(),
            last_modified: validators.last_modified.clone(),
        });
        Self {
            address: history.address.clone(),
            labelling: history.labelling.map(|digest| digest.0),
            validators,
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
        let validators = record.validators.map(|validators| Validators {
            address: validators.address,
            etag: validators.etag,
            last_modified: validators.last_modified,
        });
        Ok(Self {
            address: record.address,
            labelling: record.labelling.map(Digest),
            validators,
            last_success: record.last_success.map(DateTime::try_from).transpose()?,
            failures: record.failures,
            not_before: record.not_before.map(DateTime::try_from).transpose()?,
            polls: all(record.polls)?,
        })
    }
}

impl From<&Poll> for PollRecord {
    fn from(poll: &Poll) -> Self {
        let outcome = match &poll.outcome {
            Outcome::Read => OutcomeRecord::Read,
            Outcome::NotModified => OutcomeRecord::NotModified,
            Outcome::Later => OutcomeRecord::Later,
            Outcome::Gone => OutcomeRecord::Gone,
            Outcome::Failed(why) => OutcomeRecord::Failed(why.clone()),
        };
        Self {
            at: poll.at.into(),
            duration: (poll.duration.as_secs(), poll.duration.subsec_nanos()),
            outcome,
            bytes: poll.bytes,
            entries: poll.tally.entries,
            added: poll.tally.added,
            updated: poll.tally.updated,
            rejected: poll.tally.rejected,
        }
    }
}

impl TryFrom<PollRecord> for Poll {
    type Error = BadField;

    fn try_from(record: PollRecord) -> Result<Self, BadField> {
        let (seconds, nanos) = record.duration;
        let long = || BadField { kind: "duration", text: format!("{seconds} s, {nanos} ns") };
        let outcome = match record.outcome {
            OutcomeRecord::Read => Outcome::Read,
            OutcomeRecord::NotModified => Outcome::NotModified,
            OutcomeRecord::Later => Outcome::Later,
            OutcomeRecord::Gone => Outcome::Gone,
            OutcomeRecord::Failed(why) => Outcome::Failed(why),
        };
        Ok(Self {
            at: record.at.try_into()?,
            duration: Duration::from_secs(seconds)
                .checked_add(Duration::from_nanos(nanos.into()))
                .ok_or_else(long)?,
            outcome,
            bytes: record.bytes,
            tally: Tally {
                entries: record.entries,
                added: record.added,
                updated: record.updated,
                rejected: record.rejected,
            },
        })
    }
}
