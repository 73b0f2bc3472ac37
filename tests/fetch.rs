//! Fetching from a real server on loopback, which says exactly what a case needs.

use chrono::Utc;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use url::Host;
use url::Url;
use visnyk::crontab::Crontab;
use visnyk::fetch::Fetched;
use visnyk::fetch::Fetcher;
use visnyk::fetch::Said;
use visnyk::fetch::Settings;
use visnyk::fetch::error::FetchError;
use visnyk::model::clock::Clock;
use visnyk::model::exchange::Request;
use visnyk::model::exchange::Validators;
use visnyk::model::feed::Access;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::feed::Network;
use visnyk::model::feed::Private;
use visnyk::model::feed::Proxy;
use visnyk::model::feed::TaggingEntity;
use visnyk::model::id::FeedId;

const BODY_BYTES_MAX: u64 = 1024 * 1024;
const SHORT: Duration = Duration::from_millis(200);

/// What the server does with a request.
#[derive(Clone)]
enum Reply {
    /// Says this and closes.
    Say(Vec<u8>),
    /// Says this and nothing more, and waits for the client to go.
    Stall(Vec<u8>),
    /// Says this after a while.
    Late(Vec<u8>),
    /// Says this again and again, until the client goes.
    Repeat(Vec<u8>, Vec<u8>),
    /// Says this, and then a byte from time to time, often enough to be no silence.
    Drip(Vec<u8>),
}

/// A server that answers by the path of the request.
struct Server {
    address: SocketAddr,
    /// The requests as they came, without the empty line.
    requests: Arc<Mutex<Vec<String>>>,
    /// How many connections were made, with or without a request.
    connections: Arc<AtomicUsize>,
    /// How many requests were open at once at most.
    open_most: Arc<AtomicUsize>,
}

