//! The whole road with the real program: a publisher's server on loopback, `visnyk poll` and
//! `visnyk run`, a store on disk, and the feeds that a reader would get.

mod add;
mod admin;
mod backup;
mod changes;
mod check;
mod credentials;
mod decisions;
mod explain;
mod export;
mod injection;
mod load;
mod managed;
mod pages;
mod readers;
mod reload;
mod secrets;
mod status;
mod support;
mod upkeep;

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use support::Answer;
use support::Folder;
use support::PATIENCE;
use support::Publisher;
use support::repository_file;

/// What the item of the two cities must look like in every feed that it stands in.
const SISTER_CITIES: [&str; 12] = [
    "Альбукерке",
    "<published>2023-07-03T14:16:00+03:00</published>",
    "<updated>2023-07-03T14:16:00+03:00</updated>",
    r#"scheme="https://visnyk.example/regions" label="Харківська область / Kharkiv Oblast""#,
    r#"term="kharkivska" scheme="https://visnyk.example/communities" label="Харківська територіальна громада / Kharkivska hromada""#,
    r#"term="mizhnarodna-pidtrymka" scheme="https://visnyk.example/tags" label="міжнародна підтримка""#,
    r#"term="partnerstvo" scheme="https://visnyk.example/tags" label="партнерство""#,
    "https://www.city.kharkiv.ua/",
    r#"views="4087""#,
    "media:content",
    "media:description",
    r#"<content type="html""#,
];

/// Tags as an admin writes them.
const TAGS: &str = r#"
[[tag]]
id = "partnerstvo"
name = "партнерство"

[[tag]]
id = "mizhnarodna-pidtrymka"
name = "міжнародна підтримка"
"#;

fn feed(id: &str, url: &str) -> String {
    format!(
        "\n[[feed]]\nid = \"{id}\"\ntitle = \"Новини {id}\"\nurl = \"{url}\"\nallow_private = true\n"
    )
}

fn item(number: u32, title: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{number}</guid><title>{title}</title>\
         <link>https://news.example/{number}</link>\
         <pubDate>Mon, 03 Jul 2023 10:0{}:00 +0300</pubDate></item>",
        number % 10
    )
}

fn rss(items: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>t</title><link>https://news.example/</link><description>d</description>{items}</channel></rss>"
    )
}

#[test]
fn the_item_of_the_two_cities_stands_in_every_feed_that_it_belongs_to() {
    let kharkiv = "region = \"kharkivska\"\ncommunity = \"kharkivska\"\n";
    let feeds = feed("miska-rada", "file:kharkiv.rss").replace("allow_private = true\n", kharkiv);
    let folder = Folder::with(&format!("{TAGS}{feeds}"));
    folder.put("kharkiv.rss", &repository_file("tests/fixtures/samples/kharkiv.rss"));
    let daemon = folder.run();
    for path in [
        "/regions/kharkivska.atom",
        "/communities/kharkivska.atom",
        "/tags/partnerstvo.atom",
        "/tags/mizhnarodna-pidtrymka.atom",
        "/regions/kharkivska/tags/partnerstvo.atom",
        "/sources/miska-rada.atom",
        "/all.atom",
    ] {
        let body = daemon.get_when(path, |body| body.contains("Альбукерке"));
        let entry = body.split("<entry>").find(|entry| entry.contains("14:16:00+03:00")).unwrap();
        for expected in SISTER_CITIES {
            assert!(entry.contains(expected), "{path} lacks {expected}:\n{entry}");
        }
    }
    for path in ["/regions/lvivska/tags/partnerstvo.atom", "/regions/lvivska.atom"] {
        let (status, body) = daemon.get(path);
        assert_eq!((status, body.contains("<entry>")), (200, false), "{path}:\n{body}");
    }
    for path in
        ["/regions/narnia.atom", "/tags/nothing.atom", "/regions/kharkivska/tags/nothing.atom"]
    {
        assert_eq!(daemon.get(path).0, 404, "{path}");
    }
}

