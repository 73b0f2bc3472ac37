//! The pages of the manual: there is one of every command, with all that belongs in it, and `man`
//! has nothing to say against them.

use clap::CommandFactory;
use std::fs;
use std::process::Command;
use visnyk::cli::arguments::Arguments;
use visnyk::cli::man::STATUSES;
use visnyk::cli::man::pages;
use visnyk::config::keys::TABLES;

/// The requests and macros that a page may have.
const MACROS: [&str; 12] =
    [".TH", ".SH", ".TP", ".PP", ".RS", ".RE", ".br", ".nf", ".fi", ".ie", ".el", ".IP"];

#[test]
fn every_command_has_a_page_with_its_statuses_and_an_example() {
    let pages = pages().unwrap();
    let names: Vec<&str> = pages.iter().map(|page| page.file_name.as_str()).collect();
    assert_eq!(names[0], "visnyk.1");
    let program = Arguments::command();
    for command in program.get_subcommands() {
        let file_name = format!("visnyk-{}.1", command.get_name());
        assert!(names.contains(&file_name.as_str()), "{file_name} is not in {names:?}");
    }
    for page in pages.iter().filter(|page| page.file_name.ends_with(".1")) {
        for heading in
            ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"]
        {
            let is_there = [format!(".SH {heading}\n"), format!(".SH \"{heading}\"\n")]
                .iter()
                .any(|line| page.text.contains(line));
            assert!(is_there, "{} has no {heading}", page.file_name);
        }
        for (status, _) in STATUSES {
            assert!(
                page.text.contains(&format!("\\fB{status}\\fR\n")),
                "{}: {status}",
                page.file_name
            );
        }
        let command = page.file_name.strip_suffix(".1").unwrap().replacen('-', " ", 1);
        let examples = page.text.split("EXAMPLES").nth(1).unwrap().replace("\\-", "-");
        assert!(examples.contains(&command), "{}: {examples}", page.file_name);
        for line in page.text.lines().filter(|line| line.starts_with('.')) {
            let name = line.split(' ').next().unwrap();
            assert!(MACROS.contains(&name), "{}: {line}", page.file_name);
        }
    }
    let manual = pages.iter().find(|page| page.file_name == "feeds.toml.5").unwrap();
    for key in TABLES.iter().flat_map(|table| table.keys) {
        assert!(manual.text.contains(&format!("\\fB{}\\fR", key.name)), "{} is not told", key.name);
    }
}

#[test]
fn man_has_nothing_to_say_against_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    for page in pages().unwrap() {
        let path = folder.path().join(&page.file_name);
        fs::write(&path, &page.text).unwrap();
        // Where there is no `man`, what could be wrong is looked at by the other test.
        let Ok(read) = Command::new("man")
            .args(["--warnings=all", "-l"])
            .arg(&path)
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80")
            .output()
        else {
            return;
        };
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success() && said.is_empty(), "{}: {said}", page.file_name);
        let shown = String::from_utf8_lossy(&read.stdout);
        assert!(shown.contains("EXAMPLES"), "{}: {shown}", page.file_name);
    }
}

#[test]
fn every_shell_completes_every_command() {
    let names: Vec<String> = Arguments::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = Command::new(env!("CARGO_BIN_EXE_visnyk"))
            .args(["completions", shell])
            .output()
            .unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{shell}");
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell} does not complete {name}");
        }
    }
}
