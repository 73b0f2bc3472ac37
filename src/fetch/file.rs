//! The second transport: a file beside feeds.toml.

use crate::fetch::Fetched;
use crate::fetch::Hold;
use crate::fetch::Said;
use crate::fetch::error::FetchError;
use crate::model::exchange::Document;
use crate::model::exchange::Validators;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use url::Url;

/// Reads a file, or finds that it has the digest that `known` has.
///
/// `address` is the feed's, as configured.
pub(crate) fn read(
    path: &Path,
    address: String,
    known: Option<&Validators>,
    body_bytes_max: u64,
) -> Result<Fetched, FetchError> {
    let failed = |reason: String| FetchError::File { path: path.display().to_string(), reason };
    let bytes = read_bounded(path, body_bytes_max).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > body_bytes_max {
        let url = format!("file:{}", path.display());
        return Err(FetchError::TooLarge { url, body_bytes_max });
    }
    let etag = Some(blake3::hash(&bytes).to_hex().as_bytes().to_vec());
    let validators = Validators { address, etag, last_modified: None };
    if known == Some(&validators) {
        return Ok(Fetched::NotModified { validators, said: Said::default() });
    }
    let absolute = std::path::absolute(path).map_err(|error| failed(error.to_string()))?;
    let url = Url::from_file_path(absolute)
        .map_err(|()| failed("the path cannot be written as an address".to_owned()))?;
    let document = Document { url, content_type: None, bytes };
    let (said, hold) = (Said::default(), Hold::default());
    Ok(Fetched::Document { document, validators, said, is_delta: false, hold })
}

/// At most one byte more than allowed, so that it shows.
fn read_bounded(path: &Path, body_bytes_max: u64) -> io::Result<Vec<u8>> {
    // Before it is opened: to open a fifo would wait until somebody writes into it.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(body_bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
