//! Backups that the daemon writes by itself, and those that an admin asks for.

use crate::admin::board::Board;
use crate::admin::board::LastBackup;
use crate::backup::error::BackupError;
use crate::backup::file::PARTIAL;
use crate::backup::file::write;
use crate::backup::kept;
use crate::config::Backups;
use crate::serve::documents::Documents;
use crate::store::Store;
use crate::store::files::free_bytes;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::json;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::sleep;
use tracing::info;
use tracing::warn;

/// How often it is looked whether one is due.
const LOOKED_EVERY: Duration = Duration::from_secs(20);
/// How long after its start the daemon writes the first one: it has better to do before.
const FIRST_AFTER: TimeDelta = TimeDelta::minutes(5);
/// How soon it is tried again.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(30);
/// How much room has to be left beside a backup as large as the last one, doubled.
const ROOM_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// What writes backups.
#[derive(Clone)]
pub(crate) struct Backing {
    store: Store,
    documents: Documents,
    board: Board,
}

/// Where backups are kept.
#[must_use]
pub fn directory_of(backups: &Backups, state: &Path) -> PathBuf {
    state.join(backups.directory.as_deref().unwrap_or(Path::new(kept::FOLDER)))
}

impl Backing {
    /// What writes down this store.
    pub(crate) fn new(store: &Store, documents: &Documents, board: &Board) -> Self {
        Self { store: store.clone(), documents: documents.clone(), board: board.clone() }
    }

    /// Writes a backup whenever one is due, for ever.
    pub(crate) async fn keep(self) -> Infallible {
        let begun = Utc::now();
        let mut not_before = begun;
        loop {
            let backups = self.documents.config().backup.clone();
            let directory = directory_of(&backups, self.store.directory());
            let now = Utc::now();
            if backups.keep > 0
                && now >= not_before
                && self.is_due(&directory, &backups, begun, now)
            {
                match self.write_one(&directory, backups.keep, now).await {
                    Ok(()) => self.board.backup_failed(None),
                    Err(why) => {
                        warn!("no backup, tried again in half an hour: {why}");
                        self.board.backup_failed(Some((now, why)));
                        not_before = now + RETRY_AFTER;
                    }
                }
            }
            sleep(LOOKED_EVERY).await;
        }
    }

    fn is_due(
        &self,
        directory: &Path,
        backups: &Backups,
        begun: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> bool {
        let last = kept::all(directory).ok().and_then(|all| all.into_iter().next());
        let Some(last) = last else { return now >= begun + FIRST_AFTER };
        if self.board.read(|state| state.backups.last.is_none()) {
            let took = Duration::ZERO;
            self.board.backed_up(LastBackup {
                at: last.at,
                bytes: last.bytes,
                took,
                path: last.path,
            });
        }
        let every = TimeDelta::from_std(backups.every).unwrap_or(TimeDelta::MAX);
        // One of a time to come is of a clock that was wrong.
        now - last.at >= every || last.at > now
    }

    async fn write_one(
        &self,
        directory: &Path,
        keep: usize,
        now: DateTime<Utc>,
    ) -> Result<(), String> {
        let path = kept::place_for(directory, now);
        let path = path.map_err(|error| format!("{}: {error}", directory.display()))?;
        let last = self.board.read(|state| state.backups.last.as_ref().map(|last| last.bytes));
        let wanted = last.unwrap_or_default().saturating_mul(2).saturating_add(ROOM_BYTES_MIN);
        let free = free_bytes(directory).unwrap_or(u64::MAX);
        if free < wanted {
            let (free, wanted) = (free >> 20, wanted >> 20);
            return Err(format!("its disk has {free} MiB left, and {wanted} MiB are wanted"));
        }
        let written = write(&self.store, &path, now).await.map_err(|error| error.to_string())?;
        let (backup, took) = (written.backup, written.took);
        let (articles, bytes, unread) = (backup.articles(), backup.bytes, written.unread.len());
        let shown = backup.path.display();
        info!(
            articles,
            bytes,
            ?took,
            "backup {shown}: {articles} articles, {bytes} bytes, in {took:.1?}"
        );
        if unread > 0 {
            warn!(
                "{unread} records of the store do not read: `visnyk verify` says which, once the daemon is stopped"
            );
        }
        self.board.backed_up(LastBackup { at: backup.at, bytes, took, path: backup.path });
        let rotated: io::Result<()> = kept::rotate(directory, keep);
        rotated.map_err(|error| format!("old ones cannot be removed: {error}"))
    }

    /// Writes one for an admin, who fetches it from where the daemon may write. Gives where it is,
    /// and what does not read, as JSON.
    pub(crate) async fn ask(&self) -> Result<String, String> {
        let now = Utc::now();
        let directory = directory_of(&self.documents.config().backup, self.store.directory());
        // This one makes the directory, and is not among those that are kept.
        let place = kept::place_for(&directory, now).map_err(|error| error.to_string())?;
        let name = place.file_name().unwrap_or_default().display().to_string();
        let path = directory.join(format!("{PARTIAL}asked-{name}"));
        let written = write(&self.store, &path, now).await;
        let written = written.map_err(|error: BackupError| error.to_string())?;
        let unread = written.unread.iter();
        let unread = unread.map(|one| json!({ "what": one.what, "reason": one.reason }));
        let path = std::path::absolute(&path).map_err(|error| error.to_string())?;
        Ok(json!({ "path": path, "unread": unread.collect::<Vec<_>>() }).to_string())
    }
}
