//! What stands on the disk: records of the store's own, apart from the model, so that a field
//! that is renamed there does not make a store unreadable.
//!
//! The order of fields and variants is the format, and in backups their names are: never change it. A changed record is a new
//! struct under a new number in `codec`.

pub(crate) mod article;
pub(crate) mod event;
pub(crate) mod first_history;
pub(crate) mod front;
pub(crate) mod history;
pub(crate) mod plain;
pub(crate) mod trail;

use crate::model::article::Article;
use crate::model::article::Author;
use crate::model::article::Enclosure;
use crate::model::article::Field;
use crate::model::article::Image;
use crate::model::article::Keys;
use crate::model::article::Labels;
use crate::model::article::Origin;
use crate::model::article::Reason;
use crate::model::article::Source;
use crate::model::article::Why;
use crate::model::entry::Category;
use crate::model::id::ArticleId;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::known::Known;
use crate::model::publication::Shelf;
use crate::store::records::plain::digest;
use crate::store::records::plain::maybe_digest;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::str::FromStr;
use url::Url;

/// What in a record is no value of the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}")]
pub(crate) struct BadField {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// Seconds and nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstantRecord(i64, u32);

/// An article in its first form, which has labels without points; in the second, which has it
/// inside, their places are empty.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ArticleRecord {
    #[serde(with = "digest")]
    pub(crate) id: [u8; 16],
    feed: String,
    iri: String,
    keys: KeysRecord,
    url: Option<String>,
    title: String,
    lead: String,
    body: String,
    published: InstantRecord,
    updated: InstantRecord,
    pub(crate) first_seen: InstantRecord,
    revision: u32,
    views: Option<u64>,
    image: Option<ImageRecord>,
    categories: Vec<CategoryRecord>,
    regions: Vec<(String, Vec<ReasonRecord>)>,
    communities: Vec<(String, Vec<ReasonRecord>)>,
    tags: Vec<(String, Vec<ReasonRecord>)>,
    source: (String, Option<String>),
    origin: OriginRecord,
    authors: Vec<(String, Option<String>)>,
    language: Option<String>,
    enclosures: Vec<EnclosureRecord>,
    via: Vec<String>,
    rights: Option<String>,
    point: Option<(f64, f64)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeysRecord {
    #[serde(with = "digest")]
    entry: [u8; 16],
    #[serde(with = "maybe_digest")]
    link: Option<[u8; 16]>,
    #[serde(with = "digest")]
    title: [u8; 16],
    #[serde(with = "digest")]
    content: [u8; 16],
}

#[derive(Debug, Serialize, Deserialize)]
struct ImageRecord {
    url: String,
    alt: Option<String>,
    caption: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CategoryRecord {
    term: String,
    scheme: Option<String>,
    label: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReasonRecord {
    Feed,
    Category(String),
    WordsInTitle(String),
    WordsInLead(String),
    Community(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct OriginRecord {
    iri: String,
    title: String,
    feed_url: Option<String>,
    site_url: Option<String>,
    icon: Option<String>,
    rights: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EnclosureRecord {
    url: String,
    mime: Option<String>,
    length: Option<u64>,
}

/// What is known of an article.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KnownRecord {
    #[serde(with = "digest")]
    pub(crate) id: [u8; 16],
    iri: String,
    keys: KeysRecord,
    #[serde(with = "digest")]
    labels: [u8; 16],
    published: InstantRecord,
    updated: InstantRecord,
    pub(crate) first_seen: InstantRecord,
    revision: u32,
}

/// The counters of a selection.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShelfRecord {
    count: u64,
    updated: InstantRecord,
    changed: InstantRecord,
}

impl From<DateTime<Utc>> for InstantRecord {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp(), at.timestamp_subsec_nanos())
    }
}

impl TryFrom<InstantRecord> for DateTime<Utc> {
    type Error = BadField;

