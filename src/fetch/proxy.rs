//! Which proxy an address is fetched through: the feed's own, that of feeds.toml for all, or what
//! the usual variables say (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in capitals or
//! not).
//!
//! Through a proxy, names are the proxy's to look up, also where `socks5:` would leave it to us:
//! what was looked up here and not vetted must not be reached. The guard sees only what is spelt
//! out in an address.

use crate::fetch::error::FetchError;
use crate::fetch::error::reason_of;
use crate::model::feed::Proxy;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Proxy as ClientProxy;
use url::Url;

/// The proxies that hold where a feed names none.
#[derive(Debug)]
pub(crate) struct Proxies {
    for_all: Option<Url>,
    environment: Matcher,
}

impl Proxies {
    /// That of feeds.toml, and else what the environment says.
    pub(crate) fn new(for_all: Option<Url>) -> Self {
        Self { for_all, environment: Matcher::from_env() }
    }

    /// The proxy for an address; none if it is fetched directly.
    pub(crate) fn for_address(
        &self,
        own: Option<&Proxy>,
        url: &Url,
    ) -> Result<Option<ClientProxy>, FetchError> {
        let failed = |error: &reqwest::Error| FetchError::Client { reason: reason_of(error) };
        let named = match own {
            Some(Proxy::Direct) => return Ok(None),
            Some(Proxy::Through(url)) => Some(url),
            None => self.for_all.as_ref(),
        };
        if let Some(named) = named {
            return ClientProxy::all(far_sighted(named)).map(Some).map_err(|error| failed(&error));
        }
        let Ok(target) = url.as_str().parse() else { return Ok(None) };
        let Some(found) = self.environment.intercept(&target) else { return Ok(None) };
        let mut address = Url::parse(&found.uri().to_string())
            .map_err(|error| FetchError::Client { reason: format!("the proxy: {error}") })?;
        if let Some((user, password)) = found.raw_auth() {
            // An address that can have neither is no proxy's.
            let _ = address.set_username(user);
            let _ = address.set_password(Some(password));
        }
        let proxy = ClientProxy::all(far_sighted(&address)).map_err(|error| failed(&error))?;
        Ok(Some(match found.basic_auth() {
            Some(value) => proxy.custom_http_auth(value.clone()),
            None => proxy,
        }))
    }
}

/// The address of a proxy, with the scheme that leaves names to it.
fn far_sighted(proxy: &Url) -> String {
    let address = proxy.as_str();
    match address.split_once(':') {
        Some(("socks5", rest)) => format!("socks5h:{rest}"),
        Some(("socks4", rest)) => format!("socks4a:{rest}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_left_to_the_proxy() {
        for (given, expected) in [
            ("socks5://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
            ("socks5h://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
            ("socks4://proxy.example:1080", "socks4a://proxy.example:1080"),
            ("http://proxy.example:3128/", "http://proxy.example:3128/"),
        ] {
            assert_eq!(far_sighted(&given.parse().unwrap()), expected);
        }
    }
}
