use super::*;
use chrono::TimeZone;
use chrono_tz::Europe::Kyiv;
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn check(text: &str, expected: &str) {
    let expected: DateTime<Utc> = expected.parse().unwrap();
    assert_eq!(date(text, Kyiv, now()), Some(expected), "{text:?}");
}

/// 3 July 2023, 14:16 in Kyiv.
const SEED: &str = "2023-07-03T11:16:00Z";
/// Its midnight.
const SEED_DAY: &str = "2023-07-02T21:00:00Z";

#[test]
fn every_shape_of_one_instant_is_read() {
    for text in [
        "Mon, 03 Jul 2023 14:16:00 +0300",
        "Fri, 03 Jul 2023 14:16:00 +0300",
        "Mon, 03 Jul 2023 14:16:00 +03",
        "Mon, 03 Jul 2023 14:16:00 +3",
        "Mon, 03 Jul 2023 14:16:00 EEST",
        "Mon, 03 Jul 2023 14:16:00 +0300 (EEST)",
        "Mon, 03 Jul 2023 13:16:00 EET",
        "Mon, 3 Jul 23 11:16 GMT",
        "3 Jul 123 11:16 GMT",
        "Mon, 03 Jul 2023 14:16:00 GMT+3",
        "Mon, 03 Jul 2023 14:16:00 GMT +03:00",
        "Mon, 03 Jul 2023 14:16:00 UTC+3",
        "Mon Jul 03 2023 14:16:00 GMT+0300 (за східноєвропейським літнім часом)",
        "03 Jul 2023 14:16:00 MSK",
        "03 Jul 2023 07:16:00 EDT",
        "03 Jul 2023 14:16:00 Kiev",
        "03 Jul 2023 14:16:00 Europe/Kiev",
        "2023-07-03 14:16 Europe/Kyiv",
        "2023-07-03 05:16 America/Denver",
        "2023-07-03 06:16 America/Indiana/Tell_City",
        "2023-07-03T14:16:00+03:00",
        "2023-07-03t11:16:00z",
        "2023-07-03T11:16:00.123Z",
        "2023-07-03T14:16:00,123456+03",
        "2023-07-03 14:16:00,5 +0300",
        "2023-07-03T14:16",
        "2023-07-03 14:16:00",
        "2023-07-03T04:16:00-07:00",
        "2023-07-03 04:16:00 -0700",
        "2023/07/03 14:16",
        "2023.07.03, 14:16",
        "20230703T141600",
        "20230703T1116Z",
        "20230703141600",
        "03.07.2023 - 14:16",
        "03.07.2023 – 14:16",
        "03.07.2023 | 14:16",
        "03.07.2023 14:16",
        "03.07.2023, 14.16",
        "3.7.2023 14:16",
        "03.07.23 14:16",
        "03.07.2023 р. о 14:16 год.",
        "03.07.2023 - 14:16 | Переглядів: 4087",
        "Опубліковано: 03.07.2023 14:16, оновлено: 04.07.2023 15:00",
        "14:16 - 03.07.2023",
        "14:16 -03.07.2023",
        "14:16-03.07.2023",
        "14:16 -3 липня 2023",
        "14:16, 3 липня 2023 року",
        "14:16 03-Jul-2023",
        "14:16:00,03.07.2023",
        "14:16 03/07/2023",
        "03-07-2023 14:16",
        "03/07/2023 2:16 PM",
        "03/07/2023 2:16 p.m.",
        "03/07/2023 2:16 пп",
        "3 липня 2023 14:16",
        "3 липня 2023 о 14:16",
        "3 липня 2023 року, 14:16",
        "3 липня 2023 р., 14:16",
        "3 липня 2023р. 14:16",
        "понеділок, 3 Липня 2023 р. о 14:16",
        "ПОНЕДІЛОК, 3 ЛИПНЯ 2023 РОКУ, 14:16",
        "3-го липня 2023 о 14.16",
        "3\u{a0}липня\u{a0}2023,\u{202f}14:16",
        "  3  липня   2023 ,  14:16 ",
        "3&nbsp;липня&nbsp;2023, 14:16",
        "3&#160;липня 2023 &ndash; 14:16",
        "<span class=\"date\">3 липня 2023</span> <b>14:16</b>",
        "3 лип\u{ad}ня 2023, 14:16",
        "3 июля 2023, 14:16",
        "3 июля 2023 г. в 14:16",
        "ПОНЕДЕЛЬНИК, 3 ИЮЛЯ 2023 ГОДА, 14:16",
        "Jul 3, 2023 14:16",
        "July 3rd, 2023 at 2:16 pm",
        "03-Jul-2023 14:16",
        "Mon Jul  3 14:16:00 2023",
        "Mon Jul  3 14:16:00 2023 +0300",
        "Mon Jul  3 11:16:00 UTC 2023",
        "1688382960",
        "1688382960000",
    ] {
        check(text, SEED);
    }
}

