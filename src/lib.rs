//! Visnyk: polls municipal feeds and republishes them as combined Atom feeds.

pub mod crontab;
pub mod model;
pub mod parse;
pub mod place;

pub mod config;
