//! Whether the daemon goes on, for the watchdog of the service manager (`sd_notify(3)`,
//! `WATCHDOG=1`).
//!
//! # What is told
//! Never a timer's word. The loop that polls, the thread of the store and the loop that takes
//! readers' connections are each asked, and each answers in its turn; the watchdog is fed when all
//! three have. The store shows that it goes on by reading and writing, too: to index all articles
//! for a new publication is one long command, and no standstill.
//!
//! # When it bites
//! What does not answer is named in the log. It is asked again and again; the service manager ends
//! the daemon when nothing was heard for the whole time that it has set.

use crate::daemon::rounds::Request;
use crate::serve::Question;
use crate::store::Store;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio::time::interval;
use tokio::time::timeout;
use tracing::error;
use tracing::info;

/// How often the watchdog is fed within its time: one question that is answered late is none too
/// late.
const FED_TIMES: u32 = 3;

/// What has to go on.
pub(crate) struct Vitals {
    rounds: mpsc::Sender<Request>,
    store: Store,
    server: mpsc::Sender<Question>,
}

impl Vitals {
    pub(crate) fn new(
        rounds: mpsc::Sender<Request>,
        store: Store,
        server: mpsc::Sender<Question>,
    ) -> Self {
        Self { rounds, store, server }
    }

    /// Feeds a watchdog, for ever, as long as all goes on. Without one nothing is asked.
    pub(crate) async fn watch(&self, watchdog: Option<Duration>, feed: impl Fn()) -> Infallible {
        let Some(watchdog) = watchdog.filter(|watchdog| !watchdog.is_zero()) else {
            return pending().await;
        };
        let every = watchdog / FED_TIMES;
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Vec::new();
        loop {
            ticks.tick().await;
            let stalled = self.stalled(every).await;
            if stalled.is_empty() {
                feed();
                if !told.is_empty() {
                    info!("{} again", on(&told));
                }
            } else if stalled != told {
                error!("no longer {}: without it the watchdog ends the daemon", on(&stalled));
            }
            told = stalled;
        }
    }

    /// What does not answer within a time, by name.
    async fn stalled(&self, within: Duration) -> Vec<&'static str> {
        let (polls, store, readers) = tokio::join!(
            timeout(within, answered(&self.rounds, Request::Answer)),
            self.store.goes_on(within),
            timeout(within, answered(&self.server, |question| question)),
        );
        let all = [
            ("the loop that polls", polls == Ok(true)),
            ("the store", store),
            ("the loop that takes connections", readers == Ok(true)),
        ];
        all.into_iter().filter(|(_, goes_on)| !goes_on).map(|(name, _)| name).collect()
    }
}

fn on(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "goes" } else { "go" };
    format!("{verb} on: {}", names.join(", "))
}

