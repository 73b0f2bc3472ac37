//! The page of an article: everything of the article model, as a city shows its news.

use crate::model::article::Article;
use crate::model::feed::Republish;
use crate::model::id::ArticleId;
use crate::model::id::Digest;
use crate::model::publication::Pictures;
use crate::model::publication::Selection;
use crate::model::surroundings::Surroundings;
use crate::publish::Masthead;
use crate::publish::html::Frame;
use crate::publish::html::body::Place;
use crate::publish::html::body::fitted;
use crate::publish::html::body::pictures;
use crate::publish::html::body::unescaped;
use crate::publish::html::feeds_of;
use crate::publish::html::language::Language;
use crate::publish::html::language::Moment;
use crate::publish::html::page;
use crate::publish::html::publication::Link;
use crate::publish::html::publication::labels;
use crate::publish::html::reasons::Explained;
use crate::publish::html::reasons::explained;
use crate::publish::html::related::excerpt;
use crate::publish::html::related::related;
use crate::publish::html::written;
use crate::publish::media_type;
use crate::publish::republish_of;
use crate::publish::story::Apart;
use crate::publish::story::groups;
use askama::Template;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;
use url::Url;

#[derive(Template)]
#[template(path = "article.html", config = "src/publish/askama.toml")]
struct Page<'a> {
    frame: Frame<'a>,
    title: &'a str,
    lang: Option<String>,
    published: Moment,
    edited: Option<Moment>,
    is_kyiv: bool,
    views: Option<u64>,
    picture: Option<Picture>,
    lead: &'a str,
    body: String,
    tags: Vec<Link>,
    free_tags: &'a [String],
    regions: Vec<Link>,
    communities: Vec<Link>,
    source: &'a str,
    source_url: Option<&'a str>,
    original: Option<&'a str>,
    authors: Vec<(&'a str, Option<&'a str>)>,
    enclosures: Vec<(&'a str, &'a str)>,
    rights: Option<&'a str>,
    has_whole_text: bool,
    copies: Vec<Other>,
    related: Vec<Other>,
    explained: Vec<Explained>,
    id: String,
    og_image: Option<String>,
    og_url: String,
    og_locale: &'static str,
    data: String,
}

/// A picture as a page shows it.
pub(crate) struct Picture {
    pub(super) src: String,
    pub(super) alt: String,
    pub(super) caption: Option<String>,
    pub(super) size: Option<(u32, u32)>,
}

/// Another article.
struct Other {
    href: String,
    title: String,
    lang: Option<String>,
    source: String,
    at: Moment,
    excerpt: String,
}

/// The page.
#[must_use]
pub fn article(
    masthead: Masthead<'_>,
    language: Language,
    apart: &Apart,
    shown: &Surroundings,
) -> Vec<u8> {
    let (article, site) = (&shown.article, masthead.site);
    let given = republish_of(masthead, article);
    let has_text = given != Republish::Link;
    let copies = copies(shown, apart);
    let after = related(article, &shown.kin, &copies, apart);
    let other = |article: &&Article| other(masthead, language, article);
    let (lead, body) = texts(article);
    let picture = picture(masthead, article).filter(|_| has_text);
    let path = format!("articles/{}", article.id);
    let original = article.url.as_ref().map(Url::as_str);
    let mut frame = Frame::new(masthead, language, article.headline()).at(&path);
    frame.description = Some(excerpt(&article.lead)).filter(|text| has_text && !text.is_empty());
    frame.original = original.map(str::to_owned);
    frame.feeds = feeds_of(masthead, &Selection::Source(article.feed.clone()));
    let label = &article.labels;
    let tags = label.tags.keys().cloned().map(Selection::Tag);
    let regions = label.regions.keys().cloned().map(Selection::Region);
    let communities = label.communities.keys().cloned().map(Selection::Community);
    let views = article.views.unwrap_or(0).saturating_add(shown.reads);
    let authors = article.authors.iter();
    let enclosures = article.enclosures.iter().filter(|_| has_text);
    let page = Page {
        title: article.headline(),
        lang: language_of(language, article),
        published: language.moment(article.published, site.timezone),
        edited: (article.revision > 0).then(|| language.moment(article.updated, site.timezone)),
        is_kyiv: site.timezone == chrono_tz::Europe::Kyiv,
        views: (article.views.is_some() || views > 0).then_some(views),
        lead: if has_text { lead } else { "" },
        body: if given == Republish::Full {
            let above = article.image.as_ref().filter(|_| picture.is_some());
            fitted(body, |source| match shown_at(masthead, article.id, source) {
                _ if above.is_some_and(|above| above.url.as_str() == source) => Place::Elsewhere,
                Some(source) => Place::At(source),
                None => Place::Words,
            })
        } else {
            String::new()
        },
        has_whole_text: given == Republish::Full,
        tags: labels(masthead, language, tags),
        free_tags: &label.free_tags,
        regions: labels(masthead, language, regions),
        communities: labels(masthead, language, communities),
        source: &article.source.name,
        source_url: article.source.url.as_ref().map(Url::as_str),
        original,
        authors: authors.map(|a| (a.name.as_str(), a.url.as_ref().map(Url::as_str))).collect(),
        enclosures: enclosures.map(|file| (file.url.as_str(), media_type(file))).collect(),
        rights: article.rights.as_deref().or(article.origin.rights.as_deref()),
        copies: copies.iter().map(other).collect(),
        related: after.iter().map(other).collect(),
        explained: explained(masthead, language, article),
        id: article.id.to_string(),
        og_image: picture.as_ref().map(|picture| absolute(masthead, &picture.src)),
        og_url: format!("{}{}/{path}", site.address, language.code()),
        og_locale: match language {
            Language::Ukrainian => "uk_UA",
            Language::English => "en_GB",
        },
        data: inert(&news_article(masthead, article, views, picture.as_ref())),
        picture,
        frame,
    };
    written(&page)
}

