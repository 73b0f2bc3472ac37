"""No network for a day, and then all feeds are due at once: 2,000 of them on 50 hosts of loopback.

All are polled, no host is asked by more at once or sooner than `per_host` and `host_pause` say,
and memory stays bounded.
"""

import pathlib
import threading
import time

from rig import WATCH, Daemon, Folder, Publisher, number, verdict

PER_HOST = 2
PAUSE_MS = 1000
MEMORY_MIB_MAX = 400


def memory_mib(daemon: Daemon) -> int:
    """The most memory that it has had."""
    status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) >> 10


def main() -> None:
    feeds, hosts = number("FEEDS", 2000), number("HOSTS", 50)
    publisher = Publisher(feeds, hosts=hosts, window=3, growth=0.0)
    polling = f'[polling]\nhost_pause = "{PAUSE_MS // 1000}s"\nper_host = {PER_HOST}\nconcurrency = 64\n'
    folder = Folder(publisher, polling)
    publisher.answers_after = 0.02
    # The day without: every connection is closed without an answer.
    publisher.is_down = True
    daemon = Daemon(folder)
    problems: list[str] = []
    if not daemon.wait_until_listening():
        raise SystemExit(f"network: FAILED: it does not start: {daemon.log()[-1500:]}")
    time.sleep(5)
    daemon.stop()
    failures = sum("could not poll" in line for line in daemon.lines("WARN"))
    publisher.is_down = False
    began = time.monotonic()
    daemon = Daemon(folder)
    if not daemon.wait_until_listening():
        raise SystemExit(f"network: FAILED: it does not start again: {daemon.log()[-1500:]}")
    # As the admin who sees that the network is back: all at once.
    asking = threading.Thread(target=daemon.ask, args=("poll", 600), daemon=True)
    asking.start()
    while time.monotonic() - began < 600 and len(publisher.served) < feeds and daemon.process.poll() is None:
        time.sleep(0.2)
        # Two thousand feeds take longer than a script may be silent.
        WATCH.goes_on()
    asking.join(timeout=120)
    problems += ["the poll of all feeds is not answered, and all were polled"] if asking.is_alive() else []
    took = time.monotonic() - began
    memory = memory_mib(daemon)
    if len(publisher.served) < feeds:
        problems.append(f"{len(publisher.served)} of {feeds} feeds were polled in {took:.0f} s")
    rude = {host: most for host, most in publisher.most_at_once.items() if most > PER_HOST}
    if rude:
        problems.append(f"more than {PER_HOST} requests at once: {rude}")
    for host, times in publisher.times.items():
        gaps = sorted(later - earlier for earlier, later in zip(times, times[1:]))
        # The pause is kept where requests are sent; they may come in less evenly.
        if len(times) > 10 and times[-1] - times[0] < (len(times) - 1) * PAUSE_MS / 1000 * 0.9:
            problems.append(f"{host} was asked {len(times)} times in {times[-1] - times[0]:.2f} s, gaps {gaps[:3]}")
    if memory > MEMORY_MIB_MAX:
        problems.append(f"it took {memory} MiB")
    status = daemon.stop()
    problems += [f"it ended with {status}"] if status else []
    folder.remove()
    verdict(
        "network",
        problems,
        f"{failures} polls failed without a network; then {feeds} feeds on {hosts} hosts in {took:.0f} s, at most "
        f"{max(publisher.most_at_once.values())} at once at a host, {memory} MiB at most",
    )


if __name__ == "__main__":
    main()
