//! The store as it was at one instant, read in slices while commits go on.
//!
//! # How
//! A cursor goes over the keys. Before a commit changes something ahead of the cursor for the first
//! time, what was there is kept, and the cursor finds that instead. What lies behind the cursor has
//! been read. A slice has a bound in records, bytes and time, and commits run between slices.
//!
//! What is kept has a bound too. Beyond it the reading is given up, and nothing else suffers: who
//! reads may begin again when less is going on.

use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::store::codec;
use crate::store::engine::Batch;
use crate::store::engine::Engine;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::error::StoreError;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::lines::TOLD;
use std::collections::BTreeMap;
use std::time::Duration;
use std::time::Instant;

/// How many records a slice has.
const SLICE_RECORDS_MAX: usize = 1000;
/// How many bytes a slice has, about.
const SLICE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a slice takes, about.
const SLICE_TIME_MAX: Duration = Duration::from_millis(20);
/// How many keys are read in one go, within a slice.
const PAGE_MAX: usize = 32;
/// How many bytes of what commits changed are kept.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Who reads and does not ask for the next slice for so long has gone.
const ABANDONED_AFTER: Duration = Duration::from_mins(1);

/// What is made anew of the rest.
const DERIVED: [Space; 4] = [Space::Place, Space::Fresh, Space::Open, Space::Gone];

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What nothing else can be made of.
    Told,
    /// Everything, indexes too.
    All,
}

/// A reading that has begun.
#[derive(Debug)]
pub(crate) struct Snapshot {
    extent: Extent,
    number: u64,
    /// The first bytes of keys, in the order in which they are read.
    order: Vec<u8>,
    /// Where in it the reading is.
    at: usize,
    cursor: Option<Vec<u8>>,
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    failure: Option<String>,
    asked: Instant,
}

/// A part of what was read.
#[derive(Debug)]
pub struct Slice {
    /// Keys with their values.
    pub(crate) pairs: Vec<Pair>,
    /// Whether it is the last.
    pub(crate) is_last: bool,
}

impl Snapshot {
    /// The store as it is now, unless another reading is under way.
    pub(crate) fn begin(engine: &Engine, number: u64, extent: Extent) -> Result<(), StoreError> {
        let mut running = engine.snapshot.borrow_mut();
        if running.as_ref().is_some_and(|other| other.asked.elapsed() < ABANDONED_AFTER) {
            return Err(given_up(engine, "another backup runs: wait for its end"));
        }
        *running = Some(Self {
            extent,
            number,
            order: order(extent),
            at: 0,
            cursor: None,
            before: BTreeMap::new(),
            bytes: 0,
            failure: None,
            asked: Instant::now(),
        });
        Ok(())
    }

    /// Ends a reading, whole or not.
    pub(crate) fn end(engine: &Engine, number: u64) {
        let mut running = engine.snapshot.borrow_mut();
        if running.as_ref().is_some_and(|snapshot| snapshot.number == number) {
            *running = None;
        }
    }

    /// The next slice.
    pub(crate) fn slice(engine: &Engine, number: u64) -> Result<Slice, StoreError> {
        let mut running = engine.snapshot.borrow_mut();
        let Some(snapshot) = running.as_mut().filter(|snapshot| snapshot.number == number) else {
            return Err(given_up(engine, "it took too long, and another began"));
        };
        if let Some(why) = snapshot.failure.take() {
            *running = None;
            return Err(given_up(engine, &why));
        }
        snapshot.forget();
        let begun = Instant::now();
        let mut pairs = Vec::new();
        let mut bytes = 0;
        while snapshot.at < snapshot.order.len()
            && pairs.len() < SLICE_RECORDS_MAX
            && bytes < SLICE_BYTES_MAX
            && begun.elapsed() < SLICE_TIME_MAX
        {
            for (key, value) in snapshot.page(engine)? {
                if snapshot.is_told(engine, &key, &value)? {
                    bytes += key.len() + value.len();
                    pairs.push((key, value));
                }
            }
        }
        snapshot.asked = Instant::now();
        Ok(Slice { pairs, is_last: snapshot.at == snapshot.order.len() })
    }

    /// Keeps what a batch is about to change that is not yet read.
    pub(crate) fn keep(
        &mut self,
        batch: &Batch,
        get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
    ) {
        for key in batch.keys() {
            if self.failure.is_some() || !self.is_ahead(key) || self.before.contains_key(key) {
                continue;
            }
            match get(key) {
                Ok(value) => {
                    self.bytes += size(key, value.as_ref());
                    self.before.insert(key.clone(), value);
                }
                // The commit finds out by itself.
                Err(error) => self.failure = Some(error.to_string()),
            }
        }
        if self.bytes > KEPT_BYTES_MAX {
            let limit = KEPT_BYTES_MAX >> 20;
            self.give_up(&format!(
                "over {limit} MiB of it changed meanwhile: try when less is going on"
            ));
        }
    }

