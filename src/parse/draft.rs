//! A feed or an entry in the making: what is written anew for feed-rs, and what is kept beside it.
//!
//! feed-rs reads titles, texts, links and categories. Dates, persons, media, sources, places,
//! languages and rights are kept here as the document gives them: feed-rs loses them, mixes them
//! or panics on them.

use crate::model::entry::Category;
use crate::model::entry::EntrySource;
use crate::model::entry::Format;
use crate::model::entry::Media;
use crate::model::entry::MediaRole;
use crate::model::entry::Person;
use crate::parse::Repairs;
use crate::parse::field::Field;
use crate::parse::field::Node;
use crate::parse::field::TextType;
use crate::parse::field::attribute;
use crate::parse::field::is_xhtml;
use crate::parse::field::media_from;
use crate::parse::field::media_of;
use crate::parse::field::person;
use crate::parse::field::said_of;
use crate::parse::field::text_type;
use crate::parse::hints::Hints;
use crate::parse::name::Space;
use crate::parse::shown;
use quick_xml::escape::escape;
use url::Url;

/// How many media elements of an entry are kept.
const MEDIA_MAX: usize = 64;

/// What is read of a feed or an entry: the elements for feed-rs, and what it would lose.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The elements for feed-rs.
    pub(super) out: String,
    written: Vec<&'static str>,
    published_rank: Option<u8>,
    updated_rank: Option<u8>,
    pub(super) side: Side,
}

/// What feed-rs would lose.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) id: Option<String>,
    pub(super) id_is_permalink: bool,
    pub(super) published: Option<String>,
    pub(super) updated: Option<String>,
    pub(super) authors: Vec<Person>,
    pub(super) subjects: Vec<Category>,
    pub(super) media: Vec<Media>,
    pub(super) media_title: Option<String>,
    pub(super) media_description: Option<String>,
    pub(super) related_links: Vec<String>,
    pub(super) source: Option<EntrySource>,
    pub(super) language: Option<String>,
    pub(super) rights: Option<String>,
    pub(super) icon: Option<String>,
    pub(super) hub: Option<String>,
    pub(super) views: Option<u64>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    pub(super) base: Option<Url>,
    pub(super) hints: Hints,
}

impl Side {
    pub(super) fn point(&self) -> Option<(f64, f64)> {
        let (latitude, longitude) = (self.latitude?, self.longitude?);
        let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        is_on_earth.then_some((latitude, longitude))
    }
}

impl Draft {
    /// Takes in a field of an entry.
    pub(super) fn take_of_entry(&mut self, field: &Field, format: Format, repairs: &mut Repairs) {
        match (field.space, field.name.as_str()) {
            (Space::Rss, "guid") => {
                self.side.id = field.said().or(self.side.id.take());
                let denied = field
                    .attribute("isPermaLink")
                    .is_some_and(|value| value.eq_ignore_ascii_case("false"));
                self.side.id_is_permalink = self.side.id.is_some() && !denied;
            }
            (Space::Atom, "id") => self.side.id = self.side.id.take().or(field.said()),
            (Space::Rss | Space::Atom, "title") => self.write_text("title", field, format, repairs),
            (Space::Rss, "description") => self.write_text("description", field, format, repairs),
            (Space::Atom, "summary") => {
                self.write_text(summary_name(format), field, format, repairs);
            }
            (Space::Content, "encoded")
            | (Space::Atom, "content")
            | (Space::Xhtml, "body" | "div") => {
                self.write_text(content_name(format), field, format, repairs);
            }
            (Space::Other, "full-text" | "fulltext") | (Space::Rss, "content")
                if format != Format::Atom =>
            {
                self.write_text(content_name(format), field, format, repairs);
            }
            (Space::Rss, "link") if format != Format::Atom && field.attribute("href").is_none() => {
                self.write_rss_link(field);
            }
            (Space::Rss | Space::Atom, "link") => self.take_link(field, format, repairs),
            (Space::Rss | Space::Atom, "category") => self.write_category(field, format),
            (Space::Rss, "enclosure") => self.take_media(media_of(field), repairs),
            (Space::Rss, "image") => {
                let url = field.child("url").or(field.said());
                let url = url.map(|url| field.absolute(&url)).unwrap_or_default();
                self.take_media(
                    Media { role: MediaRole::Content, url, ..Media::default() },
                    repairs,
                );
            }
            (Space::Rss, "source") => self.take_rss_source(field),
            (Space::Atom, "source") => self.take_atom_source(field),
            (Space::Media, _) => self.take_media_field(field, repairs),
            (Space::Dublin, "title") => self.write_later("title", field),
            (Space::Dublin, "description") => self.write_later(summary_name(format), field),
            (Space::Dublin, "identifier") if self.side.id.is_none() => self.side.id = field.said(),
            (Space::Dublin, "subject") => {
                let subjects =
                    field.said().map(|term| Category { term, scheme: None, label: None });
                self.side.subjects.extend(subjects);
            }
            (Space::GeoRss, "point") => self.take_point(&field.text),
            (Space::Geo, "lat") => self.side.latitude = field.text.trim().parse().ok(),
            (Space::Geo, "long") => self.side.longitude = field.text.trim().parse().ok(),
            _ => self.take_common(field),
        }
    }

