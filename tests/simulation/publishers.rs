//! The publishers: hosts with feeds, whose entries are born, edited, moved, taken down and copied.

use crate::dice::Dice;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use chrono_tz::Europe::Kyiv;
use std::collections::BTreeSet;
use std::fmt::Write;

/// When feeds are polled.
const SCHEDULES: [&str; 8] = [
    "every 2h",
    "every 4h",
    "every 6h",
    "0 6,12,18 * * *",
    "@daily",
    "15 */3 * * *",
    "0 7-19 * * 1-5",
    "30 3 * * *",
];

/// A host.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// Hosts share addresses.
    pub(crate) address: [u8; 4],
    pub(crate) mood: Mood,
}

/// How a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Some answers go wrong.
    Flaky,
    /// Its name is not known.
    Nameless,
    /// It takes no connection.
    Closed,
    /// It takes connections and says nothing.
    Silent,
    /// Every answer is an error.
    Broken,
}

/// A date as an entry bears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dated {
    Well,
    Garbage,
    Missing,
    Future,
    Ancient,
}

/// An entry.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// By what the model knows it, in its title.
    pub(crate) uid: String,
    pub(crate) version: u32,
    pub(crate) guid: String,
    pub(crate) link: String,
    pub(crate) born: DateTime<Utc>,
    pub(crate) dated: Dated,
    /// Whether its page is gone.
    pub(crate) is_removed: bool,
    /// How often anything of it changed.
    pub(crate) changes: u32,
    /// Whether something of it changed that was not yet seen: nothing else changes until then, as
    /// nobody could know an entry again of which everything is new.
    pub(crate) is_unseen: bool,
}

/// An entry in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) uid: String,
    pub(crate) version: u32,
    pub(crate) changes: u32,
}

/// What a server gives to be asked with the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validating {
    Both,
    Tag,
    Date,
    Neither,
}

/// A feed at its publisher.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) id: String,
    pub(crate) host: usize,
    /// The path at which feeds.toml has it.
    pub(crate) path: String,
    /// Where it has moved, and whether for good.
    pub(crate) moved: Option<(String, u16)>,
    pub(crate) is_atom: bool,
    pub(crate) schedule: &'static str,
    pub(crate) window: usize,
    pub(crate) items: Vec<Item>,
    pub(crate) revision: u64,
    pub(crate) changed: DateTime<Utc>,
    pub(crate) validating: Validating,
    /// It answers 410.
    pub(crate) is_gone: bool,
    /// It is in feeds.toml.
    pub(crate) is_listed: bool,
    pub(crate) born: usize,
    /// All guids that its entries ever had: one that comes again for another story, of which nobody
    /// saw that it had become free, is the first story to everybody.
    guids: BTreeSet<String>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Publishers {
    pub(crate) hosts: Vec<Host>,
    pub(crate) sources: Vec<Source>,
    dice: Dice,
}

impl Publishers {
    pub(crate) fn new(mut dice: Dice, now: DateTime<Utc>, scale: usize) -> Self {
        let hosts = (0..4 * scale).map(|number| Host {
            name: format!("h{number}.example"),
            // The first two are sites of one hosting company.
            address: [93, 184, u8::try_from(number / 250).unwrap_or(0), {
                let at = if number == 1 { 0 } else { number % 250 };
                u8::try_from(at).unwrap_or(0)
            }],
            mood: Mood::Well,
        });
        let hosts: Vec<Host> = hosts.collect();
        let sources = (0..8 * scale).map(|number| Source {
            id: format!("f{number}"),
            host: number % hosts.len(),
            path: format!("/f{number}/0.xml"),
            moved: None,
            is_atom: dice.in_thousand(400),
            schedule: dice.one::<&'static str>(&SCHEDULES),
            window: dice.place(12) + 8,
            items: Vec::new(),
            revision: 0,
            changed: now,
            validating: *dice.one(&[
                Validating::Both,
                Validating::Tag,
                Validating::Date,
                Validating::Neither,
            ]),
            is_gone: false,
            is_listed: true,
            born: 0,
            guids: BTreeSet::new(),
        });
        let sources = sources.collect();
        let mut all = Self { hosts, sources, dice };
        for place in 0..all.sources.len() {
            for _ in 0..4 {
                all.bear(place, now - TimeDelta::hours(30));
            }
        }
        all
    }

    /// Something happens at a publisher; gives what.
    pub(crate) fn live(&mut self, now: DateTime<Utc>) -> String {
        let place = self.dice.place(self.sources.len());
        let what = match self.dice.below(100) {
            0..60 => self.bear(place, now),
            60..75 => self.edit(place),
            75..78 => self.change_guids(place),
            78..82 => self.move_link(place),
            82..87 => self.take_down(place),
            87..93 => self.copy(place),
            _ => self.hijack(place, now),
        };
        let source = &mut self.sources[place];
        source.revision += 1;
        // A date has whole seconds, and a change that falls into the same one is not seen by it.
        source.changed = source.changed.max(now) + TimeDelta::seconds(1);
        format!("{}: {what}", source.id)
    }

