//! Reloads under load: while readers ask and feeds are polled, feeds.toml changes again and again,
//! for good and for bad. No request fails, no poll is lost, and memory stays as it is.
//!
//! `RELOADS=200 RELOAD_REQUESTS=5000 RELOAD_PAUSE=1000 cargo test --test end_to_end load -- --nocapture` is the whole
//! proof, with a pause in milliseconds between two reloads; `VISNYK_PROGRAM` may name a program made with optimisations.

use crate::support::Folder;
use crate::support::PATIENCE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

const FEEDS: usize = 200;
const READERS: u32 = 8;
/// Between two rounds of polls that are asked for.
const POLL_PAUSE: Duration = Duration::from_secs(8);
/// What readers ask for; all of it is there in every version of feeds.toml.
const PATHS: [&str; 6] = [
    "/all.atom",
    "/",
    "/sources/f7.atom",
    "/sources/f8.json",
    "/feeds.opml",
    "/regions/lvivska.atom",
];

/// A publisher whose every answer has an item that none had before.
struct Newsroom {
    address: SocketAddr,
    /// Which items it gave out, by feed.
    given: Arc<Mutex<Vec<BTreeSet<u64>>>>,
}

impl Newsroom {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let given = Arc::new(Mutex::new(vec![BTreeSet::new(); FEEDS + 1]));
        let (items, count) = (Arc::clone(&given), Arc::new(AtomicU64::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (items, count) = (Arc::clone(&items), Arc::clone(&count));
                thread::spawn(move || tell(stream, &items, &count));
            }
        });
        Self { address, given }
    }
}

fn tell(stream: TcpStream, given: &Mutex<Vec<BTreeSet<u64>>>, count: &AtomicU64) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let feed = head.split(' ').nth(1).unwrap().trim_start_matches("/f").parse::<usize>();
        let Ok(feed) = feed else { return };
        let item = count.fetch_add(1, Ordering::SeqCst);
        let body = format!(
            "<rss version=\"2.0\"><channel><title>t</title><item><guid>item-{item}-</guid>\
             <title>Новина {item}</title><description>Текст {item}.</description></item>\
             </channel></rss>"
        );
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        if reader.get_mut().write_all((head + &body).as_bytes()).is_err() {
            return;
        }
        given.lock().unwrap()[feed].insert(item);
    }
}

/// feeds.toml in its `version`; every third has a mistake.
fn feeds_toml(newsroom: &Newsroom, version: usize) -> String {
    let mut text = format!(
        "[site]\ntitle = \"Вісник {version}\"\naddress = \"https://visnyk.example/\"\n\
         listen = \"127.0.0.1:0\"\n\
         [polling]\nper_host = 32\nhost_pause = \"0s\"\nschedule = \"* * * * *\"\n\
         concurrency = {}\n",
        32 + version % 2
    );
    // One of them comes and goes.
    for feed in 0..FEEDS + version % 2 {
        // To write into a text cannot fail.
        let _ = write!(
            text,
            "[[feed]]\nid = \"f{feed}\"\ntitle = \"Джерело {feed}\"\n\
             url = \"http://{}/f{feed}\"\nallow_private = true\nregion = \"lvivska\"\n",
            newsroom.address
        );
    }
    let word = ["новина", "текст", "подія", "день"][version % 4];
    let _ = writeln!(text, "[[tag]]\nname = \"тема\"\nmatch = [\"{word}*\"]");
    if version % 4 == 1 {
        text.push_str("[[publication]]\nid = \"mine\"\ntitle = \"Моє\"\nregions = [\"lvivska\"]\n");
    }
    match version % 12 {
        2 => text.push_str("[[rule]]\nid = \"x\"\nregions = [\"lvivsk\"]\n"),
        5 => text.push_str("[[feed]\n"),
        8 => text.push_str("[site]\nkolir = \"\"\n"),
        11 => text.push_str("[[feed]]\nid = \"f1\"\n"),
        _ => {}
    }
    text
}

fn is_bad(version: usize) -> bool {
    version % 3 == 2
}

