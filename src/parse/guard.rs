//! The pass in front of feed-rs: reads a document of any make within bounds, mends it, and
//! writes it anew in the plainest form that feed-rs reads.
//!
//! # How entries are joined again
//! Each entry is written with its place as its id, and its true id is kept beside it. So feed-rs
//! never makes an id, and what it gives is joined exactly, whatever it leaves out.
//!
//! # What is mended
//! Elements are closed where their parent closes; an end without a start is passed over; a
//! document that breaks off is cut after the last whole entry. Each repair is told.
//!
//! Nothing here recurses: a document of any depth is read with a stack of at most `DEPTH_MAX`.

use crate::model::entry::Format;
use crate::model::xml;
use crate::parse::ENTRIES_MAX;
use crate::parse::ParseError;
use crate::parse::Repairs;
use crate::parse::cut;
use crate::parse::draft::Draft;
use crate::parse::draft::Side;
use crate::parse::field;
use crate::parse::field::Field;
use crate::parse::field::Node;
use crate::parse::lexer::Lexer;
use crate::parse::lexer::Token;
use crate::parse::name::DECLARATIONS_MAX;
use crate::parse::name::Scope;
use crate::parse::name::Space;
use crate::parse::root;
use crate::parse::shown;
use quick_xml::escape::escape;
use url::Url;

/// How deep elements may be nested.
const DEPTH_MAX: usize = 64;

/// How deep elements of a feed, such as `media:group`, may be nested below an entry.
const NODE_DEPTH_MAX: usize = 8;

/// How deep `xml:base` is heeded.
const BASE_DEPTH_MAX: usize = 8;

/// How many elements of a feed are read within one field of an entry.
const NODES_MAX: usize = 128;

/// How many fields of one entry are read.
const FIELDS_MAX: usize = 512;

/// How long one text may be.
const TEXT_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// How many tags and texts of a document are read.
const TOKENS_MAX: usize = 2_000_000;

/// Elements of HTML that have no end.
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// A document that feed-rs can be given, and what it would have lost of it.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) format: Format,
    /// RSS 2.0 or Atom 1.0, plain and within bounds.
    pub(super) text: String,
    pub(super) feed: Side,
    /// Of each entry, in the order of the document.
    pub(super) entries: Vec<Side>,
}

/// Reads, bounds, mends and rewrites a document.
pub(super) fn guard(
    text: &str,
    base: Option<&Url>,
    repairs: &mut Repairs,
) -> Result<Guarded, ParseError> {
    let (offset, format) = root::find(text, base)?;
    if text[..offset].contains("<!ENTITY") {
        repairs.note("entities declared by the document were not expanded");
    }
    let before = text[..offset].trim_start();
    if !before.is_empty() && !before.starts_with("<?xml") && !before.starts_with("<!") {
        repairs.note(&format!("{:?} before the feed was dropped", shown(before)));
    }
    let mut pass = Pass::new(text, offset, format, base, repairs);
    pass.run();
    let rest = &text[pass.end..];
    let guarded = pass.finish()?;
    if is_silent(rest) {
        return Ok(guarded);
    }
    // Two documents one after the other: the second counts if the first has nothing to say.
    if guarded.entries.is_empty()
        && let Ok((offset, format)) = root::find(rest, base)
    {
        let mut second = Pass::new(rest, offset, format, base, repairs);
        second.run();
        let second = second.finish()?;
        repairs.note("an empty feed before the feed was passed over");
        return Ok(second);
    }
    repairs.note_rest();
    Ok(guarded)
}

/// Whether nothing follows but white space, comments and instructions (XML 1.0, 2.8).
fn is_silent(mut rest: &str) -> bool {
    loop {
        rest = rest
            .trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
        let closed = |open, close: &'static str| {
            let inner = rest.strip_prefix(open)?;
            Some(inner.find(close).map_or("", |end| &inner[end + close.len()..]))
        };
        match closed("<!--", "-->").or_else(|| closed("<?", "?>")) {
            Some(behind) => rest = behind,
            None => return rest.is_empty(),
        }
    }
}

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Root,
    Channel,
    Entry,
    Field,
    /// HTML or XHTML within a text.
    Markup,
    /// Markup whose tags are not kept: the `div` that only wraps XHTML.
    Wrapper,
    Node,
    /// An element that is passed over with all that is in it.
    Skipped,
}

