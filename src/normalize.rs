//! Entry to article: the only door between what a document said and what is ours.
//!
//! # What is decided here
//! Text is plain or sanitised, addresses are absolute and of the web, dates are instants, and
//! what is missing is made up by rule: a title from the text, a lead from the first paragraph, a
//! date from the moment of the poll, an id from the link. An entry that has neither title nor
//! text nor link is rejected, with the reason.
//!
//! Never here: labels, which are for `classify`; and what was known before, which is for `merge`.

pub mod dates;
pub mod html;
pub mod identity;
pub mod image;
pub mod source;
pub mod text;

use crate::model::article::Article;
use crate::model::article::Labels;
use crate::model::article::Origin;
use crate::model::article::Source;
use crate::model::entry::Category;
use crate::model::entry::Entry;
use crate::model::entry::ParsedFeed;
use crate::model::entry::Text;
use crate::model::entry::TextKind;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::normalize::dates::date;
use crate::normalize::html::clean;
use crate::normalize::html::from_plain;
use crate::normalize::html::paragraphs;
use crate::normalize::identity::Repeated;
use crate::normalize::identity::Seen;
use crate::normalize::identity::canonical;
use crate::normalize::identity::entry_key;
use crate::normalize::identity::iri;
use crate::normalize::identity::is_iri;
use crate::normalize::identity::keys;
use crate::normalize::image::enclosures;
use crate::normalize::image::image;
use crate::normalize::source::attribution;
use crate::normalize::source::authors;
use crate::normalize::source::language_of;
use crate::normalize::source::language_tag;
use crate::normalize::text::cut;
use crate::normalize::text::plain;
use chrono::DateTime;
use chrono::Utc;
use url::Url;

const TITLE_GRAPHEMES_MAX: usize = 512;
const MADE_TITLE_GRAPHEMES_MAX: usize = 80;
const LEAD_GRAPHEMES_MAX: usize = 500;
const RIGHTS_GRAPHEMES_MAX: usize = 500;
const CATEGORIES_MAX: usize = 64;
const CATEGORY_GRAPHEMES_MAX: usize = 100;
const VIA_MAX: usize = 8;

/// How a summary ends that was cut by the site's software, and where the cut begins.
const CUT_MARKS: [&str; 9] = [
    "[…]", "[...]", "[&#8230;]", "Читати далі", "Читати повністю", "Читайте більше", "Детальніше »",
    "Continue reading", "Read more",
];

/// What is the same for all entries of a document.
#[derive(Debug)]
pub struct Frame<'a> {
    feed: &'a Feed,
    parsed: &'a ParsedFeed,
    now: DateTime<Utc>,
    /// The page whose news it is.
    site: Option<Url>,
    /// What relative addresses are relative to, where an entry has nothing nearer.
    base: Option<Url>,
    repeated: Repeated,
}

/// An entry that could not become an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What of it there is to know it by.
    pub what: String,
    /// Why not.
    pub reason: String,
}

impl<'a> Frame<'a> {
    /// The frame of a document that was found at `document_url` at the instant `now`.
    #[must_use]
    pub fn new(
        feed: &'a Feed,
        parsed: &'a ParsedFeed,
        document_url: &Url,
        now: DateTime<Utc>,
    ) -> Self {
        let document = web(document_url.clone());
        let site = parsed.link.as_deref().and_then(|link| web_address(link, document.as_ref()));
        let base = document.or_else(|| site.clone());
        let mut frame = Self { feed, parsed, now, site, base, repeated: Repeated::default() };
        let links = |entry: &'a Entry| frame.page_of(entry).map(|url| canonical(&url));
        let entries = parsed.entries.iter().map(|entry| (entry, links(entry)));
        frame.repeated = Repeated::among(entries, frame.site.as_ref());
        frame
    }

    /// The entry's page: its link, else an id that says of itself that it is the page.
    fn page_of(&self, entry: &Entry) -> Option<Url> {
        let base = entry.base.as_ref().or(self.base.as_ref());
        let link = entry.link.as_deref().and_then(|link| web_address(link, base));
        let permalink = entry.id.as_deref().filter(|_| entry.id_is_permalink);
        link.or_else(|| permalink.and_then(|id| web_address(id, None)))
    }

    /// The instant that a date means; none if it says none, or one that has not come yet.
    fn instant(&self, text: Option<&str>) -> Option<DateTime<Utc>> {
        date(text?, self.feed.timezone, self.now).filter(|instant| *instant <= self.now)
    }

