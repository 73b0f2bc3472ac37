//! The rounds of polls: one loop owns the clock, knows when each feed is due, starts its poll as a
//! task of its own, and learns from the poll's result when the feed is due next.

use crate::admin::board::Board;
use crate::admin::board::Pulse;
use crate::admin::polled::UNKNOWN;
use crate::admin::polled::ended_poll;
use crate::admin::polled::lost_poll;
use crate::config::Config;
use crate::daemon::DaemonError;
use crate::daemon::pausing::Standing;
use crate::daemon::pausing::look;
use crate::fetch::Fetcher;
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
use crate::serve::Question;
use crate::serve::documents::Documents;
use crate::store::error::StoreError;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

/// The longest sleep of the loop: a clock that was set is noticed after this.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// A clock that is set back by less is let be: feeds wait so much longer, once.
const SET_BACK_MIN: TimeDelta = TimeDelta::minutes(1);

/// After this other feeds are gone over to that could not be at once.
const CHANGE_RETRY: Duration = Duration::from_secs(10);

/// How the store stands, and how long it need not be looked again.
type Looked = Result<(Standing, Duration), StoreError>;

/// What a poll changed, and what is to be looked at after it.
#[derive(Default)]
struct Changed {
    touched: BTreeSet<Selection>,
    suspects: Option<Suspects>,
}

/// What the rounds are asked to do beside them.
pub enum Request {
    /// To go on with these feeds.
    Change(Fresh),
    /// To poll some feeds now; or all, if none is named.
    Poll {
        /// Which.
        feeds: BTreeSet<FeedId>,
        /// Where it goes how each poll ended.
        reply: oneshot::Sender<Result<Vec<Value>, String>>,
    },
    /// To answer.
    Answer(Question),
}

/// A configuration that the rounds go on with.
pub struct Fresh {
    /// It.
    pub config: Arc<Config>,
    /// What fetches.
    pub fetcher: Arc<Fetcher>,
}

/// Somebody who waits for polls.
struct Waiting {
    left: BTreeSet<FeedId>,
    ended: Vec<Value>,
    reply: oneshot::Sender<Result<Vec<Value>, String>>,
}

/// The agenda, and the polls under way.
pub struct Rounds {
    poller: Poller,
    agenda: Agenda,
    polls: JoinSet<Result<Polled, StoreError>>,
    /// Whether articles were taken down, for polls that have ended.
    looks: JoinSet<Result<BTreeSet<Selection>, StoreError>>,
    /// Which feed a poll under way is of, so that one that panics is known too.
    polled: HashMap<task::Id, FeedId>,
    /// Who waits for which polls.
    waiting: Vec<Waiting>,
    /// Whether the store takes something.
    standing: Standing,
    /// A look at whether it does, under way, and when the next one begins.
    standings: JoinSet<(Standing, Looked)>,
    next_look: Instant,
    /// A change that the store did not tell enough for, and when it is tried again.
    put_off: Option<(Instant, Fresh)>,
    /// What admins are told.
    board: Board,
    /// When the clock was looked at last, and what it said.
    looked: (Instant, DateTime<Utc>),
}

impl Rounds {
    /// The agenda of a configuration, as the histories of its feeds tell it; nothing is polled yet.
    pub fn new(
        poller: Poller,
        config: &Config,
        histories: &BTreeMap<FeedId, History>,
        board: Board,
    ) -> Self {
        let now = poller.clock.now();
        let agenda = Agenda::new(config.enabled().cloned().map(Arc::new), histories, now);
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
        let (waiting, put_off) = (Vec::new(), None);
        Self {
            poller,
            agenda,
            polls,
            looks,
            polled: HashMap::new(),
            waiting,
            standing: Standing::Well,
            standings: JoinSet::new(),
            next_look: Instant::now(),
            put_off,
            board,
            looked: (Instant::now(), now),
        }
    }

