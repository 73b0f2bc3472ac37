//! What an admin is told without asking: events, each once, health, and metrics.

use crate::support::Answer;
use crate::support::Daemon;
use crate::support::Folder;
use crate::support::PATIENCE;
use crate::support::Publisher;
use crate::support::get;
use crate::support::repository_file;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use tokio::runtime::Builder;
use visnyk::config::read;
use visnyk::model::exchange::History;
use visnyk::model::id::FeedId;
use visnyk::store::Store;

/// How often it is looked whether something is so.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const GOOD: &str = "<rss version=\"2.0\"><channel><title>t</title>\
     <item><guid>1</guid><title>Новина дня</title></item></channel></rss>";

fn feed(id: &str, url: &str) -> String {
    format!(
        "[[feed]]\nid = \"{id}\"\ntitle = \"Місто {id}\"\nurl = \"{url}\"\nallow_private = true\n"
    )
}

fn good() -> Answer {
    Answer::document("text/xml", GOOD)
}

fn status(status: &'static str) -> Answer {
    Answer::document("text/plain", "").with_status(status)
}

/// Where admins are answered.
fn admins(daemon: &Daemon) -> SocketAddr {
    let start = Instant::now();
    loop {
        let log = daemon.log();
        if let Some(rest) = log.split("admins are answered at ").nth(1) {
            return rest.split(": ").next().unwrap().parse().unwrap();
        }
        assert!(start.elapsed() < PATIENCE, "{log}");
        thread::sleep(LOOK_EVERY);
    }
}

/// What is at a path of the admins, as soon as it is so.
fn when(admins: SocketAddr, path: &str, enough: impl Fn(u16, &str) -> bool) -> String {
    let start = Instant::now();
    loop {
        let (status, body) = get(admins, path, "tests");
        if enough(status, &body) {
            return body;
        }
        assert!(start.elapsed() < PATIENCE, "{path}: {status}\n{body}");
        thread::sleep(LOOK_EVERY);
    }
}

/// The titles of all entries, the newest first.
fn titles(document: &str) -> Vec<String> {
    let entries = document.split("<entry>").skip(1);
    let title = |entry: &str| {
        let rest = entry.split("<title>").nth(1).unwrap();
        rest.split("</title>").next().unwrap().to_owned()
    };
    entries.map(title).collect()
}

fn poll(folder: &Folder, feed: &str, times: usize) {
    for _ in 0..times {
        // How it went is what the test is about.
        folder.visnyk(&["poll", feed]).output().unwrap();
    }
}

/// What stands in the file to which the program of feeds.toml appends each event.
fn told(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The last one may be half there.
    text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
}

/// The same as soon as there are so many.
fn told_when(path: &Path, count: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let told = told(path);
        if told.len() >= count {
            return told;
        }
        assert!(start.elapsed() < PATIENCE, "{told:?}");
        thread::sleep(LOOK_EVERY);
    }
}

fn turns(events: &[Value]) -> Vec<String> {
    let word = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    events.iter().map(|event| format!("{} {}", word(event, "kind"), word(event, "turn"))).collect()
}

/// A server that refuses the first message of an end once, and hands on the others.
fn hook() -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut refuses = true;
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                if let Some(given) = lower.strip_prefix("content-length:") {
                    length = given.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let message: Value = serde_json::from_slice(&body).unwrap();
            let is_refused = refuses && message["turn"] == "closed";
            refuses &= !is_refused;
            let word = if is_refused { "500 Not Now" } else { "204 No Content" };
            write!(&stream, "HTTP/1.1 {word}\r\nConnection: close\r\n\r\n").unwrap();
            if !is_refused && sender.send(message).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

/// As if polls had found for days that a feed has moved.
fn has_moved(folder: &Folder, feed: &str, to: &str) {
    let config = read(&folder.path("feeds.toml")).unwrap();
    let feed = Arc::new(config.feeds[&FeedId::new(feed).unwrap()].clone());
    let store = Store::open(&folder.path("state"), Vec::new()).unwrap();
    let mut history = History { address: feed.asked_at(), ..History::default() };
    history.relocation.stored = Some(to.parse().unwrap());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        store.commit(feed, history, Vec::new(), chrono::Utc::now()).await.unwrap();
        store.close().await.unwrap();
    });
}

