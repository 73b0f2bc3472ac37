"""A new user's first steps: from an empty directory to a feed that newsboat shows, in three commands.

usage: first_steps.py VISNYK

A server on loopback has a page that names its feeds, and a feed at another address. `visnyk add` of
the one and of the other, and `visnyk run`: then newsboat subscribes to the address that `visnyk add`
told, and to the combined feed, and has to show the articles.
"""

import contextlib
import http.server
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading

from daemon import free_port, running, wait_for

CITY = ("У місті відкрили школу", "Парк засадили липами")
VILLAGE = ("Амбулаторія отримала авто",)
PAGE = (
    "<!doctype html><title>Харківська міська рада</title>"
    '<link rel="alternate" type="application/rss+xml" title="Коментарі" href="/comments/feed">'
    '<link rel="alternate" type="application/rss+xml" title="Новини" href="/feed">'
)


def main() -> None:
    visnyk = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory, publisher() as site:
        folder = pathlib.Path(directory)
        told = add(visnyk, folder, site)
        add(visnyk, folder, f"{site}/village.rss")
        # Where the server usually listens, another may listen here.
        listen = f"127.0.0.1:{free_port()}"
        config = folder / "feeds.toml"
        config.write_text(config.read_text().replace("127.0.0.1:8080", listen))
        told = told.replace("127.0.0.1:8080", listen)
        with running(visnyk, config, folder / "state", folder / "log.json") as address:
            for headline in (*CITY, *VILLAGE):
                wait_for(f"{address}/all.atom", headline, folder / "log.json")
            source = newsboat(folder / "source", told)
            both = newsboat(folder / "both", f"{address}/all.atom")
    assert source == sorted(CITY), f"newsboat shows {source}"
    assert both == sorted((*CITY, *VILLAGE)), f"newsboat shows {both}"
    print(f"first steps: three commands, and newsboat shows {len(source)} items of one source, {len(both)} of both")


def add(visnyk: pathlib.Path, folder: pathlib.Path, address: str) -> str:
    """Adds a feed; the address at which readers find it."""
    # What a publisher on loopback needs, and none on the net.
    command = [visnyk, "add", address, "--allow-private"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, f"{address}: {ran.stdout}{ran.stderr}"
    return re.search(r"readers find it at (\S+)", ran.stdout)[1]


@contextlib.contextmanager
def publisher():
    """A site with a page and its feeds; its address, as people type it."""
    documents = {
        "/": ("text/html; charset=utf-8", PAGE),
        "/feed": ("application/rss+xml", rss("Харківська міська рада", CITY)),
        "/comments/feed": ("application/rss+xml", rss("Коментарі", ("Дякую",))),
        "/village.rss": ("application/rss+xml", rss("Мереф'янська громада", VILLAGE)),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = documents.get(self.path, ("text/plain", ""))
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def rss(title: str, headlines: tuple) -> str:
    items = "".join(
        f"<item><guid isPermaLink='false'>{title}-{number}</guid><title>{headline}</title>"
        f"<link>https://city.example/{len(title)}/{number}</link><description>Подробиці згодом: {headline}.</description>"
        f"<pubDate>Mon, 23 Nov 2026 1{number}:00:00 GMT</pubDate></item>"
        for number, headline in enumerate(headlines)
    )
    return f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'


def newsboat(home: pathlib.Path, address: str) -> list[str]:
    """The titles that it shows of a feed. An article of two feeds it keeps once: so each has a cache."""
    home.mkdir()
    (home / "urls").write_text(address + "\n")
    (home / "config").write_text("")
    command = ["newsboat", "-u", home / "urls", "-c", home / "cache.db", "-C", home / "config", "-x", "reload"]
    subprocess.run(command, check=True, env=dict(os.environ, HOME=str(home), TERM="dumb"), timeout=60)
    with contextlib.closing(sqlite3.connect(home / "cache.db")) as cache:
        return sorted(title for (title,) in cache.execute("select title from rss_item"))


main()
