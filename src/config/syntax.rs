//! Where a feeds.toml is not TOML at all: what the parser says, in an admin's words, with what to
//! write instead.
//!
//! # How
//! Most such mistakes are one of few: a quotation mark that is missing or curly, a sign of another
//! format, a letter of another alphabet. The line tells which. Of a line only the first mistake is
//! told: what comes behind it follows from it.

use crate::config::keys::TABLES;
use crate::config::keys::Times;
use crate::config::lookalike::in_latin;
use crate::config::nearest::nearest;
use crate::config::problem::Found;
use crate::config::problem::Problems;
use crate::config::problem::Span;
use crate::config::shape;
use encoding_rs::UTF_16BE;
use encoding_rs::UTF_16LE;
use encoding_rs::WINDOWS_1251;
use std::collections::BTreeSet;
use std::string::FromUtf8Error;
use toml::de::Error;

/// Quotation marks that word processors write, and typographers.
const CURLY: [char; 9] = ['“', '”', '„', '‟', '«', '»', '‘', '’', '‚'];
/// What is said of a list whose end is missing.
const LIST_NOT_CLOSED: &str = "a list that is not closed";
/// Spaces that are not one, and characters without width.
const INVISIBLE: [char; 8] =
    ['\u{a0}', '\u{202f}', '\u{2007}', '\u{2009}', '\u{200b}', '\u{200c}', '\u{2060}', '\u{feff}'];

/// Notes what is wrong with the TOML.
pub(crate) fn note(errors: &[Error], text: &str, found: &mut Found) {
    let mut lines = BTreeSet::new();
    // Where a list is not closed, all that stands behind it is taken for part of it.
    let mut end = usize::MAX;
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let span = span.start.min(text.len())..span.end.min(text.len());
        let line = Line::around(span.start, text);
        if span.start > end || !lines.insert(line.start) {
            continue;
        }
        let Mistake { what, span, instead } = mistake(error.message(), span, &line, text);
        if what == LIST_NOT_CLOSED {
            end = span.end;
        }
        found.add(what, span, instead);
    }
}

/// That a file is in another encoding, at the first byte that shows it.
pub(crate) fn not_utf8(file_name: &str, error: &FromUtf8Error) -> Problems {
    let (bytes, at) = (error.as_bytes(), error.utf8_error().valid_up_to());
    let (encoding, name) = match bytes {
        [0xff, 0xfe, ..] => (UTF_16LE, "UTF-16"),
        [0xfe, 0xff, ..] => (UTF_16BE, "UTF-16"),
        _ => (WINDOWS_1251, "Windows-1251"),
    };
    // The whole line is read anew: by chance the beginning of a word may be UTF-8.
    let newline = |byte: &u8| *byte == b'\n';
    let start = bytes[..at].iter().rposition(newline).map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(newline).map_or(bytes.len(), |end| at + end);
    let mut text = String::from_utf8_lossy(&bytes[..start]).into_owned();
    let before = text.len();
    text.push_str(encoding.decode(&bytes[start..end]).0.trim_end_matches(['\r', '\0']));
    let foreign = text[before..].find(|c: char| !c.is_ascii()).map_or(before, |at| before + at);
    let word = text[foreign..].find(|c: char| !c.is_alphanumeric());
    let word = foreign..word.map_or(text.len(), |end| foreign + end);
    let mut found = Found::default();
    let what = "the file is not UTF-8";
    found.add(what, word, format!("save it as UTF-8; it may be {name} now"));
    found.of_file(file_name, &text)
}

/// What is wrong, where, and what to write instead.
struct Mistake {
    what: String,
    span: Span,
    instead: String,
}

/// A line of the file.
struct Line<'t> {
    start: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn around(at: usize, text: &'t str) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        Self { start, text: text[start..end].trim_end_matches('\r') }
    }

    /// What stands before and after the first `=` or `:`, if a key stands before it.
    fn parts(&self, sign: char) -> Option<(&'t str, &'t str)> {
        let (key, value) = self.text.split_once(sign)?;
        let key = key.trim();
        let is_key =
            !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
        is_key.then_some((key, value.trim()))
    }
}

