//! The page of a publication: its newest articles by days, or a page of its archive.

use crate::model::article::Article;
use crate::model::feed::Republish;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::html::Frame;
use crate::publish::html::Named;
use crate::publish::html::article::Picture;
use crate::publish::html::article::language_of;
use crate::publish::html::article::picture;
use crate::publish::html::document;
use crate::publish::html::feeds_of;
use crate::publish::html::language::Language;
use crate::publish::html::language::Moment;
use crate::publish::html::named;
use crate::publish::html::page;
use crate::publish::html::related::excerpt;
use crate::publish::html::sources::Health;
use crate::publish::html::sources::Told;
use crate::publish::html::sources::told;
use crate::publish::html::subtitle;
use crate::publish::html::written;
use crate::publish::republish_of;
use crate::publish::sheet::Sheet;
use crate::publish::sort_key;
use askama::Template;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "publication.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    name: Named,
    other: Option<String>,
    about: Named,
    news: Option<String>,
    address: String,
    atom: String,
    json: String,
    number: Option<u64>,
    newest: String,
    older: Option<String>,
    wider: Vec<Link>,
    narrower: Vec<Narrower>,
    days: Vec<Day>,
    health: Option<Told>,
}

/// A publication to go to.
pub(crate) struct Link {
    pub(super) href: String,
    pub(super) name: Named,
    pub(super) count: u64,
}

/// Publications that hold a part of another.
struct Narrower {
    heading: &'static str,
    links: Vec<Link>,
}

/// The articles of a day.
struct Day {
    name: String,
    cards: Vec<Card>,
}

/// An article in a list.
struct Card {
    href: String,
    title: String,
    lang: Option<String>,
    at: Moment,
    lead: String,
    picture: Option<Picture>,
    places: Vec<Link>,
    tags: Vec<Link>,
    source: String,
}

/// The page. `shelves` says what else there is to go to, and `health` how a source does.
#[must_use]
pub fn publication(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    sheet: &Sheet<'_>,
    health: Option<&Health>,
) -> Vec<u8> {
    let (selection, site) = (sheet.selection, masthead.site);
    let words = language.words();
    let name = named(masthead, language, selection);
    let about = subtitle(masthead, language, selection);
    let heading = match sheet.number {
        None => name.text.clone(),
        Some(number) => format!("{}, {} {number}", name.text, words.page.to_lowercase()),
    };
    let mut frame = Frame::new(masthead, language, &heading).at(&sheet.path());
    frame.feeds = feeds_of(masthead, selection);
    frame.description = Some(about.text.clone());
    let other = named(masthead, language.other(), selection).text;
    let page = Page {
        frame,
        other: (other != name.text).then_some(other),
        name,
        about,
        // A page of the archive stays as it is.
        news: (!matches!(selection, Selection::Mixed(..)) && sheet.number.is_none())
            .then(|| language.news(shelves.get(selection).map_or(0, |shelf| shelf.count))),
        address: masthead.atom_address(selection),
        atom: document(site, selection, "atom"),
        json: document(site, selection, "json"),
        number: sheet.number,
        newest: page(site, language, &selection.path()),
        older: sheet.previous_path().map(|path| page(site, language, &path)),
        wider: wider(masthead, language, shelves, selection),
        narrower: narrower(masthead, language, shelves, selection),
        days: days(masthead, language, sheet),
        health: health.map(|health| told(masthead, language, health)),
    };
    written(&page)
}

/// A publication as something to go to.
pub(super) fn link(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    selection: &Selection,
) -> Link {
    Link {
        href: page(masthead.site, language, &selection.path()),
        name: named(masthead, language, selection),
        count: shelves.get(selection).map_or(0, |shelf| shelf.count),
    }
}

/// Links to the publications of labels that the site knows.
pub(super) fn labels(
    masthead: Masthead<'_>,
    language: Language,
    labels: impl Iterator<Item = Selection>,
) -> Vec<Link> {
    let known = labels.filter(|label| masthead.knows(label));
    known.map(|label| link(masthead, language, &BTreeMap::new(), &label)).collect()
}

