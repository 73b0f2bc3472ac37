//! Killed at any moment, the store has everything that it acknowledged, and nothing by halves.
//!
//! The test runs itself again as a child, which commits from several feeds at once and says on
//! its output what was acknowledged, until it is killed. A killed process keeps what the system
//! has taken over, so this proves atomicity and order, not that a power cut costs nothing.

use crate::material::article;
use crate::material::at;
use crate::material::document;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::material::provenance;
use crate::material::publication;
use std::collections::BTreeMap;
use std::env;
use std::hash::BuildHasher;
use std::hash::Hasher;
use std::hash::RandomState;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Kept;
use visnyk::model::known::Change;
use visnyk::model::known::Harvest;
use visnyk::model::publication::Publication;
use visnyk::model::revision::Trail;
use visnyk::model::revision::Words;
use visnyk::model::revision::between;
use visnyk::store::Store;

const KILLS: usize = 25;
const ARTICLES: u32 = 6;
const FEEDS: [&str; 4] = ["kyiv", "lviv", "odesa", "sumy"];
const CHILD: &str = "VISNYK_CRASH_TEST_DIRECTORY";

fn composed() -> Vec<Publication> {
    vec![publication("some", "a")]
}

/// The articles of a feed's nth poll; `later` as the next poll leaves them.
fn batch(name: &str, n: u32, later: bool) -> Vec<Article> {
    let of_key = |key: u32| {
        let mut article = article(name, &format!("{n}-{key}"), i64::from(n));
        article.labels = labels("r:kyivska t:a");
        if later && key == 0 {
            "Виправлено".clone_into(&mut article.title);
            article.updated = at(i64::from(n) + 1);
        }
        if later && key == 1 {
            article.labels = labels("r:lvivska t:b");
        }
        article
    };
    (0..ARTICLES).map(of_key).collect()
}

/// Everything that a feed's nth poll changes.
fn changes(name: &str, n: u32) -> Vec<Change> {
    let mut changes: Vec<Change> = batch(name, n, false).into_iter().map(Change::Added).collect();
    if n > 1 {
        let mut before = batch(name, n - 1, true).into_iter();
        changes.extend(before.next().map(Change::Updated));
        changes.extend(before.next().map(Change::Relabelled));
    }
    changes
}

async fn write_until_killed(directory: &Path) {
    let store = Store::open(directory, composed()).unwrap();
    let writers = FEEDS.map(|name| {
        let store = store.clone();
        tokio::spawn(async move {
            // The history counts the polls, in a field that a test is free to use.
            let from = store.history(&feed_id(name)).await.unwrap().failures + 1;
            for n in from.. {
                let history = History { failures: n, ..History::default() };
                let changes = changes(name, n);
                let added = changes.iter().filter_map(|change| match change {
                    Change::Added(article) => Some((article.id, provenance(article))),
                    _ => None,
                });
                let harvest = Harvest {
                    provenances: added.collect(),
                    document: Some(Arc::new(document(name, n as usize))),
                    changes,
                };
                store.commit(feed(name), history, harvest, at(i64::from(n))).await.unwrap();
                println!("acknowledged {name} {n}");
            }
        })
    });
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Runs a child for `acknowledgements`, and a little longer; gives the last of each feed.
fn run_and_kill(
    directory: &Path,
    acknowledgements: usize,
    longer: Duration,
) -> BTreeMap<String, u32> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["crash::a_killed_store_has_all_that_it_acknowledged", "--exact", "--nocapture"])
        .env(CHILD, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut last = BTreeMap::new();
    let mut note = |line: String| {
        // The test harness may have begun the line with words of its own.
        let (_, said) = line.split_once("acknowledged ")?;
        let (name, n) = said.split_once(' ')?;
        last.insert(name.to_owned(), n.parse::<u32>().ok()?)
    };
    let mut seen = 0;
    for line in lines.by_ref() {
        seen += usize::from(line.contains("acknowledged "));
        note(line);
        if seen >= acknowledgements {
            break;
        }
    }
    assert_eq!(seen, acknowledgements, "the child ended by itself");
    // A moment that no event of the child decides.
    thread::sleep(longer);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before it was killed counts too.
    lines.for_each(|line| {
        note(line);
    });
    last
}

async fn check(directory: &Path, acknowledged: &BTreeMap<String, u32>) {
    let store = Store::open(directory, composed()).unwrap();
    assert_eq!(store.audit().await, Ok(Vec::new()));
    for name in FEEDS {
        let polls = store.history(&feed_id(name)).await.unwrap().failures;
        let promised = acknowledged.get(name).copied().unwrap_or(0);
        assert!(polls >= promised, "{name}: {promised} acknowledged, {polls} there");
        for n in 1..=polls {
            for article in batch(name, n, n < polls) {
                let stored = store.article(article.id).await.unwrap();
                assert_eq!(stored, Some(article), "{name} {n} of {polls}");
            }
        }
        let kept = store.kept(&feed_id(name)).await.unwrap();
        let document = (polls > 0).then(|| document(name, polls as usize));
        assert_eq!(kept.and_then(Kept::document), document, "{name} {polls}: its document");
        for n in 1..=polls {
            for (first, last) in batch(name, n, false).iter().zip(batch(name, n, n < polls)) {
                let (words, then) = (&mut Words::of_commit(), at(i64::from(n) + 1));
                let revisions = between(first, &last, words, then).into_iter().collect();
                let provenance = Some(provenance(first));
                let trail = Trail { provenance, revisions, forgotten: 0 };
                assert_eq!(store.trail(first.id).await.unwrap(), trail, "{name} {n} of {polls}");
            }
        }
        for article in batch(name, polls + 1, false) {
            assert_eq!(store.article(article.id).await.unwrap(), None, "{name} {polls} is torn");
        }
    }
    store.close().await.unwrap();
}

#[test]
fn a_killed_store_has_all_that_it_acknowledged() {
    if let Some(directory) = env::var_os(CHILD) {
        Runtime::new().unwrap().block_on(write_until_killed(Path::new(&directory)));
        return;
    }
    let folder = tempdir().unwrap();
    let chance = RandomState::new();
    let mut acknowledged = BTreeMap::new();
    for round in 0..KILLS {
        let mut hasher = chance.build_hasher();
        hasher.write_usize(round);
        let chance = hasher.finish();
        let acknowledgements = 1 + usize::try_from(chance % 40).unwrap();
        let longer = Duration::from_micros((chance >> 32) % 20_000);
        acknowledged.extend(run_and_kill(folder.path(), acknowledgements, longer));
        Runtime::new().unwrap().block_on(check(folder.path(), &acknowledged));
    }
    assert_eq!(acknowledged.len(), FEEDS.len());
}
