//! What is wrong in feeds.toml, and how that is shown: as the compiler shows it, with the line,
//! the place and what would be right.

use crate::model::address::is_key;
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

/// What is wrong in a feeds.toml, or looks so, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    file_name: String,
    text: String,
    shown: Vec<Problem>,
    errors: usize,
    warnings: usize,
}

/// Whether a file with such a problem is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is.
    Error,
    /// It is not: it means something, which is hardly what its admin meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    severity: Severity,
    /// The name of a kind of warnings, which stays the same when its words change.
    code: Option<&'static str>,
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
    errors: usize,
    warnings: usize,
}

/// A problem as other programs take it. Lines and columns begin with 1, columns are characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'p> {
    /// Whether the file is refused for it.
    pub severity: Severity,
    /// The name of its kind, if it is a warning.
    pub code: Option<&'static str>,
    /// What is wrong.
    pub message: &'p str,
    /// The file.
    pub file: &'p str,
    /// Where, if not in the whole of it: the first character, and the one behind the last.
    pub place: Option<[Position; 2]>,
    /// What would be right there.
    pub suggestion: Option<&'p str>,
    /// The beginning of another place that has to do with it, and what that is.
    pub related: Option<(Position, &'p str)>,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Found {
    /// Notes what is wrong, where, and what would be right.
    pub(crate) fn add(&mut self, what: impl Into<String>, span: Span, label: impl Into<String>) {
        let here = Mark { span, label: label.into() };
        self.keep(Problem { here: Some(here), ..error(what) });
    }

    /// Notes what is hardly meant, where, and what would be; `code` names its kind.
    pub(crate) fn warn(
        &mut self,
        code: &'static str,
        what: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) {
        let here = Mark { span, label: label.into() };
        self.keep(Problem { here: Some(here), ..warning(code, what) });
    }

    /// Notes what is hardly meant between two places.
    pub(crate) fn warn_pair(
        &mut self,
        code: &'static str,
        what: impl Into<String>,
        here: (Span, impl Into<String>),
        there: (Span, impl Into<String>),
    ) {
        let here = Mark { span: here.0, label: here.1.into() };
        let there = Mark { span: there.0, label: there.1.into() };
        self.keep(Problem { here: Some(here), there: Some(there), ..warning(code, what) });
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
        self.keep(Problem { here: Some(here), there: Some(there), ..error(what) });
    }

    /// Notes what is wrong with the file as a whole.
    pub(crate) fn add_unplaced(&mut self, what: impl Into<String>) {
        self.keep(error(what));
    }

    /// Whether a mistake was found, for which the file is refused.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether more problems are only counted, so that no work on their wording is due.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= PROBLEMS_SHOWN_MAX
    }

    /// What was found in a file.
    pub(crate) fn of_file(mut self, file_name: &str, text: &str) -> Problems {
        self.kept.sort_by_key(|problem| problem.here.as_ref().map(|mark| mark.span.start));
        let safe = without_hooks(&without_secrets(&without_keys(&without_credentials(text))));
        for mark in self.kept.iter_mut().filter_map(|problem| problem.here.as_mut()) {
            mark.hide(text, &safe);
        }
        Problems {
            file_name: file_name.to_owned(),
            text: safe,
            shown: self.kept,
            errors: self.errors,
            warnings: self.warnings,
        }
    }

    fn keep(&mut self, problem: Problem) {
        match problem.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if !self.is_full() {
            self.kept.push(problem);
        }
    }
}

impl Mark {
    /// Hides in what is said of a value the end of it that is hidden in the text.
    fn hide(&mut self, text: &str, safe: &str) {
        let written = text.get(self.span.clone()).unwrap_or_default();
        let written = written.trim_end_matches(['"', '\'']);
        let shown = safe.get(self.span.start..).and_then(|safe| safe.get(..written.len()));
        let open = shown.map_or(written.len(), |shown| shown.trim_end_matches('*').len());
        // A value may end in stars of its own.
        let is_hidden = shown.is_some_and(|shown| shown != written);
        let hidden = written.get(open..).filter(|hidden| is_hidden && !hidden.is_empty());
        if let Some(hidden) = hidden {
            self.label = self.label.replace(&format!("{hidden}`"), "***`");
        }
    }
}

