//! The records of the store as lines of text: JSON objects that other programs can read, and from
//! which a store is made again.
//!
//! A kind of line that is not known is refused, and a field that is not known passed over. The
//! names of kinds and fields are a format: never change them.

use crate::model::article::Article;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::store::codec;
use crate::store::engine::Pair;
use crate::store::keys;
use crate::store::keys::Space;
use crate::store::records::ArticleRecord;
use crate::store::records::InstantRecord;
use crate::store::records::KnownRecord;
use crate::store::records::ShelfRecord;
use crate::store::records::article::SecondArticleRecord;
use crate::store::records::article::ThirdArticleRecord;
use crate::store::records::event::EventRecord;
use crate::store::records::first_history::FirstHistoryRecord;
use crate::store::records::front::MemberRecord;
use crate::store::records::front::OpenRecord;
use crate::store::records::front::PageRecord;
use crate::store::records::front::TombRecord;
use crate::store::records::history::HistoryRecord;
use crate::store::records::plain::digest;
use crate::store::records::trail::ReceiptRecord;
use crate::store::records::trail::TrailRecord;
use crate::store::relabel::LabellingRecord;
use crate::store::retain::DroppedRecord;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

/// A record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Line {
    /// How far articles are labelled anew.
    Labelling { labelling: LabellingRecord },
    /// How a composed publication was defined when it was indexed.
    Definition {
        publication: String,
        #[serde(with = "digest")]
        definition: [u8; 16],
    },
    /// The counters of a selection.
    Shelf { selection: String, shelf: ShelfRecord },
    /// What is known of an article that is there no more.
    Known { feed: String, known: KnownRecord },
    /// An IRI, by its digest, whose article is there no more.
    Claim {
        #[serde(with = "digest")]
        iri: [u8; 16],
        #[serde(with = "digest")]
        article: [u8; 16],
    },
    /// An article that was taken away.
    Removal {
        #[serde(with = "digest")]
        article: [u8; 16],
        removal: TombRecord,
    },
    /// An article.
    Article {
        #[serde(flatten)]
        article: ThirdArticleRecord,
    },
    /// Where an article is in a selection: on its front, or on a page of its archive.
    Place {
        selection: String,
        #[serde(with = "digest")]
        article: [u8; 16],
        published: InstantRecord,
        place: MemberRecord,
    },
    /// On which page an article is that is no member of the selection any more.
    Left {
        selection: String,
        #[serde(with = "digest")]
        article: [u8; 16],
        place: MemberRecord,
    },
    /// A copy that is not shown, because a page shows another.
    HiddenCopy {
        selection: String,
        #[serde(with = "digest")]
        shown: [u8; 16],
        #[serde(with = "digest")]
        copy: [u8; 16],
    },
    /// When an article last left a selection.
    Departure { selection: String, at: InstantRecord },
    /// A page of the archive of a selection.
    Page { selection: String, number: u64, page: PageRecord },
    /// An article as pages show it; none while it is so still.
    Version {
        #[serde(with = "digest")]
        article: [u8; 16],
        #[serde(with = "digest")]
        content: [u8; 16],
        shows: Option<ThirdArticleRecord>,
    },
    /// Where an article came from, and what changed in it.
    Trail {
        #[serde(with = "digest")]
        article: [u8; 16],
        first_seen: InstantRecord,
        trail: TrailRecord,
    },
    /// What is remembered of a feed.
    History { feed: String, history: HistoryRecord },
    /// What came as the last document of a feed.
    Receipt { feed: String, receipt: ReceiptRecord },
    /// The last document of a feed: as text if it is UTF-8.
    Document { feed: String, text: Option<String>, base64: Option<String> },
    /// How often the page of an article was read.
    Reads {
        #[serde(with = "digest")]
        article: [u8; 16],
        reads: u64,
    },
    /// How often an article was read at its source since it was last written.
    Views {
        #[serde(with = "digest")]
        article: [u8; 16],
        views: u64,
    },
    /// What admins are told of.
    Event { known_by: String, event: EventRecord },
    /// An article that was not kept any longer, and the key of what is known of it.
    Dropped {
        #[serde(with = "digest")]
        article: [u8; 16],
        known: String,
        at: InstantRecord,
    },
    /// Since when an article is kept whatever its age.
    Pin {
        #[serde(with = "digest")]
        article: [u8; 16],
        since: InstantRecord,
    },
    /// How many articles were not kept any longer, in all.
    Retained { dropped: u64 },
    /// What a later visnyk knows.
    Other { key: String, value: String },
    /// What does not read: it is told, and not restored.
    Unread { what: String, reason: String, key: String, value: String },
}

