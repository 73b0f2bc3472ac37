//! Who reads: what aggregators say, summed by publication.

use crate::FEED;
use crate::site::Site;
use chrono::Utc;
use serde_json::json;
use visnyk::serve::Limits;

#[tokio::test]
async fn the_readers_that_aggregators_report_are_summed_by_publication() {
    let site = Site::start(Limits::default()).await;
    let tag = site.get(FEED, &[("User-Agent", "curl/8")]).await.header("etag").to_owned();
    for (path, agent, status) in [
        (FEED, "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 10 subscribers)", 304),
        (FEED, "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)", 304),
        (FEED, "Feedbin feed-id:9 - 3 subscribers", 304),
        ("/regions/kharkivska.json", "Feedbin feed-id:9 - 1 subscribers", 200),
        ("/all.atom", "Feedbin feed-id:8 - 5 subscribers", 200),
        ("/nothing.atom", "Feedbin feed-id:7 - 5 subscribers", 404),
        ("/", "Feedbin feed-id:6 - 5 subscribers", 200),
    ] {
        let answer = site.get(path, &[("User-Agent", agent), ("If-None-Match", &tag)]).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let told = site.documents.audience().told(Utc::now());
    let lines: Vec<_> = told.as_array().unwrap().iter().collect();
    let sums = lines
        .iter()
        .map(|line| json!([line["publication"], line["readers"], line["requests_24h"]]));
    let expected = [json!(["regions/kharkivska", 16, 5]), json!(["all", 5, 1])];
    assert_eq!(sums.collect::<Vec<_>>(), expected);
    let first = &lines[0]["aggregators"][0];
    assert_eq!((first["readers"].as_u64(), &first["form"]), (Some(12), &json!("atom")));
}
