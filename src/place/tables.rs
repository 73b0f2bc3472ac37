//! The tables that are built in. Their columns are named in their first rows, and `SOURCES.md`
//! tells where they come from.

/// The regions.
pub const REGIONS: &str = include_str!("regions.tsv");
/// The communities.
pub const COMMUNITIES: &str = include_str!("communities.tsv");
/// The districts of the regions, of now and before 2020.
pub const DISTRICTS: &str = include_str!("districts.tsv");
/// What cities are called in other languages, who lives there, and whose hosts are known.
pub const NAMES: &str = include_str!("names.tsv");
/// Points on the map.
pub const POINTS: &str = include_str!("points.tsv");

/// The rows below the head.
pub fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1)
}

/// The columns of a row, if it has as many as that.
#[must_use]
pub fn columns<const N: usize>(row: &str) -> Option<[&str; N]> {
    row.split('\t').collect::<Vec<_>>().try_into().ok()
}

/// The parts of a column that is a list.
#[must_use]
pub fn list(column: &str) -> Vec<String> {
    column.split('|').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
