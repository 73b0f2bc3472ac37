//! What comes at the admin socket of a daemon that runs: every answer is a JSON document, and the
//! next question is answered as ever.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use visnyk::config::read;
use visnyk::daemon::Notice;
use visnyk::daemon::Start;
use visnyk::daemon::run;
use visnyk::store::Store;

const FEEDS: &str = "[site]\nlisten = \"127.0.0.1:0\"\n[[feed]]\nid = \"one\"\ntitle = \"Новини\"\nurl = \"file:one.rss\"\n";
const RSS: &str = "<rss version='2.0'><channel><title>t</title><link>https://a.example/</link>\
    <description>d</description><item><title>Школа у Харкові</title><guid>1</guid>\
    <link>https://a.example/1</link></item></channel></rss>";

struct Daemon {
    socket: PathBuf,
    _folder: TempDir,
}

static DAEMON: LazyLock<Daemon> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let (path, socket) = (folder.path().join("feeds.toml"), folder.path().join("admin.sock"));
    std::fs::write(&path, FEEDS).unwrap();
    std::fs::write(folder.path().join("one.rss"), RSS).unwrap();
    let config = read(&path).unwrap_or_else(|bad| panic!("{bad}"));
    let store = Store::open(&folder.path().join("store"), config.publications.clone()).unwrap();
    let (ready, readiness) = mpsc::channel();
    let start = Start { path, config, store, socket: socket.clone(), mirror: None };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (_reload, reloads) = tokio::sync::mpsc::channel(1);
        let (_stop, stopping) = tokio::sync::watch::channel(false);
        let notify = move |notice: &Notice| {
            if matches!(notice, Notice::Ready { .. }) {
                let _ = ready.send(());
            }
        };
        let ended = runtime.block_on(run(start, reloads, stopping, notify));
        panic!("the daemon ended: {ended:?}");
    });
    readiness.recv_timeout(Duration::from_secs(60)).expect("the daemon starts");
    Daemon { socket, _folder: folder }
});

fn asked(bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(&DAEMON.socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    // Who is refused after a part need not have said the rest.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    answer
}

fuzz_target!(|bytes: &[u8]| {
    // An export writes where it is told to, as its admin may: a fuzzer may not.
    if bytes.trim_ascii_start().starts_with(b"export") {
        return;
    }
    let answer = asked(bytes);
    // What is no text is not answered.
    let is_text = std::str::from_utf8(bytes).is_ok();
    assert!(!is_text || !answer.is_empty() || bytes.len() > 8 * 1024, "no answer");
    if !answer.is_empty() {
        let told: Value = serde_json::from_slice(&answer)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer)));
        assert!(told.is_object(), "{told}");
    }
    if !is_text {
        let status: Value = serde_json::from_slice(&asked(b"status\n")).unwrap();
        assert!(status.get("error").is_none(), "{status}");
    }
});
