//! The keys of the store: what is where, and in which order it is read.
//!
//! One byte names the key space. Numbers are big-endian, so that the order of bytes is the order
//! of values; an instant before 1970 sorts before one after it. Articles lie in the order in
//! which they were first seen, so that writing stays at the end; each index lies in the order in
//! which it is read.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::id::FeedId;
use crate::model::id::PublicationId;
use crate::model::publication::Selection;
use chrono::DateTime;
use chrono::Utc;

const ID_BYTES: usize = 16;
const DIGEST_BYTES: usize = 16;
const INSTANT_BYTES: usize = 12;

/// A part of the store, by the first byte of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Space {
    /// `format` → the version of the whole store.
    Meta = b'm',
    /// First seen (seconds), id → the article.
    Article = b'a',
    /// Id → the key of the article.
    Place = b'i',
    /// Digest of an IRI → the id of the article that bears it.
    Claim = b'c',
    /// Feed, first seen, id → what is known of the article.
    Known = b'k',
    /// Feed → its history.
    History = b'h',
    /// Digest of a selection, published (newest first), id → whether it is on the front or on a
    /// page.
    Member = b's',
    /// Digest of a selection, updated (newest first), id → nothing.
    Fresh = b'u',
    /// Path of a selection → its counters.
    Shelf = b'p',
    /// Composed publication → the digest of its definition.
    Definition = b'd',
    /// Digest of a selection, standing (newest first), id → when it changed there.
    Open = b'o',
    /// Digest of a selection, number → a page of its archive.
    Page = b'g',
    /// Digest of a selection, id → on which page an article is that is no member any more.
    Left = b'l',
    /// Id, digest of what readers see → an article as a page shows it; empty while it is so still.
    Version = b'v',
    /// Id → an article that was taken away.
    Tomb = b'x',
    /// Digest of a selection, taken away (newest first), id → nothing.
    Gone = b'y',
    /// Digest of a selection, id of an article on a page, id of a hidden copy of it → nothing.
    Behind = b'b',
    /// Digest of a selection → when an article last left it.
    Departed = b'e',
    /// Id → how often the article's page was read.
    Reads = b'r',
    /// Id → how often the article was read at its source since it was last written.
    Views = b'w',
    /// First seen (seconds), id → where an article came from, and what changed in it.
    Trail = b't',
    /// Feed → what came as its last document.
    Receipt = b'q',
    /// Feed → the bytes of its last document.
    Document = b'z',
    /// When it began, kind, feed → an event that admins are told of.
    Event = b'E',
    /// Id → an article that was not kept any longer, and the key of what is known of it.
    Dropped = b'D',
    /// Id → since when an article is kept whatever its age.
    Pin = b'P',
}

impl Space {
    /// What an error calls something that lies here.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Meta => "record",
            Self::Article => "article",
            Self::Place => "place of article",
            Self::Claim => "claim of iri",
            Self::Known => "memory of article",
            Self::History => "history of feed",
            Self::Member => "member of selection",
            Self::Fresh => "freshness in selection",
            Self::Shelf => "shelf",
            Self::Definition => "definition of publication",
            Self::Open => "place on a front",
            Self::Page => "archive page",
            Self::Left => "place on a page",
            Self::Version => "version of article",
            Self::Tomb => "removal of article",
            Self::Gone => "removal from selection",
            Self::Behind => "hidden copy",
            Self::Departed => "departure from selection",
            Self::Reads => "reads of article",
            Self::Views => "views of article",
            Self::Trail => "trail of article",
            Self::Receipt => "receipt of feed",
            Self::Document => "document of feed",
            Self::Event => "event",
            Self::Dropped => "end of article",
            Self::Pin => "pin of article",
        }
    }

    /// The keys of the space begin with this.
    pub(crate) fn prefix(self) -> Vec<u8> {
        vec![self as u8]
    }

    /// What an error calls the thing at a key: its text if it is one, else its last 16 bytes,
    /// which are an article's id or a digest.
    pub(crate) fn id_at(self, key: &[u8]) -> String {
        let rest = key.get(1..).unwrap_or_default();
        match self {
            Self::Meta
            | Self::History
            | Self::Shelf
            | Self::Definition
            | Self::Receipt
            | Self::Document
            | Self::Event => String::from_utf8_lossy(rest).into_owned(),
            _ => id_of(key).map_or_else(|| format!("{rest:02x?}"), |id| id.to_string()),
        }
    }
}

