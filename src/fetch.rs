//! One exchange with a publisher: polite, bounded and guarded.
//!
//! # Polite
//! What a server gave us to ask it with is sent back byte for byte; what it says of the time to
//! come is passed on. No cookies, no Referer, no proxy that was not asked for, few connections.
//!
//! # Bounded
//! Every wait has a timeout, the body a size, counted as it is after decompression, and a chain
//! of redirects a length. Waiting for a turn costs none of the time.
//!
//! # Guarded
//! See [`guard`]. Feeds that may be fetched from private addresses have a client of their own,
//! so that no connection that one of them opened serves another feed.
//!
//! Never here: what an outcome means for the feed. reqwest is named nowhere else.

pub(crate) mod answer;
pub(crate) mod file;
pub mod guard;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod turns;

use crate::fetch::guard::Guard;
use crate::fetch::resolve::Lookup;
use crate::fetch::resolve::RefusedName;
use crate::fetch::resolve::Resolver;
use crate::fetch::route::Route;
use crate::fetch::turns::Turns;
use crate::model::exchange::Document;
use crate::model::exchange::Validators;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use chrono::DateTime;
use chrono::Utc;
use http::HeaderMap;
use http::HeaderValue;
use http::StatusCode;
use http::header::ACCEPT;
use http::header::CONTENT_ENCODING;
use http::header::CONTENT_TYPE;
use http::header::IF_MODIFIED_SINCE;
use http::header::IF_NONE_MATCH;
use http::header::LOCATION;
use reqwest::Client;
use reqwest::ClientBuilder;
use reqwest::Response;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;
use url::Url;

const ACCEPTED: &str = "application/atom+xml, application/rss+xml;q=0.9, \
     application/feed+json;q=0.9, application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1";
/// How long a server may say nothing while it answers; half of the time in all if that is less.
const READ_TIMEOUT_MAX: Duration = Duration::from_secs(20);
/// How long a connection is kept for the next feed of the same host.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many headers an HTTP/1 answer may have.
const HEADERS_MAX: usize = 100;
/// How large the headers of an HTTP/2 answer may be, in bytes.
const HEADER_BYTES_MAX: u32 = 64 * 1024;
/// How much of another's words a message repeats, in characters.
const REASON_CHARS_MAX: usize = 300;

/// How to fetch.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name, version and contact.
    pub user_agent: String,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long an exchange may take in all, redirects included, waiting for a turn not.
    pub timeout: Duration,
    /// How large a body may be after decompression, in bytes.
    pub body_bytes_max: u64,
    /// How many exchanges run at once.
    pub concurrency: usize,
    /// How many exchanges with one host run at once.
    pub per_host: usize,
}

