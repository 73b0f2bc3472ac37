//! The articles and what is remembered of each feed, on a disk.
//!
//! # What holds
//! - What a poll found is recorded in one step together with the poll's own history: after a
//!   crash at any instant all of it is there, or none.
//! - Nothing is acknowledged before it is durable.
//! - An article's IRI, its date and the moment when it was first seen are settled once.
//! - Indexes and counters agree with the articles at every moment.
//!
//! # How
//! `engine` is the only room that knows the engine. `keys` says what lies where, `records` and
//! `codec` what a value is. `archive` reads, `commit` writes what polls found, `members` keeps the
//! indexes, `composition` those of what the admin composed, `pages` the fronts and archives,
//! `removal` takes away, `retain` drops what is old, `copying` writes all of it anew, `audit` recounts.
//! All of it runs on one thread, in `writer`, which a
//! [`Store`] sends commands to.

mod archive;
mod audit;
mod codec;
mod commit;
mod composition;
pub mod copying;
pub mod dump;
pub mod engine;
pub mod error;
mod events;
pub mod files;
mod keys;
pub mod lines;
mod members;
mod mend;
mod pages;
mod records;
pub mod refill;
pub mod relabel;
mod removal;
pub mod retain;
pub mod salvage;
pub mod snapshot;
mod surroundings;
pub mod swap;
mod trail;
mod upkeep;
mod writer;

use crate::model::article::Article;
use crate::model::exchange::History;
use crate::model::exchange::Kept;
use crate::model::feed::Feed;
use crate::model::front::ArchivePage;
use crate::model::front::Closing;
use crate::model::front::Front;
use crate::model::front::Rear;
use crate::model::front::Removal;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::known::Harvest;
use crate::model::known::Memory;
use crate::model::publication::Publication;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::revision::Trail;
use crate::model::surroundings::Surroundings;
use crate::store::archive::Archive;
use crate::store::engine::Medium;
use crate::store::engine::Steps;
use crate::store::error::StoreError;
use crate::store::relabel::Labeller;
use crate::store::relabel::Progress;
use crate::store::swap::finished;
use crate::store::swap::is_coming;
use crate::store::writer::Command;
use crate::store::writer::Commit;
use crate::store::writer::Keeper;
use crate::store::writer::serve;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc as blocking;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many commands wait for the thread; who sends more waits for a place.
const COMMANDS_MAX: usize = 64;

/// How long an answer is waited for. The engine can stall for minutes when one of its own
/// threads dies.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// How long the engine may take to open. Indexing afterwards is not counted.
const OPEN_TIMEOUT: Duration = Duration::from_mins(1);

/// A handle on an open store; all clones are one.
#[derive(Debug, Clone)]
pub struct Store {
    directory: Arc<Path>,
    commands: mpsc::Sender<Command>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    steps: Steps,
}

impl Store {
    /// Opens the store in a directory, which is made if there is none, and brings the indexes of
    /// what the admin composed up to date. Blocks.
    ///
    /// # Errors
    /// The directory cannot be used, another visnyk holds it, or what is in it is damaged or of
    /// a later format.
    pub fn open(directory: &Path, composed: Vec<Publication>) -> Result<Self, StoreError> {
        Self::started(directory, Some(composed))
    }

