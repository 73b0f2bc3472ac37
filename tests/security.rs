//! What SECURITY.md says is so: each test that it names is there, and each file is. And what feeds
//! say of themselves that is not theirs to say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::known::Change;
use visnyk::model::known::Memory;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between backquotes, with the number of its line.
fn quoted(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (line, words) in text.lines().enumerate() {
        found.extend(words.split('`').skip(1).step_by(2).map(|word| (line + 1, word)));
    }
    found
}

/// Whether a file has a test of this name, marked as one.
fn has_test(source: &str, name: &str) -> bool {
    let opened = format!("fn {name}(");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let is_it = line.strip_prefix("async ").unwrap_or(line).starts_with(&opened);
        let mut attributes = lines[..at].iter().rev().take_while(|line| line.starts_with('#'));
        is_it && attributes.any(|a| a.starts_with("#[test]") || a.starts_with("#[tokio::test"))
    })
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut named = BTreeSet::new();
    for (line, word) in quoted(&text) {
        if let Some((file, name)) = word.split_once("::")
            && Path::new(file).extension().is_some_and(|ending| ending == "rs")
        {
            let source = fs::read_to_string(root().join(file));
            let source =
                source.unwrap_or_else(|error| panic!("SECURITY.md:{line}: {file}: {error}"));
            assert!(has_test(&source, name), "SECURITY.md:{line}: {file} has no test `{name}`");
            named.insert(word);
        } else if ["tests/", "src/", ".ci/", "systemd/"].iter().any(|room| word.starts_with(room)) {
            assert!(root().join(word).exists(), "SECURITY.md:{line}: there is no {word}");
        }
    }
    assert!(named.len() > 50, "only {} tests are named", named.len());
    let threats = text.lines().filter(|line| line.starts_with("| ") && line.contains(".rs::"));
    assert!(threats.count() > 25);
}

#[test]
fn a_name_that_is_no_test_is_not_taken_for_one() {
    let source = "#[test]\nfn one() {}\n\nfn other() {}\n#[tokio::test]\nasync fn third() {}\n";
    for (name, expected) in [("one", true), ("on", false), ("other", false), ("third", true)] {
        assert_eq!(has_test(source, name), expected, "{name}");
    }
    assert_eq!(quoted("a `b` c `d`\n`e`"), [(1, "b"), (1, "d"), (2, "e")]);
}

fn config() -> Config {
    let feed =
        "[[feed]]\nid = \"one\"\ntitle = \"Одна\"\nurl = \"https://one.example/rss?token=x\"\n";
    parse("feeds.toml", feed, Path::new(".")).unwrap_or_else(|bad| panic!("{bad}"))
}

fn articles(bytes: &str) -> Vec<Article> {
    let config = config();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &[]);
    let url = "https://one.example/rss?token=x".parse().unwrap();
    let document = Document { url, content_type: None, bytes: bytes.into() };
    let feed = config.feeds.values().next().unwrap();
    let now = "2026-11-25T12:00:00Z".parse().unwrap();
    let read = ingest(feed, &document, &Memory::default(), &classifier, now).unwrap();
    let articles = read.changes.into_iter().map(|change| match change {
        Change::Added(article) => article,
        other => panic!("nothing was known: {other:?}"),
    });
    articles.collect()
}

#[test]
fn an_item_that_claims_another_source_is_still_of_its_feed() {
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><id>https://victim.example/feed</id>\
        <title>Victim</title><link rel='self' href='https://victim.example/feed'/>\
        <entry><id>https://victim.example/1</id><title>Спростування</title>\
        <link href='https://victim.example/1'/><author><name>Victim</name></author>\
        <source><id>https://victim.example/feed</id><title>Victim</title>\
        <link rel='self' href='https://victim.example/feed'/></source>\
        <content>Слово</content></entry></feed>";
    let [article] = articles(atom).try_into().unwrap();
    assert_eq!(article.feed.as_str(), "one");
    let told = article.origin.feed_url.map(|url| url.to_string());
    assert_eq!(
        told.as_deref(),
        Some("https://one.example/rss"),
        "where it was fetched, without its key"
    );
}

#[test]
fn no_link_of_an_entry_leads_anywhere_but_to_the_web() {
    for scheme in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java&#9;script:alert(1)",
        "java&#10;script:alert(1)",
        "&#1;javascript:alert(1)",
        "javascript&#58;alert(1)",
        "vbscript:x",
        "data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;",
        "data:image/svg+xml,x",
        "file:///etc/passwd",
        "blob:https://one.example/1",
        "about:blank",
        "view-source:https://one.example/",
        "ms-word:x",
        "intent://x",
    ] {
        let atom = format!(
            "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'>\
             <id>{scheme}</id><title>t</title><link href=\"{scheme}\"/><icon>{scheme}</icon>\
             <logo>{scheme}</logo><author><name>a</name><uri>{scheme}</uri></author>\
             <entry><id>{scheme}</id><title>Новина</title><link href=\"{scheme}\"/>\
             <link rel='enclosure' href=\"{scheme}\" type='image/png'/>\
             <link rel='via' href=\"{scheme}\"/><link rel='related' href=\"{scheme}\"/>\
             <author><name>b</name><uri>{scheme}</uri></author>\
             <source><title>s</title><link href=\"{scheme}\"/></source>\
             <media:thumbnail url=\"{scheme}\"/><media:content url=\"{scheme}\" medium='image'/>\
             <content type='html'>&lt;p&gt;&lt;a href=\"{scheme}\"&gt;x&lt;/a&gt;\
             &lt;img src=\"{scheme}\"&gt;Слово&lt;/p&gt;</content></entry></feed>"
        );
        let found = articles(&atom);
        assert_eq!(found.len(), 1, "{scheme}");
        let article = &found[0];
        let mut urls: Vec<&url::Url> = article.url.iter().chain(&article.via).collect();
        urls.extend(article.image.iter().map(|image| &image.url));
        urls.extend(article.enclosures.iter().map(|enclosure| &enclosure.url));
        urls.extend(article.authors.iter().filter_map(|author| author.url.as_ref()));
        urls.extend(article.source.url.iter().chain(&article.origin.site_url));
        urls.extend(article.origin.icon.iter());
        for url in urls {
            assert!(matches!(url.scheme(), "http" | "https"), "{scheme} gave {url}");
        }
        for word in ["javascript:", "vbscript:", "href=\"data:", "src=\"data:", "file:", "intent:"]
        {
            assert!(!article.body.to_lowercase().contains(word), "{scheme} gave {}", article.body);
        }
    }
}
