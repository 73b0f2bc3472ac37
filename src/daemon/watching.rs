//! Whether feeds.toml, or a file that it names, was changed.
//!
//! # Why it is looked at, and not announced
//! Editors write a file in place, or another one that takes its name; configuration tools swap a
//! link above it; network disks announce nothing. What all of them change is what the name leads
//! to: when it was last written, how long it is, and which file it is. That is asked for twice a
//! second, which costs nothing that can be measured, and has no way to fail unseen.
//!
//! A file that is being written is left alone until it looks the same twice.

use crate::daemon::reloading::Asking;
use crate::daemon::reloading::Trigger;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a name leads to: device and file, length, and when it was written and changed last, in
/// nanoseconds. None if it leads nowhere.
type Look = Option<(u64, u64, u64, i128, i128)>;

/// Asks for a reload whenever one of the files has changed, until nobody is left to answer.
pub(crate) async fn watch(files: watch::Receiver<Vec<PathBuf>>, asking: mpsc::Sender<Asking>) {
    let mut known = look(&files).await;
    let mut last = known.clone();
    loop {
        sleep(LOOK_EVERY).await;
        let now = look(&files).await;
        let is_quiet = now == last;
        if is_quiet && now != known {
            if asking.send(Asking { by: Trigger::File, reply: None }).await.is_err() {
                return;
            }
            known.clone_from(&now);
        }
        last = now;
    }
}

async fn look(files: &watch::Receiver<Vec<PathBuf>>) -> Vec<(PathBuf, Look)> {
    let files = files.borrow().clone();
    let look = |path: &PathBuf| {
        let found = metadata(path).ok()?;
        let instant =
            |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let written = instant(found.mtime(), found.mtime_nsec());
        let changed = instant(found.ctime(), found.ctime_nsec());
        Some((found.dev(), found.ino(), found.size(), written, changed))
    };
    let looking = spawn_blocking(move || {
        files
            .into_iter()
            .map(|path| {
                let look = look(&path);
                (path, look)
            })
            .collect()
    });
    // What could not be looked at looks like nothing, which differs from what it was.
    looking.await.unwrap_or_default()
}
