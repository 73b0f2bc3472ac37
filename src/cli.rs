//! The command line: `visnyk run`, `visnyk poll`, `visnyk status`, `visnyk preview`,
//! `visnyk export` and `visnyk check`; what changes feeds.toml is in [`change`].
//!
//! # Exit status
//! 0 done; 1 a feed could not be polled, or needs its admin; 2 the command line is wrong; 74 the
//! store or the listener; 78 feeds.toml has a mistake (the last two as in `sysexits.h`).

pub mod add;
pub mod asking;
pub mod change;
pub mod check;
pub mod edit;
pub mod explain;
pub mod export;
pub mod feeds_file;
pub mod log;
pub mod man;
pub mod opml;
pub mod poll;
pub mod preview;
pub mod readers;
pub mod reload;
pub mod replay;
pub mod run;
pub(crate) mod search;
pub mod status;
pub mod table;
pub mod takedown;

use crate::admin;
use crate::cli::change::Change;
use crate::cli::log::LogFormat;
use crate::cli::poll::Detail;
use crate::cli::preview::Wish;
use crate::cli::status::Asked;
use crate::cli::status::Form;
use crate::config::Config;
use crate::config::read;
use crate::export::Others;
use crate::model::feed::Private;
use crate::model::id::FeedId;
use crate::replay::Act;
use crate::store::Store;
use clap::Parser;
use clap::Subcommand;
use clap_complete::Shell;
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
    #[command(after_help = "Example:\n  visnyk status --watch")]
    Status {
        /// Ids of feeds, as in feeds.toml
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Write an object: the daemon, its configuration, and the feeds with what they need
        #[arg(long)]
        json: bool,

        /// Show it anew every two seconds, until Ctrl-C; without a terminal, after each change
        #[arg(long)]
        watch: bool,
    },

    /// Show what a feed, an address or a file would bring, without keeping it: how it is read,
    /// articles, labels, what rules do
    #[command(after_help = "Example:\n  visnyk preview https://city.example/rss")]
    Preview {
        /// The id of a feed in feeds.toml, an address, or a file
        #[arg(value_name = "FEED|URL|FILE")]
        what: String,

        /// Read an address or a file as this feed's document
        #[arg(long = "as", value_name = "FEED")]
        like: Option<FeedId>,

        /// Fetch an address of a network that is not public, such as this machine's
        #[arg(long)]
        allow_private: bool,

        /// How many articles are shown
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,

        /// Write an object, with all articles
        #[arg(long)]
        json: bool,
    },

    /// Tell why an article is where it is: its labels with their reasons, what did not count, the
    /// same story in other feeds
    #[command(after_help = "Example:\n  visnyk explain https://city.example/news/1")]
    Explain {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,

        /// Write an object
        #[arg(long)]
        json: bool,
    },

    /// Go over what was fetched with feeds.toml as it is, and show what would differ: articles,
    /// labels with their reasons, rejected entries
    #[command(after_help = "Example:\n  visnyk replay kharkiv && visnyk replay kharkiv --apply")]
    Replay {
        /// Ids of feeds, as in feeds.toml; all of them if none is named
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Record the differences, as a poll would
        #[arg(long)]
        apply: bool,

        /// Write an array of objects
        #[arg(long)]
        json: bool,
    },

    /// Take an article down: it leaves every publication at once, readers are told, and no poll
    /// brings it back
    #[command(
        after_help = "Example:\n  visnyk takedown https://city.example/news/1 --why \"court order 17/2026\""
    )]
    Takedown {
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

    /// What changes feeds.toml.
    #[command(flatten)]
    Change(Change),

    /// Write the pages of the manual into a directory, or that of visnyk to standard output
    #[command(after_help = "Example:\n  visnyk man /usr/local/share/man/man1")]
    Man {
        /// Where to; it is made if there is none
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },

    /// Write what a shell needs to complete the command line
    #[command(after_help = "Example:\n  visnyk completions bash > /etc/bash_completion.d/visnyk")]
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },

    /// Read feeds.toml and show every mistake in it
    #[command(after_help = "Example:\n  visnyk check && visnyk reload")]
    Check {
        /// Try every enabled feed once, and tell how it answers, how it is read, and which labels
        /// its entries would get
        #[arg(long)]
        online: bool,

        /// Write an array of objects
        #[arg(long, requires = "online")]
        json: bool,
    },
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
    let state = arguments.state.unwrap_or_else(|| default_state(&path));
    let command = match command {
        // The daemon tells what is wrong in the file: it reads the one that it runs with.
        Command::Reload => return reload::reload(&state),
        Command::Change(change) => return change::run(change, &path, &state),
        Command::Man { directory } => return man::man(directory.as_deref()),
        Command::Completions { shell } => return man::completions(shell),
        other => other,
    };
    let config = match good(&path) {
        Ok(config) => config,
        Err(status) => return status,
    };
    match command {
        Command::Change(change) => change::run(change, &path, &state),
        Command::Man { directory } => man::man(directory.as_deref()),
        Command::Completions { shell } => man::completions(shell),
        Command::Run { export } => run::run(&path, config, &state, export.as_deref()),
        Command::Poll { feeds, explain } => {
            let detail = if explain { Detail::Explained } else { Detail::Plain };
            poll::poll(&config, &state, &feeds, detail)
        }
        Command::Status { feeds, json, watch } => {
            let form = if json { Form::Json } else { Form::Table };
            let asked = Asked { config: &config, state: &state, named: &feeds, form };
            if watch { status::watch::watch(&asked) } else { status::status(&asked) }
        }
        Command::Preview { what, like, allow_private, limit, json } => {
            let private = if allow_private { Private::Allowed } else { Private::Refused };
            let form = if json { Form::Json } else { Form::Table };
            let wish = Wish { what: &what, like: like.as_ref(), private, limit, form };
            preview::preview(&config, &wish)
        }
        Command::Explain { what, json } => {
            let form = if json { Form::Json } else { Form::Table };
            explain::article(&config, &state, &what, form)
        }
        Command::Replay { feeds, apply, json } => {
            let act = if apply { Act::Apply } else { Act::Show };
            let form = if json { Form::Json } else { Form::Table };
            replay::over(&config, &state, &feeds, act, form)
        }
        Command::Takedown { what, why } => takedown::takedown(&config, &state, &what, &why),
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
        Command::Check { online: true, json } => {
            check::online::check(&path, &config, if json { Form::Json } else { Form::Table })
        }
        Command::Check { .. } => check::check(&path, &config),
    }
}

/// The configuration, or the status that says that it has mistakes, which are shown.
fn good(path: &Path) -> Result<Config, ExitCode> {
    read(path).map_err(|problems| {
        eprintln!("{}", if log::colours() { problems.coloured() } else { problems.to_string() });
        ExitCode::from(CONFIG_ERROR)
    })
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
