//! A subscriber sees each story once, and an edit as an edit, whatever a site does to its ids,
//! addresses and dates: feeds simulated over many polls, from bytes to what the store publishes.

mod acts;
mod again;
mod alike;
mod life;
mod site;

use crate::acts::Act;
use crate::acts::EDITS;
use crate::acts::KINDS;
use crate::acts::NO_NEWS;
use crate::acts::with;
use crate::site::Simulation;
use crate::site::Story;
use crate::site::story;
use std::panic::catch_unwind;

/// Where nothing is left by which a story could be told from another one like it: the price of
/// losing none is that these come twice.
const LIMITS: &[&str] = &[
    "days for dates: text, guid and page, while away",
    "no dates: title and guid, which is its digest, while away",
    "no dates: text, guid and page, while away",
    "no guids: title and link, while away",
    "no links: title and guid, which is its digest, while away",
    "the home page as link: title and guid, which is its digest, while away",
];

/// A site does something to all of its stories, to one after another, or while they are away.
#[test]
fn what_a_site_does_to_its_stories_makes_no_story_twice() {
    let mut polls = 0;
    let mut stresses = 0;
    let mut failures = Vec::new();
    for (kind, told) in KINDS {
        for (acts, edits) in [(NO_NEWS, 0), (EDITS, 5)] {
            for (name, act) in acts {
                let ways: &[&str] = match *kind {
                    "most" => &["at once", "one by one", "while away"],
                    _ => &["while away"],
                };
                for way in ways {
                    stresses += 1;
                    let what = format!("{kind}: {name}, {way}");
                    match catch_unwind(|| stress(*told, *act, way, edits, &what)) {
                        Ok(ran) => polls += ran,
                        Err(_) => failures.push(what),
                    }
                }
            }
        }
    }
    println!("{stresses} stresses, {polls} polls");
    assert_eq!(failures, LIMITS);
}

fn stress(told: Act, act: Act, way: &str, edits: u32, what: &str) -> usize {
    let mut site = Simulation::new();
    let mut stories: Vec<Story> = (1..=5).map(|number| with(number, told)).collect();
    site.poll(&stories, what);
    if way == "while away" {
        site.poll(&[story(90)], what);
    }
    for number in 0..5 {
        let before = stories[number].clone();
        act(&mut stories[number]);
        assert!(!what.starts_with("most") || stories[number] != before, "{what}: nothing is done");
        if way == "one by one" {
            site.poll(&stories, what);
        }
    }
    site.poll(&stories, what);
    site.poll(&stories, what);
    let added = if way == "while away" { 6 } else { 5 };
    assert_eq!((site.total.added, site.total.updated), (added, edits), "{what}");
    site.polls
}
