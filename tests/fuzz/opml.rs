//! Lists of feeds from other readers: what is taken over is right in feeds.toml, and comes back as
//! it was when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::edit::with_feeds;
use visnyk::model::exchange::Document;
use visnyk::subscriptions::Known;
use visnyk::subscriptions::SUBSCRIPTIONS_MAX;
use visnyk::subscriptions::read;
use visnyk::subscriptions::take;
use visnyk::subscriptions::written;

static CONFIG: LazyLock<Config> =
    LazyLock::new(|| parse("feeds.toml", "[[tag]]\nname = \"освіта\"\n", Path::new("")).unwrap());

fn document(bytes: &[u8]) -> Document {
    let url = "file:///list.opml".parse().unwrap();
    Document { url, content_type: None, bytes: bytes.to_vec() }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(subscriptions) = read(&document(bytes)) else { return };
    assert!(subscriptions.len() <= SUBSCRIPTIONS_MAX);
    let feeds = BTreeMap::new();
    let known = Known { feeds: &feeds, tags: &CONFIG.tags, catalogue: &CONFIG.catalogue };
    let taken = take(&subscriptions, &known);
    assert_eq!(taken.new.len() + taken.passed_over.len(), subscriptions.len());
    if taken.new.is_empty() {
        return;
    }
    let (text, _) = with_feeds("[[tag]]\nname = \"освіта\"\n", &taken.new).unwrap();
    // A list that says too much of one feed is told where, before anything is written.
    let Ok(config) = parse("feeds.toml", &text, Path::new("")) else { return };
    assert_eq!(config.feeds.len(), taken.new.len());
    let list = written("Список", config.feeds.values(), &BTreeMap::new());
    let again = read(&document(list.as_bytes())).expect("what is written is OPML");
    let again = take(&again, &known);
    let ids = |new: &[visnyk::edit::NewFeed]| -> BTreeMap<String, String> {
        new.iter().map(|feed| (feed.id.clone(), feed.url.clone())).collect()
    };
    assert_eq!(ids(&again.new), ids(&taken.new), "{list}");
});
