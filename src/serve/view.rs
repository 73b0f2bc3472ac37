//! The pages for people: which there are, and where.

use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::publish::html::language::LANGUAGES;
use crate::publish::html::language::Language;
use crate::publish::sheet::at as sheet_at;
use crate::publish::sheet::path as sheet_path;

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum View {
    /// Where people find a feed.
    Index,
    /// The front of a publication, or the page of its archive with this number.
    Publication(Selection, Option<u64>),
    /// An article.
    Article(ArticleId),
    /// All sources, and how they do.
    Sources,
    /// What the site says of itself.
    About,
}

impl View {
    /// Its address below that of a language.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Index => String::new(),
            Self::Publication(selection, number) => sheet_path(selection, *number),
            Self::Article(id) => format!("articles/{id}"),
            Self::Sources => "sources".to_owned(),
            Self::About => "about".to_owned(),
        }
    }

    /// What is at an address below that of a language, whether or not there is such a thing.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "" => Some(Self::Index),
            "sources" => Some(Self::Sources),
            "about" => Some(Self::About),
            _ => match path.strip_prefix("articles/") {
                // Of one article there is one address.
                Some(id) => {
                    let article: ArticleId = id.parse().ok()?;
                    (article.to_string() == id).then_some(Self::Article(article))
                }
                None => {
                    sheet_at(path).map(|(selection, number)| Self::Publication(selection, number))
                }
            },
        }
    }
}

/// The language that an address begins with, and what is below it; none for an address at which
/// everybody is answered in his own.
#[must_use]
pub fn spoken(path: &str) -> (Option<Language>, &str) {
    let below = |language: Language| {
        let rest = path.strip_prefix(language.code())?;
        if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
    };
    let found = LANGUAGES.into_iter().find_map(|language| Some((language, below(language)?)));
    found.map_or((None, path), |(language, rest)| (Some(language), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_at_its_own_address_and_at_no_other() {
        let id = "0123456789abcdef0123456789abcdef";
        for path in
            ["", "all", "regions/kharkivska/archive/2", "sources", "sources/kharkiv", "about"]
                .into_iter()
                .map(str::to_owned)
                .chain([format!("articles/{id}")])
        {
            assert_eq!(View::at(&path).unwrap().path(), path);
        }
        for path in
            ["articles", "articles/", "articles/1", &format!("articles/{}", id.to_uppercase())]
        {
            assert_eq!(View::at(path), None, "{path}");
        }
    }

    #[test]
    fn an_address_names_its_language_first() {
        for (path, expected) in [
            ("uk", (Some(Language::Ukrainian), "")),
            ("uk/", (Some(Language::Ukrainian), "")),
            ("en/all", (Some(Language::English), "all")),
            ("ukr/all", (None, "ukr/all")),
            ("all", (None, "all")),
            ("", (None, "")),
        ] {
            assert_eq!(spoken(path), expected, "{path}");
        }
    }
}
