//! `visnyk check`: feeds.toml, read and found good. Its mistakes are shown before this.

use crate::cli::enabled;
use crate::config::Config;
use std::path::Path;
use std::process::ExitCode;

/// Says what a good feeds.toml holds.
#[must_use]
pub fn check(path: &Path, config: &Config) -> ExitCode {
    let (feeds, enabled) = (config.feeds.len(), enabled(config));
    println!(
        "{}: good; {feeds} feeds ({enabled} enabled), {} tags, {} publications",
        path.display(),
        config.tags.len(),
        config.publications.len()
    );
    ExitCode::SUCCESS
}