impl Problems {
    /// How many mistakes there are. Never none where a file is refused.
    #[must_use]
    pub fn count(&self) -> usize {
        self.errors
    }

    /// The same without the warnings: what a file is refused for.
    #[must_use]
    pub fn without_warnings(mut self) -> Self {
        self.shown.retain(|problem| problem.severity == Severity::Error);
        self.warnings = 0;
        self
    }

    /// How many warnings there are.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// Each by itself, for another program or for a log. Of very many, the first only.
    pub fn listed(&self) -> impl Iterator<Item = Listed<'_>> {
        // Lines are counted once for all: a file may be long, and its problems many.
        let starts: Vec<usize> =
            std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let position = move |at: usize| {
            let at = self.border(at);
            let line = starts.partition_point(|start| *start <= at);
            let start = starts[line.saturating_sub(1)];
            Position { line, column: self.text[start..at].chars().count() + 1 }
        };
        self.shown.iter().map(move |problem| Listed {
            severity: problem.severity,
            code: problem.code,
            message: &problem.what,
            file: &self.file_name,
            place: problem.here.as_ref().map(|mark| {
                [position(mark.span.start), position(mark.span.end.max(mark.span.start))]
            }),
            suggestion: problem.here.as_ref().map(|mark| mark.label.as_str()),
            related: problem
                .there
                .as_ref()
                .map(|mark| (position(mark.span.start), mark.label.as_str())),
        })
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
        let more = self.errors + self.warnings - self.shown.len();
        if more > 0 {
            let title = Level::ERROR.primary_title(format!("{more} more problems are not shown"));
            parts.push(renderer.render(&[Group::with_title(title)]));
        }
        parts.join("\n\n")
    }

    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(problem.what.as_str());
        if let Some(code) = problem.code {
            title = title.id(code);
        }
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

impl fmt::Display for Listed<'_> {
    /// One line, for a log: the place, what is wrong, and what would be right.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file)?;
        if let Some([Position { line, column }, _]) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match self.suggestion {
            Some(suggestion) => write!(f, ": {suggestion}"),
            None => Ok(()),
        }
    }
}

fn error(what: impl Into<String>) -> Problem {
    let (severity, code) = (Severity::Error, None);
    Problem { severity, code, what: what.into(), here: None, there: None }
}

fn warning(code: &'static str, what: impl Into<String>) -> Problem {
    let (severity, code) = (Severity::Warning, Some(code));
    Problem { severity, code, what: what.into(), here: None, there: None }
}

/// The text with `*` for each byte of a user name and password in an address: what is shown may
/// end in a log. Places in the text stay what they were.
fn without_credentials(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let edge = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'');
    for part in text.split_inclusive(edge) {
        // A password may have an `@` of its own: the last one is before the host.
        let of_an_address = |at: &usize| safe.ends_with("//") || part[..*at].contains(':');
        let hidden = part.rfind('@').filter(of_an_address).unwrap_or_default();
        safe.extend(std::iter::repeat_n('*', hidden));
        safe.push_str(&part[hidden..]);
    }
    safe
}

