//! The daemon in a world: starts, ends, crashes and starts again, until its days are over.

use crate::bugs::Bug;
use crate::bugs::Buggy;
use crate::checks::check_documents;
use crate::checks::check_store;
use crate::dice::Dice;
use crate::disk::Disk;
use crate::disk::Trouble;
use crate::network::Network;
use crate::publishers::Mood;
use crate::publishers::Publishers;
use crate::time::Time;
use crate::world::PAUSE;
use crate::world::World;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::sleep;
use visnyk::admin::board::Board;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::daemon::rounds::Fresh;
use visnyk::daemon::rounds::Request;
use visnyk::daemon::rounds::Rounds;
use visnyk::daemon::ruling;
use visnyk::daemon::settings;
use visnyk::fetch::Fetcher;
use visnyk::fetch::Settings;
use visnyk::model::front::Removal;
use visnyk::model::front::Remover;
use visnyk::poll::Poller;
use visnyk::poll::Readers;
use visnyk::poll::missing::Suspicions;
use visnyk::poll::rules::Rules;
use visnyk::serve::documents::Documents;
use visnyk::store::Store;

/// How long it is calm in the end: longer than any server may ask to be left alone.
const CALM: Duration = Duration::from_hours(10 * 24);
/// In the end of that every living feed is polled within this.
const POLLED_WITHIN: Duration = Duration::from_hours(4 * 24);
/// A day.
const DAY: Duration = Duration::from_hours(24);

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How many days, the calm ones in the end among them.
    pub(crate) days: u32,
    pub(crate) bug: Option<Bug>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) trace: u64,
    pub(crate) wrong: Vec<String>,
    pub(crate) days: f64,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

/// How a start of the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is stopped.
    Stops,
    /// It is killed, or the machine loses its power.
    Crashes,
}

/// A simulation under way.
struct Run {
    plan: Plan,
    world: World,
    time: Time,
    disk: Disk,
    dice: Dice,
}

/// What a start of the daemon consists of.
struct Daemon {
    store: Store,
    documents: Documents,
    rules: Rules,
    fetcher: Arc<Fetcher>,
    rounds: Rounds,
}

/// Simulates a world, on a thread of its own, which reads documents too.
pub(crate) fn simulate(plan: Plan) -> Report {
    let thread = std::thread::Builder::new().name(format!("seed {}", plan.seed));
    let run = thread.stack_size(32 * 1024 * 1024).spawn(move || Run::new(plan).go());
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(report)) => report,
        broken => Report {
            trace: 0,
            wrong: vec![format!("it broke off: {broken:?}")],
            days: 0.0,
            counts: BTreeMap::new(),
        },
    }
}

impl Run {
    fn new(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let first: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(365 * 57);
        let hours = i64::try_from(dice.below(3 * 365 * 24)).unwrap_or(0);
        let time = Time::new(first + TimeDelta::hours(hours));
        let publishers = Publishers::new(dice.fork(), time.true_now(), 1);
        let world = World::new(time.clone(), publishers, dice.fork());
        Self { plan, world, time, disk: Disk::default(), dice }
    }

    fn go(mut self) -> Report {
        let end = DAY * self.plan.days;
        let calm = end.saturating_sub(CALM);
        while self.time.elapsed() < end && self.world.state().wrong.is_empty() {
            let hours = self.dice.between(3, 24 * 8);
            let until = self.time.elapsed() + Duration::from_hours(hours);
            // The last start lives on into the calm, so that nothing is mended by a restart.
            let until = if until + DAY >= calm { end } else { until };
            self.start(until, calm);
        }
        let mut state = self.world.state();
        let met = self.disk.met();
        let mut counts = std::mem::take(&mut state.counts);
        for (trouble, times) in met {
            let name = match trouble {
                Trouble::CutBefore | Trouble::CutAfter => "power lost in a write",
                Trouble::Fails | Trouble::FailsAfter => "failed writes",
                Trouble::Full => "a full disk",
                Trouble::Unreadable => "failed reads",
            };
            *counts.entry(name).or_default() += times;
        }
        counts.insert("articles", state.model.articles.len() as u64);
        Report {
            trace: state.trace(),
            wrong: std::mem::take(&mut state.wrong),
            days: self.time.elapsed().as_secs_f64() / DAY.as_secs_f64(),
            counts,
        }
    }

