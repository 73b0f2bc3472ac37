"""What the fault injections share: a publisher with a ledger, the daemon, and a look at its store.

An article is acknowledged when the daemon has sent back the validator of the document that held
it, or when it was served to a reader. What is acknowledged has to be there after any fault, once,
under the same Atom id, and as it was published.
"""

import asyncio
import contextlib
import dataclasses
import email.utils
import faulthandler
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
VISNYK = pathlib.Path(os.environ.get("VISNYK_PROGRAM", ROOT / "target/debug/visnyk")).resolve()
# How long the daemon may take to start, or to end, before that is a failure of its own.
PATIENCE = 60
# After so long without a daemon that begins or ends a script hangs.
SILENCE_MAX = 300
ATOM = "{http://www.w3.org/2005/Atom}"
WORDS = (
    "рада громада міст школа лікарня дорога вода тепло бюджет парк театр музей площа вулиця трамвай "
    "автобус міліція рятувальник свято фестиваль книга виставка спорт ремонт освітлення мережа"
).split()


def verdict(name: str, problems: list[str], told: str) -> None:
    """Says in one line how it went, and ends the script with a status that says the same."""
    for problem in problems[:20]:
        print(f"{name}: {problem}", flush=True)
    print(f"{name}: {'FAILED' if problems else 'ok'}: {told}", flush=True)
    sys.exit(1 if problems else 0)


def not_run(name: str, why: str) -> None:
    """Says that nothing was shown here, which is not the same as success."""
    print(f"{name}: NOT RUN: {why}", flush=True)
    sys.exit(0)


def number(name: str, default: int) -> int:
    """A number that the caller may set by the environment."""
    return int(os.environ.get(name, default))


class Watch:
    """Ends a script that hangs, and says where it and its daemons were."""

    def __init__(self):
        self.daemons: set[Daemon] = set()
        self._last = time.monotonic()
        threading.Thread(target=self._look, daemon=True).start()

    def goes_on(self) -> None:
        """It does."""
        self._last = time.monotonic()

    def _look(self) -> None:
        while time.monotonic() - self._last < SILENCE_MAX:
            time.sleep(1)
        print(f"{pathlib.Path(sys.argv[0]).stem}: FAILED: it hangs since {SILENCE_MAX} s, here:", flush=True)
        faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
        for daemon in list(self.daemons):
            print(f"a daemon that runs said last: {daemon.log()[-500:]}", flush=True)
            with contextlib.suppress(OSError, IndexError):
                os.kill(daemon.pid, signal.SIGKILL)
        os._exit(1)


WATCH = Watch()


@dataclasses.dataclass
class Feed:
    """A feed of the publisher: entries `low` to `high` are in its document now."""

    id: str
    host: str
    low: int = 0
    high: int = 0
    version: int = 0
    revisions: dict = dataclasses.field(default_factory=dict)
    dates: dict = dataclasses.field(default_factory=dict)
    # What each version held: from, to, and the revisions of then.
    versions: dict = dataclasses.field(default_factory=dict)


