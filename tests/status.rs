//! The status as an admin reads it, to the letter: on a usual terminal, on a narrow one and on one
//! that is hardly a terminal.

use chrono::DateTime;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;
use visnyk::cli::status::screen::Ink;
use visnyk::cli::status::screen::Look;
use visnyk::cli::status::screen::screen;

fn now() -> DateTime<Utc> {
    "2026-11-26T12:10:00Z".parse().unwrap()
}

fn need(kind: &str, call: &str, since: Option<&str>, what: &str, cure: &str) -> Value {
    json!({ "kind": kind, "call": call, "since": since, "what": what, "cure": cure })
}

fn feed(id: &str, needs: &[Value], reason: &str) -> Value {
    json!({
        "feed": id, "enabled": true, "timezone": "Europe/Kyiv", "state": "read", "failures": 4,
        "last_success": "2026-11-26T12:00:00Z", "newest": "2026-11-26T09:00:00Z",
        "next_poll": "2026-11-26T12:30:00Z", "reason": reason, "not_obeyed": null, "needs": needs,
    })
}

/// A daemon with a refused feeds.toml, and three feeds.
fn told() -> Value {
    let failing = need(
        "failing",
        "act",
        Some("2026-11-26T10:30:00Z"),
        "failed 4 times in a row since 2026-11-26 12:30: https://kharkiv.example/a/long/address/feed.xml: the server answered 404 Not Found",
        "it is not there: look for the feed's new address on the publisher's site, and write it as `url` in line 12 of feeds.toml",
    );
    let slowed =
        need("slowed", "know", None, "is polled 3 h later than its schedule says", "nothing");
    json!({
        "at": "2026-11-26T12:10:00Z",
        "daemon": { "version": "0.1.0", "since": "2026-11-25T07:00:00Z" },
        "config": {
            "taken": "2026-11-25T07:00:00Z",
            "refused": { "at": "2026-11-26T12:00:00Z", "why": "error: unknown key `regoin`\n --> x" },
        },
        "feeds": [
            feed("kharkiv", &[failing], "waiting after 4 failures in a row"),
            feed("lviv", &[slowed], "the document may be kept for 3 h (ttl)"),
            feed("odesa", &[], "the next time of `every 30m`"),
        ],
    })
}

#[track_caller]
fn check(width: usize, expected: &str) {
    let text = screen(&told(), now(), Look { width, ink: Ink::Plain });
    assert_eq!(text, expected, "at {width} columns:\n{text}");
    // An address is copied whole, whatever the width.
    let too_wide = |line: &&str| line.chars().count() > width && !line.contains("https://");
    assert_eq!(text.lines().find(too_wide), None);
}

#[test]
fn at_80_columns() {
    check(80, include_str!("fixtures/status/80.txt"));
}

#[test]
fn at_60_columns() {
    check(60, include_str!("fixtures/status/60.txt"));
}

#[test]
fn at_30_columns() {
    check(30, include_str!("fixtures/status/30.txt"));
}

#[test]
fn what_concerns_all_feeds_is_at_the_head() {
    let mut all = told();
    all["feeds"].as_array_mut().unwrap().remove(0);
    let head = |all: &Value| screen(all, now(), Look { width: 200, ink: Ink::Plain });
    assert!(head(&all).starts_with("2 feeds, none needs you\ndaemon "));
    all["stopped"] = json!({ "at": "2026-11-26T12:00:00Z", "why": "no space left" });
    all["no_answer"] = "no daemon runs here".into();
    let expected = "2 feeds, the store needs you\n\
         the daemon gives NO ANSWER, this is of 2026-11-26 14:10; it is tried again: no daemon runs here\n\
         NO FEED IS POLLED since 2026-11-26 14:00, the store takes nothing: no space left\n  \
         make room on its disk, or mend what is said of it, and start visnyk again\ndaemon ";
    let text = head(&all);
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn colours_are_there_only_when_they_are_asked_for() {
    let ink = |ink| screen(&told(), now(), Look { width: 80, ink });
    assert!(!ink(Ink::Plain).contains('\x1b'));
    assert!(ink(Ink::Coloured).contains("\x1b[38;5;9mfailed 4x"), "{:?}", ink(Ink::Coloured));
}
