//! What a client that has an older version of a feed is given (RFC 3229 with `feed`), and the
//! pages of an archive, by a client that speaks HTTP byte for byte.

use crate::sample;
use crate::sample::plain;
use crate::site::Answer;
use crate::site::Site;
use atom_syndication::Feed;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use visnyk::model::article::Article;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::known::Change;
use visnyk::serve::Limits;

const FEED: &str = "/sources/mirror.atom";
const DELTA: (&str, &str) = ("A-IM", "feed");

fn read(answer: &Answer) -> Feed {
    Feed::read_from(answer.body.as_slice()).unwrap()
}

/// The titles of the entries.
fn titles(answer: &Answer) -> BTreeSet<String> {
    read(answer).entries.into_iter().map(|entry| entry.title.value).collect()
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("Новина {name}")).collect()
}

async fn site() -> Site {
    let site = Site::start(Limits::default()).await;
    for (name, minutes) in [("a", 0), ("b", 10), ("c", 20)] {
        site.add(plain("mirror", name, minutes)).await;
    }
    site
}

#[tokio::test]
async fn a_client_is_given_what_is_new_and_what_has_changed() {
    let site = site().await;
    let first = site.get(FEED, &[]).await;
    let tag = first.header("etag").to_owned();
    site.add(plain("mirror", "d", 5)).await;
    let mut edited = plain("mirror", "a", 0);
    edited.title = "Новина a, виправлена".to_owned();
    edited.revision = 1;
    edited.updated += TimeDelta::hours(1);
    site.commit(Change::Updated(edited)).await;
    let delta = site.get(FEED, &[DELTA, ("If-None-Match", &tag)]).await;
    assert_eq!(delta.status, 226);
    assert_eq!(titles(&delta), named(&["d", "a, виправлена"]));
    for (name, expected) in [
        ("im", "feed"),
        ("cache-control", "no-store, im"),
        ("vary", "Accept-Encoding, A-IM, If-None-Match"),
        ("content-type", "application/atom+xml; charset=utf-8"),
    ] {
        assert_eq!(delta.header(name), expected, "{name}");
    }
    let whole = site.get(FEED, &[]).await;
    assert_eq!(whole.status, 200);
    assert_eq!(titles(&whole), named(&["a, виправлена", "b", "c", "d"]));
    assert_eq!(delta.header("etag"), whole.header("etag"), "it is now at the whole document");
    assert_eq!(delta.header("last-modified"), whole.header("last-modified"));
    assert_eq!(read(&delta).id, read(&whole).id);
    assert_eq!(read(&delta).links, read(&whole).links);
    let head = site.ask("HEAD", FEED, &[DELTA, ("If-None-Match", &tag)]).await;
    assert_eq!((head.status, head.body.len()), (226, 0));
    assert_eq!(head.header("content-length"), delta.body.len().to_string());
    // Who has it all is told so, delta or not.
    let own = whole.header("etag");
    assert_eq!(site.get(FEED, &[DELTA, ("If-None-Match", own)]).await.status, 304);
    // Of several versions the newest counts.
    let several = format!("\"nonsense\", {tag}, W/{}", first.header("etag"));
    assert_eq!(site.get(FEED, &[DELTA, ("If-None-Match", &several)]).await.body, delta.body);
}

#[tokio::test]
async fn a_delta_comes_in_the_coding_that_the_client_wants() {
    let site = site().await;
    let zipped = ("Accept-Encoding", "gzip");
    let first = site.get(FEED, &[zipped]).await;
    site.add(plain("mirror", "d", 30)).await;
    let delta = site.get(FEED, &[DELTA, zipped, ("If-None-Match", first.header("etag"))]).await;
    assert_eq!((delta.status, delta.header("content-encoding")), (226, "gzip"));
    assert_eq!(delta.header("etag"), site.get(FEED, &[zipped]).await.header("etag"));
    assert_ne!(delta.header("etag"), site.get(FEED, &[]).await.header("etag"));
    let mut plain = Vec::new();
    let body = delta.body.as_slice();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(body), &mut plain).unwrap();
    let entries = Feed::read_from(plain.as_slice()).unwrap().entries;
    assert_eq!(entries.len(), 1);
}

