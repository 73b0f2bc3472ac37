//! The pages for people: what stands on them, whoever wrote it. How they are asked for is proven in
//! `serve/`, how they look in `clients/pages.py`.

mod sample;

use crate::sample::config;
use crate::sample::plain;
use crate::sample::sister_cities;
use crate::sample::url;
use chrono::TimeDelta;
use scraper::Html;
use scraper::Selector;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use visnyk::config::Config;
use visnyk::model::article::Article;
use visnyk::model::article::Author;
use visnyk::model::article::Image;
use visnyk::model::article::Labels;
use visnyk::model::publication::Pictures;
use visnyk::model::publication::Selection;
use visnyk::model::publication::Shelf;
use visnyk::model::surroundings::Surroundings;
use visnyk::publish::html::article::article as article_page;
use visnyk::publish::html::article::picture_address;
use visnyk::publish::html::compose::composed;
use visnyk::publish::html::index::index;
use visnyk::publish::html::language::LANGUAGES;
use visnyk::publish::html::language::Language;
use visnyk::publish::html::publication::publication;
use visnyk::publish::html::search::Names;
use visnyk::publish::sheet::Sheet;
use visnyk::publish::story::Apart;
use visnyk::serve::coding::Coding;
use visnyk::serve::coding::Effort;
use visnyk::serve::documents::imprint::masthead;

fn selection(path: &str) -> Selection {
    Selection::at(path).unwrap()
}

fn shelf(count: u64) -> Shelf {
    let changed = sister_cities().updated;
    Shelf { count, updated: changed, changed }
}

fn shelves(of: &[(&str, u64)]) -> BTreeMap<Selection, Shelf> {
    of.iter().map(|(path, count)| (selection(path), shelf(*count))).collect()
}

fn around(article: Article) -> Surroundings {
    Surroundings { article, reads: 0, near: Vec::new(), kin: Vec::new() }
}

fn shown(config: &Config, language: Language, around: &Surroundings) -> Html {
    let bytes = article_page(masthead(config), language, &Apart::default(), around);
    parsed(bytes)
}

/// A page, which has to be what a parser would have written: no element opened by mistake, none
/// left open.
fn parsed(bytes: Vec<u8>) -> Html {
    let page = Html::parse_document(&String::from_utf8(bytes).unwrap());
    assert!(page.errors.iter().all(|error| !error.contains("nexpected")), "{:?}", page.errors);
    page
}

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    let folded = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    page.select(&selector).map(|element| folded(element.text().collect())).collect()
}

fn values(page: &Html, selector: &str, attribute: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).filter_map(|e| e.attr(attribute)).map(str::to_owned).collect()
}

#[test]
fn the_index_lists_what_has_articles_and_what_is_composed() {
    let config = config();
    let shelves = shelves(&[
        ("all", 3),
        ("regions/kharkivska", 2),
        ("communities/kharkivska", 2),
        ("tags/partnerstvo", 1),
        ("tags/mizhnarodna-pidtrymka", 0),
        ("regions/nowhere", 1),
    ]);
    for language in LANGUAGES {
        let page = parsed(index(masthead(&config), language, &shelves));
        let addresses = values(&page, "input.address", "value");
        for (path, listed) in [
            ("all", true),
            ("regions/kharkivska", true),
            ("communities/kharkivska", true),
            ("tags/partnerstvo", true),
            ("publications/pobratymy", true),
            ("tags/mizhnarodna-pidtrymka", false),
            ("regions/nowhere", false),
            ("regions/lvivska", false),
        ] {
            let address = format!("https://visnyk.example/{path}.atom");
            assert_eq!(addresses.contains(&address), listed, "{path}");
            let link = format!("/{}/{path}", language.code());
            assert_eq!(values(&page, "tbody th a", "href").contains(&link), listed, "{path}");
        }
        assert_eq!(values(&page, "html", "lang"), [language.code()]);
        assert_eq!(values(&page, "svg a", "href").len(), 27);
        let chosen = values(&page, "form.compose input", "value");
        assert_eq!(chosen, ["kharkivska", "partnerstvo"]);
    }
    let english = parsed(index(masthead(&config), Language::English, &shelves));
    assert!(texts(&english, "tbody th").contains(&"Kharkiv Oblast Харківська область".to_owned()));
}

