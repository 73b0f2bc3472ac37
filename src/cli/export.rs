//! `visnyk export DIR`: the site as files, by the daemon if one runs, else from the store.

use crate::admin::REQUEST_BYTES_MAX;
use crate::cli::IO_ERROR;
use crate::cli::USAGE;
use crate::cli::asking::of_daemon;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::warn;
use crate::config::Config;
use crate::export::Change;
use crate::export::Order;
use crate::export::Others;
use crate::export::error::ExportError;
use crate::export::export;
use crate::serve::documents::Documents;
use crate::serve::stale::Lack;
use serde_json::Value;
use serde_json::json;
use std::future::ready;
use std::io::ErrorKind;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::thread::sleep;
use std::time::Duration;

/// How often the daemon is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// How changed pages are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An address a line.
    Paths,
    /// An object a line.
    Json,
}

/// Brings a directory up to date, and tells which pages changed.
#[must_use]
pub fn site(
    config: Config,
    state: &Path,
    directory: &Path,
    others: Others,
    form: Form,
) -> ExitCode {
    let directory = match absolute(directory) {
        Ok(directory) => directory,
        Err(status) => return status,
    };
    let ask = json!({
        "directory": directory.to_str(),
        "others": if others == Others::Yield { "yield" } else { "stay" },
    });
    let request = format!("export {ask}");
    // Whether a daemon runs is asked by something shorter than a path may be.
    match of_daemon(state, "digest") {
        Ok(None) => return of_store(config, state, directory, others, form),
        Ok(Some(_)) => {}
        Err(error) => return unanswered(&error),
    }
    if directory.to_str().is_none() || request.len() as u64 >= REQUEST_BYTES_MAX {
        let shown = directory.display();
        return fail(
            USAGE,
            &format!("{shown}: a daemon runs, which takes no such long or odd path"),
        );
    }
    match of_daemon(state, &request) {
        Ok(Some(number)) => followed(state, &directory, &number, form),
        Ok(None) => of_store(config, state, directory, others, form),
        Err(error) => unanswered(&error),
    }
}

/// The daemon may have another working directory.
pub(crate) fn absolute(directory: &Path) -> Result<PathBuf, ExitCode> {
    std::path::absolute(directory)
        .map_err(|error| fail(USAGE, &format!("{}: {error}", directory.display())))
}

fn of_store(
    config: Config,
    state: &Path,
    directory: PathBuf,
    others: Others,
    form: Form,
) -> ExitCode {
    let (store, runtime) = match open(&config, state) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let lanes = available_parallelism().map_or(1, usize::from);
    let order = Order { directory, lack: Lack::Unknown, others, lanes };
    let ended = runtime.block_on(async {
        let documents = Documents::new(Arc::new(config), store.clone());
        let tell = |change: Change| {
            told(&change.json(), form);
            ready(())
        };
        let ended = export(&documents, &order, tell).await;
        drop(documents);
        let closed = store.close().await.map_err(|error| ExportError::Pages(error.into()));
        ended.and_then(|summary| closed.map(|()| summary))
    });
    match ended {
        Ok(summary) => summed_up(&order.directory, &summary),
        Err(error) => failed(&error.lines(), error.is_refusal()),
    }
}

/// Tells what an export of the daemon changes, until its end.
fn followed(state: &Path, directory: &Path, number: &str, form: Form) -> ExitCode {
    let mut from = 0;
    loop {
        let told_now = match of_daemon(state, &format!("exported {number} {from}")) {
            Ok(Some(told_now)) => told_now,
            Ok(None) => return fail(IO_ERROR, &"the daemon has ended before the export"),
            Err(error) => return unanswered(&error),
        };
        let progress: Value = match serde_json::from_str(&told_now) {
            Ok(progress) => progress,
            Err(error) => return unanswered(&error.into()),
        };
        for line in texts(&progress["lines"]) {
            from += 1;
            told(&serde_json::from_str(&line).unwrap_or_default(), form);
        }
        let ended = &progress["ended"];
        if let Value::String(summary) = &ended["summary"] {
            return summed_up(directory, summary);
        }
        if ended.is_object() {
            return failed(&texts(&ended["errors"]), ended["is_refusal"] == true);
        }
        sleep(ASK_EVERY);
    }
}

fn texts(array: &Value) -> Vec<String> {
    let texts = array.as_array().into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Writes a changed page to standard output. The export goes on where that cannot be: the site is
/// what was asked for first.
fn told(change: &Value, form: Form) {
    let line = match form {
        Form::Paths => change["path"].as_str().unwrap_or_default().to_owned(),
        Form::Json => change.to_string(),
    };
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            warn(&format!("visnyk: {line} is not told: {error}"));
        }
        _ => {}
    }
}

fn summed_up(directory: &Path, summary: &dyn std::fmt::Display) -> ExitCode {
    warn(&format!("visnyk: {}: {summary}", directory.display()));
    ExitCode::SUCCESS
}

fn failed(errors: &[String], is_refusal: bool) -> ExitCode {
    for error in errors {
        warn(&format!("visnyk: {error}"));
    }
    ExitCode::from(if is_refusal { USAGE } else { IO_ERROR })
}

fn unanswered(error: &std::io::Error) -> ExitCode {
    fail(IO_ERROR, &format!("the daemon does not answer: {error}"))
}
