//! What is wrong in feeds.toml, and how that is shown: as the compiler shows it, with the line,
//! the place and what would be right.

use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use std::fmt;
use std::ops::Range;

/// How many problems are kept and shown; of more, only their number is told.
const PROBLEMS_SHOWN_MAX: usize = 500;

/// A place in the text: bytes.
pub(crate) type Span = Range<usize>;

/// Everything that is wrong in a feeds.toml, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    file_name: String,
    text: String,
    shown: Vec<Problem>,
    count: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    what: String,
    /// Where, and what would be right there. Nowhere if the file could not be read at all.
    here: Option<Mark>,
    /// Another place that has to do with it.
    there: Option<Mark>,
}

/// A place, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    span: Span,
    label: String,
}

/// Problems, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    kept: Vec<Problem>,
    count: usize,
}

impl Found {
    /// Notes what is wrong, where, and what would be right.
    pub(crate) fn add(&mut self, what: impl Into<String>, span: Span, label: impl Into<String>) {
        let here = Mark { span, label: label.into() };
        self.keep(Problem { what: what.into(), here: Some(here), there: None });
    }

    /// Notes what is wrong between two places.
    pub(crate) fn add_pair(
        &mut self,
        what: impl Into<String>,
        here: (Span, impl Into<String>),
        there: (Span, impl Into<String>),
    ) {
        let here = Mark { span: here.0, label: here.1.into() };
        let there = Mark { span: there.0, label: there.1.into() };
        self.keep(Problem { what: what.into(), here: Some(here), there: Some(there) });
    }

    /// Notes what is wrong with the file as a whole.
    pub(crate) fn add_unplaced(&mut self, what: impl Into<String>) {
        self.keep(Problem { what: what.into(), here: None, there: None });
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether more problems are only counted, so that no work on their wording is due.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= PROBLEMS_SHOWN_MAX
    }

    /// What was found in a file.
    pub(crate) fn of_file(mut self, file_name: &str, text: &str) -> Problems {
        self.kept.sort_by_key(|problem| problem.here.as_ref().map(|mark| mark.span.start));
        Problems {
            file_name: file_name.to_owned(),
            text: without_secrets(&without_credentials(text)),
            shown: self.kept,
            count: self.count,
        }
    }

    fn keep(&mut self, problem: Problem) {
        self.count += 1;
        if !self.is_full() {
            self.kept.push(problem);
        }
    }
}

impl Problems {
    /// How many there are. Never none.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The text for a terminal that shows colours.
    #[must_use]
    pub fn coloured(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut parts: Vec<String> = self
            .shown
            .iter()
            .map(|problem| renderer.render(&[self.group(problem)]).trim_end().to_owned())
            .collect();
        let more = self.count - self.shown.len();
        if more > 0 {
            let title = Level::ERROR.primary_title(format!("{more} more problems are not shown"));
            parts.push(renderer.render(&[Group::with_title(title)]));
        }
        parts.join("\n\n")
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let title = Level::ERROR.primary_title(problem.what.as_str());
        let Some(here) = &problem.here else {
            return Group::with_title(title);
        };
        let there = problem.there.as_ref();
        // Only the lines that are shown are handed on: the whole file, once for each problem,
        // would make many problems in a long file slow.
        let first = there.map_or(here.span.start, |mark| mark.span.start.min(here.span.start));
        let last = there.map_or(here.span.end, |mark| mark.span.end.max(here.span.end));
        let (first, last) = (self.border(first), self.border(last.max(first)));
        let start = self.text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[last..].find('\n').map_or(self.text.len(), |newline| last + newline);
        let line = self.text[..start].matches('\n').count() + 1;
        let shift = |mark: &Mark| {
            self.border(mark.span.start) - start
                ..self.border(mark.span.end.max(mark.span.start)) - start
        };
        let mut snippet = Snippet::source(&self.text[start..end])
            .path(self.file_name.as_str())
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(shift(here)).label(here.label.as_str()));
        if let Some(mark) = there {
            let context = AnnotationKind::Context.span(shift(mark)).label(mark.label.as_str());
            snippet = snippet.annotation(context);
        }
        title.element(snippet)
    }

    /// The border of characters at a place or, inside a character, before it.
    fn border(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

impl fmt::Display for Problems {
    /// Plain text, for a file or a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for Problems {}

/// The text with `*` for each byte of a user name and password in an address: what is shown may
/// end in a log. Places in the text stay what they were.
fn without_credentials(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut from = 0;
        for (at, _) in line.match_indices('@') {
            let edge = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '@');
            let start = line[..at].rfind(edge).map_or(0, |edge| edge + 1).max(from);
            let of_an_address = line[..start].ends_with("//") || line[start..at].contains(':');
            if of_an_address {
                safe.push_str(&line[from..start]);
                safe.extend(std::iter::repeat_n('*', at - start));
                from = at;
            }
        }
        safe.push_str(&line[from..]);
    }
    safe
}

