"""The article about the sister cities shows the twelve fields of an article, as its source wrote them."""

import datetime
import email.utils
import json
import re
import xml.etree.ElementTree as ElementTree

from playwright.sync_api import Browser, Page

from browser import LANGUAGES, SAMPLE, Site, opened, sister_cities

FIELDS = "title published views image lead body tags regions communities source related id".split()
MEDIA = "{http://search.yahoo.com/mrss/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
# As feeds.toml names them.
NAMES = {
    "міжнародна підтримка": "international support",
    "партнерство": "partnership",
    "Харківська область": "Kharkiv Oblast",
    "Харківська територіальна громада": "Kharkivska hromada",
}
READ = """() => {
  const text = element => element.innerText.replace(/[\\u00a0\\u202f]/g, ' ').trim();
  const fields = {};
  for (const element of document.querySelectorAll('[data-field]')) {
    const name = element.dataset.field;
    (fields[name] ??= []).push({
      text: text(element),
      element: element.localName,
      shown: element.checkVisibility({opacityProperty: true, visibilityProperty: true}) && element.offsetHeight > 0,
      times: [...element.querySelectorAll('time')].map(time => time.dateTime),
      links: [...element.querySelectorAll('a')].map(link => [text(link), link.getAttribute('href')]),
      images: [...element.querySelectorAll('img')].map(image => [image.src, image.getAttribute('alt')]),
      captions: [...element.querySelectorAll('figcaption')].map(text),
      paragraphs: [...element.querySelectorAll('p')].map(text),
      items: [...element.querySelectorAll(':scope > li')].map(item => ({
        time: item.querySelector('time')?.dateTime, title: text(item.querySelector('a')), text: text(item),
        link: item.querySelector('a').getAttribute('href'),
      })),
      language: element.closest('[lang]').lang,
    });
  }
  return fields;
}"""
HEAD = """() => ({
  canonical: document.querySelector('link[rel=canonical]')?.href,
  metas: Object.fromEntries([...document.querySelectorAll('meta[property]')].map(meta => [meta.getAttribute('property'), meta.content])),
  data: [...document.querySelectorAll('script')].map(script => [script.type, script.textContent]),
  reasons: document.querySelectorAll('details#why dd').length,
})"""


def check_fields(browser: Browser, site: Site) -> None:
    for language in LANGUAGES:
        with opened(browser, site, language=language) as page:
            page.goto(site.page("article", language))
            fields = page.evaluate(READ)
            assert sorted(fields) == sorted(FIELDS), f"{language}: the fields are {sorted(fields)}"
            for name, shown in fields.items():
                assert len(shown) == 1, f"{language}: the field `{name}` stands there {len(shown)} times"
                assert shown[0]["shown"], f"{language}: the field `{name}` cannot be seen"
            told = complaints({name: shown[0] for name, shown in fields.items()}, site, language)
            told += head_complaints(page, site, language)
            assert not told, f"the article, {language}:\n" + "\n".join(told)
    check_foreign(browser, site)
    print(f"fields: {', '.join(FIELDS)}: as in the sample, in both languages; canonical, Open Graph, JSON-LD, reasons")


