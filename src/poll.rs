//! One feed, once: fetched, read, and recorded in one atomic step.
//!
//! # Failure
//! Whatever goes wrong with a feed becomes part of its history; only a store that does not
//! answer is an error. Validators are recorded with the articles that they vouch for, and never
//! without them: a document that could not be read leaves the old validators in place, so that
//! the next poll asks for it again.

use crate::classify::Classifier;
use crate::fetch::Fetched;
use crate::fetch::Fetcher;
use crate::ingest::Ingested;
use crate::ingest::ingest;
use crate::model::exchange::Document;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::POLLS_KEPT_MAX;
use crate::model::exchange::Poll;
use crate::model::exchange::Tally;
use crate::model::exchange::Validators;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::known::Change;
use crate::model::publication::Selection;
use crate::parse::ParseError;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::oneshot;
use tracing::info;
use tracing::warn;

/// How many rejected entries and repairs of one document are logged one by one.
const DETAILS_LOGGED_MAX: usize = 5;

/// The stack of a thread that reads documents. Its depth is bounded in the parser; this is the
/// margin.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// What polls need, all of them the same.
#[derive(Clone)]
pub struct Poller {
    /// Fetches documents.
    pub fetcher: Arc<Fetcher>,
    /// Finds labels.
    pub classifier: Arc<Classifier>,
    /// Keeps articles.
    pub store: Store,
}

/// What a poll did.
#[derive(Debug, Clone)]
pub struct Polled {
    /// What is now remembered of the feed. Its last poll is this one.
    pub history: History,
    /// The publications whose documents are stale.
    pub touched: BTreeSet<Selection>,
}

/// What came of one exchange, before it is recorded.
struct Findings {
    outcome: Outcome,
    validators: Option<Validators>,
    not_before: Option<DateTime<Utc>>,
    bytes: u64,
    tally: Tally,
    changes: Vec<Change>,
}

impl Findings {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            validators: None,
            not_before: None,
            bytes: 0,
            tally: Tally::default(),
            changes: Vec::new(),
        }
    }
}

impl Poller {
    /// Polls a feed once, and records what came of it.
    ///
    /// # Errors
    /// The store does not answer. Nothing is recorded then, and the next poll repeats all.
    pub async fn poll(&self, feed: &Arc<Feed>) -> Result<Polled, StoreError> {
        let clock = Instant::now();
        let at = Utc::now();
        let before = self.store.history(&feed.id).await?;
        let findings = match self.fetcher.fetch(feed, before.validators.as_ref()).await {
            Fetched::Document { document, validators, moved } => {
                if let Some(to) = moved {
                    let id = &feed.id;
                    warn!(feed = %id, %to, "{id} has moved for good: write `url = \"{to}\"`");
                }
                self.read(feed, document, validators, at).await?
            }
            Fetched::NotModified { validators } => {
                Findings { validators: Some(validators), ..Findings::of(Outcome::NotModified) }
            }
            Fetched::Gone => Findings::of(Outcome::Gone),
            Fetched::Later { until } => {
                Findings { not_before: until, ..Findings::of(Outcome::Later) }
            }
            Fetched::Failed(error) => Findings::of(Outcome::Failed(error.to_string())),
        };
        let (history, changes) = remember(before, findings, at, clock.elapsed());
        let touched = self.store.commit(Arc::clone(feed), history.clone(), changes, at).await?;
        log(&feed.id, &history);
        Ok(Polled { history, touched })
    }

    /// Reads a document on a thread of its own, so that a large one holds up no other poll.
    async fn read(
        &self,
        feed: &Arc<Feed>,
        document: Document,
        validators: Validators,
        now: DateTime<Utc>,
    ) -> Result<Findings, StoreError> {
        let bytes = document.bytes.len() as u64;
        let memory = self.store.memory(&feed.id).await?;
        let (task_feed, classifier) = (Arc::clone(feed), Arc::clone(&self.classifier));
        let read =
            on_a_deep_stack(move || ingest(&task_feed, &document, &memory, &classifier, now));
        Ok(match read.await {
            Some(Ok(ingested)) => {
                log_details(&feed.id, &ingested);
                Findings {
                    validators: Some(validators),
                    bytes,
                    tally: ingested.tally,
                    changes: ingested.changes,
                    ..Findings::of(Outcome::Read)
                }
            }
            Some(Err(error)) => Findings { bytes, ..Findings::of(failed_to_read(feed, &error)) },
            None => {
                let told = format!("{}: reading the document came to no end", feed.address);
                Findings { bytes, ..Findings::of(Outcome::Failed(told)) }
            }
        })
    }
}

/// The result of `work` on a thread with a deep stack; none if it panicked or could not start.
async fn on_a_deep_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let work = move || drop(done.send(work()));
    let thread = std::thread::Builder::new().name("ingest".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).ok()?;
    result.await.ok()
}

fn failed_to_read(feed: &Feed, error: &ParseError) -> Outcome {
    Outcome::Failed(format!("{}: {error}", feed.address))
}

/// The history with one poll more. The validators of a poll that brought none are those of before.
fn remember(
    before: History,
    findings: Findings,
    at: DateTime<Utc>,
    duration: Duration,
) -> (History, Vec<Change>) {
    let succeeded = matches!(findings.outcome, Outcome::Read | Outcome::NotModified);
    let failed = matches!(findings.outcome, Outcome::Failed(_));
    let poll = Poll {
        at,
        duration,
        outcome: findings.outcome,
        bytes: findings.bytes,
        tally: findings.tally,
    };
    let mut polls = before.polls;
    polls.push(poll);
    let surplus = polls.len().saturating_sub(POLLS_KEPT_MAX);
    polls.drain(..surplus);
    let history = History {
        validators: findings.validators.or(before.validators),
        last_success: if succeeded { Some(at) } else { before.last_success },
        failures: if failed { before.failures.saturating_add(1) } else { 0 },
        not_before: findings.not_before,
        polls,
    };
    (history, findings.changes)
}

/// One line for a poll.
fn log(feed: &FeedId, history: &History) {
    let Some(Poll { duration, outcome, bytes, tally, .. }) = history.polls.last() else { return };
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let Tally { entries, added, updated, rejected } = *tally;
    match outcome {
        Outcome::Failed(reason) => warn!(
            %feed, outcome = "failed", bytes, duration_ms, failures = history.failures,
            "could not poll {feed}: {reason}"
        ),
        Outcome::Gone => warn!(
            %feed, outcome = "gone", duration_ms,
            "{feed} is gone (410): it is not polled again until feeds.toml changes"
        ),
        Outcome::Later => info!(
            %feed, outcome = "later", duration_ms, until = ?history.not_before,
            "polled {feed}: its server asks to come later"
        ),
        Outcome::NotModified => {
            info!(%feed, outcome = "not modified", duration_ms, "polled {feed}: nothing new");
        }
        Outcome::Read => info!(
            %feed, outcome = "read", bytes, entries, added, updated, rejected, duration_ms,
            "polled {feed}: {entries} entries, {added} new, {updated} changed, {rejected} rejected"
        ),
    }
}

fn log_details(feed: &FeedId, ingested: &Ingested) {
    for repair in ingested.repairs.iter().take(DETAILS_LOGGED_MAX) {
        info!(%feed, repair, "mended the document of {feed}: {repair}");
    }
    for rejected in ingested.rejected.iter().take(DETAILS_LOGGED_MAX) {
        warn!(%feed, "{feed}: no article from {}: {}", rejected.what, rejected.reason);
    }
}
