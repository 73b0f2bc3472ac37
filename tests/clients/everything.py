"""Every document of a store is read by xmllint, jing, feedparser, and the checker of this folder.

usage: everything.py VISNYK example
       everything.py VISNYK ARTICLES [FOLDER]

The store is that of the example feeds.toml, or of so many generated articles (`generate.py`), filled
by `visnyk poll`. FOLDER keeps what was generated and what was found; 100,000 articles take a while.
The documents are those that /feeds.opml lists and the archives behind them, Atom and JSON, as the
daemon serves them; and, of a build that has `visnyk export`, all that it writes, with their
compressed forms.
"""

import datetime
import functools
import gzip
import hashlib
import http.client
import itertools
import json
import multiprocessing
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.parse
from collections import Counter

import feedparser

import atom
import mutants
from daemon import ROOT, Document, example_config, poll, running, wait_for
from generate import generate
from jsonfeed import check_json, check_twins

WORKERS = 2
BATCH = 400
COMPLAINTS_SHOWN_MAX = 40
ARCHIVES_MAX = 100_000
ATOM_TYPE, JSON_TYPE = "application/atom+xml; charset=utf-8", "application/feed+json"


def main() -> None:
    mutants.check_checker()
    visnyk, what = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else directory).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        config = example_config(folder) if what == "example" else generate(folder, int(what))
        filled = time.monotonic()
        poll_all(visnyk, config, folder / "state")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        size = sum(file.stat().st_size for file in (folder / "state").rglob("*") if file.is_file()) >> 20
        print(f"{what}: `visnyk poll` took {time.monotonic() - filled:.0f} s and {memory} MB; the store has {size} MB")
        tree = folder / "documents"
        fetched = time.monotonic()
        addresses = fetch_tree(visnyk, config, folder, tree)
        print(f"{what}: {len(addresses)} documents fetched in {time.monotonic() - fetched:.0f} s")
        check_tree(tree, addresses, config, what)
        check_export(visnyk, config, folder, tree, addresses)


def poll_all(visnyk: pathlib.Path, config: pathlib.Path, state: pathlib.Path) -> None:
    table = poll(visnyk, config, state)
    fetched = len(re.findall(r"(?m)^ \S+ +read ", table))
    feeds = tomllib.loads(config.read_text())["feed"]
    assert fetched == sum(feed.get("enabled", True) for feed in feeds), f"not all feeds were read:\n{table}"


def fetch_tree(visnyk: pathlib.Path, config: pathlib.Path, folder: pathlib.Path, tree: pathlib.Path) -> dict[str, str]:
    """Keeps every document under its path; the content type that each came with, by its path."""
    site = tomllib.loads(config.read_text())["site"]["address"]
    kinds: dict[str, str] = {}
    with running(visnyk, config, folder / "state", folder / "log.json") as address:
        wait_for(f"{address}/all.atom", "<entry>", folder / "log.json")
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=60)
        opml = fetch(connection, "/feeds.opml")[1].decode()
        waiting = [path_of(found, site) for found in re.findall(r'xmlUrl="([^"]+)"', opml)]
        assert len(waiting) >= 10, f"/feeds.opml lists only {waiting}"
        while waiting:
            path = waiting.pop()
            if path in kinds:
                continue
            assert len(kinds) < ARCHIVES_MAX, "the archives have no end"
            kinds[path], body = fetch(connection, path)
            file = tree / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
            if path.endswith(".atom"):
                waiting.append(path.removesuffix(".atom") + ".json")
                linked = re.findall(r'<link href="([^"]+)" rel="prev-archive"', body[:4096].decode(errors="ignore"))
                waiting += [path_of(address, site) for address in linked]
            else:
                after = json.loads(body).get("next_url")
                waiting += [path_of(after, site)] if after else []
        connection.close()
    return kinds


