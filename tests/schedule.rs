//! When feeds are polled: what publishers say makes polls rarer and never silences a feed,
//! redirects are believed in time, and a host that fails is asked by one feed at a time.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono::Weekday;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use visnyk::crontab::Crontab;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Outcome;
use visnyk::model::exchange::POLLS_KEPT_MAX;
use visnyk::model::exchange::Validators;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::feed::TaggingEntity;

use visnyk::model::id::FeedId;
use visnyk::model::rhythm::Rhythm;
use visnyk::schedule::agenda::Agenda;
use visnyk::schedule::next_poll;
use visnyk::schedule::remember::Notice;
use visnyk::schedule::remember::Report;
use visnyk::schedule::remember::remember;
use visnyk::schedule::remember::request;

fn feed_at(id: &str, schedule: &str, url: &str) -> Feed {
    let tagging = TaggingEntity {
        authority: "site.example".to_owned(),
        since: "2026-01-01".parse().unwrap(),
    };
    let schedule = Crontab::parse(schedule).unwrap();
    Feed::new(FeedId::new(id).unwrap(), Address::Http(url.parse().unwrap()), schedule, tagging)
}

fn feed(schedule: &str) -> Feed {
    feed_at("kharkiv", schedule, "https://city.example/feed")
}

/// An instant of June 2026; the first is a Monday.
fn at(text: &str) -> DateTime<Utc> {
    format!("2026-06-{text}Z").parse().unwrap()
}

fn read(at: DateTime<Utc>) -> Report {
    let mut report = Report::of(at, Outcome::Read);
    report.is_whole = true;
    report.rhythm = Some(Rhythm::default());
    report
}

fn failed(at: DateTime<Utc>) -> Report {
    Report::of(at, Outcome::Failed("the server answered 500".to_owned()))
}

