//! A request and its answer, as HTTP has it (RFC 9110, RFC 9111).

use crate::serve::coding::Coding;
use crate::serve::coding::wanted;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use chrono::Utc;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Response;
use http::StatusCode;
use http::Uri;
use http::header;
use std::time::SystemTime;
use tracing::error;

const FRESH: &str = "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400";
/// A page of an archive does not change any more.
const CLOSED: &str = "public, max-age=31536000, immutable";
const A_IM: HeaderName = HeaderName::from_static("a-im");
const IM: HeaderName = HeaderName::from_static("im");
const RETRY_AFTER_SECONDS: &str = "60";
const NOT_FOUND: &str = "Такої сторінки тут немає. Усі стрічки: /\n\
                         There is no such page here. All feeds: /\n";
const NOT_ALLOWED: &str = "Тут можна лише читати: GET або HEAD.\n\
                           This can only be read: GET or HEAD.\n";
const UNAVAILABLE: &str = "Новини тимчасово недоступні. Спробуйте за хвилину.\n\
                           The news are not available at the moment. Try again in a minute.\n";
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src https: data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to a request.
pub async fn answer(
    State(documents): State<Documents>,
    method: Method,
    uri: Uri,
    request: HeaderMap,
) -> Response<Body> {
    let mut answer = match documents.at(uri.path()) {
        None => told(StatusCode::NOT_FOUND, NOT_FOUND, "public, max-age=60"),
        Some(_) if method != Method::GET && method != Method::HEAD => {
            let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, NOT_ALLOWED, "no-store");
            put(&mut answer, header::ALLOW, "GET, HEAD");
            answer
        }
        Some(page) => page_answer(&documents, &page, &request).await,
    };
    put(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if method == Method::HEAD {
        *answer.body_mut() = Body::empty();
    }
    answer
}

async fn page_answer(documents: &Documents, page: &Page, request: &HeaderMap) -> Response<Body> {
    let rendered = match documents.get(page).await {
        Ok(rendered) => rendered,
        Err(DocumentError::Missing) => {
            return told(StatusCode::NOT_FOUND, NOT_FOUND, "public, max-age=60");
        }
        Err(error) => {
            error!(?page, %error, "cannot give out a document: {error}");
            let mut answer = told(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, "no-store");
            put(&mut answer, header::RETRY_AFTER, RETRY_AFTER_SECONDS);
            return answer;
        }
    };
    let coding = wanted(&joined(request, &header::ACCEPT_ENCODING));
    let tag = entity_tag(&rendered, coding);
    if is_unchanged(request, &tag, &rendered) {
        return described(StatusCode::NOT_MODIFIED, page, &tag, &rendered, Body::empty());
    }
    let delta = if wants_delta(request) {
        documents.delta(page, &rendered, &joined(request, &header::IF_NONE_MATCH))
    } else {
        None
    };
    let (status, shown) = match &delta {
        Some(delta) => (StatusCode::IM_USED, delta),
        None => (StatusCode::OK, &rendered),
    };
    let coded = match coding {
        Some(coding) => documents.coded(page, shown, coding).await.map(|b| (coding, b)),
        None => None,
    };
    let (coding, bytes): (Option<Coding>, Bytes) = match coded {
        Some((coding, bytes)) => (Some(coding), bytes),
        None => (None, shown.identity.clone()),
    };
    let length = bytes.len();
    // Of the whole document, also where only what is new of it is given (RFC 3229, 10.4.1).
    let tag = entity_tag(&rendered, coding);
    let mut answer = described(status, page, &tag, &rendered, Body::from(bytes));
    if delta.is_some() {
        put(&mut answer, IM, "feed");
        // No cache may take it for the whole, not even one that does not know the status.
        put(&mut answer, header::CACHE_CONTROL, "no-store, im");
        put(&mut answer, header::VARY, "Accept-Encoding, A-IM, If-None-Match");
    }
    if let Some(coding) = coding {
        put(&mut answer, header::CONTENT_ENCODING, coding.name());
    }
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    put(&mut answer, header::CONTENT_TYPE, media_type(page));
    if *page == Page::Index {
        put(&mut answer, header::CONTENT_SECURITY_POLICY, POLICY);
    }
    answer
}

/// What a 200 and a 304 have in common (RFC 9110, 15.4.5).
fn described(
    status: StatusCode,
    page: &Page,
    tag: &str,
    rendered: &Rendered,
    body: Body,
) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    put(&mut answer, header::ETAG, tag);
    let vary = if has_deltas(page) { "Accept-Encoding, A-IM" } else { "Accept-Encoding" };
    put(&mut answer, header::VARY, vary);
    let is_closed = matches!(page, Page::Atom(_, Some(_)) | Page::Json(_, Some(_)));
    put(&mut answer, header::CACHE_CONTROL, if is_closed { CLOSED } else { FRESH });
    if let Some(modified) = rendered.modified {
        // Never later than the answer itself (RFC 9110, 8.8.2.1).
        let modified = modified.min(Utc::now());
        put(&mut answer, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified.into()));
    }
    if matches!(page, Page::Atom(..) | Page::Json(..) | Page::Opml) {
        put(&mut answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    answer
}

fn media_type(page: &Page) -> &'static str {
    match page {
        Page::Index => "text/html; charset=utf-8",
        Page::Style => "text/css; charset=utf-8",
        Page::Robots => "text/plain; charset=utf-8",
        Page::Opml => "text/x-opml; charset=utf-8",
        Page::Atom(..) => "application/atom+xml; charset=utf-8",
        Page::Json(..) => "application/feed+json",
    }
}

/// Whether what is new of it can be told from the rest (RFC 3229).
fn has_deltas(page: &Page) -> bool {
    matches!(page, Page::Atom(_, None))
}

/// Whether only what is new is wanted, where that is less (RFC 3229, 10.5.3).
fn wants_delta(request: &HeaderMap) -> bool {
    let wanted = joined(request, &A_IM);
    wanted.split(',').any(|member| {
        let (name, parameter) = member.split_once(';').unwrap_or((member, ""));
        let weight = parameter.trim().strip_prefix("q=").map(str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("feed") && !matches!(weight, Some(Ok(0.0)))
    })
}

/// Strong, and another for each coding, since the bytes are others (RFC 9110, 8.8.3.3).
fn entity_tag(rendered: &Rendered, coding: Option<Coding>) -> String {
    let digest = &rendered.tag;
    coding.map_or_else(|| format!("\"{digest}\""), |c| format!("\"{digest}-{}\"", c.name()))
}

/// RFC 9110, 13.2.2: `If-None-Match` decides; without it `If-Modified-Since`.
fn is_unchanged(request: &HeaderMap, tag: &str, rendered: &Rendered) -> bool {
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
fn is_same(tag: &str, tags: &str) -> bool {
    tags.split(',').map(str::trim).any(|other| other.strip_prefix("W/").unwrap_or(other) == tag)
}

fn whole_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// All lines of a header as one list (RFC 9110, 5.3).
fn joined(request: &HeaderMap, name: &HeaderName) -> String {
    let lines = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.collect::<Vec<_>>().join(",")
}

fn told(status: StatusCode, words: &'static str, cache: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::from(words));
    *answer.status_mut() = status;
    put(&mut answer, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    put(&mut answer, header::CACHE_CONTROL, cache);
    answer.headers_mut().insert(header::CONTENT_LENGTH, words.len().into());
    answer
}

fn put(answer: &mut Response<Body>, name: HeaderName, value: &str) {
    // Digests, dates and our own words: nothing that a header could not hold.
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