/// A record that does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is.
    pub what: String,
    /// Why not.
    pub reason: String,
}

/// The names of selections, by the digests that stand for them in keys: learnt from their shelves.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<[u8; 16], String>);

impl Names {
    /// The name of the selection in a key; its digest if the name is not known.
    fn of(&self, key: &[u8]) -> Option<String> {
        let digest: [u8; 16] = key.get(1..17)?.try_into().ok()?;
        let unnamed = || format!("#{}", Digest(digest));
        Some(self.0.get(&digest).cloned().unwrap_or_else(unnamed))
    }

    fn learn(&mut self, path: &str) {
        self.0.insert(Digest::of([path]).0, path.to_owned());
    }
}

/// The line of a record. What does not read has one too, and is told beside it.
pub(crate) fn line_of(names: &mut Names, key: &[u8], value: &[u8]) -> (Line, Option<Unread>) {
    match read(names, key, value) {
        Ok(line) => (line, None),
        Err(reason) => {
            let space = TOLD.iter().find(|space| Some(&(**space as u8)) == key.first());
            let what = space.map_or_else(
                || "record".to_owned(),
                |space| format!("{} {}", space.name(), space.id_at(key)),
            );
            let line = Line::Unread {
                what: what.clone(),
                reason: reason.clone(),
                key: STANDARD.encode(key),
                value: STANDARD.encode(value),
            };
            (line, Some(Unread { what, reason }))
        }
    }
}

/// What is not derived from anything else, in the order in which it is told. Shelves come first of
/// what is of selections: they name them. What is known of articles and of IRIs that have no article
/// stands before what is looked up for that may change again.
pub(crate) const TOLD: [Space; 22] = [
    Space::Meta,
    Space::Definition,
    Space::Shelf,
    Space::Known,
    Space::Claim,
    Space::Tomb,
    Space::Article,
    Space::Member,
    Space::Left,
    Space::Behind,
    Space::Departed,
    Space::Page,
    Space::Version,
    Space::Trail,
    Space::History,
    Space::Receipt,
    Space::Document,
    Space::Reads,
    Space::Views,
    Space::Event,
    Space::Dropped,
    Space::Pin,
];

fn read(names: &mut Names, key: &[u8], value: &[u8]) -> Result<Line, String> {
    let Some(space) = TOLD.iter().find(|space| Some(&(**space as u8)) == key.first()) else {
        return Ok(Line::Other { key: STANDARD.encode(key), value: STANDARD.encode(value) });
    };
    let no_key = || "its key is none".to_owned();
    let text = || keys::text_of(key).map(str::to_owned).ok_or_else(no_key);
    let id = || keys::id_of(key).map(|id| id.0.0).ok_or_else(no_key);
    Ok(match space {
        Space::Meta if key == keys::labelling() => {
            Line::Labelling { labelling: record(key, value)? }
        }
        Space::Meta if key == keys::retained() => Line::Retained { dropped: record(key, value)? },
        Space::Meta => Line::Other { key: STANDARD.encode(key), value: STANDARD.encode(value) },
        Space::Definition => {
            Line::Definition { publication: text()?, definition: record(key, value)? }
        }
        Space::Shelf => {
            let selection = text()?;
            names.learn(&selection);
            Line::Shelf { selection, shelf: record(key, value)? }
        }
        Space::Known => {
            let feed = key[1..].split(|byte| *byte == 0).next().unwrap_or_default();
            let feed = String::from_utf8(feed.to_vec()).map_err(|_| no_key())?;
            Line::Known { feed, known: record(key, value)? }
        }
        Space::Claim => Line::Claim { iri: id()?, article: record(key, value)? },
        Space::Tomb => Line::Removal { article: id()?, removal: record(key, value)? },
        Space::Article => Line::Article { article: article(key, value)? },
        Space::Page => {
            let selection = names.of(key).ok_or_else(no_key)?;
            let number = keys::number_of(key).ok_or_else(no_key)?;
            Line::Page { selection, number, page: record(key, value)? }
        }
        Space::Version => {
            let (content, bytes) = (id()?, key.get(1..17).ok_or_else(no_key)?);
            let id: [u8; 16] = bytes.try_into().map_err(|_| no_key())?;
            let shows = (!value.is_empty()).then(|| article(key, value)).transpose()?;
            Line::Version { article: id, content, shows }
        }
        Space::Trail => {
            let first_seen = keys::seconds_of(key).ok_or_else(no_key)?;
            let first_seen = InstantRecord::from(first_seen);
            Line::Trail { article: id()?, first_seen, trail: record(key, value)? }
        }
        Space::History => Line::History { feed: text()?, history: history(key, value)? },
        Space::Receipt => Line::Receipt { feed: text()?, receipt: record(key, value)? },
        Space::Document => {
            let bytes = codec::read_bytes(key, value).map_err(|reason| reason.to_string())?;
            let (text_of, base64) = match String::from_utf8(bytes) {
                Ok(text) => (Some(text), None),
                Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
            };
            Line::Document { feed: text()?, text: text_of, base64 }
        }
        Space::Reads => Line::Reads { article: id()?, reads: record(key, value)? },
        Space::Views => Line::Views { article: id()?, views: record(key, value)? },
        Space::Dropped => {
            let DroppedRecord { known, at } = record(key, value)?;
            Line::Dropped { article: id()?, known: STANDARD.encode(known), at }
        }
        Space::Pin => Line::Pin { article: id()?, since: record(key, value)? },
        Space::Event => Line::Event { known_by: text()?, event: record(key, value)? },
        _ => in_selection(*space, &names.of(key).ok_or_else(no_key)?, id()?, key, value)?,
    })
}

