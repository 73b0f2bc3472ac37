//! `visnyk preview`: what a document would bring, without a store: the repairs, the rhythm, the
//! articles as a person reads them, and what could not become one.

use crate::classify::Classifier;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::fail;
use crate::cli::say;
use crate::config::Config;
use crate::daemon::fetcher;
use crate::daemon::system_clock;
use crate::explain::labels;
use crate::fetch::Fetched;
use crate::ingest::Ingested;
use crate::ingest::ingest;
use crate::model::article::Article;
use crate::model::exchange::Request;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::id::FeedId;
use crate::model::known::Change;
use crate::model::known::Memory;
use chrono::Utc;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use tokio::runtime::Builder;

/// How much of a lead is shown, in characters.
const LEAD_CHARS_MAX: usize = 200;

/// Shows what a feed of feeds.toml would bring, or a file read as one of its feeds.
#[must_use]
pub fn preview(config: &Config, what: &str, like: Option<&FeedId>) -> ExitCode {
    let named = |id: &str| config.feeds.values().find(|feed| feed.id.as_str() == id);
    let feed = match (named(what), like.map(|like| config.feeds.get(like))) {
        (Some(feed), None) => feed.clone(),
        (_, Some(None)) => {
            let like = like.map(ToString::to_string).unwrap_or_default();
            return fail(SOME_FAILED, &format!("no feed `{like}` is in feeds.toml"));
        }
        (_, model) => {
            let path = Path::new(what);
            if !path.exists() {
                let why = format!("`{what}` is no feed of feeds.toml, and no file");
                return fail(SOME_FAILED, &why);
            }
            match model.flatten().or_else(|| config.feeds.values().find(|feed| is_at(feed, path))) {
                Some(feed) => Feed { address: Address::File(path.to_owned()), ..feed.clone() },
                None => match config.feeds.values().next() {
                    Some(any) => of_none(any, path),
                    None => return fail(SOME_FAILED, &"feeds.toml has no feed to read it like"),
                },
            }
        }
    };
    match read(config, &feed) {
        Ok(text) => say(&text),
        Err(Failure { status, reason }) => fail(status, &reason),
    }
}

/// Whether a feed is what a file holds.
fn is_at(feed: &Feed, path: &Path) -> bool {
    let Address::File(own) = &feed.address else { return false };
    own.canonicalize().ok().is_some_and(|own| path.canonicalize().is_ok_and(|path| own == path))
}

/// A file that is of no feed: what a feed lends is how dates and languages are read, and nothing
/// that is a label.
fn of_none(any: &Feed, path: &Path) -> Feed {
    Feed {
        address: Address::File(path.to_owned()),
        region: None,
        community: None,
        tags: BTreeSet::new(),
        ..any.clone()
    }
}

/// Why there is nothing to show.
struct Failure {
    status: u8,
    reason: String,
}

fn read(config: &Config, feed: &Feed) -> Result<String, Failure> {
    let broken = |reason: String| Failure { status: IO_ERROR, reason };
    let bad = |reason: String| Failure { status: SOME_FAILED, reason };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| broken(error.to_string()))?;
    let fetched = runtime.block_on(async {
        let fetcher = fetcher(config, system_clock()).map_err(|error| broken(error.to_string()))?;
        Ok(fetcher.fetch(feed, &Request::default()).await)
    })?;
    let document = match fetched {
        Fetched::Document { document, .. } => document,
        Fetched::Failed(error) | Fetched::Unreachable(error) => return Err(bad(error.to_string())),
        Fetched::Gone => return Err(bad("the server says that the feed is gone (410)".to_owned())),
        Fetched::Later { .. } | Fetched::Postponed { .. } | Fetched::NotModified { .. } => {
            return Err(bad("the server asks to come later".to_owned()));
        }
    };
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let ingested = ingest(feed, &document, &Memory::default(), &classifier, Utc::now());
    ingested
        .map(|ingested| told(config, &classifier, feed, &ingested))
        .map_err(|error| bad(error.to_string()))
}

fn told(config: &Config, classifier: &Classifier, feed: &Feed, ingested: &Ingested) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(ingested.repairs.iter().map(|repair| format!("mended: {repair}")));
    for change in &ingested.changes {
        if let Change::Added(article) = change {
            lines.push(one(config, classifier, feed, article));
        }
    }
    let rejected = ingested.rejected.iter();
    lines.extend(
        rejected
            .map(|rejected| format!("\nno article from {}: {}", rejected.what, rejected.reason)),
    );
    let tally = ingested.tally;
    lines.push(format!(
        "\n{} entries, {} articles, {} rejected",
        tally.entries, tally.added, tally.rejected
    ));
    lines.join("\n")
}

fn one(config: &Config, classifier: &Classifier, feed: &Feed, article: &Article) -> String {
    let at = article.published.with_timezone(&feed.timezone).format("%d.%m.%Y %H:%M");
    let mut text = format!("\n{at}  {}\n", article.title);
    let mut line = |what: &str| {
        // To write into a text cannot fail.
        let _ = writeln!(text, "  {what}");
    };
    if let Some(url) = &article.url {
        line(url.as_str());
    }
    match article.lead.char_indices().nth(LEAD_CHARS_MAX) {
        Some((end, _)) => {
            let cut =
                article.lead[..end].rsplit_once(' ').map_or(&article.lead[..end], |(cut, _)| cut);
            line(&format!("{cut}…"));
        }
        None if !article.lead.is_empty() => line(&article.lead),
        None => {}
    }
    let findings = classifier.explain(article, feed);
    text.push_str(&labels(config, &findings.labels, &findings.dismissed));
    text.trim_end().to_owned()
}
