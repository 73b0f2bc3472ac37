//! From one table of TOML to a row of values, as `keys.rs` declares it, with every problem noted.

use crate::config::keys::Need;
use crate::config::keys::TABLES;
use crate::config::keys::Table;
use crate::config::keys::Times;
use crate::config::nearest::listed;
use crate::config::nearest::nearest;
use crate::config::problem::Found;
use crate::config::problem::Span;
use crate::config::shape;
use crate::config::shape::Value;
use crate::crontab::Crontab;
use crate::model::colour::Colour;
use crate::model::feed::Address;
use crate::model::retention::Age;
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeArray;
use toml::de::DeTable;
use toml::de::DeValue;
use url::Url;

/// The values of one table that are what their keys ask for.
#[derive(Debug, Default)]
pub(crate) struct Row {
    header: Span,
    values: BTreeMap<&'static str, Spanned<Value>>,
    /// The keys that were written, those with a mistake too.
    given: BTreeSet<&'static str>,
}

/// The rows of every table, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    by_table: BTreeMap<&'static str, Vec<Row>>,
}

/// Reads every table of a document.
pub(crate) fn rows(document: &DeTable<'_>, found: &mut Found) -> Rows {
    let mut rows = Rows::default();
    for (name, value) in document {
        match TABLES.iter().find(|table| table.name == name.get_ref().as_ref()) {
            Some(table) => {
                let of_table = tables(table, name.span(), value, found);
                rows.by_table.insert(table.name, of_table);
            }
            None => unknown_table(name, value, found),
        }
    }
    rows
}

impl Rows {
    /// The row of a table that stands once; empty if it does not stand.
    pub(crate) fn one(&mut self, table: &Table) -> Row {
        self.many(table).into_iter().next().unwrap_or_default()
    }

    /// The rows of a table that may stand many times.
    pub(crate) fn many(&mut self, table: &Table) -> Vec<Row> {
        self.by_table.remove(table.name).unwrap_or_default()
    }
}

fn unknown_table(name: &Spanned<Cow<'_, str>>, value: &Spanned<DeValue<'_>>, found: &mut Found) {
    let is_table = match value.get_ref() {
        DeValue::Table(_) => true,
        DeValue::Array(array) => is_of_tables(array),
        _ => false,
    };
    let homes =
        TABLES.iter().filter(|table| table.keys.iter().any(|key| key.name == name.get_ref()));
    let homes: Vec<String> = homes.map(|table| table.header()).collect();
    let near = nearest(name.get_ref(), TABLES.map(|table| table.name));
    let near = near.and_then(|near| TABLES.iter().find(|table| table.name == near));
    let label = match near {
        _ if !is_table && !homes.is_empty() => {
            format!("write it below {}", listed(homes.iter().map(String::as_str)))
        }
        Some(table) => format!("write `{}`", table.header()),
        None => {
            format!(
                "the tables are {}",
                listed(TABLES.map(Table::header).iter().map(String::as_str))
            )
        }
    };
    let kind = if is_table { "table" } else { "key" };
    found.add(format!("unknown {kind} `{}`", name.get_ref()), name.span(), label);
}

fn is_of_tables(array: &DeArray<'_>) -> bool {
    !array.is_empty() && array.iter().all(|item| item.get_ref().is_table())
}

fn tables(table: &Table, name: Span, value: &Spanned<DeValue<'_>>, found: &mut Found) -> Vec<Row> {
    let header = table.header();
    match (table.times, value.get_ref()) {
        (Times::Once, DeValue::Table(keys)) => vec![row(table, value.span(), keys, found)],
        (Times::Many, DeValue::Array(items)) => items
            .iter()
            .filter_map(|item| match item.get_ref() {
                DeValue::Table(keys) => Some(row(table, item.span(), keys, found)),
                other => {
                    let what = format!("`{}` is {}", table.name, shape::type_of(other));
                    found.add(what, item.span(), format!("write it as tables: `{header}`"));
                    None
                }
            })
            .collect(),
        (Times::Many, DeValue::Table(keys)) => {
            let what = format!("`{}` may stand many times", table.name);
            found.add(what, value.span(), format!("write `{header}`"));
            vec![row(table, value.span(), keys, found)]
        }
        (Times::Once, DeValue::Array(array)) if is_of_tables(array) => {
            found.add(
                format!("`{}` may stand once", table.name),
                name,
                format!("write `{header}`"),
            );
            Vec::new()
        }
        (_, other) => {
            let what = format!("`{}` is {}", table.name, shape::type_of(other));
            found.add(what, name, format!("write it as a table: `{header}`"));
            Vec::new()
        }
    }
}

