//! Bytes to entries: nothing panics, what comes of it is bounded, and the same bytes give the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use visnyk::model::exchange::Document;
use visnyk::parse::parse;

/// Content types that a server may send beside the bytes.
const CONTENT_TYPES: [Option<&str>; 4] = [
    None,
    Some("text/xml; charset=windows-1251"),
    Some("application/feed+json"),
    Some("text/html"),
];

/// As many entries as are ever read of a document.
const ENTRIES_MAX: usize = 2_000;
/// As many repairs as are ever told of one.
const REPAIRS_MAX: usize = 33;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let document = Document {
        url: "https://rada.example.ua/news/rss".parse().unwrap(),
        content_type: CONTENT_TYPES[usize::from(*first) % CONTENT_TYPES.len()].map(str::to_owned),
        bytes: bytes.to_vec(),
    };
    let parsed = parse(&document);
    if let Ok(feed) = &parsed {
        assert!(feed.entries.len() <= ENTRIES_MAX);
        assert!(feed.repairs.len() <= REPAIRS_MAX);
    }
    assert_eq!(parsed, parse(&document));
});
