//! Whether two articles of different feeds are one story: a partner that reposts a city's news,
//! word for word, cut, or with a footer.
//!
//! # Why it is strict
//! «Графік відключень» of two cities share nine words of ten, and are two stories; so are the
//! schedules of two days, and a work begun and the same work finished. Two texts are one story
//! only if one is all but contained in the other, and no name, number or stage of a work stands in
//! the place of another. A translation is a story of its own: who reads one language does not
//! read the other.

use crate::classify::plain::plain;
use crate::classify::words::Case;
use crate::classify::words::Text;
use crate::model::article::Article;
use crate::model::id::Digest;
use chrono::TimeDelta;
use similar::Algorithm;
use similar::DiffOp;
use similar::capture_diff_slices;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::ops::Range;

/// How far apart two copies are published at most.
pub const WITHIN: TimeDelta = TimeDelta::days(14);

/// How many words of a text are compared.
const WORDS_MAX: usize = 2_000;
/// From how many words on a text may be a part of another.
const WORDS_MIN: usize = 16;
/// How many words make a shingle.
const SHINGLE: usize = 4;
/// How many hundredths of the shorter text stand in the longer one, at least.
const SHARE_MIN: usize = 80;
/// How many hundredths of the longer one that is, at least.
const COVER_MIN: usize = 45;
/// The same where the shorter text is the beginning of the longer one.
const HEAD_COVER_MIN: usize = 25;

/// Stems of words that say how far a work has come, by groups: one is not the other.
const STAGES: [&[&str]; 6] = [
    &["розпоч", "почал", "стартув", "старту", "begin", "began", "start"],
    &["заверш", "закінч", "підсум", "finish", "complet"],
    &["відкри", "запуст", "запрац", "open"],
    &["закри", "призупин", "зупин", "clos", "suspend"],
    &["скас", "відмін", "cancel"],
    &["перенес", "відклад", "postpon"],
];

/// What an article is compared by.
#[derive(Debug)]
pub struct Sketch {
    words: Vec<u64>,
    /// Names and numbers, and the stages of works, by the number of their word.
    facts: BTreeMap<usize, Fact>,
    shingles: HashSet<u64>,
    title: u64,
    /// The numbers of the title.
    numbers: BTreeSet<String>,
    language: Option<String>,
}

/// What must not stand in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    /// A name.
    Name,
    /// A number.
    Number,
    /// How far a work has come.
    Stage(usize),
}

impl Sketch {
    /// The sketch of an article.
    #[must_use]
    pub fn of(article: &Article) -> Self {
        let body = plain(&article.body);
        let body = if body.trim().is_empty() { article.lead.as_str() } else { &body };
        let text = Text::new(body);
        let title = Text::new(&article.title);
        let count = text.words.len().min(WORDS_MAX);
        let words: Vec<u64> =
            text.words[..count].iter().map(|word| hash(text.folded(word))).collect();
        let mut facts = BTreeMap::new();
        for (at, word) in text.words[..count].iter().enumerate() {
            let folded = text.folded(word);
            // At the beginning of a sentence too: a name there is as good as any other word.
            let is_name = word.case != Case::Small;
            if let Some(stage) = stage(folded) {
                facts.insert(at, Fact::Stage(stage));
            } else if folded.chars().any(|c| c.is_ascii_digit()) {
                facts.insert(at, Fact::Number);
            } else if is_name {
                facts.insert(at, Fact::Name);
            }
        }
        let has_digit = |word: &&str| word.chars().any(|c| c.is_ascii_digit());
        let title_words: Vec<&str> = title.words.iter().map(|word| title.folded(word)).collect();
        Self {
            shingles: words.windows(SHINGLE).map(of_shingle).collect(),
            words,
            facts,
            title: hash(&title_words.join(" ")),
            numbers: title_words.iter().filter(|w| has_digit(w)).map(|w| (*w).to_owned()).collect(),
            language: article
                .language()
                .map(|language| language[..2.min(language.len())].to_owned()),
        }
    }

    /// How many hundredths of the shorter text two sketches share, if they are one story.
    #[must_use]
    pub fn alike(&self, other: &Self) -> Option<u8> {
        let same_language =
            self.language.is_none() || other.language.is_none() || self.language == other.language;
        let both = !self.numbers.is_empty() && !other.numbers.is_empty();
        if !same_language || (both && self.numbers != other.numbers) {
            return None;
        }
        let (short, long) =
            if self.words.len() <= other.words.len() { (self, other) } else { (other, self) };
        if short.words == long.words && short.title == long.title && short.words.len() >= 4 {
            return Some(100);
        }
        if short.words.len() < WORDS_MIN {
            return None;
        }
        short.part_of(long)
    }

