//! The page on which people find the feed that they want.

use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Group;
use crate::publish::Masthead;
use askama::Template;
use chrono::DateTime;
use chrono::Datelike;
use chrono::Timelike;
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// The stylesheet of the page. It is served at `/style.css`: a policy that forbids styles and
/// scripts within a page is a short one.
pub const STYLE: &str = include_str!("templates/style.css");

#[derive(Template)]
#[template(path = "index.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    title: &'a str,
    address: &'a str,
    subtitle: Option<&'a str>,
    contact: Option<Contact<'a>>,
    rights: Option<&'a str>,
    icon: Option<&'a str>,
    sections: Vec<Section>,
}

struct Contact<'a> {
    text: &'a str,
    href: String,
}

struct Section {
    anchor: &'static str,
    heading: &'static str,
    english: &'static str,
    rows: Vec<Row>,
}

struct Row {
    title: String,
    english: Option<String>,
    /// Below the site's address, so that the page works under any name that leads to it.
    path: String,
    count: u64,
    changed: Option<Moment>,
}

struct Moment {
    machine: String,
    human: String,
}

/// The page: every publication with articles, how many, when it last changed, and its address.
#[must_use]
pub fn index(masthead: Masthead<'_>, shelves: &BTreeMap<Selection, Shelf>) -> Vec<u8> {
    let site = masthead.site;
    let groups = masthead.groups(shelves).into_iter();
    let page = Page {
        title: &site.title,
        address: site.address.as_str(),
        subtitle: site.subtitle.as_deref(),
        contact: site.contact.as_deref().map(contact),
        rights: site.rights.as_deref(),
        icon: site.icon.as_ref().map(url::Url::as_str),
        sections: groups.map(|(group, all)| section(masthead, shelves, group, &all)).collect(),
    };
    written(&page)
}

fn written(page: &Page<'_>) -> Vec<u8> {
    page.render().expect("memory takes every byte that is written to it").into_bytes()
}

fn contact(text: &str) -> Contact<'_> {
    let is_page = text.starts_with("https://") || text.starts_with("http://");
    Contact { text, href: if is_page { text.to_owned() } else { format!("mailto:{text}") } }
}

fn section(
    masthead: Masthead<'_>,
    shelves: &BTreeMap<Selection, Shelf>,
    group: Group,
    selections: &[Selection],
) -> Section {
    let (heading, english) = group.heading();
    let row = |selection: &Selection| {
        let title = masthead.title(selection);
        let shelf = shelves.get(selection).filter(|shelf| shelf.count > 0);
        Row {
            english: masthead.english(selection).filter(|english| *english != title),
            title,
            path: format!("{}.atom", selection.path()),
            count: shelf.map_or(0, |shelf| shelf.count),
            changed: shelf.map(|s| moment(s.changed.with_timezone(&masthead.site.timezone))),
        }
    };
    let anchor = match group {
        Group::All => "all",
        Group::Regions => "regions",
        Group::Communities => "communities",
        Group::Tags => "tags",
        Group::RegionTags => "region-tags",
        Group::Composed => "collections",
        Group::Sources => "sources",
    };
    Section { anchor, heading, english, rows: selections.iter().map(row).collect() }
}

fn moment(at: DateTime<Tz>) -> Moment {
    const MONTHS: [&str; 12] = [
        "січня",
        "лютого",
        "березня",
        "квітня",
        "травня",
        "червня",
        "липня",
        "серпня",
        "вересня",
        "жовтня",
        "листопада",
        "грудня",
    ];
    let month = MONTHS[at.month0() as usize];
    Moment {
        machine: at.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        human: format!("{} {month} {}, {}:{:02}", at.day(), at.year(), at.hour(), at.minute()),
    }
}

/// «1 новина», «2 новини», «5 новин», «11 новин», «21 новина».
fn counted(count: u64) -> String {
    let noun = match (count % 10, count % 100) {
        (_, 11..=14) => "новин",
        (1, _) => "новина",
        (2..=4, _) => "новини",
        _ => "новин",
    };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn news_are_counted_as_in_speech() {
        for (count, expected) in [
            (0, "0 новин"),
            (1, "1 новина"),
            (3, "3 новини"),
            (5, "5 новин"),
            (11, "11 новин"),
            (21, "21 новина"),
            (112, "112 новин"),
            (124, "124 новини"),
        ] {
            assert_eq!(counted(count), expected);
        }
    }

    #[test]
    fn a_moment_is_told_in_the_time_of_the_site() {
        let at = chrono_tz::Europe::Kyiv.with_ymd_and_hms(2023, 7, 3, 9, 5, 0).unwrap();
        let moment = moment(at);
        assert_eq!(moment.human, "3 липня 2023, 9:05");
        assert_eq!(moment.machine, "2023-07-03T09:05:00+03:00");
    }
}
