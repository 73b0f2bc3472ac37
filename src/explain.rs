//! Why an article is where it is, in words for admins: its source, its labels with their reasons,
//! what did not count, the same story in other feeds, and the publications that it stands in. And
//! which categories of feeds might become tags.
//!
//! Never here: what decides. It is told as it was decided elsewhere.

pub mod lines;
pub mod trail;

use crate::classify::Classifier;
use crate::classify::Findings;
use crate::classify::alike::WITHIN;
use crate::classify::evidence::Cause;
use crate::classify::evidence::Dismissed;
use crate::classify::words::fold;
use crate::config::Config;
use crate::explain::lines::COLUMNS;
use crate::explain::lines::put_at;
use crate::explain::lines::wrapped;
use crate::model::article::Article;
use crate::model::article::Field;
use crate::model::article::Labels;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::model::clock::moment;
use crate::model::feed::Feed;
use crate::model::front::Removal;
use crate::model::front::Remover;
use crate::model::id::ArticleId;
use crate::model::id::RuleId;
use crate::model::id::TagId;
use crate::model::publication::Selection;
use crate::model::revision::Trail;
use crate::publish::story::Apart;
use crate::publish::story::Likeness;
use crate::publish::story::one_each;
use crate::publish::story::same_stories;
use crate::serve::documents::imprint::apart;
use crate::store::Store;
use crate::store::error::StoreError;
use chrono_tz::Tz;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use tokio::task::spawn_blocking;

/// How many articles of the days around one are compared with it.
const COMPARED_MAX: usize = 2_000;
/// How many categories are offered as tags.
const OFFERED_MAX: usize = 100;
/// How many categories are counted.
const COUNTED_MAX: usize = 100_000;

/// Tells of an article, by its id, its id in Atom, or the address of its page; nothing if there is
/// none.
///
/// # Errors
/// The store does not answer.
pub async fn explain(
    config: &Config,
    classifier: &Classifier,
    store: &Store,
    what: &str,
) -> Result<Option<String>, StoreError> {
    let Some(id) = find(store, what).await? else { return Ok(None) };
    let Some(article) = store.article(id).await? else {
        if let Some(removal) = store.removal(id).await? {
            return Ok(Some(format!("article {id} {}", removed(&removal))));
        }
        let dropped = store.dropped(id).await?;
        return Ok(dropped.map(|at| format!("article {id} {}", ended(at))));
    };
    let near = near(store, &article).await?;
    let trail = store.trail(id).await?;
    let mut told = told(config, classifier, &article, &trail);
    if let Some(since) = store.pin_of(id).await? {
        let since = since.with_timezone(&zone_of(config, &article)).format("%d.%m.%Y %H:%M");
        line(&mut told, format_args!("pinned     since {since}: it is kept whatever its age"));
    }
    let apart = apart(config);
    // Thousands of texts are compared.
    told.push_str(&spawn_blocking(move || stories(&near, &apart)).await.unwrap_or_default());
    told.push_str(&publications(&store.standings(id).await?));
    told.push_str(&trail::revisions(&trail, zone_of(config, &article)));
    Ok(Some(told))
}

