//! README.md shows rather than claims: its feeds.toml, its addresses, its commands and its message
//! of error are tried here.

use clap::CommandFactory;
use std::path::Path;
use visnyk::cli::arguments::Arguments;
use visnyk::config::check_text;
use visnyk::config::parse;
use visnyk::config::read;
use visnyk::model::publication::Selection;
use visnyk::serve::documents::imprint::masthead;

const README: &str = include_str!("../README.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks: Vec<_> =
        README.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty(), "README.md has no block of {language}");
    blocks
}

#[test]
fn the_feeds_toml_of_the_readme_is_good() {
    for block in blocks("toml") {
        parse("README.md", block, Path::new(".")).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn the_mistake_of_the_readme_is_told_as_it_says() {
    let block = blocks("toml")[0];
    let mistaken = block.replacen("region = \"kharkivska\"", "region = \"kharkivsk\"", 1);
    let problems = parse("feeds.toml", &mistaken, Path::new(".")).unwrap_err().to_string();
    assert!(blocks("text").iter().any(|text| text.trim() == problems.trim()), "{problems}");
}

#[test]
fn the_warning_of_the_readme_is_told_as_it_says() {
    let block = blocks("toml")[0];
    let doubtful = block.replacen("schedule = \"*/30 * * * *\"", "schedule = \"*/45 * * * *\"", 1);
    let checked = check_text("feeds.toml", &doubtful, Path::new("."));
    let warnings = checked.unwrap_or_else(|problems| panic!("{problems}")).warnings.to_string();
    assert!(blocks("text").iter().any(|text| text.trim() == warnings.trim()), "{warnings}");
}

#[test]
fn the_addresses_of_the_readme_are_served_by_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = read(&root.join("feeds.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let masthead = masthead(&config);
    let host = config.site.address.as_str();
    let mut found = 0;
    for rest in README.split("curl -s ").skip(1) {
        let address = rest.split_whitespace().next().unwrap();
        let path = format!("http://{address}");
        let path = path.strip_prefix(host).unwrap_or_else(|| panic!("{address} is not at {host}"));
        if let Some(path) = path.strip_suffix(".atom") {
            let selection = Selection::at(path).unwrap();
            assert!(masthead.knows(&selection), "{address}");
            found += 1;
        }
    }
    assert!(found >= 2, "README.md shows only {found} feeds");
}

#[test]
fn the_commands_of_the_readme_are_those_that_there_are() {
    let program = Arguments::command();
    let mut names: Vec<_> = program.get_subcommands().map(clap::Command::get_name).collect();
    names.sort_unstable();
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `visnyk "));
    let mut told: Vec<_> = rows.map(|row| row.split([' ', '`']).next().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, names);
    for option in ["--config", "--state", "--log"] {
        assert!(README.contains(option), "README.md does not tell of {option}");
        assert!(program.get_arguments().any(|a| a.get_long() == option.strip_prefix("--")));
    }
    for command in program.get_subcommands() {
        let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(example.contains(&format!("visnyk {}", command.get_name())), "{example}");
    }
}
