//! By what an article is known when it comes again.
//!
//! # Why
//! A feed's own ids are the best that there is, and not good: some sites give every item the same
//! one, or a new one after an update; they move from http to https, and add tracking parameters.
//! So an article has several keys, each made of what an editor does not correct, and the link and
//! the content have a say beside the id.

use crate::model::article::Image;
use crate::model::article::Keys;
use crate::model::entry::Entry;
use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use std::collections::BTreeSet;
use url::Url;

/// The longest id of an entry that is published as an IRI, in bytes.
const IRI_BYTES_MAX: usize = 2_000;

/// Parameters that say how a reader came to a page, not which page it is.
const TRACKING: [&str; 9] =
    ["fbclid", "gclid", "yclid", "mc_cid", "mc_eid", "igshid", "ref", "ref_src", "_openstat"];

/// An address without what does not tell pages apart: the scheme, `www.`, tracking parameters,
/// the fragment, `index.php`, and a slash at the end.
#[must_use]
pub fn canonical(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let mut canonical = host.strip_prefix("www.").unwrap_or(host).to_owned();
    if let Some(port) = url.port() {
        canonical.push_str(&format!(":{port}"));
    }
    let path = url.path();
    let index = ["/index.php", "/index.html", "/index.htm"];
    let path = index.iter().find_map(|index| path.strip_suffix(index)).unwrap_or(path);
    canonical.push_str(path.trim_end_matches('/'));
    let is_kept = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        !name.is_empty() && !name.starts_with("utm_") && !TRACKING.contains(&name)
    };
    let query = url.query().unwrap_or_default();
    for (i, parameter) in query.split('&').filter(is_kept).enumerate() {
        canonical.push(if i == 0 { '?' } else { '&' });
        canonical.push_str(parameter);
    }
    canonical
}

/// The ids and links that more than one entry of a document has, and that identify none of them.
#[derive(Debug, Default)]
pub struct Repeated {
    ids: BTreeSet<String>,
    links: BTreeSet<String>,
}

impl Repeated {
    /// What repeats among these entries' ids and canonical links. The site's own page is taken
    /// for repeated: it is the page of every entry and of none.
    #[must_use]
    pub fn among<'a>(
        entries: impl Iterator<Item = (&'a Entry, Option<String>)>,
        site: Option<&Url>,
    ) -> Self {
        let mut repeated = Self::default();
        let (mut ids, mut links) = (BTreeSet::new(), BTreeSet::new());
        links.extend(site.map(canonical));
        for (entry, link) in entries {
            if let Some(id) = own_id(entry)
                && !ids.insert(id)
            {
                repeated.ids.insert(id.to_owned());
            }
            if let Some(link) = link
                && !links.insert(link.clone())
            {
                repeated.links.insert(link);
            }
        }
        repeated
    }
}

/// The text that identifies an entry within its feed.
#[must_use]
pub fn entry_key(entry: &Entry, link: Option<&str>, title: &str, repeated: &Repeated) -> String {
    let own = own_id(entry).map(|id| match web_address(id) {
        Some(url) => canonical(&url),
        None => id.to_owned(),
    });
    let is_repeated = own_id(entry).is_some_and(|id| repeated.ids.contains(id));
    match (own, link) {
        (Some(id), _) if !is_repeated => format!("id:{id}"),
        (Some(id), Some(link)) if !repeated.links.contains(link) => format!("id:{id} link:{link}"),
        (None, Some(link)) if !repeated.links.contains(link) => format!("link:{link}"),
        _ => format!("title:{title} date:{}", lasting_date(entry)),
    }
}

/// The keys of an article.
#[must_use]
pub fn keys(key: &str, link: Option<&str>, seen: &Seen, repeated: &Repeated) -> Keys {
    let link = link.filter(|link| !repeated.links.contains(*link));
    Keys {
        entry: Digest::of(["entry", key]),
        link: link.map(|link| Digest::of(["link", link])),
        title: Digest::of(["title", seen.title]),
        content: seen.digest(),
    }
}

/// The id that an article bears in Atom: the entry's own where it is an absolute IRI and its
/// alone in the document (RFC 4287, 4.2.6), byte for byte, else a minted one.
#[must_use]
pub fn iri(feed: &Feed, article: ArticleId, entry: &Entry, repeated: &Repeated) -> String {
    match own_id(entry) {
        Some(id) if is_iri(id) && !repeated.ids.contains(id) => id.to_owned(),
        _ => feed.tagging.mint_article(&feed.id, article),
    }
}

/// Whether a text is an absolute IRI that may stand for an entry or a feed for ever.
#[must_use]
pub fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    let is_known = ["http", "https", "tag", "urn"].contains(&scheme.as_str());
    let is_forbidden = |c: char| {
        c.is_control() || c.is_whitespace() || "<>\"{}|\\^`".contains(c) || ('\u{FFF0}'..).contains(&c)
    };
    let has_host = !scheme.starts_with("http") || web_address(text).is_some();
    is_known && has_host && !rest.is_empty() && text.len() <= IRI_BYTES_MAX && !text.contains(is_forbidden)
}

