//! The public listener: connections, and how long and how many of them there may be.
//!
//! Not `axum::serve`, which waits for ever: a client that says nothing, or half a request, would
//! keep its connection, and enough of them the whole server.

use crate::serve::documents::Documents;
use crate::serve::idle::Idle;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio::time::timeout;
use tracing::debug;
use tracing::warn;

pub mod answer;
pub mod coding;
pub mod delta;
pub mod documents;
mod idle;
mod render;

const HEADERS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long to wait when the system has no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How many connections there may be, and how long each may take for what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// From the first byte of a request to the end of its headers.
    pub header_read: Duration,
    /// Without a byte in either direction.
    pub idle: Duration,
    /// A connection in all; requests under way are answered.
    pub lifetime: Duration,
    /// What is under way when the server stops, or when a connection has lived its time.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_read: Duration::from_secs(10),
            idle: Duration::from_secs(30),
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
    let router = Router::new().fallback(answer::answer).with_state(documents);
    let places = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(stream, router.clone(), limits, stopped.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection: {error}");
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

async fn connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot switch off delays: {error}");
    }
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Idle::new(stream, limits.idle)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stopped.changed() => None,
        () = sleep(limits.lifetime) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(limits.grace, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early: {error}");
    }
}
