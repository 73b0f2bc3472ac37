//! Entries become articles, and are known again whatever their site changes.

use chrono::DateTime;
use chrono::NaiveDate;
use chrono::Utc;
use proptest::prelude::*;
use std::collections::BTreeSet;
use url::Url;
use visnyk::crontab::Crontab;
use visnyk::merge;
use visnyk::model::article::Article;
use visnyk::model::entry::Entry;
use visnyk::model::entry::Media;
use visnyk::model::entry::MediaRole;
use visnyk::model::entry::ParsedFeed;
use visnyk::model::entry::Text;
use visnyk::model::entry::TextKind;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::feed::TaggingEntity;
use visnyk::model::id::Digest;
use visnyk::model::id::FeedId;
use visnyk::model::known::Change;
use visnyk::model::known::Evidence;
use visnyk::model::known::Known;
use visnyk::model::known::Memory;
use visnyk::normalize::Frame;
use visnyk::normalize::article;
use visnyk::normalize::evidence::evidence;

const NOW: &str = "2026-11-24T12:00:00Z";
const LATER: &str = "2026-11-25T12:00:00Z";

fn feed() -> Feed {
    let address = Address::Http(Url::parse("https://misto.example/rss").unwrap());
    let tagging = TaggingEntity {
        authority: "visnyk.example".to_owned(),
        since: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
    };
    let (id, schedule) = (FeedId::new("kharkiv").unwrap(), Crontab::parse("0 * * * *").unwrap());
    Feed {
        title: "Харківська міська рада".to_owned(), ..Feed::new(id, address, schedule, tagging)
    }
}

fn said(value: &str) -> Text {
    Text { value: value.to_owned(), kind: TextKind::Unsaid }
}

fn entry(n: usize) -> Entry {
    Entry {
        id: Some(format!("http://misto.example/?p={n}")),
        title: Some(said(&format!("Новина {n}"))),
        summary: Some(said(&format!("<p>Зміст новини {n}.</p>"))),
        link: Some(format!("http://www.misto.example/news/{n}")),
        published: Some("03.07.2023 - 14:16".to_owned()),
        ..Entry::default()
    }
}

fn all(entries: Vec<Entry>, now: &str) -> Vec<Article> {
    with_evidence(entries, now).into_iter().map(|(article, _)| article).collect()
}

fn with_evidence(entries: Vec<Entry>, now: &str) -> Vec<(Article, Evidence)> {
    let (feed, url) = (feed(), Url::parse("https://misto.example/rss").unwrap());
    let parsed = ParsedFeed {
        link: Some("https://misto.example/".to_owned()),
        entries,
        ..ParsedFeed::default()
    };
    let frame = Frame::new(&feed, &parsed, &url, now.parse().unwrap());
    let both = |entry| {
        let article = article(&frame, entry).ok()?;
        let evidence = evidence(&frame, entry, &article);
        Some((article, evidence))
    };
    parsed.entries.iter().filter_map(both).collect()
}

/// What a second document changes: one letter an entry. `r` is no news: only our labels, or the
/// keys by which the article is found, are written anew.
fn changes(first: Vec<Entry>, second: Vec<Entry>) -> String {
    let first = all(first, NOW);
    let memory = Memory::new(first.iter().map(Known::of));
    let second = with_evidence(second, LATER);
    let known = merge::recognized(&memory, &second);
    let mut ids = BTreeSet::new();
    let mut letters = String::new();
    for ((fresh, _), known) in second.into_iter().zip(known) {
        let change = merge::merge(known, fresh, LATER.parse().unwrap());
        let (id, letter) = match &change {
            Change::Added(article) => (article.id, 'a'),
            Change::Updated(article) => (article.id, 'u'),
            Change::Relabelled(article) => (article.id, 'r'),
            Change::Unchanged(id, _) => (*id, '-'),
        };
        assert!(ids.insert(id), "two entries became one article");
        letters.push(letter);
    }
    letters
}

