//! Pages and what is found on them, where feeds usually lie, and which of several is meant.

use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;
use url::Url;
use visnyk::classify::Classifier;
use visnyk::config::parse;
use visnyk::crontab::Crontab;
use visnyk::discover::Candidate;
use visnyk::discover::How;
use visnyk::discover::choice::Against;
use visnyk::discover::choice::ranked;
use visnyk::discover::offer::Offer;
use visnyk::discover::page::page;
use visnyk::discover::places::sitemap;
use visnyk::discover::places::sitemaps;
use visnyk::discover::places::usual;
use visnyk::discover::proposal::Proposal;
use visnyk::discover::proposal::Surroundings;
use visnyk::discover::proposal::free;
use visnyk::discover::proposal::of_host;
use visnyk::discover::proposal::propose;
use visnyk::discover::proposal::slug;
use visnyk::model::exchange::Document;
use visnyk::model::feed::Address;
use visnyk::model::feed::Feed;

fn document(address: &str, bytes: impl Into<Vec<u8>>) -> Document {
    Document { url: address.parse().unwrap(), content_type: None, bytes: bytes.into() }
}

fn now() -> DateTime<Utc> {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

#[test]
fn every_page_of_the_folder_says_what_stands_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/discover");
    let mut pages = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "html") {
            continue;
        }
        let found = page(&document("https://site.example/", fs::read(&path).unwrap()));
        let mut told = vec![format!("title {}", found.title)];
        for candidate in found.candidates {
            let how = if candidate.how == How::Declared { "declared" } else { "linked" };
            told.push(format!("{how} {}", candidate.url));
        }
        let told = told.join("\n") + "\n";
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        assert_eq!(told, expected, "{}", path.display());
        pages += 1;
    }
    assert!(pages >= 5, "only {pages} pages lie in {}", folder.display());
}

#[test]
fn a_hostile_page_costs_little_and_gives_few_addresses() {
    let links: String =
        (0..200_000).map(|n| ["<a href='/", &n.to_string(), ".rss'>RSS</a>"].concat()).collect();
    let long = format!("<a href='/{}.rss'>RSS</a>", "x".repeat(1_000_000));
    for (name, text) in [
        ("links", links),
        ("long", long),
        ("open scripts", "<script>".repeat(1_000_000)),
        ("closed scripts", "<script></script>".repeat(600_000)),
        ("depth", "<div>".repeat(2_000_000)),
        ("open tags", "<a <a <a ".repeat(1_000_000)),
        ("quotes", "<a href=\"".repeat(1_000_000)),
        ("comments", "<!-- ".repeat(2_000_000)),
        ("angles", "<".repeat(10_000_000)),
        ("ends", "</".repeat(5_000_000)),
        ("titles", "<title>".repeat(1_000_000)),
        ("alt", format!("<a href=/x>{}", "<img alt=rss>".repeat(700_000))),
    ] {
        let began = Instant::now();
        let found = page(&document("https://site.example/", text));
        assert!(found.candidates.len() <= 24 && found.title.len() <= 4_096, "{name}");
        assert!(began.elapsed() < Duration::from_secs(20), "{name}: {:?}", began.elapsed());
    }
}

#[test]
fn feeds_usually_lie_at_the_root_and_below_the_page() {
    let of = |address: &str| -> Vec<String> {
        let places = usual(&address.parse().unwrap());
        places.into_iter().map(|place| place.url.to_string()).collect()
    };
    let root = of("https://site.example/");
    assert_eq!(
        root[..3],
        ["https://site.example/feed", "https://site.example/rss", "https://site.example/rss.xml"]
    );
    assert!(root.contains(&"https://site.example/?format=feed&type=rss".to_owned()), "{root:?}");
    let deep = of("https://site.example/news?page=2");
    assert_eq!(deep[..2], ["https://site.example/news/feed", "https://site.example/news/rss"]);
    assert_eq!(deep[3..], root);
}

