//! Visnyk polls municipal and partner feeds on a schedule, turns every entry into one article
//! model, keeps the articles in a store, and republishes them as combined Atom feeds: one for
//! each region, community, tag and source, and every combination people ask for.
//!
//! This page is the map of the code.
//!
//! # The way of the data
//! ```text
//! feeds.toml ─▶ config
//!                 │
//! schedule ─▶ fetch ─▶ parse ─▶ normalize ─▶ classify ─▶ merge ─▶ store ─▶ publish ─▶ serve
//!  when, why   bytes    entries   article      labels      what     sled,    Atom       HTTP,
//!              politely                        + reasons   changed  atomic   documents  cached
//!                      └──────────── ingest: pure ───────────┘
//! └───────────────────── poll: walks one feed through ─────────────┘
//! ```
//! It runs one way. [`crontab`], [`edit`], [`schedule`], [`parse`], [`normalize`], [`classify`],
//! [`merge`], [`ingest`], [`discover`], [`subscriptions`] and [`publish`] are pure: values in, values
//! out; no clock, disk, network, chance, environment or log, and the time is an argument. [`fetch`],
//! [`store`] and [`serve`] touch the world, and decide nothing that a pure function could. [`poll`] walks one feed through,
//! [`daemon`] runs all feeds and the server, [`export`] writes as files what is served, [`admin`]
//! tells how they go, [`explain`] why an article is where it is, [`takedown`] takes one away, [`upkeep`]
//! tells which are kept no longer, [`cli`] starts them.
//!
//! # Words
//! - A **feed** is polled; a **publication** is served.
//! - An **entry** is what a feed carries, as it came; an **article** is ours, complete and clean.
//! - A **category** is theirs and raw; a **label** (region, community or tag) is ours, and has the
//!   reasons why it is there.
//! - A **poll** is one try to fetch one feed, with its outcome.
//!
//! # What must never be
//! - One feed changes, hides or replaces an article of another, whatever ids it claims.
//! - An article's id changes once it was published, or an article that was seen comes back as new.
//! - `updated` moves although no reader would see a change.
//! - A validator is stored before the articles that it vouches for are durable.
//! - One feed's failure, size or slowness costs another feed its poll.
//! - A sled type is named outside [`store`], reqwest outside [`fetch`], feed-rs outside [`parse`].
//!
//! # Rooms
//! Modules are listed in reading order, and a room uses only rooms above it; the test `layers`
//! reads the sources and holds each to its row. Where a bug lives: a wrong date, title, picture or
//! id in [`normalize`]; a wrong region or tag in [`classify`]; a document that cannot be read in
//! [`parse`]; an item that comes twice in [`merge`] or [`normalize`]; a feed asked too often in
//! [`schedule`]; a mistake in feeds.toml told badly in [`config`]; a comment of it lost in [`edit`];
//! a feed that `visnyk add` does not find in [`discover`]. `src/build.rs` is the build script: it makes the names of all places from the tables under `src/place/`.

pub mod crontab;
pub mod model;

pub mod place;

pub mod config;
pub mod edit;
pub mod schedule;

pub mod attention;
pub mod events;

pub mod classify;
pub mod merge;
pub mod normalize;
pub mod parse;

pub mod ingest;

pub mod discover;
pub mod subscriptions;

pub mod publish;

pub mod fetch;
pub mod store;

pub mod backup;

pub mod serve;

pub mod export;

pub mod explain;
pub mod takedown;
pub mod upkeep;

pub mod admin;
pub mod poll;
pub mod trial;

pub mod replay;

pub mod daemon;

pub mod cli;
