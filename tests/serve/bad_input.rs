//! Requests as they should not be: each has a plain answer, and the next one is answered as ever.

use crate::FEED;
use crate::site::Site;
use crate::site::read;
use std::time::Duration;
use tokio::time::timeout;
use visnyk::serve::Limits;

/// What the server says to these bytes before it closes.
async fn said(site: &Site, words: &str) -> Vec<u8> {
    let said = timeout(Duration::from_mins(1), site.say(words)).await;
    said.unwrap_or_else(|_| panic!("no end of {words:.60?}"))
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_told_so() {
    let site = Site::start(Limits::default()).await;
    for path in [
        "/..",
        "/../all.atom",
        "/regions/../../etc/passwd",
        "/regions/../all.atom",
        "/%2e%2e/all.atom",
        "/regions/%2e%2e/all.atom",
        "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/all.atom%00",
        "/%00",
        "/regions/kharkivska%00.atom",
        "/%c0%af",
        "/regions%c0%afkharkivska.atom",
        "/regions%2fkharkivska.atom",
        "/regions%5ckharkivska.atom",
        "/regions/unknown.atom",
        "/tags/unknown.json",
        "/regions/kharkivska/tags/unknown.atom",
        "/all/archive/99999999999999999999.atom",
        "/all/archive/-1.atom",
        "/all/archive/0x10.atom",
        "/all/99999999999999999999.json",
        "/%",
        "/%zz.atom",
        "/all.atom;v=1",
        "/all.atom.gz",
    ] {
        let answer = site.get(path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("There is no such page here"), "{path}");
        assert!(!answer.text().contains(path.trim_start_matches('/')), "{path} is repeated");
    }
    assert_eq!(site.get("/all.atom?page=99999999999999999999", &[]).await.status, 200);
}

#[tokio::test]
async fn a_range_is_not_heeded_and_none_is_offered() {
    let site = Site::start(Limits::default()).await;
    let whole = site.get(FEED, &[]).await;
    for range in ["bytes=0-9", "bytes=5-", "bytes=-5", "bytes=99999999-", "bytes=0-1,3-4", "x"] {
        let answer = site.get(FEED, &[("Range", range), ("If-Range", "\"x\"")]).await;
        assert_eq!((answer.status, &answer.body), (200, &whole.body), "{range}");
        assert_eq!((answer.header("accept-ranges"), answer.header("content-range")), ("", ""));
    }
}

#[tokio::test]
async fn validators_that_are_none_are_answered_in_full() {
    let site = Site::start(Limits::default()).await;
    let tag = site.get(FEED, &[]).await.header("etag").to_owned();
    let (bare, open) = (tag.trim_matches('"'), tag.trim_end_matches('"'));
    let many = vec!["\"x\""; 1000].join(",");
    for nonsense in ["", "\"", "W/", "W/\"", bare, open, "**", "\u{454}", ",,,", &many] {
        let answer = site.get(FEED, &[("If-None-Match", nonsense)]).await;
        assert_eq!(answer.status, 200, "{nonsense:.20}");
    }
    for nonsense in ["", "0", "-1", "Thu, 99 Jan 2026 99:99:99 GMT", "\u{454}"] {
        let answer = site.get(FEED, &[("If-Modified-Since", nonsense)]).await;
        assert_eq!(answer.status, 200, "{nonsense}");
    }
}

#[tokio::test]
async fn heads_that_are_too_long_are_refused_in_words() {
    let site = Site::start(Limits::default()).await;
    let header =
        |bytes| format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(bytes));
    let target = |bytes| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(bytes));
    let many = |headers| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(headers));
    for (words, status) in [
        (header(64 * 1024), 431),
        (header(20 * 1024), 431),
        (target(9 * 1024), 414),
        (target(60 * 1024), 414),
    ] {
        let answer = read(&said(&site, &words).await);
        assert_eq!(answer.status, status, "{words:.20}");
        assert_eq!(answer.header("connection"), "close");
        assert!(answer.text().contains("too long"), "{words:.20}");
        assert!(answer.text().contains("Задовг"), "{words:.20}");
    }
    // What is beyond reading is refused without words.
    for (words, statuses) in
        [(header(1_000_000), [431, 431]), (target(1_000_000), [414, 431]), (many(100), [431, 431])]
    {
        let answer = read(&said(&site, &words).await);
        assert!(statuses.contains(&answer.status), "{words:.20}: {}", answer.status);
    }
    assert_eq!(site.get(FEED, &[]).await.status, 200);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let site = Site::start(Limits::default()).await;
    for words in [
        "\0\0\0\0\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n",
    ] {
        let said = said(&site, words).await;
        assert!(said.starts_with(b"HTTP/1.1 400"), "{words:?}: {}", String::from_utf8_lossy(&said));
    }
    assert_eq!(site.get(FEED, &[]).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_at_once_and_no_body_is_waited_for() {
    let site = Site::start(Limits::default()).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = site.ask(method, FEED, &[]).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        assert!(answer.text().contains("GET"));
    }
    assert_eq!(site.ask("POST", "/nothing", &[]).await.status, 404);
    for (headers, body) in [
        ("Content-Length: 1000000000000", ""),
        ("Content-Length: 500000", &*"x".repeat(500_000)),
        ("Transfer-Encoding: chunked", "5\r\nhel"),
        ("Content-Length: 10\r\nExpect: 100-continue", ""),
    ] {
        let words = format!("POST {FEED} HTTP/1.1\r\nHost: a\r\n{headers}\r\n\r\n{body}");
        let answer = read(&said(&site, &words).await);
        assert_eq!((answer.status, answer.header("connection")), (405, "close"), "{headers}");
    }
}

