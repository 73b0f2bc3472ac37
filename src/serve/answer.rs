//! A request and its answer, as HTTP has it (RFC 9110, RFC 9111).

use crate::model::publication::Selection;
use crate::serve::access;
use crate::serve::access::Line;
use crate::serve::coding::Coding;
use crate::serve::coding::wanted;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use crate::serve::readers::reported;
use bytes::Bytes;
use chrono::Utc;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Version;
use http::header;
use http_body_util::Full;
use std::borrow::Cow;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use tokio::time::timeout;
use tracing::error;
use tracing::warn;

/// What an answer carries: bytes that are there already.
pub type Body = Full<Bytes>;

/// The longest path and query, in bytes.
const TARGET_BYTES_MAX: usize = 8 * 1024;
/// The longest headers, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;
const FRESH: &str = "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400";
/// A page of an archive does not change any more.
const CLOSED: &str = "public, max-age=31536000, immutable";
/// Software that asks for what is new only because its library does, and takes the answer to that
/// for a failure: it would show nothing any more. rss2email is one, and some of its versions bear
/// the name of the library.
const NO_DELTAS: [&str; 2] = ["rss2email", "feedparser/"];
const A_IM: HeaderName = HeaderName::from_static("a-im");
const IM: HeaderName = HeaderName::from_static("im");
const RETRY_AFTER_SECONDS: &str = "60";
const ALLOWED: &str = "GET, HEAD, OPTIONS";
const NOT_FOUND: &str = "Такої сторінки тут немає. Усі стрічки: /\n\
                         There is no such page here. All feeds: /\n";
const NOT_ALLOWED: &str = "Тут можна лише читати: GET або HEAD.\n\
                           This can only be read: GET or HEAD.\n";
const UNAVAILABLE: &str = "Новини тимчасово недоступні. Спробуйте за хвилину.\n\
                           The news are not available at the moment. Try again in a minute.\n";
const NO_PLACE: &str = "Зараз забагато відвідувачів. Спробуйте за хвилину.\n\
                        There are too many visitors at the moment. Try again in a minute.\n";
const NO_HOST: &str = "Запит не називає сайт: потрібен один заголовок Host.\n\
                       The request does not name the site: it needs one Host header.\n";
const TARGET_TOO_LONG: &str = "Задовга адреса.\nThe address is too long.\n";
const HEADERS_TOO_LONG: &str = "Задовгі заголовки запиту.\n\
                                The headers of the request are too long.\n";
/// No scripts, from nowhere, on no page: neither the index nor a feed that a browser shows.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src https: data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The answer to a request, within a time. Its body is not read.
pub async fn answer<B>(
    documents: &Documents,
    request: &Request<B>,
    within: Duration,
) -> Response<Body> {
    let came = Instant::now();
    let (method, path) = (request.method(), request.uri().path());
    let page = documents.at(path);
    let mut answer = match (bad(request), &page) {
        (Some(refused), _) => refused,
        (None, _) if method == Method::OPTIONS && path == "*" => options(None),
        (None, None) => told(StatusCode::NOT_FOUND, NOT_FOUND, "public, max-age=60"),
        (None, Some(page)) if method == Method::OPTIONS => options(Some(page)),
        (None, Some(_)) if method != Method::GET && method != Method::HEAD => not_allowed(),
        (None, Some(page)) => page_answer(documents, page, request.headers(), within).await,
    };
    put(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut answer, header::REFERRER_POLICY, "no-referrer");
    if method == Method::HEAD {
        *answer.body_mut() = Body::default();
    }
    let agent = access::agent(request.headers());
    let readers = page.and_then(|page| heard(documents, &page, &agent, answer.status()));
    if access::is_wanted() {
        access::log(&Line { method, path, agent: &agent, readers, came }, &answer);
    }
    answer
}

/// The bytes of a whole answer for a client that gets no place to ask.
pub(super) fn no_place() -> Bytes {
    let length = NO_PLACE.len();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {length}\r\nCache-Control: no-store\r\n\
         Retry-After: {RETRY_AFTER_SECONDS}\r\nContent-Security-Policy: {POLICY}\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Connection: close\r\n\r\n{NO_PLACE}"
    );
    head.into()
}

/// What is wrong with a request, wherever it goes.
fn bad<B>(request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let length: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let (status, words) = if target > TARGET_BYTES_MAX {
        (StatusCode::URI_TOO_LONG, TARGET_TOO_LONG)
    } else if length > HEADER_BYTES_MAX {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, HEADERS_TOO_LONG)
    } else if request.version() == Version::HTTP_11
        && headers.get_all(header::HOST).iter().count() != 1
    {
        // RFC 9112, 3.2.
        (StatusCode::BAD_REQUEST, NO_HOST)
    } else {
        return None;
    };
    let mut answer = told(status, words, "no-store");
    put(&mut answer, header::CONNECTION, "close");
    Some(answer)
}

