//! `visnyk preview`: what a feed, an address or a file would bring, without a store: how it was
//! fetched and read, the articles as a person reads them with their labels and the reasons, and
//! what could not become one.

pub(crate) mod shown;

use crate::classify::Classifier;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::fail;
use crate::cli::preview::shown::in_json;
use crate::cli::preview::shown::told;
use crate::cli::say;
use crate::cli::shell::quoted;
use crate::cli::status::Form;
use crate::config::Config;
use crate::crontab::Crontab;
use crate::daemon::fetcher;
use crate::daemon::system_clock;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::feed::Private;
use crate::model::id::FeedId;
use crate::model::known::Memory;
use crate::parse::ParseError;
use crate::trial::trial;
use chrono::Utc;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Builder;
use url::Url;

/// What a feed is called that is none of feeds.toml.
const UNNAMED: &str = "preview";
/// When such a feed would be polled, if it were.
const HOURLY: &str = "0 * * * *";

/// What is shown, and how.
#[derive(Debug)]
pub struct Wish<'a> {
    /// The id of a feed, an address, or a file.
    pub what: &'a str,
    /// The feed whose settings it is read with.
    pub like: Option<&'a FeedId>,
    /// Whether an address may lie in a network that is not public.
    pub private: Private,
    /// How many articles are shown.
    pub limit: usize,
    /// For whom.
    pub form: Form,
}

/// Shows what a feed of feeds.toml, an address or a file would bring.
#[must_use]
pub fn preview(config: &Config, wish: &Wish<'_>) -> ExitCode {
    let feed = match feed_of(config, wish) {
        Ok(feed) => Arc::new(feed),
        Err(why) => return fail(SOME_FAILED, &why),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let fetcher = match fetcher(config, system_clock()) {
        Ok(fetcher) => fetcher,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let classifier = Arc::new(Classifier::new(&config.catalogue, &config.tags, &config.rules));
    let tried = trial(&fetcher, &classifier, &feed, Memory::default(), Utc::now());
    let tried = match runtime.block_on(tried) {
        Ok(tried) => tried,
        Err(failure) => return fail(SOME_FAILED, &failure),
    };
    match &tried.read {
        Ok(brought) => say(&match wish.form {
            Form::Table => told(config, &classifier, &feed, &tried.arrival, brought, wish.limit),
            Form::Json => in_json(config, &feed, &tried.arrival, brought),
        }),
        Err(error) => fail(SOME_FAILED, &unread(&tried.arrival.url, error)),
    }
}

/// Why a document brings nothing, and what to try instead.
fn unread(url: &Url, error: &ParseError) -> String {
    match error {
        ParseError::HtmlPage { feeds, .. } if !feeds.is_empty() => {
            let adds = feeds.iter().map(|feed| format!("\n  visnyk add {}", quoted(feed.as_str())));
            format!("{url}: {error}; to poll one:{}", adds.collect::<String>())
        }
        _ => format!("{url}: {error}"),
    }
}

/// The feed that is meant: one of feeds.toml, or one that is made for this.
fn feed_of(config: &Config, wish: &Wish<'_>) -> Result<Feed, String> {
    let like = match wish.like {
        None => None,
        Some(like) => match config.feeds.get(like) {
            Some(feed) => Some(feed),
            None => return Err(format!("no feed `{like}` is in feeds.toml")),
        },
    };
    let named = config.feeds.values().find(|feed| feed.id.as_str() == wish.what);
    if let (Some(feed), None) = (named, like) {
        return Ok(feed.clone());
    }
    if let Some(url) = web(wish.what) {
        let address = Address::Http(url.clone());
        let own = || config.feeds.values().find(|feed| feed.address == address);
        let mut feed = match (like, own()) {
            (Some(like), _) => like.leading_to(url),
            (None, Some(own)) => own.clone(),
            (None, None) => unnamed(config, address)?,
        };
        if wish.private != Private::Refused {
            feed.access.private = wish.private.clone();
        }
        return Ok(feed);
    }
    let path = Path::new(wish.what);
    if !path.exists() {
        return Err(format!("`{}` is no feed of feeds.toml, no address, and no file", wish.what));
    }
    let address = Address::File(path.to_owned());
    match like.or_else(|| config.feeds.values().find(|feed| is_at(feed, path))) {
        Some(feed) => Ok(Feed { address, ..feed.clone() }),
        None => unnamed(config, address),
    }
}

/// The address in a text, if it is one that can be polled.
fn web(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Whether a feed is what a file holds.
fn is_at(feed: &Feed, path: &Path) -> bool {
    let Address::File(own) = &feed.address else { return false };
    own.canonicalize().ok().is_some_and(|own| path.canonicalize().is_ok_and(|path| own == path))
}

/// A feed about which feeds.toml says nothing: all is as it is for a feed that says nothing else.
fn unnamed(config: &Config, address: Address) -> Result<Feed, String> {
    let id = FeedId::new(UNNAMED).map_err(|error| error.to_string())?;
    let schedule = Crontab::parse(HOURLY).map_err(|error| error.to_string())?;
    let feed = Feed::new(id, address, schedule, config.site.tagging.clone());
    Ok(Feed { timezone: config.site.timezone, ..feed })
}
