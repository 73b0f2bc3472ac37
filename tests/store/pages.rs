//! What stands on a front and on pages when articles change, go and come back.

use crate::commit;
use crate::material::article;
use crate::material::at;
use crate::open;
use visnyk::model::article::Article;
use visnyk::model::front::Closing;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::model::id::ArticleId;
use visnyk::model::known::Change;
use visnyk::model::publication::Selection;
use visnyk::store::Store;

async fn front(store: &Store) -> Vec<ArticleId> {
    let front = store.front(&Selection::All, 100).await.unwrap();
    front.standing.into_iter().map(|standing| standing.article.id).collect()
}

async fn close(store: &Store, page: &[&Article], hidden: &[(&Article, &Article)]) -> usize {
    let last = store.rear(&Selection::All, 0, 1, 1).await.unwrap().last_number;
    let page = page.iter().map(|article| vec![article.id]).collect();
    let hidden = hidden.iter().map(|(copy, shown)| (copy.id, shown.id)).collect();
    let closing = Closing { pages: vec![page], hidden };
    store.close_pages(&Selection::All, last, closing, at(5_000)).await.unwrap()
}

#[tokio::test]
async fn a_hidden_copy_is_shown_when_what_it_is_a_copy_of_is_taken_away() {
    let (_folder, store) = open();
    let (first, copy) = (article("kyiv", "first", 100), article("kyiv", "copy", 200));
    let both = [&first, &copy].map(|article| Change::Added(article.clone()));
    commit(&store, both.into(), "kyiv", 1_000).await;
    assert_eq!(close(&store, &[&first], &[(&copy, &first)]).await, 2);
    assert_eq!(front(&store).await, []);
    assert_eq!(close(&store, &[&first], &[]).await, 0, "it does not stand there");
    let removal = Removal { by: Remover::Admin, why: "test".to_owned(), at: at(9_000) };
    store.remove(first.id, removal).await.unwrap();
    assert_eq!(front(&store).await, [copy.id]);
    let page = store.page(&Selection::All, 1).await.unwrap().unwrap();
    assert!(page.stories.is_empty() && page.removed[0].iri == first.iri);
    assert_eq!(store.audit().await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_edit_comes_to_the_front_and_another_guid_or_label_does_not() {
    let (_folder, store) = open();
    let first = article("kyiv", "first", 100);
    commit(&store, vec![Change::Added(first.clone())], "kyiv", 1_000).await;
    close(&store, &[&first], &[]).await;
    let mut moved = first.clone();
    moved.keys.entry = moved.keys.title;
    moved.views = Some(7);
    commit(&store, vec![Change::Relabelled(moved.clone())], "kyiv", 2_000).await;
    assert_eq!(front(&store).await, []);
    let mut edited = moved;
    edited.revision += 1;
    edited.title = "Виправлено".to_owned();
    edited.updated = at(3_000);
    commit(&store, vec![Change::Updated(edited.clone())], "kyiv", 3_000).await;
    assert_eq!(front(&store).await, [first.id]);
    let page = store.page(&Selection::All, 1).await.unwrap().unwrap();
    assert_eq!(page.stories[0][0].title, first.title);
    // An edit stands as if it were published then: newer than what came a little before it.
    let older = article("kyiv", "older", 2_900);
    commit(&store, vec![Change::Added(older.clone())], "kyiv", 2_950).await;
    assert_eq!(front(&store).await, [first.id, older.id]);
}