fn mistake(message: &str, span: Span, line: &Line<'_>, text: &str) -> Mistake {
    let of = |what: &str, instead: String| Mistake {
        what: what.to_owned(),
        span: span.clone(),
        instead,
    };
    if let Some(mistake) = strange_character(line) {
        return mistake;
    }
    let (said, _) = message.split_once(", expected").unwrap_or((message, ""));
    match said {
        "string values must be quoted" | "missing opening quote" | "invalid boolean" => {
            unquoted(span, line)
        }
        "invalid basic string" | "invalid literal string" if is_control(&text[span.clone()]) => {
            of("a control character in a text", "leave it out".to_owned())
        }
        "invalid basic string" | "invalid literal string" => {
            let mark = if said == "invalid basic string" { '"' } else { '\'' };
            of("a text that is not closed", format!("write `{mark}` where the text ends"))
        }
        "invalid multi-line basic string" | "invalid multi-line literal string" => {
            let instead = "write the text in one line, between `\"` and `\"`";
            of("a text over several lines that is not closed", instead.to_owned())
        }
        "key with no value" => no_equals(span, line),
        "invalid unquoted key" => foreign_key(&text[span.clone()], span, line),
        "unexpected key or value" => left_over(span, line),
        "duplicate key" => twice(span, line, text),
        "unclosed table" | "unclosed array table" => {
            let name = line.text.trim().trim_matches(['[', ']', ' ']);
            of("a table's name that is not closed", format!("write `{}`", header(name)))
        }
        "missing comma between array elements" | "unclosed array" if leaves_list(&span, line) => {
            let span = end_of_line_before(span.start, text);
            let instead = "write `]` where the list ends".to_owned();
            Mistake { what: LIST_NOT_CLOSED.to_owned(), span, instead }
        }
        "missing comma between array elements" => {
            of("a comma is missing between two values", "write `,` before this one".to_owned())
        }
        "unclosed array" => of(LIST_NOT_CLOSED, "write `]` where it ends".to_owned()),
        "unclosed inline table" => {
            of("braces that are not closed", "write `}` where they end".to_owned())
        }
        "extra comma in array" => of("a comma too many", "leave it out".to_owned()),
        "missing escaped value" | "too few unicode value digits" => {
            let instead = "write `\\\\` for it, or put the text between `'` and `'`".to_owned();
            let start = text[..span.start].rfind('\\').unwrap_or(span.start);
            let what = "a backslash in a text between `\"` and `\"`".to_owned();
            Mistake { what, span: start..start + 1, instead }
        }
        "unquoted keys cannot be empty" if line.text.trim_start().starts_with('[') => {
            of("a table without a name", format!("write such as `{}`", header("feed")))
        }
        "unquoted keys cannot be empty" => {
            of("a value without a key", "write such as `title = \"…\"`".to_owned())
        }
        "extra `=`" => of("one `=` too many", "leave it out".to_owned()),
        "carriage return must be followed by newline" => {
            of("a line that ends as on old Macs", "save the file with Unix line ends".to_owned())
        }
        "invalid comment character" => {
            of("a control character in a comment", "leave it out".to_owned())
        }
        "cannot recurse further; max recursion depth met" | "recursion limit" => {
            of("too many brackets in each other", "leave out all but one".to_owned())
        }
        _ if said.starts_with("cannot extend value") => {
            of("a key below another that has a value", "leave out one of them".to_owned())
        }
        _ => number_or_date(said, span, line),
    }
}

/// Curly quotation marks where straight ones belong, and spaces that are none, outside of texts.
fn strange_character(line: &Line<'_>) -> Option<Mistake> {
    let mut quote = None;
    for (at, c) in line.text.char_indices() {
        let start = line.start + at;
        match quote {
            Some(mark) if c == mark => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c == '#' => return None,
            None if CURLY.contains(&c) => {
                let what = format!("`{c}` is no quotation mark of TOML");
                let rest = &line.text[at..];
                let end = rest.rfind(CURLY).filter(|end| *end > 0);
                let inner = end.map(|end| rest[c.len_utf8()..end].trim());
                let inner =
                    inner.filter(|inner| !inner.contains(['"', '\'']) && !inner.contains(CURLY));
                let instead = match inner {
                    Some(inner) => format!("write `\"{inner}\"`"),
                    None => "write `\"`".to_owned(),
                };
                return Some(Mistake { what, span: start..start + c.len_utf8(), instead });
            }
            None if INVISIBLE.contains(&c) && start > 0 => {
                let what = format!("an invisible character (U+{:04X})", u32::from(c));
                let instead = "delete it, and write a plain space if one is needed".to_owned();
                return Some(Mistake { what, span: start..start + c.len_utf8(), instead });
            }
            _ => {}
        }
    }
    None
}

