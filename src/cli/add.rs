//! `visnyk add URL`: finds the feed of a site, shows what it would bring, and writes it into
//! feeds.toml.

use crate::classify::Classifier;
use crate::cli::IO_ERROR;
use crate::cli::SOME_FAILED;
use crate::cli::USAGE;
use crate::cli::change::Dry;
use crate::cli::fail;
use crate::cli::feeds_file::FeedsFile;
use crate::cli::feeds_file::Writing;
use crate::cli::feeds_file::what_next;
use crate::cli::say;
use crate::cli::search::Search;
use crate::cli::search::Searched;
use crate::cli::shell::quoted;
use crate::cli::table::columns;
use crate::config::Config;
use crate::config::keys::KINDS;
use crate::config::nearest::nearest;
use crate::crontab::Crontab;
use crate::daemon::fetcher;
use crate::daemon::system_clock;
use crate::discover::choice::Against;
use crate::discover::choice::ranked;
use crate::discover::offer::Offer;
use crate::discover::proposal::Proposal;
use crate::discover::proposal::Surroundings;
use crate::discover::proposal::propose;
use crate::edit::Reach;
use crate::edit::Written;
use crate::edit::address_key;
use crate::edit::feeds;
use crate::edit::table;
use crate::edit::with_feeds;
use crate::explain::lines::cut;
use crate::model::feed::Address;
use crate::model::feed::Feed;
use crate::model::feed::Private;
use crate::model::id::CommunityId;
use crate::model::id::FeedId;
use crate::model::id::RegionId;
use crate::model::id::TagId;
use chrono::DateTime;
use chrono::Utc;
use clap::Args;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;
use url::Url;

/// How long one request may take: somebody waits.
const REQUEST_WITHIN: Duration = Duration::from_secs(20);
/// How many headlines of a feed are shown.
const HEADLINES: usize = 3;
/// How many labels of a feed are shown.
const LABELS_MAX: usize = 6;

/// What to add, and what is known better than it can be found out.
#[derive(Debug, Args)]
pub struct Add {
    /// The address of a feed, or of a page that has one; `https://` may be left out
    #[arg(value_name = "URL")]
    url: String,

    /// The id of the feed, for ever [default: from its title or its host]
    #[arg(long, value_name = "ID")]
    id: Option<FeedId>,

    /// The name that readers see [default: its own]
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// The region that all its articles belong to [default: if its title or its articles are clear]
    #[arg(long, value_name = "ID")]
    region: Option<RegionId>,

    /// The community that all its articles belong to [default: as the region]
    #[arg(long, value_name = "ID")]
    community: Option<CommunityId>,

    /// Who speaks in it
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(KINDS))]
    kind: Option<String>,

    /// A tag that all its articles bear; may be said several times
    #[arg(long = "tag", value_name = "ID")]
    tags: Vec<TagId>,

    /// It may lie at a private address, and is written so: `allow_private = true`
    #[arg(long)]
    allow_private: bool,

    #[command(flatten)]
    writing: Dry,
}

/// Adds a feed to a file, whose configuration is given.
#[must_use]
pub fn add(file: &FeedsFile, state: &Path, config: &Config, add: &Add) -> ExitCode {
    let spellings = match spellings(&add.url) {
        Ok(spellings) => spellings,
        Err(error) => return fail(USAGE, &error),
    };
    if let Some(unknown) = unknown(config, add) {
        return fail(USAGE, &unknown);
    }
    let known = match feeds(&file.text) {
        Ok(known) => known,
        Err(error) => return fail(USAGE, &format!("{}: {error}", file.path.display())),
    };
    if let Some(there) = spellings.iter().find_map(|url| find(&known, url)) {
        return fail(SOME_FAILED, &is_there(file, there));
    }
    let now = Utc::now();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let like = match like(config, add, &spellings[0]) {
        Ok(like) => like,
        Err(error) => return fail(IO_ERROR, &error),
    };
    let searched = match search(config, &classifier, &like, &spellings, now) {
        Ok(searched) => searched,
        Err(status) => return status,
    };
    let page = searched.page.clone();
    let mut shown = heading(&searched);
    let none = searched.offers.is_empty();
    for (candidate, reason) in &searched.failed {
        line(&mut shown, &format!("no feed at {}: {reason}", candidate.url));
    }
    if none {
        let error = format!("no feed was found at {}", searched.asked);
        let said = say(&shown.trim_end());
        return if said == ExitCode::SUCCESS { fail(SOME_FAILED, &error) } else { said };
    }
    let ranked = ranked(searched.offers, &searched.asked, now);
    for (number, (offer, against)) in ranked.iter().enumerate() {
        let there = find(&known, &offer.candidate.url);
        shown.push_str(&told(number, offer, *against, there, &like));
    }
    let (best, _) = &ranked[0];
    if let Some(there) = find(&known, &best.candidate.url) {
        let said = say(&shown.trim_end());
        return if said == ExitCode::SUCCESS {
            fail(SOME_FAILED, &is_there(file, there))
        } else {
            said
        };
    }
    let around = Surroundings {
        ids: &known.iter().map(|known| known.id.clone()).collect(),
        like: &like,
        language: &config.site.language,
        catalogue: &config.catalogue,
        classifier: &classifier,
    };
    let proposal = as_asked(propose(best, page.as_deref().unwrap_or_default(), &around), add);
    write(file, state, config, &proposal, add.writing.writing(), shown)
}

