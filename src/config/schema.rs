//! The JSON Schema (draft 2020-12) of feeds.toml, by which editors check it while it is written.
//!
//! # How
//! It is made from `keys`, like the reader's rules, so that both know the same keys. `shapes` says
//! what a value may look like, this file what the keys of a table ask of each other. It refuses
//! every mistake of form that a schema can see, and nothing that the reader takes: editors cannot
//! know which tags and feeds there are, nor what a regular expression means.
//!
//! A copy lies beside this file, where editors find it by the first line of feeds.toml. A test
//! holds it to what is made here.

mod ranges;
mod shapes;

use crate::config::keys::Key;
use crate::config::keys::Need;
use crate::config::keys::TABLES;
use crate::config::keys::Table;
use crate::config::keys::Times;
use crate::model::id::RegionId;
use crate::place::Catalogue;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema as text.
#[must_use]
pub fn schema() -> String {
    let catalogue = Catalogue::builtin();
    let regions: Vec<&str> = catalogue.regions.keys().map(RegionId::as_str).collect();
    let tables: Map<String, Value> =
        TABLES.iter().map(|table| (table.name.to_owned(), of_times(table, &regions))).collect();
    let zones: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let schema = json!({
        "$schema": DIALECT,
        "title": "feeds.toml of Visnyk",
        "description": "What Visnyk polls and what it publishes.",
        "type": "object",
        "additionalProperties": false,
        "properties": tables,
        "$defs": {
            "id": shapes::id(),
            "region": {
                "description": "the id of a region: a built-in one, or one of feeds.toml",
                "anyOf": [{ "enum": regions }, { "$ref": "#/$defs/id" }],
            },
            "zone": { "enum": zones },
        },
    });
    format!("{schema:#}")
}

fn of_times(table: &Table, regions: &[&str]) -> Value {
    let one = of_table(table, regions);
    match table.times {
        Times::Once => one,
        Times::Many => json!({ "type": "array", "items": one }),
    }
}

fn of_table(table: &Table, regions: &[&str]) -> Value {
    let keys: Map<String, Value> =
        table.keys.iter().map(|key| (key.name.to_owned(), of_key(table, key))).collect();
    let required: Vec<&str> =
        table.keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut schema = json!({
        "description": table.header(),
        "type": "object",
        "additionalProperties": false,
        "properties": keys,
        "required": required,
    });
    if let (Value::Object(schema), Value::Object(conditions)) =
        (&mut schema, conditions(table, regions))
    {
        schema.extend(conditions);
    }
    schema
}

fn of_key(table: &Table, key: &Key) -> Value {
    let mut schema = shapes::of(table, key);
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), key.help.into());
        if let Some(default) = key.default.and_then(value) {
            schema.insert("default".to_owned(), default);
        }
    }
    schema
}

/// A value of TOML as JSON has it: a day is a text there.
fn value(toml: &str) -> Option<Value> {
    serde_json::from_str(toml).ok().or_else(|| Some(Value::String(toml.to_owned())))
}

/// What the keys of a table ask of each other.
fn conditions(table: &Table, regions: &[&str]) -> Value {
    let is_true =
        |key: &str| json!({ "properties": { key: { "const": true } }, "required": [key] });
    match table.name {
        "region" => json!({
            "if": { "properties": { "id": { "not": { "enum": regions } } } },
            "then": { "required": ["name"] },
        }),
        "feed" => json!({
            "dependentRequired": {
                "secret": ["auth"], "auth": ["secret"], "user": ["auth"], "header": ["auth"],
            },
            "allOf": [with_auth("basic", "user"), with_auth("header", "header")],
        }),
        "publication" => {
            let lists = ["regions", "communities", "tags", "feeds", "without_tags"];
            let selects = lists.map(
                |list| json!({ "properties": { list: { "minItems": 1 } }, "required": [list] }),
            );
            json!({ "anyOf": selects })
        }
        "rule" => json!({
            "dependentRequired": { "with": ["replace"] },
            "not": { "allOf": [is_true("exclude"), is_true("only")] },
            "if": { "anyOf": [is_true("exclude"), is_true("only")] },
            "then": { "properties": { "match": { "minItems": 1 } }, "required": ["match"] },
        }),
        _ => json!({}),
    }
}

/// A key that one way of `auth` needs, and no other may have.
fn with_auth(auth: &str, key: &str) -> Value {
    json!({
        "if": { "properties": { "auth": { "const": auth } }, "required": ["auth"] },
        "then": { "required": [key] },
        "else": { "properties": { key: false } },
    })
}
