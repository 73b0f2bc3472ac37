//! `visnyk poll [FEED…]`: one poll of each, now, and a table of what came of it.

use crate::admin::polled::UNKNOWN;
use crate::admin::polled::ended_poll;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::asking::Patience;
use crate::cli::asking::asked;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::cli::table::fitted;
use crate::cli::warn;
use crate::config::Config;
use crate::daemon::DaemonError;
use crate::daemon::poller;
use crate::daemon::relabelling::Relabelling;
use crate::daemon::system_clock;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::schedule::next_poll;
use crate::store::Store;
use chrono::Utc;
use comfy_table::CellAlignment;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::iter;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::task::JoinSet;
use tracing::warn;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What came of each poll.
    Plain,
    /// What each publisher asks for as well, and when each feed is polled next and why.
    Explained,
}

/// Polls the feeds that are named, or all that are enabled: the daemon does if one runs, with the
/// feeds.toml that it runs with.
#[must_use]
pub fn poll(config: &Config, state: &Path, named: &[FeedId], detail: Detail) -> ExitCode {
    let words: Vec<&str> = iter::once("poll").chain(named.iter().map(FeedId::as_str)).collect();
    let lost = |error: io::Error| fail(IO_ERROR, &format!("the daemon does not answer: {error}"));
    let polls = match asked(state, &words.join(" "), Patience::Long) {
        Ok(Some(Ok(told))) => match serde_json::from_str(&told) {
            Ok(polls) => in_order(polls),
            Err(error) => return lost(error.into()),
        },
        Ok(Some(Err(why))) => {
            // Else it is the daemon that could not, and not the command line that is wrong.
            let status = if why.starts_with(UNKNOWN) { USAGE } else { IO_ERROR };
            return fail(status, &why);
        }
        Err(error) => return lost(error),
        Ok(None) => match here(config, state, named) {
            Ok(polls) => polls,
            Err(status) => return status,
        },
    };
    let mut said = say(&fitted(table(&polls)));
    if detail == Detail::Explained {
        said = say(&explained(&polls));
    }
    for poll in &polls {
        if let Some(reason) = poll["told"].as_str() {
            warn(&format!("{}: {reason}", text(poll, "feed")));
        }
    }
    let has_failed = polls.iter().any(|poll| poll["has_failed"] == true);
    if has_failed { ExitCode::from(SOME_FAILED) } else { said }
}

/// How polls ended that were made here.
fn here(config: &Config, state: &Path, named: &[FeedId]) -> Result<Vec<Value>, ExitCode> {
    let feeds = chosen(config, named).map_err(|unknown| fail(USAGE, &unknown))?;
    let (store, runtime) = open(config, state)?;
    let polls = runtime.block_on(poll_all(config, store, feeds));
    polls.map(in_order).map_err(|error| fail(IO_ERROR, &error))
}

fn in_order(mut polls: Vec<Value>) -> Vec<Value> {
    polls.sort_by_key(|poll| text(poll, "feed").to_owned());
    polls
}

pub(crate) fn chosen(config: &Config, named: &[FeedId]) -> Result<Vec<Arc<Feed>>, String> {
    if named.is_empty() {
        return Ok(config.enabled().cloned().map(Arc::new).collect());
    }
    let find = |id: &FeedId| {
        let feed = config.feeds.get(id).cloned().map(Arc::new);
        feed.ok_or_else(|| format!("{UNKNOWN} `{id}` is in feeds.toml"))
    };
    named.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
}

async fn poll_all(
    config: &Config,
    store: Store,
    feeds: Vec<Arc<Feed>>,
) -> Result<Vec<Value>, DaemonError> {
    let poller = poller(config, store.clone(), system_clock())?;
    let classifier = poller.rules.classifier().await;
    let relabelling = Relabelling::new(config, &poller, classifier);
    loop {
        match relabelling.step().await {
            Ok(progress) if progress.is_done => break,
            Ok(_) => {}
            Err(error) => {
                warn!("articles are not labelled anew: {error}");
                break;
            }
        }
    }
    let bar = ProgressBar::new(feeds.len() as u64).with_style(style());
    let mut under_way = JoinSet::new();
    for feed in feeds {
        let poller = poller.clone();
        under_way.spawn(async move {
            let recorded = poller.poll(&feed).await;
            (feed, recorded)
        });
    }
    let mut polls = Vec::new();
    while let Some(ended) = under_way.join_next().await {
        let (feed, recorded) = ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        bar.set_message(feed.id.to_string());
        bar.inc(1);
        let history = recorded?.history;
        let planned = next_poll(&feed, &history, Utc::now());
        polls.push(ended_poll(&feed, &history, &planned));
    }
    bar.finish_and_clear();
    drop((poller, relabelling));
    store.close().await?;
    Ok(polls)
}

pub(crate) fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn text<'a>(poll: &'a Value, key: &str) -> &'a str {
    poll[key].as_str().unwrap_or_default()
}

fn table(polls: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["feed", "outcome", "entries", "new", "changed", "rejected", "ms"]);
    for poll in polls {
        let count = |key: &str| poll[key].as_u64().unwrap_or(0).to_string();
        table.add_row([
            text(poll, "feed").to_owned(),
            text(poll, "outcome").to_owned(),
            count("entries"),
            count("new"),
            count("changed"),
            count("rejected"),
            count("duration_ms"),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What each publisher asks for, what was mended, and when each feed is polled next and why.
fn explained(polls: &[Value]) -> String {
    let mut told = String::new();
    for poll in polls {
        let mut line = |name: &str, what: &str| {
            // To write into a text cannot fail.
            let _ = writeln!(told, "  {name:<12} {what}");
        };
        let words = |key: &str| -> Vec<&str> {
            poll[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        line(text(poll, "feed"), text(poll, "outcome"));
        if let Some(url) = poll["moved_to"].as_str() {
            line("moved", &format!("it is asked at {url}: write `url = \"{url}\"`"));
        }
        let asks_for = words("asks_for");
        let asks_for = if asks_for.is_empty() { "nothing".to_owned() } else { asks_for.join("; ") };
        line("asks for", &asks_for);
        for repair in words("repairs") {
            line("mended", repair);
        }
        if let Some(ignored) = poll["not_obeyed"].as_str() {
            line("not obeyed", ignored);
        }
        let at = poll["next_poll"].as_str().unwrap_or("never");
        line("next poll", &format!("{at}: {}", text(poll, "reason")));
    }
    told.trim_end().to_owned()
}
