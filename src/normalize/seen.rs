//! What a reader sees of an article, as a digest: two articles have the same if a reader would
//! see no difference.
//!
//! # Why
//! Sites print a counter of views into the text, add tracking parameters, and write attributes in
//! another order after an update. None of it is news, and none of it may become a new revision.

use crate::model::article::Image;
use crate::model::id::Digest;
use crate::normalize::dates::words;
use crate::normalize::html;
use crate::normalize::identity::canonical;
use crate::normalize::text;
use url::Url;

/// How a word begins after which a counter of views is printed.
const COUNTERS: [&str; 7] =
    ["перегляд", "просмотр", "прочит", "views", "коментар", "комментар", "comments"];
/// How a word begins after which, and a colon, the time is printed.
const CLOCKS: [&str; 6] = ["оновлен", "обновлен", "згенерован", "updated", "generated", "зараз"];

/// The digest of what a reader sees. `page` is where the article is, which is no part of it: a
/// site that moves has edited nothing. `beside` is what stands beside the text: the names of
/// authors, the addresses of files.
#[must_use]
pub(crate) fn digest(
    title: &str,
    lead: &str,
    body: &str,
    image: Option<&Image>,
    page: Option<&Url>,
    beside: &[String],
) -> Digest {
    let lead = without_counters(lead);
    let said = without_counters(&text::fold(&html::words(body)));
    let picture = image.map(|image| address(&image.url, page)).unwrap_or_default();
    let addresses = addresses_in(body, page);
    let parts = [title, &lead, &said, &picture];
    let rest = addresses.iter().chain(beside).map(String::as_str);
    Digest::of(parts.into_iter().chain(rest))
}

/// The address of a part of an article, without the host if that is the article's own.
pub(crate) fn address(url: &Url, page: Option<&Url>) -> String {
    let host = |url: &Url| url.host_str().map(|host| host.trim_start_matches("www.").to_owned());
    let address = canonical(url);
    match page.and_then(host).filter(|own| host(url).as_ref() == Some(own)) {
        Some(own) => address.strip_prefix(&own).unwrap_or(&address).to_owned(),
        None => address,
    }
}

/// A text without the number beside «Переглядів:», and without the time behind «Оновлено:».
fn without_counters(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut skipped = Skipped::Nothing;
    for word in text.split_whitespace() {
        let is_skipped = match skipped {
            Skipped::Nothing => false,
            Skipped::Count => is_number(word),
            Skipped::Time => is_number(word) || is_of_date(word),
        };
        if is_skipped {
            // What comes behind its end is text again.
            if skipped == Skipped::Count && word.ends_with(['.', ',', ';', ')', '|']) {
                skipped = Skipped::Nothing;
            }
            continue;
        }
        let lower = word.trim_start_matches(['(', '|', '«']).to_lowercase();
        let begins = |stems: &[&str]| stems.iter().any(|stem| lower.starts_with(stem));
        skipped = if begins(&COUNTERS) {
            Skipped::Count
        } else if begins(&CLOCKS) && lower.ends_with(':') {
            Skipped::Time
        } else {
            Skipped::Nothing
        };
        // «4087 переглядів»
        while skipped == Skipped::Count
            && !lower.ends_with(':')
            && kept.last().is_some_and(|last| is_number(last))
        {
            kept.pop();
        }
        kept.push(word);
    }
    kept.join(" ")
}

/// What is passed over behind a word.
#[derive(Clone, Copy, PartialEq)]
enum Skipped {
    Nothing,
    Count,
    Time,
}

/// `4087`, `4,087` and `(4087)`; with `:`, `/` and `-` a time or a date.
fn is_number(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '(' | ')' | '|' | ';');
    word.contains(|c: char| c.is_ascii_digit()) && word.chars().all(is_part)
}

fn is_of_date(word: &str) -> bool {
    let bare = word.trim_matches([',', '.', ';', '|', '(', ')', '-']).to_lowercase();
    let is_numeric = bare.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '/' | '-'));
    is_numeric
        || matches!(bare.as_str(), "о" | "об" | "в" | "року" | "р" | "сьогодні" | "вчора")
        || words::month(&bare).is_some()
}

