//! What a service manager gives the daemon, and hears of it: listeners that stay open while it
//! starts again, and whether it goes on.

use crate::support::Folder;
use crate::support::PATIENCE;
use crate::support::get;
use std::fs;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Whether a request at a listener is answered with 200, to the end.
fn asked(address: SocketAddr) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    write!(stream, "GET /all.atom HTTP/1.1\r\nHost: visnyk.example\r\nConnection: close\r\n\r\n")
        .map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.trim_end().ends_with("</feed>") {
        return Ok(());
    }
    Err(format!("answered: {answer:?}"))
}

#[test]
fn no_request_fails_while_it_starts_again_behind_a_listener_that_was_handed_over() {
    let folder = Folder::with("");
    let (readers, admins) = (listener(), listener());
    let address = readers.local_addr().unwrap();
    let mut daemon = folder.run_handed(&readers, &admins);
    let is_over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    asked(address).unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(300));
        daemon.signal("-TERM");
        let (status, _) = daemon.wait();
        assert_eq!(status, Some(0));
        daemon = folder.run_handed(&readers, &admins);
    }
    is_over.store(true, Ordering::Relaxed);
    let counts: Vec<i32> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    println!("{counts:?} requests of four clients over five restarts, none failed");
    assert!(counts.iter().all(|&count| count > 5), "{counts:?}");
}

#[test]
fn the_listeners_that_were_handed_over_hold_whatever_feeds_toml_says() {
    let folder = Folder::with("[admin]\nlisten = \"127.0.0.1:1\"\n");
    let (readers, admins) = (listener(), listener());
    let daemon = folder.run_handed(&readers, &admins);
    assert_eq!(daemon.address(), readers.local_addr().unwrap());
    let told = "where the service manager listens, and not at 127.0.0.1:0";
    assert!(daemon.log().contains(told), "{}", daemon.log());
    let (status, events) = get(admins.local_addr().unwrap(), "/admin/events.atom", "tests");
    assert_eq!(status, 200, "{events}");
    assert_eq!(get(admins.local_addr().unwrap(), "/metrics", "tests").0, 200);

    let text = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    let moved = text.replace("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:2\"");
    folder.put("feeds.toml", moved.as_bytes());
    assert_eq!(folder.visnyk(&["reload"]).status().unwrap().code(), Some(0));
    assert!(daemon.log().contains("its socket unit decides"), "{}", daemon.log());
    assert_eq!(daemon.get("/all.atom").0, 200);
}

#[test]
fn what_is_handed_over_and_is_no_listener_is_refused_in_words() {
    let folder = Folder::with("");
    let listener = listener();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let file = fs::File::open(folder.path("feeds.toml")).unwrap();
    let ran = |mut command: std::process::Command| {
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, told) = ran(folder.handed(&file, "public"));
    assert!(status == Some(74) && told.contains("is no TCP listener"), "{status:?} {told}");
    let (status, told) = ran(folder.handed(&connected, "public"));
    assert!(status == Some(74) && told.contains("it does not listen"), "{status:?} {told}");
    let (status, told) = ran(folder.handed(&listener, "mail"));
    assert!(status == Some(74) && told.contains("`FileDescriptorName=`"), "{status:?} {told}");
}

#[test]
fn the_watchdog_hears_of_it_as_long_as_it_goes_on_and_no_longer() {
    let folder = Folder::with("");
    let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let words = || {
        let mut buffer = [0; 4096];
        let read = socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..read].to_vec()).unwrap())
    };
    let readers = listener();
    let mut command = folder.handed(&readers, "public");
    command.env("NOTIFY_SOCKET", folder.path("notify")).env("WATCHDOG_USEC", "600000");
    let daemon = Folder::start(command, std::process::Stdio::null());
    let start = Instant::now();
    let mut meals = 0;
    while meals < 10 {
        assert!(start.elapsed() < PATIENCE, "fed {meals} times");
        meals += usize::from(words().is_some_and(|words| words.contains("WATCHDOG=1")));
    }
    // A process that stands still is one whose loops do.
    daemon.signal("-STOP");
    thread::sleep(Duration::from_millis(200));
    while words().is_some() {}
    let stopped = Instant::now();
    while stopped.elapsed() < Duration::from_secs(2) {
        assert_eq!(words(), None);
    }
    daemon.signal("-CONT");
    while !words().is_some_and(|words| words.contains("WATCHDOG=1")) {
        assert!(start.elapsed() < PATIENCE, "not fed again");
    }
}
