//! One article for each story: feeds that carry the same page are one to a subscriber.

use crate::model::article::Article;
use crate::model::article::Author;
use crate::model::id::Digest;
use std::collections::HashMap;
use url::Url;

/// Each story once, in the order that the articles were in.
///
/// Articles with one canonical link are one story. The copy from the link's own host stands for
/// it, else the one that was seen first; the labels of all are on it, and it names them all. A
/// similar text under another link is another story.
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
        let rank = |at: &usize| {
            slots[*at]
                .as_ref()
                .map(|article| (!is_at_home(article), article.first_seen, article.id))
        };
        let Some(best) = copies.iter().copied().min_by_key(rank) else { continue };
        let Some(mut story) = slots[best].take() else { continue };
        for at in copies {
            if let Some(copy) = slots[at].take() {
                unite(&mut story, copy);
            }
        }
        slots[best] = Some(story);
    }
    slots.into_iter().flatten().collect()
}

/// Whether the article's feed is on the host that the article's page is on.
fn is_at_home(article: &Article) -> bool {
    let page = article.url.as_ref().and_then(host);
    let origin = &article.origin;
    let mut homes = [&origin.feed_url, &origin.site_url].into_iter().flatten().filter_map(host);
    page.is_some_and(|page| homes.any(|home| home == page))
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
