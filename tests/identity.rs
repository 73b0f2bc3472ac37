//! A subscriber sees each story once, and an edit as an edit, whatever a site does to its ids,
//! addresses and dates: feeds simulated over many polls, from bytes to what the store publishes.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use tempfile::TempDir;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Tally;
use visnyk::model::feed::Feed;
use visnyk::model::known::KNOWN_MAX;
use visnyk::model::publication::Selection;
use visnyk::publish::atom::atom;
use visnyk::publish::story::one_each;
use visnyk::serve::documents::masthead;
use visnyk::store::Store;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let feed = "[[feed]]\nid = \"misto\"\ntitle = \"Місто\"\nurl = \"https://misto.example/rss\"\n";
    parse("feeds.toml", feed, Path::new(".")).unwrap()
});

static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::new(&CONFIG.catalogue, &CONFIG.tags, &[]));

/// What a site says of a story. Its number is the truth that the site does not tell: it travels as
/// the latitude of a point, which nothing is known again by.
#[derive(Debug, Clone, PartialEq)]
struct Story {
    number: usize,
    guid: Option<String>,
    link: Option<String>,
    title: String,
    text: String,
    date: Option<String>,
}

/// A story as most sites tell it.
fn story(number: usize) -> Story {
    let text = format!("Міська рада повідомляє про подію {number}. ");
    Story {
        number,
        guid: Some(format!("http://misto.example/?p={number}")),
        link: Some(format!("http://misto.example/news/{number}-podiia")),
        title: format!("Новина номер {number} про життя громади міста"),
        text: text.repeat(8) + "Переглядів: 40. Оновлено: 24.11.2026 о 10:05",
        date: Some(date(i64::try_from(number).unwrap() * 61)),
    }
}

fn date(minutes: i64) -> String {
    (start() - TimeDelta::days(40) + TimeDelta::minutes(minutes)).to_rfc2822()
}

fn start() -> DateTime<Utc> {
    "2026-10-01T06:00:00Z".parse().unwrap()
}

fn rss(stories: &[Story]) -> Vec<u8> {
    let mut text = String::from(
        "<rss version=\"2.0\" xmlns:georss=\"http://www.georss.org/georss\"><channel>\
         <title>Місто</title><link>https://misto.example/</link><description>d</description>",
    );
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    for story in stories {
        text.push_str("<item>");
        let fields = [
            ("guid isPermaLink=\"false\"", story.guid.as_deref()),
            ("link", story.link.as_deref()),
            ("title", Some(story.title.as_str())),
            ("description", Some(story.text.as_str())),
            ("pubDate", story.date.as_deref()),
        ];
        for (name, value) in fields {
            let end = name.split(' ').next().unwrap();
            let value = value.filter(|value| !value.is_empty()).map(escaped);
            if let Some(value) = value {
                write!(text, "<{name}>{value}</{end}>").unwrap();
            }
        }
        let latitude = f64::from(u32::try_from(story.number).unwrap()) / 1000.0;
        write!(text, "<georss:point>{latitude} 0</georss:point></item>").unwrap();
    }
    text.push_str("</channel></rss>");
    text.into_bytes()
}

/// A feed, its store, and what a subscriber has seen so far.
struct Simulation {
    store: Store,
    feed: Arc<Feed>,
    now: DateTime<Utc>,
    polls: usize,
    /// The story that each Atom id was first seen with, and when it was published.
    seen: BTreeMap<String, (usize, DateTime<Utc>)>,
    updated: BTreeMap<String, DateTime<Utc>>,
    total: Tally,
    runtime: Runtime,
    _folder: TempDir,
}

