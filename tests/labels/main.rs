//! How right the labels are: items with the answer that an editor would give, precision, recall
//! and F1 of what is found, and bars below which the test fails.
//!
//! An item begins with `= regions ; communities ; tags`; the next line is its title, the second
//! its lead, the rest its body. Lines that begin with `@` say more: `@region kharkivska` of the
//! feed, `@category Бюджет`, `@url`, `@point`, `@language uk`. Where `?` stands for an answer, or
//! none is given, it is not counted.
//!
//! `VISNYK_LABELS=FILE` measures another file, and prints every miss.

// Of the sample only its article is needed here.
#[allow(dead_code)]
#[path = "../sample/mod.rs"]
mod sample;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::LazyLock;
use visnyk::classify::Classifier;
use visnyk::config::Config;
use visnyk::config::read;
use visnyk::model::article::Article;
use visnyk::model::article::Labels;
use visnyk::model::entry::Category;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::id::FeedId;

static CONFIG: LazyLock<Config> =
    LazyLock::new(|| read(Path::new("feeds.toml")).unwrap_or_else(|problems| panic!("{problems}")));

static CLASSIFIER: LazyLock<Classifier> =
    LazyLock::new(|| Classifier::new(&CONFIG.catalogue, &CONFIG.tags, &[]));

/// An item with its answers; none where the item does not say.
struct Item {
    regions: Option<BTreeSet<String>>,
    communities: Option<BTreeSet<String>>,
    tags: Option<BTreeSet<String>>,
    language: Option<String>,
    article: Article,
    feed: Feed,
}

/// What was found against what is right.
#[derive(Default)]
struct Count {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Count {
    fn add(&mut self, expected: &BTreeSet<String>, found: &BTreeSet<String>) {
        let count = |set: Vec<&String>| u32::try_from(set.len()).unwrap();
        self.right += count(found.intersection(expected).collect());
        self.wrong += count(found.difference(expected).collect());
        self.missed += count(expected.difference(found).collect());
    }

    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }

    fn told(&self, what: &str) -> String {
        let (precision, recall) = (self.precision(), self.recall());
        let f1 = 2.0 * precision * recall / (precision + recall);
        format!(
            "{what:12} precision {precision:.3}  recall {recall:.3}  F1 {f1:.3}  ({} right, {} wrong, {} missed)",
            self.right, self.wrong, self.missed
        )
    }
}

fn split(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn item(block: &str) -> Item {
    let mut lines = block.lines();
    let answer = lines.next().unwrap().strip_prefix('=').unwrap_or_else(|| panic!("{block}"));
    let answers: Vec<&str> = answer.split(';').collect();
    let tagging = CONFIG.site.tagging.clone();
    let address = Address::Http("https://news.example/rss".parse().unwrap());
    let schedule = CONFIG.feeds.values().next().unwrap().schedule.clone();
    let mut feed = Feed::new(FeedId::new("news").unwrap(), address, schedule, tagging);
    let mut article = sample::sister_cities();
    article.categories.clear();
    article.labels = Labels::default();
    article.url = Some("https://news.example/1".parse().unwrap());
    article.point = None;
    let mut language = None;
    let mut texts = Vec::new();
    for line in lines {
        let Some(said) = line.strip_prefix('@') else {
            texts.push(line);
            continue;
        };
        let (key, value) = said.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        match key {
            "region" => feed.region = Some(value.parse().unwrap()),
            "community" => feed.community = Some(value.parse().unwrap()),
            "category" => article.categories.push(Category {
                term: value.to_owned(),
                scheme: None,
                label: None,
            }),
            "url" => article.url = Some(value.parse().unwrap()),
            "language" => language = Some(value.to_owned()),
            "point" => {
                let (north, east) = value.split_once(' ').unwrap();
                article.point = Some((north.parse().unwrap(), east.parse().unwrap()));
            }
            other => panic!("{other} in {block}"),
        }
    }
    article.title = texts[0].replace("\\u00ad", "\u{ad}").replace("\\u00a0", "\u{a0}");
    texts.get(1).copied().unwrap_or_default().clone_into(&mut article.lead);
    let paragraphs = texts.iter().skip(1).map(|text| format!("<p>{text}</p>"));
    article.body = paragraphs.collect();
    let known = [
        names(CONFIG.catalogue.regions.keys()),
        names(CONFIG.catalogue.communities.keys()),
        names(CONFIG.tags.keys()),
    ];
    let said = |at: usize| {
        let ids = split(answers.get(at).copied().filter(|ids| ids.trim() != "?")?);
        assert!(ids.is_subset(&known[at]), "{block}");
        Some(ids)
    };
    Item { regions: said(0), communities: said(1), tags: said(2), language, article, feed }
}

fn items(path: &Path) -> Vec<Item> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let text = text.join("\n");
    text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(item).collect()
}

