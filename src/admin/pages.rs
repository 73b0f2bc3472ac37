//! What is answered at the admin's listener: the events, the metrics, and whether all is well.
//!
//! It can only be read, and it stands at an address of its own: nothing of it is among what readers
//! get. It is not told to whom a web site sends there: a site can give its own name to any address,
//! and have the browser of whoever looks at it read there (DNS rebinding). So names that can be
//! public are answered only if feeds.toml has them.

use crate::admin::board::Pulse;
use crate::admin::desk::Desk;
use crate::admin::exposition;
use crate::admin::metrics::metrics;
use crate::model::event::Event;
use crate::model::id::Digest;
use crate::model::publication::Site;
use crate::publish::atom::events::events;
use crate::publish::atom::events::events_json;
use crate::serve::answer::Body;
use bytes::Bytes;
use chrono::Utc;
use http::HeaderMap;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header;
use std::fmt::Write;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

/// Where the events are.
pub const EVENTS: &str = "/admin/events.atom";
const EVENTS_JSON: &str = "/admin/events.json";
/// A loop that has not gone on for so long does not go on: each does at least once a minute.
const BEAT_WITHIN: Duration = Duration::from_mins(5);
const TEXT: &str = "text/plain; charset=utf-8";
const NOT_FOUND: &str = "not here; there are /metrics, /healthz, /readyz, /admin/events.atom and \
                         /admin/events.json\n";
const NOT_OURS: &str = "not by this name: ask by the address, or add the name to `hosts` below \
                        [admin] of feeds.toml\n";
/// Ends of names that nobody can have in the public tree of names (RFC 6761, 6762, 8375, and the
/// private zone that ICANN set aside).
const LOCAL_ENDINGS: [&str; 4] = [".localhost", ".local", ".home.arpa", ".internal"];
/// Nothing of it is a page.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const NOT_ALLOWED: &str = "this can only be read: GET or HEAD\n";

/// The answer to a request that came to this address.
#[must_use]
pub fn answer<B>(desk: &Desk, request: &Request<B>, address: SocketAddr) -> Response<Body> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_ours = is_ours(request, &desk.documents.config().admin.hosts);
    let mut answer = match request.uri().path() {
        _ if !is_ours => {
            let mut answer = told(StatusCode::MISDIRECTED_REQUEST, TEXT, NOT_OURS.to_owned());
            put(&mut answer, header::CONNECTION, "close");
            answer
        }
        "/metrics" | "/healthz" | "/readyz" | EVENTS | EVENTS_JSON if !is_read => {
            let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, TEXT, NOT_ALLOWED.to_owned());
            put(&mut answer, header::ALLOW, "GET, HEAD");
            // What else belongs to the request is not read, so that no other can follow it.
            put(&mut answer, header::CONNECTION, "close");
            answer
        }
        "/metrics" => told(StatusCode::OK, exposition::MEDIA_TYPE, metrics(desk, Utc::now())),
        "/healthz" => checked(&health(desk)),
        "/readyz" => checked(&readiness(desk)),
        EVENTS => {
            let bytes = of_events(desk, &format!("http://{address}{EVENTS}"), events);
            revalidated(bytes, "application/atom+xml; charset=utf-8", request.headers())
        }
        EVENTS_JSON => {
            let bytes = of_events(desk, &format!("http://{address}{EVENTS_JSON}"), events_json);
            revalidated(bytes, "application/feed+json", request.headers())
        }
        _ => told(StatusCode::NOT_FOUND, TEXT, NOT_FOUND.to_owned()),
    };
    put(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut answer, header::REFERRER_POLICY, "no-referrer");
    put(&mut answer, header::CONTENT_SECURITY_POLICY, POLICY);
    if *request.method() == Method::HEAD {
        *answer.body_mut() = Body::default();
    }
    answer
}

/// Whether a request asks by a name that is ours: an address, a name of one's own network, or one
/// that feeds.toml has. Without a name none asks that comes from a browser.
fn is_ours<B>(request: &Request<B>, hosts: &[String]) -> bool {
    let given = request.headers().get_all(header::HOST);
    if given.iter().count() > 1 {
        return false;
    }
    let named = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let named = named.or_else(|| given.iter().next().map(HeaderValue::as_bytes));
    let Some(named) = named else { return true };
    let Ok(named) = str::from_utf8(named).map(str::to_ascii_lowercase) else { return false };
    let bare = match named.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
        _ => &named,
    };
    let name = bare.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(bare);
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_local = !name.contains('.') || LOCAL_ENDINGS.iter().any(|end| name.ends_with(end));
    name.parse::<IpAddr>().is_ok() || is_local || hosts.iter().any(|host| host == name)
}

/// A thing that has to be so, and whether it is.
struct Check {
    name: &'static str,
    is_so: bool,
    told: String,
}

/// Whether the process does its work: each loop goes on.
fn health(desk: &Desk) -> Vec<Check> {
    let beat = |pulse: Pulse| {
        let since = desk.board.since_beat(pulse);
        Check {
            name: pulse.word(),
            is_so: since.is_none_or(|since| since < BEAT_WITHIN),
            told: match since {
                Some(since) => format!("went on {} s ago", since.as_secs()),
                None => "begins".to_owned(),
            },
        }
    };
    vec![beat(Pulse::Polls), beat(Pulse::Tells)]
}