struct Open {
    name: String,
    what: What,
}

struct Pass<'a> {
    lexer: Lexer<'a>,
    format: Format,
    repairs: &'a mut Repairs,
    base: Option<&'a Url>,
    stack: Vec<Open>,
    /// How many elements are open below the deepest that is kept.
    too_deep: usize,
    scope: Scope,
    bases: Vec<(usize, Url)>,
    field: Option<Field>,
    entry: Option<Draft>,
    /// How many fields of the entry, or of the feed itself, were opened.
    fields_of_entry: usize,
    fields_of_feed: usize,
    feed: Draft,
    out: String,
    entries: Vec<Side>,
    entries_seen: usize,
    root_closed: bool,
    /// Where the root ended, if it did.
    end: usize,
    cut: Option<(usize, String)>,
}

impl<'a> Pass<'a> {
    fn new(
        text: &'a str,
        offset: usize,
        format: Format,
        base: Option<&'a Url>,
        repairs: &'a mut Repairs,
    ) -> Self {
        Self {
            lexer: Lexer::new(text, offset),
            format,
            repairs,
            base,
            stack: Vec::new(),
            too_deep: 0,
            scope: Scope::new(if format == Format::Atom { Space::Atom } else { Space::Rss }),
            bases: Vec::new(),
            field: None,
            entry: None,
            fields_of_entry: 0,
            fields_of_feed: 0,
            feed: Draft::default(),
            out: String::new(),
            entries: Vec::new(),
            entries_seen: 0,
            root_closed: false,
            end: text.len(),
            cut: None,
        }
    }

    fn run(&mut self) {
        for _ in 0..TOKENS_MAX {
            match self.lexer.next() {
                Token::Start { name, attributes, empty } => self.start(name, attributes, empty),
                Token::End { name } => self.end(&name),
                Token::Text { text, stray } => self.text(&text, stray),
                Token::Mended { text, repair } => {
                    self.repairs.note(repair);
                    self.text(&text, false);
                }
                Token::Stop { problem } => {
                    if !self.root_closed {
                        let problem =
                            problem.unwrap_or_else(|| "it ends within the feed".to_owned());
                        self.cut = Some((self.lexer.position(), problem));
                    }
                    return;
                }
            }
            if self.root_closed {
                self.end = self.lexer.position();
                return;
            }
        }
        self.cut = Some((self.lexer.position(), format!("more than {TOKENS_MAX} tags and texts")));
    }

    fn finish(mut self) -> Result<Guarded, ParseError> {
        if let Some((position, problem)) = self.cut.take() {
            if self.entries.is_empty() {
                return Err(ParseError::Broken { position, problem });
            }
            self.repairs.note_cut(position, &problem, self.entries.len());
        }
        self.repairs.note_entries(self.entries_seen);
        let mut text = String::with_capacity(self.out.len() + self.feed.out.len() + 256);
        let (head, foot) = if self.format == Format::Atom {
            ("<feed xmlns=\"http://www.w3.org/2005/Atom\">", "</feed>")
        } else {
            let head = "<rss version=\"2.0\" \
                        xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel>";
            (head, "</channel></rss>")
        };
        text.push_str(head);
        text.push_str(&self.feed.out);
        text.push_str(&self.out);
        text.push_str(foot);
        let Self { format, feed, entries, .. } = self;
        Ok(Guarded { format, text, feed: feed.side, entries })
    }

    fn start(&mut self, name: String, attributes: Vec<(String, String)>, empty: bool) {
        let top = self.stack.last().map(|open| open.what);
        if self.too_deep > 0 || self.stack.len() >= DEPTH_MAX {
            self.too_deep += usize::from(!empty && !is_void(&name));
            self.repairs.note(&format!("elements nested deeper than {DEPTH_MAX} lost their tags"));
            return;
        }
        if !self.scope.declare(self.stack.len() + 1, &attributes) {
            self.repairs.note(&format!("only {DECLARATIONS_MAX} namespaces were heeded"));
        }
        let (space, local) = self.scope.resolve(&name);
        if top.is_none() {
            self.open_root(name, &attributes, (space, &local), empty);
            return;
        }
        if self.is_entry(space, &local) && !self.is_within_xhtml() {
            self.close_entry_left_open();
            self.open_entry(name, &attributes, empty);
            return;
        }
        if self.field.is_some() && self.begins_field(space, &local) {
            let place = self.place_of(What::Field);
            self.note_unclosed(place);
            self.close(place);
        }
        let what = if self.field.is_some() {
            self.start_within_field(space, &local, attributes)
        } else if top == Some(What::Skipped) {
            What::Skipped
        } else if local == "channel" && self.entry.is_none() {
            self.take_about(&attributes);
            self.push_base(&attributes);
            What::Channel
        } else {
            self.open_field(space, local, attributes)
        };
        self.open(name, what, empty);
    }

