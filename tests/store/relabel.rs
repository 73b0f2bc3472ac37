//! Stored articles are labelled anew a slice at a time; what was done is not done again after a
//! crash, and nothing but the labels changes.

use crate::add;
use crate::material::article;
use crate::material::at;
use crate::material::labels;
use crate::selection;
use crate::titles;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use tempfile::tempdir;
use visnyk::model::article::Article;
use visnyk::model::article::Labels;
use visnyk::model::id::Digest;
use visnyk::model::id::RuleId;
use visnyk::store::Store;
use visnyk::store::relabel::Progress;

const ARTICLES: usize = 250;

/// A store whose articles are all of the tag `a`.
async fn filled(directory: &Path) -> Store {
    let store = Store::open(directory, Vec::new()).unwrap();
    let articles: Vec<Article> = (0..ARTICLES)
        .map(|n| Article {
            labels: labels("t:a"),
            ..article("kyiv", &format!("{n}"), i64::try_from(n).unwrap())
        })
        .collect();
    add(&store, &articles).await;
    store
}

/// Labels a slice with what `label` says, and counts the articles that it was asked for.
async fn slice(
    store: &Store,
    digest: &str,
    asked: &Arc<AtomicUsize>,
    label: impl Fn(&Article) -> Labels + Send + 'static,
) -> Progress {
    let asked = Arc::clone(asked);
    let labeller = move |article: &Article| {
        asked.fetch_add(1, Ordering::Relaxed);
        Some(label(article))
    };
    store.relabel(Digest::of([digest]), Box::new(labeller), at(10_000)).await.unwrap()
}

#[tokio::test]
async fn after_a_stop_it_goes_on_where_it_was_and_when_done_it_rests() {
    let folder = tempdir().unwrap();
    let store = filled(folder.path()).await;
    let all = selection("all");
    let before = store.newest(&all, ARTICLES).await.unwrap();
    let updated = store.shelf(&all).await.unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let first = slice(&store, "b", &asked, |_| labels("t:b")).await;
    assert_eq!((first.seen, first.changed, first.is_done), (100, 100, false));
    let both = [selection("tags/a"), selection("tags/b")];
    assert!(both.iter().all(|selection| first.touched.contains(selection)), "{first:?}");
    store.close().await.unwrap();

    let store = Store::open(folder.path(), Vec::new()).unwrap();
    let mut seen = first.seen;
    loop {
        let progress = slice(&store, "b", &asked, |_| labels("t:b")).await;
        seen += progress.seen;
        if progress.is_done {
            break;
        }
    }
    assert_eq!((seen, asked.load(Ordering::Relaxed)), (ARTICLES, ARTICLES));
    let rest = slice(&store, "b", &asked, |_| labels("t:c")).await;
    assert_eq!((rest.seen, rest.is_done, rest.touched.len()), (0, true, 0));
    assert_eq!(asked.load(Ordering::Relaxed), ARTICLES, "what is done is not done again");

    let after = store.newest(&all, ARTICLES).await.unwrap();
    let without = |articles: Vec<Article>| -> Vec<Article> {
        articles.into_iter().map(|a| Article { labels: Labels::default(), ..a }).collect()
    };
    assert!(after.iter().all(|article| article.labels == labels("t:b")));
    assert_eq!(without(after), without(before), "only the labels change");
    assert_eq!(store.shelf(&all).await.unwrap().unwrap().updated, updated.unwrap().updated);
    assert_eq!(titles(&store, "tags/a").await, Vec::<String>::new());
    assert_eq!(store.newest(&selection("tags/b"), ARTICLES).await.unwrap().len(), ARTICLES);
    assert_eq!(store.audit().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn under_other_rules_it_begins_again_and_what_was_kept_out_comes_back() {
    let folder = tempdir().unwrap();
    let store = filled(folder.path()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let before = store.newest(&selection("all"), ARTICLES).await.unwrap();
    slice(&store, "first", &asked, |_| labels("t:b")).await;
    let out =
        |_: &Article| Labels { excluded_by: Some(RuleId::new("out").unwrap()), ..labels("t:a") };
    while !slice(&store, "second", &asked, out).await.is_done {}
    assert_eq!(titles(&store, "all").await, Vec::<String>::new());
    assert_eq!(store.audit().await.unwrap(), Vec::<String>::new());
    let excluded = store.article(before[0].id).await.unwrap().unwrap();
    assert!(excluded.labels.excluded_by.is_some(), "it is kept, and published nowhere");
    while !slice(&store, "third", &asked, |_| labels("t:a")).await.is_done {}
    assert_eq!(store.newest(&selection("all"), ARTICLES).await.unwrap(), before);
    assert_eq!(asked.load(Ordering::Relaxed), 100 + 2 * ARTICLES);
    assert_eq!(store.audit().await.unwrap(), Vec::<String>::new());
}
