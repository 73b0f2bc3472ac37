"""Bytes of the store's files go bad: flipped, zeroed, cut off, or the file is gone.

The program opens such a store, or recovers, or ends with one clear line; it does not hang, does
not start and break again and again, and serves no article that was never published.

    COPIES=500 tests/faults/run corrupt
"""

import concurrent.futures
import pathlib
import random
import re
import shutil
import time

from rig import Daemon, Folder, Look, Publisher, number, verdict

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


def fare(folder: Folder, state: pathlib.Path, owed: dict, ids: dict) -> tuple[str, list[str]]:
    """How the program fares with a spoiled store, and what is wrong with that."""
    own = Folder(folder.publisher)
    fate = ""
    try:
        for start in range(RESTARTS):
            daemon = Daemon(own, state=state)
            is_up = daemon.wait_until_listening()
            if not is_up:
                if daemon.process.poll() is None:
                    daemon.kill()
                    return "hangs", ["it neither listens nor ends within a minute"]
                lines = [line for line in daemon.lines("ERROR") if line.startswith("visnyk: ")]
                daemon.kill()
                is_clear = len(lines) == 1 and daemon.process.returncode == 74
                if "the store is damaged" in "".join(lines):
                    return "ends and says that it is damaged", []
                return "ends with a clear line", [] if is_clear else [f"it ends unclearly: {daemon.log()[-500:]}"]
            try:
                look = Look()
                look.ids = dict(ids)
                found = look.read(daemon)
            except ValueError as error:
                return "serves what was never published", [str(error)]
            wrong = [problem for problem in look.problems if "answers" not in problem]
            if wrong:
                return "serves wrong articles", wrong
            daemon.ask("poll")
            daemon.ask("poll")
            is_recovered = bool(re.search(r"moved aside|recovered|restored", daemon.log()))
            is_alive = daemon.process.poll() is None
            last = daemon.lines("ERROR")[-1:]
            daemon.stop()
            if is_alive and look.problems:
                return "opens, and says what does not read", []
            if is_alive:
                lost = sum(1 for key in owed if key not in found)
                word = "is recovered" if is_recovered else f"opens with {'all' if not lost else 'fewer'} articles"
                return word, []
            fate = f"ends under way: {last}"
        return "ends under way, again and again", [fate]
    finally:
        own.remove()


def main() -> None:
    copies, seed = number("COPIES", 35), number("SEED", time.time_ns() % 1_000_000)
    publisher = Publisher(8, seed=seed, bulk=700_000)
    folder = Folder(publisher)
    ids: dict = {}
    for _ in range(3):
        daemon = Daemon(folder)
        daemon.wait_until_listening()
        for _ in range(4):
            daemon.ask("poll")
        look = Look()
        look.read(daemon)
        ids.update(look.ids)
        daemon.stop()
    owed = publisher.owed()
    publisher.growth = 0
    fates: dict[str, int] = {}
    problems: list[str] = []

    def one(n: int) -> tuple[str, list[str]]:
        chance = random.Random(f"{seed}-{n}")
        copy = folder.path / f"copy-{n}"
        shutil.copytree(folder.state, copy, ignore=shutil.ignore_patterns("admin.sock"))
        files = sorted(path for path in copy.rglob("*") if path.is_file())
        # The data file is most of it, and what breaks first.
        data = [path for path in files if path.name == "db"]
        file, how = chance.choice(data if chance.random() < 0.5 else files), chance.choice(HOWS)
        spoil(file, how, chance)
        began = time.monotonic()
        fate, wrong = fare(folder, copy, owed, ids)
        took = time.monotonic() - began
        what = f"copy {n}: {how} in {file.relative_to(copy)}"
        if not wrong:
            shutil.rmtree(copy)
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
    verdict("corrupt", problems, f"{copies} spoiled copies of {len(owed)} acknowledged articles: {told}; seed {seed}")


if __name__ == "__main__":
    main()
