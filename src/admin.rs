//! What an admin asks of a running daemon: a Unix socket for its owner. `board` holds the state of
//! each feed, as it is told there.
//!
//! A request is a line, an answer is a JSON document, and then the connection is closed.

pub mod board;
pub mod desk;
pub mod exposition;
pub mod metrics;
pub mod pages;
pub mod polled;
pub mod tally;
pub mod told;

use crate::admin::board::Board;
use crate::admin::told::told;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::UnixListener;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::warn;

/// The name of the socket in its directory.
pub const SOCKET: &str = "admin.sock";
/// Where the service of `systemd/visnyk.service` has its store, and what is there while it runs.
pub const SERVICE_STATE: &str = "/var/lib/visnyk";
const SERVICE_RUNTIME: &str = "/run/visnyk";
/// How long a request and its answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long may take what polls feeds, or reads feeds.toml, in all.
const LONG_TIMEOUT: Duration = Duration::from_mins(30);
/// What is told where the daemon ends before it is done.
pub const ENDING: &str = "the daemon is about to end";
/// The commands that may take as long.
const LONG: [&str; 9] =
    ["poll", "reload", "replay", "takedown", "retention", "compact", "pin", "unpin", "backup"];
/// How many requests are answered at once; others wait.
const ANSWERS_MAX: usize = 16;
/// The longest request, in bytes.
pub const REQUEST_BYTES_MAX: u64 = 8 * 1024;
/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Where the socket of a daemon is whose state lies in this directory: in the directory that the
/// service manager made for it, if it did.
#[must_use]
pub fn socket(runtime: Option<PathBuf>, state: &Path) -> PathBuf {
    // Who asks the service from a shell is handed no directory.
    let of_service = || (state == Path::new(SERVICE_STATE)).then(|| SERVICE_RUNTIME.into());
    runtime.or_else(of_service).unwrap_or_else(|| state.to_owned()).join(SOCKET)
}

/// A socket that is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    listener: UnixListener,
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Whether or not it is still there, it is of no use.
        let _ = fs::remove_file(&self.path);
    }
}

impl Listener {
    /// Listens at a path, for the owner only. The store is locked by then, so that a socket that
    /// lies there is of a daemon that is no more.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { path: path.to_owned(), listener })
    }

    /// Answers requests for ever, a few at once.
    ///
    /// What the board does not know, `tell` may: it is given the command, and gives a text, or why
    /// there is none.
    pub async fn serve<Told>(
        &self,
        board: &Board,
        tell: impl Fn(String) -> Told + Clone + Send + Sync + 'static,
    ) -> Infallible
    where
        Told: Future<Output = Option<Result<String, String>>> + Send,
    {
        let mut answers = JoinSet::new();
        loop {
            tokio::select! {
                Some(_) = answers.join_next() => {}
                accepted = self.listener.accept(), if answers.len() < ANSWERS_MAX => match accepted {
                    Ok((stream, _)) if !is_of_owner(&stream) => {
                        warn!("somebody else than the owner asked at the admin socket, in vain");
                    }
                    Ok((stream, _)) => {
                        let (board, tell) = (board.clone(), tell.clone());
                        answers.spawn(async move {
                            // Who asks and does not listen is not waited for.
                            let _ = timeout(LONG_TIMEOUT, answer(stream, &board, &tell)).await;
                        });
                    }
                    Err(error) => {
                        warn!("the admin socket takes no connection: {error}");
                        tokio::time::sleep(TIMEOUT).await;
                    }
                }
            }
        }
    }
}

/// Whether who is at the other end runs as the same user as we do, or as root. The mode of the socket
/// says so as well, but only from a moment after it is there, and root may change it.
fn is_of_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| is_heard(peer.uid(), own))
}

/// Whether a user is answered by a daemon that runs as `own`.
fn is_heard(user: u32, own: u32) -> bool {
    user == own || user == 0
}

async fn answer<Told>(
    mut stream: UnixStream,
    board: &Board,
    tell: &impl Fn(String) -> Told,
) -> io::Result<()>
where
    Told: Future<Output = Option<Result<String, String>>>,
{
    let (read, mut write) = stream.split();
    let mut line = String::new();
    let mut reader = BufReader::new(read.take(REQUEST_BYTES_MAX));
    timeout(TIMEOUT, reader.read_line(&mut line)).await.map_err(io::Error::other)??;
    let answer = match line.trim_end() {
        _ if !line.ends_with('\n') => {
            json!({ "error": format!("a request is a line of at most {REQUEST_BYTES_MAX} bytes") })
        }
        "status" => board.read(|state| told(state, Utc::now())),
        other => {
            let word = other.split(' ').next().unwrap_or_default();
            let limit = if LONG.contains(&word) { LONG_TIMEOUT } else { TIMEOUT };
            match timeout(limit, tell(other.to_owned())).await {
                Ok(Some(Ok(told))) => json!({ "told": told }),
                Ok(Some(Err(error))) => json!({ "error": error }),
                Ok(None) => json!({ "error": format!("there is no command {other:?}") }),
                Err(_) => json!({ "error": format!("{word} was not done within {limit:?}") }),
            }
        }
    };
    write.write_all(answer.to_string().as_bytes()).await?;
    write.shutdown().await
}

/// What the daemon at a socket answers; none if there is no daemon.
///
/// # Errors
/// It does not answer, or not as it should.
pub async fn ask(path: &Path, command: &str) -> io::Result<Option<Value>> {
    ask_within(TIMEOUT, path, command).await
}

/// The same, of something that takes long.
///
/// # Errors
/// As for [`ask`].
pub async fn ask_long(path: &Path, command: &str) -> io::Result<Option<Value>> {
    ask_within(LONG_TIMEOUT, path, command).await
}

async fn ask_within(limit: Duration, path: &Path, command: &str) -> io::Result<Option<Value>> {
    if command.len() as u64 >= REQUEST_BYTES_MAX {
        let why = format!("the request is over {REQUEST_BYTES_MAX} bytes: name fewer");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let Ok(mut stream) = UnixStream::connect(path).await else { return Ok(None) };
    let asking = async {
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes).await?;
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    };
    timeout(limit, asking).await.map_err(io::Error::other)?.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_owner_and_root_is_heard() {
        for (user, own, expected) in [
            (0, 0, true),
            (0, 65_000, true),
            (65_000, 65_000, true),
            (1_000, 65_000, false),
            (1_000, 0, false),
        ] {
            assert_eq!(is_heard(user, own), expected, "{user} asks {own}");
        }
    }
}
