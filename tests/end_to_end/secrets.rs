//! A daemon with every kind of secret, at the lowest level of its log: whatever it says, to admins
//! or to readers, has none of them.

use crate::support::Answer;
use crate::support::Daemon;
use crate::support::Folder;
use crate::support::PATIENCE;
use crate::support::Publisher;
use crate::support::get;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// Secrets of `auth`, which stand in no file of ours.
const OF_AUTH: [&str; 3] = ["canary-basic-1b7d", "canary-bearer-2c8e", "canary-header-3d9f"];
/// Secrets that stand in addresses: of feeds, of redirects, of the webhook.
const OF_ADDRESSES: [&str; 4] =
    ["canary-token-4e0a", "canary-refused-5f1b", "canary-hop-6a2c", "canary-hook-7b3d"];

const RSS: &str = "<rss version=\"2.0\"><channel><title>t</title><link>https://a.example/</link>\
    <item><guid>1</guid><title>Нова школа у Харкові</title><link>https://a.example/1</link>\
    <description>Текст</description></item></channel></rss>";

fn document() -> Answer {
    Answer::document("text/xml", RSS)
}

fn feed(id: &str, url: &str, more: &str) -> String {
    format!(
        "[[feed]]\nid = \"{id}\"\ntitle = \"{id}\"\nurl = \"{url}\"\nallow_private = true\n{more}\n"
    )
}

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = folder.visnyk(arguments);
    command.env("VISNYK_TEST_SECRET", OF_AUTH[1]).env("VISNYK_LOG", "debug,visnyk=trace");
    command.env("CREDENTIALS_DIRECTORY", folder.path("credentials"));
    command
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
        thread::sleep(Duration::from_millis(50));
    }
}

fn holds_none(what: &str, said: &[u8], secrets: &[&str]) {
    let said = String::from_utf8_lossy(said);
    for secret in secrets {
        let at = said.find(secret);
        let around = at.map(|at| &said[said.floor_char_boundary(at.saturating_sub(300))..at]);
        assert!(at.is_none(), "{secret} is in {what}, after:\n{}", around.unwrap_or_default());
    }
}

fn feeds(publisher: &Publisher) -> String {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    [
        format!(
            "[admin]\nlisten = \"127.0.0.1:0\"\nwebhook = \"{}\"\n",
            publisher.url("/canary-hook-7b3d")
        ),
        feed("token", &publisher.url("/rss?token=canary-token-4e0a"), ""),
        feed("refused", &publisher.url("/no?api_key=canary-refused-5f1b"), ""),
        feed("away", &format!("http://{closed}/?key=canary-token-4e0a"), ""),
        feed("hop", &publisher.url("/hop"), ""),
        feed(
            "basic",
            &publisher.url("/basic"),
            "auth = \"basic\"\nuser = \"me\"\nsecret = \"file:basic.secret\"",
        ),
        feed(
            "bearer",
            &publisher.url("/bearer"),
            "auth = \"bearer\"\nsecret = \"env:VISNYK_TEST_SECRET\"",
        ),
        feed(
            "header",
            &publisher.url("/header"),
            "auth = \"header\"\nheader = \"X-Api-Key\"\nsecret = \"credential:feed_key\"",
        ),
    ]
    .concat()
}

fn publisher() -> Publisher {
    Publisher::start([
        ("/rss?token=canary-token-4e0a", document()),
        ("/no?api_key=canary-refused-5f1b", document().with_status("403 Forbidden")),
        (
            "/hop",
            Answer::document("text/html", "")
                .with_status("302 Found")
                .with_header("Location: /gone?sig=canary-hop-6a2c"),
        ),
        ("/basic", document()),
        ("/bearer", document()),
        ("/header", document()),
    ])
}

#[test]
fn whatever_is_said_has_no_secret_in_it() {
    let publisher = publisher();
    let folder = Folder::with(&feeds(&publisher));
    folder.put("basic.secret", format!("{}\n", OF_AUTH[0]).as_bytes());
    folder.put("credentials/feed_key", OF_AUTH[2].as_bytes());
    let daemon = folder.run_command(command(&folder, &["run", "--log", "json"]));
    let all: Vec<&str> = OF_AUTH.into_iter().chain(OF_ADDRESSES).collect();
    for path in ["/sources/token.atom", "/sources/basic.atom", "/sources/header.atom"] {
        daemon.get_when(path, |body| body.contains("<entry>"));
    }
    let admins = admins(&daemon);
    let atom = daemon.get("/sources/token.atom").1;
    assert!(atom.contains("/rss\""), "the source is named: {atom}");
    let page = atom.split("https://visnyk.example/articles/").nth(1);
    let article = page.map(|rest| format!("/articles/{}", &rest[..32]));
    let ours = ["/all.atom", "/all.json", "/sources/token.atom", "/sources/token.json", "/sources"];
    let more = ["/", "/feeds.opml", "/sitemap.xml", "/about", "/sources/token"];
    for path in ours.into_iter().chain(more).chain(article.as_deref()) {
        holds_none(path, daemon.get(path).1.as_bytes(), &all);
    }

    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["poll", "refused", "away", "hop"],
        &["check"],
        &["check", "--json"],
        &["check", "--online"],
        &["check", "--online", "--json"],
        &["preview", "token"],
        &["preview", "refused"],
        &["preview", "away", "--json"],
        &["preview", "hop"],
        &["explain", "https://a.example/1"],
        &["explain", "https://a.example/1", "--json"],
        &["replay", "token"],
        &["tags"],
        &["readers"],
    ] {
        let output = command(&folder, arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(
            !said.is_empty() || arguments == ["tags"] || arguments == ["readers"],
            "{arguments:?}"
        );
        holds_none(&format!("{arguments:?}"), &said, &all);
    }
    // A mistake in the file is an event, which goes to the webhook, in vain.
    let good = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    folder.put("feeds.toml", good.replace("auth = \"bearer\"", "auth = \"bear\"").as_bytes());
    let output = command(&folder, &["reload"]).output().unwrap();
    holds_none("a reload", &[output.stdout, output.stderr].concat(), &all);
    let start = Instant::now();
    while !daemon.log().contains("not told by webhook") {
        assert!(start.elapsed() < PATIENCE, "{}", daemon.log());
        thread::sleep(Duration::from_millis(50));
    }
    for path in ["/metrics", "/healthz", "/readyz", "/admin/events.atom", "/admin/events.json"] {
        holds_none(path, get(admins, path, "tests").1.as_bytes(), &all);
    }
    let arguments = fs::read(format!("/proc/{}/cmdline", daemon.process())).unwrap();
    holds_none("the command line", &arguments, &all);
    daemon.signal("-TERM");
    let log = daemon.end();
    assert!(log.contains("\"level\":\"DEBUG\"") && log.contains("hyper"), "the log is low: {log}");
    holds_none("the log", log.as_bytes(), &all);
    let kept = files(&folder.path("state"));
    assert!(!kept.is_empty());
    for bytes in kept {
        // Where a feed is asked is kept, as it stands in feeds.toml.
        holds_none("the store", &bytes, &OF_AUTH);
    }
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                files.push(fs::read(path).unwrap());
            }
        }
    }
    files
}
