"""The example feeds.toml is served by the daemon and read by real clients.

usage: check.py VISNYK [PICTURE]

Every publication that /feeds.opml lists is fetched and must be well-formed (xmllint), valid by
the schema of RFC 4287 (jing), read by feedparser without a complaint, and revalidated by a 304.
newsboat subscribes to the feed of Kharkiv's region and lists its titles. Chromium shows the index
page, and keeps a picture of it if PICTURE names a file.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree

import feedparser

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 60
SISTER_CITIES = "Альбукерке"


def main() -> None:
    visnyk = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        config = example_on_a_free_port(folder)
        log = folder / "log.json"
        with log.open("w") as output:
            daemon = subprocess.Popen(
                [visnyk, "run", "--config", config, "--state", folder / "state", "--log", "json"],
                stderr=output,
            )
            try:
                address = listening_at(log, daemon)
                wait_for(f"{address}/regions/kharkivska.atom", SISTER_CITIES, log)
                check_every_publication(address, folder)
                check_newsboat(address, folder)
                check_chromium(address, folder)
            finally:
                daemon.terminate()
                status = daemon.wait(timeout=20)
        if status != 0:
            raise SystemExit(f"the daemon ended with {status}:\n{log.read_text()}")
    print("real clients: all checks passed")


def example_on_a_free_port(folder: pathlib.Path) -> pathlib.Path:
    """The top level's feeds.toml, on a free port, with its sample files beside it.

    Its real feeds are switched off: a check asks nothing of anybody's server.
    """
    text = (ROOT / "feeds.toml").read_text()
    text = re.sub(r"(?m)^enabled = .*\n", "", text)
    text = re.sub(r'(?m)^(url = "https?:.*)$', r"\1\nenabled = false", text)
    text, lines = re.subn(r"(?m)^#?\s*listen = .*$", 'listen = "127.0.0.1:0"', text, count=1)
    assert lines == 1, "feeds.toml has no line for `listen`"
    config = folder / "feeds.toml"
    config.write_text(text)
    (folder / "tests").symlink_to(ROOT / "tests")
    return config


def listening_at(log: pathlib.Path, daemon: subprocess.Popen) -> str:
    for _ in range(START_SECONDS_MAX * 10):
        found = re.search(r"listening at ([0-9.]+:\d+)", log.read_text())
        if found:
            return f"http://{found[1]}"
        if daemon.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the daemon does not listen:\n{log.read_text()}")


def get(address: str, **headers: str) -> tuple[int, dict, bytes]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def wait_for(address: str, text: str, log: pathlib.Path) -> None:
    for _ in range(START_SECONDS_MAX * 5):
        if text in get(address)[2].decode():
            return
        time.sleep(0.2)
    raise SystemExit(f"{address} does not show {text!r}:\n{log.read_text()}")


def check_every_publication(address: str, folder: pathlib.Path) -> None:
    schema = folder / "atom.rng"
    subprocess.run(["trang", ROOT / "tests/schemas/atom.rnc", schema], check=True)
    opml = ElementTree.fromstring(get(f"{address}/feeds.opml")[2])
    listed = [line.get("xmlUrl") for line in opml.iter("outline") if line.get("xmlUrl")]
    paths = [re.sub(r"^https?://[^/]+", "", url) for url in listed]
    assert len(paths) >= 10, f"/feeds.opml lists only {paths}"
    documents = []
    entries = 0
    for number, path in enumerate(paths):
        status, headers, body = get(address + path)
        assert status == 200, f"{path}: {status}"
        document = folder / f"{number}.atom"
        document.write_bytes(body)
        documents.append(document)
        feed = feedparser.parse(body, response_headers=dict(headers.items()))
        assert feed.bozo == 0, f"{path}: feedparser complains: {feed.bozo_exception}"
        assert feed.version == "atom10", f"{path}: {feed.version}"
        assert feed.entries, f"{path}: no entries"
        entries += len(feed.entries)
        items = json.loads(get(address + path.removesuffix(".atom") + ".json")[2])["items"]
        assert [item["id"] for item in items] == [entry.id for entry in feed.entries], path
        again, _, _ = get(address + path, **{"If-None-Match": headers["ETag"]})
        assert again == 304, f"{path}: {again} instead of 304"
    subprocess.run(["xmllint", "--noout", *documents], check=True)
    subprocess.run(["jing", schema, *documents], check=True)
    print(f"feedparser, xmllint and jing: {len(paths)} publications, {entries} entries, bozo 0")


def check_newsboat(address: str, folder: pathlib.Path) -> None:
    urls, cache, config = folder / "urls", folder / "cache.db", folder / "newsboat"
    urls.write_text(f"{address}/regions/kharkivska.atom\n")
    config.write_text("")
    environment = dict(os.environ, HOME=directory_of(folder), TERM="dumb")
    base = ["newsboat", "-u", urls, "-c", cache, "-C", config]
    subprocess.run([*base, "-x", "reload"], check=True, env=environment, timeout=60)
    listing = "select title from rss_item order by pubDate desc;"
    titles = subprocess.run(
        [sys.executable, "-c", f"import sqlite3; print(*(r[0] for r in sqlite3.connect({str(cache)!r}).execute({listing!r})), sep='\\n')"],
        check=True, capture_output=True, text=True,
    ).stdout
    assert SISTER_CITIES in titles, f"newsboat shows:\n{titles}"
    unread = subprocess.run(
        [*base, "-x", "print-unread"], check=True, env=environment, capture_output=True, text=True, timeout=60
    ).stdout.strip()
    print(f"newsboat: {unread}\n{titles}", end="")


def check_chromium(address: str, folder: pathlib.Path) -> None:
    picture = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else folder / "index.png"
    browser = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--hide-scrollbars", f"--user-data-dir={folder / 'chromium'}",
    ]
    shown = subprocess.run(
        [*browser, "--dump-dom", f"{address}/"], check=True, capture_output=True, text=True, timeout=120
    ).stdout
    assert "Харківська область" in shown, f"chromium shows:\n{shown[:2000]}"
    subprocess.run(
        [*browser, f"--screenshot={picture}", "--window-size=1200,1080", f"{address}/"],
        check=True, capture_output=True, timeout=120,
    )
    size = picture.stat().st_size
    assert size > 20_000, f"the picture has only {size} bytes"
    print(f"chromium: the index page, {len(shown)} characters, a picture of {size} bytes")


def directory_of(folder: pathlib.Path) -> str:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return str(home)


main()
