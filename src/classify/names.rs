//! The words that name places, and those that stand beside them, found in a text.

use crate::classify::cues;
use crate::classify::cues::Cues;
use crate::classify::evidence::Scale;
use crate::classify::lexicon::Builder;
use crate::classify::lexicon::Lexicon;
use crate::classify::words::Text;
use crate::place::gazetteer::Gazetteer;
use crate::place::gazetteer::Naming;
use crate::place::gazetteer::Place;
use crate::place::naming::By;
use crate::place::naming::RowNaming;
use std::ops::Range;

/// The words that places are named with, and those that stand beside them.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) gazetteer: Gazetteer,
    /// The names of the places that are built in.
    builtin: Lexicon<RowNaming>,
    /// Those that feeds.toml adds.
    added: Lexicon<Naming>,
    cues: Lexicon<Cues>,
}

impl Names {
    /// The names of a catalogue.
    pub(crate) fn new(gazetteer: Gazetteer) -> Self {
        let mut added = Builder::default();
        for (name, naming) in &gazetteer.names {
            added.add(name, *naming);
        }
        Self { builtin: builtin(), added: added.build(), cues: cues::lexicon(), gazetteer }
    }

    /// The bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        self.builtin.bytes() + self.added.bytes() + self.cues.bytes()
    }

    /// What a headline is of.
    pub(crate) fn scale(&self, headline: &Text<'_>) -> Scale {
        let is_national =
            (0..headline.words.len()).any(|at| self.cues_at(headline, at).any(Cues::NATIONAL));
        if is_national { Scale::Country } else { Scale::Place }
    }

    /// What the word of a text says of its neighbours.
    pub(crate) fn cues_at(&self, text: &Text<'_>, at: usize) -> Cues {
        let mut cues = Cues::NONE;
        self.cues.find(text, at, &mut |_, meanings| {
            for meaning in meanings {
                cues |= *meaning;
            }
        });
        cues
    }

    /// What the longest phrase that begins at a word names, with the number of its words; and what
    /// phrases there name no place, by the word of feeds.toml.
    pub(crate) fn find(
        &self,
        text: &Text<'_>,
        at: usize,
        voided: &mut Vec<(Range<usize>, Place)>,
    ) -> Option<(usize, Vec<Naming>)> {
        let mut longest: Option<(usize, Vec<Naming>)> = None;
        let mut add = |words: usize, naming: Naming| match &mut longest {
            _ if naming.by == By::Not => voided.push((at..at + words, naming.place)),
            Some((longer, _)) if *longer > words => {}
            Some((same, namings)) if *same == words => namings.push(naming),
            _ => longest = Some((words, vec![naming])),
        };
        self.builtin.find(text, at, &mut |words, meanings| {
            for RowNaming { row, by } in meanings {
                if let Some(place) = self.gazetteer.of_row(*row) {
                    add(words, Naming { place, by: *by });
                }
            }
        });
        self.added.find(text, at, &mut |words, meanings| {
            for naming in meanings {
                add(words, *naming);
            }
        });
        longest
    }
}

/// The names that the build script made a transducer of.
fn builtin() -> Lexicon<RowNaming> {
    const MEANINGS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/names.meanings"));
    let meanings = MEANINGS.as_chunks().0.iter().copied().filter_map(RowNaming::from_bytes);
    Lexicon::compiled(
        include_bytes!(concat!(env!("OUT_DIR"), "/names.fst")),
        meanings.collect(),
        include_bytes!(concat!(env!("OUT_DIR"), "/names.beginnings")),
    )
}
