//! Which labels an article gets, and why: a table of texts and categories.

use std::path::Path;
use std::sync::LazyLock;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::article::Article;
use visnyk::model::article::Field;
use visnyk::model::article::Labels;
use visnyk::model::article::Reason;
use visnyk::model::article::Why;
use visnyk::model::exchange::Document;
use visnyk::model::id::CommunityId;
use visnyk::model::known::Change;
use visnyk::model::known::Memory;

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
    LazyLock::new(|| Classifier::new(&CONFIG.catalogue, &CONFIG.tags, &CONFIG.rules));

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
        "Човен на Дніпрі",
        "Вулиця Сумська закрита. Область дозволених значень",
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
    let why: Vec<_> = reasons.iter().map(|reason| reason.why.clone()).collect();
    let term = "Харківська територіальна громада".to_owned();
    assert_eq!(why, [Why::Category { term }, Why::Community(community)]);

    let shared = "Іванівська територіальна громада";
    let nowhere = article("national", "Заголовок", "", &[shared]);
    assert!(nowhere.labels.communities.is_empty(), "{:?}", nowhere.labels);
    let somewhere = article("national", "Заголовок", "", &[shared, "Одеська область"]);
    let ids: Vec<_> = somewhere.labels.communities.keys().map(CommunityId::as_str).collect();
    assert_eq!(ids, ["ivanivska-odeska"]);
}

#[test]
fn every_label_says_why_it_is_there() {
    let article = article("kharkiv", "Гості з Львівської області", "", &["місто"]);
    let labels = article.labels;
    let reasons = |region: &str| labels.regions[&region.parse().unwrap()].clone();
    let reason = |points, why| Reason { points, why };
    let kharkiv = CommunityId::new("kharkivska").unwrap();
    let because = [reason(100, Why::Feed), reason(100, Why::Community(kharkiv))];
    assert_eq!(reasons("kharkivska"), because);
    let words = "Львівської області".to_owned();
    let because = [reason(30, Why::Words { field: Field::Title, words })];
    assert_eq!(reasons("lvivska"), because);
    let term = "місто".to_owned();
    let because = [reason(40, Why::Category { term }), reason(100, Why::Feed)];
    assert_eq!(labels.tags[&"misto".parse().unwrap()], because);
}

/// The labels that a feeds.toml gives the first article of its feed, from a title, a lead and
/// categories.
fn with(rules: &str, title: &str, lead: &str, categories: &[&str]) -> Labels {
    let config = parse("feeds.toml", &format!("{FEEDS}{rules}"), Path::new("."));
    let config = config.unwrap_or_else(|problems| panic!("{problems}"));
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let plain = article("national", title, lead, categories);
    let national = config.feeds.values().find(|feed| feed.id.as_str() == "national").unwrap();
    classifier.label(&plain, national)
}

