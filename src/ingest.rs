//! From the bytes of a document to what they change: parse, normalize, classify, merge.
//!
//! One pure function, which fixtures, benchmarks and the poller call alike: the same document,
//! the same memory and the same instant give the same result.
//!
//! # Failure
//! A document that cannot be read is an error. An entry that cannot become an article is told
//! beside the others, which go on.

use crate::classify::Classifier;
use crate::merge::merge;
use crate::merge::missing;
use crate::merge::recognized;
use crate::model::article::Article;
use crate::model::article::Keys;
use crate::model::entry::Charset;
use crate::model::entry::Format;
use crate::model::entry::ParsedFeed;
use crate::model::exchange::Document;
use crate::model::exchange::Tally;
use crate::model::feed::Feed;
use crate::model::id::ArticleId;
use crate::model::known::Change;
use crate::model::known::Evidence;
use crate::model::known::Key;
use crate::model::known::Known;
use crate::model::known::Memory;
use crate::model::known::Proof;
use crate::model::provenance::Provenance;
use crate::model::rhythm::Rhythm;
use crate::normalize::Frame;
use crate::normalize::Rejected;
use crate::normalize::article;
use crate::normalize::evidence::evidence;
use crate::normalize::provenance::provenance;
use crate::normalize::text::plain;
use crate::parse::ParseError;
use crate::parse::parse;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// How many articles that are there are told beside those that are missing.
const WITNESSES_MAX: usize = 20;

/// What a document brought.
#[derive(Debug)]
pub struct Ingested {
    /// What each entry that became an article changes, in the order of the document.
    pub changes: Vec<Change>,
    /// The entries that could not become an article.
    pub rejected: Vec<Rejected>,
    /// Whether the document broke off. What vouches for it vouches for a half: it is to be asked
    /// for again.
    pub is_broken_off: bool,
    /// What the document says of itself.
    pub heading: Heading,
    /// Where the articles came from.
    pub provenances: BTreeMap<ArticleId, Provenance>,
    /// What had to be mended in the document, in words.
    pub repairs: Vec<String>,
    /// The rhythm that the document asks for.
    pub rhythm: Rhythm,
    /// The counts.
    pub tally: Tally,
    /// The known articles that it should have, as far as it goes back, and has not; the newest
    /// first.
    pub missing: Vec<ArticleId>,
    /// Some of the known articles that it has, those that were seen last.
    pub witnesses: Vec<ArticleId>,
}

/// What a document says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The format that it turned out to be.
    pub format: Format,
    /// The characters that it is written in.
    pub charset: Charset,
    /// Its title, as plain text.
    pub title: Option<String>,
    /// The page whose news this is.
    pub link: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
    /// Where changes are announced (`WebSub`).
    pub hub: Option<String>,
}

impl Heading {
    fn of(parsed: &ParsedFeed) -> Self {
        let title = parsed.title.as_ref().map(plain).filter(|title| !title.is_empty());
        Self {
            format: parsed.format,
            charset: parsed.charset,
            title,
            link: parsed.link.clone(),
            language: parsed.language.clone(),
            hub: parsed.hub.clone(),
        }
    }
}

