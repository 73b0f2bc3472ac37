//! The public listener: connections, and how long and how many of them there may be.
//!
//! Not a ready-made server, which waits for ever: a client that says nothing, or half a request,
//! would keep its connection, and enough of them the whole server.

use crate::serve::answer::Body;
use crate::serve::answer::answer;
use crate::serve::answer::no_place;
use crate::serve::documents::Documents;
use crate::serve::idle::Idle;
use crate::serve::places::Place;
use crate::serve::places::Places;
use crate::serve::refusal::Refusals;
use http::Request;
use http::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::timeout;
use tokio::time::timeout_at;
use tracing::debug;
use tracing::warn;

mod about;
pub mod access;
pub mod answer;
pub mod audience;
pub mod coding;
pub mod delta;
pub mod documents;
mod headers;
mod health;
mod idle;
pub mod passing;
pub mod pictures;
mod places;
pub mod readers;
pub mod reads;
mod refusal;
mod render;
pub mod stale;
pub mod traffic;
pub mod view;

const HEADERS_MAX: usize = 64;
/// More than is answered otherwise than with a refusal: a head that is read can be refused in
/// words.
const HEAD_BYTES_MAX: usize = 80 * 1024;
/// How long a connection on which nothing was said yet is kept after the word to stop.
const FIRST_WORD: Duration = Duration::from_secs(1);
/// How long to wait when the system has no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How often that is told while it lasts.
const ACCEPT_TOLD_EVERY: Duration = Duration::from_mins(1);

/// Asks a loop whether it goes on: it answers in its turn.
pub type Question = oneshot::Sender<()>;

/// How many connections there may be, and how long each may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once. For one more the one that is idle for longest is closed; if none is
    /// idle, the one more is told to come again.
    pub connections: usize,
    /// Connections of one client, or of one IPv6 network, at once. A client on this host or in a
    /// private network is not counted: a reverse proxy may stand there, with many behind it.
    pub per_client: usize,
    /// From the first byte of a request to the end of its headers.
    pub header_read: Duration,
    /// Without a byte in either direction.
    pub idle: Duration,
    /// From the end of a request's headers to its answer.
    pub request: Duration,
    /// A connection in all; requests under way are answered.
    pub lifetime: Duration,
    /// What is under way when the server stops, or when a connection has lived its time.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_client: 128,
            header_read: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: Duration::from_secs(20),
            lifetime: Duration::from_mins(10),
            grace: Duration::from_secs(4),
        }
    }
}

/// Serves until `shutdown` ends; what is under way then is answered, within `limits.grace`.
pub async fn serve(
    listener: TcpListener,
    documents: Documents,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (_, unasked) = mpsc::channel(1);
    serve_until_moved(listener, documents, limits, unasked, pending(), shutdown).await;
}

/// The same, but when `moved` ends no more connections are taken, and those that there are go on
/// until they come to their own end. Whoever asks is answered by the loop that takes connections.
pub async fn serve_until_moved(
    listener: TcpListener,
    documents: Documents,
    limits: Limits,
    asked: mpsc::Receiver<Question>,
    moved: impl Future<Output = ()> + Send,
    shutdown: impl Future<Output = ()> + Send,
) {
    let answers = move |request: Request<Incoming>| {
        let documents = documents.clone();
        async move { answer(&documents, &request, limits.request).await }
    };
    serve_answers(listener, answers, limits, asked, moved, shutdown).await;
}

/// The same for whatever answers requests.
pub async fn serve_answers<A: Future<Output = Response<Body>> + Send + 'static>(
    listener: TcpListener,
    answers: impl Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    limits: Limits,
    mut asked: mpsc::Receiver<Question>,
    moved: impl Future<Output = ()> + Send,
    shutdown: impl Future<Output = ()> + Send,
) {
    let mut listener = Some(listener);
    let mut moved = pin!(moved);
    let places = Places::new(limits.connections, limits.per_client, limits.request);
    let mut refusals = Refusals::new(no_place());
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    // When it was last told that no connection can be accepted.
    let mut told = None;
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            () = &mut moved, if listener.is_some() => {
                listener = None;
                if connections.is_empty() {
                    return;
                }
                continue;
            }
            Some(_) = connections.join_next() => {
                if listener.is_none() && connections.is_empty() {
                    return;
                }
                continue;
            }
            Some(question) = asked.recv() => {
                // Who asked may be gone.
                let _ = question.send(());
                continue;
            }
            accepted = accept(listener.as_ref()) => accepted,
        };
        match accepted {
            Ok((stream, from)) => match places.take(from.ip()) {
                Some(place) => {
                    let answers = answers.clone();
                    let client = connection(stream, place, answers, limits, stopped.clone());
                    connections.spawn(client);
                }
                None => {
                    // Without a turn it is closed: there is nobody left to tell it.
                    refusals.tell(stream).map(|telling| connections.spawn(telling));
                }
            },
            Err(error) => {
                if told.is_none_or(|told: Instant| told.elapsed() >= ACCEPT_TOLD_EVERY) {
                    warn!(%error, "cannot accept a connection, tried again: {error}");
                    told = Some(Instant::now());
                }
                places.free_any();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    drop(stop);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.grace, ended).await.is_err() {
        debug!("dropped {} connections that did not end in time", connections.len());
    }
}

/// The next connection; without a listener there is none.
async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

async fn connection<A: Future<Output = Response<Body>> + Send>(
    stream: TcpStream,
    place: Place,
    answers: impl Fn(Request<Incoming>) -> A + Send + Sync,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot switch off delays: {error}");
    }
    let seat = &place.seat;
    let service = service_fn(|request: Request<Incoming>| {
        let answering = answers(request);
        async move {
            seat.answers();
            let answer = answering.await;
            seat.sends();
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Idle::new(stream, seat.clone(), limits.idle)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        // What has come is read before the word to stop is heeded.
        biased;
        ended = connection.as_mut() => Some(ended),
        () = seat.left() => Some(Ok(())),
        _ = stopped.changed() => None,
        () = sleep(limits.lifetime) => None,
    };
    let by = Instant::now() + limits.grace;
    // A client that has a connection and has said nothing yet is about to: it is heard out.
    let ended = if ended.is_some() {
        ended
    } else {
        tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = seat.heard() => None,
            () = sleep(FIRST_WORD.min(limits.grace / 2)) => None,
        }
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout_at(by, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early: {error}");
    }
}
