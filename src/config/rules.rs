//! `[[rule]]`: what is done with articles that fit; and the words of `match` and `unless`.

use crate::config::feeds::Places;
use crate::config::problem::Found;
use crate::config::reference::Known;
use crate::config::reference::once;
use crate::config::table::Row;
use crate::model::id::RuleId;
use crate::model::pattern::Pattern;
use crate::model::pattern::Scope;
use crate::model::pattern::Words;
use crate::model::rule::Fate;
use crate::model::rule::Named;
use crate::model::rule::Rule;
use regex::Regex;
use std::collections::BTreeMap;

/// The rules, in the order of the file, whose text is needed for their lines.
pub(crate) fn rules(
    rows: &[Row],
    places: &Places<'_>,
    feeds: &Known,
    text: &str,
    found: &mut Found,
) -> Vec<Rule> {
    let mut ids = BTreeMap::new();
    let mut rules = Vec::new();
    for row in rows {
        if let Some(id) = row.spanned_text("id") {
            once(&mut ids, "rules", &id, found);
        }
        rules.extend(rule(row, places, feeds, text, found));
    }
    rules
}

/// What the words of `match` and `unless` are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// The name of a region or a community: words side by side, wherever they stand.
    Place,
    /// A tag: words, in a part of the article or anywhere.
    Tag,
    /// A rule: the address of the page too.
    Rule,
}

/// The words of `match` and `unless` of a table.
pub(crate) fn words(row: &Row, what_for: For, found: &mut Found) -> Words {
    let mut read = |key: &str| {
        let mut patterns = Vec::new();
        for given in row.texts(key) {
            match given.get_ref().parse::<Pattern>() {
                Ok(pattern) => match misfit(&pattern, what_for) {
                    None => patterns.push(pattern),
                    Some(label) => {
                        let what = format!("`{}` is no words to look for here", given.get_ref());
                        found.add(what, given.span(), label);
                    }
                },
                Err(bad) => {
                    let what = format!("`{}` is no words to look for", given.get_ref());
                    found.add(what, given.span(), bad.to_string());
                }
            }
        }
        patterns
    };
    Words { matching: read("match"), unless: read("unless") }
}

/// Why a pattern is of no use where it stands.
fn misfit(pattern: &Pattern, what_for: For) -> Option<String> {
    match (what_for, pattern.scope) {
        (For::Place, Scope::Field(_) | Scope::Link) => {
            Some("a name names wherever it stands: leave out what is before the colon".to_owned())
        }
        (For::Tag, Scope::Link) => {
            Some("write a `[[rule]]` with `link:` that gives the tag".to_owned())
        }
        _ => None,
    }
}

fn rule(
    row: &Row,
    places: &Places<'_>,
    feeds: &Known,
    text: &str,
    found: &mut Found,
) -> Option<Rule> {
    let words = words(row, For::Rule, found);
    let with = named(row, "", places, found);
    let without = named(row, "without_", places, found);
    let headline = headline(row, found);
    let rule = Rule {
        id: RuleId::new(&row.text("id")?).ok()?,
        line: text[..row.header().start.min(text.len())].matches('\n').count() + 1,
        feeds: feeds.find_all(&row.texts("feeds"), found),
        fate: fate(row, found),
        with,
        without,
        drop_categories: row.words("drop_categories"),
        headline,
        words,
    };
    check(row, &rule, found);
    Some(rule)
}

fn fate(row: &Row, found: &mut Found) -> Fate {
    match (row.flag("exclude"), row.flag("only")) {
        (Some(true), Some(true)) => {
            let label = "write one of them: `only` publishes what `exclude` keeps out";
            found.add("a rule with `exclude` and `only`", row.span("only"), label);
            Fate::Keep
        }
        (Some(true), _) => Fate::Exclude,
        (_, Some(true)) => Fate::Only,
        _ => Fate::Keep,
    }
}

/// The labels that the keys of a rule name; the keys are told by what they begin with.
fn named(row: &Row, prefix: &str, places: &Places<'_>, found: &mut Found) -> Named {
    let texts = |key: &str| row.texts(&format!("{prefix}{key}"));
    Named {
        regions: places.regions.find_all(&texts("regions"), found),
        communities: places.communities.find_all(&texts("communities"), found),
        tags: places.tags.find_all(&texts("tags"), found),
    }
}

fn headline(row: &Row, found: &mut Found) -> Option<(String, String)> {
    let replace = row.spanned_text("replace");
    if replace.is_none() && row.was_given("with") {
        let label = "add `replace`: which part of the headline it is for";
        found.add("`with` without `replace`", row.span("with"), label);
    }
    let replace = replace?;
    if let Err(error) = Regex::new(replace.get_ref()) {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let what = format!("`{}` is no regular expression", replace.get_ref());
        found.add(what, replace.span(), reason);
        return None;
    }
    let with = row.text("with").unwrap_or_default();
    if let Some(group) = unknown_group(replace.get_ref(), &with) {
        let what = format!("`replace` has no group `{group}`");
        let label = "write `${1}` for the first group, `$$` for a dollar sign";
        found.add(what, row.span("with"), label);
    }
    Some((replace.into_inner(), with))
}

/// A group that is named in place of a part of the headline, and is none.
fn unknown_group(replace: &str, with: &str) -> Option<String> {
    let replace = Regex::new(replace).ok()?;
    let named = |name: &str| replace.capture_names().flatten().any(|known| known == name);
    let numbered = |name: &str| name.parse().is_ok_and(|at: usize| at < replace.captures_len());
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        let braced = rest.strip_prefix('{').and_then(|braced| braced.split('}').next());
        let name = braced.unwrap_or(&rest[..end]);
        if !named(name) && !numbered(name) {
            return Some(name.to_owned());
        }
    }
    None
}

/// A rule that does nothing, or keeps everything out, is not what was meant.
fn check(row: &Row, rule: &Rule, found: &mut Found) {
    let lists = [
        "regions",
        "communities",
        "tags",
        "without_regions",
        "without_communities",
        "without_tags",
        "drop_categories",
    ];
    let acts = rule.fate != Fate::Keep
        || row.was_given("replace")
        || row.flag("exclude").zip(row.flag("only")).is_some()
        || lists.iter().any(|key| !row.texts(key).is_empty());
    if !acts {
        let label = "say what becomes of the articles: `exclude = true`, `tags = […]`, …";
        found.add("a rule that does nothing", row.header(), label);
    }
    if rule.fate != Fate::Keep && row.texts("match").is_empty() {
        let label = "add `match`, or write `enabled = false` in the feeds";
        found.add("a rule for every article of its feeds", row.header(), label);
    }
    let both = rule.with.tags.intersection(&rule.without.tags).map(ToString::to_string);
    let regions = rule.with.regions.intersection(&rule.without.regions).map(ToString::to_string);
    let communities = rule.with.communities.intersection(&rule.without.communities);
    for label in both.chain(regions).chain(communities.map(ToString::to_string)) {
        let what = format!("a rule that gives `{label}` and takes it away");
        found.add(what, row.header(), "leave one of them out");
    }
}
