"""A checker of Atom documents: what the W3C's feed validator says, and what Visnyk promises besides.

The validator itself cannot be installed from a package index, so its messages are written down here
under its names, as far as they can concern a document of ours; `mutants.py` breaks a good document in
every one of these ways. A message of our own is named in the same manner.

Of the validator's warnings one is allowed: DuplicateUpdated, since what is imported together has one
date. NonCanonicalURI is none for the id of an entry that its source gave: RFC 4287, 4.2.6 forbids
to change it.
"""

import dataclasses
import datetime
import re
from collections import Counter

import regex
from lxml import etree

from content import bad_characters, html_complaints, is_canonical, link_complaints
from daemon import Document

ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"
GEORSS = "http://www.georss.org/georss"
HISTORY = "http://purl.org/syndication/history/1.0"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
NAMESPACES = {ATOM, MEDIA, GEORSS, HISTORY, TOMBSTONES}
OBSOLETE = {"http://purl.org/atom/ns#", "http://example.com/newformat#"}
XML = "{http://www.w3.org/XML/1998/namespace}"
ALLOWED = {"DuplicateUpdated"}

# Bounds of the code: src/normalize.rs, src/normalize/{text,html,identity,image}.rs, src/classify/topics.rs.
TITLE_GRAPHEMES_MAX = 512
SUMMARY_GRAPHEMES_MAX = 512  # a lead has 500; where there is none, the title stands there
ID_BYTES_MAX = 2_000
LINK_BYTES_MAX = 3 * 8 * 1024  # 8 KiB, percent-encoded
# 256 KiB of the source's HTML; the worst that cleaning adds is `rel` on links without anything else.
CONTENT_BYTES_MAX = 12 * 256 * 1024
FREE_CATEGORIES_MAX = 20
FREE_CATEGORY_CHARS_MAX = 60
ENCLOSURES_MAX = 32
TOMBSTONES_MAX = 25  # src/store/pages.rs

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(;.*)?")
EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
CLOCK_SLACK = datetime.timedelta(minutes=1)


@dataclasses.dataclass(frozen=True)
class Complaint:
    """A message by its name, what it is about, and the detail."""

    message: str
    where: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.message}: {self.where}: {self.detail}"


@dataclasses.dataclass(frozen=True)
class Entry:
    """What the JSON twin, a walk through archives and a reader compare."""

    id: str
    title: str
    published: datetime.datetime
    updated: datetime.datetime
    page: str
    content: str | None
    enclosures: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Checked:
    """A document as read, and what is wrong with it."""

    complaints: list[Complaint]
    entries: list[Entry]
    deleted: list[str]
    links: dict[str, str]
    is_archive: bool


def check(document: Document, entries_max: int, now: datetime.datetime) -> Checked:
    return Checker(document, entries_max, now).checked()


