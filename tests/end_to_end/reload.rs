//! feeds.toml is read again while the daemon runs: what is new is live at once, a mistake changes
//! nothing, and neither a poll nor a connection is lost.

use crate::support::Answer;
use crate::support::Daemon;
use crate::support::Folder;
use crate::support::PATIENCE;
use crate::support::Publisher;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

fn rss(title: &str) -> String {
    format!(
        "<rss version=\"2.0\"><channel><title>t</title><item><guid>{title}</guid>\
         <title>{title}</title><description>Текст новини.</description></item></channel></rss>"
    )
}

fn feed(id: &str, url: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\ntitle = \"{id}\"\nurl = \"{url}\"\nallow_private = true\n")
}

/// feeds.toml as it is, with something more at its end.
fn with_more(folder: &Folder, more: &str) -> String {
    fs::read_to_string(folder.path("feeds.toml")).unwrap() + more
}

/// Writes it as editors do that leave no half file behind: another one takes its name.
fn replace(folder: &Folder, text: &str) {
    folder.put("feeds.toml.new", text.as_bytes());
    fs::rename(folder.path("feeds.toml.new"), folder.path("feeds.toml")).unwrap();
}

/// The exit status of `visnyk reload`, and what it said.
fn reload(folder: &Folder) -> (Option<i32>, String, String) {
    let output = folder.visnyk(&["reload"]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn wait_for_log(daemon: &Daemon, what: &str) {
    let start = Instant::now();
    while !daemon.log().contains(what) {
        assert!(start.elapsed() < PATIENCE, "{what:?} is not in:\n{}", daemon.log());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_changed_file_is_live_by_itself_and_the_log_says_what_changed() {
    let answer = |title| Answer::document("text/xml", rss(title));
    let publisher = Publisher::start([
        ("/a", answer("Новина міста")),
        ("/b", answer("Тендер на ремонт")),
        ("/c", answer("Третя новина")),
    ]);
    let [a, b, c] = ["a", "b", "c"].map(|id| feed(id, &publisher.url(&format!("/{id}"))));
    let folder = Folder::with(&[a, b.clone()].concat());
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.matches("<entry>").count() == 2);

    // Added, and replaced as editors do.
    replace(&folder, &with_more(&folder, &c));
    daemon.get_when("/sources/c.atom", |body| body.contains("Третя новина"));
    wait_for_log(&daemon, "new: feed `c`");

    // A rule, written in place: what is stored follows.
    let rule = "[[rule]]\nid = \"r\"\nmatch = [\"title:тендер*\"]\nexclude = true\n";
    folder.put("feeds.toml", with_more(&folder, rule).as_bytes());
    daemon.get_when("/all.atom", |body| !body.contains("Тендер на ремонт"));
    wait_for_log(&daemon, "new: rule `r`");

    // Taken out, and another title of the site.
    let text = with_more(&folder, "").replace(&b, "").replace("Вісник", "Новини громад");
    replace(&folder, &text);
    daemon.get_when("/all.atom", |body| body.contains("Новини громад"));
    wait_for_log(&daemon, "gone: feed `b`; `[site]`: `title` changed");
    assert_eq!(daemon.get("/sources/b.atom").0, 404);
    let status = folder.visnyk(&["status", "--json"]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("\"a\"") && !status.contains("\"b\""), "{status}");
    // Who reads the others lost nothing.
    assert!(daemon.get("/all.atom").1.contains("Новина міста"));
    assert_eq!(publisher.requests("/a").len(), 1, "a feed that did not change keeps its time");
}

#[test]
fn a_mistake_changes_nothing_but_what_is_told_of_it() {
    let publisher = Publisher::start([("/a", Answer::document("text/xml", rss("Новина")))]);
    let folder = Folder::with(&feed("a", &publisher.url("/a")));
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.contains("Новина"));
    let good = with_more(&folder, "");

    let bad = good.replace("title = \"a\"", "title = \"a\"\nregion = \"kharkivsk\"");
    replace(&folder, &bad);
    let (status, said, errors) = reload(&folder);
    assert_eq!((status, said.as_str()), (Some(78), ""));
    assert!(errors.contains("unknown region `kharkivsk`") && errors.contains("feeds.toml:"));
    assert!(errors.contains("write `kharkivska`") && errors.contains("goes on"), "{errors}");
    wait_for_log(&daemon, "is refused, the one before holds on");
    assert!(daemon.get("/all.atom").1.contains("Новина"));
    // The daemon answers all the same, and does what it is asked.
    for command in [&["poll", "a"][..], &["status"], &["tags"]] {
        let output = folder.visnyk(command).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}: {errors}");
        assert!(errors.contains("`visnyk check` shows"), "{errors}");
    }

    replace(&folder, &good);
    let (status, said, _) = reload(&folder);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("good again") || said.contains("as before"), "{said}");

    // An editor that has emptied it and not yet written it does not take the site away.
    folder.put("feeds.toml", b"");
    wait_for_log(&daemon, "names no feed any more");
    assert!(daemon.get("/sources/a.atom").1.contains("Новина"));
    replace(&folder, &good);
    assert_eq!(reload(&folder).0, Some(0));

    fs::remove_file(folder.path("feeds.toml")).unwrap();
    assert_eq!(reload(&folder).0, Some(78), "a file that is gone is no empty one");
    assert!(daemon.get("/sources/a.atom").1.contains("Новина"));
}