impl Server {
    async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_gated("127.0.0.1", None, reply).await
    }

    /// A server that answers only when so many requests are there as the gate wants.
    async fn start_gated(
        ip: &str,
        gate: Option<Arc<Barrier>>,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let open_most: Arc<AtomicUsize> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let server = Self {
            address,
            requests: Arc::clone(&requests),
            connections: Arc::clone(&connections),
            open_most: Arc::clone(&open_most),
        };
        let (reply, open) = (Arc::new(reply), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (requests, reply) = (Arc::clone(&requests), Arc::clone(&reply));
                let (open, open_most) = (Arc::clone(&open), Arc::clone(&open_most));
                let gate = gate.clone();
                tokio::spawn(async move {
                    let Some((mut stream, request)) = read_request(stream).await else { return };
                    let now_open = open.fetch_add(1, Ordering::SeqCst) + 1;
                    open_most.fetch_max(now_open, Ordering::SeqCst);
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    requests.lock().unwrap().push(request);
                    if let Some(gate) = gate {
                        gate.wait().await;
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                    answer(&mut stream, reply(&path)).await;
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(mut stream: TcpStream) -> Option<(TcpStream, String)> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.ok()?;
        request.push(byte);
    }
    Some((stream, String::from_utf8_lossy(&request).trim_end().to_owned()))
}

async fn answer(stream: &mut TcpStream, reply: Reply) {
    match reply {
        Reply::Say(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read_u8().await;
        }
        Reply::Late(bytes) => {
            tokio::time::sleep(SHORT * 3 / 4).await;
            let _ = stream.write_all(&bytes).await;
        }
        Reply::Drip(first) => {
            let mut said = stream.write_all(&first).await;
            while said.is_ok() {
                tokio::time::sleep(SHORT / 20).await;
                said = stream.write_all(b"x").await;
            }
        }
        Reply::Repeat(first, then) => {
            let mut said = stream.write_all(&first).await;
            while said.is_ok() {
                said = stream.write_all(&then).await;
            }
        }
    }
}

fn say(status: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut bytes = format!("HTTP/1.1 {status}\r\nconnection: close\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    Reply::Say(bytes)
}

fn ok(headers: &[&str]) -> Reply {
    say("200 OK", headers, b"<rss/>")
}

fn feed(address: Address) -> Feed {
    let tagging = TaggingEntity {
        authority: "site.example".to_owned(),
        since: "2026-01-01".parse().unwrap(),
    };
    let (id, schedule) = (FeedId::new("kharkiv").unwrap(), Crontab::parse("@hourly").unwrap());
    let access = Access { private: Private::Allowed, ..Access::default() };
    Feed { access, ..Feed::new(id, address, schedule, tagging) }
}

fn at(url: &str) -> Feed {
    feed(Address::Http(url.parse().unwrap()))
}

fn settings() -> Settings {
    Settings {
        user_agent: "visnyk/0.1 (+https://site.example/)".to_owned(),
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(10),
        body_bytes_max: BODY_BYTES_MAX,
        concurrency: 8,
        per_host: 8,
        host_pause: Duration::ZERO,
        proxy: None,
        clock: Clock::new(Utc::now),
    }
}

fn hasty() -> Settings {
    Settings { timeout: SHORT, ..settings() }
}

/// A request without conditions.
const ANEW: Request = Request { relocated: None, validators: None, has_waited: false };

/// A conditional request.
fn with(validators: &Validators) -> Request {
    Request { validators: Some(validators.clone()), ..Request::default() }
}

async fn fetch(url: &str) -> Fetched {
    Fetcher::new(settings()).unwrap().fetch(&at(url), &ANEW).await
}

/// A message of a failure, with the server's address as `HOST`.
fn message(server: &Server, outcome: Fetched) -> String {
    match outcome {
        Fetched::Failed(error) => error.to_string().replace(&server.address.to_string(), "HOST"),
        other => panic!("not a failure: {other:?}"),
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[tokio::test]
async fn a_request_says_who_we_are_and_nothing_that_it_need_not() {
    let server = Server::start(|_| ok(&["set-cookie: a=b", "content-type: text/xml"])).await;
    let fetcher = Fetcher::new(settings()).unwrap();
    for _ in 0..2 {
        let outcome = fetcher.fetch(&at(&server.url("/feed?a=b")), &ANEW).await;
        let Fetched::Document { document, validators, said, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(document.bytes, b"<rss/>");
        assert_eq!(document.url.as_str(), server.url("/feed?a=b"));
        assert_eq!(document.content_type.as_deref(), Some("text/xml"));
        assert_eq!((validators.etag, validators.last_modified, said.moved), (None, None, None));
    }
    for request in server.requests() {
        let mut names: Vec<&str> =
            request.lines().skip(1).filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
        assert_eq!(header(&request, "user-agent"), Some("visnyk/0.1 (+https://site.example/)"));
        assert!(header(&request, "accept").unwrap().starts_with("application/atom+xml, "));
        let codings = header(&request, "accept-encoding").unwrap();
        for coding in ["gzip", "br", "zstd", "deflate"] {
            assert!(codings.contains(coding), "{codings}");
        }
    }
}

#[tokio::test]
async fn a_password_is_sent_and_told_to_nobody_else() {
    let server = Server::start(|_| ok(&[])).await;
    let outcome = fetch(&format!("http://user:canary@{}/feed", server.address)).await;
    let Fetched::Document { document, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(document.url.as_str(), server.url("/feed"));
    let authorization = server.requests()[0].to_lowercase();
    assert!(authorization.contains("authorization: basic "), "{authorization}");
}

#[test]
fn a_user_agent_that_is_no_header_is_told_at_the_start() {
    let settings = Settings { user_agent: "a\nb".to_owned(), ..settings() };
    let error = Fetcher::new(settings).unwrap_err().to_string();
    assert!(error.starts_with("the HTTP client cannot start: "), "{error}");
}

#[tokio::test]
async fn validators_go_back_byte_for_byte_and_only_to_their_address() {
    for (etag, date) in [
        (r#"W/"a b""#, "Mon, 03 Jul 2023 14:16:00 GMT"),
        (r#""5f--gzip""#, "yesterday, about noon"),
        ("unquoted,'odd'\u{fc}", "Mon,  03 Jul 2023"),
    ] {
        let headers = [format!("ETag: {etag}"), format!("Last-Modified: {date}")];
        let server = Server::start(move |_| ok(&headers.each_ref().map(String::as_str))).await;
        let fetcher = Fetcher::new(settings()).unwrap();
        let feed = at(&server.url("/feed"));
        let Fetched::Document { validators, .. } = fetcher.fetch(&feed, &ANEW).await else {
            panic!("no document");
        };
        assert_eq!(validators.address, server.url("/feed"));
        assert_eq!(validators.etag.as_deref(), Some(etag.as_bytes()));
        assert_eq!(validators.last_modified.as_deref(), Some(date.as_bytes()));
        fetcher.fetch(&feed, &with(&validators)).await;
        fetcher.fetch(&at(&server.url("/moved")), &with(&validators)).await;
        let requests = server.requests();
        assert_eq!(header(&requests[1], "if-none-match"), Some(etag));
        assert_eq!(header(&requests[1], "if-modified-since"), Some(date));
        assert_eq!(header(&requests[2], "if-none-match"), None);
        assert_eq!(header(&requests[2], "if-modified-since"), None);
    }
}

#[tokio::test]
async fn not_modified_keeps_or_renews_the_validators() {
    let server = Server::start(|path| match path {
        "/same" => say("304 Not Modified", &[], b""),
        _ => say("304 Not Modified", &["etag: \"2\""], b""),
    })
    .await;
    let fetcher = Fetcher::new(settings()).unwrap();
    for (path, etag) in [("/same", "\"1\""), ("/renewed", "\"2\"")] {
        let known = Validators {
            address: server.url(path),
            etag: Some(b"\"1\"".to_vec()),
            last_modified: Some(b"Mon".to_vec()),
        };
        let outcome = fetcher.fetch(&at(&server.url(path)), &with(&known)).await;
        let validators = Validators { etag: Some(etag.as_bytes().to_vec()), ..known };
        let said = Said { status: Some(304), ..Said::default() };
        assert_eq!(outcome, Fetched::NotModified { validators, said });
    }
    let unasked = message(&server, fetch(&server.url("/same")).await);
    assert_eq!(unasked, "http://HOST/same: the server answered 304 Not Modified");
}

#[tokio::test]
async fn every_coding_is_undone() {
    let text = "<rss>вісник</rss>".repeat(100);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(text.as_bytes()).unwrap();
    let mut br = Vec::new();
    let params = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut text.as_bytes(), &mut br, &params).unwrap();
    for (coding, bytes) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("br", br),
        ("zstd", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("identity", text.clone().into_bytes()),
    ] {
        let header = format!("content-encoding: {coding}");
        let server = Server::start(move |_| say("200 OK", &[&header], &bytes)).await;
        let outcome = fetch(&server.url("/")).await;
        let Fetched::Document { document, .. } = outcome else { panic!("{coding}: {outcome:?}") };
        assert_eq!(document.bytes, text.as_bytes(), "{coding}");
    }
    let server = Server::start(|_| ok(&["content-encoding: gzip, gzip, gzip"])).await;
    assert_eq!(
        message(&server, fetch(&server.url("/")).await),
        "http://HOST/: the content coding `gzip, gzip, gzip` cannot be undone"
    );
}

#[tokio::test]
async fn a_body_is_stopped_at_its_limit_after_decompression() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 64 * 1024 * 1024]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
    let limit = usize::try_from(BODY_BYTES_MAX).unwrap();
    let server = Server::start(move |path| match path {
        "/bomb" => say("200 OK", &["content-encoding: gzip"], &bomb),
        "/endless" => {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            Reply::Repeat(head, chunk.clone())
        }
        "/just" => say("200 OK", &[], &vec![b'x'; limit]),
        _ => say("200 OK", &[], &vec![b'x'; limit + 1]),
    })
    .await;
    for path in ["/bomb", "/endless", "/one-more"] {
        assert_eq!(
            message(&server, fetch(&server.url(path)).await),
            format!("http://HOST{path}: the body is over 1048576 bytes")
        );
    }
    let outcome = fetch(&server.url("/just")).await;
    assert!(matches!(outcome, Fetched::Document { document, .. } if document.bytes.len() == limit));
}

#[tokio::test]
async fn a_server_that_is_slow_or_silent_is_given_up() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<rss>";
    let server = Server::start(move |path| match path {
        "/silent" => Reply::Stall(Vec::new()),
        "/half-a-header" => Reply::Stall(b"HTTP/1.1 200 OK\r\ncontent-".to_vec()),
        "/drip" => Reply::Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_vec()),
        _ => Reply::Stall(head.to_vec()),
    })
    .await;
    let fetcher = Fetcher::new(hasty()).unwrap();
    for path in ["/silent", "/half-a-header", "/half-a-body"] {
        let outcome = fetcher.fetch(&at(&server.url(path)), &ANEW).await;
        let url = server.url(path);
        let expected =
            FetchError::Timeout { url, what: "the server said nothing", limit: SHORT / 2 };
        assert_eq!(outcome, Fetched::Failed(expected));
    }
    // The time in all holds although the server is never silent for long.
    let fetcher = Fetcher::new(Settings { timeout: 2 * SHORT, ..settings() }).unwrap();
    let outcome = fetcher.fetch(&at(&server.url("/drip")), &ANEW).await;
    let url = server.url("/drip");
    let expected = FetchError::Timeout { url, what: "not done", limit: 2 * SHORT };
    assert_eq!(outcome, Fetched::Failed(expected));
}

#[tokio::test]
async fn all_hops_together_have_the_time_of_one_poll() {
    let server = Server::start(|path| {
        let hop: u32 = path[1..].parse().unwrap();
        let location = format!("location: /{}", hop + 1);
        match say("302 Found", &[&location], b"") {
            Reply::Say(bytes) => Reply::Late(bytes),
            other => other,
        }
    })
    .await;
    let fetcher = Fetcher::new(Settings { timeout: 3 * SHORT, ..settings() }).unwrap();
    let outcome = fetcher.fetch(&at(&server.url("/0")), &ANEW).await;
    assert!(
        matches!(outcome, Fetched::Failed(FetchError::Timeout { what: "not done", .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_port_that_never_accepts_is_given_up() {
    // A listener whose queue is full answers no more.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(SHORT / 4, TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 100, "the queue is never full");
    }
    let settings = Settings { connect_timeout: SHORT, ..settings() };
    let fetcher = Fetcher::new(settings).unwrap();
    let outcome = fetcher.fetch(&at(&format!("http://{address}/")), &ANEW).await;
    let url = format!("http://{address}/");
    let reason = "no connection within 200ms".to_owned();
    assert_eq!(outcome, Fetched::Unreachable(FetchError::Connection { url, reason }));
}

#[tokio::test]
async fn a_refused_connection_is_a_failure_without_the_secrets_of_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = fetch(&format!("http://user:canary@{address}/feed?token=canary")).await;
    let Fetched::Unreachable(error) = outcome else { panic!("{outcome:?}") };
    let text = error.to_string();
    assert!(text.starts_with(&format!("http://{address}/feed: ")), "{text}");
    assert!(text.contains("refused"), "{text}");
    assert!(!format!("{text}{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn redirects_are_followed_and_the_lasting_ones_reported() {
    let server = Server::start(|path| match path {
        "/a" => say("301 Moved Permanently", &["location: /b"], b""),
        "/b" => say("308 Permanent Redirect", &["location: c?d=e#f"], b""),
        "/t" => say("302 Found", &["location: /a"], b""),
        "/h" => say("301 Moved Permanently", &["location: /t2"], b""),
        "/t2" => say("307 Temporary Redirect", &["location: /end"], b""),
        _ => ok(&[]),
    })
    .await;
    for (path, end, expected) in
        [("/a", "/c?d=e", Some("/c?d=e")), ("/t", "/c?d=e", None), ("/h", "/end", Some("/t2"))]
    {
        let outcome = fetch(&server.url(path)).await;
        let Fetched::Document { document, validators, said, .. } = outcome else {
            panic!("{path}: {outcome:?}");
        };
        assert_eq!(document.url.as_str(), server.url(end));
        assert_eq!(said.moved.map(|url| url.to_string()), expected.map(|path| server.url(path)));
        assert_eq!(validators.address, server.url(path));
    }
    assert!(server.requests().iter().all(|request| header(request, "referer").is_none()));
}

#[tokio::test]
async fn a_chain_that_loops_or_does_not_end_is_left() {
    let server = Server::start(|path| match path {
        "/ping" => say("302 Found", &["location: /pong"], b""),
        "/pong" => say("302 Found", &["location: /ping"], b""),
        "/none" => say("302 Found", &[], b""),
        "/file" => say("302 Found", &["location: file:///etc/passwd"], b""),
        path => {
            let hop: u32 = path[1..].parse().unwrap();
            match hop {
                0 => ok(&[]),
                hop => say("302 Found", &[&format!("location: /{}", hop - 1)], b""),
            }
        }
    })
    .await;
    assert!(matches!(fetch(&server.url("/5")).await, Fetched::Document { .. }));
    let not_followed = ": the redirect is not followed: ";
    for (path, at, reason) in [
        ("/6", "/1", "it is more than 5 in a row"),
        ("/ping", "/pong", "it leads back to http://HOST/ping"),
        ("/none", "/none", "it names no address"),
        ("/file", "/file", "it leads to `file:`"),
    ] {
        let expected = format!("http://HOST{at}{not_followed}{reason}");
        assert_eq!(message(&server, fetch(&server.url(path)).await), expected);
    }
}

#[tokio::test]
async fn a_server_can_ask_to_come_later_or_never() {
    let server = Server::start(|path| match path {
        "/429" => say("429 Too Many Requests", &["retry-after: 120"], b""),
        "/429-bare" => say("429 Too Many Requests", &[], b""),
        "/503" => {
            let date = httpdate::fmt_http_date(std::time::SystemTime::now() + SHORT * 600);
            say("503 Service Unavailable", &[&format!("retry-after: {date}")], b"")
        }
        "/503-bare" => say("503 Service Unavailable", &[], b""),
        "/410" => say("410 Gone", &[], b""),
        "/404" => say("404 Not Found", &[], b""),
        _ => say("206 Partial Content", &[], b"<rss/>"),
    })
    .await;
    let now = Utc::now();
    for path in ["/429", "/503"] {
        let Fetched::Later { until: Some(until) } = fetch(&server.url(path)).await else {
            panic!("{path} is not later");
        };
        let seconds = (until - now).num_seconds();
        assert!((118..=130).contains(&seconds), "{path}: {seconds}");
    }
    assert_eq!(fetch(&server.url("/429-bare")).await, Fetched::Later { until: None });
    assert_eq!(fetch(&server.url("/410")).await, Fetched::Gone);
    for (path, status) in [
        ("/503-bare", "503 Service Unavailable"),
        ("/404", "404 Not Found"),
        ("/206", "206 Partial Content"),
    ] {
        let expected = format!("http://HOST{path}: the server answered {status}");
        assert_eq!(message(&server, fetch(&server.url(path)).await), expected);
    }
}

#[tokio::test]
async fn a_broken_answer_is_a_failure() {
    let server = Server::start(|path| match path {
        "/huge-header" => ok(&[&format!("x: {}", "y".repeat(1024 * 1024))]),
        "/many-headers" => ok(&["x: y"; 1000]),
        "/truncated" => Reply::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<rss>".to_vec()),
        "/truncated-chunks" => {
            Reply::Say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n<rss>".to_vec())
        }
        "/no-gzip" => say("200 OK", &["content-encoding: gzip"], b"no feed, and no gzip"),
        "/empty" => Reply::Say(Vec::new()),
        _ => Reply::Say(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    })
    .await;
    for path in [
        "/huge-header",
        "/many-headers",
        "/truncated",
        "/truncated-chunks",
        "/no-gzip",
        "/empty",
        "/ssh",
    ] {
        let outcome = fetch(&server.url(path)).await;
        assert!(
            matches!(outcome, Fetched::Failed(FetchError::Transport { .. })),
            "{path}: {outcome:?}"
        );
        let text = message(&server, outcome);
        assert!(text.starts_with(&format!("http://HOST{path}: ")) && text.len() < 400, "{text}");
    }
}

#[tokio::test]
async fn no_more_exchanges_run_at_once_than_allowed() {
    // The gate opens for two at a time: they do run at once, and never three.
    let gate = Arc::new(Barrier::new(2));
    let server = Server::start_gated("127.0.0.1", Some(gate), |_| ok(&[])).await;
    let fetcher = Arc::new(Fetcher::new(Settings { per_host: 2, ..settings() }).unwrap());
    fetch_all(&fetcher, (0..12).map(|number| server.url(&format!("/{number}"))).collect()).await;
    assert_eq!(server.requests().len(), 12);
    assert_eq!(server.open_most.load(Ordering::SeqCst), 2);

    let gate = Arc::new(Barrier::new(3));
    let mut servers = Vec::new();
    for last in 1..=9 {
        let (ip, gate) = (format!("127.0.0.{last}"), Some(Arc::clone(&gate)));
        servers.push(Server::start_gated(&ip, gate, |_| ok(&[])).await);
    }
    let settings = Settings { per_host: 1, concurrency: 3, ..settings() };
    let fetcher = Arc::new(Fetcher::new(settings).unwrap());
    fetch_all(&fetcher, servers.iter().map(|server| server.url("/")).collect()).await;
    assert!(servers.iter().all(|server| server.requests().len() == 1));
}

#[tokio::test]
async fn waiting_for_a_turn_costs_none_of_the_time() {
    // Each of the silent takes all the time that one has.
    let server = Server::start(|path| match path {
        "/silent" => Reply::Stall(Vec::new()),
        _ => ok(&[]),
    })
    .await;
    let fetcher =
        Arc::new(Fetcher::new(Settings { per_host: 1, timeout: 2 * SHORT, ..settings() }).unwrap());
    let (silent, good) = (at(&server.url("/silent")), at(&server.url("/good")));
    let silent = (0..3).map(|_| fetcher.fetch(&silent, &ANEW));
    let all = futures_util::future::join(
        futures_util::future::join_all(silent),
        // Polled after the others, so its turn comes after theirs.
        fetcher.fetch(&good, &ANEW),
    );
    let (silent, good) = all.await;
    assert!(silent.iter().all(|outcome| matches!(outcome, Fetched::Failed(_))));
    assert!(matches!(good, Fetched::Document { .. }), "{good:?}");
}

#[tokio::test]
async fn a_fetch_that_is_dropped_gives_its_turn_back() {
    let server = Server::start(|path| match path {
        "/silent" => Reply::Stall(Vec::new()),
        _ => ok(&[]),
    })
    .await;
    let settings = Settings { per_host: 1, concurrency: 1, ..settings() };
    let fetcher = Fetcher::new(settings).unwrap();
    let silent = at(&server.url("/silent"));
    let dropped = tokio::time::timeout(SHORT / 4, fetcher.fetch(&silent, &ANEW)).await;
    assert!(dropped.is_err());
    let outcome = fetcher.fetch(&at(&server.url("/")), &ANEW).await;
    assert!(matches!(outcome, Fetched::Document { .. }), "{outcome:?}");
}

async fn fetch_all(fetcher: &Arc<Fetcher>, urls: Vec<String>) {
    let mut running = JoinSet::new();
    for url in urls {
        let fetcher = Arc::clone(fetcher);
        running.spawn(async move { fetcher.fetch(&at(&url), &ANEW).await });
    }
    while let Some(outcome) = running.join_next().await {
        let outcome = outcome.unwrap();
        assert!(matches!(outcome, Fetched::Document { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_however_it_is_spelt() {
    let server = Server::start(|_| ok(&[])).await;
    let port = server.address.port();
    let hosts = "127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0x7f.0.0.1 0177.0.0.1 \
        017700000001 0177.1 127.0.0.1. 127.1. 2130706433. %31%32%37.0.0.1 127%2e0%2e0%2e1 \
        ①②⑦.0.0.1 １２７.０.０.１ 127。0。0。1 0 0.0.0.0 0x0 00000 127.255.255.254 127.0.0.2 \
        localhost LOCALHOST localhost. a.localhost a.localhost. ｌｏｃａｌｈｏｓｔ l%6fcalhost \
        [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:1] \
        [::127.0.0.1] [::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1] \
        [2002:7f00:1::] [2002:7f00:1::1] [2001:0:808:808:0:0:80ff:fffe] [2001:0:7f00:1::] \
        169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 [::ffff:169.254.169.254] \
        [fe80::1] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [2001:db8::1] [100::1] 10.0.0.1 \
        10.1 012.0.0.1 172.16.0.1 192.168.1 192.168.0.1 100.64.0.1 192.0.0.8 192.0.2.1 \
        198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255";
    let hosts: Vec<&str> = hosts.split_whitespace().collect();
    assert!(hosts.len() >= 60);
    let fetcher = Fetcher::new(hasty()).unwrap();
    for host in &hosts {
        for user in ["", "city.example@"] {
            let url = format!("http://{user}{host}:{port}/");
            let feed = Feed { access: Access::default(), ..at(&url) };
            let outcome = fetcher.fetch(&feed, &ANEW).await;
            let Fetched::Failed(FetchError::Refused { reason, .. }) = outcome else {
                panic!("{url}: {outcome:?}");
            };
            println!("{:<42} {reason}", format!("{user}{host}"));
        }
    }
    // The same server is there for feeds that may have it, and those are its first connections.
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
    let ours = hosts.iter().filter(|host| {
        // The spellings of the address at which the server is.
        let url: Url = format!("http://{host}:{port}/").parse().unwrap();
        matches!(url.host(), Some(Host::Ipv4(ip)) if ip == Ipv4Addr::LOCALHOST)
    });
    let ours: Vec<_> = ours.collect();
    assert!(ours.len() > 15, "{}", ours.len());
    for host in &ours {
        let url = format!("http://{host}:{port}/");
        assert!(matches!(fetch(&url).await, Fetched::Document { .. }), "{url}");
    }
    assert!(server.connections.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn a_list_of_private_addresses_opens_these_and_no_others() {
    let server = Server::start_gated("0.0.0.0", None, |_| ok(&[])).await;
    let port = server.address.port();
    let network = |addresses: &str, port| Network { addresses: addresses.parse().unwrap(), port };
    for (list, host, is_open) in [
        (vec![network("127.0.0.1/32", None)], "127.0.0.1", true),
        (vec![network("127.0.0.1/32", Some(port))], "2130706433", true),
        (vec![network("127.0.0.0/8", None)], "127.9.8.7", true),
        (vec![network("127.0.0.0/8", None)], "[::ffff:127.0.0.1]", true),
        (vec![network("10.0.0.0/8", None), network("127.0.0.2/32", None)], "127.0.0.2", true),
        (vec![network("127.0.0.0/8", None)], "localhost", true),
        (vec![network("127.0.0.1/32", Some(port ^ 1))], "127.0.0.1", false),
        (vec![network("127.0.0.2/32", None)], "127.0.0.1", false),
        (vec![network("10.0.0.0/8", None)], "127.0.0.1", false),
        (vec![network("10.0.0.0/8", None)], "localhost", false),
        // Public ones are not meant either.
        (vec![network("10.0.0.0/8", None)], "93.184.216.34", false),
        (vec![network("0.0.0.0/32", None)], "[::1]", false),
    ] {
        let access = Access { private: Private::Only(list.clone()), ..Access::default() };
        let before = server.connections.load(Ordering::SeqCst);
        let feed = Feed { access, ..at(&format!("http://{host}:{port}/")) };
        let outcome = Fetcher::new(hasty()).unwrap().fetch(&feed, &ANEW).await;
        let refused = matches!(outcome, Fetched::Failed(FetchError::Refused { .. }));
        // A machine may look `localhost` up as IPv6 too, which is not in the list.
        if host != "localhost" {
            assert_eq!(!refused, is_open, "{host} with {list:?}: {outcome:?}");
        }
        let reached = server.connections.load(Ordering::SeqCst) > before;
        assert_eq!(reached, !refused, "{host} with {list:?}");
    }
}

/// A feed that is fetched through a proxy.
fn through(proxy: &str, url: &str) -> Feed {
    let proxy = Some(Proxy::Through(proxy.parse().unwrap()));
    Feed { access: Access { proxy, ..Access::default() }, ..at(url) }
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_name_and_never_for_what_is_spelt_out_as_private() {
    // To a proxy the whole address is said (RFC 9112, 3.2.2).
    let proxy = Server::start(|path| match path {
        "http://city.example/feed" => ok(&[]),
        _ => say("403 Forbidden", &[], b""),
    })
    .await;
    let fetcher = Fetcher::new(settings()).unwrap();
    let outcome = fetcher.fetch(&through(&proxy.url("/"), "http://city.example/feed"), &ANEW).await;
    assert!(matches!(outcome, Fetched::Document { .. }), "{outcome:?}");
    for host in ["127.0.0.1", "2130706433", "[::1]", "localhost", "169.254.169.254"] {
        let url = format!("http://{host}/feed");
        let outcome = fetcher.fetch(&through(&proxy.url("/"), &url), &ANEW).await;
        let refused = matches!(outcome, Fetched::Failed(FetchError::Refused { .. }));
        assert!(refused, "{url}: {outcome:?}");
    }
    // Which addresses a name has is the proxy's to know, so no list can allow it.
    let mut feed = through(&proxy.url("/"), "http://city.example/feed");
    let addresses = "10.0.0.0/8".parse().unwrap();
    feed.access.private = Private::Only(vec![Network { addresses, port: None }]);
    let outcome = fetcher.fetch(&feed, &ANEW).await;
    assert!(matches!(outcome, Fetched::Failed(FetchError::Refused { .. })), "{outcome:?}");
    assert_eq!(proxy.requests().len(), 1);
    // And `none` asks none, whatever holds for others.
    let server = Server::start(|_| ok(&[])).await;
    let for_all = Settings { proxy: Some(proxy.url("/").parse().unwrap()), ..settings() };
    let fetcher = Fetcher::new(for_all).unwrap();
    let private = Private::Allowed;
    let access = Access { private, proxy: Some(Proxy::Direct), ..Access::default() };
    let outcome = fetcher.fetch(&Feed { access, ..at(&server.url("/")) }, &ANEW).await;
    assert!(matches!(outcome, Fetched::Document { .. }), "{outcome:?}");
    let outcome = fetcher.fetch(&at("http://city.example/feed"), &ANEW).await;
    assert!(matches!(outcome, Fetched::Document { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_socks_proxy_is_given_the_name_and_not_an_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    // RFC 1928: a greeting, a request, and then the stream itself.
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.read_exact(&mut vec![0; greeting[1].into()]).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head[..4], [5, 1, 0, 3], "a name is asked for");
        let mut name = vec![0; usize::from(head[4]) + 2];
        stream.read_exact(&mut name).await.unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let (mut stream, _) = read_request(stream).await.unwrap();
        answer(&mut stream, ok(&[])).await;
        String::from_utf8(name[..name.len() - 2].to_vec()).unwrap()
    });
    let fetcher = Fetcher::new(settings()).unwrap();
    let feed = through(&format!("socks5://{proxy}"), "http://city.example/feed");
    let outcome = fetcher.fetch(&feed, &ANEW).await;
    assert!(matches!(outcome, Fetched::Document { .. }), "{outcome:?}");
    assert_eq!(serving.await.unwrap(), "city.example");
}

#[tokio::test]
async fn a_file_is_read_once_and_then_only_when_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("місто.rss");
    std::fs::write(&path, "<rss/>").unwrap();
    let feed = feed(Address::File(path.clone()));
    let fetcher = Fetcher::new(settings()).unwrap();
    let Fetched::Document { document, validators, .. } = fetcher.fetch(&feed, &ANEW).await else {
        panic!("no document");
    };
    assert_eq!(document.bytes, b"<rss/>");
    assert_eq!(document.url.to_file_path(), Ok(path.clone()));
    assert_eq!(document.content_type, None);
    assert_eq!(validators.address, feed.address.to_string());
    let again = fetcher.fetch(&feed, &with(&validators)).await;
    assert_eq!(
        again,
        Fetched::NotModified { validators: validators.clone(), said: Said::default() }
    );
    std::fs::write(&path, "<rss></rss>").unwrap();
    let changed = fetcher.fetch(&feed, &with(&validators)).await;
    assert!(matches!(changed, Fetched::Document { .. }));
    let other = Validators { address: "file:other".to_owned(), ..validators };
    std::fs::write(&path, "<rss/>").unwrap();
    assert!(matches!(fetcher.fetch(&feed, &with(&other)).await, Fetched::Document { .. }));
}

#[tokio::test]
async fn what_is_no_file_or_too_large_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let fifo = std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap();
    assert!(fifo.success());
    let large = std::fs::File::create(at("large")).unwrap();
    large.set_len(BODY_BYTES_MAX + 1).unwrap();
    let fetcher = Fetcher::new(settings()).unwrap();
    for (path, reason) in [
        (at("none"), "No such file or directory (os error 2)"),
        (at("."), "not a regular file"),
        (at("fifo"), "not a regular file"),
        (PathBuf::from("/dev/zero"), "not a regular file"),
        (at("large"), "the body is over 1048576 bytes"),
    ] {
        let outcome = fetcher.fetch(&feed(Address::File(path.clone())), &ANEW).await;
        let Fetched::Failed(error) = outcome else { panic!("{outcome:?}") };
        let shown = path.display().to_string();
        assert!(error.to_string().ends_with(&format!("{shown}: {reason}")), "{error}");
    }
}
