//! From one value of TOML to what it means, or what is wrong with it.

use crate::config::keys::Key;
use crate::config::keys::Shape;
use crate::config::lookalike::in_latin;
use crate::config::nearest::listed;
use crate::config::nearest::nearest;
use crate::config::problem::Found;
use crate::crontab::Crontab;
use crate::model::colour::CONTRAST_MIN;
use crate::model::colour::Colour;
use crate::model::feed::Address;
use crate::model::id::RegionId;
use crate::model::id::SLUG_BYTES_MAX;
use crate::model::retention::Age;
use crate::model::slug::slug;
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::net::SocketAddr;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;
use url::Url;

/// The longest text, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 2000;
/// The longest list of texts.
pub(crate) const TEXTS_MAX: usize = 2000;

/// The word for an age that nothing reaches.
pub(crate) const FOREVER: &str = "forever";
/// The letters of ages, and their days.
pub(crate) const AGE_UNITS: [(&str, u32); 3] = [("d", 1), ("w", 7), ("y", 365)];
/// A hundred years.
pub(crate) const AGE_DAYS_MAX: u32 = 36_500;
const AGE_MAX: Age = Age::Days(AGE_DAYS_MAX);

/// A value that is what its key asks for.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Texts(Vec<Spanned<String>>),
    Flag(bool),
    Number(u64),
    Time(Duration),
    Age(Age),
    Day(NaiveDate),
    Web(Url),
    /// A file's path is relative to the folder of feeds.toml.
    Feed(Address),
    Zone(Tz),
    Colour(Colour),
    Schedule(Crontab),
    Socket(SocketAddr),
}

/// What is wrong with a value, and what would be right.
struct Wrong {
    what: String,
    instead: String,
}

/// The value of a key, or nothing and a problem.
pub(crate) fn read(key: &Key, given: &Spanned<DeValue<'_>>, found: &mut Found) -> Option<Value> {
    if let (Shape::Texts | Shape::Private, DeValue::Array(array)) = (key.shape, given.get_ref()) {
        if array.len() > TEXTS_MAX {
            let what = format!("`{}` has more than {TEXTS_MAX} values", key.name);
            found.add(what, given.span(), "write fewer");
            return None;
        }
        let texts = array.iter().filter_map(|item| match one(key, Shape::Text, item, found)? {
            Value::Text(text) => Some(Spanned::new(item.span(), text)),
            _ => None,
        });
        return Some(Value::Texts(texts.collect()));
    }
    one(key, key.shape, given, found)
}

fn one(key: &Key, shape: Shape, given: &Spanned<DeValue<'_>>, found: &mut Found) -> Option<Value> {
    match value(shape, given.get_ref()) {
        Ok(value) => Some(value),
        Err(Wrong { what, instead }) => {
            found.add(format!("`{}` {what}", key.name), given.span(), instead);
            None
        }
    }
}

/// What may be written, in words.
pub(crate) fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Text | Shape::Part => "a text in quotes".to_owned(),
        Shape::Texts => "a list of texts: `[\"…\", \"…\"]`".to_owned(),
        Shape::Id => format!("1 to {SLUG_BYTES_MAX} of a-z, 0-9 and `-` in quotes"),
        Shape::Private => "`true`, `false`, or a list of addresses: `[\"10.1.2.0/24\"]`".to_owned(),
        Shape::Flag => "`true` or `false`, without quotes".to_owned(),
        Shape::Number { min, max } => format!("a whole number from {min} to {max}, without quotes"),
        Shape::Time { min, max } => {
            format!("a time from `\"{}s\"` to `\"{}s\"`", min.as_secs(), max.as_secs())
        }
        Shape::Age => {
            "an age such as `\"90d\"`, `\"26w\"` or `\"2y\"`, or `\"forever\"`".to_owned()
        }
        Shape::Size { min, max } => {
            format!("a size from `\"{} KiB\"` to `\"{} MiB\"`", min >> 10, max >> 20)
        }
        Shape::Choice(words) => format!("one of {}", listed(words.iter().copied())),
        Shape::Day => "a day such as `2026-01-01`, without quotes".to_owned(),
        Shape::WebAddress => "an address such as `https://city.example/`".to_owned(),
        Shape::FeedAddress => "an address such as `https://city.example/rss`".to_owned(),
        Shape::Zone => "a time zone such as `Europe/Kyiv`".to_owned(),
        Shape::Colour => "a dark colour such as `#0d2b4b`".to_owned(),
        Shape::Language => "a language such as `uk` or `en-US`".to_owned(),
        Shape::Schedule => "a schedule such as `every 30m` or `*/30 * * * *`".to_owned(),
        Shape::Socket => "an IP address and a port such as `127.0.0.1:8080`".to_owned(),
        Shape::Iso => "a code of ISO 3166-2 such as `UA-63`".to_owned(),
        Shape::Authority => "a domain name or an e-mail address, in lower case".to_owned(),
    }
}

