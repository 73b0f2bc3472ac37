//! The forms of a Ukrainian place name in every grammatical case, and those of adjectives.
//!
//! # How
//! By endings, with the changes inside the stem that go with them: Харків, Харкова; Київ, Києва;
//! Тернопіль, Тернополя; Кременець, Кременця; Городок, Городка; Знам’янка, Знам’янці; Лубни,
//! Лубен. Where an ending fits several paradigms (Умань, Умані and Бориспіль, Борисполя; Лозова,
//! Лозової and Полтава, Полтави) the forms of all are given: one form too many is rarely a word,
//! one too few is a place that is not found.
//!
//! Never here: what a form means in a text.

use std::collections::BTreeSet;

/// The cases of the singular, as far as their forms differ: nominative, genitive, dative,
/// accusative, instrumental, locative.
pub(crate) const CASES: usize = 6;

pub(crate) type Cases = [BTreeSet<String>; CASES];

/// The endings of a hard adjective, in every case of both numbers.
const HARD: [&str; 14] =
    ["а", "ої", "ій", "у", "ою", "ий", "ого", "ому", "им", "ім", "і", "их", "ими", "е"];

/// The endings of a soft adjective.
const SOFT: [&str; 13] =
    ["я", "ьої", "ій", "ю", "ьою", "ього", "ьому", "ім", "і", "їх", "іх", "іми", "є"];

/// The endings of a noun such as «Харківщина».
const LAND: [&str; 5] = ["а", "и", "і", "у", "ою"];

/// Every form of a place's name, of one word or several: «Біла Церква», «Білої Церкви» …
#[must_use]
pub fn forms(name: &str) -> BTreeSet<String> {
    let cases = name.split(' ').map(compound).reduce(|left, right| joined(&left, " ", &right));
    cases.into_iter().flatten().flatten().collect()
}

/// Every form of an adjective, masculine and neuter and plural too, from its feminine nominative:
/// «Харківська», «Харківського», «Харківські» …
#[must_use]
pub fn adjective(feminine: &str) -> BTreeSet<String> {
    let with = |stem: &str, endings: &[&str]| {
        endings.iter().map(|ending| format!("{stem}{ending}")).collect()
    };
    match (feminine.strip_suffix('а'), feminine.strip_suffix('я')) {
        (Some(stem), _) => with(stem, &HARD),
        (_, Some(stem)) => with(stem, &SOFT),
        _ => BTreeSet::from([feminine.to_owned()]),
    }
}

/// Every form of the noun that names the land around a town, from the town's adjective in the
/// feminine or the masculine: «Ізюмська», «Ізюмщина»; «Кременчуцький», «Кременчуччина». None
/// where the language makes no such noun.
#[must_use]
pub fn land(adjective: &str) -> BTreeSet<String> {
    let stem = adjective.trim_end_matches("ий").trim_end_matches('а');
    let stem = match (stem.strip_suffix("цьк"), stem.strip_suffix("ськ")) {
        (Some(stem), _) => format!("{stem}ччин"),
        (_, Some(stem)) if !stem.ends_with(vowel) => format!("{stem}щин"),
        _ => return BTreeSet::new(),
    };
    LAND.iter().map(|ending| format!("{stem}{ending}")).collect()
}

/// Those who live in a city, in every case of the plural, from the adjective of its community:
/// «Лозівська», «лозівчани»; «Роменська», «роменці». Which of the ways is right for a city the
/// rules do not tell; the other is no word.
#[must_use]
pub fn people(adjective: &str) -> BTreeSet<String> {
    let stem = adjective.trim_end_matches('а');
    let stems: &[(String, &[&str])] = &match (stem.strip_suffix("ськ"), stem.strip_suffix("цьк"))
    {
        (Some(stem), _) => [
            (format!("{stem}ц"), &["і", "ів", "ям", "ями", "ях"][..]),
            (format!("{stem}чан"), &["и", "", "ам", "ами", "ах"]),
        ],
        (_, Some(stem)) => [
            (format!("{stem}чан"), &["и", "", "ам", "ами", "ах"][..]),
            (format!("{stem}жан"), &["и", "", "ам", "ами", "ах"]),
        ],
        _ => return BTreeSet::new(),
    };
    let forms = stems
        .iter()
        .flat_map(|(stem, endings)| endings.iter().map(move |ending| format!("{stem}{ending}")));
    forms.collect()
}

/// The cases of a word, which may be two joined by a hyphen: «Могилева-Подільського»,
/// «Івано-Франківська».
fn compound(word: &str) -> Cases {
    let Some((first, last)) = word.rsplit_once('-') else { return cases(word) };
    let agrees = ["ий", "а"].iter().any(|ending| last.ends_with(ending)) && !first.ends_with('о');
    if agrees {
        joined(&compound(first), "-", &cases(last))
    } else {
        joined(&cases_of_one(first), "-", &cases(last))
    }
}