#[test]
fn an_article_shows_everything_of_the_model() {
    let config = config();
    let related = Article {
        labels: sister_cities().labels,
        lead: "слово ".repeat(60),
        ..plain("mirror", "other", -90)
    };
    let around = Surroundings {
        reads: 13,
        kin: vec![related],
        ..around(Article {
            labels: Labels { free_tags: vec!["Дружба".to_owned()], ..sister_cities().labels },
            body: format!("{}<p>Далі.</p>", sister_cities().body),
            ..sister_cities()
        })
    };
    let page = shown(&config, Language::Ukrainian, &around);
    let field = |name: &str| texts(&page, &format!("[data-field={name}]"));
    assert_eq!(field("title"), ["Харків і Альбукерке стануть містами-побратимами"]);
    assert_eq!(field("published"), ["Опубліковано: 3 липня 2023, 14:16 за київським часом"]);
    assert_eq!(
        values(&page, "[data-field=published] time", "datetime"),
        ["2023-07-03T14:16:00+03:00"]
    );
    assert_eq!(field("views"), ["Переглядів: 4100"]);
    assert_eq!(field("image"), ["Прапори <двох> міст & світлина"]);
    assert_eq!(values(&page, "[data-field=image] img", "alt"), ["Два прапори"]);
    assert_eq!(field("lead"), ["Міські голови домовилися про «побратимство» & дружбу."]);
    assert_eq!(field("body"), ["Далі."]);
    assert_eq!(field("tags"), ["Теги міжнародна підтримка, партнерство, Дружба"]);
    assert_eq!(field("regions"), ["Область Харківська область"]);
    // The community of the sample is none of the catalogue.
    assert_eq!(field("communities"), Vec::<String>::new());
    assert_eq!(field("source"), ["Джерело Харківська міська рада"]);
    let related = field("related");
    assert!(related[0].starts_with("3 липня 2023, 13:30 Новина other слово"), "{related:?}");
    assert!(related[0].ends_with("слово…"), "{related:?}");
    assert_eq!(field("id"), [format!("Номер {}", around.article.id)]);
    assert_eq!(
        values(&page, "link[rel=canonical]", "href"),
        ["https://www.city.kharkiv.example/news/4087?a=1&b=2"]
    );
    let data = texts(&page, "script[type='application/ld+json']");
    let data: serde_json::Value = serde_json::from_str(&data[0]).unwrap();
    assert_eq!(data["headline"], "Харків і Альбукерке стануть містами-побратимами");
    assert_eq!(data["interactionStatistic"]["userInteractionCount"], 4100);
    let why = texts(&page, "#why dd");
    assert!(why.iter().all(|why| why == "усі новини цього джерела мають цю мітку"), "{why:?}");
}

#[test]
fn other_sources_of_a_story_are_named_and_not_read_also() {
    let config = config();
    let copy = Article {
        keys: sister_cities().keys,
        url: sister_cities().url,
        title: sister_cities().title,
        labels: sister_cities().labels,
        ..plain("mirror", "copy", 30)
    };
    let around =
        Surroundings { near: vec![copy.clone()], kin: vec![copy], ..around(sister_cities()) };
    let page = shown(&config, Language::English, &around);
    assert_eq!(texts(&page, "#copies"), ["Also reported by"]);
    assert!(texts(&page, "#related").is_empty());
}