/// The same for a program: an object; nothing if there is no such article.
///
/// # Errors
/// The store does not answer.
pub async fn explain_for_programs(
    config: &Config,
    classifier: &Classifier,
    store: &Store,
    what: &str,
) -> Result<Option<Value>, StoreError> {
    let Some(id) = find(store, what).await? else { return Ok(None) };
    let Some(article) = store.article(id).await? else {
        let removal = store.removal(id).await?;
        let told = |removal: Removal| {
            let at = removal.at.to_rfc3339();
            json!({ "id": id.to_string(), "removed": { "at": at, "why": removal.why } })
        };
        if let Some(removal) = removal {
            return Ok(Some(told(removal)));
        }
        let dropped = store.dropped(id).await?;
        let told = |at: chrono::DateTime<chrono::Utc>| json!({ "id": id.to_string(), "dropped": { "at": at.to_rfc3339() } });
        return Ok(dropped.map(told));
    };
    let near = near(store, &article).await?;
    let apart = apart(config);
    let same = spawn_blocking(move || same_in_json(&near, &apart)).await.unwrap_or_default();
    let standings = store.standings(id).await?;
    let standings = standings.iter().map(|(selection, page)| {
        json!({ "path": format!("/{}.atom", selection.path()), "archive_page": page })
    });
    let feed = config.feeds.get(&article.feed);
    let found = feed.map(|feed| classifier.explain(&article, feed));
    let dismissed = found.map(|found| found.dismissed).unwrap_or_default();
    let dismissed = dismissed.iter().map(|dismissed| {
        json!({ "words": dismissed.words, "field": dismissed.field.map(place),
                "why": cause(config, &dismissed.why) })
    });
    let mut told = json!({
        "id": id.to_string(),
        "iri": article.iri,
        "feed": article.feed.as_str(),
        "title": article.headline(),
        "title_at_source": article.title,
        "page": article.url.as_ref().map(url::Url::as_str),
        "via": article.via.iter().map(url::Url::as_str).collect::<Vec<_>>(),
        "published": article.published.to_rfc3339(),
        "updated": article.updated.to_rfc3339(),
        "first_seen": article.first_seen.to_rfc3339(),
        "edits": article.revision,
        "pinned": store.pin_of(id).await?.map(|since| since.to_rfc3339()),
        "language": article.language(),
        "labels": labels_in_json(config, &article.labels),
        "excluded_by": article.labels.excluded_by.as_ref().map(|rule| rule_at(config, rule)),
        "categories_that_are_no_tag": article.labels.free_tags,
        "not_counted": dismissed.collect::<Vec<_>>(),
        "same_stories": same,
        "publications": standings.collect::<Vec<_>>(),
    });
    if let (Value::Object(told), Value::Object(trail)) =
        (&mut told, trail::trail_in_json(&store.trail(id).await?))
    {
        told.extend(trail);
    }
    Ok(Some(told))
}

/// An article, and those of the days around it.
async fn near(store: &Store, article: &Article) -> Result<Vec<Article>, StoreError> {
    let (from, to) = (article.published - WITHIN, article.published + WITHIN);
    let mut near = store.around(from, to, COMPARED_MAX).await?;
    near.retain(|other| other.id != article.id);
    near.insert(0, article.clone());
    Ok(near)
}

fn zone_of(config: &Config, article: &Article) -> Tz {
    config.feeds.get(&article.feed).map_or(Tz::Europe__Kyiv, |feed| feed.timezone)
}

/// The labels of an article with their reasons, for a program.
#[must_use]
pub fn labels_in_json(config: &Config, labels: &Labels) -> Value {
    let one = |kind: &str, id: &dyn Display, reasons: &[Reason]| {
        let reasons = reasons
            .iter()
            .map(|reason| json!({ "points": reason.points, "why": why(config, &reason.why) }));
        json!({ "kind": kind, "id": id.to_string(), "reasons": reasons.collect::<Vec<_>>() })
    };
    let regions = labels.regions.iter().map(|(id, reasons)| one("region", id, reasons));
    let communities = labels.communities.iter().map(|(id, why)| one("community", id, why));
    let tags = labels.tags.iter().map(|(id, reasons)| one("tag", id, reasons));
    regions.chain(communities).chain(tags).collect()
}

fn same_in_json(near: &[Article], apart: &Apart) -> Vec<Value> {
    let same = same_stories(near, apart).into_iter();
    let of_it = same.filter(|(one, other, _)| *one == 0 || *other == 0);
    let told = of_it.map(|(one, other, likeness)| {
        let other = &near[one.max(other)];
        json!({ "id": other.id.to_string(), "feed": other.feed.as_str(),
                "title": other.headline(), "why": likeness_told(likeness) })
    });
    told.collect()
}

fn likeness_told(likeness: Likeness) -> String {
    match likeness {
        Likeness::Page => "it has the same page".to_owned(),
        Likeness::Text(share) => format!("{share} % of the shorter text are in the other"),
    }
}

/// That an article was taken away, in words.
#[must_use]
pub fn removed(removal: &Removal) -> String {
    let by = match removal.by {
        Remover::Source => "its source",
        Remover::Admin => "the admin",
    };
    let at = moment(removal.at);
    format!("was taken down by {by} at {at}: {}", removal.why)
}

