"""In real time: polls at the highest rate that is permitted, readers, and no slope of memory or files.

    MINUTES=20 tests/faults/run soak
"""

import pathlib
import threading
import time

from rig import WATCH, Daemon, Folder, Look, Publisher, articles_of, missing, number, verdict

FEEDS = 60
# Samples of the first part are left out: caches fill up.
WARM_PART = 0.4
# A slope of this much of the memory in an hour is a leak to look for; articles take some.
SLOPE_KIB_A_MINUTE_MAX = 1024
SAMPLES_MIN = 20


def resident_kib(daemon: Daemon) -> int:
    """How much memory it has."""
    status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def descriptors(daemon: Daemon) -> int:
    """How many files it has open."""
    return sum(1 for _ in pathlib.Path(f"/proc/{daemon.pid}/fd").iterdir())


def slope(samples: list[tuple[float, float]]) -> float:
    """By the median of all pairs (Theil and Sen), which single peaks do not move."""
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for i, earlier in enumerate(samples)
        for later in samples[i + len(samples) // 3 :]
        if later[0] > earlier[0]
    ]
    return sorted(slopes)[len(slopes) // 2]


def read(daemon: Daemon, publisher: Publisher, is_over: threading.Event) -> int:
    """Reads what a reader reads, until it is over."""
    paths = ["/", "/all", "/regions/kharkivska.atom", "/feeds.opml", "/all.json", "/sources/f1"]
    n = 0
    while not is_over.wait(0.1):
        status, content = daemon.get("/all.atom")
        if status == 200:
            publisher.see(articles_of(content))
        daemon.get(paths[n % len(paths)])
        n += 1
    return n


def main() -> None:
    minutes = number("MINUTES", 2)
    publisher = Publisher(FEEDS, growth=0.3, schedule="every 1m")
    folder = Folder(publisher)
    daemon = Daemon(folder)
    problems: list[str] = []
    if not daemon.wait_until_listening():
        raise SystemExit(f"soak: FAILED: it does not start: {daemon.log()[-1000:]}")
    is_over = threading.Event()
    readers = [threading.Thread(target=read, args=(daemon, publisher, is_over)) for _ in range(2)]
    for reader in readers:
        reader.start()
    memory, files = [], []
    began = time.monotonic()
    every = min(10.0, minutes * 60 / (2 * SAMPLES_MIN))
    while time.monotonic() - began < minutes * 60 and daemon.process.poll() is None:
        time.sleep(every)
        WATCH.goes_on()
        # The schedule polls each feed once a minute; an admin may ask for more.
        daemon.ask("poll")
        at = (time.monotonic() - began) / 60
        memory.append((at, resident_kib(daemon)))
        files.append((at, descriptors(daemon)))
    is_over.set()
    for reader in readers:
        reader.join()
    look = Look()
    problems += look.problems + missing(publisher, look.read(daemon))
    errors = daemon.lines("ERROR")
    problems += [f"an error in the log: {line}" for line in errors[:3]]
    status = daemon.stop()
    problems += [f"it ended with {status}"] if status else []
    warm = int(len(memory) * WARM_PART)
    growth, more = slope(memory[warm:]), slope(files[warm:])
    # A short run shows that the script works, and no slope.
    if minutes >= 10 and growth > SLOPE_KIB_A_MINUTE_MAX:
        problems.append(f"memory grows by {growth:.0f} KiB a minute")
    if minutes >= 10 and more > 0.5:
        problems.append(f"open files grow by {more:.2f} a minute")
    folder.remove()
    verdict(
        "soak",
        problems,
        f"{minutes} min, {FEEDS} feeds, {publisher.requests} polls, {len(publisher.owed())} acknowledged articles; "
        f"memory {memory[warm][1] >> 10} to {memory[-1][1] >> 10} MiB ({growth:+.0f} KiB a minute), "
        f"open files {files[warm][1]} to {files[-1][1]} ({more:+.2f} a minute)",
    )


if __name__ == "__main__":
    main()
