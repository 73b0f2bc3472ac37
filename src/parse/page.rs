//! An HTML page where a feed was: what it is, and the feeds that it offers.
//!
//! Only the head of a page is looked at, tag by tag and in one pass, so that a hostile page costs
//! no more than a kind one.

use crate::parse::ParseError;
use crate::parse::cut;
use crate::parse::field::absolute;
use crate::parse::field::attribute;
use crate::parse::lexer::Lexer;
use crate::parse::lexer::Token;
use crate::parse::shown;
use url::Url;

/// How far into a page is looked, in bytes.
const PAGE_BYTES_MAX: usize = 256 * 1_024;
/// How many of the feeds that a page offers are told.
const FEEDS_MAX: usize = 5;

/// The types of `link rel="alternate"` that name a feed.
pub(crate) const FEED_TYPES: [&str; 5] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "text/xml",
];

/// Words of pages on which one logs in, in lower case.
const LOGIN_WORDS: [&str; 9] = [
    "вхід",
    "авторизація",
    "увійти",
    "вход в",
    "авторизация",
    "log in",
    "login",
    "sign in",
    "anmelden",
];

/// What a page is instead of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// A page on which one logs in.
    Login,
    /// Any other.
    Other,
}

/// What was seen of a page.
#[derive(Debug, Default)]
struct Seen {
    title: String,
    has_password: bool,
    base: Option<Url>,
    links: Vec<String>,
    guesses: Vec<String>,
}

/// What is wrong with a page as a feed. `address` is where it was found.
pub(super) fn instead_of_a_feed(text: &str, address: Option<&Url>) -> ParseError {
    let seen = look(cut(text, PAGE_BYTES_MAX), address);
    let title = shown(&seen.title.split_whitespace().collect::<Vec<_>>().join(" "));
    let lower = title.to_lowercase();
    let is_login = seen.has_password || LOGIN_WORDS.iter().any(|word| lower.contains(word));
    let base = seen.base.as_ref().or(address);
    // What the page says is a feed counts, and only without it what looks like one.
    let found = if seen.links.is_empty() { seen.guesses } else { seen.links };
    let mut feeds: Vec<Url> = Vec::new();
    for link in found {
        let Ok(mut url) = Url::parse(&absolute(&link, base)) else { continue };
        url.set_fragment(None);
        let is_web = matches!(url.scheme(), "http" | "https");
        if is_web && Some(&url) != address && !feeds.contains(&url) && feeds.len() < FEEDS_MAX {
            feeds.push(url);
        }
    }
    ParseError::HtmlPage {
        kind: if is_login { PageKind::Login } else { PageKind::Other },
        title: (!title.is_empty()).then_some(title),
        feeds,
    }
}

fn look(text: &str, address: Option<&Url>) -> Seen {
    let mut seen = Seen::default();
    let mut lexer = Lexer::new(text, 0);
    let mut in_title = false;
    loop {
        match lexer.next() {
            Token::Start { name, attributes, .. } => {
                in_title = name.eq_ignore_ascii_case("title") && seen.title.is_empty();
                look_at(&name.to_ascii_lowercase(), &attributes, address, &mut seen);
            }
            Token::End { .. } => in_title = false,
            Token::Text { text, .. } if in_title => seen.title.push_str(cut(&text, 1_024)),
            Token::Text { .. } | Token::Mended { .. } => {}
            Token::Stop { .. } => return seen,
        }
    }
}

fn look_at(name: &str, attributes: &[(String, String)], address: Option<&Url>, seen: &mut Seen) {
    let href = attribute(attributes, "href");
    let is = |key: &str, word: &str| {
        attribute(attributes, key).is_some_and(|value| {
            value.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
        })
    };
    match (name, href) {
        ("input", _) if is("type", "password") => seen.has_password = true,
        ("base", Some(href)) if seen.base.is_none() => {
            seen.base = Url::parse(&absolute(href, address)).ok();
        }
        ("link", Some(href))
            if is("rel", "alternate") && FEED_TYPES.iter().any(|kind| is("type", kind)) =>
        {
            push(&mut seen.links, href);
        }
        ("a", Some(href)) if looks_like_a_feed(href) => push(&mut seen.guesses, href),
        _ => {}
    }
}

/// A bound on what is kept of a page of nothing but links.
fn push(links: &mut Vec<String>, href: &str) {
    if links.len() < 8 * FEEDS_MAX {
        links.push(href.to_owned());
    }
}

/// Whether an address ends as those of feeds do.
pub(crate) fn looks_like_a_feed(href: &str) -> bool {
    let path = href.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let (name, ending) = last.rsplit_once('.').unwrap_or((last, ""));
    match ending {
        "" => matches!(name, "rss" | "feed" | "atom" | "feeds" | "rss2"),
        "rss" | "atom" => true,
        "xml" => name.contains("rss") || name.contains("feed"),
        _ => false,
    }
}