/// The text with `*` for each byte of what was written as a secret instead of where one is.
fn without_secrets(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let value = line.trim_start().strip_prefix("secret").and_then(|rest| {
            rest.trim_start()
                .strip_prefix('=')
                .map(|rest| rest.trim_start_matches([' ', '\t', '"', '\'']))
        });
        let is_place = |value: &str| {
            ["credential:", "file:", "env:"].iter().any(|kind| value.starts_with(kind))
        };
        let Some(value) = value.filter(|value| !is_place(value)) else {
            safe.push_str(line);
            continue;
        };
        let (before, value) = line.split_at(line.len() - value.len());
        let end = value.find(['"', '\'', '\n']).unwrap_or(value.len());
        safe.push_str(before);
        safe.extend(std::iter::repeat_n('*', end));
        safe.push_str(&value[end..]);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_written_down_is_not_shown() {
        for (text, expected) in [
            ("secret = \"canary\" # x\n", "secret = \"******\" # x\n"),
            ("  secret='я'", "  secret='**'"),
            ("secret = canary\nurl = \"x\"", "secret = ******\nurl = \"x\""),
            ("secret = \"env:TOKEN\"", "secret = \"env:TOKEN\""),
            ("secrets = 1", "secrets = 1"),
        ] {
            assert_eq!(without_secrets(text), expected);
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (line, shown) in [
            ("url = \"https://me:secret@a.example/\"", "url = \"https://*********@a.example/\""),
            ("url = \"https:me:secret@a.example/\"", "url = \"***************@a.example/\""),
            ("url = 'https://я@a.example/'", "url = 'https://**@a.example/'"),
            ("contact = \"admin@a.example\"", "contact = \"admin@a.example\""),
            ("a = \"http://b:c@d\" # e@f", "a = \"http://***@d\" # e@f"),
            ("url = \"https://me:p@ss@a.example/\"", "url = \"https://****@ss@a.example/\""),
        ] {
            assert_eq!(without_credentials(line), shown);
            assert_eq!(without_credentials(line).len(), line.len());
        }
    }

    #[test]
    fn of_very_many_problems_the_last_are_only_counted() {
        let mut found = Found::default();
        for _ in 0..PROBLEMS_SHOWN_MAX + 7 {
            found.add("a mistake", 0..1, "here");
        }
        let problems = found.of_file("feeds.toml", "x = 1\n");
        assert_eq!(problems.count(), PROBLEMS_SHOWN_MAX + 7);
        assert!(problems.to_string().ends_with("error: 7 more problems are not shown"));
    }

    #[test]
    fn colours_are_only_for_those_who_ask() {
        let mut found = Found::default();
        found.add("a mistake", 0..1, "here");
        let problems = found.of_file("feeds.toml", "x = 1\n");
        assert!(problems.coloured().contains('\u{1b}'));
        assert!(!problems.to_string().contains('\u{1b}'));
    }
}
