//! Articles that are kept no longer, those that are pinned, and a store that is written anew, by the
//! real program, with a daemon and without one.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::Value;
use std::fs;

const FEED: &str = "\n[[feed]]\nid = \"city\"\ntitle = \"Місто\"\nallow_private = true\n\
                    schedule = \"0 0 1 1 *\"\n";
const BOUND: &str = "\n[retention]\nkeep = \"52w\"\n";

fn told(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.visnyk(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Folder, arguments: &[&str]) -> Value {
    serde_json::from_str(&told(folder, arguments)).unwrap()
}

fn rss() -> Answer {
    let items: Vec<String> = [(1, 1200), (2, 20), (3, 2)]
        .into_iter()
        .map(|(n, days)| {
            let date = (Utc::now() - TimeDelta::days(days)).to_rfc2822();
            format!(
                "<item><title>Новина {n}</title><link>https://city.example/{n}</link>\
                 <guid>https://city.example/{n}</guid><pubDate>{date}</pubDate>\
                 <description>Рада розповідає про подію {n}.</description></item>"
            )
        })
        .collect();
    let head = "<title>Місто</title><link>https://city.example/</link><description>d</description>";
    let body = format!("<rss version=\"2.0\"><channel>{head}{}</channel></rss>", items.concat());
    Answer::document("application/rss+xml; charset=utf-8", body)
}

#[test]
fn an_article_goes_when_it_is_too_old_and_the_store_is_written_anew() {
    let publisher = Publisher::start([("/rss", rss())]);
    let folder = Folder::with(&format!("{FEED}url = \"{}\"\n", publisher.url("/rss")));
    assert!(folder.poll().status.success());
    let old = "https://city.example/1";
    let id = json(&folder, &["explain", old, "--json"])["id"].as_str().unwrap().to_owned();
    assert!(told(&folder, &["retention"]).starts_with("0 of 3 articles would go"));

    let text = fs::read_to_string(folder.path("feeds.toml")).unwrap();
    folder.put("feeds.toml", format!("{text}{BOUND}").as_bytes());
    let shown = told(&folder, &["retention"]);
    assert!(shown.starts_with("1 of 3 articles would go"), "{shown}");
    assert!(shown.contains("city"), "{shown}");
    assert!(told(&folder, &["pin", old]).contains("is kept whatever its age"));
    assert!(told(&folder, &["explain", old]).contains("pinned     since"));
    let shown = json(&folder, &["retention", "--json"]);
    assert_eq!((&shown["dropped"], &shown["pinned"]), (&0.into(), &1.into()));
    let unknown = folder.visnyk(&["pin", "https://city.example/none"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));

    let daemon = folder.run();
    let page = format!("/articles/{id}");
    assert_eq!(daemon.get(&page).0, 200);
    assert!(told(&folder, &["pin", &id]).contains("is pinned since"));
    assert!(told(&folder, &["unpin", &id]).contains("unpinned"));
    let shown = told(&folder, &["retention", "--apply"]);
    // Unless the daemon did so by itself meanwhile.
    let went = ["1 of 3 articles went", "0 of 2 articles went"];
    assert!(went.iter().any(|went| shown.starts_with(went)), "{shown}");
    assert_eq!(daemon.get(&page).0, 410);
    assert!(told(&folder, &["explain", &id]).contains("was kept no longer on"));
    // The feed still lists it.
    told(&folder, &["poll"]);
    let atom = daemon.get("/all.atom").1;
    assert_eq!(atom.matches("<entry>").count(), 2, "{atom}");
    assert!(!atom.contains("deleted-entry"), "{atom}");

    let compacted = told(&folder, &["compact"]);
    assert!(compacted.starts_with("the store was written anew: "), "{compacted}");
    assert_eq!(daemon.get("/regions/kyivska.atom").0, 200);
    let status = json(&folder, &["status", "--json"]);
    assert_eq!(status["store"]["dropped"], 1, "{status}");
    assert!(status["store"]["compacted"].is_string(), "{status}");
    assert!(told(&folder, &["status"]).contains("; 1 article was kept no longer"));
    daemon.signal("-TERM");
    assert_eq!(daemon.wait().0, Some(0));

    assert!(told(&folder, &["compact"]).starts_with("the store was written anew: "));
    assert!(told(&folder, &["retention"]).starts_with("0 of 2 articles would go"));
}
