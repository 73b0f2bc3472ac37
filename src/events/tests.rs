//! What is told of a feed over time, and that it is told once.

use super::*;
use crate::crontab::Crontab;
use crate::model::feed::Address;
use crate::model::feed::TaggingEntity;

fn feed(id: &str) -> Feed {
    let tagging = TaggingEntity {
        authority: "site.example".to_owned(),
        since: "2026-01-01".parse().unwrap(),
    };
    let address = Address::Http("https://city.example/feed".parse().unwrap());
    Feed::new(FeedId::new(id).unwrap(), address, Crontab::parse("@hourly").unwrap(), tagging)
}

fn need(kind: Kind, call: Call) -> Need {
    let what = format!("is {}", kind.word());
    Need { kind, call, since: None, what, cure: "mend it".to_owned() }
}

fn at(minutes: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-11-26T12:00:00Z".parse().unwrap();
    start + TimeDelta::minutes(minutes)
}

fn turns(told: &[Told]) -> Vec<String> {
    told.iter().map(|told| format!("{} {}", told.event.kind.word(), told.turn.word())).collect()
}

#[test]
fn each_change_of_needs_tells_what_it_should() {
    use Call::{Act, Know, Tell};
    type Case = (&'static str, Vec<Vec<Need>>, Vec<&'static str>);
    let down = || need(Kind::Failing, Act);
    let faltering = || need(Kind::Failing, Know);
    let silent = || need(Kind::Silent, Act);
    let cases: Vec<Case> = vec![
        ("nothing", vec![vec![], vec![]], vec![]),
        ("two failures", vec![vec![faltering()], vec![faltering()], vec![]], vec![]),
        (
            "down and back",
            vec![vec![faltering()], vec![down()], vec![down()], vec![], vec![]],
            vec!["down opened", "down closed"],
        ),
        (
            "down and gone",
            vec![vec![down()], vec![need(Kind::Gone, Act)]],
            vec!["down opened", "down closed", "gone opened"],
        ),
        (
            "gone and mended in feeds.toml",
            vec![vec![need(Kind::Gone, Act)], vec![need(Kind::Unpolled, Know)], vec![]],
            vec!["gone opened", "gone closed"],
        ),
        (
            "silent, then down, then back with news",
            vec![vec![silent()], vec![silent(), down()], vec![down()], vec![faltering()], vec![]],
            vec!["silent opened", "down opened", "down closed", "silent closed"],
        ),
        (
            "silent only while it is down",
            vec![vec![down(), silent()], vec![]],
            vec!["down opened", "down closed"],
        ),
        (
            "mended once, and then each time",
            vec![vec![need(Kind::Malformed, Know)], vec![need(Kind::Malformed, Tell)], vec![]],
            vec!["malformed opened", "malformed closed"],
        ),
        ("slowed", vec![vec![need(Kind::Slowed, Know), need(Kind::Charset, Know)]], vec![]),
    ];
    for (name, steps, expected) in cases {
        let mut journal = Journal::default();
        let mut told = Vec::new();
        for (index, needs) in steps.iter().enumerate() {
            let now = at(i64::try_from(index).unwrap());
            told.extend(turns(&journal.feed(&feed("kharkiv"), needs, now)));
            // After a restart the same is known.
            journal = Journal::of(journal.events().cloned().collect());
        }
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn a_move_to_another_place_is_told_and_the_same_move_is_not() {
    let mut journal = Journal::default();
    let moved = |to: &str| vec![Need { cure: to.to_owned(), ..need(Kind::Moved, Call::Act) }];
    let mut go = |to: &str, minute| turns(&journal.feed(&feed("kharkiv"), &moved(to), at(minute)));
    assert_eq!(go("a", 0), ["moved opened"]);
    assert_eq!(go("a", 1), Vec::<String>::new());
    assert_eq!(go("b", 2), ["moved changed"]);
}

#[test]
fn a_feed_that_comes_and_goes_is_one_event_and_tells_little() {
    let mut journal = Journal::default();
    let mut told = Vec::new();
    // A day of forty minutes down and forty minutes up.
    for step in 0..18 {
        let needs = if step % 2 == 0 { vec![need(Kind::Failing, Call::Act)] } else { vec![] };
        told.extend(journal.feed(&feed("kharkiv"), &needs, at(step * 40)));
    }
    assert_eq!(
        turns(&told),
        ["down opened", "down closed", "down reopened", "down closed", "down reopened"]
    );
    let still = journal.feed(&feed("kharkiv"), &[], at(16 * 40 + 359));
    assert_eq!(turns(&still), Vec::<String>::new());
    let over = journal.feed(&feed("kharkiv"), &[], at(16 * 40 + 360));
    assert_eq!(turns(&over), ["down closed"]);
    assert_eq!(journal.events().count(), 1);
    let event = journal.events().next().unwrap();
    assert_eq!(event.title(), "kharkiv: down again, for the 3rd time");
    assert_eq!(event.end_title(), "kharkiv: back");
    // Long after that it is another.
    let later = journal.feed(&feed("kharkiv"), &[need(Kind::Failing, Call::Act)], at(2000));
    assert_eq!((turns(&later), journal.events().count()), (vec!["down opened".to_owned()], 2));
}

#[test]
fn a_feed_that_is_taken_out_leaves_no_open_event() {
    let mut journal = Journal::default();
    for id in ["kharkiv", "lviv"] {
        journal.feed(&feed(id), &[need(Kind::Failing, Call::Act)], at(0));
    }
    journal.settle(EventKind::Disk, (None, "disk"), Finding::Wrong("x".into(), "y".into()), at(0));
    let told = journal.retain(|id| id.as_str() == "lviv", at(1));
    assert_eq!(turns(&told), ["down closed"]);
    assert_eq!(told[0].event.end_title(), "kharkiv: no longer down");
    assert_eq!(journal.open().count(), 2);
}

#[test]
fn the_journal_has_an_end_and_keeps_what_lasts() {
    let mut journal = Journal::default();
    journal.feed(&feed("kharkiv"), &[need(Kind::Failing, Call::Act)], at(0));
    for number in 0..=EVENTS_KEPT_MAX {
        let id = format!("feed-{number}");
        let minute = i64::try_from(number).unwrap();
        journal.feed(&feed(&id), &[need(Kind::Gone, Call::Act)], at(minute));
        journal.feed(&feed(&id), &[], at(minute));
    }
    let dropped = journal.drop_surplus();
    assert_eq!(dropped, ["20261126T120000Z-gone-feed-0"]);
    assert_eq!((journal.events().count(), journal.open().count()), (EVENTS_KEPT_MAX + 1, 1));
}

#[test]
fn what_lasts_is_told_once_however_much_lasts() {
    let mut journal = Journal::default();
    let down = [need(Kind::Failing, Call::Act)];
    let feeds: Vec<Feed> =
        (0..EVENTS_KEPT_MAX + 100).map(|number| feed(&format!("feed-{number}"))).collect();
    let mut look = |minute, needs: &[Need]| {
        let told = feeds.iter().flat_map(|feed| journal.feed(feed, needs, at(minute))).count();
        (told, journal.drop_surplus().len())
    };
    assert_eq!(look(0, &down), (feeds.len(), 0));
    assert_eq!(look(1, &down), (0, 0));
    assert_eq!(look(2, &[]), (feeds.len(), 100));
}