/// What can be done with a page, and whether other sites' scripts may do it (Fetch, 3.2.2).
fn options(page: Option<&Page>) -> Response<Body> {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    put(&mut answer, header::ALLOW, ALLOWED);
    put(&mut answer, header::CACHE_CONTROL, "no-store");
    if page.is_some_and(is_for_all_sites) {
        for_all_sites(&mut answer);
        put(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
        put(
            &mut answer,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "A-IM, If-None-Match, If-Modified-Since",
        );
        put(&mut answer, header::ACCESS_CONTROL_MAX_AGE, "86400");
    }
    answer
}

fn not_allowed() -> Response<Body> {
    let mut answer = told(StatusCode::METHOD_NOT_ALLOWED, NOT_ALLOWED, "no-store");
    put(&mut answer, header::ALLOW, ALLOWED);
    // What else belongs to the request is not read, so that no other can follow it.
    put(&mut answer, header::CONNECTION, "close");
    answer
}

fn unavailable() -> Response<Body> {
    let mut answer = told(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, "no-store");
    put(&mut answer, header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    answer
}

/// Who asks for a publication is its audience; gives for how many readers.
fn heard(documents: &Documents, page: &Page, agent: &str, status: StatusCode) -> Option<u32> {
    let (selection, form) = publication(page)?;
    if !matches!(status, StatusCode::OK | StatusCode::IM_USED | StatusCode::NOT_MODIFIED) {
        return None;
    }
    let reported = reported(agent);
    let readers = reported.as_ref().map(|reported| reported.readers);
    documents.audience().heard(selection, form, reported, Utc::now());
    readers
}

/// The publication that a page is the newest part of, and in which form.
fn publication(page: &Page) -> Option<(&Selection, &'static str)> {
    match page {
        Page::Atom(selection, None) => Some((selection, "atom")),
        Page::Json(selection, None) => Some((selection, "json")),
        _ => None,
    }
}

async fn page_answer(
    documents: &Documents,
    page: &Page,
    request: &HeaderMap,
    within: Duration,
) -> Response<Body> {
    let got = timeout(within, documents.get(page)).await;
    let got = got.unwrap_or_else(|_| {
        warn!(?page, "{page:?} is not rendered within {within:?}");
        documents.last(page).ok_or(DocumentError::Slow)
    });
    let rendered = match got {
        Ok(rendered) => rendered,
        Err(DocumentError::Missing) => {
            return told(StatusCode::NOT_FOUND, NOT_FOUND, "public, max-age=60");
        }
        Err(error) => {
            error!(?page, %error, "cannot give out a document: {error}");
            return unavailable();
        }
    };
    let coding = wanted(&joined(request, &header::ACCEPT_ENCODING));
    let tag = entity_tag(&rendered, coding);
    if is_unchanged(request, &tag, &rendered) {
        return described(StatusCode::NOT_MODIFIED, page, &tag, &rendered, Body::default());
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
    put(&mut answer, header::CONTENT_SECURITY_POLICY, POLICY);
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
    put_made(&mut answer, header::ETAG, tag.to_owned());
    let vary = if has_deltas(page) { "Accept-Encoding, A-IM" } else { "Accept-Encoding" };
    put(&mut answer, header::VARY, vary);
    put(&mut answer, header::CACHE_CONTROL, if page.is_archived() { CLOSED } else { FRESH });
    if let Some(modified) = rendered.modified {
        // Never later than the answer itself (RFC 9110, 8.8.2.1).
        let modified = modified.min(Utc::now());
        put_made(&mut answer, header::LAST_MODIFIED, httpdate::fmt_http_date(modified.into()));
    }
    if is_for_all_sites(page) {
        for_all_sites(&mut answer);
        // Without it a script could not tell what it has.
        put(&mut answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, IM");
    }
    answer
}

/// Whether the scripts of other sites may read it: feeds are made for that.
fn is_for_all_sites(page: &Page) -> bool {
    !matches!(page, Page::Index | Page::Style | Page::Robots)
}

fn for_all_sites(answer: &mut Response<Body>) {
    put(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    put(answer, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
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
fn joined<'a>(request: &'a HeaderMap, name: &HeaderName) -> Cow<'a, str> {
    let mut lines = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
    match (lines.next(), lines.next()) {
        (first, None) => Cow::Borrowed(first.unwrap_or_default()),
        (first, second) => {
            let all = first.into_iter().chain(second).chain(lines);
            Cow::Owned(all.collect::<Vec<_>>().join(","))
        }
    }
}

fn told(status: StatusCode, words: &'static str, cache: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::from(Bytes::from_static(words.as_bytes())));
    *answer.status_mut() = status;
    put(&mut answer, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    put(&mut answer, header::CACHE_CONTROL, cache);
    put(&mut answer, header::CONTENT_SECURITY_POLICY, POLICY);
    answer.headers_mut().insert(header::CONTENT_LENGTH, words.len().into());
    answer
}

fn put(answer: &mut Response<Body>, name: HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn put_made(answer: &mut Response<Body>, name: HeaderName, value: String) {
    // Digests and dates: nothing that a header could not hold.
    if let Ok(value) = HeaderValue::try_from(value) {
        answer.headers_mut().insert(name, value);
    }
}