    /// Polls feeds as they are due, and as it is asked to, until it is told to stop.
    ///
    /// # Errors
    /// The store has come to an end.
    pub async fn go(
        &mut self,
        documents: &Documents,
        mut requests: mpsc::Receiver<Request>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), DaemonError> {
        let clock = self.poller.clock.clone();
        loop {
            self.look_at_clock(clock.now()).await?;
            self.look_at_store(clock.now());
            self.start_due(clock.now());
            self.board.beat(Pulse::Polls);
            let sleep = self.sleep(clock.now());
            tokio::select! {
                // In this order and no other: the same events have the same result.
                biased;
                _ = stop.wait_for(|&stop| stop) => return Ok(()),
                () = until(self.put_off.as_ref().map(|(at, _)| *at)) => {
                    if let Some((_, fresh)) = self.put_off.take() {
                        self.change(fresh).await?;
                    }
                }
                Some(request) = requests.recv() => match request {
                    Request::Change(fresh) => self.change(fresh).await?,
                    Request::Poll { feeds, reply } => self.poll_now(feeds, reply),
                    // Who asked may be gone.
                    Request::Answer(question) => drop(question.send(())),
                },
                Some(ended) = self.polls.join_next_with_id() => {
                    match self.ended(ended, clock.now(), documents)? {
                        Some(changed) => {
                            documents.touch(&changed.touched);
                            self.look(changed.suspects);
                        }
                        None => documents.touch_all(),
                    }
                }
                () = tokio::time::sleep_until(self.next_look), if self.standings.is_empty() => {}
                Some(stands) = self.standings.join_next() => {
                    self.stands(stands, clock.now(), documents)?;
                }
                Some(looked) = self.looks.join_next() => match looked {
                    Ok(Ok(taken_away)) => documents.take_away(&taken_away),
                    Ok(Err(error)) => warn!("what sources took down is not known: {error}"),
                    Err(panic) => error!("a look for what a source took down broke off: {panic}"),
                },
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Goes on with other feeds: new ones are polled at once, those that are gone no more.
    async fn change(&mut self, fresh: Fresh) -> Result<(), DaemonError> {
        self.poller.fetcher = Arc::clone(&fresh.fetcher);
        let histories = match self.poller.store.histories().await {
            Ok(histories) => histories,
            Err(end @ (StoreError::Closed { .. } | StoreError::Broken { .. })) => {
                return Err(end.into());
            }
            Err(error) => {
                error!(
                    "the feeds that were polled are polled on, until the store answers: {error}"
                );
                self.put_off = Some((Instant::now() + CHANGE_RETRY, fresh));
                return Ok(());
            }
        };
        self.put_off = None;
        let under_way: BTreeSet<FeedId> = self.polled.values().cloned().collect();
        let feeds = fresh.config.enabled().cloned().map(Arc::new);
        let now = self.poller.clock.now();
        let planned = self.agenda.change(feeds, &histories, &under_way, now);
        self.board.keep(|id| fresh.config.feeds.get(id).is_some_and(|feed| feed.enabled));
        let unpolled = History::default();
        for (feed, planned) in planned {
            let history = histories.get(&feed.id).unwrap_or(&unpolled);
            log_plan(&feed.id, &planned, history);
            self.board.put(&feed, history, &planned);
        }
        Ok(())
    }

    /// Plans all feeds anew if the clock was set back: what it said before is far ahead now.
    async fn look_at_clock(&mut self, now: DateTime<Utc>) -> Result<(), DaemonError> {
        let (at, said) = self.looked;
        self.looked = (Instant::now(), now);
        let passed = TimeDelta::from_std(at.elapsed()).unwrap_or_default();
        if said + passed - now < SET_BACK_MIN {
            return Ok(());
        }
        warn!("the clock was set back from {} to {now}: all feeds are planned anew", said + passed);
        match self.poller.store.histories().await {
            Ok(histories) => {
                let under_way: BTreeSet<FeedId> = self.polled.values().cloned().collect();
                self.agenda.replan(&histories, &under_way, now);
                let unpolled = History::default();
                for (feed, planned) in self.agenda.planned() {
                    let history = histories.get(&feed.id).unwrap_or(&unpolled);
                    self.board.put(feed, history, planned);
                }
                Ok(())
            }
            Err(end @ (StoreError::Closed { .. } | StoreError::Broken { .. })) => Err(end.into()),
            Err(error) => {
                // The next look finds it set back still.
                self.looked = (at, said);
                warn!("the feeds are not planned anew yet: {error}");
                Ok(())
            }
        }
    }

    /// Polls feeds now; one that is being polled is waited for.
    fn poll_now(
        &mut self,
        mut feeds: BTreeSet<FeedId>,
        reply: oneshot::Sender<Result<Vec<Value>, String>>,
    ) {
        if feeds.is_empty() {
            feeds = self.agenda.planned().map(|(feed, _)| feed.id.clone()).collect();
        }
        if let Some(unknown) = feeds.iter().find(|id| self.agenda.feed(id).is_none()) {
            let why = format!(
                "{UNKNOWN} `{unknown}` is enabled in the feeds.toml that the daemon runs with"
            );
            // Who asked may be gone.
            let _ = reply.send(Err(why));
            return;
        }
        if feeds.is_empty() || self.standing != Standing::Well {
            let why = self.standing.why().map(|why| format!("the store takes nothing: {why}"));
            let _ = reply.send(why.map_or_else(|| Ok(Vec::new()), Err));
            return;
        }
        let under_way: BTreeSet<&FeedId> = self.polled.values().collect();
        let to_begin: Vec<FeedId> =
            feeds.iter().filter(|id| !under_way.contains(id)).cloned().collect();
        for id in to_begin {
            if let Some(feed) = self.agenda.begin_now(&id) {
                self.start(feed);
            }
        }
        self.waiting.push(Waiting { left: feeds, ended: Vec::new(), reply });
    }

    /// Tells those who wait for it how a poll ended.
    fn tell(&mut self, id: &FeedId, ended: &Value) {
        for waiting in &mut self.waiting {
            if waiting.left.remove(id) {
                waiting.ended.push(ended.clone());
            }
        }
        let (done, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|one: &Waiting| one.left.is_empty());
        self.waiting = waiting;
        for Waiting { ended, reply, .. } in done {
            // Who asked may be gone.
            let _ = reply.send(Ok(ended));
        }
    }

    /// Looks whether a source took articles down, beside the polls: pages may answer slowly.
    fn look(&mut self, suspects: Option<Suspects>) {
        if let Some(suspects) = suspects {
            let poller = self.poller.clone();
            self.looks.spawn(async move { poller.follow(&suspects).await });
        }
    }

    /// Lets the polls under way come to their end.
    pub async fn end(&mut self, documents: &Documents) {
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
                if let Some(feed) = self.agenda.feed(&id).cloned() {
                    self.board.put(&feed, &polled.history, &planned);
                    log_plan(&id, &planned, &polled.history);
                    self.tell(&id, &ended_poll(&feed, &polled.history, &planned));
                } else {
                    self.tell(&id, &lost_poll(&id, "it is no more in feeds.toml"));
                }
                documents.touch_health(&id);
                let Polled { touched, suspects, .. } = polled;
                return Ok(Some(Changed { touched, suspects }));
            }
            Ok((_, Err(end @ (StoreError::Closed { .. } | StoreError::Broken { .. })))) => {
                return Err(end.into());
            }
            Ok((_, Err(error @ (StoreError::ReadOnly { .. } | StoreError::Engine { .. })))) => {
                if !matches!(self.standing, Standing::Failed(_)) {
                    error!(feed = %id, "no feed is polled, what there is is served: {error}");
                    self.standing = Standing::Failed(error.to_string());
                    self.next_look = Instant::now();
                    self.board.polls_stopped(now, &error.to_string());
                }
                self.tell(&id, &lost_poll(&id, &error.to_string()));
                self.agenda.lost(&id, now);
                return Ok(Some(Changed::default()));
            }
            Ok((_, Err(error))) => {
                error!(feed = %id, "the poll of {id} was not recorded: {error}");
                self.tell(&id, &lost_poll(&id, &format!("it was not recorded: {error}")));
            }
            Err(panic) => {
                error!(feed = %id, "the poll of {id} broke off: {panic}");
                self.tell(&id, &lost_poll(&id, &format!("it broke off: {panic}")));
            }
        }
        self.agenda.lost(&id, now);
        Ok(None)
    }

    /// Begins to look whether the store takes something, now and then.
    fn look_at_store(&mut self, now: DateTime<Utc>) {
        if self.standings.is_empty() && Instant::now() >= self.next_look {
            let (store, before) = (self.poller.store.clone(), self.standing.clone());
            self.standings.spawn(async move { (before.clone(), look(store, before, now).await) });
        }
    }

    /// Stops polls when the store takes nothing, and goes on when it does again.
    fn stands(
        &mut self,
        looked: Result<(Standing, Looked), JoinError>,
        now: DateTime<Utc>,
        documents: &Documents,
    ) -> Result<(), DaemonError> {
        let stands = match looked {
            // A write failed meanwhile: looked at again at once.
            Ok((before, _)) if before != self.standing => return Ok(()),
            Ok((_, stands)) => {
                let (stands, next) = stands?;
                self.next_look = Instant::now() + next;
                stands
            }
            Err(panic) => {
                error!("a look at whether the store takes something broke off: {panic}");
                self.next_look = Instant::now() + CHANGE_RETRY;
                return Ok(());
            }
        };
        match (&self.standing, &stands) {
            (Standing::Well, Standing::Full(why)) => {
                error!("no feed is polled until there is room, what there is is served: {why}");
                self.board.polls_stopped(now, why);
            }
            (Standing::Full(_) | Standing::Failed(_), Standing::Well) => {
                info!("the store takes articles again: polls go on");
                self.board.polls_go_on(self.agenda.planned());
                // What was shown of a write that failed may not be there.
                documents.touch_all();
            }
            _ => {}
        }
        self.standing = stands;
        Ok(())
    }

    fn start_due(&mut self, now: DateTime<Utc>) {
        if self.standing != Standing::Well {
            return;
        }
        for feed in self.agenda.due(now) {
            self.start(feed);
        }
    }

    fn start(&mut self, feed: Arc<Feed>) {
        let (poller, id) = (self.poller.clone(), feed.id.clone());
        let poll = self.polls.spawn(async move { poller.poll(&feed).await });
        self.polled.insert(poll.id(), id);
    }

    fn sleep(&self, now: DateTime<Utc>) -> Duration {
        if self.standing != Standing::Well {
            // Until it stands otherwise.
            return SLEEP_MAX;
        }
        let next = self.agenda.next_wake().map(|at| (at - now).to_std().unwrap_or_default());
        next.unwrap_or(SLEEP_MAX).min(SLEEP_MAX)
    }
}

/// Ends at an instant; never without one.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
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
