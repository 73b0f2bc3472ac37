//! What the headers of an answer mean.

use crate::model::exchange::Validators;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use http::HeaderMap;
use http::HeaderName;
use http::header::AGE;
use http::header::CACHE_CONTROL;
use http::header::DATE;
use http::header::ETAG;
use http::header::EXPIRES;
use http::header::LAST_MODIFIED;
use http::header::LINK;
use http::header::RETRY_AFTER;
use std::time::Duration;
use url::Url;

/// How long a server can keep us away.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(7);
/// More than this no answer is believed to stay fresh.
const FRESHNESS_MAX: Duration = Duration::from_hours(400 * 24);
/// The header that names the manipulations of an answer (RFC 3229, 10.5.2).
const IM: HeaderName = HeaderName::from_static("im");
/// A longer validator is not kept, in bytes.
const VALIDATOR_BYTES_MAX: usize = 4096;

/// When the server wants to be asked again (RFC 9110, 10.2.3): so many seconds from now, or a
/// date; a week from now at most.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let latest = now + RETRY_AFTER_MAX;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // What does not fit a number is more than a week.
        let seconds = text.parse().ok().and_then(TimeDelta::try_seconds);
        let at = seconds.and_then(|seconds| now.checked_add_signed(seconds));
        return Some(at.map_or(latest, |at| at.min(latest)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(DateTime::<Utc>::from(date).min(latest))
}

/// How long the answer stays fresh from now on (RFC 9111, 4.2.1): its `max-age`, else the time
/// from its date to its `Expires`, without its age; none if it says nothing or is stale already.
#[must_use]
pub fn freshness(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    let sent = date(DATE).unwrap_or_else(|| now.into());
    let expires = || date(EXPIRES)?.duration_since(sent).ok();
    let lifetime = max_age(headers).or_else(expires)?;
    let age = headers.get(AGE).and_then(|age| seconds(age.to_str().ok()?)).unwrap_or_default();
    let left = lifetime.min(FRESHNESS_MAX).checked_sub(age)?;
    (!left.is_zero()).then_some(left)
}

/// What `Cache-Control` says of the lifetime; zero if the answer is not to be kept. The first of
/// several counts.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let mut lifetime = None;
    for directive in lines.flat_map(|line| line.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "no-store" => return Some(Duration::ZERO),
            "max-age" => lifetime = lifetime.or(seconds(value.trim().trim_matches('"'))),
            _ => {}
        }
    }
    lifetime
}

/// A number of seconds; what does not fit is as much as fits (RFC 9111, 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// Whether the answer says that it is made by the manipulation `feed` (RFC 3229, 10.5.3): only
/// what is new.
#[must_use]
pub fn is_delta(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(IM).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|name| name.trim().eq_ignore_ascii_case("feed"))
}

/// Where changes are announced, as the first `Link` header with `rel=hub` says (RFC 8288, 3).
#[must_use]
pub fn hub(headers: &HeaderMap, url: &Url) -> Option<Url> {
    let lines = headers.get_all(LINK).iter().filter_map(|line| line.to_str().ok());
    let targets = lines.flat_map(|line| line.split('<').skip(1));
    let hubs = targets.filter_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let is_hub = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let mut relations = value.trim().trim_matches('"').split(' ');
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("hub"))
        });
        is_hub.then(|| url.join(target.trim()).ok()).flatten()
    });
    hubs.into_iter().find(|hub: &Url| matches!(hub.scheme(), "http" | "https"))
}

/// The validators of an answer, byte for byte.
#[must_use]
pub fn validators(headers: &HeaderMap, address: String) -> Validators {
    let bytes = |name| {
        let value = headers.get(name)?.as_bytes();
        (!value.is_empty() && value.len() <= VALIDATOR_BYTES_MAX).then(|| value.to_vec())
    };
    Validators { address, etag: bytes(ETAG), last_modified: bytes(LAST_MODIFIED) }
}

