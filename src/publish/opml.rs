//! All publications as OPML 2.0, to import in a feed reader.

use crate::model::publication::Selection;
use crate::model::publication::Shelf;
use crate::publish::Masthead;
use crate::publish::xml_text;
use quick_xml::escape::escape;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The document: publications with articles and those that the admin composed, by groups.
#[must_use]
pub fn opml(masthead: Masthead<'_>, shelves: &BTreeMap<Selection, Shelf>) -> Vec<u8> {
    let mut document = head(masthead, shelves);
    for (group, selections) in masthead.groups(shelves) {
        let heading = group.heading();
        _ = writeln!(document, "    <outline text=\"{}\">", escaped(heading));
        for selection in selections {
            outline(&mut document, masthead, &selection);
        }
        document.push_str("    </outline>\n");
    }
    document.push_str("  </body>\n</opml>\n");
    document.into_bytes()
}

/// The same with nothing but these publications, without groups.
#[must_use]
pub fn opml_of(
    masthead: Masthead<'_>,
    shelves: &BTreeMap<Selection, Shelf>,
    selections: &[Selection],
) -> Vec<u8> {
    let mut document = head(masthead, shelves);
    for selection in selections {
        outline(&mut document, masthead, selection);
    }
    document.push_str("  </body>\n</opml>\n");
    document.into_bytes()
}

/// What stands before the publications.
fn head(masthead: Masthead<'_>, shelves: &BTreeMap<Selection, Shelf>) -> String {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    document.push_str("<opml version=\"2.0\">\n  <head>\n");
    _ = writeln!(document, "    <title>{}</title>", escaped(&masthead.site.title));
    if let Some(changed) = shelves.values().map(|shelf| shelf.changed).max() {
        let date = changed.to_rfc2822();
        _ = writeln!(document, "    <dateModified>{date}</dateModified>");
    }
    document.push_str("    <docs>http://opml.org/spec2.opml</docs>\n  </head>\n  <body>\n");
    document
}

/// OPML 2.0 calls every kind of feed `rss`.
fn outline(document: &mut String, masthead: Masthead<'_>, selection: &Selection) {
    let title = escaped(&masthead.title(selection));
    let address = escaped(&masthead.atom_address(selection));
    let home = escaped(&masthead.page_address(selection));
    let description = escaped(&masthead.subtitle(selection));
    _ = writeln!(
        document,
        "      <outline type=\"rss\" text=\"{title}\" title=\"{title}\" xmlUrl=\"{address}\" \
         htmlUrl=\"{home}\" description=\"{description}\"/>",
    );
}

/// A title is one line: a line end in an attribute would come back as a space (XML 1.0, 3.3.3).
fn escaped(text: &str) -> String {
    let text = xml_text(text).replace(['\n', '\t'], " ");
    escape(text.as_str()).into_owned()
}
