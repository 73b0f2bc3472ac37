//! Lists of feeds as feed readers exchange them: OPML 2.0, read and written.
//!
//! # Read
//! Whatever stands in an outline with an address is a feed, however deep it lies; the outlines
//! around it and its `category` say what it is about. The text is read in one pass with a bound on
//! everything, so that a hostile file costs no more than a long one.
//!
//! # Written
//! What other programs know is written as they know it; `isComment` is an outline's word for what
//! is switched off. What only feeds.toml knows has a namespace of its own, so that what was written
//! is read again as the same feeds.

use crate::discover::proposal::free;
use crate::discover::proposal::of_host;
use crate::discover::proposal::slug;
use crate::edit::NewFeed;
use crate::edit::Switch;
use crate::edit::address_key;
use crate::model::exchange::Document;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::feed::FeedKind;
use crate::model::id::CommunityId;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::SLUG_BYTES_MAX;
use crate::model::id::TagId;
use crate::model::publication::Tag;
use crate::model::xml::is_char;
use crate::model::xml::is_unseen;
use crate::parse::lexer::Lexer;
use crate::parse::lexer::Token;
use crate::parse::text;
use crate::place::Catalogue;
use quick_xml::escape::escape;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write;
use url::Url;

/// How many feeds of a list are read.
pub const SUBSCRIPTIONS_MAX: usize = 5_000;
/// How many outlines around a feed are told apart.
const DEPTH_MAX: usize = 32;
/// The longest text of an outline that is kept, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// How many categories of a feed are kept.
const CATEGORIES_MAX: usize = 16;
/// The namespace of what only feeds.toml knows.
const NAMESPACE: &str = "urn:visnyk:opml";

/// A feed of a list, as it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscription {
    /// Its name; empty if it has none.
    pub title: String,
    /// Where it is, as it stands there.
    pub url: String,
    /// What it is about: the outlines around it, and its categories.
    pub categories: Vec<String>,
    /// The id that it had in a feeds.toml.
    pub id: Option<String>,
    /// Who speaks in it.
    pub kind: Option<String>,
    /// Whether it is switched off.
    pub switch: Switch,
}

/// The feeds of a list, in their order; `None` if the document is no OPML.
#[must_use]
pub fn read(document: &Document) -> Option<Vec<Subscription>> {
    let text = text(document);
    let mut lexer = Lexer::new(&text, 0);
    let mut is_opml = false;
    // The outlines that are open; those that are too deep are counted only.
    let (mut around, mut deeper): (Vec<String>, usize) = (Vec::new(), 0);
    let mut subscriptions = Vec::new();
    loop {
        match lexer.next() {
            Token::Start { name, .. } if name.eq_ignore_ascii_case("opml") => is_opml = true,
            Token::Start { name, attributes, empty } if name.eq_ignore_ascii_case("outline") => {
                let own = subscription(&attributes, &around);
                let title = own.as_ref().map_or_else(|| title(&attributes), |_| String::new());
                if let Some(own) = own.filter(|_| subscriptions.len() < SUBSCRIPTIONS_MAX) {
                    subscriptions.push(own);
                }
                if !empty && around.len() < DEPTH_MAX {
                    around.push(title);
                } else if !empty {
                    deeper += 1;
                }
            }
            Token::End { name } if name.eq_ignore_ascii_case("outline") => {
                if deeper > 0 {
                    deeper -= 1;
                } else {
                    around.pop();
                }
            }
            Token::Stop { .. } => return is_opml.then_some(subscriptions),
            _ => {}
        }
    }
}

fn get<'a>(attributes: &'a [(String, String)], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
    found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

fn title(attributes: &[(String, String)]) -> String {
    let title = get(attributes, "title").or_else(|| get(attributes, "text")).unwrap_or_default();
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    title.chars().filter(|c| !is_unseen(*c)).take(TEXT_CHARS_MAX).collect()
}

fn subscription(attributes: &[(String, String)], around: &[String]) -> Option<Subscription> {
    let url = get(attributes, "xmlUrl")?.to_owned();
    let own = get(attributes, "category").unwrap_or_default().split(',').map(str::trim);
    let categories = around.iter().map(String::as_str).chain(own).filter(|one| !one.is_empty());
    Some(Subscription {
        title: title(attributes),
        url,
        categories: categories.take(CATEGORIES_MAX).map(str::to_owned).collect(),
        id: get(attributes, "visnyk:id").map(str::to_owned),
        kind: get(attributes, "visnyk:kind").filter(|kind| *kind == "partner").map(str::to_owned),
        switch: match get(attributes, "isComment") {
            Some("true") => Switch::Off,
            _ => Switch::On,
        },
    })
}

/// What a feeds.toml has, and what may be said in it.
#[derive(Debug)]
pub struct Known<'a> {
    /// The ids and the addresses of its feeds.
    pub feeds: &'a BTreeMap<String, String>,
    /// Its tags.
    pub tags: &'a BTreeMap<TagId, Tag>,
    /// Its regions and communities.
    pub catalogue: &'a Catalogue,
}

/// What is made of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The feeds that are new.
    pub new: Vec<NewFeed>,
    /// What is not taken, and why.
    pub passed_over: Vec<(String, String)>,
}