fn after(feed: &Feed, reports: impl IntoIterator<Item = Report>) -> History {
    let step = |history, report| remember(feed, history, report).0;
    reports.into_iter().fold(History::default(), step)
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

#[test]
fn a_publisher_can_make_polls_rarer_and_no_feed_is_silenced() {
    // `kharkiv` is due at 13:43 after a slot of `*/15`, and 54:55 after one of `0 * * * *`.
    let fresh = |freshness| Report { freshness: Some(freshness), ..read(at("01T12:00:00")) };
    let rhythm = |rhythm| Report { rhythm: Some(rhythm), ..read(at("01T12:00:00")) };
    let every =
        |update_every| rhythm(Rhythm { update_every: Some(update_every), ..Rhythm::default() });
    let ttl = |ttl| rhythm(Rhythm { ttl: Some(ttl), ..Rhythm::default() });
    for (report, schedule, expected, reason) in [
        (fresh(Duration::ZERO), "*/15 * * * *", "01T12:13:43", "the next time of `*/15 * * * *`"),
        (fresh(hours(2)), "*/15 * * * *", "01T14:00:00", "stays fresh for 2 h"),
        // The next time of the schedule, if none was shortly before.
        (fresh(hours(2)), "0 * * * *", "01T14:54:55", "stays fresh for 2 h"),
        (fresh(Duration::from_secs(7_000)), "*/15 * * * *", "01T13:58:43", "1 h 56 min 40 s"),
        (fresh(hours(24 * 365 * 80)), "*/15 * * * *", "02T12:00:00", "of which a day is granted"),
        (fresh(Duration::MAX), "@daily", "02T21:54:55", "of which a day is granted"),
        (ttl(hours(3)), "*/15 * * * *", "01T15:00:00", "may be kept for 3 h (ttl)"),
        (every(hours(1)), "*/5 * * * *", "01T13:00:00", "changes every 1 h (sy:updatePeriod)"),
        (every(hours(24 * 365)), "*/15 * * * *", "02T12:00:00", "of which a day is granted"),
    ] {
        let mut feed = feed(schedule);
        let history = after(&feed, [report]);
        let planned = next_poll(&feed, &history, at("01T12:00:01"));
        assert_eq!(planned.at, Some(at(expected)), "{schedule}: {planned:?}");
        assert!(planned.reason.contains(reason), "{planned:?}");
        assert_eq!(planned.ignored, None);
        // The admin may know better; then it is told.
        feed.ignore_hints = true;
        let stubborn = next_poll(&feed, &history, at("01T12:00:01"));
        let due = feed.schedule.next_after(at("01T12:05:00"), feed.timezone);
        assert!(stubborn.at.unwrap() - due < TimeDelta::hours(1), "{stubborn:?}");
        assert_eq!(stubborn.ignored.is_some(), stubborn.at < planned.at, "{stubborn:?}");
        assert!(stubborn.ignored.iter().all(|told| told.contains(reason)), "{stubborn:?}");
    }
}

#[test]
fn skipped_hours_and_days_are_left_out_unless_nothing_would_be_left() {
    let skips = |hours: &[u32], days: &[Weekday]| Rhythm {
        skip_hours: hours.iter().copied().collect(),
        skip_days: days.iter().copied().collect(),
        ..Rhythm::default()
    };
    let night: Vec<u32> = (0..6).collect();
    let weekend = [Weekday::Sat, Weekday::Sun];
    for (rhythm, last, expected, reason) in [
        (skips(&night, &[]), "01T23:57:00", "02T06:13:43", "skipHours"),
        (skips(&night, &[]), "01T12:00:00", "01T12:13:43", "the next time of"),
        (skips(&[], &weekend), "05T23:57:00", "08T00:13:43", "skipDays"),
        (skips(&night, &weekend), "05T23:57:00", "08T06:13:43", "skipDays"),
    ] {
        let feed = feed("*/15 * * * *");
        let report = Report { rhythm: Some(rhythm), ..read(at(last)) };
        let planned = next_poll(&feed, &after(&feed, [report.clone()]), at(last));
        // A time that is due at 13:43 or 28:43 and so on, the first that is not left out.
        assert_eq!(planned.at, Some(at(expected)), "{planned:?}");
        assert!(planned.reason.contains(reason), "{planned:?}");
        let stubborn = Feed { ignore_hints: true, ..feed };
        let obeyed = next_poll(&stubborn, &after(&stubborn, [report]), at(last));
        assert!(obeyed.at <= planned.at, "{obeyed:?}");
        assert_eq!(obeyed.ignored.is_some(), reason.starts_with("skip"), "{obeyed:?}");
    }
    let all: Vec<u32> = (0..24).collect();
    let feed = feed("*/15 * * * *");
    let report = Report { rhythm: Some(skips(&all, &[])), ..read(at("01T12:00:00")) };
    let planned = next_poll(&feed, &after(&feed, [report]), at("01T12:00:01"));
    assert_eq!(planned.at, Some(at("01T12:13:43")));
    assert!(planned.ignored.unwrap().contains("leave no time"));
}

#[test]
fn a_poll_that_is_overdue_still_leaves_out_skipped_hours() {
    let feed = feed("0 * * * *");
    let rhythm = Rhythm { skip_hours: (0..6).collect(), ..Rhythm::default() };
    let report = Report { rhythm: Some(rhythm), ..read(at("01T12:00:00")) };
    let planned = next_poll(&feed, &after(&feed, [report]), at("03T02:00:00"));
    assert_eq!(planned.at, Some(at("03T06:54:55")), "{planned:?}");
}

#[test]
fn the_first_success_ends_the_rest_and_what_was_asked_for_is_asked_once() {
    let feed = feed("*/15 * * * *");
    let hour = |n: i64| at("01T00:00:00") + TimeDelta::hours(n);
    let mut history = after(&feed, (0..6).map(|n| failed(hour(n))));
    assert_eq!(history.failures, 6);
    assert!(next_poll(&feed, &history, hour(5)).at.unwrap() > hour(7));
    let asked = Report { not_before: Some(hour(20)), ..Report::of(hour(8), Outcome::Later) };
    history = remember(&feed, history, asked).0;
    assert_eq!(history.failures, 6, "who says when to come has not failed");
    assert!(next_poll(&feed, &history, hour(8)).at.unwrap() >= hour(20));
    history = remember(&feed, history, read(hour(20))).0;
    assert_eq!((history.failures, history.not_before), (0, None));
    assert!(next_poll(&feed, &history, hour(20)).at.unwrap() < hour(21));
    history = remember(&feed, history, Report::of(hour(21), Outcome::Later)).0;
    assert_eq!(history.failures, 1, "who only says later has");
}

#[test]
fn a_document_is_asked_for_whole_once_a_week() {
    let feed = feed("0 * * * *");
    let validators = |address: &str| Validators {
        address: address.to_owned(),
        etag: Some(b"W/\"1\"".to_vec()),
        last_modified: None,
    };
    let known = validators("https://city.example/feed");
    let first = Report { validators: Some(known.clone()), ..read(at("01T12:00:00")) };
    let unchanged = Report {
        validators: Some(known.clone()),
        ..Report::of(at("05T12:00:00"), Outcome::NotModified)
    };
    let history = after(&feed, [first, unchanged]);
    let asked = |history: &History, now: &str| request(&feed, history, at(now)).validators;
    assert_eq!(asked(&history, "08T11:59:59"), Some(known.clone()));
    assert_eq!(asked(&history, "08T12:00:00"), None, "a week");
    assert_eq!(asked(&history, "01T11:00:00"), None, "the clock was wrong");
    // What was only new is no whole document, and a document that comes whole unasked is one.
    let step = |report| remember(&feed, history.clone(), report).0.last_full;
    let delta = Report { is_whole: false, ..read(at("06T12:00:00")) };
    assert_eq!(step(delta), Some(at("01T12:00:00")));
    assert_eq!(step(read(at("06T12:00:00"))), Some(at("06T12:00:00")));
    let elsewhere = Report {
        validators: Some(validators("https://city.example/other")),
        ..read(at("06T12:00:00"))
    };
    let history = after(&feed, [elsewhere]);
    assert_eq!(asked(&history, "06T13:00:00"), None, "of another address");
    let file = Feed { address: Address::File("a.rss".into()), ..feed.clone() };
    let own = validators(&file.address.to_string());
    let first = Report { validators: Some(own.clone()), ..read(at("01T12:00:00")) };
    let history = after(&file, [first]);
    let kept = request(&file, &history, at("20T12:00:00")).validators;
    assert_eq!(kept, Some(own), "a file's digest is never wrong");
}

#[test]
fn a_permanent_redirect_is_believed_after_three_polls_and_a_day() {
    let feed = feed("0 * * * *");
    let new: Url = "https://new.example/feed".parse().unwrap();
    let other: Url = "https://other.example/feed".parse().unwrap();
    let to = |url: &Url, when: &str| Report { moved: Some(url.clone()), ..read(at(when)) };
    let stored = |reports: &[Report]| {
        let history = after(&feed, reports.iter().cloned());
        request(&feed, &history, at("09T00:00:00")).relocated
    };
    let (first, second) = (to(&new, "01T00:00:00"), to(&new, "01T12:00:00"));
    let (soon, third) = (to(&new, "01T23:00:00"), to(&new, "02T00:00:00"));
    assert_eq!(stored(&[first.clone(), third.clone()]), None, "two polls");
    assert_eq!(stored(&[first.clone(), second.clone(), soon.clone()]), None, "less than a day");
    let whole = [first.clone(), second.clone(), third.clone()];
    assert_eq!(stored(&whole), Some(new.clone()));
    let with = |between: Report| [first.clone(), second.clone(), between, third.clone()];
    assert_eq!(stored(&with(failed(at("01T18:00:00")))), Some(new.clone()), "failures are neutral");
    assert_eq!(stored(&with(read(at("01T18:00:00")))), None, "an answer there begins it anew");
    assert_eq!(stored(&with(to(&other, "01T18:00:00"))), None, "another address begins it anew");

    let notices = |reports: &[Report]| {
        let mut history = History::default();
        let mut told = Vec::new();
        for report in reports {
            let (next, notice) = remember(&feed, history, report.clone());
            history = next;
            told.extend(notice);
        }
        (history, told)
    };
    let (history, told) = notices(&whole);
    assert_eq!(told, [Notice::Moving(new.clone()), Notice::Moved(new.clone())]);
    // A feed whose new address fails goes home; one whose admin wrote another address begins anew.
    let broken: Vec<Report> = whole
        .into_iter()
        .chain((3..6).map(|day| failed(at(&format!("0{day}T00:00:00")))))
        .collect();
    let (strayed, told) = notices(&broken);
    assert_eq!(told.last(), Some(&Notice::Strayed(new)));
    assert_eq!(request(&feed, &strayed, at("09T00:00:00")).relocated, None);
    let mended = feed_at("kharkiv", "0 * * * *", "https://mended.example/feed");
    assert_eq!(request(&mended, &history, at("09T00:00:00")).relocated, None);
}

#[test]
fn a_redirect_that_asks_to_wait_is_followed_afterwards() {
    let feed = feed("0 * * * *");
    let not_before = Some(at("01T13:00:00"));
    let report = Report { not_before, ..Report::of(at("01T12:00:00"), Outcome::Postponed) };
    let history = after(&feed, [report]);
    assert!(!request(&feed, &history, at("01T12:59:59")).has_waited);
    assert!(request(&feed, &history, at("01T13:00:00")).has_waited);
    let history = remember(&feed, history, read(at("01T14:00:00"))).0;
    assert!(!request(&feed, &history, at("01T15:00:00")).has_waited);
}

#[test]
fn the_polls_that_are_remembered_are_the_newest() {
    let feed = feed("0 * * * *");
    let hour = |n: usize| at("01T00:00:00") + TimeDelta::hours(i64::try_from(n).unwrap());
    let history = after(&feed, (0..POLLS_KEPT_MAX + 7).map(|n| read(hour(n))));
    assert_eq!(history.polls.len(), POLLS_KEPT_MAX);
    assert_eq!(history.polls[0].at, hour(7));
}

/// Drives an agenda for some days: `outcome` tells how each poll ends, a second after it began.
/// Gives the polls, in order.
fn drive(
    feeds: &[Arc<Feed>],
    days: i64,
    outcome: impl Fn(&Feed, DateTime<Utc>) -> Report,
) -> Vec<(DateTime<Utc>, FeedId, Outcome)> {
    let start = at("01T00:00:00");
    let mut histories: BTreeMap<FeedId, History> = BTreeMap::new();
    let mut agenda = Agenda::new(feeds.iter().cloned(), &histories, start);
    let mut under_way = BTreeMap::new();
    let mut polls = Vec::new();
    let mut now = start;
    while now < start + TimeDelta::days(days) {
        for feed in agenda.due(now) {
            under_way.insert((now + TimeDelta::seconds(1), feed.id.clone()), (now, feed));
        }
        let ends = under_way.keys().next().map(|(ends, _): &(DateTime<Utc>, FeedId)| *ends);
        let next = [ends, agenda.next_wake()].into_iter().flatten().min();
        now = next.unwrap().max(now);
        while let Some(entry) = under_way.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, id), (began, feed)) = entry.remove_entry();
            let mut report = outcome(&feed, began);
            report.poll.duration = Duration::from_secs(1);
            polls.push((began, id.clone(), report.poll.outcome.clone()));
            let history = histories.entry(id.clone()).or_default();
            *history = remember(&feed, std::mem::take(history), report).0;
            agenda.ended(&id, history, now);
        }
    }
    polls
}

