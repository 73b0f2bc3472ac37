"""A disk that fills up under polls, is full at the start, takes no writes, or is taken away.

A small tmpfs stands for the disk, which needs root. CYCLES=50 tests/faults/run disk
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable

from rig import PATIENCE, Daemon, Folder, Look, Publisher, missing, not_run, number, verdict

DISK_MIB = 96
PAUSED = "no feed is polled until there is room"
FAILED = "no feed is polled, what there is is served"
GOES_ON = "the store takes articles again"


def wait(is_so: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether it comes to be so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def times(daemon: Daemon, words: str) -> int:
    """How many lines of the log have these words."""
    return sum(words in line for line in daemon.lines("INFO", "WARN", "ERROR"))


class Disk:
    """A mounted tmpfs, and a file on it that takes its room."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.ballast = path / "ballast"

    def fill(self, left: int) -> None:
        """Leaves so many bytes."""
        with self.ballast.open("ab") as file:
            room = os.statvfs(self.path)
            more = room.f_bavail * room.f_frsize - left
            while more > 0:
                with contextlib.suppress(OSError):
                    more -= file.write(b"\0" * min(more, 1 << 20))
                    file.flush()
                    continue
                break

    def empty(self) -> None:
        """Gives the room back."""
        self.ballast.unlink(missing_ok=True)