/// How far articles are labelled anew.
pub(crate) fn labelling() -> Vec<u8> {
    key(Space::Meta, &[b"labelling"])
}

/// How many articles were not kept any longer, in all.
pub(crate) fn retained() -> Vec<u8> {
    key(Space::Meta, &[b"retained"])
}

/// That an article was not kept any longer.
pub(crate) fn dropped(id: ArticleId) -> Vec<u8> {
    key(Space::Dropped, &[&id.0.0])
}

/// That an article is kept whatever its age.
pub(crate) fn pin(id: ArticleId) -> Vec<u8> {
    key(Space::Pin, &[&id.0.0])
}

/// What comes after the selection in the key of a member: its place in the order of the selection.
pub(crate) fn rank_of(member: &[u8]) -> &[u8] {
    member.get(1 + DIGEST_BYTES..).unwrap_or_default()
}

/// The pages of the same archive as a page.
pub(crate) fn pages_beside(page: &[u8]) -> Vec<u8> {
    page[..page.len().min(1 + DIGEST_BYTES)].to_vec()
}

/// What is remembered of an article in the selection of a page: that it left, and the beginning of
/// the keys of its hidden copies.
pub(crate) fn remnants_on(page: &[u8], id: ArticleId) -> [Vec<u8>; 2] {
    let digest = page.get(1..=DIGEST_BYTES).unwrap_or_default();
    [Space::Left, Space::Behind].map(|space| key(space, &[digest, &id.0.0]))
}

/// An event, by what it is known by for ever.
pub(crate) fn event(known_by: &str) -> Vec<u8> {
    key(Space::Event, &[known_by.as_bytes()])
}

/// The key of the store's own format.
pub(crate) fn format() -> Vec<u8> {
    key(Space::Meta, &[b"format"])
}

/// An article itself.
pub(crate) fn article(first_seen: DateTime<Utc>, id: ArticleId) -> Vec<u8> {
    key(Space::Article, &[&seconds(first_seen), &id.0.0])
}

/// Where an article is.
pub(crate) fn place(id: ArticleId) -> Vec<u8> {
    key(Space::Place, &[&id.0.0])
}

/// Who bears an IRI.
pub(crate) fn claim(iri: &str) -> Vec<u8> {
    key(Space::Claim, &[&Digest::of([iri]).0])
}

/// What is known of an article of a feed.
pub(crate) fn known(feed: &FeedId, first_seen: DateTime<Utc>, id: ArticleId) -> Vec<u8> {
    let mut key = known_of(feed);
    key.extend(instant(first_seen));
    key.extend(id.0.0);
    key
}

/// The keys of what is known of a feed begin with this. An identifier has no NUL in it, so that
/// `kyiv` does not take in `kyiv-2`.
pub(crate) fn known_of(feed: &FeedId) -> Vec<u8> {
    key(Space::Known, &[feed.as_str().as_bytes(), b"\0"])
}

/// What is remembered of a feed.
pub(crate) fn history(feed: &FeedId) -> Vec<u8> {
    key(Space::History, &[feed.as_str().as_bytes()])
}

/// The counters of a selection.
pub(crate) fn shelf(selection: &Selection) -> Vec<u8> {
    key(Space::Shelf, &[selection.path().as_bytes()])
}

/// How a composed publication was defined when it was indexed.
pub(crate) fn definition(publication: &PublicationId) -> Vec<u8> {
    key(Space::Definition, &[publication.as_str().as_bytes()])
}

/// The articles of a selection, the newest published first, ties by id.
pub(crate) fn members_of(selection: &Selection) -> Vec<u8> {
    key(Space::Member, &[&digest_of(selection)])
}

/// The articles of a selection, the last updated first, ties by id.
pub(crate) fn fresh_of(selection: &Selection) -> Vec<u8> {
    key(Space::Fresh, &[&digest_of(selection)])
}

/// An article in a selection, by when it was published.
pub(crate) fn member(selection: &Selection, article: &Article) -> Vec<u8> {
    let mut key = members_of(selection);
    key.extend(newest_first(article.published));
    key.extend(article.id.0.0);
    key
}

/// An article in a selection, by when it was updated.
pub(crate) fn fresh(selection: &Selection, article: &Article) -> Vec<u8> {
    let mut key = fresh_of(selection);
    key.extend(newest_first(article.updated));
    key.extend(article.id.0.0);
    key
}

