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
use std::fmt;

/// How many words a phrase may have.
const PHRASE_WORDS_MAX: usize = 8;

/// Phrases and what each of them means.
pub(crate) struct Lexicon<T> {
    words: Fst<Vec<u8>>,
    meanings: Vec<Box<[T]>>,
    beginnings: Beginnings,
}

/// How the phrases begin: most words of a text begin none, and are passed over by it.
struct Beginnings {
    /// A bit for the hash of each first word, and of the beginning of each that ends in `*`.
    bits: Vec<u64>,
    /// The lengths that such beginnings have, as bits: of those in Latin letters or digits, of
    /// others.
    lengths: [u16; 2],
}

/// How many bytes of a word that ends in `*` are its beginning.
const BEGINNING: usize = 8;
/// How many bits there are for beginnings, as a power of two.
const BEGINNING_BITS: u32 = 19;

impl Beginnings {
    fn new() -> Self {
        Self { bits: vec![0; 1 << (BEGINNING_BITS - 6)], lengths: [0; 2] }
    }

    fn place(word: &[u8]) -> (usize, u64) {
        let mut hash = word.len() as u64;
        for chunk in word.chunks(BEGINNING) {
            let mut bytes = [0; BEGINNING];
            bytes[..chunk.len()].copy_from_slice(chunk);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(bytes))
                .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        // It has as many bits as fit into a `usize`.
        let bit = usize::try_from(hash >> (64 - BEGINNING_BITS)).unwrap_or_default();
        (bit / 64, 1 << (bit % 64))
    }

    fn has(&self, word: &[u8]) -> bool {
        let (at, bit) = Self::place(word);
        self.bits[at] & bit != 0
    }

    fn alphabet(word: &[u8]) -> usize {
        usize::from(word.first().is_some_and(|byte| !byte.is_ascii()))
    }

    /// The first word of a phrase.
    fn add(&mut self, word: &str) {
        let mut beginning = word.as_bytes();
        if let Some(stem) = word.strip_suffix('*') {
            beginning = &stem.as_bytes()[..stem.len().min(BEGINNING)];
            self.lengths[Self::alphabet(beginning)] |= 1 << beginning.len();
        }
        let (at, bit) = Self::place(beginning);
        self.bits[at] |= bit;
    }

    /// Whether a phrase may begin with a word.
    fn may_begin(&self, word: &str) -> bool {
        let word = word.as_bytes();
        let mut lengths = self.lengths[Self::alphabet(word)];
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            if word.get(..length).is_some_and(|beginning| self.has(beginning)) {
                return true;
            }
        }
        self.has(word)
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
    phrases: Vec<(String, T)>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self { phrases: Vec::new() }
    }
}

impl<T: PartialEq> Builder<T> {
    /// Adds a phrase. A word that ends in `*` stands for every word that begins so. What has no
    /// word, or too many, is left out.
    pub(crate) fn add(&mut self, phrase: &str, meaning: T) {
        let mut folded = String::with_capacity(phrase.len());
        let mut count = 0;
        for word in phrase.split_whitespace() {
            if count > 0 {
                folded.push(' ');
            }
            let from = folded.len();
            folded.push_str(&fold(word.trim_end_matches('*')));
            if folded.len() == from {
                return;
            }
            if word.ends_with('*') {
                folded.push('*');
            }
            count += 1;
        }
        if (1..=PHRASE_WORDS_MAX).contains(&count) {
            self.phrases.push((folded, meaning));
        }
    }

    /// The lexicon of all that was added.
    #[must_use]
    pub(crate) fn build(mut self) -> Lexicon<T> {
        // Stable, so that the meanings of a phrase stay in their order.
        self.phrases.sort_by(|one, other| one.0.cmp(&other.0));
        let mut builder = fst::raw::Builder::memory();
        let mut meanings = Vec::with_capacity(self.phrases.len());
        let mut beginnings = Beginnings::new();
        let mut phrases = self.phrases.into_iter().peekable();
        while let Some((phrase, meaning)) = phrases.next() {
            let mut of_phrase = vec![meaning];
            while let Some((_, other)) = phrases.next_if(|(next, _)| *next == phrase) {
                if !of_phrase.contains(&other) {
                    of_phrase.push(other);
                }
            }
            // They come once and in order, which is all that can go wrong here.
            if builder.insert(&phrase, meanings.len() as u64).is_ok() {
                beginnings.add(phrase.split(' ').next().unwrap_or_default());
                meanings.push(of_phrase.into_boxed_slice());
            }
        }
        Lexicon { words: builder.into_fst(), meanings, beginnings }
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
        let beginnings = self.beginnings.bits.len() * size_of::<u64>();
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
