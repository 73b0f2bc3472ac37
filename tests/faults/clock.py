"""The clock jumps by hours and years, both ways, and over a change to summer time, under polls.

libfaketime stands for the clock: the program reads it through the C library.
"""

import pathlib
import subprocess
import sys
import time

from rig import Daemon, Folder, Look, Publisher, environment, missing, not_run, verdict

LIBRARIES = ("faketime/libfaketimeMT.so.1", "faketime/libfaketime.so.1")
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
JUMPS = (HOUR, -HOUR, 12 * HOUR, -2 * DAY, YEAR, -YEAR, 20 * YEAR, -20 * YEAR, 0)


def library() -> pathlib.Path | None:
    """Where libfaketime is, if it is there."""
    found = [path for name in LIBRARIES for path in pathlib.Path("/usr/lib").glob(f"*/{name}")]
    return found[0] if found else None


def main() -> None:
    fake = library()
    if fake is None:
        not_run("clock", "libfaketime is not there (package faketime)")
    publisher = Publisher(6, schedule="every 1m")
    folder = Folder(publisher)
    control = folder.path / "clock"
    control.write_text("+0")
    env = environment(
        LD_PRELOAD=str(fake),
        FAKETIME_TIMESTAMP_FILE=str(control),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        DONT_FAKE_MONOTONIC="1",
    )
    daemon = Daemon(folder, env=env)
    problems: list[str] = []
    if not daemon.wait_until_listening():
        not_run("clock", f"the program does not start with libfaketime: {daemon.log()[-300:]}")
    look = Look()
    jumped = 0
    # Just before an hour that comes twice in Kyiv, and one that is left out.
    autumn = 1_793_494_790 - time.time()
    spring = 1_774_745_990 - time.time()
    for jump in (*JUMPS, autumn, spring, 0):
        control.write_text(f"{jump:+.0f}")
        time.sleep(0.3)
        told = daemon.ask("status")
        if told is None:
            problems.append(f"after a jump of {jump:+.0f} s it does not answer: {daemon.log()[-300:]}")
            break
        year = int(told["at"][:4])
        jumped += year == time.gmtime(time.time() + jump).tm_year
        answer = daemon.ask("poll")
        if not (answer and "told" in answer):
            problems.append(f"after a jump of {jump:+.0f} s there is no poll: {answer}")
        problems += [f"after a jump of {jump:+.0f} s: {one}" for one in missing(publisher, look.read(daemon))]
    problems += look.problems
    if jumped < len(JUMPS):
        not_run("clock", f"the control file moved the program's clock in {jumped} cases only: left to the simulation")
    # By the schedule, and not because it was asked for: no feed waits for a year that was. Each is
    # due within a minute and a quarter, which need not be waited for.
    before = publisher.requests
    control.write_text("+90")
    end = time.monotonic() + 150
    while time.monotonic() < end and publisher.requests < before + len(publisher.feeds):
        time.sleep(0.5)
    waited = 150 - (end - time.monotonic())
    if publisher.requests < before + len(publisher.feeds):
        planned = [feed["next_poll"] for feed in (daemon.ask("status") or {}).get("feeds", [])]
        problems.append(f"feeds wait for a time that never comes: {planned}")
    status = daemon.stop()
    problems += [f"it ended with {status}"] if status else []
    after = Daemon(folder)
    if after.wait_until_listening():
        problems += missing(publisher, look.read(after)) + look.problems
    else:
        problems.append("it does not start after the jumps")
    after.stop()
    folder.remove()
    verdict(
        "clock",
        problems,
        f"{len(JUMPS) + 3} jumps up to 20 years both ways and over both changes of summer time, "
        f"{publisher.requests} polls; when a minute and a half had gone at the true time the schedule had polled all, {waited:.0f} s later",
    )


if __name__ == "__main__":
    main()
