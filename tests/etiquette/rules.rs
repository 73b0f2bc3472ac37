//! The publishers, and what each asks of its clients.

use crate::world::Asked;
use crate::world::Record;
use crate::world::Rule;
use crate::world::WEEKS;
use crate::world::start;
use axum::body::Body;
use axum::response::Response;
use chrono::DateTime;
use chrono::Datelike;
use chrono::TimeDelta;
use chrono::Timelike;
use chrono::Utc;
use visnyk::model::exchange::Outcome;

/// The polls of a feed every two hours that nobody slows down.
const POLLS: usize = WEEKS * 7 * 12;

type Headers<'a> = &'a [(&'a str, &'a [u8])];

fn reply(status: u16, headers: Headers<'_>, body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

fn item(guid: &str) -> String {
    format!("<item><guid isPermaLink=\"false\">{guid}</guid><title>Новина {guid}</title></item>")
}

fn rss(channel: &str, items: usize) -> String {
    let items: String = (0..items).map(|n| item(&n.to_string())).collect();
    format!(
        "<rss version=\"2.0\" xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"><channel>\
         <title>t</title><link>https://city.example/</link><description>d</description>\
         {channel}{items}</channel></rss>"
    )
}

fn feed(headers: Headers<'_>) -> Response {
    reply(200, headers, rss("", 3))
}

fn feed_with(channel: &str) -> Response {
    reply(200, &[], rss(channel, 3))
}

fn day(at: DateTime<Utc>) -> i64 {
    (at - start()).num_days()
}

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

fn ensure(holds: bool, told: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(told()) }
}

