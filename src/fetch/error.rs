//! Why a feed could not be fetched, in words that name the address and never what is secret in it.

use crate::fetch::route;
use http::StatusCode;
use std::error::Error;
use std::time::Duration;
use url::Url;

/// How much of another's words a message repeats, in characters.
pub(crate) const REASON_CHARS_MAX: usize = 300;

/// Why a feed could not be fetched. Addresses are without user, password and query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The client could not be made.
    #[error("the HTTP client cannot start: {reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
    /// The address is not to be reached.
    #[error("{url}: refused: {reason} (`allow_private = true` allows it)")]
    Refused {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The server answered with something that is no document.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// The body is over the limit.
    #[error("{url}: the body is over {body_bytes_max} bytes")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit, in bytes.
        body_bytes_max: u64,
    },
    /// A wait was too long.
    #[error("{url}: {what} within {limit:?}")]
    Timeout {
        /// The address.
        url: String,
        /// What did not happen.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// A redirect that is not followed.
    #[error("{url}: the redirect is not followed: {reason}")]
    Redirect {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The connection did not come about: the name is not known, nobody takes the connection, or
    /// who does cannot prove who it is.
    #[error("{url}: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// What was said on the connection.
    #[error("{url}: {reason}")]
    Transport {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A secret that cannot be read. What it is, is never told.
    #[error("{url}: the secret `{place}`: {reason}")]
    Secret {
        /// The address.
        url: String,
        /// Where it is.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// A file that cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// An address as it may be shown and logged.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = route::without_user(url);
    url.set_query(None);
    url.set_fragment(None);
    cut(url.as_str())
}

pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What the innermost cause of an error says: that the name is not known, and not that sending
/// failed because connecting failed because resolving failed.
pub(crate) fn reason_of(error: &(dyn Error + 'static)) -> String {
    cut(&causes(error).last().map(ToString::to_string).unwrap_or_default())
}

pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(REASON_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
