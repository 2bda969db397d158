"""What a process and all that it started take, by kind: CPU, memory, open files, threads. Source: Linux, proc(5)."""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
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
        parents = {pid: int(fields[1]) for pid, fields in _read_stats().items()}
        found = {self.root: self.kind}
        # A parent's number may be higher than its child's: numbers come round.
        while grown := {pid: found[parent] for pid, parent in parents.items() if parent in found and pid not in found}:
            found |= {pid: self._kind_of(pid, inherited) for pid, inherited in grown.items()}
        return found

    def cpu(self) -> Cpu:
        """Return what was taken so far."""
        kinds, by_kind, by_process = self.kinds(), Counter[str](), {}
        for pid, fields in _read_stats().items():
            if pid in kinds:
                own, children = (sum(map(int, fields[first : first + 2])) / TICKS for first in (11, 13))
                by_kind[kinds[pid]] += own + children
                by_process[pid] = (kinds[pid], own)
        user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9])
        return Cpu(time.perf_counter(), by_kind, by_process, (user + nice + system + sum(interrupts)) / TICKS)

    def holds(self) -> dict[str, Held]:
        """Return what the processes hold by kind; one that ends meanwhile is left out."""
        found: dict[str, list[Held]] = {}
        for pid, kind in self.kinds().items():
            try:
                found.setdefault(kind, []).append(_read_held(Path(f"/proc/{pid}")))
            except OSError:
                continue
        return {kind: _sum_held(each) for kind, each in sorted(found.items())}

    def _kind_of(self, pid: int, inherited: str) -> str:
        try:
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
            words = tuple(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").rstrip("\0").split("\0"))
        except OSError:
            return inherited
        if name in SERVERS:
            return SERVERS[name]
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


def _read_stats() -> dict[int, list[str]]:
    """Return the fields of ``/proc/PID/stat`` from the third on (state, parent, …), by process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name before may hold anything, also blanks and brackets.
            found[int(path.parent.name)] = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
    return found


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


def _sum_held(each: list[Held]) -> Held:
    return Held(*(sum(getattr(held, name) for held in each) for name in Held.__dataclass_fields__))  # type: ignore[arg-type]
