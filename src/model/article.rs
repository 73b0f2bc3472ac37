//! An article: an entry after normalisation. What is stored, labelled and published.
//!
//! It is what a municipal news page shows a reader: headline, lead, text, date, views, picture
//! with its caption, tags, region, communities, source.

use crate::model::entry::Category;
use crate::model::id::ArticleId;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::RuleId;
use crate::model::id::TagId;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use url::Url;

/// An article, complete and clean.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// Stable for ever; see [`ArticleId`].
    pub id: ArticleId,
    /// The feed that it belongs to.
    pub feed: FeedId,
    /// The id in Atom and JSON Feed: the entry's own where it is an absolute IRI that no other
    /// article used first (RFC 4287, 4.2.6), else a minted `tag:` IRI. The store settles which,
    /// once; it is never computed again.
    pub iri: String,
    /// By what the article is known when it comes again.
    pub keys: Keys,
    /// The page it has at its source, `http:` or `https:`.
    pub url: Option<Url>,
    /// The headline: plain text, white space folded. Never empty.
    pub title: String,
    /// The first paragraph: plain text. Empty if there is no text at all.
    pub lead: String,
    /// The text: sanitised HTML, addresses absolute. Empty if there is none.
    pub body: String,
    /// When its source published it; frozen at first sight, never after `first_seen`.
    pub published: DateTime<Utc>,
    /// When a reader last would have seen a change; never before `published`.
    pub updated: DateTime<Utc>,
    /// When it was first polled.
    pub first_seen: DateTime<Utc>,
    /// How often a reader would have seen a change since.
    pub revision: u32,
    /// How often it was read, as its source reports.
    pub views: Option<u64>,
    /// The picture above the text.
    pub image: Option<Image>,
    /// The entry's own categories, kept so that labels can be made anew.
    pub categories: Vec<Category>,
    /// Our labels, each with its reasons.
    pub labels: Labels,
    /// Who published it: the feed, or whom the entry names.
    pub source: Source,
    /// What the feed's document said of itself when the article was taken from it.
    pub origin: Origin,
    /// Who wrote it.
    pub authors: Vec<Author>,
    /// BCP 47.
    pub language: Option<String>,
    /// Files that come with it.
    pub enclosures: Vec<Enclosure>,
    /// Other pages that the entry says it was taken from.
    pub via: Vec<Url>,
    /// Whose text it is.
    pub rights: Option<String>,
    /// `georss:point`: latitude and longitude in degrees.
    pub point: Option<(f64, f64)>,
}

/// By what an article is known when it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// Of the entry's own id; of its link where it has none; of title and date without both.
    pub entry: Digest,
    /// Of the canonical link: without scheme, `www.`, tracking parameters and fragment. The same
    /// story in two feeds has the same.
    pub link: Option<Digest>,
    /// Of the title.
    pub title: Digest,
    /// Of everything that a reader would see. The view counter is not part of it.
    pub content: Digest,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it is, `http:` or `https:`.
    pub url: Url,
    /// What it shows, for those who do not see it.
    pub alt: Option<String>,
    /// What is written below it.
    pub caption: Option<String>,
    /// The width in pixels.
    pub width: Option<u32>,
    /// The height in pixels.
    pub height: Option<u32>,
}

/// Who published an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A name. Never empty.
    pub name: String,
    /// A page.
    pub url: Option<Url>,
}

/// What a feed's document said of itself, for `atom:source` (RFC 4287, 4.2.11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its own id where that is an absolute IRI, else its address, else a minted `tag:` IRI.
    pub iri: String,
    /// Its title, as the admin wrote it. Never empty.
    pub title: String,
    /// The address that it is polled at; none for a file.
    pub feed_url: Option<Url>,
    /// The page whose news it is.
    pub site_url: Option<Url>,
    /// A small square picture.
    pub icon: Option<Url>,
    /// Whose texts these are.
    pub rights: Option<String>,
    /// When it last changed, as it says.
    pub updated: Option<DateTime<Utc>>,
}

/// Who wrote an article. An address of electronic mail is not carried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// A name. Never empty.
    pub name: String,
    /// A page.
    pub url: Option<Url>,
}

/// A file that comes with an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosure {
    /// Where it is, `http:` or `https:`.
    pub url: Url,
    /// The media type, such as `audio/mpeg`.
    pub mime: Option<String>,
    /// The size in bytes.
    pub length: Option<u64>,
}

