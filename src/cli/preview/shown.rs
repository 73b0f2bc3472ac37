//! What a document would bring, as a person reads it and for a program.

use crate::classify::Classifier;
use crate::cli::log::colours_of_output;
use crate::config::Config;
use crate::explain::labels;
use crate::explain::labels_in_json;
use crate::explain::lines::COLUMNS;
use crate::explain::lines::counted;
use crate::explain::lines::cut;
use crate::explain::lines::put;
use crate::model::address::keyless;
use crate::model::article::Article;
use crate::model::exchange::Validators;
use crate::model::feed::Feed;
use crate::model::provenance::Belief;
use crate::model::provenance::Provenance;
use crate::trial::Arrival;
use crate::trial::Brought;
use crate::trial::Dates;
use crate::trial::LabelCounts;
use crate::trial::article_of;
use chrono_tz::Tz;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// How much of a lead is shown, in characters.
const LEAD_CHARS_MAX: usize = 200;
/// How many labels of one kind are told of a whole document.
const LABELS_TOLD_MAX: usize = 8;

/// What a document would bring, for a person.
pub(super) fn told(
    config: &Config,
    classifier: &Classifier,
    feed: &Feed,
    arrival: &Arrival,
    brought: &Brought,
    limit: usize,
) -> String {
    let mut told = format!("{} ({})\n", feed.title, feed.id);
    told.push_str(&head(feed, arrival, brought));
    let articles = brought.ingested.changes.iter().filter_map(article_of);
    for article in articles.clone().take(limit) {
        let from = brought.ingested.provenances.get(&article.id);
        told.push_str(&one(config, classifier, feed, article, from));
    }
    let more = articles.count().saturating_sub(limit);
    if more > 0 {
        told.extend([format!("\n… and {more} more: `--limit N` shows N of them\n")]);
    }
    if !brought.ingested.rejected.is_empty() {
        told.push_str("\nno article from\n");
    }
    for rejected in &brought.ingested.rejected {
        put(&mut told, "rejected", &format!("{}: {}", rejected.what, rejected.reason));
    }
    let tally = brought.ingested.tally;
    told.extend([format!(
        "\n{}, {}, {} rejected",
        if tally.entries == 1 {
            "1 entry".to_owned()
        } else {
            format!("{} entries", tally.entries)
        },
        counted(tally.added as usize, "article"),
        tally.rejected
    )]);
    told
}

/// How it was fetched and read, and what it says of itself.
fn head(feed: &Feed, arrival: &Arrival, brought: &Brought) -> String {
    let mut told = String::new();
    let heading = &brought.ingested.heading;
    for hop in &arrival.said.hops {
        put(&mut told, "redirected", &format!("{} by {}", hop.status, keyless(&hop.from)));
    }
    let status = arrival.said.status.map(|status| format!("{status} ")).unwrap_or_default();
    put(&mut told, "fetched", &format!("{status}{}", keyless(&arrival.url)));
    let content_type = arrival.content_type.as_deref().unwrap_or("no content type");
    let took = arrival.took.as_millis();
    put(&mut told, "as", &format!("{content_type}, {} bytes, in {took} ms", arrival.bytes));
    let charset = format!("{} {}", heading.charset.name, heading.charset.by.told());
    put(&mut told, "read as", &format!("{}, {charset}", heading.format.name()));
    if let Some(to) = &arrival.said.moved {
        put(&mut told, "moved", &format!("for good: write `url = \"{to}\"`"));
    }
    let said = [&heading.title, &heading.link, &heading.language];
    let said: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
    if !said.is_empty() {
        put(&mut told, "says", &said.join(", "));
    }
    if let Some(hub) = hub(arrival, brought) {
        put(&mut told, "hub", &format!("{hub} (WebSub)"));
    }
    put(&mut told, "validators", &validators(&arrival.validators));
    put(&mut told, "dates", &dates(&brought.dates, feed.timezone));
    for (kind, counts) in kinds(&brought.labels) {
        if !counts.is_empty() {
            put(&mut told, kind, &counts_told(counts));
        }
    }
    if brought.labels.excluded > 0 {
        put(
            &mut told,
            "kept out",
            &format!("{} by rules", counted(brought.labels.excluded, "article")),
        );
    }
    for repair in &brought.ingested.repairs {
        put(&mut told, "mended", repair);
    }
    told
}

