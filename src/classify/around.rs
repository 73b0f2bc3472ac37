//! What stands around a name in its text, and what kind of name it is.

use crate::classify::cues::Cues;
use crate::classify::scan::Scan;
use crate::classify::words::Case;
use crate::classify::words::Gap;
use crate::model::article::Field;
use crate::place::gazetteer::Centre;
use crate::place::gazetteer::Place;
use crate::place::naming::By;
use std::ops::Range;

/// Names that are ordinary words as well: at the beginning of a sentence their capital says
/// nothing. Stems; whatever ends otherwise is of the same word.
const ORDINARY: &[&str] = &[
    "сум",
    "рівн",
    "бар",
    "нов",
    "весел",
    "мирн",
    "широк",
    "зелен",
    "долин",
    "полян",
    "гор",
    "вільн",
    "тих",
    "чист",
    "кругл",
    "довг",
    "глибок",
    "висок",
    "червон",
    "біл",
    "чорн",
    "золот",
    "світл",
    "середн",
    "нижн",
    "верхн",
    "ліс",
    "степ",
    "острів",
    "буд",
    "майдан",
    "млин",
    "мост",
    "брод",
    "щаст",
    "надії",
    "дружб",
    "перемог",
    "покров",
    "марган",
    "бурштин",
    "виноград",
    "збор",
    "зборів",
    "лиман",
    "городищ",
    "сарн",
    "полонн",
    "тлумач",
    "україн",
    "українськ",
    "ізюм",
    "турк",
    "південн",
    "шахтар",
    "шахтарськ",
    "заводськ",
    "роздільн",
    "долинськ",
    "помічн",
    "заставн",
    "калинівк",
    "сміл",
    "кам'ян",
    "берег",
    "монастир",
    "погребищ",
    "мар'ян",
    "шевченков",
    "мен",
    "бурин",
    "остер",
    "остра",
    "остре",
    "остри",
    "остру",
    "корець",
    "самар",
    "слобожанськ",
    "слав",
    "олешк",
    "кільц",
    "рен",
    "bar",
    "mena",
    "reni",
    "nova",
    "pokrov",
    "shakhtarske",
    "horodok",
    "buda",
    "lyman",
];

/// How villages are commonly called, as stems and their endings.
pub(crate) const COMMON: [(&[&str], &[&str]); 2] = [
    (&["івк", "ївк", "івц", "ївц"], &["а", "и", "і", "у", "ою"]),
    (&["ськ", "цьк", "ов", "ев", "єв", "н"], &["е", "ого", "ому", "им"]),
];

impl Scan<'_, '_> {
    /// What lies around places: their regions; Kyiv oblast around Kyiv.
    pub(crate) fn around(&self, places: &[Place]) -> Vec<Place> {
        let gazetteer = &self.names.gazetteer;
        let number = |id: &str| {
            let found = gazetteer.regions.binary_search_by(|region| region.as_str().cmp(id));
            found.ok().and_then(|at| u16::try_from(at).ok())
        };
        let region = |place: &Place| {
            let region = self.region_of(*place);
            let own = self.is_kyiv(Place::Region(region)).then(|| number("kyivska")).flatten();
            Place::Region(own.unwrap_or(region))
        };
        places.iter().map(region).collect()
    }

    /// Whether many villages bear such a name, of the first of the common kinds: «Іванівка»,
    /// «Первомайське».
    pub(crate) fn is_common(&self, here: &Range<usize>, kinds: usize) -> bool {
        let name = self.text.folded(&self.text.words[here.start]);
        COMMON[..kinds].iter().any(|(stems, endings)| {
            let stem = endings.iter().find_map(|ending| name.strip_suffix(ending));
            stem.is_some_and(|stem| stems.iter().any(|common| stem.ends_with(common)))
        })
    }

    pub(crate) fn is_chief(&self, places: &[Place]) -> bool {
        places.iter().all(|place| match place {
            Place::Region(_) => true,
            Place::Community(at) => {
                self.names.gazetteer.communities[usize::from(*at)].centre == Centre::Chief
            }
        })
    }

