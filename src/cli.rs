//! The command line: `visnyk run`, `visnyk poll`, `visnyk status`, `visnyk preview`,
//! `visnyk export` and `visnyk check`; what changes feeds.toml is in [`change`].
//!
//! # Exit status
//! 0 done; 1 a feed could not be polled, or needs its admin, or feeds.toml has warnings that count;
//! 2 the command line is wrong; 74 the store or the listener; 78 feeds.toml has a mistake (the last
//! two as in `sysexits.h`).

pub mod add;
pub mod arguments;
pub mod asking;
pub mod change;
pub mod check;
pub mod edit;
pub mod explain;
pub mod export;
pub mod feeds_file;
mod handed;
pub mod keeping;
pub mod log;
pub mod man;
pub mod opml;
pub(crate) mod owner;
pub mod plain;
pub mod poll;
pub mod preview;
pub mod readers;
pub mod reload;
pub mod replay;
pub mod run;
pub(crate) mod search;
pub mod shell;
pub mod status;
pub mod table;
pub mod takedown;
pub mod upkeep;

use crate::admin;
use crate::cli::arguments::Arguments;
use crate::cli::arguments::Command;
use crate::cli::arguments::Preparing;
use crate::cli::arguments::Working;
use crate::cli::asking::has_daemon;
use crate::cli::owner::GivingBack;
use crate::cli::plain::plain;
use crate::cli::poll::Detail;
use crate::cli::preview::Wish;
use crate::cli::status::Asked;
use crate::cli::status::Form;
use crate::config;
use crate::config::Checked;
use crate::config::Config;
use crate::config::problem::Problems;
use crate::config::schema::schema;
use crate::daemon::reloading::doubts;
use crate::export::Others;
use crate::model::feed::Private;
use crate::replay::Act;
use crate::store::Store;
use crate::store::retain::Act as Keeping;
use crate::upkeep::Pinning;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
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

/// Does what the arguments say.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let command = arguments.command.unwrap_or_default();
    let is_daemon = matches!(command, Command::Working(Working::Run { .. }));
    log::start(arguments.log, if is_daemon { "info" } else { "error" });
    let path = arguments.config.unwrap_or_else(default_config);
    let state = arguments.state.unwrap_or_else(|| default_state(&path));
    // Last of all, when what the command had open is closed.
    let _giving = GivingBack::in_directory(&state);
    match command {
        Command::Working(command) => work(command, &path, &state),
        Command::Preparing(command) => prepare(command, path, &state),
    }
}

fn prepare(command: Preparing, path: PathBuf, state: &Path) -> ExitCode {
    match command {
        Preparing::Change(change) => change::run(change, &path, state),
        Preparing::Keeping(keeping) => keeping::run(keeping, &path, state),
        Preparing::Check(asked) => check::check(path, &asked),
        Preparing::Schema => say(&schema()),
        // The daemon tells what is wrong in the file: it reads the one that it runs with.
        Preparing::Reload => reload::reload(state),
        Preparing::Man { directory } => man::man(directory.as_deref()),
        Preparing::Completions { shell } => man::completions(shell),
    }
}

fn work(command: Working, path: &Path, state: &Path) -> ExitCode {
    let Checked { config, warnings } = match config::check(path) {
        Ok(checked) => checked,
        // The daemon goes on with the file before, and can be asked.
        Err(problems) if is_asked(&command) && has_daemon(state) => {
            let (count, path) = (problems.count(), path.display());
            let mistakes = if count == 1 { "a mistake" } else { "mistakes" };
            warn(&format!(
                "visnyk: {path} has {mistakes}, which `visnyk check` shows; the daemon runs on \
                 with the one before, and answers"
            ));
            match config::check_text("feeds.toml", "", Path::new("")) {
                Ok(empty) => empty,
                Err(problems) => return refused(&problems),
            }
        }
        Err(problems) => {
            let status = refused(&problems);
            if !path.exists() {
                warn("visnyk: `visnyk add URL` makes one that polls the feed of a site");
            }
            return status;
        }
    };
    match command {
        Working::Run { export } => {
            doubts(&warnings);
            run::run(path, config, state, export.as_deref())
        }
        Working::Poll { feeds, explain } => {
            let detail = if explain { Detail::Explained } else { Detail::Plain };
            poll::poll(&config, state, &feeds, detail)
        }
        Working::Status { feeds, json, watch } => {
            let form = Form::from(json);
            let asked = Asked { config: &config, state, named: &feeds, form };
            if watch { status::watch::watch(&asked) } else { status::status(&asked) }
        }
        Working::Preview { what, like, allow_private, limit, json } => {
            let private = if allow_private { Private::Allowed } else { Private::Refused };
            let form = Form::from(json);
            let wish = Wish { what: &what, like: like.as_ref(), private, limit, form };
            preview::preview(&config, &wish)
        }
        Working::Explain { what, json } => {
            let form = Form::from(json);
            explain::article(&config, state, &what, form)
        }
        Working::Replay { feeds, apply, json } => {
            let act = if apply { Act::Apply } else { Act::Show };
            let form = Form::from(json);
            replay::over(&config, state, &feeds, act, form)
        }
        Working::Pin { what } => upkeep::article(&config, state, Pinning::Pin, &what),
        Working::Unpin { what } => upkeep::article(&config, state, Pinning::Unpin, &what),
        Working::Retention { apply, json } => {
            let act = if apply { Keeping::Drop } else { Keeping::Show };
            let form = Form::from(json);
            upkeep::retention(&config, state, act, form)
        }
        Working::Compact => upkeep::compact(&config, state),
        Working::Takedown { what, why } => takedown::takedown(&config, state, &what, &why),
        Working::Readers { json } => readers::readers(state, json.into()),
        Working::Tags => explain::tags(&config, state),
        Working::Export { directory, json, into_nonempty } => {
            let form = if json { export::Form::Json } else { export::Form::Paths };
            let others = if into_nonempty { Others::Yield } else { Others::Stay };
            export::site(config, state, &directory, others, form)
        }
    }
}

/// Whether a command is the daemon's to do, where one runs.
fn is_asked(command: &Working) -> bool {
    matches!(
        command,
        Working::Status { .. }
            | Working::Poll { .. }
            | Working::Explain { .. }
            | Working::Takedown { .. }
            | Working::Pin { .. }
            | Working::Unpin { .. }
            | Working::Compact
            | Working::Readers { .. }
            | Working::Tags
    )
}

/// The configuration, or the status that says that it has mistakes, which are shown.
fn good(path: &Path) -> Result<Config, ExitCode> {
    config::check(path).map(|checked| checked.config).map_err(|problems| refused(&problems))
}

/// Shows mistakes, and gives the status that says so.
fn refused(problems: &Problems) -> ExitCode {
    warn(&if log::colours() { problems.coloured() } else { problems.to_string() });
    ExitCode::from(CONFIG_ERROR)
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
    warn(&format!("visnyk: {error}"));
    ExitCode::from(status)
}

/// Writes a message to standard error.
fn warn(text: &str) {
    eprintln!("{}", plain(text));
}

/// Writes what was asked for to standard output; where that cannot be, says so.
fn say(text: &dyn std::fmt::Display) -> ExitCode {
    match writeln!(std::io::stdout(), "{}", plain(&text.to_string())) {
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
    let runtime = runtime.map_err(|error| fail(IO_ERROR, &error))?;
    let kept = runtime.block_on(store.keep_by(Arc::new(config.retention.clone())));
    kept.map_err(|error| fail(IO_ERROR, &error))?;
    Ok((store, runtime))
}
