//! The one thread that owns the engine: takes commands in turn, and answers each.
//!
//! # Why one thread
//! The engine has been seen to deadlock and to starve under many. With one there is nothing to
//! lock, a commit reads what it changes, and a panic of the engine has one place to be caught.
//!
//! Commits that wait together share one flush: each is a batch of its own, and none is
//! acknowledged before the flush.

use crate::model::exchange::History;
use crate::model::feed::Feed;
use crate::model::id::Digest;
use crate::model::known::Harvest;
use crate::model::publication::Publication;
use crate::model::publication::Selection;
use crate::store::archive::Archive;
use crate::store::engine::Engine;
use crate::store::engine::Medium;
use crate::store::engine::Steps;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::relabel::Labeller;
use crate::store::relabel::Progress;
use chrono::DateTime;
use chrono::Utc;
use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

/// How many commits share one flush.
const GROUP_MAX: usize = 64;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
pub(crate) enum Command {
    /// Anything but a commit; it answers by itself.
    Work(Box<dyn FnOnce(&mut Keeper) + Send>),
    /// A poll to be recorded.
    Commit(Box<Commit>),
    /// To make everything durable, give the lock back and end.
    Close(Reply<()>),
}

/// A poll to be recorded.
pub(crate) struct Commit {
    /// Which feed was polled.
    pub(crate) feed: Arc<Feed>,
    /// What is to be remembered of it.
    pub(crate) history: History,
    /// What the poll brought.
    pub(crate) harvest: Harvest,
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// Where the stale publications go.
    pub(crate) reply: Reply<BTreeSet<Selection>>,
}

/// Keeps the archive, and knows whether it can still be trusted.
#[derive(Debug)]
pub(crate) struct Keeper {
    directory: PathBuf,
    archive: Archive,
    health: Health,
}

#[derive(Debug)]
enum Health {
    Well,
    /// A write failed: memory and disk may differ, so nothing more is built on it.
    ReadOnly(String),
    /// The engine panicked: what it holds is not known.
    Broken(String),
}

