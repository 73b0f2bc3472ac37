//! A feed: a source that is polled, one `[[feed]]` of feeds.toml.

use crate::crontab::Crontab;
use crate::model::id::ArticleId;
use crate::model::id::CommunityId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use chrono::DateTime;
use chrono::NaiveDate;
use chrono::NaiveTime;
use chrono::Utc;
use chrono_tz::Tz;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use url::Url;

/// A source that is polled, with everything that its admin said about it.
#[derive(Debug, Clone, PartialEq)]
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
    /// Whether it is polled as its schedule says, whatever its publisher says of a slower rhythm.
    pub ignore_hints: bool,
    /// How it is reached.
    pub access: Access,
    /// Whether its articles are one with the same stories of other feeds.
    pub unites: bool,
    /// Under whose name the ids of its articles are minted.
    pub tagging: TaggingEntity,
}

impl Feed {
    /// A feed about which nothing is said but where it is, and when it is polled.
    #[must_use]
    pub fn new(id: FeedId, address: Address, schedule: Crontab, tagging: TaggingEntity) -> Self {
        Self {
            title: id.to_string(),
            id,
            address,
            kind: FeedKind::Municipal,
            region: None,
            community: None,
            tags: BTreeSet::new(),
            schedule,
            timezone: Tz::Europe__Kyiv,
            language: None,
            enabled: true,
            republish: Republish::Full,
            ignore_hints: false,
            access: Access::default(),
            unites: true,
            tagging,
        }
    }

    /// Something that an article of it leads to, asked for as politely as the feed itself. Whose it
    /// is, the feed's document says: it gets no password, and lies at no address that only the feed
    /// may have.
    #[must_use]
    pub fn leading_to(&self, url: Url) -> Self {
        let mut leading = Self { address: Address::Http(url), ..self.clone() };
        leading.access.credentials = None;
        let host = |address: &Address| match address {
            Address::Http(url) => url.host_str().map(str::to_owned),
            Address::File(_) => None,
        };
        let own = host(&self.address);
        if own.is_none() || own != host(&leading.address) {
            leading.access.private = Private::Refused;
        }
        leading
    }

    /// Where and how it is asked. What was learnt by asking otherwise says nothing of it: a feed
    /// whose address was mended does not wait for the failures of the wrong one.
    #[must_use]
    pub fn asked_at(&self) -> String {
        if self.access == Access::default() {
            return self.address.to_string();
        }
        let access = format!("{:?}", self.access);
        format!("{} {}", self.address, Digest::of([access.as_str()]))
    }
}

/// How a feed is reached, where that is not the usual way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Whether it may be fetched from addresses that are not public.
    pub private: Private,
    /// A file with certificates (PEM) of authorities that are trusted for this feed besides those
    /// of the machine.
    pub ca_file: Option<PathBuf>,
    /// How the feed's server knows us.
    pub credentials: Option<Credentials>,
    /// Through which proxy; none if it is the one for all feeds.
    pub proxy: Option<Proxy>,
}

/// Whether a feed may be fetched from addresses that are not public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Private {
    /// It may not.
    #[default]
    Refused,
    /// It may, from all of them.
    Allowed,
    /// It may be fetched from these, and from no others, public ones included.
    Only(Vec<Network>),
}

/// Addresses, and a port if only that one is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The addresses.
    pub addresses: IpNet,
    /// The port; all of them if there is none.
    pub port: Option<u16>,
}

/// How a feed's server knows us. The secret itself is never here: it is read for each poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How the secret is sent.
    pub scheme: Scheme,
    /// Where the secret is.
    pub secret: SecretPlace,
}

/// How a secret is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// As the password of a user (RFC 7617).
    Basic {
        /// The user.
        user: String,
    },
    /// As a bearer token (RFC 6750).
    Bearer,
    /// As the value of a header.
    Header {
        /// The header's name.
        name: String,
    },
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In the directory of the service manager's credentials, under this name.
    Credential(String),
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Environment(String),
}

/// Through which proxy a feed is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// Through none, whatever holds for others.
    Direct,
    /// Through this one: `http:`, `https:`, `socks5:` or `socks5h:`.
    Through(Url),
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