    pub(crate) fn is_any_chief(&self, places: &[Place]) -> bool {
        !self.of_size(places, &[Centre::Chief]).is_empty()
    }

    pub(crate) fn is_kyiv(&self, place: Place) -> bool {
        match place {
            Place::Region(at) => self.names.gazetteer.regions[usize::from(at)].as_str() == "kyiv",
            Place::Community(_) => false,
        }
    }

    pub(crate) fn cue(&self, at: usize) -> Cues {
        self.cues.get(at).copied().unwrap_or_default()
    }

    /// Whether a word belongs to the one before it.
    pub(crate) fn follows(&self, at: usize) -> bool {
        self.text.words.get(at).is_some_and(|word| word.before <= Gap::Quote)
    }

    /// What the few words before say, within the sentence.
    pub(crate) fn before(&self, here: &Range<usize>, words: usize) -> Cues {
        let mut cues = Cues::NONE;
        let mut at = here.start;
        while at > 0 && here.start - at < words && self.text.words[at].before < Gap::Colon {
            at -= 1;
            cues |= self.cues[at];
        }
        cues
    }

    /// What the few words behind say, within the sentence.
    pub(crate) fn after(&self, here: &Range<usize>, words: usize) -> Cues {
        let mut cues = Cues::NONE;
        for at in here.end..(here.end + words).min(self.text.words.len()) {
            if self.text.words[at].before >= Gap::Colon {
                break;
            }
            cues |= self.cues[at];
        }
        cues
    }

    pub(crate) fn is_capital(&self, here: &Range<usize>) -> bool {
        self.field == Field::Category || self.text.words[here.start].case != Case::Small
    }

    pub(crate) fn is_latin(&self, here: &Range<usize>) -> bool {
        self.text.folded(&self.text.words[here.start]).is_ascii()
            || self.text.folded(&self.text.words[here.start]).chars().all(|c| c < '\u{400}')
    }

    pub(crate) fn is_quoted(&self, here: &Range<usize>) -> bool {
        self.text.is_quoted(here.clone())
    }

    /// Whether a capital says nothing here, and the name is an ordinary word.
    pub(crate) fn is_ordinary_here(&self, here: &Range<usize>) -> bool {
        let is_title = self.text.words.get(here.end).is_some_and(|word| word.before == Gap::Colon);
        let is_unsure = (self.text.words[here.start].before == Gap::Stop && !is_title)
            || self.text.is_in_capitals;
        is_unsure
            && self.field != Field::Category
            && !self.is_located(here)
            && self.is_ordinary(here)
    }

    /// «Олександрівка на Кіровоградщині», «Південне під Харковом».
    pub(crate) fn is_located(&self, here: &Range<usize>) -> bool {
        let follows = self.text.words.get(here.end).is_some_and(|word| word.before == Gap::Space);
        follows
            && self.cue(here.end).any(Cues::IN | Cues::ACROSS | Cues::NEAR)
            && self.found.get(here.end + 1).is_some_and(|found| {
                found.as_ref().is_some_and(|(_, namings)| {
                    namings.iter().any(|n| matches!(n.by, By::Name | By::Land | By::Centre))
                })
            })
    }

    pub(crate) fn is_ordinary(&self, here: &Range<usize>) -> bool {
        if here.len() > 1 {
            return false;
        }
        let name = self.text.folded(&self.text.words[here.start]);
        ORDINARY
            .iter()
            .any(|stem| name.strip_prefix(stem).is_some_and(|ending| ending.chars().count() <= 3))
    }

    pub(crate) fn of_size(&self, places: &[Place], sizes: &[Centre]) -> Vec<Place> {
        let is = |place: &&Place| match place {
            Place::Region(_) => sizes.contains(&Centre::Chief),
            Place::Community(at) => {
                sizes.contains(&self.names.gazetteer.communities[usize::from(*at)].centre)
            }
        };
        places.iter().filter(is).copied().collect()
    }

    pub(crate) fn region_of(&self, place: Place) -> u16 {
        match place {
            Place::Region(at) => at,
            Place::Community(at) => self.names.gazetteer.communities[usize::from(at)].region,
        }
    }
}
