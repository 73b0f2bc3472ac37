//! A site, its feed, and what a subscriber sees of it over many polls.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use tempfile::TempDir;
use tempfile::tempdir;
use tokio::runtime::Builder;
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
use visnyk::model::known::Change;
use visnyk::model::publication::Selection;
use visnyk::publish::atom::atom;
use visnyk::publish::sheet::Sheet;
use visnyk::publish::story::Apart;
use visnyk::publish::story::one_each;
use visnyk::serve::documents::imprint::masthead;
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
pub(crate) struct Story {
    pub(crate) number: usize,
    pub(crate) guid: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) date: Option<String>,
}

/// A story as most sites tell it.
pub(crate) fn story(number: usize) -> Story {
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

impl Story {
    pub(crate) fn point(&self) -> (f64, f64) {
        (f64::from(u32::try_from(self.number).unwrap()) / 1000.0, 0.0)
    }
}

pub(crate) fn date(minutes: i64) -> String {
    (start() - TimeDelta::days(40) + TimeDelta::minutes(minutes)).to_rfc2822()
}

pub(crate) fn start() -> DateTime<Utc> {
    "2026-10-01T06:00:00Z".parse().unwrap()
}

pub(crate) fn rss(stories: &[Story]) -> Vec<u8> {
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
        let (latitude, _) = story.point();
        write!(text, "<georss:point>{latitude} 0</georss:point></item>").unwrap();
    }
    text.push_str("</channel></rss>");
    text.into_bytes()
}

/// A feed, its store, and what a subscriber has seen so far.
pub(crate) struct Simulation {
    pub(crate) store: Store,
    pub(crate) feed: Arc<Feed>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) polls: usize,
    /// The story that each Atom id was first seen with, and when it was published.
    pub(crate) seen: BTreeMap<String, (usize, DateTime<Utc>)>,
    pub(crate) updated: BTreeMap<String, DateTime<Utc>>,
    pub(crate) total: Tally,
    pub(crate) runtime: Runtime,
    _folder: TempDir,
}

impl Simulation {
    pub(crate) fn new() -> Self {
        let folder = tempdir().unwrap();
        Self {
            store: Store::open(folder.path(), Vec::new()).unwrap(),
            feed: Arc::new(CONFIG.feeds.values().next().unwrap().clone()),
            now: start(),
            polls: 0,
            seen: BTreeMap::new(),
            updated: BTreeMap::new(),
            total: Tally::default(),
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
            _folder: folder,
        }
    }

    /// Polls once, an hour later, and holds what must hold after every poll.
    pub(crate) fn poll(&mut self, stories: &[Story], what: &str) -> Tally {
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

    /// Records what no document brought.
    pub(crate) fn record(&self, changes: Vec<Change>) {
        let commit =
            self.store.commit(Arc::clone(&self.feed), History::default(), changes, self.now);
        self.runtime.block_on(commit).unwrap();
    }

    /// How many articles the feed remembers.
    pub(crate) fn remembered(&self) -> usize {
        self.runtime.block_on(self.store.memory(&self.feed.id)).unwrap().len()
    }

    pub(crate) fn articles(&self) -> Vec<Article> {
        self.runtime.block_on(self.store.newest(&Selection::All, usize::MAX)).unwrap()
    }

    pub(crate) fn hold(&mut self, stories: &[Story], what: &str) {
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
        let document = atom(
            masthead(&CONFIG),
            &Sheet::front(&Selection::All, &one_each(newest, &Apart::default())),
        );
        let entries = String::from_utf8(document).unwrap().matches("<entry>").count();
        assert_eq!(entries, expected, "{what}: the document shows two stories as one");
    }
}

pub(crate) fn number(article: &Article) -> usize {
    let (latitude, _) = article.point.unwrap();
    format!("{:.0}", latitude * 1000.0).parse().unwrap()
}
