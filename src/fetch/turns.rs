//! Whose turn it is: how many exchanges run at once, in all, with one host and with one address,
//! and how long a host and an address are left alone between two requests.
//!
//! # One address, many hosts
//! A hosting company may have three hundred city sites at one address: the bound and the pause
//! count by address as well as by name.
//!
//! # Who waits for whom
//! A turn is waited for in one order: with the host, with the address, and then in all. So no two
//! wait for each other, and many feeds of one host do not keep the others out. A turn is for one
//! request, not for a chain of redirects: each hop waits for its own.
//!
//! # Stepping aside
//! An exchange that takes long gives its place in all to others, and goes on in a slow lane that
//! has several times as many. Servers that hang cost the others little.
//!
//! The time is tokio's, which a test can pause.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::sleep_until;

/// An exchange that takes longer than this steps aside.
const QUICK_MAX: Duration = Duration::from_secs(2);
/// How many times as many exchanges as in all have room in the slow lane.
const SLOW_LANE: usize = 8;
/// How many places are kept before those that nobody needs are looked for.
const PLACES_SWEPT_MIN: usize = 64;

/// What turns are bound by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many exchanges run at once, those in the slow lane aside.
    pub concurrency: usize,
    /// How many exchanges with one host, and with one address, run at once.
    pub per_host: usize,
    /// How long a host and an address are left alone after a request began, and after it ended.
    pub pause: Duration,
}

/// The turns that there are.
#[derive(Debug)]
pub struct Turns {
    limits: Limits,
    all: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    places: Arc<Mutex<Places>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    /// In all, or in the slow lane.
    lane: Option<OwnedSemaphorePermit>,
    slow: Arc<Semaphore>,
    _visit: Option<Visit>,
}

/// What a turn holds at a host and its address. Gives both back, with their pause.
#[derive(Debug)]
struct Visit {
    places: Arc<Mutex<Places>>,
    pause: Duration,
    keys: Vec<Key>,
    _slots: Vec<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Host(String),
    Address(IpAddr),
}

#[derive(Debug, Default)]
struct Places {
    by_key: HashMap<Key, Place>,
    sweep_at: usize,
}

/// A host or an address.
#[derive(Debug)]
struct Place {
    slots: Arc<Semaphore>,
    /// No request begins before.
    rests: Instant,
}

impl Turns {
    /// The turns under these limits; at least one of each.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let concurrency = limits.concurrency.clamp(1, Semaphore::MAX_PERMITS / SLOW_LANE);
        let per_host = limits.per_host.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limits: Limits { concurrency, per_host, ..limits },
            all: Arc::new(Semaphore::new(concurrency)),
            slow: Arc::new(Semaphore::new(concurrency * SLOW_LANE)),
            places: Arc::default(),
        }
    }

    /// The turns under other limits, for the same hosts: what rests, rests on. Turns that were
    /// given out before count as long as the limit is the same.
    #[must_use]
    pub fn under(&self, limits: Limits) -> Self {
        let fresh = Self::new(limits);
        let is_as_many = fresh.limits.concurrency == self.limits.concurrency;
        let (all, slow) = if is_as_many {
            (Arc::clone(&self.all), Arc::clone(&self.slow))
        } else {
            (fresh.all, fresh.slow)
        };
        let places = if fresh.limits.per_host == self.limits.per_host {
            Arc::clone(&self.places)
        } else {
            Arc::new(Mutex::new(lock(&self.places).with_slots(fresh.limits.per_host)))
        };
        Self { limits: fresh.limits, all, slow, places }
    }

    /// Waits for a turn with a host, at an address if it is known.
    pub async fn with(&self, host: &str, address: Option<IpAddr>) -> Turn {
        let keys: Vec<Key> = [Some(Key::Host(host.to_owned())), address.map(Key::Address)]
            .into_iter()
            .flatten()
            .collect();
        let mut slots = Vec::with_capacity(keys.len());
        for key in &keys {
            let place = lock(&self.places).slots(key, self.limits.per_host);
            // A semaphore that is never closed always gives a permit in the end.
            slots.extend(place.acquire_owned().await.ok());
        }
        loop {
            let rests = lock(&self.places).rests(&keys);
            if let Some(rests) = rests {
                sleep_until(rests).await;
            }
            let turn = self.without_host().await;
            // Another may have begun meanwhile; then this place in all is for somebody else.
            if lock(&self.places).begin(&keys, self.limits.pause) {
                let (places, pause) = (Arc::clone(&self.places), self.limits.pause);
                return Turn { _visit: Some(Visit { places, pause, keys, _slots: slots }), ..turn };
            }
        }
    }

    /// Waits for a turn at something that is no host.
    pub async fn without_host(&self) -> Turn {
        let lane = Arc::clone(&self.all).acquire_owned().await.ok();
        Turn { lane, slow: Arc::clone(&self.slow), _visit: None }
    }
}

