//! The command line as it is typed: from these declarations come `--help`, the manual and the
//! completions.

use crate::cli::change::Change;
use crate::cli::check;
use crate::cli::keeping::Keeping;
use crate::cli::log::LogFormat;
use crate::model::id::FeedId;
use clap::Parser;
use clap::Subcommand;
use clap_complete::Shell;
use std::path::PathBuf;

/// Polls municipal and partner feeds on a schedule, and republishes them as combined Atom feeds,
/// one for each region, community and tag.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 80)]
pub struct Arguments {
    /// The configuration [default: `feeds.toml` in `$CONFIGURATION_DIRECTORY`, here, or in
    /// `/etc/visnyk`]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where articles are kept [default: `$STATE_DIRECTORY`, else `state` beside feeds.toml, and
    /// `/var/lib/visnyk` for that in `/etc/visnyk`]
    #[arg(short, long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// How log lines are written to standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "auto")]
    pub log: LogFormat,

    /// What to do; `run` if nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What goes by a good feeds.toml.
    #[command(flatten)]
    Working(Working),

    /// What is done before there is one, or with one that has mistakes.
    #[command(flatten)]
    Preparing(Preparing),
}

/// What goes by a good feeds.toml.
#[derive(Debug, Subcommand)]
pub enum Working {
    /// Poll on schedule and serve the publications, until SIGTERM or SIGINT
    #[command(after_help = "Example:\n  visnyk run --config /etc/visnyk/feeds.toml")]
    Run {
        /// Keep the site as files in this directory too; changed addresses go to standard output
        #[arg(long, value_name = "DIR")]
        export: Option<PathBuf>,
    },

    /// Poll once now, all enabled feeds or those that are named
    #[command(after_help = "Example:\n  visnyk poll kharkiv lviv")]
    Poll {
        /// Ids of feeds, as in feeds.toml
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Tell what each publisher asks for, and when each feed is polled next and why
        #[arg(long)]
        explain: bool,
    },

    /// Show how each feed goes, those that need you first, and when it is polled next and why
    #[command(after_help = "Example:\n  visnyk status --watch")]
    Status {
        /// Ids of feeds, as in feeds.toml
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Write an object: the daemon, its configuration, and the feeds with what they need
        #[arg(long)]
        json: bool,

        /// Show it anew every two seconds, until Ctrl-C; without a terminal, after each change
        #[arg(long)]
        watch: bool,
    },

    /// Show what a feed, an address or a file would bring, without keeping it: how it is read,
    /// articles, labels, what rules do
    #[command(after_help = "Example:\n  visnyk preview https://city.example/rss")]
    Preview {
        /// The id of a feed in feeds.toml, an address, or a file
        #[arg(value_name = "FEED|URL|FILE")]
        what: String,

        /// Read an address or a file as this feed's document
        #[arg(long = "as", value_name = "FEED")]
        like: Option<FeedId>,

        /// Fetch an address of a network that is not public, such as this machine's
        #[arg(long)]
        allow_private: bool,

        /// How many articles are shown
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,

        /// Write an object, with all articles
        #[arg(long)]
        json: bool,
    },

    /// Tell why an article is where it is: its labels with their reasons, what did not count, the
    /// same story in other feeds
    #[command(after_help = "Example:\n  visnyk explain https://city.example/news/1")]
    Explain {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,

        /// Write an object
        #[arg(long)]
        json: bool,
    },

    /// Go over what was fetched with feeds.toml as it is, and show what would differ: articles,
    /// labels with their reasons, rejected entries
    #[command(after_help = "Example:\n  visnyk replay kharkiv && visnyk replay kharkiv --apply")]
    Replay {
        /// Ids of feeds, as in feeds.toml; all of them if none is named
        #[arg(value_name = "FEED")]
        feeds: Vec<FeedId>,

        /// Record the differences, as a poll would
        #[arg(long)]
        apply: bool,

        /// Write an array of objects
        #[arg(long)]
        json: bool,
    },

