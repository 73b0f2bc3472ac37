//! What is published is valid, complete, harmless, and the same for the same input.

use atom_syndication::Entry;
use atom_syndication::Feed;
use chrono::DateTime;
use quick_xml::Reader;
use quick_xml::events::Event;
use sample::at;
use sample::config;
use sample::plain;
use sample::sister_cities;
use sample::url;
use serde_json::Value;
use std::collections::BTreeMap;
use visnyk::config::Config;
use visnyk::events::Finding;
use visnyk::events::Journal;
use visnyk::model::article::Article;
use visnyk::model::article::Author;
use visnyk::model::article::Enclosure;
use visnyk::model::article::Image;
use visnyk::model::article::Reason;
use visnyk::model::article::Why;
use visnyk::model::event::EventKind;
use visnyk::model::feed::Republish;
use visnyk::model::front::Removed;
use visnyk::model::id::Digest;
use visnyk::model::id::TagId;
use visnyk::model::publication::Selection;
use visnyk::model::publication::Shelf;
use visnyk::publish::atom::atom;
use visnyk::publish::atom::events::events;
use visnyk::publish::atom::events::events_json;
use visnyk::publish::json::json;
use visnyk::publish::opml::opml;
use visnyk::publish::sheet::Sheet;
use visnyk::publish::story::Apart;
use visnyk::publish::story::one_each;
use visnyk::serve::documents::imprint::masthead;

mod sample;

fn selection(path: &str) -> Selection {
    Selection::at(path).unwrap()
}

fn document(path: &str, articles: &[Article]) -> String {
    let config = config();
    let selection = selection(path);
    let sheet = Sheet::front(&selection, articles);
    let bytes = atom(masthead(&config), &sheet);
    let again = atom(masthead(&config), &sheet);
    assert_eq!(bytes, again, "the same input gave other bytes");
    String::from_utf8(bytes).unwrap()
}

/// Reads a document as a stranger does; panics if it is ill-formed.
fn read(document: &str) -> Feed {
    well_formed(document);
    Feed::read_from(document.as_bytes()).unwrap()
}

fn well_formed(document: &str) {
    let mut reader = Reader::from_str(document);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return,
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    let value =
                        attribute.unwrap().normalized_value(quick_xml::XmlVersion::Explicit1_0);
                    assert!(!value.unwrap().contains('\0'));
                }
            }
            _ => {}
        }
    }
}

fn entry(article: Article) -> Entry {
    let path = format!("sources/{}", article.feed);
    read(&document(&path, &[article])).entries.remove(0)
}

fn shelf(count: u64) -> Shelf {
    Shelf { count, updated: at("2023-07-03T11:16:00Z"), changed: at("2023-07-03T11:20:00Z") }
}

#[test]
fn a_full_document_is_this_to_the_letter() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/publish/full.atom");
    let document = document("regions/kharkivska/tags/partnerstvo", &[sister_cities()]);
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(document.replace("><", ">\n<") + "\n", expected);
}

/// The end of the id of each entry for admins, the newest first.
fn told_to_admins(journal: &Journal) -> Vec<String> {
    let config = config();
    let all: Vec<_> = journal.events().collect();
    let bytes = events(&config.site, "http://127.0.0.1/admin/events.atom", &all);
    let feed = read(std::str::from_utf8(&bytes).unwrap());
    let bytes = events_json(&config.site, "http://127.0.0.1/admin/events.json", &all);
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    let ids: Vec<_> = feed.entries.iter().map(|entry| entry.id.clone()).collect();
    let items = json["items"].as_array().unwrap().iter();
    assert!(items.map(|item| item["id"].as_str().unwrap()).eq(ids.iter()), "{ids:?}: {json}");
    ids.iter().map(|id| id.split("/admin/events/").nth(1).unwrap().to_owned()).collect()
}

