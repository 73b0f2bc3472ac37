//! Killed at any moment of a retention and a compaction, the store has everything that it
//! acknowledged, and is one whole store.
//!
//! The test runs itself again as a child, as `crash` does, which commits, drops what is old and
//! writes the store anew, slice by slice in turn, until it is killed.

use crate::material::article;
use crate::material::at;
use crate::material::feed;
use crate::material::feed_id;
use crate::material::labels;
use crate::retention::drop_all;
use crate::retention::kept;
use std::env;
use std::fs;
use std::hash::BuildHasher;
use std::hash::Hasher;
use std::hash::RandomState;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use tempfile::tempdir;
use tokio::runtime::Runtime;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::known::Change;
use visnyk::store::Store;
use visnyk::store::copying::Step;
use visnyk::store::retain::Act;
use visnyk::store::retain::Pass;

const KILLS: usize = 12;
const CHILD: &str = "VISNYK_UPKEEP_CRASH_TEST_DIRECTORY";
const ARTICLES: u32 = 5;
const DAY: i64 = 24 * 60 * 60;
/// An article is kept for so many polls, one of which is made a day.
const KEPT: u32 = 10;

fn batch(n: u32) -> Vec<Article> {
    let of_key = |key: u32| Article {
        labels: labels("r:kyivska t:a"),
        ..article("kyiv", &format!("{n}-{key}"), i64::from(n) * DAY)
    };
    (0..ARTICLES).map(of_key).collect()
}

async fn work_until_killed(directory: &Path) {
    let store = Store::open(directory, Vec::new()).unwrap();
    let from = store.history(&feed_id("kyiv")).await.unwrap().failures + 1;
    let mut pass: Option<Pass> = None;
    let mut copies = false;
    for n in from.. {
        let history = History { failures: n, ..History::default() };
        let changes: Vec<Change> = batch(n).into_iter().map(Change::Added).collect();
        let now = at(i64::from(n) * DAY);
        store.commit(feed("kyiv"), history, changes, now).await.unwrap();
        println!("acknowledged {n}");
        let going = pass.unwrap_or_else(|| Pass::new(kept(KEPT), Act::Drop, now));
        let going = store.retain(going).await.unwrap();
        pass = (!going.is_done()).then_some(going);
        if !copies {
            store.begin_copy(1024 * 1024).await.unwrap();
            copies = true;
        }
        if let Step::Done(_) = store.copy_on().await.unwrap() {
            println!("compacted");
            copies = false;
        }
    }
}

/// Runs a child for a number of lines, and a little longer; gives the last poll that it
/// acknowledged, and how often it wrote the store anew.
fn run_and_kill(directory: &Path, lines_wanted: usize, longer: Duration) -> (u32, u32) {
    let name = "upkeep_crash::a_store_that_is_killed_while_it_shrinks_has_all_that_it_acknowledged";
    let mut child = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let (mut last, mut compactions, mut seen) = (0, 0, 0);
    let mut note = |line: &str| {
        // The test harness may have begun the line with words of its own.
        let acknowledged = line.split_once("acknowledged ").and_then(|(_, n)| n.parse().ok());
        last = acknowledged.unwrap_or(last);
        compactions += u32::from(line.contains("compacted"));
        usize::from(acknowledged.is_some())
    };
    while seen < lines_wanted {
        let line = lines.next().expect("the child ended by itself");
        seen += note(&line);
    }
    // A moment that no event of the child decides.
    thread::sleep(longer);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.for_each(|line| {
        note(&line);
    });
    (last, compactions)
}

async fn check(directory: &Path, promised: u32) -> u32 {
    let store = Store::open(directory, Vec::new()).unwrap();
    let folders = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let left = folders.filter(|entry| entry.file_name().to_string_lossy().starts_with("compact"));
    assert_eq!(left.count(), 0, "nothing is left of what was unfinished");
    assert_eq!(store.audit().await, Ok(Vec::new()));
    let polls = store.history(&feed_id("kyiv")).await.unwrap().failures;
    assert!(polls >= promised, "{promised} acknowledged, {polls} there");
    let mut dropped = 0;
    for n in 1..=polls {
        for article in batch(n) {
            let stored = store.article(article.id).await.unwrap();
            let is_dropped = store.dropped(article.id).await.unwrap().is_some();
            assert_eq!(stored.is_none(), is_dropped, "{n} of {polls}");
            assert!(!is_dropped || n + KEPT <= polls, "{n} of {polls} went too early");
            dropped += u32::from(is_dropped);
        }
    }
    for article in batch(polls + 1) {
        assert_eq!(store.article(article.id).await.unwrap(), None, "{polls} is torn");
    }
    store.close().await.unwrap();
    dropped
}

#[test]
fn a_store_that_is_killed_while_it_shrinks_has_all_that_it_acknowledged() {
    if let Some(directory) = env::var_os(CHILD) {
        Runtime::new().unwrap().block_on(work_until_killed(Path::new(&directory)));
        return;
    }
    let folder = tempdir().unwrap();
    let chance = RandomState::new();
    let (mut promised, mut compactions, mut dropped) = (0, 0, 0);
    for round in 0..KILLS {
        let mut hasher = chance.build_hasher();
        hasher.write_usize(round);
        let chance = hasher.finish();
        let lines = 1 + usize::try_from(chance % 30).unwrap();
        let longer = Duration::from_micros((chance >> 32) % 20_000);
        let (last, times) = run_and_kill(folder.path(), lines, longer);
        promised = promised.max(last);
        compactions += times;
        dropped = Runtime::new().unwrap().block_on(check(folder.path(), promised));
    }
    println!("{promised} polls, {compactions} compactions, {dropped} articles dropped");
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(folder.path(), Vec::new()).unwrap();
        drop_all(&store, &kept(KEPT), i64::from(promised) * DAY).await;
    });
}
