"""SIGKILL at random moments, under load: polls of changing feeds, readers, reloads, takedowns.

    KILLS=1000 tests/faults/run kill
"""

import contextlib
import random
import threading
import time

from rig import Daemon, Folder, Look, Publisher, articles_of, missing, number, verdict, verify

FEEDS = 24
# After so many kills a new store is begun: a walk through all of its archives stays short.
KILLS_OF_A_STORE = 250
# How often all archives are read anew, and not only what came since.
WHOLE_EVERY = 25


class Load:
    """Who makes work for a daemon until it is gone."""

    def __init__(self, publisher: Publisher, folder: Folder, chance: random.Random):
        self.publisher = publisher
        self.folder = folder
        self.chance = chance
        self.asked_down: set[tuple[str, int]] = set()
        self.taken_down: set[tuple[str, int]] = set()
        self.reloads = 0

    def run(self, daemon: Daemon) -> list[threading.Thread]:
        """Starts them all; each ends when the daemon does not answer."""
        acts = (self._poll, self._read, self._reload, self._take_down)
        threads = [threading.Thread(target=act, args=(daemon,)) for act in acts]
        for thread in threads:
            thread.start()
        return threads

    def _poll(self, daemon: Daemon) -> None:
        while daemon.ask("poll") is not None:
            pass

    def _read(self, daemon: Daemon) -> None:
        status = 200
        while status:
            status, content = daemon.get("/all.atom")
            if status == 200:
                self.publisher.see(articles_of(content))
            time.sleep(0.05)

    def _reload(self, daemon: Daemon) -> None:
        answer: dict | None = {}
        while answer is not None:
            time.sleep(0.3)
            self.reloads += 1
            self.folder.write(f"[publishing]\nentries = {40 + self.reloads % 3}\n")
            answer = daemon.ask("reload")

    def _take_down(self, daemon: Daemon) -> None:
        answer: dict | None = {}
        # Whether there was something to take down or not.
        while answer is not None and daemon.process.returncode is None:
            time.sleep(0.25)
            owed = sorted(self.publisher.owed().keys() - self.asked_down)
            if not owed:
                continue
            key = self.chance.choice(owed)
            self.asked_down.add(key)
            answer = daemon.ask(f"takedown {self.publisher.link(*key)} killed")
            if answer and answer.get("told"):
                self.taken_down.add(key)


def live(publisher: Publisher, folder: Folder, kills: int, chance: random.Random, figures: dict) -> list[str]:
    """A store through so many kills; what went wrong."""
    problems: list[str] = []
    load, look = Load(publisher, folder, chance), Look()
    told = figures["kills"] // 100
    for life in range(kills + 1):
        daemon = Daemon(folder)
        if life < kills and chance.random() < 0.2:
            # Killed while it starts.
            time.sleep(chance.uniform(0, 0.25))
            daemon.kill()
            figures["kills"] += 1
            figures["at start"] += 1
            continue
        if not daemon.wait_until_listening():
            problems.append(f"life {life}: it does not start: {daemon.log()[-1500:]}")
            daemon.kill()
            break
        figures["longest"] = max(figures["longest"], daemon.start_seconds)
        is_whole = life % WHOLE_EVERY == 0 or life == kills
        # What was owed when it began: nobody polls yet.
        found = look.read(daemon) if is_whole else look.read_on(daemon)
        problems += missing(publisher, found, load.asked_down)
        if is_whole:
            problems += [f"came back after it was taken down: {key}" for key in load.taken_down & found.keys()]
        if life == kills:
            status = daemon.stop()
            problems += [f"it ended with {status}"] if status else []
            problems += verify(folder, folder.state)
            break
        threads = load.run(daemon)
        time.sleep(chance.uniform(0.02, 1.2))
        daemon.kill()
        for thread in threads:
            thread.join()
        figures["kills"] += 1
        if figures["kills"] // 100 > told:
            told = figures["kills"] // 100
            print(f"kill: {figures['kills']} so far, {len(publisher.owed())} acknowledged in this store", flush=True)
        problems += look.problems
        look.problems = []
        if len(problems) > 20:
            break
    figures["acknowledged"] += len(publisher.owed())
    figures["down"] += len(load.taken_down)
    figures["reloads"] += load.reloads
    figures["polls"] += publisher.requests
    return problems + look.problems


def main() -> None:
    kills, seed = number("KILLS", 50), number("SEED", time.time_ns() % 1_000_000)
    chance = random.Random(seed)
    figures = dict.fromkeys(("kills", "at start", "acknowledged", "down", "reloads", "polls"), 0) | {"longest": 0.0}
    problems: list[str] = []
    while figures["kills"] < kills and not problems:
        publisher = Publisher(FEEDS, seed=chance.randrange(1 << 30))
        folder = Folder(publisher)
        problems = live(publisher, folder, min(KILLS_OF_A_STORE, kills - figures["kills"]), chance, figures)
        if problems:
            print(f"kill: the store is left at {folder.path}")
        else:
            folder.remove()
    lost = sum("lost" in problem for problem in problems)
    twice = sum("twice" in problem for problem in problems)
    verdict(
        "kill",
        problems,
        f"{figures['kills']} kills ({figures['at start']} of them while it started), {figures['polls']} polls, "
        f"{figures['acknowledged']} acknowledged articles, {lost} lost, {twice} published twice, {figures['down']} "
        f"taken down, {figures['reloads']} reloads, longest start {figures['longest']:.2f} s, seed {seed}",
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
