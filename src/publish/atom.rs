//! Atom documents (RFC 4287), valid to the last warning.
//!
//! `atom_syndication` writes what it is given: it does not ask whether XML can carry a character,
//! and it writes the attribute values of extensions without escaping them. Every text goes
//! through [`xml_text`], and every such value through `attributes`.

pub mod events;

use crate::model::article::Article;
use crate::model::article::Image;
use crate::model::feed::Republish;
use crate::model::publication::Selection;
use crate::publish::Masthead;
use crate::publish::media_type;
use crate::publish::page_of;
use crate::publish::republish_of;
use crate::publish::sheet::Sheet;
use crate::publish::xml_text;
use atom_syndication::Category;
use atom_syndication::Content;
use atom_syndication::Entry;
use atom_syndication::Feed;
use atom_syndication::FixedDateTime;
use atom_syndication::Generator;
use atom_syndication::Link;
use atom_syndication::Person;
use atom_syndication::Source;
use atom_syndication::Text;
use atom_syndication::extension::Extension;
use chrono::DateTime;
use chrono::SubsecRound;
use chrono::Utc;
use chrono_tz::Tz;
use quick_xml::escape::escape;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use url::Url;

const MEDIA: (&str, &str) = ("media", "http://search.yahoo.com/mrss/");
const GEORSS: (&str, &str) = ("georss", "http://www.georss.org/georss");
const HISTORY: (&str, &str) = ("fh", "http://purl.org/syndication/history/1.0");
const TOMBSTONES: (&str, &str) = ("at", "http://purl.org/atompub/tombstones/1.0");
const HTML: &str = "text/html";
const ATOM: &str = "application/atom+xml";
/// Where the software is described. No version beside it: a new build must not change documents.
const GENERATOR_URI: &str = env!("CARGO_PKG_HOMEPAGE");

/// A document of a publication as Atom.
#[must_use]
pub fn atom(masthead: Masthead<'_>, sheet: &Sheet<'_>) -> Vec<u8> {
    let site = masthead.site;
    let selection = sheet.selection;
    let (extensions, prefixes) = of_feed(masthead, sheet);
    let feed = Feed {
        title: text(&masthead.heading(selection), None),
        id: xml_text(&site.tagging.mint(&format!("/{}", selection.path()))).into_owned(),
        updated: local(sheet.updated(masthead), site.timezone),
        authors: vec![site_author(masthead)],
        generator: Some(generator()),
        icon: site.icon.as_ref().map(Url::to_string),
        links: feed_links(masthead, sheet),
        rights: site.rights.as_deref().map(|rights| text(rights, None)),
        subtitle: Some(text(&masthead.subtitle(selection), None)),
        entries: sheet.once().map(|article| entry(masthead, article)).collect(),
        namespaces: prefixes.into_iter().map(|(p, uri)| (p.to_owned(), uri.to_owned())).collect(),
        extensions,
        lang: language(&site.language),
        ..Feed::default()
    };
    written(&feed)
}

/// Where the document is, and how the others of its publication are reached (RFC 5005, section 4).
/// A page has no link to the one after it: it would change when that is closed.
fn feed_links(masthead: Masthead<'_>, sheet: &Sheet<'_>) -> Vec<Link> {
    let site = &masthead.site.address;
    let address = |path: String| format!("{site}{path}.atom");
    let mut links = vec![
        link("self", &address(sheet.path()), Some(ATOM)),
        link("alternate", &masthead.page_address(sheet.selection), Some(HTML)),
    ];
    if sheet.number.is_some() {
        links.push(link("current", &masthead.atom_address(sheet.selection), Some(ATOM)));
    }
    if let Some(previous) = sheet.previous_path() {
        links.push(link("prev-archive", &address(previous), Some(ATOM)));
    }
    links
}

/// What stands beside the entries, and the prefixes of the document: that it is a page of an
/// archive (RFC 5005, section 4), and what was taken away (RFC 6721).
fn of_feed(
    masthead: Masthead<'_>,
    sheet: &Sheet<'_>,
) -> (Extensions, Vec<(&'static str, &'static str)>) {
    let mut extensions = Vec::new();
    let mut prefixes = vec![MEDIA, GEORSS];
    if sheet.number.is_some() {
        prefixes.push(HISTORY);
        extensions.push(element("fh:archive", []));
    }
    let deleted: Vec<Extension> = sheet
        .gone()
        .map(|removed| {
            let when = local(removed.at, masthead.site.timezone).to_rfc3339();
            element("at:deleted-entry", [("ref", removed.iri.clone()), ("when", when)])
        })
        .collect();
    if !deleted.is_empty() {
        prefixes.push(TOMBSTONES);
        extensions.extend(deleted);
    }
    (by_prefix(extensions), prefixes)
}

fn written(feed: &Feed) -> Vec<u8> {
    let head = br#"<?xml version="1.0" encoding="utf-8"?>"#;
    let config =
        atom_syndication::WriteConfig { write_document_declaration: false, indent_size: None };
    let mut document = head.to_vec();
    document.push(b'\n');
    let end = feed.write_with_config(document, config);
    end.expect("memory takes every byte that is written to it")
}

