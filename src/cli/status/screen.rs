//! The status as people read it: who needs them first, and what cures it.
//!
//! Never here: a clock, or the terminal. What they say is an argument.

use crate::attention::words::moment;
use crate::attention::words::rough;
use crate::cli::log::colours_of_output;
use crate::cli::table::columns;
use crate::upkeep::mib;
use chrono::DateTime;
use chrono::Utc;
use chrono_tz::Tz;
use comfy_table::Cell;
use comfy_table::CellAlignment;
use comfy_table::Color;
use comfy_table::ColumnConstraint;
use comfy_table::ContentArrangement;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

/// No narrower than this, whatever a terminal says.
const WIDTH_MIN: usize = 24;
/// Below this width there is no place for when a feed last answered, and why it is polled when.
const WIDTH_OF_ALL: usize = 72;
/// With less room left, the reason would be a letter a line.
const WIDTH_OF_WHY: usize = 18;
/// Below this one, only for the state.
const WIDTH_OF_SOME: usize = 44;
/// How far the text of a note stands in.
const INDENT: &str = "  ";

/// How wide, and whether in colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// In columns.
    pub width: usize,
    /// Whether there are colours.
    pub ink: Ink,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// There are none.
    Plain,
    /// There are.
    Coloured,
}

impl Look {
    /// As standard output is.
    #[must_use]
    pub fn of_terminal() -> Self {
        let ink = if colours_of_output() { Ink::Coloured } else { Ink::Plain };
        let width = usize::from(columns());
        Self { width: width.max(WIDTH_MIN), ink }
    }
}