impl Keeper {
    /// Opens the engine. No panic of it comes out.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::of(directory, Engine::open, Archive::new)
    }

    /// The same over a medium, which is called by the name of a directory.
    pub(crate) fn over(directory: &Path, medium: Box<dyn Medium>) -> Result<Self, StoreError> {
        Self::of(directory, |directory| Ok(Engine::over(directory, medium)), Archive::new)
    }

    /// The same, with nothing of ours written: to be read only.
    pub(crate) fn look(directory: &Path) -> Result<Self, StoreError> {
        Self::of(directory, Engine::open, Archive::looked_at)
    }

    fn of(
        directory: &Path,
        engine: impl FnOnce(&Path) -> Result<Engine, StoreError>,
        archive: fn(Engine) -> Result<Archive, StoreError>,
    ) -> Result<Self, StoreError> {
        let opened = catch_unwind(AssertUnwindSafe(|| engine(directory).and_then(archive)));
        let archive = opened.unwrap_or_else(|panic| {
            Err(StoreError::Damaged { directory: directory.to_owned(), reason: said(&*panic) })
        })?;
        Ok(Self { directory: directory.to_owned(), archive, health: Health::Well })
    }

    /// What counts on while the engine works.
    pub(crate) fn steps(&self) -> Steps {
        self.archive.engine.steps()
    }

    /// Indexes what the admin composed.
    pub(crate) fn compose(
        &mut self,
        composed: Vec<Publication>,
        at: DateTime<Utc>,
    ) -> Result<BTreeSet<Selection>, StoreError> {
        self.write(|archive| archive.compose(composed, at))
    }

    /// Labels a slice of the articles anew.
    pub(crate) fn relabel(
        &mut self,
        digest: Digest,
        labeller: &Labeller,
        at: DateTime<Utc>,
    ) -> Result<Progress, StoreError> {
        self.write(|archive| archive.relabel(digest, labeller, at))
    }

    /// Recounts everything, with what the admin composed.
    pub(crate) fn verify(
        &mut self,
        composed: Vec<Publication>,
    ) -> Result<(u64, Vec<String>), StoreError> {
        self.guarded(|archive| {
            archive.composed = composed;
            let mut articles = 0;
            archive.for_each_page(|page, _| {
                articles += page.len() as u64;
                Ok(())
            })?;
            Ok((articles, archive.audit()?))
        })
    }

    /// Does something that changes nothing.
    pub(crate) fn read<T>(
        &mut self,
        work: impl FnOnce(&Archive) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.guarded(|archive| work(archive))
    }

    /// Does something that changes the store. After a failure nothing is written any more, and
    /// nothing read that was not durable: even what only could not be read may have failed because
    /// an earlier write of the same group did, which the engine makes behind our back.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Archive) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Health::ReadOnly(reason) = &self.health {
            let (directory, reason) = (self.directory.clone(), reason.clone());
            return Err(StoreError::ReadOnly { directory, reason });
        }
        let done = self.guarded(work);
        if let Err(error @ StoreError::Engine { .. }) = &done {
            self.health = Health::ReadOnly(error.to_string());
            self.archive.engine.fall_back();
        }
        done
    }

    /// Opens the engine again after a write failed, if its disk takes writes: it then has what was
    /// acknowledged. Until then it is read on.
    pub(crate) fn renew(&mut self, at: DateTime<Utc>) -> Result<(), StoreError> {
        if !matches!(self.health, Health::ReadOnly(_)) {
            return self.read(|_| Ok(()));
        }
        if let Err(error) = self.guarded(|archive| archive.engine.renew()) {
            if self.guarded(|archive| archive.engine.get(&keys::format())).is_ok() {
                return Err(error);
            }
            let reason = error.to_string();
            self.health = Health::Broken(reason.clone());
            return Err(StoreError::Broken { directory: self.directory.clone(), reason });
        }
        self.health = Health::Well;
        // The write that failed may have been of an index.
        self.compose(self.archive.composed.clone(), at).map(drop)
    }

    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Archive) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let directory = self.directory.clone();
        if let Health::Broken(reason) = &self.health {
            return Err(StoreError::Broken { directory, reason: reason.clone() });
        }
        catch_unwind(AssertUnwindSafe(|| work(&mut self.archive))).unwrap_or_else(|panic| {
            let reason = said(&*panic);
            self.health = Health::Broken(reason.clone());
            Err(StoreError::Broken { directory, reason })
        })
    }

    fn commit(&mut self, commit: Commit) -> (Reply<BTreeSet<Selection>>, CommitResult) {
        let Commit { feed, history, harvest, at, reply } = commit;
        (reply, self.write(|archive| archive.commit(&feed, &history, harvest, at)))
    }

    // Gives the command that ended the group.
    fn commit_group(
        &mut self,
        first: Commit,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Option<Command> {
        let mut group = vec![self.commit(first)];
        let mut next = None;
        while group.len() < GROUP_MAX && next.is_none() {
            match commands.try_recv() {
                Ok(Command::Commit(commit)) => group.push(self.commit(*commit)),
                Ok(other) => next = Some(other),
                Err(_) => break,
            }
        }
        let durable = self.write(|archive| archive.engine.sync());
        for (reply, stale) in group {
            // Who asked may have gone; what is written stays written.
            let _ = reply.send(stale.and_then(|stale| durable.clone().map(|()| stale)));
        }
        next
    }

    fn close(self) -> Result<(), StoreError> {
        let Self { directory, archive, health } = self;
        if let Health::Broken(reason) = health {
            return Err(StoreError::Broken { directory, reason });
        }
        catch_unwind(AssertUnwindSafe(|| archive.engine.close()))
            .unwrap_or_else(|panic| Err(StoreError::Broken { directory, reason: said(&*panic) }))
    }
}

type CommitResult = Result<BTreeSet<Selection>, StoreError>;

