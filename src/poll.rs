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
use crate::fetch::error::shown;
use crate::ingest::Ingested;
use crate::ingest::ingest;
use crate::model::clock::Clock;
use crate::model::exchange::Document;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::POLLS_KEPT_MAX;
use crate::model::exchange::Poll;
use crate::model::exchange::Request;
use crate::model::exchange::Tally;
use crate::model::exchange::Validators;
use crate::model::feed::Address;
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
use tokio::sync::Semaphore;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::Level;
use tracing::info;
use tracing::warn;

/// How many rejected entries and repairs of one document are logged one by one.
const DETAILS_LOGGED_MAX: usize = 5;

/// The stack of a thread that reads documents. Its depth is bounded in the parser; this is the
/// margin.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// How long reading a document may take.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// What polls need, all of them the same.
#[derive(Clone)]
pub struct Poller {
    /// How many documents are read at once.
    pub readers: Arc<Semaphore>,
    /// Fetches documents.
    pub fetcher: Arc<Fetcher>,
    /// Finds labels.
    pub classifier: Arc<Classifier>,
    /// Keeps articles.
    pub store: Store,
    /// Tells the time.
    pub clock: Clock,
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
        let (at, began) = (self.clock.now(), Instant::now());
        let before = self.store.history(&feed.id).await?;
        let labelling = self.classifier.digest_for(feed);
        let known = before.validators.as_ref();
        let known = known.filter(|_| before.labelling == Some(labelling));
        let request = Request { validators: known.cloned(), ..Request::default() };
        let findings = match self.fetcher.fetch(feed, &request).await {
            Fetched::Document { document, validators, said, .. } => {
                if let Some(to) = said.moved {
                    let id = &feed.id;
                    warn!(feed = %id, %to, "{id} has moved for good: write `url = \"{to}\"`");
                }
                self.read(feed, document, validators).await?
            }
            Fetched::NotModified { validators, .. } => {
                Findings { validators: Some(validators), ..Findings::of(Outcome::NotModified) }
            }
            Fetched::Gone => Findings::of(Outcome::Gone),
            Fetched::Later { until } => {
                Findings { not_before: until, ..Findings::of(Outcome::Later) }
            }
            Fetched::Postponed { until } => {
                Findings { not_before: until, ..Findings::of(Outcome::Postponed) }
            }
            Fetched::Unreachable(error) => Findings::of(Outcome::Unreachable(error.to_string())),
            Fetched::Failed(error) => Findings::of(Outcome::Failed(error.to_string())),
        };
        let (mut history, changes) = remember(feed, before, findings, at, began.elapsed());
        if history.polls.last().is_some_and(|poll| poll.outcome == Outcome::Read) {
            history.labelling = Some(labelling);
        }
        let recorded =
            self.store.commit(Arc::clone(feed), history.clone(), changes, self.clock.now());
        let touched = recorded.await?;
        log(&feed.id, &history);
        Ok(Polled { history, touched })
    }

    /// Reads a document on a thread of its own, so that a large one holds up no other poll.
    async fn read(
        &self,
        feed: &Arc<Feed>,
        document: Document,
        validators: Validators,
    ) -> Result<Findings, StoreError> {
        // A permit is refused only by a semaphore that was closed, which this one never is.
        let _permit = self.readers.acquire().await.ok();
        // Not the instant at which the poll began: it may have waited long for its turn, and what
        // was published meanwhile is not of the future.
        let now = self.clock.now();
        let bytes = document.bytes.len() as u64;
        let memory = self.store.memory(&feed.id).await?;
        let (task_feed, classifier) = (Arc::clone(feed), Arc::clone(&self.classifier));
        let read =
            on_a_deep_stack(move || ingest(&task_feed, &document, &memory, &classifier, now));
        Ok(match timeout(READ_TIMEOUT, read).await.ok().flatten() {
            Some(Ok(ingested)) => {
                log_details(&feed.id, &ingested);
                Findings {
                    // What vouches for a document that broke off would keep the rest from us.
                    validators: (!ingested.is_broken_off).then_some(validators),
                    bytes,
                    tally: ingested.tally,
                    changes: ingested.changes,
                    ..Findings::of(Outcome::Read)
                }
            }
            Some(Err(error)) => Findings { bytes, ..Findings::of(failed_to_read(feed, &error)) },
            None => {
                let reason = format!("{}: not read within {READ_TIMEOUT:?}", told(&feed.address));
                Findings { bytes, ..Findings::of(Outcome::Failed(reason)) }
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
    Outcome::Failed(format!("{}: {error}", told(&feed.address)))
}

/// A feed's address as it may be told.
fn told(address: &Address) -> String {
    match address {
        Address::Http(url) => shown(url),
        Address::File(_) => address.to_string(),
    }
}

/// The history with one poll more. The validators of a poll that brought none are those of before.
fn remember(
    feed: &Feed,
    before: History,
    findings: Findings,
    at: DateTime<Utc>,
    duration: Duration,
) -> (History, Vec<Change>) {
    let succeeded = matches!(findings.outcome, Outcome::Read | Outcome::NotModified);
    let before = before.of(&feed.asked_at());
    let failures = match findings.outcome {
        Outcome::Read | Outcome::NotModified | Outcome::Gone => 0,
        // A server that says when to come has not failed; one that only says "later" has.
        Outcome::Later | Outcome::Postponed if findings.not_before.is_some() => before.failures,
        Outcome::Later | Outcome::Postponed | Outcome::Unreachable(_) | Outcome::Failed(_) => {
            before.failures.saturating_add(1)
        }
    };
    let poll = Poll {
        at,
        duration,
        outcome: findings.outcome,
        bytes: findings.bytes,
        tally: findings.tally,
        repairs: Vec::new(),
    };
    let mut polls = before.polls;
    polls.push(poll);
    let surplus = polls.len().saturating_sub(POLLS_KEPT_MAX);
    polls.drain(..surplus);
    let history = History {
        address: before.address,
        labelling: before.labelling,
        validators: findings.validators.or(before.validators),
        last_full: None,
        freshness: None,
        rhythm: before.rhythm,
        relocation: before.relocation,
        last_success: if succeeded { Some(at) } else { before.last_success },
        failures,
        not_before: findings.not_before,
        polls,
    };
    (history, findings.changes)
}

/// One line for a poll, with the same fields however it ended.
fn log(feed: &FeedId, history: &History) {
    let Some(Poll { duration, outcome, bytes, tally, .. }) = history.polls.last() else { return };
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let Tally { entries, added, updated, rejected } = *tally;
    let (level, word, told) = match outcome {
        Outcome::Unreachable(reason) | Outcome::Failed(reason) => {
            (Level::WARN, "failed", format!("could not poll {feed}: {reason}"))
        }
        Outcome::Gone => (
            Level::WARN,
            "gone",
            format!("{feed} is gone (410): not polled again until its address changes"),
        ),
        Outcome::Later | Outcome::Postponed => {
            let until = history.not_before.map(|until| format!(", at {until}")).unwrap_or_default();
            let told = format!("polled {feed}: its server asks to come later{until}");
            (Level::INFO, "later", told)
        }
        Outcome::NotModified => {
            (Level::INFO, "not modified", format!("polled {feed}: nothing new"))
        }
        Outcome::Read => {
            let counts = format!("{entries} entries, {added} new, {updated} changed");
            let told = format!("polled {feed}: {counts}, {rejected} rejected");
            (Level::INFO, "read", told)
        }
    };
    // The level of an event is a constant of the place where it is written.
    macro_rules! line {
        ($event:ident) => {
            $event!(
                %feed, outcome = word, bytes, entries, new = added, changed = updated, rejected,
                duration_ms, failures = history.failures, "{told}"
            )
        };
    }
    if level == Level::WARN { line!(warn) } else { line!(info) }
}

fn log_details(feed: &FeedId, ingested: &Ingested) {
    for repair in ingested.repairs.iter().take(DETAILS_LOGGED_MAX) {
        info!(%feed, repair, "mended the document of {feed}: {repair}");
    }
    for rejected in ingested.rejected.iter().take(DETAILS_LOGGED_MAX) {
        warn!(%feed, "{feed}: no article from {}: {}", rejected.what, rejected.reason);
    }
}
