//! `visnyk takedown`: takes an article down, through the daemon if one runs.

use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::explain::told;
use crate::cli::fail;
use crate::cli::say;
use crate::config::Config;
use crate::store::Store;
use crate::takedown::WHY_CHARS_MAX;
use crate::takedown::reason;
use crate::takedown::take_down;
use chrono::Utc;
use std::path::Path;
use std::process::ExitCode;

/// The longest id or address, in bytes: what a daemon is asked has a bound.
const WHAT_BYTES_MAX: usize = 4 * 1024;

/// Takes an article down.
#[must_use]
pub fn takedown(config: &Config, state: &Path, what: &str, why: &str) -> ExitCode {
    let Some(why) = reason(why) else {
        let message = format!("--why takes one line of 1 to {WHY_CHARS_MAX} characters");
        return fail(USAGE, &message);
    };
    if what.len() > WHAT_BYTES_MAX || what.contains(char::is_whitespace) {
        return fail(SOME_FAILED, &format!("`{what}` is neither an id nor an address"));
    }
    let of_store = async |store: &Store| {
        let taken = take_down(store, what, &why, Utc::now()).await?;
        Ok(taken.told().unwrap_or_default())
    };
    match told(config, state, &format!("takedown {what} {why}"), of_store) {
        Ok(told) if told.is_empty() => {
            fail(SOME_FAILED, &format!("no article has the id or the page `{what}`"))
        }
        Ok(told) => say(&told),
        Err(status) => status,
    }
}
