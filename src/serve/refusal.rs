//! What a client is told for whom there is no place.

use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::warn;

/// How many are told at once; others are closed without a word.
const AT_ONCE_MAX: usize = 64;
/// How long one may take to hear it.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// How much is read of what it says meanwhile, in bytes.
const HEARD_BYTES_MAX: u64 = 64 * 1024;
/// The log tells of refusals so often at most.
const LOGGED_EVERY: Duration = Duration::from_mins(1);

/// Refuses, and counts.
pub(super) struct Refusals {
    words: Bytes,
    turns: Arc<Semaphore>,
    count: u64,
    logged: Option<Instant>,
}

impl Refusals {
    /// Refusals with an answer: its head and its body.
    pub(super) fn new(words: Bytes) -> Self {
        Self { words, turns: Arc::new(Semaphore::new(AT_ONCE_MAX)), count: 0, logged: None }
    }

    /// What tells one more client that there is no place; none if too many are told already.
    pub(super) fn tell(&mut self, stream: TcpStream) -> Option<impl Future<Output = ()> + use<>> {
        self.count += 1;
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOGGED_EVERY) {
            let refused = self.count;
            warn!(refused, "no place is free: {refused} clients refused since the start");
            self.logged = Some(Instant::now());
        }
        let turn = self.turns.clone().try_acquire_owned().ok()?;
        Some(told(stream, self.words.clone(), turn))
    }
}

async fn told(mut stream: TcpStream, words: Bytes, _turn: OwnedSemaphorePermit) {
    let telling = async {
        stream.write_all(&words).await?;
        stream.shutdown().await?;
        // With bytes unread the system would take back what was said.
        tokio::io::copy(&mut stream.take(HEARD_BYTES_MAX), &mut tokio::io::sink()).await?;
        Ok::<_, io::Error>(())
    };
    // Whether or not it listened, that was all.
    let _ = timeout(TOLD_WITHIN, telling).await;
}
