//! Many names and phrases, found in one pass over a text.
//!
//! All of them lie in one finite state transducer, so that what is read once serves every name
//! with the same beginning, and thousands of forms take a few hundred kilobytes.

use crate::classify::words::Gap;
use crate::classify::words::Text;
use crate::classify::words::fold;
use fst::raw::Fst;
use fst::raw::Node;
use fst::raw::Output;
use std::collections::BTreeMap;
use std::fmt;

/// How many words a phrase may have.
const PHRASE_WORDS_MAX: usize = 8;

/// Phrases and what each of them means.
pub(crate) struct Lexicon<T> {
    words: Fst<Vec<u8>>,
    meanings: Vec<Box<[T]>>,
    beginnings: Beginnings,
}

/// How the phrases begin, as bits: most words of a text begin none, and are passed over by them.
struct Beginnings(Vec<u64>);

/// How many bytes of a word are its beginning.
const BEGINNING: usize = 8;
/// How many bits there are for beginnings, as a power of two.
const BEGINNING_BITS: u32 = 18;

impl Beginnings {
    fn new() -> Self {
        Self(vec![0; 1 << (BEGINNING_BITS - 6)])
    }

    fn place(beginning: &[u8]) -> (usize, u64) {
        let mut bytes = [0; BEGINNING];
        bytes[..beginning.len()].copy_from_slice(beginning);
        let hash = u64::from_le_bytes(bytes).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // It has as many bits as fit into a `usize`.
        let bit = usize::try_from(hash >> (64 - BEGINNING_BITS)).unwrap_or_default();
        (bit / 64, 1 << (bit % 64))
    }

    /// A phrase's first word without its `*`; a short one with all its bytes.
    fn add(&mut self, word: &str) {
        let word = word.as_bytes();
        let (at, bit) = Self::place(&word[..word.len().min(BEGINNING)]);
        self.0[at] |= bit;
    }

    /// Whether a phrase may begin with a word: short stems may, and those with its beginning.
    fn may_begin(&self, word: &str) -> bool {
        let word = word.as_bytes();
        (1..=word.len().min(BEGINNING)).any(|length| {
            let (at, bit) = Self::place(&word[..length]);
            self.0[at] & bit != 0
        })
    }
}

impl<T> fmt::Debug for Lexicon<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} phrases", self.meanings.len())
    }
}

/// A lexicon that is being made.
#[derive(Debug)]
pub(crate) struct Builder<T> {
    phrases: BTreeMap<String, Vec<T>>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self { phrases: BTreeMap::new() }
    }
}

impl<T: PartialEq> Builder<T> {
    /// Adds a phrase. A word that ends in `*` stands for every word that begins so. What has no
    /// word, or too many, is left out.
    pub(crate) fn add(&mut self, phrase: &str, meaning: T) {
        let words: Vec<String> = phrase.split_whitespace().map(folded_pattern).collect();
        if words.iter().any(String::is_empty) || !(1..=PHRASE_WORDS_MAX).contains(&words.len()) {
            return;
        }
        let meanings = self.phrases.entry(words.join(" ")).or_default();
        if !meanings.contains(&meaning) {
            meanings.push(meaning);
        }
    }

    /// The lexicon of all that was added.
    #[must_use]
    pub(crate) fn build(self) -> Lexicon<T> {
        let mut builder = fst::raw::Builder::memory();
        let mut meanings = Vec::with_capacity(self.phrases.len());
        let mut beginnings = Beginnings::new();
        for (phrase, of_phrase) in self.phrases {
            // The map gives each phrase once and in order, which is all that can go wrong here.
            if builder.insert(&phrase, meanings.len() as u64).is_ok() {
                let first = phrase.split(' ').next().unwrap_or_default();
                beginnings.add(first.trim_end_matches('*'));
                meanings.push(of_phrase.into_boxed_slice());
            }
        }
        Lexicon { words: builder.into_fst(), meanings, beginnings }
    }
}

