//! Articles that are kept no longer: which go, what stays of them, and that they do not come back.

use crate::add;
use crate::commit;
use crate::material::article;
use crate::material::at;
use crate::material::feed_id;
use crate::material::labels;
use crate::open;
use crate::selection;
use crate::titles;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use visnyk::model::article::Article;
use visnyk::model::front::Closing;
use visnyk::model::id::RegionId;
use visnyk::model::known::Change;
use visnyk::model::publication::Selection;
use visnyk::model::retention::Age;
use visnyk::model::retention::Bound;
use visnyk::model::retention::Retention;
use visnyk::store::Store;
use visnyk::store::retain::Act;
use visnyk::store::retain::Pass;
use visnyk::store::retain::Tally;

const DAY: i64 = 24 * 60 * 60;

/// After so many days.
pub(crate) fn kept(days: u32) -> Arc<Retention> {
    let all = Bound { age: Some(Age::Days(days)), articles: None };
    Arc::new(Retention { all, ..Retention::default() })
}

fn numbers(articles: u64) -> Retention {
    let all = Bound { age: None, articles: Some(articles) };
    Retention { all, ..Retention::default() }
}

async fn pass(store: &Store, retention: &Arc<Retention>, act: Act, now: i64) -> Tally {
    let mut pass = Pass::new(Arc::clone(retention), act, at(now));
    while !pass.is_done() {
        pass = store.retain(pass).await.unwrap();
    }
    pass.tally
}

pub(crate) async fn drop_all(store: &Store, retention: &Arc<Retention>, now: i64) -> Tally {
    let tally = pass(store, retention, Act::Drop, now).await;
    assert_eq!(store.audit().await, Ok(Vec::new()));
    tally
}

/// One article a day, from the day 0; every other one of a region.
fn daily(feed: &str, days: i64) -> Vec<Article> {
    let of_day = |day: i64| Article {
        labels: labels(if day % 2 == 0 { "r:kyivska t:a" } else { "t:a" }),
        ..article(feed, &day.to_string(), day * DAY)
    };
    (0..days).map(of_day).collect()
}

/// Closes pages of two articles each, the oldest first.
async fn close(store: &Store, of: &Selection, articles: &[Article]) {
    let pages = articles.chunks(2).map(|page| page.iter().map(|a| vec![a.id]).collect());
    let closing = Closing { pages: pages.collect(), hidden: Vec::new() };
    store.close_pages(of, 0, closing, at(100 * DAY)).await.unwrap();
}

#[tokio::test]
async fn what_is_too_old_goes_with_all_its_indexes_and_nobody_is_told_of_a_removal() {
    let (_folder, store) = open();
    let articles = daily("kyiv", 20);
    add(&store, &articles).await;
    let retention = kept(10);
    let shown = pass(&store, &retention, Act::Show, 20 * DAY).await;
    assert_eq!((shown.seen, shown.dropped), (20, 10));
    assert_eq!(shown.feeds, BTreeMap::from([(feed_id("kyiv"), 10)]));
    assert_eq!(shown.regions, BTreeMap::from([(RegionId::new("kyivska").unwrap(), 5)]));
    assert_eq!(titles(&store, "all").await.len(), 20, "it was only asked what would go");

    let dropped = drop_all(&store, &retention, 20 * DAY).await;
    assert_eq!(Tally { pages: 0, ..dropped }, shown);
    assert_eq!(store.dropped_ever().await, Ok(10));
    for path in ["all", "sources/kyiv", "tags/a"] {
        assert_eq!(store.shelf(&selection(path)).await.unwrap().unwrap().count, 10, "{path}");
        let front = store.front(&selection(path), 100).await.unwrap();
        assert_eq!((front.standing.len(), front.removed.len()), (10, 0), "{path}");
    }
    for (day, article) in articles.iter().enumerate() {
        let is_kept = day >= 10;
        assert_eq!(store.article(article.id).await.unwrap().is_some(), is_kept, "{day}");
        assert_eq!(store.dropped(article.id).await.unwrap().is_none(), is_kept, "{day}");
        assert_eq!(store.removal(article.id).await, Ok(None));
    }
    assert_eq!(drop_all(&store, &retention, 20 * DAY).await.dropped, 0);
}

