//! Every word and phrase that names a place that is built in, in every form that texts write.
//!
//! There are tens of thousands, so they are made when the program is compiled: the build script
//! puts them into one transducer, and a place is named there by its row in the tables.
//!
//! Never here: what feeds.toml adds, and which of several places a word means in a text.

use crate::model::letters::in_german;
use crate::model::letters::transliterate;
use crate::place::decline::adjective;
use crate::place::decline::forms;
use crate::place::decline::land;
use crate::place::decline::people;
use crate::place::russian;
use crate::place::tables::COMMUNITIES;
use crate::place::tables::DISTRICTS;
use crate::place::tables::NAMES;
use crate::place::tables::REGIONS;
use crate::place::tables::columns;
use crate::place::tables::list;
use crate::place::tables::rows;
use std::collections::HashMap;

/// How a phrase names a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// It names the place and nothing else: «Харківщина», "Kharkiv Oblast".
    Name,
    /// An adjective that needs its «область»: «Харківська».
    Region,
    /// An adjective that needs its «район»: «Ізюмський». The place is the region.
    District,
    /// The land around a town: «Ізюмщина». The place is the region.
    Land,
    /// An adjective that needs its «громада» or «рада», and says a little alone: «Мереф’янська».
    Community,
    /// The name of the centre: «Мерефа».
    Centre,
    /// A former name of the centre: «Червоноград».
    FormerCentre,
    /// Those who live there: «харків’яни».
    People,
    /// What the admin wrote under `unless`: the words that name no such place.
    Not,
}

impl By {
    const ALL: [Self; 9] = [
        Self::Name,
        Self::Region,
        Self::District,
        Self::Land,
        Self::Community,
        Self::Centre,
        Self::FormerCentre,
        Self::People,
        Self::Not,
    ];
}

/// A row of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Of the regions, counted from 0.
    Region(u16),
    /// Of the communities.
    Community(u16),
}

/// What a phrase names, as it is kept in the compiled program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowNaming {
    /// The place.
    pub row: Row,
    /// How it is named.
    pub by: By,
}

impl RowNaming {
    /// How many bytes it takes.
    pub const BYTES: usize = 4;

    /// The bytes that stand for it.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let (kind, at) = match self.row {
            Row::Region(at) => (0, at),
            Row::Community(at) => (1, at),
        };
        let [low, high] = at.to_le_bytes();
        [kind, self.by as u8, low, high]
    }

    /// What bytes stand for.
    #[must_use]
    pub fn from_bytes([kind, by, low, high]: [u8; Self::BYTES]) -> Option<Self> {
        let at = u16::from_le_bytes([low, high]);
        let row = match kind {
            0 => Row::Region(at),
            1 => Row::Community(at),
            _ => return None,
        };
        Some(Self { row, by: *By::ALL.get(usize::from(by))? })
    }
}

/// What is being put together.
#[derive(Default)]
struct Making {
    regions: HashMap<&'static str, Row>,
    by_iso: HashMap<&'static str, Row>,
    communities: HashMap<&'static str, Row>,
    names: Vec<(String, RowNaming)>,
}

/// Phrases and what each names. A word that ends in `*` stands for all that begin so.
#[must_use]
pub fn names() -> Vec<(String, RowNaming)> {
    let mut making = Making::default();
    for (at, row) in (0..).zip(rows(COMMUNITIES)) {
        making.add_community(Row::Community(at), row);
    }
    for (at, row) in (0..).zip(rows(REGIONS)) {
        making.add_region(Row::Region(at), row);
    }
    for row in rows(DISTRICTS) {
        making.add_district(row);
    }
    for row in rows(NAMES) {
        making.add_names(row);
    }
    making.names
}

impl Making {
    fn add(&mut self, forms: impl IntoIterator<Item = String>, row: Row, by: By) {
        let naming = RowNaming { row, by };
        self.names.extend(forms.into_iter().map(|form| (form, naming)));
    }

