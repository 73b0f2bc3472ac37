//! Entry to article: the only door between what a document said and what is ours.
//!
//! # Why
//! Whatever a publisher left out or wrote oddly is settled here, once and visibly: an entry
//! without title, date, id or link still becomes an article. What cannot be one is
//! [`Rejected`], with the reason.
//!
//! Never here: the store, the clock. The same entry at two times has the same id.

pub mod dates;
pub mod evidence;
pub mod html;
pub mod identity;
pub(crate) mod image;
pub(crate) mod origin;
pub mod provenance;
pub(crate) mod seen;
pub mod text;

use crate::model::article::Article;
use crate::model::article::Keys;
use crate::model::article::Labels;
use crate::model::entry::Entry;
use crate::model::entry::ParsedFeed;
use crate::model::entry::TextKind;
use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::normalize::identity::Counts;
use chrono::DateTime;
use chrono::Utc;
use url::Url;

/// How long a title made from the text may be, in graphemes.
const MADE_TITLE_GRAPHEMES_MAX: usize = 80;
/// How many pages an article may be taken from.
const VIA_MAX: usize = 16;

/// What is the same for all entries of a document.
#[derive(Debug)]
pub struct Frame<'a> {
    feed: &'a Feed,
    parsed: &'a ParsedFeed,
    document_url: &'a Url,
    now: DateTime<Utc>,
    site: Option<Url>,
    counts: Counts,
}

impl<'a> Frame<'a> {
    /// Of a document that was found at `document_url` at last.
    #[must_use]
    pub fn new(
        feed: &'a Feed,
        parsed: &'a ParsedFeed,
        document_url: &'a Url,
        now: DateTime<Utc>,
    ) -> Self {
        let site = parsed.link.as_deref().and_then(|link| web(link, Some(document_url)));
        let mut frame = Self { feed, parsed, document_url, now, site, counts: Counts::default() };
        frame.counts = Counts::of(parsed, |entry| frame.link(entry));
        frame
    }

    /// Whether the entry at a place of the document is an earlier one again.
    #[must_use]
    pub fn is_repetition(&self, place: usize) -> bool {
        self.counts.is_repetition(place)
    }

    /// Whether a canonical link can be an entry's own: not the home page, nor another's.
    fn is_own(&self, link: &str) -> bool {
        let home = self.site.as_ref().map(identity::canonical);
        link.contains(['/', '?', '#'])
            && home.as_deref() != Some(link)
            && self.counts.link_is_single(link)
    }

    /// What relative addresses of an entry are relative to.
    fn base(&self, entry: &Entry) -> Option<Url> {
        let given = entry.base.clone().filter(is_web);
        given
            .or_else(|| self.site.clone())
            .or_else(|| Some(self.document_url.clone()).filter(is_web))
    }

    /// The entry's page: its link, else an id that says it is one.
    fn link(&self, entry: &Entry) -> Option<Url> {
        let base = self.base(entry);
        let link = entry.link.as_deref().and_then(|link| web(link, base.as_ref()));
        link.or_else(|| {
            entry.id.as_deref().filter(|_| entry.id_is_permalink).and_then(|id| web(id, None))
        })
    }
}

/// An entry that cannot be an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The entry's title or id.
    pub what: String,
    /// Why.
    pub reason: String,
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// An `http:` or `https:` address, made absolute; no other scheme.
fn web(given: &str, base: Option<&Url>) -> Option<Url> {
    let given = given.trim();
    if given.is_empty() || given.len() > 8 * 1024 {
        return None;
    }
    let absolute = match base.filter(|base| is_web(base)) {
        Some(base) => base.join(given),
        None if given.starts_with("//") => Url::parse(&format!("https:{given}")),
        None => Url::parse(given),
    };
    let mut url = absolute.ok().filter(is_web)?;
    // A user name and a password are nobody's to pass on.
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url)
}