    /// One start of the daemon, until it ends in some way.
    fn start(&mut self, until: Duration, calm: Duration) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let end = runtime.block_on(async {
            self.time.begin();
            let end = self.live(until, calm).await;
            self.time.end();
            end
        });
        drop(runtime);
        let mut state = self.world.state();
        state.store = None;
        state.note(&format!("the daemon {end:?}"));
        state.count(if end == End::Crashes { "crashes" } else { "clean stops" });
        for ledger in &mut state.model.feeds {
            ledger.crash();
        }
        drop(state);
        self.disk = self.disk.after_crash(&mut self.dice);
        if self.dice.in_thousand(500) {
            self.disk.mend();
        }
    }

    async fn live(&mut self, until: Duration, calm: Duration) -> End {
        if self.time.elapsed() >= calm {
            self.calm_down();
        }
        let config = self.config();
        let daemon = match self.daemon(&config).await {
            Ok(daemon) => daemon,
            Err(error) => return self.did_not_start(&error).await,
        };
        let Daemon { store, documents, rules, fetcher, mut rounds } = daemon;
        let (requesting, requests) = mpsc::channel(4);
        let (stopping, mut stop) = watch::channel(false);
        let (disk, world) = (self.disk.clone(), self.world.clone());
        let means = Means { store: &store, documents: &documents, rules, fetcher, requesting };
        let end = tokio::select! {
            biased;
            () = disk.power_lost() => End::Crashes,
            ended = rounds.go(&documents, requests, &mut stop) => {
                world.state().note(&format!("the rounds ended: {ended:?}"));
                End::Crashes
            }
            end = self.happen(until, calm, means) => end,
        };
        if end == End::Crashes {
            return end;
        }
        stopping.send_replace(true);
        let ended = tokio::time::timeout(Duration::from_secs(5), rounds.end(&documents)).await;
        drop((ended, rounds));
        if self.time.elapsed() >= DAY * self.plan.days {
            let wrong = self.last_checks(&store, &documents).await;
            self.world.state().wrong.extend(wrong);
        }
        drop(documents);
        self.world.state().store = None;
        match store.close().await {
            Ok(()) => End::Stops,
            Err(_) => End::Crashes,
        }
    }

    /// The daemon did not start: that may be for the disk, and for nothing else.
    async fn did_not_start(&mut self, error: &str) -> End {
        let is_of_disk =
            ["power is off", "input/output error", "no space"].iter().any(|it| error.contains(it));
        {
            let mut state = self.world.state();
            state.note(&format!("it does not start: {error}"));
            if !is_of_disk {
                state.wrong.push(format!("it does not start: {error}"));
            }
            state.count("starts that failed");
        }
        self.disk.mend();
        sleep(Duration::from_mins(10)).await;
        End::Crashes
    }

    async fn daemon(&mut self, config: &Arc<Config>) -> Result<Daemon, String> {
        let told = |error: visnyk::store::error::StoreError| error.to_string();
        let medium = Box::new(Buggy::new(self.disk.clone(), self.plan.bug));
        let now = self.time.now();
        let store = Store::over(Path::new("simulated"), medium, config.publications.clone(), now)
            .map_err(told)?;
        let wrong = check_store(&self.world, &store).await;
        let (of_disk, wrong): (Vec<String>, Vec<String>) = wrong.into_iter().partition(|wrong| {
            wrong.contains("input/output error") || wrong.contains("power is off")
        });
        if let Some(error) = of_disk.into_iter().next() {
            return Err(error);
        }
        if !wrong.is_empty() {
            self.world.state().wrong.extend(wrong);
        }
        let settings = settings(config, self.time.clock());
        let is_hasty = self.plan.bug == Some(Bug::MakesNoPause);
        let host_pause = if is_hasty { Duration::ZERO } else { settings.host_pause };
        let settings = Settings { host_pause, ..settings };
        let network = Arc::new(Network(self.world.clone()));
        let fetcher = Fetcher::over(network, settings).map_err(|error| error.to_string())?;
        let fetcher = Arc::new(fetcher);
        let rules = Rules::new(ruling(config, classifier(config)));
        let poller = Poller {
            readers: Readers::Here,
            fetcher: Arc::clone(&fetcher),
            rules: rules.clone(),
            store: store.clone(),
            suspicions: Suspicions::default(),
            clock: self.time.clock(),
        };
        let documents = Documents::new(Arc::clone(config), store.clone());
        if self.dice.in_thousand(300) {
            let wrong = check_documents(&self.world, &store, &documents).await;
            self.world.state().wrong.extend(wrong);
        }
        let histories = store.histories().await.map_err(told)?;
        let rounds = Rounds::new(poller, config, &histories, Board::default());
        self.world.begin(&store, &self.disk);
        Ok(Daemon { store, documents, rules, fetcher, rounds })
    }

    fn config(&self) -> Arc<Config> {
        let mut text = format!(
            "[site]\naddress = \"https://visnyk.example/\"\ncontact = \"admin@visnyk.example\"\n\
             [publishing]\nentries = 10\n[polling]\nhost_pause = \"{}s\"\n",
            PAUSE.as_secs()
        );
        let state = self.world.state();
        for source in state.publishers.sources.iter().filter(|source| source.is_listed) {
            let host = &state.publishers.hosts[source.host].name;
            let _ = write!(
                text,
                "[[feed]]\nid = \"{0}\"\ntitle = \"Громада {0}\"\nkind = \"partner\"\n\
                 url = \"https://{host}{1}\"\nschedule = \"{2}\"\n",
                source.id, source.path, source.schedule
            );
        }
        let config = parse("feeds.toml", &text, Path::new("."));
        Arc::new(config.unwrap_or_else(|problems| panic!("{problems}\n{text}")))
    }
}