    fn origin(&self) -> Origin {
        let feed_url = match &self.feed.address {
            Address::Http(url) => Some(url.clone()),
            Address::File(_) => None,
        };
        let own = self.parsed.id.as_deref().map(str::trim).filter(|id| is_iri(id));
        let minted = || self.feed.tagging.mint(&format!("feeds/{}", self.feed.id));
        let address = || feed_url.as_ref().map(ToString::to_string);
        let icon = self.parsed.icon.as_deref();
        let rights = self.parsed.rights.as_deref();
        Origin {
            iri: own.map(str::to_owned).or_else(address).unwrap_or_else(minted),
            title: self.feed.title.clone(),
            site_url: self.site.clone(),
            icon: icon.and_then(|icon| web_address(icon, self.base.as_ref())),
            rights: rights.and_then(|rights| short(rights, RIGHTS_GRAPHEMES_MAX)),
            feed_url,
        }
    }
}

/// The article that an entry becomes, without labels.
///
/// # Errors
/// The entry has neither a title nor a text nor a link.
pub fn article(frame: &Frame<'_>, entry: &Entry) -> Result<Article, Rejected> {
    let url = frame.page_of(entry);
    let base = entry.base.as_ref().or(url.as_ref()).or(frame.base.as_ref());
    let body = body_of(entry, base);
    let texts = paragraphs(&body);
    let given_title = entry.title.as_ref().map(|title| plain(&title.value, title.kind));
    let given_title = given_title.filter(|title| !title.is_empty());
    let lead = lead_of(entry, &texts, given_title.as_deref());
    let title = given_title
        .map(|title| cut(&title, TITLE_GRAPHEMES_MAX))
        .or_else(|| (!lead.is_empty()).then(|| cut(&lead, MADE_TITLE_GRAPHEMES_MAX)))
        .or_else(|| url.as_ref().map(name_of_page))
        .ok_or_else(|| reject(entry))?;

    let link = url.as_ref().map(canonical);
    let key = entry_key(entry, link.as_deref(), &title, &frame.repeated);
    let id = ArticleId::of(&frame.feed.id, &key);
    let image = image(&entry.media, &body, &title, base);
    let seen = Seen {
        title: &title,
        lead: &lead,
        body: &body,
        body_text: &plain(&body, TextKind::Html),
        image: image.as_ref(),
        link: link.as_deref(),
    };
    let keys = keys(&key, link.as_deref(), &seen, &frame.repeated);

    let told_updated = frame.instant(entry.updated.as_deref());
    let told_published = frame.instant(entry.published.as_deref());
    let published = told_published.or(told_updated).unwrap_or(frame.now);
    let rights = entry.rights.as_deref().or(frame.parsed.rights.as_deref());
    Ok(Article {
        id,
        feed: frame.feed.id.clone(),
        iri: iri(frame.feed, id, entry, &frame.repeated),
        keys,
        published,
        updated: told_updated.unwrap_or(published).max(published),
        first_seen: frame.now,
        revision: 0,
        views: entry.views,
        image,
        categories: categories(entry),
        labels: Labels::default(),
        source: source(frame, entry, &texts, base),
        origin: frame.origin(),
        authors: authors_of(frame, entry, base),
        language: language(frame, entry, &title, &lead),
        enclosures: enclosures(&entry.media, base),
        via: via(entry, base, url.as_ref()),
        rights: rights.and_then(|rights| short(rights, RIGHTS_GRAPHEMES_MAX)),
        point: entry.point.filter(|(latitude, longitude)| {
            latitude.abs() <= 90.0 && longitude.abs() <= 180.0
        }),
        url,
        title,
        lead,
        body,
    })
}

/// The text: the content, else the summary.
fn body_of(entry: &Entry, base: Option<&Url>) -> String {
    let has_text = |text: &&Text| !text.value.trim().is_empty();
    let content = entry.content.as_ref().filter(has_text);
    let Some(text) = content.or(entry.summary.as_ref().filter(has_text)) else {
        return String::new();
    };
    let is_html = match text.kind {
        TextKind::Html => true,
        TextKind::Plain => false,
        TextKind::Unsaid => text.value.contains('<'),
    };
    if is_html { clean(&text.value, base) } else { from_plain(&plain_lines(&text.value)) }
}

/// A plain text, its lines kept.
fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line, TextKind::Plain)).collect::<Vec<_>>().join("\n")
}

/// The summary, unless it only repeats the title; else the first paragraph that does not.
fn lead_of(entry: &Entry, texts: &[String], title: Option<&str>) -> String {
    let says_more = |text: &String| !text.is_empty() && Some(text.as_str()) != title;
    let summary = entry.summary.as_ref().map(|summary| without_cut(&plain(&summary.value, summary.kind)));
    let first = || texts.iter().find(|text| says_more(text)).cloned();
    let lead = summary.filter(says_more).or_else(first).unwrap_or_default();
    cut(&lead, LEAD_GRAPHEMES_MAX)
}

