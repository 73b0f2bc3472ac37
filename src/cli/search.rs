//! Looks for the feeds of a site: few requests, bounded in number and time, by the fetcher that
//! polls feeds, and so with its manners and its guard.

use crate::classify::Classifier;
use crate::discover::Candidate;
use crate::discover::How;
use crate::discover::offer::Offer;
use crate::discover::page::page;
use crate::discover::places::sitemap;
use crate::discover::places::sitemaps;
use crate::discover::places::usual;
use crate::fetch::Fetched;
use crate::fetch::Fetcher;
use crate::fetch::error::FetchError;
use crate::model::exchange::Document;
use crate::model::exchange::Request;
use crate::model::feed::Feed;
use chrono::DateTime;
use chrono::Utc;
use indicatif::ProgressBar;
use std::collections::BTreeSet;
use std::time::Duration;
use std::time::Instant;
use url::Url;

/// How many requests a search makes at most.
pub(crate) const REQUESTS_MAX: usize = 20;
/// How long a search goes on asking.
const SEARCH_WITHIN: Duration = Duration::from_secs(90);
/// How many feeds of a site are looked at.
const OFFERS_MAX: usize = 6;
/// How many of the usual places have to be feeds for the others to be left alone.
const USUAL_ENOUGH: usize = 1;

/// What was found.
#[derive(Debug)]
pub(crate) struct Searched {
    /// The address that was asked for, after a redirect that is for good.
    pub(crate) asked: Url,
    /// The title of the page there; none if it is a feed itself.
    pub(crate) page: Option<String>,
    /// What is a feed.
    pub(crate) offers: Vec<Offer>,
    /// What is none although the page says so, and why.
    pub(crate) failed: Vec<(Candidate, String)>,
    /// How many requests were made.
    pub(crate) requests: usize,
}

/// Who looks, and with what.
pub(crate) struct Search<'a> {
    fetcher: &'a Fetcher,
    classifier: &'a Classifier,
    /// A feed about which nothing is known but where it is.
    like: Feed,
    now: DateTime<Utc>,
    bar: ProgressBar,
    began: Instant,
    requests: usize,
    /// What was asked for, by key.
    seen: BTreeSet<String>,
    offers: Vec<Offer>,
    failed: Vec<(Candidate, String)>,
}

/// What came of a request.
enum Got {
    /// A document, and where it lies for good.
    Document(Document, Url),
    /// Nothing, for its host does not speak to us in this way.
    Unreachable(String),
    /// Nothing, and why.
    Nothing(String),
}