/// The articles on the front of a selection, the last come first, ties by id.
pub(crate) fn open_of(selection: &Selection) -> Vec<u8> {
    key(Space::Open, &[&digest_of(selection)])
}

/// An article on the front of a selection.
pub(crate) fn open(selection: &Selection, standing: DateTime<Utc>, id: ArticleId) -> Vec<u8> {
    key(Space::Open, &[&digest_of(selection), &newest_first(standing), &id.0.0])
}

/// The same for the member at a key: of the same selection.
pub(crate) fn open_at(member: &[u8], standing: DateTime<Utc>) -> Option<Vec<u8>> {
    let digest = member.get(1..=DIGEST_BYTES)?;
    Some(key(Space::Open, &[digest, &newest_first(standing), &id_of(member)?.0.0]))
}

/// The pages of a selection's archive, the first first.
pub(crate) fn pages_of(selection: &Selection) -> Vec<u8> {
    key(Space::Page, &[&digest_of(selection)])
}

/// A page of a selection's archive.
pub(crate) fn page(selection: &Selection, number: u64) -> Vec<u8> {
    key(Space::Page, &[&digest_of(selection), &number.to_be_bytes()])
}

/// The number in a key of [`page`].
pub(crate) fn number_of(page: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*page.last_chunk()?))
}

/// The places on pages of what is no member of a selection any more.
pub(crate) fn left_of(selection: &Selection) -> Vec<u8> {
    key(Space::Left, &[&digest_of(selection)])
}

/// The place on a page of an article that is no member of the selection any more.
pub(crate) fn left(selection: &Selection, id: ArticleId) -> Vec<u8> {
    key(Space::Left, &[&digest_of(selection), &id.0.0])
}

/// All hidden copies in a selection.
pub(crate) fn all_copies_of(selection: &Selection) -> Vec<u8> {
    key(Space::Behind, &[&digest_of(selection)])
}

/// The hidden copies of an article on a page.
pub(crate) fn copies_of(selection: &Selection, id: ArticleId) -> Vec<u8> {
    key(Space::Behind, &[&digest_of(selection), &id.0.0])
}

/// A hidden copy of an article on a page.
pub(crate) fn behind(selection: &Selection, id: ArticleId, copy: ArticleId) -> Vec<u8> {
    key(Space::Behind, &[&digest_of(selection), &id.0.0, &copy.0.0])
}

/// When an article last left a selection.
pub(crate) fn departed(selection: &Selection) -> Vec<u8> {
    key(Space::Departed, &[&digest_of(selection)])
}

/// The versions of an article that pages show.
pub(crate) fn versions_of(id: ArticleId) -> Vec<u8> {
    key(Space::Version, &[&id.0.0])
}

/// A version of an article.
pub(crate) fn version(id: ArticleId, content: Digest) -> Vec<u8> {
    key(Space::Version, &[&id.0.0, &content.0])
}

/// How often the page of an article was read.
pub(crate) fn reads(id: ArticleId) -> Vec<u8> {
    key(Space::Reads, &[&id.0.0])
}

/// How often an article was read at its source.
pub(crate) fn views(id: ArticleId) -> Vec<u8> {
    key(Space::Views, &[&id.0.0])
}

/// Where an article came from, and what changed in it: in the order of the articles.
pub(crate) fn trail(first_seen: DateTime<Utc>, id: ArticleId) -> Vec<u8> {
    key(Space::Trail, &[&seconds(first_seen), &id.0.0])
}

/// The key of the article that a trail is of.
pub(crate) fn article_of_trail(trail: &[u8]) -> Vec<u8> {
    key(Space::Article, &[trail.get(1..).unwrap_or_default()])
}

/// What came as the last document of a feed.
pub(crate) fn receipt(feed: &FeedId) -> Vec<u8> {
    key(Space::Receipt, &[feed.as_str().as_bytes()])
}

/// The bytes of the last document of a feed.
pub(crate) fn document(feed: &FeedId) -> Vec<u8> {
    key(Space::Document, &[feed.as_str().as_bytes()])
}

/// What was published in a selection before an instant comes after this key, the newest first.
pub(crate) fn members_from(selection: &Selection, published: DateTime<Utc>) -> Vec<u8> {
    key(Space::Member, &[&digest_of(selection), &newest_first(published)])
}

