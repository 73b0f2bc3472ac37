//! A server that does whatever it is told, however wrong, and counts the bytes that it got rid of.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// What the server does with a connection after a request came.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Says this and closes.
    Say(Vec<u8>),
    /// Says this, and then nothing, and does not close.
    Hang(Vec<u8>),
    /// Says this, and then a byte from time to time.
    Drip(Vec<u8>),
    /// Says the first, and then the second for ever.
    Flood(Vec<u8>, Vec<u8>),
    /// Closes so that what was on the way is lost.
    Reset,
}

/// How long between two bytes of a drip.
const DRIP: Duration = Duration::from_millis(100);

/// The server, at every address of loopback.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// How many bytes each path got rid of, by the last part of the address that was asked.
    sent: Arc<Vec<AtomicU64>>,
}

impl Server {
    /// A server that acts by the path, which is a number.
    pub(crate) async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent: Arc<Vec<AtomicU64>> = Arc::new(acts.iter().map(|_| AtomicU64::new(0)).collect());
        let (acts, counted) = (Arc::new(acts), Arc::clone(&sent));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acts, sent) = (Arc::clone(&acts), Arc::clone(&counted));
                tokio::spawn(async move { serve(stream, &acts, &sent).await });
            }
        });
        Self { port, sent }
    }

    pub(crate) fn sent(&self, number: usize) -> u64 {
        self.sent[number].load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, acts: &[Act], sent: &[AtomicU64]) {
    let Some((path, host)) = request(&mut stream).await else { return };
    let number: usize = path.split('/').nth(1).and_then(|part| part.parse().ok()).unwrap_or(0);
    let place = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace("HOST", &host);
        // Only what is text throughout names the host.
        if std::str::from_utf8(bytes).is_ok() { text.into_bytes() } else { bytes.to_vec() }
    };
    let counter = &sent[number];
    match &acts[number] {
        Act::Say(bytes) => {
            say(&mut stream, &place(bytes), counter).await;
            let _ = stream.shutdown().await;
        }
        Act::Hang(bytes) => {
            say(&mut stream, &place(bytes), counter).await;
            let _ = stream.read_u8().await;
        }
        Act::Drip(bytes) => {
            let mut goes_on = say(&mut stream, &place(bytes), counter).await;
            while goes_on {
                tokio::time::sleep(DRIP).await;
                goes_on = say(&mut stream, b"x", counter).await;
            }
        }
        Act::Flood(first, again) => {
            let mut goes_on = say(&mut stream, &place(first), counter).await;
            while goes_on {
                goes_on = say(&mut stream, again, counter).await;
            }
        }
        Act::Reset => {
            let _ = stream.set_zero_linger();
        }
    }
}

/// Whether the client is still there.
async fn say(stream: &mut TcpStream, bytes: &[u8], counter: &AtomicU64) -> bool {
    for part in bytes.chunks(64 * 1024) {
        if stream.write_all(part).await.is_err() {
            return false;
        }
        counter.fetch_add(part.len() as u64, Ordering::SeqCst);
    }
    true
}

/// The path and the host of a request.
async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned();
    Some((text.split(' ').nth(1)?.to_owned(), host))
}

/// An address of loopback, of a kind, by number.
pub(crate) fn address(kind: u8, number: usize, port: u16) -> SocketAddr {
    let [.., high, low] = u32::try_from(number).unwrap().to_be_bytes();
    SocketAddr::from(([127, kind, high, low.max(1)], port))
}
