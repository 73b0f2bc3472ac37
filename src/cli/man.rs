//! `visnyk man` and `visnyk completions`: what a packager installs beside the program, made of the
//! same declarations as `--help` and the reader of feeds.toml.

use crate::cli::CONFIG_ERROR;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::arguments::Arguments;
use crate::cli::fail;
use crate::cli::say;
use crate::config::keys::Need;
use crate::config::keys::TABLES;
use crate::config::keys::Table;
use crate::config::keys::Times;
use crate::config::shape::wanted;
use clap::Command;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_complete::generate;
use clap_mangen::Man;
use roff::Roff;
use roff::bold;
use roff::roman;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The statuses with which a command ends, and what each means.
pub const STATUSES: [(u8, &str); 5] = [
    (0, "Done."),
    (
        SOME_FAILED,
        "It was done, and not all is well: a feed could not be polled or needs its admin, or what was asked for is not there.",
    ),
    (USAGE, "The command line is wrong, or names what is not there."),
    (IO_ERROR, "The store, a file or the listener (EX_IOERR of sysexits.h)."),
    (CONFIG_ERROR, "feeds.toml has a mistake, which is shown at its line (EX_CONFIG)."),
];

/// What the environment says.
const VARIABLES: [(&str, &str); 9] = [
    ("CONFIGURATION_DIRECTORY", "Where feeds.toml is, as systemd hands it over."),
    ("STATE_DIRECTORY", "Where articles are kept, as systemd hands it over."),
    ("RUNTIME_DIRECTORY", "Where the socket for admins is, as systemd hands it over."),
    ("CREDENTIALS_DIRECTORY", "Where secrets are that feeds.toml names as credential:NAME."),
    ("VISNYK_LOG", "Which log lines are written: warn, info, visnyk=debug and the like."),
    ("NO_COLOR", "If it is set and not empty, nothing is coloured."),
    ("COLUMNS", "How wide tables are; else as the terminal is, and 80 where there is none."),
    ("HTTPS_PROXY", "Through which proxy feeds are fetched, where feeds.toml says nothing."),
    ("NO_PROXY", "Which hosts are asked without it."),
];

/// Where things lie.
const FILES: [(&str, &str); 4] = [
    ("feeds.toml", "The configuration, see feeds.toml(5)."),
    ("/etc/visnyk/feeds.toml", "That of the service."),
    ("/var/lib/visnyk", "The store of the service; else the folder state beside feeds.toml."),
    ("admin.sock", "In the runtime directory, else in the store: by it the commands ask a daemon."),
];

/// A page of the manual: the name of its file, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Such as `visnyk-add.1`.
    pub file_name: String,
    /// In roff(7).
    pub text: String,
}

/// Writes all pages into a directory of the manual, each below its section (`man1`, `man5`);
/// without one, that of visnyk itself to standard output.
#[must_use]
pub fn man(directory: Option<&Path>) -> ExitCode {
    let pages = match pages() {
        Ok(pages) => pages,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let Some(directory) = directory else {
        return say(&pages.first().map(|page| page.text.trim_end()).unwrap_or_default());
    };
    let written = pages.iter().try_for_each(|page| {
        let section = page.file_name.rsplit('.').next().unwrap_or_default();
        let folder = directory.join(format!("man{section}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(&page.file_name), &page.text)
    });
    match written {
        Ok(()) => say(&format!("{} pages are in {}", pages.len(), directory.display())),
        Err(error) => fail(IO_ERROR, &format!("{}: {error}", directory.display())),
    }
}

/// Writes what a shell needs to complete the command line, to standard output.
#[must_use]
pub fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "visnyk", &mut script);
    say(&String::from_utf8_lossy(&script).trim_end())
}

/// All pages: that of visnyk, one of each subcommand, and that of feeds.toml.
///
/// # Errors
/// A page could not be rendered.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let mut pages = vec![of_command(&program)?];
    for command in program.get_subcommands() {
        pages.push(of_command(command)?);
    }
    pages.push(Page { file_name: "feeds.toml.5".to_owned(), text: of_feeds_toml() });
    Ok(pages)
}