#[test]
fn each_event_is_told_once_and_closed_once_over_a_restart_too() {
    let malformed = GOOD.replace("Новина дня", "Новина & дня");
    let publisher = Publisher::start([
        ("/a", good()),
        ("/b", good()),
        ("/c", Answer::document("text/xml", malformed)),
        ("/new", good()),
    ]);
    let (url, hooked) = hook();
    let program = tempfile::NamedTempFile::new().unwrap();
    let path = program.path().to_str().unwrap();
    let written: String =
        ["a", "b", "c", "d"].map(|id| feed(id, &publisher.url(&format!("/{id}")))).concat();
    let admin = format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\nwebhook = \"{url}\"\n\
         command = [\"/usr/bin/tee\", \"-a\", \"{path}\"]\ndisk_free_min = \"1 MiB\"\n"
    );
    let folder = Folder::with(&format!("{admin}{written}"));
    has_moved(&folder, "d", &publisher.url("/new"));

    let daemon = folder.run();
    let events = |daemon: &Daemon, last: &str| {
        let admins = admins(daemon);
        titles(&when(admins, "/admin/events.atom", |_, body| body.contains(last)))
    };
    assert_eq!(events(&daemon, "d: moved"), ["Місто d: moved"]);
    publisher.put("/a", status("500 Broken"));
    poll(&folder, "a", 4);
    assert_eq!(events(&daemon, "a: down"), ["Місто a: down", "Місто d: moved"]);
    poll(&folder, "c", 3);
    events(&daemon, "c: malformed");
    let mut heard: Vec<Value> = (0..3).map(|_| hooked.recv_timeout(PATIENCE).unwrap()).collect();
    told_when(program.path(), 3);
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().0, Some(0));

    // It is known after a restart, and not told again.
    let daemon = folder.run();
    poll(&folder, "a", 1);
    let known = ["Місто c: malformed", "Місто a: down", "Місто d: moved"];
    assert_eq!(events(&daemon, "c: malformed"), known);
    publisher.put("/a", good());
    poll(&folder, "a", 2);
    assert_eq!(events(&daemon, "a: back"), [&["Місто a: back"], &known[..]].concat());
    publisher.put("/b", status("410 Gone"));
    poll(&folder, "b", 1);
    let all = events(&daemon, "b: gone");
    assert_eq!(all, [&["Місто b: gone", "Місто a: back"], &known[..]].concat());

    // Who is told hears the same, and what was refused at first too.
    let expected =
        ["moved opened", "down opened", "malformed opened", "down closed", "gone opened"];
    heard.extend((0..2).map(|_| hooked.recv_timeout(PATIENCE).unwrap()));
    assert_eq!(turns(&heard), expected);
    assert_eq!(turns(&told_when(program.path(), 5)), expected);
    let moved = &told(program.path())[0];
    let text = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    let line = 1 + text.lines().position(|line| line.contains("/d\"")).unwrap();
    let cure = format!("write `url = \"{}\"` in line {line} of feeds.toml", publisher.url("/new"));
    assert_eq!(moved["cure"], cure.as_str());

    // A feeds.toml that is refused, mended again, and without one of the feeds.
    folder.put("feeds.toml", text.replace("[admin]", "[admin]\nx = 1").as_bytes());
    events(&daemon, "feeds.toml: refused");
    folder.put("feeds.toml", text.replace(&feed("b", &publisher.url("/b")), "").as_bytes());
    events(&daemon, "feeds.toml: taken");
    events(&daemon, "b: no longer gone");
    let admins = admins(&daemon);
    let metrics = when(admins, "/metrics", |_, body| !body.contains("feed=\"b\""));
    assert!(metrics.contains("visnyk_events_open{kind=\"moved\"} 1"), "{metrics}");
}

