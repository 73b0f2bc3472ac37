//! Every word and phrase that names a place, in every form that texts write, and what it means.
//!
//! Made from the catalogue, so that what feeds.toml adds is found, and what it switches off is
//! not. For the places that are built in, the tables beside this file say more: the centre of a
//! community with its earlier names, the districts, what the chief cities are called in other
//! languages, and who lives there.
//!
//! Never here: which of several places a word means in a text.

use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use crate::model::pattern::Pattern;
use crate::model::pattern::Words;
use crate::model::slug::transliterate;
use crate::place::COMMUNITIES;
use crate::place::Catalogue;
use crate::place::REGIONS;
use crate::place::columns;
use crate::place::decline::adjective;
use crate::place::decline::forms;
use crate::place::decline::land;
use crate::place::list;
use crate::place::rows;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

const DISTRICTS: &str = include_str!("districts.tsv");
const NAMES: &str = include_str!("names.tsv");
const POINTS: &str = include_str!("points.tsv");

/// The regions and communities, by number, and the words that name them.
#[derive(Debug)]
pub struct Gazetteer {
    /// The regions, in the order of their ids.
    pub regions: Vec<RegionId>,
    /// The communities, in the order of their ids.
    pub communities: Vec<Located>,
    /// Phrases, words that end in `*` standing for all that begin so, and what each names.
    pub names: Vec<(String, Naming)>,
    /// The ends of hosts whose pages are of a place.
    pub hosts: Vec<(String, Place)>,
    /// Points on the map of which it is known where they lie.
    pub points: Vec<Point>,
}

/// A community, as far as texts tell it from others.
#[derive(Debug, Clone)]
pub struct Located {
    /// Its id.
    pub id: CommunityId,
    /// The number of the region that it lies in.
    pub region: u16,
    /// How large its centre is.
    pub centre: Centre,
    /// What kind of council it has.
    pub council: Option<Council>,
}

/// How large the centre of a community is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// The chief city of its region.
    Chief,
    /// Another city.
    City,
    /// A town (селище).
    Town,
    /// A village.
    Village,
}

/// What kind of council a community has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Council {
    /// Міська рада.
    City,
    /// Селищна рада.
    Town,
    /// Сільська рада.
    Village,
}

/// A place, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A region.
    Region(u16),
    /// A community.
    Community(u16),
}

/// How a phrase names a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The place.
    pub place: Place,
    /// How.
    pub by: By,
}

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

/// A point on the map, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// North.
    pub latitude: f64,
    /// East.
    pub longitude: f64,
    /// The region that it lies in.
    pub region: u16,
    /// The community whose centre it is.
    pub community: Option<u16>,
}

/// The communities of the regions' chief cities, those of 2014 and those that act for them.
const CHIEFS: [&str; 26] = [
    "vinnytska",
    "lutska",
    "luhanska",
    "dniprovska",
    "donetska-donetska",
    "zhytomyrska",
    "uzhhorodska",
    "zaporizka",
    "ivano-frankivska-ivano-frankivska",
    "kropyvnytska",
    "simferopolska",
    "lvivska",
    "mykolaivska-mykolaivska",
    "odeska",
    "poltavska",
    "rivnenska-rivnenska",
    "sumska",
    "ternopilska",
    "kharkivska",
    "khersonska",
    "khmelnytska",
    "cherkaska-cherkaska",
    "chernihivska-chernihivska",
    "chernivetska-chernivetska",
    "kramatorska",
    "sievierodonetska",
];

/// What is being put together.
struct Making<'c> {
    catalogue: &'c Catalogue,
    regions: BTreeMap<&'c str, u16>,
    by_iso: BTreeMap<&'c str, u16>,
    communities: BTreeMap<&'c str, u16>,
    located: Vec<Located>,
    names: Vec<(String, Naming)>,
    hosts: Vec<(String, Place)>,
}

