//! Where a site has its feeds, what each of them would bring, and what its `[[feed]]` would be.
//!
//! # The way
//! `page` finds what a page says of feeds, `places` where feeds usually lie and what a sitemap
//! names. What was fetched there becomes an `offer`; `choice` says which one to take, and why not
//! the others; `proposal` makes a feed of feeds.toml of it.
//!
//! Never here: asking for anything. Whoever asks decides how much, and how politely.

pub mod choice;
pub mod offer;
pub mod page;
pub mod places;
pub mod proposal;

mod region;

use url::Url;

/// The longest address that is kept, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// An address at which a feed may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The address.
    pub url: Url,
    /// How it was found.
    pub how: How,
}

/// How an address was found, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was asked for.
    Asked,
    /// The page says so: `link rel="alternate"` or `rel="feed"`.
    Declared,
    /// The page links there, and the link looks like one to a feed.
    Linked,
    /// Feeds usually lie there.
    Usual,
    /// The sitemap names it.
    Sitemap,
}

impl How {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Asked => "the address itself",
            Self::Declared => "the page names it as its feed",
            Self::Linked => "the page links to it",
            Self::Usual => "feeds usually lie there",
            Self::Sitemap => "the sitemap names it",
        }
    }
}

/// An address of the web that stands in a document, made absolute; none if it is no such address,
/// names a user, or is longer than any honest one.
fn web_address(text: &str, base: &Url) -> Option<Url> {
    let text = text.trim();
    if text.is_empty() || text.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    let mut url = base.join(text).ok()?;
    url.set_fragment(None);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.has_host();
    (matches!(url.scheme(), "http" | "https") && is_plain).then_some(url)
}
