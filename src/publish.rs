//! Publications as documents: Atom, JSON Feed, OPML, and the pages on which people find them.
//!
//! The same input gives the same bytes: an entity tag is a digest of them, and a quiet hour costs a
//! subscriber a 304.
//!
//! Never here: clock, disk, network, the store. What is shown is an argument.

use crate::model::article::Article;
use crate::model::article::Enclosure;
use crate::model::feed::Feed;
use crate::model::feed::Republish;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::publication::Publication;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::model::publication::Site;
use crate::model::publication::Tag;
use crate::model::xml;
use crate::place::Catalogue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use url::Url;

pub mod atom;
pub mod front;
pub mod html;
pub mod json;
pub mod opml;
pub mod sheet;
pub mod story;

/// What stands at the head of every document: the site, and the names of what it publishes.
#[derive(Debug, Clone, Copy)]
pub struct Masthead<'a> {
    /// The site that publishes.
    pub site: &'a Site,
    /// The names of regions and communities.
    pub catalogue: &'a Catalogue,
    /// The names of tags.
    pub tags: &'a BTreeMap<TagId, Tag>,
    /// The sources, and how much of each is published again.
    pub feeds: &'a BTreeMap<FeedId, Feed>,
    /// What the admin composed.
    pub publications: &'a [Publication],
}

