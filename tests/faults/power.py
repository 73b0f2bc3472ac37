"""Power cuts: what may be on the disk is made from every write of a traced daemon, and opened.

All calls that change the store's files are recorded. At a cut, what was written before an fsync or
fdatasync of its file (or of its directory, for a name) is there; of what came later there is any
part, torn at sectors and pages. `sync_file_range` counts for nothing, and the page cache outlives
a killed daemon. Every such disk has to open, with all that was acknowledged before the cut.

    IMAGES=1000 tests/faults/run power
"""

import bisect
import concurrent.futures
import dataclasses
import pathlib
import random
import re
import shutil
import subprocess
import threading
import time

from rig import Daemon, Folder, Look, Publisher, articles_of, number, not_run, verdict, verify

CALLS = (
    "openat,write,pwrite64,writev,pwritev,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,"
    "fsync,fdatasync"
)
TRACER = ("strace", "-f", "-qq", "-y", "-xx", "-ttt", "-s", "4194304", "-e", f"trace={CALLS}", "-e", "signal=none")
SECTOR, PAGE = 512, 4096
STRING = r'"((?:\\x[0-9a-f]{2})*)"'
# A part of a call that is not known to be on the disk: all, none, or pieces of it.
TEARS = ("none", "all", "prefix", "some", "pages", "sectors")

# A large document is a file of its own, which may be gone though the poll that brought it, and was
# not acknowledged, is there: that is found, and costs only that it cannot be gone over again.
LEFT_BEHIND = re.compile(r"document of feed \S+ is not what came: [^\n]*\n[^\n]*: 1 fault;")


@dataclasses.dataclass
class Act:
    """A change of a file or of a directory, between two moments of the trace."""

    kind: str
    began: float
    ended: float
    path: str
    offset: int = 0
    data: bytes = b""
    to: str = ""
    inode: int = 0
    # When a sync ended that began after it.
    durable: float = float("inf")


def text(escaped: str) -> str:
    """What strace has written in hexadecimal digits."""
    return bytes.fromhex(escaped.replace("\\x", "")).decode(errors="replace")