class Checker:
    def __init__(self, document: Document, entries_max: int, now: datetime.datetime):
        self.document, self.entries_max, self.now = document, entries_max, now
        self.complaints: list[Complaint] = []

    def say(self, message: str, where: str, detail: str = "") -> None:
        if message not in ALLOWED:
            self.complaints.append(Complaint(message, where, detail))

    def say_all(self, told, where: str) -> None:
        for message, detail in told:
            self.say(message, where, detail)

    def checked(self) -> Checked:
        self.check_envelope()
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        try:
            feed = etree.fromstring(self.document.body, parser)
        except etree.XMLSyntaxError as error:
            self.say("SAXError", "document", str(error))
            return Checked(self.complaints, [], [], {}, False)
        self.check_names(feed)
        if feed.tag != f"{{{ATOM}}}feed":
            self.say("UndefinedElement", "document", str(feed.tag))
            return Checked(self.complaints, [], [], {}, False)
        self.check_head(feed)
        entries = [self.entry(node, feed) for node in feed.findall(f"{{{ATOM}}}entry")]
        entries = [entry for entry in entries if entry]
        self.check_order(entries)
        deleted, deletions = self.tombstones(feed, {entry.id for entry in entries})
        latest = max([entry.updated for entry in entries] + deletions, default=None)
        if latest and self.date(feed, "updated", "feed") not in (latest, None):
            self.say("FeedUpdatedIsNotNewest", "feed", f"{feed.findtext(f'{{{ATOM}}}updated')}, not {latest}")
        links = {link.get("rel", "alternate"): link.get("href", "") for link in feed.findall(f"{{{ATOM}}}link")}
        is_archive = feed.find(f"{{{HISTORY}}}archive") is not None
        self.check_history(links, is_archive)
        return Checked(self.complaints, entries, deleted, links, is_archive)

    def check_envelope(self) -> None:
        kind, _, parameters = self.document.content_type.partition(";")
        if kind.strip().lower() != "application/atom+xml":
            self.say("UnexpectedContentType", "Content-Type", self.document.content_type)
        charset = re.search(r'charset="?([\w-]+)', parameters)
        declared = re.match(rb'<\?xml[^>]*encoding=["\']([\w-]+)', self.document.body)
        names = {name.lower() for name in (charset and charset[1], declared and declared[1].decode()) if name}
        if names - {"utf-8"} or self.document.body.startswith(b"\xef\xbb\xbf"):
            self.say("EncodingMismatch", "document", f"{sorted(names)}")

    def check_names(self, feed) -> None:
        for node in feed.iter():
            if not isinstance(node.tag, str):
                self.say("UnexpectedNode", "document", str(node)[:80])
                continue
            name = etree.QName(node)
            if not name.namespace:
                self.say("NotInANamespace", name.localname)
            elif name.namespace in OBSOLETE:
                self.say("ObsoleteNamespace", name.localname, name.namespace)
            elif name.namespace not in NAMESPACES:
                self.say("UnknownNamespace", name.localname, name.namespace)
            for key, value in node.attrib.items():
                self.say_all(bad_characters(value), f"{name.localname}/@{key}")
                if key == f"{XML}lang" and not LANGUAGE.fullmatch(value):
                    self.say("InvalidLanguage", name.localname, value)
                if key == f"{XML}base":
                    self.say("ContainsRelRef", name.localname, "xml:base")
            for text in (node.text, node.tail):
                self.say_all(bad_characters(text or ""), name.localname)

    def check_head(self, feed) -> None:
        for name in ("id", "title", "updated"):
            self.required(feed, name, "feed")
        if not feed.get(f"{XML}lang"):
            self.say("MissingLanguage", "feed")
        feed_id = feed.findtext(f"{{{ATOM}}}id") or ""
        if not is_canonical(feed_id) or ":" not in feed_id:
            self.say("NonCanonicalURI", "feed/id", feed_id)
        self.text(feed, "title", "feed", TITLE_GRAPHEMES_MAX)
        self.text(feed, "subtitle", "feed", 4 * TITLE_GRAPHEMES_MAX)
        selves = [link.get("href") for link in feed.findall(f"{{{ATOM}}}link") if link.get("rel") == "self"]
        if not selves:
            self.say("MissingSelf", "feed")
        elif selves != [self.document.address]:
            self.say("SelfDoesntMatchLocation", "feed", f"{selves}, found at {self.document.address}")
        self.people(feed, "feed")
        self.links(feed, "feed")
        for name in ("icon", "logo"):
            for node in feed.findall(f"{{{ATOM}}}{name}"):
                self.say_all(link_complaints(node.text or ""), f"feed/{name}")
        number = len(feed.findall(f"{{{ATOM}}}entry"))
        if number > self.entries_max:
            self.say("TooManyEntries", "feed", f"{number} of {self.entries_max}")
        ids = Counter(node.findtext(f"{{{ATOM}}}id") for node in feed.findall(f"{{{ATOM}}}entry"))
        for repeated in [name for name, count in ids.items() if count > 1]:
            self.say("DuplicateEntries", "feed", str(repeated))
        if feed.find(f"{{{ATOM}}}author") is None and not all(
            node.find(f"{{{ATOM}}}author") is not None for node in feed.findall(f"{{{ATOM}}}entry")
        ):
            self.say("MissingElement", "feed", "author")

    def entry(self, node, feed) -> Entry | None:
        where = f"entry {(node.findtext(f'{{{ATOM}}}id') or '')[:80]}"
        for name in ("id", "title", "updated", "published", "source"):
            self.required(node, name, where)
        entry_id = node.findtext(f"{{{ATOM}}}id") or ""
        self.check_id(entry_id, feed.findtext(f"{{{ATOM}}}id") or "", where)
        title = self.text(node, "title", where, TITLE_GRAPHEMES_MAX)
        self.text(node, "summary", where, SUMMARY_GRAPHEMES_MAX)
        self.people(node, where)
        self.links(node, where)
        self.categories(node, where)
        self.extensions(node, where)
        content = self.content(node, where)
        published, updated = self.date(node, "published", where), self.date(node, "updated", where)
        if published and updated and updated < published:
            self.say("UpdatedBeforePublished", where, f"{updated} < {published}")
        for source in node.findall(f"{{{ATOM}}}source"):
            self.source(source, where)
        if not entry_id or not published or not updated:
            return None
        links = node.findall(f"{{{ATOM}}}link")
        page = next((link.get("href", "") for link in links if link.get("rel", "alternate") == "alternate"), "")
        files = tuple(link.get("href", "") for link in links if link.get("rel") == "enclosure")
        return Entry(entry_id, title, published, updated, page, content, files)

    def check_id(self, entry_id: str, feed_id: str, where: str) -> None:
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", entry_id):
            self.say("InvalidFullLink", where, entry_id[:80])
        if len(entry_id.encode()) > ID_BYTES_MAX:
            self.say("TooLong", f"{where}/id", f"{len(entry_id.encode())} of {ID_BYTES_MAX} bytes")
        minter = feed_id.rpartition(":")[0]
        if entry_id.lower().startswith(minter.lower()) and not entry_id.startswith(minter):
            self.say("NonCanonicalURI", f"{where}/id", entry_id)

    def source(self, source, where: str) -> None:
        where = f"{where}/source"
        for name in ("id", "title", "updated"):
            self.required(source, name, where)
        self.text(source, "title", where, 4 * TITLE_GRAPHEMES_MAX)
        self.date(source, "updated", where)
        self.people(source, where)
        self.links(source, where)
        for icon in source.findall(f"{{{ATOM}}}icon"):
            self.say_all(link_complaints(icon.text or ""), f"{where}/icon")

    def required(self, node, name: str, where: str) -> None:
        found = node.findall(f"{{{ATOM}}}{name}")
        if not found:
            self.say("MissingElement", where, name)
        elif len(found) > 1:
            self.say("DuplicateElement", where, name)
        elif name != "source" and not (found[0].text or "").strip():
            self.say("NotBlank", where, name)

    def text(self, node, name: str, where: str, graphemes_max: int) -> str:
        found = node.find(f"{{{ATOM}}}{name}")
        if found is None:
            return ""
        if found.get("type", "text") != "text" or len(found):
            self.say("TextIsMarkup", f"{where}/{name}", found.get("type", ""))
        text = found.text or ""
        # No text has more graphemes than characters: the costly count is for long ones.
        if len(text) > graphemes_max and len(regex.findall(r"\X", text)) > graphemes_max:
            self.say("TooLong", f"{where}/{name}", f"over {graphemes_max} graphemes")
        return text

    def date(self, node, name: str, where: str) -> datetime.datetime | None:
        text = node.findtext(f"{{{ATOM}}}{name}")
        return None if text is None else self.instant(text, f"{where}/{name}")

    def instant(self, text: str, where: str) -> datetime.datetime | None:
        try:
            date = datetime.datetime.fromisoformat(text) if RFC3339.fullmatch(text) else None
        except ValueError:
            date = None
        if date is None:
            self.say("InvalidRFC3339Date", where, text)
        elif date < EARLIEST or date > self.now + datetime.timedelta(days=1):
            self.say("ImplausibleDate", where, text)
        elif date > self.now + CLOCK_SLACK:
            self.say("FutureDate", where, text)
        return date

    def people(self, node, where: str) -> None:
        for person in node.findall(f"{{{ATOM}}}author") + node.findall(f"{{{ATOM}}}contributor"):
            if not (person.findtext(f"{{{ATOM}}}name") or "").strip():
                self.say("MissingElement", where, "name of an author")
            for uri in person.findall(f"{{{ATOM}}}uri"):
                self.say_all(link_complaints(uri.text or ""), f"{where}/author/uri")

    def links(self, node, where: str) -> None:
        alternates: Counter = Counter()
        enclosures = 0
        seen = set()
        for link in node.findall(f"{{{ATOM}}}link"):
            rel, href = link.get("rel", "alternate"), link.get("href", "")
            self.say_all(link_complaints(href), f"{where}/link[{rel}]")
            if len(href.encode()) > LINK_BYTES_MAX:
                self.say("TooLong", f"{where}/link[{rel}]", f"over {LINK_BYTES_MAX} bytes")
            if link.get("type") is not None and not MEDIA_TYPE.fullmatch(link.get("type")):
                self.say("InvalidMIMEType", f"{where}/link[{rel}]", link.get("type"))
            if not re.fullmatch("[1-9][0-9]*", link.get("length", "1")):
                self.say("InvalidInteger", f"{where}/link[{rel}]", link.get("length"))
            if link.get("hreflang") and not LANGUAGE.fullmatch(link.get("hreflang")):
                self.say("InvalidLanguage", f"{where}/link[{rel}]", link.get("hreflang"))
            if (rel, href) in seen:
                self.say("DuplicateLink", where, f"{rel} {href[:80]}")
            seen.add((rel, href))
            if rel == "alternate":
                alternates[link.get("type"), link.get("hreflang")] += 1
            if rel == "enclosure":
                enclosures += 1
                if not link.get("type"):
                    self.say("MissingTypeAttr", f"{where}/link[{rel}]", href[:80])
        for kind, count in alternates.items():
            if count > 1:
                self.say("DuplicateAtomLink", where, str(kind))
        if enclosures > ENCLOSURES_MAX:
            self.say("TooManyEnclosures", where, str(enclosures))

    def content(self, node, where: str) -> str | None:
        content, summary = node.find(f"{{{ATOM}}}content"), node.findtext(f"{{{ATOM}}}summary")
        links = node.findall(f"{{{ATOM}}}link")
        if content is None:
            if not any(link.get("rel", "alternate") == "alternate" for link in links):
                self.say("MissingContentOrAlternate", where)
            if not (summary or "").strip():
                self.say("MissingTextualContent", where)
            return None
        html = content.text or ""
        if content.get("type") != "html" or content.get("src") is not None or len(content):
            self.say("UnexpectedContent", where, f"type {content.get('type')}")
        if not html.strip():
            self.say("NotBlank", where, "content")
        if len(html.encode()) > CONTENT_BYTES_MAX:
            self.say("TooLong", f"{where}/content", f"over {CONTENT_BYTES_MAX} bytes")
        self.say_all(html_complaints(html), f"{where}/content")
        return html

    def categories(self, node, where: str) -> None:
        seen: Counter = Counter()
        for category in node.findall(f"{{{ATOM}}}category"):
            term, scheme = category.get("term", ""), category.get("scheme")
            seen[term, scheme] += 1
            if not term.strip():
                self.say("MissingAttribute", where, "term of a category")
            if scheme is not None:
                self.say_all(link_complaints(scheme), f"{where}/category/@scheme")
                if not (category.get("label") or "").strip():
                    self.say("MissingAttribute", where, f"label of the category {term}")
            elif len(term) > FREE_CATEGORY_CHARS_MAX:
                self.say("TooLong", f"{where}/category", term[:80])
        for (term, scheme), count in seen.items():
            if count > 1:
                self.say("DuplicateCategory", where, f"{term} in {scheme}")
        if sum(scheme is None for _, scheme in seen) > FREE_CATEGORIES_MAX:
            self.say("TooManyCategories", where, str(len(seen)))

    def extensions(self, node, where: str) -> None:
        for medium in node.iter(f"{{{MEDIA}}}content", f"{{{MEDIA}}}thumbnail"):
            self.say_all(link_complaints(medium.get("url", "")), f"{where}/media")
            for side in ("width", "height"):
                if not re.fullmatch("[1-9][0-9]*", medium.get(side, "1")):
                    self.say("InvalidInteger", f"{where}/media/@{side}", medium.get(side))
        for point in node.iter(f"{{{GEORSS}}}point"):
            numbers = re.fullmatch(r"(-?[0-9.]+) (-?[0-9.]+)", point.text or "")
            if not numbers or abs(float(numbers[1])) > 90 or abs(float(numbers[2])) > 180:
                self.say("InvalidCoord", where, point.text or "")

    def check_order(self, entries: list[Entry]) -> None:
        for newer, older in zip(entries, entries[1:]):
            if newer.published < older.published:
                self.say("NotNewestFirst", f"entry {older.id[:80]}", f"{older.published} after {newer.published}")

    def tombstones(self, feed, living: set[str]) -> tuple[list[str], list[datetime.datetime]]:
        deleted, dates = [], []
        for tombstone in feed.findall(f"{{{TOMBSTONES}}}deleted-entry"):
            ref = tombstone.get("ref", "")
            where = f"deleted-entry {ref[:80]}"
            if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+$", ref):
                self.say("InvalidFullLink", where, "ref")
            date = self.instant(tombstone.get("when", ""), where)
            dates += [date] if date else []
            if ref in living:
                self.say("DeletedEntryIsThere", where)
            if ref in deleted:
                self.say("DuplicateEntries", where, "deleted twice")
            deleted.append(ref)
        if len(deleted) > TOMBSTONES_MAX:
            self.say("TooManyTombstones", "feed", str(len(deleted)))
        return deleted, dates

    def check_history(self, links: dict[str, str], is_archive: bool) -> None:
        """RFC 5005, 4: archives say which document is current, and no document is its own neighbour."""
        if is_archive and "current" not in links:
            self.say("MissingCurrent", "archive")
        for rel in ("prev-archive", "next-archive", "current"):
            itself = links.get(rel) == self.document.address
            if itself and (rel != "current" or is_archive):
                self.say("ArchiveLinksToItself", "feed", rel)
