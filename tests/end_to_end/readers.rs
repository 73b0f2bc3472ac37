//! What an admin is told of who reads: by `visnyk readers`, and by the access log if it is asked
//! for.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use serde_json::Value;
use std::path::Path;
use std::time::Instant;

const RSS: &str = "<rss version=\"2.0\"><channel><title>t</title>\
     <item><guid>1</guid><title>Новина дня</title></item></channel></rss>";
const FEEDLY: &str = "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)";

fn folder(publisher: &Publisher) -> Folder {
    let url = publisher.url("/rss");
    Folder::with(&format!(
        "[[feed]]\nid = \"one\"\ntitle = \"one\"\nurl = \"{url}\"\nallow_private = true\n"
    ))
}

fn readers(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = folder.visnyk(&[&["readers"], arguments].concat()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_readers_that_aggregators_report_are_told_to_an_admin_and_logged_if_asked_for() {
    let publisher = Publisher::start([("/rss", Answer::document("text/xml", RSS))]);
    let folder = folder(&publisher);
    let (code, _, errors) = readers(&folder, &[]);
    assert_eq!(code, Some(74));
    assert!(errors.contains("no daemon runs here"), "{errors}");

    let daemon = folder.run_with("VISNYK_LOG", Path::new("warn,visnyk=info"));
    assert_eq!(readers(&folder, &[]).1, "nobody has asked for a publication\n");
    while !daemon.log().contains("polled one") {}
    let polled = Instant::now();
    daemon.get_when("/sources/one.atom", |body| body.contains("Новина дня"));
    println!("shown {:?} after the poll", polled.elapsed());
    assert_eq!(daemon.get_as("/all.atom", FEEDLY).0, 200);
    assert_eq!(daemon.get_as("/..%0a%1b/x", "odd\u{454}").0, 404);
    let (code, table, _) = readers(&folder, &[]);
    assert_eq!(code, Some(0));
    let row = table.lines().find(|line| line.trim_start().starts_with("all ")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["all", "12", "1", "Feedly", "12"]);
    let (_, json, _) = readers(&folder, &["--json"]);
    let lines: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(lines[0]["publication"], "all");
    assert_eq!(lines[0]["aggregators"][0]["readers"], 12);

    daemon.signal("-TERM");
    let log = daemon.end();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["target"] == "visnyk::access").collect();
    let line = lines.iter().find(|line| line["path"] == "/all.atom").unwrap();
    assert_eq!((line["method"].as_str(), line["status"].as_u64()), (Some("GET"), Some(200)));
    assert_eq!((line["agent"].as_str(), line["readers"].as_u64()), (Some(FEEDLY), Some(12)));
    assert_eq!(line["coding"], "identity");
    assert!(line["bytes"].as_u64() > Some(500) && line["duration_us"].is_u64(), "{line}");
    let odd = lines.iter().find(|line| line["status"] == 404).unwrap();
    assert_eq!(odd["path"], "/..%0a%1b/x");
    assert!(lines.iter().all(|line| !line.to_string().contains("127.0.0.1")), "{log}");
}

#[test]
fn by_default_no_request_is_logged() {
    let publisher = Publisher::start([("/rss", Answer::document("text/xml", RSS))]);
    let folder = folder(&publisher);
    let daemon = folder.run();
    assert_eq!(daemon.get("/all.atom").0, 200);
    daemon.signal("-TERM");
    let log = daemon.end();
    assert!(log.contains("stopped") && !log.contains("visnyk::access"), "{log}");
}
