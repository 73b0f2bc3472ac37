"""The example feeds.toml is served by the daemon, as people and readers' software see it.

usage: check.py VISNYK [PICTURE]

Every publication that /feeds.opml lists is fetched, and revalidated by a 304. Chromium shows the
index page, and keeps a picture of it if PICTURE names a file. What stands in the documents is
checked by `everything.py`, and how readers take changes by `readers.py`.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from daemon import example_config, get, running, wait_for

SISTER_CITIES = "Альбукерке"


def main() -> None:
    visnyk = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(directory)
        config, log = example_config(folder), folder / "log.json"
        with running(visnyk, config, folder / "state", log) as address:
            wait_for(f"{address}/regions/kharkivska.atom", SISTER_CITIES, log)
            check_every_publication(address)
            check_chromium(address, folder)
    print("the example: all checks passed")


def check_every_publication(address: str) -> None:
    opml = ElementTree.fromstring(get(f"{address}/feeds.opml")[2])
    listed = [line.get("xmlUrl") for line in opml.iter("outline") if line.get("xmlUrl")]
    paths = [re.sub(r"^https?://[^/]+", "", url) for url in listed]
    assert len(paths) >= 10, f"/feeds.opml lists only {paths}"
    for path in [*paths, *(path.removesuffix(".atom") + ".json" for path in paths)]:
        status, headers, _ = get(address + path)
        assert status == 200, f"{path}: {status}"
        again, _, _ = get(address + path, **{"If-None-Match": headers["ETag"]})
        assert again == 304, f"{path}: {again} instead of 304"
    print(f"{len(paths)} publications, in two forms, revalidated")


def check_chromium(address: str, folder: pathlib.Path) -> None:
    picture = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else folder / "index.png"
    browser = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'chromium'}",
    ]
    shown = subprocess.run(
        [*browser, "--dump-dom", f"{address}/uk/"], check=True, capture_output=True, text=True, timeout=120
    ).stdout
    assert "Харківська область" in shown, f"chromium shows:\n{shown[:2000]}"
    subprocess.run(
        [*browser, f"--screenshot={picture}", "--window-size=1200,1080", f"{address}/uk/"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    size = picture.stat().st_size
    assert size > 20_000, f"the picture has only {size} bytes"
    print(f"chromium: the index page, {len(shown)} characters, a picture of {size} bytes")


main()
