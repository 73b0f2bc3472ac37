//! JSON Feed 1.1 (jsonfeed.org/version/1.1), with the ids, dates and texts of the Atom documents.
//!
//! What JSON Feed has no place for stands in the extension `_visnyk`: of an item its source, its
//! labels by their ids, the counter, the point on the map, the rights; of the feed what was taken
//! away.

use crate::model::article::Article;
use crate::model::feed::Republish;
use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::publication::Selection;
use crate::publish::Masthead;
use crate::publish::media_type;
use crate::publish::page_of;
use crate::publish::republish_of;
use crate::publish::sheet::Sheet;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use chrono_tz::Tz;
use serde::Serialize;
use std::collections::BTreeSet;
use url::Url;

const VERSION: &str = "https://jsonfeed.org/version/1.1";

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: String,
    home_page_url: String,
    feed_url: String,
    /// Where older items are.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<&'a Url>,
    authors: [Author<'a>; 1],
    language: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _visnyk: Option<Told<'a>>,
    items: Vec<Item<'a>>,
}

/// What JSON Feed has no place for at its head.
#[derive(Serialize)]
struct Told<'a> {
    deleted: Vec<Deleted<'a>>,
}

/// An item that was taken away.
#[derive(Serialize)]
struct Deleted<'a> {
    id: &'a str,
    when: String,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a Url>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: Url,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a Url>,
    date_published: String,
    date_modified: String,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    _visnyk: Own<'a>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a Url,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

/// What JSON Feed has no place for.
#[derive(Serialize)]
struct Own<'a> {
    source: Source<'a>,
    regions: Vec<&'a str>,
    communities: Vec<&'a str>,
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    via: Vec<&'a Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<u64>,
    /// Degrees north and east.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<&'a str>,
}

#[derive(Serialize)]
struct Source<'a> {
    id: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed_url: Option<&'a Url>,
}

/// A document of a publication as JSON Feed.
#[must_use]
pub fn json(masthead: Masthead<'_>, sheet: &Sheet<'_>) -> Vec<u8> {
    let site = masthead.site;
    let selection = sheet.selection;
    let address = |path: String| format!("{}{path}.json", site.address);
    let deleted: Vec<Deleted<'_>> = sheet
        .gone()
        .map(|removed| Deleted { id: &removed.iri, when: local(removed.at, site.timezone) })
        .collect();
    let feed = Document {
        version: VERSION,
        title: masthead.heading(selection),
        home_page_url: masthead.page_address(selection),
        feed_url: address(sheet.path()),
        next_url: sheet.previous_path().map(address),
        description: masthead.subtitle(selection),
        icon: site.icon.as_ref(),
        authors: [Author { name: &site.title, url: Some(&site.address) }],
        language: &site.language,
        _visnyk: (!deleted.is_empty()).then_some(Told { deleted }),
        items: sheet.once().map(|article| item(masthead, article)).collect(),
    };
    // Texts and numbers only: there is nothing that JSON cannot carry.
    serde_json::to_vec(&feed).unwrap_or_default()
}

fn item<'a>(masthead: Masthead<'a>, article: &'a Article) -> Item<'a> {
    let republish = republish_of(masthead, article);
    let is_full = republish == Republish::Full;
    let title = article.headline();
    let lead = Some(article.lead.as_str()).filter(|lead| !lead.trim().is_empty());
    let lead = lead.filter(|lead| republish != Republish::Link && *lead != title);
    let body = Some(article.body.as_str()).filter(|body| is_full && !body.trim().is_empty());
    let point = article.point.filter(|(lat, lon)| lat.abs() <= 90.0 && lon.abs() <= 180.0);
    Item {
        id: &article.iri,
        url: page_of(masthead, article),
        title: if title.trim().is_empty() { &article.source.name } else { title },
        content_html: body,
        // One of both has to be there.
        content_text: body.is_none().then(|| lead.unwrap_or(title)),
        summary: lead.filter(|_| body.is_some()),
        image: article.image.as_ref().filter(|_| is_full).map(|image| &image.url),
        date_published: local(article.published, masthead.site.timezone),
        date_modified: local(article.updated, masthead.site.timezone),
        authors: authors(article),
        tags: tags(masthead, article),
        language: article.language().filter(|language| *language != masthead.site.language),
        attachments: if is_full { attachments(masthead, article) } else { Vec::new() },
        _visnyk: Own {
            source: Source {
                id: &article.origin.iri,
                title: &article.origin.title,
                url: article.origin.site_url.as_ref(),
                feed_url: article.origin.feed_url.as_ref(),
            },
            regions: article.labels.regions.keys().map(RegionId::as_str).collect(),
            communities: article.labels.communities.keys().map(CommunityId::as_str).collect(),
            tags: article.labels.tags.keys().map(TagId::as_str).collect(),
            via: article.via.iter().collect(),
            views: article.views,
            point: point.map(|(lat, lon)| [lat, lon]),
            rights: article.rights.as_deref(),
        },
    }
}

/// Who wrote it; where nobody is named, who published it.
fn authors(article: &Article) -> Vec<Author<'_>> {
    if article.authors.is_empty() {
        let source = &article.source;
        return vec![Author { name: &source.name, url: source.url.as_ref() }];
    }
    article
        .authors
        .iter()
        .map(|author| Author { name: &author.name, url: author.url.as_ref() })
        .collect()
}

/// The names of the labels, and the categories that are none.
fn tags(masthead: Masthead<'_>, article: &Article) -> Vec<String> {
    let labels = &article.labels;
    let regions = labels.regions.keys().map(|id| Selection::Region(id.clone()));
    let communities = labels.communities.keys().map(|id| Selection::Community(id.clone()));
    let tags = labels.tags.keys().map(|id| Selection::Tag(id.clone()));
    let named = regions.chain(communities).chain(tags).map(|label| masthead.both(&label));
    named.chain(labels.free_tags.iter().cloned()).collect()
}

/// The files; no address twice, and none that is the page, as in the Atom documents.
fn attachments<'a>(masthead: Masthead<'a>, article: &'a Article) -> Vec<Attachment<'a>> {
    let mut seen = BTreeSet::from([page_of(masthead, article)]);
    let files = article.enclosures.iter().filter(|enclosure| seen.insert(enclosure.url.clone()));
    let typed = files.map(|enclosure| Attachment {
        url: &enclosure.url,
        mime_type: media_type(enclosure),
        size_in_bytes: enclosure.length.filter(|length| *length > 0),
    });
    typed.collect()
}

fn local(instant: DateTime<Utc>, timezone: Tz) -> String {
    instant.with_timezone(&timezone).to_rfc3339_opts(SecondsFormat::Secs, false)
}
