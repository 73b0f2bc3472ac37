//! The commands that change feeds.toml.

use crate::cli::add::Add;
use crate::cli::add::add;
use crate::cli::edit::remove;
use crate::cli::edit::switch;
use crate::cli::feeds_file::FeedsFile;
use crate::cli::feeds_file::Writing;
use crate::cli::good;
use crate::cli::opml::Import;
use crate::cli::opml::export;
use crate::cli::opml::import;
use crate::edit::Switch;
use crate::model::id::FeedId;
use clap::Args;
use clap::Subcommand;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// What changes feeds.toml.
#[derive(Debug, Subcommand)]
pub enum Change {
    /// Find the feed of a site, show what it would bring, and write it into feeds.toml
    #[command(after_help = "Example:\n  visnyk add kharkiv.example --dry-run")]
    Add(Add),

    /// Take over the feeds of an OPML file, without asking for them
    #[command(after_help = "Example:\n  visnyk import subscriptions.opml --dry-run")]
    Import(Import),

    /// Write the feeds of feeds.toml as OPML, to standard output or a file
    #[command(after_help = "Example:\n  visnyk export-opml > feeds.opml")]
    ExportOpml {
        /// Where to; `-` is standard output
        #[arg(value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },

    /// Take feeds out of feeds.toml, and out of the lists of rules and publications that name them
    #[command(after_help = "Example:\n  visnyk remove kharkiv --dry-run")]
    Remove(Feeds),

    /// Stop polling feeds, which stay in feeds.toml
    #[command(after_help = "Example:\n  visnyk disable kharkiv lviv")]
    Disable(Feeds),

    /// Poll feeds again that were disabled
    #[command(after_help = "Example:\n  visnyk enable kharkiv")]
    Enable(Feeds),
}

/// The feeds that are meant.
#[derive(Debug, Args)]
pub struct Feeds {
    /// Ids of feeds, as in feeds.toml
    #[arg(value_name = "FEED", required = true)]
    feeds: Vec<FeedId>,

    #[command(flatten)]
    writing: Dry,
}

/// Whether a change is made.
#[derive(Debug, Args)]
pub struct Dry {
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Does it.
#[must_use]
pub fn run(change: Change, path: &Path, state: &Path) -> ExitCode {
    let starting = match (&change, path.try_exists()) {
        (Change::Add(_) | Change::Import(_), Ok(false)) => FeedsFile::first(path),
        _ => good(path).and_then(|config| Ok((FeedsFile::read(path)?, config))),
    };
    let (file, config) = match starting {
        Ok(starting) => starting,
        Err(status) => return status,
    };
    match change {
        Change::Add(what) => add(&file, state, &config, &what),
        Change::Import(what) => import(&file, state, &config, &what),
        Change::ExportOpml { file } => export(state, &config, &file),
        Change::Remove(named) => remove(&file, state, &named.feeds, named.writing.writing()),
        Change::Disable(named) => {
            switch(&file, state, &named.feeds, Switch::Off, named.writing.writing())
        }
        Change::Enable(named) => {
            switch(&file, state, &named.feeds, Switch::On, named.writing.writing())
        }
    }
}

impl Dry {
    /// Whether it is.
    pub(crate) fn writing(&self) -> Writing {
        if self.dry_run { Writing::Shown } else { Writing::Real }
    }
}