/// Our labels on an article, each with the reasons why it is there, and what else is decided by
/// feeds.toml and the text, and so may be decided anew. No label is without a reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Where it belongs.
    pub regions: BTreeMap<RegionId, Vec<Reason>>,
    /// Where it belongs, more closely.
    pub communities: BTreeMap<CommunityId, Vec<Reason>>,
    /// What it is about.
    pub tags: BTreeMap<TagId, Vec<Reason>>,
    /// The categories that are no label of ours, and say something.
    pub free_tags: Vec<String>,
    /// The language of the text (BCP 47), where that can be told.
    pub language: Option<String>,
    /// The headline as a rule of feeds.toml has it.
    pub headline: Option<String>,
    /// The rule that keeps the article out of all publications.
    pub excluded_by: Option<RuleId>,
}

/// Why a label is on an article, and how much that counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Why.
    pub why: Why,
    /// How much it counts; see `classify` for what is enough.
    pub points: u16,
}

/// Why a label is on an article.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// feeds.toml says it of the whole feed.
    Feed,
    /// The entry has this category, which is a name or an alias of the label.
    Category {
        /// The category's term, as given.
        term: String,
    },
    /// The text says so in these words.
    Words {
        /// Where.
        field: Field,
        /// The words, as they stand there.
        words: String,
    },
    /// The article is labelled with a community of this region.
    Community(CommunityId),
    /// A rule of feeds.toml says so.
    Rule(RuleId),
    /// The article's page is at a host whose name is the region's.
    Host(String),
    /// The entry lies at this point of the map.
    Point(String),
}

/// A part of an article in which words are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The headline.
    Title,
    /// The first paragraph.
    Lead,
    /// The text below.
    Body,
    /// A category.
    Category,
}

impl Labels {
    /// Of all that a subscriber would notice; not of the reasons, which may be worded anew.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let regions = self.regions.keys().map(RegionId::as_str);
        let communities = self.communities.keys().map(CommunityId::as_str);
        let tags = self.tags.keys().map(TagId::as_str);
        let free = self.free_tags.iter().map(String::as_str);
        let rest = [
            self.language.as_deref(),
            self.headline.as_deref(),
            self.excluded_by.as_ref().map(RuleId::as_str),
        ];
        let parts = regions.chain([""]).chain(communities).chain([""]).chain(tags);
        let parts = parts.chain([""]).chain(free);
        let rest = rest.into_iter().flat_map(|part| ["", part.unwrap_or_default()]);
        Digest::of(parts.chain(rest).collect::<Vec<_>>())
    }
}

impl Article {
    /// The headline that readers see.
    #[must_use]
    pub fn headline(&self) -> &str {
        self.labels.headline.as_deref().unwrap_or(&self.title)
    }

    /// The language that readers are told (BCP 47): that of the text, else what its source says.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        self.labels.language.as_deref().or(self.language.as_deref())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An article with something in every place that later forms brought.
    pub(crate) fn article() -> Article {
        let at = DateTime::from_timestamp(1_688_382_960, 0).unwrap();
        let digest = Digest([7; 16]);
        let why = vec![Reason { why: Why::Feed, points: 100 }];
        Article {
            id: ArticleId(digest),
            feed: FeedId::new("city").unwrap(),
            iri: "urn:1".to_owned(),
            keys: Keys { entry: digest, link: None, title: digest, content: digest },
            url: None,
            title: "Новина".to_owned(),
            lead: "Перший абзац.".to_owned(),
            body: "<p>Перший абзац.</p>".to_owned(),
            published: at,
            updated: at,
            first_seen: at,
            revision: 3,
            views: Some(5),
            image: None,
            categories: Vec::new(),
            labels: Labels {
                tags: BTreeMap::from([("a".parse().unwrap(), why)]),
                language: Some("uk".to_owned()),
                ..Labels::default()
            },
            source: Source { name: "Місто".to_owned(), url: None },
            origin: Origin {
                iri: "urn:city".to_owned(),
                title: "Місто".to_owned(),
                feed_url: None,
                site_url: None,
                icon: None,
                rights: None,
                updated: Some(at),
            },
            authors: Vec::new(),
            language: None,
            enclosures: Vec::new(),
            via: Vec::new(),
            rights: None,
            point: None,
        }
    }
}