fn value(shape: Shape, given: &DeValue<'_>) -> Result<Value, Wrong> {
    match (shape, given) {
        (Shape::Flag | Shape::Private, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
        (Shape::Number { min, max }, DeValue::Integer(integer)) => {
            let digits = integer.as_str().replace('_', "");
            let number = u64::from_str_radix(&digits, integer.radix()).ok();
            let number = number.filter(|number| (min..=max).contains(number));
            number.map(Value::Number).ok_or_else(|| wrong("is out of range", shape))
        }
        (Shape::Day, DeValue::Datetime(day)) => day
            .date
            .filter(|_| day.time.is_none() && day.offset.is_none())
            .and_then(|d| NaiveDate::from_ymd_opt(d.year.into(), d.month.into(), d.day.into()))
            .map(Value::Day)
            .ok_or_else(|| wrong("is not a day alone", shape)),
        (Shape::Flag | Shape::Private | Shape::Number { .. } | Shape::Day | Shape::Texts, _) => {
            Err(wrong(&format!("is {}", type_of(given)), shape))
        }
        (_, DeValue::String(text)) => text_value(shape, text),
        _ => Err(wrong(&format!("is {}", type_of(given)), shape)),
    }
}

fn text_value(shape: Shape, text: &str) -> Result<Value, Wrong> {
    plain(shape, text)?;
    match shape {
        Shape::Time { min, max } => {
            let time = duration(text).ok_or_else(|| wrong("is not a time", shape))?;
            let fitting = (min..=max).contains(&time).then_some(Value::Time(time));
            fitting.ok_or_else(|| wrong("is out of range", shape))
        }
        Shape::Age => {
            let age = age(text).ok_or_else(|| wrong("is not an age", shape))?;
            let is_fit = age == Age::Forever || (Age::Days(1)..=AGE_MAX).contains(&age);
            is_fit.then_some(Value::Age(age)).ok_or_else(|| wrong("is out of range", shape))
        }
        Shape::Size { min, max } => {
            let bytes = size(text).ok_or_else(|| wrong("is not a size", shape))?;
            let fitting = (min..=max).contains(&bytes).then_some(Value::Number(bytes));
            fitting.ok_or_else(|| wrong("is out of range", shape))
        }
        Shape::Id => identifier(text),
        Shape::Choice(words) if !words.contains(&text) => Err(Wrong {
            what: format!("cannot be `{text}`"),
            instead: match nearest(text, words.iter().copied()) {
                Some(word) => format!("write `{word}`"),
                None => format!("write {}", wanted(shape)),
            },
        }),
        Shape::WebAddress => web_address(text).map(Value::Web),
        Shape::FeedAddress => match text.strip_prefix("file:") {
            Some(path) => file_address(path).map(Value::Feed),
            None => web_address(text).map(|url| Value::Feed(Address::Http(url))),
        },
        Shape::Zone => zone(text),
        Shape::Colour => colour(text),
        Shape::Language => language(text),
        Shape::Schedule => Crontab::parse(text)
            .map(Value::Schedule)
            .map_err(|bad| Wrong { what: "is not a schedule".to_owned(), instead: bad.message }),
        Shape::Socket => {
            text.parse().map(Value::Socket).map_err(|_| wrong("is not a place to listen at", shape))
        }
        Shape::Iso if !is_iso(text) => Err(wrong("is not a code", shape)),
        Shape::Authority if !is_authority(text) => {
            Err(wrong("is not a name in which ids can be minted", shape))
        }
        _ => Ok(Value::Text(text.to_owned())),
    }
}

/// No text is empty, endless, or more than one line; a part of one may be empty.
fn plain(shape: Shape, text: &str) -> Result<(), Wrong> {
    let is_part = matches!(shape, Shape::Part);
    if text.trim().is_empty() && !is_part {
        return Err(wrong("is empty", shape));
    }
    if text.len() > TEXT_BYTES_MAX {
        let what = format!("is longer than {TEXT_BYTES_MAX} bytes");
        return Err(Wrong { what, instead: "write less".to_owned() });
    }
    if text.chars().any(char::is_control) {
        let what = "holds a line break or another control character".to_owned();
        return Err(Wrong { what, instead: "write it in one line".to_owned() });
    }
    if text.trim() != text && !is_part {
        let what = "begins or ends with a space".to_owned();
        return Err(Wrong { what, instead: format!("write `{}`", text.trim()) });
    }
    Ok(())
}

fn identifier(text: &str) -> Result<Value, Wrong> {
    // All identifiers follow one rule, whatever they name.
    if RegionId::new(text).is_ok() {
        return Ok(Value::Text(text.to_owned()));
    }
    let better = slug(&in_latin(text).unwrap_or_else(|| text.to_owned()));
    let instead = if better.is_empty() {
        format!("write {}", wanted(Shape::Id))
    } else {
        format!("write `{better}`: a-z, 0-9 and `-`")
    };
    Err(Wrong { what: "is not an identifier".to_owned(), instead })
}

/// Seconds, minutes or hours: `10s`, `5m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.trim_end().parse().ok()?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// Days, weeks or years of 365 days: `30d`, `26w`, `2y`.
fn age(text: &str) -> Option<Age> {
    if text == FOREVER {
        return Some(Age::Forever);
    }
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = digits.trim_end().parse().ok()?;
    let (_, days) = AGE_UNITS.into_iter().find(|(letter, _)| *letter == unit)?;
    number.checked_mul(days).map(Age::Days)
}

/// A number of `KiB`, `MiB` or `GiB`.
fn size(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(3)?)?;
    let unit: u64 = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

fn web_address(text: &str) -> Result<Url, Wrong> {
    let fail = |what: &str, instead: String| Err(Wrong { what: what.to_owned(), instead });
    if text.contains(char::is_whitespace) {
        return fail("has a space in it", "write `%20` for a space".to_owned());
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            let instead = match with_scheme(text) {
                Some(meant) => format!("`{meant}`"),
                None if text.starts_with(['/', '.', '#', '?']) => wanted(Shape::WebAddress),
                None => format!("`https://{text}`"),
            };
            return fail("is not a whole address", format!("write {instead}"));
        }
        Err(error) => {
            let instead = format!("write {}", wanted(Shape::WebAddress));
            return fail(&format!("is not an address: {error}"), instead);
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        let instead = match with_scheme(text) {
            Some(meant) => format!("write `{meant}`"),
            None => "write an address that begins with `https://` or `http://`".to_owned(),
        };
        return fail(&format!("has the scheme `{}`", url.scheme()), instead);
    }
    if matches!(url.host_str(), Some("http" | "https")) {
        let rest = &text[text.find(':').map_or(0, |colon| colon + 1)..];
        let meant = rest.trim_start_matches('/').replacen("//", "://", 1).replacen("::", ":", 1);
        return fail("has its scheme twice", format!("write `{meant}`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let instead = "leave out everything up to the `@`".to_owned();
        return fail("holds a user name or a password", instead);
    }
    Ok(url)
}

/// An address whose scheme is misspelt, with the one that was likely meant: `htp://`, `https//`,
/// `https;//`, `feed://`.
fn with_scheme(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("//")?;
    let scheme = scheme.trim_end_matches([':', ';', '.', ',']);
    let meant = match scheme {
        "" | "feed" | "rss" => "https",
        _ => nearest(scheme, ["https", "http"])?,
    };
    Some(format!("{meant}://{rest}"))
}

/// A path that stays below the folder of feeds.toml.
fn file_address(path: &str) -> Result<Address, Wrong> {
    let fail = |what: &str| {
        let instead = "write `file:` and a path below the folder of this file".to_owned();
        Err(Wrong { what: what.to_owned(), instead })
    };
    let mut below = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => below.push(part),
            Component::CurDir => {}
            Component::ParentDir => return fail("leads out of the folder of this file"),
            Component::RootDir | Component::Prefix(_) => return fail("is an absolute path"),
        }
    }
    if below.as_os_str().is_empty() {
        return fail("names no file");
    }
    Ok(Address::File(below))
}

/// White letters stand on it.
fn colour(text: &str) -> Result<Value, Wrong> {
    let Ok(colour) = text.parse::<Colour>() else {
        return Err(wrong("is no colour", Shape::Colour));
    };
    let contrast = colour.contrast_with_white();
    if contrast < CONTRAST_MIN {
        return Err(Wrong {
            what: format!("is too light: white on `{colour}` has a contrast of {contrast:.1}"),
            instead: format!("write a darker one: {CONTRAST_MIN} is the least (WCAG 2.2, 1.4.3)"),
        });
    }
    Ok(Value::Colour(colour))
}

fn zone(text: &str) -> Result<Value, Wrong> {
    if let Ok(zone) = text.parse() {
        return Ok(Value::Zone(zone));
    }
    let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    // Someone who writes `Kyiv` knows the city and not the continent.
    let by_city = names
        .clone()
        .find(|name| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text)));
    let instead = match by_city.or_else(|| nearest(text, names)) {
        Some(name) => format!("write `{name}`"),
        None => format!("write {}", wanted(Shape::Zone)),
    };
    Err(Wrong { what: "is not a time zone".to_owned(), instead })
}