class Publisher:
    """A publisher's server on loopback, whose feeds grow as they are asked for."""

    def __init__(self, feeds: int, hosts: int = 4, window: int = 15, growth: float = 0.8, seed: int = 1,
                 schedule: str = "every 15m", bulk: int = 0):
        # So many bytes that do not compress well stand in the document of the first feed.
        self.bulk = bulk
        self.window = window
        self.schedule = schedule
        self.growth = growth
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        addresses = [f"127.0.{n // 200}.{n % 200 + 1}" for n in range(hosts)]
        self.sockets = _listening(addresses)
        self.port = self.sockets[0].getsockname()[1]
        self.feeds = {f"f{n}": Feed(f"f{n}", addresses[n % hosts]) for n in range(feeds)}
        self.acknowledged: dict[str, dict[int, int]] = {id: {} for id in self.feeds}
        self.requests = 0
        self.times: dict[str, list[float]] = {}
        self.most_at_once: dict[str, int] = {}
        self._at_once: dict[str, int] = {}
        self.served: set[str] = set()
        self.is_down = False
        self.answers_after = 0.0
        for feed in self.feeds.values():
            self._grow(feed, window)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        for listener in self.sockets:
            self.loop.run_until_complete(asyncio.start_server(self._answer, sock=listener))
        self.loop.run_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            host = writer.get_extra_info("sockname")[0]
            self._at_once[host] = self._at_once.get(host, 0) + 1
            if not self.is_down:
                self.times.setdefault(host, []).append(time.time())
                self.most_at_once[host] = max(self.most_at_once.get(host, 0), self._at_once[host])
                # So that requests at once are seen to be so.
                await asyncio.sleep(self.answers_after)
                writer.write(self._respond(head))
                await writer.drain()
            self._at_once[host] -= 1
        with contextlib.suppress(OSError):
            writer.close()

    def _respond(self, head: str) -> bytes:
        path = head.split(" ")[1]
        found = re.match(r"/feeds/(\w+)\.rss(\?|$)", path)
        if not found:
            return _response("200 OK", "Content-Type: text/html\r\n", b"<title>page</title><p>page</p>")
        with self.lock:
            feed = self.feeds[found[1]]
            self.requests += 1
            self.served.add(feed.id)
            asked = re.search(r'(?im)^if-none-match: "?\w+-(\d+)"?', head)
            if asked:
                self._acknowledge(feed, int(asked[1]))
            if self.chance.random() < self.growth:
                self._grow(feed, self.chance.randint(1, 3))
            tag = f'ETag: "{feed.id}-{feed.version}"\r\n'
            if asked and int(asked[1]) == feed.version:
                return _response("304 Not Modified", tag, None)
            return _response("200 OK", f"Content-Type: application/rss+xml\r\n{tag}", self._document(feed))

    def _grow(self, feed: Feed, more: int) -> None:
        for n in range(feed.high, feed.high + more):
            feed.dates[n] = time.time()
        feed.high += more
        feed.low = max(0, feed.high - self.window)
        if feed.version and self.chance.random() < 0.3:
            edited = self.chance.randrange(feed.low, feed.high)
            feed.revisions[edited] = feed.revisions.get(edited, 0) + 1
        feed.version += 1
        revisions = {n: feed.revisions.get(n, 0) for n in range(feed.low, feed.high)}
        feed.versions[feed.version] = revisions

    def _acknowledge(self, feed: Feed, version: int) -> None:
        kept = self.acknowledged[feed.id]
        for n, revision in feed.versions.get(version, {}).items():
            kept[n] = max(kept.get(n, 0), revision)

    def _document(self, feed: Feed) -> bytes:
        items = "".join(self._item(feed, n) for n in reversed(range(feed.low, feed.high)))
        head = f"<title>{feed.id}</title><link>{self.url(feed)}</link><description>d</description>"
        if self.bulk and feed.id == "f0":
            head += f"<!-- {self.chance.randbytes(self.bulk).hex()} -->"
        return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()

    def _item(self, feed: Feed, n: int) -> str:
        guid = f"tag:publisher.example,2026:{feed.id}-{n}" if n % 2 else f"{feed.id}-{n}"
        date = email.utils.formatdate(feed.dates[n])
        return (
            f"<item><title>{title(feed.id, n, feed.revisions.get(n, 0))}</title>"
            f"<link>{self.link(feed.id, n)}</link><guid isPermaLink='false'>{guid}</guid>"
            f"<pubDate>{date}</pubDate><description>{body(feed.id, n)}</description></item>"
        )

    def url(self, feed: Feed) -> str:
        """Where a feed's document is."""
        return f"http://{feed.host}:{self.port}/feeds/{feed.id}.rss"

    def link(self, feed: str, n: int) -> str:
        """Where the page of an entry is."""
        return f"http://{self.feeds[feed].host}:{self.port}/news/{feed}/{n}"

    def see(self, articles: list["Article"]) -> None:
        """Counts as acknowledged what a reader was served."""
        with self.lock:
            for article in articles:
                kept = self.acknowledged[article.feed]
                kept[article.n] = max(kept.get(article.n, 0), article.revision)

    def owed(self) -> dict[tuple[str, int], int]:
        """What is acknowledged so far, with its revisions."""
        with self.lock:
            return {(id, n): revision for id, kept in self.acknowledged.items() for n, revision in kept.items()}

    def tables(self) -> str:
        """The feeds as feeds.toml has them."""
        return "".join(
            f'[[feed]]\nid = "{feed.id}"\ntitle = "{feed.id}"\nurl = "{self.url(feed)}"\n'
            f'region = "kharkivska"\nschedule = "{self.schedule}"\nallow_private = true\nunite = false\n\n'
            for feed in self.feeds.values()
        )


def title(feed: str, n: int, revision: int) -> str:
    """The title of an entry, from which all that it is can be read."""
    return f"{feed} повідомлення {n} редакція {revision}"


