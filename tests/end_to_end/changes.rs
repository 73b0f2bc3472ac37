//! feeds.toml, changed by commands: what they write, what they refuse, and what they leave alone.

use crate::support::Folder;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;

const FEEDS: &str = "
# Ours.
[[feed]]
id = \"misto\"
title = \"Місто\"      # as they write it
url = \"https://misto.example/rss\"

# Theirs.
[[feed]]
id = \"selo\"
title = \"Село\"
url = \"https://selo.example/rss\"

[[rule]]
id = \"both\"
feeds = [\"misto\", \"selo\"]
match = [\"реклама\"]
exclude = true
";

/// Runs a command: its status, and what it says.
pub(crate) fn ran(folder: &Folder, arguments: &[&str]) -> (i32, String) {
    let output = folder.visnyk(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn text(folder: &Folder) -> String {
    fs::read_to_string(folder.path("feeds.toml")).unwrap()
}

#[test]
fn a_feed_goes_with_its_comment_and_its_place_in_lists_and_nothing_else() {
    let folder = Folder::with(FEEDS);
    let before = text(&folder);
    // Who only counts or looks makes no store.
    fs::create_dir(folder.path("state")).unwrap();
    assert_eq!(ran(&folder, &["export-opml"]).0, 0);
    let (status, shown) = ran(&folder, &["remove", "selo", "--dry-run"]);
    assert_eq!(fs::read_dir(folder.path("state")).unwrap().count(), 0);
    assert_eq!((status, text(&folder)), (0, before.clone()));
    assert!(shown.contains("-# Theirs.\n") && shown.contains("+feeds = [\"misto\"]\n"), "{shown}");
    let (status, said) = ran(&folder, &["remove", "selo"]);
    let line = before.lines().position(|line| line.starts_with("feeds = ")).unwrap() + 1;
    assert_eq!(
        (status, said),
        (
            0,
            format!(
                "removed `selo`; no article of it is kept\n  rule `both` named it in line {line}\nno daemon runs here: `visnyk run` starts one\n"
            )
        )
    );
    let table = "\n# Theirs.\n[[feed]]\nid = \"selo\"\ntitle = \"Село\"\nurl = \"https://selo.example/rss\"\n";
    assert_eq!(
        text(&folder),
        before.replace(table, "").replace("\"misto\", \"selo\"", "\"misto\"")
    );
    let now = text(&folder);
    let (status, said) = ran(&folder, &["remove", "misto"]);
    assert_eq!((status, text(&folder)), (2, now.clone()), "{said}");
    assert!(said.contains("rule `both` is about the feed `misto` only"), "{said}");
    let (status, said) = ran(&folder, &["remove", "selo"]);
    assert_eq!((status, said.as_str()), (2, "visnyk: feeds.toml: no feed `selo` is in it\n"));
}

#[test]
fn a_feed_rests_and_comes_back_and_the_file_is_as_before() {
    let folder = Folder::with(FEEDS);
    let before = text(&folder);
    // The file is a link to one that others may not read.
    fs::create_dir(folder.path("etc")).unwrap();
    fs::rename(folder.path("feeds.toml"), folder.path("etc/feeds.toml")).unwrap();
    symlink("etc/feeds.toml", folder.path("feeds.toml")).unwrap();
    let private = fs::Permissions::from_mode(0o640);
    fs::set_permissions(folder.path("etc/feeds.toml"), private).unwrap();
    let (status, said) = ran(&folder, &["disable", "misto", "selo"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.starts_with("disabled `misto`\ndisabled `selo`\n"), "{said}");
    assert_eq!(text(&folder).matches("enabled = false\n").count(), 2);
    assert_eq!(ran(&folder, &["disable", "selo"]), (0, "`selo` is disabled\n".to_owned()));
    let (status, _) = ran(&folder, &["enable", "selo", "misto"]);
    assert_eq!((status, text(&folder)), (0, before));
    assert!(fs::symlink_metadata(folder.path("feeds.toml")).unwrap().is_symlink());
    let mode = fs::metadata(folder.path("etc/feeds.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path("etc")).unwrap().count(), 1, "something lies there");
}

#[test]
fn a_file_with_mistakes_is_not_touched() {
    let folder = Folder::with(&FEEDS.replace("exclude", "exclud"));
    let before = text(&folder);
    let (status, said) = ran(&folder, &["disable", "misto"]);
    assert_eq!((status, text(&folder)), (78, before));
    assert!(said.contains("write `exclude`"), "{said}");
}

#[test]
fn a_list_of_a_reader_is_taken_over_and_given_back() {
    let folder = Folder::empty();
    folder.put(
        "list.opml",
        "<opml><body><outline text='Громади'><outline text='Місто' xmlUrl='https://misto.example/rss'/>\
         <outline text='Село' xmlUrl='https://selo.example/rss' isComment='true'/></outline></body></opml>"
            .as_bytes(),
    );
    let (status, shown) = ran(&folder, &["import", "list.opml", "--dry-run"]);
    assert_eq!(status, 0, "{shown}");
    assert!(
        shown.contains("+id = \"misto\"\n") && shown.ends_with("2 of 2 feeds are new\n"),
        "{shown}"
    );
    assert!(!folder.path("feeds.toml").exists());
    let (status, said) = ran(&folder, &["import", "list.opml"]);
    assert_eq!(status, 0, "{said}");
    let expected = "2 of 2 feeds are new\nthey stand in feeds.toml from line 23\nno daemon runs here: `visnyk run` starts one\n";
    assert_eq!(said, expected);
    let after = text(&folder);
    let (_, list) = ran(&folder, &["export-opml"]);
    folder.put("again.opml", list.as_bytes());
    let (status, said) = ran(&folder, &["import", "again.opml"]);
    assert!(status == 0 && said.ends_with("\n0 of 2 feeds are new\n"), "{said}");
    assert_eq!(text(&folder), after);
    let other = Folder::empty();
    let mut import = other.visnyk(&["import", "-"]);
    import.stdin(fs::File::open(folder.path("again.opml")).unwrap());
    assert!(import.status().unwrap().success());
    assert_eq!(text(&other), after);
    folder.put("no.opml", b"<rss/>");
    let (status, said) = ran(&folder, &["import", "no.opml"]);
    assert_eq!((status, said.as_str()), (1, "visnyk: no.opml is no OPML: it has no `<opml>`\n"));
}
