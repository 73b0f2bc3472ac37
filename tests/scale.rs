//! Scheduling at size: 20,000 feeds on 3,000 hosts for a week, on a clock that nobody waits for.
//!
//! The agenda, what is remembered, and the turns with hosts are the real ones; the network is a
//! table of hosts that answer at once, slowly, for some days not at all, or never. `cargo test`
//! simulates a day, and with `SCALE_DAYS=7` in the environment a week (about ten minutes).

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio::time::sleep;
use visnyk::crontab::Crontab;
use visnyk::fetch::turns::Limits;
use visnyk::fetch::turns::Turns;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Outcome;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::feed::TaggingEntity;
use visnyk::model::id::FeedId;
use visnyk::schedule::agenda::Agenda;
use visnyk::schedule::next_poll;
use visnyk::schedule::remember::Report;
use visnyk::schedule::remember::remember;

const FEEDS: usize = 20_000;
const HOSTS: usize = 3_000;
/// The hosts that lie at one address, as those of a hosting company do.
const HOSTED: usize = 300;
const CONCURRENCY: usize = 32;
const PER_HOST: usize = 2;
const PAUSE: Duration = Duration::from_secs(1);
/// How long a connection to a dead host takes to fail.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How late a poll may begin at a host that is not crowded.
const LATE_MAX: TimeDelta = TimeDelta::seconds(60);

/// How a host answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Quick,
    Slow,
    /// Not reachable on the second day.
    Down,
    Dead,
}

/// What was seen of the exchanges with a host or an address.
#[derive(Debug, Default)]
struct Seen {
    open: usize,
    open_most: usize,
    began: Option<Instant>,
    pause_least: Option<Duration>,
}

impl Seen {
    fn begin(&mut self) {
        self.open += 1;
        self.open_most = self.open_most.max(self.open);
        if let Some(before) = self.began.replace(Instant::now()) {
            let pause = before.elapsed();
            self.pause_least = Some(self.pause_least.map_or(pause, |least| least.min(pause)));
        }
    }
}

#[derive(Debug, Default)]
struct World {
    hosts: HashMap<String, Seen>,
    addresses: HashMap<IpAddr, Seen>,
    all: Seen,
}

fn start() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

/// The host of a feed: the first hundred have a hundred feeds each, and the others share the rest.
fn host_of(feed: usize) -> usize {
    if feed < 10_000 { feed % 100 } else { 100 + feed % (HOSTS - 100) }
}

fn name_of(host: usize) -> String {
    format!("host-{host}.example")
}

fn address_of(host: usize) -> IpAddr {
    let [.., a, b, c] = u32::try_from(host).unwrap().to_be_bytes();
    let own = Ipv4Addr::new(93, a, b, c);
    IpAddr::V4(if (100..100 + HOSTED).contains(&host) { Ipv4Addr::new(94, 0, 0, 1) } else { own })
}

fn manner_of(host: usize) -> Manner {
    match host % 100 {
        7 => Manner::Slow,
        23 => Manner::Down,
        41 => Manner::Dead,
        _ => Manner::Quick,
    }
}

fn feed(number: usize) -> Feed {
    let schedule = match number / 100 % 20 {
        0 => "*/15 * * * *",
        1..=3 => "*/30 * * * *",
        4..=15 => "0 * * * *",
        _ => "0 */2 * * *",
    };
    let url = format!("https://{}/{number}", name_of(host_of(number)));
    let tagging = TaggingEntity {
        authority: "site.example".to_owned(),
        since: "2026-01-01".parse().unwrap(),
    };
    let id = FeedId::new(&format!("feed-{number}")).unwrap();
    let schedule = Crontab::parse(schedule).unwrap();
    Feed::new(id, Address::Http(url.parse().unwrap()), schedule, tagging)
}