/// Fetches feeds.
#[derive(Debug)]
pub struct Fetcher {
    settings: Settings,
    turns: Turns,
    guard: Guard,
    guarded: Client,
    open: Client,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one for each poll, and taken apart at once")]
pub enum Fetched {
    /// A document.
    Document {
        /// As it came.
        document: Document,
        /// For the next time. They vouch for this document: not to be kept without it.
        validators: Validators,
        /// Where the feed has moved for good: the end of the unbroken chain of 301 and 308
        /// that begins at its configured address.
        moved: Option<Url>,
    },
    /// Nothing changed since the validators were given.
    NotModified {
        /// For the next time.
        validators: Validators,
    },
    /// The server says that the feed is no more (410).
    Gone,
    /// The server asks to come later.
    Later {
        /// When, if it says so; a week from now at most.
        until: Option<DateTime<Utc>>,
    },
    /// Anything else.
    Failed(FetchError),
}

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
    /// The connection, or what was said on it.
    #[error("{url}: {reason}")]
    Transport {
        /// The address.
        url: String,
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

#[expect(clippy::large_enum_variant, reason = "one for each hop, and taken apart at once")]
enum Answer {
    Fetched(Fetched),
    Redirect { status: StatusCode, location: Vec<u8> },
}

impl Fetcher {
    /// A fetcher with these settings.
    ///
    /// # Errors
    /// The user agent is no header's value, or no certificate authority is installed.
    pub fn new(settings: Settings) -> Result<Self, FetchError> {
        Self::guarded_by(guard::refusal, resolve::system(), settings)
    }

    fn guarded_by(
        refusal: fn(std::net::IpAddr) -> Option<&'static str>,
        lookup: Lookup,
        settings: Settings,
    ) -> Result<Self, FetchError> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |error: &reqwest::Error| FetchError::Client { reason: reason_of(error) };
        let resolver = Resolver { lookup, refusal };
        let guarded = client(&settings).dns_resolver(resolver).build();
        Ok(Self {
            turns: Turns::new(settings.concurrency, settings.per_host),
            guard: Guard::Public(refusal),
            guarded: guarded.map_err(|error| failed(&error))?,
            open: client(&settings).build().map_err(|error| failed(&error))?,
            settings,
        })
    }

    /// Fetches a feed once. May be dropped at any time: nothing is left behind.
    ///
    /// `validators` are those that came with the last document that was stored.
    pub async fn fetch(&self, feed: &Feed, validators: Option<&Validators>) -> Fetched {
        let address = feed.address.to_string();
        let known = validators.filter(|validators| validators.address == address);
        let fetched = match &feed.address {
            Address::File(path) => self.fetch_file(path, address, known).await,
            Address::Http(url) if feed.allow_private => {
                self.fetch_http(&self.open, Guard::Open, url, address, known).await
            }
            Address::Http(url) => {
                self.fetch_http(&self.guarded, self.guard, url, address, known).await
            }
        };
        fetched.unwrap_or_else(Fetched::Failed)
    }

    async fn fetch_file(
        &self,
        path: &Path,
        address: String,
        known: Option<&Validators>,
    ) -> Result<Fetched, FetchError> {
        let _turn = self.turns.without_host().await;
        let (read, known) = (path.to_owned(), known.cloned());
        let body_bytes_max = self.settings.body_bytes_max;
        let reading = tokio::task::spawn_blocking(move || {
            file::read(&read, address, known.as_ref(), body_bytes_max)
        });
        let path = path.display().to_string();
        match tokio::time::timeout(self.settings.timeout, reading).await {
            Ok(Ok(fetched)) => fetched,
            Ok(Err(error)) => Err(FetchError::File { path, reason: error.to_string() }),
            Err(_) => Err(self.not_done(path)),
        }
    }

    async fn fetch_http(
        &self,
        client: &Client,
        guard: Guard,
        configured: &Url,
        address: String,
        known: Option<&Validators>,
    ) -> Result<Fetched, FetchError> {
        let mut route = Route::new(configured.clone());
        let mut left = self.settings.timeout;
        loop {
            let url = route.url();
            guard.vet(url).map_err(|reason| FetchError::Refused { url: shown(url), reason })?;
            let turn = self.turns.with(url.host_str().unwrap_or_default()).await;
            let began = Instant::now();
            let exchange = self.exchange(client, &route, &address, known);
            let answer = tokio::time::timeout(left, exchange).await;
            drop(turn);
            left = left.saturating_sub(began.elapsed());
            match answer.map_err(|_| self.not_done(shown(route.url())))?? {
                Answer::Fetched(fetched) => return Ok(fetched),
                Answer::Redirect { status, location } => route.follow(status, &location)?,
            }
        }
    }

    /// One request and its answer.
    async fn exchange(
        &self,
        client: &Client,
        route: &Route,
        address: &str,
        known: Option<&Validators>,
    ) -> Result<Answer, FetchError> {
        let url = route.url();
        let request = client.get(url.clone()).headers(conditions(known));
        let response = request.send().await.map_err(|error| self.failure(url, error))?;
        let (status, headers) = (response.status(), response.headers());
        Ok(Answer::Fetched(match (status.as_u16(), known) {
            (200 | 203, _) => {
                let validators = answer::validators(headers, address.to_owned());
                let document = self.document(response, url).await?;
                Fetched::Document { document, validators, moved: route.moved() }
            }
            (304, Some(known)) => {
                Fetched::NotModified { validators: answer::renewed(headers, known) }
            }
            (301 | 302 | 303 | 307 | 308, _) => {
                let location = headers.get(LOCATION).map(HeaderValue::as_bytes);
                let location = location.unwrap_or_default().to_vec();
                return Ok(Answer::Redirect { status, location });
            }
            (410, _) => Fetched::Gone,
            (429 | 503, _) => match answer::retry_after(headers, Utc::now()) {
                None if status == StatusCode::SERVICE_UNAVAILABLE => {
                    return Err(FetchError::Status { url: shown(url), status });
                }
                until => Fetched::Later { until },
            },
            _ => return Err(FetchError::Status { url: shown(url), status }),
        }))
    }

    async fn document(&self, mut response: Response, url: &Url) -> Result<Document, FetchError> {
        // What the client has undone is no longer in the header.
        let coding = response.headers().get(CONTENT_ENCODING).cloned();
        if let Some(coding) =
            coding.filter(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            let coding = cut(&String::from_utf8_lossy(coding.as_bytes()));
            let reason = format!("the content coding `{coding}` cannot be undone");
            return Err(FetchError::Transport { url: shown(url), reason });
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type =
            content_type.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
        let body_bytes_max = self.settings.body_bytes_max;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(url, error))? {
            if (bytes.len() + chunk.len()) as u64 > body_bytes_max {
                return Err(FetchError::TooLarge { url: shown(url), body_bytes_max });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Document { url: route::without_user(url), content_type, bytes })
    }

    fn failure(&self, url: &Url, error: reqwest::Error) -> FetchError {
        let error = error.without_url();
        let url = shown(url);
        if let Some(refused) = causes(&error).find_map(|cause| cause.downcast_ref::<RefusedName>())
        {
            return FetchError::Refused { url, reason: refused.to_string() };
        }
        if error.is_timeout() && error.is_connect() {
            let limit = self.settings.connect_timeout;
            return FetchError::Timeout { url, what: "no connection", limit };
        }
        if error.is_timeout() {
            let limit = read_timeout(&self.settings);
            return FetchError::Timeout { url, what: "the server said nothing", limit };
        }
        FetchError::Transport { url, reason: reason_of(&error) }
    }

    fn not_done(&self, url: String) -> FetchError {
        FetchError::Timeout { url, what: "not done", limit: self.settings.timeout }
    }
}

fn client(settings: &Settings) -> ClientBuilder {
    let accepted = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(ACCEPTED))]);
    Client::builder()
        .user_agent(&settings.user_agent)
        .default_headers(accepted)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .read_timeout(read_timeout(settings))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http1_max_headers(HEADERS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
}

fn read_timeout(settings: &Settings) -> Duration {
    (settings.timeout / 2).min(READ_TIMEOUT_MAX)
}

/// The headers of a conditional request (RFC 9110, 13.1).
fn conditions(known: Option<&Validators>) -> HeaderMap {
    let etag = known.and_then(|known| known.etag.as_ref());
    let last_modified = known.and_then(|known| known.last_modified.as_ref());
    let given = [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)];
    let valid = given.into_iter().filter_map(|(name, bytes)| {
        // What came as a header is one; only a damaged store could hold something else.
        Some((name, HeaderValue::from_bytes(bytes?).ok()?))
    });
    valid.collect()
}

/// An address as it may be shown and logged.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = route::without_user(url);
    url.set_query(None);
    url.set_fragment(None);
    cut(url.as_str())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// What the innermost cause of an error says: that the name is not known, and not that sending
/// failed because connecting failed because resolving failed.
fn reason_of(error: &(dyn Error + 'static)) -> String {
    cut(&causes(error).last().map(ToString::to_string).unwrap_or_default())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(REASON_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
