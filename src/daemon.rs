//! All feeds on time, the server, and a clean end.
//!
//! One loop owns the clock: it knows when each feed is due, starts its poll as a task of its own,
//! and learns from the poll's result when the feed is due next. A poll that takes long holds up
//! no other: how many run at once is the fetcher's to bound.

pub mod exporting;
pub mod relabelling;

use crate::admin::Board;
use crate::admin::Listener;
use crate::classify::Classifier;
use crate::config::Config;
use crate::daemon::exporting::Exporting;
use crate::daemon::exporting::Mirror;
use crate::daemon::relabelling::Relabelling;
use crate::explain::explain;
use crate::explain::free_tags;
use crate::fetch::Fetcher;
use crate::fetch::Settings;
use crate::fetch::error::FetchError;
use crate::model::clock::Clock;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::publication::Pictures;
use crate::model::publication::Selection;
use crate::poll::Polled;
use crate::poll::Poller;
use crate::poll::missing::Suspects;
use crate::poll::missing::Suspicions;
use crate::schedule::PollTime;
use crate::schedule::agenda::Agenda;
use crate::serve::Limits;
use crate::serve::documents::Documents;
use crate::serve::serve;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::takedown::Takedown;
use crate::takedown::take_down;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

/// How long polls and answers under way may go on after the word to stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long the picture of an article may take, how many bytes it may have, and how long its host
/// is left alone before the next.
const PICTURE_TIMEOUT: Duration = Duration::from_secs(15);
const PICTURE_BYTES_MAX: u64 = 8 * 1024 * 1024;
const PICTURE_PAUSE: Duration = Duration::from_millis(100);
/// How often it is kept how often articles are read.
const READS_KEPT_EVERY: Duration = Duration::from_mins(1);

/// The longest sleep of the loop: a clock that was set is noticed after this.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// What keeps the daemon from starting.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The fetcher.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The server came to an end by itself.
    #[error("the server ended by itself{}", .0.as_ref().map(|e| format!(": {e}")).unwrap_or_default())]
    Server(Option<JoinError>),
    /// The public listener.
    #[error("cannot listen at {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
}

/// What polls need, as a configuration asks for it.
///
/// # Errors
/// The fetcher cannot be made: no trusted certificates are on the machine.
pub fn poller(config: &Config, store: Store, clock: Clock) -> Result<Poller, FetchError> {
    let fetcher = fetcher(config, clock.clone())?;
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Poller {
        readers: Arc::new(Semaphore::new(cores)),
        fetcher: Arc::new(fetcher),
        classifier: Arc::new(classifier),
        store,
        suspicions: Suspicions::default(),
        clock,
    })
}

/// What fetches, as a configuration asks for it.
///
/// # Errors
/// As [`poller`].
pub fn fetcher(config: &Config, clock: Clock) -> Result<Fetcher, FetchError> {
    Fetcher::new(Settings {
        user_agent: user_agent(config),
        connect_timeout: config.polling.connect_timeout,
        timeout: config.polling.timeout,
        body_bytes_max: config.polling.body_bytes_max,
        concurrency: config.polling.concurrency,
        per_host: config.polling.per_host,
        host_pause: config.polling.host_pause,
        proxy: config.polling.proxy.clone(),
        clock,
    })
}

/// What fetches the pictures that are passed on: readers wait for it, so that a page full of them
/// goes quicker than polls, and has fewer bytes.
fn picture_fetcher(config: &Config) -> Result<Fetcher, FetchError> {
    Fetcher::new(Settings {
        user_agent: user_agent(config),
        connect_timeout: config.polling.connect_timeout,
        timeout: PICTURE_TIMEOUT,
        body_bytes_max: PICTURE_BYTES_MAX,
        concurrency: config.polling.concurrency,
        per_host: config.polling.per_host,
        host_pause: PICTURE_PAUSE,
        proxy: config.polling.proxy.clone(),
        clock: system_clock(),
    })
}

/// The clock of the machine.
#[must_use]
pub fn system_clock() -> Clock {
    Clock::new(Utc::now)
}

