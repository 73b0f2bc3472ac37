//! Feeds, articles and publications to store.

use chrono::DateTime;
use chrono::NaiveDate;
use chrono::Utc;
use chrono::Weekday;
use proptest::collection::btree_map;
use proptest::collection::btree_set;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use visnyk::crontab::Crontab;
use visnyk::model::article::Article;
use visnyk::model::article::Author;
use visnyk::model::article::Enclosure;
use visnyk::model::article::Field;
use visnyk::model::article::Image;
use visnyk::model::article::Keys;
use visnyk::model::article::Labels;
use visnyk::model::article::Origin;
use visnyk::model::article::Reason;
use visnyk::model::article::Source;
use visnyk::model::article::Why;
use visnyk::model::entry::Category;
use visnyk::model::exchange::Document;
use visnyk::model::exchange::History;
use visnyk::model::exchange::Moving;
use visnyk::model::exchange::Outcome;
use visnyk::model::exchange::Poll;
use visnyk::model::exchange::Relocation;
use visnyk::model::exchange::Tally;
use visnyk::model::exchange::Validators;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;
use visnyk::model::feed::TaggingEntity;
use visnyk::model::id::ArticleId;
use visnyk::model::id::CommunityId;
use visnyk::model::id::Digest;
use visnyk::model::id::FeedId;
use visnyk::model::id::PublicationId;
use visnyk::model::id::RegionId;
use visnyk::model::id::RuleId;
use visnyk::model::id::TagId;
use visnyk::model::provenance::Belief;
use visnyk::model::provenance::Provenance;
use visnyk::model::publication::Publication;
use visnyk::model::rhythm::Rhythm;

pub(crate) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

pub(crate) fn feed_id(id: &str) -> FeedId {
    FeedId::new(id).unwrap()
}

pub(crate) fn feed(id: &str) -> Arc<Feed> {
    let address = Address::Http(url(&format!("https://{id}.example/rss")));
    let tagging = TaggingEntity {
        authority: "visnyk.example".to_owned(),
        since: NaiveDate::from_ymd_opt(2023, 7, 3).unwrap(),
    };
    let schedule = Crontab::parse("*/15 * * * *").unwrap();
    Arc::new(Feed {
        title: format!("Новини: {id}"),
        language: Some("uk".to_owned()),
        ..Feed::new(feed_id(id), address, schedule, tagging)
    })
}

/// A document of a feed that no other poll brings.
pub(crate) fn document(feed: &str, poll: usize) -> Document {
    Document {
        url: url(&format!("https://{feed}.example/rss")),
        content_type: Some("application/rss+xml".to_owned()),
        bytes: format!("<rss><channel><title>{poll}</title></channel></rss>").into_bytes(),
    }
}

/// Where an article came from.
pub(crate) fn provenance(article: &Article) -> Provenance {
    Provenance {
        document: format!("https://{}.example/rss", article.feed),
        read: at(1_688_382_960),
        entry_id: Some(article.keys.entry.to_string()),
        published: None,
        updated: Some("учора".to_owned()),
        belief: Belief::Changed,
    }
}

/// An article without any label, published at the second `published` and seen a minute later.
pub(crate) fn article(feed: &str, key: &str, published: i64) -> Article {
    let feed = feed_id(feed);
    Article {
        id: ArticleId::of(&feed, key),
        iri: format!("https://{feed}.example/{key}"),
        keys: Keys {
            entry: Digest::of([key]),
            link: None,
            title: Digest::of(["title", key]),
            content: Digest::of(["content", key]),
        },
        url: Some(url(&format!("https://{feed}.example/{key}"))),
        title: format!("Харків і Альбукерке: {key}"),
        lead: "Міста стануть побратимами.".to_owned(),
        body: "<p>Міста стануть побратимами.</p>".repeat(20),
        published: at(published),
        updated: at(published),
        first_seen: at(published + 60),
        revision: 0,
        views: None,
        image: None,
        categories: Vec::new(),
        labels: Labels::default(),
        source: Source { name: "Харківська міська рада".to_owned(), url: None },
        origin: Origin {
            iri: format!("https://{feed}.example/"),
            title: "Новини".to_owned(),
            feed_url: None,
            site_url: None,
            icon: None,
            rights: None,
            updated: None,
        },
        feed,
        authors: Vec::new(),
        language: None,
        enclosures: Vec::new(),
        via: Vec::new(),
        rights: None,
        point: None,
    }
}

