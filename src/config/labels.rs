//! `[[region]]`, `[[community]]` and `[[tag]]`: what articles may be labelled with.

use crate::config::keys;
use crate::config::problem::Found;
use crate::config::problem::Span;
use crate::config::reference::Known;
use crate::config::reference::once;
use crate::config::rules::For;
use crate::config::rules::words;
use crate::config::table::Row;
use crate::config::table::missing;
use crate::model::id::CommunityId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::model::letters::is_apostrophe;
use crate::model::letters::transliterate;
use crate::model::pattern::Words;
use crate::model::publication::Community;
use crate::model::publication::Name;
use crate::model::publication::Region;
use crate::model::publication::Tag;
use crate::model::slug::slug;
use crate::place::Catalogue;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use toml::Spanned;
use unicode_normalization::UnicodeNormalization;

/// Adds regions to the catalogue, or changes those that it has.
///
/// Gives the ids of what is switched off: regions and their communities.
pub(crate) fn add_regions(
    rows: &[Row],
    catalogue: &mut Catalogue,
    found: &mut Found,
) -> [BTreeSet<String>; 2] {
    let [mut off, mut communities_off] = [BTreeSet::new(), BTreeSet::new()];
    let builtin = Known::regions(catalogue.regions.values());
    let mut seen = BTreeMap::new();
    for row in rows {
        let Some(id_text) = row.spanned_text("id") else { continue };
        let Ok(id) = RegionId::new(id_text.get_ref()) else { continue };
        once(&mut seen, "regions", &id_text, found);
        let known = catalogue.regions.remove(&id);
        if known.is_none() && !row.was_given("name") {
            match builtin.near(id.as_str()) {
                Some(near) => unknown("region", &id_text, near, found),
                None => missing(&keys::REGION, "name", row.header(), found),
            }
        }
        let mut region = known.unwrap_or_else(|| Region {
            id: id.clone(),
            iso: None,
            name: new_name(row, id.as_str()),
            aliases: Vec::new(),
            words: Words::default(),
        });
        region.words = words(row, For::Place, found);
        rename(&mut region.name, &mut region.aliases, row);
        if let Some(iso) = row.text("iso") {
            let other = catalogue.regions.values().find(|other| other.iso.as_ref() == Some(&iso));
            if let Some(other) = other {
                let what = format!("`{iso}` is the code of `{}`", other.id);
                let label = format!("write `id = \"{}\"` to change that region", other.id);
                found.add(what, row.span("iso"), label);
            }
            region.iso = Some(iso);
        }
        if row.flag("enabled") == Some(false) {
            let is_in = |community: &Community| community.region == id;
            let own = catalogue.communities.values().filter(|community| is_in(community));
            communities_off.extend(own.map(|community| community.id.to_string()));
            catalogue.communities.retain(|_, community| !is_in(community));
            off.insert(id.to_string());
        } else {
            catalogue.regions.insert(id, region);
        }
    }
    [off, communities_off]
}

/// Notes that an id is none of those that are known, and none of a new one.
fn unknown(kind: &str, id: &Spanned<String>, near: &str, found: &mut Found) {
    let what = format!("no {kind} has the id `{}`", id.get_ref());
    found.add(what, id.span(), format!("write `{near}`, or add `name` for a new {kind}"));
}

/// Adds communities to the catalogue, or changes those that it has. Gives the ids of those that
/// are switched off.
pub(crate) fn add_communities(
    rows: &[Row],
    regions: &Known,
    catalogue: &mut Catalogue,
    found: &mut Found,
) -> BTreeSet<String> {
    let mut off = BTreeSet::new();
    let builtin = Known::communities(catalogue.communities.values());
    let mut seen = BTreeMap::new();
    for row in rows {
        let Some(id_text) = row.spanned_text("id") else { continue };
        let Ok(id) = CommunityId::new(id_text.get_ref()) else { continue };
        once(&mut seen, "communities", &id_text, found);
        let region: Option<RegionId> =
            row.spanned_text("region").and_then(|given| regions.find(&given, found));
        let Some(mut community) = catalogue.communities.remove(&id) else {
            match builtin.near(id.as_str()) {
                Some(near) if !row.was_given("name") => {
                    unknown("community", &id_text, near, found);
                }
                _ => {
                    for key in ["region", "name"].into_iter().filter(|key| !row.was_given(key)) {
                        missing(&keys::COMMUNITY, key, row.header(), found);
                    }
                }
            }
            // One whose region is wrong is no use, but what names it must not be called wrong
            // too: any region will do, since a problem was noted.
            let Some(region) = region.or_else(|| catalogue.regions.keys().next().cloned()) else {
                continue;
            };
            let name = new_name(row, id.as_str());
            let aliases = row.words("aliases");
            let words = words(row, For::Place, found);
            let new = Community { id: id.clone(), code: None, region, name, aliases, words };
            catalogue.communities.insert(id, new);
            continue;
        };
        if region.is_some_and(|region| region != community.region) {
            let what = format!("`{id}` lies in another region");
            let label = format!("write `{}`, or another `id` for a new one", community.region);
            found.add(what, row.span("region"), label);
        }
        rename(&mut community.name, &mut community.aliases, row);
        community.words = words(row, For::Place, found);
        if row.flag("enabled") == Some(false) {
            off.insert(id.to_string());
        } else {
            catalogue.communities.insert(id, community);
        }
    }
    off
}