fn cases_of_one(word: &str) -> Cases {
    std::array::from_fn(|_| BTreeSet::from([word.to_owned()]))
}

pub(crate) fn joined(left: &Cases, by: &str, right: &Cases) -> Cases {
    std::array::from_fn(|case| {
        let pairs = left[case].iter().flat_map(|l| right[case].iter().map(move |r| (l, r)));
        pairs.map(|(l, r)| format!("{l}{by}{r}")).collect()
    })
}

/// Adds the forms of one paradigm: the stem and its endings from the genitive on, variants parted
/// by `|`.
pub(crate) fn paradigm(cases: &mut Cases, stem: &str, endings: [&str; CASES - 1]) {
    for (case, endings) in cases[1..].iter_mut().zip(endings) {
        case.extend(endings.split('|').map(|ending| format!("{stem}{ending}")));
    }
}

fn cases(word: &str) -> Cases {
    let mut cases: Cases = std::array::from_fn(|_| BTreeSet::new());
    cases[0].insert(word.to_owned());
    let letters: Vec<char> = word.chars().collect();
    let Some((&last, stem)) = letters.split_last() else { return cases };
    let stem: String = stem.iter().collect();
    match last {
        'а' => first_declension(&mut cases, &stem),
        'я' if stem.ends_with('’') || is_doubled(&stem) => {
            // Запоріжжя, Міжгір’я.
            paradigm(&mut cases, &stem, ["я", "ю", "я", "ям", "і|ї|ю"]);
        }
        'я' if stem.ends_with(vowel) => {
            paradigm(&mut cases, &stem, ["ї", "ї", "ю", "єю", "ї"]);
        }
        'я' => paradigm(&mut cases, &stem, ["і", "і", "ю", "ею", "і"]),
        'о' => paradigm(&mut cases, &stem, ["а", "у|ові|еві", "о", "ом|им", "і|у|ові"]),
        'е' => neuter(&mut cases, &stem),
        'є' => paradigm(&mut cases, &stem, ["ього|я", "ьому|ю", "є", "ім|єм", "ьому|ю|ї"]),
        'и' => plural(&mut cases, &stem, ["ам", "ами", "ах"]),
        'і' => {
            plural(&mut cases, &stem, ["ям|ам", "ями|ами", "ях|ах"]);
            // Горішні, Великі.
            paradigm(&mut cases, &stem, ["их|іх", "им|ім", "і", "ими|іми", "их|іх"]);
        }
        'ї' => plural(&mut cases, &stem, ["ям", "ями", "ях"]),
        'ь' => soft(&mut cases, &stem),
        'й' => masculine_in_y(&mut cases, &stem),
        _ if last.is_alphabetic() && !vowel(last) => hard(&mut cases, word),
        _ => cases[1..].iter_mut().for_each(|case| _ = case.insert(word.to_owned())),
    }
    cases
}

/// Полтава, Знам’янка, Прага; and Лозова, Долинська, which are adjectives.
fn first_declension(cases: &mut Cases, stem: &str) {
    let softened = softened(stem);
    if stem.ends_with('ц') {
        paradigm(cases, stem, ["і", "і", "ю|у", "ею", "і"]);
    } else if stem.ends_with(hushing) {
        paradigm(cases, stem, ["і|и", "і", "у", "ею", "і"]);
    } else {
        paradigm(cases, stem, ["и", "", "у", "ою", ""]);
        for case in [2, 5] {
            cases[case].remove(stem);
            cases[case].insert(format!("{softened}і"));
        }
    }
    paradigm(cases, stem, ["ої", "ій", "у", "ою", "ій"]);
}

/// Рівне, Вишневе, which are adjectives; Городище, Гуляйполе, which are not.
fn neuter(cases: &mut Cases, stem: &str) {
    if stem.ends_with('щ') {
        paradigm(cases, stem, ["а", "у", "е", "ем", "і|у"]);
    } else if stem.ends_with("пол") || stem.ends_with("мор") {
        paradigm(cases, stem, ["я", "ю", "е", "ем", "і|ю"]);
    } else {
        paradigm(cases, stem, ["ого|ього", "ому|ьому", "е", "им|ім", "ому|ім|ьому"]);
        if ["ов", "ев", "єв", "ин"].iter().any(|end| stem.ends_with(end)) {
            // Берегове, Берегова, as people say.
            paradigm(cases, stem, ["а", "у", "е", "ом", "і|у"]);
        }
    }
}