/// Labels by their words: `r:` a region, `c:` a community, `t:` a tag.
pub(crate) fn labels(words: &str) -> Labels {
    let mut labels = Labels::default();
    for word in words.split_whitespace() {
        let (kind, id) = word.split_once(':').unwrap();
        let why = vec![Reason { why: Why::Feed, points: 100 }];
        let twice = match kind {
            "r" => labels.regions.insert(id.parse().unwrap(), why),
            "c" => labels.communities.insert(id.parse().unwrap(), why),
            "t" => labels.tags.insert(id.parse().unwrap(), why),
            _ => panic!("{word}"),
        };
        assert_eq!(twice, None);
    }
    labels
}

/// A composed publication of what has one of these tags.
pub(crate) fn publication(id: &str, tags: &str) -> Publication {
    Publication {
        id: PublicationId::new(id).unwrap(),
        title: "Побратими".to_owned(),
        subtitle: None,
        regions: BTreeSet::new(),
        communities: BTreeSet::new(),
        tags: tags.split_whitespace().map(|tag| tag.parse().unwrap()).collect(),
        feeds: BTreeSet::new(),
        without_tags: BTreeSet::new(),
    }
}

/// Any instant of the years 1653 to 2096, to the nanosecond.
pub(crate) fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    (-10_000_000_000_i64..4_000_000_000, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn any_url() -> impl Strategy<Value = Url> {
    ("[a-z]{1,8}", "[a-zА-Яії0-9 %?&=#]{0,20}")
        .prop_map(|(host, path)| url(&format!("https://{host}.example/{path}")))
}

fn any_digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 16]>().prop_map(Digest)
}

fn any_text() -> impl Strategy<Value = String> {
    "\\PC{0,40}"
}

fn any_reason() -> impl Strategy<Value = Reason> {
    let field = prop_oneof![
        Just(Field::Title),
        Just(Field::Lead),
        Just(Field::Body),
        Just(Field::Category)
    ];
    let slug = || "[a-z0-9-]{1,80}";
    let why = prop_oneof![
        Just(Why::Feed),
        any_text().prop_map(|term| Why::Category { term }),
        (field, any_text()).prop_map(|(field, words)| Why::Words { field, words }),
        slug().prop_map(|id| Why::Community(CommunityId::new(&id).unwrap())),
        slug().prop_map(|id| Why::Rule(RuleId::new(&id).unwrap())),
        any_text().prop_map(Why::Host),
        any_text().prop_map(Why::Point),
    ];
    (why, any::<u16>()).prop_map(|(why, points)| Reason { why, points })
}

fn any_labels() -> impl Strategy<Value = Labels> {
    let why = || vec(any_reason(), 1..3);
    let slug = || "[a-z0-9-]{1,80}";
    (
        btree_map(slug().prop_map(|id| RegionId::new(&id).unwrap()), why(), 0..3),
        btree_map(slug().prop_map(|id| CommunityId::new(&id).unwrap()), why(), 0..3),
        btree_map(slug().prop_map(|id| TagId::new(&id).unwrap()), why(), 0..3),
        (vec(any_text(), 0..3), option::of(any_text()), option::of(any_text())),
    )
        .prop_map(|(regions, communities, tags, (free_tags, language, headline))| Labels {
            regions,
            communities,
            tags,
            free_tags,
            language,
            headline,
            excluded_by: None,
        })
}

fn any_image() -> impl Strategy<Value = Image> {
    (any_url(), option::of(any_text()), option::of(any_text()), any::<[Option<u32>; 2]>())
        .prop_map(|(url, alt, caption, [width, height])| Image { url, alt, caption, width, height })
}

fn any_origin() -> impl Strategy<Value = Origin> {
    let url = || option::of(any_url());
    let instant = option::of(any_instant());
    (any_text(), any_text(), url(), url(), url(), option::of(any_text()), instant).prop_map(
        |(iri, title, feed_url, site_url, icon, rights, updated)| Origin {
            iri,
            title,
            feed_url,
            site_url,
            icon,
            rights,
            updated,
        },
    )
}

fn any_keys() -> impl Strategy<Value = Keys> {
    (any_digest(), option::of(any_digest()), any_digest(), any_digest())
        .prop_map(|(entry, link, title, content)| Keys { entry, link, title, content })
}

fn any_category() -> impl Strategy<Value = Category> {
    (any_text(), option::of(any_text()), option::of(any_text()))
        .prop_map(|(term, scheme, label)| Category { term, scheme, label })
}

fn any_enclosure() -> impl Strategy<Value = Enclosure> {
    (any_url(), option::of(any_text()), any::<Option<u64>>())
        .prop_map(|(url, mime, length)| Enclosure { url, mime, length })
}

fn any_who() -> impl Strategy<Value = (String, Option<Url>)> {
    (any_text(), option::of(any_url()))
}