/// The picture above the text, as a page shows it.
pub(super) fn picture(masthead: Masthead<'_>, article: &Article) -> Option<Picture> {
    let image = article.image.as_ref()?;
    Some(Picture {
        src: shown_at(masthead, article.id, image.url.as_str())?,
        alt: image.alt.clone().unwrap_or_default(),
        caption: image.caption.clone(),
        size: image.width.zip(image.height),
    })
}

/// The language of an article where it is not that of the page.
pub(super) fn language_of(language: Language, article: &Article) -> Option<String> {
    let spoken = article.language()?;
    (spoken != language.code()).then(|| spoken.to_owned())
}

/// The address of the picture of an article that a page shows by this digest of its own address.
#[must_use]
pub fn picture_address(article: &Article, digest: &str) -> Option<Url> {
    let above = article.image.as_ref().map(|image| image.url.to_string());
    let within = pictures(&article.body).into_iter().map(unescaped);
    let meant = above.into_iter().chain(within).find(|url| digest_of(url) == digest)?;
    Url::parse(&meant).ok()
}

/// At which address a page shows a picture.
fn shown_at(masthead: Masthead<'_>, id: ArticleId, source: &str) -> Option<String> {
    match masthead.site.pictures {
        Pictures::Hidden => None,
        // The policy of the pages lets nothing in that anybody on the way could change.
        Pictures::Direct => Some(match source.strip_prefix("http://") {
            Some(rest) => format!("https://{rest}"),
            None => source.to_owned(),
        }),
        Pictures::Passed => {
            let base = masthead.site.address.path();
            Some(format!("{base}pictures/{id}/{}", digest_of(source)))
        }
    }
}

fn digest_of(source: &str) -> String {
    Digest::of([source]).to_string()
}

fn absolute(masthead: Masthead<'_>, src: &str) -> String {
    let joined = masthead.site.address.join(src);
    joined.map_or_else(|_| src.to_owned(), |url| url.to_string())
}

/// The articles that are the same story, in other sources.
fn copies<'a>(shown: &'a Surroundings, apart: &Apart) -> Vec<&'a Article> {
    let near = shown.near.iter().filter(|near| near.id != shown.article.id);
    let mut all = vec![shown.article.clone()];
    all.extend(near.cloned());
    let own = groups(&all, apart).into_iter().find(|group| group.contains(&0));
    let ids: BTreeSet<ArticleId> = own.into_iter().flatten().skip(1).map(|at| all[at].id).collect();
    shown.near.iter().filter(|near| ids.contains(&near.id)).collect()
}

fn other(masthead: Masthead<'_>, language: Language, article: &Article) -> Other {
    let has_text = republish_of(masthead, article) != Republish::Link;
    Other {
        href: page(masthead.site, language, &format!("articles/{}", article.id)),
        title: article.headline().to_owned(),
        lang: language_of(language, article),
        source: article.source.name.clone(),
        at: language.moment(article.published, masthead.site.timezone),
        excerpt: if has_text { excerpt(&article.lead) } else { String::new() },
    }
}

