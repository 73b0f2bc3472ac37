//! Names to addresses, past the guard.
//!
//! The connection is made to the very addresses that were looked at here, so that a name cannot
//! be public when it is looked at and private when it is used. One address that is refused
//! refuses the name: a name that is both is not an accident.

use reqwest::dns::Addrs;
use reqwest::dns::Name;
use reqwest::dns::Resolve;
use reqwest::dns::Resolving;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

/// Asks for the addresses of a name.
pub(crate) type Lookup = Arc<
    dyn Fn(String) -> std::pin::Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>
        + Send
        + Sync,
>;

/// A resolver that gives only addresses in which `refusal` sees no harm.
pub(crate) struct Resolver {
    /// Where the addresses come from.
    pub(crate) lookup: Lookup,
    /// Why an address is refused.
    pub(crate) refusal: fn(IpAddr) -> Option<&'static str>,
}

/// Why a name was refused. To be found among the causes of a client's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is at {ip}, {reason}")]
pub(crate) struct RefusedName {
    name: String,
    ip: IpAddr,
    reason: &'static str,
}

/// The resolver of the operating system.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// The addresses of a name, if none of them is refused.
pub(crate) fn vetted(
    name: &str,
    ips: &[IpAddr],
    refusal: fn(IpAddr) -> Option<&'static str>,
) -> Result<Vec<SocketAddr>, RefusedName> {
    let vet = |&ip: &IpAddr| match refusal(ip) {
        Some(reason) => Err(RefusedName { name: name.to_owned(), ip, reason }),
        None => Ok(SocketAddr::new(ip, 0)),
    };
    ips.iter().map(vet).collect()
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, refusal) = (Arc::clone(&self.lookup), self.refusal);
        Box::pin(async move {
            let ips = lookup(name.as_str().to_owned()).await?;
            let addresses = vetted(name.as_str(), &ips, refusal)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::guard::refusal;

    #[test]
    fn a_name_with_one_refused_address_is_refused() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let public = [ip("93.184.216.34"), ip("2606:2800::1")];
        let addresses = vetted("city.example", &public, refusal).unwrap();
        assert_eq!(addresses, public.map(|ip| SocketAddr::new(ip, 0)));
        let mixed = [ip("93.184.216.34"), ip("::ffff:10.0.0.7")];
        assert_eq!(
            vetted("city.example", &mixed, refusal).unwrap_err().to_string(),
            "`city.example` is at ::ffff:10.0.0.7, a private address (RFC 1918)"
        );
    }
}