/// What was told, as a page of text.
#[must_use]
pub fn screen(told: &Value, now: DateTime<Utc>, look: Look) -> String {
    let feeds = told["feeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines = head(told, feeds);
    let mut text = String::new();
    for line in lines.drain(..) {
        wrap(&line, look.width, "", &mut text);
    }
    if !feeds.is_empty() {
        text.push('\n');
        for row in table(feeds, now, look).lines() {
            text.push_str(row.trim_end());
            text.push('\n');
        }
    }
    for note in feeds.iter().flat_map(notes) {
        text.push('\n');
        for (index, part) in note.iter().enumerate() {
            wrap(part, look.width, if index == 0 { "" } else { INDENT }, &mut text);
        }
    }
    text
}

/// How many feeds there are, who says so, and which configuration runs.
fn head(told: &Value, feeds: &[Value]) -> Vec<String> {
    let needy = feeds.iter().filter(|feed| needs(feed).any(|need| need["call"] == "act")).count();
    let count = match feeds.len() {
        1 => "1 feed".to_owned(),
        count => format!("{count} feeds"),
    };
    let stopped = &told["stopped"];
    let need = match needy {
        0 if !stopped.is_null() => "the store needs you".to_owned(),
        0 => "none needs you".to_owned(),
        1 => "1 needs you".to_owned(),
        needy => format!("{needy} need you"),
    };
    let mut lines = vec![format!("{count}, {need}")];
    let zone = feeds.first().map_or(Tz::UTC, zone);
    let since = |value: &Value| instant(value).map(|at| moment(at, zone)).unwrap_or_default();
    if let Some(why) = told["no_answer"].as_str() {
        let at = instant(&told["at"]).map(|at| format!(", this is of {}", moment(at, zone)));
        let at = at.unwrap_or_default();
        lines.push(format!("the daemon gives NO ANSWER{at}; it is tried again: {why}"));
    }
    if !stopped.is_null() {
        let (at, why) = (since(&stopped["at"]), text(stopped, "why"));
        lines.push(format!("NO FEED IS POLLED since {at}, the store takes nothing: {why}"));
        let cure = "make room on its disk, or mend what is said of it, and start visnyk again";
        lines.push(format!("{INDENT}{cure}"));
    }
    let daemon = &told["daemon"];
    if daemon.is_null() {
        lines.push("no daemon runs here: this is what the store remembers".to_owned());
    } else {
        let version = text(daemon, "version");
        lines.push(format!("daemon {version} since {}", since(&daemon["since"])));
    }
    lines.extend(store(told, zone));
    let recovery = &told["recovery"];
    if !recovery.is_null() {
        let (at, done) = (since(&recovery["at"]), text(recovery, "told"));
        lines.push(format!("A DAMAGED STORE was replaced at {at}: {done}"));
        lines.push(format!("{INDENT}what is missing comes with the next polls; delete the damaged one when it is of no more use"));
    }
    let backup = &told["backup"];
    if !backup.is_null() {
        let kib = backup["bytes"].as_u64().unwrap_or_default().div_ceil(1024);
        let (at, path) = (since(&backup["at"]), text(backup, "path"));
        lines.push(format!("last backup of {at}, {kib} KiB: {path}"));
    }
    let failed = &told["backup_failed"];
    if !failed.is_null() {
        let (at, why) = (since(&failed["at"]), text(failed, "why"));
        lines.push(format!("NO BACKUP at {at}, it is tried again: {why}"));
    }
    let config = &told["config"];
    if !config.is_null() {
        lines.push(format!("feeds.toml as it was read at {}", since(&config["taken"])));
    }
    let refused = &config["refused"];
    if !refused.is_null() {
        let (at, why) = (since(&refused["at"]), text(refused, "why"));
        let first = why.lines().next().unwrap_or_default();
        lines.push(format!(
            "feeds.toml was REFUSED at {at}, and the one before it runs on: {first}"
        ));
        lines.push(format!("{INDENT}`visnyk check` shows every mistake and its cure"));
    }
    lines
}

/// How large the store is, and what it kept no longer.
fn store(told: &Value, zone: Tz) -> Option<String> {
    let store = &told["store"];
    let size = mib(store["bytes"].as_u64()?);
    let last = &store["last_dropped"];
    let last = instant(&last["at"]).map_or_else(String::new, |at| {
        format!(", {} of them at {}", last["articles"], moment(at, zone))
    });
    Some(match store["dropped"].as_u64() {
        None | Some(0) => format!("the store has {size}"),
        Some(1) => format!("the store has {size}; 1 article was kept no longer{last}"),
        Some(many) => format!("the store has {size}; {many} articles were kept no longer{last}"),
    })
}

fn table(feeds: &[Value], now: DateTime<Utc>, look: Look) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(look.width).unwrap_or(u16::MAX));
    if look.ink == Ink::Coloured {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    let all: &[&str] = &["feed", "state", "last good", "newest", "next poll", "why then"];
    let titles = match look.width {
        WIDTH_OF_ALL.. if room(all, feeds, now, look) >= WIDTH_OF_WHY => all,
        WIDTH_OF_SOME.. => &["feed", "state", "newest", "next poll"],
        _ => &["feed", "state"],
    };
    table.set_header(titles);
    for feed in feeds {
        let cells = titles.iter().map(|title| cell(title, feed, now, look));
        table.add_row(cells);
    }
    let fixed = titles.iter().filter(|title| **title != "why then").count();
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(CellAlignment::Left);
        if index < fixed && look.width >= WIDTH_OF_SOME {
            // What is copied stays whole; the reason takes what is left.
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.to_string()
}

/// What the other columns leave for the last.
fn room(titles: &[&str], feeds: &[Value], now: DateTime<Utc>, look: Look) -> usize {
    let width = |title: &&str| {
        let cells = feeds.iter().map(|feed| cell(title, feed, now, look).content());
        let longest = cells.map(|content| content.chars().count()).max().unwrap_or_default();
        longest.max(title.chars().count()) + 2
    };
    let fixed: usize = titles.iter().take(titles.len().saturating_sub(1)).map(width).sum();
    look.width.saturating_sub(fixed)
}

fn cell(title: &str, feed: &Value, now: DateTime<Utc>, look: Look) -> Cell {
    let ago = |key: &str| instant(&feed[key]).map(|at| format!("{} ago", rough(now - at)));
    let zone = zone(feed);
    match title {
        "feed" => Cell::new(text(feed, "feed")),
        "state" => {
            let (word, colour) = state(feed, now);
            let cell = Cell::new(word);
            if look.ink == Ink::Coloured { cell.fg(colour) } else { cell }
        }
        "last good" => Cell::new(ago("last_success").unwrap_or_else(|| "never".to_owned())),
        "newest" => Cell::new(ago("newest").unwrap_or_else(|| "none".to_owned())),
        "next poll" => Cell::new(
            instant(&feed["next_poll"])
                .map_or_else(|| "never".to_owned(), |at| clock(at, now, zone)),
        ),
        _ => Cell::new(text(feed, "reason")),
    }
}

/// The state of a feed in a word or two.
fn state(feed: &Value, now: DateTime<Utc>) -> (String, Color) {
    let Some(need) = needs(feed).min_by_key(|need| rank(need)) else {
        let word = if feed["enabled"] == false { "off" } else { text(feed, "state") };
        return (word.to_owned(), Color::Green);
    };
    let colour = match text(need, "call") {
        "act" => Color::Red,
        "tell" => Color::Yellow,
        _ => Color::Reset,
    };
    let kind = text(need, "kind");
    let word = match (kind, instant(&need["since"])) {
        ("failing", _) => format!("failed {}x", feed["failures"]),
        ("silent", Some(since)) => format!("silent {}", rough(now - since)),
        _ => kind.to_owned(),
    };
    (word, colour)
}

/// The most urgent need stands for a feed; they come with the weightiest first.
fn rank(need: &Value) -> u8 {
    match text(need, "call") {
        "act" => 0,
        "tell" => 1,
        _ => 2,
    }
}

/// What is to be said of a feed below the table, each with its cure.
fn notes(feed: &Value) -> Vec<Vec<String>> {
    let id = text(feed, "feed");
    let note = |need: &Value| {
        vec![format!("{id} {}", text(need, "what")), format!("-> {}", text(need, "cure"))]
    };
    let is_told = |need: &&Value| text(need, "kind") != "never polled";
    let mut notes: Vec<_> = needs(feed).filter(is_told).map(note).collect();
    if let Some(ignored) = feed["not_obeyed"].as_str() {
        notes.push(vec![format!("{id} is polled as feeds.toml says: not obeyed: {ignored}")]);
    }
    notes
}

fn needs(feed: &Value) -> impl Iterator<Item = &Value> {
    feed["needs"].as_array().into_iter().flatten()
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

fn zone(feed: &Value) -> Tz {
    text(feed, "timezone").parse().unwrap_or(Tz::UTC)
}

/// On the clocks of the feed, with the day if it is another.
fn clock(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let form = if at.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%d.%m. %H:%M" };
    at.format(form).to_string()
}

/// Adds a text in lines that are no wider, each behind an indent. A word that is wider stands alone:
/// an address has to be copied whole.
fn wrap(text: &str, width: usize, indent: &str, to: &mut String) {
    let mut line = indent.to_owned();
    let mut has_word = false;
    for word in text.split(' ') {
        if has_word && line.chars().count() + 1 + word.chars().count() > width {
            to.push_str(line.trim_end());
            to.push('\n');
            line = format!("{indent}{INDENT}");
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(word);
        has_word = true;
    }
    to.push_str(line.trim_end());
    to.push('\n');
}
