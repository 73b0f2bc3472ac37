//! Every decision is explained: what changed in an article, what a rule would change before it
//! does, and what a feed would bring before it is there.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use regex::Regex;
use std::fs;
use std::slice::from_ref;

const FEED: &str = "\n[[feed]]\nid = \"city\"\ntitle = \"Місто\"\nallow_private = true\n\
                    schedule = \"0 0 1 1 *\"\ntimezone = \"Europe/Kyiv\"\n";

const RULES: &str = "\n[[tag]]\nid = \"osvita\"\nname = \"освіта\"\nmatch = [\"школ*\"]\n\
                     \n[[rule]]\nid = \"adverts\"\nmatch = [\"title:реклам*\"]\nexclude = true\n";

fn told(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.visnyk(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    if !arguments.contains(&"--json") {
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{arguments:?}: over 80 columns: {line}");
        }
    }
    text
}

/// A text without what differs from one run to the next.
fn lasting(text: &str, publisher: &Publisher) -> String {
    let text = text.replace(&publisher.url(""), "http://publisher");
    let replace = |text: &str, pattern: &str, with: &str| {
        Regex::new(pattern).unwrap().replace_all(text, with).into_owned()
    };
    let text = replace(&text, r"\d\d\.\d\d\.20(2[4-9]|[3-9]\d) \d\d:\d\d(:\d\d EES?T)?", "THEN");
    let text = replace(&text, r"20(2[4-9]|[3-9]\d)-\d\d-\d\d \d\d:\d\d:\d\d UTC", "THEN");
    let text = replace(&text, r"20(2[4-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\dZ", "THEN");
    let text = replace(&text, r"\b[0-9a-f]{32}\b", "ID");
    let text = replace(&text, r"in \d+ ms", "in N ms");
    text.trim_end().to_owned()
}

fn item(number: u32, title: &str, lead: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">{number}</guid><title>{title}</title>\
         <link>https://city.example/{number}</link><description>{lead}</description>\
         <pubDate>Mon, 03 Jul 2023 10:0{number}:00 +0300</pubDate></item>"
    )
}

fn rss(items: &[String]) -> Answer {
    let body = format!(
        "<rss version=\"2.0\"><channel><title>Місто</title><link>https://city.example/</link>\
         {}</channel></rss>",
        items.concat()
    );
    Answer::document("application/rss+xml; charset=utf-8", body)
}

fn folder_of(publisher: &Publisher) -> Folder {
    Folder::with(&format!("{FEED}url = \"{}\"\n", publisher.url("/rss")))
}

#[test]
fn an_article_that_was_edited_three_times_is_explained_with_its_revisions() {
    let publisher = Publisher::start([("/rss", Answer::Silence)]);
    let folder = folder_of(&publisher);
    for (title, lead) in [
        ("Школу відкрито", "Сьогодні відкрито нову школу."),
        ("Школу № 5 відкрито", "Сьогодні відкрито нову школу."),
        ("Школу № 5 відкрито", "Сьогодні відкрито нову велику школу."),
        ("Школу № 5 відкриють завтра", "Завтра відкриють нову велику школу."),
    ] {
        publisher.put("/rss", rss(&[item(1, title, lead)]));
        assert!(folder.poll().status.success());
    }
    let text = told(&folder, &["explain", "https://city.example/1"]);
    let expected = "\
Школу № 5 відкриють завтра
  id         ID
  feed       city, Місто
  page       https://city.example/1
  document   http://publisher/rss
  read       THEN
  entry id   1
  it says    published «Mon, 03 Jul 2023 10:01:00 +0300»
  published  03.07.2023 10:01:00 EEST: believed as it is written
  first seen THEN
  edited     3 times, last on THEN
  language   uk
  stands in  /all.atom
  stands in  /sources/city.atom
  changed    THEN: edit 1
    title    «Школу відкрито»
          →  «Школу № 5 відкрито»
  changed    THEN: edit 2
    lead     «Сьогодні відкрито нову школу.»
          →  «Сьогодні відкрито нову велику школу.»
    text     +1 −0 words: Сьогодні відкрито нову {+велику+} школу.
  changed    THEN: edit 3
    title    «Школу № 5 відкрито»
          →  «Школу № 5 відкриють завтра»
    lead     «Сьогодні відкрито нову велику школу.»
          →  «Завтра відкриють нову велику школу.»
    text     +2 −2 words: [-Сьогодні відкрито-] {+Завтра відкриють+} нову велику
             школу.";
    assert_eq!(lasting(&text, &publisher), expected);
    let json: serde_json::Value =
        serde_json::from_str(&told(&folder, &["explain", "https://city.example/1", "--json"]))
            .unwrap();
    assert_eq!(json["revisions"].as_array().unwrap().len(), 3);
    assert_eq!(json["revisions"][0]["changes"][0]["before"], "Школу відкрито");
    assert_eq!(json["provenance"]["published_said"], "Mon, 03 Jul 2023 10:01:00 +0300");
    assert_eq!(json["publications"][0]["path"], "/all.atom");
}

