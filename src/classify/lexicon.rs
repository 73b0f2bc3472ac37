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
use std::borrow::Cow;
use std::fmt;

/// How many meanings a phrase may have.
const MEANINGS_MAX: usize = 65_535;
/// How many bytes before the bits of beginnings tell their lengths.
const BEGINNINGS_HEAD: usize = 4;

type Words = Fst<Cow<'static, [u8]>>;

/// Phrases and what each of them means.
///
/// The transducer gives for each phrase, in one number, where its meanings begin and how many they
/// are.
pub struct Lexicon<T> {
    /// None would be a transducer that does not read what it wrote.
    words: Option<Words>,
    meanings: Vec<T>,
    beginnings: Beginnings,
}

/// How the phrases begin: most words of a text begin none, and are passed over by it.
struct Beginnings {
    /// A bit for the hash of each first word, and of the beginning of each that ends in `*`.
    bits: Cow<'static, [u8]>,
    /// The lengths that such beginnings have, as bits: of those in Latin letters or digits, of
    /// others.
    lengths: [u16; 2],
}

/// How many bytes of a word that ends in `*` are its beginning.
const BEGINNING: usize = 8;
/// How many bits there are for each phrase.
const BITS_FOR_EACH: usize = 12;
/// How many bits there are at least.
const BITS_MIN: usize = 4096;
/// What stands for any rest of a word; below every byte that words have.
const ANY: u8 = 1;

impl Beginnings {
    /// None so far, with room for so many phrases: a small table stays near the processor.
    fn new(phrases: usize) -> Self {
        let bits = (phrases * BITS_FOR_EACH).next_power_of_two().max(BITS_MIN);
        Self { bits: Cow::Owned(vec![0; bits / 8]), lengths: [0; 2] }
    }

    /// The first bytes of a word, as a number.
    fn head(word: &[u8]) -> u64 {
        match word.first_chunk::<BEGINNING>() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => word.iter().rev().fold(0, |head, byte| head << 8 | u64::from(*byte)),
        }
    }

    /// The hash of so many of the first bytes.
    fn of_head(head: u64, length: usize) -> u64 {
        let kept = if length < BEGINNING { head & ((1 << (8 * length)) - 1) } else { head };
        Self::mixed(length as u64, kept)
    }

    fn mixed(hash: u64, with: u64) -> u64 {
        (hash.rotate_left(5) ^ with).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// The hash of a whole word whose first bytes are known.
    fn of_word(word: &[u8], head: u64) -> u64 {
        let rest = word.get(BEGINNING..).unwrap_or_default();
        let first = Self::mixed(word.len() as u64, head);
        rest.chunks(BEGINNING).fold(first, |hash, chunk| Self::mixed(hash, Self::head(chunk)))
    }

    /// Where the bit of a hash is. The bytes are a power of two.
    fn bit(&self, hash: u64) -> (usize, u8) {
        let bit = usize::try_from(hash >> 32).unwrap_or_default();
        ((bit / 8) & (self.bits.len().max(1) - 1), 1 << (bit % 8))
    }

    fn has(&self, hash: u64) -> bool {
        let (at, bit) = self.bit(hash);
        self.bits.get(at).is_some_and(|bits| bits & bit != 0)
    }

    fn alphabet(word: &[u8]) -> usize {
        usize::from(word.first().is_some_and(|byte| !byte.is_ascii()))
    }

    /// The first word of a phrase.
    fn add(&mut self, word: &str) {
        let hash = match word.strip_suffix(char::from(ANY)) {
            Some(stem) => {
                let stem = stem.as_bytes();
                let length = stem.len().min(BEGINNING);
                self.lengths[Self::alphabet(stem)] |= 1 << length;
                Self::of_head(Self::head(stem), length)
            }
            None => Self::of_word(word.as_bytes(), Self::head(word.as_bytes())),
        };
        let (at, bit) = self.bit(hash);
        self.bits.to_mut()[at] |= bit;
    }

    /// Whether a phrase may begin with a word.
    fn may_begin(&self, word: &str) -> bool {
        let word = word.as_bytes();
        let head = Self::head(word);
        let mut lengths = self.lengths[Self::alphabet(word)];
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            if length <= word.len() && self.has(Self::of_head(head, length)) {
                return true;
            }
        }
        self.has(Self::of_word(word, head))
    }
}

impl<T> fmt::Debug for Lexicon<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} phrases", self.meanings.len())
    }
}

/// A lexicon that is being made.
#[derive(Debug)]
pub struct Builder<T> {
    phrases: Vec<(String, T)>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self { phrases: Vec::new() }
    }
}

