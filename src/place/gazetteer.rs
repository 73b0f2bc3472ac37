//! The places that texts may name, by number, and what is known of each: how large the centre of a
//! community is, what council it has, where it lies.
//!
//! Made from the catalogue, so that what feeds.toml adds is found, and what it switches off is
//! not. The names of the places that are built in are in `naming`; those of feeds.toml are here.
//!
//! Never here: which of several places a word means in a text.

use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use crate::model::pattern::Pattern;
use crate::model::pattern::Words;
use crate::model::publication::Name;
use crate::place::Catalogue;
use crate::place::decline::forms;
use crate::place::naming::By;
use crate::place::naming::Row;
use crate::place::tables::COMMUNITIES;
use crate::place::tables::NAMES;
use crate::place::tables::POINTS;
use crate::place::tables::REGIONS;
use crate::place::tables::columns;
use crate::place::tables::list;
use crate::place::tables::rows;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The regions and communities, by number, and the words that name them.
#[derive(Debug)]
pub struct Gazetteer {
    /// The regions, in the order of their ids.
    pub regions: Vec<RegionId>,
    /// The communities, in the order of their ids.
    pub communities: Vec<Located>,
    /// The phrases that feeds.toml adds, words that end in `*` standing for all that begin so, and
    /// what each names.
    pub names: Vec<(String, Naming)>,
    /// The ends of hosts whose pages are of a place.
    pub hosts: Vec<(String, Place)>,
    /// Points on the map of which it is known where they lie.
    pub points: Vec<Point>,
    /// The places of the rows of the built-in tables: regions and communities.
    of_rows: [Vec<Option<Place>>; 2],
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
    communities: BTreeMap<&'c str, u16>,
    located: Vec<Located>,
    names: Vec<(String, Naming)>,
}

/// The gazetteer of a catalogue.
#[must_use]
pub fn gazetteer(catalogue: &Catalogue) -> Gazetteer {
    let mut making = Making::new(catalogue);
    let of_rows =
        [making.rows(REGIONS, Making::region), making.rows(COMMUNITIES, Making::community)];
    making.add_own();
    Gazetteer {
        regions: catalogue.regions.keys().cloned().collect(),
        hosts: rows(NAMES).flat_map(|row| making.hosts(row)).collect(),
        points: making.points(),
        communities: making.located,
        names: making.names,
        of_rows,
    }
}

impl Gazetteer {
    /// The place of a row of the built-in tables, unless feeds.toml switched it off.
    #[must_use]
    pub fn of_row(&self, row: Row) -> Option<Place> {
        let [regions, communities] = &self.of_rows;
        match row {
            Row::Region(at) => regions.get(usize::from(at)).copied().flatten(),
            Row::Community(at) => communities.get(usize::from(at)).copied().flatten(),
        }
    }
}

fn numbered<'c>(ids: impl Iterator<Item = &'c str>) -> BTreeMap<&'c str, u16> {
    ids.enumerate().filter_map(|(at, id)| Some((id, u16::try_from(at).ok()?))).collect()
}

impl<'c> Making<'c> {
    fn new(catalogue: &'c Catalogue) -> Self {
        let regions = numbered(catalogue.regions.keys().map(RegionId::as_str));
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
            names: Vec::new(),
        }
    }

    /// What each row of a table is.
    fn rows(
        &mut self,
        table: &'static str,
        place: fn(&mut Self, &str) -> Option<Place>,
    ) -> Vec<Option<Place>> {
        rows(table).map(|row| place(self, row)).collect()
    }

    fn region(&mut self, row: &str) -> Option<Place> {
        let (id, _) = row.split_once('\t')?;
        self.regions.get(id).map(|at| Place::Region(*at))
    }

    fn community(&mut self, row: &str) -> Option<Place> {
        let [id, _, _, _, kind, _, size, _] = columns(row)?;
        let at = *self.communities.get(id)?;
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
        Some(Place::Community(at))
    }

    fn hosts(&self, row: &str) -> Vec<(String, Place)> {
        let Some(["host", id, hosts]) = columns(row) else { return Vec::new() };
        let Some(&at) = self.regions.get(id) else { return Vec::new() };
        list(hosts).into_iter().map(|host| (host, Place::Region(at))).collect()
    }

    fn points(&self) -> Vec<Point> {
        let isos = self.catalogue.regions.values().filter_map(|region| {
            Some((region.iso.as_deref()?, *self.regions.get(region.id.as_str())?))
        });
        let by_iso: BTreeMap<&str, u16> = isos.collect();
        let point = |row: &str| {
            let [latitude, longitude, iso, community] = columns(row)?;
            Some(Point {
                latitude: latitude.parse().ok()?,
                longitude: longitude.parse().ok()?,
                region: *by_iso.get(iso)?,
                community: self.communities.get(community).copied(),
            })
        };
        rows(POINTS).filter_map(point).collect()
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
                self.add_named(place, &region.name, &region.aliases);
            }
            self.add_words(&region.words, place);
        }
        for community in catalogue.communities.values() {
            let place = Place::Community(self.communities[community.id.as_str()]);
            if !builtin.contains(community.id.as_str()) {
                self.add_named(place, &community.name, &community.aliases);
            }
            self.add_words(&community.words, place);
        }
    }

    fn add_named(&mut self, place: Place, name: &Name, aliases: &[String]) {
        self.add(forms(&name.uk), place, By::Name);
        self.add([name.en.clone()].into_iter().chain(aliases.iter().cloned()), place, By::Name);
    }

    fn add_words(&mut self, words: &Words, place: Place) {
        let phrases = |patterns: &[Pattern]| {
            // A name is words side by side, with quotes or without.
            patterns.iter().map(|pattern| pattern.phrases.join(" ")).collect::<Vec<_>>()
        };
        self.add(phrases(&words.matching), place, By::Name);
        self.add(phrases(&words.unless), place, By::Not);
    }

    fn add(&mut self, forms: impl IntoIterator<Item = String>, place: Place, by: By) {
        let naming = Naming { place, by };
        self.names.extend(forms.into_iter().map(|form| (form, naming)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_a_place() {
        let gazetteer = gazetteer(&Catalogue::builtin());
        let chiefs = gazetteer.communities.iter().filter(|c| c.centre == Centre::Chief).count();
        assert_eq!(chiefs, CHIEFS.len());
        assert_eq!(gazetteer.points.len(), rows(POINTS).count());
        assert!(gazetteer.points.iter().filter(|point| point.community.is_some()).count() > 700);
        assert!(gazetteer.of_rows.iter().flatten().all(Option::is_some));
        let rows_of = [REGIONS, COMMUNITIES].map(|table| rows(table).count());
        assert_eq!(gazetteer.of_rows.each_ref().map(Vec::len), rows_of);
        let hosts = rows(NAMES).filter(|row| row.starts_with("host")).count();
        assert!(gazetteer.hosts.len() >= hosts);
    }

    #[test]
    fn what_is_switched_off_has_no_place() {
        let mut catalogue = Catalogue::builtin();
        catalogue.communities.retain(|id, _| id.as_str() != "merefianska");
        let gazetteer = gazetteer(&catalogue);
        let off = rows(COMMUNITIES).position(|row| row.starts_with("merefianska\t")).unwrap();
        assert_eq!(gazetteer.of_row(Row::Community(off.try_into().unwrap())), None);
        assert_eq!(gazetteer.of_rows[1].iter().filter(|place| place.is_none()).count(), 1);
    }
}