#[test]
fn what_a_rule_would_change_is_shown_and_then_applied() {
    let items = [
        item(3, "Реклама морозива", "Купуйте."),
        item(2, "Нова школа", "Її відкрито."),
        item(1, "Ремонт мосту", "Триває."),
    ];
    let publisher = Publisher::start([("/rss", rss(&items))]);
    let folder = folder_of(&publisher);
    assert!(folder.poll().status.success());
    let before = told(&folder, &["replay"]);
    let expected = "\
city: 0 new, 0 changed, 0 with other labels, 3 as they are, 0 rejected
  document http://publisher/rss
  read     THEN, 748 bytes
1 feed: everything is as it would be made now";
    assert_eq!(lasting(&before, &publisher), expected);
    // The two that the document still has, and the one that it has no more, follow the rules.
    publisher.put("/rss", rss(&items[1..]));
    assert!(folder.poll().status.success());
    let feeds = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    fs::write(folder.path("feeds.toml"), format!("{feeds}{RULES}")).unwrap();
    let shown = told(&folder, &["replay"]);
    let expected = "\
city: 0 new, 0 changed, 2 with other labels, 1 as they are, 0 rejected
  document http://publisher/rss
  read     THEN, 528 bytes
  labels   Нова школа
    + tag osvita: 20 «школа» in the title
  labels   Реклама морозива
    + excluded by rule adverts: rule `adverts`, feeds.toml:22
1 feed: 0 new, 0 changed, 2 with other labels
nothing is applied yet: `visnyk replay --apply` does it";
    assert_eq!(lasting(&shown, &publisher), expected);
    assert_eq!(told(&folder, &["replay"]), shown, "to show changes nothing");
    let text = told(&folder, &["explain", "https://city.example/2"]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let anew = "feeds.toml has changed since: a running daemon labels it anew by itself, else the \
                next `visnyk poll` does";
    assert!(words.contains(anew), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&told(&folder, &["replay", "city", "--apply", "--json"])).unwrap();
    assert_eq!(json[0]["applied"], true);
    assert_eq!(json[0]["articles"][0]["labels"][0]["label"], "tag osvita");
    let after = told(&folder, &["replay"]);
    assert!(after.ends_with("1 feed: everything is as it would be made now\n"), "{after}");
    let text = told(&folder, &["explain", "https://city.example/3"]);
    assert!(text.contains("kept out of all publications by rule `adverts`"), "{text}");
    assert!(text.contains("    + excluded by rule adverts"), "{text}");
    // Nothing of it is news to a reader.
    assert!(!text.contains("edited"), "{text}");
}

#[test]
fn a_running_daemon_goes_over_what_it_keeps_and_says_if_feeds_toml_is_another() {
    let items = [item(2, "Нова школа", "Її відкрито."), item(1, "Ремонт мосту", "Триває.")];
    let publisher = Publisher::start([("/rss", rss(&items))]);
    let folder = folder_of(&publisher);
    assert!(folder.poll().status.success());
    let feeds = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.matches("<entry>").count() == 2);
    let text = told(&folder, &["replay"]);
    assert!(text.ends_with("1 feed: everything is as it would be made now\n"), "{text}");
    let output = folder.visnyk(&["replay", "nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    fs::write(folder.path("feeds.toml"), format!("{feeds}{RULES}")).unwrap();
    told(&folder, &["replay", "city", "--apply"]);
    let json = told(&folder, &["explain", "https://city.example/2", "--json"]);
    assert!(json.starts_with('{') && json.contains("\"entry_id\":\"2\""), "{json}");
}

#[test]
fn words_that_were_taken_down_are_not_kept_again_and_replay_says_so() {
    let bridge = item(1, "Ремонт мосту", "Триває.");
    let publisher = Publisher::start([("/rss", rss(from_ref(&bridge)))]);
    let folder = folder_of(&publisher);
    assert!(folder.poll().status.success());
    let act = ["takedown", "https://city.example/1", "--why", "так вирішив суд"];
    assert!(folder.visnyk(&act).output().unwrap().status.success());
    // The source still has the article, and a new one.
    publisher.put("/rss", rss(&[item(2, "Нова школа", "Її відкрито."), bridge]));
    assert!(folder.poll().status.success());
    let expected = "\
city: 0 new, 0 changed, 0 with other labels, 1 as they are, 0 rejected
  document http://publisher/rss
  read     THEN, 528 bytes
  note     its document is not kept, because an article of it was taken down:
           only stored articles are gone over
1 feed: everything is as it would be made now";
    let text = lasting(&told(&folder, &["replay"]), &publisher);
    assert_eq!(text, expected);
    publisher.put("/rss", rss(&[item(2, "Нова школа", "Її відкрито.")]));
    assert!(folder.poll().status.success());
    let text = told(&folder, &["replay"]);
    assert!(!text.contains("note") && text.contains("read  "), "{text}");
}

#[test]
fn a_feed_that_the_daemon_does_not_know_keeps_no_other_from_being_gone_over() {
    let publisher = Publisher::start([("/rss", rss(&[item(1, "Нова школа", "Відкрито.")]))]);
    let folder = folder_of(&publisher);
    assert!(folder.poll().status.success());
    let feeds = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.contains("<entry>"));
    let before = FEED.replace("city", "a-new-one").replace("Місто", "Село");
    let before = format!("{before}url = \"{}\"\n", publisher.url("/other"));
    // A file of its own, which the daemon does not read.
    fs::write(folder.path("other.toml"), format!("{feeds}{before}")).unwrap();
    for act in [&["--apply"][..], &[]] {
        let words = ["--config", "other.toml", "--state", "state", "replay"];
        let output = folder.visnyk(&[&words, act].concat()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = "\
a-new-one: not gone over
  note     the daemon knows no feed `a-new-one`: `visnyk reload` if it is new
city: 0 new, 0 changed, 0 with other labels, 1 as they are, 0 rejected
  document http://publisher/rss
  read     THEN, 313 bytes
1 feed: everything is as it would be made now
1 feed not gone over";
        assert_eq!(lasting(&text, &publisher), expected);
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn an_address_is_shown_as_a_poll_would_read_it_and_a_page_names_its_feeds() {
    let school = item(2, "Реклама школи", "Її відкрито.");
    let feed = rss(&[school.clone(), item(1, "Ремонт мосту", "Триває."), school])
        .with_header("Link: <https://hub.example/>; rel=\"hub\"")
        .with_etag("\"v1\"");
    let publisher = Publisher::start([("/rss", feed)]);
    let moved = format!("Location: {}", publisher.url("/rss"));
    let moved =
        Answer::document("text/plain", "").with_status("301 Moved Permanently").with_header(&moved);
    publisher.put("/old", moved);
    let page = format!(
        "<!doctype html><html><head><title>Новини</title><link rel=\"alternate\" \
         type=\"application/rss+xml\" href=\"{}\"></head></html>",
        publisher.url("/rss")
    );
    publisher.put("/page", Answer::document("text/html", page));
    let folder = Folder::with(&format!("{FEED}url = \"{}\"\n{RULES}", publisher.url("/old")));
    let old = publisher.url("/old");
    let text = told(&folder, &["preview", &old, "--allow-private", "--limit", "1"]);
    let expected = "\
Місто (city)
  redirected 301 by http://publisher/old
  fetched    200 http://publisher/rss
  as         application/rss+xml; charset=utf-8, 755 bytes, in N ms
  read as    RSS, UTF-8 as its bytes are
  moved      for good: write `url = \"http://publisher/rss\"`
  says       Місто, https://city.example/
  hub        https://hub.example/ (WebSub)
  validators ETag \"v1\"
  dates      all entries have one, the newest 03.07.2023 10:02
  tags       osvita 1
  kept out   1 article by rules

03.07.2023 10:02  Реклама школи
  page       https://city.example/2
  lead       Її відкрито.
  kept out of all publications by rule `adverts`, feeds.toml:19
  tag osvita
       20  «школи» in the title

… and 1 more: `--limit N` shows N of them

no article from
  rejected   «Реклама школи»: it repeats an earlier entry of the document

3 entries, 2 articles, 1 rejected";
    assert_eq!(lasting(&text, &publisher), expected);
    let json: serde_json::Value =
        serde_json::from_str(&told(&folder, &["preview", "city", "--json"])).unwrap();
    assert_eq!(json["fetched"]["redirects"][0]["status"], 301);
    assert_eq!(json["articles"].as_array().unwrap().len(), 2);
    assert!(!folder.path("state").exists(), "nothing is kept");
    let output = folder.visnyk(&["preview", &publisher.url("/page"), "--allow-private"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("an HTML page came instead of a feed"), "{errors}");
    assert!(errors.contains(&format!("\n  visnyk add {}", publisher.url("/rss"))), "{errors}");
    let output = folder.visnyk(&["preview", &publisher.url("/page")]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("is a loopback address"),
        "{output:?}"
    );
}

#[test]
fn every_feed_is_tried_and_what_is_to_be_mended_is_told_with_its_line() {
    let publisher = Publisher::start([("/rss", rss(&[item(1, "Нова школа", "Відкрито.")]))]);
    let moved = format!("Location: {}", publisher.url("/rss"));
    let moved =
        Answer::document("text/plain", "").with_status("301 Moved Permanently").with_header(&moved);
    publisher.put("/old", moved);
    let feed = |id: &str, path: &str| {
        FEED.replace("\"city\"", &format!("\"{id}\""))
            + &format!("url = \"{}\"\n", publisher.url(path))
    };
    let good = format!("{}{}{RULES}", feed("city", "/rss"), feed("town", "/old"));
    let folder = Folder::with(&good);
    let text = told(&folder, &["check", "--online"]);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[0]), ["feed", "outcome", "format", "charset", "entries", "dated", "ms"]);
    assert_eq!(words(lines[1])[..6], ["city", "read", "RSS", "UTF-8", "1", "1"]);
    assert_eq!(words(lines[2])[..6], ["town", "read", "RSS", "UTF-8", "1", "1"]);
    let notes = lasting(&lines[3..].join("\n"), &publisher);
    let expected = "
city
  dates      all entries have one, the newest 03.07.2023 10:01
  tags       osvita 1

town
  moved      for good: write `url = \"http://publisher/rss\"` at feeds.toml:20
  dates      all entries have one, the newest 03.07.2023 10:01
  tags       osvita 1

2 feeds read, 0 not";
    assert_eq!(notes.replace("at\n             feeds", "at feeds"), expected);
    let broken = Folder::with(&format!("{good}{}", feed("nowhere", "/nowhere")));
    let output = broken.visnyk(&["check", "--online", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json[1]["feed"], "nowhere");
    assert_eq!(json[1]["outcome"], "failed");
    assert!(json[1]["error"].as_str().unwrap().contains("404"), "{json}");
    assert_eq!(json[2]["line"], 20);
    assert_eq!(json[2]["document"]["labels"]["tags"]["osvita"], 1);
}
