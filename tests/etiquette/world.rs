//! A daemon in a world whose clock is ours: the real agenda, poller and store, and one server on
//! loopback that plays every publisher, each at an address of its own.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::response::Response;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use http::HeaderMap;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use tokio::net::TcpListener;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::daemon::poller;
use visnyk::model::clock::Clock;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Outcome;
use visnyk::model::feed::Feed;
use visnyk::model::id::FeedId;
use visnyk::model::publication::Selection;
use visnyk::schedule::agenda::Agenda;
use visnyk::store::Store;

/// How long the world goes on.
pub(crate) const WEEKS: usize = 3;
/// After so long the daemon is started anew, with nothing but its store.
const RESTART_EVERY: TimeDelta = TimeDelta::hours(101);

/// A Monday.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// A request that a publisher received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: DateTime<Utc>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    /// The bytes of a header, if it was sent once.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} was sent twice");
        Some(value.as_bytes())
    }
}

/// A rule of etiquette: a publisher, and what the requests that it received must have been.
pub(crate) struct Rule {
    /// What is asked of a client, in a line.
    pub(crate) name: &'static str,
    /// Who asks it.
    pub(crate) source: &'static str,
    /// How many feeds lie at this publisher: at `/0`, `/1` and so on.
    pub(crate) feeds: usize,
    /// More lines for each feed in feeds.toml.
    pub(crate) settings: &'static str,
    /// How the publisher answers; none if it takes no connection.
    pub(crate) answer: Option<fn(&Asked, usize) -> Response>,
    /// What is wrong with the requests, if anything is.
    pub(crate) check: fn(&Record) -> Result<(), String>,
}

/// What happened at one publisher.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The requests, in order.
    pub(crate) asked: Vec<Asked>,
    /// The polls of its feeds: when each began, and how it ended.
    pub(crate) polls: Vec<(DateTime<Utc>, Outcome)>,
    /// How many articles its feeds have in the end.
    pub(crate) articles: usize,
}

struct Publishers {
    rules: &'static [Rule],
    now: Arc<AtomicI64>,
    asked: Vec<Mutex<Vec<Asked>>>,
}

/// Lets the daemon live for three weeks, and gives what happened at each publisher.
pub(crate) async fn live(rules: &'static [Rule]) -> Vec<Record> {
    let now = Arc::new(AtomicI64::new(start().timestamp_millis()));
    let asked = rules.iter().map(|_| Mutex::default()).collect();
    let publishers = Arc::new(Publishers { rules, now: Arc::clone(&now), asked });
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(answer).with_state(Arc::clone(&publishers));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let config = config(rules, port);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let clock_now = Arc::clone(&now);
    let clock = Clock::new(move || {
        DateTime::from_timestamp_millis(clock_now.load(Ordering::SeqCst)).unwrap()
    });
    let poller = poller(&config, store.clone(), clock.clone()).unwrap();
    let feeds: Vec<Arc<Feed>> = config.feeds.into_values().map(Arc::new).collect();
    let (mut agenda, mut started) = (agenda(&feeds, &store, start()).await, start());
    let mut polls: BTreeMap<FeedId, Vec<_>> = BTreeMap::new();
    let end = start() + TimeDelta::weeks(i64::try_from(WEEKS).unwrap());
    while let Some(wake) = agenda.next_wake().filter(|at| *at < end) {
        // The clock has no finer parts than milliseconds.
        now.fetch_max(wake.timestamp_millis() + 1, Ordering::SeqCst);
        if clock.now() - started > RESTART_EVERY {
            (agenda, started) = (self::agenda(&feeds, &store, clock.now()).await, clock.now());
        }
        for feed in agenda.due(clock.now()) {
            let history = poller.poll(&feed).await.unwrap().history;
            let last = history.polls.last().unwrap();
            polls.entry(feed.id.clone()).or_default().push((last.at, last.outcome.clone()));
            // What a poll takes: a second of the world's time.
            now.fetch_add(1_000, Ordering::SeqCst);
            agenda.ended(&feed.id, &history, clock.now());
        }
    }
    server.abort();
    let mut records = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let mut record = Record::default();
        record.asked.clone_from(&publishers.asked[number].lock().unwrap());
        for feed in 0..rule.feeds {
            let id = feed_id(number, feed);
            record.polls.extend(polls.remove(&id).unwrap_or_default());
            let shelf = store.shelf(&Selection::Source(id)).await.unwrap();
            record.articles += shelf.map_or(0, |shelf| usize::try_from(shelf.count).unwrap());
        }
        record.polls.sort_by_key(|(at, _)| *at);
        records.push(record);
    }
    drop(poller);
    store.close().await.unwrap();
    records
}

async fn agenda(feeds: &[Arc<Feed>], store: &Store, now: DateTime<Utc>) -> Agenda {
    let histories: BTreeMap<FeedId, History> = store.histories().await.unwrap();
    Agenda::new(feeds.iter().cloned(), &histories, now)
}

fn feed_id(rule: usize, feed: usize) -> FeedId {
    FeedId::new(&format!("rule-{rule}-{feed}")).unwrap()
}

/// The address of the publisher of a rule; nobody listens at the one that takes no connection.
fn host(rule: usize) -> String {
    format!("127.1.{}.1", rule + 1)
}

fn config(rules: &[Rule], port: u16) -> Config {
    let mut text =
        "[site]\naddress = \"https://visnyk.example/\"\ncontact = \"admin@visnyk.example\"\n\
         readers = 12\n[polling]\nschedule = \"0 */2 * * *\"\nhost_pause = \"0s\"\n"
            .to_owned();
    for (number, rule) in rules.iter().enumerate() {
        let port = if rule.answer.is_some() { port } else { 1 };
        for feed in 0..rule.feeds {
            write!(
                text,
                "[[feed]]\nid = \"{}\"\ntitle = \"{}\"\nurl = \"http://{}:{port}/{feed}\"\n\
                 allow_private = true\n{}\n",
                feed_id(number, feed),
                rule.name,
                host(number),
                rule.settings
            )
            .unwrap();
        }
    }
    parse("feeds.toml", &text, Path::new(".")).unwrap_or_else(|problems| panic!("{problems}"))
}

async fn answer(State(publishers): State<Arc<Publishers>>, request: Request) -> Response<Body> {
    let host = request.headers()["host"].to_str().unwrap().to_owned();
    let number: usize = host.split('.').nth(2).unwrap().parse().unwrap();
    let at = publishers.now.load(Ordering::SeqCst);
    let asked = Asked {
        at: DateTime::from_timestamp_millis(at).unwrap(),
        method: request.method().to_string(),
        path: request.uri().to_string(),
        headers: request.headers().clone(),
    };
    let count = {
        let mut record = publishers.asked[number - 1].lock().unwrap();
        record.push(asked.clone());
        record.len() - 1
    };
    publishers.rules[number - 1].answer.map(|answer| answer(&asked, count)).unwrap()
}
