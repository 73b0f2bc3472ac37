"""The pages that people see, in Chromium: how they look, are read, are used, and withstand hostile feeds.

usage: pages.py VISNYK FOLDER [PART...]

FOLDER keeps pictures of the pages, and what a screen reader says of them. The daemon serves the example
feeds.toml, and then feeds whose every field holds what runs a script where it is shown carelessly. PART
is the name of a check, if not all are wanted: looks, barriers, markup, weight, keyboard, aloud, fields,
hostile.
"""

import pathlib
import sys
import tempfile
import time

from playwright.sync_api import Browser

from aloud import check_aloud
from barriers import check_barriers
from browser import chromium, site_at
from daemon import example_config, free_port, running, wait_for
from fields import check_fields
from hostile import check_hostile
from keyboard import check_keyboard
from looks import check_looks
from markup import check_markup
from weight import check_weight

HEADLINE = "Харків та Альбукерке домовилися стати містами-побратимами"


def main() -> None:
    visnyk, folder, parts = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    with chromium() as browser, tempfile.TemporaryDirectory() as directory:
        example, hostile = pathlib.Path(directory) / "example", pathlib.Path(directory) / "hostile"
        example.mkdir()
        hostile.mkdir()
        if parts != ["hostile"]:
            failed += check_example(browser, visnyk, example, folder, parts)
        failed += run({"hostile": lambda: check_hostile(browser, visnyk, hostile)}, parts)
    if failed:
        raise SystemExit(f"pages: {len(failed)} checks failed: {', '.join(failed)}")
    print("pages: all checks passed")


def check_example(
    browser: Browser, visnyk: pathlib.Path, folder: pathlib.Path, pictures: pathlib.Path, parts: list[str]
) -> list[str]:
    config, log, port = example_config(folder), folder / "log.json", free_port()
    text = config.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("127.0.0.1:0", f"127.0.0.1:{port}")
    config.write_text(text)
    with running(visnyk, config, folder / "state", log) as address:
        wait_for(f"{address}/regions/kharkivska.atom", HEADLINE, log)
        wait_for(f"{address}/communities/albuquerque.atom", "<entry>", log)
        site = site_at(address)
        checks = {
            "looks": lambda: check_looks(browser, site, pictures),
            "barriers": lambda: check_barriers(browser, site),
            "markup": lambda: check_markup(site),
            "weight": lambda: check_weight(browser, site),
            "keyboard": lambda: check_keyboard(browser, site),
            "aloud": lambda: check_aloud(browser, site, pictures),
            "fields": lambda: check_fields(browser, site),
        }
        return run(checks, parts)


def run(checks: dict, parts: list[str]) -> list[str]:
    """One check after another, each to its first complaint; the names of those that failed."""
    failed = []
    for name, check in checks.items():
        if parts and name not in parts:
            continue
        began = time.monotonic()
        try:
            check()
            print(f"{name}: passed in {time.monotonic() - began:.0f} s", flush=True)
        except AssertionError as complaint:
            failed.append(name)
            print(f"{name}: FAILED after {time.monotonic() - began:.0f} s: {complaint}", flush=True)
    return failed


main()