/// The feeds of a list that are not known yet. What is known stays as it is.
#[must_use]
pub fn take(subscriptions: &[Subscription], known: &Known<'_>) -> Taken {
    let mut taken = Taken::default();
    let mut ids: BTreeSet<String> = known.feeds.keys().cloned().collect();
    let known_keys = known.feeds.iter().map(|(id, url)| (address_key(url), id.clone()));
    let mut keys: BTreeMap<String, String> = known_keys.collect();
    for subscription in subscriptions {
        let Some(url) = address(&subscription.url) else {
            let why = "it is no address of the web".to_owned();
            taken.passed_over.push((subscription.url.clone(), why));
            continue;
        };
        let key = address_key(url.as_str());
        if let Some(id) = keys.get(&key) {
            taken.passed_over.push((url.to_string(), format!("it is `{id}` already")));
            continue;
        }
        let feed = new_feed(subscription, &url, &ids, known);
        ids.insert(feed.id.clone());
        keys.insert(key, feed.id.clone());
        taken.new.push(feed);
    }
    taken
}

/// The address that is meant; none if it is none of the web, or has a password in it.
fn address(text: &str) -> Option<Url> {
    let text = match text.strip_prefix("feed:") {
        // As `visnyk add` tries it first.
        Some(rest) if rest.starts_with("//") => format!("https:{rest}"),
        Some(rest) => rest.to_owned(),
        None => text.to_owned(),
    };
    let mut url = Url::parse(&text).ok()?;
    url.set_fragment(None);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.has_host();
    (matches!(url.scheme(), "http" | "https") && is_plain).then_some(url)
}

fn new_feed(
    subscription: &Subscription,
    url: &Url,
    ids: &BTreeSet<String>,
    known: &Known<'_>,
) -> NewFeed {
    let had = subscription.id.as_deref().filter(|id| FeedId::new(id).is_ok());
    let named = Some(slug(&subscription.title)).filter(|slug| !slug.is_empty());
    let named = had.map(str::to_owned).or(named).filter(|slug| slug.len() + 8 <= SLUG_BYTES_MAX);
    let mut feed = NewFeed {
        id: free(&named.unwrap_or_else(|| of_host(url)), ids),
        title: match subscription.title.as_str() {
            "" => url.host_str().unwrap_or_default().to_owned(),
            title => title.to_owned(),
        },
        url: url.to_string(),
        kind: subscription.kind.clone(),
        switch: subscription.switch,
        ..NewFeed::default()
    };
    for category in &subscription.categories {
        label(&mut feed, category, known);
    }
    feed
}

/// What a category says, if it is known: a tag by its name, or the address of a publication.
fn label(feed: &mut NewFeed, category: &str, known: &Known<'_>) {
    let parts: Vec<&str> = category.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["regions", id]
            if RegionId::new(id).is_ok_and(|id| known.catalogue.regions.contains_key(&id)) =>
        {
            feed.region = Some((*id).to_owned());
        }
        ["communities", id]
            if CommunityId::new(id)
                .is_ok_and(|id| known.catalogue.communities.contains_key(&id)) =>
        {
            feed.community = Some((*id).to_owned());
        }
        _ => {
            let word = parts.last().copied().unwrap_or_default().to_lowercase();
            let is_named =
                |tag: &Tag| tag.name.and(&tag.aliases).any(|name| name.to_lowercase() == word);
            let tag = known.tags.values().find(|tag| tag.id.as_str() == word || is_named(tag));
            let id = tag.map(|tag| tag.id.to_string());
            feed.tags.extend(id.filter(|id| !feed.tags.contains(id)));
        }
    }
}

/// Feeds as a list. `sites` are the pages whose news they are, where that is known.
#[must_use]
pub fn written<'a>(
    title: &str,
    feeds: impl IntoIterator<Item = &'a Feed>,
    sites: &BTreeMap<FeedId, Url>,
) -> String {
    let mut list = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\" xmlns:visnyk=\"{NAMESPACE}\">\n  <head>\n    <title>{}</title>\n    <docs>http://opml.org/spec2.opml</docs>\n  </head>\n  <body>\n",
        escaped(title)
    );
    for feed in feeds {
        let Address::Http(url) = &feed.address else { continue };
        list.push_str("    <outline");
        for (name, value) in attributes(feed, url, sites.get(&feed.id)) {
            // To write into a text cannot fail.
            let _ = write!(list, " {name}=\"{}\"", escaped(&value));
        }
        list.push_str("/>\n");
    }
    list.push_str("  </body>\n</opml>\n");
    list
}

/// What an outline says of a feed. OPML 2.0 calls every kind of feed `rss`.
fn attributes(feed: &Feed, url: &Url, site: Option<&Url>) -> Vec<(&'static str, String)> {
    let region = feed.region.iter().filter(|_| feed.community.is_none());
    let places = region
        .map(|id| format!("/regions/{id}"))
        .chain(feed.community.iter().map(|id| format!("/communities/{id}")));
    let categories: Vec<String> =
        places.chain(feed.tags.iter().map(|id| format!("/tags/{id}"))).collect();
    let mut attributes = vec![
        ("type", "rss".to_owned()),
        ("text", feed.title.clone()),
        ("title", feed.title.clone()),
        ("xmlUrl", url.to_string()),
    ];
    attributes.extend(site.map(|site| ("htmlUrl", site.to_string())));
    if !categories.is_empty() {
        attributes.push(("category", categories.join(",")));
    }
    if !feed.enabled {
        attributes.push(("isComment", "true".to_owned()));
    }
    attributes.push(("visnyk:id", feed.id.to_string()));
    if feed.kind == FeedKind::Partner {
        attributes.push(("visnyk:kind", "partner".to_owned()));
    }
    attributes
}

/// In an attribute a line end would come back as a space (XML 1.0, 3.3.3).
fn escaped(text: &str) -> String {
    let text: String = text.chars().filter(|c| is_char(*c)).collect();
    escape(text.replace(['\n', '\t', '\r'], " ").as_str()).into_owned()
}
