//! Which feeds need their admin: each rule of the judgement, and what it tells to do.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::fs;
use std::path::Path;
use std::time::Duration;
use visnyk::attention::Call;
use visnyk::attention::Case;
use visnyk::attention::Kind;
use visnyk::attention::Need;
use visnyk::attention::cure::of_failure;
use visnyk::attention::is_of_charset;
use visnyk::attention::needs;
use visnyk::crontab::Crontab;
use visnyk::model::exchange::Document;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Outcome;
use visnyk::model::exchange::Poll;
use visnyk::model::exchange::Tally;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::feed::TaggingEntity;
use visnyk::model::id::FeedId;
use visnyk::parse::parse;
use visnyk::schedule::next_poll;

const ADDRESS: &str = "https://city.example/feed";
const TIMEOUT: &str = "https://city.example/feed: the server said nothing within 20s";

fn feed() -> Feed {
    let tagging = TaggingEntity {
        authority: "site.example".to_owned(),
        since: "2026-01-01".parse().unwrap(),
    };
    let (id, schedule) = (FeedId::new("kharkiv").unwrap(), Crontab::parse("every 30m").unwrap());
    Feed::new(id, Address::Http(ADDRESS.parse().unwrap()), schedule, tagging)
}

fn now() -> DateTime<Utc> {
    "2026-11-26T12:10:00Z".parse().unwrap()
}

fn failed() -> Outcome {
    Outcome::Failed(TIMEOUT.to_owned())
}

/// The newest poll last, half an hour apart, the last one ten minutes ago.
fn history(outcomes: impl IntoIterator<Item = Outcome>) -> History {
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect();
    let last = now() - TimeDelta::minutes(10);
    let ago =
        |index: usize| TimeDelta::minutes(30) * i32::try_from(outcomes.len() - 1 - index).unwrap();
    let polls = outcomes.iter().enumerate().map(|(index, outcome)| Poll {
        at: last - ago(index),
        duration: Duration::from_secs(1),
        outcome: outcome.clone(),
        bytes: 1000,
        tally: Tally { entries: 10, ..Tally::default() },
        repairs: Vec::new(),
    });
    let polls: Vec<Poll> = polls.collect();
    let is_good = |poll: &&Poll| matches!(poll.outcome, Outcome::Read | Outcome::NotModified);
    let last_success = polls.iter().rev().find(is_good).map(|poll| poll.at);
    History { address: ADDRESS.to_owned(), last_success, polls, ..History::default() }
}

/// So many hours ago, each.
fn published(hours: &[i64]) -> Vec<DateTime<Utc>> {
    hours.iter().map(|hours| now() - TimeDelta::hours(*hours)).collect()
}

fn judged(feed: &Feed, history: &History, published: &[DateTime<Utc>]) -> Vec<Need> {
    let planned = next_poll(feed, history, now());
    needs(&Case { feed, history, planned: &planned, published, line: Some(12) }, now())
}

