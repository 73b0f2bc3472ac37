//! `[site]`, `[polling]` and `[publishing]`, and what holds where they say nothing.

use crate::config::Polling;
use crate::config::Publishing;
use crate::config::access::proxy;
use crate::config::problem::Found;
use crate::config::shape::is_authority;
use crate::config::table::Row;
use crate::crontab::Crontab;
use crate::model::colour::Colour;
use crate::model::feed::TaggingEntity;
use crate::model::id::ArticleId;
use crate::model::publication::Pictures;
use crate::model::publication::Site;
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

const TITLE: &str = "Вісник";
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const LANGUAGE: &str = "uk";
const TIMEZONE: Tz = Tz::Europe__Kyiv;
const COLOUR: Colour = Colour::new(0x0d, 0x2b, 0x4b);
/// The longest text about a site, in bytes.
const ABOUT_BYTES_MAX: u64 = 64 * 1024;
const SINCE: NaiveDate = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();

const SCHEDULE: &str = "every 30m";
const CONCURRENCY: usize = 32;
const PER_HOST: usize = 2;
const HOST_PAUSE: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_mins(1);
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

const ENTRIES: usize = 50;

/// The site that publishes. `folder` is that of feeds.toml.
pub(crate) fn site(row: &Row, folder: &Path, found: &mut Found) -> Option<Site> {
    let address = match row.web("address") {
        Some(address) => address,
        None => Url::parse(&format!("http://{}/", listen(row))).ok()?,
    };
    check_address(&address, row, found);
    let contact = row.text("contact");
    if contact.as_deref().is_some_and(|contact| !is_contact(contact)) {
        let label = "write an address such as `admin@city.example` or `https://city.example/`";
        found.add("`contact` is neither an e-mail address nor a page", row.span("contact"), label);
    }
    let authority = row.text("tag_authority").or_else(|| {
        // A literal of IPv6 is no authority (RFC 4151, 2.1).
        address.host_str().filter(|host| is_authority(host)).map(str::to_owned)
    });
    Some(Site {
        title: row.text("title").unwrap_or_else(|| TITLE.to_owned()),
        subtitle: row.text("subtitle"),
        contact,
        readers: row.number("readers"),
        language: row.text("language").unwrap_or_else(|| LANGUAGE.to_owned()),
        timezone: row.zone("timezone").unwrap_or(TIMEZONE),
        rights: row.text("rights"),
        icon: row.web("icon"),
        logo: row.web("logo"),
        colour: row.colour("colour").unwrap_or(COLOUR),
        about: row.text("about").and_then(|path| about(row, &folder.join(path), found)),
        pictures: match row.text("pictures").as_deref() {
            Some("passed") => Pictures::Passed,
            Some("hidden") => Pictures::Hidden,
            _ => Pictures::Direct,
        },
        tagging: TaggingEntity {
            authority: authority.unwrap_or_else(|| "localhost".to_owned()),
            since: row.day("since").unwrap_or(SINCE),
        },
        address,
    })
}

/// The text of the file in which the site says what it is.
fn about(row: &Row, path: &Path, found: &mut Found) -> Option<String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        // One byte more than may be shows that there is more.
        file.take(ABOUT_BYTES_MAX + 1).read_to_string(&mut text)
    });
    let why = match read {
        Ok(bytes) if bytes as u64 > ABOUT_BYTES_MAX => {
            format!("it is over {} KiB", ABOUT_BYTES_MAX >> 10)
        }
        Ok(_) => return Some(text),
        Err(error) => error.to_string(),
    };
    let what = format!("cannot read `{}`: {why}", path.display());
    found.add(
        what,
        row.span("about"),
        "write the path of a Markdown file (UTF-8), from the folder of this file",
    );
    None
}

/// The files beside feeds.toml that it is read from.
pub(crate) fn files(row: &Row, folder: &Path) -> Vec<PathBuf> {
    row.text("about").map(|path| folder.join(path)).into_iter().collect()
}

/// Where the public listener is.
pub(crate) fn listen(row: &Row) -> SocketAddr {
    row.socket("listen").unwrap_or(LISTEN)
}

/// How feeds are polled, and when those that have no schedule.
pub(crate) fn polling(row: &Row, found: &mut Found) -> (Polling, Option<Crontab>) {
    let count = |key: &str| row.number(key).and_then(|number| usize::try_from(number).ok());
    let polling = Polling {
        concurrency: count("concurrency").unwrap_or(CONCURRENCY),
        per_host: count("per_host").unwrap_or(PER_HOST),
        host_pause: row.time("host_pause").unwrap_or(HOST_PAUSE),
        proxy: row.spanned_text("proxy").and_then(|given| proxy(&given, found)),
        connect_timeout: row.time("connect_timeout").unwrap_or(CONNECT_TIMEOUT),
        timeout: row.time("timeout").unwrap_or(TIMEOUT),
        body_bytes_max: row.number("body_max").unwrap_or(BODY_BYTES_MAX),
    };
    let schedule = row.schedule("schedule").or_else(|| {
        let built_in = Crontab::parse(SCHEDULE);
        built_in.map_err(|bad| found.add_unplaced(format!("`{SCHEDULE}`: {bad}"))).ok()
    });
    (polling, schedule)
}

/// How publications are made.
pub(crate) fn publishing(row: &Row) -> Publishing {
    let entries = row.number("entries").and_then(|number| usize::try_from(number).ok());
    Publishing { entries: entries.unwrap_or(ENTRIES) }
}

/// The articles that are never one story with others.
pub(crate) fn apart(row: &Row, found: &mut Found) -> BTreeSet<ArticleId> {
    let mut apart = BTreeSet::new();
    for given in row.texts("apart") {
        if let Ok(id) = given.get_ref().parse() {
            apart.insert(id);
        } else {
            let what = format!("`{}` is no id of an article", given.get_ref());
            found.add(what, given.span(), "write the id that `visnyk explain` shows");
        }
    }
    apart
}

/// Other addresses are made by joining a path to this one.
fn check_address(address: &Url, row: &Row, found: &mut Found) {
    if address.query().is_some() || address.fragment().is_some() {
        let label = "leave out what begins with `?` or `#`";
        found.add("`address` has a query or a fragment", row.span("address"), label);
    } else if !address.path().ends_with('/') {
        let label = format!("write `{address}/`");
        found.add("`address` does not end in `/`", row.span("address"), label);
    }
}

/// It is sent to every polled server, in a header: printable ASCII only.
fn is_contact(contact: &str) -> bool {
    let page = contact.starts_with("https://") || contact.starts_with("http://");
    (page
        || contact.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()))
        && contact.bytes().all(|b| b.is_ascii_graphic())
}