/// That an article is kept no longer, in words.
#[must_use]
pub fn ended(at: chrono::DateTime<chrono::Utc>) -> String {
    format!("was kept no longer on {}, as feeds.toml says", moment(at))
}

/// The id of the article that is meant by its id, its id in Atom, or the address of its page.
///
/// # Errors
/// The store does not answer.
pub async fn find(store: &Store, what: &str) -> Result<Option<ArticleId>, StoreError> {
    if let Ok(id) = what.to_ascii_lowercase().parse::<ArticleId>() {
        return Ok(Some(id));
    }
    let (wanted, page) = (what.to_owned(), page(what));
    let is_meant = move |article: &Article| {
        article.iri == wanted
            || article.url.as_ref().is_some_and(|url| self::page(url.as_str()) == page)
    };
    store.find(Box::new(is_meant)).await
}

/// The address of a page as people tell it: without a scheme, a fragment and the last slash.
fn page(address: &str) -> String {
    let address = address.split('#').next().unwrap_or_default();
    let rest = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    rest.unwrap_or(address).trim_end_matches('/').to_owned()
}

/// The labels of an article with their reasons, what did not count, and what rules did.
#[must_use]
pub fn labels(config: &Config, labels: &Labels, dismissed: &[Dismissed]) -> String {
    let mut told = String::new();
    if let Some(rule) = &labels.excluded_by {
        line(&mut told, format_args!("kept out of all publications by {}", rule_at(config, rule)));
    }
    if let Some(headline) = &labels.headline {
        line(&mut told, format_args!("headline by a rule: {headline}"));
    }
    group(&mut told, config, "region", &labels.regions);
    group(&mut told, config, "community", &labels.communities);
    group(&mut told, config, "tag", &labels.tags);
    if !labels.free_tags.is_empty() {
        line(
            &mut told,
            format_args!("categories that are no tag: «{}»", labels.free_tags.join("», «")),
        );
    }
    for Dismissed { field, words, why } in dismissed {
        let why = cause(config, why);
        match field {
            Some(field) => {
                line(&mut told, format_args!("not counted: «{words}» {}: {why}", place(*field)));
            }
            None => line(&mut told, format_args!("not counted: {words}: {why}")),
        }
    }
    told
}

fn cause(config: &Config, why: &Cause) -> String {
    match why {
        Cause::Is(what) => (*what).to_owned(),
        Cause::Passing => "in passing: too little beside other places".to_owned(),
        Cause::Weak(tag, points) => format!("{points} for `{tag}`, too little alone"),
        Cause::Rule(rule) => rule_at(config, rule),
    }
}

/// The categories that are no tag, by how many articles have them, with lines for feeds.toml.
///
/// # Errors
/// The store does not answer.
pub async fn free_tags(store: &Store) -> Result<String, StoreError> {
    let counted: Arc<Mutex<BTreeMap<String, Free>>> = Arc::default();
    let counting = Arc::clone(&counted);
    let count = move |articles: &[Article]| {
        let mut counted = counting.lock().unwrap_or_else(PoisonError::into_inner);
        for article in articles {
            for free in &article.labels.free_tags {
                let key = fold(free);
                if counted.len() < COUNTED_MAX || counted.contains_key(&key) {
                    counted.entry(key).or_default().add(free, article);
                }
            }
        }
    };
    store.for_each(count).await?;
    let counted = std::mem::take(&mut *counted.lock().unwrap_or_else(PoisonError::into_inner));
    let mut all: Vec<(String, Free)> = counted.into_iter().collect();
    all.sort_by(|(name, one), (other, two)| two.articles.cmp(&one.articles).then(name.cmp(other)));
    let mut told = match all.len() {
        0 => "# Every category is a tag.\n".to_owned(),
        1 => "# One category is no tag.\n".to_owned(),
        count => format!("# {count} categories are no tag; those of most articles first.\n"),
    };
    for (_, free) in all.iter().take(OFFERED_MAX) {
        told.push_str(&free.offer());
    }
    Ok(told)
}

