"""Pictures of the pages for people to look at; and on a narrow screen nothing sticks out sideways."""

import pathlib

from playwright.sync_api import Browser, Page

from browser import LANGUAGES, NARROW, SCHEMES, WIDE, Site, opened

PICTURED = ("index", "publication", "article", "sources")
# What sticks out, in the words of a selector, with its right edge.
STICKING_OUT = """() => [...document.querySelectorAll('body *')]
  .filter(element => element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .slice(0, 5)
  .map(element => `${element.localName}.${element.getAttribute('class')} to ${element.getBoundingClientRect().right}`)"""
EDGES = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# `loading=lazy` keeps pictures away until they are scrolled to.
LOAD_PICTURES = """async () => {
  for (const image of document.images) image.loading = 'eager';
  await Promise.all([...document.images].map(image => image.decode().catch(() => {})));
}"""


def check_looks(browser: Browser, site: Site, folder: pathlib.Path) -> None:
    told = []
    taken = 0
    for language in LANGUAGES:
        for scheme in SCHEMES:
            for width in (WIDE, NARROW):
                with opened(browser, site, language=language, scheme=scheme, width=width) as page:
                    for name in site.paths:
                        page.goto(site.page(name, language))
                        told += sideways(page, f"{name}, {language}, {width} px")
                        if name in PICTURED:
                            page.evaluate(LOAD_PICTURES)
                            page.screenshot(path=folder / f"{name}-{language}-{scheme}-{width}.png", full_page=True)
                            taken += 1
    assert not told, "pages scroll sideways:\n" + "\n".join(told)
    print(f"looks: {taken} pictures; no page scrolls sideways, {NARROW} px wide or {WIDE}")


def sideways(page: Page, where: str) -> list[str]:
    scrolled, shown = page.evaluate(EDGES)
    return [f"{where}: {scrolled} of {shown} px: {page.evaluate(STICKING_OUT)}"] if scrolled > shown else []
