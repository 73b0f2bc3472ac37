//! `visnyk status`: how each feed goes, and when it is polled next and why.

use crate::admin;
use crate::admin::FAILURES_MANY;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::directory;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::config::Config;
use crate::model::exchange::History;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::schedule::hosts::Hosts;
use crate::schedule::hosts::host_of;
use crate::schedule::next_poll;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Builder;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A table, for people.
    Table,
    /// An array of objects, for machines.
    Json,
}

/// Tells the state of the feeds that are named, or of all.
#[must_use]
pub fn status(config: &Config, state: &Path, named: &[FeedId], form: Form) -> ExitCode {
    let lines = match of_daemon(state) {
        Ok(Some(lines)) => lines,
        Ok(None) => match of_store(config, state) {
            Ok(lines) => lines,
            Err(status) => return status,
        },
        Err(error) => return fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    };
    let is_named =
        |line: &Value| named.is_empty() || named.iter().any(|id| line["feed"] == id.as_str());
    let mut lines: Vec<Value> = lines.into_iter().filter(is_named).collect();
    lines.sort_by_key(|line| (rank(line), text(line, "next_poll").to_owned()));
    let said = match form {
        Form::Json => say(&serde_json::to_string_pretty(&lines).unwrap_or_default()),
        Form::Table => say(&(table(&lines, Utc::now()).to_string() + &notes(&lines))),
    };
    if lines.iter().any(|line| rank(line) == 0) { ExitCode::from(SOME_FAILED) } else { said }
}

fn of_daemon(state: &Path) -> std::io::Result<Option<Vec<Value>>> {
    let socket = admin::socket(directory("RUNTIME_DIRECTORY"), state);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(admin::ask(&socket, "status"))?;
    Ok(answer.map(|answer| answer.as_array().cloned().unwrap_or_default()))
}

/// What the store says, where no daemon runs.
fn of_store(config: &Config, state: &Path) -> Result<Vec<Value>, ExitCode> {
    eprintln!("visnyk: no daemon runs here: this is what the store remembers");
    let (store, runtime) = open(config, state)?;
    runtime.block_on(plans(config, store)).map_err(|error| fail(IO_ERROR, &error))
}

async fn plans(config: &Config, store: Store) -> Result<Vec<Value>, StoreError> {
    let histories = store.histories().await?;
    store.close().await?;
    let feeds: Vec<_> = config.feeds.values().cloned().map(Arc::new).collect();
    let hosts = Hosts::of(feeds.iter().filter(|feed| feed.enabled), &histories);
    let (now, unpolled) = (Utc::now(), History::default());
    let line = |feed: &Arc<Feed>| {
        let history = histories.get(&feed.id).unwrap_or(&unpolled);
        let host = host_of(feed, history);
        let planned = hosts.delay(host.as_deref(), next_poll(feed, history, now), now);
        admin::state(feed, history, &planned)
    };
    Ok(feeds.iter().map(line).collect())
}

/// The smaller, the more a feed needs its admin.
fn rank(line: &Value) -> u8 {
    let failures = line["failures"].as_u64().unwrap_or(0);
    match text(line, "state") {
        "gone" => 0,
        _ if failures >= u64::from(FAILURES_MANY) => 0,
        "failed" | "unreachable" => 1,
        _ if line["moved_to"].is_string() => 2,
        "later" => 3,
        _ => 4,
    }
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

fn table(lines: &[Value], now: DateTime<Utc>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["feed", "state", "last good", "failed", "next poll", "why then"]);
    for line in lines {
        let instant = |key| text(line, key).parse::<DateTime<Utc>>().ok();
        let zone: Tz = text(line, "timezone").parse().unwrap_or(Tz::UTC);
        table.add_row([
            text(line, "feed").to_owned(),
            text(line, "state").to_owned(),
            instant("last_success").map_or("never".to_owned(), |at| age(now - at)),
            line["failures"].to_string(),
            instant("next_poll").map_or("never".to_owned(), |at| clock(at, now, zone)),
            text(line, "reason").to_owned(),
        ]);
    }
    table
}

/// What is to be said of some of them below the table.
fn notes(lines: &[Value]) -> String {
    let mut notes = String::new();
    for line in lines {
        let id = text(line, "feed");
        let mut note = |what: String| {
            // To write into a text cannot fail.
            let _ = write!(notes, "\n{id}: {what}");
        };
        if let Some(told) = line["told"].as_str() {
            note(told.to_owned());
        }
        if let Some(to) = line["moved_to"].as_str() {
            note(format!("it has moved: write `url = \"{to}\"`"));
        }
        if let Some(ignored) = line["not_obeyed"].as_str() {
            note(format!("not obeyed: {ignored}"));
        }
        for repair in line["repairs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            note(format!("mended: {repair}"));
        }
    }
    if notes.is_empty() { notes } else { format!("\n{notes}") }
}

fn age(age: TimeDelta) -> String {
    match (age.num_days(), age.num_hours(), age.num_minutes()) {
        (2.., ..) => format!("{} d ago", age.num_days()),
        (_, 2.., _) => format!("{} h ago", age.num_hours()),
        (_, _, 1..) => format!("{} min ago", age.num_minutes()),
        _ => "now".to_owned(),
    }
}

/// On the clocks of the feed, with the day if it is another.
fn clock(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let form = if at.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    at.format(form).to_string()
}
