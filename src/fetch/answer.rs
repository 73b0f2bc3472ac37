//! What the headers of an answer mean.

use crate::model::exchange::Validators;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use http::HeaderMap;
use http::header::ETAG;
use http::header::LAST_MODIFIED;
use http::header::RETRY_AFTER;

/// How long a server can keep us away.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(7);
/// A longer validator is not kept, in bytes.
const VALIDATOR_BYTES_MAX: usize = 4096;

/// When the server wants to be asked again (RFC 9110, 10.2.3): so many seconds from now, or a
/// date; a week from now at most.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
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

/// The validators of an answer, byte for byte.
pub(crate) fn validators(headers: &HeaderMap, address: String) -> Validators {
    let bytes = |name| {
        let value = headers.get(name)?.as_bytes();
        (!value.is_empty() && value.len() <= VALIDATOR_BYTES_MAX).then(|| value.to_vec())
    };
    Validators { address, etag: bytes(ETAG), last_modified: bytes(LAST_MODIFIED) }
}

/// The validators after a 304, which may bring new ones (RFC 9110, 15.4.5).
pub(crate) fn renewed(headers: &HeaderMap, known: &Validators) -> Validators {
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
}