impl<T: PartialEq> Builder<T> {
    /// Adds a phrase. A word that ends in `*` stands for every word that begins so. What has no
    /// word is left out.
    pub fn add(&mut self, phrase: &str, meaning: T) {
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
                folded.push(char::from(ANY));
            }
            count += 1;
        }
        if count > 0 {
            self.phrases.push((folded, meaning));
        }
    }

    /// The lexicon of all that was added.
    #[must_use]
    pub fn build(mut self) -> Lexicon<T> {
        // Stable, so that the meanings of a phrase stay in their order.
        self.phrases.sort_by(|one, other| one.0.cmp(&other.0));
        let mut builder = fst::raw::Builder::memory();
        let mut meanings: Vec<T> = Vec::with_capacity(self.phrases.len());
        let mut beginnings = Beginnings::new(self.phrases.len());
        let mut phrases = self.phrases.into_iter().peekable();
        while let Some((phrase, meaning)) = phrases.next() {
            let start = meanings.len();
            meanings.push(meaning);
            while let Some((_, other)) = phrases.next_if(|(next, _)| *next == phrase) {
                let of_phrase = &meanings[start..];
                if !of_phrase.contains(&other) && of_phrase.len() < MEANINGS_MAX {
                    meanings.push(other);
                }
            }
            beginnings.add(phrase.split(' ').next().unwrap_or_default());
            let at = (start * (MEANINGS_MAX + 1) + meanings.len() - start) as u64;
            // They come once and in order, which is all that can go wrong here.
            if builder.insert(&phrase, at).is_err() {
                meanings.truncate(start);
            }
        }
        let words = builder.into_fst().map_data(Cow::Owned).ok();
        Lexicon { words, meanings, beginnings }
    }
}

impl<T> Lexicon<T> {
    /// A lexicon that was built before, of its `parts`.
    #[must_use]
    pub fn compiled(words: &'static [u8], meanings: Vec<T>, beginnings: &'static [u8]) -> Self {
        let (lengths, bits) = beginnings.split_at(BEGINNINGS_HEAD.min(beginnings.len()));
        let length = |at: usize| match lengths.get(at..at + 2) {
            Some([low, high]) => u16::from_le_bytes([*low, *high]),
            _ => 0,
        };
        let beginnings = Beginnings { bits: Cow::Borrowed(bits), lengths: [length(0), length(2)] };
        Self { words: Fst::new(Cow::Borrowed(words)).ok(), meanings, beginnings }
    }

    /// What it is made of, to be compiled into a program.
    pub fn parts(&self) -> (&[u8], &[T], Vec<u8>) {
        let mut beginnings = self.beginnings.lengths.map(u16::to_le_bytes).concat();
        beginnings.extend_from_slice(&self.beginnings.bits);
        let words = self.words.as_ref().map(Words::as_bytes).unwrap_or_default();
        (words, &self.meanings, beginnings)
    }

    /// Calls `found` for every phrase that begins at a word of a text, with the number of its
    /// words and what it means.
    pub fn find<'l>(&'l self, text: &Text<'_>, at: usize, found: &mut impl FnMut(usize, &'l [T])) {
        if !self.beginnings.may_begin(text.folded(&text.words[at])) {
            return;
        }
        if let Some(words) = &self.words {
            let search = Search { words, meanings: &self.meanings, text, start: at };
            search.read_word(at, words.root(), Output::zero(), found);
        }
    }

    /// The bytes that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.words.as_ref().map_or(0, Words::size)
            + size_of_val(&*self.meanings)
            + self.beginnings.bits.len()
    }
}

/// The phrases of a lexicon that begin at one word of a text.
struct Search<'l, 't, T> {
    words: &'l Words,
    meanings: &'l [T],
    text: &'t Text<'t>,
    start: usize,
}

impl<'l, T> Search<'l, '_, T> {
    fn read_word(
        &self,
        at: usize,
        mut node: Node<'l>,
        mut output: Output,
        found: &mut impl FnMut(usize, &'l [T]),
    ) {
        for byte in self.text.folded(&self.text.words[at]).bytes() {
            if node.is_empty() {
                return;
            }
            // What stands for any rest of the word is before every other byte.
            let mut next = node.transition(0);
            if next.inp == ANY {
                self.end_word(at, self.words.node(next.addr), output.cat(next.out), found);
            }
            if next.inp != byte {
                let Some(place) = node.find_input(byte) else { return };
                next = node.transition(place);
            }
            output = output.cat(next.out);
            node = self.words.node(next.addr);
        }
        if !node.is_empty() {
            let first = node.transition(0);
            if first.inp == ANY {
                self.end_word(at, self.words.node(first.addr), output.cat(first.out), found);
            }
        }
        self.end_word(at, node, output, found);
    }

    fn end_word(
        &self,
        at: usize,
        node: Node<'l>,
        output: Output,
        found: &mut impl FnMut(usize, &'l [T]),
    ) {
        if node.is_final() {
            let value = usize::try_from(output.cat(node.final_output()).value());
            let value = value.unwrap_or_default();
            let (first, count) = (value / (MEANINGS_MAX + 1), value % (MEANINGS_MAX + 1));
            if let Some(meanings) = self.meanings.get(first..first + count) {
                found(at + 1 - self.start, meanings);
            }
        }
        let follows = self.text.words.get(at + 1).is_some_and(|word| word.before == Gap::Space);
        if follows && let Some(space) = node.find_input(b' ') {
            let space = node.transition(space);
            self.read_word(at + 1, self.words.node(space.addr), output.cat(space.out), found);
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
