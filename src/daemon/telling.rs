//! What admins are told without asking: the loop that judges the feeds after each poll and once a
//! minute, keeps the events, sends them on their ways, and measures; and the admin's listener.

use crate::admin::board::Pulse;
use crate::admin::desk::Desk;
use crate::admin::desk::Measured;
use crate::admin::pages::answer;
use crate::attention::ARTICLES_SEEN_MAX;
use crate::attention::Need;
use crate::daemon::delivering::Delivering;
use crate::daemon::serving::taken;
use crate::events::Finding;
use crate::events::Journal;
use crate::events::Told;
use crate::events::Turn;
use crate::fetch::post::Poster;
use crate::model::event::EventKind;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::serve::Limits;
use crate::serve::serve_answers;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::files::free_bytes;
use chrono::DateTime;
use chrono::Utc;
use http::Request;
use hyper::body::Incoming;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::pending;
use std::future::ready;
use std::net::SocketAddr;
use std::net::TcpListener as Handed;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio::time::sleep;
use tokio::time::sleep_until;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

/// How often all feeds are judged and the disk is measured: silence comes without a poll.
const EVERY: Duration = Duration::from_mins(1);
/// How soon it is noticed that feeds.toml names another address for admins.
const LISTEN_LOOKED_EVERY: Duration = Duration::from_secs(2);
/// How soon an address is tried again that is not free.
const LISTEN_RETRY: Duration = Duration::from_secs(10);
/// Connections of admins and of what reads metrics, at once.
const CONNECTIONS_MAX: usize = 64;

/// Judges and tells, for ever.
pub(crate) async fn tell(desk: Desk, store: Store, poster: Poster) -> Infallible {
    let delivering = Delivering::new(desk.clone(), &poster);
    match store.events().await {
        Ok(events) => *desk.journal() = Journal::of(events),
        Err(error) => warn!("earlier events are not known: {error}"),
    }
    let mut next = Instant::now();
    loop {
        desk.board.beat(Pulse::Tells);
        let mut touched = desk.board.take_touched();
        let published = store.published(touched.iter().cloned().collect(), ARTICLES_SEEN_MAX);
        let is_known = match published.await {
            Ok(published) => {
                for (feed, published) in published {
                    desk.board.put_published(&feed, published);
                }
                true
            }
            Err(error) => {
                warn!("when feeds last had news is not known: {error}");
                false
            }
        };
        let is_round = Instant::now() >= next;
        let room = if is_round {
            next = Instant::now() + EVERY;
            touched = desk.board.read(|state| state.lines.keys().cloned().collect());
            let measured = measure(&store).await;
            desk.measure(measured);
            of_disk(measured.disk_free_bytes, desk.documents.config().admin.disk_free_bytes_min)
        } else {
            Finding::Unknown
        };
        if !is_known {
            // What is not known is no end of a silence.
            touched.clear();
        }
        let told = judge(&desk, &touched, room, Utc::now());
        keep(&desk, &store, &told).await;
        for told in &told {
            log(told);
            delivering.send(told);
        }
        tokio::select! {
            () = desk.board.changed() => {}
            () = sleep_until(next) => {}
        }
    }
}

/// What is new about these feeds, about the disk, about the store, and about feeds.toml.
fn judge(desk: &Desk, touched: &BTreeSet<FeedId>, room: Finding, now: DateTime<Utc>) -> Vec<Told> {
    let (judged, polled, config, stopped) = desk.board.read(|state| {
        let lines = touched.iter().filter_map(|id| state.lines.get(id));
        let judged: Vec<(Arc<Feed>, Vec<Need>)> =
            lines.map(|line| (Arc::clone(&line.feed), line.needs(now))).collect();
        let polled: BTreeSet<FeedId> = state.lines.keys().cloned().collect();
        let refused = state.config.refused.as_ref().map(|(_, why)| why.as_str());
        let stopped = state.stopped.as_ref().map(|(_, why)| why.as_str());
        (judged, polled, of_config(refused), of_store(stopped))
    });
    let mut journal = desk.journal();
    let mut told = journal.retain(|id| polled.contains(id), now);
    for (feed, needs) in &judged {
        told.extend(journal.feed(feed, needs, now));
    }
    told.extend(journal.settle(EventKind::Config, (None, "feeds.toml"), config, now));
    told.extend(journal.settle(EventKind::Disk, (None, "The disk of the store"), room, now));
    told.extend(journal.settle(EventKind::Store, (None, "The store"), stopped, now));
    told
}

fn of_config(refused: Option<&str>) -> Finding {
    let Some(why) = refused else { return Finding::Right };
    Finding::Wrong(
        format!("was refused, and the one before runs on:\n\n{}", why.trim_end()),
        "mend what is shown; it is read again when it is saved, and `visnyk check` shows every \
         mistake"
            .to_owned(),
    )
}

fn of_store(stopped: Option<&str>) -> Finding {
    let Some(why) = stopped else { return Finding::Right };
    Finding::Wrong(
        format!("takes nothing, and no feed is polled; what there is is served: {why}"),
        "make room on its disk, or mend what is said of it: polls then go on by themselves"
            .to_owned(),
    )
}

