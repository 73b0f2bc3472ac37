//! `[backup]`: how often the daemon writes the store down, and how many of these files it keeps.

use crate::config::Backups;
use crate::config::table::Row;
use std::path::PathBuf;
use std::time::Duration;

const EVERY: Duration = Duration::from_hours(24);
const KEEP: usize = 7;

/// What the table says.
pub(crate) fn backups(row: &Row) -> Backups {
    let keep: Option<u64> = row.number("keep");
    Backups {
        every: row.time("every").unwrap_or(EVERY),
        keep: keep.map_or(KEEP, |keep| usize::try_from(keep).unwrap_or(usize::MAX)),
        directory: row.text("directory").map(PathBuf::from),
    }
}
