//! By what an article is known when it comes again.

use crate::model::entry::Entry;
use crate::model::entry::ParsedFeed;
use crate::model::entry::Text;
use crate::model::id::Digest;
use crate::normalize::dates;
use std::collections::HashMap;
use std::collections::HashSet;
use url::Url;

/// How long an IRI of an entry may be, in bytes.
pub const IRI_BYTES_MAX: usize = 2000;

/// From how many characters on words without a number are one story's id, or the name of its page.
pub(crate) const WORD_CHARS_MIN: usize = 16;

/// How often what tells entries apart occurs in one document.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    ids: HashMap<String, usize>,
    links: HashMap<String, usize>,
    titles: HashMap<String, usize>,
    dates: HashMap<String, usize>,
    repetitions: HashSet<usize>,
}

impl Counts {
    /// Of a document whose entries have these links. An entry that repeats another is not counted.
    pub(crate) fn of(parsed: &ParsedFeed, link_of: impl Fn(&Entry) -> Option<Url>) -> Self {
        let mut counts = Self::default();
        let mut whole = HashSet::new();
        for (place, entry) in parsed.entries.iter().enumerate() {
            let id = own_id(entry);
            let page = link_of(entry);
            let link = page.as_ref().map(canonical);
            let is_telling = id.is_some() && page.as_ref().is_some_and(is_page);
            let parts = [id.as_deref(), link.as_deref()].map(Option::unwrap_or_default);
            let told = if is_telling { told(entry, parts) } else { told_in_full(entry, parts) };
            if !whole.insert(told) {
                counts.repetitions.insert(place);
                continue;
            }
            let title = entry.title.as_ref().map(text_of).map(str::to_owned);
            let date = date_of(entry).map(str::to_owned);
            for (count, value) in [
                (&mut counts.ids, id),
                (&mut counts.links, link),
                (&mut counts.titles, title),
                (&mut counts.dates, date),
            ] {
                if let Some(value) = value {
                    *count.entry(value).or_default() += 1;
                }
            }
        }
        counts
    }

    /// Whether the id, in the form of [`own_id`], is its entry's alone.
    pub(crate) fn id_is_single(&self, id: &str) -> bool {
        is_single(&self.ids, id)
    }

    /// Whether no other entry has this canonical link.
    pub(crate) fn link_is_single(&self, link: &str) -> bool {
        is_single(&self.links, link)
    }

    /// Whether no other entry has the title of this one.
    pub(crate) fn title_is_single(&self, entry: &Entry) -> bool {
        is_single(&self.titles, entry.title.as_ref().map_or("", text_of))
    }

    /// Whether no other entry has the date of this one.
    pub(crate) fn date_is_single(&self, entry: &Entry) -> bool {
        is_single(&self.dates, date_of(entry).unwrap_or_default())
    }

    /// Whether the entry at a place of the document is an earlier one again.
    pub(crate) fn is_repetition(&self, place: usize) -> bool {
        self.repetitions.contains(&place)
    }
}

fn is_single(counts: &HashMap<String, usize>, value: &str) -> bool {
    counts.get(value).is_none_or(|count| *count < 2)
}

/// What an entry with an id and a page says, by which its repetition in the document is found: its
/// date or its views may be told otherwise in another place.
fn told(entry: &Entry, [id, link]: [&str; 2]) -> Digest {
    Digest::of([id, link, entry.title.as_ref().map_or("", text_of)])
}

/// The same of an entry that could be another with the same title.
fn told_in_full(entry: &Entry, [id, link]: [&str; 2]) -> Digest {
    let texts = [&entry.title, &entry.summary, &entry.content];
    let [title, summary, content] = texts.map(|text| text.as_ref().map_or("", text_of));
    Digest::of([id, link, title, summary, content, date_of(entry).unwrap_or_default()])
}

/// Whether an address is an article's own page, rather than that of a rubric.
pub(crate) fn is_page(url: &Url) -> bool {
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    let name = url.path_segments().and_then(|parts| parts.rev().find(|part| !part.is_empty()));
    let name = name.unwrap_or_default();
    let is_long = name.len() >= WORD_CHARS_MIN && name.contains(['-', '_']);
    has_digit(name) || is_long || url.query().is_some_and(has_digit)
}

/// The entry's id, if it has one; if it is an address, in the form in which two that lead to one
/// place are equal.
pub(crate) fn own_id(entry: &Entry) -> Option<String> {
    let id = entry.id.as_deref().map(str::trim).filter(|id| !id.is_empty())?;
    let url = Url::parse(id).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    Some(url.filter(Url::has_host).map_or_else(
        || id.to_owned(),
        // A page of many entries tells them apart by their fragments.
        |url| match url.fragment() {
            Some(fragment) => format!("{}#{fragment}", canonical(&url)),
            None => canonical(&url),
        },
    ))
}

/// The text by which an entry is known within its feed. `link` is the canonical one, if it is
/// the entry's alone.
pub(crate) fn key(entry: &Entry, counts: &Counts, link: Option<&str>) -> String {
    match (own_id(entry), link) {
        (Some(id), _) if counts.id_is_single(&id) => format!("id:{id}"),
        (Some(id), Some(link)) => format!("id:{id}\nlink:{link}"),
        (None, Some(link)) => format!("link:{link}"),
        (id, None) => {
            let title = entry.title.as_ref().map_or("", text_of);
            let summary = entry.summary.as_ref().or(entry.content.as_ref()).map_or("", text_of);
            // Without a title only the text tells two entries apart.
            let words = if title.trim().is_empty() { summary } else { title };
            let id = id.unwrap_or_default();
            let digest = Digest::of([id.as_str(), words.trim(), lasting_date(entry)]);
            format!("text:{digest}")
        }
    }
}