def complaints(fields: dict, site: Site, language: str) -> list[str]:
    """What differs from the source, one line for each field."""
    item = sister_cities()
    name = (lambda text: text) if language == "uk" else NAMES.get
    picture = item.find(f"{MEDIA}content")
    body = paragraphs(item.findtext(CONTENT))
    categories = [category.text for category in item.iter("category")]
    identity = site.paths["article"].removeprefix("/articles/")
    told = []

    def expect(field: str, holds: bool, wanted: object) -> None:
        if not holds:
            told.append(f"{field}: {wanted!r} is not what is shown: {fields[field]}")

    def has_links(field: str, wanted: list[str], kind: str) -> None:
        shown = dict(fields[field]["links"])
        for text in wanted:
            expect(field, shown.get(text, "").startswith(f"/{language}/{kind}/"), text)

    expect(
        "title", (fields["title"]["element"], fields["title"]["text"]) == ("h1", item.findtext("title")), "h1, title"
    )
    published = email.utils.parsedate_to_datetime(item.findtext("pubDate"))
    times = [datetime.datetime.fromisoformat(time) for time in fields["published"]["times"]]
    expect("published", times == [published] and "14:16" in fields["published"]["text"], published)
    views = item.find(f"{MEDIA}community/{MEDIA}statistics").get("views")
    expect("views", views in re.sub(r"[ ,]", "", fields["views"]["text"]), views)
    shown = fields["image"]
    expect("image", [image for image, _ in shown["images"]] == [picture.get("url")], picture.get("url"))
    expect("image", all(alt is not None for _, alt in shown["images"]), "alt")
    expect(
        "image",
        shown["element"] == "figure" and shown["captions"] == [picture.findtext(f"{MEDIA}description")],
        "caption",
    )
    expect("lead", fields["lead"]["text"] == item.findtext("description"), item.findtext("description"))
    # The lead is said once.
    expect("body", fields["body"]["paragraphs"] == body[1:], body[1:])
    expect(
        "body", fields["body"]["links"] == [["у тексті протоколу", "https://kharkiv.example/news/1/protocol"]], "link"
    )
    has_links("tags", [name(tag) for tag in categories if tag in ("міжнародна підтримка", "партнерство")], "tags")
    has_links("regions", [name(region) for region in categories if region.endswith("область")], "regions")
    has_links("communities", [name(place) for place in categories if place.endswith("громада")], "communities")
    source = item.find("source")
    expect("source", fields["source"]["links"] == [[source.text, source.get("url")]], (source.text, source.get("url")))
    expect("id", identity in fields["id"]["text"], identity)
    told += related_complaints(fields["related"]["items"], language)
    return told


def related_complaints(shown: list[dict], language: str) -> list[str]:
    """The memorandum of a week later is among them; each has a time, a title that leads there, an excerpt."""
    told = [] if 1 <= len(shown) <= 10 else [f"related: {len(shown)} articles"]
    for one in shown:
        if not one["time"] or not re.fullmatch(rf"/{language}/articles/[0-9a-f]{{32}}", one["link"]):
            told.append(f"related: no time or no link: {one}")
    items = ElementTree.parse(SAMPLE).iter("item")
    wanted = next(item for item in items if item.findtext("guid") == "kharkiv-sample-2")
    found = [one for one in shown if one["title"] == wanted.findtext("title")]
    published = email.utils.parsedate_to_datetime(wanted.findtext("pubDate"))
    if not found or wanted.findtext("description") not in found[0]["text"]:
        told.append(f"related: no memorandum, or without its excerpt: {shown}")
    elif datetime.datetime.fromisoformat(found[0]["time"]) != published:
        told.append(f"related: {found[0]['time']} is not {published}")
    return told


def paragraphs(html: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<p>(.*?)</p>", html)]


def head_complaints(page: Page, site: Site, language: str) -> list[str]:
    """What other programs read of the page: whose it is, and what it is about."""
    head, item, told = page.evaluate(HEAD), sister_cities(), []
    if head["canonical"] != item.findtext("link"):
        told.append(f"canonical: {head['canonical']}")
    wanted = {
        "og:type": "article",
        "og:title": item.findtext("title"),
        "og:description": item.findtext("description"),
        "og:image": item.find(f"{MEDIA}content").get("url"),
        "og:url": site.page("article", language),
    }
    told += [
        f"{key}: {head['metas'].get(key)!r}, not {value!r}"
        for key, value in wanted.items()
        if head["metas"].get(key) != value
    ]
    if [kind for kind, _ in head["data"]] != ["application/ld+json"]:
        return [*told, f"scripts: {head['data']}"]
    data = json.loads(head["data"][0][1])
    published = email.utils.parsedate_to_datetime(item.findtext("pubDate"))
    if data["@type"] != "NewsArticle" or data["headline"] != item.findtext("title"):
        told.append(f"JSON-LD: {data}")
    if datetime.datetime.fromisoformat(data["datePublished"]) != published:
        told.append(f"JSON-LD: {data['datePublished']} is not {published}")
    if head["reasons"] < 5:
        told.append(f"details#why has {head['reasons']} reasons")
    return told


def check_foreign(browser: Browser, site: Site) -> None:
    """A text in another language than its page says so: a screen reader changes its voice."""
    with opened(browser, site, language="en") as page:
        page.goto(site.page("article", "en"))
        fields = page.evaluate(READ)
        for field in ("title", "lead", "body"):
            spoken = fields[field][0]["language"]
            assert spoken.startswith("uk"), f"the Ukrainian {field} on an English page is marked as {spoken!r}"
