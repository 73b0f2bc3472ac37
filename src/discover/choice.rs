//! Which of several feeds is the one that is meant, and why the others are not.

use crate::discover::How;
use crate::discover::offer::Offer;
use crate::edit::address_key;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeSet;
use url::Url;

/// After so long without an article a feed is not the one by which a site tells its news.
const STALE_AFTER: TimeDelta = TimeDelta::days(365);
/// Words of feeds that carry what readers write, in lower case.
const COMMENTS: [&str; 7] =
    ["comments", "comment", "коментар", "коментарі", "комментарии", "обговорення", "kommentare"];
/// Parts of addresses under which a site has a part of its news.
const PARTS: [&str; 8] =
    ["category", "categories", "tag", "tags", "author", "rubric", "rubrika", "section"];

/// Why a feed is not the one that is meant; the smaller, the more it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Against {
    /// It brings what a better one brings.
    Same(usize),
    /// It has only a part of the news: a category, an author.
    Part,
    /// It lies at another site than the page.
    Elsewhere,
    /// Its newest article is old.
    Stale,
    /// It carries what readers write.
    Comments,
    /// It has no article.
    Empty,
    /// Nothing but that another was named first, or has more articles.
    Later,
}

impl Against {
    /// In words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Same(other) => format!("it brings the same as number {}", other + 1),
            Self::Part => "it looks like a part of the news only".to_owned(),
            Self::Elsewhere => "it lies at another site".to_owned(),
            Self::Stale => "its newest article is over a year old".to_owned(),
            Self::Comments => "it carries comments".to_owned(),
            Self::Empty => "it has no article".to_owned(),
            Self::Later => "another comes before it".to_owned(),
        }
    }
}

/// The offers in the order of how likely they are meant, and what speaks against each but the
/// first.
#[must_use]
pub fn ranked(
    offers: Vec<Offer>,
    asked: &Url,
    now: DateTime<Utc>,
) -> Vec<(Offer, Option<Against>)> {
    let mut ranked: Vec<(Offer, Option<Against>)> = offers
        .into_iter()
        .map(|offer| (against(&offer, asked, now), offer))
        .map(|(a, o)| (o, a))
        .collect();
    // The order in which the page has them decides between equals.
    ranked.sort_by_key(|(offer, against)| (*against, offer.candidate.how));
    for later in 1..ranked.len() {
        let (before, rest) = ranked.split_at_mut(later);
        let (offer, against) = &mut rest[0];
        // Comments have the pages of the articles that they are on.
        let is_told = matches!(against, Some(Against::Comments | Against::Stale | Against::Empty));
        let same = before.iter().position(|(other, _)| are_same(other, offer));
        let same = same.filter(|_| !is_told).map(Against::Same);
        *against = same.or(*against).or(Some(Against::Later));
    }
    if let Some((_, against)) = ranked.first_mut() {
        *against = None;
    }
    ranked
}

fn against(offer: &Offer, asked: &Url, now: DateTime<Utc>) -> Option<Against> {
    if offer.candidate.how == How::Asked {
        return None;
    }
    let url = &offer.candidate.url;
    let title = offer.title.to_lowercase();
    let is_word_of = |words: &[&str], text: &str| {
        text.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
    };
    let path = url.path().to_lowercase();
    let query = url.query().unwrap_or_default().to_lowercase();
    let found = [
        (Against::Empty, offer.articles.is_empty()),
        (Against::Comments, [&path, &query, &title].iter().any(|text| is_word_of(&COMMENTS, text))),
        (Against::Stale, offer.newest().is_some_and(|newest| now - newest > STALE_AFTER)),
        (Against::Elsewhere, site_of(url) != site_of(asked)),
        (Against::Part, is_word_of(&PARTS, &path) || is_word_of(&PARTS, &query)),
    ];
    found.into_iter().find(|(_, is_so)| *is_so).map(|(against, _)| against)
}

/// The part of a host's name that several hosts of one site share, as far as that can be told.
fn site_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

/// Whether two feeds bring the same articles.
fn are_same(one: &Offer, other: &Offer) -> bool {
    let links = |offer: &Offer| -> BTreeSet<String> {
        let urls = offer.articles.iter().filter_map(|article| article.url.as_ref());
        urls.map(|url| address_key(url.as_str())).collect()
    };
    let (one, other) = (links(one), links(other));
    !other.is_empty() && one.is_superset(&other)
}