impl Simulation {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        Self {
            store: Store::open(folder.path(), Vec::new()).unwrap(),
            feed: Arc::new(CONFIG.feeds.values().next().unwrap().clone()),
            now: start(),
            polls: 0,
            seen: BTreeMap::new(),
            updated: BTreeMap::new(),
            total: Tally::default(),
            runtime: Runtime::new().unwrap(),
            _folder: folder,
        }
    }

    /// Polls once, an hour later, and holds what must hold after every poll.
    fn poll(&mut self, stories: &[Story], what: &str) -> Tally {
        self.now += TimeDelta::hours(1);
        self.polls += 1;
        let document = Document {
            url: "https://misto.example/rss".parse().unwrap(),
            content_type: None,
            bytes: rss(stories),
        };
        let memory = self.runtime.block_on(self.store.memory(&self.feed.id)).unwrap();
        let read = ingest(&self.feed, &document, &memory, &CLASSIFIER, self.now).unwrap();
        let (feed, history) = (Arc::clone(&self.feed), History::default());
        let commit = self.store.commit(feed, history, read.changes, self.now);
        self.runtime.block_on(commit).unwrap();
        self.total.added += read.tally.added;
        self.total.updated += read.tally.updated;
        self.hold(stories, what);
        read.tally
    }

    fn articles(&self) -> Vec<Article> {
        self.runtime.block_on(self.store.newest(&Selection::All, usize::MAX)).unwrap()
    }

    fn hold(&mut self, stories: &[Story], what: &str) {
        let articles = self.articles();
        let mut ids = BTreeMap::new();
        for article in &articles {
            let number = number(article);
            let twice = ids.insert(number, article.iri.clone());
            assert_eq!(twice, None, "{what}: story {number} is there twice");
            let first = (number, article.published);
            let known = self.seen.entry(article.iri.clone()).or_insert(first);
            assert_eq!(*known, first, "{what}: {} became another, or moved", article.iri);
            let updated = self.updated.entry(article.iri.clone()).or_insert(article.updated);
            assert!(*updated <= article.updated, "{what}: {} went back in time", article.iri);
            *updated = article.updated;
        }
        assert_eq!(articles.len(), self.seen.len(), "{what}: an id disappeared");
        for story in stories {
            assert!(ids.contains_key(&story.number), "{what}: story {} is lost", story.number);
        }
        let newest: Vec<Article> = articles.into_iter().take(30).collect();
        let expected = newest.len();
        let document = atom(masthead(&CONFIG), &Selection::All, &one_each(newest));
        let entries = String::from_utf8(document).unwrap().matches("<entry>").count();
        assert_eq!(entries, expected, "{what}: the document shows two stories as one");
    }
}

fn number(article: &Article) -> usize {
    let (latitude, _) = article.point.unwrap();
    format!("{:.0}", latitude * 1000.0).parse().unwrap()
}

/// What a site does to one of its stories between two polls.
type Act = fn(&mut Story);

fn edited(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "{text} has no {from}");
    *text = text.replace(from, to);
}

fn of_guid(story: &mut Story, from: &str, to: &str) {
    story.guid = story.guid.as_ref().map(|guid| guid.replace(from, to));
}

fn of_link(story: &mut Story, from: &str, to: &str) {
    story.link = story.link.as_ref().map(|link| link.replace(from, to));
}

fn appended(address: &mut Option<String>, tail: &str) {
    if let Some(address) = address.as_mut().filter(|address| address.contains("//")) {
        address.push_str(tail);
    }
}

fn dated_anew(story: &mut Story) {
    story.date = Some(date(60 * 24 * 38 + i64::try_from(story.number).unwrap()));
}

