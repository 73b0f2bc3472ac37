//! How many requests were answered, by what was asked for and by how it was answered.
//!
//! Both come from closed lists, so that no client can make the numbers many.

use http::StatusCode;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// A publication as Atom.
    Atom,
    /// The same as JSON Feed.
    Json,
    /// A page for people, or what belongs to one.
    Page,
    /// A picture that is passed on.
    Picture,
    /// Anything else, and what is not there.
    Other,
}

/// What is asked for, in the order of [`Asked`].
pub const ASKED: [&str; 5] = ["atom", "json", "page", "picture", "other"];
/// The statuses that are counted one by one; the last stands for all others.
pub const CODES: [&str; 11] =
    ["200", "204", "226", "304", "400", "404", "405", "414", "431", "503", "other"];

/// The requests that were answered.
#[derive(Debug, Default)]
pub struct Traffic([[AtomicU64; CODES.len()]; ASKED.len()]);

impl Traffic {
    /// One more.
    pub(crate) fn count(&self, asked: Asked, status: StatusCode) {
        let code = CODES.iter().position(|code| *code == status.as_str());
        let code = code.unwrap_or(CODES.len() - 1);
        self.0[asked as usize][code].fetch_add(1, Ordering::Relaxed);
    }

    /// What was asked for, how it was answered, and how often; what never was is left out.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let row = |(asked, codes): (&'static str, &[AtomicU64; CODES.len()])| {
            let counts = codes.iter().map(|count| count.load(Ordering::Relaxed));
            CODES.into_iter().zip(counts).map(move |(code, count)| (asked, code, count)).collect()
        };
        let rows: Vec<Vec<_>> = ASKED.into_iter().zip(&self.0).map(row).collect();
        rows.into_iter().flatten().filter(|(.., count)| *count > 0)
    }
}
