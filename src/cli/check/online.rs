//! `visnyk check --online`: every enabled feed tried once, side by side, with nothing kept: how
//! each answers, how it is read, and what its entries would become.

use crate::classify::Classifier;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::fail;
use crate::cli::poll::style;
use crate::cli::preview::shown::counts_told;
use crate::cli::preview::shown::dates;
use crate::cli::preview::shown::document_in_json;
use crate::cli::preview::shown::fetched_in_json;
use crate::cli::preview::shown::hub;
use crate::cli::preview::shown::kinds;
use crate::cli::say;
use crate::cli::status::Form;
use crate::config::Config;
use crate::daemon::fetcher;
use crate::daemon::system_clock;
use crate::explain::lines::counted;
use crate::explain::lines::cut;
use crate::explain::lines::put;
use crate::fetch::Fetcher;
use crate::model::address::keyless;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::known::Memory;
use crate::trial::Arrival;
use crate::trial::Brought;
use crate::trial::Failure;
use crate::trial::Trial;
use crate::trial::trial;
use chrono::Utc;
use comfy_table::CellAlignment;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use indicatif::ProgressBar;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// How many columns the id of a feed has in the table.
const ID_COLUMNS: usize = 24;

/// What came of each feed.
type Tried = Vec<(Arc<Feed>, Result<Trial, Failure>)>;

/// Tries every enabled feed.
#[must_use]
pub fn check(path: &Path, config: &Config, form: Form) -> ExitCode {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let fetcher = match fetcher(config, system_clock()) {
        Ok(fetcher) => fetcher,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let tried = runtime.block_on(try_all(config, fetcher));
    let lines = &config.addresses.0;
    let said = match form {
        Form::Json => say(&in_json(&tried, lines)),
        Form::Table => say(&told(path, &tried, lines)),
    };
    if tried.iter().all(|(_, tried)| is_read(tried)) { said } else { ExitCode::from(SOME_FAILED) }
}

fn is_read(tried: &Result<Trial, Failure>) -> bool {
    tried.as_ref().is_ok_and(|trial| trial.read.is_ok())
}

/// Tries the feeds side by side, as polite as polls are; in the order of their ids.
async fn try_all(config: &Config, fetcher: Fetcher) -> Tried {
    let classifier = Arc::new(Classifier::new(&config.catalogue, &config.tags, &config.rules));
    let fetcher = Arc::new(fetcher);
    let feeds = config.enabled().cloned().map(Arc::new);
    let mut under_way = JoinSet::new();
    for feed in feeds {
        let (fetcher, classifier) = (Arc::clone(&fetcher), Arc::clone(&classifier));
        under_way.spawn(async move {
            let tried = trial(&fetcher, &classifier, &feed, Memory::default(), Utc::now()).await;
            (feed, tried)
        });
    }
    // It is drawn on a terminal only.
    let bar = ProgressBar::new(under_way.len() as u64).with_style(style());
    let mut all = Vec::new();
    while let Some(ended) = under_way.join_next().await {
        let tried = ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        bar.set_message(tried.0.id.to_string());
        bar.inc(1);
        all.push(tried);
    }
    bar.finish_and_clear();
    all.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    all
}

fn told(path: &Path, tried: &Tried, lines: &BTreeMap<FeedId, usize>) -> String {
    let mut told = table(tried).to_string();
    for (feed, tried) in tried {
        let notes = notes(path, feed, tried, lines.get(&feed.id).copied());
        if !notes.is_empty() {
            told.extend(["\n\n", feed.id.as_str(), "\n", notes.trim_end()]);
        }
    }
    let failed = tried.iter().filter(|(_, tried)| !is_read(tried)).count();
    let read = tried.len() - failed;
    format!("{told}\n\n{} read, {failed} not", counted(read, "feed"))
}

fn table(tried: &Tried) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["feed", "outcome", "format", "charset", "entries", "dated", "ms"]);
    for (feed, tried) in tried {
        let id = cut(feed.id.as_str(), ID_COLUMNS);
        let arrival = tried.as_ref().ok().map(|trial| &trial.arrival);
        let ms = arrival.map(|arrival| arrival.took.as_millis().to_string()).unwrap_or_default();
        let read = tried.as_ref().ok().and_then(|trial| trial.read.as_ref().ok());
        let outcome = outcome(tried);
        let Some(brought) = read else {
            let none = String::new;
            table.add_row([id, outcome.to_owned(), none(), none(), none(), none(), ms]);
            continue;
        };
        let heading = &brought.ingested.heading;
        table.add_row([
            id,
            outcome.to_owned(),
            heading.format.name().to_owned(),
            heading.charset.name.to_owned(),
            brought.ingested.tally.entries.to_string(),
            brought.dates.believed.to_string(),
            ms,
        ]);
    }
    for column in table.column_iter_mut().skip(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What came of it, in a word.
fn outcome(tried: &Result<Trial, Failure>) -> &'static str {
    match tried {
        Ok(Trial { read: Ok(_), .. }) => "read",
        Ok(_) => "no feed",
        Err(Failure::Gone) => "gone",
        Err(Failure::Later(_)) => "later",
        Err(Failure::Fetch(_) | Failure::Slow) => "failed",
    }
}

