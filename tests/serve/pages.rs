//! The pages for people, as they are asked for: by language, by question, and where there is nothing.

use crate::sample;
use crate::sample::at;
use crate::sample::plain;
use crate::sample::sister_cities;
use crate::site::Site;
use std::sync::Arc;
use tempfile::TempDir;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::known::Change;
use visnyk::model::publication::Pictures;
use visnyk::model::publication::Selection;
use visnyk::serve::Limits;

const HTML: (&str, &str) = ("Accept", "text/html,*/*;q=0.8");
const FIREFOX: (&str, &str) =
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");

#[tokio::test]
async fn everybody_is_answered_in_the_language_of_the_address_or_his_own() {
    let site = Site::start(Limits::default()).await;
    for (path, accepted, language) in [
        ("/", "", "uk"),
        ("/", "en-US,en;q=0.9", "en"),
        ("/", "uk,en;q=0.5", "uk"),
        ("/uk/", "en", "uk"),
        ("/en", "uk", "en"),
        ("/regions/kharkivska", "en", "en"),
        ("/uk/regions/kharkivska", "en", "uk"),
        ("/sources", "en", "en"),
        ("/about", "en", "en"),
    ] {
        let answer = site.get(path, &[("Accept-Language", accepted)]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-language"), language, "{path} {accepted}");
        assert!(answer.text().contains(&format!("<html lang=\"{language}\">")), "{path}");
        let vary = answer.header("vary").contains("Accept-Language");
        assert_eq!(vary, !path.starts_with("/uk") && !path.starts_with("/en"), "{path}");
        let tag = answer.header("etag").to_owned();
        let headers = [("Accept-Language", accepted), ("If-None-Match", tag.as_str())];
        assert_eq!(site.get(path, &headers).await.status, 304, "{path}");
    }
}

#[tokio::test]
async fn a_question_is_answered_and_not_kept() {
    let site = Site::start(Limits::default()).await;
    let region = "/regions/kharkivska.atom";
    for (path, expected) in [
        ("/uk/?q=%D1%85%D0%B0%D1%80%D0%BA%D1%96%D0%B2", region),
        ("/?q=kharkiv", region),
        ("/en/compose?region=kharkivska", region),
        ("/compose?region=kharkivska&tag=partnerstvo", "/regions/kharkivska/tags/partnerstvo.atom"),
        ("/feeds.opml?region=kharkivska", region),
    ] {
        let before = site.documents.renderings();
        let answer = site.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.text().contains(expected), "{path}: {}", answer.text());
        assert!(answer.header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(site.documents.renderings(), before, "{path}");
        let packed = site.get(path, &[("Accept-Encoding", "gzip")]).await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{path}");
    }
    let all = site.get("/feeds.opml", &[]).await;
    let chosen = site.get("/feeds.opml?region=kharkivska", &[]).await;
    assert!(all.body.len() > chosen.body.len());
    let answer = site.ask("POST", "/uk/?q=a", &[]).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn where_there_is_nothing_people_get_a_page_and_programs_a_line() {
    let site = Site::start(Limits::default()).await;
    for path in [
        "/regions/harkivska",
        "/uk/regions/kharkivsk",
        "/en/regions/kharkivskaa",
        "/kharkivska.xml",
        "/articles/0123456789abcdef0123456789abcdef",
        "/uk/all/archive/99",
        "/pictures/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef",
        "/%22%3E%3Cscript%3E",
        "/uk/%00",
    ] {
        let page = site.get(path, &[HTML]).await;
        assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
        assert!(!page.text().contains("<script"), "{path}");
        if path.contains("kivsk") {
            assert!(page.text().contains("/regions/kharkivska.atom"), "{path}: {}", page.text());
        }
        let line = site.get(path, &[]).await;
        assert_eq!((line.status, line.header("content-type")), (404, "text/plain; charset=utf-8"));
    }
}

#[tokio::test]
async fn who_reads_is_counted_and_the_feeds_do_not_notice() {
    let site = Site::start(Limits::default()).await;
    let id = sister_cities().id;
    let path = format!("/uk/articles/{id}");
    let feed = site.get("/all.atom", &[]).await;
    let views = |answer: crate::site::Answer| {
        let text = answer.text().to_owned();
        let (_, after) = text.split_once("Переглядів: ").unwrap();
        after.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    assert_eq!(views(site.get(&path, &[]).await), "4087");
    for headers in [[FIREFOX], [FIREFOX], [("User-Agent", "Mozilla/5.0 (compatible; bingbot/2.0)")]]
    {
        site.get(&path, &headers).await;
    }
    site.ask("HEAD", &path, &[FIREFOX]).await;
    site.documents.keep_reads().await.unwrap();
    assert_eq!(views(site.get(&path, &[]).await), "4089");
    assert_eq!(site.get("/all.atom", &[]).await.header("etag"), feed.header("etag"));
    let site = site.again().await;
    assert_eq!(views(site.get(&path, &[]).await), "4089");
}

#[tokio::test]
async fn what_a_source_counts_is_followed_and_the_feeds_do_not_notice() {
    let site = Site::start(Limits::default()).await;
    let article = sister_cities();
    let feed = Arc::new(site.config.feeds[&article.feed].clone());
    let mut etag = site.get("/all.atom", &[]).await.header("etag").to_owned();
    let polled = |change| {
        site.store.commit(
            feed.clone(),
            History::default(),
            vec![change],
            at("2023-07-03T12:00:00Z"),
        )
    };
    let path = format!("/uk/articles/{}", article.id);
    for (change, expected, touches) in [
        (Change::Unchanged(article.id, Some(5000)), "5000", false),
        (Change::Unchanged(article.id, None), "5000", false),
        (
            Change::Updated(Article {
                views: Some(5001),
                title: "Інша".to_owned(),
                ..article.clone()
            }),
            "5001",
            true,
        ),
        (Change::Unchanged(article.id, Some(5002)), "5002", false),
    ] {
        let touched = polled(change).await.unwrap();
        assert_eq!(!touched.is_empty(), touches);
        site.documents.touch_all();
        let page = site.get(&path, &[]).await;
        assert!(page.text().contains(&format!("Переглядів: {expected}<")), "{expected}");
        let now = site.get("/all.atom", &[]).await.header("etag").to_owned();
        assert_eq!(now != etag, touches);
        etag = now;
    }
}

#[tokio::test]
async fn what_is_taken_down_is_not_shown_again() {
    let site = Site::start(Limits::default()).await;
    let path = format!("/uk/articles/{}", sister_cities().id);
    assert_eq!(site.get(&path, &[]).await.status, 200);
    let removal =
        Removal {
            by: Remover::Admin, why: "помилка".to_owned(), at: at("2023-07-03T12:00:00Z")
        };
    let from = site.store.remove(sister_cities().id, removal).await.unwrap().unwrap();
    site.documents.take_away(&from);
    for _ in 0..2 {
        assert_eq!(site.get(&path, &[]).await.status, 404);
    }
    assert!(!site.get("/uk/all", &[]).await.text().contains(&path));
}

#[tokio::test]
async fn the_sites_own_pictures_may_be_loaded_whatever_becomes_of_others() {
    for (pictures, others) in [
        (Pictures::Direct, "img-src 'self' https: data: https://logo.example;"),
        (Pictures::Hidden, "img-src 'self' data: https://logo.example;"),
    ] {
        let mut config = sample::config();
        config.site.pictures = pictures;
        config.site.logo = Some(sample::url("https://logo.example/a.svg?b"));
        let site = Site::of(config, TempDir::new().unwrap(), Limits::default()).await;
        let policy = site.get("/uk/", &[]).await.header("content-security-policy").to_owned();
        assert!(policy.contains(others), "{policy}");
    }
}

#[tokio::test]
async fn a_page_changes_with_what_it_shows() {
    let site = Site::start(Limits::default()).await;
    let id = sister_cities().id;
    let paths = ["/uk/", "/uk/all", "/uk/regions/kharkivska", "/en/sources", "/sitemap.xml"];
    let mut before = Vec::new();
    for path in paths.iter().map(|path| (*path).to_owned()).chain([format!("/uk/articles/{id}")]) {
        before.push((site.get(&path, &[]).await.header("etag").to_owned(), path));
    }
    let mut article = plain("kharkiv", "later", 5);
    article.labels = sister_cities().labels;
    site.add(article).await;
    for (tag, path) in before {
        assert_ne!(site.get(&path, &[]).await.header("etag"), tag, "{path}");
    }
    assert!(site.get("/uk/all", &[]).await.text().contains("Новина later"));
}

#[tokio::test]
async fn older_news_are_on_the_pages_behind() {
    let site = Site::start(Limits::default()).await;
    for minutes in 1..=60 {
        site.add(plain("mirror", &format!("n{minutes}"), minutes)).await;
    }
    let mut path = "/uk/all".to_owned();
    let mut seen = Vec::new();
    for _ in 0..20 {
        let page = site.get(&path, &[]).await.text().to_owned();
        let links = page.split("class=\"u-url\" href=\"").skip(1);
        seen.extend(links.map(|link| link.split('"').next().unwrap().to_owned()));
        let Some((_, older)) = page.split_once("rel=\"next\" href=\"") else { break };
        path = older.split('"').next().unwrap().to_owned();
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (61, 61));
    let shelf = site.store.shelf(&Selection::All).await.unwrap().unwrap();
    assert_eq!(shelf.count, 61);
}

#[tokio::test]
async fn a_feed_that_a_reader_composes_holds_what_each_of_its_parts_holds() {
    let site = Site::start(Limits::default()).await;
    let labelled = |name: &str, regions: &[&str]| {
        let mut article = plain("mirror", name, 5);
        let why = sister_cities().labels.regions.into_values().next().unwrap();
        let labels = regions.iter().map(|id| (id.parse().unwrap(), why.clone()));
        article.labels.regions = labels.collect();
        article
    };
    site.add(labelled("both", &["sumska", "kharkivska"])).await;
    site.add(labelled("sumy", &["sumska"])).await;
    site.add(labelled("lviv", &["lvivska"])).await;
    let page = site.get("/uk/compose?region=sumska&region=kharkivska", &[]).await;
    let path = "/mixed/regions/kharkivska_sumska";
    assert!(page.text().contains(&format!("https://visnyk.example{path}.atom")));
    let atom = site.get(&format!("{path}.atom"), &[]).await;
    let count = |text: &str| atom.text().matches(text).count();
    assert_eq!((atom.status, count("<entry>")), (200, 3));
    assert_eq!((count("Новина both</title>"), count("Новина lviv")), (1, 0));
    assert_eq!((atom.header("last-modified"), atom.header("vary")), ("", "Accept-Encoding"));
    let tag = atom.header("etag").to_owned();
    let known = [("If-None-Match", tag.as_str()), ("A-IM", "feed")];
    assert_eq!(site.get(&format!("{path}.atom"), &known).await.status, 304);
    site.add(labelled("later", &["sumska"])).await;
    let fresh = site.get(&format!("{path}.atom"), &known).await;
    assert_eq!(fresh.status, 200);
    assert!(fresh.text().contains("Новина later") && fresh.text().contains("Новина both"));
    assert_eq!(site.get(&format!("{path}.json"), &[]).await.status, 200);
    assert!(site.get(&format!("/en{path}"), &[]).await.text().contains("Новина later"));
    for path in [
        "/mixed/regions/kharkivska_sumska/archive/1.atom",
        "/mixed/regions/sumska_kharkivska.atom",
        "/mixed/regions/kharkivska.atom",
        "/mixed/regions/kharkivska_nowhere.atom",
        "/mixed/regions/kharkivska_sumska/tags/nothing.atom",
    ] {
        assert_eq!(site.get(path, &[]).await.status, 404, "{path}");
    }
}
