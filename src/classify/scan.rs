//! The places that a text names, each with what it is worth as evidence.
//!
//! One pass finds every name; the words beside it say what it means there. «Харківська» is the
//! oblast before «область», the city before «міська рада», a street after «вулиця»; «Дніпро» is a
//! river beside «берег»; «Київ» before «закликав» is a government. What is set aside is told, so
//! that an admin can see why a label is not there.

use crate::classify::cues;
use crate::classify::cues::Cues;
use crate::classify::lexicon::Builder;
use crate::classify::lexicon::Lexicon;
use crate::classify::words::Case;
use crate::classify::words::Gap;
use crate::classify::words::Text;
use crate::model::article::Field;
use crate::place::gazetteer::Centre;
use crate::place::gazetteer::Council;
use crate::place::gazetteer::Gazetteer;
use crate::place::gazetteer::Naming;
use crate::place::gazetteer::Place;
use crate::place::naming::By;
use crate::place::naming::RowNaming;
use std::ops::Range;

const CLUB: &str = "it is the name of a club";
const PERSON: &str = "it is the name of a person";
const QUOTED: &str = "it stands in quotation marks, as other names do";

/// How many words may stand between an adjective and its noun: a list of all oblasts.
const LIST_WORDS_MAX: usize = 60;

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
    "острог",
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
    "олександрі",
    "мен",
    "бурин",
    "остер",
    "остр",
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
const COMMON: [(&[&str], &[&str]); 2] = [
    (&["івк", "ївк", "івц", "ївц"], &["а", "и", "і", "у", "ою"]),
    (&["ськ", "цьк", "ов", "ев", "єв", "н"], &["е", "ого", "ому", "им"]),
];

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

/// Districts of cities bear these names too, by stems of the adjective.
const CITY_DISTRICTS: &[&str] =
    &["дніпровськ", "подільськ", "шевченківськ", "київськ", "центральн", "слобідськ", "хортицьк"];

/// What kind of evidence a name is, with its points in the headline, in the first paragraph and
/// in the text below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clue {
    /// «Харківська область», «Харківщина».
    Explicit,
    /// «Мереф’янська громада», «Харківська міська рада».
    Council,
    /// «Ізюмський район», «Ізюмщина».
    District,
    /// The name of a city.
    City,
    /// The name of a town.
    Town,
    /// The name of a village; counts where its region is known otherwise.
    Village,
    /// «харків’яни».
    People,
    /// «харківські лікарі».
    Adjective,
    /// «Харківський університет», «донецький клуб»: it may have moved, or play elsewhere.
    School,
}

impl Clue {
    /// What it is worth.
    pub(crate) fn points(self, field: Field) -> u16 {
        let [title, lead, body, category] = match self {
            Self::Explicit | Self::Council => [30, 22, 10, 40],
            Self::District => [20, 14, 7, 30],
            Self::City => [20, 14, 6, 40],
            Self::Town => [16, 12, 5, 30],
            Self::Village => [12, 8, 4, 20],
            Self::People => [16, 10, 4, 14],
            Self::Adjective => [14, 8, 3, 14],
            Self::School => [5, 4, 2, 5],
        };
        match field {
            Field::Title => title,
            Field::Lead => lead,
            Field::Body => body,
            Field::Category => category,
        }
    }
}

/// A place that a text names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) field: Field,
    pub(crate) clue: Clue,
    /// The places of which it may be one.
    pub(crate) places: Vec<Place>,
    pub(crate) points: u16,
    pub(crate) words: String,
    /// «міська», «селищна» or «сільська», if it is said.
    pub(crate) council: Option<Council>,
}

/// A name that is no evidence, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissed {
    /// Where it stands.
    pub field: Field,
    /// The words, as they stand there.
    pub words: String,
    /// Why it does not count.
    pub why: &'static str,
}

/// The words that places are named with, and those that stand beside them.
#[derive(Debug)]
pub(crate) struct Names {
    gazetteer: Gazetteer,
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