def body(feed: str, n: int) -> str:
    """The text of an entry."""
    chance = random.Random(f"{feed}-{n}")
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(20, 120))) + f" {feed}-{n}"


def _listening(addresses: list[str]) -> list[socket.socket]:
    sockets, port = [], 0
    for address in addresses:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(512)
        listener.setblocking(False)
        port = listener.getsockname()[1]
        sockets.append(listener)
    return sockets


def _response(status: str, headers: str, content: bytes | None) -> bytes:
    length = "" if content is None else f"Content-Length: {len(content)}\r\n"
    return f"HTTP/1.1 {status}\r\n{headers}{length}Connection: close\r\n\r\n".encode() + (content or b"")


class Folder:
    """A feeds.toml, a state directory and logs, all removed at the end."""

    def __init__(self, publisher: Publisher, more: str = "", where: str | None = None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="visnyk-faults-", dir=where))
        self.config = self.path / "feeds.toml"
        self.state = self.path / "state"
        self.publisher = publisher
        self.write(more)

    def write(self, more: str = "") -> None:
        """Writes feeds.toml; `more` stands before the feeds."""
        polling = "" if "[polling]" in more else '[polling]\nhost_pause = "0s"\nper_host = 8\n'
        site = '[site]\ntitle = "Вісник"\naddress = "https://visnyk.example/"\nlisten = "127.0.0.1:0"\n'
        self.config.write_text(f"{site}{polling}{more}\n{self.publisher.tables()}")

    def visnyk(self, *arguments: str, timeout: float = PATIENCE, prefix: tuple = (), **more) -> subprocess.CompletedProcess:
        """Runs a command of the program to its end."""
        command = [*prefix, VISNYK, *arguments, "--config", self.config, "--state", self.state]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment(), **more)

    def remove(self) -> None:
        """Removes all of it."""
        shutil.rmtree(self.path, ignore_errors=True)


def environment(**more: str) -> dict[str, str]:
    """The environment of the program, without what a service manager would have put there."""
    left_out = ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "RUNTIME_DIRECTORY", "NOTIFY_SOCKET", "VISNYK_LOG")
    return {name: value for name, value in os.environ.items() if name not in left_out} | more


