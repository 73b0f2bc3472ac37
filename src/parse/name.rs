//! The namespaces that matter to a feed, by their address or, undeclared, by their usual prefix.

/// A namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// RSS of any version, and whatever has no prefix there.
    Rss,
    Atom,
    Content,
    Dublin,
    DublinTerms,
    Media,
    GeoRss,
    Geo,
    Xhtml,
    Rdf,
    /// The module of RSS 1.0 that says how often a feed changes.
    Syndication,
    /// Any other; its elements are passed over.
    Other,
}

/// How many declarations of namespaces are heeded at a time.
pub(super) const DECLARATIONS_MAX: usize = 64;

/// The declarations that hold at a place in a document.
pub(super) struct Scope {
    /// What an element without a prefix is.
    own: Space,
    /// Prefixes with the depth at which they are declared.
    declared: Vec<(usize, String, Space)>,
}

impl Scope {
    pub(super) fn new(own: Space) -> Self {
        Self { own, declared: Vec::new() }
    }

    /// Heeds the declarations of an element; false if there are too many.
    pub(super) fn declare(&mut self, depth: usize, attributes: &[(String, String)]) -> bool {
        for (name, value) in attributes {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => rest.strip_prefix(':').unwrap_or("?"),
                None => continue,
            };
            if self.declared.len() >= DECLARATIONS_MAX {
                return false;
            }
            // The root's default is what its name says, whatever address a publisher invents.
            let is_default_of_root = depth == 1 && prefix.is_empty();
            let space = if is_default_of_root { self.own } else { space_of(value) };
            self.declared.push((depth, prefix.to_owned(), space));
        }
        true
    }

    /// Forgets what was declared at a depth and below.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.declared.last().is_some_and(|(at, _, _)| *at >= depth) {
            self.declared.pop();
        }
    }

    /// The namespace and the local name, in lower case, of an element.
    pub(super) fn resolve(&self, name: &str) -> (Space, String) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let declared = self.declared.iter().rev().find(|(_, known, _)| known == prefix);
        let space = match declared {
            Some((_, _, Space::Other)) | None if prefix.is_empty() => self.own,
            Some((_, _, space)) => *space,
            None => usual_space(prefix),
        };
        (space, local.to_ascii_lowercase())
    }
}

/// The namespace with an address.
fn space_of(address: &str) -> Space {
    let address = address.trim().to_ascii_lowercase();
    let address = address.strip_prefix("https://").or(address.strip_prefix("http://"));
    match address.unwrap_or_default().trim_end_matches(['/', '#']) {
        "www.w3.org/2005/atom" | "purl.org/atom/ns" => Space::Atom,
        "purl.org/rss/1.0"
        | "my.netscape.com/rdf/simple/0.9"
        | "channel.netscape.com/rdf/simple/0.9"
        | "backend.userland.com/rss2"
        | "blogs.law.harvard.edu/tech/rss" => Space::Rss,
        "purl.org/rss/1.0/modules/content" => Space::Content,
        "purl.org/rss/1.0/modules/syndication" => Space::Syndication,
        "purl.org/dc/elements/1.1" | "purl.org/dc/elements/1.0" => Space::Dublin,
        "purl.org/dc/terms" => Space::DublinTerms,
        "search.yahoo.com/mrss" => Space::Media,
        "www.georss.org/georss" => Space::GeoRss,
        "www.w3.org/2003/01/geo/wgs84_pos" => Space::Geo,
        "www.w3.org/1999/xhtml" => Space::Xhtml,
        "www.w3.org/1999/02/22-rdf-syntax-ns" => Space::Rdf,
        _ => Space::Other,
    }
}

/// What a prefix means that the document does not declare.
fn usual_space(prefix: &str) -> Space {
    match prefix.to_ascii_lowercase().as_str() {
        "rss" => Space::Rss,
        "atom" | "a10" => Space::Atom,
        "content" => Space::Content,
        "dc" => Space::Dublin,
        "dcterms" => Space::DublinTerms,
        "media" => Space::Media,
        "georss" => Space::GeoRss,
        "geo" => Space::Geo,
        "xhtml" => Space::Xhtml,
        "rdf" => Space::Rdf,
        "sy" => Space::Syndication,
        _ => Space::Other,
    }
}