/// Whether it is ready: the listener is open before this one is, and the store too. A feeds.toml
/// that was refused is told, and is no reason not to be ready: the one before runs on, and to take
/// the site from its readers would make a mistake in a file a failure of the site.
fn readiness(desk: &Desk) -> Vec<Check> {
    let is_readable = desk.measured().is_readable;
    let has_planned = desk.board.since_beat(Pulse::Polls).is_some();
    let (refused, stopped) = desk.board.read(|state| {
        (state.config.refused.is_some(), state.stopped.as_ref().map(|(_, why)| why.clone()))
    });
    let check = |name, is_so: bool, good: &str, bad: &str| Check {
        name,
        is_so,
        told: if is_so { good } else { bad }.to_owned(),
    };
    vec![
        check("store", is_readable, "can be read", "cannot be read, or was not read yet"),
        check("listener", true, "is open", ""),
        match stopped {
            Some(why) => {
                Check { name: "polls", is_so: false, told: format!("no feed is polled: {why}") }
            }
            None => check("polls", has_planned, "are planned", "are not planned yet"),
        },
        Check {
            name: "config",
            is_so: true,
            told: if refused { "refused, the one before runs on" } else { "good" }.to_owned(),
        },
    ]
}

fn checked(checks: &[Check]) -> Response<Body> {
    let mut text = String::new();
    for Check { name, is_so, told } in checks {
        let word = if *is_so { "ok" } else { "FAILED" };
        // To write into a text cannot fail.
        let _ = writeln!(text, "{name}: {word}: {told}");
    }
    let is_well = checks.iter().all(|check| check.is_so);
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    told(status, TEXT, text)
}

fn of_events(
    desk: &Desk,
    address: &str,
    written: impl Fn(&Site, &str, &[&Event]) -> Vec<u8>,
) -> Vec<u8> {
    let config = desk.documents.config();
    let journal = desk.journal();
    let events: Vec<&Event> = journal.events().collect();
    written(&config.site, address, &events)
}

/// A document with an entity tag, or the word that it is the same (RFC 9110, 15.4.5).
fn revalidated(bytes: Vec<u8>, media_type: &'static str, request: &HeaderMap) -> Response<Body> {
    let tag = format!("\"{}\"", Digest::of([String::from_utf8_lossy(&bytes).as_ref()]));
    let known = request.get_all(header::IF_NONE_MATCH).iter();
    let mut known =
        known.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let is_same = known.any(|known| {
        let known = known.trim();
        known == "*" || known.trim_start_matches("W/") == tag
    });
    let mut answer = if is_same {
        let mut answer = Response::new(Body::default());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer
    } else {
        answer_of(StatusCode::OK, media_type, Bytes::from(bytes))
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    put(&mut answer, header::CACHE_CONTROL, "no-cache");
    answer
}

fn told(status: StatusCode, media_type: &'static str, text: String) -> Response<Body> {
    let mut answer = answer_of(status, media_type, Bytes::from(text));
    put(&mut answer, header::CACHE_CONTROL, "no-store");
    answer
}

fn answer_of(status: StatusCode, media_type: &'static str, bytes: Bytes) -> Response<Body> {
    let length = bytes.len();
    let mut answer = Response::new(Body::from(bytes));
    *answer.status_mut() = status;
    put(&mut answer, header::CONTENT_TYPE, media_type);
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    answer
}

fn put(answer: &mut Response<Body>, name: header::HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_web_site_may_have_is_none_of_ours() {
        let hosts = ["metrics.city.example".to_owned()];
        for (host, expected) in [
            ("127.0.0.1:9090", true),
            ("10.0.0.5", true),
            ("[::1]:9090", true),
            ("[fd00::1]", true),
            ("localhost:9090", true),
            ("web1:9090", true),
            ("web1.internal:9090", true),
            ("prometheus.localhost", true),
            ("Metrics.City.Example:9090", true),
            ("metrics.city.example.", true),
            ("city.example:9090", false),
            ("evil.example", false),
            ("evil.example:9090", false),
            ("127.0.0.1.evil.example:9090", false),
            ("localhost.evil.example", false),
            ("metrics.city.example.evil.example", false),
            ("evil.internal.example", false),
            ("evil.example:90:90", false),
            ("evil.example\u{e9}", false),
        ] {
            let host = HeaderValue::from_bytes(host.as_bytes()).unwrap();
            let request = Request::builder().header(header::HOST, host.clone()).body(()).unwrap();
            assert_eq!(is_ours(&request, &hosts), expected, "{host:?}");
        }
        let twice = Request::builder().header("host", "web1").header("host", "evil.example");
        assert!(!is_ours(&twice.body(()).unwrap(), &hosts));
        let absolute = Request::builder().uri("http://evil.example/metrics").header("host", "web1");
        assert!(!is_ours(&absolute.body(()).unwrap(), &hosts));
        assert!(is_ours(&Request::new(()), &hosts));
    }
}
