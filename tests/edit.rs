//! feeds.toml is changed and stays what it was: every byte that a change is not about.

use proptest::prelude::*;
use visnyk::edit::EditError;
use visnyk::edit::NewFeed;
use visnyk::edit::Reach;
use visnyk::edit::Switch;
use visnyk::edit::address_key;
use visnyk::edit::feeds;
use visnyk::edit::switched;
use visnyk::edit::table;
use visnyk::edit::with_feeds;
use visnyk::edit::without_feed;

const EXAMPLE: &str = include_str!("../feeds.toml");

fn new(id: &str) -> NewFeed {
    NewFeed {
        id: id.to_owned(),
        title: "Місто «Н»: \"новини\"".to_owned(),
        url: "https://n.example/feed".to_owned(),
        ..NewFeed::default()
    }
}

/// The text with a feed more, and that it is the old text with something put in.
fn add(text: &str) -> String {
    let (added, line) = with_feeds(text, &[new("fresh")]).unwrap();
    assert_eq!(added.lines().nth(line - 1), Some("[[feed]]"), "{added}");
    let start = text.bytes().zip(added.bytes()).take_while(|(a, b)| a == b).count();
    let end = text.len() - start;
    assert!(added.as_bytes().ends_with(&text.as_bytes()[start..]), "{end}: {added}");
    assert_eq!(feeds(&added).unwrap().last().unwrap().id, "fresh");
    added
}

fn remove(text: &str, id: &str) -> String {
    without_feed(text, id).unwrap().0
}

#[test]
fn a_feed_that_is_added_and_removed_leaves_no_trace() {
    let no_feeds_left = feeds(EXAMPLE)
        .unwrap()
        .iter()
        .filter(|feed| !EXAMPLE.contains(&format!("feeds = [\"{}\"", feed.id)))
        .fold(EXAMPLE.to_owned(), |text, feed| remove(&text, &feed.id));
    for text in [
        EXAMPLE,
        &no_feeds_left,
        &EXAMPLE.replace('\n', "\r\n"),
        EXAMPLE.trim_end(),
        "",
        "[site]\ntitle = \"a\"",
        "[site]\ntitle = \"a\"\n\n\n# The end.\n",
        "[site]\ntitle = \"a\" # of it\n\n\n",
        "[[feed]]\nid = \"a\"\n[[rule]]\nid = \"r\"\n",
        "[[feed]]\nid = \"a\"\n# enabled = false\n\n# rules\n[[rule]]\nid = \"r\"\n",
        "[[feed]]\nid = \"a\"\n# rules\n[[rule]]\nid = \"r\"\n",
        "[[feed]]\nid = \"a\"\ntags = [\n  \"x\", # one\n  \"y\",\n] # both",
        "[[feed]]\nid = \"a\"\r\n[[rule]]\r\nid = \"r\"\n",
        "[[rule]]\nid = \"r\"\nmatch = [\"\"\"\n# no comment\n# [[feed]]\"\"\"]\n",
    ] {
        assert_eq!(remove(&add(text), "fresh"), text);
    }
}

#[test]
fn a_new_feed_stands_after_the_last_one_before_the_rules() {
    let added = add(EXAMPLE);
    let expected = "schedule = \"0 6,12,18 * * *\"\n\n[[feed]]\nid = \"fresh\"\ntitle = 'Місто «Н»: \"новини\"'\nurl = \"https://n.example/feed\"\n\n# ------";
    assert!(added.contains(expected), "{added}");
}

#[test]
fn every_key_of_a_new_feed_is_written_in_the_order_of_the_manual() {
    let text = |text: &str| Some(text.to_owned());
    let full = NewFeed {
        kind: text("partner"),
        region: text("kharkivska"),
        community: text("kharkivska"),
        tags: vec!["osvita".to_owned(), "kultura".to_owned()],
        schedule: text("@daily"),
        language: text("en"),
        timezone: text("UTC"),
        reach: Reach::Private,
        switch: Switch::Off,
        ..new("a")
    };
    let expected = "[[feed]]\nid = \"a\"\ntitle = 'Місто «Н»: \"новини\"'\nurl = \"https://n.example/feed\"\nkind = \"partner\"\nregion = \"kharkivska\"\ncommunity = \"kharkivska\"\ntags = [\"osvita\", \"kultura\"]\nschedule = \"@daily\"\nlanguage = \"en\"\ntimezone = \"UTC\"\nenabled = false\nallow_private = true\n";
    assert_eq!(table(&full), expected);
}

#[test]
fn comments_go_with_the_table_that_they_are_of() {
    let text = "# ---- Feeds ----\n[[feed]]\nid = \"a\" # of a\n\n# About b,\n# in two lines.\n[[feed]]\nid = \"b\"\n# later: enabled = false\n\n# About nothing.\n\n[[feed]]\nid = \"c\"\n# About the rule.\n[[rule]]\nid = \"r\"\n";
    let of_b = "\n# About b,\n# in two lines.\n[[feed]]\nid = \"b\"\n# later: enabled = false\n";
    assert_eq!(remove(text, "b"), text.replace(of_b, ""));
    assert_eq!(remove(text, "a"), text.replace("[[feed]]\nid = \"a\" # of a\n", ""));
    assert_eq!(remove(text, "c"), text.replace("\n[[feed]]\nid = \"c\"\n", ""));
    let first = "[[feed]]\nid = \"a\"\n\n[[feed]]\nid = \"b\"\n";
    assert_eq!(remove(first, "a"), "[[feed]]\nid = \"b\"\n");
    // What looks like a comment above it is the end of a text.
    let text = "[[rule]]\nid = '''\n# r'''\n[[feed]]\nid = \"a\"\n";
    assert_eq!(remove(text, "a"), "[[rule]]\nid = '''\n# r'''\n");
}

