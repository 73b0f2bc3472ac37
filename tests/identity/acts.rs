//! What sites do to their stories.

use crate::site::Story;
use crate::site::date;
use crate::site::story;

/// What a site does to one of its stories between two polls.
pub(crate) type Act = fn(&mut Story);

pub(crate) fn edited(text: &mut String, from: &str, to: &str) {
    *text = text.replace(from, to);
}

pub(crate) fn of_guid(story: &mut Story, from: &str, to: &str) {
    story.guid = story.guid.as_ref().map(|guid| guid.replace(from, to));
}

pub(crate) fn of_link(story: &mut Story, from: &str, to: &str) {
    story.link = story.link.as_ref().map(|link| link.replace(from, to));
}

/// Puts something behind an address, if there is one.
pub(crate) fn appended(address: &mut Option<String>, tail: &str) {
    // What is there already is not there twice.
    let is_bare = |address: &&mut String| {
        address.contains("//") && !address.contains(['#', ';']) && !address.ends_with(tail)
    };
    if let Some(address) = address.as_mut().filter(is_bare) {
        let is_query = tail.starts_with(['?', '&']);
        let has_query = address.contains('?');
        if is_query {
            address.push(if has_query { '&' } else { '?' });
            address.push_str(&tail[1..]);
        } else if !has_query || tail.starts_with('#') {
            address.push_str(tail);
        }
    }
}

pub(crate) fn dated_anew(story: &mut Story) {
    story.date = Some(date(60 * 24 * 38 + i64::try_from(story.number).unwrap()));
}

/// What a site may do to a story without its being news, or an edit.
pub(crate) const NO_NEWS: &[(&str, Act)] = &[
    ("another guid", |s| s.guid = Some(format!("cms-{}", s.number * 7))),
    ("no guid any more", |s| s.guid = None),
    ("a guid that is the link", |s| s.guid.clone_from(&s.link)),
    ("a guid by https", |s| of_guid(s, "http:", "https:")),
    ("a guid with www", |s| of_guid(s, "://misto", "://www.misto")),
    ("a guid that tracks", |s| appended(&mut s.guid, "&utm_source=rss&fbclid=1")),
    ("a guid with a session", |s| appended(&mut s.guid, "&PHPSESSID=0123456789abcdef")),
    ("a link by https", |s| of_link(s, "http:", "https:")),
    ("a link with www", |s| of_link(s, "://misto", "://www.misto")),
    ("a slash behind the link", |s| appended(&mut s.link, "/")),
    ("a fragment behind the link", |s| appended(&mut s.link, "#comments")),
    ("a link that tracks", |s| {
        appended(&mut s.link, "?utm_medium=rss&gclid=1&yclid=2&fbclid=3&ref=rss");
    }),
    ("a link with a session", |s| {
        appended(&mut s.link, ";jsessionid=0A1B?sid=0123456789abcdef0123456789abcdef");
    }),
    ("a link that is written otherwise", |s| of_link(s, "podiia", "%70odiia")),
    ("https and www, guid and link", |s| {
        of_guid(s, "http://misto", "https://www.misto");
        of_link(s, "http://misto", "https://www.misto");
    }),
    ("another host", |s| of_link(s, "misto.example", "misto-rada.example")),
    ("another page", |s| s.link = Some(format!("https://misto.example/novyny/{}", s.number))),
    ("no link any more", |s| s.link = None),
    ("another guid and another page", |s| {
        s.guid = Some(format!("cms-{}", s.number * 7));
        s.link = Some(format!("https://misto.example/novyny/{}", s.number));
    }),
    ("another date", dated_anew),
    ("another guid and another date", |s| {
        s.guid = Some(format!("cms-{}", s.number * 7));
        dated_anew(s);
    }),
    ("another guid, https and another date", |s| {
        s.guid = Some(format!("https://www.misto.example/node/{}", s.number));
        of_link(s, "http:", "https:");
        dated_anew(s);
    }),
    ("no date any more", |s| s.date = None),
    ("a date in the feed's zone", |s| s.date = Some("сьогодні, 09:05".to_owned())),
    ("a counter of views", |s| edited(&mut s.text, "40.", "4 087.")),
    ("the time of the poll", |s| edited(&mut s.text, "24.11.2026 о 10:05", "25 листопада о 14:16")),
];

/// What a site may do to a story that a reader sees.
pub(crate) const EDITS: &[(&str, Act)] = &[
    ("a typo in the title", |s| edited(&mut s.title, "життя", "життє")),
    ("a typo in the text", |s| edited(&mut s.text, "подію", "подіі")),
    ("another time in the text", |s| s.text.push_str("Початок о 15:00.")),
    ("title and guid, which is its digest", |s| {
        edited(&mut s.title, "життя", "життє");
        s.guid = Some(format!("{:x}", s.title.len() * 31 + s.number));
    }),
    ("title and link", |s| {
        edited(&mut s.title, "життя", "життє");
        of_link(s, "podiia", "podiya");
    }),
    ("text and guid", |s| {
        edited(&mut s.text, "подію", "подіі");
        s.guid = Some(format!("cms-{}", s.number * 7));
    }),
    ("text, guid and page", |s| {
        edited(&mut s.text, "подію", "подіі");
        s.guid = Some(format!("cms-{}", s.number * 7));
        s.link = Some(format!("https://misto.example/novyny/{}", s.number));
    }),
    ("text and date", |s| {
        edited(&mut s.text, "подію", "подіі");
        dated_anew(s);
    }),
];

/// How a site tells its stories.
pub(crate) const KINDS: &[(&str, Act)] = &[
    ("most", |_| {}),
    ("days for dates", |s| s.date = s.date.as_ref().map(|date| date[..16].to_owned())),
    ("no dates", |s| s.date = None),
    ("numbers as guids", |s| s.guid = Some(format!("{}", 40_000 + s.number))),
    ("small numbers as guids", |s| s.guid = Some(format!("{}", 40 + s.number))),
    ("tags as guids", |s| s.guid = Some(format!("tag:misto.example,2026-09-25:{}", s.number))),
    ("no guids", |s| s.guid = None),
    ("no links", |s| s.link = None),
    ("the home page as link", |s| s.link = Some("https://misto.example/".to_owned())),
    ("short texts", |s| {
        s.text = format!(
            "Подія {}, подію відвідали. Переглядів: 40. Оновлено: 24.11.2026 о 10:05",
            s.number
        );
    }),
];

pub(crate) fn with(number: usize, act: impl FnOnce(&mut Story)) -> Story {
    let mut story = story(number);
    act(&mut story);
    story
}