fn entry(masthead: Masthead<'_>, article: &Article) -> Entry {
    let site = masthead.site;
    let republish = republish_of(masthead, article);
    let lang = article.language().and_then(language);
    let lang = lang.filter(|lang| *lang != site.language);
    let title = text(&named(article.headline(), &article.source.name), lang.clone());
    let lead = xml_text(&article.lead);
    let lead = (republish != Republish::Link && !lead.trim().is_empty() && lead != title.value)
        .then(|| text(&lead, lang.clone()));
    let content =
        (republish == Republish::Full && !article.body.trim().is_empty()).then(|| Content {
            lang: lang.clone(),
            value: Some(xml_text(&article.body).into_owned()),
            content_type: Some("html".to_owned()),
            ..Content::default()
        });
    // RFC 4287, 4.1.1.1: an entry should have one text besides its title, were it the same.
    let summary = lead.or_else(|| content.is_none().then(|| title.clone()));
    Entry {
        title,
        id: xml_text(&article.iri).into_owned(),
        updated: local(article.updated, site.timezone),
        authors: authors(article),
        categories: categories(masthead, article),
        links: links(masthead, article, republish),
        published: Some(local(article.published, site.timezone)),
        rights: article.rights.as_deref().map(|rights| text(rights, None)),
        source: Some(source(article, site.timezone)),
        summary,
        content,
        extensions: extensions(article, republish),
        ..Entry::default()
    }
}

fn site_author(masthead: Masthead<'_>) -> Person {
    let contact = masthead.site.contact.as_deref().map(|contact| xml_text(contact).into_owned());
    let is_page = |contact: &String| Url::parse(contact).is_ok_and(|url| url.has_host());
    let is_mail = |contact: &String| !is_page(contact) && contact.contains('@');
    Person {
        name: named(&masthead.site.title, masthead.site.address.as_str()),
        email: contact.clone().filter(is_mail),
        uri: contact.filter(is_page),
        ..Person::default()
    }
}

fn generator() -> Generator {
    let uri = (!GENERATOR_URI.is_empty()).then(|| GENERATOR_URI.to_owned());
    Generator { value: "Visnyk".to_owned(), uri, version: None }
}

/// RFC 4287, 4.2.1: who wrote it; where nobody is named, who published it.
fn authors(article: &Article) -> Vec<Person> {
    let person = |name: &str, url: Option<&Url>| Person {
        name: named(name, article.feed.as_str()),
        uri: url.map(Url::to_string),
        ..Person::default()
    };
    if article.authors.is_empty() {
        return vec![person(&article.source.name, article.source.url.as_ref())];
    }
    article.authors.iter().map(|author| person(&author.name, author.url.as_ref())).collect()
}

fn categories(masthead: Masthead<'_>, article: &Article) -> Vec<Category> {
    let labels = &article.labels;
    let category = |scheme: &str, term: &str, selection: Selection| Category {
        term: term.to_owned(),
        scheme: Some(format!("{}{scheme}", masthead.site.address)),
        label: Some(xml_text(&masthead.both(&selection)).into_owned()),
    };
    let regions = labels.regions.keys();
    let communities = labels.communities.keys();
    let tags = labels.tags.keys();
    regions
        .map(|id| category("regions", id.as_str(), Selection::Region(id.clone())))
        .chain(
            communities
                .map(|id| category("communities", id.as_str(), Selection::Community(id.clone()))),
        )
        .chain(tags.map(|id| category("tags", id.as_str(), Selection::Tag(id.clone()))))
        .chain(labels.free_tags.iter().map(|free| free_category(free)))
        .collect()
}

/// A category that is no label of ours goes on as it came.
fn free_category(term: &str) -> Category {
    Category { term: xml_text(term).into_owned(), scheme: None, label: None }
}

/// One page, the files, and where the article was before; no address twice.
fn links(masthead: Masthead<'_>, article: &Article, republish: Republish) -> Vec<Link> {
    // RFC 4287, 4.1.1: an entry without content needs one.
    let page = page_of(masthead, article).to_string();
    let mut links = vec![link("alternate", &page, Some(HTML))];
    let mut seen = BTreeSet::from([page]);
    if republish == Republish::Full {
        for enclosure in &article.enclosures {
            let is_new = links.iter().all(|link| link.href != enclosure.url.as_str());
            if is_new {
                let mime = media_type(enclosure);
                links.push(Link {
                    length: enclosure.length.filter(|length| *length > 0).map(|l| l.to_string()),
                    ..link("enclosure", enclosure.url.as_str(), Some(mime))
                });
            }
        }
    }
    for url in article.via.iter().chain(article.source.url.as_ref()) {
        if seen.insert(url.to_string()) {
            links.push(link("via", url.as_str(), None));
        }
    }
    links
}

