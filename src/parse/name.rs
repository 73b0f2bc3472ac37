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
    /// Any other; its elements are passed over.
    Other,
}

/// The namespace with an address.
pub(super) fn space_of(address: &str) -> Space {
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
pub(super) fn usual_space(prefix: &str) -> Space {
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
        _ => Space::Other,
    }
}
