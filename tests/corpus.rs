//! Feeds as the world sends them: by class, each with the articles that must come of it.
//!
//! A case is a document in `tests/fixtures/feeds/CLASS/` and, beside it, `NAME.expected`: what a
//! person would write down. Its first line may be `content-type: …`. With `VISNYK_BLESS=1` in the
//! environment expectations are written anew, for eyes to read, and the test fails.

use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::Ingested;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::known::Change;
use visnyk::model::known::Memory;
use visnyk::parse::ParseError;

const DOCUMENTS_MIN: usize = 150;
const CLASSES_MIN: usize = 12;
/// How much of a body is written down.
const BODY_CHARS_MAX: usize = 300;

/// What came of the documents of a class.
#[derive(Debug, Default)]
struct Tally {
    documents: usize,
    articles: usize,
    rejected: usize,
    repairs: usize,
    errors: usize,
}

fn config() -> Config {
    let feed =
        "[[feed]]\nid = \"rada\"\ntitle = \"Рада\"\nurl = \"https://rada.example.ua/news/rss\"\n";
    parse("feeds.toml", feed, Path::new(".")).unwrap()
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feeds");
    let mut paths = Vec::new();
    for class in fs::read_dir(root).unwrap() {
        paths.extend(fs::read_dir(class.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending != "expected"));
    paths.sort();
    paths
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn one_line(text: &str) -> String {
    let line: String = text.chars().take(BODY_CHARS_MAX).collect();
    line.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

fn write_article(out: &mut String, article: &Article) {
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            writeln!(out, "{name}: {value}").unwrap();
        }
    };
    line("\narticle", one_line(&article.title));
    line("lead", one_line(&article.lead));
    line("body", one_line(&article.body));
    line("published", instant(article.published));
    if article.updated != article.published {
        line("updated", instant(article.updated));
    }
    line("url", article.url.as_ref().map(ToString::to_string).unwrap_or_default());
    line("iri", article.iri.clone());
    let categories: Vec<&str> =
        article.categories.iter().map(|category| category.term.as_str()).collect();
    line("categories", categories.join(" | "));
    line("language", article.language.clone().unwrap_or_default());
    line("views", article.views.map(|views| views.to_string()).unwrap_or_default());
    line("image", article.image.as_ref().map(|image| image.url.to_string()).unwrap_or_default());
    for enclosure in &article.enclosures {
        line("enclosure", enclosure.url.to_string());
    }
    let authors: Vec<&str> = article.authors.iter().map(|author| author.name.as_str()).collect();
    line("authors", authors.join(" | "));
    if article.source.name != "Рада" {
        line("source", article.source.name.clone());
    }
}

fn written_down(result: &Result<Ingested, ParseError>, tally: &mut Tally) -> String {
    tally.documents += 1;
    let ingested = match result {
        Ok(ingested) => ingested,
        Err(error) => {
            tally.errors += 1;
            return format!("error: {error}\n");
        }
    };
    let mut out = String::new();
    for repair in &ingested.repairs {
        writeln!(out, "repair: {repair}").unwrap();
    }
    if ingested.is_broken_off {
        out.push_str("broken off\n");
    }
    if let Some(ttl) = ingested.rhythm.ttl {
        writeln!(out, "ttl: {} s", ttl.as_secs()).unwrap();
    }
    if let Some(period) = ingested.rhythm.update_every {
        writeln!(out, "changes every: {} s", period.as_secs()).unwrap();
    }
    if !ingested.rhythm.skip_hours.is_empty() || !ingested.rhythm.skip_days.is_empty() {
        let rhythm = &ingested.rhythm;
        writeln!(out, "skips: {:?} {}", rhythm.skip_hours, rhythm.skip_days).unwrap();
    }
    for rejected in &ingested.rejected {
        writeln!(out, "rejected: {}: {}", one_line(&rejected.what), rejected.reason).unwrap();
    }
    for change in &ingested.changes {
        let Change::Added(article) = change else { panic!("{change:?}") };
        write_article(&mut out, article);
    }
    tally.articles += ingested.changes.len();
    tally.rejected += ingested.rejected.len();
    tally.repairs += ingested.repairs.len();
    out
}

#[test]
fn every_feed_gives_the_articles_that_are_written_down() {
    let config = config();
    let feed = config.feeds.values().next().unwrap();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &[]);
    let now = "2026-11-25T12:00:00Z".parse().unwrap();
    let blesses = std::env::var_os("VISNYK_BLESS").is_some();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut differences = String::new();
    for path in documents() {
        let beside = path.with_extension("expected");
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        let content_type =
            expected.lines().next().and_then(|line| line.strip_prefix("content-type: "));
        let document = Document {
            url: "https://rada.example.ua/news/rss".parse().unwrap(),
            content_type: content_type.map(str::to_owned),
            bytes: fs::read(&path).unwrap(),
        };
        let class = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let result = ingest(feed, &document, &Memory::default(), &classifier, now);
        let found = written_down(&result, tallies.entry(class.clone()).or_default());
        let head = content_type.map(|kind| format!("content-type: {kind}\n")).unwrap_or_default();
        let found = format!("{head}{found}");
        if found != expected {
            let name = path.file_name().unwrap().to_string_lossy();
            writeln!(differences, "=== {class}/{name}\n--- expected\n{expected}--- found\n{found}")
                .unwrap();
            if blesses {
                fs::write(&beside, &found).unwrap();
            }
        }
    }
    println!(
        "{:<12} {:>9} {:>8} {:>8} {:>7} {:>6}",
        "class", "documents", "articles", "rejected", "repairs", "errors"
    );
    for (class, Tally { documents, articles, rejected, repairs, errors }) in &tallies {
        println!("{class:<12} {documents:>9} {articles:>8} {rejected:>8} {repairs:>7} {errors:>6}");
    }
    let documents: usize = tallies.values().map(|tally| tally.documents).sum();
    println!("{documents} documents in {} classes", tallies.len());
    assert!(differences.is_empty(), "\n{differences}");
    assert!(documents >= DOCUMENTS_MIN, "only {documents} documents");
    assert!(tallies.len() >= CLASSES_MIN, "only {} classes", tallies.len());
}