/// One exchange: waits for its turn, and takes as long as the host takes.
async fn exchange(
    host: usize,
    number: usize,
    turns: Arc<Turns>,
    world: Arc<Mutex<World>>,
    day: i64,
) -> Outcome {
    let (name, address) = (name_of(host), address_of(host));
    let mut turn = turns.with(&name, Some(address)).await;
    {
        let mut world = world.lock().unwrap();
        world.hosts.entry(name.clone()).or_default().begin();
        world.addresses.entry(address).or_default().begin();
        world.all.begin();
    }
    let milliseconds = 100 + u64::try_from(number * 7_919 % 700).unwrap();
    let (took, outcome) = match manner_of(host) {
        Manner::Quick => (Duration::from_millis(milliseconds), Outcome::NotModified),
        Manner::Down if day != 1 => (Duration::from_millis(milliseconds), Outcome::NotModified),
        Manner::Slow => (Duration::from_secs(30), Outcome::NotModified),
        Manner::Down | Manner::Dead => {
            (CONNECT_TIMEOUT, Outcome::Unreachable("no connection".to_owned()))
        }
    };
    turn.during(sleep(took)).await;
    {
        let mut world = world.lock().unwrap();
        world.hosts.get_mut(&name).unwrap().open -= 1;
        world.addresses.get_mut(&address).unwrap().open -= 1;
        world.all.open -= 1;
    }
    drop(turn);
    outcome
}

/// What a poll brought: whose it was, when it was due, began and ended, and how.
struct Done {
    number: usize,
    due: DateTime<Utc>,
    began: DateTime<Utc>,
    ended: DateTime<Utc>,
    outcome: Outcome,
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_feeds_are_polled_on_time_and_no_host_is_stormed() {
    let days: i64 = std::env::var("SCALE_DAYS").map_or(1, |days| days.parse().unwrap());
    let origin = Instant::now();
    let now = || start() + TimeDelta::from_std(origin.elapsed()).unwrap();
    let feeds: Vec<Arc<Feed>> = (0..FEEDS).map(|number| Arc::new(feed(number))).collect();
    let numbers: HashMap<FeedId, usize> =
        feeds.iter().enumerate().map(|(number, feed)| (feed.id.clone(), number)).collect();
    // All were polled before: days in the life of the daemon, not its first start.
    let mut histories = feeds.iter().map(|feed| (feed.id.clone(), before(feed))).collect();
    let mut agenda = Agenda::new(feeds.iter().cloned(), &histories, start());
    let limits = Limits { concurrency: CONCURRENCY, per_host: PER_HOST, pause: PAUSE };
    let turns = Arc::new(Turns::new(limits));
    let world: Arc<Mutex<World>> = Arc::default();
    let mut polls: JoinSet<Done> = JoinSet::new();
    let mut done = Tally::new();
    let end = start() + TimeDelta::days(days);
    loop {
        while let Some(due) = agenda.next_wake().filter(|at| *at <= now()) {
            for feed in agenda.due(due) {
                let number = numbers[&feed.id];
                let (turns, world) = (Arc::clone(&turns), Arc::clone(&world));
                let (began, origin) = (now(), origin);
                polls.spawn(async move {
                    let day = (began - start()).num_days();
                    let outcome = exchange(host_of(number), number, turns, world, day).await;
                    let ended = start() + TimeDelta::from_std(origin.elapsed()).unwrap();
                    Done { number, due, began, ended, outcome }
                });
            }
        }
        if now() >= end {
            break;
        }
        let wake = agenda.next_wake().map_or(end, |at| at.min(end));
        let pause = (wake - now()).to_std().unwrap_or_default();
        tokio::select! {
            () = sleep(pause) => {}
            Some(ended) = polls.join_next() => {
                let poll = ended.unwrap();
                record(&feeds[poll.number], &poll, &mut histories, &mut agenda);
                done.take_in(&poll);
            }
        }
    }
    done.judge(&world.lock().unwrap(), &feeds, days);
}

fn before(feed: &Feed) -> History {
    // An instant within the last period, so that what is due first is spread as ever.
    let ago = TimeDelta::minutes(16);
    let report = Report::of(start() - ago, Outcome::NotModified);
    remember(feed, History::default(), report).0
}

fn record(
    feed: &Feed,
    poll: &Done,
    histories: &mut BTreeMap<FeedId, History>,
    agenda: &mut Agenda,
) {
    let mut report = Report::of(poll.began, poll.outcome.clone());
    report.poll.duration = (poll.ended - poll.began).to_std().unwrap();
    let history = histories.get_mut(&feed.id).unwrap();
    *history = remember(feed, std::mem::take(history), report).0;
    agenda.ended(&feed.id, history, poll.ended);
}

/// What is counted of the polls.
struct Tally {
    polls: Vec<u32>,
    answered: u64,
    unanswered: u64,
    /// How late exchanges ended, beyond what they took, at hosts that are not crowded; and at
    /// those that are.
    late: Vec<TimeDelta>,
    late_crowded: Vec<TimeDelta>,
}

impl Tally {
    fn new() -> Self {
        Self {
            polls: vec![0; FEEDS],
            answered: 0,
            unanswered: 0,
            late: Vec::new(),
            late_crowded: Vec::new(),
        }
    }

