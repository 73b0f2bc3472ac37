//! That no redirect and no name leads to an address that is not public.

use super::*;
use crate::crontab::Crontab;
use crate::model::feed::TaggingEntity;
use crate::model::id::FeedId;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

/// 127.0.0.2 plays the public internet; everything else is as it is.
fn refusal(ip: IpAddr) -> Option<&'static str> {
    if ip.to_string() == "127.0.0.2" { None } else { guard::refusal(ip) }
}

/// A fetcher whose names have the addresses of the first answer, then those of the second,
/// and so on; the last again and again.
fn fetcher(answers: &[&[&str]]) -> Fetcher {
    let parse = |ips: &&[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect();
    let answers: VecDeque<Vec<IpAddr>> = answers.iter().map(parse).collect();
    let answers = Mutex::new(answers);
    let lookup: Lookup = Arc::new(move |_| {
        let mut answers = answers.lock().unwrap();
        let ips = answers[0].clone();
        if answers.len() > 1 {
            answers.pop_front();
        }
        Box::pin(async move {
            if ips.is_empty() { Err(io::Error::other("no such name")) } else { Ok(ips) }
        })
    });
    let settings = Settings {
        user_agent: "visnyk".to_owned(),
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        body_bytes_max: 1024,
        concurrency: 4,
        per_host: 1,
        host_pause: Duration::ZERO,
        proxy: None,
        clock: Clock::new(Utc::now),
    };
    Fetcher::guarded_by(refusal, lookup, settings).unwrap()
}

fn feed(url: &str) -> Feed {
    let address = Address::Http(url.parse().unwrap());
    let tagging = TaggingEntity {
        authority: "site.example".to_owned(),
        since: "2026-01-01".parse().unwrap(),
    };
    let (id, schedule) = (FeedId::new("kharkiv").unwrap(), Crontab::parse("@hourly").unwrap());
    Feed::new(id, address, schedule, tagging)
}

/// A server at 127.0.0.2 that answers every request the same way; its port.
async fn public_server(answer: impl Fn(&str) -> String + Send + 'static) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let _ = stream.write_all(answer(&request).as_bytes()).await;
        }
    });
    port
}

/// A listener that nobody must reach.
fn trap(ip: &str) -> Option<TcpListener> {
    let listener = TcpListener::bind((ip, 0)).ok()?;
    listener.set_nonblocking(true).unwrap();
    Some(listener)
}

fn was_reached(trap: &TcpListener) -> bool {
    !matches!(trap.accept(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_redirect_to_an_address_that_is_not_public_makes_no_connection() {
    let traps: Vec<TcpListener> = ["127.0.0.1", "::1"].into_iter().filter_map(trap).collect();
    assert!(!traps.is_empty());
    let port = public_server(|request| {
        let location = request.split([' ', '?']).nth(2).unwrap_or_default();
        // The status is the part of the path before the question mark.
        let status = request.split(['/', '?']).nth(1).filter(|text| !text.is_empty());
        let status = status.unwrap_or("302");
        format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\nconnection: close\r\n\r\n")
    })
    .await;
    let fetcher = fetcher(&[&["127.0.0.1"]]);
    for trap in &traps {
        let port_of_trap = trap.local_addr().unwrap().port();
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0",
            "127.0.0.1.",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "localhost",
            "localhost.",
            "a.localhost",
            "innocent.example",
            "user@127.0.0.1",
            "127%2e0.0.1",
        ] {
            for status in [301, 302, 303, 307, 308] {
                let target = format!("http://{host}:{port_of_trap}/");
                let url = format!("http://127.0.0.2:{port}/{status}?{target}");
                let outcome = fetcher.fetch(&feed(&url), &Request::default()).await;
                let Fetched::Failed(FetchError::Refused { reason, .. }) = outcome else {
                    panic!("{status} to {target}: {outcome:?}");
                };
                assert!(!reason.is_empty());
                println!("{status} to {host:<28} {reason}");
            }
        }
    }
    for target in
        ["file:///etc/passwd", "gopher://a/1", "data:text/xml,<rss/>", "javascript:x", "ftp://a/"]
    {
        let outcome = fetcher
            .fetch(&feed(&format!("http://127.0.0.2:{port}/302?{target}")), &Request::default())
            .await;
        let refused = matches!(outcome, Fetched::Failed(FetchError::Redirect { .. }));
        assert!(refused, "{target}: {outcome:?}");
    }
    assert!(!traps.iter().any(was_reached));
}

#[tokio::test]
async fn a_name_is_refused_for_one_address_and_whenever_it_changes() {
    let trap = trap("127.0.0.1").unwrap();
    let trapped = trap.local_addr().unwrap().port();
    let url = format!("http://city.example:{trapped}/");
    let mixed =
        fetcher(&[&["127.0.0.2", "127.0.0.1"]]).fetch(&feed(&url), &Request::default()).await;
    let refused = FetchError::Refused {
        url: url.clone(),
        reason: "`city.example` is at 127.0.0.1, a loopback address".to_owned(),
    };
    assert_eq!(mixed, Fetched::Failed(refused.clone()));

    // Public when first asked, and ours afterwards.
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let port = public_server(|_| answer.to_owned()).await;
    let rebound = fetcher(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let first =
        rebound.fetch(&feed(&format!("http://city.example:{port}/")), &Request::default()).await;
    assert!(matches!(first, Fetched::Document { .. }), "{first:?}");
    assert_eq!(rebound.fetch(&feed(&url), &Request::default()).await, Fetched::Failed(refused));
    assert!(!was_reached(&trap));

    let unknown = fetcher(&[&[]]).fetch(&feed(&url), &Request::default()).await;
    let Fetched::Unreachable(FetchError::Connection { reason, .. }) = unknown else {
        panic!("{unknown:?}");
    };
    assert!(reason.contains("no such name"), "{reason}");
}

#[test]
fn an_address_is_shown_without_what_is_secret_in_it() {
    let url = "https://user:canary@city.example:8443/feed?token=canary#canary";
    assert_eq!(shown(&url.parse().unwrap()), "https://city.example:8443/feed");
    let long = format!("https://city.example/{}", "x".repeat(1_000));
    assert_eq!(shown(&long.parse().unwrap()).chars().count(), error::REASON_CHARS_MAX + 1);
}
