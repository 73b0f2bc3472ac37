//! The pipeline anew over what was fetched: what feeds.toml and the program as they are now would
//! make of it, before it is done.
//!
//! # What is gone over
//! The last document of each feed, as it came, and the stored articles that are not in it any more,
//! whose labels are decided anew. Nothing is fetched.
//!
//! # What applying does
//! What a poll of the same document would: an article keeps its id, when it was published and first
//! seen. If the feed was polled meanwhile, nothing is applied.

use crate::classify::Classifier;
use crate::config::Config;
use crate::explain::lines::COLUMNS;
use crate::explain::lines::counted;
use crate::explain::lines::cut;
use crate::explain::lines::put_at;
use crate::explain::reasons;
use crate::explain::trail::in_json;
use crate::ingest::Ingested;
use crate::ingest::ingest;
use crate::model::address::keyless;
use crate::model::article::Article;
use crate::model::article::Labels;
use crate::model::exchange::Document;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::Unkept;
use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::model::known::Change;
use crate::model::known::Harvest;
use crate::model::known::Memory;
use crate::model::publication::Selection;
use crate::model::revision::Edit;
use crate::model::revision::edits;
use crate::poll::READ_TIMEOUT;
use crate::poll::on_a_deep_stack;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::trial::article_of;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How many changes are recorded in one step.
const BATCH_MAX: usize = 500;
/// How many articles are labelled in one go.
const SLICE_MAX: usize = 100;
/// How many differences of a feed are shown to a person.
const SHOWN_MAX: usize = 20;

/// What is done with the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// They are shown.
    Show,
    /// They are recorded.
    Apply,
}

/// What came of it for one feed, as it is told and sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// The feed.
    pub feed: String,
    /// Where the document was that was gone over; none if none is kept.
    pub document: Option<String>,
    /// When it was read (RFC 3339).
    pub read: Option<String>,
    /// How many bytes it has.
    pub bytes: Option<u64>,
    /// Why there is no document, or why nothing was applied.
    pub note: Option<String>,
    /// How many articles stay as they are.
    pub unchanged: usize,
    /// The articles that differ.
    pub articles: Vec<Difference>,
    /// The entries that become no article.
    pub rejected: Vec<Refusal>,
    /// How many the last poll that read a document rejected.
    pub rejected_before: Option<u32>,
    /// Whether the differences were recorded.
    pub applied: bool,
}

/// An article that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Its id.
    pub id: String,
    /// Its headline.
    pub title: String,
    /// In what way.
    pub kind: Kind,
    /// Its labels if it is new; else those that come and go, with reasons.
    pub labels: Vec<LabelChange>,
    /// What else differs.
    pub changes: Vec<Value>,
    /// The same as it is told, in lines.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    told: String,
}

/// In what way an article differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is not there.
    New,
    /// A reader would see a change.
    Changed,
    /// Only its labels, or by what it is known again.
    Labels,
}

/// A label that comes or goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelChange {
    /// Whether it comes.
    pub gained: bool,
    /// The label, such as `tag osvita`.
    pub label: String,
    /// Why it comes; why it was there.
    pub reasons: Vec<String>,
}

/// An entry that becomes no article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its title or id.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// What decides: a configuration, and its classifier.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What finds labels.
    pub classifier: &'a Arc<Classifier>,
    /// What there is.
    pub store: &'a Store,
}

