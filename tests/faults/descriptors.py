"""No more files may be opened: `ulimit -n` is lowered under a running daemon, and raised again."""

import contextlib
import pathlib
import socket
import subprocess
import time

from rig import Daemon, Folder, Look, Publisher, missing, verdict

CONNECTIONS = 60


def limit(daemon: Daemon, files: int) -> None:
    """How many files it may have open."""
    subprocess.run(["prlimit", f"--nofile={files}:", "--pid", str(daemon.pid)], check=True)


def processor_seconds(daemon: Daemon) -> float:
    """How long it has computed."""
    fields = pathlib.Path(f"/proc/{daemon.pid}/stat").read_text().rsplit(")")[-1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    publisher = Publisher(20)
    folder = Folder(publisher)
    daemon = Daemon(folder)
    problems: list[str] = []
    if not daemon.wait_until_listening():
        raise SystemExit(f"descriptors: FAILED: it does not start: {daemon.log()[-1000:]}")
    daemon.ask("poll")
    used = sum(1 for _ in pathlib.Path(f"/proc/{daemon.pid}/fd").iterdir())
    limit(daemon, used + 8)
    lines, busy = len(daemon.log().splitlines()), processor_seconds(daemon)
    with contextlib.ExitStack() as held:
        for _ in range(CONNECTIONS):
            connection = held.enter_context(socket.socket())
            connection.settimeout(5)
            with contextlib.suppress(OSError):
                connection.connect(daemon.address)
        # Polls need files, too: the schedule's would go the same way.
        began = time.monotonic()
        daemon.ask("poll", 10)
        time.sleep(10 - min(10, time.monotonic() - began))
        if daemon.process.poll() is not None:
            problems.append(f"it ended with {daemon.process.returncode}: {daemon.log()[-500:]}")
    said = daemon.log().splitlines()[lines:]
    told = [line for line in said if "Too many open files" in line or "os error 24" in line]
    of_accepts = [line for line in told if "connection" in line]
    if not told:
        problems.append("it says nothing of files")
    # One for each feed that is polled, and few for the listeners.
    if len(of_accepts) > 2 or len(told) > 100:
        problems.append(f"it floods its log: {len(told)} lines, such as {told[-1][:200]}")
    busy = processor_seconds(daemon) - busy
    if busy > 8:
        problems.append(f"it spins: {busy:.1f} s of a processor in 10 s")
    limit(daemon, 1024)
    began = time.monotonic()
    answer = None
    while time.monotonic() - began < 60 and not (answer and "told" in answer and daemon.get("/all.atom", 5)[0] == 200):
        answer = daemon.ask("poll")
        time.sleep(0.5)
    took = time.monotonic() - began
    look = Look()
    problems += missing(publisher, look.read(daemon)) + look.problems
    status = daemon.stop()
    problems += [f"it ended with {status}"] if status else []
    folder.remove()
    verdict(
        "descriptors",
        problems,
        f"{used} files, {used + 8} allowed, {CONNECTIONS} connections and a poll of 20 feeds: {len(told)} lines say so, "
        f"{busy:.1f} s of a processor in 10 s; went on {took:.1f} s after the limit was raised",
    )


if __name__ == "__main__":
    main()
