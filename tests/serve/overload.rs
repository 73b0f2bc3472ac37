//! More clients than there are places, and clients that take their time.

use crate::FEED;
use crate::site::Site;
use crate::site::read;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use visnyk::serve::Limits;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);
const ROBOTS: &[u8] = b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n";

/// A connection over which one answer has come.
async fn kept(site: &Site) -> TcpStream {
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    answered(&mut stream).await;
    stream
}

/// Asks over a connection, and reads the whole answer.
async fn answered(stream: &mut TcpStream) {
    stream.write_all(ROBOTS).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"/sitemap.xml\n") {
        assert_ne!(stream.read_buf(&mut said).await.unwrap(), 0, "closed before the answer");
    }
    assert!(said.starts_with(b"HTTP/1.1 200 OK"));
}

/// Whether the server closes a connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    !matches!(timeout(PATIENCE, stream.read(&mut [0; 64])).await, Ok(Ok(1..)) | Err(_))
}

/// A connection whose answer waits for the client: 32 requests for the page, and nothing read.
async fn greedy(site: &Site) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(site.address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2000);
    // It stops taking requests when it cannot send answers.
    _ = timeout(Duration::from_millis(300), stream.write_all(request.as_bytes())).await;
    stream
}

#[tokio::test]
async fn the_connection_that_is_idle_for_longest_goes_for_a_new_one() {
    let site = Site::start(Limits { connections: 3, ..Limits::default() }).await;
    let mut first = kept(&site).await;
    let mut second = kept(&site).await;
    let mut third = kept(&site).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    answered(&mut first).await;
    let _fourth = kept(&site).await;
    assert!(is_closed(&mut second).await);
    answered(&mut first).await;
    answered(&mut third).await;
}

#[tokio::test]
async fn who_finds_no_place_is_told_to_come_again_and_later_there_is_one() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let site = Site::start(limits).await;
    let busy = [greedy(&site).await, greedy(&site).await];
    for _ in 0..100 {
        let refused = site.get(FEED, &[]).await;
        assert_eq!(refused.status, 503);
        for (name, expected) in [
            ("retry-after", "60"),
            ("cache-control", "no-store"),
            ("content-type", "text/plain; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("connection", "close"),
        ] {
            assert_eq!(refused.header(name), expected, "{name}");
        }
        assert_eq!(refused.header("content-length"), refused.body.len().to_string());
        assert!(refused.text().contains("too many visitors"));
        assert!(refused.text().contains("забагато відвідувачів"));
    }
    drop(busy);
    let again = async { while site.get(FEED, &[]).await.status != 200 {} };
    timeout(PATIENCE, again).await.expect("there is a place again");
}

#[tokio::test]
async fn who_takes_too_long_for_an_answer_loses_the_place_to_another() {
    let request = Duration::from_millis(200);
    let site = Site::start(Limits { connections: 2, request, ..Limits::default() }).await;
    let _busy = [greedy(&site).await, greedy(&site).await];
    let served = async { while site.get(FEED, &[]).await.status != 200 {} };
    timeout(PATIENCE, served).await.expect("a slow client's place is given to another");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_503() {
    let request = Duration::ZERO;
    let site = Site::start(Limits { request, ..Limits::default() }).await;
    let late = site.get("/all.atom", &[]).await;
    assert_eq!((late.status, late.header("retry-after")), (503, "60"));
    assert!(late.text().contains("not available"));
    // It is made nevertheless, for whoever asks next.
    let made = async { while site.get("/all.atom", &[]).await.status != 200 {} };
    timeout(PATIENCE, made).await.expect("the document is made once it was asked for");
    assert_eq!(site.documents.renderings(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_byte_for_byte_costs_nobody_else_anything() {
    let lifetime = Duration::from_secs(2);
    let grace = Duration::from_millis(200);
    let site = Site::start(Limits { connections: 8, lifetime, grace, ..Limits::default() }).await;
    let mut slow = greedy(&site).await;
    let reading = tokio::spawn(async move {
        let mut byte = [0];
        while slow.read_exact(&mut byte).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if slow.write_all(b"G").await.is_err() {
                break;
            }
        }
    });
    let mut answers = 0;
    while !reading.is_finished() {
        assert_eq!(site.get(FEED, &[]).await.status, 200);
        answers += 1;
        assert!(answers < 1_000_000, "the slow client never ends");
    }
    assert!(answers > 10, "{answers}");
}

/// As many descriptors as this process may have open.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(3).unwrap().parse().unwrap_or(1 << 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_idle_connections_keep_nobody_waiting() {
    // Both ends are in this process, and other tests run beside it.
    let many = (descriptors().saturating_sub(8000) / 2).clamp(100, 10_000);
    for places in [Limits::default().connections, many + 100] {
        let site = Site::start(Limits { connections: places, ..Limits::default() }).await;
        let mut idle = Vec::new();
        for number in 0..many {
            let mut stream = TcpStream::connect(site.address).await.unwrap();
            if number % 2 == 0 {
                // Some begin to say something.
                stream.write_all(b"GET /all").await.unwrap();
            }
            idle.push(stream);
            if number % 500 == 0 {
                assert_eq!(site.get(FEED, &[]).await.status, 200);
            }
        }
        let asking = async {
            for _ in 0..20 {
                assert_eq!(site.get(FEED, &[]).await.status, 200);
            }
        };
        let came = std::time::Instant::now();
        asking.await;
        println!("{many} idle connections, {places} places: 20 answers in {:?}", came.elapsed());
        // With a place for each of them, the first is still there, else it went for the others.
        let mut first = idle.swap_remove(0);
        if places > many {
            first
                .write_all(b".json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await
                .unwrap();
            let mut said = Vec::new();
            first.read_to_end(&mut said).await.unwrap();
            assert_eq!(read(&said).status, 200);
        } else {
            assert!(is_closed(&mut first).await);
        }
    }
}