#[tokio::test]
async fn the_whole_is_given_to_whom_a_delta_would_not_serve() {
    let site = site().await;
    let tag = site.get(FEED, &[]).await.header("etag").to_owned();
    site.add(plain("mirror", "d", 30)).await;
    let other = tag.replacen(|c: char| c.is_ascii_hexdigit(), "x", 1);
    let stranger = {
        let (front, _) = tag.trim_end_matches('"').rsplit_once('.').unwrap();
        format!("{front}.0\"")
    };
    let old = format!("\"{}.0.{}", "0".repeat(32), tag.rsplit_once('.').unwrap().1);
    let zero = ("A-IM", "feed;q=0");
    for (status, headers) in [
        (226, vec![DELTA, ("If-None-Match", tag.as_str())]),
        (226, vec![("A-IM", "vcdiff, Feed;q=0.5"), ("If-None-Match", &tag)]),
        // The version counts, and not the bytes that were.
        (226, vec![DELTA, ("If-None-Match", &other)]),
        (200, vec![("If-None-Match", &tag)]),
        (200, vec![DELTA]),
        (200, vec![zero, ("If-None-Match", &tag)]),
        (200, vec![("A-IM", "vcdiff"), ("If-None-Match", &tag)]),
        // Its library asks for deltas, and it takes their status for a failure.
        (200, vec![DELTA, ("If-None-Match", &tag), ("User-Agent", "rss2email/3.13.1 (https://a)")]),
        (200, vec![DELTA, ("If-None-Match", &tag), ("User-Agent", "feedparser/6.0.10 +https://a")]),
        (226, vec![DELTA, ("If-None-Match", &tag), ("User-Agent", "reader/1 (with feedparser)")]),
        (200, vec![DELTA, ("If-None-Match", "\"abc\"")]),
        (200, vec![DELTA, ("If-None-Match", "abc, \",\"")]),
        // Under other names of labels all entries are new.
        (200, vec![DELTA, ("If-None-Match", &stranger)]),
        // All is new.
        (200, vec![DELTA, ("If-None-Match", &old)]),
        (304, vec![DELTA, ("If-None-Match", "*")]),
    ] {
        assert_eq!(site.get(FEED, &headers).await.status, status, "{headers:?}");
    }
    let json = FEED.replace("atom", "json");
    let answer = site.get(&json, &[DELTA, ("If-None-Match", &tag)]).await;
    assert_eq!((answer.status, answer.header("vary")), (200, "Accept-Encoding"));
}

#[tokio::test]
async fn what_was_taken_away_is_told_with_the_whole_and_with_deltas() {
    let site = site().await;
    let tag = site.get(FEED, &[]).await.header("etag").to_owned();
    let gone = plain("mirror", "b", 10);
    let at = sample::at("2023-07-03T12:30:00Z");
    let removal = Removal { by: Remover::Admin, why: "test".to_owned(), at };
    let stale = site.store.remove(gone.id, removal).await.unwrap().unwrap();
    site.documents.touch(&stale);
    // Which entry stands for a story may be another now: whoever has an older version gets all.
    let whole = site.get(FEED, &[DELTA, ("If-None-Match", &tag)]).await;
    assert_eq!((whole.status, titles(&whole)), (200, named(&["a", "c"])));
    site.add(plain("mirror", "d", 30)).await;
    let delta = site.get(FEED, &[DELTA, ("If-None-Match", whole.header("etag"))]).await;
    assert_eq!((delta.status, titles(&delta)), (226, named(&["d"])));
    for answer in [&whole, &delta] {
        let tombs = &read(answer).extensions["at"]["deleted-entry"];
        assert_eq!(tombs[0].attrs["ref"], gone.iri);
    }
}

