//! `visnyk export` and `visnyk run --export`: killed, beside a daemon, and kept current.

use crate::feed;
use crate::item;
use crate::rss;
use crate::support::Daemon;
use crate::support::Folder;
use crate::support::PATIENCE;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// An even number: the last of them is of the second site.
const KILLS: u32 = 16;
const OWN: &str = ".visnyk-export";

fn exported(folder: &Folder, arguments: &[&str]) -> Output {
    let arguments: Vec<&str> = ["export"].iter().chain(arguments).copied().collect();
    folder.visnyk(&arguments).output().unwrap()
}

fn lines(output: &[u8]) -> BTreeSet<String> {
    String::from_utf8(output.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

/// Every file of a tree but those of the export itself.
fn files(tree: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![tree.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(tree).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with(OWN) {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

/// Waits until something holds.
fn wait_for(what: &str, daemon: &Daemon, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what} does not come\n{}", daemon.log());
        thread::sleep(Duration::from_millis(20));
    }
}

/// A publisher who answers when he is told to, and what tells him.
fn slow_publisher(title: &'static str) -> (String, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/rss", listener.local_addr().unwrap());
    let (go, told) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        if told.recv().is_err() {
            return;
        }
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
            head.push(byte[0]);
        }
        let body = rss(&item(1, title));
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
    });
    (url, go)
}

/// A folder whose store holds some articles.
fn polled() -> Folder {
    let items: String = (1..60).map(|number| item(number, &format!("Новина {number}"))).collect();
    let region = "region = \"kharkivska\"\n";
    let one = feed("one", "file:one.rss").replace("allow_private = true\n", region);
    let folder = Folder::with(&one);
    folder.put("one.rss", rss(&items).as_bytes());
    assert!(folder.poll().status.success());
    folder
}

/// Whether a tree is whole: each file is as one of the two sites has it, and each compressed form
/// is of the same site as its plain file.
fn check_whole(tree: &Path, sites: &[BTreeMap<String, Vec<u8>>; 2]) {
    let there = files(tree);
    for (name, bytes) in there.iter().filter(|(name, _)| !name.ends_with(".visnyk-new")) {
        let site = sites.iter().find(|site| site[name] == *bytes);
        let site = site.unwrap_or_else(|| panic!("{name} is not whole"));
        for ending in ["br", "zst", "gz"] {
            let form = format!("{name}.{ending}");
            if let Some(bytes) = there.get(&form) {
                assert!(site[&form] == *bytes, "{form} is of other bytes than {name}");
            }
        }
    }
}