fn row(table: &Table, header: Span, given: &DeTable<'_>, found: &mut Found) -> Row {
    let mut values = BTreeMap::new();
    let mut written = BTreeSet::new();
    for (name, value) in given {
        match table.keys.iter().find(|key| key.name == name.get_ref().as_ref()) {
            Some(key) => {
                written.insert(key.name);
                if let Some(read) = shape::read(key, value, found) {
                    values.insert(key.name, Spanned::new(value.span(), read));
                }
            }
            None => written.extend(unknown_key(table, name, found)),
        }
    }
    for key in table.keys {
        if key.need == Need::Required && !written.contains(key.name) {
            missing(table, key.name, header.clone(), found);
        }
    }
    Row { header, values, given: written }
}

/// Notes a key that is not of the table. The key that was meant counts as written.
fn unknown_key(
    table: &Table,
    name: &Spanned<Cow<'_, str>>,
    found: &mut Found,
) -> Option<&'static str> {
    let names = table.keys.iter().map(|key| key.name);
    let meant = nearest(name.get_ref(), names.clone());
    let label = match meant {
        Some(near) => format!("write `{near}`"),
        None => format!("the keys here are {}", listed(names)),
    };
    let what = format!("unknown key `{}` in `{}`", name.get_ref(), table.header());
    found.add(what, name.span(), label);
    meant
}

/// Notes a key that should be there.
pub(crate) fn missing(table: &Table, name: &str, header: Span, found: &mut Found) {
    let key = table.keys.iter().find(|key| key.name == name);
    let wanted = key.map(|key| shape::wanted(key.shape)).unwrap_or_default();
    let label = format!("add `{name}`: {wanted}");
    found.add(format!("`{}` without `{name}`", table.header()), header, label);
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        pub(crate) fn $name(&self, key: &str) -> Option<$type> {
            match self.values.get(key)?.get_ref() {
                Value::$variant(value) => Some(value.clone()),
                _ => None,
            }
        }
    };
}

impl Row {
    getter!(
        /// A text, a word, an identifier.
        text, Text, String
    );
    getter!(
        /// `true` or `false`.
        flag, Flag, bool
    );
    getter!(
        /// A number, or a size in bytes.
        number, Number, u64
    );
    getter!(
        /// A time.
        time, Time, Duration
    );
    getter!(
        /// For how long something is kept.
        age, Age, Age
    );
    getter!(
        /// A day.
        day, Day, NaiveDate
    );
    getter!(
        /// An address on the web.
        web, Web, Url
    );
    getter!(
        /// Where a feed is.
        address, Feed, Address
    );
    getter!(
        /// A time zone.
        zone, Zone, Tz
    );
    getter!(
        /// A colour.
        colour, Colour, Colour
    );
    getter!(
        /// A schedule.
        schedule, Schedule, Crontab
    );
    getter!(
        /// Where to listen.
        socket, Socket, SocketAddr
    );

    /// Texts, each with its place; none if the key is not there.
    pub(crate) fn texts(&self, key: &str) -> Vec<Spanned<String>> {
        match self.values.get(key).map(Spanned::get_ref) {
            Some(Value::Texts(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    /// Texts without their places.
    pub(crate) fn words(&self, key: &str) -> Vec<String> {
        self.texts(key).into_iter().map(Spanned::into_inner).collect()
    }

    /// A text with its place.
    pub(crate) fn spanned_text(&self, key: &str) -> Option<Spanned<String>> {
        Some(Spanned::new(self.span(key), self.text(key)?))
    }

    /// Whether a key was written, even if with a mistake.
    pub(crate) fn was_given(&self, key: &str) -> bool {
        self.given.contains(key)
    }

    /// Whether a key's list was written as it should be, and is empty.
    pub(crate) fn has_no_texts(&self, key: &str) -> bool {
        matches!(self.values.get(key).map(Spanned::get_ref), Some(Value::Texts(texts)) if texts.is_empty())
    }

    /// The place of a key's value; that of the table's header if the key is not there.
    pub(crate) fn span(&self, key: &str) -> Span {
        self.values.get(key).map_or_else(|| self.header(), Spanned::span)
    }

    /// The place of the table's header.
    pub(crate) fn header(&self) -> Span {
        self.header.clone()
    }
}
