//! Pictures that are passed on: what stands on a page and nothing else, asked for once, and never
//! from where a feed has no business.

use crate::sample;
use crate::sample::plain;
use crate::sample::sister_cities;
use crate::site::Site;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::Uri;
use chrono::Utc;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use url::Url;
use visnyk::fetch::Fetcher;
use visnyk::fetch::Settings;
use visnyk::model::article::Article;
use visnyk::model::article::Image;
use visnyk::model::clock::Clock;
use visnyk::model::feed::Address;
use visnyk::model::feed::Private;
use visnyk::model::publication::Pictures;
use visnyk::serve::Limits;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// A server of pictures, and how often it was asked.
async fn source() -> (SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = |State(asked): State<Arc<AtomicUsize>>, uri: Uri| async move {
        asked.fetch_add(1, Ordering::SeqCst);
        match uri.path() {
            "/1.png" => (StatusCode::OK, PNG.to_vec()),
            "/2.png" => (StatusCode::OK, b"<svg onload=\"pwned()\"/>".to_vec()),
            "/3.png" => (StatusCode::OK, [PNG, &[0; 4096]].concat()),
            _ => (StatusCode::NOT_FOUND, Vec::new()),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(answer).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, asked)
}

/// A site that passes pictures on, one of whose feeds may be fetched from loopback or not.
async fn site(source: SocketAddr, private: Private) -> Site {
    let mut config = sample::config();
    config.site.pictures = Pictures::Passed;
    let feed = config.feeds.get_mut(&"mirror".parse().unwrap()).unwrap();
    feed.address = Address::Http(Url::parse(&format!("http://{source}/rss")).unwrap());
    feed.access.private = private;
    let site = Site::of(config, TempDir::new().unwrap(), Limits::default()).await;
    let settings = Settings {
        user_agent: "visnyk".to_owned(),
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        body_bytes_max: 2048,
        concurrency: 4,
        per_host: 4,
        host_pause: Duration::ZERO,
        proxy: None,
        clock: Clock::new(Utc::now),
    };
    site.documents.pass_pictures(Fetcher::new(settings).unwrap());
    site
}

/// An article with a picture there, and the address at which its page shows it.
async fn shown(site: &Site, picture: &str) -> String {
    let image = Image { url: Url::parse(picture).unwrap(), ..sister_cities().image.unwrap() };
    let article = Article { image: Some(image), ..plain("mirror", picture, 1) };
    let page = format!("/uk/articles/{}", article.id);
    site.add(article).await;
    let page = site.get(&page, &[]).await;
    assert!(page.header("content-security-policy").contains("img-src 'self' data:"));
    let (_, after) = page.text().split_once("u-photo\" src=\"").unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_picture_of_a_page_is_passed_on_and_asked_for_once() {
    let (source, asked) = source().await;
    let site = site(source, Private::Allowed).await;
    let path = shown(&site, &format!("http://{source}/1.png")).await;
    let picture = site.get(&path, &[("Referer", "https://a.example/")]).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert_eq!(picture.body, PNG);
    assert_eq!(picture.header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    let again = site.get(&path, &[("If-None-Match", picture.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_or_not_there_is_not_passed_on() {
    let (source, asked) = source().await;
    let site = site(source, Private::Allowed).await;
    for name in ["2.png", "3.png", "4.png"] {
        let path = shown(&site, &format!("http://{source}/{name}")).await;
        assert_eq!(site.get(&path, &[]).await.status, 404, "{name}");
        let before = asked.load(Ordering::SeqCst);
        assert_eq!(site.get(&path, &[]).await.status, 404, "{name}");
        assert_eq!(asked.load(Ordering::SeqCst), before, "{name} is asked for again at once");
    }
}

#[tokio::test]
async fn a_picture_where_its_feed_has_no_business_is_not_asked_for() {
    let (source, asked) = source().await;
    let refusing = site(source, Private::Refused).await;
    let path = shown(&refusing, &format!("http://{source}/1.png")).await;
    assert_eq!(refusing.get(&path, &[]).await.status, 404);
    // The feed's own host, and no other, may be private.
    let allowing = site(source, Private::Allowed).await;
    let path = shown(&allowing, &format!("http://localhost:{}/1.png", source.port())).await;
    assert_eq!(allowing.get(&path, &[]).await.status, 404);
    // What stands on no page is not looked for.
    let (id, _) = path.rsplit_once('/').unwrap();
    let other = format!("{id}/0123456789abcdef0123456789abcdef");
    assert_eq!(allowing.get(&other, &[]).await.status, 404);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
