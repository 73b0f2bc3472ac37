//! `visnyk check`: every mistake and warning of feeds.toml, what the file holds, and what its
//! schedules mean.

pub mod online;

use crate::cli::CONFIG_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::log::colours;
use crate::cli::say;
use crate::cli::status::Form;
use crate::cli::warn;
use crate::config;
use crate::config::Config;
use crate::config::problem::Listed;
use crate::config::problem::Position;
use crate::config::problem::Problems;
use crate::config::problem::Severity;
use crate::crontab::words::in_words;
use crate::explain::lines;
use crate::model::feed::Feed;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Tz;
use clap::Args;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// What stands below the options.
pub const HELP: &str = "Exit status: 0 good; 1 warnings, with --strict, or a feed that\n\
                         cannot be read, with --online; 78 mistakes\n\n\
                        Example:\n  visnyk check --strict && visnyk reload";

/// The widest line that is shown, in characters.
const WIDTH: usize = 80;
/// What stands before the feeds of a schedule.
const INDENT: &str = "    ";

/// What is asked for.
#[derive(Debug, Args)]
pub struct Asked {
    /// The file, instead of --config
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Write an object: the problems with their places, and the schedules
    #[arg(long)]
    pub json: bool,

    /// Try every enabled feed once, and tell how it answers, how it is read, and which labels its
    /// entries would get; with --json as an array of objects
    #[arg(long)]
    pub online: bool,

    /// Let warnings count: exit with 1 if there are any
    #[arg(long)]
    pub strict: bool,
}

/// Shows what is wrong in a feeds.toml, or what a good one holds.
#[must_use]
pub fn check(path: PathBuf, asked: &Asked) -> ExitCode {
    let path = asked.file.clone().unwrap_or(path);
    let (config, problems) = match config::check(&path) {
        Ok(checked) => (Some(checked.config), checked.warnings),
        Err(problems) => (None, problems),
    };
    if let (true, Some(config)) = (asked.online, &config) {
        show(&problems);
        let form = if asked.json { Form::Json } else { Form::Table };
        let said = online::check(&path, config, form);
        let counts = asked.strict && problems.warnings() > 0;
        return if counts { ExitCode::from(SOME_FAILED) } else { said };
    }
    let now = Utc::now();
    let said = if asked.json {
        let object = object(&path, config.as_ref(), &problems, now);
        say(&format!("{object:#}"))
    } else {
        show(&problems);
        if let Some(config) = &config {
            say(&summary(&path, config, &problems, now))
        } else {
            warn(&format!("\n{}: {}", path.display(), counted(&problems)));
            ExitCode::SUCCESS
        }
    };
    if config.is_none() {
        ExitCode::from(CONFIG_ERROR)
    } else if asked.strict && problems.warnings() > 0 {
        ExitCode::from(SOME_FAILED)
    } else {
        said
    }
}

/// What is wrong goes to standard error, as compilers do it.
fn show(problems: &Problems) {
    if problems.count() + problems.warnings() > 0 {
        let shown = if colours() { problems.coloured() } else { problems.to_string() };
        warn(&shown);
    }
}

fn counted(problems: &Problems) -> String {
    let parts = [(problems.count(), "mistake"), (problems.warnings(), "warning")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, what)| lines::counted(count, what)).collect::<Vec<_>>().join(", ")
}

fn summary(path: &Path, config: &Config, problems: &Problems, now: DateTime<Utc>) -> String {
    let warnings = counted(problems);
    let good = if warnings.is_empty() { "good".to_owned() } else { format!("good, {warnings}") };
    let mut text = format!(
        "{}: {good}; feeds: {} ({} enabled), tags: {}, composed publications: {}",
        path.display(),
        config.feeds.len(),
        config.enabled().count(),
        config.tags.len(),
        config.publications.len()
    );
    for rhythm in rhythms(config, now) {
        let next = rhythm.next_told(now);
        text += &[
            "\n  ",
            &rhythm.words,
            "; next at ",
            &next,
            "\n",
            INDENT,
            &named(&rhythm.feeds, WIDTH - INDENT.len()),
        ]
        .concat();
    }
    text
}

