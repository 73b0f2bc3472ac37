//! What is different between two configurations, in words: for the log of a reload.

use crate::config::Config;
use crate::config::Polling;
use crate::model::feed::Feed;
use crate::model::id::PublicationId;
use crate::model::id::RuleId;
use crate::model::publication::Publication;
use crate::model::publication::Site;
use crate::model::rule::Rule;
use std::collections::BTreeMap;
use std::fmt::Display;

/// How many things of one kind are named; of more, only their number is told.
const NAMED_MAX: usize = 8;

/// What is different, a sentence each; nothing if both mean the same.
#[must_use]
pub fn difference(before: &Config, after: &Config) -> Vec<String> {
    let mut told = Vec::new();
    told.extend(things("feed", &before.feeds, &after.feeds));
    for (id, feed) in &after.feeds {
        let keys = before.feeds.get(id).map(|before| of_feed(before, feed)).unwrap_or_default();
        told.extend(changed(&format!("feed `{id}`"), &keys));
    }
    if told.len() > NAMED_MAX {
        let more = told.len() - NAMED_MAX;
        told.truncate(NAMED_MAX);
        told.push(format!("{more} more changes of feeds"));
    }
    let (old, new) = (&before.catalogue, &after.catalogue);
    told.extend(things("region", &old.regions, &new.regions));
    told.extend(differing("region", &old.regions, &new.regions));
    told.extend(things("community", &old.communities, &new.communities));
    told.extend(differing("community", &old.communities, &new.communities));
    told.extend(things("tag", &before.tags, &after.tags));
    told.extend(differing("tag", &before.tags, &after.tags));
    let (old, new) = (rules(before), rules(after));
    told.extend(things("rule", &old, &new));
    told.extend(differing("rule", &old, &new));
    if old.keys().eq(new.keys()) && !order(before).eq(order(after)) {
        told.push("the order of the rules changed".to_owned());
    }
    let composed = |config: &Config| -> BTreeMap<PublicationId, Publication> {
        config.publications.iter().map(|one| (one.id.clone(), one.clone())).collect()
    };
    let (old, new) = (composed(before), composed(after));
    told.extend(things("publication", &old, &new));
    told.extend(differing("publication", &old, &new));
    told.extend(changed("`[site]`", &of_site(before, after)));
    told.extend(changed("`[polling]`", &of_polling(&before.polling, &after.polling)));
    let mut keys = Vec::new();
    note(&mut keys, "entries", before.publishing == after.publishing);
    note(&mut keys, "apart", before.apart == after.apart);
    told.extend(changed("`[publishing]`", &keys));
    if before.retention != after.retention {
        told.push("how long articles are kept changed".to_owned());
    }
    let (old, new) = (&before.admin, &after.admin);
    let mut keys = Vec::new();
    note(&mut keys, "listen", old.listen == new.listen);
    note(&mut keys, "webhook", old.webhook == new.webhook);
    note(&mut keys, "command", old.command == new.command);
    note(&mut keys, "disk_free_min", old.disk_free_bytes_min == new.disk_free_bytes_min);
    told.extend(changed("`[admin]`", &keys));
    let (old, new) = (&before.backup, &after.backup);
    let mut keys = Vec::new();
    note(&mut keys, "every", old.every == new.every);
    note(&mut keys, "keep", old.keep == new.keep);
    note(&mut keys, "directory", old.directory == new.directory);
    told.extend(changed("`[backup]`", &keys));
    told
}

/// Which things came, and which went.
fn things<Id: Ord + Display, T>(
    kind: &str,
    before: &BTreeMap<Id, T>,
    after: &BTreeMap<Id, T>,
) -> Vec<String> {
    let new: Vec<&Id> = after.keys().filter(|id| !before.contains_key(id)).collect();
    let gone: Vec<&Id> = before.keys().filter(|id| !after.contains_key(id)).collect();
    [("new", new), ("gone", gone)]
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(what, ids)| format!("{what}: {}", named(kind, &ids)))
        .collect()
}

/// Which things are there as before, and are not what they were.
fn differing<Id: Ord + Display, T: PartialEq>(
    kind: &str,
    before: &BTreeMap<Id, T>,
    after: &BTreeMap<Id, T>,
) -> Option<String> {
    let differs = |(id, after): &(&Id, &T)| before.get(id).is_some_and(|before| before != *after);
    let ids: Vec<&Id> = after.iter().filter(differs).map(|(id, _)| id).collect();
    (!ids.is_empty()).then(|| format!("changed: {}", named(kind, &ids)))
}

