//! What the `[[feed]]` of an offer would be: id, title, kind, place, language, time zone and
//! schedule, each with the reason.

use crate::classify::Classifier;
use crate::discover::offer::Offer;
use crate::discover::region::Place;
use crate::discover::region::place;
use crate::edit::NewFeed;
use crate::model::feed::Feed;
use crate::model::letters::transliterate;
use crate::model::xml::is_unseen;
use crate::place::Catalogue;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use url::Url;

/// The longest id that is proposed, in bytes.
const ID_BYTES_MAX: usize = 40;
/// The longest title that is proposed, in characters.
const TITLE_CHARS_MAX: usize = 120;

/// What separates the parts of a title.
const BETWEEN: [&str; 9] = [" - ", " – ", " — ", " | ", " » ", " « ", " :: ", " / ", ": "];
/// Titles, and parts of them, that say nothing of whose a feed is; in lower case.
const GENERIC: [&str; 29] = [
    "news",
    "rss",
    "atom",
    "feed",
    "rss feed",
    "home",
    "blog",
    "latest news",
    "press releases",
    "all news",
    "index",
    "новини",
    "останні новини",
    "усі новини",
    "всі новини",
    "головна",
    "головна сторінка",
    "стрічка новин",
    "rss стрічка",
    "rss-стрічка",
    "офіційний сайт",
    "офіційний вебсайт",
    "офіційний веб-сайт",
    "офіційний портал",
    "новости",
    "главная",
    "официальный сайт",
    "untitled",
    "без назви",
];
/// What stands before the ending of a country in hosts, and says nothing of whose they are.
const ENDINGS: [&str; 7] = ["gov", "org", "com", "net", "edu", "in", "co"];
/// Words of those who speak for a place, in lower case.
const MUNICIPAL: [&str; 16] = [
    "рада",
    "ради",
    "громада",
    "громади",
    "мерія",
    "ова",
    "рва",
    "ода",
    "адміністрація",
    "виконком",
    "міськрада",
    "council",
    "city",
    "municipality",
    "совет",
    "администрация",
];
/// Countries of one time zone, by the ending of their hosts.
const ZONES: [(&str, &str); 14] = [
    ("pl", "Europe/Warsaw"),
    ("de", "Europe/Berlin"),
    ("fr", "Europe/Paris"),
    ("lt", "Europe/Vilnius"),
    ("lv", "Europe/Riga"),
    ("ee", "Europe/Tallinn"),
    ("cz", "Europe/Prague"),
    ("sk", "Europe/Bratislava"),
    ("it", "Europe/Rome"),
    ("at", "Europe/Vienna"),
    ("se", "Europe/Stockholm"),
    ("uk", "Europe/London"),
    ("ua", "Europe/Kyiv"),
    ("md", "Europe/Chisinau"),
];

/// A feed for feeds.toml, and why it is as it is.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The feed.
    pub feed: NewFeed,
    /// Why each key is as it is, or is not there: the key and the reason.
    pub why: Vec<(&'static str, String)>,
}

/// What is to be known of the file that the feed comes into.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The ids that are taken.
    pub ids: &'a BTreeSet<String>,
    /// A feed of that file about which nothing is said.
    pub like: &'a Feed,
    /// The language of the site.
    pub language: &'a str,
    /// The regions and communities that there are.
    pub catalogue: &'a Catalogue,
    /// What gives the labels.
    pub classifier: &'a Classifier,
}

/// Proposes a feed. `page` is the title of the page that leads to it, if there is one.
#[must_use]
pub fn propose(offer: &Offer, page: &str, around: &Surroundings<'_>) -> Proposal {
    let url = &offer.candidate.url;
    let mut why = Vec::new();
    let title = title(&offer.title, page, url);
    let slug = slug(&title);
    // A long title makes no id that anybody would type.
    let slug = if slug.is_empty() || slug.len() > ID_BYTES_MAX { of_host(url) } else { slug };
    let placed = place(offer, &[&offer.title, page], around.like, around.classifier);
    let kind = kind(offer, &title, &placed, around);
    let key = match (&placed.region, &placed.community) {
        (_, Some(_)) => "community",
        (Some(_), None) => "region",
        (None, None) => "no region",
    };
    why.push((key, placed.why.clone()));
    why.extend(kind.as_ref().map(|(_, reason)| ("kind", reason.clone())));
    let schedule = schedule(offer.gap());
    why.extend(schedule.map(|(_, reason)| ("schedule", reason.to_owned())));
    let language = language(offer, around.language);
    if language.is_some() {
        why.push(("language", "its documents do not say it, and its texts are in it".to_owned()));
    }
    let timezone = zone_of(url).filter(|zone| *zone != around.like.timezone.name());
    if timezone.is_some() {
        why.push(("timezone", "that of the country of its host".to_owned()));
    }
    Proposal {
        feed: NewFeed {
            id: free(&slug, around.ids),
            title,
            url: url.to_string(),
            kind: kind.map(|(kind, _)| kind.to_owned()),
            region: placed.region.map(|id| id.to_string()),
            community: placed.community.map(|id| id.to_string()),
            schedule: schedule.map(|(schedule, _)| schedule.to_owned()),
            language,
            timezone: timezone.map(str::to_owned),
            ..NewFeed::default()
        },
        why,
    }
}