class Trace:
    """All acts on the files below a directory."""

    def __init__(self, root: pathlib.Path):
        self.root = str(root)
        self.acts: list[Act] = []
        self.inodes: dict[str, int] = {}
        self.positions: dict[int, int] = {}
        self.count = 0

    def add(self, path: pathlib.Path) -> None:
        """Reads what strace has written of one life of the daemon."""
        pending: dict[str, tuple[float, str]] = {}
        with path.open(errors="replace") as lines:
            for line in lines:
                found = re.match(r"(\d+) +(\d+\.\d+) (.*)", line)
                if not found:
                    continue
                thread, at, call = found[1], float(found[2]), found[3]
                if call.endswith("<unfinished ...>"):
                    pending[thread] = (at, call.removesuffix("<unfinished ...>").rstrip())
                elif call.startswith("<... "):
                    began, start = pending.pop(thread, (at, ""))
                    self._call(began, at, start + call.partition(" resumed>")[2])
                else:
                    self._call(at, at, call)
        # It was killed in the middle of these; a write may be there all the same.
        for began, call in pending.values():
            self._call(began, began, call + ") = ?")

    def _call(self, began: float, ended: float, call: str) -> None:
        name, _, rest = call.partition("(")
        if re.search(r"\) += -1", call[-200:]):
            return
        strings = [text(found) for found in re.findall(STRING, rest[:4096])] if "write" not in name else []
        handle = re.match(r"(\d+|AT_FDCWD)<(.*?)>", rest)
        of_handle = ""
        if handle:
            of_handle = text(handle[2]) if handle[2].startswith("\\x") else handle[2]
            of_handle = of_handle.removesuffix(" (deleted)")
        if name == "openat" and "O_CREAT" in rest:
            self._open(began, ended, strings[0], "O_TRUNC" in rest)
        elif name in ("pwrite64", "write") and of_handle.startswith(self.root):
            self._write(name, began, ended, of_handle, rest)
        elif name in ("fsync", "fdatasync") and of_handle.startswith(self.root) and not call.endswith("?"):
            self._sync(began, ended, of_handle)
        elif name in ("rename", "renameat", "renameat2") and strings[0].startswith(self.root):
            self._name(Act("rename", began, ended, strings[0], to=strings[1]))
        elif name in ("unlink", "unlinkat") and strings[0].startswith(self.root):
            self._name(Act("unlink", began, ended, strings[0]))
        elif name in ("mkdir", "mkdirat") and strings and strings[0].startswith(self.root):
            self.acts.append(Act("mkdir", began, ended, strings[0], durable=ended))
        elif name in ("ftruncate", "fallocate", "writev", "pwritev") and of_handle.startswith(self.root):
            raise SystemExit(f"power: FAILED: {name} of the store's files is not understood here")

    def _open(self, began: float, ended: float, path: str, is_emptied: bool) -> None:
        if not path.startswith(self.root):
            return
        if path not in self.inodes:
            self.count += 1
            self.inodes[path] = self.count
            self.acts.append(Act("create", began, ended, path, inode=self.count))
        elif is_emptied:
            self.acts.append(Act("empty", began, ended, path, inode=self.inodes[path]))
        self.positions[self.inodes[path]] = 0

    def _write(self, name: str, began: float, ended: float, path: str, rest: str) -> None:
        data = re.search(STRING, rest)
        inode = self.inodes.get(path)
        if data is None or inode is None:
            return
        content = bytes.fromhex(data[1].replace("\\x", ""))
        if name == "pwrite64":
            offset = int(re.match(r", \d+, (\d+)", rest[data.end() :])[1])
        else:
            offset = self.positions[inode]
            self.positions[inode] += len(content)
        self.acts.append(Act("write", began, ended, path, offset, content, inode=inode))

    def _name(self, act: Act) -> None:
        inode = self.inodes.pop(act.path, 0)
        if act.to:
            self.inodes[act.to] = inode
        act.inode = inode
        self.acts.append(act)

    def _sync(self, began: float, ended: float, path: str) -> None:
        inode = self.inodes.get(path)
        for act in self.acts:
            is_of_file = act.kind in ("write", "empty") and act.inode == inode and inode is not None
            is_of_folder = act.kind in ("create", "rename", "unlink") and str(pathlib.Path(act.path).parent) == path
            if (is_of_file or is_of_folder) and act.ended <= began and act.durable > ended:
                act.durable = ended

    def image(self, cut: float, chance: random.Random, to: pathlib.Path) -> str:
        """Makes a disk as it may be after a cut; in words, how what was not durable fared."""
        tear, names = chance.choice(TEARS), chance.choice(("none", "all", "prefix", "prefix", "some"))
        begun = sorted((act for act in self.acts if act.began <= cut), key=lambda act: act.began)
        loose_data = [act for act in begun if act.kind in ("write", "empty") and act.durable > cut]
        loose_names = [act for act in begun if act.kind in ("create", "rename", "unlink") and act.durable > cut]
        kept_data = _kept(loose_data, tear, chance)
        kept_names = _kept(loose_names, names, chance)
        contents: dict[int, bytearray] = {}
        present: dict[str, int] = {}
        folders = []
        for act in begun:
            is_durable = act.durable <= cut
            if act.kind == "mkdir":
                folders.append(act.path)
            elif act.kind in ("write", "empty") and (is_durable or id(act) in kept_data):
                content = contents.setdefault(act.inode, bytearray())
                whole = is_durable or tear not in ("pages", "sectors")
                _apply(act, content, 0 if whole else PAGE if tear == "pages" else SECTOR, chance)
            elif act.kind in ("create", "rename", "unlink") and (is_durable or id(act) in kept_names):
                if act.kind != "create":
                    present.pop(act.path, None)
                if act.kind != "unlink":
                    present[act.to or act.path] = act.inode
        for path in [self.root, *folders]:
            (to / pathlib.Path(path).relative_to(self.root)).mkdir(parents=True, exist_ok=True)
        for path, inode in present.items():
            (to / pathlib.Path(path).relative_to(self.root)).write_bytes(contents.get(inode, b""))
        return f"{len(loose_data)} writes not durable: {tear}; {len(loose_names)} names: {names}"


def _kept(loose: list[Act], how: str, chance: random.Random) -> set[int]:
    if how == "none":
        return set()
    if how == "prefix":
        return {id(act) for act in loose[: chance.randint(0, len(loose))]}
    if how == "some":
        return {id(act) for act in loose if chance.random() < 0.5}
    return {id(act) for act in loose}


