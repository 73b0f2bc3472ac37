//! feeds.toml: every mistake is shown at its line, and a file without one becomes values.

use std::fs;
use std::path::Path;
use visnyk::config;

/// Checks that the mistakes of `NAME.toml` are shown as `NAME.expected` says.
fn check(toml: &Path) {
    let text = fs::read_to_string(toml).unwrap();
    let problems = match config::parse("feeds.toml", &text, Path::new("")) {
        Ok(_) => panic!("{}: no mistake was found", toml.display()),
        Err(problems) => problems,
    };
    if std::env::var_os("BLESS").is_some() {
        fs::write(toml.with_extension("expected"), format!("{problems}\n")).unwrap();
    }
    let expected = fs::read_to_string(toml.with_extension("expected")).unwrap();
    assert_eq!(format!("{problems}\n"), expected, "{}", toml.display());
}

#[test]
fn every_mistake_is_shown_at_its_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let documents = paths.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let checked = documents.inspect(|path| check(path)).count();
    assert!(checked >= 25, "only {checked} fixtures were found");
}
