//! The places that connections take: how many there are in all and for one client, and whose
//! connection goes when none is free.
//!
//! A client that says nothing costs a place, and enough of them would cost all. So the connection
//! that has been idle for longest goes for the one that comes: who keeps a connection open for
//! later loses it first, and comes again (RFC 9112, 9.5). After the idle ones go those that have
//! taken an answer for longer than any answer should take. A request under way keeps its place.

use std::collections::HashMap;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use tokio::sync::Notify;
use tokio::sync::watch;

/// No request is under way.
const IDLE: u64 = 0;
/// An answer is made.
const ANSWERING: u64 = 1;
/// An answer is on its way to the client.
const SENDING: u64 = 2;
/// Where the time begins in a seat's state; what it does stands before.
const SHIFT: u32 = 2;
const DOING: u64 = (1 << SHIFT) - 1;

/// All places.
pub(super) struct Places {
    total: usize,
    for_one: usize,
    /// How long a client may take for an answer before its place is wanted for others.
    patience: Duration,
    started: Instant,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    seats: HashMap<u64, Arc<Seat>>,
    clients: HashMap<Client, usize>,
    next: u64,
}

/// What a connection is doing, and since when.
pub(super) struct Seat {
    client: Option<Client>,
    started: Instant,
    state: AtomicU64,
    leave: Notify,
    spoken: watch::Sender<bool>,
}

/// A place that is taken, until this is dropped.
pub(super) struct Place {
    number: u64,
    places: Arc<Places>,
    /// What its connection is doing.
    pub(super) seat: Arc<Seat>,
}

/// Whose connections are counted together; IPv6 hands a /64 to a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Client(IpAddr);

impl Client {
    /// None for an address behind which many clients may be: a reverse proxy stands there, or the
    /// host's own translation of addresses.
    fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            IpAddr::V4(v4) if v4.is_loopback() || v4.is_private() => None,
            IpAddr::V6(v6) if v6.is_loopback() || v6.is_unique_local() => None,
            IpAddr::V6(v6) => {
                let network = u128::from(v6) >> 64 << 64;
                Some(Self(Ipv6Addr::from(network).into()))
            }
            v4 @ IpAddr::V4(_) => Some(Self(v4)),
        }
    }
}

impl Places {
    /// Places that are all free: so many in all, so many of them for one client.
    pub(super) fn new(total: usize, for_one: usize, patience: Duration) -> Arc<Self> {
        let (started, taken) = (Instant::now(), Mutex::default());
        Arc::new(Self { total, for_one, patience, started, taken })
    }

    /// A place for a connection from an address; none if every place is needed where it is.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let client = Client::of(address);
        let mut taken = self.taken();
        let has = client.and_then(|client| taken.clients.get(&client)).copied().unwrap_or(0);
        if has >= self.for_one {
            self.free_one(&mut taken, client)?;
        } else if taken.seats.len() >= self.total {
            self.free_one(&mut taken, None)?;
        }
        let number = taken.next;
        taken.next += 1;
        let state = AtomicU64::new(now(self.started) << SHIFT | IDLE);
        let (started, leave, spoken) = (self.started, Notify::new(), watch::Sender::new(false));
        let seat = Seat { client, started, state, leave, spoken };
        let seat = Arc::new(seat);
        taken.seats.insert(number, seat.clone());
        if let Some(client) = client {
            *taken.clients.entry(client).or_default() += 1;
        }
        Some(Place { number, places: self.clone(), seat })
    }

    /// Closes the connection that is needed least, if there is one.
    pub(super) fn free_any(&self) {
        // None is as good as one: there was nothing to close.
        let _ = self.free_one(&mut self.taken(), None);
    }

    fn free_one(&self, taken: &mut Taken, of: Option<Client>) -> Option<()> {
        let now = now(self.started);
        let patience = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        let candidates = taken.seats.iter().filter(|(_, seat)| of.is_none() || seat.client == of);
        let candidates = candidates.filter_map(|(number, seat)| {
            let state = seat.state.load(Ordering::Relaxed);
            let since = state >> SHIFT;
            let doing = state & DOING;
            let is_free = doing == IDLE || doing == SENDING && now.saturating_sub(since) > patience;
            is_free.then_some((doing, since, *number))
        });
        let (_, _, number) = candidates.min()?;
        taken.remove(number)?.leave.notify_one();
        Some(())
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing that is done under the lock leaves it half changed.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn remove(&mut self, number: u64) -> Option<Arc<Seat>> {
        let seat = self.seats.remove(&number)?;
        if let Some(client) = seat.client
            && let Some(count) = self.clients.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                self.clients.remove(&client);
            }
        }
        Some(seat)
    }
}

