//! What feeds and servers say, on its way to a log and to a terminal: it is one line, moves no
//! cursor and turns no line around. And who may ask at the socket of the daemon.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A new line with a time of its own, colours, a title of the window, a bell, the other direction,
/// and ends of lines that only Unicode knows.
const EVIL: &str = "\n2026-01-01T00:00:00Z ERROR forged\r\u{1b}[2J\u{1b}]0;forged\u{7}\u{9b}31m\
    \u{202e}desrever\u{2066}\u{2028}forged\u{2029}\u{85}\u{0}";

fn rss(broken: &str) -> String {
    let escaped = EVIL.replace('&', "&amp;");
    let html = EVIL.chars().map(|c| format!("&amp;#{};", u32::from(c))).collect::<String>();
    format!(
        "<rss version=\"2.0\"><channel><title>{escaped}</title><language>{escaped}</language>\
         <link>https://a.example/{escaped}</link>\
         <item><guid>{escaped}</guid><title>Новина {html}</title><link>https://a.example/1</link>\
         <category>{escaped}</category><author>{escaped}</author><pubDate>{escaped}</pubDate>\
         <source url=\"{escaped}\">{escaped}</source><description>{html} слово</description></item>\
         <item><guid>2</guid><title></title><pubDate>{escaped}</pubDate></item>{broken}"
    )
}

fn feed(id: &str, url: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\ntitle = \"{id}\"\nurl = \"{url}\"\nallow_private = true\n")
}

fn is_wild(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !matches!(c, '\n' | '\t')) || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

#[test]
fn what_others_say_forges_no_line_and_moves_no_cursor() {
    let latin = |text: &str| text.chars().filter(|c| u32::from(*c) >= 32).collect::<String>();
    let publisher = Publisher::start([
        ("/good", Answer::document("text/xml", rss("</channel></rss>"))),
        ("/broken", Answer::document("text/xml", rss("<item><title>"))),
        ("/no-feed", Answer::document("text/html", format!("<html><title>{EVIL}</title>"))),
        ("/status", Answer::document("text/xml", "").with_status("500 \u{1b}[2Jforged")),
        (
            "/away",
            Answer::document("text/xml", "")
                .with_status("302 Found")
                .with_header(&format!("Location: /%0d%0aforged%1b[2J{}", latin(EVIL))),
        ),
        ("/tag", Answer::document("text/xml", rss("</channel></rss>")).with_etag("\"\u{9b}31m\"")),
    ]);
    let paths = ["good", "broken", "no-feed", "status", "away", "tag"];
    let feeds: String =
        paths.iter().map(|path| feed(path, &publisher.url(&format!("/{path}")))).collect();
    let folder = Folder::with(&feeds);
    let mut runs = vec![vec!["poll", "--log", "human"], vec!["poll", "--log", "json"]];
    runs.extend(paths.iter().map(|path| vec!["preview", path]));
    runs.extend([
        vec!["status"],
        vec!["explain", "https://a.example/1"],
        vec!["tags"],
        vec!["replay", "good"],
        vec!["check", "--online"],
    ]);
    let mut all = String::new();
    for arguments in runs {
        let mut command = folder.visnyk(&arguments);
        let output = command.env("VISNYK_LOG", "trace").output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.is_empty() || arguments == ["tags"], "{arguments:?}");
        let wild: Vec<char> = said.chars().filter(|c| is_wild(*c)).collect();
        assert!(wild.is_empty(), "{arguments:?} says {wild:?}:\n{}", said.escape_debug());
        for line in said.lines() {
            assert!(!line.starts_with("2026-01-01T00:00:00Z ERROR"), "{arguments:?}: {line}");
        }
        all.push_str(&said);
    }
    assert!(all.contains("forged") && all.contains("Новина"), "nothing of it was said: {all}");
}

#[test]
fn the_socket_and_the_store_are_the_owners_alone() {
    let folder = Folder::with(&feed("one", "https://one.example/rss").replace("true", "false"));
    let daemon = folder.run();
    for (name, expected) in [("state/admin.sock", 0o600), ("state", 0o700)] {
        let mode = fs::metadata(folder.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected, "{name} is {:o}", mode & 0o7777);
    }
    assert!(folder.visnyk(&["status"]).output().unwrap().status.success());
    daemon.signal("-TERM");
    daemon.end();
    assert!(!folder.path("state/admin.sock").exists());
}