/// Labels are not what is simulated, and are the same in every world.
fn classifier(config: &Config) -> Arc<Classifier> {
    static CLASSIFIER: OnceLock<Arc<Classifier>> = OnceLock::new();
    let made = || Arc::new(Classifier::new(&config.catalogue, &config.tags, &config.rules));
    Arc::clone(CLASSIFIER.get_or_init(made))
}

/// By what things happen to the daemon.
struct Means<'m> {
    store: &'m Store,
    documents: &'m Documents,
    rules: Rules,
    fetcher: Arc<Fetcher>,
    requesting: mpsc::Sender<Request>,
}

impl Run {
    /// What happens while the daemon runs.
    async fn happen(&mut self, until: Duration, calm: Duration, means: Means<'_>) -> End {
        loop {
            let wait = Duration::from_mins(self.dice.between(10, 200));
            let now = self.time.elapsed();
            sleep(wait.min(until.saturating_sub(now)).max(Duration::from_secs(1))).await;
            if let Ok(histories) = means.store.histories().await
                && self.disk.is_sound()
            {
                self.world.settle(&histories);
            }
            let now = self.time.elapsed();
            if !self.world.state().wrong.is_empty() {
                return End::Crashes;
            }
            if now >= until {
                // In the end it stops cleanly, so that all can be looked at.
                let crashes = now < calm && self.dice.in_thousand(600);
                return if crashes { End::Crashes } else { End::Stops };
            }
            if now >= calm {
                let was_calm = std::mem::replace(&mut self.world.state().is_calm, true);
                if !was_calm {
                    self.calm_down();
                    // A disk that failed is mended, and the daemon started anew by its operator.
                    if means.store.add_reads(BTreeMap::new()).await.is_err() {
                        return End::Crashes;
                    }
                }
                continue;
            }
            self.publish();
            self.trouble();
            if self.dice.in_thousand(15) {
                self.reload(&means).await;
            }
            if self.dice.in_thousand(10) {
                self.take_down(&means).await;
            }
        }
    }

    fn publish(&mut self) {
        let now = self.time.true_now();
        for _ in 0..self.dice.below(4) {
            let mut state = self.world.state();
            let told = state.publishers.live(now);
            state.note(&told);
        }
    }

    /// Something goes wrong, or is well again.
    fn trouble(&mut self) {
        let dice = &mut self.dice;
        let mut state = self.world.state();
        if dice.in_thousand(250) {
            let host = dice.place(state.publishers.hosts.len());
            let moods =
                [Mood::Flaky, Mood::Nameless, Mood::Closed, Mood::Silent, Mood::Broken, Mood::Well];
            let mood = if dice.in_thousand(500) { Mood::Well } else { *dice.one(&moods) };
            state.publishers.hosts[host].mood = mood;
            state.note(&format!("host {host} is {mood:?}"));
        }
        if state.is_away && dice.in_thousand(80) {
            state.is_away = false;
            state.note("the network is back");
        } else if !state.is_away && dice.in_thousand(6) {
            state.is_away = true;
            state.count("the network away");
            state.note("the network is away");
        }
        if dice.in_thousand(20) {
            let feed = dice.place(state.publishers.sources.len());
            let revision = state.publishers.sources[feed].revision;
            let host = *dice.one(&["h0", "h1", "h2", "h3"]);
            let id = state.publishers.sources[feed].id.clone();
            let to = format!("https://{host}.example/{id}/m{revision}.xml");
            let status = *dice.one(&[301, 302, 307, 308]);
            let moved = dice.in_thousand(700).then_some((to, status));
            state.note(&format!("{id} moves: {moved:?}"));
            state.publishers.sources[feed].moved = moved;
        }
        if dice.in_thousand(4) {
            let feed = dice.place(state.publishers.sources.len());
            let is_gone = !state.publishers.sources[feed].is_gone;
            state.publishers.sources[feed].is_gone = is_gone;
            state.note(&format!("feed {feed} is gone: {is_gone}"));
        }
        drop(state);
        if dice.in_thousand(10) {
            let hours = match dice.below(5) {
                0 => 0,
                1 => i64::try_from(dice.below(48)).unwrap_or(0) - 24,
                2 => 24 * 365 * (i64::try_from(dice.below(8)).unwrap_or(0) - 3),
                3 => 24 * (i64::try_from(dice.below(60)).unwrap_or(0) - 30),
                _ => *dice.one(&[-1, 1]),
            };
            self.time.set_offset(TimeDelta::hours(hours));
            let mut state = self.world.state();
            state.count("clock jumps");
            state.note(&format!("the clock is {hours} h off"));
        }
        if dice.in_thousand(25) {
            let troubles = [
                Trouble::CutBefore,
                Trouble::CutBefore,
                Trouble::CutAfter,
                Trouble::CutAfter,
                Trouble::Fails,
                Trouble::FailsAfter,
                Trouble::Full,
                Trouble::Unreadable,
            ];
            let (trouble, writes) = (*dice.one(&troubles), dice.between(1, 40));
            self.disk.plan(writes, trouble);
            self.world.state().note(&format!("the disk: {trouble:?} in {writes} writes"));
        }
    }

