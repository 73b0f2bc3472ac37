//! Stories that are alike, and stay apart: to take two for one would lose one.

use crate::acts::with;
use crate::site::Simulation;
use crate::site::Story;
use crate::site::story;
use std::collections::BTreeSet;
use std::panic::catch_unwind;

/// A field, and what it is in the one story and in the other; nothing where it is empty.
type Field = (&'static str, &'static str, &'static str);

const DAY: Field = ("date", "25.09.2026", "25.09.2026");
const ALARM: Field = ("title", "Повітряна тривога", "Повітряна тривога");
const SHORT: Field = ("text", "Усі в укриття!", "Усі в укриття!");
const NO_GUID: Field = ("guid", "", "");
const NO_DATE: Field = ("date", "", "");
const NOTICE: Field = ("title", "Оголошення", "Оголошення");
const HEARING: Field = (
    "title",
    "Оголошення про проведення громадських слухань",
    "Оголошення про проведення громадських слухань",
);
const HOME: Field = ("link", "https://misto.example/", "https://www.misto.example");
const RUBRIC: Field = ("link", "https://misto.example/news", "https://misto.example/news");
const LONG: &str = "Міський голова приймає щовівторка у кабінеті на другому поверсі міської ради. \
    Запис за телефоном приймальні, документи слід мати з собою, прийом триває з дев’ятої до \
    дванадцятої години. Питання, які можна вирішити у центрі послуг, вирішують там.";

/// What is alike in two stories. Everything else differs.
const NEAR_MISSES: &[(&str, &[Field])] = &[
    ("one guid, two pages", &[("guid", "1", "1")]),
    ("the site as guid", &[("guid", "https://misto.example/", "https://misto.example/")]),
    ("the feed as guid", &[("guid", "https://misto.example/rss", "https://misto.example/rss")]),
    ("a word as guid", &[("guid", "новина", "новина")]),
    ("the place as guid", &[("guid", "01", "01")]),
    ("the place as guid, and a title", &[("guid", "01", "01"), HEARING]),
    ("the day as guid", &[("guid", "25.09.2026", "25.09.2026")]),
    ("the day as guid, in eight digits", &[("guid", "20260925", "20260925")]),
    ("the day as guid, and a month's name", &[("guid", "25-Sep-2026", "25-Sep-2026")]),
    ("the day as guid, and as date", &[("guid", "25.09.2026", "25.09.2026"), DAY]),
    ("the home page as link", &[HOME]),
    ("the home page as link, without guids", &[NO_GUID, HOME]),
    ("the page of a rubric as link", &[RUBRIC]),
    ("a rubric and a day", &[RUBRIC, DAY]),
    ("a rubric and a title", &[RUBRIC, NOTICE]),
    ("a rubric, a title and a day", &[RUBRIC, HEARING, DAY]),
    ("a rubric, without guids", &[NO_GUID, RUBRIC]),
    ("a rubric and a day, without guids", &[NO_GUID, RUBRIC, DAY]),
    ("a rubric, and the place as guid", &[("guid", "01", "01"), RUBRIC]),
    ("a rubric and a title, and the place as guid", &[("guid", "01", "01"), RUBRIC, NOTICE]),
    (
        "one page that is kept up to date",
        &[("link", "https://misto.example/grafik-2026", "https://misto.example/grafik-2026")],
    ),
    ("a title", &[NOTICE]),
    ("a title and a day", &[NOTICE, DAY]),
    ("a long title and a day", &[HEARING, DAY]),
    ("a title and a time", &[ALARM, ("date", "25.09.2026 10:05", "25.09.2026 10:05")]),
    ("a title and no date", &[HEARING, NO_DATE]),
    ("a short text", &[ALARM, SHORT]),
    ("a short text and a day", &[ALARM, SHORT, DAY]),
    ("a short text and no date", &[ALARM, SHORT, NO_DATE]),
    ("a short text on the home page", &[ALARM, SHORT, HOME]),
    ("this month's announcement", &[HEARING, ("text", LONG, LONG)]),
    ("this month's announcement, without guids", &[NO_GUID, HEARING, ("text", LONG, LONG)]),
    (
        "a translation",
        &[
            ("guid", "http://misto.example/?p=1", "http://misto.example/en/?p=1"),
            ("link", "http://misto.example/news/1-podiia", "http://misto.example/en/news/1-podiia"),
            ("title", "Громада святкує день міста", "The city celebrates its day"),
            ("date", "25.09.2026 10:05", "25.09.2026 10:05"),
        ],
    ),
    (
        "a page, but for its parameter",
        &[
            NO_GUID,
            (
                "link",
                "https://misto.example/index.php?id=1",
                "https://misto.example/index.php?id=2",
            ),
        ],
    ),
    (
        "a page, but for its sid",
        &[
            NO_GUID,
            ("link", "https://misto.example/a.php?sid=1", "https://misto.example/a.php?sid=2"),
        ],
    ),
    (
        "a guid, but for its fragment",
        &[("guid", "https://misto.example/news#1", "https://misto.example/news#2")],
    ),
    (
        "a page, but for its fragment",
        &[NO_GUID, ("link", "https://misto.example/news#1", "https://misto.example/news#2")],
    ),
    (
        "a page that is made in the browser",
        &[NO_GUID, ("link", "https://misto.example/#/news/1", "https://misto.example/#/news/2")],
    ),
    ("a title and a day, and nothing else", &[NO_GUID, ("link", "", ""), NOTICE, DAY]),
    ("nothing but texts", &[NO_GUID, ("link", "", ""), ("title", "", ""), NO_DATE]),
];

fn set(story: &mut Story, field: &str, value: &str) {
    let some = || Some(value.to_owned()).filter(|value| !value.is_empty());
    match field {
        "guid" => story.guid = some(),
        "link" => story.link = some(),
        "date" => story.date = some(),
        "title" => value.clone_into(&mut story.title),
        "text" => value.clone_into(&mut story.text),
        _ => panic!("{field}"),
    }
}

/// Two stories together, one after the other while the first is there, and when it is gone.
#[test]
fn stories_that_are_alike_stay_apart() {
    let mut polls = 0;
    let mut failures = Vec::new();
    for (name, fields) in NEAR_MISSES {
        let one = with(1, |story| fields.iter().for_each(|(field, one, _)| set(story, field, one)));
        let other =
            with(2, |story| fields.iter().for_each(|(field, _, other)| set(story, field, other)));
        // Beside others, since most sites show more than two.
        let beside: Vec<Story> = (50..54).map(story).collect();
        let document = |stories: &[&Story]| {
            stories.iter().copied().chain(&beside).cloned().collect::<Vec<_>>()
        };
        for (way, documents) in [
            ("together", vec![document(&[&one, &other]); 2]),
            (
                "side by side",
                vec![document(&[&one]), document(&[&other, &one]), document(&[&other])],
            ),
            ("one by one", vec![document(&[&one]), document(&[&other]), document(&[&one])]),
            ("alone", vec![vec![one.clone()], vec![other.clone()], vec![one.clone()]]),
        ] {
            let what = format!("{name}, {way}");
            let run = || {
                let mut site = Simulation::new();
                for document in documents.iter().chain([&document(&[&other, &one])]) {
                    site.poll(document, &what);
                }
                let stories: BTreeSet<usize> =
                    site.seen.values().map(|(number, _)| *number).filter(|n| *n < 50).collect();
                assert_eq!((stories.len(), site.total.updated), (2, 0), "{what}");
                site.polls
            };
            match catch_unwind(run) {
                Ok(ran) => polls += ran,
                Err(_) => failures.push(what),
            }
        }
    }
    println!("{} near misses in 4 ways, {polls} polls", NEAR_MISSES.len());
    assert_eq!(failures, Vec::<String>::new());
}