#[test]
fn good_feeds_arrive_on_time_beside_a_hanging_and_broken_ones() {
    let windows_1251 =
        encoding_rs::WINDOWS_1251.encode(&rss(&item(1, "Їжак у Сумах"))).0.into_owned();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(rss(&item(2, "Packed")).as_bytes()).unwrap();
    let publisher = Publisher::start([
        ("/1251", Answer::document("text/xml; charset=windows-1251", windows_1251)),
        (
            "/gzip",
            Answer::document("text/xml", gzip.finish().unwrap())
                .with_header("Content-Encoding: gzip"),
        ),
        ("/hang", Answer::Silence),
        ("/broken", Answer::document("text/xml", "<rss version=\"2.0\"><channel><ti")),
    ]);
    let ids = ["1251", "gzip", "hang", "broken"];
    let feeds: String = ids.iter().map(|id| feed(id, &publisher.url(&format!("/{id}")))).collect();
    let folder = Folder::with(&format!("[polling]\ntimeout = \"45s\"\n{feeds}"));
    let daemon = folder.run();

    let all = daemon.get_when("/all.atom", |body| body.contains("Їжак") && body.contains("Packed"));
    assert_eq!(all.matches("<entry>").count(), 2, "{all}");
    daemon.get_when("/sources/1251.atom", |body| body.contains("Їжак у Сумах"));
    assert_eq!(publisher.requests("/hang").len(), 1, "the hanging feed is still being asked");
    assert!(!daemon.log().contains("could not poll hang"), "{}", daemon.log());

    daemon.signal("-TERM");
    let log = daemon.log();
    let (status, took) = daemon.wait();
    assert_eq!(status, Some(0), "{log}");
    assert!(took < Duration::from_secs(7), "stopping took {took:?}, with a poll under way");
}

#[test]
fn a_second_poll_asks_with_the_etag_and_changes_nothing() {
    let document = Answer::document("application/rss+xml", rss(&item(1, "Єдина новина")));
    let publisher = Publisher::start([("/feed", document.with_etag("W/\"а-1\""))]);
    let folder = Folder::with(&feed("one", &publisher.url("/feed")));

    let first = String::from_utf8(folder.poll().stdout).unwrap();
    assert!(first.contains("read"), "{first}");
    let second = String::from_utf8(folder.poll().stdout).unwrap();
    assert!(second.contains("not modified"), "{second}");

    let requests = publisher.requests("/feed");
    assert_eq!(requests.len(), 2);
    assert!(!requests[0].to_lowercase().contains("if-none-match"), "{}", requests[0]);
    assert!(requests[1].to_lowercase().contains("if-none-match: w/\"а-1\""), "{}", requests[1]);
    assert!(requests[0].to_lowercase().contains("user-agent: visnyk/"), "{}", requests[0]);

    let daemon = folder.run();
    let body = daemon.get_when("/all.atom", |body| body.contains("Єдина новина"));
    assert_eq!(body.matches("<entry>").count(), 1);
    daemon.signal("-TERM");
    let log = daemon.end();
    assert!(log.contains("0 of 1 feeds are due now"), "not overdue:\n{log}");
}

/// A feed that is wrong in one way, and what is said of it.
struct Bad {
    id: &'static str,
    answer: Answer,
    said: &'static str,
}

