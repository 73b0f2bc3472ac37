//! `visnyk run`: the daemon, until a signal ends it.

use crate::admin;
use crate::cli::IO_ERROR;
use crate::cli::directory;
use crate::cli::enabled;
use crate::cli::fail;
use crate::cli::open;
use crate::config::Config;
use crate::daemon;
use sd_notify::NotifyState;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::watch;
use tracing::info;
use tracing::warn;

/// Runs the daemon.
#[must_use]
pub fn run(config: Config, state: &Path) -> ExitCode {
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
        daemon::run(config, store, &socket, stopping, |address| {
            info!(%address, "listening at {address}, published at {site}");
            tell_systemd(&[
                NotifyState::Ready,
                NotifyState::Status(&format!("{feeds} feeds, listening at {address}")),
            ]);
        })
        .await
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
