//! Names to addresses, past the guard.
//!
//! A name is looked up for each request, every address that it has is vetted, and the connection
//! is made to the very addresses that were vetted, so that a name cannot be public when it is
//! looked at and private when it is used. One address that is refused refuses the name: a name
//! that is both is not an accident.

use reqwest::dns::Addrs;
use reqwest::dns::Name;
use reqwest::dns::Resolve;
use reqwest::dns::Resolving;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Asks for the addresses of a name.
pub(crate) type Lookup = Arc<
    dyn Fn(String) -> Pinned<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>
        + Send
        + Sync,
>;

/// The addresses to which connections may be made, by name, as long as a request needs them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// Each request's own addresses: two at once may have been told different ones.
    by_name: HashMap<String, Vec<(u64, Vec<IpAddr>)>>,
}

/// The addresses of one request, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    pins: Pins,
    name: String,
    number: u64,
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

impl Pins {
    /// Lets connections to a name be made to these addresses.
    pub(crate) fn pin(&self, name: &str, ips: Vec<IpAddr>) -> Pin {
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        table.by_name.entry(name.to_owned()).or_default().push((number, ips));
        Pin { pins: self.clone(), name: name.to_owned(), number }
    }

    fn of(&self, name: &str) -> Vec<IpAddr> {
        let table = self.table();
        let newest = table.by_name.get(name).and_then(|pinned| pinned.last());
        newest.map(|(_, ips)| ips.clone()).unwrap_or_default()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut table = self.pins.table();
        if let Some(pinned) = table.by_name.get_mut(&self.name) {
            pinned.retain(|(number, _)| *number != self.number);
            if pinned.is_empty() {
                table.by_name.remove(&self.name);
            }
        }
    }
}

/// A client that knows only what is pinned.
impl Resolve for Pins {
    fn resolve(&self, name: Name) -> Resolving {
        let ips = self.of(name.as_str());
        Box::pin(async move {
            if ips.is_empty() {
                return Err(format!("no address of `{}` was vetted", name.as_str()).into());
            }
            Ok(Box::new(ips.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_addresses_that_were_vetted_as_long_as_it_is_asked() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let pins = Pins::default();
        assert!(pins.of("city.example").is_empty());
        let first = pins.pin("city.example", vec![ip("93.184.216.34")]);
        let second = pins.pin("city.example", vec![ip("93.184.216.35")]);
        assert_eq!(pins.of("city.example"), [ip("93.184.216.35")]);
        drop(second);
        assert_eq!(pins.of("city.example"), [ip("93.184.216.34")]);
        drop(first);
        assert!(pins.table().by_name.is_empty());
    }
}