/// The gazetteer of a catalogue.
#[must_use]
pub fn gazetteer(catalogue: &Catalogue) -> Gazetteer {
    let regions: Vec<RegionId> = catalogue.regions.keys().cloned().collect();
    let mut making = Making::new(catalogue);
    for row in rows(COMMUNITIES) {
        making.add_community(row);
    }
    for row in rows(REGIONS) {
        making.add_region(row);
    }
    for row in rows(DISTRICTS) {
        making.add_district(row);
    }
    for row in rows(NAMES) {
        making.add_names(row);
    }
    making.add_own();
    let points = rows(POINTS).filter_map(|row| making.point(row)).collect();
    let Making { located: communities, names, hosts, .. } = making;
    Gazetteer { regions, communities, names, hosts, points }
}

fn numbered<'c>(ids: impl Iterator<Item = &'c str>) -> BTreeMap<&'c str, u16> {
    ids.enumerate().filter_map(|(at, id)| Some((id, u16::try_from(at).ok()?))).collect()
}

impl<'c> Making<'c> {
    fn new(catalogue: &'c Catalogue) -> Self {
        let regions = numbered(catalogue.regions.keys().map(RegionId::as_str));
        let isos = catalogue.regions.values();
        let by_iso = isos
            .filter_map(|region| Some((region.iso.as_deref()?, *regions.get(region.id.as_str())?)))
            .collect();
        let located = catalogue.communities.values().map(|community| Located {
            id: community.id.clone(),
            region: regions.get(community.region.as_str()).copied().unwrap_or(u16::MAX),
            centre: Centre::City,
            council: None,
        });
        Self {
            located: located.collect(),
            communities: numbered(catalogue.communities.keys().map(CommunityId::as_str)),
            catalogue,
            regions,
            by_iso,
            names: Vec::with_capacity(64 * 1024),
            hosts: Vec::new(),
        }
    }

    fn add(&mut self, forms: impl IntoIterator<Item = String>, place: Place, by: By) {
        let naming = Naming { place, by };
        self.names.extend(forms.into_iter().map(|form| (form, naming)));
    }

    fn add_community(&mut self, row: &str) {
        let Some([id, _, _, name, kind, centre, size, previous]) = columns(row) else { return };
        let Some(&at) = self.communities.get(id) else { return };
        let located = &mut self.located[usize::from(at)];
        located.centre = match size {
            _ if CHIEFS.contains(&id) => Centre::Chief,
            "city" => Centre::City,
            "town" => Centre::Town,
            _ => Centre::Village,
        };
        located.council = match kind {
            "міська" => Some(Council::City),
            "селищна" => Some(Council::Town),
            "сільська" => Some(Council::Village),
            _ => None,
        };
        let place = Place::Community(at);
        self.add(adjective(name), place, By::Community);
        self.add(forms(centre), place, By::Centre);
        for previous in list(previous) {
            self.add(forms(&previous), place, By::FormerCentre);
        }
        if size == "city" {
            let latin = transliterate(centre);
            self.add([latin], place, By::Centre);
        }
    }

    fn add_region(&mut self, row: &str) {
        let Some([id, _, _, name, stem, nouns, aliases]) = columns(row) else { return };
        let Some(&at) = self.regions.get(id) else { return };
        let place = Place::Region(at);
        if !stem.is_empty() {
            self.add(adjective(&format!("{stem}а")), place, By::Region);
        }
        self.add(list(nouns), place, By::Name);
        // «Kharkiv regional», of a council or an administration, and the Russian adjective.
        if let Some(short) = name.strip_suffix(" Oblast") {
            let phrases = ["Oblast", "regional", "region", "province", "district state"]
                .map(|noun| format!("{short} {noun}"));
            self.add(phrases, place, By::Name);
        }
        for alias in list(aliases) {
            if let Some(stem) = alias.strip_suffix("ая область") {
                let endings = ["ая", "ой", "ую", "ий", "ого", "ому", "им", "ом", "ие", "их", "ими"];
                self.add(endings.map(|ending| format!("{stem}{ending}")), place, By::Region);
            } else if alias.is_ascii() && alias.contains(' ') {
                self.add([alias], place, By::Name);
            }
        }
        if id == "kyiv" || id == "sevastopol" {
            let (centre, adjective_of) = if id == "kyiv" {
                ("Київ", "Київська")
            } else {
                ("Севастополь", "Севастопольська")
            };
            self.add(forms(centre), place, By::Centre);
            self.add(adjective(adjective_of), place, By::Community);
        }
    }

