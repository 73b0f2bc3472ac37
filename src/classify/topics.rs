//! Tags: the feed's own categories folded to the tags of feeds.toml, and the words of a text that
//! speak for them.

use crate::classify::evidence::Cause;
use crate::classify::evidence::Dismissed;
use crate::classify::patterns::Patterns;
use crate::classify::words::Text;
use crate::classify::words::fold;
use crate::model::article::Field;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::model::id::TagId;
use crate::model::publication::Tag;
use std::collections::BTreeMap;
use std::collections::HashMap;

/// How many points make a tag.
const ENOUGH: u16 = 14;
/// What a category that is the name or an alias of a tag, a region or a community is worth.
pub(crate) const CATEGORY: u16 = 40;
/// What words are worth in the title, the lead and the body, each time, and at most.
const WORDS: [(u16, u16); 3] = [(20, 30), (12, 24), (4, 16)];

/// Categories that say where an entry stood on its site, not what it is about; folded.
const NOISE: [&str; 26] = [
    "новини",
    "новости",
    "news",
    "без категорії",
    "без рубрики",
    "без категории",
    "uncategorized",
    "головна",
    "головне",
    "слайдер",
    "slider",
    "main",
    "featured",
    "анонси",
    "оголошення",
    "події",
    "статті",
    "публікації",
    "прес-центр",
    "усі новини",
    "всі новини",
    "стрічка новин",
    "інше",
    "різне",
    "blog",
    "general",
];
/// How many parts of a category that is a list are looked at.
const LIST_MAX: usize = 20;
/// The longest category that is kept as a free tag, in characters.
const FREE_CHARS_MAX: usize = 60;
/// How many free tags an article has at most.
const FREE_MAX: usize = 20;

/// The tags of feeds.toml, and how they are found.
#[derive(Debug)]
pub(crate) struct Topics {
    ids: Vec<TagId>,
    /// By folded name or alias.
    names: HashMap<String, Vec<usize>>,
    /// By the same without the ending of the plural; only where that is of one tag.
    stems: HashMap<String, Option<usize>>,
    patterns: Patterns,
}

impl Topics {
    pub(crate) fn new(tags: &BTreeMap<TagId, Tag>) -> Self {
        let mut names: HashMap<String, Vec<usize>> = HashMap::new();
        let mut stems: HashMap<String, Option<usize>> = HashMap::new();
        for (at, tag) in tags.values().enumerate() {
            for name in tag.name.and(&tag.aliases) {
                let name = fold(name);
                let of = stems.entry(singular(&name)).or_insert(Some(at));
                *of = of.filter(|other| *other == at);
                let of = names.entry(name).or_default();
                if !of.contains(&at) {
                    of.push(at);
                }
            }
        }
        let patterns = Patterns::new(tags.values().map(|tag| &tag.words));
        Self { ids: tags.keys().cloned().collect(), names, stems, patterns }
    }

    /// The tags that a category names.
    pub(crate) fn of_category(&self, term: &str) -> Vec<TagId> {
        let tags = self.named(term);
        if !tags.is_empty() {
            return tags;
        }
        // «освіта, культура» in one category.
        let parts = term.split([',', ';', '/']).take(LIST_MAX);
        let mut tags: Vec<TagId> = parts.flat_map(|part| self.named(part)).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    fn named(&self, term: &str) -> Vec<TagId> {
        let name = fold(term);
        let exact = self.names.get(&name).cloned().unwrap_or_default();
        let found = if exact.is_empty() {
            self.stems.get(&singular(&name)).copied().flatten().into_iter().collect()
        } else {
            exact
        };
        found.into_iter().map(|at| self.ids[at].clone()).collect()
    }

    /// The tags that the words of a text speak for with enough weight, and the words that speak
    /// for others.
    pub(crate) fn of_text(
        &self,
        fields: &[(Field, Text<'_>)],
    ) -> (BTreeMap<TagId, Vec<Reason>>, Vec<Dismissed>) {
        let mut scores: BTreeMap<usize, (u16, Vec<Reason>)> = BTreeMap::new();
        for (field, text) in fields {
            for found in self.patterns.find(text, *field) {
                let points = if *field == Field::Category {
                    CATEGORY
                } else {
                    let (each, most) = WORDS[*field as usize];
                    each.saturating_mul(found.times).min(most)
                };
                let why = if *field == Field::Category {
                    Why::Category { term: found.words }
                } else {
                    Why::Words { field: *field, words: found.words }
                };
                let (score, reasons) = scores.entry(found.owner).or_default();
                *score += points;
                reasons.push(Reason { why, points });
            }
        }
        let (mut tags, mut weak) = (BTreeMap::new(), Vec::new());
        for (at, (score, reasons)) in scores {
            let tag = &self.ids[at];
            if score >= ENOUGH {
                tags.insert(tag.clone(), reasons);
                continue;
            }
            weak.extend(reasons.into_iter().filter_map(|reason| {
                let Why::Words { field, words } = reason.why else { return None };
                let why = Cause::Weak(tag.clone(), reason.points);
                Some(Dismissed { field: Some(field), words, why })
            }));
        }
        (tags, weak)
    }

    /// Why a category that names a tag counts.
    pub(crate) fn category_reason(term: &str) -> Reason {
        Reason { why: Why::Category { term: term.to_owned() }, points: CATEGORY }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.patterns.bytes()
    }
}

/// The categories of an article that are kept as free tags, each once.
pub(crate) fn free_tags<'c>(categories: impl Iterator<Item = &'c str>) -> Vec<String> {
    let mut seen = Vec::new();
    let mut free = Vec::new();
    for term in categories {
        let name = fold(term);
        let chars = name.chars().count();
        let says = (2..=FREE_CHARS_MAX).contains(&chars)
            && name.chars().any(char::is_alphabetic)
            && !NOISE.contains(&name.as_str())
            && !seen.contains(&name);
        if says && free.len() < FREE_MAX {
            let shown = term.split_whitespace().collect::<Vec<_>>().join(" ");
            free.push(shown.trim_matches(['#', '.', ',', ';', ':']).trim().to_owned());
            seen.push(name);
        }
    }
    free
}

/// A folded name without the endings that part the plural from the singular: «школа» and «школи»,
/// "road" and "roads". Short words stay as they are.
fn singular(name: &str) -> String {
    let word = |word: &str| {
        let (stem, least) = if word.is_ascii() {
            let stem = word.strip_suffix("ies").or(word.strip_suffix('s')).unwrap_or(word);
            (stem.strip_suffix('y').unwrap_or(stem), 3)
        } else {
            (word.trim_end_matches(['а', 'я', 'и', 'і', 'ї', 'ы', 'о', 'е', 'й', 'ь']), 4)
        };
        if stem.chars().count() >= least { stem.to_owned() } else { word.to_owned() }
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plural_is_its_singular_and_no_other_word() {
        for (one, other) in
            [("школа", "школи"), ("road", "roads"), ("city", "cities"), ("громада", "громади")]
        {
            assert_eq!(singular(one), singular(other));
        }
        for (one, other) in
            [("медицина", "медіація"), ("мова", "мови1"), ("рада", "рад"), ("вода", "води")]
        {
            assert_ne!(singular(one), singular(other));
        }
    }

    #[test]
    fn categories_that_say_something_are_kept() {
        let categories =
            ["Новини", "#Громадський бюджет", "громадський  бюджет", "2026", "я", &"д".repeat(61)];
        assert_eq!(free_tags(categories.into_iter()), ["Громадський бюджет"]);
    }
}
