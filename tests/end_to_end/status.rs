//! What an admin is told of each feed: the same by a daemon and without one.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use serde_json::Value;
use std::io::BufRead;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::process::Stdio;

const RSS: &str = "<rss version=\"2.0\"><channel><title>t</title><ttl>180</ttl>\
     <item><guid>1</guid><title>Новина &nbsp; дня</title></item></channel></rss>";

fn feed(id: &str, url: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\ntitle = \"{id}\"\nurl = \"{url}\"\nallow_private = true\n")
}

fn status(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = folder.visnyk(&[&["status"], arguments].concat()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The plan of each feed, without what only time tells.
fn plans(json: &str) -> Vec<(String, String, Value, Value)> {
    let plan = |line: &Value| {
        let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (word("feed"), word("state"), line["next_poll"].clone(), line["failures"].clone())
    };
    feeds(json).iter().map(plan).collect()
}

/// What is told of each feed.
fn feeds(json: &str) -> Vec<Value> {
    let told: Value = serde_json::from_str(json).unwrap();
    told["feeds"].as_array().unwrap().clone()
}

#[test]
fn the_status_says_who_needs_help_when_each_feed_is_polled_next_and_why() {
    let publisher = Publisher::start([
        ("/good", Answer::document("text/xml", RSS)),
        ("/gone", Answer::document("text/html", "").with_status("410 Gone")),
        ("/page", Answer::document("text/html", "<html><title>Вхід</title><input type=password>")),
    ]);
    let written: String =
        ["good", "gone", "page"].map(|id| feed(id, &publisher.url(&format!("/{id}")))).concat();
    let folder = Folder::with(&written);
    let daemon = folder.run();
    daemon.get_when("/sources/good.atom", |body| body.contains("<entry>"));
    while status(&folder, &["--json"]).1.contains("never polled") {}

    let (code, json, errors) = status(&folder, &["--json"]);
    assert_eq!((code, errors.as_str()), (Some(1), ""), "a feed that is gone needs its admin");
    let by_daemon = plans(&json);
    let order: Vec<&str> = by_daemon.iter().map(|(id, ..)| id.as_str()).collect();
    assert_eq!(order, ["gone", "page", "good"], "those that need help first");
    let lines = feeds(&json);
    assert_eq!(lines[0]["next_poll"], Value::Null);
    assert!(lines[1]["told"].as_str().unwrap().contains("a page to log in"), "{json}");
    assert!(lines[2]["reason"].as_str().unwrap().contains("3 h (ttl)"), "{json}");

    let (code, table, errors) = status(&folder, &["good", "misspelt"]);
    assert_eq!((code, table.as_str()), (Some(2), ""));
    assert_eq!(errors, "visnyk: no feed `misspelt` is in feeds.toml\n");

    let (_, table, _) = status(&folder, &["good", "page"]);
    assert!(table.contains("`ignore_hints = true`") && !table.contains("gone"), "{table}");
    let mode = folder.path("state/admin.sock").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the socket is its owner's");

    // The socket of a daemon that was killed is in nobody's way.
    daemon.signal("-KILL");
    daemon.wait();
    assert!(folder.path("state/admin.sock").exists());
    let (code, json, errors) = status(&folder, &["--json"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("no daemon runs here"), "{errors}");
    assert_eq!(plans(&json), by_daemon, "the store says the same");
    let again = folder.run();
    assert_eq!(plans(&status(&folder, &["--json"]).1), by_daemon, "and so does another daemon");
    again.signal("-TERM");
    assert_eq!(again.wait().0, Some(0));
    assert!(!folder.path("state/admin.sock").exists(), "it is gone with its daemon");
}

#[test]
fn whoever_watches_goes_on_over_a_restart() {
    let publisher = Publisher::start([("/good", Answer::document("text/xml", RSS))]);
    let folder = Folder::with(&feed("good", &publisher.url("/good")));
    let daemon = folder.run();
    let mut watching = folder.visnyk(&["status", "--watch"]);
    let mut watching = watching.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("daemon ")));
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().0, Some(0));
    assert!(lines.any(|line| line.contains("NO ANSWER; it is tried again: no daemon runs here")));
    assert!(lines.any(|line| line.starts_with("good ")), "the last picture stays");
    let _again = folder.run();
    assert!(lines.any(|line| line == "1 feed, none needs you"));
    assert!(lines.next().unwrap().starts_with("daemon "));
    let interrupt = ["-INT".to_owned(), watching.id().to_string()];
    assert!(Command::new("kill").args(interrupt).status().unwrap().success());
    assert_eq!(watching.wait().unwrap().code(), Some(0));
}

#[test]
fn a_poll_is_explained() {
    let publisher = Publisher::start([(
        "/good",
        Answer::document("text/xml", RSS).with_header("Cache-Control: max-age=7200"),
    )]);
    let folder = Folder::with(&feed("good", &publisher.url("/good")));
    let output = folder.visnyk(&["poll", "--explain"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["fresh for 2 h; ttl 3 h", "next poll", "the document may be kept for 3 h (ttl)"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn a_preview_shows_repairs_and_articles_and_keeps_nothing() {
    let text = RSS.replace("&nbsp;", "і").replace("<rss", "<?xml version=\"1.0\"?><rss");
    let folder = Folder::with(&feed("good", "file:good.rss").replace("allow_private = true\n", ""));
    folder.put("good.rss", &encoding_rs::WINDOWS_1251.encode(&text).0);
    for what in [
        &["preview", "good"][..],
        &["preview", "good.rss"],
        &["preview", "good.rss", "--as", "good"],
    ] {
        let output = folder.visnyk(what).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        for part in ["not UTF-8, read as windows-1251", "Новина і дня", "1 entry, 1 article"]
        {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }
    assert!(!folder.path("state").exists(), "nothing is kept");
    let output = folder.visnyk(&["preview", "missing.rss"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
