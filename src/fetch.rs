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

pub mod answer;
pub(crate) mod body;
pub mod carrier;
pub(crate) mod client;
pub(crate) mod coding;
pub mod error;
pub(crate) mod exchange;
pub(crate) mod file;
pub mod guard;
pub mod post;
pub(crate) mod proxy;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod secret;
pub mod turns;

use crate::fetch::body::LARGE_BODIES_MAX;
use crate::fetch::carrier::Carrier;
use crate::fetch::client::Clients;
use crate::fetch::error::FetchError;
use crate::fetch::error::shown;
use crate::fetch::exchange::Answer;
use crate::fetch::exchange::exchange;
use crate::fetch::exchange::headers;
use crate::fetch::resolve::Lookup;
use crate::fetch::route::Route;
use crate::fetch::secret::Proof;
use crate::fetch::turns::Limits;
use crate::fetch::turns::Turns;
use crate::model::clock::Clock;
use crate::model::exchange::Document;
use crate::model::exchange::Request;
use crate::model::exchange::Validators;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use chrono::DateTime;
use chrono::Utc;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

/// What a redirect may ask to wait without putting the poll off.
const SHORT_WAIT: Duration = Duration::from_secs(2);

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
    /// How many exchanges with one host, and with one address, run at once.
    pub per_host: usize,
    /// How long a host and an address are left alone between two requests.
    pub host_pause: Duration,
    /// Through which proxy feeds are fetched that name none.
    pub proxy: Option<Url>,
    /// Tells the time to which a server's words are relative.
    pub clock: Clock,
}

/// Fetches feeds.
#[derive(Debug)]
pub struct Fetcher {
    settings: Settings,
    turns: Turns,
    clients: Clients,
    /// For large bodies.
    large: Arc<Semaphore>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Fetched {
    /// A document.
    Document {
        /// As it came.
        document: Document,
        /// For the next time. They vouch for this document: not to be kept without it.
        validators: Validators,
        /// What the answer says of the next time.
        said: Said,
        /// Whether it holds only what is new since the validators were given (RFC 3229, 226).
        is_delta: bool,
        /// To be kept as long as the document is.
        hold: Hold,
    },
    /// Nothing changed since the validators were given.
    NotModified {
        /// For the next time.
        validators: Validators,
        /// What the answer says of the next time.
        said: Said,
    },
    /// The server says that the feed is no more (410).
    Gone,
    /// The feed's server asks to come later: it means all its feeds.
    Later {
        /// When, if it says so; a week from now at most.
        until: Option<DateTime<Utc>>,
    },
    /// A redirect, or the server to which it leads, asks to come later.
    Postponed {
        /// When, if it says so; a week from now at most.
        until: Option<DateTime<Utc>>,
    },
    /// The feed's host itself cannot be reached: its name is not known, it takes no connection,
    /// or it cannot prove who it is.
    Unreachable(FetchError),
    /// Anything else.
    Failed(FetchError),
}

/// What an answer says of the next time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Where the feed has moved for good: the end of the unbroken chain of 301 and 308
    /// that begins at the address that was asked.
    pub moved: Option<Url>,
    /// How long the answer stays fresh from now on (RFC 9111, 4.2.1), its age taken off.
    pub freshness: Option<Duration>,
    /// The status of the answer; none of a file.
    pub status: Option<u16>,
    /// The redirects that led to it, in their order.
    pub hops: Vec<Hop>,
    /// Where changes are announced, as its `Link` header says (`WebSub`, 4).
    pub hub: Option<Url>,
}

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address that redirects, without user and password.
    pub from: Url,
    /// The status that says so.
    pub status: u16,
}

/// A share of the memory for large documents, until it is dropped.
#[derive(Debug, Default)]
pub struct Hold {
    permit: Option<OwnedSemaphorePermit>,
}

/// What came does not differ by what was kept free for it.
impl PartialEq for Hold {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Hold {}

impl Hold {
    /// Waits for a share, unless there is one already.
    pub(crate) async fn grow(&mut self, large: &Arc<Semaphore>) {
        if self.permit.is_none() {
            // A semaphore that is never closed always gives a permit in the end.
            self.permit = Arc::clone(large).acquire_owned().await.ok();
        }
    }
}

impl Fetcher {
    /// A fetcher with these settings.
    ///
    /// # Errors
    /// The user agent is no header's value, or no certificate authority is installed.
    pub fn new(settings: Settings) -> Result<Self, FetchError> {
        Self::guarded_by(guard::refusal, resolve::system(), settings)
    }

    /// A fetcher with other settings that treats the same hosts as politely as if it were this one:
    /// who was asked a moment ago is left alone by both.
    ///
    /// # Errors
    /// As for [`Fetcher::new`].
    pub fn under(&self, settings: Settings) -> Result<Self, FetchError> {
        let turns = self.turns.under(limits(&settings));
        let (clients, large) = (self.clients.under(&settings)?, Arc::clone(&self.large));
        Ok(Self { settings, turns, clients, large })
    }

