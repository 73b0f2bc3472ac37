//! Articles that are taken down, by their source or by the admin: they leave every document, are
//! told by a tombstone (RFC 6721), and no poll brings them back. And what only looks like it.

use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::response::Response;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::daemon::poller;
use visnyk::model::clock::Clock;
use visnyk::model::feed::Feed;
use visnyk::poll::Poller;
use visnyk::serve::documents::Documents;
use visnyk::store::Store;
use visnyk::takedown::Takedown;
use visnyk::takedown::take_down;

/// What the city's site shows: the items of its feed, and how its pages answer that are not there.
#[derive(Debug, Clone)]
struct Site {
    items: Vec<u32>,
    /// What the guids begin with, where they are no addresses.
    guids: Option<&'static str>,
    /// What comes before the number in the addresses of pages, and after it in titles.
    folder: &'static str,
    suffix: &'static str,
    pages: BTreeMap<u32, u16>,
    asked: Vec<String>,
}

struct World {
    site: Arc<Mutex<Site>>,
    now: Arc<Mutex<DateTime<Utc>>>,
    config: Arc<Config>,
    store: Store,
    poller: Poller,
    documents: Documents,
    server: JoinHandle<()>,
    _folder: TempDir,
}

fn start() -> DateTime<Utc> {
    "2026-06-10T12:00:00Z".parse().unwrap()
}

/// An item for each number: the greater, the newer.
fn feed_of(site: &Site, host: &str) -> String {
    let Site { items, guids, folder, suffix, .. } = site;
    let mut rss = format!(
        "<rss version=\"2.0\"><channel><title>Місто</title><link>http://{host}/</link>\
         <description>d</description>"
    );
    for n in items {
        let date = (start() - TimeDelta::days(30) + TimeDelta::days(i64::from(*n))).to_rfc2822();
        let page = format!("http://{host}/{folder}/{n}");
        let guid = guids.map_or_else(|| page.clone(), |guids| format!("{guids}-{n}"));
        write!(
            rss,
            "<item><title>Новина номер {n}{suffix}</title><link>{page}</link>\
             <guid isPermaLink=\"false\">{guid}</guid><pubDate>{date}</pubDate>\
             <description>Міська рада розповідає про подію номер {n}.</description></item>"
        )
        .unwrap();
    }
    rss + "</channel></rss>"
}

async fn answer(State(site): State<Arc<Mutex<Site>>>, request: Request) -> Response {
    let mut site = site.lock().unwrap();
    let path = request.uri().path().to_owned();
    site.asked.push(path.clone());
    let host = request.headers()["host"].to_str().unwrap().to_owned();
    let (status, body) = match path.strip_prefix("/news/").map(|n| n.parse().unwrap()) {
        None => (200, feed_of(&site, &host)),
        Some(n) => match site.pages.get(&n) {
            None => (200, "<p>Новина</p>".to_owned()),
            Some(status) => (*status, "Сторінку не знайдено".to_owned()),
        },
    };
    Response::builder().status(status).body(body.into()).unwrap()
}

