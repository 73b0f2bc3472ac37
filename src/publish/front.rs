//! What stands on the front of a publication, and what goes from there to its archive (RFC 5005).
//!
//! The front has the stories that came last, as many as the admin wants, and up to half as many
//! more: when it has those too, the oldest half goes to a page of the archive, which is closed for
//! good. So no story is on the front and on a page, and none is on neither.
//!
//! Copies of one story go together. A copy that comes when the story is on one of the newest pages
//! already is no news: it is not shown.

use crate::model::article::Article;
use crate::model::front::Closing;
use crate::model::front::Front;
use crate::model::front::Rear;
use crate::model::front::Standing;
use crate::model::id::ArticleId;
use crate::model::publication::Selection;
use crate::publish::story::Apart;
use crate::publish::story::groups;
use crate::publish::story::united;
use chrono::DateTime;
use chrono::Utc;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many copies of one story are kept in sight: who repeats it without end pushes nothing else
/// off the front.
const COPIES_MAX: usize = 8;

/// How many stories a front has, and how many a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The least that a front has, if there are as many.
    pub front: usize,
    /// What a page has.
    pub page: usize,
}

impl Sizes {
    /// For so many entries in a document at least.
    #[must_use]
    pub fn of(entries: usize) -> Self {
        Self { front: entries, page: entries.div_ceil(2).max(1) }
    }

    /// From how many articles on it is worth looking whether a page can be closed.
    #[must_use]
    pub fn closing(self) -> usize {
        self.front + self.page
    }

    /// From how many articles on a page is closed, however few stories they are.
    #[must_use]
    pub fn crowded(self) -> usize {
        self.closing() + self.front
    }
}

/// A story on a front.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// As it is shown.
    pub article: Article,
    /// When it came there or last changed there.
    pub changed: DateTime<Utc>,
}

/// Why the articles of a selection are united, or not: those of a source are each its own.
#[must_use]
pub fn uniting<'a>(selection: &Selection, apart: &'a Apart) -> Option<&'a Apart> {
    (!matches!(selection, Selection::Source(_))).then_some(apart)
}

/// The stories of a front, the newest first. `apart` says what is no story with others; without
/// it every article is its own.
#[must_use]
pub fn stories(front: Front, apart: Option<&Apart>) -> Vec<Story> {
    let (groups, _) = grouped(&front.before, &front.standing, apart);
    let mut slots: Vec<Option<Standing>> = front.standing.into_iter().map(Some).collect();
    let mut stories: Vec<Story> = groups
        .into_iter()
        .filter_map(|group| {
            let copies: Vec<Standing> =
                group.into_iter().filter_map(|at| slots[at].take()).collect();
            let changed = copies.iter().map(|copy| copy.changed).max()?;
            let mut articles = BTreeMap::new();
            for copy in copies {
                for companion in copy.companions {
                    articles.entry(companion.id).or_insert(companion);
                }
                articles.insert(copy.article.id, copy.article);
            }
            Some(Story { article: united(articles.into_values().collect())?, changed })
        })
        .collect();
    stories.sort_by_key(|story| newest_first(&story.article));
    stories
}

/// The stories of a page, the newest first.
#[must_use]
pub fn page(stories: Vec<Vec<Article>>) -> Vec<Article> {
    let mut stories: Vec<Article> = stories.into_iter().filter_map(united).collect();
    stories.sort_by_key(newest_first);
    stories
}

/// The pages that can be closed.
#[must_use]
pub fn closing(rear: &Rear, sizes: Sizes, apart: Option<&Apart>) -> Closing {
    let (mut groups, mut hidden) = grouped(&rear.before, &rear.standing, apart);
    for group in &mut groups {
        let shown = rear.standing[group[0]].article.id;
        let repeated = group.drain(COPIES_MAX.min(group.len())..);
        hidden.extend(repeated.map(|at| (rear.standing[at].article.id, shown)));
    }
    // Those that are not looked at count as a story each: there are more rounds.
    let unseen = rear.count.saturating_sub(rear.standing.len());
    let is_crowded = rear.count - hidden.len() >= sizes.crowded();
    let spare = (groups.len() + unseen).saturating_sub(sizes.front).min(groups.len());
    let mut spare = spare / sizes.page * sizes.page;
    if is_crowded && spare == 0 {
        // Few stories with many copies each: half of them stay.
        spare = sizes.page.min(groups.len() / 2);
    }
    let oldest: Vec<Vec<ArticleId>> =
        groups.into_iter().take(spare).map(|group| ids(&rear.standing, &group)).collect();
    Closing { pages: oldest.chunks(sizes.page).map(<[_]>::to_vec).collect(), hidden }
}

/// The ids of what a story is made of, companions after the articles that stand.
fn ids(standing: &[Standing], group: &[usize]) -> Vec<ArticleId> {
    let mut ids: Vec<ArticleId> = group.iter().map(|at| standing[*at].article.id).collect();
    for companion in group.iter().flat_map(|at| &standing[*at].companions) {
        if !ids.contains(&companion.id) {
            ids.push(companion.id);
        }
    }
    ids
}