#[tokio::test]
async fn what_was_dropped_does_not_come_back_and_keeps_its_iri() {
    let (_folder, store) = open();
    let articles = daily("kyiv", 4);
    add(&store, &articles).await;
    drop_all(&store, &kept(1), 4 * DAY).await;
    // Nothing is bounded any more, and the feed still lists all of them; one was edited.
    let mut edited = articles[0].clone();
    edited.title = "Виправлено".to_owned();
    edited.revision += 1;
    edited.updated = at(5 * DAY);
    let changes = vec![
        Change::Updated(edited.clone()),
        Change::Added(edited),
        Change::Relabelled(articles[1].clone()),
        Change::Unchanged(articles[2].id, Some(7)),
    ];
    commit(&store, changes, "kyiv", 5 * DAY).await;
    assert_eq!(titles(&store, "all").await, [articles[3].title.clone()]);
    assert_eq!(store.memory(&feed_id("kyiv")).await.unwrap().len(), 4, "it is known again");
    let thief = Article { iri: articles[0].iri.clone(), ..article("lviv", "thief", 5 * DAY) };
    commit(&store, vec![Change::Added(thief.clone())], "lviv", 5 * DAY).await;
    let stored = store.article(thief.id).await.unwrap().unwrap();
    assert_ne!(stored.iri, thief.iri, "no IRI is ever given to another article");
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_comes_too_late_is_known_and_never_shown() {
    let (_folder, store) = open();
    store.keep_by(kept(10)).await.unwrap();
    let articles = daily("kyiv", 20);
    for _ in 0..2 {
        let changes = articles.iter().cloned().map(Change::Added).collect();
        commit(&store, changes, "kyiv", 20 * DAY).await;
        assert_eq!(titles(&store, "all").await.len(), 10);
        assert_eq!(store.memory(&feed_id("kyiv")).await.unwrap().len(), 20);
        assert_eq!(store.audit().await, Ok(Vec::new()));
    }
    assert_eq!(drop_all(&store, &kept(10), 20 * DAY).await.dropped, 0);
}

#[tokio::test]
async fn a_number_keeps_the_newest_whichever_end_is_nearer() {
    for (most, expected) in [(3, 3), (17, 17), (20, 20), (100, 20)] {
        let (_folder, store) = open();
        add(&store, &daily("kyiv", 20)).await;
        let retention = Arc::new(numbers(most));
        drop_all(&store, &retention, 20 * DAY).await;
        let left = store.newest(&Selection::All, 100).await.unwrap();
        assert_eq!(left.len(), expected, "{most}");
        assert!(
            left.iter().all(|a| a.published >= at((20 - i64::try_from(expected).unwrap()) * DAY))
        );
    }
}

#[tokio::test]
async fn a_region_keeps_what_everything_would_not() {
    let (_folder, store) = open();
    add(&store, &daily("kyiv", 20)).await;
    let bound = Bound { age: Some(Age::Forever), articles: Some(4) };
    let regions = BTreeMap::from([(RegionId::new("kyivska").unwrap(), bound)]);
    let retention = Arc::new(Retention { regions, ..(*kept(5)).clone() });
    drop_all(&store, &retention, 20 * DAY).await;
    let days: Vec<i64> = store
        .newest(&Selection::All, 100)
        .await
        .unwrap()
        .iter()
        .map(|article| article.published.timestamp() / DAY)
        .collect();
    assert_eq!(days, [19, 18, 17, 16, 15, 14, 12]);
}

#[tokio::test]
async fn what_is_pinned_stays_until_it_is_not() {
    let (_folder, store) = open();
    let articles = daily("kyiv", 4);
    add(&store, &articles).await;
    assert_eq!(store.pin(articles[0].id, at(7)).await, Ok(true));
    assert_eq!(store.pin(articles[0].id, at(9)).await, Ok(true));
    assert_eq!(store.pin_of(articles[0].id).await, Ok(Some(at(7))));
    let tally = drop_all(&store, &kept(1), 10 * DAY).await;
    assert_eq!((tally.dropped, tally.pinned), (3, 1));
    assert_eq!(store.pin(articles[1].id, at(7)).await, Ok(false), "it is gone");
    assert_eq!(store.unpin(articles[0].id).await, Ok(true));
    assert_eq!(store.unpin(articles[0].id).await, Ok(false));
    assert_eq!(drop_all(&store, &kept(1), 10 * DAY).await.dropped, 1);
}

#[tokio::test]
async fn empty_pages_go_and_the_archive_leads_from_the_front_to_its_end() {
    let (_folder, store) = open();
    let all = Selection::All;
    let articles = daily("kyiv", 20);
    add(&store, &articles).await;
    close(&store, &all, &articles[..16]).await;
    store.pin(articles[2].id, at(7)).await.unwrap();
    // The pages 1, 3 and 4 are empty, 5 is half so, and 2 has what is pinned.
    let tally = drop_all(&store, &kept(11), 20 * DAY).await;
    assert_eq!((tally.dropped, tally.pages), (8, 3));
    let mut walked = Vec::new();
    let mut next = store.front(&all, 100).await.unwrap().newest_page;
    while let Some(number) = next {
        let page = store.page(&all, number).await.unwrap().unwrap();
        assert!(page.removed.is_empty(), "nobody is told of a removal");
        walked.push((number, page.stories.len()));
        next = page.previous;
    }
    assert_eq!(walked, [(8, 2), (7, 2), (6, 2), (5, 1), (2, 1)]);
    for number in 1..=9 {
        let had = store.had_page(&all, number).await.unwrap();
        assert_eq!(had, [1, 3, 4].contains(&number), "{number}");
    }

    // When all is gone, the next page has a number that none had.
    store.unpin(articles[2].id).await.unwrap();
    drop_all(&store, &kept(1), 100 * DAY).await;
    assert_eq!(store.page_numbers(&all).await, Ok(Vec::new()));
    assert_eq!(store.front(&all, 100).await.unwrap().newest_page, None);
    let later = daily("lviv", 2);
    add(&store, &later).await;
    let closing = Closing { pages: vec![vec![vec![later[0].id]]], hidden: Vec::new() };
    store.close_pages(&all, 8, closing, at(101 * DAY)).await.unwrap();
    let page = store.page(&all, 9).await.unwrap().unwrap();
    assert_eq!((page.previous, page.stories.len()), (None, 1));
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_hidden_copy_of_what_goes_stays_hidden() {
    let (_folder, store) = open();
    let (first, copy) = (article("kyiv", "first", 100), article("lviv", "copy", 9 * DAY));
    add(&store, std::slice::from_ref(&first)).await;
    add(&store, std::slice::from_ref(&copy)).await;
    let page = vec![vec![first.id]];
    let closing = Closing { pages: vec![page], hidden: vec![(copy.id, first.id)] };
    store.close_pages(&Selection::All, 0, closing, at(5_000)).await.unwrap();
    let tally = drop_all(&store, &kept(5), 10 * DAY).await;
    assert_eq!((tally.dropped, tally.pages), (1, 1));
    assert_eq!(store.front(&Selection::All, 9).await.unwrap().standing.len(), 0);
    assert_eq!(titles(&store, "all").await, [copy.title]);
}

/// Figures, with `--nocapture`.
#[tokio::test]
async fn polls_wait_for_one_slice_at_most() {
    let (_folder, store) = open();
    let count = 3_000;
    for chunk in daily("kyiv", count).chunks(500) {
        add(&store, chunk).await;
    }
    let mut pass = Pass::new(kept(100), Act::Drop, at(count * DAY));
    let (begun, mut longest, mut slices) = (Instant::now(), std::time::Duration::ZERO, 0);
    while !pass.is_done() {
        let slice = Instant::now();
        pass = store.retain(pass).await.unwrap();
        longest = longest.max(slice.elapsed());
        slices += 1;
    }
    let (dropped, took) = (pass.tally.dropped, begun.elapsed());
    println!(
        "{dropped} of {count} dropped in {slices} slices, {took:.2?}; the longest {longest:.2?}"
    );
    assert_eq!(dropped, 2_900);
    assert!(slices > 2_900 / 50, "{slices}");
    assert_eq!(store.audit().await, Ok(Vec::new()));
}
