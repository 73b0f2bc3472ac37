//! feeds.toml to checked values, or every problem with its line.

use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::id::TagId;
use crate::model::publication::Publication;
use crate::model::publication::Site;
use crate::model::publication::Tag;
use crate::place::Catalogue;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// A feeds.toml without a mistake.
#[derive(Debug, Clone)]
pub struct Config {
    /// The site that publishes.
    pub site: Site,
    /// Where the public listener is.
    pub listen: SocketAddr,
    /// How feeds are polled.
    pub polling: Polling,
    /// How publications are made.
    pub publishing: Publishing,
    /// Regions and communities: the built-in ones and those of feeds.toml.
    pub catalogue: Catalogue,
    /// Topics.
    pub tags: BTreeMap<TagId, Tag>,
    /// Sources, those that are not enabled too.
    pub feeds: BTreeMap<FeedId, Feed>,
    /// What the admin composed, in the order of the file.
    pub publications: Vec<Publication>,
}

/// How feeds are polled.
#[derive(Debug, Clone)]
pub struct Polling {
    /// How many polls run at once.
    pub concurrency: usize,
    /// How many requests to one host run at once.
    pub per_host: usize,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a poll may take in all.
    pub timeout: Duration,
    /// How large a body may be after decompression, in bytes.
    pub body_bytes_max: u64,
}

/// How publications are made.
#[derive(Debug, Clone)]
pub struct Publishing {
    /// How many articles a document holds: the newest.
    pub entries: usize,
}