/// Whether there is room enough. A tenth more than enough is the end of too little, so that it does
/// not come and go with each poll.
fn of_disk(free: Option<u64>, least: u64) -> Finding {
    match free {
        Some(free) if free < least => Finding::Wrong(
            format!(
                "has {} MiB left, less than the {} MiB of `disk_free_min`",
                free >> 20,
                least >> 20
            ),
            "make room: when the disk is full no article is kept, and no feed is polled any more"
                .to_owned(),
        ),
        Some(free) if free >= least.saturating_add(least / 10) => Finding::Right,
        _ => Finding::Unknown,
    }
}

/// Keeps what changed before anybody is told; where it cannot be kept it is told all the same.
async fn keep(desk: &Desk, store: &Store, told: &[Told]) {
    if told.is_empty() {
        return;
    }
    let forgotten = desk.journal().drop_surplus();
    let kept = told.iter().map(|told| told.event.clone());
    let kept = kept.filter(|event| !forgotten.contains(&event.key())).collect();
    if let Err(error) = store.keep_events(kept, forgotten).await {
        warn!("events are not kept, and may be told again after a restart: {error}");
    }
}

fn log(told: &Told) {
    let event = &told.event;
    let (kind, turn) = (event.kind.word(), told.turn.word());
    if told.turn == Turn::Closed {
        info!(kind, turn, "{}: {}", event.end_title(), event.end);
    } else if event.kind != EventKind::Config {
        // What is wrong in feeds.toml was logged where it was read.
        warn!(kind, turn, "{}: {} {}: {}", event.title(), event.name, event.what, event.cure);
    }
}

async fn measure(store: &Store) -> Measured {
    let of_store = store.clone();
    let sizes = move || (of_store.size_bytes(), free_bytes(of_store.directory()).ok());
    let sizes = spawn_blocking(sizes);
    let (store_bytes, disk_free_bytes) = sizes.await.unwrap_or_default();
    let (is_readable, (articles, publications)) = match counts(store).await {
        Ok(counts) => (true, counts),
        Err(error) => {
            error!("the store does not answer: {error}");
            (false, Default::default())
        }
    };
    Measured { is_readable, store_bytes, disk_free_bytes, articles, publications }
}

/// How many articles are published, and how many publications hold one.
async fn counts(store: &Store) -> Result<(u64, u64), StoreError> {
    let shelves = store.shelves().await?;
    let all = shelves.get(&Selection::All).map_or(0, |shelf| shelf.count);
    let filled = shelves.values().filter(|shelf| shelf.count > 0).count();
    Ok((all, filled as u64))
}

/// Answers admins where feeds.toml says, for ever. An address that is not free is tried again: the
/// site does not go down for it.
/// A listener that was handed over stays, whatever feeds.toml says.
pub(crate) async fn answer_at_listener(desk: Desk, handed: Option<Handed>) -> Infallible {
    if let Some(handed) = handed {
        answer_at_handed(&desk, handed).await;
    }
    // The address that was not free when it was last tried: it is told once.
    let mut taken = None;
    loop {
        let Some(wanted) = desk.documents.config().admin.listen else {
            taken = None;
            sleep(LISTEN_LOOKED_EVERY).await;
            continue;
        };
        let bound = TcpListener::bind(wanted).await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                taken = None;
                info!("admins are answered at {address}: /admin/events.atom and /metrics");
                // Until feeds.toml says something else.
                let moved = async {
                    while desk.documents.config().admin.listen == Some(wanted) {
                        sleep(LISTEN_LOOKED_EVERY).await;
                    }
                };
                answer_at(&desk, listener, address, moved).await;
            }
            Err(error) => {
                if taken.replace(wanted) == Some(wanted) {
                    debug!("still cannot listen for admins at {wanted}: {error}");
                } else {
                    error!("cannot listen for admins at {wanted}, tried again: {error}");
                }
                sleep(LISTEN_RETRY).await;
            }
        }
    }
}

/// Answers admins where the service manager listens for them; comes back if that cannot be.
async fn answer_at_handed(desk: &Desk, handed: Handed) {
    match handed.local_addr().and_then(|address| Ok((address, taken(handed)?))) {
        Ok((address, listener)) => {
            info!("admins are answered at {address}, where the service manager listens");
            answer_at(desk, listener, address, pending()).await;
        }
        Err(error) => error!("the listener for admins that was handed over is none: {error}"),
    }
}

/// Answers admins until the listener moves.
async fn answer_at(
    desk: &Desk,
    listener: TcpListener,
    address: SocketAddr,
    moved: impl Future<Output = ()> + Send,
) {
    let answers = {
        let desk = desk.clone();
        move |request: Request<Incoming>| ready(answer(&desk, &request, address))
    };
    let limits = Limits { connections: CONNECTIONS_MAX, ..Limits::default() };
    let (_, unasked) = mpsc::channel(1);
    serve_answers(listener, answers, limits, unasked, pending(), moved).await;
}