fn names<Id: ToString>(ids: impl Iterator<Item = Id>) -> BTreeSet<String> {
    ids.map(|id| id.to_string()).collect()
}

#[test]
fn labels_are_right_so_often_that_an_editor_would_trust_them() {
    let other = std::env::var("VISNYK_LABELS").ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/labels");
    let files: Vec<PathBuf> = if let Some(file) = &other {
        vec![file.into()]
    } else {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let is_set = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "txt");
        let mut files: Vec<PathBuf> = files.filter(is_set).collect();
        files.sort();
        files
    };
    let [mut regions, mut communities, mut tags] = [(); 3].map(|()| Count::default());
    let (mut count, mut languages, mut wrong_languages) = (0, 0, Vec::new());
    let (mut known_regions, mut known_communities) = (BTreeSet::new(), BTreeSet::new());
    for item in files.iter().flat_map(|file| items(file)) {
        count += 1;
        let found = CLASSIFIER.explain(&item.article, &item.feed);
        let labels = &found.labels;
        let sets = [
            (&mut regions, item.regions.as_ref(), names(labels.regions.keys())),
            (&mut communities, item.communities.as_ref(), names(labels.communities.keys())),
            (&mut tags, item.tags.as_ref(), names(labels.tags.keys())),
        ];
        for (count, expected, found_ids) in sets {
            let Some(expected) = expected else { continue };
            count.add(expected, &found_ids);
            if *expected != found_ids {
                println!("{expected:?} but found {found_ids:?}: {}", item.article.title);
                let all = labels.regions.values().chain(labels.communities.values());
                for reason in all.chain(labels.tags.values()).flatten() {
                    println!("      {} {:?}", reason.points, reason.why);
                }
                for dismissed in &found.dismissed {
                    println!("      not {:?}: {:?}", dismissed.words, dismissed.why);
                }
            }
        }
        if let Some(language) = &item.language {
            languages += 1;
            if labels.language.as_ref() != Some(language) {
                wrong_languages
                    .push(format!("{language} {:?} {}", labels.language, item.article.title));
            }
        }
        known_regions.extend(item.regions.unwrap_or_default());
        known_communities.extend(item.communities.unwrap_or_default());
    }
    println!(
        "{count} items, {} regions, {} communities",
        known_regions.len(),
        known_communities.len()
    );
    println!(
        "{}\n{}\n{}",
        regions.told("regions"),
        communities.told("communities"),
        tags.told("tags")
    );
    println!(
        "languages    {} of {languages} right {wrong_languages:?}",
        languages - wrong_languages.len()
    );
    if other.is_none() {
        assert!(count >= 300 && known_regions.len() >= 27 && known_communities.len() >= 60);
        assert!(regions.precision() >= 0.97 && regions.recall() >= 0.95);
        assert!(communities.precision() >= 0.95 && communities.recall() >= 0.90);
        assert!(tags.precision() >= 0.9 && tags.recall() >= 0.85);
        assert!(wrong_languages.len() * 20 <= languages);
    }
}
