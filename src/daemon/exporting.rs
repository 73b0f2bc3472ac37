//! The site kept as files beside the server, and the exports that an admin asks for.
//!
//! One export is under way at once. None holds up a poll, an answer or another question of an
//! admin: who asked for an export asks again how far it is.

use crate::export::Change;
use crate::export::Order;
use crate::export::Others;
use crate::export::error::ExportError;
use crate::export::export;
use crate::serve::documents::Documents;
use crate::serve::stale::Lack;
use serde_json::Value;
use serde_json::json;
use std::future::ready;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::sleep_until;
use tokio::time::timeout;
use tracing::error;
use tracing::info;

/// Between the ends of two exports: polls come in bursts.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest rest after exports that failed; the first is as long as the pause, and each is
/// twice as long as the one before.
const REST_MAX: Duration = Duration::from_mins(5);
/// How long whoever is told of changed pages may keep an export waiting.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// How many lines an answer holds at most.
const LINES_MAX: usize = 1000;

/// The directory that is kept current, and who is told of every page that changed.
#[derive(Debug)]
pub struct Mirror {
    /// Where the files are.
    pub directory: PathBuf,
    /// Takes addresses below the site.
    pub told: mpsc::Sender<String>,
}

/// The exports of a daemon. Clones are one.
#[derive(Clone)]
pub(crate) struct Exporting {
    documents: Documents,
    turn: Arc<tokio::sync::Mutex<()>>,
    job: Arc<Mutex<Job>>,
}

/// The export that an admin asked for last.
#[derive(Default)]
struct Job {
    number: u64,
    /// The pages that changed, an object each.
    lines: Vec<String>,
    /// How it ended; none as long as it is under way.
    ended: Option<Value>,
}

impl Exporting {
    /// The exports of these documents; none is under way.
    pub(crate) fn new(documents: Documents) -> Self {
        Self { documents, turn: Arc::default(), job: Arc::default() }
    }

    /// Keeps a directory current: all of it at first, and then what polls touched. Ends when
    /// `last` says that nothing will be touched any more, and what was is there.
    pub(crate) async fn keep(self, mirror: Mirror, mut last: watch::Receiver<bool>) {
        let mut lack = Lack::Unknown;
        let (mut next, mut rest) = (Instant::now(), PAUSE);
        loop {
            let is_last = *last.borrow();
            lack = lack.and(self.documents.stale().take());
            if lack.is_nothing() {
                if is_last {
                    return;
                }
                tokio::select! {
                    () = self.documents.stale().grown() => {}
                    heard = last.wait_for(|&last| last) => if heard.is_err() { return },
                }
                continue;
            }
            if !is_last && Instant::now() < next {
                tokio::select! {
                    () = sleep_until(next) => {}
                    heard = last.wait_for(|&last| last) => if heard.is_err() { return },
                }
                continue;
            }
            let ended = self.mirror(&mirror, &lack).await;
            if ended.is_ok() {
                (lack, rest) = (Lack::default(), PAUSE);
                next = Instant::now() + PAUSE;
                continue;
            }
            if is_last {
                return;
            }
            next = Instant::now() + rest;
            rest = (rest * 2).min(REST_MAX);
        }
    }

    async fn mirror(&self, mirror: &Mirror, lack: &Lack) -> Result<(), ExportError> {
        let _turn = self.turn.lock().await;
        let directory = mirror.directory.clone();
        let order = Order { directory, lack: lack.clone(), others: Others::Stay, lanes: lanes() };
        let is_deaf = Arc::new(AtomicBool::new(false));
        let tell = |change: Change| {
            let (told, is_deaf) = (mirror.told.clone(), Arc::clone(&is_deaf));
            async move {
                // Nobody has to listen, and who does not is waited for once.
                let sent = if is_deaf.load(Ordering::Relaxed) {
                    told.try_send(change.path).is_ok()
                } else {
                    timeout(TOLD_WITHIN, told.send(change.path)).await.is_ok()
                };
                is_deaf.store(!sent, Ordering::Relaxed);
            }
        };
        let ended = export(&self.documents, &order, tell).await;
        let directory = mirror.directory.display();
        match ended {
            Ok(summary) => {
                info!(
                    pages = summary.pages,
                    written = summary.written,
                    removed = summary.removed,
                    "exported to {directory}: {summary}"
                );
                Ok(())
            }
            Err(error) => {
                error!("the export to {directory} is not current, and is tried again: {error}");
                Err(error)
            }
        }
    }

    /// The answer to an admin who asks for an export (`export ORDER`), or how far it is
    /// (`exported NUMBER FROM`); nothing if it is no such question.
    pub(crate) fn answer(&self, command: &str) -> Option<Result<String, String>> {
        match command.split_once(' ')? {
            ("export", order) => Some(self.begin(order)),
            ("exported", asked) => Some(self.progress(asked)),
            _ => None,
        }
    }

    fn begin(&self, order: &str) -> Result<String, String> {
        let order: Value = serde_json::from_str(order).map_err(|error| error.to_string())?;
        let directory = order["directory"].as_str().ok_or("an export needs a directory")?;
        let others = if order["others"] == "yield" { Others::Yield } else { Others::Stay };
        let order =
            Order { directory: directory.into(), lack: Lack::Unknown, others, lanes: lanes() };
        let mut job = self.job();
        if job.number > 0 && job.ended.is_none() {
            return Err("another export that was asked for is under way".to_owned());
        }
        *job = Job { number: job.number + 1, ..Job::default() };
        let number = job.number;
        drop(job);
        tokio::spawn(self.clone().work(order));
        Ok(number.to_string())
    }

    async fn work(self, order: Order) {
        let _turn = self.turn.lock().await;
        let tell = |change: Change| {
            self.job().lines.push(change.json().to_string());
            ready(())
        };
        let ended = export(&self.documents, &order, tell).await;
        let ended = match ended {
            Ok(summary) => json!({ "summary": summary.to_string() }),
            Err(error) => json!({ "errors": error.lines(), "is_refusal": error.is_refusal() }),
        };
        self.job().ended = Some(ended);
    }

    fn progress(&self, asked: &str) -> Result<String, String> {
        let numbers = asked.split_once(' ').and_then(|(number, from)| {
            Some((number.parse::<u64>().ok()?, from.parse::<usize>().ok()?))
        });
        let (number, from) = numbers.ok_or("which export, and from which line on?")?;
        let job = self.job();
        if job.number != number {
            return Err(format!("export {number} is no more known"));
        }
        let rest = job.lines.get(from..).unwrap_or_default();
        let lines = &rest[..rest.len().min(LINES_MAX)];
        // Whoever hears of the end asks no more.
        let ended = job.ended.as_ref().filter(|_| lines.len() == rest.len());
        Ok(json!({ "lines": lines, "ended": ended }).to_string())
    }

    fn job(&self) -> MutexGuard<'_, Job> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Half of the cores: readers and polls go first.
fn lanes() -> usize {
    available_parallelism().map_or(1, |cores| cores.get().div_ceil(2))
}
