//! The bytes of a connection, as the public listener reads them: nothing panics, no answer is a
//! fault of ours, and every answer that we make keeps browsers from taking it for more than it is.
#![no_main]

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::duplex;
use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::ingest::ingest;
use visnyk::model::exchange::Document;
use visnyk::model::exchange::History;
use visnyk::model::known::Memory;
use visnyk::serve::answer::answer;
use visnyk::serve::documents::Documents;
use visnyk::store::Store;

const FEEDS: &str = include_str!("../../feeds.toml");
const ANSWER_BYTES_MAX: usize = 64 << 20;

struct Site {
    runtime: Runtime,
    documents: Documents,
    _folder: TempDir,
}

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let config: Config = parse("feeds.toml", FEEDS, &root).unwrap_or_else(|bad| panic!("{bad}"));
    let config = Arc::new(config);
    let folder = TempDir::new().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let documents = runtime.block_on(async {
        let store = Store::open(&folder.path().join("store"), config.publications.clone()).unwrap();
        let documents = Documents::new(config.clone(), store.clone());
        let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
        let now = "2026-11-26T12:00:00Z".parse().unwrap();
        let feed = config.feeds.values().find(|feed| feed.id.as_str() == "kharkiv").or(config.feeds.values().next());
        let feed = feed.unwrap();
        let bytes = "<rss version='2.0'><channel><title>t</title><link>https://a.example/</link>\
            <description>d</description><item><title>Школа у Харкові &lt;b&gt;</title><guid>1</guid>\
            <link>https://a.example/1</link><description>Слово</description></item></channel></rss>";
        let url = "https://a.example/rss".parse().unwrap();
        let document = Document { url, content_type: None, bytes: bytes.into() };
        let read = ingest(feed, &document, &Memory::default(), &classifier, now).unwrap();
        let committed = store.commit(Arc::new(feed.clone()), History::default(), read.changes, now);
        documents.touch(&committed.await.unwrap());
        documents
    });
    Site { runtime, documents, _folder: folder }
});

/// What is said to these bytes.
async fn said(documents: &Documents, bytes: &[u8]) -> Vec<u8> {
    let (client, server) = duplex(ANSWER_BYTES_MAX);
    let service = service_fn(|request: Request<Incoming>| async move {
        let answer = answer(documents, &request, Duration::from_secs(20)).await;
        let headers = answer.headers();
        assert_eq!(headers.get("x-content-type-options").unwrap(), "nosniff");
        assert_eq!(headers.get("referrer-policy").unwrap(), "no-referrer");
        assert!(!answer.status().is_server_error(), "{request:?}: {answer:?}");
        let is_page = headers.contains_key("content-type");
        let policy = headers.get("content-security-policy").map(|policy| policy.to_str().unwrap());
        assert!(
            !is_page || policy.is_some_and(|policy| policy.starts_with("default-src 'none'")),
            "{request:?}: {answer:?}"
        );
        assert!(!headers.contains_key("set-cookie"));
        Ok::<_, Infallible>(answer)
    });
    // As the listener has it, but for the times.
    let connection = http1::Builder::new()
        .max_headers(64)
        .max_buf_size(80 * 1024)
        .serve_connection(TokioIo::new(server), service);
    let (mut read, mut write) = tokio::io::split(client);
    let asking = async {
        let _ = write.write_all(bytes).await;
        let _ = write.shutdown().await;
        let mut said = Vec::new();
        let _ = read.read_to_end(&mut said).await;
        said
    };
    let (_, said) = tokio::join!(connection, asking);
    said
}

fuzz_target!(|bytes: &[u8]| {
    let Site { runtime, documents, .. } = &*SITE;
    let said = runtime.block_on(said(documents, bytes));
    assert!(
        said.is_empty() || said.starts_with(b"HTTP/1."),
        "{:?}",
        String::from_utf8_lossy(&said)
    );
    if let Some(status) = said.get(9..12) {
        assert!(
            matches!(status[0], b'2'..=b'4'),
            "{:?}",
            String::from_utf8_lossy(&said[..said.len().min(300)])
        );
    }
});
