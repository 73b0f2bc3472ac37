"""Real readers subscribe to a combined feed, and its sources change twice.

usage: readers.py VISNYK

Two files are the feeds of one region. newsboat, rss2email and feedparser read the region's combined
feed: as it is first; with a new item in one file; and with an item of the other file edited, its title
and its text. Every reader has to show a new item once, and an edit as an edit of what it has. Between
the changes the daemon is stopped and the files are polled by `visnyk poll`, so nobody waits for a
schedule.
"""

import contextlib
import email.header
import mailbox
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

import feedparser

from daemon import free_port, poll, running

FEED = "/regions/kharkivska.atom"
CONFIG = """
[site]
title = "Вісник"
address = "{address}/"
listen = "{listen}"
since = 2026-01-01
[[feed]]
id = "misto"
title = "Місто"
url = "file:misto.rss"
region = "kharkivska"
schedule = "@weekly"
[[feed]]
id = "selo"
title = "Село"
url = "file:selo.rss"
region = "kharkivska"
schedule = "@weekly"
"""
# Guid, title, text, date: what each file has after each change.
FIRST = (
    "1",
    "Міський голова відкрив школу",
    "Школу на вулиці Сумській відкрито після ремонту.",
    "Mon, 02 Feb 2026 10:00:00 GMT",
)
SECOND = ("2", "Парк засадили деревами", "Волонтери висадили двісті дубів у парку.", "Tue, 03 Feb 2026 10:00:00 GMT")
THIRD = ("3", "Амбулаторія отримала авто", "Нове авто возитиме лікарів по селах.", "Wed, 04 Feb 2026 10:00:00 GMT")
FRESH = ("4", "Бібліотека кличе на читання", "Читання відбудуться в суботу о десятій.", "Thu, 05 Feb 2026 10:00:00 GMT")
EDITED = (SECOND[0], "Парк засадили липами", "Волонтери висадили триста лип у парку.", SECOND[3])
STEPS = [
    ({"misto": [FIRST, SECOND], "selo": [THIRD]}, [THIRD, SECOND, FIRST]),
    ({"misto": [FIRST, SECOND], "selo": [FRESH, THIRD]}, [FRESH, THIRD, SECOND, FIRST]),
    ({"misto": [FIRST, EDITED], "selo": [FRESH, THIRD]}, [FRESH, THIRD, EDITED, FIRST]),
]


def main() -> None:
    visnyk = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        # The readers keep the address between starts of the daemon.
        listen = f"127.0.0.1:{free_port()}"
        config = folder / "feeds.toml"
        config.write_text(CONFIG.format(address=f"http://{listen}", listen=listen))
        readers = [
            Newsboat(folder, f"http://{listen}{FEED}"),
            Rss2email(folder, f"http://{listen}{FEED}"),
            Feedparser(f"http://{listen}{FEED}"),
        ]
        for step, (files, expected) in enumerate(STEPS):
            # libcurl, and so newsboat, drops an answer whose Last-Modified is in the second of the one
            # before: no reader asks twice in one.
            time.sleep(1.5)
            for name, items in files.items():
                (folder / f"{name}.rss").write_text(rss(name, items))
            poll(visnyk, config, folder / "state")
            with running(visnyk, config, folder / "state", folder / "log.json"):
                for reader in readers:
                    reader.check(step, expected)
    print("real readers: a new item once, and an edit as an edit")


def rss(name: str, items: list[tuple]) -> str:
    written = "".join(
        f'<item><guid isPermaLink="false">{name}-{guid}</guid><title>{title}</title><link>https://{name}.example/news/{guid}</link>'
        f"<description>{text}</description><pubDate>{date}</pubDate></item>"
        for guid, title, text, date in items
    )
    return f'<rss version="2.0"><channel><title>{name}</title><link>https://{name}.example/</link><description>{name}</description>{written}</channel></rss>'


def told(items: list[tuple]) -> list[tuple[str, str]]:
    return [(title, text) for _, title, text, _ in items]


class Newsboat:
    """What it keeps stands in its cache: one row for each item, which it replaces when it changes."""

    def __init__(self, folder: pathlib.Path, address: str):
        self.home, self.cache = folder / "newsboat", folder / "newsboat" / "cache.db"
        self.home.mkdir()
        (self.home / "urls").write_text(address + "\n")
        (self.home / "config").write_text("")
        self.ids: dict[str, str] = {}

    def check(self, step: int, expected: list[tuple]) -> None:
        command = ["newsboat", "-u", self.home / "urls", "-c", self.cache, "-C", self.home / "config"]
        environment = dict(os.environ, HOME=str(self.home), TERM="dumb")
        if step == 2:
            # As a person who has read everything: an edit must not come back as unread.
            with contextlib.closing(sqlite3.connect(self.cache)) as cache, cache:
                cache.execute("update rss_item set unread = 0")
        subprocess.run([*command, "-x", "reload"], check=True, env=environment, timeout=60)
        with contextlib.closing(sqlite3.connect(self.cache)) as cache:
            rows = cache.execute("select guid, title, content, unread from rss_item order by pubDate desc").fetchall()
        shown = [(title, text) for _, title, text, _ in rows]
        assert [title for title, _ in shown] == [title for title, _ in told(expected)], f"newsboat shows {shown}"
        for (_, text), (_, wanted) in zip(shown, told(expected)):
            assert wanted in text, f"newsboat shows {text!r}, not {wanted!r}"
        ids = {guid: title for guid, title, _, _ in rows}
        assert self.ids.keys() <= ids.keys(), f"newsboat lost {self.ids.keys() - ids.keys()}"
        unread = sum(unread for *_, unread in rows)
        assert unread == (0 if step == 2 else len(expected)), f"newsboat has {unread} unread"
        changed = sum(ids[guid] != title for guid, title in self.ids.items())
        assert changed == (1 if step == 2 else 0), f"newsboat changed {changed} items"
        print(
            f"newsboat, step {step}: {len(rows)} items, {len(ids) - len(self.ids)} new, {changed} changed, {unread} unread"
        )
        self.ids = ids