/// Goes over what is kept of a feed. Gives what differs, and the publications whose documents are
/// stale, which there are only if it was applied.
///
/// # Errors
/// The store does not answer.
pub async fn replay(
    means: Means<'_>,
    feed: &Arc<Feed>,
    act: Act,
    now: DateTime<Utc>,
) -> Result<(Replayed, BTreeSet<Selection>), StoreError> {
    let history = means.store.history(&feed.id).await?;
    let memory = means.store.memory(&feed.id).await?;
    let mut replayed = Replayed {
        feed: feed.id.to_string(),
        rejected_before: rejected_before(&history),
        ..Replayed::default()
    };
    let mut harvest = Harvest::default();
    let mut there = BTreeSet::new();
    match document_of(means, feed, &mut replayed).await? {
        Some((document, read)) => match ingested(means, feed, document, &memory, read).await {
            Ok(ingested) => {
                there.extend(ingested.provenances.keys().copied());
                let rejected = ingested.rejected.into_iter();
                replayed.rejected.extend(
                    rejected.map(|entry| Refusal { what: entry.what, reason: entry.reason }),
                );
                harvest.provenances = ingested.provenances;
                take(means, ingested.changes, &mut replayed, &mut harvest.changes).await?;
            }
            Err(why) => replayed.note = Some(why),
        },
        None if replayed.note.is_none() => {
            let why = "no document is kept: the next poll that reads one keeps it";
            replayed.note = Some(why.to_owned());
        }
        None => {}
    }
    let rest: Vec<ArticleId> =
        memory.iter().map(|known| known.id).filter(|id| !there.contains(id)).collect();
    label_anew(means, feed, &rest, &mut replayed, &mut harvest.changes).await?;
    let mut touched = BTreeSet::new();
    if act == Act::Apply {
        touched = apply(means.store, feed, history, harvest, &mut replayed, now).await?;
    }
    Ok((replayed, touched))
}