/// Суми, Лубни, Бровари, Чернівці, Олешки.
fn plural(cases: &mut Cases, stem: &str, [dative, instrumental, locative]: [&str; 3]) {
    let mut genitive: BTreeSet<String> =
        ["", "ів", "ей", "їв", "ь"].iter().map(|ending| format!("{stem}{ending}")).collect();
    let mut letters: Vec<char> = stem.chars().collect();
    if letters.len() > 2 && !letters.iter().rev().take(2).any(|c| vowel(*c)) {
        // A vowel between two consonants: Лубен, Олешок.
        for filler in ['е', 'о'] {
            let mut filled = letters.clone();
            filled.retain(|c| *c != 'ь' || letters.last() == Some(c));
            filled.insert(filled.len() - 1, filler);
            genitive.insert(filled.iter().collect());
        }
    } else if letters.len() > 2 {
        // Броди, Брід; Води, Вод: the vowel before the last consonant closes.
        let at = letters.len() - 2;
        if matches!(letters[at], 'о' | 'е') {
            letters[at] = 'і';
            genitive.insert(letters.iter().collect());
        }
    }
    cases[1].extend(genitive);
    cases[3].insert(format!("{stem}и"));
    cases[3].insert(format!("{stem}і"));
    for (case, endings) in [(2, dative), (4, instrumental), (5, locative)] {
        cases[case].extend(endings.split('|').map(|ending| format!("{stem}{ending}")));
    }
}

/// Тернопіль, Ковель, Кременець (masculine); Умань, Бершадь (feminine).
fn soft(cases: &mut Cases, stem: &str) {
    for open in open_stems(stem) {
        paradigm(cases, &open, ["я", "ю|еві", "ь", "ем", "і|ю|еві"]);
    }
    cases[3].remove(&format!("{stem}ьь"));
    let last = stem.chars().last().map(String::from).unwrap_or_default();
    paradigm(cases, stem, ["і", "і", "ь", &format!("{last}ю|ю"), "і"]);
}

/// Кропивницький, Новий, Верхній, which are adjectives; Стрий, which is not.
fn masculine_in_y(cases: &mut Cases, stem: &str) {
    match (stem.strip_suffix('и'), stem.strip_suffix('і')) {
        (Some(stem), _) => {
            paradigm(cases, stem, ["ого", "ому", "ий", "им", "ому|ім"]);
            paradigm(cases, stem, ["ия", "ию|иєві", "ий", "иєм", "ию|иї"]);
        }
        (_, Some(stem)) => {
            paradigm(cases, stem, ["ього", "ьому", "ій", "ім", "ьому|ім"]);
        }
        _ => paradigm(cases, stem, ["я", "ю|єві", "й", "єм", "ю|ї|єві"]),
    }
}

/// Харків, Луцьк, Острог, Галич, Городок.
fn hard(cases: &mut Cases, word: &str) {
    let mut stems = open_stems(word);
    if let Some(stem) = word.strip_suffix("ок") {
        stems.insert(format!("{stem}к"));
    }
    if let Some(stem) = word.strip_suffix("ер") {
        stems.insert(format!("{stem}р"));
    }
    for stem in stems {
        if stem.ends_with(hushing) {
            paradigm(cases, &stem, ["а", "у|еві", "", "ем", "і|у|еві"]);
        } else {
            paradigm(cases, &stem, ["а|у", "у|ові", "", "ом", "у|ові"]);
            cases[5].insert(format!("{}і", softened(&stem)));
        }
        cases[3].remove(&stem);
    }
    cases[3].insert(word.to_owned());
}

/// The stems that a name has before an ending that begins with a vowel: Харків, Харков-; Київ,
/// Києв-; Тернопіль, Терноп(о)л-; Кременець, Кременц-.
fn open_stems(word: &str) -> BTreeSet<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut stems = BTreeSet::from([word.to_owned()]);
    let [before @ .., closing, last] = letters.as_slice() else { return stems };
    let with = |middle: &str| {
        let mut stem: String = before.iter().collect();
        stem.push_str(middle);
        stem.push(*last);
        stem
    };
    match closing {
        'і' => {
            let open = [with("о"), with("е")];
            if *last == 'в' {
                stems.clear();
            }
            stems.extend(open);
        }
        'ї' if *last == 'в' => stems = BTreeSet::from([with("є")]),
        'е' if *last == 'ц' => {
            // Кременець, Кременця; Олевець, Олевця; after a soft л the sign stays: Королець.
            stems = BTreeSet::from([with(""), with("ь")]);
        }
        _ => {}
    }
    stems
}

fn vowel(c: char) -> bool {
    matches!(c, 'а' | 'е' | 'є' | 'и' | 'і' | 'ї' | 'о' | 'у' | 'ю' | 'я')
}

fn hushing(c: char) -> bool {
    matches!(c, 'ж' | 'ч' | 'ш' | 'щ')
}

fn is_doubled(stem: &str) -> bool {
    let mut back = stem.chars().rev();
    matches!((back.next(), back.next()), (Some(last), Some(before)) if last == before)
}

