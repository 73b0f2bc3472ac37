//! What is kept of an article beside itself, and of the last document of a feed, as they stand on
//! the disk.

use crate::model::provenance::Belief;
use crate::model::provenance::Provenance;
use crate::model::revision::Edit;
use crate::model::revision::Part;
use crate::model::revision::Revision;
use crate::model::revision::Trail;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::all;
use crate::store::records::plain::digest;
use serde::Deserialize;
use serde::Serialize;

/// What is kept of an article beside itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrailRecord {
    provenance: Option<ProvenanceRecord>,
    revisions: Vec<RevisionRecord>,
    forgotten: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProvenanceRecord {
    document: String,
    read: InstantRecord,
    entry_id: Option<String>,
    published: Option<String>,
    updated: Option<String>,
    belief: BeliefRecord,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BeliefRecord {
    Said,
    Changed,
    Undated,
    Unread,
    Future,
}

#[derive(Debug, Serialize, Deserialize)]
struct RevisionRecord {
    at: InstantRecord,
    number: u32,
    edits: Vec<EditRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EditRecord {
    Field(PartRecord, String, String),
    Text(u32, u32, String),
    Labels(Vec<String>, Vec<String>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartRecord {
    Title,
    Lead,
    Url,
    Updated,
    Image,
    Authors,
    Files,
}

/// What came as the last document of a feed; its bytes lie beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReceiptRecord {
    pub(crate) url: String,
    pub(crate) content_type: Option<String>,
    pub(crate) read: InstantRecord,
    /// Of the bytes.
    #[serde(with = "digest")]
    pub(crate) digest: [u8; 16],
    /// How many they are.
    pub(crate) length: u64,
    /// Whether they are kept.
    pub(crate) keeping: KeepingRecord,
}

/// Whether the bytes of a document are kept. The first two are on the disk what `false` and `true`
/// were, before the third came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeepingRecord {
    /// They are too many.
    TooLarge,
    /// They lie beside it.
    Kept,
    /// The admin took down what is in them.
    TakenDown,
}

impl From<&Trail> for TrailRecord {
    fn from(trail: &Trail) -> Self {
        Self {
            provenance: trail.provenance.as_ref().map(Into::into),
            revisions: trail.revisions.iter().map(Into::into).collect(),
            forgotten: trail.forgotten,
        }
    }
}

impl TryFrom<TrailRecord> for Trail {
    type Error = BadField;

    fn try_from(record: TrailRecord) -> Result<Self, BadField> {
        Ok(Self {
            provenance: record.provenance.map(TryInto::try_into).transpose()?,
            revisions: all(record.revisions)?,
            forgotten: record.forgotten,
        })
    }
}

impl From<&Provenance> for ProvenanceRecord {
    fn from(provenance: &Provenance) -> Self {
        Self {
            document: provenance.document.clone(),
            read: provenance.read.into(),
            entry_id: provenance.entry_id.clone(),
            published: provenance.published.clone(),
            updated: provenance.updated.clone(),
            belief: match provenance.belief {
                Belief::Said => BeliefRecord::Said,
                Belief::Changed => BeliefRecord::Changed,
                Belief::Undated => BeliefRecord::Undated,
                Belief::Unread => BeliefRecord::Unread,
                Belief::Future => BeliefRecord::Future,
            },
        }
    }
}

impl TryFrom<ProvenanceRecord> for Provenance {
    type Error = BadField;

    fn try_from(record: ProvenanceRecord) -> Result<Self, BadField> {
        Ok(Self {
            document: record.document,
            read: record.read.try_into()?,
            entry_id: record.entry_id,
            published: record.published,
            updated: record.updated,
            belief: match record.belief {
                BeliefRecord::Said => Belief::Said,
                BeliefRecord::Changed => Belief::Changed,
                BeliefRecord::Undated => Belief::Undated,
                BeliefRecord::Unread => Belief::Unread,
                BeliefRecord::Future => Belief::Future,
            },
        })
    }
}

impl From<&Revision> for RevisionRecord {
    fn from(revision: &Revision) -> Self {
        let edits = revision.edits.iter().map(|edit| match edit {
            Edit::Field { part, before, after } => {
                EditRecord::Field((*part).into(), before.clone(), after.clone())
            }
            Edit::Text { added, removed, excerpt } => {
                EditRecord::Text(*added, *removed, excerpt.clone())
            }
            Edit::Labels { gained, lost } => EditRecord::Labels(gained.clone(), lost.clone()),
        });
        Self { at: revision.at.into(), number: revision.number, edits: edits.collect() }
    }
}

impl TryFrom<RevisionRecord> for Revision {
    type Error = BadField;

    fn try_from(record: RevisionRecord) -> Result<Self, BadField> {
        let edits = record.edits.into_iter().map(|edit| match edit {
            EditRecord::Field(part, before, after) => {
                Edit::Field { part: part.into(), before, after }
            }
            EditRecord::Text(added, removed, excerpt) => Edit::Text { added, removed, excerpt },
            EditRecord::Labels(gained, lost) => Edit::Labels { gained, lost },
        });
        Ok(Self { at: record.at.try_into()?, number: record.number, edits: edits.collect() })
    }
}

impl From<Part> for PartRecord {
    fn from(part: Part) -> Self {
        match part {
            Part::Title => Self::Title,
            Part::Lead => Self::Lead,
            Part::Url => Self::Url,
            Part::Updated => Self::Updated,
            Part::Image => Self::Image,
            Part::Authors => Self::Authors,
            Part::Files => Self::Files,
        }
    }
}

impl From<PartRecord> for Part {
    fn from(record: PartRecord) -> Self {
        match record {
            PartRecord::Title => Self::Title,
            PartRecord::Lead => Self::Lead,
            PartRecord::Url => Self::Url,
            PartRecord::Updated => Self::Updated,
            PartRecord::Image => Self::Image,
            PartRecord::Authors => Self::Authors,
            PartRecord::Files => Self::Files,
        }
    }
}