/// The line of a record of a selection and an article.
fn in_selection(
    space: Space,
    selection: &str,
    article: [u8; 16],
    key: &[u8],
    value: &[u8],
) -> Result<Line, String> {
    let selection = selection.to_owned();
    Ok(match space {
        Space::Member => {
            let published = keys::instant_of(key).ok_or("its key has no instant")?;
            let place = place(published, key, value)?;
            Line::Place { selection, article, published: published.into(), place }
        }
        Space::Left => Line::Left { selection, article, place: record(key, value)? },
        Space::Behind => {
            let shown: Option<&[u8; 16]> = key.get(17..33).and_then(|id| id.try_into().ok());
            Line::HiddenCopy { selection, shown: *shown.ok_or("its key is none")?, copy: article }
        }
        _ => Line::Departure { selection, at: record(key, value)? },
    })
}

/// In the first format all members were on fronts, and nothing was said of it.
fn place(published: DateTime<Utc>, key: &[u8], value: &[u8]) -> Result<MemberRecord, String> {
    if !value.is_empty() {
        return record(key, value);
    }
    let open = OpenRecord { changed: DateTime::UNIX_EPOCH.into(), edited: None };
    Ok(MemberRecord::Open { standing: published.into(), open })
}

fn record<R: serde::de::DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<R, String> {
    codec::read(key, value).map_err(|reason| reason.to_string())
}

/// An article in its newest form.
fn article(key: &[u8], value: &[u8]) -> Result<ThirdArticleRecord, String> {
    let newest = |article: Article| ThirdArticleRecord::from(&article);
    let read = if codec::is_third(value) {
        return record(key, value);
    } else if codec::is_second(value) {
        Article::try_from(record::<SecondArticleRecord>(key, value)?)
    } else {
        Article::try_from(record::<ArticleRecord>(key, value)?)
    };
    read.map(newest).map_err(|reason| reason.to_string())
}

/// What is remembered of a feed in its newest form.
fn history(key: &[u8], value: &[u8]) -> Result<HistoryRecord, String> {
    if codec::is_second(value) {
        return record(key, value);
    }
    let history = record::<FirstHistoryRecord>(key, value)?.try_into();
    history.map(|history| HistoryRecord::from(&history)).map_err(|reason| reason.to_string())
}

