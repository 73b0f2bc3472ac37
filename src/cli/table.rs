//! Output that fits where it is shown: a terminal as wide as it is, else 80 columns.

use comfy_table::ContentArrangement;
use comfy_table::Table;
use std::io::stdout;
use terminal_size::Width;
use terminal_size::terminal_size_of;

/// How many columns there are where no terminal says it.
const COLUMNS: u16 = 80;
/// No terminal is taken for narrower, or nothing could be shown in it.
const COLUMNS_MIN: u16 = 20;

/// How many columns there are: what `COLUMNS` says, else the terminal.
#[must_use]
pub fn columns() -> u16 {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size_of(stdout()).map(|(Width(columns), _)| columns);
    said.or_else(terminal).unwrap_or(COLUMNS).max(COLUMNS_MIN)
}

/// The table, its cells broken into lines where there is too little room.
#[must_use]
pub fn fitted(mut table: Table) -> Table {
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns());
    table
}
