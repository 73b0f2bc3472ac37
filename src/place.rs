//! The catalogue of regions and communities.

use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use crate::model::publication::Community;
use crate::model::publication::Region;
use std::collections::BTreeMap;

/// The regions and communities that labels may name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// By slug.
    pub regions: BTreeMap<RegionId, Region>,
    /// By slug.
    pub communities: BTreeMap<CommunityId, Community>,
}

/// The words by which a Ukrainian text names a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionWords {
    /// The region.
    pub region: RegionId,
    /// The stem of the adjective, in lower case: `харківськ`. Empty for Kyiv, Crimea, Sevastopol,
    /// whose adjective is no evidence.
    pub stem: String,
    /// Nouns that name the region and nothing else, every form of them: «Харківщина»,
    /// «Харківщини» …
    pub nouns: Vec<String>,
}
