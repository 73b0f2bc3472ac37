//! Where the articles of a selection are: on its front or on a page of its archive; and what was
//! taken away.

use crate::model::article::Article;
use crate::model::article::Labels;
use crate::model::front::Removal;
use crate::model::front::Remover;
use crate::model::id::Digest;
use crate::store::codec::BadRecord;
use crate::store::codec::packed;
use crate::store::records::ArticleRecord;
use crate::store::records::BadField;
use crate::store::records::InstantRecord;
use crate::store::records::article::LabelsRecord;
use crate::store::records::plain::digest;
use serde::Deserialize;
use serde::Serialize;

/// Where a member of a selection is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberRecord {
    /// On the front.
    Open {
        /// When it counts as published there.
        standing: InstantRecord,
        /// How it stands there.
        open: OpenRecord,
    },
    /// On a page, or hidden behind a story of an earlier page.
    Closed {
        /// The page; none has the number 0, of what was hidden before there was a page.
        page: u64,
        /// What readers saw of it then.
        #[serde(with = "digest")]
        content: [u8; 16],
    },
}

/// How an article stands on a front.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct OpenRecord {
    /// When it came there or last changed there.
    pub(crate) changed: InstantRecord,
    /// The page that shows what it was before it was edited.
    pub(crate) edited: Option<u64>,
}

/// A page of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageRecord {
    /// The archive begins anew after this number: the publication was defined anew.
    Cut,
    /// A page.
    Page {
        /// The page before it.
        previous: Option<u64>,
        /// When it was closed.
        closed: InstantRecord,
        /// The stories, each by the articles that it is made of.
        stories: Vec<Vec<CopyRecord>>,
    },
}

/// An article on a page.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CopyRecord {
    /// Its id.
    #[serde(with = "digest")]
    pub(crate) id: [u8; 16],
    /// What readers saw of it.
    #[serde(with = "digest")]
    pub(crate) content: [u8; 16],
    /// Its labels, without reasons.
    pub(crate) labels: LabelsRecord,
    /// Whether it has a page of its own, and is here as part of a story of which another article
    /// was edited.
    pub(crate) is_companion: bool,
}

/// An article that was taken away.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TombRecord {
    /// Its id in Atom.
    pub(crate) iri: String,
    /// Its feed.
    pub(crate) feed: String,
    /// When it was first polled.
    pub(crate) first_seen: InstantRecord,
    /// Where it stood.
    pub(crate) selections: Vec<String>,
    removal: RemovalRecord,
}

#[derive(Debug, Serialize, Deserialize)]
struct RemovalRecord {
    by: RemoverRecord,
    why: String,
    at: InstantRecord,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RemoverRecord {
    Source,
    Admin,
}

impl TombRecord {
    /// The record of an article that is taken away.
    pub(crate) fn new(article: &Article, selections: Vec<String>, removal: &Removal) -> Self {
        let by = match removal.by {
            Remover::Source => RemoverRecord::Source,
            Remover::Admin => RemoverRecord::Admin,
        };
        Self {
            iri: article.iri.clone(),
            feed: article.feed.to_string(),
            first_seen: article.first_seen.into(),
            selections,
            removal: RemovalRecord { by, why: removal.why.clone(), at: removal.at.into() },
        }
    }

    /// Why it was taken away.
    pub(crate) fn removal(&self) -> Result<Removal, BadField> {
        let by = match self.removal.by {
            RemoverRecord::Source => Remover::Source,
            RemoverRecord::Admin => Remover::Admin,
        };
        Ok(Removal { by, why: self.removal.why.clone(), at: self.removal.at.try_into()? })
    }
}

/// The digest of an article without its labels: of what a closed page has to go on showing.
pub(crate) fn content_of(article: &Article) -> Result<Digest, BadRecord> {
    let feed_updated = article.origin.updated.map(InstantRecord::from);
    let bytes = packed(&(ArticleRecord::from(article), feed_updated))?;
    let mut digest = [0; 16];
    digest.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
    Ok(Digest(digest))
}

/// Labels as a page keeps them: without the reasons, which readers are not shown.
pub(crate) fn bare(labels: &Labels) -> LabelsRecord {
    let mut labels = labels.clone();
    labels.regions.values_mut().for_each(Vec::clear);
    labels.communities.values_mut().for_each(Vec::clear);
    labels.tags.values_mut().for_each(Vec::clear);
    LabelsRecord::from(&labels)
}
