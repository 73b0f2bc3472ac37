//! The public listener, which may move while the daemon runs, unless the service manager opened it.

use crate::daemon::DaemonError;
use crate::serve::Limits;
use crate::serve::Question;
use crate::serve::documents::Documents;
use crate::serve::serve_until_moved;
use std::io;
use std::mem::replace;
use std::net::SocketAddr;
use std::net::TcpListener as Handed;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;
use tracing::info;

/// A listener at an address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, DaemonError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| DaemonError::Listen { address, error })
}

/// The listener that was handed over, or else one at an address; and where it listens.
pub(crate) async fn listener(
    handed: Option<Handed>,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), DaemonError> {
    let is_handed = handed.is_some();
    let listener = match handed {
        Some(handed) => taken(handed).map_err(|error| DaemonError::Listen { address, error })?,
        None => listen(address).await?,
    };
    let local = listener.local_addr();
    let local = local.map_err(|error| DaemonError::Listen { address, error })?;
    if is_handed && local != address {
        info!(
            "readers are answered at {local}, where the service manager listens, and not at {address}"
        );
    }
    Ok((listener, local))
}

/// A listener that was handed over.
pub(crate) fn taken(handed: Handed) -> io::Result<TcpListener> {
    handed.set_nonblocking(true)?;
    TcpListener::from_std(handed)
}

/// Serves at a listener until the word to stop, and at another as soon as one comes: the connections
/// of the one before are answered to their end.
///
/// # Errors
/// The server came to an end by itself.
pub(crate) async fn serving(
    listener: TcpListener,
    mut others: mpsc::Receiver<TcpListener>,
    mut asked: mpsc::Receiver<Question>,
    documents: Documents,
    stop: watch::Receiver<bool>,
) -> Result<(), DaemonError> {
    let start = |listener| Server::start(listener, documents.clone(), stop.clone());
    let mut server = start(listener);
    let mut before = JoinSet::new();
    let ended = loop {
        tokio::select! {
            ended = &mut server.task => break ended,
            Some(listener) = others.recv() => {
                let Server { task, quit, .. } = replace(&mut server, start(listener));
                // The sender's end is the word to go.
                drop(quit);
                before.spawn(task);
            }
            // One that cannot be passed on is not answered: then one is waiting already.
            Some(question) = asked.recv() => drop(server.questions.try_send(question)),
            Some(_) = before.join_next() => {}
        }
    };
    while before.join_next().await.is_some() {}
    match ended {
        Ok(()) if *stop.borrow() => Ok(()),
        ended => Err(DaemonError::Server(ended.err())),
    }
}

struct Server {
    task: JoinHandle<()>,
    quit: watch::Sender<()>,
    questions: mpsc::Sender<Question>,
}

impl Server {
    fn start(listener: TcpListener, documents: Documents, mut stop: watch::Receiver<bool>) -> Self {
        let (quit, mut quitting) = watch::channel(());
        // Of both an error means that the sender is gone, which is as good as its word.
        let moved = async move { drop(quitting.changed().await) };
        let stopped = async move { drop(stop.wait_for(|&stop| stop).await) };
        let limits = Limits::default();
        let (questions, asked) = mpsc::channel(1);
        let serving = serve_until_moved(listener, documents, limits, asked, moved, stopped);
        Self { task: tokio::spawn(serving), quit, questions }
    }
}