#[test]
fn how_much_of_an_article_is_shown_is_the_feeds_to_say() {
    let config = config();
    for (feed, lead, body, picture) in [
        ("kharkiv", true, true, true),
        ("brief", true, false, true),
        ("bare", false, false, false),
        ("gone", false, false, false),
    ] {
        let article = Article {
            feed: feed.parse().unwrap(),
            body: "<p>Текст.</p>".to_owned(),
            ..sister_cities()
        };
        let lead_text = article.lead.clone();
        let around = around(article);
        let page = shown(&config, Language::Ukrainian, &around);
        let has = |name: &str| !texts(&page, &format!("[data-field={name}]")).is_empty();
        assert_eq!((has("lead"), has("body"), has("image")), (lead, body, picture), "{feed}");
        assert_eq!(page.html().contains(&lead_text.replace('&', "&amp;")), lead, "{feed}");
    }
}

#[test]
fn pictures_come_from_where_the_admin_says() {
    let body = "<p>Текст <img src=\"http://a.example/2.jpg?a=1&amp;b=2\" alt=\"\"></p>";
    let article = Article {
        body: body.to_owned(),
        image: Some(Image {
            url: url("https://a.example/1.jpg"),
            ..sister_cities().image.unwrap()
        }),
        ..sister_cities()
    };
    for (pictures, expected) in [
        (Pictures::Direct, vec!["https://a.example/1.jpg", "https://a.example/2.jpg?a=1&b=2"]),
        (Pictures::Hidden, vec![]),
    ] {
        let mut config = config();
        config.site.pictures = pictures;
        let page = shown(&config, Language::Ukrainian, &around(article.clone()));
        assert_eq!(values(&page, "article img", "src"), expected);
    }
    let mut config = config();
    config.site.pictures = Pictures::Passed;
    let page = shown(&config, Language::Ukrainian, &around(article.clone()));
    let passed = values(&page, "article img", "src");
    let meant: Vec<String> = passed
        .iter()
        .map(|path| path.rsplit('/').next().unwrap())
        .map(|digest| picture_address(&article, digest).unwrap().to_string())
        .collect();
    assert_eq!(meant, ["https://a.example/1.jpg", "http://a.example/2.jpg?a=1&b=2"]);
    assert!(passed.iter().all(|path| path.starts_with(&format!("/pictures/{}/", article.id))));
    assert_eq!(picture_address(&article, "0123456789abcdef0123456789abcdef"), None);
}

#[test]
fn what_a_publisher_writes_is_text() {
    let evil = "\"'><script>pwned(1)</script><img src=x onerror=pwned(2)>&lt;b&gt;</title>-->";
    let mut article = sister_cities();
    for field in [&mut article.title, &mut article.lead, &mut article.source.name] {
        *field = evil.to_owned();
    }
    article.language = Some(evil.to_owned());
    article.rights = Some(evil.to_owned());
    article.authors = vec![Author { name: evil.to_owned(), url: None }];
    article.image = Some(Image {
        url: url("https://a.example/\"><script>"),
        alt: Some(evil.to_owned()),
        caption: Some(evil.to_owned()),
        width: None,
        height: None,
    });
    article.labels.free_tags = vec![evil.to_owned()];
    article.labels.headline = Some(evil.to_owned());
    let mut config = config();
    config.site.title = evil.to_owned();
    config.site.subtitle = Some(evil.to_owned());
    let all = Selection::All;
    let articles = [article.clone()];
    let sheet = Sheet::front(&all, &articles);
    let around = Surroundings {
        near: vec![Article {
            published: article.published + TimeDelta::hours(1),
            ..article.clone()
        }],
        kin: vec![Article { id: plain("mirror", "x", 0).id, ..article.clone() }],
        ..around(article)
    };
    for language in LANGUAGES {
        let shelves = shelves(&[("all", 1)]);
        for page in [
            article_page(masthead(&config), language, &Apart::default(), &around),
            publication(masthead(&config), language, &shelves, &sheet, None),
            index(masthead(&config), language, &shelves),
        ] {
            let page = parsed(page);
            let scripts = values(&page, "script", "type");
            assert!(scripts.iter().all(|mime| mime == "application/ld+json"), "{scripts:?}");
            assert!(texts(&page, "[onerror]").is_empty());
            assert!(texts(&page, "b").is_empty());
        }
    }
}