#[tokio::test]
async fn scripts_of_other_sites_may_ask_for_feeds() {
    let site = Site::start(Limits::default()).await;
    let preflight = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "GET")];
    for (path, open) in
        [(FEED, "*"), ("/all.json", "*"), ("/feeds.opml", "*"), ("/", ""), ("*", "")]
    {
        let answer = site.ask("OPTIONS", path, &preflight).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{path}");
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        assert_eq!(answer.header("access-control-allow-origin"), open, "{path}");
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers.contains("If-None-Match"), open == "*", "{path}");
    }
    assert_eq!(site.ask("OPTIONS", "/nothing", &preflight).await.status, 404);
    let answer = site.get(FEED, &[("Origin", "https://other.example")]).await;
    assert_eq!(answer.header("access-control-expose-headers"), "ETag, IM");
}

#[tokio::test]
async fn a_title_can_be_anything_and_its_page_stays_safe() {
    let site = Site::start(Limits::default()).await;
    let long = "Довга назва ".repeat(100 * 1024 / "Довга назва ".len());
    for (number, title) in
        ["]]>", "</script><script>alert(1)</script>", "\u{202e}txt.exe\u{2066}", "<!--", &long]
            .into_iter()
            .enumerate()
    {
        let mut article = crate::sample::plain("mirror", &format!("odd{number}"), 60);
        title.clone_into(&mut article.title);
        site.add(article).await;
    }
    let atom = site.get("/sources/mirror.atom", &[]).await;
    let mut reader = quick_xml::Reader::from_str(atom.text());
    reader.config_mut().check_end_names = true;
    let mut entries = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(start) if start.name().as_ref() == "entry" => {
                entries += 1;
            }
            _ => {}
        }
    }
    assert_eq!(entries, 5);
    assert!(!atom.text().contains("<script"));
    let json = site.get("/sources/mirror.json", &[]).await;
    let json: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    let titles: Vec<_> = json["items"].as_array().unwrap().iter().map(|i| &i["title"]).collect();
    assert!(titles.iter().any(|title| title.as_str().unwrap().contains("</script>")));
    assert_eq!(titles.len(), 5);
    assert!(!site.get("/", &[]).await.text().contains("<script"));
}
