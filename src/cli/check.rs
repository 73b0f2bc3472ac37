//! `visnyk check`: feeds.toml, read and found good. Its mistakes are shown before this.

pub mod online;

use crate::cli::enabled;
use crate::cli::say;
use crate::config::Config;
use std::path::Path;
use std::process::ExitCode;

/// Says what a good feeds.toml holds.
#[must_use]
pub fn check(path: &Path, config: &Config) -> ExitCode {
    let (feeds, enabled) = (config.feeds.len(), enabled(config));
    say(&format!(
        "{}: good; feeds: {feeds} ({enabled} enabled), tags: {}, composed publications: {}",
        path.display(),
        config.tags.len(),
        config.publications.len()
    ))
}
