//! Dates as they are written: nothing panics, and no instant is beyond belief.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::Duration;
use std::time::UNIX_EPOCH;
use visnyk::config::Config;
use visnyk::config::parse;
use visnyk::model::feed::Feed;
use visnyk::normalize::dates::date;
use visnyk::normalize::dates::is_lasting;

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let feeds = ["Europe/Kyiv", "America/Denver", "Pacific/Apia"].map(|zone| {
        format!(
            "[[feed]]\nid = \"{}\"\ntitle = \"t\"\nurl = \"https://{}/\"\ntimezone = \"{zone}\"\n",
            zone.replace('/', "-").to_lowercase(),
            zone.replace('/', ".").to_lowercase(),
        )
    });
    parse("feeds.toml", &feeds.concat(), std::path::Path::new(".")).unwrap()
});

fuzz_target!(|text: &str| {
    for Feed { timezone, .. } in CONFIG.feeds.values() {
        // A day on which the clocks go back in Kyiv, and one of the winter.
        for now in [1_792_886_400_u64, 1_795_608_000] {
            let at = UNIX_EPOCH + Duration::from_secs(now);
            if let Some(found) = date(text, *timezone, at.into()) {
                // From 1990 to a day from now.
                let sane = 631_152_000..=now + 86_400;
                let is_sane = u64::try_from(found.timestamp()).is_ok_and(|at| sane.contains(&at));
                assert!(is_sane, "{text:?}: {found}");
            }
        }
    }
    let _ = is_lasting(text);
});