impl Turn {
    /// Awaits an exchange, and steps aside if it takes long.
    pub async fn during<T>(&mut self, exchange: impl Future<Output = T>) -> T {
        let mut exchange = pin!(exchange);
        tokio::select! {
            // Who is done just in time does not step aside.
            biased;
            result = &mut exchange => return result,
            () = sleep(QUICK_MAX) => self.step_aside(),
        }
        exchange.await
    }

    /// Gives the place in all to others, if the slow lane has room.
    fn step_aside(&mut self) {
        if let Ok(slow) = Arc::clone(&self.slow).try_acquire_owned() {
            self.lane = Some(slow);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.places).end(&self.keys, self.pause);
    }
}

impl Places {
    /// The places that rest or are visited, with as many slots each.
    fn with_slots(&self, per_host: usize) -> Self {
        let now = Instant::now();
        let is_needed = |place: &Place| place.rests > now || Arc::strong_count(&place.slots) > 1;
        let resting = self.by_key.iter().filter(|(_, place)| is_needed(place));
        let place =
            |place: &Place| Place { slots: Arc::new(Semaphore::new(per_host)), rests: place.rests };
        let by_key = resting.map(|(key, resting)| (key.clone(), place(resting))).collect();
        Self { by_key, sweep_at: self.sweep_at }
    }

    fn slots(&mut self, key: &Key, per_host: usize) -> Arc<Semaphore> {
        if let Some(place) = self.by_key.get(key) {
            return Arc::clone(&place.slots);
        }
        if self.by_key.len() >= self.sweep_at {
            let now = Instant::now();
            // A place is needed as long as somebody has or awaits a turn at it, or it rests.
            self.by_key.retain(|_, place| Arc::strong_count(&place.slots) > 1 || place.rests > now);
            self.sweep_at = PLACES_SWEPT_MIN.max(2 * self.by_key.len());
        }
        let place = Place { slots: Arc::new(Semaphore::new(per_host)), rests: Instant::now() };
        let slots = Arc::clone(&place.slots);
        self.by_key.insert(key.clone(), place);
        slots
    }

    /// Until when one of them rests, if one does.
    fn rests(&self, keys: &[Key]) -> Option<Instant> {
        let now = Instant::now();
        let rests = keys.iter().filter_map(|key| Some(self.by_key.get(key)?.rests));
        rests.filter(|rests| *rests > now).max()
    }

    /// Begins a request with all of them, unless one rests.
    fn begin(&mut self, keys: &[Key], pause: Duration) -> bool {
        let is_free = self.rests(keys).is_none();
        if is_free {
            self.end(keys, pause);
        }
        is_free
    }