fn down(began: DateTime<Utc>) -> Report {
    Report::of(began, Outcome::Unreachable("connection refused".to_owned()))
}

fn town(feeds: usize) -> Vec<Arc<Feed>> {
    let at = |n| feed_at(&format!("site-{n}"), "*/30 * * * *", "https://host.example/feed");
    (0..feeds).map(|n| Arc::new(at(n))).collect()
}

#[test]
fn a_dead_host_is_asked_by_one_of_its_feeds_at_a_time() {
    let feeds = town(300);
    let back = at("04T00:00:00");
    let polls = drive(&feeds, 7, |_, began| if began < back { down(began) } else { read(began) });
    let dead: Vec<_> = polls.iter().filter(|(began, ..)| *began < back).collect();
    // All 300 at the start, when nothing was known; after that 5, 10, 20 … minutes, then a day.
    let first = dead.iter().filter(|(began, ..)| *began == at("01T00:00:00")).count();
    assert_eq!(first, 300);
    assert!((9..=16).contains(&(dead.len() - first)), "{} polls", dead.len());
    for pair in dead[first..].windows(2) {
        assert!(pair[1].0 - pair[0].0 >= TimeDelta::minutes(3), "{pair:?}");
    }
    // It is back: all feeds are read within a day and a quarter, and then as they are due.
    let read: Vec<_> = polls.iter().filter(|(began, ..)| *began >= back).collect();
    for feed in &feeds {
        let mut own = read.iter().filter(|(_, id, _)| *id == feed.id).map(|(began, ..)| *began);
        assert!(own.next().unwrap() - back <= TimeDelta::hours(30), "{}", feed.id);
        assert!(own.count() > 48, "{}", feed.id);
    }
}

