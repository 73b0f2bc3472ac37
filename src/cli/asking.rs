//! A question to the running daemon, over its admin socket.

use crate::admin;
use crate::cli::directory;
use serde_json::Value;
use std::io;
use std::path::Path;
use tokio::runtime::Builder;

/// How long the answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As what is only looked up.
    Short,
    /// As polls, or a reload.
    Long,
}

/// What the daemon answers, or why it does not do it; none if no daemon runs.
///
/// # Errors
/// It does not answer, or something that is no answer.
pub fn asked(
    state: &Path,
    command: &str,
    patience: Patience,
) -> io::Result<Option<Result<String, String>>> {
    let Some(answer) = answered(state, command, patience)? else { return Ok(None) };
    match (answer["told"].as_str(), answer["error"].as_str()) {
        (Some(told), _) => Ok(Some(Ok(told.to_owned()))),
        (_, Some(error)) => Ok(Some(Err(error.to_owned()))),
        _ => Err(io::Error::other("it says something else")),
    }
}

/// The answer as it comes; none if no daemon runs.
///
/// # Errors
/// It does not answer.
pub fn answered(state: &Path, command: &str, patience: Patience) -> io::Result<Option<Value>> {
    let socket = admin::socket(directory("RUNTIME_DIRECTORY"), state);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match patience {
            Patience::Short => admin::ask(&socket, command).await,
            Patience::Long => admin::ask_long(&socket, command).await,
        }
    })
}

/// What the daemon answers at once; none if no daemon runs.
///
/// # Errors
/// It does not answer, or does not do it.
pub fn of_daemon(state: &Path, command: &str) -> io::Result<Option<String>> {
    asked(state, command, Patience::Short)?.transpose().map_err(io::Error::other)
}

/// Whether a daemon runs that answers.
#[must_use]
pub fn has_daemon(state: &Path) -> bool {
    of_daemon(state, "digest").is_ok_and(|answer| answer.is_some())
}
