//! A request and its answer, as HTTP has it (RFC 9110, RFC 9111).

use crate::model::id::ArticleId;
use crate::model::publication::Pictures;
use crate::model::publication::Selection;
use crate::publish::html::language::Language;
use crate::serve::about::About;
use crate::serve::about::Choice;
use crate::serve::about::FRESH;
use crate::serve::about::HTML;
use crate::serve::about::OPML;
use crate::serve::about::POLICY;
use crate::serve::about::described;
use crate::serve::about::for_all_sites;
use crate::serve::about::is_for_all_sites;
use crate::serve::access;
use crate::serve::access::Line;
use crate::serve::coding::Coding;
use crate::serve::coding::wanted;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use crate::serve::headers::IM;
use crate::serve::headers::entity_tag;
use crate::serve::headers::is_same;
use crate::serve::headers::is_unchanged;
use crate::serve::headers::joined;
use crate::serve::headers::put;
use crate::serve::headers::put_made;
use crate::serve::headers::wants_delta;
use crate::serve::passing::Passing;
use crate::serve::pictures;
use crate::serve::readers::reported;
use crate::serve::reads::is_of_person;
use crate::serve::traffic::Asked;
use crate::serve::view::View;
use crate::serve::view::spoken;
use bytes::Bytes;
use chrono::Utc;
use http::HeaderMap;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Version;
use http::header;
use http_body_util::Full;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::time::timeout;
use tracing::error;
use tracing::warn;

/// What an answer carries: bytes that are there already.
pub type Body = Full<Bytes>;

/// The longest path and query, in bytes.
const TARGET_BYTES_MAX: usize = 8 * 1024;
/// The longest headers, in bytes.
const HEADER_BYTES_MAX: usize = 16 * 1024;
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

/// The answer to a request, within a time. Its body is not read.
pub async fn answer<B>(
    documents: &Documents,
    request: &Request<B>,
    within: Duration,
) -> Response<Body> {
    let came = Instant::now();
    let (method, path) = (request.method(), request.uri().path());
    let headers = request.headers();
    let question = Passing::of(path, request.uri().query().unwrap_or_default());
    // A question is asked at the address of a page, but for one.
    let page = documents.at(path);
    let picture = pictures::at(path).filter(|_| documents.pictures() == Pictures::Passed);
    let is_there = page.is_some() || question.is_some() || picture.is_some();
    let page = page.map(|page| Spoken::of(documents, page, headers));
    let mut answer = match (bad(request), &page) {
        (Some(refused), _) => refused,
        (None, _) if method == Method::OPTIONS && path == "*" => options(None),
        (None, _) if !is_there => lost(documents, path, headers, within).await,
        (None, page) if method == Method::OPTIONS => options(page.as_ref().map(|p| &p.page)),
        (None, _) if method != Method::GET && method != Method::HEAD => not_allowed(),
        (None, page) => match (question, page) {
            (None, None) => match picture {
                Some(picture) => picture_answer(documents, picture, headers, within).await,
                None => nothing_there(),
            },
            (Some((question, language)), _) => {
                passing_answer(documents, question, language, headers, within).await
            }
            (None, Some(page)) => {
                let answer = page_answer(documents, page, headers, within).await;
                if let Some(answer) = answer {
                    answer
                } else {
                    let mut answer = lost(documents, path, headers, within).await;
                    if documents.had(&page.page).await {
                        *answer.status_mut() = StatusCode::GONE;
                    }
                    answer
                }
            }
        },
    };
    let page = page.map(|spoken| spoken.page);
    if let Some(Page::Html(View::Article(id), _)) = &page
        && method == Method::GET
        && matches!(answer.status(), StatusCode::OK | StatusCode::NOT_MODIFIED)
        && is_of_person(headers)
    {
        documents.reads().add(*id);
    }
    put(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut answer, header::REFERRER_POLICY, "no-referrer");
    if method == Method::HEAD {
        *answer.body_mut() = Body::default();
    }
    let asked = asked_for(page.as_ref(), path, answer.status());
    documents.audience().traffic().count(asked, answer.status());
    let agent = access::agent(request.headers());
    let readers = page.and_then(|page| heard(documents, &page, &agent, answer.status()));
    if access::is_wanted() {
        access::log(&Line { method, path, agent: &agent, readers, came }, &answer);
    }
    answer
}

