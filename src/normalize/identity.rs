//! By what an article is known when it comes again.

use crate::model::entry::Entry;
use crate::model::entry::ParsedFeed;
use crate::model::entry::Text;
use crate::model::id::Digest;
use crate::normalize::dates;
use std::collections::HashMap;
use url::Url;

/// How long an IRI of an entry may be, in bytes.
pub const IRI_BYTES_MAX: usize = 2000;

/// How often ids and links occur in one document.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    ids: HashMap<String, usize>,
    links: HashMap<String, usize>,
}

impl Counts {
    /// Of a document whose entries have these links.
    pub(crate) fn of(parsed: &ParsedFeed, link_of: impl Fn(&Entry) -> Option<Url>) -> Self {
        let mut counts = Self::default();
        for entry in &parsed.entries {
            if let Some(id) = own_id(entry) {
                *counts.ids.entry(id.to_owned()).or_default() += 1;
            }
            if let Some(link) = link_of(entry) {
                *counts.links.entry(canonical(&link)).or_default() += 1;
            }
        }
        counts
    }

    /// Whether the entry's id is its own alone.
    pub(crate) fn id_is_single(&self, id: &str) -> bool {
        self.ids.get(id).is_none_or(|count| *count < 2)
    }

    /// Whether no other entry has this canonical link.
    pub(crate) fn link_is_single(&self, link: &str) -> bool {
        self.links.get(link).is_none_or(|count| *count < 2)
    }
}

/// The entry's id, if it has one.
pub(crate) fn own_id(entry: &Entry) -> Option<&str> {
    entry.id.as_deref().map(str::trim).filter(|id| !id.is_empty())
}

/// The text by which an entry is known within its feed. `link` is the canonical one, if it is
/// the entry's alone.
pub(crate) fn key(entry: &Entry, counts: &Counts, link: Option<&str>) -> String {
    match (own_id(entry), link) {
        (Some(id), _) if counts.id_is_single(id) => format!("id:{id}"),
        (Some(id), Some(link)) => format!("id:{id}\nlink:{link}"),
        (None, Some(link)) => format!("link:{link}"),
        (id, None) => {
            let title = entry.title.as_ref().map_or("", text_of);
            let summary = entry.summary.as_ref().or(entry.content.as_ref()).map_or("", text_of);
            // Without a title only the text tells two entries apart.
            let words = if title.trim().is_empty() { summary } else { title };
            let digest = Digest::of([id.unwrap_or(""), words.trim(), lasting_date(entry)]);
            format!("text:{digest}")
        }
    }
}

/// The date as it is written, if it says the same at every poll: «2 години тому» does not.
fn lasting_date(entry: &Entry) -> &str {
    let date = entry.published.as_deref().or(entry.updated.as_deref()).unwrap_or("").trim();
    if dates::is_lasting(date) { date } else { "" }
}

fn text_of(text: &Text) -> &str {
    &text.value
}

/// An address in the form in which two that lead to one page are equal: without scheme, `www.`,
/// the usual port, fragment, tracking parameters, a slash at the end and `index.php`.
#[must_use]
pub fn canonical(url: &Url) -> String {
    let host = url.host_str().unwrap_or("").to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let port = url.port().filter(|port| !matches!(port, 80 | 443));
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    let path = url.path();
    let path = path
        .strip_suffix("/index.php")
        .or_else(|| path.strip_suffix("/index.html"))
        .unwrap_or(path)
        .trim_end_matches('/');
    let kept = url.query().unwrap_or("").split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or("").to_ascii_lowercase();
        !name.is_empty() && !is_tracking(&name)
    });
    let query = kept.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{host}{port}{path}{mark}{query}")
}

fn is_tracking(name: &str) -> bool {
    name.starts_with("utm_")
        || matches!(
            name,
            "fbclid"
                | "gclid"
                | "yclid"
                | "dclid"
                | "msclkid"
                | "mc_cid"
                | "mc_eid"
                | "igshid"
                | "ref"
                | "_ga"
                | "_openstat"
        )
}

/// The entry's id, if it can be an Atom id as it is: an absolute IRI that is not too long
/// (RFC 4287, 4.2.6).
pub(crate) fn iri(id: &str) -> Option<&str> {
    let (scheme, rest) = id.split_once(':')?;
    let known = ["http", "https", "tag", "urn"].iter().any(|s| scheme.eq_ignore_ascii_case(s));
    let plain = !id.chars().any(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}')
    });
    let whole = if scheme.len() < 4 || scheme.eq_ignore_ascii_case("urn") {
        rest.contains(':') && !rest.starts_with(':')
    } else {
        Url::parse(id).is_ok_and(|url| url.has_host()) && rest.starts_with("//")
    };
    (known && plain && whole && id.len() <= IRI_BYTES_MAX).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_page_are_equal() {
        for (given, expected) in [
            ("http://www.misto.example/news/1/", "misto.example/news/1"),
            ("https://misto.example:443/news/1#top", "misto.example/news/1"),
            ("https://MISTO.example/news/1?utm_source=rss&fbclid=x", "misto.example/news/1"),
            ("https://misto.example/index.php?b=2&a=1&utm_x=3", "misto.example?b=2&a=1"),
            ("https://misto.example:8443/a", "misto.example:8443/a"),
        ] {
            assert_eq!(canonical(&Url::parse(given).unwrap()), expected);
        }
    }

    #[test]
    fn only_a_date_that_lasts_identifies_an_entry() {
        let key_of = |date: &str| {
            let text = Text {
                value: "Новина".to_owned(),
                kind: crate::model::entry::TextKind::Plain,
            };
            let published = Some(date.to_owned());
            let entry = Entry { title: Some(text), published, ..Entry::default() };
            key(&entry, &Counts::default(), None)
        };
        assert_eq!(key_of("2 години тому"), key_of("3 години тому"));
        assert_eq!(key_of("сьогодні, 14:16"), key_of("вчора, 14:16"));
        assert_eq!(key_of("сьогодні, 14:16:05"), key_of("вчора, 14:16:05"));
        assert_ne!(key_of("03.07.2023"), key_of("04.07.2023"));
        assert_ne!(key_of("3 липня 2023"), key_of("4 липня 2023"));
    }

    #[test]
    fn only_an_absolute_iri_can_be_an_atom_id() {
        for good in
            ["https://a.example/1", "tag:a.example,2020:1", "urn:uuid:1-2", "http://а.example/ї"]
        {
            assert_eq!(iri(good), Some(good));
        }
        for bad in [
            "",
            "1",
            "/a",
            "a b",
            "javascript:x",
            "http:",
            "https://a.example/a b",
            "file:///a",
            "tag:x",
        ] {
            assert_eq!(iri(bad), None, "{bad}");
        }
        assert_eq!(iri(&format!("https://a.example/{}", "x".repeat(2000))), None);
    }
}
