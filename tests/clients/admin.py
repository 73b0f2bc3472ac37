"""What admins are told, read by promtool, by a checker of Atom and by newsboat.

usage: admin.py VISNYK

A feed fails three times, so that there is an event. promtool has to find nothing wrong in the metrics,
the feed of events has to be well-formed with ids and dates as RFC 4287 wants them, and newsboat has to
show the event.
"""

import contextlib
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time

import feedparser
from lxml import etree

from daemon import free_port, get, running

CONFIG = """
[site]
title = "Вісник"
address = "http://127.0.0.1:1/"
listen = "127.0.0.1:0"
since = 2026-01-01
[admin]
listen = "{listen}"
[[feed]]
id = "misto"
title = "Місто"
url = "file:there-is-none.rss"
"""
ATOM = "{http://www.w3.org/2005/Atom}"
POLLS_MIN = 3
WAIT_SECONDS_MAX = 60


def main() -> None:
    visnyk = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        admins = f"127.0.0.1:{free_port()}"
        config, state = folder / "feeds.toml", folder / "state"
        config.write_text(CONFIG.format(listen=admins))
        events = f"http://{admins}/admin/events.atom"
        with running(visnyk, config, state, folder / "log"):
            for _ in range(POLLS_MIN):
                subprocess.run([visnyk, "poll", "--config", config, "--state", state], capture_output=True, timeout=60)
            document = waited_for(events, "down")
            check_events(document, events)
            check_metrics(f"http://{admins}/metrics")
            check_newsboat(folder, events)


def waited_for(address: str, text: str) -> bytes:
    for _ in range(WAIT_SECONDS_MAX * 5):
        with contextlib.suppress(OSError):
            body = get(address)[2]
            if text in body.decode():
                return body
        time.sleep(0.2)
    raise SystemExit(f"{address} does not show {text!r}")


def check_events(document: bytes, address: str) -> None:
    feed = etree.fromstring(document)
    for element in [feed, *feed.findall(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            found = element.findall(f"{ATOM}{name}")
            assert len(found) == 1 and found[0].text, f"{element.tag} has {len(found)} of {name}"
        assert element.findtext(f"{ATOM}id").startswith("tag:"), element.findtext(f"{ATOM}id")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)", element.findtext(f"{ATOM}updated"))
    selves = feed.xpath("a:link[@rel='self']/@href", namespaces={"a": ATOM.strip("{}")})
    assert selves == [address], selves
    parsed = feedparser.parse(document)
    assert not parsed.bozo and [entry.title for entry in parsed.entries] == ["Місто: down"], parsed
    status, headers, _ = get(address)
    again, _, body = get(address, **{"If-None-Match": headers["ETag"]})
    assert (status, again, body) == (200, 304, b""), (status, again, body)
    print(f"events: {len(parsed.entries)} entry, well-formed, 304 when unchanged")


def check_metrics(address: str) -> None:
    metrics = get(address)[2]
    checked = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, timeout=60)
    told = (checked.stdout + checked.stderr).decode()
    assert checked.returncode == 0 and not told.strip(), f"promtool says:\n{told}"
    print(f"metrics: {len(metrics.splitlines())} lines, promtool finds nothing")


def check_newsboat(folder: pathlib.Path, address: str) -> None:
    home, cache = folder / "newsboat", folder / "newsboat" / "cache.db"
    home.mkdir()
    (home / "urls").write_text(address + "\n")
    (home / "config").write_text("")
    command = ["newsboat", "-u", home / "urls", "-c", cache, "-C", home / "config", "-x", "reload"]
    subprocess.run(command, check=True, env=dict(os.environ, HOME=str(home), TERM="dumb"), timeout=60)
    with contextlib.closing(sqlite3.connect(cache)) as rows:
        titles = [title for (title,) in rows.execute("select title from rss_item")]
    assert titles == ["Місто: down"], titles
    print(f"newsboat shows {titles[0]!r}")


main()