/// An article of feed `kharkiv` with anything in any field, its id and IRI being unique.
pub(crate) fn any_article() -> impl Strategy<Value = Article> {
    let identity = (any_digest(), any_keys(), option::of(any_url()), any::<u32>());
    let texts = (any_text(), any_text(), "\\PC{0,3000}", option::of(any_text()));
    let instants = (any_instant(), any_instant(), any_instant());
    let media = (option::of(any_image()), vec(any_enclosure(), 0..3), vec(any_url(), 0..3));
    let labels = (vec(any_category(), 0..3), any_labels());
    let people = (any_who(), any_origin(), vec(any_who(), 0..3), option::of(any_text()));
    let numbers = (any::<Option<u64>>(), option::of((-90.0..90.0, -180.0..180.0)));
    (identity, texts, instants, media, labels, people, numbers).prop_map(
        |(identity, texts, instants, media, labels, people, numbers)| Article {
            id: ArticleId(identity.0),
            feed: feed_id("kharkiv"),
            iri: format!("urn:visnyk:{}", identity.0),
            keys: identity.1,
            url: identity.2,
            title: texts.0,
            lead: texts.1,
            body: texts.2,
            published: instants.0,
            updated: instants.1,
            first_seen: instants.2,
            revision: identity.3,
            views: numbers.0,
            image: media.0,
            categories: labels.0,
            labels: labels.1,
            source: Source { name: people.0.0, url: people.0.1 },
            origin: people.1,
            authors: people.2.into_iter().map(|(name, url)| Author { name, url }).collect(),
            language: people.3,
            enclosures: media.1,
            via: media.2,
            rights: texts.3,
            point: numbers.1,
        },
    )
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Read),
        Just(Outcome::NotModified),
        Just(Outcome::Later),
        Just(Outcome::Postponed),
        Just(Outcome::Gone),
        any_text().prop_map(Outcome::Unreachable),
        any_text().prop_map(Outcome::Failed),
    ]
}

fn any_poll() -> impl Strategy<Value = Poll> {
    let duration = any::<Duration>();
    let rest = (any::<u64>(), any::<[u32; 4]>(), vec(any_text(), 0..3));
    (any_instant(), duration, any_outcome(), rest).prop_map(
        |(at, duration, outcome, (bytes, [entries, added, updated, rejected], repairs))| Poll {
            at,
            duration,
            outcome,
            bytes,
            tally: Tally { entries, added, updated, rejected },
            repairs,
        },
    )
}

fn any_rhythm() -> impl Strategy<Value = Rhythm> {
    let day = (0..7_u8).prop_map(|day| Weekday::try_from(day).unwrap());
    let skipped = (btree_set(0..24_u32, 0..5), vec(day, 0..4));
    (any::<Option<Duration>>(), any::<Option<Duration>>(), skipped).prop_map(
        |(ttl, update_every, (skip_hours, skip_days))| Rhythm {
            ttl,
            update_every,
            skip_hours,
            skip_days: skip_days.into_iter().collect(),
        },
    )
}

fn any_relocation() -> impl Strategy<Value = Relocation> {
    let url = || any_url();
    let moving = (url(), any_instant(), any::<u32>()).prop_map(|(to, since, polls)| Moving {
        to,
        since,
        polls,
    });
    (option::of(url()), option::of(moving))
        .prop_map(|(stored, moving)| Relocation { stored, moving })
}

pub(crate) fn any_history() -> impl Strategy<Value = History> {
    let validators = (any_text(), any::<Option<Vec<u8>>>(), any::<Option<Vec<u8>>>())
        .prop_map(|(address, etag, last_modified)| Validators { address, etag, last_modified });
    let instant = || option::of(any_instant());
    let asked = (any_text(), option::of(validators));
    let publisher = (instant(), any::<Option<Duration>>(), any_rhythm(), any_relocation());
    let state = (instant(), any::<u32>(), instant());
    (asked, publisher, state, vec(any_poll(), 0..20)).prop_map(
        |(asked, publisher, (last_success, failures, not_before), polls)| {
            let (address, validators) = asked;
            let (last_full, freshness, rhythm, relocation) = publisher;
            History {
                address,
                validators,
                last_full,
                freshness,
                rhythm,
                relocation,
                last_success,
                failures,
                not_before,
                polls,
            }
        },
    )
}

/// Numbers without regard for quality, the same for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let limit = u64::try_from(limit).unwrap();
        usize::try_from((self.0 >> 33) % limit).unwrap()
    }
}

pub(crate) fn by_id<'a>(
    articles: impl IntoIterator<Item = &'a Article>,
) -> BTreeMap<ArticleId, Article> {
    articles.into_iter().map(|article| (article.id, article.clone())).collect()
}
