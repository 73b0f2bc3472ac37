//! The HTTP clients: one for feeds that must lie at public addresses, one for those that need not.

use crate::fetch::Settings;
use crate::fetch::coding;
use crate::fetch::error::FetchError;
use crate::fetch::error::reason_of;
use crate::fetch::guard::Guard;
use crate::fetch::resolve::Lookup;
use crate::fetch::resolve::Resolver;
use crate::model::feed::Access;
use crate::model::feed::Private;
use http::HeaderMap;
use http::HeaderValue;
use http::header::ACCEPT;
use http::header::ACCEPT_ENCODING;
use reqwest::Client;
use reqwest::ClientBuilder;
use std::net::IpAddr;
use std::time::Duration;

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

/// The clients.
#[derive(Debug)]
pub(crate) struct Clients {
    guard: Guard,
    guarded: Client,
    open: Client,
}

impl Clients {
    /// The clients that ask as the settings say.
    pub(crate) fn new(
        refusal: fn(IpAddr) -> Option<&'static str>,
        lookup: Lookup,
        settings: &Settings,
    ) -> Result<Self, FetchError> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |error: &reqwest::Error| FetchError::Client { reason: reason_of(error) };
        let guarded = builder(settings).dns_resolver(Resolver { lookup, refusal }).build();
        Ok(Self {
            guard: Guard::Public(refusal),
            guarded: guarded.map_err(|error| failed(&error))?,
            open: builder(settings).build().map_err(|error| failed(&error))?,
        })
    }

    /// The client for a feed, and what it may reach.
    pub(crate) fn for_access(&self, access: &Access) -> (&Client, Guard) {
        match access.private {
            Private::Refused | Private::Only(_) => (&self.guarded, self.guard),
            Private::Allowed => (&self.open, Guard::Open),
        }
    }
}

/// How long a server may say nothing while it answers.
pub(crate) fn read_timeout(settings: &Settings) -> Duration {
    (settings.timeout / 2).min(READ_TIMEOUT_MAX)
}

fn builder(settings: &Settings) -> ClientBuilder {
    let accepted = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static(ACCEPTED)),
        // What is accepted is undone in `body`, where its size is bounded.
        (ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED)),
    ]);
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
