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
use crate::cli::poll::chosen;
use crate::cli::say;
use crate::cli::status::Form;
use crate::config::Config;
use crate::explain::lines::counted;
use crate::explain::lines::put_at;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::replay::Act;
use crate::replay::Means;
use crate::replay::Replayed;
use crate::replay::replay;
use crate::replay::summary;
use chrono::Utc;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Goes over what is kept of the feeds that are named, or of all.
#[must_use]
pub fn over(config: &Config, state: &Path, named: &[FeedId], act: Act, form: Form) -> ExitCode {
    let chosen = if named.is_empty() {
        Ok(config.feeds.values().cloned().map(Arc::new).collect())
    } else {
        chosen(config, named)
    };
    let feeds: Vec<Arc<Feed>> = match chosen {
        Ok(feeds) => feeds,
        Err(unknown) => return fail(USAGE, &unknown),
    };
    let gone_over = match by_daemon(state, &feeds, act) {
        Ok(Some(gone_over)) => {
            warn_of_changes(config, state);
            gone_over
        }
        Ok(None) => match by_store(config, state, &feeds, act) {
            Ok(gone_over) => gone_over,
            Err(status) => return status,
        },
        Err(error) => return fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    };
    let is_done = gone_over.iter().all(|gone_over| match (gone_over, act) {
        (Ok(_), Act::Show) => true,
        (Ok(replayed), Act::Apply) => replayed.applied,
        (Err(_), _) => false,
    });
    let said = match form {
        Form::Json => {
            let all = gone_over.into_iter().map(|one| one.unwrap_or_else(|failed| failed));
            let all: Vec<_> = all.map(Replayed::for_programs).collect();
            match serde_json::to_string_pretty(&all) {
                Ok(json) => say(&json),
                Err(error) => fail(IO_ERROR, &error),
            }
        }
        Form::Table => say(&told(gone_over, act)),
    };
    if is_done { said } else { ExitCode::from(SOME_FAILED) }
}

/// What came of a feed; or, with a note that says why, that it was not gone over.
type GoneOver = Result<Replayed, Replayed>;

fn not_gone_over(feed: &Feed, why: &dyn Display) -> Replayed {
    let (feed, note) = (feed.id.to_string(), Some(why.to_string()));
    Replayed { feed, note, ..Replayed::default() }
}

/// What came of it, for a person.
fn told(gone_over: Vec<GoneOver>, act: Act) -> String {
    let mut told = String::new();
    let mut all = Vec::new();
    let count = gone_over.len();
    for one in gone_over {
        match one {
            Ok(replayed) => {
                told.push_str(&replayed.told());
                all.push(replayed);
            }
            Err(Replayed { feed, note, .. }) => {
                told.extend([&feed, ": not gone over\n"]);
                put_at(&mut told, 2, 9, "note", &note.unwrap_or_default());
            }
        }
    }
    if !all.is_empty() {
        told.extend([&summary(&all, act), "\n"]);
    }
    let failed = count - all.len();
    if failed > 0 {
        told.extend([&counted(failed, "feed"), " not gone over"]);
    }
    told.trim_end().to_owned()
}

/// One question for each feed, so that no answer takes long; none if no daemon runs. What one feed
/// lacks does not keep the others from being told.
fn by_daemon(state: &Path, feeds: &[Arc<Feed>], act: Act) -> io::Result<Option<Vec<GoneOver>>> {
    let word = match act {
        Act::Show => "show",
        Act::Apply => "apply",
    };
    let mut all = Vec::new();
    let mut lost: Option<String> = None;
    for feed in feeds {
        if let Some(why) = &lost {
            all.push(Err(not_gone_over(feed, why)));
            continue;
        }
        match asked(state, &format!("replay {word} {}", feed.id), Patience::Long) {
            Ok(Some(Ok(told))) => {
                let replayed = serde_json::from_str(&told);
                all.push(replayed.map_err(|error| not_gone_over(feed, &error)));
            }
            Ok(Some(Err(why))) => all.push(Err(not_gone_over(feed, &why))),
            Ok(None) if all.is_empty() => return Ok(None),
            Err(error) if all.is_empty() => return Err(error),
            Ok(None) => {
                let why = "the daemon has ended meanwhile: ask again".to_owned();
                all.push(Err(not_gone_over(feed, &why)));
                lost = Some(why);
            }
            Err(error) => {
                let why = format!("the daemon does not answer: {error}");
                let unknown = format!("{why}; it is not known whether it was done");
                all.push(Err(not_gone_over(feed, &unknown)));
                lost = Some(format!("{why}; it was not asked about this feed"));
            }
        }
    }
    // Without a feed nobody was asked.
    Ok((!all.is_empty()).then_some(all))
}

fn by_store(
    config: &Config,
    state: &Path,
    feeds: &[Arc<Feed>],
    act: Act,
) -> Result<Vec<GoneOver>, ExitCode> {
    let (store, runtime) = open(config, state)?;
    let classifier = Arc::new(Classifier::new(&config.catalogue, &config.tags, &config.rules));
    let all = runtime.block_on(async {
        let mut all = Vec::new();
        for feed in feeds {
            let means = Means { config, classifier: &classifier, store: &store };
            let replayed = replay(means, feed, act, Utc::now()).await;
            all.push(match replayed {
                Ok((replayed, _)) => Ok(replayed),
                Err(error) => Err(not_gone_over(feed, &error)),
            });
        }
        if let Err(error) = store.close().await {
            tracing::error!(%error, "the store did not close as it should: {error}");
        }
        all
    });
    Ok(all)
}
