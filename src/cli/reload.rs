//! `visnyk reload`: the running daemon reads feeds.toml again, and says what that changes.

use crate::admin::ENDING;
use crate::cli::CONFIG_ERROR;
use crate::cli::IO_ERROR;
use crate::cli::asking::Patience;
use crate::cli::asking::asked;
use crate::cli::fail;
use crate::cli::say;
use crate::cli::warn;
use std::path::Path;
use std::process::ExitCode;

/// Asks for it, and waits for what comes of it.
#[must_use]
pub fn reload(state: &Path) -> ExitCode {
    match asked(state, "reload", Patience::Long) {
        Ok(None) => fail(IO_ERROR, &"no daemon runs here: `visnyk run` starts one"),
        Ok(Some(Ok(said))) => say(&said),
        Ok(Some(Err(why))) if why == ENDING => fail(IO_ERROR, &ENDING),
        Ok(Some(Err(why))) => {
            warn(&why);
            fail(CONFIG_ERROR, &"feeds.toml is refused: the daemon goes on with the one before")
        }
        Err(error) => fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    }
}
