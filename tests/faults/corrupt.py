"""Bytes of the store's files go bad: flipped, zeroed, cut off, or the file is gone.

The daemon comes back by itself, whatever was spoiled: with the store as it is, of the newest
automatic backup, or of what can be read of the damaged store; it says in one line what became of
it, hangs never, and serves no article that was never published. Half of the copies have a backup.

    COPIES=500 tests/faults/run corrupt
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import random
import re
import shutil
import time

from rig import PATIENCE, Daemon, Folder, Look, Publisher, number, verdict, verify

# How many times a daemon that ends under way is started again, as its service manager would.
RESTARTS = 3
PAGE = 4096
HOWS = ("flip a bit", "flip 16 bytes", "zero a page", "zero 8 pages", "cut off", "remove", "fill with noise")


def spoil(file: pathlib.Path, how: str, chance: random.Random) -> None:
    """Spoils a file."""
    content = bytearray(file.read_bytes())
    if how == "remove":
        file.unlink()
        return
    if not content:
        return
    if how == "cut off":
        del content[chance.randrange(len(content)) :]
    elif how == "flip a bit":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif how == "flip 16 bytes":
        for _ in range(16):
            content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    else:
        size = PAGE * (8 if "8" in how else 1)
        start = chance.randrange(0, len(content), PAGE)
        length = len(content[start : start + size])
        content[start : start + size] = chance.randbytes(length) if "noise" in how else bytes(length)
    file.write_bytes(content)


@dataclasses.dataclass
class Before:
    """What the stores held before they were spoiled."""

    folder: Folder
    owed: dict[tuple[str, int], int]
    # What the automatic backup has.
    backed_up: dict[tuple[str, int], int]
    ids: dict[tuple[str, int], str]


def backed_up(folder: Folder, look: Look) -> dict[tuple[str, int], int]:
    """Lets the daemon write an automatic backup; what is in it."""
    # One of long ago makes that of today due at once.
    old = folder.state / "backups" / "visnyk-20200101T000000Z.jsonl.zst"
    old.parent.mkdir(mode=0o700, exist_ok=True)
    done = folder.visnyk("backup", str(old))
    if done.returncode:
        raise SystemExit(f"corrupt: FAILED: no backup: {done.stderr[-500:]}")
    daemon = started(folder)
    end = time.monotonic() + PATIENCE
    while not (told := re.search(r"backup \S+: (\d+) articles", daemon.log())):
        if time.monotonic() > end:
            raise SystemExit(f"corrupt: FAILED: no automatic backup: {daemon.log()[-500:]}")
        time.sleep(0.1)
    found = look.read(daemon)
    daemon.stop()
    old.unlink()
    if int(told[1]) != len(found):
        raise SystemExit(f"corrupt: FAILED: the backup has {told[1]} articles, and {len(found)} are served")
    return dict(found)


def started(folder: Folder) -> Daemon:
    """A daemon that listens."""
    daemon = Daemon(folder)
    if not daemon.wait_until_listening():
        raise SystemExit(f"corrupt: FAILED: it does not start: {daemon.log()[-1000:]}")
    return daemon


def prepared() -> Before:
    """A store of several lives, with an automatic backup of its middle age."""
    publisher = Publisher(8, seed=number("SEED", 1), bulk=700_000)
    folder, look = Folder(publisher), Look()
    backup: dict[tuple[str, int], int] = {}
    for life in range(3):
        daemon = started(folder)
        for _ in range(4):
            daemon.ask("poll")
        look.read(daemon)
        daemon.stop()
        if life == 1:
            backup = backed_up(folder, look)
    publisher.growth = 0
    return Before(folder, publisher.owed(), backup, look.ids)


class Fare:
    """How the daemon fares with a spoiled store, and what is wrong with that."""

    def __init__(self, before: Before, state: pathlib.Path, has_backup: bool):
        self.before, self.state, self.has_backup = before, state, has_backup
        self.own = Folder(before.folder.publisher)
        self.problems: list[str] = []
        self.lost = 0
        # Whether `visnyk verify` says that something is wrong.
        self.is_known = False

    def run(self) -> str:
        """Starts it, as its service manager would, until it stays; in a word what came of it."""
        try:
            ends: list[str] = []
            for _ in range(RESTARTS):
                daemon = Daemon(self.own, state=self.state)
                try:
                    fate = self._live(daemon)
                finally:
                    if daemon.process.poll() is None:
                        self._end(daemon)
                    daemon.kill()
                if fate:
                    self._verify(fate)
                    return f"{fate} after an end" if ends else fate
                ends += daemon.lines("ERROR")[-1:] or [f"status {daemon.process.returncode}, no word"]
            self.problems.append(f"{RESTARTS} starts, and it does not stay: {ends}")
            return "does not come back"
        finally:
            self.own.remove()

    def _end(self, daemon: Daemon) -> None:
        status = daemon.stop()
        # A store that breaks under way ends the daemon by itself, or when it closes.
        self.problems += [f"it did not end when it was asked to: {daemon.log()[-300:]}"] if status == -9 else []

    def _live(self, daemon: Daemon) -> str:
        if not daemon.wait_until_listening():
            if daemon.process.poll() is None:
                self.problems.append(f"it neither listens nor ends within a minute: {daemon.log()[-300:]}")
                return "hangs"
            return ""
        look = Look()
        look.ids = dict(self.before.ids)
        try:
            found = dict(look.read(daemon))
            for _ in range(2):
                daemon.ask("poll")
            after = dict(look.read(daemon))
        except ValueError as error:
            self.problems.append(str(error))
            return "serves what was never published"
        if daemon.process.poll() is not None:
            return ""
        unread = [problem for problem in look.problems if " answers " in problem]
        self.problems += [problem for problem in look.problems if problem not in unread]
        told = [line for line in daemon.lines("ERROR") if line.startswith("the store was damaged")]
        # Publishers have the newest still, and were asked.
        gone = [key for key in self._still_published() if key not in after]
        lost = [key for key in self.before.owed if key not in found]
        if not told:
            if unread:
                return "opens, and says what does not read"
            self.problems += [f"not brought back by polls: {gone[:3]}"] if gone and not lost else []
            self.lost += len(lost)
            return f"opens with {'fewer articles, without a word' if lost else 'all articles'}"
        self.problems += [f"told {len(told)} times"] if len(told) > 1 else []
        self.problems += [f"served badly after it was recovered: {unread[0]}"] if unread else []
        self.problems += [f"not brought back by polls: {gone[:3]}"] if gone else []
        if "restored from the backup" in told[0]:
            short = [key for key, revision in self.before.backed_up.items() if found.get(key, -1) < revision]
            self.problems += [f"of the backup, but without {short[:3]}"] if short else []
            return "restored from the backup"
        self.problems += [f"not restored from its backup: {told[0]}"] if self.has_backup else []
        return "begins empty" if "begins empty" in told[0] else "made of what could be read"

    def _still_published(self) -> list[tuple[str, int]]:
        feeds = self.before.folder.publisher.feeds.values()
        return [(feed.id, n) for feed in feeds for n in range(feed.low, feed.high)]

    def _verify(self, fate: str) -> None:
        wrong = verify(self.own, self.state)
        self.is_known = bool(wrong)
        # Of what the engine dropped, or does not read, only `verify` may know.
        if wrong and "does not read" not in fate and "without a word" not in fate:
            self.problems += wrong


def main() -> None:
    copies, seed = number("COPIES", 35), number("SEED", time.time_ns() % 1_000_000)
    before = prepared()
    folder = before.folder
    fates: dict[str, int] = {}
    problems: list[str] = []

    def one(n: int) -> tuple[str, list[str]]:
        chance = random.Random(f"{seed}-{n}")
        copy = folder.path / f"copy-{n}"
        left_out = ["admin.sock", *(["backups"] if n % 2 else [])]
        shutil.copytree(folder.state, copy, ignore=shutil.ignore_patterns(*left_out))
        files = sorted(path for path in copy.rglob("*") if path.is_file() and path.parent.name != "backups")
        # The data file is most of it, and what breaks first.
        data = [path for path in files if path.name == "db"]
        file, how = chance.choice(data if chance.random() < 0.5 else files), chance.choice(HOWS)
        spoil(file, how, chance)
        began = time.monotonic()
        fare = Fare(before, copy, n % 2 == 0)
        fate, wrong = fare.run(), fare.problems
        took = time.monotonic() - began
        what = f"copy {n}{'' if n % 2 else ' with a backup'}: {how} in {file.relative_to(copy)}"
        if os.environ.get("TELL"):
            print(f"corrupt: {what}: {fate}", flush=True)
        if not wrong:
            shutil.rmtree(copy)
        if "without a word" in fate:
            known = "verify finds what is wrong" if fare.is_known else "verify finds nothing"
            print(f"corrupt: {what}: {fare.lost} of {len(before.owed)} articles are gone, without a word: {known}", flush=True)
        return fate, [f"{what}: {fate}: {one}" for one in wrong] + ([f"{what}: took {took:.0f} s"] if took > 180 else [])

    with concurrent.futures.ThreadPoolExecutor(2) as several:
        for fate, wrong in several.map(one, range(copies)):
            fates[fate] = fates.get(fate, 0) + 1
            problems += wrong
    if problems:
        print(f"corrupt: the copies are left in {folder.path}")
    else:
        folder.remove()
    told = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
    verdict("corrupt", problems, f"{copies} spoiled copies of {len(before.owed)} acknowledged articles: {told}; seed {seed}")


if __name__ == "__main__":
    main()
