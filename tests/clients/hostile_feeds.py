"""Feeds in three formats with a vector in every field that they have, and the feeds.toml that polls them."""

import datetime
import json
import pathlib
import re
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

NEWEST = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
# What XML 1.0 cannot hold, not even escaped.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
FORMATS = ("rss", "atom", "json")
CONFIG = """
[site]
title = {title}
subtitle = {title}
rights = {title}
address = "http://{listen}/"
listen = "{listen}"
since = 2026-01-01
[[tag]]
id = "vorozha"
name = {tag}
name_en = {tag}
aliases = ["ворожа мітка"]
match = ["ворож*"]
[[publication]]
id = "vorozha"
title = {title}
subtitle = {title}
tags = ["vorozha"]
"""
FEED = """
[[feed]]
id = "{id}"
title = {title}
url = "file:{id}"
region = "kharkivska"
community = "kharkivska"
unite = false
schedule = "@weekly"
"""


def write_hostile(folder: pathlib.Path, listen: str, vectors: list[str], formats: int) -> tuple[pathlib.Path, int]:
    """One feed for each format, of which each entry holds one vector, and each vector is in so many of the
    formats; the configuration is hostile as well. Its file, and the number of entries."""
    entries = 0
    title = "\"'></title></script><script>pwned(9001)</script><img src=x onerror=pwned(9002)>"
    tag = "\"'></script><script>pwned(9003)</script>"
    config = CONFIG.format(listen=listen, title=json.dumps(title), tag=json.dumps(tag))
    for place, kind in enumerate(FORMATS):
        its = [vector for number, vector in enumerate(vectors, place) if number % len(FORMATS) < formats]
        entries += len(its)
        (folder / kind).write_text({"rss": rss, "atom": atom, "json": json_feed}[kind](its))
        config += FEED.format(id=kind, title=json.dumps(f"{title} {kind}"))
    file = folder / "feeds.toml"
    file.write_text(config)
    return file, entries


def text(vector: str) -> str:
    return escape(NOT_XML.sub("", vector))


def attribute(vector: str) -> str:
    return quoteattr(NOT_XML.sub("", vector))


def date_of(number: int) -> datetime.datetime:
    return NEWEST - datetime.timedelta(minutes=number)


def body(number: int, vector: str) -> str:
    """As a careless editor would have it: the vector as text, in attributes of a picture, and as a link."""
    quoted = quoteattr(vector)
    picture = f"https://pictures.example/{number}.jpg"
    return (
        f"<p>Ворожа новина номер {number}, її перший абзац.</p>\n"
        f"<figure><img src={quoteattr(picture)} alt={quoted} title={quoted} class={quoted} id={quoted}>"
        f"<figcaption>{escape(vector)}</figcaption></figure>\n"
        f"<p><a href={quoted} title={quoted} name={quoted}>посилання</a> <img src={quoted} alt=x> <b lang={quoted}>ще</b></p>\n"
        f"<div>{vector}</div>"
    )


def rss(vectors: list[str]) -> str:
    items = []
    for number, vector in enumerate(vectors, start=1):
        plain, quoted = text(vector), attribute(vector)
        items.append(
            f"<item><title>{plain} {number}</title><link>{plain}</link><guid>{plain}</guid>"
            f"<pubDate>{format_datetime(date_of(number))}</pubDate><author>{plain}</author><dc:creator>{plain}</dc:creator>"
            f"<dc:language>{plain}</dc:language><dc:rights>{plain}</dc:rights><comments>{plain}</comments>"
            f"<category domain={quoted}>{plain}</category><category>ворожа мітка</category>"
            f"<source url={quoted}>{plain}</source><enclosure url={quoted} type={quoted} length={quoted}/>"
            f"<media:community><media:statistics views={quoted}/></media:community>"
            f'<media:content url={quoted} medium="image" type="image/jpeg"><media:title>{plain}</media:title>'
            f'<media:description type="html">{plain}</media:description><media:credit>{plain}</media:credit></media:content>'
            f"<media:thumbnail url={quoted}/><description>{plain}</description>"
            f"<content:encoded>{text(body(number, vector))}</content:encoded></item>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{text(vectors[0])}</title><link>{text(vectors[0])}</link><description>{text(vectors[0])}</description>"
        f"<language>{text(vectors[0])}</language><copyright>{text(vectors[0])}</copyright>"
        f"<image><url>{text(vectors[0])}</url></image>{''.join(items)}</channel></rss>"
    )


def atom(vectors: list[str]) -> str:
    entries = []
    for number, vector in enumerate(vectors, start=1):
        plain, quoted = text(vector), attribute(vector)
        link, picture = (
            attribute(f"https://hostile.example/{number}?{vector}"),
            f"https://pictures.example/{number}.jpg",
        )
        entries.append(
            f'<entry xml:lang={quoted}><title type="html">{plain} {number}</title><id>{plain}</id>'
            f"<link href={link} title={quoted} type={quoted} hreflang={quoted}/>"
            f'<link rel="enclosure" href={quoted} type="image/jpeg" title={quoted}/><link rel="related" href={quoted}/>'
            f"<published>{date_of(number).isoformat()}</published><updated>{date_of(number).isoformat()}</updated>"
            f"<author><name>{plain}</name><uri>{plain}</uri><email>{plain}</email></author>"
            f'<category term={quoted} label={quoted} scheme={quoted}/><category term="ворожа мітка"/>'
            f"<rights>{plain}</rights><source><id>{plain}</id><title>{plain}</title><link href={quoted}/></source>"
            f'<media:thumbnail url={attribute(picture + "?" + vector)}/><summary type="html">{plain}</summary>'
            f'<content type="html" xml:base={quoted}>{text(body(number, vector))}</content></entry>'
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"'
        f' xmlns:media="http://search.yahoo.com/mrss/"><title type="html">{text(vectors[1])}</title><id>{text(vectors[1])}</id>'
        f"<link href={attribute(vectors[1])}/><icon>{text(vectors[1])}</icon><logo>{text(vectors[1])}</logo>"
        f"<updated>{NEWEST.isoformat()}</updated>{''.join(entries)}</feed>"
    )


def json_feed(vectors: list[str]) -> str:
    """The format that can hold every character."""
    items = [
        {
            "id": vector,
            "url": f"https://hostile.example/{number}/{vector}",
            "external_url": vector,
            "title": f"Новина {number}: {vector}",
            "summary": vector,
            "content_html": body(number, vector) if number % 2 else vector,
            "content_text": vector,
            "date_published": date_of(number).isoformat(),
            "tags": [vector, "ворожа мітка"],
            "authors": [{"name": vector, "url": vector, "avatar": vector}],
            "image": f"https://pictures.example/{number}.jpg?{vector}" if number % 3 else vector,
            "banner_image": vector,
            "language": vector,
            "attachments": [
                {"url": f"https://hostile.example/{number}.pdf?{vector}", "mime_type": vector, "title": vector}
            ],
        }
        for number, vector in enumerate(vectors, start=1)
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": vectors[2],
        "home_page_url": vectors[2],
        "description": vectors[2],
        "icon": vectors[2],
        "language": vectors[2],
        "authors": [{"name": vectors[2], "url": vectors[2]}],
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False)