/// What the daemon answers to an admin.
fn ask(socket: &Path, command: &str) -> Value {
    let mut socket = UnixStream::connect(socket).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    writeln!(socket, "{command}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Has all feeds polled again and again, until it is told to stop. Gives how many polls ended.
fn poll(socket: &Path, stop: &AtomicBool) -> usize {
    let mut polls = 0;
    while !stop.load(Ordering::SeqCst) {
        let begun = Instant::now();
        let answer = ask(socket, "poll");
        let told = answer["told"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let ended: Vec<Value> = serde_json::from_str(told).unwrap();
        assert!(ended.len() >= FEEDS, "{told}");
        // One of them comes and goes, and may go while it is polled.
        let failed = ended.iter().find(|poll| poll["has_failed"] == true && poll["feed"] != "f200");
        assert_eq!(failed, None);
        polls += ended.len();
        // Polls begin by themselves too; and what all of them bring has to stand in one document.
        thread::sleep(begun.elapsed().max(POLL_PAUSE));
    }
    polls
}

/// The resident memory of a process, in KiB.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Asks over one connection, at a pace, until it is told to stop. Gives how often it was answered.
fn read(address: SocketAddr, every: Duration, stop: &AtomicBool) -> Result<u64, String> {
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    connection.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    connection.get_ref().set_nodelay(true).unwrap();
    let (start, mut asked) = (Instant::now(), 0_u32);
    let mut tags: HashMap<&str, String> = HashMap::new();
    while !stop.load(Ordering::SeqCst) {
        if let Some(early) = (every * asked).checked_sub(start.elapsed()) {
            thread::sleep(early);
        }
        let path = PATHS[asked as usize % PATHS.len()];
        let known = tags.get(path).map(|tag| format!("If-None-Match: {tag}\r\n"));
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: a\r\n{}\r\n", known.unwrap_or_default());
        connection.get_mut().write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        asked += 1;
        let (mut status, mut length, mut line) = (String::new(), 0, String::new());
        while line != "\r\n" {
            line.clear();
            let read = connection.read_line(&mut line).map_err(|error| error.to_string())?;
            if read == 0 {
                return Err(format!("cut off after {asked} requests"));
            }
            if status.is_empty() {
                status.clone_from(&line);
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            } else if name.eq_ignore_ascii_case("etag") {
                tags.insert(path, value.trim().to_owned());
            }
        }
        match status.get(9..12) {
            Some("200") => {}
            Some("304") => length = 0,
            _ => return Err(format!("{path}: {status}")),
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).map_err(|error| error.to_string())?;
    }
    Ok(u64::from(asked))
}

/// The items in a document.
fn published(document: &str) -> BTreeSet<u64> {
    let items = document.split("Новина ").skip(1);
    items.filter_map(|rest| rest.split('<').next()?.parse().ok()).collect()
}

fn figure(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn reloads_under_load_fail_no_request_and_lose_no_poll() {
    let (reloads, rate) = (figure("RELOADS", 24), figure("RELOAD_REQUESTS", 400));
    let pause = Duration::from_millis(figure("RELOAD_PAUSE", 0).try_into().unwrap());
    let newsroom = Newsroom::start();
    let folder = Folder::with("");
    folder.put("feeds.toml", feeds_toml(&newsroom, 0).as_bytes());
    let daemon = folder.run();
    daemon.get_when("/sources/f199.atom", |body| body.contains("<entry>"));
    let every = Duration::from_secs(1) * READERS / u32::try_from(rate).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let (address, stop) = (daemon.address(), Arc::clone(&stop));
            thread::spawn(move || read(address, every, &stop))
        })
        .collect();

    let socket = folder.path("state/admin.sock");
    let polling = {
        let (socket, stop) = (socket.clone(), Arc::clone(&stop));
        thread::spawn(move || poll(&socket, &stop))
    };
    let (begun, mut memories, mut refused) = (Instant::now(), Vec::new(), 0);
    for version in 1..=reloads {
        folder.put("feeds.toml.new", feeds_toml(&newsroom, version).as_bytes());
        fs::rename(folder.path("feeds.toml.new"), folder.path("feeds.toml")).unwrap();
        let answer = ask(&socket, "reload");
        assert_eq!(answer["error"].is_string(), is_bad(version), "version {version}: {answer}");
        refused += u32::from(is_bad(version));
        memories.push(memory(daemon.process()));
        thread::sleep(pause);
    }
    let took = begun.elapsed();
    stop.store(true, Ordering::SeqCst);
    let answered: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    let answered: u64 = answered.into_iter().map(|answered| answered.unwrap()).sum();

    let asked_for = polling.join().unwrap();

    // All that the publisher ever gave out is there, as soon as the last polls are recorded.
    let given = newsroom.given.lock().unwrap().clone();
    for (feed, given) in given.iter().take(FEEDS).enumerate() {
        daemon
            .get_when(&format!("/sources/f{feed}.atom"), |body| published(body).is_superset(given));
    }
    let polls: usize = given.iter().map(BTreeSet::len).sum();
    println!(
        "{reloads} reloads ({refused} refused) in {took:?}: {answered} requests ({} a second), \
         none failed; {polls} polls ({asked_for} asked for), none lost; memory {} KiB after a quarter, {} KiB at the end",
        u128::from(answered) * 1000 / took.as_millis(),
        memories[reloads / 4],
        memories[reloads - 1],
    );
    assert!(memories[reloads - 1] < memories[reloads / 4] * 3 / 2, "memory grew: {memories:?}");
}
