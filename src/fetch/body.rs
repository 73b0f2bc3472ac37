//! The body of an answer: bounded as it comes and as it is decompressed, and never half a body
//! for a whole one.
//!
//! # Memory
//! A body that grows beyond [`SMALL_BYTES_MAX`], as it comes or as it is decompressed, needs one
//! of [`LARGE_BODIES_MAX`] permits, which goes with the document until it was read. So all bodies
//! together take at most `concurrency × 2 × SMALL_BYTES_MAX` and, for the large ones,
//! `LARGE_BODIES_MAX × 3 × body_bytes_max`: as it came, as it is, and what a growing buffer copies.

use crate::fetch::Hold;
use crate::fetch::Settings;
use crate::fetch::coding;
use crate::fetch::coding::Undone;
use crate::fetch::error::FetchError;
use crate::fetch::error::cut;
use crate::fetch::error::shown;
use crate::fetch::exchange::failure;
use crate::fetch::route;
use crate::model::exchange::Document;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http::header::CONTENT_TYPE;
use reqwest::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio::time::timeout_at;
use url::Url;

/// What every exchange may take of the memory without asking, in bytes.
const SMALL_BYTES_MAX: u64 = 1024 * 1024;
/// How many bodies may be larger at once.
pub(crate) const LARGE_BODIES_MAX: usize = 4;
/// A body that comes more slowly over a whole window is given up, in bytes a second.
const FLOOR: u64 = 100;
/// How long the floor may be missed; a third of the time in all if that is less.
const FLOOR_WINDOW: Duration = Duration::from_secs(10);
/// A smaller body is decompressed where it is, and a larger one on a thread of its own, in bytes.
const QUICK_BYTES_MAX: usize = 64 * 1024;

/// Reads the document in an answer.
pub(crate) async fn document(
    settings: &Settings,
    large: &Arc<Semaphore>,
    response: Response,
    url: &Url,
) -> Result<(Document, Hold), FetchError> {
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type =
        content_type.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
    let codings = codings(response.headers(), url)?;
    let mut hold = Hold::default();
    let wire = received(settings, large, response, url, &mut hold).await?;
    let bytes = undone(settings, large, wire, codings, url, &mut hold).await?;
    let document = Document { url: route::without_user(url), content_type, bytes };
    Ok((document, hold))
}

fn codings(headers: &HeaderMap, url: &Url) -> Result<Vec<coding::Coding>, FetchError> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    coding::read(&lines.join(",")).map_err(|name| {
        let reason = format!("the content coding `{}` cannot be undone", cut(&name));
        FetchError::Transport { url: shown(url), reason }
    })
}

/// The body as it comes.
async fn received(
    settings: &Settings,
    large: &Arc<Semaphore>,
    mut response: Response,
    url: &Url,
    hold: &mut Hold,
) -> Result<Vec<u8>, FetchError> {
    let window = FLOOR_WINDOW.min(settings.timeout / 3);
    let floor = FLOOR * window.as_secs();
    let mut wire = Vec::new();
    let (mut ends, mut in_window) = (Instant::now() + window, 0_u64);
    loop {
        let chunk = match timeout_at(ends, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| failure(settings, url, error))?,
            Err(_) if in_window >= floor.max(1) => {
                (ends, in_window) = (Instant::now() + window, 0);
                continue;
            }
            Err(_) => {
                let reason =
                    format!("the body came more slowly than {FLOOR} bytes a second for {window:?}");
                return Err(FetchError::Transport { url: shown(url), reason });
            }
        };
        let Some(chunk) = chunk else { return Ok(wire) };
        let length = (wire.len() + chunk.len()) as u64;
        if length > settings.body_bytes_max {
            return Err(too_large(settings, url));
        }
        if length > SMALL_BYTES_MAX {
            let asked = Instant::now();
            hold.grow(large).await;
            // The wait for memory is ours, and not the server's slowness.
            ends += asked.elapsed();
        }
        in_window += chunk.len() as u64;
        wire.extend_from_slice(&chunk);
    }
}

/// The body without its codings.
async fn undone(
    settings: &Settings,
    large: &Arc<Semaphore>,
    wire: Vec<u8>,
    codings: Vec<coding::Coding>,
    url: &Url,
    hold: &mut Hold,
) -> Result<Vec<u8>, FetchError> {
    if coding::is_plain(&wire, &codings) {
        return Ok(wire);
    }
    let failed = |reason: String| FetchError::Transport { url: shown(url), reason };
    let wire = Arc::new(wire);
    for bytes_max in [SMALL_BYTES_MAX.min(settings.body_bytes_max), settings.body_bytes_max] {
        if bytes_max > SMALL_BYTES_MAX {
            hold.grow(large).await;
        }
        let (coded, these) = (Arc::clone(&wire), codings.clone());
        let work = move || coding::undo(&coded, &these, bytes_max);
        let done = if wire.len() <= QUICK_BYTES_MAX && bytes_max <= SMALL_BYTES_MAX {
            work()
        } else {
            let working = tokio::task::spawn_blocking(work).await;
            working.map_err(|error| failed(error.to_string()))?
        };
        match done.map_err(|problem| failed(format!("the body does not decompress: {problem}")))? {
            Undone::Whole(bytes) => return Ok(bytes),
            Undone::TooLarge => {}
        }
    }
    Err(too_large(settings, url))
}

fn too_large(settings: &Settings, url: &Url) -> FetchError {
    FetchError::TooLarge { url: shown(url), body_bytes_max: settings.body_bytes_max }
}
