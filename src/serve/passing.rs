//! Pages that answer a question: they are made for whoever asks, and not kept, for of questions there
//! is no end.

use crate::model::id::RegionId;
use crate::model::id::TagId;
use crate::publish::html::compose::COMPOSED_MAX;
use crate::publish::html::compose::Composed;
use crate::publish::html::compose::compose;
use crate::publish::html::compose::composed;
use crate::publish::html::index::found;
use crate::publish::html::language::Language;
use crate::publish::html::lost::lost;
use crate::publish::opml::opml_of;
use crate::serve::documents::DocumentError;
use crate::serve::documents::Documents;
use crate::serve::documents::Rendered;
use crate::serve::view::spoken;
use std::collections::BTreeSet;
use tokio::task::spawn_blocking;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passing {
    /// Which publication has such a name?
    Search(String),
    /// Which publications hold these?
    Compose(BTreeSet<RegionId>, BTreeSet<TagId>),
    /// The same, to be imported in a feed reader.
    Opml(BTreeSet<RegionId>, BTreeSet<TagId>),
    /// What was meant by an address at which there is nothing?
    Lost(String),
}

impl Passing {
    /// The question in an address, and the language in which it is asked, if the address names one.
    #[must_use]
    pub fn of(path: &str, query: &str) -> Option<(Self, Option<Language>)> {
        let path = path.strip_prefix('/')?;
        let (language, below) = spoken(path);
        let mut picked = (BTreeSet::new(), BTreeSet::new());
        let mut wanted = String::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "q" => value.replace(char::is_control, " ").trim().clone_into(&mut wanted),
                "region" if picked.0.len() < COMPOSED_MAX => {
                    picked.0.extend(value.parse::<RegionId>());
                }
                "tag" if picked.1.len() < COMPOSED_MAX => {
                    picked.1.extend(value.parse::<TagId>());
                }
                _ => {}
            }
        }
        match below {
            "" if !wanted.is_empty() => Some((Self::Search(wanted), language)),
            "compose" => Some((Self::Compose(picked.0, picked.1), language)),
            "feeds.opml" if language.is_none() && picked != Default::default() => {
                Some((Self::Opml(picked.0, picked.1), None))
            }
            _ => None,
        }
    }
}

impl Documents {
    /// The answer to a question.
    ///
    /// # Errors
    /// The store does not say what it holds.
    pub async fn passing(
        &self,
        question: Passing,
        language: Language,
    ) -> Result<Rendered, DocumentError> {
        let _turn = self.turn().await;
        let shelves = self.store().shelves().await?;
        let documents = self.clone();
        let making = spawn_blocking(move || {
            let imprint = documents.imprint();
            let masthead = imprint.masthead();
            match &question {
                Passing::Search(query) => {
                    found(masthead, language, &shelves, imprint.names(), query)
                }
                Passing::Compose(regions, tags) => {
                    compose(masthead, language, &shelves, (regions, tags))
                }
                Passing::Opml(regions, tags) => {
                    let Composed { whole, parts } = composed(masthead, regions, tags);
                    let chosen = if parts.is_empty() { whole.into_iter().collect() } else { parts };
                    opml_of(masthead, &shelves, &chosen)
                }
                Passing::Lost(path) => lost(masthead, language, &shelves, imprint.names(), path),
            }
        });
        Ok(Rendered::new(making.await?, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_from_its_address() {
        let regions = |ids: &[&str]| ids.iter().map(|id| id.parse().unwrap()).collect();
        let tags = |ids: &[&str]| ids.iter().map(|id| id.parse().unwrap()).collect();
        let search = |text: &str| Passing::Search(text.to_owned());
        let uk = Some(Language::Ukrainian);
        for (path, query, expected) in [
            ("/", "q=%D1%85", Some((search("х"), None))),
            ("/uk/", "q=+a+b+", Some((search("a b"), uk))),
            ("/uk/", "q=", None),
            ("/uk/all", "q=a", None),
            ("/uk/compose", "", Some((Passing::Compose(regions(&[]), tags(&[])), uk))),
            (
                "/compose",
                "region=a&region=b&tag=c&tag=../d&x=y",
                Some((Passing::Compose(regions(&["a", "b"]), tags(&["c"])), None)),
            ),
            ("/feeds.opml", "tag=c", Some((Passing::Opml(regions(&[]), tags(&["c"])), None))),
            ("/feeds.opml", "x=c", None),
        ] {
            assert_eq!(Passing::of(path, query), expected, "{path}?{query}");
        }
    }
}
