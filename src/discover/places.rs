//! Where feeds usually lie, and what a site's sitemap says of them.

use crate::discover::Candidate;
use crate::discover::How;
use crate::discover::page::looks_like_one;
use crate::discover::web_address;
use crate::model::exchange::Document;
use crate::parse::lexer::Lexer;
use crate::parse::lexer::Token;
use crate::parse::text;
use url::Url;

/// Where feeds usually lie on a site, the likeliest first: `WordPress`, the systems of Ukrainian
/// municipalities, Joomla, Drupal, Hugo, Plone.
const USUAL: [&str; 12] = [
    "/feed",
    "/rss",
    "/rss.xml",
    "/?format=feed&type=rss",
    "/news/rss",
    "/feed.xml",
    "/atom.xml",
    "/index.xml",
    "/news/rss.xml",
    "/?feed=rss2",
    "/feed.json",
    "/RSS",
];
/// Where feeds usually lie below the address that was asked for.
const BELOW: [&str; 3] = ["feed", "rss", "?format=feed&type=rss"];
/// What the news of a site are called in its addresses.
const NEWS: [&str; 8] =
    ["news", "novyny", "novini", "novosti", "новини", "press", "press-releases", "aktualno"];

/// How far into a sitemap is looked, in bytes.
const SITEMAP_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// How many addresses of one kind are kept of a sitemap.
const PLACES_MAX: usize = 8;
/// How many segments the address of a section has at most.
const SEGMENTS_MAX: usize = 2;

/// What a sitemap names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// What looks like a feed.
    pub candidates: Vec<Candidate>,
    /// Pages on which the news of the site stand.
    pub sections: Vec<Url>,
    /// Other sitemaps, those of news first.
    pub sitemaps: Vec<Url>,
}

/// Where the feeds of a page's site usually lie.
#[must_use]
pub fn usual(page: &Url) -> Vec<Candidate> {
    let mut below = page.clone();
    below.set_query(None);
    if !below.path().ends_with('/') {
        below.set_path(&format!("{}/", page.path()));
    }
    let deeper = BELOW.iter().filter(|_| page.path() != "/");
    let deeper = deeper.filter_map(|place| web_address(place, &below));
    let at_root = USUAL.iter().filter_map(|place| web_address(place, page));
    deeper.chain(at_root).map(|url| Candidate { url, how: How::Usual }).collect()
}

/// The sitemaps that a robots.txt names (RFC 9309, 2.2.4); where it usually lies, if it names none.
#[must_use]
pub fn sitemaps(robots: Option<&Document>, page: &Url) -> Vec<Url> {
    let text = robots.map(text).unwrap_or_default();
    let named = text.lines().filter_map(|line| {
        let (key, value) = line.split('#').next()?.split_once(':')?;
        key.trim().eq_ignore_ascii_case("sitemap").then(|| web_address(value, page))?
    });
    let named: Vec<Url> = named.take(PLACES_MAX).collect();
    if named.is_empty() { web_address("/sitemap.xml", page).into_iter().collect() } else { named }
}

/// What a sitemap names, on its own host.
#[must_use]
pub fn sitemap(document: &Document) -> Sitemap {
    let whole = text(document);
    let text = &whole[..whole.floor_char_boundary(SITEMAP_BYTES_MAX)];
    let mut sitemap = Sitemap::default();
    let mut lexer = Lexer::new(text, 0);
    let (mut is_index, mut location) = (false, None);
    loop {
        match lexer.next() {
            Token::Start { name, .. } => {
                is_index |= name == "sitemapindex";
                location = (name == "loc").then(String::new);
            }
            Token::Text { text, .. } | Token::Mended { text, .. } => {
                if let Some(location) = &mut location
                    && location.len() < SITEMAP_BYTES_MAX
                {
                    location.push_str(&text);
                }
            }
            Token::End { .. } => {
                let url = location.take().and_then(|text| web_address(&text, &document.url));
                if let Some(url) = url.filter(|url| url.host() == document.url.host()) {
                    keep(&mut sitemap, url, is_index);
                }
            }
            Token::Stop { .. } => break,
        }
    }
    sitemap.sitemaps.sort_by_key(|url| !is_of_news(url));
    sitemap
}

fn keep(sitemap: &mut Sitemap, url: Url, is_index: bool) {
    if is_index {
        if sitemap.sitemaps.len() < PLACES_MAX {
            sitemap.sitemaps.push(url);
        }
    } else if looks_like_one(&url) {
        if sitemap.candidates.len() < PLACES_MAX {
            sitemap.candidates.push(Candidate { url, how: How::Sitemap });
        }
    } else if is_section(&url) && sitemap.sections.len() < PLACES_MAX {
        sitemap.sections.push(url);
    }
}

fn is_section(url: &Url) -> bool {
    let segments: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let last = segments.last().copied().unwrap_or_default();
    // A name in Cyrillic letters stands in an address by its bytes.
    let is_of_news = NEWS.contains(&last.to_ascii_lowercase().as_str())
        || url::form_urlencoded::parse(format!("name={last}").as_bytes())
            .any(|(_, name)| NEWS.contains(&name.to_lowercase().as_str()));
    is_of_news && segments.len() <= SEGMENTS_MAX && url.query().is_none()
}

fn is_of_news(url: &Url) -> bool {
    ["news", "post", "novyn", "novin"].iter().any(|word| url.path().contains(word))
}
