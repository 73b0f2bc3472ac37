//! Entries that come and go, come twice, and come again.

use crate::acts::Act;
use crate::acts::appended;
use crate::acts::dated_anew;
use crate::acts::of_guid;
use crate::acts::of_link;
use crate::acts::with;
use crate::site::Simulation;
use crate::site::Story;
use crate::site::date;
use crate::site::start;
use crate::site::story;
use chrono::TimeDelta;
use visnyk::model::article::Article;
use visnyk::model::article::Keys;
use visnyk::model::id::ArticleId;
use visnyk::model::id::Digest;
use visnyk::model::known::Change;
use visnyk::model::known::KNOWN_MAX;

/// A document a poll, each from the one before, and what the whole brings.
#[test]
fn what_comes_and_goes_is_one_story_and_each_edit_one_edit() {
    let five = || (1..=5).map(story).collect::<Vec<_>>();
    let run = |what: &str, documents: Vec<Vec<Story>>, added: u32, updated: u32| {
        let mut site = Simulation::new();
        for document in &documents {
            site.poll(document, what);
        }
        assert_eq!((site.total.added, site.total.updated), (added, updated), "{what}");
    };
    let times_ten = |act: &dyn Fn(&mut Story, usize)| {
        let day = (0..10).map(|time| {
            let mut stories = five();
            act(&mut stories[2], time);
            stories
        });
        [five()].into_iter().chain(day).collect::<Vec<_>>()
    };
    let text = |s: &mut Story, n: usize| s.text.insert_str(0, &format!("Правка {n}. "));
    run("an entry edited ten times a day", times_ten(&text), 5, 10);
    let title = |s: &mut Story, n: usize| s.title = format!("{} ({n})", s.title);
    run("a title edited ten times a day", times_ten(&title), 5, 10);
    let counter = |s: &mut Story, n: usize| s.text = s.text.replace("40.", &format!("{}.", 41 + n));
    run("a counter that counts ten times", times_ten(&counter), 5, 0);
    let redated = |s: &mut Story, n: usize| s.date = Some(date(50_000 + i64::try_from(n).unwrap()));
    run("a date that moves ten times", times_ten(&redated), 5, 0);

    let reverted = {
        let mut edited = five();
        edited[0].text.insert_str(0, "Помилка. ");
        vec![five(), edited, five(), five()]
    };
    run("an edit that is taken back", reverted, 5, 2);
    let twice = [five(), five()].concat();
    run("every entry twice", vec![five(), twice.clone(), five(), twice.clone()], 5, 0);
    let mut otherwise = five();
    otherwise.extend(five().into_iter().map(|mut s| {
        s.text.push_str(" У рубриці");
        appended(&mut s.link, "?utm_source=rubric");
        s
    }));
    run("every entry twice, with another text", vec![five(), otherwise.clone(), otherwise], 5, 0);
    let undated: Vec<Story> = five().into_iter().map(|s| Story { date: None, ..s }).collect();
    let upside_down: Vec<Story> = undated.iter().rev().cloned().collect();
    run("no dates, and another order", vec![undated.clone(), upside_down, undated], 5, 0);
    for (one, other) in [("2 години тому", "3 години тому"), ("сьогодні, 09:05", "вчора, 09:05")]
    {
        let told = |word: &str| {
            let told = |s| Story { date: Some(word.to_owned()), guid: None, link: None, ..s };
            five().into_iter().map(told).collect::<Vec<_>>()
        };
        run("dates told from now, and nothing else", vec![told(one), told(other)], 5, 0);
    }
    let moved = |s: Story| Story {
        guid: Some(format!("cms-{}", s.number * 7)),
        link: Some(format!("https://rada.example/novyny/{}", s.number)),
        date: Some(date(50_000)),
        ..s
    };
    let moved: Vec<Story> = five().into_iter().map(moved).collect();
    run("a new site with the date of the move", vec![five(), moved.clone(), moved], 5, 0);
    let month_away = [vec![five()], vec![vec![story(90)]; 30], vec![five()]].concat();
    run("away for thirty polls", month_away, 6, 0);
}

#[test]
fn a_guid_that_names_the_place_is_no_identity() {
    // Every poll brings a story, and numbers all from the top anew.
    let mut site = Simulation::new();
    for poll in 1..=20 {
        let shown =
            (0..5).map(|place| with(poll + 4 - place, |s| s.guid = Some((place + 1).to_string())));
        site.poll(&shown.collect::<Vec<_>>(), "places as guids");
    }
    assert_eq!((site.total.added, site.total.updated), (24, 0));
}

#[test]
fn a_story_that_returns_when_its_feed_has_forgotten_it_is_still_one() {
    let mut site = Simulation::new();
    let first: Vec<Story> = (1..=3).map(story).collect();
    site.poll(&first, "the first");
    // So many later ones that the memory of the feed has room for no more.
    let mut later = site.articles().remove(0);
    later.first_seen += TimeDelta::hours(1);
    let changes = (0..KNOWN_MAX).map(|number| {
        let id = format!("later-{number}");
        let digest = |what: &str| Digest::of([what, &id]);
        let keys = Keys {
            entry: digest("entry"),
            link: Some(digest("link")),
            title: digest("title"),
            content: digest("content"),
        };
        let point = Some(story(number + 100).point());
        let id = ArticleId(digest("id"));
        Change::Added(Article { id, iri: format!("urn:{id}"), keys, point, ..later.clone() })
    });
    site.record(changes.collect());
    assert_eq!(site.remembered(), KNOWN_MAX);
    site.poll(&first, "the first again");
    let before = site.seen.len();
    let https: Vec<Story> = first
        .iter()
        .cloned()
        .map(|mut s| {
            of_guid(&mut s, "http://", "https://www.");
            of_link(&mut s, "http://", "https://www.");
            dated_anew(&mut s);
            s
        })
        .collect();
    site.poll(&https, "the first by https");
    assert_eq!(site.seen.len(), before);
}

#[test]
fn an_archive_that_is_sent_again_moves_nothing() {
    type Sending = (&'static str, Act);
    let sendings: [Sending; 4] = [
        ("new dates", dated_anew),
        ("new guids and new dates", |s| {
            s.guid = Some(format!("cms-{}", s.number * 7));
            dated_anew(s);
        }),
        ("new guids, https and new dates", |s| {
            s.guid = Some(format!("https://www.misto.example/node/{}", s.number));
            of_link(s, "http:", "https:");
            dated_anew(s);
        }),
        ("new guids and one date for all", |s| {
            s.guid = Some(format!("node-{}", s.number * 3));
            s.date = Some(date(50_000));
        }),
    ];
    let archive: Vec<Story> = (1..=500).map(story).collect();
    for (name, act) in sendings {
        let mut site = Simulation::new();
        site.poll(&archive, name);
        let again: Vec<Story> = archive.iter().map(|s| with(s.number, act)).collect();
        site.poll(&again, name);
        assert_eq!((site.total.added, site.total.updated), (500, 0), "{name}");
        let moved = site.updated.values().filter(|at| **at > start()).count();
        assert_eq!(moved, 0, "{name}");
    }
}
