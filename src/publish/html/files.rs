//! What browsers and robots ask of a site beside its pages: its style, its icon, what it is called
//! on a home screen, what may be visited, and where everything is.

use crate::model::publication::Pictures;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::publication::Site;
use crate::publish::Masthead;
use crate::publish::html::language::LANGUAGES;
use crate::publish::xml_text;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

const STYLE: &str = include_str!("../templates/style.css");

/// The most addresses in a sitemap (sitemaps.org, "Sitemap index files").
const ADDRESSES_MAX: usize = 50_000;

/// The style of all pages. It is a file of its own: a policy that forbids styles and scripts
/// within a page is a short one.
#[must_use]
pub fn style(site: &Site) -> Vec<u8> {
    format!(":root {{ --head: {}; }}\n{STYLE}", site.colour).into_bytes()
}

/// The icon: a sheet of paper with three lines, in the site's colour.
#[must_use]
pub fn icon(site: &Site) -> Vec<u8> {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\">\
         <rect width=\"64\" height=\"64\" rx=\"12\" fill=\"{}\"/>\
         <path d=\"M14 18h36M14 32h36M14 46h22\" stroke=\"#fff\" stroke-width=\"7\"/>\
         <circle cx=\"48\" cy=\"46\" r=\"5\" fill=\"#f2c230\"/></svg>\n",
        site.colour
    )
    .into_bytes()
}

/// What the site is called where it is kept as an application (W3C, Web Application Manifest).
#[must_use]
pub fn manifest(site: &Site) -> Vec<u8> {
    let base = site.address.path();
    let manifest = json!({
        "name": site.title,
        "short_name": site.title,
        "description": site.subtitle,
        "lang": site.language,
        "start_url": base,
        "scope": base,
        "display": "browser",
        "theme_color": site.colour.to_string(),
        "background_color": "#faf8f3",
        "icons": [{ "src": format!("{base}favicon.svg"), "sizes": "any", "type": "image/svg+xml" }],
    });
    format!("{manifest:#}\n").into_bytes()
}

/// What robots may visit (RFC 9309): everything but the answers to questions, of
/// which there is no end.
#[must_use]
pub fn robots(site: &Site) -> Vec<u8> {
    let base = site.address.path();
    let mut rules = String::from("User-agent: *\n");
    for language in LANGUAGES {
        // To write into a text cannot fail.
        let _ = writeln!(rules, "Disallow: {base}{}/?q=", language.code());
        let _ = writeln!(rules, "Disallow: {base}{}/compose", language.code());
    }
    for path in ["?q=", "compose", "feeds.opml?", "mixed/"] {
        let _ = writeln!(rules, "Disallow: {base}{path}");
    }
    if site.pictures == Pictures::Passed {
        let _ = writeln!(rules, "Disallow: {base}pictures/");
    }
    let _ = writeln!(rules, "Allow: /\n\nSitemap: {}sitemap.xml", site.address);
    rules.into_bytes()
}

/// The pages that stay, and when each last changed (sitemaps.org). Articles are not among them:
/// theirs is the page at their source.
#[must_use]
pub fn sitemap(masthead: Masthead<'_>, shelves: &BTreeMap<Selection, Shelf>) -> Vec<u8> {
    let changed = shelves.values().map(|shelf| shelf.changed).max();
    let lists = [("", changed), ("sources", changed), ("about", None)];
    let lists = lists.into_iter().map(|(path, changed)| (path.to_owned(), changed));
    let full =
        shelves.iter().filter(|(selection, shelf)| shelf.count > 0 && masthead.knows(selection));
    let full = full.map(|(selection, shelf)| (selection.path(), Some(shelf.changed)));
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let pages = lists.chain(full).flat_map(|(path, changed)| {
        LANGUAGES.map(|language| (format!("{}/{path}", language.code()), changed))
    });
    for (path, changed) in pages.take(ADDRESSES_MAX) {
        let address = format!("{}{path}", masthead.site.address);
        let address = xml_text(&address).replace('&', "&amp;").replace('<', "&lt;");
        let lastmod = changed.map(|at| format!("<lastmod>{}</lastmod>", instant(at)));
        let _ = writeln!(map, "<url><loc>{address}</loc>{}</url>", lastmod.unwrap_or_default());
    }
    map.push_str("</urlset>\n");
    map.into_bytes()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