#[test]
fn a_publication_is_found_by_its_name_in_any_case_and_alphabet() {
    let config = config();
    let names = Names::new(masthead(&config));
    let shelves = BTreeMap::new();
    for (query, expected) in [
        ("Харківська область", "regions/kharkivska"),
        ("харк", "regions/kharkivska"),
        ("Kharkiv oblast", "regions/kharkivska"),
        ("у Полтавській області", "regions/poltavska"),
        ("Чугуєва", "communities/chuhuivska"),
        ("Знам'янська", "communities/znamianska-kirovohradska"),
        ("kirovohradska", "regions/kirovohradska"),
        ("партнерства", "tags/partnerstvo"),
        ("Харківська партнерство", "regions/kharkivska/tags/partnerstvo"),
        ("побратими", "publications/pobratymy"),
        ("в Одессе", "communities/odeska"),
        ("Киев", "regions/kyiv"),
        ("новини Харкова", "communities/kharkivska"),
        ("news from Sumy Oblast", "regions/sumska"),
        ("Lwów", "communities/lvivska"),
        ("Буковина", "regions/chernivetska"),
        ("партнерство на Харківщині", "regions/kharkivska/tags/partnerstvo"),
        ("<script>", ""),
        ("у", ""),
        ("", ""),
    ] {
        let found = names.find(query, &shelves, 5);
        let first = found.first().map(Selection::path);
        assert_eq!(first.unwrap_or_default(), expected, "{query}");
    }
}

#[test]
fn what_is_picked_gives_the_publications_that_hold_it() {
    let config = config();
    let picked = |regions: &[&str], tags: &[&str]| {
        let regions = regions.iter().map(|id| id.parse().unwrap()).collect();
        let tags = tags.iter().map(|id| id.parse().unwrap()).collect();
        let composed = composed(masthead(&config), &regions, &tags);
        let all = composed.whole.iter().chain(&composed.parts);
        all.map(Selection::path).collect::<Vec<_>>()
    };
    assert_eq!(picked(&["kharkivska"], &["partnerstvo"]), ["regions/kharkivska/tags/partnerstvo"]);
    assert_eq!(picked(&["kharkivska"], &[]), ["regions/kharkivska"]);
    assert_eq!(picked(&[], &["partnerstvo"]), ["tags/partnerstvo"]);
    assert_eq!(
        picked(&["sumska", "kharkivska"], &["partnerstvo", "unknown"]),
        [
            "mixed/regions/kharkivska_sumska/tags/partnerstvo",
            "regions/kharkivska/tags/partnerstvo",
            "regions/sumska/tags/partnerstvo",
        ]
    );
    assert_eq!(picked(&["nowhere"], &[]), Vec::<String>::new());
    let regions: BTreeSet<_> = config.catalogue.regions.keys().cloned().collect();
    let tags: BTreeSet<_> = config.tags.keys().cloned().collect();
    let much = composed(masthead(&config), &regions, &tags);
    assert_eq!((much.whole, much.parts.len()), (None, regions.len() * tags.len()));
}

#[test]
fn the_index_stays_small_when_everything_has_news() {
    let config = config();
    let masthead = masthead(&config);
    let of = |n: u64| {
        let hours = TimeDelta::hours(i64::try_from(n * 7919 % 8760).unwrap());
        Shelf { updated: shelf(n).updated - hours, ..shelf(n * 7919 % 1000 + 1) }
    };
    let shelves = masthead.selections().into_iter().zip(1..).map(|(s, n)| (s, of(n))).collect();
    for language in LANGUAGES {
        let page = index(masthead, language, &shelves);
        let [brotli, gzip] = [Coding::Brotli, Coding::Gzip]
            .map(|coding| coding.encode(&page, Effort::Kept).unwrap().len());
        println!(
            "{}: {} bytes, {gzip} with gzip, {brotli} with brotli",
            language.code(),
            page.len()
        );
        assert!(gzip < 60 * 1024, "{gzip} bytes with gzip");
    }
}
