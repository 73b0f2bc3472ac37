//! All feeds on time, the server, and a clean end.
//!
//! `rounds` polls, `relabelling` labels anew, `exporting` keeps a copy of the site as files, `asked`
//! answers admins; a poll that takes long holds up no other: how many run at once is the fetcher's
//! to bound.

mod asked;
pub mod exporting;
pub mod relabelling;
mod rounds;

use crate::admin::Board;
use crate::admin::Listener;
use crate::classify::Classifier;
use crate::config::Config;
use crate::daemon::asked::Asked;
use crate::daemon::exporting::Exporting;
use crate::daemon::exporting::Mirror;
use crate::daemon::relabelling::Relabelling;
use crate::daemon::rounds::Rounds;
use crate::fetch::Fetcher;
use crate::fetch::Settings;
use crate::fetch::error::FetchError;
use crate::model::clock::Clock;
use crate::model::publication::Pictures;
use crate::poll::Poller;
use crate::poll::missing::Suspicions;
use crate::serve::Limits;
use crate::serve::documents::Documents;
use crate::serve::serve;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::Utc;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
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

/// Ends when the word to stop comes, or nobody is left to give it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as good as its word.
    let _ = stop.wait_for(|&stop| stop).await;
}
