//! `visnyk add`: from nothing to a feed that readers get, and what it refuses.

use crate::changes::ran;
use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use std::fs;

/// A feed of a city, with so many articles, the newest an hour apart.
fn rss(title: &str, host: &str, news: &[&str]) -> String {
    let items = news.iter().enumerate().map(|(n, headline)| {
        format!(
            "<item><guid>{host}-{n}</guid><title>{headline}</title><link>https://{host}/news/{n}</link>\
             <description>Про це повідомляє пресслужба.</description>\
             <pubDate>Mon, 23 Nov 2026 {:02}:00:00 +0200</pubDate></item>",
            20 - n
        )
    });
    format!(
        "<rss version=\"2.0\"><channel><title>{title}</title><link>https://{host}/</link>{}</channel></rss>",
        items.collect::<String>()
    )
}

fn kharkiv() -> String {
    let news = ["У місті відкрили школу", "Парк засадили липами", "Ремонт моста завершено"];
    rss("Новини - Харківська міська рада", "kharkiv.example", &news)
}

fn city() -> Publisher {
    let page = "<!doctype html><html><head><title>Харківська міська рада</title>
        <script>if (a<b) document.write('<link rel=\"alternate\" type=\"application/rss+xml\" href=\"/no\">')</script>
        <link rel=alternate type=application/rss+xml title='Коментарі' href=/comments/feed>
        <link rel=\"alternate\" type=\"application/rss+xml\" href=\"/news/feed\"></head><body>Вітаємо</body></html>";
    let comments = rss("Коментарі до: Харків", "kharkiv.example", &["Дякую", "Чудово", "Гарно"]);
    Publisher::start([
        ("/", Answer::document("text/html; charset=utf-8", page)),
        ("/comments/feed", Answer::document("application/rss+xml", comments)),
        ("/news/feed", Answer::document("application/rss+xml", kharkiv())),
        (
            "/lviv.rss",
            Answer::document(
                "application/rss+xml",
                rss("Львівська міська рада", "lviv.example", &["Нові трамваї"]),
            ),
        ),
    ])
}

/// An address without its scheme, as people type it.
fn typed(publisher: &Publisher, path: &str) -> String {
    publisher.url(path).strip_prefix("http://").unwrap().to_owned()
}

#[test]
fn three_commands_lead_from_an_empty_folder_to_a_feed() {
    let (folder, publisher) = (Folder::empty(), city());
    let (status, said) = ran(&folder, &["add", &typed(&publisher, ""), "--allow-private"]);
    assert_eq!(status, 0, "{said}");
    for line in [
        "is a page, «Харківська міська рада»; ",
        "   RSS, UTF-8, 3 entries, newest 2026-11-23 20:00\n",
        "   taken: the page names it as its feed\n",
        "   not taken: it carries comments; this takes it:\n",
        "   2026-11-23 20:00  У місті відкрили школу\n",
        "added to feeds.toml, line ",
        "  community  its title names it: «Новини - Харківська міська рада»\n",
        "no daemon runs here: `visnyk run` starts one\n",
        "readers find it at http://127.0.0.1:8080/sources/kharkivska-miska-rada.atom\n",
    ] {
        assert!(said.contains(line), "{line}\nis not in\n{said}");
    }
    let (status, said) =
        ran(&folder, &["add", &publisher.url("/lviv.rss"), "--allow-private", "--id", "lviv"]);
    assert_eq!(status, 0, "{said}");
    let config = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    let tables = format!(
        "\n[[feed]]\nid = \"kharkivska-miska-rada\"\ntitle = \"Харківська міська рада\"\nurl = \"{}\"\ncommunity = \"kharkivska\"\nallow_private = true\n\n[[feed]]\nid = \"lviv\"\ntitle = \"Львівська міська рада\"\nurl = \"{}\"\ncommunity = \"lvivska\"\nallow_private = true\n",
        publisher.url("/news/feed"),
        publisher.url("/lviv.rss"),
    );
    assert!(config.ends_with(&tables), "{config}");
    // Where the listener usually is, that of another test may be.
    let free = config.replace("127.0.0.1:8080", "127.0.0.1:0");
    fs::write(folder.path("feeds.toml"), free).unwrap();
    let daemon = folder.run();
    let both = daemon.get_when("/all.atom", |body| {
        body.contains("Нові трамваї") && body.contains("У місті відкрили школу")
    });
    assert!(both.starts_with("<?xml") && both.matches("<entry").count() == 4, "{both}");
    let region = daemon.get("/communities/kharkivska.atom").1;
    assert!(region.contains("Парк засадили липами") && !region.contains("трамваї"), "{region}");
}