/// What a reader sees of an article.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The headline.
    pub title: &'a str,
    /// The first paragraph.
    pub lead: &'a str,
    /// The text, cleaned.
    pub body: &'a str,
    /// The text without its elements.
    pub body_text: &'a str,
    /// The picture.
    pub image: Option<&'a Image>,
    /// The canonical link.
    pub link: Option<&'a str>,
}

impl Seen<'_> {
    /// Two articles have the same if a reader would see no difference. The order of attributes,
    /// white space, tracking parameters and a printed counter of views make none.
    fn digest(&self) -> Digest {
        let lead = without_counters(self.lead);
        let text = without_counters(self.body_text);
        let addresses = addresses_in(self.body);
        let image = self.image.map(|image| canonical(&image.url)).unwrap_or_default();
        let link = self.link.unwrap_or_default();
        let parts = ["content", self.title, &lead, &text, &image, link];
        Digest::of(parts.into_iter().chain(addresses.iter().map(String::as_str)))
    }
}

fn own_id(entry: &Entry) -> Option<&str> {
    entry.id.as_deref().map(str::trim).filter(|id| !id.is_empty())
}

fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// The date as text, if it says a day: «2 години тому» is another text at every poll.
fn lasting_date(entry: &Entry) -> &str {
    let date = entry.published.as_deref().or(entry.updated.as_deref()).unwrap_or_default();
    let parts = date.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let names_a_year = parts.clone().any(|part| part.len() >= 4);
    if names_a_year || parts.count() >= 3 { date.trim() } else { "" }
}

/// A text without the number after «Переглядів:».
fn without_counters(text: &str) -> String {
    let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
    let mut kept: Vec<&str> = Vec::new();
    let mut after_counter = false;
    for word in text.split_whitespace() {
        if after_counter && is_number(word) {
            continue;
        }
        let lower = word.to_lowercase();
        let counter = ["перегляд", "просмотр", "views", "прочит"];
        after_counter = counter.iter().any(|name| lower.starts_with(name));
        kept.push(word);
    }
    kept.join(" ")
}

/// The addresses of a cleaned text's links and pictures, which a serialiser wrote.
fn addresses_in(body: &str) -> Vec<String> {
    let starts = ["href=\"", "src=\""];
    let mut found: Vec<(usize, &str)> = Vec::new();
    for start in starts {
        for (at, _) in body.match_indices(start) {
            let value = body[at + start.len()..].split('"').next().unwrap_or_default();
            found.push((at, value));
        }
    }
    found.sort_unstable();
    let form = |value: &str| web_address(value).map_or_else(|| value.to_owned(), |url| canonical(&url));
    found.into_iter().map(|(_, value)| form(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_page_are_one() {
        for (a, b) in [
            ("http://city.example/news/1", "https://www.city.example/news/1/"),
            ("https://city.example/1?utm_source=rss&utm_medium=feed", "https://city.example/1"),
            ("https://city.example/?p=7&fbclid=x#top", "https://city.example/index.php?p=7"),
            ("https://CITY.example:443/1", "https://city.example/1"),
        ] {
            assert_eq!(canonical(&a.parse().unwrap()), canonical(&b.parse().unwrap()));
        }
        for (a, b) in [
            ("https://city.example/?p=7", "https://city.example/?p=8"),
            ("https://city.example/uk/1", "https://city.example/en/1"),
            ("https://city.example/1", "https://city.example:8080/1"),
            ("https://city.example/A", "https://city.example/a"),
        ] {
            assert_ne!(canonical(&a.parse().unwrap()), canonical(&b.parse().unwrap()));
        }
    }

    #[test]
    fn only_an_absolute_iri_may_be_an_atom_id() {
        for good in
            ["https://city.example/1", "tag:city.example,2026:1", "urn:uuid:1", "HTTP://city.example/й"]
        {
            assert!(is_iri(good), "{good}");
        }
        for bad in
            ["", "7", "/news/1", "javascript:alert(1)", "https://", "http:x y", "tag:", "data:,x", "urn:a\u{1}"]
        {
            assert!(!is_iri(bad), "{bad}");
        }
        assert!(!is_iri(&format!("urn:{}", "x".repeat(IRI_BYTES_MAX))));
    }

    #[test]
    fn a_counter_of_views_is_no_content() {
        let counted = |n| without_counters(&format!("03.07.2023 | Переглядів: {n} Далі 5 рядків"));
        assert_eq!(counted(4087), counted(4088));
        assert!(counted(1).contains("5 рядків"));
    }
}
