//! One request and its answer.

use crate::fetch::Fetched;
use crate::fetch::Said;
use crate::fetch::Settings;
use crate::fetch::answer;
use crate::fetch::body;
use crate::fetch::carrier::Failure;
use crate::fetch::client::Way;
use crate::fetch::client::read_timeout;
use crate::fetch::error::FetchError;
use crate::fetch::error::cut;
use crate::fetch::error::reason_of;
use crate::fetch::error::shown;
use crate::fetch::route::Route;
use crate::fetch::secret::Proof;
use crate::model::exchange::Validators;
use chrono::DateTime;
use chrono::Utc;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::Request;
use http::StatusCode;
use http::header::IF_MODIFIED_SINCE;
use http::header::IF_NONE_MATCH;
use http::header::LOCATION;
use http::header::USER_AGENT;
use reqwest::Body;
use reqwest::Response;
use std::error::Error;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

/// The header that names the manipulations that are understood (RFC 3229, 10.5.3).
const A_IM: HeaderName = HeaderName::from_static("a-im");

/// What a server answered.
#[expect(clippy::large_enum_variant, reason = "one for each hop, and taken apart at once")]
pub(crate) enum Answer {
    /// What ends the poll.
    Fetched(Fetched),
    /// Another address.
    Redirect {
        /// With which status.
        status: StatusCode,
        /// The Location header.
        location: Vec<u8>,
        /// When it wants to be followed (RFC 9110, 10.2.3).
        wait: Option<DateTime<Utc>>,
    },
}

/// One request and its answer.
pub(crate) async fn exchange(
    settings: &Settings,
    large: &Arc<Semaphore>,
    (way, asked): (&Way, HeaderMap),
    route: &Route,
    known: Option<&Validators>,
) -> Result<Answer, FetchError> {
    let url = route.url();
    let response = send(settings, way, url, asked).await?;
    let (status, headers) = (response.status(), response.headers());
    let now = settings.clock.now();
    let said = Said {
        moved: route.moved(),
        freshness: answer::freshness(headers, now),
        status: Some(status.as_u16()),
        hops: route.hops(),
        hub: answer::hub(headers, url),
    };
    let is_delta = known.is_some_and(|known| known.etag.is_some()) && answer::is_delta(headers);
    Ok(Answer::Fetched(match (status.as_u16(), known) {
        (200 | 203, _) => {
            let validators = answer::validators(headers, route.asked());
            let (document, hold) = body::document(settings, large, response, url).await?;
            Fetched::Document { document, validators, said, is_delta: false, hold }
        }
        (226, _) if is_delta => {
            let validators = answer::validators(headers, route.asked());
            let (document, hold) = body::document(settings, large, response, url).await?;
            Fetched::Document { document, validators, said, is_delta: true, hold }
        }
        (304, Some(known)) => {
            Fetched::NotModified { validators: answer::renewed(headers, known), said }
        }
        (301 | 302 | 303 | 307 | 308, _) => {
            let location = headers.get(LOCATION).map(HeaderValue::as_bytes);
            let location = location.unwrap_or_default().to_vec();
            let wait = answer::retry_after(headers, now);
            return Ok(Answer::Redirect { status, location, wait });
        }
        (410, _) => Fetched::Gone,
        (429 | 503, _) => match answer::retry_after(headers, now) {
            None if status == StatusCode::SERVICE_UNAVAILABLE => {
                return Err(FetchError::Status { url: shown(url), status });
            }
            until if route.is_at_first_host() => Fetched::Later { until },
            until => Fetched::Postponed { until },
        },
        _ => return Err(FetchError::Status { url: shown(url), status }),
    }))
}

/// Sends a request, and waits for the head of its answer.
async fn send(
    settings: &Settings,
    way: &Way,
    url: &Url,
    asked: HeaderMap,
) -> Result<Response, FetchError> {
    let carrier = match way {
        Way::Client(client) => {
            let request = client.get(url.clone()).headers(asked);
            return request.send().await.map_err(|error| failure(settings, url, error));
        }
        Way::Carrier(carrier) => carrier,
    };
    let unfit = |error: &dyn Error| FetchError::Transport {
        url: shown(url),
        reason: cut(&error.to_string()),
    };
    let mut request = Request::get(url.as_str()).body(()).map_err(|error| unfit(&error))?;
    let agent = HeaderValue::from_str(&settings.user_agent).map_err(|error| unfit(&error))?;
    *request.headers_mut() = asked;
    request.headers_mut().insert(USER_AGENT, agent);
    let limit = read_timeout(settings);
    match timeout(limit, carrier.carry(request)).await {
        Ok(Ok(response)) => Ok(response.map(Body::wrap).into()),
        Ok(Err(Failure::Connection(reason))) => {
            Err(FetchError::Connection { url: shown(url), reason })
        }
        Ok(Err(Failure::Broken(reason))) => Err(FetchError::Transport { url: shown(url), reason }),
        Err(_) => Err(silent(settings, url)),
    }
}

fn silent(settings: &Settings, url: &Url) -> FetchError {
    let limit = read_timeout(settings);
    FetchError::Timeout { url: shown(url), what: "the server said nothing", limit }
}

/// What a client's error says.
pub(crate) fn failure(settings: &Settings, url: &Url, error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    if error.is_connect() {
        let url = shown(url);
        let is_timeout = error.is_timeout();
        let limit = settings.connect_timeout;
        let reason =
            if is_timeout { format!("no connection within {limit:?}") } else { reason_of(&error) };
        return FetchError::Connection { url, reason };
    }
    if error.is_timeout() {
        return silent(settings, url);
    }
    FetchError::Transport { url: shown(url), reason: reason_of(&error) }
}

/// The headers of a request: its conditions (RFC 9110, 13.1), and what proves who we are.
pub(crate) fn headers(known: Option<&Validators>, proof: Option<&Proof>, url: &Url) -> HeaderMap {
    let etag = known.and_then(|known| known.etag.as_ref());
    let last_modified = known.and_then(|known| known.last_modified.as_ref());
    let given = [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)];
    // What is new since that ETag is enough (RFC 3229, 10.5.3).
    let manipulation = etag.map(|_| (A_IM, HeaderValue::from_static("feed")));
    let valid = given.into_iter().filter_map(|(name, bytes)| {
        // What came as a header is one; only a damaged store could hold something else.
        Some((name, HeaderValue::from_bytes(bytes?).ok()?))
    });
    valid.chain(manipulation).chain(proof.and_then(|proof| proof.for_address(url))).collect()
}
