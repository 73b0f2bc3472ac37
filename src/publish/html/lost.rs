//! The page of an address at which there is nothing: what the reader may have looked for.

use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::html::Frame;
use crate::publish::html::Row;
use crate::publish::html::language::Language;
use crate::publish::html::rows;
use crate::publish::html::search::Names;
use crate::publish::html::written;
use askama::Template;
use std::collections::BTreeMap;

/// How many publications are offered.
const OFFERED_MAX: usize = 5;

#[derive(Template)]
#[template(path = "lost.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
}

/// The page; `path` is the address, percent-encoded as it came.
#[must_use]
pub fn lost(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    names: &Names,
    path: &str,
) -> Vec<u8> {
    let nearest = nearest(names, shelves, path);
    let page = Page {
        frame: Frame::new(masthead, language, language.words().not_found),
        rows: rows(masthead, language, shelves, nearest.iter()),
    };
    written(&page)
}

/// The publications whose names are nearest to an address: those that have all its words, else
/// those that have the last.
fn nearest(names: &Names, shelves: &BTreeMap<Selection, Shelf>, path: &str) -> Vec<Selection> {
    let decoded: String = url::form_urlencoded::parse(path.replace('+', " ").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    let path = decoded.trim_start_matches("/uk/").trim_start_matches("/en/");
    let path = path.rsplit_once('.').map_or(path, |(path, _)| path);
    let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    let found = |query: &str| {
        let found = names.find(query, shelves, OFFERED_MAX);
        (!found.is_empty()).then_some(found)
    };
    let found = found(path).or_else(|| found(last)).or_else(|| found(&names.spelt(last)));
    found.unwrap_or_default()
}
