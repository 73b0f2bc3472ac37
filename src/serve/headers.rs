//! Headers: what a request asks for in them, and how an answer gets its own (RFC 9110).

use crate::serve::answer::Body;
use crate::serve::coding::Coding;
use crate::serve::documents::Rendered;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Response;
use http::header;
use std::borrow::Cow;
use std::time::SystemTime;

/// Software that asks for what is new only because its library does, and takes the answer to that
/// for a failure: it would show nothing any more. rss2email is one, and some of its versions bear
/// the name of the library.
const NO_DELTAS: [&str; 2] = ["rss2email", "feedparser/"];
const A_IM: HeaderName = HeaderName::from_static("a-im");
/// The header that names the manipulations that were made (RFC 3229, 10.5.2).
pub(super) const IM: HeaderName = HeaderName::from_static("im");

/// Whether only what is new is wanted, where that is less (RFC 3229, 10.5.3).
pub(super) fn wants_delta(request: &HeaderMap) -> bool {
    let agent = joined(request, &header::USER_AGENT);
    if NO_DELTAS.iter().any(|name| agent.contains(name)) {
        return false;
    }
    let wanted = joined(request, &A_IM);
    wanted.split(',').any(|member| {
        let (name, parameter) = member.split_once(';').unwrap_or((member, ""));
        let weight = parameter.trim().strip_prefix("q=").map(str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("feed") && !matches!(weight, Some(Ok(0.0)))
    })
}

/// Strong, and another for each coding, since the bytes are others (RFC 9110, 8.8.3.3).
pub(super) fn entity_tag(rendered: &Rendered, coding: Option<Coding>) -> String {
    let digest = &rendered.tag;
    coding.map_or_else(|| format!("\"{digest}\""), |c| format!("\"{digest}-{}\"", c.name()))
}

/// RFC 9110, 13.2.2: `If-None-Match` decides; without it `If-Modified-Since`.
pub(super) fn is_unchanged(request: &HeaderMap, tag: &str, rendered: &Rendered) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let tags = joined(request, &header::IF_NONE_MATCH);
        return tags.trim() == "*" || is_same(tag, &tags);
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    match (since, rendered.modified) {
        (Some(since), Some(modified)) => whole_seconds(modified.into()) <= whole_seconds(since),
        _ => false,
    }
}

/// The weak comparison (RFC 9110, 8.8.3.2). Our tags have no comma in them.
pub(super) fn is_same(tag: &str, tags: &str) -> bool {
    tags.split(',').map(str::trim).any(|other| other.strip_prefix("W/").unwrap_or(other) == tag)
}

fn whole_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// All lines of a header as one list (RFC 9110, 5.3).
pub(super) fn joined<'a>(request: &'a HeaderMap, name: &HeaderName) -> Cow<'a, str> {
    let mut lines = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    match (lines.next(), lines.next()) {
        (first, None) => Cow::Borrowed(first.unwrap_or_default()),
        (first, second) => {
            let all = first.into_iter().chain(second).chain(lines);
            Cow::Owned(all.collect::<Vec<_>>().join(","))
        }
    }
}

/// Puts a header there.
pub(super) fn put(answer: &mut Response<Body>, name: HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// The same with a value that was made.
pub(super) fn put_made(answer: &mut Response<Body>, name: HeaderName, value: String) {
    // Digests and dates: nothing that a header could not hold.
    if let Ok(value) = HeaderValue::try_from(value) {
        answer.headers_mut().insert(name, value);
    }
}