/// Whether a loop that takes such words answers a question.
async fn answered<T>(words: &mpsc::Sender<T>, word: impl FnOnce(Question) -> T) -> bool {
    let (question, answer) = oneshot::channel();
    words.send(word(question)).await.is_ok() && answer.await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Batch;
    use crate::store::engine::Fault;
    use crate::store::engine::Medium;
    use crate::store::engine::Order;
    use crate::store::engine::Pair;
    use chrono::DateTime;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::Mutex;
    use std::sync::PoisonError;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use tokio::task::JoinHandle;

    const WATCHDOG: Duration = Duration::from_millis(600);

    /// An empty engine that does not come back from reading while somebody holds the gate.
    #[derive(Debug, Default, Clone)]
    struct Gated(Arc<Mutex<()>>);

    impl Medium for Gated {
        fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
            drop(self.0.lock().unwrap_or_else(PoisonError::into_inner));
            Ok(None)
        }

        fn scan(&self, _: &[u8], _: Option<&[u8]>, _: Order, _: usize) -> Result<Vec<Pair>, Fault> {
            Ok(Vec::new())
        }

        fn commit(&self, _: Batch) -> Result<(), Fault> {
            Ok(())
        }

        fn sync(&mut self) -> Result<(), Fault> {
            Ok(())
        }

        fn is_marked(&self) -> bool {
            false
        }

        fn mark(&self) -> Result<(), Fault> {
            Ok(())
        }
    }

    /// All three, and what stops each.
    struct Body {
        vitals: Arc<Vitals>,
        gate: Arc<Mutex<()>>,
        polls: JoinHandle<()>,
        readers: JoinHandle<()>,
        meals: Arc<AtomicUsize>,
        watching: JoinHandle<()>,
    }

    fn body() -> Body {
        let gated = Gated::default();
        let (gate, at) = (Arc::clone(&gated.0), DateTime::UNIX_EPOCH);
        let store = Store::over(Path::new("store"), Box::new(gated), Vec::new(), at).unwrap();
        let (rounds, mut requests) = mpsc::channel(1);
        let polls = tokio::spawn(async move {
            while let Some(Request::Answer(question)) = requests.recv().await {
                question.send(()).unwrap();
            }
        });
        let (server, mut questions) = mpsc::channel::<Question>(1);
        let readers = tokio::spawn(async move {
            while let Some(question) = questions.recv().await {
                question.send(()).unwrap();
            }
        });
        let vitals = Arc::new(Vitals::new(rounds, store, server));
        let (meals, watched) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&vitals));
        let eaten = Arc::clone(&meals);
        let watching = tokio::spawn(async move {
            let feed = || {
                eaten.fetch_add(1, Ordering::Relaxed);
            };
            match watched.watch(Some(WATCHDOG), feed).await {}
        });
        Body { vitals, gate, polls, readers, meals, watching }
    }

    impl Body {
        /// Until the watchdog has been fed so often.
        async fn fed(&self, times: usize) {
            while self.meals.load(Ordering::Relaxed) < times {
                tokio::time::sleep(WATCHDOG / 20).await;
            }
        }

        /// Whether it is fed within twice its time.
        async fn is_fed(&self) -> bool {
            // What was asked before may be answered yet.
            tokio::time::sleep(WATCHDOG).await;
            let before = self.meals.load(Ordering::Relaxed);
            tokio::time::sleep(WATCHDOG * 2).await;
            self.meals.load(Ordering::Relaxed) != before
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_fed_three_times_in_its_time_as_long_as_all_answer() {
        let body = body();
        body.fed(1).await;
        tokio::time::sleep(WATCHDOG * 10).await;
        let meals = body.meals.load(Ordering::Relaxed);
        assert!((30..=32).contains(&meals), "{meals}");
        body.watching.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_fed_no_more_when_the_loop_that_polls_stands_still() {
        let body = body();
        body.fed(2).await;
        body.polls.abort();
        assert!(!body.is_fed().await);
        assert_eq!(body.vitals.stalled(WATCHDOG).await, ["the loop that polls"]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_fed_no_more_when_no_connection_is_taken() {
        let body = body();
        body.fed(2).await;
        body.readers.abort();
        assert!(!body.is_fed().await);
        assert_eq!(body.vitals.stalled(WATCHDOG).await, ["the loop that takes connections"]);
    }

    // Something has to wait while the store's task is stuck in its engine.
    #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
    async fn it_is_fed_no_more_while_the_engine_does_not_come_back_and_again_after_it() {
        let body = body();
        body.fed(2).await;
        let (gate, store) = (Arc::clone(&body.gate), body.vitals.store.clone());
        let (open, opening) = std::sync::mpsc::channel::<()>();
        let (held, holding) = oneshot::channel();
        let holder = std::thread::spawn(move || {
            let _gate = gate.lock().unwrap();
            held.send(()).unwrap();
            let _ = opening.recv();
        });
        holding.await.unwrap();
        let asking = tokio::spawn(async move {
            let id = crate::model::id::ArticleId(crate::model::id::Digest([0; 16]));
            store.article(id).await
        });
        assert!(!body.is_fed().await);
        assert_eq!(body.vitals.stalled(WATCHDOG).await, ["the store"]);
        drop(open);
        holder.join().unwrap();
        assert_eq!(asking.await.unwrap(), Ok(None));
        body.fed(body.meals.load(Ordering::Relaxed) + 1).await;
        body.watching.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_watchdog_nothing_is_asked() {
        let body = body();
        let watching = body.vitals.watch(None, || panic!("nobody is to be fed"));
        assert!(timeout(WATCHDOG * 10, watching).await.is_err());
    }
}