    /// Takes in a field of the feed itself.
    pub(super) fn take_of_feed(&mut self, field: &Field, format: Format, repairs: &mut Repairs) {
        self.side.hints.take(field);
        match (field.space, field.name.as_str()) {
            (Space::Rss | Space::Atom, "title")
                if format == Format::Atom || field.space == Space::Rss =>
            {
                self.write_text("title", field, format, repairs);
            }
            (Space::Rss, "link") if format != Format::Atom && field.attribute("href").is_none() => {
                self.write_rss_link(field);
            }
            (Space::Rss | Space::Atom, "link") => {
                if field.attribute("rel").is_none_or(|rel| rel == "alternate") {
                    self.take_link(field, format, repairs);
                } else if field.attribute("rel") == Some("hub") {
                    let hub = field.attribute("href").map(|href| field.absolute(href));
                    self.side.hub = self.side.hub.take().or(hub);
                }
            }
            (Space::Atom, "id") => self.side.id = self.side.id.take().or(field.said()),
            (Space::Atom, "icon") => {
                self.side.icon = field.said().map(|icon| field.absolute(&icon));
            }
            (Space::Rss, "language") => {
                self.side.language = field.said().or(self.side.language.take());
            }
            (Space::Rss, "lastbuilddate") => self.take_updated(0, field),
            (Space::Rss, "pubdate") => self.take_updated(2, field),
            (Space::Dublin, "date") => self.take_updated(3, field),
            (Space::Rss, "managingeditor") => {
                self.side.authors.extend(field.said().map(|text| person(&text)));
            }
            _ => self.take_common(field),
        }
    }

    fn take_common(&mut self, field: &Field) {
        match (field.space, field.name.as_str()) {
            (Space::Rss | Space::Atom, "pubdate") => self.take_published(0, field),
            (Space::Rss | Space::Atom, "published") => self.take_published(1, field),
            (Space::Rss | Space::Atom, "issued") => self.take_published(2, field),
            (Space::Dublin, "date") => self.take_published(3, field),
            (Space::DublinTerms, "issued" | "date") => self.take_published(4, field),
            (Space::DublinTerms | Space::Atom | Space::Rss, "created") | (Space::Rss, "date") => {
                self.take_published(5, field);
            }
            (Space::Rss | Space::Atom, "updated") => self.take_updated(0, field),
            (Space::Rss | Space::Atom, "modified") => self.take_updated(1, field),
            (Space::DublinTerms, "modified") => self.take_updated(2, field),
            (Space::Rss | Space::Atom, "author") | (Space::Dublin, "creator") => {
                self.take_author(field);
            }
            (Space::Dublin, "language") => {
                self.side.language = self.side.language.take().or(field.said());
            }
            (Space::Dublin, "rights")
            | (Space::Rss, "copyright")
            | (Space::Atom, "rights" | "copyright") => {
                self.side.rights = self.side.rights.take().or(field.said());
            }
            _ => {}
        }
    }

    fn take_published(&mut self, rank: u8, field: &Field) {
        take_ranked(&mut self.side.published, &mut self.published_rank, rank, field.said());
    }

