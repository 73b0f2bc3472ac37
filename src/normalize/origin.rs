//! Who published an article, who wrote it, in which language, under which categories.

use crate::model::address::keyless;
use crate::model::article::Author;
use crate::model::article::Origin;
use crate::model::article::Source;
use crate::model::entry::Category;
use crate::model::entry::Entry;
use crate::model::entry::Person;
use crate::model::feed::Address;
use crate::normalize::Frame;
use crate::normalize::dates;
use crate::normalize::identity;
use crate::normalize::text;
use crate::normalize::web;
use chrono::DateTime;
use chrono::Utc;
use url::Url;

/// How many categories of an entry are kept.
const CATEGORIES_MAX: usize = 64;
/// How long a category may be, in graphemes.
const CATEGORY_GRAPHEMES_MAX: usize = 100;
/// How long a statement of rights may be, in graphemes.
const RIGHTS_GRAPHEMES_MAX: usize = 500;
/// How many authors are kept.
const AUTHORS_MAX: usize = 16;
/// How long a name may be, in graphemes.
const NAME_GRAPHEMES_MAX: usize = 120;

/// Whom the entry names, else whom its text names, else the feed.
pub(crate) fn source(frame: &Frame<'_>, entry: &Entry, body: &str) -> Source {
    let base = frame.base(entry);
    let named = entry.source.as_ref().and_then(|source| {
        let url = source.url.as_deref().and_then(|url| web(url, base.as_ref()));
        let name = source.title.as_deref().map(name).filter(|name| !name.is_empty());
        let name = name.or_else(|| url.as_ref()?.host_str().map(str::to_owned))?;
        Some(Source { name, url })
    });
    named
        .or_else(|| attribution(&text::of_html(body)).map(|name| Source { name, url: None }))
        .unwrap_or_else(|| Source { name: title(frame), url: frame.site.clone() })
}

fn title(frame: &Frame<'_>) -> String {
    let admin = text::fold(&frame.feed.title);
    if admin.is_empty() { frame.feed.id.to_string() } else { admin }
}

/// The name in «Про це повідомляє …», up to the full stop.
fn attribution(words: &str) -> Option<String> {
    const CUES: [&str; 5] =
        ["ро це повідомляє ", "ро це повідомляють ", "ро це інформує ", "ро це пише ", "Джерело: "];
    let (start, cue) = CUES.iter().filter_map(|cue| Some((words.find(cue)?, cue))).min()?;
    let rest = &words[start + cue.len()..];
    let end = rest.find([',', ';', '!', '?', '\n']).into_iter().chain(full_stop(rest)).min();
    let name = rest[..end.unwrap_or(rest.len())].trim();
    let short = !name.is_empty() && name.chars().count() <= NAME_GRAPHEMES_MAX;
    short.then(|| name.to_owned())
}

/// The first full stop with a space behind it, and no abbreviation before it.
fn full_stop(words: &str) -> Option<usize> {
    words.match_indices('.').map(|(i, _)| i).find(|i| {
        let word = words[..*i].rsplit(' ').next().unwrap_or("");
        (words[i + 1..].starts_with(' ') || i + 1 == words.len()) && word.chars().count() > 2
    })
}

/// What the document said of itself.
pub(crate) fn origin(frame: &Frame<'_>) -> Origin {
    let feed_url = match &frame.feed.address {
        // All readers are told it.
        Address::Http(url) => Some(keyless(url)),
        Address::File(_) => None,
    };
    let own = frame.parsed.id.as_deref().map(str::trim).and_then(identity::iri);
    // Many a document gives as its id the address at which it was asked for.
    let own = own.filter(|own| Url::parse(own).is_ok_and(|url| keyless(&url) == url));
    let iri = own.map(str::to_owned).or_else(|| feed_url.as_ref().map(Url::to_string));
    let base = frame.site.as_ref().unwrap_or(frame.document_url);
    Origin {
        iri: iri.unwrap_or_else(|| frame.feed.tagging.mint(&format!("feeds/{}", frame.feed.id))),
        title: title(frame),
        feed_url,
        site_url: frame.site.clone(),
        icon: frame.parsed.icon.as_deref().and_then(|icon| web(icon, Some(base))),
        rights: frame.parsed.rights.as_deref().and_then(rights),
        updated: updated(frame),
    }
}

/// When the document last changed; what is not yet is not believed.
fn updated(frame: &Frame<'_>) -> Option<DateTime<Utc>> {
    let said = dates::date(frame.parsed.updated.as_deref()?, frame.feed.timezone, frame.now)?;
    Some(said.min(frame.now))
}

/// Whose text it is, in words.
pub(crate) fn rights(given: &str) -> Option<String> {
    Some(text::bounded(&text::unsaid(given), RIGHTS_GRAPHEMES_MAX)).filter(|r| !r.is_empty())
}

