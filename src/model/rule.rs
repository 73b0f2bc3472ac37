//! A rule of feeds.toml: what is done with the articles of some feeds that it fits.

use crate::model::id::CommunityId;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::RuleId;
use crate::model::id::TagId;
use crate::model::pattern::Words;
use std::collections::BTreeSet;

/// A rule, one `[[rule]]` of feeds.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The slug.
    pub id: RuleId,
    /// The line at which it stands.
    pub line: usize,
    /// The feeds that it is for; all of them if there is none.
    pub feeds: BTreeSet<FeedId>,
    /// The articles that it fits: every one if there are no words.
    pub words: Words,
    /// What becomes of those articles.
    pub fate: Fate,
    /// The labels that they get.
    pub with: Named,
    /// The labels that they lose, whatever speaks for them.
    pub without: Named,
    /// Categories that do not count.
    pub drop_categories: Vec<String>,
    /// What is replaced in their headlines: a regular expression, and what stands there instead.
    pub headline: Option<(String, String)>,
}

/// Labels that a rule names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// Regions.
    pub regions: BTreeSet<RegionId>,
    /// Communities.
    pub communities: BTreeSet<CommunityId>,
    /// Tags.
    pub tags: BTreeSet<TagId>,
}

/// Whether articles are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// Like all others.
    #[default]
    Keep,
    /// Not at all.
    Exclude,
    /// These, and of those feeds no others.
    Only,
}
