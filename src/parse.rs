//! Bytes to entries: what a document says, whatever it is called and however it is broken.
//!
//! # The way
//! `charset` makes text of the bytes. `guard` reads the text with a parser of its own, within
//! bounds, mends it and writes it anew in the plainest form; beside it, it keeps what feed-rs
//! would lose. `xml` gives the rewritten text to feed-rs and joins both. `json` reads JSON
//! Feed.
//!
//! # Why not feed-rs alone
//! It has no partial result: one stray `&` loses all entries. It recurses on the depth of some
//! elements, so that 26 KB abort the process, and panics on some addresses. It never sees a byte
//! from the network here.
//!
//! Never here: clock, disk, network, log. The same bytes give the same entries.

mod charset;
mod draft;
mod entity;
mod field;
mod guard;
mod hints;
mod json;
pub(crate) mod lexer;
mod name;
pub mod page;
mod root;
mod xml;

use crate::model::entry::ParsedFeed;
use crate::model::exchange::Document;
use crate::parse::page::PageKind;
use url::Url;

/// How many entries of one document are read.
const ENTRIES_MAX: usize = 2_000;

/// How many repairs are told of one document.
const REPAIRS_MAX: usize = 32;

/// How many characters of something unreadable are shown.
const SHOWN_CHARS_MAX: usize = 80;

/// Why a document gives no entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing came.
    #[error("the body is empty")]
    Empty,
    /// A page for people stands where the feed was.
    #[error("{}", page_told(*.kind, .title.as_deref(), .feeds))]
    HtmlPage {
        /// What it is.
        kind: PageKind,
        /// What its `<title>` says.
        title: Option<String>,
        /// The feeds that it offers.
        feeds: Vec<Url>,
    },
    /// XML or JSON, but of another kind.
    #[error("the document is {root}, not RSS, RDF, Atom or JSON Feed")]
    UnknownRoot {
        /// The name of its outermost element.
        root: String,
    },
    /// Neither XML nor JSON.
    #[error("not a feed: the document begins with {start:?}")]
    NotAFeed {
        /// Its first characters.
        start: String,
    },
    /// It is a feed, but no whole entry could be saved.
    #[error("broken at byte {position}, before any whole entry: {problem}")]
    Broken {
        /// Where, in bytes of the text as UTF-8.
        position: usize,
        /// What is wrong.
        problem: String,
    },
    /// The parser failed where it never should.
    #[error("the parser gave up on this document: {problem}")]
    Panicked {
        /// What it said.
        problem: String,
    },
}

/// What a page is, in words, and what it offers.
fn page_told(kind: PageKind, title: Option<&str>, feeds: &[Url]) -> String {
    let what = match kind {
        PageKind::Login => "a page to log in came instead of a feed",
        PageKind::Other => "an HTML page came instead of a feed",
    };
    let title = title.map(|title| format!(", titled {title:?}")).unwrap_or_default();
    let feeds: Vec<&str> = feeds.iter().map(Url::as_str).collect();
    let offer = if feeds.is_empty() { "" } else { "; it names these feeds: " };
    format!("{what}{title}{offer}{}", feeds.join(", "))
}

/// The entries of a document, and what had to be mended before it could be read.
///
/// # Errors
/// When the document is not a feed, or when it has entries and none of them could be saved.
pub fn parse(document: &Document) -> Result<ParsedFeed, ParseError> {
    if document.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ParseError::Empty);
    }
    let mut repairs = Repairs::default();
    let (text, charset) = charset::decode(document, &mut repairs);
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let base = matches!(document.url.scheme(), "http" | "https").then_some(&document.url);
    if start.is_empty() {
        return Err(ParseError::Empty);
    }
    let mut feed = if start.starts_with('{') {
        json::read(start, base, &mut repairs)?
    } else {
        let guarded = guard::guard(&text, base, &mut repairs)?;
        drop(text);
        xml::read(guarded, base)?
    };
    feed.charset = charset;
    feed.repairs = repairs.list;
    feed.is_broken_off = repairs.is_broken_off;
    Ok(feed)
}

/// A document as text, whatever it is.
#[must_use]
pub fn text(document: &Document) -> String {
    charset::decode(document, &mut Repairs::default()).0
}

/// What had to be mended, in words, without repetition.
#[derive(Debug, Default)]
struct Repairs {
    list: Vec<String>,
    is_broken_off: bool,
}

impl Repairs {
    fn note(&mut self, repair: &str) {
        if self.list.len() < REPAIRS_MAX && !self.list.iter().any(|known| known == repair) {
            self.list.push(repair.to_owned());
        }
    }

    fn note_cut(&mut self, position: usize, problem: &str, kept: usize) {
        self.is_broken_off = true;
        self.note(&format!("broken at byte {position} ({problem}): cut after entry {kept}"));
    }

    fn note_rest(&mut self) {
        self.note("what follows the end of the feed was passed over");
    }

    fn note_entries(&mut self, seen: usize) {
        if seen > ENTRIES_MAX {
            self.list.truncate(REPAIRS_MAX - 1);
            self.note(&format!("only the first {ENTRIES_MAX} of {seen} entries were read"));
        }
    }
}

/// The first characters of something, to be shown.
fn shown(text: &str) -> String {
    text.trim().chars().take(SHOWN_CHARS_MAX).collect()
}

/// As many whole characters as fit into a number of bytes.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
