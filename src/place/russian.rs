//! The forms of Ukrainian place names in Russian texts.
//!
//! # How
//! Letter by letter, and by the endings: Конотоп, в Конотопе; Лубни, в Лубнах; Лозова, в Лозовой;
//! Бориспіль, Борисполя. Where Ukrainian has one letter for two of Russian (Миргород, but Сумы;
//! Хуст, but Ніжин and Нежин) both spellings are given, since the wrong one is no word. What the
//! rules do not give (Харьков, Ровно) is in the table of names.

use crate::place::decline::Cases;
use crate::place::decline::joined;
use crate::place::decline::paradigm;
use std::collections::BTreeSet;

/// The endings of an adjective, in every case of both numbers.
pub(crate) const ADJECTIVE: [&str; 11] =
    ["ая", "ой", "ую", "ий", "ого", "ому", "им", "ом", "ие", "их", "ими"];

/// Every form of a place's name in Russian.
#[must_use]
pub fn forms(name: &str) -> BTreeSet<String> {
    let words = name.split(' ').map(|word| {
        let parts: Vec<Cases> = word.split('-').map(cases).collect();
        let mut both = Cases::default();
        // «Могилева-Подольского», but «в Белгород-Днестровском»: the first part may stay.
        let stiff = parts
            .split_last()
            .map(|(last, first)| first.iter().map(stiff).chain([last.clone()]).collect::<Vec<_>>());
        for parts in [Some(parts), stiff].into_iter().flatten() {
            let forms = parts.into_iter().reduce(|left, right| joined(&left, "-", &right));
            for (case, forms) in both.iter_mut().zip(forms.unwrap_or_default()) {
                case.extend(forms);
            }
        }
        both
    });
    let cases = words.reduce(|left, right| joined(&left, " ", &right));
    cases.into_iter().flatten().flatten().collect()
}

/// Every form of a Ukrainian adjective in Russian: «Лубенская», «Лубенского» …
#[must_use]
pub fn adjective(feminine: &str) -> BTreeSet<String> {
    let Some(stem) =
        feminine.strip_suffix('а').filter(|stem| stem.ends_with("ськ") || stem.ends_with("цьк"))
    else {
        return BTreeSet::new();
    };
    let stems = spellings(stem);
    stems.iter().flat_map(|stem| ADJECTIVE.map(|ending| format!("{stem}{ending}"))).collect()
}

/// A part of a name that is the same in every case.
fn stiff(cases: &Cases) -> Cases {
    std::array::from_fn(|_| cases[0].clone())
}

fn cases(word: &str) -> Cases {
    let word = hardened(word);
    let mut cases = Cases::default();
    let end = word.char_indices().last().map_or(0, |(at, _)| at);
    let (stem, last) = word.split_at(end);
    for stem in spellings(stem) {
        let y =
            if stem.ends_with(['г', 'к', 'х', 'ж', 'ч', 'ш', 'щ']) { "и" } else { "ы" };
        let mut add = |nominative: &str, others: [&str; 5]| {
            cases[0].insert(format!("{stem}{nominative}"));
            paradigm(&mut cases, &stem, others);
        };
        match last {
            "а" if is_adjective(&stem) => add("ая", ["ой", "ой", "ую", "ой", "ой"]),
            "а" => add("а", [y, "е", "у", "ой", "е"]),
            // Вінниця, Винница.
            "я" if stem.ends_with('ц') => add("а", ["ы", "е", "у", "ей", "е"]),
            "я" => add("я", ["и", "и|е", "ю", "ей", "и|е"]),
            "о" => add("о", ["а", "у", "о", "ом", "е"]),
            "е" if stem.ends_with('щ') || stem.ends_with("пол") => {
                add("е", ["а|я", "у|ю", "е", "ем", "е"]);
            }
            "е" => {
                add("ое", ["ого|его", "ому|ему", "ое|ее", "ым|им", "ом|ем"]);
                if ["ов", "ев"].iter().any(|end| stem.ends_with(end)) {
                    // Мукачеве, Мукачево.
                    add("о", ["а", "у", "о", "ом", "е"]);
                }
            }
            "и" | "і" => add(y, ["|ов|ев", "ам", y, "ами", "ах"]),
            "ї" => add("и", ["ев|й", "ям", "и", "ями", "ях"]),
            "ь" => soft_ending(&mut cases, &stem),
            "й" => {
                let stem = stem.trim_end_matches(['и', 'ы']);
                cases[0].extend(["ый", "ий"].map(|ending| format!("{stem}{ending}")));
                paradigm(&mut cases, stem, ["ого|его", "ому|ему", "ый|ий", "ым|им", "ом|ем"]);
            }
            _ => consonant(&mut cases, &stem, last),
        }
    }
    cases
}