fn told(labels: &Labels) -> String {
    let regions = labels.regions.keys().map(ToString::to_string);
    let tags = labels.tags.keys().map(ToString::to_string);
    let excluded = labels.excluded_by.iter().map(|rule| format!("excluded by {rule}"));
    let headline = labels.headline.iter().map(|headline| format!("«{headline}»"));
    let free = labels.free_tags.iter().map(|free| format!("+{free}"));
    let all = regions.chain(tags).chain(excluded).chain(headline).chain(free);
    all.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rule_does_what_it_says_to_what_it_fits() {
    let rule = |keys: &str| format!("[[rule]]\nid = \"r\"\n{keys}\n");
    for (keys, title, categories, expected) in [
        ("match = [\"тендер*\"]\nexclude = true", "Тендер на ремонт", &[][..], "excluded by r"),
        ("match = [\"тендер*\"]\nexclude = true", "Ремонт", &[], ""),
        ("match = [\"громад*\"]\nonly = true", "Ремонт", &[], "excluded by r"),
        ("match = [\"громад*\"]\nonly = true", "Громада", &[], ""),
        ("match = [\"category:спорт\"]\nexclude = true", "Гра", &["Спорт"], "excluded by r +Спорт"),
        ("match = [\"link:/1\"]\ntags = [\"misto\"]", "Гра", &[], "misto"),
        ("match = [\"link:/2\"]\ntags = [\"misto\"]", "Гра", &[], ""),
        ("match = [\"гра\"]\nregions = [\"sumska\"]", "Гра", &[], "sumska"),
        ("without_regions = [\"sumska\"]", "У Сумах свято", &[], ""),
        ("without_tags = [\"misto\"]", "Свято", &["місто"], ""),
        ("drop_categories = [\"Місто\"]", "Свято", &["місто", "Парк"], "+Парк"),
        ("replace = '\\s[|] .*'", "Свято | Сайт міста Суми", &[], "«Свято»"),
        ("replace = '(\\d+) шт'\nwith = '$1 штук'", "10 шт", &[], "«10 штук»"),
        ("replace = '.*'", "Свято", &[], ""),
        ("feeds = [\"kharkiv\"]\nmatch = [\"свято\"]\nexclude = true", "Свято", &[], ""),
    ] {
        assert_eq!(told(&with(&rule(keys), title, "", categories)), expected, "{keys} on {title}");
    }
}

#[test]
fn a_place_is_switched_off_and_a_false_friend_is_named_in_one_line() {
    let title = "Харків повідомляє про Суми";
    assert_eq!(told(&with("", "Харків святкує", "", &[])), "kharkivska");
    let off = "[[region]]\nid = \"kharkivska\"\nenabled = false\n";
    let feeds = FEEDS.replace("region = \"kharkivska\"\ncommunity = \"kharkivska\"\n", "");
    let config = parse("feeds.toml", &format!("{feeds}{off}"), Path::new(".")).unwrap();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &[]);
    let plain = article("national", "Харків святкує", "", &[]);
    assert_eq!(told(&classifier.label(&plain, &config.feeds[&plain.feed])), "");
    let unless = "[[community]]\nid = \"kharkivska\"\nunless = ['\"Харків повідомляє\"']\n";
    assert_eq!(told(&with(unless, title, "", &[])), "sumska");
    let matching = "[[region]]\nid = \"sumska\"\nmatch = [\"Тарасів край\"]\n";
    assert_eq!(told(&with(matching, "Тарасів край святкує", "", &[])), "sumska");
}

#[test]
fn no_text_is_too_much() {
    let long = "Харків".repeat(100_000);
    let capitals = "СУМИ РІВНЕ ХАРКІВСЬКА ОБЛАСТЬ МЕРЕФ’ЯНСЬКА ГРОМАДА";
    let labels = with("", &long, &long, &[&"к".repeat(10_000)]);
    assert_eq!(told(&labels), "");
    assert_eq!(told(&with("", capitals, "", &[])), "kharkivska");
    let many: Vec<String> = (0..5_000).map(|n| format!("категорія {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(with("", "Свято", "", &many).free_tags.len(), 20);
    // Names that begin others, and letters that look alike.
    for (title, expected) in [
        ("Сіверськодонецьк приймає гостей", "luhanska"),
        ("Прикарпаття святкує", "ivano-frankivska"),
        ("Xapків cвяткує", "kharkivska"),
        ("Новоград-Волинська громада", "zhytomyrska"),
    ] {
        assert_eq!(told(&with("", title, "", &[])), expected, "{title}");
    }
    let everything = "[[rule]]\nid = \"all\"\ntags = [\"misto\"]\n";
    assert_eq!(told(&with(everything, "Свято", "", &[])), "misto");
}

#[test]
fn the_names_of_all_places_take_a_few_megabytes() {
    let bytes = CLASSIFIER.bytes();
    println!("{bytes} bytes of names");
    assert!(bytes < 8 * 1024 * 1024, "{bytes}");
}
