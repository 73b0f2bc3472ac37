"""Feeds whose every field holds what runs a script where it is shown carelessly: no page does so.

Each vector is in one format of feeds, RSS, Atom or JSON, and in one address, of a search or of no
page; with HOSTILE_FORMATS=3 it is in all.
"""

import json
import os
import pathlib
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Route

from browser import PICTURE, WIDE, elsewhere
from daemon import free_port, get, poll, running, wait_for
from hostile_feeds import FORMATS, write_hostile
from markup import markup_complaints, policy_complaints
from vectors import vectors

SHOWN_MAX = 5
SETTLE_MILLISECONDS = 20
# At least so many vectors run by themselves where they are shown as they are: else this check sees nothing.
LIVE_MIN = 70
# High enough for all pictures of an article to be asked for.
HEIGHT = 900
ARTICLE = re.compile(r'href="(/uk/articles/[0-9a-f]{32})"')
OLDER = re.compile(r'rel="next" href="([^"]+)"')
CARELESS = "http://careless.example"

# Whatever in the tree of a page could run, load, send or cover, in words.
INSPECT = r"""() => {
  const told = [];
  const tell = (why, element) => told.push(`${why}: ${element.outerHTML.slice(0, 200)}`);
  const forbidden = new Set(`iframe frame frameset object embed applet base template noscript portal fencedframe math style
    dialog marquee video audio source track area map textarea isindex slot xmp plaintext listing noembed bgsound`.split(/\s+/));
  const addresses = ['href', 'src', 'action', 'formaction', 'xlink:href', 'data', 'cite', 'codebase', 'manifest', 'content'];
  const never = ['srcset', 'ping', 'background', 'poster', 'formaction', 'srcdoc', 'style', 'autofocus', 'is', 'slot',
    'contenteditable', 'accesskey', 'target', 'popover', 'http-equiv'];
  for (const element of document.querySelectorAll('*')) {
    const name = element.localName;
    const inMap = element.closest('svg.map') !== null;
    if (forbidden.has(name) || name.includes('-') || (name === 'svg' && !inMap)) tell('a forbidden element', element);
    if (name === 'script' && element.type !== 'application/ld+json') tell('a script', element);
    if (name === 'link' && !/^(stylesheet|icon|manifest|canonical|alternate|next|prev|search|license|author)$/.test(element.rel))
      tell('a link', element);
    if (name === 'link' && element.rel === 'stylesheet' && element.getAttribute('href') !== '/style.css') tell('a style sheet', element);
    for (const attribute of element.attributes) {
      const key = attribute.name.toLowerCase();
      if (key.startsWith('on')) tell('a handler', element);
      if (never.includes(key)) tell(`the attribute ${key}`, element);
      if (/^[^a-z]|[^a-z0-9:_-]/.test(key)) tell(`an attribute ${JSON.stringify(key)}`, element);
      if (addresses.includes(key) && !(name === 'meta' && !/:(url|image)$/.test(element.getAttribute('property') ?? ''))) {
        let scheme = 'unreadable:';
        try { scheme = new URL(attribute.value, document.baseURI).protocol; } catch { }
        const allowed = name === 'a' ? ['http:', 'https:', 'mailto:', 'tel:'] : ['http:', 'https:'];
        if (!allowed.includes(scheme)) tell(`an address of the scheme ${scheme}`, element);
      }
    }
    if (name === 'form' && new URL(element.action).origin !== location.origin) tell('a form that sends elsewhere', element);
  }
  for (const element of document.querySelectorAll('[data-field] *'))
    if (/^(form|input|button|select|option|label|h1|main|header|footer|nav|section|article)$/.test(element.localName))
      tell('an element of the page in a text', element);
  for (const element of document.querySelectorAll('[data-field=body] *'))
    for (const key of ['id', 'name', 'class', 'role', 'tabindex', 'hidden'])
      if (element.hasAttribute(key)) tell(`${key} from a text`, element);
  const once = (selector, wanted) => {
    const count = document.querySelectorAll(selector).length;
    if (count !== wanted) told.push(`${count} of ${selector}, not ${wanted}`);
  };
  for (const selector of ['main', 'h1', 'head', 'body', 'title', 'body > header', 'body > footer']) once(selector, 1);
  const isArticle = document.querySelector('[data-field]') !== null;
  once('script', isArticle ? 1 : 0);
  for (const field of isArticle ? ['title', 'published', 'lead', 'body', 'source', 'id'] : [])
    if (document.querySelectorAll(`[data-field=${field}]`).length > 1) told.push(`the field ${field} twice`);
  if (document.body.lastElementChild?.localName !== 'footer') told.push('something stands after the footer');
  for (const script of document.scripts)
    try { JSON.parse(script.textContent); } catch (error) { tell(`JSON-LD that is none (${error})`, script); }
  return told;
}"""
SOURCES = "() => [...document.images].map(image => image.src.split('#')[0])"
VIOLATIONS = """addEventListener('securitypolicyviolation', event => console.error(
  `Content Security Policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`), true);"""


