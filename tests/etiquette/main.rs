//! Weeks of polling in a moment: what each publisher asked of its clients, and the requests that
//! it was sent. The score must be full marks.
//!
//! The rules are those of RFC 9110, 9111, 6585 and 3229, of RSS 2.0 and its modules, and what
//! the public tests of feed readers look for: conditional requests with the very bytes that were
//! given, no request before its time, no poll that nobody scheduled, no cookies.

mod rules;
mod world;

use rules::RULES;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_publisher_is_asked_as_it_wishes() {
    let records = world::live(RULES).await;
    let mut wrong = Vec::new();
    let table = |mark: &str, requests: &str, rule: &str, source: &str| {
        println!("{mark:>5}  {requests:>8}  {rule:<66}  {source}");
    };
    table("score", "requests", "rule", "source");
    for (rule, record) in RULES.iter().zip(&records) {
        let general = record.asked.iter().try_for_each(rules::check_any);
        let verdict = general.and_then(|()| (rule.check)(record));
        let mark = if verdict.is_ok() { "1/1" } else { "0/1" };
        table(mark, &record.asked.len().to_string(), rule.name, rule.source);
        wrong.extend(verdict.err().map(|error| format!("{}: {error}", rule.name)));
    }
    println!("score: {} of {}", RULES.len() - wrong.len(), RULES.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
