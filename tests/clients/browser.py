"""Chromium before the site's pages: which pages there are, how they are opened, what they may ask for."""

import contextlib
import dataclasses
import functools
import re
import shutil
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from daemon import ROOT, get

LANGUAGES = ("uk", "en")
SCHEMES = ("light", "dark")
WIDE, NARROW = 1280, 360
HEIGHT = 900
SAMPLE = ROOT / "tests/fixtures/samples/kharkiv.rss"
SISTER_CITIES = "kharkiv-sample-1"
PUBLICATION = "/regions/kharkivska"
# What a picture of a source is answered with, for none of them exists.
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800"><rect width="1200" height="800"
 fill="#7a9"/><circle cx="600" cy="400" r="250" fill="#fd6"/></svg>"""


@dataclasses.dataclass(frozen=True)
class Site:
    """The daemon's address, and the path of each page that is looked at, without its language."""

    address: str
    paths: dict[str, str]

    def page(self, name: str, language: str) -> str:
        return f"{self.address}/{language}{self.paths[name]}"


def site_at(address: str) -> Site:
    """The example's pages. The article is the one about the sister cities."""
    listed = get(f"{address}/uk{PUBLICATION}")[2].decode()
    headline = re.escape(sister_cities().findtext("title"))
    found = re.search(rf'href="/uk(/articles/[0-9a-f]{{32}})"[^>]*>\s*{headline}\s*<', listed)
    assert found, f"/uk{PUBLICATION} has no link to «{headline}»"
    paths = {
        "index": "/",
        "search": "/?q=" + urllib.parse.quote("харків"),
        "compose": "/compose?region=kharkivska&tag=partnerstvo",
        "publication": PUBLICATION,
        "article": found[1],
        "sources": "/sources",
        "about": "/about",
        "not-found": "/no-such-page",
    }
    return Site(address, paths)


@functools.cache
def sister_cities() -> ElementTree.Element:
    """The item of the sample feed that the article is made of."""
    items = ElementTree.parse(SAMPLE).iter("item")
    return next(item for item in items if item.findtext("guid") == SISTER_CITIES)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium: none is downloaded, and it asks for nothing by itself."""
    program = shutil.which("chromium")
    assert program, "there is no chromium here"
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=quiet)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def opened(
    browser: Browser, site: Site, *, language: str = "uk", scheme: str = "light", width: int = WIDE
) -> Iterator[Page]:
    """An empty page of a browser that knows nothing yet and reaches the site alone."""
    context = browser.new_context(
        locale={"uk": "uk-UA", "en": "en-US"}[language],
        color_scheme=scheme,
        viewport={"width": width, "height": HEIGHT},
        timezone_id="Europe/Kyiv",
    )
    try:
        stay_on(context, site.address)
        yield context.new_page()
    finally:
        context.close()


def stay_on(context: BrowserContext, address: str) -> None:
    """Pictures of elsewhere are painted here; whatever else is asked of another host gets no answer."""

    def answer(route: Route) -> None:
        if route.request.resource_type == "image":
            route.fulfill(content_type="image/svg+xml", body=PICTURE)
        else:
            route.abort()

    context.route(elsewhere(address), answer)


def elsewhere(address: str) -> re.Pattern:
    """Every address that is not of the site."""
    return re.compile("^(?!" + re.escape(address) + "/)")