/// A word of a phrase as it is looked for.
fn folded_pattern(word: &str) -> String {
    match word.strip_suffix('*') {
        Some(stem) => match fold(stem) {
            stem if stem.is_empty() => stem,
            stem => stem + "*",
        },
        None => fold(word),
    }
}

impl<T> Lexicon<T> {
    /// Calls `found` for every phrase that begins at a word of a text, with the number of its
    /// words and what it means.
    pub(crate) fn find<'l>(
        &'l self,
        text: &Text<'_>,
        at: usize,
        found: &mut impl FnMut(usize, &'l [T]),
    ) {
        if !self.beginnings.may_begin(text.folded(&text.words[at])) {
            return;
        }
        let root = self.words.root();
        self.read_word(text, at, at, root, Output::zero(), found);
    }

    /// The bytes that it takes.
    #[must_use]
    pub(crate) fn bytes(&self) -> usize {
        let meanings = self.meanings.iter().map(|meanings| size_of_val(&**meanings));
        let beginnings = self.beginnings.0.len() * size_of::<u64>();
        beginnings
            + self.words.size()
            + meanings.sum::<usize>()
            + self.meanings.len() * size_of::<Box<[T]>>()
    }

    fn read_word<'l>(
        &'l self,
        text: &Text<'_>,
        start: usize,
        at: usize,
        mut node: Node<'l>,
        mut output: Output,
        found: &mut impl FnMut(usize, &'l [T]),
    ) {
        for byte in text.folded(&text.words[at]).bytes() {
            if let Some(any) = node.find_input(b'*') {
                let any = node.transition(any);
                let rest = self.words.node(any.addr);
                self.end_word(text, start, at, rest, output.cat(any.out), found);
            }
            let Some(next) = node.find_input(byte) else { return };
            let next = node.transition(next);
            output = output.cat(next.out);
            node = self.words.node(next.addr);
        }
        if let Some(any) = node.find_input(b'*') {
            let any = node.transition(any);
            let rest = self.words.node(any.addr);
            self.end_word(text, start, at, rest, output.cat(any.out), found);
        }
        self.end_word(text, start, at, node, output, found);
    }

    fn end_word<'l>(
        &'l self,
        text: &Text<'_>,
        start: usize,
        at: usize,
        node: Node<'l>,
        output: Output,
        found: &mut impl FnMut(usize, &'l [T]),
    ) {
        if node.is_final() {
            let place = usize::try_from(output.cat(node.final_output()).value());
            if let Some(meanings) = place.ok().and_then(|place| self.meanings.get(place)) {
                found(at + 1 - start, meanings);
            }
        }
        let follows = text.words.get(at + 1).is_some_and(|word| word.before == Gap::Space);
        if follows && let Some(space) = node.find_input(b' ') {
            let space = node.transition(space);
            let next = self.words.node(space.addr);
            self.read_word(text, start, at + 1, next, output.cat(space.out), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_where_they_begin_and_with_any_ending() {
        let mut builder = Builder::default();
        for phrase in ["Біла Церква", "Біла", "адмін* послуг*", "бюджет*", "м'яч", "*", " "]
        {
            builder.add(phrase, phrase);
        }
        let lexicon = builder.build();
        let text = Text::new("БІЛА ЦЕРКВА, адміністративних послуг з бюджету; Біла. Церква м’яч");
        let mut hits = Vec::new();
        for at in 0..text.words.len() {
            lexicon.find(&text, at, &mut |words, meanings| {
                hits.extend(meanings.iter().map(|meaning| (at, words, *meaning)));
            });
        }
        let expected = [
            (0, 1, "Біла"),
            (0, 2, "Біла Церква"),
            (2, 2, "адмін* послуг*"),
            (5, 1, "бюджет*"),
            (6, 1, "Біла"),
            (8, 1, "м'яч"),
        ];
        assert_eq!(hits, expected);
    }
}