fn gaps(asked: &[Asked]) -> Vec<TimeDelta> {
    asked.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

/// Between two requests there is never less, and never more than two periods beyond it.
fn apart(record: &Record, least: TimeDelta) -> Result<(), String> {
    let gaps = gaps(&record.asked);
    ensure(gaps.len() > 5, || format!("only {} requests", gaps.len() + 1))?;
    for gap in gaps {
        ensure(gap >= least, || format!("asked again after {gap}, not {least}"))?;
        ensure(gap <= least + hours(4), || format!("silent for {gap}, not {least}"))?;
    }
    Ok(())
}

/// As many requests as the schedule has times.
fn as_scheduled(record: &Record) -> Result<(), String> {
    let count = record.asked.len();
    ensure(count.abs_diff(POLLS) <= 1, || format!("{count} requests, not {POLLS}"))?;
    for gap in gaps(&record.asked).into_iter().skip(1) {
        let off = (gap - hours(2)).abs();
        ensure(off < TimeDelta::minutes(5), || format!("asked again after {gap}"))?;
    }
    Ok(())
}

/// What holds for every request.
pub(crate) fn check_any(asked: &Asked) -> Result<(), String> {
    ensure(asked.method == "GET", || format!("{} was sent", asked.method))?;
    for name in ["cookie", "referer", "range", "authorization", "from", "content-length"] {
        ensure(asked.header(name).is_none(), || format!("{name} was sent"))?;
    }
    let agent =
        String::from_utf8_lossy(asked.header("user-agent").unwrap_or_default()).into_owned();
    let expected = "(+https://visnyk.example/; admin@visnyk.example; 12 subscribers)";
    ensure(agent.starts_with("visnyk/") && agent.ends_with(expected), || format!("«{agent}»"))?;
    let accept = String::from_utf8_lossy(asked.header("accept").unwrap_or_default()).into_owned();
    let order = ["application/atom+xml", "application/rss+xml;q=0.9", "*/*;q=0.1"];
    let places: Vec<_> = order.iter().map(|part| accept.find(part)).collect();
    ensure(places.iter().all(Option::is_some) && places.is_sorted(), || format!("«{accept}»"))?;
    let codings = asked.header("accept-encoding").unwrap_or_default();
    ensure(codings.windows(4).any(|part| part == b"gzip"), || "no gzip is accepted".to_owned())
}

const ETAG: &[u8] = b"W/\"a b,\xd1\x8f;--gzip\"";
const MODIFIED: &[u8] = b"Mon, 1 Jun 2026 3:04:05 GMT";

/// Each request but those that are to bring the whole document repeats the validators exactly.
fn repeats(record: &Record, name: &str, value: &[u8]) -> Result<(), String> {
    let mut whole = Vec::new();
    for asked in &record.asked {
        match asked.header(name) {
            None => whole.push(asked.at),
            Some(sent) => ensure(sent == value, || format!("{name} was {sent:?}"))?,
        }
    }
    ensure(whole.len() == WEEKS, || format!("{} whole", whole.len()))?;
    let weekly = whole.windows(2).all(|pair| pair[1] - pair[0] >= TimeDelta::days(7));
    ensure(weekly, || format!("whole at {whole:?}"))
}

fn echoes(asked: &Asked, name: &str, value: &[u8]) -> bool {
    asked.header(name) == Some(value)
}

fn etag_of_day(at: DateTime<Utc>) -> String {
    format!("\"{}\"", day(at))
}

/// The address before the move, and after it.
fn moved(status: u16, asked: &Asked) -> Response {
    if asked.path == "/new" {
        feed(&[("etag", b"\"new\"")])
    } else {
        reply(status, &[("location", b"/new")], "")
    }
}

fn count(record: &Record, path: &str) -> usize {
    record.asked.iter().filter(|asked| asked.path == path).count()
}

fn is_bad_week(at: DateTime<Utc>) -> bool {
    (3..8).contains(&day(at))
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "asked at the times of its schedule, and at no other, over restarts",
        source: "courtesy",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| feed(&[])),
        check: as_scheduled,
    },
    Rule {
        name: "ETag comes back byte for byte, weak and odd; whole once a week",
        source: "RFC 9110, 8.8.3",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            let status = if echoes(asked, "if-none-match", ETAG) { 304 } else { 200 };
            reply(status, &[("etag", ETAG)], if status == 200 { rss("", 3) } else { String::new() })
        }),
        check: |record| {
            as_scheduled(record)?;
            repeats(record, "if-none-match", ETAG)
        },
    },
    Rule {
        name: "Last-Modified comes back as received, however it was written",
        source: "RFC 9110, 13.1.3",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            if echoes(asked, "if-modified-since", MODIFIED) {
                reply(304, &[], "")
            } else {
                feed(&[("last-modified", MODIFIED)])
            }
        }),
        check: |record| repeats(record, "if-modified-since", MODIFIED),
    },
    Rule {
        name: "both validators are sent if both were given",
        source: "RFC 9110, 13.1.3",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            let headers: Headers<'_> = &[("etag", ETAG), ("last-modified", MODIFIED)];
            if echoes(asked, "if-none-match", ETAG) { reply(304, &[], "") } else { feed(headers) }
        }),
        check: |record| {
            repeats(record, "if-none-match", ETAG)?;
            repeats(record, "if-modified-since", MODIFIED)
        },
    },
    Rule {
        name: "a new ETag takes the place of the old one, a lost one is forgotten",
        source: "RFC 9110, 13.1.2",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| match day(asked.at) {
            10.. => feed(&[]),
            _ => feed(&[("etag", etag_of_day(asked.at).as_bytes())]),
        }),
        check: |record| {
            for pair in record.asked.windows(2) {
                let expected = (day(pair[0].at) < 10).then(|| etag_of_day(pair[0].at));
                let sent = pair[1].header("if-none-match");
                ensure(sent == expected.as_deref().map(str::as_bytes), || {
                    format!("{sent:?}, not {expected:?}")
                })?;
            }
            Ok(())
        },
    },
    Rule {
        name: "a 304 may bring new validators",
        source: "RFC 9110, 15.4.5",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            let etag = etag_of_day(asked.at);
            let status = if asked.header("if-none-match").is_some() { 304 } else { 200 };
            let body = if status == 200 { rss("", 3) } else { String::new() };
            reply(status, &[("etag", etag.as_bytes())], body)
        }),
        check: |record| {
            for pair in record.asked.windows(2) {
                let Some(sent) = pair[1].header("if-none-match") else { continue };
                let expected = etag_of_day(pair[0].at);
                ensure(sent == expected.as_bytes(), || format!("{sent:?}, not {expected}"))?;
            }
            Ok(())
        },
    },
    Rule {
        name: "no request while the answer is fresh (max-age)",
        source: "RFC 9111, 4.2.1",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| feed(&[("cache-control", b"public, max-age=18000")])),
        check: |record| apart(record, hours(5)),
    },
    Rule {
        name: "the age of an answer is taken off",
        source: "RFC 9111, 4.2.3",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| feed(&[("cache-control", b"max-age=18000"), ("age", b"10800")])),
        check: |record| apart(record, hours(2) - TimeDelta::seconds(10)),
    },
    Rule {
        name: "a 304 may make the answer fresh again",
        source: "RFC 9111, 4.3.4",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            let headers: Headers<'_> = &[("etag", ETAG), ("cache-control", b"max-age=18000")];
            if echoes(asked, "if-none-match", ETAG) {
                reply(304, headers, "")
            } else {
                feed(headers)
            }
        }),
        check: |record| apart(record, hours(5)),
    },
    Rule {
        name: "Expires in a mistaken year means a day, and no more",
        source: "RFC 9111, 5.3",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| feed(&[("expires", b"Fri, 01 Jan 2100 00:00:00 GMT")])),
        check: |record| apart(record, hours(24)),
    },
    Rule {
        name: "429 with Retry-After in seconds",
        source: "RFC 6585, 4",
        feeds: 1,
        settings: "",
        answer: Some(|_, nth| {
            if nth % 3 == 1 { reply(429, &[("retry-after", b"20000")], "") } else { feed(&[]) }
        }),
        check: |record| {
            for (nth, gap) in gaps(&record.asked).into_iter().enumerate() {
                let least = if nth % 3 == 1 { TimeDelta::seconds(20_000) } else { hours(0) };
                ensure(gap >= least, || format!("asked again after {gap}"))?;
                ensure(gap <= hours(8), || format!("silent for {gap}"))?;
            }
            ensure(record.asked.len() > 50, || "too few requests".to_owned())
        },
    },
    Rule {
        name: "503 with Retry-After as a date",
        source: "RFC 9110, 10.2.3",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            if day(asked.at) == 4 {
                reply(503, &[("retry-after", b"Sun, 07 Jun 2026 12:00:00 GMT")], "")
            } else {
                feed(&[])
            }
        }),
        check: |record| {
            let until = start() + TimeDelta::days(6) + hours(12);
            let fifth = record.asked.iter().filter(|asked| day(asked.at) == 4).count();
            ensure(fifth == 1, || format!("{fifth} requests on the day"))?;
            let early = record.asked.iter().any(|a| day(a.at) > 4 && a.at < until);
            ensure(!early, || "asked before the date".to_owned())?;
            ensure(record.asked.len() > POLLS - 40, || "silent afterwards".to_owned())
        },
    },
    Rule {
        name: "Retry-After on a redirect, which is followed afterwards",
        source: "RFC 9110, 10.2.3",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| match asked.path.as_str() {
            "/there" => feed(&[]),
            _ => reply(302, &[("location", b"/there"), ("retry-after", b"18000")], ""),
        }),
        check: |record| {
            let there = count(record, "/there");
            ensure(there > 20, || format!("followed {there} times"))?;
            for pair in record.asked.windows(2) {
                let waits = pair[1].path == "/0" && pair[0].path == "/0";
                let gap = pair[1].at - pair[0].at;
                ensure(!waits || gap >= hours(5), || format!("asked again after {gap}"))?;
            }
            Ok(())
        },
    },
    Rule {
        name: "an absurd Retry-After means a week, and no more",
        source: "courtesy",
        feeds: 1,
        settings: "",
        answer: Some(|_, nth| {
            if nth == 3 { reply(429, &[("retry-after", b"99999999999")], "") } else { feed(&[]) }
        }),
        check: |record| {
            let gap = gaps(&record.asked)[3];
            ensure(gap >= TimeDelta::days(7) && gap < TimeDelta::days(8), || format!("{gap}"))
        },
    },
    Rule {
        name: "who asks to come later is left alone by all feeds of the host",
        source: "RFC 6585, 4",
        feeds: 5,
        settings: "",
        answer: Some(|asked, _| {
            let is_asked = day(asked.at) == 8 && asked.path == "/2";
            let headers: Headers<'_> = &[("retry-after", b"86400")];
            if is_asked { reply(429, headers, "") } else { feed(&[]) }
        }),
        check: |record| {
            let is_asked = |a: &&Asked| day(a.at) == 8 && a.path == "/2";
            let asked = record.asked.iter().find(is_asked).ok_or("never asked")?.at;
            let until = asked + hours(24);
            // Those that began before the word was read are under way.
            let early = record
                .asked
                .iter()
                .filter(|a| a.at > asked + TimeDelta::seconds(1) && a.at < until);
            let early = early.count();
            ensure(early == 0, || format!("{early} requests meanwhile"))
        },
    },
    Rule {
        name: "ttl is how long a copy is kept",
        source: "RSS 2.0, ttl",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| feed_with("<ttl>300</ttl>")),
        check: |record| apart(record, hours(5)),
    },
    Rule {
        name: "no request in skipHours",
        source: "RSS 2.0, skipHours",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| {
            let hours = ["0", "1", "2", "3", "4", "5"].map(|hour| format!("<hour>{hour}</hour>"));
            feed_with(&format!("<skipHours>{}</skipHours>", hours.concat()))
        }),
        check: |record| {
            let early = record.asked.iter().skip(1).find(|asked| asked.at.hour() < 6);
            ensure(early.is_none(), || format!("asked at {early:?}"))?;
            ensure(record.asked.len() > POLLS * 2 / 3, || "too few requests".to_owned())
        },
    },
    Rule {
        name: "no request on skipDays",
        source: "RSS 2.0, skipDays",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| feed_with("<skipDays><day>Saturday</day><day>Sunday</day></skipDays>")),
        check: |record| {
            let late =
                record.asked.iter().find(|asked| asked.at.weekday().number_from_monday() > 5);
            ensure(late.is_none(), || format!("asked at {late:?}"))?;
            ensure(record.asked.len() > POLLS / 2, || "too few requests".to_owned())
        },
    },
    Rule {
        name: "sy:updatePeriod is how often it changes",
        source: "RSS 1.0, syndication module",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| {
            feed_with(
                "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>3</sy:updateFrequency>",
            )
        }),
        check: |record| apart(record, hours(8)),
    },
    Rule {
        name: "the admin's ignore_hints outweighs hints, and no Retry-After",
        source: "feeds.toml",
        feeds: 1,
        settings: "ignore_hints = true",
        answer: Some(|_, nth| {
            if nth == 20 {
                reply(429, &[("retry-after", b"86400")], "")
            } else {
                let headers: Headers<'_> = &[("cache-control", b"max-age=86400")];
                reply(200, headers, rss("<ttl>1440</ttl>", 3))
            }
        }),
        check: |record| {
            let gaps = gaps(&record.asked);
            ensure(gaps[20] >= hours(24), || format!("asked again after {}", gaps[20]))?;
            ensure(record.asked.len() > POLLS - 15, || format!("{}", record.asked.len()))
        },
    },
    Rule {
        name: "who fails is asked less and less, and as before once it is well",
        source: "courtesy",
        feeds: 1,
        settings: "schedule = \"*/10 * * * *\"",
        answer: Some(
            |asked, _| {
                if is_bad_week(asked.at) { reply(500, &[], "") } else { feed(&[]) }
            },
        ),
        check: |record| {
            let bad: Vec<Asked> =
                record.asked.iter().filter(|a| is_bad_week(a.at)).cloned().collect();
            ensure((8..=16).contains(&bad.len()), || format!("{} requests", bad.len()))?;
            let gaps = gaps(&bad);
            // Twice as long each time, with a quarter of jitter either way.
            let grows = gaps[1..].windows(2).all(|pair| pair[1] * 10 >= pair[0] * 6);
            ensure(grows, || format!("{gaps:?}"))?;
            let after = record.asked.iter().filter(|a| day(a.at) >= 10).count();
            ensure(after > 10 * 140, || format!("{after} requests afterwards"))
        },
    },
    Rule {
        name: "a dead host is asked by one feed at a time",
        source: "courtesy",
        feeds: 12,
        settings: "",
        answer: None,
        check: |record| {
            let polls = &record.polls;
            let unreachable = |outcome: &Outcome| matches!(outcome, Outcome::Unreachable(_));
            let other = polls.iter().find(|(_, outcome)| !unreachable(outcome));
            ensure(other.is_none(), || format!("{other:?}"))?;
            // All at first, some in the first hours, and then about one a day.
            ensure((25..=60).contains(&polls.len()), || format!("{} polls", polls.len()))
        },
    },
    Rule {
        name: "301 is believed after three polls and a day, and told",
        source: "RFC 9110, 15.4.2",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| moved(301, asked)),
        check: |record| {
            let old: Vec<_> = record.asked.iter().filter(|a| a.path == "/0").collect();
            ensure((3..=15).contains(&old.len()), || format!("{} at the old one", old.len()))?;
            let last = old[old.len() - 1].at - old[0].at;
            ensure(last >= hours(22), || format!("believed after {last}"))?;
            // The first request at the new address alone bears nothing of the old one's.
            let first = record.asked.iter().find(|asked| asked.at > old[old.len() - 1].at);
            let bare = first.is_some_and(|asked| asked.header("if-none-match").is_none());
            ensure(bare, || format!("{first:?}"))?;
            ensure(count(record, "/new") > POLLS - 5, || "too few requests".to_owned())
        },
    },
    Rule {
        name: "308 likewise",
        source: "RFC 9110, 15.4.9",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| moved(308, asked)),
        check: |record| {
            let old = count(record, "/0");
            ensure((3..=15).contains(&old), || format!("{old} at the old one"))
        },
    },
    Rule {
        name: "302 and 307 are followed and not remembered",
        source: "RFC 9110, 15.4.3, 15.4.8",
        feeds: 1,
        settings: "",
        answer: Some(|asked, nth| moved(if nth % 4 == 0 { 302 } else { 307 }, asked)),
        check: |record| {
            let (old, new) = (count(record, "/0"), count(record, "/new"));
            ensure(old == new && old.abs_diff(POLLS) <= 1, || format!("{old} and {new}"))
        },
    },
    Rule {
        name: "a new address that fails is given up for the configured one",
        source: "courtesy",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| match (asked.path.as_str(), day(asked.at)) {
            ("/new", 7..) => reply(404, &[], ""),
            ("/new", _) | (_, 7..) => feed(&[]),
            _ => reply(301, &[("location", b"/new")], ""),
        }),
        check: |record| {
            let late = record.asked.iter().filter(|asked| day(asked.at) >= 8);
            let (old, new): (Vec<_>, Vec<_>) = late.partition(|asked| asked.path == "/0");
            ensure(old.len() > 150 && new.len() < 3, || format!("{} {}", old.len(), new.len()))
        },
    },
    Rule {
        name: "410 ends it",
        source: "RFC 9110, 15.5.11",
        feeds: 1,
        settings: "",
        answer: Some(|_, _| reply(410, &[], "")),
        check: |record| {
            ensure(record.asked.len() == 1, || format!("{} requests", record.asked.len()))
        },
    },
    Rule {
        name: "no cookie is kept, whoever sets it",
        source: "courtesy",
        feeds: 1,
        settings: "",
        answer: Some(|asked, _| {
            let cookie: (&str, &[u8]) = ("set-cookie", b"session=canary; Path=/");
            if asked.path == "/0" {
                reply(302, &[cookie, ("location", b"/login")], "")
            } else {
                feed(&[cookie])
            }
        }),
        check: |record| ensure(record.asked.len() > POLLS, || "too few requests".to_owned()),
    },
    Rule {
        name: "only what is new: A-IM: feed, and 226 with its validators",
        source: "RFC 3229, 10.5.3",
        feeds: 1,
        settings: "",
        answer: Some(|asked, nth| {
            let etag = format!("\"{nth}\"");
            let is_delta =
                echoes(asked, "a-im", b"feed") && asked.header("if-none-match").is_some();
            let item = format!(
                "<item><guid isPermaLink=\"false\">new {nth}</guid><title>Свіжа новина {nth}</title></item>"
            );
            if is_delta {
                let headers: Headers<'_> = &[("etag", etag.as_bytes()), ("im", b"feed")];
                reply(226, headers, rss(&item, 0))
            } else {
                feed(&[("etag", etag.as_bytes())])
            }
        }),
        check: |record| {
            let mut deltas = 0;
            for (nth, asked) in record.asked.iter().enumerate() {
                let conditional = asked.header("if-none-match");
                let im = asked.header("a-im");
                ensure(im.is_none() || conditional.is_some(), || "A-IM alone".to_owned())?;
                deltas += usize::from(im.is_some());
                let expected = format!("\"{}\"", nth.saturating_sub(1));
                ensure(conditional.is_none_or(|sent| sent == expected.as_bytes()), || {
                    format!("{conditional:?}, not {expected}")
                })?;
            }
            ensure(deltas > POLLS - 5, || format!("{deltas} deltas were asked for"))?;
            let (articles, expected) = (record.articles, deltas + 3);
            ensure(articles == expected, || format!("{articles} articles, not {expected}"))
        },
    },
];
