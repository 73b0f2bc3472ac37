//! Events on their way to the admin: to an address, or to a program.
//!
//! Each way has a queue of its own and takes one event after the other, so that neither the polls nor
//! the other way waits for a slow one. What does not get there is tried again, more and more rarely,
//! and then given up, with an error in the log: the event itself stays in the feed of events.

use crate::admin::desk::Desk;
use crate::admin::desk::WAYS;
use crate::events::Told;
use crate::fetch::post::Poster;
use crate::model::feed::Feed;
use crate::model::feed::SecretPlace;
use rustix::process::Pid;
use rustix::process::Signal;
use rustix::process::kill_process_group;
use serde_json::json;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio::time::timeout;
use tracing::error;
use tracing::info;
use tracing::warn;

/// How many events wait for each way.
const WAITING_MAX: usize = 64;
/// How long is waited before each further try.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
];
/// How long a program may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// What systemd gives to the daemon, and to nothing that it starts.
const MANAGER_VARIABLES: [&str; 7] = [
    "CREDENTIALS_DIRECTORY",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// A way to the admin, by its place in [`WAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Webhook,
    Command,
}

/// What became of an event, by its place in the names of fates.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Delivered,
    GivenUp,
    /// Nobody is told in this way any more.
    Dropped,
}

/// The ways to the admin. They end when this is dropped.
pub(crate) struct Delivering {
    desk: Desk,
    queues: [(Way, mpsc::Sender<String>); 2],
    _tasks: JoinSet<()>,
}

impl Delivering {
    /// Takes events from now on. Where they go is looked up for each: it may be changed meanwhile.
    pub(crate) fn new(desk: Desk, poster: &Poster) -> Self {
        let mut tasks = JoinSet::new();
        let queues = [Way::Webhook, Way::Command].map(|way| {
            let (queue, waiting) = mpsc::channel(WAITING_MAX);
            tasks.spawn(deliver(desk.clone(), poster.clone(), way, waiting));
            (way, queue)
        });
        Self { desk, queues, _tasks: tasks }
    }

    /// Sends an event on its ways, and waits for none of them.
    pub(crate) fn send(&self, told: &Told) {
        for (way, queue) in &self.queues {
            if way.is_open(&self.desk) && queue.try_send(message(&self.desk, told)).is_err() {
                let title = told.event.title();
                error!("{title}: not told by {}: {WAITING_MAX} events wait there", way.name());
                count(&self.desk, *way, Fate::GivenUp);
            }
        }
    }
}

impl Way {
    fn name(self) -> &'static str {
        WAYS[self as usize]
    }

    /// Whether feeds.toml names it.
    fn is_open(self, desk: &Desk) -> bool {
        let config = desk.documents.config();
        match self {
            Self::Webhook => config.admin.webhook.is_some(),
            Self::Command => !config.admin.command.is_empty(),
        }
    }
}

/// What is sent of an event.
fn message(desk: &Desk, told: &Told) -> String {
    let event = &told.event;
    let is_over = event.closed.is_some();
    let site = &desk.documents.config().site;
    let text = if is_over {
        format!("{}. {}.", event.name, event.end)
    } else {
        format!("{} {}.", event.name, event.what)
    };
    json!({
        "id": event.key(),
        "turn": told.turn.word(),
        "kind": event.kind.word(),
        "feed": event.feed.as_ref().map(ToString::to_string),
        "title": if is_over { event.end_title() } else { event.title() },
        "text": text,
        "cure": if is_over { "" } else { event.cure.as_str() },
        "opened": event.opened.to_rfc3339(),
        "closed": event.closed.map(|closed| closed.to_rfc3339()),
        "site": site.title,
    })
    .to_string()
}

async fn deliver(desk: Desk, poster: Poster, way: Way, mut waiting: mpsc::Receiver<String>) {
    while let Some(message) = waiting.recv().await {
        let mut pauses = PAUSES.into_iter();
        loop {
            let tried = match way {
                Way::Webhook => by_webhook(&desk, &poster, &message).await,
                Way::Command => by_command(&desk, &message).await,
            };
            let why = match tried {
                Ok(fate) => {
                    if matches!(fate, Fate::Delivered) {
                        info!("an event was told by {}", way.name());
                    }
                    count(&desk, way, fate);
                    break;
                }
                Err(why) => why,
            };
            let Some(pause) = pauses.next() else {
                error!("an event was not told by {}, and is not tried again: {why}", way.name());
                count(&desk, way, Fate::GivenUp);
                break;
            };
            warn!("an event was not told by {}, tried again in {pause:?}: {why}", way.name());
            sleep(pause).await;
        }
    }
}

