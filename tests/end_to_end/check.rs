//! `visnyk check` and `visnyk schema`: what they print, and the status that tells a script.

use crate::support::Folder;
use serde_json::Value;
use std::process::Output;

const GOOD: &str = "[[feed]]\nid = \"a\"\ntitle = \"Рада\"\nurl = \"https://a.example/rss\"\n\
                    region = \"sumska\"\nschedule = \"*/30 * * * *\"\n";
const DOUBTFUL: &str = "[[feed]]\nid = \"a\"\ntitle = \"Рада\"\nurl = \"https://a.example/rss\"\n\
                        region = \"sumska\"\nschedule = \"*/45 * * * *\"\n";
const BAD: &str = "[[feed]]\nid = \"a\"\ntitle = \"Рада\"\nurl = \"https://a.example/rss\"\n\
                   region = \"sumsk\"\nschedule = \"*/45 * * * *\"\n";

fn checked(feeds: &str, options: &[&str]) -> Output {
    let folder = Folder::with("");
    folder.put("other.toml", feeds.as_bytes());
    let arguments: Vec<&str> = ["check", "other.toml"].iter().chain(options).copied().collect();
    folder.visnyk(&arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_status_tells_good_from_doubtful_and_bad() {
    for (feeds, options, status) in [
        (GOOD, &[] as &[&str], 0),
        (GOOD, &["--strict"], 0),
        (GOOD, &["--strict", "--json"], 0),
        (DOUBTFUL, &[], 0),
        (DOUBTFUL, &["--json"], 0),
        (DOUBTFUL, &["--strict"], 1),
        (DOUBTFUL, &["--strict", "--json"], 1),
        (BAD, &[], 78),
        (BAD, &["--strict"], 78),
        (BAD, &["--json"], 78),
    ] {
        let output = checked(feeds, options);
        assert_eq!(output.status.code(), Some(status), "{options:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_good_file_tells_what_its_schedules_mean() {
    let output = checked(GOOD, &[]);
    let told = text(&output.stdout);
    assert_eq!(text(&output.stderr), "");
    assert!(told.starts_with("other.toml: good; feeds: 1 (1 enabled), tags: 0"), "{told}");
    assert!(told.contains("\n  every 30 minutes, Europe/Kyiv; next at "), "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}

#[test]
fn warnings_stand_beside_the_mistakes_and_have_no_colours_in_a_file() {
    let output = checked(BAD, &[]);
    let told = text(&output.stderr);
    assert!(told.contains("error: unknown region `sumsk`\n --> other.toml:5:10"), "{told}");
    assert!(told.contains("warning[schedule]: `*/45` is minutes 0 and 45"), "{told}");
    assert!(told.ends_with("other.toml: 1 mistake, 1 warning\n"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_machine_gets_the_places() {
    let told: Value = serde_json::from_slice(&checked(BAD, &["--json"]).stdout).unwrap();
    assert_eq!((told["errors"].as_u64(), told["warnings"].as_u64()), (Some(1), Some(1)));
    let problem = &told["problems"][0];
    for (key, value) in [
        ("severity", Value::from("error")),
        ("code", Value::Null),
        ("file", "other.toml".into()),
        ("line", 5.into()),
        ("column", 10.into()),
        ("end_line", 5.into()),
        ("end_column", 17.into()),
        ("suggestion", "write `sumska`".into()),
    ] {
        assert_eq!(problem[key], value, "{key}");
    }
    assert_eq!(told["problems"][1]["code"], "schedule");
    let good: Value = serde_json::from_slice(&checked(GOOD, &["--json"]).stdout).unwrap();
    assert_eq!(good["schedules"][0]["words"], "every 30 minutes, Europe/Kyiv");
    assert_eq!(good["problems"], Value::Array(Vec::new()));
}

#[test]
fn the_schema_is_printed_without_a_feeds_toml() {
    let output = Folder::with("not toml").visnyk(&["schema"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
