//! What is right by the letter and hardly meant: warnings, which never refuse a file.
//!
//! # How
//! A warning is worth its line only if it is nearly always right, and if who means it can say so:
//! by `enabled = false`, `kind = "national"`, `ignore_hints = true` or by writing plainly what
//! stands there. Each kind has a code, which stays when its words change.
//!
//! What one table says by itself is looked at always. Whether rules and publications ever have
//! anything depends on the others, and of those a mistake leaves only a guess: that waits until
//! there is none.

mod feeds;
mod patterns;
mod publications;
mod retention;
mod rules;
mod schedules;

use crate::config::Config;
use crate::config::Given;
use crate::config::lookalike::in_one_alphabet;
use crate::config::problem::Found;
use crate::config::table::Row;
use crate::model::letters::is_apostrophe;

/// Notes every warning.
pub(crate) fn warn(given: &Given, config: &Config, found: &mut Found) {
    schedules::often_or_odd(given, found);
    feeds::addresses(&given.feeds, found);
    feeds::each(&given.feeds, config, found);
    languages(given, found);
    letters(given, found);
    patterns::of_tags(&given.tags, found);
    if !found.has_errors() {
        retention::retention(given, config, found);
        rules::rules(&given.rules, config, found);
        publications::publications(&given.publications, config, found);
    }
}

/// Codes of countries that are taken for those of their languages.
const COUNTRIES: [(&str, &str); 8] = [
    ("ua", "uk"),
    ("us", "en"),
    ("gb", "en"),
    ("cz", "cs"),
    ("by", "be"),
    ("se", "sv"),
    ("dk", "da"),
    ("jp", "ja"),
];

fn languages(given: &Given, found: &mut Found) {
    for row in given.feeds.iter().chain([&given.site]) {
        let Some(language) = row.text("language") else { continue };
        let lower = language.to_ascii_lowercase();
        if let Some((country, right)) = COUNTRIES.iter().find(|(country, _)| *country == lower) {
            let what = format!("`{country}` is a country and no language");
            found.warn("language", what, row.span("language"), format!("write `{right}`"));
        }
    }
}

/// Words with letters of two alphabets, where readers see them or ids are made of them. Those of
/// `match` and `aliases` need no warning: they are compared by what they look like.
fn letters(given: &Given, found: &mut Found) {
    let rows: [&[Row]; 7] = [
        std::slice::from_ref(&given.site),
        &given.regions,
        &given.communities,
        &given.tags,
        &given.feeds,
        &given.rules,
        &given.publications,
    ];
    for row in rows.into_iter().flatten() {
        for key in ["title", "subtitle", "name", "name_en", "replace", "with"] {
            let Some(text) = row.text(key) else { continue };
            let words = text.split(|c: char| !c.is_alphanumeric() && !is_apostrophe(c));
            for (word, right) in words.filter_map(|word| Some((word, in_one_alphabet(word)?))) {
                let what = format!("`{word}` has letters of two alphabets that look alike");
                let label = format!("type the word anew in one alphabet: `{right}`");
                found.warn("mixed-letters", what, row.span(key), label);
            }
        }
    }
}
