"""What a process and all that it started take, by kind: CPU, memory, open files, threads. Source: Linux, proc(5)."""

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
    """CPU seconds that processes have taken so far: by kind with those of ended children, by process, and of the whole machine."""

    at: float
    by_kind: Mapping[str, float]
    by_process: Mapping[int, tuple[str, float]]
    machine: float

    def spent_since(self, before: "Cpu") -> dict[str, float]:
        """Return the seconds that each kind has taken since."""
        return {kind: total - before.by_kind.get(kind, 0.0) for kind, total in self.by_kind.items()}

    def cores_since(self, before: "Cpu") -> tuple[dict[str, float], dict[str, float], float]:
        """Return the cores used by each kind since, those used by the busiest process of each kind, and those used by everybody on this machine."""
        seconds = self.at - before.at
        kinds = {kind: spent / seconds for kind, spent in self.spent_since(before).items()}
        busiest: dict[str, float] = {}
        for pid, (kind, spent) in self.by_process.items():
            used = (spent - before.by_process.get(pid, (kind, 0.0))[1]) / seconds
            busiest[kind] = max(busiest.get(kind, 0.0), used)
        return kinds, busiest, (self.machine - before.machine) / seconds


@dataclass(frozen=True, slots=True)
class Held:
    """What the processes of one kind hold: memory of their own (anonymous, swapped out included) and with their share of what they share, files, threads."""

    processes: int
    own_mb: float
    share_mb: float
    files: int
    sockets: int
    threads: int


@dataclass(frozen=True)
class ProcessTree:
    """A process and all that it started.

    ``kind`` is that of ``root`` and of all that is nothing else; ``commands`` are the last words of the command lines of other kinds. PostgreSQL is
    ``database``, Redis ``redis``.
    """

    root: int
    kind: str
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def kinds(self) -> dict[int, str]:
        """Return the kind of each process."""
        kinds = {self.root: self.kind}
        # A parent comes before its children.
        for child in psutil.Process(self.root).children(recursive=True):
            with suppress(psutil.Error):
                kinds[child.pid] = self._kind_of(child, kinds.get(child.ppid(), self.kind))
        return kinds

    def cpu(self) -> Cpu:
        """Return what was taken so far."""
        by_kind, by_process = Counter[str](), {}
        for pid, kind in self.kinds().items():
            with suppress(psutil.Error):
                times = psutil.Process(pid).cpu_times()
                by_kind[kind] += times.user + times.system + times.children_user + times.children_system
                by_process[pid] = (kind, times.user + times.system)
        machine = psutil.cpu_times()
        # A guest's time is the user's as well.
        used = machine.user + machine.nice + machine.system + machine.irq + machine.softirq + machine.steal
        return Cpu(time.perf_counter(), by_kind, by_process, used)

    def holds(self) -> dict[str, Held]:
        """Return what the processes hold by kind; one that ends meanwhile is left out."""
        each: dict[str, list[Held]] = {}
        for pid, kind in self.kinds().items():
            with suppress(OSError):
                each.setdefault(kind, []).append(_read_held(Path(f"/proc/{pid}")))
        return {kind: Held(*map(sum, zip(*map(astuple, some), strict=True))) for kind, some in sorted(each.items()) if some}

    def _kind_of(self, process: psutil.Process, inherited: str) -> str:
        if (server := SERVERS.get(process.name())) is not None:
            return server
        words = tuple(process.cmdline())
        return next((kind for kind, command in self.commands.items() if words[-len(command) :] == command), inherited)


def measure_peak(work: Callable[..., object], *arguments: object) -> float:
    """Return the most megabytes that a function held with all that it started, in a process that begins anew and holds nothing of this one's."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    peak_mb = 0.0
    while process.is_alive():
        held = ProcessTree(process.pid or 0, "work").holds()
        peak_mb = max(peak_mb, sum(kind.share_mb for kind in held.values()))
        process.join(SAMPLE_SECONDS)
    return peak_mb


def _read_held(process: Path) -> Held:
    # Pss counts a shared page by its share; Pss_Anon what is of no file and no shared memory.
    rows = (line.split() for line in (process / "smaps_rollup").read_text(encoding="ascii").splitlines()[1:])
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
