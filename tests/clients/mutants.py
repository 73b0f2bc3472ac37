"""The checker checked: a good document passes, and each way to break it is told by its name.

usage: mutants.py
"""

import dataclasses
import datetime
import json
import pathlib
import re

import atom
from daemon import Document
from jsonfeed import check_json, check_twins

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
ENTRIES_MAX = 3
ADDRESS = "https://visnyk.example/all/archive/2.atom"
GOOD = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" \
xmlns:georss="http://www.georss.org/georss" xmlns:fh="http://purl.org/syndication/history/1.0" \
xmlns:at="http://purl.org/atompub/tombstones/1.0" xml:lang="uk">\
<title>Вісник</title><subtitle>Усе</subtitle><id>tag:visnyk.example,2026-01-01:/all</id>\
<updated>2026-02-03T12:00:00+02:00</updated><icon>https://visnyk.example/icon.png</icon>\
<author><name>Вісник</name><uri>https://visnyk.example/</uri></author>\
<link href="https://visnyk.example/all/archive/2.atom" rel="self" type="application/atom+xml"/>\
<link href="https://visnyk.example/" rel="alternate" type="text/html"/>\
<link href="https://visnyk.example/all.atom" rel="current"/>\
<link href="https://visnyk.example/all/archive/1.atom" rel="prev-archive"/>\
<link href="https://visnyk.example/all/archive/3.atom" rel="next-archive"/><fh:archive/>\
<at:deleted-entry ref="tag:visnyk.example,2026-01-01:kharkiv/3" when="2026-02-03T12:00:00+02:00"/>\
<entry><title>Новина друга</title><id>tag:visnyk.example,2026-01-01:kharkiv/2</id>\
<published>2026-02-02T10:00:00+02:00</published><updated>2026-02-02T11:00:00+02:00</updated>\
<author><name>Олена Коваль</name></author>\
<category term="kharkivska" scheme="https://visnyk.example/regions" label="Харківська область"/>\
<category term="паркани"/>\
<link href="https://misto.example/2" rel="alternate" type="text/html"/>\
<link href="https://misto.example/2.pdf" rel="enclosure" type="application/pdf" length="7"/>\
<summary>Коротко.</summary>\
<content type="html">&lt;p&gt;Довго &lt;a href="https://misto.example/" rel="nofollow"&gt;тут&lt;/a&gt; \
&lt;img src="https://misto.example/2.jpg" alt=""&gt;&lt;/p&gt;</content>\
<media:content url="https://misto.example/2.jpg" medium="image" width="8"/>\
<georss:point>49.9 36.2</georss:point>\
<source><id>https://misto.example/rss</id><title>Місто</title><updated>2026-02-02T11:00:00+02:00</updated></source></entry>\
<entry><title>Новина перша</title><id>https://misto.example/1</id>\
<published>2026-02-01T10:00:00+02:00</published><updated>2026-02-01T10:00:00+02:00</updated>\
<link href="https://misto.example/1" rel="alternate" type="text/html"/><summary>Стисло.</summary>\
<source><id>https://misto.example/rss</id><title>Місто</title><updated>2026-02-01T10:00:00+02:00</updated></source></entry>\
</feed>"""
SECOND = re.search("<entry>.*?</entry>", GOOD)[0]
FIRST = GOOD[GOOD.rindex("<entry>") : GOOD.rindex("</feed>")]
SUMMARY = "<summary>Коротко.</summary>"
LINK_OF_SECOND = '<link href="https://misto.example/2" rel="alternate" type="text/html"/>'
FREE = '<category term="паркани"/>'
HTML = 'Довго &lt;a href="https://misto.example/"'

# What is said, what stood there, and what stands there instead.
ATOM_MUTANTS = [
    ("SAXError", "<title>Вісник</title>", "<title>Вісник"),
    ("UndefinedElement", "feed", "feeds"),
    ("MissingElement", "<title>Вісник</title>", ""),
    ("MissingElement", "<id>https://misto.example/1</id>", ""),
    ("MissingElement", "<published>2026-02-01T10:00:00+02:00</published>", ""),
    ("MissingElement", "<author><name>Вісник</name><uri>https://visnyk.example/</uri></author>", ""),
    ("MissingElement", "<name>Олена Коваль</name>", "<name/>"),
    ("MissingElement", SECOND[SECOND.index("<source>") : -8], ""),
    ("DuplicateElement", "<id>https://misto.example/1</id>", "<id>https://misto.example/1</id>" * 2),
    ("NotBlank", "<title>Новина перша</title>", "<title> </title>"),
    ("NotBlank", re.search("&lt;p&gt;.*&lt;/p&gt;", GOOD)[0], " "),
    ("DuplicateEntries", "<id>https://misto.example/1</id>", "<id>tag:visnyk.example,2026-01-01:kharkiv/2</id>"),
    ("ImplausibleDate", "<updated>2026-02-02T11", "<updated>2096-02-02T11"),
    ("ImplausibleDate", "<published>2026-02-01", "<published>1969-02-01"),
    ("FutureDate", "<updated>2026-02-02T11:00:00+02:00", "<updated>2026-03-01T00:05:00+00:00"),
    ("InvalidRFC3339Date", "<updated>2026-02-02T11:00:00+02:00", "<updated>2026-02-02T11:00:00"),
    ("InvalidRFC3339Date", "<updated>2026-02-02T11", "<updated>2026-02-31T11"),
    ("UpdatedBeforePublished", "<updated>2026-02-01T10", "<updated>2026-02-01T09"),
    ("FeedUpdatedIsNotNewest", "<updated>2026-02-03T12", "<updated>2026-02-03T13"),
    ("FeedUpdatedIsNotNewest", 'when="2026-02-03T12', 'when="2026-02-03T11'),
    ("NotNewestFirst", SECOND + FIRST, FIRST + SECOND),
    ("MissingSelf", 'rel="self"', 'rel="related"'),
    ("SelfDoesntMatchLocation", 'all/archive/2.atom" rel="self"', 'all/archive/02.atom" rel="self"'),
    ("SecurityRisk", HTML, f"&lt;script&gt;x&lt;/script&gt;{HTML}"),
    ("SecurityRisk", HTML, f"&lt;!-- x --&gt;{HTML}"),
    ("SecurityRisk", '&lt;a href="https://misto.example/"', '&lt;a href=" java\tscript:x"'),
    ("SecurityRisk", '&lt;img src="https://misto.example/2.jpg"', '&lt;img src="data:image/png;base64,x"'),
    ("SecurityRiskAttr", 'rel="nofollow"', 'onclick="x"'),
    ("DangerousStyleAttr", 'rel="nofollow"', 'style="position:fixed"'),
    ("ContainsRelRef", '&lt;a href="https://misto.example/"', '&lt;a href="/x"'),
    ("ContainsRelRef", '&lt;img src="https://misto.example/2.jpg"', '&lt;img src="//misto.example/2.jpg"'),
    ("ContainsRelRef", 'alt=""', 'srcset="https://misto.example/a 1x, b 2x"'),
    ("ContainsRelRef", 'rel="nofollow"', 'cite="../x"'),
    ("ContainsRelRef", 'alt=""', 'poster="x.jpg"'),
    ("ContainsRelRef", 'alt=""', 'data="x.swf"'),
    ("ContainsRelRef", 'href="https://misto.example/2.pdf"', 'href="/2.pdf"'),
    ("ContainsRelRef", 'url="https://misto.example/2.jpg"', 'url="2.jpg"'),
    ("ContainsRelRef", 'xml:lang="uk"', 'xml:lang="uk" xml:base="https://misto.example/"'),
    ("ForbiddenScheme", '<uri>https://visnyk.example/</uri>', "<uri>javascript:x</uri>"),
    ("ForbiddenScheme", "<icon>https://visnyk.example/icon.png", "<icon>data:image/png,x"),
    ("NonCanonicalURI", 'href="https://misto.example/2.pdf"', 'href="https://Misto.example:443/2.pdf"'),
    ("NonCanonicalURI", "<id>tag:visnyk.example,2026-01-01:/all", "<id>TAG:visnyk.example,2026-01-01:/all"),
    ("NonCanonicalURI", "<id>tag:visnyk.example,2026-01-01:kharkiv/2", "<id>TAG:visnyk.example,2026-01-01:kharkiv/2"),
    ("InvalidFullLink", "<id>https://misto.example/1</id>", "<id>новина 1</id>"),
    ("InvalidFullLink", 'ref="tag:visnyk', 'ref="visnyk'),
    ("MissingTextualContent", "<summary>Стисло.</summary>", ""),
    ("MissingContentOrAlternate", '<link href="https://misto.example/1" rel="alternate" type="text/html"/>', ""),
    ("DuplicateAtomLink", LINK_OF_SECOND, LINK_OF_SECOND + LINK_OF_SECOND.replace("/2", "/3")),
    ("DuplicateLink", LINK_OF_SECOND, LINK_OF_SECOND * 2),
    ("MissingTypeAttr", ' type="application/pdf"', ""),
    ("InvalidMIMEType", "application/pdf", "pdf"),
    ("InvalidInteger", 'length="7"', 'length="0"'),
    ("InvalidInteger", 'width="8"', 'width="8px"'),
    ("InvalidCoord", "49.9 36.2", "149.9 36.2"),
    ("UnexpectedContent", 'content type="html"', 'content type="xhtml"'),
    ("TextIsMarkup", "<title>Новина перша", '<title type="html">Новина перша'),
    ("ObsoleteNamespace", "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"),
    ("NotInANamespace", SUMMARY, f'<x xmlns=""/>{SUMMARY}'),
    ("UnknownNamespace", SUMMARY, f'<x xmlns="urn:x"/>{SUMMARY}'),
    ("UnexpectedNode", SUMMARY, f"<!-- x -->{SUMMARY}"),
    ("BadCharacters", "Новина друга", "Новина \x85 друга"),
    ("BadCharacters", "Олена Коваль", "Олена \ufffdоваль"),
    ("BadCharacters", "Довго", "Довго\x92"),
    ("BadCharacters", 'term="паркани"', 'term="паркани\ufffd"'),
    ("EncodingMismatch", 'encoding="utf-8"', 'encoding="windows-1251"'),
    ("MissingLanguage", ' xml:lang="uk"', ""),
    ("InvalidLanguage", 'xml:lang="uk"', 'xml:lang="українська"'),
    ("MissingAttribute", FREE, '<category term=" "/>'),
    ("MissingAttribute", ' label="Харківська область"', ""),
    ("DuplicateCategory", FREE, FREE * 2),
    ("DeletedEntryIsThere", "kharkiv/3", "kharkiv/2"),
    ("DuplicateEntries", "<at:deleted-entry", '<at:deleted-entry ref="tag:visnyk.example,2026-01-01:kharkiv/3" when="2026-01-01T00:00:00Z"/><at:deleted-entry'),
    ("MissingCurrent", '<link href="https://visnyk.example/all.atom" rel="current"/>', ""),
    ("ArchiveLinksToItself", "all/archive/1.atom", "all/archive/2.atom"),
    ("TooManyEntries", FIRST, "".join(FIRST.replace("/1<", f"/1{n}<") for n in range(ENTRIES_MAX))),
    ("TooManyEnclosures", '<summary>Стисло', "".join(f'<link href="https://misto.example/{n}.mp3" rel="enclosure" type="audio/mpeg"/>' for n in range(atom.ENCLOSURES_MAX + 1)) + "<summary>Стисло"),
    ("TooManyCategories", FREE, "".join(f'<category term="{n}"/>' for n in range(atom.FREE_CATEGORIES_MAX + 1))),
    ("TooManyTombstones", "<at:deleted-entry", "".join(f'<at:deleted-entry ref="urn:x:{n}" when="2026-01-01T00:00:00Z"/>' for n in range(atom.TOMBSTONES_MAX)) + "<at:deleted-entry"),
    ("TooLong", "Новина перша", "н" * (atom.TITLE_GRAPHEMES_MAX + 1)),
    ("TooLong", "Стисло.", "с" * (atom.SUMMARY_GRAPHEMES_MAX + 1)),
    ("TooLong", "<id>https://misto.example/1", "<id>https://misto.example/1" + "1" * atom.ID_BYTES_MAX),
    ("TooLong", 'href="https://misto.example/1"', f'href="https://misto.example/1{"1" * atom.LINK_BYTES_MAX}"'),
    ("TooLong", 'term="паркани"', f'term="{"п" * (atom.FREE_CATEGORY_CHARS_MAX + 1)}"'),
    ("TooLong", "Довго", "д" * atom.CONTENT_BYTES_MAX),
    ("TooDeep", "Довго", "&lt;b&gt;&lt;i&gt;" * 40 + "Довго"),
]  # fmt: skip

JSON_MUTANTS = [
    ("MissingElement", ["title"], None),
    ("MissingElement", ["items", 0, "authors"], None),
    ("MissingElement", ["items", 0, "authors", 0, "name"], " "),
    ("UndefinedElement", ["items", 0, "author"], {"name": "x"}),
    ("UnexpectedType", ["items", 0, "tags"], "освіта"),
    ("UnexpectedVersion", ["version"], "https://jsonfeed.org/version/1"),
    ("SelfDoesntMatchLocation", ["feed_url"], "https://visnyk.example/all.json"),
    ("ArchiveLinksToItself", ["next_url"], ADDRESS.replace(".atom", ".json")),
    ("NotBlank", ["items", 0, "title"], " "),
    ("ContainsRelRef", ["items", 0, "url"], "/2"),
    ("ContainsRelRef", ["items", 0, "content_html"], '<a href="/x">x</a>'),
    ("SecurityRisk", ["items", 0, "content_html"], "<script>x</script>"),
    ("ForbiddenScheme", ["items", 0, "authors", 0, "url"], "javascript:x"),
    ("BadCharacters", ["items", 0, "summary"], "\u0000"),
    ("MissingTextualContent", ["items", 0, "content_html"], None),
    ("InvalidRFC3339Date", ["items", 0, "date_published"], "вчора"),
    ("ImplausibleDate", ["items", 0, "date_modified"], "2096-01-01T00:00:00Z"),
    ("FutureDate", ["items", 0, "date_modified"], "2026-03-01T00:05:00Z"),
    ("UpdatedBeforePublished", ["items", 0, "date_modified"], "2026-01-01T00:00:00Z"),
    ("MissingAttribute", ["items", 0, "tags", 0], " "),
    ("InvalidMIMEType", ["items", 0, "attachments", 0, "mime_type"], "pdf"),
    ("InvalidInteger", ["items", 0, "attachments", 0, "size_in_bytes"], 0),
    ("InvalidLanguage", ["language"], "українська"),
    ("DuplicateEntries", ["items", 1, "id"], "tag:visnyk.example,2026-01-01:kharkiv/2"),
    ("TwinsDiffer", ["items", 1, "id"], "https://misto.example/11"),
    ("TwinsDiffer", ["items", 0, "title"], "Інша"),
    ("TwinsDiffer", ["items", 0, "date_modified"], "2026-02-02T12:00:00+02:00"),
    ("TwinsDiffer", ["items", 0, "content_html"], "<p>Інше.</p>"),
    ("TwinsDiffer", ["items", 0, "attachments"], []),
    ("TwinsDiffer", ["items", 1], None),
    ("TwinsDiffer", ["_visnyk", "deleted"], []),
]  # fmt: skip


def good_atom() -> Document:
    return Document(ADDRESS, "application/atom+xml; charset=utf-8", GOOD.encode())


def good_json() -> dict:
    entries = atom.check(good_atom(), ENTRIES_MAX, NOW).entries
    items = [
        {
            "id": entry.id, "url": entry.page, "title": entry.title, "date_published": entry.published.isoformat(),
            "date_modified": entry.updated.isoformat(), "summary": "Коротко.", "tags": ["паркани"],
            "authors": [{"name": "Олена Коваль", "url": "https://misto.example/"}],
            "attachments": [{"url": url, "mime_type": "application/pdf", "size_in_bytes": 7} for url in entry.enclosures],
            **({"content_html": entry.content} if entry.content else {"content_text": "Стисло."}),
        }
        for entry in entries
    ]  # fmt: skip
    return {
        "version": "https://jsonfeed.org/version/1.1", "title": "Вісник", "language": "uk", "items": items,
        "home_page_url": "https://visnyk.example/", "feed_url": ADDRESS.replace(".atom", ".json"),
        "next_url": "https://visnyk.example/all/archive/1.json", "_visnyk": {"deleted": [{"id": "tag:visnyk.example,2026-01-01:kharkiv/3", "when": "2026-02-03T12:00:00+02:00"}]},
    }  # fmt: skip


def json_messages(feed: object, content_type: str = "application/feed+json") -> set[str]:
    body = feed if isinstance(feed, bytes) else json.dumps(feed).encode()
    document = Document(ADDRESS.replace(".atom", ".json"), content_type, body)
    complaints = check_json(document, ENTRIES_MAX, NOW)
    if isinstance(feed, dict):
        complaints += check_twins(atom.check(good_atom(), ENTRIES_MAX, NOW), document)
    return {complaint.message for complaint in complaints}


def atom_messages(document: Document) -> set[str]:
    return {complaint.message for complaint in atom.check(document, ENTRIES_MAX, NOW).complaints}


def broken(path: list, value: object) -> dict:
    feed = good_json()
    place = feed
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return feed


def check_checker() -> None:
    good = good_atom()
    checked = atom.check(good, ENTRIES_MAX, NOW)
    assert not checked.complaints, [str(complaint) for complaint in checked.complaints]
    assert (len(checked.entries), len(checked.deleted), checked.is_archive) == (2, 1, True)
    assert not json_messages(good_json()), json_messages(good_json())
    for message, old, new in ATOM_MUTANTS:
        assert old in GOOD, f"the mutant of {message} changes nothing: {old}"
        mutant = dataclasses.replace(good, body=GOOD.replace(old, new).encode())
        assert message in atom_messages(mutant), f"{message} is not told of {new[:80]}: {atom_messages(mutant)}"
    same_date = GOOD.replace("2026-02-01T10", "2026-02-02T11").replace("2026-02-02T10", "2026-02-02T11")
    assert not atom_messages(dataclasses.replace(good, body=same_date.encode())), "DuplicateUpdated is allowed"
    for message, mutant in [
        ("UnexpectedContentType", dataclasses.replace(good, content_type="text/xml; charset=utf-8")),
        ("EncodingMismatch", dataclasses.replace(good, content_type="application/atom+xml; charset=iso-8859-1")),
        ("EncodingMismatch", dataclasses.replace(good, body=b"\xef\xbb\xbf" + good.body)),
        ("SelfDoesntMatchLocation", dataclasses.replace(good, address=ADDRESS + "?page=2")),
    ]:
        assert message in atom_messages(mutant), f"{message}: {atom_messages(mutant)}"
    for message, path, value in JSON_MUTANTS:
        assert message in json_messages(broken(path, value)), (
            f"{message} of {path}: {json_messages(broken(path, value))}"
        )
    assert "JSONError" in json_messages(b"{")
    assert "UnexpectedContentType" in json_messages(good_json(), "application/json")
    told = {message for message, *_ in ATOM_MUTANTS + JSON_MUTANTS} | {"UnexpectedContentType", "JSONError"}
    sources = [pathlib.Path(__file__).with_name(name).read_text() for name in ("atom.py", "content.py", "jsonfeed.py")]
    known = {name for source in sources for name in re.findall(r'\("([A-Z]\w+)"', source)}
    assert known == told, f"without a mutant: {known - told}; without a check: {told - known}"
    print(f"checker: {len(ATOM_MUTANTS) + len(JSON_MUTANTS) + 6} mutants, each told by its name ({len(told)} names)")


if __name__ == "__main__":
    check_checker()
