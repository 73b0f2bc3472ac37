//! Which addresses a feed may not lead us to.
//!
//! # Why
//! A feed's address, and every redirect of its server, is chosen by someone else. From where the
//! daemon runs it could name the router, the cloud's metadata, or the admin page of the daemon
//! itself. So what is not public is refused, however it is spelt. A spelling of an IP address
//! is never looked up, and a name is known only when it was: both are looked at, the one in
//! `Guard::vet`, the other in `Guard::vet_address`.

use crate::model::feed::Network;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use url::Host;
use url::Url;

/// What is allowed to be reached.
#[derive(Debug, Clone)]
pub(crate) enum Guard {
    /// Only addresses in which this function sees no reason to refuse them, on the usual ports.
    Public(fn(IpAddr) -> Option<&'static str>),
    /// Everything that is `http:` or `https:`.
    Open,
    /// These and no others.
    Only(Vec<Network>),
}

impl Guard {
    /// Why this address may not be asked, as far as it can be seen without a resolver.
    pub(crate) fn vet(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("the scheme is `{}`, not http or https", url.scheme()));
        }
        let port = url.port_or_known_default().ok_or("there is no port")?;
        if let (Self::Public(_), Some(Host::Domain(name))) = (self, url.host()) {
            vet_name(name)?;
        }
        match literal(url) {
            Some(ip) => self.vet_address(ip, port).map_err(|reason| format!("{ip} is {reason}"))?,
            None if url.host().is_none() => return Err("there is no host".to_owned()),
            None => {}
        }
        match (self, port) {
            (Self::Public(_), 80 | 443 | 1024..) | (Self::Open | Self::Only(_), _) => Ok(()),
            (Self::Public(_), _) => Err(format!("the port is {port}, not 80, 443 or above 1023")),
        }
    }

    /// Why no connection to this address may be made.
    pub(crate) fn vet_address(&self, ip: IpAddr, port: u16) -> Result<(), &'static str> {
        match self {
            Self::Public(refusal) => refusal(ip).map_or(Ok(()), Err),
            Self::Open => Ok(()),
            Self::Only(networks) => {
                let ip = ip.to_canonical();
                let is_meant = |network: &Network| {
                    network.addresses.contains(&ip) && network.port.is_none_or(|only| only == port)
                };
                let is_listed = networks.iter().any(is_meant);
                if is_listed { Ok(()) } else { Err("not in the list of `allow_private`") }
            }
        }
    }
}

/// The IP address that the host of an address spells.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
        Host::Domain(name) => name.trim_end_matches('.').parse().ok(),
    }
}

/// Names that mean this machine wherever they are asked (RFC 6761, 6.3).
fn vet_name(name: &str) -> Result<(), String> {
    let bare = name.trim_end_matches('.');
    if bare.eq_ignore_ascii_case("localhost") || bare.to_ascii_lowercase().ends_with(".localhost") {
        return Err(format!("`{name}` is this machine"));
    }
    Ok(())
}

/// Why an IP address is not a public one; None if it is.
#[must_use]
pub fn refusal(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => refusal_v4(ip),
        IpAddr::V6(ip) => refusal_v6(ip),
    }
}

fn refusal_v4(ip: Ipv4Addr) -> Option<&'static str> {
    Some(match ip.octets() {
        [0, ..] => "an unspecified address (RFC 1122, 3.2.1.3)",
        [127, ..] => "a loopback address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address (RFC 1918)",
        [100, 64..=127, ..] => "an address of a carrier's NAT (RFC 6598)",
        [169, 254, ..] => "a link-local address (RFC 3927)",
        [192, 0, 0, _] => "an address for protocols (RFC 6890)",
        [192, 88, 99, _] => "an address of 6to4 relays (RFC 7526)",
        // Azure's, which answers to every machine there.
        [168, 63, 129, 16] => "an address of a cloud's metadata",
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            "an address for documentation (RFC 5737)"
        }
        [198, 18..=19, ..] => "an address for benchmarks (RFC 2544)",
        [224..=239, ..] => "a multicast address",
        [240..=255, ..] => "a reserved address (RFC 1112, 4)",
        _ => return None,
    })
}