impl Seat {
    /// Something was read.
    pub(super) fn hears(&self) {
        self.spoken.send_if_modified(|spoken| !std::mem::replace(spoken, true));
    }

    /// Ends when something was read.
    pub(super) async fn heard(&self) {
        // An error would mean that the sender is gone, which is here.
        let _ = self.spoken.subscribe().wait_for(|&spoken| spoken).await;
    }

    /// A request has come.
    pub(super) fn answers(&self) {
        self.does(ANSWERING);
    }

    /// Its answer is there, and goes out.
    pub(super) fn sends(&self) {
        self.does(SENDING);
    }

    /// What was to be sent is sent.
    pub(super) fn sent(&self) {
        let state = self.state.load(Ordering::Relaxed);
        if state & DOING == SENDING {
            self.does(IDLE);
        }
    }

    /// Ends when the place is wanted for another.
    pub(super) async fn left(&self) {
        self.leave.notified().await;
    }

    fn does(&self, what: u64) {
        self.state.store(now(self.started) << SHIFT | what, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().remove(self.number);
    }
}

/// Milliseconds since the start.
fn now(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX >> SHIFT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_HOUR: Duration = Duration::from_hours(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Whether its place was given to another.
    fn is_lost(place: &Place) -> bool {
        !place.places.taken().seats.contains_key(&place.number)
    }

    /// As if the clock had been so late when the seat's state last changed.
    fn dated(place: &Place, millis: u64) {
        let doing = place.seat.state.load(Ordering::Relaxed) & DOING;
        place.seat.state.store(millis << SHIFT | doing, Ordering::Relaxed);
    }

    #[test]
    fn the_connection_that_is_idle_for_longest_goes_and_one_that_is_needed_stays() {
        let places = Places::new(3, 3, AN_HOUR);
        let take = || places.take(address("127.0.0.1"));
        let [first, second, third] = [take().unwrap(), take().unwrap(), take().unwrap()];
        first.seat.answers();
        dated(&second, 2);
        dated(&third, 1);
        let fourth = take().unwrap();
        assert_eq!([&first, &second, &third].map(is_lost), [false, false, true]);
        second.seat.answers();
        second.seat.sends();
        fourth.seat.answers();
        assert!(take().is_none(), "all are needed where they are");
        second.seat.sent();
        assert!(take().is_some());
        assert_eq!([&first, &second, &fourth].map(is_lost), [false, true, false]);
        first.seat.sent();
        assert!(take().is_some(), "the place of the one that ended at once");
        drop(first);
        assert_eq!(places.taken().seats.len(), 1);
    }

    #[test]
    fn who_takes_too_long_for_an_answer_goes_after_those_who_are_idle() {
        let places = Places::new(2, 2, Duration::ZERO);
        let slow = places.take(address("127.0.0.1")).unwrap();
        let idle = places.take(address("127.0.0.1")).unwrap();
        slow.seat.answers();
        slow.seat.sends();
        dated(&slow, 0);
        std::thread::sleep(Duration::from_millis(2));
        let third = places.take(address("127.0.0.1")).unwrap();
        assert_eq!([is_lost(&slow), is_lost(&idle)], [false, true]);
        third.seat.answers();
        assert!(places.take(address("127.0.0.1")).is_some());
        assert!(is_lost(&slow));
    }

    #[test]
    fn one_client_has_its_share_and_costs_others_nothing() {
        let places = Places::new(100, 2, AN_HOUR);
        let take = |text| places.take(address(text));
        let other = take("192.0.2.2").unwrap();
        let first = take("2001:db8:0:1::1").unwrap();
        let second = take("2001:db8:0:1::2").unwrap();
        first.seat.answers();
        let third = take("2001:db8:0:1:ffff::3").unwrap();
        assert_eq!([&other, &first, &second].map(is_lost), [false, false, true]);
        third.seat.answers();
        assert!(take("2001:db8:0:1::4").is_none());
        let neighbour = take("2001:db8:0:2::1");
        assert!(neighbour.is_some(), "another network");
        drop((third, first));
        assert!(take("2001:db8:0:1::4").is_some());
        assert_eq!(places.taken().clients.len(), 2, "nobody is counted who is gone");
    }

    #[test]
    fn behind_some_addresses_there_are_many_clients() {
        for (text, counted) in [
            ("127.0.0.1", None),
            ("::1", None),
            ("::ffff:127.0.0.1", None),
            ("10.1.2.3", None),
            ("172.17.0.1", None),
            ("192.168.0.1", None),
            ("fd00::1", None),
            ("192.0.2.7", Some("192.0.2.7")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::")),
        ] {
            let counted = counted.map(|counted| Client(address(counted)));
            assert_eq!(Client::of(address(text)), counted, "{text}");
        }
    }
}
