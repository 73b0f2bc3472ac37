//! How many exchanges run at once: in all, and with one host.
//!
//! A turn is for one exchange, not for a chain of redirects: who holds one waits for no other,
//! so that no two can wait for each other. The host's turn is waited for first, so that many
//! feeds of one host do not keep the others out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

/// How many hosts are kept before those that nobody waits for are looked for.
const HOSTS_SWEPT_MIN: usize = 64;

/// The turns that there are.
#[derive(Debug)]
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<Hosts>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _all: Option<OwnedSemaphorePermit>,
    _host: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Default)]
struct Hosts {
    /// A host lives as long as somebody has or awaits a turn at it.
    by_name: HashMap<String, Weak<Semaphore>>,
    sweep_at: usize,
}

impl Turns {
    /// So many in all, and so many with one host; at least one.
    pub(crate) fn new(concurrency: usize, per_host: usize) -> Self {
        let most = Semaphore::MAX_PERMITS;
        Self {
            all: Arc::new(Semaphore::new(concurrency.clamp(1, most))),
            per_host: per_host.clamp(1, most),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a turn with a host.
    pub(crate) async fn with(&self, host: &str) -> Turn {
        // A semaphore that is never closed always gives a permit in the end.
        let host = self.host(host).acquire_owned().await.ok();
        Turn { _host: host, ..self.without_host().await }
    }

    /// Waits for a turn at something that is no host.
    pub(crate) async fn without_host(&self) -> Turn {
        Turn { _all: Arc::clone(&self.all).acquire_owned().await.ok(), _host: None }
    }

    fn host(&self, name: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.by_name.get(name).and_then(Weak::upgrade) {
            return host;
        }
        if hosts.by_name.len() >= hosts.sweep_at {
            hosts.by_name.retain(|_, host| host.strong_count() > 0);
            hosts.sweep_at = HOSTS_SWEPT_MIN.max(2 * hosts.by_name.len());
        }
        let host = Arc::new(Semaphore::new(self.per_host));
        hosts.by_name.insert(name.to_owned(), Arc::downgrade(&host));
        host
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_turn_is_free_again_when_it_is_dropped() {
        let turns = Turns::new(2, 1);
        let first = turns.with("a.example").await;
        assert!(turns.with("a.example").now_or_never().is_none());
        let second = turns.with("b.example").now_or_never().unwrap();
        assert!(turns.with("c.example").now_or_never().is_none());
        drop(first);
        assert!(turns.with("a.example").now_or_never().is_some());
        drop(second);
        assert!(turns.with("c.example").now_or_never().is_some());
    }

    #[tokio::test]
    async fn hosts_that_nobody_waits_for_are_forgotten() {
        let turns = Turns::new(8, 2);
        let kept = turns.with("kept.example").await;
        for number in 0..10_000 {
            drop(turns.with(&format!("{number}.example")).await);
        }
        let hosts = turns.hosts.lock().unwrap();
        assert!(hosts.by_name.len() <= HOSTS_SWEPT_MIN, "{}", hosts.by_name.len());
        assert!(hosts.by_name.contains_key("kept.example"));
        drop(kept);
    }
}
