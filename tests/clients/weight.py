"""What pages weigh on the wire, and how long they take."""

import statistics
import urllib.parse

from playwright.sync_api import Browser

from browser import Site, opened
from daemon import get

LIMITS = {"index": 60_000, "article": 30_000}
LOADS = 7
# Milliseconds from the start of the navigation; the bytes of everything but pictures of elsewhere.
MEASURED = """() => {
  const page = performance.getEntriesByType('navigation')[0];
  const resources = performance.getEntriesByType('resource').filter(one => one.name.startsWith(location.origin));
  return {
    first: page.responseStart - page.requestStart,
    painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
    loaded: page.loadEventEnd,
    bytes: page.transferSize + resources.reduce((sum, one) => sum + one.transferSize, 0),
    resources: resources.map(one => new URL(one.name).pathname),
  };
}"""


def check_weight(browser: Browser, site: Site) -> None:
    for name, limit in LIMITS.items():
        for language in ("uk", "en"):
            for coding in ("br", "gzip"):
                parts = {path: packed(site.address + path, coding) for path in parts_of(site, name, language)}
                total = sum(parts.values())
                assert total < limit, f"{name}, {language}, {coding}: {total} bytes, {limit} at most: {parts}"
                print(f"weight: {name}, {language}, {coding}: {total} bytes: {parts}")
    for name in site.paths:
        measure(browser, site, name)


def parts_of(site: Site, name: str, language: str) -> list[str]:
    page = site.page(name, language).removeprefix(site.address)
    return [page, "/style.css", "/favicon.svg"]


def packed(address: str, coding: str) -> int:
    status, headers, body = get(address, **{"Accept-Encoding": coding, "Accept": "text/html,*/*"})
    assert status == 200, f"{address}: {status}"
    assert headers["Content-Encoding"] == coding or len(body) < 1_000, f"{address} is not sent with {coding}"
    return len(body)


def measure(browser: Browser, site: Site, name: str) -> None:
    """Loads by a browser that has nothing in its cache. It paints when it is shown, so that is waited for."""
    loads = []
    for _ in range(LOADS):
        with opened(browser, site) as page:
            page.goto(site.page(name, "uk"), wait_until="load")
            page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
            page.wait_for_function("() => performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
            loads.append(page.evaluate(MEASURED))
    first, painted, loaded = (statistics.median(load[key] for load in loads) for key in ("first", "painted", "loaded"))
    own = sorted(set(loads[0]["resources"]))
    assert own in ([], ["/style.css"], ["/favicon.svg", "/style.css"]), f"{name} loads {own}"
    print(
        f"time: {urllib.parse.unquote(site.paths[name])}: first byte {first:.1f} ms, first paint {painted:.0f} ms, "
        f"loaded {loaded:.0f} ms (medians of {LOADS}), {loads[0]['bytes']} bytes"
    )