/// Feeds that have one schedule and one time zone.
struct Rhythm<'c> {
    schedule: &'c str,
    zone: Tz,
    words: String,
    next: DateTime<Utc>,
    feeds: Vec<&'c str>,
}

impl Rhythm<'_> {
    /// The next time on the clock of the schedule, with the day if that is not today.
    fn next_told(&self, now: DateTime<Utc>) -> String {
        let (now, next) = (now.with_timezone(&self.zone), self.next.with_timezone(&self.zone));
        let form = match next.date_naive() - now.date_naive() {
            days if days.is_zero() => "%H:%M",
            days if days < TimeDelta::days(300) => "%H:%M on %-d %B",
            _ => "%H:%M on %-d %B %Y",
        };
        next.format(form).to_string()
    }
}

/// The schedules of the feeds that are polled, the most frequent first.
fn rhythms(config: &Config, now: DateTime<Utc>) -> Vec<Rhythm<'_>> {
    let mut by_schedule: BTreeMap<(&str, &str), Vec<&Feed>> = BTreeMap::new();
    for feed in config.enabled() {
        let key = (feed.schedule.as_str(), feed.timezone.name());
        by_schedule.entry(key).or_default().push(feed);
    }
    let mut rhythms: Vec<(TimeDelta, Rhythm<'_>)> = by_schedule
        .into_iter()
        .filter_map(|((schedule, _), feeds)| {
            let first = *feeds.first()?;
            let zone = first.timezone;
            let rhythm = Rhythm {
                schedule,
                zone,
                words: format!("{}, {zone}", in_words(&first.schedule)),
                next: first.schedule.next_after(now, zone),
                feeds: feeds.iter().map(|feed| feed.id.as_str()).collect(),
            };
            Some((first.schedule.period(now, zone), rhythm))
        })
        .collect();
    rhythms.sort_by(|one, other| (one.0, &one.1.words).cmp(&(other.0, &other.1.words)));
    rhythms.into_iter().map(|(_, rhythm)| rhythm).collect()
}

/// As many names as fit, and how many there are else.
fn named(feeds: &[&str], width: usize) -> String {
    let mut text = String::new();
    for (at, feed) in feeds.iter().enumerate() {
        let more = format!(" and {} more", feeds.len() - at);
        let comma = if at > 0 { ", " } else { "" };
        let is_last = at + 1 == feeds.len();
        let needed = text.len() + comma.len() + feed.len() + if is_last { 0 } else { more.len() };
        if needed > width {
            return if at == 0 { format!("{} feeds", feeds.len()) } else { text + &more };
        }
        text.push_str(comma);
        text.push_str(feed);
    }
    text
}

fn object(path: &Path, config: Option<&Config>, problems: &Problems, now: DateTime<Utc>) -> Value {
    let schedules = config.map(|config| rhythms(config, now)).unwrap_or_default();
    let schedules = schedules.into_iter().map(|rhythm| {
        json!({
            "schedule": rhythm.schedule,
            "timezone": rhythm.zone.name(),
            "words": rhythm.words,
            "next": rhythm.next.to_rfc3339(),
            "feeds": rhythm.feeds,
        })
    });
    json!({
        "file": path.display().to_string(),
        "errors": problems.count(),
        "warnings": problems.warnings(),
        "problems": problems.listed().map(|listed| problem(&listed)).collect::<Vec<_>>(),
        "schedules": schedules.collect::<Vec<_>>(),
    })
}

fn problem(listed: &Listed<'_>) -> Value {
    let place = |position: Option<Position>| {
        (position.map(|place| place.line), position.map(|place| place.column))
    };
    let (line, column) = place(listed.place.map(|[start, _]| start));
    let (end_line, end_column) = place(listed.place.map(|[_, end]| end));
    let related = listed
        .related
        .map(|(at, message)| json!({ "line": at.line, "column": at.column, "message": message }));
    json!({
        "severity": match listed.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": listed.code,
        "message": listed.message,
        "file": listed.file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "suggestion": listed.suggestion,
        "related": related,
    })
}