    /// Gives it up. Who reads is told at the next slice.
    pub(crate) fn give_up(&mut self, why: &str) {
        self.failure = Some(why.to_owned());
        self.before.clear();
    }

    fn is_ahead(&self, key: &[u8]) -> bool {
        let Some(first) = key.first() else { return false };
        if self.is_looked_up(*first) {
            return true;
        }
        match self.order.iter().position(|part| part == first) {
            Some(part) if part == self.at => self.cursor.as_deref().is_none_or(|read| key > read),
            Some(part) => part > self.at,
            None => false,
        }
    }

    /// Whether places of articles are looked up still: it is not told of what an article is there
    /// for.
    fn is_looked_up(&self, first: u8) -> bool {
        let is_now = |part: &u8| [Space::Known as u8, Space::Claim as u8].contains(part);
        self.extent == Extent::Told
            && first == Space::Place as u8
            && self.order.iter().skip(self.at).any(is_now)
    }

    /// The next pairs as they were.
    fn page(&mut self, engine: &Engine) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
        let prefix = [self.order[self.at]];
        let found = engine.scan(&prefix, self.cursor.as_deref(), Order::Forward, PAGE_MAX)?;
        let end = (found.len() == PAGE_MAX).then(|| found.last().map(|(key, _)| key.clone()));
        let end = end.flatten();
        let mut page: BTreeMap<Vec<u8>, Vec<u8>> = found.into_iter().collect();
        let is_here = |key: &&Vec<u8>| {
            key.starts_with(&prefix)
                && self.cursor.as_ref().is_none_or(|read| *key > read)
                && end.as_ref().is_none_or(|end| *key <= end)
        };
        let changed: Vec<Vec<u8>> = self
            .before
            .range(prefix.to_vec()..)
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(&prefix))
            .filter(is_here)
            .cloned()
            .collect();
        for key in changed {
            let value = self.before.remove(&key).flatten();
            self.bytes -= size(&key, value.as_ref());
            match value {
                Some(value) => page.insert(key, value),
                None => page.remove(&key),
            };
        }
        if end.is_none() {
            self.at += 1;
        }
        self.cursor = end;
        Ok(page)
    }

    /// Drops what is not looked up any more.
    fn forget(&mut self) {
        let place = Space::Place.prefix();
        if self.extent == Extent::Told && !self.is_looked_up(place[0]) {
            let places = self.before.range(place.clone()..);
            let places = places.take_while(|(key, _)| key.starts_with(&place));
            let places: Vec<Vec<u8>> = places.map(|(key, _)| key.clone()).collect();
            for key in places {
                let value = self.before.remove(&key).flatten();
                self.bytes -= size(&key, value.as_ref());
            }
        }
    }

    /// Whether a record is told. What is known of an article that is there, and the claim of its
    /// IRI, are made anew of it.
    fn is_told(&self, engine: &Engine, key: &[u8], value: &[u8]) -> Result<bool, StoreError> {
        let first = key.first().copied().unwrap_or_default();
        if self.extent == Extent::All {
            return Ok(true);
        }
        let id = if first == Space::Known as u8 {
            keys::id_of(key)
        } else if first == Space::Claim as u8 {
            codec::read(key, value).ok().map(|holder| ArticleId(Digest(holder)))
        } else {
            return Ok(key != keys::format());
        };
        let Some(place) = id.map(keys::place) else { return Ok(true) };
        Ok(match self.before.get(&place) {
            Some(before) => before.is_none(),
            None => engine.get(&place)?.is_none(),
        })
    }
}

/// The first bytes of the keys of what is told.
pub(crate) fn told_order() -> Vec<u8> {
    order(Extent::Told)
}

/// What of a later visnyk is not known here is told too, after the rest.
fn order(extent: Extent) -> Vec<u8> {
    match extent {
        Extent::All => (0..=u8::MAX).collect(),
        Extent::Told => {
            let told = TOLD.map(|space| space as u8);
            let is_other = |first: &u8| {
                !told.contains(first) && !DERIVED.iter().any(|space| *space as u8 == *first)
            };
            told.into_iter().chain((0..=u8::MAX).filter(is_other)).collect()
        }
    }
}

fn size(key: &[u8], value: Option<&Vec<u8>>) -> usize {
    key.len() + value.map_or(0, Vec::len)
}

fn given_up(engine: &Engine, why: &str) -> StoreError {
    StoreError::GivenUp { directory: engine.directory().to_owned(), reason: why.to_owned() }
}