    /// A fetcher whose requests go by this carrier, and by no connection of our own: in a world
    /// that is simulated, or over a network that is reached in a way of its own.
    ///
    /// # Errors
    /// As for [`Fetcher::new`].
    pub fn over(carrier: Arc<dyn Carrier>, settings: Settings) -> Result<Self, FetchError> {
        let looking = Arc::clone(&carrier);
        let lookup: Lookup = Arc::new(move |name| looking.look_up(name));
        let clients = Clients::new(guard::refusal, lookup, Some(carrier), &settings)?;
        Ok(Self::of(clients, settings))
    }

    fn guarded_by(
        refusal: fn(IpAddr) -> Option<&'static str>,
        lookup: Lookup,
        settings: Settings,
    ) -> Result<Self, FetchError> {
        let clients = Clients::new(refusal, lookup, None, &settings)?;
        Ok(Self::of(clients, settings))
    }

    fn of(clients: Clients, settings: Settings) -> Self {
        let turns = Turns::new(limits(&settings));
        Self { turns, clients, large: Arc::new(Semaphore::new(LARGE_BODIES_MAX)), settings }
    }

    /// Fetches a feed once. May be dropped at any time: nothing is left behind.
    pub async fn fetch(&self, feed: &Feed, request: &Request) -> Fetched {
        let fetched = match &feed.address {
            Address::File(path) => self.fetch_file(path, request).await,
            Address::Http(configured) => {
                let url = request.relocated.as_ref().unwrap_or(configured);
                self.fetch_http(feed, url, request).await
            }
        };
        fetched.unwrap_or_else(Fetched::Failed)
    }

    async fn fetch_file(&self, path: &Path, request: &Request) -> Result<Fetched, FetchError> {
        let _turn = self.turns.without_host().await;
        let (read, known) = (path.to_owned(), request.validators.clone());
        let address = Address::File(path.to_owned()).to_string();
        let known = known.filter(|known| known.address == address);
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
        feed: &Feed,
        url: &Url,
        request: &Request,
    ) -> Result<Fetched, FetchError> {
        let mut route = Route::new(url.clone());
        let known = request.validators.as_ref().filter(|known| known.address == route.asked());
        let proof = self.proof(feed).await?;
        let mut left = self.settings.timeout;
        loop {
            let url = route.url();
            let reach = self.clients.reach(&feed.access, url).await?;
            let place = match self.clients.place(&reach, url).await {
                Err(error @ FetchError::Connection { .. }) if route.is_at_start() => {
                    return Ok(Fetched::Unreachable(error));
                }
                place => place?,
            };
            let host = url.host_str().unwrap_or_default();
            let mut turn = self.turns.with(host, place.address).await;
            let began = Instant::now();
            let headers = headers(known, proof.as_ref(), url);
            let exchange =
                exchange(&self.settings, &self.large, (&reach.way, headers), &route, known);
            let answer = turn.during(tokio::time::timeout(left, exchange)).await;
            drop(turn);
            left = left.saturating_sub(began.elapsed());
            match answer.map_err(|_| self.not_done(shown(route.url())))? {
                Ok(Answer::Fetched(fetched)) => return Ok(fetched),
                Ok(Answer::Redirect { status, location, wait }) => {
                    if let Some(until) = self.postpones(wait, request).await {
                        return Ok(Fetched::Postponed { until: Some(until) });
                    }
                    route.follow(status, &location)?;
                }
                Err(error @ FetchError::Connection { .. })
                    if route.is_at_start() && reach.is_direct() =>
                {
                    return Ok(Fetched::Unreachable(error));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What proves to a feed's server who we are.
    async fn proof(&self, feed: &Feed) -> Result<Option<Proof>, FetchError> {
        let (Some(credentials), Address::Http(url)) = (&feed.access.credentials, &feed.address)
        else {
            return Ok(None);
        };
        let (credentials, of) = (credentials.clone(), url.clone());
        let reading = tokio::task::spawn_blocking(move || secret::read(&credentials, &of));
        match tokio::time::timeout(self.settings.timeout, reading).await {
            Ok(Ok(proof)) => proof.map(Some),
            Ok(Err(_)) | Err(_) => Err(self.not_done(shown(url))),
        }
    }

    /// Until when a redirect that asks to wait puts the poll off; a short wait is waited for.
    async fn postpones(
        &self,
        wait: Option<DateTime<Utc>>,
        request: &Request,
    ) -> Option<DateTime<Utc>> {
        let until = wait.filter(|_| !request.has_waited)?;
        let left = (until - self.settings.clock.now()).to_std().unwrap_or_default();
        if left > SHORT_WAIT {
            return Some(until);
        }
        tokio::time::sleep(left).await;
        None
    }

    fn not_done(&self, url: String) -> FetchError {
        FetchError::Timeout { url, what: "not done", limit: self.settings.timeout }
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        concurrency: settings.concurrency,
        per_host: settings.per_host,
        pause: settings.host_pause,
    }
}

#[cfg(test)]
mod tests;
