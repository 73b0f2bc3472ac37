//! Where an entry came from, and what was made of its dates: for admins who ask why.

use crate::model::address::keyless;
use crate::model::entry::Entry;
use crate::model::provenance::Belief;
use crate::model::provenance::Provenance;
use crate::model::provenance::SAID_CHARS_MAX;
use crate::normalize::Frame;
use crate::normalize::dates;
use crate::normalize::text;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;

/// How far ahead a date is looked for that is not believed.
const AHEAD: TimeDelta = TimeDelta::days(365 * 100);

/// Where an entry came from.
#[must_use]
pub fn provenance(frame: &Frame<'_>, entry: &Entry) -> Provenance {
    let said = |given: &Option<String>| {
        let said = text::fold(given.as_deref()?);
        Some(text::bounded(&said, SAID_CHARS_MAX)).filter(|said| !said.is_empty())
    };
    Provenance {
        // What is secret in it is never needed to know the document again.
        document: keyless(frame.document_url).to_string(),
        read: frame.now,
        entry_id: said(&entry.id),
        published: said(&entry.published),
        updated: said(&entry.updated),
        belief: belief(frame, entry),
    }
}

fn belief(frame: &Frame<'_>, entry: &Entry) -> Belief {
    let read = |given: &Option<String>, now: DateTime<Utc>| {
        dates::date(given.as_deref()?, frame.feed.timezone, now)
    };
    let (published, updated) = (read(&entry.published, frame.now), read(&entry.updated, frame.now));
    match published.or(updated) {
        Some(at) if at > frame.now => Belief::Future,
        Some(_) if published.is_some() => Belief::Said,
        Some(_) => Belief::Changed,
        None => {
            let given = [&entry.published, &entry.updated];
            let late = frame.now.checked_add_signed(AHEAD).unwrap_or(frame.now);
            if given.iter().any(|given| read(given, late).is_some_and(|at| at > frame.now)) {
                Belief::Future
            } else if given.iter().any(|given| said_something(given.as_ref())) {
                Belief::Unread
            } else {
                Belief::Undated
            }
        }
    }
}

fn said_something(given: Option<&String>) -> bool {
    given.is_some_and(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crontab::Crontab;
    use crate::model::entry::ParsedFeed;
    use crate::model::feed::Address;
    use crate::model::feed::Feed;
    use crate::model::feed::TaggingEntity;
    use crate::model::id::FeedId;
    use url::Url;

    #[test]
    fn what_is_made_of_a_date_is_told() {
        let url: Url = "https://u:secret@city.example/rss".parse().unwrap();
        let since = chrono::NaiveDate::from_ymd_opt(2023, 7, 3).unwrap();
        let tagging = TaggingEntity { authority: "visnyk.example".to_owned(), since };
        let schedule = Crontab::parse("0 * * * *").unwrap();
        let id = FeedId::new("city").unwrap();
        let feed = Feed::new(id, Address::Http(url.clone()), schedule, tagging);
        let now = "2023-07-03T12:00:00Z".parse().unwrap();
        for (published, updated, expected) in [
            (Some("2023-07-03T11:00:00Z"), None, Belief::Said),
            (Some("soon"), Some("2023-07-03T11:00:00Z"), Belief::Changed),
            (None, None, Belief::Undated),
            (Some(" "), None, Belief::Undated),
            (Some("soon"), None, Belief::Unread),
            (Some("2023-07-03T18:00:00Z"), None, Belief::Future),
            (Some("2031-07-03T18:00:00Z"), None, Belief::Future),
        ] {
            let entry = Entry {
                published: published.map(str::to_owned),
                updated: updated.map(str::to_owned),
                ..Entry::default()
            };
            let parsed = ParsedFeed { entries: vec![entry.clone()], ..ParsedFeed::default() };
            let provenance = provenance(&Frame::new(&feed, &parsed, &url, now), &entry);
            assert_eq!(provenance.belief, expected, "{published:?} {updated:?}");
            assert_eq!(provenance.document, "https://city.example/rss");
        }
    }
}
