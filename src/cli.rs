//! The command line: `visnyk run`, `visnyk poll`, `visnyk status`, `visnyk preview`,
//! `visnyk export` and `visnyk check`.
//!
//! # Exit status
//! 0 done; 1 a feed could not be polled, or needs its admin, or feeds.toml has warnings that count;
//! 2 the command line is wrong; 74 the store or the listener; 78 feeds.toml has a mistake (the last
//! two as in `sysexits.h`).

pub mod asking;
pub mod check;
pub mod explain;
pub mod export;
pub mod log;
pub mod poll;
pub mod preview;
pub mod readers;
pub mod reload;
pub mod remove;
pub mod run;
pub mod status;

use crate::admin;
use crate::cli::check::Asked;
use crate::cli::log::LogFormat;
use crate::cli::poll::Detail;
use crate::cli::status::Form;
use crate::config;
use crate::config::Checked;
use crate::config::Config;
use crate::config::schema::schema;
use crate::export::Others;
use crate::model::id::FeedId;
use crate::store::Store;
use clap::Parser;
use clap::Subcommand;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;

/// Where the service of `systemd/visnyk.service` has feeds.toml, and where its store.
const SERVICE_CONFIG: &str = "/etc/visnyk/feeds.toml";
const SERVICE_STATE: &str = admin::SERVICE_STATE;

/// A feed could not be polled.
pub const SOME_FAILED: u8 = 1;
/// The command line names something that is not there.
pub const USAGE: u8 = 2;
/// `EX_IOERR`.
pub const IO_ERROR: u8 = 74;
/// `EX_CONFIG`.
pub const CONFIG_ERROR: u8 = 78;

/// Polls municipal and partner feeds on a schedule, and republishes them as combined Atom feeds,
/// one for each region, community and tag.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80)]
pub struct Arguments {
    /// The configuration [default: `feeds.toml` in `$CONFIGURATION_DIRECTORY`, here, or in
    /// `/etc/visnyk`]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where articles are kept [default: `$STATE_DIRECTORY`, else `state` beside feeds.toml, and
    /// `/var/lib/visnyk` for that in `/etc/visnyk`]
    #[arg(short, long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// How log lines are written to standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "auto")]
    pub log: LogFormat,

    /// What to do; `run` if nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Poll on schedule and serve the publications, until SIGTERM or SIGINT
    #[command(after_help = "Example:\n  visnyk run --config /etc/visnyk/feeds.toml")]
    Run {
        /// Keep the site as files in this directory too; changed addresses go to standard output
        #[arg(long, value_name = "DIR")]
        export: Option<PathBuf>,
    },

    /// Have the running daemon read feeds.toml again, and tell what that changes
    #[command(after_help = "Example:\n  visnyk check && visnyk reload")]
    Reload,

    /// Poll once now, all enabled feeds or those that are named
    #[command(after_help = "Example:\n  visnyk poll kharkiv lviv")]
    Poll {
        /// Ids of feeds, as in feeds.toml
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Tell what each publisher asks for, and when each feed is polled next and why
        #[arg(long)]
        explain: bool,
    },

    /// Show how each feed goes, those that need you first, and when it is polled next and why
    #[command(after_help = "Example:\n  visnyk status --json")]
    Status {
        /// Ids of feeds, as in feeds.toml
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Write an array of objects
        #[arg(long)]
        json: bool,
    },

    /// Show what a feed or a file would bring, without keeping it: repairs, articles, labels
    #[command(after_help = "Example:\n  visnyk preview kharkiv")]
    Preview {
        /// The id of a feed in feeds.toml, or a file
        #[arg(value_name = "FEED|FILE")]
        what: String,

        /// Read a file as this feed's document
        #[arg(long = "as", value_name = "FEED")]
        like: Option<FeedId>,
    },

    /// Tell why an article is where it is: its labels with their reasons, what did not count, the
    /// same story in other feeds
    #[command(after_help = "Example:\n  visnyk explain https://city.example/news/1")]
    Explain {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,
    },

    /// Take an article down: it leaves every publication at once, readers are told, and no poll
    /// brings it back
    #[command(
        after_help = "Example:\n  visnyk remove https://city.example/news/1 --why \"court order 17/2026\""
    )]
    Remove {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,

        /// The reason, for the log and for `visnyk explain`; readers are not told
        #[arg(long, value_name = "TEXT")]
        why: String,
    },

    /// Show how many readers aggregators report for each publication
    #[command(after_help = "Example:\n  visnyk readers --json")]
    Readers {
        /// Write an array of objects
        #[arg(long)]
        json: bool,
    },

    /// Show the categories of feeds that are no tag, with lines for feeds.toml
    #[command(after_help = "Example:\n  visnyk tags | less")]
    Tags,

    /// Write the site as files: every document with its compressed forms, whole at every moment,
    /// and only what changed; the addresses of what did go to standard output
    #[command(after_help = "Example:\n  visnyk export /srv/www/visnyk | xargs -n 1 purge")]
    Export {
        /// Where to; it is made if there is none
        #[arg(value_name = "DIR")]
        directory: PathBuf,

        /// Write an object a line: path, action, bytes, digest, keys, files
        #[arg(long)]
        json: bool,

        /// Take a directory that has other files in it; they stay, but one that lies at an address
        /// of the site is replaced
        #[arg(long)]
        into_nonempty: bool,
    },

    /// Read feeds.toml and show every mistake and warning in it, and what its schedules mean
    #[command(after_help = check::HELP)]
    Check(Asked),

    /// Print the JSON Schema of feeds.toml, by which editors check it while it is written
    #[command(after_help = "Example:\n  visnyk schema > feeds.schema.json")]
    Schema,
}

