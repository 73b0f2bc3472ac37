//! The store in a file and back: nothing is lost, nothing damaged is used, and a damaged store comes
//! back by itself.

mod files;
#[path = "../store/material.rs"]
#[expect(dead_code, reason = "the tests of the store need more of it")]
mod material;
mod mending;
mod versions;

use crate::material::article;
use crate::material::at;
use crate::material::document;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::material::provenance;
use crate::material::publication;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use visnyk::backup::file::read;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Outcome;
use visnyk::model::exchange::Poll;
use visnyk::model::exchange::Tally;
use visnyk::model::exchange::Validators;
use visnyk::model::front::Closing;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::id::Digest;
use visnyk::model::known::Change;
use visnyk::model::known::Harvest;
use visnyk::model::publication::Publication;
use visnyk::model::publication::Selection;
use visnyk::store::Store;

const FEEDS: [&str; 3] = ["kyiv", "lviv", "odesa"];

fn composed() -> Vec<Publication> {
    vec![publication("some", "a")]
}

fn history(n: i64) -> History {
    let poll = Poll {
        at: at(n),
        duration: Duration::from_millis(120),
        outcome: Outcome::Read,
        bytes: 10,
        tally: Tally { entries: 1, ..Tally::default() },
        repairs: vec!["a bare ampersand".to_owned()],
    };
    History {
        address: "https://city.example/rss".to_owned(),
        validators: Some(Validators {
            address: "https://city.example/rss".to_owned(),
            etag: Some(b"W/\"1\xff\"".to_vec()),
            last_modified: Some(b"Mon, 03 Jul 2023 11:16:00 GMT".to_vec()),
        }),
        last_success: Some(at(n)),
        polls: vec![poll],
        ..History::default()
    }
}

fn fresh(feed: &str, key: &str, n: i64) -> Article {
    let mut article = article(feed, key, 1_688_000_000 + n * 60);
    article.labels = labels(if n % 2 == 0 { "r:kyivska t:a" } else { "r:lvivska t:b" });
    article.point = Some((50.450_034, 30.524_136_1));
    article
}

async fn poll(store: &Store, id: &str, n: i64, changes: Vec<Change>) {
    let provenances = changes.iter().filter_map(|change| match change {
        Change::Added(article) => Some((article.id, provenance(article))),
        _ => None,
    });
    let provenances = provenances.collect();
    let document = Some(Arc::new(document(id, usize::try_from(n).unwrap())));
    let harvest = Harvest { changes, document, provenances };
    store.commit(feed(id), history(n), harvest, at(1_690_000_000 + n)).await.unwrap();
}

/// A store with something of everything.
async fn fill(directory: &Path, articles: i64) -> Store {
    let store = Store::open(directory, composed()).unwrap();
    for id in FEEDS {
        let added = (0..articles).map(|n| Change::Added(fresh(id, &n.to_string(), n)));
        let added: Vec<Change> = added.collect();
        for (n, some) in added.chunks(40).enumerate() {
            poll(&store, id, i64::try_from(n).unwrap(), some.to_vec()).await;
        }
    }
    let page = (10..20).map(|n| vec![fresh("kyiv", &n.to_string(), n).id]).collect();
    let hidden = vec![(fresh("lviv", "12", 12).id, fresh("kyiv", "12", 12).id)];
    let closing = Closing { pages: vec![page], hidden };
    store.close_pages(&Selection::All, 0, closing, at(1_690_000_100)).await.unwrap();
    let region = Selection::at("regions/kyivska").unwrap();
    let page = vec![vec![fresh("kyiv", "14", 14).id], vec![fresh("kyiv", "16", 16).id]];
    let closing = Closing { pages: vec![page], hidden: Vec::new() };
    store.close_pages(&region, 0, closing, at(1_690_000_110)).await.unwrap();
    let edited = Article {
        title: "Виправлено \u{1}\"так\"".to_owned(),
        revision: 1,
        updated: at(1_690_000_200),
        ..fresh("kyiv", "11", 11)
    };
    let relabelled = Article { labels: labels("t:b"), ..fresh("kyiv", "14", 14) };
    let read = Change::Unchanged(fresh("kyiv", "30", 30).id, Some(77));
    let changes = vec![Change::Updated(edited), Change::Relabelled(relabelled), read];
    poll(&store, "kyiv", 50, changes).await;
    for (key, by) in [("3", Remover::Admin), ("4", Remover::Source)] {
        let removal = Removal { by, why: "court order".to_owned(), at: at(1_690_000_300) };
        store.remove(fresh("odesa", key, 3).id, removal).await.unwrap().unwrap();
    }
    store.add_reads(BTreeMap::from([(fresh("kyiv", "1", 1).id, 5)])).await.unwrap();
    store.relabel(Digest::of(["rules"]), Box::new(|_| None), at(1_690_000_400)).await.unwrap();
    assert_eq!(store.audit().await, Ok(Vec::new()));
    store
}

/// The lines of a backup, but for its head and its end.
fn lines(path: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    read(path, |line| {
        lines.push(String::from_utf8(line.to_vec()).unwrap());
        Ok(())
    })
    .unwrap_or_else(|error| panic!("{error}"));
    lines
}

/// All that a reader of the store sees.
async fn seen(store: &Store) -> String {
    let mut seen = String::new();
    for (selection, shelf) in store.shelves().await.unwrap() {
        let front = store.front(&selection, 100).await.unwrap();
        let newest = store.newest(&selection, 5).await.unwrap();
        writeln!(seen, "{selection:?} {shelf:?}\n{front:?}\n{newest:?}").unwrap();
        for number in store.page_numbers(&selection).await.unwrap() {
            writeln!(seen, "{:?}", store.page(&selection, number).await.unwrap()).unwrap();
        }
    }
    for feed in FEEDS.map(feed_id) {
        writeln!(seen, "{:?}", store.kept(&feed).await.unwrap()).unwrap();
        writeln!(seen, "{:?}", store.history(&feed).await.unwrap()).unwrap();
    }
    for id in store.ids().await.unwrap() {
        writeln!(seen, "{:?}", store.surroundings(id).await.unwrap()).unwrap();
        writeln!(seen, "{:?}", store.trail(id).await.unwrap()).unwrap();
    }
    for key in ["3", "4"] {
        let id = fresh("odesa", key, 3).id;
        writeln!(seen, "{:?}", store.removal(id).await.unwrap()).unwrap();
    }
    seen
}