/// Serves commands until one says to close, or nobody is left to send one.
pub(crate) async fn serve(mut keeper: Keeper, mut commands: mpsc::Receiver<Command>) {
    let mut next = commands.recv().await;
    while let Some(command) = next {
        next = match command {
            Command::Work(work) => {
                work(&mut keeper);
                commands.recv().await
            }
            Command::Commit(commit) => match keeper.commit_group(*commit, &mut commands) {
                None => commands.recv().await,
                after => after,
            },
            Command::Close(reply) => {
                // Whoever waits behind this is told, when the channel goes, that all is closed.
                commands.close();
                let _ = reply.send(keeper.close());
                return;
            }
        };
    }
    if let Err(error) = keeper.close() {
        tracing::error!(%error, "the store did not close as it should: {error}");
    }
}

/// How much of what a panic says is told.
const SAID_MAX: usize = 300;

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    // The engine may print all that it holds after its first words.
    let line = text.unwrap_or("without a word").lines().next().unwrap_or_default();
    format!("it panicked: {}", line.chars().take(SAID_MAX).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Batch;
    use crate::store::engine::Cause;
    use crate::store::engine::doubtful::Doubtful;
    use crate::store::keys::Space;
    use std::sync::atomic::Ordering;

    #[test]
    fn after_a_panic_every_command_is_refused_and_none_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::open(folder.path()).unwrap();
        let broken: Result<(), _> = keeper.read(|_| panic!("a page went missing"));
        let Err(StoreError::Broken { reason, .. }) = broken else { panic!("{broken:?}") };
        assert_eq!(reason, "it panicked: a page went missing");
        assert!(matches!(keeper.read(|_| Ok(())), Err(StoreError::Broken { .. })));
        assert!(matches!(keeper.write(|_| Ok(())), Err(StoreError::Broken { .. })));
        assert!(matches!(keeper.close(), Err(StoreError::Broken { .. })));
    }

    #[test]
    fn a_reading_that_fails_between_writes_takes_back_what_is_not_durable() {
        let medium = Doubtful::default();
        let is_unreadable = Arc::clone(&medium.is_unreadable);
        let mut keeper = Keeper::over(Path::new("test"), Box::new(medium)).unwrap();
        let batch = |value: u8| Batch::from([(b"~".to_vec(), Some(vec![value]))]);
        let value = |keeper: &mut Keeper| keeper.read(|archive| archive.engine.get(b"~")).unwrap();
        let before = value(&mut keeper);
        keeper.write(|archive| archive.engine.commit(batch(2))).unwrap();
        assert_eq!(value(&mut keeper), Some(vec![2]), "it is seen at once");
        is_unreadable.store(true, Ordering::Relaxed);
        let unread = keeper.write(|archive| archive.engine.get(b"else"));
        assert!(matches!(unread, Err(StoreError::Engine { act: "read", .. })), "{unread:?}");
        is_unreadable.store(false, Ordering::Relaxed);
        let unsynced = keeper.write(|archive| archive.engine.sync());
        assert!(matches!(unsynced, Err(StoreError::ReadOnly { .. })), "{unsynced:?}");
        assert_eq!(value(&mut keeper), before);
    }

    #[test]
    fn after_a_failed_write_nothing_is_written_and_reading_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::open(folder.path()).unwrap();
        let full = StoreError::Engine {
            directory: folder.path().to_owned(),
            act: "write",
            cause: Cause::System,
            reason: "no space".to_owned(),
        };
        assert_eq!(keeper.write(|_| Err::<(), _>(full.clone())), Err(full));
        assert!(matches!(keeper.write(|_| Ok(())), Err(StoreError::ReadOnly { .. })));
        assert_eq!(keeper.read(|_| Ok(1)), Ok(1));
    }

    #[test]
    fn a_store_of_a_later_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::open(folder.path()).unwrap();
        let mut batch = std::collections::BTreeMap::new();
        let key = keys::format();
        keeper.archive.put(&mut batch, Space::Meta, key, &9_u32).unwrap();
        keeper.archive.engine.commit(batch).unwrap();
        keeper.close().unwrap();
        let refused = Keeper::open(folder.path()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "{}: the store has format 9, this visnyk knows formats up to 2; use the visnyk \
                 that wrote it",
                folder.path().display()
            )
        );
    }
}
