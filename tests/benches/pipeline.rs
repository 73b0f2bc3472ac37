//! How many entries a second go from bytes to articles, and from articles to Atom, on one core.
//!
//! `cargo bench` prints a table; "item/s" are entries.

use chrono::DateTime;
use chrono::Utc;
use divan::Bencher;
use divan::counter::BytesCount;
use divan::counter::ItemsCount;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::known::Change;
use visnyk::model::known::Memory;
use visnyk::model::publication::Selection;
use visnyk::publish::atom::atom;
use visnyk::publish::sheet::Sheet;
use visnyk::serve::documents::imprint::masthead;

/// As many as a large site's feed has.
const ENTRIES: usize = 500;

fn main() {
    divan::main();
}

#[divan::bench]
fn bytes_to_articles_all_new(bencher: Bencher) {
    let config = config();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let (document, memory) = (document(), Memory::default());
    let feed = config.feeds.values().next().unwrap();
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .counter(BytesCount::new(document.bytes.len()))
        .bench(|| ingest(feed, &document, &memory, &classifier, now()).unwrap());
}

#[divan::bench]
fn articles_to_atom(bencher: Bencher) {
    let config = config();
    let articles = articles(&config);
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .bench(|| atom(masthead(&config), &Sheet::front(&Selection::All, &articles)));
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn config() -> Config {
    let text = r#"
        [[feed]]
        id = "bench"
        title = "Новини"
        url = "https://news.example/rss"
        region = "kharkivska"

        [[tag]]
        name = "освіта"
        aliases = ["education", "школи"]
    "#;
    parse("feeds.toml", text, Path::new(".")).unwrap()
}

fn articles(config: &Config) -> Vec<Article> {
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let feed = config.feeds.values().next().unwrap();
    let ingested = ingest(feed, &document(), &Memory::default(), &classifier, now()).unwrap();
    let article = |change| match change {
        Change::Added(article) => Some(article),
        _ => None,
    };
    let articles: Vec<_> = ingested.changes.into_iter().filter_map(article).collect();
    assert_eq!(articles.len(), ENTRIES);
    articles
}

/// An RSS document with some 2.7 KB of text for each entry.
fn document() -> Document {
    let mut rss = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>Новини</title>\
         <link>https://news.example/</link><description>Міста</description>",
    );
    let sentence = "У Харківській області відкрили оновлену школу: ремонт тривав рік. ";
    for number in 0..ENTRIES {
        write!(
            rss,
            "<item><title>Новина номер {number} про освіту на Харківщині</title>\
             <link>https://news.example/{number}</link><guid>https://news.example/{number}</guid>\
             <pubDate>Mon, 03 Jul 2023 14:{:02}:00 +0300</pubDate><category>освіта</category>\
             <description>{sentence}{sentence}</description><content:encoded><![CDATA[\
             <p>{}</p><p><a href=\"/more\">Докладніше</a> <img src=\"/{number}.jpg\" alt=\"школа\"></p>\
             <p>{}</p>]]></content:encoded></item>",
            number % 60,
            sentence.repeat(10),
            sentence.repeat(10),
        )
        .unwrap();
    }
    rss.push_str("</channel></rss>");
    Document {
        url: "https://news.example/rss".parse().unwrap(),
        content_type: Some("application/rss+xml".to_owned()),
        bytes: rss.into_bytes(),
    }
}

/// Gazetteer, tags and language together, with the whole gazetteer and the example's tags.
#[divan::bench]
fn texts_to_labels(bencher: Bencher) {
    let config = visnyk::config::read(Path::new("feeds.toml")).unwrap();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let feed = config.feeds.values().next().unwrap();
    let texts = fs::read_to_string("tests/stories/true.txt").unwrap();
    let mut article = articles(&self::config()).swap_remove(0);
    article.body = format!("<p>{}</p>", texts.repeat(10).replace('\n', "</p><p>"));
    let bytes = article.title.len() + article.lead.len() + article.body.len();
    println!("{} bytes of names and patterns", classifier.bytes());
    bencher.counter(BytesCount::new(bytes)).bench(|| classifier.label(&article, feed));
}

/// Once at the start, and when feeds.toml changes.
#[divan::bench(sample_count = 10)]
fn the_classifier_is_made(bencher: Bencher) {
    let config = visnyk::config::read(Path::new("feeds.toml")).unwrap();
    bencher.bench(|| Classifier::new(&config.catalogue, &config.tags, &config.rules));
}
