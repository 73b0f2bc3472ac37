//! The site as files: the bytes that the server gives out, only what changed, and nobody else's.

use sample::at;
use sample::plain;
use sample::sister_cities;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::fs::File;
use std::future::ready;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use visnyk::config::Config;
use visnyk::export::Change;
use visnyk::export::Order;
use visnyk::export::Others;
use visnyk::export::Summary;
use visnyk::export::error::ExportError;
use visnyk::export::export;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::id::FeedId;
use visnyk::model::id::RegionId;
use visnyk::model::known::Change as Known;
use visnyk::model::publication::Selection;
use visnyk::serve::Limits;
use visnyk::serve::documents::Documents;
use visnyk::serve::serve;
use visnyk::serve::stale::Lack;
use visnyk::store::Store;

mod sample;

const MANIFEST: &str = ".visnyk-export.json";
const ENDINGS: [(&str, &str); 4] =
    [("", "identity"), (".br", "br"), (".zst", "zstd"), (".gz", "gzip")];

/// A site with a store of its own, and a place for its files.
struct Site {
    documents: Documents,
    store: Store,
    config: Arc<Config>,
    tree: PathBuf,
    folder: TempDir,
}

/// What somebody does to a file.
type Damage = fn(&Path);

/// What an export did.
type Exported = (Result<Summary, ExportError>, Vec<Change>);

impl Site {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let config = Arc::new(sample::config());
        let store = Store::open(&folder.path().join("store"), config.publications.clone()).unwrap();
        let documents = Documents::new(config.clone(), store.clone());
        let tree = folder.path().join("tree");
        let site = Self { documents, store, config, tree, folder };
        site.add(sister_cities()).await;
        site
    }

    async fn add(&self, article: Article) -> BTreeSet<Selection> {
        let feed = Arc::new(self.config.feeds[&article.feed].clone());
        let now = at("2023-07-03T11:30:00Z");
        let changes = vec![Known::Added(article)];
        let touched = self.store.commit(feed, History::default(), changes, now).await.unwrap();
        self.documents.touch(&touched);
        touched
    }

    async fn export(&self) -> Exported {
        self.export_as(Lack::Unknown, Others::Stay).await
    }

    async fn export_as(&self, lack: Lack, others: Others) -> Exported {
        let order = Order { directory: self.tree.clone(), lack, others, lanes: 2 };
        run(&self.documents, &order).await
    }

    fn at(&self, name: &str) -> PathBuf {
        self.tree.join(name)
    }
}

async fn run(documents: &Documents, order: &Order) -> Exported {
    let mut changes = Vec::new();
    let tell = |change| {
        changes.push(change);
        ready(())
    };
    let ended = export(documents, order, tell).await;
    (ended, changes)
}

/// The addresses of what changed, where nothing failed.
fn paths((ended, changes): Exported) -> BTreeSet<String> {
    let summary = ended.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(summary.written + summary.removed, changes.len());
    changes.into_iter().map(|change| change.path).collect()
}

/// The addresses of the documents and pages of some publications.
fn of<const N: usize>(publications: [&str; N]) -> BTreeSet<String> {
    let forms = |path: &str| {
        [format!("/{path}.atom"), format!("/{path}.json")]
            .into_iter()
            .chain(["", "uk/", "en/"].map(|language| format!("/{language}{path}")))
            .collect::<Vec<_>>()
    };
    publications.into_iter().flat_map(forms).collect()
}

/// The addresses of what lists all publications.
fn lists() -> BTreeSet<String> {
    set([
        "/",
        "/uk/",
        "/en/",
        "/sources",
        "/uk/sources",
        "/en/sources",
        "/feeds.opml",
        "/sitemap.xml",
    ])
}

/// The addresses of the pages of an article.
fn pages_of(article: &Article) -> BTreeSet<String> {
    ["uk", "en"].map(|language| format!("/{language}/articles/{}", article.id)).into()
}

fn set<const N: usize>(paths: [&str; N]) -> BTreeSet<String> {
    paths.map(str::to_owned).into()
}

/// Every file below a folder with its bytes and its time, but those of the export itself.
fn files(tree: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![tree.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(tree).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with(".visnyk-export") {
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                files.insert(name, (fs::read(&path).unwrap(), modified));
            }
        }
    }
    files
}

async fn served(address: std::net::SocketAddr, path: &str, coding: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: {coding}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    let end = said.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    assert!(said.starts_with(b"HTTP/1.1 200 "), "{path} in {coding}");
    said.split_off(end + 4)
}

