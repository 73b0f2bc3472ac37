//! The two languages of the pages: which one a reader wants, and how it counts and tells the time.

use crate::publish::html::words::ENGLISH;
use crate::publish::html::words::UKRAINIAN;
use crate::publish::html::words::Words;
use chrono::DateTime;
use chrono::Datelike;
use chrono::Timelike;
use chrono::Utc;
use chrono_tz::Tz;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Under `/uk/`.
    Ukrainian,
    /// Under `/en/`.
    English,
}

/// All of them.
pub const LANGUAGES: [Language; 2] = [Language::Ukrainian, Language::English];

impl Language {
    /// Its tag (BCP 47), which is also the first part of its addresses.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ukrainian => "uk",
            Self::English => "en",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Ukrainian => Self::English,
            Self::English => Self::Ukrainian,
        }
    }

    /// What the pages say in it.
    #[must_use]
    pub fn words(self) -> &'static Words {
        match self {
            Self::Ukrainian => &UKRAINIAN,
            Self::English => &ENGLISH,
        }
    }

    /// The language of a site that says of itself which it speaks.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        if is(tag, "en") { Self::English } else { Self::Ukrainian }
    }

    /// What a reader wants by his `Accept-Language` (RFC 9110, 12.5.4); without a word of either
    /// language, English where he does not live with Ukrainian, else what the site speaks.
    #[must_use]
    pub fn wanted(accept_language: &str, own: Self) -> Self {
        let mut best: Option<(f32, Self)> = None;
        let mut is_foreign = false;
        for member in accept_language.split(',') {
            let (tag, parameters) = member.split_once(';').unwrap_or((member, ""));
            let weight = match parameters.trim().strip_prefix("q=") {
                Some(weight) => weight.trim().parse().unwrap_or(0.0),
                None => 1.0,
            };
            let tag = tag.trim();
            let meant = match tag {
                _ if is(tag, "uk") => Some(Self::Ukrainian),
                _ if is(tag, "en") => Some(Self::English),
                _ => None,
            };
            is_foreign |= weight > 0.0 && !matches!(tag, "" | "*") && !is(tag, "ru");
            if let Some(language) = meant
                && weight > best.map_or(0.0, |(most, _)| most)
            {
                best = Some((weight, language));
            }
        }
        match best {
            Some((_, language)) => language,
            None if is_foreign => Self::English,
            None => own,
        }
    }

    /// «1 новина», «2 новини», «5 новин», «11 новин»; "1 article", "2 articles".
    #[must_use]
    pub fn news(self, count: u64) -> String {
        self.counted(count, ["новина", "новини", "новин"], ["article", "articles"])
    }

    /// «1 невдала спроба», "2 failed attempts".
    #[must_use]
    pub fn failures(self, count: u64) -> String {
        let ukrainian = ["невдала спроба", "невдалі спроби", "невдалих спроб"];
        self.counted(count, ukrainian, ["failed attempt", "failed attempts"])
    }

    fn counted(self, count: u64, ukrainian: [&str; 3], english: [&str; 2]) -> String {
        let noun = match self {
            Self::Ukrainian => match (count % 10, count % 100) {
                (_, 11..=14) => ukrainian[2],
                (1, _) => ukrainian[0],
                (2..=4, _) => ukrainian[1],
                _ => ukrainian[2],
            },
            Self::English => english[usize::from(count != 1)],
        };
        format!("{count} {noun}")
    }

    /// A day: «3 липня 2023», "3 July 2023".
    #[must_use]
    pub fn day(self, at: DateTime<Utc>, zone: Tz) -> String {
        let at = at.with_timezone(&zone);
        let month = self.words().months[at.month0() as usize];
        format!("{} {month} {}", at.day(), at.year())
    }

    /// A moment: «3 липня 2023, 14:16».
    #[must_use]
    pub fn moment(self, at: DateTime<Utc>, zone: Tz) -> Moment {
        let local = at.with_timezone(&zone);
        Moment {
            machine: local.format("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            day: self.day(at, zone),
            time: format!("{}:{:02}", local.hour(), local.minute()),
        }
    }
}

/// A moment, for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// RFC 3339.
    pub machine: String,
    /// The day.
    pub day: String,
    /// The time of the day.
    pub time: String,
}

/// RFC 4647, 3.3.1.
fn is(tag: &str, language: &str) -> bool {
    tag.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn the_language_is_the_one_that_the_reader_likes_best() {
        use Language::English;
        use Language::Ukrainian;
        for (header, expected) in [
            ("", Ukrainian),
            ("*", Ukrainian),
            ("uk", Ukrainian),
            ("uk-UA,uk;q=0.9,en;q=0.8", Ukrainian),
            ("en-US,en;q=0.9", English),
            ("en;q=0.5, UK;q=0.7", Ukrainian),
            ("uk;q=0, en;q=0.1", English),
            ("pl,de;q=0.5", English),
            ("ru-UA,ru", Ukrainian),
            ("ru,uk;q=0.1", Ukrainian),
            (";;q=,,", Ukrainian),
            ("en;q=nonsense", Ukrainian),
        ] {
            assert_eq!(Language::wanted(header, Ukrainian), expected, "{header:?}");
        }
        assert_eq!(Language::wanted("", English), English);
    }

    #[test]
    fn news_are_counted_as_in_speech() {
        for (count, expected) in [
            (0, "0 новин"),
            (1, "1 новина"),
            (3, "3 новини"),
            (5, "5 новин"),
            (11, "11 новин"),
            (21, "21 новина"),
            (112, "112 новин"),
            (124, "124 новини"),
        ] {
            assert_eq!(Language::Ukrainian.news(count), expected);
        }
        assert_eq!(Language::English.news(1), "1 article");
    }

    #[test]
    fn a_moment_is_told_in_the_time_of_the_site() {
        let kyiv = chrono_tz::Europe::Kyiv;
        let at = kyiv.with_ymd_and_hms(2023, 7, 3, 9, 5, 0).unwrap().to_utc();
        let moment = Language::Ukrainian.moment(at, kyiv);
        assert_eq!((moment.day.as_str(), moment.time.as_str()), ("3 липня 2023", "9:05"));
        assert_eq!(moment.machine, "2023-07-03T09:05:00+03:00");
        assert_eq!(Language::English.day(at, kyiv), "3 July 2023");
    }
}
