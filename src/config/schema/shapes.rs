//! What the value of a key may look like, as a schema.

use crate::config::keys::Key;
use crate::config::keys::Shape;
use crate::config::keys::Table;
use crate::config::schema::ranges::number;
use crate::config::shape::AGE_DAYS_MAX;
use crate::config::shape::AGE_UNITS;
use crate::config::shape::FOREVER;
use crate::config::shape::TEXT_BYTES_MAX;
use crate::config::shape::TEXTS_MAX;
use crate::crontab::EVERY_SECONDS_MAX;
use crate::crontab::EVERY_SECONDS_MIN;
use crate::crontab::field::DAY;
use crate::crontab::field::Field;
use crate::crontab::field::HOUR;
use crate::crontab::field::MINUTE;
use crate::crontab::field::MONTH;
use crate::crontab::field::WEEKDAY;
use crate::model::id::SLUG_BYTES_MAX;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

/// A text in a line, that neither begins nor ends with a space.
const TEXT: &str = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$";
/// The same, which may be empty or have spaces around.
const PART: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// Scheme and host of an address without a user, and not the scheme for the host.
const SCHEME_AND_HOST: &str =
    r"^[hH][tT][tT][pP][sS]?:[\\/]*(?![hH][tT][tT][pP][sS]?([:/\\?#]|$))@?[^\\/\s?#@]+";
/// A path below the folder of feeds.toml.
const FILE: &str = r"^file:(?!/)(?!(.*/)?\.\.(/|$))(?!(\./*)*$).+$";
const LANGUAGE: &str = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$";
const ISO: &str = r"^[A-Z]{2}-[A-Z0-9]{1,3}$";
const AUTHORITY: &str =
    r"^([a-z0-9._-]+@)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$";
const COLOUR: &str = r"^#[0-9a-fA-F]{6}$";
const DAY_OF_YEAR: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// The schema of a key's value.
pub(crate) fn of(table: &Table, key: &Key) -> Value {
    match (table.name, key.name) {
        (_, "region") => json!({ "$ref": "#/$defs/region" }),
        (_, "regions" | "without_regions") => list(&json!({ "$ref": "#/$defs/region" })),
        (_, "community") => json!({ "$ref": "#/$defs/id", "examples": ["kharkivska"] }),
        (_, "communities" | "tags" | "feeds" | "without_communities" | "without_tags") => {
            list(&id())
        }
        (_, "apart") => list(&json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" })),
        ("site", "address") => {
            let end = r"([\\/]([^?#\s]*[\\/])?)?$";
            text(&format!("{SCHEME_AND_HOST}{end}"), &["https://news.example/"])
        }
        (_, "contact") => text(r"^(https?://[!-~]*|[!-?A-~]+@[!-~]+)$", &["admin@city.example"]),
        (_, "secret") => text(
            r"^(credential:(?!\.{1,2}$)[^/]+|file:.+|env:[^=\u0000]+)$",
            &["credential:city", "file:/etc/visnyk/city.secret", "env:CITY_TOKEN"],
        ),
        (of, "proxy") => {
            let none = if of == "feed" { "none|" } else { "" };
            let proxy = r"[hH][tT][tT][pP][sS]?:[\\/]*[^\\/\s?#@]+([\\/?#].*)?|socks5h?://[^/\s?#@]+([/?#].*)?";
            text(&format!("^({none}{proxy})$"), &["http://proxy.example:3128"])
        }
        (_, "header") => text(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", &["X-Api-Key"]),
        (_, "user") => text(
            r"^[^:\s\u0000-\u001f\u007f-\u009f]([^:\u0000-\u001f\u007f-\u009f]*[^:\s\u0000-\u001f\u007f-\u009f])?$",
            &["visnyk"],
        ),
        _ => of_shape(key.shape),
    }
}

/// An identifier.
pub(crate) fn id() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9-]+$", "maxLength": SLUG_BYTES_MAX })
}

