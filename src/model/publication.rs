//! A publication: a selection of articles that is republished under an address of its own.

use crate::model::article::Article;
use crate::model::colour::Colour;
use crate::model::feed::TaggingEntity;
use crate::model::id::CommunityId;
use crate::model::id::FeedId;
use crate::model::id::PublicationId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::pattern::Words;
use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::str::FromStr;
use url::Url;

/// A name in the languages that readers speak.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// In Ukrainian.
    pub uk: String,
    /// In English.
    pub en: String,
}

impl Name {
    /// The name in both languages, and the aliases of what bears it.
    pub fn and<'a>(&'a self, aliases: &'a [String]) -> impl Iterator<Item = &'a String> {
        [&self.uk, &self.en].into_iter().chain(aliases)
    }
}

/// A region of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The slug.
    pub id: RegionId,
    /// ISO 3166-2, such as `UA-63`.
    pub iso: Option<String>,
    /// Such as «Харківська область» and "Kharkiv Oblast".
    pub name: Name,
    /// Other names that a category may bear.
    pub aliases: Vec<String>,
    /// What else the admin says of the words that name it.
    pub words: Words,
}

/// A community of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// The slug.
    pub id: CommunityId,
    /// The code in KATOTTG, such as `UA63120270000028556`.
    pub code: Option<String>,
    /// The region that it lies in.
    pub region: RegionId,
    /// Such as «Харківська територіальна громада».
    pub name: Name,
    /// Other names that a category may bear.
    pub aliases: Vec<String>,
    /// What else the admin says of the words that name it.
    pub words: Words,
}

/// A topic, as feeds.toml names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The slug.
    pub id: TagId,
    /// Such as «партнерство» and "partnership".
    pub name: Name,
    /// Other words for it.
    pub aliases: Vec<String>,
    /// The words of a text that speak for it.
    pub words: Words,
}

/// The site that publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The name of the site.
    pub title: String,
    /// What it is, in a sentence.
    pub subtitle: Option<String>,
    /// Where it is reached, with a `/` at the end.
    pub address: Url,
    /// How its operator is reached: an e-mail address or a page.
    pub contact: Option<String>,
    /// How many people read what it publishes, if that is known: polled servers are told.
    pub readers: Option<u64>,
    /// The language of its titles (BCP 47).
    pub language: String,
    /// The zone in which its dates are written, and that of feeds which name none.
    pub timezone: Tz,
    /// The terms under which the combined feeds are given out.
    pub rights: Option<String>,
    /// A small square picture.
    pub icon: Option<Url>,
    /// A picture that stands before the title on pages.
    pub logo: Option<Url>,
    /// The ground on which that stands.
    pub colour: Colour,
    /// What the site says of itself, in Markdown.
    pub about: Option<String>,
    /// How pages show pictures.
    pub pictures: Pictures,
    /// Under whose name ids are minted; never to be changed.
    pub tagging: TaggingEntity,
}

/// How pages show the pictures of articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pictures {
    /// From where their sources have them.
    #[default]
    Direct,
    /// From the site itself, which fetches them: readers stay unknown to the sources.
    Passed,
    /// Not at all.
    Hidden,
}

/// What a publication is made of. Its order is the order in which they are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selection {
    /// Every article.
    All,
    /// A region.
    Region(RegionId),
    /// A community.
    Community(CommunityId),
    /// A tag.
    Tag(TagId),
    /// What is of both.
    RegionTag(RegionId, TagId),
    /// A feed, cleaned.
    Source(FeedId),
    /// What the admin composed.
    Composed(PublicationId),
    /// What a reader composed: what is of one of these regions, if there are any, and has one of
    /// these tags, if there are any. Several of one kind at least, or it is one of the others.
    Mixed(BTreeSet<RegionId>, BTreeSet<TagId>),
}

/// Of how many other publications a mixed one is made, at most.
pub const PARTS_MAX: usize = 32;

