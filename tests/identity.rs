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
    edited(story.guid.as_mut().unwrap(), from, to);
}

fn of_link(story: &mut Story, from: &str, to: &str) {
    edited(story.link.as_mut().unwrap(), from, to);
}

fn appended(text: &mut Option<String>, tail: &str) {
    text.as_mut().unwrap().push_str(tail);
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

/// A site does something to all of its stories, to one after another, or while they are away.
#[test]
fn what_a_site_does_to_its_stories_makes_no_story_twice() {
    let mut polls = 0;
    let mut failures = Vec::new();
    for (acts, edits) in [(NO_NEWS, 0), (EDITS, 5)] {
        for (name, act) in acts {
            for way in ["at once", "one by one", "while away"] {
                let what = format!("{name}, {way}");
                let run = || {
                    let mut site = Simulation::new();
                    let mut stories: Vec<Story> = (1..=5).map(story).collect();
                    site.poll(&stories, &what);
                    if way == "while away" {
                        site.poll(&[story(90)], &what);
                    }
                    for number in 0..5 {
                        act(&mut stories[number]);
                        if way == "one by one" {
                            site.poll(&stories, &what);
                        }
                    }
                    site.poll(&stories, &what);
                    site.poll(&stories, &what);
                    let added = if way == "while away" { 6 } else { 5 };
                    assert_eq!((site.total.added, site.total.updated), (added, edits), "{what}");
                    site.polls
                };
                match std::panic::catch_unwind(run) {
                    Ok(ran) => polls += ran,
                    Err(_) => failures.push(what),
                }
            }
        }
    }
    println!("{} stresses in 3 ways, {polls} polls", NO_NEWS.len() + EDITS.len());
    assert_eq!(failures, Vec::<String>::new());
}
