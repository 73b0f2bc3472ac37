//! Which places a few words name, in any case, in Ukrainian, Russian, English and Polish, by former
//! names too: what the classifier reads texts by, for whoever looks for a place.
//!
//! Never here: which of several places of one name is meant. All are given.

use crate::classify::names::Names;
use crate::classify::words::Text;
use crate::model::publication::Selection;
use crate::place::Catalogue;
use crate::place::gazetteer::Place;
use crate::place::gazetteer::gazetteer;
use std::collections::BTreeSet;

/// The names of all places.
#[derive(Debug)]
pub struct Atlas {
    names: Names,
}

/// Words that name a place, and words that do not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What each phrase names: regions and communities.
    pub places: Vec<BTreeSet<Selection>>,
    /// The other words, as they were written.
    pub rest: Vec<String>,
}

impl Atlas {
    /// The names of the places of a catalogue.
    #[must_use]
    pub fn new(catalogue: &Catalogue) -> Self {
        Self { names: Names::new(gazetteer(catalogue)) }
    }

    /// What words name.
    #[must_use]
    pub fn read(&self, words: &str) -> Reading {
        let text = Text::new(words);
        let mut reading = Reading::default();
        let mut at = 0;
        while at < text.words.len() {
            // What feeds.toml says of texts does not keep anybody from looking for a place.
            match self.names.find(&text, at, &mut Vec::new()) {
                Some((length, namings)) if length > 0 => {
                    let places = namings.iter().filter_map(|naming| self.selection(naming.place));
                    reading.places.push(places.collect());
                    at += length;
                }
                _ => {
                    reading.rest.push(text.shown(at..at + 1).to_owned());
                    at += 1;
                }
            }
        }
        reading
    }

    fn selection(&self, place: Place) -> Option<Selection> {
        let gazetteer = &self.names.gazetteer;
        match place {
            Place::Region(at) => {
                gazetteer.regions.get(usize::from(at)).cloned().map(Selection::Region)
            }
            Place::Community(at) => {
                let community = gazetteer.communities.get(usize::from(at));
                community.map(|community| Selection::Community(community.id.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_in_any_language_and_case() {
        let atlas = Atlas::new(&Catalogue::builtin());
        for (words, place) in [
            ("Одессе", "communities/odeska"),
            ("Киев", "regions/kyiv"),
            ("Lwów", "communities/lvivska"),
            ("Буковина", "regions/chernivetska"),
            ("в Изюме", "communities/iziumska"),
            ("Zhytomyr", "communities/zhytomyrska"),
        ] {
            let reading = atlas.read(words);
            let places: Vec<String> =
                reading.places.iter().flatten().map(Selection::path).collect();
            assert!(places.contains(&place.to_owned()), "{words}: {reading:?}");
        }
        let reading = atlas.read("новини Полтавської області про освіту");
        assert_eq!(reading.rest, ["новини", "області", "про", "освіту"]);
        assert_eq!(atlas.read(""), Reading::default());
    }
}
