//! The table of rooms, held against the sources: who may use whom, which rooms are pure, and which
//! crate is named in one room only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// A room, and the rooms that it may use: all of them above it.
const ROOMS: [(&str, &[&str]); 32] = [
    ("crontab", &[]),
    ("model", &["crontab"]),
    ("place", &["model"]),
    ("config", &["model", "place", "crontab"]),
    ("edit", &["model"]),
    ("schedule", &["model"]),
    ("attention", &["model", "schedule"]),
    ("events", &["model", "attention"]),
    ("parse", &["model"]),
    ("normalize", &["model"]),
    ("classify", &["model", "place"]),
    ("merge", &["model"]),
    ("ingest", &["model", "parse", "normalize", "classify", "merge"]),
    ("discover", &["model", "place", "edit", "classify", "parse", "ingest"]),
    ("subscriptions", &["model", "place", "edit", "parse", "discover"]),
    ("publish", &["model", "place", "classify"]),
    ("fetch", &["model"]),
    ("store", &["model"]),
    ("backup", &["model", "store"]),
    ("serve", &["model", "config", "schedule", "publish", "fetch", "store"]),
    ("export", &["model", "serve", "store"]),
    ("explain", &["model", "config", "classify", "publish", "store", "serve"]),
    ("takedown", &["model", "store", "explain"]),
    ("upkeep", &["model", "store", "explain"]),
    ("admin", &["model", "schedule", "attention", "events", "publish", "backup", "serve"]),
    ("poll", &["model", "config", "schedule", "ingest", "classify", "parse", "fetch", "store"]),
    ("trial", &["model", "classify", "ingest", "parse", "fetch", "poll"]),
    ("replay", &["model", "config", "classify", "ingest", "store", "explain", "poll", "trial"]),
    (
        "daemon",
        &[
            "model",
            "place",
            "config",
            "schedule",
            "classify",
            "poll",
            "fetch",
            "store",
            "backup",
            "serve",
            "export",
            "attention",
            "events",
            "admin",
            "explain",
            "takedown",
            "upkeep",
            "replay",
        ],
    ),
    (
        "cli",
        &[
            "crontab",
            "model",
            "place",
            "config",
            "edit",
            "schedule",
            "classify",
            "parse",
            "ingest",
            "discover",
            "subscriptions",
            "fetch",
            "store",
            "backup",
            "serve",
            "export",
            "attention",
            "admin",
            "explain",
            "takedown",
            "upkeep",
            "daemon",
            "trial",
            "replay",
        ],
    ),
    ("main", &["cli"]),
    // The build script.
    ("build", &["model", "place", "classify"]),
];

/// Rooms without clock, disk, network, chance, environment and log.
const PURE: [&str; 14] = [
    "crontab",
    "model",
    "edit",
    "schedule",
    "attention",
    "events",
    "parse",
    "normalize",
    "classify",
    "merge",
    "ingest",
    "discover",
    "subscriptions",
    "publish",
];

/// What a pure room does not say.
const IMPURE: [&str; 13] = [
    "Utc::now",
    "Local::now",
    "Instant::now",
    "SystemTime",
    "std::fs",
    "std::net::Tcp",
    "std::env",
    "std::process",
    "std::thread",
    "tokio::",
    "tracing::",
    "rand::",
    "println!",
];

/// A crate, and the places in which it is named.
const NAMED_ONCE: [(&str, &[&str]); 7] = [
    ("sled::", &["store/engine/disk.rs"]),
    ("reqwest::", &["fetch"]),
    ("feed_rs::", &["parse/xml.rs"]),
    ("cron::", &["crontab"]),
    ("atom_syndication::", &["publish/atom"]),
    (
        "rustix::",
        &[
            "admin.rs",
            "cli/handed.rs",
            "cli/owner.rs",
            "daemon/delivering.rs",
            "export/folder.rs",
            "store/copying.rs",
            "store/files.rs",
        ],
    ),
    ("toml_edit::", &["edit"]),
];

/// A source file, its room, and its text without tests and comments.
struct Source {
    path: String,
    room: String,
    code: String,
}

#[test]
fn a_room_uses_only_the_rooms_of_its_row() {
    for source in sources() {
        let (_, allowed) = row(&source.room);
        for used in used_rooms(&source) {
            assert!(
                used == source.room || allowed.contains(&used.as_str()),
                "{}: the room `{}` may not use `{used}`",
                source.path,
                source.room
            );
        }
    }
}

#[test]
fn a_row_names_only_rooms_above_it() {
    for (i, (room, allowed)) in ROOMS.iter().enumerate() {
        let above: Vec<_> = ROOMS[..i].iter().map(|(room, _)| *room).collect();
        for used in *allowed {
            assert!(above.contains(used), "`{room}` uses `{used}`, which does not stand above it");
        }
    }
}

#[test]
fn a_pure_room_touches_nothing() {
    for source in sources().into_iter().filter(|source| PURE.contains(&source.room.as_str())) {
        for word in IMPURE {
            assert!(!source.code.contains(word), "{}: a pure room says `{word}`", source.path);
        }
    }
}

#[test]
fn a_crate_is_named_in_one_place() {
    for source in sources() {
        for (krate, places) in NAMED_ONCE {
            assert!(
                !names(&source.code, krate)
                    || places.iter().any(|place| source.path.starts_with(place)),
                "{}: `{krate}` is named outside {places:?}",
                source.path
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_imports_one_thing_a_line() {
    for source in sources() {
        let text = fs::read_to_string(root().join(&source.path)).unwrap();
        assert!(text.starts_with("//! "), "{}: the file does not say what it is", source.path);
        for line in source.code.lines().filter(|line| line.starts_with("use ")) {
            assert!(!line.contains('{'), "{}: `{line}` imports several things", source.path);
        }
        assert!(!source.code.contains("pub use "), "{}: a re-export", source.path);
        assert!(!source.code.contains("super::"), "{}: `super::` outside tests", source.path);
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    let sources: Vec<_> = paths
        .iter()
        .filter(|path| !path.ends_with("lib.rs") && !path.ends_with("tests.rs"))
        .map(|p| source(p))
        .collect();
    let rooms: BTreeSet<_> = sources.iter().map(|source| source.room.as_str()).collect();
    assert_eq!(rooms, ROOMS.iter().map(|(room, _)| *room).collect(), "the rooms under src/");
    sources
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

fn source(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let before_tests = text.split("#[cfg(test)]").next().unwrap();
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let room = path.split(['/', '.']).next().unwrap().to_owned();
    Source { room, code: lines.collect::<Vec<_>>().join("\n"), path }
}

fn row(room: &str) -> (&'static str, &'static [&'static str]) {
    *ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("no row for `{room}`"))
}

fn used_rooms(source: &Source) -> BTreeSet<String> {
    let own = if source.room == "main" { "visnyk::" } else { "crate::" };
    let after = source.code.split(own).skip(1);
    after
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()
        })
        .collect()
}

/// Whether a text names a crate, and not a longer name that ends the same.
fn names(code: &str, krate: &str) -> bool {
    code.match_indices(krate)
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}
