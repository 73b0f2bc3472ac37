//! One article for each story: feeds that carry the same page are one to a subscriber.

use crate::model::article::Article;
use crate::model::article::Author;
use crate::model::id::Digest;
use std::collections::HashMap;
use url::Url;

/// Each story once, in the order that the articles were in.
///
/// Articles with one canonical link are one story if one of them is at home: the feed's own
/// address is on the link's host. That copy gives the text. Without it they are one story if the
/// title or the content is the same: nobody else may put words into a page's mouth. The Atom id
/// and the date are always those of the copy that was seen first, so that a copy which comes
/// later is no news; the labels of all are on the story, and it names all sources. A similar text
/// under another link is another story.
///
/// Not for the publication of a source, whose every article is its own.
#[must_use]
pub fn one_each(articles: Vec<Article>) -> Vec<Article> {
    let mut copies: HashMap<Digest, Vec<usize>> = HashMap::new();
    for (at, article) in articles.iter().enumerate() {
        if let Some(link) = article.keys.link {
            copies.entry(link).or_default().push(at);
        }
    }
    let mut slots: Vec<Option<Article>> = articles.into_iter().map(Some).collect();
    for copies in copies.into_values().filter(|copies| copies.len() > 1) {
        let mut group: Vec<(usize, Article)> =
            copies.into_iter().filter_map(|at| Some((at, slots[at].take()?))).collect();
        group.sort_by_key(|(_, article)| (article.first_seen, article.id));
        while !group.is_empty() {
            let (first, article) = group.remove(0);
            let has_home = is_at_home(&article) || group.iter().any(|(_, copy)| is_at_home(copy));
            let is_same =
                |(_, copy): &mut (usize, Article)| has_home || says_the_same(&article, copy);
            let same: Vec<_> = group.extract_if(.., is_same).map(|(_, copy)| copy).collect();
            slots[first] = Some(united(article, same));
        }
    }
    slots.into_iter().flatten().collect()
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
fn united(first: Article, mut others: Vec<Article>) -> Article {
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
    Article { iri, published, updated: story.updated.max(published), ..story }
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
