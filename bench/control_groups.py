"""Control groups: processes that have so much of the processors and of the memory together.

Source: Linux, cgroups(7), both versions.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from luna.energy.errors import MachineError

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 100_000
GONE_SECONDS = 10.0
CONTROLLERS = ("cpu", "memory")
UNIFIED = (ROOT / "cgroup.controllers").exists()


@dataclass(frozen=True)
class ControlGroup:
    """A group by its name."""

    name: str

    def enter(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs ``words`` in the group, with all that they start."""
        procs = [str(folder / "cgroup.procs") for folder in self._folders()]
        join = " && ".join(f'echo $$ >"${place}"' for place in range(len(procs)))
        return ["sh", "-c", f'{join} && shift {len(procs) - 1} && exec "$@"', *procs, *words]

    def limit_cpus(self, cpus: float) -> None:
        """Give all its processes so much of the processors from here on."""
        quota = int(cpus * PERIOD_US)
        if UNIFIED:
            self._folder("cpu").joinpath("cpu.max").write_text(f"{quota} {PERIOD_US}")
        else:
            self._folder("cpu").joinpath("cpu.cfs_period_us").write_text(str(PERIOD_US))
            self._folder("cpu").joinpath("cpu.cfs_quota_us").write_text(str(quota))

    def limit_memory(self, size_bytes: int) -> None:
        """Let all its processes hold so much, files that were read included, and swap nothing:
        beyond it one of them is killed.
        """
        limits = (
            {"memory.max": size_bytes, "memory.swap.max": 0}
            if UNIFIED
            else {"memory.limit_in_bytes": size_bytes, "memory.memsw.limit_in_bytes": size_bytes}
        )
        for name, value in limits.items():
            self._folder("memory").joinpath(name).write_text(str(value))

    def count_killed(self) -> int:
        """Return how many processes were killed because the memory was full."""
        lines = (
            self._folder("memory")
            .joinpath("memory.events" if UNIFIED else "memory.oom_control")
            .read_text(encoding="ascii")
            .splitlines()
        )
        return int(dict(line.split() for line in lines)["oom_kill"])

    def hold_bytes(self) -> int:
        """Return what its processes hold that cannot be read again from a file."""
        figures = dict(
            line.split()
            for line in self._folder("memory")
            .joinpath("memory.stat")
            .read_text(encoding="ascii")
            .splitlines()
        )
        return sum(
            int(figures[name])
            for name in (("anon", "shmem") if UNIFIED else ("total_rss", "total_shmem"))
        )

    def _folder(self, controller: str) -> Path:
        return ROOT / self.name if UNIFIED else ROOT / controller / self.name

    def _folders(self) -> list[Path]:
        return list(dict.fromkeys(map(self._folder, CONTROLLERS)))


@contextmanager
def control_group(name: str) -> Iterator[ControlGroup]:
    """Yield a group as large as the machine, and take it away when its last process has gone.

    Raises:
        MachineError: this account or machine makes none.
    """
    group = ControlGroup(name)
    folders = group._folders()  # noqa: SLF001 - its maker
    try:
        for folder in folders:
            folder.mkdir()
    except OSError as exc:
        raise MachineError(
            f"no control group can be made: {exc.strerror}",
            field="cgroup",
            value=str(exc.filename),
            remedy="Run as root, on Linux.",
        ) from exc
    try:
        yield group
    finally:
        for folder in folders:
            # Whoever was killed belongs to it until somebody has heard of that.
            deadline = time.monotonic() + GONE_SECONDS
            while (folder / "cgroup.procs").read_text() and time.monotonic() < deadline:
                time.sleep(0.05)
            folder.rmdir()
