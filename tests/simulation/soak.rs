//! A long run at many times the normal rate, over the real engine: memory and open files stay flat.

use crate::dice::Dice;
use crate::network::Network;
use crate::publishers::Publishers;
use crate::time::Time;
use crate::world::World;
use chrono::DateTime;
use chrono::TimeDelta;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::time::sleep;
use visnyk::admin::board::Board;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::daemon::rounds::Rounds;
use visnyk::daemon::ruling;
use visnyk::daemon::settings;
use visnyk::fetch::Fetcher;
use visnyk::poll::Poller;
use visnyk::poll::Readers;
use visnyk::poll::missing::Suspicions;
use visnyk::poll::rules::Rules;
use visnyk::serve::documents::Documents;
use visnyk::store::Store;
use visnyk::store::engine::on_disk;

/// How many feeds there are eightfold, each polled every five minutes: some 70,000 polls a day, 50
/// times those of thirty feeds on `every 30m`.
const EIGHTS: usize = 30;
/// How much happens at publishers in five minutes: some 39,000 new articles a day, 50 times three a
/// day of each feed.
const NEWS: usize = 200;
/// How much the memory may grow in the second half, in bytes a request, and beside it in bytes an
/// article that was born meanwhile: of all pages of a store the engine keeps where they are.
const BYTES_A_REQUEST_MAX: f64 = 100.0;
const BYTES_AN_ARTICLE_MAX: f64 = 1000.0;
/// How much a deliberate leak loses at every request.
const LEAK_BYTES: usize = 1024;

/// How often a sample is taken.
const SAMPLED_EVERY: Duration = Duration::from_mins(15);

/// Of less than a day nothing can be said: the engine fills its cache at first.
const SAMPLES_MIN: usize = 96;

/// What there is at some time.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    requests: u64,
    articles: usize,
    memory: u64,
    files: usize,
}

/// Simulates so much time, but works no longer than so long, and loses so many bytes at every
/// request.
fn run((simulated, worked): (Duration, Duration), leak: usize) -> Vec<Sample> {
    let thread = std::thread::Builder::new().stack_size(32 * 1024 * 1024);
    let runs = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(live((simulated, worked), leak))
    };
    thread.spawn(runs).expect("a thread").join().expect("the run broke off")
}

async fn live(limits: (Duration, Duration), leak: usize) -> Vec<Sample> {
    let mut dice = Dice::new(50);
    let time = Time::new(DateTime::UNIX_EPOCH + TimeDelta::days(365 * 57));
    time.begin();
    let publishers = Publishers::new(dice.fork(), time.true_now(), EIGHTS);
    let world = World::new(time.clone(), publishers, dice.fork());
    world.state().is_calm = true;
    let config = config(&world);
    let folder = tempfile::tempdir().expect("a folder");
    let medium = on_disk(&folder.path().join("store")).expect("a store");
    let store = Store::over(folder.path(), medium, Vec::new(), time.now()).expect("a store");
    world.begin(&store, &crate::disk::Disk::default());
    let network = Arc::new(Network(world.clone()));
    let fetcher = Fetcher::over(network, settings(&config, time.clock())).expect("a fetcher");
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let poller = Poller {
        readers: Readers::Here,
        fetcher: Arc::new(fetcher),
        rules: Rules::new(ruling(&config, Arc::new(classifier))),
        store: store.clone(),
        suspicions: Suspicions::default(),
        clock: time.clock(),
    };
    let documents = Documents::new(Arc::clone(&config), store.clone());
    let histories = store.histories().await.expect("histories");
    let mut rounds = Rounds::new(poller, &config, &histories, Board::default());
    let (_requesting, requests) = mpsc::channel(1);
    let (_stopping, mut stop) = watch::channel(false);
    tokio::select! {
        biased;
        ended = rounds.go(&documents, requests, &mut stop) => panic!("it ended: {ended:?}"),
        samples = sampled(&world, &time, limits, leak) => samples,
    }
}