#[test]
fn what_is_there_already_is_told_with_its_line() {
    let (folder, publisher) = (Folder::with(""), city());
    let add = |what: &str| ran(&folder, &["add", what, "--allow-private"]);
    assert_eq!(add(&publisher.url("/news/feed")).0, 0);
    let before = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    let line = before.lines().position(|line| line == "[[feed]]").unwrap() + 1;
    for again in [publisher.url("/news/feed/#top"), publisher.url("/")] {
        let (status, said) = add(&again);
        assert_eq!(status, 1, "{said}");
        let told = format!(
            "the feed `kharkivska-miska-rada` has this address already, {}: feeds.toml, line {line}\n",
            publisher.url("/news/feed")
        );
        assert!(said.ends_with(&told), "{said}");
    }
    assert_eq!(fs::read_to_string(folder.path("feeds.toml")).unwrap(), before);
}

#[test]
fn a_dry_run_writes_nothing_and_shows_the_table() {
    let (folder, publisher) = (Folder::empty(), city());
    let arguments = [
        "add",
        &publisher.url("/news/feed"),
        "--dry-run",
        "--allow-private",
        "--kind",
        "partner",
        "--title",
        "Харків",
        "--region",
        "kharkivska",
    ];
    let (status, said) = ran(&folder, &arguments);
    assert_eq!(status, 0, "{said}");
    let table = format!(
        "it would be added to feeds.toml, line 23:\n\n[[feed]]\nid = \"kharkivska-miska-rada\"\ntitle = \"Харків\"\nurl = \"{}\"\nkind = \"partner\"\nregion = \"kharkivska\"\nallow_private = true\n",
        publisher.url("/news/feed")
    );
    assert!(said.contains(&table), "{said}");
    assert!(!folder.path("feeds.toml").exists());
}

#[test]
fn a_value_that_is_not_known_is_told_with_what_is_near_and_not_written() {
    let (folder, publisher) = (Folder::empty(), city());
    let (status, said) = ran(
        &folder,
        &["add", &publisher.url("/news/feed"), "--allow-private", "--region", "kharkivsk"],
    );
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("write `kharkivska`"), "{said}");
    assert!(!folder.path("feeds.toml").exists());
}

#[test]
fn what_cannot_be_added_is_told_with_what_to_do() {
    let elsewhere = "<a href='http://127.0.0.2:9/feed'>RSS</a><a href='javascript:alert(1)'>RSS</a><a href='data:text/xml,<rss/>'>RSS</a>";
    let publisher = Publisher::start([
        ("/", Answer::document("text/html", "<title>Порожньо</title>")),
        ("/links", Answer::document("text/html", elsewhere)),
    ]);
    let folder = Folder::with("");
    let before = fs::read(folder.path("feeds.toml")).unwrap();
    for (arguments, status, told) in [
        (vec!["add", "not an address"], 2, "`not an address` is no address: write such as `https://city.example/` or `city.example`".to_owned()),
        (vec!["add", "https://user:secret@city.example/"], 2, "leave the user and the password out".to_owned()),
        (vec!["add", &publisher.url("/")], 1, "(`--allow-private` allows it, and writes so)".to_owned()),
        (vec!["add", &publisher.url("/"), "--allow-private"], 1, format!("no feed was found at {}", publisher.url("/"))),
        (vec!["add", &publisher.url("/gone"), "--allow-private"], 1, "the server answered 404".to_owned()),
        // A page at a private address vouches for no other.
        (vec!["add", &publisher.url("/links"), "--allow-private"], 1, "no feed at http://127.0.0.2:9/feed: http://127.0.0.2:9/feed: refused: ".to_owned()),
    ] {
        let (ended, said) = ran(&folder, &arguments);
        assert_eq!(ended, status, "{arguments:?}: {said}");
        assert!(said.contains(&told), "{arguments:?}: {said}");
        assert_eq!(fs::read(folder.path("feeds.toml")).unwrap(), before);
    }
}

#[test]
fn a_feed_that_no_page_names_is_found_where_feeds_lie_and_in_the_sitemap() {
    let publisher = Publisher::start([
        ("/", Answer::document("text/html", "<title>Харківська міська рада</title>")),
        ("/robots.txt", Answer::document("text/plain", "User-agent: *\nDisallow:\n")),
        (
            "/sitemap.xml",
            Answer::document(
                "text/xml",
                "<urlset><url><loc>/novyny</loc></url><url><loc>/news/1</loc></url></urlset>",
            ),
        ),
        ("/novyny", Answer::document("text/html", "<a href='/stream'><img alt='RSS'></a>")),
        ("/stream", Answer::document("application/rss+xml", kharkiv())),
    ]);
    // One publisher, and no pause between twenty requests.
    let folder = Folder::with("");
    let (status, said) = ran(&folder, &["add", &publisher.url("/"), "--allow-private"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains(&format!("1. {}\n", publisher.url("/stream"))), "{said}");
    let requests: usize =
        said.split("; ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((4..=20).contains(&requests), "{said}");

    let joomla = Publisher::start([
        ("/", Answer::document("text/html", "<title>Громада</title>")),
        ("/?format=feed&type=rss", Answer::document("application/rss+xml", kharkiv())),
    ]);
    let (status, said) = ran(&folder, &["add", &joomla.url("/"), "--allow-private"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("taken: feeds usually lie there"), "{said}");
    assert!(said.contains("id = \"kharkivska-miska-rada-2\""), "{said}");
}
