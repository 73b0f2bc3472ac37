//! One feed, once: fetched, read, and recorded in one atomic step.
//!
//! # Failure
//! Whatever goes wrong with a feed becomes part of its history; only a store that does not
//! answer is an error. Validators are recorded with the articles that they vouch for, and never
//! without them: a document that could not be read leaves the old validators in place, so that
//! the next poll asks for it again.

pub mod missing;
pub mod rules;

use crate::fetch::Fetched;
use crate::fetch::Fetcher;
use crate::fetch::Hold;
use crate::fetch::Said;
use crate::fetch::error::shown;
use crate::ingest::Ingested;
use crate::ingest::ingest;
use crate::model::clock::Clock;
use crate::model::exchange::Document;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::exchange::Poll;
use crate::model::exchange::REPAIRS_KEPT_MAX;
use crate::model::exchange::Tally;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::known::Harvest;
use crate::model::publication::Selection;
use crate::poll::missing::Suspects;
use crate::poll::missing::Suspicions;
use crate::poll::rules::Rules;
use crate::poll::rules::Ruling;
use crate::schedule::remember::Notice;
use crate::schedule::remember::Report;
use crate::schedule::remember::remember;
use crate::schedule::remember::request;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;
use tokio::sync::oneshot;
use tokio::time::Instant;
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
pub const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// Where documents are read.
#[derive(Debug, Clone)]
pub enum Readers {
    /// On threads of their own, as many at once as there are permits, so that a large one holds
    /// up no other poll.
    Threads(Arc<Semaphore>),
    /// Where the poll runs, one after the other: whoever runs it gives it a deep stack, and order
    /// matters more to him than speed.
    Here,
}

/// What polls need, all of them the same.
#[derive(Clone)]
pub struct Poller {
    /// Where documents are read.
    pub readers: Readers,
    /// Fetches documents.
    pub fetcher: Arc<Fetcher>,
    /// Says what articles are labelled by.
    pub rules: Rules,
    /// Keeps articles.
    pub store: Store,
    /// Keeps in mind which articles may have been taken down.
    pub suspicions: Suspicions,
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
    /// The articles that may have been taken down, if there are any: [`Poller::follow`] looks.
    pub suspects: Option<Suspects>,
}

impl Poller {
    /// Polls a feed once, and records what came of it.
    ///
    /// # Errors
    /// The store does not answer. Nothing is recorded then, and the next poll repeats all.
    pub async fn poll(&self, feed: &Arc<Feed>) -> Result<Polled, StoreError> {
        let (at, began) = (self.clock.now(), Instant::now());
        let before = self.store.history(&feed.id).await?;
        let request = request(feed, &before, at);
        let fetched = self.fetcher.fetch(feed, &request).await;
        let ruling = self.rules.keep().await;
        let feed = &ruling.of(feed);
        let Found { mut report, harvest, missing, witnesses, hold } =
            self.found((feed, &ruling), fetched, at).await?;
        report.poll.duration = began.elapsed();
        let (history, notice) = remember(feed, before, report);
        let recorded =
            self.store.commit(Arc::clone(feed), history.clone(), harvest, self.clock.now());
        let touched = recorded.await?;
        drop(ruling);
        // What the hold keeps free is free again only now.
        drop(hold);
        log(&feed.id, &history);
        if let Some(notice) = notice {
            log_notice(feed, &notice);
        }
        let suspects = Suspects { feed: Arc::clone(feed), missing, witnesses };
        let suspects = Some(suspects).filter(|suspects| !suspects.missing.is_empty());
        Ok(Polled { history, touched, suspects })
    }

