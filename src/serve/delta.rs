//! What is new in a document since the one that a client has (RFC 3229 with `feed`).
//!
//! The entity tag of a front says when its publication last changed, and each entry is known to
//! have come or changed at such an instant. So whichever version a client has, from whichever
//! start of the daemon, what it lacks is the entries that came or changed after it. The horizon is
//! the front itself: what has gone to the archive since is not in the whole document either.
//!
//! When an article has left the publication, whoever has an older version is given the whole.
//!
//! The tag also says under which edition of feeds.toml and of the program the document was made:
//! names of labels are in all entries, and under other names all of them are new.

use chrono::DateTime;
use chrono::Utc;
use std::ops::Range;

const ENTRY: &[u8] = b"<entry>";
const ENTRY_END: &[u8] = b"</entry>";

/// Of which version a document is, and since which each of its entries is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Versions {
    /// The instant of the document's version, in microseconds.
    version: i64,
    /// Under which edition it was made.
    edition: u32,
    /// When an article last left the publication, in microseconds: what was one story with it may be
    /// another entry since, and older versions say nothing of that.
    departed: i64,
    /// Where each entry is, and the instant at which it came or changed, in microseconds.
    entries: Vec<(Range<usize>, i64)>,
}

impl Versions {
    /// Of an Atom document and the instants of its entries, in their order. A document of another
    /// kind has no entries to be told apart.
    #[must_use]
    pub fn of(
        bytes: &[u8],
        changed: &[DateTime<Utc>],
        (version, departed): (DateTime<Utc>, Option<DateTime<Utc>>),
        edition: u32,
    ) -> Self {
        // Texts are escaped: what looks like the tag is the tag.
        let starts = places(bytes, ENTRY);
        let ends = places(bytes, ENTRY_END).map(|at| at + ENTRY_END.len());
        let places: Vec<Range<usize>> = starts.zip(ends).map(|(from, to)| from..to).collect();
        let instants = changed.iter().map(DateTime::timestamp_micros);
        let entries = if places.len() == changed.len() {
            places.into_iter().zip(instants).collect()
        } else {
            Vec::new()
        };
        let departed = departed.map_or(i64::MIN, |departed| departed.timestamp_micros());
        Self { version: version.timestamp_micros(), edition, departed, entries }
    }

    /// The version as an entity tag tells it.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{:x}.{:x}", self.version, self.edition)
    }

    /// How many entries a client lacks that has the document with one of these tags; none if it has
    /// no version of ours, or all are new to it. Tags that are not ours say nothing.
    #[must_use]
    pub fn lacked<'t>(&self, tags: impl Iterator<Item = &'t str>) -> Option<Vec<usize>> {
        let since = tags.filter_map(|tag| self.since(tag)).max()?;
        if since < self.departed {
            return None;
        }
        let lacked: Vec<usize> =
            (0..self.entries.len()).filter(|at| self.entries[*at].1 > since).collect();
        (lacked.len() < self.entries.len()).then_some(lacked)
    }

    /// The instant of the version that a tag names.
    fn since(&self, tag: &str) -> Option<i64> {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
        let mut parts = opaque.split('-').next()?.split('.');
        let (_, version, edition) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ours = edition == format!("{:x}", self.edition) && parts.next().is_none();
        let version = i64::from_str_radix(version, 16).ok()?;
        (is_ours && (0..=self.version).contains(&version)).then_some(version)
    }

    /// The document with these entries only.
    #[must_use]
    pub fn cut(&self, bytes: &[u8], lacked: &[usize]) -> Vec<u8> {
        let (Some((first, _)), Some((last, _))) = (self.entries.first(), self.entries.last())
        else {
            return bytes.to_vec();
        };
        let mut delta = bytes[..first.start].to_vec();
        for at in lacked {
            delta.extend(&bytes[self.entries[*at].0.clone()]);
        }
        delta.extend(&bytes[last.end..]);
        delta
    }
}

fn places<'a>(bytes: &'a [u8], tag: &'static [u8]) -> impl Iterator<Item = usize> + 'a {
    memchr::memmem::find_iter(bytes, tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    const DOCUMENT: &[u8] =
        b"<feed><t/><entry>a</entry><entry>b</entry><entry>c</entry><x/></feed>";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn versions() -> Versions {
        Versions::of(DOCUMENT, &[at(30), at(10), at(20)], (at(30), None), 7)
    }

    #[test]
    fn a_client_lacks_what_came_after_its_version() {
        let tag = |seconds: i64| format!("\"digest.{:x}.7\"", seconds * 1_000_000);
        let document = |tag: &str| {
            let versions = versions();
            let lacked = versions.lacked([tag].into_iter())?;
            Some(String::from_utf8(versions.cut(DOCUMENT, &lacked)).unwrap())
        };
        let whole = |entries: &str| Some(format!("<feed><t/>{entries}<x/></feed>"));
        assert_eq!(document(&tag(30)), whole(""));
        assert_eq!(document(&tag(29)), whole("<entry>a</entry>"));
        assert_eq!(document(&tag(10)), whole("<entry>a</entry><entry>c</entry>"));
        assert_eq!(document(&tag(9)), None);
        assert_eq!(
            document(&format!("W/{}", tag(20).replace("7\"", "7-gzip\""))),
            document(&tag(20))
        );
    }

    #[test]
    fn what_is_no_tag_of_ours_says_nothing() {
        for tag in [
            "",
            "\"\"",
            "\"digest\"",
            "\"digest.1c9c380\"",
            "\"digest.1c9c380.8\"",
            "\"digest.1c9c380.7.7\"",
            "\"digest.-1.7\"",
            "\"digest.1c9c381.7\"",
            "\"digest.ffffffffffffffffffff.7\"",
            "\"digest.x.7\"",
            "digest.1c9c380.7",
        ] {
            assert_eq!(versions().lacked([tag].into_iter()), None, "{tag}");
        }
        let several = ["\"nonsense\"", "\"digest.1312d00.7\""];
        assert_eq!(versions().lacked(several.into_iter()), Some(vec![0]));
    }

    #[test]
    fn a_version_from_before_a_departure_is_brought_up_to_date_by_the_whole() {
        let changed = [at(30), at(10), at(20)];
        let versions = Versions::of(DOCUMENT, &changed, (at(30), Some(at(20))), 7);
        let lacked = |seconds: i64| {
            let tag = format!("\"digest.{:x}.7\"", seconds * 1_000_000);
            versions.lacked([tag.as_str()].into_iter())
        };
        assert_eq!([lacked(19), lacked(20), lacked(29)], [None, Some(vec![0]), Some(vec![0])]);
    }

    #[test]
    fn entries_that_are_not_all_known_are_not_told_apart() {
        let versions = Versions::of(DOCUMENT, &[at(1)], (at(1), None), 7);
        assert_eq!(versions.lacked(["\"digest.f4240.7\""].into_iter()), None);
    }
}