async fn by_webhook(desk: &Desk, poster: &Poster, message: &str) -> Result<Fate, String> {
    let Some(url) = desk.documents.config().admin.webhook.clone() else {
        return Ok(Fate::Dropped);
    };
    let answer = poster.post(&url, message.to_owned()).await;
    answer.map(|()| Fate::Delivered).map_err(|error| error.to_string())
}

async fn by_command(desk: &Desk, message: &str) -> Result<Fate, String> {
    let config = desk.documents.config();
    let Some((program, arguments)) = config.admin.command.split_first() else {
        return Ok(Fate::Dropped);
    };
    let hidden = variables(config.feeds.values());
    run(program, arguments, message, COMMAND_TIMEOUT, &hidden).await.map(|()| Fate::Delivered)
}

/// The variables of our environment that are no business of another program: secrets of feeds, and
/// what the service manager gave to us.
fn variables<'a>(feeds: impl Iterator<Item = &'a Feed>) -> Vec<&'a str> {
    let secret = |feed: &'a Feed| match &feed.access.credentials.as_ref()?.secret {
        SecretPlace::Environment(variable) => Some(variable.as_str()),
        SecretPlace::Credential(_) | SecretPlace::File(_) => None,
    };
    feeds.filter_map(secret).chain(MANAGER_VARIABLES).collect()
}

/// Runs a program with a message on its standard input, without some variables. What takes longer is ended, with all that
/// it started.
async fn run(
    program: &str,
    arguments: &[String],
    message: &str,
    longest: Duration,
    hidden: &[&str],
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("`{program}`: {error}");
    let mut command = Command::new(program);
    for variable in hidden {
        command.env_remove(variable);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .map_err(failed)?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let running = async {
        if let Some(mut input) = child.stdin.take() {
            // Whoever does not read it may still know what to do.
            let _ = input.write_all(format!("{message}\n").as_bytes()).await;
        }
        child.wait().await
    };
    let ended = timeout(longest, running).await;
    let status = ended.map_err(|_| format!("`{program}`: not done within {longest:?}"))?;
    // What it leaves behind at its own end is meant.
    group.0 = None;
    let status = status.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("`{program}`: {status}")) }
}

/// The processes of a program that has not ended; they are ended when this is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // They may have ended by themselves meanwhile.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn count(desk: &Desk, way: Way, fate: Fate) {
    desk.deliveries[way as usize][fate as usize].fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_takes_too_long_ends_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let (begun, late) = (folder.path().join("begun"), folder.path().join("late"));
        let script =
            format!("(sleep 3; touch {}) & touch {}; wait", late.display(), begun.display());
        let arguments = ["-c".to_owned(), script];
        let why = run("sh", &arguments, "{}", Duration::from_secs(1), &[]).await.unwrap_err();
        assert_eq!(why, "`sh`: not done within 1s");
        sleep(Duration::from_secs(3)).await;
        assert!(begun.exists() && !late.exists());
    }

    #[tokio::test]
    async fn a_program_is_given_the_message_and_none_of_our_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let script = format!(
            "{{ echo \"$#:$1:${{HOME-none}}:${{PATH:+some}}\"; cat; }} >{}",
            told.display()
        );
        let arguments = ["-c", &script, "sh", "$(touch x)"].map(str::to_owned);
        let message = "{\"text\":\"`touch x`; $HOME\"}";
        run("sh", &arguments, message, COMMAND_TIMEOUT, &["HOME"]).await.unwrap();
        let told = std::fs::read_to_string(told).unwrap();
        assert_eq!(told, format!("1:$(touch x):none:some\n{message}\n"));
        let feeds = "[[feed]]\nid = \"a\"\ntitle = \"a\"\nurl = \"https://a.example/\"\n\
            auth = \"bearer\"\nsecret = \"env:KEY_OF_A\"\n";
        let config = crate::config::parse("feeds.toml", feeds, std::path::Path::new("")).unwrap();
        let hidden = variables(config.feeds.values());
        assert!(hidden.contains(&"KEY_OF_A") && hidden.contains(&"CREDENTIALS_DIRECTORY"));
    }
}
