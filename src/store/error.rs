//! What can go wrong with the store, in words that an operator can act on.

use crate::store::engine::Cause;
use std::path::PathBuf;

/// Why the store cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made or used.
    #[error("{}: the store cannot be opened: {reason}", directory.display())]
    Directory {
        /// Where the store is.
        directory: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another process has the store open, or this one has it open already.
    #[error("{}: another visnyk holds this store; stop it first", directory.display())]
    Locked {
        /// Where the store is.
        directory: PathBuf,
    },
    /// What is on the disk is not a store, or no longer.
    #[error(
        "{}: the store is damaged ({reason}); move the directory aside, put a backup in its place \
         or none, and start again: the feeds then fill it anew",
        directory.display()
    )]
    Damaged {
        /// Where the store is.
        directory: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// A later visnyk wrote the store.
    #[error(
        "{}: the store has format {found}, this visnyk knows formats up to {known}; use the \
         visnyk that wrote it",
        directory.display()
    )]
    Newer {
        /// Where the store is.
        directory: PathBuf,
        /// Its format.
        found: u32,
        /// The latest format that can be read.
        known: u32,
    },
    /// A value does not read.
    #[error("{}: {space} {id} does not read: {reason}", directory.display())]
    Value {
        /// Where the store is.
        directory: PathBuf,
        /// The key space.
        space: &'static str,
        /// The id within the key space.
        id: String,
        /// What was seen.
        reason: String,
    },
    /// The engine refused to read or write.
    #[error("{}: the store cannot {act}: {reason}", directory.display())]
    Engine {
        /// Where the store is.
        directory: PathBuf,
        /// What it was about to do.
        act: &'static str,
        /// Of what that tells.
        cause: Cause,
        /// What the engine says.
        reason: String,
    },
    /// An earlier write failed; what the engine holds since then is not to be built upon.
    #[error(
        "{}: the store takes no writes since one failed ({reason}); it is opened again \
         when its disk takes them",
        directory.display()
    )]
    ReadOnly {
        /// Where the store is.
        directory: PathBuf,
        /// Why that write failed.
        reason: String,
    },
    /// The engine panicked, now or before.
    #[error("{}: the store broke down ({reason}); restart visnyk", directory.display())]
    Broken {
        /// Where the store is.
        directory: PathBuf,
        /// What the panic said.
        reason: String,
    },
    /// The store did not answer in time. Whether it did what it was asked is not known.
    #[error("{}: the store did not answer within {seconds} s", directory.display())]
    Slow {
        /// Where the store is.
        directory: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The store could not be written anew. It is as it was.
    #[error("{}: the store is not compacted, and stays as it is: {reason}", directory.display())]
    Compaction {
        /// Where the store is.
        directory: PathBuf,
        /// Why not.
        reason: String,
    },
    /// There is too little room to write the store anew.
    #[error(
        "{}: compacting the store takes {needed} MiB of its disk, and {free} MiB are free; it stays \
         as it is: make room, or let `keep` in feeds.toml drop more first",
        directory.display()
    )]
    NoRoom {
        /// Where the store is.
        directory: PathBuf,
        /// How much it takes, in MiB.
        needed: u64,
        /// How much there is, in MiB.
        free: u64,
    },
    /// A reading of the whole store was given up. The store is as well as before.
    #[error("{}: the backup is given up: {reason}", directory.display())]
    GivenUp {
        /// Where the store is.
        directory: PathBuf,
        /// Why.
        reason: String,
    },
    /// The store is closed.
    #[error("{}: the store is closed", directory.display())]
    Closed {
        /// Where the store is.
        directory: PathBuf,
    },
    /// A feed was about to write an article of another feed.
    #[error("feed {feed}: article {article} belongs to feed {owner}")]
    Foreign {
        /// The feed that wrote.
        feed: String,
        /// The article.
        article: String,
        /// The feed that it belongs to.
        owner: String,
    },
}
