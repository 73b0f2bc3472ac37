//! A client's stream: it fails when for some time no byte went either way, says when what was to
//! be sent is sent, and hears a client out before it closes.

use crate::serve::places::Seat;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio::time::Sleep;
use tokio::time::sleep;

/// How long what a client still says is read, so that it reads our last word: a system that closes
/// with bytes unread takes back what the client has not read yet (RFC 9112, 9.6).
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// How much of it is read, in bytes.
pub(super) const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// The stream, and when it has waited too long.
pub(super) struct Idle<S> {
    stream: S,
    seat: Arc<Seat>,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
    /// How many bytes are still read, once it is closed for writing.
    lingers: Option<usize>,
}

impl<S> Idle<S> {
    /// A stream that waits for as long as `patience` for the next byte.
    pub(super) fn new(stream: S, seat: Arc<Seat>, patience: Duration) -> Self {
        Self { stream, seat, patience, deadline: Box::pin(sleep(patience)), lingers: None }
    }

    fn watched<T>(
        &mut self,
        cx: &mut Context<'_>,
        progress: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.deadline.as_mut().reset(Instant::now() + self.patience);
            return progress;
        }
        self.deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> Idle<S> {
    /// Ends when the client has closed too, or has said enough, or has had time enough.
    fn poll_linger(&mut self, cx: &mut Context<'_>, mut left: usize) -> Poll<()> {
        let mut space = [0; 4096];
        while left > 0 && self.deadline.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {
                    left = left.saturating_sub(buf.filled().len());
                }
                _ => left = 0,
            }
            self.lingers = Some(left);
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let progress = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.seat.hears();
        }
        self.watched(cx, progress)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, progress)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let progress = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched(cx, progress)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A flush that is ready is no byte: it does not put the deadline off. Nothing is flushed
        // before all of it is written, so that an answer is out.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.seat.sent();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let left = if let Some(left) = this.lingers {
            left
        } else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.deadline.as_mut().reset(Instant::now() + LINGER);
            *this.lingers.insert(LINGER_BYTES_MAX)
        };
        this.poll_linger(cx, left).map(Ok)
    }
}
