//! Labels for an article: regions, communities and tags, each with the reasons why it is there.
//!
//! # Where a label comes from
//! Evidence adds up, in points. What a name of a place is worth depends on what kind of name it is
//! and where it stands: see `evidence`; what a word of a tag is worth, see `topics`. A category
//! that is a name counts 40, a point on the map 10 to 30, the page's host 8. What feeds.toml says
//! of the feed, or in a rule, is always a label.
//!
//! A place with 12 points is one, and one that nothing speaks against with 6; in a feed whose
//! region the admin named, another needs 20, of which the headline or a category has a part. What
//! the headline does not name, beside something that it does, needs three quarters of that one's
//! points. A tag needs 14.
//!
//! What is told again («Нагадаємо, …»), comes from elsewhere («переселенці з …»), is where a
//! soldier fell or on the way («потяг Київ – Чоп») counts a part of it; rivers, streets, people,
//! clubs, troops, and «Київ» for the government nothing. `scan` finds, `friends` sets aside,
//! `weigh` decides.
//!
//! Never here: what the admin's file looks like, and what is stored.

pub mod alike;
mod around;
pub mod atlas;
mod cues;
pub mod evidence;
mod friends;
pub mod language;
pub mod lexicon;
mod names;
mod patterns;
mod plain;
mod rules;
mod scan;
mod topics;
mod weigh;
pub mod words;

use crate::classify::evidence::Cause;
use crate::classify::evidence::Dismissed;
use crate::classify::evidence::Evidence;
use crate::classify::names::Names;
use crate::classify::patterns::Patterns;
use crate::classify::plain::plain;
use crate::classify::rules::SAID;
use crate::classify::scan::scan;
use crate::classify::topics::CATEGORY;
use crate::classify::topics::Topics;
use crate::classify::topics::free_tags;
use crate::classify::weigh::Hint;
use crate::classify::weigh::weigh;
use crate::classify::words::Text;
use crate::classify::words::fold;
use crate::model::article::Article;
use crate::model::article::Field;
use crate::model::article::Labels;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::model::feed::Feed;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::pattern::Words;
use crate::model::publication::Community;
use crate::model::publication::Region;
use crate::model::publication::Tag;
use crate::model::rule::Rule;
use crate::place::Catalogue;
use crate::place::gazetteer::Place;
use crate::place::gazetteer::Point;
use crate::place::gazetteer::gazetteer;
use crate::place::tables::COMMUNITIES;
use crate::place::tables::DISTRICTS;
use crate::place::tables::NAMES;
use crate::place::tables::POINTS;
use crate::place::tables::REGIONS;
use regex::Regex;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::HashMap;
use url::Url;

/// Counts up when the code finds other labels in the same texts, so that stored articles are
/// labelled anew. Other tables and cues are seen without it.
const EDITION: &str = "1";

/// How much of a body is looked at, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// How much of what does not count is told.
const DISMISSED_MAX: usize = 50;
/// What the name of a host counts.
const HOST: u16 = 8;
/// How far a point may lie from the next one that is known, in kilometres.
const POINT_KM_MAX: f64 = 40.0;
/// How near to its centre a point is in a community, in kilometres.
const COMMUNITY_KM_MAX: f64 = 5.0;

/// Finds the labels of articles. Made once from the catalogue, the tags and the rules.
#[derive(Debug)]
pub struct Classifier {
    names: Names,
    topics: Topics,
    rules: Vec<Rule>,
    headlines: Vec<Option<Regex>>,
    /// The categories that each rule drops, folded.
    dropped: Vec<Vec<String>>,
    patterns: Patterns,
    /// Names and aliases of regions and communities, folded.
    places: HashMap<String, Vec<Place>>,
    digest: Digest,
}

/// What was found of an article, and what was set aside.
#[derive(Debug, Default)]
pub struct Findings {
    /// The labels.
    pub labels: Labels,
    /// The names that did not count, and why.
    pub dismissed: Vec<Dismissed>,
}

