//! `visnyk replay [FEED…]`: the pipeline anew over what was fetched, by the daemon if one runs.

use crate::classify::Classifier;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::asking::Patience;
use crate::cli::asking::asked;
use crate::cli::explain::warn_of_changes;
use crate::cli::fail;
use crate::cli::open;
use crate::cli::say;
use crate::cli::status::Form;
use crate::config::Config;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::replay::Act;
use crate::replay::Means;
use crate::replay::Replayed;
use crate::replay::replay;
use crate::replay::summary;
use crate::store::error::StoreError;
use chrono::Utc;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Goes over what is kept of the feeds that are named, or of all.
#[must_use]
pub fn over(config: &Config, state: &Path, named: &[FeedId], act: Act, form: Form) -> ExitCode {
    let feeds = match chosen(config, named) {
        Ok(feeds) => feeds,
        Err(unknown) => return fail(USAGE, &unknown),
    };
    let all = match by_daemon(state, &feeds, act) {
        Ok(Some(all)) => {
            warn_of_changes(config, state);
            all
        }
        Ok(None) => match by_store(config, state, &feeds, act) {
            Ok(all) => all,
            Err(status) => return status,
        },
        Err(error) => return fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    };
    let is_done = act == Act::Show || all.iter().all(|replayed| replayed.applied);
    let said = match form {
        Form::Json => {
            let all: Vec<_> = all.into_iter().map(Replayed::for_programs).collect();
            match serde_json::to_string_pretty(&all) {
                Ok(json) => say(&json),
                Err(error) => fail(IO_ERROR, &error),
            }
        }
        Form::Table => {
            let mut told: String = all.iter().map(Replayed::told).collect();
            told.push_str(&summary(&all, act));
            say(&told)
        }
    };
    if is_done { said } else { ExitCode::from(SOME_FAILED) }
}

fn chosen(config: &Config, named: &[FeedId]) -> Result<Vec<Arc<Feed>>, String> {
    let find = |id: &FeedId| {
        let feed = config.feeds.get(id).cloned().map(Arc::new);
        feed.ok_or_else(|| format!("no feed `{id}` is in feeds.toml"))
    };
    if named.is_empty() {
        return config.feeds.keys().map(find).collect();
    }
    named.iter().collect::<BTreeSet<_>>().into_iter().map(find).collect()
}

/// One question for each feed, so that no answer takes long; none if no daemon runs.
fn by_daemon(
    state: &Path,
    feeds: &[Arc<Feed>],
    act: Act,
) -> std::io::Result<Option<Vec<Replayed>>> {
    let word = match act {
        Act::Show => "show",
        Act::Apply => "apply",
    };
    let mut all = Vec::new();
    for feed in feeds {
        let asked = asked(state, &format!("replay {word} {}", feed.id), Patience::Long)?;
        let Some(told) = asked else { return Ok(None) };
        let told = told.map_err(std::io::Error::other)?;
        all.push(serde_json::from_str(&told).map_err(std::io::Error::other)?);
    }
    // Without a feed nobody was asked.
    Ok((!all.is_empty()).then_some(all))
}

fn by_store(
    config: &Config,
    state: &Path,
    feeds: &[Arc<Feed>],
    act: Act,
) -> Result<Vec<Replayed>, ExitCode> {
    let (store, runtime) = open(config, state)?;
    let classifier = Arc::new(Classifier::new(&config.catalogue, &config.tags, &config.rules));
    let all = runtime.block_on(async {
        let mut all = Vec::new();
        for feed in feeds {
            let means = Means { config, classifier: &classifier, store: &store };
            all.push(replay(means, feed, act, Utc::now()).await?.0);
        }
        store.close().await?;
        Ok::<_, StoreError>(all)
    });
    all.map_err(|error| fail(IO_ERROR, &error))
}