    fn try_from(InstantRecord(seconds, nanos): InstantRecord) -> Result<Self, BadField> {
        let bad = || BadField { kind: "instant", text: format!("{seconds} s, {nanos} ns") };
        DateTime::from_timestamp(seconds, nanos).ok_or_else(bad)
    }
}

impl From<&Article> for ArticleRecord {
    fn from(article: &Article) -> Self {
        let image = article.image.as_ref().map(|image| ImageRecord {
            url: image.url.to_string(),
            alt: image.alt.clone(),
            caption: image.caption.clone(),
            width: image.width,
            height: image.height,
        });
        let categories = article.categories.iter().map(|category| CategoryRecord {
            term: category.term.clone(),
            scheme: category.scheme.clone(),
            label: category.label.clone(),
        });
        let enclosures = article.enclosures.iter().map(|enclosure| EnclosureRecord {
            url: enclosure.url.to_string(),
            mime: enclosure.mime.clone(),
            length: enclosure.length,
        });
        let authors = article.authors.iter();
        Self {
            id: article.id.0.0,
            feed: article.feed.to_string(),
            iri: article.iri.clone(),
            keys: article.keys.into(),
            url: text(article.url.as_ref()),
            title: article.title.clone(),
            lead: article.lead.clone(),
            body: article.body.clone(),
            published: article.published.into(),
            updated: article.updated.into(),
            first_seen: article.first_seen.into(),
            revision: article.revision,
            views: article.views,
            image,
            categories: categories.collect(),
            regions: Vec::new(),
            communities: Vec::new(),
            tags: Vec::new(),
            source: (article.source.name.clone(), text(article.source.url.as_ref())),
            origin: (&article.origin).into(),
            authors: authors.map(|who| (who.name.clone(), text(who.url.as_ref()))).collect(),
            language: article.language.clone(),
            enclosures: enclosures.collect(),
            via: article.via.iter().map(Url::to_string).collect(),
            rights: article.rights.clone(),
            point: article.point,
        }
    }
}

impl TryFrom<ArticleRecord> for Article {
    type Error = BadField;

    fn try_from(record: ArticleRecord) -> Result<Self, BadField> {
        let categories = record.categories.into_iter().map(|category| Category {
            term: category.term,
            scheme: category.scheme,
            label: category.label,
        });
        let author = |(name, page)| Ok(Author { name, url: maybe_url(page)? });
        Ok(Self {
            id: ArticleId(Digest(record.id)),
            feed: parsed::<FeedId>("feed", &record.feed)?,
            iri: record.iri,
            keys: record.keys.into(),
            url: maybe_url(record.url)?,
            title: record.title,
            lead: record.lead,
            body: record.body,
            published: record.published.try_into()?,
            updated: record.updated.try_into()?,
            first_seen: record.first_seen.try_into()?,
            revision: record.revision,
            views: record.views,
            image: record.image.map(Image::try_from).transpose()?,
            categories: categories.collect(),
            labels: Labels {
                regions: labelled("region", record.regions)?,
                communities: labelled("community", record.communities)?,
                tags: labelled("tag", record.tags)?,
                ..Labels::default()
            },
            source: Source { name: record.source.0, url: maybe_url(record.source.1)? },
            origin: record.origin.try_into()?,
            authors: record.authors.into_iter().map(author).collect::<Result<_, BadField>>()?,
            language: record.language,
            enclosures: all(record.enclosures)?,
            via: record.via.iter().map(|page| url(page)).collect::<Result<_, _>>()?,
            rights: record.rights,
            point: record.point,
        })
    }
}

impl From<Keys> for KeysRecord {
    fn from(keys: Keys) -> Self {
        Self {
            entry: keys.entry.0,
            link: keys.link.map(|link| link.0),
            title: keys.title.0,
            content: keys.content.0,
        }
    }
}

impl From<KeysRecord> for Keys {
    fn from(record: KeysRecord) -> Self {
        Self {
            entry: Digest(record.entry),
            link: record.link.map(Digest),
            title: Digest(record.title),
            content: Digest(record.content),
        }
    }
}

impl TryFrom<ImageRecord> for Image {
    type Error = BadField;

    fn try_from(record: ImageRecord) -> Result<Self, BadField> {
        Ok(Self {
            url: url(&record.url)?,
            alt: record.alt,
            caption: record.caption,
            width: record.width,
            height: record.height,
        })
    }
}

impl TryFrom<EnclosureRecord> for Enclosure {
    type Error = BadField;