    fn end(&mut self, keys: &[Key], pause: Duration) {
        let rests = Instant::now() + pause;
        for key in keys {
            if let Some(place) = self.by_key.get_mut(key) {
                place.rests = place.rests.max(rests);
            }
        }
    }
}

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::net::Ipv4Addr;

    const PAUSE: Duration = Duration::from_secs(1);
    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34)));

    fn turns(concurrency: usize, per_host: usize, pause: Duration) -> Turns {
        Turns::new(Limits { concurrency, per_host, pause })
    }

    #[tokio::test]
    async fn a_turn_is_free_again_when_it_is_dropped() {
        let turns = turns(2, 1, Duration::ZERO);
        let first = turns.with("a.example", None).await;
        assert!(turns.with("a.example", None).now_or_never().is_none());
        let second = turns.with("b.example", None).now_or_never().unwrap();
        assert!(turns.with("c.example", None).now_or_never().is_none());
        drop(first);
        assert!(turns.with("a.example", None).now_or_never().is_some());
        drop(second);
        assert!(turns.with("c.example", None).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn under_other_limits_what_rests_rests_on() {
        let before = turns(8, 1, PAUSE);
        drop(before.with("a.example", None).await);
        let busy = before.with("b.example", None).await;
        let wider = before.under(Limits { concurrency: 8, per_host: 2, pause: PAUSE });
        assert!(wider.with("a.example", None).now_or_never().is_none(), "it still rests");
        let same = before.under(Limits { concurrency: 4, per_host: 1, pause: Duration::ZERO });
        tokio::time::advance(PAUSE).await;
        assert!(wider.with("a.example", None).now_or_never().is_some());
        assert!(same.with("b.example", None).now_or_never().is_none(), "its one slot is taken");
        drop(busy);
        tokio::time::advance(PAUSE).await;
        assert!(same.with("b.example", None).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn many_hosts_at_one_address_are_one() {
        let turns = turns(8, 1, Duration::ZERO);
        let first = turns.with("a.example", ADDRESS).await;
        assert!(turns.with("b.example", ADDRESS).now_or_never().is_none());
        assert!(turns.with("b.example", None).now_or_never().is_some());
        drop(first);
        assert!(turns.with("b.example", ADDRESS).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_and_an_address_are_left_alone_between_two_requests() {
        let turns = turns(8, 2, PAUSE);
        let start = Instant::now();
        let first = turns.with("a.example", ADDRESS).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        // A second one may run beside it, but not begin with it.
        let second = turns.with("a.example", ADDRESS).await;
        assert_eq!(start.elapsed(), PAUSE);
        tokio::time::advance(PAUSE * 3).await;
        drop((first, second));
        // The pause is counted from the end, and holds for another name at the address.
        drop(turns.with("b.example", ADDRESS).await);
        assert!(
            (PAUSE * 5..PAUSE * 5 + PAUSE / 100).contains(&start.elapsed()),
            "{:?}",
            start.elapsed()
        );
        assert!(turns.with("c.example", None).now_or_never().is_some(), "another is not concerned");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_pause_takes_no_place_from_others() {
        let turns = turns(1, 4, PAUSE);
        drop(turns.with("a.example", None).await);
        let mut waiting = Box::pin(turns.with("a.example", None));
        assert!((&mut waiting).now_or_never().is_none());
        assert!(turns.with("b.example", None).now_or_never().is_some());
        drop(waiting.await);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_a_place_in_all_still_keeps_the_pause() {
        let turns = Arc::new(turns(1, 4, PAUSE));
        let other = turns.with("b.example", None).await;
        let start = Instant::now();
        let both: Vec<_> = (0..2)
            .map(|_| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move {
                    let turn = turns.with("a.example", None).await;
                    let began = Instant::now();
                    drop(turn);
                    began
                })
            })
            .collect();
        sleep(PAUSE * 5).await;
        drop(other);
        let mut began = Vec::new();
        for one in both {
            began.push(one.await.unwrap());
        }
        began.sort();
        assert!(began[0] - start >= PAUSE * 5 && began[1] - began[0] >= PAUSE, "{began:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_long_steps_aside_until_the_slow_lane_is_full() {
        let turns = turns(1, 100, Duration::ZERO);
        let mut slow = Vec::new();
        for number in 0..=SLOW_LANE {
            let mut turn = turns.with(&format!("{number}.example"), None).now_or_never().unwrap();
            turn.step_aside();
            slow.push(turn);
        }
        assert!(turns.with("good.example", None).now_or_never().is_none(), "the lane is full");
        slow.pop();
        assert!(turns.with("good.example", None).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn places_that_nobody_needs_are_forgotten() {
        let turns = turns(8, 2, Duration::from_millis(1));
        let kept = turns.with("kept.example", ADDRESS).await;
        for number in 0..10_000 {
            drop(turns.with(&format!("{number}.example"), None).await);
            tokio::time::advance(Duration::from_millis(2)).await;
        }
        {
            let places = lock(&turns.places);
            assert!(places.by_key.len() <= PLACES_SWEPT_MIN, "{}", places.by_key.len());
            assert!(places.by_key.contains_key(&Key::Host("kept.example".to_owned())));
        }
        drop(kept);
    }
}
