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
    let (groups, hidden) = grouped(&rear.before, &rear.standing, apart);
    // Those that are not looked at count as a story each: there are more rounds.
    let unseen = rear.count.saturating_sub(rear.standing.len());
    let mut spare = (groups.len() + unseen).saturating_sub(sizes.front);
    if rear.count >= sizes.crowded() {
        spare = spare.max(sizes.page);
    }
    let mut oldest: Vec<Vec<ArticleId>> =
        groups.into_iter().take(spare).map(|group| ids(&rear.standing, &group)).collect();
    oldest.truncate(oldest.len() / sizes.page * sizes.page);
    Closing {
        pages: oldest.chunks(sizes.page).map(<[_]>::to_vec).collect(),
        hidden: hidden.into_iter().map(|at| rear.standing[at].article.id).collect(),
    }
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

/// The places of what stands, by stories; and the places of copies of what was before.
fn grouped(
    before: &[Article],
    standing: &[Standing],
    apart: Option<&Apart>,
) -> (Vec<Vec<usize>>, Vec<usize>) {
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
    (fresh.collect(), copies.into_iter().flatten().filter_map(place).collect())
}

fn newest_first(article: &Article) -> (Reverse<DateTime<Utc>>, ArticleId) {
    (Reverse(article.published), article.id)
}