#[test]
fn each_beginning_and_each_end_of_an_event_is_an_entry_that_nobody_has_read() {
    let mut journal = Journal::default();
    let down = || Finding::Wrong("is down".to_owned(), "mend it".to_owned());
    let mut look = |finding, minute: i64| {
        let now = at("2026-11-26T12:00:00Z") + chrono::TimeDelta::minutes(minute);
        journal.settle(EventKind::Disk, (None, "disk"), finding, now);
        told_to_admins(&journal)
    };
    let key = "20261126T120000Z-disk";
    let [one, one_end] = [format!("{key}/1"), format!("{key}/1/end")];
    let [two, two_end] = [format!("{key}/2"), format!("{key}/2/end")];
    let [three, three_end] = [format!("{key}/3"), format!("{key}/3/end")];
    assert_eq!(look(down(), 0), [one.as_str()]);
    assert_eq!(look(down(), 1), [one.as_str()]);
    assert_eq!(look(Finding::Right, 2), [one_end.as_str(), one.as_str()]);
    assert_eq!(look(down(), 3), [two.as_str()]);
    assert_eq!(look(Finding::Right, 4), [two_end.as_str(), two.as_str()]);
    // From the third time on, nothing new for hours.
    for minute in (5..300).step_by(2) {
        assert_eq!(look(down(), minute), [three.as_str()]);
        assert_eq!(look(Finding::Right, minute + 1), [three.as_str()]);
    }
    assert_eq!(look(Finding::Right, 700), [three_end.as_str(), three.as_str()]);
}

#[test]
fn a_page_of_an_archive_says_what_it_is_and_what_was_taken_away() {
    let config = config();
    let articles = [sister_cities()];
    let removed = |iri: &str| Removed { iri: iri.to_owned(), at: at("2023-08-01T09:00:00Z") };
    // What another article of its story goes on bearing is not gone.
    let removed = [removed("https://a.example/?a=1&b=\"<2>\""), removed(&articles[0].iri)];
    let all = Selection::All;
    let sheet = Sheet {
        selection: &all,
        number: Some(7),
        previous: Some(5),
        articles: &articles,
        removed: &removed,
    };
    let text = String::from_utf8(atom(masthead(&config), &sheet)).unwrap();
    let feed = read(&text);
    let links: Vec<_> = feed.links.iter().map(|l| (l.rel.as_str(), l.href.as_str())).collect();
    assert_eq!(
        links,
        [
            ("self", "https://visnyk.example/all/archive/7.atom"),
            ("alternate", "https://visnyk.example/all"),
            ("current", "https://visnyk.example/all.atom"),
            ("prev-archive", "https://visnyk.example/all/archive/5.atom"),
        ]
    );
    assert!(text.contains("xmlns:fh=\"http://purl.org/syndication/history/1.0\""));
    assert!(text.contains("<fh:archive/>") || text.contains("<fh:archive></fh:archive>"));
    assert_eq!(feed.updated.to_rfc3339(), "2023-08-01T12:00:00+03:00");
    let tombs = &feed.extensions["at"]["deleted-entry"];
    assert_eq!(tombs.len(), 1);
    assert!(text.contains("ref=\"https://a.example/?a=1&amp;b=&quot;&lt;2&gt;&quot;\""), "{text}");
    assert!(text.contains("when=\"2023-08-01T12:00:00+03:00\""));
    // All documents of a publication have one id: they are one feed.
    let front = Sheet { number: None, ..sheet };
    let front = read(std::str::from_utf8(&atom(masthead(&config), &front)).unwrap());
    assert_eq!(feed.id, front.id);
    assert!(!front.extensions.contains_key("fh"));
    let page: Value = serde_json::from_slice(&json(masthead(&config), &sheet)).unwrap();
    assert_eq!(page["feed_url"], "https://visnyk.example/all/archive/7.json");
    assert_eq!(page["next_url"], "https://visnyk.example/all/archive/5.json");
    assert_eq!(page["_visnyk"]["deleted"].as_array().unwrap().len(), 1);
    let last = Sheet { previous: None, removed: &[], ..sheet };
    let page: Value = serde_json::from_slice(&json(masthead(&config), &last)).unwrap();
    assert!(page.get("next_url").is_none() && page.get("_visnyk").is_none());
}