fn of_shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => text(TEXT, &[]),
        Shape::Part => json!({ "type": "string", "pattern": PART, "maxLength": TEXT_BYTES_MAX }),
        Shape::Texts => list(&text(TEXT, &[])),
        Shape::Id => json!({ "$ref": "#/$defs/id", "examples": ["kharkiv"] }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Private => json!({
            "anyOf": [
                { "type": "boolean" },
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": TEXTS_MAX,
                    "items": { "type": "string", "pattern": r"^(?=.*[.:])[0-9A-Fa-f.:/\[\]]+$" },
                },
            ],
            "examples": [["10.1.2.0/24"]],
        }),
        Shape::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Time { min, max } => text(&format!("^\\+?({})$", time(min, max)), &["30s", "1m"]),
        Shape::Age => {
            let unit = |(letter, days): (&str, u32)| {
                format!("{}\\s*{letter}", number(1, u64::from(AGE_DAYS_MAX / days)))
            };
            let units = AGE_UNITS.map(unit).join("|");
            text(&format!("^({FOREVER}|\\+?({units}))$"), &["2y", "90d", FOREVER])
        }
        Shape::Size { min, max } => {
            let of_unit = |(unit, bits): (&str, u32)| {
                let (min, max) = (min.div_ceil(1 << bits).max(1), max >> bits);
                (min <= max).then(|| format!("{}\\s*{unit}", number(min, max)))
            };
            let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
            let sizes: Vec<String> = units.into_iter().filter_map(of_unit).collect();
            text(&format!("^\\+?({})$", sizes.join("|")), &["16 MiB"])
        }
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Day => {
            json!({ "type": "string", "pattern": DAY_OF_YEAR, "examples": ["2026-01-01"] })
        }
        Shape::WebAddress => {
            text(&format!("{SCHEME_AND_HOST}([\\\\/?#]\\S*)?$"), &["https://city.example/"])
        }
        Shape::FeedAddress => {
            let web = format!("{SCHEME_AND_HOST}([\\\\/?#]\\S*)?$");
            text(&format!("{web}|{FILE}"), &["https://city.example/rss", "file:feeds/city.rss"])
        }
        Shape::Zone => json!({ "$ref": "#/$defs/zone", "examples": ["Europe/Kyiv"] }),
        Shape::Colour => text(COLOUR, &["#0d2b4b"]),
        Shape::Language => text(LANGUAGE, &["uk", "en-US"]),
        Shape::Schedule => text(&schedule(), &["every 30m", "*/30 * * * *", "@hourly"]),
        Shape::Socket => {
            let (octet, port) = (number(0, 255), number(0, u64::from(u16::MAX)));
            let pattern = format!(r"^({octet}(\.{octet}){{3}}|\[[0-9A-Fa-f:.%]+\]):{port}$");
            text(&pattern, &["127.0.0.1:8080"])
        }
        Shape::Iso => text(ISO, &["UA-63"]),
        Shape::Authority => text(AUTHORITY, &["news.city.example"]),
    }
}

fn text(pattern: &str, examples: &[&str]) -> Value {
    let mut schema = json!({
        "type": "string",
        "pattern": pattern,
        "minLength": 1,
        "maxLength": TEXT_BYTES_MAX,
    });
    if !examples.is_empty() {
        schema["examples"] = json!(examples);
    }
    schema
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "maxItems": TEXTS_MAX, "items": of })
}

/// Seconds, minutes or hours in a range.
fn time(min: Duration, max: Duration) -> String {
    let units = [("s", 1), ("m", 60), ("h", 3600)].into_iter().filter_map(|(letter, seconds)| {
        let (least, most) = (min.as_secs().div_ceil(seconds), max.as_secs() / seconds);
        (least <= most).then(|| format!("{}\\s*{letter}", number(least, most)))
    });
    units.collect::<Vec<_>>().join("|")
}

/// `every 30m`, a word such as `@hourly`, or five fields.
fn schedule() -> String {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let period = |(letter, seconds): (&str, i64)| {
        let least = EVERY_SECONDS_MIN.unsigned_abs().div_ceil(seconds.unsigned_abs());
        let most = EVERY_SECONDS_MAX.unsigned_abs() / seconds.unsigned_abs();
        format!("{}{letter}", number(least, most))
    };
    let every = units.map(period).join("|");
    let fields = [MINUTE, HOUR, DAY, MONTH, WEEKDAY].map(|of| field(&of)).join(r"\s+");
    let words = "@(hourly|daily|midnight|weekly|monthly|yearly|annually)";
    format!(r"^(every\s+({every})|{words}|{fields})$")
}

/// Values, ranges and steps of a field.
fn field(field: &Field) -> String {
    let [first, last] = field.bounds().map(u64::from);
    let words = field.words().iter().map(|word| {
        let letters = word.chars().map(|c| format!("[{c}{}]", c.to_ascii_lowercase()));
        letters.collect::<String>()
    });
    let numbers = number(first, last);
    let value = std::iter::once(numbers).chain(words).collect::<Vec<_>>().join("|");
    let step = format!("/{}", number(1, u64::from(field.count())));
    let item = format!(r"(\*({step})?|({value})(-({value})({step})?)?)");
    format!("{item}(,{item})*")
}
