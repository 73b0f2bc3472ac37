//! What was durable before a write failed: it is read on, and not what may be gone tomorrow.
//!
//! # Why
//! A batch is seen as soon as it is committed, and durable after the next sync. When one of the two
//! fails, readers would be served what no restart knows of.

use crate::store::engine::Batch;
use crate::store::engine::Fault;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use crate::store::snapshot::Snapshot;

/// How much is kept between two syncs. What writes more, such as an index that is made anew, does it
/// before there are readers, or can be done again.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The values, before the last sync, of the keys that were written since.
#[derive(Debug, Default)]
pub(crate) struct Undo {
    before: Batch,
    bytes: usize,
    has_failed: bool,
}

impl Undo {
    /// Notes what a batch is about to change.
    pub(crate) fn note(
        &mut self,
        batch: &Batch,
        get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, Fault>,
    ) -> Result<(), Fault> {
        for key in batch.keys() {
            if self.bytes > BYTES_MAX {
                self.before.clear();
                return Ok(());
            }
            if self.before.contains_key(key) {
                continue;
            }
            let value = get(key)?;
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            self.before.insert(key.clone(), value);
        }
        Ok(())
    }

    /// Notes that a write failed: from now on what was durable is shown.
    pub(crate) fn fail(&mut self) {
        self.has_failed = true;
    }

    /// Whether something else may be seen at a key than what is durable.
    pub(crate) fn covers(&self, key: &[u8]) -> bool {
        self.has_failed && self.before.contains_key(key)
    }

    /// What is durable at a key that is covered.
    pub(crate) fn durable(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.before.get(key).cloned().flatten()
    }

    /// At how many keys something else may be seen.
    pub(crate) fn shown(&self) -> usize {
        if self.has_failed { self.before.len() } else { 0 }
    }

    /// Keeps what is shown for a reading under way, before the engine is opened again.
    pub(crate) fn keep_in(&self, snapshot: &mut Snapshot) {
        if self.bytes > BYTES_MAX {
            snapshot.give_up("much of it was being written when a write failed");
        }
        if self.has_failed {
            snapshot.keep(&self.before, |key| Ok(self.durable(key)));
        }
    }

    /// What is durable of what a scan found, which was asked for [`Undo::shown`] more than `limit`.
    pub(crate) fn over(
        &self,
        mut found: Vec<Pair>,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Vec<Pair> {
        if self.shown() == 0 {
            return found;
        }
        let is_beyond = |key: &[u8]| match (after, order) {
            (None, _) => true,
            (Some(after), Order::Forward) => key > after,
            (Some(after), Order::Reverse) => key < after,
        };
        found.retain(|(key, _)| !self.before.contains_key(key));
        let durable = self.before.iter().filter_map(|(key, value)| {
            let is_asked_for = key.starts_with(prefix) && is_beyond(key);
            value.clone().filter(|_| is_asked_for).map(|value| (key.clone(), value))
        });
        found.extend(durable);
        found.sort_unstable();
        if order == Order::Reverse {
            found.reverse();
        }
        found.truncate(limit);
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::store::engine::Engine;
    use crate::store::engine::Order;
    use crate::store::engine::doubtful::After;
    use crate::store::engine::doubtful::Doubtful;
    use crate::store::snapshot::Extent;
    use crate::store::snapshot::Snapshot;
    use std::path::Path;

    use super::*;

    fn batch(puts: &str) -> Batch {
        let puts = puts.split(' ').map(|put| put.split_at(1));
        let value = |value: &str| (value != "-").then(|| value.as_bytes().to_vec());
        puts.map(|(key, put)| (key.as_bytes().to_vec(), value(put))).collect()
    }

    #[test]
    fn after_a_failed_write_only_what_was_durable_is_read() {
        let mut engine = Engine::over(Path::new("test"), Box::new(Doubtful::default()));
        engine.commit(batch("a1 b1 c1 d1")).unwrap();
        engine.sync().unwrap();
        engine.commit(batch("b2 c- e2")).unwrap();
        engine.commit(batch("b3 d3")).unwrap();
        assert_eq!(engine.get(b"b").unwrap(), Some(b"3".to_vec()), "it is seen at once");
        engine.sync().unwrap_err();
        assert_eq!(engine.get(b"b").unwrap(), Some(b"1".to_vec()));
        assert_eq!(engine.get(b"c").unwrap(), Some(b"1".to_vec()));
        assert_eq!(engine.get(b"e").unwrap(), None);
        let scan = |after: Option<&str>, order, limit| {
            let after = after.map(str::as_bytes);
            let pairs = engine.scan(b"", after, order, limit).unwrap();
            let words = pairs.iter().map(|(key, value)| [&key[..], &value[..]].concat());
            String::from_utf8(words.collect::<Vec<_>>().join(&b' ')).unwrap()
        };
        assert_eq!(scan(None, Order::Forward, 9), "a1 b1 c1 d1");
        assert_eq!(scan(None, Order::Reverse, 2), "d1 c1");
        assert_eq!(scan(Some("a"), Order::Forward, 2), "b1 c1");
        assert_eq!(scan(Some("c"), Order::Reverse, 9), "b1 a1");
    }

    #[test]
    fn a_reading_goes_on_as_it_began_when_the_engine_is_opened_again_after_a_failed_write() {
        for after in [After::None, After::All] {
            for begins_after in [0, 1, 2] {
                let mut medium = Doubtful::default();
                medium.after = after;
                let mut engine = Engine::over(Path::new("test"), Box::new(medium));
                engine.commit(batch("a1 b1 c1 d1")).unwrap();
                engine.sync().unwrap();
                let begin = |now, engine: &Engine| {
                    if begins_after == now {
                        Snapshot::begin(engine, 7, Extent::All).unwrap();
                    }
                };
                begin(0, &engine);
                engine.commit(batch("b2 c- e2")).unwrap();
                engine.sync().unwrap_err();
                begin(1, &engine);
                engine.renew().unwrap();
                begin(2, &engine);
                let b = engine.get(b"b").unwrap();
                let now: &[u8] = if after == After::All { b"2" } else { b"1" };
                assert_eq!(b.as_deref(), Some(now));
                engine.commit(batch("a3 d- f3")).unwrap();
                let slice = Snapshot::slice(&engine, 7).unwrap();
                assert!(slice.is_last);
                let words = slice.pairs.iter().map(|(key, value)| [&key[..], &value[..]].concat());
                let words = String::from_utf8(words.collect::<Vec<_>>().join(&b' ')).unwrap();
                let is_late = after == After::All && begins_after == 2;
                let expected = if is_late { "a1 b2 d1 e2" } else { "a1 b1 c1 d1" };
                assert_eq!(words, expected, "{after:?} {begins_after}");
            }
        }
    }
}
