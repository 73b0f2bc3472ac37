//! The access log: a line for each request, when its answer is ready.
//!
//! No line has the client's address: who reads the news is nobody's business, and how many do is
//! told by what aggregators report. Lines go to a target of their own, which is silent unless it is
//! asked for: in front of a public site stands a web server, and that has a log already.

use bytes::Bytes;
use http::HeaderMap;
use http::Method;
use http::Response;
use http::header;
use http_body_util::Full;
use std::borrow::Cow;
use std::time::Instant;
use tracing::info;

/// What lines are logged under; to be named in a filter.
pub const TARGET: &str = "visnyk::access";
/// How much of a path or of a User-Agent is written, in characters.
const SHOWN_MAX: usize = 256;

/// A request, as far as it is logged.
pub(super) struct Line<'a> {
    /// Its method.
    pub(super) method: &'a Method,
    /// The path of its target.
    pub(super) path: &'a str,
    /// Its User-Agent.
    pub(super) agent: &'a str,
    /// How many readers it is for.
    pub(super) readers: Option<u32>,
    /// When it came.
    pub(super) came: Instant,
}

/// Whether lines are written at all.
pub(super) fn is_wanted() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::INFO)
}

/// Writes the line of a request and its answer.
pub(super) fn log(line: &Line<'_>, answer: &Response<Full<Bytes>>) {
    let bytes = hyper::body::Body::size_hint(answer.body()).exact().unwrap_or_default();
    let coding = answer.headers().get(header::CONTENT_ENCODING).and_then(|c| c.to_str().ok());
    let (method, path) = (shown(line.method.as_str()), shown(line.path));
    let status = answer.status().as_u16();
    let duration_us = u64::try_from(line.came.elapsed().as_micros()).unwrap_or(u64::MAX);
    info!(
        target: TARGET,
        %method, %path, status, bytes, duration_us,
        coding = coding.unwrap_or("identity"),
        agent = %shown(line.agent),
        readers = line.readers,
        "{method} {path} {status}"
    );
}

/// What a client calls itself.
pub(super) fn agent(request: &HeaderMap) -> Cow<'_, str> {
    let agent = request.get(header::USER_AGENT).map(http::HeaderValue::as_bytes);
    String::from_utf8_lossy(agent.unwrap_or_default())
}

/// The beginning of a text, with escapes for what could pass for something else in a log.
fn shown(text: &str) -> String {
    let is_plain = |c: char| c == ' ' || c.is_ascii_graphic() && c != '\\';
    let mut shown = String::with_capacity(text.len().min(SHOWN_MAX));
    for c in text.chars().take(SHOWN_MAX) {
        if is_plain(c) { shown.push(c) } else { shown.extend(c.escape_default()) }
    }
    if text.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_stays_within_its_line() {
        for (text, expected) in [
            ("/all.atom", "/all.atom"),
            ("/a\nGET /b 200", "/a\\nGET /b 200"),
            ("\u{1b}[31m\\n", "\\u{1b}[31m\\\\n"),
            ("є\u{202e}", "\\u{454}\\u{202e}"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"a".repeat(300)).len(), SHOWN_MAX + '…'.len_utf8());
    }
}