/// That an article was taken away.
pub(crate) fn tomb(id: ArticleId) -> Vec<u8> {
    key(Space::Tomb, &[&id.0.0])
}

/// What was taken away from a selection, the last first.
pub(crate) fn gone_of(selection: &Selection) -> Vec<u8> {
    key(Space::Gone, &[&digest_of(selection)])
}

/// That an article was taken away from a selection.
pub(crate) fn gone(selection: &Selection, at: DateTime<Utc>, id: ArticleId) -> Vec<u8> {
    key(Space::Gone, &[&digest_of(selection), &newest_first(at), &id.0.0])
}

/// The instant in a key of [`fresh`] or [`member`].
pub(crate) fn instant_of(fresh: &[u8]) -> Option<DateTime<Utc>> {
    let start = fresh.len().checked_sub(ID_BYTES + INSTANT_BYTES)?;
    let bytes: [u8; INSTANT_BYTES] = fresh[start..][..INSTANT_BYTES].try_into().ok()?;
    let [seconds @ .., a, b, c, d] = bytes.map(|byte| !byte);
    let seconds = (u64::from_be_bytes(seconds) ^ SIGN).cast_signed();
    DateTime::from_timestamp(seconds, u32::from_be_bytes([a, b, c, d]))
}

/// The seconds in a key of [`article`] or [`trail`], as an instant.
pub(crate) fn seconds_of(article: &[u8]) -> Option<DateTime<Utc>> {
    let seconds = u64::from_be_bytes(article.get(1..9)?.try_into().ok()?) ^ SIGN;
    DateTime::from_timestamp(seconds.cast_signed(), 0)
}

/// The id at the end of a key.
pub(crate) fn id_of(key: &[u8]) -> Option<ArticleId> {
    let start = key.len().checked_sub(ID_BYTES)?;
    Some(ArticleId(Digest(key[start..].try_into().ok()?)))
}

/// The text after the byte of the key space.
pub(crate) fn text_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(1..)?).ok()
}

fn digest_of(selection: &Selection) -> [u8; DIGEST_BYTES] {
    Digest::of([selection.path().as_str()]).0
}

// Turning the sign bit makes the order of bytes that of signed numbers.
const SIGN: u64 = 1 << 63;

/// The seconds of an instant as keys have them.
pub(crate) fn seconds(at: DateTime<Utc>) -> [u8; 8] {
    (at.timestamp().cast_unsigned() ^ SIGN).to_be_bytes()
}

fn instant(at: DateTime<Utc>) -> [u8; INSTANT_BYTES] {
    let mut bytes = [0; INSTANT_BYTES];
    bytes[..8].copy_from_slice(&seconds(at));
    bytes[8..].copy_from_slice(&at.timestamp_subsec_nanos().to_be_bytes());
    bytes
}

/// An instant as keys have it that lie the newest first.
pub(crate) fn newest_first(at: DateTime<Utc>) -> [u8; INSTANT_BYTES] {
    instant(at).map(|byte| !byte)
}

/// A key of its parts.
pub(crate) fn key(space: Space, parts: &[&[u8]]) -> Vec<u8> {
    [&[space as u8], parts.concat().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_bytes_before_and_after_1970() {
        let at = |seconds, nanos| DateTime::from_timestamp(seconds, nanos).unwrap();
        let rising = [
            DateTime::<Utc>::MIN_UTC,
            at(-62_135_596_800, 0),
            at(-1, 0),
            at(-1, 999_999_999),
            at(0, 0),
            at(0, 1),
            at(1_688_382_960, 0),
            DateTime::<Utc>::MAX_UTC,
        ];
        for pair in rising.windows(2) {
            assert!(instant(pair[0]) < instant(pair[1]), "{pair:?}");
            assert!(newest_first(pair[0]) > newest_first(pair[1]), "{pair:?}");
        }
        for at in rising {
            let key = [newest_first(at).as_slice(), &[7; ID_BYTES]].concat();
            assert_eq!(instant_of(&key), Some(at));
        }
    }

    #[test]
    fn a_feed_does_not_take_in_another_whose_name_begins_alike() {
        let [kyiv, kyiv_2] = ["kyiv", "kyiv-2"].map(|id| FeedId::new(id).unwrap());
        let id = ArticleId::of(&kyiv_2, "1");
        assert!(!known(&kyiv_2, DateTime::UNIX_EPOCH, id).starts_with(&known_of(&kyiv)));
    }
}