#[test]
fn a_bad_document_is_named_with_its_feed_and_costs_the_others_nothing() {
    let page = "<!DOCTYPE html><html><head><title>Вхід</title></head><body>";
    let long_page = format!("{page}{}", "<p>немає</p>".repeat(50 * 1024 * 1024 / 12));
    let bad = [
        Bad {
            id: "broken",
            answer: Answer::document("text/xml", "<rss><channel><item><title>x"),
            said: "broken",
        },
        Bad { id: "empty", answer: Answer::document("text/xml", ""), said: "empty" },
        Bad {
            id: "page",
            answer: Answer::document("text/html", format!("{page}</body></html>")),
            said: "Вхід",
        },
        Bad { id: "long-page", answer: Answer::document("text/html", long_page), said: "bytes" },
        Bad { id: "zeros", answer: Answer::document("text/xml", vec![0; 1000]), said: "zeros" },
    ];
    let odd = format!(
        "{}{}{}{}",
        item(1, &"Довга назва ".repeat(100_000)),
        item(2, "З майбутнього").replace("2023", "9999"),
        item(3, "Пастка").replace("https://news.example/3", "javascript:alert(1)"),
        item(4, "Нуль\u{0}вий")
    );
    let good = [
        ("/good", Answer::document("text/xml", rss(&item(9, "Добра новина")))),
        ("/odd", Answer::document("text/xml", rss(&odd))),
    ];
    let paths = ["/broken", "/empty", "/page", "/long-page", "/zeros"];
    let answers = paths.into_iter().zip(bad.iter().map(|bad| bad.answer.clone())).chain(good);
    let publisher = Publisher::start(answers.collect::<Vec<_>>());
    let ids = bad.iter().map(|bad| bad.id).chain(["good", "odd"]);
    let feeds: String = ids.map(|id| feed(id, &publisher.url(&format!("/{id}")))).collect();
    let folder = Folder::with(&feeds);

    let output = folder.poll();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for Bad { id, said, .. } in &bad {
        let line = told.lines().find(|line| line.starts_with(&format!("{id}: ")));
        let line = line.unwrap_or_else(|| panic!("nothing is said of {id}:\n{told}"));
        assert!(line.contains(said), "{line}");
        assert!(line.len() < 500, "too long: {line}");
    }

    let daemon = folder.run();
    let body = daemon.get_when("/all.atom", |body| body.contains("Добра новина"));
    assert!(body.contains("Нульвий"), "a NUL is dropped, not the entry");
    assert!(
        body.contains("З майбутнього") && !body.contains("9999"),
        "a year that is not believed"
    );
    assert!(body.contains("Пастка") && !body.contains("javascript:"), "a link that is not one");
    let titles: Vec<_> = body.split("<title").collect();
    assert!(titles.iter().all(|title| title.split("</title>").next().unwrap().len() < 4_000));
    assert!(body.len() < 100_000, "{} bytes", body.len());
}

#[test]
fn a_document_that_breaks_off_is_asked_for_again() {
    let whole = rss(&(item(1, "Перша") + &item(2, "Друга")));
    let half = &whole[..whole.find("<title>Друга").unwrap()];
    let publisher =
        Publisher::start([("/feed", Answer::document("text/xml", half).with_etag("\"1\""))]);
    let folder = Folder::with(&feed("half", &publisher.url("/feed")));
    for _ in 0..2 {
        let told = String::from_utf8(folder.poll().stdout).unwrap();
        assert!(told.contains("read"), "{told}");
    }
    let asked = publisher.requests("/feed")[1].to_lowercase();
    assert!(!asked.contains("if-none-match"), "the rest would never come:\n{asked}");
    let body = folder.run().get_when("/all.atom", |body| body.contains("Перша"));
    assert_eq!(body.matches("<entry>").count(), 1, "{body}");
}

#[test]
fn another_region_in_feeds_toml_is_on_the_articles_after_the_next_poll() {
    let document = Answer::document("text/xml", rss(&item(1, "Новина"))).with_etag("\"1\"");
    let publisher = Publisher::start([("/feed", document)]);
    let feeds = feed("one", &publisher.url("/feed")) + "region = \"kharkivska\"\n";
    let folder = Folder::with(&feeds);
    folder.poll();
    let toml = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    folder.put("feeds.toml", toml.replace("kharkivska", "sumska").as_bytes());
    folder.poll();
    let daemon = folder.run();
    assert!(daemon.get("/regions/sumska.atom").1.contains("Новина"));
    assert!(!daemon.get("/regions/kharkivska.atom").1.contains("Новина"));
}

