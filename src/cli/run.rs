//! `visnyk run`: the daemon, until a signal ends it.

use crate::admin;
use crate::backup::recovery;
use crate::cli::IO_ERROR;
use crate::cli::directory;
use crate::cli::export::absolute;
use crate::cli::fail;
use crate::cli::handed::handed;
use crate::config::Config;
use crate::daemon;
use crate::daemon::Notice;
use crate::daemon::Start;
use crate::daemon::backing::directory_of;
use crate::daemon::exporting::Mirror;
use sd_notify::NotifyState;
use std::io;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::Signal;
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

/// Runs the daemon by a feeds.toml that was read from `path`, and keeps a directory as the site is,
/// if one is named.
#[must_use]
pub fn run(path: &Path, config: Config, state: &Path, export: Option<&Path>) -> ExitCode {
    let mirrored = match export.map(absolute).transpose() {
        Ok(mirrored) => mirrored,
        Err(status) => return status,
    };
    // Before anything else opens a file: the numbers of the descriptors are told.
    let handed = match handed() {
        Ok(handed) => handed,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let watchdog = sd_notify::watchdog_enabled();
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let backups = directory_of(&config.backup, state);
    let opened = recovery::open(state, &backups, &config.publications, &runtime);
    let (store, recovery) = match opened {
        Ok(opened) => opened,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let site = config.site.address.clone();
    let socket = admin::socket(directory("RUNTIME_DIRECTORY"), state);
    let feeds = config.feeds.keys().cloned().collect();
    let ended = runtime.block_on(async {
        // What they take is not worth a daemon that does not start.
        if let Err(error) = store.keep_documents_of(feeds).await {
            warn!("documents of feeds that are no more are not forgotten: {error}");
        }
        let (stop, stopping) = watch::channel(false);
        let (hung_up, reloads) = mpsc::channel(1);
        tokio::spawn(stop_on_signal(stop));
        // Heeded from here on: by default it would end the daemon.
        tokio::spawn(reload_on_signal(signal(SignalKind::hangup()), hung_up));
        let (told, changed) = mpsc::channel(TOLD_MAX);
        let telling = spawn_blocking(|| tell(changed));
        let mirror = mirrored.map(|directory| Mirror { directory, told });
        let path = path.to_owned();
        let start = Start { path, config, store, socket, mirror, handed, watchdog, recovery };
        let notify = move |notice: &Notice| {
            if let Notice::Ready { address, .. } = notice {
                info!(%address, "listening at {address}, published at {site}");
            }
            tell_manager(notice);
        };
        // All loops are in it: too much for a stack.
        let ended = Box::pin(daemon::run(start, reloads, stopping, notify)).await;
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

/// Tells the service manager what happens (`sd_notify(3)`).
fn tell_manager(notice: &Notice) {
    match notice {
        Notice::Ready { address, feeds } => tell_systemd(&[
            NotifyState::Ready,
            NotifyState::Status(&format!("{feeds} feeds, listening at {address}")),
        ]),
        Notice::GoesOn => tell_systemd(&[NotifyState::Watchdog]),
        Notice::Reloading => match NotifyState::monotonic_usec_now() {
            Ok(now) => tell_systemd(&[NotifyState::Reloading, now]),
            Err(error) => warn!("cannot tell systemd that feeds.toml is read: {error}"),
        },
        Notice::Reloaded { feeds, refused: None } => tell_systemd(&[
            NotifyState::Ready,
            NotifyState::Status(&format!("{feeds} feeds, by a feeds.toml that was read again")),
        ]),
        Notice::Reloaded { feeds, refused: Some(why) } => {
            let first = why.lines().next().unwrap_or_default();
            let told =
                format!("{feeds} feeds, by the old feeds.toml; the new one is refused: {first}");
            tell_systemd(&[NotifyState::Ready, NotifyState::Status(&told)]);
        }
    }
}

/// Each SIGHUP is a word to read feeds.toml again; of those that come together one is enough.
async fn reload_on_signal(signals: io::Result<Signal>, hung_up: mpsc::Sender<()>) {
    let Ok(mut signals) = signals else {
        warn!("SIGHUP cannot be waited for: it ends the daemon");
        return std::future::pending().await;
    };
    while signals.recv().await.is_some() {
        info!("SIGHUP: reading feeds.toml again");
        // One that waits already will do.
        let _ = hung_up.try_send(());
    }
}

/// Writes addresses to standard output until there are no more, or nobody reads them.
fn tell(mut changed: mpsc::Receiver<String>) {
    while let Some(path) = changed.blocking_recv() {
        if writeln!(io::stdout(), "{path}").is_err() {
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