#[test]
fn a_reader_finds_every_field_of_an_article() {
    let entry = entry(sister_cities());
    let article = sister_cities();
    assert_eq!(entry.id, article.iri);
    assert_eq!(entry.title.value, article.title);
    assert_eq!(entry.summary.unwrap().value, article.lead);
    assert_eq!(entry.content.unwrap().value.unwrap(), article.body);
    let published = DateTime::parse_from_rfc3339("2023-07-03T14:16:00+03:00").unwrap();
    assert_eq!(entry.published.unwrap().to_rfc3339(), published.to_rfc3339());
    let source = entry.source.unwrap();
    assert_eq!(source.title.value, "Харківська міська рада");
    assert_eq!(source.updated, published);
    let links: Vec<_> = entry.links.iter().map(|l| (l.rel.as_str(), l.href.as_str())).collect();
    assert_eq!(
        links,
        [
            ("alternate", "https://www.city.kharkiv.example/news/4087?a=1&b=2"),
            ("enclosure", "https://www.city.kharkiv.example/mowa.mp3"),
            ("via", "https://www.cabq.example/news/kharkiv"),
            ("via", "https://www.city.kharkiv.example/"),
        ]
    );
    let labels: Vec<_> = entry.categories.iter().map(|c| c.label.as_deref().unwrap()).collect();
    assert_eq!(
        labels,
        [
            "Харківська область / Kharkiv Oblast",
            "nova-hromada",
            "міжнародна підтримка / international support",
            "партнерство / partnership",
        ]
    );
}

