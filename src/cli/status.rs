//! `visnyk status`: which feeds need their admin and what cures them, how each goes, and when it is
//! polled next and why.
//!
//! A running daemon is asked; where none runs, the store is read, and nothing is written to it.

pub mod holder;
pub mod screen;
pub mod watch;

use crate::admin::board::Board;
use crate::admin::told::told;
use crate::attention::ARTICLES_SEEN_MAX;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::asking::Patience;
use crate::cli::asking::answered;
use crate::cli::fail;
use crate::cli::say;
use crate::cli::status::holder::holder;
use crate::cli::status::screen::Look;
use crate::cli::status::screen::screen;
use crate::cli::warn;
use crate::config::Config;
use crate::model::exchange::History;
use crate::model::id::FeedId;
use crate::schedule::hosts::Hosts;
use crate::schedule::hosts::host_of;
use crate::schedule::next_poll;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::Utc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Builder;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A table, for people.
    Table,
    /// JSON, for machines.
    Json,
}

impl From<bool> for Form {
    /// JSON if it is asked for.
    fn from(json: bool) -> Self {
        if json { Self::Json } else { Self::Table }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The configuration, for where no daemon runs.
    pub config: &'a Config,
    /// Where the store is.
    pub state: &'a Path,
    /// The feeds that are meant; all if there are none.
    pub named: &'a [FeedId],
    /// How the answer is written.
    pub form: Form,
}

impl Asked<'_> {
    /// What is wrong if a feed is named that neither was told of nor is in feeds.toml.
    fn unknown(&self, told: &Value) -> Option<String> {
        let feeds = told["feeds"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_known = |id: &FeedId| {
            self.config.feeds.contains_key(id)
                || feeds.iter().any(|feed| feed["feed"] == id.as_str())
        };
        let unknown = self.named.iter().find(|id| !is_known(id))?;
        Some(format!("no feed `{unknown}` is in feeds.toml"))
    }
}

/// Tells the state of the feeds that are named, or of all.
#[must_use]
pub fn status(asked: &Asked<'_>) -> ExitCode {
    let told = match of_daemon(asked.state) {
        Ok(Some(told)) => told,
        Ok(None) => match of_store(asked) {
            Ok(told) => told,
            Err(error) => return fail(IO_ERROR, &error),
        },
        Err(error) => return fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    };
    if let Some(unknown) = asked.unknown(&told) {
        return fail(USAGE, &unknown);
    }
    let told = only(told, asked.named);
    let said = say(&written(&told, asked.form).trim_end());
    if needs_the_admin(&told) { ExitCode::from(SOME_FAILED) } else { said }
}

/// What was told, as it is written.
fn written(told: &Value, form: Form) -> String {
    match form {
        Form::Json => serde_json::to_string_pretty(told).unwrap_or_default(),
        Form::Table => screen(told, Utc::now(), Look::of_terminal()),
    }
}

/// What is told of the feeds that are named, or of all.
fn only(mut told: Value, named: &[FeedId]) -> Value {
    if let Some(feeds) = told["feeds"].as_array_mut() {
        feeds.retain(|feed| named.is_empty() || named.iter().any(|id| feed["feed"] == id.as_str()));
    }
    told
}

/// Whether a feed has something for its admin to do, or the store.
fn needs_the_admin(told: &Value) -> bool {
    if !told["stopped"].is_null() {
        return true;
    }
    let acts = |need: &Value| need["call"] == "act";
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    list(told, "feeds").iter().any(|feed| list(feed, "needs").iter().any(acts))
}

/// What the daemon says; none if no daemon runs.
fn of_daemon(state: &Path) -> std::io::Result<Option<Value>> {
    answered(state, "status", Patience::Short)
}

/// What the store says, where no daemon runs; or why it does not.
fn of_store(asked: &Asked<'_>) -> Result<Value, String> {
    // The table says so itself.
    if asked.form == Form::Json {
        warn("visnyk: no daemon runs here: this is what the store remembers");
    }
    let read = || -> Result<_, StoreError> {
        let Some(store) = Store::look(asked.state)? else { return Ok(Board::default()) };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Directory {
            directory: asked.state.to_owned(),
            reason: error.to_string(),
        })?;
        runtime.block_on(remembered(asked.config, store))
    };
    let board = read().map_err(|error| match (&error, holder(asked.state)) {
        (StoreError::Locked { .. }, Some(holder)) => format!("{error} (it is {holder})"),
        _ => error.to_string(),
    })?;
    if board.read(|state| state.lines.is_empty()) {
        plan(&board, asked.config, &BTreeMap::new());
    }
    Ok(board.read(|state| told(state, Utc::now())))
}

async fn remembered(config: &Config, store: Store) -> Result<Board, StoreError> {
    let histories = store.histories().await?;
    let published = store.published(config.feeds.keys().cloned().collect(), ARTICLES_SEEN_MAX);
    let published = published.await?;
    store.close().await?;
    let board = Board::default();
    plan(&board, config, &histories);
    for (feed, published) in published {
        board.put_published(&feed, published);
    }
    Ok(board)
}

/// Puts on a board what is planned, as histories tell it.
fn plan(board: &Board, config: &Config, histories: &BTreeMap<FeedId, History>) {
    board.put_addresses(config.addresses.0.clone());
    let feeds: Vec<_> = config.feeds.values().cloned().map(Arc::new).collect();
    let (now, unpolled) = (Utc::now(), History::default());
    let hosts = Hosts::of(feeds.iter().filter(|feed| feed.enabled), histories, now);
    for feed in &feeds {
        let history = histories.get(&feed.id).unwrap_or(&unpolled);
        let host = host_of(feed, history);
        let planned = hosts.delay(host.as_deref(), next_poll(feed, history, now), now);
        board.put(feed, history, &planned);
    }
}