#[test]
fn a_date_without_a_time_is_the_midnight_of_its_day() {
    for text in [
        "2023-07-03",
        "20230703",
        "03.07.2023",
        "03.07.23",
        "03/07/2023",
        "3 липня 2023",
        "3 липня 2023 року",
        "3 липня 2023 р.",
        "3 Лип 2023",
        "липня 3, 2023",
        "Понеділок, 3 липня 2023",
        "3 July 2023",
    ] {
        check(text, SEED_DAY);
    }
    for (text, expected) in [
        ("13 грудня 2025", "2025-12-12T22:00:00Z"),
        ("23 January 2026", "2026-01-22T22:00:00Z"),
        ("07/13/2023", "2023-07-12T21:00:00Z"),
        ("2023-07-03T24:00:00", "2023-07-03T21:00:00Z"),
    ] {
        check(text, expected);
    }
}

#[test]
fn a_date_without_a_zone_is_read_by_the_clock_of_its_feed() {
    for (text, expected) in [
        ("12 грудня 2025 р., 10:05", "2025-12-12T08:05:00Z"),
        ("15 червня 2016 року, 10:05", "2016-06-15T07:05:00Z"),
        ("2025-12-13 12:00", "2025-12-13T10:00:00Z"),
        // Put forward over it, and the last and the first minute beside.
        ("2026-03-29 02:59", "2026-03-29T00:59:00Z"),
        ("2026-03-29 03:30", "2026-03-29T01:30:00Z"),
        ("2026-03-29 04:00", "2026-03-29T01:00:00Z"),
        // Twice: the earlier is meant, unless the zone says which.
        ("2026-10-25 03:30", "2026-10-25T00:30:00Z"),
        ("2026-10-25 03:30 EEST", "2026-10-25T00:30:00Z"),
        ("2026-10-25 03:30 EET", "2026-10-25T01:30:00Z"),
        ("2026-10-25 04:00", "2026-10-25T02:00:00Z"),
        // A range of hours is no zone.
        ("10:00-12:00, 03.07.2023", "2023-07-03T07:00:00Z"),
        // No zone is so far east.
        ("03.07.2023 14:16 +9900", SEED),
    ] {
        check(text, expected);
    }
}

#[test]
fn the_year_that_is_not_written_is_the_latest_that_is_over() {
    for (text, expected) in [
        ("7 Липня, 12:24", "2026-07-07T09:24:00Z"),
        ("7 Грудня, 12:24", "2025-12-07T10:24:00Z"),
        ("07.12, 12:24", "2025-12-07T10:24:00Z"),
        ("24 листопада, 13:59", "2026-11-24T11:59:00Z"),
        // The site's clock is ahead of ours.
        ("24 листопада, 14:05", "2026-11-24T12:05:00Z"),
        ("26 листопада", "2025-11-25T22:00:00Z"),
        ("29 лютого", "2024-02-28T22:00:00Z"),
        ("12 січня о 9", "2026-01-12T07:00:00Z"),
    ] {
        check(text, expected);
    }
    let new_year: DateTime<Utc> = "2026-12-31T22:30:00Z".parse().unwrap();
    let read = date("1 січня, 00:10", Kyiv, new_year);
    assert_eq!(read, Some("2026-12-31T22:10:00Z".parse().unwrap()));
    let read = date("31 грудня, 23:50", Kyiv, new_year);
    assert_eq!(read, Some("2026-12-31T21:50:00Z".parse().unwrap()));
}

