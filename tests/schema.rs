//! The schema of feeds.toml against its reader: what the reader takes, the schema takes, and what is
//! wrong by its form, both refuse. A mistake of meaning (a tag that is not there, two feeds with one
//! id) is one that no schema sees; such files are listed, and the schema has to take them.

use jsonschema::Validator;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use visnyk::config;
use visnyk::config::keys::Key;
use visnyk::config::keys::Need;
use visnyk::config::keys::TABLES;
use visnyk::config::keys::Table;
use visnyk::config::keys::Times;
use visnyk::config::problem::Severity;
use visnyk::config::schema::schema;

/// The copy that editors find by the first line of feeds.toml.
const COPY: &str = "src/config/feeds.schema.json";

/// The fixtures whose mistakes are all of meaning, or none that JSON can show: a day is a text there,
/// and the length of a text is counted in letters.
const OF_MEANING: [&str; 16] = [
    "a-day-in-quotes",
    "alias-of-two-tags",
    "code-of-another-region",
    "community-in-another-region",
    "long-text",
    "no-tags-at-all",
    "publication-of-unknown-things",
    "tag-without-letters",
    "two-feeds-surely-one",
    "two-feeds-with-one-address",
    "two-feeds-with-one-id",
    "two-tags-with-one-id",
    "unknown-community",
    "unknown-region",
    "unknown-tag",
    "warnings-beside-mistakes",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    jsonschema::meta::validate(&schema).unwrap_or_else(|bad| panic!("{bad}"));
    jsonschema::validator_for(&schema).unwrap_or_else(|bad| panic!("{bad}"))
}

/// As an editor gives it to the schema: days are texts.
fn as_json(toml: toml::Value) -> Value {
    match toml {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(day) => Value::String(day.to_string()),
        toml::Value::Array(items) => items.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, item)| (key, as_json(item))).collect())
        }
    }
}

fn parsed(text: &str) -> Option<Value> {
    text.parse::<toml::Table>().ok().map(|table| as_json(toml::Value::Table(table)))
}

/// What is wrong by the schema.
fn refused(validator: &Validator, document: &Value) -> Option<String> {
    let told =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(document).next().map(told)
}

/// Checks that a good file is good for the schema too.
fn check(validator: &Validator, name: &str, text: &str) {
    config::parse("feeds.toml", text, root()).unwrap_or_else(|bad| panic!("{name}: {bad}"));
    assert_eq!(refused(validator, &parsed(text).unwrap()), None, "{name}");
}

#[test]
fn the_copy_for_editors_is_that_of_the_program() {
    let path = root().join(COPY);
    let made = schema() + "\n";
    if std::env::var_os("VISNYK_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let copy = fs::read_to_string(&path).unwrap();
    assert!(copy == made, "{COPY} is out of date: VISNYK_BLESS=1 cargo test --test schema");
    let example = fs::read_to_string(root().join("feeds.toml")).unwrap();
    assert_eq!(example.lines().next(), Some(format!("#:schema ./{COPY}").as_str()));
}

#[test]
fn the_schema_tells_of_every_key() {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    for table in TABLES {
        let of_table = &schema["properties"][table.name];
        let of_table = if table.times == Times::Many { &of_table["items"] } else { of_table };
        assert_eq!(of_table["additionalProperties"], Value::Bool(false));
        let keys = of_table["properties"].as_object().unwrap();
        assert_eq!(keys.len(), table.keys.len(), "{}", table.name);
        for key in table.keys {
            assert_eq!(keys[key.name]["description"], key.help, "{} {}", table.name, key.name);
        }
    }
}

#[test]
fn a_default_is_what_holds_without_the_key() {
    let mut text = String::new();
    for table in TABLES.iter().filter(|table| table.times == Times::Once) {
        text += &["[", table.name, "]\n"].concat();
        for key in table.keys {
            let line = key.default.map(|default| format!("{} = {default}\n", key.name));
            text += &line.unwrap_or_default();
        }
    }
    let [written, left_out] = [text.as_str(), ""].map(|text| {
        let read = config::parse("feeds.toml", text, root());
        format!("{:#?}", read.unwrap_or_else(|bad| panic!("{bad}")))
    });
    assert_eq!(written, left_out);
}

#[test]
fn the_schema_and_the_reader_agree_on_the_fixtures() {
    let validator = validator();
    let paths = fs::read_dir(root().join("tests/fixtures/config")).unwrap();
    let paths: Vec<PathBuf> = paths.map(|entry| entry.unwrap().path()).collect();
    let mut of_meaning = Vec::new();
    let mut checked = 0;
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "toml")) {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let read = config::parse("feeds.toml", &text, root());
        // What is not TOML is refused before a schema is asked.
        let Some(document) = parsed(&text) else {
            assert!(read.is_err(), "{name}");
            continue;
        };
        match (read, refused(&validator, &document)) {
            (Ok(_), refused) => assert_eq!(refused, None, "{name}"),
            (Err(_), None) => of_meaning.push(name.to_owned()),
            (Err(_), Some(_)) => {}
        }
        checked += 1;
    }
    of_meaning.sort_unstable();
    assert_eq!(of_meaning, OF_MEANING, "the fixtures with mistakes of meaning only");
    assert!(checked >= 50, "only {checked} fixtures");
}