#[test]
fn the_service_manager_is_told_of_a_reload() {
    let publisher = Publisher::start([("/a", Answer::document("text/xml", rss("Новина")))]);
    let folder = Folder::with(&feed("a", &publisher.url("/a")));
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let daemon = folder.run_with("NOTIFY_SOCKET", &path);
    let told = || {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| {
            panic!("nothing more is told ({error}):\n{}", daemon.log());
        });
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert!(told().contains("READY=1"));
    folder.put("feeds.toml", with_more(&folder, "[oops]\n").as_bytes());
    daemon.signal("-HUP");
    let mut heard = String::new();
    // The watch may have found the change before the signal came.
    let after = |heard: &str| {
        heard.split_once("RELOADING=1\nMONOTONIC_USEC=").is_some_and(|(_, after)| {
            after.contains("READY=1") && after.contains("refused: error: unknown table")
        })
    };
    while !after(&heard) {
        heard.push_str(&told());
    }
}

#[test]
fn a_poll_under_way_is_not_lost_and_goes_by_the_new_rules() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/slow", listener.local_addr().unwrap());
    let (asked, asking) = mpsc::channel();
    let (answer, answering) = mpsc::channel::<()>();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            asked.send(()).unwrap();
            if answering.recv().is_err() {
                return;
            }
            let body = rss("Ярмарок меду");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    let folder = Folder::with(&feed("slow", &url));
    let daemon = folder.run();
    asking.recv_timeout(PATIENCE).unwrap();
    let rule = "[[tag]]\nname = \"мед\"\n[[rule]]\nid = \"r\"\ntags = [\"med\"]\n";
    replace(&folder, &with_more(&folder, rule));
    assert_eq!(reload(&folder).0, Some(0));
    answer.send(()).unwrap();
    daemon.get_when("/tags/med.atom", |body| body.contains("Ярмарок меду"));
    assert!(asking.try_recv().is_err(), "it is not asked twice");
}

#[test]
fn the_listener_moves_and_nobody_is_cut_off() {
    let publisher = Publisher::start([("/a", Answer::document("text/xml", rss("Новина")))]);
    let folder = Folder::with(&feed("a", &publisher.url("/a")));
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.contains("Новина"));
    let mut held = daemon.connect();
    let other = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = with_more(&folder, "").replace("127.0.0.1:0", &other.to_string());
    replace(&folder, &text);
    let (status, said, _) = reload(&folder);
    assert_eq!(status, Some(0));
    assert!(said.contains("`listen` changed"), "{said}");
    held.write_all(b"GET /all.atom HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut there = TcpStream::connect(other).unwrap();
    there.write_all(b"GET /all.atom HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    for mut stream in [held, there] {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.80}");
    }
    // An address that is taken is a mistake like any other.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = text.replace(&other.to_string(), &taken.local_addr().unwrap().to_string());
    replace(&folder, &text);
    let (status, _, errors) = reload(&folder);
    assert_eq!(status, Some(78));
    assert!(errors.contains("cannot listen at"), "{errors}");
    assert!(TcpStream::connect(other).is_ok());
}

#[test]
fn polls_are_the_daemons_where_one_runs() {
    let publisher = Publisher::start([
        ("/a", Answer::document("text/xml", rss("Новина")).with_etag("\"1\"")),
        ("/b", Answer::document("text/html", "<html><title>Вхід</title>")),
    ]);
    let feeds = ["a", "b"].map(|id| feed(id, &publisher.url(&format!("/{id}"))));
    let folder = Folder::with(&feeds.concat());
    let daemon = folder.run();
    daemon.get_when("/all.atom", |body| body.contains("Новина"));
    let output = folder.visnyk(&["poll", "a", "--explain"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("not modified") && told.contains("next poll"), "{told}");
    assert_eq!(publisher.requests("/a").len(), 2);
    let output = folder.visnyk(&["poll"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one of them fails");
    let output = folder.visnyk(&["poll", "nobody"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(errors.contains("no feed `nobody`"), "{errors}");
}
