//! `[retention]`, and `keep` and `keep_articles` of feeds and regions: how long articles are kept.

use crate::config::Given;
use crate::config::table::Row;
use crate::model::retention::Age;
use crate::model::retention::Bound;
use crate::model::retention::Retention;
use std::collections::BTreeMap;
use std::str::FromStr;

/// All bounds.
pub(crate) fn retention(given: &Given) -> Retention {
    let everything = bound(&given.retention);
    Retention {
        all: Bound { age: everything.age.filter(|age| *age != Age::Forever), ..everything },
        feeds: bounds(&given.feeds),
        regions: bounds(&given.regions),
    }
}

/// The bound of a row.
pub(crate) fn bound(row: &Row) -> Bound {
    Bound { age: row.age("keep"), articles: row.number("keep_articles") }
}

fn bounds<Id: FromStr + Ord>(rows: &[Row]) -> BTreeMap<Id, Bound> {
    let of_row = |row: &Row| Some((row.text("id")?.parse().ok()?, bound(row)));
    rows.iter().filter_map(of_row).filter(|(_, bound)| *bound != Bound::default()).collect()
}
