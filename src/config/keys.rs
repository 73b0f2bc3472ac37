//! The tables and keys of feeds.toml: the one place that says which there are, what may be
//! written in them, and what they mean. The reader obeys it; a JSON schema can be made from it.

use std::time::Duration;

/// A table of feeds.toml.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Whether it may stand once or many times.
    pub times: Times,
    /// Its keys.
    pub keys: &'static [Key],
}

/// How often a table may stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// `[name]`
    Once,
    /// `[[name]]`
    Many,
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may be written.
    pub shape: Shape,
    /// Whether it may be left out.
    pub need: Need,
    /// What it means, and what holds without it.
    pub help: &'static str,
    /// What holds without it, as it would be written.
    pub default: Option<&'static str>,
}

/// Whether a key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must be there.
    Required,
    /// It may be left out.
    Optional,
}

/// What may be written as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text in a line.
    Text,
    /// A text in a line that may be empty, or begin and end with spaces.
    Part,
    /// Texts in a list.
    Texts,
    /// An identifier: `a-z`, `0-9` and `-`.
    Id,
    /// `true` or `false`.
    Flag,
    /// `true`, `false`, or a list of addresses and networks.
    Private,
    /// A whole number.
    Number {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A time, such as `"10s"`, `"5m"` or `"1h"`.
    Time {
        /// The least.
        min: Duration,
        /// The most.
        max: Duration,
    },
    /// An age in days, weeks or years, such as `"2y"`, or `"forever"`.
    Age,
    /// A size, such as `"16 MiB"`, in bytes.
    Size {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A day, without quotes: `2026-01-01`.
    Day,
    /// An address that begins with `http://` or `https://`.
    WebAddress,
    /// The same, or `file:` and a path below the folder of feeds.toml.
    FeedAddress,
    /// A time zone, such as `Europe/Kyiv`.
    Zone,
    /// A colour on which white is read well, such as `#0d2b4b`.
    Colour,
    /// A language (BCP 47), such as `uk`.
    Language,
    /// A crontab line, `@hourly` and the like, or `every 30m`.
    Schedule,
    /// An IP address and a port.
    Socket,
    /// A code of ISO 3166-2, such as `UA-63`.
    Iso,
    /// A domain name or an e-mail address (RFC 4151, 2.1).
    Authority,
}

/// The words of `kind`.
pub const KINDS: &[&str] = &["municipal", "national", "partner"];
/// The words of `auth`.
pub const AUTHS: &[&str] = &["basic", "bearer", "header"];
/// The words of `pictures`.
pub const PICTURES: &[&str] = &["direct", "passed", "hidden"];
/// The words of `republish`.
pub const REPUBLISH: &[&str] = &["full", "summary", "link"];

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// `[site]`
pub const SITE: Table = Table {
    name: "site",
    times: Times::Once,
    keys: &[
        optional("title", Shape::Text, "the name of the site; `Вісник` without it")
            .or("\"Вісник\""),
        optional("subtitle", Shape::Text, "what the site is, in a sentence"),
        optional("address", Shape::WebAddress, "where subscribers reach the site"),
        optional("listen", Shape::Socket, "where the server listens; `127.0.0.1:8080` without it")
            .or("\"127.0.0.1:8080\""),
        optional("contact", Shape::Text, "an e-mail address or page that polled servers are told"),
        optional("readers", Shape::Number { min: 1, max: 1_000_000_000 }, "told to servers"),
        optional("language", Shape::Language, "the language of the site's titles; `uk` without it")
            .or("\"uk\""),
        optional("timezone", Shape::Zone, "the zone of dates and schedules; `Europe/Kyiv`")
            .or("\"Europe/Kyiv\""),
        optional("rights", Shape::Text, "the terms under which the combined feeds are given out"),
        optional("icon", Shape::WebAddress, "a small square picture"),
        optional("logo", Shape::WebAddress, "a picture before the title on pages"),
        optional("colour", Shape::Colour, "the ground of the pages' header; `#0d2b4b` without it")
            .or("\"#0d2b4b\""),
        optional("about", Shape::Text, "a Markdown file: what the page about the site says"),
        optional("pictures", Shape::Choice(PICTURES), "how pages show pictures; `direct`")
            .or("\"direct\""),
        optional(
            "tag_authority",
            Shape::Authority,
            "in whose name ids are minted; never change it",
        ),
        optional("since", Shape::Day, "a day on which that name was yours; never change it")
            .or("2026-01-01"),
    ],
};

/// `[polling]`
pub const POLLING: Table = Table {
    name: "polling",
    times: Times::Once,
    keys: &[
        optional("schedule", Shape::Schedule, "for feeds that have none; `every 30m` without it")
            .or("\"every 30m\""),
        optional("concurrency", Shape::Number { min: 1, max: 1000 }, "polls that run at once; 32")
            .or("32"),
        optional("per_host", Shape::Number { min: 1, max: 32 }, "requests to one host at once; 2")
            .or("2"),
        optional("host_pause", time(0, 60), "between two requests to one host; `1s`").or("\"1s\""),
        optional("proxy", Shape::Text, "for feeds that name none; the usual variables"),
        optional("connect_timeout", time(1, 60), "how long a connection may take; `10s`")
            .or("\"10s\""),
        optional("timeout", time(1, 600), "how long a poll may take in all; `60s`").or("\"60s\""),
        optional(
            "body_max",
            Shape::Size { min: 64 * KIB, max: 64 * MIB },
            "of a document; `16 MiB`",
        )
        .or("\"16 MiB\""),
    ],
};

/// `[publishing]`
pub const PUBLISHING: Table = Table {
    name: "publishing",
    times: Times::Once,
    keys: &[
        optional("entries", Shape::Number { min: 1, max: 500 }, "articles in a document; 50")
            .or("50"),
        optional("republish", Shape::Choice(REPUBLISH), "for feeds that say nothing; `full`")
            .or("\"full\""),
        optional("apart", Shape::Texts, "ids of articles that are one story with no other"),
    ],
};

/// `[admin]`
pub const ADMIN: Table = Table {
    name: "admin",
    times: Times::Once,
    keys: &[
        optional("listen", Shape::Socket, "where admins are answered; nowhere without it"),
        optional("allow_public", Shape::Flag, "whether that may be a public address; `false`"),
        optional("hosts", Shape::Texts, "public names by which it may be asked there"),
        optional("webhook", Shape::WebAddress, "where each event is sent to, as JSON"),
        optional("command", Shape::Texts, "a program and its arguments that get each event"),
        optional(
            "disk_free_min",
            Shape::Size { min: MIB, max: 1024 * 1024 * MIB },
            "with less room on the store's disk there is an event; `1 GiB`",
        ),
    ],
};

/// `[retention]`
pub const RETENTION: Table = Table {
    name: "retention",
    times: Times::Once,
    keys: &[
        optional("keep", Shape::Age, "how long an article is kept; `forever` without it")
            .or("\"forever\""),
        optional("keep_articles", KEPT, "how many articles are kept, the newest; all without it"),
    ],
};

/// How many articles are kept of something.
const KEPT: Shape = Shape::Number { min: 1, max: 1_000_000_000 };

/// `[backup]`
pub const BACKUP: Table = Table {
    name: "backup",
    times: Times::Once,
    keys: &[
        optional("every", time(3_600, 30 * 86_400), "how often the store is written down; `24h`"),
        optional("keep", Shape::Number { min: 0, max: 1_000 }, "how many files are kept; `7`"),
        optional("directory", Shape::Text, "where, from the store's directory; `backups`"),
    ],
};

/// `[[feed]]`
pub const FEED: Table = Table {
    name: "feed",
    times: Times::Many,
    keys: &[
        required("id", Shape::Id, "the name under which it is known for ever"),
        required("title", Shape::Text, "the name that readers see"),
        required("url", Shape::FeedAddress, "where its document is"),
        optional("kind", Shape::Choice(KINDS), "who speaks in it; `municipal` without it")
            .or("\"municipal\""),
        optional("region", Shape::Text, "the region that all its articles belong to"),
        optional("community", Shape::Text, "the community that all its articles belong to"),
        optional("tags", Shape::Texts, "tags that all its articles bear"),
        optional("schedule", Shape::Schedule, "when to poll it, in its own time zone"),
        optional("language", Shape::Language, "of its articles, where its documents do not say"),
        optional("timezone", Shape::Zone, "of its dates that name none, and of its schedule"),
        optional("enabled", Shape::Flag, "whether it is polled; `true` without it").or("true"),
        optional("republish", Shape::Choice(REPUBLISH), "how much of an article is published"),
        optional("keep", Shape::Age, "how long its articles are kept, whatever their regions say"),
        optional("keep_articles", KEPT, "how many of its articles are kept, the newest"),
        optional("unite", Shape::Flag, "whether a story that others have too is one; `true`")
            .or("true"),
        optional("ignore_hints", Shape::Flag, "whether its own rhythm does not count; `false`")
            .or("false"),
        optional("allow_private", Shape::Private, "private addresses at which it may lie; `false`")
            .or("false"),
        optional("ca_file", Shape::Text, "a file of authorities (PEM) that are trusted for it"),
        optional("proxy", Shape::Text, "through which proxy it is fetched, or `none`"),
        optional("auth", Shape::Choice(AUTHS), "how its server knows us"),
        optional("user", Shape::Text, "for `auth = \"basic\"`"),
        optional("header", Shape::Text, "for `auth = \"header\"`"),
        optional("secret", Shape::Text, "where the secret is, never the secret itself"),
    ],
};

/// `[[region]]`
pub const REGION: Table = Table {
    name: "region",
    times: Times::Many,
    keys: &[
        required("id", Shape::Id, "the name in addresses; that of a known region changes it"),
        optional("iso", Shape::Iso, "its code in ISO 3166-2"),
        optional("name", Shape::Text, "in Ukrainian; required for a new region"),
        optional("name_en", Shape::Text, "in English; transliterated without it"),
        optional("aliases", Shape::Texts, "other names, by which categories of feeds are known"),
        optional("match", Shape::Texts, "words of a text that name it"),
        optional("unless", Shape::Texts, "words that look like its name, and are not"),
        optional("enabled", Shape::Flag, "whether articles get it; `true` without it").or("true"),
        optional("keep", Shape::Age, "how long its articles are kept, if no other region longer"),
        optional("keep_articles", KEPT, "how many of its articles are kept, the newest"),
    ],
};

/// `[[community]]`
pub const COMMUNITY: Table = Table {
    name: "community",
    times: Times::Many,
    keys: &[
        required("id", Shape::Id, "the name in addresses; that of a known community changes it"),
        optional("region", Shape::Text, "where it lies; required for a new community"),
        optional("name", Shape::Text, "in Ukrainian; required for a new community"),
        optional("name_en", Shape::Text, "in English; transliterated without it"),
        optional("aliases", Shape::Texts, "other names, by which categories of feeds are known"),
        optional("match", Shape::Texts, "words of a text that name it"),
        optional("unless", Shape::Texts, "words that look like its name, and are not"),
        optional("enabled", Shape::Flag, "whether articles get it; `true` without it").or("true"),
    ],
};

/// `[[tag]]`
pub const TAG: Table = Table {
    name: "tag",
    times: Times::Many,
    keys: &[
        optional("id", Shape::Id, "the name in addresses; the transliterated name without it"),
        required("name", Shape::Text, "in Ukrainian"),
        optional("name_en", Shape::Text, "in English; as in Ukrainian without it"),
        optional("aliases", Shape::Texts, "other words for it; no word may be of two tags"),
        optional("match", Shape::Texts, "words of a text that speak for it"),
        optional("unless", Shape::Texts, "words that void them"),
    ],
};

/// `[[publication]]`
pub const PUBLICATION: Table = Table {
    name: "publication",
    times: Times::Many,
    keys: &[
        required("id", Shape::Id, "the name in its address"),
        required("title", Shape::Text, "the name that readers see"),
        optional("subtitle", Shape::Text, "what it is, in a sentence"),
        optional("regions", Shape::Texts, "an article has at least one of them"),
        optional("communities", Shape::Texts, "an article has at least one of them"),
        optional("tags", Shape::Texts, "an article has at least one of them"),
        optional("feeds", Shape::Texts, "an article comes from one of them"),
        optional("without_tags", Shape::Texts, "an article has none of them"),
    ],
};

/// `[[rule]]`
pub const RULE: Table = Table {
    name: "rule",
    times: Times::Many,
    keys: &[
        required("id", Shape::Id, "the name by which reasons tell it"),
        optional("feeds", Shape::Texts, "the feeds that it is for; all without it"),
        optional("match", Shape::Texts, "the articles that it fits; all without it"),
        optional("unless", Shape::Texts, "words that void those of `match`"),
        optional("exclude", Shape::Flag, "keep these articles out of all publications").or("false"),
        optional("only", Shape::Flag, "publish these articles, and no others of the feeds")
            .or("false"),
        optional("regions", Shape::Texts, "regions that they get"),
        optional("communities", Shape::Texts, "communities that they get"),
        optional("tags", Shape::Texts, "tags that they get"),
        optional("without_regions", Shape::Texts, "regions that they lose"),
        optional("without_communities", Shape::Texts, "communities that they lose"),
        optional("without_tags", Shape::Texts, "tags that they lose"),
        optional("drop_categories", Shape::Texts, "categories that do not count"),
        optional("replace", Shape::Text, "a regular expression for a part of the headline"),
        optional("with", Shape::Part, "what stands there instead; nothing without it").or("\"\""),
    ],
};

/// All tables, in the order in which the example has them.
pub const TABLES: [&Table; 12] = [
    &SITE,
    &POLLING,
    &PUBLISHING,
    &RETENTION,
    &ADMIN,
    &BACKUP,
    &REGION,
    &COMMUNITY,
    &TAG,
    &FEED,
    &RULE,
    &PUBLICATION,
];

const fn required(name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key { name, shape, need: Need::Required, help, default: None }
}

const fn optional(name: &'static str, shape: Shape, help: &'static str) -> Key {
    Key { name, shape, need: Need::Optional, help, default: None }
}

const fn time(min_seconds: u64, max_seconds: u64) -> Shape {
    Shape::Time { min: Duration::from_secs(min_seconds), max: Duration::from_secs(max_seconds) }
}

impl Key {
    /// The same key, and what holds without it.
    const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

impl Table {
    /// As it is written: `[site]` or `[[feed]]`.
    #[must_use]
    pub fn header(&self) -> String {
        match self.times {
            Times::Once => format!("[{}]", self.name),
            Times::Many => format!("[[{}]]", self.name),
        }
    }
}
