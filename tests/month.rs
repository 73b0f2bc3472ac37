//! A month of a reader who polls a busy regional feed every half hour: what it costs, by what the
//! reader's software can do.
//!
//! Every kind of reader lives through the same days, over the real listener, and has to end with
//! the same articles in the same versions. `cargo test` simulates five days, and with
//! `MONTH_DAYS=30` in the environment the month (some minutes); `-- --nocapture` prints the table.
//! Bytes are those of whole answers, heads included.

use atom_syndication::Entry;
use atom_syndication::Feed;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use sample::at;
use sample::config;
use sample::plain;
use sample::sister_cities;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use visnyk::config::Config;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::id::Digest;
use visnyk::model::known::Change;
use visnyk::serve::Limits;
use visnyk::serve::documents::Documents;
use visnyk::serve::serve;
use visnyk::store::Store;

mod sample;

const FEED: &str = "/regions/kharkivska.atom";
const DAYS: i64 = 5;
const POLLS_A_DAY: i64 = 48;
const ARTICLES_A_DAY: i64 = 15;
/// Every how many articles one is edited two hours and a half later.
const EDITED: i64 = 5;
/// How many articles the document holds, as in the example feeds.toml.
const ENTRIES: usize = 50;
/// What the best reader may fetch of what the worst does, in percent.
const SHARE_MAX: f64 = 5.0;

/// What a reader's software can do.
struct Kind {
    name: &'static str,
    is_conditional: bool,
    codings: Option<&'static str>,
    takes_deltas: bool,
}

const KINDS: [Kind; 6] = [
    kind("none of it", false, None, false),
    kind("If-None-Match", true, None, false),
    kind("If-None-Match, gzip", true, Some("gzip"), false),
    kind("If-None-Match, br", true, Some("br"), false),
    kind("If-None-Match, A-IM: feed", true, None, true),
    kind("all of it", true, Some("br"), true),
];

const fn kind(
    name: &'static str,
    is_conditional: bool,
    codings: Option<&'static str>,
    takes_deltas: bool,
) -> Kind {
    Kind { name, is_conditional, codings, takes_deltas }
}

/// When an article last changed, and its title.
type Version = (DateTime<Utc>, String);

/// What stands in the documents that came: many readers get the same bytes.
type Readings = HashMap<Vec<u8>, Vec<(String, Version)>>;

/// A reader, what it has read, and what that took.
#[derive(Default)]
struct Reader {
    tag: Option<String>,
    versions: BTreeMap<String, Version>,
    answers: BTreeMap<u16, usize>,
    bytes: usize,
}

