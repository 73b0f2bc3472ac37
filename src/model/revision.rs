//! What changed in an article from one writing of it to the next, short enough to be kept.
//!
//! # Why
//! Who asks why readers see an article as new, or where a sentence went, needs what it was
//! before. Whole texts are kept only where pages of archives show them.

use crate::model::article::Article;
use crate::model::article::Labels;
use crate::model::clock::moment;
use crate::model::provenance::Provenance;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use similar::Algorithm;
use similar::DiffOp;
use similar::capture_diff_slices;
use std::collections::BTreeSet;

/// How many revisions of an article are kept: the last.
pub const REVISIONS_KEPT_MAX: usize = 10;
/// How much of a field is kept, before and after, in characters.
const FIELD_CHARS_MAX: usize = 160;
/// How much of the changed words of a text is kept, in characters.
const EXCERPT_CHARS_MAX: usize = 240;
/// How many words of a text are compared; of longer texts is told only how much differs.
const WORDS_MAX: usize = 3_000;
/// How many words are compared in one commit, which others wait for; of further texts
/// is told only how much differs.
const WORDS_OF_COMMIT_MAX: usize = 30_000;
/// An article that changed so long before it was written changed when it was polled.
const AS_WRITTEN: TimeDelta = TimeDelta::minutes(2);
/// How many words are shown around a change.
const AROUND: usize = 3;

/// What is kept of an article beside itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    /// Where it came from; none of articles that are older than this record.
    pub provenance: Option<Provenance>,
    /// What changed, the oldest first; at most [`REVISIONS_KEPT_MAX`].
    pub revisions: Vec<Revision>,
    /// How many revisions before these are forgotten.
    pub forgotten: u32,
}

impl Trail {
    /// Adds a revision, and forgets the oldest if they are too many.
    pub fn add(&mut self, revision: Revision) {
        self.revisions.push(revision);
        let over = self.revisions.len().saturating_sub(REVISIONS_KEPT_MAX);
        self.revisions.drain(..over);
        self.forgotten = self.forgotten.saturating_add(u32::try_from(over).unwrap_or(u32::MAX));
    }
}

/// What changed at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Which edit that a reader saw it was; as before if no reader sees one.
    pub number: u32,
    /// What changed.
    pub edits: Vec<Edit>,
}

/// A change of one part of an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A field, as far as it is kept.
    Field {
        /// Which.
        part: Part,
        /// Before; empty if there was none.
        before: String,
        /// After; empty if there is none.
        after: String,
    },
    /// The text.
    Text {
        /// How many words were added.
        added: u32,
        /// How many words were removed.
        removed: u32,
        /// The changed words among their neighbours: `[-old-]`, `{+new+}`. Empty if the text is
        /// too long to be compared, or too many others were: then the counts are of all
        /// between the first and the last word that differ.
        excerpt: String,
    },
    /// Labels that came and went, such as `tag osvita`.
    Labels {
        /// Those that came.
        gained: Vec<String>,
        /// Those that went.
        lost: Vec<String>,
    },
}

/// A part of an article that is told whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The headline.
    Title,
    /// The first paragraph.
    Lead,
    /// The page.
    Url,
    /// When it last changed, as readers are told.
    Updated,
    /// The picture.
    Image,
    /// Who wrote it.
    Authors,
    /// The files that come with it.
    Files,
}

impl Part {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Lead => "lead",
            Self::Url => "page",
            Self::Updated => "updated",
            Self::Image => "picture",
            Self::Authors => "authors",
            Self::Files => "files",
        }
    }
}

/// How many words may still be compared.
#[derive(Debug)]
pub struct Words(usize);

impl Words {
    /// As many as in one commit.
    #[must_use]
    pub fn of_commit() -> Self {
        Self(WORDS_OF_COMMIT_MAX)
    }

    /// Takes some words off, if there are so many left.
    fn take(&mut self, count: usize) -> Option<()> {
        self.0 = self.0.checked_sub(count)?;
        Some(())
    }
}

/// What differs between two writings of an article; none if it is nothing that is told. That it
/// changed when it was written goes without saying. Texts are compared while there are words left.
#[must_use]
pub fn between(
    before: &Article,
    after: &Article,
    words: &mut Words,
    at: DateTime<Utc>,
) -> Option<Revision> {
    let is_now = (after.updated - at).abs() <= AS_WRITTEN;
    let mut edits = edits_within(before, after, words);
    edits.retain(|edit| !(is_now && matches!(edit, Edit::Field { part: Part::Updated, .. })));
    (!edits.is_empty()).then_some(Revision { at, number: after.revision, edits })
}

/// What differs between two writings of an article.
#[must_use]
pub fn edits(before: &Article, after: &Article) -> Vec<Edit> {
    edits_within(before, after, &mut Words(usize::MAX))
}