/// Who we are, to a publisher: name, version, where the site is, how its operator is reached
/// (RFC 9110, 10.1.5), and for how many readers we ask, as aggregators say it.
fn user_agent(config: &Config) -> String {
    let contact = config.site.contact.iter().map(|contact| format!("; {contact}"));
    let contact: String = contact.collect();
    let readers = match config.site.readers {
        None => String::new(),
        Some(1) => "; 1 subscriber".to_owned(),
        Some(readers) => format!("; {readers} subscribers"),
    };
    format!("visnyk/{} (+{}{contact}{readers})", env!("CARGO_PKG_VERSION"), config.site.address)
}

/// Runs the daemon until `stop` turns true, and then ends it cleanly. A `mirror` is kept current.
///
/// `ready` is called once the listener is open, with its address.
///
/// # Errors
/// It could not start, or the store came to an end under way.
pub async fn run(
    config: Config,
    store: Store,
    socket: &Path,
    mirror: Option<Mirror>,
    mut stop: watch::Receiver<bool>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), DaemonError> {
    let poller = poller(&config, store.clone(), system_clock())?;
    let histories = store.histories().await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .and_then(|listener| Ok((listener.local_addr()?, listener)))
        .map_err(|error| DaemonError::Listen { address: config.listen, error });
    let (address, listener) = listener?;
    let relabelling = Relabelling::new(&config, &poller);
    let documents = Documents::new(Arc::new(config.clone()), store.clone());
    if config.site.pictures == Pictures::Passed {
        documents.pass_pictures(picture_fetcher(&config)?);
    }
    let asked = Asked {
        config: config.clone(),
        classifier: Arc::clone(&poller.classifier),
        store: store.clone(),
        documents: documents.clone(),
    };
    let exporting = Exporting::new(documents.clone());
    let audience = documents.audience().clone();
    let tell = async |command: &str| match exporting.answer(command) {
        Some(answer) => Some(answer),
        None if command == "readers" => Some(Ok(audience.told(Utc::now()).to_string())),
        None => asked.answer(command).await,
    };
    let (last, lasting) = watch::channel(false);
    let mirroring = mirror.map(|mirror| tokio::spawn(exporting.clone().keep(mirror, lasting)));
    let stopping = stopped(stop.clone());
    let mut server = tokio::spawn(serve(listener, documents.clone(), Limits::default(), stopping));
    let board = Board::default();
    let admin = match Listener::bind(socket) {
        Ok(admin) => Some(admin),
        Err(error) => {
            warn!("no admin socket at {}: {error}", socket.display());
            None
        }
    };
    ready(address);

    let feeds = config.feeds.into_values().filter(|feed| feed.enabled).map(Arc::new);
    let mut rounds = Rounds::new(feeds, &histories, board.clone(), poller.clock.now());
    let stopped_now = stop.clone();
    let ended = tokio::select! {
        ended = rounds.go(&poller, &documents, &mut stop) => ended,
        () = answer_admins(admin.as_ref(), &board, tell) => Ok(()),
        never = relabelling.go(&documents) => match never {},
        never = keep_reads(&documents) => match never {},
        // The word to stop reaches the server as well as the rounds.
        ended = &mut server => match ended {
            Ok(()) if *stopped_now.borrow() => Ok(()),
            ended => Err(DaemonError::Server(ended.err())),
        },
    };
    let stopping = async {
        rounds.end(&documents).await;
        if !server.is_finished() {
            // How it ended no longer matters.
            let _ = server.await;
        }
        keep_reads_once(&documents).await;
        // Nothing is touched any more: the files follow for the last time.
        last.send_replace(true);
        if let Some(mirroring) = mirroring {
            // A panic has been told.
            let _ = mirroring.await;
        }
    };
    if tokio::time::timeout(STOP_WITHIN, stopping).await.is_err() {
        warn!(
            "polls, answers or an export were still under way after {STOP_WITHIN:?}: they are dropped"
        );
    }
    drop((rounds, poller, documents, relabelling, asked));
    store.close().await?;
    ended
}

/// Answers for ever, if there is a socket.
async fn answer_admins(
    admin: Option<&Listener>,
    board: &Board,
    tell: impl AsyncFn(&str) -> Option<Result<String, String>>,
) {
    match admin {
        Some(admin) => admin.serve(board, tell).await,
        None => std::future::pending().await,
    }
}

