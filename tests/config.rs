//! feeds.toml: every mistake is shown at its line, and a file without one becomes values.

use proptest::prelude::ProptestConfig;
use proptest::proptest;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use visnyk::config;
use visnyk::config::Config;
use visnyk::config::keys::TABLES;
use visnyk::crontab::Crontab;
use visnyk::model::feed::Address;
use visnyk::model::feed::FeedKind;
use visnyk::model::feed::Private;
use visnyk::model::feed::Republish;
use visnyk::model::id::CommunityId;
use visnyk::model::id::FeedId;
use visnyk::model::id::RegionId;
use visnyk::model::id::TagId;

/// Checks that the mistakes and warnings of `NAME.toml` are shown as `NAME.expected` says, each with
/// its line and with what to write; `VISNYK_BLESS=1` writes that file.
fn check(toml: &Path) {
    let text = fs::read_to_string(toml).unwrap();
    let problems = match config::check_text("feeds.toml", &text, Path::new("")) {
        Ok(checked) => checked.warnings,
        Err(problems) => problems,
    };
    let shown = problems.listed().inspect(|problem| {
        assert!(problem.place.is_some(), "{}: {problem} has no line", toml.display());
        let cure = problem.suggestion.unwrap_or_default();
        assert!(!cure.is_empty(), "{}: {problem} says not what to write", toml.display());
    });
    assert_ne!(shown.count(), 0, "{}: nothing was found", toml.display());
    if std::env::var_os("VISNYK_BLESS").is_some() {
        fs::write(toml.with_extension("expected"), format!("{problems}\n")).unwrap();
    }
    let expected = fs::read_to_string(toml.with_extension("expected")).unwrap();
    assert_eq!(format!("{problems}\n"), expected, "{}", toml.display());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn good(text: &str) -> Config {
    config::parse("feeds.toml", text, Path::new("folder")).unwrap_or_else(|bad| panic!("{bad}"))
}

/// Why a file cannot be read, without the folder that it lies in.
fn unreadable(path: &Path) -> String {
    let problems = config::read(path).err().map(|problems| problems.to_string());
    let folder = format!("{}/", path.parent().unwrap().display());
    problems.expect("the file was read").replace(&folder, "")
}

#[test]
fn every_mistake_and_warning_is_shown_at_its_line() {
    let paths = fs::read_dir(root().join("tests/fixtures/config")).unwrap();
    let paths: Vec<PathBuf> = paths.map(|entry| entry.unwrap().path()).collect();
    let documents = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let checked = documents.inspect(|path| check(path)).count();
    assert!(checked >= 75, "only {checked} fixtures were found");
    assert_eq!(paths.len(), 2 * checked, "a document without its expectation, or the reverse");
}

#[test]
fn the_example_has_no_mistake_and_its_samples_are_there() {
    let path = root().join("feeds.toml");
    let config = config::read(&path).unwrap_or_else(|bad| panic!("{bad}"));
    let mut samples = 0;
    for feed in config.feeds.values() {
        match &feed.address {
            Address::Http(url) => assert_eq!(url.scheme(), "https", "{}", feed.id),
            Address::File(path) => {
                assert!(path.is_file(), "{}", path.display());
                samples += 1;
            }
        }
    }
    assert!(samples >= 4, "only {samples} samples");
    assert!(config.feeds.len() - samples >= 15, "only {} feeds", config.feeds.len());
    let kharkiv = &config.feeds[&FeedId::new("sample-kharkiv").unwrap()];
    assert_eq!(kharkiv.region, Some(RegionId::new("kharkivska").unwrap()));
    assert_eq!(kharkiv.community, Some(CommunityId::new("kharkivska").unwrap()));
    assert!(config.catalogue.regions.contains_key(&RegionId::new("new-mexico").unwrap()));
    for tag in ["partnerstvo", "mizhnarodna-pidtrymka", "spivrobitnytstvo-hromad"] {
        assert!(config.tags.contains_key(&TagId::new(tag).unwrap()), "{tag}");
    }
}

#[test]
fn the_example_tells_of_every_key() {
    let example = fs::read_to_string(root().join("feeds.toml")).unwrap();
    let told = |name: &str| {
        example.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ']);
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
        })
    };
    for table in TABLES {
        assert!(example.lines().any(|line| line == table.header()), "{}", table.header());
        for key in table.keys {
            assert!(told(key.name), "`{}` of `{}` is not told", key.name, table.header());
        }
    }
}

#[test]
fn an_empty_file_means_the_defaults() {
    let config = good("");
    assert_eq!(config.site.title, "Вісник");
    assert_eq!(config.site.address.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.site.timezone, chrono_tz::Europe::Kyiv);
    assert_eq!(config.site.tagging.mint("x"), "tag:127.0.0.1,2026-01-01:x");
    assert_eq!(config.polling.concurrency, 32);
    assert_eq!(config.polling.per_host, 2);
    assert_eq!(config.polling.connect_timeout, Duration::from_secs(10));
    assert_eq!(config.polling.timeout, Duration::from_mins(1));
    assert_eq!(config.polling.body_bytes_max, 16 * 1024 * 1024);
    assert_eq!(config.publishing.entries, 50);
    assert_eq!(config.catalogue.regions.len(), 27);
    assert!(config.feeds.is_empty() && config.tags.is_empty() && config.publications.is_empty());
}

