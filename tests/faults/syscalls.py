"""Every step that can fail is made to fail: one system call of one kind, the Nth of each thread.

A daemon over a store that has articles starts, polls, reloads and takes an article down; commands
export the site and edit feeds.toml. Whatever fails, the program goes on, or ends with one clear
line; started again without a fault it has all that it acknowledged.

    SWEEP=whole tests/faults/run syscalls
"""

import concurrent.futures
import dataclasses
import os
import random
import re
import shutil
import subprocess
import time

from rig import VISNYK, Daemon, Folder, Look, Publisher, articles_of, environment, missing, not_run, number, verdict

# How many of each kind fail, one after the other, in the whole sweep.
STEPS = 8
FILES = ("pwrite64", "sync_file_range", "fsync", "fdatasync", "mkdir", "rename", "unlink", "openat", "write")
OF_FILES = ("error=ENOSPC", "error=EIO", "error=EINTR", "signal=KILL")
NETWORK = ("socket", "connect", "accept4", "sendto", "writev", "recvfrom")
OF_NETWORK = ("error=ECONNRESET", "error=EMFILE", "error=EINTR", "error=ENETUNREACH", "signal=KILL")
COMMANDS = (("export", "{folder}/site"), ("add", "{url}?again", "--allow-private"), ("remove", "f1"))
EDITS = ("openat", "write", "fsync", "rename", "unlink", "mkdir")
SAMPLE = 28


@dataclasses.dataclass(frozen=True)
class Case:
    """Which call fails, how, and what runs meanwhile: the daemon, or a command."""

    call: str
    how: str
    step: int
    command: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = self.command[0] if self.command else "run"
        return f"{what}: {self.call} {self.how} {self.step}"


def cases() -> list[Case]:
    """The whole sweep."""
    steps = range(1, STEPS + 1)
    of_files = [Case(call, how, step) for call in FILES for how in OF_FILES for step in steps]
    of_network = [Case(call, how, step) for call in NETWORK for how in OF_NETWORK for step in steps]
    of_commands = [
        Case(call, how, step, command)
        for command in COMMANDS
        for call in EDITS
        for how in OF_FILES
        for step in range(1, 3 if command[0] == "export" else STEPS // 2 + 1)
    ]
    return of_files + of_network + of_commands


def tracer(case: Case, folder: Folder) -> tuple[str, ...]:
    """What makes the call fail."""
    inject = f"inject={case.call}:{case.how}:when={case.step}"
    only: list[str] = []
    if case.call in ("write", "openat"):
        # Not what wakes threads, writes the log or loads libraries.
        names = ("state", "state/conf", "state/db", "state/in-use", "state/blobs", "feeds.toml", "site", "site/all.atom")
        only = [word for name in names for word in ("-P", str(folder.path / name))]
    return ("strace", "-f", "-qq", "-o", "/dev/null", *only, "-e", f"trace={case.call}", "-e", inject)


def of_daemon(case: Case, folder: Folder, publisher: Publisher) -> tuple[str, list[str]]:
    """How the daemon fared, and what is wrong with that."""
    daemon = Daemon(folder, prefix=tracer(case, folder))
    fate = "does not start"
    if daemon.wait_until_listening(30):
        daemon.ask("poll", 20)
        status, content = daemon.get("/all.atom", 20)
        if status == 200:
            publisher.see(articles_of(content))
        folder.write("[publishing]\nentries = 41\n")
        daemon.ask("reload", 20)
        daemon.ask(f"takedown {publisher.link('f0', 0)} fault", 20)
        daemon.ask("poll", 20)
        fate = "goes on" if daemon.process.poll() is None else "ends"
    elif daemon.process.poll() is None:
        daemon.kill()
        return "hangs", ["it neither listens nor ends"]
    status = daemon.stop()
    return fate, told_clearly(case, status, daemon.log(), daemon.lines("ERROR"), fate)


def told_clearly(case: Case, status: int, log: str, errors: list[str], fate: str) -> list[str]:
    """What is wrong with how it ended."""
    if "KILL" in case.how and status in (-9, 137):
        return []
    if status in (-9, 137):
        return [f"it did not end when it was asked to: {log[-600:]}"]
    if "src/runtime/signal/mod.rs" in log:
        # The runtime's pipe of signals, which the same call reads and no network breaks.
        return []
    ours = [line for line in re.findall(r"panicked at ([^\n]*)", log) if "/sled-" not in line]
    if ours:
        return [f"it panicked at {ours[0]}"]
    last = [line for line in errors if line.startswith(("visnyk: ", "error: "))]
    if status and len(last) != 1 and "error while loading" not in log:
        return [f"{fate} with {status}, and not with one clear line: {errors[-3:]}"]
    return []


def of_command(case: Case, folder: Folder, publisher: Publisher) -> tuple[str, list[str]]:
    """How a command fared, and what is wrong with that."""
    before = folder.config.read_text()
    fill = {"folder": folder.path, "url": publisher.url(publisher.feeds["f2"])}
    words = [word.format(**fill) for word in case.command]
    command = [*tracer(case, folder), VISNYK, *words, "--config", folder.config, "--state", folder.state]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment(), input="", start_new_session=True
        )
    except subprocess.TimeoutExpired:
        return "hangs", ["it does not end within a minute"]
    after = folder.config.read_text() if folder.config.exists() else ""
    problems = []
    if "KILL" not in case.how and "panicked at" in done.stderr:
        problems.append(f"it panicked: {done.stderr[-300:]}")
    if done.returncode not in (0, 1, 2, 74, 78, -9, 137):
        problems.append(f"it ended with {done.returncode}: {done.stderr[-300:]}")
    # An edit is there as a whole, or not at all.
    edited = {"add": before.count("[[feed]]") + 1, "remove": before.count("[[feed]]") - 1}
    if after.count("[[feed]]") not in (before.count("[[feed]]"), edited.get(case.command[0])):
        problems.append(f"feeds.toml is torn: {after[-200:]!r}")
    return ("goes on" if done.returncode == 0 else "ends"), problems