    fn open_root(
        &mut self,
        name: String,
        attributes: &[(String, String)],
        (space, local): (Space, &str),
        empty: bool,
    ) {
        self.push_base(attributes);
        self.feed.side.language = field::attribute(attributes, "xml:lang").map(str::to_owned);
        if local == "rss" {
            let version = field::attribute(attributes, "version").unwrap_or_default();
            if version.is_empty() {
                self.repairs.note("RSS without a version was read as 2.0");
            } else if !matches!(version, "2.0" | "0.91" | "0.92" | "0.93" | "0.94") {
                self.repairs.note(&format!("RSS of version {} was read as 2.0", shown(version)));
            }
        }
        if self.is_entry(space, local) {
            self.stack.push(Open { name: String::new(), what: What::Root });
            self.open_entry(name, attributes, empty);
        } else {
            self.open(name, What::Root, empty);
        }
    }

    fn open_entry(&mut self, name: String, attributes: &[(String, String)], empty: bool) {
        self.entries_seen += 1;
        if self.entries.len() >= ENTRIES_MAX {
            self.open(name, What::Skipped, empty);
            return;
        }
        let mut draft = Draft::default();
        self.push_base(attributes);
        draft.side.base = self.base_now().cloned();
        draft.side.language = field::attribute(attributes, "xml:lang").map(str::to_owned);
        if self.format == Format::Rdf
            && let Some(about) = about(attributes)
        {
            draft.side.id = Some(about.to_owned());
            draft.side.id_is_permalink = true;
        }
        self.entry = Some(draft);
        self.fields_of_entry = 0;
        self.open(name, What::Entry, empty);
    }

    fn open_field(
        &mut self,
        space: Space,
        local: String,
        attributes: Vec<(String, String)>,
    ) -> What {
        let fields = match self.entry {
            Some(_) => &mut self.fields_of_entry,
            None => &mut self.fields_of_feed,
        };
        *fields += 1;
        if *fields > FIELDS_MAX {
            let whose = if self.entry.is_some() { "an entry" } else { "the feed itself" };
            self.repairs
                .note(&format!("only the first {FIELDS_MAX} elements of {whose} were read"));
            return What::Skipped;
        }
        self.push_base(&attributes);
        let is_structured = matches!(
            (space, local.as_str()),
            (Space::Media, _)
                | (Space::Rss | Space::Atom, "author" | "contributor" | "image" | "textinput")
                | (Space::Rss, "skiphours" | "skipdays")
                | (Space::Atom, "source" | "generator")
        );
        let base = self.base_now().cloned();
        self.field = Some(Field {
            space,
            name: local,
            attributes,
            text: String::new(),
            has_markup: false,
            is_cut: false,
            is_structured,
            nodes: Vec::new(),
            base,
        });
        What::Field
    }

    fn start_within_field(
        &mut self,
        space: Space,
        local: &str,
        attributes: Vec<(String, String)>,
    ) -> What {
        let nodes_open = self.stack.iter().filter(|open| open.what == What::Node).count();
        let Some(field) = &mut self.field else { return What::Skipped };
        if field.is_structured {
            if nodes_open >= NODE_DEPTH_MAX || field.nodes.len() >= NODES_MAX {
                self.repairs.note(&format!(
                    "of `{}` only {NODES_MAX} elements, {NODE_DEPTH_MAX} deep, were read",
                    field.name
                ));
                return What::Skipped;
            }
            let name = local.to_owned();
            let depth = nodes_open + 1;
            field.nodes.push(Node { space, name, attributes, text: String::new(), depth });
            return What::Node;
        }
        let is_first = field.text.trim().is_empty() && !field.has_markup;
        field.has_markup = true;
        if is_first && local == "div" && field::is_xhtml(field) {
            return What::Wrapper;
        }
        let mut tag = format!("<{local}");
        for (name, value) in attributes.iter().filter(|(name, _)| !name.starts_with("xmlns")) {
            tag.extend([" ", name, "=\"", &escape(value.as_str()), "\""]);
        }
        tag.push('>');
        self.append(&tag);
        What::Markup
    }

