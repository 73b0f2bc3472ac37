//! An article in its second form, with the points of reasons, rules, language and free tags, and
//! in its third, with when its feed last changed.
//!
//! The first form stays as it was, with no label in it; the labels stand behind it, and what came
//! later behind them.

use crate::model::article::Article;
use crate::model::article::Field;
use crate::model::article::Labels;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::model::id::ArticleId;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::RuleId;
use crate::store::keys;
use crate::store::records::ArticleRecord;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::parsed;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// An article and its labels.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SecondArticleRecord {
    pub(crate) article: ArticleRecord,
    labels: LabelsRecord,
}

/// Labels, with or without their reasons.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LabelsRecord {
    regions: Vec<(String, Vec<ReasonRecord>)>,
    communities: Vec<(String, Vec<ReasonRecord>)>,
    tags: Vec<(String, Vec<ReasonRecord>)>,
    free_tags: Vec<String>,
    language: Option<String>,
    headline: Option<String>,
    excluded_by: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReasonRecord(u16, WhyRecord);

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhyRecord {
    Feed,
    Category(String),
    Words(FieldRecord, String),
    Community(String),
    Rule(String),
    Host(String),
    Point(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FieldRecord {
    Title,
    Lead,
    Body,
    Category,
}

/// An article in its third form: with what stands beside the origin since.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ThirdArticleRecord {
    #[serde(rename = "shown")]
    before: SecondArticleRecord,
    feed_updated: Option<InstantRecord>,
}

impl From<&Article> for ThirdArticleRecord {
    fn from(article: &Article) -> Self {
        Self { before: article.into(), feed_updated: article.origin.updated.map(Into::into) }
    }
}

impl ThirdArticleRecord {
    /// Where the article lies.
    pub(crate) fn key(&self) -> Result<Vec<u8>, BadField> {
        let ArticleRecord { id, first_seen, .. } = &self.before.article;
        Ok(keys::article((*first_seen).try_into()?, ArticleId(Digest(*id))))
    }
}

impl TryFrom<ThirdArticleRecord> for Article {
    type Error = BadField;

    fn try_from(record: ThirdArticleRecord) -> Result<Self, BadField> {
        let mut article = Self::try_from(record.before)?;
        article.origin.updated = record.feed_updated.map(TryInto::try_into).transpose()?;
        Ok(article)
    }
}

impl From<&Article> for SecondArticleRecord {
    fn from(article: &Article) -> Self {
        Self { article: ArticleRecord::from(article), labels: LabelsRecord::from(&article.labels) }
    }
}

impl TryFrom<SecondArticleRecord> for Article {
    type Error = BadField;

    fn try_from(record: SecondArticleRecord) -> Result<Self, BadField> {
        Ok(Self { labels: record.labels.try_into()?, ..Self::try_from(record.article)? })
    }
}

impl From<&Labels> for LabelsRecord {
    fn from(labels: &Labels) -> Self {
        Self {
            regions: written(&labels.regions),
            communities: written(&labels.communities),
            tags: written(&labels.tags),
            free_tags: labels.free_tags.clone(),
            language: labels.language.clone(),
            headline: labels.headline.clone(),
            excluded_by: labels.excluded_by.as_ref().map(RuleId::to_string),
        }
    }
}

impl TryFrom<LabelsRecord> for Labels {
    type Error = BadField;

    fn try_from(record: LabelsRecord) -> Result<Self, BadField> {
        let excluded_by = record.excluded_by.map(|id| parsed("rule", &id)).transpose()?;
        Ok(Self {
            regions: read("region", record.regions)?,
            communities: read("community", record.communities)?,
            tags: read("tag", record.tags)?,
            free_tags: record.free_tags,
            language: record.language,
            headline: record.headline,
            excluded_by,
        })
    }
}

impl From<&Reason> for ReasonRecord {
    fn from(reason: &Reason) -> Self {
        let why = match &reason.why {
            Why::Feed => WhyRecord::Feed,
            Why::Category { term } => WhyRecord::Category(term.clone()),
            Why::Words { field, words } => WhyRecord::Words((*field).into(), words.clone()),
            Why::Community(id) => WhyRecord::Community(id.to_string()),
            Why::Rule(id) => WhyRecord::Rule(id.to_string()),
            Why::Host(host) => WhyRecord::Host(host.clone()),
            Why::Point(point) => WhyRecord::Point(point.clone()),
        };
        Self(reason.points, why)
    }
}

impl TryFrom<ReasonRecord> for Reason {
    type Error = BadField;

    fn try_from(ReasonRecord(points, why): ReasonRecord) -> Result<Self, BadField> {
        let why = match why {
            WhyRecord::Feed => Why::Feed,
            WhyRecord::Category(term) => Why::Category { term },
            WhyRecord::Words(field, words) => Why::Words { field: field.into(), words },
            WhyRecord::Community(id) => Why::Community(parsed::<CommunityId>("community", &id)?),
            WhyRecord::Rule(id) => Why::Rule(parsed::<RuleId>("rule", &id)?),
            WhyRecord::Host(host) => Why::Host(host),
            WhyRecord::Point(point) => Why::Point(point),
        };
        Ok(Self { why, points })
    }
}

impl From<Field> for FieldRecord {
    fn from(field: Field) -> Self {
        match field {
            Field::Title => Self::Title,
            Field::Lead => Self::Lead,
            Field::Body => Self::Body,
            Field::Category => Self::Category,
        }
    }
}

impl From<FieldRecord> for Field {
    fn from(field: FieldRecord) -> Self {
        match field {
            FieldRecord::Title => Self::Title,
            FieldRecord::Lead => Self::Lead,
            FieldRecord::Body => Self::Body,
            FieldRecord::Category => Self::Category,
        }
    }
}

fn written<T: ToString>(labels: &BTreeMap<T, Vec<Reason>>) -> Vec<(String, Vec<ReasonRecord>)> {
    let reasons = |reasons: &Vec<Reason>| reasons.iter().map(ReasonRecord::from).collect();
    labels.iter().map(|(label, why)| (label.to_string(), reasons(why))).collect()
}

fn read<T: FromStr + Ord>(
    kind: &'static str,
    records: Vec<(String, Vec<ReasonRecord>)>,
) -> Result<BTreeMap<T, Vec<Reason>>, BadField> {
    let reasons = |records: Vec<ReasonRecord>| {
        records.into_iter().map(Reason::try_from).collect::<Result<Vec<_>, _>>()
    };
    records.into_iter().map(|(label, why)| Ok((parsed(kind, &label)?, reasons(why)?))).collect()
}
