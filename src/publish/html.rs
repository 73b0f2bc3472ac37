//! The pages: HTML without scripts, in two languages, from the templates beside this folder.
//!
//! Every page is a value of what stands on it (`Frame` is what stands on all) and a template that
//! says where. The same input gives the same bytes, as for feeds, so that a browser's cache is told
//! 304: there is no "an hour ago" on a page.
//!
//! Never here: scripts, and what a publisher wrote as anything but text. Bodies are sanitised HTML
//! before they are stored; [`body`] only fits them into the page.

use crate::model::feed::FeedKind;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::publication::Site;
use crate::publish::Masthead;
use crate::publish::html::language::Language;
use crate::publish::html::language::Moment;
use crate::publish::html::words::Words;
use askama::Template;
use std::collections::BTreeMap;

pub mod about;
pub mod article;
pub mod body;
pub mod compose;
pub mod files;
pub mod index;
pub mod language;
pub mod lost;
pub mod map;
pub mod publication;
pub mod reasons;
pub mod related;
pub mod search;
pub mod sources;
pub mod words;

/// What stands on every page: its head, its header and its footer.
pub(crate) struct Frame<'a> {
    /// Its language.
    language: Language,
    words: &'static Words,
    site: &'a Site,
    /// What stands in the window's title.
    title: String,
    description: Option<String>,
    /// Where it is below the address of its language; none for what has no address to stay at.
    path: Option<String>,
    /// The address of the original, where the page shows another's.
    original: Option<String>,
    /// The feeds that it is a page of.
    feeds: Vec<FeedLink>,
    /// What the reader looked for.
    query: String,
}

/// A feed, for software that looks for it.
pub(crate) struct FeedLink {
    mime: &'static str,
    title: String,
    href: String,
}

/// A publication in a list.
pub(crate) struct Row {
    name: Named,
    /// The name in the other language, where that is another.
    other: Option<String>,
    page: String,
    atom: String,
    json: String,
    address: String,
    /// How many articles; none if that is not counted.
    count: Option<u64>,
    latest: Option<Moment>,
    /// How much of it there is beside the others: 1 to 5.
    weight: u8,
}

/// A name, and its language where that is not the page's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    text: String,
    lang: Option<&'static str>,
}

impl<'a> Frame<'a> {
    fn new(masthead: Masthead<'a>, language: Language, heading: &str) -> Self {
        let site = masthead.site;
        let title = match heading {
            "" => site.title.clone(),
            heading => format!("{heading} — {}", site.title),
        };
        Self {
            language,
            words: language.words(),
            site,
            title,
            description: site.subtitle.clone(),
            path: None,
            original: None,
            feeds: Vec::new(),
            query: String::new(),
        }
    }

    fn at(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    /// The language of the site's own words, where it is not that of the page.
    fn own_lang(&self) -> Option<&'static str> {
        let own = Language::of(&self.site.language);
        (own != self.language).then(|| own.code())
    }

    /// The address of a page in this language, below the host.
    fn page(&self, path: &str) -> String {
        page(self.site, self.language, path)
    }

    /// The same page in the other language; where it has no address to stay at, the index.
    fn in_other(&self) -> String {
        page(self.site, self.language.other(), self.path.as_deref().unwrap_or_default())
    }

    /// The address of what is the same in all languages, below the host.
    fn file(&self, path: &str) -> String {
        format!("{}{path}", self.site.address.path())
    }

    /// The address of a page in a language, with the host; without one for its readers' own.
    fn whole(&self, language: &str, path: &str) -> String {
        let slash = if language.is_empty() { "" } else { "/" };
        format!("{}{language}{slash}{path}", self.site.address)
    }

    fn icon(&self) -> String {
        let own = self.site.icon.as_ref().map(|icon| icon.as_str().to_owned());
        own.unwrap_or_else(|| self.file("favicon.svg"))
    }

    /// The operator, as text and as a link.
    fn contact(&self) -> Option<(&str, String)> {
        let text = self.site.contact.as_deref()?;
        let is_page = text.starts_with("https://") || text.starts_with("http://");
        Some((text, if is_page { text.to_owned() } else { format!("mailto:{text}") }))
    }
}

/// The address of a page in a language, below the host.
fn page(site: &Site, language: Language, path: &str) -> String {
    format!("{}{}/{path}", site.address.path(), language.code())
}

/// The address of a document of a publication, below the host.
fn document(site: &Site, selection: &Selection, ending: &str) -> String {
    format!("{}{}.{ending}", site.address.path(), selection.path())
}

