//! All feeds on time, the server, and a clean end.
//!
//! `rounds` polls, `relabelling` labels anew, `upkeep` drops what is old, `exporting` keeps a copy of the site as files, `asked`
//! answers admins; a poll that takes long holds up no other: how many run at once is the fetcher's
//! to bound.

mod asked;
pub mod backing;
mod delivering;
pub mod exporting;
mod pausing;
pub mod relabelling;
pub mod reloading;
pub mod rounds;
mod serving;
mod telling;
mod upkeep;
mod vitals;
mod watching;

use crate::admin::Listener;
use crate::admin::board::Board;
use crate::admin::desk::Desk;
use crate::backup::recovery::Recovery;
use crate::classify::Classifier;
use crate::config::Config;
use crate::daemon::asked::Asked;
use crate::daemon::backing::Backing;
use crate::daemon::exporting::Exporting;
use crate::daemon::exporting::Mirror;
use crate::daemon::relabelling::Relabelling;
use crate::daemon::relabelling::follow;
use crate::daemon::reloading::Asking;
use crate::daemon::reloading::Reloading;
use crate::daemon::reloading::Trigger;
use crate::daemon::rounds::Rounds;
use crate::daemon::serving::listener;
use crate::daemon::serving::serving;
use crate::daemon::telling::answer_at_listener;
use crate::daemon::upkeep::Upkeep;
use crate::daemon::vitals::Vitals;
use crate::daemon::watching::watch as watch_files;
use crate::fetch::Fetcher;
use crate::fetch::Settings;
use crate::fetch::error::FetchError;
use crate::fetch::post::Poster;
use crate::model::clock::Clock;
use crate::model::publication::Pictures;
use crate::poll::Poller;
use crate::poll::Readers;
use crate::poll::missing::Suspicions;
use crate::poll::rules::Rules;
use crate::poll::rules::Ruling;
use crate::serve::documents::Documents;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::Utc;
use std::convert::Infallible;
use std::iter;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinError;
use tracing::warn;

/// How long polls and answers under way may go on after the word to stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long the picture of an article may take, how many bytes it may have, and how long its host
/// is left alone before the next.
const PICTURE_TIMEOUT: Duration = Duration::from_secs(15);
const PICTURE_BYTES_MAX: u64 = 8 * 1024 * 1024;
const PICTURE_PAUSE: Duration = Duration::from_millis(100);
/// How many requests to the rounds wait.
const REQUESTS_MAX: usize = 16;
/// How often it is kept how often articles are read.
const READS_KEPT_EVERY: Duration = Duration::from_mins(1);

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
    let rules = Rules::new(ruling(config, Arc::new(classifier)));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Poller {
        readers: Readers::Threads(Arc::new(Semaphore::new(cores))),
        fetcher: Arc::new(fetcher),
        rules,
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
    Fetcher::new(settings(config, clock))
}

/// How feeds are fetched, as a configuration asks for it.
#[must_use]
pub fn settings(config: &Config, clock: Clock) -> Settings {
    Settings {
        user_agent: user_agent(config),
        connect_timeout: config.polling.connect_timeout,
        timeout: config.polling.timeout,
        body_bytes_max: config.polling.body_bytes_max,
        concurrency: config.polling.concurrency,
        per_host: config.polling.per_host,
        host_pause: config.polling.host_pause,
        proxy: config.polling.proxy.clone(),
        clock,
    }
}

/// Whether two configurations fetch in the same way.
fn fetches_alike(one: &Config, other: &Config) -> bool {
    one.polling == other.polling && user_agent(one) == user_agent(other)
}

/// What articles are labelled by, as a configuration says it.
#[must_use]
pub fn ruling(config: &Config, classifier: Arc<Classifier>) -> Ruling {
    let feeds = config.feeds.iter().map(|(id, feed)| (id.clone(), Arc::new(feed.clone())));
    Ruling { classifier, feeds: feeds.collect() }
}