impl Selection {
    /// Where it is published, below the site's address, without the ending that names a format.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Region(region) => format!("regions/{region}"),
            Self::Community(community) => format!("communities/{community}"),
            Self::Tag(tag) => format!("tags/{tag}"),
            Self::RegionTag(region, tag) => format!("regions/{region}/tags/{tag}"),
            Self::Source(feed) => format!("sources/{feed}"),
            Self::Composed(publication) => format!("publications/{publication}"),
            Self::Mixed(regions, tags) => {
                let regions =
                    (!regions.is_empty()).then(|| format!("/regions/{}", joined(regions)));
                let tags = (!tags.is_empty()).then(|| format!("/tags/{}", joined(tags)));
                format!("mixed{}{}", regions.unwrap_or_default(), tags.unwrap_or_default())
            }
        }
    }

    /// What is of one of these regions and has one of these tags; none if nothing is picked.
    #[must_use]
    pub fn of(regions: BTreeSet<RegionId>, tags: BTreeSet<TagId>) -> Option<Self> {
        if regions.len() > 1 || tags.len() > 1 {
            return Some(Self::Mixed(regions, tags));
        }
        match (regions.into_iter().next(), tags.into_iter().next()) {
            (Some(region), Some(tag)) => Some(Self::RegionTag(region, tag)),
            (Some(region), None) => Some(Self::Region(region)),
            (None, Some(tag)) => Some(Self::Tag(tag)),
            (None, None) => None,
        }
    }

    /// The publications that it is made of: itself, if it is not mixed.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        let Self::Mixed(regions, tags) = self else { return vec![self.clone()] };
        if regions.is_empty() {
            return tags.iter().cloned().map(Self::Tag).collect();
        }
        if tags.is_empty() {
            return regions.iter().cloned().map(Self::Region).collect();
        }
        let with = |region: &RegionId| {
            let region = region.clone();
            tags.iter().map(move |tag| Self::RegionTag(region.clone(), tag.clone()))
        };
        regions.iter().flat_map(with).collect()
    }

    /// The selection that is published at a path, whether or not the site knows its parts.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        Some(match parts.as_slice() {
            ["all"] => Self::All,
            ["regions", region] => Self::Region(region.parse().ok()?),
            ["communities", community] => Self::Community(community.parse().ok()?),
            ["tags", tag] => Self::Tag(tag.parse().ok()?),
            ["regions", region, "tags", tag] => {
                Self::RegionTag(region.parse().ok()?, tag.parse().ok()?)
            }
            ["sources", feed] => Self::Source(feed.parse().ok()?),
            ["publications", id] => Self::Composed(id.parse().ok()?),
            ["mixed", "regions", regions] => mixed(Some(regions), None)?,
            ["mixed", "tags", tags] => mixed(None, Some(tags))?,
            ["mixed", "regions", regions, "tags", tags] => mixed(Some(regions), Some(tags))?,
            _ => return None,
        })
    }
}

/// What stands between the slugs of a mixed publication: no slug has it.
const BETWEEN: &str = "_";

fn joined<Id: ToString>(ids: &BTreeSet<Id>) -> String {
    ids.iter().map(Id::to_string).collect::<Vec<_>>().join(BETWEEN)
}

/// A mixed publication as its path names it: each slug once, in order, so that it has one address.
fn mixed(regions: Option<&str>, tags: Option<&str>) -> Option<Selection> {
    fn ids<Id: FromStr + Ord + ToString>(text: Option<&str>) -> Option<BTreeSet<Id>> {
        let Some(text) = text else { return Some(BTreeSet::new()) };
        let parts = text.split(BETWEEN).map(|id| id.parse().ok());
        let ids: BTreeSet<Id> = parts.collect::<Option<_>>()?;
        (joined(&ids) == text).then_some(ids)
    }
    let (regions, tags) = (ids::<RegionId>(regions)?, ids::<TagId>(tags)?);
    let parts = regions.len().max(1) * tags.len().max(1);
    let is_mixed = regions.len() > 1 || tags.len() > 1;
    (is_mixed && parts <= PARTS_MAX).then_some(Selection::Mixed(regions, tags))
}

