//! A feeds.toml as anybody may write it: whatever is wrong in it is told at a line that it has, and
//! what changes a feed in it leaves every other byte alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use visnyk::config::check_text;
use visnyk::edit::NewFeed;
use visnyk::edit::Switch;
use visnyk::edit::feeds;
use visnyk::edit::switched;
use visnyk::edit::with_feeds;
use visnyk::edit::without_feed;

/// What of `before` is not in `after`, and what of `after` is not in `before`, between what both
/// begin and end with.
fn between<'a>(before: &'a str, after: &'a str) -> (&'a [u8], &'a [u8]) {
    let (before, after) = (before.as_bytes(), after.as_bytes());
    let head = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[head..], &after[head..]);
    let tail = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    (&before[..before.len() - tail], &after[..after.len() - tail])
}

/// Whether it is taken; every problem has its place.
fn checked(text: &str) -> bool {
    let (problems, is_good) = match check_text("feeds.toml", text, Path::new("")) {
        Ok(checked) => (checked.warnings, true),
        Err(problems) => (problems, false),
    };
    assert_eq!(problems.count() == 0, is_good, "refused without a reason: {text:?}");
    let lines = text.split('\n').count();
    for problem in problems.listed() {
        let [from, to] = problem.place.expect("a problem in a text has a place");
        assert!((1..=lines).contains(&from.line), "line {} of {lines}: {text:?}", from.line);
        assert!((from.line..=lines).contains(&to.line), "line {} of {lines}: {text:?}", to.line);
        assert!(!problem.message.is_empty());
    }
    let _ = (problems.to_string(), problems.coloured());
    is_good
}

fn edited(text: &str, is_good: bool) {
    let new = NewFeed {
        id: "zzz-added".to_owned(),
        title: "Нова \"стрічка\"".to_owned(),
        url: "https://zzz.example/rss?a=1".to_owned(),
        tags: vec!["x".to_owned()],
        ..NewFeed::default()
    };
    let Ok(written) = feeds(text) else { return };
    if let Ok((longer, line)) = with_feeds(text, &[new]) {
        let (gone, come) = between(text, &longer);
        assert!(gone.is_empty() && !come.is_empty(), "{text:?} became {longer:?}");
        let at = longer.split('\n').nth(line - 1).unwrap_or_default();
        assert!(at.contains("[[feed]]"), "line {line} of {longer:?}");
        let after = feeds(&longer).expect("what was added is TOML");
        assert_eq!(after.len(), written.len() + 1, "{text:?} became {longer:?}");
    }
    for feed in written.iter().take(4) {
        for switch in [Switch::Off, Switch::On] {
            let Ok(Some(other)) = switched(text, &feed.id, switch) else { continue };
            let (gone, come) = between(text, &other);
            let ends = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
            assert!(ends(gone) <= 1 && ends(come) <= 1, "{text:?} became {other:?}");
            // A file with mistakes is not changed; what comes of one that is changed is TOML.
            if is_good {
                assert_eq!(feeds(&other).map(|feeds| feeds.len()), Ok(written.len()), "{other:?}");
            }
        }
        if let Ok((shorter, named)) = without_feed(text, &feed.id) {
            let rest = feeds(&shorter).expect("what is left is TOML");
            assert_eq!(rest.len() + 1, written.len(), "{text:?} became {shorter:?}");
            if named.is_empty() {
                let (_, come) = between(text, &shorter);
                assert!(come.is_empty(), "{text:?} became {shorter:?}");
            }
        }
    }
}

fuzz_target!(|text: &str| {
    edited(text, checked(text));
});