/// The article that an entry is.
///
/// # Errors
/// The entry has neither a title, nor a text, nor a link.
pub fn article(frame: &Frame<'_>, entry: &Entry) -> Result<Article, Rejected> {
    let (feed, now) = (frame.feed, frame.now);
    let base = frame.base(entry);
    let url = frame.link(entry);
    let absolute = |given: &str| web(given, base.as_ref());
    let body_base =
        entry.base.clone().filter(is_web).or_else(|| url.clone()).or_else(|| base.clone());
    let body = body(entry, body_base.as_ref());
    let given = entry.title.as_ref().map(text::plain).unwrap_or_default();
    let lead = lead(entry, &body, &given);
    let title = title(&given, &lead, &body, url.as_ref()).ok_or_else(|| Rejected {
        what: text::bounded(&text::fold(entry.id.as_deref().unwrap_or("entry without id")), 120),
        reason: "it has neither a title, nor a text, nor a link".to_owned(),
    })?;
    let date = |given: &Option<String>| {
        given.as_deref().and_then(|text| dates::date(text, feed.timezone, now))
    };
    let updated = date(&entry.updated);
    let published = date(&entry.published).or(updated).unwrap_or(now).min(now);
    let image = image::image(entry, &body, &title, absolute);
    let canonical = url.as_ref().map(identity::canonical);
    let single = canonical.as_deref().filter(|link| frame.is_own(link));
    let key = identity::key(entry, &frame.counts, single);
    let id = ArticleId::of(&feed.id, &key);
    let own_id = identity::own_id(entry).filter(|id| frame.counts.id_is_single(id));
    let iri = own_id.and(entry.id.as_deref()).map(str::trim);
    let iri = iri.and_then(identity::iri).map(str::to_owned);
    let enclosures = image::enclosures(entry, absolute);
    let authors = origin::authors(frame, entry);
    let names = authors.iter().map(|author| author.name.clone());
    let files = enclosures.iter().map(|file| seen::address(&file.url, url.as_ref()));
    let beside: Vec<String> = names.chain(files).collect();
    let keys = Keys {
        entry: Digest::of([key.as_str()]),
        link: single.map(|link| Digest::of([link])),
        title: Digest::of([title.as_str()]),
        content: seen::digest(&title, &lead, &body, image.as_ref(), url.as_ref(), &beside),
    };
    let mut via: Vec<Url> = entry.related_links.iter().filter_map(|link| absolute(link)).collect();
    via.truncate(VIA_MAX);
    let source = origin::source(frame, entry, &body);
    let language = origin::language(frame, entry, &[&title, &lead]);
    Ok(Article {
        id,
        feed: feed.id.clone(),
        iri: iri.unwrap_or_else(|| feed.tagging.mint_article(&feed.id, id)),
        keys,
        enclosures,
        authors,
        categories: origin::categories(entry),
        origin: origin::origin(frame),
        rights: entry.rights.as_deref().and_then(origin::rights),
        url,
        title,
        lead,
        body,
        published,
        updated: updated.unwrap_or(published).min(now).max(published),
        first_seen: now,
        revision: 0,
        views: entry.views,
        image,
        labels: Labels::default(),
        source,
        language,
        via,
        point: entry.point,
    })
}

fn body(entry: &Entry, base: Option<&Url>) -> String {
    let text = entry.content.as_ref().filter(|text| !text.value.trim().is_empty());
    let Some(text) = text.or(entry.summary.as_ref()) else {
        return String::new();
    };
    match text.kind {
        TextKind::Html => html::clean(&text.value, base),
        TextKind::Unsaid if html::looks_like_html(&text.value) => html::clean(&text.value, base),
        TextKind::Unsaid | TextKind::Plain => html::paragraphs(&text.value),
    }
}

fn lead(entry: &Entry, body: &str, title: &str) -> String {
    let summary = entry.summary.as_ref().map(text::plain).unwrap_or_default();
    let summary = text::without_tail(&summary);
    // A summary of several paragraphs is the whole text.
    let whole = entry.content.is_none() && body.matches("<p>").count() > 1;
    let lead = if summary.is_empty() || summary == title || whole {
        paragraphs(body).into_iter().find(|words| words != title).unwrap_or_default()
    } else {
        summary.to_owned()
    };
    text::bounded(&lead, text::LEAD_GRAPHEMES_MAX)
}

/// The texts of the paragraphs of a sanitised body; the whole, if it has none.
fn paragraphs(body: &str) -> Vec<String> {
    let parts = body.split("<p>").map(|part| part.split("</p>").next().unwrap_or(part));
    parts.map(text::of_html).filter(|words| !words.is_empty()).collect()
}

fn title(given: &str, lead: &str, body: &str, url: Option<&Url>) -> Option<String> {
    if !given.is_empty() {
        return Some(text::bounded(given, text::TITLE_GRAPHEMES_MAX));
    }
    let words = if lead.is_empty() { text::of_html(body) } else { lead.to_owned() };
    if !words.is_empty() {
        return Some(text::bounded(&words, MADE_TITLE_GRAPHEMES_MAX));
    }
    let url = url?;
    let file = url.path_segments().and_then(|parts| parts.rev().find(|part| !part.is_empty()));
    let name = text::fold(file.or_else(|| url.host_str())?);
    Some(text::bounded(&name, MADE_TITLE_GRAPHEMES_MAX)).filter(|name| !name.is_empty())
}
