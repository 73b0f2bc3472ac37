//! Which labels an article gets, and why: a table of texts and categories.

use std::path::Path;
use std::sync::LazyLock;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::article::Field;
use visnyk::model::article::Reason;
use visnyk::model::exchange::Document;
use visnyk::model::id::CommunityId;
use visnyk::model::known::Change;
use visnyk::model::known::Memory;
use visnyk::place::region_words;

const FEEDS: &str = r#"
[[feed]]
id = "national"
title = "Новини країни"
url = "https://news.example/rss"

[[feed]]
id = "kharkiv"
title = "Харків"
url = "https://kharkiv.example/rss"
region = "kharkivska"
community = "kharkivska"
tags = ["misto"]

[[region]]
id = "new-mexico"
name = "Нью-Мексико"
name_en = "New Mexico"

[[tag]]
id = "misto"
name = "місто"

[[tag]]
name = "міжнародна підтримка"
name_en = "international support"
aliases = ["донори", "International aid"]
"#;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    parse("feeds.toml", FEEDS, Path::new(".")).unwrap_or_else(|problems| panic!("{problems}"))
});

static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::new(&CONFIG.catalogue, &CONFIG.tags, &region_words()));

/// The article that a feed makes of an item.
fn article(feed: &str, title: &str, lead: &str, categories: &[&str]) -> Article {
    let categories: String =
        categories.iter().flat_map(|term| ["<category>", term, "</category>"]).collect();
    let rss = format!(
        "<rss version=\"2.0\"><channel><title>t</title><link>https://news.example/</link>\
         <description>d</description><item><title>{title}</title><link>https://news.example/1</link>\
         <description>{lead}</description>{categories}</item></channel></rss>"
    );
    let document = Document {
        url: "https://news.example/rss".parse().unwrap(),
        content_type: None,
        bytes: rss.into_bytes(),
    };
    let feed = CONFIG.feeds.values().find(|known| known.id.as_str() == feed).unwrap();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let ingested = ingest(feed, &document, &Memory::default(), &CLASSIFIER, now).unwrap();
    match ingested.changes.into_iter().next() {
        Some(Change::Added(article)) => article,
        other => panic!("no article: {other:?}"),
    }
}

fn check(title: &str, lead: &str, categories: &[&str], regions: &[&str]) {
    let article = article("national", title, lead, categories);
    let found: Vec<_> =
        article.labels.regions.keys().map(visnyk::model::id::RegionId::as_str).collect();
    assert_eq!(found, regions, "«{title}» «{lead}» {categories:?}: {:?}", article.labels.regions);
}

#[test]
fn a_region_is_found_in_every_case_and_list() {
    for (text, regions) in [
        ("Харківська область отримала допомогу", &["kharkivska"][..]),
        ("Громади Харківської області", &["kharkivska"]),
        ("Допомога Харківській області", &["kharkivska"]),
        ("Через Харківську область", &["kharkivska"]),
        ("Разом із Харківською областю", &["kharkivska"]),
        ("У Харківській обл. тривають роботи", &["kharkivska"]),
        ("ХАРКІВСЬКА ОБЛАСТЬ: головне", &["kharkivska"]),
        ("Харківська ОВА повідомляє", &["kharkivska"]),
        ("Рішення Харківської обласної ради", &["kharkivska"]),
        ("Життя на Харківщині", &["kharkivska"]),
        ("Голова Івано\u{2011}Франківської ОВА", &["ivano-frankivska"]),
        ("Хар\u{ad}ківська\u{a0}область", &["kharkivska"]),
        ("У Харківській, Сумській та Полтавській областях", &["kharkivska", "poltavska", "sumska"]),
        ("на Волині й Буковині", &["chernivetska", "volynska"]),
        ("Київська область без світла", &["kyivska"]),
        ("News from Kharkiv Oblast today", &["kharkivska"]),
        ("Мерія штату Нью-Мексико", &["new-mexico"]),
    ] {
        check(text, "", &[], regions);
        check("Новини", text, &[], regions);
    }
}

#[test]
fn what_only_looks_like_a_region_gives_no_label() {
    for text in [
        "Київська школа економіки провела дослідження",
        "Місто Дніпро на Дніпрі",
        "Вулиця Сумська закрита. Область дозволених значень",
        "Харківський район Києва",
        "Сума підтримки та рівне ставлення",
        "Першість серед областей",
        "метро Житомирська зачинено",
    ] {
        check(text, "", &[], &[]);
    }
}

#[test]
fn a_category_that_is_a_name_or_an_alias_is_a_label() {
    for (category, regions) in [
        ("Харківська область", &["kharkivska"][..]),
        (" харківська  ОБЛАСТЬ. ", &["kharkivska"]),
        ("Kharkiv Oblast", &["kharkivska"]),
        ("Новини", &[]),
        ("", &[]),
    ] {
        check("Заголовок", "", &[category], regions);
    }
    let article =
        article("national", "Заголовок", "", &["Донори", "International Aid", "Uncategorized"]);
    let tags: Vec<_> = article.labels.tags.keys().map(visnyk::model::id::TagId::as_str).collect();
    assert_eq!(tags, ["mizhnarodna-pidtrymka"]);
}

#[test]
fn a_community_implies_its_region_and_a_shared_name_needs_one() {
    let alone = article("national", "Заголовок", "", &["Харківська територіальна громада"]);
    let community = CommunityId::new("kharkivska").unwrap();
    assert!(alone.labels.communities.contains_key(&community));
    let reasons = alone.labels.regions.values().next().unwrap();
    assert_eq!(reasons, &[Reason::Community(community)]);

    let shared = "Миколаївська територіальна громада";
    let nowhere = article("national", "Заголовок", "", &[shared]);
    assert!(nowhere.labels.communities.is_empty(), "{:?}", nowhere.labels);
    let somewhere = article("national", "Заголовок", "", &[shared, "Одеська область"]);
    let ids: Vec<_> = somewhere.labels.communities.keys().map(CommunityId::as_str).collect();
    assert_eq!(ids, ["mykolaivska-odeska"]);
}

#[test]
fn every_label_says_why_it_is_there() {
    let article = article("kharkiv", "Гості з Львівської області", "", &["місто"]);
    let labels = article.labels;
    let reasons = |region: &str| labels.regions[&region.parse().unwrap()].clone();
    let harkivska = CommunityId::new("kharkivska").unwrap();
    assert_eq!(reasons("kharkivska"), [Reason::Feed, Reason::Community(harkivska)]);
    let words = "Львівської області".to_owned();
    assert_eq!(reasons("lvivska"), [Reason::Words { field: Field::Title, words }]);
    let term = "місто".to_owned();
    assert_eq!(labels.tags[&"misto".parse().unwrap()], [Reason::Feed, Reason::Category { term }]);
}
