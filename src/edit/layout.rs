//! Where each table of a feeds.toml stands in its text, with the comments that belong to it.

use crate::edit::EditError;
use std::ops::Range;
use toml_edit::Document;
use toml_edit::Item;
use toml_edit::Table;

/// So many dashes in a comment make it a heading.
const RULER: &str = "----";

/// A text and its tables.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    text: &'a str,
    document: Document<&'a str>,
    /// Where the values of each table end, in the order of the text.
    ends: Vec<usize>,
}

/// A table, as it stands in a text. Places are in bytes.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    table: &'a Table,
    /// Where the comments that belong to it begin, or its header.
    pub(crate) start: usize,
    /// Where its header begins.
    pub(crate) header: usize,
    /// Where the line of its last key ends.
    pub(crate) last: usize,
    /// Where the comments below that end.
    pub(crate) end: usize,
}

impl<'a> Layout<'a> {
    /// Reads a text.
    pub(crate) fn of(text: &'a str) -> Result<Self, EditError> {
        let document = Document::parse(text);
        let document = document.map_err(|error| EditError::NotToml(error.message().to_owned()))?;
        let mut ends = Vec::new();
        note_ends(document.as_table(), &mut ends);
        ends.sort_unstable();
        Ok(Self { text, document, ends })
    }

    /// The tables of a name that may stand many times.
    pub(crate) fn blocks(&self, name: &str) -> Result<Vec<Block<'_>>, EditError> {
        match self.document.get(name) {
            None => Ok(Vec::new()),
            Some(Item::ArrayOfTables(tables)) => {
                Ok(tables.iter().filter_map(|table| self.block(table)).collect())
            }
            Some(other) => {
                let place = other.span().unwrap_or_default().start;
                Err(EditError::NotTables(line_of(self.text, place)))
            }
        }
    }

    fn block<'t>(&self, table: &'t Table) -> Option<Block<'t>> {
        let header = table.span()?.start;
        let header = self.text[..header].rfind('\n').map_or(0, |end| end + 1);
        let last = line_end(self.text, end_of(table));
        // What a value holds is no comment, whatever it looks like.
        let floor = self.ends.iter().rev().find(|end| **end <= header);
        let floor = floor.map_or(0, |end| line_end(self.text, *end));
        Some(Block {
            table,
            start: comments_above(self.text, floor.min(header), header),
            header,
            last,
            end: comments_below(self.text, last),
        })
    }
}

impl Block<'_> {
    /// What is written for a key.
    pub(crate) fn value(&self, key: &str) -> Option<&Item> {
        self.table.get(key)
    }

    /// The text that is written for a key.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.value(key)?.as_str()
    }
}

/// The line of a place, from 1.
pub(crate) fn line_of(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
}

/// The text without one of several items of a list, given the places of all.
pub(crate) fn without_item(text: &str, places: &[Range<usize>], item: usize) -> String {
    let place = &places[item];
    let line_start = text[..place.start].rfind('\n').map_or(0, |end| end + 1);
    let line = line_start..line_end(text, place.end);
    let rest = text[place.end..line.end].trim_start().trim_start_matches(',').trim();
    let is_alone = text[line_start..place.start].trim().is_empty()
        && (rest.is_empty() || rest.starts_with('#'));
    let cut = match (places.get(item + 1), item.checked_sub(1)) {
        _ if is_alone => line,
        (Some(next), _) if next.start < line.end => place.start..next.start,
        (Some(next), _) => {
            let between = &text[place.end..next.start];
            let comma = between.find(',').map_or(0, |comma| comma + 1);
            let spaces = between[comma..].len() - between[comma..].trim_start_matches(' ').len();
            place.start..place.end + comma + spaces
        }
        (None, Some(before)) if !text[places[before].end..place.start].contains('#') => {
            places[before].end..place.end
        }
        (None, _) => place.clone(),
    };
    format!("{}{}", &text[..cut.start], &text[cut.end..])
}

/// Where the values of a table end; its header, if it has none.
fn end_of(table: &Table) -> usize {
    let values = table.iter().filter(|(_, item)| item.is_value());
    let ends = values.filter_map(|(_, item)| item.span()).map(|span| span.end);
    ends.chain(table.span().map(|span| span.end)).max().unwrap_or_default()
}

fn note_ends(table: &Table, ends: &mut Vec<usize>) {
    ends.push(end_of(table));
    for (_, item) in table {
        match item {
            Item::Table(table) => note_ends(table, ends),
            Item::ArrayOfTables(tables) => tables.iter().for_each(|table| note_ends(table, ends)),
            Item::Value(_) | Item::None => {}
        }
    }
}

/// Where the line ends that a place lies in, after its line end.
fn line_end(text: &str, place: usize) -> usize {
    text[place..].find('\n').map_or(text.len(), |end| place + end + 1)
}

fn comments_above(text: &str, floor: usize, header: usize) -> usize {
    let lines = text[floor..header].split_inclusive('\n').rev();
    let comments: Vec<&str> = lines.take_while(|line| line.trim_start().starts_with('#')).collect();
    if comments.iter().any(|line| line.contains(RULER)) {
        return header;
    }
    header - comments.iter().map(|line| line.len()).sum::<usize>()
}

fn comments_below(text: &str, last: usize) -> usize {
    let mut end = last;
    for line in text[last..].split_inclusive('\n') {
        match line.trim() {
            "" => return end,
            comment if comment.starts_with('#') => end += line.len(),
            // They are of the table that follows.
            _ => return last,
        }
    }
    end
}