/// An id that is not taken.
#[must_use]
pub fn free(slug: &str, taken: &BTreeSet<String>) -> String {
    let slug = if slug.is_empty() { "feed" } else { slug };
    let numbered = (2_u32..).map(|number| format!("{slug}-{number}"));
    let mut ids = std::iter::once(slug.to_owned()).chain(numbered);
    ids.find(|id| !taken.contains(id)).unwrap_or_default()
}

/// A name as an id: in Latin letters, its words joined.
#[must_use]
pub fn slug(name: &str) -> String {
    let latin = transliterate(name).to_lowercase();
    let words = latin.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// The name of a host as an id: without `www.` and the ending.
#[must_use]
pub fn of_host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    if url.domain().is_none() {
        return format!("feed-{}", slug(host));
    }
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut parts: Vec<&str> = host.split('.').collect();
    if parts.len() > 1 {
        parts.pop();
    }
    if parts.len() > 1 && parts.last().is_some_and(|last| ENDINGS.contains(last)) {
        parts.pop();
    }
    let mut slug = slug(&parts.join("-"));
    slug.truncate(ID_BYTES_MAX);
    slug.trim_matches('-').to_owned()
}

/// What readers are to see: the parts of the title that say whose it is; else those of the page;
/// else the host.
fn title(feed: &str, page: &str, url: &Url) -> String {
    let named = [feed, page].iter().map(|title| telling(title)).find(|title| !title.is_empty());
    let title = named.unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned());
    let seen = title.chars().filter(|c| !is_unseen(*c));
    seen.take(TITLE_CHARS_MAX).collect::<String>().trim().to_owned()
}

/// A title without the parts that say nothing.
fn telling(title: &str) -> String {
    let mut parts = vec![title];
    for between in BETWEEN {
        parts = parts.into_iter().flat_map(|part| part.split(between)).collect();
    }
    let is_generic = |part: &&str| {
        let part = part.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        part.is_empty() || GENERIC.contains(&part.as_str())
    };
    if !parts.iter().any(is_generic) {
        return title.trim().to_owned();
    }
    let kept = parts.into_iter().filter(|part| !is_generic(part)).map(str::trim);
    kept.collect::<Vec<_>>().join(" – ")
}

/// Partners are of another country than Ukraine; where that cannot be told from the place, the
/// host, the title and the language say it.
fn kind(
    offer: &Offer,
    title: &str,
    placed: &Place,
    around: &Surroundings<'_>,
) -> Option<(&'static str, String)> {
    let around_it = placed.community.as_ref().and_then(|id| around.catalogue.communities.get(id));
    let region = placed.region.as_ref().or(around_it.map(|community| &community.region));
    let iso = region.and_then(|id| around.catalogue.regions.get(id)?.iso.as_deref());
    if let Some(iso) = iso {
        let is_near = iso.starts_with("UA-");
        return (!is_near)
            .then(|| ("partner", format!("its region is in another country ({iso})")));
    }
    let lower = title.to_lowercase();
    let speaks = lower.split(|c: char| !c.is_alphanumeric()).any(|word| MUNICIPAL.contains(&word));
    let is_foreign = spoken(offer).first().is_some_and(|(language, _)| language != "uk");
    let is_abroad = zone_of(&offer.candidate.url) != Some("Europe/Kyiv");
    let reason = "its texts are in another language, and its host is not of Ukraine";
    (!speaks && is_foreign && is_abroad).then(|| ("partner", reason.to_owned()))
}

/// The languages of the articles, the most frequent first.
fn spoken(offer: &Offer) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for language in offer.articles.iter().filter_map(|article| article.language()) {
        *counts.entry(language.to_owned()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// The language, where the document does not say it and it is not that of the site.
fn language(offer: &Offer, of_site: &str) -> Option<String> {
    if offer.language.is_some() {
        return None;
    }
    let (language, count) = spoken(offer).into_iter().next()?;
    (language != of_site && count * 2 > offer.articles.len()).then_some(language)
}

/// When to poll, where the usual schedule would be far from the feed's own rhythm.
fn schedule(gap: Option<TimeDelta>) -> Option<(&'static str, &'static str)> {
    let gap = gap?;
    Some(match gap {
        gap if gap < TimeDelta::minutes(10) => {
            ("every 10m", "there is an article every few minutes, and old ones leave soon")
        }
        gap if gap > TimeDelta::days(7) => ("every 12h", "there is an article a week, or fewer"),
        gap if gap > TimeDelta::days(2) => ("every 4h", "there is an article every few days"),
        _ => return None,
    })
}

fn zone_of(url: &Url) -> Option<&'static str> {
    let ending = url.domain()?.rsplit('.').next()?;
    ZONES.iter().find(|(country, _)| *country == ending).map(|(_, zone)| *zone)
}
