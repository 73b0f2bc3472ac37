//! The public listener over a store of its own, and a client that speaks HTTP byte for byte.

use crate::sample;
use crate::sample::at;
use crate::sample::sister_cities;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use visnyk::config::Config;
use visnyk::model::article::Article;
use visnyk::model::exchange::History;
use visnyk::model::known::Change;
use visnyk::serve::Limits;
use visnyk::serve::documents::Documents;
use visnyk::serve::serve;
use visnyk::store::Store;

/// A server on loopback with a store of its own.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) documents: Documents,
    pub(crate) store: Store,
    pub(crate) config: Arc<Config>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) server: JoinHandle<()>,
    folder: TempDir,
}

/// An answer, its header names in lower case.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Site {
    pub(crate) async fn start(limits: Limits) -> Self {
        let site = Self::over(TempDir::new().unwrap(), limits).await;
        site.add(sister_cities()).await;
        site
    }

    /// The same store under another daemon.
    pub(crate) async fn again(self) -> Self {
        let Self { store, stop, server, folder, .. } = self;
        stop.send(()).unwrap();
        server.await.unwrap();
        store.close().await.unwrap();
        Self::over(folder, Limits::default()).await
    }

    async fn over(folder: TempDir, limits: Limits) -> Self {
        Self::of(sample::config(), folder, limits).await
    }

    /// The site of a configuration.
    pub(crate) async fn of(config: Config, folder: TempDir, limits: Limits) -> Self {
        let config = Arc::new(config);
        let store = Store::open(&folder.path().join("store"), config.publications.clone()).unwrap();
        let documents = Documents::new(config.clone(), store.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            _ = stopped.await;
        };
        let server = tokio::spawn(serve(listener, documents.clone(), limits, shutdown));
        Self { address, documents, store, config, stop, server, folder }
    }

    pub(crate) async fn add(&self, article: Article) {
        self.commit(Change::Added(article)).await;
    }

    /// Records a change, and makes what it changes stale.
    pub(crate) async fn commit(&self, change: Change) {
        let (Change::Added(article) | Change::Updated(article) | Change::Relabelled(article)) =
            &change
        else {
            return;
        };
        let feed = Arc::new(self.config.feeds[&article.feed].clone());
        let now = at("2023-07-03T11:30:00Z");
        let committed = self.store.commit(feed, History::default(), vec![change], now);
        self.documents.touch(&committed.await.unwrap());
    }

    /// Says something and gives all that the server says until it closes.
    pub(crate) async fn say(&self, words: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        // A server that closes before it has read everything may reset the connection.
        _ = stream.read_to_end(&mut said).await;
        said
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().fold(String::new(), |all, (k, v)| all + k + ": " + v + "\r\n");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: visnyk.example\r\nConnection: close\r\n{headers}\r\n"
        );
        read(&self.say(&request).await)
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers).await
    }
}

pub(crate) fn read(said: &[u8]) -> Answer {
    let end = said.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer has headers");
    let head = std::str::from_utf8(&said[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
    Answer { status, headers, body: said[end + 4..].to_vec() }
}
