//! `visnyk poll [FEED…]`: one poll of each, now, and a table of what came of it.

use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::config::Config;
use crate::daemon::DaemonError;
use crate::daemon::poller;
use crate::daemon::relabelling::Relabelling;
use crate::daemon::system_clock;
use crate::model::exchange::History;
use crate::model::exchange::Poll;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::rhythm::Rhythm;
use crate::schedule::limit::length;
use crate::schedule::next_poll;
use crate::store::Store;
use chrono::Utc;
use comfy_table::CellAlignment;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use std::collections::BTreeSet;
use std::fmt::Write;
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

/// Polls the feeds that are named, or all that are enabled.
#[must_use]
pub fn poll(config: &Config, state: &Path, named: &[FeedId], detail: Detail) -> ExitCode {
    let feeds = match chosen(config, named) {
        Ok(feeds) => feeds,
        Err(unknown) => return fail(USAGE, &unknown),
    };
    let (store, runtime) = match open(config, state) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    match runtime.block_on(poll_all(config, store, feeds)) {
        Ok(polls) => {
            let mut said = say(&table(&polls));
            if detail == Detail::Explained {
                said = say(&explained(config, &polls));
            }
            let failed = polls.iter().filter(|(_, _, poll)| poll.outcome.has_failed()).count();
            for (id, _, poll) in &polls {
                if let Some(reason) = poll.outcome.reason() {
                    eprintln!("{id}: {reason}");
                }
            }
            if failed == 0 { said } else { ExitCode::from(SOME_FAILED) }
        }
        Err(error) => fail(IO_ERROR, &error),
    }
}

fn chosen(config: &Config, named: &[FeedId]) -> Result<Vec<Arc<Feed>>, String> {
    if named.is_empty() {
        let enabled = config.feeds.values().filter(|feed| feed.enabled);
        return Ok(enabled.cloned().map(Arc::new).collect());
    }
    let find = |id: &FeedId| {
        let feed = config.feeds.get(id).cloned().map(Arc::new);
        feed.ok_or_else(|| format!("no feed `{id}` is in feeds.toml"))
    };
    named.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
}

/// The polls, in the order of the feeds' ids.
async fn poll_all(
    config: &Config,
    store: Store,
    feeds: Vec<Arc<Feed>>,
) -> Result<Vec<(FeedId, History, Poll)>, DaemonError> {
    let poller = poller(config, store.clone(), system_clock())?;
    let relabelling = Relabelling::new(config, &poller);
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
        under_way.spawn(async move { (feed.id.clone(), poller.poll(&feed).await) });
    }
    let mut polls = Vec::new();
    while let Some(ended) = under_way.join_next().await {
        let (id, recorded) = ended.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        bar.set_message(id.to_string());
        bar.inc(1);
        let mut history = recorded?.history;
        let poll = history.polls.last().cloned();
        history.polls.drain(..history.polls.len().saturating_sub(1));
        polls.extend(poll.map(|poll| (id, history, poll)));
    }
    bar.finish_and_clear();
    drop((poller, relabelling));
    store.close().await?;
    polls.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    Ok(polls)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn table(polls: &[(FeedId, History, Poll)]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["feed", "outcome", "entries", "new", "changed", "rejected", "ms"]);
    for (id, _, poll) in polls {
        let tally = poll.tally;
        table.add_row([
            id.to_string(),
            poll.outcome.word().to_owned(),
            tally.entries.to_string(),
            tally.added.to_string(),
            tally.updated.to_string(),
            tally.rejected.to_string(),
            poll.duration.as_millis().to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What each publisher asks for, what was mended, and when each feed is polled next and why.
fn explained(config: &Config, polls: &[(FeedId, History, Poll)]) -> String {
    let mut told = String::new();
    for (id, history, poll) in polls {
        let Some(feed) = config.feeds.get(id) else { continue };
        let planned = next_poll(feed, history, Utc::now());
        let mut line = |name: &str, what: String| {
            // To write into a text cannot fail.
            let _ = writeln!(told, "  {name:<12} {what}");
        };
        let Rhythm { ttl, update_every, skip_hours, skip_days } = &history.rhythm;
        let wishes =
            [("fresh for", &history.freshness), ("ttl", ttl), ("changes every", update_every)];
        let mut asked: Vec<String> = wishes
            .iter()
            .filter_map(|(name, wish)| Some(format!("{name} {}", length((**wish)?))))
            .collect();
        if !skip_hours.is_empty() {
            asked.push(format!("no polls in the hours {skip_hours:?} (UTC)"));
        }
        if !skip_days.is_empty() {
            asked.push(format!("no polls on {skip_days} (UTC)"));
        }
        line(id.as_str(), poll.outcome.word().to_owned());
        if let Some(url) = &history.relocation.stored {
            line("moved", format!("it is asked at {url}: write `url = \"{url}\"`"));
        }
        line("asks for", if asked.is_empty() { "nothing".to_owned() } else { asked.join("; ") });
        for repair in &poll.repairs {
            line("mended", repair.clone());
        }
        if let Some(ignored) = planned.ignored {
            line("not obeyed", ignored);
        }
        let at = planned.at.map_or("never".to_owned(), |at| {
            at.with_timezone(&feed.timezone).format("%Y-%m-%d %H:%M:%S %Z").to_string()
        });
        line("next poll", format!("{at}: {}", planned.reason));
    }
    told.trim_end().to_owned()
}