#[test]
fn a_feeds_toml_that_is_a_directory_or_missing_is_named() {
    let folder = Folder::with("");
    fs::create_dir(folder.path("folder")).unwrap();
    for name in ["folder", "nowhere.toml"] {
        let output = folder.visnyk(&["check", "--config", name]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{told}");
        assert!(told.contains(name), "{told}");
    }
}

#[test]
fn every_mistake_of_a_feeds_toml_is_shown_at_its_line() {
    let feeds = feed("one", "ftp://a.example/")
        + "region = \"kharkivsk\"\nregoin = \"x\"\nschedule = \"61 * * * *\"\n";
    let output = Folder::with(&feeds).visnyk(&["check"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78));
    for expected in [
        "feeds.toml:9:",
        "feeds.toml:11:",
        "feeds.toml:12:",
        "feeds.toml:13:",
        "kharkivska",
        "region",
    ] {
        assert!(told.contains(expected), "{expected} is not in:\n{told}");
    }
}

#[test]
fn a_killed_daemon_comes_back_with_the_same_bytes() {
    let feeds = feed("miska-rada", "file:kharkiv.rss") + "region = \"kharkivska\"\n";
    let folder = Folder::with(&feeds);
    folder.put("kharkiv.rss", &repository_file("tests/fixtures/samples/kharkiv.rss"));
    let daemon = folder.run();
    let path = "/regions/kharkivska.atom";
    let before = daemon.get_when(path, |body| body.contains("Альбукерке"));
    daemon.signal("-KILL");
    daemon.wait();

    let daemon = folder.run();
    assert_eq!(daemon.get(path), (200, before));
    daemon.signal("-TERM");
    let log = daemon.end();
    assert!(log.contains("0 of 1 feeds are due now"), "{log}");
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let folder = Folder::with("");
    let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let said = || {
        let mut message = [0; 1024];
        let bytes = socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..bytes]).into_owned()
    };
    let daemon = folder.run_with("NOTIFY_SOCKET", &folder.path("notify"));
    let ready = said();
    assert!(ready.contains("READY=1") && ready.contains("STATUS=0 feeds"), "{ready}");
    daemon.signal("-INT");
    assert!(said().contains("STOPPING=1"));
    assert_eq!(daemon.wait().0, Some(0));
}

#[test]
fn every_poll_is_one_line_with_its_fields() {
    let folder = Folder::with(&feed("miska-rada", "file:kharkiv.rss"));
    folder.put("kharkiv.rss", &repository_file("tests/fixtures/samples/kharkiv.rss"));
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.contains("Альбукерке"));
    daemon.signal("-TERM");
    let log = daemon.end();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let polls: Vec<_> = lines.iter().filter(|line| line["feed"] == "miska-rada").collect();
    let [poll] = polls.as_slice() else { panic!("{log}") };
    assert_eq!(poll["outcome"], "read");
    assert_eq!((poll["entries"].as_u64(), poll["new"].as_u64()), (Some(6), Some(6)));
    assert_eq!((poll["changed"].as_u64(), poll["rejected"].as_u64()), (Some(0), Some(0)));
    assert!(poll["bytes"].as_u64().unwrap() > 1000 && poll["duration_ms"].is_u64(), "{poll}");
}

#[test]
fn a_second_visnyk_in_the_same_directory_is_told_why_it_cannot_be() {
    let folder = Folder::with("");
    let daemon = folder.run();
    let output = folder.visnyk(&["run"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(74), "{told}");
    assert!(told.contains("state") && told.contains("another"), "{told}");
    assert_eq!(folder.poll().status.code(), Some(0), "the daemon polls for who asks");
    assert_eq!(daemon.get("/all.atom").0, 200, "the first goes on");
}

#[test]
fn a_poll_of_a_feed_that_is_not_there_is_a_usage_error() {
    let output = Folder::with("").visnyk(&["poll", "lviv"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`lviv`"));
}
