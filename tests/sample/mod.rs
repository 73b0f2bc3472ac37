//! Values for tests of what is published: one site, and one article with everything.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::path::Path;
use url::Url;
use visnyk::config;
use visnyk::config::Config;
use visnyk::model::article::Article;
use visnyk::model::article::Author;
use visnyk::model::article::Enclosure;
use visnyk::model::article::Image;
use visnyk::model::article::Keys;
use visnyk::model::article::Labels;
use visnyk::model::article::Origin;
use visnyk::model::article::Reason;
use visnyk::model::article::Source;
use visnyk::model::article::Why;
use visnyk::model::id::ArticleId;
use visnyk::model::id::CommunityId;
use visnyk::model::id::Digest;
use visnyk::model::id::FeedId;
use visnyk::model::id::RegionId;
use visnyk::model::id::TagId;

const FEEDS: &str = r#"
[site]
title = "Вісник громад"
subtitle = "Новини міст і громад"
address = "https://visnyk.example/"
contact = "redaktor@visnyk.example"
since = 2026-01-01
rights = "Тексти належать їхнім джерелам"

[publishing]
entries = 20

[[tag]]
name = "партнерство"
name_en = "partnership"

[[tag]]
name = "міжнародна підтримка"
name_en = "international support"

[[feed]]
id = "kharkiv"
title = "Харківська міська рада"
url = "https://www.city.kharkiv.example/rss"
kind = "municipal"
region = "kharkivska"

[[feed]]
id = "mirror"
title = "Дзеркало <новин> & Ко"
url = "https://mirror.example/rss"
kind = "partner"

[[feed]]
id = "brief"
title = "Коротко"
url = "https://brief.example/rss"
kind = "partner"
republish = "summary"

[[feed]]
id = "bare"
title = "Лише посилання"
url = "https://bare.example/rss"
kind = "partner"
republish = "link"

[[publication]]
id = "pobratymy"
title = "Міста-побратими"
tags = ["partnerstvo"]
"#;

pub(crate) fn config() -> Config {
    config::parse("feeds.toml", FEEDS, Path::new("")).unwrap_or_else(|bad| panic!("{bad}"))
}

pub(crate) fn at(instant: &str) -> DateTime<Utc> {
    instant.parse().unwrap()
}

pub(crate) fn url(address: &str) -> Url {
    Url::parse(address).unwrap()
}

/// An article of a feed with nothing but what every article has, `minutes` after noon.
pub(crate) fn plain(feed: &str, name: &str, minutes: i64) -> Article {
    let feed = FeedId::new(feed).unwrap();
    let instant = at("2023-07-03T12:00:00Z") + TimeDelta::minutes(minutes);
    let id = ArticleId::of(&feed, name);
    Article {
        id,
        iri: format!("tag:visnyk.example,2026-01-01:{feed}/{id}"),
        keys: Keys {
            entry: Digest::of([name]),
            link: None,
            title: Digest::of([name, "title"]),
            content: Digest::of([name, "content"]),
        },
        url: Some(url(&format!("https://{feed}.example/{name}"))),
        title: format!("Новина {name}"),
        lead: format!("Перший абзац новини {name}."),
        body: format!("<p>Перший абзац новини {name}.</p>"),
        published: instant,
        updated: instant,
        first_seen: instant,
        revision: 0,
        views: None,
        image: None,
        categories: vec![],
        labels: Labels::default(),
        source: Source { name: "Джерело".to_owned(), url: None },
        origin: Origin {
            iri: format!("https://{feed}.example/rss"),
            title: format!("Стрічка {feed}"),
            feed_url: Some(url(&format!("https://{feed}.example/rss"))),
            site_url: Some(url(&format!("https://{feed}.example/"))),
            icon: None,
            rights: None,
            updated: None,
        },
        authors: vec![],
        language: None,
        enclosures: vec![],
        via: vec![],
        rights: None,
        point: None,
        feed,
    }
}

/// The article of the seed: Kharkiv and Albuquerque agree to become sister cities.
pub(crate) fn sister_cities() -> Article {
    let because = || vec![Reason { why: Why::Feed, points: 100 }];
    let page = "https://www.city.kharkiv.example/news/4087?a=1&b=2";
    let instant = at("2023-07-03T11:16:00Z");
    let plain = plain("kharkiv", "sister-cities", 0);
    Article {
        iri: "https://www.city.kharkiv.example/news/4087".to_owned(),
        keys: Keys { link: Some(Digest::of(["city.kharkiv.example/news/4087"])), ..plain.keys },
        url: Some(url(page)),
        title: "Харків і Альбукерке стануть містами-побратимами".to_owned(),
        lead: "Міські голови домовилися про «побратимство» & дружбу.".to_owned(),
        body: "<p>Міські голови домовилися про «побратимство» &amp; дружбу.</p>".to_owned(),
        published: instant,
        updated: instant,
        views: Some(4087),
        image: Some(Image {
            url: url("https://www.city.kharkiv.example/i/1.jpg?w=800&h=\"600\""),
            alt: Some("Два прапори".to_owned()),
            caption: Some("Прапори <двох> міст & світлина".to_owned()),
            width: Some(800),
            height: Some(600),
        }),
        labels: Labels {
            regions: [(RegionId::new("kharkivska").unwrap(), because())].into(),
            communities: [(CommunityId::new("nova-hromada").unwrap(), because())].into(),
            tags: ["partnerstvo", "mizhnarodna-pidtrymka"]
                .map(|tag| (TagId::new(tag).unwrap(), because()))
                .into(),
            ..Labels::default()
        },
        source: Source {
            name: "Харківська міська рада".to_owned(),
            url: Some(url("https://www.city.kharkiv.example/")),
        },
        origin: Origin {
            iri: "https://www.city.kharkiv.example/rss".to_owned(),
            title: "Харківська міська рада".to_owned(),
            feed_url: Some(url("https://www.city.kharkiv.example/rss")),
            site_url: Some(url("https://www.city.kharkiv.example/")),
            icon: Some(url("https://www.city.kharkiv.example/icon.png")),
            rights: Some("CC BY 4.0".to_owned()),
            updated: None,
        },
        authors: vec![Author { name: "Олена Коваль".to_owned(), url: None }],
        language: Some("uk".to_owned()),
        enclosures: vec![Enclosure {
            url: url("https://www.city.kharkiv.example/mowa.mp3"),
            mime: Some("audio/mpeg".to_owned()),
            length: Some(1024),
        }],
        via: vec![url("https://www.cabq.example/news/kharkiv"), url(page)],
        rights: Some("CC BY 4.0".to_owned()),
        point: Some((49.9935, 36.2304)),
        ..plain
    }
}
