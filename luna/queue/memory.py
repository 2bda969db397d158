"""How much memory a task may take, and what is said of one that takes more.

Linux counts what a process may write into (``RLIMIT_DATA``): heaps and private mappings, whatever library made them. What is only read or reserved does not
count, such as libraries and files. Where the limit is met, an allocation fails: Python and NumPy raise MemoryError, and a library that cannot say so aborts its
process.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STATUS, _PAGES = Path("/proc/self/status"), Path("/proc/self/statm")
# Half is for what runs beside the tasks: the processes themselves, servers, files that are read.
_SHARE = 2
_LEAST_BYTES = 256_000_000
# Less is not worth the milliseconds that looking for it takes.
_WORTH_TRIMMING_BYTES = 16_000_000
# How libraries say that an allocation failed, where they raise something of their own; of a thread it is that of its stack.
_SIGNS = ("bad_alloc", "bad allocation", "cannot allocate memory", "can't allocate memory", "can't start new thread", "out of memory")


def default_limit(processes: int) -> int:
    """Return the bytes that each of ``processes`` tasks may take on this machine, or in this container."""
    return max(_LEAST_BYTES, _present_bytes() // _SHARE // processes)


@contextmanager
def limited(max_bytes: int) -> Iterator[None]:
    """Let what is done within take at most ``max_bytes`` beyond what the process has taken already; MemoryError, or a dead process, where it wants more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    taken = _taken_bytes()
    if taken is None:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (taken + max_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


class FreedMemory:
    """What a process's tasks have freed, which the allocator would keep for the next one: a forecast leaves 50 MB, and the next may be hours away."""

    def __init__(self) -> None:
        self._kept_bytes = 0

    def give_back(self) -> None:
        """Give it back to the system where the process has grown since it was given back last. Source: glibc, malloc_trim(3)."""
        if _resident_bytes() > self._kept_bytes + _WORTH_TRIMMING_BYTES:
            with suppress(AttributeError):
                ctypes.CDLL(None).malloc_trim(0)
            self._kept_bytes = _resident_bytes()


def is_want_of_memory(error: BaseException) -> bool:
    """Return whether ``error``, or what led to it, is a failed allocation."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or any(sign in str(seen).lower() for sign in _SIGNS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _taken_bytes() -> int | None:
    """Return what the limit counts of this process, None where the system does not count."""
    if sys.platform != "linux":
        return None
    [line] = [line for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines() if line.startswith("VmData:")]
    return int(line.split()[1]) * 1024


def _resident_bytes() -> int:
    """Return what the process holds in memory, 0 where the system does not count."""
    if sys.platform != "linux":
        return 0
    return int(_PAGES.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _present_bytes() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        # Of this container, where there is one: "max" without a limit.
        container = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return machine
    return min(machine, container)