    pub(crate) fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// The bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        self.builtin.bytes() + self.added.bytes() + self.cues.bytes()
    }

    /// What the longest phrase that begins at a word names, with the number of its words; and what
    /// phrases there name no place, by the word of feeds.toml.
    fn find(
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
            meanings.iter().for_each(|naming| add(words, *naming));
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

/// A text with what is known of its words.
struct Scan<'n, 't> {
    names: &'n Names,
    text: &'t Text<'t>,
    field: Field,
    cues: Vec<Cues>,
    found: Vec<Option<(usize, Vec<Naming>)>>,
    evidence: Vec<Evidence>,
    dismissed: Vec<Dismissed>,
}

/// The places that a text names, and the names that do not count.
pub(crate) fn scan(
    names: &Names,
    text: &Text<'_>,
    field: Field,
) -> (Vec<Evidence>, Vec<Dismissed>) {
    let count = text.words.len();
    let mut cues = vec![Cues::NONE; count];
    let mut found = Vec::with_capacity(count);
    let mut voided: Vec<(Range<usize>, Place)> = Vec::new();
    for at in 0..count {
        names.cues.find(text, at, &mut |_, meanings| {
            for meaning in meanings {
                cues[at] |= *meaning;
            }
        });
        found.push(names.find(text, at, &mut voided));
    }
    let mut scan =
        Scan { names, text, field, cues, found, evidence: Vec::new(), dismissed: Vec::new() };
    let mut at = 0;
    while at < count {
        let Some((words, namings)) = scan.found[at].clone() else {
            at += 1;
            continue;
        };
        let here = at..at + words;
        scan.weigh(&here, &namings, &voided);
        at = here.end;
    }
    (scan.evidence, scan.dismissed)
}

impl Scan<'_, '_> {
    fn weigh(&mut self, here: &Range<usize>, namings: &[Naming], voided: &[(Range<usize>, Place)]) {
        let namings: Vec<Naming> = namings
            .iter()
            .copied()
            .filter(|naming| {
                let covers = |(range, place): &(Range<usize>, Place)| {
                    *place == naming.place && range.start <= here.start && here.end <= range.end
                };
                !voided.iter().any(covers)
            })
            .collect();
        if namings.is_empty() {
            return self.dismiss(here, "feeds.toml says so");
        }
        let of = |by: By| -> Vec<Place> {
            namings.iter().filter(|naming| naming.by == by).map(|naming| naming.place).collect()
        };
        let [regions, districts, communities, centres] =
            [By::Region, By::District, By::Community, By::Centre].map(of);
        if !of(By::Name).is_empty() {
            return self.weigh_name(here, of(By::Name));
        }
        if !of(By::Land).is_empty() && self.is_capital(here) {
            return self.add(here.clone(), Clue::District, of(By::Land), None);
        }
        // «Миколаївці» are people of Mykolaiv; «у Миколаївці» is in Mykolaivka.
        let is_in = !centres.is_empty()
            && self.is_capital(here)
            && self.before(here, 1).any(Cues::IN | Cues::CITY | Cues::SETTLEMENT);
        if !of(By::People).is_empty() && !is_in {
            return self.add(here.clone(), Clue::People, of(By::People), None);
        }
        if !regions.is_empty()
            && let Some(end) = self.governed(here, By::Region, Cues::OBLAST | Cues::OBLAST_BODY)
        {
            return self.add(here.start..end, Clue::Explicit, regions, None);
        }
        let is_adjective = !regions.is_empty() || !districts.is_empty() || !communities.is_empty();
        if is_adjective && self.weigh_adjective(here, &regions, &districts, &communities, &centres)
        {
            return;
        }
        let former = of(By::FormerCentre);
        if !centres.is_empty() || !former.is_empty() {
            return self.weigh_centre(here, centres, former, is_adjective);
        }
        self.weigh_free(here, regions, &communities);
    }

    fn weigh_name(&mut self, here: &Range<usize>, places: Vec<Place>) {
        if !self.is_capital(here) && self.text.words[here.start].case == Case::Small {
            // Latin and Cyrillic names of several words, of people too, are written at will.
            let is_people = here.len() > 1 || self.is_pattern(here);
            if !is_people {
                return;
            }
        }
        if self.before(here, 2).any(Cues::CLUB) && self.is_quoted(here) {
            return self.dismiss(here, CLUB);
        }
        self.add(here.clone(), Clue::Explicit, places, None);
    }

    /// A word such as «харьковщин*» is no name that needs a capital.
    fn is_pattern(&self, here: &Range<usize>) -> bool {
        let word = self.text.folded(&self.text.words[here.start]);
        word.contains("щин")
    }

    /// An adjective with what it belongs to. Whether that is settled.
    fn weigh_adjective(
        &mut self,
        here: &Range<usize>,
        regions: &[Place],
        districts: &[Place],
        communities: &[Place],
        centres: &[Place],
    ) -> bool {
        let next = self.cue(here.end);
        if next.any(Cues::DISTRICT) && self.follows(here.end) {
            self.weigh_district(here, districts);
            return true;
        }
        if !communities.is_empty()
            && let Some((end, council)) = self.council(here)
        {
            self.add(here.start..end, Clue::Council, communities.to_vec(), council);
            return true;
        }
        let street = self.before(here, 2).any(Cues::STREET) || next.any(Cues::STREET);
        if street && self.text.words[here.start].case != Case::Small {
            self.dismiss(here, "it is the name of a street");
            return true;
        }
        if self.is_of_person(here) {
            self.dismiss(here, PERSON);
            return true;
        }
        if next.any(Cues::DIRECTION) {
            self.dismiss(here, "it is a direction");
            return true;
        }
        if next.any(Cues::FOOD) {
            self.dismiss(here, "it is the name of a dish or a brand");
            return true;
        }
        let club_follows = next.any(Cues::CLUB)
            && self.text.words.get(here.end).is_some_and(|word| word.before == Gap::Quote);
        if self.is_quoted(here) || club_follows {
            self.dismiss(here, if club_follows { CLUB } else { QUOTED });
            return true;
        }
        let is_centre = !centres.is_empty() && self.is_capital(here);
        if is_centre && self.before(here, 1).any(Cues::IN | Cues::CITY) {
            return false;
        }
        if self.after(here, 2).any(Cues::SCHOOL) || next.any(Cues::CLUB) {
            let places = if communities.is_empty() { regions } else { communities };
            self.add(here.clone(), Clue::School, places.to_vec(), None);
            return true;
        }
        false
    }

    fn weigh_district(&mut self, here: &Range<usize>, districts: &[Place]) {
        let name = self.text.folded(&self.text.words[here.start]);
        let is_of_city = CITY_DISTRICTS.iter().any(|stem| name.starts_with(stem));
        let city_follows = self.found.get(here.end + 1).is_some_and(|found| {
            found
                .as_ref()
                .is_some_and(|(_, namings)| namings.iter().any(|naming| naming.by == By::Centre))
        });
        if districts.is_empty() || (is_of_city && self.field != Field::Category) || city_follows {
            return self.dismiss(here, "it is a district of a city");
        }
        self.add(here.start..here.end + 1, Clue::District, districts.to_vec(), None);
    }

    /// The name of a community's centre.
    fn weigh_centre(
        &mut self,
        here: &Range<usize>,
        centres: Vec<Place>,
        former: Vec<Place>,
        is_adjective: bool,
    ) {
        if !self.is_capital(here) {
            if is_adjective {
                let (regions, communities) = self.adjectives(here);
                self.weigh_free(here, regions, &communities);
            }
            return;
        }
        let mut places = centres;
        places.extend(former);
        if let Some(why) = self.not_a_place(here, &places) {
            return self.dismiss(here, why);
        }
        let before = self.before(here, 1);
        let is_named_so = before.any(Cues::CITY | Cues::SETTLEMENT);
        if !is_named_so && self.is_ordinary_here(here) {
            return;
        }
        if self.before(here, 2).any(Cues::REGION_OF) && self.is_latin(here) {
            let regions =
                places.iter().map(|place| Place::Region(self.region_of(*place))).collect();
            return self.add(here.clone(), Clue::Explicit, regions, None);
        }
        if before.any(Cues::NEAR) && !is_named_so && self.field != Field::Category {
            return self.add(here.clone(), Clue::District, self.around(&places), None);
        }
        let cities = self.of_size(&places, &[Centre::Chief, Centre::City]);
        let is_unsure = places.len() > 1 && self.is_common(here, 1) && !self.is_chief(&cities);
        if !cities.is_empty() && !before.any(Cues::SETTLEMENT) {
            let clue = if is_unsure { Clue::Village } else { Clue::City };
            return self.add(here.clone(), clue, places, None);
        }
        let towns = self.of_size(&places, &[Centre::Town]);
        let in_it = before.any(Cues::IN) && self.text.words[here.start].before == Gap::Space;
        // «Білозерка: атака дронів».
        let is_head = self.field == Field::Title
            && here.start == 0
            && self.text.words.get(here.end).is_some_and(|word| word.before >= Gap::Dash);
        let in_it = in_it || is_head;
        let is_only = places.len() == 1 && (is_head || !self.is_common(here, COMMON.len()));
        if !towns.is_empty() && (is_named_so || in_it || self.field == Field::Category) {
            let clue = if is_named_so || (in_it && is_only) { Clue::Town } else { Clue::Village };
            return self.add(here.clone(), clue, towns, None);
        }
        let villages = self.of_size(&places, &[Centre::Village, Centre::Town, Centre::City]);
        if before.any(Cues::SETTLEMENT) || in_it {
            return self.add(here.clone(), Clue::Village, villages, None);
        }
        if !towns.is_empty() && self.field != Field::Body {
            self.add(here.clone(), Clue::Village, towns, None);
        }
    }

    /// What lies around places: their regions; Kyiv oblast around Kyiv.
    fn around(&self, places: &[Place]) -> Vec<Place> {
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
    fn is_common(&self, here: &Range<usize>, kinds: usize) -> bool {
        let name = self.text.folded(&self.text.words[here.start]);
        COMMON[..kinds].iter().any(|(stems, endings)| {
            let stem = endings.iter().find_map(|ending| name.strip_suffix(ending));
            stem.is_some_and(|stem| stems.iter().any(|common| stem.ends_with(common)))
        })
    }

    /// An adjective of a city or a region that stands for itself: «харківські лікарі».
    fn weigh_free(&mut self, here: &Range<usize>, regions: Vec<Place>, communities: &[Place]) {
        // «Вишнева» and «Нова» are adjectives of every day.
        let name = self.text.folded(&self.text.words[here.start]);
        if !["ськ", "цьк", "зьк", "ск", "цк"].iter().any(|of_place| name.contains(of_place))
        {
            return;
        }
        if self.is_surname(here) {
            return self.dismiss(here, PERSON);
        }
        let mut places = self.of_size(communities, &[Centre::Chief, Centre::City]);
        if let [_] = communities
            && self.is_capital(here)
        {
            places.extend(self.of_size(communities, &[Centre::Town]));
        }
        let chiefs = self.of_size(communities, &[Centre::Chief]);
        if !chiefs.is_empty() {
            places = chiefs;
        }
        let of_regions: Vec<Place> =
            places.iter().map(|place| Place::Region(self.region_of(*place))).collect();
        places.extend(regions.into_iter().filter(|region| !of_regions.contains(region)));
        let is_sure = self.text.words[here.start].case == Case::Small
            || self.text.words[here.start].before == Gap::Stop
            || self.is_chief(&places);
        if !places.is_empty() && is_sure && !self.is_ordinary(here) {
            self.add(here.clone(), Clue::Adjective, places, None);
        }
    }

    fn is_chief(&self, places: &[Place]) -> bool {
        places.iter().all(|place| match place {
            Place::Region(_) => true,
            Place::Community(at) => {
                self.names.gazetteer.communities[usize::from(*at)].centre == Centre::Chief
            }
        })
    }

    fn adjectives(&self, here: &Range<usize>) -> (Vec<Place>, Vec<Place>) {
        let namings =
            self.found[here.start].as_ref().map(|(_, namings)| &**namings).unwrap_or_default();
        let of = |by: By| namings.iter().filter(|n| n.by == by).map(|n| n.place).collect();
        (of(By::Region), of(By::Community))
    }

    /// Why a capitalised name is none of its places.
    fn not_a_place(&self, here: &Range<usize>, places: &[Place]) -> Option<&'static str> {
        let near = self.before(here, 2);
        let name = self.text.folded(&self.text.words[here.start]);
        if self.before(here, 3).any(Cues::NAMED) && !self.before(here, 1).any(Cues::CITY) {
            return Some("something is named after it");
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
    fn is_of_person(&self, here: &Range<usize>) -> bool {
        let Some(before) = here.start.checked_sub(1) else { return false };
        let (word, own) = (&self.text.words[before], &self.text.words[here.start]);
        if own.before != Gap::Space || own.case == Case::Small || word.case == Case::Small {
            return false;
        }
        let is_initial = self.text.folded(word).chars().nth(1).is_none();
        let is_name = self.cues[before].any(Cues::GIVEN_NAME) && self.found[before].is_none();
        let starts = word.before == Gap::Stop && self.text.folded(word).chars().count() == 1;
        is_name || (is_initial && !starts && self.text.shown(before..here.end).contains('.'))
    }

    /// «тренера Харківського з Броварів»: an adjective of no noun.
    fn is_surname(&self, here: &Range<usize>) -> bool {
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
    fn is_given_name(&self, here: &Range<usize>) -> bool {
        let next = self.text.words.get(here.end);
        let has_surname =
            next.is_some_and(|word| word.before == Gap::Space && word.case == Case::Capital);
        self.field != Field::Category
            && self.cues[here.start].any(Cues::GIVEN_NAME)
            && is_name_of_people(self.text.folded(&self.text.words[here.start]))
            && (has_surname || !self.before(here, 1).any(Cues::IN | Cues::CITY))
    }

    fn is_river(&self, here: &Range<usize>, name: &str) -> bool {
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
    fn is_government(&self, here: &Range<usize>, name: &str) -> bool {
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

    fn is_kyiv(&self, place: Place) -> bool {
        match place {
            Place::Region(at) => self.names.gazetteer.regions[usize::from(at)].as_str() == "kyiv",
            Place::Community(_) => false,
        }
    }

    /// The end of the phrase if an adjective belongs to one of some nouns, be it alone, in a list
    /// before the noun («Харківської, Сумської та Полтавської областей»), or after it («області:
    /// Харківська, Сумська»).
    fn governed(&self, here: &Range<usize>, by: By, nouns: Cues) -> Option<usize> {
        let is_of_list = |at: usize| {
            self.cues[at].any(Cues::AND)
                || self.found[at].as_ref().is_some_and(|(_, namings)| {
                    namings.iter().any(|naming| naming.by == by || naming.by == By::Name)
                })
        };
        let end = self.text.words.len().min(here.end + LIST_WORDS_MAX);
        for at in here.end..end {
            if self.text.words[at].before == Gap::Stop {
                break;
            }
            if self.cues[at].any(nouns) && !(at > here.end && self.cues[at].any(Cues::AND)) {
                return Some(if at == here.end { at + 1 } else { here.end });
            }
            if !is_of_list(at) {
                break;
            }
        }
        let start = here.start.saturating_sub(LIST_WORDS_MAX);
        for at in (start..here.start).rev() {
            if self.text.words[at + 1].before == Gap::Stop {
                break;
            }
            let parted = self.text.words[at + 1].before;
            if self.cues[at].any(Cues::OBLAST) && nouns.any(Cues::OBLAST) {
                return (parted >= Gap::Quote || self.is_latin(here)).then_some(here.end);
            }
            if parted >= Gap::Dash {
                // «Три області отримають кошти: Харківська, Сумська …»
                return self.announces(at, nouns).then_some(here.end);
            }
            if !is_of_list(at) {
                break;
            }
        }
        None
    }

    /// Whether a sentence speaks of some nouns before the colon or dash that follows a word.
    fn announces(&self, mut at: usize, nouns: Cues) -> bool {
        let most = at.saturating_sub(12);
        while at > most && self.text.words[at].before < Gap::Colon {
            if self.cues[at].any(nouns) {
                return true;
            }
            at -= 1;
        }
        self.cues[at].any(nouns)
    }

    /// The end of «… міська територіальна громада» after an adjective, and whose council it is.
    fn council(&self, here: &Range<usize>) -> Option<(usize, Option<Council>)> {
        let mut council = None;
        let mut at = here.end;
        while at < self.text.words.len() && at < here.end + LIST_WORDS_MAX {
            let word = &self.text.words[at];
            if word.before == Gap::Stop {
                break;
            }
            let cues = self.cues[at];
            let listed = cues.any(Cues::AND)
                || self.found[at]
                    .as_ref()
                    .is_some_and(|(_, namings)| namings.iter().any(|n| n.by == By::Community));
            // «МВА» is both: of a city, and what governs it.
            let of = [
                (Cues::OF_CITY, Council::City),
                (Cues::OF_TOWN, Council::Town),
                (Cues::OF_VILLAGE, Council::Village),
            ];
            let own = of.iter().find(|(cue, _)| cues.any(*cue)).map(|(_, council)| *council);
            council = own.or(council);
            if cues.any(Cues::HROMADA) || (council.is_some() && cues.any(Cues::COUNCIL)) {
                return Some((if at < here.end + 4 { at + 1 } else { here.end }, council));
            } else if cues.any(Cues::COUNCIL) && at == here.end && !self.is_latin(here) {
                return Some((at + 1, council));
            } else if own.is_none() && !listed && !cues.any(Cues::OF_TERRITORY) {
                break;
            }
            at += 1;
        }
        // «Харківський міський суд» is the city's as well.
        council.filter(|_| self.follows(here.end)).map(|council| (here.end + 1, Some(council)))
    }

    fn add(
        &mut self,
        words: Range<usize>,
        clue: Clue,
        mut places: Vec<Place>,
        council: Option<Council>,
    ) {
        places.sort_unstable();
        places.dedup();
        let mut points = clue.points(self.field);
        if self.field != Field::Category {
            points = points * self.weight_of_place(&words, clue) / 100;
        }
        let shown = self.text.shown(words);
        let words = shown.chars().take(80).collect();
        self.evidence.push(Evidence { field: self.field, clue, places, points, words, council });
    }

    /// What a name is worth where it stands, in hundredths.
    fn weight_of_place(&self, words: &Range<usize>, clue: Clue) -> u16 {
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
    fn is_told_again(&self, words: &Range<usize>) -> bool {
        let start = (0..=words.start).rev().find(|at| self.text.words[*at].before == Gap::Stop);
        let start = start.unwrap_or(0);
        self.field != Field::Title
            && (start..(start + 3).min(words.start)).any(|at| self.cues[at].any(Cues::AGAIN))
    }

    fn dismiss(&mut self, words: &Range<usize>, why: &'static str) {
        let words = self.text.shown(words.clone()).chars().take(80).collect();
        self.dismissed.push(Dismissed { field: self.field, words, why });
    }

    fn cue(&self, at: usize) -> Cues {
        self.cues.get(at).copied().unwrap_or_default()
    }

    /// Whether a word belongs to the one before it.
    fn follows(&self, at: usize) -> bool {
        self.text.words.get(at).is_some_and(|word| word.before <= Gap::Quote)
    }

    /// What the few words before say, within the sentence.
    fn before(&self, here: &Range<usize>, words: usize) -> Cues {
        let mut cues = Cues::NONE;
        let mut at = here.start;
        while at > 0 && here.start - at < words && self.text.words[at].before < Gap::Colon {
            at -= 1;
            cues |= self.cues[at];
        }
        cues
    }

    /// What the few words behind say, within the sentence.
    fn after(&self, here: &Range<usize>, words: usize) -> Cues {
        let mut cues = Cues::NONE;
        for at in here.end..(here.end + words).min(self.text.words.len()) {
            if self.text.words[at].before >= Gap::Colon {
                break;
            }
            cues |= self.cues[at];
        }
        cues
    }

    fn is_capital(&self, here: &Range<usize>) -> bool {
        self.field == Field::Category || self.text.words[here.start].case != Case::Small
    }

    fn is_latin(&self, here: &Range<usize>) -> bool {
        self.text.folded(&self.text.words[here.start]).is_ascii()
            || self.text.folded(&self.text.words[here.start]).chars().all(|c| c < '\u{400}')
    }

    fn is_quoted(&self, here: &Range<usize>) -> bool {
        self.text.is_quoted(here.clone())
    }

    /// Whether a capital says nothing here, and the name is an ordinary word.
    fn is_ordinary_here(&self, here: &Range<usize>) -> bool {
        let is_title = self.text.words.get(here.end).is_some_and(|word| word.before == Gap::Colon);
        let is_unsure = (self.text.words[here.start].before == Gap::Stop && !is_title)
            || self.text.is_in_capitals;
        is_unsure
            && self.field != Field::Category
            && !self.is_located(here)
            && self.is_ordinary(here)
    }

    /// «Олександрівка на Кіровоградщині», «Південне під Харковом».
    fn is_located(&self, here: &Range<usize>) -> bool {
        let follows = self.text.words.get(here.end).is_some_and(|word| word.before == Gap::Space);
        follows
            && self.cue(here.end).any(Cues::IN | Cues::ACROSS | Cues::NEAR)
            && self.found.get(here.end + 1).is_some_and(|found| {
                found.as_ref().is_some_and(|(_, namings)| {
                    namings.iter().any(|n| matches!(n.by, By::Name | By::Land | By::Centre))
                })
            })
    }

    fn is_ordinary(&self, here: &Range<usize>) -> bool {
        if here.len() > 1 {
            return false;
        }
        let name = self.text.folded(&self.text.words[here.start]);
        ORDINARY
            .iter()
            .any(|stem| name.strip_prefix(stem).is_some_and(|ending| ending.chars().count() <= 3))
    }

    fn of_size(&self, places: &[Place], sizes: &[Centre]) -> Vec<Place> {
        let is = |place: &&Place| match place {
            Place::Region(_) => sizes.contains(&Centre::Chief),
            Place::Community(at) => {
                sizes.contains(&self.names.gazetteer.communities[usize::from(*at)].centre)
            }
        };
        places.iter().filter(is).copied().collect()
    }

    fn region_of(&self, place: Place) -> u16 {
        match place {
            Place::Region(at) => at,
            Place::Community(at) => self.names.gazetteer.communities[usize::from(at)].region,
        }
    }
}

/// Cities that are called like people, in every form.
fn is_name_of_people(name: &str) -> bool {
    ["володимир", "богуслав", "ізяслав", "роман"].iter().any(|stem| name.starts_with(stem))
        && name.chars().count() <= 12
}
