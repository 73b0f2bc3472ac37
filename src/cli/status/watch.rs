//! `visnyk status --watch`: the status as it changes, until somebody ends it.
//!
//! On a terminal it has a screen of its own, which is given back at the end. Without one, it is
//! written once for each change. What a daemon said last stays there while it gives no answer, as
//! when it is restarted. Where no daemon runs the store is read once and then left alone: whoever
//! reads it again and again would keep a daemon from starting.

use crate::cli::IO_ERROR;
use crate::cli::USAGE;
use crate::cli::fail;
use crate::cli::status::Asked;
use crate::cli::status::Form;
use crate::cli::status::of_daemon;
use crate::cli::status::of_store;
use crate::cli::status::only;
use crate::cli::status::written;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::time::timeout;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// A screen of its own, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the first place of the screen; to the end of a line without what was there; the rest.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K\r\n";
const CLEAR_REST: &str = "\x1b[J";

/// Shows the status again and again.
#[must_use]
pub fn watch(asked: &Asked<'_>) -> ExitCode {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(IO_ERROR, &error),
    };
    // Before there is a screen to be given back, and for good: one that comes between two looks is
    // heard too.
    let mut signals = match runtime.block_on(async { Signals::heard() }) {
        Ok(signals) => signals,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let is_screen = std::io::stdout().is_terminal() && asked.form == Form::Table;
    if is_screen && let Err(error) = put(ENTER) {
        return fail(IO_ERROR, &error);
    }
    let ended = go(asked, is_screen.then_some(Screen), &runtime, &mut signals);
    if is_screen {
        // Whether or not it can be given back, it is no longer ours.
        let _ = put(LEAVE);
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, error)) => fail(status, &error),
    }
}

/// The signals that end it.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn heard() -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Whether one came, or comes within a time.
    async fn end_within(&mut self, time: Duration) -> bool {
        let signalled = async {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        };
        timeout(time, signalled).await.is_ok()
    }
}

/// What is there at the first look; or why there is nothing.
fn first(asked: &Asked<'_>) -> Result<Value, (u8, String)> {
    let told = match of_daemon(asked.state) {
        Ok(Some(told)) => told,
        Ok(None) => of_store(asked).map_err(|error| (IO_ERROR, error))?,
        Err(error) => return Err((IO_ERROR, format!("the daemon does not answer: {error}"))),
    };
    asked.unknown(&told).map_or(Ok(told), |unknown| Err((USAGE, unknown)))
}

/// What is there at another look. What a daemon said stays while it gives no answer: it may be on
/// its way back, and is not to find its store in use.
fn again(asked: &Asked<'_>, mut known: Value) -> Value {
    let why = match of_daemon(asked.state) {
        Ok(Some(told)) => return told,
        Ok(None) if known["daemon"].is_null() => return known,
        Ok(None) => "no daemon runs here".to_owned(),
        Err(error) => error.to_string(),
    };
    known["no_answer"] = why.into();
    known
}

/// There is a screen to draw on.
#[derive(Clone, Copy)]
struct Screen;

fn go(
    asked: &Asked<'_>,
    screen: Option<Screen>,
    runtime: &Runtime,
    signals: &mut Signals,
) -> Result<(), (u8, String)> {
    let (mut known, mut shown) = (None, None);
    loop {
        let told = match known.take() {
            Some(told) => again(asked, told),
            None => first(asked)?,
        };
        known = Some(told.clone());
        let mut told = only(told, asked.named);
        let drawn = if let Some(Screen) = screen {
            Some(put(&framed(&written(&told, asked.form))))
        } else {
            // The time alone is no change.
            told["at"].take();
            let is_news = shown.as_ref() != Some(&told);
            let text = is_news.then(|| written(&told, asked.form) + "\n");
            shown = Some(told);
            text.map(|text| put(&text))
        };
        match drawn {
            // Who reads has read enough.
            Some(Err(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Some(Err(error)) => {
                return Err((IO_ERROR, format!("cannot write to standard output: {error}")));
            }
            Some(Ok(())) | None => {}
        }
        if runtime.block_on(signals.end_within(EVERY)) {
            return Ok(());
        }
    }
}

/// A text over the whole screen; what does not fit is counted.
fn framed(text: &str) -> String {
    let height = terminal_size::terminal_size_of(std::io::stdout())
        .map_or(usize::MAX, |(_, height)| usize::from(height.0));
    let lines: Vec<&str> = text.lines().collect();
    let room = height.saturating_sub(1);
    let mut frame = HOME.to_owned();
    let (seen, hidden) = lines.split_at(lines.len().min(room));
    for line in seen {
        frame.push_str(line);
        frame.push_str(CLEAR_LINE);
    }
    if !hidden.is_empty() {
        // To write into a text cannot fail.
        let _ = write!(frame, "… and {} lines more", hidden.len());
    }
    frame.push_str(CLEAR_REST);
    frame
}

fn put(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}
