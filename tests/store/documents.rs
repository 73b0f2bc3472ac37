//! The last document of each feed: when it is written, and when it is not kept.

use crate::feed;
use crate::feed_id;
use crate::material::article;
use crate::material::at;
use crate::material::document;
use crate::open;
use std::sync::Arc;
use visnyk::model::article::Article;
use visnyk::model::exchange::Document;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Kept;
use visnyk::model::exchange::Outcome;
use visnyk::model::exchange::Poll;
use visnyk::model::exchange::Tally;
use visnyk::model::exchange::Unkept;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::known::Change;
use visnyk::model::known::Harvest;
use visnyk::store::Store;

/// What is remembered after polls that read so many entries.
fn history(entries: &[u32]) -> History {
    let poll = |(i, entries): (usize, &u32)| Poll {
        at: at(i64::try_from(i).unwrap()),
        duration: std::time::Duration::ZERO,
        outcome: Outcome::Read,
        bytes: 1,
        tally: Tally { entries: *entries, ..Tally::default() },
        repairs: Vec::new(),
    };
    History { polls: entries.iter().enumerate().map(poll).collect(), ..History::default() }
}

async fn poll(store: &Store, n: usize, changes: Vec<Change>, history: History) -> Document {
    let document = document("kyiv", n);
    let kept = Some(Arc::new(document.clone()));
    let harvest = Harvest { changes, document: kept, ..Harvest::default() };
    store.commit(feed("kyiv"), history, harvest, at(n.try_into().unwrap())).await.unwrap();
    document
}

async fn kept(store: &Store) -> Kept {
    store.kept(&feed_id("kyiv")).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_the_admin_took_down_is_not_kept_with_the_next_document() {
    for by in [Remover::Admin, Remover::Source] {
        let (_folder, store) = open();
        let [gone, other] = ["1", "2"].map(|key| article("kyiv", key, 10));
        let added = vec![Change::Added(gone.clone()), Change::Added(other.clone())];
        poll(&store, 1, added, History::default()).await;
        let removal = Removal { by, why: "a court says so".to_owned(), at: at(20) };
        store.remove(gone.id, removal).await.unwrap().unwrap();
        let edited = Article { title: "Інша".to_owned(), ..gone.clone() };
        // It comes as it was, edited, and as if it were new.
        for (n, change) in [
            (2, Change::Unchanged(gone.id, None)),
            (3, Change::Updated(edited.clone())),
            (4, Change::Added(edited)),
        ] {
            let fresh = Change::Added(article("kyiv", &format!("new {n}"), 30));
            let document = poll(&store, n, vec![change, fresh], History::default()).await;
            let expected = match by {
                Remover::Admin => Err(Unkept::TakenDown),
                Remover::Source => Ok(document.bytes),
            };
            assert_eq!(kept(&store).await.bytes, expected, "{n}");
            assert_eq!(store.audit().await, Ok(Vec::new()));
        }
        // The source has it no more.
        let rest = vec![Change::Unchanged(other.id, None)];
        let document = poll(&store, 5, rest, history(&[3, 1])).await;
        assert_eq!(kept(&store).await.document(), Some(document));
        assert_eq!(store.audit().await, Ok(Vec::new()));
    }
}

#[tokio::test]
async fn a_document_in_which_only_a_clock_went_on_is_not_written_again() {
    let (_folder, store) = open();
    let known = article("kyiv", "1", 10);
    let same = || vec![Change::Unchanged(known.id, None)];
    let first = poll(&store, 1, vec![Change::Added(known.clone())], history(&[1])).await;
    poll(&store, 2, same(), history(&[1, 1])).await;
    assert_eq!((kept(&store).await.read, kept(&store).await.document()), (at(1), Some(first)));
    // An entry went, or one was rejected that was not there before.
    let third = poll(&store, 3, same(), history(&[1, 1, 2])).await;
    assert_eq!(kept(&store).await.document(), Some(third));
    let edited = Article { title: "Інша".to_owned(), ..known };
    let last = poll(&store, 4, vec![Change::Updated(edited)], history(&[1, 2, 2])).await;
    assert_eq!(kept(&store).await.document(), Some(last));
}

#[tokio::test]
async fn documents_of_feeds_that_are_no_more_are_forgotten() {
    let (_folder, store) = open();
    let known = article("kyiv", "1", 10);
    let document = poll(&store, 1, vec![Change::Added(known.clone())], history(&[1])).await;
    assert_eq!(store.keep_documents_of([feed_id("kyiv")].into()).await, Ok(0));
    assert_eq!(kept(&store).await.document(), Some(document));
    assert_eq!(store.keep_documents_of([feed_id("lviv")].into()).await, Ok(1));
    assert_eq!(store.kept(&feed_id("kyiv")).await, Ok(None));
    assert!(store.article(known.id).await.unwrap().is_some(), "its articles stay");
    assert_eq!(store.audit().await, Ok(Vec::new()));
}