    /// Takes away what a feed's source took down, as its pages show. Gives the publications that
    /// articles were taken away from.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn follow(&self, suspects: &Suspects) -> Result<BTreeSet<Selection>, StoreError> {
        let means = (&*self.fetcher, &self.store);
        self.suspicions.follow(means, suspects, self.clock.now()).await
    }

    /// What came of a fetch.
    async fn found(
        &self,
        (feed, ruling): (&Arc<Feed>, &Ruling),
        fetched: Fetched,
        at: DateTime<Utc>,
    ) -> Result<Found, StoreError> {
        let later = |outcome, until| Report { not_before: until, ..Report::of(at, outcome) };
        let report = match fetched {
            Fetched::Document { document, validators, said, is_delta, hold } => {
                let mut found = self.read((feed, ruling), document, at).await?;
                let read = found.report;
                if is_delta {
                    // The whole one that is kept says more.
                    found.harvest.document = None;
                }
                let is_whole = read.is_whole && !is_delta;
                // What vouches for a document that broke off would keep the rest from us.
                let validators = read.is_whole.then_some(validators);
                let missing = if is_whole { found.missing } else { Vec::new() };
                let report = of_answer(Report { validators, is_whole, ..read }, said);
                return Ok(Found { report, missing, hold, ..found });
            }
            Fetched::NotModified { validators, said } => {
                let report = Report::of(at, Outcome::NotModified);
                of_answer(Report { validators: Some(validators), ..report }, said)
            }
            Fetched::Gone => Report::of(at, Outcome::Gone),
            Fetched::Later { until } => later(Outcome::Later, until),
            Fetched::Postponed { until } => later(Outcome::Postponed, until),
            Fetched::Unreachable(error) => Report::of(at, Outcome::Unreachable(error.to_string())),
            Fetched::Failed(error) => Report::of(at, Outcome::Failed(error.to_string())),
        };
        Ok(Found::of(report))
    }

    /// Reads a document.
    async fn read(
        &self,
        (feed, ruling): (&Arc<Feed>, &Ruling),
        document: Document,
        at: DateTime<Utc>,
    ) -> Result<Found, StoreError> {
        let _permit = self.readers.turn().await;
        // Not the instant at which the poll began: it may have waited long for its turn, and what
        // was published meanwhile is not of the future.
        let now = self.clock.now();
        let bytes = document.bytes.len() as u64;
        let memory = self.store.memory(&feed.id).await?;
        let (task_feed, classifier) = (Arc::clone(feed), Arc::clone(&ruling.classifier));
        let document = Arc::new(document);
        let kept = Arc::clone(&document);
        let read =
            self.readers.run(move || ingest(&task_feed, &document, &memory, &classifier, now));
        let mut found = match timeout(READ_TIMEOUT, read).await.ok().flatten() {
            Some(Ok(ingested)) => {
                log_details(&feed.id, &ingested);
                of_document(at, ingested, kept)
            }
            Some(Err(error)) => Found::of(failed_to_read(feed, &error.to_string(), at)),
            None => {
                let reason = format!("not read within {READ_TIMEOUT:?}");
                Found::of(failed_to_read(feed, &reason, at))
            }
        };
        found.report.poll.bytes = bytes;
        Ok(found)
    }
}

impl Readers {
    /// Waits for a turn to read.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        match self {
            // A permit is refused only by a semaphore that was closed, which this one never is.
            Self::Threads(permits) => permits.acquire().await.ok(),
            Self::Here => None,
        }
    }

    /// The result of reading; none if it broke off.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        match self {
            Self::Threads(_) => on_a_deep_stack(work).await,
            Self::Here => Some(work()),
        }
    }
}

/// What a poll found.
struct Found {
    /// What is to be remembered of it.
    report: Report,
    /// What it leaves in the store.
    harvest: Harvest,
    /// The known articles that are missing from a whole document.
    missing: Vec<ArticleId>,
    /// Some that are not.
    witnesses: Vec<ArticleId>,
    /// To be kept as long as the document is.
    hold: Hold,
}

impl Found {
    /// Nothing but what is to be remembered.
    fn of(report: Report) -> Self {
        let (harvest, hold) = (Harvest::default(), Hold::default());
        Self { report, harvest, missing: Vec::new(), witnesses: Vec::new(), hold }
    }
}

/// What was found in a document that was read.
fn of_document(at: DateTime<Utc>, ingested: Ingested, document: Arc<Document>) -> Found {
    let mut report = Report::of(at, Outcome::Read);
    report.poll.tally = ingested.tally;
    report.poll.repairs = ingested.repairs;
    report.poll.repairs.truncate(REPAIRS_KEPT_MAX);
    report.is_whole = !ingested.is_broken_off;
    report.rhythm = Some(ingested.rhythm);
    let Ingested { changes, provenances, missing, witnesses, .. } = ingested;
    let harvest = Harvest { changes, provenances, document: Some(document) };
    Found { report, harvest, missing, witnesses, hold: Hold::default() }
}

/// With what the answer said of the next time.
fn of_answer(report: Report, said: Said) -> Report {
    Report { moved: said.moved, freshness: said.freshness, ..report }
}

/// The result of `work` on a thread with a deep stack; none if it panicked or could not start.
pub async fn on_a_deep_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = oneshot::channel();
    let work = move || drop(done.send(work()));
    let thread = std::thread::Builder::new().name("ingest".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).ok()?;
    result.await.ok()
}

fn failed_to_read(feed: &Feed, reason: &str, at: DateTime<Utc>) -> Report {
    Report::of(at, Outcome::Failed(format!("{}: {reason}", told(&feed.address))))
}

/// A feed's address as it may be told.
fn told(address: &Address) -> String {
    match address {
        Address::Http(url) => shown(url),
        Address::File(_) => address.to_string(),
    }
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

/// What the admin is to do about a feed's address, or to know of it.
fn log_notice(feed: &Feed, notice: &Notice) {
    let id = &feed.id;
    match notice {
        Notice::Moving(to) => {
            info!(feed = %id, %to, "{id} is redirected to {to}, for good as its server says");
        }
        Notice::Moved(to) => warn!(
            feed = %id, %to,
            "{id} has moved for good and is asked at its new address: write `url = \"{to}\"`"
        ),
        Notice::Strayed(from) => warn!(
            feed = %id, %from,
            "{id} does not answer at {from}, where it had moved: asked as feeds.toml says again"
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