    fn take_in(&mut self, poll: &Done) {
        self.polls[poll.number] += 1;
        match poll.outcome {
            Outcome::NotModified => self.answered += 1,
            _ => self.unanswered += 1,
        }
        let host = host_of(poll.number);
        if manner_of(host) == Manner::Quick {
            let late = poll.ended - poll.due;
            let is_crowded = host < 100 + HOSTED;
            if is_crowded { self.late_crowded.push(late) } else { self.late.push(late) }
        }
    }

    fn judge(mut self, world: &World, feeds: &[Arc<Feed>], days: i64) {
        self.late.sort_unstable();
        self.late_crowded.sort_unstable();
        let worst = |seen: &mut dyn Iterator<Item = &Seen>| {
            seen.fold((0, Duration::MAX), |(open, pause), seen| {
                let least = seen.pause_least.unwrap_or(Duration::MAX);
                (open.max(seen.open_most), pause.min(least))
            })
        };
        let hosts = worst(&mut world.hosts.values());
        let addresses = worst(&mut world.addresses.values());
        let share = |late: &[TimeDelta], of: usize| late[(late.len() - 1) * of / 1_000];
        println!("{FEEDS} feeds on {HOSTS} hosts, {HOSTED} of them at one address: {days} days");
        println!("polls: {} answered, {} not", self.answered, self.unanswered);
        println!("at once: {} in all", world.all.open_most);
        println!("a host: {} at once, {:?} apart", hosts.0, hosts.1);
        println!("an address: {} at once, {:?} apart", addresses.0, addresses.1);
        for (name, late) in [("quiet", &self.late), ("crowded", &self.late_crowded)] {
            let [half, most, last] = [500, 990, 1_000].map(|of| share(late, of));
            println!(
                "{name} hosts: done {half} after the time (median), {most} (99 %), {last} (all)"
            );
        }
        assert!(hosts.0 <= PER_HOST && addresses.0 <= PER_HOST, "a host was stormed");
        assert!(hosts.1 >= PAUSE && addresses.1 >= PAUSE, "a host had no pause");
        assert!(share(&self.late, 1_000) <= LATE_MAX, "{}", share(&self.late, 1_000));
        self.judge_counts(feeds, days);
    }

    /// Each feed of a host that answers was polled at each time of its schedule.
    fn judge_counts(&self, feeds: &[Arc<Feed>], days: i64) {
        let (mut few, mut expected_all, mut found_all) = (Vec::new(), 0, 0);
        for (number, feed) in feeds.iter().enumerate() {
            let host = host_of(number);
            if matches!(manner_of(host), Manner::Down | Manner::Dead) {
                continue;
            }
            let mut history = before(feed);
            let (mut expected, end) = (0_u32, start() + TimeDelta::days(days));
            // What is due in the last minutes may be under way.
            let settled = end - TimeDelta::minutes(15);
            let mut last = start();
            while let Some(at) = next_poll(feed, &history, last).at.filter(|at| *at < settled) {
                expected += 1;
                history.polls[0].at = at;
                last = at;
            }
            (expected_all, found_all) = (expected_all + expected, found_all + self.polls[number]);
            if self.polls[number] < expected {
                few.push(format!("{}: {} of {expected}", feed.id, self.polls[number]));
            }
        }
        println!(
            "{found_all} polls of feeds whose host answers; their schedules had {expected_all} times"
        );
        assert!(
            few.is_empty(),
            "{} feeds missed a time: {:?}",
            few.len(),
            &few[..few.len().min(5)]
        );
        let dead = (0..FEEDS).filter(|number| manner_of(host_of(*number)) == Manner::Dead);
        let polls: u32 = dead.clone().map(|number| self.polls[number]).sum();
        let hosts = (0..HOSTS).filter(|host| manner_of(*host) == Manner::Dead).count();
        println!("{} feeds on {hosts} dead hosts: {polls} polls", dead.count());
    }
}
