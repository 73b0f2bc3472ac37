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
pub(super) enum Token<'a> {
    /// `<name …>`, or with `empty` `<name … />`.
    Start { name: String, attributes: Vec<(String, String)>, empty: bool },
    /// `</name>`.
    End { name: String },
    /// Characters, their references undone. `stray`: a `<` or `&` that should have been escaped.
    Text { text: Cow<'a, str>, stray: bool },
    /// The end, or where the text cannot be read any further.
    Stop { problem: Option<String> },
}

/// Reads tokens one after another.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where in `text` the reader began.
    offset: usize,
    reader: Reader<&'a [u8]>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, offset: usize) -> Self {
        let mut reader = Reader::from_str(&text[offset..]);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { text, offset, reader }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        let read = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        self.offset.saturating_add(read).min(self.text.len())
    }

    /// The next token; comments, declarations and instructions are passed over.
    pub(super) fn next(&mut self) -> Token<'a> {
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
                Event::CData(text) => Token::Text { text: text.into_inner(), stray: false },
                Event::GeneralRef(reference) => reference_token(&reference),
                Event::Eof => Token::Stop { problem: None },
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
        }
    }
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
