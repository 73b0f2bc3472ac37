//! Bounds of what is kept that other keys contradict.

use crate::config::Config;
use crate::config::Given;
use crate::config::problem::Found;
use crate::config::retention::bound;
use crate::config::table::Row;
use crate::model::retention::Age;

/// Whoever looks once a week still finds what came.
const DAYS_MIN: u32 = 7;

/// Notes bounds that leave too little, and those that another one voids.
pub(crate) fn retention(given: &Given, config: &Config, found: &mut Found) {
    let rows = given.feeds.iter().chain(&given.regions).chain([&given.retention]);
    rows.for_each(|row| little(row, config, found));
    for feed in &given.feeds {
        let own = bound(feed).age;
        let Some(id) = feed.text("id").and_then(|id| id.parse().ok()) else { continue };
        let Some(region) = config.feeds.get(&id).and_then(|feed| feed.region.as_ref()) else {
            continue;
        };
        let row =
            given.regions.iter().find(|row| row.text("id").as_deref() == Some(region.as_str()));
        if let (Some(row), Some(own)) = (row, own)
            && bound(row).age.is_some_and(|wanted| wanted > own)
        {
            found.warn_pair(
                "retention",
                format!("`{region}` keeps articles longer than its feed `{id}`"),
                (feed.span("keep"), "this holds: leave it out, or write as much as there"),
                (row.span("keep"), "this does not hold for that feed"),
            );
        }
    }
}

fn little(row: &Row, config: &Config, found: &mut Found) {
    let bound = bound(row);
    let entries = config.publishing.entries as u64;
    if let Some(kept) = bound.articles.filter(|kept| *kept < entries) {
        found.warn(
            "retention",
            format!("{kept} articles are kept, and a document holds {entries}"),
            row.span("keep_articles"),
            format!("write {entries} or more, or a smaller `entries` in `[publishing]`"),
        );
    }
    if bound.age.is_some_and(|age| age < Age::Days(DAYS_MIN)) {
        found.warn(
            "retention",
            "articles go before whoever reads once a week has seen them",
            row.span("keep"),
            format!("write `\"{DAYS_MIN}d\"` or more"),
        );
    }
}
