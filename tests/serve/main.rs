//! The public listener, by a client that speaks HTTP byte for byte.

use crate::sample::plain;
use crate::site::Answer;
use crate::site::Site;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use visnyk::serve::Limits;
use visnyk::serve::documents::Documents;

mod attacks;
mod bad_input;
mod deltas;
mod overload;
mod pages;
mod pictures;
mod readers;
#[path = "../sample/mod.rs"]
mod sample;
mod site;

pub(crate) const FEED: &str = "/regions/kharkivska.atom";

#[tokio::test]
async fn a_feed_comes_with_everything_that_a_cache_needs() {
    let site = Site::start(Limits::default()).await;
    let answer = site.get(FEED, &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("<published>2023-07-03T14:16:00+03:00</published>"));
    for (name, expected) in [
        ("content-type", "application/atom+xml; charset=utf-8"),
        ("cache-control", "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400"),
        ("vary", "Accept-Encoding, A-IM"),
        ("last-modified", "Mon, 03 Jul 2023 11:30:00 GMT"),
        ("x-content-type-options", "nosniff"),
        ("access-control-allow-origin", "*"),
        ("content-encoding", ""),
        ("server", ""),
    ] {
        assert_eq!(answer.header(name), expected, "{name}");
    }
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    assert!(!answer.header("date").is_empty());
    let head = site.ask("HEAD", FEED, &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "etag", "content-type", "last-modified"] {
        assert_eq!(head.header(name), answer.header(name), "{name}");
    }
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let site = Site::start(Limits::default()).await;
    let tag = site.get(FEED, &[]).await.header("etag").to_owned();
    let gzip_tag = tag.replacen('"', "", 1).replace('"', "-gzip\"");
    let gzip_tag = format!("\"{gzip_tag}");
    let (weak, list) = (format!("W/{tag}"), format!("\"a\", W/\"b\" , {tag}"));
    let modified = "Mon, 03 Jul 2023 11:30:00 GMT";
    let (before, nonsense) = ("Mon, 03 Jul 2023 11:29:59 GMT", "yesterday");
    for (expected, headers) in [
        (304, vec![("If-None-Match", tag.as_str())]),
        (304, vec![("If-None-Match", &weak)]),
        (304, vec![("If-None-Match", &list)]),
        (304, vec![("If-None-Match", "*")]),
        (304, vec![("If-None-Match", "\"other\""), ("If-None-Match", &tag)]),
        (200, vec![("If-None-Match", "\"other\"")]),
        (200, vec![("If-None-Match", "\"other\""), ("If-Modified-Since", modified)]),
        (304, vec![("If-None-Match", &tag), ("If-Modified-Since", before)]),
        (304, vec![("If-Modified-Since", modified)]),
        (304, vec![("If-Modified-Since", "Monday, 03-Jul-23 11:30:00 GMT")]),
        (304, vec![("If-Modified-Since", "Mon Jul  3 11:30:00 2023")]),
        (200, vec![("If-Modified-Since", before)]),
        (200, vec![("If-Modified-Since", nonsense)]),
        (304, vec![("Accept-Encoding", "gzip"), ("If-None-Match", &gzip_tag)]),
        (200, vec![("Accept-Encoding", "gzip"), ("If-None-Match", &tag)]),
    ] {
        let answer = site.get(FEED, &headers).await;
        assert_eq!(answer.status, expected, "{headers:?}");
        assert_eq!(answer.header("vary"), "Accept-Encoding, A-IM");
        assert!(answer.header("etag").starts_with(tag.trim_end_matches('"')));
        assert!(answer.header("cache-control").contains("max-age=300"));
        assert_eq!(answer.body.is_empty(), expected == 304);
    }
}

