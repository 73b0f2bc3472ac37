//! feeds.toml read again while the daemon runs: on SIGHUP, when the file changes, and when an admin
//! asks for it.
//!
//! All of it is read, checked and made ready aside. Only then is it swapped in, in one step: a file
//! with a mistake changes nothing but what is told of it, and neither a connection nor a poll is
//! lost. Polls that are under way go on, and what they find is labelled by the new rules.

use crate::admin::board::Board;
use crate::classify::Classifier;
use crate::classify::digest;
use crate::config::Checked;
use crate::config::Config;
use crate::config::check;
use crate::config::difference::difference;
use crate::config::problem::Problems;
use crate::daemon::DaemonError;
use crate::daemon::Notice;
use crate::daemon::fetches_alike;
use crate::daemon::files;
use crate::daemon::picture_fetcher;
use crate::daemon::relabelling::Relabelling;
use crate::daemon::rounds::Fresh;
use crate::daemon::rounds::Request;
use crate::daemon::ruling;
use crate::daemon::serving::listen;
use crate::daemon::settings;
use crate::daemon::upkeep::Upkeep;
use crate::fetch::Fetcher;
use crate::model::publication::Pictures;
use crate::poll::Poller;
use crate::serve::documents::Documents;
use chrono::Utc;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

/// How soon a file that is refused is read again by itself.
const REFUSED_RETRY: Duration = Duration::from_mins(1);
/// How many words to reload wait; more of them are the same word.
pub(crate) const ASKED_MAX: usize = 8;

/// What gave the word to reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// SIGHUP.
    Signal,
    /// The file is another one.
    File,
    /// `visnyk reload`.
    Admin,
    /// It was refused a while ago.
    Again,
    /// The daemon has just started, and the file may have changed since it was read.
    Start,
}

impl Trigger {
    /// Whether somebody means the file to be read as it is, and waits for it.
    fn is_asked(self) -> bool {
        matches!(self, Self::Signal | Self::Admin)
    }
}

/// The word to reload.
pub(crate) struct Asking {
    /// Who gave it.
    pub(crate) by: Trigger,
    /// Where it is told what came of it, if anybody waits.
    pub(crate) reply: Option<oneshot::Sender<Result<String, String>>>,
}

/// What is reloaded, and where it goes.
pub(crate) struct Reloading<Tell> {
    /// Where feeds.toml is.
    pub(crate) path: PathBuf,
    /// What polls go by.
    pub(crate) poller: Poller,
    /// What is served; it knows the configuration that holds.
    pub(crate) documents: Documents,
    /// What admins are told.
    pub(crate) board: Board,
    /// Where a public listener goes that is elsewhere; none goes anywhere while the service manager
    /// listens.
    pub(crate) listeners: Option<mpsc::Sender<TcpListener>>,
    /// Where the feeds go.
    pub(crate) rounds: mpsc::Sender<Request>,
    /// How stored articles are to be labelled.
    pub(crate) relabelling: watch::Sender<Arc<Relabelling>>,
    /// How long articles are kept.
    pub(crate) upkeep: Upkeep,
    /// Which files are watched.
    pub(crate) files: watch::Sender<Vec<PathBuf>>,
    /// What the service manager is told.
    pub(crate) tell: Tell,
}

/// A configuration with all that it takes, ready to be swapped in.
struct Ready {
    config: Arc<Config>,
    classifier: Arc<Classifier>,
    fetcher: Arc<Fetcher>,
    pictures: Option<Fetcher>,
    listener: Option<TcpListener>,
}

impl<Tell: Fn(&Notice)> Reloading<Tell> {
    /// Reloads whenever it is asked to, until nobody is left to ask.
    pub(crate) async fn go(mut self, mut asked: mpsc::Receiver<Asking>) {
        loop {
            let is_refused = self.board.standing().refused.is_some();
            let asking = tokio::select! {
                asking = asked.recv() => asking,
                // What it was refused for may lie outside: a port that is taken, a missing file.
                () = sleep(REFUSED_RETRY), if is_refused => {
                    Some(Asking { by: Trigger::Again, reply: None })
                }
            };
            let Some(Asking { by, reply }) = asking else { return };
            let told = self.reload(by).await;
            if let Some(reply) = reply {
                // Who asked may be gone.
                let _ = reply.send(told);
            }
        }
    }

    async fn reload(&mut self, by: Trigger) -> Result<String, String> {
        if by.is_asked() {
            (self.tell)(&Notice::Reloading);
        }
        let before = self.documents.config();
        let told = match self.ready(by, &before).await {
            Ok(ready) if *ready.config == *before => {
                let is_mended = self.board.standing().refused.is_some();
                self.board.config_taken(None);
                let said = if is_mended {
                    "it is good again, and means the same"
                } else {
                    "it means the same as before"
                };
                Ok(said.to_owned())
            }
            Ok(ready) => self.swap(&before, ready).await,
            Err(why) => Err(why),
        };
        self.note(by, &told);
        // Nobody asked, and nothing is new: what was told holds on.
        if by != Trigger::Start || told.is_err() || self.documents.config() != before {
            let feeds = self.documents.config().enabled().count();
            (self.tell)(&Notice::Reloaded { feeds, refused: told.as_ref().err().cloned() });
        }
        told
    }