/// The lead and the text below it: what both say is said once.
fn texts(article: &Article) -> (&str, &str) {
    let (lead, body) = (article.lead.as_str(), article.body.as_str());
    let Some((first, rest)) = body.strip_prefix("<p>").and_then(|body| body.split_once("</p>"))
    else {
        return (lead, body);
    };
    if words(first) != lead {
        (lead, body)
    } else if ["<a ", "<img "].iter().any(|tag| first.contains(tag)) {
        // Its links and pictures would be lost.
        ("", body)
    } else {
        (lead, rest)
    }
}

/// The words of sanitised HTML, white space folded.
fn words(html: &str) -> String {
    let mut plain = String::new();
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        plain.push_str(text);
        if tag.starts_with("br") {
            plain.push(' ');
        }
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    unescaped(&plain).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The article for machines (schema.org, `NewsArticle`).
fn news_article(
    masthead: Masthead<'_>,
    article: &Article,
    views: u64,
    picture: Option<&Picture>,
) -> Value {
    let site = masthead.site;
    let local = |at: chrono::DateTime<chrono::Utc>| at.with_timezone(&site.timezone).to_rfc3339();
    let authors = article.authors.iter().map(|author| {
        json!({ "@type": "Person", "name": author.name, "url": author.url.as_ref().map(Url::as_str) })
    });
    let places = article.labels.regions.keys().cloned().map(Selection::Region);
    let places = places.chain(article.labels.communities.keys().cloned().map(Selection::Community));
    let places = places.map(|p| json!({ "@type": "Place", "name": masthead.title(&p) }));
    let tags = article.labels.tags.keys().cloned().map(Selection::Tag);
    let tags = tags.map(|tag| masthead.title(&tag)).chain(article.labels.free_tags.iter().cloned());
    let publisher = json!({
        "@type": "Organization",
        "name": article.source.name,
        "url": article.source.url.as_ref().map(Url::as_str),
    });
    let mut data = json!({
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.headline(),
        "datePublished": local(article.published),
        "dateModified": local(article.updated),
        "inLanguage": article.language(),
        "description": article.lead,
        "keywords": tags.collect::<Vec<_>>(),
        "contentLocation": places.collect::<Vec<_>>(),
        "author": authors.collect::<Vec<_>>(),
        "publisher": publisher,
        "isBasedOn": article.url.as_ref().map(Url::as_str),
        "mainEntityOfPage": article.url.as_ref().map(Url::as_str),
        "image": picture.map(|picture| absolute(masthead, &picture.src)),
        "interactionStatistic": (views > 0).then(|| json!({
            "@type": "InteractionCounter",
            "interactionType": "https://schema.org/ReadAction",
            "userInteractionCount": views,
        })),
    });
    if republish_of(masthead, article) == Republish::Link {
        data["description"] = Value::Null;
    }
    if let Some(fields) = data.as_object_mut() {
        fields
            .retain(|_, value| !value.is_null() && value.as_array().is_none_or(|a| !a.is_empty()));
    }
    data
}

/// JSON that an HTML parser takes for nothing but text, whatever is in it (HTML, 4.12.1.3).
fn inert(data: &Value) -> String {
    let text = data.to_string().replace('<', "\\u003c").replace('>', "\\u003e");
    text.replace('&', "\\u0026").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::article::tests::article;

    #[test]
    fn what_lead_and_text_both_say_is_said_once() {
        for (lead, body, expected) in [
            ("Перше.", "<p>Перше.</p><p>Друге.</p>", ("Перше.", "<p>Друге.</p>")),
            ("a & b", "<p>a &amp;\n<b>b</b></p><p>c</p>", ("a & b", "<p>c</p>")),
            ("Анонс.", "<p>Перше.</p>", ("Анонс.", "<p>Перше.</p>")),
            ("a b", "<p>a<br>b</p><p>c</p>", ("a b", "<p>c</p>")),
            ("Перше.", "<p>Перше.</p>", ("Перше.", "")),
            ("Перше.", "<p><a href=\"/\">Перше.</a></p>", ("", "<p><a href=\"/\">Перше.</a></p>")),
            ("", "", ("", "")),
        ] {
            let mut article = article();
            (article.lead, article.body) = (lead.to_owned(), body.to_owned());
            assert_eq!(texts(&article), expected, "{lead} {body}");
        }
    }

    #[test]
    fn data_for_machines_ends_no_element() {
        let inert = inert(&json!({ "a": "</script><!--<script>&\u{2028}" }));
        assert!(!inert.contains(['<', '>', '&', '\u{2028}']), "{inert}");
        let back: Value = serde_json::from_str(&inert).unwrap();
        assert_eq!(back["a"], "</script><!--<script>&\u{2028}");
    }
}