    fn add_community(&mut self, at: Row, row: &'static str) {
        let Some([id, _, _, name, kind, centre, size, previous]) = columns(row) else { return };
        self.communities.insert(id, at);
        self.add(adjective(name), at, By::Community);
        self.add(forms(centre), at, By::Centre);
        for previous in list(previous) {
            self.add(forms(&previous), at, By::FormerCentre);
            if size == "city" {
                self.add(russian::forms(&previous), at, By::FormerCentre);
            }
        }
        if size == "city" {
            self.add([transliterate(centre), in_german(centre)], at, By::Centre);
            self.add(russian::forms(centre), at, By::Centre);
            // «українці» live elsewhere too.
            if id != "ukrainska-kyivska" {
                self.add(people(name), at, By::People);
            }
        }
        if kind == "міська" {
            self.add(russian::adjective(name), at, By::Community);
        }
    }

    fn add_region(&mut self, at: Row, row: &'static str) {
        let Some([id, iso, name, english, stem, nouns, aliases]) = columns(row) else { return };
        self.regions.insert(id, at);
        self.by_iso.insert(iso, at);
        if !stem.is_empty() {
            self.add(adjective(&format!("{stem}а")), at, By::Region);
        }
        self.add(list(nouns), at, By::Name);
        // «Kharkiv regional», of a council or an administration, and the Russian adjective.
        if let Some(short) = english.strip_suffix(" Oblast") {
            let phrases = ["Oblast", "regional", "region", "province", "district state"]
                .map(|noun| format!("{short} {noun}"));
            self.add(phrases, at, By::Name);
        }
        for alias in list(aliases) {
            if let Some(stem) = alias.strip_suffix("ая область") {
                let forms = russian::ADJECTIVE.map(|ending| format!("{stem}{ending}"));
                self.add(forms, at, By::Region);
            } else if alias.is_ascii() && alias.contains(' ') {
                self.add([alias], at, By::Name);
            }
        }
        // The cities that are regions themselves.
        if matches!(id, "kyiv" | "sevastopol") {
            self.add(forms(name), at, By::Centre);
            let adjective_of =
                if id == "kyiv" { "Київська" } else { "Севастопольська" };
            self.add(adjective(adjective_of), at, By::Community);
        }
    }

    fn add_district(&mut self, row: &'static str) {
        let Some([_, iso, name, previous]) = columns(row) else { return };
        let Some(&region) = self.by_iso.get(iso) else { return };
        for name in [name.to_owned()].into_iter().chain(list(previous)) {
            if let Some(stem) = name.strip_suffix("ий") {
                self.add(adjective(&format!("{stem}а")), region, By::District);
            }
            self.add(land(&name), region, By::Land);
        }
    }

    fn add_names(&mut self, row: &'static str) {
        let Some([kind, id, words]) = columns(row) else { return };
        let region = self.regions.get(id).copied();
        if let ("council", Some(&community)) = (kind, self.communities.get(id)) {
            return self.add(adjective(words), community, By::Community);
        }
        let (place, by) = match kind {
            "city" => (self.communities.get(id).copied().or(region), By::Centre),
            "people" => (self.communities.get(id).copied().or(region), By::People),
            "adjective" => (region, By::Region),
            "region" => (region, By::Name),
            _ => return,
        };
        if let Some(place) = place {
            self.add(list(words), place, by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_naming_survives_its_bytes() {
        for by in By::ALL {
            for row in [Row::Region(26), Row::Community(1468)] {
                let naming = RowNaming { row, by };
                assert_eq!(RowNaming::from_bytes(naming.to_bytes()), Some(naming));
            }
        }
        assert_eq!(RowNaming::from_bytes([0, 99, 0, 0]), None);
        assert_eq!(RowNaming::from_bytes([2, 0, 0, 0]), None);
    }

    #[test]
    fn every_row_of_the_tables_names_something() {
        let mut making = Making::default();
        for (at, row) in (0..).zip(rows(COMMUNITIES)) {
            making.add_community(Row::Community(at), row);
        }
        for (at, row) in (0..).zip(rows(REGIONS)) {
            making.add_region(Row::Region(at), row);
        }
        assert_eq!(rows(DISTRICTS).count(), 136);
        for row in rows(DISTRICTS).chain(rows(NAMES)) {
            let before = making.names.len();
            making.add_district(row);
            making.add_names(row);
            assert!(making.names.len() > before || row.starts_with("host"), "{row}");
        }
    }
}
