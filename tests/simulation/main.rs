//! The daemon in a simulated world: clock, network and disk are ours, and all of it follows from a
//! seed. README.md beside this file says what is simulated and what is promised.

mod bugs;
mod checks;
mod dice;
mod disk;
mod model;
mod network;
mod publishers;
mod run;
mod soak;
mod time;
mod world;

use crate::bugs::Bug;
use crate::run::Plan;
use crate::run::Report;
use crate::run::simulate;
use std::collections::BTreeMap;
use std::time::Instant;

/// Seeds that `cargo test` simulates: those that found a bug, with what it was, and for how many days
/// each goes on, the ten calm ones in the end among them.
const SEEDS: [(u64, u32); 3] = [
    // After the clock had been years ahead, what a host asks for by Retry-After was forgotten: the
    // later instant, of the time to come, was kept in its place and believed by nobody.
    (3, 40),
    // After the clock was set back, no feed was polled until the old time came again.
    (6, 40),
    // The power was lost under a takedown: the article was gone, and the model, which was waiting
    // for the answer, never heard of it.
    (22, 25),
];

/// How many days a world goes on, the calm ones in the end among them.
const DAYS: u32 = 40;

/// How many worlds may be needed to find a bug that is put back.
const BUG_SEEDS_MAX: u64 = 8;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Simulates a world that must be as it is promised.
fn check(plan: Plan) -> Report {
    let report = simulate(plan);
    let seed = plan.seed;
    assert!(
        report.wrong.is_empty(),
        "seed {seed}: {:#?}\nSEED={seed} cargo test --test simulation replay -- --nocapture\n\
         (with TRACE=1 all that happens is printed)",
        report.wrong
    );
    report
}

#[test]
fn replay() {
    let Some(seed) = number("SEED") else { return };
    let report = check(Plan { seed, days: DAYS, bug: None });
    println!(
        "seed {seed}: trace {:016x}, {:.0} days\n{:#?}",
        report.trace, report.days, report.counts
    );
}

#[test]
fn all_that_is_promised_holds() {
    std::thread::scope(|scope| {
        for (seed, days) in SEEDS {
            scope.spawn(move || {
                let report = check(Plan { seed, days, bug: None });
                println!("seed {seed}: trace {:016x}, {:.0} days", report.trace, report.days);
            });
        }
    });
}

#[test]
fn a_seed_has_one_trace() {
    let of = |seed| check(Plan { seed, days: 12, bug: None }).trace;
    let first = of(2);
    assert_eq!(of(2), first);
    assert_ne!(of(4), first);
}

#[test]
#[ignore = "as long as you like: DAYS=10000"]
fn days() {
    let wanted: f64 = std::env::var("DAYS").map_or(1000.0, |days| days.parse().expect("a number"));
    let first = number("FIRST").unwrap_or(1_000_000);
    let began = Instant::now();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut failing = Vec::new();
    let (mut days, mut seed) = (0.0, first);
    // One that fails says nothing of the next: all are simulated, and the failing ones named.
    while days < wanted {
        let report = simulate(Plan { seed, days: DAYS, bug: None });
        days += report.days.max(1.0);
        for (what, times) in report.counts {
            *counts.entry(what).or_default() += times;
        }
        let took = began.elapsed().as_secs_f64();
        println!("seed {seed}: {days:.0} days so far, {took:.0} s, {:?}", report.wrong);
        if let Some(wrong) = report.wrong.into_iter().next() {
            failing.push(format!("seed {seed}: {wrong}"));
        }
        seed += 1;
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{days:.0} days in {} worlds, {took:.0} s: {:.0} days a minute",
        seed - first,
        days * 60.0 / took
    );
    for (what, times) in counts {
        println!("{times:>9}  {what}");
    }
    assert!(failing.is_empty(), "{} worlds are wrong: {failing:#?}", failing.len());
}

/// The seed that finds a bug, of the first few.
fn finds(bug: Bug) {
    let began = Instant::now();
    for seed in 0..BUG_SEEDS_MAX {
        let report = simulate(Plan { seed, days: DAYS, bug: Some(bug) });
        if let Some(wrong) = report.wrong.first() {
            println!("{bug:?} is found by seed {seed} in {:.1?}: {wrong}", began.elapsed());
            return;
        }
    }
    panic!("{bug:?} is not found by any of {BUG_SEEDS_MAX} seeds");
}

#[test]
fn bugs_that_are_put_back_are_found() {
    for bug in [
        Bug::SyncsNothing,
        Bug::HalvesBatches,
        Bug::ForgetsHistories,
        Bug::SeesNoClaims,
        Bug::MakesNoPause,
    ] {
        finds(bug);
    }
}