#[test]
fn each_need_is_seen_and_weighed() {
    use Call::{Act, Know, Tell};
    type Row = (&'static str, History, Vec<i64>, Vec<(Kind, Call)>);
    let read = |count: usize| vec![Outcome::Read; count];
    let with = |count: usize, change: &dyn Fn(&mut Poll)| {
        let mut history = history(read(count));
        history.polls.iter_mut().for_each(change);
        history
    };
    let mended = |poll: &mut Poll| poll.repairs = vec!["a stray `&` was mended".to_owned()];
    let charset = |poll: &mut Poll| poll.repairs = vec!["not UTF-8, read as x".to_owned()];
    let lossy = |rejected: u32| move |poll: &mut Poll| poll.tally.rejected = rejected;
    let moved = |url: &str| {
        let mut history = history(read(1));
        history.relocation.stored = Some(url.parse().unwrap());
        history
    };
    let polite = |outcome: Outcome| History {
        not_before: Some(now() + TimeDelta::hours(5)),
        ..history([Outcome::Read, outcome])
    };
    let fresh = |hours: u64| History {
        freshness: Some(Duration::from_secs(hours * 3600)),
        ..history(read(2))
    };
    let daily: Vec<i64> = (0..10).map(|day| day * 24).collect();
    let shifted = |by: i64| daily.iter().map(|hours| hours + by).collect::<Vec<_>>();
    let burst: Vec<i64> = vec![95; 12];
    let none = Vec::new;
    let cases: Vec<Row> = vec![
        ("well", history(read(5)), daily.clone(), vec![]),
        ("unchanged", history([Outcome::Read, Outcome::NotModified]), none(), vec![]),
        ("new", History::default(), none(), vec![(Kind::Unpolled, Know)]),
        ("gone", history([Outcome::Read, Outcome::Gone]), daily.clone(), vec![(Kind::Gone, Act)]),
        ("failed once", history([Outcome::Read, failed()]), none(), vec![(Kind::Failing, Know)]),
        ("failed twice", history([failed(), failed()]), none(), vec![(Kind::Failing, Know)]),
        ("failed thrice", history(vec![failed(); 3]), none(), vec![(Kind::Failing, Act)]),
        (
            "its host",
            history(vec![Outcome::Unreachable("x: refused".to_owned()); 4]),
            none(),
            vec![(Kind::Failing, Act)],
        ),
        ("back", history([failed(), failed(), failed(), Outcome::Read]), none(), vec![]),
        ("moved", moved("https://new.example/feed"), none(), vec![(Kind::Moved, Act)]),
        // A daily feed passes over a long weekend, and not over a week.
        ("a weekend", history(read(1)), shifted(4 * 24), vec![]),
        ("five days", history(read(1)), shifted(5 * 24), vec![]),
        ("six days", history(read(1)), shifted(6 * 24), vec![(Kind::Silent, Act)]),
        // Ten articles at once have no gap: the floor counts.
        ("a burst", history(read(1)), burst, vec![]),
        ("an old burst", history(read(1)), vec![97; 12], vec![(Kind::Silent, Act)]),
        ("too few to tell", history(read(1)), vec![9000, 9001, 9002, 9003], vec![]),
        (
            "silent and failing",
            history(vec![failed(); 3]),
            shifted(30 * 24),
            vec![(Kind::Failing, Act), (Kind::Silent, Act)],
        ),
        ("mended once", with(1, &mended), none(), vec![(Kind::Malformed, Know)]),
        ("mended each time", with(3, &mended), none(), vec![(Kind::Malformed, Tell)]),
        ("some rejected", with(3, &lossy(5)), none(), vec![]),
        ("most rejected", with(3, &lossy(6)), none(), vec![(Kind::Malformed, Act)]),
        ("most rejected twice", with(2, &lossy(6)), none(), vec![]),
        ("of another charset", with(3, &charset), none(), vec![(Kind::Charset, Know)]),
        ("asked to wait", polite(Outcome::Later), none(), vec![(Kind::Slowed, Know)]),
        ("kept fresh", fresh(6), none(), vec![(Kind::Slowed, Know)]),
        ("kept fresh for little", fresh(0), none(), vec![]),
    ];
    for (name, history, hours, expected) in cases {
        let needs = judged(&feed(), &history, &published(&hours));
        let got: Vec<_> = needs.iter().map(|need| (need.kind, need.call)).collect();
        assert_eq!(got, expected, "{name}: {needs:#?}");
        let is_ordered = needs.is_sorted_by_key(|need| need.kind);
        assert!(is_ordered && needs.iter().all(|need| !need.cure.is_empty()), "{name}: {needs:?}");
    }
}

#[test]
fn who_is_told_learns_what_is_wrong_and_what_cures_it() {
    let mut moved = history([Outcome::Read]);
    moved.relocation.stored = Some("https://new.example/feed?a=1".parse().unwrap());
    let hours: Vec<i64> = (0..10).map(|n| 300 + n * 8).collect();
    for (history, hours, what, cure) in [
        (
            history(vec![failed(); 4]),
            &[][..],
            "failed 4 times in a row since 2026-11-26 12:30: https://city.example/feed: the server \
             said nothing within 20s",
            "its server does not work: nothing to do here, it is tried again by itself; write to \
             the publisher if it lasts",
        ),
        (
            history(vec![failed(); 20]),
            &[],
            "failed at least 20 times in a row since 2026-11-26 04:30: https://city.example/feed: \
             the server said nothing within 20s",
            "its server does not work: nothing to do here, it is tried again by itself; write to \
             the publisher if it lasts",
        ),
        (
            moved,
            &[],
            "has moved for good, as its server says, and is asked at https://new.example/feed?a=1",
            "write `url = \"https://new.example/feed?a=1\"` in line 12 of feeds.toml",
        ),
        (
            history([Outcome::Gone]),
            &[],
            "is gone: its server answered 410, and it is not polled any more",
            "look for its new address on the publisher's site, and write it as `url` in line 12 of \
             feeds.toml; or take the feed out, or write `enabled = false`",
        ),
        (
            history([Outcome::Read]),
            &hours,
            "has had no news for 12 d, where a new article usually comes within 8 h; the newest is \
             of 2026-11-14 02:10",
            "look at the publisher's site: if it has news, its feed is broken or has moved, so \
             write to them, or the new address as `url` in line 12 of feeds.toml; if it has none, \
             nothing is wrong",
        ),
    ] {
        let needs = judged(&feed(), &history, &published(hours));
        assert_eq!((needs[0].what.as_str(), needs[0].cure.as_str()), (what, cure));
    }
}

#[test]
fn a_poll_that_does_not_begin_is_overdue() {
    let (feed, history) = (feed(), history([Outcome::Read]));
    let mut planned = next_poll(&feed, &history, now());
    for (minutes, expected) in [(15, None), (16, Some("should have been polled 16 min ago"))] {
        planned.at = Some(now() - TimeDelta::minutes(minutes));
        let case =
            Case { feed: &feed, history: &history, planned: &planned, published: &[], line: None };
        let needs = needs(&case, now());
        assert_eq!(needs.first().map(|need| need.what.as_str()), expected);
    }
}

#[test]
fn a_feed_that_is_not_enabled_needs_nothing() {
    let feed = Feed { enabled: false, ..feed() };
    assert_eq!(judged(&feed, &history(vec![failed(); 5]), &[]), []);
}

#[test]
fn what_was_learnt_at_another_address_does_not_count() {
    let history =
        History { address: "https://old.example/".to_owned(), ..history([Outcome::Gone]) };
    let needs = judged(&feed(), &history, &[]);
    assert_eq!(needs.iter().map(|need| need.kind).collect::<Vec<_>>(), [Kind::Unpolled]);
}

#[test]
fn a_failure_is_cured_by_what_its_reason_says() {
    for (reason, cure) in [
        ("https://a.example/: the server answered 404 Not Found", "the feed's new address"),
        ("https://a.example/: the server answered 403 Forbidden", "write `auth` and `secret`"),
        ("https://a.example/: the server answered 502 Bad Gateway", "tried again by itself"),
        ("https://a.example/: invalid peer certificate: Expired", "has to renew it"),
        (
            "https://a.example/: refused: 10.0.0.1 is a private address (RFC 1918) (`allow_private = true` allows it)",
            "list that address",
        ),
        ("https://a.example/: the body is over 100 bytes", "`body_max`"),
        (
            "https://a.example/: failed to lookup address information: Name or service not known",
            "host's name",
        ),
        ("https://a.example/: Connection refused (os error 111)", "does not work"),
        ("https://a.example/: an HTML page came instead of a feed", "and no feed"),
        (
            "https://a.example/: the document is <svg>, not RSS, RDF, Atom or JSON Feed",
            "`visnyk preview kharkiv`",
        ),
    ] {
        let told = of_failure(reason, &FeedId::new("kharkiv").unwrap(), Some(3));
        assert!(told.contains(cure), "{reason}: {told}");
    }
}

/// What the parser says of charsets is known as that, and nothing else of what it says.
#[test]
fn repairs_of_the_charset_are_told_from_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds");
    let mut seen = [0, 0];
    for (index, name) in ["charset", "hostile", "html", "xml"].into_iter().enumerate() {
        let Ok(files) = fs::read_dir(folder.join(name)) else { continue };
        for path in files.map(|file| file.unwrap().path()) {
            if path.extension().is_none_or(|ending| ending == "expected") {
                continue;
            }
            let document = Document {
                url: "https://city.example/feed".parse().unwrap(),
                content_type: None,
                bytes: fs::read(&path).unwrap(),
            };
            let Ok(parsed) = parse(&document) else { continue };
            for repair in &parsed.repairs {
                let is_charset = (repair.contains("UTF") && !repair.contains("<?xml"))
                    || repair.contains("windows-")
                    || repair.contains("KOI8")
                    || repair.contains("declared as");
                assert_eq!(is_of_charset(repair), is_charset, "{}: {repair}", path.display());
                seen[usize::from(index > 0)] += 1;
            }
        }
    }
    assert!(seen[0] > 5 && seen[1] > 0, "{seen:?}");
}