/// Notes the names and aliases of feeds.toml that are of another region or community too.
pub(crate) fn clashes<'c>(
    kind: &str,
    rows: &[Row],
    known: impl Iterator<Item = (&'c str, Vec<&'c String>)>,
    found: &mut Found,
) {
    let given = |row: &Row| {
        let texts = row.spanned_text("name").into_iter().chain(row.spanned_text("name_en"));
        texts.chain(row.texts("aliases")).collect::<Vec<_>>()
    };
    let wanted: HashSet<String> =
        rows.iter().flat_map(given).map(|word| folded(word.get_ref())).collect();
    // To fold thousands of names takes longer than to read the file.
    let lengths: HashSet<usize> = wanted.iter().map(|name| name.chars().count()).collect();
    let mut owners: HashMap<String, Vec<&str>> = HashMap::new();
    for (id, names) in known {
        let near = names.into_iter().filter(|name| lengths.contains(&name.chars().count()));
        for name in near.map(|name| folded(name)).filter(|name| wanted.contains(name)) {
            owners.entry(name).or_default().push(id);
        }
    }
    let mut claimed: BTreeMap<String, (String, Span)> = BTreeMap::new();
    for row in rows {
        let Some(id) = row.text("id") else { continue };
        for word in given(row) {
            let name = folded(word.get_ref());
            let what = format!("`{}` is of two {kind}", word.get_ref());
            let here = format!("here of `{id}`: leave it out of one of them");
            match claimed.get(&name) {
                Some((other, span)) if *other != id => {
                    let there = (span.clone(), format!("here of `{other}`"));
                    found.add_pair(what, (word.span(), here), there);
                    continue;
                }
                Some(_) => continue,
                None => {}
            }
            let others = owners.get(&name).map(Vec::as_slice).unwrap_or_default();
            if let Some(other) = others.iter().find(|other| **other != id)
                && !rows.iter().any(|row| row.text("id").as_deref() == Some(other))
            {
                let label = format!("`{other}` has it: leave it out, or write `id = \"{other}\"`");
                found.add(what, word.span(), label);
            }
            claimed.insert(name, (id.clone(), word.span()));
        }
    }
}

/// The tags, by id.
pub(crate) fn tags(rows: &[Row], found: &mut Found) -> BTreeMap<TagId, Tag> {
    let mut seen = BTreeMap::new();
    let mut claimed = BTreeMap::new();
    let mut tags = BTreeMap::new();
    for row in rows {
        let name = row.spanned_text("name");
        let given = name.as_ref().map_or("", |name| name.get_ref());
        let id_text =
            row.spanned_text("id").unwrap_or_else(|| Spanned::new(row.span("name"), slug(given)));
        let Ok(id) = TagId::new(id_text.get_ref()) else {
            if name.is_some() && !row.was_given("id") {
                let what = "no id can be made of the `name`";
                found.add(what, row.span("name"), "add `id = \"…\"`");
            }
            continue;
        };
        once(&mut seen, "tags", &id_text, found);
        let texts = name.clone().into_iter().chain(row.spanned_text("name_en"));
        for word in texts.chain(row.texts("aliases")) {
            claim(&mut claimed, &id, &word, found);
        }
        let uk = given.to_owned();
        let en = row.text("name_en").unwrap_or_else(|| uk.clone());
        let (name, aliases, words) =
            (Name { uk, en }, row.words("aliases"), words(row, For::Tag, found));
        let tag = Tag { id: id.clone(), name, aliases, words };
        tags.entry(id).or_insert(tag);
    }
    tags
}

/// Notes it if a word is of two tags.
fn claim(
    words: &mut BTreeMap<String, (TagId, Span)>,
    tag: &TagId,
    word: &Spanned<String>,
    found: &mut Found,
) {
    match words.get(&folded(word.get_ref())) {
        Some((other, _)) if other == tag => {}
        Some((other, span)) => found.add_pair(
            format!("`{}` is of two tags", word.get_ref()),
            (word.span(), format!("here of `{tag}`: leave it out of one of them")),
            (span.clone(), format!("here of `{other}`")),
        ),
        None => {
            words.insert(folded(word.get_ref()), (tag.clone(), word.span()));
        }
    }
}

/// A word as it is compared: small letters, one kind of apostrophe, single spaces.
fn folded(word: &str) -> String {
    let lower = word.nfc().collect::<String>().to_lowercase();
    let one_apostrophe: String =
        lower.chars().map(|c| if is_apostrophe(c) { '’' } else { c }).collect();
    one_apostrophe.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn new_name(row: &Row, id: &str) -> Name {
    let uk = row.text("name").unwrap_or_else(|| id.to_owned());
    let en = row.text("name_en").unwrap_or_else(|| transliterate(&uk));
    Name { uk, en }
}

/// Sets the names that are given. A former name stays an alias, for feeds that still use it.
fn rename(name: &mut Name, aliases: &mut Vec<String>, row: &Row) {
    for (given, name) in [(row.text("name"), &mut name.uk), (row.text("name_en"), &mut name.en)] {
        if let Some(given) = given.filter(|given| given != name) {
            aliases.push(std::mem::replace(name, given));
        }
    }
    aliases.extend(row.words("aliases"));
}