    fn take_updated(&mut self, rank: u8, field: &Field) {
        take_ranked(&mut self.side.updated, &mut self.updated_rank, rank, field.said());
    }

    fn take_author(&mut self, field: &Field) {
        let (name, email, url) = (field.child("name"), field.child("email"), field.child("uri"));
        let url = url.or(field.child("url")).map(|url| field.absolute(&url));
        if name.is_some() || email.is_some() || url.is_some() {
            self.side.authors.push(Person { name, email, url });
        } else {
            self.side.authors.extend(field.said().map(|text| person(&text)));
        }
    }

    fn take_point(&mut self, text: &str) {
        let mut numbers = text.split([' ', ',', '\n', '\t']).filter(|part| !part.is_empty());
        self.side.latitude = numbers.next().and_then(|number| number.parse().ok());
        self.side.longitude = numbers.next().and_then(|number| number.parse().ok());
    }

    fn take_rss_source(&mut self, field: &Field) {
        let url = field.attribute("url").map(|url| field.absolute(url));
        if url.is_some() || field.said().is_some() {
            self.side.source = Some(EntrySource { title: field.said(), url });
        }
    }

    fn take_atom_source(&mut self, field: &Field) {
        let link = |wanted: &str| {
            field.nodes.iter().find_map(|node| {
                let rel = attribute(&node.attributes, "rel").unwrap_or("alternate");
                let is_wanted = node.depth == 1 && node.name == "link" && rel == wanted;
                is_wanted.then(|| attribute(&node.attributes, "href")).flatten()
            })
        };
        let url = link("alternate").or_else(|| link("self")).map(|url| field.absolute(url));
        let title = field.child("title");
        if url.is_some() || title.is_some() {
            self.side.source = Some(EntrySource { title, url });
        }
        self.side.rights = self.side.rights.take().or(field.child("rights"));
    }

    fn take_link(&mut self, field: &Field, format: Format, repairs: &mut Repairs) {
        let Some(href) = field.attribute("href") else {
            // Atom 0.3 and mistaken documents write the address as text.
            if format == Format::Atom
                && let Some(address) = field.said()
            {
                self.write_atom_link("alternate", &field.absolute(&address));
            }
            return;
        };
        let href = field.absolute(href);
        let rel = field.attribute("rel").unwrap_or("alternate");
        match rel.strip_prefix("http://www.iana.org/assignments/relation/").unwrap_or(rel) {
            "enclosure" => {
                let media = Media { url: href, ..media_of(field) };
                self.take_media(media, repairs);
            }
            rel @ ("alternate" | "via" | "related") if format == Format::Atom => {
                self.write_atom_link(rel, &href);
            }
            "alternate" => self.write("link", &href),
            "via" | "related" => self.side.related_links.push(href),
            _ => {}
        }
    }

    fn take_media(&mut self, media: Media, repairs: &mut Repairs) {
        if media.url.is_empty() {
            return;
        }
        if self.side.media.len() < MEDIA_MAX {
            self.side.media.push(media);
        } else {
            repairs
                .note(&format!("only the first {MEDIA_MAX} media elements of an entry were read"));
        }
    }

