//! Text to tags and characters, whatever it holds: quick-xml, told to be lenient, and helped
//! where a `<` begins nothing.

use crate::model::xml;
use crate::parse::entity;
use crate::parse::entity::Reference;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// How many attributes of an element are read.
const ATTRIBUTES_MAX: usize = 64;

/// How long the name of a reference may be.
const REFERENCE_BYTES_MAX: usize = 32;

/// A part of the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `<name …>`, or with `empty` `<name … />`.
    Start { name: String, attributes: Vec<(String, String)>, empty: bool },
    /// `</name>`.
    End { name: String },
    /// Characters, their references undone. `stray`: a `<` or `&` that should have been escaped.
    Text { text: Cow<'a, str>, stray: bool },
    /// Characters that stood there in a wrong way, and which.
    Mended { text: Cow<'a, str>, repair: &'static str },
    /// The end, or where the text cannot be read any further.
    Stop { problem: Option<String> },
}

/// Reads tokens one after another.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    /// Where in `text` the reader began.
    offset: usize,
    reader: Reader<&'a [u8]>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, offset: usize) -> Self {
        let mut reader = Reader::from_str(&text[offset..]);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { text, offset, reader }
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        let read = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        self.offset.saturating_add(read).min(self.text.len())
    }

    /// The next token; comments, declarations and instructions are passed over.
    pub(crate) fn next(&mut self) -> Token<'a> {
        loop {
            let position = self.position();
            if let Some(length) = self.text.get(position..).and_then(stray_length) {
                let end = position + length;
                *self = Self::new(self.text, end);
                return Token::Text { text: Cow::Borrowed(&self.text[position..end]), stray: true };
            }
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Token::Stop { problem: Some(error.to_string()) },
            };
            return match event {
                Event::Start(start) => start_token(&start, false),
                Event::Empty(start) => start_token(&start, true),
                Event::End(end) => Token::End { name: end.name().as_ref().trim().to_owned() },
                Event::Text(text) => {
                    let text = text.into_inner();
                    let stray = text.starts_with('&');
                    Token::Text { text, stray }
                }
                Event::CData(text) => self.cdata(position, text.into_inner()),
                Event::GeneralRef(reference) => reference_token(&reference),
                Event::Eof => Token::Stop { problem: None },
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
        }
    }
}

/// How far behind a CDATA section the end is looked for that was meant.
const CDATA_BYTES_MAX: usize = 64 * 1_024;

impl<'a> Lexer<'a> {
    /// The characters of a CDATA section. One that holds `]]>`, as code and careless templates
    /// do, ends too early: what was meant ends before the next tag.
    fn cdata(&mut self, start: usize, text: Cow<'a, str>) -> Token<'a> {
        let mut end = self.position();
        while let Some(length) = meant_end(&self.text[end..]) {
            end += length;
        }
        let repair = if end > self.position() {
            "`]]>` within a CDATA section was kept as text"
        } else if text.starts_with(OPEN) {
            "a CDATA section within another was opened"
        } else {
            return Token::Text { text, stray: false };
        };
        let section = &self.text[start..end];
        let inner = section.strip_prefix(OPEN).and_then(|inner| inner.strip_suffix(CLOSE));
        let inner = inner.unwrap_or(section);
        // One that holds another one whole.
        let nested = inner.strip_prefix(OPEN).and_then(|inner| inner.strip_suffix(CLOSE));
        *self = Self::new(self.text, end);
        Token::Mended { text: Cow::Borrowed(nested.unwrap_or(inner)), repair }
    }
}

const OPEN: &str = "<![CDATA[";
const CLOSE: &str = "]]>";

/// How long it is to the `]]>` at which a CDATA section was meant to end, if it was not meant to
/// end where `after` begins.
fn meant_end(after: &str) -> Option<usize> {
    let next = after.trim_start();
    if next.is_empty() || next.starts_with('<') {
        return None;
    }
    let mut window = after.len().min(CDATA_BYTES_MAX);
    while !after.is_char_boundary(window) {
        window -= 1;
    }
    let close = after[..window].find(CLOSE)?;
    let between = &after[..close];
    // There the end of another section or of a comment's text is no end of this one.
    let is_other = between.contains(OPEN) || between.contains("<!--");
    (!is_other).then_some(close + CLOSE.len())
}

/// The text of an attribute, its references undone.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        // A bound, and the letters of a name, keep many bare `&` from being slow.
        let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
        let length = rest[1..].bytes().take(REFERENCE_BYTES_MAX).take_while(is_in_name).count();
        let end = Some(1 + length).filter(|end| rest[*end..].starts_with(';'));
        let resolved = end.map(|end| (end, entity::resolve(&rest[1..end])));
        match resolved {
            Some((end, Reference::Character(character))) => {
                plain.push(character);
                rest = &rest[end + 1..];
            }
            Some((end, Reference::Forbidden)) if rest.starts_with("&#") => rest = &rest[end + 1..],
            _ => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain.retain(xml::is_char);
    plain
}

fn start_token(start: &BytesStart, empty: bool) -> Token<'static> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for attribute in start.html_attributes().with_checks(false).flatten().take(ATTRIBUTES_MAX) {
        let name = attribute.key.as_ref();
        if !attributes.iter().any(|(known, _)| known == name) {
            attributes.push((name.to_owned(), unescape(&attribute.value)));
        }
    }
    Token::Start { name: start.name().as_ref().to_owned(), attributes, empty }
}

fn reference_token<'a>(name: &str) -> Token<'a> {
    match entity::resolve(name) {
        Reference::Character(character) => {
            Token::Text { text: Cow::Owned(character.to_string()), stray: false }
        }
        Reference::Forbidden => Token::Text { text: Cow::Borrowed(""), stray: true },
        Reference::Unknown => Token::Text { text: Cow::Owned(format!("&{name};")), stray: true },
    }
}

/// How many bytes at the start are a `<` that begins no tag, with those that follow it.
fn stray_length(text: &str) -> Option<usize> {
    if !text.starts_with('<') || begins_markup(text) {
        return None;
    }
    let mut length = 1;
    while text[length..].starts_with('<') && !begins_markup(&text[length..]) {
        length += 1;
    }
    Some(length)
}

fn begins_markup(text: &str) -> bool {
    let begins_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_' || !byte.is_ascii();
    match text.as_bytes().get(1) {
        Some(b'/') => text.as_bytes().get(2).is_some_and(begins_name),
        Some(b'!') => {
            let rest = &text.as_bytes()[2..];
            let is_doctype =
                rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"DOCTYPE"));
            is_doctype || rest.starts_with(b"--") || rest.starts_with(b"[CDATA[")
        }
        Some(b'?') => true,
        Some(byte) => begins_name(byte),
        None => false,
    }
}
