//! The disk: keys and values that survive crashes as on a real one, and that fail as it is planned.
//!
//! After a crash what was synchronised is there, and of what was not any beginning of it, in the
//! order in which it was written. A batch is there as a whole or not at all.

use crate::dice::Dice;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use tokio::sync::Notify;
use visnyk::store::engine::Batch;
use visnyk::store::engine::Cause;
use visnyk::store::engine::Fault;
use visnyk::store::engine::Medium;
use visnyk::store::engine::Order;
use visnyk::store::engine::Pair;

/// What goes wrong with a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Trouble {
    /// The machine loses its power before the write.
    CutBefore,
    /// The machine loses its power after the write, before anybody hears of it.
    CutAfter,
    /// A write or a flush fails, and nothing came of it.
    Fails,
    /// A write or a flush is said to have failed, and is there all the same.
    FailsAfter,
    /// No space is left from now on.
    Full,
    /// A read fails.
    Unreadable,
}

/// The disk. Clones are one; each start of the daemon has a handle of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    platter: Arc<Mutex<Platter>>,
    lost_power: Arc<Notify>,
    /// Of which start this handle is: those of before write nothing any more.
    start: u64,
}

/// What would undo a batch: the values of before.
type Undo = Vec<(Vec<u8>, Option<Vec<u8>>)>;

#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is as it is, whatever the others are")]
struct Platter {
    view: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What would undo the batches that are not synchronised, the oldest first.
    unsynced: Vec<Undo>,
    is_marked: bool,
    start: u64,
    is_off: bool,
    is_full: bool,
    /// Whether a write failed since this start: what can be read may not be durable.
    has_failed: bool,
    /// Operations so far, of those that write and those that read.
    writes: u64,
    reads: u64,
    plan: BTreeMap<u64, Trouble>,
    unreadable: Option<u64>,
    met: BTreeMap<Trouble, u64>,
}

impl Disk {
    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans trouble so many writes from now.
    pub(crate) fn plan(&self, writes: u64, trouble: Trouble) {
        let mut platter = self.platter();
        if trouble == Trouble::Unreadable {
            platter.unreadable = Some(platter.reads + writes * 10);
        } else {
            let at = platter.writes + writes;
            platter.plan.insert(at, trouble);
        }
    }

    /// Nothing more goes wrong.
    pub(crate) fn mend(&self) {
        let mut platter = self.platter();
        platter.plan.clear();
        platter.unreadable = None;
        platter.is_full = false;
    }

    /// How often each trouble was met.
    pub(crate) fn met(&self) -> BTreeMap<Trouble, u64> {
        self.platter().met.clone()
    }

    /// Whether all that can be read is durable, once it is acknowledged.
    pub(crate) fn is_sound(&self) -> bool {
        !self.platter().has_failed
    }

    /// Waits until the power is lost.
    pub(crate) async fn power_lost(&self) {
        while !self.platter().is_off {
            self.lost_power.notified().await;
        }
    }

    /// The handle for the next start after a crash; chance decides what survived of what was not
    /// synchronised.
    pub(crate) fn after_crash(&self, dice: &mut Dice) -> Self {
        let mut platter = self.platter();
        let kept = dice.place(platter.unsynced.len() + 1);
        while platter.unsynced.len() > kept {
            let undo = platter.unsynced.pop().unwrap_or_default();
            for (key, before) in undo {
                match before {
                    Some(value) => platter.view.insert(key, value),
                    None => platter.view.remove(&key),
                };
            }
        }
        platter.unsynced.clear();
        platter.is_off = false;
        platter.has_failed = false;
        platter.start += 1;
        Self { start: platter.start, ..self.clone() }
    }

    fn write<T>(
        &self,
        act: &'static str,
        work: impl FnOnce(&mut Platter) -> T,
    ) -> Result<T, Fault> {
        let fault = |reason| fault(act, reason);
        let mut platter = self.platter();
        if platter.is_off || platter.start != self.start {
            return Err(fault("the power is off"));
        }
        platter.writes += 1;
        let now = platter.writes;
        let trouble = platter.plan.remove(&now);
        if let Some(trouble) = trouble {
            *platter.met.entry(trouble).or_default() += 1;
        }
        match trouble {
            Some(Trouble::Full) => platter.is_full = true,
            Some(Trouble::CutAfter | Trouble::FailsAfter) => drop(work(&mut platter)),
            None if !platter.is_full => return Ok(work(&mut platter)),
            _ => {}
        }
        platter.has_failed = true;
        if matches!(trouble, Some(Trouble::CutBefore | Trouble::CutAfter)) {
            platter.is_off = true;
            self.lost_power.notify_waiters();
            self.lost_power.notify_one();
            return Err(fault("the power is off"));
        }
        Err(fault(if platter.is_full { "no space left on device" } else { "input/output error" }))
    }

    fn read<T>(&self, work: impl FnOnce(&Platter) -> T) -> Result<T, Fault> {
        let fault = |reason| fault("read", reason);
        let mut platter = self.platter();
        if platter.is_off || platter.start != self.start {
            return Err(fault("the power is off"));
        }
        platter.reads += 1;
        if platter.unreadable.is_some_and(|at| platter.reads >= at) {
            platter.unreadable = None;
            *platter.met.entry(Trouble::Unreadable).or_default() += 1;
            return Err(fault("input/output error"));
        }
        Ok(work(&platter))
    }
}

impl Medium for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.read(|platter| platter.view.get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let own = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        self.read(|platter| {
            let view = &platter.view;
            let inside = |pair: &(&Vec<u8>, &Vec<u8>)| pair.0.starts_with(prefix);
            match order {
                Order::Forward => {
                    let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
                    let range = view.range::<[u8], _>((from, Bound::Unbounded));
                    range.take_while(inside).take(limit).map(own).collect()
                }
                Order::Reverse => {
                    let end = end_of(prefix);
                    let to = after.or(end.as_deref()).map_or(Bound::Unbounded, Bound::Excluded);
                    let range = view.range::<[u8], _>((Bound::Unbounded, to)).rev();
                    range.take_while(inside).take(limit).map(own).collect()
                }
            }
        })
    }

    fn commit(&self, batch: Batch) -> Result<(), Fault> {
        self.write("write", |platter| {
            let mut undo = Vec::with_capacity(batch.len());
            for (key, value) in batch {
                let before = match value {
                    Some(value) => platter.view.insert(key.clone(), value),
                    None => platter.view.remove(&key),
                };
                undo.push((key, before));
            }
            platter.unsynced.push(undo);
        })
    }

    fn sync(&mut self) -> Result<(), Fault> {
        self.write("flush", |platter| platter.unsynced.clear())
    }

    fn is_marked(&self) -> bool {
        self.platter().is_marked
    }

    fn mark(&self) -> Result<(), Fault> {
        self.platter().is_marked = true;
        Ok(())
    }
}

fn fault(act: &'static str, reason: &str) -> Fault {
    Fault { act, cause: Cause::System, reason: reason.to_owned() }
}

/// The first key behind all that begin so; none if there is none.
fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}
