"""Pictures of a terminal: what an admin sees of `check`, `status` and `preview`.

usage: terminal.py VISNYK FOLDER

The commands run on a pseudo-terminal of 80 columns, in a folder of their own, beside a daemon that
polls a publisher on loopback: one feed is well, one answers with a page to log in, one is gone, one
asks to come later. What they write, colours and all, is drawn by Chromium. Each must fit the width,
and say what it is shown for.
"""

import contextlib
import fcntl
import html
import http.server
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator

from browser import chromium
from daemon import ROOT, get, running, wait_for

COLUMNS = 80
SECONDS_MAX = 60
MISTAKEN = """[site]
title = "Вісник громад"
adress = "https://visnyk.example/"

[[feed]]
id = "kharkiv"
title = "Харківська міська рада"
url = "https://www.city.kharkiv.ua/rss"
region = "kharkivsk"
schedule = "*/45 * * * *"

[[rule]]
id = "adverts"
match = ["title:реклам*"]
tags = ["reklama"]
"""
CONFIG = """[site]
title = "Вісник"
listen = "127.0.0.1:0"
[polling]
host_pause = "0s"
"""
FEED = """[[feed]]
id = "{id}"
title = "{id}"
url = "{url}/{id}"
community = "{community}"
allow_private = true
"""
RSS = (ROOT / "tests/fixtures/samples/kharkiv.rss").read_bytes()
# ECMA-48, 8.3.117: what the numbers of "select graphic rendition" mean here.
COLOURS = {
    31: "#c4265e", 32: "#4b7a12", 33: "#a26a00", 34: "#2a62c9", 35: "#8a3ab9", 36: "#1a7f86",
    91: "#d7263d", 92: "#4b7a12", 93: "#a26a00", 94: "#2a62c9", 95: "#8a3ab9", 96: "#1a7f86",
}
PAGE = """<!doctype html><meta charset=utf-8><style>
body {{ margin: 0; background: #fff }}
pre {{ display: inline-block; margin: 0; padding: 14px 18px; font: 14px/1.35 "DejaVu Sans Mono", monospace;
       color: #1c1c1c; min-width: 80ch }}
.prompt {{ color: #666 }}
</style><pre>{text}</pre>"""


class Publisher(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, kind, body = {
            "/kharkiv": (200, "application/rss+xml", RSS),
            "/sumy": (200, "text/html", "<html><title>Вхід</title><input type=password>".encode()),
            "/poltava": (410, "text/plain", b""),
            "/lviv": (429, "text/plain", b""),
        }.get(self.path, (404, "text/plain", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "86400")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def publishing(cities: list[str]) -> Iterator[dict[str, str]]:
    """A publisher for each city, with a host of its own: what one asks for is not for the others."""
    servers = {}
    for number, city in enumerate(cities, 2):
        server = http.server.ThreadingHTTPServer((f"127.0.0.{number}", 0), Publisher)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers[city] = server
    try:
        yield {city: "http://{}:{}".format(*server.server_address) for city, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()


def terminal(folder: pathlib.Path, visnyk: pathlib.Path, *arguments: str) -> str:
    """What a command writes to a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    for variable in ("NO_COLOR", "COLUMNS"):
        environment.pop(variable, None)
    command = subprocess.Popen(
        [visnyk, *arguments], cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    watchdog = threading.Timer(SECONDS_MAX, command.kill)
    watchdog.start()
    written = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 65536):
            written += chunk
    os.close(master)
    command.wait()
    watchdog.cancel()
    return written.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def drawn(text: str) -> str:
    """The text as HTML."""
    parts, style = [], {}
    for piece in re.split(r"(\x1b\[[0-9;?]*[A-Za-z])", text):
        if piece.startswith("\x1b["):
            if piece.endswith("m"):
                style = restyled(style, piece[2:-1])
            continue
        rules = ";".join(f"{name}:{value}" for name, value in style.items())
        parts.append(f'<span style="{rules}">{html.escape(piece)}</span>' if rules else html.escape(piece))
    return "".join(parts)


def restyled(style: dict[str, str], numbers: str) -> dict[str, str]:
    style = dict(style)
    codes = [int(number or 0) for number in numbers.split(";")]
    if codes[:2] == [38, 5]:
        codes = [{9: 91, 10: 92, 11: 93, 12: 94, 13: 95, 14: 96}.get(codes[2], 0)]
    for code in codes:
        if code == 0:
            style = {}
        elif code == 1:
            style["font-weight"] = "bold"
        elif code == 2:
            style["opacity"] = "0.65"
        elif code in COLOURS:
            style["color"] = COLOURS[code]
        elif code in (22, 39):
            style.pop("font-weight" if code == 22 else "color", None)
    return style


def check(name: str, text: str, wanted: list[str]) -> None:
    shown = plain(text)
    for line in shown.splitlines():
        if len(line) > COLUMNS and "http" not in line:
            raise SystemExit(f"{name}: over {COLUMNS} columns: {line}")
    for words in wanted:
        if words not in shown:
            raise SystemExit(f"{name} does not say {words!r}:\n{shown}")


def scenes(visnyk: pathlib.Path, folder: pathlib.Path) -> Iterator[tuple[str, str, str]]:
    mistaken = folder / "mistaken"
    mistaken.mkdir()
    (mistaken / "feeds.toml").write_text(MISTAKEN)
    text = terminal(mistaken, visnyk, "check")
    check("check", text, ["adress", "kharkivsk", "reklama", "feeds.toml:3"])
    yield "check", "visnyk check", text

    cities = {"kharkiv": "kharkivska", "sumy": "sumska", "poltava": "poltavska", "lviv": "lvivska"}
    with publishing(list(cities)) as urls:
        config = folder / "feeds.toml"
        feeds = [FEED.format(id=city, url=urls[city], community=of) for city, of in cities.items()]
        config.write_text(CONFIG + "".join(feeds))
        log = folder / "log"
        with running(visnyk, config, folder / "state", log) as site:
            wait_for(f"{site}/sources/kharkiv.atom", "<entry>", log)
            get(f"{site}/")
            text = terminal(folder, visnyk, "poll")
            check("poll", text, ["gone", "later", "failed"])
            text = terminal(folder, visnyk, "status")
            check("status", text, ["poltava", "gone", "sumy", "log in", "lviv"])
            yield "status", "visnyk status", text
            text = terminal(folder, visnyk, "preview", "kharkiv", "--limit", "2")
            check("preview", text, ["kharkivska", "20"])
            yield "preview", "visnyk preview kharkiv --limit 2", text


def main() -> None:
    visnyk, target = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = browser.new_page(device_scale_factor=1)
        for name, command, text in scenes(visnyk, pathlib.Path(folder)):
            prompt = f'<span class="prompt">$ {html.escape(command)}</span>\n'
            page.set_content(PAGE.format(text=prompt + drawn(text.strip("\n"))))
            page.locator("pre").screenshot(path=target / f"{name}.png")
            print(f"{name}: {len(plain(text).splitlines())} lines")


if __name__ == "__main__":
    main()
