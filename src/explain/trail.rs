//! Where an article came from, when each thing happened to it, and what changed.

use crate::explain::lines::put;
use crate::explain::lines::put_at;
use crate::model::article::Article;
use crate::model::revision::Edit;
use crate::model::revision::Trail;
use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use serde_json::Value;
use serde_json::json;

/// Where an article came from, in words.
#[must_use]
pub fn origin(article: &Article, trail: &Trail, zone: Tz) -> String {
    let mut told = String::new();
    if let Some(from) = &trail.provenance {
        put(&mut told, "document", &from.document);
        put(&mut told, "read", &clock(from.read, zone));
        put(&mut told, "entry id", from.entry_id.as_deref().unwrap_or("none"));
        let dates = [("published", &from.published), ("updated", &from.updated)];
        let dates: Vec<String> = dates
            .into_iter()
            .filter_map(|(name, said)| Some(format!("{name} «{}»", said.as_deref()?)))
            .collect();
        let dates = if dates.is_empty() { "no date".to_owned() } else { dates.join(", ") };
        put(&mut told, "it says", &dates);
        let published = clock(article.published, zone);
        put(&mut told, "published", &format!("{published}: {}", from.belief.told()));
    } else {
        put(&mut told, "published", &clock(article.published, zone));
    }
    put(&mut told, "first seen", &clock(article.first_seen, zone));
    if !article.via.is_empty() {
        let via: Vec<&str> = article.via.iter().map(url::Url::as_str).collect();
        put(&mut told, "via", &via.join(" "));
    }
    told
}

/// What changed in an article, in words.
#[must_use]
pub fn revisions(trail: &Trail, zone: Tz) -> String {
    let mut told = String::new();
    if trail.forgotten > 0 {
        put(&mut told, "changed", &format!("{} earlier times, no more kept", trail.forgotten));
    }
    let mut number = None;
    for revision in &trail.revisions {
        let is_seen = number.replace(revision.number) != Some(revision.number);
        let labels_only = revision.edits.iter().all(|edit| matches!(edit, Edit::Labels { .. }));
        let which = match (labels_only, is_seen) {
            (true, _) => "labelled anew".to_owned(),
            (false, true) => format!("edit {}", revision.number),
            (false, false) => "changed".to_owned(),
        };
        put(&mut told, "changed", &format!("{}: {which}", clock(revision.at, zone)));
        for edit in &revision.edits {
            told.push_str(&one(edit));
        }
    }
    told
}

/// A change, in lines.
#[must_use]
pub fn one(edit: &Edit) -> String {
    let mut told = String::new();
    match edit {
        Edit::Field { part, before, after } => {
            let shown = |text: &str| {
                if text.is_empty() { "nothing".to_owned() } else { format!("«{text}»") }
            };
            put_at(&mut told, 4, 9, part.name(), &shown(before));
            put_at(&mut told, 4, 9, "      →", &shown(after));
        }
        Edit::Text { added, removed, excerpt } => {
            let counts = match (added, removed) {
                (0, 0) => "only its markup".to_owned(),
                _ => format!("+{added} −{removed} words"),
            };
            let excerpt = if excerpt.is_empty() { String::new() } else { format!(": {excerpt}") };
            put_at(&mut told, 4, 9, "text", &format!("{counts}{excerpt}"));
        }
        Edit::Labels { gained, lost } => {
            let gained = gained.iter().map(|label| ("+", label));
            for (sign, label) in gained.chain(lost.iter().map(|label| ("−", label))) {
                put_at(&mut told, 4, 2, sign, label);
            }
        }
    }
    told
}

/// The same for a program.
#[must_use]
pub fn in_json(edit: &Edit) -> Value {
    match edit {
        Edit::Field { part, before, after } => {
            json!({ "part": part.name(), "before": before, "after": after })
        }
        Edit::Text { added, removed, excerpt } => {
            json!({ "part": "text", "added": added, "removed": removed, "excerpt": excerpt })
        }
        Edit::Labels { gained, lost } => {
            json!({ "part": "labels", "gained": gained, "lost": lost })
        }
    }
}

/// What is kept of an article beside itself, for a program.
#[must_use]
pub fn trail_in_json(trail: &Trail) -> Value {
    let provenance = trail.provenance.as_ref().map(|from| {
        json!({
            "document": from.document,
            "read": from.read.to_rfc3339(),
            "entry_id": from.entry_id,
            "published_said": from.published,
            "updated_said": from.updated,
            "published_belief": from.belief.word(),
        })
    });
    let revisions = trail.revisions.iter().map(|revision| {
        json!({
            "at": revision.at.to_rfc3339(),
            "edit": revision.number,
            "changes": revision.edits.iter().map(in_json).collect::<Vec<_>>(),
        })
    });
    json!({
        "provenance": provenance,
        "revisions": revisions.collect::<Vec<_>>(),
        "revisions_forgotten": trail.forgotten,
    })
}

/// An instant on the clocks of the feed.
fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%d.%m.%Y %H:%M:%S %Z").to_string()
}