    /// Opens an element, or an empty one at once closes it.
    fn open(&mut self, name: String, what: What, empty: bool) {
        if what == What::Markup && is_void(&name) {
            return;
        }
        self.stack.push(Open { name, what });
        if empty {
            self.close(self.stack.len() - 1);
        }
    }

    fn end(&mut self, name: &str) {
        if self.too_deep > 0 {
            self.too_deep -= usize::from(!is_void(name));
            return;
        }
        let found = self.stack.iter().rposition(|open| open.name.eq_ignore_ascii_case(name));
        let Some(place) = found else {
            if !is_void(name) {
                self.repairs.note(&format!("`</{}>` without a start was passed over", shown(name)));
            }
            return;
        };
        self.note_unclosed(place + 1);
        self.close(place);
    }

    /// Closes the open elements from a place on, the innermost first.
    fn close(&mut self, place: usize) {
        while self.stack.len() > place {
            let Some(open) = self.stack.pop() else { return };
            let depth = self.stack.len() + 1;
            match open.what {
                What::Markup => {
                    let local = open.name.rsplit(':').next().unwrap_or_default();
                    self.append(&format!("</{}>", local.to_ascii_lowercase()));
                }
                What::Field => self.close_field(),
                What::Entry => self.close_entry(),
                What::Root => self.root_closed = true,
                What::Channel | What::Wrapper | What::Node | What::Skipped => {}
            }
            self.scope.leave(depth);
            while self.bases.last().is_some_and(|(at, _)| *at >= depth) {
                self.bases.pop();
            }
        }
        if self.stack.len() == 1 && self.stack[0].name.is_empty() {
            self.root_closed = true;
        }
    }

    fn close_field(&mut self) {
        let Some(field) = self.field.take() else { return };
        match &mut self.entry {
            Some(draft) => {
                if field.name == "content" && draft.side.language.is_none() {
                    draft.side.language = field.attribute("xml:lang").map(str::to_owned);
                }
                if field.name == "content" && field.attribute("xml:base").is_some() {
                    draft.side.base.clone_from(&field.base);
                }
                draft.take_of_entry(&field, self.format, self.repairs);
            }
            None => self.feed.take_of_feed(&field, self.format, self.repairs),
        }
    }

    fn close_entry(&mut self) {
        let Some(mut draft) = self.entry.take() else { return };
        draft.settle();
        let place = self.entries.len();
        let (name, id) =
            if self.format == Format::Atom { ("entry", "id") } else { ("item", "guid") };
        let place = place.to_string();
        self.out.extend(["<", name, "><", id, ">", &place, "</", id, ">"]);
        self.out.extend([draft.out.as_str(), "</", name, ">"]);
        self.entries.push(draft.side);
    }

    fn close_entry_left_open(&mut self) {
        let is_left = |open: &Open| matches!(open.what, What::Entry | What::Field | What::Skipped);
        if let Some(place) = self.stack.iter().position(is_left) {
            self.note_unclosed(place);
            self.close(place);
        }
    }

    fn text(&mut self, text: &str, stray: bool) {
        let node_is_open = self.stack.last().is_some_and(|open| open.what == What::Node);
        let is_skipped = self.stack.last().is_some_and(|open| open.what == What::Skipped);
        let Some(field) = &mut self.field else { return };
        if is_skipped {
            return;
        }
        if stray {
            self.repairs.note("a stray `&` or `<`, or a bad reference, was mended");
        }
        if node_is_open {
            if let Some(node) = field.nodes.last_mut()
                && node.text.len() + text.len() <= TEXT_BYTES_MAX
            {
                push_allowed(&mut node.text, text, self.repairs);
            }
            return;
        }
        if !field.is_structured && field::is_xhtml(field) {
            let escaped = quick_xml::escape::partial_escape(text);
            self.append(&escaped);
        } else {
            self.append(text);
        }
    }

