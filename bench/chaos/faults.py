"""Faults: kill and pause processes, fill the disk, cut connections, move the clock."""

import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from bench.chaos.stack import POOLED, Stack
from bench.waiting import wait_until

DISK_BYTES = 3 << 30
# Share of faults whose recovery is awaited; after the others the next fault strikes during
# recovery.
AWAITED_SHARE = 0.6
# How long to wait for a target process to appear.
APPEAR_SECONDS = 60.0
TARGETS = (
    "supervisor with gateway",
    "PostgreSQL",
    "PostgreSQL, a process of it",
    "Redis",
    "worker for plans",
    f"worker for plans{POOLED}",
    "worker for jobs",
    f"worker for jobs{POOLED}",
    "worker for knowledge",
    f"worker for knowledge{POOLED}",
    "beat",
    "executor",
    "recorder",
    "home_assistant",
    "backup",
    "receiver of the write-ahead log",
    "worker for files",
    f"worker for files{POOLED}",
)
PORTS = {"PostgreSQL": "postgres", "Redis": "redis"}
COMPILER = "cc"


@dataclass(frozen=True, slots=True)
class Moment:
    """One fault: kind, target, duration ``seconds``, ``pause`` in seconds after the previous one,
    and whether recovery is ``awaited``.

    ``hours``: by which the clock jumps.
    """

    fault: str
    target: str
    seconds: float
    pause: float
    awaited: bool = True
    hours: float = 0.0


def draw_moments(seed: int, kills: int) -> list[Moment]:
    """Draw the faults of a run: ``kills``.

    A pause per 8 kills, a partition per 10, a full disk per 25, no fault per 20, each at least
    once.
    """
    chance = np.random.default_rng(seed)
    kinds = [("kill", TARGETS[number % len(TARGETS)]) for number in range(kills)]
    kinds += [
        ("pause", TARGETS[place])
        for place in chance.integers(len(TARGETS), size=max(1, kills // 8))
    ]
    kinds += [
        ("partition", ("PostgreSQL", "Redis")[number % 2]) for number in range(max(1, kills // 10))
    ]
    kinds += [("full disk", "data folder")] * max(1, kills // 25) + [("none", "")] * max(
        1, kills // 20
    )
    ordered = [kinds[place] for place in chance.permutation(len(kinds))]
    return [
        Moment(
            fault,
            target,
            chance.uniform(2, 10),
            chance.uniform(0, 4),
            awaited=bool(chance.random() < AWAITED_SHARE),
        )
        for fault, target in ordered
    ]


def draw_jumps(seed: int, jumps: int) -> list[Moment]:
    """Draw jumps of the clock by hours, forward and back in turn, each undone after ``seconds``."""
    chance = np.random.default_rng((seed, jumps))
    hours = [chance.uniform(1, 6) * (1, -1)[number % 2] for number in range(jumps)]
    return [
        Moment(
            "clock",
            "forward" if each > 0 else "back",
            chance.uniform(15, 25),
            chance.uniform(0, 3),
            hours=each,
        )
        for each in hours
    ]


class FalseClock:
    """Shifts the wall clock of processes started with ``environment``; the monotonic clock stays.

    Not libfaketime: in its 0.9.10 ``clock_nanosleep``, which Python 3.11 sleeps by, fails with
    EINVAL.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        library = folder / "clock.so"
        _run(
            COMPILER,
            "-shared",
            "-fPIC",
            "-O2",
            "-o",
            str(library),
            str(Path(__file__).with_name("clock.c")),
        )
        self.set(0.0)
        self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._file)}

    def set(self, hours: float) -> None:
        """Shift the clock by ``hours`` from now on.

        The file is written in place, since processes map it.
        """
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", round(hours * 3600)))

    @contextmanager
    def moved(self, hours: float) -> Iterator[None]:
        """Shift the clock while a block runs."""
        self.set(hours)
        try:
            yield
        finally:
            self.set(0.0)


class Saboteur:
    """Injects faults. ``clock`` is the stack's shifted clock, None where it uses the machine's."""

    def __init__(
        self, stack: Stack, chance: np.random.Generator, clock: FalseClock | None = None
    ) -> None:
        self._stack = stack
        self._chance = chance
        self._clock = clock

    def strike(self, moment: Moment) -> str:
        """Inject a fault and return when it is over.

        The text names the reason if nothing could be hit, else it is empty.
        """
        match moment.fault:
            case "kill" | "pause":
                found = self._find(moment.target)
                if not found:
                    return "not there"
                if moment.fault == "pause":
                    with _paused(found):
                        time.sleep(moment.seconds)
                else:
                    with suppress(psutil.NoSuchProcess):
                        found[self._chance.integers(len(found))].kill()
            case "partition":
                with _cut_off(self._stack.ports[PORTS[moment.target]]):
                    time.sleep(moment.seconds)
            case "full disk":
                with _filled(self._stack.folder.parent / "filler"):
                    time.sleep(moment.seconds)
            case "clock":
                if self._clock is None:
                    return "no clock"
                with self._clock.moved(moment.hours):
                    time.sleep(moment.seconds)
        return ""

    def _find(self, kind: str) -> list[psutil.Process]:
        found: list[psutil.Process] = []

        def is_there() -> bool:
            self._stack.watch()
            found.extend(
                process for process, each in self._stack.processes().items() if each == kind
            )
            return bool(found)

        with suppress(TimeoutError):
            wait_until(is_there, seconds=APPEAR_SECONDS, what=kind)
        return found


@contextmanager
def _paused(processes: Sequence[psutil.Process]) -> Iterator[None]:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@contextmanager
def _cut_off(port: int) -> Iterator[None]:
    rules = [
        ["INPUT", "-i", "lo", "-p", "tcp", side, str(port), "-j", "DROP"]
        for side in ("--dport", "--sport")
    ]
    for rule in rules:
        _run("iptables", "-I", *rule)
    try:
        yield
    finally:
        for rule in rules:
            _run("iptables", "-D", *rule)


@contextmanager
def _filled(filler: Path) -> Iterator[None]:
    # Unbuffered, so that the last write fills the disk partially, to the last byte.
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a separate file system of ``DISK_BYTES`` while the block runs.

    It ends with this process's mount namespace at the latest.
    """
    image = folder / "disk"
    mounted = folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    _run("mount", "-o", "loop", str(image), str(mounted))
    mounted.chmod(0o755)
    try:
        yield mounted
    finally:
        _run("umount", "-l", str(mounted))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
