//! The public listener, which may move while the daemon runs.

use crate::daemon::DaemonError;
use crate::serve::Limits;
use crate::serve::documents::Documents;
use crate::serve::serve_until_moved;
use std::mem::replace;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::task::JoinSet;

/// A listener at an address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, DaemonError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| DaemonError::Listen { address, error })
}

/// Serves at a listener until the word to stop, and at another as soon as one comes: the connections
/// of the one before are answered to their end.
///
/// # Errors
/// The server came to an end by itself.
pub(crate) async fn serving(
    listener: TcpListener,
    mut others: mpsc::Receiver<TcpListener>,
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
                let Server { task, quit } = replace(&mut server, start(listener));
                // The sender's end is the word to go.
                drop(quit);
                before.spawn(task);
            }
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
}

impl Server {
    fn start(listener: TcpListener, documents: Documents, mut stop: watch::Receiver<bool>) -> Self {
        let (quit, mut quitting) = watch::channel(());
        // Of both an error means that the sender is gone, which is as good as its word.
        let moved = async move { drop(quitting.changed().await) };
        let stopped = async move { drop(stop.wait_for(|&stop| stop).await) };
        let limits = Limits::default();
        let task = tokio::spawn(serve_until_moved(listener, documents, limits, moved, stopped));
        Self { task, quit }
    }
}
