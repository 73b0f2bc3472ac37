//! A feed's secret: read for each poll, sent to the feed's own origin, and shown to nobody.

use crate::fetch::error::FetchError;
use crate::fetch::error::shown;
use crate::model::feed::Credentials;
use crate::model::feed::Scheme;
use crate::model::feed::SecretPlace;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use std::env;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use url::Origin;
use url::Url;

/// The longest secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4 * 1024;

/// A header that proves who we are. It has no `Debug`, and its value is marked as sensitive.
#[derive(Clone)]
pub(crate) struct Proof {
    origin: Origin,
    name: HeaderName,
    value: HeaderValue,
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
            value.into_encoded_bytes()
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

fn of_file(path: &Path) -> Result<Vec<u8>, String> {
    let is_file = path.metadata().map_err(|error| error.to_string())?.is_file();
    if !is_file {
        return Err("not a regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
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
            let pair = [user.as_bytes(), b":", secret].concat();
            (AUTHORIZATION, [b"Basic ", STANDARD.encode(&pair).as_bytes()].concat())
        }
        Scheme::Bearer => (AUTHORIZATION, [b"Bearer ", secret].concat()),
        Scheme::Header { name } => {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            (name, secret.to_vec())
        }
    };
    let mut value =
        HeaderValue::from_bytes(&value).map_err(|_| "it is no header's value".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
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
