//! Rules that never fit, or change nothing where they do.

use crate::config::Config;
use crate::config::problem::Found;
use crate::config::table::Row;
use crate::config::warn::patterns::covers;
use crate::config::warn::patterns::voided;
use crate::model::feed::Feed;
use crate::model::rule::Fate;
use crate::model::rule::Rule;
use regex::Match;
use regex::Regex;

/// Headlines on which `replace` is tried.
const HEADLINES: [&str; 3] =
    ["Місто відкрило нову школу", "City opens a school", "До 1 вересня: 12 шкіл, 3 ліцеї"];

/// Notes what is odd about the rules, each of which is that of its row.
pub(crate) fn rules(rows: &[Row], config: &Config, found: &mut Found) {
    for (at, (row, rule)) in rows.iter().zip(&config.rules).enumerate() {
        let is_void = voided(row, found);
        if is_void {
            let what = format!("the rule `{}` never fits: all its words are void", rule.id);
            found.warn("dead-rule", what, row.header(), "change `match` or `unless`");
        } else if is_off(rule, config) {
            let what = format!("the rule `{}` never fits: its feeds are switched off", rule.id);
            let label = "name one that is polled, or leave the rule out";
            found.warn("dead-rule", what, row.span("feeds"), label);
        }
        if row.was_given("unless") && row.texts("match").is_empty() {
            let what = "`unless` without `match`: the rule fits every article";
            let label = "add `match`: `unless` voids only its words";
            found.warn("no-effect", what, row.span("unless"), label);
        }
        excluded(at, row, rule, config, rows, found);
        labels(row, rule, config, found);
        headline(row, rule, found);
    }
}

fn is_off(rule: &Rule, config: &Config) -> bool {
    let is_polled = |feed: &Feed| feed.enabled;
    !rule.feeds.is_empty()
        && !rule.feeds.iter().any(|id| config.feeds.get(id).is_some_and(is_polled))
}

/// A rule whose articles another keeps out, all of them.
fn excluded(at: usize, row: &Row, rule: &Rule, config: &Config, rows: &[Row], found: &mut Found) {
    let keeps_out = |other: &Rule| {
        other.fate == Fate::Exclude
            && other.words.unless.is_empty()
            && (other.feeds.is_empty()
                || (!rule.feeds.is_empty() && rule.feeds.is_subset(&other.feeds)))
            && !rule.words.matching.is_empty()
            && rule
                .words
                .matching
                .iter()
                .all(|narrow| other.words.matching.iter().any(|wide| covers(wide, narrow)))
    };
    // Of two that keep out the same, the second is the one too many.
    let may = |other: usize| other != at && (rule.fate != Fate::Exclude || other < at);
    let by = config.rules.iter().enumerate().find(|(other, rule)| may(*other) && keeps_out(rule));
    if let Some((other, by)) = by {
        found.warn_pair(
            "dead-rule",
            format!("the rule `{}` changes nothing: `{}` keeps its articles out", rule.id, by.id),
            (row.header(), "leave out one of the rules, or add `unless` to the other"),
            (rows[other].header(), "keeps them out"),
        );
    }
}

/// Labels that nobody sees, that the articles have anyway, or that the rule itself takes away.
fn labels(row: &Row, rule: &Rule, config: &Config, found: &mut Found) {
    for key in ["regions", "communities", "tags"] {
        if rule.fate == Fate::Exclude && !row.texts(key).is_empty() {
            let what = format!("`{key}` of articles that are published nowhere");
            found.warn("no-effect", what, row.span(key), "leave it out, or `exclude`");
        }
    }
    let feeds: Vec<&Feed> = rule.feeds.iter().filter_map(|id| config.feeds.get(id)).collect();
    let all = |has: &dyn Fn(&Feed) -> bool| !feeds.is_empty() && feeds.iter().all(|feed| has(feed));
    let mut needless = Vec::new();
    for id in &rule.with.regions {
        needless.extend(
            all(&|feed| feed.region.as_ref() == Some(id)).then_some(("regions", id.as_str())),
        );
    }
    for id in &rule.with.communities {
        let has = all(&|feed| feed.community.as_ref() == Some(id));
        needless.extend(has.then_some(("communities", id.as_str())));
    }
    for id in &rule.with.tags {
        needless.extend(all(&|feed| feed.tags.contains(id)).then_some(("tags", id.as_str())));
    }
    for (key, id) in needless {
        let what = format!("articles of these feeds have `{id}` anyway");
        found.warn("no-effect", what, row.span(key), format!("leave `{id}` out"));
    }
    for id in &rule.with.communities {
        let region = config.catalogue.communities.get(id).map(|community| &community.region);
        if let Some(region) = region.filter(|region| rule.without.regions.contains(*region)) {
            let what = format!(
                "the rule takes the region `{region}` away, and its own community `{id}` with it"
            );
            let label = format!("leave out `{id}`, or `{region}` of `without_regions`");
            found.warn("no-effect", what, row.span("communities"), label);
        }
    }
}

/// What `replace` does to headlines: nothing, or to each place between two letters.
fn headline(row: &Row, rule: &Rule, found: &mut Found) {
    let Some((replace, with)) = &rule.headline else { return };
    let Ok(pattern) = Regex::new(replace) else { return };
    let span = row.span("replace");
    let is_everywhere = |text: &&str| pattern.find_iter(text).filter(Match::is_empty).count() > 1;
    if regex::escape(replace) == *replace && replace == with {
        let what = "`replace` and `with` are the same";
        found.warn("no-effect", what, span, "write another `with`, or leave both out");
    } else if !with.is_empty() && HEADLINES.iter().all(is_everywhere) {
        let what = "`replace` fits an empty text, and so between all letters";
        found.warn("replace", what, span, "write `+` for `*`, or leave out the `?`");
    } else if HEADLINES
        .iter()
        .all(|text| pattern.replace_all(text, with.as_str()).trim().is_empty())
    {
        let what = "`replace` takes whole headlines away, which stay as they are then";
        found.warn("replace", what, span, "write the part that has to go");
    }
}