fn three(mut change: impl FnMut(&mut Entry, usize)) -> Vec<Entry> {
    (1..=3)
        .map(|n| {
            let mut entry = entry(n);
            change(&mut entry, n);
            entry
        })
        .collect()
}

#[test]
fn an_entry_becomes_a_whole_article() {
    let article = all(vec![entry(1)], NOW).remove(0);
    assert_eq!(article.title, "Новина 1");
    assert_eq!(article.lead, "Зміст новини 1.");
    assert_eq!(article.body, "<p>Зміст новини 1.</p>");
    assert_eq!(article.published.to_rfc3339(), "2023-07-03T11:16:00+00:00");
    assert_eq!(article.updated, article.published);
    assert_eq!(article.iri, "http://misto.example/?p=1");
    assert_eq!(article.source.name, "Харківська міська рада");
    assert_eq!(article.language.as_deref(), Some("uk"));
}

#[test]
fn what_an_entry_lacks_is_made_and_an_entry_of_nothing_is_rejected() {
    let bare = Entry { link: Some("/news/budget-2026".to_owned()), ..Entry::default() };
    let article = all(vec![bare], NOW).remove(0);
    assert_eq!(article.title, "budget-2026");
    assert_eq!(article.published, NOW.parse::<DateTime<Utc>>().unwrap());
    assert!(article.iri.starts_with("tag:visnyk.example,2026-01-01:kharkiv/"));
    assert!(all(vec![Entry::default()], NOW).is_empty());
    let evil = Entry { link: Some("javascript:alert(1)".to_owned()), ..entry(1) };
    assert_eq!(all(vec![evil], NOW)[0].url, None);
}

#[test]
fn a_date_that_is_not_to_be_believed_counts_as_first_seen() {
    for written in [
        "2026-11-24T12:00:01Z",
        "2026-11-24T23:00:00Z",
        "2026-11-26T12:00:00Z",
        "2062-11-24T12:00:00Z",
        "9999-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "-0001-11-30T00:00:00+00:00",
        "незабаром",
    ] {
        let entry = Entry { published: Some(written.to_owned()), ..entry(1) };
        let article = all(vec![entry], NOW).remove(0);
        assert_eq!(article.published, NOW.parse::<DateTime<Utc>>().unwrap(), "{written}");
        assert_eq!(article.updated, article.published, "{written}");
    }
}

#[test]
fn what_a_site_changes_does_not_make_news() {
    let same = || three(|_, _| {});
    let new_ids = three(|e, n| e.id = Some(format!("new-{n}")));
    let https = three(|e, n| {
        e.id = Some(format!("https://misto.example/?p={n}"));
        e.link = Some(format!("https://misto.example/news/{n}"));
    });
    let new_dates = three(|e, _| e.published = Some("2026-11-25T10:00:00Z".to_owned()));
    let views = three(|e, n| e.views = Some(n as u64));
    let edited = three(|e, _| e.summary = Some(said("<p>Виправлено.</p>")));
    for (second, expected) in [
        (same(), "---"),
        (new_ids, "rrr"),
        (https, "---"),
        (new_dates, "---"),
        (views, "---"),
        (edited, "uuu"),
    ] {
        assert_eq!(changes(same(), second), expected);
    }
}

#[test]
fn entries_without_an_id_of_their_own_stay_apart() {
    let one_id = || three(|e, _| e.id = Some("1".to_owned()));
    let one_link = || three(|e, _| e.link = Some("https://misto.example/".to_owned()));
    let no_id_no_date = || {
        three(|e, _| {
            e.id = None;
            e.published = None;
        })
    };
    let only_title = || {
        three(|e, _| {
            e.id = None;
            e.link = None;
            e.published = None;
        })
    };
    for document in [one_id(), one_link(), no_id_no_date(), only_title()] {
        let ids: BTreeSet<_> = all(document.clone(), NOW).iter().map(|a| a.id).collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(changes(document.clone(), document), "---");
    }
}

