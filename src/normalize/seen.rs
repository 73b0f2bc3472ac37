//! What a reader sees of an article, as a digest: two articles have the same if a reader would
//! see no difference.
//!
//! # Why
//! Sites print a counter of views into the text, add tracking parameters, and write attributes in
//! another order after an update. None of it is news, and none of it may become a new revision.

use crate::model::article::Image;
use crate::model::id::Digest;
use crate::normalize::html;
use crate::normalize::identity::canonical;
use crate::normalize::text;
use url::Url;

/// How a word begins after which a counter of views is printed.
const COUNTERS: [&str; 4] = ["перегляд", "просмотр", "прочит", "views"];

/// The digest of what a reader sees. `link` is the canonical one, and `beside` what stands beside
/// the text: the names of authors, the addresses of files.
#[must_use]
pub(crate) fn digest(
    title: &str,
    lead: &str,
    body: &str,
    image: Option<&Image>,
    link: Option<&str>,
    beside: &[String],
) -> Digest {
    let lead = without_counters(lead);
    let words = without_counters(&text::fold(&html::words(body)));
    let picture = image.map(|image| canonical(&image.url)).unwrap_or_default();
    let addresses = addresses_in(body);
    let parts = [title, &lead, &words, &picture, link.unwrap_or_default()];
    let rest = addresses.iter().chain(beside).map(String::as_str);
    Digest::of(parts.into_iter().chain(rest))
}

/// A text without the number after «Переглядів:».
fn without_counters(text: &str) -> String {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let mut kept: Vec<&str> = Vec::new();
    let mut after_counter = false;
    for word in text.split_whitespace().filter(|word| !word.is_empty()) {
        if after_counter && is_number(word) {
            continue;
        }
        let lower = word.to_lowercase();
        after_counter = COUNTERS.iter().any(|counter| lower.starts_with(counter));
        kept.push(word);
    }
    kept.join(" ")
}

/// The addresses of the links and pictures of a sanitised body, in their order.
fn addresses_in(body: &str) -> Vec<String> {
    let mut found: Vec<(usize, &str)> = Vec::new();
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in body.match_indices(attribute) {
            let value = body[at + attribute.len()..].split('"').next().unwrap_or_default();
            found.push((at, value));
        }
    }
    found.sort_unstable();
    let form = |given: &str| match Url::parse(given) {
        Ok(url) if url.has_host() => canonical(&url),
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
