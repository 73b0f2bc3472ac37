//! What one document of a publication shows: its front, or a page of its archive (RFC 5005).

use crate::model::article::Article;
use crate::model::front::Removed;
use crate::model::publication::Selection;
use crate::publish::Masthead;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;

/// What one document shows.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// The publication.
    pub selection: &'a Selection,
    /// The number of the page; none for the front.
    pub number: Option<u64>,
    /// The number of the page before it; for the front, of the newest page.
    pub previous: Option<u64>,
    /// The articles, in the order in which they are to stand, the newest first.
    pub articles: &'a [Article],
    /// What was taken away.
    pub removed: &'a [Removed],
}

impl<'a> Sheet<'a> {
    /// The front of a publication that has no archive.
    #[must_use]
    pub fn front(selection: &'a Selection, articles: &'a [Article]) -> Self {
        Self { selection, number: None, previous: None, articles, removed: &[] }
    }

    /// Where it is published, without the ending that names a format.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.selection, self.number)
    }

    /// Where the page before it is published, likewise.
    #[must_use]
    pub fn previous_path(&self) -> Option<String> {
        self.previous.map(|number| path(self.selection, Some(number)))
    }

    /// The articles, none whose id in Atom stands above already.
    pub(crate) fn once(&self) -> impl Iterator<Item = &'a Article> {
        let mut seen = BTreeSet::new();
        self.articles.iter().filter(move |article| seen.insert(article.iri.as_str()))
    }

    /// What was taken away, but for ids that are in use: another article of the story bears them.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &'a Removed> {
        let shown: BTreeSet<&str> =
            self.articles.iter().map(|article| article.iri.as_str()).collect();
        self.removed.iter().filter(move |removed| !shown.contains(removed.iri.as_str()))
    }

    /// When something in it last changed; never now.
    pub(crate) fn updated(&self, masthead: Masthead<'_>) -> DateTime<Utc> {
        let articles = self.articles.iter().map(|article| article.updated);
        let newest = articles.chain(self.removed.iter().map(|removed| removed.at)).max();
        newest.unwrap_or_else(|| masthead.site.tagging.start())
    }
}

/// Where a document of a publication is, below the site's address, without the ending that names a
/// format.
#[must_use]
pub fn path(selection: &Selection, number: Option<u64>) -> String {
    match number {
        None => selection.path(),
        Some(number) => format!("{}/archive/{number}", selection.path()),
    }
}

/// The document that is published at a path: a publication, and the number of the page.
#[must_use]
pub fn at(path: &str) -> Option<(Selection, Option<u64>)> {
    let page = || {
        let (publication, digits) = path.rsplit_once("/archive/")?;
        let number: u64 = digits.parse().ok()?;
        let is_plain = number > 0 && number.to_string() == digits;
        is_plain.then_some((Selection::at(publication)?, Some(number)))
    };
    page().or_else(|| Some((Selection::at(path)?, None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_one_address() {
        for (text, number) in [
            ("all", None),
            ("all/archive/1", Some(1)),
            ("regions/kharkivska/tags/partnerstvo/archive/18446744073709551615", Some(u64::MAX)),
            ("tags/archive", None),
            ("tags/archive/archive/7", Some(7)),
            ("regions/archive/tags/archive", None),
        ] {
            let (selection, found) = at(text).unwrap();
            assert_eq!(found, number, "{text}");
            assert_eq!(path(&selection, found), text);
        }
        for text in [
            "all/archive/",
            "all/archive/0",
            "all/archive/01",
            "all/archive/+1",
            "all/archive/-1",
            "all/archive/1/archive/1",
            "all/archive/18446744073709551616",
            "all/archive/99999999999999999999",
            "archive/1",
            "/archive/1",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