/// The kept document of a feed, and when it was read.
async fn document_of(
    means: Means<'_>,
    feed: &Feed,
    replayed: &mut Replayed,
) -> Result<Option<(Document, DateTime<Utc>)>, StoreError> {
    let kept = match means.store.kept(&feed.id).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return Ok(None),
        Err(error @ StoreError::Value { .. }) => {
            tracing::error!(%error, "a kept document is left out: {error}");
            let why = "its document is damaged: the next poll that reads one keeps it anew; only \
                       stored articles are gone over";
            replayed.note = Some(why.to_owned());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let read = kept.read;
    replayed.document = Some(keyless(&kept.url).to_string());
    replayed.read = Some(read.to_rfc3339_opts(SecondsFormat::Secs, true));
    replayed.bytes = Some(kept.length);
    if let Err(why) = kept.bytes {
        let why = match why {
            Unkept::TooLarge => "it is too large",
            Unkept::TakenDown => "an article of it was taken down",
        };
        let why =
            format!("its document is not kept, because {why}: only stored articles are gone over");
        replayed.note = Some(why);
    }
    Ok(kept.document().map(|document| (document, read)))
}

/// What a document brings, as the poll of that moment would have read it.
async fn ingested(
    means: Means<'_>,
    feed: &Arc<Feed>,
    document: Document,
    memory: &Memory,
    read: DateTime<Utc>,
) -> Result<Ingested, String> {
    let (feed, classifier) = (Arc::clone(feed), Arc::clone(means.classifier));
    let memory = memory.clone();
    let work = move || ingest(&feed, &document, &memory, &classifier, read);
    match timeout(READ_TIMEOUT, on_a_deep_stack(work)).await {
        Ok(Some(ingested)) => ingested.map_err(|error| format!("it cannot be read now: {error}")),
        Ok(None) => Err("reading it broke off".to_owned()),
        Err(_) => Err(format!("it is not read within {READ_TIMEOUT:?}")),
    }
}

/// What changes of a document differ from what is there.
async fn take(
    means: Means<'_>,
    changes: Vec<Change>,
    replayed: &mut Replayed,
    kept: &mut Vec<Change>,
) -> Result<(), StoreError> {
    let mut pairs = Vec::new();
    for change in changes {
        let Some(article) = article_of(&change) else {
            replayed.unchanged += 1;
            continue;
        };
        // What was taken down stays away.
        if means.store.removal(article.id).await?.is_some() {
            continue;
        }
        let before = means.store.article(article.id).await?;
        pairs.push((before, article.clone()));
        kept.push(change);
    }
    replayed.articles.extend(differences(means.config, pairs).await);
    Ok(())
}

/// The labels of stored articles, decided anew.
async fn label_anew(
    means: Means<'_>,
    feed: &Arc<Feed>,
    ids: &[ArticleId],
    replayed: &mut Replayed,
    kept: &mut Vec<Change>,
) -> Result<(), StoreError> {
    for slice in ids.chunks(SLICE_MAX) {
        let mut articles = Vec::new();
        for id in slice {
            articles.extend(means.store.article(*id).await?);
        }
        let (feed, classifier) = (Arc::clone(feed), Arc::clone(means.classifier));
        let labelling = spawn_blocking(move || {
            let both = |article: Article| {
                let labels = classifier.label(&article, &feed);
                (article, labels)
            };
            articles.into_iter().map(both).collect::<Vec<_>>()
        });
        let mut pairs = Vec::new();
        for (article, labels) in labelling.await.unwrap_or_default() {
            if labels.digest() == article.labels.digest() {
                replayed.unchanged += 1;
                continue;
            }
            let after = Article { labels, ..article.clone() };
            pairs.push((Some(article), after.clone()));
            kept.push(Change::Relabelled(after));
        }
        replayed.articles.extend(differences(means.config, pairs).await);
    }
    Ok(())
}

async fn apply(
    store: &Store,
    feed: &Arc<Feed>,
    history: History,
    harvest: Harvest,
    replayed: &mut Replayed,
    now: DateTime<Utc>,
) -> Result<BTreeSet<Selection>, StoreError> {
    let Harvest { changes, provenances, .. } = harvest;
    let mut touched = BTreeSet::new();
    for changes in changes.chunks(BATCH_MAX) {
        let provenances = provenances.clone();
        let part = Harvest { changes: changes.to_vec(), provenances, document: None };
        let amended = store.amend(Arc::clone(feed), history.clone(), part, now).await?;
        let Some(stale) = amended else {
            let why = "it was polled meanwhile: what is left is not applied, ask again";
            replayed.note = Some(why.to_owned());
            return Ok(touched);
        };
        touched.extend(stale);
    }
    replayed.applied = true;
    Ok(touched)
}

fn rejected_before(history: &History) -> Option<u32> {
    let mut read = history.polls.iter().rev().filter(|poll| poll.outcome == Outcome::Read);
    read.next().map(|poll| poll.tally.rejected)
}

/// How articles differ from what is there. Their texts are compared on a thread of their own.
async fn differences(config: &Config, pairs: Vec<(Option<Article>, Article)>) -> Vec<Difference> {
    let comparing = spawn_blocking(move || {
        let compared = |(before, after): (Option<Article>, Article)| {
            let empty = Article { labels: Labels::default(), ..after.clone() };
            let edits = edits(before.as_ref().unwrap_or(&empty), &after);
            (before, after, edits)
        };
        pairs.into_iter().map(compared).collect::<Vec<_>>()
    });
    let compared = comparing.await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    let told = compared.iter();
    told.map(|(before, after, edits)| difference(config, before.as_ref(), after, edits)).collect()
}

fn difference(
    config: &Config,
    before: Option<&Article>,
    after: &Article,
    edits: &[Edit],
) -> Difference {
    let empty = Article { labels: Labels::default(), ..after.clone() };
    let mut labels = Vec::new();
    let (mut told, mut changes) = (String::new(), Vec::new());
    for edit in edits {
        if let Edit::Labels { gained, lost } = edit {
            let change = |gained, label: &String, of: &Article| LabelChange {
                gained,
                label: label.clone(),
                reasons: reasons(config, &of.labels, label),
            };
            labels.extend(gained.iter().map(|label| change(true, label, after)));
            labels.extend(lost.iter().map(|label| change(false, label, before.unwrap_or(&empty))));
        } else {
            changes.push(in_json(edit));
            told.push_str(&crate::explain::trail::one(edit));
        }
    }
    let is_edited = before.is_some_and(|before| before.keys.content != after.keys.content);
    let kind = match before {
        None => Kind::New,
        Some(_) if is_edited || !changes.is_empty() => Kind::Changed,
        Some(_) => Kind::Labels,
    };
    let (id, title) = (after.id.to_string(), after.headline().to_owned());
    Difference { id, title, kind, labels, changes, told }
}

impl Replayed {
    /// What came of it, without the lines for a person.
    #[must_use]
    pub fn for_programs(mut self) -> Self {
        self.articles.iter_mut().for_each(|difference| difference.told.clear());
        self
    }

    /// How many articles differ in a way.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.articles.iter().filter(|difference| difference.kind == kind).count()
    }

    /// What came of it, for a person.
    #[must_use]
    pub fn told(&self) -> String {
        let [new, changed, labels] =
            [Kind::New, Kind::Changed, Kind::Labels].map(|kind| self.count(kind));
        let rejected = match (self.rejected.len(), self.rejected_before) {
            (now, Some(before)) if u32::try_from(now) != Ok(before) => {
                format!("{now} rejected (the poll: {before})")
            }
            (now, _) => format!("{now} rejected"),
        };
        let mut told = format!(
            "{}: {new} new, {changed} changed, {labels} with other labels, {} as they are, \
             {rejected}\n",
            self.feed, self.unchanged
        );
        if let Some(document) = &self.document {
            put_at(&mut told, 2, 9, "document", document);
        }
        if let (Some(read), Some(bytes)) = (&self.read, self.bytes) {
            put_at(&mut told, 2, 9, "read", &format!("{read}, {bytes} bytes"));
        }
        if let Some(note) = &self.note {
            put_at(&mut told, 2, 9, "note", note);
        }
        for difference in self.articles.iter().take(SHOWN_MAX) {
            told.push_str(&difference.told());
        }
        let more = self.articles.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            put_at(&mut told, 2, 9, "…", &format!("{more} more: `--json` shows all"));
        }
        for Refusal { what, reason } in self.rejected.iter().take(SHOWN_MAX) {
            put_at(&mut told, 2, 9, "rejected", &format!("{what}: {reason}"));
        }
        told
    }
}