#[test]
fn a_sitemap_leads_to_feeds_and_to_the_news() {
    let site: Url = "https://site.example/".parse().unwrap();
    let robots = document(
        "https://site.example/robots.txt",
        "Allow: /\nSITEMAP: /map.xml # main\nSitemap: ftp://x/\n",
    );
    assert_eq!(sitemaps(Some(&robots), &site)[0].as_str(), "https://site.example/map.xml");
    assert_eq!(sitemaps(None, &site), ["https://site.example/sitemap.xml".parse().unwrap()]);
    let map = "<?xml version='1.0'?><urlset>
        <url><loc>https://site.example/news/1</loc></url>
        <url><loc>https://site.example/ua/novyny/</loc></url>
        <url><loc>https://site.example/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8</loc></url>
        <url><loc>https://site.example/all.rss</loc></url>
        <url><loc>https://elsewhere.example/news</loc></url></urlset>";
    let found = sitemap(&document("https://site.example/map.xml", map));
    let sections: Vec<&str> = found.sections.iter().map(Url::as_str).collect();
    assert_eq!(
        sections,
        [
            "https://site.example/ua/novyny/",
            "https://site.example/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8"
        ]
    );
    assert_eq!(found.candidates.len(), 1);
    let index = "<sitemapindex><sitemap><loc>/pages.xml</loc></sitemap><sitemap><loc>/news-sitemap.xml</loc></sitemap></sitemapindex>";
    let found = sitemap(&document("https://site.example/map.xml", index));
    assert_eq!(found.sitemaps[0].as_str(), "https://site.example/news-sitemap.xml");
}

/// A feed with these headlines, each so long after the next.
fn offer(address: &str, title: &str, headlines: &[&str], gap: TimeDelta) -> Offer {
    let items = headlines.iter().zip(0..).map(|(headline, n)| {
        let at = (now() - gap * n - TimeDelta::hours(1)).to_rfc2822();
        format!("<item><title>{headline}</title><link>{address}/{n}</link><pubDate>{at}</pubDate></item>")
    });
    let text = format!(
        "<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><title>{title}</title><a:link rel='hub' href='https://hub.example/'/>{}</channel></rss>",
        items.collect::<String>()
    );
    let candidate = Candidate { url: address.parse().unwrap(), how: How::Declared };
    let config =
        parse("feeds.toml", include_str!("../feeds.toml"), Path::new(env!("CARGO_MANIFEST_DIR")))
            .unwrap();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    Offer::of(candidate, &document(address, text), &like(address), &classifier, now()).unwrap()
}

fn like(address: &str) -> Feed {
    let config =
        parse("feeds.toml", include_str!("../feeds.toml"), Path::new(env!("CARGO_MANIFEST_DIR")))
            .unwrap();
    let schedule = Crontab::parse("@hourly").unwrap();
    Feed::new(
        "new".parse().unwrap(),
        Address::Http(address.parse().unwrap()),
        schedule,
        config.site.tagging,
    )
}

const NEWS: [&str; 3] = ["Перша новина", "Друга новина", "Третя новина"];

#[test]
fn the_whole_news_are_meant_and_neither_comments_nor_a_part() {
    let hour = TimeDelta::hours(1);
    let at = |path: &str, title: &str, headlines: &[&str], gap| {
        offer(&format!("https://site.example{path}"), title, headlines, gap)
    };
    let offers = vec![
        at("/comments/feed", "Громада", &NEWS, hour),
        at("/category/sport/feed", "Спорт", &NEWS, hour),
        at("/empty", "Громада", &[], hour),
        offer("https://elsewhere.example/feed", "Інші", &NEWS, hour),
        at("/old", "Громада", &NEWS[..1], TimeDelta::days(400)),
        at("/feed", "Громада", &NEWS, hour),
        at("/feed", "Громада", &NEWS[..2], hour),
    ];
    let ranked = ranked(offers, &"https://www.site.example/".parse().unwrap(), now());
    let told: Vec<_> =
        ranked.iter().map(|(offer, against)| (offer.candidate.url.path(), *against)).collect();
    assert_eq!(told[0], ("/old", None));
    assert_eq!(told[1], ("/feed", Some(Against::Later)));
    assert_eq!(told[2], ("/feed", Some(Against::Same(1))));
    assert_eq!(told[3], ("/category/sport/feed", Some(Against::Part)));
    assert_eq!(told[4], ("/feed", Some(Against::Elsewhere)));
    assert_eq!(told[5], ("/comments/feed", Some(Against::Comments)));
    assert_eq!(told[6], ("/empty", Some(Against::Empty)));
}

fn proposed(offer: &Offer, page: &str) -> Proposal {
    let config =
        parse("feeds.toml", include_str!("../feeds.toml"), Path::new(env!("CARGO_MANIFEST_DIR")))
            .unwrap();
    let classifier = Classifier::new(&config.catalogue, &config.tags, &config.rules);
    let around = Surroundings {
        ids: &BTreeSet::from(["sumska-miska-rada".to_owned()]),
        like: &like("https://site.example/"),
        language: "uk",
        catalogue: &config.catalogue,
        classifier: &classifier,
    };
    propose(offer, page, &around)
}

