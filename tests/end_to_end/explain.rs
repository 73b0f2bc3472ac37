//! Every label is explained, by a daemon and without one; and stored articles follow feeds.toml.

use crate::support::Folder;
use std::fs;
use std::path::Path;

/// The example with its samples only, by absolute paths: nothing is asked of the network.
fn example() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("feeds.toml")).unwrap();
    let (before, after) = text.split_once("# Real feeds.").unwrap();
    let (_, rules) = after.split_once("# Rules: what is done").unwrap();
    format!("{before}# {rules}").replace("127.0.0.1:8080\"", "127.0.0.1:0\"")
}

fn told(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.visnyk(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn with_samples(text: &str) -> Folder {
    let folder = Folder::with("");
    folder.put("feeds.toml", text.as_bytes());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/samples");
    for sample in fs::read_dir(samples).unwrap() {
        let sample = sample.unwrap();
        let name = format!("tests/fixtures/samples/{}", sample.file_name().display());
        folder.put(&name, &fs::read(sample.path()).unwrap());
    }
    folder
}

/// The addresses of the articles' pages in a feed.
fn pages(atom: &str) -> Vec<String> {
    let entries = atom.split("<entry>").skip(1);
    let page = |entry: &str| {
        let link = entry.split("<link ").find(|link| link.contains("rel=\"alternate\""))?;
        Some(link.split("href=\"").nth(1)?.split('"').next()?.replace("&amp;", "&"))
    };
    entries.filter_map(page).collect()
}

#[test]
fn every_label_of_every_article_of_the_example_is_explained() {
    let folder = with_samples(&example());
    let daemon = folder.run();
    let atom = daemon.get_when("/all.atom", |body| body.matches("<entry>").count() >= 23);
    let pages = pages(&atom);
    let mut labels = 0;
    for page in &pages {
        let text = told(&folder, &["explain", page]);
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if ["region ", "community ", "tag "]
                .iter()
                .any(|kind| line.trim_start().starts_with(kind))
            {
                labels += 1;
                let reason = lines.peek().copied().unwrap_or_default();
                let points = reason.trim_start().split(' ').next().unwrap_or_default();
                assert!(points.parse::<u16>().is_ok_and(|points| points > 0), "{text}");
            }
        }
        assert!(text.contains("stands in  /all.atom"), "{text}");
    }
    let categories = atom.matches("scheme=").count();
    assert!(pages.len() >= 20 && labels >= categories, "{labels} of {categories}");
}

#[test]
fn stored_articles_follow_the_rules_without_a_new_poll() {
    let text = example();
    let folder = with_samples(&text);
    told(&folder, &["poll", "sample-lviv"]);
    let daemon = folder.run();
    let before = daemon.get_when("/sources/sample-lviv.atom", |body| body.contains("<entry>"));
    drop(daemon);
    let rule = "\n[[rule]]\nid = \"out\"\nfeeds = [\"sample-lviv\"]\nmatch = [\"львів*\", \"львов*\"]\n\
                exclude = true\n";
    fs::write(folder.path("feeds.toml"), text.clone() + rule).unwrap();
    fs::remove_file(folder.path("tests/fixtures/samples/lviv.atom")).unwrap();
    let daemon = folder.run();
    let count = |body: &str| body.matches("<entry>").count();
    let path = "/sources/sample-lviv.atom";
    daemon.get_when(path, |body| count(body) < count(&before));
    drop(daemon);
    fs::write(folder.path("feeds.toml"), text).unwrap();
    let daemon = folder.run();
    let after = daemon.get_when(path, |body| count(body) == count(&before));
    let entries = |body: &str| body.split_once("<entry>").unwrap().1.to_owned();
    assert_eq!(entries(&after), entries(&before), "the same ids, dates and words as before");
}

#[test]
fn categories_that_are_no_tag_are_offered_as_lines_that_feeds_toml_takes() {
    let item = |n: usize, categories: &[&str]| {
        let categories: Vec<String> =
            categories.iter().map(|term| format!("<category>{term}</category>")).collect();
        let link = format!("https://rada.example/{n}");
        format!("<item><title>№ {n}</title><link>{link}</link>{}</item>", categories.concat())
    };
    let items = [
        item(1, &["Громадська участь", "Новини", "Освіта"]),
        item(2, &["#громадська  участь"]),
        item(3, &["Туризм", "Громадська участь"]),
    ];
    let rss = format!(
        "<rss version=\"2.0\"><channel><title>Рада</title>{}</channel></rss>",
        items.concat()
    );
    let text = "[[tag]]\nname = \"освіта\"\n\n[[feed]]\nid = \"rada\"\ntitle = \"Рада\"\n\
                url = \"file:rada.rss\"\nschedule = \"*/15 * * * *\"\n";
    let folder = Folder::with("");
    folder.put("feeds.toml", text.as_bytes());
    folder.put("rada.rss", rss.as_bytes());
    told(&folder, &["poll"]);
    let offered = told(&folder, &["tags"]);
    let expected = "# 2 categories are no tag; those of most articles first.\n\n\
                    # 3 articles of rada (3); with osvita (1)\n[[tag]]\n\
                    name = \"Громадська участь\"\n\n\
                    # 1 article of rada (1)\n[[tag]]\nname = \"Туризм\"";
    assert_eq!(offered.trim_end(), expected);
    fs::write(folder.path("feeds.toml"), format!("{text}\n{offered}")).unwrap();
    told(&folder, &["check"]);
    // What is stored follows before a poll does.
    told(&folder, &["poll"]);
    assert_eq!(told(&folder, &["tags"]), "# Every category is a tag.\n");
}

#[test]
fn an_article_is_taken_down_through_the_daemon_and_without_one() {
    let folder = with_samples(&example());
    let daemon = folder.run();
    let atom = daemon.get_when("/all.atom", |body| body.matches("<entry>").count() >= 23);
    let pages = pages(&atom);
    let shows = |body: &str, page: &str| self::pages(body).contains(&page.to_owned());
    let said = told(&folder, &["takedown", &pages[0], "--why", "за рішенням суду"]);
    assert!(said.starts_with("took down article ") && said.contains("/all, "), "{said}");
    let body = daemon.get("/all.atom").1;
    assert!(!shows(&body, &pages[0]) && shows(&body, &pages[1]), "{body}");
    assert!(body.contains("<at:deleted-entry ") && !body.contains("за рішенням суду"));
    assert!(daemon.log().contains("за рішенням суду"));
    let id = said.split_whitespace().nth(3).unwrap();
    let explained = told(&folder, &["explain", id]);
    assert!(explained.contains("was taken down by the admin at "), "{explained}");
    assert!(explained.contains("за рішенням суду"), "{explained}");
    daemon.signal("-TERM");
    daemon.wait();
    told(&folder, &["takedown", &pages[1], "--why", "помилка"]);
    // Another poll brings none of the two back.
    told(&folder, &["poll"]);
    let daemon = folder.run();
    let body = daemon.get_when("/all.atom", |body| body.contains("<entry>"));
    assert!(!shows(&body, &pages[0]) && !shows(&body, &pages[1]) && shows(&body, &pages[2]));
    assert_eq!(body.matches("<at:deleted-entry ").count(), 2);
    for (arguments, status, message) in [
        (
            ["takedown", "https://a.example/", "--why", "так"],
            1,
            "no article has the id or the page",
        ),
        (["takedown", id, "--why", " "], 2, "--why takes one line of 1 to 200 characters"),
    ] {
        let output = folder.visnyk(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert!(String::from_utf8_lossy(&output.stderr).contains(message));
    }
}