/// What is to be said of a feed below the table.
fn notes(path: &Path, feed: &Feed, tried: &Result<Trial, Failure>, line: Option<usize>) -> String {
    let mut told = String::new();
    match tried {
        Err(failure) => put(&mut told, "failed", &failure.to_string()),
        Ok(Trial { arrival, read }) => {
            redirects(&mut told, path, arrival, line);
            match read {
                Err(error) => {
                    put(&mut told, "no feed", &format!("{}: {error}", keyless(&arrival.url)));
                }
                Ok(brought) => of_document(&mut told, feed, arrival, brought),
            }
        }
    }
    told
}

fn redirects(told: &mut String, path: &Path, arrival: &Arrival, line: Option<usize>) {
    if let Some(to) = &arrival.said.moved {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let words = format!("for good: write `url = \"{to}\"` at {}{line}", path.display());
        put(told, "moved", &words);
    } else {
        for hop in &arrival.said.hops {
            put(told, "redirected", &format!("{} by {}", hop.status, keyless(&hop.from)));
        }
    }
}

fn of_document(told: &mut String, feed: &Feed, arrival: &Arrival, brought: &Brought) {
    put(told, "dates", &dates(&brought.dates, feed.timezone));
    for (kind, counts) in kinds(&brought.labels) {
        if !counts.is_empty() {
            put(told, kind, &counts_told(counts));
        }
    }
    if brought.labels.excluded > 0 {
        put(told, "kept out", &format!("{} by rules", counted(brought.labels.excluded, "article")));
    }
    if let Some(hub) = hub(arrival, brought) {
        put(told, "hub", &format!("{hub} (WebSub)"));
    }
    for repair in &brought.ingested.repairs {
        put(told, "mended", repair);
    }
    for rejected in &brought.ingested.rejected {
        put(told, "rejected", &format!("{}: {}", rejected.what, rejected.reason));
    }
}

fn in_json(tried: &Tried, lines: &BTreeMap<FeedId, usize>) -> Value {
    let one = |(feed, tried): &(Arc<Feed>, Result<Trial, Failure>)| {
        let trial = tried.as_ref().ok();
        let read = trial.and_then(|trial| Some((&trial.arrival, trial.read.as_ref().ok()?)));
        let error = match tried {
            Err(failure) => Some(failure.to_string()),
            Ok(trial) => trial.read.as_ref().err().map(ToString::to_string),
        };
        json!({
            "feed": feed.id.as_str(),
            "outcome": outcome(tried),
            "error": error,
            "line": lines.get(&feed.id),
            "fetched": trial.map(|trial| fetched_in_json(&trial.arrival)),
            "document": read.map(|(arrival, brought)| document_in_json(arrival, brought)),
        })
    };
    tried.iter().map(one).collect()
}