    /// Opens the store in a directory to read it: nothing of ours is written, no index is brought
    /// up to date, and no directory is made. None if there is no store. The engine holds its lock
    /// meanwhile, and may tidy its own files. Blocks.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn look(directory: &Path) -> Result<Option<Self>, StoreError> {
        if !engine::is_there(directory) && !is_coming(directory) {
            return Ok(None);
        }
        Self::started(directory, None).map(Some)
    }

    /// Opens the store in a medium that is no directory of ours, and is called by the name of one.
    /// `at` is the time. No thread is started: the commands are worked off by a task of the runtime
    /// that this is called in, so that whoever has the runtime decides in which order all happens,
    /// and at which instant all ends.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn over(
        directory: &Path,
        medium: Box<dyn Medium>,
        composed: Vec<Publication>,
        at: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let mut keeper = Keeper::over(directory, medium)?;
        keeper.compose(composed, at)?;
        let (steps, thread) = (keeper.steps(), Arc::default());
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        drop(tokio::spawn(serve(keeper, received)));
        Ok(Self { directory: directory.into(), commands, thread, steps })
    }

    fn started(directory: &Path, composed: Option<Vec<Publication>>) -> Result<Self, StoreError> {
        let directory: Arc<Path> = directory.into();
        let (commands, received) = mpsc::channel(COMMANDS_MAX);
        let (opened, opening) = blocking::channel();
        let (ready, readying) = blocking::channel();
        let failed = |error: io::Error| StoreError::Directory {
            directory: directory.to_path_buf(),
            reason: error.to_string(),
        };
        // It only waits for commands: neither a clock nor a socket is needed.
        let runtime = runtime::Builder::new_current_thread().build().map_err(failed)?;
        let work = {
            let directory = Arc::clone(&directory);
            move || {
                let keeper = finished(&directory).and_then(|()| match composed {
                    Some(_) => Keeper::open(&directory),
                    None => Keeper::look(&directory),
                });
                // Nobody waits any more if it took too long.
                let _ = opened.send(keeper.as_ref().map(Keeper::steps).map_err(Clone::clone));
                let Ok(mut keeper) = keeper else { return };
                let composed = composed
                    .map_or(Ok(()), |composed| keeper.compose(composed, Utc::now()).map(|_| ()));
                let is_well = composed.is_ok();
                if ready.send(composed).is_ok() && is_well {
                    runtime.block_on(serve(keeper, received));
                }
            }
        };
        let spawned = thread::Builder::new().name("store".to_owned()).spawn(work);
        let thread = spawned.map_err(failed)?;
        let slow = |_| StoreError::Slow {
            directory: directory.to_path_buf(),
            seconds: OPEN_TIMEOUT.as_secs(),
        };
        let steps = opening.recv_timeout(OPEN_TIMEOUT).map_err(slow)??;
        let gone = |_| StoreError::Closed { directory: directory.to_path_buf() };
        readying.recv().map_err(gone)??;
        Ok(Self { directory, commands, thread: Arc::new(Mutex::new(Some(thread))), steps })
    }

    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether it goes on: within a time it answers, or the engine is read and written for whoever
    /// asked before.
    pub async fn goes_on(&self, within: Duration) -> bool {
        let before = self.steps.taken();
        let answered = timeout(within, self.work(|_| Ok(()))).await;
        answered.map_or(self.steps.taken() != before, |answer| answer.is_ok())
    }

    /// What is remembered of a feed; nothing of an unknown one.
    ///
    /// # Errors
    /// The history does not read, or the store has stopped.
    pub async fn history(&self, feed: &FeedId) -> Result<History, StoreError> {
        let feed = feed.clone();
        self.read(move |archive| archive.history(&feed)).await
    }

    /// What is remembered of every feed that was ever polled.
    ///
    /// # Errors
    /// A history does not read, or the store has stopped.
    pub async fn histories(&self) -> Result<BTreeMap<FeedId, History>, StoreError> {
        self.read(Archive::histories).await
    }

    /// What is known of the newest articles of a feed, to compare its document with.
    ///
    /// # Errors
    /// One of them does not read, or the store has stopped.
    pub async fn memory(&self, feed: &FeedId) -> Result<Memory, StoreError> {
        let feed = feed.clone();
        self.read(move |archive| archive.memory(&feed)).await
    }

    /// Records what a poll found, in one step, and gives the publications whose documents are
    /// stale. It is durable when this returns.
    ///
    /// An added article whose IRI another article bears gets a minted one. One that is there
    /// already is left as it is. What changes keeps its IRI, its `published` and its
    /// `first_seen`, whatever the change says; what changes and is not there is added.
    ///
    /// # Errors
    /// An article is of another feed, a stored value does not read, writing fails, or the store
    /// has stopped. Nothing of the poll is then acknowledged, and it may be repeated.
    pub async fn commit(
        &self,
        feed: Arc<Feed>,
        history: History,
        harvest: impl Into<Harvest>,
        at: DateTime<Utc>,
    ) -> Result<BTreeSet<Selection>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let commit = Commit { feed, history, harvest: harvest.into(), at, reply };
        self.ask(Command::Commit(Box::new(commit)), answer).await
    }

    /// Records changes that are no poll's, such as a [`Harvest`] that was made anew of the same
    /// document, if what is remembered of the feed is still `expected`. Gives nothing if the feed
    /// was polled since: then nothing is written.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn amend(
        &self,
        feed: Arc<Feed>,
        expected: History,
        harvest: impl Into<Harvest>,
        at: DateTime<Utc>,
    ) -> Result<Option<BTreeSet<Selection>>, StoreError> {
        let harvest = harvest.into();
        let amend = move |archive: &mut Archive| {
            if archive.history(&feed.id)? != expected {
                return Ok(None);
            }
            let touched = archive.commit(&feed, &expected, harvest, at)?;
            archive.engine.sync()?;
            Ok(Some(touched))
        };
        self.work(move |keeper| keeper.write(amend)).await
    }

    /// Where an article came from, and what changed in it; nothing of one that is older than these
    /// records, or that is not there.
    ///
    /// # Errors
    /// The article does not read, or the store has stopped.
    pub async fn trail(&self, id: ArticleId) -> Result<Trail, StoreError> {
        self.read(move |archive| archive.trail(id)).await
    }

    /// The last document of a feed; none if none was read since documents are kept.
    ///
    /// # Errors
    /// It does not read, or the store has stopped.
    pub async fn kept(&self, feed: &FeedId) -> Result<Option<Kept>, StoreError> {
        let feed = feed.clone();
        self.read(move |archive| archive.kept(&feed)).await
    }

    /// Forgets the documents that are kept of all other feeds than these, and gives how many they
    /// were. Their articles stay.
    ///
    /// # Errors
    /// Writing fails, or the store has stopped.
    pub async fn keep_documents_of(&self, feeds: BTreeSet<FeedId>) -> Result<usize, StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.keep_documents_of(&feeds))).await
    }

    /// The publications that an article stands in, and on which page of their archives; no page
    /// while it is on the front.
    ///
    /// # Errors
    /// The article does not read, or the store has stopped.
    pub async fn standings(
        &self,
        id: ArticleId,
    ) -> Result<Vec<(Selection, Option<u64>)>, StoreError> {
        self.read(move |archive| archive.standings(id)).await
    }

    /// The articles of a selection, the newest published first, ties by id; at most `limit`. One
    /// that does not read is left out, with an error in the log.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn newest(
        &self,
        selection: &Selection,
        limit: usize,
    ) -> Result<Vec<Article>, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.newest(&selection, limit)).await
    }

    /// What a selection holds; none if it never held an article. One that lost its last article
    /// stays, with a count of 0 and the date of that article.
    ///
    /// # Errors
    /// The counters do not read, or the store has stopped.
    pub async fn shelf(&self, selection: &Selection) -> Result<Option<Shelf>, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.shelf(&selection)).await
    }

    /// What every selection holds that ever held an article.
    ///
    /// # Errors
    /// Counters do not read, or the store has stopped.
    pub async fn shelves(&self) -> Result<BTreeMap<Selection, Shelf>, StoreError> {
        self.read(Archive::shelves).await
    }

    /// An article.
    ///
    /// # Errors
    /// It does not read, or the store has stopped.
    pub async fn article(&self, id: ArticleId) -> Result<Option<Article>, StoreError> {
        self.read(move |archive| archive.article(id)).await
    }

    /// An article, and what is around it; none if there is none, or a rule keeps it out.
    ///
    /// # Errors
    /// It does not read, or the store has stopped.
    pub async fn surroundings(&self, id: ArticleId) -> Result<Option<Surroundings>, StoreError> {
        self.read(move |archive| archive.surroundings(id)).await
    }

    /// Counts that pages of articles were read.
    ///
    /// # Errors
    /// Writing fails, or the store has stopped.
    pub async fn add_reads(&self, reads: BTreeMap<ArticleId, u64>) -> Result<(), StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.add_reads(&reads))).await
    }

    /// How many articles of each of some selections were published since an instant; counted no
    /// further than `most`.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn counts_since(
        &self,
        selections: Vec<Selection>,
        since: DateTime<Utc>,
        most: usize,
    ) -> Result<Vec<usize>, StoreError> {
        let counts = move |archive: &Archive| {
            let counts = selections.iter();
            counts.map(|selection| archive.count_since(selection, since, most)).collect()
        };
        self.read(counts).await
    }

    /// The ids of all articles that no rule keeps out, the newest published first.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn ids(&self) -> Result<Vec<ArticleId>, StoreError> {
        self.read(Archive::ids).await
    }

    /// The front of a selection: at most so many articles, the last come first.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn front(&self, selection: &Selection, most: usize) -> Result<Front, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.front(&selection, most)).await
    }

    /// The end of a front: at most `most` articles, the oldest first, and how many there are, as
    /// far as `count`. No article if there are fewer than `least`.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn rear(
        &self,
        selection: &Selection,
        least: usize,
        most: usize,
        count: usize,
    ) -> Result<Rear, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.rear(&selection, least, most, count)).await
    }

    /// Closes pages of what stands on a front, unless others were closed after `last_number`.
    /// What does not stand there any more is left out. Gives how much has left the front.
    ///
    /// # Errors
    /// Writing fails, or the store has stopped.
    pub async fn close_pages(
        &self,
        selection: &Selection,
        last_number: u64,
        closing: Closing,
        at: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        let selection = selection.clone();
        let close = move |keeper: &mut Keeper| {
            keeper.write(|archive| archive.close_pages(&selection, last_number, &closing, at))
        };
        self.work(close).await
    }

    /// A page of the archive of a selection; none if it has no such page.
    ///
    /// # Errors
    /// The page does not read, or the store has stopped.
    pub async fn page(
        &self,
        selection: &Selection,
        number: u64,
    ) -> Result<Option<ArchivePage>, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.page(&selection, number)).await
    }

    /// The numbers of the pages of a selection's archive, in order.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn page_numbers(&self, selection: &Selection) -> Result<Vec<u64>, StoreError> {
        let selection = selection.clone();
        self.read(move |archive| archive.page_numbers(&selection)).await
    }

    /// Takes an article away for good, and gives the publications whose documents are stale; none
    /// if there is no such article.
    ///
    /// # Errors
    /// The article does not read, writing fails, or the store has stopped.
    pub async fn remove(
        &self,
        id: ArticleId,
        removal: Removal,
    ) -> Result<Option<BTreeSet<Selection>>, StoreError> {
        self.work(move |keeper| keeper.write(|archive| archive.remove(id, &removal))).await
    }

    /// Why an article was taken away; none if it was not.
    ///
    /// # Errors
    /// What is remembered of it does not read, or the store has stopped.
    pub async fn removal(&self, id: ArticleId) -> Result<Option<Removal>, StoreError> {
        self.read(move |archive| archive.removal(id)).await
    }

    /// Brings the indexes up to date with what the admin now composes, as [`Store::open`] does,
    /// and gives the publications whose documents are stale.
    ///
    /// # Errors
    /// A stored value does not read, writing fails, or the store has stopped.
    pub async fn compose(
        &self,
        composed: Vec<Publication>,
        at: DateTime<Utc>,
    ) -> Result<BTreeSet<Selection>, StoreError> {
        self.work(move |keeper| keeper.compose(composed, at)).await
    }

    /// Labels the next slice of the stored articles anew, unless that was done for `digest`, which
    /// stands for all that decides about labels. Neither `updated` nor the order of articles moves.
    ///
    /// # Errors
    /// A stored value does not read, writing fails, or the store has stopped.
    pub async fn relabel(
        &self,
        digest: Digest,
        labeller: Box<Labeller>,
        at: DateTime<Utc>,
    ) -> Result<Progress, StoreError> {
        self.work(move |keeper| keeper.relabel(digest, &*labeller, at)).await
    }

    /// The id of the first article that is meant, in the order in which they were first seen; none
    /// if none is.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn find(
        &self,
        is_meant: Box<dyn Fn(&Article) -> bool + Send>,
    ) -> Result<Option<ArticleId>, StoreError> {
        self.read(move |archive| archive.find(&*is_meant)).await
    }

    /// The articles that were published between two instants, the newest first; at most `limit`.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn around(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Article>, StoreError> {
        self.read(move |archive| archive.around(from, to, limit)).await
    }

    /// Opens the engine again if a write failed and its disk takes writes now; otherwise all is as
    /// it was, and what there is can be read.
    ///
    /// # Errors
    /// The disk takes no writes yet, or the store has stopped.
    pub async fn renew(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.work(move |keeper| keeper.renew(at)).await
    }

    /// Calls `visit` with the articles, page by page, in the order in which they were first seen.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn for_each(
        &self,
        mut visit: impl FnMut(&[Article]) + Send + 'static,
    ) -> Result<(), StoreError> {
        let each = move |archive: &Archive| {
            archive.for_each_page(|articles, _| {
                visit(articles);
                Ok(())
            })
        };
        self.read(each).await
    }

    /// Whether the store reads: what a daemon reads first, and some of everything.
    ///
    /// # Errors
    /// It does not, or the store has stopped.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.read(Archive::probe).await
    }

    /// The same as [`Store::audit`] of a store that was opened to be read, with the publications
    /// that the admin composed, and how many articles there are.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn verify(
        &self,
        composed: Vec<Publication>,
    ) -> Result<(u64, Vec<String>), StoreError> {
        self.work(move |keeper| keeper.verify(composed)).await
    }

    /// Recounts every index and counter from the articles: what does not agree, in words.
    ///
    /// # Errors
    /// The engine cannot read, or the store has stopped.
    pub async fn audit(&self) -> Result<Vec<String>, StoreError> {
        self.read(Archive::audit).await
    }

    /// Makes everything durable, ends the thread and gives the lock back.
    ///
    /// # Errors
    /// The last flush failed, or the store was closed before.
    pub async fn close(self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        let closed = self.ask(Command::Close(reply), answer).await;
        if !matches!(closed, Err(StoreError::Slow { .. })) {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(thread) = thread {
                let joined = tokio::task::spawn_blocking(|| thread.join()).await;
                if !matches!(joined, Ok(Ok(()))) {
                    return Err(self.closed());
                }
            }
        }
        closed
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.work(move |keeper| keeper.read(work)).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Keeper) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let command = move |keeper: &mut Keeper| {
            // Who asked may have gone.
            let _ = reply.send(work(keeper));
        };
        self.ask(Command::Work(Box::new(command)), answer).await
    }

    async fn ask<T>(
        &self,
        command: Command,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let asked = async {
            self.commands.send(command).await.map_err(|_| self.closed())?;
            answer.await.map_err(|_| self.closed())?
        };
        let slow = || StoreError::Slow {
            directory: self.directory.to_path_buf(),
            seconds: ANSWER_TIMEOUT.as_secs(),
        };
        timeout(ANSWER_TIMEOUT, asked).await.unwrap_or_else(|_| Err(slow()))
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed { directory: self.directory.to_path_buf() }
    }
}