    fn bear(&mut self, place: usize, now: DateTime<Utc>) -> &'static str {
        let dice = &mut self.dice;
        let dated = match dice.below(20) {
            0 => Dated::Garbage,
            1 => Dated::Missing,
            2 => Dated::Future,
            3 => Dated::Ancient,
            _ => Dated::Well,
        };
        let host = self.hosts[self.sources[place].host].name.clone();
        let source = &mut self.sources[place];
        source.born += 1;
        let uid = format!("{}e{}", source.id, source.born);
        let link = format!("https://{host}/news/{uid}-novyny-hromady");
        let guid = match dice.below(3) {
            0 => link.clone(),
            1 => format!("urn:x:{uid}"),
            _ => format!("{uid}-{}", dice.below(1_000_000)),
        };
        let item = Item {
            uid,
            version: 1,
            guid,
            link,
            born: now - TimeDelta::minutes(i64::try_from(dice.below(50)).unwrap_or(0)),
            dated,
            is_removed: false,
            changes: 0,
            is_unseen: true,
        };
        source.add(item);
        "born"
    }

    /// An entry in the window of a source of which all was seen.
    fn seen(&mut self, place: usize) -> Option<&mut Item> {
        let listed = self.sources[place].listed();
        let seen: Vec<usize> =
            listed.into_iter().filter(|at| !self.sources[place].items[*at].is_unseen).collect();
        let at = *seen.get(self.dice.place(seen.len().max(1)))?;
        self.sources[place].items.get_mut(at)
    }

    fn edit(&mut self, place: usize) -> &'static str {
        if let Some(item) = self.seen(place) {
            item.version += 1;
            item.change();
        }
        "edited"
    }

    fn change_guids(&mut self, place: usize) -> &'static str {
        let source = &mut self.sources[place];
        let listed = source.listed();
        if listed.iter().all(|at| !source.items[*at].is_unseen) {
            for at in listed {
                let item = &mut source.items[at];
                item.guid = format!("new-{}-{}", source.revision, item.uid);
                source.guids.insert(item.guid.clone());
                item.change();
            }
        }
        "other guids"
    }

    fn move_link(&mut self, place: usize) -> &'static str {
        if let Some(item) = self.seen(place) {
            item.link = item.link.replace("/news/", "/archive/news/");
            item.change();
        }
        "moved a page"
    }

    fn take_down(&mut self, place: usize) -> &'static str {
        if let Some(item) = self.seen(place) {
            item.is_removed = true;
        }
        "took down"
    }

    /// Forgets the entries that left their documents long ago.
    pub(crate) fn forget(&mut self) {
        for source in &mut self.sources {
            let kept = 2 * source.window;
            let old = source.items.len().saturating_sub(kept);
            source.items.drain(..old);
            source.guids = source.items.iter().map(|item| item.guid.clone()).collect();
        }
    }

    /// The same story in another feed.
    fn copy(&mut self, place: usize) -> &'static str {
        let from = self.dice.place(self.sources.len());
        let copy = self.seen(from).filter(|item| !item.is_removed).cloned();
        let source = &mut self.sources[place];
        let known: BTreeSet<&String> =
            source.items.iter().flat_map(|item| [&item.uid, &item.link]).collect();
        let is_new = |copy: &Item| {
            let is_known = [&copy.uid, &copy.guid].iter().any(|it| known.contains(*it));
            !is_known && !source.guids.contains(&copy.guid)
        };
        if let Some(copy) = copy.filter(is_new) {
            source.add(Item { is_unseen: true, ..copy });
        }
        "copied"
    }

    /// A new entry claims the id of another feed's.
    fn hijack(&mut self, place: usize, now: DateTime<Utc>) -> &'static str {
        let victim = self.dice.place(self.sources.len());
        let guid = self.seen(victim).map(|item| item.guid.clone());
        let source = &self.sources[place];
        if victim == place || guid.as_ref().is_some_and(|guid| source.guids.contains(guid)) {
            return "nothing";
        }
        self.bear(place, now);
        let source = &mut self.sources[place];
        if let (Some(item), Some(guid)) = (source.items.last_mut(), guid) {
            source.guids.insert(guid.clone());
            item.guid = guid;
        }
        "claimed a foreign guid"
    }
}

impl Source {
    fn add(&mut self, item: Item) {
        self.guids.insert(item.guid.clone());
        self.items.push(item);
    }