#[test]
fn what_a_feed_does_not_say_holds_for_all() {
    let config = good(
        r#"
        [site]
        address = "https://news.example/"
        timezone = "America/Denver"
        [polling]
        schedule = "every 2h"
        [publishing]
        republish = "summary"
        [[feed]]
        id = "a"
        title = "А"
        url = "https://a.example/rss"
        community = "kharkivska"
        [[feed]]
        id = "b"
        title = "Б"
        url = "file:./feeds/b.rss"
        kind = "partner"
        timezone = "Europe/Kiev"
        schedule = "@daily"
        republish = "link"
        enabled = false
        allow_private = true
        "#,
    );
    let [a, b] = ["a", "b"].map(|id| &config.feeds[&FeedId::new(id).unwrap()]);
    assert_eq!(a.region, Some(RegionId::new("kharkivska").unwrap()), "of the community");
    assert_eq!(a.schedule, Crontab::parse("every 2h").unwrap());
    assert_eq!(a.timezone, chrono_tz::America::Denver);
    assert_eq!((a.kind, a.republish), (FeedKind::Municipal, Republish::Summary));
    assert_eq!((a.enabled, &a.access.private), (true, &Private::Refused));
    assert_eq!(a.tagging.mint("x"), "tag:news.example,2026-01-01:x");
    assert_eq!(b.address, Address::File("folder/feeds/b.rss".into()));
    assert_eq!(b.schedule, Crontab::parse("@daily").unwrap());
    assert_eq!(b.timezone, chrono_tz::Europe::Kiev);
    assert_eq!((b.kind, b.republish), (FeedKind::Partner, Republish::Link));
    assert_eq!((b.enabled, &b.access.private), (false, &Private::Allowed));
}

#[test]
fn a_place_is_added_or_renamed_and_keeps_its_former_name() {
    let config = good(
        r#"
        [[region]]
        id = "new-mexico"
        iso = "US-NM"
        name = "Нью-Мексико"
        name_en = "New Mexico"
        [[region]]
        id = "dnipropetrovska"
        name = "Січеславська область"
        [[community]]
        id = "albuquerque"
        region = "new-mexico"
        name = "Альбукерке"
        "#,
    );
    let region = |id: &str| &config.catalogue.regions[&RegionId::new(id).unwrap()];
    assert_eq!(region("new-mexico").iso.as_deref(), Some("US-NM"));
    let renamed = region("dnipropetrovska");
    assert_eq!(renamed.name.uk, "Січеславська область");
    assert_eq!(renamed.iso.as_deref(), Some("UA-12"));
    assert!(renamed.aliases.iter().any(|alias| alias == "Дніпропетровська область"));
    let city = &config.catalogue.communities[&CommunityId::new("albuquerque").unwrap()];
    assert_eq!(city.region.as_str(), "new-mexico");
    assert_eq!(city.name.en, "Albukerke");
}

#[test]
fn a_file_that_cannot_be_read_says_which_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feeds.toml");
    let missing = unreadable(&path);
    assert_eq!(missing, "error: cannot read `feeds.toml`: No such file or directory (os error 2)");
    fs::create_dir(&path).unwrap();
    assert_eq!(unreadable(&path), "error: cannot read `feeds.toml`: it is a directory");
    let path = folder.path().join("long.toml");
    fs::write(&path, "#".repeat(4 * 1024 * 1024 + 1)).unwrap();
    assert_eq!(unreadable(&path), "error: cannot read `long.toml`: it is over 4 MiB");
    let path = folder.path().join("cp1251.toml");
    fs::write(&path, b"[site]\ntitle = \"\xC2\xB3\xF1\xED\xE8\xEA\"\n").unwrap();
    assert_eq!(
        unreadable(&path),
        "error: the file is not UTF-8\n --> cp1251.toml:2:10\n  |\n2 | title = \"Вісник\"\n  |          \
         ^^^^^^ save it as UTF-8; it may be Windows-1251 now"
    );
}

#[test]
fn a_hostile_file_is_refused_and_does_no_harm() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{ b = ".repeat(100_000)),
        format!("{} = 1", "a.".repeat(100_000)),
        "[[feed]]\n".repeat(50_000),
        "\0".repeat(1000),
        format!("[site]\ntitle = \"{}\"", "я".repeat(1_000_000)),
        "[[feed]]\nregion = \"kharkivsk\"\ncommunity = \"mykolayivska\"\n".repeat(5_000),
    ] {
        let problems = config::parse("feeds.toml", &text, Path::new("")).err();
        let shown = problems.map(|problems| problems.to_string());
        assert!(shown.is_some_and(|shown| shown.starts_with("error: ")), "{text:.40}");
    }
}

#[test]
fn a_byte_order_mark_and_the_line_ends_of_windows_are_no_mistake() {
    let config = good("\u{feff}[site]\r\ntitle = \"Новини\"\r\n");
    assert_eq!(config.site.title, "Новини");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_mistake_anywhere_in_any_text_can_be_shown(
        text in r#"(\[\[?(feed|tag|site)\]\]?|id|name|url|[=."'\n@/:{},#\[\] \\]|[яїß€😀\r\t\x00]|[a-z0-9]{1,3}){0,40}"#,
    ) {
        if let Err(problems) = config::parse("feeds.toml", &text, Path::new("")) {
            assert!(problems.count() > 0);
            assert!(problems.to_string().starts_with("error: "));
            assert!(!problems.coloured().is_empty());
        }
    }
}
