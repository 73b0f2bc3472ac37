//! The world around the daemon: publishers, the network, and what the model knows.

use crate::dice::Dice;
use crate::disk::Disk;
use crate::model::Model;
use crate::publishers::Publishers;
use crate::time::Time;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use visnyk::store::Store;

/// How long the daemon leaves a host alone, and how many exchanges it may have with one at once.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);
pub(crate) const PER_HOST: usize = 2;

/// A world. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) time: Time,
    pub(crate) publishers: Publishers,
    pub(crate) dice: Dice,
    pub(crate) model: Model,
    /// The disk under it, of this start.
    pub(crate) disk: Disk,
    /// The store that the daemon has open.
    pub(crate) store: Option<Store>,
    /// Whether the network is away.
    pub(crate) is_away: bool,
    /// Nothing goes wrong any more.
    pub(crate) is_calm: bool,
    /// What happens at each host and address.
    places: HashMap<String, Place>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// What was counted last.
    pub(crate) last_counted: &'static str,
    trace: DefaultHasher,
    /// What is wrong, in words.
    pub(crate) wrong: Vec<String>,
    is_told: bool,
}

#[derive(Debug, Default)]
struct Place {
    active: usize,
    /// No request may begin before.
    rests: Duration,
}

/// An exchange with a host, until it is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    world: World,
    keys: [String; 2],
}

impl World {
    pub(crate) fn new(time: Time, publishers: Publishers, dice: Dice) -> Self {
        let model = Model::new(publishers.sources.len());
        Self(Arc::new(Mutex::new(State {
            time,
            publishers,
            dice,
            model,
            disk: Disk::default(),
            store: None,
            is_away: false,
            is_calm: false,
            places: HashMap::new(),
            counts: BTreeMap::new(),
            last_counted: "",
            trace: DefaultHasher::new(),
            wrong: Vec::new(),
            is_told: std::env::var_os("TRACE").is_some(),
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The daemon begins anew: it does not know whom it asked a moment ago.
    pub(crate) fn begin(&self, store: &Store, disk: &Disk) {
        let mut state = self.state();
        state.disk = disk.clone();
        state.places.clear();
        state.store = Some(store.clone());
    }

    /// A request to a host begins, which must be polite.
    pub(crate) fn visit(&self, host: usize) -> Visit {
        let mut state = self.state();
        let now = state.time.elapsed();
        let host = &state.publishers.hosts[host];
        let keys = [host.name.clone(), format!("{:?}", host.address)];
        let mut wrong = Vec::new();
        for key in &keys {
            let place = state.places.entry(key.clone()).or_default();
            if place.active >= PER_HOST {
                wrong.push(format!("{key} is asked {} times at once", place.active + 1));
            }
            if now < place.rests {
                wrong.push(format!(
                    "{key} is asked {:?} too early",
                    place.rests.saturating_sub(now)
                ));
            }
            place.active += 1;
            place.rests = now + PAUSE;
        }
        state.wrong.extend(wrong);
        drop(state);
        Visit { world: self.clone(), keys }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.world.state();
        let now = state.time.elapsed();
        for key in &self.keys {
            if let Some(place) = state.places.get_mut(key) {
                place.active = place.active.saturating_sub(1);
                place.rests = place.rests.max(now + PAUSE);
            }
        }
    }
}

impl State {
    /// Counts what happened.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        self.last_counted = what;
    }

    /// Takes down what happened: two runs of one seed have the same trace.
    pub(crate) fn note(&mut self, what: &str) {
        let at = self.time.elapsed();
        if self.is_told {
            let now = self.time.now().format("%F %T%.3f");
            println!("{:>9.3} h  {now}  {what}", at.as_secs_f64() / 3600.0);
        }
        (at, what).hash(&mut self.trace);
    }

    /// The trace so far, as a number.
    pub(crate) fn trace(&self) -> u64 {
        self.trace.finish()
    }
}
