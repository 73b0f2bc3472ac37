//! Who reads the publications, as far as aggregators say: the newest number of each, and how often
//! each publication was asked for.
//!
//! In memory only, and of no use to find a person: aggregators have names, readers have none, and
//! no client's address comes here.

use crate::model::publication::Selection;
use crate::serve::readers::Reported;
use crate::serve::traffic::Traffic;
use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::TimeDelta;
use chrono::Utc;
use serde_json::Value;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// An aggregator that has not come for so long has no readers left.
const KEPT: TimeDelta = TimeDelta::days(7);
/// The aggregators of one publication.
const AGGREGATORS_MAX: usize = 128;
/// The aggregators of all publications.
const AGGREGATORS_IN_ALL_MAX: usize = 8192;
const HOURS: u8 = 24;

/// The readers of every publication. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Audience(Arc<Mutex<Heard>>, Arc<Traffic>);

#[derive(Debug, Default)]
struct Heard {
    /// As many at most as the site has publications.
    publications: HashMap<Selection, Listeners>,
    aggregators: usize,
}

#[derive(Debug, Default)]
struct Listeners {
    requests: Requests,
    /// By the form of the document and what the aggregator calls itself.
    aggregators: HashMap<(&'static str, String), Said>,
}

#[derive(Debug, Clone, Copy)]
struct Said {
    readers: u32,
    at: DateTime<Utc>,
}

/// Requests in the last hours, each hour for itself.
#[derive(Debug, Default)]
struct Requests {
    counts: [u64; HOURS as usize],
    /// The hour of the last request, since 1970.
    hour: i64,
}

impl Audience {
    /// The requests that were answered since the start.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.1
    }

    /// How many readers all aggregators report, and how many aggregators there are.
    #[must_use]
    pub fn totals(&self, now: DateTime<Utc>) -> (u64, usize) {
        let mut heard = self.all();
        heard.forget_before(now - KEPT);
        let listeners = heard.publications.values();
        let said = listeners.flat_map(|listeners| listeners.aggregators.values());
        (said.map(|said| u64::from(said.readers)).sum(), heard.aggregators)
    }

    /// A publication was given out, or is unchanged, in a form of it such as `atom`.
    pub fn heard(
        &self,
        selection: &Selection,
        form: &'static str,
        reported: Option<Reported>,
        now: DateTime<Utc>,
    ) {
        let mut heard = self.all();
        if !heard.publications.contains_key(selection) {
            heard.publications.insert(selection.clone(), Listeners::default());
        }
        let in_all = heard.aggregators;
        let Some(listeners) = heard.publications.get_mut(selection) else { return };
        listeners.requests.count(now);
        let Some(Reported { readers, agent }) = reported else { return };
        let said = Said { readers, at: now };
        if let Some(known) = listeners.aggregators.get_mut(&(form, agent.clone())) {
            *known = said;
            return;
        }
        if listeners.aggregators.len() >= AGGREGATORS_MAX {
            listeners.forget_oldest();
            heard.aggregators -= 1;
        } else if in_all >= AGGREGATORS_IN_ALL_MAX {
            heard.forget_oldest();
        }
        heard.aggregators += 1;
        if let Some(listeners) = heard.publications.get_mut(selection) {
            listeners.aggregators.insert((form, agent), said);
        }
    }

    /// For each publication that was asked for, the one with most readers first: the readers that
    /// its aggregators report, these aggregators, and the requests of the last 24 hours.
    #[must_use]
    pub fn told(&self, now: DateTime<Utc>) -> Value {
        let mut heard = self.all();
        heard.forget_before(now - KEPT);
        let mut lines: Vec<_> = heard
            .publications
            .iter_mut()
            .map(|(selection, listeners)| {
                let numbers = listeners.aggregators.values().map(|said| u64::from(said.readers));
                let readers: u64 = numbers.sum();
                (readers, listeners.requests.sum(now), selection.path(), &*listeners)
            })
            .filter(|(readers, requests, ..)| *readers > 0 || *requests > 0)
            .collect();
        lines.sort_by(|a, b| (b.0, b.1, &a.2).cmp(&(a.0, a.1, &b.2)));
        let line = |(readers, requests, path, listeners): (u64, u64, String, &Listeners)| {
            json!({
                "publication": path,
                "readers": readers,
                "requests_24h": requests,
                "aggregators": listeners.told(),
            })
        };
        lines.into_iter().map(line).collect()
    }

    fn all(&self) -> MutexGuard<'_, Heard> {
        // Numbers that nobody's news depend on: half a change is no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn forget_before(&mut self, instant: DateTime<Utc>) {
        for listeners in self.publications.values_mut() {
            listeners.aggregators.retain(|_, said| said.at >= instant);
        }
        let left = self.publications.values().map(|listeners| listeners.aggregators.len());
        self.aggregators = left.sum();
    }

    fn forget_oldest(&mut self) {
        let all = self.publications.values_mut();
        let oldest = all.min_by_key(|listeners| {
            let times = listeners.aggregators.values().map(|said| said.at);
            times.min().unwrap_or(DateTime::<Utc>::MAX_UTC)
        });
        if let Some(listeners) = oldest {
            listeners.forget_oldest();
            self.aggregators = self.aggregators.saturating_sub(1);
        }
    }
}