#[test]
fn a_label_that_changes_is_no_revision() {
    let fresh = all(vec![entry(1)], NOW).remove(0);
    let known = Known { labels: Digest::of(["other"]), ..Known::of(&fresh) };
    let now = LATER.parse().unwrap();
    let Change::Relabelled(article) = merge::merge(Some(&known), fresh, now) else {
        panic!("not relabelled")
    };
    assert_eq!((article.revision, article.updated), (0, known.updated));
}

#[test]
fn a_revision_is_dated_by_its_source_unless_that_is_not_to_be_believed() {
    let known = Known::of(&all(vec![entry(1)], NOW)[0]);
    for (said_at, expected) in [
        ("2026-11-24T18:00:00Z", "2026-11-24T18:00:00Z"),
        ("2020-01-01T00:00:00Z", LATER),
        ("2027-01-01T00:00:00Z", LATER),
    ] {
        let edited =
            Entry {
                summary: Some(said("Інше")), updated: Some(said_at.to_owned()), ..entry(1)
            };
        let fresh = all(vec![edited], LATER).remove(0);
        let Change::Updated(article) = merge::merge(Some(&known), fresh, LATER.parse().unwrap())
        else {
            panic!("not updated")
        };
        assert_eq!(article.updated, expected.parse::<DateTime<Utc>>().unwrap());
        assert_eq!((article.revision, article.id), (1, known.id));
    }
}

#[test]
fn the_largest_picture_stands_above_the_text_and_its_caption_is_not_the_title() {
    let picture = |role, url: &str, width| Media {
        role,
        url: url.to_owned(),
        mime: Some("image/jpeg".to_owned()),
        width,
        height: width,
        description: Some("Новина 1".to_owned()),
        ..Media::default()
    };
    let audio =
        Media { url: "/a.mp3".to_owned(), mime: Some("audio/mpeg".to_owned()), ..Media::default() };
    let media = vec![
        picture(MediaRole::Enclosure, "/e.jpg", None),
        picture(MediaRole::Content, "/pixel.jpg", Some(1)),
        picture(MediaRole::Content, "/small.jpg", Some(10)),
        picture(MediaRole::Content, "/large.jpg", Some(100)),
        audio,
    ];
    let article = all(vec![Entry { media, ..entry(1) }], NOW).remove(0);
    let image = article.image.unwrap();
    assert_eq!(image.url.as_str(), "https://misto.example/large.jpg");
    assert_eq!(image.caption, None);
    assert_eq!(article.enclosures.len(), 1);
    let content = "<figure><img src='/b.jpg' alt='Підпис'><figcaption>Площа</figcaption></figure>";
    let in_body = Entry { content: Some(said(content)), ..entry(1) };
    let image = all(vec![in_body], NOW).remove(0).image.unwrap();
    assert_eq!((image.alt.as_deref(), image.caption.as_deref()), (Some("Підпис"), Some("Площа")));
}

proptest! {
    #[test]
    fn the_same_entry_at_two_times_has_one_id(
        id in prop::option::of(any::<String>()),
        title in prop::option::of(any::<String>()),
        link in prop::option::of("(https?://a\\.example)?/[a-z?=&#]{0,12}"),
        summary in prop::option::of(any::<String>()),
        published in prop::option::of("[0-9:. -]{0,20}"),
    ) {
        let entry = Entry {
            id,
            title: title.as_deref().map(said),
            summary: summary.as_deref().map(said),
            link,
            published,
            ..Entry::default()
        };
        let (first, second) = (all(vec![entry.clone()], NOW), all(vec![entry], LATER));
        prop_assert_eq!(first.len(), second.len());
        for (a, b) in first.iter().zip(&second) {
            prop_assert_eq!((a.id, a.keys, &a.iri), (b.id, b.keys, &b.iri));
            prop_assert!(!a.title.is_empty() && a.updated >= a.published);
        }
    }
}
