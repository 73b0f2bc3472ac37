//! What stands around an article on its page.

use crate::model::article::Article;

/// An article, and what is shown beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Surroundings {
    /// The article.
    pub article: Article,
    /// How often its page here was read.
    pub reads: u64,
    /// What was published at about the same time: copies of its story are among these.
    pub near: Vec<Article>,
    /// The newest articles that share a label with it.
    pub kin: Vec<Article>,
}