#[tokio::test]
async fn a_page_is_found_where_it_says_that_it_is() {
    let site = Site::start().await;
    let pages = site.documents.pages().await.unwrap();
    let paths: BTreeSet<String> = pages.iter().map(visnyk::serve::documents::Page::path).collect();
    assert_eq!(paths.len(), pages.len(), "two pages at one address");
    for page in &pages {
        assert_eq!(site.documents.at(&page.path()).as_ref(), Some(page));
    }
    for path in [
        "/",
        "/style.css",
        "/robots.txt",
        "/feeds.opml",
        "/all.atom",
        "/regions/lvivska.json",
        "/tags/partnerstvo.atom",
        "/sources/bare.json",
        "/publications/pobratymy.atom",
        "/regions/kharkivska/tags/partnerstvo.json",
    ] {
        assert!(paths.contains(path), "{path} is no page");
    }
    assert!(!paths.contains("/regions/lvivska/tags/partnerstvo.atom"), "an empty crossing");
}

#[tokio::test]
async fn a_fresh_export_is_byte_for_byte_what_the_server_answers() {
    let site = Site::start().await;
    let changed = paths(site.export().await);
    let pages = site.documents.pages().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let documents = site.documents.clone();
    let server =
        tokio::spawn(serve(listener, documents, Limits::default(), std::future::pending()));
    let mut files = files(&site.tree);
    for page in &pages {
        let path = page.path();
        assert!(changed.contains(&path), "{path} is not told");
        let name = match &path[1..] {
            name if name.is_empty() || name.ends_with('/') => format!("{name}index.html"),
            name if name.contains('.') => name.to_owned(),
            name => format!("{name}.html"),
        };
        let name = name.as_str();
        let plain = files[name].1;
        for (ending, coding) in ENDINGS {
            let file = format!("{name}{ending}");
            let (bytes, modified) = files.remove(&file).unwrap_or_else(|| panic!("no {file}"));
            assert!(bytes == served(address, &path, coding).await, "{file} is not what is served");
            assert_eq!(modified, plain, "{file} is of another time than its plain file");
            let mode = fs::metadata(site.at(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o644, "{file}");
        }
    }
    assert_eq!(files.keys().collect::<Vec<_>>(), Vec::<&String>::new());
    server.abort();
}

/// The addresses of the entries that the tree has of a publication, front first and then page by
/// page.
fn walk(tree: &Path, publication: &str) -> Vec<String> {
    let mut next = Some(format!("{publication}.atom"));
    let mut found = Vec::new();
    while let Some(name) = next {
        let bytes = fs::read(tree.join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let feed = atom_syndication::Feed::read_from(bytes.as_slice()).unwrap();
        found.extend(feed.entries.into_iter().map(|entry| entry.id));
        let link = feed.links.into_iter().find(|link| link.rel == "prev-archive");
        next = link.map(|link| link.href.replace("https://visnyk.example/", ""));
    }
    found
}

#[tokio::test]
async fn pages_of_archives_are_written_once_and_again_when_an_article_is_taken_down() {
    let site = Site::start().await;
    let article = |n: i64| plain("mirror", &format!("n{n}"), n);
    for n in 0..50 {
        site.add(article(n)).await;
    }
    assert!(paths(site.export().await).contains("/sources/mirror/archive/2.atom"));
    let unique = |found: &[String]| found.iter().cloned().collect::<BTreeSet<_>>().len();
    let found = walk(&site.tree, "sources/mirror");
    assert_eq!((found.len(), unique(&found)), (50, 50));
    let before = files(&site.tree);
    let mut touched = BTreeSet::new();
    for n in 50..75 {
        touched.extend(site.add(article(n)).await);
    }
    let changed = paths(site.export_as(Lack::Of(touched), Others::Stay).await);
    let first = "/sources/mirror/archive/1.atom".to_owned();
    assert!(changed.contains("/sources/mirror/archive/5.json") && !changed.contains(&first));
    assert_eq!(files(&site.tree)[&first[1..]], before[&first[1..]]);
    let found = walk(&site.tree, "sources/mirror");
    assert_eq!((found.len(), unique(&found)), (75, 75));
    // The first page had the oldest.
    let removal =
        Removal { by: Remover::Admin, why: "test".to_owned(), at: at("2023-07-05T00:00:00Z") };
    let from = site.store.remove(article(0).id, removal).await.unwrap().unwrap();
    let _ = site.documents.stale().take();
    site.documents.take_away(&from);
    let lack = site.documents.stale().take();
    let changed = paths(site.export_as(lack, Others::Stay).await);
    assert!(changed.contains(&first) && !changed.contains("/sources/mirror/archive/3.atom"));
    assert!(!walk(&site.tree, "sources/mirror").contains(&article(0).iri));
    assert!(fs::read_to_string(site.at(&first[1..])).unwrap().contains("<at:deleted-entry "));
}

#[tokio::test]
async fn an_export_of_what_is_there_touches_and_tells_nothing() {
    let site = Site::start().await;
    assert!(!paths(site.export().await).is_empty());
    let (before, manifest) = (files(&site.tree), fs::metadata(site.at(MANIFEST)).unwrap());
    assert_eq!(paths(site.export().await), set([]));
    assert_eq!(files(&site.tree), before);
    let after = fs::metadata(site.at(MANIFEST)).unwrap();
    assert_eq!(after.modified().unwrap(), manifest.modified().unwrap());
}

#[tokio::test]
async fn an_article_changes_its_publications_and_the_lists() {
    for knows in ["what was touched", "nothing"] {
        let site = Site::start().await;
        paths(site.export().await);
        let before = files(&site.tree);
        let mut article = plain("mirror", "lviv", 30);
        article.labels.regions.insert(RegionId::new("lvivska").unwrap(), Vec::new());
        let article_pages = pages_of(&article);
        let touched = site.add(article).await;
        let lack = if knows == "nothing" { Lack::Unknown } else { Lack::Of(touched) };
        let exported = site.export_as(lack, Others::Stay).await;
        let keys: BTreeMap<_, _> =
            exported.1.iter().map(|c| (c.path.as_str(), c.keys.join(" "))).collect();
        assert_eq!(keys.get("/regions/lvivska.json").map(String::as_str), Some("regions/lvivska"));
        assert_eq!(keys.get("/feeds.opml").map(String::as_str), Some("lists"));
        let mut expected = of(["all", "regions/lvivska", "sources/mirror"]);
        expected.extend(lists());
        expected.extend(article_pages);
        assert_eq!(paths(exported), expected, "where an export knows {knows}");
        for (name, (bytes, modified)) in files(&site.tree) {
            let path = ENDINGS.iter().rev().find_map(|(ending, _)| name.strip_suffix(ending));
            let path = format!("/{}", path.unwrap());
            let path =
                path.strip_suffix("index.html").or(path.strip_suffix(".html")).unwrap_or(&path);
            let is_same = before.get(&name) == Some(&(bytes, modified));
            assert_eq!(is_same, !expected.contains(path), "{name}");
        }
    }
}

#[tokio::test]
async fn what_somebody_altered_or_deleted_comes_back() {
    let site = Site::start().await;
    paths(site.export().await);
    let sound: BTreeMap<_, _> = files(&site.tree).into_iter().map(|(k, v)| (k, v.0)).collect();
    let damages: [(&str, Damage); 8] = [
        ("all.atom", |path| fs::write(path, "<feed/>").unwrap()),
        ("all.json.br", |path| fs::remove_file(path).unwrap()),
        ("all.json", |path| fs::remove_file(path).unwrap()),
        ("regions/kharkivska.atom.gz", |path| {
            let mut bytes = fs::read(path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("feeds.opml.zst", |path| {
            File::options().write(true).open(path).unwrap().set_len(9).unwrap();
        }),
        ("index.html", |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("style.css", |path| {
            fs::remove_file(path).unwrap();
            // Nobody writes into it: who reads it waits for ever.
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
        ("regions", |path| fs::remove_dir_all(path).unwrap()),
    ];
    for (name, damage) in damages {
        damage(&site.at(name));
        let told = paths(site.export().await);
        assert!(!told.is_empty() && (told.len() == 1 || name == "regions"), "{name}: {told:?}");
        let now: BTreeMap<_, _> = files(&site.tree).into_iter().map(|(k, v)| (k, v.0)).collect();
        assert!(now == sound, "{name} did not come back");
        let mode = fs::metadata(site.at(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o444, 0o444, "{name} is not for everybody");
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_written_is_named_and_what_refers_to_it_waits() {
    let site = Site::start().await;
    paths(site.export().await);
    let before = files(&site.tree);
    // Nobody may put a file in the place of a folder, whatever rights he has.
    fs::remove_file(site.at("all.atom")).unwrap();
    fs::create_dir(site.at("all.atom")).unwrap();
    let touched = site.add(plain("mirror", "two", 31)).await;
    for lack in [Lack::Of(touched), Lack::Unknown] {
        let (ended, changes) = site.export_as(lack, Others::Stay).await;
        let error = ended.unwrap_err();
        assert!(error.to_string().contains("tree/all.atom: cannot"), "{error}");
        assert!(!error.is_refusal());
        assert!(changes.iter().all(|change| !["/", "/feeds.opml"].contains(&change.path.as_str())));
        let now = files(&site.tree);
        assert_eq!(now["index.html"], before["index.html"]);
        assert!(now.keys().all(|name| !name.ends_with(".visnyk-new")));
    }
    fs::remove_dir(site.at("all.atom")).unwrap();
    let mut waited = lists();
    waited.insert("/all.atom".to_owned());
    assert_eq!(paths(site.export().await), waited);
    assert_eq!(paths(site.export().await), set([]));
}

#[tokio::test]
async fn what_is_no_more_published_goes_and_files_of_others_stay() {
    let site = Site::start().await;
    site.add(plain("bare", "one", 1)).await;
    paths(site.export().await);
    fs::write(site.at("sources/bare.txt"), "of others").unwrap();
    fs::create_dir(site.at("empty")).unwrap();
    let mut config = (*site.config).clone();
    config.feeds.remove(&FeedId::new("bare").unwrap());
    config.publications.clear();
    let documents = Documents::new(Arc::new(config), site.store.clone());
    let order =
        Order { directory: site.tree.clone(), lack: Lack::Unknown, others: Others::Stay, lanes: 2 };
    let (ended, changes) = run(&documents, &order).await;
    assert_eq!(ended.unwrap().removed, 10);
    let removed: BTreeSet<_> =
        changes.iter().filter(|c| c.written.is_none()).map(|c| c.path.clone()).collect();
    let expected = of(["sources/bare", "publications/pobratymy"]);
    assert_eq!(removed, expected);
    let there = files(&site.tree);
    assert!(there.keys().all(|name| name == "sources/bare.txt" || !name.contains("bare")));
    assert!(!site.at("publications").exists(), "an empty folder is left over");
    assert_eq!(there["sources/bare.txt"].0, b"of others");
    assert!(site.at("empty").exists());
    assert_eq!(changes[0].json()["action"], "written");
    assert_eq!(changes.last().unwrap().json()["action"], "removed");
}

#[tokio::test]
async fn a_directory_with_files_of_others_is_refused_unless_the_admin_says_so() {
    let site = Site::start().await;
    fs::create_dir(&site.tree).unwrap();
    fs::write(site.at("index.html"), "welcome").unwrap();
    fs::write(site.at("logo.svg"), "<svg/>").unwrap();
    let (ended, _) = site.export().await;
    let error = ended.unwrap_err();
    assert!(error.is_refusal() && error.to_string().contains("not empty"), "{error}");
    assert_eq!(files(&site.tree).len(), 2);
    assert!(!site.at(".visnyk-export.lock").exists(), "a refused directory was written to");

    assert!(paths(site.export_as(Lack::Unknown, Others::Yield).await).contains("/"));
    assert!(fs::read_to_string(site.at("index.html")).unwrap().contains("<!"));
    assert_eq!(fs::read_to_string(site.at("logo.svg")).unwrap(), "<svg/>");
    // From now on it is ours.
    assert_eq!(paths(site.export().await), set([]));

    // A file that somebody put in the place of a page that is yet to come.
    fs::create_dir_all(site.at("regions/lvivska/tags")).unwrap();
    fs::write(site.at("regions/lvivska/tags/partnerstvo.json.gz"), "mine").unwrap();
    let mut article = plain("mirror", "lviv", 30);
    article.labels.regions.insert(RegionId::new("lvivska").unwrap(), Vec::new());
    article.labels.tags = sister_cities().labels.tags;
    site.add(article).await;
    let error = site.export().await.0.unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert!(error.to_string().contains("lvivska/tags/partnerstvo.json.gz: no export"), "{error}");
    assert_eq!(fs::read(site.at("regions/lvivska/tags/partnerstvo.json.gz")).unwrap(), b"mine");
    assert!(paths(site.export_as(Lack::Unknown, Others::Yield).await).contains("/"));
}

#[tokio::test]
async fn a_manifest_that_is_lost_or_damaged_is_no_licence_to_write() {
    let site = Site::start().await;
    paths(site.export().await);
    for damage in ["{\"format\":1}", "", "lost"] {
        if damage == "lost" {
            fs::remove_file(site.at(MANIFEST)).unwrap();
        } else {
            fs::write(site.at(MANIFEST), damage).unwrap();
        }
        let error = site.export().await.0.unwrap_err();
        assert!(error.is_refusal() && error.to_string().contains("--into-nonempty"), "{error}");
        // Taken over: every file is as it should be, but nobody knows who was told.
        let (ended, changes) = site.export_as(Lack::Unknown, Others::Yield).await;
        ended.unwrap();
        assert!(changes.iter().all(|change| change.files.is_empty()));
        assert_eq!(paths(site.export().await), set([]));
    }
}

#[tokio::test]
async fn links_lead_nowhere() {
    let site = Site::start().await;
    paths(site.export().await);
    let outside = site.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    for name in ["all.atom", "all.atom.br", ".all.atom.visnyk-new"] {
        _ = fs::remove_file(site.at(name));
        symlink(outside.join("secret"), site.at(name)).unwrap();
    }
    assert_eq!(paths(site.export().await), set(["/all.atom"]));
    assert!(fs::symlink_metadata(site.at("all.atom")).unwrap().is_file());
    assert!(fs::symlink_metadata(site.at(".all.atom.visnyk-new")).is_err());

    fs::rename(site.at("tags"), outside.join("tags")).unwrap();
    symlink(outside.join("tags"), site.at("tags")).unwrap();
    fs::write(outside.join("tags/partnerstvo.atom"), "outside").unwrap();
    let error = site.export().await.0.unwrap_err();
    assert!(error.to_string().contains("tree/tags: cannot open it"), "{error}");
    assert_eq!(fs::read(outside.join("tags/partnerstvo.atom")).unwrap(), b"outside");
    assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");

    // The directory itself may be named by a link.
    let named = site.folder.path().join("named");
    fs::remove_file(site.at("tags")).unwrap();
    symlink(&site.tree, &named).unwrap();
    let order = Order { directory: named, lack: Lack::Unknown, others: Others::Stay, lanes: 1 };
    assert!(
        paths(run(&site.documents, &order).await).iter().all(|path| path.starts_with("/tags/"))
    );
}

#[tokio::test]
async fn some_directories_are_never_exported_to() {
    let site = Site::start().await;
    let store = site.folder.path().join("store");
    let inner = store.join("www");
    let file = site.folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (directory, expected) in [
        (Path::new("/"), "the whole system"),
        (store.as_path(), "the store is in"),
        (inner.as_path(), "the store is in"),
        (site.folder.path(), "the store is in"),
        (file.as_path(), "cannot open it"),
        (Path::new("/nonexistent/visnyk/tree"), "cannot make it"),
    ] {
        let directory = directory.to_owned();
        let order = Order { directory, lack: Lack::Unknown, others: Others::Yield, lanes: 1 };
        let error = run(&site.documents, &order).await.0.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(!site.folder.path().join(MANIFEST).exists() && !store.join(MANIFEST).exists());
}

#[tokio::test]
async fn a_directory_that_is_gone_is_an_error_and_one_that_came_back_empty_is_filled() {
    let site = Site::start().await;
    let told = paths(site.export().await);
    fs::remove_dir_all(&site.tree).unwrap();
    let touched = Lack::Of([Selection::All].into());
    let error = site.export_as(touched.clone(), Others::Stay).await.0.unwrap_err().to_string();
    assert!(error.contains("tree: cannot open it"), "{error}");
    assert!(!site.tree.exists(), "what may be a mount point was made");
    fs::create_dir(&site.tree).unwrap();
    assert_eq!(paths(site.export_as(touched, Others::Stay).await), told);
}

#[tokio::test]
async fn two_exports_do_not_meet() {
    let site = Site::start().await;
    paths(site.export().await);
    let lock = File::options().write(true).open(site.at(".visnyk-export.lock")).unwrap();
    lock.try_lock().unwrap();
    let error = site.export().await.0.unwrap_err();
    assert!(matches!(error, ExportError::Busy { .. }), "{error}");
    drop(lock);
    assert_eq!(paths(site.export().await), set([]));
}

#[tokio::test]
async fn what_was_touched_waits_to_be_taken() {
    let site = Site::start().await;
    let stale = site.documents.stale();
    stale.grown().await;
    let Lack::Of(touched) = stale.take() else { panic!("it is known what was touched") };
    assert!(touched.contains(&Selection::All) && touched.len() > 5, "{touched:?}");
    assert!(stale.take().is_nothing());
    site.documents.touch_all();
    site.documents.touch(&touched);
    stale.grown().await;
    assert_eq!(stale.take(), Lack::Unknown);
}