/// What a site may do to a story without its being news, or an edit.
const NO_NEWS: &[(&str, Act)] = &[
    ("another guid", |s| s.guid = Some(format!("cms-{}", s.number * 7))),
    ("no guid any more", |s| s.guid = None),
    ("a guid that is the link", |s| s.guid.clone_from(&s.link)),
    ("a guid by https", |s| of_guid(s, "http:", "https:")),
    ("a guid with www", |s| of_guid(s, "//", "//www.")),
    ("a guid that tracks", |s| appended(&mut s.guid, "&utm_source=rss&fbclid=1")),
    ("a guid with a session", |s| appended(&mut s.guid, "&PHPSESSID=0123456789abcdef")),
    ("a link by https", |s| of_link(s, "http:", "https:")),
    ("a link with www", |s| of_link(s, "//", "//www.")),
    ("a slash behind the link", |s| appended(&mut s.link, "/")),
    ("a fragment behind the link", |s| appended(&mut s.link, "#comments")),
    ("a link that tracks", |s| {
        appended(&mut s.link, "?utm_medium=rss&gclid=1&yclid=2&fbclid=3&ref=rss");
    }),
    ("a link with a session", |s| {
        appended(&mut s.link, ";jsessionid=0A1B?sid=0123456789abcdef0123456789abcdef");
    }),
    ("a link that is written otherwise", |s| of_link(s, "podiia", "%70odiia")),
    ("https and www, guid and link", |s| {
        of_guid(s, "http://", "https://www.");
        of_link(s, "http://", "https://www.");
    }),
    ("another host", |s| of_link(s, "misto.example", "misto-rada.example")),
    ("another page", |s| s.link = Some(format!("https://misto.example/novyny/{}", s.number))),
    ("no link any more", |s| s.link = None),
    ("another guid and another page", |s| {
        s.guid = Some(format!("cms-{}", s.number * 7));
        s.link = Some(format!("https://misto.example/novyny/{}", s.number));
    }),
    ("another date", dated_anew),
    ("another guid and another date", |s| {
        s.guid = Some(format!("cms-{}", s.number * 7));
        dated_anew(s);
    }),
    ("another guid, https and another date", |s| {
        s.guid = Some(format!("https://www.misto.example/node/{}", s.number));
        of_link(s, "http:", "https:");
        dated_anew(s);
    }),
    ("no date any more", |s| s.date = None),
    ("a date in the feed's zone", |s| s.date = Some("сьогодні, 09:05".to_owned())),
    ("a counter of views", |s| edited(&mut s.text, "40.", "4 087.")),
    ("the time of the poll", |s| edited(&mut s.text, "24.11.2026 о 10:05", "25 листопада о 14:16")),
];

/// What a site may do to a story that a reader sees.
const EDITS: &[(&str, Act)] = &[
    ("a typo in the title", |s| edited(&mut s.title, "життя", "життє")),
    ("a typo in the text", |s| edited(&mut s.text, "подію", "подіі")),
    ("another time in the text", |s| s.text.push_str("Початок о 15:00.")),
    ("title and guid, which is its digest", |s| {
        edited(&mut s.title, "життя", "життє");
        s.guid = Some(format!("{:x}", s.title.len() * 31 + s.number));
    }),
    ("title and link", |s| {
        edited(&mut s.title, "життя", "життє");
        of_link(s, "podiia", "podiya");
    }),
    ("text and guid", |s| {
        edited(&mut s.text, "подію", "подіі");
        s.guid = Some(format!("cms-{}", s.number * 7));
    }),
    ("text, guid and page", |s| {
        edited(&mut s.text, "подію", "подіі");
        s.guid = Some(format!("cms-{}", s.number * 7));
        s.link = Some(format!("https://misto.example/novyny/{}", s.number));
    }),
    ("text and date", |s| {
        edited(&mut s.text, "подію", "подіі");
        dated_anew(s);
    }),
];

