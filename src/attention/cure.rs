//! What cures a feed whose polls fail, as far as the reason tells it.
//!
//! The reason is kept in words only: what is looked for here are the words of this program and of
//! its libraries. What is not known gets the advice that is always right: to look at what comes.

use crate::attention::in_line;
use crate::model::id::FeedId;

/// What a cure depends on.
enum Cure {
    /// The address is wrong: what to look for.
    Address(&'static str),
    /// A key of the feed, or of the polls.
    Key(&'static str),
    /// The publisher's to mend.
    Theirs(&'static str),
}

/// Words of a reason, and what they mean; the first that fit count.
const CURES: [(&[&str], Cure); 10] = [
    (
        &["answered 404", "answered 410", "no such file", "No such file"],
        Cure::Address("it is not there: look for the feed's new address on the publisher's site"),
    ),
    (
        &["came instead of a feed"],
        Cure::Address("there is a page, and no feed: look for the feed's address in it"),
    ),
    (
        &["answered 401", "answered 403"],
        Cure::Key(
            "its server wants to know who asks, or keeps us out: write `auth` and `secret` if you \
             have a password, else ask the publisher to let us in",
        ),
    ),
    (
        &["certificate", "UnknownIssuer", "invalid peer"],
        Cure::Theirs(
            "its certificate is not trusted: the publisher has to renew it, or, if the authority is \
             your own, name its file as `ca_file`",
        ),
    ),
    (
        &["allow_private"],
        Cure::Key(
            "it lies at an address that is not public: if it is meant, list that address as \
             `allow_private`",
        ),
    ),
    (
        &["the secret `"],
        Cure::Key("the secret has to be where `secret` says, and readable for the daemon"),
    ),
    (
        &["body is over"],
        Cure::Key("its document is too large: a higher `body_max` below [polling] lets it in"),
    ),
    (
        &["lookup", "looked up", "dns", "no such name", "resolve"],
        Cure::Address("its host's name is not known: look for a mistake in it, or a new address"),
    ),
    (
        &["answered 5", "refused", "no connection", "reset", "said nothing", "not done"],
        Cure::Theirs(
            "its server does not work: nothing to do here, it is tried again by itself; write to \
             the publisher if it lasts",
        ),
    ),
    (&["redirect"], Cure::Address("its redirects lead nowhere: look for its new address")),
];

/// What to do about a feed that fails for this reason. `line` is that of its address.
#[must_use]
pub fn of_failure(reason: &str, feed: &FeedId, line: Option<usize>) -> String {
    let fits = |words: &&[&str]| words.iter().any(|word| reason.contains(word));
    match CURES.iter().find(|(words, _)| fits(words)).map(|(_, cure)| cure) {
        Some(Cure::Address(what)) => format!("{what}, and write it as `url`{}", in_line(line)),
        Some(Cure::Key(what) | Cure::Theirs(what)) => (*what).to_owned(),
        None => format!("look at what comes with `visnyk preview {feed}`, and tell the publisher"),
    }
}
