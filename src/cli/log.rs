//! Where log lines go, and in what form.

use crate::config::problem::Problems;
use clap::ValueEnum;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The variable that says what is logged, such as `debug` or `visnyk::fetch=trace`.
const FILTER_VARIABLE: &str = "VISNYK_LOG";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// To the journal under systemd, else for people
    Auto,
    /// For people, with colours on a terminal
    Human,
    /// To systemd's journal, with every field apart
    Journald,
    /// A JSON object a line
    Json,
}

/// Starts logging: what is asked for in the environment, else `level` of ours and the warnings
/// of others. Lines of the access log are many: they come with `debug`, or by their target's name.
pub fn start(format: LogFormat, level: &str) {
    let asked = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| level.to_owned());
    let is_level = asked.parse::<LevelFilter>().is_ok();
    let ours = |level: &str| {
        let is_usual = matches!(level.parse(), Ok(LevelFilter::INFO));
        let access = if is_usual { "off" } else { level };
        EnvFilter::new(format!("warn,visnyk={level},visnyk::access={access},sled=error"))
    };
    // A level alone is meant for us, not for every library.
    let filter = if is_level { Ok(ours(&asked)) } else { EnvFilter::try_new(&asked) };
    let filter = filter.unwrap_or_else(|error| {
        eprintln!("visnyk: {FILTER_VARIABLE}: {error}: logging as usual");
        ours(level)
    });
    tracing_subscriber::registry().with(layer(format)).with(filter).init();
}

/// Whether what is written to standard error has colours: on a terminal, unless it is asked not to
/// (no-color.org).
#[must_use]
pub fn colours() -> bool {
    let asked_not_to = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !asked_not_to
}

/// Logs what in feeds.toml is hardly meant, a line each. A daemon goes on with it.
pub fn doubts(warnings: &Problems) {
    for warning in warnings.listed() {
        warn!(code = warning.code, "{warning}");
    }
}

fn layer(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let to_stderr = || tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A terminal that was itself started by systemd has the variable too.
    let under_systemd =
        std::env::var_os("JOURNAL_STREAM").is_some() && !std::io::stderr().is_terminal();
    match format {
        LogFormat::Json => return to_stderr().json().flatten_event(true).boxed(),
        LogFormat::Journald => {}
        LogFormat::Auto if under_systemd => {}
        LogFormat::Auto | LogFormat::Human => {
            return to_stderr().with_ansi(colours()).with_target(false).boxed();
        }
    }
    match tracing_journald::layer() {
        Ok(journal) => journal.with_syslog_identifier("visnyk".to_owned()).boxed(),
        Err(error) => {
            eprintln!("visnyk: the journal does not answer ({error}): logging to standard error");
            to_stderr().with_ansi(false).boxed()
        }
    }
}
