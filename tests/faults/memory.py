"""Too little memory: an address space that is limited under way, and a control group that kills.

The first is enforced everywhere; the second is proved by a program that takes too much before it
is believed, and said to be not enforced where it is not.
"""

import os
import pathlib
import subprocess
import sys
import time

from rig import Daemon, Folder, Look, Publisher, missing, verdict

GROUPS = (pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup"))
GROUP_MIB = 48


def limited_group() -> pathlib.Path | None:
    """A control group that is seen to enforce its limit; none if there is none here."""
    for root in GROUPS:
        group = root / f"visnyk-faults-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        for name in ("memory.limit_in_bytes", "memory.max"):
            if (group / name).exists():
                (group / name).write_text(str(GROUP_MIB << 20))
                greedy = [sys.executable, "-c", f"b = bytearray({GROUP_MIB * 4} << 20); b[::4096] = b'x' * len(b[::4096])"]
                done = subprocess.run(greedy, preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
                if done.returncode == -9:
                    return group
        group.rmdir()
    return None


def used_kib(daemon: Daemon, what: str) -> int:
    """What /proc says of its memory."""
    status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1])


def started(folder: Folder) -> Daemon:
    """A daemon that listens."""
    daemon = Daemon(folder)
    if not daemon.wait_until_listening():
        raise SystemExit(f"memory: FAILED: it does not start: {daemon.log()[-1000:]}")
    return daemon


def main() -> None:
    publisher = Publisher(20, bulk=4_000_000)
    folder = Folder(publisher)
    problems: list[str] = []
    look = Look()
    fates = []
    for spare_mib in (64, 16, 4, 0):
        daemon = started(folder)
        daemon.ask("poll")
        limit = used_kib(daemon, "VmSize") * 1024 + (spare_mib << 20)
        subprocess.run(["prlimit", f"--as={limit}:", "--pid", str(daemon.pid)], check=True)
        for _ in range(3):
            daemon.ask("poll", 20)
            daemon.get("/all.atom", 20)
        status = daemon.process.poll()
        fates.append(f"{spare_mib} MiB to spare: " + ("went on" if status is None else f"ended with {status}"))
        if status is None:
            subprocess.run(["prlimit", "--as=unlimited:", "--pid", str(daemon.pid)], check=True)
            answer = daemon.ask("poll")
            problems += [] if answer and "told" in answer else [f"no poll after the limit was lifted: {answer}"]
            daemon.stop()
        else:
            daemon.kill()
            last = daemon.log().splitlines()[-1:]
            if not any("memory allocation" in line or "visnyk: " in line or "thread" in line for line in daemon.log().splitlines()[-12:]):
                problems.append(f"it ended with {status} and did not say why: {last}")
        after = started(folder)
        problems += missing(publisher, look.read(after)) + look.problems
        after.stop()
    group = limited_group()
    if group is None:
        killed = "limits of control groups are NOT ENFORCED here"
    else:
        kills = 0
        for _ in range(3):
            daemon = started(folder)
            (group / "cgroup.procs").write_text(str(daemon.pid))
            # What it had stays where it was: the rest of it has to fit.
            end = time.monotonic() + 20
            while daemon.process.poll() is None and time.monotonic() < end:
                daemon.ask("poll", 5)
                daemon.get("/all.atom", 5)
            kills += daemon.process.poll() == -9
            daemon.kill()
            after = started(folder)
            problems += missing(publisher, look.read(after)) + look.problems
            after.stop()
        group.rmdir()
        killed = f"{kills} of 3 killed in a control group of {GROUP_MIB} MiB"
    folder.remove()
    verdict("memory", problems, f"{', '.join(fates)}; {killed}; {len(publisher.owed())} acknowledged articles")


if __name__ == "__main__":
    main()
