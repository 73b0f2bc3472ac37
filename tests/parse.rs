//! Bytes to entries: every fixture says what it is read as, and no document is too large, too
//! deep or too broken.
//!
//! A case is a document and, beside it, `NAME.expected`: the entries as a person would write them
//! down. Its first line may be `content-type: …`.

use proptest::prelude::*;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;
use url::Url;
use visnyk::model::entry::Entry;
use visnyk::model::entry::ParsedFeed;
use visnyk::model::entry::Person;
use visnyk::model::entry::Text;
use visnyk::model::exchange::Document;
use visnyk::model::rhythm::Rhythm;
use visnyk::parse::ParseError;
use visnyk::parse::page::PageKind;
use visnyk::parse::parse;

/// What no document may take, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

const CASES_MIN: usize = 50;

fn document(bytes: impl Into<Vec<u8>>, content_type: Option<&str>) -> Document {
    Document {
        url: Url::parse("https://rada.example.ua/news/rss").unwrap(),
        content_type: content_type.map(str::to_owned),
        bytes: bytes.into(),
    }
}

fn read(bytes: impl Into<Vec<u8>>) -> Result<ParsedFeed, ParseError> {
    let start = Instant::now();
    let parsed = parse(&document(bytes, None));
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    parsed
}

fn rss(items: &str) -> String {
    format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>")
}

fn line(out: &mut String, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        writeln!(
            out,
            "{name}: {}",
            value.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
        )
        .unwrap();
    }
}

fn text(out: &mut String, name: &str, text: Option<&Text>) {
    if let Some(text) = text {
        line(out, &format!("{name} ({:?})", text.kind), Some(&text.value));
    }
}

fn persons(out: &mut String, persons: &[Person]) {
    for person in persons {
        let parts = [&person.name, &person.email, &person.url];
        let parts: Vec<&str> = parts.iter().map(|part| part.as_deref().unwrap_or("-")).collect();
        writeln!(out, "author: {}", parts.join(" | ")).unwrap();
    }
}

fn write_entry(out: &mut String, entry: &Entry) {
    out.push_str("\nentry\n");
    let permalink = if entry.id_is_permalink { "id (permalink)" } else { "id" };
    line(out, permalink, entry.id.as_ref());
    text(out, "title", entry.title.as_ref());
    text(out, "summary", entry.summary.as_ref());
    text(out, "content", entry.content.as_ref());
    line(out, "link", entry.link.as_ref());
    for link in &entry.related_links {
        writeln!(out, "related: {link}").unwrap();
    }
    line(out, "published", entry.published.as_ref());
    line(out, "updated", entry.updated.as_ref());
    persons(out, &entry.authors);
    for category in &entry.categories {
        let parts = [&category.scheme, &category.label];
        let rest: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let term = [&[category.term.as_str()], rest.as_slice()].concat();
        writeln!(out, "category: {}", term.join(" | ")).unwrap();
    }
    for media in &entry.media {
        write!(out, "{}: {}", format!("{:?}", media.role).to_lowercase(), media.url).unwrap();
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let length = media.length.map(|length| length.to_string());
        for (name, value) in [
            ("type", media.mime.clone()),
            ("bytes", length),
            ("width", number(media.width)),
            ("height", number(media.height)),
            ("title", media.title.clone()),
            ("description", media.description.clone()),
        ] {
            if let Some(value) = value {
                write!(out, " | {name} {value}").unwrap();
            }
        }
        out.push('\n');
    }
    if let Some(source) = &entry.source {
        let parts = [&source.title, &source.url].map(|part| part.as_deref().unwrap_or("-"));
        writeln!(out, "source: {}", parts.join(" | ")).unwrap();
    }
    line(out, "language", entry.language.as_ref());
    line(out, "rights", entry.rights.as_ref());
    line(out, "views", entry.views.map(|views| views.to_string()).as_ref());
    line(
        out,
        "point",
        entry.point.map(|(latitude, longitude)| format!("{latitude} {longitude}")).as_ref(),
    );
    let base =
        entry.base.as_ref().filter(|base| base.as_str() != "https://rada.example.ua/news/rss");
    line(out, "base", base.map(Url::to_string).as_ref());
}