    fn try_from(record: EnclosureRecord) -> Result<Self, BadField> {
        Ok(Self { url: url(&record.url)?, mime: record.mime, length: record.length })
    }
}

impl From<&Origin> for OriginRecord {
    fn from(origin: &Origin) -> Self {
        Self {
            iri: origin.iri.clone(),
            title: origin.title.clone(),
            feed_url: text(origin.feed_url.as_ref()),
            site_url: text(origin.site_url.as_ref()),
            icon: text(origin.icon.as_ref()),
            rights: origin.rights.clone(),
        }
    }
}

impl TryFrom<OriginRecord> for Origin {
    type Error = BadField;

    fn try_from(record: OriginRecord) -> Result<Self, BadField> {
        Ok(Self {
            iri: record.iri,
            title: record.title,
            feed_url: maybe_url(record.feed_url)?,
            site_url: maybe_url(record.site_url)?,
            icon: maybe_url(record.icon)?,
            rights: record.rights,
            updated: None,
        })
    }
}

/// What the first form told had no points.
impl TryFrom<ReasonRecord> for Reason {
    type Error = BadField;

    fn try_from(record: ReasonRecord) -> Result<Self, BadField> {
        let why = match record {
            ReasonRecord::Feed => Why::Feed,
            ReasonRecord::Category(term) => Why::Category { term },
            ReasonRecord::WordsInTitle(words) => Why::Words { field: Field::Title, words },
            ReasonRecord::WordsInLead(words) => Why::Words { field: Field::Lead, words },
            ReasonRecord::Community(id) => Why::Community(parsed::<CommunityId>("community", &id)?),
        };
        Ok(Self { why, points: 0 })
    }
}

impl From<&Known> for KnownRecord {
    fn from(known: &Known) -> Self {
        Self {
            id: known.id.0.0,
            iri: known.iri.clone(),
            keys: known.keys.into(),
            labels: known.labels.0,
            published: known.published.into(),
            updated: known.updated.into(),
            first_seen: known.first_seen.into(),
            revision: known.revision,
        }
    }
}

impl TryFrom<KnownRecord> for Known {
    type Error = BadField;

    fn try_from(record: KnownRecord) -> Result<Self, BadField> {
        Ok(Self {
            id: ArticleId(Digest(record.id)),
            iri: record.iri,
            keys: record.keys.into(),
            labels: Digest(record.labels),
            published: record.published.try_into()?,
            updated: record.updated.try_into()?,
            first_seen: record.first_seen.try_into()?,
            revision: record.revision,
        })
    }
}

impl From<&Shelf> for ShelfRecord {
    fn from(shelf: &Shelf) -> Self {
        Self { count: shelf.count, updated: shelf.updated.into(), changed: shelf.changed.into() }
    }
}

impl TryFrom<ShelfRecord> for Shelf {
    type Error = BadField;

    fn try_from(record: ShelfRecord) -> Result<Self, BadField> {
        Ok(Self {
            count: record.count,
            updated: record.updated.try_into()?,
            changed: record.changed.try_into()?,
        })
    }
}

fn text(url: Option<&Url>) -> Option<String> {
    url.map(Url::to_string)
}

fn url(text: &str) -> Result<Url, BadField> {
    parsed("address", text)
}

fn maybe_url(text: Option<String>) -> Result<Option<Url>, BadField> {
    text.map(|text| url(&text)).transpose()
}

/// A text as what it names.
pub(crate) fn parsed<T: FromStr>(kind: &'static str, text: &str) -> Result<T, BadField> {
    text.parse().map_err(|_| BadField { kind, text: text.to_owned() })
}

/// Records as values of the model.
pub(crate) fn all<R, T: TryFrom<R, Error = BadField>>(records: Vec<R>) -> Result<Vec<T>, BadField> {
    records.into_iter().map(T::try_from).collect()
}

fn labelled<T: FromStr + Ord>(
    kind: &'static str,
    records: Vec<(String, Vec<ReasonRecord>)>,
) -> Result<BTreeMap<T, Vec<Reason>>, BadField> {
    records.into_iter().map(|(label, why)| Ok((parsed(kind, &label)?, all(why)?))).collect()
}
