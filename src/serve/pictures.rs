//! The pictures of articles, passed on: whoever reads stays unknown to the sources.
//!
//! A picture is asked for by the article that shows it and a digest of its address, so that nothing
//! can be had through the site but what stands on its pages. It is fetched like a page of the feed,
//! under the same guard, once for all who ask, and kept in memory for a while. What is no picture by
//! its own first bytes is not passed on: neither HTML nor SVG, which may hold a script.

use crate::config::Config;
use crate::fetch::Fetched;
use crate::fetch::Fetcher;
use crate::model::exchange::Request;
use crate::model::feed::Feed;
use crate::model::feed::Republish;
use crate::model::id::ArticleId;
use crate::publish::html::article::picture_address;
use crate::store::Store;
use crate::store::error::StoreError;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::OnceCell;
use tokio::sync::Semaphore;
use tracing::debug;
use url::Url;

/// How much is kept, in bytes.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How many pictures are known, those that cannot be had among them.
const KEPT_MAX: usize = 4_096;
/// How many requests wait for pictures at once.
const WAITING_MAX: usize = 256;
/// How long a picture is kept before its source is asked again.
const KEPT_FOR: Duration = Duration::from_hours(6);
/// For so long a source is not asked again for what it did not give.
const REFUSED_FOR: Duration = Duration::from_mins(10);

/// A picture.
#[derive(Debug)]
pub struct Picture {
    /// Its bytes.
    pub bytes: Bytes,
    /// What it is, by its first bytes.
    pub mime: &'static str,
    /// The digest of the bytes, in hexadecimal digits.
    pub digest: String,
}

/// The pictures that are kept, and what fetches others.
#[derive(Debug)]
pub(super) struct Passed {
    fetcher: Fetcher,
    turns: Arc<Semaphore>,
    kept: Mutex<HashMap<Key, Arc<Slot>>>,
}

type Key = (ArticleId, String);

#[derive(Debug)]
struct Slot {
    since: Instant,
    /// None for what cannot be had.
    picture: OnceCell<Option<Arc<Picture>>>,
}

impl Slot {
    fn is_fresh(&self) -> bool {
        let longest = match self.picture.get() {
            Some(None) => REFUSED_FOR,
            _ => KEPT_FOR,
        };
        self.since.elapsed() < longest
    }

    fn bytes(&self) -> usize {
        self.picture.get().and_then(Option::as_ref).map_or(0, |picture| picture.bytes.len())
    }
}

impl Passed {
    /// Nothing is kept yet.
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, turns: Arc::new(Semaphore::new(WAITING_MAX)), kept: Mutex::default() }
    }

    /// The picture of an article that has an address with this digest; none if it has none such, or
    /// it cannot be had.
    pub(super) async fn get(
        self: &Arc<Self>,
        (config, store): (&Config, &Store),
        id: ArticleId,
        digest: &str,
    ) -> Result<Option<Arc<Picture>>, StoreError> {
        let Some(article) = store.article(id).await? else { return Ok(None) };
        let Some(address) = picture_address(&article, digest) else { return Ok(None) };
        let Some(feed) = config.feeds.get(&article.feed) else { return Ok(None) };
        let is_above = article.image.as_ref().is_some_and(|image| image.url == address);
        let is_shown = match feed.republish {
            Republish::Full => true,
            Republish::Summary => is_above,
            Republish::Link => false,
        };
        if !is_shown || article.labels.excluded_by.is_some() {
            return Ok(None);
        }
        let feed = feed.leading_to(address.clone());
        let slot = self.slot((id, digest.to_owned()));
        if let Some(picture) = slot.picture.get() {
            return Ok(picture.clone());
        }
        // Who is one too many has to come again: else there would be no end of those who wait.
        let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else { return Ok(None) };
        let shop = Arc::clone(self);
        // A task of its own: who asked first may go away.
        let getting = tokio::spawn(async move {
            let _turn = turn;
            let picture = slot.picture.get_or_init(|| shop.fetch(&feed, &address)).await.clone();
            shop.make_room();
            picture
        });
        Ok(getting.await.ok().flatten())
    }

    async fn fetch(&self, feed: &Feed, address: &Url) -> Option<Arc<Picture>> {
        match self.fetcher.fetch(feed, &Request::default()).await {
            Fetched::Document { document, .. } => {
                let mime = kind(&document.bytes)?;
                let digest = blake3::hash(&document.bytes).to_hex()[..32].to_owned();
                Some(Arc::new(Picture { bytes: document.bytes.into(), mime, digest }))
            }
            other => {
                let host = address.host_str().unwrap_or_default();
                debug!(feed = %feed.id, "a picture at {host} cannot be had: {other:?}");
                None
            }
        }
    }

    fn slot(&self, key: Key) -> Arc<Slot> {
        let mut kept = self.kept();
        if let Some(slot) = kept.get(&key).filter(|slot| slot.is_fresh()) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot { since: Instant::now(), picture: OnceCell::new() });
        kept.insert(key, Arc::clone(&slot));
        slot
    }

    /// Lets go of what was kept first, while there is too much; not of what is under way.
    fn make_room(&self) {
        let mut kept = self.kept();
        let mut bytes: usize = kept.values().map(|slot| slot.bytes()).sum();
        if bytes <= KEPT_BYTES_MAX && kept.len() <= KEPT_MAX {
            return;
        }
        let there = kept.iter().filter(|(_, slot)| slot.picture.initialized());
        let mut oldest: Vec<(Instant, Key)> =
            there.map(|(key, slot)| (slot.since, key.clone())).collect();
        oldest.sort();
        for (_, key) in oldest {
            // A tenth more than needed, so that this is not done for every picture.
            if bytes <= KEPT_BYTES_MAX / 10 * 9 && kept.len() <= KEPT_MAX / 10 * 9 {
                return;
            }
            bytes -= kept.remove(&key).map_or(0, |slot| slot.bytes());
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Key, Arc<Slot>>> {
        // Nothing that is done under the lock leaves it half changed.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a picture is, by its first bytes (WHATWG, MIME Sniffing, 6.1); none if it is none.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(4..12);
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if brand == Some(b"ftypavif") || brand == Some(b"ftypavis") => Some("image/avif"),
        _ => None,
    }
}

/// The picture that an address means: the article, and the digest of the picture's own address.
pub(super) fn at(path: &str) -> Option<(ArticleId, &str)> {
    let (id, digest) = path.strip_prefix("/pictures/")?.split_once('/')?;
    let is_digest = digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    is_digest.then_some((id.parse().ok()?, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_picture_is_one() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n", Some("image/png")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x1cftypavif", Some("image/avif")),
            (b"<svg xmlns=", None),
            (b"<!DOCTYPE html>", None),
            (b"", None),
        ] {
            assert_eq!(kind(bytes), expected);
        }
    }
}