/// The keys and values of a line; none of one that is not restored.
pub(crate) fn pairs_of(line: Line) -> Result<Vec<Pair>, String> {
    let article = |id: [u8; 16]| ArticleId(Digest(id));
    let one = |key: Vec<u8>, value: Result<Vec<u8>, codec::BadRecord>| {
        value.map(|value| vec![(key, value)]).map_err(|reason| reason.to_string())
    };
    match line {
        Line::Labelling { labelling } => plain(keys::labelling(), &labelling),
        Line::Definition { publication, definition } => {
            plain(keys::key(Space::Definition, &[publication.as_bytes()]), &definition)
        }
        Line::Shelf { selection, shelf } => {
            plain(keys::key(Space::Shelf, &[selection.as_bytes()]), &shelf)
        }
        Line::Known { feed, known } => {
            let feed = feed.parse().map_err(|_| format!("`{feed}` is no feed"))?;
            let key = keys::known(&feed, instant(known.first_seen)?, article(known.id));
            plain(key, &known)
        }
        Line::Claim { iri, article } => plain(keys::key(Space::Claim, &[&iri]), &article),
        Line::Removal { article: id, removal } => plain(keys::tomb(article(id)), &removal),
        Line::Article { article } => {
            let key = article.key().map_err(|reason| reason.to_string())?;
            let value = codec::compressed_3(&key, &article);
            one(key, value)
        }
        Line::Place { selection, article, published, place } => {
            let at = keys::newest_first(instant(published)?);
            plain(keys::key(Space::Member, &[&selected(&selection)?, &at, &article]), &place)
        }
        Line::Left { selection, article, place } => {
            plain(keys::key(Space::Left, &[&selected(&selection)?, &article]), &place)
        }
        Line::HiddenCopy { selection, shown, copy } => {
            let key = keys::key(Space::Behind, &[&selected(&selection)?, &shown, &copy]);
            Ok(vec![(key, Vec::new())])
        }
        Line::Departure { selection, at } => {
            plain(keys::key(Space::Departed, &[&selected(&selection)?]), &at)
        }
        Line::Page { selection, number, page } => {
            let number = number.to_be_bytes();
            plain(keys::key(Space::Page, &[&selected(&selection)?, &number]), &page)
        }
        Line::Version { article: id, content, shows } => {
            let key = keys::version(article(id), Digest(content));
            match shows {
                None => Ok(vec![(key, Vec::new())]),
                Some(shown) => {
                    let value = codec::compressed_3(&key, &shown);
                    one(key, value)
                }
            }
        }
        Line::Trail { article: id, first_seen, trail } => {
            let key = keys::trail(instant(first_seen)?, article(id));
            let value = codec::compressed(&key, &trail);
            one(key, value)
        }
        line => rest(line),
    }
}

/// The same of lines that are of feeds, numbers, or events.
fn rest(line: Line) -> Result<Vec<Pair>, String> {
    let article = |id: [u8; 16]| ArticleId(Digest(id));
    let of_feed = |space, feed: &str| keys::key(space, &[feed.as_bytes()]);
    let decoded = |text: &str| STANDARD.decode(text).map_err(|error| error.to_string());
    match line {
        Line::History { feed, history } => {
            let key = of_feed(Space::History, &feed);
            let value = codec::plain_2(&key, &history).map_err(|reason| reason.to_string())?;
            Ok(vec![(key, value)])
        }
        Line::Receipt { feed, receipt } => plain(of_feed(Space::Receipt, &feed), &receipt),
        Line::Document { feed, text, base64 } => {
            let bytes = match (text, base64) {
                (Some(text), _) => text.into_bytes(),
                (None, Some(base64)) => decoded(&base64)?,
                (None, None) => return Err(format!("the document of {feed} has no bytes")),
            };
            let key = of_feed(Space::Document, &feed);
            let value =
                codec::compressed_bytes(&key, &bytes).map_err(|reason| reason.to_string())?;
            Ok(vec![(key, value)])
        }
        Line::Reads { article: id, reads } => plain(keys::reads(article(id)), &reads),
        Line::Views { article: id, views } => plain(keys::views(article(id)), &views),
        Line::Event { known_by, event } => plain(keys::event(&known_by), &event),
        Line::Dropped { article: id, known, at } => {
            plain(keys::dropped(article(id)), &DroppedRecord { known: decoded(&known)?, at })
        }
        Line::Pin { article: id, since } => plain(keys::pin(article(id)), &since),
        Line::Retained { dropped } => plain(keys::retained(), &dropped),
        Line::Other { key, value } => Ok(vec![(decoded(&key)?, decoded(&value)?)]),
        _ => Ok(Vec::new()),
    }
}

fn plain<R: Serialize>(key: Vec<u8>, record: &R) -> Result<Vec<Pair>, String> {
    let value = codec::plain(&key, record).map_err(|reason| reason.to_string())?;
    Ok(vec![(key, value)])
}

fn instant(record: InstantRecord) -> Result<DateTime<Utc>, String> {
    record.try_into().map_err(|reason: crate::store::records::BadField| reason.to_string())
}

/// The digest that stands for a selection in keys.
pub(crate) fn selected(selection: &str) -> Result<[u8; 16], String> {
    match selection.strip_prefix('#') {
        Some(digest) => {
            digest.parse::<ArticleId>().map(|id| id.0.0).map_err(|error| error.to_string())
        }
        None => Ok(Digest::of([selection]).0),
    }
}