#[tokio::test]
async fn a_document_comes_in_the_coding_that_the_client_wants() {
    let site = Site::start(Limits::default()).await;
    let plain = site.get(FEED, &[]).await;
    let mut tags = vec![plain.header("etag").to_owned()];
    for (wish, coding) in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0", "")] {
        let answer = site.get(FEED, &[("Accept-Encoding", wish)]).await;
        assert_eq!(answer.header("content-encoding"), coding);
        let mut decoded = Vec::new();
        let body = answer.body.as_slice();
        match coding {
            "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut decoded),
            "br" => brotli::Decompressor::new(body, 4096).read_to_end(&mut decoded),
            "zstd" => zstd::Decoder::new(body).unwrap().read_to_end(&mut decoded),
            _ => Read::read_to_end(&mut &*body, &mut decoded),
        }
        .unwrap();
        assert_eq!(decoded, plain.body, "{wish}");
        tags.push(answer.header("etag").to_owned());
    }
    assert_eq!(tags.pop(), Some(tags[0].clone()));
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4, "codings share an ETag");
    let head = site.ask("HEAD", FEED, &[("Accept-Encoding", "br")]).await;
    let full = site.get(FEED, &[("Accept-Encoding", "br")]).await;
    assert_eq!(head.header("content-length"), full.body.len().to_string());
}