#[test]
fn the_schema_takes_the_examples() {
    let validator = validator();
    let example = fs::read_to_string(root().join("feeds.toml")).unwrap();
    check(&validator, "feeds.toml", &example);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for block in readme.split("```toml\n").skip(1) {
        check(&validator, "README.md", block.split("```").next().unwrap());
    }
}

/// A value of each kind, of which no key takes all.
const VALUES: &[&str] = &[
    "\"\"",
    "\" a\"",
    "\"kharkiv\"",
    "\"Харків\"",
    "\"a b\"",
    "1",
    "0",
    "-1",
    "1.5",
    "50",
    "true",
    "false",
    "[]",
    "[\"kharkivska\"]",
    "[1]",
    "{}",
    "\"10s\"",
    "\"5m\"",
    "\"2h\"",
    "\"60\"",
    "\"0s\"",
    "\"99999s\"",
    "\"2y\"",
    "\"30d\"",
    "\"26 w\"",
    "\"0d\"",
    "\"101y\"",
    "\"36500d\"",
    "\"forever\"",
    "\"16 MiB\"",
    "\"64KiB\"",
    "\"1 GiB\"",
    "\"1 KiB\"",
    "\"full\"",
    "\"Full\"",
    "\"partner\"",
    "\"https://a.example/\"",
    "\"https://a.example/rss?x=1#y\"",
    "\"http://a.example\"",
    "\"ftp://a.example/\"",
    "\"a.example\"",
    "\"htp://a.example/\"",
    "\"https://me:pw@a.example/\"",
    "\"https://https://a.example/\"",
    "\"https://a b/\"",
    "\"file:a.rss\"",
    "\"file:/etc/passwd\"",
    "\"file:../a\"",
    "\"file:\"",
    "\"Europe/Kyiv\"",
    "\"Kyiv\"",
    "\"UTC\"",
    "\"#0d2b4b\"",
    "\"blue\"",
    "\"uk\"",
    "\"uk_UA\"",
    "\"ukrainian-\"",
    "\"every 30m\"",
    "\"every 30 m\"",
    "\"every 10s\"",
    "\"every 40d\"",
    "\"*/30 * * * *\"",
    "\"0 6 * JAN-mar 1-5\"",
    "\"60 * * * *\"",
    "\"* * * *\"",
    "\"0 0 6 * * 1\"",
    "\"@hourly\"",
    "\"@reboot\"",
    "\"5/15 * * * *\"",
    "\"127.0.0.1:8080\"",
    "\"[::1]:8080\"",
    "\"localhost:8080\"",
    "\"1.2.3.4\"",
    "\"1.2.3.400:1\"",
    "\"127.0.0.1:99999\"",
    "\"US-NM\"",
    "\"us-nm\"",
    "\"UA\"",
    "\"news.example\"",
    "\"News.example\"",
    "\"a..b\"",
    "\"admin@city.example\"",
    "\"адмін@city.example\"",
    "\"env:TOKEN\"",
    "\"credential:city\"",
    "\"credential:a/b\"",
    "\"hunter2\"",
    "\"none\"",
    "\"socks5h://127.0.0.1:1080\"",
    "\"X-Api-Key\"",
    "\"X Api\"",
    "\"a:b\"",
    "\"x\\ny\"",
    "\"\\u0007\"",
    "[\"10.1.2.0/24\"]",
    "[\"nowhere\"]",
    "[\"0123456789abcdef0123456789abcdef\"]",
];

