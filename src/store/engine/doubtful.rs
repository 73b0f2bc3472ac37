//! A medium for tests, that fails.

use crate::store::engine::Batch;
use crate::store::engine::Cause;
use crate::store::engine::Fault;
use crate::store::engine::Medium;
use crate::store::engine::Order;
use crate::store::engine::Pair;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Takes every write, and is sure of the first ones only.
#[derive(Debug, Default)]
pub(crate) struct Doubtful {
    pairs: RefCell<BTreeMap<Vec<u8>, Vec<u8>>>,
    durable: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) after: After,
    /// No value can be read meanwhile.
    pub(crate) is_unreadable: Arc<AtomicBool>,
    syncs: usize,
}

/// What is there of writes that failed when it is opened again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    #[default]
    None,
    All,
}

impl Medium for Doubtful {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if self.is_unreadable.load(Ordering::Relaxed) {
            let reason = "input/output error".to_owned();
            return Err(Fault { act: "read", cause: Cause::System, reason });
        }
        Ok(self.pairs.borrow().get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let pairs = self.pairs.borrow();
        let pairs = pairs.iter().filter(|(key, _)| key.starts_with(prefix));
        let mut pairs: Vec<Pair> = pairs.map(|(key, value)| (key.clone(), value.clone())).collect();
        if order == Order::Reverse {
            pairs.reverse();
        }
        let is_before = |key: &Vec<u8>| match (after, order) {
            (None, _) => false,
            (Some(after), Order::Forward) => key.as_slice() <= after,
            (Some(after), Order::Reverse) => key.as_slice() >= after,
        };
        pairs.retain(|(key, _)| !is_before(key));
        pairs.truncate(limit);
        Ok(pairs)
    }

    fn commit(&self, batch: Batch) -> Result<(), Fault> {
        let mut pairs = self.pairs.borrow_mut();
        for (key, value) in batch {
            match value {
                Some(value) => pairs.insert(key, value),
                None => pairs.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Fault> {
        self.syncs += 1;
        let reason = || "no space".to_owned();
        let full = || Fault { act: "flush", cause: Cause::System, reason: reason() };
        if self.syncs > 1 {
            return Err(full());
        }
        self.durable = self.pairs.borrow().clone();
        Ok(())
    }

    fn renew(&mut self) -> Result<(), Fault> {
        if self.after == After::None {
            self.pairs = self.durable.clone().into();
        }
        Ok(())
    }

    fn is_marked(&self) -> bool {
        !self.pairs.borrow().is_empty()
    }

    fn mark(&self) -> Result<(), Fault> {
        Ok(())
    }
}