#[test]
fn a_relative_date_counts_from_the_poll_in_the_zone_of_the_feed() {
    for (text, expected) in [
        ("сьогодні, 13:16", "2026-11-24T11:16:00Z"),
        ("Сьогодні о 9:05", "2026-11-24T07:05:00Z"),
        ("СЬОГОДНІ О 9.05", "2026-11-24T07:05:00Z"),
        ("13:16, сьогодні", "2026-11-24T11:16:00Z"),
        ("сьогодні", "2026-11-23T22:00:00Z"),
        ("сегодня, 13:16", "2026-11-24T11:16:00Z"),
        ("сегодня в 13:16", "2026-11-24T11:16:00Z"),
        ("today, 1:16 PM", "2026-11-24T11:16:00Z"),
        ("вчора 18:40", "2026-11-23T16:40:00Z"),
        ("учора о 18:40", "2026-11-23T16:40:00Z"),
        ("вчера, 18:40", "2026-11-23T16:40:00Z"),
        ("yesterday 18:40", "2026-11-23T16:40:00Z"),
        ("вчора 14.10", "2026-11-23T12:10:00Z"),
        ("позавчора", "2026-11-21T22:00:00Z"),
        ("позавчера, 10:00", "2026-11-22T08:00:00Z"),
        ("2 години тому", "2026-11-24T10:00:00Z"),
        ("2&nbsp;години тому", "2026-11-24T10:00:00Z"),
        ("2 год. тому", "2026-11-24T10:00:00Z"),
        ("2 години назад", "2026-11-24T10:00:00Z"),
        ("2 часа назад", "2026-11-24T10:00:00Z"),
        ("2 ч. назад", "2026-11-24T10:00:00Z"),
        ("2 hours ago", "2026-11-24T10:00:00Z"),
        ("годину тому", "2026-11-24T11:00:00Z"),
        ("год тому", "2026-11-24T11:00:00Z"),
        ("год назад", "2025-11-24T12:00:00Z"),
        ("2 года назад", "2024-11-24T12:00:00Z"),
        ("пів години тому", "2026-11-24T11:00:00Z"),
        ("півгодини тому", "2026-11-24T11:30:00Z"),
        ("полчаса назад", "2026-11-24T11:30:00Z"),
        ("1 год. 20 хв. тому", "2026-11-24T10:40:00Z"),
        ("5 хв. тому", "2026-11-24T11:55:00Z"),
        ("5 хвилин тому", "2026-11-24T11:55:00Z"),
        ("5 минут назад", "2026-11-24T11:55:00Z"),
        ("30 секунд тому", "2026-11-24T11:59:30Z"),
        ("день тому", "2026-11-23T12:00:00Z"),
        ("3 дні тому", "2026-11-21T12:00:00Z"),
        ("3 дня назад", "2026-11-21T12:00:00Z"),
        ("5 днів тому", "2026-11-19T12:00:00Z"),
        ("тиждень тому", "2026-11-17T12:00:00Z"),
        ("2 недели назад", "2026-11-10T12:00:00Z"),
        ("місяць тому", "2026-10-24T12:00:00Z"),
        ("рік тому", "2025-11-24T12:00:00Z"),
        ("щойно", "2026-11-24T12:00:00Z"),
        ("Щойно", "2026-11-24T12:00:00Z"),
        ("только что", "2026-11-24T12:00:00Z"),
        // The day itself is more than the word beside it.
        ("вчора, 3 липня 2023, 14:16", SEED),
    ] {
        check(text, expected);
    }
    // Half past midnight in Kyiv, still yesterday in Greenwich.
    let night: DateTime<Utc> = "2026-11-23T22:30:00Z".parse().unwrap();
    let read = date("сьогодні, 00:10", Kyiv, night);
    assert_eq!(read, Some("2026-11-23T22:10:00Z".parse().unwrap()));
}

