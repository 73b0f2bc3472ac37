"""The HTML of pages: what html5lib complains of, and what it does not see; and links that lead nowhere."""

import re
import urllib.parse
from collections import Counter

import html5lib

from browser import LANGUAGES, Site
from daemon import get

PAGES_MAX = 300
LINKS_MAX = 1_500
POLICY = {
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data: https:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
WELL = (
    '<!DOCTYPE html><html lang="uk"><head><title>Назва</title></head><body><main><h1>Заголовок</h1><h2>Нижче</h2>'
    '<p id="a"><img src="/x" alt=""><a href="#a">слово</a></p><label for="q">Пошук</label><input id="q"></main></body></html>'
)
# How it is spoilt, and what has to be said of that: else these checks see nothing.
SPOILT = [
    ("<!DOCTYPE html>", "", "expected-doctype"),
    ("</main>", "", "html5lib"),
    ("<h2>Нижче</h2>", "<h2>Нижче</h1>", "html5lib"),
    ('<p id="a">', '<p id="a" id="b">', "duplicate-attribute"),
    ("слово", "слово &nbsp", "html5lib"),
    ("слово</a>", "<a>слово</a></a>", "html5lib"),
    (' alt=""', "", "without alt"),
    ("слово", " ", "without words"),
    ('for="q"', 'for="z"', "for='z': no such id"),
    ('for="q"', "", "without a label"),
    ('href="#a"', 'href="#b"', "href='#b': no such id"),
    ('id="q"', 'id="a"', "id 'a' stands there 2 times"),
    ("h2>", "h3>", "level 3 follows one of 1"),
    ("h2>", "h1>", "2 headings of level 1"),
    (' lang="uk"', "", "<html lang=None>"),
    ("Назва", "", "no title"),
    ("main>", "div>", "not one <main>"),
    ("слово", "<font>слово</font>", "<font>"),
    ('<p id="a"', '<p id="a" style="x"', "<p style>"),
    ("слово", "<b onclick=x()>слово</b>", "<b onclick>"),
    ("</main>", "<script></script></main>", "a script"),
]
XHTML = "{http://www.w3.org/1999/xhtml}"
# The elements that HTML has and a page without scripts has a use for.
KNOWN = frozenset(
    "html head title meta link body header nav main section article aside footer h1 h2 h3 h4 h5 h6 p hr pre blockquote"
    " ol ul li dl dt dd div figure figcaption a em strong small s cite q abbr time code sub sup i b u mark span br wbr"
    " img picture source table caption colgroup col thead tbody tfoot tr th td form label input button select datalist"
    " optgroup option textarea output fieldset legend details summary script del ins bdi bdo kbd samp var data dfn"
    " progress meter search address hgroup ruby rt rp".split()
)
REFERENCES = ("aria-labelledby", "aria-describedby", "aria-controls", "for", "list", "form", "headers")
# Attributes with an address of a page or file.
LINKS = {"a": "href", "link": "href", "img": "src", "form": "action", "script": "src"}


def check_markup(site: Site) -> None:
    """Each page that is looked at, and all that its links lead to."""
    check_checks()
    told = []
    for language in LANGUAGES:
        for name in site.paths:
            status, headers, body = html(site.page(name, language))
            wanted = 404 if name == "not-found" else 200
            if status != wanted or not headers["Content-Type"].startswith("text/html"):
                told.append(f"{name}, {language}: {status}, {headers['Content-Type']}")
            told += [f"{name}, {language}: {line}" for line in markup_complaints(body.decode(), language)]
            told += [f"{name}, {language}: {line}" for line in policy_complaints(headers)]
    assert not told, "the markup:\n" + "\n".join(told[:60])
    print(f"markup: {len(site.paths)} pages in {len(LANGUAGES)} languages: valid, each under the whole policy")
    crawl(site)


def check_checks() -> None:
    assert not markup_complaints(WELL, "uk"), f"a good page is complained of: {markup_complaints(WELL, 'uk')}"
    for good, bad, wanted in SPOILT:
        assert good in WELL, f"no {good} to spoil"
        told = markup_complaints(WELL.replace(good, bad), "uk")
        assert any(wanted in line for line in told), f"{bad!r} instead of {good!r} is not noticed, but {told}"


def html(address: str) -> tuple[int, dict, bytes]:
    return get(address, Accept="text/html,application/xhtml+xml,*/*;q=0.8")


def policy_complaints(headers: dict) -> list[str]:
    policy = headers["Content-Security-Policy"] or ""
    given = {" ".join([words[0], *sorted(words[1:])]) for words in map(str.split, policy.split(";")) if words}
    wanted = {" ".join([words[0], *sorted(words[1:])]) for words in map(str.split, POLICY)}
    told = [f"the policy differs: {sorted(given ^ wanted)}"] if given != wanted else []
    if headers["X-Content-Type-Options"] != "nosniff":
        told.append("no `nosniff`")
    return told


def markup_complaints(text: str, language: str) -> list[str]:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"))
    root = parser.parse(text)
    told = [f"html5lib: {code} at line {at[0]} {given}" for at, code, given in parser.errors]
    elements = [element for element in root.iter() if isinstance(element.tag, str)]
    told += element_complaints(elements)
    told += reference_complaints(elements)
    told += heading_complaints(elements)
    if root.get("lang") != language:
        told.append(f"<html lang={root.get('lang')!r}>")
    if len(list(root.iter(XHTML + "title"))) != 1 or not root.findtext(f".//{XHTML}title").strip():
        told.append("no title, or several")
    if len(list(root.iter(XHTML + "main"))) != 1:
        told.append("not one <main>")
    return told


def element_complaints(elements: list) -> list[str]:
    told = []
    for element in elements:
        name = element.tag.removeprefix(XHTML)
        if not name.startswith("{") and name not in KNOWN:
            told.append(f"<{name}>")
        if name == "img" and element.get("alt") is None:
            told.append(f"<img src={element.get('src')!r}> without alt")
        if (name == "button" or (name == "a" and element.get("href") is not None)) and not spoken(element):
            told.append(f"<{name}> without words: {element.attrib}")
        if name == "script" and element.get("type") != "application/ld+json":
            told.append("a script")
        if name == "input" and element.get("type") != "hidden" and not is_labelled(element, elements):
            told.append(f"an input without a label: {element.attrib}")
        told += [f"<{name} {key}>" for key in element.attrib if key.startswith("on") or key == "style"]
    ids = Counter(element.get("id") for element in elements if element.get("id") is not None)
    told += [f"id {name!r} stands there {count} times" for name, count in ids.items() if count > 1]
    told += [f"id {name!r}" for name in ids if not name or re.search(r"\s", name)]
    return told


def spoken(element) -> str:
    images = "".join(image.get("alt", "") for image in element.iter(XHTML + "img"))
    return "".join(element.itertext()).strip() or images or element.get("aria-label", "")


def is_labelled(control, elements: list) -> bool:
    if control.get("aria-label") or control.get("aria-labelledby") or control.get("type") in ("submit", "button"):
        return True
    labels = [element for element in elements if element.tag == XHTML + "label"]
    named = any(label.get("for") == control.get("id") and control.get("id") for label in labels)
    return named or any(control in list(label.iter()) for label in labels)


def reference_complaints(elements: list) -> list[str]:
    """Ids that something speaks of have to exist."""
    ids = {element.get("id") for element in elements}
    told = []
    for element in elements:
        for attribute in REFERENCES:
            told += [f"{attribute}={one!r}: no such id" for one in element.get(attribute, "").split() if one not in ids]
        href = element.get("href", "")
        if href.startswith("#") and len(href) > 1 and urllib.parse.unquote(href[1:]) not in ids:
            told.append(f"href={href!r}: no such id")
    return told


def heading_complaints(elements: list) -> list[str]:
    levels = [int(element.tag[-1]) for element in elements if re.fullmatch(re.escape(XHTML) + "h[1-6]", element.tag)]
    told = [] if levels.count(1) == 1 else [f"{levels.count(1)} headings of level 1"]
    if levels and levels[0] != 1:
        told.append(f"the first heading is of level {levels[0]}")
    told += [
        f"a heading of level {after} follows one of {before}"
        for before, after in zip(levels, levels[1:])
        if after > before + 1
    ]
    return told


def crawl(site: Site) -> None:
    """Follows every link within the site. What has gone by is not asked for again."""
    waiting = [f"{site.address}/{language}/" for language in LANGUAGES] + [
        site.page("compose", "uk"),
        site.page("search", "uk"),
    ]
    found_on = dict.fromkeys(waiting, "the start")
    told, pages, files = [], 0, 0
    while waiting and pages < PAGES_MAX and pages + files < LINKS_MAX:
        address = waiting.pop(0)
        status, headers, body = html(address)
        if status != 200:
            told.append(f"{address}: {status}; linked on {found_on[address]}")
            continue
        if not headers["Content-Type"].startswith("text/html"):
            files += 1
            continue
        pages += 1
        text = body.decode()
        told += [f"{address}: {line}" for line in markup_complaints(text, headers["Content-Language"] or "uk")]
        told += [f"{address}: {line}" for line in policy_complaints(headers)]
        for link in links_of(text, address):
            if link.startswith(site.address + "/") and link not in found_on:
                found_on[link] = address
                waiting.append(link)
    assert not told, f"{len(told)} complaints of the crawl:\n" + "\n".join(told[:60])
    print(f"crawl: {pages} pages, valid, and {files} files, every link answered; {len(waiting)} left at the bound")


def links_of(text: str, address: str) -> list[str]:
    root = html5lib.parse(text, treebuilder="etree")
    links = []
    for element in root.iter():
        name = element.tag.removeprefix(XHTML) if isinstance(element.tag, str) else ""
        link = element.get(LINKS.get(name, "href")) if name else None
        if link:
            links.append(urllib.parse.urljoin(address, link).partition("#")[0])
    return links