class Daemon:
    """A running `visnyk run`."""

    def __init__(self, folder: Folder, prefix: tuple = (), env: dict | None = None, state: pathlib.Path | None = None):
        self.folder = folder
        self.state = state or folder.state
        self.is_traced = bool(prefix)
        self.log_path = folder.path / "log"
        self.output = self.log_path.open("w")
        command = [*prefix, VISNYK, "run", "--config", folder.config, "--state", self.state, "--log", "json"]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=self.output, env=env or environment(), start_new_session=True
        )
        WATCH.daemons.add(self)
        WATCH.goes_on()
        self.address: tuple[str, int] | None = None
        self.start_seconds = 0.0

    def wait_until_listening(self, seconds: float = PATIENCE) -> bool:
        """Whether it listens; false as soon as it has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(r"listening at (127[0-9.]+):(\d+)", self.log())
            if found:
                self.address = (found[1], int(found[2]))
                self.start_seconds = time.monotonic() - self.began
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.02)
        return False

    @property
    def pid(self) -> int:
        """The process of the daemon itself, where a tracer runs it, too."""
        if not self.is_traced:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def ask(self, command: str, seconds: float = PATIENCE) -> dict | None:
        """What it answers an admin; none if it does not."""
        try:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(seconds)
                asking.connect(str(self.state / "admin.sock"))
                asking.sendall(f"{command}\n".encode())
                answer = b""
                while more := asking.recv(65536):
                    answer += more
            return json.loads(answer)
        except (OSError, ValueError):
            return None

    def get(self, path: str, seconds: float = PATIENCE) -> tuple[int, bytes]:
        """The status and the body at a path; 0 if there is no answer."""
        try:
            connection = http.client.HTTPConnection(*self.address, timeout=seconds)
            connection.request("GET", path, headers={"User-Agent": "faults"})
            response = connection.getresponse()
            found = response.status, response.read()
            connection.close()
            return found
        except (OSError, http.client.HTTPException):
            return 0, b""

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.wait(timeout=PATIENCE)
        self._ended()

    def _ended(self) -> None:
        self.output.close()
        WATCH.daemons.discard(self)
        WATCH.goes_on()

    def stop(self) -> int:
        """Asks it to end; its status. One signal has to do."""
        end, status = time.monotonic() + PATIENCE, None
        self._ask_to_end()
        while status is None and time.monotonic() < end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self.process.wait(timeout=5)
            # Below a tracer the signal may be what the fault was injected into, or comes in vain
            # where its process is not begun yet: it is asked again, by nobody else.
            if status is None and self.is_traced and "stopping" not in self.log():
                self._ask_to_end()
        if status is None:
            self.kill()
            status = -9
        self._ended()
        return status

    def _ask_to_end(self) -> None:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError, IndexError):
            os.kill(self.pid, signal.SIGTERM)

    def log(self) -> str:
        """What it has logged."""
        return self.log_path.read_text(errors="replace")

    def lines(self, *levels: str) -> list[str]:
        """What it has logged at these levels, in words."""
        found = []
        for line in self.log().splitlines():
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if told.get("level") in levels:
                    found.append(told.get("message") or told.get("fields", {}).get("message", ""))
                continue
            found.append(line)
        return found


@dataclasses.dataclass(frozen=True)
class Article:
    """An article as a reader is served it."""

    feed: str
    n: int
    revision: int
    id: str
    link: str
    is_whole: bool


def articles_of(document: bytes) -> list[Article]:
    """The articles of an Atom document."""
    found = []
    for entry in ElementTree.fromstring(document).iter(f"{ATOM}entry"):
        said = entry.findtext(f"{ATOM}title", "")
        parts = re.fullmatch(r"(\w+) повідомлення (\d+) редакція (\d+)", said)
        if not parts:
            raise ValueError(f"an article that nobody published: {said!r}")
        feed, n = parts[1], int(parts[2])
        links = [link.get("href", "") for link in entry.iter(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
        text = "".join(entry.itertext())
        found.append(Article(feed, n, int(parts[3]), entry.findtext(f"{ATOM}id", ""), links[0], body(feed, n) in text))
    return found


class Look:
    """All that the site publishes, read as a reader who wants everything: by its archives (RFC 5005)."""

    def __init__(self):
        self.ids: dict[tuple[str, int], str] = {}
        self.found: dict[tuple[str, int], int] = {}
        self.problems: list[str] = []
        self._pages: set[str] = set()

    def read(self, daemon: Daemon) -> dict[tuple[str, int], int]:
        """Every article with its revision; what is wrong is added to `problems`."""
        self.found, self._pages = {}, set()
        return self.read_on(daemon)

    def read_on(self, daemon: Daemon) -> dict[tuple[str, int], int]:
        """The same, with the pages that were read before believed."""
        owners = {id: key for key, id in self.ids.items()}
        path = "/all.atom"
        while path and path not in self._pages:
            status, content = daemon.get(path)
            if status != 200:
                self.problems.append(f"{path} answers {status}")
                break
            if "/archive/" in path:
                self._pages.add(path)
            articles = articles_of(content)
            keys = [(article.feed, article.n) for article in articles]
            if len(set(keys)) != len(keys):
                self.problems.append(f"{path} has an article twice")
            for article in articles:
                key = (article.feed, article.n)
                if owners.setdefault(article.id, key) != key:
                    self.problems.append(f"{article.id} is the id of {key} and of {owners[article.id]}")
                if self.ids.setdefault(key, article.id) != article.id:
                    self.problems.append(f"{key} was {self.ids[key]} and is now {article.id}: published twice")
                if not article.is_whole:
                    self.problems.append(f"{key} has another text than was published")
                self.found[key] = max(self.found.get(key, -1), article.revision)
            older = re.search(rb'<link[^>]*rel="prev-archive"[^>]*>', content)
            href = older and re.search(rb'href="([^"]+)"', older[0])
            path = urllib.parse.urlsplit(href[1].decode()).path if href else ""
        return self.found


def verify(folder: Folder, state: pathlib.Path) -> list[str]:
    """What `visnyk verify` says against a store that no daemon holds."""
    command = [VISNYK, "verify", "--config", folder.config, "--state", state]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment())
    return [f"verify says {done.returncode}: {(done.stdout + done.stderr)[-400:]}"] if done.returncode else []


def missing(publisher: Publisher, found: dict, taken_down: set = frozenset()) -> list[str]:
    """What is acknowledged and is not there, or only as it was before."""
    problems = []
    for key, revision in publisher.owed().items():
        if key in taken_down:
            continue
        if key not in found:
            problems.append(f"lost: {key}")
        elif found[key] < revision:
            problems.append(f"lost: revision {revision} of {key}, it has {found[key]}")
    return problems
