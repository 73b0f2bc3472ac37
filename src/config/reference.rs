//! Where feeds.toml names something that must be known: a region, a community, a tag, a feed.

use crate::config::nearest::listed;
use crate::config::nearest::nearest;
use crate::config::problem::Found;
use crate::config::problem::Span;
use crate::model::publication::Community;
use crate::model::publication::Name;
use crate::model::publication::Region;
use crate::model::publication::Tag;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::str::FromStr;
use toml::Spanned;

/// Of so few, all are listed when none is near.
const LISTED_MAX: usize = 20;

/// The things of one kind that may be named.
#[derive(Debug)]
pub(crate) struct Known {
    kind: &'static str,
    /// The table that adds one.
    table: &'static str,
    /// By id, the names that people may write in its place.
    names: BTreeMap<String, Vec<String>>,
    /// The ids of those that feeds.toml switches off.
    off: BTreeSet<String>,
}

impl Known {
    /// The regions of the catalogue.
    pub(crate) fn regions<'a>(regions: impl IntoIterator<Item = &'a Region>) -> Self {
        let names = regions.into_iter().map(|region| {
            let mut names = all_names(&region.name, &region.aliases);
            names.extend(region.iso.clone());
            (region.id.to_string(), names)
        });
        Self::of("region", "[[region]]", names.collect())
    }

    /// The communities of the catalogue.
    pub(crate) fn communities<'a>(communities: impl IntoIterator<Item = &'a Community>) -> Self {
        let names = communities.into_iter().map(|community| {
            let mut names = all_names(&community.name, &community.aliases);
            names.extend(community.code.clone());
            (community.id.to_string(), names)
        });
        Self::of("community", "[[community]]", names.collect())
    }

    /// The tags of feeds.toml.
    pub(crate) fn tags<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> Self {
        let names =
            tags.into_iter().map(|tag| (tag.id.to_string(), all_names(&tag.name, &tag.aliases)));
        Self::of("tag", "[[tag]]", names.collect())
    }

    /// The feeds of feeds.toml, by id with their titles; those with another mistake too.
    pub(crate) fn feeds(titles: BTreeMap<String, Vec<String>>) -> Self {
        Self::of("feed", "[[feed]]", titles)
    }

    fn of(kind: &'static str, table: &'static str, names: BTreeMap<String, Vec<String>>) -> Self {
        Self { kind, table, names, off: BTreeSet::new() }
    }

    /// The same, and that there would be some more if feeds.toml did not switch them off.
    pub(crate) fn without(self, off: BTreeSet<String>) -> Self {
        Self { off, ..self }
    }

    /// The id that is meant, or nothing and a problem.
    pub(crate) fn find<Id: FromStr>(
        &self,
        given: &Spanned<String>,
        found: &mut Found,
    ) -> Option<Id> {
        if self.names.contains_key(given.get_ref()) {
            return given.get_ref().parse().ok();
        }
        if self.off.contains(given.get_ref()) {
            let label = "leave it out, or take `enabled = false` from its table";
            let what = format!("the {} `{}` is switched off", self.kind, given.get_ref());
            found.add(what, given.span(), label);
            return None;
        }
        let label = if found.is_full() { String::new() } else { self.suggest(given.get_ref()) };
        found.add(format!("unknown {} `{}`", self.kind, given.get_ref()), given.span(), label);
        None
    }

    /// The ids that are meant, each once.
    pub(crate) fn find_all<Id: FromStr + Ord>(
        &self,
        given: &[Spanned<String>],
        found: &mut Found,
    ) -> BTreeSet<Id> {
        given.iter().filter_map(|given| self.find(given, found)).collect()
    }

    /// What is probably meant by an id that is not known; nothing if nothing is near.
    pub(crate) fn near(&self, given: &str) -> Option<&str> {
        nearest(given, self.names.keys().map(String::as_str))
    }

    fn suggest(&self, given: &str) -> String {
        let given_lower = given.to_lowercase();
        // Whole, or its first part: `mykolaivska` of `mykolaivska-lvivska`, «Миколаївська» of
        // «Миколаївська громада».
        let is_meant = |name: &str| {
            let rest = name.to_lowercase();
            let rest = rest.strip_prefix(&given_lower).map(str::to_owned);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ' ']))
        };
        let named = self
            .names
            .iter()
            .filter(|(id, names)| is_meant(id) || names.iter().any(|name| is_meant(name)));
        let named: Vec<&str> = named.map(|(id, _)| id.as_str()).take(LISTED_MAX).collect();
        let ids = || self.names.keys().map(String::as_str);
        match (named.as_slice(), nearest(given, ids())) {
            (&[one], _) | (&[], Some(one)) => format!("write `{one}`"),
            (&[_, ..], _) => format!("write one of {}", listed(named)),
            (&[], None) if self.names.is_empty() => format!("add a `{}`", self.table),
            (&[], None) if self.names.len() <= LISTED_MAX => {
                format!("write one of {}", listed(ids()))
            }
            (&[], None) => format!("write the id of a {}, or add a `{}`", self.kind, self.table),
        }
    }
}

/// Notes it if an id stands for the second time.
pub(crate) fn once(
    seen: &mut BTreeMap<String, Span>,
    kind: &str,
    id: &Spanned<String>,
    found: &mut Found,
) {
    match seen.get(id.get_ref()) {
        Some(first) => found.add_pair(
            format!("two {kind} have the id `{}`", id.get_ref()),
            (id.span(), "write another"),
            (first.clone(), "the first"),
        ),
        None => {
            seen.insert(id.get_ref().clone(), id.span());
        }
    }
}

fn all_names(name: &Name, aliases: &[String]) -> Vec<String> {
    name.and(aliases).cloned().collect()
}
