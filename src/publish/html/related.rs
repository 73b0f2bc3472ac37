//! «Читайте також»: the newest articles that share most labels with one, and their excerpts.

use crate::model::article::Article;
use crate::publish::story::Apart;
use crate::publish::story::groups;
use std::cmp::Reverse;
use unicode_segmentation::UnicodeSegmentation;

/// How many articles are offered.
const RELATED_MAX: usize = 5;
/// The longest excerpt, in characters.
const EXCERPT_CHARS_MAX: usize = 160;
/// What a shared label counts: a community says more than a topic, a topic more than a region.
const COMMUNITY: usize = 3;
const TAG: usize = 2;
const REGION: usize = 1;

/// The articles to be read after one, each story once. The article itself, and copies of it, are
/// not among them.
pub(super) fn related<'a>(
    article: &Article,
    candidates: &'a [Article],
    copies: &[&Article],
    apart: &Apart,
) -> Vec<&'a Article> {
    let is_copy =
        |other: &Article| other.id == article.id || copies.iter().any(|copy| copy.id == other.id);
    let mut scored: Vec<(usize, &Article)> = candidates
        .iter()
        .filter(|other| !is_copy(other) && other.labels.excluded_by.is_none())
        .map(|other| (shared(article, other), other))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by_key(|(score, other)| (Reverse(*score), Reverse(other.published), other.id));
    scored.dedup_by_key(|(_, other)| other.id);
    // Among the few that could be shown, copies of one story are one.
    scored.truncate(RELATED_MAX * 3);
    let few: Vec<Article> = scored.iter().map(|(_, other)| (*other).clone()).collect();
    let stories = groups(&few, apart).into_iter().filter_map(|group| group.into_iter().min());
    let mut first: Vec<usize> = stories.collect();
    first.sort_unstable();
    first.into_iter().take(RELATED_MAX).map(|at| scored[at].1).collect()
}

fn shared(one: &Article, other: &Article) -> usize {
    let (one, other) = (&one.labels, &other.labels);
    let communities = one.communities.keys().filter(|id| other.communities.contains_key(id));
    let tags = one.tags.keys().filter(|id| other.tags.contains_key(id));
    let regions = one.regions.keys().filter(|id| other.regions.contains_key(id));
    communities.count() * COMMUNITY + tags.count() * TAG + regions.count() * REGION
}

/// The beginning of a text, cut after a word.
pub(super) fn excerpt(text: &str) -> String {
    if text.graphemes(true).count() <= EXCERPT_CHARS_MAX {
        return text.to_owned();
    }
    let end = text.grapheme_indices(true).nth(EXCERPT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    let head = &text[..end];
    let is_whole = text[end..].starts_with(char::is_whitespace);
    let cut = if is_whole { head } else { head.rsplit_once(' ').map_or(head, |(words, _)| words) };
    format!("{}…", cut.trim_end_matches(|c: char| !c.is_alphanumeric() && !"»”\")!?".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::article::tests::article;
    use crate::model::id::ArticleId;
    use chrono::TimeDelta;

    #[test]
    fn an_excerpt_ends_after_a_word() {
        let word = "слово ".repeat(50);
        assert_eq!(excerpt("Коротко."), "Коротко.");
        let cut = excerpt(&word);
        assert!(cut.ends_with("слово…"), "{cut}");
        assert!(cut.chars().count() <= EXCERPT_CHARS_MAX + 1);
        assert_eq!(excerpt(&"й".repeat(200)).chars().count(), EXCERPT_CHARS_MAX + 1);
        assert_eq!(
            excerpt(&format!("{}, — і далі", "а".repeat(158))),
            format!("{}…", "а".repeat(158))
        );
    }

    #[test]
    fn more_shared_labels_come_first_and_then_what_is_newer() {
        let labelled = |name: &str, tags: &[&str], hours: i64| {
            let mut other = article();
            let why = other.labels.tags.values().next().cloned().unwrap();
            other.id = ArticleId::of(&other.feed, name);
            other.keys.link = None;
            other.title = name.to_owned();
            (other.lead, other.body) = (name.to_owned(), format!("<p>{name}</p>"));
            other.published += TimeDelta::hours(hours);
            other.labels.tags = tags.iter().map(|t| (t.parse().unwrap(), why.clone())).collect();
            other
        };
        let own = labelled("own", &["a", "b"], 0);
        let others = [
            labelled("old", &["a"], -5),
            labelled("new", &["a"], 5),
            labelled("both", &["a", "b"], -9),
            labelled("none", &["c"], 9),
            own.clone(),
        ];
        let related = related(&own, &others, &[], &Apart::default());
        let titles: Vec<&str> = related.iter().map(|article| article.title.as_str()).collect();
        assert_eq!(titles, ["both", "new", "old"]);
    }
}