class Rss2email:
    """It mails each id once; with `reply-changes`, a change as an answer to the mail of before."""

    def __init__(self, folder: pathlib.Path, address: str):
        self.home = folder / "rss2email"
        self.home.mkdir()
        mailbox.Maildir(self.home / "Maildir", create=True)
        self.command = ["r2e", "-c", self.home / "config", "-d", self.home / "data.json"]
        self.environment = dict(os.environ, HOME=str(self.home))
        config = f"[DEFAULT]\nto = reader@visnyk.example\nfrom = news@visnyk.example\nemail-protocol = maildir\nmaildir-path = {self.home}\nmaildir-mailbox = Maildir\nreply-changes = True\n"
        (self.home / "config").write_text(config)
        self.run("add", "kharkivska", address)
        self.seen: dict[str, str] = {}

    def run(self, *words: str) -> None:
        ran = subprocess.run([*self.command, *words], env=self.environment, timeout=60, capture_output=True, text=True)
        assert ran.returncode == 0, f"r2e {words} ended with {ran.returncode}:\n{ran.stderr}"

    def check(self, step: int, expected: list[tuple]) -> None:
        self.run("run")
        box = mailbox.Maildir(self.home / "Maildir", create=False)
        fresh = {}
        for message in box:
            subject = str(email.header.make_header(email.header.decode_header(message["Subject"])))
            fresh[message["Message-ID"]] = (subject, message["In-Reply-To"], message.get_payload(decode=True).decode())
        fresh = {mail: what for mail, what in fresh.items() if mail not in self.seen}
        wanted = [told(expected), [told([FRESH])[0]], [told([EDITED])[0]]][step]
        got = sorted((subject, answers is not None) for subject, answers, _ in fresh.values())
        assert got == sorted((title, step == 2) for title, _ in wanted), f"rss2email sent {got}"
        for subject, answers, text in fresh.values():
            assert dict(wanted)[subject] in text, f"rss2email wrote {text!r}"
            assert answers is None or self.seen[answers] == SECOND[1], f"{subject} answers {answers}"
        self.seen |= {mail: subject for mail, (subject, _, _) in fresh.items()}
        print(
            f"rss2email, step {step}: {len(fresh)} mails, {sum(answers is not None for _, answers, _ in fresh.values())} of them answers"
        )


class Feedparser:
    """The library that most Python readers are made with. It asks conditionally, and for what is new only.

    Under its own name it is not given that: rss2email, which takes it for a failure, may bear the name.
    """

    def __init__(self, address: str):
        self.address = address
        self.etag = None
        self.entries: dict = {}

    def check(self, step: int, expected: list[tuple]) -> None:
        feed = feedparser.parse(self.address, etag=self.etag, agent="readers.py")
        assert feed.bozo == 0 and feed.status == (226 if step else 200), f"{feed.status}, {feed.get('bozo_exception')}"
        new = [entry.title for entry in feed.entries if entry.id not in self.entries]
        assert new == [[title for title, _ in told(expected)], [FRESH[1]], []][step], f"feedparser has as new: {new}"
        edited = [entry for entry in feed.entries if entry.id in self.entries]
        assert [entry.title for entry in edited] == ([EDITED[1]] if step == 2 else []), f"edited: {edited}"
        for entry in edited:
            before = self.entries[entry.id]
            assert entry.updated_parsed > before.updated_parsed, f"{entry.updated} is not after {before.updated}"
            assert entry.published == before.published, "an edit moved `published`"
        self.entries |= {entry.id: entry for entry in feed.entries}
        shown = sorted(self.entries.values(), key=lambda entry: entry.published_parsed, reverse=True)
        assert [entry.title for entry in shown] == [title for title, _ in told(expected)]
        for entry, (_, text) in zip(shown, told(expected)):
            assert text in entry.content[0].value, f"feedparser reads {entry.content}"
        again = feedparser.parse(self.address, etag=feed.etag, agent="readers.py")
        assert again.status == 304, f"{again.status} instead of 304"
        print(f"feedparser, step {step}: {feed.status} with {len(feed.entries)} entries, then 304")
        self.etag = feed.etag


main()