/// The labels of a document, by kind.
pub(crate) fn kinds(labels: &LabelCounts) -> [(&'static str, &BTreeMap<String, usize>); 3] {
    [("regions", &labels.regions), ("communities", &labels.communities), ("tags", &labels.tags)]
}

/// Labels by how many articles have them, those of most first.
pub(crate) fn counts_told(counts: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let more = counts.len().saturating_sub(LABELS_TOLD_MAX);
    let told = counts.iter().take(LABELS_TOLD_MAX).map(|(label, count)| format!("{label} {count}"));
    let told = told.collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{told}, {more} more") } else { told }
}

/// Where changes are announced: as the answer says, else the document.
pub(crate) fn hub(arrival: &Arrival, brought: &Brought) -> Option<String> {
    let of_answer = arrival.said.hub.as_ref().map(ToString::to_string);
    of_answer.or_else(|| brought.ingested.heading.hub.clone())
}

/// What the dates of a document are like.
pub(crate) fn dates(dates: &Dates, zone: Tz) -> String {
    let Dates { believed, without, future, newest } = *dates;
    let mut told = match (believed, without, future) {
        (0, 0, 0) => return "no entry".to_owned(),
        (0, _, 0) => "no entry has one".to_owned(),
        (_, 0, 0) => "all entries have one".to_owned(),
        _ => format!("{believed} of {} entries", believed + without + future),
    };
    if let Some(newest) = newest {
        let newest = newest.with_timezone(&zone).format("%d.%m.%Y %H:%M");
        told.extend([format!(", the newest {newest}")]);
    }
    if future > 0 {
        told.extend([format!(", {future} in the future")]);
    }
    told
}

fn validators(validators: &Validators) -> String {
    let text = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let etag = text(&validators.etag).map(|etag| format!("ETag {etag}"));
    let modified = text(&validators.last_modified).map(|at| format!("Last-Modified {at}"));
    let both: Vec<String> = etag.into_iter().chain(modified).collect();
    if both.is_empty() { "none: every poll brings the whole".to_owned() } else { both.join(", ") }
}

fn one(
    config: &Config,
    classifier: &Classifier,
    feed: &Feed,
    article: &Article,
    from: Option<&Provenance>,
) -> String {
    let at = article.published.with_timezone(&feed.timezone).format("%d.%m.%Y %H:%M");
    let mut title = cut(article.headline(), COLUMNS - 18);
    if colours_of_output() {
        title = format!("\x1b[1m{title}\x1b[0m");
    }
    let mut told = format!("\n{at}  {title}\n");
    if article.labels.headline.is_some() {
        put(&mut told, "title", &format!("«{}» → «{}»", article.title, article.headline()));
    }
    if let Some(from) = from.filter(|from| !matches!(from.belief, Belief::Said)) {
        put(&mut told, "date", from.belief.told());
    }
    if let Some(url) = &article.url {
        put(&mut told, "page", url.as_str());
    }
    if !article.lead.is_empty() {
        put(&mut told, "lead", &lead(&article.lead));
    }
    if let Some(image) = &article.image {
        let caption = image.caption.iter().map(|caption| format!(" «{caption}»"));
        put(&mut told, "picture", &format!("{}{}", image.url, caption.collect::<String>()));
    }
    if let Some(views) = article.views {
        put(&mut told, "views", &views.to_string());
    }
    if !article.authors.is_empty() {
        let names: Vec<&str> = article.authors.iter().map(|who| who.name.as_str()).collect();
        put(&mut told, "authors", &names.join(", "));
    }
    if article.source.name != feed.title {
        put(&mut told, "source", &article.source.name);
    }
    let findings = classifier.explain(article, feed);
    told.push_str(&labels(config, &findings.labels, &findings.dismissed));
    told
}

fn lead(lead: &str) -> String {
    match lead.char_indices().nth(LEAD_CHARS_MAX) {
        Some((end, _)) => {
            format!("{}…", lead[..end].rsplit_once(' ').map_or(&lead[..end], |(cut, _)| cut))
        }
        None => lead.to_owned(),
    }
}

/// The same for a program: an object.
pub(super) fn in_json(
    config: &Config,
    feed: &Feed,
    arrival: &Arrival,
    brought: &Brought,
) -> String {
    let ingested = &brought.ingested;
    let articles = ingested.changes.iter().filter_map(article_of).map(|article| {
        let from = ingested.provenances.get(&article.id);
        json!({
            "id": article.id.to_string(),
            "title": article.headline(),
            "title_at_source": article.title,
            "page": article.url.as_ref().map(url::Url::as_str),
            "lead": article.lead,
            "published": article.published.to_rfc3339(),
            "published_said": from.and_then(|from| from.published.as_ref()),
            "published_belief": from.map(|from| from.belief.word()),
            "picture": article.image.as_ref().map(|image| image.url.as_str()),
            "views": article.views,
            "authors": article.authors.iter().map(|who| who.name.as_str()).collect::<Vec<_>>(),
            "source": article.source.name,
            "language": article.language(),
            "labels": labels_in_json(config, &article.labels),
            "excluded_by": article.labels.excluded_by.as_ref().map(ToString::to_string),
        })
    });
    let articles: Vec<Value> = articles.collect();
    let rejected = ingested
        .rejected
        .iter()
        .map(|rejected| json!({ "what": rejected.what, "reason": rejected.reason }));
    json!({
        "feed": feed.id.as_str(),
        "fetched": fetched_in_json(arrival),
        "document": document_in_json(arrival, brought),
        "articles": articles,
        "rejected": rejected.collect::<Vec<_>>(),
    })
    .to_string()
}

/// How a document was fetched, for a program.
pub(crate) fn fetched_in_json(arrival: &Arrival) -> Value {
    let text = |bytes: &Option<Vec<u8>>| {
        bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let hops = arrival.said.hops.iter();
    let hops = hops.map(|hop| json!({ "status": hop.status, "from": keyless(&hop.from).as_str() }));
    json!({
        "url": keyless(&arrival.url).as_str(),
        "status": arrival.said.status,
        "redirects": hops.collect::<Vec<_>>(),
        "moved_to": arrival.said.moved.as_ref().map(url::Url::as_str),
        "content_type": arrival.content_type,
        "bytes": arrival.bytes,
        "ms": u64::try_from(arrival.took.as_millis()).unwrap_or(u64::MAX),
        "etag": text(&arrival.validators.etag),
        "last_modified": text(&arrival.validators.last_modified),
    })
}

/// What a document says of itself and what it holds, for a program.
pub(crate) fn document_in_json(arrival: &Arrival, brought: &Brought) -> Value {
    let (heading, labels) = (&brought.ingested.heading, &brought.labels);
    json!({
        "format": heading.format.name(),
        "charset": heading.charset.name,
        "charset_found": heading.charset.by.told(),
        "title": heading.title,
        "page": heading.link,
        "language": heading.language,
        "hub": hub(arrival, brought),
        "entries": brought.ingested.tally.entries,
        "articles": brought.ingested.tally.added,
        "rejected": brought.ingested.tally.rejected,
        "broken_off": brought.ingested.is_broken_off,
        "repairs": brought.ingested.repairs,
        "dates": {
            "believed": brought.dates.believed,
            "without": brought.dates.without,
            "future": brought.dates.future,
            "newest": brought.dates.newest.map(|at| at.to_rfc3339()),
        },
        "labels": {
            "regions": labels.regions,
            "communities": labels.communities,
            "tags": labels.tags,
            "excluded": labels.excluded,
        },
    })
}
