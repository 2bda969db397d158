"""Resource use of a process tree by kind of process: CPU, memory, open files, threads.

Source: Linux, proc(5).
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
SERVERS = {"postgres": "database", "redis-server": "redis", "valkey-server": "redis"}


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds so far: by kind (ended children included), by process, and of the whole machine.

    ``at`` by the performance counter.
    """

    at: float
    by_kind: Mapping[str, float]
    by_process: Mapping[int, tuple[str, float]]
    machine: float

    def spent_since(self, before: "Cpu") -> dict[str, float]:
        """Return the CPU seconds by kind since ``before``."""
        return {kind: total - before.by_kind.get(kind, 0.0) for kind, total in self.by_kind.items()}

    def cores_since(self, before: "Cpu") -> tuple[dict[str, float], dict[str, float], float]:
        """Return the mean cores used since ``before``: by kind, by the busiest process of each
        kind, and by the whole machine.
        """
        seconds = self.at - before.at
        kinds = {kind: spent / seconds for kind, spent in self.spent_since(before).items()}
        busiest: dict[str, float] = {}
        for pid, (kind, spent) in self.by_process.items():
            used = (spent - before.by_process.get(pid, (kind, 0.0))[1]) / seconds
            busiest[kind] = max(busiest.get(kind, 0.0), used)
        return kinds, busiest, (self.machine - before.machine) / seconds


@dataclass(frozen=True, slots=True)
class Held:
    """Resources of the processes of one kind: anonymous memory (``own_mb``) and proportional set
    size (``share_mb``), both with swap; files, threads.
    """

    processes: int
    own_mb: float
    share_mb: float
    files: int
    sockets: int
    threads: int


@dataclass(frozen=True)
class ProcessTree:
    """A process and its descendants.

    A process's kind is that of its program (PostgreSQL ``database``, Redis ``redis``), else of
    ``commands`` by the last words of its command line, else its parent's; ``root`` has ``kind``.
    """

    root: int
    kind: str
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def kinds(self) -> dict[int, str]:
        """Return the kind of each process."""
        kinds = {self.root: self.kind}
        # psutil lists parents before their children.
        for child in psutil.Process(self.root).children(recursive=True):
            with suppress(psutil.Error):
                kinds[child.pid] = self._kind_of(child, kinds.get(child.ppid(), self.kind))
        return kinds

    def cpu(self) -> Cpu:
        """Return the CPU time used so far."""
        by_kind = Counter[str]()
        by_process = {}
        for pid, kind in self.kinds().items():
            with suppress(psutil.Error):
                times = psutil.Process(pid).cpu_times()
                by_kind[kind] += (
                    times.user + times.system + times.children_user + times.children_system
                )
                by_process[pid] = (kind, times.user + times.system)
        machine = psutil.cpu_times()
        # Without guest time, which user time includes.
        used = (
            machine.user
            + machine.nice
            + machine.system
            + machine.irq
            + machine.softirq
            + machine.steal
        )
        return Cpu(time.perf_counter(), by_kind, by_process, used)

    def holds(self) -> dict[str, Held]:
        """Return the resources held by kind; processes that end meanwhile are left out."""
        each: dict[str, list[Held]] = {}
        for pid, kind in self.kinds().items():
            with suppress(OSError):
                each.setdefault(kind, []).append(_read_held(Path(f"/proc/{pid}")))
        return {
            kind: Held(*map(sum, zip(*map(astuple, some), strict=True)))
            for kind, some in sorted(each.items())
            if some
        }

    def _kind_of(self, process: psutil.Process, inherited: str) -> str:
        if (server := SERVERS.get(process.name())) is not None:
            return server
        words = tuple(process.cmdline())
        return next(
            (kind for kind, command in self.commands.items() if words[-len(command) :] == command),
            inherited,
        )


def measure_peak(work: Callable[..., object], *arguments: object) -> float:
    """Return the peak memory in MB of a function and its child processes, run in a spawned
    process.
    """
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    peak_mb = 0.0
    while process.is_alive():
        held = ProcessTree(process.pid or 0, "work").holds()
        peak_mb = max(peak_mb, sum(kind.share_mb for kind in held.values()))
        process.join(SAMPLE_SECONDS)
    return peak_mb


def _read_held(process: Path) -> Held:
    # Pss counts a shared page proportionally; Pss_Anon only anonymous memory.
    rows = (
        line.split()
        for line in (process / "smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    )
    pages = {row[0].rstrip(":"): int(row[1]) / 1024 for row in rows}
    if not pages:
        raise ProcessLookupError
    opened = [str(link.readlink()) for link in (process / "fd").iterdir()]
    return Held(
        processes=1,
        own_mb=pages["Pss_Anon"] + pages["SwapPss"],
        share_mb=pages["Pss"] + pages["SwapPss"],
        files=len(opened),
        sockets=sum(target.startswith("socket:") for target in opened),
        threads=len(list((process / "task").iterdir())),
    )
