//! The order in which a date is written: `3 липня 2023, 14:16`, `14:16 - 03.07.2023`, ISO 8601,
//! RFC 822, and what comes near.

use crate::normalize::dates::words::Token;
use crate::normalize::dates::words::month;
use crate::normalize::dates::words::month_after_number;
use crate::normalize::dates::zones;
use crate::normalize::dates::zones::Zone;

/// No year has more digits.
const YEAR_MAX: i32 = 9999;

/// Hour, minute and second. Midnight at the end of a day is 24:00:00.
pub(crate) type Clock = (u32, u32, u32);

/// What a date says. What is none was not said.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// With its century.
    pub(crate) year: Option<i32>,
    /// From 1.
    pub(crate) month: Option<u32>,
    /// From 1.
    pub(crate) day: Option<u32>,
    /// The time.
    pub(crate) clock: Option<Clock>,
    /// The zone.
    pub(crate) zone: Option<Zone>,
    zone_may_follow: bool,
}

/// What tokens say, if they name a day.
pub(crate) fn found(tokens: &[Token]) -> Option<Found> {
    const READERS: [fn(&mut Found, &[Token]) -> usize; 4] =
        [Found::read_clock, Found::read_zone, Found::read_numbers, Found::read_part];
    let mut found = Found::default();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        let taken = READERS.iter().map(|read| read(&mut found, rest)).find(|taken| *taken > 0);
        if taken.is_none() && *first != Token::Space {
            found.zone_may_follow = false;
        }
        rest = &rest[taken.unwrap_or(1)..];
    }
    (found.month.is_some() && found.day.is_some()).then_some(found)
}

/// The first time in tokens that name no day.
pub(crate) fn clock(tokens: &[Token]) -> Option<Clock> {
    let at = |i: usize| clock_at(&tokens[i..]).or_else(|| dotted_clock_at(&tokens[i..]));
    (0..tokens.len()).find_map(at).map(|(clock, _)| clock)
}

// Each reader gives how many tokens it took; 0 if it found nothing of its kind.
impl Found {
    fn read_clock(&mut self, tokens: &[Token]) -> usize {
        if self.clock.is_some() {
            return 0;
        }
        let has_day = self.month.is_some() && self.day.is_some();
        let dotted = || dotted_clock_at(tokens).filter(|_| has_day);
        let packed = || packed_clock_at(tokens).filter(|_| has_day);
        let Some((clock, taken)) = clock_at(tokens).or_else(dotted).or_else(packed) else {
            return 0;
        };
        self.clock = Some(clock);
        self.zone_may_follow = true;
        taken
    }

    fn read_zone(&mut self, tokens: &[Token]) -> usize {
        if self.clock.is_none() {
            return 0;
        }
        if let Some((zone, taken)) = zones::named(tokens) {
            self.zone = Some(zone);
            self.zone_may_follow = zone == Zone::Offset(0);
            return taken;
        }
        let [Token::Sign(sign), Token::Number(number, digits), after @ ..] = tokens else {
            return 0;
        };
        // `14:16 -03.07.2023`, `14:16 -3 липня`, `14:16 03-Jul-2023` and `10:00-12:00 03.07.2023`
        // have no zone.
        let is_of_date = match after {
            [Token::Sign('.' | '/' | '-'), Token::Number(..), ..] => true,
            [Token::Word(word), ..] | [Token::Space, Token::Word(word), ..] => {
                month(word).is_some()
            }
            [Token::Sign(':'), ..] => *sign == '-' && self.day.is_none(),
            _ => *sign == '-' && *digits == 4 && *number > 1400,
        };
        let stands_behind = self.zone_may_follow || (self.year.is_some() && *digits > 2);
        if is_of_date || !stands_behind {
            return 0;
        }
        let Some((zone, taken)) = zones::offset(tokens) else { return 0 };
        self.zone = zone.or(self.zone);
        self.zone_may_follow = false;
        taken
    }

    /// A day in numbers only.
    fn read_numbers(&mut self, tokens: &[Token]) -> usize {
        use Token::{Number, Sign};
        if self.month.is_some() {
            return 0;
        }
        match tokens {
            [
                Number(first, width @ (1 | 2 | 4)),
                Sign(mark @ ('.' | '-' | '/')),
                Number(second, 1 | 2),
                Sign(other),
                Number(third, year_width),
                ..,
            ] if mark == other => {
                self.set_day((*first, *width), *second, (*third, *year_width));
                5
            }
            [Number(number, 8), ..] => {
                self.set_day((number / 10_000, 4), number / 100 % 100, (number % 100, 2));
                1
            }
            // `07.12, 12:24`
            [Number(day, 1 | 2), Sign('.'), Number(month @ 1..=12, 2), ..]
                if self.day.is_none() =>
            {
                self.day = narrow(*day);
                self.month = narrow(*month);
                3
            }
            _ => 0,
        }
    }

    /// `2023-07-03`, `03.07.2023`, and `07/13/2023`, which can only be meant with the month first.
    fn set_day(&mut self, first: (i64, usize), second: i64, third: (i64, usize)) {
        let (year, month, day) = if first.1 == 4 {
            (full_year(first.0, 4), second, third.0)
        } else if second > 12 && first.0 <= 12 {
            (full_year(third.0, third.1), first.0, second)
        } else {
            (full_year(third.0, third.1), second, first.0)
        };
        self.year = year;
        self.month = narrow(month);
        self.day = narrow(day);
    }

