//! How many readers an aggregator fetches for, as it says itself in its User-Agent.
//!
//! There is no standard for it, only a habit: `12 subscribers`, `1 readers`, `users 2`, somewhere
//! among the words. It is a claim: some who fetch for nobody but themselves write a million to be
//! let in, so that numbers beyond belief count as none.

use regex::Regex;
use std::sync::LazyLock;

/// How much of a User-Agent is looked at, in bytes.
const LOOKED_AT_MAX: usize = 512;
/// How much of it is kept to know an aggregator again, in bytes.
const AGENT_BYTES_MAX: usize = 256;
/// One more would not be believed.
const READERS_MAX: u32 = 999_999;

static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // A number that is a part of another, as in `Foo/2 reader` or `10.1 users`, is none.
    let before = r"(?i)(?:(?:^|[\s;(+_-])([0-9]{1,9})[\s+_]+(?:subscriber|reader|user)(s|\(s\))?";
    let after = r"|(?:^|[\s;(+_])(?:subscribers|readers|users)[\s:=+_]+([0-9]{1,9}))(?:$|[^\w.])";
    Regex::new(&format!("{before}{after}")).ok()
});

/// What an aggregator says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// For how many readers it fetches.
    pub readers: u32,
    /// Its User-Agent without the number, which changes; the id that it gave the feed stays, since
    /// it may fetch one feed under several.
    pub agent: String,
}

/// What a User-Agent says of readers, if it does.
#[must_use]
pub fn reported(user_agent: &str) -> Option<Reported> {
    let text = &user_agent[..user_agent.floor_char_boundary(LOOKED_AT_MAX)];
    let found = NUMBER.as_ref()?.captures(text)?;
    let number = found.get(1).or(found.get(3))?;
    let readers = number.as_str().parse().ok().filter(|readers| *readers <= READERS_MAX)?;
    // `1 subscriber` and `2 subscribers` are one aggregator.
    let plural = found.get(2).map_or(number.end()..number.end(), |plural| plural.range());
    let parts = [&text[..number.start()], &text[number.end()..plural.start], &text[plural.end..]];
    let mut agent = parts.concat();
    agent.truncate(agent.floor_char_boundary(AGENT_BYTES_MAX));
    Some(Reported { readers, agent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_wherever_aggregators_write_it() {
        for (agent, readers) in [
            (
                "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers; like FeedFetcher-Google)",
                12,
            ),
            ("Feedly/1.0 (poller; 131 subscribers;)", 131),
            ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 3 subscribers; )", 3),
            ("Mozilla/5.0 (compatible; inoreader.com; 7 subscribers)", 7),
            (
                "NewsBlur Feed Fetcher - 1 subscriber - http://www.newsblur.com/site/1/page (Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15)",
                1,
            ),
            ("NewsBlur Feed Fetcher - 412 subscribers - https://www.newsblur.com/site/9124/a", 412),
            ("Feedbin feed-id:1602368 - 4 subscribers", 4),
            ("Mozilla/5.0 (compatible; theoldreader.com; 5 subscribers; feed-id=5404723)", 5),
            ("Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.com/fetcher; 2 subscribers)", 2),
            ("Netvibes (http://www.netvibes.com/; 5 subscribers; feedId: 5404723)", 5),
            (
                "Feedfetcher-Google; (+http://www.google.com/feedfetcher.html; 16 subscribers; feed-id=12310981209483785)",
                16,
            ),
            ("LiveJournal.com (webmaster@livejournal.com; for your url/; 1 readers)", 1),
            ("Bloglines/3.1+(http://www.bloglines.com;+154+subscribers)", 154),
            ("NewsGatorOnline/2.0_(http://www.newsgator.com;_20_subscribers)", 20),
            (
                "Mozilla/5.0 (X11; Rojo 1.0; Aggregating on behalf of 15 subscriber(s) online at http://www.rojo.com/?feed-id=1)",
                15,
            ),
            (
                "YahooFeedSeeker/1.0 (compatible; http://my.yahoo.com/s/publishers.html; users 2; views 169)",
                2,
            ),
            ("ThePort Web/1.0; subscribers 1", 1),
            ("Zhuaxia.com 1 Subscribers", 1),
            (
                "Overcast/1.0 Podcast Sync (1190 subscribers; feed-id=554901; +http://overcast.fm/)",
                1190,
            ),
            ("visnyk/0.1.0 (+https://visnyk.example/; news@visnyk.example; 12 subscribers)", 12),
            ("Aggregator (12 users)", 12),
        ] {
            assert_eq!(reported(agent).map(|told| told.readers), Some(readers), "{agent}");
        }
    }

    #[test]
    fn other_numbers_are_no_readers() {
        for agent in [
            "",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "FeedReader/2 readers",
            "Reader 9.1 users.example",
            "NetNewsWire/6.1 reader",
            "NewsBlur Feed Fetcher - 1000000 subscribers",
            "a (99999999999999999999 subscribers)",
            "a (-1subscribers)",
            "a (subscribers)",
            "a (1,234 subscribers)",
            "a (12 subscribersome)",
        ] {
            assert_eq!(reported(agent), None, "{agent}");
        }
    }

    #[test]
    fn an_aggregator_is_known_again_by_all_but_the_number() {
        let agent = |text: &str| reported(text).unwrap().agent;
        assert_eq!(agent("Feedbin feed-id:9 - 4 subscribers"), "Feedbin feed-id:9 -  subscriber");
        for (text, same, other) in [
            (
                "F feed-id:9 - 4 subscribers",
                "F feed-id:9 - 1 subscriber",
                "F feed-id:8 - 4 subscribers",
            ),
            ("F (1 readers; feed-id=9)", "F (20 readers; feed-id=9)", "G (1 readers; feed-id=9)"),
            ("F; users 2; views 1", "F; users 3; views 1", "F; users 2; views 2"),
        ] {
            assert_eq!(agent(text), agent(same));
            assert_ne!(agent(text), agent(other));
        }
        let long = format!("{} 7 subscribers {}", "є".repeat(200), "ї".repeat(2000));
        assert!(agent(&long).len() <= AGENT_BYTES_MAX);
        assert_eq!(reported(&format!("{} 7 subscribers", "є".repeat(300))), None);
    }
}
