//! What a document changes, from its bytes on: the rules that need all stages at once.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::path::Path;
use std::sync::LazyLock;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::Ingested;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::known::Change;
use visnyk::model::known::Known;
use visnyk::model::known::Memory;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let feed = "[[feed]]\nid = \"one\"\ntitle = \"Новини\"\nurl = \"https://news.example/rss\"\n";
    parse("feeds.toml", feed, Path::new(".")).unwrap()
});

static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::new(&CONFIG.catalogue, &CONFIG.tags, &[]));

fn now() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

fn read(items: &str, memory: &Memory, now: DateTime<Utc>) -> Ingested {
    let rss = format!(
        "<rss version=\"2.0\"><channel><title>t</title><link>https://news.example/</link>\
         <description>d</description>{items}</channel></rss>"
    );
    let document = Document {
        url: "https://news.example/rss".parse().unwrap(),
        content_type: None,
        bytes: rss.into_bytes(),
    };
    let feed = CONFIG.feeds.values().next().unwrap();
    ingest(feed, &document, memory, &CLASSIFIER, now).unwrap()
}

fn article(change: &Change) -> &Article {
    match change {
        Change::Added(article) | Change::Updated(article) | Change::Relabelled(article) => article,
        Change::Unchanged(id, _) => panic!("{id} is unchanged"),
    }
}

fn item(guid: &str, title: &str) -> String {
    let link = format!("https://news.example/{}", title.len());
    format!(
        "<item><guid isPermaLink=\"false\">{guid}</guid><title>{title}</title><link>{link}</link></item>"
    )
}

#[test]
fn the_same_document_later_changes_nothing() {
    let items = item("1", "Перша") + &item("2", "Друга новина");
    let first = read(&items, &Memory::default(), now());
    let memory = Memory::new(first.changes.iter().map(article).map(Known::of));
    let again = read(&items, &memory, now() + TimeDelta::hours(1));
    assert_eq!(again.changes.len(), 2);
    assert!(again.changes.iter().all(|change| matches!(change, Change::Unchanged(..))));
}

#[test]
fn an_id_that_is_used_for_another_story_loses_neither() {
    let first = read(&item("1", "Перша"), &Memory::default(), now());
    let old = article(&first.changes[0]).clone();
    // The site renumbers: the first story is now `n1`, and a new one takes its old number.
    let memory = Memory::new([Known::of(&old)]);
    let renumbered = read(&item("n1", "Перша"), &memory, now());
    let moved = article(&renumbered.changes[0]);
    assert_eq!(moved.id, old.id);
    let memory = Memory::new([Known::of(moved)]);
    let reused = read(&item("1", "Зовсім інша новина"), &memory, now());
    let new = article(&reused.changes[0]);
    assert!(matches!(reused.changes[0], Change::Added(_)));
    assert_ne!(new.id, old.id);
    // And it stays the same from then on.
    let memory = Memory::new([Known::of(new), Known::of(moved)]);
    let again = read(&item("1", "Зовсім інша новина"), &memory, now());
    assert_eq!(again.changes, [Change::Unchanged(new.id, new.views)]);
}

#[test]
fn entries_without_a_date_keep_the_order_of_the_document() {
    let items =
        item("1", "Найновіша") + &item("2", "Старіша новина") + &item("3", "Ще старіша новина");
    let read = read(&items, &Memory::default(), now());
    let dates: Vec<_> = read.changes.iter().map(|change| article(change).published).collect();
    assert!(dates.is_sorted_by(|a, b| a > b), "{dates:?}");
    assert_eq!(dates[0], now());
}

#[test]
fn a_date_that_is_told_from_now_or_is_missing_is_settled_at_first_sight() {
    for written in [
        "2 години тому",
        "сьогодні, 10:05",
        "вчора",
        "щойно",
        "25 листопада",
        "25.11.2026",
        "",
        "скоро",
    ] {
        let dated = format!("<pubDate>{written}</pubDate></item>");
        let items = item("1", "Перша новина").replace("</item>", &dated);
        let first = read(&items, &Memory::default(), now());
        let settled = article(&first.changes[0]).clone();
        assert!(settled.published <= now(), "{written}");
        let memory = Memory::new([Known::of(&settled)]);
        for hours in [1, 12, 24, 24 * 30, 24 * 400] {
            let later = now() + TimeDelta::hours(hours);
            let again = read(&items, &memory, later);
            assert_eq!(
                again.changes,
                [Change::Unchanged(settled.id, None)],
                "{written}, {hours} h later"
            );
            // An edit is dated anew, the article is not.
            let edited = items.replace("</title>", "!</title>");
            let edited = read(&edited, &memory, later);
            let edited = article(&edited.changes[0]);
            assert_eq!((edited.id, edited.published), (settled.id, settled.published), "{written}");
            assert_eq!(edited.updated, later, "{written}, {hours} h later");
        }
    }
}

#[test]
fn a_page_of_several_stories_is_the_own_page_of_none_but_the_first() {
    let on_page = |guid: &str, title: &str| {
        item(guid, title).replace(&format!("/{}</link>", title.len()), "/grafik-2026</link>")
    };
    let first = read(&on_page("first-1", "Графік на понеділок"), &Memory::default(), now());
    let old = article(&first.changes[0]).clone();
    assert!(old.keys.link.is_some());
    let memory = Memory::new([Known::of(&old)]);
    let second = read(&on_page("second-2", "Графік на вівторок"), &memory, now());
    let new = article(&second.changes[0]).clone();
    assert!(matches!(second.changes[0], Change::Added(_)));
    assert_eq!((new.keys.link, new.url == old.url), (None, true));
    // And both stay as they are from then on.
    let memory = Memory::new([Known::of(&new), Known::of(&old)]);
    for (guid, title, id) in
        [("first-1", "Графік на понеділок", old.id), ("second-2", "Графік на вівторок", new.id)]
    {
        let again = read(&on_page(guid, title), &memory, now());
        assert_eq!(again.changes, [Change::Unchanged(id, None)]);
    }
}

#[test]
fn an_entry_that_repeats_another_is_counted_and_told() {
    let twice = item("1", "Перша") + &item("1", "Перша");
    let read = read(&twice, &Memory::default(), now());
    assert_eq!((read.tally.entries, read.tally.added, read.tally.rejected), (2, 1, 1));
    assert!(read.rejected[0].reason.contains("repeats"), "{:?}", read.rejected);
}