impl Classifier {
    /// A classifier for these regions, communities, tags and rules.
    #[must_use]
    pub fn new(catalogue: &Catalogue, tags: &BTreeMap<TagId, Tag>, rules: &[Rule]) -> Self {
        let gazetteer = gazetteer(catalogue);
        let mut places: HashMap<String, Vec<Place>> = HashMap::new();
        for (at, region) in gazetteer.regions.iter().enumerate() {
            let region = &catalogue.regions[region];
            let names = region.name.and(&region.aliases);
            add_names(&mut places, Place::Region(number(at)), names);
        }
        for (at, located) in gazetteer.communities.iter().enumerate() {
            let community = &catalogue.communities[&located.id];
            let names = community.name.and(&community.aliases);
            add_names(&mut places, Place::Community(number(at)), names);
        }
        let headline = |rule: &Rule| Regex::new(&rule.headline.as_ref()?.0).ok();
        Self {
            names: Names::new(gazetteer),
            topics: Topics::new(tags),
            headlines: rules.iter().map(headline).collect(),
            dropped: rules
                .iter()
                .map(|rule| rule.drop_categories.iter().map(|term| fold(term)).collect())
                .collect(),
            patterns: Patterns::new(rules.iter().map(|rule| &rule.words)),
            rules: rules.to_vec(),
            places,
            digest: digest(catalogue, tags, rules),
        }
    }

