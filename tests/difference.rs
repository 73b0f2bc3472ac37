//! What is different between two files is told in words, by the names that stand in them.

use std::path::Path;
use visnyk::config::difference::difference;
use visnyk::config::parse;

const BEFORE: &str = r#"
[site]
title = "Вісник"
[[tag]]
name = "освіта"
[[feed]]
id = "a"
title = "А"
url = "https://a.example/rss"
[[feed]]
id = "b"
title = "Б"
url = "https://b.example/rss"
auth = "bearer"
secret = "env:TOKEN"
[[rule]]
id = "r"
match = ["title:реклам*"]
exclude = true
[[rule]]
id = "s"
tags = ["osvita"]
[[publication]]
id = "p"
title = "П"
tags = ["osvita"]
"#;

/// Changes, and what is told of them.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// What is told when each of these texts stands in the place of another.
fn told(changes: &[(&str, &str)]) -> Vec<String> {
    let config = |text: &str| {
        parse("feeds.toml", text, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
    };
    let after = changes.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    difference(&config(BEFORE), &config(&after))
}

#[test]
fn what_is_different_is_told_by_its_name() {
    let b = "[[feed]]\nid = \"b\"\ntitle = \"Б\"\nurl = \"https://b.example/rss\"\nauth = \"bearer\"\nsecret = \"env:TOKEN\"\n";
    let s = "[[rule]]\nid = \"s\"\ntags = [\"osvita\"]\n";
    let r = "[[rule]]\nid = \"r\"\nmatch = [\"title:реклам*\"]\nexclude = true\n";
    let added = "[[feed]]\nid = \"c\"\ntitle = \"В\"\nurl = \"https://c.example/rss\"\n";
    let table: &[Case<'_>] = &[
        (&[], &[]),
        (&[("[site]", "# a word\n\n[site]")], &[]),
        (&[(b, "")], &["gone: feed `b`"]),
        (&[(b, added)], &["new: feed `c`", "gone: feed `b`"]),
        (
            &[("https://a.example/rss", "https://a.example/atom"), ("\"А\"", "\"АА\"")],
            &["feed `a`: `title`, `url` changed"],
        ),
        (&[("env:TOKEN", "env:OTHER")], &["feed `b`: `access` changed"]),
        (&[("title = \"А\"", "title = \"А\"\nenabled = false")], &["feed `a`: `enabled` changed"]),
        (
            &[("name = \"освіта\"", "name = \"освіта\"\naliases = [\"школи\"]")],
            &["changed: tag `osvita`"],
        ),
        (&[("реклам*", "оголошен*")], &["changed: rule `r`"]),
        (&[(r, ""), (s, &format!("{s}{r}"))], &["the order of the rules changed"]),
        (&[("title = \"П\"", "title = \"ПП\"")], &["changed: publication `p`"]),
        (
            &[(
                "title = \"Вісник\"",
                "title = \"Новини\"\nlisten = \"127.0.0.1:8081\"\n[polling]\nper_host = 3",
            )],
            &["`[site]`: `title`, `address`, `listen` changed", "`[polling]`: `per_host` changed"],
        ),
        (
            &[("[[tag]]", "[[region]]\nid = \"new-mexico\"\nname = \"Нью-Мексико\"\n[[tag]]")],
            &["new: region `new-mexico`"],
        ),
    ];
    for (changes, expected) in table {
        assert_eq!(told(changes), *expected, "{changes:?}");
    }
}

#[test]
fn of_many_changes_the_rest_are_counted() {
    let feed = |at: u32| {
        format!("[[feed]]\nid = \"x{at:02}\"\ntitle = \"x\"\nurl = \"https://x{at}.example/\"\n")
    };
    let feeds = (0..20).map(feed).collect::<Vec<_>>().concat();
    let told = told(&[("[[rule]]", &format!("{feeds}[[rule]]"))]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("new: feeds `x00`, `x01`, ") && told[0].ends_with(" and 12 more"));
}
