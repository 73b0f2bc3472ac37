//! `visnyk explain` and `visnyk tags`: of the daemon if one runs, else of the store.

use crate::admin;
use crate::classify::Classifier;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::directory;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::config::Config;
use crate::explain;
use crate::store::error::StoreError;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use tokio::runtime::Builder;

/// Tells why an article is where it is.
#[must_use]
pub fn article(config: &Config, state: &Path, what: &str) -> ExitCode {
    if what.contains(char::is_whitespace) {
        return fail(SOME_FAILED, &format!("`{what}` is neither an id nor an address"));
    }
    match of_daemon(state, &format!("explain {what}")) {
        Ok(Some(told)) => {
            warn_of_changes(config, state);
            tell(what, &told)
        }
        Ok(None) => match of_store(config, state, what) {
            Ok(told) => tell(what, &told.unwrap_or_default()),
            Err(status) => status,
        },
        Err(error) => fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    }
}

/// Tells which categories are no tag yet.
#[must_use]
pub fn tags(config: &Config, state: &Path) -> ExitCode {
    match of_daemon(state, "tags") {
        Ok(Some(told)) => {
            warn_of_changes(config, state);
            say(&told.trim_end())
        }
        Ok(None) => {
            let told = open(config, state).and_then(|(store, runtime)| {
                let told = runtime.block_on(async {
                    let told = explain::free_tags(&store).await?;
                    store.close().await?;
                    Ok::<_, StoreError>(told)
                });
                told.map_err(|error| fail(IO_ERROR, &error))
            });
            told.map_or_else(|status| status, |told| say(&told.trim_end()))
        }
        Err(error) => fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    }
}

/// The daemon goes by what it read when it started.
fn warn_of_changes(config: &Config, state: &Path) {
    let own = Classifier::new(&config.catalogue, &config.tags, &config.rules).digest().to_string();
    if of_daemon(state, "digest").is_ok_and(|theirs| theirs.is_some_and(|theirs| theirs != own)) {
        eprintln!("note: feeds.toml has changed since the daemon read it: restart the daemon");
    }
}

fn tell(what: &str, told: &str) -> ExitCode {
    if told.is_empty() {
        return fail(SOME_FAILED, &format!("no article has the id or the page `{what}`"));
    }
    say(&told.trim_end())
}

fn of_daemon(state: &Path, command: &str) -> std::io::Result<Option<String>> {
    let socket = admin::socket(directory("RUNTIME_DIRECTORY"), state);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let Some(answer) = runtime.block_on(admin::ask(&socket, command))? else { return Ok(None) };
    match (&answer["told"], &answer["error"]) {
        (Value::String(told), _) => Ok(Some(told.clone())),
        (_, Value::String(error)) => Err(std::io::Error::other(error.clone())),
        _ => Err(std::io::Error::other("it says something else")),
    }
}

fn of_store(config: &Config, state: &Path, what: &str) -> Result<Option<String>, ExitCode> {
    let (store, runtime) = open(config, state)?;
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let told = runtime.block_on(async {
        let told = explain::explain(config, &classifier, &store, what).await?;
        store.close().await?;
        Ok::<_, StoreError>(told)
    });
    told.map_err(|error| fail(IO_ERROR, &error))
}
