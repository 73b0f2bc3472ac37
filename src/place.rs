//! The catalogue of regions and communities: all of Ukraine's, and what feeds.toml adds.
//!
//! The data lies beside this file as two tables, `regions.tsv` and `communities.tsv`; where it
//! comes from is told in `SOURCES.md`. Ids are written in the tables rather than computed,
//! because they are addresses of feeds and must stay when a name changes.
//!
//! Never here: which of two communities of one name is meant. That is for the classifier.

pub mod decline;
pub mod gazetteer;
pub mod naming;
pub mod russian;
pub mod tables;

use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use crate::model::letters::transliterate;
use crate::model::pattern::Words;
use crate::model::publication::Community;
use crate::model::publication::Name;
use crate::model::publication::Region;
use crate::place::tables::COMMUNITIES;
use crate::place::tables::REGIONS;
use crate::place::tables::columns;
use crate::place::tables::list;
use crate::place::tables::rows;
use std::collections::BTreeMap;

/// The regions and communities that labels may name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// By slug.
    pub regions: BTreeMap<RegionId, Region>,
    /// By slug.
    pub communities: BTreeMap<CommunityId, Community>,
}

impl Catalogue {
    /// The 27 regions of Ukraine and their communities.
    #[must_use]
    pub fn builtin() -> Self {
        let regions: Vec<Region> = rows(REGIONS).filter_map(region).collect();
        let by_iso: BTreeMap<&str, &RegionId> = regions
            .iter()
            .filter_map(|region| Some((region.iso.as_deref()?, &region.id)))
            .collect();
        let communities = rows(COMMUNITIES)
            .filter_map(|row| community(row, &by_iso))
            .map(|community| (community.id.clone(), community))
            .collect();
        Self {
            communities,
            regions: regions.into_iter().map(|region| (region.id.clone(), region)).collect(),
        }
    }
}

fn region(row: &str) -> Option<Region> {
    let [id, iso, uk, en, _, _, aliases] = columns(row)?;
    Some(Region {
        id: RegionId::new(id).ok()?,
        iso: Some(iso.to_owned()),
        name: Name { uk: uk.to_owned(), en: en.to_owned() },
        aliases: list(aliases),
        words: Words::default(),
    })
}

fn community(row: &str, by_iso: &BTreeMap<&str, &RegionId>) -> Option<Community> {
    let [id, code, iso, adjective, kind, _, _, _] = columns(row)?;
    let mut aliases = ["громада", "ТГ", "ОТГ", "об’єднана територіальна громада"]
        .map(|noun| format!("{adjective} {noun}"))
        .to_vec();
    if !kind.is_empty() {
        aliases.extend(
            ["територіальна громада", "громада", "ТГ"]
                .map(|noun| format!("{adjective} {kind} {noun}")),
        );
    }
    Some(Community {
        id: CommunityId::new(id).ok()?,
        code: Some(code.to_owned()),
        region: (*by_iso.get(iso)?).clone(),
        name: Name {
            uk: format!("{adjective} територіальна громада"),
            en: format!("{} hromada", transliterate(adjective)),
        },
        aliases,
        words: Words::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::slug::slug;
    use std::collections::BTreeSet;

    fn community(id: &str) -> Community {
        Catalogue::builtin().communities[&CommunityId::new(id).unwrap()].clone()
    }

    #[test]
    fn every_row_of_the_tables_is_in_the_catalogue_once() {
        let catalogue = Catalogue::builtin();
        assert_eq!(rows(REGIONS).count(), 27);
        assert_eq!(rows(COMMUNITIES).count(), 1_469 + 303);
        assert_eq!(catalogue.regions.len(), 27);
        assert_eq!(catalogue.communities.len(), 1_469 + 303);
        let codes: BTreeSet<_> = catalogue.communities.values().map(|c| &c.code).collect();
        assert_eq!(codes.len(), catalogue.communities.len());
        let isos: BTreeSet<_> = catalogue.regions.values().map(|region| &region.iso).collect();
        assert_eq!(isos.len(), 27);
    }

    #[test]
    fn every_community_lies_in_a_region_and_is_called_by_its_name() {
        let catalogue = Catalogue::builtin();
        let crimea = RegionId::new("krym").unwrap();
        for community in catalogue.communities.values() {
            assert!(catalogue.regions.contains_key(&community.region), "{}", community.id);
            let adjective = community.name.uk.strip_suffix(" територіальна громада").unwrap();
            assert!(community.id.as_str().starts_with(&slug(adjective)), "{}", community.id);
            assert!(community.code.as_ref().unwrap().len() == 19, "{}", community.id);
        }
        let of_crimea = catalogue.communities.values().filter(|c| c.region == crimea).count();
        assert_eq!(of_crimea, 303);
    }

    #[test]
    fn a_name_that_several_communities_share_has_the_region_in_the_id() {
        for (id, region, code) in [
            ("kharkivska", "kharkivska", "UA63120270000028556"),
            ("mykolaivska-lvivska", "lvivska", "UA46100110000018989"),
            ("donetska-kharkivska", "kharkivska", "UA63040070000092606"),
        ] {
            let community = community(id);
            assert_eq!(community.region.as_str(), region, "{id}");
            assert_eq!(community.code.as_deref(), Some(code), "{id}");
        }
        let catalogue = Catalogue::builtin();
        let twins = catalogue
            .communities
            .keys()
            .filter(|id| id.as_str().starts_with("talalaivska-chernihivska-"));
        assert_eq!(twins.count(), 2);
    }

    #[test]
    fn a_community_is_known_by_its_short_and_its_full_names() {
        let kharkiv = community("kharkivska");
        assert_eq!(kharkiv.name.uk, "Харківська територіальна громада");
        assert_eq!(kharkiv.name.en, "Kharkivska hromada");
        for alias in [
            "Харківська громада",
            "Харківська ТГ",
            "Харківська ОТГ",
            "Харківська міська територіальна громада",
        ] {
            assert!(kharkiv.aliases.iter().any(|known| known == alias), "{alias}");
        }
    }
}