/// What the reader says of what no schema knows: what else the file has, and what words mean.
const OF_MEANING_TOLD: &[&str] = &[
    "unknown ",
    "is no words",
    "no regular expression",
    "does nothing",
    "is of two",
    "has the id",
];

/// What a schema cannot know of a value: table, key, and why.
const UNSEEN: &[(&str, &str, &str)] = &[
    ("site", "about", "whether the file is there"),
    ("site", "since", "a text is a day for it"),
    ("site", "colour", "how light it is"),
    ("region", "iso", "whether another has the code"),
    ("admin", "command", "that its first word is a path"),
];

/// A table in which a key has a value, with what the key needs beside it. `at` tells it from others.
fn with(table: &Table, key: &str, value: &str, at: usize) -> String {
    let text = |text: &str| format!("\"{text}\"");
    let id = ("id", text(&format!("x{at}")));
    let name = ("name", text(&format!("Ікс {at}")));
    let title = ("title", text(&format!("Ікс {at}")));
    let mut lines = match table.name {
        "feed" => vec![id, title, ("url", text(&format!("https://x{at}.example/")))],
        "region" | "tag" => vec![id, name],
        "community" => vec![id, name, ("region", text("kharkivska"))],
        "publication" => vec![id, title, ("regions", "[\"kharkivska\"]".to_owned())],
        "rule" => {
            vec![id, ("match", "[\"a\"]".to_owned()), ("drop_categories", "[\"b\"]".to_owned())]
        }
        _ => vec![],
    };
    match key {
        "user" => lines.extend([("auth", text("basic")), ("secret", text("env:X"))]),
        "header" => lines.extend([("auth", text("header")), ("secret", text("env:X"))]),
        "secret" => lines.push(("auth", text("bearer"))),
        "auth" => lines.push(("secret", text("env:X"))),
        "with" => lines.push(("replace", text("a"))),
        _ => {}
    }
    lines.retain(|(name, _)| *name != key);
    lines.push((key, value.to_owned()));
    let lines: String =
        lines.iter().map(|(name, value)| [name, " = ", value, "\n"].concat()).collect();
    if table.times == Times::Once { lines } else { format!("[[{}]]\n{lines}", table.name) }
}

/// What the reader says of each part of a file; nothing of a part that is good.
fn told_of(table: &Table, parts: &[String]) -> Vec<Option<String>> {
    let start =
        if table.times == Times::Once { format!("[{}]\n", table.name) } else { String::new() };
    let text = start.clone() + &parts.concat();
    let Err(problems) = config::parse("feeds.toml", &text, root()) else {
        return vec![None; parts.len()];
    };
    let errors: Vec<(usize, String)> = problems
        .listed()
        .filter(|listed| listed.severity == Severity::Error)
        .map(|listed| (listed.place.unwrap()[0].line, listed.to_string()))
        .collect();
    let mut line = 1 + start.lines().count();
    let told = parts.iter().map(|part| {
        let lines = line..line + part.lines().count();
        line = lines.end;
        errors.iter().find(|(at, _)| lines.contains(at)).map(|(_, told)| told.clone())
    });
    told.collect()
}

/// Whether the schema refuses a part of a file.
fn is_refused(validator: &Validator, table: &Table, part: &str) -> Option<String> {
    let start =
        if table.times == Times::Once { format!("[{}]\n", table.name) } else { String::new() };
    refused(validator, &parsed(&(start + part)).unwrap())
}

