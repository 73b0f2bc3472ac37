//! What the site says of itself: the admin's Markdown, or a few words of our own.

use crate::model::publication::Pictures;
use crate::publish::Masthead;
use crate::publish::html::Frame;
use crate::publish::html::body::Place;
use crate::publish::html::body::fitted;
use crate::publish::html::language::Language;
use crate::publish::html::written;
use ammonia::Builder;
use askama::Template;
use pulldown_cmark::Options;
use pulldown_cmark::Parser;

#[derive(Template)]
#[template(path = "about.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    /// Sanitised HTML.
    text: String,
    lang: Option<&'static str>,
}

/// The page.
#[must_use]
pub fn about(masthead: Masthead<'_>, language: Language) -> Vec<u8> {
    let words = language.words();
    let own = masthead.site.about.as_deref();
    let spoken = Language::of(&masthead.site.language);
    let page = Page {
        frame: Frame::new(masthead, language, words.about).at("about"),
        text: html(own.unwrap_or(words.about_text), |source| match masthead.site.pictures {
            Pictures::Direct => Place::At(source.to_owned()),
            // The policy of the pages lets in nothing of other sites.
            Pictures::Passed | Pictures::Hidden => Place::Words,
        }),
        lang: (own.is_some() && spoken != language).then(|| spoken.code()),
    };
    written(&page)
}

/// Markdown as HTML: `CommonMark` with tables. HTML within it is cleaned like everybody's.
fn html(markdown: &str, place: impl Fn(&str) -> Place) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    let mut allowed = Builder::default();
    allowed.rm_tags(["span", "div", "map", "area", "bdo", "ruby", "rt", "rp"]);
    allowed.link_rel(Some("noopener noreferrer"));
    fitted(&allowed.clean(&html).to_string(), place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html_that_runs_nothing() {
        let made = html(
            "# Про нас\n\n[пошта](mailto:a@b.example) <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n",
            |_| Place::Words,
        );
        assert!(made.contains("<h2>Про нас</h2>"), "{made}");
        assert!(made.contains("href=\"mailto:a@b.example\""), "{made}");
        assert!(!made.contains("script") && !made.contains("onerror"), "{made}");
    }
}