/// The places of what stands, by stories; and the copies of what was before, each with an article
/// of its story.
fn grouped(
    before: &[Article],
    standing: &[Standing],
    apart: Option<&Apart>,
) -> (Vec<Vec<usize>>, Vec<(ArticleId, ArticleId)>) {
    let Some(apart) = apart else {
        return ((0..standing.len()).map(|at| vec![at]).collect(), Vec::new());
    };
    let standing = standing.iter().map(|standing| &standing.article);
    let all: Vec<Article> = before.iter().chain(standing).cloned().collect();
    let (copies, fresh): (Vec<Vec<usize>>, Vec<Vec<usize>>) = groups(&all, apart)
        .into_iter()
        .partition(|group| group.iter().any(|at| *at < before.len()));
    let place = |at: usize| at.checked_sub(before.len());
    let fresh = fresh.into_iter().map(|group| group.into_iter().filter_map(place).collect());
    let mut hidden = Vec::new();
    for group in copies {
        let shown = group.iter().find(|at| **at < before.len()).map(|at| all[*at].id);
        let late = group.iter().filter(|at| **at >= before.len());
        hidden.extend(late.filter_map(|at| Some((all[*at].id, shown?))));
    }
    (fresh.collect(), hidden)
}

fn newest_first(article: &Article) -> (Reverse<DateTime<Utc>>, ArticleId) {
    (Reverse(article.published), article.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::article::Keys;
    use crate::model::article::tests::article as sample;
    use crate::model::id::Digest;
    use chrono::TimeDelta;

    const SIZES: Sizes = Sizes { front: 4, page: 2 };

    fn article(n: u8) -> Article {
        let at = DateTime::UNIX_EPOCH + TimeDelta::hours(i64::from(n));
        let digest = Digest([n; 16]);
        Article {
            id: ArticleId(digest),
            iri: format!("urn:{n}"),
            keys: Keys { entry: digest, link: Some(digest), title: digest, content: digest },
            title: format!("Новина {n}"),
            lead: String::new(),
            body: String::new(),
            published: at,
            updated: at,
            first_seen: at,
            ..sample()
        }
    }

    /// Another article with the title and the page of one.
    fn copy(n: u8, of: u8) -> Article {
        Article { keys: article(of).keys, ..article(n) }
    }

    fn standing(article: Article) -> Standing {
        Standing { changed: article.first_seen, article, companions: Vec::new() }
    }

    fn rear(articles: Vec<Article>, before: Vec<Article>) -> Rear {
        let standing: Vec<Standing> = articles.into_iter().map(standing).collect();
        Rear { count: standing.len(), standing, last_number: 0, before }
    }

    fn ids(of: &[u8]) -> Vec<ArticleId> {
        of.iter().map(|n| article(*n).id).collect()
    }

    #[test]
    fn the_oldest_stories_go_to_pages_and_their_copies_with_them() {
        let apart = Apart::default();
        let close = |articles, before| closing(&rear(articles, before), SIZES, Some(&apart));
        let five: Vec<Article> = (1..=5).map(article).collect();
        assert_eq!(close(five.clone(), Vec::new()), Closing::default());
        let six: Vec<Article> = (1..=6).map(article).collect();
        let page = |stories: &[&[u8]]| stories.iter().map(|story| ids(story)).collect::<Vec<_>>();
        let expected = Closing { pages: vec![page(&[&[1], &[2]])], hidden: Vec::new() };
        assert_eq!(close(six.clone(), Vec::new()), expected);
        // A copy is no story of its own, and goes with its story.
        let with_a_copy = [six.clone(), vec![copy(7, 2)]].concat();
        let expected = Closing { pages: vec![page(&[&[1], &[2, 7]])], hidden: Vec::new() };
        assert_eq!(close(with_a_copy, Vec::new()), expected);
        // A copy of what is on a page is hidden at once.
        let late = [five, vec![copy(8, 100)]].concat();
        let hidden = |copy: u8, of: u8| (article(copy).id, article(of).id);
        let expected = Closing { pages: Vec::new(), hidden: vec![hidden(8, 100)] };
        assert_eq!(close(late, vec![article(100)]), expected);
        // However many copies there are: a front does not grow without end.
        let crowd = (1..=10).map(|n| copy(n, 1)).collect();
        let expected = Closing { pages: Vec::new(), hidden: vec![hidden(9, 1), hidden(10, 1)] };
        assert_eq!(close(crowd, Vec::new()), expected);
        let crowd = (1..=12).map(|n| copy(n, n / 7)).collect();
        let pages = vec![page(&[&[1, 2, 3, 4, 5, 6]])];
        assert_eq!(close(crowd, Vec::new()), Closing { pages, hidden: Vec::new() });
    }

    #[test]
    fn a_front_shows_each_story_once_and_an_edit_as_what_it_was() {
        let apart = Apart::default();
        let edited = Standing { companions: vec![copy(1, 3)], ..standing(article(3)) };
        let front = Front {
            standing: vec![
                standing(article(9)),
                standing(copy(8, 9)),
                standing(copy(7, 100)),
                edited,
            ],
            before: vec![article(100)],
            ..Front::default()
        };
        let shown = stories(front.clone(), Some(&apart));
        let iris = |stories: &[Story]| {
            stories.iter().map(|story| story.article.iri.clone()).collect::<Vec<_>>()
        };
        // The story is known by who was seen first, and has changed when its last copy came.
        assert_eq!(iris(&shown), ["urn:8", "urn:1"]);
        assert_eq!(shown[0].changed, article(9).first_seen);
        assert_eq!(shown[1].changed, article(3).first_seen);
        assert_eq!(iris(&stories(front, None)), ["urn:9", "urn:8", "urn:7", "urn:1"]);
    }
}