    /// Of all that decides about labels, beside what is said of a feed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes that the names of places, the words beside them and those of tags take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.names.bytes() + self.topics.bytes() + self.patterns.bytes()
    }

    /// The labels of an article of a feed, with their reasons. The article's own labels are not
    /// looked at.
    #[must_use]
    pub fn label(&self, article: &Article, feed: &Feed) -> Labels {
        self.explain(article, feed).labels
    }

    /// The same, and what was set aside.
    #[must_use]
    pub fn explain(&self, article: &Article, feed: &Feed) -> Findings {
        let mut labels = Labels::default();
        let body = plain(head(&article.body, BODY_BYTES_MAX));
        let rest = body.trim_start();
        let rest = rest.strip_prefix(article.lead.trim()).unwrap_or(rest);
        let rules: Vec<usize> = (0..self.rules.len())
            .filter(|at| {
                self.rules[*at].feeds.is_empty() || self.rules[*at].feeds.contains(&feed.id)
            })
            .collect();
        let headline = self.headline(&article.title, &rules);
        let fields = [
            (Field::Title, Text::new(&headline)),
            (Field::Lead, Text::new(&article.lead)),
            (Field::Body, Text::new(rest)),
        ];
        let mut dismissed = Vec::new();
        let categories = self.categories(article, &rules, &mut dismissed);
        let fitting = self.fitting(article, &fields, &categories, &rules);
        self.judge(&rules, &fitting, &mut labels);

        let mut evidence = Vec::new();
        for (field, text) in &fields {
            let (found, set_aside) = scan(&self.names, text, *field);
            evidence.extend(found);
            dismissed.extend(set_aside);
        }
        let mut hints = self.hints(article, feed);
        let free = self.label_by_categories(&categories, &mut labels, &mut evidence, &mut hints);
        labels.free_tags = free_tags(free.into_iter());
        let (tags, weak) = self.topics.of_text(&fields);
        for (tag, reasons) in tags {
            labels.tags.entry(tag).or_default().extend(reasons);
        }
        dismissed.extend(weak);
        self.declare(feed, &fitting, &mut labels);
        let declared = self.declared(&labels);
        let scale = self.names.scale(&fields[0].1);
        let verdict = weigh(&self.names.gazetteer, &evidence, &hints, declared, scale);
        for (at, reasons) in verdict.regions {
            let id = self.names.gazetteer.regions[usize::from(at)].clone();
            labels.regions.entry(id).or_default().extend(reasons);
        }
        for (at, reasons) in verdict.communities {
            let id = self.names.gazetteer.communities[usize::from(at)].id.clone();
            labels.communities.entry(id).or_default().extend(reasons);
        }
        dismissed.extend(self.in_passing(&evidence, &labels));
        self.take_away(&fitting, &mut labels, &mut dismissed);
        self.imply_regions(&mut labels);
        dismissed.retain(|what| !is_label(&labels, what));
        dismissed.truncate(DISMISSED_MAX);
        labels.headline = Some(headline.into_owned()).filter(|headline| *headline != article.title);
        labels.language =
            language::language([&article.title, &article.lead, rest]).map(str::to_owned);
        Findings { labels, dismissed }
    }

    /// The region that the admin named: other regions have to be named with weight.
    fn declared(&self, labels: &Labels) -> Option<u16> {
        let regions = &self.names.gazetteer.regions;
        let of_region = |id: &RegionId| regions.binary_search(id).ok().map(number);
        let mut named = labels.regions.keys().filter_map(of_region);
        let mut implied = labels.communities.keys().filter_map(|id| self.region_at(id));
        named.next().or_else(|| implied.next())
    }

    /// The names of places that the article is not about.
    fn in_passing(&self, evidence: &[Evidence], labels: &Labels) -> Vec<Dismissed> {
        let gazetteer = &self.names.gazetteer;
        let is_label = |place: &Place| match place {
            Place::Region(at) => labels.regions.contains_key(&gazetteer.regions[usize::from(*at)]),
            Place::Community(at) => {
                labels.communities.contains_key(&gazetteer.communities[usize::from(*at)].id)
            }
        };
        let passing = evidence.iter().filter(|evidence| !evidence.places.iter().any(is_label));
        passing
            .take(DISMISSED_MAX)
            .map(|evidence| Dismissed {
                field: Some(evidence.field),
                words: evidence.words.clone(),
                why: Cause::Passing,
            })
            .collect()
    }

    fn imply_regions(&self, labels: &mut Labels) {
        for community in labels.communities.keys() {
            if let Some(region) = self.region_of(community) {
                let reasons = labels.regions.entry(region.clone()).or_default();
                reasons.push(Reason { why: Why::Community(community.clone()), points: SAID });
            }
        }
    }

    fn region_of(&self, community: &CommunityId) -> Option<&RegionId> {
        self.names.gazetteer.regions.get(usize::from(self.region_at(community)?))
    }

    /// The number of the region that a community lies in.
    fn region_at(&self, community: &CommunityId) -> Option<u16> {
        let communities = &self.names.gazetteer.communities;
        let found = communities.binary_search_by(|located| located.id.cmp(community));
        Some(communities[found.ok()?].region)
    }

    /// The tags and the evidence of the categories. Gives those that are neither.
    fn label_by_categories<'c>(
        &self,
        categories: &[&'c str],
        labels: &mut Labels,
        evidence: &mut Vec<Evidence>,
        hints: &mut Vec<Hint>,
    ) -> Vec<&'c str> {
        let mut free = Vec::new();
        for category in categories {
            let tags = self.topics.of_category(category);
            for tag in &tags {
                labels.tags.entry(tag.clone()).or_default().push(Topics::category_reason(category));
            }
            let fields = [(Field::Category, Text::new(category))];
            let (by_words, _) = self.topics.of_text(&fields);
            let has_words = !by_words.is_empty();
            for (tag, reasons) in by_words {
                labels.tags.entry(tag).or_default().extend(reasons);
            }
            let known = self.places.get(&fold(category)).map(Vec::as_slice).unwrap_or_default();
            let is_place = if let [place] = known {
                let why = Why::Category { term: (*category).to_owned() };
                hints.push(Hint { place: *place, reason: Reason { why, points: CATEGORY } });
                true
            } else {
                let [(field, text)] = &fields;
                let (found, _) = scan(&self.names, text, *field);
                // «Новини Харкова» is of Kharkiv; a sentence is not.
                let is_place = !found.is_empty() && text.words.len() <= 4;
                if is_place {
                    evidence.extend(found);
                }
                is_place
            };
            if tags.is_empty() && !has_words && !is_place {
                free.push(*category);
            }
        }
        free
    }

    /// What speaks for places beside words: the point on the map, and the host of the page.
    fn hints(&self, article: &Article, feed: &Feed) -> Vec<Hint> {
        let mut hints = Vec::new();
        if let Some((latitude, longitude)) = article.point {
            hints.extend(self.by_point(latitude, longitude));
        }
        let host = article.url.as_ref().and_then(Url::host_str);
        if feed.region.is_none()
            && feed.community.is_none()
            && let Some(host) = host
        {
            let ends = |domain: &str| {
                host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            let found = self.names.gazetteer.hosts.iter().find(|(domain, _)| ends(domain));
            hints.extend(found.map(|(_, place)| Hint {
                place: *place,
                reason: Reason { why: Why::Host(host.to_owned()), points: HOST },
            }));
        }
        hints
    }

    fn by_point(&self, latitude: f64, longitude: f64) -> Vec<Hint> {
        let distance = |point: &Point| {
            let north = (point.latitude - latitude) * 111.2;
            let east = (point.longitude - longitude) * 111.2 * latitude.to_radians().cos();
            north.hypot(east)
        };
        let mut points: Vec<_> =
            self.names.gazetteer.points.iter().map(|point| (distance(point), point)).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let Some((nearest, first)) = points.first().copied() else { return Vec::new() };
        if nearest > POINT_KM_MAX {
            return Vec::new();
        }
        let agree = points.iter().take(3).all(|(_, point)| point.region == first.region);
        let why = || Why::Point(format!("{latitude:.3} {longitude:.3}"));
        let points_of = |points| Reason { why: why(), points };
        let place = Place::Region(first.region);
        let strong = agree || nearest < COMMUNITY_KM_MAX;
        match first.community.filter(|_| nearest < COMMUNITY_KM_MAX) {
            Some(at) => vec![Hint { place: Place::Community(at), reason: points_of(30) }],
            None => vec![Hint { place, reason: points_of(if strong { 30 } else { 10 }) }],
        }
    }
}

