//! What can still be read of a damaged store, made a whole one elsewhere.
//!
//! # How
//! The files are copied first, because the engine changes them when it opens them. If they do not
//! open, they are tried without the engine's snapshots, which it makes anew of its log. Each key
//! space is read from its beginning, and where something does not read, from its end: what lies
//! around the damage comes so. After each failure the engine is opened anew, since it remembers.

use crate::model::publication::Publication;
use crate::store::engine::Engine;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::files::SNAPSHOT;
use crate::store::lines::Line;
use crate::store::lines::Names;
use crate::store::lines::Unread;
use crate::store::lines::line_of;
use crate::store::refill::BadLine;
use crate::store::refill::Refill;
use crate::store::refill::Validators;
use crate::store::snapshot::told_order;
use crate::store::swap::copy;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long the engine may take to open damaged files.
const OPEN_TIMEOUT: Duration = Duration::from_mins(1);
/// How often it is opened anew after failures.
const REOPENED_MAX: usize = 60;
/// How many keys are read in one go.
const PAGE_MAX: usize = 64;

/// What came of it.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// How many records of each kind were read.
    pub counts: BTreeMap<String, u64>,
    /// What was not.
    pub lost: Vec<Unread>,
}

/// Reads what can be read of the store in `damaged`, and makes a store of it in `fresh`, by way of
/// copies below `scratch`.
///
/// # Errors
/// Nothing of it can be read, or the new one cannot be written.
pub fn salvage(
    damaged: &Path,
    scratch: &Path,
    fresh: &Path,
    composed: Vec<Publication>,
    at: DateTime<Utc>,
) -> Result<Salvaged, StoreError> {
    let mut source = Source::of(damaged, scratch)?;
    let mut refill = Refill::begin(fresh, Validators::Cleared)?;
    let mut salvaged = Salvaged::default();
    let mut names = Names::default();
    for first in told_order() {
        for (key, value) in source.space(first, &mut salvaged.lost) {
            let (line, unread) = line_of(&mut names, &key, &value);
            if let Some(unread) = unread {
                salvaged.lost.push(unread);
                continue;
            }
            let kind = line.kind();
            match refill.put(line) {
                Ok(()) => *salvaged.counts.entry(kind.to_owned()).or_default() += 1,
                Err(BadLine::Form(reason)) => {
                    salvaged.lost.push(Unread { what: kind.to_owned(), reason });
                }
                Err(BadLine::Store(error)) => return Err(error),
            }
        }
    }
    drop(source);
    // The copies have done their work; what is left of them is tidied by whoever made the place.
    let _ = fs::remove_dir_all(scratch);
    let (mut archive, left_out) = refill.sealed()?;
    salvaged.lost.extend(left_out);
    archive.mend(composed, at)?;
    archive.engine.close()?;
    Ok(salvaged)
}

/// Damaged files, open.
struct Source {
    copy: PathBuf,
    engine: Option<Engine>,
    reopened: usize,
}

impl Source {
    fn of(damaged: &Path, scratch: &Path) -> Result<Self, StoreError> {
        let cannot = |error: io::Error| StoreError::Directory {
            directory: scratch.to_owned(),
            reason: format!("the damaged files cannot be copied: {error}"),
        };
        let mut refused = None;
        for (name, keep) in [("whole", every as fn(&str) -> bool), ("log", no_snapshot)] {
            let to = scratch.join(name);
            copy(damaged, &to, keep).map_err(cannot)?;
            match open(&to) {
                Ok(engine) => return Ok(Self { copy: to, engine: Some(engine), reopened: 0 }),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.unwrap_or_else(|| StoreError::Closed { directory: damaged.to_owned() }))
    }

    /// What can be read of a key space, each key once.
    fn space(&mut self, first: u8, lost: &mut Vec<Unread>) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut found = BTreeMap::new();
        for order in [Order::Forward, Order::Reverse] {
            let mut after: Option<Vec<u8>> = None;
            let mut most = PAGE_MAX;
            loop {
                match self.page(first, after.as_deref(), order, most) {
                    Ok(pairs) => {
                        let Some((end, _)) = pairs.last() else { return found };
                        after = Some(end.clone());
                        let is_met = pairs.iter().any(|(key, _)| found.contains_key(key));
                        found.extend(pairs);
                        if is_met {
                            return found;
                        }
                    }
                    Err(_) if most > 1 => most = 1,
                    Err(error) => {
                        let what = format!("a part of the records `{}`", first.escape_ascii());
                        lost.push(Unread { what, reason: error.to_string() });
                        break;
                    }
                }
            }
        }
        found
    }

    fn page(
        &mut self,
        first: u8,
        after: Option<&[u8]>,
        order: Order,
        most: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        if self.engine.is_none() {
            if self.reopened == REOPENED_MAX {
                return Err(broken(&self.copy, "too much of it does not read"));
            }
            self.reopened += 1;
            self.engine = Some(open(&self.copy)?);
        }
        let engine = self.engine.as_ref();
        let read = catch_unwind(AssertUnwindSafe(|| {
            engine.map_or(Ok(Vec::new()), |engine| engine.scan(&[first], after, order, most))
        }));
        let read = read.unwrap_or_else(|_| Err(broken(&self.copy, "the engine panicked")));
        if read.is_err() {
            let engine = self.engine.take();
            // What it does at its end no longer matters.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(engine)));
        }
        read
    }
}

fn broken(directory: &Path, why: &str) -> StoreError {
    StoreError::Broken { directory: directory.to_owned(), reason: why.to_owned() }
}

/// On a thread of its own: it may never come back, or panic.
fn open(directory: &Path) -> Result<Engine, StoreError> {
    let (opened, opening) = mpsc::channel();
    let of = directory.to_owned();
    thread::spawn(move || {
        let engine = catch_unwind(|| Engine::open(&of));
        // Nobody waits any more if it took too long.
        let _ = opened.send(engine.unwrap_or_else(|_| Err(broken(&of, "the engine panicked"))));
    });
    let slow =
        |_| StoreError::Slow { directory: directory.to_owned(), seconds: OPEN_TIMEOUT.as_secs() };
    opening.recv_timeout(OPEN_TIMEOUT).map_err(slow)?
}

fn every(_: &str) -> bool {
    true
}

fn no_snapshot(name: &str) -> bool {
    !name.starts_with(SNAPSHOT)
}

impl Line {
    /// What a count calls it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Article { .. } => "article",
            Self::Removal { .. } => "removal",
            Self::Page { .. } => "page",
            Self::Version { .. } => "version",
            Self::Place { .. } => "place",
            Self::History { .. } => "history",
            Self::Trail { .. } => "trail",
            Self::Document { .. } => "document",
            Self::Event { .. } => "event",
            _ => "other record",
        }
    }
}