#[test]
fn an_export_that_is_killed_leaves_whole_files_and_the_next_one_completes_it() {
    let folder = polled();
    let text = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    folder.put("other.toml", text.replacen("Вісник", "Газета", 1).as_bytes());
    let configs = ["feeds.toml", "other.toml"];
    let mut took = Duration::MAX;
    let sites = configs.map(|config| {
        let start = Instant::now();
        let whole = exported(&folder, &[&format!("of-{config}"), "--config", config]);
        assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
        took = took.min(start.elapsed());
        files(&folder.path(&format!("of-{config}")))
    });
    let plain = |name: &&String| ![".br", ".zst", ".gz"].iter().any(|form| name.ends_with(form));
    let differ: Vec<_> =
        sites[0].keys().filter(plain).filter(|n| sites[0][*n] != sites[1][*n]).collect();
    assert!(differ.len() > 50, "{differ:?}");
    assert!(exported(&folder, &["tree", "--config", configs[1]]).status.success());

    let tree = folder.path("tree");
    let mut cut_short = 0;
    for kill in 0..KILLS {
        let which = kill as usize % 2;
        let mut command = folder.visnyk(&["export", "tree", "--config", configs[which]]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(took * (kill + 1) / (KILLS + 1));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        cut_short += u32::from(!output.status.success());
        check_whole(&tree, &sites);
        let mut told = lines(&output.stdout);
        let last = exported(&folder, &["tree", "--config", configs[which]]);
        assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
        assert!(files(&tree) == sites[which], "the tree is not complete, or more than that");
        told.extend(lines(&last.stdout));
        let all: BTreeSet<_> = differ.iter().map(|name| address(name)).collect();
        assert_eq!(told, all, "what was told by both together");
    }
    assert!(cut_short > KILLS / 4, "only {cut_short} exports were cut short");
    assert!(exported(&folder, &["tree", "--config", configs[1]]).stdout.is_empty());
}

/// The address of a file.
fn address(name: &str) -> String {
    let path = format!("/{name}");
    path.strip_suffix("index.html").or(path.strip_suffix(".html")).unwrap_or(&path).to_owned()
}

#[test]
fn an_export_tells_what_it_did_and_fails_with_the_status_that_says_so() {
    let folder = polled();
    let output = exported(&folder, &["tree", "--json"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.contains("pages written, 0 removed"), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    let object = text.lines().find(|line| line.contains("\"/regions/kharkivska.atom\"")).unwrap();
    let object: serde_json::Value = serde_json::from_str(object).unwrap();
    let bytes = fs::read(folder.path("tree/regions/kharkivska.atom")).unwrap();
    assert_eq!(object["action"], "written");
    assert_eq!(object["bytes"], bytes.len());
    assert_eq!(object["digest"], blake3::hash(&bytes).to_hex()[..32]);
    assert_eq!(object["keys"], serde_json::json!(["regions/kharkivska"]));
    assert_eq!(object["files"].as_array().unwrap().len(), 4);

    for name in ["tree/all.atom", "tree/all.json"] {
        fs::remove_file(folder.path(name)).unwrap();
        fs::create_dir(folder.path(name)).unwrap();
    }
    let output = exported(&folder, &["tree"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(74), "{errors}");
    for name in ["all.atom", "all.json"] {
        assert!(errors.contains(&format!("tree/{name}: cannot replace it")), "{errors}");
    }

    folder.put("others/file", b"");
    for (directory, status, expected) in [
        ("/", 2, "the whole system"),
        ("state", 2, "the store is in"),
        ("others", 2, "not empty"),
        ("missing/tree", 74, "cannot make it"),
        ("feeds.toml", 74, "cannot open it"),
    ] {
        let output = exported(&folder, &[directory]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_daemon_exports_what_it_serves_while_it_answers_other_questions() {
    let folder = polled();
    let daemon = folder.run();
    let output = exported(&folder, &["tree"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}\n{}", daemon.log());
    let told = lines(&output.stdout);
    assert!(told.contains("/") && told.contains("/sources/one.json"), "{told:?}");
    for path in &told {
        let name = match path.rsplit('/').next() {
            Some("") => format!("{}index.html", &path[1..]),
            Some(last) if last.contains('.') => path[1..].to_owned(),
            _ => format!("{}.html", &path[1..]),
        };
        let body = fs::read_to_string(folder.path("tree").join(name)).unwrap();
        assert!(daemon.get(path).1 == body, "{path} is not what is served");
    }
    assert!(exported(&folder, &["tree"]).stdout.is_empty());
    let refused = exported(&folder, &["state"]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    let broken = exported(&folder, &["feeds.toml"]);
    assert_eq!(broken.status.code(), Some(74), "{}", String::from_utf8_lossy(&broken.stderr));
    let status = folder.visnyk(&["status", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("\"version\""), "it still answers");
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().0, Some(0));
}

/// A daemon that keeps a tree, as it is when the tree is there and nothing was polled yet; and what
/// makes its publisher answer, who is not waited for longer than 20 s.
fn keeping(title: &'static str) -> (Folder, Daemon, mpsc::Sender<()>) {
    let (url, go) = slow_publisher(title);
    let folder = Folder::with(&feed("one", &url));
    let told = fs::File::create(folder.path("told")).unwrap();
    let daemon = folder.run_exporting("tree", told);
    wait_for("a tree", &daemon, || daemon.log().contains("exported to"));
    assert!(!holds(&folder, "all.atom", title) && folder.path("tree/index.html").is_file());
    (folder, daemon, go)
}

fn holds(folder: &Folder, name: &str, text: &str) -> bool {
    fs::read_to_string(folder.path("tree").join(name)).is_ok_and(|file| file.contains(text))
}

#[test]
fn a_directory_is_kept_current_and_what_is_in_the_way_is_told_and_got_over() {
    let (folder, daemon, go) = keeping("Свіжа новина");
    // Something is in the way of the index page: the log says so, and all else goes on.
    let index = folder.path("tree/index.html");
    fs::remove_file(&index).unwrap();
    fs::create_dir(&index).unwrap();
    go.send(()).unwrap();
    wait_for("the article", &daemon, || holds(&folder, "all.atom", "Свіжа"));
    wait_for("word of the failure", &daemon, || daemon.log().contains("tree/index.html: cannot"));
    assert!(daemon.get("/all.atom").1.contains("Свіжа"));
    assert!(holds(&folder, "sources/one.json", "Свіжа"));
    fs::remove_dir(&index).unwrap();
    wait_for("the index page", &daemon, || index.is_file());
    for (name, path) in [("index.html", "/"), ("feeds.opml", "/feeds.opml")] {
        let body = fs::read_to_string(folder.path("tree").join(name)).unwrap();
        assert!(body == daemon.get(path).1, "{name} is not what is served");
    }
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().0, Some(0));
}

#[test]
fn what_a_directory_lacks_at_the_end_is_written_before_the_end() {
    let (folder, daemon, go) = keeping("Остання новина");
    // An export has just ended, the next is not due yet: the end does not wait for that.
    go.send(()).unwrap();
    daemon.get_when("/all.atom", |body| body.contains("Остання"));
    daemon.signal("-TERM");
    let (status, duration) = daemon.wait();
    assert_eq!(status, Some(0));
    assert!(duration < Duration::from_secs(8), "it took {duration:?}");
    for name in ["all.atom", "sources/one.json"] {
        assert!(holds(&folder, name, "Остання"), "{name}");
    }
    let told = lines(&fs::read(folder.path("told")).unwrap());
    assert!(told.contains("/") && told.contains("/sources/one.json"), "{told:?}");
}