/// A category that is no tag.
#[derive(Debug, Default)]
struct Free {
    articles: u64,
    /// How often it is written so.
    names: BTreeMap<String, u64>,
    /// The tags that the same articles have.
    beside: BTreeMap<TagId, u64>,
    feeds: BTreeMap<String, u64>,
}

impl Free {
    fn add(&mut self, name: &str, article: &Article) {
        self.articles += 1;
        *self.names.entry(name.to_owned()).or_default() += 1;
        *self.feeds.entry(article.feed.to_string()).or_default() += 1;
        for tag in article.labels.tags.keys() {
            *self.beside.entry(tag.clone()).or_default() += 1;
        }
    }

    fn offer(&self) -> String {
        let most = self.names.iter().max_by_key(|(_, count)| **count);
        let name = most.map(|(name, _)| name.replace(['"', '\\'], "’")).unwrap_or_default();
        let (feeds, beside) = (most_of(&self.feeds), most_of(&self.beside));
        let beside = if beside.is_empty() { beside } else { format!("; with {beside}") };
        let (n, s) = (self.articles, if self.articles == 1 { "" } else { "s" });
        format!("\n# {n} article{s} of {feeds}{beside}\n[[tag]]\nname = \"{name}\"\n")
    }
}

/// The three most frequent of some things, with their counts.
fn most_of<T: Display>(counts: &BTreeMap<T, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let told = counts.iter().take(3).map(|(what, count)| format!("{what} ({count})"));
    told.collect::<Vec<_>>().join(", ")
}

fn told(config: &Config, classifier: &Classifier, article: &Article, trail: &Trail) -> String {
    let feed = config.feeds.get(&article.feed);
    let zone = zone_of(config, article);
    let at = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%d.%m.%Y %H:%M");
    let mut told = format!("{}\n", article.headline());
    line(&mut told, format_args!("id         {}", article.id));
    line(&mut told, format_args!("feed       {}, {}", article.feed, article.origin.title));
    if let Some(url) = &article.url {
        line(&mut told, format_args!("page       {url}"));
    }
    told.push_str(&trail::origin(article, trail, zone));
    if article.revision > 0 {
        let times = if article.revision == 1 {
            "once".to_owned()
        } else {
            format!("{} times", article.revision)
        };
        line(&mut told, format_args!("edited     {times}, last on {}", at(article.updated)));
    }
    line(&mut told, format_args!("language   {}", article.language().unwrap_or("not known")));
    let found = feed.map(|feed| classifier.explain(article, feed));
    let dismissed = found.as_ref().map(|found| found.dismissed.as_slice()).unwrap_or_default();
    told.push_str(&labels(config, &article.labels, dismissed));
    told.push_str(&anew(feed, found.as_ref(), article));
    told
}

fn anew(feed: Option<&Feed>, found: Option<&Findings>, article: &Article) -> String {
    let mut told = String::new();
    if feed.is_none() {
        line(
            &mut told,
            format_args!("its feed is no more in feeds.toml: its labels stay as they are"),
        );
    } else if found.is_some_and(|found| found.labels.digest() != article.labels.digest()) {
        line(
            &mut told,
            format_args!(
                "feeds.toml has changed since: a running daemon labels it anew by itself, else the \
                 next `visnyk poll` does"
            ),
        );
    }
    told
}

/// The same story in other feeds; the article that is told of is the first of `near`.
fn stories(near: &[Article], apart: &Apart) -> String {
    let mut told = String::new();
    let same = same_stories(near, apart);
    let others = same.iter().filter(|(one, other, _)| *one == 0 || *other == 0);
    for (one, other, likeness) in others {
        let other = &near[one.max(other).to_owned()];
        let why = likeness_told(*likeness);
        line(&mut told, format_args!("same story: {} in {}: {why}", other.id, other.feed));
        line(&mut told, format_args!("    {}", other.headline()));
    }
    if !told.is_empty() {
        let shown = one_each(near.to_vec(), apart);
        if let Some(shown) = shown.iter().find(|shown| is_in(shown, &near[0])) {
            line(&mut told, format_args!("readers see: {}, of {}", shown.headline(), shown.feed));
        }
        let id = near[0].id;
        line(&mut told, format_args!("to part them: `apart = [\"{id}\"]` below [publishing]"));
    }
    told
}