/// Takes a document of a feed to what it changes.
///
/// `memory` is what is known of the feed's articles, and `now` the instant of the poll.
///
/// # Errors
/// The document is no feed, or broken beyond repair.
pub fn ingest(
    feed: &Feed,
    document: &Document,
    memory: &Memory,
    classifier: &Classifier,
    now: DateTime<Utc>,
) -> Result<Ingested, ParseError> {
    let parsed = parse(document)?;
    let frame = Frame::new(feed, &parsed, &document.url, now);
    let mut ingested = Ingested {
        changes: Vec::with_capacity(parsed.entries.len()),
        rejected: Vec::new(),
        is_broken_off: parsed.is_broken_off,
        heading: Heading::of(&parsed),
        provenances: BTreeMap::new(),
        repairs: parsed.repairs.clone(),
        rhythm: parsed.rhythm.clone(),
        tally: Tally { entries: count(parsed.entries.len()), ..Tally::default() },
        missing: Vec::new(),
        witnesses: Vec::new(),
    };
    let (fresh, provenances) = fresh(feed, &frame, &parsed, classifier, &mut ingested.rejected);
    let known = recognized(memory, &fresh);
    let mut ids = BTreeSet::new();
    let mut there = BTreeMap::new();
    for (known, (fresh, _)) in known.iter().zip(&fresh) {
        match known {
            Some(known) => there.insert(known.id, known.published),
            None => there.insert(fresh.id, fresh.published),
        };
    }
    ingested.missing = missing(memory, &there);
    let known_there = memory.iter().map(|known| known.id).filter(|id| there.contains_key(id));
    ingested.witnesses = known_there.take(WITNESSES_MAX).collect();
    for (((mut fresh, evidence), known), provenance) in
        fresh.into_iter().zip(known).zip(provenances)
    {
        settle_link(&mut fresh, known, memory);
        if known.is_none() && is_borne(&fresh, evidence, memory, &ids) {
            fresh.id = another_id(&fresh);
        }
        let title = fresh.title.clone();
        let change = merge(known, fresh, now);
        let id = article_of(&change);
        if ids.insert(id) {
            ingested.provenances.insert(id, provenance);
            ingested.changes.push(change);
        } else {
            ingested.rejected.push(repetition(&title));
        }
    }
    let changes = &ingested.changes;
    let tally = &mut ingested.tally;
    tally.added = count(changes.iter().filter(|c| matches!(c, Change::Added(_))).count());
    tally.updated = count(changes.iter().filter(|c| matches!(c, Change::Updated(_))).count());
    tally.rejected = count(ingested.rejected.len());
    Ok(ingested)
}

/// The articles that the entries of a document are, labelled, and what of each tells it from
/// others; and where each came from.
fn fresh(
    feed: &Feed,
    frame: &Frame<'_>,
    parsed: &ParsedFeed,
    classifier: &Classifier,
    rejected: &mut Vec<Rejected>,
) -> (Vec<(Article, Evidence)>, Vec<Provenance>) {
    let mut all = Vec::with_capacity(parsed.entries.len());
    let mut provenances = Vec::with_capacity(parsed.entries.len());
    for (place, entry) in parsed.entries.iter().enumerate() {
        match article(frame, entry) {
            Ok(fresh) if frame.is_repetition(place) => rejected.push(repetition(&fresh.title)),
            Ok(mut fresh) => {
                let evidence = evidence(frame, entry, &fresh);
                fresh.labels = classifier.label(&fresh, feed);
                keep_order(&mut fresh, place);
                all.push((fresh, evidence));
                provenances.push(provenance(frame, entry));
            }
            Err(reason) => rejected.push(reason),
        }
    }
    (all, provenances)
}

fn repetition(title: &str) -> Rejected {
    let reason = "it repeats an earlier entry of the document".to_owned();
    Rejected { what: format!("«{title}»"), reason }
}

/// Entries without a date are as old as the poll that brought them; among each other they keep
/// the order of the document, the newest first.
fn keep_order(fresh: &mut Article, place: usize) {
    if fresh.published == fresh.first_seen {
        fresh.published -= TimeDelta::seconds(i64::try_from(place).unwrap_or_default());
        fresh.updated = fresh.published;
    }
}

/// A page that another article of the feed has is no article's own: publications would show the
/// two as one story.
fn settle_link(fresh: &mut Article, known: Option<&Known>, memory: &Memory) {
    let id = known.map(|known| known.id);
    let others = |link| memory.by(Key::Link, link).any(|other| Some(other.id) != id);
    fresh.keys.link = fresh.keys.link.filter(|link| !others(*link));
}

/// Whether the id of a new article is another's: of the memory, of the document, or, where ids
/// come round again, of one that is not remembered any more.
fn is_borne(
    fresh: &Article,
    evidence: Evidence,
    memory: &Memory,
    ids: &BTreeSet<ArticleId>,
) -> bool {
    let comes_round = evidence.id < Proof::Strong && memory.by_entry(fresh.keys.entry).is_some();
    memory.has(fresh.id) || ids.contains(&fresh.id) || comes_round
}

/// The id of an article whose entry bears the id of another: made of all that tells the two
/// apart.
fn another_id(fresh: &Article) -> ArticleId {
    let Keys { entry, link, title, content } = fresh.keys;
    let link = link.map(|link| link.to_string()).unwrap_or_default();
    ArticleId::of(&fresh.feed, &format!("again:{entry}:{link}:{title}:{content}"))
}

fn article_of(change: &Change) -> ArticleId {
    match change {
        Change::Added(article) | Change::Updated(article) | Change::Relabelled(article) => {
            article.id
        }
        Change::Unchanged(id, _) => *id,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
