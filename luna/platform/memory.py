"""Limit the memory of a task, and recognise the errors of exceeding it.

``RLIMIT_DATA`` on Linux counts writable memory: heaps and private mappings of any library, but no
libraries, files or reserved address space. Beyond the limit an allocation fails: Python and NumPy
raise MemoryError, and a library that cannot report it aborts its process.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_GROUPS = Path("/proc/self/cgroup")
_GROUP_FOLDER = Path("/sys/fs/cgroup")
# The other half is for processes, servers and cached files.
_SHARE = 2
_LEAST_BYTES = 256_000_000
# A process that trains or forecasts, with the other processes of one home: on a machine of 1 GB two
# of them ran out of memory.
_PROCESS_BYTES = 800_000_000
_SHORT_PART = 5
# Below this a trim is not worth its milliseconds.
_WORTH_TRIMMING_BYTES = 16_000_000
# Messages of libraries' own errors on a failed allocation; for a thread that of its stack.
_SIGNS = (
    "bad_alloc",
    "bad allocation",
    "cannot allocate memory",
    "can't allocate memory",
    "can't start new thread",
    "out of memory",
)


def default_limit(processes: int) -> int:
    """Return the limit of each of ``processes`` tasks in this machine or container, bytes."""
    return max(_LEAST_BYTES, _present_bytes() // _SHARE // processes)


def affordable_processes() -> int:
    """Return the number of job processes that fit in this machine or container, at least one."""
    return max(1, _present_bytes() // _PROCESS_BYTES)


@contextmanager
def limited(max_bytes: int) -> Iterator[None]:
    """Limit the block to ``max_bytes`` beyond the process's current use.

    Exceeding the limit raises MemoryError, or aborts the process.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    used = _data_bytes()
    if used is None:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (used + max_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class FreedMemory:
    """Returns freed memory that the allocator would keep.

    A forecast leaves 50 MB, a start 8, and the next use may be hours away.
    """

    def __init__(self) -> None:
        self._trimmed_bytes = 0

    def give_back(self) -> None:
        """Trim the heap where the process has grown since the last trim.

        Source: glibc, malloc_trim(3).
        """
        if resident_bytes() > self._trimmed_bytes + _WORTH_TRIMMING_BYTES:
            with suppress(AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
            self._trimmed_bytes = resident_bytes()


def is_want_of_memory(error: BaseException) -> bool:
    """Return whether ``error``, or a cause of it, is a failed allocation."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or any(sign in str(cause).lower() for sign in _SIGNS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _data_bytes() -> int | None:
    """Return the size of this process's data as ``RLIMIT_DATA`` counts it.

    None where the system does not.
    """
    if sys.platform != "linux":
        return None
    status = _STATUS.read_text(encoding="ascii", errors="replace")
    [line] = [line for line in status.splitlines() if line.startswith("VmData:")]
    return int(line.split()[1]) * 1024


def resident_bytes(pid: int | None = None) -> int:
    """Return the resident memory of a process, by default this one.

    0 where the system does not report it, or the process is gone.
    """
    if sys.platform != "linux":
        return 0
    try:
        process = "self" if pid is None else str(pid)
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE")


def is_short() -> bool:
    """Return whether less than a fifth of this machine's, or container's, memory is free."""
    if sys.platform != "linux":
        return False
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    [line] = [line for line in meminfo.splitlines() if line.startswith("MemAvailable:")]
    free = [(int(line.split()[1]) * 1024, _machine_bytes())]
    for group in _own_groups():
        limit_bytes = group.limit_bytes()
        if limit_bytes is not None:
            free.append((limit_bytes - group.used_bytes(), limit_bytes))
    return any(free_bytes < present_bytes // _SHORT_PART for free_bytes, present_bytes in free)


def _present_bytes() -> int:
    limits = [group.limit_bytes() for group in _own_groups()]
    return min([_machine_bytes(), *(limit for limit in limits if limit is not None)])


def _machine_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@dataclass(frozen=True)
class MemoryGroup:
    """A control group that limits memory, by its folder.

    Source: Linux, cgroups(7), both versions.
    """

    folder: Path
    unified: bool

    def limit_bytes(self) -> int | None:
        """Return the limit on its processes together, None without one."""
        name = "memory.max" if self.unified else "memory.limit_in_bytes"
        try:
            return int((self.folder / name).read_text(encoding="ascii"))
        except (OSError, ValueError):  # "max" without a limit
            return None

    def used_bytes(self) -> int:
        """Return the memory that its processes use, without cached files."""
        usage = "memory.current" if self.unified else "memory.usage_in_bytes"
        try:
            used = int((self.folder / usage).read_text(encoding="ascii"))
            lines = (self.folder / "memory.stat").read_text(encoding="ascii").splitlines()
            figures = dict(line.split() for line in lines)
        except (OSError, ValueError):
            return 0
        prefix = "" if self.unified else "total_"
        names = (f"{prefix}active_file", f"{prefix}inactive_file")
        return used - sum(int(figures.get(name, 0)) for name in names)


def _own_groups() -> list[MemoryGroup]:
    """Return this process's control groups, and the root, which is a container's own group."""
    try:
        lines = _GROUPS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
    groups = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _GROUP_FOLDER / controllers
        folders = dict.fromkeys((root / path.lstrip("/"), root))
        groups += [MemoryGroup(folder, unified=not controllers) for folder in folders]
    return groups
