//! `visnyk remove`, `visnyk disable` and `visnyk enable`: feeds of feeds.toml that go, rest and
//! come back.

use crate::cli::USAGE;
use crate::cli::asking::has_daemon;
use crate::cli::fail;
use crate::cli::feeds_file::FeedsFile;
use crate::cli::feeds_file::Writing;
use crate::cli::feeds_file::what_next;
use crate::cli::say;
use crate::edit::EditError;
use crate::edit::Switch;
use crate::edit::switched;
use crate::edit::without_feed;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::store::Store;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use tokio::runtime::Builder;

/// Takes feeds out of feeds.toml, and out of the lists that name them.
#[must_use]
pub fn remove(file: &FeedsFile, state: &Path, named: &[FeedId], writing: Writing) -> ExitCode {
    let counts = counts(state, named);
    changed(file, state, named, writing, |text, id| {
        let original = without_feed(&file.text, id.as_str());
        let removed = without_feed(text, id.as_str());
        // Lines are told as they are in the file, whatever went before.
        let (text, lists) = match (removed, original) {
            (Ok((text, _)), Ok((_, lists))) => (text, lists),
            (Ok(removed), Err(_)) => removed,
            (Err(EditError::NamedAlone { by, .. }), Ok((_, lists))) => {
                let list = lists.iter().find(|list| list.by == by);
                let line = list.map(|list| format!("line {}: ", list.line)).unwrap_or_default();
                return Err(format!(
                    "{line}{by} is about feeds only that are to go: take that table out first, or \
                     name other feeds in it"
                ));
            }
            (Err(error), _) => return Err(error.to_string()),
        };
        let count = counts.as_ref().map(|counts| counts.get(id).copied().unwrap_or_default());
        let mut told = vec![format!("removed `{id}`; {}", kept(count))];
        told.extend(
            lists.iter().map(|list| format!("  {} named it in line {}", list.by, list.line)),
        );
        Ok((Some(text), told.join("\n")))
    })
}

/// Switches feeds on or off.
#[must_use]
pub fn switch(
    file: &FeedsFile,
    state: &Path,
    named: &[FeedId],
    to: Switch,
    writing: Writing,
) -> ExitCode {
    changed(file, state, named, writing, |text, id| {
        let text = switched(text, id.as_str(), to).map_err(|error| error.to_string())?;
        let word = match to {
            Switch::On => "enabled",
            Switch::Off => "disabled",
        };
        let told =
            if text.is_some() { format!("{word} `{id}`") } else { format!("`{id}` is {word}") };
        Ok((text, told))
    })
}

/// Changes the file feed by feed, and writes it once: all of it, or nothing.
fn changed(
    file: &FeedsFile,
    state: &Path,
    named: &[FeedId],
    writing: Writing,
    change: impl Fn(&str, &FeedId) -> Result<(Option<String>, String), String>,
) -> ExitCode {
    let mut text = file.text.clone();
    let mut told = Vec::new();
    for id in named.iter().collect::<BTreeSet<_>>() {
        match change(&text, id) {
            Ok((changed, line)) => {
                text = changed.unwrap_or(text);
                told.push(line);
            }
            Err(error) => return fail(USAGE, &format!("{}: {error}", file.path.display())),
        }
    }
    if text == file.text {
        return say(&told.join("\n"));
    }
    match file.change(&text, writing) {
        Ok(Some(difference)) => say(&difference),
        Ok(None) => say(&format!("{}\n{}", told.join("\n"), what_next(&file.path, state))),
        Err(status) => status,
    }
}

/// What stays of a feed with so many articles when it goes.
fn kept(count: Option<u64>) -> String {
    let count = match count {
        Some(0) => return "no article of it is kept".to_owned(),
        Some(1) => " (1 article)".to_owned(),
        Some(count) => format!(" ({count} articles)"),
        None => String::new(),
    };
    format!("what it brought{count} stays published: `visnyk takedown` takes an article down")
}

/// How many articles of feeds the store holds; none where that cannot be told, because a daemon
/// has the store.
fn counts(state: &Path, named: &[FeedId]) -> Option<BTreeMap<FeedId, u64>> {
    if has_daemon(state) {
        return None;
    }
    let Some(store) = Store::look(state).ok()? else { return Some(BTreeMap::new()) };
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let mut counts = BTreeMap::new();
        for id in named {
            let shelf = store.shelf(&Selection::Source(id.clone())).await.ok()?;
            counts.insert(id.clone(), shelf.map_or(0, |shelf| shelf.count));
        }
        store.close().await.ok()?;
        Some(counts)
    })
}