class Trap:
    """A page of Chromium that notices whatever it should not do."""

    def __init__(self, browser: Browser, address: str):
        self.address, self.ran, self.told, self.pictures = address, [], [], []
        self.context = browser.new_context(locale="uk-UA", viewport={"width": WIDE, "height": HEIGHT})
        self.context.expose_binding("pwned", lambda source, *given: self.ran.append(given))
        self.context.add_init_script(VIOLATIONS)
        self.context.route(elsewhere(address), self.answer)
        self.page = self.context.new_page()
        self.context.on("page", lambda page: self.told.append(f"a window: {page.url}"))
        self.page.on("dialog", self.close_dialog)
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.told.append(f"a script failed: {error}"))
        self.page.on("download", lambda download: self.told.append(f"a download: {download.url}"))
        self.page.on("frameattached", lambda frame: self.told.append("a frame: there is one"))

    def answer(self, route: Route) -> None:
        """Pictures are painted here; whether they are an article's own is asked when the page is there."""
        address = route.request.url
        if route.request.resource_type == "image":
            self.pictures.append(address)
            route.fulfill(content_type="image/svg+xml", body=PICTURE)
        else:
            self.told.append(f"a request ({route.request.resource_type}): {address}")
            route.abort()

    def serve(self, name: str, text: str, **headers: str) -> None:
        """Stands in for a site that shows this page."""
        headers["Content-Type"] = "text/html; charset=utf-8"
        self.page.route(f"{self.address}/{name}", lambda route: route.fulfill(headers=headers, body=text))

    def close_dialog(self, dialog: Dialog) -> None:
        self.told.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def hear(self, message: ConsoleMessage) -> None:
        # A page that is not there is told as well: `visit` gives its status.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.told.append(f"the console: {message.text[:300]}")

    def visit(self, address: str) -> tuple[int, str, list[str]]:
        """Status, text, and what is wrong with a page of the site, its markup as well."""
        # On a busy machine the page before may still ask for its pictures: it ends first.
        self.page.goto("about:blank")
        for noticed in (self.ran, self.told, self.pictures):
            noticed.clear()
        answer = self.page.goto(address, wait_until="load")
        self.page.wait_for_timeout(SETTLE_MILLISECONDS)
        told = self.page.evaluate(INSPECT)
        shown = set(self.page.evaluate(SOURCES))
        text, headers = answer.body().decode(), answer.all_headers()
        told += markup_complaints(text, "uk")
        told += policy_complaints(defaultdict(str, {key.title(): value for key, value in headers.items()}))
        told += [f"it RAN: pwned{given}" for given in self.ran] + self.told
        told += [f"a picture that is none of its own: {picture}" for picture in self.pictures if picture not in shown]
        if self.page.url.partition("#")[0] != address:
            told.append(f"it went elsewhere: {self.page.url}")
        return answer.status, text, told


def check_hostile(browser: Browser, visnyk: pathlib.Path, folder: pathlib.Path) -> None:
    hostile = vectors()
    check_trap(browser, hostile)
    listen = f"127.0.0.1:{free_port()}"
    config, entries = write_hostile(folder, listen, hostile, formats())
    log = folder / "log.json"
    table = poll(visnyk, config, folder / "state")
    read = sum(int(count) for count in re.findall(r"(?m)^ \S+ +read +(\d+)", table))
    assert read == entries, f"not every entry was read:\n{table}"
    with running(visnyk, config, folder / "state", log) as address:
        wait_for(f"{address}/all.atom", "<entry>", log)
        trap = Trap(browser, address)
        told = check_machines(address)
        told += visit_pages(trap, read)
        told += visit_addresses(trap, hostile)
        trap.context.close()
    assert not told, f"{len(told)} complaints:\n" + "\n".join(shortened(told))


def formats() -> int:
    """In how many formats each vector is."""
    return int(os.environ.get("HOSTILE_FORMATS", "1"))


