//! The network: carries requests to the publishers, and their answers back, as badly as chance wants.

use crate::model::Arrival;
use crate::model::Sent;
use crate::model::UNDER_WAY;
use crate::publishers::Mood;
use crate::world::State;
use crate::world::Visit;
use crate::world::World;
use bytes::Bytes;
use chrono::TimeDelta;
use encoding_rs::WINDOWS_1251;
use futures_util::stream;
use http::HeaderMap;
use http::Request;
use http::Response;
use http::StatusCode;
use http::header::IF_MODIFIED_SINCE;
use http::header::IF_NONE_MATCH;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use hyper::body::Frame;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::sleep;
use url::Url;
use visnyk::fetch::carrier::Carrier;
use visnyk::fetch::carrier::Failure;
use visnyk::fetch::carrier::Later;
use visnyk::model::exchange::History;
use visnyk::model::id::FeedId;

type Answer = Result<Response<BoxBody<Bytes, io::Error>>, Failure>;

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_hours(5);

/// The network of a world.
#[derive(Debug, Clone)]
pub(crate) struct Network(pub(crate) World);

/// What comes back.
#[derive(Debug)]
enum Reply {
    Fails(Failure),
    Silence,
    Sends { status: u16, headers: Vec<(&'static str, Vec<u8>)>, body: Body },
}

/// How a body comes.
#[derive(Debug, Default)]
struct Body {
    bytes: Vec<u8>,
    /// In how many parts, and what is waited before each.
    parts: usize,
    every: Duration,
    end: End,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Whole,
    /// The connection breaks in the middle.
    Breaks,
    /// Nothing more comes from the middle on.
    Hangs,
}

impl Carrier for Network {
    fn look_up(&self, name: String) -> Later<io::Result<Vec<IpAddr>>> {
        let mut state = self.0.state();
        let is_away = state.is_away;
        let host = state.publishers.hosts.iter().find(|host| host.name == name).cloned();
        let found = match host {
            Some(host) if !is_away && host.mood != Mood::Nameless => Ok(vec![host.address.into()]),
            _ => {
                state.count("a name that is not known");
                state.note(&format!("no name {name}"));
                Err(io::Error::other("the name is not known"))
            }
        };
        Box::pin(async move {
            sleep(Duration::from_millis(3)).await;
            found
        })
    }

    fn carry(&self, request: Request<()>) -> Later<Answer> {
        let world = self.0.clone();
        Box::pin(async move {
            let url: Url = request.uri().to_string().parse().map_err(|error| {
                Failure::Broken(format!("{} is no address: {error}", request.uri()))
            })?;
            let name = url.host_str().unwrap_or_default();
            let place = world.state().publishers.hosts.iter().position(|host| host.name == name);
            let Some(place) = place else { return Err(Failure::Connection("no host".to_owned())) };
            let visit = world.visit(place);
            let wait = world.state().dice.between(10, 900);
            sleep(Duration::from_millis(wait)).await;
            let feed = world.state().feed_at(&url);
            let history = match feed {
                Some(feed) => world.history(feed).await,
                None => None,
            };
            let reply = world.state().reply(place, feed, &url, request.headers(), history);
            match reply {
                Reply::Fails(failure) => Err(failure),
                Reply::Silence => {
                    sleep(FOR_EVER).await;
                    Err(Failure::Broken("it ended at last".to_owned()))
                }
                Reply::Sends { status, headers, body } => {
                    let mut response = Response::builder().status(status);
                    for (name, value) in headers {
                        response = response.header(name, value);
                    }
                    response
                        .body(body.sent(visit))
                        .map_err(|error| Failure::Broken(error.to_string()))
                }
            }
        })
    }
}

impl World {
    /// What the store remembers of a feed now; none if it cannot be read.
    async fn history(&self, feed: usize) -> Option<History> {
        let (store, id) = {
            let state = self.state();
            (state.store.clone(), state.publishers.sources[feed].id.clone())
        };
        match (store, FeedId::new(&id)) {
            (Some(store), Ok(id)) => store.history(&id).await.ok(),
            _ => None,
        }
    }
}

impl Body {
    fn whole(bytes: Vec<u8>) -> Self {
        Self { bytes, parts: 1, every: Duration::from_millis(1), end: End::Whole }
    }

    /// The body as it comes; the visit lasts as long as it does.
    fn sent(self, visit: Visit) -> BoxBody<Bytes, io::Error> {
        let Self { bytes, parts, every, end } = self;
        let shown = if end == End::Whole { bytes.len() } else { bytes.len() / 2 };
        let size = shown.div_ceil(parts.max(1)).max(1);
        let parts: Vec<Bytes> = bytes[..shown].chunks(size).map(Bytes::copy_from_slice).collect();
        let from = (parts.into_iter(), visit);
        let sent = stream::unfold(Some(from), move |from| async move {
            let (mut parts, visit) = from?;
            if let Some(part) = parts.next() {
                sleep(every).await;
                return Some((Ok(Frame::data(part)), Some((parts, visit))));
            }
            match end {
                End::Whole => None,
                End::Breaks => Some((Err(io::Error::other("connection reset")), None)),
                End::Hangs => {
                    sleep(FOR_EVER).await;
                    Some((Err(io::Error::other("it ended at last")), None))
                }
            }
        });
        StreamBody::new(sent).boxed()
    }
}

impl State {
    /// Which feed is asked for at an address; none if it is a page.
    fn feed_at(&self, url: &Url) -> Option<usize> {
        let first = url.path_segments()?.next()?;
        self.publishers.sources.iter().position(|source| source.id == first)
    }

    fn reply(
        &mut self,
        host: usize,
        feed: Option<usize>,
        url: &Url,
        headers: &HeaderMap,
        history: Option<History>,
    ) -> Reply {
        self.count("requests");
        if let Some(feed) = feed {
            self.judge(feed, url, headers, history);
        }
        let reply = match feed {
            _ if self.is_away => {
                Reply::Fails(Failure::Connection("the network is unreachable".to_owned()))
            }
            None => self.page(url),
            Some(feed) => {
                let misdeed = self.misdeed(host, feed);
                misdeed.unwrap_or_else(|| self.document(feed, url, headers))
            }
        };
        let told = match &reply {
            Reply::Fails(failure) => format!("{failure:?}"),
            Reply::Silence => "silence".to_owned(),
            Reply::Sends { status, body, .. } => {
                format!("{status}, {} bytes, {:?}", body.bytes.len(), body.end)
            }
        };
        let told_as = self.last_counted;
        self.note(&format!("{url} -> {told} ({told_as})"));
        reply
    }

    /// Whether a request is as it must be.
    fn judge(&mut self, feed: usize, url: &Url, headers: &HeaderMap, history: Option<History>) {
        let elapsed = self.time.elapsed();
        let when = (elapsed, self.time.jumps_until(elapsed));
        let jumps_before = self.time.jumps_until(elapsed.saturating_sub(UNDER_WAY));
        let arrival = Arrival { when, now: self.time.now(), jumps_before };
        // One that has moved for good is asked elsewhere, and its old host's wish is not its own.
        let own = &self.publishers.hosts[self.publishers.sources[feed].host].name;
        let is_at_own = url.host_str() == Some(own.as_str());
        let rests = self.model.host_rests(&self.publishers.sources, feed, when);
        let rests = rests.filter(|_| is_at_own);
        let ledger = &mut self.model.feeds[feed];
        let is_durable = self.disk.is_sound();
        let durable = history.as_ref().filter(|_| is_durable);
        let seen = durable.map(|history| ledger.settle(history)).unwrap_or_default();
        let wrong = ledger.request(url.as_str(), headers, history, arrival, rests);
        let source = &mut self.publishers.sources[feed];
        source.see(seen);
        let id = source.id.clone();
        self.wrong.extend(wrong.into_iter().map(|wrong| format!("{id}: {wrong}")));
    }

    /// An article's page.
    fn page(&mut self, url: &Url) -> Reply {
        let name = url.path().rsplit('/').next().unwrap_or_default();
        let uid = name.split('-').next().unwrap_or_default();
        let mut items = self.publishers.sources.iter().flat_map(|source| &source.items);
        let is_there = items.any(|item| item.uid == uid && !item.is_removed);
        self.count("pages of articles");
        let status = if is_there { 200 } else { 404 };
        let headers = vec![("content-type", b"text/html".to_vec())];
        Reply::Sends { status, headers, body: Body::whole(b"<p>page".to_vec()) }
    }

    /// What goes wrong, if anything does.
    fn misdeed(&mut self, host: usize, feed: usize) -> Option<Reply> {
        let mood = if self.is_calm { Mood::Well } else { self.publishers.hosts[host].mood };
        let often = match mood {
            _ if self.is_calm => 0,
            Mood::Nameless | Mood::Closed => {
                self.count("a connection refused");
                return Some(Reply::Fails(Failure::Connection("refused".to_owned())));
            }
            Mood::Silent => {
                self.count("a server that says nothing");
                return Some(Reply::Silence);
            }
            Mood::Well => 60,
            Mood::Flaky => 500,
            Mood::Broken => 1000,
        };
        if !self.dice.in_thousand(often) {
            return None;
        }
        let status = |status: u16| {
            let body = Body::whole(b"<h1>error".to_vec());
            Reply::Sends { status, headers: Vec::new(), body }
        };
        Some(match self.dice.below(9) {
            0 => {
                self.count("500, 502 and 503");
                status(*self.dice.one(&[500, 502, 503, 504]))
            }
            1 => {
                self.count("404 and 403");
                status(*self.dice.one(&[404, 403]))
            }
            2 => self.later(host, feed),
            3 => {
                self.count("a server that says nothing");
                Reply::Silence
            }
            4 => {
                self.count("a connection that breaks");
                Reply::Fails(Failure::Broken("connection reset".to_owned()))
            }
            5 => {
                self.count("garbage");
                let bytes =
                    (0..self.dice.between(10, 3000)).map(|_| self.dice.number().to_le_bytes()[0]);
                let body = Body::whole(bytes.collect());
                Reply::Sends { status: 200, headers: vec![("etag", b"\"garbage\"".to_vec())], body }
            }
            6 => {
                self.count("a page in place of a feed");
                let body = b"<!doctype html><html><title>Sign in</title><p>Sign in".to_vec();
                let headers = vec![("content-type", b"text/html".to_vec())];
                Reply::Sends { status: 200, headers, body: Body::whole(body) }
            }
            7 => {
                self.count("a redirect that leads nowhere");
                let to = *self.dice.one(&[
                    "/f0x/lost.xml",
                    "file:///etc/passwd",
                    "",
                    "http://127.0.0.1/",
                ]);
                let headers = vec![("location", to.as_bytes().to_vec())];
                Reply::Sends { status: 302, headers, body: Body::default() }
            }
            _ => self.damaged(feed),
        })
    }

    /// It asks to come later.
    fn later(&mut self, host: usize, feed: usize) -> Reply {
        self.count("429 and 503 with Retry-After");
        let minutes = i64::try_from(self.dice.between(20, 3000)).unwrap_or(20);
        let now = self.time.now();
        let at = now + TimeDelta::minutes(minutes);
        let text = if self.dice.in_thousand(500) {
            (minutes * 60).to_string()
        } else {
            httpdate::fmt_http_date(at.into())
        };
        let source = &self.publishers.sources[feed];
        let is_for_host = source.moved.is_none() && source.host == host;
        // A date has whole seconds.
        let until = at - TimeDelta::seconds(1);
        self.model.feeds[feed].sent(Sent::Later { until, is_for_host });
        let status = *self.dice.one(&[429, 503]);
        let headers = vec![("retry-after", text.into_bytes())];
        Reply::Sends { status, headers, body: Body::default() }
    }

    /// The document, in a way in which it does not come whole or not well.
    fn damaged(&mut self, feed: usize) -> Reply {
        let source = &self.publishers.sources[feed];
        let text = source.document("utf-8");
        let (etag, last_modified) = source.validators();
        let mut headers = source.validating_headers();
        let items = source.contents();
        let body = match self.dice.below(5) {
            0 => {
                self.count("a body that breaks off");
                Body { end: End::Breaks, parts: 3, ..Body::whole(text.into_bytes()) }
            }
            1 => {
                self.count("a body that hangs");
                Body { end: End::Hangs, parts: 3, ..Body::whole(text.into_bytes()) }
            }
            2 => {
                self.count("a slow body");
                let every = Duration::from_millis(self.dice.between(500, 9000));
                self.model.feeds[feed].sent(Sent::Whole { items, etag, last_modified });
                Body { parts: 8, every, ..Body::whole(text.into_bytes()) }
            }
            3 => {
                self.count("a document without its end");
                let kept = text.len() * 2 / 3;
                Body::whole(text.into_bytes()[..kept].to_vec())
            }
            _ => {
                self.count("a charset that is not the one it says");
                let (bytes, ..) = WINDOWS_1251.encode(&text);
                self.model.feeds[feed].sent(Sent::Doubtful);
                headers.push(("content-type", b"application/xml; charset=utf-8".to_vec()));
                Body::whole(bytes.into_owned())
            }
        };
        Reply::Sends { status: 200, headers, body }
    }

    fn document(&mut self, feed: usize, url: &Url, asked: &HeaderMap) -> Reply {
        let source = &self.publishers.sources[feed];
        if source.is_gone && !self.is_calm {
            self.count("410");
            self.model.feeds[feed].sent(Sent::Gone);
            return Reply::Sends { status: 410, headers: Vec::new(), body: Body::default() };
        }
        let own = self.publishers.hosts[source.host].name.clone();
        let own = format!("https://{own}{}", source.path);
        if let Some((to, status)) = source.moved.clone().filter(|(to, _)| to != url.as_str()) {
            self.count("redirects");
            self.model.feeds[feed].redirected(to.clone());
            let headers = vec![("location", to.into_bytes())];
            return Reply::Sends { status, headers, body: Body::default() };
        }
        if source.moved.is_none() && own != url.as_str() {
            self.count("404 and 403");
            return Reply::Sends { status: 404, headers: Vec::new(), body: Body::default() };
        }
        let (etag, last_modified) = source.validators();
        let value = |name| asked.get(name).map(|value: &http::HeaderValue| value.as_bytes());
        let (tag, since) = (value(IF_NONE_MATCH), value(IF_MODIFIED_SINCE));
        let is_same = match (&etag, &last_modified) {
            (Some(etag), _) => tag == Some(etag),
            (None, Some(date)) => since == Some(date),
            (None, None) => false,
        };
        let mut headers = source.validating_headers();
        if is_same {
            self.model.feeds[feed].sent(Sent::NotModified);
            self.count("304");
            return Reply::Sends { status: 304, headers, body: Body::default() };
        }
        let is_cyrillic = self.dice.in_thousand(150);
        let source = &self.publishers.sources[feed];
        let bytes = if is_cyrillic {
            headers.push(("content-type", b"text/xml; charset=windows-1251".to_vec()));
            WINDOWS_1251.encode(&source.document("windows-1251")).0.into_owned()
        } else {
            source.document("utf-8").into_bytes()
        };
        let items = source.contents();
        self.model.feeds[feed].sent(Sent::Whole { items, etag, last_modified });
        self.count("200");
        let status = StatusCode::OK.as_u16();
        Reply::Sends { status, headers, body: Body::whole(bytes) }
    }
}