/// The addresses of the links and pictures of a sanitised body, in their order.
fn addresses_in(body: &str, page: Option<&Url>) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in body.match_indices(attribute) {
            let value = body[at + attribute.len()..].split('"').next().unwrap_or_default();
            found.push((at, value));
        }
    }
    found.sort_unstable();
    let form = |given: &str| match Url::parse(given) {
        Ok(url) if url.has_host() => address(&url, page),
        _ => given.to_owned(),
    };
    found.into_iter().map(|(_, value)| form(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Digest {
        digest("Назва", "Лід", body, None, None, &[])
    }

    #[test]
    fn what_counts_or_tells_the_time_is_no_difference() {
        for (one, other) in [
            ("Переглядів: 40", "Переглядів: 1 041"),
            ("Переглядів: 40. Далі", "Переглядів: 41. Далі"),
            ("Так (переглядів: 40)", "Так (переглядів: 41)"),
            ("40 переглядів", "1 041 переглядів"),
            ("Коментарів: 0", "Коментарів: 12"),
            ("Оновлено: 24.11.2026 о 14:16", "Оновлено: 25.11.2026 о 9:05"),
            ("Оновлено: 24 листопада 2026, 14:16 Далі", "Оновлено: 3 грудня 2026, 9:05 Далі"),
            ("Updated: 14:16:05", "Updated: 14:16:06"),
        ] {
            assert_eq!(without_counters(one), without_counters(other));
        }
        for (one, other) in [
            ("Переглядів: 40. 5 липня", "Переглядів: 40. 6 липня"),
            ("Початок о 14:00", "Початок о 15:00"),
            ("Станом на 14:00", "Станом на 15:00"),
            ("Оновлено 5 шкіл", "Оновлено 6 шкіл"),
            ("Подали 40 заяв", "Подали 41 заяв"),
        ] {
            assert_ne!(without_counters(one), without_counters(other));
        }
    }

    #[test]
    fn a_site_that_moves_has_edited_nothing() {
        let on = |host: &str| {
            let page = Url::parse(&format!("https://{host}/1")).unwrap();
            let image = Image {
                url: page.join("/a.jpg").unwrap(),
                alt: None,
                caption: None,
                width: None,
                height: None,
            };
            let body = format!("<p><a href=\"https://{host}/2\" rel=\"ugc\">далі</a></p>");
            digest("Назва", "Лід", &body, Some(&image), Some(&page), &[])
        };
        assert_eq!(on("misto.example"), on("www.rada.example"));
        let page = Url::parse("https://misto.example/1").unwrap();
        let of = |url: &str| address(&Url::parse(url).unwrap(), Some(&page));
        assert_eq!(of("http://www.misto.example/a.jpg"), "/a.jpg");
        assert_eq!(of("http://rada.example/a.jpg"), "rada.example/a.jpg");
        assert_eq!(of("http://misto.example.org/a.jpg"), "misto.example.org/a.jpg");
    }

    #[test]
    fn what_no_reader_sees_is_no_difference() {
        let body =
            "<p>Текст <a href=\"https://a.example/1\" rel=\"ugc\">далі</a> Переглядів: 40</p>";
        for same in [
            "<p>Текст  <a href=\"https://a.example/1\" rel=\"ugc\">далі</a> Переглядів: 41</p>",
            "<p>Текст <a rel=\"ugc\" href=\"https://a.example/1\">далі</a>\n Переглядів: 40</p>",
            "<p>Текст <a href=\"http://www.a.example/1?utm_source=x\" rel=\"ugc\">далі</a> Переглядів: 7</p>",
        ] {
            assert_eq!(of(same), of(body), "{same}");
        }
        for other in [
            "<p>Текст <a href=\"https://a.example/2\" rel=\"ugc\">далі</a> Переглядів: 40</p>",
            "<p>Тексти <a href=\"https://a.example/1\" rel=\"ugc\">далі</a> Переглядів: 40</p>",
            "<p>Текст <a href=\"https://a.example/1\" rel=\"ugc\">далі</a> Рядків: 41</p>",
        ] {
            assert_ne!(of(other), of(body), "{other}");
        }
    }
}