/// What was asked for, for the numbers.
fn asked_for(page: Option<&Page>, path: &str, status: StatusCode) -> Asked {
    match page {
        _ if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) => Asked::Other,
        Some(Page::Atom(..)) => Asked::Atom,
        Some(Page::Json(..)) => Asked::Json,
        Some(_) => Asked::Page,
        None if pictures::at(path).is_some() => Asked::Picture,
        // A question is answered with a page.
        None if status == StatusCode::OK => Asked::Page,
        None => Asked::Other,
    }
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
        // Of those that readers compose there is no end.
        Page::Atom(Selection::Mixed(..), _) | Page::Json(Selection::Mixed(..), _) => None,
        Page::Atom(selection, None) => Some((selection, "atom")),
        Page::Json(selection, None) => Some((selection, "json")),
        _ => None,
    }
}

/// A page, and how its language was found.
struct Spoken {
    page: Page,
    choice: Choice,
}

impl Spoken {
    fn of(documents: &Documents, page: Page, request: &HeaderMap) -> Self {
        match page {
            Page::Html(view, None) => {
                let language = reader_speaks(documents, request);
                Self { page: Page::Html(view, Some(language)), choice: Choice::Reader }
            }
            page => Self { page, choice: Choice::Address },
        }
    }
}

fn reader_speaks(documents: &Documents, request: &HeaderMap) -> Language {
    Language::wanted(&joined(request, &header::ACCEPT_LANGUAGE), documents.language())
}

/// What is at an address at which there is nothing: for people a page that helps them on.
async fn lost(
    documents: &Documents,
    path: &str,
    request: &HeaderMap,
    within: Duration,
) -> Response<Body> {
    if !joined(request, &header::ACCEPT).contains("text/html") {
        return nothing_there();
    }
    let (language, _) = spoken(path.trim_start_matches('/'));
    let question = Passing::Lost(path.to_owned());
    let mut answer = passing_answer(documents, question, language, request, within).await;
    if matches!(answer.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
        *answer.status_mut() = StatusCode::NOT_FOUND;
        put(&mut answer, header::CACHE_CONTROL, "public, max-age=60");
        put(&mut answer, header::VARY, "Accept, Accept-Encoding, Accept-Language");
        answer.headers_mut().remove(header::ETAG);
    }
    answer
}

fn nothing_there() -> Response<Body> {
    let mut answer = told(StatusCode::NOT_FOUND, NOT_FOUND, "public, max-age=60");
    put(&mut answer, header::VARY, "Accept");
    answer
}

/// The answer to a question.
async fn passing_answer(
    documents: &Documents,
    question: Passing,
    language: Option<Language>,
    request: &HeaderMap,
    within: Duration,
) -> Response<Body> {
    let media_type = if matches!(question, Passing::Opml(..)) { OPML } else { HTML };
    let is_lost = matches!(question, Passing::Lost(_));
    let speaks = language.unwrap_or_else(|| reader_speaks(documents, request));
    let rendered = match timeout(within, documents.passing(question, speaks)).await {
        Ok(Ok(rendered)) => Arc::new(rendered),
        Ok(Err(error)) => {
            error!(%error, "cannot answer a question: {error}");
            return unavailable();
        }
        Err(_) => return unavailable(),
    };
    let coding = wanted(&joined(request, &header::ACCEPT_ENCODING));
    let tag = entity_tag(&rendered, coding);
    let about = About {
        media_type,
        vary: if language.is_none() {
            "Accept-Encoding, Accept-Language"
        } else {
            "Accept-Encoding"
        },
        cache: FRESH,
        language: (media_type == HTML).then_some(speaks),
        is_for_all_sites: false,
        policy: documents.policy(),
    };
    if !is_lost && is_unchanged(request, &tag, &rendered) {
        return described(StatusCode::NOT_MODIFIED, &about, &tag, &rendered, Body::default());
    }
    whole(documents, None, StatusCode::OK, &about, (&rendered, &rendered), coding).await
}

