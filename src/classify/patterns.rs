//! Where a text has the words of `match` and `unless`, of many tags or rules in one pass.

use crate::classify::lexicon::Builder;
use crate::classify::lexicon::Lexicon;
use crate::classify::words::Text;
use crate::model::article::Field;
use crate::model::pattern::PHRASE_WORDS_MAX;
use crate::model::pattern::Pattern;
use crate::model::pattern::Scope;
use crate::model::pattern::Words;
use std::collections::BTreeMap;
use std::ops::Range;

/// How many forms of one phrase are looked for.
const CASES_MAX: usize = 16;

/// A phrase of a pattern: whose it is, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    owner: usize,
    pattern: usize,
    phrase: usize,
}

/// The patterns of many owners: tags, or rules.
#[derive(Debug)]
pub(crate) struct Patterns {
    owners: Vec<Words>,
    lexicon: Lexicon<Part>,
}

/// A match of an owner's patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) owner: usize,
    pub(crate) field: Field,
    /// The words, as they stand there.
    pub(crate) words: String,
    /// How often they stand there.
    pub(crate) times: u16,
}

impl Patterns {
    /// The patterns of owners, in their order.
    pub(crate) fn new<'w>(owners: impl IntoIterator<Item = &'w Words>) -> Self {
        let owners: Vec<Words> = owners.into_iter().cloned().collect();
        let mut builder = Builder::default();
        for (at, owner) in owners.iter().enumerate() {
            let patterns = owner.matching.iter().chain(&owner.unless);
            for (pattern, Pattern { phrases, .. }) in patterns.enumerate() {
                for (phrase, words) in phrases.iter().enumerate() {
                    for words in in_every_case(words) {
                        builder.add(&words, Part { owner: at, pattern, phrase });
                    }
                }
            }
        }
        Self { owners, lexicon: builder.build() }
    }

    /// Whether an owner has any words to be looked for.
    pub(crate) fn has_words(&self, owner: usize) -> bool {
        self.owners.get(owner).is_some_and(|owner| !owner.matching.is_empty())
    }

    /// Whether one of an owner's patterns for addresses is part of this one.
    pub(crate) fn has_link(&self, owner: usize, link: &str) -> bool {
        self.owners.get(owner).is_some_and(|owner| {
            let is = |pattern: &Pattern| {
                pattern.scope == Scope::Link
                    && pattern.phrases.iter().any(|part| link.contains(part.as_str()))
            };
            owner.matching.iter().any(is) && !owner.unless.iter().any(is)
        })
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.lexicon.bytes()
    }

    /// The matches in one part of an article.
    pub(crate) fn find(&self, text: &Text<'_>, field: Field) -> Vec<Match> {
        let mut places: BTreeMap<(usize, usize), Vec<Vec<Range<usize>>>> = BTreeMap::new();
        for at in 0..text.words.len() {
            self.lexicon.find(text, at, &mut |words, parts| {
                for Part { owner, pattern, phrase } in parts {
                    if !is_for(self.pattern(*owner, *pattern), field) {
                        continue;
                    }
                    let phrases = self.pattern(*owner, *pattern).phrases.len();
                    let of = places
                        .entry((*owner, *pattern))
                        .or_insert_with(|| vec![Vec::new(); phrases]);
                    of[*phrase].push(at..at + words);
                }
            });
        }
        places.retain(|_, phrases| phrases.iter().all(|places| !places.is_empty()));
        let mut matches: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for ((owner, pattern), phrases) in &places {
            if *pattern < self.owners[*owner].matching.len() {
                matches.entry(*owner).or_default().extend(phrases.iter().flatten().cloned());
            }
        }
        let mut voids: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
        for ((owner, pattern), phrases) in &places {
            if *pattern >= self.owners[*owner].matching.len() {
                voids.entry(*owner).or_default().extend(phrases.iter().flatten().cloned());
            }
        }
        for (owner, voids) in voids {
            if let Some(matched) = matches.get_mut(&owner) {
                void(matched, voids);
            }
        }
        let told = matches.into_iter().filter_map(|(owner, mut places)| {
            places.sort_by_key(|place| (place.start, place.end));
            places.dedup_by_key(|place| place.start);
            let words = text.shown(places.first()?.clone()).chars().take(80).collect();
            let times = u16::try_from(places.len()).unwrap_or(u16::MAX);
            Some(Match { owner, field, words, times })
        });
        told.collect()
    }

    fn pattern(&self, owner: usize, pattern: usize) -> &Pattern {
        let Words { matching, unless } = &self.owners[owner];
        matching.get(pattern).unwrap_or_else(|| &unless[pattern - matching.len()])
    }
}

