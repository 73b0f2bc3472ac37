//! Why a label is on an article, in the words of readers.

use crate::model::article::Article;
use crate::model::article::Field;
use crate::model::article::Reason;
use crate::model::article::Why;
use crate::model::publication::Selection;
use crate::publish::Masthead;
use crate::publish::html::Named;
use crate::publish::html::language::Language;
use crate::publish::html::named;

/// A label, and why it is there.
pub(crate) struct Explained {
    pub(super) label: Named,
    pub(super) reasons: Vec<String>,
}

/// The labels of an article with their reasons: regions, then communities, then tags.
pub(super) fn explained(
    masthead: Masthead<'_>,
    language: Language,
    article: &Article,
) -> Vec<Explained> {
    let labels = &article.labels;
    let regions = labels.regions.iter().map(|(id, why)| (Selection::Region(id.clone()), why));
    let communities =
        labels.communities.iter().map(|(id, why)| (Selection::Community(id.clone()), why));
    let tags = labels.tags.iter().map(|(id, why)| (Selection::Tag(id.clone()), why));
    let known = regions.chain(communities).chain(tags).filter(|(label, _)| masthead.knows(label));
    known
        .map(|(label, reasons)| Explained {
            label: named(masthead, language, &label),
            reasons: told(masthead, language, reasons),
        })
        .collect()
}

fn told(masthead: Masthead<'_>, language: Language, reasons: &[Reason]) -> Vec<String> {
    let mut told: Vec<String> =
        reasons.iter().map(|reason| why(masthead, language, &reason.why)).collect();
    let mut seen = std::collections::BTreeSet::new();
    told.retain(|reason| seen.insert(reason.clone()));
    told
}

fn why(masthead: Masthead<'_>, language: Language, why: &Why) -> String {
    let words = language.words();
    match why {
        Why::Feed => words.because_feed.to_owned(),
        Why::Category { term } => format!("{} «{term}»", words.because_category),
        Why::Words { field, words: said } => {
            let place = match field {
                Field::Title => words.in_title,
                Field::Lead => words.in_lead,
                Field::Body => words.in_body,
                Field::Category => words.in_category,
            };
            format!("«{said}» {place}")
        }
        Why::Community(id) => {
            let name = named(masthead, language, &Selection::Community(id.clone())).text;
            format!("{}: {name}", words.because_community)
        }
        Why::Rule(id) => format!("{} «{id}»", words.because_rule),
        Why::Host(host) => format!("{} {host}", words.because_host),
        Why::Point(point) => format!("{}: {point}", words.because_point),
    }
}