/// Who wrote it, else who writes in the feed; addresses of electronic mail are left out.
pub(crate) fn authors(frame: &Frame<'_>, entry: &Entry) -> Vec<Author> {
    let people = if entry.authors.is_empty() { &frame.parsed.authors } else { &entry.authors };
    let mut authors: Vec<Author> = Vec::new();
    for author in people.iter().filter_map(author) {
        if authors.len() < AUTHORS_MAX && !authors.contains(&author) {
            authors.push(author);
        }
    }
    authors
}

fn author(person: &Person) -> Option<Author> {
    let name = name(person.name.as_deref()?);
    let words = name.split(' ').filter(|word| !word.contains('@'));
    let words = words.collect::<Vec<_>>().join(" ");
    let inside =
        if name.contains('@') { words.trim_matches(['(', ')', '<', '>', ' ']) } else { &words };
    let url = person.url.as_deref().and_then(|url| web(url, None));
    (!inside.is_empty()).then(|| Author { name: inside.to_owned(), url })
}

fn name(given: &str) -> String {
    text::bounded(&text::unsaid(given), NAME_GRAPHEMES_MAX)
}

/// The entry's own categories, those that are not empty.
pub(crate) fn categories(entry: &Entry) -> Vec<Category> {
    let short = |given: &str| text::bounded(&text::unsaid(given), CATEGORY_GRAPHEMES_MAX);
    let mut kept: Vec<Category> = Vec::new();
    for category in &entry.categories {
        let label = category.label.as_deref().map(short).filter(|label| !label.is_empty());
        let mut term = short(&category.term);
        if term.is_empty() {
            term = label.clone().unwrap_or_default();
        }
        let scheme = category.scheme.as_deref().map(short).filter(|scheme| !scheme.is_empty());
        let category = Category { term, scheme, label };
        if !category.term.is_empty() && kept.len() < CATEGORIES_MAX && !kept.contains(&category) {
            kept.push(category);
        }
    }
    kept
}

/// The entry's language; else what its letters say, since many sites leave the `en-US` of their
/// software in place; else the document's; else the feed's.
pub(crate) fn language(frame: &Frame<'_>, entry: &Entry, words: &[&str]) -> Option<String> {
    let said = |tag: &Option<String>| tag.as_deref().and_then(well_formed);
    said(&entry.language)
        .or_else(|| language_of_letters(words))
        .or_else(|| said(&frame.parsed.language))
        .or_else(|| said(&frame.feed.language))
}

/// Ukrainian or Russian, if letters that only one of them has are there.
fn language_of_letters(words: &[&str]) -> Option<String> {
    let count = |letters: &str| {
        let all = words.iter().flat_map(|text| text.chars()).flat_map(char::to_lowercase);
        all.filter(|letter| letters.contains(*letter)).count()
    };
    let (ukrainian, russian) = (count("іїєґ"), count("ыэъё"));
    let language = if ukrainian > russian { "uk" } else { "ru" };
    (ukrainian != russian).then(|| language.to_owned())
}

/// A tag of the shape of BCP 47 (RFC 5646, 2.1), its first part in lower case.
fn well_formed(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let (primary, rest) = tag.split_once('-').map_or((tag.as_str(), None), |(p, r)| (p, Some(r)));
    let letters =
        (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
    let part = |p: &str| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
    let shaped = letters && tag.len() <= 35 && rest.is_none_or(|rest| rest.split('-').all(part));
    let rest = rest.map_or(String::new(), |rest| format!("-{rest}"));
    shaped.then(|| format!("{}{rest}", primary.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribution_names_its_source() {
        for (words, expected) in [
            (
                "Текст. Про це повідомляє Харківська міська рада. Далі",
                Some("Харківська міська рада"),
            ),
            ("Джерело: сайт м. Харків.", Some("сайт м. Харків")),
            ("Нічого про це.", None),
        ] {
            assert_eq!(attribution(words).as_deref(), expected);
        }
    }

    #[test]
    fn an_author_has_no_mail_address() {
        for (given, expected) in [
            ("press@x.example (Прес-служба)", Some("Прес-служба")),
            ("press@x.example", None),
            ("Олена К.", Some("Олена К.")),
        ] {
            let person = Person { name: Some(given.to_owned()), ..Person::default() };
            assert_eq!(author(&person).map(|author| author.name).as_deref(), expected);
        }
    }

    #[test]
    fn a_language_is_told_by_the_letters_that_only_it_has() {
        for (words, expected) in [
            ("Її єдність і ґанок", Some("uk")),
            ("Объявлены новые выплаты", Some("ru")),
            ("Погода", None),
            ("City council", None),
        ] {
            assert_eq!(language_of_letters(&[words]).as_deref(), expected, "{words}");
        }
    }

    #[test]
    fn a_language_has_the_shape_of_a_tag() {
        for (given, expected) in
            [("UK", Some("uk")), ("uk_UA", Some("uk-UA")), ("українська", None), ("", None)]
        {
            assert_eq!(well_formed(given).as_deref(), expected);
        }
    }
}
