//! `visnyk import` and `visnyk export-opml`: feeds to and from feed readers.

use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::asking::has_daemon;
use crate::cli::change::Dry;
use crate::cli::fail;
use crate::cli::feeds_file::FeedsFile;
use crate::cli::feeds_file::what_next;
use crate::cli::say;
use crate::cli::warn;
use crate::config::Config;
use crate::edit::feeds;
use crate::edit::with_feeds;
use crate::model::exchange::Document;
use crate::model::feed::Address;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::store::Store;
use crate::subscriptions::Known;
use crate::subscriptions::SUBSCRIPTIONS_MAX;
use crate::subscriptions::Taken;
use crate::subscriptions::read;
use crate::subscriptions::take;
use crate::subscriptions::written;
use clap::Args;
use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::stdin;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::Builder;
use url::Url;

/// The longest list that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How many feeds that are not taken are named.
const NAMED_MAX: usize = 20;

/// Which list is taken over.
#[derive(Debug, Args)]
pub struct Import {
    /// An OPML file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    writing: Dry,
}

/// Takes over the feeds of a list that are not in feeds.toml.
#[must_use]
pub fn import(file: &FeedsFile, state: &Path, config: &Config, what: &Import) -> ExitCode {
    let name = what.file.display().to_string();
    let document = match document(&what.file) {
        Ok(document) => document,
        Err(error) => return fail(IO_ERROR, &format!("{name}: {error}")),
    };
    let Some(subscriptions) = read(&document) else {
        return fail(SOME_FAILED, &format!("{name} is no OPML: it has no `<opml>`"));
    };
    let there = match feeds(&file.text) {
        Ok(there) => there.into_iter().map(|there| (there.id, there.url)).collect(),
        Err(error) => return fail(USAGE, &format!("{}: {error}", file.path.display())),
    };
    let known = Known { feeds: &there, tags: &config.tags, catalogue: &config.catalogue };
    let taken = take(&subscriptions, &known);
    let told = told(&taken, subscriptions.len());
    if taken.new.is_empty() {
        return say(&told);
    }
    let (text, line) = match with_feeds(&file.text, &taken.new) {
        Ok(text) => text,
        Err(error) => return fail(USAGE, &format!("{}: {error}", file.path.display())),
    };
    match file.change(&text, what.writing.writing()) {
        Ok(Some(difference)) => say(&format!("{difference}\n\n{told}")),
        Ok(None) => {
            let place = format!("they stand in {} from line {line}", file.path.display());
            say(&format!("{told}\n{place}\n{}", what_next(&file.path, state)))
        }
        Err(status) => status,
    }
}

fn told(taken: &Taken, all: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (what, why) in taken.passed_over.iter().take(NAMED_MAX) {
        lines.push(format!("not taken: {what}: {why}"));
    }
    let more = taken.passed_over.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        lines.push(format!("not taken: {more} more"));
    }
    let unread = if all == SUBSCRIPTIONS_MAX {
        format!("; only the first {SUBSCRIPTIONS_MAX} were read")
    } else {
        String::new()
    };
    lines.push(format!("{} of {all} feeds are new{unread}", taken.new.len()));
    lines.join("\n")
}

/// What a file holds, or standard input.
fn document(path: &Path) -> io::Result<Document> {
    let mut bytes = Vec::new();
    let bound = FILE_BYTES_MAX + 1;
    if path == Path::new("-") {
        stdin().take(bound).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is over {} MiB", FILE_BYTES_MAX >> 20)));
    }
    let url = Url::parse("file:///").map_err(io::Error::other)?;
    Ok(Document { url, content_type: None, bytes })
}

/// Writes the feeds of feeds.toml as a list.
#[must_use]
pub fn export(state: &Path, config: &Config, to: &Path) -> ExitCode {
    let files = config.feeds.values().filter(|feed| matches!(feed.address, Address::File(_)));
    let files = files.count();
    if files > 0 {
        warn(&format!("visnyk: {files} feeds are files of this machine, and are left out"));
    }
    let list = written(&config.site.title, config.feeds.values(), &sites(state, config));
    if to == Path::new("-") {
        return say(&list.trim_end());
    }
    match fs::write(to, list) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(IO_ERROR, &format!("{}: {error}", to.display())),
    }
}

/// The pages whose news the feeds are, as far as a store remembers it that no daemon has.
fn sites(state: &Path, config: &Config) -> BTreeMap<FeedId, Url> {
    if has_daemon(state) {
        return BTreeMap::new();
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let (Ok(Some(store)), Ok(runtime)) = (Store::look(state), runtime) else {
        return BTreeMap::new();
    };
    runtime.block_on(async {
        let mut sites = BTreeMap::new();
        for id in config.feeds.keys() {
            let newest = store.newest(&Selection::Source(id.clone()), 1).await.unwrap_or_default();
            let site = newest.into_iter().next().and_then(|article| article.origin.site_url);
            sites.extend(site.map(|site| (id.clone(), site)));
        }
        // What was read is told whether or not the store closes well.
        let _ = store.close().await;
        sites
    })
}