/// A text without quotation marks, or with one.
fn unquoted(span: Span, line: &Line<'_>) -> Mistake {
    let value = &line.text[(span.start - line.start).min(line.text.len())..];
    let value = value.split(" #").next().unwrap_or_default().trim();
    let plain = value.trim_matches(['"', '\'']);
    let key = line.parts('=').map(|(key, _)| key);
    let shape = key.and_then(|key| {
        let keys = TABLES.iter().flat_map(|table| table.keys);
        keys.clone().find(|known| known.name == key).map(|known| known.shape)
    });
    let word = plain.to_lowercase();
    let flag = match word.as_str() {
        "true" | "yes" | "on" | "так" => Some("true"),
        "false" | "no" | "off" | "ні" => Some("false"),
        _ => None,
    };
    let (what, instead) = match (flag, shape) {
        _ if plain.is_empty() => {
            let wanted = shape.map_or_else(|| "a value".to_owned(), shape::wanted);
            ("a key without a value", format!("write {wanted}"))
        }
        (Some(flag), _) => ("a word that TOML does not know", format!("write `{flag}`")),
        _ if plain.len() < value.len() => {
            ("a text with one quotation mark", format!("write `\"{plain}\"`"))
        }
        _ if plain.contains('\\') => {
            ("a text without quotation marks", format!("write `'{plain}'`"))
        }
        _ => ("a text without quotation marks", format!("write `\"{plain}\"`")),
    };
    let end = span.start + value.len();
    Mistake { what: what.to_owned(), span: span.start..end.max(span.end), instead }
}

/// No `=` behind a key.
fn no_equals(span: Span, line: &Line<'_>) -> Mistake {
    let start = line.start + line.text.len() - line.text.trim_start().len();
    let of = |what: &str, instead: String| Mistake {
        what: what.to_owned(),
        span: start..(line.start + line.text.trim_end().len()).max(start),
        instead,
    };
    if let Some((key, "")) = line.parts(':') {
        return of(&format!("`{key}:` is YAML"), format!("write a table: `{}`", header(key)));
    }
    if let Some((key, value)) = line.parts(':') {
        return of("a `:` between key and value", format!("write `{key} = {}`", quoted(value)));
    }
    let line_text = line.text.trim();
    if let Some(item) = line_text.strip_prefix("- ") {
        let instead = "write `[[feed]]`, and below it a line such as `id = \"…\"` for each key";
        return of(&format!("`- {item}` is YAML"), instead.to_owned());
    }
    if line_text.starts_with('<') {
        return of("a line of XML", "write a table such as `[[feed]]`".to_owned());
    }
    match line_text.split_once(char::is_whitespace) {
        Some((key, value)) if value.trim_start().starts_with(['"', '\'', '[']) => {
            Mistake { span, ..of("a `=` is missing", format!("write `{key} = {}`", value.trim())) }
        }
        _ => of("a line that is no `key = value`", "write `#` before a comment".to_owned()),
    }
}

/// A key or a table's name with letters that it may not have.
fn foreign_key(part: &str, span: Span, line: &Line<'_>) -> Mistake {
    let is_of_name = |c: char| c.is_alphanumeric() || "-_".contains(c);
    let at = span.start - line.start;
    let start = line.text[..at]
        .rfind(|c| !is_of_name(c))
        .map_or(0, |before| before + line.text[before..].chars().next().map_or(1, char::len_utf8));
    let end = line.text[at..].find(|c| !is_of_name(c)).map_or(line.text.len(), |end| at + end);
    let name = line.text.get(start..end).filter(|name| !name.is_empty()).unwrap_or(part);
    let span = if end > start { line.start + start..line.start + end } else { span };
    let is_table = line.text.trim_start().starts_with('[');
    if let Some(latin) = in_latin(name) {
        let what = format!("`{name}` has a letter of another alphabet that looks like a Latin one");
        let instead = if is_table { header(&latin) } else { latin };
        return Mistake { what, span, instead: format!("write `{instead}` in Latin letters") };
    }
    let kind = if is_table { "table" } else { "key" };
    let instead = if is_table {
        "the tables are told in the example feeds.toml: write such as `[[feed]]`"
    } else {
        "write a key in Latin letters, such as `title`"
    };
    Mistake { what: format!("`{name}` is no name of a {kind}"), span, instead: instead.to_owned() }
}