/// A publication that the admin composed: an article is in it if, of each list that is not
/// empty, it has at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The slug.
    pub id: PublicationId,
    /// The name that readers see.
    pub title: String,
    /// What it is, in a sentence.
    pub subtitle: Option<String>,
    /// Regions.
    pub regions: BTreeSet<RegionId>,
    /// Communities.
    pub communities: BTreeSet<CommunityId>,
    /// Tags.
    pub tags: BTreeSet<TagId>,
    /// Feeds.
    pub feeds: BTreeSet<FeedId>,
    /// An article with one of these tags is not in it.
    pub without_tags: BTreeSet<TagId>,
}

impl Publication {
    /// Whether an article is in it.
    #[must_use]
    pub fn holds(&self, article: &Article) -> bool {
        let labels = &article.labels;
        (self.regions.is_empty() || self.regions.iter().any(|id| labels.regions.contains_key(id)))
            && (self.communities.is_empty()
                || self.communities.iter().any(|id| labels.communities.contains_key(id)))
            && (self.tags.is_empty() || self.tags.iter().any(|id| labels.tags.contains_key(id)))
            && (self.feeds.is_empty() || self.feeds.contains(&article.feed))
            && !self.without_tags.iter().any(|id| labels.tags.contains_key(id))
    }
}

/// What a publication holds at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf {
    /// How many articles.
    pub count: u64,
    /// The newest `updated` of its articles.
    pub updated: DateTime<Utc>,
    /// When it was last written: an article was added, changed, relabelled or taken away.
    pub changed: DateTime<Utc>,
}

/// Every selection that an article stands in: none if a rule keeps it out.
#[must_use]
pub fn selections_of(article: &Article, composed: &[Publication]) -> BTreeSet<Selection> {
    let labels = &article.labels;
    if labels.excluded_by.is_some() {
        return BTreeSet::new();
    }
    let mut selections = BTreeSet::from([Selection::All, Selection::Source(article.feed.clone())]);
    selections.extend(labels.communities.keys().cloned().map(Selection::Community));
    selections.extend(labels.tags.keys().cloned().map(Selection::Tag));
    for region in labels.regions.keys() {
        selections.insert(Selection::Region(region.clone()));
        let both = |tag: &TagId| Selection::RegionTag(region.clone(), tag.clone());
        selections.extend(labels.tags.keys().map(both));
    }
    let holding = composed.iter().filter(|publication| publication.holds(article));
    selections.extend(holding.map(|publication| Selection::Composed(publication.id.clone())));
    selections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_read_back_from_its_own_path() {
        for path in [
            "all",
            "regions/kharkivska",
            "communities/kharkivska",
            "tags/partnerstvo",
            "regions/kharkivska/tags/partnerstvo",
            "sources/kharkiv",
            "publications/sister-cities",
            "mixed/regions/kharkivska_sumska",
            "mixed/tags/osvita_partnerstvo",
            "mixed/regions/kharkivska_sumska/tags/osvita",
            "mixed/regions/kharkivska/tags/osvita_partnerstvo",
        ] {
            assert_eq!(Selection::at(path).unwrap().path(), path);
        }
        for path in [
            "",
            "ALL",
            "regions/",
            "regions/../all",
            "regions/Х",
            "tags/a/b",
            "regions/a/tags/",
            "mixed",
            "mixed/regions/a",
            "mixed/regions/a/tags/b",
            "mixed/regions/b_a",
            "mixed/regions/a_a",
            "mixed/regions/a_",
            "mixed/regions/a_b/tags/",
            "mixed/tags/a_b/regions/c",
        ] {
            assert_eq!(Selection::at(path), None, "{path:?}");
        }
    }
}
