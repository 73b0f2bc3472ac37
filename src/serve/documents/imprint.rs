//! What documents have of feeds.toml: all of it is swapped in one step when the file has changed.

use crate::config::Config;
use crate::model::publication::Pictures;
use crate::publish::Masthead;
use crate::publish::html::search::Names;
use crate::publish::story::Apart;
use crate::serve::about::policy;
use crate::serve::documents::Documents;
use chrono::DateTime;
use chrono::Utc;
use http::HeaderValue;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::PoisonError;

/// A configuration, and what follows from it.
pub(in crate::serve) struct Imprint {
    /// The configuration.
    pub(in crate::serve) config: Arc<Config>,
    /// Since when it holds.
    pub(in crate::serve) since: DateTime<Utc>,
    /// Of all that is in documents beside the articles: the names in feeds.toml, and the program.
    pub(in crate::serve) edition: u32,
    /// What pages may load.
    pub(in crate::serve) policy: HeaderValue,
    /// The names of all publications, once somebody has looked for one.
    names: OnceLock<Names>,
}

impl Imprint {
    pub(super) fn new(config: Arc<Config>) -> Self {
        let (edition, policy) = (edition(&config), policy(&config.site));
        Self { config, since: Utc::now(), edition, policy, names: OnceLock::new() }
    }

    /// What publications need of it.
    pub(in crate::serve) fn masthead(&self) -> Masthead<'_> {
        masthead(&self.config)
    }

    /// The names of all publications.
    pub(in crate::serve) fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::new(self.masthead()))
    }
}

impl Documents {
    /// From now on the documents are those of this configuration. Who is being answered gets what
    /// there was.
    pub fn reconfigure(&self, config: Arc<Config>) {
        let is_passing = config.site.pictures == Pictures::Passed;
        let fresh = Arc::new(Imprint::new(config));
        *self.inner.imprint.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        if !is_passing {
            self.pass_no_pictures();
        }
        // What was begun before is of the old configuration, and is touched after it has begun.
        self.touch_all();
        let masthead = fresh.masthead();
        self.slots().retain(|page, _| page.selection().is_none_or(|of| masthead.knows(of)));
    }

    /// The configuration that the documents are of.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.imprint().config)
    }

    pub(in crate::serve) fn imprint(&self) -> Arc<Imprint> {
        // What is under the lock is whole at any time.
        Arc::clone(&self.inner.imprint.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn edition(config: &Config) -> u32 {
    let program = env!("CARGO_PKG_VERSION");
    let (masthead, apart) = (masthead(config), apart(config));
    let digest = blake3::hash(format!("{program} {masthead:?} {apart:?}").as_bytes());
    let [a, b, c, d, ..] = *digest.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What feeds.toml keeps from being one story with others.
#[must_use]
pub fn apart(config: &Config) -> Apart {
    let alone = config.feeds.values().filter(|feed| !feed.unites);
    Apart { articles: config.apart.clone(), feeds: alone.map(|feed| feed.id.clone()).collect() }
}

/// What publications need of a configuration.
#[must_use]
pub fn masthead(config: &Config) -> Masthead<'_> {
    Masthead {
        site: &config.site,
        catalogue: &config.catalogue,
        tags: &config.tags,
        feeds: &config.feeds,
        publications: &config.publications,
    }
}
