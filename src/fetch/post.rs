//! A message to an address of the admin's own.
//!
//! Not guarded as feeds are: where it goes nobody says but the admin, and a private address is the
//! usual place. Redirects are not followed, and nothing of the answer but its status is looked at.

use crate::fetch::error::FetchError;
use crate::fetch::error::reason_of;
use http::header::CONTENT_TYPE;
use reqwest::Client;
use std::time::Duration;
use url::Url;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a message may take in all.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends messages.
#[derive(Debug, Clone)]
pub struct Poster {
    client: Client,
}

impl Poster {
    /// Sends under this name.
    ///
    /// # Errors
    /// The name is no header's value, or no certificate authority is installed.
    pub fn new(user_agent: &str) -> Result<Self, FetchError> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build();
        let unmade = |error: reqwest::Error| FetchError::Client { reason: reason_of(&error) };
        Ok(Self { client: client.map_err(unmade)? })
    }

    /// Sends a message in JSON.
    ///
    /// # Errors
    /// It did not get there, or was not taken.
    pub async fn post(&self, url: &Url, json: String) -> Result<(), FetchError> {
        let message = self.client.post(url.clone()).header(CONTENT_TYPE, "application/json");
        let answer = message.body(json).send().await.map_err(|error| {
            let reason = reason_of(&error.without_url());
            FetchError::Transport { url: origin(url), reason }
        })?;
        let status = answer.status();
        let refused = || FetchError::Status { url: origin(url), status };
        if status.is_success() { Ok(()) } else { Err(refused()) }
    }
}

/// What is shown of an address: many a chat has its secret in the path.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::io::Write;
    use std::net::TcpListener;

    #[tokio::test]
    async fn the_secret_in_an_address_is_not_shown() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let url: Url = format!("{origin}/hooks/canary?k=canary").parse().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let poster = Poster::new("visnyk").unwrap();
        // It refuses, and then it is not there.
        for server in [Some(server), None] {
            let error = poster.post(&url, "{}".to_owned()).await.unwrap_err().to_string();
            assert!(error.contains(&origin) && !error.contains("canary"), "{error}");
            if let Some(server) = server {
                server.join().unwrap();
            }
        }
    }
}