/// What an option names that is not there.
fn unknown(config: &Config, add: &Add) -> Option<String> {
    let (regions, communities) = (&config.catalogue.regions, &config.catalogue.communities);
    let region = add.region.as_ref().filter(|id| !regions.contains_key(*id));
    let community = add.community.as_ref().filter(|id| !communities.contains_key(*id));
    let tag = add.tags.iter().find(|id| !config.tags.contains_key(*id));
    let near = |given: &str, known: Vec<&str>| match nearest(given, known) {
        Some(near) => format!("; write `{near}`"),
        None => String::new(),
    };
    let told = |kind: &str, id: &str, near: String| format!("unknown {kind} `{id}`{near}");
    if let Some(id) = region {
        let known = regions.keys().map(RegionId::as_str).collect();
        return Some(told("region", id.as_str(), near(id.as_str(), known)));
    }
    if let Some(id) = community {
        let known = communities.keys().map(CommunityId::as_str).collect();
        return Some(told("community", id.as_str(), near(id.as_str(), known)));
    }
    let id = tag?;
    let known: Vec<&str> = config.tags.keys().map(TagId::as_str).collect();
    if known.is_empty() {
        return Some(format!("no tag is in feeds.toml yet: `{id}` needs a `[[tag]]`"));
    }
    Some(told("tag", id.as_str(), near(id.as_str(), known)))
}

/// Writes what is proposed, and tells it.
fn write(
    file: &FeedsFile,
    state: &Path,
    config: &Config,
    proposal: &Proposal,
    writing: Writing,
    mut shown: String,
) -> ExitCode {
    let (text, at) = match with_feeds(&file.text, std::slice::from_ref(&proposal.feed)) {
        Ok(added) => added,
        Err(error) => return fail(USAGE, &format!("{}: {error}", file.path.display())),
    };
    if let Err(status) = file.change(&text, writing) {
        return status;
    }
    let word = if writing == Writing::Shown { "it would be added" } else { "added" };
    line(&mut shown, &format!("\n{word} to {}, line {at}:\n", file.path.display()));
    shown.push_str(&table(&proposal.feed));
    shown.push('\n');
    for (key, reason) in &proposal.why {
        line(&mut shown, &format!("  {key:<10} {reason}"));
    }
    if writing == Writing::Real {
        line(&mut shown, &format!("\n{}", what_next(&file.path, state)));
        let place = format!("sources/{}.atom", proposal.feed.id);
        if let Ok(place) = config.site.address.join(&place) {
            line(&mut shown, &format!("readers find it at {place}"));
        }
    }
    say(&shown.trim_end())
}

/// The addresses that a person may mean, the likeliest first.
fn spellings(text: &str) -> Result<Vec<Url>, String> {
    let text = text.trim();
    let text =
        ["feed://", "feed:"].iter().find_map(|start| text.strip_prefix(start)).unwrap_or(text);
    let spelt: Vec<String> = if text.contains("://") {
        vec![text.to_owned()]
    } else {
        // Where a port is named, it is seldom one for TLS.
        let has_port = text.split('/').next().is_some_and(|host| host.contains(':'));
        let schemes = if has_port { ["http", "https"] } else { ["https", "http"] };
        schemes.iter().map(|scheme| format!("{scheme}://{text}")).collect()
    };
    let read = |text: &String| {
        let mut url = Url::parse(text).ok()?;
        url.set_fragment(None);
        let is_meant = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_meant.then_some(url)
    };
    let urls: Option<Vec<Url>> = spelt.iter().map(read).collect();
    let urls = urls.ok_or_else(|| {
        format!("`{text}` is no address: write such as `https://city.example/` or `city.example`")
    })?;
    if urls.iter().any(|url| !url.username().is_empty() || url.password().is_some()) {
        return Err(
            "leave the user and the password out: feeds.toml has `auth` for them".to_owned()
        );
    }
    Ok(urls)
}

/// A feed about which nothing is known but where it is, and from where it may be fetched.
fn like(config: &Config, add: &Add, url: &Url) -> Result<Feed, String> {
    let schedule = Crontab::parse("@hourly").map_err(|error| error.to_string())?;
    let id = FeedId::new("new").map_err(|error| error.to_string())?;
    let address = Address::Http(url.clone());
    let mut like = Feed::new(id, address, schedule, config.site.tagging.clone());
    like.timezone = config.site.timezone;
    if add.allow_private {
        like.access.private = Private::Allowed;
    }
    Ok(like)
}

