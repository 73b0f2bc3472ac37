"""HTML that an article carries, read as a browser reads it: nothing but text, safe, absolute.

The lists are those of src/normalize/html.rs, written down again: a check that took them from there
would agree with every mistake.
"""

import functools
import re
import urllib.parse

import html5lib

ELEMENTS = frozenset(
    "a em strong b i u s sub sup code q cite small abbr mark p br hr h2 h3 h4 ul ol li dl dt dd blockquote pre img"
    " figure figcaption table thead tbody tr th td".split()
)
ATTRIBUTES = {
    "a": {"href", "rel"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
LINKS = {"href", "src", "srcset", "poster", "cite", "data", "action", "formaction", "background", "longdesc"}
SCHEMES = {"http", "https", "mailto", "tel"}
DEPTH_MAX = 64
XHTML = "{http://www.w3.org/1999/xhtml}"
# XML 1.0 forbids the first; the validator calls what else nobody can read so as well.
BAD_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\uffff]")


def bad_characters(text: str) -> list[tuple[str, str]]:
    found = BAD_CHARACTERS.search(text)
    return [("BadCharacters", f"U+{ord(found[0]):04X} in {text[:60]!r}")] if found else []


@functools.lru_cache(maxsize=20_000)
def html_complaints(html: str) -> tuple[tuple[str, str], ...]:
    """What is wrong with a text in HTML: message and detail."""
    told = bad_characters(html)
    for node, depth in nodes(html5lib.parseFragment(html, treebuilder="etree")):
        if not isinstance(node.tag, str):
            told.append(("SecurityRisk", "a comment"))
            continue
        name = node.tag.removeprefix(XHTML)
        if name not in ELEMENTS:
            told.append(("SecurityRisk", f"<{name}>"))
        if depth > DEPTH_MAX + 2:  # tbody and the like are a parser's own
            told.append(("TooDeep", f"<{name}> at depth {depth}"))
        for attribute, value in node.attrib.items():
            told += attribute_complaints(name, attribute, value)
    return tuple(told)


def nodes(root):
    waiting = [(child, 1) for child in root]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node]


def attribute_complaints(element: str, attribute: str, value: str) -> list[tuple[str, str]]:
    told = []
    what = f"<{element} {attribute}={value[:60]!r}>"
    if attribute == "style":
        told.append(("DangerousStyleAttr", what))
    elif attribute not in ATTRIBUTES.get(element, ()):
        told.append(("SecurityRiskAttr", what))
    if attribute in LINKS:
        for link in value.split(",") if attribute == "srcset" else [value]:
            # What browsers drop before they look for a scheme.
            link = re.sub("[\t\n\r]", "", link).strip("".join(map(chr, range(33))))
            scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", link)
            if not scheme:
                told.append(("ContainsRelRef", what))
            elif scheme[1].lower() not in SCHEMES:
                told.append(("SecurityRisk", what))
    return told


def link_complaints(href: str) -> list[tuple[str, str]]:
    """What is wrong with an address outside HTML: it has to be absolute, on the web, canonical."""
    told = bad_characters(href)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", href)
    if not scheme:
        return [*told, ("ContainsRelRef", href[:80])]
    if scheme[1].lower() not in ("http", "https") or not re.match(r"https?://[^/?#]", href, re.I):
        return [*told, ("ForbiddenScheme", href[:80])]
    if not is_canonical(href):
        told.append(("NonCanonicalURI", href[:80]))
    return told


def is_canonical(uri: str) -> bool:
    """RFC 3986, 6.2.2 and 6.2.3, as far as it costs no meaning: case, default port, dot segments."""
    if re.search(r'[\s<>"\\^`{|}]', uri.partition("?")[0].partition("#")[0]):
        return False
    scheme = uri.partition(":")[0]
    if scheme != scheme.lower():
        return False
    if scheme not in ("http", "https"):
        return True
    parts = urllib.parse.urlsplit(uri)
    default = {"http": ":80", "https": ":443"}[scheme]
    segments = parts.path.split("/")
    return (
        parts.netloc == parts.netloc.lower()
        and not parts.netloc.endswith((default, ":"))
        and "@" not in parts.netloc
        and parts.path != ""
        and "." not in segments
        and ".." not in segments
    )