/// How a site tells its stories.
const KINDS: &[(&str, Act)] = &[
    ("most", |_| {}),
    ("days for dates", |s| s.date = s.date.as_ref().map(|date| date[..16].to_owned())),
    ("no dates", |s| s.date = None),
    ("numbers as guids", |s| s.guid = Some(format!("{}", 40_000 + s.number))),
    ("small numbers as guids", |s| s.guid = Some(format!("{}", 40 + s.number))),
    ("no guids", |s| s.guid = None),
    ("no links", |s| s.link = None),
    ("the home page as link", |s| s.link = Some("https://misto.example/".to_owned())),
    ("short texts", |s| {
        s.text = format!(
            "Подія {}, подію відвідали. Переглядів: 40. Оновлено: 24.11.2026 о 10:05",
            s.number
        )
    }),
];

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
                    match std::panic::catch_unwind(|| stress(*told, *act, way, edits, &what)) {
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
        act(&mut stories[number]);
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

fn with(number: usize, act: impl FnOnce(&mut Story)) -> Story {
    let mut story = story(number);
    act(&mut story);
    story
}

/// What is alike in a story and the first: nothing of it makes the two one.
fn near_misses() -> Vec<(&'static str, [Act; 2])> {
    let home = |s: &mut Story| s.link = Some("https://misto.example/".to_owned());
    let none: Act = |_| {};
    vec![
        ("one guid, two pages", [|s| s.guid = Some("1".to_owned()); 2]),
        (
            "one long guid, which is the site",
            [|s| s.guid = Some("https://misto.example/".to_owned()); 2],
        ),
        ("the feed as guid", [|s| s.guid = Some("https://misto.example/rss".to_owned()); 2]),
        ("a guid without a number", [|s| s.guid = Some("новина".to_owned()); 2]),
        ("the place as guid", [|s| s.guid = Some("01".to_owned()); 2]),
        ("the day as guid", [|s| s.guid = Some("25.09.2026".to_owned()); 2]),
        ("the home page as link", [home; 2]),
        (
            "the page of a rubric as link",
            [|s| s.link = Some("https://misto.example/news".to_owned()); 2],
        ),
        (
            "a rubric and a day in common",
            [|s| {
                s.link = Some("https://misto.example/news".to_owned());
                s.date = Some("25.09.2026".to_owned());
            }; 2],
        ),
        (
            "one page that is kept up to date, two guids",
            [|s| {
                s.link = Some("https://misto.example/grafik-vidkliuchen-2026".to_owned());
            }; 2],
        ),
        ("a title in common", [|s| s.title = "Оголошення".to_owned(); 2]),
        (
            "a title and a day in common",
            [|s| {
                s.title = "Оголошення".to_owned();
                s.date = Some("25.09.2026".to_owned());
            }; 2],
        ),
        (
            "a long title and a day in common",
            [|s| {
                s.title = "Оголошення про проведення громадських слухань".to_owned();
                s.date = Some("25.09.2026".to_owned());
            }; 2],
        ),
        (
            "a title and a time in common",
            [|s| {
                s.title = "Повітряна тривога".to_owned();
                s.date = Some("25.09.2026 10:05".to_owned());
            }; 2],
        ),
        (
            "a short text in common",
            [|s| {
                s.title = "Повітряна тривога".to_owned();
                s.text = "Усі в укриття!".to_owned();
            }; 2],
        ),
        (
            "a short text and a day in common",
            [|s| {
                s.title = "Повітряна тривога".to_owned();
                s.text = "Усі в укриття!".to_owned();
                s.date = Some("25.09.2026".to_owned());
            }; 2],
        ),
        (
            "a short text on the home page",
            [|s| {
                s.title = "Повітряна тривога".to_owned();
                s.text = "Усі в укриття!".to_owned();
                s.link = Some("https://misto.example".to_owned());
            }; 2],
        ),
        (
            "this month's announcement",
            [|s| {
                s.title = "Запрошуємо на особистий прийом громадян".to_owned();
                s.text = "Міський голова приймає щовівторка. ".repeat(10);
            }; 2],
        ),
        (
            "no date and a title in common",
            [|s| {
                s.title = "Оголошення про проведення громадських слухань".to_owned();
                s.date = None;
            }; 2],
        ),
        (
            "a translation",
            [none, |s| {
                let other = story(1);
                s.date = other.date;
                s.title = "News number one about the life of the city".to_owned();
                s.link = Some("http://misto.example/en/news/1-podiia".to_owned());
                s.guid = Some("http://misto.example/en/?p=1".to_owned());
            }],
        ),
        (
            "one page, told apart by its parameter",
            [
                |s| {
                    s.guid = None;
                    s.link = Some("https://misto.example/index.php?id=1".to_owned());
                },
                |s| {
                    s.guid = None;
                    s.link = Some("https://misto.example/index.php?id=2".to_owned());
                },
            ],
        ),
        (
            "one page, told apart by its sid",
            [
                |s| {
                    s.guid = None;
                    s.link = Some("https://misto.example/article.php?sid=1".to_owned());
                },
                |s| {
                    s.guid = None;
                    s.link = Some("https://misto.example/article.php?sid=2".to_owned());
                },
            ],
        ),
        (
            "ids told apart by their fragment",
            [
                |s| s.guid = Some("https://misto.example/news#1".to_owned()),
                |s| s.guid = Some("https://misto.example/news#2".to_owned()),
            ],
        ),
        (
            "pages told apart by their fragment, without ids",
            [
                |s| {
                    s.guid = None;
                    s.link = Some("https://misto.example/news#1".to_owned());
                },
                |s| {
                    s.guid = None;
                    s.link = Some("https://misto.example/news#2".to_owned());
                },
            ],
        ),
        (
            "nothing but a title and a day in common",
            [|s| {
                (s.guid, s.link) = (None, None);
                s.title = "Оголошення".to_owned();
                s.date = Some("25.09.2026".to_owned());
            }; 2],
        ),
        (
            "nothing but texts",
            [|s| {
                (s.guid, s.link, s.date) = (None, None, None);
                s.title = String::new();
            }; 2],
        ),
    ]
}

/// Two stories together, one after the other while the first is there, and when it is gone.
#[test]
fn stories_that_are_alike_stay_apart() {
    let mut polls = 0;
    let mut failures = Vec::new();
    for (name, [one, other]) in near_misses() {
        let one = with(1, one);
        let other = with(2, other);
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
            match std::panic::catch_unwind(run) {
                Ok(ran) => polls += ran,
                Err(_) => failures.push(what),
            }
        }
    }
    println!("{} near misses in 4 ways, {polls} polls", near_misses().len());
    assert_eq!(failures, Vec::<String>::new());
}

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
    let title = |s: &mut Story, n: usize| s.title.push_str(&format!(" ({n})"));
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
    let mut counted = five();
    counted.extend(five().into_iter().map(|mut s| {
        s.text.push_str(" У рубриці");
        appended(&mut s.link, "?utm_source=rubric");
        s
    }));
    run("every entry twice, with another text", vec![five(), counted.clone(), counted], 5, 0);
    let undated: Vec<Story> = five().into_iter().map(|s| Story { date: None, ..s }).collect();
    let reversed: Vec<Story> = undated.iter().rev().cloned().collect();
    run("no dates, and another order", vec![undated.clone(), reversed, undated], 5, 0);
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