    /// feeds.toml is another one.
    async fn reload(&mut self, means: &Means<'_>) {
        {
            let mut guard = self.world.state();
            let state = &mut *guard;
            let feed = self.dice.place(state.publishers.sources.len());
            let source = &mut state.publishers.sources[feed];
            match self.dice.below(3) {
                0 => source.is_listed = !source.is_listed,
                1 => {
                    source.path = format!("/{}/{}.xml", source.id, source.revision);
                    source.moved = None;
                    source.is_gone = false;
                    state.model.feeds[feed].readdress();
                }
                _ => {}
            }
            state.count("reloads");
            state.note(&format!("feeds.toml changes for feed {feed}"));
        }
        let config = self.config();
        means.rules.change(ruling(&config, classifier(&config))).await;
        means.documents.reconfigure(Arc::clone(&config));
        let fresh = Fresh { config, fetcher: Arc::clone(&means.fetcher) };
        // Whoever does not take it is at an end.
        let _ = means.requesting.send(Request::Change(fresh)).await;
    }

    /// The admin takes an article down.
    async fn take_down(&mut self, means: &Means<'_>) {
        let Ok(ids) = means.store.ids().await else { return };
        if ids.is_empty() {
            return;
        }
        let id = ids[self.dice.place(ids.len())];
        let Ok(Some(article)) = means.store.article(id).await else { return };
        let Some((uid, _)) = crate::publishers::named(&article.title) else { return };
        let removal =
            Removal { by: Remover::Admin, why: "asked to".to_owned(), at: self.time.now() };
        let entry = (article.feed.to_string(), uid);
        // The power may be lost under it, and then nobody comes back here.
        self.world.state().model.perhaps_down.insert(entry.clone());
        let removed = means.store.remove(id, removal).await;
        let mut state = self.world.state();
        state.count("takedowns");
        state.note(&format!("{entry:?} is taken down: {}", removed.is_ok()));
        if removed.is_ok() {
            state.model.perhaps_down.remove(&entry);
            state.model.taken_down.insert(entry);
        }
    }

    /// Nothing goes wrong any more.
    fn calm_down(&mut self) {
        self.disk.mend();
        let mut state = self.world.state();
        state.is_calm = true;
        state.is_away = false;
        for host in &mut state.publishers.hosts {
            host.mood = Mood::Well;
        }
        state.note("calm");
    }

    /// After the calm days: every living feed is polled, and every listed entry is there.
    async fn last_checks(&mut self, store: &Store, documents: &Documents) -> Vec<String> {
        let mut wrong = check_store(&self.world, store).await;
        wrong.extend(check_documents(&self.world, store, documents).await);
        let state = self.world.state();
        let now = self.time.elapsed();
        for (ledger, source) in state.model.feeds.iter().zip(&state.publishers.sources) {
            if ledger.is_gone || !source.is_listed {
                continue;
            }
            if now.saturating_sub(ledger.last_request) > POLLED_WITHIN {
                let hours = now.saturating_sub(ledger.last_request).as_secs() / 3600;
                wrong.push(format!("{} was not polled for {hours} h", source.id));
                continue;
            }
            for listed in source.contents() {
                let entry = (source.id.clone(), listed.uid.clone());
                let is_down = state.model.taken_down.contains(&entry)
                    || state.model.perhaps_down.contains(&entry);
                let mut articles = state.model.articles.values();
                let found =
                    articles.find(|seen| (&seen.feed, &seen.uid) == (&source.id, &listed.uid));
                let version = found.and_then(|seen| crate::publishers::named(&seen.words[0]));
                if !is_down && version.map(|(_, version)| version) != Some(listed.version) {
                    wrong.push(format!(
                        "{} of {} is listed as v{}, and is {:?}",
                        listed.uid,
                        source.id,
                        listed.version,
                        found.map(|seen| &seen.words[0])
                    ));
                }
            }
        }
        wrong
    }
}