fn edits_within(before: &Article, after: &Article, words: &mut Words) -> Vec<Edit> {
    let address = |article: &Article| article.url.as_ref().map(ToString::to_string);
    let picture = |article: &Article| article.image.as_ref().map(|image| image.url.to_string());
    let authors = |article: &Article| {
        article.authors.iter().map(|author| author.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let files = |article: &Article| {
        let files = article.enclosures.iter().map(|file| file.url.to_string());
        files.collect::<Vec<_>>().join(", ")
    };
    let updated = |article: &Article| moment(article.updated);
    let fields = [
        (Part::Title, before.title.clone(), after.title.clone()),
        (Part::Lead, before.lead.clone(), after.lead.clone()),
        (Part::Url, address(before).unwrap_or_default(), address(after).unwrap_or_default()),
        (Part::Updated, updated(before), updated(after)),
        (Part::Image, picture(before).unwrap_or_default(), picture(after).unwrap_or_default()),
        (Part::Authors, authors(before), authors(after)),
        (Part::Files, files(before), files(after)),
    ];
    let fields = fields.into_iter().filter(|(_, before, after)| before != after);
    let fields = fields.map(|(part, before, after)| {
        let (before, after) = apart(&before, &after);
        Edit::Field { part, before, after }
    });
    fields
        .chain(text(&before.body, &after.body, words))
        .chain(labels(&before.labels, &after.labels))
        .collect()
}

/// Two texts that differ, cut to what is kept: from a little before where they part.
fn apart(before: &str, after: &str) -> (String, String) {
    let same = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let from = if before.chars().count().max(after.chars().count()) <= FIELD_CHARS_MAX {
        0
    } else {
        same.saturating_sub(FIELD_CHARS_MAX / 4)
    };
    (part(before, from, FIELD_CHARS_MAX), part(after, from, FIELD_CHARS_MAX))
}

/// So many characters of a text from a place on, with "…" where it goes on.
fn part(text: &str, from: usize, chars_max: usize) -> String {
    let mut rest = text.chars().skip(from);
    let shown: String = rest.by_ref().take(chars_max).collect();
    let (start, end) =
        (if from > 0 { "…" } else { "" }, if rest.next().is_some() { "…" } else { "" });
    if shown.is_empty() { shown } else { format!("{start}{shown}{end}") }
}

/// How two texts differ, word by word.
fn text(before: &str, after: &str, words: &mut Words) -> Option<Edit> {
    if before == after {
        return None;
    }
    let (before, after) = (plain(before), plain(after));
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_whitespace().collect(), after.split_whitespace().collect());
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let is_long = old.len().max(new.len()) > WORDS_MAX;
    if is_long || words.take(old.len() + new.len()).is_none() {
        let (removed, added) = apart_by(&old, &new);
        let (added, removed) = (count(added), count(removed));
        return Some(Edit::Text { added, removed, excerpt: String::new() });
    }
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let (mut added, mut removed, mut told) = (0, 0, Vec::new());
    let mut shown = 0;
    for operation in &operations {
        let (gone, come) = (&old[operation.old_range()], &new[operation.new_range()]);
        if let DiffOp::Equal { .. } = operation {
            continue;
        }
        removed += gone.len();
        added += come.len();
        let start = operation.new_range().start;
        // Words between two changes are told once.
        let from = start.saturating_sub(AROUND).max(shown);
        if from > shown {
            told.push("…".to_owned());
        }
        told.extend(new[from..start].iter().map(|word| (*word).to_owned()));
        if !gone.is_empty() {
            told.push(format!("[-{}-]", gone.join(" ")));
        }
        if !come.is_empty() {
            told.push(format!("{{+{}+}}", come.join(" ")));
        }
        shown = operation.new_range().end;
    }
    let after = shown.saturating_add(AROUND).min(new.len());
    told.extend(new[shown..after].iter().map(|word| (*word).to_owned()));
    if after < new.len() {
        told.push("…".to_owned());
    }
    let excerpt = part(&told.join(" "), 0, EXCERPT_CHARS_MAX);
    // Only the markup differs: there is no word to tell.
    let excerpt = if added + removed == 0 { String::new() } else { excerpt };
    Some(Edit::Text { added: count(added), removed: count(removed), excerpt })
}

/// How many words two texts have between the first and the last that differ.
fn apart_by(old: &[&str], new: &[&str]) -> (usize, usize) {
    let start = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (old, new) = (&old[start..], &new[start..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let end = ends.take_while(|(one, other)| one == other).count();
    (old.len() - end, new.len() - end)
}

/// The words of sanitised HTML: without its tags, its commonest entities undone.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for (place, piece) in html.split('<').enumerate() {
        let rest =
            if place == 0 { piece } else { piece.split_once('>').map_or("", |(_, rest)| rest) };
        text.push(' ');
        text.push_str(rest);
    }
    text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The labels that came and went.
fn labels(before: &Labels, after: &Labels) -> Option<Edit> {
    let (old, new) = (named(before), named(after));
    let gained: Vec<String> = new.difference(&old).cloned().collect();
    let lost: Vec<String> = old.difference(&new).cloned().collect();
    (!gained.is_empty() || !lost.is_empty()).then_some(Edit::Labels { gained, lost })
}

/// The labels in words, and what rules did beside them.
fn named(labels: &Labels) -> BTreeSet<String> {
    let regions = labels.regions.keys().map(|id| format!("region {id}"));
    let communities = labels.communities.keys().map(|id| format!("community {id}"));
    let tags = labels.tags.keys().map(|id| format!("tag {id}"));
    let excluded = labels.excluded_by.iter().map(|rule| format!("excluded by rule {rule}"));
    let headline = labels.headline.iter().map(|headline| format!("headline «{headline}»"));
    regions.chain(communities).chain(tags).chain(excluded).chain(headline).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::article::tests::article;

    fn body(before: &str, after: &str) -> Option<Edit> {
        text(before, after, &mut Words::of_commit())
    }

    #[test]
    fn the_words_of_a_text_are_compared_and_its_tags_are_not() {
        let edit = body(
            "<p>Один два три чотири пʼять шість сім вісім</p>",
            "<p>Один два три чотири <b>шість</b> сім вісім девʼять</p>",
        );
        let excerpt = "… два три чотири [-пʼять-] шість сім вісім {+девʼять+}".to_owned();
        assert_eq!(edit, Some(Edit::Text { added: 1, removed: 1, excerpt }));
        let markup = body("<p>Один два</p>", "<div>Один два</div>");
        assert_eq!(markup, Some(Edit::Text { added: 0, removed: 0, excerpt: String::new() }));
        assert_eq!(body("<p>а</p>", "<p>а</p>"), None);
        let long = "слово ".repeat(WORDS_MAX + 5);
        let edit = body(&long, "слово");
        let removed = u32::try_from(WORDS_MAX).unwrap() + 4;
        assert_eq!(edit, Some(Edit::Text { added: 0, removed, excerpt: String::new() }));
    }

    #[test]
    fn a_commit_compares_so_many_words_and_tells_how_much_differs_in_the_rest() {
        let words = &mut Words::of_commit();
        let before = "слово ".repeat(1_000);
        let after = format!("{before} ще одне");
        let excerpts = (0..20).map(|_| match text(&before, &after, words) {
            Some(Edit::Text { added: 2, removed: 0, excerpt }) => !excerpt.is_empty(),
            edit => panic!("{edit:?}"),
        });
        let compared = excerpts.take_while(|is_compared| *is_compared).count();
        assert_eq!(compared, WORDS_OF_COMMIT_MAX / 2_002);
        let edit = text(&before, &before.replace("слово ", "слово <b>"), words);
        assert_eq!(edit, Some(Edit::Text { added: 0, removed: 0, excerpt: String::new() }));
        // A short text still has a place.
        let excerpt = "[-а-] {+б+}".to_owned();
        assert_eq!(text("а", "б", words), Some(Edit::Text { added: 1, removed: 1, excerpt }));
    }

    #[test]
    fn long_fields_are_told_from_where_they_part() {
        let long = "а".repeat(500);
        let (before, after) = apart(&format!("{long}б"), &format!("{long}в"));
        assert_eq!(before, format!("…{}б", "а".repeat(FIELD_CHARS_MAX / 4)));
        assert_eq!(after, format!("…{}в", "а".repeat(FIELD_CHARS_MAX / 4)));
        assert_eq!(apart("", "нове"), (String::new(), "нове".to_owned()));
    }

    #[test]
    fn what_differs_is_told_and_a_view_counter_is_not() {
        let before = article();
        let at = before.updated;
        let words = &mut Words::of_commit();
        let read = Article { views: Some(9), ..before.clone() };
        assert_eq!(between(&before, &read, words, at), None);
        let mut after = Article { title: "Інша".to_owned(), revision: 4, ..before.clone() };
        after.labels.tags = std::iter::once(("b".parse().unwrap(), Vec::new())).collect();
        let edits = vec![
            Edit::Field {
                part: Part::Title,
                before: "Новина".to_owned(),
                after: "Інша".to_owned(),
            },
            Edit::Labels { gained: vec!["tag b".to_owned()], lost: vec!["tag a".to_owned()] },
        ];
        assert_eq!(between(&before, &after, words, at), Some(Revision { at, number: 4, edits }));
    }

    #[test]
    fn the_last_revisions_are_kept() {
        let mut trail = Trail::default();
        for number in 1..=13 {
            trail.add(Revision { at: DateTime::UNIX_EPOCH, number, edits: Vec::new() });
        }
        assert_eq!(trail.forgotten, 3);
        assert_eq!(trail.revisions.len(), REVISIONS_KEPT_MAX);
        assert_eq!(trail.revisions[0].number, 4);
    }
}
