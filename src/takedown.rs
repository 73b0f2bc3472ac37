//! An article that the admin takes down: it leaves every publication, pages of archives included,
//! readers are told, and no poll brings it back.

use crate::explain::find;
use crate::explain::removed;
use crate::model::front::Removal;
use crate::model::front::Remover;
use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeSet;

/// The longest reason, in characters.
pub const WHY_CHARS_MAX: usize = 200;

/// How many articles with one page are taken down in one go.
const COPIES_MAX: usize = 20;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takedown {
    /// It is gone.
    Done {
        /// Its id.
        id: ArticleId,
        /// Its headline.
        title: String,
        /// The publications that it was in, and its copies.
        from: BTreeSet<Selection>,
        /// Articles of other feeds with the same page, which are gone too.
        copies: Vec<ArticleId>,
    },
    /// It was gone before.
    Before(ArticleId, Removal),
    /// There is no such article.
    Unknown,
}

impl Takedown {
    /// What came of it, in words; none if there is no such article.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Before(id, removal) => Some(format!("article {id} {}", removed(removal))),
            Self::Done { id, title, from, copies } => {
                let from: Vec<String> = from.iter().map(|of| format!("/{}", of.path())).collect();
                let copies: Vec<String> = copies.iter().map(ToString::to_string).collect();
                let copies = match copies.as_slice() {
                    [] => String::new(),
                    copies => format!(" and its copies {}", copies.join(", ")),
                };
                Some(format!("took down article {id} «{title}»{copies}, from {}", from.join(", ")))
            }
        }
    }
}

/// A reason as it is kept: one line, and not too long; none if it says nothing.
#[must_use]
pub fn reason(why: &str) -> Option<String> {
    let line = why.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_fit = !line.is_empty() && line.chars().count() <= WHY_CHARS_MAX;
    is_fit.then_some(line)
}

/// Takes an article down, by its id, its id in Atom, or the address of its page.
///
/// # Errors
/// The store does not answer.
pub async fn take_down(
    store: &Store,
    what: &str,
    why: &str,
    at: DateTime<Utc>,
) -> Result<Takedown, StoreError> {
    let Some(id) = find(store, what).await? else { return Ok(Takedown::Unknown) };
    let article = store.article(id).await?;
    let removal = Removal { by: Remover::Admin, why: why.to_owned(), at };
    if let (Some(article), Some(mut from)) = (article, store.remove(id, removal.clone()).await?) {
        let mut copies = Vec::new();
        // A page may be in several feeds. By its id only one article is meant.
        while copies.len() < COPIES_MAX
            && what.parse::<ArticleId>().is_err()
            && let Some(copy) = find(store, what).await?
            && let Some(selections) = store.remove(copy, removal.clone()).await?
        {
            from.extend(selections);
            copies.push(copy);
        }
        return Ok(Takedown::Done { id, title: article.headline().to_owned(), from, copies });
    }
    let before = store.removal(id).await?;
    Ok(before.map_or(Takedown::Unknown, |removal| Takedown::Before(id, removal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        assert_eq!(reason(" за рішенням\n суду "), Some("за рішенням суду".to_owned()));
        assert_eq!(reason(" \n"), None);
        assert_eq!(reason(&"а".repeat(WHY_CHARS_MAX + 1)), None);
    }
}