def run(case: Case, seed: int) -> tuple[str, list[str]]:
    """A fault, and the start after it."""
    publisher = Publisher(3, hosts=1, window=8, seed=seed)
    folder = Folder(publisher)
    problems: list[str] = []
    try:
        first = Daemon(folder)
        if not first.wait_until_listening():
            return "not begun", [f"{case}: it does not start without a fault: {first.log()[-300:]}"]
        first.ask("poll")
        first.ask("poll")
        first.stop()
        fate, problems = (of_command if case.command else of_daemon)(case, folder, publisher)
        if case.command:
            folder.write()
        after = Daemon(folder)
        if not after.wait_until_listening():
            after.kill()
            problems.append(f"it does not start after it: {str(after.lines('ERROR')[-2:])[:600]}")
            return fate, [f"{case}: {problem}" for problem in problems]
        look = Look()
        found = look.read(after)
        problems += look.problems + missing(publisher, found, {("f0", 0)})
        answer = after.ask("poll")
        problems += [] if answer and "told" in answer else [f"no poll after it: {answer}"]
        problems += [f"it ends with {status}" for status in [after.stop()] if status]
        return fate, [f"{case}: {problem}" for problem in problems]
    finally:
        if problems:
            print(f"syscalls: the store of {case} is left at {folder.path}", flush=True)
        else:
            folder.remove()


def main() -> None:
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode:
        not_run("syscalls", "strace cannot trace here")
    seed = number("SEED", time.time_ns() % 1_000_000)
    swept = cases()
    if os.environ.get("SWEEP") != "whole":
        swept = random.Random(seed).sample(swept, number("SAMPLE", SAMPLE))
    problems: list[str] = []
    fates: dict[str, int] = {}
    with concurrent.futures.ThreadPoolExecutor(3) as several:
        for fate, wrong in several.map(run, swept, range(seed, seed + len(swept))):
            fates[fate] = fates.get(fate, 0) + 1
            problems += wrong
            for one in wrong:
                print(f"syscalls: {one}", flush=True)
    told = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items()))
    verdict("syscalls", problems, f"{len(swept)} faults: {told}; nothing lost after any, seed {seed}")


if __name__ == "__main__":
    main()