impl<'a> Search<'a> {
    /// A search with nothing found yet.
    pub(crate) fn new(
        fetcher: &'a Fetcher,
        classifier: &'a Classifier,
        like: Feed,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            fetcher,
            classifier,
            like,
            now,
            bar: ProgressBar::new_spinner(),
            began: Instant::now(),
            requests: 0,
            seen: BTreeSet::new(),
            offers: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Looks for the feeds of the first of these addresses that can be reached.
    pub(crate) async fn search(mut self, spellings: &[Url]) -> Result<Searched, String> {
        let mut reason = None;
        for asked in spellings {
            match self.get(asked).await {
                Some(Got::Document(document, asked)) => return Ok(self.of(document, asked).await),
                Some(Got::Nothing(why)) => return Err(why),
                Some(Got::Unreachable(why)) => reason = reason.or(Some(why)),
                None => break,
            }
        }
        Err(reason.unwrap_or_default())
    }

    async fn of(mut self, document: Document, asked: Url) -> Searched {
        let itself = Candidate { url: asked.clone(), how: How::Asked };
        let mut title = None;
        if self.offer(itself, &document).is_err() {
            let page = page(&document);
            self.look_around(&document.url, page.candidates).await;
            title = Some(page.title);
        }
        self.bar.finish_and_clear();
        let Self { offers, failed, requests, .. } = self;
        Searched { asked, page: title, offers, failed, requests }
    }

    /// What a page names; and only where that is nothing, what may be there all the same.
    async fn look_around(&mut self, page_url: &Url, candidates: Vec<Candidate>) {
        self.try_all(candidates, OFFERS_MAX).await;
        if self.offers.is_empty() && page_url.path() != "/" {
            self.look_at(page_url.join("/").ok()).await;
        }
        if self.offers.is_empty() {
            self.try_all(usual(page_url), USUAL_ENOUGH).await;
            // That a feed is not where it might have been is nothing to be told.
            self.failed.retain(|(candidate, _)| candidate.how != How::Usual);
        }
        if self.offers.is_empty() {
            self.look_in_sitemap(page_url).await;
        }
    }

    async fn look_in_sitemap(&mut self, page_url: &Url) {
        let robots = match page_url.join("/robots.txt") {
            Ok(url) => self.get(&url).await,
            Err(_) => None,
        };
        let robots = robots.and_then(Got::document);
        let mut sitemaps = sitemaps(robots.as_ref(), page_url);
        sitemaps.truncate(1);
        let mut sections = Vec::new();
        // An index leads to one more.
        while let Some(url) = sitemaps.pop() {
            let Some(document) = self.get(&url).await.and_then(Got::document) else { continue };
            let found = sitemap(&document);
            self.try_all(found.candidates, OFFERS_MAX).await;
            sections.extend(found.sections);
            sitemaps.extend(found.sitemaps.into_iter().take(1));
        }
        for section in sections {
            if self.offers.is_empty() {
                self.look_at(Some(section)).await;
            }
        }
    }

    /// What another page of the site names.
    async fn look_at(&mut self, url: Option<Url>) {
        let Some(url) = url else { return };
        if let Some(document) = self.get(&url).await.and_then(Got::document) {
            self.try_all(page(&document).candidates, OFFERS_MAX).await;
        }
    }

    /// Looks at candidates until there are so many offers.
    async fn try_all(&mut self, candidates: Vec<Candidate>, enough: usize) {
        for candidate in candidates {
            if self.offers.len() >= enough {
                return;
            }
            let reason = match self.get(&candidate.url).await {
                Some(Got::Document(document, url)) => {
                    let candidate = Candidate { url, how: candidate.how };
                    self.offer(candidate, &document).err()
                }
                Some(Got::Unreachable(why) | Got::Nothing(why)) => Some(why),
                None => None,
            };
            self.failed.extend(reason.map(|reason| (candidate, reason)));
        }
    }

    fn offer(&mut self, candidate: Candidate, document: &Document) -> Result<(), String> {
        let like = self.like.leading_to(candidate.url.clone());
        let offer = Offer::of(candidate, document, &like, self.classifier, self.now);
        let offer = offer.map_err(|error| error.to_string())?;
        let kind = document.content_type.as_deref().unwrap_or_default();
        if offer.entries == 0 && kind.to_ascii_lowercase().contains("html") {
            return Err("a page, with something like an empty feed in it".to_owned());
        }
        self.offers.push(offer);
        Ok(())
    }

    /// Asks once; nothing if that was asked before, or enough was asked.
    async fn get(&mut self, url: &Url) -> Option<Got> {
        let is_over = self.requests >= REQUESTS_MAX || self.began.elapsed() > SEARCH_WITHIN;
        // Here the scheme makes a difference, and a `/` at the end as well.
        if is_over || !self.seen.insert(url.to_string()) {
            return None;
        }
        self.requests += 1;
        self.bar.set_message(format!("asking for {url}"));
        self.bar.tick();
        let feed = self.like.leading_to(url.clone());
        Some(match self.fetcher.fetch(&feed, &Request::default()).await {
            Fetched::Document { document, said, .. } => {
                Got::Document(document, said.moved.unwrap_or_else(|| url.clone()))
            }
            Fetched::Failed(error @ FetchError::Status { .. }) => Got::Nothing(error.to_string()),
            Fetched::Failed(error) | Fetched::Unreachable(error) => Got::Unreachable(told(&error)),
            Fetched::Gone => Got::Nothing(format!("{url}: the server says that it is gone (410)")),
            Fetched::Later { .. } | Fetched::Postponed { .. } | Fetched::NotModified { .. } => {
                Got::Nothing(format!("{url}: the server asks to come later"))
            }
        })
    }
}

impl Got {
    fn document(self) -> Option<Document> {
        match self {
            Self::Document(document, _) => Some(document),
            Self::Unreachable(_) | Self::Nothing(_) => None,
        }
    }
}

/// Why nothing came; where it is a guard's doing, what opens it.
fn told(error: &FetchError) -> String {
    match error {
        FetchError::Refused { url, reason } => {
            format!("{url}: refused: {reason} (`--allow-private` allows it, and writes so)")
        }
        _ => error.to_string(),
    }
}