/// Whether what was set aside as too little is a label all the same.
fn is_label(labels: &Labels, what: &Dismissed) -> bool {
    matches!(&what.why, Cause::Weak(tag, _) if labels.tags.contains_key(tag))
}

/// The digest of all that decides about labels, beside what is said of a feed.
#[must_use]
pub fn digest(catalogue: &Catalogue, tags: &BTreeMap<TagId, Tag>, rules: &[Rule]) -> Digest {
    let words = |words: &Words| {
        if *words == Words::default() { String::new() } else { format!("{words:?}") }
    };
    let mut parts = vec![Cow::Borrowed(EDITION)];
    for Region { id, iso, name, aliases, words: own } in catalogue.regions.values() {
        parts.extend([id.as_str(), iso.as_deref().unwrap_or_default()].map(Cow::Borrowed));
        parts.extend(name.and(aliases).map(Cow::from));
        parts.push(Cow::Owned(words(own)));
    }
    for Community { id, region, name, aliases, words: own, code: _ } in
        catalogue.communities.values()
    {
        parts.extend([id.as_str(), region.as_str()].map(Cow::Borrowed));
        parts.extend(name.and(aliases).map(Cow::from));
        parts.push(Cow::Owned(words(own)));
    }
    // Where a rule stands in the file changes no label.
    let rules: Vec<Rule> = rules.iter().map(|rule| Rule { line: 0, ..rule.clone() }).collect();
    parts.extend([format!("{tags:?}"), format!("{rules:?}"), cues::digest()].map(Cow::Owned));
    parts.extend([REGIONS, COMMUNITIES, DISTRICTS, NAMES, POINTS].map(Cow::Borrowed));
    Digest::of(parts.iter().map(Cow::as_ref))
}

fn add_names<'a>(
    index: &mut HashMap<String, Vec<Place>>,
    place: Place,
    names: impl Iterator<Item = &'a String>,
) {
    for name in names.map(|name| fold(name)).filter(|name| !name.is_empty()) {
        let places = index.entry(name).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
    }
}

fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn head(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
