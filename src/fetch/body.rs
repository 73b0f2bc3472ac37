//! The body of an answer, bounded.

use crate::fetch::Hold;
use crate::fetch::Settings;
use crate::fetch::error::FetchError;
use crate::fetch::error::cut;
use crate::fetch::error::shown;
use crate::fetch::exchange::failure;
use crate::fetch::route;
use crate::model::exchange::Document;
use http::header::CONTENT_ENCODING;
use http::header::CONTENT_TYPE;
use reqwest::Response;
use url::Url;

/// The document in an answer.
pub(crate) async fn document(
    settings: &Settings,
    mut response: Response,
    url: &Url,
) -> Result<(Document, Hold), FetchError> {
    // What the client has undone is no longer in the header.
    let coding = response.headers().get(CONTENT_ENCODING).cloned();
    if let Some(coding) =
        coding.filter(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        let coding = cut(&String::from_utf8_lossy(coding.as_bytes()));
        let reason = format!("the content coding `{coding}` cannot be undone");
        return Err(FetchError::Transport { url: shown(url), reason });
    }
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type =
        content_type.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
    let body_bytes_max = settings.body_bytes_max;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(settings, url, error))? {
        if (bytes.len() + chunk.len()) as u64 > body_bytes_max {
            return Err(FetchError::TooLarge { url: shown(url), body_bytes_max });
        }
        bytes.extend_from_slice(&chunk);
    }
    let document = Document { url: route::without_user(url), content_type, bytes };
    Ok((document, Hold::default()))
}