/// The date as it is written, if it says the same at every poll: «2 години тому» does not.
fn lasting_date(entry: &Entry) -> &str {
    date_of(entry).filter(|date| dates::is_lasting(date)).unwrap_or_default()
}

/// The date as it is written.
fn date_of(entry: &Entry) -> Option<&str> {
    entry.published.as_deref().or(entry.updated.as_deref()).map(str::trim)
}

fn text_of(text: &Text) -> &str {
    &text.value
}

/// An address in the form in which two that lead to one page are equal: without scheme, `www.`,
/// the usual port, fragment, tracking parameters, session, a slash at the end and `index.php`, its
/// parameters sorted and nothing written as `%41` that need not be.
#[must_use]
pub fn canonical(url: &Url) -> String {
    let host = url.host_str().unwrap_or("").to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host).trim_end_matches('.');
    let port = url.port().filter(|port| !matches!(port, 80 | 443));
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    let path = unescaped(url.path());
    let path = path.split_once(";jsessionid=").map_or(path.as_str(), |(path, _)| path);
    let path = path
        .strip_suffix("/index.php")
        .or_else(|| path.strip_suffix("/index.html"))
        .unwrap_or(path)
        .trim_end_matches('/');
    let query = unescaped(url.query().unwrap_or(""));
    let mut kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = name.to_ascii_lowercase();
            !name.is_empty() && !is_tracking(&name) && !is_session(&name, value)
        })
        .collect();
    kept.sort_unstable();
    let query = kept.join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    // A page that is made in the browser is named by its fragment: `#!/news/1`.
    let fragment = url.fragment().filter(|fragment| fragment.starts_with(['!', '/']));
    let fragment = fragment.map_or(String::new(), |fragment| format!("#{fragment}"));
    format!("{host}{port}{path}{mark}{query}{fragment}")
}

/// A part of an address with the letters and digits that need no escape written as such, and the
/// other escapes in capitals (RFC 3986, 6.2.2).
fn unescaped(part: &str) -> String {
    let mut plain = String::with_capacity(part.len());
    let mut pieces = part.split('%');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let code = piece.get(..2).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match (byte, piece.get(2..)) {
            (Some(byte), Some(rest))
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') =>
            {
                plain.push(char::from(byte));
                plain.push_str(rest);
            }
            (Some(_), Some(rest)) => {
                plain.push('%');
                plain.push_str(&piece[..2].to_ascii_uppercase());
                plain.push_str(rest);
            }
            _ => {
                plain.push('%');
                plain.push_str(piece);
            }
        }
    }
    plain
}

/// Whether a parameter is the visitor's session. `sid` is a story's number on some sites, and a
/// session only where it looks like one.
fn is_session(name: &str, value: &str) -> bool {
    let is_long = value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    matches!(name, "phpsessid" | "jsessionid") || (matches!(name, "sid" | "s") && is_long)
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
            || c == char::REPLACEMENT_CHARACTER
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
            ("https://misto.example/index.php?b=2&a=1&utm_x=3", "misto.example?a=1&b=2"),
            ("https://misto.example/index.php?id=5", "misto.example?id=5"),
            ("https://misto.example/%6eews/%d1%96?a=%7e", "misto.example/news/%D1%96?a=~"),
            ("https://misto.example/новини", "misto.example/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8"),
            ("https://xn--80aqflfd.example/1", "xn--80aqflfd.example/1"),
            ("https://громада.укр/1", "xn--80aahf2bln.xn--j1amh/1"),
            ("https://misto.example/a%2Fb%zz%", "misto.example/a%2Fb%zz%"),
            ("https://misto.example/1;jsessionid=0A?PHPSESSID=1", "misto.example/1"),
            ("https://misto.example/?sid=0123456789abcdef", "misto.example"),
            ("https://misto.example/article.php?sid=12", "misto.example/article.php?sid=12"),
            ("https://misto.example/#!/news/1", "misto.example#!/news/1"),
            ("https://misto.example:8443/a", "misto.example:8443/a"),
        ] {
            assert_eq!(canonical(&Url::parse(given).unwrap()), expected);
        }
    }

    #[test]
    fn an_id_that_is_an_address_is_compared_as_one() {
        let own = |id: &str| own_id(&Entry { id: Some(id.to_owned()), ..Entry::default() });
        for same in ["https://www.misto.example/?p=1", " http://misto.example/?p=1&utm_source=x"] {
            assert_eq!(own(same), own("http://misto.example/?p=1"), "{same}");
        }
        for other in ["http://misto.example/?p=2", "http://misto.example/?p=1#2", "?p=1", ""] {
            assert_ne!(own(other), own("http://misto.example/?p=1"), "{other}");
        }
        assert_eq!(own("tag:misto.example,2026:1"), Some("tag:misto.example,2026:1".to_owned()));
    }

    #[test]
    fn the_page_of_an_article_is_told_from_that_of_a_rubric() {
        for (given, expected) in [
            ("https://misto.example/news/12", true),
            ("https://misto.example/news/mista-staly-pobratymamy", true),
            ("https://misto.example/index.php?id=5", true),
            ("https://misto.example/", false),
            ("https://misto.example/news", false),
            ("https://misto.example/news/oholoshennia/", false),
            ("https://misto.example/index.php?rubric=news", false),
        ] {
            assert_eq!(is_page(&Url::parse(given).unwrap()), expected, "{given}");
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
            "https://a.example/\u{fffd}",
        ] {
            assert_eq!(iri(bad), None, "{bad}");
        }
        assert_eq!(iri(&format!("https://a.example/{}", "x".repeat(2000))), None);
    }
}