impl Masthead<'_> {
    /// The name of a publication in Ukrainian; its slug where a part of it is not known.
    #[must_use]
    pub fn title(&self, selection: &Selection) -> String {
        match selection {
            Selection::All => "Усі новини".to_owned(),
            Selection::Region(id) => {
                let name = self.catalogue.regions.get(id).map(|region| &region.name.uk);
                name.map_or_else(|| id.to_string(), Clone::clone)
            }
            Selection::Community(id) => {
                let name = self.catalogue.communities.get(id).map(|community| &community.name.uk);
                name.map_or_else(|| id.to_string(), Clone::clone)
            }
            Selection::Tag(id) => {
                self.tags.get(id).map_or_else(|| id.to_string(), |tag| tag.name.uk.clone())
            }
            Selection::RegionTag(region, tag) => {
                let region = self.title(&Selection::Region(region.clone()));
                format!("{region}: {}", self.title(&Selection::Tag(tag.clone())))
            }
            Selection::Source(id) => {
                self.feeds.get(id).map_or_else(|| id.to_string(), |feed| feed.title.clone())
            }
            Selection::Composed(id) => {
                let found = self.publications.iter().find(|publication| publication.id == *id);
                found.map_or_else(|| id.to_string(), |publication| publication.title.clone())
            }
            Selection::Mixed(regions, tags) => {
                listed(regions, tags, |selection| Some(self.title(selection))).unwrap_or_default()
            }
        }
    }

    /// The same name in English, where there is one.
    #[must_use]
    pub fn english(&self, selection: &Selection) -> Option<String> {
        match selection {
            Selection::All => Some("All news".to_owned()),
            Selection::Region(id) => {
                self.catalogue.regions.get(id).map(|region| region.name.en.clone())
            }
            Selection::Community(id) => {
                self.catalogue.communities.get(id).map(|community| community.name.en.clone())
            }
            Selection::Tag(id) => self.tags.get(id).map(|tag| tag.name.en.clone()),
            Selection::RegionTag(region, tag) => {
                let region = self.english(&Selection::Region(region.clone()))?;
                Some(format!("{region}: {}", self.english(&Selection::Tag(tag.clone()))?))
            }
            Selection::Mixed(regions, tags) => {
                listed(regions, tags, |selection| self.english(selection))
            }
            Selection::Source(_) | Selection::Composed(_) => None,
        }
    }

    /// What a publication is, in a sentence in Ukrainian.
    #[must_use]
    pub fn subtitle(&self, selection: &Selection) -> String {
        let title = self.title(selection);
        match selection {
            Selection::All => {
                let own = self.site.subtitle.clone();
                own.unwrap_or_else(|| "Новини громад з усіх джерел".to_owned())
            }
            Selection::Region(_) | Selection::Community(_) => {
                format!("Новини, що стосуються: {title}")
            }
            Selection::Tag(_) => format!("Новини з усіх регіонів за тегом «{title}»"),
            Selection::RegionTag(region, tag) => format!(
                "Новини за тегом «{}», що стосуються: {}",
                self.title(&Selection::Tag(tag.clone())),
                self.title(&Selection::Region(region.clone())),
            ),
            Selection::Source(_) => format!("Новини з джерела «{title}»"),
            Selection::Composed(id) => {
                let found = self.publications.iter().find(|publication| publication.id == *id);
                let own = found.and_then(|publication| publication.subtitle.clone());
                own.unwrap_or_else(|| format!("Добірка «{title}»"))
            }
            Selection::Mixed(..) => format!("Новини разом: {title}"),
        }
    }

    /// What stands at the head of a publication's document.
    #[must_use]
    pub fn heading(&self, selection: &Selection) -> String {
        match selection {
            Selection::All => self.site.title.clone(),
            other => format!("{} — {}", self.title(other), self.site.title),
        }
    }

    /// Where the Atom document of a publication is.
    #[must_use]
    pub fn atom_address(&self, selection: &Selection) -> String {
        format!("{}{}.atom", self.site.address, selection.path())
    }

    /// Where its page for people is.
    #[must_use]
    pub fn page_address(&self, selection: &Selection) -> String {
        format!("{}{}", self.site.address, selection.path())
    }

    /// Whether the site publishes it: every part of it exists.
    #[must_use]
    pub fn knows(&self, selection: &Selection) -> bool {
        match selection {
            Selection::All => true,
            Selection::Region(id) => self.catalogue.regions.contains_key(id),
            Selection::Community(id) => self.catalogue.communities.contains_key(id),
            Selection::Tag(id) => self.tags.contains_key(id),
            Selection::RegionTag(region, tag) => {
                self.catalogue.regions.contains_key(region) && self.tags.contains_key(tag)
            }
            Selection::Source(id) => self.feeds.contains_key(id),
            Selection::Composed(id) => {
                self.publications.iter().any(|publication| publication.id == *id)
            }
            Selection::Mixed(..) => selection.parts().iter().all(|part| self.knows(part)),
        }
    }

    /// Everything that the site publishes.
    #[must_use]
    pub fn selections(&self) -> BTreeSet<Selection> {
        let mut all = BTreeSet::from([Selection::All]);
        for region in self.catalogue.regions.keys() {
            all.insert(Selection::Region(region.clone()));
            let both = |tag: &TagId| Selection::RegionTag(region.clone(), tag.clone());
            all.extend(self.tags.keys().map(both));
        }
        all.extend(self.catalogue.communities.keys().cloned().map(Selection::Community));
        all.extend(self.tags.keys().cloned().map(Selection::Tag));
        all.extend(self.feeds.keys().cloned().map(Selection::Source));
        let composed = self.publications.iter().map(|publication| publication.id.clone());
        all.extend(composed.map(Selection::Composed));
        all
    }

    /// The name of a label in Ukrainian, and in English where that is another.
    #[must_use]
    pub fn both(&self, selection: &Selection) -> String {
        let title = self.title(selection);
        match self.english(selection).filter(|english| *english != title) {
            Some(english) => format!("{title} / {english}"),
            None => title,
        }
    }

    /// What is worth showing to somebody who looks for a feed: publications with articles, by
    /// groups in the order in which a page shows them. What is composed is there even when empty.
    #[must_use]
    pub fn groups(&self, shelves: &BTreeMap<Selection, Shelf>) -> Vec<(Group, Vec<Selection>)> {
        let mut groups: BTreeMap<Group, Vec<Selection>> = BTreeMap::new();
        for selection in self.selections() {
            let full = shelves.get(&selection).is_some_and(|shelf| shelf.count > 0);
            if full || matches!(selection, Selection::All | Selection::Composed(_)) {
                groups.entry(Group::of(&selection)).or_default().push(selection);
            }
        }
        for (group, selections) in &mut groups {
            if *group != Group::Composed {
                selections.sort_by_cached_key(|selection| sort_key(&self.title(selection)));
            }
        }
        groups.into_iter().collect()
    }
}

/// The names of regions and tags as one: regions, then tags.
fn listed(
    regions: &BTreeSet<RegionId>,
    tags: &BTreeSet<TagId>,
    name: impl Fn(&Selection) -> Option<String>,
) -> Option<String> {
    let joined = |selections: Vec<Selection>| {
        Some(selections.iter().map(&name).collect::<Option<Vec<_>>>()?.join(", "))
    };
    let regions = joined(regions.iter().cloned().map(Selection::Region).collect())?;
    let tags = joined(tags.iter().cloned().map(Selection::Tag).collect())?;
    let parts = [regions, tags].into_iter().filter(|part| !part.is_empty());
    Some(parts.collect::<Vec<_>>().join(": "))
}

