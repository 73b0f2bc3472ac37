//! `visnyk backup`, `restore`, `verify` and `repair`: the store in a file and back, whether it is as
//! it should be, and what is done if it is not.

use crate::backup::error::BackupError;
use crate::backup::file;
use crate::backup::file::Backup;
use crate::backup::mending;
use crate::backup::mending::Present;
use crate::backup::mending::Restored;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::asking::Patience;
use crate::cli::asking::asked;
use crate::cli::fail;
use crate::cli::good;
use crate::cli::say;
use crate::cli::status::Form;
use crate::cli::warn;
use crate::model::clock::moment;
use crate::model::publication::Publication;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::lines::Unread;
use crate::store::refill::Validators;
use chrono::Utc;
use clap::Subcommand;
use serde_json::Value;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::Builder;

/// How many records that do not read are told one by one.
const TOLD_MAX: usize = 1000;

/// What keeps the store.
#[derive(Debug, Subcommand)]
pub enum Keeping {
    /// Write the store as it is now into one file, checked and compressed, while the daemon goes on
    #[command(
        after_help = "Example:\n  visnyk backup /srv/backup/visnyk.jsonl.zst && zstdcat /srv/backup/visnyk.jsonl.zst | jq -r 'select(.kind == \"article\").shown.article.title'"
    )]
    Backup {
        /// Where to; a file that is there is replaced once the new one is whole
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },

    /// Make a store of a backup, where there is none; the daemon must not run
    #[command(
        after_help = "Example:\n  systemctl stop visnyk && visnyk restore /srv/backup/visnyk.jsonl.zst --replace && systemctl start visnyk"
    )]
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        file: PathBuf,

        /// Where the store is to be, instead of in the state directory
        #[arg(long, value_name = "DIR")]
        store: Option<PathBuf>,

        /// Put a store that is there aside, in a folder beside the new one
        #[arg(long)]
        replace: bool,
    },

    /// Check every article, index, claim, page and counter of the store, or every byte of a backup
    #[command(
        after_help = "Example:\n  visnyk verify && visnyk verify /srv/backup/visnyk.jsonl.zst"
    )]
    Verify {
        /// A backup; without it, the store, which no daemon may have open
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,

        /// Write an object
        #[arg(long)]
        json: bool,
    },

    /// Make a whole store of what can be read of a damaged one, with all indexes anew; the damaged
    /// one is put aside, and what could not be read is told
    #[command(after_help = "Example:\n  systemctl stop visnyk && visnyk verify || visnyk repair")]
    Repair,
}

/// Does it.
#[must_use]
pub fn run(keeping: Keeping, config: &Path, state: &Path) -> ExitCode {
    match keeping {
        Keeping::Backup { file } => backup(state, &file),
        Keeping::Restore { file, store, replace } => {
            let present = if replace { Present::Replaced } else { Present::Refused };
            restore(&file, store.as_deref().unwrap_or(state), present)
        }
        Keeping::Verify { file: Some(file), json } => verify_file(&file, json.into()),
        Keeping::Verify { file: None, json } => match composed(config) {
            Ok(composed) => verify_store(state, composed, json.into()),
            Err(status) => status,
        },
        Keeping::Repair => match composed(config) {
            Ok(composed) => repair(state, composed),
            Err(status) => status,
        },
    }
}

/// The publications of feeds.toml, which have indexes too.
fn composed(config: &Path) -> Result<Vec<Publication>, ExitCode> {
    good(config).map(|config| config.publications)
}

fn backup(state: &Path, to: &Path) -> ExitCode {
    let written = match asked(state, "backup", Patience::Long) {
        Ok(Some(Ok(told))) => of_daemon(&told, to),
        Ok(Some(Err(why))) => return fail(IO_ERROR, &why),
        Ok(None) => of_store(state, to),
        Err(error) => return fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    };
    match written {
        Ok((backup, unread)) => {
            let said = say(&format!("wrote {}", told(&backup)));
            if unread.is_empty() {
                return said;
            }
            tell(&unread, "is in the backup as it is, and would not be restored");
            fail(SOME_FAILED, &"not all of the store reads: `visnyk verify` says what that means")
        }
        Err(error) => fail(IO_ERROR, &error),
    }
}

/// What the daemon wrote where it may write, brought to where it is wanted.
fn of_daemon(told: &str, to: &Path) -> Result<(Backup, Vec<Unread>), BackupError> {
    let told: Value = serde_json::from_str(told).unwrap_or_default();
    let from = Path::new(told["path"].as_str().unwrap_or_default());
    let brought = file::bring(from, to);
    // It is of no more use; who may not remove it leaves that to the daemon.
    let _ = fs::remove_file(from);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let unread = told["unread"].as_array().into_iter().flatten();
    let unread =
        unread.map(|one| Unread { what: text(&one["what"]), reason: text(&one["reason"]) });
    Ok((brought?, unread.collect()))
}