#[test]
fn a_feed_that_fails_alone_keeps_no_other_of_its_host_waiting() {
    let feeds = town(10);
    let polls =
        drive(
            &feeds,
            2,
            |feed, began| {
                if feed.id.as_str() == "site-3" { failed(began) } else { read(began) }
            },
        );
    for feed in &feeds {
        let count = polls.iter().filter(|(_, id, _)| *id == feed.id).count();
        let expected = if feed.id.as_str() == "site-3" { 5..=12 } else { 95..=98 };
        assert!(expected.contains(&count), "{}: {count}", feed.id);
    }
}

#[test]
fn who_asks_to_come_later_is_left_alone_by_all_feeds_of_the_host() {
    let feeds = town(20);
    let (asks, until) = (at("01T10:00:00"), at("01T18:00:00"));
    let polls = drive(&feeds, 2, |_, began| {
        if (asks..until).contains(&began) {
            Report { not_before: Some(until), ..Report::of(began, Outcome::Later) }
        } else {
            read(began)
        }
    });
    let told: Vec<_> = polls.iter().filter(|(began, ..)| (asks..until).contains(began)).collect();
    // The first, and those that were under way with it.
    assert!((1..=3).contains(&told.len()), "{told:?}");
    let after = polls.iter().filter(|(began, ..)| *began >= until).count();
    assert!(after > 20 * 55, "{after}");
}

