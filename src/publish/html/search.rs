//! The search for a publication by a name, in any case of it, in Ukrainian, English or Latin letters.
//!
//! «у Харкові» finds «Харківська область»: a word fits a name if they begin alike, far enough for
//! its length; endings, and the vowel before them, are another matter. Every word has to fit. A place
//! is found by what the classifier knows it by too: «в Одессе», "Lwów", «Буковина».

use crate::classify::atlas::Atlas;
use crate::model::letters::transliterate;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The longest query that is read, in characters.
const QUERY_CHARS_MAX: usize = 200;
/// The words of a query that are looked at.
const WORDS_MAX: usize = 8;
/// How well a word fits a place that it names, of 100.
const NAMED: u32 = 95;
/// What says nothing.
const SILENT: [&str; 22] = [
    "в",
    "у",
    "і",
    "й",
    "та",
    "на",
    "про",
    "за",
    "з",
    "із",
    "the",
    "of",
    "in",
    "and",
    "from",
    "новини",
    "новин",
    "новости",
    "стрічка",
    "news",
    "feed",
    "rss",
];

/// The names of all publications, ready to be searched.
#[derive(Debug)]
pub struct Names {
    /// Each with the words that name it.
    all: Vec<(Selection, Vec<String>)>,
    /// What names places in other languages, and in other words.
    atlas: Atlas,
    /// All these words, each once.
    words: BTreeSet<String>,
}

impl Names {
    /// Of everything that the site publishes.
    #[must_use]
    pub fn new(masthead: Masthead<'_>) -> Self {
        let words = |selection: &Selection| {
            let mut names = vec![masthead.title(selection), selection.path()];
            names.extend(masthead.english(selection));
            match selection {
                Selection::Region(id) => {
                    let region = masthead.catalogue.regions.get(id);
                    names.extend(region.iter().flat_map(|region| region.aliases.iter().cloned()));
                }
                Selection::Community(id) => {
                    let found = masthead.catalogue.communities.get(id);
                    let region = found.map(|found| Selection::Region(found.region.clone()));
                    names.extend(region.iter().map(|region| masthead.title(region)));
                }
                Selection::Tag(id) => {
                    let tag = masthead.tags.get(id);
                    names.extend(tag.iter().flat_map(|tag| tag.aliases.iter().cloned()));
                }
                _ => {}
            }
            let mut words: Vec<String> = names.iter().flat_map(|name| words_of(name)).collect();
            words.sort();
            words.dedup();
            words
        };
        let all = masthead.selections().into_iter();
        let all: Vec<_> = all.map(|selection| (selection.clone(), words(&selection))).collect();
        let words = all.iter().flat_map(|(_, words)| words).cloned().collect();
        Self { all, words, atlas: Atlas::new(masthead.catalogue) }
    }

    /// The publications that a query means, those that fit best first, then those with most news.
    #[must_use]
    pub fn find(
        &self,
        query: &str,
        shelves: &BTreeMap<Selection, Shelf>,
        most: usize,
    ) -> Vec<Selection> {
        let query: String = query.chars().take(QUERY_CHARS_MAX).collect();
        let wanted = wanted_of(&query);
        if wanted.is_empty() {
            return Vec::new();
        }
        let reading = self.atlas.read(&query);
        let rest = wanted_of(&reading.rest.join(" "));
        let named = |selection: &Selection, words: &[String]| -> Option<u32> {
            if reading.places.is_empty() || !reading.places.iter().all(|p| is_of(selection, p)) {
                return None;
            }
            let fits: Option<u32> = rest.iter().map(|word| word.fits_best(words)).sum();
            Some(fits? + NAMED * u32::try_from(wanted.len() - rest.len().min(wanted.len())).ok()?)
        };
        let mut found: Vec<(Reverse<u32>, usize, Reverse<u64>, &Selection)> = Vec::new();
        for (selection, words) in &self.all {
            let fits: Option<u32> = wanted.iter().map(|word| word.fits_best(words)).sum();
            if let Some(fit) = fits.max(named(selection, words)) {
                let count = shelves.get(selection).map_or(0, |shelf| shelf.count);
                let parts = selection.path().matches('/').count();
                found.push((Reverse(fit), parts, Reverse(count), selection));
            }
        }
        found.sort();
        found.into_iter().take(most).map(|(.., selection)| selection.clone()).collect()
    }
}

impl Names {
    /// A query with each word that is no name replaced by the nearest that is one: a slip of the
    /// finger or two.
    pub(super) fn spelt(&self, query: &str) -> String {
        let words = words_of(query).take(WORDS_MAX).map(|word| {
            let length = word.chars().count();
            let far = length.div_ceil(4);
            let near = self.words.iter();
            let near = near.filter(|near| near.chars().count().abs_diff(length) <= far);
            let near = near.map(|near| (strsim::osa_distance(near, &word), near));
            let nearest = near.filter(|(distance, _)| *distance <= far).min();
            nearest.map_or(word.clone(), |(_, near)| near.clone())
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A word of a query, as it is written and in Latin letters.
struct Word {
    forms: [Vec<char>; 2],
}

impl Word {
    fn new(word: &str) -> Self {
        let latin = transliterate(word).to_lowercase();
        Self { forms: [word.chars().collect(), latin.chars().collect()] }
    }

    /// How well it fits the word that it fits best, of 100; none if it fits none.
    fn fits_best(&self, words: &[String]) -> Option<u32> {
        words.iter().filter_map(|word| self.forms.iter().filter_map(|f| fit(f, word)).max()).max()
    }
}

/// The words of a query that say something.
fn wanted_of(query: &str) -> Vec<Word> {
    let words = words_of(query).filter(|word| !SILENT.contains(&word.as_str()));
    words.take(WORDS_MAX).map(|word| Word::new(&word)).collect()
}

/// Whether a publication is one of these places, or a part of one.
fn is_of(selection: &Selection, places: &BTreeSet<Selection>) -> bool {
    match selection {
        Selection::RegionTag(region, _) => places.contains(&Selection::Region(region.clone())),
        selection => places.contains(selection),
    }
}

/// How well a word of a query fits a word of a name, of 100; none if it does not.
fn fit(wanted: &[char], word: &str) -> Option<u32> {
    let length = word.chars().count();
    let alike = wanted.iter().zip(word.chars()).take_while(|(one, other)| **one == *other).count();
    match alike {
        _ if alike == wanted.len() && alike == length => Some(100),
        // Begun, and not yet ended.
        _ if alike == wanted.len() && alike >= 2 => Some(90),
        // The end may be that of another case.
        _ if alike >= 4 && alike + 3 >= wanted.len() => {
            u32::try_from(alike * 80 / wanted.len().max(1)).ok()
        }
        _ => None,
    }
}

/// The words of a name, in small letters, with one apostrophe.
fn words_of(name: &str) -> impl Iterator<Item = String> {
    let small = name.to_lowercase().replace(['\'', 'ʼ', '`'], "’");
    let words = small.split(|c: char| !c.is_alphanumeric() && c != '’');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}
