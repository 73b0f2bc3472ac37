//! What a document said: a feed and its entries, every field optional, nothing repaired.
//!
//! Addresses are text as it was given, already made absolute where the document gives a base;
//! dates are text, since only the feed's time zone can say what instant they mean.

use crate::model::rhythm::Rhythm;
use url::Url;

/// A document after parsing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParsedFeed {
    /// The format that the document turned out to be.
    pub format: Format,
    /// The characters that the document is written in.
    pub charset: Charset,
    /// Where changes are announced (`WebSub`): Atom `link rel="hub"`, JSON `hubs`.
    pub hub: Option<String>,
    /// atom:feed/atom:id.
    pub id: Option<String>,
    /// The feed's title.
    pub title: Option<Text>,
    /// The page whose news this is: RSS `link`, Atom `link rel="alternate"`, JSON `home_page_url`.
    pub link: Option<String>,
    /// BCP 47: RSS `language`, `xml:lang`, JSON `language`.
    pub language: Option<String>,
    /// RSS `copyright`, Atom `rights`, `dc:rights`.
    pub rights: Option<String>,
    /// A small square picture: Atom `icon`, JSON `favicon`.
    pub icon: Option<String>,
    /// When the document changed, as text: Atom `updated`, RSS `lastBuildDate` or `pubDate`.
    pub updated: Option<String>,
    /// Who writes, where entries do not say: Atom `author`, RSS `managingEditor`, JSON `authors`.
    pub authors: Vec<Person>,
    /// How often to ask for it: RSS `ttl`, `skipHours`, `skipDays`, `sy:updatePeriod`.
    pub rhythm: Rhythm,
    /// The entries, in the order of the document.
    pub entries: Vec<Entry>,
    /// Whether the document broke off: the entries before the break are here, those behind it
    /// are not.
    pub is_broken_off: bool,
    /// What had to be mended before the document could be read, in words, without repetition.
    pub repairs: Vec<String>,
}

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// RSS 0.91, 0.92, 0.93, 0.94 or 2.0.
    #[default]
    Rss,
    /// RSS 0.90 or 1.0, which are RDF.
    Rdf,
    /// Atom 0.3 or 1.0.
    Atom,
    /// JSON Feed 1.0 or 1.1.
    Json,
}

impl Format {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Rdf => "RSS 1.0 (RDF)",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }
}

/// The characters that a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset {
    /// Its name, as browsers call it.
    pub name: &'static str,
    /// How that was found.
    pub by: CharsetBy,
}

impl Default for Charset {
    fn default() -> Self {
        Self { name: "UTF-8", by: CharsetBy::Bytes }
    }
}

/// How the characters of a document were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharsetBy {
    /// A byte-order mark says so.
    Mark,
    /// The bytes are valid in it, and would be in no other by chance.
    Bytes,
    /// The Content-Type header says so.
    Header,
    /// The XML declaration says so.
    Declaration,
    /// It was guessed from the bytes.
    Guess,
}

impl CharsetBy {
    /// How it was found, in words.
    #[must_use]
    pub fn told(self) -> &'static str {
        match self {
            Self::Mark => "by its byte-order mark",
            Self::Bytes => "as its bytes are",
            Self::Header => "as the Content-Type says",
            Self::Declaration => "as the XML declaration says",
            Self::Guess => "guessed from its bytes",
        }
    }
}

/// One entry, as given.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    /// RSS `guid`, Atom `id`, `rdf:about`, JSON `id`.
    pub id: Option<String>,
    /// Whether the id says of itself that it is the entry's address: a `guid` without
    /// `isPermaLink="false"`.
    pub id_is_permalink: bool,
    /// The headline.
    pub title: Option<Text>,
    /// RSS `description`, Atom `summary`, JSON `summary`.
    pub summary: Option<Text>,
    /// RSS `content:encoded`, Atom `content`, JSON `content_html` or `content_text`.
    pub content: Option<Text>,
    /// The entry's page: RSS `link`, Atom `link rel="alternate"`, JSON `url`.
    pub link: Option<String>,
    /// Other pages on the same: Atom `link rel="via"` and `rel="related"`, JSON `external_url`.
    pub related_links: Vec<String>,
    /// RSS `pubDate`, Atom `published` or `issued`, `dc:date`, JSON `date_published`, as text.
    pub published: Option<String>,
    /// Atom `updated` or `modified`, JSON `date_modified`, as text.
    pub updated: Option<String>,
    /// RSS `author`, `dc:creator`, Atom `author`, JSON `authors`.
    pub authors: Vec<Person>,
    /// RSS `category`, Atom `category`, `dc:subject`, JSON `tags`.
    pub categories: Vec<Category>,
    /// Pictures, sound and other files that come with the entry.
    pub media: Vec<Media>,
    /// Who published it first: RSS `source`, Atom `source`.
    pub source: Option<EntrySource>,
    /// BCP 47: `xml:lang` of the entry or its content, `dc:language`, JSON `language`.
    pub language: Option<String>,
    /// Atom `rights`, `dc:rights`.
    pub rights: Option<String>,
    /// `media:statistics views`.
    pub views: Option<u64>,
    /// `georss:point`: latitude and longitude in degrees.
    pub point: Option<(f64, f64)>,
    /// What relative addresses in the HTML of this entry are relative to.
    pub base: Option<Url>,
}

/// A text and what its format says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, its XML or JSON escapes undone once.
    pub value: String,
    /// What the text is.
    pub kind: TextKind,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Plain text: Atom `type="text"`, JSON `content_text`.
    Plain,
    /// HTML: Atom `type="html"` and `"xhtml"`, RSS descriptions, JSON `content_html`.
    Html,
    /// The format does not say: an RSS title is plain for some publishers and HTML for others.
    Unsaid,
}

/// Somebody who writes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name, or whatever stood in its place.
    pub name: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A page of the person.
    pub url: Option<String>,
}

/// A category: theirs and raw, not one of our tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Category {
    /// Atom `term`, or the text of an RSS `category`.
    pub term: String,
    /// Atom `scheme`, RSS `domain`.
    pub scheme: Option<String>,
    /// Atom `label`.
    pub label: Option<String>,
}

/// A file that comes with an entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Media {
    /// How the entry carries it.
    pub role: MediaRole,
    /// Where it is.
    pub url: String,
    /// The media type, as given.
    pub mime: Option<String>,
    /// The size in bytes, as given.
    pub length: Option<u64>,
    /// The width in pixels.
    pub width: Option<u32>,
    /// The height in pixels.
    pub height: Option<u32>,
    /// `media:title`, `title` of a link or attachment: what the picture shows.
    pub title: Option<String>,
    /// `media:description`: the caption.
    pub description: Option<String>,
}

/// How an entry carries a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaRole {
    /// RSS `enclosure`, Atom `link rel="enclosure"`, JSON `attachments`.
    #[default]
    Enclosure,
    /// `media:content`, JSON `image` and `banner_image`.
    Content,
    /// `media:thumbnail`.
    Thumbnail,
}

/// The source that an entry itself names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntrySource {
    /// Its title.
    pub title: Option<String>,
    /// Its page, or its feed where no page is named.
    pub url: Option<String>,
}