    fn take_media_field(&mut self, field: &Field, repairs: &mut Repairs) {
        match field.name.as_str() {
            "title" => self.side.media_title = field.said(),
            "description" => self.side.media_description = field.said(),
            "content" | "thumbnail" | "group" | "community" | "statistics" => {}
            _ => return,
        }
        let mut nodes = field.nodes.iter().collect::<Vec<_>>();
        let own = Node {
            space: field.space,
            name: field.name.clone(),
            attributes: field.attributes.clone(),
            text: String::new(),
            depth: 0,
        };
        nodes.insert(0, &own);
        for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.space == Space::Media)
        {
            let role = match node.name.as_str() {
                "content" => MediaRole::Content,
                "thumbnail" => MediaRole::Thumbnail,
                "statistics" => {
                    let views =
                        attribute(&node.attributes, "views").and_then(|views| views.parse().ok());
                    self.side.views = self.side.views.or(views);
                    continue;
                }
                _ => continue,
            };
            let Some(url) = attribute(&node.attributes, "url") else { continue };
            let mut media = media_from(&node.attributes, field.absolute(url));
            media.role = role;
            media.title = said_of(&nodes, place, "title");
            media.description = said_of(&nodes, place, "description");
            self.take_media(media, repairs);
        }
    }

    /// What is said of all media of an entry is said of each that has no words of its own.
    pub(super) fn settle(&mut self) {
        for media in &mut self.side.media {
            if media.role == MediaRole::Content {
                media.title = media.title.take().or_else(|| self.side.media_title.clone());
                let description = media.description.take();
                media.description = description.or_else(|| self.side.media_description.clone());
            }
        }
    }

    fn write_text(
        &mut self,
        name: &'static str,
        field: &Field,
        format: Format,
        repairs: &mut Repairs,
    ) {
        if self.written.contains(&name) || field.text.trim().is_empty() {
            return;
        }
        self.written.push(name);
        if field.has_markup && !is_xhtml(field) {
            repairs.note(&format!("unescaped markup in `{}` was kept as HTML", field.name));
        }
        if format != Format::Atom {
            self.write(name, &field.text);
            return;
        }
        let kind = match text_type(field) {
            TextType::Plain => "text",
            TextType::Html => "html",
            TextType::Odd => {
                let said = field.attribute("type").unwrap_or_default();
                repairs.note(&format!(
                    "unknown type `{}` of `{}` passed over",
                    shown(said),
                    field.name
                ));
                if field.text.contains('<') { "html" } else { "text" }
            }
            TextType::Binary => {
                self.written.pop();
                return;
            }
        };
        self.out.extend(["<", name, " type=\"", kind, "\">"]);
        push_cdata(&mut self.out, &field.text);
        self.out.extend(["</", name, ">"]);
    }

    /// Writes a text of Dublin Core where the format's own is missing so far.
    fn write_later(&mut self, name: &'static str, field: &Field) {
        if !self.written.contains(&name) && field.said().is_some() {
            self.write(name, &field.text);
        }
    }

    fn write_rss_link(&mut self, field: &Field) {
        if let Some(address) = field.said().filter(|_| !self.written.contains(&"link")) {
            self.written.push("link");
            self.write("link", &field.absolute(&address));
        }
    }

    fn write_atom_link(&mut self, rel: &str, href: &str) {
        self.out.extend(["<link rel=\"", rel, "\" href=\"", &escape(href), "\"/>"]);
    }

    fn write_category(&mut self, field: &Field, format: Format) {
        let term = field.attribute("term").map(str::to_owned).or(field.said());
        let Some(term) = term.or(field.attribute("label").map(str::to_owned)) else { return };
        let scheme = field.attribute("domain").or(field.attribute("scheme"));
        if format == Format::Atom {
            self.out.extend(["<category term=\"", &escape(&term), "\""]);
            push_attribute(&mut self.out, "scheme", scheme);
            push_attribute(&mut self.out, "label", field.attribute("label"));
            self.out.push_str("/>");
        } else {
            self.out.push_str("<category");
            push_attribute(&mut self.out, "domain", scheme);
            self.out.push('>');
            push_cdata(&mut self.out, &term);
            self.out.push_str("</category>");
        }
    }

    fn write(&mut self, name: &str, text: &str) {
        self.out.extend(["<", name, ">"]);
        push_cdata(&mut self.out, text);
        self.out.extend(["</", name, ">"]);
    }
}

fn summary_name(format: Format) -> &'static str {
    if format == Format::Atom { "summary" } else { "description" }
}

fn content_name(format: Format) -> &'static str {
    if format == Format::Atom { "content" } else { "content:encoded" }
}

fn take_ranked(slot: &mut Option<String>, known: &mut Option<u8>, rank: u8, text: Option<String>) {
    if text.is_some() && known.is_none_or(|known| rank < known) {
        *slot = text;
        *known = Some(rank);
    }
}

fn push_attribute(out: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.extend([" ", name, "=\"", &escape(value), "\""]);
    }
}

fn push_cdata(out: &mut String, text: &str) {
    out.push_str("<![CDATA[");
    out.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
    out.push_str("]]>");
}