#[test]
fn a_store_that_takes_nothing_is_told_in_every_way_and_polls_go_on_by_themselves() {
    let publisher = Publisher::start([("/a", good())]);
    let (url, hooked) = hook();
    let admin = format!("[admin]\nlisten = \"127.0.0.1:0\"\nwebhook = \"{url}\"\n");
    let folder = Folder::with(&format!("{admin}{}", feed("a", &publisher.url("/a"))));
    let daemon = folder.run_heedless_of_limits();
    daemon.get_when("/sources/a.atom", |body| body.contains("<entry>"));
    let admins = admins(&daemon);
    when(admins, "/readyz", |status, _| status == 200);
    assert_eq!(folder.visnyk(&["status"]).output().unwrap().status.code(), Some(0));

    // As if its disk were full.
    let process = daemon.process().to_string();
    let limit = |limit| {
        let arguments = [limit, "--pid", process.as_str()];
        assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
    };
    limit("--fsize=1:");
    publisher.put("/a", Answer::document("text/xml", GOOD.replace("guid>1", "guid>2")));
    poll(&folder, "a", 1);
    let ready = when(admins, "/readyz", |status, _| status == 503);
    assert!(ready.contains("polls: FAILED: no feed is polled: "), "{ready}");
    let events = when(admins, "/admin/events.atom", |_, body| body.contains("<entry>"));
    assert_eq!(titles(&events), ["The store: takes nothing any more"]);
    assert_eq!(turns(&[hooked.recv_timeout(PATIENCE).unwrap()]), ["store opened"]);
    when(admins, "/metrics", |_, body| {
        body.contains("\nvisnyk_store_writable 0\n")
            && body.contains("visnyk_events_open{kind=\"store\"} 1")
    });
    let output = folder.visnyk(&["status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("NO FEED IS POLLED since "), "{text}");
    let (code, body) = daemon.get("/sources/a.atom");
    assert!(code == 200 && body.contains("<entry>"), "what there is is served");

    // There is room again: nobody has to do anything more.
    limit("--fsize=unlimited:");
    when(admins, "/readyz", |status, _| status == 200);
    assert_eq!(turns(&[hooked.recv_timeout(PATIENCE).unwrap()]), ["store closed"]);
    let output = folder.visnyk(&["poll", "a"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_waits_for_a_webhook_that_is_taken_out_is_dropped() {
    let publisher = Publisher::start([("/a", status("410 Gone"))]);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webhook = format!("webhook = \"http://{free}/canary\"\n");
    let admin = format!("[admin]\nlisten = \"127.0.0.1:0\"\n{webhook}");
    let folder = Folder::with(&format!("{admin}{}", feed("a", &publisher.url("/a"))));
    let daemon = folder.run();
    let admins = admins(&daemon);
    when(admins, "/admin/events.atom", |_, body| body.contains("a: gone"));
    let start = Instant::now();
    while !daemon.log().contains("not told by webhook, tried again") {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(LOOK_EVERY);
    }
    let text = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    folder.put("feeds.toml", text.replace(&webhook, "").as_bytes());
    let count = |fate| format!("deliveries_total{{way=\"webhook\",fate=\"{fate}\"}}");
    when(admins, "/metrics", |_, body| {
        assert!(body.contains(&format!("{} 0\n", count("delivered"))), "{body}");
        body.contains(&format!("{} 1\n", count("dropped")))
    });
    assert!(!daemon.log().contains("canary"), "{}", daemon.log());
}

#[test]
fn that_the_address_for_admins_is_taken_is_told_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = Folder::with(&format!("[admin]\nlisten = \"{address}\"\n"));
    let daemon = folder.run();
    // It is tried again every 10 s.
    thread::sleep(Duration::from_secs(12));
    drop(taken);
    assert_eq!(admins(&daemon), address);
    let log = daemon.log();
    assert_eq!(log.matches("cannot listen for admins").count(), 1, "{log}");
}

#[test]
fn health_metrics_and_events_are_served_to_admins_only() {
    let publisher = Publisher::start([("/a", good())]);
    let admin = "[admin]\nlisten = \"127.0.0.1:0\"\n";
    let folder = Folder::with(&format!("{admin}{}", feed("a", &publisher.url("/a"))));
    let daemon = folder.run();
    daemon.get_when("/sources/a.atom", |body| body.contains("<entry>"));
    let admins = admins(&daemon);
    let ready = when(admins, "/readyz", |status, _| status == 200);
    assert!(ready.contains("config: ok: good") && ready.contains("polls: ok"), "{ready}");
    when(admins, "/healthz", |status, body| status == 200 && body.contains("events: ok: went on"));
    let metrics = when(admins, "/metrics", |_, body| {
        body.contains("visnyk_feed_polls_total{feed=\"a\",outcome=\"read\"} 1")
    });
    for sample in [
        "visnyk_http_requests_total{asked=\"atom\",code=\"200\"}",
        "visnyk_poll_duration_seconds_bucket{le=\"+Inf\"} 1",
        "visnyk_feeds 1",
    ] {
        assert!(metrics.contains(sample), "{sample} is not in\n{metrics}");
    }
    let of_metrics: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    for file in ["alerts.yml", "dashboard.json"] {
        let bytes = repository_file(&format!("systemd/monitoring/{file}"));
        let text = String::from_utf8(bytes).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let named: BTreeSet<&str> = words.filter(|word| word.starts_with("visnyk_")).collect();
        assert!(named.len() > 8, "{file} names {named:?}");
        for name in named {
            assert!(of_metrics.contains(name.trim_end_matches("_bucket")), "{file}: {name}");
        }
        if file.ends_with("json") {
            let dashboard: Value = serde_json::from_str(&text).unwrap();
            assert!(dashboard["panels"].as_array().unwrap().len() > 10);
        }
    }
    let events = get(admins, "/admin/events.atom", "tests").1;
    assert!(!events.contains("<entry>") && events.contains("for its admins</title>"), "{events}");
    let json: Value = serde_json::from_str(&get(admins, "/admin/events.json", "tests").1).unwrap();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(get(admins, "/", "tests").0, 404);
    for path in ["/metrics", "/healthz", "/readyz", "/admin/events.atom"] {
        assert_eq!(daemon.get(path).0, 404, "readers do not get {path}");
    }
}
