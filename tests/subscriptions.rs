//! Lists of feeds from and for feed readers: what they mean, and that they mean the same when they
//! come back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::edit::NewFeed;
use visnyk::edit::Switch;
use visnyk::edit::with_feeds;
use visnyk::model::exchange::Document;
use visnyk::model::feed::Address;
use visnyk::subscriptions::Known;
use visnyk::subscriptions::SUBSCRIPTIONS_MAX;
use visnyk::subscriptions::Taken;
use visnyk::subscriptions::read;
use visnyk::subscriptions::take;
use visnyk::subscriptions::written;

fn example() -> Config {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    parse("feeds.toml", include_str!("../feeds.toml"), root).unwrap()
}

fn document(text: impl Into<Vec<u8>>) -> Document {
    let url = "file:///list.opml".parse().unwrap();
    Document { url, content_type: None, bytes: text.into() }
}

/// What the example takes of a list, with these feeds in it already.
fn taken(text: &str, feeds: &[(&str, &str)]) -> Taken {
    let config = example();
    let feeds = feeds.iter().map(|(id, url)| ((*id).to_owned(), (*url).to_owned())).collect();
    let known = Known { feeds: &feeds, tags: &config.tags, catalogue: &config.catalogue };
    take(&read(&document(text)).unwrap(), &known)
}

fn opml(outlines: &str) -> String {
    format!("<?xml version='1.0'?><opml version='2.0'><body>{outlines}</body></opml>")
}

#[test]
fn what_is_written_is_read_again_as_the_same_feeds() {
    let config = example();
    let sites =
        BTreeMap::from([("sumy".parse().unwrap(), "https://gromada.smr.gov.ua/".parse().unwrap())]);
    let list = written("Мій & твій «Вісник»", config.feeds.values(), &sites);
    assert!(
        list.contains("htmlUrl=\"https://gromada.smr.gov.ua/\" category=\"/communities/sumska\""),
        "{list}"
    );
    let taken = taken(&list, &[]);
    assert_eq!(taken.passed_over, []);
    let rest = include_str!("../feeds.toml").split("\n# Samples:").next().unwrap();
    let (text, _) = with_feeds(rest, &taken.new).unwrap();
    let again =
        parse("feeds.toml", &text, Path::new(".")).unwrap_or_else(|problems| panic!("{problems}"));
    let told = |config: &Config| -> Vec<String> {
        let of_the_web =
            config.feeds.values().filter(|feed| matches!(feed.address, Address::Http(_)));
        of_the_web
            .map(|feed| {
                format!(
                    "{} {} {} {:?} {:?} {:?} {:?} {}",
                    feed.id,
                    feed.title,
                    feed.address,
                    feed.kind,
                    feed.region,
                    feed.community,
                    feed.tags,
                    feed.enabled
                )
            })
            .collect()
    };
    assert!(told(&config).len() > 10);
    assert_eq!(told(&again), told(&config));
}

#[test]
fn categories_become_the_tags_that_are_known() {
    let list = opml(
        "<outline text='Освіта'><outline text='Inner'>
           <outline text='Школа &amp; ліцей' xmlUrl='https://a.example/rss' category='/x/Здоров’я,кіно, медицина'/>
         </outline></outline>
         <OUTLINE TITLE='Т' XMLURL='feed://b.example/rss#x' isComment='true' category='/regions/kharkivska,/communities/none'/>
         <outline xmlUrl='https://c.example/feed' text=''></outline>",
    );
    let feed = |id: &str, title: &str, url: &str| NewFeed {
        id: id.to_owned(),
        title: title.to_owned(),
        url: url.to_owned(),
        ..NewFeed::default()
    };
    let tags = vec!["osvita".to_owned(), "medytsyna".to_owned()];
    assert_eq!(
        taken(&list, &[("t", "https://other.example/")]).new,
        [
            NewFeed {
                tags, ..feed("shkola-litsei", "Школа & ліцей", "https://a.example/rss")
            },
            NewFeed {
                region: Some("kharkivska".to_owned()),
                switch: Switch::Off,
                ..feed("t-2", "Т", "https://b.example/rss")
            },
            feed("c", "c.example", "https://c.example/feed"),
        ]
    );
}

#[test]
fn what_is_known_and_what_is_no_address_is_passed_over() {
    let list = opml(
        "<outline text='a' xmlUrl='http://www.a.example/feed/'/><outline text='b' xmlUrl='https://b.example/1'/>
         <outline text='b' xmlUrl='https://b.example/1#'/><outline text='c' xmlUrl='javascript:alert(1)'/>
         <outline text='d' xmlUrl='file:///etc/passwd'/><outline text='e' xmlUrl='https://u:p@e.example/'/>",
    );
    let taken = taken(&list, &[("city", "https://a.example/feed")]);
    let ids: Vec<&str> = taken.new.iter().map(|feed| feed.id.as_str()).collect();
    assert_eq!(ids, ["b"]);
    let reasons: Vec<&str> = taken.passed_over.iter().map(|(_, why)| why.as_str()).collect();
    let no_address = "it is no address of the web";
    assert_eq!(
        reasons,
        ["it is `city` already", "it is `b` already", no_address, no_address, no_address]
    );
}

#[test]
fn a_hostile_list_costs_little() {
    let many = "<outline text='a' xmlUrl='https://a.example/'/>".repeat(SUBSCRIPTIONS_MAX * 10);
    let long = format!("<outline text='{}' xmlUrl='https://a.example/'/>", "а".repeat(4_000_000));
    for (name, outlines, feeds) in [
        (
            "depth",
            "<outline text='a' xmlUrl='https://a.example/'>".repeat(150_000),
            SUBSCRIPTIONS_MAX,
        ),
        ("ends", "</outline>".repeat(900_000), 0),
        ("many", many, SUBSCRIPTIONS_MAX),
        ("long", long, 1),
        (
            "categories",
            format!("<outline xmlUrl='https://a.example/' category='{}'/>", "x,".repeat(2_000_000)),
            1,
        ),
        ("broken", "<outline xmlUrl='https://a.example/'/><outline text='".to_owned(), 1),
    ] {
        let began = Instant::now();
        let read = read(&document(opml(&outlines))).unwrap();
        assert_eq!(read.len(), feeds, "{name}");
        assert!(
            read.iter().all(|one| one.title.len() < 1_000 && one.categories.len() <= 32),
            "{name}"
        );
        assert!(began.elapsed() < Duration::from_secs(20), "{name}: {:?}", began.elapsed());
    }
    let laughs = "<!DOCTYPE opml [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><opml><outline text='&b;&b;' xmlUrl='https://a.example/'/></opml>";
    assert_eq!(read(&document(laughs)).unwrap()[0].title, "&b;&b;");
    for no_list in
        ["", "<rss/>", "{\"opml\": 1}", "<html><outline xmlUrl='https://a.example/'/></html>"]
    {
        assert_eq!(read(&document(no_list)), None, "{no_list}");
    }
}