impl World {
    async fn new() -> Self {
        let site = Site {
            items: (1..=12).collect(),
            guids: None,
            folder: "news",
            suffix: "",
            pages: BTreeMap::new(),
            asked: Vec::new(),
        };
        let site = Arc::new(Mutex::new(site));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let text = format!(
            "[site]\ntitle = \"Вісник\"\naddress = \"https://visnyk.example/\"\nsince = 2026-01-01\n\
             [polling]\nhost_pause = \"0s\"\n\
             [[feed]]\nid = \"city\"\ntitle = \"Місто\"\nurl = \"http://{address}/rss\"\nregion = \"kharkivska\"\n\
             allow_private = true\n"
        );
        let config =
            parse("feeds.toml", &text, Path::new("")).unwrap_or_else(|bad| panic!("{bad}"));
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Vec::new()).unwrap();
        let now = Arc::new(Mutex::new(start()));
        let told = Arc::clone(&now);
        let clock = Clock::new(move || *told.lock().unwrap());
        let poller = poller(&config, store.clone(), clock).unwrap();
        let config = Arc::new(config);
        let documents = Documents::new(Arc::clone(&config), store.clone());
        Self { site, now, config, store, poller, documents, server, _folder: folder }
    }

    /// Polls once, so many hours later, and gives what was asked of the site.
    async fn poll(&self, hours: i64) -> Vec<String> {
        *self.now.lock().unwrap() += TimeDelta::hours(hours);
        self.site().asked.clear();
        let feed: Feed = self.config.feeds.values().next().unwrap().clone();
        let polled = self.poller.poll(&Arc::new(feed)).await.unwrap();
        let last = polled.history.polls.last().unwrap();
        assert_eq!(last.outcome.word(), "read", "{last:?}");
        self.documents.touch(&polled.touched);
        if let Some(suspects) = polled.suspects {
            self.documents.take_away(&self.poller.follow(&suspects).await.unwrap());
        }
        self.site().asked.clone()
    }

    fn site(&self) -> std::sync::MutexGuard<'_, Site> {
        self.site.lock().unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let page = self.documents.at(path).unwrap();
        let rendered = self.documents.get(&page).await.unwrap();
        String::from_utf8(rendered.identity.to_vec()).unwrap()
    }

    /// Whether a document shows the item, and whether it tells that it was taken down.
    async fn state(&self, path: &str, n: u32) -> (bool, bool) {
        let text = self.text(path).await;
        let is_shown = text.contains(&format!("Новина номер {n}<"));
        let id = format!("/news/{n}\"");
        let is_told = text.split("<at:deleted-entry ").skip(1).any(|tomb| tomb.contains(&id));
        (is_shown, is_told)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

const DOCUMENTS: [&str; 3] = ["/all.atom", "/regions/kharkivska.atom", "/sources/city.atom"];
const THERE: (bool, bool) = (true, false);
const GONE: (bool, bool) = (false, true);

#[tokio::test]
async fn what_its_source_took_down_leaves_every_document_and_does_not_come_back() {
    let world = World::new().await;
    assert_eq!(world.poll(0).await, ["/rss"]);
    world.site().items.retain(|n| *n != 9);
    world.site().pages.insert(9, 404);
    assert_eq!(world.poll(1).await, ["/rss", "/news/9"], "suspected");
    assert_eq!(world.state("/all.atom", 9).await, THERE);
    let before = world.text("/all.atom").await;
    assert!(!before.contains("deleted-entry"));
    let asked = world.poll(2).await;
    assert_eq!(asked[..2], ["/rss", "/news/9"]);
    let others: Vec<String> = (1..=12).filter(|n| *n != 9).map(|n| format!("/news/{n}")).collect();
    assert!(
        asked.len() == 3 && others.contains(&asked[2]),
        "no other page was asked for: {asked:?}"
    );
    for path in DOCUMENTS {
        assert_eq!(world.state(path, 9).await, GONE, "{path}");
        assert_eq!(world.state(path, 8).await, THERE, "{path}");
    }
    let json = world.text("/all.json").await;
    assert!(json.contains("\"_visnyk\":{\"deleted\":[{\"id\":\"http://"), "{json}");
    // It is in the feed again, and so is its page.
    world.site().items.push(9);
    world.site().pages.clear();
    for _ in 0..3 {
        assert_eq!(world.poll(24).await, ["/rss"]);
        assert_eq!(world.state("/all.atom", 9).await, GONE);
    }
    assert_eq!(world.store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_only_left_the_feed_stays() {
    let world = World::new().await;
    world.poll(0).await;
    // The oldest have left because newer ones came; and one is out of the feed, but on its page.
    world.site().items = (5..=13).filter(|n| *n != 10).collect();
    world.site().pages.insert(2, 404);
    for hours in [1, 24, 24] {
        let asked = world.poll(hours).await;
        assert!(!asked.contains(&"/news/2".to_owned()), "{asked:?}");
        assert_eq!(asked.contains(&"/news/10".to_owned()), hours == 1, "asked once a week");
    }
    for n in [2, 10] {
        assert_eq!(world.state("/all.atom", n).await, THERE, "{n}");
    }
}

#[tokio::test]
async fn a_site_that_hides_its_pages_takes_nothing_down() {
    let world = World::new().await;
    world.poll(0).await;
    world.site().items.retain(|n| *n != 9);
    world.site().pages = (1..=12).map(|n| (n, 404)).collect();
    for hours in [1, 2, 24] {
        world.poll(hours).await;
        assert_eq!(world.state("/all.atom", 9).await, THERE);
    }
    // A server that fails says nothing of its pages.
    world.site().pages = BTreeMap::from([(9, 503)]);
    world.poll(24).await;
    assert_eq!(world.state("/all.atom", 9).await, THERE);
    world.site().pages = BTreeMap::from([(9, 410)]);
    world.poll(24).await;
    assert_eq!(world.state("/all.atom", 9).await, GONE);
}

#[tokio::test]
async fn a_feed_that_shrinks_costs_its_site_a_few_requests_a_day() {
    let world = World::new().await;
    world.site().items = (1..=29).collect();
    world.poll(0).await;
    world.site().items = vec![1, 2, 3, 4, 29];
    let mut asked = 0;
    for _ in 0..20 {
        asked += world.poll(1).await.len() - 1;
    }
    assert!((5..=20).contains(&asked), "{asked} pages in 20 hours");
}

#[tokio::test]
async fn what_the_admin_takes_down_is_gone_at_once_and_for_good() {
    let world = World::new().await;
    world.poll(0).await;
    let address = world.text("/all.atom").await;
    let start = address.find("/news/7\"").unwrap();
    let from = address[..start].rfind('"').unwrap() + 1;
    let page = &address[from..start + "/news/7".len()];
    let taken = take_down(&world.store, page, "за рішенням суду", start_plus(1)).await.unwrap();
    let Takedown::Done { id, from, .. } = &taken else { panic!("{taken:?}") };
    assert!(taken.told().unwrap().contains("«Новина номер 7», from /all, /regions/kharkivska"));
    world.documents.touch(from);
    for path in DOCUMENTS {
        assert_eq!(world.state(path, 7).await, GONE, "{path}");
        assert!(!world.text(path).await.contains("суду"), "readers are told why");
    }
    let again = take_down(&world.store, &id.to_string(), "ще раз", start_plus(2)).await.unwrap();
    assert!(again.told().unwrap().contains("was taken down by the admin at 2026-06-10 13:00:00"));
    let unknown = take_down(&world.store, "https://a.example/", "так", start_plus(2)).await;
    assert_eq!(unknown.unwrap(), Takedown::Unknown);
    // The page has changed: the article is not added under its old id.
    world.site().items.reverse();
    world.poll(5).await;
    assert_eq!(world.state("/all.atom", 7).await, GONE);
}

#[tokio::test]
async fn what_was_taken_down_does_not_come_back_from_a_site_that_is_rebuilt_in_steps() {
    let world = World::new().await;
    world.poll(0).await;
    let page = format!("{}/7", world.text("/all.atom").await.split("/7\"").next().unwrap());
    let page = &page[page.rfind('"').unwrap() + 1..];
    let taken = take_down(&world.store, page, "за рішенням суду", start_plus(1)).await.unwrap();
    assert!(matches!(taken, Takedown::Done { .. }), "{taken:?}");
    // Each step leaves one thing by which an article is known from the step before.
    world.site().guids = Some("post");
    world.poll(5).await;
    (world.site().folder, world.site().suffix) = ("novyny", ": доповнено");
    world.poll(5).await;
    world.documents.touch(&world.store.shelves().await.unwrap().into_keys().collect());
    for path in DOCUMENTS {
        let text = world.text(path).await;
        assert!(text.contains("Новина номер 8: доповнено<"), "{path}");
        assert!(!text.contains("Новина номер 7"), "{path}");
    }
    assert_eq!(world.store.ids().await.unwrap().len(), 11);
    assert_eq!(world.store.audit().await, Ok(Vec::new()));
}

fn start_plus(hours: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(hours)
}
