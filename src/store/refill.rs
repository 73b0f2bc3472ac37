//! A store made of lines: of a backup, or of what was read of a damaged one.
//!
//! The lines come in the order in which a backup has them, articles before what is said of them.
//! What is derived is made anew: places, claims, memories, fronts, what was taken away from where.

use crate::model::article::Article;
use crate::model::id::Digest;
use crate::model::known::Known;
use crate::store::archive::Archive;
use crate::store::archive::FORMAT;
use crate::store::codec;
use crate::store::engine::Batch;
use crate::store::engine::Engine;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::lines::Line;
use crate::store::lines::Unread;
use crate::store::lines::pairs_of;
use crate::store::records::KnownRecord;
use crate::store::records::article::ThirdArticleRecord;
use crate::store::records::front::MemberRecord;
use chrono::DateTime;
use chrono::Utc;
use std::collections::HashMap;
use std::path::Path;

/// How many pairs one batch has.
const BATCH_MAX: usize = 1000;

/// Whether publishers are asked for what is new only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validators {
    /// As the lines say.
    Kept,
    /// For everything, once: articles may be missing that came since, or were lost.
    Cleared,
}

/// A store that is being made.
#[derive(Debug)]
pub struct Refill {
    archive: Archive,
    batch: Batch,
    validators: Validators,
    /// When articles were updated: some fifty bytes for each.
    updated: HashMap<[u8; 16], DateTime<Utc>>,
    /// What was left out.
    left_out: Vec<Unread>,
}

/// Why a line is not taken.
#[derive(Debug)]
pub enum BadLine {
    /// It is none.
    Form(String),
    /// The store does not take it.
    Store(StoreError),
}

impl From<StoreError> for BadLine {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refill {
    /// Begins a store in a directory, which has none.
    ///
    /// # Errors
    /// The directory cannot be used, or has a store.
    pub fn begin(directory: &Path, validators: Validators) -> Result<Self, StoreError> {
        let archive = Archive::looked_at(Engine::open(directory)?)?;
        if archive.engine.get(&keys::format())?.is_some() {
            let reason = "it has a store already".to_owned();
            return Err(StoreError::Directory { directory: directory.to_owned(), reason });
        }
        let (batch, updated, left_out) = (Batch::new(), HashMap::new(), Vec::new());
        Ok(Self { archive, batch, validators, updated, left_out })
    }

    /// Takes a line.
    ///
    /// # Errors
    /// It is none, or cannot be written.
    pub fn take(&mut self, line: &[u8]) -> Result<(), BadLine> {
        let line =
            serde_json::from_slice(line).map_err(|error| BadLine::Form(error.to_string()))?;
        self.put(line)
    }

    /// Takes a record.
    pub(crate) fn put(&mut self, mut line: Line) -> Result<(), BadLine> {
        if let (Line::History { history, .. }, Validators::Cleared) = (&mut line, self.validators) {
            history.clear_validators();
        }
        if let Line::Unread { what, reason, .. } = line {
            self.left_out.push(Unread { what, reason });
            return Ok(());
        }
        if !self.derive(&line)? {
            return Ok(());
        }
        let pairs = pairs_of(line).map_err(BadLine::Form)?;
        self.batch.extend(pairs.into_iter().map(|(key, value)| (key, Some(value))));
        if self.batch.len() >= BATCH_MAX {
            self.archive.engine.commit(std::mem::take(&mut self.batch))?;
        }
        Ok(())
    }

    /// Adds what follows from a line. Whether the line itself is taken.
    fn derive(&mut self, line: &Line) -> Result<bool, BadLine> {
        match line {
            Line::Article { article } => self.derive_article(article)?,
            Line::Place { selection, article, place, .. } => {
                let Some(updated) = self.updated.get(article).copied() else {
                    let what = format!("place in {selection}");
                    let reason = format!("article {} is not there", Digest(*article));
                    self.left_out.push(Unread { what, reason });
                    return Ok(false);
                };
                let selected = crate::store::lines::selected(selection).map_err(BadLine::Form)?;
                let updated = keys::newest_first(updated);
                let fresh = keys::key(Space::Fresh, &[&selected, &updated, article]);
                self.batch.insert(fresh, Some(Vec::new()));
                if let MemberRecord::Open { standing, open } = place {
                    let standing = keys::newest_first(self.archive.instant(*standing)?);
                    let key = keys::key(Space::Open, &[&selected, &standing, article]);
                    self.archive.put(&mut self.batch, Space::Open, key, open)?;
                }
            }
            Line::Removal { article, removal } => {
                let at = removal.removal().map_err(|reason| BadLine::Form(reason.to_string()))?.at;
                for selection in &removal.selections {
                    let selected = Digest::of([selection.as_str()]).0;
                    let key =
                        keys::key(Space::Gone, &[&selected, &keys::newest_first(at), article]);
                    self.batch.insert(key, Some(Vec::new()));
                }
                let claim = keys::claim(&removal.iri);
                self.archive.put(&mut self.batch, Space::Claim, claim, article)?;
            }
            _ => {}
        }
        Ok(true)
    }

    fn derive_article(&mut self, record: &ThirdArticleRecord) -> Result<(), BadLine> {
        let bad = |reason: &dyn std::fmt::Display| BadLine::Form(reason.to_string());
        // A copy by way of its own bytes: records are read once as a rule.
        let bytes = codec::packed(record).map_err(|reason| bad(&reason))?;
        let copy: ThirdArticleRecord = postcard::from_bytes(&bytes).map_err(|error| bad(&error))?;
        let article = Article::try_from(copy).map_err(|reason| bad(&reason))?;
        let (id, archive, batch) = (article.id, &self.archive, &mut self.batch);
        let place = keys::article(article.first_seen, id);
        archive.put(batch, Space::Place, keys::place(id), &place)?;
        archive.put(batch, Space::Claim, keys::claim(&article.iri), &id.0.0)?;
        let known = keys::known(&article.feed, article.first_seen, id);
        archive.put(batch, Space::Known, known, &KnownRecord::from(&Known::of(&article)))?;
        self.updated.insert(id.0.0, article.updated);
        Ok(())
    }

    /// Makes it durable, and closes it. Gives what was left out.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> Result<Vec<Unread>, StoreError> {
        let (mut archive, left_out) = self.sealed()?;
        archive.engine.sync()?;
        archive.engine.close()?;
        Ok(left_out)
    }

    /// The archive that came about, and what was left out.
    pub(crate) fn sealed(mut self) -> Result<(Archive, Vec<Unread>), StoreError> {
        self.archive.engine.commit(std::mem::take(&mut self.batch))?;
        self.archive.engine.sync()?;
        let mut last = Batch::new();
        // The format comes last: without it the directory has no store.
        self.archive.put(&mut last, Space::Meta, keys::format(), &FORMAT)?;
        self.archive.engine.commit(last)?;
        self.archive.engine.sync()?;
        self.archive.engine.mark()?;
        Ok((self.archive, self.left_out))
    }
}