/// Тернопіль, Тернополь; Кременець, Кременец; Умань.
fn soft_ending(cases: &mut Cases, stem: &str) {
    if let Some(stem) = stem.strip_suffix("ец") {
        cases[0].insert(format!("{stem}ец"));
        paradigm(cases, stem, ["ца|йца", "цу|йцу", "ец", "цом|цем|йцем", "це|йце"]);
        return;
    }
    let opened = ["пил", "пел"].iter().find_map(|end| stem.strip_suffix(end));
    let stem = opened.map_or_else(|| stem.to_owned(), |stem| format!("{stem}пол"));
    cases[0].insert(format!("{stem}ь"));
    paradigm(cases, &stem, ["я|и", "ю|и", "ь", "ем|ью", "е|и"]);
}

/// Хуст, Ізмаїл, Бердичів, Городок.
fn consonant(cases: &mut Cases, stem: &str, last: &str) {
    let closed = match (last, stem.strip_suffix(['и', 'е'])) {
        // Бердичів, Бердичев; Чугуїв, Чугуев.
        ("в", Some(stem)) => vec![format!("{stem}ов"), format!("{stem}ев")],
        _ => vec![format!("{stem}{last}")],
    };
    for word in closed {
        cases[0].insert(word.clone());
        cases[3].insert(word.clone());
        let stem = word.strip_suffix("ок").map_or(word.clone(), |stem| format!("{stem}к"));
        paradigm(cases, &stem, ["а", "у", "а", "ом|ем", "е"]);
    }
}

fn is_adjective(stem: &str) -> bool {
    ["ов", "ев", "ск", "цк", "бел", "нов", "стар", "велик"].iter().any(|end| stem.ends_with(end))
}

/// A word with the letters that are one in both languages, or have one in Russian for them.
fn hardened(word: &str) -> String {
    [("’", ""), ("ськ", "ск"), ("цьк", "цк"), ("зьк", "зк"), ("ьо", "е"), ("є", "е"), ("ґ", "г")]
        .iter()
        .fold(word.to_lowercase(), |word, (from, to)| word.replace(from, to))
}

/// How the letters of a stem may be written.
fn spellings(stem: &str) -> BTreeSet<String> {
    let stem = hardened(stem).replace('ї', "и");
    let mut spellings = BTreeSet::new();
    for i in ["и", "е", "о"] {
        for y in ["и", "ы"] {
            let spelt: String = stem
                .chars()
                .map(|c| match c {
                    'і' => i.to_owned(),
                    'и' => y.to_owned(),
                    c => c.to_string(),
                })
                .collect();
            // Not possible in Russian.
            let odd = ["гы", "кы", "хы", "жы", "чы", "шы", "щы"];
            let spelt = odd.iter().fold(spelt, |spelt, odd| {
                let right = odd.replace('ы', "и");
                spelt.replace(odd, &right)
            });
            spellings.insert(spelt);
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_forms_of_russian_texts() {
        for (name, expected) in [
            ("Хуст", "Хуст Хуста Хусте"),
            ("Конотоп", "Конотоп Конотопа Конотопом"),
            ("Лубни", "Лубны Лубнах"),
            ("Миргород", "Миргороде"),
            ("Ніжин", "Нежин Нежине"),
            ("Лозова", "Лозовая Лозовой Лозовую"),
            ("Бердичів", "Бердичев Бердичеве"),
            ("Бориспіль", "Борисполь Борисполя Борисполе"),
            ("Мукачево", "Мукачево Мукачева"),
            ("Берегове", "Берегово Береговом"),
            ("Кременець", "Кременец Кременца Кременце"),
            ("Шостка", "Шостка Шостки Шостке"),
            ("Куп’янськ", "Купянск Купянске"),
            ("Городок", "Городка Городке"),
            ("Умань", "Умань Умани"),
            ("Вишневе", "Вишневое Вишневого"),
        ] {
            let forms = forms(name);
            for form in expected.split(' ') {
                assert!(forms.contains(&form.to_lowercase()), "{name}: no {form} in {forms:?}");
            }
        }
        assert!(forms("Новоград-Волинський").contains("новограда-волынского"));
        assert!(forms("Білгород-Дністровський").contains("белгород-днестровском"));
        assert!(forms("Нова Каховка").contains("новой каховке"));
        assert!(adjective("Лубенська").contains("лубенского"));
        assert!(adjective("Лозова").is_empty());
    }
}
