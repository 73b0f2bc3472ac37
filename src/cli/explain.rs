//! `visnyk explain` and `visnyk tags`: of the daemon if one runs, else of the store.

use crate::classify::Classifier;
use crate::classify::digest;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::asking::of_daemon;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::cli::status::Form;
use crate::cli::warn;
use crate::config::Config;
use crate::explain;
use crate::store::Store;
use crate::store::error::StoreError;
use std::path::Path;
use std::process::ExitCode;

/// Tells why an article is where it is.
#[must_use]
pub fn article(config: &Config, state: &Path, what: &str, form: Form) -> ExitCode {
    if what.contains(char::is_whitespace) {
        return fail(SOME_FAILED, &format!("`{what}` is neither an id nor an address"));
    }
    let of_store = async |store: &Store| {
        let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
        let told = match form {
            Form::Table => explain::explain(config, &classifier, store, what).await?,
            Form::Json => {
                let told = explain::explain_for_programs(config, &classifier, store, what).await?;
                told.map(|told| told.to_string())
            }
        };
        Ok(told.unwrap_or_default())
    };
    let command = match form {
        Form::Table => format!("explain {what}"),
        Form::Json => format!("explain-json {what}"),
    };
    match told(config, state, &command, of_store) {
        Ok(told) if told.is_empty() => {
            fail(SOME_FAILED, &format!("no article has the id or the page `{what}`"))
        }
        Ok(told) => say(&told.trim_end()),
        Err(status) => status,
    }
}

/// Tells which categories are no tag yet.
#[must_use]
pub fn tags(config: &Config, state: &Path) -> ExitCode {
    match told(config, state, "tags", async |store: &Store| explain::free_tags(store).await) {
        Ok(told) => say(&told.trim_end()),
        Err(status) => status,
    }
}

/// What the daemon answers to a command; what the store says, if no daemon runs.
pub(super) fn told(
    config: &Config,
    state: &Path,
    command: &str,
    of_store: impl AsyncFnOnce(&Store) -> Result<String, StoreError>,
) -> Result<String, ExitCode> {
    match of_daemon(state, command) {
        Ok(Some(told)) => {
            warn_of_changes(config, state);
            Ok(told)
        }
        Ok(None) => {
            let (store, runtime) = open(config, state)?;
            let told = runtime.block_on(async {
                let told = of_store(&store).await?;
                store.close().await?;
                Ok::<_, StoreError>(told)
            });
            told.map_err(|error| fail(IO_ERROR, &error))
        }
        Err(error) => Err(fail(IO_ERROR, &format!("the daemon does not answer: {error}"))),
    }
}

/// The daemon goes by the last feeds.toml that it took, which this one may not be.
pub(super) fn warn_of_changes(config: &Config, state: &Path) {
    let own = digest(&config.catalogue, &config.tags, &config.rules).to_string();
    if of_daemon(state, "digest").is_ok_and(|theirs| theirs.is_some_and(|theirs| theirs != own)) {
        warn("note: the daemon runs with another feeds.toml: `visnyk reload` says why");
    }
}