#[test]
fn a_restart_forgets_no_rest() {
    let feeds = town(30);
    // Failures an hour apart: each began after the rest that the one before had brought.
    let fifth = at("01T04:00:00");
    let history = after(&feeds[0], (0..5).rev().map(|n| down(fifth - TimeDelta::hours(n))));
    let quiet = after(&feeds[1], [read(at("01T00:30:00") - TimeDelta::hours(3))]);
    let histories = BTreeMap::from([(feeds[0].id.clone(), history), (feeds[1].id.clone(), quiet)]);
    let now = at("01T04:30:00");
    let mut agenda = Agenda::new(feeds.iter().cloned(), &histories, now);
    for (feed, planned) in agenda.planned() {
        let told = "`host.example:443` cannot be reached: waiting after 5 failures in a row";
        assert_eq!(planned.reason, told, "{}", feed.id);
    }
    assert!(agenda.due(now).is_empty());
    // When the rest is over, one asks, and the others wait for what it finds.
    let wake = agenda.next_wake().unwrap();
    assert_eq!(agenda.due(wake).len(), 1);
    assert!(agenda.due(wake + TimeDelta::minutes(1)).is_empty());
}

#[test]
fn a_poll_that_was_lost_is_tried_again_and_lets_others_ask() {
    let feeds = town(3);
    let now = at("01T12:00:00");
    let histories =
        BTreeMap::from([(feeds[0].id.clone(), after(&feeds[0], [down(at("01T00:00:00"))]))]);
    let mut agenda = Agenda::new(feeds.iter().cloned(), &histories, now);
    let probe = agenda.due(now);
    assert_eq!(probe.len(), 1);
    agenda.lost(&probe[0].id, now);
    assert_eq!(agenda.due(now).len(), 1, "another asks");
    assert_eq!(agenda.due(now + TimeDelta::minutes(14)).len(), 0);
}