def shortened(told: list[str]) -> list[str]:
    """The first complaints of each kind, for one mistake makes many."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for line in told:
        kinds[line.split(" | ", 1)[1].split(":")[0][:40]].append(line)
    return [f"{kind}: {len(lines)}: {line[:500]}" for kind, lines in kinds.items() for line in lines[:SHOWN_MAX]]


def check_trap(browser: Browser, hostile: list[str]) -> None:
    """The vectors do run where they are shown as they are, and are noticed: else nothing is proved."""
    trap, ran, noticed = Trap(browser, CARELESS), 0, []
    trap.page.route(f"{CARELESS}/**", lambda route: route.fulfill(status=404))
    for number, vector in enumerate(hostile, start=1):
        text = (
            "<!doctype html><html lang=uk><title>x</title><header></header>"
            f"<main><h1>x</h1><p>{vector}</p></main><footer></footer>"
        )
        trap.serve(str(number), text)
        try:
            _, _, told = trap.visit(f"{CARELESS}/{number}")
        except Error as error:
            told = [f"it went elsewhere: {error}"]
        ran += bool(trap.ran)
        if [line for line in told if not line.startswith(("the policy", "no `nosniff`"))]:
            noticed.append(number)
    trap.serve("policy", "<script>pwned(0)</script>", **{"Content-Security-Policy": "default-src 'none'"})
    _, _, told = trap.visit(f"{CARELESS}/policy")
    assert any("Content Security Policy: script-src" in line for line in told), f"a policy that was needed: {told}"
    trap.context.close()
    assert ran >= LIVE_MIN, f"only {ran} of {len(hostile)} vectors run where nothing stops them"
    print(
        f"hostile: shown as they are, {ran} of {len(hostile)} vectors run by themselves, and {len(noticed)} are noticed"
    )


def check_machines(address: str) -> list[str]:
    """What programs read of a hostile site can be read: XML, JSON, lines."""
    told = []
    for path in ("/feeds.opml", "/sitemap.xml", "/manifest.webmanifest", "/favicon.svg", "/all.atom", "/all.json"):
        status, _, body = get(address + path)
        try:
            json.loads(body) if path.endswith(("json", "webmanifest")) else ElementTree.fromstring(body)
        except (ValueError, ElementTree.ParseError) as error:
            told.append(f"{path} | unreadable: {error}")
        if status != 200 or (b"pwned" in body and path in ("/sitemap.xml", "/favicon.svg")):
            told.append(f"{path} | not as it should be: {status}")
    return told


def visit_pages(trap: Trap, entries: int) -> list[str]:
    """Each publication, the archives of the sources, the pages of the site, and every article."""
    started = ["/uk/", "/uk/sources", "/uk/about", "/uk/all", "/uk/regions/kharkivska", "/uk/tags/vorozha"]
    started += ["/uk/publications/vorozha", "/uk/regions/kharkivska/tags/vorozha", "/uk/communities/kharkivska"]
    waiting = started + [f"/uk/sources/{kind}" for kind in FORMATS]
    seen, told, pictures = set(waiting), [], 0
    while waiting:
        path = waiting.pop()
        status, text, complaints = trap.visit(trap.address + path)
        told += [f"{path} | {line}" for line in complaints]
        pictures += len(trap.pictures)
        if status != 200:
            told.append(f"{path} | answered with {status}")
        # The archives of the sources together have every article.
        older = OLDER.findall(text) if path.startswith("/uk/sources/") else []
        fresh = {*ARTICLE.findall(text), *older} - seen
        seen |= fresh
        waiting += sorted(fresh)
    articles = [path for path in seen if "/articles/" in path]
    assert len(articles) == entries, f"{len(articles)} articles of {entries} entries are shown"
    print(
        f"hostile: {len(seen)} pages, {len(articles)} of them articles, {pictures} pictures of theirs; {len(told)} complaints"
    )
    return told


def visit_addresses(trap: Trap, hostile: list[str]) -> list[str]:
    """A page that is asked for with a vector in its address."""
    told, statuses = [], Counter()
    composed = "&".join(
        f"region={urllib.parse.quote(vector)}&tag={urllib.parse.quote(vector)}" for vector in hostile[::9]
    )
    _, _, complaints = trap.visit(f"{trap.address}/uk/compose?{composed}")
    told += [f"/uk/compose | {line}" for line in complaints]
    for number, vector in enumerate(hostile):
        quoted = urllib.parse.quote(vector, safe="")
        paths = [f"/uk/?q={quoted}", f"/uk/{quoted}"]
        for path in paths if formats() == len(FORMATS) else [paths[number % 2]]:
            status, _, complaints = trap.visit(trap.address + path)
            told += [f"{path[:120]} | {line}" for line in complaints]
            kind = "search" if "?" in path else "path"
            statuses[kind, status] += 1
            if status >= 500 or (kind == "path" and status < 400):
                told.append(f"{path[:120]} | answered with {status}")
    print(f"hostile: {len(hostile)} vectors in addresses: {dict(statuses)}; {len(told)} complaints")
    return told