impl Difference {
    fn told(&self) -> String {
        let kind = match self.kind {
            Kind::New => "new",
            Kind::Changed => "changed",
            Kind::Labels => "labels",
        };
        let mut told = format!("  {kind:<8} {}\n", cut(&self.title, COLUMNS - 11));
        told.push_str(&self.told);
        for LabelChange { gained, label, reasons } in &self.labels {
            let sign = if *gained { "+" } else { "−" };
            let reasons = reasons.join("; ");
            let words = if reasons.is_empty() {
                label.clone()
            } else if *gained {
                format!("{label}: {reasons}")
            } else {
                format!("{label}, which had: {reasons}")
            };
            put_at(&mut told, 4, 2, sign, &words);
        }
        told
    }
}

/// What came of it for all feeds, in a line or two.
#[must_use]
pub fn summary(all: &[Replayed], act: Act) -> String {
    let count = |kind| all.iter().map(|replayed| replayed.count(kind)).sum::<usize>();
    let [new, changed, labels] = [Kind::New, Kind::Changed, Kind::Labels].map(count);
    let feeds = counted(all.len(), "feed");
    if new + changed + labels == 0 {
        return format!("{feeds}: everything is as it would be made now");
    }
    let counts = format!("{feeds}: {new} new, {changed} changed, {labels} with other labels");
    match act {
        Act::Show => format!("{counts}\nnothing is applied yet: `visnyk replay --apply` does it"),
        Act::Apply if all.iter().all(|replayed| replayed.applied) => format!("{counts}: applied"),
        Act::Apply => format!("{counts}: applied, but for what the notes say"),
    }
}