fn of_store(state: &Path, to: &Path) -> Result<(Backup, Vec<Unread>), BackupError> {
    let Some(store) = Store::look(state)? else {
        return Err(BackupError::NoStore(state.to_owned()));
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(BackupError::file(state, "the store cannot be read"))?;
    runtime.block_on(async {
        let written = file::write(&store, to, Utc::now()).await;
        store.close().await?;
        written.map(|written| (written.backup, written.unread))
    })
}

fn restore(from: &Path, directory: &Path, present: Present) -> ExitCode {
    let restored = mending::restore(from, directory, present, Validators::Kept, Utc::now());
    let Restored { backup, left_out, aside } = match restored {
        Ok(restored) => restored,
        Err(error @ BackupError::Occupied(_)) => return fail(USAGE, &error),
        Err(error) => return fail(IO_ERROR, &error),
    };
    let said = format!("restored {} into {}", told(&backup), directory.display());
    let aside = aside.map(|aside| format!("\nthe store that was there is in {}", aside.display()));
    let said = format!("{said}{}", aside.unwrap_or_default());
    let said = say(&said);
    if left_out.is_empty() {
        return said;
    }
    tell(&left_out, "is not restored");
    fail(SOME_FAILED, &"not all of the backup was of use")
}

fn verify_file(file: &Path, form: Form) -> ExitCode {
    match (file::check(file), form) {
        (Ok(backup), Form::Table) => say(&format!("all is well in {}", told(&backup))),
        (Ok(backup), Form::Json) => say(&json!({
            "file": file.display().to_string(),
            "faults": [],
            "at": backup.at.to_rfc3339(),
            "bytes": backup.bytes,
            "counts": backup.counts,
            "blake3": backup.digest,
        })),
        (Err(error @ BackupError::Damaged { .. }), Form::Json) => {
            let fault = json!({ "what": error.to_string(), "means": "it is not to be restored" });
            say(&json!({ "file": file.display().to_string(), "faults": [fault] }));
            ExitCode::from(SOME_FAILED)
        }
        (Err(error @ BackupError::Damaged { .. }), Form::Table) => fail(SOME_FAILED, &error),
        (Err(error), _) => fail(IO_ERROR, &error),
    }
}

fn verify_store(state: &Path, composed: Vec<Publication>, form: Form) -> ExitCode {
    let found = match audited(state, composed) {
        Ok(found) => found,
        Err(BackupError::Store(StoreError::Locked { .. })) => {
            return fail(
                IO_ERROR,
                &format!(
                    "{}: a daemon has this store open, so that it cannot be checked: stop it \
                     first, or check a backup of it: `visnyk backup FILE && visnyk verify FILE`",
                    state.display()
                ),
            );
        }
        Err(BackupError::Store(error)) if mending::is_damage(&error) => {
            (0, vec![error.to_string()])
        }
        Err(error) => return fail(IO_ERROR, &error),
    };
    let (articles, faults) = found;
    let status = if faults.is_empty() { 0 } else { SOME_FAILED };
    if form == Form::Json {
        let fault = |what: &String| json!({ "what": what, "means": meaning(what) });
        let faults: Vec<Value> = faults.iter().map(fault).collect();
        say(
            &json!({ "store": state.display().to_string(), "articles": articles, "faults": faults }),
        );
        return ExitCode::from(status);
    }
    if faults.is_empty() {
        return say(&format!("all is well in {}: {articles} articles", state.display()));
    }
    for fault in &faults {
        warn(&format!("{fault}: {}", meaning(fault)));
    }
    let count = faults.len();
    let faults = if count == 1 { "1 fault".to_owned() } else { format!("{count} faults") };
    fail(status, &format!("{}: {faults}; `visnyk repair` mends what can be", state.display()))
}

/// How many articles there are, and what is wrong.
fn audited(state: &Path, composed: Vec<Publication>) -> Result<(u64, Vec<String>), BackupError> {
    let no_store = || BackupError::NoStore(state.to_owned());
    let store = Store::look(state)?.ok_or_else(no_store)?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(BackupError::file(state, "the store cannot be read"))?;
    runtime.block_on(async {
        let audited = store.verify(composed).await;
        let closed = store.close().await;
        let audited = audited?;
        closed?;
        Ok(audited)
    })
}

/// What a fault means for those who read and poll.
fn meaning(fault: &str) -> &'static str {
    let meanings = [
        ("the store is damaged", "no daemon can use it"),
        ("the store broke down", "a part of it does not read"),
        ("the store cannot read", "a part of it does not read"),
        ("does not read", "it is left out wherever it should be"),
        ("is too much", "an index tells of what is not there"),
        (
            "is missing",
            "an index does not tell of what is there: an article may be left out, or come twice",
        ),
        ("shelf ", "the number of articles or the date of a publication is wrong"),
        ("memory of article", "its next change may be taken for none, or for news"),
        ("bears the iri of another", "readers may take two articles for one"),
        ("is not found by its id", "its page cannot be shown"),
        ("is on page", "a page of an archive is missing"),
        ("is not what came", "it cannot be gone over again; the next poll brings another"),
    ];
    meanings
        .iter()
        .find(|(part, _)| fault.contains(part))
        .map_or("it is not as it should be", |(_, means)| means)
}

fn repair(state: &Path, composed: Vec<Publication>) -> ExitCode {
    let repaired = match mending::repair(state, composed, Utc::now()) {
        Ok(repaired) => repaired,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let counts = repaired.salvaged.counts;
    let counts: Vec<String> =
        counts.iter().map(|(kind, count)| format!("{count} of {kind}")).collect();
    let aside = repaired.aside.display();
    let said = format!(
        "saved {}; all indexes are new\nthe store as it was is in {aside}",
        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") },
    );
    let said = say(&said);
    let lost = repaired.salvaged.lost;
    if lost.is_empty() {
        return said;
    }
    tell(&lost, "is lost");
    let count = lost.len();
    fail(
        SOME_FAILED,
        &format!(
            "{count} records or parts could not be read; what publishers still have comes by itself"
        ),
    )
}

/// A backup in words.
fn told(backup: &Backup) -> String {
    format!(
        "{}: {} articles as of {}, {} bytes, blake3 {}",
        backup.path.display(),
        backup.articles(),
        moment(backup.at),
        backup.bytes,
        backup.digest
    )
}

fn tell(unread: &[Unread], what_of_it: &str) {
    for Unread { what, reason } in unread.iter().take(TOLD_MAX) {
        warn(&format!("{what} {what_of_it}: {reason}"));
    }
    if let Some(more) = unread.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        warn(&format!("and {more} more"));
    }
}