def check_export(
    visnyk: pathlib.Path, config: pathlib.Path, folder: pathlib.Path, tree: pathlib.Path, kinds: dict[str, str]
) -> None:
    """The exported files are the bytes that were served, and so are their gzip forms; others there are
    only of publications without an article, which /feeds.opml does not list."""
    if subprocess.run([visnyk, "export", "--help"], capture_output=True).returncode != 0:
        return print("`visnyk export` is not in this build: only what is served was checked")
    exported = folder / "exported"
    subprocess.run(
        [visnyk, "export", exported, "--config", config, "--state", folder / "state"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for path in kinds:
        served, file = (tree / path.lstrip("/")).read_bytes(), exported / path.lstrip("/")
        assert file.read_bytes() == served, f"{path}: the exported file is not what is served"
        packed = file.with_name(file.name + ".gz")
        assert not packed.exists() or gzip.decompress(packed.read_bytes()) == served, f"{packed}: other bytes"
    others = [file for file in exported.rglob("*.atom") if "/" + str(file.relative_to(exported)) not in kinds]
    full = [file for file in others if b"<entry>" in file.read_bytes()]
    assert not full, f"/feeds.opml and the archives lead nobody to {full[:5]}"
    print(f"`visnyk export`: {len(kinds)} documents as served, {len(others)} more without an entry")


def fetch(connection: http.client.HTTPConnection, path: str) -> tuple[str, bytes]:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
    except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
        # A connection lives ten minutes (src/serve.rs).
        connection.close()
        connection.request("GET", path)
        answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, f"{path}: {answer.status} {body[:200]!r}"
    return answer.getheader("Content-Type", ""), body


def path_of(address: str, site: str) -> str:
    assert address.startswith(site), f"{address} is not below {site}"
    return "/" + address.removeprefix(site)


def check_tree(tree: pathlib.Path, kinds: dict[str, str], config: pathlib.Path, what: str) -> None:
    settings = tomllib.loads(config.read_text())
    entries = settings.get("publishing", {}).get("entries", 50)
    entries_max = entries + (entries + 1) // 2  # src/publish/front.rs
    feeds = sorted(path for path in kinds if path.endswith(".atom"))
    files = [tree / path.lstrip("/") for path in feeds]
    failed = [*outputs_of(["xmllint", "--huge", "--noout"], files, "xmllint")]
    schema = tree / "atom.rng"
    subprocess.run(["trang", ROOT / "tests/schemas/atom.rnc", schema], check=True)
    failed += outputs_of(["jing", schema], files, "jing")
    began = time.monotonic()
    one = functools.partial(check_one, tree, kinds, settings["site"]["address"], entries_max)
    with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
        results = dict(zip(feeds, pool.imap(one, feeds, chunksize=16)))
    print(f"{what}: feedparser and the checker took {time.monotonic() - began:.0f} s")
    for path, (complaints, *_) in results.items():
        failed += [f"{path}: {complaint}" for complaint in complaints]
    failed += check_walks(results, settings["site"]["address"])
    tell(tree, kinds, results, what)
    if failed:
        messages = Counter(re.search(r": (\w+): ", line + ": other: ")[1] for line in failed)
        shown = "\n".join(str(line)[:400] for line in failed[:COMPLAINTS_SHOWN_MAX])
        raise SystemExit(f"{what}: {len(failed)} complaints: {dict(messages)}\n{shown}")
    print(f"{what}: every document passes xmllint, jing, feedparser (bozo 0) and the checker")


def outputs_of(command: list, files: list[pathlib.Path], name: str) -> list[str]:
    """What a checker says of files, in batches, two at a time; nothing if it is content."""
    began = time.monotonic()
    batches = [files[at : at + BATCH] for at in range(0, len(files), BATCH)]
    said = []
    for at in range(0, len(batches), WORKERS):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        started = [subprocess.Popen([*command, *batch], **pipes) for batch in batches[at : at + WORKERS]]
        for process in started:
            output, _ = process.communicate(timeout=1_800)
            said += output.splitlines() if process.returncode else []
            assert process.returncode == 0 or output, f"{name} ended with {process.returncode} and without a word"
    print(f"{name}: {len(files)} documents in {time.monotonic() - began:.0f} s")
    return said


def check_one(tree: pathlib.Path, kinds: dict[str, str], site: str, entries_max: int, path: str) -> tuple:
    """What is wrong with an Atom document and its JSON twin, and what a walk has to know of it."""
    now = datetime.datetime.now(datetime.UTC)
    body = (tree / path.lstrip("/")).read_bytes()
    feed = Document(site + path[1:], kinds[path], body)
    checked = atom.check(feed, entries_max, now)
    complaints = list(checked.complaints)
    read = feedparser.parse(
        body, response_headers={"content-type": kinds[path]}, sanitize_html=False, resolve_relative_uris=False
    )
    if read.bozo or read.version != "atom10" or len(read.entries) != len(checked.entries):
        told = f"{read.get('bozo_exception')}, {read.version}, {len(read.entries)} entries"
        complaints.append(atom.Complaint("Bozo", path, told))
    twin = path.removesuffix(".atom") + ".json"
    body = (tree / twin.lstrip("/")).read_bytes()
    document = Document(site + twin[1:], kinds[twin], body)
    complaints += check_json(document, entries_max, now)
    complaints += check_twins(checked, document)
    ids = {short(entry.id): entry.updated for entry in checked.entries}
    return complaints, ids, checked.links, checked.is_archive, len(checked.deleted)


def short(text: str) -> bytes:
    """Enough of an id to know it again among millions."""
    return hashlib.blake2b(text.encode(), digest_size=12).digest()


def check_walks(results: dict[str, tuple], site: str) -> list[str]:
    """A reader that follows `prev-archive` from each publication gets every entry once.

    An entry that changed after its page was closed stands there as it was, and again before it.
    """
    failed = []
    for path, (_, ids, links, is_archive, _) in results.items():
        if is_archive:
            continue
        got, at, seen, repeated = dict(ids), path, {path}, 0
        while "prev-archive" in links:
            after = path_of(links["prev-archive"], site)
            if after in seen or after not in results:
                failed.append(f"{at}: BrokenArchive: prev-archive {after} {'again' if after in seen else 'is nowhere'}")
                break
            seen.add(after)
            _, ids, links, is_archive, _ = results[after]
            if not is_archive:
                failed.append(f"{after}: BrokenArchive: no fh:archive")
            if at != path and links.get("next-archive", site + at[1:]) != site + at[1:]:
                failed.append(f"{after}: BrokenArchive: next-archive is {links.get('next-archive')}, not {at}")
            repeated += sum(entry in got and got[entry] <= updated for entry, updated in ids.items())
            got = ids | got
            at = after
        if repeated:
            failed.append(f"{path}: RepeatedInArchive: {repeated} of {len(got)} entries")
    return failed


def tell(tree: pathlib.Path, kinds: dict[str, str], results: dict[str, tuple], what: str) -> None:
    sizes = sorted(((tree / path.lstrip("/")).stat().st_size, path) for path in kinds)
    archives = sum(is_archive for _, _, _, is_archive, _ in results.values())
    entries = sum(len(ids) for _, ids, *_ in results.values())
    distinct = len(set(itertools.chain.from_iterable(ids for _, ids, *_ in results.values())))
    deleted = sum(deleted for *_, deleted in results.values())
    total = sum(size for size, _ in sizes)
    print(
        f"{what}: {len(results)} Atom documents ({archives} archives) and as many JSON Feeds, {total / 1e6:.0f} MB;"
        f" {entries} entries of {distinct} articles, {deleted} tombstones"
    )
    for size, path in sizes[-3:]:
        print(f"{what}: {size} bytes: {path}")


if __name__ == "__main__":
    main()