/// Keeps how often articles are read, now and then.
async fn keep_reads(documents: &Documents) -> Infallible {
    loop {
        tokio::time::sleep(READS_KEPT_EVERY).await;
        keep_reads_once(documents).await;
    }
}

async fn keep_reads_once(documents: &Documents) {
    if let Err(error) = documents.keep_reads().await {
        warn!("how often articles were read is not kept: {error}");
    }
}

/// What answers an admin's questions beside the state of the feeds.
struct Asked {
    config: Config,
    classifier: Arc<Classifier>,
    store: Store,
    documents: Documents,
}

impl Asked {
    /// The answer; nothing if it is no question.
    async fn answer(&self, command: &str) -> Option<Result<String, String>> {
        let told = match command.split_once(' ') {
            Some(("explain", what)) => {
                let explained = explain(&self.config, &self.classifier, &self.store, what).await;
                explained.map(Option::unwrap_or_default)
            }
            Some(("remove", words)) => {
                let (what, why) = words.split_once(' ')?;
                self.take_down(what, why).await
            }
            None if command == "tags" => free_tags(&self.store).await,
            None if command == "digest" => Ok(self.classifier.digest().to_string()),
            _ => return None,
        };
        Some(told.map_err(|error| error.to_string()))
    }

    async fn take_down(&self, what: &str, why: &str) -> Result<String, StoreError> {
        let (store, documents) = (self.store.clone(), self.documents.clone());
        let (what, why) = (what.to_owned(), why.to_owned());
        // A task of its own: who asked may be gone before it is done, and done it must be wholly.
        let taking = tokio::spawn(async move {
            let taken = take_down(&store, &what, &why, Utc::now()).await?;
            if let Takedown::Done { id, from, .. } = &taken {
                info!(article = %id, why, "the admin took article {id} down: {why}");
                documents.take_away(from);
            }
            Ok(taken.told().unwrap_or_default())
        });
        taking.await.unwrap_or_else(|panic| Ok(format!("it is not known what was done: {panic}")))
    }
}

/// Ends when the word to stop comes, or nobody is left to give it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as good as its word.
    let _ = stop.wait_for(|&stop| stop).await;
}

/// What a poll changed, and what is to be looked at after it.
#[derive(Default)]
struct Changed {
    touched: BTreeSet<Selection>,
    suspects: Option<Suspects>,
}

/// The agenda, and the polls under way.
struct Rounds {
    agenda: Agenda,
    polls: JoinSet<Result<Polled, StoreError>>,
    /// Whether articles were taken down, for polls that have ended.
    looks: JoinSet<Result<BTreeSet<Selection>, StoreError>>,
    /// Which feed a poll under way is of, so that one that panics is known too.
    polled: HashMap<task::Id, FeedId>,
    /// What admins are told.
    board: Board,
}

impl Rounds {
    fn new(
        feeds: impl Iterator<Item = Arc<Feed>>,
        histories: &BTreeMap<FeedId, History>,
        board: Board,
        now: DateTime<Utc>,
    ) -> Self {
        let agenda = Agenda::new(feeds, histories, now);
        let (mut feeds, mut overdue) = (0, 0);
        let unpolled = History::default();
        for (feed, planned) in agenda.planned() {
            feeds += 1;
            overdue += u32::from(planned.at.is_some_and(|at| at <= now));
            let history = histories.get(&feed.id).unwrap_or(&unpolled);
            log_plan(&feed.id, planned, history);
            board.put(feed, history, planned);
        }
        info!(feeds, overdue, "{overdue} of {feeds} feeds are due now");
        let (polls, looks) = (JoinSet::new(), JoinSet::new());
        Self { agenda, polls, looks, polled: HashMap::new(), board }
    }