fn search(
    config: &Config,
    classifier: &Classifier,
    like: &Feed,
    spellings: &[Url],
    now: DateTime<Utc>,
) -> Result<Searched, ExitCode> {
    let mut config = config.clone();
    config.polling.timeout = config.polling.timeout.min(REQUEST_WITHIN);
    let fetcher = fetcher(&config, system_clock()).map_err(|error| fail(IO_ERROR, &error))?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| fail(IO_ERROR, &error))?;
    let search = Search::new(&fetcher, classifier, like.clone(), now);
    let searched = runtime.block_on(search.search(spellings));
    // What runs on is a look-up of a name, and answers to nobody.
    runtime.shutdown_background();
    searched.map_err(|reason| fail(SOME_FAILED, &reason))
}

/// What the admin says counts.
fn as_asked(mut proposal: Proposal, add: &Add) -> Proposal {
    let feed = &mut proposal.feed;
    if let Some(id) = &add.id {
        feed.id = id.to_string();
    }
    if let Some(title) = &add.title {
        feed.title.clone_from(title);
    }
    if add.region.is_some() || add.community.is_some() {
        feed.region = add.region.as_ref().map(ToString::to_string);
        feed.community = add.community.as_ref().map(ToString::to_string);
        proposal.why.retain(|(key, _)| !key.ends_with("region") && *key != "community");
    }
    if let Some(kind) = &add.kind {
        feed.kind = (kind != KINDS[0]).then(|| kind.clone());
        proposal.why.retain(|(key, _)| *key != "kind");
    }
    feed.tags = add.tags.iter().map(ToString::to_string).collect();
    if add.allow_private {
        feed.reach = Reach::Private;
    }
    proposal
}

fn find<'a>(known: &'a [Written], url: &Url) -> Option<&'a Written> {
    let key = address_key(url.as_str());
    known.iter().find(|known| address_key(&known.url) == key)
}

fn is_there(file: &FeedsFile, there: &Written) -> String {
    let Written { id, url, line } = there;
    format!("the feed `{id}` has this address already, {url}: {}, line {line}", file.path.display())
}

fn heading(searched: &Searched) -> String {
    let Searched { asked, page, requests, .. } = searched;
    let what = match page.as_deref() {
        None => "is a feed".to_owned(),
        Some("") => "is a page".to_owned(),
        Some(title) => format!("is a page, «{title}»"),
    };
    let mut heading = String::new();
    let ending = if *requests == 1 { "" } else { "s" };
    line(&mut heading, &format!("{asked} {what}; {requests} request{ending}"));
    heading
}

/// A feed, as a person reads it.
fn told(
    number: usize,
    offer: &Offer,
    against: Option<Against>,
    there: Option<&Written>,
    like: &Feed,
) -> String {
    let mut told = String::new();
    let zone = like.timezone;
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    let newest = offer.newest().map_or("no date".to_owned(), day);
    let rejected = match offer.rejected {
        0 => String::new(),
        rejected => format!(" ({rejected} rejected)"),
    };
    line(&mut told, &format!("\n{}. {}", number + 1, offer.candidate.url));
    let mut indented = |text: &str| line(&mut told, &format!("   {text}"));
    let Offer { format, charset, entries, .. } = offer;
    indented(&format!("{format}, {charset}, {entries} entries{rejected}, newest {newest}"));
    match (against, there) {
        (_, Some(there)) => indented(&format!("it is `{}`, line {}", there.id, there.line)),
        (None, None) => indented(&format!("taken: {}", offer.candidate.how.words())),
        (Some(against), None) => {
            indented(&format!("not taken: {}; this takes it:", against.words()));
            let private = match like.access.private {
                Private::Allowed => " --allow-private",
                _ => "",
            };
            indented(&format!("visnyk add {}{private}", quoted(offer.candidate.url.as_str())));
        }
    }
    for repair in &offer.repairs {
        indented(&format!("mended: {repair}"));
    }
    if let Some(hub) = &offer.hub {
        indented(&format!("hub: {hub}"));
    }
    let labels = offer.labels().into_iter().take(LABELS_MAX);
    let labels: Vec<String> = labels.map(|(label, count)| format!("{label} {count}")).collect();
    if !labels.is_empty() {
        indented(&format!("labels: {}", labels.join(", ")));
    }
    for article in offer.articles.iter().take(HEADLINES) {
        indented(&format!("{}  {}", day(article.published), article.headline()));
    }
    told
}

/// A line more, no longer than fits.
fn line(text: &mut String, more: &str) {
    let fits = |line: &str| {
        // An address that is cut leads nowhere.
        let columns = if line.contains("://") { usize::MAX } else { columns().into() };
        cut(line, columns)
    };
    for line in more.split('\n') {
        // To write into a text cannot fail.
        let _ = writeln!(text, "{}", fits(line));
    }
}
