//! The sockets that a service manager opened and hands over (`sd_listen_fds(3)`).

use crate::daemon::Handed;
use listenfd::ListenFd;
use std::env;
use std::io;
use std::net::TcpListener;

/// `FileDescriptorName=` of the socket on which readers are answered.
const READERS: &str = "public";
/// And of the one on which admins are.
const ADMINS: &str = "admin";

/// Takes what was handed over to this process.
///
/// # Errors
/// Something else than a listener of TCP, more than one for the same, or one with a name that says
/// nothing to us.
pub(crate) fn handed() -> Result<Handed, String> {
    let mut sockets = ListenFd::from_env();
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut handed = Handed::default();
    for index in 0..sockets.len() {
        let name = names.next().unwrap_or_default();
        let cannot = |why: &str| {
            format!(
                "socket {} (`{name}`) that the service manager hands over {why}; look at \
                 visnyk.socket",
                index + 1
            )
        };
        let taken =
            sockets.take_tcp_listener(index).and_then(|socket| socket.map(listening).transpose());
        let socket = taken.map_err(|error| cannot(&format!("is no TCP listener: {error}")))?;
        let place = match name.as_str() {
            // Without a name of its own it has that of its unit.
            READERS | "" | "visnyk.socket" | "unknown" => &mut handed.readers,
            ADMINS => &mut handed.admins,
            _ => {
                return Err(cannot(
                    "has a name that says nothing: `FileDescriptorName=` is `public` or `admin`",
                ));
            }
        };
        if place.is_some() {
            return Err(cannot("is one too many: there is one for readers and one for admins"));
        }
        *place = socket;
    }
    Ok(handed)
}

/// A socket that takes connections: of one that does not no peer is known, and no connection comes.
fn listening(socket: TcpListener) -> io::Result<TcpListener> {
    if rustix::net::sockopt::socket_acceptconn(&socket)? {
        return Ok(socket);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it does not listen"))
}
