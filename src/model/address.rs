//! When two addresses lead to the same document: surely by the rules of addresses, or likely by
//! what sites use to do; and what of an address is nobody's business.

use std::borrow::Cow;
use url::Url;

/// What readers' programs add to an address, and servers do not look at.
const TRACKING: [&str; 6] = ["fbclid", "gclid", "mc_cid", "mc_eid", "ref_src", "yclid"];
/// The beginning of the names of others.
const TRACKING_PREFIX: &str = "utm_";
/// Hosts of one service under several names, the first for all.
const FEEDBURNER: [&str; 3] =
    ["feeds.feedburner.com", "feeds2.feedburner.com", "feedproxy.google.com"];

/// What the parameters of an address are called in which a key stands.
const KEYS: [&str; 14] = [
    "access_token",
    "api_key",
    "api-key",
    "apikey",
    "auth",
    "auth_token",
    "key",
    "passwd",
    "password",
    "pass",
    "pwd",
    "secret",
    "sig",
    "token",
];

/// An address in the form that all its equals have (RFC 3986, 6.2.2 and 6.2.3): scheme and host
/// are in lower case and default ports left out by the parser. A fragment is never sent.
#[must_use]
pub fn surely(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    unescaped(url.as_str())
}

/// The same, without what rarely makes a difference: the scheme, `www.`, a `/` at the end, the
/// order of the query and what is there only to count readers.
#[must_use]
pub fn likely(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let is_feedburner = FEEDBURNER.contains(&host);
    let host = if is_feedburner { FEEDBURNER[0] } else { host };
    let counts = |name: &str| {
        name.starts_with(TRACKING_PREFIX)
            || TRACKING.contains(&name)
            || (is_feedburner && name == "format")
    };
    let mut query: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        url.query_pairs().filter(|(name, _)| !counts(name)).collect();
    query.sort();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = unescaped(url.path());
    let path = if is_feedburner { path.replacen("/~r/", "/", 1) } else { path };
    format!("{host}{port}{}?{query:?}", path.trim_end_matches('/'))
}

/// With the letters that need no escape as letters, and escapes in capitals (RFC 3986, 2.3, 2.1).
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        let Some(code) = code else {
            plain.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        let letter = char::from(code);
        if letter.is_ascii_alphanumeric() || "-._~".contains(letter) {
            plain.push(letter);
        } else {
            plain.extend(['%', hex(code >> 4), hex(code & 15)]);
        }
        rest = &rest[at + 3..];
    }
    plain.push_str(rest);
    plain
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Whether a parameter of an address by its name holds a key.
#[must_use]
pub fn is_key(parameter: &str) -> bool {
    KEYS.iter().any(|key| key.eq_ignore_ascii_case(parameter))
}

/// The address as everybody may see it: without a user, a password, and the keys in its query.
#[must_use]
pub fn keyless(url: &Url) -> Url {
    let mut keyless = url.clone();
    // An address of the web can be without both.
    let _ = keyless.set_username("");
    let _ = keyless.set_password(None);
    let Some(query) = url.query() else { return keyless };
    let name = |part: &str| {
        url::form_urlencoded::parse(part.as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    let is_open = |part: &&str| !name(part).is_some_and(|name| is_key(&name));
    let open: Vec<&str> = query.split('&').filter(is_open).collect();
    // What has no key stays byte for byte.
    if open.len() < query.split('&').count() {
        keyless.set_query((!open.is_empty()).then(|| open.join("&")).as_deref());
    }
    keyless
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: fn(&Url) -> String, one: &str, other: &str) -> bool {
        form(&one.parse().unwrap()) == form(&other.parse().unwrap())
    }

    #[test]
    fn equal_addresses_have_one_form() {
        for (one, other) in [
            ("https://a.example/rss", "HTTPS://A.example:443/rss#news"),
            ("https://a.example/%7erss", "https://a.example/~rss"),
            ("https://a.example/%d0%b0", "https://a.example/а"),
        ] {
            assert!(check(surely, one, other), "{one} {other}");
        }
        for (one, other) in [
            ("https://a.example/rss", "https://a.example/RSS"),
            ("https://a.example/a%2Fb", "https://a.example/a/b"),
            ("https://a.example/rss", "https://a.example/rss/"),
        ] {
            assert!(!check(surely, one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_everybody_may_see_of_an_address_holds_no_key() {
        for (given, expected) in [
            ("https://a.example/rss?token=x", "https://a.example/rss"),
            ("https://a.example/rss?a=1&KEY=x&b=%20&b", "https://a.example/rss?a=1&b=%20&b"),
            ("https://a.example/rss?api%5Fkey=x&a", "https://a.example/rss?a"),
            ("https://me:x@a.example/rss#f", "https://a.example/rss#f"),
            ("https://a.example/rss?", "https://a.example/rss?"),
            ("https://a.example/rss?monkey=x&a=+", "https://a.example/rss?monkey=x&a=+"),
        ] {
            let shown = keyless(&given.parse().unwrap());
            assert_eq!(shown.as_str(), expected, "{given}");
        }
    }

    #[test]
    fn addresses_that_are_likely_equal_have_one_form_too() {
        for (one, other) in [
            ("https://a.example/rss", "http://www.a.example/rss/"),
            ("https://a.example/?a=1&b=2", "https://a.example/?b=2&a=1"),
            ("https://a.example/rss", "https://a.example/rss?utm_source=x&fbclid=y"),
            ("https://feeds.feedburner.com/x", "http://feeds2.feedburner.com/x?format=xml"),
            ("https://feeds.feedburner.com/x", "https://feedproxy.google.com/~r/x"),
        ] {
            assert!(check(likely, one, other), "{one} {other}");
        }
        for (one, other) in [
            ("https://a.example/?a=1", "https://a.example/?a=2"),
            ("https://a.example/rss", "https://a.example/atom"),
            ("https://a.example:8443/rss", "https://a.example/rss"),
            ("https://a.example/?format=xml", "https://a.example/"),
        ] {
            assert!(!check(likely, one, other), "{one} {other}");
        }
    }
}
