//! What of an entry tells it from every other of its feed.
//!
//! # Why
//! An id may be `1` for whatever stands on top, a page may be that of a whole rubric, a title may
//! be «Оголошення». To take two stories for one loses an article, so what many may have in common
//! proves nothing by itself.

use crate::model::article::Article;
use crate::model::entry::Entry;
use crate::model::known::Evidence;
use crate::model::known::Proof;
use crate::normalize::Frame;
use crate::normalize::dates;
use crate::normalize::identity;
use crate::normalize::identity::canonical;
use chrono::Timelike;

/// How many digits the number of a place in a list has at most.
const PLACE_DIGITS_MAX: usize = 3;
/// How many letters a date without spaces has at most, as in `03-Jul-2023`.
const DATE_LETTERS_MAX: usize = 3;
/// How many digits `20230703` has.
const DAY_DIGITS: usize = 8;
/// From how many characters on a title is one story's.
const TITLE_CHARS_MIN: usize = 24;
/// From how many characters on a text is one story's.
const TEXT_CHARS_MIN: usize = 200;

/// What of the entry, which became the article, tells it from others.
#[must_use]
pub fn evidence(frame: &Frame<'_>, entry: &Entry, article: &Article) -> Evidence {
    Evidence {
        id: id(frame, entry),
        link: article.url.as_ref().map_or(Proof::Missing, |url| strong_if(identity::is_page(url))),
        title: strong_if(
            article.title.chars().count() >= TITLE_CHARS_MIN && frame.counts.title_is_single(entry),
        ),
        date: date(frame, entry, article),
        text: strong_if(length(&article.body) >= TEXT_CHARS_MIN),
    }
}

fn strong_if(is_strong: bool) -> Proof {
    if is_strong { Proof::Strong } else { Proof::Weak }
}

fn id(frame: &Frame<'_>, entry: &Entry) -> Proof {
    let Some(id) = identity::own_id(entry) else { return Proof::Missing };
    let has_digit = id.contains(|c: char| c.is_ascii_digit());
    let is_place = id.len() <= PLACE_DIGITS_MAX && id.bytes().all(|byte| byte.is_ascii_digit());
    let letters = id.chars().filter(|c| c.is_alphabetic()).count();
    // A tag, a digest and an address may have a date in them, and something else.
    let may_be_date = id.contains(' ') || letters <= DATE_LETTERS_MAX;
    let is_number = letters == 0 && id.len() != DAY_DIGITS && !id.contains(['.', '-', '/']);
    let is_date =
        may_be_date && !is_number && dates::date(&id, frame.feed.timezone, frame.now).is_some();
    let is_site = [frame.site.as_ref(), Some(frame.document_url)]
        .into_iter()
        .flatten()
        .any(|url| canonical(url) == id);
    // Of a document of one entry nobody can say whether its id is that of all.
    let is_word = id.chars().count() < identity::WORD_CHARS_MIN || frame.parsed.entries.len() == 1;
    strong_if(!is_place && !is_date && !is_site && (has_digit || !is_word))
}

/// A date to the minute that was believed, and that no other entry of the document has.
fn date(frame: &Frame<'_>, entry: &Entry, article: &Article) -> Proof {
    let zone = frame.feed.timezone;
    let written = [&entry.published, &entry.updated].into_iter().flatten();
    let read = written.map(|text| dates::date(text, zone, frame.now)).find(Option::is_some);
    let Some(read) = read.flatten().filter(|read| *read == article.published) else {
        return Proof::Missing;
    };
    let is_midnight = read.with_timezone(&zone).num_seconds_from_midnight() == 0;
    strong_if(!is_midnight && frame.counts.date_is_single(entry))
}

/// How many characters of a sanitised body are no tags.
fn length(body: &str) -> usize {
    body.split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, words)| words))
        .fold(0, |length, words| length + words.chars().count())
}
