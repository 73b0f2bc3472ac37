//! A feed's secret: read for each poll, sent to the feed's own origin, and shown to nobody.
//!
//! What is read is wiped from memory as soon as nothing refers to it: the secret, what was put
//! together of it, and the header's value, whose clones all share it. What the connection copied to
//! write it is not ours to wipe, nor is the environment, if the secret stands there.

use crate::fetch::error::FetchError;
use crate::fetch::error::shown;
use crate::model::feed::Credentials;
use crate::model::feed::Scheme;
use crate::model::feed::SecretPlace;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderName;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use std::env;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use url::Origin;
use url::Url;
use zeroize::Zeroizing;

/// The longest secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4 * 1024;
/// More than is read of one.
const ROOM_BYTES: usize = 8 * 1024;

/// A header that proves who we are. `Debug` does not show its value, which is marked as sensitive.
#[derive(Clone)]
pub(crate) struct Proof {
    origin: Origin,
    name: HeaderName,
    value: HeaderValue,
}

impl fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, name, .. } = self;
        formatter.debug_struct("Proof").field("origin", origin).field("name", name).finish()
    }
}

impl Proof {
    /// The header for an address, if it is of the feed's own origin: scheme, host and port.
    pub(crate) fn for_address(&self, url: &Url) -> Option<(HeaderName, HeaderValue)> {
        (url.origin() == self.origin).then(|| (self.name.clone(), self.value.clone()))
    }
}

/// Reads the secret of a feed that is configured at `url`. Blocks.
pub(crate) fn read(credentials: &Credentials, url: &Url) -> Result<Proof, FetchError> {
    let place = told(&credentials.secret);
    let failed =
        |reason: String| FetchError::Secret { url: shown(url), place: place.clone(), reason };
    let secret = match &credentials.secret {
        SecretPlace::Credential(name) => {
            let folder = env::var_os("CREDENTIALS_DIRECTORY")
                .ok_or_else(|| failed("`CREDENTIALS_DIRECTORY` is not set".to_owned()))?;
            of_file(&Path::new(&folder).join(name)).map_err(failed)?
        }
        SecretPlace::File(path) => of_file(path).map_err(failed)?,
        SecretPlace::Environment(variable) => {
            let value = env::var_os(variable).ok_or_else(|| failed("it is not set".to_owned()))?;
            Zeroizing::new(value.into_encoded_bytes())
        }
    };
    let (name, value) = header(&credentials.scheme, &secret).map_err(failed)?;
    Ok(Proof { origin: url.origin(), name, value })
}

fn told(place: &SecretPlace) -> String {
    match place {
        SecretPlace::Credential(name) => format!("credential:{name}"),
        SecretPlace::File(path) => format!("file:{}", path.display()),
        SecretPlace::Environment(variable) => format!("env:{variable}"),
    }
}

fn of_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let is_file = path.metadata().map_err(|error| error.to_string())?.is_file();
    if !is_file {
        return Err("not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    // Room for all of it at once: what grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM_BYTES));
    // A line's end more than is allowed, and a byte by which it shows that there is still more.
    file.take(SECRET_BYTES_MAX + 3).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn header(scheme: &Scheme, secret: &[u8]) -> Result<(HeaderName, HeaderValue), String> {
    let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.is_empty() {
        return Err("it is empty".to_owned());
    }
    if secret.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("it is over {SECRET_BYTES_MAX} bytes"));
    }
    if secret.iter().any(u8::is_ascii_control) {
        return Err("it has a control character in it".to_owned());
    }
    let (name, value) = match scheme {
        Scheme::Basic { user } => {
            let pair = Zeroizing::new([user.as_bytes(), b":", secret].concat());
            let encoded = Zeroizing::new(STANDARD.encode(&*pair));
            (AUTHORIZATION, [b"Basic ", encoded.as_bytes()].concat())
        }
        Scheme::Bearer => (AUTHORIZATION, [b"Bearer ", secret].concat()),
        Scheme::Header { name } => {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            (name, secret.to_vec())
        }
    };
    Ok((name, sensitive(value)?))
}

/// A header's value that is never shown, and is wiped when the last of its clones is dropped.
fn sensitive(bytes: Vec<u8>) -> Result<HeaderValue, String> {
    // Not copied: what was checked is what is wiped.
    let shared = Bytes::from_owner(Zeroizing::new(bytes));
    let value = HeaderValue::from_maybe_shared(shared);
    let mut value = value.map_err(|_| "it is no header's value".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_as_its_scheme_says() {
        let basic = Scheme::Basic { user: "Aladdin".to_owned() };
        let own = Scheme::Header { name: "x-api-key".to_owned() };
        for (scheme, secret, expected) in [
            // The example of RFC 7617, 2.
            (&basic, "open sesame\n", Ok("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            (&Scheme::Bearer, "mF_9.B5f-4.1JqM\r\n", Ok("Bearer mF_9.B5f-4.1JqM")),
            (&own, "key", Ok("key")),
            (&own, "", Err("it is empty".to_owned())),
            (&own, "\n", Err("it is empty".to_owned())),
            (&own, "a\nb", Err("it has a control character in it".to_owned())),
            (&own, &"x".repeat(4_097), Err("it is over 4096 bytes".to_owned())),
        ] {
            let found = header(scheme, secret.as_bytes());
            let value = found.map(|(_, value)| {
                assert!(value.is_sensitive());
                value
            });
            assert_eq!(value, expected.map(HeaderValue::from_static), "{secret:?}");
        }
    }

    #[test]
    fn a_secret_is_where_it_is_wiped_and_is_not_shown() {
        let bytes = b"Bearer canary".to_vec();
        let at = bytes.as_ptr();
        let value = sensitive(bytes).unwrap();
        let clone = value.clone();
        assert_eq!((value.as_bytes().as_ptr(), clone.as_bytes().as_ptr()), (at, at), "copied");
        let origin = Url::parse("https://city.example/").unwrap().origin();
        let proof = Proof { origin, name: AUTHORIZATION, value };
        let (_, sent) = proof.for_address(&"https://city.example/x".parse().unwrap()).unwrap();
        assert_eq!(sent.as_bytes().as_ptr(), at, "copied");
        for shown in [format!("{proof:?}"), format!("{sent:?}")] {
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_not_cut_to_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let longest = "x".repeat(4_096);
        for (content, is_good) in [
            (longest.clone(), true),
            (format!("{longest}\n"), true),
            (format!("{longest}\r\n"), true),
            (format!("{longest}\ny"), false),
            (format!("{longest}\r\ny"), false),
            (format!("{longest}y"), false),
        ] {
            std::fs::write(&path, &content).unwrap();
            let found = header(&Scheme::Bearer, &of_file(&path).unwrap());
            assert_eq!(found.is_ok(), is_good, "{} bytes", content.len());
        }
    }

    #[test]
    fn a_secret_goes_to_its_own_origin_only() {
        let own: Url = "https://city.example/feed".parse().unwrap();
        let proof = Proof {
            origin: own.origin(),
            name: AUTHORIZATION,
            value: HeaderValue::from_static("Bearer x"),
        };
        for (url, is_own) in [
            ("https://city.example/other?a=b", true),
            ("https://city.example:443/", true),
            ("http://city.example/feed", false),
            ("https://city.example:8443/feed", false),
            ("https://www.city.example/feed", false),
            ("https://city.example.evil.example/feed", false),
        ] {
            assert_eq!(proof.for_address(&url.parse().unwrap()).is_some(), is_own, "{url}");
        }
    }
}
