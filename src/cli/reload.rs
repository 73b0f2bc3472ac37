//! `visnyk reload`: the running daemon reads feeds.toml again, and says what that changes.

use crate::admin;
use crate::cli::CONFIG_ERROR;
use crate::cli::IO_ERROR;
use crate::cli::directory;
use crate::cli::fail;
use crate::cli::say;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use tokio::runtime::Builder;

/// Asks for it, and waits for what comes of it.
#[must_use]
pub fn reload(state: &Path) -> ExitCode {
    match asked(state) {
        Ok(None) => fail(IO_ERROR, &"no daemon runs here: `visnyk run` starts one"),
        Ok(Some(Ok(said))) => say(&said),
        Ok(Some(Err(why))) => {
            eprintln!("{why}");
            fail(CONFIG_ERROR, &"feeds.toml is refused: the daemon goes on with the one before")
        }
        Err(error) => fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    }
}

fn asked(state: &Path) -> io::Result<Option<Result<String, String>>> {
    let socket = admin::socket(directory("RUNTIME_DIRECTORY"), state);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(admin::ask_long(&socket, "reload"))?;
    Ok(answer.map(|answer| match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(answer["told"].as_str().unwrap_or_default().to_owned()),
    }))
}
