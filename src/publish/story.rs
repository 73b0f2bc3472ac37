//! One article for each story: feeds that carry the same page, or the same text, are one to a
//! subscriber.

use crate::classify::alike::pairs;
use crate::model::article::Article;
use crate::model::article::Author;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use chrono::DateTime;
use chrono::Utc;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use url::Url;

/// What the admin keeps from being one story with others.
#[derive(Debug, Clone, Default)]
pub struct Apart {
    /// Articles.
    pub articles: BTreeSet<ArticleId>,
    /// Feeds, with all their articles.
    pub feeds: BTreeSet<FeedId>,
}

impl Apart {
    fn holds(&self, article: &Article) -> bool {
        self.articles.contains(&article.id) || self.feeds.contains(&article.feed)
    }
}

/// Why two articles are one story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// They have the same page.
    Page,
    /// So many hundredths of the shorter text stand in the other.
    Text(u8),
}

/// Each story once, in the order that the articles were in.
///
/// Articles with one canonical link are one story if one of them is at home: the feed's own
/// address is on the link's host. That copy gives the text. Without it they are one story if the
/// title or the content is the same: nobody else may put words into a page's mouth. Articles
/// whose texts are all but the same are one story too, whatever their pages. The Atom id and the
/// date are always those of the copy that was seen first, so that a copy which comes later is no
/// news; the labels of all are on the story, and it names all sources.
///
/// Not for the publication of a source, whose every article is its own.
#[must_use]
pub fn one_each(articles: Vec<Article>, apart: &Apart) -> Vec<Article> {
    let groups = groups(&articles, apart);
    let mut slots: Vec<Option<Article>> = articles.into_iter().map(Some).collect();
    for copies in groups.into_iter().filter(|copies| copies.len() > 1) {
        let copies: Vec<(usize, Article)> =
            copies.into_iter().filter_map(|at| Some((at, slots[at].take()?))).collect();
        let first = copies.iter().min_by_key(|(_, article)| seniority(article));
        let Some(first) = first.map(|(at, _)| *at) else { continue };
        slots[first] = united(copies.into_iter().map(|(_, article)| article).collect());
    }
    slots.into_iter().flatten().collect()
}

/// The articles by the stories that they are, each by its place. Stories are in the order of
/// their first articles.
#[must_use]
pub fn groups(articles: &[Article], apart: &Apart) -> Vec<Vec<usize>> {
    let mut groups = Groups::new(articles.len());
    for (one, other, _) in same_stories(articles, apart) {
        groups.unite(one, other);
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..articles.len() {
        members.entry(groups.root(at)).or_default().push(at);
    }
    members.into_values().collect()
}

/// The pairs of articles that are one story, and why. Those of one page come first, then those
/// whose texts are the most alike. A story takes in only what is like all that it has: an excerpt
/// that is in two articles does not make them one.
#[must_use]
pub fn same_stories(articles: &[Article], apart: &Apart) -> Vec<(usize, usize, Likeness)> {
    let free: Vec<usize> = (0..articles.len()).filter(|at| !apart.holds(&articles[*at])).collect();
    let mut copies: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
    for at in &free {
        if let Some(link) = articles[*at].keys.link {
            copies.entry(link).or_default().push(*at);
        }
    }
    let mut same = Vec::new();
    for copies in copies.into_values() {
        let has_home = copies.iter().any(|at| is_at_home(&articles[*at]));
        for (place, one) in copies.iter().enumerate() {
            for other in &copies[place + 1..] {
                if has_home || says_the_same(&articles[*one], &articles[*other]) {
                    same.push((*one, *other, Likeness::Page));
                }
            }
        }
    }
    let mut groups = Groups::new(articles.len());
    for (one, other, _) in &same {
        groups.unite(*one, *other);
    }
    let compared: Vec<&Article> = free.iter().map(|at| &articles[*at]).collect();
    let mut alike = pairs(&compared);
    alike.sort_by_key(|(one, other, share)| (Reverse(*share), *one, *other));
    let alike: Vec<_> =
        alike.into_iter().map(|(one, other, share)| (free[one], free[other], share)).collect();
    let are_alike: BTreeSet<(usize, usize)> =
        alike.iter().map(|(one, other, _)| (*one, *other)).collect();
    for (one, other, share) in alike {
        if groups.root(one) == groups.root(other) || groups.unite_if(one, other, &are_alike) {
            same.push((one, other, Likeness::Text(share)));
        }
    }
    same
}

/// Articles that are one story so far: which group each is in, and what each group has.
struct Groups {
    of: Vec<usize>,
    members: Vec<Vec<usize>>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self { of: (0..count).collect(), members: (0..count).map(|at| vec![at]).collect() }
    }

    fn root(&self, at: usize) -> usize {
        self.of[at]
    }

    fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            let moved = std::mem::take(&mut self.members[one.max(other)]);
            for at in &moved {
                self.of[*at] = one.min(other);
            }
            self.members[one.min(other)].extend(moved);
        }
    }

    /// The same if every member of one group is like every member of the other. Whether they are
    /// one now.
    fn unite_if(&mut self, one: usize, other: usize, alike: &BTreeSet<(usize, usize)>) -> bool {
        let (ours, theirs) = (&self.members[self.root(one)], &self.members[self.root(other)]);
        let pair = |a: usize, b: usize| alike.contains(&(a.min(b), a.max(b)));
        let are_one = ours.iter().all(|a| theirs.iter().all(|b| pair(*a, *b)));
        if are_one {
            self.unite(one, other);
        }
        are_one
    }
}

