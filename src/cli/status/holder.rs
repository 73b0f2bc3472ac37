//! Which process holds the lock of a store, so that an admin knows what to wait for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The process that holds the store in a directory, by its number and its command; none if the
/// system does not tell.
#[must_use]
pub fn holder(state: &Path) -> Option<String> {
    let inode = fs::metadata(state.join("db")).ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().find_map(|line| held(line, &inode))?;
    let command = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let words: Vec<_> = command.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    Some(format!("process {process}, `{}`", words.join(" ").trim()))
}

/// The process that a line of /proc/locks names, if the lock is on this file:
/// `1: FLOCK  ADVISORY  WRITE 708 08:01:1442 0 EOF`.
fn held<'a>(line: &'a str, inode: &str) -> Option<&'a str> {
    let mut words = line.split_whitespace().skip(4);
    let (process, file) = (words.next()?, words.next()?);
    (file.rsplit(':').next()? == inode).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_names_its_process() {
        let line = "23: FLOCK  ADVISORY  WRITE 708 08:01:1442 0 EOF";
        assert_eq!(held(line, "1442"), Some("708"));
        assert_eq!(held(line, "144"), None);
        assert_eq!(held("", "144"), None);
    }
}
