//! What an admin asks of a running daemon, beside the state of its feeds.

use crate::admin::ENDING;
use crate::daemon::backing::Backing;
use crate::daemon::exporting::Exporting;
use crate::daemon::reloading::Asking;
use crate::daemon::reloading::Trigger;
use crate::daemon::rounds::Request;
use crate::daemon::upkeep::Upkeep;
use crate::explain::explain;
use crate::explain::explain_for_programs;
use crate::explain::free_tags;
use crate::model::id::FeedId;
use crate::poll::rules::Rules;
use crate::replay::Act;
use crate::replay::Means;
use crate::replay::replay;
use crate::serve::documents::Documents;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::retain::Act as Keeping;
use crate::takedown::Takedown;
use crate::takedown::take_down;
use crate::upkeep::Pinning;
use crate::upkeep::pin;
use chrono::Utc;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tracing::info;

/// What answers an admin's questions beside the state of the feeds.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) upkeep: Upkeep,
    pub(crate) backing: Backing,
    pub(crate) rules: Rules,
    pub(crate) store: Store,
    pub(crate) documents: Documents,
    pub(crate) exporting: Exporting,
    pub(crate) reloads: mpsc::Sender<Asking>,
    pub(crate) rounds: mpsc::Sender<Request>,
}

impl Asked {
    /// The answer; nothing if it is no question.
    pub(crate) async fn answer(self, command: String) -> Option<Result<String, String>> {
        if let Some(answer) = self.exporting.answer(&command) {
            return Some(answer);
        }
        let (word, rest) = command.split_once(' ').unwrap_or((&command, ""));
        match (word, rest) {
            ("retention", "show") => Some(self.upkeep.retention_asked(Keeping::Show).await),
            ("retention", "drop") => Some(self.upkeep.retention_asked(Keeping::Drop).await),
            ("compact", "") => Some(self.upkeep.compaction_asked().await),
            ("pin", what) if !what.is_empty() => Some(self.pin(Pinning::Pin, what).await),
            ("unpin", what) if !what.is_empty() => Some(self.pin(Pinning::Unpin, what).await),
            ("readers", "") => Some(Ok(self.documents.audience().told(Utc::now()).to_string())),
            ("backup", "") => Some(self.backup().await),
            ("reload", "") => Some(self.reload().await),
            ("poll", feeds) => Some(self.poll(feeds).await),
            ("tags", "") => Some(free_tags(&self.store).await.map_err(|error| error.to_string())),
            ("digest", "") => Some(Ok(self.rules.classifier().await.digest().to_string())),
            ("explain", what) if !what.is_empty() => {
                let (config, classifier) = (self.documents.config(), self.rules.classifier().await);
                let explained = explain(&config, &classifier, &self.store, what).await;
                Some(explained.map(Option::unwrap_or_default).map_err(|error| error.to_string()))
            }
            ("explain-json", what) if !what.is_empty() => {
                let (config, classifier) = (self.documents.config(), self.rules.classifier().await);
                let told = explain_for_programs(&config, &classifier, &self.store, what).await;
                let told = told.map(|told| told.map(|told| told.to_string()).unwrap_or_default());
                Some(told.map_err(|error| error.to_string()))
            }
            ("replay", words) => {
                let (act, feed) = words.split_once(' ')?;
                let act = match act {
                    "show" => Act::Show,
                    "apply" => Act::Apply,
                    _ => return None,
                };
                Some(self.replay(act, feed).await)
            }
            ("takedown", words) => {
                let (what, why) = words.split_once(' ')?;
                Some(self.take_down(what, why).await.map_err(|error| error.to_string()))
            }
            _ => None,
        }
    }

    /// Writes a backup. It is done wholly, or given up, when nobody waits for it any more too.
    async fn backup(&self) -> Result<String, String> {
        let backing = self.backing.clone();
        let writing = tokio::spawn(async move { backing.ask().await });
        writing.await.map_err(|panic| format!("it broke off: {panic}"))?
    }

    /// Reads feeds.toml again, and tells what is different.
    async fn reload(&self) -> Result<String, String> {
        let (reply, told) = oneshot::channel();
        let asking = Asking { by: Trigger::Admin, reply: Some(reply) };
        self.reloads.send(asking).await.map_err(|_| ENDING.to_owned())?;
        told.await.map_err(|_| ENDING.to_owned())?
    }

    /// Polls feeds, and gives how that ended as a JSON array.
    async fn poll(&self, feeds: &str) -> Result<String, String> {
        let named: Result<BTreeSet<FeedId>, _> = feeds.split_whitespace().map(str::parse).collect();
        let feeds = named.map_err(|_| format!("`{feeds}` are no ids of feeds"))?;
        let (reply, ended) = oneshot::channel();
        let request = Request::Poll { feeds, reply };
        self.rounds.send(request).await.map_err(|_| ENDING.to_owned())?;
        let ended = ended.await.map_err(|_| ENDING.to_owned())??;
        Ok(Value::Array(ended).to_string())
    }

    /// Goes over what is kept of a feed, and gives what differs as JSON.
    async fn replay(&self, act: Act, feed: &str) -> Result<String, String> {
        let unknown = || format!("the daemon knows no feed `{feed}`: `visnyk reload` if it is new");
        let id: FeedId = feed.parse().map_err(|_| unknown())?;
        let asked = self.clone();
        // A task of its own: who asked may be gone before it is done, and done it must be wholly.
        let replaying = tokio::spawn(async move {
            let ruling = asked.rules.keep().await;
            let config = asked.documents.config();
            let Some(feed) = ruling.feeds.get(&id) else { return Ok(None) };
            let means =
                Means { config: &config, classifier: &ruling.classifier, store: &asked.store };
            let (replayed, touched) = replay(means, feed, act, Utc::now()).await?;
            if replayed.applied {
                info!(feed = %id, "the admin applied a replay of {id}");
            }
            asked.documents.touch(&touched);
            // A rule may keep articles out that pages of archives show.
            asked.documents.take_away(&touched);
            Ok::<_, StoreError>(Some(replayed))
        });
        let replayed = replaying.await.map_err(|panic| format!("it broke off: {panic}"))?;
        let replayed = replayed.map_err(|error| error.to_string())?.ok_or_else(unknown)?;
        serde_json::to_string(&replayed).map_err(|error| error.to_string())
    }

    /// Pins an article, or no longer.
    async fn pin(&self, pinning: Pinning, what: &str) -> Result<String, String> {
        let pinned = pin(&self.store, pinning, what, Utc::now()).await;
        let told = pinned.map_err(|error| error.to_string())?.unwrap_or_default();
        if !told.is_empty() {
            info!("{told}");
        }
        Ok(told)
    }

    async fn take_down(&self, what: &str, why: &str) -> Result<String, StoreError> {
        let (store, documents) = (self.store.clone(), self.documents.clone());
        let (what, why) = (what.to_owned(), why.to_owned());
        // A task of its own: who asked may be gone before it is done, and done it must be wholly.
        let taking = tokio::spawn(async move {
            let taken = take_down(&store, &what, &why, Utc::now()).await?;
            if let Takedown::Done { id, from, .. } = &taken {
                info!(article = %id, why, "the admin took article {id} down: {why}");
                documents.take_away(from);
            }
            Ok(taken.told().unwrap_or_default())
        });
        taking.await.unwrap_or_else(|panic| Ok(format!("it is not known what was done: {panic}")))
    }
}