/// The validators after a 304, which may bring new ones (RFC 9110, 15.4.5).
#[must_use]
pub fn renewed(headers: &HeaderMap, known: &Validators) -> Validators {
    let fresh = validators(headers, known.address.clone());
    Validators {
        etag: fresh.etag.or_else(|| known.etag.clone()),
        last_modified: fresh.last_modified.or_else(|| known.last_modified.clone()),
        address: fresh.address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_a_week_at_most() {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("120", Some("2026-06-01T12:02:00Z")),
            ("0", Some("2026-06-01T12:00:00Z")),
            (" 60 ", Some("2026-06-01T12:01:00Z")),
            ("604801", Some("2026-06-08T12:00:00Z")),
            ("99999999999999999999999999", Some("2026-06-08T12:00:00Z")),
            ("9223372036854775807", Some("2026-06-08T12:00:00Z")),
            ("Mon, 01 Jun 2026 13:30:00 GMT", Some("2026-06-01T13:30:00Z")),
            ("Monday, 01-Jun-26 13:30:00 GMT", Some("2026-06-01T13:30:00Z")),
            ("Mon Jun  1 13:30:00 2026", Some("2026-06-01T13:30:00Z")),
            ("Fri, 01 Jan 2100 00:00:00 GMT", Some("2026-06-08T12:00:00Z")),
            ("Mon, 01 Jun 2026 11:00:00 GMT", Some("2026-06-01T11:00:00Z")),
            ("-5", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            let expected = expected.map(|text| text.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(retry_after(&headers, now), expected, "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_hub_is_named_by_a_link_header() {
        let url = "https://city.example/feed".parse().unwrap();
        for (line, expected) in [
            ("<https://hub.example/>; rel=\"hub\"", Some("https://hub.example/")),
            ("</feed>; rel=self, </hub>; title=\"x\"; rel=hub", Some("https://city.example/hub")),
            ("<https://hub.example/>;REL=\"self hub\"", Some("https://hub.example/")),
            ("<https://hub.example/>; rel=self; title=hub", None),
            ("<javascript:1>; rel=hub", None),
            ("https://hub.example/; rel=hub", None),
        ] {
            let headers = HeaderMap::from_iter([(LINK, line.parse().unwrap())]);
            assert_eq!(hub(&headers, &url).as_ref().map(Url::as_str), expected, "{line}");
        }
    }

    #[test]
    fn an_answer_is_fresh_as_long_as_it_says() {
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        let noon = ("date", "Mon, 01 Jun 2026 12:00:00 GMT");
        let year_2100 = ("expires", "Fri, 01 Jan 2100 00:00:00 GMT");
        for (lines, expected) in [
            (&[("cache-control", "max-age=60")] as &[_], Some(60)),
            (&[("cache-control", "public,  MAX-AGE=\"60\" , s-maxage=7")], Some(60)),
            (&[("cache-control", "max-age=60, max-age=90")], Some(60)),
            (&[("cache-control", "public"), ("cache-control", "max-age=60")], Some(60)),
            (&[("cache-control", "max-age=60"), ("age", "20")], Some(40)),
            (&[("cache-control", "max-age=60"), ("age", "60")], None),
            (&[("cache-control", "max-age=60"), ("age", "old")], Some(60)),
            (&[("cache-control", "max-age=60, no-cache")], None),
            (&[("cache-control", "no-store"), year_2100], None),
            (&[("cache-control", "max-age=0"), year_2100], None),
            (&[("cache-control", "max-age=99999999999999999999999")], Some(34_560_000)),
            (&[("cache-control", "max-age=-1")], None),
            (&[("cache-control", "max-age=1.5")], None),
            (&[("cache-control", "max-age")], None),
            (&[("expires", "Mon, 01 Jun 2026 12:05:00 GMT")], Some(300)),
            (&[noon, ("expires", "Mon, 01 Jun 2026 12:05:00 GMT")], Some(300)),
            (&[("date", "soon"), ("expires", "Mon, 01 Jun 2026 12:05:00 GMT")], Some(300)),
            (&[noon, ("expires", "Mon, 01 Jun 2026 11:00:00 GMT")], None),
            (&[noon, ("expires", "0")], None),
            (&[noon, ("expires", "-1")], None),
            (&[noon, year_2100], Some(34_560_000)),
            (&[("cache-control", "max-age=60"), year_2100], Some(60)),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, value.parse().unwrap());
            }
            let expected = expected.map(Duration::from_secs);
            assert_eq!(freshness(&headers, now), expected, "{lines:?}");
        }
    }
}