fn write_rhythm(out: &mut String, rhythm: &Rhythm) {
    for (name, length) in [("ttl", rhythm.ttl), ("changes every", rhythm.update_every)] {
        if let Some(length) = length {
            writeln!(out, "{name}: {} s", length.as_secs()).unwrap();
        }
    }
    if !rhythm.skip_hours.is_empty() {
        writeln!(out, "skips hours: {:?}", rhythm.skip_hours).unwrap();
    }
    if !rhythm.skip_days.is_empty() {
        writeln!(out, "skips days: {}", rhythm.skip_days).unwrap();
    }
}

fn written_down(parsed: &Result<ParsedFeed, ParseError>) -> String {
    let feed = match parsed {
        Ok(feed) => feed,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut out = format!("{:?}\n", feed.format).to_lowercase();
    line(&mut out, "id", feed.id.as_ref());
    text(&mut out, "title", feed.title.as_ref());
    line(&mut out, "link", feed.link.as_ref());
    line(&mut out, "language", feed.language.as_ref());
    line(&mut out, "rights", feed.rights.as_ref());
    line(&mut out, "icon", feed.icon.as_ref());
    line(&mut out, "updated", feed.updated.as_ref());
    persons(&mut out, &feed.authors);
    write_rhythm(&mut out, &feed.rhythm);
    for repair in &feed.repairs {
        writeln!(out, "repair: {repair}").unwrap();
    }
    for entry in &feed.entries {
        write_entry(&mut out, entry);
    }
    out
}

#[test]
fn every_fixture_is_read_as_it_is_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parse");
    let (mut cases, mut differences) = (0, String::new());
    let mut paths: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    for path in
        paths.iter().filter(|path| path.extension().is_some_and(|ending| ending != "expected"))
    {
        cases += 1;
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        let (content_type, expected) = match expected.strip_prefix("content-type: ") {
            Some(rest) => rest.split_once('\n').map(|(first, rest)| (Some(first), rest)).unwrap(),
            None => (None, expected.as_str()),
        };
        let parsed = parse(&document(fs::read(path).unwrap(), content_type));
        let found = written_down(&parsed);
        if found != expected {
            let name = path.file_name().unwrap().to_string_lossy();
            writeln!(differences, "=== {name}\n--- expected\n{expected}--- found\n{found}")
                .unwrap();
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
    assert!(cases >= CASES_MIN, "only {cases} cases");
}

#[test]
fn fifty_megabytes_of_html_are_named_as_such() {
    let page = format!(
        "<!DOCTYPE html><html><head><title>Сайт\n на ремонті &amp; ні</title>{}",
        "<p>текст</p>".repeat(3_300_000)
    );
    let expected = ParseError::HtmlPage {
        kind: PageKind::Other,
        title: Some("Сайт на ремонті & ні".to_owned()),
        feeds: Vec::new(),
    };
    assert_eq!(read(page), Err(expected));
}

#[test]
fn fifty_megabytes_of_entries_are_read_up_to_the_bound() {
    let text = "слово ".repeat(2_000);
    let item = format!("<item><description><![CDATA[<p>{text}</p>]]></description></item>");
    let feed = read(rss(&item.repeat(50_000_000 / item.len()))).unwrap();
    assert_eq!(feed.entries.len(), 2_000);
    assert_eq!(feed.repairs.len(), 1, "{:?}", feed.repairs);
}

#[test]
fn fifty_megabytes_that_are_no_feed_are_refused() {
    for piece in
        ["<", "<1", "<a>", "<a/>", "<!--", " ", "\u{0}", "{", "&", "<a b='", "<![CDATA[", "слово "]
    {
        let parsed = read(piece.repeat(50_000_000 / piece.len()));
        assert!(parsed.is_err(), "{piece:?}: {parsed:?}");
        assert!(parsed.unwrap_err().to_string().len() < 1_000, "{piece:?}");
    }
}

#[test]
fn fifty_megabytes_in_an_entry_are_bounded() {
    for inner in
        ["<p>текст</p>", "<", "&amp;", "&", "<b>", "</b>", "a\r", "<b a='1' b=2 c>", "\u{1}"]
    {
        let many = inner.repeat(50_000_000 / inner.len());
        let parsed = read(rss(&format!(
            "<item><guid>1</guid></item><item><description>{many}</description></item>"
        )));
        let feed = parsed.unwrap_or_else(|error| panic!("{inner:?}: {error}"));
        assert_eq!(feed.entries[0].id.as_deref(), Some("1"));
        assert!(!feed.repairs.is_empty(), "{inner:?}");
    }
}

#[test]
fn deep_nesting_is_bounded() {
    for name in ["media:group", "itunes:category", "a", "div"] {
        let deep = format!(
            "{}x{}",
            format!("<{name}>").repeat(100_000),
            format!("</{name}>").repeat(100_000)
        );
        for document in [
            rss(&format!("<item><title>один</title>{deep}</item><item><title>два</title></item>")),
            rss(&format!(
                "<item><title>один</title><description>{deep}</description></item><item><title>два</title></item>"
            )),
            format!(
                "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>один</title><content type='xhtml'>{deep}</content></entry><entry><title>два</title></entry></feed>"
            ),
        ] {
            let feed = read(document).unwrap();
            let titles: Vec<_> = feed
                .entries
                .iter()
                .map(|entry| entry.title.as_ref().unwrap().value.as_str())
                .collect();
            assert_eq!(titles, ["один", "два"], "{name}");
            assert!(
                feed.repairs.iter().any(|repair| repair.contains("deep")),
                "{:?}",
                feed.repairs
            );
        }
    }
    let bases = format!("{}{}", "<a xml:base='x/'>".repeat(50_000), "</a>".repeat(50_000));
    assert_eq!(read(rss(&format!("<item><guid>1</guid>{bases}</item>"))).unwrap().entries.len(), 1);
}

#[test]
fn media_of_an_entry_are_bounded() {
    let thumbnails = "<media:thumbnail url='https://m.example/t.jpg'/>".repeat(2_000);
    let groups =
        "<media:group><media:content url='https://m.example/c.jpg'/></media:group>".repeat(2_000);
    let feed = read(rss(&format!("<item>{thumbnails}{groups}</item>"))).unwrap();
    assert_eq!(feed.entries[0].media.len(), 64);
    assert!(feed.repairs.iter().any(|repair| repair.starts_with("only the first 64 media")));
}

#[test]
fn of_half_a_million_entries_the_first_are_read() {
    let feed = read(rss(&"<item/>".repeat(500_000))).unwrap();
    assert_eq!(feed.entries.len(), 2_000);
    assert_eq!(feed.repairs, ["only the first 2000 of 500000 entries were read"]);
    let json = format!(
        "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}{{}}]}}",
        "{},".repeat(99_999)
    );
    let feed = read(json).unwrap();
    assert_eq!(feed.entries.len(), 2_000);
    assert_eq!(feed.repairs, ["only the first 2000 of 100000 entries were read"]);
}

#[test]
fn a_title_of_a_megabyte_is_kept_and_a_longer_text_is_cut() {
    let title = "я".repeat(524_288);
    let feed = read(rss(&format!("<item><title>{title}</title></item>"))).unwrap();
    assert_eq!(feed.entries[0].title.as_ref().unwrap().value, title);
    assert!(feed.repairs.is_empty());
    let feed = read(rss(&format!("<item><title>{title}{title}{title}</title></item>"))).unwrap();
    assert_eq!(feed.entries[0].title.as_ref().unwrap().value.len(), 2 * 1_024 * 1_024);
    assert_eq!(feed.repairs, ["`title` was cut after 2097152 bytes"]);
}

#[test]
fn huge_attributes_and_many_declarations_are_survived() {
    let (mut attributes, mut spaces) = (String::new(), String::new());
    for n in 0..1_000 {
        write!(attributes, " a{n}='1'").unwrap();
        write!(spaces, " xmlns:n{n}='http://n.example/{n}'").unwrap();
    }
    let long = "x".repeat(20_000_000);
    for item in [
        format!("<item{attributes}><guid>1</guid></item>"),
        format!("<item{spaces}><guid>1</guid></item>"),
        format!("<item><guid a='{long}'>1</guid></item>"),
        format!("<item><guid a='{}'>1</guid></item>", "&".repeat(20_000_000)),
        format!("<item><!--{long}--><guid>1</guid></item>"),
        format!("<item><guid>1</guid><itunes:duration>{}</itunes:duration></item>", "9".repeat(40)),
    ] {
        assert_eq!(read(rss(&item)).unwrap().entries[0].id.as_deref(), Some("1"));
    }
    let nested = "[".repeat(100_000);
    let json = format!("{{\"version\":\"https://jsonfeed.org/version/1\",\"items\":{nested}");
    assert!(matches!(read(json), Err(ParseError::Broken { .. })));
}

#[test]
fn a_feed_cut_anywhere_keeps_its_whole_entries_and_says_so() {
    for name in ["full-rss.rss", "full-atom.atom", "full-json.json", "plone.rdf"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parse");
        let bytes = fs::read(folder.join(name)).unwrap();
        let whole = parse(&document(bytes.clone(), None)).unwrap();
        let root_end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).unwrap();
        for length in 0..root_end {
            if let Ok(feed) = parse(&document(&bytes[..length], None)) {
                assert!(!feed.entries.is_empty(), "{name} cut at {length} is an empty success");
                assert!(!feed.repairs.is_empty(), "{name} cut at {length} says nothing");
                assert_eq!(
                    feed.entries,
                    whole.entries[..feed.entries.len()],
                    "{name} cut at {length}"
                );
            }
        }
    }
}

#[test]
fn an_empty_feed_is_no_error_and_a_lost_one_is() {
    assert_eq!(read(rss("")).unwrap().entries.len(), 0);
    assert_eq!(read("<feed xmlns='http://www.w3.org/2005/Atom'/>").unwrap().entries.len(), 0);
    let lost = "<rss version='2.0'><channel><title>t</title><item><title>a</title>";
    assert!(matches!(read(lost), Err(ParseError::Broken { .. })));
}

fn mutations() -> impl Strategy<Value = Vec<(usize, Vec<u8>)>> {
    let pieces = prop_oneof![
        prop::sample::select(vec![
            "<",
            ">",
            "&",
            "&#0;",
            "]]>",
            "<![CDATA[",
            "<!--",
            "</item>",
            "<item>",
            "</rss>",
            "<channel>",
            "<media:group>",
            "</",
            "\"",
            "'",
            "\u{0}",
            "<?xml",
            "?>",
            "—",
            "@",
            "<!DOCTYPE",
            "xml:base=''",
            "<entry>",
            "</title>",
            "{",
            "}",
            "[",
            ",",
            "<author>a@b.ua—Є</author>",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(
        (any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20)), pieces),
        1..8,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_good_feed_makes_the_parser_give_up(
        name in prop::sample::select(vec!["full-rss.rss", "full-atom.atom", "full-json.json", "plone.rdf"]),
        mutations in mutations(),
        is_replacing in any::<bool>(),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parse");
        let mut bytes = fs::read(folder.join(name)).unwrap();
        for (place, piece) in mutations {
            let start = place % (bytes.len() + 1);
            let end = if is_replacing { bytes.len().min(start + piece.len()) } else { start };
            bytes.splice(start..end, piece);
        }
        let parsed = parse(&document(bytes.clone(), None));
        prop_assert!(!matches!(parsed, Err(ParseError::Panicked { .. })), "{parsed:?}");
        prop_assert_eq!(parsed, parse(&document(bytes, None)));
    }
}