fn config(world: &World) -> Arc<Config> {
    let mut text = "[site]\naddress = \"https://visnyk.example/\"\n\
         contact = \"admin@visnyk.example\"\n[polling]\nhost_pause = \"2s\"\n"
        .to_owned();
    for source in &world.state().publishers.sources {
        let _ = write!(
            text,
            "[[feed]]\nid = \"{0}\"\ntitle = \"Громада {0}\"\nkind = \"partner\"\n\
             url = \"https://h{1}.example{2}\"\nschedule = \"every 5m\"\n",
            source.id, source.host, source.path
        );
    }
    let config = parse("feeds.toml", &text, Path::new("."));
    Arc::new(config.unwrap_or_else(|problems| panic!("{problems}")))
}

/// Lets publishers live, and takes samples.
async fn sampled(
    world: &World,
    time: &Time,
    (simulated, worked): (Duration, Duration),
    leak: usize,
) -> Vec<Sample> {
    let began = std::time::Instant::now();
    let mut samples = Vec::new();
    let mut asked = 0;
    while time.elapsed() < simulated && began.elapsed() < worked {
        for _ in 0..SAMPLED_EVERY.as_secs() / 300 {
            sleep(Duration::from_mins(5)).await;
            let mut state = world.state();
            for _ in 0..NEWS {
                state.publishers.live(time.true_now());
            }
            // What is simulated is not to grow by itself.
            state.publishers.forget();
            state.model.forget();
            let requests = state.counts.get("requests").copied().unwrap_or_default();
            if leak > 0 {
                for _ in asked..requests {
                    Box::leak(vec![1_u8; leak].into_boxed_slice());
                }
            }
            asked = requests;
        }
        let wrong = std::mem::take(&mut world.state().wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
        let articles = world.state().publishers.sources.iter().map(|source| source.born).sum();
        let (memory, files) = (memory(), files());
        let sample = Sample { at: time.elapsed(), requests: asked, articles, memory, files };
        println!("{sample:?}");
        samples.push(sample);
    }
    samples
}

/// The memory of this process, in bytes: its own, wherever it is, and not the pages of its program,
/// which come and go with what else the machine does.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let kib = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    (kib("RssAnon:") + kib("VmSwap:")) * 1024
}

/// How many files this process has open.
fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// How many bytes a request the memory grows in the second half: the slope of the line that fits
/// best.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn growth(samples: &[Sample]) -> f64 {
    let half = &samples[samples.len() / 2..];
    let point = |sample: &Sample| (sample.requests as f64, sample.memory as f64);
    let count = half.len() as f64;
    let sum = |(a, b): (f64, f64), (x, y): (f64, f64)| (a + x / count, b + y / count);
    let (mean_x, mean_y) = half.iter().map(point).fold((0.0, 0.0), sum);
    let (over, under) = half.iter().map(point).fold((0.0, 0.0), |(over, under), (x, y)| {
        (over + (x - mean_x) * (y - mean_y), under + (x - mean_x) * (x - mean_x))
    });
    over / under
}

#[test]
#[ignore = "SOAK_HOURS are simulated, in SOAK_MINUTES at most; LEAK=1 loses 1 KiB a request"]
fn soak() {
    let number = |name, other| crate::number(name).unwrap_or(other);
    let simulated = Duration::from_hours(number("SOAK_HOURS", 24));
    let worked = Duration::from_mins(number("SOAK_MINUTES", 60));
    let leak = if std::env::var_os("LEAK").is_some() { LEAK_BYTES } else { 0 };
    let samples = run((simulated, worked), leak);
    assert!(samples.len() >= SAMPLES_MIN, "{} samples say nothing", samples.len());
    let (growth, half) = (growth(&samples), samples[samples.len() / 2]);
    let last = samples[samples.len() - 1];
    let (requests, articles) = (last.requests - half.requests, last.articles - half.articles);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let articles_a_request = articles as f64 / requests as f64;
    println!(
        "{:?} simulated, {} requests, {} articles; in the second half {growth:.0} bytes a request, \
         {:.0} an article",
        last.at,
        last.requests,
        last.articles,
        growth / articles_a_request
    );
    let allowed = BYTES_A_REQUEST_MAX + BYTES_AN_ARTICLE_MAX * articles_a_request;
    assert!(
        growth < allowed,
        "the memory grows by {growth:.0} bytes a request, and may by {allowed:.0}"
    );
    assert!(last.files <= half.files, "{} files were open, and {} are", half.files, last.files);
}
