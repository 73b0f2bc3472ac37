//! A feed: a source that is polled, one `[[feed]]` of feeds.toml.

use crate::crontab::Crontab;
use crate::model::id::ArticleId;
use crate::model::id::CommunityId;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use chrono::DateTime;
use chrono::NaiveDate;
use chrono::NaiveTime;
use chrono::Utc;
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use url::Url;

/// A source that is polled, with everything that its admin said about it.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The name under which the feed is known for ever.
    pub id: FeedId,
    /// The name that readers see.
    pub title: String,
    /// Where its document is.
    pub address: Address,
    /// Who speaks in it.
    pub kind: FeedKind,
    /// The region that all its articles belong to.
    pub region: Option<RegionId>,
    /// The community that all its articles belong to.
    pub community: Option<CommunityId>,
    /// The tags that all its articles bear.
    pub tags: BTreeSet<TagId>,
    /// When to poll it, in the feed's own time zone.
    pub schedule: Crontab,
    /// The zone of dates that name none, and of the schedule.
    pub timezone: Tz,
    /// The language of its articles (BCP 47), if its documents do not say.
    pub language: Option<String>,
    /// Whether it is polled at all.
    pub enabled: bool,
    /// How much of its articles is published again.
    pub republish: Republish,
    /// Whether it may be fetched from addresses that are not public.
    pub allow_private: bool,
    /// Under whose name the ids of its articles are minted.
    pub tagging: TaggingEntity,
}

impl Feed {
    /// Where and how it is asked. What was learnt by asking otherwise says nothing of it: a feed
    /// whose address was mended does not wait for the failures of the wrong one.
    #[must_use]
    pub fn asked_at(&self) -> String {
        let allowed = if self.allow_private { " (allow_private)" } else { "" };
        format!("{}{allowed}", self.address)
    }
}

/// Where a feed's document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `http:` or `https:`.
    Http(Url),
    /// A file below the folder of feeds.toml.
    File(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => fmt::Display::fmt(url, f),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// Who speaks in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// A city, a community, an oblast, or a national body.
    Municipal,
    /// A partner: a sister city, a donor, an association.
    Partner,
}

/// How much of an article is published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Republish {
    /// Title, lead, body, picture and enclosures.
    #[default]
    Full,
    /// Title and lead.
    Summary,
    /// Title and link.
    Link,
}

/// The authority of minted `tag:` IRIs (RFC 4151, 2.1): a name, and a day on which it was ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggingEntity {
    /// A domain name or an e-mail address.
    pub authority: String,
    /// A day on which the authority belonged to the site.
    pub since: NaiveDate,
}

impl TaggingEntity {
    /// The beginning of that day (UTC): the date of what has never changed.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.since.and_time(NaiveTime::MIN).and_utc()
    }

    /// The `tag:` IRI of something that the authority names `specific`.
    #[must_use]
    pub fn mint(&self, specific: &str) -> String {
        format!("tag:{},{}:{specific}", self.authority, self.since)
    }

    /// The `tag:` IRI of an article that brings no IRI of its own.
    #[must_use]
    pub fn mint_article(&self, feed: &FeedId, article: ArticleId) -> String {
        self.mint(&format!("{feed}/{article}"))
    }
}
