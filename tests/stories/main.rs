//! The same story in two feeds: pairs that are one, and pairs that only look so.
//!
//! A copy of a story is made as partners make them: word for word, cut, with a header or a footer,
//! slightly edited, under another title. What only looks alike comes from templates that cities
//! share. A translation is another story: who reads one language does not read the other.

// Of the sample only its article is needed here.
#[allow(dead_code)]
#[path = "../sample/mod.rs"]
mod sample;

use std::fs;
use std::path::Path;
use visnyk::model::article::Article;
use visnyk::model::article::Labels;
use visnyk::model::id::ArticleId;
use visnyk::model::id::Digest;
use visnyk::model::id::FeedId;
use visnyk::publish::story::Apart;
use visnyk::publish::story::one_each;
use visnyk::publish::story::same_stories;

/// A text as it stands in one feed.
#[derive(Clone)]
struct Told {
    title: String,
    paragraphs: Vec<String>,
}

fn article(feed: &str, told: &Told) -> Article {
    let mut article = sample::sister_cities();
    let body = format!("<p>{}</p>", told.paragraphs.join("</p><p>"));
    article.feed = FeedId::new(feed).unwrap();
    article.id = ArticleId::of(&article.feed, &told.title);
    article.keys.link = None;
    article.keys.title = Digest::of([told.title.as_str()]);
    article.keys.content = Digest::of([body.as_str()]);
    article.labels = Labels::default();
    article.language = None;
    article.title.clone_from(&told.title);
    article.lead.clone_from(&told.paragraphs[0]);
    article.body = body;
    article
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories").join(name);
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.join("\n")
}

fn are_one(one: &Told, other: &Told) -> bool {
    let articles = [article("city", one), article("partner", other)];
    !same_stories(&articles, &Apart::default()).is_empty()
}

/// The ways in which partners copy a story.
fn copies(story: &Told) -> Vec<(&'static str, Told)> {
    let with = |change: &dyn Fn(&mut Told)| {
        let mut copy = story.clone();
        change(&mut copy);
        copy
    };
    let each = |change: &dyn Fn(&str) -> String| {
        with(&|copy| copy.paragraphs.iter_mut().for_each(|text| *text = change(text)))
    };
    vec![
        ("word for word", story.clone()),
        ("without its last paragraph", with(&|copy| _ = copy.paragraphs.pop())),
        ("its first two paragraphs", with(&|copy| copy.paragraphs.truncate(2))),
        (
            "with a footer",
            with(&|copy| copy.paragraphs.push("Підписуйтесь на наш Telegram-канал".to_owned())),
        ),
        (
            "with a long footer",
            with(&|copy| {
                let footer = "Нагадаємо, раніше ми писали про інші новини громади. Джерело: офіційний \
                              сайт. Читайте також наші матеріали на цю тему та діліться з друзями.";
                copy.paragraphs.push(footer.to_owned());
            }),
        ),
        (
            "with a header",
            with(&|copy| {
                copy.paragraphs[0] = format!("За інформацією пресслужби, {}", copy.paragraphs[0]);
            }),
        ),
        ("with other quotation marks", each(&|text| text.replace(['«', '»'], "\""))),
        ("with other apostrophes", each(&|text| text.replace('\'', "’"))),
        ("under another title", with(&|copy| "Новина від партнерів".clone_into(&mut copy.title))),
        ("in capitals", with(&|copy| copy.title = copy.title.to_uppercase())),
        (
            "with two paragraphs in the other order",
            with(&|copy| {
                let last = copy.paragraphs.len() - 1;
                copy.paragraphs.swap(last - 1, last);
            }),
        ),
        (
            "with words that were mended",
            each(&|text| text.replace(" та ", " і ").replace(" the ", " a ")),
        ),
    ]
}

fn stories() -> Vec<Told> {
    let text = file("true.txt");
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    let told = |block: &str| {
        let mut lines = block.lines().map(str::to_owned);
        Told { title: lines.next().unwrap(), paragraphs: lines.collect() }
    };
    blocks.map(told).collect()
}

