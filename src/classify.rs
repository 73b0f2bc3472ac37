//! Labels for an article: regions, communities and tags, each with the reasons why it is there.
//!
//! # Where a label comes from
//! What feeds.toml says of the feed; a category of the entry that equals a name or an alias; and
//! words in the title or the lead that name a region beyond doubt: «Харківська область» in any
//! grammatical case and in any list («у Харківській, Сумській та Полтавській областях»),
//! «Харківщина», "Kharkiv Oblast". A city's name alone is no evidence: «Київ» is as often the
//! government, and «Дніпро» the river. A community implies its region.
//!
//! Never here: what the admin's file looks like, and what is stored.

pub mod words;

use crate::classify::words::Gap;
use crate::classify::words::Word;
use crate::classify::words::fold;
use crate::classify::words::words;
use crate::model::article::Article;
use crate::model::article::Field;
use crate::model::article::Labels;
use crate::model::article::Reason;
use crate::model::feed::Feed;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::publication::Tag;
use crate::place::Catalogue;
use crate::place::RegionWords;
use std::collections::BTreeMap;
use std::collections::HashMap;

/// How many words may stand between an adjective and its «область»: a list of all of them.
const LIST_WORDS_MAX: usize = 60;

/// The endings of a hard adjective, singular and plural, in every case.
const ADJECTIVE_ENDINGS: [&str; 13] =
    ["а", "ої", "ій", "у", "ою", "ий", "ого", "ому", "им", "і", "их", "ими", "е"];

/// What an adjective of a region must belong to, before it says that the region is meant.
const REGION_NOUNS: [&str; 16] = [
    "область",
    "області",
    "областю",
    "областей",
    "областям",
    "областях",
    "областями",
    "обл",
    "ова",
    "ода",
    "облрада",
    "облради",
    "облраді",
    "облраду",
    "облрадою",
    "облдержадміністрація",
];

/// Finds the labels of articles. Made once from the catalogue and the tags.
#[derive(Debug)]
pub struct Classifier {
    regions: HashMap<String, Vec<RegionId>>,
    communities: HashMap<String, Vec<CommunityId>>,
    tags: HashMap<String, Vec<TagId>>,
    region_of: BTreeMap<CommunityId, RegionId>,
    adjectives: HashMap<String, RegionId>,
    /// Of all names and words that it was made from.
    names: Digest,
    /// Names that stand for themselves in a text, as words, by the first of them.
    phrases: HashMap<String, Vec<(Vec<String>, RegionId)>>,
}

impl Classifier {
    /// A classifier for these regions, communities and tags. `region_words` are the forms of the
    /// regions that Ukrainian texts inflect; a region without them is found by its names as they
    /// are written in the catalogue.
    #[must_use]
    pub fn new(
        catalogue: &Catalogue,
        tags: &BTreeMap<TagId, Tag>,
        region_words: &[RegionWords],
    ) -> Self {
        let mut classifier = Self {
            regions: HashMap::new(),
            communities: HashMap::new(),
            tags: HashMap::new(),
            region_of: BTreeMap::new(),
            adjectives: HashMap::new(),
            names: Digest::of(
                [format!("{catalogue:?}"), format!("{tags:?}"), format!("{region_words:?}")]
                    .iter()
                    .map(String::as_str),
            ),
            phrases: HashMap::new(),
        };
        for (id, region) in &catalogue.regions {
            let names = [&region.name.uk, &region.name.en].into_iter().chain(&region.aliases);
            add_names(&mut classifier.regions, id, names);
            if !region_words.iter().any(|words| words.region == *id) {
                classifier.add_phrase(&region.name.uk, id);
                region.aliases.iter().for_each(|alias| classifier.add_phrase(alias, id));
            }
            if region.name.en.contains(' ') {
                classifier.add_phrase(&region.name.en, id);
            }
        }
        for (id, community) in &catalogue.communities {
            let name = &community.name;
            let names = [&name.uk, &name.en].into_iter().chain(&community.aliases);
            add_names(&mut classifier.communities, id, names);
            classifier.region_of.insert(id.clone(), community.region.clone());
        }
        for (id, tag) in tags {
            let names = [&tag.name.uk, &tag.name.en].into_iter().chain(&tag.aliases);
            add_names(&mut classifier.tags, id, names);
        }
        for forms in region_words.iter().filter(|w| catalogue.regions.contains_key(&w.region)) {
            if !forms.stem.is_empty() {
                for ending in ADJECTIVE_ENDINGS {
                    let adjective = fold(&format!("{}{ending}", forms.stem));
                    classifier.adjectives.insert(adjective, forms.region.clone());
                }
            }
            forms.nouns.iter().for_each(|noun| classifier.add_phrase(noun, &forms.region));
        }
        classifier
    }

    /// Of all that decides about the labels of a feed's articles.
    #[must_use]
    pub fn digest_for(&self, feed: &Feed) -> Digest {
        let region = feed.region.as_ref().map(RegionId::as_str).unwrap_or_default();
        let community = feed.community.as_ref().map(CommunityId::as_str).unwrap_or_default();
        let tags = feed.tags.iter().map(TagId::as_str);
        let names = self.names.to_string();
        Digest::of([names.as_str(), region, community].into_iter().chain(tags))
    }