/// A thing that a site does to a story, in a long life of the feed.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// By its place in [`NO_NEWS`].
    Harmless(usize),
    /// The text.
    Edit,
    /// The title.
    Rename,
    /// Out of the window.
    Away,
    /// Into it again.
    Back,
    /// To another place in the document.
    Up,
    /// Twice in the document.
    Twice,
    /// A new story like it: the same title, another guid, page, text and date.
    Namesake,
}

fn any_event() -> impl Strategy<Value = (usize, Event)> {
    let event = prop_oneof![
        8 => (0..NO_NEWS.len()).prop_map(Event::Harmless),
        3 => Just(Event::Edit),
        1 => Just(Event::Rename),
        2 => Just(Event::Away),
        3 => Just(Event::Back),
        1 => Just(Event::Up),
        1 => Just(Event::Twice),
        1 => Just(Event::Namesake),
    ];
    (0..64_usize, event)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// At each poll the site does something to some of its stories, one thing to each.
    #[test]
    fn after_any_life_of_a_feed_each_story_is_there_once(
        kinds in prop::collection::vec(0..KINDS.len(), 1..12),
        polls in prop::collection::vec(prop::collection::vec(any_event(), 0..6), 1..25),
    ) {
        let mut site = Simulation::new();
        let told = kinds.iter().enumerate();
        let mut all: Vec<Life> =
            told.map(|(at, kind)| Life::of(with(at + 1, KINDS[*kind].1))).collect();
        for (poll, events) in polls.iter().enumerate() {
            let mut twice = Vec::new();
            for (which, event) in events {
                let which = which % all.len();
                let number = all.len() + 1;
                let life = &mut all[which];
                match event {
                    Event::Harmless(act) => life.change(NO_NEWS[*act].1),
                    Event::Edit => life.story.text.insert_str(0, &format!("Правка {poll}. ")),
                    Event::Rename => life.change(|story| story.title.push('!')),
                    Event::Away => life.is_shown = false,
                    Event::Back => life.is_shown = true,
                    Event::Up => all.rotate_left(1),
                    Event::Twice => twice.push(life.story.number),
                    Event::Namesake => {
                        let title = life.story.title.clone();
                        all.push(Life::of(with(number, |story| story.title = title)));
                    }
                }
            }
            let mut document = Vec::new();
            for life in all.iter_mut().filter(|life| life.is_shown) {
                life.sent = Some(life.story.clone());
                document.push(life.story.clone());
            }
            let again = document.iter().filter(|story| twice.contains(&story.number));
            let again: Vec<Story> = again.cloned().collect();
            document.extend(again);
            site.poll(&document, &format!("poll {poll}"));
        }
        let added = usize::try_from(site.total.added).unwrap();
        prop_assert_eq!(added, site.seen.len());
    }
}