class Check:
    """A daemon on the small disk, and what went wrong."""

    def __init__(self, disk: Disk, folder: Folder, publisher: Publisher):
        self.disk, self.folder, self.publisher = disk, folder, publisher
        self.problems: list[str] = []
        self.look = Look()
        self.slowest = 0.0
        self.daemon = self.start()

    def start(self) -> Daemon:
        """A daemon that listens."""
        daemon = Daemon(self.folder)
        if not daemon.wait_until_listening():
            raise SystemExit(f"disk: FAILED: it does not start: {daemon.lines('ERROR')} {self.problems}")
        return daemon

    def expect(self, is_so: object, problem: str) -> None:
        """Notes a problem unless it is so."""
        if not is_so:
            self.problems.append(problem)

    def expect_all(self, when: str) -> None:
        """Whatever is acknowledged is served."""
        found = self.look.read(self.daemon)
        self.problems += [f"{when}: {problem}" for problem in self.look.problems + missing(self.publisher, found)]
        self.look.problems = []
        # A reader was served it.
        with self.publisher.lock:
            for (feed, n), revision in found.items():
                self.publisher.acknowledged[feed][n] = revision

    def expect_going_on(self, when: str, before: int) -> None:
        """Polls go on by themselves."""
        began = time.monotonic()
        self.expect(wait(lambda: times(self.daemon, GOES_ON) > before), f"{when}: it does not go on by itself")
        self.slowest = max(self.slowest, time.monotonic() - began)
        answer = self.daemon.ask("poll")
        self.expect(answer and "told" in answer, f"{when}: no poll after it went on: {answer}")
        self.expect_all(when)

    def run_low(self) -> None:
        """Polls stop before a write fails."""
        paused, going = times(self.daemon, PAUSED), times(self.daemon, GOES_ON)
        self.disk.fill(3 << 20)
        self.expect(wait(lambda: times(self.daemon, PAUSED) > paused), "low: it does not say that polls stop")
        answer = self.daemon.ask("poll")
        self.expect(answer and "its disk has" in answer.get("error", ""), f"low: it polls: {answer}")
        self.expect(not times(self.daemon, FAILED), "low: a write failed")
        told = self.daemon.ask("status")
        self.expect(told and told["stopped"] and "make room" in told["stopped"]["why"], "low: status does not say so")
        self.expect_all("low")
        self.disk.empty()
        self.expect_going_on("low", going)

    def restart_when_low(self) -> None:
        """What is left is enough to start."""
        self.disk.fill(3 << 20)
        self.expect(wait(lambda: times(self.daemon, PAUSED)), "low: it does not say that polls stop")
        self.expect(self.daemon.stop() == 0, "low: it does not end well")
        self.daemon = self.start()
        self.expect_all("started when low")
        self.disk.empty()
        self.expect_going_on("started when low", 0)

    def run_out(self) -> None:
        """A write fails, since all goes at once."""
        failed, going = times(self.daemon, FAILED), times(self.daemon, GOES_ON)
        before = self.look.read(self.daemon)
        for _ in range(20):
            self.disk.fill(0)
            self.daemon.ask("poll")
            if times(self.daemon, FAILED) > failed:
                break
            self.disk.empty()
            wait(lambda: (self.daemon.ask("status") or {}).get("stopped") is None)
        self.expect(times(self.daemon, FAILED) == failed + 1, "out: not one clear line that polls stop")
        # The engine may refuse to read what it cannot tidy up: what was served before still is.
        found = self.look.read(self.daemon)
        gone = [key for key, revision in before.items() if found.get(key, -1) < revision]
        self.problems += [f"out, while full: not served any more: {key}" for key in gone]
        self.disk.empty()
        self.expect_going_on("out", going)

    def start_full(self) -> None:
        """Killed, and no room at all to start."""
        self.daemon.kill()
        self.disk.fill(0)
        full = Daemon(self.folder)
        if full.wait_until_listening():
            self.daemon = full
            self.expect_all("started when full")
        else:
            lines = full.lines("ERROR")
            self.expect(full.process.returncode == 74, f"full at start: status {full.process.returncode}")
            self.expect(len(lines) == 1 and "No space left" in lines[0], f"full at start: not one clear line: {lines}")
            self.disk.empty()
            self.daemon = self.start()
        self.disk.empty()
        wait(lambda: (self.daemon.ask("status") or {}).get("stopped") is None)
        self.daemon.ask("poll")
        self.expect_all("after a start when full")

    def take_away(self) -> None:
        """The store's directory goes, and comes back."""
        going = times(self.daemon, GOES_ON)
        gone = self.folder.state.with_name("gone")
        self.folder.state.rename(gone)
        # The admin socket went, too: the schedule polls.
        socket = gone / "admin.sock"
        self.folder.state.mkdir()
        (self.folder.state / "admin.sock").symlink_to(socket)
        self.daemon.ask("poll")
        self.expect(times(self.daemon, FAILED), "taken away: it does not say that polls stop")
        self.expect(self.daemon.get("/all.atom")[0] == 200, "taken away: what there is is not served")
        time.sleep(6)
        self.expect(times(self.daemon, GOES_ON) == going, "taken away: it goes on without its store")
        shutil.rmtree(self.folder.state)
        gone.rename(self.folder.state)
        self.expect_going_on("taken away and back", going)

    def start_read_only(self) -> None:
        """A file system that takes no writes, at the start."""
        self.daemon.stop()
        subprocess.run(["mount", "-o", "remount,ro", self.disk.path], check=True)
        refused = Daemon(self.folder)
        self.expect(not refused.wait_until_listening(), "read-only: it starts")
        lines = refused.lines("ERROR")
        is_clear = len(lines) == 1 and "Read-only file system" in lines[0]
        self.expect(is_clear and refused.process.wait() == 74, f"read-only: not one clear line: {lines}")
        refused.kill()
        subprocess.run(["mount", "-o", "remount,rw", self.disk.path], check=True)
        self.daemon = self.start()
        self.expect_all("after a read-only start")

    def crash(self) -> None:
        """Whatever happened, a crash after it costs nothing."""
        self.daemon.kill()
        self.daemon = self.start()
        self.expect_all("after a crash")


def main() -> None:
    if os.geteuid() != 0:
        not_run("disk", "to mount a small disk takes root")
    cycles = number("CYCLES", 1)
    publisher = Publisher(8)
    folder = Folder(publisher)
    mounted = folder.path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(mounted)]
    if subprocess.run(mount, capture_output=True).returncode:
        not_run("disk", "a small disk cannot be mounted here")
    folder.state = mounted / "state"
    check = Check(Disk(mounted), folder, publisher)
    try:
        for _ in range(3):
            check.daemon.ask("poll")
        for _ in range(cycles):
            check.run_low()
            check.run_out()
            check.crash()
            if check.problems:
                break
        for act in (check.restart_when_low, check.start_full, check.take_away, check.start_read_only, check.crash):
            if not check.problems:
                act()
        log = check.daemon.log()
    finally:
        check.daemon.kill()
        subprocess.run(["umount", mounted], check=False)
    if check.problems:
        print(log[-3000:])
    folder.remove()
    verdict(
        "disk",
        check.problems,
        f"{cycles} times low and out of room under polls, started when low, full, and read-only, taken away; "
        f"{len(publisher.owed())} acknowledged articles; polls went on within {check.slowest:.0f} s",
    )


if __name__ == "__main__":
    main()
