//! `visnyk pin`, `unpin`, `retention` and `compact`: through the daemon if one runs.

use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::asking::Patience;
use crate::cli::asking::asked;
use crate::cli::explain::warn_of_changes;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::cli::status::Form;
use crate::cli::table::fitted;
use crate::config::Config;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::retain::Act;
use crate::upkeep::Pinning;
use crate::upkeep::compacted;
use crate::upkeep::look_over;
use crate::upkeep::pin;
use crate::upkeep::tally_in_json;
use chrono::Utc;
use comfy_table::CellAlignment;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Pins an article, or no longer.
#[must_use]
pub fn article(config: &Config, state: &Path, pinning: Pinning, what: &str) -> ExitCode {
    if what.contains(char::is_whitespace) {
        return fail(SOME_FAILED, &format!("`{what}` is neither an id nor an address"));
    }
    let word = match pinning {
        Pinning::Pin => "pin",
        Pinning::Unpin => "unpin",
    };
    let of_store = async |store: &Store| {
        let told = pin(store, pinning, what, Utc::now()).await?;
        Ok(told.unwrap_or_default())
    };
    match done(config, state, &format!("{word} {what}"), of_store) {
        Ok(told) if told.is_empty() => {
            fail(SOME_FAILED, &format!("no article has the id or the page `{what}`"))
        }
        Ok(told) => say(&told),
        Err(status) => status,
    }
}

/// Shows which articles are kept no longer, or drops them.
#[must_use]
pub fn retention(config: &Config, state: &Path, act: Act, form: Form) -> ExitCode {
    let command = match act {
        Act::Show => "retention show",
        Act::Drop => "retention drop",
    };
    let of_store = async |store: &Store| {
        let retention = Arc::new(config.retention.clone());
        let tally = look_over(store, retention, act, Utc::now()).await?;
        Ok(tally_in_json(&tally, act).to_string())
    };
    let told = match done(config, state, command, of_store) {
        Ok(told) => told,
        Err(status) => return status,
    };
    match (form, serde_json::from_str::<Value>(&told)) {
        (Form::Json, Ok(told)) => say(&serde_json::to_string_pretty(&told).unwrap_or_default()),
        (Form::Table, Ok(told)) => {
            say(&head(&told, act));
            if told["dropped"] == 0 { ExitCode::SUCCESS } else { say(&fitted(table(&told))) }
        }
        (_, Err(error)) => fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    }
}

fn head(told: &Value, act: Act) -> String {
    let verb = match act {
        Act::Show => "would go, as feeds.toml says now",
        Act::Drop => "went",
    };
    let pinned = match told["pinned"].as_u64() {
        None | Some(0) => String::new(),
        Some(pinned) => format!("; {pinned} more are pinned, and stay"),
    };
    let pages = match told["archive_pages"].as_u64() {
        None | Some(0) => String::new(),
        Some(pages) => format!("; {pages} empty archive pages went too"),
    };
    format!("{} of {} articles {verb}{pinned}{pages}", told["dropped"], told["articles"])
}

fn table(told: &Value) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["of", "", "articles"]);
    for (kind, key) in [("feed", "feeds"), ("region", "regions")] {
        let counts = told[key].as_object().into_iter().flatten();
        for (id, count) in counts {
            table.add_row([kind.to_owned(), id.clone(), count.to_string()]);
        }
    }
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Writes the store anew.
#[must_use]
pub fn compact(config: &Config, state: &Path) -> ExitCode {
    let of_store = async |store: &Store| {
        let live = store.weigh(Duration::ZERO).await?.bytes;
        let done = store.compact(live, Duration::ZERO).await?;
        Ok(compacted(&done))
    };
    match done(config, state, "compact", of_store) {
        Ok(told) => say(&told),
        Err(status) => status,
    }
}

/// What the daemon answers to a command that may take long; what the store says, if none runs.
fn done(
    config: &Config,
    state: &Path,
    command: &str,
    of_store: impl AsyncFnOnce(&Store) -> Result<String, StoreError>,
) -> Result<String, ExitCode> {
    match asked(state, command, Patience::Long) {
        Ok(Some(Ok(told))) => {
            warn_of_changes(config, state);
            Ok(told)
        }
        Ok(Some(Err(why))) => Err(fail(IO_ERROR, &why)),
        Ok(None) => {
            let (store, runtime) = open(config, state)?;
            let told = runtime.block_on(async {
                let told = of_store(&store).await;
                let closed = store.close().await;
                told.and_then(|told| closed.map(|()| told))
            });
            told.map_err(|error| fail(IO_ERROR, &error))
        }
        Err(error) => Err(fail(IO_ERROR, &format!("the daemon does not answer: {error}"))),
    }
}