    fn add_district(&mut self, row: &str) {
        let Some([_, iso, name, previous]) = columns(row) else { return };
        let Some(&region) = self.by_iso.get(iso) else { return };
        let place = Place::Region(region);
        for name in [name.to_owned()].into_iter().chain(list(previous)) {
            if let Some(stem) = name.strip_suffix("ий") {
                self.add(adjective(&format!("{stem}а")), place, By::District);
            }
            self.add(land(&name), place, By::Land);
        }
    }

    fn add_names(&mut self, row: &str) {
        let Some([kind, id, words]) = columns(row) else { return };
        let region = || self.regions.get(id).map(|at| Place::Region(*at));
        let community = || self.communities.get(id).map(|at| Place::Community(*at));
        let (place, by) = match kind {
            "city" => (community().or_else(region), By::Centre),
            "people" => (community().or_else(region), By::People),
            "adjective" => (region(), By::Region),
            _ => (region(), By::Name),
        };
        match place {
            Some(place) if kind == "host" => {
                self.hosts.extend(list(words).into_iter().map(|host| (host, place)));
            }
            Some(place) => self.add(list(words), place, by),
            None => {}
        }
    }

    /// What the admin added: names as they are written, those in Ukrainian in every case.
    fn add_own(&mut self) {
        let builtin: BTreeSet<&str> = rows(REGIONS)
            .chain(rows(COMMUNITIES))
            .filter_map(|row| row.split('\t').next())
            .collect();
        let catalogue = self.catalogue;
        for region in catalogue.regions.values() {
            let place = Place::Region(self.regions[region.id.as_str()]);
            if !builtin.contains(region.id.as_str()) {
                self.add(forms(&region.name.uk), place, By::Name);
                let others = [region.name.en.clone()].into_iter().chain(region.aliases.clone());
                self.add(others, place, By::Name);
            }
            self.add_words(&region.words, place);
        }
        for community in catalogue.communities.values() {
            let place = Place::Community(self.communities[community.id.as_str()]);
            if !builtin.contains(community.id.as_str()) {
                self.add(forms(&community.name.uk), place, By::Name);
                let others =
                    [community.name.en.clone()].into_iter().chain(community.aliases.clone());
                self.add(others, place, By::Name);
            }
            self.add_words(&community.words, place);
        }
    }

    fn add_words(&mut self, words: &Words, place: Place) {
        let phrases = |patterns: &[Pattern]| {
            patterns.iter().flat_map(|pattern| pattern.phrases.clone()).collect::<Vec<_>>()
        };
        self.add(phrases(&words.matching), place, By::Name);
        self.add(phrases(&words.unless), place, By::Not);
    }

    fn point(&self, row: &str) -> Option<Point> {
        let [latitude, longitude, iso, community] = columns(row)?;
        Some(Point {
            latitude: latitude.parse().ok()?,
            longitude: longitude.parse().ok()?,
            region: *self.by_iso.get(iso)?,
            community: self.communities.get(community).copied(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_used() {
        let gazetteer = gazetteer(&Catalogue::builtin());
        assert_eq!(rows(DISTRICTS).count(), 136);
        let chiefs = gazetteer.communities.iter().filter(|c| c.centre == Centre::Chief).count();
        assert_eq!(chiefs, CHIEFS.len());
        assert_eq!(gazetteer.points.len(), rows(POINTS).count());
        assert!(gazetteer.points.iter().filter(|point| point.community.is_some()).count() > 700);
        let made = Making::new(Box::leak(Box::new(Catalogue::builtin())));
        for row in rows(NAMES) {
            let [kind, id, _] = columns(row).unwrap_or_else(|| panic!("{row}"));
            let known = made.communities.contains_key(id) && matches!(kind, "city" | "people");
            assert!(known || made.regions.contains_key(id), "{row}");
        }
        for row in rows(DISTRICTS) {
            let [_, iso, name, _] = columns(row).unwrap();
            assert!(made.by_iso.contains_key(iso) && name.ends_with("ий"), "{row}");
        }
    }
}