#[tokio::test]
async fn a_tag_outlives_the_daemon_that_gave_it() {
    let site = site().await;
    let tag = site.get(FEED, &[]).await.header("etag").to_owned();
    let site = site.again().await;
    assert_eq!(site.get(FEED, &[DELTA, ("If-None-Match", &tag)]).await.status, 304);
    site.add(plain("mirror", "d", 30)).await;
    let delta = site.get(FEED, &[DELTA, ("If-None-Match", &tag)]).await;
    assert_eq!((delta.status, titles(&delta)), (226, named(&["d"])));
}

#[tokio::test]
async fn a_page_of_an_archive_may_be_kept_for_a_year() {
    let site = Site::start(Limits::default()).await;
    let many = 95;
    for n in 0..many {
        site.add(plain("mirror", &format!("n{n}"), n)).await;
    }
    let mut path = "/sources/mirror.atom".to_owned();
    let mut seen = BTreeSet::new();
    let mut pages = 0;
    loop {
        let answer = site.get(&path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        let expected = if pages == 0 {
            "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400"
        } else {
            assert_eq!(read(&answer).entries.len(), 10, "{path}");
            "public, max-age=31536000, immutable"
        };
        assert_eq!(answer.header("cache-control"), expected, "{path}");
        for entry in read(&answer).entries {
            assert!(seen.insert(entry.id), "{path}");
        }
        let json: serde_json::Value = {
            let twin = site.get(&path.replace(".atom", ".json"), &[]).await;
            serde_json::from_slice(&twin.body).unwrap()
        };
        let previous = read(&answer).links.into_iter().find(|link| link.rel == "prev-archive");
        let previous = previous.map(|link| link.href);
        let next = json["next_url"].as_str().map(|url| url.replace(".json", ".atom"));
        assert_eq!(previous, next);
        let Some(previous) = previous else { break };
        path = previous.strip_prefix("https://visnyk.example").unwrap().to_owned();
        pages += 1;
    }
    assert_eq!((seen.len(), pages), (usize::try_from(many).unwrap(), 7));
    for path in [
        "/sources/mirror/archive/8.atom",
        "/sources/mirror/archive/0.atom",
        "/sources/mirror/archive/01.atom",
        "/sources/mirror/archive/8.json",
        "/all/archive/99999999999999999999.atom",
        "/all/archive/18446744073709551615.atom",
        "/sources/nobody/archive/1.atom",
    ] {
        let answer = site.get(path, &[]).await;
        assert_eq!((answer.status, answer.header("cache-control")), (404, "public, max-age=60"));
    }
}

#[tokio::test]
async fn what_an_archive_shows_follows_no_edit_and_every_removal() {
    let site = Site::start(Limits::default()).await;
    let articles: Vec<Article> = (0..40).map(|n| plain("mirror", &format!("n{n}"), n)).collect();
    for article in &articles {
        site.add(article.clone()).await;
    }
    site.get("/sources/mirror.atom", &[]).await;
    let page = "/sources/mirror/archive/1.atom";
    let first = site.get(page, &[]).await;
    let mut edited = articles[3].clone();
    edited.title = "Новина інша".to_owned();
    edited.revision = 1;
    site.commit(Change::Updated(edited.clone())).await;
    let front = site.get("/sources/mirror.atom", &[]).await;
    assert!(front.text().contains("Новина інша"));
    let again = site.get(page, &[]).await;
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.body, first.body);
    let at = sample::at("2023-07-04T12:30:00Z");
    let removal = Removal { by: Remover::Admin, why: "test".to_owned(), at };
    let stale = site.store.remove(edited.id, removal).await.unwrap().unwrap();
    site.documents.touch(&stale);
    for path in [page, "/sources/mirror.atom"] {
        let text = site.get(path, &[]).await.text().to_owned();
        assert!(!text.contains("Новина n3<") && !text.contains("Новина інша"), "{path}");
        assert!(text.contains("<at:deleted-entry "), "{path}");
    }
}