/// A story as its site has it now, and as it sent it last.
struct Life {
    story: Story,
    sent: Option<Story>,
    is_shown: bool,
}

impl Life {
    fn of(story: Story) -> Self {
        Self { story, sent: None, is_shown: true }
    }

    /// Does something, unless it would leave nothing by which the story can be known again.
    fn change(&mut self, act: impl Fn(&mut Story)) {
        let mut next = self.story.clone();
        act(&mut next);
        if self.sent.as_ref().is_none_or(|sent| is_told(sent, &next)) {
            self.story = next;
        }
    }
}

/// Whether the id stays, or with the title the page.
fn is_told(old: &Story, new: &Story) -> bool {
    let is_same = |old: &Option<String>, new: &Option<String>| {
        old.as_deref().map(plain).filter(|old| old.len() > 3) == new.as_deref().map(plain)
    };
    let has_page = old.link.as_deref().map(plain).is_some_and(|link| link != "misto.example");
    (old.guid.is_some() && is_same(&old.guid, &new.guid))
        || (has_page && is_same(&old.link, &new.link) && old.title == new.title)
}

/// An address without what [`NO_NEWS`] does to it.
fn plain(address: &str) -> String {
    let end = ["&utm", "?utm", "&PHPSESSID", ";jsessionid", "#comments"];
    let end = end.iter().filter_map(|tail| address.find(tail)).min().unwrap_or(address.len());
    let bare = address[..end].replace("https://", "").replace("http://", "").replace("www.", "");
    bare.replace("%70", "p").trim_end_matches('/').to_owned()
}

#[test]
fn a_story_that_returns_when_its_feed_has_forgotten_it_is_still_one() {
    let mut site = Simulation::new();
    let first: Vec<Story> = (1..=3).map(story).collect();
    site.poll(&first, "the first");
    // So many later ones that the memory of the feed has room for no more.
    let mut number = 100;
    while site.seen.len() < KNOWN_MAX + 3 {
        let stories: Vec<Story> = (number..number + 2000).map(story).collect();
        number += 2000;
        site.poll(&stories, "the later");
    }
    let memory = site.runtime.block_on(site.store.memory(&site.feed.id)).unwrap();
    assert_eq!(memory.len(), KNOWN_MAX);
    let before = site.seen.len();
    site.poll(&first, "the first again");
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
        site.poll(&again, name);
        assert_eq!((site.total.added, site.total.updated), (500, 0), "{name}");
        let moved = site.updated.values().filter(|at| **at > start()).count();
        assert_eq!(moved, 0, "{name}");
    }
}