fn wider(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    selection: &Selection,
) -> Vec<Link> {
    let wider = match selection {
        Selection::All => Vec::new(),
        Selection::RegionTag(region, tag) => {
            vec![Selection::Region(region.clone()), Selection::Tag(tag.clone())]
        }
        Selection::Community(id) => {
            let community = masthead.catalogue.communities.get(id);
            community.map(|found| Selection::Region(found.region.clone())).into_iter().collect()
        }
        Selection::Mixed(..) => selection.parts(),
        _ => vec![Selection::All],
    };
    wider.iter().map(|wider| link(masthead, language, shelves, wider)).collect()
}

/// What the news of a publication can be narrowed to: what has news.
fn narrower(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    selection: &Selection,
) -> Vec<Narrower> {
    let words = language.words();
    let part = |narrower: Selection, name: Selection| {
        let count = shelves.get(&narrower).map_or(0, |shelf| shelf.count);
        let href = page(masthead.site, language, &narrower.path());
        (count > 0).then(|| Link { href, name: named(masthead, language, &name), count })
    };
    let (regions, tags) = (masthead.catalogue.regions.keys(), masthead.tags.keys());
    let region = |id: &crate::model::id::RegionId| Selection::Region(id.clone());
    let tag = |id: &crate::model::id::TagId| Selection::Tag(id.clone());
    let mut parts: Vec<(&'static str, Vec<Link>)> = match selection {
        Selection::All => vec![
            (words.region, regions.filter_map(|id| part(region(id), region(id))).collect()),
            (words.tag, tags.filter_map(|id| part(tag(id), tag(id))).collect()),
        ],
        Selection::Region(of) => {
            let crossing =
                tags.filter_map(|id| part(Selection::RegionTag(of.clone(), id.clone()), tag(id)));
            let within = masthead.catalogue.communities.values().filter(|c| c.region == *of);
            let community = within.filter_map(|c| {
                let selection = Selection::Community(c.id.clone());
                part(selection.clone(), selection)
            });
            vec![(words.tag, crossing.collect()), (words.community, community.collect())]
        }
        Selection::Tag(of) => {
            let both =
                |id: &crate::model::id::RegionId| Selection::RegionTag(id.clone(), of.clone());
            vec![(words.region, regions.filter_map(|id| part(both(id), region(id))).collect())]
        }
        _ => Vec::new(),
    };
    for (_, links) in &mut parts {
        links.sort_by_cached_key(|link| sort_key(&link.name.text));
    }
    parts.retain(|(_, links)| !links.is_empty());
    parts.into_iter().map(|(heading, links)| Narrower { heading, links }).collect()
}

fn days(masthead: Masthead<'_>, language: Language, sheet: &Sheet<'_>) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for article in sheet.once() {
        let card = card(masthead, language, article);
        match days.last_mut().filter(|day| day.name == card.at.day) {
            Some(day) => day.cards.push(card),
            None => days.push(Day { name: card.at.day.clone(), cards: vec![card] }),
        }
    }
    days
}

fn card(masthead: Masthead<'_>, language: Language, article: &Article) -> Card {
    let site = masthead.site;
    let has_text = republish_of(masthead, article) != Republish::Link;
    let given = &article.labels;
    let regions = given.regions.keys().cloned().map(Selection::Region);
    let places = regions.chain(given.communities.keys().cloned().map(Selection::Community));
    Card {
        href: page(site, language, &format!("articles/{}", article.id)),
        title: article.headline().to_owned(),
        lang: language_of(language, article),
        at: language.moment(article.published, site.timezone),
        lead: if has_text { excerpt(&article.lead) } else { String::new() },
        picture: picture(masthead, article).filter(|_| has_text),
        places: labels(masthead, language, places),
        tags: labels(masthead, language, given.tags.keys().cloned().map(Selection::Tag)),
        source: article.source.name.clone(),
    }
}
