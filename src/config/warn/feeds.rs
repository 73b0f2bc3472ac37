//! Feeds: two that are likely one, keys in addresses, addresses that cannot be asked, and those
//! whose articles will have no place.

use crate::config::Config;
use crate::config::problem::Found;
use crate::config::problem::Span;
use crate::config::table::Row;
use crate::model::address::is_key;
use crate::model::address::likely;
use crate::model::address::surely;
use crate::model::feed::Address;
use crate::model::feed::Proxy;
use crate::model::id::FeedId;
use std::collections::BTreeMap;
use std::net::IpAddr;
use url::Host;
use url::Url;

/// Feeds that are polled from addresses which are likely one, or bear one title.
pub(crate) fn addresses(rows: &[Row], found: &mut Found) {
    let mut seen: BTreeMap<String, (String, Span)> = BTreeMap::new();
    let mut titles: BTreeMap<String, Span> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.flag("enabled") != Some(false)) {
        if let Some(title) = row.text("title") {
            let what = format!("two feeds have the title `{title}`");
            match titles.get(&title) {
                Some(first) => found.warn_pair(
                    "same-title",
                    what,
                    (row.span("title"), "write what tells them apart: readers see it"),
                    (first.clone(), "the first"),
                ),
                None => {
                    titles.insert(title, row.span("title"));
                }
            }
        }
        let Some(Address::Http(url)) = row.address("url") else { continue };
        match seen.get(&likely(&url)) {
            // Those that are surely one are a mistake.
            Some((first, _)) if *first == surely(&url) => {}
            Some((_, span)) => found.warn_pair(
                "same-feed",
                "two feeds have addresses that likely lead to one document",
                (row.span("url"), "leave one of them out, or write `enabled = false` in it"),
                (span.clone(), "the first"),
            ),
            None => {
                seen.insert(likely(&url), (surely(&url), row.span("url")));
            }
        }
    }
}

/// What is odd about a feed by itself.
pub(crate) fn each(rows: &[Row], config: &Config, found: &mut Found) {
    for row in rows {
        without_place(row, found);
        match row.address("url") {
            Some(Address::Http(url)) => {
                let id = row.text("id").and_then(|id| FeedId::new(&id).ok());
                let access = id.and_then(|id| config.feeds.get(&id)).map(|feed| &feed.access);
                let proxy = access.and_then(|access| access.proxy.clone());
                let through = match proxy {
                    Some(Proxy::Through(_)) => true,
                    Some(Proxy::Direct) => false,
                    None => config.polling.proxy.is_some(),
                };
                private(row, &url, if through { Way::Proxied } else { Way::Direct }, found);
                in_clear(row, &url, found);
                key_in_address(row, &url, found);
            }
            Some(Address::File(_)) => {
                for key in ["ca_file", "proxy", "allow_private"] {
                    if row.was_given(key) {
                        let what = format!("`{key}` for a file");
                        found.warn("no-effect", what, row.span(key), "leave it out");
                    }
                }
            }
            None => {}
        }
    }
}

/// The articles of a city are of its community; if the feed does not say so, only those are which
/// name it.
fn without_place(row: &Row, found: &mut Found) {
    let says = ["region", "community", "tags"]
        .iter()
        .any(|key| row.was_given(key) && !row.has_no_texts(key));
    let is_municipal = match row.text("kind") {
        Some(kind) => kind == "municipal",
        None => !row.was_given("kind"),
    };
    let Some(id) = row.text("id") else { return };
    if is_municipal && !says && row.flag("enabled") != Some(false) {
        let what = format!("the feed `{id}` names no region and no community");
        let label = "add `community` or `region`, or `kind = \"national\"` if it is of no place";
        found.warn("no-place", what, row.header(), label);
    }
}

/// Whether a proxy looks the name up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Proxied,
}

/// An address that is refused at every poll.
fn private(row: &Row, url: &Url, way: Way, found: &mut Found) {
    let is_private = match url.host() {
        Some(Host::Ipv4(ip)) => is_private(ip.into()),
        Some(Host::Ipv6(ip)) => is_private(ip.into()),
        Some(Host::Domain(name)) => name == "localhost" && way == Way::Direct,
        None => false,
    };
    if is_private && !row.was_given("allow_private") {
        let what = format!("`{}` is a private address", url.host_str().unwrap_or_default());
        let label = "it is never asked: add `allow_private = true` to this feed";
        found.warn("private-address", what, row.span("url"), label);
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// What is sent without encryption, and what has no use there.
fn in_clear(row: &Row, url: &Url, found: &mut Found) {
    if url.scheme() == "https" {
        return;
    }
    if row.was_given("secret") && !row.was_given("allow_private") {
        let what = "a secret that goes over the net in clear";
        found.warn("secret-in-clear", what, row.span("url"), "write `https://`");
    }
    if row.was_given("ca_file") {
        let what = "`ca_file` for an address without encryption";
        found.warn("no-effect", what, row.span("ca_file"), "write `https://`, or leave it out");
    }
}

/// A key in an address is sent to whomever the server redirects to, and stands where addresses do.
fn key_in_address(row: &Row, url: &Url, found: &mut Found) {
    if let Some((name, _)) =
        url.query_pairs().find(|(name, value)| is_key(name) && !value.is_empty())
    {
        let what = format!("this address has a secret in it: `{name}=…`");
        let label = "logs show it: use `auth` and `secret` if the server takes them";
        found.warn("secret-in-address", what, row.span("url"), label);
    }
}