/// The name of a publication in a language.
fn named(masthead: Masthead<'_>, language: Language, selection: &Selection) -> Named {
    match language {
        Language::Ukrainian => Named { text: masthead.title(selection), lang: None },
        Language::English => match masthead.english(selection) {
            Some(text) => Named { text, lang: None },
            None => Named { text: masthead.title(selection), lang: spoken(masthead, selection) },
        },
    }
}

/// The language of a name that has no other: the site's, or Ukrainian of a source of Ukraine; nobody
/// says which a partner's is.
fn spoken(masthead: Masthead<'_>, selection: &Selection) -> Option<&'static str> {
    let own = Language::of(&masthead.site.language);
    let language = match selection {
        Selection::Source(id) => {
            let feed = masthead.feeds.get(id).filter(|feed| feed.kind == FeedKind::Municipal)?;
            feed.language.as_deref().map_or(Language::Ukrainian, Language::of)
        }
        _ => own,
    };
    (language != Language::English).then(|| language.code())
}

/// What a publication is, in a sentence.
fn subtitle(masthead: Masthead<'_>, language: Language, selection: &Selection) -> Named {
    let name = named(masthead, language, selection).text;
    let english = match (language, selection) {
        (Language::Ukrainian, _) | (_, Selection::Composed(_)) => None,
        (_, Selection::All) => Some("The news of all sources".to_owned()),
        (_, Selection::Region(_) | Selection::Community(_)) => {
            Some(format!("News that concern: {name}"))
        }
        (_, Selection::Tag(_)) => Some(format!("News of all regions on “{name}”")),
        (_, Selection::RegionTag(region, tag)) => Some(format!(
            "News on “{}” that concern: {}",
            named(masthead, language, &Selection::Tag(tag.clone())).text,
            named(masthead, language, &Selection::Region(region.clone())).text,
        )),
        (_, Selection::Mixed(..)) => Some(format!("News together: {name}")),
        (_, Selection::Source(_)) => Some(format!("News from “{name}”")),
    };
    match (english, language) {
        (Some(text), _) => Named { text, lang: None },
        (None, Language::Ukrainian) => Named { text: masthead.subtitle(selection), lang: None },
        (None, Language::English) => Named { text: masthead.subtitle(selection), lang: Some("uk") },
    }
}

/// A publication in a list; `most` is how many articles the largest of the list has.
fn row(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    selection: &Selection,
    most: u64,
) -> Row {
    let site = masthead.site;
    let name = named(masthead, language, selection);
    let other = named(masthead, language.other(), selection);
    let shelf = shelves.get(selection).filter(|shelf| shelf.count > 0);
    let count = shelf.map_or(0, |shelf| shelf.count);
    Row {
        other: (other.text != name.text).then_some(other.text),
        name,
        page: page(site, language, &selection.path()),
        atom: document(site, selection, "atom"),
        json: document(site, selection, "json"),
        address: masthead.atom_address(selection),
        count: (!matches!(selection, Selection::Mixed(..))).then_some(count),
        latest: shelf.map(|shelf| language.moment(shelf.updated, site.timezone)),
        weight: weight(count, most),
    }
}

fn rows<'s>(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    selections: impl Iterator<Item = &'s Selection> + Clone,
) -> Vec<Row> {
    let counts = selections.clone().filter_map(|selection| shelves.get(selection));
    let most = counts.map(|shelf| shelf.count).max().unwrap_or(0);
    selections.map(|selection| row(masthead, language, shelves, selection, most)).collect()
}

/// How much `count` is beside `most`, from 1 to 5: each step is about three times the one before.
fn weight(count: u64, most: u64) -> u8 {
    let steps = [81, 27, 9, 3];
    let is_reached = |step: &&u64| count > 0 && count.saturating_mul(**step) >= most;
    let reached = steps.iter().filter(is_reached).count();
    u8::try_from(reached).unwrap_or(4) + 1
}

/// The two forms of a publication, for software that looks for them.
fn feeds_of(masthead: Masthead<'_>, selection: &Selection) -> Vec<FeedLink> {
    let title = masthead.heading(selection);
    let link = |mime, ending: &str| FeedLink {
        mime,
        title: title.clone(),
        href: document(masthead.site, selection, ending),
    };
    vec![link("application/atom+xml", "atom"), link("application/feed+json", "json")]
}

fn written(page: &impl Template) -> Vec<u8> {
    page.render().expect("memory takes every byte that is written to it").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_weighs_what_it_holds_beside_the_others() {
        for (count, most, expected) in [
            (0, 0, 1),
            (0, 100, 1),
            (1, 100, 1),
            (2, 100, 2),
            (5, 100, 3),
            (20, 100, 4),
            (50, 100, 5),
        ] {
            assert_eq!(weight(count, most), expected, "{count} of {most}");
        }
        assert_eq!(weight(u64::MAX, u64::MAX), 5);
    }
}
