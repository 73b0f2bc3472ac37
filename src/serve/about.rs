//! What is said of a document beside its bytes: what it is, how long it may be kept, what it may load.

use crate::model::publication::Pictures;
use crate::model::publication::Selection;
use crate::model::publication::Site;
use crate::publish::html::language::Language;
use crate::serve::answer::Body;
use crate::serve::documents::Documents;
use crate::serve::documents::Page;
use crate::serve::documents::Rendered;
use crate::serve::headers::put;
use crate::serve::headers::put_made;
use chrono::Utc;
use http::HeaderName;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header;
use std::collections::BTreeSet;

/// For what changes.
pub(super) const FRESH: &str =
    "public, max-age=300, stale-while-revalidate=600, stale-if-error=86400";
/// A page of an archive does not change any more.
const CLOSED: &str = "public, max-age=31536000, immutable";
/// The type of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// The type of lists of feeds.
pub(super) const OPML: &str = "text/x-opml; charset=utf-8";
/// No scripts, from nowhere, on no page: neither one for people nor a feed that a browser shows. Of
/// other sites nothing but pictures.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; \
                                 img-src 'self' https: data:; manifest-src 'self'; \
                                 base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What pictures it lets in.
const OPEN_PICTURES: &str = "img-src 'self' https: data:";

/// What the pages of a site may load: where readers are not to be known to sources, no pictures of
/// other sites but the site's own logo and icon, wherever they are.
pub(super) fn policy(site: &Site) -> HeaderValue {
    let own = site.logo.iter().chain(&site.icon).map(|url| url.origin().ascii_serialization());
    let mut pictures = match site.pictures {
        Pictures::Direct => OPEN_PICTURES.to_owned(),
        Pictures::Passed | Pictures::Hidden => "img-src 'self' data:".to_owned(),
    };
    for origin in own.collect::<BTreeSet<_>>() {
        pictures.push(' ');
        pictures.push_str(&origin);
    }
    // An origin is ASCII without spaces.
    HeaderValue::try_from(POLICY.replace(OPEN_PICTURES, &pictures))
        .unwrap_or(HeaderValue::from_static(POLICY))
}

/// Who chooses the language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Its address.
    Address,
    /// The reader, by `Accept-Language`.
    Reader,
}

/// What is said of a document beside its bytes.
pub(super) struct About {
    /// What it is.
    pub(super) media_type: &'static str,
    /// Which headers of the request it depends on.
    pub(super) vary: &'static str,
    /// How long it may be kept.
    pub(super) cache: &'static str,
    /// Which language it is in.
    pub(super) language: Option<Language>,
    /// Whether the scripts of other sites may read it.
    pub(super) is_for_all_sites: bool,
    /// What it may load.
    pub(super) policy: HeaderValue,
}

impl About {
    /// Of a page, at an address that leaves the language to the reader or not.
    pub(super) fn of(documents: &Documents, page: &Page, choice: Choice) -> Self {
        let is_closed = matches!(page, Page::Atom(_, Some(_)) | Page::Json(_, Some(_)));
        Self {
            media_type: media_type(page),
            vary: match choice {
                Choice::Reader => "Accept-Encoding, Accept-Language",
                Choice::Address if has_deltas(page) => "Accept-Encoding, A-IM",
                Choice::Address => "Accept-Encoding",
            },
            cache: if is_closed { CLOSED } else { FRESH },
            language: if let Page::Html(_, language) = page { *language } else { None },
            is_for_all_sites: is_for_all_sites(page),
            policy: documents.policy(),
        }
    }
}

/// What a 200 and a 304 have in common (RFC 9110, 15.4.5).
pub(super) fn described(
    status: StatusCode,
    about: &About,
    tag: &str,
    rendered: &Rendered,
    body: Body,
) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    put_made(&mut answer, header::ETAG, tag.to_owned());
    put(&mut answer, header::VARY, about.vary);
    put(&mut answer, header::CACHE_CONTROL, about.cache);
    if let Some(language) = about.language {
        put(&mut answer, header::CONTENT_LANGUAGE, language.code());
    }
    if let Some(modified) = rendered.modified {
        // Never later than the answer itself (RFC 9110, 8.8.2.1).
        let modified = modified.min(Utc::now());
        put_made(&mut answer, header::LAST_MODIFIED, httpdate::fmt_http_date(modified.into()));
    }
    if about.is_for_all_sites {
        for_all_sites(&mut answer);
        // Without it a script could not tell what it has.
        put(&mut answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, IM");
    }
    answer
}

/// Whether the scripts of other sites may read it: feeds are made for that.
pub(super) fn is_for_all_sites(page: &Page) -> bool {
    matches!(page, Page::Atom(..) | Page::Json(..) | Page::Opml)
}

/// Lets the scripts of other sites read it.
pub(super) fn for_all_sites(answer: &mut Response<Body>) {
    put(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    put(answer, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
}

fn media_type(page: &Page) -> &'static str {
    match page {
        Page::Html(..) => HTML,
        Page::Style => "text/css; charset=utf-8",
        Page::Icon => "image/svg+xml",
        Page::Manifest => "application/manifest+json",
        Page::Sitemap => "application/xml",
        Page::Robots => "text/plain; charset=utf-8",
        Page::Opml => OPML,
        Page::Atom(..) => "application/atom+xml; charset=utf-8",
        Page::Json(..) => "application/feed+json",
    }
}

/// Whether what is new of it can be told from the rest (RFC 3229).
fn has_deltas(page: &Page) -> bool {
    matches!(page, Page::Atom(selection, None) if !matches!(selection, Selection::Mixed(..)))
}