/// Both sides of a template.
fn sides(template: &str) -> [Told; 2] {
    [0, 1].map(|side| {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').unwrap();
            text.push_str(before);
            text.push_str(slot.split('|').nth(side).unwrap());
            rest = after;
        }
        text.push_str(rest);
        let (title, body) = text.split_once(" | ").unwrap();
        Told { title: title.to_owned(), paragraphs: vec![body.to_owned()] }
    })
}

#[test]
fn a_reposted_story_is_one_and_what_only_looks_alike_is_never() {
    let (mut pairs, mut found, mut missed) = (0, 0, Vec::new());
    let stories = stories();
    for story in &stories {
        for (how, copy) in copies(story) {
            pairs += 1;
            if are_one(story, &copy) {
                found += 1;
            } else {
                missed.push(format!("{how}: {}", story.title));
            }
        }
    }
    let mut different = Vec::new();
    for template in file("false.txt").lines().filter(|line| !line.is_empty()) {
        let [one, other] = sides(template);
        let footer = |told: &Told| {
            let mut told = told.clone();
            told.paragraphs.push("Слідкуйте за нашими новинами.".to_owned());
            told
        };
        let retitled =
            |told: &Told| Told { title: "Оголошення".to_owned(), ..told.clone() };
        different.push((one.clone(), other.clone()));
        different.push((one.clone(), footer(&other)));
        different.push((retitled(&one), retitled(&other)));
    }
    for (at, one) in stories.iter().enumerate() {
        different.extend(stories[at + 1..].iter().map(|other| (one.clone(), other.clone())));
    }
    for (one, other) in &different {
        assert!(
            !are_one(one, other),
            "one story: «{}» and «{}»\n{}",
            one.title,
            other.title,
            one.paragraphs[0]
        );
    }
    println!(
        "{found} of {pairs} copies found, {} other pairs apart; missed: {missed:?}",
        different.len()
    );
    assert!(pairs + different.len() >= 120 && found * 10 >= pairs * 9, "{missed:?}");
}

#[test]
fn one_line_parts_what_was_united_and_a_feed_may_stay_alone() {
    let story = &stories()[0];
    let articles = vec![article("city", story), article("partner", story)];
    assert_eq!(one_each(articles.clone(), &Apart::default()).len(), 1);
    let parted = Apart { articles: [articles[1].id].into(), ..Apart::default() };
    assert_eq!(one_each(articles.clone(), &parted).len(), 2);
    let alone = Apart { feeds: [articles[0].feed.clone()].into(), ..Apart::default() };
    assert_eq!(one_each(articles, &alone).len(), 2);
}

#[test]
fn an_excerpt_that_is_in_two_articles_does_not_make_them_one() {
    let intro = "Водоканал повідомляє мешканцям про роботи на мережах: бригади вийдуть на зміну \
                 о восьмій ранку, тож просимо заздалегідь набрати воду та вибачити за незручності";
    let works = "Завтра планово замінять засувку на проспекті, тому в трьох будинках тиск знизять \
                 до вечора, а підвезення води буде біля школи.";
    let failure = "Уночі зупинилася насосна станція, і лівий берег лишився без подачі, поки \
                   електрики шукають пошкоджений кабель уздовж набережної.";
    let told = |title: &str, paragraphs: &[&str]| Told {
        title: title.to_owned(),
        paragraphs: paragraphs.iter().map(|text| (*text).to_owned()).collect(),
    };
    let articles = vec![
        article("vodokanal", &told("Планові роботи", &[intro, works])),
        article("vodokanal", &told("Аварія на станції", &[intro, failure])),
        article("rada", &told("Увага, роботи", &[intro])),
    ];
    let shown = one_each(articles, &Apart::default());
    assert_eq!(shown.len(), 2, "{:?}", shown.iter().map(|a| &a.title).collect::<Vec<_>>());
    let has = |text: &str| shown.iter().any(|article| article.body.contains(text));
    assert!(has("засувку") && has("станція"), "no article is lost");
}