#[tokio::test]
async fn every_address_is_there_and_no_other() {
    let site = Site::start(Limits::default()).await;
    for (path, status, media_type) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/?from=letter", 200, "text/html; charset=utf-8"),
        ("/style.css", 200, "text/css; charset=utf-8"),
        ("/feeds.opml", 200, "text/x-opml; charset=utf-8"),
        ("/robots.txt", 200, "text/plain; charset=utf-8"),
        ("/all.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/tags/partnerstvo.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/regions/kharkivska/tags/partnerstvo.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/regions/lvivska/tags/partnerstvo.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/sources/kharkiv.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/publications/pobratymy.atom", 200, "application/atom+xml; charset=utf-8"),
        ("/all.json", 200, "application/feed+json"),
        ("/regions/kharkivska/tags/partnerstvo.json", 200, "application/feed+json"),
        ("/publications/pobratymy.json", 200, "application/feed+json"),
        ("/regions/nowhere.json", 404, "text/plain; charset=utf-8"),
        ("/.json", 404, "text/plain; charset=utf-8"),
        ("/regions/nowhere.atom", 404, "text/plain; charset=utf-8"),
        ("/regions/kharkivska/tags/nothing.atom", 404, "text/plain; charset=utf-8"),
        ("/regions/Kharkivska.atom", 404, "text/plain; charset=utf-8"),
        ("/regions/kharkivska.rss", 404, "text/plain; charset=utf-8"),
        ("/regions/kharkivska", 200, "text/html; charset=utf-8"),
        ("/uk/regions/kharkivska", 200, "text/html; charset=utf-8"),
        ("/en/sources", 200, "text/html; charset=utf-8"),
        ("/about", 200, "text/html; charset=utf-8"),
        ("/uk/compose", 200, "text/html; charset=utf-8"),
        ("/sitemap.xml", 200, "application/xml"),
        ("/favicon.svg", 200, "image/svg+xml"),
        ("/manifest.webmanifest", 200, "application/manifest+json"),
        ("/uk/all.atom", 404, "text/plain; charset=utf-8"),
        ("/de/all", 404, "text/plain; charset=utf-8"),
        ("/uk/regions/nowhere", 404, "text/plain; charset=utf-8"),
        ("/regions/../all.atom", 404, "text/plain; charset=utf-8"),
        ("//all.atom", 404, "text/plain; charset=utf-8"),
        ("/.atom", 404, "text/plain; charset=utf-8"),
        ("/all.atom/", 404, "text/plain; charset=utf-8"),
    ] {
        let answer = site.get(path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), media_type, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script"));
        let is_feed = media_type.contains("atom+xml") || media_type.contains("feed+json");
        let is_open = is_feed || media_type.contains("opml");
        let open = if is_open { ("*", "cross-origin") } else { ("", "") };
        let origin = answer.header("access-control-allow-origin");
        assert_eq!((origin, answer.header("cross-origin-resource-policy")), open, "{path}");
        if status == 404 {
            assert_eq!(answer.header("cache-control"), "public, max-age=60");
            assert!(answer.text().contains("There is no such page here"));
            assert!(answer.text().contains("Такої сторінки тут немає"));
        }
    }
    let empty = site.get("/regions/lvivska.atom", &[]).await;
    assert!(!empty.text().contains("<entry>"));
    assert_eq!(empty.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_request_and_others_stay_as_they_are() {
    let site = Site::start(Limits::default()).await;
    let before = site.get("/sources/mirror.atom", &[]).await;
    let other = site.get(FEED, &[]).await;
    site.add(plain("mirror", "fresh", 0)).await;
    let renderings = site.documents.renderings();
    let after = site.get("/sources/mirror.atom", &[]).await;
    assert_ne!(before.header("etag"), after.header("etag"));
    assert!(after.text().contains("Новина fresh"));
    assert_eq!(site.get(FEED, &[]).await.header("etag"), other.header("etag"));
    assert_eq!(site.documents.renderings(), renderings + 1);
    assert!(site.get("/sources", &[]).await.text().contains("Новина fresh"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_wait_for_one_rendering() {
    let site = Arc::new(Site::start(Limits::default()).await);
    let asking: Vec<_> = (0..1000)
        .map(|_| {
            let site = site.clone();
            tokio::spawn(async move { site.get(FEED, &[("Accept-Encoding", "br")]).await })
        })
        .collect();
    let mut bodies = BTreeSet::new();
    for asked in asking {
        let answer: Answer = asked.await.unwrap();
        assert_eq!((answer.status, answer.header("content-encoding")), (200, "br"));
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(site.documents.renderings(), 1);
}

#[tokio::test]
async fn documents_that_do_not_fit_are_made_anew() {
    let site = Site::start(Limits::default()).await;
    let one = site.get(FEED, &[]).await.body.len();
    for (room, expected) in [(10 * one, 2), (one + one / 2, 3)] {
        let documents = Documents::within(room, site.config.clone(), site.store.clone());
        for path in [FEED, "/sources/kharkiv.atom", FEED] {
            documents.get(&documents.at(path).unwrap()).await.unwrap();
        }
        assert_eq!(documents.renderings(), expected);
    }
}

#[tokio::test]
async fn without_a_store_old_documents_are_given_out_and_others_are_promised() {
    let site = Site::start(Limits::default()).await;
    let before = site.get(FEED, &[]).await;
    site.store.clone().close().await.unwrap();
    site.documents
        .touch(&[visnyk::model::publication::Selection::at("regions/kharkivska").unwrap()].into());
    let after = site.get(FEED, &[]).await;
    assert_eq!((after.status, after.body), (200, before.body));
    let never = site.get("/all.atom", &[]).await;
    assert_eq!(never.status, 503);
    assert_eq!(never.header("retry-after"), "60");
    assert_eq!(never.header("cache-control"), "no-store");
    assert!(never.text().contains("not available"));
}

#[tokio::test]
async fn who_is_silent_or_slow_is_let_go() {
    let short = Duration::from_millis(200);
    let silent = Limits { idle: short, ..Limits::default() };
    let slow = Limits { header_read: short, ..Limits::default() };
    for (limits, words) in [
        (silent, ""),
        (silent, "GET / HTTP/1.1\r\nHos"),
        (silent, "GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
        (slow, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "),
    ] {
        let site = Site::start(limits).await;
        let said = tokio::time::timeout(Duration::from_secs(20), site.say(words)).await;
        let said = said.unwrap_or_else(|_| panic!("{words:?} kept its connection"));
        assert_eq!(said.starts_with(b"HTTP/1.1 200"), words.contains("robots"));
    }
}

#[tokio::test]
async fn a_server_that_stops_lets_nobody_wait() {
    let site = Site::start(Limits { grace: Duration::from_secs(2), ..Limits::default() }).await;
    let mut kept = TcpStream::connect(site.address).await.unwrap();
    kept.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut begin = [0; 15];
    kept.read_exact(&mut begin).await.unwrap();
    site.stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), site.server).await;
    ended.expect("the server stops").unwrap();
    let mut rest = Vec::new();
    kept.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"/sitemap.xml\n"));
}
