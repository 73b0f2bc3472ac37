//! False friends: names of places that name something else where they stand, or that are there in
//! passing.

use crate::classify::cues::Cues;
use crate::classify::evidence::Clue;
use crate::classify::scan::Scan;
use crate::classify::words::Case;
use crate::classify::words::Gap;
use crate::model::article::Field;
use crate::place::gazetteer::Place;
use std::ops::Range;

pub(crate) const CLUB: &str = "it is the name of a club";
pub(crate) const PERSON: &str = "it is the name of a person";
pub(crate) const QUOTED: &str = "it stands in quotation marks, as other names do";

/// Cities that share their names with a river, by stems.
const RIVERS: &[&str] = &[
    "десн",
    "дінц",
    "донец",
    "дніпр",
    "днепр",
    "dnipro",
    "dnepr",
    "ірп",
    "ирп",
    "irpin",
    "буч",
    "самар",
    "стри",
    "тетер",
    "псел",
];

impl Scan<'_, '_> {
    /// Why a capitalised name is none of its places.
    pub(crate) fn not_a_place(
        &self,
        here: &Range<usize>,
        places: &[Place],
    ) -> Option<&'static str> {
        let near = self.before(here, 2);
        let name = self.text.folded(&self.text.words[here.start]);
        if self.before(here, 3).any(Cues::NAMED) && !self.before(here, 1).any(Cues::CITY) {
            return Some("something is named after it");
        }
        let foreign = self.text.words[here.start].before == Gap::Space
            && self.before(here, 1).any(Cues::FOREIGN);
        if foreign || self.after(here, 2).any(Cues::ABROAD) {
            return Some("it lies in another country");
        }
        if self.is_latin(here) && self.after(here, 1).any(Cues::CLUB) {
            return Some(CLUB);
        }
        if near.any(Cues::CLUB) && (self.is_quoted(here) || self.before(here, 1).any(Cues::CLUB)) {
            return Some(CLUB);
        }
        if self.is_quoted(here) && near.any(Cues::STREET) {
            return Some("it is the name of a street");
        }
        if self.is_quoted(here)
            && self.field != Field::Category
            && !self.before(here, 1).any(Cues::CITY | Cues::SETTLEMENT)
        {
            return Some(QUOTED);
        }
        if self.is_of_person(here) || self.is_given_name(here) {
            return Some(PERSON);
        }
        if RIVERS.iter().any(|stem| name.starts_with(stem)) && self.is_river(here, name) {
            return Some("it is the name of a river");
        }
        if places.iter().any(|place| self.is_kyiv(*place)) && self.is_government(here, name) {
            return Some("it stands for the government");
        }
        None
    }

    /// «Богдан Хмельницький», «О. Кропивницький».
    pub(crate) fn is_of_person(&self, here: &Range<usize>) -> bool {
        let Some(before) = here.start.checked_sub(1) else { return false };
        let (word, own) = (&self.text.words[before], &self.text.words[here.start]);
        if own.before != Gap::Space || own.case == Case::Small || word.case == Case::Small {
            return false;
        }
        let is_initial = self.text.folded(word).chars().nth(1).is_none();
        let is_name = self.cues[before].any(Cues::GIVEN_NAME)
            && (self.found[before].is_none() || is_name_of_people(self.text.folded(word)));
        let starts = word.before == Gap::Stop && self.text.folded(word).chars().count() == 1;
        is_name || (is_initial && !starts && self.text.shown(before..here.end).contains('.'))
    }

    /// «тренера Харківського з Броварів»: an adjective of no noun.
    pub(crate) fn is_surname(&self, here: &Range<usize>) -> bool {
        let own = &self.text.words[here.start];
        let is_masculine =
            ["ий", "ого", "ому", "им"].iter().any(|end| self.text.folded(own).ends_with(end));
        let stands_alone =
            self.text.words.get(here.end).is_none_or(|word| word.before > Gap::Quote)
                || self.cue(here.end).any(Cues::IN | Cues::FROM | Cues::NEAR | Cues::ACROSS);
        self.field != Field::Category
            && own.case == Case::Capital
            && own.before == Gap::Space
            && is_masculine
            && stands_alone
    }

    /// «Володимир» is a city where something is in it.
    pub(crate) fn is_given_name(&self, here: &Range<usize>) -> bool {
        let next = self.text.words.get(here.end);
        let has_surname =
            next.is_some_and(|word| word.before == Gap::Space && word.case == Case::Capital);
        self.field != Field::Category
            && self.cues[here.start].any(Cues::GIVEN_NAME)
            && is_name_of_people(self.text.folded(&self.text.words[here.start]))
            && (has_surname || !self.before(here, 1).any(Cues::IN | Cues::CITY))
    }

    pub(crate) fn is_river(&self, here: &Range<usize>, name: &str) -> bool {
        let around = self.before(here, 3) | self.after(here, 3);
        let prior = here.start.checked_sub(1).map(|at| self.text.folded(&self.text.words[at]));
        let across = match prior {
            Some("через" | "над" | "понад" | "вздовж" | "уздовж" | "across" | "along") => {
                true
            }
            Some("на") => name.ends_with('і') || name.ends_with('е'),
            _ => false,
        };
        across || (around.any(Cues::RIVER) && !self.before(here, 1).any(Cues::CITY))
    }

    /// «Київ закликав», «офіційний Київ», «між Києвом і Варшавою», «Київ, 5 травня».
    pub(crate) fn is_government(&self, here: &Range<usize>, name: &str) -> bool {
        let is_subject = matches!(name, "київ" | "киев" | "kyiv" | "kiev" | "kiew" | "kijów");
        let next = self.cue(here.end);
        let beyond = self.after(here, 2);
        let dateline = here.start == 0
            && matches!(self.field, Field::Lead | Field::Body)
            && self.text.words.get(here.end).is_some_and(|word| word.before >= Gap::Comma);
        self.before(here, 1).any(Cues::OFFICIAL)
            || (is_subject && (next.any(Cues::SPEAKS) || dateline))
            || (self.before(here, 1).any(Cues::IN) && next.any(Cues::SPEAKS))
            || (next.any(Cues::AND) && beyond.any(Cues::CAPITAL))
            || (self.before(here, 1).any(Cues::AND) && self.before(here, 2).any(Cues::CAPITAL))
    }

    /// What a name is worth where it stands, in hundredths.
    pub(crate) fn weight_of_place(&self, words: &Range<usize>, clue: Clue) -> u16 {
        if self.is_told_again(words) {
            return 25;
        }
        let is_loose = matches!(clue, Clue::City | Clue::Adjective | Clue::People | Clue::Town);
        // «переселенці з Бахмута», but «переселенцям у Полтаві».
        let prior = words.start.checked_sub(1).map(|at| self.text.folded(&self.text.words[at]));
        let is_here = matches!(prior, Some("у" | "в" | "на" | "in"));
        if self.before(words, 4).any(Cues::ORIGIN) && clue != Clue::Council && !is_here {
            return 30;
        }
        // «поховали бійця, який загинув на Донеччині».
        if self.before(words, 8).any(Cues::FALLEN) {
            return 25;
        }
        let dash = |at: usize| self.text.words.get(at).is_some_and(|w| w.before == Gap::Dash);
        let routed =
            self.before(words, 9).any(Cues::ROUTE) && (dash(words.end) || dash(words.start));
        if is_loose && routed {
            return 20;
        }
        if is_loose && self.field != Field::Body && self.before(words, 2).any(Cues::FROM) {
            return 50;
        }
        if is_loose && self.before(words, 2).any(Cues::TWIN) {
            return 50;
        }
        100
    }

    /// Whether the sentence tells again what was known before: «Нагадаємо, …».
    pub(crate) fn is_told_again(&self, words: &Range<usize>) -> bool {
        let start = self.sentences[words.start];
        self.field != Field::Title
            && (start..(start + 3).min(words.start)).any(|at| self.cues[at].any(Cues::AGAIN))
    }
}

/// Places that are called like people, in every form.
fn is_name_of_people(name: &str) -> bool {
    ["володимир", "богдан", "богуслав", "ізяслав", "роман"]
        .iter()
        .any(|stem| name.starts_with(stem))
        && name.chars().count() <= 12
}
