"""What every check of this folder shares: the daemon on loopback, requests to it, and documents."""

import contextlib
import dataclasses
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


@dataclasses.dataclass(frozen=True)
class Document:
    """What a reader gets: where from, as what, and the bytes."""

    address: str
    content_type: str
    body: bytes


@contextlib.contextmanager
def running(visnyk: pathlib.Path, config: pathlib.Path, state: pathlib.Path, log: pathlib.Path) -> Iterator[str]:
    """The daemon, until the block ends; its address. It has to end well."""
    with log.open("w") as output:
        command = [visnyk, "run", "--config", config, "--state", state, "--log", "json"]
        daemon = subprocess.Popen(command, stderr=output)
        try:
            yield listening_at(log, daemon)
        finally:
            daemon.terminate()
            status = daemon.wait(timeout=STOP_SECONDS_MAX)
    if status != 0:
        raise SystemExit(f"the daemon ended with {status}:\n{log.read_text()}")


def listening_at(log: pathlib.Path, daemon: subprocess.Popen) -> str:
    for _ in range(START_SECONDS_MAX * 10):
        found = re.search(r"listening at ([0-9.]+:\d+)", log.read_text())
        if found:
            return f"http://{found[1]}"
        if daemon.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"the daemon does not listen:\n{log.read_text()}")


def free_port() -> int:
    """Where a daemon can listen at an address that is known before it starts."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def get(address: str, **headers: str) -> tuple[int, dict, bytes]:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def wait_for(address: str, text: str, log: pathlib.Path) -> None:
    for _ in range(START_SECONDS_MAX * 5):
        if text in get(address)[2].decode():
            return
        time.sleep(0.2)
    raise SystemExit(f"{address} does not show {text!r}:\n{log.read_text()}")


def poll(visnyk: pathlib.Path, config: pathlib.Path, state: pathlib.Path) -> str:
    """Polls all feeds once, with no daemon running; the table of outcomes."""
    command = [visnyk, "poll", "--config", config, "--state", state]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def example_config(folder: pathlib.Path) -> pathlib.Path:
    """The top level's feeds.toml, on a free port, with its sample files beside it.

    Its real feeds are switched off: a check asks nothing of anybody's server.
    """
    text = (ROOT / "feeds.toml").read_text()
    text = re.sub(r"(?m)^enabled = .*\n", "", text)
    text = re.sub(r'(?m)^(url = "https?:.*)$', r"\1\nenabled = false", text)
    text, lines = re.subn(r"(?m)^#?\s*listen = .*$", 'listen = "127.0.0.1:0"', text, count=1)
    assert lines == 1, "feeds.toml has no line for `listen`"
    config = folder / "feeds.toml"
    config.write_text(text)
    (folder / "tests").symlink_to(ROOT / "tests")
    return config
