//! Ukraine as a grid of tiles, one for each of its 27 regions: a map on which the smallest can be
//! hit as easily as the largest. The table of regions beside it says the same in words.

use crate::model::id::RegionId;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::html::language::Language;
use crate::publish::html::named;
use crate::publish::html::page;
use crate::publish::html::weight;
use std::collections::BTreeMap;

/// Where each region stands: column and row.
const GRID: [(&str, u16, u16); 27] = [
    ("volynska", 1, 0),
    ("rivnenska", 2, 0),
    ("zhytomyrska", 3, 0),
    ("kyivska", 4, 0),
    ("chernihivska", 5, 0),
    ("sumska", 6, 0),
    ("lvivska", 0, 1),
    ("ternopilska", 1, 1),
    ("khmelnytska", 2, 1),
    ("vinnytska", 3, 1),
    ("kyiv", 4, 1),
    ("poltavska", 5, 1),
    ("kharkivska", 6, 1),
    ("luhanska", 7, 1),
    ("zakarpatska", 0, 2),
    ("ivano-frankivska", 1, 2),
    ("chernivetska", 2, 2),
    ("odeska", 3, 2),
    ("cherkaska", 4, 2),
    ("kirovohradska", 5, 2),
    ("dnipropetrovska", 6, 2),
    ("donetska", 7, 2),
    ("mykolaivska", 4, 3),
    ("khersonska", 5, 3),
    ("zaporizka", 6, 3),
    ("sevastopol", 4, 4),
    ("krym", 5, 4),
];
/// From one tile to the next, in units of the picture.
const WIDTH: u16 = 124;
const HEIGHT: u16 = 86;

/// How many letters have room on a tile.
const FITTING_MAX: usize = 14;

/// A region on the map.
pub(crate) struct Tile {
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) page: String,
    pub(super) name: String,
    /// Whether the name has to be pressed together.
    pub(super) fitted: bool,
    pub(super) count: u64,
    /// How much news it has beside the others; nothing if it has none.
    pub(super) class: String,
}

/// The map: the regions of feeds.toml that are switched on.
pub(super) fn tiles(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
) -> Vec<Tile> {
    let placed = GRID.into_iter().filter_map(|(id, column, row)| {
        let id = RegionId::new(id).ok().filter(|id| masthead.catalogue.regions.contains_key(id));
        Some((Selection::Region(id?), column, row))
    });
    let placed: Vec<(Selection, u16, u16)> = placed.collect();
    let count = |selection: &Selection| shelves.get(selection).map_or(0, |shelf| shelf.count);
    let most = placed.iter().map(|(selection, ..)| count(selection)).max().unwrap_or(0);
    let tile = |(selection, column, row): &(Selection, u16, u16)| {
        let count = count(selection);
        let name = named(masthead, language, selection).text;
        Tile {
            x: column * WIDTH,
            y: row * HEIGHT,
            page: page(masthead.site, language, &selection.path()),
            fitted: short(&name).chars().count() > FITTING_MAX,
            name: short(&name),
            count,
            class: if count > 0 { format!("w{}", weight(count, most)) } else { "w0".to_owned() },
        }
    };
    placed.iter().map(tile).collect()
}

/// What fits on a tile: that it is a region is seen. Kyiv is a region of its own beside its oblast.
fn short(name: &str) -> String {
    if name == "Kyiv Oblast" {
        return name.to_owned();
    }
    let name = name.strip_suffix(" область").or(name.strip_suffix(" Oblast")).unwrap_or(name);
    let name = name.strip_prefix("Автономна Республіка ").unwrap_or(name);
    name.strip_prefix("Autonomous Republic of ").unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Catalogue;
    use std::collections::BTreeSet;

    #[test]
    fn every_region_of_ukraine_has_a_tile_of_its_own() {
        let catalogue = Catalogue::builtin();
        let known: BTreeSet<&str> = catalogue.regions.keys().map(RegionId::as_str).collect();
        let shown: BTreeSet<&str> = GRID.iter().map(|(id, ..)| *id).collect();
        assert_eq!(shown, known);
        let places: BTreeSet<(u16, u16)> = GRID.iter().map(|(_, x, y)| (*x, *y)).collect();
        assert_eq!(places.len(), GRID.len());
    }
}
