//! The way from a feed's address over redirects (RFC 9110, 15.4).

use crate::fetch::Hop;
use crate::fetch::error::FetchError;
use crate::fetch::error::shown;
use http::StatusCode;
use url::Url;

/// How many redirects are followed.
const REDIRECTS_MAX: usize = 5;

/// A chain of redirects, so far.
#[derive(Debug)]
pub(crate) struct Route {
    /// Every address that was asked, and the one to ask now. Never empty.
    before: Vec<Url>,
    now: Url,
    /// What each redirect said of itself.
    statuses: Vec<StatusCode>,
    /// How many of the first redirects said that they are for good.
    lasting: usize,
}

impl Route {
    /// The route that begins at this address.
    pub(crate) fn new(asked: Url) -> Self {
        Self { before: Vec::new(), now: asked, statuses: Vec::new(), lasting: 0 }
    }

    /// The address at which it begins, as validators name it.
    pub(crate) fn asked(&self) -> String {
        self.before.first().unwrap_or(&self.now).to_string()
    }

    /// Whether nothing was asked yet.
    pub(crate) fn is_at_start(&self) -> bool {
        self.before.is_empty()
    }

    /// Whether the address to ask now lies at the host where the route begins.
    pub(crate) fn is_at_first_host(&self) -> bool {
        let host = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        self.before.first().is_none_or(|first| host(first) == host(&self.now))
    }

    /// The address to ask now.
    pub(crate) fn url(&self) -> &Url {
        &self.now
    }

    /// Where the feed has moved for good.
    pub(crate) fn moved(&self) -> Option<Url> {
        let all = || self.before.iter().chain([&self.now]);
        let moved = all().nth(self.lasting)?;
        (Some(moved) != all().next()).then(|| without_user(moved))
    }

    /// The redirects that were followed.
    pub(crate) fn hops(&self) -> Vec<Hop> {
        let both = self.before.iter().zip(&self.statuses);
        both.map(|(from, status)| Hop { from: without_user(from), status: status.as_u16() })
            .collect()
    }

    /// Goes on to where a redirect points. The guard is to be asked again.
    pub(crate) fn follow(&mut self, status: StatusCode, location: &[u8]) -> Result<(), FetchError> {
        let refused = |reason: String| FetchError::Redirect { url: shown(&self.now), reason };
        if self.before.len() >= REDIRECTS_MAX {
            return Err(refused(format!("it is more than {REDIRECTS_MAX} in a row")));
        }
        let location = str::from_utf8(location).ok().filter(|text| !text.is_empty());
        let location = location.ok_or_else(|| refused("it names no address".to_owned()))?;
        let mut next = self
            .now
            .join(location)
            .map_err(|error| refused(format!("its address is wrong: {error}")))?;
        next.set_fragment(None);
        if self.now.scheme() == "https" && next.scheme() == "http" {
            return Err(refused("it leads from https to http".to_owned()));
        }
        if !matches!(next.scheme(), "http" | "https") {
            return Err(refused(format!("it leads to `{}:`", next.scheme())));
        }
        if self.now == next || self.before.contains(&next) {
            return Err(refused(format!("it leads back to {}", shown(&next))));
        }
        let permanent =
            matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
        if permanent && self.lasting == self.before.len() {
            self.lasting += 1;
        }
        self.before.push(std::mem::replace(&mut self.now, next));
        self.statuses.push(status);
        Ok(())
    }
}

/// The address without user and password.
pub(crate) fn without_user(url: &Url) -> Url {
    let mut url = url.clone();
    // An address that can have neither, such as `data:`, has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hops: &[(u16, &str)], expected: Result<(&str, Option<&str>), &str>) {
        let mut route = Route::new("https://u:secret@a.example/feed?key=1".parse().unwrap());
        let followed = hops.iter().try_for_each(|(status, location)| {
            route.follow(StatusCode::from_u16(*status).unwrap(), location.as_bytes())
        });
        let moved = route.moved().map(|url| url.to_string());
        let found = followed.map(|()| (route.url().as_str(), moved.as_deref()));
        assert_eq!(found.map_err(|error| error.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn a_chain_of_permanent_redirects_moves_the_feed() {
        check(&[], Ok(("https://u:secret@a.example/feed?key=1", None)));
        let b = "https://b.example/";
        check(&[(301, b)], Ok((b, Some(b))));
        check(
            &[(301, b), (308, "c#top")],
            Ok(("https://b.example/c", Some("https://b.example/c"))),
        );
        check(&[(302, b), (301, "c")], Ok(("https://b.example/c", None)));
        check(&[(301, b), (307, "c"), (301, "d")], Ok(("https://b.example/d", Some(b))));
        check(
            &[(301, "/new")],
            Ok(("https://u:secret@a.example/new", Some("https://a.example/new"))),
        );
    }

    #[test]
    fn a_redirect_that_leads_nowhere_is_not_followed() {
        let at = "https://a.example/feed: the redirect is not followed: ";
        for (location, reason) in [
            ("", "it names no address"),
            ("https://", "its address is wrong: empty host"),
            ("http://a.example/feed", "it leads from https to http"),
            ("file:///etc/passwd", "it leads to `file:`"),
            ("javascript:alert(1)", "it leads to `javascript:`"),
            ("?key=1", "it leads back to https://a.example/feed"),
        ] {
            check(&[(302, location)], Err(&format!("{at}{reason}")));
        }
        check(&[(302, "b"), (302, "c"), (302, "d"), (302, "e"), (302, "f")], {
            Ok(("https://u:secret@a.example/f", None))
        });
        check(&[(302, "b"), (302, "c"), (302, "d"), (302, "e"), (302, "f"), (302, "g")], {
            Err("https://a.example/f: the redirect is not followed: it is more than 5 in a row")
        });
    }
}