    /// The places of the entries that its document has, the newest first.
    pub(crate) fn listed(&self) -> Vec<usize> {
        let there = self.items.iter().enumerate().filter(|(_, item)| !item.is_removed);
        there.map(|(at, _)| at).rev().take(self.window).collect()
    }

    /// Some entries were seen, each in a version and after so many changes.
    pub(crate) fn see(&mut self, seen: Vec<Listed>) {
        for Listed { uid, changes, .. } in seen {
            let item = self.items.iter_mut().find(|item| item.uid == uid);
            if let Some(item) = item.filter(|item| item.changes == changes) {
                item.is_unseen = false;
            }
        }
    }

    /// What its document says.
    pub(crate) fn contents(&self) -> Vec<Listed> {
        let items = self.listed().into_iter().map(|at| &self.items[at]);
        items
            .map(|item| Listed {
                uid: item.uid.clone(),
                version: item.version,
                changes: item.changes,
            })
            .collect()
    }

    /// The entity tag, as odd as tags are.
    fn tag(&self) -> Vec<u8> {
        let mut tag = format!("W/\"{} {:x}", self.id, self.revision).into_bytes();
        tag.extend(b"\xe9;a,b\"");
        tag
    }

    /// What it gives to be asked with: the entity tag, and the date.
    pub(crate) fn validators(&self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let has_tag = matches!(self.validating, Validating::Both | Validating::Tag);
        let has_date = matches!(self.validating, Validating::Both | Validating::Date);
        let date = || httpdate::fmt_http_date(self.changed.into()).into_bytes();
        (has_tag.then(|| self.tag()), has_date.then(date))
    }

    pub(crate) fn validating_headers(&self) -> Vec<(&'static str, Vec<u8>)> {
        let (tag, date) = self.validators();
        let tag = tag.map(|tag| ("etag", tag));
        tag.into_iter().chain(date.map(|date| ("last-modified", date))).collect()
    }

    /// The document.
    pub(crate) fn document(&self, encoding: &str) -> String {
        let mut text = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n");
        let at = self.listed().into_iter().map(|at| &self.items[at]);
        if self.is_atom {
            let _ = write!(
                text,
                "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:feed:{0}</id>\
                 <title>Громада {0}</title><updated>{1}</updated>",
                self.id,
                self.changed.to_rfc3339()
            );
            for item in at {
                let date = item.date(true).map(|date| format!("<published>{date}</published>"));
                let _ = write!(
                    text,
                    "<entry><id>{}</id><title>{}</title><link href=\"{}\"/>{}\
                     <content type=\"html\">{}</content></entry>",
                    item.guid,
                    item.title(),
                    item.link,
                    date.unwrap_or_default(),
                    item.words()
                );
            }
            text.push_str("</feed>");
            return text;
        }
        let _ = write!(text, "<rss version=\"2.0\"><channel><title>Громада {}</title>", self.id);
        for item in at {
            let date = item.date(false).map(|date| format!("<pubDate>{date}</pubDate>"));
            let _ = write!(
                text,
                "<item><guid isPermaLink=\"false\">{}</guid><title>{}</title><link>{}</link>{}\
                 <description>{}</description></item>",
                item.guid,
                item.title(),
                item.link,
                date.unwrap_or_default(),
                item.words()
            );
        }
        text.push_str("</channel></rss>");
        text
    }
}

impl Item {
    fn change(&mut self) {
        self.changes += 1;
        self.is_unseen = true;
    }

    fn title(&self) -> String {
        format!("Новина {} v{} громади", self.uid, self.version)
    }

    fn words(&self) -> String {
        format!(
            "Рада громади повідомляє про подію {0}, редакція {1}: мешканців запрошують на зустріч \
             {0} біля будинку культури.",
            self.uid, self.version
        )
    }

    fn date(&self, is_atom: bool) -> Option<String> {
        let at = match self.dated {
            Dated::Missing => return None,
            Dated::Garbage => return Some("учора ввечері, мабуть".to_owned()),
            Dated::Future => self.born + TimeDelta::days(40),
            Dated::Ancient => self.born - TimeDelta::days(365 * 45),
            Dated::Well => self.born,
        };
        let at = at.with_timezone(&Kyiv);
        Some(if is_atom { at.to_rfc3339() } else { at.to_rfc2822() })
    }
}

/// What the model reads in a title: the entry and its version.
pub(crate) fn named(title: &str) -> Option<(String, u32)> {
    let mut words = title.split_whitespace();
    let uid = words.by_ref().find(|word| {
        let parts = word.strip_prefix('f').and_then(|rest| rest.split_once('e'));
        parts.is_some_and(|(feed, entry)| {
            [feed, entry].iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
    })?;
    Some((uid.to_owned(), words.next()?.strip_prefix('v')?.parse().ok()?))
}
