//! What an HTML page says of feeds: its `link` elements, and links that look like ones to feeds.
//!
//! The page is read tag by tag and in one pass, so that a hostile one costs no more than a kind
//! one.

use crate::discover::Candidate;
use crate::discover::How;
use crate::discover::web_address;
use crate::model::exchange::Document;
use crate::parse::lexer::Lexer;
use crate::parse::lexer::Token;
use crate::parse::page::FEED_TYPES;
use crate::parse::page::looks_like_a_feed;
use crate::parse::text;
use url::Url;

/// How far into a page is looked, in bytes.
const PAGE_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// How many addresses of a page are kept.
const CANDIDATES_MAX: usize = 24;
/// How much of a title is kept, in bytes.
const TITLE_BYTES_MAX: usize = 1_024;

/// How often reading goes on after something that cannot be read.
const RESUMES_MAX: u32 = 16;

/// What a query says where feeds are made by a program, in lower case.
const QUERIES: [&str; 7] =
    ["format=feed", "type=rss", "type=atom", "feed=rss", "feed=atom", "view=rss", "output=rss"];
/// What links to feeds are named, in lower case.
const NAMES: [&str; 6] = ["rss", "atom", "rss-стрічка", "rss стрічка", "rss feed", "rss-канал"];
/// Elements whose content is no markup.
const RAW: [&str; 4] = ["script", "style", "textarea", "template"];

/// What a page says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title; empty if it has none.
    pub title: String,
    /// Addresses at which feeds may be: those that it declares, then those that it links to; in
    /// the order of the page, each once.
    pub candidates: Vec<Candidate>,
}

/// Reads a page.
#[must_use]
pub fn page(document: &Document) -> Page {
    let whole = text(document);
    let text = &whole[..whole.floor_char_boundary(PAGE_BYTES_MAX)];
    let mut reading = Reading::new(document.url.clone());
    let mut lexer = Lexer::new(text, 0);
    loop {
        match lexer.next() {
            Token::Start { name, attributes, empty } => {
                let name = name.to_ascii_lowercase();
                reading.start(&name, &attributes);
                if !empty && RAW.contains(&name.as_str()) {
                    match end_of_raw(text, lexer.position(), &name) {
                        Some(end) => lexer = Lexer::new(text, end),
                        None => break,
                    }
                }
            }
            Token::End { name } => reading.end(&name.to_ascii_lowercase()),
            Token::Text { text, .. } | Token::Mended { text, .. } => reading.text(&text),
            Token::Stop { problem: None } => break,
            Token::Stop { problem: Some(_) } => {
                // What cannot be read ends at the next tag.
                let rest = lexer.position().max(reading.resumed + 1);
                match text.get(rest..).and_then(|after| after.find('<')) {
                    Some(next) if reading.resumes < RESUMES_MAX => {
                        reading.resumes += 1;
                        reading.resumed = rest + next;
                        lexer = Lexer::new(text, rest + next);
                    }
                    _ => break,
                }
            }
        }
    }
    reading.page(&document.url)
}

/// A page that is being read.
struct Reading {
    base: Url,
    has_base: bool,
    title: String,
    is_in_title: bool,
    declared: Vec<Url>,
    linked: Vec<Url>,
    /// The link that is open, and what it is named.
    link: Option<(Url, String)>,
    resumed: usize,
    resumes: u32,
}

impl Reading {
    fn new(base: Url) -> Self {
        Self {
            base,
            has_base: false,
            title: String::new(),
            is_in_title: false,
            declared: Vec::new(),
            linked: Vec::new(),
            link: None,
            resumed: 0,
            resumes: 0,
        }
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)]) {
        let get = |key: &str| {
            let found = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            found.map(|(_, value)| value.as_str())
        };
        let has = |key: &str, word: &str| {
            get(key).is_some_and(|value| {
                value.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word))
            })
        };
        self.is_in_title = name == "title" && self.title.is_empty();
        let address = get("href").and_then(|href| web_address(href, &self.base));
        match (name, address) {
            ("base", Some(url)) if !self.has_base => {
                self.base = url;
                self.has_base = true;
            }
            ("link" | "a", Some(url)) if has("rel", "feed") => put(&mut self.declared, url),
            ("link", Some(url)) if has("rel", "alternate") && get("type").is_some_and(is_feed) => {
                put(&mut self.declared, url);
            }
            ("a" | "area", Some(url)) => {
                let said = [get("title"), get("aria-label")].into_iter().flatten();
                let is_one = is_named_so(said) || get("type").is_some_and(is_feed);
                if is_one || looks_like_one(&url) {
                    put(&mut self.linked, url);
                } else {
                    self.link = Some((url, String::new()));
                }
            }
            // A picture may be all that a link is named.
            ("img", _) => {
                if let (Some((_, named)), Some(alt)) = (&mut self.link, get("alt")) {
                    named.push_str(cut(alt));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let place = match &mut self.link {
            _ if self.is_in_title => &mut self.title,
            Some((_, named)) => named,
            None => return,
        };
        if place.len() < TITLE_BYTES_MAX {
            place.extend(cut(text).chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
    }

    fn end(&mut self, name: &str) {
        self.is_in_title = false;
        if name == "a"
            && let Some((url, named)) = self.link.take()
            && is_named_so([named.as_str()])
        {
            put(&mut self.linked, url);
        }
    }

    fn page(self, own: &Url) -> Page {
        let declared = self.declared.into_iter().map(|url| (url, How::Declared));
        let linked = self.linked.into_iter().map(|url| (url, How::Linked));
        let mut candidates: Vec<Candidate> = Vec::new();
        for (url, how) in declared.chain(linked) {
            if url != *own && candidates.iter().all(|known| known.url != url) {
                candidates.push(Candidate { url, how });
            }
        }
        candidates.truncate(CANDIDATES_MAX);
        let title = self.title.split_whitespace().collect::<Vec<_>>().join(" ");
        Page { title, candidates }
    }
}

/// Keeps an address, as long as there are not too many.
fn put(urls: &mut Vec<Url>, url: Url) {
    if urls.len() < CANDIDATES_MAX && !urls.contains(&url) {
        urls.push(url);
    }
}

/// Whether a type is that of feeds, whatever parameters it has.
fn is_feed(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    FEED_TYPES.iter().any(|feed| kind.eq_ignore_ascii_case(feed))
}

fn is_named_so<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().any(|name| NAMES.contains(&name.trim().to_lowercase().as_str()))
}

/// Whether an address looks like that of a feed.
pub(crate) fn looks_like_one(url: &Url) -> bool {
    let query = url.query().unwrap_or_default().to_ascii_lowercase();
    let path = url.path().to_ascii_lowercase();
    looks_like_a_feed(url.path())
        || path.ends_with("/rssfeed.aspx")
        || QUERIES.iter().any(|part| query.split('&').any(|one| one.starts_with(part)))
}

/// Where the content of an element ends that is no markup.
fn end_of_raw(text: &str, from: usize, name: &str) -> Option<usize> {
    let bytes = &text.as_bytes()[from..];
    memchr::memmem::find_iter(bytes, b"</").map(|at| from + at).find(|at| {
        let after = text.as_bytes().get(at + 2..at + 2 + name.len());
        after.is_some_and(|after| after.eq_ignore_ascii_case(name.as_bytes()))
    })
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TITLE_BYTES_MAX)]
}
