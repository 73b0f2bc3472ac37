//! `[[rule]]`: what is done with articles that fit; and the words of `match` and `unless`.

use crate::config::feeds::Places;
use crate::config::problem::Found;
use crate::config::reference::Known;
use crate::config::reference::once;
use crate::config::table::Row;
use crate::model::id::RuleId;
use crate::model::pattern::Pattern;
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

/// The words of `match` and `unless` of a table.
pub(crate) fn words(row: &Row, found: &mut Found) -> Words {
    let mut read = |key: &str| {
        let mut patterns = Vec::new();
        for given in row.texts(key) {
            match given.get_ref().parse::<Pattern>() {
                Ok(pattern) => patterns.push(pattern),
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

fn rule(
    row: &Row,
    places: &Places<'_>,
    feeds: &Known,
    text: &str,
    found: &mut Found,
) -> Option<Rule> {
    let words = words(row, found);
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
    Some((replace.into_inner(), row.text("with").unwrap_or_default()))
}

/// A rule that does nothing, or keeps everything out, is not what was meant.
fn check(row: &Row, rule: &Rule, found: &mut Found) {
    let acts = [
        "exclude",
        "only",
        "regions",
        "communities",
        "tags",
        "without_regions",
        "without_communities",
        "without_tags",
        "drop_categories",
        "replace",
    ];
    if !acts.iter().any(|key| row.was_given(key)) {
        let label = "say what becomes of the articles: `exclude = true`, `tags = […]`, …";
        found.add("a rule that does nothing", row.header(), label);
    }
    if rule.fate != Fate::Keep && rule.words.matching.is_empty() && !row.was_given("match") {
        let label = "add `match`, or write `enabled = false` in the feeds";
        found.add("a rule for every article of its feeds", row.header(), label);
    }
}
