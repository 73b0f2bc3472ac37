//! A feed tried out: fetched once and taken through the whole pipeline, with nothing kept.
//!
//! What `visnyk preview`, `visnyk check --online` and whoever adds a feed show comes from here, so
//! that they say what a poll would do.
//!
//! Never here: the store. What is known of the feed is handed in.

use crate::classify::Classifier;
use crate::fetch::Fetched;
use crate::fetch::Fetcher;
use crate::fetch::Said;
use crate::ingest::Ingested;
use crate::ingest::ingest;
use crate::model::article::Article;
use crate::model::clock::moment;
use crate::model::exchange::Document;
use crate::model::exchange::Request;
use crate::model::exchange::Validators;
use crate::model::feed::Feed;
use crate::model::known::Change;
use crate::model::known::Memory;
use crate::model::provenance::Belief;
use crate::parse::ParseError;
use crate::poll::READ_TIMEOUT;
use crate::poll::on_a_deep_stack;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::time::timeout;
use url::Url;

/// What came of a try.
#[derive(Debug)]
pub struct Trial {
    /// What came, and how.
    pub arrival: Arrival,
    /// What it would bring; or why nothing.
    pub read: Result<Brought, ParseError>,
}

/// What came, and how.
#[derive(Debug)]
pub struct Arrival {
    /// Where it was in the end, after redirects.
    pub url: Url,
    /// The Content-Type header, as received.
    pub content_type: Option<String>,
    /// The size after decompression, in bytes.
    pub bytes: usize,
    /// What the answer said.
    pub said: Said,
    /// What it gave us to ask it with the next time.
    pub validators: Validators,
    /// How long it took, waiting for a turn included.
    pub took: Duration,
}

/// What a document would bring.
#[derive(Debug)]
pub struct Brought {
    /// What the pipeline made of it.
    pub ingested: Ingested,
    /// What its entries say of their dates.
    pub dates: Dates,
    /// How many articles would bear each label.
    pub labels: LabelCounts,
}

/// What the entries of a document say of their dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    /// How many have a date that is believed.
    pub believed: usize,
    /// How many have none, or one that cannot be read.
    pub without: usize,
    /// How many date from the future.
    pub future: usize,
    /// The newest that is believed.
    pub newest: Option<DateTime<Utc>>,
}

/// How many articles bear each label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelCounts {
    /// By region.
    pub regions: BTreeMap<String, usize>,
    /// By community.
    pub communities: BTreeMap<String, usize>,
    /// By tag.
    pub tags: BTreeMap<String, usize>,
    /// Articles that a rule keeps out of all publications.
    pub excluded: usize,
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It could not be fetched.
    #[error("{0}")]
    Fetch(String),
    /// The server says that the feed is no more.
    #[error("the server says that the feed is gone (410)")]
    Gone,
    /// The server asks to come later.
    #[error("the server asks to come later{}", .0.map(|at| format!(", at {}", moment(at))).unwrap_or_default())]
    Later(Option<DateTime<Utc>>),
    /// It was not read in time.
    #[error("the document was not read within {READ_TIMEOUT:?}")]
    Slow,
}

/// Fetches a feed once, without a condition, and tells what a poll would do.
///
/// # Errors
/// No document came.
pub async fn trial(
    fetcher: &Fetcher,
    classifier: &Arc<Classifier>,
    feed: &Arc<Feed>,
    memory: Memory,
    now: DateTime<Utc>,
) -> Result<Trial, Failure> {
    let began = Instant::now();
    let (document, validators, said, hold) = match fetcher.fetch(feed, &Request::default()).await {
        Fetched::Document { document, validators, said, hold, .. } => {
            (document, validators, said, hold)
        }
        Fetched::Failed(error) | Fetched::Unreachable(error) => {
            return Err(Failure::Fetch(error.to_string()));
        }
        Fetched::Gone => return Err(Failure::Gone),
        Fetched::Later { until } | Fetched::Postponed { until } => {
            return Err(Failure::Later(until));
        }
        // Nothing was known that it could be unchanged since.
        Fetched::NotModified { .. } => return Err(Failure::Later(None)),
    };
    let arrival = Arrival {
        url: document.url.clone(),
        content_type: document.content_type.clone(),
        bytes: document.bytes.len(),
        said,
        validators,
        took: began.elapsed(),
    };
    let (feed, classifier) = (Arc::clone(feed), Arc::clone(classifier));
    let reading = on_a_deep_stack(move || read(&feed, &document, &memory, &classifier, now));
    let read = timeout(READ_TIMEOUT, reading).await.ok().flatten();
    drop(hold);
    Ok(Trial { arrival, read: read.ok_or(Failure::Slow)? })
}

/// What a document of a feed would bring.
///
/// # Errors
/// It is no feed, or broken beyond repair.
pub fn read(
    feed: &Feed,
    document: &Document,
    memory: &Memory,
    classifier: &Classifier,
    now: DateTime<Utc>,
) -> Result<Brought, ParseError> {
    let ingested = ingest(feed, document, memory, classifier, now)?;
    let mut labels = LabelCounts::default();
    for article in ingested.changes.iter().filter_map(article_of) {
        labels.add(article);
    }
    Ok(Brought { dates: dates(&ingested, now), labels, ingested })
}

/// The article in a change, if there is one.
#[must_use]
pub fn article_of(change: &Change) -> Option<&Article> {
    match change {
        Change::Added(article) | Change::Updated(article) | Change::Relabelled(article) => {
            Some(article)
        }
        Change::Unchanged(..) => None,
    }
}

impl LabelCounts {
    fn add(&mut self, article: &Article) {
        let labels = &article.labels;
        let count = |counts: &mut BTreeMap<String, usize>, id: String| {
            *counts.entry(id).or_default() += 1;
        };
        labels.regions.keys().for_each(|id| count(&mut self.regions, id.to_string()));
        labels.communities.keys().for_each(|id| count(&mut self.communities, id.to_string()));
        labels.tags.keys().for_each(|id| count(&mut self.tags, id.to_string()));
        self.excluded += usize::from(labels.excluded_by.is_some());
    }
}

fn dates(ingested: &Ingested, now: DateTime<Utc>) -> Dates {
    let mut dates = Dates::default();
    for provenance in ingested.provenances.values() {
        match provenance.belief {
            Belief::Said | Belief::Changed => dates.believed += 1,
            Belief::Undated | Belief::Unread => dates.without += 1,
            Belief::Future => dates.future += 1,
        }
    }
    let believed = ingested.changes.iter().filter_map(article_of).filter(|article| {
        let belief = ingested.provenances.get(&article.id).map(|from| from.belief);
        matches!(belief, Some(Belief::Said | Belief::Changed)) && article.published <= now
    });
    dates.newest = believed.map(|article| article.published).max();
    dates
}
