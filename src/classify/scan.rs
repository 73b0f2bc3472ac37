//! The places that a text names, each with what it is worth as evidence.
//!
//! One pass finds every name; the words beside it say what it means there. «Харківська» is the
//! oblast before «область», the city before «міська рада», a street after «вулиця»; «Дніпро» is a
//! river beside «берег»; «Київ» before «закликав» is a government. What is set aside is told, so
//! that an admin can see why a label is not there.

use crate::classify::around::COMMON;
use crate::classify::cues::Cues;
use crate::classify::evidence::Cause;
use crate::classify::evidence::Clue;
use crate::classify::evidence::Dismissed;
use crate::classify::evidence::Evidence;
use crate::classify::friends::CLUB;
use crate::classify::friends::PERSON;
use crate::classify::friends::QUOTED;
use crate::classify::names::Names;
use crate::classify::words::Case;
use crate::classify::words::Gap;
use crate::classify::words::Text;
use crate::model::article::Field;
use crate::model::pattern::PHRASE_WORDS_MAX;
use crate::place::gazetteer::Centre;
use crate::place::gazetteer::Council;
use crate::place::gazetteer::Naming;
use crate::place::gazetteer::Place;
use crate::place::naming::By;
use std::ops::Range;

/// How many words may stand between an adjective and its noun: a list of all oblasts.
const LIST_WORDS_MAX: usize = 60;

/// Districts of cities bear these names too, by stems of the adjective.
const CITY_DISTRICTS: &[&str] =
    &["дніпровськ", "подільськ", "шевченківськ", "київськ", "центральн", "слобідськ", "хортицьк"];

/// A text with what is known of its words.
pub(crate) struct Scan<'n, 't> {
    pub(crate) names: &'n Names,
    pub(crate) text: &'t Text<'t>,
    pub(crate) field: Field,
    pub(crate) cues: Vec<Cues>,
    pub(crate) found: Vec<Option<(usize, Vec<Naming>)>>,
    /// Where the sentence of each word begins.
    pub(crate) sentences: Vec<usize>,
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
    let mut cues = Vec::with_capacity(count);
    let mut found = Vec::with_capacity(count);
    let mut sentences: Vec<usize> = Vec::with_capacity(count);
    let mut voided: Vec<(Range<usize>, Place)> = Vec::new();
    for at in 0..count {
        cues.push(names.cues_at(text, at));
        found.push(names.find(text, at, &mut voided));
        let begins = at == 0 || text.words[at].before == Gap::Stop;
        sentences.push(if begins { at } else { sentences[at - 1] });
    }
    let (evidence, dismissed) = (Vec::new(), Vec::new());
    let mut scan = Scan { names, text, field, cues, found, sentences, evidence, dismissed };
    let mut at = 0;
    while at < count {
        let Some((words, namings)) = scan.found[at].clone() else {
            at += 1;
            continue;
        };
        let here = at..at + words;
        // They stand in the order of the text, and a phrase has few words.
        let from = voided.partition_point(|(range, _)| range.start + PHRASE_WORDS_MAX <= at);
        let to = voided.partition_point(|(range, _)| range.start <= at);
        scan.weigh(&here, &namings, &voided[from..to]);
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
                // What is no region is none of its communities.
                let covers = |(range, place): &(Range<usize>, Place)| {
                    let is_it = *place == naming.place
                        || *place == Place::Region(self.region_of(naming.place));
                    is_it && range.start <= here.start && here.end <= range.end
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
            return self.weigh_centre(here, centres, former);
        }
        self.weigh_free(here, regions, &communities);
    }

    fn weigh_name(&mut self, here: &Range<usize>, places: Vec<Place>) {
        // Names of several words are written at will.
        if !self.is_capital(here) && here.len() == 1 && !self.is_pattern(here) {
            return;
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
        let is_numbered =
            self.text.words.get(here.end).is_some_and(|word| {
                self.text.folded(word).starts_with(|c: char| c.is_ascii_digit())
            });
        if self.after(here, 2).any(Cues::UNIT) || is_numbered {
            self.dismiss(here, "it is the name of troops");
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
        // «Слобожанська громада Дніпровського району».
        let is_of_community = self.before(here, 2).any(Cues::HROMADA);
        let is_of_city =
            !is_of_community && CITY_DISTRICTS.iter().any(|stem| name.starts_with(stem));
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
    fn weigh_centre(&mut self, here: &Range<usize>, centres: Vec<Place>, former: Vec<Place>) {
        if !self.is_capital(here) {
            let (regions, communities) = self.adjectives(here);
            return self.weigh_free(here, regions, &communities);
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
        // «У Києві та області».
        if self.cue(here.end).any(Cues::AND) && self.cue(here.end + 1).any(Cues::OBLAST) {
            let both = here.start..here.end + 2;
            self.add(both.clone(), Clue::Explicit, self.around(&places), None);
            return self.add(both, Clue::Council, places, None);
        }
        if before.any(Cues::NEAR) && !is_named_so && self.field != Field::Category {
            return self.add(here.clone(), Clue::District, self.around(&places), None);
        }
        let cities = self.of_size(&places, &[Centre::Chief, Centre::City]);
        let is_unsure = places.len() > 1 && self.is_common(here, 1) && !self.is_chief(&cities);
        let towns = self.of_size(&places, &[Centre::Town]);
        if !cities.is_empty() && !before.any(Cues::SETTLEMENT) {
            let clue = if is_unsure { Clue::Village } else { Clue::City };
            // A town of that name is meant where its region is spoken of.
            let namesakes = if self.is_any_chief(&cities) { Vec::new() } else { towns };
            return self.add(here.clone(), clue, [cities, namesakes].concat(), None);
        }
        // «Селищна рада Кам’янця».
        let of_it = Cues::IN | Cues::COUNCIL | Cues::HROMADA;
        let in_it = before.any(of_it) && self.text.words[here.start].before == Gap::Space;
        // «Білозерка: атака дронів», «Калинопіль отримав автомобіль».
        let is_head = self.field == Field::Title
            && here.start == 0
            && (self.text.words.get(here.end).is_some_and(|word| word.before >= Gap::Dash)
                || (places.len() == 1
                    && !self.is_ordinary(here)
                    && !self.is_common(here, COMMON.len())));
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
        let is_of_region = !regions.is_empty()
            && matches!(self.field, Field::Lead | Field::Body)
            && !chiefs.iter().any(|chief| self.is_kyiv(*chief));
        if !chiefs.is_empty() {
            // In passing, «полтавські рятувальники» are of the oblast.
            places = if is_of_region { Vec::new() } else { chiefs };
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

    fn adjectives(&self, here: &Range<usize>) -> (Vec<Place>, Vec<Place>) {
        let namings =
            self.found[here.start].as_ref().map(|(_, namings)| &**namings).unwrap_or_default();
        let of = |by: By| namings.iter().filter(|n| n.by == by).map(|n| n.place).collect();
        (of(By::Region), of(By::Community))
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

    fn dismiss(&mut self, words: &Range<usize>, why: &'static str) {
        let words = self.text.shown(words.clone()).chars().take(80).collect();
        self.dismissed.push(Dismissed { field: Some(self.field), words, why: Cause::Is(why) });
    }
}
