//! The HTTP clients, and where they may go: one that feeds share which must lie at public
//! addresses, and one for each request of a feed that is reached in a way of its own.

use crate::fetch::Settings;
use crate::fetch::carrier::Carrier;
use crate::fetch::coding;
use crate::fetch::error::FetchError;
use crate::fetch::error::cut;
use crate::fetch::error::reason_of;
use crate::fetch::error::shown;
use crate::fetch::guard::Guard;
use crate::fetch::guard::literal;
use crate::fetch::proxy::Proxies;
use crate::fetch::resolve::Lookup;
use crate::fetch::resolve::Pin;
use crate::fetch::resolve::Pins;
use crate::model::feed::Access;
use crate::model::feed::Private;
use http::HeaderMap;
use http::HeaderValue;
use http::header::ACCEPT;
use http::header::ACCEPT_ENCODING;
use reqwest::Certificate;
use reqwest::Client;
use reqwest::ClientBuilder;
use std::fs::File;
use std::io;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
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

/// The largest file of certificates, in bytes.
const CA_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The clients, and what they reach.
pub(crate) struct Clients {
    settings: Settings,
    refusal: fn(IpAddr) -> Option<&'static str>,
    lookup: Lookup,
    /// What carries all requests, if it is not a client.
    carrier: Option<Arc<dyn Carrier>>,
    proxies: Proxies,
    /// For feeds that must lie at public addresses.
    guarded: Reach,
    /// For feeds that may lie anywhere.
    open: Reach,
}

/// A client, and what it may reach.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) way: Way,
    guard: Guard,
    /// None if a proxy looks up the names.
    pins: Option<Pins>,
}

/// By which requests go.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    Client(Client),
    Carrier(Arc<dyn Carrier>),
}

/// Where a request goes, for as long as it lasts.
pub(crate) struct Place {
    /// One of its addresses, always the same for the same set of them.
    pub(crate) address: Option<IpAddr>,
    _pin: Option<Pin>,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").field("guarded", &self.guarded).finish_non_exhaustive()
    }
}