/// Publications that are listed together, in the order of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Every article.
    All,
    /// Regions.
    Regions,
    /// Communities.
    Communities,
    /// Tags.
    Tags,
    /// A region and a tag.
    RegionTags,
    /// What the admin composed.
    Composed,
    /// Feeds, cleaned.
    Sources,
}

impl Group {
    /// The group that a selection is listed in.
    #[must_use]
    pub fn of(selection: &Selection) -> Self {
        match selection {
            Selection::All => Self::All,
            Selection::Region(_) => Self::Regions,
            Selection::Community(_) => Self::Communities,
            Selection::Tag(_) => Self::Tags,
            Selection::RegionTag(..) => Self::RegionTags,
            Selection::Composed(_) | Selection::Mixed(..) => Self::Composed,
            Selection::Source(_) => Self::Sources,
        }
    }

    /// Its heading in Ukrainian.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::All => "Усе",
            Self::Regions => "Області та регіони",
            Self::Communities => "Громади",
            Self::Tags => "Теги",
            Self::RegionTags => "Область і тег",
            Self::Composed => "Добірки",
            Self::Sources => "Джерела",
        }
    }
}

/// How much of an article is given on. Of a feed that is no more in feeds.toml, nobody says that
/// its texts may be.
pub(crate) fn republish_of(masthead: Masthead<'_>, article: &Article) -> Republish {
    masthead.feeds.get(&article.feed).map_or(Republish::Link, |feed| feed.republish)
}

/// The page of an article. Where its source gives none, it is ours.
pub(crate) fn page_of(masthead: Masthead<'_>, article: &Article) -> Url {
    let site = &masthead.site.address;
    let own = || site.join(&format!("articles/{}", article.id)).unwrap_or_else(|_| site.clone());
    article.url.clone().unwrap_or_else(own)
}

/// What a file is. Where its source does not say, what is known of no file is said of it (RFC 2046,
/// 4.5.1): JSON Feed asks for a type, and readers for the Atom form do so too.
pub(crate) fn media_type(enclosure: &Enclosure) -> &str {
    let given = enclosure.mime.as_deref().filter(|mime| is_media_type(mime));
    given.unwrap_or("application/octet-stream")
}

/// RFC 6838, 4.2: a type and a subtype; parameters are not carried on.
fn is_media_type(mime: &str) -> bool {
    let token = |name: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
        !name.is_empty() && name.bytes().all(allowed)
    };
    mime.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// A text with nothing in it that XML 1.0 cannot carry (section 2.2, `Char`), its line ends as a
/// parser hands them on (section 2.11).
#[must_use]
pub fn xml_text(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c != '\r' && xml::is_char(c)) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(text.chars().filter(|c| xml::is_char(*c)).collect())
}

/// The order of the Ukrainian alphabet: ґ, є, і and ї stand elsewhere in Unicode.
fn sort_key(title: &str) -> Vec<u32> {
    let place = |c: char| match c {
        'ґ' => u32::from('г') * 2 + 1,
        'є' => u32::from('е') * 2 + 1,
        'і' => u32::from('и') * 2 + 1,
        'ї' => u32::from('и') * 2 + 2,
        other => u32::from(other) * 2 + u32::from(other > 'и'),
    };
    title.to_lowercase().chars().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_stand_in_the_order_of_the_ukrainian_alphabet() {
        let alphabet = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя";
        let mut letters: Vec<String> = alphabet.chars().rev().map(String::from).collect();
        letters.sort_by_cached_key(|letter| sort_key(letter));
        assert_eq!(letters.concat(), alphabet);
    }

    #[test]
    fn what_xml_cannot_carry_is_left_out_and_the_rest_stays() {
        for (text, expected) in [
            ("Знам’янка\t🇺🇦\n", "Знам’янка\t🇺🇦\n"),
            ("a\0b\u{b}c\u{1f}d\u{fffe}e\u{ffff}f", "abcdef"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("\u{fffd}\u{10ffff}\u{7f}", "\u{fffd}\u{10ffff}\u{7f}"),
        ] {
            assert_eq!(xml_text(text), expected);
        }
    }
}