#[test]
fn title_id_place_and_schedule_are_proposed_where_they_are_clear() {
    let hour = TimeDelta::hours(1);
    let sumy = proposed(
        &offer("https://smr.example.ua/rss", "Новини | Сумська міська рада", &NEWS, hour),
        "",
    );
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        (sumy.feed.id.as_str(), sumy.feed.title.as_str()),
        ("sumska-miska-rada-2", "Сумська міська рада")
    );
    assert_eq!(
        (sumy.feed.region, sumy.feed.community, sumy.feed.kind, sumy.feed.schedule),
        (None, text("sumska"), None, None)
    );

    // The feed says nothing of itself, and its page does.
    let named = proposed(
        &offer("https://x.example.ua/rss", "RSS", &NEWS, TimeDelta::days(9)),
        "Головна - Львівська обласна рада",
    );
    assert_eq!(
        (named.feed.title.as_str(), named.feed.region),
        ("Львівська обласна рада", text("lvivska"))
    );
    assert_eq!(named.feed.schedule, text("every 12h"));

    let headlines = [
        "На Полтавщині відкрили школу",
        "Полтавщина отримала автобуси",
        "Полтавська область готується до зими",
        "У Полтавській області відновлюють мости",
        "Полтавщина: новини спорту",
    ];
    let told =
        proposed(&offer("https://novyny.example.ua/rss", "Усі новини", &headlines, hour), "");
    assert_eq!((told.feed.region, told.feed.id.as_str()), (text("poltavska"), "novyny-example-ua"));
    assert!(told.why[0].1.ends_with(" of 5 articles are of it"), "{:?}", told.why);

    let contradicted =
        proposed(&offer("https://x.example.ua/rss", "Сумська міська рада", &headlines, hour), "");
    assert_eq!((contradicted.feed.region, contradicted.feed.community), (None, None));
    assert!(
        contradicted.why[0].1.contains("articles are of `poltavska`"),
        "{:?}",
        contradicted.why
    );

    let english = [
        "The city council meets to discuss the budget",
        "A new library opens its doors this week",
        "The mayor thanks all volunteers for their work",
    ];
    let partner =
        proposed(&offer("https://www.town.example.pl/feed", "Town of Example", &english, hour), "");
    assert_eq!(
        (partner.feed.kind, partner.feed.language, partner.feed.timezone),
        (text("partner"), text("en"), text("Europe/Warsaw"))
    );
    assert_eq!(partner.feed.id, "town-of-example");
}

#[test]
fn an_offer_tells_format_hub_gap_and_labels() {
    let offer = offer(
        "https://site.example/feed",
        "<b>Громада</b> &amp; місто",
        &["Школу в Полтаві відкрито", "Друга", "Третя"],
        TimeDelta::hours(2),
    );
    assert_eq!((offer.format, offer.charset, offer.entries), ("RSS", "UTF-8", 3));
    assert_eq!(offer.hub.clone().unwrap().as_str(), "https://hub.example/");
    assert_eq!(offer.gap(), Some(TimeDelta::hours(2)));
    assert_eq!(offer.newest(), Some(now() - TimeDelta::hours(1)));
    let labels: Vec<String> = offer.labels().into_iter().map(|(label, _)| label).collect();
    assert!(
        labels.contains(&"region poltavska".to_owned())
            && labels.contains(&"tag osvita".to_owned()),
        "{labels:?}"
    );
}

#[test]
fn names_become_ids_that_are_free() {
    assert_eq!(slug("Мереф’янська громада (новини)"), "merefianska-hromada-novyny");
    assert_eq!(slug("«»"), "");
    for (address, id) in [
        ("https://www.city.kharkiv.ua/rss", "city-kharkiv"),
        ("https://kyivcity.gov.ua/news/rss/", "kyivcity"),
        ("https://cities4cities.eu/feed/", "cities4cities"),
        ("http://10.0.0.1/feed", "feed-10-0-0-1"),
    ] {
        assert_eq!(of_host(&address.parse().unwrap()), id);
    }
    let taken = BTreeSet::from(["a".to_owned(), "a-2".to_owned(), "feed".to_owned()]);
    assert_eq!(
        (free("a", &taken), free("b", &taken), free("", &taken)),
        ("a-3".to_owned(), "b".to_owned(), "feed-2".to_owned())
    );
}
