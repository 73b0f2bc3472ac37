//! A hostile document, through every stage to what readers are given: Atom that is well-formed XML
//! with every id once, JSON that is JSON, and a page without a script, however it was written.
#![no_main]

use chrono::DateTime;
use chrono::Utc;
use libfuzzer_sys::fuzz_target;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use scraper::Html;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::known::Change;
use visnyk::model::known::Memory;
use visnyk::model::publication::Selection;
use visnyk::model::surroundings::Surroundings;
use visnyk::publish::atom::atom;
use visnyk::publish::html::article::article;
use visnyk::publish::html::language::Language;
use visnyk::publish::json::json;
use visnyk::publish::sheet::Sheet;
use visnyk::serve::documents::imprint::apart;
use visnyk::serve::documents::imprint::masthead;

const FEEDS: &str = "[site]\naddress = \"https://visnyk.example/\"\nsince = 2026-01-01\n\
    [[feed]]\nid = \"one\"\ntitle = \"Новини\"\nurl = \"https://rada.example.ua/rss\"\nrepublish = \"full\"\n";
/// More pages show nothing that these do not.
const PAGES_MAX: usize = 4;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    parse("feeds.toml", FEEDS, Path::new("")).unwrap_or_else(|bad| panic!("{bad}"))
});
/// Without the names of places, which take long to look for and change nothing that is looked at.
static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::new(&CONFIG.catalogue, &CONFIG.tags, &[]));

fn now() -> DateTime<Utc> {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

/// The ids of the entries of a document, which a strict parser reads to the end.
fn ids(document: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(document).expect("it is UTF-8");
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    reader.config_mut().check_comments = true;
    let (mut path, mut ids) = (Vec::<String>::new(), Vec::new());
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Eof => break,
            Event::DocType(_) | Event::PI(_) | Event::Comment(_) => panic!("not ours: {text}"),
            Event::Start(element) => {
                let name = element.name().as_ref().to_owned();
                let mut names = BTreeSet::new();
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap_or_else(|error| panic!("{error}: {text}"));
                    assert!(names.insert(attribute.key.as_ref().to_owned()), "twice: {text}");
                    let value = attribute.normalized_value(XmlVersion::Explicit1_0);
                    value.unwrap_or_else(|error| panic!("{error}: {text}"));
                }
                path.push(name);
                if path.len() == 3 && path[1] == "entry" && path[2] == "id" {
                    ids.push(String::new());
                }
            }
            Event::End(_) => _ = path.pop(),
            Event::Text(words) if path.len() == 3 && path[1] == "entry" && path[2] == "id" => {
                if let Some(id) = ids.last_mut() {
                    id.push_str(&words);
                }
            }
            Event::GeneralRef(named) => {
                let known = ["amp", "lt", "gt", "quot", "apos"];
                let is_known = known.contains(&named.as_ref()) || named.starts_with('#');
                assert!(is_known, "&{};: {text}", named.as_ref() as &str);
                if path.len() == 3
                    && path[2] == "id"
                    && let Some(id) = ids.last_mut()
                {
                    id.push('&');
                    id.push_str(&named);
                }
            }
            _ => {}
        }
    }
    let is_char = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(is_char), "no character of XML: {text:?}");
    ids
}

/// No script, no handler, no address but of the web, and of others' pictures only that.
fn harmless(page: &[u8]) {
    let text = std::str::from_utf8(page).expect("it is UTF-8");
    let forbidden = ["iframe", "object", "embed", "base", "applet", "frame", "math", "style"];
    for node in Html::parse_document(text).tree.nodes() {
        let Some(element) = node.value().as_element() else { continue };
        let name = element.name();
        assert!(!forbidden.contains(&name), "<{name}>: {text}");
        assert!(name != "script" || element.attr("type") == Some("application/ld+json"), "{text}");
        for (key, value) in element.attrs() {
            assert!(!key.starts_with("on") && key != "style" && key != "srcdoc", "{key}: {text}");
            let bare: String = value.chars().filter(|c| *c > ' ').collect();
            let bare = bare.to_ascii_lowercase();
            let is_address = matches!(key, "href" | "src" | "action" | "formaction" | "poster");
            let is_script =
                ["javascript:", "vbscript:", "data:text"].iter().any(|s| bare.starts_with(s));
            assert!(!is_address || !is_script, "{key}={value:?}: {text}");
            assert!(key != "http-equiv", "{text}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let content_types =
        [None, Some("text/xml; charset=windows-1251"), Some("application/feed+json")];
    let document = Document {
        url: "https://rada.example.ua/rss".parse().unwrap(),
        content_type: content_types[usize::from(*first) % content_types.len()].map(str::to_owned),
        bytes: bytes.to_vec(),
    };
    let feed = CONFIG.feeds.values().next().unwrap();
    let Ok(read) = ingest(feed, &document, &Memory::default(), &CLASSIFIER, now()) else { return };
    let articles: Vec<Article> = read
        .changes
        .into_iter()
        .map(|change| match change {
            Change::Added(article) => article,
            other => panic!("nothing was known: {other:?}"),
        })
        .collect();
    for selection in [Selection::All, Selection::Source(feed.id.clone())] {
        let sheet = Sheet::front(&selection, &articles);
        let document = atom(masthead(&CONFIG), &sheet);
        let found = ids(&document);
        let once: BTreeSet<&String> = found.iter().collect();
        assert_eq!(once.len(), found.len(), "{found:?}");
        assert!(found.iter().all(|id| id.contains(':')), "{found:?}");
        let told: Value = serde_json::from_slice(&json(masthead(&CONFIG), &sheet)).unwrap();
        assert_eq!(told["items"].as_array().map(Vec::len), Some(found.len()));
    }
    let apart = apart(&CONFIG);
    for one in articles.into_iter().take(PAGES_MAX) {
        let shown = Surroundings { article: one, reads: 0, near: Vec::new(), kin: Vec::new() };
        harmless(&article(masthead(&CONFIG), Language::Ukrainian, &apart, &shown));
    }
});