/// What fetches the pictures that are passed on: readers wait for it, so that a page full of them
/// goes quicker than polls, and has fewer bytes.
fn picture_fetcher(config: &Config) -> Result<Fetcher, FetchError> {
    Fetcher::new(Settings {
        timeout: PICTURE_TIMEOUT,
        body_bytes_max: PICTURE_BYTES_MAX,
        host_pause: PICTURE_PAUSE,
        ..settings(config, system_clock())
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

/// What the daemon begins with.
pub struct Start {
    /// Where feeds.toml is: it is read again when it changes.
    pub path: PathBuf,
    /// What it said when it was read.
    pub config: Config,
    /// Where articles are kept.
    pub store: Store,
    /// Where admins ask.
    pub socket: PathBuf,
    /// A directory that is kept as the site is, if there is one.
    pub mirror: Option<Mirror>,
    /// What the service manager listens at already.
    pub handed: Handed,
    /// How often it wants to hear that the daemon goes on; it is told three times as often.
    pub watchdog: Option<Duration>,
    /// What was done with a store that was damaged.
    pub recovery: Option<Recovery>,
}

/// Listeners that the service manager opened, and keeps open when the daemon starts again.
#[derive(Debug, Default)]
pub struct Handed {
    /// Where readers are answered, whatever `listen` is.
    pub readers: Option<TcpListener>,
    /// Where admins are answered.
    pub admins: Option<TcpListener>,
}

/// What happens to the daemon, for whoever manages it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The listener is open.
    Ready {
        /// Where.
        address: SocketAddr,
        /// How many feeds are polled.
        feeds: usize,
    },
    /// All that has to go on does: the loop that polls, the store, the public listener.
    GoesOn,
    /// feeds.toml is being read again, because somebody asked for it.
    Reloading,
    /// It was read again.
    Reloaded {
        /// How many feeds are polled now.
        feeds: usize,
        /// Why it was refused, if it was: then all is as before.
        refused: Option<String>,
    },
}

/// Runs the daemon until `stop` turns true, and then ends it cleanly.
///
/// feeds.toml is read again when it changes, and for every word that comes by `reloads`. `tell` is
/// told what happens.
///
/// # Errors
/// It could not start, or the store came to an end under way.
pub async fn run(
    start: Start,
    reloads: mpsc::Receiver<()>,
    mut stop: watch::Receiver<bool>,
    tell: impl Fn(&Notice) + Send + Sync + 'static,
) -> Result<(), DaemonError> {
    let Start { path, config, store, socket, mirror, handed, watchdog, recovery } = start;
    let is_handed = handed.readers.is_some();
    let poller = poller(&config, store.clone(), system_clock())?;
    let histories = store.histories().await?;
    let (listener, address) = listener(handed.readers, config.listen).await?;
    let classifier = poller.rules.classifier().await;
    let config = Arc::new(config);
    let (relabelling, newest) =
        watch::channel(Arc::new(Relabelling::new(&config, &poller, classifier)));
    let documents = Documents::new(Arc::clone(&config), store.clone());
    if config.site.pictures == Pictures::Passed {
        documents.pass_pictures(picture_fetcher(&config)?);
    }
    let exporting = Exporting::new(documents.clone());
    let (last, lasting) = watch::channel(false);
    let mirroring = mirror.map(|mirror| tokio::spawn(exporting.clone().keep(mirror, lasting)));
    let (listeners, others) = mpsc::channel(1);
    let (questions, asked_server) = mpsc::channel(1);
    let serving = serving(listener, others, asked_server, documents.clone(), stop.clone());
    let mut server = tokio::spawn(serving);
    let board = board(&config, recovery);
    let admin = admin_socket(&socket);
    let tell = Arc::new(tell);
    tell(&Notice::Ready { address, feeds: config.enabled().count() });

    let (asking, asked) = mpsc::channel(reloading::ASKED_MAX);
    let (requesting, requests) = mpsc::channel(REQUESTS_MAX);
    let (files, watched) = watch::channel(files(&path, &config));
    let upkeep = Upkeep::new(store.clone(), documents.clone(), board.clone(), poller.clock.clone());
    upkeep.change().await;
    let backing = Backing::new(&store, &documents, &board);
    let answering = Asked {
        upkeep: upkeep.clone(),
        backing: backing.clone(),
        rules: poller.rules.clone(),
        store: store.clone(),
        documents: documents.clone(),
        exporting,
        reloads: asking.clone(),
        rounds: requesting.clone(),
    };
    let vitals = Vitals::new(requesting.clone(), store.clone(), questions);
    let reloading = Reloading {
        path,
        poller: poller.clone(),
        documents: documents.clone(),
        board: board.clone(),
        listeners: (!is_handed).then_some(listeners),
        rounds: requesting,
        relabelling,
        upkeep: upkeep.clone(),
        files,
        tell: {
            let tell = Arc::clone(&tell);
            move |notice: &Notice| tell(notice)
        },
    };
    let desk = Desk::new(board.clone(), documents.clone());
    let telling = telling::tell(desk.clone(), store.clone(), Poster::new(&user_agent(&config))?);
    let mut rounds = Rounds::new(poller, &config, &histories, board.clone());
    drop((config, histories));
    let ended = tokio::select! {
        ended = rounds.go(&documents, requests, &mut stop) => ended,
        never = answer_admins(admin.as_ref(), &board, answering) => match never {},
        () = reloading.go(asked) => Ok(()),
        never = ask_on_signal(reloads, &asking) => match never {},
        () = watch_files(watched, asking.clone()) => Ok(()),
        never = follow(newest, &documents) => match never {},
        never = keep_reads(&documents) => match never {},
        never = upkeep.follow() => match never {},
        never = Box::pin(backing.keep()) => match never {},
        never = telling => match never {},
        never = vitals.watch(watchdog, || tell(&Notice::GoesOn)) => match never {},
        never = answer_at_listener(desk, handed.admins) => match never {},
        // The word to stop reaches the server as well as the rounds.
        ended = &mut server => ended.unwrap_or_else(|panic| Err(DaemonError::Server(Some(panic)))),
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
    drop((rounds, documents));
    store.close().await?;
    ended
}

/// The socket on which commands ask; the daemon goes on without.
fn admin_socket(path: &Path) -> Option<Listener> {
    let bound = Listener::bind(path);
    bound.map_err(|error| warn!("no admin socket at {}: {error}", path.display())).ok()
}

/// Has feeds.toml read again at the start, and for every word that comes.
async fn ask_on_signal(
    mut reloads: mpsc::Receiver<()>,
    asking: &mpsc::Sender<Asking>,
) -> Infallible {
    // The file may have changed since it was read, which may be a while ago.
    let mut by = Trigger::Start;
    while asking.send(Asking { by, reply: None }).await.is_ok() {
        if reloads.recv().await.is_none() {
            break;
        }
        by = Trigger::Signal;
    }
    std::future::pending().await
}

/// The board at the start.
fn board(config: &Config, recovery: Option<Recovery>) -> Board {
    let board = Board::default();
    board.config_taken(Some(Utc::now()));
    board.recovered(recovery);
    board.put_addresses(config.addresses.0.clone());
    board
}

/// Answers for ever, if there is a socket.
async fn answer_admins(admin: Option<&Listener>, board: &Board, asked: Asked) -> Infallible {
    match admin {
        Some(admin) => admin.serve(board, move |command| asked.clone().answer(command)).await,
        None => std::future::pending().await,
    }
}

/// The files that make a configuration.
fn files(path: &Path, config: &Config) -> Vec<PathBuf> {
    iter::once(path.to_owned()).chain(config.files.iter().cloned()).collect()
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