    /// Take an article down: it leaves every publication at once, readers are told, and no poll
    /// brings it back
    #[command(
        after_help = "Example:\n  visnyk takedown https://city.example/news/1 --why \"court order 17/2026\""
    )]
    Takedown {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,

        /// The reason, for the log and for `visnyk explain`; readers are not told
        #[arg(long, value_name = "TEXT")]
        why: String,
    },

    /// Keep an article whatever its age
    #[command(after_help = "Example:\n  visnyk pin https://city.example/news/1")]
    Pin {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,
    },

    /// Keep an article no longer than others
    #[command(after_help = "Example:\n  visnyk unpin https://city.example/news/1")]
    Unpin {
        /// The article's id, or the address of its page
        #[arg(value_name = "ARTICLE|URL")]
        what: String,
    },

    /// Show which articles would go by `keep` and `keep_articles` in feeds.toml, by feed and region
    #[command(after_help = "Example:\n  visnyk retention --json | jq .feeds")]
    Retention {
        /// Drop them now; a running daemon does it every hour
        #[arg(long)]
        apply: bool,

        /// Write an object
        #[arg(long)]
        json: bool,
    },

    /// Write the store anew, so that its disk gets back what it does not need; a running daemon goes
    /// on serving
    #[command(after_help = "Example:\n  visnyk compact")]
    Compact,

    /// Show how many readers aggregators report for each publication
    #[command(after_help = "Example:\n  visnyk readers --json")]
    Readers {
        /// Write an array of objects
        #[arg(long)]
        json: bool,
    },

    /// Show the categories of feeds that are no tag, with lines for feeds.toml
    #[command(after_help = "Example:\n  visnyk tags | less")]
    Tags,

    /// Write the site as files: every document with its compressed forms, whole at every moment,
    /// and only what changed; the addresses of what did go to standard output
    #[command(
        after_help = "Example:\n  visnyk export /srv/www/visnyk | xargs -r -d '\\n' -n 1 purge"
    )]
    Export {
        /// Where to; it is made if there is none
        #[arg(value_name = "DIR")]
        directory: PathBuf,

        /// Write an object a line: path, action, bytes, digest, keys, files
        #[arg(long)]
        json: bool,

        /// Take a directory that has other files in it; they stay, but one that lies at an address
        /// of the site is replaced
        #[arg(long)]
        into_nonempty: bool,
    },
}

/// What is done before there is a good feeds.toml, or with one that has mistakes.
#[derive(Debug, Subcommand)]
pub enum Preparing {
    /// What changes feeds.toml.
    #[command(flatten)]
    Change(Change),

    /// What keeps the store.
    #[command(flatten)]
    Keeping(Keeping),

    /// Read feeds.toml and show every mistake and warning in it, and what its schedules mean
    #[command(after_help = check::HELP)]
    Check(check::Asked),

    /// Print the JSON Schema of feeds.toml, by which editors check it while it is written
    #[command(after_help = "Example:\n  visnyk schema > feeds.schema.json")]
    Schema,

    /// Have the running daemon read feeds.toml again, and tell what that changes
    #[command(after_help = "Example:\n  visnyk check && visnyk reload")]
    Reload,

    /// Write the manual into a directory, below `man1` and `man5`, or its first page to standard
    /// output
    #[command(after_help = "Example:\n  visnyk man /usr/local/share/man && man 5 feeds.toml")]
    Man {
        /// Where to; it is made if there is none
        #[arg(value_name = "DIR")]
        directory: Option<PathBuf>,
    },

    /// Write what a shell needs to complete the command line
    #[command(after_help = "Example:\n  visnyk completions bash > /etc/bash_completion.d/visnyk")]
    Completions {
        /// Which shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

impl Default for Command {
    fn default() -> Self {
        Self::Working(Working::Run { export: None })
    }
}
