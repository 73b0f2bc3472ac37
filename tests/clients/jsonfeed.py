"""A checker of JSON Feed 1.1 documents (jsonfeed.org/version/1.1), alone and beside their Atom twins."""

import datetime
import json
from collections import Counter

from atom import CLOCK_SLACK, EARLIEST, LANGUAGE, MEDIA_TYPE, RFC3339, Checked, Complaint
from content import bad_characters, html_complaints, link_complaints
from daemon import Document

VERSION = "https://jsonfeed.org/version/1.1"
TEXT, LIST = str, list
FEED = {
    "version": TEXT, "title": TEXT, "home_page_url": TEXT, "feed_url": TEXT, "description": TEXT,
    "user_comment": TEXT, "next_url": TEXT, "icon": TEXT, "favicon": TEXT, "authors": LIST, "language": TEXT,
    "expired": bool, "hubs": LIST, "items": LIST,
}  # fmt: skip
ITEM = {
    "id": TEXT, "url": TEXT, "external_url": TEXT, "title": TEXT, "content_html": TEXT, "content_text": TEXT,
    "summary": TEXT, "image": TEXT, "banner_image": TEXT, "date_published": TEXT, "date_modified": TEXT,
    "authors": LIST, "tags": LIST, "language": TEXT, "attachments": LIST,
}  # fmt: skip
ADDRESSES = {"home_page_url", "feed_url", "next_url", "icon", "favicon", "url", "external_url", "image", "banner_image"}


class JsonChecker:
    def __init__(self, document: Document, entries_max: int, now: datetime.datetime):
        self.document, self.entries_max, self.now = document, entries_max, now
        self.complaints: list[Complaint] = []

    def say(self, message: str, where: str, detail: object = "") -> None:
        self.complaints.append(Complaint(message, where, str(detail)[:120]))

    def check(self) -> list[Complaint]:
        if self.document.content_type.partition(";")[0] != "application/feed+json":
            self.say("UnexpectedContentType", "Content-Type", self.document.content_type)
        try:
            feed = json.loads(self.document.body.decode("utf-8"))
        except ValueError as error:
            self.say("JSONError", "document", error)
            return self.complaints
        if not isinstance(feed, dict):
            self.say("JSONError", "document", "no object")
            return self.complaints
        self.fields(feed, FEED, {"version", "title", "feed_url", "home_page_url", "items"}, "feed")
        if feed.get("version") != VERSION:
            self.say("UnexpectedVersion", "feed", feed.get("version"))
        if feed.get("feed_url") != self.document.address:
            self.say("SelfDoesntMatchLocation", "feed", f"{feed.get('feed_url')}, at {self.document.address}")
        if feed.get("next_url") == self.document.address:
            self.say("ArchiveLinksToItself", "feed", "next_url")
        items = [item for item in feed.get("items", []) if isinstance(item, dict)]
        if len(items) > self.entries_max:
            self.say("TooManyEntries", "feed", len(items))
        for repeated in [name for name, count in Counter(item.get("id") for item in items).items() if count > 1]:
            self.say("DuplicateEntries", "feed", repeated)
        for item in items:
            self.item(item)
        return self.complaints

    def fields(self, given: dict, known: dict, required: set[str], where: str) -> None:
        for name in required - given.keys():
            self.say("MissingElement", where, name)
        for name, value in given.items():
            if name.startswith("_"):
                continue
            if name not in known:
                self.say("UndefinedElement", where, name)
            elif not isinstance(value, known[name]):
                self.say("UnexpectedType", where, f"{name} is {type(value).__name__}")
            elif isinstance(value, str):
                if not value.strip():
                    self.say("NotBlank", where, name)
                told = link_complaints(value) if name in ADDRESSES else bad_characters(value)
                for message, detail in told:
                    self.say(message, f"{where}/{name}", detail)
        for author in given.get("authors", []):
            if not author.get("name", "").strip():
                self.say("MissingElement", where, "name of an author")
            for message, detail in link_complaints(author["url"]) if "url" in author else []:
                self.say(message, f"{where}/authors", detail)
        if not LANGUAGE.fullmatch(given.get("language", "uk")):
            self.say("InvalidLanguage", where, given["language"])

    def item(self, item: dict) -> None:
        where = f"item {str(item.get('id'))[:80]}"
        required = {"id", "url", "title", "date_published", "date_modified", "authors"}
        self.fields(item, ITEM, required, where)
        if not ("content_html" in item or "content_text" in item):
            self.say("MissingTextualContent", where)
        for message, detail in html_complaints(item.get("content_html", "")):
            self.say(message, f"{where}/content_html", detail)
        dates = [self.date(item.get(name, ""), where) for name in ("date_published", "date_modified")]
        if all(dates) and dates[1] < dates[0]:
            self.say("UpdatedBeforePublished", where, dates)
        tags = item.get("tags", [])
        if not all(isinstance(tag, str) and tag.strip() for tag in tags):
            self.say("MissingAttribute", where, f"tags {tags}")
        for file in item.get("attachments", []):
            for message, detail in link_complaints(file.get("url", "")):
                self.say(message, f"{where}/attachments", detail)
            if not MEDIA_TYPE.fullmatch(file.get("mime_type", "")):
                self.say("InvalidMIMEType", where, file.get("mime_type"))
            if not isinstance(file.get("size_in_bytes", 1), int) or file.get("size_in_bytes", 1) < 1:
                self.say("InvalidInteger", where, file["size_in_bytes"])

    def date(self, text: str, where: str) -> datetime.datetime | None:
        date = instant(text)
        if date is None:
            self.say("InvalidRFC3339Date", where, text)
        elif not EARLIEST <= date <= self.now + datetime.timedelta(days=1):
            self.say("ImplausibleDate", where, text)
        elif date > self.now + CLOCK_SLACK:
            self.say("FutureDate", where, text)
        return date


def instant(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text) if RFC3339.fullmatch(text) else None
    except ValueError:
        return None


def check_json(document: Document, entries_max: int, now: datetime.datetime) -> list[Complaint]:
    return JsonChecker(document, entries_max, now).check()


def check_twins(atom: Checked, document: Document) -> list[Complaint]:
    """The JSON form has what the Atom form has: entries, order, dates, titles, pages, texts, files, deletions."""
    feed = json.loads(document.body)
    items = feed.get("items", [])
    as_atom = [
        (entry.id, entry.title, entry.published, entry.updated, entry.page, entry.content, entry.enclosures)
        for entry in atom.entries
    ]
    as_json = [
        (
            item.get("id"), item.get("title"), instant(item.get("date_published", "")),
            instant(item.get("date_modified", "")), item.get("url"), item.get("content_html"),
            tuple(file.get("url") for file in item.get("attachments", [])),
        )
        for item in items
    ]  # fmt: skip
    if len(as_atom) != len(as_json):
        return [Complaint("TwinsDiffer", document.address, f"{len(as_atom)} entries, {len(as_json)} items")]
    deleted = [one.get("id") for one in feed.get("_visnyk", {}).get("deleted", [])]
    if deleted != atom.deleted:
        return [Complaint("TwinsDiffer", document.address, f"deleted: {atom.deleted}, {deleted}")]
    names = ("id", "title", "published", "updated", "page", "content", "files")
    told = []
    for one, other in zip(as_atom, as_json):
        for name, here, there in zip(names, one, other):
            if here != there:
                told.append(
                    Complaint("TwinsDiffer", f"item {one[0][:80]}", f"{name}: {str(here)[:80]!r}, {str(there)[:80]!r}")
                )
    return told