fn refusal_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let parts = ip.segments();
    let last = inner(parts[6], parts[7]);
    match parts {
        // ISATAP (RFC 5214, 6.1).
        [0x2000..=0x3fff, _, _, _, 0 | 0x0200, 0x5efe, ..] if refusal_v4(last).is_some() => {
            refusal_v4(last)
        }
        // IPv4-translated (RFC 2765, 2.1).
        [0, 0, 0, 0, 0xffff, 0, ..] => refusal_v4(last).or(Some("an IPv4-translated address")),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        // IPv4-mapped and IPv4-compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052, 2.1).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => refusal_v4(last),
        // NAT64 of a local network (RFC 8215): the IPv4 address stands at the end, or around the
        // ninth byte (RFC 6052, 2.2).
        [0x64, 0xff9b, 1, high, middle, low, ..] => {
            let split = inner(high, middle << 8 | low >> 8);
            match (split.is_unspecified(), last.is_unspecified()) {
                (true, _) => refusal_v4(last),
                (false, true) => refusal_v4(split),
                (false, false) => refusal_v4(split).or_else(|| refusal_v4(last)),
            }
        }
        // 6to4 (RFC 3056, 2).
        [0x2002, high, low, ..] => refusal_v4(inner(high, low)),
        // Teredo (RFC 4380, 4): the server, and the client with every bit turned round.
        [0x2001, 0, high, low, ..] => refusal_v4(inner(high, low)).or_else(|| refusal_v4(!last)),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("an address for documentation"),
        [0x2001, 0..=0x01ff, ..] => Some("an address for protocols (RFC 2928)"),
        [0x2000..=0x3fff, ..] => None,
        [0xfc00..=0xfdff, ..] => Some("a private address (RFC 4193)"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address (RFC 4291, 2.5.6)"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        _ => Some("not an address of the public internet (RFC 4291, 2.4)"),
    }
}

/// The IPv4 address that two parts of an IPv6 address hold.
fn inner(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_public_is_refused() {
        for ip in "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 \
            127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 \
            192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 \
            239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 ::ffff:0:10.0.0.1 2a00::5efe:10.0.0.1 \
            2a00::200:5efe:7f00:1 :: ::1 ::127.0.0.1 ::10.0.0.1 \
            ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1 64:ff9b::7f00:1 \
            64:ff9b::169.254.169.254 64:ff9b:1::10.0.0.1 64:ff9b:1:7f00:0:100:: \
            64:ff9b:1:7f00:0:100:808:808 64:ff9b:1:: 64:ff9b:2::1 2002:7f00:1:: 2002:c0a8:1::1 \
            2001:0:7f00:1::8.8.8.8 2001:0:808:808:0:0:80ff:fffe 2001:db8::1 3fff::1 2001:2::1 \
            2001:10::1 fc00::1 fdff::1 fe80::1 febf::1 fec0::1 ff02::1 100::1 4000::1 5f00::1"
            .split_whitespace()
        {
            assert!(refusal(ip.parse().unwrap()).is_some(), "{ip} was let through");
        }
    }

    #[test]
    fn an_address_that_is_public_is_not_refused() {
        for ip in
            "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
            128.0.0.0 169.253.0.1 172.15.0.1 172.32.0.1 191.255.0.1 192.0.1.1 192.167.0.1 \
            198.17.0.1 198.20.0.1 223.255.255.255 ::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::8.8.8.8 \
            64:ff9b:1::8.8.8.8 64:ff9b:1:808:8:800:: 2002:808:808::1 2001:0:808:808:0:0:f7f7:f7f7 \
            2001:200::1 2001:4860:4860::8888 2a00:1450::1 2606:4700::1111"
                .split_whitespace()
        {
            assert_eq!(refusal(ip.parse().unwrap()), None, "{ip}");
        }
    }

    #[test]
    fn a_name_a_port_or_a_scheme_can_be_refused_without_a_resolver() {
        let guard = Guard::Public(refusal);
        for (url, reason) in [
            ("http://localhost/", "`localhost` is this machine"),
            ("http://LOCALHOST./", "`localhost.` is this machine"),
            ("http://a.localhost/", "`a.localhost` is this machine"),
            ("http://city.example:25/", "the port is 25, not 80, 443 or above 1023"),
            ("https://city.example:0/", "the port is 0, not 80, 443 or above 1023"),
            ("file:///etc/passwd", "the scheme is `file`, not http or https"),
            ("gopher://city.example/", "the scheme is `gopher`, not http or https"),
            ("http://2130706433/", "127.0.0.1 is a loopback address"),
        ] {
            assert_eq!(guard.vet(&url.parse().unwrap()), Err(reason.to_owned()), "{url}");
        }
        for url in ["http://city.example/", "https://city.example:8443/", "http://8.8.8.8:1024/"] {
            assert_eq!(guard.vet(&url.parse().unwrap()), Ok(()), "{url}");
        }
        assert_eq!(Guard::Open.vet(&"http://localhost:25/".parse().unwrap()), Ok(()));
        assert!(Guard::Open.vet(&"ftp://localhost/".parse().unwrap()).is_err());
    }
}
