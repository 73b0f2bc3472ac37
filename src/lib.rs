//! Visnyk: polls municipal feeds and republishes them as combined Atom feeds.

pub mod crontab;
pub mod model;
pub mod place;

pub mod config;
pub mod merge;
pub mod normalize;