    /// Polls feeds as they are due, until it is told to stop.
    async fn go(
        &mut self,
        poller: &Poller,
        documents: &Documents,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), DaemonError> {
        let clock = &poller.clock;
        loop {
            self.start_due(poller, clock.now());
            tokio::select! {
                _ = stop.wait_for(|&stop| stop) => return Ok(()),
                () = tokio::time::sleep(self.sleep(clock.now())) => {}
                Some(ended) = self.polls.join_next_with_id() => {
                    match self.ended(ended, clock.now(), documents)? {
                        Some(changed) => {
                            documents.touch(&changed.touched);
                            self.look(poller, changed.suspects);
                        }
                        None => documents.touch_all(),
                    }
                }
                Some(looked) = self.looks.join_next() => match looked {
                    Ok(Ok(taken_away)) => documents.take_away(&taken_away),
                    Ok(Err(error)) => warn!("what sources took down is not known: {error}"),
                    Err(panic) => error!("a look for what a source took down broke off: {panic}"),
                }
            }
        }
    }

    /// Looks whether a source took articles down, beside the polls: pages may answer slowly.
    fn look(&mut self, poller: &Poller, suspects: Option<Suspects>) {
        if let Some(suspects) = suspects {
            let poller = poller.clone();
            self.looks.spawn(async move { poller.follow(&suspects).await });
        }
    }

    /// Lets the polls under way come to their end.
    async fn end(&mut self, documents: &Documents) {
        self.looks.abort_all();
        while let Some(ended) = self.polls.join_next().await {
            if let Ok(Ok(polled)) = ended {
                documents.touch(&polled.touched);
            }
        }
    }

    /// Plans the next poll of the feed whose poll has ended, and gives what it changed; none if
    /// that is not known.
    fn ended(
        &mut self,
        ended: Result<(task::Id, Result<Polled, StoreError>), JoinError>,
        now: DateTime<Utc>,
        documents: &Documents,
    ) -> Result<Option<Changed>, DaemonError> {
        let task = ended.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        let Some(id) = self.polled.remove(&task) else { return Ok(None) };
        match ended {
            Ok((_, Ok(polled))) => {
                let planned = self.agenda.ended(&id, &polled.history, now);
                if let Some(feed) = self.agenda.feed(&id) {
                    self.board.put(feed, &polled.history, &planned);
                }
                log_plan(&id, &planned, &polled.history);
                documents.touch_health(&id);
                let Polled { touched, suspects, .. } = polled;
                return Ok(Some(Changed { touched, suspects }));
            }
            Ok((_, Err(end @ (StoreError::Closed { .. } | StoreError::Broken { .. })))) => {
                return Err(end.into());
            }
            Ok((_, Err(error @ (StoreError::ReadOnly { .. } | StoreError::Engine { .. })))) => {
                // To ask servers for what cannot be kept would be rude, and to end would take down
                // what can still be read.
                error!(feed = %id, "no feed is polled any more, what there is is served: {error}");
                self.agenda.clear();
                return Ok(Some(Changed::default()));
            }
            Ok((_, Err(error))) => {
                error!(feed = %id, "the poll of {id} was not recorded: {error}");
            }
            Err(panic) => error!(feed = %id, "the poll of {id} broke off: {panic}"),
        }
        self.agenda.lost(&id, now);
        Ok(None)
    }

    fn start_due(&mut self, poller: &Poller, now: DateTime<Utc>) {
        for feed in self.agenda.due(now) {
            let (poller, id) = (poller.clone(), feed.id.clone());
            let poll = self.polls.spawn(async move { poller.poll(&feed).await });
            self.polled.insert(poll.id(), id);
        }
    }

    fn sleep(&self, now: DateTime<Utc>) -> Duration {
        let next = self.agenda.next_wake().map(|at| (at - now).to_std().unwrap_or_default());
        next.unwrap_or(SLEEP_MAX).min(SLEEP_MAX)
    }
}

fn log_plan(id: &FeedId, planned: &PollTime, history: &History) {
    if let Some(ignored) = &planned.ignored {
        info!(feed = %id, "{id} is polled although its publisher asks for less: {ignored}");
    }
    let reason = &planned.reason;
    let Some(at) = planned.at else {
        warn!(feed = %id, "{id} is not polled again: {reason}");
        return;
    };
    let outcome = history.polls.last().map(|poll| &poll.outcome);
    // Who mends a feed wants to know how long it waits.
    if history.failures > 0 || matches!(outcome, Some(Outcome::Unreachable(_))) {
        info!(feed = %id, %at, "{id} is polled next at {at}: {reason}");
    } else {
        debug!(feed = %id, %at, "{id} is polled next at {at}: {reason}");
    }
}