/// A phrase, and as it is written where the last consonant of a stem changes before an ending:
/// «бібліотек*» is «бібліотеці» too, «книг*» is «книзі».
fn in_every_case(phrase: &str) -> Vec<String> {
    let mut phrases = vec![String::new()];
    for word in phrase.split_whitespace() {
        let changed = [("к*", "ці"), ("г*", "зі"), ("х*", "сі")]
            .iter()
            .find_map(|(from, to)| Some(format!("{}{to}", word.strip_suffix(from)?)))
            .filter(|_| phrases.len() < CASES_MAX);
        let other = changed
            .iter()
            .flat_map(|changed| phrases.iter().map(move |before| format!("{before} {changed}")));
        let other: Vec<String> = other.collect();
        for before in &mut phrases {
            *before = format!("{before} {word}");
        }
        phrases.extend(other);
    }
    phrases
}

/// Whether a pattern is looked for in a part of an article.
fn is_for(pattern: &Pattern, field: Field) -> bool {
    match pattern.scope {
        Scope::Text => field != Field::Category,
        Scope::Field(own) => own == field,
        Scope::Link => false,
    }
}

/// Takes away the matches that the words of `unless` overlap; all of them if some of those stand
/// apart from every match.
fn void(matched: &mut Vec<Range<usize>>, mut unless: Vec<Range<usize>>) {
    let ends_after = |place: &Range<usize>| (place.start, place.end);
    matched.sort_by_key(ends_after);
    unless.sort_by_key(ends_after);
    // A phrase has few words: what overlaps a place begins shortly before it.
    let overlapping = |all: &[Range<usize>], place: &Range<usize>| {
        let from = all.partition_point(|other| other.start + PHRASE_WORDS_MAX <= place.start);
        let near = all[from..].iter().take_while(|other| other.start < place.end);
        near.filter(|other| place.start < other.end).count()
    };
    if unless.iter().any(|place| overlapping(matched, place) == 0) {
        matched.clear();
    } else {
        matched.retain(|place| overlapping(&unless, place) == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(matching: &[&str], unless: &[&str], text: &str) -> Vec<(String, u16)> {
        let texts = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let words = Words { matching: texts(matching), unless: texts(unless) };
        let found = Patterns::new([&words]).find(&Text::new(text), Field::Title);
        found.into_iter().map(|found| (found.words, found.times)).collect()
    }

    #[test]
    fn a_list_means_any_and_a_text_means_all() {
        let yes = |words: &str, times| vec![(words.to_owned(), times)];
        for (matching, unless, text, expected) in [
            (&["бюджет*"][..], &[][..], "Бюджетні зміни в БЮДЖЕТІ", yes("Бюджетні", 2)),
            (&["школ* ремонт*"], &[], "Ремонт у школі", yes("Ремонт", 2)),
            (&["школ* ремонт*"], &[], "Ремонт дороги", vec![]),
            (&["\"місцев* бюджет*\""], &[], "Про місцевий бюджет", yes("місцевий бюджет", 1)),
            (&["\"місцев* бюджет*\""], &[], "Місцевий дохід, бюджет", vec![]),
            (&["школ*"], &["\"школ* танц*\""], "Школа танців", vec![]),
            (&["школ*"], &["\"школ* танц*\""], "Школа танців і школа №5", yes("школа", 1)),
            (
                &["школ*"],
                &["\"музичн* школ*\"", "\"школ* мистецтв*\""],
                "Музична школа мистецтв і школа №5",
                yes("школа", 1),
            ),
            (&["школ*"], &["танц*"], "Школа, де вчать танців", vec![]),
            (&["lead:школ*"], &[], "Школа", vec![]),
            (&["title:школ*"], &[], "Школа", yes("Школа", 1)),
            (&["бібліотек*"], &[], "У бібліотеці", yes("бібліотеці", 1)),
            (&["\"книг* рекорд*\""], &[], "У Книзі рекордів", yes("Книзі рекордів", 1)),
            (&["вода", "газ"], &[], "Газ і вода", yes("Газ", 2)),
        ] {
            assert_eq!(found(matching, unless, text), expected, "{matching:?} in {text}");
        }
    }
}