/// The answer with a picture.
async fn picture_answer(
    documents: &Documents,
    (id, digest): (ArticleId, &str),
    request: &HeaderMap,
    within: Duration,
) -> Response<Body> {
    let picture = match timeout(within, documents.picture(id, digest)).await {
        Ok(Ok(Some(picture))) => picture,
        Ok(Ok(None)) => return nothing_there(),
        Ok(Err(error)) => {
            error!(%error, "cannot pass a picture on: {error}");
            return unavailable();
        }
        Err(_) => return unavailable(),
    };
    let tag = format!("\"{}\"", picture.digest);
    let is_known = is_same(&tag, &joined(request, &header::IF_NONE_MATCH));
    let body = if is_known { Bytes::new() } else { picture.bytes.clone() };
    let mut answer = Response::new(Body::from(body));
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        answer.headers_mut().insert(header::CONTENT_LENGTH, picture.bytes.len().into());
        put(&mut answer, header::CONTENT_TYPE, picture.mime);
    }
    put_made(&mut answer, header::ETAG, tag);
    put(&mut answer, header::CACHE_CONTROL, "public, max-age=86400, stale-if-error=604800");
    put(&mut answer, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
    answer
}

/// The answer with a page; none if there is no such page.
async fn page_answer(
    documents: &Documents,
    spoken: &Spoken,
    request: &HeaderMap,
    within: Duration,
) -> Option<Response<Body>> {
    let page = &spoken.page;
    let got = timeout(within, documents.get(page)).await;
    let got = got.unwrap_or_else(|_| {
        warn!(?page, "{page:?} is not rendered within {within:?}");
        documents.last(page).ok_or(DocumentError::Slow)
    });
    let rendered = match got {
        Ok(rendered) => rendered,
        Err(DocumentError::Missing) => return None,
        Err(error) => {
            error!(?page, %error, "cannot give out a document: {error}");
            return Some(unavailable());
        }
    };
    let coding = wanted(&joined(request, &header::ACCEPT_ENCODING));
    let tag = entity_tag(&rendered, coding);
    let about = About::of(documents, page, spoken.choice);
    if is_unchanged(request, &tag, &rendered) {
        let answer = described(StatusCode::NOT_MODIFIED, &about, &tag, &rendered, Body::default());
        return Some(answer);
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
    let shown = (shown, &rendered);
    let mut answer = whole(documents, Some(page), status, &about, shown, coding).await;
    if delta.is_some() {
        put(&mut answer, IM, "feed");
        // No cache may take it for the whole, not even one that does not know the status.
        put(&mut answer, header::CACHE_CONTROL, "no-store, im");
        put(&mut answer, header::VARY, "Accept-Encoding, A-IM, If-None-Match");
    }
    Some(answer)
}

/// The answer with bytes, of the whole document or what is new of it.
async fn whole(
    documents: &Documents,
    page: Option<&Page>,
    status: StatusCode,
    about: &About,
    (shown, rendered): (&Arc<Rendered>, &Arc<Rendered>),
    coding: Option<Coding>,
) -> Response<Body> {
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
    let tag = entity_tag(rendered, coding);
    let mut answer = described(status, about, &tag, rendered, Body::from(bytes));
    if let Some(coding) = coding {
        put(&mut answer, header::CONTENT_ENCODING, coding.name());
    }
    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    put(&mut answer, header::CONTENT_TYPE, about.media_type);
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, about.policy.clone());
    answer
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