/// A summary without "[…] Читати далі" and "The post … appeared first on …".
fn without_cut(summary: &str) -> String {
    let mut kept = summary;
    if summary.contains(" appeared first on ")
        && let Some(at) = summary.rfind("The post ")
    {
        kept = &summary[..at];
    }
    let mut was = "";
    while was != kept {
        was = kept;
        kept = kept.trim_end();
        for mark in CUT_MARKS {
            kept = kept.strip_suffix(mark).unwrap_or(kept).trim_end();
        }
    }
    // What was cut in the middle says so.
    if summary.len() > kept.len() && !kept.is_empty() && !kept.ends_with(['.', '!', '?', '…', '»']) {
        return format!("{kept}…");
    }
    kept.to_owned()
}

/// A title for a page that has none: the last part of its path, else its host.
fn name_of_page(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    cut(last.or(url.host_str()).unwrap_or_default(), MADE_TITLE_GRAPHEMES_MAX)
}

fn reject(entry: &Entry) -> Rejected {
    let what = match entry.id.as_deref().or(entry.link.as_deref()) {
        Some(id) => format!("`{}`", cut(&plain(id, TextKind::Plain), MADE_TITLE_GRAPHEMES_MAX)),
        None => "an entry without an id".to_owned(),
    };
    Rejected { what, reason: "it has neither a title nor a text nor a link".to_owned() }
}

fn categories(entry: &Entry) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::new();
    for given in &entry.categories {
        let Some(term) = short(&given.term, CATEGORY_GRAPHEMES_MAX) else { continue };
        let label = given.label.as_deref().and_then(|label| short(label, CATEGORY_GRAPHEMES_MAX));
        let scheme = given.scheme.as_deref().and_then(|scheme| short(scheme, CATEGORY_GRAPHEMES_MAX));
        let category = Category { term, scheme, label };
        if categories.len() < CATEGORIES_MAX && !categories.contains(&category) {
            categories.push(category);
        }
    }
    categories
}

/// The entry's own source; else whom the text names; else the feed.
fn source(frame: &Frame<'_>, entry: &Entry, texts: &[String], base: Option<&Url>) -> Source {
    let own = entry.source.as_ref().and_then(|source| {
        let name = short(source.title.as_deref()?, CATEGORY_GRAPHEMES_MAX)?;
        Some(Source { name, url: source.url.as_deref().and_then(|url| web_address(url, base)) })
    });
    own.or_else(|| attribution(texts))
        .unwrap_or_else(|| Source { name: frame.feed.title.clone(), url: frame.site.clone() })
}

fn authors_of(
    frame: &Frame<'_>,
    entry: &Entry,
    base: Option<&Url>,
) -> Vec<crate::model::article::Author> {
    let own = authors(&entry.authors, |url| web_address(url, base));
    if own.is_empty() { authors(&frame.parsed.authors, |url| web_address(url, base)) } else { own }
}

/// The entry's own word; else its letters, since sites leave their software's `en-US` in place;
/// else the document's word; else the admin's.
fn language(frame: &Frame<'_>, entry: &Entry, title: &str, lead: &str) -> Option<String> {
    let tag = |given: &Option<String>| given.as_deref().and_then(language_tag);
    tag(&entry.language)
        .or_else(|| language_of(&format!("{title} {lead}")))
        .or_else(|| tag(&frame.parsed.language))
        .or_else(|| tag(&frame.feed.language))
}

fn via(entry: &Entry, base: Option<&Url>, page: Option<&Url>) -> Vec<Url> {
    let mut via: Vec<Url> = Vec::new();
    for url in entry.related_links.iter().filter_map(|link| web_address(link, base)) {
        if via.len() < VIA_MAX && Some(&url) != page && !via.contains(&url) {
            via.push(url);
        }
    }
    via
}

fn short(text: &str, graphemes_max: usize) -> Option<String> {
    let text = plain(text, TextKind::Unsaid);
    (!text.is_empty()).then(|| cut(&text, graphemes_max))
}

/// An address of the web, made absolute; none for `javascript:`, `data:`, `file:` and the like.
fn web_address(given: &str, base: Option<&Url>) -> Option<Url> {
    let given = given.trim();
    if given.is_empty() {
        return None;
    }
    let url = match base {
        Some(base) => base.join(given).ok()?,
        None => Url::parse(given).ok()?,
    };
    web(url)
}

/// The same address if it is one of the web, without a user name and a password.
fn web(mut url: Url) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}
