//! The pages of a daemon: what they tell of its polls, and that who read them is not forgotten.

use crate::support::Answer;
use crate::support::Folder;
use crate::support::Publisher;

const RSS: &str = "<rss version='2.0'><channel><title>c</title><link>https://city.example/</link>\
                   <item><guid>1</guid><title>Новина</title></item></channel></rss>";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[test]
fn who_read_an_article_is_counted_over_a_restart_and_sources_tell_how_they_do() {
    let publisher = Publisher::start([
        ("/good", Answer::document("text/xml", RSS)),
        ("/bad", Answer::document("text/xml", RSS).with_status("500 Internal Server Error")),
    ]);
    let folder = Folder::with(&format!(
        "[[feed]]\nid = \"good\"\ntitle = \"Добре\"\nurl = \"{}\"\nallow_private = true\n\
         [[feed]]\nid = \"bad\"\ntitle = \"Зле\"\nurl = \"{}\"\nallow_private = true\n",
        publisher.url("/good"),
        publisher.url("/bad"),
    ));
    let daemon = folder.run();
    let all = daemon.get_when("/uk/all", |page| page.contains("Новина"));
    let (_, after) = all.split_once("href=\"/uk/articles/").unwrap();
    let article = format!("/uk/articles/{}", after.split('"').next().unwrap());
    let told = |page: &str| page.contains("Відповідає") && page.contains("1 невдала спроба");
    let sources = daemon.get_when("/uk/sources", told);
    assert!(sources.contains(&article), "the newest article of a source is named");
    for _ in 0..3 {
        assert_eq!(daemon.get_as(&article, FIREFOX).0, 200);
    }
    daemon.signal("-TERM");
    daemon.end();
    let daemon = folder.run();
    assert!(daemon.get(&article).1.contains("Переглядів: 3<"));
    daemon.signal("-TERM");
    daemon.end();
}
