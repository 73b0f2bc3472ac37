//! Where a feed belongs as a whole, from its title, its host and the labels of its articles; only
//! if that is clear, for what feeds.toml says of a feed is said of each of its articles.

use crate::classify::Classifier;
use crate::discover::offer::Offer;
use crate::model::article::Article;
use crate::model::article::Keys;
use crate::model::feed::Feed;
use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use std::collections::BTreeMap;
use std::fmt::Display;

/// Of so many articles at least something is concluded.
const ARTICLES_MIN: usize = 5;
/// So many of a hundred articles have to bear a label for it to be that of the feed.
const CLEAR_PERCENT: usize = 60;

/// Where a feed belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: Option<RegionId>,
    pub(crate) community: Option<CommunityId>,
    /// Why that, or why nothing.
    pub(crate) why: String,
}

/// Where a feed belongs. `names` are what it and its page call themselves.
pub(crate) fn place(offer: &Offer, names: &[&str], like: &Feed, classifier: &Classifier) -> Place {
    let Some(article) = offer.articles.first() else {
        return Place { why: "it has no article to judge by".to_owned(), ..Place::default() };
    };
    let counted = counts(&offer.articles, |article| article.labels.regions.keys());
    let most = clear(&counted, offer.articles.len());
    for name in names.iter().filter(|name| !name.is_empty()) {
        let labels = classifier.label(&named(article, name, offer), like);
        if let Some(community) = only(labels.communities.keys()) {
            let why = format!("its title names it: «{name}»");
            return agreed(
                Place { region: None, community: Some(community), why },
                most,
                &labels.regions,
            );
        }
        if let Some(region) = only(labels.regions.keys()) {
            let why = format!("its title or its host names it: «{name}»");
            return agreed(
                Place { region: Some(region), community: None, why },
                most,
                &labels.regions,
            );
        }
    }
    of_articles(offer, &counted, most)
}

/// Where the articles themselves are clear.
fn of_articles(
    offer: &Offer,
    counted: &[(RegionId, usize)],
    most: Option<(RegionId, usize)>,
) -> Place {
    let all = offer.articles.len();
    let communities = counts(&offer.articles, |article| article.labels.communities.keys());
    if let Some((community, count)) = clear(&communities, all) {
        let why = format!("{count} of {all} articles are of it");
        return Place { region: None, community: Some(community), why };
    }
    if let Some((region, count)) = most {
        let why = format!("{count} of {all} articles are of it");
        return Place { region: Some(region), community: None, why };
    }
    let why = match counted {
        [] => format!("neither its title nor any of {all} articles names a place"),
        [(first, count), ..] => format!(
            "its title names no place, and only {count} of {all} articles are of `{first}`, the most frequent"
        ),
    };
    Place { why, ..Place::default() }
}

/// What the title says, unless most articles are of elsewhere.
fn agreed<Reasons>(
    place: Place,
    most: Option<(RegionId, usize)>,
    titled: &BTreeMap<RegionId, Reasons>,
) -> Place {
    match most {
        Some((region, count)) if !titled.contains_key(&region) => Place {
            region: None,
            community: None,
            why: format!("{}, but {count} articles are of `{region}`", place.why),
        },
        _ => place,
    }
}

/// An article that consists of the feed's name only.
fn named(article: &Article, name: &str, offer: &Offer) -> Article {
    Article {
        title: name.to_owned(),
        lead: String::new(),
        body: String::new(),
        categories: Vec::new(),
        point: None,
        via: Vec::new(),
        url: offer.site.clone().or_else(|| Some(offer.candidate.url.clone())),
        keys: Keys { link: None, ..article.keys },
        ..article.clone()
    }
}

/// How many articles bear each label, the most frequent first.
fn counts<'a, Id: Ord + Clone + 'a, Ids: Iterator<Item = &'a Id>>(
    articles: &'a [Article],
    labels: impl Fn(&'a Article) -> Ids,
) -> Vec<(Id, usize)> {
    let mut counts: BTreeMap<Id, usize> = BTreeMap::new();
    for id in articles.iter().flat_map(labels) {
        *counts.entry(id.clone()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The label that most of the articles bear.
fn clear<Id: Clone + Display>(counts: &[(Id, usize)], all: usize) -> Option<(Id, usize)> {
    let (id, count) = counts.first()?;
    let is_clear = all >= ARTICLES_MIN && count * 100 >= all * CLEAR_PERCENT;
    is_clear.then(|| (id.clone(), *count))
}

fn only<'a, Id: Clone + 'a>(mut ids: impl Iterator<Item = &'a Id>) -> Option<Id> {
    let first = ids.next()?.clone();
    ids.next().is_none().then_some(first)
}