/// RFC 4287, 4.2.11. The source's name stands there as its author, since its title is the feed's.
fn source(article: &Article, timezone: Tz) -> Source {
    let origin = &article.origin;
    let own = origin.feed_url.as_ref().map(|url| link("self", url.as_str(), None));
    let page = origin.site_url.as_ref().map(|url| link("alternate", url.as_str(), Some(HTML)));
    Source {
        title: text(&named(&origin.title, article.feed.as_str()), None),
        id: xml_text(&origin.iri).into_owned(),
        // Of a feed that does not say when it changed it is known that it did with this entry.
        updated: local(origin.updated.unwrap_or(article.updated), timezone),
        authors: vec![Person {
            name: named(&article.source.name, article.feed.as_str()),
            uri: article.source.url.as_ref().map(Url::to_string),
            ..Person::default()
        }],
        icon: origin.icon.as_ref().map(Url::to_string),
        links: own.into_iter().chain(page).collect(),
        rights: origin.rights.as_deref().map(|rights| text(rights, None)),
        ..Source::default()
    }
}

type Extensions = BTreeMap<String, BTreeMap<String, Vec<Extension>>>;

/// Media RSS 1.5.1 for the picture and the counter, `GeoRSS` Simple for the place.
fn extensions(article: &Article, republish: Republish) -> Extensions {
    let mut media = Vec::new();
    if let (Republish::Full, Some(image)) = (republish, &article.image) {
        media.extend(picture(image));
    }
    if let Some(views) = article.views {
        let statistics = element("media:statistics", [("views", views.to_string())]);
        media.push(within(element("media:community", []), vec![statistics]));
    }
    let is_on_earth = |(lat, lon): &(f64, f64)| lat.abs() <= 90.0 && lon.abs() <= 180.0;
    let point = article.point.filter(is_on_earth).map(|(lat, lon)| Extension {
        value: Some(format!("{lat} {lon}")),
        ..element("georss:point", [])
    });
    by_prefix(media.into_iter().chain(point))
}

fn by_prefix(all: impl IntoIterator<Item = Extension>) -> Extensions {
    let mut extensions = Extensions::new();
    for extension in all {
        let (prefix, _) = extension.name.split_once(':').unwrap_or_default();
        let names = extensions.entry(prefix.to_owned()).or_default();
        names.entry(extension.name.clone()).or_default().push(extension);
    }
    extensions
}

fn picture(image: &Image) -> [Extension; 2] {
    let url = [("url", image.url.to_string())];
    let width = image.width.map(|width| ("width", width.to_string()));
    let height = image.height.map(|height| ("height", height.to_string()));
    let size = || width.clone().into_iter().chain(height.clone());
    let medium = [("medium", "image".to_owned())];
    let words = |name: &str, words: &str| Extension {
        value: Some(xml_text(words).into_owned()),
        ..element(name, [("type", "plain".to_owned())])
    };
    let alt = image.alt.as_deref().map(|alt| words("media:title", alt));
    let caption = image.caption.as_deref().map(|caption| words("media:description", caption));
    let content = element("media:content", url.clone().into_iter().chain(medium).chain(size()));
    [
        within(content, alt.into_iter().chain(caption).collect()),
        element("media:thumbnail", url.into_iter().chain(size())),
    ]
}

fn element<'a>(name: &str, attrs: impl IntoIterator<Item = (&'a str, String)>) -> Extension {
    Extension { name: name.to_owned(), attrs: attributes(attrs), ..Extension::default() }
}

fn within(element: Extension, children: Vec<Extension>) -> Extension {
    let mut named: BTreeMap<String, Vec<Extension>> = BTreeMap::new();
    for child in children {
        named.entry(child.name.clone()).or_default().push(child);
    }
    Extension { children: named, ..element }
}

/// `atom_syndication` 0.12 writes these values as they are: they are escaped here. A test reads
/// one back, and will say so when the crate begins to escape them itself.
fn attributes<'a>(attrs: impl IntoIterator<Item = (&'a str, String)>) -> BTreeMap<String, String> {
    let escaped = |value: &str| escape(xml_text(value).as_ref()).into_owned();
    attrs.into_iter().map(|(name, value)| (name.to_owned(), escaped(&value))).collect()
}

fn text(value: &str, lang: Option<String>) -> Text {
    Text { value: xml_text(value).into_owned(), lang, ..Text::default() }
}

/// A name that is still there when what XML cannot carry has been left out.
fn named(name: &str, otherwise: &str) -> String {
    let name = xml_text(name);
    if name.trim().is_empty() { otherwise.to_owned() } else { name.into_owned() }
}

fn link(rel: &str, href: &str, mime: Option<&str>) -> Link {
    Link {
        href: href.to_owned(),
        rel: rel.to_owned(),
        mime_type: mime.map(str::to_owned),
        ..Link::default()
    }
}

fn local(instant: DateTime<Utc>, timezone: Tz) -> FixedDateTime {
    instant.with_timezone(&timezone).fixed_offset().trunc_subsecs(0)
}

/// RFC 4287, 2: a language tag as the schema writes it.
fn language(tag: &str) -> Option<String> {
    let mut parts = tag.split('-');
    let fits = |part: &str| (1..=8).contains(&part.len());
    let first = parts.next().is_some_and(|p| fits(p) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|p| fits(p) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    (first && rest).then(|| tag.to_owned())
}
