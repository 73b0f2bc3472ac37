//! How a feed is reached: `allow_private`, `ca_file`, `proxy`, and what its server knows us by.

use crate::config::nearest::listed;
use crate::config::problem::Found;
use crate::config::table::Row;
use crate::model::feed::Access;
use crate::model::feed::Address;
use crate::model::feed::Credentials;
use crate::model::feed::Network;
use crate::model::feed::Private;
use crate::model::feed::Proxy;
use crate::model::feed::Scheme;
use crate::model::feed::SecretPlace;
use http::HeaderName;
use ipnet::IpNet;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Component;
use std::path::Path;
use toml::Spanned;
use url::Url;

/// Headers that are ours or the connection's to set.
const HEADERS_REFUSED: [&str; 16] = [
    "a-im",
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// How a feed is reached, with every problem noted. `folder` is that of feeds.toml.
pub(crate) fn access(row: &Row, folder: &Path, found: &mut Found) -> Access {
    Access {
        private: private(row, found),
        ca_file: row.text("ca_file").map(|path| folder.join(path)),
        credentials: credentials(row, folder, found),
        proxy: row.spanned_text("proxy").and_then(|given| match given.get_ref().as_str() {
            "none" => Some(Proxy::Direct),
            _ => proxy(&given, found).map(Proxy::Through),
        }),
    }
}

/// The address of a proxy.
pub(crate) fn proxy(given: &Spanned<String>, found: &mut Found) -> Option<Url> {
    let instead =
        "write an address such as `http://proxy.example:3128` or `socks5h://127.0.0.1:1080`";
    let url = Url::parse(given.get_ref()).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") && url.has_host()
    });
    let Some(url) = url else {
        found.add("`proxy` is not the address of a proxy", given.span(), instead);
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        let label = "leave them out: the variable `HTTPS_PROXY` may have them";
        found.add("`proxy` has a user or a password in it", given.span(), label);
        return None;
    }
    Some(url)
}

fn private(row: &Row, found: &mut Found) -> Private {
    match row.flag("allow_private") {
        Some(true) => return Private::Allowed,
        Some(false) => return Private::Refused,
        None => {}
    }
    let texts = row.texts("allow_private");
    if texts.is_empty() {
        if row.was_given("allow_private") && row.has_no_texts("allow_private") {
            let label = "write `false`, or the addresses that are meant";
            found.add("`allow_private` is an empty list", row.span("allow_private"), label);
        }
        return Private::Refused;
    }
    let networks = texts.iter().filter_map(|text| match network(text.get_ref()) {
        Ok(network) => Some(network),
        Err(instead) => {
            let what = format!("`{}` is no address or network", text.get_ref());
            found.add(what, text.span(), instead);
            None
        }
    });
    Private::Only(networks.collect())
}

/// `10.1.2.3`, `10.1.2.0/24`, `[fd00::1]`, each with `:8080` behind it if only that port is meant;
/// or what to write instead.
fn network(text: &str) -> Result<Network, String> {
    let example =
        || "write such as `10.1.2.3`, `10.1.2.0/24`, `10.1.2.3:8080` or `fd00::/8`".to_owned();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(Network { addresses: address.ip().into(), port: Some(address.port()) });
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(Network { addresses: ip.into(), port: None });
    }
    let (addresses, port) = match text.rsplit_once(':') {
        Some((before, port)) if before.contains('/') => {
            (before, Some(port.parse().map_err(|_| example())?))
        }
        _ => (text, None),
    };
    let addresses: IpNet = addresses.parse().map_err(|_| example())?;
    if addresses.addr() != addresses.network() {
        return Err(format!("write `{}`", addresses.trunc()));
    }
    Ok(Network { addresses, port })
}

fn credentials(row: &Row, folder: &Path, found: &mut Found) -> Option<Credentials> {
    let scheme = row.text("auth");
    for (key, of) in [("user", "basic"), ("header", "header")] {
        if row.was_given(key) && scheme.as_deref() != Some(of) {
            let what = format!("`{key}` without `auth = \"{of}\"`");
            found.add(what, row.span(key), format!("write `auth = \"{of}\"`, or leave it out"));
        }
    }
    let secret = row.spanned_text("secret").and_then(|given| secret(&given, folder, found));
    let Some(scheme) = scheme else {
        if row.was_given("secret") {
            let label = "write `auth` as well: \"basic\", \"bearer\" or \"header\"";
            found.add("`secret` without `auth`", row.span("secret"), label);
        }
        return None;
    };
    if matches!(row.address("url"), Some(Address::File(_))) {
        found.add("`auth` for a file", row.span("auth"), "leave it out");
        return None;
    }
    let missing = |key: &str, found: &mut Found| {
        let what = format!("`auth = \"{scheme}\"` without `{key}`");
        found.add(what, row.span("auth"), format!("write `{key}` as well"));
    };
    if !row.was_given("secret") {
        missing("secret", found);
    }
    let scheme = match (scheme.as_str(), row.text("user"), row.spanned_text("header")) {
        ("basic", Some(user), _) if user.contains(':') => {
            // RFC 7617, 2: the server would take what follows for the password.
            found.add("`user` has a `:` in it", row.span("user"), "write it without");
            return None;
        }
        ("basic", Some(user), _) => Scheme::Basic { user },
        ("header", _, Some(given)) => Scheme::Header { name: header(&given, found)? },
        ("basic", None, _) => {
            missing("user", found);
            return None;
        }
        ("header", _, None) => {
            missing("header", found);
            return None;
        }
        _ => Scheme::Bearer,
    };
    Some(Credentials { scheme, secret: secret? })
}

fn header(given: &Spanned<String>, found: &mut Found) -> Option<String> {
    let name = given.get_ref().to_ascii_lowercase();
    let instead = match name.as_str() {
        "authorization" => "write `auth = \"bearer\"` or `auth = \"basic\"`",
        _ if HeaderName::from_bytes(name.as_bytes()).is_err() => "write a name such as `X-Api-Key`",
        _ if HEADERS_REFUSED.contains(&name.as_str()) || name.starts_with("proxy-") => {
            "it is not for a feed to set"
        }
        _ => return Some(name),
    };
    found.add("`header` is no header that can be set", given.span(), instead);
    None
}

fn secret(given: &Spanned<String>, folder: &Path, found: &mut Found) -> Option<SecretPlace> {
    let text = given.get_ref();
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    let is_name = matches!(
        Path::new(rest).components().collect::<Vec<_>>().as_slice(),
        [Component::Normal(name)] if *name == rest
    );
    match kind {
        "credential" if is_name => return Some(SecretPlace::Credential(rest.to_owned())),
        "file" if !rest.is_empty() => return Some(SecretPlace::File(folder.join(rest))),
        "env" if !rest.is_empty() && !rest.contains(['=', '\0']) => {
            return Some(SecretPlace::Environment(rest.to_owned()));
        }
        _ => {}
    }
    let places = listed(["credential:NAME", "file:PATH", "env:VARIABLE"]);
    let label = format!("the secret itself has no place here: write {places}");
    found.add("`secret` does not say where the secret is", given.span(), label);
    None
}