/// The stem before the ending «і», where к becomes ц, г becomes з and х becomes с.
fn softened(stem: &str) -> String {
    for (from, to) in [('к', 'ц'), ('г', 'з'), ('х', 'с')] {
        if let Some(stem) = stem.strip_suffix(from) {
            return format!("{stem}{to}");
        }
    }
    stem.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_forms_that_texts_write() {
        for (name, expected) in [
            ("Харків", "Харкова Харкову Харковом Харкові"),
            ("Київ", "Києва Києву Києвові Києвом Києві"),
            ("Миколаїв", "Миколаєва Миколаєву Миколаєвом Миколаєві"),
            ("Львів", "Львова Львову Львовом Львові"),
            ("Тернопіль", "Тернополя Тернополю Тернополем Тернополі"),
            ("Ірпінь", "Ірпеня Ірпеню Ірпенем Ірпені"),
            ("Фастів", "Фастова Фастові"),
            ("Канів", "Канева Каневі"),
            ("Кременець", "Кременця Кременцю Кременцем Кременці"),
            ("Городок", "Городка Городку Городком"),
            ("Луцьк", "Луцька Луцьку Луцьком"),
            ("Коростень", "Коростеня Коростені"),
            ("Умань", "Умані Уманню"),
            ("Остер", "Остра Остру"),
            ("Острог", "Острога Острозі"),
            ("Галич", "Галича Галичем Галичі"),
            ("Стрий", "Стрия Стрию Стриєм"),
            ("Полтава", "Полтави Полтаві Полтаву Полтавою"),
            ("Знам’янка", "Знам’янки Знам’янці Знам’янку Знам’янкою"),
            ("Вінниця", "Вінниці Вінницю Вінницею"),
            ("Балаклія", "Балаклії Балаклію Балаклією"),
            ("Одеса", "Одеси Одесі Одесу Одесою"),
            ("Лозова", "Лозової Лозовій Лозову Лозовою"),
            ("Запоріжжя", "Запоріжжю Запоріжжям Запоріжжі"),
            ("Міжгір’я", "Міжгір’ю Міжгір’ям Міжгір’ї"),
            ("Рівне", "Рівного Рівному Рівним"),
            ("Городище", "Городища Городищу Городищем Городищі"),
            ("Гуляйполе", "Гуляйполя Гуляйполі Гуляйполем"),
            ("Дніпро", "Дніпра Дніпру Дніпром Дніпрі"),
            ("Мукачево", "Мукачева Мукачеву Мукачевом Мукачеві"),
            ("Суми", "Сум Сумам Сумами Сумах"),
            ("Лубни", "Лубен Лубнам Лубнах"),
            ("Ромни", "Ромен Ромнах"),
            ("Бровари", "Броварів Броварам Броварах"),
            ("Чернівці", "Чернівців Чернівцям Чернівцях"),
            ("Олешки", "Олешок Олешках"),
            ("Кропивницький", "Кропивницького Кропивницькому Кропивницьким"),
            ("Біла Церква", "Білої Церкви|Білій Церкві|Білу Церкву|Білою Церквою"),
            ("Кривий Ріг", "Кривого Рогу|Кривому Розі|Кривим Рогом"),
            ("Жовті Води", "Жовтих Вод|Жовтих Водах"),
            ("Нова Каховка", "Нової Каховки|Новій Каховці"),
            ("Горішні Плавні", "Горішніх Плавнів|Горішніх Плавнях"),
            ("Івано-Франківськ", "Івано-Франківська Івано-Франківську"),
            ("Кам’янець-Подільський", "Кам’янця-Подільського Кам’янцем-Подільським"),
            ("Могилів-Подільський", "Могилева-Подільського"),
            ("Рава-Руська", "Рави-Руської Раві-Руській"),
        ] {
            let forms = forms(name);
            let parted = if expected.contains('|') { '|' } else { ' ' };
            let parted = if name.contains(' ') && !expected.contains('|') { '|' } else { parted };
            for form in expected.split(parted) {
                assert!(forms.contains(form), "{name}: no {form} in {forms:?}");
            }
            assert!(forms.contains(name));
        }
    }

    #[test]
    fn adjectives_and_lands_are_made_of_a_feminine() {
        let forms = adjective("Мереф’янська");
        for form in ["Мереф’янської", "Мереф’янським", "Мереф’янський", "Мереф’янські"]
        {
            assert!(forms.contains(form), "{form}");
        }
        assert!(adjective("Середня").contains("Середньої"));
        assert!(land("Ізюмська").contains("Ізюмщині"));
        assert!(land("Кременчуцький").contains("Кременчуччиною"));
        assert!(land("Квітнева").is_empty());
        assert!(people("Лозівська").contains("Лозівчанам"));
        assert!(people("Роменська").contains("Роменців"));
        assert!(people("Кременчуцька").contains("Кременчужани"));
    }
}
