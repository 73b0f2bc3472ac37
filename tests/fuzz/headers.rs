//! Headers of a publisher's answer: nothing panics, and what they ask for stays within its bounds.
#![no_main]

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::header;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::Duration;
use url::Url;
use visnyk::fetch::answer::freshness;
use visnyk::fetch::answer::hub;
use visnyk::fetch::answer::is_delta;
use visnyk::fetch::answer::retry_after;
use visnyk::fetch::answer::validators;
use visnyk::model::exchange::Document;
use visnyk::parse::parse;
use visnyk::parse::text;
use visnyk::serve::coding::wanted;

/// What may stand at the head of a line of the input.
const NAMES: [HeaderName; 10] = [
    header::RETRY_AFTER,
    header::CACHE_CONTROL,
    header::EXPIRES,
    header::DATE,
    header::AGE,
    header::LINK,
    header::ETAG,
    header::LAST_MODIFIED,
    header::CONTENT_TYPE,
    HeaderName::from_static("im"),
];
/// As long as a server keeps us away, or its answer is believed to stay fresh.
const AWAY_MAX: i64 = 7 * 86_400;
const FRESH_MAX: Duration = Duration::from_secs(400 * 86_400);

static URL: LazyLock<Url> = LazyLock::new(|| "https://rada.example.ua/rss?a=1".parse().unwrap());

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    // Each line begins with a byte that says which header it is.
    for line in bytes.split(|byte| *byte == b'\n').take(32) {
        let Some((which, value)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        headers.append(&NAMES[usize::from(*which) % NAMES.len()], value);
    }
    let now = "2026-11-26T12:00:00Z".parse().unwrap();
    if let Some(until) = retry_after(&headers, now) {
        assert!((until - now).num_seconds() <= AWAY_MAX, "{headers:?}: {until}");
    }
    if let Some(fresh) = freshness(&headers, now) {
        assert!(!fresh.is_zero() && fresh <= FRESH_MAX, "{headers:?}: {fresh:?}");
    }
    if let Some(hub) = hub(&headers, &URL) {
        assert!(matches!(hub.scheme(), "http" | "https") && hub.has_host(), "{headers:?}: {hub}");
    }
    let _ = is_delta(&headers);
    let kept = validators(&headers, URL.to_string());
    assert!(kept.etag.is_none_or(|tag| !tag.is_empty() && tag.len() <= 4_096));
    if let Some(kind) = headers.get(header::CONTENT_TYPE) {
        let content_type = Some(String::from_utf8_lossy(kind.as_bytes()).into_owned());
        let bytes = b"<rss version='2.0'><channel><title>\xcf\xf0</title></channel></rss>".to_vec();
        let document = Document { url: URL.clone(), content_type, bytes };
        let _ = (text(&document), parse(&document));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = wanted(text);
    }
});
