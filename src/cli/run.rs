//! `visnyk run`: the daemon, until a signal ends it.

use crate::admin;
use crate::cli::IO_ERROR;
use crate::cli::directory;
use crate::cli::enabled;
use crate::cli::export::absolute;
use crate::cli::fail;
use crate::cli::open;
use crate::config::Config;
use crate::daemon;
use crate::daemon::exporting::Mirror;
use sd_notify::NotifyState;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::info;
use tracing::warn;

/// How many addresses wait for standard output; the export waits for a place.
const TOLD_MAX: usize = 64;
/// How long the last of them are waited for.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// Runs the daemon, and keeps a directory as the site is, if one is named.
#[must_use]
pub fn run(config: Config, state: &Path, export: Option<&Path>) -> ExitCode {
    let mirrored = match export.map(absolute).transpose() {
        Ok(mirrored) => mirrored,
        Err(status) => return status,
    };
    let (store, runtime) = match open(&config, state) {
        Ok(opened) => opened,
        Err(status) => return status,
    };
    let feeds = enabled(&config);
    let site = config.site.address.clone();
    let socket = admin::socket(directory("RUNTIME_DIRECTORY"), state);
    let ended = runtime.block_on(async {
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(stop_on_signal(stop));
        let (told, changed) = mpsc::channel(TOLD_MAX);
        let telling = spawn_blocking(|| tell(changed));
        let mirror = mirrored.map(|directory| Mirror { directory, told });
        let ended = daemon::run(config, store, &socket, mirror, stopping, |address| {
            info!(%address, "listening at {address}, published at {site}");
            tell_systemd(&[
                NotifyState::Ready,
                NotifyState::Status(&format!("{feeds} feeds, listening at {address}")),
            ]);
        })
        .await;
        // Who does not read them has been waited for.
        let _ = timeout(TOLD_WITHIN, telling).await;
        ended
    });
    // Nothing is left to wait for: what runs on is a look-up of a name, and answers to nobody.
    runtime.shutdown_background();
    match ended {
        Ok(()) => {
            info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => fail(IO_ERROR, &error),
    }
}

/// Writes addresses to standard output until there are no more, or nobody reads them.
fn tell(mut changed: mpsc::Receiver<String>) {
    while let Some(path) = changed.blocking_recv() {
        if writeln!(std::io::stdout(), "{path}").is_err() {
            return;
        }
    }
}

/// The first SIGTERM or SIGINT asks for a clean end; a second one is obeyed at once.
async fn stop_on_signal(stop: watch::Sender<bool>) {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        warn!("signals cannot be waited for: they end the daemon at once");
        return std::future::pending().await;
    };
    for clean in [true, false] {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        if !clean {
            warn!("{name} again: ending at once");
            std::process::exit(i32::from(IO_ERROR));
        }
        info!("{name}: stopping");
        tell_systemd(&[NotifyState::Stopping]);
        stop.send_replace(true);
    }
}

fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!("cannot notify systemd: {error}");
    }
}
