//! What is remembered of a feed, in the first form in which it stood on the disk.
//!
//! Written by no version since; read for ever.

use crate::model::exchange::History;
use crate::model::exchange::Poll;
use crate::model::exchange::Relocation;
use crate::model::exchange::Validators;
use crate::model::rhythm::Rhythm;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::all;
use crate::store::records::history::OutcomeRecord;
use crate::store::records::history::PollRecord;
use crate::store::records::history::ValidatorsRecord;
use chrono::DateTime;
use serde::Deserialize;
use serde::Serialize;

/// What is remembered of a feed, without what its publisher asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FirstHistoryRecord {
    address: String,
    labelling: Option<[u8; 16]>,
    validators: Option<ValidatorsRecord>,
    last_success: Option<InstantRecord>,
    failures: u32,
    not_before: Option<InstantRecord>,
    polls: Vec<FirstPollRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FirstPollRecord {
    at: InstantRecord,
    duration: (u64, u32),
    outcome: OutcomeRecord,
    bytes: u64,
    tally: [u32; 4],
}

impl TryFrom<FirstHistoryRecord> for History {
    type Error = BadField;

    fn try_from(record: FirstHistoryRecord) -> Result<Self, BadField> {
        Ok(Self {
            address: record.address,
            validators: record.validators.map(Validators::from),
            last_full: None,
            freshness: None,
            rhythm: Rhythm::default(),
            relocation: Relocation::default(),
            last_success: record.last_success.map(DateTime::try_from).transpose()?,
            failures: record.failures,
            not_before: record.not_before.map(DateTime::try_from).transpose()?,
            polls: all(record.polls)?,
        })
    }
}

impl TryFrom<FirstPollRecord> for Poll {
    type Error = BadField;

    fn try_from(record: FirstPollRecord) -> Result<Self, BadField> {
        Self::try_from(PollRecord {
            at: record.at,
            duration: record.duration,
            outcome: record.outcome,
            bytes: record.bytes,
            tally: record.tally,
            repairs: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::Outcome;
    use crate::model::exchange::Tally;
    use crate::store::codec;

    #[test]
    fn what_an_earlier_version_remembered_is_still_known() {
        let at = "2026-06-01T12:00:00Z".parse::<DateTime<chrono::Utc>>().unwrap();
        let record = FirstHistoryRecord {
            address: "https://city.example/rss".to_owned(),
            labelling: Some([7; 16]),
            validators: Some(ValidatorsRecord {
                address: "https://city.example/rss".to_owned(),
                etag: Some(b"W/\"1\"".to_vec()),
                last_modified: None,
            }),
            last_success: Some(at.into()),
            failures: 2,
            not_before: None,
            polls: vec![FirstPollRecord {
                at: at.into(),
                duration: (1, 5),
                outcome: OutcomeRecord::Failed("no".to_owned()),
                bytes: 10,
                tally: [1, 2, 3, 4],
            }],
        };
        let value = codec::plain(b"key", &record).unwrap();
        assert!(!codec::is_second(&value));
        let read: FirstHistoryRecord = codec::read(b"key", &value).unwrap();
        let history = History::try_from(read).unwrap();
        assert_eq!((history.failures, history.last_success), (2, Some(at)));
        assert_eq!(history.validators.unwrap().etag.unwrap(), b"W/\"1\"");
        let poll = &history.polls[0];
        assert_eq!(poll.outcome, Outcome::Failed("no".to_owned()));
        assert_eq!(poll.tally, Tally { entries: 1, added: 2, updated: 3, rejected: 4 });
    }
}