impl Listeners {
    fn forget_oldest(&mut self) {
        let oldest = self.aggregators.iter().min_by_key(|(_, said)| said.at);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.aggregators.remove(&key);
        }
    }

    fn told(&self) -> Vec<Value> {
        let mut all: Vec<_> = self.aggregators.iter().collect();
        all.sort_by(|(a, said), (b, other)| (other.readers, *a).cmp(&(said.readers, *b)));
        let line = |((form, agent), said): (&(&str, String), &Said)| {
            json!({
                "agent": agent,
                "form": form,
                "readers": said.readers,
                "seen": said.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            })
        };
        all.into_iter().map(line).collect()
    }
}

impl Requests {
    fn count(&mut self, now: DateTime<Utc>) {
        let counted = self.turn(now);
        *counted += 1;
    }

    fn sum(&mut self, now: DateTime<Utc>) -> u64 {
        self.turn(now);
        self.counts.iter().sum()
    }

    /// The count of this hour; those of hours that are a day ago begin anew.
    fn turn(&mut self, now: DateTime<Utc>) -> &mut u64 {
        let hour = now.timestamp().div_euclid(3600).max(self.hour);
        let place = |hour: i64| usize::try_from(hour.rem_euclid(HOURS.into())).unwrap_or_default();
        for passed in 0..(hour - self.hour).min(HOURS.into()) {
            self.counts[place(hour - passed)] = 0;
        }
        self.hour = hour;
        &mut self.counts[place(hour)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::readers::reported;

    const DAY: TimeDelta = TimeDelta::days(1);

    fn start() -> DateTime<Utc> {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn hear(audience: &Audience, path: &str, form: &'static str, agent: &str, at: DateTime<Utc>) {
        audience.heard(&Selection::at(path).unwrap(), form, reported(agent), at);
    }

    /// The readers and the requests of each publication.
    fn sums(audience: &Audience, at: DateTime<Utc>) -> Vec<(String, u64, u64)> {
        let told = audience.told(at);
        let number = |line: &Value, key: &str| line[key].as_u64().unwrap();
        let sum = |line: &Value| {
            let path = line["publication"].as_str().unwrap().to_owned();
            (path, number(line, "readers"), number(line, "requests_24h"))
        };
        told.as_array().unwrap().iter().map(sum).collect()
    }

    #[test]
    fn the_newest_number_of_each_aggregator_counts_until_it_stays_away() {
        let (audience, now) = (Audience::default(), start());
        hear(&audience, "all", "atom", "Feedly/1.0 (a; 10 subscribers)", now - DAY * 6);
        hear(&audience, "all", "atom", "Feedbin feed-id:1 - 5 subscribers", now - DAY * 6);
        hear(&audience, "all", "atom", "Feedbin feed-id:2 - 2 subscribers", now);
        hear(&audience, "all", "atom", "Feedbin feed-id:1 - 1 subscriber", now);
        hear(&audience, "all", "json", "Feedbin feed-id:1 - 3 subscribers", now);
        hear(&audience, "all", "atom", "Mozilla/5.0", now);
        hear(&audience, "sources/kharkiv", "atom", "curl/8", now);
        let all = "all".to_owned();
        let source = "sources/kharkiv".to_owned();
        assert_eq!(sums(&audience, now), [(all.clone(), 16, 4), (source, 0, 1)]);
        assert_eq!(sums(&audience, now + DAY * 2), [(all, 6, 0)]);
        assert_eq!(sums(&audience, now + DAY * 8), []);
        assert_eq!(audience.all().aggregators, 0);
    }

    #[test]
    fn requests_are_those_of_the_last_24_hours() {
        let (audience, now) = (Audience::default(), start());
        for (hours, expected) in [(0, 1), (1, 2), (23, 3), (24, 3), (25, 3), (90, 1)] {
            let at = now + TimeDelta::hours(hours);
            hear(&audience, "all", "atom", "", at);
            assert_eq!(sums(&audience, at)[0].2, expected, "after {hours} h");
        }
        hear(&audience, "all", "atom", "", now);
        let at = now + TimeDelta::hours(90);
        assert_eq!(sums(&audience, at)[0].2, 2, "a clock that went back counts for the last hour");
    }

    #[test]
    fn whoever_makes_up_aggregators_makes_no_more_than_there_may_be() {
        let (audience, now) = (Audience::default(), start());
        hear(&audience, "all", "atom", "Feedly/1.0 (1 subscribers)", now);
        for publication in 0..70 {
            for made_up in 0..200 {
                let path = format!("sources/feed-{publication}");
                let at = now + TimeDelta::seconds(publication * 1000 + made_up);
                hear(&audience, &path, "atom", &format!("{made_up}x (1 subscribers)"), at);
            }
        }
        let heard = audience.all();
        let counts: Vec<_> = heard.publications.values().map(|all| all.aggregators.len()).collect();
        assert_eq!(counts.iter().max(), Some(&AGGREGATORS_MAX));
        assert_eq!(counts.iter().sum::<usize>(), AGGREGATORS_IN_ALL_MAX);
        assert_eq!(heard.aggregators, AGGREGATORS_IN_ALL_MAX);
        let last = &heard.publications[&Selection::at("sources/feed-69").unwrap()];
        assert!(last.aggregators.contains_key(&("atom", "199x ( subscriber)".to_owned())));
    }
}