/// Every month: in Ukrainian and in Russian in the nominative, genitive, locative and
/// instrumental, and cut.
const MONTHS: [&str; 12] = [
    "січень січня січні січнем січ січн сiчня январь января январе январём янв january jan",
    "лютий лютого лютому лютим лют лютим февраль февраля феврале февралем фев февр february feb",
    "березень березня березні березнем бер берез март марта марте мартом мар march mar",
    "квітень квітня квітні квітнем кві квіт апрель апреля апреле апрелем апр april apr",
    "травень травня травні травнем тра трав май мая мае маем may",
    "червень червня червні червнем чер черв июнь июня июне июнем июн june jun",
    "липень липня липні липнем лип июль июля июле июлем июл july jul",
    "серпень серпня серпні серпнем сер серп август августа августе августом авг august aug",
    "вересень вересня вересні вереснем вер верес сентябрь сентября сентябре сен сент september sep sept",
    "жовтень жовтня жовтні жовтнем жов жовт октябрь октября октябре октябрем окт october oct",
    "листопад листопада листопаді листопадом лис лист листоп ноябрь ноября ноябре ноябрем ноя нояб november nov",
    "грудень грудня грудні груднем гру груд декабрь декабря декабре декабрем дек december dec",
];

/// Every day of the week from Monday, in the nominative, genitive, accusative and locative, and cut.
const WEEKDAYS: [&str; 7] = [
    "понеділок понеділка понеділку пон пн понедельник понедельника пнд mon monday",
    "вівторок вівторка вівторку вів вт вторник вторника вто tue tuesday",
    "середа середи середу середі сер ср среда среды среду wed wednesday",
    "четвер четверга четвергу чет чт четверг четверга thu thursday",
    "п'ятниця п’ятниці п‘ятницю пʼятниця п`ятниця п´ятниця п&#039;ятниця пят пт пятница пятницу fri friday",
    "субота суботи суботу суботі суб сб суббота субботу sat saturday",
    "неділя неділі неділю нед нд воскресенье воскресенья вс sun sunday",
];

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn every_month_is_known_in_every_case_and_cut_and_in_any_letters() {
    for (month, names) in (1..).zip(MONTHS) {
        let expected = format!("2023-{month:02}-13T12:00:00Z");
        for name in names.split(' ') {
            for name in [name.to_owned(), capitalised(name), name.to_uppercase()] {
                check(&format!("13 {name} 2023, 12:00 GMT"), &expected);
                check(&format!("13 {name}. 2023 р., 12:00 GMT"), &expected);
                check(&format!("13-{name}-2023 12:00 GMT"), &expected);
            }
        }
    }
}

#[test]
fn no_weekday_is_taken_for_a_month_or_has_to_be_right() {
    for names in WEEKDAYS {
        for name in names.split(' ') {
            for name in [name.to_owned(), capitalised(name), name.to_uppercase()] {
                check(&format!("{name}, 3 липня 2023, 14:16"), SEED);
                check(&format!("{name}., 03.07.2023 - 14:16"), SEED);
                check(&format!("14:16 3 июля 2023 ({name})"), SEED);
                assert_eq!(date(&name, Kyiv, now()), None, "{name}");
            }
        }
    }
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        " ",
        "незабаром",
        "31.02.2023",
        "9999-01-01",
        "1970-01-01",
        "14:16",
        "2023",
        "0",
        "-1",
        "липень 2023",
        "03.07.89",
        "25:16",
        "за 2 години",
        "тому",
        "99999999999",
        "2026-11-26",
        "4000000000",
        "вересень",
        "999999999999999999999999 днів тому",
        "Верховна Рада 5",
    ] {
        assert_eq!(date(text, Kyiv, now()), None, "{text:?}");
    }
}

