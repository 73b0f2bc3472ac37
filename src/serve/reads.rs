//! How often the pages of articles are read, by people: counted here and kept in the store.
//!
//! Nothing is remembered of who reads: no cookie, no address, no list. So who comes twice counts
//! twice, as on the sites whose counters these are added to. What is a program by its own word, or
//! fetches before anybody asked, does not count.

use crate::model::id::ArticleId;
use http::HeaderMap;
use http::header;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

/// How many articles are counted between two times that they are kept.
const ARTICLES_MAX: usize = 10_000;
/// Words by which programs name themselves.
const ROBOTS: [&str; 26] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "curl",
    "wget",
    "python",
    "http",
    "feed",
    "rss",
    "reader",
    "monitor",
    "preview",
    "facebookexternalhit",
    "headless",
    "java/",
    "go-",
    "ruby",
    "perl",
    "php",
    "scan",
    "check",
    "fetch",
    "archive",
    "visnyk",
    "lighthouse",
];

/// What is counted and not yet kept.
#[derive(Debug, Default)]
pub struct Reads(Mutex<BTreeMap<ArticleId, u64>>);

impl Reads {
    /// Counts one more.
    pub fn add(&self, id: ArticleId) {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reads.len() < ARTICLES_MAX || reads.contains_key(&id) {
            *reads.entry(id).or_default() += 1;
        }
    }

    /// Counts what was taken and could not be kept.
    pub fn put_back(&self, taken: BTreeMap<ArticleId, u64>) {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, count) in taken {
            *reads.entry(id).or_default() += count;
        }
    }

    /// What is counted; from now on that is for whoever took it to keep.
    #[must_use]
    pub fn take(&self) -> BTreeMap<ArticleId, u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a request is of a person who reads, as far as it says.
#[must_use]
pub fn is_of_person(request: &HeaderMap) -> bool {
    let text = |name: &str| {
        let value = request.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    };
    // A maker of telephones has a name like a robot's.
    let agent = text(header::USER_AGENT.as_str()).replace("cubot", "");
    let is_early =
        ["sec-purpose", "purpose", "x-moz"].iter().any(|name| text(name).contains("pre"));
    let wanted_for = text("sec-fetch-dest");
    agent.starts_with("mozilla/")
        && !ROBOTS.iter().any(|robot| agent.contains(robot))
        && !is_early
        && matches!(wanted_for.as_str(), "" | "document")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use http::HeaderValue;

    #[test]
    fn programs_and_what_is_fetched_early_do_not_count() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        for (headers, expected) in [
            (vec![("user-agent", firefox)], true),
            (vec![("user-agent", firefox), ("sec-fetch-dest", "document")], true),
            (vec![("user-agent", firefox), ("sec-fetch-dest", "image")], false),
            (vec![("user-agent", firefox), ("sec-purpose", "prefetch;prerender")], false),
            (vec![("user-agent", "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/99")], true),
            (vec![("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1)")], false),
            (vec![("user-agent", "newsboat/2.32")], false),
            (vec![], false),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(is_of_person(&map), expected, "{headers:?}");
        }
    }

    #[test]
    fn what_is_taken_is_counted_once() {
        let reads = Reads::default();
        let id = "0123456789abcdef0123456789abcdef".parse().unwrap();
        reads.add(id);
        reads.add(id);
        let taken = reads.take();
        assert_eq!(taken, BTreeMap::from([(id, 2)]));
        reads.add(id);
        reads.put_back(taken);
        assert_eq!(reads.take(), BTreeMap::from([(id, 3)]));
        assert!(reads.take().is_empty());
    }
}
