//! Backups: the whole store in one file that other programs can read, and a store of such a file.
//!
//! `file` writes and reads one, `kept` keeps the last ones beside the store, `mending` puts a store
//! in the place of another: a restored one, or what could be saved of a damaged one; `recovery` does
//! so by itself when the daemon starts.

pub mod error;
pub mod file;
pub mod kept;
pub mod mending;
pub mod recovery;
