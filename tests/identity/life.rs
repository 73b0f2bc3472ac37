//! Any life of a feed.

use crate::acts::KINDS;
use crate::acts::NO_NEWS;
use crate::acts::with;
use crate::site::Simulation;
use crate::site::Story;
use proptest::prelude::*;

/// Pages that are no story's own, on the hosts that a site may have.
const HOME_PAGES: [&str; 2] = ["misto.example", "misto-rada.example"];

/// A thing that a site does to a story, in a long life of the feed.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// By its place in [`NO_NEWS`].
    Harmless(usize),
    /// The text.
    Edit,
    /// The title.
    Rename,
    /// Out of the window.
    Away,
    /// Into it again.
    Back,
    /// To another place in the document.
    Up,
    /// Twice in the document.
    Twice,
    /// A new story like it: the same title, another guid, page, text and date.
    Namesake,
}

fn any_event() -> impl Strategy<Value = (usize, Event)> {
    let event = prop_oneof![
        8 => (0..NO_NEWS.len()).prop_map(Event::Harmless),
        3 => Just(Event::Edit),
        1 => Just(Event::Rename),
        2 => Just(Event::Away),
        3 => Just(Event::Back),
        1 => Just(Event::Up),
        1 => Just(Event::Twice),
        1 => Just(Event::Namesake),
    ];
    (0..64_usize, event)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// At each poll the site does something to some of its stories, one thing to each.
    #[test]
    fn after_any_life_of_a_feed_each_story_is_there_once(
        kinds in prop::collection::vec(0..KINDS.len(), 1..12),
        polls in prop::collection::vec(prop::collection::vec(any_event(), 0..6), 1..25),
    ) {
        let mut site = Simulation::new();
        let told = kinds.iter().enumerate();
        let mut all: Vec<Life> =
            told.map(|(at, kind)| Life::of(with(at + 1, KINDS[*kind].1))).collect();
        for (poll, events) in polls.iter().enumerate() {
            let mut twice = Vec::new();
            for (which, event) in events {
                let which = which % all.len();
                let number = all.len() + 1;
                let life = &mut all[which];
                match event {
                    Event::Harmless(act) => life.change(NO_NEWS[*act].1),
                    Event::Edit => {
                        life.change(|story| story.text.insert_str(0, &format!("Правка {poll}. ")));
                    }
                    Event::Rename => life.change(|story| story.title.push('!')),
                    Event::Away => life.is_shown = false,
                    Event::Back => life.is_shown = true,
                    Event::Up => all.rotate_left(1),
                    Event::Twice => twice.push(life.story.number),
                    Event::Namesake => {
                        let title = life.story.title.clone();
                        all.push(Life::of(with(number, |story| story.title = title)));
                    }
                }
            }
            let mut document = Vec::new();
            for life in all.iter_mut().filter(|life| life.is_shown) {
                life.sent = Some(life.story.clone());
                document.push(life.story.clone());
            }
            let again = document.iter().filter(|story| twice.contains(&story.number));
            let again: Vec<Story> = again.cloned().collect();
            document.extend(again);
            site.poll(&document, &format!("poll {poll}"));
        }
        let added = usize::try_from(site.total.added).unwrap();
        prop_assert_eq!(added, site.seen.len());
    }
}

/// A story as its site has it now, and as it sent it last.
struct Life {
    story: Story,
    sent: Option<Story>,
    is_shown: bool,
}

impl Life {
    fn of(story: Story) -> Self {
        Self { story, sent: None, is_shown: true }
    }

    /// Does something, unless it would leave nothing by which the story can be known again.
    fn change(&mut self, act: impl Fn(&mut Story)) {
        let mut next = self.story.clone();
        act(&mut next);
        if self.sent.as_ref().is_none_or(|sent| is_told(sent, &next)) {
            self.story = next;
        }
    }
}

/// Whether an id stays that is the story's own, or with the title the page.
fn is_told(old: &Story, new: &Story) -> bool {
    let own = |address: &Option<String>| {
        let plain = address.as_deref().map(plain);
        plain.filter(|address| !HOME_PAGES.contains(&address.as_str()) && address.len() > 3)
    };
    let stays = |old: &Option<String>, new: &Option<String>| {
        let old = own(old);
        old.is_some() && old == own(new)
    };
    stays(&old.guid, &new.guid) || (stays(&old.link, &new.link) && old.title == new.title)
}

/// An address without what [`NO_NEWS`] does to it.
fn plain(address: &str) -> String {
    let end = ["&utm", "?utm", "&PHPSESSID", ";jsessionid", "#comments"];
    let end = end.iter().filter_map(|tail| address.find(tail)).min().unwrap_or(address.len());
    let bare = address[..end].replace("https://", "").replace("http://", "").replace("www.", "");
    bare.replace("%70", "p").trim_end_matches('/').to_owned()
}