/// The shape of RFC 5646, 2.1; whether the subtags are registered is not looked up.
fn language(text: &str) -> Result<Value, Wrong> {
    let well_formed = |tag: &str| {
        let mut parts = tag.split('-');
        let first = parts.next().unwrap_or_default();
        (2..=3).contains(&first.len())
            && first.bytes().all(|b| b.is_ascii_alphabetic())
            && parts.all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            })
    };
    if well_formed(text) {
        return Ok(Value::Text(text.to_owned()));
    }
    let better = text.replace('_', "-");
    let instead = if well_formed(&better) {
        format!("write `{better}`")
    } else {
        format!("write {}", wanted(Shape::Language))
    };
    Err(Wrong { what: "is not a language".to_owned(), instead })
}

fn is_iso(text: &str) -> bool {
    text.split_once('-').is_some_and(|(country, unit)| {
        country.len() == 2
            && country.bytes().all(|b| b.is_ascii_uppercase())
            && (1..=3).contains(&unit.len())
            && unit.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

/// `authorityName` of RFC 4151, 2.1, in lower case as 2.4 advises.
pub(crate) fn is_authority(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let domain = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
    let local = text.rsplit_once('@').map(|(local, _)| local);
    local.is_none_or(|local| {
        !local.is_empty() && local.bytes().all(|b| letter(b) || b"-._".contains(&b))
    }) && domain.split('.').all(|part| {
        !part.is_empty()
            && part.bytes().all(|b| letter(b) || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    })
}

fn wrong(what: &str, shape: Shape) -> Wrong {
    Wrong { what: what.to_owned(), instead: format!("write {}", wanted(shape)) }
}

/// The type of a value, with its article.
pub(crate) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_units() {
        for (text, seconds) in
            [("10s", Some(10)), ("5m", Some(300)), ("1h", Some(3600)), ("2 m", Some(120))]
        {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
        for text in
            ["", "s", "10", "-1s", "1d", "99999999999999999999h", "18446744073709551615h", "5ґ"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
        for (text, bytes) in [
            ("16 MiB", Some(16 << 20)),
            ("64KiB", Some(64 << 10)),
            ("16", None),
            ("16 MB", None),
            ("18446744073709551615 MiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_file_lies_below_the_folder() {
        for (path, expected) in [("a.rss", Some("a.rss")), ("./a/b.rss", Some("a/b.rss"))] {
            let address = file_address(path).ok();
            assert_eq!(address, expected.map(|path| Address::File(path.into())), "{path}");
        }
        for path in ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "//host/a"] {
            assert!(file_address(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_tagging_entity_is_a_name_of_the_network() {
        for good in ["a.example", "127.0.0.1", "localhost", "admin@a.example", "xn--80a.example"] {
            assert!(is_authority(good), "{good}");
        }
        for bad in ["", "A.example", "[::1]", "a b", "@a.example", "-a.example", "a..b", "a,b"] {
            assert!(!is_authority(bad), "{bad}");
        }
    }
}
