//! Servers that do everything wrong: each is asked by the real poller, and costs what is stated.
//!
//! One test, in parts, since the memory that is measured is that of the process.

mod misdeeds;
mod server;

use misdeeds::Misdeed;
use server::Act;
use server::Server;
use server::address;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use tokio::task::JoinSet;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::daemon::poller;
use visnyk::daemon::system_clock;
use visnyk::model::exchange::Outcome;
use visnyk::model::exchange::Poll;
use visnyk::model::feed::Feed;
use visnyk::model::id::FeedId;
use visnyk::poll::Poller;
use visnyk::store::Store;

/// How long a poll may take, in seconds.
const TIMEOUT: u64 = 6;
/// What all of it may add to the memory of the process, in MiB: 32 small bodies as they come and
/// as they are, and three times 16 MiB for each of four large ones; and as much again for what
/// the allocator keeps, the store and the parsers.
const MEMORY_MIB_MAX: u64 = 512;

const GOOD: usize = 200;
const BAD: usize = 40;

fn config(timeout: u64, feeds: impl Iterator<Item = (String, String)>) -> Config {
    let mut text = format!(
        "[polling]\ntimeout = \"{timeout}s\"\nconnect_timeout = \"2s\"\nhost_pause = \"0s\"\n"
    );
    for (id, url) in feeds {
        write!(
            text,
            "[[feed]]\nid = \"{id}\"\ntitle = \"t\"\nurl = \"{url}\"\nallow_private = true\n"
        )
        .unwrap();
    }
    parse("feeds.toml", &text, Path::new(".")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The most memory that the process ever had, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn poll(poller: Poller, feed: Arc<Feed>) -> (FeedId, Poll, Duration) {
    let began = Instant::now();
    let mut history = poller.poll(&feed).await.unwrap().history;
    (feed.id.clone(), history.polls.pop().unwrap(), began.elapsed())
}

fn told(poll: &Poll) -> String {
    match &poll.outcome {
        Outcome::Read => format!("read {}", poll.tally.entries),
        Outcome::NotModified => "not modified".to_owned(),
        Outcome::Later => "later".to_owned(),
        Outcome::Postponed => "postponed".to_owned(),
        Outcome::Gone => "gone".to_owned(),
        Outcome::Unreachable(reason) => format!("unreachable {reason}"),
        Outcome::Failed(reason) => format!("failed {reason}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_server_does_it_harms_nobody_but_itself() {
    let before = memory();
    every_misdeed_ends_as_it_should().await;
    good_feeds_are_read_beside_bad_ones().await;
    let grown = (memory() - before) / 1024;
    println!("memory: {grown} MiB more at most, {MEMORY_MIB_MAX} allowed");
    assert!(grown < MEMORY_MIB_MAX, "{grown} MiB");
}

async fn every_misdeed_ends_as_it_should() {
    let mut misdeeds = misdeeds::all();
    for (number, misdeed) in misdeeds.iter_mut().enumerate() {
        if let Act::Say(bytes) | Act::Flood(bytes, _) = &mut misdeed.act
            && bytes.starts_with(b"HTTP/1.1 30")
        {
            let text = String::from_utf8(std::mem::take(bytes)).unwrap();
            *bytes = text.replace("SELF", &number.to_string()).into_bytes();
        }
    }
    assert!(misdeeds.len() >= 40);
    let server = Server::start(misdeeds.iter().map(|misdeed| misdeed.act.clone()).collect()).await;
    let url = |number| format!("http://{}/{number}", address(2, number + 1, server.port));
    let feeds = (0..misdeeds.len()).map(|number| (format!("misdeed-{number}"), url(number)));
    let config = config(TIMEOUT, feeds);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let poller = poller(&config, store.clone(), system_clock()).unwrap();
    let mut polls = JoinSet::new();
    for feed in config.feeds.values().cloned() {
        polls.spawn(poll(poller.clone(), Arc::new(feed)));
    }
    let ended = polls.join_all().await;
    let mut wrong = String::new();
    println!("{:<38} {:>7} {:>11}  what the poller did", "misdeed", "ms", "bytes sent");
    for (number, misdeed) in misdeeds.iter().enumerate() {
        let id = format!("misdeed-{number}");
        let (_, poll, took) = ended.iter().find(|(of, ..)| of.as_str() == id).unwrap();
        let told = told(poll).replace(&url(number), "URL");
        let short: String = told.chars().take(90).collect();
        let sent = server.sent(number);
        println!("{:<38} {:>7} {sent:>11}  {short}", misdeed.name, took.as_millis());
        judge(misdeed, &told, *took, sent, &mut wrong);
    }
    drop(poller);
    store.close().await.unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn judge(misdeed: &Misdeed, told: &str, took: Duration, sent: u64, wrong: &mut String) {
    let name = misdeed.name;
    let (kind, words) = misdeed.ends.split_once(' ').unwrap_or((misdeed.ends, ""));
    if !told.starts_with(kind) || !told.contains(words) {
        writeln!(wrong, "{name}: expected «{}», not «{told}»", misdeed.ends).unwrap();
    }
    // All the others wait for the same two cores; the bound is that there is one.
    if took > Duration::from_secs(4 * TIMEOUT) {
        writeln!(wrong, "{name}: took {took:?}").unwrap();
    }
    // What the kernel keeps on the way is not read.
    if sent > 32 * 1024 * 1024 && !name.contains("interim") {
        writeln!(wrong, "{name}: {sent} bytes were taken").unwrap();
    }
}

fn bad(number: usize) -> Act {
    match number % 5 {
        0 => Act::Hang(Vec::new()),
        1 => Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<rss>".to_vec()),
        2 => Act::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
        3 => Act::Hang(b"HTTP/1.1 200 OK\r\ncontent-".to_vec()),
        _ => Act::Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".to_vec()),
    }
}

/// How long it takes until the good feeds are read, beside so many bad ones; and how many of the
/// bad ones had ended by then.
async fn round(bad_ones: usize) -> (Duration, usize) {
    let good = Act::Say(misdeeds::answer("200 OK", "", &misdeeds::rss()));
    let acts = (0..bad_ones).map(bad).chain((0..GOOD).map(|_| good.clone()));
    let server = Server::start(acts.collect()).await;
    // Long enough that no bad one ends before the good ones are through.
    let feeds = (0..bad_ones + GOOD).map(|number| {
        let kind = if number < bad_ones { "bad" } else { "good" };
        let url = format!("http://{}/{number}", address(3, number + 1, server.port));
        (format!("{kind}-{number}"), url)
    });
    let config = config(60, feeds);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let poller = poller(&config, store.clone(), system_clock()).unwrap();
    let began = Instant::now();
    let mut polls = JoinSet::new();
    // In the order of their ids: the bad ones come first.
    for feed in config.feeds.values().cloned() {
        polls.spawn(poll(poller.clone(), Arc::new(feed)));
    }
    let (mut read, mut bad_ended) = (0, 0);
    while read < GOOD {
        let (id, poll, _) = polls.join_next().await.unwrap().unwrap();
        if id.as_str().starts_with("good") {
            assert_eq!(poll.outcome, Outcome::Read, "{id}");
            read += 1;
        } else {
            bad_ended += 1;
        }
    }
    let took = began.elapsed();
    polls.shutdown().await;
    drop(poller);
    store.close().await.unwrap();
    (took, bad_ended)
}

async fn good_feeds_are_read_beside_bad_ones() {
    let (alone, _) = round(0).await;
    let (beside, bad_ended) = round(BAD).await;
    println!(
        "{GOOD} good feeds: read in {alone:?} alone, in {beside:?} beside {BAD} bad ones, {bad_ended} of which had ended"
    );
    // The bad ones are more than run at once. They cost their fair share, which is the two seconds
    // after which they step aside, once for each time that they fill all places; and not the
    // twenty or sixty seconds that they hang.
    let waits = BAD.div_ceil(32);
    let share = Duration::from_secs(2) * u32::try_from(waits).unwrap();
    assert!(beside < alone * 3 + share * 2, "{alone:?} alone, {beside:?} beside bad ones");
}