fn of_command(command: &Command) -> io::Result<Page> {
    let man = Man::new(command.clone())
        .source(concat!("visnyk ", env!("CARGO_PKG_VERSION")))
        .manual("Visnyk");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let is_whole = command.get_subcommands().next().is_some();
    if is_whole {
        man.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::new();
    listed(&mut roff, "EXIT STATUS", STATUSES.map(|(status, what)| (status.to_string(), what)));
    listed(&mut roff, "ENVIRONMENT", VARIABLES.map(|(name, what)| (name.to_owned(), what)));
    listed(&mut roff, "FILES", FILES.map(|(name, what)| (name.to_owned(), what)));
    examples(&mut roff, command);
    let others = if is_whole {
        "feeds.toml(5), and a page of each subcommand, such as visnyk-add(1)"
    } else {
        "visnyk(1), feeds.toml(5)"
    };
    roff.control("SH", ["SEE ALSO"]).text([roman(others)]);
    roff.to_writer(&mut text)?;
    Ok(Page { file_name: man.get_filename(), text: String::from_utf8_lossy(&text).into_owned() })
}

fn listed<const N: usize>(roff: &mut Roff, heading: &str, entries: [(String, &str); N]) {
    roff.control("SH", [heading]);
    for (name, what) in entries {
        roff.control("TP", []).text([bold(name)]).text([roman(what)]);
    }
}

/// What `--help` shows at its end; for the whole program, what one begins with.
fn examples(roff: &mut Roff, command: &Command) {
    let shown = command.get_after_help().map(ToString::to_string);
    let shown = shown.unwrap_or_else(|| "visnyk add kharkiv.example\nvisnyk run".to_owned());
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in shown.lines().filter(|line| !line.starts_with("Example")) {
        roff.text([roman(line.trim())]);
    }
    roff.control("fi", []);
}

/// The page of feeds.toml, by the tables and keys that its reader knows.
fn of_feeds_toml() -> String {
    let mut roff = Roff::new();
    let version = concat!("visnyk ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", ["feeds.toml", "5", "", version, "Visnyk"]);
    roff.control("SH", ["NAME"])
        .text([roman("feeds.toml - what Visnyk polls and what it publishes")]);
    roff.control("SH", ["DESCRIPTION"]).text([roman(
        "A file in TOML. Unknown keys are mistakes, so that a misspelt one cannot be overlooked; visnyk check shows every mistake with its line and with what to write. Keys that are not marked may be left out.",
    )]);
    for table in TABLES {
        of_table(&mut roff, table);
    }
    roff.control("SH", ["EXAMPLES"]).control("nf", []);
    let lines = [
        "[[feed]]",
        "id = \"kharkiv\"",
        "title = \"Kharkiv City Council\"",
        "url = \"https://kharkiv.example/feed\"",
        "community = \"kharkivska\"",
    ];
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", [])
        .control("SH", ["SEE ALSO"])
        .text([roman("visnyk(1), visnyk-add(1), visnyk-check(1)")]);
    roff.render()
}

fn of_table(roff: &mut Roff, table: &Table) {
    roff.control("SH", [table.header().as_str()]);
    let times = match table.times {
        Times::Once => "It may stand once.",
        Times::Many => "It may stand many times.",
    };
    roff.text([roman(times)]);
    for key in table.keys {
        let need = match key.need {
            Need::Required => " (required)",
            Need::Optional => "",
        };
        roff.control("TP", []).text([bold(key.name), roman(need)]);
        roff.text([roman(format!("{}. Written as {}.", sentence(key.help), wanted(key.shape)))]);
    }
}

fn sentence(help: &str) -> String {
    let mut rest = help.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