#[test]
fn only_a_whole_date_says_the_same_at_every_poll() {
    for text in ["03.07.2023", "3 липня 2023", "2023-07-03T11:16:00Z", "1688382960", "3 Jul 23"]
    {
        assert!(is_lasting(text), "{text}");
    }
    for text in ["", "2 години тому", "вчора, 14:16:05", "7 липня, 12:24", "щойно", "незабаром"]
    {
        assert!(!is_lasting(text), "{text}");
    }
}

/// How an instant in Kyiv is written: everything to the minute.
const SHAPES: [&str; 20] = [
    "%a, %d %b %Y %H:%M:00 %z",
    "%a, %d %b %y %H:%M %z",
    "%Y-%m-%dT%H:%M:00%:z",
    "%Y-%m-%d %H:%M:00,000 %z",
    "%Y%m%dT%H%M00%z",
    "%d.%m.%Y - %H:%M %z",
    "%d.%m.%y %H:%M GMT%z",
    "%H:%M%:z %d.%m.%Y",
    "%d/%m/%Y %I:%M %p %Z",
    "%d-%b-%Y %H:%M %Z",
    "%a %b %e %H:%M:00 %Y %z",
    "%a %b %e %H:%M:00 %Z %Y",
    "%e МІСЯЦЯ %Y року, %H:%M %Z",
    "%H:%M %Z, %e МІСЯЦЯ %Y р.",
    "%d&nbsp;МІСЯЦЯ %Y о %H:%M %z",
    "%B %e, %Y at %I:%M %p %Z",
    "%s",
    "%s000",
    "%d.%m.%Y %H:%M Europe/Kyiv",
    "%Y-%m-%d %H:%M",
];

const GENITIVES: [&str; 12] = [
    "січня",
    "лютого",
    "березня",
    "квітня",
    "травня",
    "червня",
    "липня",
    "серпня",
    "вересня",
    "жовтня",
    "листопада",
    "грудня",
];

proptest! {
    #[test]
    fn what_is_written_in_any_shape_is_read_back(
        minutes in 10_519_200_i64..29_926_800, shape in 0..SHAPES.len(), upper in any::<[bool; 1]>(),
    ) {
        let at = DateTime::from_timestamp(minutes * 60, 0).unwrap();
        let there = at.with_timezone(&Kyiv);
        let month = GENITIVES[there.month0() as usize];
        let text = there.format(SHAPES[shape]).to_string().replace("МІСЯЦЯ", month);
        let text = if upper[0] && !text.contains('&') { text.to_uppercase() } else { text };
        let read = date(&text, Kyiv, now());
        // An hour that comes twice is told apart by its zone only.
        let is_twice = Kyiv.from_local_datetime(&there.naive_local()).latest() != Some(there)
            || Kyiv.from_local_datetime(&there.naive_local()).earliest() != Some(there);
        if !is_twice || SHAPES[shape].to_lowercase().contains("%z") || SHAPES[shape].contains("%:z") {
            prop_assert_eq!(read, Some(at), "{}", text);
        }
    }
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = date(&text, Kyiv, now());
    }
    #[test]
    fn nothing_that_looks_like_a_date_panics_or_is_beyond_belief(
        text in "[0-9 :.,/+-]{0,30}( ?(jul|липня|тому|місяців|років|години|вчора|о|t|z|gmt|pm))?[0-9 :+.-]{0,20}"
    ) {
        if let Some(at) = date(&text, Kyiv, now()) {
            prop_assert!(at.year() >= 1990 && at <= now() + Duration::days(1), "{} {}", text, at);
        }
    }
}