    fn part_of(&self, long: &Self) -> Option<u8> {
        let (short, ops) = (self, capture_diff_slices(Algorithm::Myers, &self.words, &long.words));
        let mut equal = 0;
        let mut is_head = true;
        let known_short: HashSet<u64> = short.words.iter().copied().collect();
        let known_long: HashSet<u64> = long.words.iter().copied().collect();
        for (number, op) in ops.iter().enumerate() {
            match *op {
                DiffOp::Equal { len, .. } => equal += len,
                DiffOp::Insert { .. } => is_head &= number + 1 == ops.len(),
                DiffOp::Delete { .. } => is_head = false,
                DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                    is_head = false;
                    let ours = short.facts_in(old_index..old_index + old_len, &known_long);
                    let theirs = long.facts_in(new_index..new_index + new_len, &known_short);
                    if conflict(&ours, &theirs) {
                        return None;
                    }
                }
            }
        }
        let share = equal * 100 / short.words.len();
        let cover = equal * 100 / long.words.len();
        let covered = cover >= if is_head { HEAD_COVER_MIN } else { COVER_MIN };
        (share >= SHARE_MIN && covered).then(|| u8::try_from(share).unwrap_or(100))
    }

    /// The facts of some words that the other text does not know. A number that it has elsewhere
    /// is another number here.
    fn facts_in(&self, words: Range<usize>, known: &HashSet<u64>) -> Vec<Fact> {
        let facts = self
            .facts
            .range(words)
            .filter(|(at, fact)| **fact == Fact::Number || !known.contains(&self.words[**at]));
        facts.map(|(_, fact)| *fact).collect()
    }
}

fn conflict(ours: &[Fact], theirs: &[Fact]) -> bool {
    let both = |fact: Fact| ours.contains(&fact) && theirs.contains(&fact);
    let stages = |facts: &[Fact]| {
        let of = facts.iter().filter_map(|fact| match fact {
            Fact::Stage(stage) => Some(*stage),
            Fact::Name | Fact::Number => None,
        });
        of.collect::<BTreeSet<usize>>()
    };
    let (our_stages, their_stages) = (stages(ours), stages(theirs));
    let differ_in_stage =
        !our_stages.is_empty() && !their_stages.is_empty() && our_stages != their_stages;
    differ_in_stage || both(Fact::Name) || both(Fact::Number)
}

fn stage(word: &str) -> Option<usize> {
    STAGES.iter().position(|stems| stems.iter().any(|stem| word.starts_with(stem)))
}

/// The pairs of articles that are one story by their texts, with the hundredths that they share.
/// Articles of one feed are never a pair.
#[must_use]
pub fn pairs(articles: &[&Article]) -> Vec<(usize, usize, u8)> {
    let sketches: Vec<Sketch> = articles.iter().map(|article| Sketch::of(article)).collect();
    let mut holders: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, sketch) in sketches.iter().enumerate() {
        for shingle in sketch.shingles.iter().copied().chain([sketch.title]) {
            holders.entry(shingle).or_default().push(at);
        }
    }
    let mut shared: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for holders in holders.values() {
        // What stands in very many texts is a formula.
        for (place, one) in holders.iter().enumerate().take(20) {
            for other in holders.iter().skip(place + 1).take(20) {
                *shared.entry((*one, *other)).or_default() += 1;
            }
        }
    }
    let is_candidate = |((one, other), count): &((usize, usize), usize)| {
        let least = sketches[*one].shingles.len().min(sketches[*other].shingles.len());
        let (one, other) = (articles[*one], articles[*other]);
        one.feed != other.feed
            && (one.published - other.published).abs() <= WITHIN
            && count * 2 >= least
    };
    let candidates = shared.into_iter().filter(is_candidate);
    candidates
        .filter_map(|((one, other), _)| Some((one, other, sketches[one].alike(&sketches[other])?)))
        .collect()
}

fn hash(word: &str) -> u64 {
    let Digest(bytes) = Digest::of([word]);
    u64::from_be_bytes(bytes[..8].try_into().unwrap_or_default())
}

fn of_shingle(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum, word| sum.rotate_left(13).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ word)
}