#[test]
fn a_feed_that_goes_is_taken_out_of_the_lists_that_name_it() {
    let feeds = "[[feed]]\nid = \"a\"\n\n[[feed]]\nid = \"b\"\n\n[[feed]]\nid = \"c\"\n";
    for (list, without_b) in [
        ("[\"a\", \"b\", \"c\"]", "[\"a\", \"c\"]"),
        ("[\"b\", \"a\"] # both", "[\"a\"] # both"),
        ("[\"a\", \"b\"]", "[\"a\"]"),
        ("[\"a\", \"b\" ]", "[\"a\" ]"),
        ("[\"a\", \"b\", ]", "[\"a\", ]"),
        (
            "[\n    \"a\", # of a\n    \"b\", # of b\n    \"c\",\n]",
            "[\n    \"a\", # of a\n    \"c\",\n]",
        ),
        ("[\n    \"a\", \"b\",\n    \"c\"]", "[\n    \"a\", \n    \"c\"]"),
        ("[\n    \"a\",\n    \"b\"\n]", "[\n    \"a\",\n]"),
        ("[\"a\",\n    \"b\"]", "[\"a\"]"),
        ("['b', \"b\", \"a\"]", "[\"a\"]"),
    ] {
        let text = format!("{feeds}\n[[rule]]\nid = \"r\"\nfeeds = {list}\n");
        let (removed, named) = without_feed(&text, "b").unwrap();
        assert!(removed.ends_with(&format!("feeds = {without_b}\n")), "{list}: {removed}");
        assert!(named.iter().all(|named| named.by == "rule `r`"), "{named:?}");
        visnyk::edit::feeds(&removed).unwrap();
    }
    let text = format!("{feeds}\n[[publication]]\nid = \"p\"\nfeeds = [\"b\"]\n");
    let told = without_feed(&text, "b").unwrap_err().to_string();
    assert_eq!(
        told,
        "line 12: publication `p` is about the feed `b` only: take that table out first, or name other feeds in it"
    );
    assert_eq!(without_feed(&text, "x"), Err(EditError::Unknown("x".to_owned())));
}

#[test]
fn a_feed_is_switched_off_and_on() {
    for text in [EXAMPLE, &EXAMPLE.replace('\n', "\r\n")] {
        let off = switched(text, "sumy", Switch::Off).unwrap().unwrap();
        assert_eq!(off.lines().count(), text.lines().count() + 1);
        assert_eq!(switched(&off, "sumy", Switch::Off), Ok(None));
        assert_eq!(switched(&off, "sumy", Switch::On), Ok(Some(text.to_owned())));
    }
    let said = "[[feed]]\nid = \"a\"\nenabled = true # since May\nkind = \"partner\"\n";
    let off = said.replace("true", "false");
    assert_eq!(switched(said, "a", Switch::Off), Ok(Some(off.clone())));
    assert_eq!(switched(&off, "a", Switch::On), Ok(Some(said.to_owned())));
    assert_eq!(
        switched("[[feed]]\nid = \"a\"", "a", Switch::Off),
        Ok(Some("[[feed]]\nid = \"a\"\nenabled = false".to_owned()))
    );
}

#[test]
fn feeds_in_a_list_are_not_guessed_at() {
    let text = "x = 1\nfeed = [{ id = \"a\" }]\n";
    assert_eq!(with_feeds(text, &[new("b")]), Err(EditError::NotTables(2)));
    assert!(matches!(feeds("feed = ["), Err(EditError::NotToml(_))));
}

#[test]
fn one_address_in_several_spellings_has_one_key() {
    let key = address_key("https://city.example/feed");
    for same in [
        "http://city.example/feed/",
        "https://www.city.example:443/feed",
        "HTTPS://City.Example/feed#top",
        "http://city.example:80/feed",
    ] {
        assert_eq!(address_key(same), key, "{same}");
    }
    for other in [
        "https://city.example/feed?a=1",
        "https://city.example/Feed",
        "https://x.city.example/feed",
    ] {
        assert_ne!(address_key(other), key, "{other}");
    }
}

/// A part of a feeds.toml, as people write them.
fn part() -> impl Strategy<Value = String> {
    let comment = "(# ?[a-z\\[\\]\"=-]{0,20}|# -----)?".prop_map(|comment| comment + "\n");
    let values = prop_oneof![
        Just("\"text\"".to_owned()),
        Just("'it''s'".replace("''", " ")),
        Just("\"\"\"\n# [[feed]]\n\nid = \"no\"\n# end\"\"\"".to_owned()),
        Just("[\n  \"a\", # [[feed]]\n  # \"b\"\n]".to_owned()),
        Just("true # yes".to_owned()),
    ];
    let table = ("(\\[\\[rule\\]\\]|\\[\\[feed\\]\\]|\\[\\[tag\\]\\])", values, "[ \t]{0,2}\n?")
        .prop_map(|(header, value, rest)| format!("{header}\nname = {value}\nid = \"x\"\n{rest}"));
    prop_oneof![comment, table]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_of_any_file_stays_when_a_feed_comes_and_goes(
        parts in prop::collection::vec(part(), 0..12),
        ends_with_a_line_end in any::<bool>(),
        is_of_windows in any::<bool>(),
    ) {
        let mut text = parts.concat();
        if !ends_with_a_line_end {
            text.truncate(text.trim_end().len());
        }
        if is_of_windows {
            text = text.replace('\n', "\r\n");
        }
        prop_assume!(feeds(&text).is_ok());
        let added = add(&text);
        prop_assert_eq!(remove(&added, "fresh"), text);
    }
}
