//! Why no feed is polled for a while, and when polls go on.
//!
//! # Why polls stop before writes fail
//! After a failed write nothing is known of what the engine holds, so that it has to be opened
//! again; and a daemon that is started on a full disk cannot open its store at all. So a little room
//! is left. To ask servers for what cannot be kept would be rude, and to end would take down what
//! can still be read.

use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::files::room;
use chrono::DateTime;
use chrono::Utc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How often it is looked whether there is room; and how often while there is plenty of it.
const LOOKED_EVERY: Duration = Duration::from_secs(5);
const LOOKED_EVERY_WITH_PLENTY: Duration = Duration::from_mins(1);
/// More is not gone in a minute, as a rule.
const BYTES_PLENTY: u64 = 4 * 1024 * 1024 * 1024;
/// How long a store is left alone of which a write failed, before it is opened again.
const RENEWED_AFTER: Duration = Duration::from_secs(15);
/// With less room no feed is polled; or with less than a part of the disk, if that is less.
const BYTES_MIN: u64 = 64 * 1024 * 1024;
const PART: u64 = 20;

/// How it stands with what polls need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All is well.
    Well,
    /// There is too little room on the disk.
    Full(String),
    /// A write failed.
    Failed(String),
}

impl Standing {
    /// Why no feed is polled; none if feeds are.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Well => None,
            Self::Full(why) | Self::Failed(why) => Some(why),
        }
    }
}

/// How it stands now, and how long it need not be looked again. A store of which a write failed is
/// opened again, if there is room.
///
/// # Errors
/// The store could not be opened again, or has stopped.
pub(crate) async fn look(
    store: Store,
    before: Standing,
    now: DateTime<Utc>,
) -> Result<(Standing, Duration), StoreError> {
    let directory = store.directory().to_owned();
    let measured = spawn_blocking(move || room(&directory).ok()).await.ok().flatten();
    let full = measured.and_then(|(free, total)| of_room(free, total, &before));
    let is_plenty = measured.is_none_or(|(free, _)| free > BYTES_PLENTY);
    let standing = match (before, full) {
        // It is told why it began.
        (Standing::Failed(why), Some(_)) => Standing::Failed(why),
        (Standing::Failed(why), None) => {
            tokio::time::sleep(RENEWED_AFTER).await;
            match store.renew(now).await {
                Ok(()) => Standing::Well,
                Err(end @ (StoreError::Closed { .. } | StoreError::Broken { .. })) => {
                    return Err(end);
                }
                Err(_) => Standing::Failed(why),
            }
        }
        (_, full) => full.map_or(Standing::Well, Standing::Full),
    };
    let is_calm = is_plenty && standing == Standing::Well;
    Ok((standing, if is_calm { LOOKED_EVERY_WITH_PLENTY } else { LOOKED_EVERY }))
}

/// Why there is too little room, if there is. An eighth more than enough is the end of too little,
/// so that it does not come and go with each poll.
fn of_room(free: u64, total: u64, before: &Standing) -> Option<String> {
    let least = BYTES_MIN.min(total / PART);
    let enough = if *before == Standing::Well { least } else { least.saturating_add(least / 8) };
    let told = || {
        format!("its disk has {} KiB left, polls need {} KiB: make room", free >> 10, enough >> 10)
    };
    (free < enough).then(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn too_little_room_is_64_mib_or_a_part_of_a_small_disk_and_ends_with_a_little_more() {
        let full = Standing::Full(String::new());
        for (free, total, before, is_full) in [
            (64, 100_000, &Standing::Well, false),
            (63, 100_000, &Standing::Well, true),
            (71, 100_000, &full, true),
            (72, 100_000, &full, false),
            (5, 100, &Standing::Well, false),
            (4, 100, &Standing::Well, true),
            (5, 100, &full, true),
            (6, 100, &full, false),
        ] {
            let why = of_room(free * MIB, total * MIB, before);
            assert_eq!(why.is_some(), is_full, "{free} of {total}, {before:?}: {why:?}");
        }
    }
}