#[test]
fn other_feeds_are_taken_in_and_the_rest_keep_their_times() {
    let feeds = town(4);
    let now = at("01T12:00:00");
    let quiet = |feed: &Arc<Feed>| (feed.id.clone(), after(feed, [read(at("01T11:59:00"))]));
    let histories: BTreeMap<_, _> = feeds.iter().take(3).map(quiet).collect();
    let mut agenda = Agenda::new(feeds.iter().take(3).cloned(), &histories, now);
    let before: Vec<_> = agenda.planned().map(|(feed, at)| (feed.id.clone(), at.clone())).collect();
    assert!(agenda.due(now).is_empty());

    // One goes, one is asked elsewhere, one is new, and one stays.
    let moved = Address::Http("https://elsewhere.example/rss".parse().unwrap());
    let elsewhere = Arc::new(Feed { address: moved, ..(*feeds[1]).clone() });
    let fresh = [Arc::clone(&feeds[0]), elsewhere, Arc::clone(&feeds[3])];
    let planned = agenda.change(fresh.iter().cloned(), &histories, &BTreeSet::new(), now);
    let anew: Vec<&FeedId> = planned.iter().map(|(feed, _)| &feed.id).collect();
    assert_eq!(anew, [&feeds[1].id, &feeds[3].id]);
    let due: Vec<FeedId> = agenda.due(now).iter().map(|feed| feed.id.clone()).collect();
    assert_eq!(due.iter().collect::<Vec<_>>(), anew, "both are polled at once");
    let kept = agenda.planned().find(|(feed, _)| feed.id == feeds[0].id).unwrap();
    assert_eq!(*kept.1, before[0].1);
    assert!(agenda.feed(&feeds[2].id).is_none());
}

#[test]
fn a_poll_under_way_of_a_feed_that_changes_is_its_last_of_the_old_kind() {
    let feeds = town(2);
    let (now, none) = (at("01T12:00:00"), BTreeMap::new());
    let mut agenda = Agenda::new(feeds.iter().cloned(), &none, now);
    let under_way: BTreeSet<FeedId> = agenda.due(now).iter().map(|f| f.id.clone()).collect();
    assert_eq!(under_way.len(), 2);
    let moved = Address::Http("https://elsewhere.example/rss".parse().unwrap());
    let elsewhere = Arc::new(Feed { address: moved, ..(*feeds[0]).clone() });
    assert!(agenda.change([elsewhere].into_iter(), &none, &under_way, now).is_empty());
    assert!(agenda.due(now).is_empty(), "it is not polled twice at once");
    // It began anew: what was found at the old address is not its history.
    let planned = agenda.ended(&feeds[0].id, &after(&feeds[0], [read(now)]), now);
    assert_eq!(planned.reason, "never polled there");
    assert_eq!(agenda.due(now).len(), 1);
    // The other is gone, and its poll ends without a trace.
    assert_eq!(agenda.ended(&feeds[1].id, &after(&feeds[1], [read(now)]), now).at, None);
}

#[test]
fn whoever_waits_for_a_feed_that_is_taken_out_is_let_go() {
    let feeds = town(3);
    let now = at("01T12:00:00");
    let histories =
        BTreeMap::from([(feeds[0].id.clone(), after(&feeds[0], [down(at("01T00:00:00"))]))]);
    let mut agenda = Agenda::new(feeds.iter().cloned(), &histories, now);
    let asking = agenda.due(now)[0].id.clone();
    let others = feeds.iter().filter(|feed| feed.id != asking).cloned();
    agenda.change(others, &histories, &BTreeSet::from([asking.clone()]), now);
    assert!(agenda.due(now).is_empty(), "they wait for what it finds");
    agenda.ended(&asking, &after(&feeds[0], [read(now)]), now);
    assert_eq!(agenda.due(now).len(), 2);
}

#[test]
fn a_feed_is_begun_whatever_its_time() {
    let feeds = town(1);
    let now = at("01T12:00:00");
    let histories = BTreeMap::from([(feeds[0].id.clone(), after(&feeds[0], [read(now)]))]);
    let mut agenda = Agenda::new(feeds.iter().cloned(), &histories, now);
    assert!(agenda.due(now).is_empty());
    assert!(agenda.begin_now(&feeds[0].id).is_some());
    assert_eq!(agenda.next_wake(), None, "it is not due beside");
    assert!(agenda.begin_now(&FeedId::new("nobody").unwrap()).is_none());
}