/// Something behind a value.
fn left_over(span: Span, line: &Line<'_>) -> Mistake {
    let at = (span.start - line.start).min(line.text.len());
    let (before, rest) = (line.text[..at].trim_end(), line.text[at..].trim());
    let end = line.start + line.text.trim_end().len();
    let of = |what: &str, instead: String| Mistake {
        what: what.to_owned(),
        span: span.start..end.max(span.start),
        instead,
    };
    if rest.starts_with("//") || rest.starts_with("--") {
        return of("a comment with another sign", "write `#` before it".to_owned());
    }
    if before.starts_with('[') {
        return of("something behind a table's name", "leave it out".to_owned());
    }
    if rest.starts_with([',', ';']) && rest.len() == 1 {
        return of("a sign at the end of a line", "leave it out".to_owned());
    }
    if rest.contains('=') && before.ends_with(['"', '\'', ']']) {
        return of("two keys in a line", "write each in a line of its own".to_owned());
    }
    if before.ends_with(['"', '\'']) {
        let instead = "write «…» for a quotation inside a text, or `\\\"` for each `\"` of it";
        return of("a quotation mark inside a text", instead.to_owned());
    }
    of("something behind a value", "put quotation marks around all of it".to_owned())
}

/// A key or a table that stands for the second time.
fn twice(span: Span, line: &Line<'_>, text: &str) -> Mistake {
    let name = &text[span.clone()];
    if line.text.trim_start().starts_with('[') {
        let table = TABLES.iter().find(|table| table.name == name);
        let (what, instead) = match table.map(|table| table.times) {
            Some(Times::Many) => {
                ("may stand many times", format!("write `[[{name}]]`, here and above"))
            }
            _ => ("stands twice", "put the keys of both below one of them".to_owned()),
        };
        return Mistake { what: format!("`[{name}]` {what}"), span, instead };
    }
    let what = format!("`{name}` stands twice in one table");
    Mistake { what, span, instead: "leave out one of them".to_owned() }
}

/// What looks like a number or a date.
fn number_or_date(said: &str, span: Span, line: &Line<'_>) -> Mistake {
    let value = line.parts('=').map_or("", |(_, value)| value);
    let value = value.split('#').next().unwrap_or_default().trim();
    let parts: Vec<&str> = value.split(['.', '-', '/']).collect();
    let number = |text: &str| text.parse::<u16>().ok();
    let day = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => Some((number(year), number(month), number(day))),
        [day, month, year] if year.len() == 4 => Some((number(year), number(month), number(day))),
        _ => None,
    };
    let start = line.text.find(value).map_or(span.start, |at| line.start + at);
    let whole = start..(start + value.len()).max(span.end);
    let of = |what: &str, instead: String| Mistake {
        what: what.to_owned(),
        span: whole.clone(),
        instead,
    };
    match day {
        Some((Some(year), Some(month @ 1..=12), Some(day @ 1..=31))) => {
            let right = format!("{year:04}-{month:02}-{day:02}");
            if right == value {
                return of("a day that is in no calendar", "write one that is".to_owned());
            }
            return of("a day in another form", format!("write `{right}`"));
        }
        Some(_) => {
            let instead = "write year, month and day, such as `2026-01-31`".to_owned();
            return of("a day that is in no calendar", instead);
        }
        None => {}
    }
    if said == "unexpected leading zero" && value.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = value.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        return of("a number that begins with 0", format!("write `{plain}`"));
    }
    if value.is_empty() {
        return of(
            &format!("this is not TOML: {said}"),
            "write it as `key = \"value\"`".to_owned(),
        );
    }
    of(&format!("this is not TOML: {said}"), format!("write `{}` if it is a text", quoted(value)))
}

/// A value in quotation marks, if it has none and is not of a kind that needs none.
fn quoted(value: &str) -> String {
    let plain = value.split(" #").next().unwrap_or_default().trim();
    let is_bare = plain.starts_with(['"', '\'', '['])
        || matches!(plain, "true" | "false")
        || (!plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()));
    if is_bare { plain.to_owned() } else { format!("\"{plain}\"") }
}

/// A table as it is written, by a name that may be misspelt.
fn header(name: &str) -> String {
    let near = nearest(name, TABLES.map(|table| table.name)).unwrap_or(name);
    let table = TABLES.iter().find(|table| table.name == near);
    table.map_or_else(|| format!("[{name}]"), |table| table.header())
}

fn is_control(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_control)
}

/// Whether a list has run into what stands behind it: the next key, or the next table.
fn leaves_list(span: &Span, line: &Line<'_>) -> bool {
    let before = &line.text[..(span.start - line.start).min(line.text.len())];
    before.trim().is_empty()
        && (line.parts('=').is_some() || line.text.trim_start().starts_with('['))
}

/// The end of the last line with a value before a place.
fn end_of_line_before(at: usize, text: &str) -> Span {
    let end = text[..at].trim_end().len();
    end.saturating_sub(1)..end
}
