//! Secrets of feeds: sent as their scheme says, to their own origin, and seen nowhere else.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use std::fs;
use std::path::Path;

/// What nobody but the feed's own server may see.
const CANARY: &str = "canary-7f3a91";

const RSS: &str = "<rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>Новина</title></item></channel></rss>";

fn document() -> Answer {
    Answer::document("text/xml", RSS)
}

fn redirect(to: &str) -> Answer {
    Answer::document("text/html", "")
        .with_status("302 Found")
        .with_header(&format!("Location: {to}"))
}

fn sent(publisher: &Publisher, path: &str, name: &str) -> Vec<Option<String>> {
    let value = |request: &String| {
        let mut lines = request.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    publisher.requests(path).iter().map(value).collect()
}

fn feed(id: &str, url: &str, more: &str) -> String {
    format!(
        "[[feed]]\nid = \"{id}\"\ntitle = \"{id}\"\nurl = \"{url}\"\nallow_private = true\n{more}\n"
    )
}

#[test]
fn a_secret_goes_to_its_own_server_and_is_seen_nowhere_else() {
    let other = Publisher::start([("/other", document())]);
    let there = other.url("/other");
    let own = Publisher::start([
        ("/bearer", document()),
        ("/basic", document()),
        ("/header", document()),
        ("/away", redirect(&there)),
        ("/around", redirect("/bearer")),
        ("/refused", document().with_status("403 Forbidden")),
    ]);
    let secret = "secret = \"env:VISNYK_TEST_SECRET\"";
    let feeds = [
        feed("bearer", &own.url("/bearer"), &format!("auth = \"bearer\"\n{secret}")),
        feed(
            "basic",
            &own.url("/basic"),
            "auth = \"basic\"\nuser = \"me\"\nsecret = \"file:basic.secret\"",
        ),
        feed(
            "header",
            &own.url("/header"),
            "auth = \"header\"\nheader = \"X-Api-Key\"\nsecret = \"credential:feed_key\"",
        ),
        feed("away", &own.url("/away"), &format!("auth = \"bearer\"\n{secret}")),
        feed("around", &own.url("/around"), &format!("auth = \"bearer\"\n{secret}")),
        feed("refused", &own.url("/refused"), &format!("auth = \"bearer\"\n{secret}")),
        feed(
            "missing",
            &own.url("/missing"),
            "auth = \"bearer\"\nsecret = \"file:missing.secret\"",
        ),
    ];
    let folder = Folder::with(&feeds.concat());
    folder.put("basic.secret", format!("{CANARY}\n").as_bytes());
    folder.put("credentials/feed_key", CANARY.as_bytes());
    let mut command = folder.visnyk(&["poll"]);
    command.env("VISNYK_TEST_SECRET", CANARY).env("VISNYK_LOG", "trace");
    command.env("CREDENTIALS_DIRECTORY", folder.path("credentials"));
    let output = command.output().unwrap();

    let bearer = Some(format!("Bearer {CANARY}"));
    // Once for itself, and once for the feed that is led there.
    assert_eq!(sent(&own, "/bearer", "authorization"), [bearer.clone(), bearer.clone()]);
    let [Some(basic)] = &sent(&own, "/basic", "authorization")[..] else { panic!("no basic") };
    assert!(basic.starts_with("Basic ") && !basic.contains(CANARY), "{basic}");
    assert_eq!(sent(&own, "/header", "x-api-key"), [Some(CANARY.to_owned())]);
    assert_eq!(sent(&own, "/away", "authorization"), [bearer]);
    assert_eq!(sent(&other, "/other", "authorization"), [None], "another origin is told nothing");
    assert!(own.requests("/missing").is_empty(), "without its secret a feed is not asked for");

    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("file:") && said.contains("missing.secret"), "{said}");
    assert!(!said.contains(CANARY), "the secret is in what was said:\n{said}");
    assert!(!said.contains(basic.trim_start_matches("Basic ")), "{said}");
    let mut files = Vec::new();
    walk(&folder.path("state"), &mut files);
    assert!(!files.is_empty());
    for bytes in files {
        let is_there = bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
        assert!(!is_there, "the secret is in the store");
    }
}

fn walk(folder: &Path, files: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(fs::read(path).unwrap());
        }
    }
}
