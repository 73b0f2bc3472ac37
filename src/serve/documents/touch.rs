//! What makes documents stale: who asks next gets them made anew.

use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::stale::Lack;
use crate::serve::view::View;
use crate::store::error::StoreError;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

impl Documents {
    /// From now on these publications are stale, and with them what lists them.
    pub fn touch(&self, selections: &BTreeSet<Selection>) {
        if selections.is_empty() {
            return;
        }
        self.inner.stale.add(Lack::Of(selections.clone()));
        for (page, slot) in self.slots().iter() {
            let is_stale = match page {
                // What is to be read after an article changes with every other.
                Page::Html(View::Index | View::Sources | View::Article(_), _)
                | Page::Sitemap
                | Page::Opml => true,
                Page::Html(View::About, _)
                | Page::Style
                | Page::Icon
                | Page::Manifest
                | Page::Robots => false,
                Page::Html(View::Publication(selection, _), _)
                | Page::Atom(selection, _)
                | Page::Json(selection, _) => {
                    selection.parts().iter().any(|part| selections.contains(part))
                }
            };
            slot.touched.fetch_add(u64::from(is_stale), Ordering::SeqCst);
        }
    }

    /// The same where articles were taken away from these publications: pages of archives change
    /// too, and whoever has copies of them has to look at them all.
    pub fn take_away(&self, selections: &BTreeSet<Selection>) {
        if selections.is_empty() {
            return;
        }
        self.touch(selections);
        self.inner.stale.add(Lack::Unknown);
        // It may be on pages of publications that it had left before.
        for (page, slot) in self.slots().iter() {
            slot.touched.fetch_add(u64::from(page.is_archived()), Ordering::SeqCst);
        }
    }

    /// From now on everything is stale: what was written is not known.
    pub fn touch_all(&self) {
        self.inner.stale.add(Lack::Unknown);
        for slot in self.slots().values() {
            slot.touched.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// From now on what is told of a source is stale: it was polled.
    pub fn touch_health(&self, feed: &FeedId) {
        for (page, slot) in self.slots().iter() {
            let is_stale = match page {
                Page::Html(View::Sources, _) => true,
                Page::Html(View::Publication(Selection::Source(id), None), _) => id == feed,
                _ => false,
            };
            slot.touched.fetch_add(u64::from(is_stale), Ordering::SeqCst);
        }
    }

    /// Keeps how often pages of articles were read since it was last kept.
    ///
    /// # Errors
    /// The store does not take it. The next try may.
    pub async fn keep_reads(&self) -> Result<(), StoreError> {
        let reads = self.inner.reads.take();
        if reads.is_empty() {
            return Ok(());
        }
        let ids: BTreeSet<ArticleId> = reads.keys().copied().collect();
        let kept = self.inner.store.add_reads(reads.clone()).await;
        // What took too long may be kept all the same: to count it again would be worse than not to.
        if kept.is_err() && !matches!(kept, Err(StoreError::Slow { .. })) {
            self.inner.reads.put_back(reads);
        }
        for (page, slot) in self.slots().iter() {
            let is_stale = matches!(page, Page::Html(View::Article(id), _) if ids.contains(id));
            slot.touched.fetch_add(u64::from(is_stale), Ordering::SeqCst);
        }
        kept
    }
}