    /// The labels of an article of a feed, with their reasons. The article's own labels are not
    /// looked at.
    #[must_use]
    pub fn label(&self, article: &Article, feed: &Feed) -> Labels {
        let mut labels = Labels::default();
        if let Some(region) = &feed.region {
            add(&mut labels.regions, region, Reason::Feed);
        }
        if let Some(community) = &feed.community {
            add(&mut labels.communities, community, Reason::Feed);
        }
        for tag in &feed.tags {
            add(&mut labels.tags, tag, Reason::Feed);
        }
        for (field, text) in [(Field::Title, &article.title), (Field::Lead, &article.lead)] {
            for (region, words) in self.regions_in(text) {
                add(&mut labels.regions, &region, Reason::Words { field, words });
            }
        }
        self.label_by_categories(article, &mut labels);
        for community in labels.communities.keys() {
            if let Some(region) = self.region_of.get(community) {
                let reason = Reason::Community(community.clone());
                add(&mut labels.regions, region, reason);
            }
        }
        labels
    }

    fn add_phrase(&mut self, name: &str, region: &RegionId) {
        let phrase: Vec<String> = words(name).into_iter().map(|word| word.folded).collect();
        if let Some(first) = phrase.first() {
            self.phrases.entry(first.clone()).or_default().push((phrase, region.clone()));
        }
    }

    /// First what names one thing; then the communities whose name several bear, if just one of
    /// them lies in a region that is already there.
    fn label_by_categories(&self, article: &Article, labels: &mut Labels) {
        let mut ambiguous = Vec::new();
        for category in &article.categories {
            for term in [Some(&category.term), category.label.as_ref()].into_iter().flatten() {
                let reason = || Reason::Category { term: term.clone() };
                let name = fold(term);
                for tag in self.tags.get(&name).into_iter().flatten() {
                    add(&mut labels.tags, tag, reason());
                }
                if let Some([region]) = self.regions.get(&name).map(Vec::as_slice) {
                    add(&mut labels.regions, region, reason());
                }
                match self.communities.get(&name).map(Vec::as_slice) {
                    Some([community]) => add(&mut labels.communities, community, reason()),
                    Some(several) => ambiguous.push((several, reason())),
                    None => {}
                }
            }
        }
        for (several, reason) in ambiguous {
            let here = |id: &&CommunityId| labels.regions.contains_key(&self.region_of[*id]);
            let mut candidates = several.iter().filter(here);
            if let (Some(community), None) = (candidates.next(), candidates.next()) {
                add(&mut labels.communities, community, reason);
            }
        }
    }

    /// The regions that a text names beyond doubt, each with the words that do.
    fn regions_in(&self, text: &str) -> Vec<(RegionId, String)> {
        let words = words(text);
        let mut found = Vec::new();
        for i in 0..words.len() {
            for (phrase, region) in self.phrases.get(&words[i].folded).into_iter().flatten() {
                let here = &words[i..words.len().min(i + phrase.len())];
                if here.iter().map(|word| &word.folded).eq(phrase) {
                    found.push((region.clone(), slice(text, here)));
                }
            }
        }
        // Adjectives wait for the noun that they belong to: «Харківської, Сумської та
        // Полтавської областей».
        let mut waiting: Vec<usize> = Vec::new();
        for (i, word) in words.iter().enumerate() {
            if word.before == Gap::Stop {
                waiting.clear();
            }
            if self.adjectives.contains_key(&word.folded) {
                waiting.push(i);
            } else if is_region_noun(&word.folded) {
                for &start in waiting.iter().filter(|&&start| i - start <= LIST_WORDS_MAX) {
                    let region = &self.adjectives[&words[start].folded];
                    let shown =
                        if waiting.len() == 1 { &words[start..=i] } else { &words[start..=start] };
                    found.push((region.clone(), slice(text, shown)));
                }
                waiting.clear();
            } else if !is_conjunction(&word.folded) {
                waiting.clear();
            }
        }
        found
    }
}

/// A label with one reason more; the same reason is kept once.
fn add<Id: Ord + Clone>(labels: &mut BTreeMap<Id, Vec<Reason>>, id: &Id, reason: Reason) {
    let reasons = labels.entry(id.clone()).or_default();
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

fn add_names<'a, Id: PartialEq + Clone>(
    index: &mut HashMap<String, Vec<Id>>,
    id: &Id,
    names: impl Iterator<Item = &'a String>,
) {
    for name in names.map(|name| fold(name)).filter(|name| !name.is_empty()) {
        let ids = index.entry(name).or_default();
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
}

/// «область» and what governs one: «обласна рада», «ОВА».
fn is_region_noun(word: &str) -> bool {
    REGION_NOUNS.contains(&word)
        || word.strip_prefix("обласн").is_some_and(|ending| ADJECTIVE_ENDINGS.contains(&ending))
}

fn is_conjunction(word: &str) -> bool {
    matches!(word, "та" | "і" | "й" | "або" | "чи" | "а" | "також")
}

fn slice(text: &str, words: &[Word]) -> String {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => text[first.start..last.end].to_owned(),
        _ => String::new(),
    }
}
