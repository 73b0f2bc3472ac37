//! What keeps a store within its bounds, in words: which articles are pinned, which are kept no
//! longer, and how the store was written anew.

use crate::explain::ended;
use crate::explain::find;
use crate::model::clock::moment;
use crate::model::id::ArticleId;
use crate::model::retention::Retention;
use crate::store::Store;
use crate::store::copying::Compacted;
use crate::store::error::StoreError;
use crate::store::retain::Act;
use crate::store::retain::Pass;
use crate::store::retain::Tally;
use chrono::DateTime;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;
use std::fmt::Display;
use std::sync::Arc;

/// Whether an article is kept whatever its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinning {
    /// From now on it is.
    Pin,
    /// From now on it is not.
    Unpin,
}

/// Pins an article, or no longer, by its id, its id in Atom, or the address of its page. What came
/// of it, in words; nothing if there is no such article.
///
/// # Errors
/// The store does not answer.
pub async fn pin(
    store: &Store,
    pinning: Pinning,
    what: &str,
    at: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let Some(id) = find(store, what).await? else { return Ok(None) };
    let Some(article) = store.article(id).await? else { return gone(store, id).await };
    let before = store.pin_of(id).await?;
    let title = article.headline();
    let told = match (pinning, before) {
        (Pinning::Pin, Some(since)) => {
            format!("article {id} «{title}» is pinned since {}", moment(since))
        }
        (Pinning::Pin, None) => {
            if !store.pin(id, at).await? {
                return gone(store, id).await;
            }
            format!("pinned article {id} «{title}»: it is kept whatever its age")
        }
        (Pinning::Unpin, Some(_)) => {
            store.unpin(id).await?;
            format!("unpinned article {id} «{title}»: it is kept as long as others are")
        }
        (Pinning::Unpin, None) => format!("article {id} «{title}» is not pinned"),
    };
    Ok(Some(told))
}

async fn gone(store: &Store, id: ArticleId) -> Result<Option<String>, StoreError> {
    let dropped = store.dropped(id).await?;
    Ok(dropped.map(|at| format!("article {id} {}", ended(at))))
}

/// Looks at all articles, and gives what goes. For where nothing is served.
///
/// # Errors
/// The store does not answer, or does not take it.
pub async fn look_over(
    store: &Store,
    retention: Arc<Retention>,
    act: Act,
    at: DateTime<Utc>,
) -> Result<Tally, StoreError> {
    let mut pass = Pass::new(retention, act, at);
    while !pass.is_done() {
        pass = store.retain(pass).await?;
    }
    Ok(pass.tally)
}

/// What a pass found, as an object.
#[must_use]
pub fn tally_in_json(tally: &Tally, act: Act) -> Value {
    fn counts<'a, Id: Display + 'a>(of: impl Iterator<Item = (&'a Id, &'a u64)>) -> Value {
        of.map(|(id, count)| (id.to_string(), json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
    json!({
        "applied": act == Act::Drop,
        "articles": tally.seen,
        "dropped": tally.dropped,
        "pinned": tally.pinned,
        "archive_pages": tally.pages,
        "feeds": counts(tally.feeds.iter()),
        "regions": counts(tally.regions.iter()),
    })
}

/// What a compaction did, in words.
#[must_use]
pub fn compacted(compacted: &Compacted) -> String {
    let Compacted { pairs, before, after, longest } = compacted;
    let [before, after] = [before, after].map(|bytes| mib(*bytes));
    format!(
        "the store was written anew: {before} before, {after} now, {pairs} records; nobody waited \
         longer than {} ms",
        longest.as_millis()
    )
}

/// A number of bytes, in words.
#[must_use]
pub fn mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
