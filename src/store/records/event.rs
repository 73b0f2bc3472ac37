//! What an admin is told of without asking, as it stands on the disk.

use crate::model::event::Event;
use crate::model::event::EventKind;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use chrono::DateTime;
use serde::Deserialize;
use serde::Serialize;

/// An event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EventRecord {
    kind: String,
    feed: Option<String>,
    name: String,
    opened: InstantRecord,
    updated: InstantRecord,
    closed: Option<InstantRecord>,
    openings: u32,
    what: String,
    cure: String,
    end: String,
}

impl From<&Event> for EventRecord {
    fn from(event: &Event) -> Self {
        Self {
            kind: event.kind.word().to_owned(),
            feed: event.feed.as_ref().map(ToString::to_string),
            name: event.name.clone(),
            opened: event.opened.into(),
            updated: event.updated.into(),
            closed: event.closed.map(InstantRecord::from),
            openings: event.openings,
            what: event.what.clone(),
            cure: event.cure.clone(),
            end: event.end.clone(),
        }
    }
}

impl TryFrom<EventRecord> for Event {
    type Error = BadField;

    fn try_from(record: EventRecord) -> Result<Self, BadField> {
        let bad = |kind, text: &str| BadField { kind, text: text.to_owned() };
        let kind = EventKind::of(&record.kind);
        let feed = record.feed.map(|feed| feed.parse().map_err(|_| bad("feed", &feed)));
        Ok(Self {
            kind: kind.ok_or_else(|| bad("kind of event", &record.kind))?,
            feed: feed.transpose()?,
            name: record.name,
            opened: record.opened.try_into()?,
            updated: record.updated.try_into()?,
            closed: record.closed.map(DateTime::try_from).transpose()?,
            openings: record.openings,
            what: record.what,
            cure: record.cure,
            end: record.end,
        })
    }
}