impl Default for Command {
    fn default() -> Self {
        Self::Run { export: None }
    }
}

/// Does what the arguments say.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let command = arguments.command.unwrap_or_default();
    let level = if matches!(command, Command::Run { .. }) { "info" } else { "error" };
    log::start(arguments.log, level);
    let path = arguments.config.unwrap_or_else(default_config);
    // The daemon tells what is wrong in the file: it reads the one that it runs with.
    let command = match command {
        Command::Reload => {
            return reload::reload(&arguments.state.unwrap_or_else(|| default_state(&path)));
        }
        Command::Check(asked) => return check::check(path, &asked),
        Command::Schema => return say(&schema()),
        command => command,
    };
    let Checked { config, warnings } = match config::check(&path) {
        Ok(checked) => checked,
        Err(problems) => {
            eprintln!(
                "{}",
                if log::colours() { problems.coloured() } else { problems.to_string() }
            );
            return ExitCode::from(CONFIG_ERROR);
        }
    };
    if matches!(command, Command::Run { .. }) {
        log::doubts(&warnings);
    }
    let state = arguments.state.unwrap_or_else(|| default_state(&path));
    match command {
        Command::Run { export } => run::run(&path, config, &state, export.as_deref()),
        Command::Poll { feeds, explain } => {
            let detail = if explain { Detail::Explained } else { Detail::Plain };
            poll::poll(&config, &state, &feeds, detail)
        }
        Command::Status { feeds, json } => {
            let form = if json { Form::Json } else { Form::Table };
            status::status(&config, &state, &feeds, form)
        }
        Command::Preview { what, like } => preview::preview(&config, &what, like.as_ref()),
        Command::Explain { what } => explain::article(&config, &state, &what),
        Command::Remove { what, why } => remove::remove(&config, &state, &what, &why),
        Command::Readers { json } => {
            readers::readers(&state, if json { Form::Json } else { Form::Table })
        }
        Command::Tags => explain::tags(&config, &state),
        Command::Export { directory, json, into_nonempty } => {
            let form = if json { export::Form::Json } else { export::Form::Paths };
            let others = if into_nonempty { Others::Yield } else { Others::Stay };
            export::site(config, &state, &directory, others, form)
        }
        Command::Reload => reload::reload(&state),
        // Done above, without a configuration.
        Command::Check(_) | Command::Schema => ExitCode::SUCCESS,
    }
}

/// In the directory that the service manager hands over, here, or where the service has it.
fn default_config() -> PathBuf {
    if let Some(handed) = directory("CONFIGURATION_DIRECTORY") {
        return handed.join("feeds.toml");
    }
    let (here, service) = (PathBuf::from("feeds.toml"), Path::new(SERVICE_CONFIG));
    if !here.exists() && service.exists() { service.to_owned() } else { here }
}

fn default_state(config: &Path) -> PathBuf {
    let own = || match config.to_str() {
        Some(SERVICE_CONFIG) => PathBuf::from(SERVICE_STATE),
        _ => config.with_file_name("state"),
    };
    directory("STATE_DIRECTORY").unwrap_or_else(own)
}

/// The first of the directories that systemd hands over, parted by colons (systemd.exec(5)).
fn directory(variable: &str) -> Option<PathBuf> {
    let value = std::env::var_os(variable)?;
    std::env::split_paths(&value).next().filter(|path| !path.as_os_str().is_empty())
}

/// A message about what went wrong, and the status that says so.
fn fail(status: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("visnyk: {error}");
    ExitCode::from(status)
}

/// Writes what was asked for to standard output; where that cannot be, says so.
fn say(text: &dyn std::fmt::Display) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(IO_ERROR, &format!("cannot write to standard output: {error}")),
    }
}

/// The store in a directory, and the runtime that polls and the server run on; or the status that
/// says why not.
fn open(config: &Config, state: &Path) -> Result<(Store, Runtime), ExitCode> {
    let store = Store::open(state, config.publications.clone());
    let store = store.map_err(|error| fail(IO_ERROR, &error))?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    Ok((store, runtime.map_err(|error| fail(IO_ERROR, &error))?))
}

/// The configuration's enabled feeds.
fn enabled(config: &Config) -> usize {
    config.feeds.values().filter(|feed| feed.enabled).count()
}