    fn append(&mut self, text: &str) {
        let Some(field) = &mut self.field else { return };
        if field.is_cut {
            return;
        }
        let room = TEXT_BYTES_MAX - field.text.len();
        push_allowed(&mut field.text, cut(text, room), self.repairs);
        if text.len() > room {
            field.is_cut = true;
            let name = &field.name;
            self.repairs.note(&format!("`{name}` was cut after {TEXT_BYTES_MAX} bytes"));
        }
    }

    /// Whether an element within a text is really the next field, the text's end tag missing.
    fn begins_field(&self, space: Space, local: &str) -> bool {
        let Some(field) = &self.field else { return false };
        if field.is_structured || field::is_xhtml(field) {
            return false;
        }
        match space {
            Space::Content | Space::Dublin | Space::DublinTerms | Space::Media | Space::GeoRss => {
                true
            }
            Space::Rss | Space::Atom => matches!(
                local,
                "pubdate"
                    | "guid"
                    | "description"
                    | "category"
                    | "enclosure"
                    | "updated"
                    | "published"
            ),
            _ => false,
        }
    }

    fn is_entry(&self, space: Space, local: &str) -> bool {
        match self.format {
            Format::Atom => local == "entry" && space == Space::Atom,
            _ => local == "item" && matches!(space, Space::Rss | Space::Atom),
        }
    }

    fn is_within_xhtml(&self) -> bool {
        self.field.as_ref().is_some_and(field::is_xhtml)
    }

    fn place_of(&self, what: What) -> usize {
        self.stack.iter().position(|open| open.what == what).unwrap_or(self.stack.len())
    }

    fn note_unclosed(&mut self, place: usize) {
        let unclosed = self.stack.iter().skip(place).find(|open| !is_closed_by_html(&open.name));
        if let Some(open) = unclosed {
            let name = shown(&open.name);
            self.repairs.note(&format!("`<{name}>` without an end was closed"));
        }
    }

    fn take_about(&mut self, attributes: &[(String, String)]) {
        if self.format == Format::Rdf {
            self.feed.side.id = about(attributes).map(str::to_owned);
        }
    }

    fn push_base(&mut self, attributes: &[(String, String)]) {
        let Some(said) = field::attribute(attributes, "xml:base") else { return };
        let depth = self.stack.len() + 1;
        let base = match self.base_now() {
            Some(around) => around.join(said),
            None => Url::parse(said),
        };
        match base {
            Ok(base) if depth <= BASE_DEPTH_MAX => self.bases.push((depth, base)),
            _ => self.repairs.note(&format!("xml:base `{}` was dropped", shown(said))),
        }
    }

    fn base_now(&self) -> Option<&Url> {
        self.bases.last().map(|(_, base)| base).or(self.base)
    }
}

/// What an element of RDF is about, whatever prefix RDF has.
fn about(attributes: &[(String, String)]) -> Option<&str> {
    let found = attributes.iter().find(|(name, _)| name.rsplit(':').next() == Some("about"));
    found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

/// Whether HTML gives an element no end.
fn is_void(name: &str) -> bool {
    let local = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
    VOID.contains(&local.as_str())
}

/// Whether HTML lets an element end without a tag (HTML, 13.1.2.4).
fn is_closed_by_html(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "p" | "li" | "dt" | "dd" | "tr" | "td" | "th" | "option"
    )
}

/// Adds text without the characters that XML forbids, its line ends as XML reads them.
fn push_allowed(target: &mut String, text: &str, repairs: &mut Repairs) {
    let is_plain = |byte: u8| byte >= b' ' || matches!(byte, b'\n' | b'\t');
    if text.bytes().all(|byte| is_plain(byte) && byte != 0xef) {
        target.push_str(text);
        return;
    }
    let mut forbidden = false;
    let mut previous = ' ';
    for character in text.chars() {
        match character {
            '\r' => target.push('\n'),
            '\n' if previous == '\r' => {}
            _ if xml::is_char(character) => target.push(character),
            _ => forbidden = true,
        }
        previous = character;
    }
    if forbidden {
        repairs.note("control characters were dropped");
    }
}
