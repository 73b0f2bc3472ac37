//! The sources: how each does, in words, and where its articles are.
//!
//! What went wrong with a source is told to readers as far as it is theirs to know: that it does not
//! answer, how often, and when it is asked again. What it said stays with the admin (`visnyk
//! status`): an error may hold an address that is nobody's business.

use crate::model::id::ArticleId;
use crate::model::id::FeedId;
use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::html::Frame;
use crate::publish::html::Named;
use crate::publish::html::language::Language;
use crate::publish::html::language::Moment;
use crate::publish::html::named;
use crate::publish::html::page;
use crate::publish::html::publication::link;
use crate::publish::html::written;
use crate::publish::sort_key;
use askama::Template;
use chrono::DateTime;
use chrono::Utc;
use std::collections::BTreeMap;
use url::Url;

/// How a source does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How its last poll went.
    pub state: State,
    /// How many polls have failed since the last good one.
    pub failures: u32,
    /// When it last answered as it should.
    pub last_good: Option<DateTime<Utc>>,
    /// When it is polled next, or none if it is due, and why then; none of both if it is not polled.
    pub next: Option<(Option<DateTime<Utc>>, Because)>,
    /// How many of its articles were published within the last week.
    pub week: u64,
    /// The page whose news it is.
    pub site: Option<Url>,
    /// Its newest articles.
    pub latest: Vec<Headline>,
}

/// An article, as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Its id.
    pub id: ArticleId,
    /// Its headline.
    pub title: String,
    /// Its language (BCP 47), if that is known.
    pub language: Option<String>,
}

/// How the last poll of a source went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It answered as it should.
    Fine,
    /// There was none.
    Unpolled,
    /// It failed.
    Failing,
    /// The server asks to come later.
    Waiting,
    /// The server says that the feed is no more.
    Gone,
    /// The admin switched it off.
    Disabled,
}

/// Why a source is polled when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// It is its time.
    Schedule,
    /// A pause follows failures.
    Failures,
    /// The server asks for it.
    Asked,
}

/// How a source does, in words.
pub(crate) struct Told {
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) failures: Option<String>,
    pub(super) last_good: Option<Moment>,
    pub(super) is_due: bool,
    pub(super) next: Option<Moment>,
    pub(super) because: &'static str,
    pub(super) week: String,
    pub(super) site: Option<String>,
}

#[derive(Template)]
#[template(path = "sources.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    sources: Vec<Source>,
}

struct Source {
    name: Named,
    page: String,
    news: String,
    address: String,
    told: Told,
    articles: Vec<Article>,
}

struct Article {
    href: String,
    title: String,
    lang: Option<String>,
}

/// The page of all sources.
#[must_use]
pub fn sources(
    masthead: Masthead<'_>,
    language: Language,
    shelves: &BTreeMap<Selection, Shelf>,
    healths: &BTreeMap<FeedId, Health>,
) -> Vec<u8> {
    let source = |(id, health): (&FeedId, &Health)| {
        let selection = Selection::Source(id.clone());
        let own = link(masthead, language, shelves, &selection);
        let article = |Headline { id, title, language: spoken }: &Headline| Article {
            href: page(masthead.site, language, &format!("articles/{id}")),
            title: title.clone(),
            lang: spoken.clone().filter(|spoken| spoken != language.code()),
        };
        Source {
            name: named(masthead, language, &selection),
            page: own.href,
            news: language.news(own.count),
            address: masthead.atom_address(&selection),
            told: told(masthead, language, health),
            articles: health.latest.iter().map(article).collect(),
        }
    };
    let mut all: Vec<Source> = healths.iter().map(source).collect();
    all.sort_by_cached_key(|source| sort_key(&source.name.text));
    let words = language.words();
    let mut frame = Frame::new(masthead, language, words.sources).at("sources");
    frame.description = Some(words.sources_hint.to_owned());
    written(&Page { frame, sources: all })
}

/// How a source does, in words.
pub(super) fn told(masthead: Masthead<'_>, language: Language, health: &Health) -> Told {
    let words = language.words();
    let zone = masthead.site.timezone;
    let (state, class) = match health.state {
        State::Fine => (words.fine, "good"),
        State::Unpolled => (words.unpolled, "idle"),
        State::Failing => (words.failing, "bad"),
        State::Waiting => (words.waiting, "idle"),
        State::Gone => (words.gone, "bad"),
        State::Disabled => (words.disabled, "idle"),
    };
    let because = health.next.map(|(_, because)| match because {
        Because::Schedule => words.because_schedule,
        Because::Failures => words.because_failures,
        Because::Asked => words.because_asked,
    });
    let failures = u64::from(health.failures);
    Told {
        state,
        class,
        failures: (failures > 0).then(|| language.failures(failures)),
        last_good: health.last_good.map(|at| language.moment(at, zone)),
        is_due: health.next.is_some_and(|(at, _)| at.is_none()),
        next: health.next.and_then(|(at, _)| at).map(|at| language.moment(at, zone)),
        because: because.unwrap_or_default(),
        week: language.news(health.week),
        site: health.site.as_ref().map(Url::to_string),
    }
}
