//! What a page, a robots.txt and a sitemap say of feeds: few addresses, all of the web, none with a
//! user's name in it, and a sitemap names its own host only.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use url::Url;
use visnyk::discover::page::page;
use visnyk::discover::places::sitemap;
use visnyk::discover::places::sitemaps;
use visnyk::discover::places::usual;
use visnyk::discover::proposal::free;
use visnyk::discover::proposal::of_host;
use visnyk::discover::proposal::slug;
use visnyk::model::exchange::Document;
use visnyk::model::id::FeedId;

const CONTENT_TYPES: [Option<&str>; 4] =
    [None, Some("text/html; charset=windows-1251"), Some("text/html"), Some("application/xml")];
/// More than any of them gives.
const ADDRESSES_MAX: usize = 64;

fn of_the_web(url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.has_host() && url.username().is_empty() && url.password().is_none(), "{url}");
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let document = Document {
        url: "https://rada.example.ua/news/?page=2".parse().unwrap(),
        content_type: CONTENT_TYPES[usize::from(*first) % CONTENT_TYPES.len()].map(str::to_owned),
        bytes: bytes.to_vec(),
    };
    let found = page(&document);
    assert!(found.candidates.len() <= ADDRESSES_MAX);
    for candidate in &found.candidates {
        of_the_web(&candidate.url);
        assert!(usual(&candidate.url).len() <= ADDRESSES_MAX);
        // As who takes it over makes an id of it.
        let id = free(&of_host(&candidate.url), &BTreeSet::new());
        assert!(FeedId::new(&id).is_ok(), "{id:?} of {}", candidate.url);
    }
    let named = slug(&found.title);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(named.chars().all(is_plain), "{named:?} of {:?}", found.title);
    let named = sitemaps(Some(&document), &document.url);
    assert!(named.len() <= ADDRESSES_MAX);
    named.iter().for_each(of_the_web);
    let map = sitemap(&document);
    assert!(map.candidates.len() + map.sections.len() + map.sitemaps.len() <= 3 * ADDRESSES_MAX);
    for url in
        map.candidates.iter().map(|found| &found.url).chain(&map.sections).chain(&map.sitemaps)
    {
        of_the_web(url);
        assert_eq!(url.host(), document.url.host());
    }
});
