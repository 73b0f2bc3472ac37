//! The picture above the text, and the files that come with an article.

use crate::model::article::Enclosure;
use crate::model::article::Image;
use crate::model::entry::Entry;
use crate::model::entry::Media;
use crate::model::entry::MediaRole;
use crate::normalize::text;
use scraper::Html;
use scraper::Selector;
use std::cmp::Reverse;
use url::Url;

/// How many files of an entry are kept.
const ENCLOSURES_MAX: usize = 32;
/// How long a caption may be, in graphemes.
const CAPTION_GRAPHEMES_MAX: usize = 512;

fn is_image(media: &Media) -> bool {
    let path = media.url.split(['?', '#']).next().unwrap_or("").to_lowercase();
    let named =
        [".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif"].iter().any(|e| path.ends_with(e));
    match (media.mime.as_deref(), media.role) {
        (Some(mime), _) if !mime.trim().is_empty() => {
            mime.trim().to_lowercase().starts_with("image") || (named && !mime.contains('/'))
        }
        (_, MediaRole::Thumbnail) => true,
        _ => named,
    }
}

fn is_pixel(media: &Media) -> bool {
    media.width.is_some_and(|w| w <= 1) || media.height.is_some_and(|h| h <= 1)
}

/// The best picture: the largest that the entry offers, else the first in the body.
pub(crate) fn image(
    entry: &Entry,
    body: &str,
    title: &str,
    absolute: impl Fn(&str) -> Option<Url>,
) -> Option<Image> {
    let rank = |media: &Media| {
        let role = match media.role {
            MediaRole::Content => 0,
            MediaRole::Thumbnail => 1,
            MediaRole::Enclosure => 2,
        };
        let area = u64::from(media.width.unwrap_or(0)) * u64::from(media.height.unwrap_or(0));
        (role, Reverse(area))
    };
    let offered = entry.media.iter().filter(|media| is_image(media) && !is_pixel(media));
    let offered = offered.filter_map(|media| Some((media, absolute(&media.url)?)));
    let in_body = of_body(body);
    let Some((media, url)) = offered.min_by_key(|(media, _)| rank(media)) else {
        return in_body.map(|image| without_title(image, title));
    };
    let words = |text: Option<&String>| text.map(|t| caption(t)).filter(|t| !t.is_empty());
    let same = in_body.filter(|image| image.url == url);
    let (alt, below) = same.map_or((None, None), |image| (image.alt, image.caption));
    let image = Image {
        url,
        alt: words(media.title.as_ref()).or(alt),
        caption: words(media.description.as_ref()).or(below),
        width: media.width,
        height: media.height,
    };
    Some(without_title(image, title))
}

fn caption(given: &str) -> String {
    text::bounded(&text::unsaid(given), CAPTION_GRAPHEMES_MAX)
}

fn without_title(mut image: Image, title: &str) -> Image {
    image.caption = image.caption.filter(|caption| caption != title);
    image
}

/// The first picture of a sanitised body.
fn of_body(body: &str) -> Option<Image> {
    if !body.contains("<img") {
        return None;
    }
    let page = Html::parse_fragment(body);
    let (pictures, captions) =
        (Selector::parse("img[src]").ok()?, Selector::parse("figcaption").ok()?);
    let picture = page.select(&pictures).next()?;
    let number = |side| picture.attr(side).and_then(|n| n.parse().ok());
    let figure = picture
        .ancestors()
        .filter_map(scraper::ElementRef::wrap)
        .find(|element| element.value().name() == "figure");
    let below = figure.and_then(|figure| figure.select(&captions).next());
    let below = below.map(|element| text::fold(&element.text().collect::<String>()));
    let alt = picture.attr("alt").map(text::fold);
    let short = |words: Option<String>| {
        words.filter(|w| !w.is_empty()).map(|w| text::bounded(&w, CAPTION_GRAPHEMES_MAX))
    };
    Some(Image {
        url: Url::parse(picture.attr("src")?).ok()?,
        alt: short(alt),
        caption: short(below),
        width: number("width"),
        height: number("height"),
    })
}

/// The files that are not pictures.
pub(crate) fn enclosures(entry: &Entry, absolute: impl Fn(&str) -> Option<Url>) -> Vec<Enclosure> {
    let mut kept: Vec<Enclosure> = Vec::new();
    let files = entry.media.iter().filter(|m| m.role != MediaRole::Thumbnail && !is_image(m));
    for media in files {
        let Some(url) = absolute(&media.url) else { continue };
        if kept.len() < ENCLOSURES_MAX && kept.iter().all(|other| other.url != url) {
            let mime = media.mime.as_deref().map(text::fold).filter(|mime| mime.contains('/'));
            kept.push(Enclosure { url, mime, length: media.length.filter(|n| *n > 0) });
        }
    }
    kept
}
