//! What is done on purpose to a server that others stand in front of: names that are not ours,
//! requests in requests, and answers that a browser should take for more than they are.

use crate::FEED;
use crate::site::Answer;
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

/// How many answers stand in what was said.
fn answers(said: &[u8]) -> usize {
    said.windows(9).filter(|part| part.starts_with(b"HTTP/1.1 ")).count()
}

#[tokio::test]
async fn the_same_bytes_whatever_name_a_request_goes_by() {
    let site = Site::start(Limits::default()).await;
    let evil = "evil.example";
    for path in [FEED, "/all.json", "/feeds.opml", "/", "/sitemap.xml", "/robots.txt", "/sources"] {
        let plain = site.get(path, &[]).await;
        for header in [
            ("X-Forwarded-Host", evil),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Prefix", "/evil"),
            ("Forwarded", "host=evil.example;proto=http"),
            ("X-Original-URL", "/evil"),
            ("X-Rewrite-URL", "/evil"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Host", evil),
            ("Referer", "https://evil.example/"),
            ("Cookie", "evil.example=1"),
            ("Authorization", "Bearer evil.example"),
        ] {
            let other = site.get(path, &[header]).await;
            same(&plain, &other, &format!("{path} with {header:?}"));
        }
        for host in [evil, "evil.example:80", "127.0.0.1", "[::1]", "visnyk.example@evil.example"] {
            let words = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let other = read(&said(&site, &words).await);
            same(&plain, &other, &format!("{path} of {host}"));
        }
        let words = format!(
            "GET http://evil.example{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        same(&plain, &read(&said(&site, &words).await), &format!("{path} as a whole address"));
    }
}

fn same(one: &Answer, other: &Answer, what: &str) {
    assert_eq!(other.status, one.status, "{what}");
    assert!(other.body == one.body, "{what}: other bytes");
    for (name, value) in &other.headers {
        assert!(!value.contains("evil"), "{what}: {name}: {value}");
        if name != "date" {
            assert_eq!(one.headers.get(name), Some(value), "{what}: {name}");
        }
    }
    assert!(!other.headers.contains_key("set-cookie") && !other.headers.contains_key("location"));
}

#[tokio::test]
async fn no_request_hides_in_another() {
    let site = Site::start(Limits::default()).await;
    let hidden = "GET /sources HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = hidden.len();
    for head in [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        "Transfer-Encoding: chunked, identity".to_owned(),
        "Transfer-Encoding: identity, chunked\r\nTransfer-Encoding: x".to_owned(),
        "Transfer-Encoding: xchunked".to_owned(),
        "Transfer-Encoding : chunked".to_owned(),
        format!("Content-Length: {length}\r\nContent-Length: 0"),
        format!("Content-Length: +{length}"),
        format!("Content-Length: 0, {length}"),
        "Content-Length: -1".to_owned(),
        "Content-Length: 0x10".to_owned(),
        format!("Content-Length: {length}"),
    ] {
        for method in ["GET", "POST"] {
            let words = format!("{method} {FEED} HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n{hidden}");
            let said = said(&site, &words).await;
            // The second answer would be to what another client had in its body.
            assert!(answers(&said) <= 1, "{method} {head}: {}", String::from_utf8_lossy(&said));
        }
    }
    // Without a body of the first there are two.
    let two = format!(
        "GET {FEED} HTTP/1.1\r\nHost: a\r\n\r\n{}",
        hidden.replace("a\r\n", "a\r\nConnection: close\r\n")
    );
    assert_eq!(answers(&said(&site, &two).await), 2);
}

#[tokio::test]
async fn every_refusal_has_what_keeps_a_browser_from_running_it() {
    let site = Site::start(Limits::default()).await;
    let script = "/%3Cscript%3Ealert(1)%3C/script%3E";
    let long = format!("/{}", "x".repeat(9_000));
    for (method, path, header, status) in [
        ("GET", script, ("Accept", "text/plain"), 404),
        ("GET", script, ("Accept", "text/html"), 404),
        ("GET", "/?q=%3Cscript%3Ealert(1)%3C/script%3E", ("Accept", "text/html"), 200),
        ("GET", "/compose?region=%22%3E%3Cscript%3E&tag=x", ("Accept", "text/html"), 200),
        ("POST", "/", ("Accept", "text/html"), 405),
        ("GET", &*long, ("Accept", "text/html"), 414),
        ("GET", "/", ("X-Long", &*"x".repeat(20_000)), 431),
        ("GET", "/", ("Host", "second.example"), 400),
        ("GET", "/articles/0123456789abcdef0123456789abcdef", ("Accept", "text/html"), 404),
    ] {
        let answer = site.ask(method, path, &[header]).await;
        let what = format!("{method} {path:.60}");
        assert_eq!(answer.status, status, "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script"), "{what}");
        assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
        assert!(!answer.text().contains("<script"), "{what}: {}", answer.text());
    }
}