/// Every key with every value: the parts of files, by table, each with its key.
fn parts() -> Vec<(&'static Table, Vec<(&'static Key, String)>)> {
    let mut all = Vec::new();
    for table in TABLES {
        if table.times == Times::Once {
            // One value for all keys at a time: each key may stand once.
            all.extend(VALUES.iter().map(|value| {
                let part = |key: &'static Key| (key, with(table, key.name, value, 0));
                (table, table.keys.iter().map(part).collect())
            }));
        } else {
            // To look for the community that was meant among 1,772 takes its time.
            let again = |key: &&Key| {
                key.name.ends_with("communities") && table.name != "rule"
                    || key.name == "without_communities"
            };
            all.extend(table.keys.iter().filter(|key| !again(key)).map(|key| {
                let part = |(at, value): (usize, &&str)| (key, with(table, key.name, value, at));
                (table, VALUES.iter().enumerate().map(part).collect())
            }));
        }
    }
    all
}

#[test]
fn the_schema_and_the_reader_agree_on_every_key_with_every_value() {
    let validator = validator();
    let mut checked = 0;
    for (table, parts) in parts() {
        let texts: Vec<String> = parts.iter().map(|(_, part)| part.clone()).collect();
        for ((key, part), told) in parts.iter().zip(told_of(table, &texts)) {
            checked += 1;
            match (told, is_refused(&validator, table, part)) {
                (None, refused) => assert_eq!(refused, None, "{}\n{part}", table.name),
                (Some(_), Some(_)) => {}
                (Some(told), None) => {
                    let is_meant = OF_MEANING_TOLD.iter().any(|words| told.contains(words))
                        || UNSEEN
                            .iter()
                            .any(|(of, name, _)| (*of, *name) == (table.name, key.name));
                    assert!(is_meant, "the schema takes what the reader refuses:\n{part}{told}");
                }
            }
        }
    }
    assert!(checked > 5000, "only {checked}");
}

#[test]
fn the_schema_and_the_reader_agree_when_a_key_is_dropped_or_misspelt() {
    let validator = validator();
    let mut checked = 0;
    for (table, parts) in good_parts() {
        let mutants = parts.iter().flat_map(|(key, part)| {
            let line = part.lines().last().unwrap();
            let misspelt =
                part.replace(line, &line.replacen(key.name, &format!("{}q", key.name), 1));
            let strange = part.replace(line, &format!("x{line}"));
            let typed = part.replace(line, &format!("{} = 1979-05-27T07:32:00Z", key.name));
            let dropped = (key.need == Need::Required).then(|| part.replace(line, ""));
            [Some(misspelt), Some(strange), Some(typed), dropped].into_iter().flatten()
        });
        let mutants: Vec<String> = mutants.collect();
        // Rows stand apart; of a table that stands once, each key has its line.
        for (part, told) in mutants
            .iter()
            .zip(mutants.iter().flat_map(|part| told_of(table, std::slice::from_ref(part))))
        {
            checked += 1;
            assert!(told.is_some(), "the reader takes it:\n{part}");
            let refused = is_refused(&validator, table, part);
            // A text of any kind is a text for a schema.
            assert!(refused.is_some() || part.contains("1979"), "the schema takes it:\n{part}");
        }
    }
    assert!(checked > 150, "only {checked}");
}

/// Each key with a value that is good for it.
fn good_parts() -> Vec<(&'static Table, Vec<(&'static Key, String)>)> {
    let mut good: Vec<(&'static Table, Vec<(&'static Key, String)>)> = Vec::new();
    for (table, parts) in parts() {
        let texts: Vec<String> = parts.iter().map(|(_, part)| part.clone()).collect();
        for ((key, part), told) in parts.into_iter().zip(told_of(table, &texts)) {
            let at = good.iter().position(|(of, _)| of.name == table.name).unwrap_or(good.len());
            if at == good.len() {
                good.push((table, Vec::new()));
            }
            let known = good[at].1.iter().any(|(known, _)| known.name == key.name);
            if told.is_none() && !known {
                good[at].1.push((key, part));
            }
        }
    }
    good
}
