//! Bodies as publishers write them: what is left has no element, attribute or scheme but those of a
//! news text, as a browser reads it again wherever it stands, and to clean it once more changes
//! nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scraper::Html;
use scraper::Node;
use std::sync::LazyLock;
use url::Url;
use visnyk::normalize::html::clean;
use visnyk::normalize::html::looks_like_html;
use visnyk::normalize::html::paragraphs;
use visnyk::normalize::html::words;

const ELEMENTS: [&str; 38] = [
    "a",
    "em",
    "strong",
    "b",
    "i",
    "u",
    "s",
    "sub",
    "sup",
    "code",
    "q",
    "cite",
    "small",
    "abbr",
    "mark",
    "p",
    "br",
    "hr",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "pre",
    "img",
    "figure",
    "figcaption",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
];
/// What a whole document has around a body.
const AROUND: [&str; 4] = ["html", "head", "body", "main"];
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

static BASE: LazyLock<Url> =
    LazyLock::new(|| "https://rada.example.ua/news/1?a=1&b=2".parse().unwrap());

/// Nothing but a news text, however it is read.
fn harmless(source: &str, body: &str) {
    let page = format!("<!DOCTYPE html><main>{body}</main>");
    for document in [Html::parse_fragment(body), Html::parse_document(&page)] {
        for node in document.tree.nodes() {
            let element = match node.value() {
                Node::Element(element) => element,
                Node::Comment(_) | Node::ProcessingInstruction(_) => {
                    panic!("a comment in {body:?} of {source:?}")
                }
                _ => continue,
            };
            let name = element.name();
            assert!(
                ELEMENTS.contains(&name) || AROUND.contains(&name),
                "<{name}> in {body:?} of {source:?}"
            );
            for (key, value) in element.attrs() {
                let is_allowed = match key {
                    "href" | "src" => {
                        Url::parse(value).is_ok_and(|url| SCHEMES.contains(&url.scheme()))
                    }
                    "rel" => value == "noopener nofollow ugc",
                    "alt" | "title" | "lang" => true,
                    "width" | "height" | "colspan" | "rowspan" => {
                        value.bytes().all(|byte| byte.is_ascii_digit())
                    }
                    _ => false,
                };
                assert!(is_allowed, "{key}={value:?} in {body:?} of {source:?}");
            }
        }
    }
}

fuzz_target!(|source: &str| {
    for base in [None, Some(&*BASE)] {
        let body = clean(source, base);
        harmless(source, &body);
        assert_eq!(clean(&body, base), body, "{source:?} is not clean after it was cleaned");
    }
    harmless(source, &paragraphs(source));
    let _ = (words(source), looks_like_html(source));
});
