//! Backups with the real program: of a daemon that goes on, across `kill -9`, and back.

use crate::feed;
use crate::support::Answer;
use crate::support::Daemon;
use crate::support::Folder;
use crate::support::PATIENCE;
use crate::support::Publisher;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Output;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

const DOCUMENTS: [&str; 6] = [
    "/all.atom",
    "/sources/kyiv.atom",
    "/sources/lviv.json",
    "/all.json",
    "/sources/lviv.atom",
    "/uk/",
];

fn rss(name: &str) -> Vec<u8> {
    let item = |n: usize| {
        format!(
            "<item><title>{name} {n}</title><link>https://{name}.example/{n}</link>\
             <guid>{name}-{n}</guid><description>Текст {n}</description>\
             <pubDate>Mon, 03 Jul 2023 11:{:02}:00 GMT</pubDate></item>",
            n % 60
        )
    };
    let items: String = (0..150).map(item).collect();
    format!("<rss version=\"2.0\"><channel><title>{name}</title>{items}</channel></rss>")
        .into_bytes()
}

fn world() -> (Publisher, Folder) {
    let answer = |name: &str| Answer::document("application/rss+xml", rss(name)).with_etag("\"1\"");
    let publisher = Publisher::start([("/kyiv", answer("kyiv")), ("/lviv", answer("lviv"))]);
    let feeds =
        [("kyiv", "/kyiv"), ("lviv", "/lviv")].map(|(id, path)| feed(id, &publisher.url(path)));
    let folder = Folder::with(&feeds.concat());
    assert!(folder.poll().status.success());
    // Two changes within a second are dated a second apart, and no document says that it is of a
    // time to come: from here on all of them say when they changed.
    thread::sleep(Duration::from_secs(2));
    (publisher, folder)
}

fn visnyk(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = folder.visnyk(arguments).output().unwrap();
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8(text).unwrap())
}

/// The answer for a document, but for what the clock says in its head.
fn whole(address: SocketAddr, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: visnyk.example\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer:.200}");
    let lines = answer.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    lines.collect::<Vec<_>>().join("\r\n")
}

fn documents(daemon: &Daemon) -> Vec<String> {
    DOCUMENTS.iter().map(|path| whole(daemon.address(), path)).collect()
}

fn same(one: &[String], other: &[String]) {
    for (path, (one, other)) in DOCUMENTS.iter().zip(one.iter().zip(other)) {
        let differs = one.split('\n').zip(other.split('\n')).find(|(one, other)| one != other);
        assert!(one == other, "{path}: {differs:.600?}");
    }
}

#[test]
fn a_daemon_is_backed_up_while_it_serves_and_restored_to_the_byte() {
    let (_publisher, folder) = world();
    let daemon = folder.run();
    let before = documents(&daemon);
    assert!(before[0].to_ascii_lowercase().contains("etag: "), "{:.400}", before[0]);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                same(&documents(&daemon), &before);
            }
        });
        let (status, told) = visnyk(&folder, &["backup", "one.jsonl.zst"]);
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(status, Some(0), "{told}");
        assert!(told.contains("300 articles"), "{told}");
    });
    let left = fs::read_dir(folder.path("state/backups")).unwrap().count();
    assert_eq!(left, 0, "what was written for the asker stays there");
    let (status, told) = visnyk(&folder, &["verify"]);
    assert_eq!(status, Some(74), "{told}");
    assert!(told.contains("stop it first"), "{told}");
    let (status, told) = visnyk(&folder, &["restore", "one.jsonl.zst", "--replace"]);
    assert_eq!(status, Some(74), "{told}");
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().0, Some(0));

    assert_eq!(visnyk(&folder, &["verify", "one.jsonl.zst"]).0, Some(0));
    let (status, told) = visnyk(&folder, &["verify"]);
    assert_eq!((status, told.contains("300 articles")), (Some(0), true), "{told}");
    let (status, told) = visnyk(&folder, &["restore", "one.jsonl.zst"]);
    assert_eq!(status, Some(2), "{told}");
    fs::rename(folder.path("state"), folder.path("old")).unwrap();
    let (status, told) = visnyk(&folder, &["restore", "one.jsonl.zst"]);
    assert_eq!(status, Some(0), "{told}");
    let (status, told) = visnyk(&folder, &["verify", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &told["faults"]), (Some(0), &serde_json::json!([])));
    let daemon = folder.run();
    same(&documents(&daemon), &before);
    drop(daemon);
    // Of a closed store it is the same, but for the times in its head.
    let (status, told) = visnyk(&folder, &["backup", "two.jsonl.zst"]);
    assert_eq!(status, Some(0), "{told}");
}

#[test]
fn after_kill_9_amid_a_backup_there_is_a_whole_one_or_none() {
    let (_publisher, folder) = world();
    for pause in [0, 15, 60, 150] {
        let daemon = folder.run();
        let name = format!("at-{pause}");
        let mut asking = folder.visnyk(&["backup", &name]).spawn().unwrap();
        thread::sleep(Duration::from_millis(pause));
        daemon.signal("-KILL");
        let is_done = asking.wait().unwrap().success();
        daemon.wait();
        assert!(!is_done || folder.path(&name).exists());
        if folder.path(&name).exists() {
            let (status, told) = visnyk(&folder, &["verify", &name]);
            assert_eq!(status, Some(0), "{told}");
        }
        let (status, told) = visnyk(&folder, &["verify"]);
        assert_eq!(status, Some(0), "{told}");
    }
}

#[test]
fn a_daemon_with_a_ruined_store_comes_back_with_the_newest_backup_and_says_so() {
    let (publisher, folder) = world();
    let (status, told) = visnyk(&folder, &["backup", "one.jsonl.zst"]);
    assert_eq!(status, Some(0), "{told}");
    let backups = folder.path("state/backups");
    fs::create_dir_all(&backups).unwrap();
    let kept = backups.join("visnyk-20260101T000000Z.jsonl.zst");
    fs::rename(folder.path("one.jsonl.zst"), kept).unwrap();
    let daemon = folder.run();
    let before = documents(&daemon);
    daemon.signal("-TERM");
    daemon.wait();
    for entry in fs::read_dir(folder.path("state")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(folder.path("state/db"), vec![0; 700_000]).unwrap();
    let (status, told) = visnyk(&folder, &["verify"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("no daemon can use it"), "{told}");
    let asked = publisher.requests("/kyiv").len();
    let daemon = folder.run();
    same(&documents(&daemon), &before);
    let (_, told) = visnyk(&folder, &["status"]);
    assert!(told.contains("A DAMAGED STORE was replaced"), "{told}");
    let (_, told) = visnyk(&folder, &["status", "--json"]);
    assert!(told.contains("store.damaged-"), "{told}");
    assert!(daemon.log().contains("it was restored from the backup"), "{}", daemon.log());
    // Nobody is asked before the time.
    assert_eq!(publisher.requests("/kyiv").len(), asked);
    assert!(visnyk(&folder, &["poll"]).0 == Some(0));
    let heads = publisher.requests("/kyiv");
    assert!(!heads[asked].to_ascii_lowercase().contains("if-none-match"), "{}", heads[asked]);
    same(&documents(&daemon), &before);
}