    /// A year, a month or a day that stands alone.
    fn read_part(&mut self, tokens: &[Token]) -> usize {
        use Token::{Number, Sign, Space, Word};
        match tokens {
            [Number(day, 1 | 2), Word(word), ..]
            | [Number(day, 1 | 2), Space | Sign(_), Word(word), ..]
                if self.month.is_none() && month_after_number(word).is_some() =>
            {
                self.day = narrow(*day);
                self.month = month_after_number(word);
                if tokens.get(1) == Some(&Word(word.clone())) { 2 } else { 3 }
            }
            [Number(year, 4), ..] if self.year.is_none() => {
                self.year = full_year(*year, 4);
                1
            }
            [Number(day, 1 | 2), ..] if self.day.is_none() => {
                self.day = narrow(*day);
                1
            }
            [Number(year, width @ (2 | 3)), ..] if self.year.is_none() => {
                self.year = full_year(*year, *width);
                1
            }
            [Word(word), ..] if self.month.is_none() => {
                self.month = month(word);
                usize::from(self.month.is_some())
            }
            _ => 0,
        }
    }
}

/// `14:16`, `14:16:00.123`, `2:16 PM` and «о 9» at the start of tokens, and how many it takes.
fn clock_at(tokens: &[Token]) -> Option<(Clock, usize)> {
    use Token::{Number, Sign, Space, Word};
    if let [Word(word), Space, rest @ ..] = tokens
        && matches!(word.as_str(), "о" | "об" | "at")
    {
        let hour = || match rest {
            [Number(hour, 1 | 2), ..] => Some((valid(*hour, 0, 0)?, 1)),
            _ => None,
        };
        let found = clock_at(rest).or_else(|| dotted_clock_at(rest)).or_else(hour);
        return found.map(|(clock, taken)| (clock, taken + 2));
    }
    let [Number(hour, 1 | 2), Sign(':'), Number(minute, 2), rest @ ..] = tokens else {
        return None;
    };
    let mut taken = 3;
    let mut second = 0;
    if let [Sign(':'), Number(number, 1 | 2), rest @ ..] = rest {
        second = *number;
        taken += 2;
        // `14:16:00,03.07.2023` has no fraction.
        if let [Sign('.' | ','), Number(..), after @ ..] = rest
            && !matches!(
                after,
                [Sign('.' | '/' | '-'), Number(_, 1 | 2), Sign('.' | '/' | '-'), ..]
            )
        {
            taken += 2;
        }
    }
    let hour = match half_of_day(&tokens[taken..]) {
        Some(Half::Second) if *hour < 12 => hour + 12,
        Some(Half::First) if *hour == 12 => 0,
        _ => *hour,
    };
    Some((valid(hour, *minute, second)?, taken))
}

enum Half {
    First,
    Second,
}

/// `PM`, `p.m.` and «пп».
fn half_of_day(tokens: &[Token]) -> Option<Half> {
    let tokens = tokens.strip_prefix(&[Token::Space]).unwrap_or(tokens);
    let Some(Token::Word(word)) = tokens.first() else { return None };
    let is_dotted = matches!(tokens.get(2), Some(Token::Word(word)) if word == "m");
    match word.as_str() {
        "am" | "дп" => Some(Half::First),
        "pm" | "пп" => Some(Half::Second),
        "a" if is_dotted => Some(Half::First),
        "p" if is_dotted => Some(Half::Second),
        _ => None,
    }
}

/// `14.16`, which is a time only where it can be no day.
fn dotted_clock_at(tokens: &[Token]) -> Option<(Clock, usize)> {
    use Token::{Number, Sign};
    match tokens {
        [Number(..), Sign('.'), Number(..), Sign('.'), Number(..), ..] => None,
        [Number(hour, 1 | 2), Sign('.'), Number(minute, 2), ..] => {
            Some((valid(*hour, *minute, 0)?, 3))
        }
        _ => None,
    }
}

/// `T141600` (ISO 8601, the basic format).
fn packed_clock_at(tokens: &[Token]) -> Option<(Clock, usize)> {
    let [Token::Word(word), Token::Number(number, digits @ (4 | 6)), ..] = tokens else {
        return None;
    };
    if word != "t" {
        return None;
    }
    let number = if *digits == 4 { number * 100 } else { *number };
    Some((valid(number / 10_000, number / 100 % 100, number % 100)?, 2))
}

fn valid(hour: i64, minute: i64, second: i64) -> Option<Clock> {
    // A leap second is the last second of its minute (RFC 3339, 5.6).
    let second = if second == 60 { 59 } else { second };
    let is_clock = matches!((hour, minute, second), (0..24, 0..60, 0..60) | (24, 0, 0));
    let clock = (narrow(hour)?, narrow(minute)?, narrow(second)?);
    is_clock.then_some(clock)
}

/// A year with its century (RFC 5322, 4.3, but for a narrower window).
fn full_year(number: i64, digits: usize) -> Option<i32> {
    let year = match digits {
        1 | 2 if number < 70 => 2000 + number,
        1..=3 => 1900 + number,
        _ => number,
    };
    i32::try_from(year).ok().filter(|year| *year <= YEAR_MAX)
}

fn narrow(number: i64) -> Option<u32> {
    u32::try_from(number).ok()
}
