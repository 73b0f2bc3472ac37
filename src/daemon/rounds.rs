//! The rounds of polls: one loop owns the clock, knows when each feed is due, starts its poll as a
//! task of its own, and learns from the poll's result when the feed is due next.

use crate::admin::Board;
use crate::daemon::DaemonError;
use crate::model::exchange::History;
use crate::model::exchange::Outcome;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::poll::Polled;
use crate::poll::Poller;
use crate::poll::missing::Suspects;
use crate::schedule::PollTime;
use crate::schedule::agenda::Agenda;
use crate::serve::documents::Documents;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

/// The longest sleep of the loop: a clock that was set is noticed after this.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// What a poll changed, and what is to be looked at after it.
#[derive(Default)]
struct Changed {
    touched: BTreeSet<Selection>,
    suspects: Option<Suspects>,
}

/// The agenda, and the polls under way.
pub(crate) struct Rounds {
    agenda: Agenda,
    polls: JoinSet<Result<Polled, StoreError>>,
    /// Whether articles were taken down, for polls that have ended.
    looks: JoinSet<Result<BTreeSet<Selection>, StoreError>>,
    /// Which feed a poll under way is of, so that one that panics is known too.
    polled: HashMap<task::Id, FeedId>,
    /// What admins are told.
    board: Board,
}

impl Rounds {
    pub(crate) fn new(
        feeds: impl Iterator<Item = Arc<Feed>>,
        histories: &BTreeMap<FeedId, History>,
        board: Board,
        now: DateTime<Utc>,
    ) -> Self {
        let agenda = Agenda::new(feeds, histories, now);
        let (mut feeds, mut overdue) = (0, 0);
        let unpolled = History::default();
        for (feed, planned) in agenda.planned() {
            feeds += 1;
            overdue += u32::from(planned.at.is_some_and(|at| at <= now));
            let history = histories.get(&feed.id).unwrap_or(&unpolled);
            log_plan(&feed.id, planned, history);
            board.put(feed, history, planned);
        }
        info!(feeds, overdue, "{overdue} of {feeds} feeds are due now");
        let (polls, looks) = (JoinSet::new(), JoinSet::new());
        Self { agenda, polls, looks, polled: HashMap::new(), board }
    }

    /// Polls feeds as they are due, until it is told to stop.
    pub(crate) async fn go(
        &mut self,
        poller: &Poller,
        documents: &Documents,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), DaemonError> {
        let clock = &poller.clock;
        loop {
            self.start_due(poller, clock.now());
            tokio::select! {
                _ = stop.wait_for(|&stop| stop) => return Ok(()),
                () = tokio::time::sleep(self.sleep(clock.now())) => {}
                Some(ended) = self.polls.join_next_with_id() => {
                    match self.ended(ended, clock.now(), documents)? {
                        Some(changed) => {
                            documents.touch(&changed.touched);
                            self.look(poller, changed.suspects);
                        }
                        None => documents.touch_all(),
                    }
                }
                Some(looked) = self.looks.join_next() => match looked {
                    Ok(Ok(taken_away)) => documents.take_away(&taken_away),
                    Ok(Err(error)) => warn!("what sources took down is not known: {error}"),
                    Err(panic) => error!("a look for what a source took down broke off: {panic}"),
                }
            }
        }
    }

    /// Looks whether a source took articles down, beside the polls: pages may answer slowly.
    fn look(&mut self, poller: &Poller, suspects: Option<Suspects>) {
        if let Some(suspects) = suspects {
            let poller = poller.clone();
            self.looks.spawn(async move { poller.follow(&suspects).await });
        }
    }

    /// Lets the polls under way come to their end.
    pub(crate) async fn end(&mut self, documents: &Documents) {
        self.looks.abort_all();
        while let Some(ended) = self.polls.join_next().await {
            if let Ok(Ok(polled)) = ended {
                documents.touch(&polled.touched);
            }
        }
    }

    /// Plans the next poll of the feed whose poll has ended, and gives what it changed; none if
    /// that is not known.
    fn ended(
        &mut self,
        ended: Result<(task::Id, Result<Polled, StoreError>), JoinError>,
        now: DateTime<Utc>,
        documents: &Documents,
    ) -> Result<Option<Changed>, DaemonError> {
        let task = ended.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        let Some(id) = self.polled.remove(&task) else { return Ok(None) };
        match ended {
            Ok((_, Ok(polled))) => {
                let planned = self.agenda.ended(&id, &polled.history, now);
                if let Some(feed) = self.agenda.feed(&id) {
                    self.board.put(feed, &polled.history, &planned);
                }
                log_plan(&id, &planned, &polled.history);
                documents.touch_health(&id);
                let Polled { touched, suspects, .. } = polled;
                return Ok(Some(Changed { touched, suspects }));
            }
            Ok((_, Err(end @ (StoreError::Closed { .. } | StoreError::Broken { .. })))) => {
                return Err(end.into());
            }
            Ok((_, Err(error @ (StoreError::ReadOnly { .. } | StoreError::Engine { .. })))) => {
                // To ask servers for what cannot be kept would be rude, and to end would take down
                // what can still be read.
                error!(feed = %id, "no feed is polled any more, what there is is served: {error}");
                self.agenda.clear();
                return Ok(Some(Changed::default()));
            }
            Ok((_, Err(error))) => {
                error!(feed = %id, "the poll of {id} was not recorded: {error}");
            }
            Err(panic) => error!(feed = %id, "the poll of {id} broke off: {panic}"),
        }
        self.agenda.lost(&id, now);
        Ok(None)
    }

    fn start_due(&mut self, poller: &Poller, now: DateTime<Utc>) {
        for feed in self.agenda.due(now) {
            let (poller, id) = (poller.clone(), feed.id.clone());
            let poll = self.polls.spawn(async move { poller.poll(&feed).await });
            self.polled.insert(poll.id(), id);
        }
    }

    fn sleep(&self, now: DateTime<Utc>) -> Duration {
        let next = self.agenda.next_wake().map(|at| (at - now).to_std().unwrap_or_default());
        next.unwrap_or(SLEEP_MAX).min(SLEEP_MAX)
    }
}

fn log_plan(id: &FeedId, planned: &PollTime, history: &History) {
    if let Some(ignored) = &planned.ignored {
        info!(feed = %id, "{id} is polled although its publisher asks for less: {ignored}");
    }
    let reason = &planned.reason;
    let Some(at) = planned.at else {
        warn!(feed = %id, "{id} is not polled again: {reason}");
        return;
    };
    let outcome = history.polls.last().map(|poll| &poll.outcome);
    // Who mends a feed wants to know how long it waits.
    if history.failures > 0 || matches!(outcome, Some(Outcome::Unreachable(_))) {
        info!(feed = %id, %at, "{id} is polled next at {at}: {reason}");
    } else {
        debug!(feed = %id, %at, "{id} is polled next at {at}: {reason}");
    }
}