fn named<Id: Display>(kind: &str, ids: &[&Id]) -> String {
    let plural = match (ids.len(), kind) {
        (1, _) => kind.to_owned(),
        (_, "community") => "communities".to_owned(),
        _ => format!("{kind}s"),
    };
    let shown: Vec<String> = ids.iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
    let more = match ids.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{plural} {}{more}", shown.join(", "))
}

fn changed(what: &str, keys: &[&str]) -> Option<String> {
    if keys.is_empty() {
        return None;
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    Some(format!("{what}: {} changed", keys.join(", ")))
}

fn note(keys: &mut Vec<&'static str>, key: &'static str, is_same: bool) {
    if !is_same {
        keys.push(key);
    }
}

fn of_feed(before: &Feed, after: &Feed) -> Vec<&'static str> {
    let mut keys = Vec::new();
    note(&mut keys, "title", before.title == after.title);
    note(&mut keys, "url", before.address == after.address);
    note(&mut keys, "kind", before.kind == after.kind);
    note(&mut keys, "region", before.region == after.region);
    note(&mut keys, "community", before.community == after.community);
    note(&mut keys, "tags", before.tags == after.tags);
    note(&mut keys, "schedule", before.schedule == after.schedule);
    note(&mut keys, "timezone", before.timezone == after.timezone);
    note(&mut keys, "language", before.language == after.language);
    note(&mut keys, "enabled", before.enabled == after.enabled);
    note(&mut keys, "republish", before.republish == after.republish);
    note(&mut keys, "ignore_hints", before.ignore_hints == after.ignore_hints);
    note(&mut keys, "unite", before.unites == after.unites);
    // Which of its keys differs might be a secret's place: to know that one does is enough.
    note(&mut keys, "access", before.access == after.access);
    keys
}

fn of_site(before: &Config, after: &Config) -> Vec<&'static str> {
    let Site {
        title,
        subtitle,
        address,
        contact,
        readers,
        language,
        timezone,
        rights,
        icon,
        logo,
        colour,
        about,
        pictures,
        tagging,
    } = &before.site;
    let site = &after.site;
    let mut keys = Vec::new();
    note(&mut keys, "title", *title == site.title);
    note(&mut keys, "subtitle", *subtitle == site.subtitle);
    note(&mut keys, "address", *address == site.address);
    note(&mut keys, "listen", before.listen == after.listen);
    note(&mut keys, "contact", *contact == site.contact);
    note(&mut keys, "readers", *readers == site.readers);
    note(&mut keys, "language", *language == site.language);
    note(&mut keys, "timezone", *timezone == site.timezone);
    note(&mut keys, "rights", *rights == site.rights);
    note(&mut keys, "icon", *icon == site.icon);
    note(&mut keys, "logo", *logo == site.logo);
    note(&mut keys, "colour", *colour == site.colour);
    note(&mut keys, "about", *about == site.about);
    note(&mut keys, "pictures", *pictures == site.pictures);
    note(&mut keys, "tag_authority", tagging.authority == site.tagging.authority);
    note(&mut keys, "since", tagging.since == site.tagging.since);
    keys
}

fn of_polling(before: &Polling, after: &Polling) -> Vec<&'static str> {
    let mut keys = Vec::new();
    note(&mut keys, "concurrency", before.concurrency == after.concurrency);
    note(&mut keys, "per_host", before.per_host == after.per_host);
    note(&mut keys, "host_pause", before.host_pause == after.host_pause);
    note(&mut keys, "proxy", before.proxy == after.proxy);
    note(&mut keys, "connect_timeout", before.connect_timeout == after.connect_timeout);
    note(&mut keys, "timeout", before.timeout == after.timeout);
    note(&mut keys, "body_max", before.body_bytes_max == after.body_bytes_max);
    keys
}

/// By id, without the lines: a rule that only moved is the same.
fn rules(config: &Config) -> BTreeMap<RuleId, Rule> {
    let rule = |rule: &Rule| (rule.id.clone(), Rule { line: 0, ..rule.clone() });
    config.rules.iter().map(rule).collect()
}

fn order(config: &Config) -> impl Iterator<Item = &RuleId> {
    config.rules.iter().map(|rule| &rule.id)
}