fn says_the_same(one: &Article, other: &Article) -> bool {
    one.keys.title == other.keys.title || one.keys.content == other.keys.content
}

/// Whether the article's feed is polled at the host that the article's page is on. What a
/// document says of itself is no evidence.
fn is_at_home(article: &Article) -> bool {
    let page = article.url.as_ref().and_then(host);
    page.is_some() && page == article.origin.feed_url.as_ref().and_then(host)
}

/// One article of copies: the words of the one at home, the id and the date of the first seen.
/// None of none.
#[must_use]
pub fn united(mut copies: Vec<Article>) -> Option<Article> {
    copies.sort_by_key(seniority);
    let mut copies = copies.into_iter();
    let first = copies.next()?;
    let mut others: Vec<Article> = copies.collect();
    let (iri, published) = (first.iri.clone(), first.published);
    let mut story = first;
    if !is_at_home(&story)
        && let Some(home) = others.iter().position(is_at_home)
    {
        std::mem::swap(&mut story, &mut others[home]);
    }
    for copy in others {
        unite(&mut story, copy);
    }
    Some(Article { iri, published, updated: story.updated.max(published), ..story })
}

fn seniority(article: &Article) -> (DateTime<Utc>, ArticleId) {
    (article.first_seen, article.id)
}

fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}

fn unite(story: &mut Article, copy: Article) {
    for (id, reasons) in copy.labels.regions {
        story.labels.regions.entry(id).or_insert(reasons);
    }
    for (id, reasons) in copy.labels.communities {
        story.labels.communities.entry(id).or_insert(reasons);
    }
    for (id, reasons) in copy.labels.tags {
        story.labels.tags.entry(id).or_insert(reasons);
    }
    for url in copy.url.into_iter().chain(copy.via) {
        if story.url.as_ref() != Some(&url) && !story.via.contains(&url) {
            story.via.push(url);
        }
    }
    if copy.source.name != story.source.name {
        if story.authors.is_empty() {
            let own = story.source.clone();
            story.authors.push(Author { name: own.name, url: own.url });
        }
        if story.authors.iter().all(|author| author.name != copy.source.name) {
            story.authors.push(Author { name: copy.source.name, url: copy.source.url });
        }
    }
}