impl Reader {
    async fn poll(&mut self, address: SocketAddr, kind: &Kind, read: &mut Readings) {
        let mut asked = vec![format!("GET {FEED} HTTP/1.1\r\nHost: a\r\nConnection: close")];
        if let (true, Some(tag)) = (kind.is_conditional, &self.tag) {
            asked.push(format!("If-None-Match: {tag}"));
        }
        if let Some(codings) = kind.codings {
            asked.push(format!("Accept-Encoding: {codings}"));
        }
        if kind.takes_deltas {
            asked.push("A-IM: feed".to_owned());
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all((asked.join("\r\n") + "\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        self.take(&answer, kind, read);
    }

    fn take(&mut self, answer: &[u8], kind: &Kind, read: &mut Readings) {
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer has a head");
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.filter(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned()).next()
        };
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        self.bytes += answer.len();
        *self.answers.entry(status).or_default() += 1;
        self.tag = Some(header("etag").expect("every answer has an entity tag"));
        let body = &answer[end + 4..];
        match status {
            200 => assert_eq!(header("im"), None),
            226 => {
                assert!(kind.takes_deltas, "{} did not ask for a delta", kind.name);
                assert_eq!(header("im").as_deref(), Some("feed"));
            }
            304 => assert!(body.is_empty() && kind.is_conditional),
            other => panic!("{}: {other}", kind.name),
        }
        if status != 304 {
            let document = decoded(body, header("content-encoding").as_deref());
            for (iri, version) in read.entry(document).or_insert_with_key(entries) {
                let known = self.versions.insert(iri.clone(), version.clone());
                let is_news = known.as_ref() != Some(version);
                assert!(is_news || status != 226, "known already: {version:?}");
                assert!(known.is_none_or(|known| known.0 <= version.0), "an older version came");
            }
        }
    }
}

fn entries(document: &Vec<u8>) -> Vec<(String, Version)> {
    let feed = Feed::read_from(document.as_slice()).unwrap();
    let of = |entry: Entry| (entry.id, (entry.updated.to_utc(), entry.title.value));
    feed.entries.into_iter().map(of).collect()
}

fn decoded(body: &[u8], coding: Option<&str>) -> Vec<u8> {
    let mut decoded = Vec::new();
    match coding {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_end(&mut decoded),
        Some("br") => brotli::Decompressor::new(body, 4096).read_to_end(&mut decoded),
        None => Read::read_to_end(&mut &*body, &mut decoded),
        Some(other) => panic!("nobody asked for {other}"),
    }
    .unwrap();
    decoded
}

/// The site that is read.
struct Site {
    address: SocketAddr,
    documents: Documents,
    store: Store,
    config: Arc<Config>,
    stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Site {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = config();
        config.publishing.entries = ENTRIES;
        // Looking for copies of a story costs more than all else here, and there are none.
        config.feeds.values_mut().for_each(|feed| feed.unites = false);
        let config = Arc::new(config);
        let store = Store::open(&folder.path().join("store"), config.publications.clone()).unwrap();
        let documents = Documents::new(config.clone(), store.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            _ = stopped.await;
        };
        tokio::spawn(serve(listener, documents.clone(), Limits::default(), shutdown));
        Self { address, documents, store, config, stop, _folder: folder }
    }

    async fn commit(&self, changes: Vec<Change>, now: DateTime<Utc>) {
        let feed = self.config.feeds.values().find(|feed| feed.id.as_str() == "kharkiv").unwrap();
        let feed = Arc::new(feed.clone());
        let touched = self.store.commit(feed, History::default(), changes, now).await.unwrap();
        self.documents.touch(&touched);
    }
}

/// An article as long as the usual one, and as hard to compress: words of many syllables, none of
/// which stand in the same order twice.
fn article(number: i64, now: DateTime<Utc>) -> Article {
    let plain = plain("kharkiv", &format!("news-{number}"), 0);
    let (consonants, vowels) = ("бвгджзклмнпрстхш", "аеиоуіяю");
    let letters = |byte: u8| {
        let consonant = consonants.chars().nth(usize::from(byte / 16)).unwrap();
        [consonant, vowels.chars().nth(usize::from(byte % 8)).unwrap()]
    };
    let paragraph = |at: i64| {
        let sentence = |part: i64| {
            let digest = blake3::hash(format!("{number} {at} {part}").as_bytes());
            let syllables: Vec<[char; 2]> = digest.as_bytes().iter().map(|b| letters(*b)).collect();
            let words = syllables.chunks(3).map(|word| word.iter().flatten().collect::<String>());
            words.collect::<Vec<_>>().join(" ")
        };
        format!("<p>{}.</p>", (0..3).map(sentence).collect::<Vec<_>>().join(", "))
    };
    Article {
        id: plain.id,
        iri: plain.iri,
        keys: plain.keys,
        url: plain.url,
        title: format!("Новина {number}: рада ухвалила рішення"),
        body: (0..6).map(paragraph).collect(),
        published: now,
        updated: now,
        first_seen: now,
        ..sister_cities()
    }
}

fn edited(article: &Article, now: DateTime<Utc>) -> Article {
    let title = format!("{} (оновлено)", article.title);
    let mut keys = article.keys;
    keys.title = Digest::of([title.as_str()]);
    keys.content = Digest::of([title.as_str(), "content"]);
    Article { title, keys, updated: now, revision: article.revision + 1, ..article.clone() }
}

/// Whether an article comes out in a half hour of the day: one every hour from seven on.
fn is_written(slot: i64) -> bool {
    (14..14 + 2 * ARTICLES_A_DAY).contains(&slot) && slot % 2 == 0
}

#[tokio::test]
async fn a_month_of_polls_costs_the_best_reader_a_twentieth() {
    let days = std::env::var("MONTH_DAYS").map_or(DAYS, |days| days.parse().unwrap());
    let site = Site::start().await;
    let mut readers: Vec<Reader> = KINDS.iter().map(|_| Reader::default()).collect();
    let mut read = Readings::new();
    let mut written: Vec<Article> = Vec::new();
    let mut to_edit: BTreeMap<i64, usize> = BTreeMap::new();
    for slot in 0..days * POLLS_A_DAY {
        let now = at("2026-03-01T00:00:00Z") + TimeDelta::minutes(30 * slot);
        let mut changes = Vec::new();
        if let Some(place) = to_edit.remove(&slot) {
            written[place] = edited(&written[place], now);
            changes.push(Change::Updated(written[place].clone()));
        }
        if is_written(slot % POLLS_A_DAY) {
            let number = i64::try_from(written.len()).unwrap();
            written.push(article(number, now));
            changes.push(Change::Added(written[written.len() - 1].clone()));
            if number % EDITED == 0 {
                to_edit.insert(slot + 5, written.len() - 1);
            }
        }
        if !changes.is_empty() {
            site.commit(changes, now).await;
            read.clear();
        }
        for (reader, kind) in readers.iter_mut().zip(&KINDS) {
            reader.poll(site.address, kind, &mut read).await;
        }
    }
    let expected: BTreeMap<String, Version> = written
        .iter()
        .map(|article| (article.iri.clone(), (article.updated, article.title.clone())))
        .collect();
    assert_eq!(expected.len(), usize::try_from(days * ARTICLES_A_DAY).unwrap());
    show(&readers);
    for (reader, kind) in readers.iter().zip(&KINDS) {
        assert!(reader.versions == expected, "{} has other articles at the end", kind.name);
    }
    let [worst, .., best] = readers.as_slice() else { unreachable!() };
    let deltas = best.answers.get(&226).copied().unwrap_or(0);
    assert!(deltas > best.answers[&200], "{deltas} deltas");
    assert!(share(best, worst) < SHARE_MAX, "{:.2} % of the bytes", share(best, worst));
    site.stop.send(()).unwrap();
}

fn show(readers: &[Reader]) {
    println!("{:<26} {:>6} {:>6} {:>6} {:>12} {:>7}", "reader", "200", "226", "304", "bytes", "%");
    for (reader, kind) in readers.iter().zip(&KINDS) {
        let [full, delta, same] =
            [200, 226, 304].map(|status| reader.answers.get(&status).copied().unwrap_or(0));
        let share = share(reader, &readers[0]);
        println!(
            "{:<26} {full:>6} {delta:>6} {same:>6} {:>12} {share:>7.2}",
            kind.name, reader.bytes
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a month fit into 52 bits")]
fn share(one: &Reader, other: &Reader) -> f64 {
    one.bytes as f64 * 100.0 / other.bytes as f64
}