/// Fails when `atom_syndication` begins to escape these values itself: then we need not.
#[test]
fn attributes_of_extensions_are_escaped_once() {
    let document = document("all", &[sister_cities()]);
    assert!(document.contains(r#"url="https://www.city.kharkiv.example/i/1.jpg?w=800&amp;h="#));
    let entry = read(&document).entries.remove(0);
    let media = &entry.extensions["media"];
    let picture = &media["content"][0];
    assert_eq!(picture.children["description"][0].value(), Some("Прапори <двох> міст & світлина"));
    let views = &media["community"][0].children["statistics"][0];
    assert_eq!(views.attrs["views"], "4087");
    assert_eq!(entry.extensions["georss"]["point"][0].value(), Some("49.9935 36.2304"));
}

#[test]
fn hostile_texts_in_every_field_stay_texts() {
    let evil = "\0\u{8}]]></title><script>alert(\"1\")</script>&amp;\u{ffff}' <!--";
    let kept = "]]></title><script>alert(\"1\")</script>&amp;' <!--";
    let mut article = sister_cities();
    for field in [
        &mut article.title,
        &mut article.lead,
        &mut article.body,
        &mut article.iri,
        &mut article.source.name,
        &mut article.origin.iri,
        &mut article.origin.title,
    ] {
        *field = format!("{field}{evil}");
    }
    article.rights = Some(evil.to_owned());
    article.origin.rights = Some(evil.to_owned());
    article.language = Some(evil.to_owned());
    article.authors = vec![Author { name: evil.to_owned(), url: None }];
    article.image = Some(Image {
        url: url("https://a.example/\"><x y='&amp;"),
        alt: Some(evil.to_owned()),
        caption: Some(evil.to_owned()),
        width: None,
        height: None,
    });
    article.enclosures = vec![Enclosure {
        url: url("https://a.example/?<"),
        mime: Some(evil.to_owned()),
        length: Some(0),
    }];
    article.point = Some((f64::NAN, f64::INFINITY));
    let mut config = config();
    config.site.title = format!("Сайт{evil}");
    config.site.subtitle = Some(evil.to_owned());
    config.site.rights = Some(evil.to_owned());
    config.site.contact = Some(evil.to_owned());
    config.site.language = evil.to_owned();
    config.feeds.values_mut().for_each(|feed| feed.title = evil.to_owned());
    let bytes = atom(masthead(&config), &Sheet::front(&Selection::All, &[article.clone()]));
    let document = String::from_utf8(bytes).unwrap();
    let feed = read(&document);
    assert_eq!(feed.title.value, format!("Сайт{kept}"));
    assert_eq!(feed.lang, None);
    let entry = &feed.entries[0];
    assert_eq!(entry.title.value, format!("{}{kept}", sister_cities().title));
    assert_eq!(entry.authors[0].name, kept);
    assert_eq!(entry.links[1].mime_type.as_deref(), Some("application/octet-stream"));
    assert_eq!(entry.links[1].length, None);
    assert!(!entry.extensions.contains_key("georss"));
    for character in ['\0', '\u{8}', '\u{ffff}'] {
        assert!(!document.contains(character));
    }
    let shelves = config_shelves(&config);
    let outlines = String::from_utf8(opml(masthead(&config), &shelves)).unwrap();
    well_formed(&outlines);
    assert!(!outlines.contains('\0'));
}

fn config_shelves(config: &Config) -> BTreeMap<Selection, Shelf> {
    config.feeds.keys().cloned().map(Selection::Source).map(|s| (s, shelf(1))).collect()
}

#[test]
fn how_much_is_published_again_is_the_feeds_to_say() {
    let lead = sister_cities().lead;
    // Where no text is given on, the title is the text that an entry should have.
    let title = sister_cities().title;
    for (feed, summary, has_content, has_picture) in [
        ("kharkiv", &lead, true, true),
        ("brief", &lead, false, false),
        ("bare", &title, false, false),
        ("gone", &title, false, false),
    ] {
        let article = Article { feed: feed.parse().unwrap(), ..sister_cities() };
        let entry = entry(article);
        assert_eq!(entry.summary.unwrap().value, *summary, "{feed}");
        assert_eq!(entry.content.is_some(), has_content, "{feed}");
        assert_eq!(entry.extensions["media"].contains_key("content"), has_picture, "{feed}");
        assert_eq!(entry.links.iter().any(|l| l.rel == "enclosure"), has_picture, "{feed}");
        assert_eq!(entry.source.unwrap().rights.unwrap().value, "CC BY 4.0", "{feed}");
    }
}

#[test]
fn an_article_with_little_is_a_valid_entry() {
    let mut article = plain("mirror", "little", 0);
    article.url = None;
    article.title = "\u{1}".to_owned();
    article.lead = String::new();
    article.body = String::new();
    article.language = Some("en".to_owned());
    // The page of an article whose source gives none is ours.
    let page = format!("https://visnyk.example/articles/{}", article.id);
    let entry = entry(article);
    assert_eq!(entry.title.value, "Джерело");
    assert_eq!(entry.title.lang.as_deref(), Some("en"));
    assert_eq!(entry.content, None);
    assert_eq!(entry.summary, Some(entry.title));
    assert_eq!(entry.links[0].href, page);
    assert_eq!(entry.authors[0].name, "Джерело");
}

#[test]
fn a_summary_that_says_the_title_again_is_left_out() {
    let article = plain("mirror", "echo", 0);
    assert_eq!(entry(Article { lead: article.title.clone(), ..article }).summary, None);
}

#[test]
fn an_empty_publication_has_a_fixed_date_and_its_own_address() {
    let feed = read(&document("tags/partnerstvo", &[]));
    assert_eq!(feed.updated.to_rfc3339(), "2026-01-01T02:00:00+02:00");
    assert_eq!(feed.id, "tag:visnyk.example,2026-01-01:/tags/partnerstvo");
    assert_eq!(feed.title.value, "партнерство — Вісник громад");
    assert_eq!(feed.links[0].href, "https://visnyk.example/tags/partnerstvo.atom");
    assert_eq!(feed.authors[0].email.as_deref(), Some("redaktor@visnyk.example"));
}

#[test]
fn updated_is_that_of_the_last_changed_article_and_no_id_stands_twice() {
    let mut old = plain("mirror", "old", 0);
    old.updated = at("2023-07-04T00:00:00Z");
    let new = plain("mirror", "new", 5);
    let feed = read(&document("all", &[new.clone(), old, new]));
    assert_eq!(feed.updated.to_rfc3339(), "2023-07-04T03:00:00+03:00");
    assert_eq!(feed.entries.len(), 2);
}

#[test]
fn a_story_in_two_feeds_is_the_copy_at_home_and_names_both() {
    let home = sister_cities();
    let mut copy = plain("mirror", "copy", -600);
    copy.keys.link = home.keys.link;
    copy.url = Some(url("http://city.kharkiv.example/news/4087"));
    copy.source.name = "Дзеркало".to_owned();
    copy.labels
        .tags
        .insert(TagId::new("svoie").unwrap(), vec![Reason { why: Why::Feed, points: 100 }]);
    let other = plain("mirror", "other", -5);
    for articles in
        [[copy.clone(), other.clone(), home.clone()], [home.clone(), other, copy.clone()]]
    {
        let stories = one_each(articles.to_vec(), &Apart::default());
        let story = stories.iter().find(|story| story.id == home.id).unwrap();
        assert_eq!(stories.len(), 2);
        assert_eq!(story.url, home.url);
        assert!(story.via.contains(copy.url.as_ref().unwrap()));
        assert!(story.authors.iter().any(|author| author.name == "Дзеркало"));
        assert_eq!(story.labels.tags.len(), 3);
    }
}

#[test]
fn a_copy_that_comes_later_does_not_change_the_id_of_a_story() {
    let mut home = sister_cities();
    home.origin.feed_url = home.url.as_ref().map(|page| page.join("/rss").unwrap());
    let mut copy = plain("mirror", "copy", -600);
    (copy.keys.link, copy.url) = (home.keys.link, home.url.clone());
    copy.first_seen = home.first_seen - chrono::TimeDelta::hours(1);
    let alone = one_each(vec![copy.clone()], &Apart::default());
    let both = one_each(vec![home.clone(), copy.clone()], &Apart::default());
    assert_eq!(both.len(), 1);
    assert_eq!((&both[0].iri, both[0].published), (&alone[0].iri, alone[0].published));
    assert_eq!((&both[0].title, &both[0].body), (&home.title, &home.body), "the words of the home");
}

#[test]
fn no_feed_puts_words_into_the_mouth_of_a_page_that_is_not_its_own() {
    let link = Some(Digest::of(["city.example/1"]));
    let page = Some(url("https://city.example/1"));
    let mut evil = plain("evil", "fake", 0);
    (evil.keys.link, evil.url) = (link, page.clone());
    evil.origin.site_url = Some(url("https://city.example/"));
    let mut partner = plain("partner", "true", 5);
    (partner.keys.link, partner.url) = (link, page);
    partner.keys.title = Digest::of(["another title"]);
    partner.keys.content = Digest::of(["another content"]);
    assert_eq!(
        one_each(vec![partner, evil], &Apart::default()).len(),
        2,
        "they do not say the same"
    );
}

#[test]
fn a_story_without_a_copy_at_home_is_the_one_first_seen() {
    let link = Some(Digest::of(["elsewhere.example/1"]));
    let story = |feed: &str, minutes| {
        let mut article = plain(feed, "story", minutes);
        article.keys.link = link;
        article.url = Some(url("https://elsewhere.example/1"));
        article
    };
    let stories =
        one_each(vec![story("bare", 3), story("mirror", 1), story("brief", 2)], &Apart::default());
    assert_eq!(stories.len(), 1);
    assert_eq!(stories[0].feed.as_str(), "mirror");
    assert_eq!(
        one_each(vec![plain("bare", "a", 0), plain("bare", "b", 0)], &Apart::default()).len(),
        2
    );
}

#[test]
fn opml_lists_what_has_articles_and_what_is_composed() {
    let config = config();
    let shelves = BTreeMap::from([
        (Selection::All, shelf(3)),
        (selection("regions/kharkivska"), shelf(2)),
        (selection("regions/kharkivska/tags/partnerstvo"), shelf(1)),
        (selection("tags/partnerstvo"), shelf(0)),
        (selection("regions/nowhere"), shelf(1)),
        (selection("sources/mirror"), shelf(1)),
    ]);
    let outlines = String::from_utf8(opml(masthead(&config), &shelves)).unwrap();
    well_formed(&outlines);
    for (path, listed) in [
        ("all", true),
        ("regions/kharkivska", true),
        ("regions/kharkivska/tags/partnerstvo", true),
        ("publications/pobratymy", true),
        ("sources/mirror", true),
        ("tags/partnerstvo", false),
        ("regions/nowhere", false),
        ("regions/lvivska", false),
    ] {
        let outline = format!("xmlUrl=\"https://visnyk.example/{path}.atom\"");
        assert_eq!(outlines.contains(&outline), listed, "{path}");
    }
}

#[test]
fn everything_that_is_published_is_known_and_nothing_else() {
    let config = config();
    let masthead = masthead(&config);
    for selection in masthead.selections() {
        assert!(masthead.knows(&selection), "{selection:?}");
        assert!(!masthead.subtitle(&selection).is_empty());
    }
    for path in [
        "regions/nowhere",
        "tags/nothing",
        "regions/kharkivska/tags/nothing",
        "regions/nowhere/tags/partnerstvo",
        "sources/none",
        "communities/none",
        "publications/none",
    ] {
        assert!(!masthead.knows(&selection(path)), "{path}");
    }
}

/// A JSON Feed as a stranger reads it; panics where version 1.1 asks for more.
fn json_feed(path: &str, config: &Config, articles: &[Article]) -> Value {
    let selection = selection(path);
    let sheet = Sheet::front(&selection, articles);
    let bytes = json(masthead(config), &sheet);
    assert_eq!(bytes, json(masthead(config), &sheet));
    let feed: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert!(feed["title"].is_string() && feed["feed_url"].is_string());
    for item in feed["items"].as_array().unwrap() {
        assert!(item["id"].is_string() && !item["id"].as_str().unwrap().is_empty(), "{item}");
        assert!(item["content_html"].is_string() != item["content_text"].is_string(), "{item}");
        for key in ["date_published", "date_modified"] {
            DateTime::parse_from_rfc3339(item[key].as_str().unwrap()).unwrap();
        }
        for attachment in item["attachments"].as_array().into_iter().flatten() {
            assert!(attachment["url"].is_string() && attachment["mime_type"].is_string());
        }
        // No key says "nothing".
        assert!(item.as_object().unwrap().values().all(|value| !value.is_null()), "{item}");
    }
    feed
}

#[test]
fn a_json_feed_says_what_the_atom_document_says() {
    let article = sister_cities();
    let path = "regions/kharkivska/tags/partnerstvo";
    let feed = json_feed(path, &config(), &[article.clone(), plain("kharkiv", "two", 3)]);
    let atom = read(&document(path, &[article.clone(), plain("kharkiv", "two", 3)]));
    assert_eq!(feed["title"], atom.title.value.as_str());
    assert_eq!(feed["description"], atom.subtitle.unwrap().value.as_str());
    let items = feed["items"].as_array().unwrap();
    assert_eq!(items.len(), atom.entries.len());
    for (item, entry) in items.iter().zip(&atom.entries) {
        assert_eq!(item["id"], entry.id.as_str());
        assert_eq!(item["title"], entry.title.value.as_str());
        assert_eq!(item["date_published"], entry.published.unwrap().to_rfc3339());
        assert_eq!(item["date_modified"], entry.updated.to_rfc3339());
        assert_eq!(item["url"], entry.links[0].href.as_str());
        let labels: Vec<&str> = entry
            .categories
            .iter()
            .map(|category| category.label.as_deref().unwrap_or(&category.term))
            .collect();
        assert_eq!(item["tags"].as_array().map_or(0, Vec::len), labels.len());
        assert!(
            labels.iter().all(|label| item["tags"].as_array().unwrap().iter().any(|t| t == label))
        );
    }
    let item = &items[0];
    assert_eq!(item["content_html"], article.body.as_str());
    assert_eq!(item["summary"], article.lead.as_str());
    assert_eq!(item["image"], article.image.unwrap().url.as_str());
    assert_eq!(item["attachments"][0]["mime_type"], "audio/mpeg");
    let untyped = |file: Enclosure| Enclosure { mime: None, ..file };
    let enclosures = sister_cities().enclosures.into_iter().map(untyped).collect();
    let article = Article { enclosures, ..sister_cities() };
    let feed = json_feed("all", &config(), std::slice::from_ref(&article));
    let file = &feed["items"][0]["attachments"][0];
    assert_eq!(file["mime_type"], "application/octet-stream");
    assert_eq!(item["_visnyk"]["regions"][0], "kharkivska");
    assert_eq!(item["_visnyk"]["views"], 4087);
}

#[test]
fn a_json_feed_gives_no_more_of_an_article_than_its_source_allows() {
    let mut config = config();
    let article = sister_cities();
    for (republish, has_summary) in [(Republish::Summary, true), (Republish::Link, false)] {
        config.feeds.get_mut(&article.feed).unwrap().republish = republish;
        let feed = json_feed("all", &config, std::slice::from_ref(&article));
        let item = &feed["items"][0];
        let expected = if has_summary { &article.lead } else { &article.title };
        assert_eq!(item["content_text"], expected.as_str());
        for key in ["content_html", "image", "attachments"] {
            assert!(item[key].is_null(), "{key} of {republish:?}");
        }
    }
}
