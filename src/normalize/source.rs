//! Who published an article, who wrote it, and in which language.

use crate::model::article::Author;
use crate::model::article::Source;
use crate::model::entry::Person;
use crate::model::entry::TextKind;
use crate::normalize::text::cut;
use crate::normalize::text::plain;
use url::Url;

/// How many authors are kept.
const AUTHORS_MAX: usize = 16;

/// The longest name of a source or an author, in graphemes.
const NAME_GRAPHEMES_MAX: usize = 120;

/// How a text begins that says who published it.
const ATTRIBUTIONS: [&str; 3] = ["про це повідомляє ", "про це повідомляють ", "джерело: "];

/// How many letters of one language only tell it.
const LETTERS_MIN: usize = 3;

/// Whom a text names as its source: «Про це повідомляє …» up to the end of the sentence.
#[must_use]
pub fn attribution(paragraphs: &[String]) -> Option<Source> {
    let named = |paragraph: &String| {
        let lower = paragraph.to_lowercase();
        let start = ATTRIBUTIONS.iter().find(|start| lower.starts_with(*start))?;
        let rest: String = paragraph.chars().skip(start.chars().count()).collect();
        let name = rest.split(['.', '(', ';', '\n']).next().unwrap_or_default().trim();
        let is_name = (3..=NAME_GRAPHEMES_MAX).contains(&name.chars().count());
        is_name.then(|| Source { name: name.to_owned(), url: None })
    };
    paragraphs.iter().find_map(named)
}

/// Authors, without their addresses of electronic mail.
#[must_use]
pub fn authors(people: &[Person], address: impl Fn(&str) -> Option<Url>) -> Vec<Author> {
    let mut authors: Vec<Author> = Vec::new();
    for person in people {
        let given = person.name.as_deref().or(person.email.as_deref()).unwrap_or_default();
        let Some(name) = name_of(&plain(given, TextKind::Unsaid)) else { continue };
        let author = Author { name, url: person.url.as_deref().and_then(&address) };
        if authors.len() < AUTHORS_MAX && !authors.contains(&author) {
            authors.push(author);
        }
    }
    authors
}

/// The name in "press@city.example (Прес-служба)", "Прес-служба <press@city.example>", or a name
/// alone; none in an address alone.
fn name_of(given: &str) -> Option<String> {
    let without_mail = if given.contains('@') {
        let is_mail = |word: &&str| word.contains('@');
        given.split_whitespace().filter(|word| !is_mail(word)).collect::<Vec<_>>().join(" ")
    } else {
        given.to_owned()
    };
    let trimmed = without_mail.trim().trim_matches(['(', ')', '<', '>', '"', ',']).trim();
    (!trimmed.is_empty()).then(|| cut(trimmed, NAME_GRAPHEMES_MAX))
}

/// The language of a text that is told by letters which one language has and the other has not.
#[must_use]
pub fn language_of(text: &str) -> Option<String> {
    let count = |letters: &str| {
        text.chars().flat_map(char::to_lowercase).filter(|c| letters.contains(*c)).count()
    };
    let (ukrainian, russian) = (count("іїєґ"), count("ыэъё"));
    let language = if ukrainian > russian { "uk" } else { "ru" };
    (ukrainian.max(russian) >= LETTERS_MIN && ukrainian != russian).then(|| language.to_owned())
}

/// A language tag in the shape of BCP 47, its primary part in lower case.
#[must_use]
pub fn language_tag(given: &str) -> Option<String> {
    let given = given.trim().replace('_', "-");
    let (primary, rest) = given.split_once('-').unwrap_or((&given, ""));
    let fits = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_primary = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    if !is_primary || !(rest.is_empty() || rest.split('-').all(fits)) || given.len() > 35 {
        return None;
    }
    let primary = primary.to_ascii_lowercase();
    Some(if rest.is_empty() { primary } else { format!("{primary}-{rest}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_that_names_the_source_is_found() {
        for (text, expected) in [
            ("Про це повідомляє офіційний сайт Харківської міської ради.", Some("офіційний сайт Харківської міської ради")),
            ("ДЖЕРЕЛО: Мінрегіон (фото)", Some("Мінрегіон")),
            ("Мер повідомляє про це.", None),
            ("Джерело: .", None),
        ] {
            let found = attribution(&["Перший абзац".to_owned(), text.to_owned()]);
            assert_eq!(found.map(|source| source.name).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_author_is_a_name_and_never_an_address() {
        for (given, expected) in [
            ("press@city.example (Прес-служба)", Some("Прес-служба")),
            ("Прес-служба <press@city.example>", Some("Прес-служба")),
            ("press@city.example", None),
            ("Тетяна Лукеря", Some("Тетяна Лукеря")),
            ("press@x.ua—Прес", None),
            ("", None),
        ] {
            assert_eq!(name_of(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn a_language_is_told_by_its_letters_or_by_a_good_tag() {
        for (text, expected) in [
            ("Її єдність і ґанок", Some("uk")),
            ("Объявлены новые выплаты", Some("ru")),
            ("Погода", None),
            ("City council", None),
        ] {
            assert_eq!(language_of(text).as_deref(), expected, "{text}");
        }
        for (tag, expected) in
            [("UK", Some("uk")), ("en_US", Some("en-US")), ("ukrainian", None), ("", None), ("u", None), ("uk--", None)]
        {
            assert_eq!(language_tag(tag).as_deref(), expected, "{tag}");
        }
    }
}