def _apply(act: Act, content: bytearray, piece: int, chance: random.Random) -> None:
    if act.kind == "empty":
        content.clear()
        return
    end = act.offset + len(act.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if not piece:
        content[act.offset : end] = act.data
        return
    start = act.offset
    while start < end:
        # Torn where the disk has its borders.
        stop = min(end, (start // piece + 1) * piece)
        if chance.random() < 0.5:
            content[start:stop] = act.data[start - act.offset : stop - act.offset]
        start = stop


class Ledger:
    """What was acknowledged when."""

    def __init__(self, publisher: Publisher):
        self.publisher = publisher
        self.entries: list[tuple[float, tuple[str, int], int]] = []
        self.known: dict[tuple[str, int], int] = {}
        self.lock = threading.Lock()
        self.left_behind: list[pathlib.Path] = []

    def note(self, at: float) -> None:
        """Notes what is owed and was not, as acknowledged at this moment."""
        with self.lock:
            for key, revision in self.publisher.owed().items():
                if self.known.get(key, -1) < revision:
                    self.known[key] = revision
                    self.entries.append((at, key, revision))

    def owed(self, cut: float) -> dict[tuple[str, int], int]:
        """What is owed after a cut."""
        return {key: revision for at, key, revision in self.entries if at < cut}


def record(folder: Folder, publisher: Publisher, ledger: Ledger, look: Look, lives: int) -> Trace:
    """Some lives of a daemon under load, each but the last ended by SIGKILL."""
    trace = Trace(folder.state)
    for life in range(lives):
        output = folder.path / f"trace-{life}"
        daemon = Daemon(folder, prefix=(*TRACER, "-o", str(output)))
        if not daemon.wait_until_listening():
            raise SystemExit(f"power: FAILED: it does not start: {daemon.log()[-1000:]}")
        for _ in range(6):
            daemon.ask("poll")
            ledger.note(time.time())
            status, content = daemon.get("/all.atom")
            if status == 200:
                publisher.see(articles_of(content))
                ledger.note(time.time())
        look.read(daemon)
        if life % 2:
            daemon.stop()
        else:
            daemon.kill()
        trace.add(output)
        output.unlink()
    return trace


def check(folder: Folder, ledger: Ledger, ids: dict, image: pathlib.Path, cut: float) -> list[str]:
    """What is wrong with a disk after a cut."""
    own = Folder(folder.publisher)
    daemon = Daemon(own, state=image)
    try:
        if not daemon.wait_until_listening():
            return [f"it does not open: {daemon.lines('ERROR', 'WARN')[-1:]}"]
        look = Look()
        look.ids = dict(ids)
        found = look.read(daemon)
        lost = [
            f"lost: {key}"
            for key, revision in ledger.owed(cut).items()
            if found.get(key, -1) < revision
        ]
        errors = daemon.lines("ERROR")
        daemon.stop()
        # Every value is read, and every index counted anew.
        wrong = verify(own, image)
        if wrong and LEFT_BEHIND.search(wrong[0]):
            ledger.left_behind.append(image)
            wrong = []
        return look.problems + lost + errors + wrong
    finally:
        daemon.kill()
        own.remove()


def main() -> None:
    if not shutil.which("strace") or subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode:
        not_run("power", "strace cannot trace here")
    images, seed = number("IMAGES", 40), number("SEED", time.time_ns() % 1_000_000)
    chance = random.Random(seed)
    publisher = Publisher(10, seed=seed, bulk=900_000)
    folder, ledger, look = Folder(publisher), Ledger(publisher), Look()
    trace = record(folder, publisher, ledger, look, 4)
    publisher.is_down = True
    moments = sorted({act.began for act in trace.acts} | {act.ended for act in trace.acts})
    # Just before and after each change, and more often around the rare ones.
    rare = [act for act in trace.acts if act.kind != "write" or "/db" not in act.path]
    problems: list[str] = []
    fares: dict[str, int] = {}

    def one(n: int) -> list[str]:
        own = random.Random(f"{seed}-{n}")
        act = own.choice(rare if own.random() < 0.4 else trace.acts)
        cut = own.choice((act.began, act.ended, act.ended + 1e-6))
        place = bisect.bisect(moments, cut)
        image = folder.path / f"image-{n}"
        fare = trace.image(cut, own, image)
        fares[fare.split(": ")[1].split(";")[0]] = fares.get(fare.split(": ")[1].split(";")[0], 0) + 1
        told = [f"image {n}, cut {place} of {len(moments)}, {fare}: {one}" for one in check(folder, ledger, look.ids, image, cut)]
        if not told:
            shutil.rmtree(image)
        return told

    with concurrent.futures.ThreadPoolExecutor(2) as several:
        for told in several.map(one, range(images)):
            problems += told
    large = sum("/blobs/" in act.path for act in trace.acts if act.kind == "create")
    if problems:
        print(f"power: the images are left in {folder.path}")
    else:
        folder.remove()
    verdict(
        "power",
        problems,
        f"{images} disks after a cut ({', '.join(f'{count} {fare}' for fare, count in sorted(fares.items()))}), made of "
        f"{len(trace.acts)} changes in 4 lives ({large} files of large values); {len(ledger.known)} acknowledged "
        f"articles, {sum('lost' in one for one in problems)} lost, "
        f"{len(ledger.left_behind)} large documents left behind, seed {seed}",
    )


if __name__ == "__main__":
    main()