/// The text with `*` for each byte of a key in the query of an address.
fn without_keys(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut parts = text.split_inclusive(['?', '&', '\n']);
    safe.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let follows = !safe.ends_with('\n');
        let end = part.find(|c: char| c.is_whitespace() || "\"'#?&".contains(c));
        let end = end.unwrap_or(part.len());
        match part[..end].split_once('=') {
            Some((name, value)) if follows && is_key(name) => {
                safe.push_str(&part[..=name.len()]);
                safe.extend(std::iter::repeat_n('*', value.len()));
                safe.push_str(&part[end..]);
            }
            _ => safe.push_str(part),
        }
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

/// The text with `*` for each byte behind the origin of a webhook: many a chat has its secret in
/// the path. A key that only looks like one is taken for one, for it may be misspelt.
fn without_hooks(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut from = 0;
        for (at, _) in line.match_indices('=') {
            if at < from {
                // It is in what was hidden.
                continue;
            }
            let key = line[from..at].trim_end().trim_end_matches(['"', '\'']);
            let of_key = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            let key = key.rsplit(|c| !of_key(c)).next().unwrap_or_default().to_ascii_lowercase();
            if !key.starts_with("web") && !key.contains("hook") {
                continue;
            }
            let value = line[at + 1..].trim_start_matches([' ', '\t', '"', '\'']);
            let value_at = line.len() - value.len();
            let end = value.find(['"', '\'', '\n', '\r']).unwrap_or(value.len());
            let host = value[..end].find("://").map_or(0, |scheme| scheme + 3);
            let path = value[host..end].find(['/', '?', '#', '\\']).map(|path| host + path + 1);
            // Without an origin all of it may be the secret.
            let hidden = if host == 0 { 0 } else { path.unwrap_or(end) };
            safe.push_str(&line[from..value_at + hidden]);
            safe.extend(std::iter::repeat_n('*', end - hidden));
            from = value_at + end;
        }
        safe.push_str(&line[from..]);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_webhook_is_not_shown() {
        for (text, expected) in [
            ("webhook = \"https://a.b/s/я?x=1\" # c\n", "webhook = \"https://a.b/********\" # c\n"),
            ("webhook=\"https://a.b\"\nurl = 'x'", "webhook=\"https://a.b\"\nurl = 'x'"),
            ("«webhook = 'я'", "«webhook = '**'"),
            ("admin.webhook = 'a.b/s'", "admin.webhook = '*****'"),
            (
                "a = { x = 1, \"webhook\" = \"http://b/s\" }",
                "a = { x = 1, \"webhook\" = \"http://b/*\" }",
            ),
            ("web_hok = https://b/s t\n", "web_hok = https://b/***\n"),
            ("webhook = \"http:\\\\b\\s\"", "webhook = \"**********\""),
        ] {
            assert_eq!(without_hooks(text).len(), text.len());
            assert_eq!(without_hooks(text), expected);
        }
    }

    #[test]
    fn what_would_be_right_for_a_webhook_does_not_show_it() {
        for (text, shown) in [
            ("webhook = \"htps://a.b/s/canary\"", "write `https://a.b/***`"),
            ("webhook = \"a.b/s/canary\"", "write `https://***`"),
        ] {
            let mut found = Found::default();
            let value = text.split('"').nth(1).unwrap();
            let meant = format!("https://{}", value.trim_start_matches("htps://"));
            found.add("is not an address", 10..text.len(), format!("write `{meant}`"));
            let problems = found.of_file("feeds.toml", text);
            assert_eq!(problems.listed().next().unwrap().suggestion, Some(shown));
            assert!(!problems.to_string().contains("canary"), "{problems}");
        }
    }

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
            ("a = \"\u{a0}b:c@d\"", "a = \"\u{a0}***@d\""),
            ("\u{2003}@", "\u{2003}@"),
            ("url = \"https://me:p@ss@a.example/\"", "url = \"https://*******@a.example/\""),
        ] {
            assert_eq!(without_credentials(line), shown);
            assert_eq!(without_credentials(line).len(), line.len());
        }
    }

    #[test]
    fn a_key_in_an_address_is_not_shown() {
        for (line, shown) in [
            ("url = \"https://a/?token=я1&b=2\" # x", "url = \"https://a/?token=***&b=2\" # x"),
            ("'https://a/?b=2&API_KEY=s3'", "'https://a/?b=2&API_KEY=**'"),
            ("url = 'https://a/?tokens=1'\nkey=2", "url = 'https://a/?tokens=1'\nkey=2"),
        ] {
            assert_eq!(without_keys(line), shown);
        }
    }

    #[test]
    fn a_place_is_told_in_lines_and_characters() {
        let mut found = Found::default();
        found.warn("kind", "a doubt", 11..13, "so");
        let problems = found.of_file("feeds.toml", "x = 1\nя = 'ї'\n");
        let told: Vec<String> = problems.listed().map(|listed| listed.to_string()).collect();
        assert_eq!(told, ["feeds.toml:2:5: a doubt: so"]);
        let end = problems.listed().next().and_then(|listed| listed.place).map(|place| place[1]);
        assert_eq!(end, Some(Position { line: 2, column: 6 }));
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