    /// Logs what came of it, and puts it where admins look.
    fn note(&self, by: Trigger, told: &Result<String, String>) {
        let path = self.path.display();
        match told {
            Ok(said) if by == Trigger::Start => debug!("{path} was read again: {said}"),
            Ok(said) => info!("{path} was read again: {said}"),
            Err(why) => {
                let known = self.board.standing().refused;
                // The file that somebody had read again is found changed a moment later.
                let is_told = !by.is_asked() && known.is_some_and(|(_, known)| known == *why);
                if !is_told {
                    error!("{path} is refused, the one before holds on:\n{why}");
                    self.board.config_refused(Utc::now(), why);
                }
            }
        }
    }

    /// Reads, checks and makes ready.
    async fn ready(&self, by: Trigger, before: &Arc<Config>) -> Result<Ready, String> {
        let path = self.path.clone();
        let known = self.poller.rules.classifier().await;
        let making = spawn_blocking(move || {
            let Checked { config, warnings } = check(&path)?;
            let config = Arc::new(config);
            let is_known = digest(&config.catalogue, &config.tags, &config.rules) == known.digest();
            let classifier = if is_known {
                known
            } else {
                Arc::new(Classifier::new(&config.catalogue, &config.tags, &config.rules))
            };
            Ok::<_, Problems>((config, warnings, classifier))
        });
        let made = making.await.map_err(|panic| format!("error: reading broke off: {panic}"))?;
        let (config, warnings, classifier) =
            made.map_err(|problems| problems.without_warnings().to_string())?;
        // An editor may have emptied the file and not yet written it.
        if config.feeds.is_empty() && !before.feeds.is_empty() && !by.is_asked() {
            return Err(format!(
                "error: {} names no feed any more; if that is meant, `visnyk reload` takes it",
                self.path.display()
            ));
        }
        self.board.put_addresses(config.addresses.0.clone());
        let told = |error: DaemonError| format!("error: {error}");
        let is_alike = fetches_alike(before, &config);
        let fetcher = if is_alike {
            Arc::clone(&self.poller.fetcher)
        } else {
            let settings = settings(&config, self.poller.clock.clone());
            Arc::new(self.poller.fetcher.under(settings).map_err(|error| told(error.into()))?)
        };
        let is_passing = |config: &Config| config.site.pictures == Pictures::Passed;
        let needs_pictures = is_passing(&config) && !(is_alike && is_passing(before));
        let pictures = needs_pictures.then(|| picture_fetcher(&config)).transpose();
        let pictures = pictures.map_err(|error| told(error.into()))?;
        let listener = self.listener(&config, before).await?;
        if *config != **before {
            doubts(&warnings);
        }
        Ok(Ready { config, classifier, fetcher, pictures, listener })
    }

    /// A listener, if readers are to be answered elsewhere.
    async fn listener(
        &self,
        config: &Config,
        before: &Config,
    ) -> Result<Option<TcpListener>, String> {
        if config.listen == before.listen {
            return Ok(None);
        }
        if self.listeners.is_none() {
            warn!(
                "`listen` is {} now, but the service manager listens: its socket unit decides",
                config.listen
            );
            return Ok(None);
        }
        match listen(config.listen).await {
            Ok(listener) => Ok(Some(listener)),
            // It is this daemon that is there, at another address of the same port.
            Err(DaemonError::Listen { error, .. })
                if error.kind() == ErrorKind::AddrInUse
                    && config.listen.port() == before.listen.port() =>
            {
                let (new, old) = (config.listen, before.listen);
                warn!("readers are answered at {old} until the next start, and then at {new}");
                Ok(None)
            }
            Err(error) => Err(format!("error: {error}")),
        }
    }

    /// Swaps a configuration in, and tells what is different.
    async fn swap(&mut self, before: &Arc<Config>, ready: Ready) -> Result<String, String> {
        let Ready { config, classifier, fetcher, pictures, listener } = ready;
        if config.publications != before.publications {
            // What is composed anew has to be indexed before it is served.
            let composed = self.poller.store.compose(config.publications.clone(), Utc::now());
            composed.await.map_err(|error| format!("error: {error}"))?;
        }
        self.poller.fetcher = fetcher;
        self.poller.rules.change(ruling(&config, Arc::clone(&classifier))).await;
        if let Some(pictures) = pictures {
            self.documents.pass_pictures(pictures);
        }
        self.documents.reconfigure(Arc::clone(&config));
        let relabelling = Relabelling::new(&config, &self.poller, classifier);
        self.relabelling.send_replace(Arc::new(relabelling));
        if config.retention != before.retention {
            self.upkeep.change().await;
        }
        let fresh =
            Fresh { config: Arc::clone(&config), fetcher: Arc::clone(&self.poller.fetcher) };
        // Whoever does not take them is at an end.
        let _ = self.rounds.send(Request::Change(fresh)).await;
        if let (Some(listener), Some(listeners)) = (listener, &self.listeners) {
            info!(address = %config.listen, "readers are answered at {} now", config.listen);
            let _ = listeners.send(listener).await;
        }
        self.files.send_replace(files(&self.path, &config));
        self.board.config_taken(Some(Utc::now()));
        if before.feeds.keys().any(|id| !config.feeds.contains_key(id)) {
            let feeds = config.feeds.keys().cloned().collect();
            if let Err(error) = self.poller.store.keep_documents_of(feeds).await {
                warn!(
                    "what was fetched of feeds that are gone stays until the next start: {error}"
                );
            }
        }
        let told = difference(before, &config);
        Ok(if told.is_empty() {
            "nothing that matters changed".to_owned()
        } else {
            told.join("; ")
        })
    }
}

/// Logs what in feeds.toml is hardly meant as it is written, a line each. A daemon goes on with it.
pub fn doubts(warnings: &Problems) {
    for warning in warnings.listed() {
        warn!(code = warning.code, "{warning}");
    }
}