/// Whether a story that readers see is that of an article: it has its page, or it is it.
fn is_in(shown: &Article, article: &Article) -> bool {
    let page = article.url.as_ref();
    shown.id == article.id
        || (page.is_some()
            && (shown.url.as_ref() == page || shown.via.iter().any(|via| Some(via) == page)))
}

fn publications(standings: &[(Selection, Option<u64>)]) -> String {
    let mut told = String::new();
    for (selection, page) in standings {
        let page = match page {
            Some(0) => ", hidden behind the same story".to_owned(),
            Some(page) => format!(", page {page} of its archive"),
            None => String::new(),
        };
        line(&mut told, format_args!("stands in  /{}.atom{page}", selection.path()));
    }
    told
}

fn group<Id: Display>(
    told: &mut String,
    config: &Config,
    kind: &str,
    labels: &BTreeMap<Id, Vec<Reason>>,
) {
    for (id, reasons) in labels {
        line(told, format_args!("{kind} {id}"));
        for reason in reasons {
            line(told, format_args!("    {:>3}  {}", reason.points, why(config, &reason.why)));
        }
    }
}

/// Why a label is there, or why an article is kept out, in words: `20 «школа» in the title`. The
/// label is given as [`edits`] tells it.
///
/// [`edits`]: crate::model::revision::edits
#[must_use]
pub fn reasons(config: &Config, labels: &Labels, label: &str) -> Vec<String> {
    let told = |reasons: &Vec<Reason>| {
        let one = |reason: &Reason| format!("{} {}", reason.points, why(config, &reason.why));
        reasons.iter().map(one).collect()
    };
    let (kind, id) = label.split_once(' ').unwrap_or((label, ""));
    let of = match kind {
        "region" => id.parse().ok().and_then(|id| labels.regions.get(&id)),
        "community" => id.parse().ok().and_then(|id| labels.communities.get(&id)),
        "tag" => id.parse().ok().and_then(|id| labels.tags.get(&id)),
        _ => None,
    };
    match (&labels.excluded_by, of) {
        (_, Some(reasons)) => told(reasons),
        (Some(rule), None) if kind == "excluded" => vec![rule_at(config, rule)],
        _ => Vec::new(),
    }
}

fn why(config: &Config, why: &Why) -> String {
    match why {
        Why::Feed => "feeds.toml says so of the feed".to_owned(),
        Why::Category { term } => format!("the category «{term}»"),
        Why::Words { field, words } => format!("«{words}» {}", place(*field)),
        Why::Community(id) => format!("the community `{id}` lies there"),
        Why::Rule(id) => rule_at(config, id),
        Why::Host(host) => format!("its page is at {host}"),
        Why::Point(point) => format!("it lies at {point}"),
    }
}

fn rule_at(config: &Config, id: &RuleId) -> String {
    match config.rules.iter().find(|rule| rule.id == *id) {
        Some(rule) => format!("rule `{id}`, feeds.toml:{}", rule.line),
        None => format!("rule `{id}`, which is no more in feeds.toml"),
    }
}

fn place(field: Field) -> &'static str {
    match field {
        Field::Title => "in the title",
        Field::Lead => "in the first paragraph",
        Field::Body => "in the text",
        Field::Category => "in a category",
    }
}

fn line(told: &mut String, what: std::fmt::Arguments<'_>) {
    let what = what.to_string();
    if what.chars().count() + 2 <= COLUMNS {
        told.push_str("  ");
        told.push_str(&what);
        told.push('\n');
        return;
    }
    // What goes on stands below the words, not below the name or the points before them.
    let indent = what.len() - what.trim_start().len();
    let rest = what.trim_start();
    if let Some((name, words)) = rest.split_once("  ") {
        let width = rest.len() - words.trim_start().len();
        put_at(told, indent + 2, width, name, words);
        return;
    }
    let mut left = indent + 2;
    for line in wrapped(rest, COLUMNS.saturating_sub(indent + 6)) {
        told.extend([" ".repeat(left).as_str(), &line, "\n"]);
        left = indent + 6;
    }
}