impl Clients {
    /// The clients that ask as the settings say.
    pub(crate) fn new(
        refusal: fn(IpAddr) -> Option<&'static str>,
        lookup: Lookup,
        carrier: Option<Arc<dyn Carrier>>,
        settings: &Settings,
    ) -> Result<Self, FetchError> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let reach = |guard| match &carrier {
            Some(carrier) => Ok(carried(carrier, guard)),
            None => direct(builder(settings), guard),
        };
        Ok(Self {
            settings: settings.clone(),
            refusal,
            lookup,
            proxies: Proxies::new(settings.proxy.clone()),
            guarded: reach(Guard::Public(refusal))?,
            open: reach(Guard::Open)?,
            carrier,
        })
    }

    /// The clients that ask as other settings say, and reach the same.
    pub(crate) fn under(&self, settings: &Settings) -> Result<Self, FetchError> {
        Self::new(self.refusal, self.lookup.clone(), self.carrier.clone(), settings)
    }

    /// The client for an address of a feed. Feeds that are reached in a way of their own have one
    /// for each request, so that no connection that one of them opened serves another feed; those
    /// that may lie at private addresses share one among them.
    pub(crate) async fn reach(&self, access: &Access, url: &Url) -> Result<Reach, FetchError> {
        let guard = match &access.private {
            Private::Refused => Guard::Public(self.refusal),
            Private::Allowed => Guard::Open,
            Private::Only(networks) => Guard::Only(networks.clone()),
        };
        if let Some(carrier) = &self.carrier {
            return Ok(carried(carrier, guard));
        }
        let proxy = self.proxies.for_address(access.proxy.as_ref(), url)?;
        if proxy.is_none() && access.ca_file.is_none() {
            match access.private {
                Private::Refused => return Ok(self.guarded.clone()),
                Private::Allowed => return Ok(self.open.clone()),
                Private::Only(_) => {}
            }
        }
        let mut builder = builder(&self.settings);
        if let Some(path) = &access.ca_file {
            let reading = timeout(self.settings.connect_timeout, authorities(path));
            let read = reading.await.unwrap_or_else(|_| {
                let (path, reason) = (path.display().to_string(), "it cannot be read in time");
                Err(FetchError::File { path, reason: reason.to_owned() })
            });
            builder = builder.tls_certs_merge(read?);
        }
        let Some(proxy) = proxy else { return direct(builder, guard) };
        let client = builder.proxy(proxy).build().map_err(|error| unmade(&error))?;
        Ok(Reach { way: Way::Client(client), guard, pins: None })
    }

    /// Looks up where a request goes, and whether it may.
    pub(crate) async fn place(&self, reach: &Reach, url: &Url) -> Result<Place, FetchError> {
        let refused = |reason| FetchError::Refused { url: shown(url), reason };
        reach.guard.vet(url).map_err(refused)?;
        let Some(pins) = &reach.pins else {
            if matches!(reach.guard, Guard::Only(_)) && literal(url).is_none() {
                let reason = "through a proxy, a name is not known to be in `allow_private`";
                return Err(refused(reason.to_owned()));
            }
            return Ok(Place { address: None, _pin: None });
        };
        if let Some(ip) = literal(url) {
            return Ok(Place { address: Some(ip.to_canonical()), _pin: None });
        }
        let name = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let failed = |reason| FetchError::Connection { url: shown(url), reason };
        let limit = self.settings.connect_timeout;
        let ips = match timeout(limit, (self.lookup)(name.to_owned())).await {
            Ok(ips) => ips.map_err(|error| failed(cut(&error.to_string())))?,
            Err(_) => return Err(failed(format!("its name was not looked up within {limit:?}"))),
        };
        for ip in &ips {
            let vetted = reach.guard.vet_address(*ip, port);
            vetted.map_err(|reason| refused(format!("`{name}` is at {ip}, {reason}")))?;
        }
        let address = ips.iter().min().map(IpAddr::to_canonical);
        Ok(Place { address, _pin: Some(pins.pin(name, ips)) })
    }
}

impl Reach {
    /// Whether the names are looked up here, and the connections made from here.
    pub(crate) fn is_direct(&self) -> bool {
        self.pins.is_some()
    }
}

fn direct(builder: ClientBuilder, guard: Guard) -> Result<Reach, FetchError> {
    let pins = Pins::default();
    let client = builder.no_proxy().dns_resolver(pins.clone()).build();
    let way = Way::Client(client.map_err(|error| unmade(&error))?);
    Ok(Reach { way, guard, pins: Some(pins) })
}

fn carried(carrier: &Arc<dyn Carrier>, guard: Guard) -> Reach {
    Reach { way: Way::Carrier(Arc::clone(carrier)), guard, pins: Some(Pins::default()) }
}

fn unmade(error: &reqwest::Error) -> FetchError {
    FetchError::Client { reason: reason_of(error) }
}

/// The certificates in a file.
async fn authorities(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let shown = path.display().to_string();
    let failed = |reason: String| FetchError::File { path: shown.clone(), reason };
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        if !path.metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(CA_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = reading.await.map_err(|error| failed(error.to_string()))?;
    let bytes = bytes.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > CA_FILE_BYTES_MAX {
        return Err(failed(format!("it is over {CA_FILE_BYTES_MAX} bytes")));
    }
    let found = Certificate::from_pem_bundle(&bytes).map_err(|error| failed(reason_of(&error)))?;
    if found.is_empty() {
        return Err(failed("there is no certificate (PEM) in it".to_owned()));
    }
    Ok(found)
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
        .connect_timeout(settings.connect_timeout)
        .read_timeout(read_timeout(settings))
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http1_max_headers(HEADERS_MAX)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
}
