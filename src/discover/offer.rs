//! What a feed would bring: a document taken through the whole pipeline, and told in short.

use crate::classify::Classifier;
use crate::discover::Candidate;
use crate::discover::web_address;
use crate::ingest::ingest;
use crate::model::article::Article;
use crate::model::entry::Format;
use crate::model::exchange::Document;
use crate::model::feed::Feed;
use crate::model::known::Change;
use crate::model::known::Memory;
use crate::parse::ParseError;
use crate::parse::lexer::Lexer;
use crate::parse::lexer::Token;
use crate::parse::parse;
use chrono::DateTime;
use chrono::TimeDelta;
use chrono::Utc;
use std::collections::BTreeMap;
use url::Url;

/// What a feed would bring.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Where it is, and how it was found.
    pub candidate: Candidate,
    /// Its format, in words.
    pub format: &'static str,
    /// The encoding in which it is read.
    pub charset: &'static str,
    /// What has to be mended in it.
    pub repairs: Vec<String>,
    /// How many entries it has.
    pub entries: u32,
    /// How many of them can become no article.
    pub rejected: u32,
    /// What it calls itself; empty if it does not.
    pub title: String,
    /// The language that it says it is in.
    pub language: Option<String>,
    /// The page whose news it is.
    pub site: Option<Url>,
    /// The hub that would tell of news at once (`WebSub`).
    pub hub: Option<Url>,
    /// Its articles, the newest first.
    pub articles: Vec<Article>,
}

impl Offer {
    /// Reads what was fetched at a candidate, as a feed about which nothing is known: `like`
    /// lends it a time zone and the address at which it was asked.
    ///
    /// # Errors
    /// It is no feed, or broken beyond repair.
    pub fn of(
        candidate: Candidate,
        document: &Document,
        like: &Feed,
        classifier: &Classifier,
        now: DateTime<Utc>,
    ) -> Result<Self, ParseError> {
        let parsed = parse(document)?;
        let ingested = ingest(like, document, &Memory::default(), classifier, now)?;
        let added = ingested.changes.into_iter().filter_map(|change| match change {
            Change::Added(article) => Some(article),
            _ => None,
        });
        let mut articles: Vec<Article> = added.collect();
        articles.sort_by_key(|article| std::cmp::Reverse(article.published));
        let title = parsed.title.map(|title| plain(&title.value)).unwrap_or_default();
        Ok(Self {
            candidate,
            format: match parsed.format {
                Format::Rss => "RSS",
                Format::Rdf => "RSS 1.0 (RDF)",
                Format::Atom => "Atom",
                Format::Json => "JSON Feed",
            },
            charset: ingested.heading.charset.name,
            repairs: ingested.repairs,
            entries: ingested.tally.entries,
            rejected: ingested.tally.rejected,
            title,
            language: parsed.language,
            site: parsed.link.and_then(|link| web_address(&link, &document.url)),
            hub: ingested.heading.hub.and_then(|hub| web_address(&hub, &document.url)),
            articles,
        })
    }

    /// When its newest article was published.
    #[must_use]
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.articles.first().map(|article| article.published)
    }

    /// How much time lies between two of its articles, as a rule: the median. None of fewer than
    /// three articles, or if they bear no dates of their own.
    #[must_use]
    pub fn gap(&self) -> Option<TimeDelta> {
        let own = self.articles.iter().filter(|article| article.published != article.first_seen);
        let dates: Vec<DateTime<Utc>> = own.map(|article| article.published).collect();
        let mut gaps: Vec<TimeDelta> = dates.windows(2).map(|two| two[0] - two[1]).collect();
        gaps.sort_unstable();
        (gaps.len() >= 2).then(|| gaps[gaps.len() / 2])
    }

    /// The labels that its articles would get, each with the number of articles; the most frequent
    /// first.
    #[must_use]
    pub fn labels(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for article in &self.articles {
            let labels = &article.labels;
            let regions = labels.regions.keys().map(|id| format!("region {id}"));
            let communities = labels.communities.keys().map(|id| format!("community {id}"));
            let tags = labels.tags.keys().map(|id| format!("tag {id}"));
            for label in regions.chain(communities).chain(tags) {
                *counts.entry(label).or_default() += 1;
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

/// A title without markup, its white space folded.
fn plain(title: &str) -> String {
    let mut plain = String::new();
    let mut lexer = Lexer::new(title, 0);
    loop {
        match lexer.next() {
            Token::Text { text, .. } | Token::Mended { text, .. } => plain.push_str(&text),
            Token::Start { .. } | Token::End { .. } => plain.push(' '),
            Token::Stop { .. } => break,
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
